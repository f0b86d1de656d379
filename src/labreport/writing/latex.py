"""Values as LaTeX: text that is escaped, numbers digit by digit, code in typewriter type."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from labreport.language import (
    ENGLISH,
    LONGEST_ADDRESS,
    Address,
    Bare,
    Date,
    Duration,
    Figure,
    FileName,
    Label,
    Locale,
    Money,
    Number,
    Ordinal,
    Phrase,
    Scaled,
    cut,
    factors,
    label,
    limited,
)
from labreport.writing.symbols import MATHEMATICS

Latex = Markup
"""Text that is LaTeX already and is printed as it stands."""

LONGEST_BOOKMARK = 250

DASH = Latex(r"\LRdash{}")
"""What a missing value prints as."""

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
    "A1-AC AE-B7 B9-125 128-137 139-13E 141-148 14A-165 168-17E 192 1C4-1D4 1E2-1E3 1E6-1EB 1F0 1F4-1F5 "
    "218-21B 232-233 237 2C7 2D8-2D9 2DB 2DD E3F 1E02-1E03 1E0D 1E1E-1E21 1E25 1E30-1E31 1E37 1E43 1E45 "
    "1E47 1E5B 1E63 1E6D 1E8E-1E91 1E9E 1EF2-1EF3 2010-2016 2018-201A 201C-201E 2020-2022 2026 "
    "2030-2031 2039-203B 203D 2044 204E 2052 20A1 20A4 20A6 20A9 20AB-20AC 20B1 2103 2116-2117 211E "
    "2120 2122 2127 212E 2190-2193 2422-2423 25E6 25EF 266A 27E8-27E9 FB00-FB06"
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

    White space becomes one space, also at the ends; letters and signs of mathematics are set as such; a
    character that LaTeX cannot show appears as its code point, [U+674E]; a text of more than `LONGEST_TEXT`
    characters is cut and says so.
    """
    line = cut(text)
    # a text of blanks would end the paragraph where it stands alone on a line
    if not line.strip():
        return Latex(f"{{{line}}}")
    return _in_bookmarks(line, _apart)


def _apart(text: str) -> str:
    return r"\LRapart{}".join("".join(map(_escaped, part)) for part in _LIGATURES.split(text))


def _in_bookmarks(text: str, write: Callable[[str], str]) -> Latex:
    """Write a text such that a bookmark says its first `LONGEST_BOOKMARK` characters, and how many follow.

    A page has all of them; hyperref's time for a bookmark grows with the square of its length.
    """
    rest = text[LONGEST_BOOKMARK:]
    if not rest:
        return Latex(write(text))
    return Latex(rf"{write(text[:LONGEST_BOOKMARK])}\LRrest{{{len(rest)}}}{{\LRapart{{}}{write(rest)}}}")


_LIGATURES = re.compile("(?<=-)(?=-)|(?<=,)(?=,)|(?<=<)(?=<)|(?<=>)(?=>)|(?<=')(?=')|(?<=[`!?])(?=`)")
"""Where fonts make one character of two: braces keep older ones from it."""


def _escaped(c: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    if c in NOT_IN_TYPEWRITER:
        return rf"\LRroman{{{c}}}"
    if " " <= c <= "~" or ord(c) in _TYPESETTABLE:
        return c
    if c in MATHEMATICS:
        return rf"\LRsymbol{{{MATHEMATICS[c]}}}{{{ord(c):04X}}}"
    return rf"\LRcharacter{{{ord(c):04X}}}"


UNSHOWN = re.compile(r"\\LRcharacter\{([0-9A-F]+)\}")
"""Matches what `escape` writes for a character that LaTeX cannot show."""


def address(value: Address) -> Latex:
    """Return an address as a link to it, in typewriter type, also for headings and captions.

    Lines may break after its marks; what is too long to be read is cut, as a text is, and what is too long
    for a link is none.
    """
    if len(value) > LONGEST_ADDRESS:
        return file_name(FileName(value))
    target = re.sub("[%#&]", r"\\\g<0>", value)
    return Latex(rf"\LRaddress{{{target}}}{{{_breakable(limited(value), '/._-?&=:')}}}")


def file_name(value: FileName) -> Latex:
    """Return a file name in typewriter type; lines may break after slashes, dots and underscores."""
    return Latex(rf"\texttt{{{_breakable(limited(value), '/._')}}}")


def _breakable(text: str, marks: str) -> str:
    return _in_bookmarks(text, lambda part: _with_breaks(part, marks))


def _with_breaks(text: str, marks: str) -> str:
    shown = (
        r"\ " if c == " " else rf"\LRcharacter{{{ord(c):04X}}}" if c.isspace() else escape(c) for c in text
    )
    return "".join(tex + (r"\allowbreak{}" if c in marks else "") for c, tex in zip(text, shown, strict=True))


NOT_IN_TYPEWRITER = "Ĳĳẞ‱℠™"
"""Characters that Latin Modern has in its other fonts only."""


def typewriter(text: str) -> str:
    """Return text as LaTeX that prints each character in its own column."""
    return "".join(map(_in_typewriter, unicodedata.normalize("NFC", text)))


def columns(text: str) -> int:
    """Return how many columns a text takes in typewriter type: a code point in brackets takes several."""
    shown = zip(text, map(_in_typewriter, text), strict=True)
    return sum(len(f"[U+{ord(c):04X}]") if _CODE_POINT.search(tex) else 1 for c, tex in shown)


_CODE_POINT = re.compile(r"U\+|\\LRcharacter")


@lru_cache(maxsize=1024)
def _in_typewriter(c: str) -> str:
    if c == " ":
        return r"\ "
    if c.isspace() or c in NOT_IN_TYPEWRITER:
        return rf"{{[}}U+{ord(c):04X}{{]}}"
    return rf"\LRcolumn{{{escape(c)}}}" if c in MATHEMATICS else str(escape(c))


# ------------------------------------------------------------------------------------------------- numbers


UNITS = {
    "percent": r"\%",
    "microsecond": r"\LRmicro{}s",
    "millisecond": "ms",
    "second": "s",
    "minute": "min",
    "hour": "h",
}


def number(value: Number, locale: Locale = ENGLISH) -> Latex:
    """Return the number as plain LaTeX in braces, for text and mathematics, headings and captions.

    It looks as siunitx would print it, which takes a hundred times as long.
    """
    body = digits(value.mantissa, locale)
    if value.compact:
        body += brackets(value)
    elif value.uncertainty is not None:
        body += rf"\LRpm{{}}{digits(value.uncertainty, locale)}"
    is_sum = value.uncertainty is not None and not value.compact
    # the braces make one thing of all digits: x^{12} is not x^12
    return Latex(f"{{{_whole(body, is_sum, value.exponent, value.unit)}}}")


def brackets(value: Number) -> str:
    """Return an uncertainty in brackets, in units of the last digit of the number."""
    return f"({(value.uncertainty or '').replace('.', '').lstrip('0') or '0'})"


def _whole(body: str, is_several: bool, exponent: int | None, unit: str | None) -> str:
    """Return digits with their power of ten and their unit."""
    if exponent is not None:
        body = f"({body})" if is_several else body
        body += rf"\LRpower{{{digits(str(exponent))}}}"
    return body if unit is None else body + rf"\LRunit{{{UNITS.get(unit) or symbol(unit)}}}"


SYMBOLS = {
    "µ": r"\LRmicro{}",
    "Ω": r"\LRohm{}",
    "°": r"\LRsign{\textdegree}",
    "‰": r"\LRsign{\textperthousand}",
    "€": r"\LRsign{\texteuro}",
    "£": r"\LRsign{\textsterling}",
    "Å": r"\LRsign{\AA}",
    "%": r"\%",
    "$": r"\$",
    " ": r"\LRgroup{}",
}


def symbol(unit: str) -> str:
    """Return the symbol of a unit."""
    parts = (
        rf"\LRraised{{{digits(part[1:])}}}" if part[0] == "^" else "".join(SYMBOLS.get(c, c) for c in part)
        for part in factors(unit)
    )
    return "".join(parts)


# babel makes the full stop of Spanish formulas a comma
GROUPS = {",": "{,}", ".": r"\LRsign{.}", "'": r"\LRsign{\textquoteright}", "’": r"\LRsign{\textquoteright}"}


def digits(text: str, locale: Locale = ENGLISH) -> str:
    """Return a decimal text with a true minus sign, and with the language's marks between its digits."""
    sign, whole, point, decimals = re.fullmatch(r"([-+]?)(\d+)(\.?)(.*)", text).groups()  # type: ignore[union-attr]
    # in mathematics a bare comma would take a space after it
    grouped = locale.grouped(whole).replace(",", GROUPS.get(locale.group, r"\LRgroup{}"))
    mark = "{,}" if point and locale.decimal == "," else point
    return (r"\LRminus{}" if sign == "-" else sign) + grouped + mark + decimals


PHRASES = {
    "ci": r"{0}\LRgap{{}}[{1}{separator}\LRgap{{}}{2}]",
    "range": r"{0}\LRto{{}}{1}",
    "wide range": r"{0}\LRgap{{}}\LRto{{}}\LRgap{{}}{1}",
    "per": r"{0}\LRgap{{}}\LRsign{{{per}}}\LRgap{{}}{1}",
    "p =": r"\LRp{{}}\LRis{{=}}{0}",
    "p <": r"\LRp{{}}\LRis{{<}}{0}",
    "p >": r"\LRp{{}}\LRis{{>}}{0}",
    "<": r"\ensuremath{{<}}\,{0}",
    ">": r"\ensuremath{{>}}\,{0}",
}


def phrase(value: Phrase, locale: Locale = ENGLISH) -> Latex:
    """Return numbers that belong together, in braces."""
    numbers = [digits(n.mantissa, locale) for n in value.numbers]
    separator = "{,}" if locale.separator == "," else ";"
    body = PHRASES[value.form].format(*numbers, separator=separator, per=locale.per)
    return Latex(f"{{{_whole(body, is_several=True, exponent=value.exponent, unit=value.unit)}}}")


def _sign(text: str) -> str:
    return rf"\LRsign{{{escape(text)}}}"


def money(value: Money, locale: Locale = ENGLISH) -> Latex:
    """Return an amount with the sign of its currency at the language's side."""
    before, after = (
        re.sub(r"\s|\S+", lambda part: r"\LRgap{}" if part[0].isspace() else _sign(part[0]), side)
        for side in locale.money(value)
    )
    sign = r"\LRminus{}" if value.amount.startswith("-") else ""
    return Latex(f"{{{sign}{before}{digits(value.amount.lstrip('-'), locale)}{after}}}")


def figure(value: Figure) -> Latex:
    """Return a figure as an included file with its alternative text."""
    options = "" if value.width is None else f"[width={value.width}]"
    return Latex(rf"\LRfigure{options}{{{value.file}}}{{{hexadecimal(value.alt)}}}")


def hexadecimal(text: str) -> str:
    """Return a text as a PDF's string, without brackets and byte order mark: UTF-16 in hexadecimal digits.

    White space becomes one space; a text of more than `LONGEST_TEXT` characters is cut and says so.
    """
    return cut(text).encode("utf-16-be", "replace").hex().upper()


WRITERS: dict[type, Callable[[Any], Latex]] = {
    type(None): lambda _: DASH,
    str: escape,
    Bare: Latex,
    Label: Latex,
    Address: address,
    FileName: file_name,
    Figure: figure,
}
NUMERIC: dict[type, Callable[[Any, Locale], Latex]] = {
    Number: number,
    Scaled: number,
    Duration: lambda value, locale: Latex("~".join(number(part, locale) for part in value.parts)),
    Phrase: phrase,
    Money: money,
    Ordinal: lambda value, locale: Latex(
        re.sub(r"(\d+)(.*)", r"{\1\\LRsign{\2}}", locale.ordinal(value.number))
    ),
    Date: lambda value, locale: Latex(escape(locale.date(value)).replace(" ", "~", 1)),
}
"""What is written in the language of the document."""


def to_latex(formatted: Any, locale: Locale = ENGLISH) -> Latex:
    """Return what a format returned as LaTeX; a missing value is a dash."""
    if isinstance(formatted, Markup):
        return formatted
    in_language = NUMERIC.get(type(formatted))
    return in_language(formatted, locale) if in_language else WRITERS[type(formatted)](formatted)


def answer(question: str) -> Latex:
    """Return the label that marks the answer to a question."""
    return Latex(rf"\LRanswer{{{label('answer:' + question)}}}")
