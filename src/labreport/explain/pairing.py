"""Which printed value of one report is which of another: by template, expression and keys, not by text."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]
Pair = tuple[Entry | None, Entry | None]

_INDEX = re.compile(r"\[\d+\]")


def pairs(old: Sequence[Entry], new: Sequence[Entry]) -> list[Pair]:
    """Return each printed value with what it was before, None where there was none or it is gone.

    The pairs stand in the order of the new report, what is gone at the end in that of the old one.
    """
    partner: dict[int, int] = {}  # of the new entry by its index, the index of the old one
    left, right = range(len(old)), range(len(new))
    both = _common(old, new, _statement, left, right)
    for old_part, new_part in both:
        partner |= _aligned(old, new, old_part, new_part)
    # what a statement that is still there prints no more is gone, wherever else the like of it is printed
    settled = ({i for part, _ in both for i in part}, {j for _, part in both for j in part})
    rest = ([i for i in left if i not in settled[0]], [j for j in right if j not in settled[1]])
    partner |= _by_names(old, new, *rest, _NAMES)
    found = set(partner.values())
    paired: list[Pair] = [(old[partner[j]] if j in partner else None, entry) for j, entry in enumerate(new)]
    return paired + [(entry, None) for i, entry in enumerate(old) if i not in found]


def stems(entry: Entry) -> tuple[str, ...]:
    """Return the keys of a printed value without the numbers of rows and items."""
    return tuple(_INDEX.sub("[]", key) for key in entry["keys"])


def _statement(entry: Entry) -> Hashable:
    return (entry["template"], entry["expression"])


def _keys(entry: Entry) -> Hashable:
    return tuple(entry["keys"])


Name = Callable[[Entry], Hashable]

_NAMES: tuple[Name, ...] = (
    # each finds what an edit of another kind has left: a template renamed, rows moved, a format changed
    lambda entry: (entry["expression"], tuple(entry["keys"])),
    lambda entry: (entry["expression"], stems(entry)),
    lambda entry: (entry["template"], tuple(entry["keys"])) if entry["keys"] else None,
    lambda entry: _keys(entry) or None,
)
"""What a value can be known by where its statement is not there any more; None is no name."""


def _by_names(
    old: Sequence[Entry],
    new: Sequence[Entry],
    left: Sequence[int],
    right: Sequence[int],
    names: Sequence[Name],
) -> dict[int, int]:
    """Return the partners among the values of these indices, by one name after the other, in their order."""
    partner: dict[int, int] = {}
    for name in names:
        known = set(partner.values())
        rest = ([i for i in left if i not in known], [j for j in right if j not in partner])
        for old_part, new_part in _common(old, new, name, *rest):
            partner |= dict(zip(new_part, old_part, strict=False))
    return partner


def _common(
    old: Sequence[Entry], new: Sequence[Entry], name: Name, left: Sequence[int], right: Sequence[int]
) -> list[tuple[list[int], list[int]]]:
    """Return for each name that both know the indices, among those given, of the values that bear it."""
    before, after = _by_name(old, name, left), _by_name(new, name, right)
    return [(before[key], found) for key, found in after.items() if key in before]


def _by_name(entries: Sequence[Entry], name: Name, chosen: Sequence[int]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for i in chosen:
        if (key := name(entries[i])) is not None:
            found.setdefault(key, []).append(i)
    return found


def _aligned(old: Sequence[Entry], new: Sequence[Entry], left: list[int], right: list[int]) -> dict[int, int]:
    """Return the partners among the values that one statement printed: in a loop, in a table, twice.

    Where the keys are the same the order says it all. Else rows, items or sections came or went, and numbered
    keys mean something else than before: what is printed alike stays, between such pieces keys count.
    """
    if [old[i]["keys"] for i in left] == [new[j]["keys"] for j in right]:
        return dict(zip(right, left, strict=True))
    return _matched(old, new, left, right, (_in_place, _alike))


Token = Callable[[Sequence[Entry], int], Hashable]


def _matched(
    old: Sequence[Entry], new: Sequence[Entry], left: list[int], right: list[int], tokens: Sequence[Token]
) -> dict[int, int]:
    """Return as partners what has the same token in the same order; between these the next token counts."""
    if not tokens:
        return _by_names(old, new, left, right, (_keys, stems))
    from difflib import SequenceMatcher

    before, after = [tokens[0](old, i) for i in left], [tokens[0](new, j) for j in right]
    partner: dict[int, int] = {}
    for tag, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            partner |= dict(zip(right[j:j_end], left[i:i_end], strict=True))
        elif tag == "replace":
            partner |= _matched(old, new, left[i:i_end], right[j:j_end], tokens[1:])
    return partner


def _in_place(entries: Sequence[Entry], i: int) -> Hashable:
    """Return how a value is printed, and what stands around it: each section may print the same number."""
    around = (entries[n]["expression"] if 0 <= n < len(entries) else "" for n in (i - 1, i + 1))
    return (_alike(entries, i), *around)


def _alike(entries: Sequence[Entry], i: int) -> Hashable:
    return stems(entries[i]), entries[i]["text"]
