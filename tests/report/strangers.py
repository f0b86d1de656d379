"""Another user of the same machine, who is not root and may enter nobody's home."""

import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that all users may enter, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="open-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def can_unshare() -> bool:
    """Return whether a process can be given mounts, a network and a host name of its own."""
    command = ["unshare", "--mount", "--net", "--uts", "true"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def as_nobody(folder: Path) -> list[str]:
    """Give a folder to a user without rights, and return the programs that start another as this user.

    Who is not root is such a user already.
    """
    if os.getuid() != 0:
        return []
    if not can_unshare():
        pytest.skip("what another user may not enter cannot be shown to it here")
    subprocess.run(["chown", "-hR", f"{NOBODY}:{NOBODY}", folder], check=True)
    needed = [ROOT, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    rights = ["--inh-caps=-all", "--bounding-set=-all"]
    return ["unshare", "--mount", "sh", "-ec", _opening(needed), "sh", *user, *rights]


def _opening(needed: list[Path]) -> str:
    """Return the shell's commands by which only what is started here sees these paths in open folders.

    Python often lies in root's own home. An empty folder hides what is closed, with nothing in it but them.
    """
    inside = {shlex.quote(str(path)): f"/mnt/{n}" for n, path in enumerate(needed) if _closed(path)}
    closed = {shlex.quote(str(folder)) for folder in map(_closed, needed) if folder}
    return "\n".join(
        [
            "mount -t tmpfs none /mnt",
            *(f"mkdir {kept}; mount --bind {path} {kept}" for path, kept in inside.items()),
            *(f"mount -t tmpfs -o mode=755 none {folder}" for folder in closed),
            *(f"mkdir -p {path}; mount --bind {kept} {path}" for path, kept in inside.items()),
            'exec "$@"',
        ]
    )


def _closed(path: Path) -> Path | None:
    """Return the first folder on the way to a path that others may not enter."""
    way = [*reversed(path.parents), path]
    return next((folder for folder in way if not folder.stat().st_mode & stat.S_IXOTH), None)
