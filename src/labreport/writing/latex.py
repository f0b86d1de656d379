"""Values as LaTeX: text that is escaped, numbers digit by digit, code in typewriter type."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from labreport.language import Address, Duration, Figure, FileName, Label, Number, cut, label

Latex = Markup
"""Text that is LaTeX already and is printed as it stands."""

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

    White space becomes one space, also at the ends; a character that the fonts do not have appears as its
    code point, [U+03B1]; a text of more than `LONGEST_TEXT` characters is cut and says so.
    """
    line = cut(text)
    # a text of blanks would end the paragraph where it stands alone on a line
    return Latex("".join(map(_escaped, line)) if line.strip() else f"{{{line}}}")


def _escaped(c: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    if " " <= c <= "~" or ord(c) in _TYPESETTABLE:
        return c
    return rf"\texttt{{{{[}}U+{ord(c):04X}{{]}}}}"


def address(value: Address) -> Latex:
    r"""Return an address as \url."""
    return Latex(r"\url{" + re.sub("[%#&]", r"\\\g<0>", value) + "}")


def file_name(value: FileName) -> Latex:
    """Return a file name in typewriter type; lines may break after slashes, dots and underscores."""
    broken = [_escaped(c) + (r"\allowbreak{}" if c in "/._" else "") for c in value]
    return Latex(rf"\texttt{{{''.join(broken).replace(' ', chr(92) + ' ')}}}")


NOT_IN_TYPEWRITER = "Ĳĳẞ‱℠™"
"""Characters that Latin Modern has in its other fonts only."""


def typewriter(text: str) -> str:
    """Return text as LaTeX that prints each character in its own column."""
    return "".join(map(_in_typewriter, unicodedata.normalize("NFC", text)))


def columns(text: str) -> int:
    """Return how many columns a text takes in typewriter type: a code point in brackets takes several."""
    shown = zip(text, map(_in_typewriter, text), strict=True)
    return sum(len(f"[U+{ord(c):04X}]") if "U+" in as_latex else 1 for c, as_latex in shown)


@lru_cache(maxsize=1024)
def _in_typewriter(c: str) -> str:
    if c == " ":
        return r"\ "
    if c.isspace() or c in NOT_IN_TYPEWRITER:
        return rf"{{[}}U+{ord(c):04X}{{]}}"
    return str(escape(c))


# ------------------------------------------------------------------------------------------------- numbers


UNITS = {
    "percent": r"\%",
    "microsecond": r"\LRmicro{}s",
    "millisecond": "ms",
    "second": "s",
    "minute": "min",
    "hour": "h",
}


def number(value: Number) -> Latex:
    """Return the number as plain LaTeX in braces, for text and mathematics, headings and captions.

    It looks as siunitx would print it, which takes a hundred times as long.
    """
    body = digits(value.mantissa)
    if value.uncertainty is not None:
        body += rf"\LRpm{{}}{digits(value.uncertainty)}"
    if value.exponent is not None:
        body = f"({body})" if value.uncertainty is not None else body
        body += rf"\LRpower{{{digits(str(value.exponent))}}}"
    if value.unit is not None:
        body += rf"\LRunit{{{UNITS[value.unit]}}}"
    # the braces make one thing of all digits: x^{12} is not x^12
    return Latex(f"{{{body}}}")


def digits(text: str) -> str:
    """Return a decimal text with a true minus sign and a comma before each three digits of its whole part."""
    whole, point, decimals = text.removeprefix("-").partition(".")
    # in mathematics a bare comma would take a space after it
    grouped = re.sub(r"(?<=\d)(?=(\d{3})+$)", "{,}", whole)
    return (r"\LRminus{}" if text.startswith("-") else "") + grouped + point + decimals


def figure(value: Figure) -> Latex:
    """Return a figure as an included file with its alternative text."""
    options = "" if value.width is None else f"[width={value.width}]"
    return Latex(rf"\LRfigure{options}{{{value.file}}}{{{escape(value.alt)}}}")


WRITERS: dict[type, Callable[[Any], Latex]] = {
    type(None): lambda _: DASH,
    str: escape,
    Number: number,
    Duration: lambda value: Latex("~".join(map(number, value.parts))),
    Label: Latex,
    Address: address,
    FileName: file_name,
    Figure: figure,
}


def to_latex(formatted: Any) -> Latex:
    """Return what a format returned as LaTeX; a missing value is a dash."""
    return WRITERS[type(formatted)](formatted) if not isinstance(formatted, Markup) else formatted


def answer(question: str) -> Latex:
    """Return the label that marks the answer to a question."""
    return Latex(rf"\LRanswer{{{label('answer:' + question)}}}")
