"""Commands for the beginning: a first project, the reference, a look at the machine, completion."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labreport import __version__, completing, manual
from labreport import project as projects
from labreport.new import KINDS, create
from labreport.options import EPILOG, Started, common, option_of, project_of
from labreport.results import files

if TYPE_CHECKING:
    from labreport.doctor import Finding
    from labreport.project import Project


@click.command(epilog=EPILOG)
@common
@click.argument("new_folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="What the document is."
)
@click.pass_context
def new(context: click.Context, /, new_folder: Path, kind: str, **_: Any) -> None:
    """Make a project in DIR that builds at once, to be changed into your own.

    It shows one of each: experiments, data, a figure, a table, a claim, code, a reference, a notebook.
    """
    create(new_folder, kind)
    started = context.find_object(Started) or Started()
    project = projects.load(new_folder, program=started.program)
    click.echo(
        f"{new_folder} holds the project of {_a(kind)}; now\n"
        f"  {project.command()}\n"
        f"makes {project.shown(project.pdf)}, and whenever a file is saved\n"
        f"  {project.command('watch')}"
    )


def _a(kind: str) -> str:
    return kind if kind == "slides" else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


@click.command(epilog=EPILOG)
@common
@click.option("--print", "only_print", is_flag=True, help="Only print where the page lies.")
@click.pass_context
def docs(context: click.Context, /, only_print: bool, **_: Any) -> None:
    """Open the reference: commands, report.toml, experiments, templates, formats, claims.

    It is one page, which needs no network.
    """
    path = _page_of_reference()
    files.write(path, manual.html(_program(context)).encode())
    click.echo(str(path))
    if not only_print:
        click.launch(path.as_uri())


def _program(context: click.Context) -> click.Group:
    group = context.find_root().command
    assert isinstance(group, click.Group)
    return group


def _page_of_reference() -> Path:
    """Return where the page is kept: for this user, whatever project they are in."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "labreport" / f"reference-{__version__}.html"


@click.command(epilog=EPILOG)
@common
@click.pass_context
def doctor(context: click.Context, /, **_: Any) -> None:
    """Look whether this machine has what a build needs: programs, packages, a folder to write into.

    One line for each, with the cure for what is missing. The exit code is 1 if a build would fail of
    something, else 0. Outside of a project the machine alone is looked at.
    """
    from labreport.doctor import examine

    is_fine = True
    for finding in examine(_project_if_there_is_one(context)):
        click.echo(
            f"{_mark(finding)} {finding.what}: {finding.told}"
            + (f"\n    {finding.cure}" if finding.cure else "")
        )
        is_fine &= not finding.fails
    if not is_fine:
        sys.exit(1)


def _project_if_there_is_one(context: click.Context) -> Project | None:
    if option_of(context, "folder") is None and projects.nearest(Path.cwd()) is None:
        return None
    return project_of(context)


def _mark(finding: Finding) -> str:
    good, bad, less = "✓✗–"
    try:
        (good + bad + less).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        good, bad, less = "+x-"
    return bad if finding.fails else less if finding.cure else good


@click.command(epilog=EPILOG)
@common
@click.argument("shell", type=click.Choice(completing.SHELLS))
@click.pass_context
def completion(context: click.Context, /, shell: str, **_: Any) -> None:
    """Print what makes a shell complete commands, options, experiments, parameters, questions, claims.

    For bash: eval "$(labreport completion bash)", in ~/.bashrc.
    """
    click.echo(completing.script(shell, _program(context), projects.PROGRAM))


COMMANDS = (new, docs, doctor, completion)
