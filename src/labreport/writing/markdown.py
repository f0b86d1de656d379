r"""Values as Markdown: text that is escaped for Jupyter and GitHub, numbers, tables, figures.

Both show LaTeX mathematics and find it before and after they read Markdown, so a backslash does not protect a
dollar sign: characters that begin mathematics stand in an element of their own, as entities.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from labreport.language import (
    Address,
    Cell,
    Column,
    Duration,
    Figure,
    FileName,
    FormatError,
    Number,
    Numeric,
    cut,
    kind,
    short,
)

Markdown = Markup
"""Text that is Markdown already and is printed as it stands."""

DASH = Markdown("–")
"""What a missing value prints as."""

# ---------------------------------------------------------------------------------------------------- text

SPECIAL = {
    **{c: f"\\{c}" for c in '`*_{}[]|~"'},
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "\\": "<span>&#92;</span>",
    "$": "<span>&#36;</span>",
}


def escape(text: str) -> Markdown:
    """Return text as Markdown that shows it literally in running text and in cells of tables.

    White space becomes one space; a character that cannot be seen appears as its code point, [U+200B].
    """
    line = cut(text)
    # only at its beginning can a text make a list, a heading or a rule
    first = re.match(r"\s*(\d+[.)]|[#+=:-]*)", line)
    end = first.end() if first else 0
    beginning = re.sub(r"([#+=:.)-])", r"\\\1", line[:end])
    return Markdown(beginning + "".join(map(_escaped, line[end:])))


def _escaped(c: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    return c if c.isprintable() else rf"\[U+{ord(c):04X}\]"


def _attribute(text: str) -> str:
    """Return text for the alternative text of an image: with entities, which no tool reads as Markdown."""
    return "".join(f"&#{ord(c)};" if c in SPECIAL else c for c in cut(text) if c.isprintable())


def address(value: Address) -> Markdown:
    """Return an address as a link that shows itself."""
    return Markdown(f"<{value}>")


def file_name(value: FileName) -> Markdown:
    """Return a file name as code."""
    return Markdown(code_span(cut(value)))


def code_span(text: str) -> str:
    """Return a text as code within a line, whatever backticks are in it."""
    fence = _fence(text, 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def code_block(text: str, language: str) -> str:
    """Return lines of code as a block, whatever backticks are in them."""
    fence = _fence(text, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def _fence(text: str, least: int) -> str:
    """Return backticks, more than stand together in the text."""
    return "`" * max(least, 1 + max(map(len, re.findall("`+", text)), default=0))


# ------------------------------------------------------------------------------------------------- numbers

UNITS = {
    "percent": "%",
    "microsecond": "µs",
    "millisecond": "ms",
    "second": "s",
    "minute": "min",
    "hour": "h",
}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class _Notation:
    """How the parts of a number are written."""

    minus: str
    comma: str
    spread: str
    power: Callable[[int], str]
    unit: Callable[[str], str]


_TEXT = _Notation(
    "−", ",", " ± ", lambda power: f" × 10{str(power).translate(_RAISED)}", lambda unit: f" {unit}"
)
_TEX = _Notation(
    "-",
    "{,}",  # a bare comma gets a space behind it, as in a list
    r" \pm ",
    lambda power: rf" \times 10^{{{power}}}",
    lambda unit: r"\,\%" if unit == "%" else rf"\,\mathrm{{{unit}}}",
)


def number(value: Number) -> Markdown:
    """Return a number as characters: −1,234.5, 0.12 ± 0.03, 1.23 × 10⁻⁵, 12.3 %."""
    return Markdown(_number(value, _TEXT))


def in_mathematics(value: Numeric) -> str:
    r"""Return a number for use between dollar signs: 1.2 \times 10^{-5}."""
    parts = value.parts if isinstance(value, Duration) else (value,)
    return " ".join(_number(part, _TEX) for part in parts)


def _number(value: Number, notation: _Notation) -> str:
    body = _decimal(value.mantissa, notation)
    if value.uncertainty is not None:
        body += f"{notation.spread}{_decimal(value.uncertainty, notation)}"
    if value.exponent is not None:
        factor = f"({body})" if value.uncertainty is not None else body
        body = factor + notation.power(value.exponent)
    return body + (notation.unit(UNITS[value.unit]) if value.unit else "")


def _decimal(digits: str, notation: _Notation) -> str:
    """Return decimal digits with a true minus sign and a comma before each three digits of the whole part."""
    whole, point, decimals = digits.partition(".")
    grouped = re.sub(r"(?<=\d)(?=(\d{3})+$)", notation.comma, whole)
    return grouped.replace("-", notation.minus) + point + decimals


_MATHEMATICS = re.compile(
    r"(?P<fence>`+).*?(?P=fence)(?!`)"  # code: no mathematics in it
    r"|\\[$\\]"
    r"|(?P<tex>\$\$.+?\$\$|\$(?:[^$\\\n]|\\.|\n(?!\s*\n))+\$|\\begin\{(?P<env>\w+\*?)\}.*?\\end\{(?P=env)\})",
    re.DOTALL,
)


def mathematics(text: str) -> Iterator[tuple[int, int]]:
    """Yield where mathematics begins and ends in a text of Markdown."""
    for match in _MATHEMATICS.finditer(text):
        if match["tex"]:
            yield match.span()


# ------------------------------------------------------------------------------------------------- the rest


def python(value: Any) -> Markup:
    """Return a plain value as Python writes it, for cells of code: 0.1, 'adam', [1, 2]."""
    if isinstance(value, Markup):
        raise FormatError(f"|python writes a value, this is formatted already: {short(value)}")
    if not isinstance(value, bool | int | float | str | list | dict | None):
        raise FormatError(f"|python cannot write a {kind(value)}: {short(value)}")
    return Markup(repr(value))


def figure(value: Figure) -> Markdown:
    """Return a figure as an image attached to the cell, with its alternative text."""
    if value.width is not None:
        raise FormatError("a notebook shows a figure as large as it is", cure="leave `width` out")
    return Markdown(f"![{_attribute(value.alt)}](attachment:{attachment(value)})")


def attachment(value: Figure) -> str:
    """Return the name by which a figure is attached to a cell."""
    return f"{value.experiment}-{value.name}.png"


WRITERS: dict[type, Callable[[Any], Markdown]] = {
    type(None): lambda _: DASH,
    str: escape,
    Number: number,
    Duration: lambda value: Markdown(" ".join(map(number, value.parts))),
    Address: address,
    FileName: file_name,
    Figure: figure,
}


def to_markdown(formatted: Any) -> Markdown:
    """Return what a format returned as Markdown; FormatError for a label, which only LaTeX has."""
    if isinstance(formatted, Markup):
        return formatted
    if type(formatted) not in WRITERS:
        what = f"a {type(formatted).__name__.lower()} has no form in Markdown: {short(str(formatted))}"
        raise FormatError(what, cure="print it with |text")
    return WRITERS[type(formatted)](formatted)


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    groups: Sequence[Any] = (),
    layout: str = "normal",
    caption: str | None = None,
    label: str | None = None,
) -> Markdown:
    """Return the rows as a table of Markdown: numbers at the right, without their units; one line of heads.

    A head below others begins with them: "Loss: test". Markdown has one layout, no groups and no captions.
    """
    if not columns:
        raise FormatError("|table needs columns", cure='|table(column("Head", "field", "num"), …)')
    if groups or layout != "normal" or caption is not None or label is not None:
        what = "a table of Markdown has no `separate`, `layout`, `caption` or `label`"
        raise FormatError(what, cure="leave it out; write captions as text")
    heads = [": ".join(part for part in (*c.under, c.head) if part) for c in columns]
    # Markdown aligns whole columns: at the right as soon as one cell is a number
    rules = [
        "---:" if any(isinstance(row[at].content, Numeric) for row in rows) else ":---"
        for at in range(len(columns))
    ]
    lines = [heads, rules, *([_cell(cell) for cell in row] for row in rows)]
    return Markdown("\n".join(f"| {' | '.join(cells)} |" for cells in lines))


def _cell(cell: Cell) -> str:
    content = cell.content
    if isinstance(content, Number) and content.unit is not None:
        content = Number(content.mantissa, content.uncertainty, content.exponent)
    written = to_markdown(content)
    text = cell.mark(written.replace("|", r"\|") if isinstance(content, FileName) else written)
    return f"**{text}**" if cell.bold and text else text


def answer(question: str) -> Markdown:
    """Return nothing: a notebook shows no mark where it answers a question, the record of it tells."""
    del question
    return Markdown("")
