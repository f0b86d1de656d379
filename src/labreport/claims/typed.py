r"""Digits that an author typed: found through the spans of a rendering, without those that state no result.

Allowed are parts of names and references, years, the marks of lists, what formulas are built from (indices,
exponents, small whole numbers beside a variable), the constants that report.toml lists, and blocks that say
why their digits are no results.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from labreport.claims.reading import Reading
from labreport.language import Region
from labreport.writing import Prose

SMALL = 99  # the largest whole number that counts as a part of a formula with variables


@dataclass(frozen=True)
class Typed:
    """A number that was typed: where it stands, its value, and what the text beside it speaks of.

    `nouns` are the words beside it, the one after it first; `experiments` those whose values stand near it.
    """

    start: int
    end: int
    text: str
    value: float
    nouns: tuple[str, ...]
    sentence: str
    experiments: tuple[str, ...]


# ------------------------------------------------------------------------------------- what an author typed


def typed_numbers(
    reading: Reading, constants: Collection[str] = (), questions: Collection[str] = ()
) -> list[Typed]:
    """Return the typed numbers of a text that may state a result, in its order."""
    prose = reading.prose
    excuses = _Excuses(reading, constants, questions)
    found = []
    for start, end, value in sorted((*_in_words(prose), *_in_formulas(prose))):
        text = prose.source[start:end]
        # where no result is near, a small number belongs to a definition or a derivation
        is_structure = text.isdigit() and value <= (1 if prose.words[start] == text[0] else SMALL)
        if (is_structure and not reading.shows_results(start)) or excuses.cover(start, end, value):
            continue
        sentence, experiments = reading.around(start, end), reading.experiments(start)
        found.append(Typed(start, end, text, value, _nouns(prose, start, end), sentence, experiments))
    return found


def _nouns(prose: Prose, start: int, end: int) -> tuple[str, ...]:
    """Return the word after a number, `%` for a percentage, and the words before it, the nearest first."""
    after = _NOUN.match(prose.source, end)
    before = _WORD.findall(prose.words, max(0, start - 40), start)
    return (after[1] or after[2] if after else "", *reversed(before))


def count(reading: Reading) -> int:
    """Return how many numbers of a text were typed, in words and formulas, whatever they mean."""
    return sum(len(re.findall(r"\d+", text)) for text in (reading.prose.words, reading.prose.formulas))


_WORD = re.compile(r"(?<![a-zA-Z])[a-zA-Z]{3,}")
_NOUN = re.compile(r"(?:[\s~}$]|\\,)*(?:\\?(%)|-?([a-zA-Z]+))")


# ----------------------------------------------------------------------------------------------- running text

_FRACTIONS = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_DIGITS = r"(?:\d+(?:(?:[.,]|\{,\}|\\,)\d+)*|\.\d+)(?:e[+-]?\d+)?"
# letters before a digit make a name of both: L2, Adam2, d1w2; so do a few after it: 2D, 3x3
_NUMBER = re.compile(rf"(?<![A-Za-z0-9_.]){_DIGITS}(?!\d|[.,]\d|[xX]\d|[dD]\b|-bit\b)|[{_FRACTIONS}]")
_NAMED = re.compile(r"(?<![a-zA-Z])[a-zA-Z]*[A-Z][a-zA-Z]*[A-Z][a-zA-Z]*-$")  # UTF-8, ResNet-50
MOST_POINTED = 999  # the largest number by which something is referred to: step 5000 is a result
_POINTERS = (
    "tables?|figures?|figs?|sections?|chapters?|equations?|eqs?|appendix|appendices|pages?|pp?|listings?|"
    "questions?|exercises?|parts?|steps?|tasks?|volumes?|theorems?|lemmas?|definitions?|algorithms?|notes?|"
    "footnotes?|lines?|refs?"
)
_POINTING = re.compile(
    rf"(?<![a-zA-Z])(?:{_POINTERS})\.?\s*(?:\(?[\d.]+(?:\([a-z]\))?\)?\s*(?:,|and|or|to|–|-+)\s*)*\(?$", re.I
)
# a thing by its number, which is as small as one counts: layer 2, class 1
_COUNTED = re.compile(
    r"(?<![a-zA-Z])(?:class(?:es)?|labels?|layers?|columns?|rows?|panels?|number|target|case|type|unit|index|item"
    r"|version)\s+(?:\d\d?\s+(?:and|or|to)\s+)?$",
    re.I,
)
_MONTHS = "(?:Jan|Febr)uary|March|April|May|June|July|August|(?:Septem|Octo|Novem|Decem)ber"
_YEAR = re.compile(
    rf"(?:\((?:[^()]*,\s+)?|(?:{_MONTHS})\s+(?:\d\d?,\s+)?|\b(?:in|since|until)\s+)((?:19|20)\d\d)(?=[a-z]?\)|[.,;:]|\s*$)"
)
_DAY = re.compile(rf"(?:{_MONTHS})\s+(\d\d?)(?=,)|(\d\d?)(?=\s+(?:{_MONTHS})\b)")
_LIST = re.compile(r"(?:^|(?<=[\s,;:]))\((\d)\)(?=[\s.,;:])|(?m:^\s*(\d\d?)[.)](?=\s))")


def _in_words(prose: Prose) -> Iterator[tuple[int, int, float]]:
    """Yield each number of the running text that is no reference, year or mark of a list."""
    words = prose.words
    allowed = {m.start(m.lastindex or 0) for p in (_YEAR, _DAY, _LIST) for m in p.finditer(words)}
    for match in _NUMBER.finditer(prose.source):
        start = match.start()
        is_read = words[start] == prose.source[start] and start not in allowed
        before = words[max(0, start - 60) : start]
        value = _value(match[0])
        is_name = (len(match[0]) <= 2 and _COUNTED.search(before)) or _NAMED.search(before)
        if is_read and not is_name and (value > MOST_POINTED or not _POINTING.search(before)):
            yield start, match.end(), value


def _value(text: str) -> float:
    """Return the value of a number as it is written, with or without separators of thousands."""
    if text in _FRACTIONS:
        return unicodedata.numeric(text)
    bare = re.sub(r"\\,|\{,\}", "", text)
    bare = re.sub(r",(?=\d{3}(?!\d))", "", bare).replace(",", ".")
    # a number with several points is a version or a section: its first part is what it begins with
    return float(re.match(r"(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?", bare)[0])  # type: ignore[index]


# --------------------------------------------------------------------------------------------------- formulas

# a comma lists numbers there: {0,1}
_FORMULA_DIGITS = _DIGITS.replace("[.,]", r"\.")
_QUANTITY = re.compile(r"\\(?:SI|qty|num|ang)\s*(?:\[[^\]]*\])?\s*\{\s*$")
_POWER = re.compile(rf"(?:({_DIGITS})\s*\\(?:cdot|times)\s*)?(?<!\d)10\s*\^\s*(?:\{{\s*(-?\d+)\s*\}}|(\d))")
_PARTS = re.compile(
    rf"""(?P<built>\\[td]?frac\s*(?:\{{\s*\d\s*\}}|\s\d|(?<=c)\d)\s*(?:\{{\s*\d\s*\}}|\d)
        |(?<![\d.])\d(?:/|\s*\\times\s*)\d(?![\d.]|\s*\^)|\\(?:ln|log)\s*\d(?!\d)|(?<!\d)\d\s*\\pi(?![a-zA-Z])
        |\\sqrt\s*(?:\[\d\])?\s*(?:\d|\{{\s*\d\d?\s*\}}))
    |(?P<power>{_POWER.pattern})
    |(?P<script>[_^]\s*(?:\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}}|\\[a-zA-Z]+|.))
    |(?P<number>{_FORMULA_DIGITS})
    |(?P<side>\\(?:approx|simeq|sim|equiv|leq?|geq?|ll|gg|neq?|in|to|leftarrow|rightarrow|mapsto|q?quad|ldots|dots
        |cdots|iff|implies|mid|propto|colon|begin|end|times)(?![a-zA-Z])|\\\\|[=<>,;:&|])
    |(?P<neutral>\\(?:ln|log|exp|cdot|pm|mp|left|right|[bB]igg?[lrm]?|pi|infty|displaystyle|frac|[td]frac|sqrt
        |ensuremath|min|max|mathbf|mathit|bm|boldsymbol)(?![a-zA-Z])|\\[^a-zA-Z]
        |\\(?:mathrm|operatorname)(?:\s*\{{[^{{}}\d]*\}}|(?![a-zA-Z])))
    |(?P<variable>\\[a-zA-Z]+|[a-zA-Z])""",
    re.VERBOSE | re.DOTALL,
)


def _in_formulas(prose: Prose) -> Iterator[tuple[int, int, float]]:
    """Yield the numbers that formulas state: alone, as one side of a relation, or with decimals."""
    for start, end in prose.mathematics:
        formula = prose.formulas[start:end]
        parts = list(_PARTS.finditer(formula))
        sides: list[list[re.Match[str]]] = [[]]
        for part in parts:
            if part.lastgroup == "side":
                sides.append([])
            else:
                sides[-1].append(part)
        for side in sides:
            has_variable = any(p["variable"] or re.search("[a-zA-Z]", p["script"] or "") for p in side)
            for part in side:
                text, value = part[0], _stated(part)
                is_quantity = _QUANTITY.search(formula, 0, part.start())
                if value is not None and (is_quantity or _states(text, value, has_variable)):
                    yield start + part.start(), start + part.end(), value


def _stated(part: re.Match[str]) -> float | None:
    """Return the value of a part of a formula that is a number."""
    if part["number"]:
        return _value(part["number"])
    if part["power"]:
        power = _POWER.fullmatch(part["power"])
        assert power  # `_PARTS` holds the same pattern
        return (_value(power[1]) if power[1] else 1.0) * 10.0 ** int(power[2] or power[3])
    return None


def _states(text: str, value: float, has_variable: bool) -> bool:
    """Return whether a number of a formula is more than what the formula is built from."""
    if not text.isdigit():
        return True
    return value > SMALL if has_variable else value > 1


# ---------------------------------------------------------------------------------------------------- excuses


class _Excuses:
    """What allows digits that would be marked otherwise: constants, questions, blocks and claims."""

    def __init__(self, reading: Reading, constants: Collection[str], questions: Collection[str]) -> None:
        regions = reading.rendered.regions
        self.regions: Sequence[Region] = [r for r in regions if r.kind in ("typed", "claim")]
        self.source = reading.prose.source
        # 3.1 alone may be a value: it is a question where the name of a command or a letter makes it one
        named = [f"{{{q}}}" if q.replace(".", "").isdigit() else q for q in questions]
        phrases = [*(c for c in constants if not c.startswith("\\")), *named]
        self.spans = sorted(_found(phrases, self.source))
        self.starts = [start for start, _ in self.spans]
        self.ends = _running_maximum([end for _, end in self.spans])

    def cover(self, start: int, end: int, value: float) -> bool:
        """Return whether a number may stand there."""
        before = bisect_left(self.starts, start + 1)
        if before and self.ends[before - 1] >= end:
            return True
        around = (region for region in self.regions if region.start <= start and end <= region.end)
        return any(region.kind == "typed" or self._is_named(region, end, value) for region in around)

    def _is_named(self, claim: Region, end: int, value: float) -> bool:
        """Return whether a claim's predicate speaks of a number: times(a, b, 8) of 8, x > 0.9 of 90 %."""
        named = {float(m[0]) for m in _LITERAL.finditer(_NO_NUMBERS.sub(" ", claim.site.expression))}
        percent = _PERCENT.match(self.source, end)
        meant = {value, value / 100} if percent else {value}
        return any(math.isclose(a, b, rel_tol=1e-12) for a in meant for b in named)


_NO_NUMBERS = re.compile(r"\"[^\"]*\"|'[^']*'|\[\s*\d+\s*\]")  # names, and indices of lists
_LITERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")
_PERCENT = re.compile(r"(?:\s|~|\\,)*\\?%")


def _found(phrases: Collection[str], source: str) -> Iterator[tuple[int, int]]:
    """Yield where texts stand: a blank is any that LaTeX knows, `#` a number or a list of numbers."""
    for phrase in phrases:
        words = r"(?:\s|~|\\,|\\ )+".join(re.escape(word) for word in phrase.split())
        words = re.sub(r"(?<!\\)([%&])", r"\\\\?\1", words).replace(r"\#", _NUMBERS)
        begin = r"(?<![\w.])" if phrase[0].isalnum() else ""
        end = r"(?!\w|[.,]\d)" if phrase[-1].isalnum() or phrase[-1] == "#" else ""
        first = f"(?i:{re.escape(phrase[0])})" if phrase[0].isalpha() else re.escape(phrase[0])
        words = first + words[len(re.escape(phrase[0])) :]
        yield from (m.span() for m in re.finditer(begin + words + end, source))


_NUMBERS = rf"{_DIGITS}(?:\s*(?:,|and|or|to|–|-+|~)\s*{_DIGITS})*"


def _running_maximum(numbers: Sequence[int]) -> list[int]:
    found: list[int] = []
    for number in numbers:
        found.append(max(number, found[-1]) if found else number)
    return found


def unused(reading: Reading, constants: Collection[str]) -> list[str]:
    """Return the constants that stand nowhere in a text."""
    source = reading.prose.source
    return [
        c
        for c in constants
        if (c not in source if c.startswith("\\") else next(_found([c], source), None) is None)
    ]
