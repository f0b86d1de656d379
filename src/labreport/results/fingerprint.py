"""What something was made from, as digests of its parts, and what changed since, in words.

The parts, in the order in which `changes` names them:

1. `schema`: the version of a result's format;
2. `parameter`: a parameter's value, as JSON;
3. `code`: each piece of the project's code that `run` (or `draw`) reaches (see `reach`), by its place: the
   functions, classes and methods as `src/m.py:f` and `src/m.py:Net.forward`, the statements that an import
   executes as `src/m.py`; as syntax: comments, docstrings and layout do not count, and neither does
   labreport;
4. `module`: a module of the project that was imported in a way that the syntax does not show, with what it
   imports itself;
5. `file`: the bytes of a file that READS names, or that was read without that;
6. `folder`: the names in a folder that was listed;
7. `variable`: an environment variable that the project's code read: its value, or a digest of it;
8. `program`: a program that the project's code started;
9. `input`: the bytes of a file that the report, a notebook or the hand-in is made from;
10. `result`: the content of a result that is used;
11. `version` and `python`: the distributions that the code imports, and Python;
12. `package`: the files of a package that the code imports and that has no released version;
13. `style`: matplotlib's style file, for `draw`.

The kinds in `OBSERVED` may come to light only while the code runs: the next plan asks for them because the
record of this run has them. A file that READS names and one that was only seen are parts of one kind, so that
nothing runs again when a file that was seen is declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from labreport.results import strict_json
from labreport.results.observed import ABSENT
from labreport.surroundings import is_secret

OBSERVED = ("module", "file", "folder", "variable", "program")
"""The kinds of parts that may come to light only while the code runs."""

NOT_FOUND = "unknown"
"""The version of a package that is not installed."""


class Part(NamedTuple):  # of a tuple, the hash costs a tenth of a dataclass's: records have thousands
    """One thing that a product depends on; `name` says which of its kind, where there are several."""

    kind: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Part:
        """Return the part that is written so in a record."""
        kind, _, name = text.partition(" ")
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.name else self.kind


@dataclass(frozen=True)
class Fingerprint:
    """The digests of all parts that a product depends on; small values stand there themselves."""

    parts: Mapping[Part, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, written: object) -> Fingerprint:
        """Return the fingerprint in parsed JSON; ValueError if it is none."""
        if not isinstance(written, dict):
            raise ValueError("a fingerprint is an object")
        if not all(isinstance(text, str) for pair in written.items() for text in pair):
            raise ValueError("a fingerprint maps texts to texts")
        return cls({Part.parse(part): value for part, value in written.items()})

    def plain(self) -> dict[str, str]:
        """Return the fingerprint as records hold it."""
        # must stay the same in each version: the digest of this form decides whether a result is fresh
        return {str(part): value for part, value in self.parts.items()}

    @cached_property
    def digest(self) -> str:
        """The digest of the whole fingerprint."""
        return strict_json.digest(self.plain())

    def named(self, kind: str) -> dict[str, str]:
        """Return the digests of the parts of one kind, by name."""
        return {part.name: value for part, value in self.parts.items() if part.kind == kind}

    def without(self, parts: Iterable[Part]) -> Fingerprint:
        """Return the other parts alone."""
        left_out = set(parts)
        return Fingerprint({part: value for part, value in self.parts.items() if part not in left_out})

    def __or__(self, other: Fingerprint) -> Fingerprint:
        return Fingerprint({**self.parts, **other.parts})


def of_kind(kind: str, digests: Mapping[str, str]) -> Fingerprint:
    """Return the fingerprint of parts of one kind, from their digests by name."""
    return Fingerprint({Part(kind, name): value for name, value in digests.items()})


def changes(old: Fingerprint, new: Fingerprint) -> list[str]:
    """Return what changed between two fingerprints, as reasons for people, in the documented order.

    Of one kind, what is different comes before what is new or gone, which often only follows from that.
    """
    then, now = old.parts, new.parts
    different = [part for part in then.keys() | now.keys() if then.get(part) != now.get(part)]
    different.sort(key=lambda part: _order(part, in_both=part in then and part in now))
    return [_reason(part, then.get(part), now.get(part)) for part in different]


_REASONS = {  # changed, new, gone
    "schema": ("the format was {old}, is {new}",) * 3,
    "parameter": ("{name} was {old}, is {new}", "{name} is new: {new}", "{name} is gone, was {old}"),
    "code": ("{name} changed", "{name} is used now", "{name} is no longer used"),
    "module": ("{name}, or what it imports, changed", "{name} is imported now", "{name} is gone"),
    "file": ("{name} changed", "{name} is read now", "{name} is no longer read"),
    "folder": ("what lies in {name} changed", "{name} is listed now", "{name} is no longer listed"),
    "variable": ("{name} was {old}, is {new}", "{name} is read now", "{name} is no longer read"),
    "program": ("the program {name} changed", "{name} is started now", "{name} is no longer started"),
    "input": ("{name} changed", "{name} is new", "{name} is gone"),
    "result": ("the result of {name} changed", "it uses {name} now", "it no longer uses {name}"),
    "version": ("{name} was {old}, is {new}", "{name} {new} is imported now", "{name} is no longer imported"),
    "python": ("Python was {old}, is {new}",) * 3,
    "package": tuple(f"the files of {{name}} {how}" for how in ("changed", "count now", "no longer count")),
    "style": ("{name} changed", "{name} is new", "{name} is gone"),
}
_PLAIN = ("{name} changed",) * 3
_ON_DISK = ("file", "folder", "program")
_GONE, _BACK = "{name} is gone", "{name} exists now"


def _order(part: Part, *, in_both: bool) -> tuple[int, bool, bool, str]:
    """Return where a part stands among the reasons: experiments come before what they import."""
    kinds = list(_REASONS)
    place = kinds.index(part.kind) if part.kind in kinds else len(kinds)
    return place, not in_both, not part.name.startswith("experiments/"), part.name


def _reason(part: Part, old: str | None, new: str | None) -> str:
    # a record of a later labreport may hold kinds that this one does not know
    changed, added, gone = _REASONS.get(part.kind, _PLAIN)
    if part.kind == "variable" and (is_secret(part.name) or _is_digest(old) or _is_digest(new)):
        changed = _PLAIN[0]  # a reason stands on the screen and in logs
    if part.kind in _ON_DISK and ABSENT in (old, new):
        changed = _GONE if new == ABSENT else _BACK
    if part.kind == "version" and NOT_FOUND in (old, new):
        changed, added = "{name} was {old}, is {new}", "{name} is imported now, but not installed"
        old, new = ("not installed" if value == NOT_FOUND else value for value in (old, new))
    text = added if old is None else gone if new is None else changed
    return text.format(name=part.name or part.kind, old=_short(old), new=_short(new))


def _is_digest(value: str | None) -> bool:
    return value is not None and re.fullmatch("[0-9a-f]{32,}", value) is not None


def _short(value: str | None) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
