"""Commands that only ask what the last build made and from what; nothing is built."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import click

from labreport import completing
from labreport.errors import visible
from labreport.options import EPILOG, common, project_of

WIDTH = 100
"""The width of lines that are not written to a terminal."""


@click.command(epilog=EPILOG)
@common
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completing.claims)
@click.option("--json", "as_json", is_flag=True, help="Print the record, for programs.")
@click.pass_context
def claims(context: click.Context, /, names: tuple[str, ...], as_json: bool, **_: Any) -> None:
    """Show the claims of all documents, as the last build judged them.

    With names of claims: the sentence, the predicate, the values and the evidence of each.
    """
    from labreport import explain

    found = explain.claims.read(project_of(context))
    chosen = explain.claims.named(found, names) if names else found
    if as_json:
        click.echo(_as_json([asdict(claim) for claim in chosen]))
    elif names:
        click.echo(_text(line for claim in chosen for line in explain.claims.details(claim, _width())))
    else:
        click.echo(_text(explain.claims.overview(chosen, _width())))


class _Asking(click.Command):
    """A command whose arguments may be negative numbers, which click takes for options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [re.sub(r"^-(?=\.?\d)", "−", arg) for arg in args])


@click.command(cls=_Asking, epilog=EPILOG)
@common
@click.argument("query", nargs=-1, required=True, shell_complete=completing.queries)
@click.option("--json", "as_json", is_flag=True, help="Print all that is known, for programs.")
@click.pass_context
def explain(context: click.Context, /, query: tuple[str, ...], as_json: bool, **_: Any) -> None:
    """Show where a printed value comes from: its key, experiment, code, inputs and run.

    QUERY is a text as it is printed (0.016), a page (p. 7), a key or an experiment, the label of a figure or
    table, a claim, a question, a notebook, or template:line.
    """
    from labreport import explain

    found = explain.explain(project_of(context), " ".join(query), complete=as_json)
    click.echo(_as_json(found) if as_json else _text(explain.lines.explanation(found, _width())))


@click.command(epilog=EPILOG)
@common
@click.argument("name", shell_complete=completing.experiments)
@click.option("--json", "as_json", is_flag=True, help="Print all that is known, for programs.")
@click.pass_context
def impact(context: click.Context, /, name: str, as_json: bool, **_: Any) -> None:
    """Show which printed values, claims, figures and excerpts depend on something.

    NAME is a file, an experiment, a function (package.module:function), a template or a key.
    """
    from labreport import explain

    found = explain.impact(project_of(context), name)
    click.echo(_as_json(found) if as_json else _text(explain.lines.impact(found, _width())))


@click.command(epilog=EPILOG)
@common
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completing.experiments)
@click.option(
    "--value", "keys", multiple=True, metavar="KEY", help="Show a value of each result, as share.mean."
)
@click.option("--json", "as_json", is_flag=True, help="Print parameters and values, for programs.")
@click.option("--csv", "as_csv", is_flag=True, help="Print parameters and chosen values as a table.")
@click.pass_context
def results(
    context: click.Context,
    /,
    names: tuple[str, ...],
    keys: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    **_: Any,
) -> None:
    """List the results of experiments, also those with other parameters, which `run --set` has made.

    For each: the parameters that are not the default, the chosen values, whether it is fresh, and when it
    was computed.
    """
    from labreport import running, trials

    found = running.trials(project_of(context), names)
    trials.check(found, keys)
    if as_json:
        click.echo(_as_json(trials.plain(found, keys)))
    elif as_csv:
        click.echo(trials.csv(found, keys), nl=False)
    else:
        click.echo(_text(trials.table(found, keys)) if found else "there is no result yet")


COMMANDS = (claims, explain, impact, results)


def _text(lines: Iterable[str]) -> str:
    """Return lines as they may be written to a terminal: a result may hold any character."""
    return "\n".join(map(visible, lines))


def _as_json(plain: object) -> str:
    return json.dumps(plain, ensure_ascii=False, indent=1)


def _width() -> int:
    """Return the width of the terminal, or that of what is written elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
