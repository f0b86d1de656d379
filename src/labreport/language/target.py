"""Targets: languages that templates are rendered to. This room knows none of them; `writing` has two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup


@dataclass(frozen=True)
class Target:
    """A language that templates are rendered to: its formats, and what it makes of what these return."""

    name: str
    formats: Mapping[str, Callable[..., Any]]
    write: Callable[[Any], Markup]
    table: Callable[..., Markup]
    answer: Callable[[str], Markup]
    takes_name: Callable[[str], str | None]
    """Returns the command, if one takes as a name (a label, a file) what stands behind a template's text."""
