r"""Tables as LaTeX: booktabs rules, numbers aligned at the decimal mark by siunitx."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from labreport.errors import did_you_mean
from labreport.language import Cell, Column, FormatError, Number
from labreport.writing.latex import Latex, to_latex

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
    """A column as LaTeX typesets it: one column of text or of numbers, or two for mean ± std."""

    def __init__(self, cells: Sequence[Cell], is_first: bool, is_last: bool) -> None:
        numbers = [cell.content for cell in cells if isinstance(cell.content, Number)]
        self.width = 2 if any(n.uncertainty is not None for n in numbers) else 1
        self.edges = ("@{}" if is_first else "", "@{}" if is_last else "")
        plain = [n for n in numbers if n.exponent is None]
        self.spec = _aligned([n.mantissa for n in plain]) if numbers else "l"
        if self.width == 2:
            self.spec += r"@{\,$\pm$\,}" + _aligned(
                [n.uncertainty for n in plain if n.uncertainty is not None]
            )

    def cell(self, cell: Cell) -> str:
        """Return a cell; what cannot be aligned stands in the middle of its column."""
        weight = r"\bfseries " if cell.bold else ""
        number = cell.content
        if not isinstance(number, Number):
            return self.centred(weight + cell.mark(to_latex(number)))
        # an S column aligns at the decimal mark: what has a power of ten would widen all of it
        if number.exponent is not None or (self.width == 2 and number.uncertainty is None):
            return self.centred(weight + cell.mark(to_latex(number)))
        spread = "" if number.uncertainty is None else f" & {weight}{number.uncertainty}"
        return weight + cell.mark(number.mantissa + spread)

    def centred(self, text: str) -> str:
        """Return a text over the whole width: centred above numbers, at the left in a column of text."""
        if self.width == 2:
            left, right = self.edges  # \multicolumn replaces the table's own @{} at the edges
            return rf"\multicolumn{{2}}{{{left}c{right}}}{{{text}}}"
        return f"{{{text}}}"


def _aligned(numbers: Sequence[str]) -> str:
    """Return a siunitx column that is as wide as its widest number."""
    parts = [n.lstrip("-").partition(".") for n in numbers]
    whole = max((len(p[0]) for p in parts), default=1)
    decimals = max((len(p[2]) for p in parts), default=0)
    sign = "-" if any(n.startswith("-") for n in numbers) else ""
    return rf"S[table-format={sign}{whole}.{decimals}]"


def _heads(columns: Sequence[Column], typeset: Sequence[_Typeset]) -> list[str]:
    """Return the lines of the head: the common heads from top to bottom, then each column's own."""
    lines = []
    for level in range(max(len(c.under) for c in columns)):
        cells, rules, position = [], [], 1
        above_each = [c.under[: level + 1] for c in columns]
        for above, run in groupby(range(len(columns)), above_each.__getitem__):
            covered = [typeset[i] for i in run]
            width = sum(t.width for t in covered)
            if len(above) > level:
                sides = f"{covered[0].edges[0]}c{covered[-1].edges[1]}"
                cells.append(rf"\multicolumn{{{width}}}{{{sides}}}{{{above[level]}}}")
                rules.append(rf"\cmidrule(lr){{{position}-{position + width - 1}}}")
            else:
                cells += [t.centred("") for t in covered]
            position += width
        lines += [" & ".join(cells) + r" \\", " ".join(rules)]
    own = [t.centred(c.head) for c, t in zip(columns, typeset, strict=True)]
    return [*lines, " & ".join(own) + r" \\"]
