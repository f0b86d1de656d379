"""Values as LaTeX: text that is escaped, numbers that are rounded by one rule, tables, figures."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from labreport.errors import InputError, did_you_mean
from labreport.values import kind

Latex = Markup
"""Text that is LaTeX already and is printed as it stands."""

DASH = Latex(r"\LRdash{}")
"""What a missing value prints as."""

LONGEST_TEXT = 10_000
"""The number of characters after which a text is cut, visibly: TeX cannot read lines of any length."""


class FormatError(InputError):
    """A value cannot be printed in the format that the template asks for."""


# ---------------------------------------------------------------------------------------------------- text

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": "{-}",  # no en dash from two hyphens
    "[": "{[}",  # no optional argument after \\ or \item
    "]": "{]}",
    "*": "{*}",  # no starred form after \\
    ",": "{,}",  # no ligature of two commas, no list separator
    "!": "{!}",  # no inverted mark from !` and ?`
    "?": "{?}",
}

# Beyond ASCII, what LaTeX declares for the encodings T1 and TS1 and Latin Modern has glyphs for.
TYPESETTABLE = (
    "A0-AC AE-B7 B9-125 128-137 139-13E 141-148 14A-165 168-17E 192 1C4-1D4 1E2-1E3 1E6-1EB 1F0 1F4-1F5 "
    "218-21B 232-233 237 2C7 2D8-2D9 2DB 2DD E3F 1E02-1E03 1E0D 1E1E-1E21 1E25 1E30-1E31 1E37 1E43 1E45 "
    "1E47 1E5B 1E63 1E6D 1E8E-1E91 1E9E 1EF2-1EF3 2010-2016 2018-201A 201C-201E 2020-2022 2026 "
    "2030-2031 2039-203B 203D 2044 204E 2052 20A1 20A4 20A6 20A9 20AB-20AC 20B1 2103 2116-2117 211E "
    "2120 2122 2126-2127 212E 2190-2193 2329-232A 2422-2423 25E6 25EF 266A 27E8-27E9 FB00-FB06"
)


def _code_points(ranges: str) -> frozenset[int]:
    points: set[int] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        points.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(points)


_TYPESETTABLE = _code_points(TYPESETTABLE)


def escape(text: str) -> Latex:
    """Return text as LaTeX that prints it literally in running text, arguments and table cells.

    White space becomes one space; a character that the fonts do not have appears as its code point, [U+03B1];
    a text of more than `LONGEST_TEXT` characters is cut and says so.
    """
    text = unicodedata.normalize("NFC", text)
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT} more characters)"
    out = [_escaped(c) for c in re.sub(r"\s+", " ", text)]
    return Latex("".join(out).strip() or "{}")


def _escaped(c: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    if " " <= c <= "~" or ord(c) in _TYPESETTABLE:
        return c
    return rf"\texttt{{{{[}}U+{ord(c):04X}{{]}}}}"


def text(value: Any) -> Latex:
    """Return a text, escaped; a missing value is a dash."""
    if value is None:
        return DASH
    if isinstance(value, Markup):
        return value
    if not isinstance(value, str):
        raise FormatError(f"|text prints a text, not the {kind(value)} {value!r}", cure=_format_cure(value))
    return escape(value)


def label(value: Any) -> Latex:
    """Return text as a label: lower-case ASCII letters, digits, hyphens and colons."""
    ascii_text = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9:]+", "-", ascii_text).strip("-")
    if not slug:
        raise FormatError(f"|label finds no letter or digit in {value!r}", cure="label it by another value")
    return Latex(slug)


def url(value: Any) -> Latex:
    r"""Return an address as \url: percent-encoded to ASCII; schemes: http, https, mailto, doi."""
    if not isinstance(value, str) or not re.match(r"(https?://|mailto:|doi:)", value):
        raise FormatError(f"|url prints an address, not {value!r}", cure="begin it with https://")
    address = quote(value, safe=":/?#[]@!$&'()*+,;=%-._")
    for char in "\\{}^#%&$~":
        address = address.replace(char, f"%{ord(char):02X}") if char in "\\{}^~" else address
    return Latex(rf"\url{{{address}}}")


def file(value: Any) -> Latex:
    """Return a file name in typewriter type; lines may break after slashes, dots and underscores."""
    if not isinstance(value, str):
        raise FormatError(
            f"|file prints a file name, not the {kind(value)} {value!r}", cure=_format_cure(value)
        )
    broken = "".join(_escaped(c) + (r"\allowbreak{}" if c in "/._" else "") for c in value)
    return Latex(rf"\texttt{{{broken}}}")


# ------------------------------------------------------------------------------------------------- numbers


@dataclass(frozen=True)
class Number:
    """A rounded number as decimal texts: mantissa, uncertainty, power of ten, unit (a siunitx name)."""

    mantissa: str
    uncertainty: str | None = None
    exponent: int | None = None
    unit: str | None = None

    def latex(self) -> Latex:
        r"""Return the number for siunitx: \num{...} or \qty{...}{...}."""
        body = self.mantissa
        if self.uncertainty is not None:
            body += f" +- {self.uncertainty}"
        if self.exponent is not None:
            body += f" e{self.exponent}"
        return Latex(rf"\qty{{{body}}}{{{self.unit}}}" if self.unit else rf"\num{{{body}}}")


def num(value: Any, digits: int = 3, decimals: int | None = None) -> Number | None:
    """Return a number with so many significant digits, or so many decimals; integers are printed whole.

    Below 0.0001 and from a million on the number is written with a power of ten.
    """
    value = _number(value, "num")
    if value is None:
        return None
    if isinstance(value, int):
        return Number(str(value))
    number = _decimal(value)
    if decimals is not None:
        return Number(_fixed(_quantise(number, -decimals)))
    return _scaled(_significant(number, digits), None)


def pm(mean: Any, std: Any = None) -> Number | None:
    """Return mean ± std: the std with two significant digits, the mean with as many decimals.

    One value may be a mapping with the keys `mean` and `std`. Without a std the mean has three digits.
    """
    if isinstance(mean, dict):
        if std is not None or not {"mean", "std"} <= set(mean):
            raise FormatError(
                "|pm prints a mapping with the keys 'mean' and 'std'",
                cure=did_you_mean("mean", mean) if std is None else "give the mapping or two numbers",
            )
        mean, std = mean["mean"], mean["std"]
    mean, std = _number(mean, "pm"), _number(std, "pm")
    if mean is None or std is None:
        return None if mean is None else num(float(mean))
    if std < 0:
        raise FormatError(f"a standard deviation cannot be negative: {std!r}")
    if std == 0:
        rounded = _significant(_decimal(mean), 3)
        return _scaled(rounded, Decimal(0))
    spread = _significant(_decimal(std), 2)
    exponent = spread.as_tuple().exponent
    return _scaled(_quantise(_decimal(mean), int(exponent)), spread)


def percent(value: Any, decimals: int = 1) -> Number | None:
    """Return a fraction as a percentage with so many decimals: 0.123 is 12.3 %."""
    value = _number(value, "percent")
    if value is None:
        return None
    return Number(_fixed(_quantise(_decimal(value) * 100, -decimals)), unit=r"\percent")


def integer(value: Any) -> Number | None:
    """Return a whole number; a number with decimals is an error."""
    value = _number(value, "integer")
    if value is None:
        return None
    if value != int(value):
        raise FormatError(
            f"|integer prints a whole number, not {value!r}", cure="use |num or |num(decimals=0)"
        )
    return Number(str(int(value)))


def duration(value: Any) -> Latex | None:
    """Return a time given in seconds with two units at most: 0.12 s is 120 ms, 90 is 1 min 30 s."""
    seconds = _number(value, "duration")
    if seconds is None:
        return None
    if seconds < 0:
        raise FormatError(f"a duration cannot be negative: {seconds!r}")
    if seconds < 1:
        scale, unit = (1e3, r"\milli\second") if seconds >= 1e-3 or seconds == 0 else (1e6, r"\micro\second")
        number = _significant(_decimal(seconds * scale), 2)
        return Number(_fixed(number), unit=unit).latex()
    if seconds < 10:
        return Number(_fixed(_quantise(_decimal(seconds), -1)), unit=r"\second").latex()
    whole = round(seconds)
    for size, big, small in ((3600, r"\hour", r"\minute"), (60, r"\minute", r"\second")):
        if whole >= size:
            rest = round((whole % size) / (size // 60))
            first, rest = divmod(whole // size * 60 + rest, 60)
            parts = [Number(str(first), unit=big).latex()]
            parts += [Number(str(rest), unit=small).latex()] if rest else []
            return Latex("~".join(parts))
    return Number(str(whole), unit=r"\second").latex()


def _number(value: Any, name: str) -> int | float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        if isinstance(value, float) and not math.isfinite(value):
            raise FormatError(
                f"|{name} cannot print {value!r}", cure="record what cannot be computed as missing"
            )
        return value
    raise FormatError(
        f"|{name} prints a number, not the {kind(value)} {_short(value)}", cure=_format_cure(value)
    )


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"


def _format_cure(value: Any) -> str:
    if isinstance(value, dict):
        return "name one of its keys: " + ", ".join(list(map(str, value))[:12])
    if isinstance(value, list):
        return "loop over it, or print it with |table or |join"
    if isinstance(value, bool):
        return r"say it in words: \VAR{'yes' if value else 'no'}"
    return "use |text" if isinstance(value, str) else "use |num, |integer or |percent"


def _decimal(value: float) -> Decimal:
    """Return the shortest decimal that is this float: 0.1 is 0.1; minus zero is zero."""
    return Decimal(repr(value)) if value else Decimal(0)


def _quantise(number: Decimal, exponent: int) -> Decimal:
    rounded = number.quantize(Decimal(1).scaleb(exponent), ROUND_HALF_EVEN)
    return abs(rounded) if rounded == 0 else rounded


def _significant(number: Decimal, digits: int) -> Decimal:
    """Return the number with so many significant digits; rounding up to the next power of ten keeps them."""
    if number == 0:
        return number
    rounded = _quantise(number, number.adjusted() - digits + 1)
    if rounded.adjusted() > number.adjusted():
        rounded = _quantise(number, number.adjusted() - digits + 2)
    return rounded


def _scaled(mantissa: Decimal, uncertainty: Decimal | None) -> Number:
    """Return the number, with a power of ten where it is very small or very large."""
    largest = max(abs(mantissa), uncertainty or Decimal(0))
    exponent = largest.adjusted() if largest else 0
    if -5 < exponent < 6:
        return Number(_fixed(mantissa), None if uncertainty is None else _fixed(uncertainty))
    shifted = None if uncertainty is None else _fixed(uncertainty.scaleb(-exponent))
    return Number(_fixed(mantissa.scaleb(-exponent)), shifted, exponent)


def _fixed(number: Decimal) -> str:
    return format(number, "f")


FORMATS: dict[str, Callable[..., Any]] = {
    "num": num,
    "pm": pm,
    "percent": percent,
    "integer": integer,
    "duration": duration,
    "text": text,
    "label": label,
    "url": url,
    "file": file,
}


def to_latex(formatted: Any) -> Latex:
    """Return what a format returned as LaTeX: numbers for siunitx, a missing value as a dash."""
    if formatted is None:
        return DASH
    return formatted.latex() if isinstance(formatted, Number) else Latex(formatted)


# -------------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class Column:
    """A column of a table: its head (LaTeX), the fields of a row that it shows, how, and below which heads.

    `under` is a head over several neighbouring columns, or a tuple of them from top to bottom; `bold` names a
    field that says in which rows the cell is printed bold.
    """

    head: str
    fields: tuple[str, ...]
    format: str = "text"
    under: tuple[str, ...] = ()
    bold: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


def column(
    head: str,
    fields: str | Sequence[str],
    format: str = "text",
    under: str | Sequence[str] = (),
    bold: str | None = None,
    **options: Any,
) -> Column:
    """Return a column for |table: `column("Test loss", ["mean", "std"], "pm", under="Loss")`."""
    if format not in FORMATS:
        raise FormatError(f"unknown format {format!r} of a column", cure=did_you_mean(format, FORMATS))
    names = (fields,) if isinstance(fields, str) else tuple(fields)
    above = (under,) if isinstance(under, str) else tuple(under)
    return Column(str(head), names, format, above, bold, options)


LAYOUTS = ("normal", "long", "wide")

Cell = tuple[Any, Any]
"""A cell: what its format returned and the row's boxes that it was made from."""


@dataclass(frozen=True)
class _Set:
    """A column ready to be typeset: its LaTeX column types and its cells with their markup."""

    spec: str
    width: int
    cells: list[str]


def table(
    rows: Sequence[Any],
    columns: Sequence[Column],
    format_cell: Callable[[Column, Any], Any],
    mark: Callable[[str, Column, Any], str],
    is_true: Callable[[Any, str], bool],
    *,
    layout: str = "normal",
    separate: Callable[[Any], Any] | None = None,
    caption: str | None = None,
    name: str | None = None,
) -> Latex:
    """Return a booktabs table of the rows; numbers are aligned at the decimal mark.

    `format_cell` formats one cell, `mark` wraps the text that it prints, so that each cell can be traced;
    `separate` returns the group of a row: a small space divides the groups. The layout is "normal" (a
    tabular), "long" (breaks over pages, with caption and label of its own) or "wide" (turned by 90 degrees).
    """
    if layout not in LAYOUTS:
        raise FormatError(f"unknown layout {layout!r} of a table", cure=did_you_mean(layout, LAYOUTS))
    if not columns:
        raise FormatError("|table needs columns", cure='|table(column("Head", "field", "num"), …)')
    if layout != "long" and (caption is not None or name is not None):
        raise FormatError(
            "caption and label belong to a long table only",
            cure=r"write \caption and \label in the table environment around it",
        )
    sets = [_set(c, [(format_cell(c, row), row) for row in rows], mark, is_true) for c in columns]
    spec = "@{}" + "".join(s.spec for s in sets) + "@{}"
    body = []
    groups = [separate(row) if separate else None for row in rows]
    for index in range(len(rows)):
        if index and groups[index] != groups[index - 1]:
            body.append(r"\addlinespace")
        body.append(" & ".join(s.cells[index] for s in sets) + r" \\")
    head = _heads(columns, [s.width for s in sets])
    if layout == "long":
        return Latex(_long(spec, head, body, caption, name))
    lines = [rf"\begin{{tabular}}{{{spec}}}", r"\toprule", *head, r"\midrule", *body, r"\bottomrule"]
    lines.append(r"\end{tabular}")
    if layout == "wide":
        lines = [r"\begin{sideways}", *lines, r"\end{sideways}"]
    return Latex("\n".join(lines))


def _long(spec: str, head: list[str], body: list[str], caption: str | None, name: str | None) -> str:
    title = []
    if caption is not None:
        title = [rf"\caption{{{caption}}}" + (rf"\label{{{name}}}" if name else "") + r"\\"]
    return "\n".join(
        [
            rf"\begin{{longtable}}{{{spec}}}",
            *title,
            r"\toprule",
            *head,
            r"\midrule",
            r"\endfirsthead",
            r"\toprule",
            *head,
            r"\midrule",
            r"\endhead",
            r"\midrule",
            r"\endfoot",
            r"\bottomrule",
            r"\endlastfoot",
            *body,
            r"\end{longtable}",
        ]
    )


def _set(
    column: Column,
    cells: list[Cell],
    mark: Callable[[str, Column, Any], str],
    is_true: Callable[[Any, str], bool],
) -> _Set:
    numbers = [value for value, _ in cells if isinstance(value, Number)]
    double = any(n.uncertainty is not None for n in numbers)
    numeric = bool(numbers)

    def cell(value: Any, row: Any) -> str:
        bold = column.bold is not None and is_true(row, column.bold)
        weight = r"\bfseries " if bold else ""
        if not isinstance(value, Number):
            shown = mark(to_latex(value), column, row)
            if not numeric:
                return weight + shown
            return rf"\multicolumn{{{2 if double else 1}}}{{c}}{{{weight}{shown}}}"
        if value.exponent is not None or (double and value.uncertainty is None):
            shown = mark(Number(value.mantissa, value.uncertainty, value.exponent).latex(), column, row)
            return rf"\multicolumn{{{2 if double else 1}}}{{r}}{{{weight}{shown}}}"
        if not double:
            return weight + mark(value.mantissa, column, row)
        return mark(f"{weight}{value.mantissa} & {weight}{value.uncertainty}", column, row)

    shown = [cell(value, row) for value, row in cells]
    if not numeric:
        return _Set("l", 1, shown)
    spec = _s_column([n.mantissa for n in numbers if n.exponent is None])
    if double:
        spread = [n.uncertainty for n in numbers if n.exponent is None and n.uncertainty is not None]
        return _Set(spec + r"@{\,$\pm$\,}" + _s_column(spread), 2, shown)
    return _Set(spec, 1, shown)


def _s_column(mantissas: Sequence[str]) -> str:
    """Return a siunitx column that is as wide as its widest number."""
    parts = [m.lstrip("-").partition(".") for m in mantissas]
    whole = max((len(p[0]) for p in parts), default=1)
    decimals = max((len(p[2]) for p in parts), default=0)
    sign = "-" if any(m.startswith("-") for m in mantissas) else ""
    return rf"S[table-format={sign}{whole}.{decimals}]"


def _heads(columns: Sequence[Column], widths: Sequence[int]) -> list[str]:
    """Return the lines of the head: the common heads from top to bottom, then each column's own."""
    depth = max(len(c.under) for c in columns)
    lines = []
    for level in range(depth):
        cells, rules, position, start = [], [], 1, 0
        while start < len(columns):
            above = columns[start].under[: level + 1]
            end = start + 1
            while end < len(columns) and len(above) == level + 1 and columns[end].under[: level + 1] == above:
                end += 1
            span = sum(widths[start:end])
            if len(above) == level + 1:
                cells.append(rf"\multicolumn{{{span}}}{{c}}{{{above[level]}}}")
                rules.append(rf"\cmidrule(lr){{{position}-{position + span - 1}}}")
            else:
                cells.append(rf"\multicolumn{{{span}}}{{c}}{{}}" if span > 1 else "")
            position += span
            start = end
        lines += [" & ".join(cells) + r" \\", " ".join(rules)]
    own = []
    for item, width in zip(columns, widths, strict=True):
        numeric = item.format in ("num", "pm", "percent", "integer")
        own.append(rf"\multicolumn{{{width}}}{{c}}{{{item.head}}}" if numeric else item.head)
    return [*lines, " & ".join(own) + r" \\"]


# ----------------------------------------------------------------------------------------------- structure


@dataclass(frozen=True)
class Imbalance:
    """A brace or an environment of the generated text that is not closed, or not opened."""

    offset: int
    length: int
    what: str
    cure: str


_VERBATIM = r"\\begin\{(?P<env>Verbatim\*?|verbatim\*?|lstlisting|comment)\}.*?\\end\{(?P=env)\}"
_TOKEN = re.compile(
    rf"(?P<verbatim>{_VERBATIM})"
    r"|(?P<verb>\\verb\*?(?P<bar>[^a-zA-Z*\s]).*?(?P=bar))"
    r"|(?P<comment>(?<!\\)(?:\\\\)*%[^\n]*)"
    r"|\\(?P<begin>begin)\s*\{(?P<opened>[^{}]*)\}"
    r"|\\(?P<end>end)\s*\{(?P<closed>[^{}]*)\}"
    r"|(?P<escaped>\\.)"
    r"|(?P<open>\{)|(?P<close>\})",
    re.DOTALL,
)


def imbalance(text: str) -> Imbalance | None:
    """Return the first brace or environment that does not match: TeX has no useful line for these."""
    opened: list[tuple[str, int, int]] = []
    for match in _TOKEN.finditer(text):
        start, length = match.start(), match.end() - match.start()
        if match["begin"]:
            opened.append((match["opened"], start, length))
        elif match["open"]:
            opened.append(("{", start, 1))
        elif match["close"]:
            if not opened or opened[-1][0] != "{":
                return _unopened(opened, start, "}", length)
            opened.pop()
        elif match["end"]:
            if not opened or opened[-1][0] != match["closed"]:
                return _unopened(opened, start, match["closed"], length)
            opened.pop()
    if not opened:
        return None
    name, start, length = opened[0] if opened[0][0] != "document" or len(opened) == 1 else opened[1]
    return _unclosed(name, start, length)


def _unclosed(name: str, start: int, length: int) -> Imbalance:
    if name == "{":
        return Imbalance(start, length, "this brace is never closed", "add the missing }")
    return Imbalance(start, length, rf"\begin{{{name}}} is never closed", rf"add \end{{{name}}}")


def _unopened(opened: list[tuple[str, int, int]], start: int, name: str, length: int) -> Imbalance:
    if opened and (name == "document" or opened[-1][0] == "{" or (name == "}" and opened)):
        last, at, size = opened[-1]
        if last != "document":
            return _unclosed(last, at, size)
    if name == "}":
        return Imbalance(start, length, "this brace closes nothing", "remove it, or add the missing {")
    inner = f"; the open one is {opened[-1][0]!r}" if opened else ""
    what = rf"\end{{{name}}} closes nothing{inner}"
    return Imbalance(start, length, what, rf"add \begin{{{name}}}, or correct its name")
