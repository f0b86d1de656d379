"""Values as LaTeX: text that is escaped, numbers that are rounded by one rule, tables, figures."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from labreport.errors import InputError
from labreport.spans import without_marks
from labreport.values import kind

Latex = Markup
"""Text that is LaTeX already and is printed as it stands."""

DASH = Latex(r"\LRdash{}")
"""What a missing value prints as."""

LONGEST_TEXT = 10_000
"""The number of characters after which a text is cut, visibly: TeX cannot read lines of any length."""


class FormatError(InputError):
    """A value cannot be printed as the template asks for; `name` is the wrong word in the expression."""

    def __init__(self, what: str, *, cure: str | None = None, name: str = "") -> None:
        super().__init__(what, cure=cure)
        self.name = name


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
    text = unicodedata.normalize("NFC", text)
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT} more characters)"
    line = re.sub(r"\s+", " ", text)
    return Latex("".join(map(_escaped, line)) if line.strip() else f"{{{line}}}")  # never an empty line


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
        raise FormatError(f"|text prints a text, not the {kind(value)} {short(value)}", cure=cure(value))
    return escape(value)


def label(value: Any) -> Latex:
    """Return text as a label: lower-case ASCII letters, digits, hyphens and colons."""
    ascii_text = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9:]+", "-", ascii_text).strip("-")
    if not slug:
        raise FormatError(
            f"|label finds no letter or digit in {short(value)}", cure="label it by another value"
        )
    return Latex(slug)


def url(value: Any) -> Latex:
    r"""Return an address as \url, percent-encoded to ASCII; schemes: http, https, mailto, doi."""
    if not isinstance(value, str) or not re.match(r"(https?://|mailto:|doi:).", value):
        raise FormatError(f"|url prints an address, not {short(value)}", cure="begin it with https://")
    address = quote(value, safe=":/?#[]@!$&'()*+,;=%-._~")
    return Latex(r"\url{" + re.sub("[%#&]", r"\\\g<0>", address) + "}")


def file(value: Any) -> Latex:
    """Return a file name in typewriter type; lines may break after slashes, dots and underscores."""
    if not isinstance(value, str):
        raise FormatError(f"|file prints a file name, not the {kind(value)} {short(value)}", cure=cure(value))
    name = unicodedata.normalize("NFC", value)
    broken = [_escaped(c) + (r"\allowbreak{}" if c in "/._" else "") for c in name]
    return Latex(rf"\texttt{{{''.join(broken).replace(' ', chr(92) + ' ')}}}")


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

    Below 0.0001 and from a million on a number with significant digits is written with a power of ten.
    """
    value = _number(value, "num")
    if value is None:
        return None
    if decimals is not None:
        return Number(_fixed(_rounded(_decimal(value), -_count("decimals", decimals, 0))))
    if isinstance(value, int):
        return Number(str(value))
    return _scaled(_significant(_decimal(value), _count("digits", digits, 1)), None)


def pm(mean: Any, std: Any = None) -> Number | None:
    """Return mean ± std: the std with two significant digits, the mean with as many decimals.

    One value may be a mapping with the keys `mean` and `std`. Where the std is missing or zero, the mean has
    three significant digits.
    """
    if isinstance(mean, dict):
        if std is not None or not {"mean", "std"} <= set(mean):
            raise FormatError(
                "|pm prints a mapping with the keys 'mean' and 'std', or two numbers",
                cure=f"this one has the keys: {', '.join(map(str, mean))}"
                if std is None
                else "give one of both",
            )
        mean, std = mean["mean"], mean["std"]
    mean, std = _number(mean, "pm"), _number(std, "pm")
    if mean is None:
        return None
    if not std:
        return _scaled(_significant(_decimal(mean), 3), None if std is None else Decimal(0))
    if std < 0:
        raise FormatError(f"a standard deviation cannot be negative: {std!r}")
    spread = _significant(_decimal(std), 2)
    return _scaled(_rounded(_decimal(mean), _last_place(spread)), spread)


def percent(value: Any, decimals: int = 1) -> Number | None:
    """Return a fraction as a percentage with so many decimals: 0.123 is 12.3 %; in tables 12.3."""
    value = _number(value, "percent")
    if value is None:
        return None
    hundredths = _decimal(value).scaleb(2, _EXACT)
    return Number(_fixed(_rounded(hundredths, -_count("decimals", decimals, 0))), unit=r"\percent")


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
    """Return a time given in seconds: 0.123 is 120 ms, 3.21 is 3.2 s, 90 is 1 min 30 s, 7260 is 2 h 1 min."""
    seconds = _number(value, "duration")
    if seconds is None:
        return None
    if seconds < 0:
        raise FormatError(f"a duration cannot be negative: {seconds!r}")
    exact = _decimal(seconds)
    for unit, power in ((r"\micro\second", 6), (r"\milli\second", 3), (r"\second", 0)):
        rounded = _significant(exact.scaleb(power, _EXACT), 2)
        if rounded and rounded < (10 if power == 0 else 1000):
            return Number(_fixed(rounded), unit=unit).latex()
    whole, unit, small = _rounded(exact, 0), r"\minute", r"\second"
    if whole < 60:
        return Number(_fixed(whole), unit=r"\second").latex()
    if whole >= 3600:
        whole, unit, small = _rounded(exact / 60, 0), r"\hour", r"\minute"
    first, rest = divmod(int(whole), 60)
    parts = [Number(str(first), unit=unit), *([Number(str(rest), unit=small)] if rest else [])]
    return Latex("~".join(part.latex() for part in parts))


def _number(value: Any, name: str) -> int | float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise FormatError(f"|{name} prints a number, not the {kind(value)} {short(value)}", cure=cure(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise FormatError(f"|{name} cannot print {value!r}", cure="record what cannot be computed as missing")
    return value


def _count(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 99:
        raise FormatError(f"{name} must be a whole number from {least} to 99, not {value!r}")
    return value


def short(value: Any) -> str:
    """Return a value as messages show it."""
    shown = repr(without_marks(value) if isinstance(value, Markup) else value)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def cure(value: Any) -> str:
    """Return what to do with a value that cannot be printed as it is."""
    if isinstance(value, dict):
        return "name one of its keys: " + ", ".join(list(map(str, value))[:12])
    if isinstance(value, list):
        return "loop over it, or print it with |table or |join"
    if isinstance(value, bool):
        return r"say it in words: \VAR{'yes' if value else 'no'}"
    return "use |text" if isinstance(value, str) else "use |num, |integer or |percent"


_EXACT = Context(prec=5000)


def _decimal(value: float) -> Decimal:
    """Return the shortest decimal that is this float: 0.1 is 0.1; minus zero is zero."""
    return Decimal(repr(value)) if value else Decimal(0)


def _rounded(number: Decimal, place: int) -> Decimal:
    """Return the number, rounded half to even at a power of ten; minus zero is zero."""
    rounded = number.quantize(Decimal(1).scaleb(place), ROUND_HALF_EVEN, _EXACT)
    return abs(rounded) if rounded == 0 else rounded


def _significant(number: Decimal, digits: int) -> Decimal:
    """Return the number with so many significant digits; rounding up to the next power of ten keeps them."""
    if number == 0:
        return Decimal(0)
    rounded = _rounded(number, number.adjusted() - digits + 1)
    carried = rounded.adjusted() > number.adjusted()
    return _rounded(number, number.adjusted() - digits + 2) if carried else rounded


def _last_place(number: Decimal) -> int:
    """Return the power of ten of the last digit."""
    return int(number.as_tuple().exponent)


def _scaled(mantissa: Decimal, uncertainty: Decimal | None) -> Number:
    """Return the number, with a power of ten where it is very small or very large."""
    largest = max(abs(mantissa), uncertainty or Decimal(0))
    power = largest.adjusted() if largest else 0
    power = 0 if -5 < power < 6 else power
    spread = None
    if uncertainty is not None:
        spread = _fixed(uncertainty.scaleb(-power, _EXACT)) if uncertainty else "0"
    return Number(_fixed(mantissa.scaleb(-power, _EXACT)), spread, power or None)


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


# ----------------------------------------------------------------------------------------------- structure


@dataclass(frozen=True)
class Imbalance:
    """A brace or an environment of the generated text that is not closed, or not opened."""

    offset: int
    length: int
    what: str
    cure: str


_VERBATIM = r"Verbatim\*?|verbatim\*?|lstlisting|comment|filecontents\*?"
_TOKEN = re.compile(
    rf"\\begin\{{(?P<env>{_VERBATIM})\}}.*?\\end\{{(?P=env)\}}"
    r"|\\(?:verb\*?|lstinline(?:\[[^]\n]*\])?)(?P<bar>[^a-zA-Z*\s{\[])[^\n]*?(?P=bar)"
    r"|\\(?:url|href|nolinkurl|path)\s*\{[^{}\n]*\}"
    r"|%[^\n]*"
    r"|\\begin\s*\{(?P<opened>[^{}]*)\}"
    r"|\\end\s*\{(?P<closed>[^{}]*)\}"
    r"|\\."
    r"|(?P<open>\{)|(?P<close>\})",
    re.DOTALL,
)
_BRACE = "{"


@dataclass(frozen=True)
class _Opened:
    """What was opened: a brace, or an environment by its name."""

    name: str
    offset: int
    length: int


def imbalance(text: str) -> Imbalance | None:
    """Return the first brace or environment that does not match: TeX has no useful line for these.

    Environments count from the beginning of the document on: definitions in the preamble may divide them.
    """
    document = text.find(r"\begin{document}")
    opened: list[_Opened] = []
    for match in _TOKEN.finditer(text):
        start, length = match.start(), match.end() - match.start()
        name = match["opened"] or match["closed"]
        if name and start < document:
            continue
        if match["open"] or match["opened"]:
            opened.append(_Opened(name or _BRACE, start, length))
        elif match["close"] or match["closed"]:
            wanted = name or _BRACE
            if not opened or opened[-1].name != wanted:
                return _mismatch(text, opened, _Opened(wanted, start, length))
            opened.pop()
            if name == "document":
                break
    inner = [o for o in opened if o.name != "document"] or opened
    return _unclosed(inner[0]) if inner else None


def _mismatch(text: str, opened: list[_Opened], closing: _Opened) -> Imbalance:
    """Return which of two is wrong, where a closing does not fit what was opened last."""
    last = opened[-1] if opened else None
    if last is not None and any(o.name == closing.name for o in opened):
        closes_later = last.name != _BRACE and _closes(text[closing.offset :], last.name)
        if not closes_later:
            return _unclosed(last)
    if closing.name == _BRACE:
        what, cure = "this brace closes nothing", "remove it, or add the missing {"
    elif last is not None and last.name == _BRACE:
        return _unclosed(last)
    else:
        inner = f"; the open one is {last.name!r}" if last else ""
        what = rf"\end{{{closing.name}}} closes nothing{inner}"
        cure = rf"add \begin{{{closing.name}}}, or correct its name"
    return Imbalance(closing.offset, closing.length, what, cure)


def _closes(text: str, name: str) -> bool:
    """Return whether a text closes an environment that was opened before it."""
    depth = 1
    for match in _TOKEN.finditer(text):
        depth += (match["opened"] == name) - (match["closed"] == name)
        if depth == 0:
            return True
    return False


def _unclosed(opened: _Opened) -> Imbalance:
    if opened.name == _BRACE:
        return Imbalance(opened.offset, opened.length, "this brace is never closed", "add the missing }")
    what = rf"\begin{{{opened.name}}} is never closed"
    return Imbalance(opened.offset, opened.length, what, rf"add \end{{{opened.name}}}")
