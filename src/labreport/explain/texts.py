r"""Printed texts: as a reader sees them on the page, and in a form in which two ways to write one are equal.

What a record holds is LaTeX or Markdown, `{97.6\LRunit{\%}}` or `97.6 %`; what somebody asks for is copied
from the page, from a template or typed: `97.6%`, `97.6\,\%`, `−0.5`, `1,000`, `0.25 +- 0.02`, `1.3e-15`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_SIGNS = {
    r"\LRdash{}": "–",
    r"\LRminus{}": "−",
    r"\LRpm{}": " ± ",
    r"\LRat": "",
    r"\LRerror": " ± ",
    r"\LRunit": " ",
    r"\LRmicro{}": "µ",
    r"\LRp{}": "p",
    r"\LRto{}": "–",
    r"\LRgap{}": " ",
    r"\LRgroup{}": " ",
    r"\LRohm{}": "Ω",
    r"\textdegree": "°",
    r"\textperthousand": "‰",
    r"\texteuro": "€",
    r"\textsterling": "£",
    r"\textquoteright": "’",
    r"\AA": "Å",
    r"\pm": "±",
    r"\times": "×",
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\textquotedbl{}": '"',
    r"\textquotesingle{}": "'",
    r"\textasciigrave{}": "`",
    r"\allowbreak{}": "",
    r"\LRapart{}": "",
    r"\,": " ",
    r"\ ": " ",
}
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_LOWERED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MINUS = dict.fromkeys(map(ord, "−–"), "-")

_SIGN = re.compile("|".join(map(re.escape, sorted(_SIGNS, key=len, reverse=True))))
_POWER = re.compile(r"\\LR(power|raised)\{(?:(\\LRminus)\{\})?(\d+)\}")
_IS = re.compile(r"\\LRis\{(.)\}")
_COMMAND = re.compile(
    r"\\(?:texttt|url|textbf|emph|textit|mathrm|text|ensuremath|LRsign|LRroman)\{([^{}]*)\}"
)
_SYMBOL = re.compile(r"\\LRsymbol\{(?:[^{}]|\{[^{}]*\})*\}\{([0-9A-F]+)\}")
_CODE_POINT = re.compile(r"\\LRcharacter\{([0-9A-F]+)\}")
_ADDRESS = re.compile(r"\\LRaddress\{(?:[^{}\\]|\\.)*\}")
_REST = re.compile(r"\\LRrest\{\d+\}")
_ESCAPED = re.compile(r"\\([^A-Za-z0-9\s])")


@lru_cache(maxsize=8192)
def readable(text: str) -> str:
    r"""Return a printed text as it looks on the page: `{0.25\LRpm{}0.02}` is 0.25 ± 0.02."""
    if "\\" in text or "{" in text:
        text = _REST.sub("", _ADDRESS.sub("", text))
        text = _SYMBOL.sub(lambda found: chr(int(found[1], 16)), text)
        text = _CODE_POINT.sub(r"[U+\1]", text)
        text = _IS.sub(r" \1 ", _POWER.sub(_power, text))
        text = _SIGN.sub(lambda found: _SIGNS[found[0]], text)
        text = _COMMAND.sub(r"\1", text)
        text = _ESCAPED.sub(r"\1", re.sub(r"(?<!\\)[{}]", "", text)).replace("~", " ")
    return " ".join(text.split())


def _power(found: re.Match[str]) -> str:
    sign = "⁻" if found[2] else ""
    return f"{' × 10' if found[1] == 'power' else ''}{sign}{found[3].translate(_LOWERED)}"


@lru_cache(maxsize=8192)
def comparable(text: str) -> str:
    """Return a text in a form that does not depend on how it is written; nothing of its digits is lost."""
    text = unicodedata.normalize("NFKC", _raised(readable(text).replace("$", ""))).translate(_MINUS)
    text = re.sub(r"\+/?-", "±", text)
    text = re.sub(r"(?<=\d)(?<!\b0),(?=\d{3}(?!\d))", "", text)  # 0,123 is a decimal comma
    text = re.sub(r"\s*[×x*]\s*10\^?\(?([-+]?\d+)\)?", r"e\1", text)
    text = re.sub(r"(?<=\d)[eE]([-+]?)0*(\d)", lambda found: f"e{found[1].strip('+')}{found[2]}", text)
    return re.sub(r"\s*(±|%)\s*", r"\1", " ".join(text.split())).casefold()


def _raised(text: str) -> str:
    """Return a text with raised digits, which look like others once they are normalised, as powers."""
    return re.sub("10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: f"10^{found[1].translate(_RAISED)}", text)


_PARTS = re.compile(r"\(?(-?[\d.]*\d)(?:±([\d.]*\d))?\)?(?:e-?\d+)?\s?(?:%|[a-zµ]{1,3})?")


def parts(text: str) -> Iterator[str]:
    """Yield the numbers that a printed number consists of, in comparable form, without unit and power."""
    if found := _PARTS.fullmatch(comparable(text)):
        yield from filter(None, found.groups())


# a hyphen after a digit is the dash of a range; `3.1(a)` and `d1w2` are names
_NUMBERS = re.compile(r"(?<![\w.%])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w(]|\.\d)")
_ABOUT = re.compile(r"(?:.*[=≈~])?[^\w<>≤≥]*?-?\d")


@lru_cache(maxsize=8192)
def numbers(text: str) -> tuple[str, ...]:
    """Return the numbers in a text, in comparable form, without units: of `1.22 [1.12, 1.33]`, three."""
    return tuple(_NUMBERS.findall(comparable(text)))


def begins_with_number(text: str) -> bool:
    """Return whether a text is about its number, as `1.7e-6 nat` or `p = 0.72`, not `Figure 7` or `<1`."""
    return _ABOUT.match(comparable(text)) is not None
