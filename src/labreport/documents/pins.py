r"""Prose pins: paragraphs that say which code or results they explain.

`\BLOCK{about "package.module:function"}` in a paragraph, or in the line before it, names what it explains:
code, by the name that excerpts use, or a result, by its key. When that changes, the paragraph must be read
again: see `accepted`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labreport.documents import digests
from labreport.errors import InputError, LabreportError, Place, raise_all

if TYPE_CHECKING:
    from labreport.language import Region, Rendered, Site
    from labreport.project import Project

MOST_WORDS = 60  # characters by which a paragraph is recognised

_BORDER = re.compile(r'^[ \t]*(?:"""|# %%.*)?[ \t]*$', re.MULTILINE)
"""A line between paragraphs: blank, or in a notebook the border of a cell or of its text."""

_ANSWER = re.compile(r"\\LRanswer\{[^{}]*\}")
"""What marks the answer to a question in LaTeX; nobody reads it."""


@dataclass(frozen=True)
class Pin:
    """What a paragraph is about, and where it stands.

    `line` is that of the statement in the `template`; `first` and `last` are the paragraph's. `reads` is what
    it says from there on, as printed: enough to recognise it.
    """

    target: str
    template: str
    line: int
    first: int
    last: int
    reads: str

    @property
    def place(self) -> str:
        """The statement's place as messages show it."""
        return f"{self.template}:{self.line}"


def check(project: Project, rendered: Rendered, known: Mapping[str, Any]) -> None:
    """Look up what the paragraphs of a document are about; `known` are the results as its template has them.

    Raises
    ------
    InputError, SeveralErrors
        A target does not exist, or a statement stands in no paragraph, at the template's line.

    """
    about = {(region.site, region.value): region for region in _about(rendered)}
    remembered = digests.Digests(project)  # code that is remembered exists, and need not be parsed again
    errors = (_mistakes(project, rendered, region, known, remembered) for region in about.values())
    raise_all([error for found in errors for error in found])


def _mistakes(
    project: Project,
    rendered: Rendered,
    region: Region,
    known: Mapping[str, Any],
    remembered: digests.Digests,
) -> Iterator[LabreportError]:
    place = _place(rendered, region)
    begin, end = paragraph(rendered.text, region.start)
    if not rendered.text[begin:end].strip():
        what = "this statement stands in no paragraph"
        yield InputError(what, place=place, cure="write it in the line before one, or in one")
    try:
        if digests.is_code(region.value):
            remembered.of(region.value)
        else:
            name, steps = digests.split(project, region.value)
            digests.item(known[name].plain, region.value, steps)
    except InputError as error:
        if error.place is None:
            error.place = place
        else:  # of a module that cannot be read
            error.notes = (*error.notes, f"a paragraph is about it: {place}")
        yield error


def found(rendered: Rendered) -> list[Pin]:
    """Return what the paragraphs of a document are about, in its order; each statement counts once."""
    from labreport.writing import plain

    pins: dict[tuple[Site, str], Pin] = {}
    for region in _about(rendered):
        place = _place(rendered, region)
        line = place.line or 0
        begin, end = paragraph(rendered.text, region.start)
        text = rendered.text[begin:end]
        bounds = (rendered.place(begin + len(text) - len(text.lstrip())), rendered.place(end - 1))
        # a paragraph may begin or end with what another template, or a macro, has printed
        lines = [line, *(bound.line or line for bound in bounds if bound.file == place.file)]
        at = rendered.text.rfind("\n", 0, region.start) + 1
        # the statement may stand below the paragraph's last line
        words = plain(_ANSWER.sub("", rendered.text[at:end].strip() or text))
        reads = words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…"
        pin = Pin(region.value, place.file, line, min(lines), max(lines), reads)
        pins.setdefault((region.site, region.value), pin)
    return list(pins.values())


def paragraph(text: str, offset: int) -> tuple[int, int]:
    """Return where the paragraph around an offset begins and ends: between the nearest lines that end one."""
    after = _BORDER.search(text, offset)
    begin = text.rfind("\n", 0, offset) + 1
    while begin > 0:
        above = text.rfind("\n", 0, begin - 1) + 1
        if _BORDER.fullmatch(text, above, begin - 1):
            break
        begin = above
    return begin, after.start() if after else len(text)


def _about(rendered: Rendered) -> list[Region]:
    return [region for region in rendered.regions if region.kind == "about"]


def _place(rendered: Rendered, region: Region) -> Place:
    """Return the place of the target in its statement."""
    from labreport.language import place_in

    site = region.site
    at = site.offset + max(0, site.expression.find(region.value))
    file = f"{rendered.folder}/{site.template}"
    return place_in(rendered.sources[site.template], file, at, len(region.value))
