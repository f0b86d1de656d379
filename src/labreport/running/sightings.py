"""What an experiment was seen to read, put together from its journal: what counts, and in which words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from labreport.errors import ExperimentError
from labreport.results import Fingerprint, Part, Sources, observed

if TYPE_CHECKING:
    from labreport.project import Project
    from labreport.running.journal import Line

_SHOWN = 3  # names in a sentence

_SENTENCES = {
    "module": (
        "imported {names} in a way that no syntax shows",
        "counts from now on, whole and with what it imports; a plain `import` would be more exact",
    ),
    "file": ("read {names}", "declared from now on, or add it to READS"),
    "missing": ("looked for {names} in vain", "stale from now on as soon as it exists"),
    "folder": ("listed {names}", "the names in it count from now on, or list the files in READS"),
    "variable": (
        "read {names} from the environment",
        "stale from now on if a value changes; a parameter would show in the report, and --set would set it",
    ),
    "program": (
        "started {names}",
        "stale from now on if a program changes; add the files that it reads by itself to READS",
    ),
}
_EVERY = (
    "read the whole environment",
    "stale from now on if any variable changes; read by name those that matter, and start programs "
    "with `os.environ | {…}`",
)
"""The words for each kind of input, and what its user can do; {names} are the inputs."""


def settled(project: Project, lines: Iterable[Line], declared: Fingerprint) -> Fingerprint:
    """Return what was read and neither declared nor made by the experiment itself.

    Raises ExperimentError if something changed between the moment when it was read and now.
    """
    first, touched, differing = _sorted(lines)
    started = ("program", "") in touched
    sources = Sources(project)  # read now, after all that the experiment has read
    parts, changed = {}, []
    for key, line in first.items():
        part = Part(*key)
        expected = declared.parts.get(part) or declared.parts.get(Part("style", line.name)) or line.value
        now = _now(sources, line)
        if line.how == "argument" and now != line.value:
            continue  # the program has written it
        may_change = started or key in touched
        if (key in differing or len({expected, line.value, now}) > 1) and not may_change:
            changed.append(f"the variable {line.name}" if line.kind == "variable" else line.name)
        if part not in declared.parts and Part("style", line.name) not in declared.parts:
            parts[part] = line.value
    if changed:
        what = f"{', '.join(changed)} changed while the experiment read it"
        raise ExperimentError(what, cure="build again")
    return Fingerprint(parts)


Key = tuple[str, str]


def _sorted(lines: Iterable[Line]) -> tuple[dict[Key, Line], set[Key], set[Key]]:
    """Return what was read first, what was changed, and what was read with several values."""
    first: dict[Key, Line] = {}
    own: set[Key] = set()
    touched: set[Key] = set()
    differing: set[Key] = set()
    for line in lines:
        key = line.kind, line.name
        if line.how in ("own", "touched"):
            (own if line.how == "own" and key not in first else touched).add(key)
        elif key not in own and first.setdefault(key, line).value != line.value:
            differing.add(key)
    return first, touched, differing


def _now(sources: Sources, line: Line) -> str:
    """Return the value that would be observed now, where it must not change while the experiment runs."""
    if line.kind == "file":
        path = f"{sources.project.root}/{observed.read_back(line.name)}"
        if line.how and observed.is_token(path, line.how):
            return line.value
        return observed.file(path)
    if line.kind == "module":
        part = Part(line.kind, line.name)
        return sources.observed([part]).parts[part]
    return line.value


def given(lines: Iterable[Line]) -> set[Part]:
    """Return what the experiment gave to its commands: that is declared, and nothing to be told."""
    return {Part(line.kind, line.name) for line in lines if line.how == "given"}


def sentences(new: Fingerprint) -> list[str]:
    """Return a line for each kind of input that was not known before, with its cure."""
    told = []
    missing = {name for name, value in new.named("file").items() if value == observed.ABSENT}
    for kind, (what, cure) in _SENTENCES.items():
        found = missing if kind == "missing" else set(new.named(kind))
        names = sorted(found - missing if kind == "file" else found)
        if kind == "variable" and observed.EVERY in names:
            names.remove(observed.EVERY)
            told.append(": ".join(_EVERY))
        if names:
            told.append(f"{what.format(names=_listed(names))}: {cure}")
    return told


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    shown = ", ".join(names if more <= 1 else names[:_SHOWN])
    return f"{shown} and {more} more" if more > 1 else shown
