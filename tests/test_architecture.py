"""Dependencies between modules go one way, heavy libraries wait until they are used, versions are pinned."""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "numpy", "scipy", "pandas", "matplotlib", "jinja2", "wandb"}
FORBIDDEN = {
    "labreport": {"tinymlp", "experiments", "torch", "wandb"},
    "tinymlp": {"labreport", "experiments"},
    "experiments": {"experiments"},
    "": {"tinymlp", "experiments", *HEAVY},
}
FILES = {
    "labreport": sorted(ROOT.glob("src/labreport/**/*.py")),
    "tinymlp": sorted(ROOT.glob("src/tinymlp/**/*.py")),
    "experiments": sorted(ROOT.glob("experiments/**/*.py")),
    "": [ROOT / "build_report.py"],
}


def imported(path: Path, *, types: bool) -> set[str]:
    """Return the modules that a file imports anywhere; `types`: also those for annotations only."""

    def visit(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING") and not types:
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}, line {node.lineno}: name the package instead of a dot"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    return set(visit(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_depend_on_each_other_in_one_direction(package):
    assert FILES[package]
    for path in FILES[package]:
        used = {name.partition(".")[0] for name in imported(path, types=True)}
        assert used & FORBIDDEN[package] == set(), path.name


def test_two_modules_import_wandb():
    users = [
        path.relative_to(ROOT).as_posix()
        for paths in FILES.values()
        for path in paths
        if "wandb" in {name.partition(".")[0] for name in imported(path, types=True)}
    ]
    assert users == ["src/tinymlp/tracking/client.py", "src/tinymlp/tracking/tracker.py"]


@pytest.mark.parametrize("package", ["labreport", "tinymlp"])
def test_modules_of_a_package_import_each_other_in_one_direction(package):
    sources = ROOT / "src"
    named = {".".join(path.relative_to(sources).with_suffix("").parts): path for path in FILES[package]}
    modules = {name: path for name, path in named.items() if path.stem != "__init__"}
    graph = {name: imported(path, types=False) & modules.keys() for name, path in modules.items()}
    assert sum(map(len, graph.values())) > len(graph) / 3  # the imports were understood
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError where there is a cycle
    assert set(order) == set(modules)


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
    ("package", "extras"), [("labreport", ()), ("tinymlp", ("report",)), ("experiments", ("report",))]
)
def test_every_library_that_is_imported_is_a_direct_dependency(package, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [*project["dependencies"], *(n for e in extras for n in project["optional-dependencies"][e])]
    used = {name.partition(".")[0] for path in FILES[package] for name in imported(path, types=False)}
    used = {"pyyaml" if name == "yaml" else name for name in used}  # the one whose import has another name
    foreign = used - set(sys.stdlib_module_names) - {"labreport", "tinymlp"}
    assert foreign
    assert {normalised(name) for name in foreign} <= {normalised(name) for name in direct}


def test_labreport_needs_nothing_that_it_does_not_import():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    used = {name.partition(".")[0] for path in FILES["labreport"] for name in imported(path, types=False)}
    needed = {normalised(name).replace("-", "_") for name in project["dependencies"]}
    assert needed - used == {"ipykernel"}  # notebooks are executed by it, in a process of its own
