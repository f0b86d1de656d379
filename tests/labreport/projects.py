"""Small projects for tests: a folder with experiments, made in a moment."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import shutil
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labreport import project as projects
from labreport import running
from labreport.project import Project

KEPT = Path()
"""The folder in which all workers of these tests keep what is made once; a fixture sets it."""

PARAMS = """
@dataclass(frozen=True)
class Params:
    seed: int = 0
"""


def experiment(
    body: str, params: str = PARAMS, needs: tuple[str, ...] = (), reads: tuple[str, ...] = ()
) -> str:
    """Return an experiment's source: `body` holds `run`, and `draw` if there is one."""
    head = '"""What comes out?"""\n\nfrom dataclasses import dataclass\n\n'
    head += f"NEEDS = {needs!r}\n" + (f"READS = {reads!r}\n" if reads else "")
    return f"{head}{textwrap.dedent(params)}\n\n{textwrap.dedent(body).strip()}\n"


def returning(expression: str, **kwargs: Any) -> str:
    """Return the source of an experiment whose `run` returns an expression."""
    return experiment(f"def run(params, lab):\n    return {expression}\n", **kwargs)


def make(
    folder: Path,
    experiments: Mapping[str, str],
    *,
    src: Mapping[str, str] | None = None,
    toml: str = "",
    quick: bool = False,
) -> Project:
    """Return a project with these experiments and modules, by name; `toml` stands in report.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.toml").write_text(f'title = "T"\n{toml}')
    for name, text in experiments.items():
        write(folder / "experiments" / f"{name}.py", text)
    for name, text in (src or {}).items():
        write(folder / "src" / name, textwrap.dedent(text))
    return projects.load(folder, quick=quick)


def once(make: Callable[..., Project]) -> Callable[..., Project]:
    """Let a function that makes a project in a folder do so once for the same arguments, and copy it there.

    What ran takes a second, a copy of it none; both are the same, since no file of a build tells its folder.
    """

    @functools.wraps(make)
    def copied(folder: Path, *args: Any, **kwargs: Any) -> Project:
        key = repr((make.__module__, make.__qualname__, args, sorted(kwargs.items())))
        kept = once_for_all_workers(key, lambda there: make(there, *args, **kwargs))
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        return projects.load(folder, quick=kwargs.get("quick", False))

    return copied


def once_for_all_workers(key: str, make: Callable[[Path], object]) -> Path:
    """Return the folder that `make` has filled, in this process or another of the same tests."""
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    folder = KEPT / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = folder.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            make(making)
            making.rename(folder)
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that stands once in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(project: Project, names: list[str] | None = None, **kwargs: Any) -> running.Outcome:
    """Run what is out of date; any failure is an error of the test."""
    outcome = running.execute(project, names, **kwargs)
    assert outcome.errors == ()
    return outcome


def states(project: Project, **kwargs: Any) -> dict[str, str]:
    """Return the state of each experiment, with the phase where it is not fresh."""
    return {
        step.experiment: step.state if step.state == "fresh" else f"{step.state} {step.phase}"
        for step in running.plan(project, **kwargs)
    }


def reasons(project: Project, name: str) -> tuple[str, ...]:
    return next(step.reasons for step in running.plan(project) if step.experiment == name)
