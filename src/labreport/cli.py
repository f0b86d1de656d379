"""The commands: what a user types and reads."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from labreport import project as projects
from labreport import running
from labreport.documents import notebooks, report
from labreport.errors import BusyError, ExperimentError, LabreportError, ToolError, UsageError, raise_all
from labreport.progress import Progress, shown_seconds
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
  75   another build works in the same folder
  130  interrupted
"""

F = TypeVar("F", bound=Callable[..., Any])


def common(function: F) -> F:
    """Give a command the options that all commands have; they may also stand before the command's name."""
    options = (
        click.option(
            "--project",
            "folder",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="The folder with report.toml.  [default: the folder of build_report.py]",
        ),
        click.option(
            "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes at once.  [default: all cores]"
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


@click.group(
    invoke_without_command=True, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@common
@click.pass_context
def commands(context: click.Context, /, **options: Any) -> None:
    """Make the report: run what is out of date, compile the PDF, execute the notebooks, pack, check."""
    context.obj = options
    if context.invoked_subcommand is None:
        with building(_project(context)) as project:
            make_all(project, _jobs(context))


@commands.command("all", epilog=EPILOG)
@common
@click.pass_context
def everything(context: click.Context, /, **_: Any) -> None:
    """Make the report; what `build_report.py` does without a command."""
    with building(_project(context)) as project:
        make_all(project, _jobs(context))


@commands.command(epilog=EPILOG)
@common
@click.pass_context
def plan(context: click.Context, /, **_: Any) -> None:
    """Show what would run, and why, and how long it took last time; run nothing."""
    project = _project(context)
    steps = running.plan(project)
    lines = [(s.experiment, s.state, "; ".join(s.reasons), shown_seconds(s.last_seconds)) for s in steps]
    stale = [s.experiment for s in steps if s.state != "fresh"]
    made = {project.shown(project.pdf): report.is_current(project)}
    made |= {f"notebook {name}": why for name, why in notebooks.is_current(project).items()}
    for what, reasons in made.items():
        state = ("after" if stale else "stale") if reasons or stale else "fresh"
        why = f"after {', '.join(stale)}" if stale else "; ".join(reasons[:3])
        lines.append((what, state, why, ""))
    _print_table(("what", "state", "why", "last time"), lines)


@commands.command(epilog=EPILOG)
@common
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--force", is_flag=True, help="Run them even if they are up to date.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME.KEY=VALUE",
    help="Set a parameter of an experiment for this run, such as depth_width.repeats=50.",
)
@click.pass_context
def run(
    context: click.Context, /, names: tuple[str, ...], force: bool, settings: tuple[str, ...], **_: Any
) -> None:
    """Run experiments only: those named, with what they need, or all that are out of date."""
    with building(_project(context)) as project:
        chosen = parse_settings(settings)
        start = time.monotonic()
        outcome = run_experiments(project, _jobs(context), list(names) or None, force=force, settings=chosen)
        ran = ", ".join(outcome.ran) or "nothing was out of date"
        click.echo(f"results are in {project.shown(project.results)}: {ran} ({_since(start)})")


@commands.command(epilog=EPILOG)
@common
@click.pass_context
def pdf(context: click.Context, /, **_: Any) -> None:
    """Render and compile the report from the results as they are; refuse if one is out of date."""
    with building(_project(context)) as project:
        start = time.monotonic()
        stale = [step for step in running.plan(project) if step.state != "fresh"]
        raise_all(
            [
                ExperimentError(
                    f"the result of {step.experiment!r} is out of date: {'; '.join(step.reasons)}",
                    cure=f"run `python build_report.py`, or only `… run {step.experiment}`",
                )
                for step in stale
            ]
        )
        make_pdf(project, start, "results are up to date")


@commands.command(epilog=EPILOG)
@common
@click.option("--strict", is_flag=True, help="Warnings are failures, as for the final hand-in.")
@click.pass_context
def check(context: click.Context, /, strict: bool, **_: Any) -> None:
    """Check the report and its hand-in against the rules of the assignment."""
    from labreport.checks import checks

    verdicts = checks.check(_project(context))
    click.echo(checks.text(verdicts))
    if not checks.passes(verdicts, strict=strict):
        sys.exit(7)


@commands.command(epilog=EPILOG)
@common
@click.option("--no-train", is_flag=True, help="Start from the packed results instead of computing them.")
@click.pass_context
def verify(context: click.Context, /, no_train: bool, **_: Any) -> None:
    """Rebuild all from the unpacked hand-in, in an empty folder, and compare with what is handed in."""
    from labreport.handin import verify as verification

    with building(_project(context)) as project, Progress() as progress:
        found = verification.verify(
            project, train=not no_train, jobs=_jobs(context), progress=lambda line: progress.say(f"  {line}")
        )
        progress.say(f"{found}\nverified in {shown_seconds(found.seconds)}")


# -------------------------------------------------------------------------------------------------- the work


def make_all(project: Project, jobs: int) -> None:
    """Make all that is out of date: results, the report, the notebooks, the hand-in; check that."""
    start = time.monotonic()
    steps = running.plan(project)
    if all(step.state == "fresh" for step in steps):
        ran = f"{len(steps)} experiments up to date"
    else:
        began = time.monotonic()
        outcome = run_experiments(project, jobs)
        ran = f"{len(outcome.ran)} of {len(steps)} experiments ran in {_since(began)}"
    make_pdf(project, start, ran)
    make_notebooks(project, jobs)
    if not project.quick:
        hand_in(project)


def run_experiments(
    project: Project,
    jobs: int,
    names: list[str] | None = None,
    *,
    force: bool = False,
    settings: dict[str, dict[str, str]] | None = None,
) -> running.Outcome:
    """Run experiments with live progress; raise ExperimentError for those that failed."""
    with Progress() as progress:
        outcome = running.execute(
            project, names, jobs=jobs, force=force, settings=settings or {}, events=progress.show
        )
    raise_all(outcome.errors)
    return outcome


def make_pdf(project: Project, start: float, ran: str) -> None:
    """Make the report if it is out of date; close with one line: what, where, how long each step took."""
    target = project.shown(project.pdf)
    if not report.is_current(project):
        click.echo(f"{target} is up to date; {ran} ({_since(start)})")
        return
    with Progress() as progress:
        progress.say("rendering the templates and compiling the PDF …")
        made = report.make(project)
    for notice in made.notices:
        click.echo(f"notice: {notice}", err=True)
    steps = (
        f"{ran}, rendered in {shown_seconds(made.render_seconds)}, LaTeX {shown_seconds(made.latex_seconds)}"
    )
    click.echo(f"{target}: {made.pages} pages, {made.values} values traced; {steps}; {_since(start)} in all")


def make_notebooks(project: Project, jobs: int) -> None:
    """Make the notebooks that are out of date; one line says how each was found."""
    with Progress() as progress:
        woven = notebooks.weave(project, jobs=jobs, events=progress.show)
    if woven:
        fresh = [notebook.name for notebook in woven if notebook.seconds is None]
        ran = [f"{n.name} executed in {shown_seconds(n.seconds)}" for n in woven if n.seconds is not None]
        said = [*ran, *([f"up to date: {', '.join(fresh)}"] if fresh else [])]
        click.echo(f"{project.shown(project.notebooks)}: {'; '.join(said)}")


def hand_in(project: Project) -> None:
    """Pack the hand-in if it is out of date, and say which rules it breaks."""
    from labreport.handin import bundle

    shown = project.shown(project.submission)
    if not bundle.is_current(project):
        click.echo(f"{shown} is up to date; `python build_report.py check` checks it")
        return
    packed = bundle.pack(project)
    for notice in packed.notices:
        click.echo(f"notice: {notice}", err=True)
    click.echo(f"{shown}: {packed.report.name}, and {packed.code.name} with {len(packed.files)} files")
    from labreport.checks import checks

    verdicts = checks.check(project)
    broken = [verdict for verdict in verdicts if verdict.passed != "passed"]
    for verdict in broken:
        click.echo(f"{verdict.passed}: {verdict.name}: {verdict.rule}", err=True)
    passed = f"{len(verdicts) - len(broken)} of {len(verdicts)} checks passed"
    click.echo(passed + ("; `python build_report.py check` says where and the cure" if broken else ""))


def parse_settings(settings: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return `NAME.KEY=VALUE` texts as a table by experiment and key.

    Raises UsageError if one has another form.
    """
    chosen: dict[str, dict[str, str]] = {}
    for text in settings:
        target, equals, value = text.partition("=")
        name, dot, key = target.strip().partition(".")
        if not (equals and dot and name and key):
            raise UsageError(
                f"--set {text!r} is not of the form NAME.KEY=VALUE", cure="--set depth_width.repeats=50"
            )
        chosen.setdefault(name, {})[key] = value.strip()
    return chosen


@contextmanager
def building(project: Project) -> Iterator[Project]:
    """Hold the lock of the project's build folder; a second build is told at once.

    Raises BusyError if another process holds it. The lock goes with the process, however that ends.
    """
    project.build.mkdir(parents=True, exist_ok=True)
    with project.lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "another process"
            raise BusyError(
                f"another build works in {project.shown(project.build)} ({owner})",
                cure="wait until it has ended, or end it",
            ) from None
        _write_owner(file)
        yield project


def _write_owner(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()}")
    file.flush()


# --------------------------------------------------------------------------------------------------- options


def _option(context: click.Context, name: str) -> Any:
    """Return an option given after the command's name, else before it, else None."""
    own = context.params.get(name)
    return own if own is not None else (context.obj or {}).get(name)


def _project(context: click.Context) -> Project:
    folder = _option(context, "folder") or Path(__file__).resolve().parents[2]
    return projects.load(folder, quick=bool(_option(context, "quick")))


def _jobs(context: click.Context) -> int:
    return _option(context, "jobs") or len(os.sched_getaffinity(0))


def _since(start: float) -> str:
    return shown_seconds(time.monotonic() - start)


def _print_table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> None:
    """Print lines in columns; the widths follow the texts."""
    rows = [head, *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def main() -> None:
    """Run the command line; a user's mistake ends with one message and its exit code."""
    try:
        commands.main(standalone_mode=False)
    except LabreportError as error:
        _fail(error)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; finished results are kept, the report is as it was", err=True)
        sys.exit(130)
    except ModuleNotFoundError as error:
        _fail(
            ToolError(
                f"the Python package {error.name!r} is missing in {sys.executable}",
                cure="run `make report`, which installs what is needed, or install the package",
            )
        )
    except OSError as error:
        if error.errno is None or error.filename is None:
            raise
        _fail(
            LabreportError(
                f"{error.strerror}: {error.filename}", cure="make it readable and writable, free space"
            )
        )


def _fail(error: LabreportError) -> None:
    for number, line in enumerate(error.lines()):
        click.echo(f"error: {line}" if number == 0 or not line.startswith(" ") else line, err=True)
    sys.exit(error.exit_code)
