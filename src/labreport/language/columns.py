"""Columns and cells of tables, as templates declare them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labreport.errors import did_you_mean
from labreport.language.arguments import FormatError, option
from labreport.language.formats import Number
from labreport.language.quantities import Phrase, Scaled
from labreport.language.reference import FORMATS
from labreport.language.units import symbol, takes_prefix

MARKS = ("bold", "underline", "star")
"""How a cell can stand out."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, the fields of a row that it shows, how, and below which heads.

    `under` holds the heads over several neighbouring columns, from top to bottom; `bold` names a field that
    says in which rows the cell is printed bold. `best` is the direction, "lowest" or "highest", in which the
    best cells are looked for, by the samples or intervals in the field `by`, compared as `how` says; `mark`
    is how they look. A head may be `turned` by 90 degrees.
    """

    head: str
    fields: tuple[str, ...]
    format: str = "text"
    under: tuple[str, ...] = ()
    bold: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    best: str | None = None
    by: str | None = None
    how: str | None = None
    mark: str = "bold"
    turned: bool = False

    @property
    def unit(self) -> str | None:
        """The unit of all cells, which the head tells; None if there is none, or each cell has its own."""
        if (unit := self.options.get("unit")) is None:
            return None
        return None if self.format == "eng" and takes_prefix(symbol(unit)) else symbol(unit)


def column(
    head: str,
    fields: str | Sequence[str],
    format: str = "text",
    under: str | Sequence[str] = (),
    bold: str | None = None,
    best: str | None = None,
    by: str | None = None,
    how: str | None = None,
    mark: str = "bold",
    turned: bool = False,
    **options: Any,
) -> Column:
    """Return a column for |table: `column("Test loss", ["mean", "std"], "pm", under="Loss")`."""
    option("bold", bold, 'bold="is_best", a field of the rows')
    option("best", best, 'best="lowest"')
    option("by", by, 'by="losses", a field of the rows with samples or intervals')
    option("how", how, 'how="paired"')
    if mark not in MARKS:
        raise FormatError(f"unknown mark {mark!r} of a column", cure=did_you_mean(str(mark), MARKS))
    if best is None and (by is not None or how is not None):
        raise FormatError("by and how say what the best is found by", cure='add best="lowest" or "highest"')
    if not isinstance(turned, bool):
        raise FormatError(f"turned must be true or false, not {turned!r}")
    if option("format", format, 'column("Head", "field", "num")') not in FORMATS:
        cure = did_you_mean(format, FORMATS)
        raise FormatError(f"unknown format {format!r} of a column", cure=cure, name=format)
    names = tuple(fields) if isinstance(fields, list | tuple) else (fields,)
    for name in names:
        option("the field of a column", name, 'column("Head", "field", "num")')
    above = (under,) if isinstance(under, str) else tuple(under)
    return Column(head, names, format, above, bold, options, best, by, how, mark, turned)


@dataclass(frozen=True)
class Cell:
    """A cell: what its format returned, what puts marks around its printed text, and how it is marked."""

    content: Any
    mark: Callable[[str], str] = str
    look: str | None = None


def in_cell(content: Any) -> Any:
    """Return what stands in a cell: the head of its column tells the unit, and that it is a p-value."""
    if isinstance(content, Phrase) and content.form.startswith("p "):
        return content.numbers[0] if content.form == "p =" else replace(content, form=content.form[2:])
    if isinstance(content, Phrase):
        return replace(content, unit=None)
    # one in kB and one in MB have no unit in common
    if isinstance(content, Number) and not isinstance(content, Scaled):
        return replace(content, unit=None)
    return content
