"""What one rendering may compute: it ends before it fills the memory or lasts for hours.

Loops and calls of macros are counted, and the text that comes out. What Python computes in one go, such as a
power, a range or a replacement, is refused beforehand by its size.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import GeneratorType
from typing import Any

from labreport.language.arguments import FormatError

MOST_STEPS = 2_000_000
"""The rounds of all loops and calls of macros of a rendering together."""
MOST_ITEMS = 100_000
"""The numbers of a range, or the items that a filter makes room for."""
MOST_CHARACTERS = 20_000_000
"""The characters of a document, with what its `set` blocks and macros capture on the way."""
MOST_IN_A_TEXT = 2_000_000
"""The characters of one text that a template puts together."""
LARGEST_BITS = 10_000
"""The bits of a whole number."""
DEADLINE = 120.0
"""The seconds that a rendering may take."""

_CURE = "correct the loop, or compute this in an experiment and record what is printed"


class Bounds:
    """Counts what a rendering does."""

    def __init__(self) -> None:
        self.steps = 0
        self.characters = 0
        self.end = time.monotonic() + DEADLINE

    def step(self) -> None:
        """Count a round of a loop or a call; FormatError if there are too many, or they take too long."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise FormatError(f"the templates go through loops more than {MOST_STEPS:,} times", cure=_CURE)
        if self.characters > MOST_CHARACTERS:
            raise _too_long()
        # the clock is looked at in each round: it may have sorted many values
        if time.monotonic() > self.end:
            raise FormatError(f"rendering the templates takes more than {DEADLINE:g} s", cure=_CURE)

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        """Give the items, and count them."""
        for item in items:
            self.step()
            yield item

    def joined(self, parts: Iterable[str]) -> str:
        """Return pieces of text side by side; FormatError as soon as all texts together are too long."""
        kept = []
        try:
            for part in parts:
                self.characters += len(part)
                # a loop that makes too much is stopped in its next round, which knows its line
                if self.characters > 2 * MOST_CHARACTERS:
                    raise _too_long()
                kept.append(part)
        except Exception as error:
            # an error between two pieces is reported at the template line that made the last one
            if isinstance(parts, GeneratorType) and parts.gi_frame is not None:
                parts.throw(error)
            raise
        return "".join(kept)


def _too_long() -> FormatError:
    return FormatError(f"the templates make a text of more than {MOST_CHARACTERS:,} characters", cure=_CURE)


def check_text(length: int) -> None:
    """Raise FormatError for the length of a text that is too long."""
    if length > MOST_IN_A_TEXT:
        raise FormatError(f"this text has {length:,} characters; {MOST_IN_A_TEXT:,} are allowed", cure=_CURE)


def check_items(name: str, number: int) -> None:
    """Raise FormatError for a number of items that is too large."""
    if number > MOST_ITEMS:
        raise FormatError(f"{name} would have more than {MOST_ITEMS:,} items", cure=_CURE)


def check_number(operator: str, left: Any, right: Any) -> None:
    """Raise FormatError for an operation whose result would be a whole number of thousands of digits."""
    if not (isinstance(left, int) and isinstance(right, int)):
        return
    bits = {
        "**": abs(left).bit_length() * right if abs(left) > 1 else 0,
        "*": left.bit_length() + right.bit_length(),
    }.get(operator, 0)
    if bits > LARGEST_BITS:
        raise FormatError(
            "this number would have thousands of digits", cure="compute with 10.0 in place of 10"
        )


def replaced(value: str, old: str, new: str) -> str:
    """Return a text with another in the place of a part; FormatError if it would be too long."""
    check_text(len(value) + value.count(old) * (len(new) - len(old)))
    return value.replace(old, new)


def rounded(value: Any, digits: int = 0) -> Any:
    """Return a rounded number; FormatError for digits that no number has."""
    if abs(digits) > LARGEST_BITS:
        raise FormatError(f"no number has {digits:,} digits", cure="|round(2)")
    return round(value, digits) if digits else float(round(value))
