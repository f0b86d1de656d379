"""Tables as LaTeX: booktabs rules, numbers aligned at the decimal mark."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from labreport.errors import did_you_mean
from labreport.language import ENGLISH, Cell, Column, FormatError, Locale, Number, Scaled, in_cell
from labreport.writing.latex import Latex, brackets, digits, symbol, to_latex

LAYOUTS = ("normal", "long", "wide")
MOST_ON_A_PAGE = 1_000  # TeX keeps such a table in its memory, which 10,000 rows exceed
MOST_ROWS = 20_000


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    groups: Sequence[Any] = (),
    titles: Sequence[Any] = (),
    notes: Sequence[str] = (),
    layout: str = "normal",
    caption: str | None = None,
    label: str | None = None,
    locale: Locale = ENGLISH,
) -> Latex:
    """Return the rows as a table; numbers are aligned, without their units: these belong in the heads.

    `groups` holds the group of each row: a small space divides the groups, below it stands the title, if
    there is one. The layout is "normal" (a tabular), "long" (breaks over pages, with caption and label of its
    own) or "wide" (turned by 90 degrees). Notes stand below the table, as wide as it is.
    """
    _check(columns, layout, caption, label)
    _check_length(len(rows), layout)
    last = len(columns) - 1
    typeset = [_Typeset([row[i] for row in rows], i == 0, i == last, locale) for i in range(len(columns))]
    body = []
    for index, row in enumerate(rows):
        if groups and (not index or groups[index] != groups[index - 1]):
            body += [r"\addlinespace"] if index else []
            if titles and titles[index] is not None:
                title = rf"\itshape {_on_a_line(titles[index])}"
                body.append(rf"\multicolumn{{{last + 1}}}{{@{{}}l@{{}}}}{{{title}}} \\*")
        body.append(" & ".join(t.cell(cell) for t, cell in zip(typeset, row, strict=True)) + r" \\")
    spec = "@{}" + "".join(t.spec for t in typeset) + "@{}"
    head = [r"\toprule", *_heads(columns, typeset), r"\midrule"]
    if layout == "long":
        below = [
            rf"\multicolumn{{{last + 1}}}{{@{{}}p{{\linewidth}}@{{}}}}{{\LRnote {note}}} \\" for note in notes
        ]
        return Latex("\n".join(_long(spec, head, body, below, caption, label)))
    lines = [rf"\begin{{tabular}}{{{spec}}}", *head, *body, r"\bottomrule", r"\end{tabular}"]
    if notes:
        noted = "\n".join(rf"\LRnote {note}\par" for note in notes)
        lines = [rf"\begin{{LRnoted}}{{{noted}}}", *lines, r"\end{LRnoted}"]
    if layout == "wide":
        lines = [r"\begin{sideways}", *lines, r"\end{sideways}"]
    return Latex("\n".join(lines))


def _check_length(rows: int, layout: str) -> None:
    """Raise FormatError for more rows than a page, or a table over pages, can hold: TeX is slow then."""
    most = MOST_ROWS if layout == "long" else MOST_ON_A_PAGE
    if rows > most:
        over_pages = 'layout="long" breaks over pages; ' if layout != "long" and rows <= MOST_ROWS else ""
        raise FormatError(
            f"this table has {rows:,} rows; a table {'over pages' if layout == 'long' else 'on one page'} "
            f"has at most {most:,}",
            cure=f"{over_pages}print a selection, as rows[:20], or draw a figure of them",
        )


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


def _long(
    spec: str, head: list[str], body: list[str], below: list[str], caption: str | None, label: str | None
) -> list[str]:
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
        *below,
        r"\endlastfoot",
        *body,
        r"\end{longtable}",
    ]


class _Typeset:
    r"""A column as LaTeX typesets it: text at the left, or numbers aligned at their decimal marks.

    What stands on each side of the mark has a box as wide as the widest there: `\LRat` sets a number into the
    two boxes of its column, `\LRerror` a standard deviation into two more.
    """

    def __init__(self, cells: Sequence[Cell], is_first: bool, is_last: bool, locale: Locale) -> None:
        self.locale = locale
        contents = [in_cell(cell.content) for cell in cells]
        numbers = [content for content in contents if isinstance(content, Number)]
        aligned = [n for n in numbers if _can_be_aligned(n)]
        errors = [n.uncertainty for n in aligned if n.uncertainty is not None and not n.compact]
        self.has_errors = bool(errors) or any(n.uncertainty is not None and not n.compact for n in numbers)
        self.edges = ("@{}" if is_first else "", "@{}" if is_last else "")
        self.spec = "l"
        if numbers:
            behind = max((brackets(n) for n in aligned if n.compact), key=len, default="")
            widths = r"\LRwidths" + _widest([n.mantissa for n in aligned], locale, behind)
            if self.has_errors:
                widths += r"\LRerrors" + _widest(errors, locale)
            self.spec = f">{{{widths}}}c"

    def cell(self, cell: Cell) -> str:
        """Return a cell; what cannot be aligned stands in the middle of its column."""
        weight = r"\bfseries " if cell.look == "bold" else ""
        star = r"\rlap{\textsuperscript{*}}" if cell.look == "star" else ""
        number = in_cell(cell.content)
        is_aligned = isinstance(number, Number) and _can_be_aligned(number)
        if not is_aligned or self.has_errors != (number.uncertainty is not None and not number.compact):
            text = _on_a_line(cell.mark(to_latex(number, self.locale)))
            return f"{{{weight}{_underlined(text) if cell.look == 'underline' else text}{star}}}"
        behind = brackets(number) if number.compact else ""
        parts = [r"\LRat" + self._halves(number.mantissa, cell.look, behind)]
        if number.uncertainty is not None and not number.compact:
            parts.append(r"\LRerror" + self._halves(number.uncertainty, cell.look, ""))
        # a star needs no room: the columns stay as wide as their numbers
        return weight + cell.mark("".join(parts)) + star

    def _halves(self, number: str, look: str | None, behind: str) -> str:
        both = _sides(number, self.locale, behind)
        return "".join(f"{{{_underlined(side) if look == 'underline' and side else side}}}" for side in both)


def _on_a_line(text: str) -> str:
    r"""Return what stands on one line whatever its length, abridged if it is too long for any.

    TeX does not report lines that are longer than 32,767pt, as it cannot measure them.
    """
    return rf"\LRabridged {text}" if r"\LRrest" in text else text


def _underlined(text: str) -> str:
    return rf"\LRunderlined{{{text}}}"


def _can_be_aligned(number: Number) -> bool:
    return number.exponent is None and not isinstance(number, Scaled)


def _sides(number: str, locale: Locale, behind: str = "") -> tuple[str, str]:
    """Return the two sides of the decimal mark, which belongs to the right one."""
    whole, point, decimals = number.partition(".")
    mark = "{,}" if point and locale.decimal == "," else point
    return digits(whole, locale), f"{mark}{decimals}{behind}"


def _widest(numbers: Sequence[str], locale: Locale, behind: str = "") -> str:
    """Return two arguments that are as wide as the widest sides of the decimal mark: all digits are."""
    parts = [n.lstrip("+-").partition(".") for n in numbers]
    whole = max((len(p[0]) for p in parts), default=1)
    decimals = max((len(p[2]) for p in parts), default=0)
    sign = "-" if any(n.startswith(("-", "+")) for n in numbers) else ""
    sides = _sides(sign + "0" * whole + ("." + "0" * decimals if decimals else ""), locale, behind)
    return "".join(f"{{{side}}}" for side in sides)


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
                cells.append(rf"\multicolumn{{{width}}}{{{sides}}}{{{_on_a_line(above[level])}}}")
                rules.append(rf"\cmidrule(lr){{{position}-{position + width - 1}}}")
            else:
                cells += ["{}"] * width
            position += width
        lines += [" & ".join(cells) + r" \\", " ".join(rules)]
    return [*lines, " & ".join(f"{{{_head(c)}}}" for c in columns) + r" \\"]


def _head(column: Column) -> str:
    """Return a column's own head, with the unit of its cells."""
    head = _on_a_line(column.head if column.unit is None else f"{column.head} ({symbol(column.unit)})")
    return rf"\rotatebox{{90}}{{{head}}}" if column.turned else head
