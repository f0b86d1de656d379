"""The licences of what labreport needs, as the installed packages state them."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from importlib.metadata import distribution
from typing import cast

from labreport import handin
from labreport.manual.entries import Entry


def entry() -> Entry:
    """Return what runs with labreport, what that needs in turn among it, and the licence of each."""
    _, needed = handin.of_engine()
    return Entry(
        "packages",
        "python -m pip show --verbose NAME",
        "What labreport needs, and what that needs in turn, in the versions that are installed here.",
        tuple((f"{name} {version}", _licence(name)) for name, version in handin.pins(needed).items()),
        ("package", "licence"),
    )


def _licence(name: str) -> str:
    # the email's message that the metadata are; its type leaves out what asks for a header that may be absent
    metadata = cast(Message, distribution(name).metadata)
    return next(_stated(metadata), "not stated")


def _stated(metadata: Message) -> Iterator[str]:
    """Yield what a package says of its licence, the most precise first."""
    if expression := metadata.get("License-Expression"):
        yield expression
    classifiers = [each.split(" :: ") for each in metadata.get_all("Classifier", [])]
    if names := [last for first, *_, last in classifiers if first == "License"]:
        yield ", ".join(names)
    # in older metadata it is a name or the whole text, whose first line is its title
    if text := (metadata.get("License") or "").strip():
        yield text.splitlines()[0]
