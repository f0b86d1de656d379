"""The errors of templates, as Jinja2 raises them, told with the template's line and the cure."""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import jinja2

from labreport.errors import InputError, LabreportError, Place, did_you_mean
from labreport.language.arguments import FormatError
from labreport.language.missing import UnknownName
from labreport.language.spans import Site, line_text, place_in, without_marks
from labreport.language.values import plain


class Reading(Protocol):
    """What the explanation of an error must know of the environment that it arose in."""

    @property
    def folder(self) -> Path:
        """The folder of the templates."""

    @property
    def sources(self) -> Mapping[str, str]:
        """The texts of the templates that were read, by name."""

    @property
    def sites(self) -> Mapping[str, Sequence[Site]]:
        """The expressions and statements of each."""

    @property
    def current(self) -> Site | None:
        """The expression that is being printed."""

    @property
    def filters(self) -> Collection[str]:
        """The names of the filters."""

    @property
    def tests(self) -> Collection[str]:
        """The names of the tests."""


def explained(
    error: Exception, environment: Reading, names: Iterable[str], values: Mapping[str, Any]
) -> Exception:
    """Return an error that rendering raised as one that names the template's line and the cure.

    `values` is what templates know by name. An error that no mistake in a template can cause is returned
    unchanged.
    """
    found: Exception = error
    if isinstance(error, jinja2.TemplateSyntaxError):
        what = (error.message or "syntax error").rstrip(".")
        found = InputError(what, place=locate(environment, str(error.name), error.lineno))
    elif isinstance(error, UnknownName):
        found = _unknown_name(error, environment, names, values)
    elif isinstance(error, jinja2.TemplateNotFound):
        known = (p.relative_to(environment.folder).as_posix() for p in environment.folder.rglob("*.j2"))
        cure = did_you_mean(str(error.name), known)
        found = FormatError(f"there is no template {str(error.name)!r}", cure=cure, name=str(error.name))
    elif no_function := re.match(r"No (filter|test) named '(.*?)'", str(error)):
        found = unknown_function(environment, no_function[1], no_function[2])
    elif isinstance(error, RecursionError | TypeError | ValueError | ArithmeticError | jinja2.TemplateError):
        found = InputError(f"the template cannot be rendered: {without_marks(str(error))}")
    if isinstance(found, LabreportError) and found.place is None:
        place = _place(error, environment, str(getattr(found, "name", None) or ""))
        found.place = place or _current(environment)
    return found


def unknown_function(environment: Reading, kind: str, name: str) -> FormatError:
    """Return the error of a filter or test that does not exist."""
    known = environment.filters if kind == "filter" else environment.tests
    return FormatError(f"unknown {kind} {name!r}", cure=did_you_mean(name, known), name=name)


def _unknown_name(
    error: UnknownName, environment: Reading, names: Iterable[str], values: Mapping[str, Any]
) -> FormatError:
    what, name = str(error.message), str(error.name)
    if what == f"{name!r} is undefined":
        what = f"unknown name {name!r}"
    cure = did_you_mean(name, names if error.names is None else error.names)
    if error.names == ():
        cure = rf"use the filter: \VAR{{value|{name}}}" if name in environment.filters else ""
    # of an unknown name all values may be meant, of an unknown key those of the same experiment
    owner = re.split(r"[.\[ ]", what)[0]
    asked = values if error.names is None else {owner: values[owner]} if owner in values else {}
    if found := _elsewhere(name, asked):
        cure = f"did you mean {' or '.join(found[:3])}?"
    return FormatError(what, cure=cure, name=name)


def _elsewhere(name: str, values: Mapping[str, Any]) -> list[str]:
    """Return the keys of values that end in a name: `report.title`, `survey.tables.wide`."""
    found = []
    for top, value in values.items():
        whole = plain(value)
        parts = whole if isinstance(whole, dict) else {}
        found += [f"{top}.{name}"] if name in parts else []
        found += [f"{top}.{part}.{name}" for part, k in parts.items() if isinstance(k, dict) and name in k]
    return found


def _current(environment: Reading) -> Place | None:
    """Return the place of the expression that was printed last, for an error that arose after it."""
    site = environment.current
    if site is None:
        return None
    shown = f"{environment.folder.name}/{site.template}"
    return place_in(
        environment.sources[site.template], shown, site.offset, len(site.expression.split("\n")[0])
    )


def _place(error: Exception, environment: Reading, name: str) -> Place | None:
    """Return the template line at which an error arose, with the wrong word in it marked."""
    by_file = {str((environment.folder / name).resolve()): name for name in environment.sources}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in by_file]
    if not frames:
        return None
    return locate(environment, by_file[frames[-1].filename], frames[-1].lineno or 1, name)


def locate(environment: Reading, template: str, line: int, name: str = "") -> Place:
    """Return the place of a name in the expression or statement of a line, else that of the expression."""
    source, shown = environment.sources[template], f"{environment.folder.name}/{template}"
    near = [s for s in environment.sites.get(template, ()) if _covers(s, source, line)]
    near.sort(key=lambda site: site is not environment.current)  # of several in a line, the one at work
    for site in near if name else ():
        if found := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", site.expression):
            return place_in(source, shown, site.offset + found.start(), len(name))
    if near:
        return place_in(source, shown, near[0].offset, len(near[0].expression.split("\n")[0]))
    return Place(shown, line, source=line_text(source, line))


def _covers(site: Site, source: str, line: int) -> bool:
    first = place_in(source, "", site.offset).line or 0
    return first <= line <= first + site.expression.count("\n")
