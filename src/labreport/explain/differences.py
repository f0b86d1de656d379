"""The words for what changed in a report: the line that ends a build, an overview, JSON."""

from __future__ import annotations

import difflib
import json
import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from labreport.events import brief
from labreport.explain.comparison import (
    ADDED,
    BELOW,
    CHANGED,
    REMOVED,
    REWRITTEN,
    Changes,
    Claim,
    Figure,
    Lines,
    Setting,
    Value,
)
from labreport.explain.texts import readable

WIDTH = 100
MOST = 12
"""How many entries of a section the overview shows, unless all are asked for."""
MOST_LINES = 24
"""How many lines of an entry it shows: a chapter that is gone is one entry."""
LARGEST = 3
"""How many changes of a table the overview shows."""
AROUND = 5
"""How many words are shown before and after what changed in a long line."""
SHORT = 48


def summary(changes: Changes) -> str:
    """Return what changed in one line: "7 of 1,411 values changed, all within noise; no claim changed"."""
    if changes.is_empty:
        return "nothing changed"
    said = [_of_values(changes), _of_claims(changes)]
    kinds = {kind: [f for f in changes.figures if f.kind == kind] for kind in ("data", "drawing")}
    said += [f"{_number(len(kinds['data']), 'figure')} with other data"] if kinds["data"] else []
    said += [f"{_number(len(kinds['drawing']), 'figure')} drawn in another way"] if kinds["drawing"] else []
    said += ["prose changed"] if changes.prose else []
    return "; ".join(said)


def _of_values(changes: Changes) -> str:
    changed, below = changes.of_kind(CHANGED), changes.of_kind(BELOW)
    total = f"{changes.total:,} value{'' if changes.total == 1 else 's'}"
    parts = [
        f"{len(changed):,} of {total} changed{_by_noise(changed)}" if changed else f"none of {total} changed"
    ]
    parts += [f"{len(below):,} only below the printed digits"] if below else []
    for kind, word in ((REWRITTEN, "printed in another way"), (ADDED, "new"), (REMOVED, "gone")):
        found = changes.of_kind(kind)
        parts += [f"{len(found):,} {word}"] if found else []
    return ", ".join(parts)


def _by_noise(changed: Sequence[Value]) -> str:
    """Return how many are within noise: ", all within noise", or " (3 within noise, 1 beyond noise)"."""
    counts = [sum(value.within_noise is known for value in changed) for known in (True, False, None)]
    words = ("within noise", "beyond noise", "without known noise")
    if len(changed) in counts:
        which = "all " if len(changed) > 1 else ""
        return f", {which}{words[counts.index(len(changed))]}"
    return " (" + ", ".join(f"{n:,} {word}" for n, word in zip(counts, words, strict=True) if n) + ")"


def _of_claims(changes: Changes) -> str:
    turned = [claim for claim in changes.claims if claim.old and claim.new]
    new, gone = ([c for c in changes.claims if not c.old], [c for c in changes.claims if not c.new])
    parts = [f"{_number(len(turned), 'claim')} changed" if turned else "no claim changed"]
    parts += [f"{len(new)} new"] if new else []
    parts += [f"{len(gone)} gone"] if gone else []
    return ", ".join(parts)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# ----------------------------------------------------------------------------------------------- the overview


def overview(
    changes: Changes,
    width: int = WIDTH,
    most: int | None = MOST,
    pictures: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return all that changed, in lines of a width, the most important first.

    Of each section at most `most` entries are shown, or all if that is None; `pictures` are the files that
    show figures before and after, by their keys.
    """
    lines = [f"{changes.new}, compared with {changes.old}: {summary(changes)}"]
    for title, entries in _sections(changes, width, pictures):
        if entries:
            shown = entries if most is None else entries[:most]
            left = len(entries) - len(shown)
            if most is not None:
                shown = [_first_lines(entry) for entry in shown]
            lines += ["", title, *(f"  {line}" for entry in shown for line in entry)]
            lines += [f"  … and {left:,} more (--all shows them)"] if left else []
    return [_visible(line) for line in lines]


Entry = list[str]


def _first_lines(entry: Entry) -> Entry:
    left = len(entry) - MOST_LINES
    return entry if left <= 1 else [*entry[:MOST_LINES], f"    … and {left:,} more lines (--all shows them)"]


def _sections(changes: Changes, width: int, pictures: Mapping[str, str]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield the title and the entries of each section."""
    inner = max(width - 4, 40)
    yield "claims", [_claim(claim, inner) for claim in changes.claims]
    values = [value for value in changes.of_kind(CHANGED, ADDED, REMOVED) if value.table is None]
    yield "values", [_value(same, inner) for same in _grouped(sorted(values, key=importance))]
    yield "tables", list(_tables(changes))
    yield "figures", [_figure(figure, pictures.get(figure.key)) for figure in changes.figures]
    yield "parameters", [[_setting(setting)] for setting in changes.parameters]
    yield "excerpts", [_excerpt(lines, inner) for lines in changes.excerpts]
    yield "prose", [_prose(lines, inner) for lines in changes.prose]
    yield "versions", [[_setting(setting)] for setting in changes.versions]
    quiet = changes.of_kind(BELOW, REWRITTEN)
    yield (
        "below the printed digits, or only printed in another way",
        [_value(v, inner) for v in _grouped(quiet)],
    )


def importance(value: Value) -> tuple[int, float]:
    """Return how values are sorted: beyond noise, without known noise, within it, new, gone; then by size."""
    if value.kind != CHANGED:
        return (3 if value.kind == ADDED else 4, 0.0)
    rank = {False: 0, None: 1, True: 2}[value.within_noise]
    size = value.noise if value.noise is not None else abs(value.relative or 0.0)
    return rank, -size


def _grouped(values: Iterable[Value]) -> list[list[Value]]:
    """Return the values with those together that say the same of the same keys at several places."""
    groups: dict[Any, list[Value]] = {}
    for value in values:
        name = (value.kind, value.keys or value.expression, value.old, value.new)
        groups.setdefault(name, []).append(value)
    return list(groups.values())


def _value(group: Sequence[Value], width: int) -> Entry:
    """Return what changed, from which keys, and all places where it is printed."""
    value = group[0]
    origin = brief(value.keys, ", ") or _short(value.expression)
    places = ", ".join(dict.fromkeys(str(each.place) for each in group))
    return [_arrow(value), *_wrapped(f"{origin}; {places}", width)]


def _arrow(value: Value) -> str:
    """Return what a value was and is, with the size of the change."""
    old, new = (None if text is None else _short(plain(text)) for text in (value.old, value.new))
    if value.kind == ADDED:
        return f"new: {new}"
    if value.kind == REMOVED:
        return f"gone: {old}"
    said = f"  ({size(value)})" if size(value) else ""
    if value.kind == BELOW:
        return f"{new}: {_short(repr(value.old_value))} → {_short(repr(value.new_value))}{said}"
    return f"{old} → {new}{said}"


def size(value: Value) -> str:
    """Return how large the change of a number is: absolute, relative, in widths of the noise."""
    if value.kind not in (CHANGED, BELOW):
        return ""
    said = [] if value.absolute is None else [f"{value.absolute:+.3g}"]
    said += [] if value.relative is None else [_percent(value.relative)]
    if value.noise is not None:
        unit = "half-widths" if value.unit == "interval" else "std"
        verdict = {True: ", within noise", False: ", beyond noise", None: ""}[value.within_noise]
        said.append(f"{value.noise:.2g} {unit}{verdict}")
    return ", ".join(said)


def _percent(part: float) -> str:
    """Return a relative change; of what became many times as large, how many times."""
    return f"{100 * part:+.2g} %" if abs(part) < 9 else f"{1 + part:.2g} times"


def _tables(changes: Changes) -> Iterator[Entry]:
    """Yield for each table how many cells changed, and the largest changes."""
    tables: dict[str, list[Value]] = {}
    for value in changes.of_kind(CHANGED, ADDED, REMOVED):
        if value.table is not None:
            tables.setdefault(value.table, []).append(value)
    for table, values in tables.items():
        counts = [(word, sum(v.kind == kind for v in values)) for kind, word in _CELLS]
        said = ", ".join(f"{_number(n, 'cell')} {word}" for word, n in counts if n)
        changed = [value for value in values if value.kind == CHANGED]
        said += _by_noise(changed) if changed else ""
        places = ", ".join(dict.fromkeys(str(value.place) for value in values))
        largest = sorted(changed, key=importance)[:LARGEST]
        cells = [f"    {brief(value.keys, ', ')}: {_arrow(value)}" for value in largest]
        yield [f"{table}: {said}; {places}", *cells]


_CELLS = ((CHANGED, "changed"), (ADDED, "new"), (REMOVED, "gone"))


def _claim(claim: Claim, width: int) -> Entry:
    verdicts = f"{claim.old} → {claim.new}" if claim.old and claim.new else claim.old or claim.new
    word = "" if claim.old and claim.new else "new: " if claim.new else "gone: "
    lines = [f"{word}{claim.name}: {verdicts}; {claim.place}"]
    if claim.old_sentence is not None and claim.new is not None:
        lines += _wrapped(f"was: {plain(claim.old_sentence)}", width)
    lines += _wrapped(f"{'now' if claim.new else 'was'}: {plain(claim.sentence)}", width)
    return lines + _wrapped("; ".join(claim.states), width)


FIGURES = {
    "data": "its data changed",
    "drawing": "the same data, drawn in another way",
    ADDED: "new",
    REMOVED: "gone",
}
"""How a figure changed, in words."""


def _figure(figure: Figure, picture: str | None) -> Entry:
    shown = [f"    before and after: {picture}"] if picture else []
    return [f"{figure.key}: {FIGURES[figure.kind]}", *shown]


def _setting(setting: Setting) -> str:
    old, new = (plain_value(value) for value in (setting.old, setting.new))
    return f"{setting.name}: {old} → {new}"


def plain_value(value: Any) -> str:
    """Return the value of a parameter, or a version, as a text that is not long."""
    if value is None:
        return "—"
    return _short(
        ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value, ensure_ascii=False)
    )


def _excerpt(lines: Lines, width: int) -> Entry:
    signed = [f"- {line}" for line in lines.old] + [f"+ {line}" for line in lines.new]
    return [f"{lines.name}:", *(f"    {line[:width]}" for line in signed)]


# ------------------------------------------------------------------------------------------------------ prose


def _prose(lines: Lines, width: int) -> Entry:
    """Return what changed in lines of prose: of lines that were rewritten the words, with some around."""
    found = [f"{lines.name}:{lines.line}"]
    if len(lines.old) == len(lines.new):
        for old, new in zip(lines.old, lines.new, strict=True):
            found += _wrapped(words(old, new), width)
        return found
    for sign, part in (("-", lines.old), ("+", lines.new)):
        for line in filter(str.strip, part):
            found += _wrapped(f"{sign} {_cut(line, 4 * width)}", width)
    return found


def words(old: str, new: str) -> str:
    """Return how a line was rewritten, as `git diff --word-diff` shows it, without what stayed far away."""
    before, after = (re.findall(r"\s+|[^\s]+", line) for line in (old, new))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    said = []
    opcodes = matcher.get_opcodes()
    for number, (tag, i, i_end, j, j_end) in enumerate(opcodes):
        if tag == "equal":
            said.append(_near(before[i:i_end], first=number == 0, last=number == len(opcodes) - 1))
        else:
            gone, new_words = "".join(before[i:i_end]), "".join(after[j:j_end])
            said.append((f"[-{gone}-]" if gone else "") + (f"{{+{new_words}+}}" if new_words else ""))
    return "".join(said)


def _near(same: Sequence[str], *, first: bool, last: bool) -> str:
    """Return what stayed the same between two changes: the words near them."""
    most = 2 * AROUND  # a word and the space after it
    head = [] if first else same[:most]
    tail = [] if last else same[-most:]
    if len(same) <= len(head) + len(tail):
        return "".join(same)
    return "".join([*head, " … " if head and tail else "… " if tail else " …", *tail])


def plain(latex: str) -> str:
    """Return a printed text as it looks on the page, on one line."""
    return " ".join(readable(latex).split())


def _visible(text: str) -> str:
    """Return a text with signs in the place of characters that would steer a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text.expandtabs(4))


def _short(text: str) -> str:
    return _cut(" ".join(text.split()), SHORT)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _wrapped(text: str, width: int) -> list[str]:
    return [f"    {line}" for line in textwrap.wrap(text, max(width - 4, 20), break_on_hyphens=False)]


# ----------------------------------------------------------------------------------------------- for programs


def contents(changes: Changes, pictures: Mapping[str, str]) -> dict[str, Any]:
    """Return all that changed as plain data; `pictures` are the files that show a figure's two forms."""
    return {
        "old": changes.old,
        "new": changes.new,
        "summary": summary(changes),
        "printed": changes.total,
        "values": [_value_json(value) for value in changes.values],
        "claims": [asdict(claim) for claim in changes.claims],
        "figures": [asdict(f) | {"picture": pictures.get(f.key)} for f in changes.figures],
        "excerpts": [asdict(lines) for lines in changes.excerpts],
        "prose": [asdict(lines) for lines in changes.prose],
        "parameters": [asdict(setting) for setting in changes.parameters],
        "versions": [asdict(setting) for setting in changes.versions],
    }


def as_json(plain: Mapping[str, Any]) -> str:
    """Return plain data as JSON."""
    return json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False)


def _value_json(value: Value) -> dict[str, Any]:
    plain = asdict(value) | {"within_noise": value.within_noise, "table": value.table}
    return plain | {name: finite(plain[name]) for name in ("old_value", "new_value")}


def finite(value: Any) -> Any:
    """Return a value with texts for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
