"""What the reference is made of: entries, in chapters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One thing that a user can write: its name, how it is written, and what it does.

    `text` has the form of a docstring; `rows` are pairs, as code and what it means, below the `heads`.
    """

    name: str
    form: str
    text: str
    rows: tuple[tuple[str, str], ...] = ()
    heads: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Chapter:
    """Entries of one kind, under a title, after some words on all of them."""

    title: str
    text: str
    entries: tuple[Entry, ...]
