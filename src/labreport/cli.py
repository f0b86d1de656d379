"""The command line: commands, words and exit codes; `build` does the work; see `inquiries`, `starting`."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labreport import (
    __version__,
    build,
    completing,
    inquiries,
    interruption,
    outcomes,
    overview,
    starting,
    unchanged,
)
from labreport import project as projects
from labreport.errors import (
    BusyError,
    DiskError,
    LabreportError,
    ToolError,
    UsageError,
    did_you_mean,
    is_of_disk,
    of_disk,
    raise_all,
)
from labreport.options import (
    EPILOG,
    Started,
    building,
    common,
    computing,
    jobs_of,
    option_of,
    project_of,
    settings_of,
    waiting,
)
from labreport.progress import Progress, shown_bytes, shown_seconds
from labreport.project import CHECKOUT, Project
from labreport.telling import Lines

if TYPE_CHECKING:
    from labreport.running import Step


@click.group(
    invoke_without_command=True, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="labreport %(version)s")
@common
@computing
@building
@waiting
@click.pass_context
def commands(context: click.Context, /, **_: Any) -> None:
    """Make the report: run what is out of date, compile the PDF, execute the notebooks, pack, check."""
    if context.invoked_subcommand is None:
        _make_all(context)


@commands.command("all", epilog=EPILOG)
@common
@computing
@building
@waiting
@click.pass_context
def everything(context: click.Context, /, **_: Any) -> None:
    """Make the report, as without a command."""
    _make_all(context)


def _make_all(context: click.Context) -> None:
    project = project_of(context)
    with Progress() as progress:
        lines = Lines(project, progress)
        built = build.make_all(
            project, jobs=jobs_of(context), events=lines.show, cluster=option_of(context, "cluster")
        )
    if built.is_nothing and (record := unchanged.record(str(project.build), lines.said)):
        _keep(project, record)


def _keep(project: Project, record: tuple[str, bytes]) -> None:
    """Keep the record of a build that made nothing."""
    from labreport.results import files

    # where nothing can be written, or the next build has begun, that one takes a little longer
    with contextlib.suppress(DiskError, BusyError), build.building(project):
        files.write(Path(record[0]), record[1])


@commands.command(epilog=EPILOG)
@common
@computing
@click.option(
    "--port",
    type=click.IntRange(1024, 65535),
    metavar="N",
    help="The port of this machine that serves the page.  [default: any that is free]",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@click.pass_context
def watch(context: click.Context, /, port: int | None, opens: bool, **_: Any) -> None:
    """Make the report, and again whenever a file of the project changes, until Ctrl-C.

    A build that an edit overtakes is ended, and begun again; what its experiments have finished is kept.

    The first lines tell the address of the page, which only this machine can open: it shows the report as it
    is, how a build goes, and what fails.
    """
    from labreport.watching import watch as keep_watching

    sys.exit(
        keep_watching(
            project_of(context),
            jobs=jobs_of(context),
            cluster=option_of(context, "cluster"),
            port=port,
            opens=opens,
        )
    )


@commands.command(epilog=EPILOG)
@common
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completing.experiments)
@click.pass_context
def plan(context: click.Context, /, names: tuple[str, ...], **_: Any) -> None:
    """Show what would run, why, and how long it took last time; run nothing.

    With names of experiments: every reason, one per line.
    """
    project = project_of(context)
    planned = build.plan(project)
    if names:
        lines = [line for step in _named(planned, names) for line in overview.details(step)]
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        rows = overview.rows(project, planned)
        lines = [*overview.table(rows, width), overview.summary(planned.experiments)]
    click.echo("\n".join(lines))


def _named(planned: outcomes.Plan, names: Sequence[str]) -> list[Step]:
    """Return the steps of these experiments; UsageError if there is none of a name."""
    steps = {step.experiment: step for step in planned.experiments}
    unknown = [
        UsageError(f"there is no experiment {name!r}", cure=did_you_mean(name, steps))
        for name in names
        if name not in steps
    ]
    raise_all(unknown)
    return [steps[name] for name in names]


@commands.command(epilog=EPILOG)
@common
@computing
@waiting
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completing.experiments)
@click.option("--force", is_flag=True, help="Run them even if they are up to date.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="[NAME.]KEY=VALUE[,VALUE]...",
    shell_complete=completing.settings,
    help="Set a parameter for this run; of several values and settings, each combination runs.",
)
@click.pass_context
def run(
    context: click.Context, /, names: tuple[str, ...], force: bool, settings: tuple[str, ...], **_: Any
) -> None:
    """Run experiments only: those named, with what they need, or all that are out of date."""
    project = project_of(context)
    start = time.monotonic()
    combinations = settings_of(project, settings, names)
    ran: dict[str, None] = {}
    restored: dict[str, None] = {}
    with Progress() as progress:
        for chosen in combinations:
            done = build.run(
                project,
                list(names) or None,
                jobs=jobs_of(context),
                force=force,
                settings=chosen,
                events=Lines(project, progress).show,
                cluster=option_of(context, "cluster"),
            )
            ran |= dict.fromkeys(done.ran)
            restored |= dict.fromkeys(done.restored)
    did = [", ".join(ran)] if ran else []
    did += [f"{', '.join(restored)} from the store"] if restored else []
    said = "; ".join(did) or "nothing was out of date"
    seconds = shown_seconds(time.monotonic() - start)
    click.echo(f"results are in {project.shown(project.results)}: {said} ({seconds})")
    if len(combinations) > 1:
        click.echo(
            f"{len(combinations)} combinations of parameters: see `{project.command('results', *names)}`"
        )


@commands.command(epilog=EPILOG)
@common
@waiting
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--annotated", is_flag=True, help="Make also build/report-annotated.pdf: values and claims in colour."
)
@click.pass_context
def pdf(context: click.Context, /, names: tuple[str, ...], annotated: bool, **_: Any) -> None:
    """Render and compile the report from the results as they are; refuse if one is out of date.

    Of several documents: those named, or all. Only the PDF is made: neither the page nor the hand-in.
    """
    project = project_of(context)
    with Progress() as progress:
        build.pdf(project, names, annotated=annotated, events=Lines(project, progress).show)


@commands.command(epilog=EPILOG)
@common
@click.option("--strict", is_flag=True, help="Warnings are failures, as for the final hand-in.")
@click.pass_context
def check(context: click.Context, /, strict: bool, **_: Any) -> None:
    """Check the report and its hand-in against the rules of a hand-in."""
    from labreport import checks
    from labreport.handin import PackError

    verdicts = build.check(project_of(context)).verdicts
    click.echo(checks.text(verdicts))
    if not checks.passes(verdicts, strict=strict):
        sys.exit(PackError.exit_code)


@commands.command(epilog=EPILOG)
@common
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help="Accept all that wait.")
@click.pass_context
def accept(context: click.Context, /, names: tuple[str, ...], every: bool, **_: Any) -> None:
    """Note that paragraphs were read as the code or results that they are about are now; list what waits.

    NAME is what a paragraph is about, or its place, as FILE:LINE. Without one, nothing is noted.
    """
    project = project_of(context)
    if names or every:
        click.echo(str(build.accept(project, names, every=every)))
    else:
        waiting = build.waiting(project)
        click.echo("\n".join(map(str, waiting)) or "no paragraph waits to be read")


@commands.command(epilog=EPILOG)
@common
@computing
@waiting
@click.argument("other", required=False)
@click.option("--all", "every", is_flag=True, help="Show every change, not only the most important ones.")
@click.option("--json", "as_json", is_flag=True, help="Print all changes, for programs.")
@click.option(
    "--pdf", "marked", is_flag=True, help="Make build/diff/report-diff.pdf, with the changes marked."
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if something changed, with 0 if nothing did.")
@click.pass_context
def diff(
    context: click.Context,
    /,
    other: str | None,
    every: bool,
    as_json: bool,
    marked: bool,
    exit_code: bool,
    **_: Any,
) -> None:
    """Show what changed in the report since OTHER: a revision of git, a folder, or the zip of a hand-in.

    Without OTHER: since the report was published or, if it is up to date, since the one before.
    """
    from labreport.explain import differences

    project = project_of(context)
    with Progress() as progress:
        every_found = build.diff(
            project,
            other,
            marked=marked,
            jobs=jobs_of(context),
            events=build.ignore if as_json else Lines(project, progress).show,
            cluster=option_of(context, "cluster"),
        )
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else differences.WIDTH
    plain = {}
    for found in every_found:
        pictures = {key: project.shown(path) for key, path in found.pictures.items()}
        if as_json:
            plain[found.document] = differences.contents(found.changes, pictures)
            continue
        most = None if every else differences.MOST
        lines = [f"{found.document}:"] if project.config.documents else []
        lines += differences.overview(found.changes, width, most, pictures)
        lines += [f"\n{project.shown(found.pdf)}: the report with its changes marked"] if found.pdf else []
        click.echo("\n".join(lines))
    if as_json:
        click.echo(differences.as_json(plain if project.config.documents else plain[project.job]))
    if exit_code and any(not found.changes.is_empty for found in every_found):
        sys.exit(1)


@commands.command(epilog=EPILOG)
@common
@waiting
@click.option(
    "--for",
    "publisher",
    type=click.Choice(["arxiv", "overleaf", "journal"]),
    help="Pack the sources of the report alone, as these take them, into build/pack.",
)
@click.pass_context
def pack(context: click.Context, /, publisher: str | None, **_: Any) -> None:
    """Pack the hand-in from what was built; or, with --for, what a publisher asks for.

    That is the LaTeX of the report with its figures, styles and set bibliography. It is compiled in an empty
    folder first, and must give the report.
    """
    project = project_of(context)
    if publisher is None:
        with Progress() as progress:
            build.pack(project, events=Lines(project, progress).show)
        return
    for made in build.pack_for(project, publisher):
        pages = f"{made.pages} page{'' if made.pages == 1 else 's'}"
        click.echo(f"{project.shown(made.path)}: {len(made.files)} files, which give the report of {pages}")


@commands.command(epilog=EPILOG)
@common
@waiting
@click.option("--no-train", is_flag=True, help="Start from the packed results instead of computing them.")
@click.option(
    "--fresh-env",
    is_flag=True,
    help="Install what the hand-in names into an empty environment; run there.",
)
@click.pass_context
def verify(context: click.Context, /, no_train: bool, fresh_env: bool, **_: Any) -> None:
    """Rebuild all from the unpacked hand-in, in an empty folder, and compare with what is handed in."""
    project = project_of(context)
    with Progress() as progress:
        found = build.verify(
            project,
            train=not no_train,
            fresh=fresh_env,
            jobs=jobs_of(context),
            events=Lines(project, progress).show,
        )
    click.echo(f"{found}\nverified in {shown_seconds(found.seconds)}")


@commands.command(epilog=EPILOG)
@common
@waiting
@click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@click.pass_context
def clean(context: click.Context, /, dry_run: bool, **_: Any) -> None:
    """Remove what nothing in the build folder refers to: results of deleted experiments, leftovers."""
    project = project_of(context)
    cleaned = build.clean(project, dry_run=dry_run)
    verb = "removed" if cleaned.removed else "would remove"
    for leftover in cleaned.leftovers:
        path = project.shown(leftover.path, follow_symlinks=False)  # a link goes, not its target
        click.echo(f"{verb} {path}: {leftover.what} ({shown_bytes(leftover.size)})")
    total = shown_bytes(sum(leftover.size for leftover in cleaned.leftovers))
    click.echo(f"{verb} {total}" if cleaned.leftovers else "nothing is left over")


for command in (*starting.COMMANDS, *inquiries.COMMANDS):
    commands.add_command(command)


# ------------------------------------------------------------------------------------------------ the program


def main(otherwise: Path | None = None) -> None:
    """Run the command line; a user's mistake ends with one message and its exit code.

    `otherwise` is the folder of the project where the current folder lies in none.
    """
    program = _typed(sys.orig_argv, sys.argv)
    try:
        commands.main(
            standalone_mode=False, obj=Started(program, otherwise), complete_var=completing.VARIABLE
        )
    except LabreportError as error:
        _fail(error)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        said, code = interruption.told()
        click.echo(said, err=True)
        sys.exit(code)
    except ModuleNotFoundError as error:
        _fail(
            ToolError(
                f"the Python package {error.name!r} is missing in {sys.executable}",
                cure="install it there" + (f", or run `make -C {CHECKOUT} setup`" if CHECKOUT else ""),
            )
        )
    except OSError as error:
        if not is_of_disk(error):
            raise
        _fail(of_disk(error, Path.cwd()))


def _typed(interpreter: Sequence[str], program: Sequence[str]) -> str:
    """Return what the user typed to start this program, from `sys.orig_argv` and `sys.argv`.

    That is `labreport`, or the interpreter with a script or module, as `.venv/bin/python build_report.py`.
    """
    script = program[0]
    if Path(script).name == projects.PROGRAM:  # the user named no interpreter, the system did
        found = shutil.which(projects.PROGRAM)
        return projects.PROGRAM if found == script else shlex.quote(script)
    return shlex.join(interpreter[: len(interpreter) - len(program) + 1])


def _fail(error: LabreportError) -> None:
    from labreport.handin import masking  # an experiment's exception may quote a password, as addresses do

    for number, line in enumerate(error.lines(masking())):
        click.echo(f"error: {line}" if number == 0 or not line.startswith(" ") else line, err=True)
    sys.exit(error.exit_code)
