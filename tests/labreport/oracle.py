"""What really ran, measured by coverage; and what a change of it does to a fingerprint."""

from __future__ import annotations

import ast
import json
import keyword
import os
import random
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import projects

from labreport.project import Project
from labreport.results import Sources

_ZOO = Path(__file__).parent / "zoo"
_STARTS = '''"""Imported by each Python process as it starts, to measure which lines of a project it runs."""

import atexit
import json
import os
import sys

import coverage

root, folder = os.environ["MEASURED_ROOT"], os.environ["MEASURED_IN"]
measure = coverage.Coverage(
    data_file=None, config_file=False, include=[f"{root}/src/*", f"{root}/experiments/*"], messages=False
)
measure.set_option("run:disable_warnings", ["no-data-collected", "module-not-measured"])
end = os._exit


def keep():
    data = measure.get_data()
    lines = {file: sorted(data.lines(file)) for file in data.measured_files()}
    loaded = [name.partition(".")[2] for name in list(sys.modules) if name.startswith("experiments.")]
    with open(f"{folder}/{os.getpid()}.json", "w") as file:
        json.dump({"experiments": loaded, "lines": lines}, file)


def keep_and_end(code):
    keep()
    end(code)


measure.start()
atexit.register(keep)
os._exit = keep_and_end  # forked processes end by it
'''


_OPERATORS = {"+": "-", "-": "+", "*": "+", "/": "*", "**": "*", "<": "<=", ">": ">=", "==": "!=", "@": "*"}

_COMPUTED = re.compile(
    r"attr\b|globals|locals|vars|dir\b|exec|eval|__|sys|inspect|importlib|pkgutil|pickle|timeit|unittest|config"
)


@dataclass(frozen=True)
class Function:
    """A function of a project's file: where its name stands, and its dotted name."""

    path: Path
    line: int
    name: str


def cases() -> dict[str, dict[str, str]]:
    """Return the modules of each case of the zoo by their files; the experiment is "run.py"."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(_ZOO.glob("*.txt")):
        for case in path.read_text(encoding="utf-8").split("\n=== ")[1:]:
            title, _, text = case.partition("\n")
            name = re.sub(r"\W+", "_", title.strip()).strip("_").lower()
            assert name not in found, title
            first, *others = text.split("\n--- ")
            files = dict(part.partition("\n")[::2] for part in others)
            found[name] = {
                file: f"{ast.unparse(ast.parse(code.replace('ZOO', name)))}\n"  # one statement, one line
                for file, code in {"run.py": first, **files}.items()
            }
    return found


def zoo(folder: Path) -> Project:
    """Return a project with an experiment for each case of the zoo, and a package of the same name."""
    found = cases()
    experiments = {name: projects.experiment(files["run.py"]) for name, files in found.items()}
    src = {
        f"{name}/{file}": code
        for name, files in found.items()
        for file, code in files.items()
        if file != "run.py"
    }
    return projects.make(folder, experiments, src=src)


def environment(root: Path, folder: Path, *path: Path) -> dict[str, str]:
    """Return the environment in which each process of a project's build writes down what it runs.

    It is written to files in a folder; `path` are folders from which to import besides.
    """
    starts = folder / "starts"
    starts.mkdir(parents=True, exist_ok=True)
    (starts / "sitecustomize.py").write_text(_STARTS, encoding="utf-8")
    where = {"MEASURED_ROOT": str(root), "MEASURED_IN": str(folder)}
    return {**os.environ, **where, "PYTHONPATH": os.pathsep.join(map(str, (starts, *path)))}


def functions(path: Path) -> list[tuple[Function, ast.AST]]:
    """Return the functions of a file, inner ones included."""
    return _functions(path, path.read_text(encoding="utf-8"))


@cache
def _functions(path: Path, text: str) -> list[tuple[Function, ast.AST]]:

    def visit(node: ast.AST, name: str) -> Iterator[tuple[Function, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            below = f"{name}.{child.name}" if hasattr(child, "name") and isinstance(child, ast.stmt) else name
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(path, child.lineno, below[1:]), child
            yield from visit(child, below)

    return list(visit(ast.parse(text), ""))


@cache
def ran(folder: Path) -> dict[tuple[str, str], set[Function]]:
    """Return the functions that were run by each experiment and phase."""
    lines: dict[tuple[str, str], dict[Path, set[int]]] = defaultdict(lambda: defaultdict(set))
    for path in folder.glob("*.json"):
        measured = json.loads(path.read_text(encoding="utf-8"))
        for name in measured["experiments"]:
            found = {Path(file): set(numbers) for file, numbers in measured["lines"].items()}
            own = next(file for file in found if file.parts[-2:] == ("experiments", f"{name}.py"))
            drawn = any(f.name == "draw" and _body(node) & found[own] for f, node in functions(own))
            for file, numbers in found.items():
                lines[name, "draw" if drawn else "run"][file] |= numbers
    return {
        key: {f for file, numbers in files.items() for f, node in functions(file) if _body(node) & numbers}
        for key, files in lines.items()
    }


def _body(node: ast.AST) -> set[int]:
    """Return the lines that are run only if the function is: those of its body, but not of its head."""
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    first, last = node.body[0], node.body[-1]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1:
        first = node.body[1]  # coverage may count a docstring's line where the function is made
    return set(range(first.lineno, (last.end_lineno or last.lineno) + 1)) - {node.lineno}


_known: dict[str, object] = {}
"""What was learned of any text in this process: as in the file of the cache, but neither written nor read."""


def parts(project: Project, name: str, phase: str) -> Mapping[str, str]:
    """Return the code that counts for a phase, by label."""
    sources = Sources(project)
    sources._cache._old = _known
    code = sources.fingerprint(name, phase, {}, {}).named("code")
    _known.update(sources._cache._used)
    return code


def edits_not_seen(project: Project, found: Mapping[tuple[str, str], set[Function]], count: int) -> list[str]:
    """Return which of some edits of one token each, in functions that ran, leave the fingerprint as it is."""
    functions_that_ran = [(key, f) for key in sorted(found) for f in sorted(found[key], key=str)]
    out = []
    for key, function in random.Random(12).choices(functions_that_ran, k=count):
        what, text = token_edit(function)
        if not what:  # a body that only passes its arguments on
            continue
        before = parts(project, *key)
        with changed(function.path, text):
            out += [what] if parts(project, *key) == before else []
    return out


def harmless_edits_seen(
    project: Project, found: Mapping[tuple[str, str], set[Function]], count: int
) -> list[str]:
    """Return which of some edits of what no run reaches change a fingerprint."""
    places = []
    for key in sorted(found):
        paths = sorted({function.path for function in found[key]})
        with_new = not any(map(computes_names, paths))
        places += [(key, path, with_new) for path in paths]
    out = []
    chance = random.Random(12)
    for number, (key, path, with_new) in enumerate(chance.choices(places, k=count)):
        what, text = chance.choice([*harmless_edits(path, number, with_new=with_new).items()])
        before = parts(project, *key)
        with changed(path, text):
            out += [] if parts(project, *key) == before else [f"{what} in {path}, for {key}"]
    return out


def computes_names(path: Path) -> bool:
    """Return whether a file may reach things by names that are computed."""
    return _COMPUTED.search(path.read_text(encoding="utf-8")) is not None


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """Let a file have another text for a while."""
    before = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def edited(function: Function) -> str:
    """Return the text of a function's file with a statement more at the beginning of that function."""
    tree = ast.parse(function.path.read_text(encoding="utf-8"))
    (node,) = (
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.lineno == function.line
    )
    node.body.insert(0, ast.parse("0 + 1").body[0])
    return f"{ast.unparse(tree)}\n"


def missed(project: Project, found: Mapping[tuple[str, str], set[Function]]) -> list[str]:
    """Return the functions that ran though a change of them would leave a fingerprint as it is."""
    before = {key: parts(project, *key) for key in found}
    by_function: dict[Function, list[tuple[str, str]]] = defaultdict(list)
    for key, several in found.items():
        for function in several:
            by_function[function].append(key)
    out = []
    for function, keys in by_function.items():
        with changed(function.path, edited(function)):
            out += [
                f"{name} {phase}: {function.name} of {function.path.name}"
                for name, phase in keys
                if parts(project, name, phase) == before[name, phase]
            ]
    return sorted(out)


def unnamed(code: Mapping[str, str], root: Path, found: Iterable[Function]) -> set[Function]:
    """Return those of some functions that no part of the code is named for: they are part of another, if any.

    The others need no closer look: see `missed`.
    """
    out = set()
    for function in found:
        file, steps = function.path.relative_to(root).as_posix(), function.name.split(".")
        outer = {f.name for f, _ in functions(function.path)}
        name = steps[0] if steps[0] in outer else ".".join(steps[:2])  # what is in a function, or a method
        special = len(steps) == 2 and re.fullmatch("__.+__", steps[1])  # it counts with its class
        if f"{file}:{steps[0] if special else name}" not in code:
            out.add(function)
    return out


def token_edit(function: Function) -> tuple[str, str]:
    """Return what one token of a function's body can be changed to: the edit in words, and the file's text.

    It is no token of a docstring; what comes out is valid Python and never run. Without any, texts are empty.
    """
    text = function.path.read_text(encoding="utf-8")
    (node,) = (n for f, n in functions(function.path) if f == function)
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    lines = {n for statement in body for n in range(statement.lineno, (statement.end_lineno or 0) + 1)}
    rows = text.splitlines(keepends=True)
    tokens = [
        token
        for token in tokenize.generate_tokens(iter(rows).__next__)
        if token.start[0] in lines and token.start[0] == token.end[0]
    ]
    random.Random(str(function.name)).shuffle(tokens)
    for token in tokens:
        other = _other(token)
        if other is None:
            continue
        row, (start, end) = token.start[0] - 1, (token.start[1], token.end[1])
        new = [*rows[:row], rows[row][:start] + other + rows[row][end:], *rows[row + 1 :]]
        with suppress(SyntaxError):
            tree = ast.parse("".join(new))
            assert ast.dump(tree) != ast.dump(ast.parse(text))
            what = f"{token.string} to {other} in line {row + 1} of {function.path.name} ({function.name})"
            return what, "".join(new)
    return "", ""


def _other(token: tokenize.TokenInfo) -> str | None:
    if token.type == tokenize.NUMBER:
        return f"({token.string} + 1)"
    if token.type == tokenize.STRING and token.string[0] in "'\"" and len(token.string) > 2:
        return f"{token.string[:-1]}x{token.string[-1]}"
    if token.type == tokenize.OP:
        return _OPERATORS.get(token.string)
    if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
        return f"{token.string}_x"
    return None


def harmless_edits(path: Path, number: int, *, with_new: bool = True) -> dict[str, str]:
    """Return texts that a file can have instead, which change nothing that any run can reach, by kind.

    Definitions are added only `with_new`: where names are computed, modules count whole, which is a rule.
    """
    text = path.read_text(encoding="utf-8")
    rows = text.splitlines(keepends=True)
    tree = ast.parse(text)
    starts = [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
    places = [n for n in starts if rows[n.lineno - 1][: n.col_offset].isspace() or not n.col_offset]
    place = places[number % len(places)]
    row = min([place.lineno, *(d.lineno for d in getattr(place, "decorator_list", ()))]) - 1
    indent = " " * place.col_offset
    out = {
        "comment": "".join([*rows[:row], f"{indent}# number {number}\n", *rows[row:]]),
        "blank lines": "".join([*rows[:row], "\n\n", *rows[row:]]),
        "layout": f"{ast.unparse(tree)}\n",
    }
    defined = [n for n in starts if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    if defined:
        node = defined[number % len(defined)]
        node.body.insert(0, ast.Expr(ast.Constant(f"Return number {number}.")))
        out["docstring"] = f"{ast.unparse(tree)}\n"
    if with_new:
        out["unused function"] = f"{text}\n\ndef never_used_{number}(x):\n    return x + {number}\n"
        out["unused class"] = f"{text}\n\nclass NeverUsed{number}:\n    def f_{number}(self):\n        pass\n"
    return out
