"""What changed since the report that was published before, on the page: each thing with the one it is now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from labreport.documents import GENERATED
from labreport.events import brief
from labreport.explain import comparison, differences, last_changes

if TYPE_CHECKING:
    from labreport.explain import Record
    from labreport.page.things import Plain
    from labreport.project import Project

MOST = 2_000
"""The most characters of an old or a new text; longer ones are cut."""

_NOTES = {
    comparison.ADDED: "new",
    comparison.REMOVED: "gone",
    comparison.BELOW: "only below the printed digits",
    comparison.REWRITTEN: "only printed in another way",
}


def told(project: Project, record: Record) -> Plain | None:
    """Return what changed, the most important first; None if no report was published before."""
    changes = last_changes(project)
    if changes is None:
        return None
    entries = [
        entry for section in (_claims, _values, _figures, _others) for entry in section(changes, record)
    ]
    return {"summary": differences.summary(changes), "against": changes.old, "entries": entries}


def _claims(changes: comparison.Changes, record: Record) -> Iterator[Plain]:
    now = _numbered("c", ((c.place.cell, c.name) for c in record.claims))
    for claim in changes.claims:
        said = [differences.plain(claim.sentence), *claim.states]
        if claim.old_sentence is not None and claim.new is not None:
            said.insert(0, f"was: {differences.plain(claim.old_sentence)}; now")
        thing = _next(now, (None, claim.name)) if claim.new else None
        yield _entry("Claims", claim.name, claim.old, claim.new, "; ".join(said), thing)


def _values(changes: comparison.Changes, record: Record) -> Iterator[Plain]:
    names = (
        (v.place.cell, v.place.template, v.place.line, v.expression, v.keys, v.text) for v in record.values
    )
    now = _numbered("v", names)
    for value in sorted(changes.values, key=differences.importance):
        name = (None, value.place.template, value.place.line, value.expression, value.keys, value.new)
        old, new = (None if text is None else differences.plain(text) for text in (value.old, value.new))
        if value.kind == comparison.BELOW:
            old, new = repr(value.old_value), repr(value.new_value)
        notes = filter(None, (_NOTES.get(value.kind), differences.size(value)))
        title = brief(value.keys, ", ") or " ".join(value.expression.split())
        yield _entry("Values", title, old, new, ", ".join(notes), _next(now, name))


def _figures(changes: comparison.Changes, record: Record) -> Iterator[Plain]:
    now = _numbered("f", (figure.key for figure in record.figures))
    for figure in changes.figures:
        yield _entry(
            "Figures", figure.key, None, None, differences.FIGURES[figure.kind], _next(now, figure.key)
        )


def _others(changes: comparison.Changes, record: Record) -> Iterator[Plain]:
    """Yield the parameters, the code that is shown, the prose and the versions that changed."""
    for setting in changes.parameters:
        yield _entry("Parameters", setting.name, *map(differences.plain_value, (setting.old, setting.new)))
    now = {excerpt.name: f"e{n}" for n, excerpt in reversed(list(enumerate(record.excerpts)))}
    for lines in changes.excerpts:
        yield _entry("Code", lines.name, _text(lines.old), _text(lines.new), thing=now.get(lines.name))
    for lines in changes.prose:
        old, new = (_text(part).replace(GENERATED, "…") for part in (lines.old, lines.new))
        yield _entry("Text", f"{lines.name}:{lines.line}", old, new)
    for setting in changes.versions:
        yield _entry("Versions", setting.name, *map(differences.plain_value, (setting.old, setting.new)))


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _entry(
    section: str, title: str, old: str | None, new: str | None, note: str = "", thing: str | None = None
) -> Plain:
    old, new = (text if len(text) <= MOST else f"{text[: MOST - 1]}…" for text in (old or "", new or ""))
    return {"section": section, "title": title, "old": old, "new": new, "note": note, "thing": thing}


def _numbered(letter: str, names: Iterable[Any]) -> dict[Any, Iterator[str]]:
    """Return the ids of things by what they are known by, in the order of the text."""
    found: dict[Any, list[str]] = {}
    for number, name in enumerate(names):
        found.setdefault(name, []).append(f"{letter}{number}")
    return {name: iter(ids) for name, ids in found.items()}


def _next(now: Mapping[Any, Iterator[str]], name: Any) -> str | None:
    """Return the id of the next thing that is known by a name; None if there is none left."""
    return next(now.get(name, iter(())), None)
