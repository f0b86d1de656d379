"""What is known of what a query means, as plain data: from the page to the value, its experiment, its code.

All of it comes from what the last build left; only the lines of code are looked up now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from labreport.documents import report
from labreport.errors import LabreportError
from labreport.explain import record as records
from labreport.explain.columns import head_of
from labreport.explain.keys import Contents, experiment_of, overlap
from labreport.explain.origins import Origin, Origins
from labreport.explain.record import Claim, Excerpt, Figure, Record, Value
from labreport.explain.search import Match, Search
from labreport.explain.texts import readable
from labreport.results import load, variants

if TYPE_CHECKING:
    from labreport.project import Project

MOST_DETAILS = 3
"""Of so many values all is told at once; of more, a table."""

MOST_CODE = 8
"""So many functions are looked up where not all are asked for."""

Plain = dict[str, Any]


def explain(project: Project, query: str, *, complete: bool = False) -> Plain:
    """Return what a query means and where that comes from, as plain data for `lines` and for JSON.

    With `complete`, all is told of everything, else only of few values.

    Raises
    ------
    InputError
        There is no report, or a record of the build cannot be used.
    UsageError
        Nothing is called so.

    """
    record = records.read(project)
    found = Search(project, record).find(query)
    return _Explaining(project, record, complete=complete).plain(query, found)


class _Explaining:
    """Looks up what belongs to matches; each result and origin is read once."""

    def __init__(self, project: Project, record: Record, *, complete: bool) -> None:
        self.project = project
        self.record = record
        self.complete = complete
        self.origins = Origins(project)
        self.contents: dict[str, Contents | None] = {}
        self.experiments: dict[str, Plain] = {}

    def plain(self, query: str, found: Sequence[Match]) -> Plain:
        matches = [self._match(match) for match in found]
        return {
            "query": query,
            "notes": self._notes(),
            "matches": matches,
            "experiments": self.experiments,
        }

    def _notes(self) -> list[str]:
        """Return in what way what is told may not be what a build would give now."""
        notes = []
        if stale := report.out_of_date(self.project):
            more = f" (and {len(stale) - 1} more reasons)" if len(stale) > 1 else ""
            notes.append(f"the report is out of date: {stale[0]}{more}")
        notes += [f"the notebook {name} has not been made yet" for name in self.record.missing]
        return notes

    def _match(self, match: Match) -> Plain:
        groups = _grouped(match.shown.values)
        if match.key is not None and not groups and not match.shown.figures:
            groups = [((match.key,), [])]  # a key that nothing prints
        told = self.complete or len(groups) <= MOST_DETAILS
        if match.kind == "experiment":
            self._tell(match.experiment)
        return {
            "kind": match.kind,
            "title": match.title,
            "experiment": match.experiment,
            "values": [self._value(keys, values, told=told) for keys, values in groups],
            "claims": [self._claim(claim) for claim in match.shown.claims],
            "figures": [self._figure(f, told=told) for f in match.shown.figures],
            "excerpts": [_excerpt(excerpt) for excerpt in match.shown.excerpts],
        }

    # ---------------------------------------------------------------------------------------------- a value

    def _value(self, keys: tuple[str, ...], values: Sequence[Value], *, told: bool) -> Plain:
        """Return what is known of the values that were made from the same keys; details if they are told."""
        plain: Plain = {"keys": list(keys), "printed": [_printed(value) for value in values]}
        if not told:
            return plain
        same = [v for v in self.record.values if keys and v.keys == keys and v not in values]
        experiments = list(dict.fromkeys(map(experiment_of, keys)))
        for name in experiments:
            self._tell(name)
        return plain | {
            "also": [_printed(value) for value in same],
            "values": {key: self._read(key, "value") for key in keys},
            "summaries": {key: found for key in keys if (found := self._read(key, "spread"))},
            "column": next(filter(None, map(head_of, values)), None),
            "experiments": [name for name in experiments if name in self.experiments],
            "used_by": self._users(keys),
        }

    def _read(self, key: str, what: str) -> Any:
        """Return the value, or the spread, of a key as the result has it; None if there is none."""
        name = experiment_of(key)
        if name not in self.contents:
            try:
                self.contents[name] = Contents(load(self.project, name))
            except LabreportError:  # a text of report.toml, or a result that is gone
                self.contents[name] = None
        contents = self.contents[name]
        if contents is None:
            return None
        try:
            return contents.value(key) if what == "value" else contents.spread(key)
        except (LookupError, TypeError):  # the result is newer than the report
            return None

    def _users(self, keys: Iterable[str]) -> Plain:
        """Return what else is made from keys: claims, also on what they are part of; values of more keys."""
        asked = set(keys)
        claims = [c for c in self.record.claims if any(overlap(k, key) for k in c.keys for key in asked)]
        values = [v for v in self.record.values if asked & set(v.keys) and set(v.keys) - asked]
        paragraphs = [p for p in self.record.paragraphs if any(overlap(p.target, key) for key in asked)]
        return {
            "claims": [{"name": c.name, "verdict": c.verdict, **c.place.plain()} for c in claims],
            "paragraphs": [paragraph.plain() for paragraph in paragraphs],
            "values": [{**_printed(value), "keys": list(value.keys)} for value in values],
        }

    # ----------------------------------------------------------------------------------------- other things

    def _claim(self, claim: Claim) -> Plain:
        for name in dict.fromkeys(map(experiment_of, claim.keys)):
            self._tell(name)
        return {
            "name": claim.name,
            "verdict": claim.verdict,
            "sentence": " ".join(readable(claim.sentence).split()),
            "evidence": list(claim.evidence),
            "values": {key: self._read(key, "value") for key in claim.keys},
            **claim.place.plain(),
        }

    def _figure(self, figure: Figure, *, told: bool) -> Plain:
        name = figure.experiment
        plain = {"key": figure.key, "experiment": name, **figure.place.plain()}
        if told and name is not None:
            self._tell(name)
            most = None if self.complete else MOST_CODE
            plain["drawn_by"] = [str(code) for code in self.origins.of(name, "draw", most=most).code]
        return plain

    def _tell(self, name: str | None) -> None:
        """Add the origin of an experiment to what is told, once."""
        if name in variants.names(self.project) and name is not None and name not in self.experiments:
            most = None if self.complete else MOST_CODE
            self.experiments[name] = _origin(self.origins.of(name, most=most))


# ------------------------------------------------------------------------------------------------ plain data


def _grouped(values: Iterable[Value]) -> list[tuple[tuple[str, ...], list[Value]]]:
    """Return values by the keys they were made from, in the text's order; without keys, by expression."""
    groups: dict[tuple[Any, ...], list[Value]] = {}
    for value in values:
        groups.setdefault(value.keys or ("", value.expression, str(value.place)), []).append(value)
    return [(found[0].keys, found) for found in groups.values()]


def _printed(value: Value) -> Plain:
    expression = " ".join(value.expression.split())
    text = readable(value.text)
    return {"text": text, "value": value.value, "expression": expression, **value.place.plain()}


def _excerpt(excerpt: Excerpt) -> Plain:
    first, last = excerpt.lines
    shown = {
        "name": excerpt.name,
        "since": excerpt.since,
        "source": excerpt.source,
        "first": first,
        "last": last,
    }
    return shown | excerpt.place.plain()


def _origin(origin: Origin) -> Plain:
    run = origin.run
    return {
        "question": origin.question,
        "file": origin.file,
        "parameters": [
            asdict(parameter) | {"is_default": parameter.is_default} for parameter in origin.parameters
        ],
        "code": [{"file": c.file, "line": c.line, "name": c.code.partition(":")[2]} for c in origin.code],
        "pieces_of_code": origin.parts,
        "results": list(origin.results),
        "read": list(origin.read),
        "versions": dict(origin.versions),
        "needed_by": list(origin.needed_by),
        "run": None
        if run is None
        else {
            "started": run.started,
            "finished": run.finished,
            "seconds": run.seconds,
            "processes": run.jobs,
            "python": run.python,
            "revision": run.revision,
        },
    }
