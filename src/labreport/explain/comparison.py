"""What changed from one snapshot of a report to another: nothing here reads or writes a file."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labreport.explain import pairing
from labreport.explain.snapshot import Snapshot

CHANGED, BELOW, REWRITTEN, ADDED, REMOVED = "changed", "below", "rewritten", "added", "removed"
"""How a printed value changed: what is printed; only below the printed digits; only its format; new; gone."""


@dataclass(frozen=True)
class Place:
    """Where something stands: the template's line, the page of the PDF where that is known."""

    template: str
    line: int
    page: int | None = None

    def __str__(self) -> str:
        page = f" (p. {self.page})" if self.page is not None else ""
        return f"{self.template}:{self.line}{page}"


@dataclass(frozen=True)
class Value:
    """A printed value that changed, at one place: `place` is the new one, of what is gone the old one.

    `absolute` and `relative` are the change of a number. `noise` is that change in widths of the noise of a
    difference, of the key where it is largest, `unit` what the width is; None where no noise is known.
    """

    kind: str
    old: str | None
    new: str | None
    old_value: Any
    new_value: Any
    keys: tuple[str, ...]
    expression: str
    place: Place
    absolute: float | None = None
    relative: float | None = None
    noise: float | None = None
    unit: str | None = None

    @property
    def within_noise(self) -> bool | None:
        """Whether the change is within the noise; None where no interval is known.

        How far a mean may lie off does not follow from a standard deviation without the sample's size.
        """
        return self.noise <= 1 if self.noise is not None and self.unit == "interval" else None

    @property
    def table(self) -> str | None:
        """The table that all of it comes from, as a key; None if there is no such table."""
        found = {match[0] if (match := _TABLE.match(key)) else None for key in self.keys}
        return found.pop() if len(found) == 1 else None


_TABLE = re.compile(r'\w+\.tables(?:\.\w+|\["(?:[^"\\]|\\.)*"\])')


@dataclass(frozen=True)
class Claim:
    """A claim whose verdict changed, or that is new (`old` is None) or gone (`new` is None)."""

    name: str
    old: str | None
    new: str | None
    sentence: str
    old_sentence: str | None
    states: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class Figure:
    """A figure that changed: its "data", only the "drawing" of them, or it is "added" or "removed"."""

    key: str
    kind: str
    old_file: str | None
    new_file: str | None


@dataclass(frozen=True)
class Lines:
    """Lines of a text that changed: `name` says of which excerpt or template, `line` the first number.

    What is only gone stood before that line.
    """

    name: str
    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """A parameter or a version that changed; None where there was or is none."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Changes:
    """All that changed from an old report to a new one; `total` counts the printed values of the new one."""

    old: str
    new: str
    total: int
    values: tuple[Value, ...]
    claims: tuple[Claim, ...]
    figures: tuple[Figure, ...]
    excerpts: tuple[Lines, ...]
    prose: tuple[Lines, ...]
    parameters: tuple[Setting, ...]
    versions: tuple[Setting, ...]

    def of_kind(self, *kinds: str) -> list[Value]:
        """Return the printed values that changed in one of these ways."""
        return [value for value in self.values if value.kind in kinds]

    @property
    def is_empty(self) -> bool:
        """Whether a reader of the report, and of what it stands on, finds no difference."""
        parts = (self.values, self.claims, self.figures, self.excerpts, self.prose, self.parameters)
        return not any(parts) and not self.versions


def compare(old: Snapshot, new: Snapshot) -> Changes:
    """Return what changed from one snapshot to another."""
    # records of older versions of labreport lack some lists: of these nothing is known to have changed
    knows_claims, knows_rest = (
        all(key in snapshot.record for snapshot in (old, new)) for key in ("claims", "background")
    )
    return Changes(
        old.name,
        new.name,
        len(new.printed),
        tuple(_values(old, new)),
        tuple(_claims(old, new)) if knows_claims else (),
        tuple(_figures(old, new)) if knows_rest else (),
        tuple(_excerpts(old, new)) if knows_rest else (),
        tuple(_prose(old, new)) if knows_rest else (),
        tuple(_settings(*(_flat(s.behind("parameters")) for s in (old, new)))) if knows_rest else (),
        tuple(_settings(old.behind("versions"), new.behind("versions"))) if knows_rest else (),
    )


# ----------------------------------------------------------------------------------------------------- values


def _values(old: Snapshot, new: Snapshot) -> Iterator[Value]:
    noises = (old.behind("noise"), new.behind("noise"))
    excerpts = {_statement(entry) for entry in new.listed("excerpts")}
    for before, after in pairing.pairs(old.printed, new.printed):
        kind = _kind(before, after)
        is_code = kind == REWRITTEN and after is not None and _statement(after) in excerpts
        if kind is not None and not is_code:  # other code of the same name is told line by line
            yield _value(kind, before, after, noises)


def _statement(entry: Mapping[str, Any]) -> tuple[str, int, int]:
    return entry["template"], entry["line"], entry["column"]


def _kind(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str | None:
    """Return how a printed value changed; None if it did not."""
    if before is None or after is None:
        return ADDED if before is None else REMOVED
    same_text = before["text"] == after["text"]
    if same(before["value"], after["value"]):
        return None if same_text else REWRITTEN
    return BELOW if same_text else CHANGED


def same(old: Any, new: Any) -> bool:
    """Return whether two plain values are the same: NaN is the same as NaN, but True is not 1."""
    if isinstance(old, float) and isinstance(new, float) and math.isnan(old) and math.isnan(new):
        return True
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(old[key], new[key]) for key in old)
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def _value(
    kind: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    noises: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> Value:
    shown = after or before or {}
    old, new = before or {}, after or {}
    absolute, relative = _change(old.get("value"), new.get("value"))
    noise, unit = _noise(old.get("keys", ()), new.get("keys", ()), noises)
    return Value(
        kind,
        old.get("text"),
        new.get("text"),
        old.get("value"),
        new.get("value"),
        tuple(shown["keys"]),
        shown["expression"],
        Place(shown["template"], shown["line"], shown.get("page")),
        absolute,
        relative,
        noise,
        unit,
    )


def _change(old: Any, new: Any) -> tuple[float | None, float | None]:
    """Return by how much a number changed, and which part of the old one that is."""
    before, after = _number(old), _number(new)
    if before is None or after is None:
        return None, None
    absolute = after - before
    relative = absolute / abs(before) if before else None
    finite = [x if x is not None and math.isfinite(x) else None for x in (absolute, relative)]
    return finite[0], finite[1]


def _number(value: Any) -> float | None:
    """Return a number, or that of an estimate with its spread: of a pair the first, of a mapping its mean."""
    if isinstance(value, dict):
        value = value.get("estimate", value.get("mean"))
    elif isinstance(value, list) and len(value) == 2:
        value = value[0]
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _noise(
    old_keys: Sequence[str],
    new_keys: Sequence[str],
    noises: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> tuple[float | None, str | None]:
    """Return the largest change among the keys of a value, in widths of the noise, and what the width is.

    The width of a difference of two estimates is that of both, added as squares.
    """
    found = []
    for old_key, new_key in zip(old_keys, new_keys, strict=False):
        old, new = noises[0].get(old_key), noises[1].get(new_key)
        if old and new and old["unit"] == new["unit"]:
            width = math.hypot(old["width"], new["width"])
            change = abs(new["value"] - old["value"])
            found.append((change / width if width else (math.inf if change else 0.0), old["unit"]))
    known = [(noise, unit) for noise, unit in found if math.isfinite(noise)]
    return max(known, key=lambda each: (each[1] == "interval", each[0])) if known else (None, None)


# --------------------------------------------------------------------------- claims, figures, texts, settings


def _claims(old: Snapshot, new: Snapshot) -> Iterator[Claim]:
    before = {claim["name"]: claim for claim in old.listed("claims")}
    after = {claim["name"]: claim for claim in new.listed("claims")}
    for name in [*after, *(name for name in before if name not in after)]:
        was, now = before.get(name), after.get(name)
        verdicts = [claim["verdict"] if claim else None for claim in (was, now)]
        shown = now or was or {}
        if verdicts[0] != verdicts[1]:
            states = tuple(dict.fromkeys(entry["states"] for entry in shown.get("evidence", ())))
            place = Place(shown["template"], shown["line"], shown.get("page"))
            sentence = was["sentence"] if was else None
            yield Claim(name, verdicts[0], verdicts[1], shown["sentence"], sentence, states, place)


def _figures(old: Snapshot, new: Snapshot) -> Iterator[Figure]:
    before, after = old.behind("figures"), new.behind("figures")
    for key in [*after, *(key for key in before if key not in after)]:
        was, now = before.get(key), after.get(key)
        files = (was["file"] if was else None, now["file"] if now else None)
        if was is None or now is None:
            yield Figure(key, ADDED if was is None else REMOVED, *files)
        elif was["pdf"] != now["pdf"]:
            yield Figure(key, "data" if was["data"] != now["data"] else "drawing", *files)


def _excerpts(old: Snapshot, new: Snapshot) -> Iterator[Lines]:
    before, after = old.behind("code"), new.behind("code")
    for name in [*after, *(name for name in before if name not in after)]:
        codes = [code[name].split("\n") if name in code else [] for code in (before, after)]
        for start, was, now in _pieces(*codes):
            yield Lines(name, start + 1, was, now)


def _prose(old: Snapshot, new: Snapshot) -> Iterator[Lines]:
    lines = new.prose
    for start, was, now in _pieces([text for *_, text in old.prose], [text for *_, text in lines]):
        template, line, _ = lines[min(start, len(lines) - 1)] if lines else ("", 1, "")
        yield Lines(template, line, was, now)


def _pieces(
    before: Sequence[str], after: Sequence[str]
) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """Yield the pieces in which two texts differ: where in the new one, the old lines, the new lines."""
    # thousands of lines that are the same would cost more than the few that are not
    shorter = min(len(before), len(after))
    start = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    matcher = difflib.SequenceMatcher(None, before[start:], after[start:], autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag != "equal":
            old_part, new_part = before[start + i : start + i_end], after[start + j : start + j_end]
            yield start + j, tuple(old_part), tuple(new_part)


def _flat(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{name}.params.{key}": value for name, own in parameters.items() for key, value in own.items()}


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Setting]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new or not same(old[name], new[name]):
            yield Setting(name, old.get(name), new.get(name))
