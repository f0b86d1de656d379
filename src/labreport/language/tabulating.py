"""Tables of templates: rows and columns become cells, each recorded with its own keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from markupsafe import Markup

from labreport.language.arguments import FormatError, option
from labreport.language.columns import Cell, Column, column
from labreport.language.filters import CELL_FORMATS, Formatted, neutral, origin
from labreport.language.missing import defined
from labreport.language.target import Target
from labreport.language.values import Box, Keys, keys, plain

Best = Callable[[Any, Sequence[Any], Any], list[bool]]
"""What tells which of some values are the best, or are not told from it."""

SCOPES = ("column", "row", "group")


class Printing(Protocol):
    """What tables need of the environment that prints them."""

    @property
    def target(self) -> Target:
        """The language that is written."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item of a value."""

    def typed(self, value: Any) -> Any:
        """Return a text given to a format."""

    def marked(self, text: str, value: Any, joined: Keys) -> str:
        """Return a text between marks."""

    def side_by_side(self, parts: Iterable[Any], separator: Any) -> Any:
        """Return values as one text."""


class Tables:
    """The function `column` and the filter `table` of one environment."""

    def __init__(self, printing: Printing, best: Best | None) -> None:
        self.printing = printing
        self.best = best

    def column(
        self, head: Any, fields: Any, format: Any = "text", under: Any = (), bold: Any = None, **options: Any
    ) -> Column:
        """Return a column of a table; heads typed in the template stay as they are, values are printed."""
        above = under if isinstance(under, list | tuple) else (under,)
        heads = [self.printing.typed(h) for h in (head, *above)]
        return column(heads[0], plain(fields), plain(format), heads[1:], plain(bold), **plain(options))

    def table(
        self,
        rows: Any,
        *columns: Any,
        layout: Any = "normal",
        separate: Any = None,
        group: Any = None,
        best_of: Any = "column",
        notes: Any = None,
        caption: Any = None,
        label: Any = None,
    ) -> Any:
        """Return the rows as a table; each cell is recorded with its own keys.

        `separate` names a field whose values are divided by a space, `group` one whose values stand in lines
        of their own above their rows. The best cells are those of a "column", a "row" or a "group".
        """
        if not all(isinstance(c, Column) for c in columns):
            raise FormatError("|table takes columns", cure='|table(column("Head", "field", "num"), …)')
        rows = list(rows)
        if separate is not None and group is not None:
            raise FormatError("separate and group are two ways to divide a table", cure="give one of them")
        divided = option("separate", plain(separate), 'separate="group", a field of the rows')
        grouped = option("group", plain(group), 'group="dataset", a field of the rows')
        layout = option("layout", plain(layout), 'layout="long"')
        # what a DataFrame told of its columns and rows
        told = plain(rows[0]) if rows else None
        columns = tuple(self._with_heads(declared, told, keys(*rows[:1])) for declared in columns)
        by = [divided or grouped] if divided or grouped else list(getattr(told, "groups", ()))
        groups = [self._title([self._field(row, field) for field in by]) for row in rows] if by else []
        has_titles = bool(groups) and divided is None
        best = self._best(columns, rows, plain(best_of), [plain(group) for group in groups])
        cells = [
            [self._cell(column, row, (at, number) in best) for at, column in enumerate(columns)]
            for number, row in enumerate(rows)
        ]
        given = (notes if isinstance(notes, list | tuple) else [notes]) if notes is not None else ()
        return self.printing.target.table(
            columns,
            cells,
            groups=[plain(group) for group in groups],
            titles=[self.printing.typed(group) if has_titles else None for group in groups],
            notes=[self.printing.typed(note) for note in given],
            layout=layout,
            caption=self.printing.typed(caption),
            label=self.printing.typed(label),
        )

    def _title(self, parts: Sequence[Any]) -> Any:
        """Return what a group is called: its value, or the values of its levels."""
        return parts[0] if len(parts) == 1 else self.printing.side_by_side(parts, ", ")

    def _with_heads(self, declared: Column, told: Any, joined: Keys) -> Column:
        """Return a column below the labels that the DataFrame had above it, unless it names heads itself."""
        labels = getattr(told, "heads", {}).get(declared.fields[0], ()) if len(declared.fields) == 1 else ()
        if declared.under or len(labels) < 2:
            return declared
        return replace(declared, under=tuple(self.printing.typed(Box(x, joined)) for x in labels[:-1]))

    def _best(
        self, columns: Sequence[Column], rows: Sequence[Any], scope: Any, groups: Sequence[Any]
    ) -> set[tuple[int, int]]:
        """Return the best cells, each as the numbers of its column and its row."""
        if scope not in SCOPES:
            raise FormatError(f"best_of cannot be {scope!r}", cure=f"write one of {', '.join(SCOPES)}")
        if scope == "group" and not groups:
            raise FormatError("best_of speaks of groups", cure='name their field: group="dataset"')
        families: dict[str, list[tuple[int, int]]] = {}
        for at, declared in enumerate(columns):
            for number in range(len(rows) if declared.best is not None else 0):
                names = {"column": f"{at}", "row": f"{number}"}
                families.setdefault(names.get(scope) or f"{at} {groups[number]}", []).append((at, number))
        return {cell for family in families.values() for cell in self._front(columns, rows, family)}

    def _front(
        self, columns: Sequence[Column], rows: Sequence[Any], family: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, int]]:
        """Yield the best of some cells that are compared with each other."""
        ways = {(columns[at].best, columns[at].how) for at, _ in family}
        if len(ways) > 1:
            raise FormatError("the columns of a row are best in several ways", cure="give all the same best=")
        ((direction, how),) = ways
        if self.best is None:
            raise FormatError("nothing here tells which cells are the best")
        values = [self._compared(columns[at], rows[number]) for at, number in family]
        flags = self.best(direction, values, how)
        yield from (cell for cell, is_best in zip(family, flags, strict=True) if is_best)

    def _compared(self, column: Column, row: Any) -> Any:
        """Return what a cell is compared by."""
        name = column.by or (column.fields[0] if len(column.fields) == 1 else None)
        if name is None:
            cure = 'name the field with samples, or with estimate, low and high: by="losses"'
            raise FormatError(f"best does not say by which of {', '.join(column.fields)}", cure=cure)
        return self._field(row, name)

    def _cell(self, column: Column, row: Any, is_best: bool) -> Cell:
        """Return a cell of a table; several fields of one text column stand side by side."""
        fields = [self._field(row, name) for name in column.fields]
        values = [plain(field) for field in fields]
        if column.format == "text" and not column.options:
            content = plain(self.printing.side_by_side(fields, Markup(" ")))
        else:
            content = CELL_FORMATS[column.format](*values, **column.options)
        value = origin(values[0]) if len(values) == 1 else values
        # what marks the best depends on the samples, too
        joined = keys(*fields, *([self._compared(column, row)] if is_best else ()))
        is_bold = column.bold is not None and bool(self._field(row, column.bold))
        return Cell(
            content,
            lambda text: self.printing.marked(text, Formatted.of(text, value, neutral(content)), joined),
            column.mark if is_best else "bold" if is_bold else None,
        )

    def _field(self, row: Any, name: str) -> Any:
        bare = plain(row)
        # the labels of several levels of columns are joined by dots, too
        for part in [name] if isinstance(bare, dict) and name in bare else name.split("."):
            row = self.printing.getitem(row, part)
        return defined(row)
