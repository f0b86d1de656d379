"""The search for what must not leave this machine, in the bytes of a file and in all that they hold.

What is known (see `known`) is found however it is written, also broken over lines; what is not, by its form
(see `forms`). No value is ever part of a finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labreport.handin.forms import ASSIGNED, FORMS, TOKENS, Kind, secret_at
from labreport.handin.known import Known
from labreport.handin.unpacking import View, views
from labreport.handin.values import Value, loose, spread, tight

MASK = "***"


@dataclass(frozen=True)
class Finding:
    """What was found: its kind, in words without its value, the line if it can be told, and inside what."""

    kind: Kind
    what: str
    line: int | None = None
    inside: str = ""

    def __str__(self) -> str:
        return f"{self.what}, {self.inside}" if self.inside else self.what


def search(
    data: bytes, looked_for: Known, is_clean: Callable[[View], bool] = lambda _: False
) -> list[Finding]:
    """Return what is found in the bytes of a file, each thing once, where it stands first.

    Of what is in the file, `is_clean` says what was searched before.
    """
    found: dict[str, Finding] = {}
    for view in views(data):
        for finding in () if is_clean(view) else in_view(view, looked_for):
            found.setdefault(finding.what, finding)
    return list(found.values())


def in_view(view: View, looked_for: Known) -> list[Finding]:
    """Return what is found in a view; whether there is any depends on its `data` and `is_text` alone."""

    def finding(kind: Kind, what: str, at: int) -> Finding:
        # the name of a file in an archive may hold a secret as well
        return Finding(kind, what, view.at(at), masked(view.inside, looked_for))

    data = view.data
    for text in looked_for.allowed:
        data = data.replace(text, re.sub(rb"[^\n]", b" ", text))
    found = [finding("secret", value.what, at) for value, at in _values_in(data, looked_for.values)]
    for form in (*TOKENS, *FORMS, *looked_for.paths, *(looked_for.names if view.is_text else ())):
        if match := form.found(data):
            found.append(finding(form.kind, form.what, match.start()))
    if view.is_text and any(hint in data for token in TOKENS for hint in token.hints):
        joined = _LINE_BREAK.sub(b"", data)
        for token in TOKENS:
            if match := token.found(joined):
                found.append(finding("secret", token.what, max(data.find(match[0][:8]), 0)))
    if not any(one.kind == "secret" for one in found) and (match := ASSIGNED.found(data)):
        found.append(finding("secret", ASSIGNED.what, match.start()))
    return found


_LINE_BREAK = re.compile(rb"[\"'\\,-]*(?:\\n|\r?\n)[\s\"',#%|>]*")
"""A break of a line within a longer text, as prose, source code and JSON have it."""


def _values_in(data: bytes, values: tuple[Value, ...]) -> Iterator[tuple[Value, int]]:
    """Yield the values that stand in the data, and where."""
    bare = {True: tight(data), False: loose(data)} if values else {}
    for value in values:
        if value.text in bare[value.tight]:
            match = spread(value).search(data)
            yield value, match.start() if match else 0


def masked(text: str, looked_for: Known) -> str:
    """Return a text for people with each secret in it masked; paths and names stay."""
    data = text.encode("utf-8", "surrogateescape")
    for value, _ in _values_in(data, looked_for.values):
        data = spread(value).sub(MASK.encode(), data)
    for form in (*TOKENS, *FORMS, ASSIGNED):
        # from the end on, so that the places before stay where they are
        for match in sorted(form.matches(data), key=re.Match.start, reverse=True):
            start, stop = secret_at(match)
            data = data[:start] + MASK.encode() + data[stop:]
    return data.decode("utf-8", "surrogateescape")
