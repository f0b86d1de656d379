r"""What the paragraphs about code and results were last read against, and which of them must be read again.

`accepted.toml`, which lies beside report.toml and belongs in version control, holds for each target of an
`about` the digest that it had when the text about it was last read (see `digests`). Where it has another one
now, the build asks for the paragraph, until `accept` notes the new digest. The file is not an input of any
document: what is printed does not depend on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from labreport.config import read_toml
from labreport.documents import notebooks, provenance
from labreport.documents.digests import LENGTH, Digests, is_code
from labreport.documents.pins import Pin
from labreport.errors import InputError, LabreportError, Place, UsageError, did_you_mean, raise_all
from labreport.project import ACCEPTED
from labreport.results import files

if TYPE_CHECKING:
    from labreport.project import Project

HEAD = """\
# What paragraphs about code or results were last read against; `labreport accept` writes this file.
"""
MOST_NOTICES = 5


@dataclass(frozen=True)
class Unread:
    """A paragraph that must be read, and why: its target is new to it, has changed, or is gone."""

    pin: Pin
    why: str
    is_gone: bool = False

    def __str__(self) -> str:
        return f"{self.pin.place}: {self.why}\n    {self.pin.reads}"


@dataclass(frozen=True)
class Accepted:
    """The targets whose paragraphs count as read now, and those that no paragraph is about any more."""

    targets: tuple[str, ...]
    dropped: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"accepted: {target}" for target in self.targets]
        lines += [f"dropped: {target}, which no paragraph is about" for target in self.dropped]
        return "\n".join(lines) or "no paragraph waits to be read"


def unread(project: Project) -> list[Unread]:
    """Return the paragraphs that must be read in the documents as last made; none of a quick build.

    Raises InputError if accepted.toml is damaged.
    """
    pins = [pin for document in _published(project) for pin in document or ()]
    if project.quick or not pins:  # no text is read against the results of a trial
        return []
    known, digests = read(project), Digests(project)
    found = [waits for pin in pins if (waits := _unread(pin, known.get(pin.target), digests))]
    digests.save()
    return found


def _unread(pin: Pin, known: str | None, digests: Digests) -> Unread | None:
    try:
        now = digests.of(pin.target)
    except LabreportError as error:
        return Unread(pin, f"{pin.target} is gone: {error.what}", is_gone=True)
    if known is None:
        return Unread(pin, f"it was never read against {pin.target}")
    changed = f"the code of {pin.target}" if is_code(pin.target) else pin.target
    return Unread(pin, f"{changed} has changed") if now != known else None


def notices(project: Project, waiting: Sequence[Unread]) -> list[str]:
    """Return what to tell of the paragraphs that wait: a line for each of the first, with the cure."""
    lines = []
    for _, group in groupby(waiting, key=lambda one: (one.pin.template, one.pin.first)):
        found = list(group)
        targets = [one.pin.target for one in found if not one.is_gone]
        cure = f"; then `{project.command('accept', *targets)}`" if targets else "; correct its `about`"
        whys = "; ".join(one.why for one in found)
        lines.append(f"{found[0].pin.place}: this paragraph waits to be read: {whys}{cure}")
    more = len(lines) - MOST_NOTICES
    told = f"… and {more} more, which `{project.command('accept')}` lists"
    return [*lines[:MOST_NOTICES], *([told] if more > 0 else [])]


def accept(project: Project, names: Sequence[str], *, every: bool = False) -> Accepted:
    """Note that paragraphs were read as their targets are now: those of these names, or all that wait.

    A name is a target, or a place such as report.tex.j2:12. Targets that no paragraph is about any more are
    dropped from accepted.toml.

    Raises
    ------
    UsageError, SeveralErrors
        No paragraph is about what is named, or the build is a quick one.
    InputError
        No document was made yet, accepted.toml is damaged, or a target does not exist any more.

    """
    if project.quick:
        what = "a quick build has the results of a trial, which no text is read against"
        raise UsageError(what, cure=f"run `{project.command('accept', '--full')}`")
    published = _published(project)
    if all(document is None for document in published[: len(project.documents)]):
        what = "there is no record of the report's paragraphs"
        raise InputError(what, cure=f"make the report: `{project.command()}`")
    pins = [pin for document in published for pin in document or ()]
    known, digests = read(project), Digests(project)
    chosen = _named(pins, names) | ({one.pin.target for one in unread(project)} if every else set())
    now = {target: _digest(target, pins, digests) for target in sorted(chosen)}
    # without the record of a document nobody knows what its paragraphs are about
    is_whole = all(document is not None for document in published)
    dropped = known.keys() - {pin.target for pin in pins} if is_whole else set()
    _write(project, {target: digest for target, digest in (known | now).items() if target not in dropped})
    return Accepted(tuple(now), tuple(sorted(dropped)))


def _named(pins: Sequence[Pin], names: Sequence[str]) -> set[str]:
    """Return the targets that are named, or that the paragraphs at named places are about."""
    chosen: set[str] = set()
    unknown = []
    for name in names:
        file, _, line = name.rpartition(":")
        at = [
            pin.target
            for pin in pins
            if line.isdecimal()
            and f"/{pin.template}".endswith(f"/{file}")
            and pin.first <= int(line) <= pin.last
        ]
        targets = [name] if any(pin.target == name for pin in pins) else at
        chosen.update(targets)
        if not targets:
            cure = did_you_mean(name, [known for pin in pins for known in (pin.target, pin.place)])
            unknown.append(UsageError(f"no paragraph of the last build is about {name!r}", cure=cure))
    raise_all(unknown)
    return chosen


def _digest(target: str, pins: Iterable[Pin], digests: Digests) -> str:
    try:
        return digests.of(target)
    except LabreportError as error:
        if error.place is None:
            pin = next(pin for pin in pins if pin.target == target)
            error.place = Place(pin.template, pin.line)
        raise


def _published(project: Project) -> list[list[Pin] | None]:
    """Return what the paragraphs of each document are about, the PDFs first; None where no record tells."""
    paths = [
        *(each.provenance for each in project.documents),
        *(notebooks.provenance_path(project, name) for name in notebooks.names(project)),
    ]
    documents: list[list[Pin] | None] = []
    for path in paths:
        try:
            about = provenance.read(path)["about"]
            documents.append([Pin(**entry) for entry in about])
        except (OSError, ValueError, LookupError, TypeError):
            documents.append(None)
    return documents


# ---------------------------------------------------------------------------------------------- accepted.toml


def read(project: Project) -> dict[str, str]:
    """Return the digest that each target had when the text about it was last read.

    Raises InputError if accepted.toml is not valid TOML, or holds anything but digests.
    """
    if not project.accepted.is_file():
        return {}
    data, text = read_toml(project.accepted)
    for target, digest in data.items():
        if not isinstance(digest, str) or not re.fullmatch(rf"[0-9a-f]{{{LENGTH}}}", digest):
            expected = f"a digest of {LENGTH} hexadecimal digits"
            raise InputError(
                f"{target!r} in {ACCEPTED} must be {expected}, not {digest!r:.60}",
                place=_line_of(target, text),
                cure="take the line out; the build then asks for the paragraph to be read",
            )
    return data


def _line_of(target: str, text: str) -> Place:
    lines = enumerate(text.split("\n"), 1)
    return next((Place(ACCEPTED, n, source=line) for n, line in lines if target in line), Place(ACCEPTED))


def _write(project: Project, digests: Mapping[str, str]) -> None:
    """Write accepted.toml, sorted, a line for each target, so that two branches can be merged."""
    lines = (f'{json.dumps(t, ensure_ascii=False)} = "{digest}"\n' for t, digest in sorted(digests.items()))
    if digests:
        files.write(project.accepted, (HEAD + "".join(lines)).encode())
    else:
        project.accepted.unlink(missing_ok=True)
