"""What the reference tells, chapter by chapter: entries made from the code that they are about."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import click

from labreport.config import Config, described
from labreport.manual.entries import Chapter, Entry

_HERE = Path(__file__).parent


def chapters(commands: click.Group) -> tuple[Chapter, ...]:
    """Return all chapters; those commands are the program's."""
    return (_commands(commands), _settings(), _experiments(), *_templates(), _programs(), _licences())


# ----------------------------------------------------------------------------------------- the chapters


def _commands(group: click.Group) -> Chapter:
    context = click.Context(group, info_name="labreport")
    own = {name: command for name, command in group.commands.items() if name != "all"}
    common = set.intersection(*({o for o, _ in _options(c, context)} for c in own.values()))
    entries = [Entry("labreport", "labreport [OPTIONS]", _said(group), _options(group, context), _OPTION)]
    for name, command in sorted(own.items()):
        inside = click.Context(command, info_name=f"labreport {name}")
        rows = tuple(row for row in _options(command, inside) if row[0] not in common)
        entries.append(Entry(name, inside.get_usage().removeprefix("Usage: "), _said(command), rows, _OPTION))
    codes = tuple(re.findall(r"^  (\d+) +(.+)$", group.epilog or "", re.MULTILINE))
    entries.append(
        Entry("exit codes", "echo $?", "What a command says to the shell.", codes, ("code", "meaning"))
    )
    return Chapter("Commands", _COMMANDS, tuple(entries))


_COMMANDS = "The options of `labreport` itself belong to all commands, before or after the command's name."
_OPTION = ("option", "meaning")


def _said(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").replace("\b\n", "")


def _options(command: click.Command, context: click.Context) -> tuple[tuple[str, str], ...]:
    records = (option.get_help_record(context) for option in command.get_params(context))
    return tuple(record for record in records if record)


def _settings() -> Chapter:
    entries = []
    given = {entry.name: entry for entry in fields(Config)}
    for key, expected, example in described():
        default = given[key].default
        shown = f"{default:g}" if isinstance(default, float) else default
        unless = "" if default is MISSING or default in ("", ()) else f" Left out, it is `{shown}`."
        entries.append(Entry(key, example.replace(" and below it ", "\n"), f"Must be {expected}.{unless}"))
    return Chapter("report.toml", inspect.getdoc(Config) or "", tuple(entries))


def _experiments() -> Chapter:
    from labreport.results import Result
    from labreport.running import Lab

    words, declarations = _words("experiments")
    members = [*_members(Lab, "lab", without=Lab.__dataclass_fields__), *_members(Result, "result")]
    return Chapter("Experiments", words, (*declarations, *members))


def _templates() -> tuple[Chapter, ...]:
    from labreport.claims import PREDICATES
    from labreport.language import EXAMPLES, FORMATS, Column, Tables, column

    formats = [
        Entry(
            name, _form(f"x|{name}", function, skip=1), _doc(function), tuple(EXAMPLES[name].items()), _PRINTS
        )
        for name, function in FORMATS.items()
    ]
    predicates = [
        Entry(name, _form(name, function), _doc(function))
        for name, function in PREDICATES.items()
        if name not in ("compare", "not_")  # `a < b` and `not a`, as a template writes them
    ]
    words, entries = _words("templates")
    entries += (
        Entry("table", _form("rows|table", Tables.table, skip=2), _doc(Tables.table)),
        Entry("column", _form("column", column), f"{_doc(column)}\n\n{_doc(Column)}"),
    )
    return (
        Chapter("Templates", words, (*entries, _computed(entries))),
        Chapter("Formats", _words("formats")[0], tuple(formats)),
        Chapter("Claims", _words("claims")[0], tuple(predicates)),
    )


def _computed(entries: Iterable[Entry]) -> Entry:
    """Return the entry of the filters that none of the others tells of."""
    from labreport.language import FILTERS, FORMATS

    told = {*FORMATS, *(entry.name for entry in entries)}
    form = ", ".join(f"x|{name}" for name in sorted(FILTERS) if name not in told)
    return Entry(
        "filters", form, "Filters that choose, order or compute, as Jinja's do. The format comes after them."
    )


_PRINTS = ("a template says", "a reader sees")


def _programs() -> Chapter:
    from labreport import build, project

    made = [
        build.make_all,
        build.run,
        build.pdf,
        build.pack,
        build.check,
        build.diff,
        build.verify,
        build.plan,
    ]
    functions = [("project.load", project.load), *((f"build.{f.__name__}", f) for f in made)]
    return Chapter(
        "Programs",
        _words("programs")[0],
        tuple(Entry(name, _form(name, function), _doc(function)) for name, function in functions),
    )


def _licences() -> Chapter:
    from labreport.manual import licences

    return Chapter("Licences", _words("licences")[0], (licences.entry(),))


def _words(name: str) -> tuple[str, tuple[Entry, ...]]:
    """Return what the words say of a chapter, and their entries in it."""
    found = tomllib.loads((_HERE / "words.toml").read_text(encoding="utf-8"))[name]
    entries = found.get("entries", ())
    return found["text"], tuple(Entry(e["name"], e["form"].strip("\n"), e["text"]) for e in entries)


# ------------------------------------------------------------------------------------------- what code says


def _members(owner: type, name: str, without: Iterable[str] = ()) -> list[Entry]:
    """Return the public methods and properties of a class, as those of an object of that name."""
    entries = []
    for key, member in vars(owner).items():
        if key.startswith("_") or key in without:
            continue
        if inspect.isfunction(member):
            entries.append(Entry(f"{name}.{key}", _form(f"{name}.{key}", member, skip=1), _doc(member)))
        elif isinstance(member, property) or hasattr(member, "func"):
            entries.append(Entry(f"{name}.{key}", f"{name}.{key}", _doc(member)))
    return entries


def _doc(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def _form(name: str, function: Any, skip: int = 0) -> str:
    """Return how a function is called, without the types of its parameters, which its text tells."""
    parameters: Mapping[str, inspect.Parameter] = inspect.signature(function).parameters
    shown = [p.replace(annotation=p.empty) for p in [*parameters.values()][skip:]]
    # a function as a default would tell where it lies in memory
    whole = re.sub(r"<function (\w+) at 0x\w+>", r"\1", str(inspect.Signature(shown)))
    return name if whole == "()" and "|" in name else f"{name}{whole}"
