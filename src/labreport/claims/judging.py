"""The verdicts of a document's claims, and the errors where a verdict has no text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labreport.claims.families import FAMILY, corrections
from labreport.claims.judgement import HOLDS, Corrections, Judgement, Source
from labreport.claims.operands import Counted
from labreport.claims.predicates import truth
from labreport.errors import InputError, raise_all
from labreport.language import Stated, kind, short

LONGEST_SENTENCE = 160
"""The number of characters of a claim's sentence that a message shows."""

MOST_SHOWN = 3
"""The number of values, and of pieces of evidence, that a message shows."""

_SAYS = {"holds": "holds", "undecided": "is undecided", "fails": "fails"}
_STATEMENT = {"undecided": "undecided", "fails": "otherwise"}


@dataclass(frozen=True)
class Judged:
    """A claim's verdict, the evidence for it, and the values that it is about, by their keys."""

    verdict: str
    evidence: tuple[Mapping[str, Any], ...]
    keys: frozenset[str]
    values: Mapping[str, Any]

    def plain(self) -> dict[str, Any]:
        """Return the record: plain values only, in a fixed order."""
        return {
            "verdict": self.verdict,
            "family": next((entry["family"] for entry in self.evidence if "family" in entry), None),
            "keys": sorted(self.keys),
            "values": {key: self.values[key] for key in sorted(self.values)},
            "evidence": [dict(entry) for entry in self.evidence],
        }


def judge(stated: Sequence[Stated], *, lenient: bool = False) -> list[Judged]:
    """Return the verdict of each claim of a document; all of them, since families are corrected together.

    Raises
    ------
    InputError
        A predicate is none, or a name is used twice; or, unless `lenient`, a verdict has no text. Several
        errors are raised together.

    """
    judgements = [_judgement(claim) for claim in stated]
    raise_all([found for found in judgements if isinstance(found, InputError)])
    known = [found for found in judgements if isinstance(found, Judgement)]
    raise_all(_ambiguous(stated, known))
    families = [claim.family or FAMILY for claim in stated]
    corrected = corrections(
        (f, test) for f, found in zip(families, known, strict=True) for test in found.tests()
    )
    judged = [
        _judged(claim, found, corrected.get(family, {}))
        for claim, found, family in zip(stated, known, families, strict=True)
    ]
    if not lenient:
        raise_all(untold(stated, judged))
    return judged


def untold(stated: Sequence[Stated], judged: Sequence[Judged]) -> list[InputError]:
    """Return an error for each claim whose verdict has no text, unless it goes with a text around it."""

    def is_printed(claim: Stated) -> bool:
        return any(all(judged[n].verdict == said for n, said in place) for place in claim.within)

    both = zip(stated, judged, strict=True)
    return [_untold(c, j) for c, j in both if j.verdict not in c.texts and is_printed(c)]


def _judgement(claim: Stated) -> Judgement | InputError:
    """Return a claim's judgement; an error if its predicate is none."""
    found = claim.predicate
    if isinstance(found, Judgement):
        return found
    if isinstance(found, bool):
        return truth(found, Source(claim.keys))
    if isinstance(found, Counted):
        what, cure = "a count, which is a number", "compare it: count(…) >= 2"
    else:
        what, cure = (
            f"the {kind(found)} {short(found)}",
            'say a < b, below(a, b, "paired"), most(part, whole), …',
        )
    return InputError(f'the predicate of claim "{claim.name}" is {what}', place=claim.place, cure=cure)


def _ambiguous(stated: Sequence[Stated], judgements: Sequence[Judgement]) -> list[InputError]:
    """Return an error for each name that two claims with different predicates share."""
    first: dict[str, tuple[Stated, Judgement]] = {}
    errors = {}
    for claim, found in zip(stated, judgements, strict=True):
        before, said = first.setdefault(claim.name, (claim, found))
        if said != found:
            what = f'two claims are called "{claim.name}"'
            notes, cure = [f"the first stands at {before.place}"], "give one another name"
            if before.place == claim.place:
                notes = ["it stands in a loop or a macro"]
                cure = f'make the name from what differs: claim "{claim.name}-" ~ item.name, …'
            errors[str(claim.place)] = InputError(what, place=claim.place, notes=notes, cure=cure)
    return list(errors.values())


def _judged(claim: Stated, judgement: Judgement, corrected: Corrections) -> Judged:
    source = Source(claim.keys)
    evidence: list[Mapping[str, Any]] = []
    for leaf in judgement.leaves():
        source |= leaf.source
        entry = leaf.evidence(corrected)
        if entry not in evidence:
            evidence.append(entry)
    return Judged(judgement.verdict(corrected), tuple(evidence), source.keys, source.values)


def _untold(claim: Stated, judged: Judged) -> InputError:
    """Return the error: the sentence, the values with their keys, what is true, the cure."""
    told = list(dict.fromkeys(entry["states"] for entry in _deciding(judged)))
    word = _STATEMENT.get(judged.verdict)
    cure = rf"rewrite the sentence, or add \BLOCK{{{word}}} with the text for that verdict"
    return InputError(
        f'claim "{claim.name}" {_SAYS[judged.verdict]}: {told[0]}',
        place=claim.place,
        notes=[
            f"sentence: {_in_words(claim.texts.get(HOLDS, ''))}",
            *_some([f"{key} = {_value(value)}" for key, value in judged.values.items()], "values"),
            *_some([f"true: {states}" for states in told[1:]], "statements"),
        ],
        cure=cure if word else "write the sentence for when it holds",
    )


def _deciding(judged: Judged) -> list[Mapping[str, Any]]:
    """Return the evidence, that which speaks like the verdict first."""
    return sorted(
        judged.evidence, key=lambda entry: (entry["verdict"] != judged.verdict, entry["verdict"] == HOLDS)
    )


def _some(lines: list[str], what: str) -> list[str]:
    rest = len(lines) - MOST_SHOWN
    return lines if rest <= 0 else [*lines[:MOST_SHOWN], f"… ({rest} more {what})"]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(item)}" for name, item in list(value.items())[:6])
    return short(value)


def _in_words(text: str) -> str:
    """Return the text of a claim without its markup, shortened."""
    words = re.sub(r"\\[a-zA-Z]+\*?(\[[^\]]*\])?|[{}$~]|\\", " ", text)
    line = " ".join(words.replace(" +- ", " ± ").split())
    return line if len(line) <= LONGEST_SENTENCE else f"{line[: LONGEST_SENTENCE - 1]}…"
