"""What must be installed for the code in a hand-in: what it imports, in the versions that it ran with."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labreport.errors import InputError, Place
from labreport.handin.contents import matches
from labreport.project import CHECKOUT
from labreport.results import versions

FOR_TESTS = ("dev", "test", "tests")
"""The extras of a project that only its tests need."""

ENGINE = "src/labreport/"
CODE = ("experiments/**/*.py", "report_templates/**/*.py", "src/**/*.py")
TESTS = ("tests/**/*.py",)
OWN = {"experiments", "labreport", "tests"}


@dataclass(frozen=True)
class Needs:
    """What the code of a hand-in needs: the Python versions, and requirements in the notation of pip.

    `engine` is what labreport needs, `code` what experiments, modules and notebooks import besides, `tests`
    what the tests do, and the tools that the project names for these.
    """

    python: str
    engine: tuple[str, ...]
    code: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def every(self) -> tuple[str, ...]:
        """All requirements."""
        return self.engine + self.code + self.tests


def needs(files: Mapping[str, bytes]) -> Needs:
    """Return what the code in a hand-in needs, of what is installed here.

    An import that nothing here can satisfy is one that the code does without.
    """
    known = versions.installed(sys.path)
    python, engine = of_engine()
    own = _own_modules(files)
    code = _provided(_imported(_sources(files, CODE)) - own, known)
    tests = _provided(_imported(_sources(files, TESTS)) - own, known)
    tools = _for_tests(files) if any(matches(name, TESTS) for name in files) else []
    present = {name_of(each) for each in engine}
    code = [name for name in code if name not in present]
    present |= {*code, *map(name_of, tools)}
    tools += [name for name in tests if name not in present]
    python = project_table(files).get("requires-python", python)
    return Needs(str(python), tuple(engine), tuple(code), tuple(tools))


def used_by_engine(files: Mapping[str, bytes]) -> set[str]:
    """Return the distributions that labreport's own packed sources import."""
    sources = (data.decode() for name, data in files.items() if matches(name, (f"{ENGINE}**/*.py",)))
    return set(_provided(_imported(sources), versions.installed(sys.path)))


def pins(requirements: Iterable[str]) -> dict[str, str]:
    """Return the version of each installed distribution that these need, and what those need in turn."""
    from importlib.metadata import PackageNotFoundError, requires

    known = versions.installed(sys.path)
    found: dict[str, str] = {}
    seen: set[str] = set()
    queue = list(requirements)
    while queue:
        requirement = queue.pop()
        name = name_of(requirement)
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
    return dict(sorted(found.items()))


def pinned(constraints: bytes) -> dict[str, str]:
    """Return the versions that a file of constraints names, by normalised name."""
    lines = constraints.decode("utf-8", "replace").splitlines()
    pairs = (re.split(r"[#;]", line, maxsplit=1)[0].strip().partition("==") for line in lines)
    return {name_of(name): version.strip() for name, equals, version in pairs if equals}


def project_table(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the table `project` of the pyproject.toml in a hand-in.

    Raises InputError if that is not valid TOML.
    """
    try:
        data = tomllib.loads(files.get("pyproject.toml", b"").decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        what = f"pyproject.toml is not valid TOML: {error}"
        raise InputError(what, place=Place("pyproject.toml"), cure="correct it") from error
    project = data.get("project", {})
    return project if isinstance(project, dict) else {}


def listed(project: Mapping[str, Any], *, tests: bool = True) -> list[str]:
    """Return the requirements of a table `project`, those of its extras among them."""
    extras = project.get("optional-dependencies", {})
    groups = [needed for extra, needed in extras.items() if tests or extra not in FOR_TESTS]
    return [each for needed in (project.get("dependencies", []), *groups) for each in needed]


def name_of(requirement: str) -> str:
    """Return the normalised name of the distribution that a requirement asks for."""
    return versions.normalised(re.split(r"[\s\[<>=!~;(@]", requirement.strip(), maxsplit=1)[0])


def from_elsewhere(names: Iterable[str]) -> list[str]:
    """Return the distributions that were installed from a folder of this machine: no index has them.

    Their metadata say so: https://peps.python.org/pep-0610/
    """
    from importlib.metadata import PackageNotFoundError, distribution

    found = []
    for name in names:
        try:
            told = json.loads(distribution(name).read_text("direct_url.json") or "{}")
        except (PackageNotFoundError, ValueError):
            continue
        if isinstance(told, dict) and str(told.get("url", "")).startswith("file:"):
            found.append(name)
    return found


def of_engine() -> tuple[str, list[str]]:
    """Return the Python versions and the distributions that labreport needs."""
    if CHECKOUT is not None:
        project = project_table({"pyproject.toml": (CHECKOUT / "pyproject.toml").read_bytes()})
        return project["requires-python"], list(project["dependencies"])
    from importlib.metadata import metadata

    installed = metadata("labreport")
    needed = installed.get_all("Requires-Dist") or []
    return installed["Requires-Python"], [each for each in needed if "extra ==" not in each]


def _for_tests(files: Mapping[str, bytes]) -> list[str]:
    extras = project_table(files).get("optional-dependencies", {})
    return [each for extra in FOR_TESTS for each in extras.get(extra, [])]


def _extras(requirement: str) -> list[str]:
    found = re.match(r"[^;\[]*\[([^]]*)\]", requirement)
    return re.findall(r"[\w.-]+", found[1]) if found else []


def _extra_of(requirement: str) -> str | None:
    found = re.search(r"extra\s*==\s*[\"']([\w.-]+)[\"']", requirement.partition(";")[2])
    return found[1] if found else None


# ---------------------------------------------------------------------------------------- what is imported


def _own_modules(files: Mapping[str, bytes]) -> set[str]:
    own = {name.split("/")[1].removesuffix(".py") for name in files if name.startswith("src/")}
    # what lies in the folder of the project, or beside a test, is found there
    own |= {
        name.rpartition("/")[2].removesuffix(".py")
        for name in files
        if name.endswith(".py") and ("/" not in name or name.startswith("tests/"))
    }
    return own | OWN


def _provided(modules: Iterable[str], known: Mapping[str, str]) -> list[str]:
    found = versions.versions(modules, known, _remembered)
    return [name for name in sorted(found) if name in known]


_REMEMBERED: dict[str, Any] = {}


def _remembered(key: str, make: Callable[[], Any]) -> Any:
    """Return what was made for a key in this process: packing asks several times, and then the checks do."""
    if key not in _REMEMBERED:
        _REMEMBERED[key] = make()
    return _REMEMBERED[key]


def _sources(files: Mapping[str, bytes], patterns: tuple[str, ...]) -> Iterator[str]:
    """Yield the packed sources of these patterns; notebooks belong to the project's own code."""
    for name, data in files.items():
        if matches(name, patterns) and not name.startswith(ENGINE):
            yield data.decode("utf-8", "replace")
        elif patterns is CODE and name.startswith("notebooks/"):
            yield from _code(data)


def _imported(sources: Iterable[str]) -> set[str]:
    """Return the top-level modules of others that sources import."""
    return {module for source in sources for module in _modules(source)} - set(sys.stdlib_module_names)


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
    yield from _imported_by(tree)


def _imported_by(node: ast.AST) -> Iterator[str]:
    """Yield the top-level modules that the statements in a node import; no expression imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        inside = getattr(node, part, ())
        for child in inside if isinstance(inside, list) else ():
            yield from _imported_by(child)
