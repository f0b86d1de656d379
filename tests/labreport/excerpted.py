"""Excerpts made from lines, without a project."""

from pathlib import Path

from labreport.writing.excerpts import Difference, Excerpt, Line, difference


def bodies(new: list[str], old: list[str]) -> Difference:
    """Return the difference of two excerpts that show these lines."""
    lines = [tuple(Line(n, text) for n, text in enumerate(body, 1)) for body in (new, old)]
    files = [("a:new", "src/new.py"), ("a:old", "src/old.py")]
    return difference(*(Excerpt(n, f, Path(f), b) for (n, f), b in zip(files, lines, strict=True)))
