"""What lies inside the walls of TeX, of notebooks and of converters: what each needs, and no more."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from labreport import surroundings
from labreport.wall import Wall

# /usr as a whole would let in a project in /usr/src, where containers have theirs
_PROGRAMS = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store"),
    *(f"/usr/{name}" for name in ("bin", "sbin", "lib", "lib32", "lib64", "libexec", "share")),
    *(f"/usr/local/{name}" for name in ("bin", "sbin", "lib", "lib64", "share")),
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    *("/etc/fonts", "/var/cache/fontconfig"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_TEX = ("/etc/texmf", "/etc/perl", "/etc/ghostscript", "/var/lib/texmf", "/var/lib/ghostscript")
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts")


def tex(folder: Path) -> Wall:
    """Return the wall of TeX, and of all that it starts: it writes into its folder, and nowhere else."""
    path = surroundings.for_tex(folder)["PATH"]
    reads = (*_PROGRAMS, *_TEX, *_DEVICES, *_on(path), *_trees(path), *_linked(path))
    return Wall(reads, (str(folder.resolve()),))


def converter(source: Path, target: Path) -> Wall:
    """Return the wall of a program that converts a picture: it reads that, and what lies beside it."""
    reads = (*_PROGRAMS, *_DEVICES, *_on(os.environ.get("PATH", os.defpath)))
    return Wall((*reads, str(source.parent)), (str(target.parent),))


def notebook(folder: Path, project: Path) -> Wall:
    """Return the wall of a kernel: it reads the project and what is installed, and writes into its folder."""
    own = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, site.getuserbase()}
    places = os.pathsep.join(os.environ.get(name, "") for name in ("PATH", "LD_LIBRARY_PATH"))
    reads = (*_PROGRAMS, *_SYSTEM, *own, *_installed_in_place(), *_on(places))
    processors = (str(device) for name in _PROCESSORS for device in Path("/dev").glob(name))
    # semaphores, which processes share, lie in memory below /dev/shm
    return Wall(
        (*reads, str(project)), (str(folder), "/dev/shm", *_DEVICES, *_TERMINALS, *processors), network=True
    )


_SYSTEM = ("/etc", "/opt", "/proc", "/sys", "/run/systemd/resolve", *_TEX)
_TERMINALS = ("/dev/tty", "/dev/ptmx", "/dev/pts")
_PROCESSORS = ("nvidia*", "kfd", "dri")


def _installed_in_place() -> Iterator[str]:
    """Yield where distributions lie that are installed in the place where they are developed."""
    for packages in map(Path, (sysconfig.get_path("purelib"), site.getusersitepackages())):
        for told in packages.glob("*.dist-info/direct_url.json"):
            with suppress(OSError, ValueError, LookupError):
                if (url := urlsplit(json.loads(told.read_bytes())["url"])).scheme == "file":
                    yield unquote(url.path)
        for named in packages.glob("*.pth"):
            for line in named.read_text(encoding="utf-8", errors="replace").splitlines():
                if line and not line.startswith(("#", "import")):
                    yield str(packages / line)


def is_of_tex(path: str) -> bool:
    """Return whether an absolute path lies in a tree of TeX's, or is a font of the system."""
    if not path.startswith("/") or "/../" in path:
        return False
    trees = _trees(os.environ.get("PATH", os.defpath))
    known = {*trees, *map(os.path.realpath, trees), *_FONTS}
    return any(_is_below(path, tree) for tree in known) or path in _DEVICES


# ------------------------------------------------------------------------------------------- where TeX lives


@cache
def _trees(path: str) -> tuple[str, ...]:
    """Return the trees that the TeX on a PATH searches, and its installation, which has its scripts.

    As TeX itself it is asked without a home: what it finds there would lie in the scratch folder.
    """
    if (program := shutil.which("kpsewhich", path=path)) is None:
        return _TEX
    told = subprocess.run(
        [program, "-expand-path=$TEXMF:$TEXMFCNF:$TEXMFROOT"],
        env=surroundings.for_tex(Path("/nonexistent")) | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return _narrow(map(os.path.normpath, os.fsdecode(told.stdout).strip().split(os.pathsep)))


@cache
def _linked(path: str) -> tuple[str, ...]:
    """Return where links in trees lead that were set up by hand; distributions link within themselves."""
    own = [tree for tree in _trees(path) if not any(_is_below(tree, known) for known in (*_PROGRAMS, *_TEX))]
    return _narrow(
        os.path.realpath(each.path)
        for tree in own
        for folder, _, _ in os.walk(tree)
        for each in os.scandir(folder)
        if each.is_symlink()
    )


@cache
def _on(path: str) -> tuple[str, ...]:
    """Return the folders of programs on a PATH, with the libraries that lie beside them."""
    # a program may be no more than a link to where it is installed
    tools = filter(None, (shutil.which(tool, path=path) for tool in ("perl", "latexmk", "pdflatex", "biber")))
    named = [Path(folder) for folder in path.split(os.pathsep) if folder.startswith("/")]
    folders = [*(folder.resolve() for folder in named), *(Path(tool).resolve().parent for tool in tools)]
    beside = [folder.parent / name for folder in folders if folder.name == "bin" for name in ("lib", "share")]
    return _narrow(map(str, (*folders, *beside)))


def _narrow(paths: Iterable[str]) -> tuple[str, ...]:
    """Return paths of folders once each, without those that hold somebody's home, as the root does."""
    home = str(Path.home())
    found = (path for path in paths if path.startswith("/") and not _is_below(home, os.path.realpath(path)))
    return tuple(dict.fromkeys(found))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
