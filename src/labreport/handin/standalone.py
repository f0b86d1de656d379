"""What lets a hand-in run alone: labreport itself, and the files around it that the project lacks.

The main file and the Makefile are labreport's own, `pyproject.toml` and `constraints.txt` are made: they name
what labreport and the packed sources import, in the versions that are installed here.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from labreport.handin.contents import Contents, matches, walk
from labreport.handin.requirements import (
    Needs,
    from_elsewhere,
    listed,
    name_of,
    needs,
    pinned,
    pins,
    project_table,
    used_by_engine,
)
from labreport.project import CHECKOUT, ENGINE, Project

MAIN = ("build_report.py", "pyproject.toml", "constraints.txt", "Makefile")
"""The files around the sources; those that a project has itself are packed as they are."""

ENGINE_FILES = (
    "**/*.py",
    "**/*.sty",
    "**/*.toml",
    "**/py.typed",
    "handin/main/*",
    "manual/assets/*",
    "new/*/**/*",
    "page/assets/**/*",
)

OWN = Path(__file__).with_name("main")
GIVEN = {"build_report.py": OWN / "build_report.py.txt", "Makefile": OWN / "Makefile"}

MADE = b"# Made by labreport for this hand-in"
"""How the files begin that are made."""


def add_engine(contents: Contents, project: Project) -> None:
    """Add labreport's sources, its main file and its Makefile, as far as the project has none of its own."""
    if project.root == CHECKOUT:
        return
    if not any(name.startswith("src/labreport/") for name in contents.data):
        for path in walk(ENGINE):
            name = path.relative_to(ENGINE).as_posix()
            if matches(name, ENGINE_FILES):
                contents.add_file(f"src/labreport/{name}", path, f"labreport's {path.name}")
    for name, path in GIVEN.items():
        if name not in contents.data:
            contents.add_file(name, path, f"labreport's {name}")


def add_made(contents: Contents) -> Needs:
    """Add what must be installed for the packed sources, as far as the project does not say it; return it.

    What the project says of its libraries itself stays as it is, with a notice where that is wrong. But its
    constraints are what the hand-in is installed from: they are replaced if they do not name what computed
    the results.
    """
    needed = needs(contents.data)
    project = project_table(contents.data)
    surplus = _surplus(contents.data, project, needed)
    if "pyproject.toml" not in contents.data:
        requirements = [*needed.engine, *needed.code]
        _add(contents, "pyproject.toml", _pyproject(needed.python, requirements))
    elif wrong := _wrong(_lacking(project, needed), surplus):
        contents.notices.append(f"pyproject.toml {wrong}: correct its dependencies")
    right = pins(needed.every)
    own = contents.data.get("constraints.txt")
    if own is None:
        _add(contents, "constraints.txt", _lines(right))
    else:
        allowed = pins(each for each in [*needed.every, *listed(project)] if name_of(each) not in surplus)
        if wrong := _mispinned(pinned(own), right, allowed):
            contents.notices.append(f"constraints.txt {wrong}: the one in the zip is made for it")
            _add(contents, "constraints.txt", [_instead_of(own), *_lines(right)])
    contents.notices += [
        f"{name} is installed from a folder of this machine: copy its code into src/, where others find it"
        for name in from_elsewhere(right)
        if name != "labreport"
    ]
    return needed


def is_made(data: bytes) -> bool:
    """Return whether a packed file was made by `add_made`: it follows from the others."""
    return data.startswith(MADE)


def replaces(made: bytes, own: bytes) -> bool:
    """Return whether a file that was made stands in the place of the project's own."""
    return _instead_of(own).encode() in made.splitlines()


def _instead_of(own: bytes) -> str:
    # whoever mends the project's own file expects it in the next hand-in
    return f"# in the place of the project's own (CRC-32 {zlib.crc32(own):08x})"


def _lacking(project: Mapping[str, object], needed: Needs) -> list[str]:
    """Return the libraries of the code in a hand-in that the project does not name."""
    named = {name_of(each) for each in listed(project)}
    return [name for name in needed.code if name_of(name) not in named]


def _surplus(files: Mapping[str, bytes], project: Mapping[str, object], needed: Needs) -> list[str]:
    """Return the installed libraries that the project names, and that nothing in the hand-in imports."""
    used = {name_of(each) for each in needed.every}
    more = [each for each in listed(project, tests=False) if name_of(each) not in used]
    if not more:
        return []
    # labreport itself uses some only where they are there
    used = used_by_engine(files)
    installed = pins(more)
    return [name for name in map(name_of, more) if name in installed and name not in used]


def _mispinned(own: Mapping[str, str], right: Mapping[str, str], allowed: Mapping[str, str]) -> str:
    """Return what is wrong with the versions that a project pins, in words; empty if nothing is.

    What is not installed here may belong to other systems.
    """
    installed = pins(own)
    other = [
        f"pins {name} {own[name]}, where {version} is installed"
        for name, version in right.items()
        if name in own and own[name].partition("+")[0] != version
    ]
    lacking = [name for name in right if name not in own]
    return _wrong(lacking, [name for name in own if name in installed and name not in allowed], other[:1])


def _wrong(lacking: Sequence[str], surplus: Sequence[str], more: Sequence[str] = ()) -> str:
    said = [f"lacks {_some(lacking)}"] if lacking else []
    said += [f"lists {_some(surplus)}, which nothing in the hand-in needs"] if surplus else []
    return "; it ".join([*said, *more])


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _lines(versions: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name}=={version}" for name, version in versions.items())


def _add(contents: Contents, name: str, lines: Iterable[str]) -> None:
    text = "\n".join([MADE.decode(), *lines])
    contents.add(name, f"{text}\n".encode(), f"{name}, which is made for the hand-in")


def _pyproject(python: str, needed: Iterable[str]) -> Iterator[str]:
    yield from ("[project]", 'name = "hand-in"', 'version = "0"', f'requires-python = "{python}"')
    yield "dependencies = ["
    yield from (f"    {json.dumps(requirement)}," for requirement in needed)
    yield "]"
