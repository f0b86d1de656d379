"""Notebooks: rendered, executed, published, and kept as long as nothing changes.

A notebook is executed again if its cells of code changed as they are rendered (see `cells`), or Python or the
version of a distribution that it imports, or the way in which labreport executes notebooks (`SCHEMA`). Where
only texts and pictures around the code changed, these are written again around the outputs that are there.
Whether cells may have changed is known without rendering, from the files that they were made from.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import lock
from labreport.documents import cells, provenance
from labreport.errors import InputError, LabreportError, raise_all
from labreport.events import Event, Events
from labreport.project import ENGINE
from labreport.results import (
    Fingerprint,
    Part,
    Record,
    files,
    files_in,
    freshness,
    of_kind,
    strict_json,
    variants,
    versions,
)

if TYPE_CHECKING:
    from labreport.documents.cells import Sheet
    from labreport.documents.kernels import CellFailed
    from labreport.project import Project

SCHEMA = 2
"""The version of the way in which notebooks are executed; another one executes all of them again."""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": f"{sys.version_info.major}.{sys.version_info.minor}",
    },
}


@dataclass(frozen=True)
class Woven:
    """A notebook as it lies there: its cells, and the seconds of its execution; None if it was not executed.

    `is_renewed` says whether texts or pictures around its outputs were written again.
    """

    name: str
    path: Path
    cells: int
    seconds: float | None
    is_renewed: bool = False

    @property
    def is_made(self) -> bool:
        """Whether its file was written."""
        return self.is_renewed or self.seconds is not None


def names(project: Project) -> list[str]:
    """Return the names of all notebooks; templates that begin with an underscore are for others to use."""
    found = (project.templates / cells.FOLDER).glob(f"*{cells.SUFFIX}")
    return sorted(p.name.removesuffix(cells.SUFFIX) for p in found if not p.name.startswith("_"))


def provenance_path(project: Project, name: str) -> Path:
    """Return the file with the record of what a notebook shows."""
    return _record_path(project, name).with_suffix(".provenance.json")


def made_from(project: Project, name: str) -> frozenset[str]:
    """Return the files that a notebook was made from, as messages show them."""
    record = _read(_record_path(project, name))
    return frozenset(record.inputs.named("input")) if record else frozenset()


def _record_path(project: Project, name: str) -> Path:
    return project.build / "cache" / "notebooks" / f"{name}.json"


def _read(path: Path) -> Record | None:
    return freshness.read(path, {"executed": str, "shown": str, "cells": int})


# ------------------------------------------------------------------------------------------ is it up to date?


def out_of_date(project: Project) -> dict[str, list[str]]:
    """Return for each notebook why it must be rendered again, in words; nothing if it is up to date.

    That does not yet mean that it is executed: its cells may come out the same.
    """
    records = _Records(project)
    common = records.inputs(())
    return {name: records.reasons(name, common) for name in names(project)}


class _Records:
    """What the notebooks were made from that lie in the build; one record for each, in build/cache."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.installed = versions.installed(sys.path)

    def notebook(self, name: str) -> Path:
        return self.project.notebooks / f"{name}.ipynb"

    def path(self, name: str) -> Path:
        return _record_path(self.project, name)

    def read(self, name: str) -> Record | None:
        return _read(self.path(name))

    def reasons(self, name: str, common: Fingerprint) -> list[str]:
        record = self.read(name)
        now = common | self.found(record.found if record else ())
        used = record.inputs.named("version") if record else {}
        now |= self.versions({known: self.installed.get(known, "unknown") for known in used})
        return freshness.reasons(self.project, self.notebook(name), record, now)

    def inputs(self, found: Iterable[str]) -> Fingerprint:
        """Return the fingerprint of the files that each notebook depends on, and of those that are named."""
        paths = [self.project.root / "report.toml", *files_in(ENGINE)]
        for name in variants.names(self.project):
            folder = self.project.results / name
            paths += [folder / "result.json", folder / "figures" / "figures.json"]
        return freshness.inputs(self.project, paths) | self.found(found)

    def found(self, names: Iterable[str]) -> Fingerprint:
        """Return the fingerprint of those files that a notebook depends on besides."""
        return freshness.inputs(self.project, (self.project.root / name for name in names))

    def versions(self, known: Mapping[str, str]) -> Fingerprint:
        """Return the fingerprint of the way of executing, of Python and of these distributions."""
        fixed = {"schema": str(SCHEMA), "python": platform.python_version()}
        own = Fingerprint({Part(kind): value for kind, value in fixed.items()})
        return own | of_kind("version", known)

    def versions_of(self, modules: Iterable[str]) -> Fingerprint:
        """Return the same for the distributions that modules are from."""
        return self.versions(versions.versions(modules, self.installed, lambda _, make: make()))

    def save(self, prepared: _Prepared) -> None:
        """Record a notebook that lies there, with the provenance of what it shows."""
        name = prepared.sheet.name
        shows = provenance_path(self.project, name)
        provenance.write(shows, provenance.of_notebook(prepared.sheet))
        made = freshness.outputs(self.project, [self.notebook(name), shows])
        freshness.write(self.path(name), replace(prepared.record, outputs=made))


# --------------------------------------------------------------------------------------------------- weaving


def weave(project: Project, *, jobs: int = 1, events: Events | None = None) -> list[Woven]:
    """Make the notebooks that are out of date, up to `jobs` at once; return all of them.

    A notebook that fails leaves the last good one of its name as it was; the others are made.

    Raises
    ------
    InputError, SeveralErrors
        A template is wrong, or a cell cannot be executed, with the template's line.

    """
    _discard_others(project)
    weaving = _Weaving(_Records(project), events or (lambda _: None))
    for name, reasons in out_of_date(project).items():
        if reasons:
            weaving.prepare(name)
    if weaving.waiting:
        import asyncio  # it costs 50 ms, which a build with nothing to execute does not pay

        asyncio.run(weaving.execute(jobs))
    raise_all(weaving.errors)
    return [weaving.woven(name) for name in names(project)]


def _discard_others(project: Project) -> None:
    """Remove notebooks whose templates are gone."""
    if project.notebooks.is_dir():
        for path in project.notebooks.glob("*.ipynb"):
            if path.stem not in names(project):
                path.unlink()
                _record_path(project, path.stem).unlink(missing_ok=True)
                provenance_path(project, path.stem).unlink(missing_ok=True)


@dataclass(frozen=True)
class _Prepared:
    """A rendered notebook, as JSON, and its record, which does not know yet what comes out."""

    sheet: Sheet
    notebook: dict[str, Any]
    record: Record


@dataclass
class _Weaving:
    """Executes notebooks at the same time, publishes each and records it."""

    records: _Records
    events: Events
    waiting: list[_Prepared] = field(default_factory=list)
    errors: list[LabreportError] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    renewed: set[str] = field(default_factory=set)

    def prepare(self, name: str) -> None:
        """Render a notebook, and queue it unless this very code was executed already."""
        before = self.records.inputs(()) | freshness.settings(self.records.project)
        try:
            sheet = cells.render(self.records.project, name)
        except LabreportError as error:
            self.errors.append(error)
            return
        notebook = _as_json(sheet)
        found = self.records.versions_of(sheet.modules)
        code = [[cell["source"], cell["metadata"]] for cell in _code(notebook)]
        facts = {"executed": strict_json.digest([found.plain(), code]), "shown": strict_json.digest(notebook)}
        record = Record(
            inputs=self.records.inputs(sheet.files) | before | found,
            outputs=freshness.outputs(self.records.project, [self.records.notebook(name)]),
            found=sheet.files,
            facts={**facts, "cells": len(sheet.cells)},
        )
        known = self.records.read(name)
        prepared = _Prepared(sheet, notebook, record)
        is_whole = known is not None and known.outputs.items() >= record.outputs.items()
        if not (known and is_whole and known.facts["executed"] == facts["executed"]):
            self.waiting.append(prepared)
        elif known.facts["shown"] == facts["shown"]:
            self.records.save(prepared)
        else:
            self._renew(prepared)

    def _renew(self, prepared: _Prepared) -> None:
        """Publish a notebook with the outputs of the one that lies there, whose code is the same."""
        import nbformat

        path = self.records.notebook(prepared.sheet.name)
        there = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        notebook = nbformat.from_dict(prepared.notebook)  # type: ignore[no-untyped-call]
        for cell, executed in zip(_code(notebook), _code(there), strict=True):
            cell["outputs"], cell["execution_count"] = executed["outputs"], executed["execution_count"]
        self._publish(prepared, notebook)
        self.renewed.add(prepared.sheet.name)

    async def execute(self, jobs: int) -> None:
        """Execute what waits, some at a time; keep the errors."""
        import asyncio

        limit = asyncio.Semaphore(jobs)

        async def one(prepared: _Prepared) -> None:
            async with limit:
                await self._execute(prepared)

        await asyncio.gather(*map(one, self.waiting))

    async def _execute(self, prepared: _Prepared) -> None:
        import nbformat

        from labreport.documents import kernels

        sheet, start = prepared.sheet, time.monotonic()
        project = self.records.project
        private = [str(place) for place in (project.root, Path.home()) if place != Path("/")]
        notebook = nbformat.from_dict(prepared.notebook)  # type: ignore[no-untyped-call]
        self.events(Event("started", sheet.name, "notebook"))
        try:
            await kernels.execute(
                notebook,
                project.log / f"notebook-{sheet.name}.log",
                project=project.root,
                cell_deadline=project.config.cell_deadline,
                notebook_deadline=project.config.notebook_deadline,
                private=private,
                done=lambda n, of: self.events(Event("progress", sheet.name, "notebook", n, of)),
                notice=lambda text: self.events(Event("notice", sheet.name, "notebook", label=text)),
            )
        except kernels.CellFailed as error:
            self.errors.append(_explained(sheet, error))
            self.events(Event("failed", sheet.name, "notebook"))
            return
        self._publish(prepared, notebook)
        self.seconds[sheet.name] = time.monotonic() - start
        self.events(Event("finished", sheet.name, "notebook", seconds=self.seconds[sheet.name]))

    def _publish(self, prepared: _Prepared, notebook: Any) -> None:
        """Write an executed notebook, checked; the same cells and outputs give the same bytes."""
        import nbformat

        lock.check(self.records.project)
        nbformat.validate(notebook)
        text: str = nbformat.writes(notebook, version=4)  # type: ignore[no-untyped-call]
        data = (text.rstrip("\n") + "\n").encode()
        files.write(self.records.notebook(prepared.sheet.name), data)
        self.records.save(prepared)

    def woven(self, name: str) -> Woven:
        """Return a notebook as it lies there."""
        record = self.records.read(name)
        assert record is not None  # it was up to date, or has just been published
        path, seconds = self.records.notebook(name), self.seconds.get(name)
        return Woven(name, path, int(record.facts["cells"]), seconds, name in self.renewed)


def _code(notebook: Mapping[str, Any]) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _as_json(sheet: Sheet) -> dict[str, Any]:
    """Return a notebook that is not executed yet, in version 4.5 of the format; ids tell the position."""
    parts = []
    for number, cell in enumerate(sheet.cells, 1):
        part: dict[str, Any] = {"cell_type": cell.kind, "id": f"cell-{number}", "source": cell.source}
        part["metadata"] = {"tags": cell.tags} if cell.tags else {}
        if cell.kind == "code":
            part |= {"execution_count": None, "outputs": []}
        if cell.images:
            part["attachments"] = {name: {"image/png": data} for name, data in cell.images.items()}
        parts.append(part)
    return {"cells": parts, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def _explained(sheet: Sheet, error: CellFailed) -> InputError:
    """Return the error of a cell at the template's line, with the lines of code that it came through."""
    (cell, line), *inner = error.lines
    code = sheet.code(cell, line)
    is_shown = sheet.rendered.piece(sheet.cells[cell].offset(line)).site is None
    notes = [f"in the code: {code}"] if code and not is_shown else []
    notes += _inner(sheet, inner[-2:])
    what = f"notebook {sheet.name}: {error.what}"
    return InputError(what, place=sheet.place(cell, line), notes=notes, cure=error.cure)


def _inner(sheet: Sheet, lines: Sequence[tuple[int, int | None]]) -> list[str]:
    """Return notes on the code of other cells, or of other lines, in which an exception arose."""
    return [f"called from there, {sheet.place(*at)}: {sheet.code(*at)}" for at in lines]
