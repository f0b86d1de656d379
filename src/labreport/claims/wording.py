"""Words that state results: comparisons, words of quantity, significance; the words are data, in a table.

Inside a claim its predicate stands behind them. Outside they are what the author believed when writing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from labreport.claims.clauses import Clauses, phrase
from labreport.claims.reading import Reading

ENGLISH = Path(__file__).with_name("english.toml")
COMPARING = ("comparative", "superlative")
"""The kinds of words that compare."""


@dataclass(frozen=True)
class Word:
    """A word, or a few, that state a result: where they stand, their kind and sentence.

    `is_answer` says that they stand in the answer to a question.
    """

    start: int
    text: str
    kind: str
    sentence: str
    is_answer: bool


def quantities(reading: Reading, language: Path = ENGLISH) -> list[Word]:
    """Return the words of a text that state results and stand in no claim, in their order."""
    spans = {
        kind: [(r.start, r.end) for r in reading.rendered.regions if r.kind in kinds]
        for kind, kinds in (("answer", ("answer",)), ("silent", ("claim", "typed")))
    }
    # the words of a table are its heads and names
    spans["silent"] += [m.span() for m in _TABLE.finditer(reading.prose.source)]
    clauses = Clauses(reading, _table(language))
    found = []
    for match in pattern(language).finditer(reading.prose.words):
        kind, at = str(match.lastgroup), match.start()
        text = re.sub(r"\s+", " ", match[0])
        is_silent = kind == "allowed" or _within(spans["silent"], at)
        if not is_silent and clauses.states(at, match.end(), kind):
            found.append(Word(at, text, kind, reading.around(at, match.end()), _within(spans["answer"], at)))
    return found


_TABLE = re.compile(r"\\begin\{(tabular[*x]?|longtable)\}.*?\\end\{\1\}", re.DOTALL)


def _within(spans: Iterable[tuple[int, int]], offset: int) -> bool:
    return any(start <= offset < end for start, end in spans)


@cache
def _table(language: Path) -> dict[str, Any]:
    return tomllib.loads(language.read_text(encoding="utf-8"))


@cache
def pattern(language: Path) -> re.Pattern[str]:
    """Return the pattern of a table of words: its groups are the kinds of words, and `allowed`."""
    table = _table(language)
    # where phrases begin with one another, the longest is meant
    allowed = sorted((p for phrases in table["allowed"].values() for p in phrases), key=len, reverse=True)
    kinds = {"allowed": "|".join(map(phrase, allowed))}
    for kind, words in table["words"].items():
        phrases = [*table["phrases"].get(kind, ()), *words.split()]
        kinds[kind] = "|".join(map(phrase, phrases))
    small, large, before, joined = (
        "|".join(table["numbers"][part].split()) for part in ("small", "large", "before", "joined")
    )
    every = f"(?:{small}|{large})"
    kinds["number"] = rf"{every}[\s-]+(?:(?:{joined})\s+{every}|(?:{before})\b)|{large}"
    by = "|".join(table["described"]["by"].split())
    after = "".join(rf"(?<!\b{word}\s)" for word in table["described"]["not_after"].split())
    kinds["allowed"] += rf"|{after}(?:{by})\s+(?:{kinds['superlative']})"
    groups = "|".join(f"(?P<{kind}>{words})" for kind, words in kinds.items())
    return re.compile(rf"\b(?<!-)(?=[a-z])(?:{groups})(?!\w)", re.IGNORECASE)
