"""What lets a hand-in run alone: labreport itself, and the files around it that the project lacks.

The main file and the Makefile are labreport's own, `pyproject.toml` and `constraints.txt` are made: they name
what labreport and the packed sources import, in the versions that are installed here.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from labreport.handin.contents import Contents, matches, walk
from labreport.project import CHECKOUT, ENGINE, Project
from labreport.results import versions

MAIN = ("build_report.py", "pyproject.toml", "constraints.txt", "Makefile")
"""The files around the sources; those that a project has itself are packed as they are."""

ENGINE_FILES = ("**/*.py", "**/*.sty", "**/*.toml", "**/py.typed", "handin/main/*")

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


def add_made(contents: Contents) -> None:
    """Add what must be installed for the packed sources, as far as the project does not say it itself."""
    if "pyproject.toml" in contents.data and "constraints.txt" in contents.data:
        return
    known = versions.installed(sys.path)
    python, needed = _engines_needs()
    own = versions.versions(_imported(contents.data), known, lambda _, make: make())
    present = {versions.normalised(_name(requirement)) for requirement in needed}
    needed += [name for name in sorted(own) if name in known and name not in present]
    if "pyproject.toml" not in contents.data:
        _add(contents, "pyproject.toml", _pyproject(python, needed))
    if "constraints.txt" not in contents.data:
        _add(contents, "constraints.txt", _pins(needed, known))


def is_made(data: bytes) -> bool:
    """Return whether a packed file was made by `add_made`: it follows from the others."""
    return data.startswith(MADE)


def _add(contents: Contents, name: str, lines: Iterable[str]) -> None:
    text = "\n".join([MADE.decode(), *lines])
    contents.add(name, f"{text}\n".encode(), f"{name}, which is made for the hand-in")


def _pyproject(python: str, needed: Iterable[str]) -> Iterator[str]:
    yield from ("[project]", 'name = "hand-in"', 'version = "0"', f'requires-python = "{python}"')
    yield "dependencies = ["
    yield from (f"    {json.dumps(requirement)}," for requirement in needed)
    yield "]"


# ---------------------------------------------------------------------------------------- what is installed


def _engines_needs() -> tuple[str, list[str]]:
    """Return the Python versions and the distributions that labreport needs."""
    if CHECKOUT is not None:
        import tomllib

        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return project["requires-python"], list(project["dependencies"])
    from importlib.metadata import metadata

    installed = metadata("labreport")
    needed = installed.get_all("Requires-Dist") or []
    return installed["Requires-Python"], [each for each in needed if "extra ==" not in each]


def _pins(needed: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """Return each installed distribution that these need, those that they need in turn among them."""
    from importlib.metadata import PackageNotFoundError, requires

    found: dict[str, str] = {}
    seen: set[str] = set()
    queue = list(needed)
    while queue:
        requirement = queue.pop()
        name = versions.normalised(_name(requirement))
        # a requirement of other systems is not installed here, one of another extra names it
        if requirement in seen or name not in known:
            continue
        seen.add(requirement)
        found[name] = known[name].partition("+")[0]  # 2.13.0+cpu is a build of 2.13.0, and not on PyPI
        chosen = _extras(requirement)
        try:
            queue += [each for each in requires(name) or () if _extra_of(each) in (None, *chosen)]
        except PackageNotFoundError:
            continue
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _name(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;(@]", requirement.strip(), maxsplit=1)[0]


def _extras(requirement: str) -> list[str]:
    found = re.match(r"[^;\[]*\[([^]]*)\]", requirement)
    return re.findall(r"[\w.-]+", found[1]) if found else []


def _extra_of(requirement: str) -> str | None:
    found = re.search(r"extra\s*==\s*[\"']([\w.-]+)[\"']", requirement.partition(";")[2])
    return found[1] if found else None


# ---------------------------------------------------------------------------------------- what is imported


def _imported(data: Mapping[str, bytes]) -> set[str]:
    """Return the top-level modules of others that the packed experiments, modules and notebooks import."""
    sources = [
        source.decode("utf-8", "replace")
        for name, source in data.items()
        if matches(name, ("experiments/**/*.py", "src/**/*.py")) and not name.startswith("src/labreport/")
    ]
    for name, notebook in data.items():
        if name.startswith("notebooks/"):
            sources += _code(notebook)
    own = {name.split("/")[1].removesuffix(".py") for name in data if name.startswith("src/")}
    found = {module for source in sources for module in _modules(source)}
    return found - own - {"experiments", "labreport"} - set(sys.stdlib_module_names)


def _code(notebook: bytes) -> list[str]:
    try:
        cells: list[dict[str, Any]] = json.loads(notebook)["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, LookupError, TypeError):  # the checks report a damaged notebook
        return []


def _modules(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # a cell with a magic of IPython
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
