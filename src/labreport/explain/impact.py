"""What depends on a file, an experiment, a function, a template or a key, as the last build recorded it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.documents import notebooks, report, steps
from labreport.errors import UsageError, did_you_mean
from labreport.events import brief
from labreport.explain import record as records
from labreport.explain.definitions import Definitions
from labreport.explain.keys import canonical, experiment_of, overlap
from labreport.explain.origins import recorded
from labreport.explain.record import Claim, Excerpt, Figure, Paragraph, Place, Record, Value
from labreport.explain.texts import readable
from labreport.modules import find_module
from labreport.results import Fingerprint, Part, variants

if TYPE_CHECKING:
    from labreport.project import Project

CODE = ("code", "module", "file", "folder", "style")
"""The kinds of parts of a fingerprint that are files, or code in files."""


@dataclass(frozen=True)
class Target:
    """What may change: its kind and name, and the file of it, as fingerprints and messages name files.

    `name` is that of the code in the file, empty for the whole file; an experiment has its name there, and a
    key itself.
    """

    kind: str
    file: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.name}" if self.kind == "code" else self.name or self.file

    def touches(self, part: Part) -> bool:
        """Return whether a part of a fingerprint is this, or lies in it, or holds it."""
        if part.kind not in CODE:
            return False
        file, _, name = part.name.partition(":")
        if self.kind == "code":
            return part.kind in ("code", "module") and file == self.file and _is_part(name, self.name)
        return file == self.file or (part.kind == "folder" and self.file.startswith(f"{file}/"))


def _is_part(name: str, other: str) -> bool:
    """Return whether code is other code, or one of them is a method of the other.

    A statement that binds several names goes by all of them: `LOW, HIGH`.
    """
    names = name.split(", ")
    return other in names or name.startswith(f"{other}.") or any(other.startswith(f"{n}.") for n in names)


@dataclass(frozen=True)
class Reached:
    """The experiments that a target reaches, each with why: all of their results, or only their figures."""

    results: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)


def impact(project: Project, name: str) -> dict[str, Any]:
    """Return what depends on a file, an experiment, a function, a template or a key, as plain data.

    Raises
    ------
    InputError
        There is no report, or a record of the build cannot be used.
    UsageError
        Nothing is called so.

    """
    record = records.read(project)
    target = _target(project, record, name)
    reached = _reached(project, target)
    shown = _shown(project, record, target, _dependence(target, reached))
    documents = {place.document for place in _places(shown)}
    documents |= set(_made_from(project, target))
    return {
        "name": str(target),
        "kind": target.kind,
        "experiments": [{"name": n, "why": why} for n, why in reached.results.items()],
        "drawings": [{"experiment": n, "why": why} for n, why in reached.figures.items()],
        "documents": sorted(documents),
        "values": [_value(value) for value in shown.values],
        "claims": [{"name": c.name, "verdict": c.verdict, **c.place.plain()} for c in shown.claims],
        "figures": [{"key": f.key, **f.place.plain()} for f in shown.figures],
        "excerpts": [{"name": e.name, "since": e.since, **e.place.plain()} for e in shown.excerpts],
        "paragraphs": [paragraph.plain() for paragraph in shown.paragraphs],
    }


def _value(value: Value) -> dict[str, Any]:
    return {"text": readable(value.text), "keys": list(value.keys), **value.place.plain()}


# ------------------------------------------------------------------------------------------- what it names


def _target(project: Project, record: Record, name: str) -> Target:
    """Return what a name means; UsageError if it means nothing."""
    if name in variants.names(project):
        return Target("experiment", f"experiments/{variants.experiment(name)}.py", name)
    file, colon, code = name.partition(":")
    if path := _file(project, file):
        shown = project.shown(path)
        if colon:
            return _function(project, shown, code)
        kind = "template" if path.is_relative_to(project.templates.resolve()) else "file"
        return Target(kind, shown)
    name = canonical(name)
    if experiment_of(name) in variants.names(project) and (path_of_key := steps(name)) and path_of_key[1:]:
        known = {key for value in record.values for key in value.keys} | {f.key for f in record.figures}
        if any(overlap(name, key) for key in known):
            return Target("key", f"experiments/{variants.experiment(experiment_of(name))}.py", name)
        raise UsageError(f"nothing is made from a key {name!r}", cure=did_you_mean(name, known))
    if inside := _files_in_folder(project, name):
        raise UsageError(f"{name} is a folder", cure=f"name one of its files: {brief(inside, ', ')}")
    what = f"there is no file, experiment, function, template or key {name!r}"
    raise UsageError(what, cure=did_you_mean(name, _names(project)))


def _files_in_folder(project: Project, name: str) -> list[str]:
    """Return the known files that lie in a folder of the project; none if there is no such folder."""
    folder = name.strip("/")
    return sorted(n for n in _names(project) if folder and n.startswith(f"{folder}/") and ":" not in n)


def _file(project: Project, name: str) -> Path | None:
    """Return the file that a path in the project, the name of a template or that of a module means."""
    places = [project.root / name, Path.cwd() / name, project.templates / name]
    inside = (path.resolve() for path in places if name)
    found = next((path for path in inside if path.is_file() and path.is_relative_to(project.root)), None)
    if found is None and "/" not in name and name.endswith(".j2"):
        found = next(iter(sorted(project.templates.rglob(name))), None)
    if found is None and all(part.isidentifier() for part in name.split(".")):
        module = find_module(project, name)
        found = module.path if module else None
    return found


def _function(project: Project, file: str, name: str) -> Target:
    known = Definitions(project).names_in(file)
    if name not in known:
        raise UsageError(f"{file} defines no {name!r}", cure=did_you_mean(name, known))
    return Target("code", file, name)


def _names(project: Project) -> set[str]:
    names = variants.names(project)
    prints = (recorded(project, name) for name in names)
    files = {part.name for found in prints for part in found.parts if part.kind in CODE}
    files |= {file.partition(":")[0] for file in files}
    templates = {project.shown(path) for path in project.templates.rglob("*.j2")}
    return {*names, *files, *templates}


# ------------------------------------------------------------------------------------------- what it reaches


def _reached(project: Project, target: Target) -> Reached:
    """Return the experiments whose results, or only figures, would be made again if the target changed."""
    if target.kind in ("key", "template"):
        return Reached()
    names = variants.names(project)
    runs = {name: recorded(project, name) for name in names}
    draws = {name: recorded(project, name, "draw") for name in names}
    results = dict(_touched(target, runs))
    if target.kind == "experiment":
        results = {target.name: "itself"}
    todo = list(results)
    for name in todo:  # grows: what uses a result that is made again may be made again, too
        for other, found in runs.items():
            if other not in results and name in found.named("result"):
                results[other] = f"uses the result of {name}"
                todo.append(other)
    figures = {name: why for name, why in _touched(target, draws) if name not in results}
    for name, found in draws.items():
        uses = sorted(results.keys() & found.named("result").keys() - {name})
        if uses and name not in results:
            figures.setdefault(name, f"uses the result of {', '.join(uses)}")
    return Reached(results, figures)


def _touched(target: Target, prints: Mapping[str, Fingerprint]) -> Iterator[tuple[str, str]]:
    for name, found in prints.items():
        if parts := [part for part in found.parts if target.touches(part)]:
            pieces = f"{len(parts)} pieces of it" if len(parts) > 1 else str(parts[0])
            yield name, f"its fingerprint holds {pieces}"


def _dependence(target: Target, reached: Reached) -> Callable[[str], bool]:
    """Return whether what a key leads to depends on a target, or on an experiment that it reaches."""
    file = "experiments/{}.py"
    declares = {name for name in reached.results if target.file == file.format(variants.experiment(name))}

    def depends(key: str) -> bool:
        if target.kind == "key":
            return overlap(key, target.name)
        name, *path = steps(key) or ("",)
        if path[:1] == [variants.KEYWORD]:
            name, path = variants.owner(key), path[2:]
        if name == "report":
            return target.file == "report.toml"
        if path[:1] == ["figures"]:
            return name in reached.results or name in reached.figures
        # parameters come from the declaration alone, whatever code uses them
        return name in reached.results and (path[:1] != ["params"] or name in declares)

    return depends


def _shown(project: Project, record: Record, target: Target, depends: Callable[[str], bool]) -> Record:
    """Return what documents show that depends on a target."""

    def of(shown: Iterable[Any], keys: Callable[[Any], Iterable[str]]) -> tuple[Any, ...]:
        in_template = target.file if target.kind == "template" else None
        return tuple(s for s in shown if s.place.template == in_template or any(map(depends, keys(s))))

    return Record(
        values=of(record.values, lambda value: value.keys),
        claims=of(record.claims, lambda claim: claim.keys),
        figures=of(record.figures, lambda figure: (figure.key,)),
        excerpts=tuple(e for e in record.excerpts if _excerpts(target, e)),
        paragraphs=tuple(p for p in record.paragraphs if _is_about(project, target, p, depends)),
    )


def _is_about(project: Project, target: Target, paragraph: Paragraph, depends: Callable[[str], bool]) -> bool:
    """Return whether a paragraph explains code of a target, or a result that depends on it."""
    module, colon, name = paragraph.target.partition(":")
    if not colon:
        return depends(paragraph.target)
    found = find_module(project, module)
    if found is None or project.shown(found.path) != target.file:
        return False
    return target.kind in ("file", "experiment") or (target.kind == "code" and _is_part(name, target.name))


def _excerpts(target: Target, excerpt: Excerpt) -> bool:
    """Return whether an excerpt shows code of a target, or is compared with it, or stands in it."""
    if target.kind == "template":
        return excerpt.place.template == target.file
    shown = ((excerpt.source, excerpt.name), (excerpt.since_source, excerpt.since or ""))
    names = [name.partition(":")[2] for file, name in shown if file == target.file]
    if target.kind == "code":
        return any(_is_part(name, target.name) for name in names)
    return target.kind != "key" and bool(names)


def _made_from(project: Project, target: Target) -> Iterator[str]:
    """Yield the documents that a file is part of: a template, a list of references, code in a cell."""
    if target.kind in ("file", "template"):
        yield from (each.job for each in project.documents if target.file in report.made_from(each))
    if target.kind != "key":
        for name in notebooks.names(project):
            if target.file in notebooks.made_from(project, name):
                yield f"notebooks/{name}"


def _places(record: Record) -> Iterator[Place]:
    every: tuple[Iterable[Value | Claim | Figure | Excerpt], ...]
    every = (record.values, record.claims, record.figures, record.excerpts)
    return (item.place for items in every for item in items)
