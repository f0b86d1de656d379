"""A compiled template as plain data, so that it can be kept from one rendering to the next.

To compile templates takes longer than to render them, and of two renderings most templates are the same.
"""

from __future__ import annotations

import marshal
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import CodeType
from typing import Any

from labreport.language.spans import Site

Remember = Callable[[str, Callable[[], Any]], Any]
"""Returns the plain data that belong to a key: those that were kept, else what the function makes."""


def afresh(_: str, make: Callable[[], Any]) -> Any:
    """Return what the function makes: nothing is kept."""
    return make()


@dataclass(frozen=True)
class Compiled:
    """What a template compiles to, and what reading it told: its expressions' places, the names it gives."""

    code: CodeType
    sites: Sequence[Site]
    names: Iterable[str]

    def plain(self) -> dict[str, Any]:
        """Return it as data that JSON can hold."""
        return {
            "code": b64encode(marshal.dumps(self.code)).decode("ascii"),
            "sites": [[site.offset, site.expression] for site in self.sites],
            "names": sorted(self.names),
        }

    @classmethod
    def parse(cls, template: str, found: dict[str, Any]) -> Compiled:
        """Return it from its data."""
        sites = [Site(template, offset, expression) for offset, expression in found["sites"]]
        return cls(marshal.loads(b64decode(found["code"])), sites, found["names"])


def identity(source: str, file: str, known: Iterable[Iterable[str]]) -> str:
    """Return the key of a template: it compiles to the same if source, file and known names are the same."""
    names = [" ".join(sorted(some)) for some in known]
    text = "\n".join([*names, source])
    return f"{file} {sha256(text.encode()).hexdigest()}"
