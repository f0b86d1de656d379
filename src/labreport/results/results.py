"""Results of experiments, as files whose bytes depend on nothing but what the results depend on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.errors import ExperimentError, InputError, LabreportError, Place, did_you_mean
from labreport.results import files, tables, variants
from labreport.results.encoding import kind_of
from labreport.results.files import checksum
from labreport.results.fingerprint import Fingerprint
from labreport.results.strict_json import digest, dumps, parse, seal, unseal
from labreport.results.tables import Plain, Table

if TYPE_CHECKING:
    import pandas

    from labreport.project import Project

SCHEMA = 1
DRAWING_SCHEMA = 3
RESULT = "result.json"
RUN = "run.json"
FIGURES = "figures"
DRAWING = "figures.json"
TIMING = "draw.json"
OWN = (".pdf", ".png", ".csv")
"""The ends of a figure's own files; those that it keeps beside them have others."""


@dataclass(frozen=True)
class Axes:
    """What checks need to know about a pair of axes; `series` counts groups of data that look different.

    `unnamed` lists the directions, x and y, that show numbers without saying of what; a `diagram` shows none.
    """

    title: str
    xlabel: str
    ylabel: str
    series: int
    legend: bool
    colorbar: bool
    unnamed: list[str]
    diagram: bool


@dataclass(frozen=True)
class Figure:
    """A stored figure: its files, the text for those who cannot see it, and what checks need to know.

    `cut_mm` is how far something reaches beyond the edge, where it is cut off; `explore` is how the page lets
    its data be looked into; `kept` are files beside it, which no document shows; `unshown` are characters
    that its fonts lack.
    """

    name: str
    pdf: Path
    png: Path
    data: Path | None
    alt: str
    width_mm: float
    height_mm: float
    smallest_text_pt: float | None
    cut_mm: float
    series: int
    legend: bool
    axes: tuple[Axes, ...]
    kept: tuple[Path, ...] = ()
    explore: dict[str, Any] | None = None
    unshown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """What run.json records of the run that made a result.

    `result` is the digest of result.json, `content` of all that dependents can see. The circumstances (when,
    how long, with what) are never printed in the report.
    """

    experiment: str
    result: str
    content: str
    fingerprint: Fingerprint
    started: str
    finished: str
    seconds: float
    python: str
    jobs: int
    revision: str | None


@dataclass(frozen=True)
class Drawing:
    """What figures.json records: what the figures depend on, and the figures."""

    experiment: str
    fingerprint: Fingerprint
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Result:
    """A result, read from result.json: plain values and tables, and the figures drawn from them."""

    experiment: str
    params: dict[str, Any]
    values: dict[str, Any]
    tables: dict[str, Table]
    fingerprint: str
    folder: Path = field(repr=False)
    shown: str = field(repr=False)
    again: str = field(repr=False)

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """The figures by name, each file checked against its recorded digest; empty before the first draw."""
        if not (self.folder / FIGURES).exists():
            return {}
        drawing = _drawing(self.folder, self.experiment)
        if isinstance(drawing, str):
            raise InputError(
                f"the figures of {self.experiment!r} cannot be used: {drawing}",
                place=Place(f"{self.shown}/{FIGURES}"),
                cure=self.again,
            )
        return drawing.figures

    def table(self, name: str) -> pandas.DataFrame:
        """Return a table as the DataFrame that the experiment returned."""
        return self._table(name).frame()

    def rows(self, name: str) -> list[dict[str, Plain]]:
        """Return the rows of a table as plain values by column name, without pandas."""
        return self._table(name).rows()

    def _table(self, name: str) -> Table:
        if name not in self.tables:
            what = f"the result of {self.experiment!r} has no table {name!r}"
            raise ExperimentError(what, cure=did_you_mean(name, self.tables))
        return self.tables[name]


def load(project: Project, name: str) -> Result:
    """Return the result of an experiment.

    Raises
    ------
    ExperimentError
        There is no result.
    InputError
        result.json is damaged, of another version, or not what the run wrote.

    """
    folder = project.results / name
    path = folder / RESULT
    shown = project.shown(path)
    again = f"make it again: `{project.command('run', name)}`"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        cure = f"run `{project.command('run', name)}`"
        raise ExperimentError(f"no result for {name!r}", cure=cure) from None
    except OSError as error:
        raise InputError(f"cannot read {shown}: {error.strerror}", cure=again) from error
    own = variants.experiment(name)
    fields = _checked(parse(data, shown, cure=again), own, shown, again)
    run = _run_record(folder, name)
    if isinstance(run, str):
        raise InputError(f"the result of {name!r} cannot be trusted: {run}", cure=again)
    # result.json cannot hold its own digest: run.json vouches for it
    if run.result != checksum(data):
        what = f"{shown} is not what the run of {name!r} wrote: it was changed or damaged"
        raise InputError(what, place=Place(shown), cure=again)
    return Result(own, **fields, folder=folder, shown=project.shown(folder), again=again)


def recorded_run(project: Project, name: str) -> Run | str:
    """Return the record of the last good run, or the reason why its result cannot be used."""
    folder = project.results / name
    try:
        found = files.digest(folder / RESULT)
    except FileNotFoundError:
        return "no result yet"
    except OSError as error:
        return f"{RESULT} cannot be read: {error.strerror}"
    run = _run_record(folder, name)
    if isinstance(run, Run) and run.result != found:
        return f"{RESULT} is not what the run wrote"
    return run


def recorded_drawing(project: Project, name: str) -> Drawing | str:
    """Return the record of the last good draw, or the reason why its figures cannot be used."""
    folder = project.results / name
    if not (folder / FIGURES / DRAWING).exists():
        return "no figures yet"
    return _drawing(folder, name)


def last_seconds(project: Project, name: str, phase: str) -> float | None:
    """Return how long the last good run or draw took, if that is known."""
    folder = project.results / name
    if phase == "run":
        run = _run_record(folder, name)
        return None if isinstance(run, str) else run.seconds
    with contextlib.suppress(OSError, LabreportError, LookupError, TypeError, ValueError):
        return float(_unseal((folder / FIGURES / TIMING).read_bytes())["seconds"])
    return None


def publish(
    project: Project,
    name: str,
    encoded: Mapping[str, Any],
    fingerprint: Fingerprint,
    facts: Mapping[str, Any],
) -> Run:
    """Write result.json and run.json, each whole or not at all, and return the run's record.

    `encoded` comes from `encode`; `facts` are the fields of `Run` that say when, how long and with what.
    """
    own = variants.experiment(name)
    fixed = {"schema": SCHEMA, "experiment": own}
    data = dumps({**fixed, "fingerprint": fingerprint.digest, **encoded}).encode()
    outcome: dict[str, Any] = {"result": checksum(data), "content": content(encoded)}
    folder = project.results / name
    files.write(folder / RESULT, data)
    # the record comes last: a kill in between leaves a result that no record vouches for, and it runs again
    files.write(folder / RUN, seal({**fixed, **outcome, "fingerprint": fingerprint.plain(), **facts}))
    return Run(experiment=own, **outcome, fingerprint=fingerprint, **facts)


def publish_drawing(
    name: str,
    staged: Path,
    figures: Mapping[str, Mapping[str, Any]],
    fingerprint: Fingerprint,
    facts: Mapping[str, Any],
) -> None:
    """Replace the folder of figures by one of finished files, with its records.

    `staged` lies in the result's folder and holds the files; `figures` says what checks need to know of each
    figure, and the names of other `files` that are kept beside it.
    """
    fixed = {"schema": DRAWING_SCHEMA, "experiment": variants.experiment(name)}
    entries = {}
    for key, entry in figures.items():
        kept = entry.get("files", ())
        own = {f"{key}{end}" for end in OWN}  # a file of another figure may begin with the same name
        made = [path for path in staged.iterdir() if path.name in own or path.name in kept]
        entries[key] = {**entry, "files": {path.name: checksum(path.read_bytes()) for path in made}}
    files.write(staged / DRAWING, seal({**fixed, "fingerprint": fingerprint.plain(), "figures": entries}))
    files.write(staged / TIMING, seal({**fixed, **facts}))
    files.replace_folder(staged.parent / FIGURES, staged)


def discard_drawing(project: Project, name: str) -> None:
    """Remove the figures of an experiment that no longer draws any."""
    import shutil

    shutil.rmtree(project.results / name / FIGURES, ignore_errors=True)


def checkpoints(project: Project, name: str, fingerprint: Fingerprint) -> Path:
    """Return the folder of what a run with this fingerprint keeps until it is finished."""
    return project.checkpoints / name / fingerprint.digest


def discard_checkpoints(project: Project, name: str, *, but: Fingerprint | None = None) -> None:
    """Remove what unfinished runs of an experiment have kept, but for those with this fingerprint."""
    kept = checkpoints(project, name, but) if but is not None else None
    folder = project.checkpoints / name
    for path in list(folder.glob("*")):
        if path != kept:
            files.discard(path)
    for path in list(project.checkpoints.glob(f".{name}.*")):
        if kept is None or path != read_before(kept):
            path.unlink()
    with contextlib.suppress(OSError):  # it does not exist, or is not empty
        folder.rmdir()


def read_before(checkpoints: Path) -> Path:
    """Return the file that says what had been read by the run that left a folder of checkpoints."""
    return checkpoints.parent.with_name(f".{checkpoints.parent.name}.{checkpoints.name}")


def content(encoded: Mapping[str, Any]) -> str:
    """Return the digest of all that dependents can see of a result: its parameters, values and tables."""
    return digest({key: encoded[key] for key in ("params", "values", "tables")})


_TYPES: dict[str, type] = {"params": dict, "values": dict, "tables": dict, "fingerprint": str}


def _checked(data: Any, name: str, shown: str, again: str) -> dict[str, Any]:
    """Return the fields of a result in parsed JSON, after a check of every key and type."""

    def wrong(what: str) -> InputError:
        return InputError(f"{shown}: {what}", place=Place(shown), cure=again)

    if not isinstance(data, dict):
        raise wrong(f"it must hold an object, not {kind_of(data)}")
    for key, expected in (("schema", SCHEMA), ("experiment", name)):
        if data.get(key) != expected:
            raise wrong(f"{key} {expected!r} is expected, not {data.get(key)!r:.80}")
    for key in sorted((_TYPES.keys() | data.keys()) - {"schema", "experiment"}):
        if key not in data:
            raise wrong(f"the key {key!r} is missing")
        if key not in _TYPES:
            raise wrong(f"the key {key!r} is unknown")
        if not isinstance(data[key], _TYPES[key]):
            raise wrong(f"{key!r} must be a {_TYPES[key].__name__}, not {kind_of(data[key])}")
    decoded = {}
    for table, encoded in data["tables"].items():
        try:
            decoded[table] = tables.decode(encoded)
        except ValueError as error:
            raise wrong(f"tables.{table}: {error}") from error
    return {**{key: data[key] for key in _TYPES}, "tables": decoded}


def _unseal(data: bytes) -> dict[str, Any]:
    return unseal(data, "the record", cure="run again")


def _run_record(folder: Path, name: str) -> Run | str:
    try:
        data = (folder / RUN).read_bytes()
    except FileNotFoundError:
        return f"{RUN} is missing"
    except OSError as error:
        return f"{RUN} cannot be read: {error.strerror}"
    run, name = _parsed_run(data), variants.experiment(name)
    return run if isinstance(run, str) or run.experiment == name else f"{RUN} belongs to {run.experiment!r}"


@lru_cache(maxsize=128)  # each step of a build asks for the same records, and they take long to parse
def _parsed_run(data: bytes) -> Run | str:
    try:
        record = _unseal(data)
        if record.pop("schema") != SCHEMA:
            return f"{RUN} is of another version"
        run = Run(fingerprint=Fingerprint.parse(record.pop("fingerprint")), **record)
        texts = (run.experiment, run.result, run.content)
        # what is handed in has no circumstances
        is_whole = all(isinstance(text, str) for text in texts) and type(run.seconds) in (*_NUMBER, _OR_NONE)
        return run if is_whole else f"{RUN} is damaged"
    except (LabreportError, TypeError, LookupError, ValueError):
        return f"{RUN} is damaged"


def _drawing(folder: Path, name: str) -> Drawing | str:
    figures = folder / FIGURES
    try:
        record, fingerprint = _parsed_drawing((figures / DRAWING).read_bytes())
        name = variants.experiment(name)
        if record["schema"] != DRAWING_SCHEMA or record["experiment"] != name:
            return f"{DRAWING} is of another version, or belongs to another experiment"
        trouble = _file_trouble(figures, record["figures"])
        if trouble:
            return trouble
        drawn = {key: _figure(key, entry, figures) for key, entry in record["figures"].items()}
        return Drawing(name, fingerprint, drawn)
    except OSError as error:
        return f"{DRAWING} cannot be read: {error.strerror}"
    except (LabreportError, TypeError, LookupError, AttributeError, ValueError):
        return f"{DRAWING} is damaged"


@lru_cache(maxsize=128)
def _parsed_drawing(data: bytes) -> tuple[dict[str, Any], Fingerprint]:
    record = _unseal(data)
    is_ours = record["schema"] == DRAWING_SCHEMA
    return record, Fingerprint.parse(record["fingerprint"]) if is_ours else Fingerprint()


def _file_trouble(folder: Path, figures: Mapping[str, Any]) -> str | None:
    """Return which figure files are missing, extra or changed."""
    digests = {file: sha for entry in figures.values() for file, sha in entry["files"].items()}
    # figures.json cannot list itself; draw.json says how long it took, which says nothing about the figures
    present = {*os.listdir(folder)} - {DRAWING, TIMING}  # noqa: PTH208 -- half the time
    for files_, what in ((digests.keys() - present, "missing"), (present - digests.keys(), "extra")):
        if files_:
            return f"{', '.join(sorted(files_))} in {folder.name}/ is {what}"
    changed = [file for file, sha in sorted(digests.items()) if files.digest(folder / file) != sha]
    return f"{', '.join(changed)} is not what was drawn" if changed else None


_NUMBER, _OR_NONE = (int, float), type(None)
_FACTS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("alt", "title", "xlabel", "ylabel"), (str,)),
    **dict.fromkeys(("width_mm", "height_mm", "cut_mm"), _NUMBER),
    **dict.fromkeys(("legend", "colorbar", "diagram"), (bool,)),
    "smallest_text_pt": (*_NUMBER, _OR_NONE),
    "series": (int,),
    **dict.fromkeys(("unnamed", "unshown"), (list,)),
    "explore": (dict, _OR_NONE),
}
"""The types of what is recorded of figures and axes."""


def _check_facts(facts: Mapping[str, Any]) -> None:
    """Raise TypeError if what is recorded of a figure, or of axes, is of another type."""
    if wrong := [key for key, value in facts.items() if type(value) not in _FACTS[key]]:
        raise TypeError(wrong[0])


def _figure(name: str, entry: Mapping[str, Any], folder: Path) -> Figure:
    if not {f"{name}.pdf", f"{name}.png"} <= entry["files"].keys():  # all of these are in the folder
        raise LookupError(name)
    facts = {key: value for key, value in entry.items() if key not in ("files", "axes")}
    for each in (facts, *entry["axes"]):
        _check_facts(each)
    data = folder / f"{name}.csv" if f"{name}.csv" in entry["files"] else None
    axes = tuple(Axes(**facts) for facts in entry["axes"])
    own = {f"{name}{end}" for end in OWN}
    kept = tuple(folder / file for file in sorted(entry["files"].keys() - own))
    pdf, png = (folder / f"{name}{end}" for end in (".pdf", ".png"))
    return Figure(name=name, pdf=pdf, png=png, data=data, axes=axes, kept=kept, **facts)
