"""The house: rooms in one order, public lists, no circles, small modules; heavy libraries wait until used."""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
HEAVY = {"torch", "numpy", "scipy", "pandas", "matplotlib", "jinja2", "wandb", "asyncio", "pypdf", "nbformat"}
HEAVY |= {"rich", "pygments", "multiprocessing", "babel"}
FORBIDDEN = {
    "labreport": {"tinymlp", "experiments", "torch", "wandb"},
    "tinymlp": {"labreport", "experiments"},
    "experiments": {"experiments"},
    "": {"tinymlp", "experiments", *HEAVY},
}
FILES = {
    "labreport": sorted(SRC.glob("labreport/**/*.py")),
    "tinymlp": sorted(SRC.glob("tinymlp/**/*.py")),
    "experiments": sorted(ROOT.glob("experiments/**/*.py")),
    "": [ROOT / "build_report.py"],
}
EVERY = [path for paths in FILES.values() for path in paths]

GROUND = ("errors", "config", "project", "events", "surroundings", "wall", "modules")
GROUND += ("lock", "descendants", "scratch")
MAY_IMPORT = {
    # For each room of labreport, and each module beside them, the rooms to its right.
    "scratch": (),
    "errors": ("scratch",),
    "config": ("errors",),
    "project": ("errors", "config"),
    "events": ("errors",),
    "surroundings": ("errors", "config", "project"),
    "wall": (),
    "modules": ("errors", "project"),
    "lock": ("errors", "project"),
    "descendants": (),
    "interruption": (),
    "progress": ("events",),
    "language": GROUND,
    "writing": (*GROUND, "language"),
    "results": GROUND,
    "running": (*GROUND, "results"),
    "claims": (*GROUND, "writing", "language"),
    "documents": (*GROUND, "claims", "writing", "language", "results"),
    "explain": (*GROUND, "documents", "claims", "writing", "language", "results"),
    "handin": (*GROUND, "explain", "documents", "claims", "writing", "language", "results"),
    "checks": (*GROUND, "handin", "explain", "documents", "claims", "writing", "language", "results"),
    "page": (*GROUND, "explain", "documents", "claims", "writing", "language", "results"),
    "leftovers": (*GROUND, "unchanged", "documents", "results"),
    "outcomes": (*GROUND, "page", "leftovers", "checks", "handin", "documents", "running"),
    "documenting": (*GROUND, "outcomes", "page", "explain", "documents"),
    "build": (
        *GROUND,
        "documenting",
        "outcomes",
        "page",
        "leftovers",
        "checks",
        "handin",
        "explain",
        "documents",
        "claims",
        "running",
        "results",
    ),
    "watching": (
        *GROUND,
        "interruption",
        "build",
        "outcomes",
        "page",
        "checks",
        "handin",
        "explain",
        "writing",
        "language",
        "running",
        "results",
        "progress",
    ),
    "overview": (*GROUND, "outcomes", "running", "progress"),
    "options": ("errors", "project", "lock", "results"),
    "telling": (*GROUND, "unchanged", "outcomes", "progress", "handin", "explain"),
    "trials": ("errors", "running"),
    "inquiries": (*GROUND, "completing", "options", "trials", "running", "explain"),
    "new": GROUND,
    "manual": (*GROUND, "build", "handin", "claims", "language", "running", "results"),
    "doctor": (*GROUND, "documents"),
    "completing": (*GROUND, "options", "explain", "results"),
    "starting": (*GROUND, "options", "completing", "new", "manual", "doctor", "results"),
    "cli": (
        *GROUND,
        "interruption",
        "unchanged",
        "options",
        "telling",
        "completing",
        "inquiries",
        "starting",
        "overview",
        "watching",
        "build",
        "outcomes",
        "progress",
        "running",
        "checks",
        "handin",
        "explain",
        "results",
    ),
    "unchanged": (),
    "__main__": ("unchanged", "interruption", "cli"),
}
ROOMS_OF_TINYMLP = {
    "environment": (),
    "parallel": (),
    "scalar": (),
    "inference": (),
    "networks": ("parallel",),
    "studies": ("networks", "inference", "scalar", "parallel"),
    "figures": ("networks", "scalar"),
    "sweep": ("inference", "parallel", "environment"),
    "tracking": ("figures", "networks", "environment"),
}
ORDER = {"labreport": MAY_IMPORT, "tinymlp": ROOMS_OF_TINYMLP}

SUBJECTS = {"report_freshness", "rooms", "copies", "style", "oracle", "palette"}
SUBJECTS |= {"viewer", "explore", "live_page", "classes", "edited"}
"""What tests are named for that is not one module: the freshness of the report, all rooms, copies of the
sweep file in other texts, the style and the colours of figures, fingerprints against what really ran; the
page in a browser, its plots, and as `watch` serves it; reports in the LaTeX classes of others; what is edited
while a build runs."""

MOST_LINES = 500
USUAL_LINES = 400


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path, *, types: bool = True) -> tuple[tuple[str, str | None], ...]:
    """Return each module that a file imports anywhere, with the name taken from it.

    Without `types`, what only a type checker imports is left out.
    """

    def visit(node: ast.AST) -> Iterator[tuple[str, str | None]]:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING") and not types:
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}, line {node.lineno}: name the package instead of a dot"
            yield from ((str(node.module), alias.name) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    return tuple(visit(tree(path)))


def name_of(path: Path) -> str:
    """Return the dotted name of a module below src."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for package in ("labreport", "tinymlp") for path in FILES[package]}
ROOMS = {name for name, path in MODULES.items() if path.stem == "__init__" and "." in name}


def module_of(dotted: str, taken: str | None) -> str | None:
    """Return our module that an import executes last; None if it is not ours."""
    whole = f"{dotted}.{taken}"
    return whole if whole in MODULES else dotted if dotted in MODULES else None


def room_of(name: str) -> str:
    """Return the room of a module: the second part of its name."""
    return name.split(".")[1] if "." in name else ""


@cache
def public(room: str) -> set[str]:
    """Return what a room lists in its `__all__`."""
    for node in tree(MODULES[room]).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def top_level(path: Path, *, types: bool = True) -> set[str]:
    return {dotted.partition(".")[0] for dotted, _ in imports(path, types=types)}


class TestRooms:
    @pytest.mark.parametrize("package", FORBIDDEN)
    def test_packages_depend_on_each_other_in_one_direction(self, package):
        assert FILES[package]
        for path in FILES[package]:
            assert top_level(path) & FORBIDDEN[package] == set(), path.name

    @pytest.mark.parametrize("package", ["labreport", "tinymlp"])
    def test_each_room_is_known(self, package):
        assert {room_of(name) for name in MODULES if name.startswith(f"{package}.")} == set(ORDER[package])

    @pytest.mark.parametrize("name", sorted(MODULES))
    def test_a_room_imports_only_rooms_to_its_right(self, name):
        package, own = name.partition(".")[0], room_of(name)
        for dotted, taken in imports(MODULES[name]):
            target = module_of(dotted, taken)
            if target is not None and own:
                assert room_of(target) in (own, *ORDER[package][own], ""), f"{name} imports {target}"

    @pytest.mark.parametrize("path", EVERY, ids=lambda path: path.relative_to(ROOT).as_posix())
    def test_nothing_reaches_past_the_public_list_of_a_room(self, path):
        own = name_of(path) if path.is_relative_to(SRC) else ""
        for dotted, taken in imports(path):
            for room in ROOMS:
                if own == room or own.startswith(f"{room}."):
                    continue
                assert not dotted.startswith(f"{room}."), f"{dotted} lies behind {room}"
                if dotted == room and taken is not None:
                    assert taken in public(room), f"{room} does not list {taken}"

    @pytest.mark.parametrize("room", sorted(ROOMS))
    def test_a_room_lists_what_it_gives_and_all_of_that_is_used(self, room):
        given = public(room)
        assert given
        assert given <= {taken for _, taken in imports(MODULES[room])} | {"__getattr__"}

    def test_modules_import_each_other_without_circles(self):
        graph = {}
        for name, path in MODULES.items():
            found = {module_of(*found) for found in imports(path)} - {None, name}
            # a module that is in a room executes the room's own list only from outside
            graph[name] = {other for other in found if not name.startswith(f"{other}.")}
        assert sum(map(len, graph.values())) > len(graph)  # the imports were understood
        list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError where there is a circle


class TestSizes:
    @pytest.mark.parametrize("path", EVERY, ids=lambda path: path.relative_to(ROOT).as_posix())
    def test_a_module_can_be_read_in_one_go(self, path):
        limit = USUAL_LINES if "experiments" in path.parts else MOST_LINES
        assert path.read_text(encoding="utf-8").count("\n") <= limit

    def test_most_modules_are_under_400_lines(self):
        long = [path for path in EVERY if path.read_text(encoding="utf-8").count("\n") > USUAL_LINES]
        assert len(long) <= len(EVERY) / 10, [path.name for path in long]


@pytest.mark.parametrize("package", ["labreport", "tinymlp"])
def test_tests_mirror_the_packages(package):
    """Each test file lies where its module does, or is named for what a whole room does."""
    tests = ROOT / "tests" / package
    found = sorted(tests.glob("**/test_*.py"))
    assert found
    for path in found:
        folder, subject = path.parent.relative_to(tests), path.stem.removeprefix("test_")
        assert (SRC / package / folder).is_dir(), path
        assert (SRC / package / folder / f"{subject}.py").is_file() or subject in SUBJECTS, path


def test_one_room_imports_wandb():
    users = {name_of(path) for path in EVERY if path.is_relative_to(SRC) and "wandb" in top_level(path)}
    assert users
    assert {name.rpartition(".")[0] for name in users} == {"tinymlp.tracking"}
    assert not [path.name for path in EVERY if not path.is_relative_to(SRC) and "wandb" in top_level(path)]


def modules_after(code: str, *arguments: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after running some code."""
    code += "\nimport sys; print('loaded:', *{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT / "src", capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize(
    "module",
    ["labreport", "labreport.cli", "labreport.documents.report", "labreport.running"],
)
def test_importing_labreport_loads_no_heavy_library(module):
    loaded = modules_after(f"import {module}")
    assert "labreport" in loaded
    assert loaded & HEAVY == set()


def test_planning_a_project_loads_no_heavy_library(tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "report_templates").mkdir()
    (tmp_path / "report.toml").write_text('title = "T"\npreload = ["torch"]\n')
    (tmp_path / "experiments" / "one.py").write_text(
        '"""Torch?"""\n\nfrom dataclasses import dataclass\n\nimport numpy as np\nimport torch\n\n\n'
        "@dataclass(frozen=True)\nclass Params:\n    seed: int = 0\n\n\n"
        'def run(params, lab):\n    return {"x": float(torch.ones(1)) + np.ones(1)}\n'
    )
    code = (
        "import sys\nfrom labreport.cli import commands\n"
        "commands.main(['plan', '--project', sys.argv[1]], standalone_mode=False)"
    )
    loaded = modules_after(code, str(tmp_path))
    assert "labreport" in loaded
    assert loaded & HEAVY == set()


def test_explaining_a_value_loads_no_heavy_library(tmp_path):
    """What a build left is enough: no template is rendered, no result becomes a DataFrame."""
    import explained

    folder = explained.make(tmp_path / "p").root
    code = (
        "import sys\nfrom labreport.cli import commands\n"
        "commands.main(['explain', '0.516', '--project', sys.argv[1]], standalone_mode=False)"
    )
    loaded = modules_after(code, str(folder))
    assert "labreport" in loaded
    assert loaded & HEAVY == set()


def test_the_model_of_the_page_loads_no_heavy_library_once_code_is_coloured(tmp_path):
    import explained

    folder = explained.make(tmp_path / "p").root
    code = (
        "import sys\nfrom pathlib import Path\nfrom labreport import project\n"
        "from labreport.explain import record\nfrom labreport.page.model import model\n"
        "from labreport.page.texts import Texts\nmade = project.load(Path(sys.argv[1]))\n"
        "model(made, record.read(made), {}, Texts((), ()))"
    )
    modules_after(code, str(folder))
    loaded = modules_after(code, str(folder))
    assert "labreport" in loaded
    assert loaded & HEAVY == set()


def normalised(requirement: str) -> str:
    """Return the name of a distribution as the packaging standard compares names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]).lower()


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    direct = [*project["dependencies"], *(name for extra in extras for name in extra)]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.strip()]
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {normalised(name) for name in direct} <= {normalised(name) for name in pins}
    assert all(re.fullmatch(r"\d+(\.\d+)*([a-z]+\d*)?(\.post\d+)?", version) for version in pins.values())


@pytest.mark.parametrize(
    ("package", "extras"),
    [("labreport", ("cluster",)), ("tinymlp", ("report",)), ("experiments", ("report",))],
)
def test_every_library_that_is_imported_is_a_direct_dependency(package, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [*project["dependencies"], *(n for e in extras for n in project["optional-dependencies"][e])]
    used = set().union(*(top_level(path, types=False) for path in FILES[package]))
    used = {"pyyaml" if name == "yaml" else name for name in used}  # the one whose import has another name
    foreign = used - set(sys.stdlib_module_names) - {"labreport", "tinymlp"}
    assert foreign
    assert {normalised(name) for name in foreign} <= {normalised(name) for name in direct}


def test_labreport_needs_nothing_that_it_does_not_import():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    used = set().union(*(top_level(path, types=False) for path in FILES["labreport"]))
    needed = {normalised(name).replace("-", "_") for name in project["dependencies"]}
    assert needed - used == {"ipykernel"}  # notebooks are executed by it, in a process of its own
