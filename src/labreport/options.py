"""Options that all commands share, and what they choose: the project, the number of processes."""

from __future__ import annotations

import itertools
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from labreport import lock
from labreport import project as projects
from labreport.errors import BusyError, UsageError
from labreport.project import Project

EPILOG = """\b
Exit codes:
  0    everything is made and up to date
  1    labreport itself failed: please report it
  2    the command line is wrong
  3    a file of the project is wrong: report.toml, a template, a result
  4    an experiment failed, or results are missing or out of date
  5    LaTeX or BibTeX failed
  6    a program or a Python package is missing
  7    the hand-in cannot be packed, or breaks a rule
  8    the hand-in does not rebuild to what it says
  74   a file cannot be read or written: the disk is full or fails, or is read-only
  75   another build works in the same folder
  129  ended by SIGHUP: the terminal was closed
  130  interrupted by Ctrl-C
  131  ended by SIGQUIT
  143  ended by SIGTERM
"""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Started:
    """How the user started this program: what they typed, and the project where none is found."""

    program: str = projects.PROGRAM
    otherwise: Path | None = None


def computing(function: F) -> F:
    """Give a command the option that all commands have that may run experiments."""
    option = click.option(
        "--cluster",
        metavar="ADDRESS",
        help="A Dask scheduler, as tcp://HOST:8786, whose workers compute the items of each lab.map.",
    )
    return option(function)


def building(function: F) -> F:
    """Give a command the option of a build that looks whether there is anything to do."""
    option = click.option(
        "--rehash", is_flag=True, default=None, help="Read all files again, whatever their times say."
    )
    return option(function)


def waiting(function: F) -> F:
    """Give a command that needs the build folder for itself the option to wait for another build there.

    It begins again after that, with the project as it is then.
    """

    @wraps(function)
    def in_turn(*args: Any, **params: Any) -> Any:
        while True:
            try:
                return function(*args, **params)
            except BusyError as error:
                if not option_of(click.get_current_context(), "wait"):
                    raise
                click.echo(f"{error.what}; waiting until it has ended (Ctrl-C ends the wait)", err=True)
                lock.wait(error.lock)

    option = click.option(
        "--wait", is_flag=True, default=None, help="Wait until another build in the folder has ended."
    )
    return cast("F", option(in_turn))


def common(function: F) -> F:
    """Give a command the options that all commands have; they may also stand before the command's name."""
    options = (
        click.option(
            "--project",
            "folder",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="The folder with report.toml.  [default: the nearest one, from here upwards]",
        ),
        click.option(
            "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes at once.  [default: all cores]"
        ),
        click.option(
            "--build-dir",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="The folder for all that is written, outside of the project.  [default: its build/]",
        ),
        click.option(
            "--quick/--full",
            default=None,
            help="Short trial runs with each experiment's QUICK parameters, all below build/quick.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def option_of(context: click.Context, name: str) -> Any:
    """Return an option given after the command's name, else before it, else None."""
    own = context.params.get(name)
    return own if own is not None or context.parent is None else context.parent.params.get(name)


def project_of(context: click.Context) -> Project:
    """Return the project that the options name, else the one around the current folder."""
    started = context.find_object(Started) or Started()
    folder = option_of(context, "folder")
    quick, rehash = (bool(option_of(context, name)) for name in ("quick", "rehash"))
    program, build_dir = started.program, option_of(context, "build_dir")
    if folder is not None:
        return projects.load(folder, quick=quick, program=program, rehash=rehash, build_dir=build_dir)
    return projects.find(
        quick=quick, program=program, rehash=rehash, build_dir=build_dir, otherwise=started.otherwise
    )


def jobs_of(context: click.Context) -> int:
    """Return the number of processes that the options name, else that of the cores."""
    return option_of(context, "jobs") or len(os.sched_getaffinity(0))


def settings_of(
    project: Project, settings: Sequence[str], names: Sequence[str] = ()
) -> list[dict[str, dict[str, str]]]:
    """Return what `--set` asks for: each combination of the values, as a table by experiment and key.

    A setting is `NAME.KEY=VALUE`, or `KEY=VALUE` where one of the named experiments, or of all, has that
    parameter. Several values of a key stand between commas, or in settings of their own.

    Raises UsageError, SeveralErrors if one has another form, or a value is wrong.
    """
    from labreport.results import Sources, choices, with_settings

    if not settings:
        return [{}]
    sources = Sources(project)
    declared = {name: sources.declaration(name) for name in project.experiment_names()}
    values: dict[tuple[str, str], list[str]] = {}
    for text in settings:
        target, equals, value = text.partition("=")
        name, dot, key = target.strip().rpartition(".")
        owners = [other for other in names or declared if other in declared and key in declared[other].params]
        if not dot and len(owners) == 1:
            name = owners[0]
        if not (equals and name and key):
            raise UsageError(
                f"--set {text!r} does not have the form NAME.KEY=VALUE",
                cure=_example(project, target.strip(), value),
            )
        found = choices(declared[name], key, value.strip()) if name in declared else [value.strip()]
        values.setdefault((name, key), []).extend(found)
    combinations = []
    for chosen in itertools.product(*(dict.fromkeys(each) for each in values.values())):
        combination: dict[str, dict[str, str]] = {}
        for (name, key), value in zip(values, chosen, strict=True):
            combination.setdefault(name, {})[key] = value
        combinations.append(combination)
    if len(combinations) > 1:  # before the first of them runs
        for name, keys in ((name, c[name]) for c in combinations for name in c if name in declared):
            with_settings(declared[name], keys)
    return combinations


def _example(project: Project, target: str, value: str) -> str:
    """Return the cure: the setting that was meant, else one of an experiment of this project."""
    from labreport.results import Sources

    sources = Sources(project)
    params = {name: sources.declaration(name).params for name in project.experiment_names()}
    of_this_name = [name for name in params if target in params[name]]
    if of_this_name and value:
        meant = (shlex.join(["--set", f"{name}.{target}={value}"]) for name in of_this_name)
        return f"write {' or '.join(meant)}"
    for name in params:
        for key, parameter in params[name].items():
            if isinstance(parameter.default, int | float | str):
                return f"write for example {shlex.join(['--set', f'{name}.{key}={parameter.default}'])}"
    return "write --set NAME.KEY=VALUE"
