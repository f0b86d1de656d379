"""The outlines of letters that all pages of a report share: those that nobody tells apart are one."""

from __future__ import annotations

import re

from labreport.page.compact import NAMESPACE

SAME = 0.035
"""Points by which outlines may differ that look the same: a fifth of a pixel at 400 %."""

_NUMBER = re.compile(r"-?[\d.]+")
_NUMBERS = re.compile(r"[-\d. ]+")


class Outlines:
    """Outlines in the order in which they were met; each has a name, and is written once."""

    def __init__(self) -> None:
        self._outlines: list[str] = []
        self._names: dict[str, str] = {}
        self._alike: dict[str, list[tuple[list[float], str]]] = {}

    def name(self, outline: str) -> str:
        """Return the name of an outline, a new one if none was met before that looks the same."""
        if outline not in self._names:
            self._names[outline] = self._near(outline)
        return self._names[outline]

    def __len__(self) -> int:
        return len(self._outlines)

    def svg(self, first: int = 0, end: int | None = None) -> str:
        """Return the SVG that holds the outlines from one number up to another, and shows nothing."""
        numbers = range(len(self))[first:end]
        defs = "".join(_named(self._outlines[number], f"g{number}") for number in numbers)
        return f'<svg xmlns="{NAMESPACE}" width="0" height="0"><defs>{defs}</defs></svg>'

    def _near(self, outline: str) -> str:
        """Return the name of an outline that looks the same.

        cairo puts them on a grid of a 64th of a point: letters of a figure that are a thousandth larger than
        those of another one differ by one or two steps.
        """
        numbers = [float(number) for number in _NUMBER.findall(outline)]
        alike = self._alike.setdefault(_NUMBERS.sub("", outline), [])
        for others, name in alike:
            if all(abs(a - b) <= SAME for a, b in zip(numbers, others, strict=True)):
                return name
        name = f"g{len(self._outlines)}"
        self._outlines.append(outline)
        alike.append((numbers, name))
        return name


def _named(outline: str, name: str) -> str:
    # a group around a single path would be one more thing for a browser to copy for each letter
    if outline.startswith("<path") and outline.count("<") == 1:
        return outline.replace("<path", f'<path id="{name}"')
    return f'<g id="{name}">{outline}</g>'
