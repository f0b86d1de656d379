"""What must not leave this machine: its secrets, its paths, the names of its user and itself."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labreport import scratch
from labreport.handin import values
from labreport.handin.forms import Form

SHORTEST_NAME = 4

COMMON_NAMES = """
    admin administrator agent anonymous author bash build builder code codespace computer container daemon
    debian default demo desktop developer docker ec2-user fedora guest home host jenkins jovyan jupyter laptop
    linux local localhost machine main mark master model nobody node notebook page python report root runner
    sandbox server student system temp test tester ubuntu user users vagrant will windows work worker
    workspace workstation world
"""
"""Names of users and machines that say nothing, or that texts need as words; shorter ones do not count."""


@dataclass(frozen=True)
class Known:
    """What is looked for; `allowed` texts do not count."""

    values: tuple[values.Value, ...]
    paths: tuple[Form, ...]
    names: tuple[Form, ...]
    allowed: tuple[bytes, ...]

    def written(self) -> bytes:
        """Return all of it in bytes, which differ where anything differs; they hold the secrets."""
        forms = [(f.kind, f.what, f.hints, f.pattern) for f in (*self.paths, *self.names)]
        return repr((self.values, forms, self.allowed)).encode()


def known(
    folders: Iterable[Path],
    *,
    environment: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    allowed: Collection[str] = (),
    authors: Iterable[str] = (),
) -> Known:
    """Return what to look for on this machine.

    `folders` are the project's; the home folder, the temporary ones and Python's come of themselves. `names`
    maps names to what they are, else those of the user and of the machine. The names of `authors` may appear.
    """
    folders, variables = list(folders), os.environ if environment is None else environment
    found = machine_names() if names is None else names
    known_names = {word.lower() for author in authors for word in re.findall(r"\w+", author)} | set(
        COMMON_NAMES.split()
    )
    telling = {
        n: what for n, what in found.items() if len(n) >= SHORTEST_NAME and n.lower() not in known_names
    }
    return Known(
        values=(*values.of_environment(variables), *values.of_files(variables, folders)),
        paths=tuple(_paths(folders)),
        names=tuple(
            Form("name", what, (n.encode(),), rb"(?<![\w-])%s(?![\w-])" % re.escape(n.encode()))
            for n, what in telling.items()
        ),
        allowed=tuple(text.encode() for text in allowed if text),
    )


def machine_names() -> dict[str, str]:
    """Return the names of the user and of the machine, with what they are."""
    import platform
    import pwd
    import socket

    host = socket.gethostname()
    hosts = (host, host.partition(".")[0], platform.node())
    users = [os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")]
    users += [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == os.getuid()]
    return dict.fromkeys(hosts, "the name of this machine") | dict.fromkeys(
        users, "the name of this machine's user"
    )


def _paths(folders: Iterable[Path]) -> Iterator[Form]:
    """Yield the folders that tell of this machine, the longest first."""
    import sys

    known_as = {str(folder): "a path of this machine, of the project's folder" for folder in folders}
    for folder, what in (
        (os.path.expanduser("~"), "a path of this machine, of the home folder"),  # noqa: PTH111 -- "~" may stay
        *((str(place), "a path of this machine, of a temporary folder") for place in scratch.places()),
        (sys.prefix, "a path of this machine, of Python's folder"),
        (sys.base_prefix, "a path of this machine, of Python's folder"),
    ):
        known_as.setdefault(folder.rstrip("/"), what)
    for folder, what in sorted(known_as.items(), key=lambda item: -len(item[0])):
        if not folder.startswith("/") or folder in ("/", "/usr", "/usr/local", "/opt", "/home"):
            continue
        many_have_it = (
            folder.count("/") == 1 or folder == "/var/tmp"
        )  # only what lies in it tells of this one
        end = r"/[\w.-]+" if many_have_it else r"(?![\w-])"
        yield Form("path", what, (folder.encode(),), rf"(?<![\w.~-]){re.escape(folder)}{end}".encode())
