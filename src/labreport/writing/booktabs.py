"""Tables as LaTeX: booktabs rules, numbers aligned at the decimal mark."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from labreport.errors import did_you_mean
from labreport.language import Cell, Column, FormatError, Number
from labreport.writing.latex import Latex, digits, to_latex

LAYOUTS = ("normal", "long", "wide")


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    groups: Sequence[Any] = (),
    layout: str = "normal",
    caption: str | None = None,
    label: str | None = None,
) -> Latex:
    """Return the rows as a table; numbers are aligned, without their units: these belong in the heads.

    `groups` holds the group of each row: a small space divides the groups. The layout is "normal" (a
    tabular), "long" (breaks over pages, with caption and label of its own) or "wide" (turned by 90 degrees).
    """
    _check(columns, layout, caption, label)
    last = len(columns) - 1
    typeset = [_Typeset([row[i] for row in rows], i == 0, i == last) for i in range(len(columns))]
    body = []
    for index, row in enumerate(rows):
        if index and groups and groups[index] != groups[index - 1]:
            body.append(r"\addlinespace")
        body.append(" & ".join(t.cell(cell) for t, cell in zip(typeset, row, strict=True)) + r" \\")
    spec = "@{}" + "".join(t.spec for t in typeset) + "@{}"
    head = [r"\toprule", *_heads(columns, typeset), r"\midrule"]
    if layout == "long":
        return Latex("\n".join(_long(spec, head, body, caption, label)))
    lines = [rf"\begin{{tabular}}{{{spec}}}", *head, *body, r"\bottomrule", r"\end{tabular}"]
    if layout == "wide":
        lines = [r"\begin{sideways}", *lines, r"\end{sideways}"]
    return Latex("\n".join(lines))


def _check(columns: Sequence[Column], layout: str, caption: str | None, label: str | None) -> None:
    """Raise FormatError if a table cannot be made of these."""
    if layout not in LAYOUTS:
        cure = did_you_mean(layout, LAYOUTS)
        raise FormatError(f"unknown layout {layout!r} of a table", cure=cure, name=layout)
    if not columns:
        raise FormatError("|table needs columns", cure='|table(column("Head", "field", "num"), …)')
    if layout != "long" and (caption is not None or label is not None):
        raise FormatError(
            "caption and label belong to a long table only",
            cure=r"write \caption and \label in the table environment around it",
        )


def _long(spec: str, head: list[str], body: list[str], caption: str | None, label: str | None) -> list[str]:
    title = []
    if caption is not None or label is not None:
        title = [rf"\caption{{{caption or ''}}}" + (rf"\label{{{label}}}" if label else "") + r"\\"]
    return [
        rf"\begin{{longtable}}{{{spec}}}",
        *title,
        *head,
        r"\endfirsthead",
        *head,
        r"\endhead",
        r"\midrule",
        r"\endfoot",
        r"\bottomrule",
        r"\endlastfoot",
        *body,
        r"\end{longtable}",
    ]


class _Typeset:
    r"""A column as LaTeX typesets it: text at the left, or numbers aligned at their decimal marks.

    What stands on each side of the mark has a box as wide as the widest there: `\LRat` sets a number into the
    two boxes of its column, `\LRerror` a standard deviation into two more.
    """

    def __init__(self, cells: Sequence[Cell], is_first: bool, is_last: bool) -> None:
        numbers = [cell.content for cell in cells if isinstance(cell.content, Number)]
        plain = [n for n in numbers if n.exponent is None]
        self.has_errors = any(n.uncertainty is not None for n in numbers)
        self.edges = ("@{}" if is_first else "", "@{}" if is_last else "")
        self.spec = "l"
        if numbers:
            widths = r"\LRwidths" + _widest([n.mantissa for n in plain])
            if self.has_errors:
                widths += r"\LRerrors" + _widest([n.uncertainty for n in plain if n.uncertainty is not None])
            self.spec = f">{{{widths}}}c"

    def cell(self, cell: Cell) -> str:
        """Return a cell; what cannot be aligned stands in the middle of its column."""
        weight = r"\bfseries " if cell.bold else ""
        number = cell.content
        is_number = isinstance(number, Number) and number.exponent is None
        if not is_number or self.has_errors != (number.uncertainty is not None):
            return f"{{{weight}{cell.mark(to_latex(number))}}}"
        error = "" if number.uncertainty is None else r"\LRerror" + _halves(number.uncertainty)
        return weight + cell.mark(r"\LRat" + _halves(number.mantissa) + error)


def _halves(number: str) -> str:
    """Return the two sides of the decimal mark, which belongs to the right one, as arguments."""
    whole, point, decimals = digits(number).partition(".")
    return f"{{{whole}}}{{{point}{decimals}}}"


def _widest(numbers: Sequence[str]) -> str:
    """Return two arguments that are as wide as the widest sides of the decimal mark: all digits are."""
    parts = [n.removeprefix("-").partition(".") for n in numbers]
    whole = max((len(p[0]) for p in parts), default=1)
    decimals = max((len(p[2]) for p in parts), default=0)
    sign = "-" if any(n.startswith("-") for n in numbers) else ""
    return _halves(sign + "0" * whole + ("." + "0" * decimals if decimals else ""))


def _heads(columns: Sequence[Column], typeset: Sequence[_Typeset]) -> list[str]:
    """Return the lines of the head: the common heads from top to bottom, then each column's own."""
    lines = []
    for level in range(max(len(c.under) for c in columns)):
        cells, rules, position = [], [], 1
        above_each = [c.under[: level + 1] for c in columns]
        for above, run in groupby(range(len(columns)), above_each.__getitem__):
            covered = [typeset[i] for i in run]
            width = len(covered)
            if len(above) > level:
                sides = f"{covered[0].edges[0]}c{covered[-1].edges[1]}"
                cells.append(rf"\multicolumn{{{width}}}{{{sides}}}{{{above[level]}}}")
                rules.append(rf"\cmidrule(lr){{{position}-{position + width - 1}}}")
            else:
                cells += ["{}"] * width
            position += width
        lines += [" & ".join(cells) + r" \\", " ".join(rules)]
    return [*lines, " & ".join(f"{{{c.head}}}" for c in columns) + r" \\"]
