"""The command line: commands, words and exit codes; `build` does the work, `inquiries` only ask."""

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

from labreport import __version__, build, inquiries, overview, unchanged
from labreport import project as projects
from labreport.errors import BusyError, LabreportError, ToolError, UsageError, did_you_mean, raise_all
from labreport.events import Event
from labreport.options import EPILOG, Started, building, common, computing, jobs_of, option_of, project_of
from labreport.progress import Progress, shown_bytes, shown_seconds
from labreport.project import CHECKOUT, Project

if TYPE_CHECKING:
    from labreport.running import Step


@click.group(
    invoke_without_command=True, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="labreport %(version)s")
@common
@computing
@building
@click.pass_context
def commands(context: click.Context, /, **_: Any) -> None:
    """Make the report: run what is out of date, compile the PDF, execute the notebooks, pack, check."""
    if context.invoked_subcommand is None:
        _make_all(context)


@commands.command("all", epilog=EPILOG)
@common
@computing
@building
@click.pass_context
def everything(context: click.Context, /, **_: Any) -> None:
    """Make the report, as without a command."""
    _make_all(context)


def _make_all(context: click.Context) -> None:
    project = project_of(context)
    with Progress() as progress:
        lines = _Lines(project, progress)
        built = build.make_all(
            project, jobs=jobs_of(context), events=lines.show, cluster=option_of(context, "cluster")
        )
    record = unchanged.record(str(project.build), lines.said) if built.is_nothing else None
    _settle(project, record)


def _settle(project: Project, record: tuple[str, bytes] | None) -> None:
    """Remove what killed builds have left in the caches, and keep the record of a build that made nothing.

    Only now: a build that looks into the folder in which its own record lies would never find it unchanged.
    """
    from labreport.results import files

    # where nothing can be written, or the next build has begun, that one takes a little longer
    with contextlib.suppress(OSError, BusyError), build.building(project):
        files.sweep(project.build / "cache")
        if record is not None:
            files.write(Path(record[0]), record[1])


@commands.command(epilog=EPILOG)
@common
@computing
@click.pass_context
def watch(context: click.Context, /, **_: Any) -> None:
    """Make the report, and again whenever a file of the project changes, until Ctrl-C.

    A build that an edit overtakes is ended, and begun again; what its experiments have finished is kept.
    """
    from labreport.watching import watch as keep_watching

    sys.exit(keep_watching(project_of(context), jobs=jobs_of(context), cluster=option_of(context, "cluster")))


@commands.command(epilog=EPILOG)
@common
@click.argument("names", nargs=-1, metavar="[NAME]...")
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


def _named(planned: build.Plan, names: Sequence[str]) -> list[Step]:
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
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--force", is_flag=True, help="Run them even if they are up to date.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME.KEY=VALUE",
    help="Set a parameter of an experiment for this run.",
)
@click.pass_context
def run(
    context: click.Context, /, names: tuple[str, ...], force: bool, settings: tuple[str, ...], **_: Any
) -> None:
    """Run experiments only: those named, with what they need, or all that are out of date."""
    project = project_of(context)
    start = time.monotonic()
    chosen = _settings(project, settings)
    with Progress() as progress:
        done = build.run(
            project,
            list(names) or None,
            jobs=jobs_of(context),
            force=force,
            settings=chosen,
            events=_Lines(project, progress).show,
            cluster=option_of(context, "cluster"),
        )
    did = [", ".join(done.ran)] if done.ran else []
    did += [f"{', '.join(done.restored)} from the store"] if done.restored else []
    ran = "; ".join(did) or "nothing was out of date"
    seconds = shown_seconds(time.monotonic() - start)
    click.echo(f"results are in {project.shown(project.results)}: {ran} ({seconds})")


@commands.command(epilog=EPILOG)
@common
@click.option(
    "--annotated", is_flag=True, help="Make also build/report-annotated.pdf: values and claims in colour."
)
@click.pass_context
def pdf(context: click.Context, /, annotated: bool, **_: Any) -> None:
    """Render and compile the report from the results as they are; refuse if one is out of date."""
    project = project_of(context)
    with Progress() as progress:
        build.pdf(project, annotated=annotated, events=_Lines(project, progress).show)


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
        events = build.ignore if as_json else _Lines(project, progress).show
        found = build.diff(
            project,
            other,
            marked=marked,
            jobs=jobs_of(context),
            events=events,
            cluster=option_of(context, "cluster"),
        )
    pictures = {key: project.shown(path) for key, path in found.pictures.items()}
    if as_json:
        click.echo(differences.as_json(found.changes, pictures))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else differences.WIDTH
        most = None if every else differences.MOST
        click.echo("\n".join(differences.overview(found.changes, width, most, pictures)))
        if found.pdf is not None:
            click.echo(f"\n{project.shown(found.pdf)}: the report with its changes marked")
    if exit_code and not found.changes.is_empty:
        sys.exit(1)


@commands.command(epilog=EPILOG)
@common
@click.option("--no-train", is_flag=True, help="Start from the packed results instead of computing them.")
@click.pass_context
def verify(context: click.Context, /, no_train: bool, **_: Any) -> None:
    """Rebuild all from the unpacked hand-in, in an empty folder, and compare with what is handed in."""
    project = project_of(context)
    with Progress() as progress:
        found = build.verify(
            project, train=not no_train, jobs=jobs_of(context), events=_Lines(project, progress).show
        )
    click.echo(f"{found}\nverified in {shown_seconds(found.seconds)}")


@commands.command(epilog=EPILOG)
@common
@click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@click.pass_context
def clean(context: click.Context, /, dry_run: bool, **_: Any) -> None:
    """Remove what nothing in the build folder refers to: results of deleted experiments, leftovers."""
    project = project_of(context)
    cleaned = build.clean(project, dry_run=dry_run)
    verb = "removed" if cleaned.removed else "would remove"
    for leftover in cleaned.leftovers:
        # not `shown`: where a symbolic link leads to is not what goes
        path = leftover.path.relative_to(project.root).as_posix()
        click.echo(f"{verb} {path}: {leftover.what} ({shown_bytes(leftover.size)})")
    total = shown_bytes(sum(leftover.size for leftover in cleaned.leftovers))
    click.echo(f"{verb} {total}" if cleaned.leftovers else "nothing is left over")


for inquiry in inquiries.COMMANDS:
    commands.add_command(inquiry)


# ------------------------------------------------------------------------------------------ words for a build


class _Lines:
    """Tells a build as it goes on: what happens, and a line for each finished step."""

    def __init__(self, project: Project, progress: Progress) -> None:
        self.project = project
        self.progress = progress
        self.ran = "results are up to date"
        self.said: list[tuple[str, bool]] = []

    def _say(self, text: str, *, seconds: float | None = None, err: bool = False) -> None:
        """Print a line, and keep it for builds that find everything unchanged; `seconds` differ in these."""
        self.said.append((text, err))
        click.echo(text.replace(unchanged.SECONDS, shown_seconds(seconds)), err=err)

    def _notices(self, notices: Sequence[str]) -> None:
        for notice in notices:
            self._say(f"notice: {notice}", err=True)

    def show(self, told: Event | build.Done) -> None:
        """Print what there is to say of an event or a finished step."""
        match told:
            case build.Experiments():
                self.ran = _ran(told)
            case build.Report():
                self._report(told)
            case build.Changed():
                if told.summary is not None:
                    self._say(f"since the last report: {told.summary}")
            case build.Notebooks():
                self._notebooks(told)
            case build.Claims():
                self._claims(told)
            case build.Asked():
                self._notices(told.notices)
            case build.Annotated():
                self._annotated(told)
            case build.Packed():
                self._packed(told)
            case build.Checked():
                self._checked(told)
            case _:
                self.progress.show(told)

    def _report(self, report: build.Report) -> None:
        target, made = self.project.shown(self.project.pdf), report.made
        if made is None:
            self._say(f"{target} is up to date; {self.ran} ({unchanged.SECONDS})", seconds=report.seconds)
            return
        self._notices(made.notices)
        made_in = (
            f"rendered in {shown_seconds(made.render_seconds)}, LaTeX {shown_seconds(made.latex_seconds)}"
        )
        pages = f"{made.pages} page{'' if made.pages == 1 else 's'}, {made.values} values traced"
        self._say(f"{target}: {pages}; {self.ran}, {made_in}; {shown_seconds(report.seconds)} in all")

    def _notebooks(self, notebooks: build.Notebooks) -> None:
        fresh = [n.name for n in notebooks.woven if not n.is_made]
        renewed = [n.name for n in notebooks.woven if n.is_renewed]
        said = [
            f"{n.name} executed in {shown_seconds(n.seconds)}"
            for n in notebooks.woven
            if n.seconds is not None
        ]
        said += [f"text renewed: {', '.join(renewed)}"] if renewed else []
        said += [f"up to date: {', '.join(fresh)}"] if fresh else []
        if said:
            self._say(f"{self.project.shown(self.project.notebooks)}: {'; '.join(said)}")

    def _claims(self, claims: build.Claims) -> None:
        if claims.verdicts:
            from labreport.explain import counted

            where = f"; `{self.project.command('claims')}` lists them"
            self._say(counted(claims.verdicts) + where)

    def _annotated(self, annotated: build.Annotated) -> None:
        shown = self.project.shown(self.project.annotated)
        plain = annotated.values - annotated.coloured
        rest = f"; {plain} are headings or parts of commands, and stay as they are" if plain else ""
        self._say(f"{shown}: {annotated.coloured} of {annotated.values} values in colour{rest}")

    def _packed(self, packed: build.Packed) -> None:
        shown, made = self.project.shown(self.project.submission), packed.submission
        if made is None:
            self._say(f"{shown} is up to date; `{self.project.command('check')}` checks it")
            return
        self._notices(made.notices)
        self._say(f"{shown}: {made.report.name}, and {made.code.name} with {len(made.files)} files")

    def _checked(self, checked: build.Checked) -> None:
        broken = [verdict for verdict in checked.verdicts if verdict.state != "passed"]
        for verdict in broken:
            self._say(f"{verdict.state}: {verdict.name}: {verdict.rule}", err=True)
        passed = f"{len(checked.verdicts) - len(broken)} of {len(checked.verdicts)} checks passed"
        where = f"; `{self.project.command('check')}` says where and the cure" if broken else ""
        self._say(passed + where)


def _ran(experiments: build.Experiments) -> str:
    if experiments.seconds is None:
        return f"{experiments.total} experiment{'' if experiments.total == 1 else 's'} up to date"
    ran = f"{len(experiments.ran)} of {experiments.total} experiments ran"
    ran += f", {len(experiments.restored)} came from the store," if experiments.restored else ""
    return f"{ran} in {shown_seconds(experiments.seconds)}"


# --------------------------------------------------------------------------------------------------- options


def _settings(project: Project, settings: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return `NAME.KEY=VALUE` texts as a table by experiment and key.

    Raises UsageError if one has another form.
    """
    chosen: dict[str, dict[str, str]] = {}
    for text in settings:
        target, equals, value = text.partition("=")
        name, dot, key = target.strip().partition(".")
        if not (equals and dot and name and key):
            raise UsageError(
                f"--set {text!r} does not have the form NAME.KEY=VALUE",
                cure=f"write for example {_example(project)}",
            )
        chosen.setdefault(name, {})[key] = value.strip()
    return chosen


def _example(project: Project) -> str:
    """Return a setting of an experiment of this project, as an example; without one, its form."""
    from labreport.results import Sources

    sources = Sources(project)
    for name in project.experiment_names():
        for key, parameter in sources.declaration(name).params.items():
            if isinstance(parameter.default, int | float | str):
                return shlex.join(["--set", f"{name}.{key}={parameter.default}"])
    return "--set NAME.KEY=VALUE"


# ------------------------------------------------------------------------------------------------ the program


def main(otherwise: Path | None = None) -> None:
    """Run the command line; a user's mistake ends with one message and its exit code.

    `otherwise` is the folder of the project where the current folder lies in none.
    """
    program = _typed(sys.orig_argv, sys.argv)
    try:
        commands.main(standalone_mode=False, obj=Started(program, otherwise))
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
                cure="install it there" + (f", or run `make -C {CHECKOUT} setup`" if CHECKOUT else ""),
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
    for number, line in enumerate(error.lines()):
        click.echo(f"error: {line}" if number == 0 or not line.startswith(" ") else line, err=True)
    sys.exit(error.exit_code)
