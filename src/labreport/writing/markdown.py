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
    ENGLISH,
    LONGEST_ADDRESS,
    Address,
    Bare,
    Cell,
    Column,
    Date,
    Duration,
    Figure,
    FileName,
    FormatError,
    Locale,
    Money,
    Numeric,
    Ordinal,
    Phrase,
    cut,
    in_cell,
    kind,
    short,
)
from labreport.writing.latex import brackets

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
    "#": r"\#",  # at the end of a heading, too
    "\\": "<span>&#92;</span>",
    "$": "<span>&#36;</span>",
}
_LINKING = re.compile(r"(?<=\w):(?=//)|(?<=www)\.|(?<=[\w.+-])@(?=\w)|:(?=[\w+-]+:)", re.IGNORECASE)
"""What Jupyter and GitHub make a link of, though nobody asked for one, or a picture (:smile:)."""


def escape(text: str) -> Markdown:
    """Return text as Markdown that shows it literally in running text and in cells of tables.

    White space becomes one space; a character that cannot be seen appears as its code point, [U+200B].
    """
    line = cut(text)
    # only at its beginning can a text make a list, a heading or a rule
    first = re.match(r"\s*(\d+[.)]|[#+=:-]*)", line)
    end = first.end() if first else 0
    beginning = re.sub(r"([#+=:.)-])", r"\\\1", line[:end])
    # a backslash does not stop GitHub's links: an element of its own does
    linking = {found.start() for found in _LINKING.finditer(line, end)}
    rest = (f"<span>{c}</span>" if at in linking else _escaped(c) for at, c in enumerate(line[end:], end))
    return Markdown(beginning + "".join(rest))


def _escaped(c: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    return c if c.isprintable() else rf"\[U+{ord(c):04X}\]"


def _attribute(text: str) -> str:
    """Return text for the alternative text of an image: with entities, which no tool reads as Markdown."""
    shown = "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in cut(text))
    return "".join(f"&#{ord(c)};" if c in SPECIAL else c for c in shown)


def address(value: Address) -> Markdown:
    """Return an address as a link that shows itself; what is too long for one is cut, as a file name is."""
    if len(value) > LONGEST_ADDRESS:
        return file_name(FileName(value))
    return Markdown(f"<{value}>")


def file_name(value: FileName) -> Markdown:
    """Return a file name as code; a character that cannot be seen appears as its code point, [U+200B]."""
    seen = (c if c.isprintable() else f"[U+{ord(c):04X}]" for c in cut(value))
    return Markdown(code_span("".join(seen)))


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
    blank: str
    spread: str
    power: Callable[[int], str]
    unit: Callable[[str], str]
    phrases: dict[str, str]
    word: str = "{}"


_TEXT = _Notation(
    "−",
    ",",
    " ",
    " ± ",
    lambda power: f" × 10{str(power).translate(_RAISED)}",
    lambda unit: " " + re.sub(r"\^(-?\d+)", lambda found: found[1].translate(_RAISED), unit),
    {
        "ci": r"{0} \[{1}{separator} {2}\]",
        "range": "{0}–{1}",
        "wide range": "{0} – {1}",
        "per": "{0} {per} {1}",
        "p =": "*p* = {0}",
        "p <": r"*p* &lt; {0}",
        "p >": r"*p* &gt; {0}",
        "<": "&lt; {0}",
        ">": "&gt; {0}",
    },
)
_TEX = _Notation(
    "-",
    "{,}",  # a bare comma gets a space behind it, as in a list
    r"\,",
    r" \pm ",
    lambda power: rf" \times 10^{{{power}}}",
    lambda unit: rf"\,\mathrm{{{_tex_unit(unit)}}}" if unit != "%" else r"\,\%",
    {
        "ci": r"{0}\ [{1}{separator}\ {2}]",
        "range": r"{0}\text{{–}}{1}",
        "wide range": r"{0}\text{{ – }}{1}",
        "per": r"{0}\text{{ {per} }}{1}",
        "p =": "p = {0}",
        "p <": r"p \lt {0}",
        "p >": r"p \gt {0}",
    },
    r"\text{{{}}}",
)


def _tex_unit(unit: str) -> str:
    return re.sub(r"\^(-?\d+)", r"^{\1}", unit).replace(" ", r"\,").replace("%", r"\%").replace("$", r"\$")


def number(value: Numeric, locale: Locale = ENGLISH) -> Markdown:
    """Return a number as characters: −1,234.5, 0.12 ± 0.03, 1.23 × 10⁻⁵, 12.3 %."""
    return Markdown(_numeric(value, _TEXT, locale))


def in_mathematics(value: Numeric, locale: Locale = ENGLISH) -> str:
    r"""Return a number for use between dollar signs: 1.2 \times 10^{-5}."""
    return _numeric(value, _TEX, locale)


def _numeric(value: Numeric, notation: _Notation, locale: Locale) -> str:
    if isinstance(value, Duration):
        return " ".join(_numeric(part, notation, locale) for part in value.parts)
    if isinstance(value, Ordinal):
        return notation.word.format(locale.ordinal(value.number))
    if isinstance(value, Money):
        sign, amount = (notation.minus, value.amount[1:]) if value.amount[0] == "-" else ("", value.amount)
        before, after = (
            re.sub(r"[^\s\xa0\u202f]+", lambda found: notation.word.format(escape(found[0])), side)
            for side in locale.money(value)
        )
        return f"{sign}{before}{_decimal(amount, notation, locale)}{after}"
    if isinstance(value, Phrase):
        numbers = [_decimal(n.mantissa, notation, locale) for n in value.numbers]
        body = notation.phrases[value.form].format(*numbers, separator=locale.separator, per=locale.per)
        return _whole(body, notation, True, value.exponent, value.unit)
    body = _decimal(value.mantissa, notation, locale)
    if value.compact:
        body += brackets(value)
    elif value.uncertainty is not None:
        body += f"{notation.spread}{_decimal(value.uncertainty, notation, locale)}"
    is_sum = value.uncertainty is not None and not value.compact
    return _whole(body, notation, is_sum, value.exponent, value.unit)


def _whole(body: str, notation: _Notation, is_several: bool, exponent: int | None, unit: str | None) -> str:
    """Return digits with their power of ten and their unit."""
    if exponent is not None:
        body = (f"({body})" if is_several else body) + notation.power(exponent)
    return body + (notation.unit(UNITS.get(unit, unit)) if unit else "")


def _decimal(digits: str, notation: _Notation, locale: Locale) -> str:
    """Return decimal digits with a true minus sign, and with the language's marks between them."""
    whole, point, decimals = digits.lstrip("-+").partition(".")
    sign = digits[0].replace("-", notation.minus) if digits[0] in "-+" else ""
    mark, group = (
        {",": notation.comma, "\xa0": notation.blank, "\u202f": notation.blank}.get(c, c)
        for c in (locale.decimal, locale.group)
    )
    return sign + locale.grouped(whole).replace(",", group) + (mark if point else "") + decimals


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
    Bare: Markdown,
    Address: address,
    FileName: file_name,
    Figure: figure,
}


def to_markdown(formatted: Any, locale: Locale = ENGLISH) -> Markdown:
    """Return what a format returned as Markdown; FormatError for a label, which only LaTeX has."""
    if isinstance(formatted, Markup):
        return formatted
    if isinstance(formatted, Numeric):
        return number(formatted, locale)
    if isinstance(formatted, Date):
        return escape(locale.date(formatted))
    if type(formatted) not in WRITERS:
        what = f"a {type(formatted).__name__.lower()} has no form in Markdown: {short(str(formatted))}"
        raise FormatError(what, cure="print it with |text")
    return WRITERS[type(formatted)](formatted)


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
) -> Markdown:
    """Return the rows as a table of Markdown: numbers at the right, without their units; one line of heads.

    A head below others begins with them: "Loss: test". The title of a group is a row in bold; notes stand
    below the table. Markdown has one layout, no spaces between rows and no captions.
    """
    if not columns:
        raise FormatError("|table needs columns", cure='|table(column("Head", "field", "num"), …)')
    is_separated = groups and all(title is None for title in titles)
    if is_separated or layout != "normal" or caption is not None or label is not None:
        what = "a table of Markdown has no `separate`, `layout`, `caption` or `label`"
        raise FormatError(what, cure="leave it out; write captions as text")
    heads = [": ".join(part for part in (*c.under, _head(c)) if part) for c in columns]
    # Markdown aligns whole columns: at the right as soon as one cell is a number
    rules = [
        "---:" if any(isinstance(row[at].content, Numeric) for row in rows) else ":---"
        for at in range(len(columns))
    ]
    lines = [heads, rules]
    for at, row in enumerate(rows):
        if groups and (not at or groups[at] != groups[at - 1]):
            lines.append([f"**{titles[at]}**", *[""] * (len(columns) - 1)])
        lines.append([_cell(cell, locale) for cell in row])
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return Markdown("\n\n".join([table, *notes]))


def _head(column: Column) -> str:
    unit = column.unit
    return column.head if unit is None else f"{column.head} ({_TEXT.unit(unit).strip()})"


LOOKS = {"bold": "**{}**", "underline": "<u>{}</u>", "star": r"{}\*", None: "{}"}


def _cell(cell: Cell, locale: Locale) -> str:
    content = in_cell(cell.content)
    written = to_markdown(content, locale)
    text = cell.mark(written.replace("|", r"\|") if isinstance(content, FileName) else written)
    return LOOKS[cell.look].format(text) if text else text


def answer(question: str) -> Markdown:
    """Return nothing: a notebook shows no mark where it answers a question, the record of it tells."""
    del question
    return Markdown("")
