"""What a clause does: it says how something came out, or it describes what was done, shown or meant.

"All networks were trained on the same points" has a word of quantity and states no result. The signs by which
the two are told apart, verbs above all, are data, in the table of a language.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from labreport.claims.reading import Reading
from labreport.writing import REFERENCE

Table = Mapping[str, Any]


class Clauses:
    """The clauses of a text, and what they do in a language, given by its table."""

    def __init__(self, reading: Reading, table: Table) -> None:
        self.reading, self.words = reading, reading.prose.words
        self._common = frozenset(table["common"]["words"].split())
        self._signs = _Signs(table["stating"], table["describing"])

    def states(self, start: int, end: int, kind: str) -> bool:
        """Return whether a word that states results does so where it stands.

        What a clause describes, asks or assumes is none. Beside that, common words count where a result is
        printed in the sentence, or close to a verb that says how something came out.
        """
        first, last = self._clause(start)
        before, sentence = self.words[first:start], self.reading.sentence(start)
        is_common = self.words[start:end].lower() in self._common
        shows = self.reading.tells_results(*sentence)
        if self._signs.asks.search(self.words, sentence[0], start):
            return False
        if self._signs.names.search(before) and (kind == "superlative" or not shows):
            return False
        # a clause without a verb goes on with what the sentence says before it
        goes_on = is_common and self._signs.verb.search(self.words, first, last) is None
        if self._signs.opens(before) or self._describes(sentence[0] if goes_on else first, last):
            # beside a result even what was described is compared: "the best of them was trained to 0.3"
            return shows and kind not in ("quantity", "number")
        if self.words.startswith("?", sentence[1] - 1):
            return False
        if shows or not is_common:
            return True
        says_how_it_came_out = self._signs.stating.search(self.words, first, last) is not None
        return says_how_it_came_out and self._is_near_results(start)

    def _describes(self, first: int, last: int) -> bool:
        """Return whether a part of a sentence says what was done, what is shown, or what a word means."""
        signs, part = self._signs, self.words[first:last]
        if signs.defining.search(part):
            return True
        rest = signs.doing.sub("", part)  # "we changed" does, "it changed" states
        if signs.stating.search(rest):
            return False
        sentence = self.reading.sentence(first)[0]
        is_shown = signs.showing.search(part) and REFERENCE.search(self.reading.prose.source, sentence, last)
        return rest != part or bool(is_shown)

    def _is_near_results(self, offset: int) -> bool:
        """Return whether the section around an offset tells results; of mathematics, the paragraph."""
        formulas = self.reading.prose.formulas[slice(*self.reading.sentence(offset))]
        is_formal = re.search("[a-zA-Z]", formulas) is not None
        around = self.reading.paragraph(offset) if is_formal else self.reading.section(offset)
        return self.reading.tells_results(*around)

    def _clause(self, offset: int) -> tuple[int, int]:
        first, last = self.reading.sentence(offset)
        at = bisect_right(self._joints, offset)
        joints = (first, *self._joints, last)
        return max(first, joints[at]), min(last, joints[at + 1])

    @cached_property
    def _joints(self) -> list[int]:
        return [m.start() for m in self._signs.joint.finditer(self.words)]


class _Signs:
    """The patterns of a language's table.

    A clause states by `stating`; it describes by `doing`, by `showing` beside a reference, and in any case by
    `defining`. `asks` finds an embedded question that goes on to the end, `names` ends before a comparison
    that only says which things are meant.
    """

    def __init__(self, stating: Table, describing: Table) -> None:
        words = {
            key: _any(value)
            for part in (stating, describing)
            for key, value in part.items()
            if isinstance(value, str)
        }
        relative = "".join(rf"(?<!\b{word}\s)" for word in describing["not_after"].split())
        between = rf"(?:(?:{words['between']}|\w+ly)\s+)*"
        passive, active = (rf"{words[key]}\s+{between}" for key in ("auxiliary", "subject"))
        self.stating = _words(rf"{relative}{words['verbs']}{words['endings']}?")
        self.defining = _words(rf"{passive}{words['defining']}|{active}{words['define']}")
        self.doing = _words(rf"{relative}(?:{passive}{words['done']}|{active}{words['we']}|{words['using']})")
        verbs = ("auxiliary", "having", "subject", "using", "showing")
        self.verb = _words(
            "|".join([rf"{words['verbs']}{words['endings']}?", *(words[key] for key in verbs)])
        )
        self.showing = _words(rf"{words['showing']}\b(?!\s+{words['not_before']}\b)")
        self.names = re.compile(rf"\b{words['which']}\s+{words['auxiliary']}\s+$", re.IGNORECASE)
        self.joint = re.compile(rf"[,()]|\b{words['joints']}\b", re.IGNORECASE)
        self.asks = re.compile(
            rf"\b(?:{'|'.join(map(phrase, describing['asks']))})\b(?!.*\b{words['not_before']}\b)",
            re.IGNORECASE | re.DOTALL,
        )
        self._cue = _words("|".join(map(phrase, describing["cues"])))
        self._first = re.compile(rf"\W*{words['first']}\b", re.IGNORECASE)

    def opens(self, before: str) -> bool:
        """Return whether what stands before a word in its clause makes a question or an assumption of it."""
        return self._cue.search(before) is not None or self._first.match(before) is not None


def phrase(text: str) -> str:
    """Return the pattern of a phrase: a blank may be a hyphen, too, and … is any one word."""
    return r"[\s-]+".join(r"\w+" if word == "…" else re.escape(word) for word in text.split())


def _any(words: str) -> str:
    return f"(?:{'|'.join(map(re.escape, words.split()))})"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)
