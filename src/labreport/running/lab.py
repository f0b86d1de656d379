"""What an experiment is given: all that it may ask of the engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from labreport.errors import ExperimentError, did_you_mean, visible
from labreport.results import Fingerprint, Result, checkpoints, encode, files, files_in, load, variants
from labreport.running import observing, reading, relay, warned
from labreport.running.budget import Alone
from labreport.running.seeds import Seeds, seed_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labreport.project import Project
    from labreport.running.cells import Kept
    from labreport.running.commands import Finished
    from labreport.running.pool import Progress
    from labreport.running.units import Executor

Item = TypeVar("Item")
Value = TypeVar("Value")
LONGEST_NOTICE = 500  # characters


def _silent(*told: object) -> None:
    del told


@dataclass
class Lab:
    """What an experiment may ask of the engine, while it runs or draws.

    `needs` are the results that it may use, `used` those that it has asked for; its `fingerprint`
    names the files that it may read, `known` is what the last run was seen to read besides; `map` lets its
    `executor` compute, or else up to `jobs` processes, and reports to `progress`; each notice goes to
    `notify`; `cells` keep what it has computed, in `run`; `folder` is where `draw` keeps its `figures`.
    """

    project: Project
    experiment: str
    params: Mapping[str, Any]
    needs: Sequence[str] = ()
    jobs: int = 1
    progress: Progress = _silent
    notify: Callable[[str], None] = _silent
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    known: Fingerprint = field(default_factory=Fingerprint)
    folder: Path | None = None
    used: set[str] = field(default_factory=set)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    executor: Executor | None = None
    cells: Kept | None = None

    def __post_init__(self) -> None:
        """Begin to count the maps, whose seeds follow from the experiment's own."""
        self._seeds = Seeds(variants.experiment(self.experiment), self.params.get("seed"))

    def __getstate__(self) -> dict[str, Any]:
        """Return what goes to another process: all but the ways to talk to this one."""
        return self.__dict__ | {"progress": _silent, "notify": relay.notice, "executor": None, "cells": None}

    @overload
    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item], label: str | None = None
    ) -> list[Value]: ...

    @overload
    def map(
        self,
        function: Callable[[list[Item]], Sequence[Value]],
        items: Iterable[Item],
        label: str | None = None,
        *,
        batch: int,
    ) -> list[Value]: ...

    def map(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        label: str | None = None,
        *,
        batch: int | None = None,
    ) -> list[Any]:
        """Return `function(item)` for each item, in the order of the items, computed in parallel processes.

        The processes are forked here, so that the function may be a closure or a lambda and the items
        anything; only what the function returns must be picklable. While other threads of this process run
        (torch in several threads, a BLAS), a fork could hang: then the processes are fresh ones, and the
        function and the items, too, must be picklable.

        The values do not depend on the number of processes, if the function depends on nothing but its item:
        each item begins with one torch thread and with the global generators of Python, NumPy and torch
        seeded for it. What an item does to these has no effect here after the map. Generators of its own
        are best seeded by `lab.seed(...)` of the item. `label`, or else the function's name, is shown with
        the progress and part of the seeds.

        Each finished value is kept at once (in build/cells), and found again by a later run if neither the
        function nor the item nor anything that the call has read has changed: a killed run goes on, and more
        repeats compute only the new ones. A call that leaves files behind or starts programs is not kept.

        With `batch`, the function takes a list of at most so many items and returns a list of their values.
        These must not depend on how items are put together, so it must not draw from a global generator as
        the map has seeded it.

        Raises
        ------
        Exception
            The first exception of the function, in the order of time, with a note that names the item.
        ExperimentError
            A process was killed, something cannot be pickled, or a function with `batch` gives values that
            depend on a global generator.

        """
        from labreport.running import maps, pool, units

        if batch is not None and batch < 1:
            raise ExperimentError(f"lab.map has batch={batch}", cure="let it be 1 or more, or leave it out")
        named = label or getattr(function, "__qualname__", "") or "map"
        inside = units.inside()
        seed = (inside or self._seeds).of_next_map(named)
        todo = [units.Unit(index, item, seed(index)) for index, item in enumerate(items)]
        executor = self.executor or pool.Local(Alone(self.jobs), warn=self.notice)
        if inside:  # in an item of another map, whose processes are the only ones and whose progress is shown
            executor = pool.Local()
        shown = label or getattr(function, "__name__", "") or "map"
        meter = pool.Meter(_silent if inside else self.progress, len(todo), shown)
        row = self.cells.of(function, named) if self.cells is not None and not inside else None
        return maps.Map(function, executor, self.jobs, batch, row).values(todo, meter)

    def command(
        self,
        command: Sequence[str | Path | int | float],
        *,
        inputs: Sequence[str] | Mapping[str, str | bytes | Path] = (),
        outputs: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> Finished:
        """Run a program in any language; return what it printed (`.text`) and the paths of its `.outputs`.

        `command` is a list of words, as ["Rscript", "r/fit.R", params.samples]; no shell reads them. The
        program is looked for on PATH or, if its name has a folder, in the project.

        It runs in a fresh folder, with copies of its inputs under the names that they have in the project:
        the files that words name (r/fit.R, or data=x.csv) and `inputs`, files or whole folders. A dict gives
        names there to what the experiment has computed: a text or bytes, or a Path to copy. What the program
        writes beneath that folder and `outputs` names is returned by its path, there until the experiment
        has finished; the rest is lost. All inputs and the program itself are part of the fingerprint;
        they need not be in READS.

        Its variables are PATH, HOME, those that are the same everywhere, and `env`; its standard input is
        empty. What it prints goes to the log. It ends, with all that it has started, after `deadline`
        seconds, or with the experiment.

        Raises
        ------
        ExperimentError
            The program or an input does not exist, it fails or is stopped, or an output is not written.

        """
        from labreport.running import commands

        return commands.run(self.project, self.experiment, command, inputs, outputs, env or {}, deadline)

    def result(self, name: str) -> Result:
        """Return the result of another experiment, which NEEDS must name."""
        if name not in self.needs:
            what = f"experiment {self.experiment!r} uses the result of {name!r}, which is not in its NEEDS"
            others = set(self.project.experiment_names()) - {self.experiment}
            raise ExperimentError(what, cure=_declaring("NEEDS", self.needs, name, others))
        self.used.add(name)
        reading.note("result", name)
        return load(self.project, name)

    def file(self, name: str) -> Path:
        """Return the path of a file of the project, which READS must name; its bytes are an input.

        Raises
        ------
        ExperimentError
            READS does not name the file, or it has changed since the build began.

        """
        reads = self.fingerprint.named("file")
        if name not in reads:
            what = f"experiment {self.experiment!r} reads {name!r}, which is not in its READS"
            raise ExperimentError(what, cure=_declaring("READS", list(reads), name, self._files()))
        # what is read must be what the fingerprint says, even if the file was edited while the build ran
        path = self.project.root / name
        if not path.is_file() or files.checksum(path.read_bytes()) != reads[name]:
            raise ExperimentError(f"{name} changed since the build began", cure="build again")
        return path

    def _files(self) -> set[str]:
        """Return the files of the project by their paths in it, but for what is generated."""
        found = files_in(self.project.root)
        paths = {path.relative_to(self.project.root).as_posix() for path in found}
        return {path for path in paths if not path.startswith("build/")}

    @property
    def checkpoints(self) -> Path:
        """A folder for what a run must not lose if it is killed, in `run`; made when it is first asked for.

        What a run leaves there is found by the next one with the very same fingerprint (parameters, code,
        results, versions, and all that it had read) and by no other. It is discarded when the run has
        finished, when a run with another fingerprint starts, and with --force. A kill may leave half a file:
        write to another name, then rename. The result must be the same, however much was found.

        Raises
        ------
        ExperimentError
            This is `draw`.

        """
        if self.folder is not None:
            what = f"experiment {self.experiment!r} asks for checkpoints in `draw`"
            raise ExperimentError(what, cure="compute in `run(params, lab)`; draw from the result alone")
        folder = checkpoints(self.project, self.experiment, self.known | self.fingerprint)
        folder.mkdir(parents=True, exist_ok=True)
        observing.keep(folder)
        return folder

    def notice(self, text: str) -> None:
        """Show a line to the person who builds, while the build goes on, and print it to the log.

        A text of several lines becomes one, a long one is cut after 500 characters. A notice is not an error
        and not part of the result. It may come from a function of `map`, too.
        """
        line = visible(" ".join(text.split()))
        line = line if len(line) <= LONGEST_NOTICE else f"{line[: LONGEST_NOTICE - 2]} …"
        print(f"notice: {line}", flush=True)
        self.notify(line)

    def seed(self, *key: Any) -> int:
        """Return a seed in [0, 2**63) from the experiment's name, its parameter `seed` and a key.

        It is the first eight bytes of the SHA-256 of `[name, seed, *key]` as compact JSON, without the top
        bit: the same in every run and on every machine, and different for each key. Keys are numbers, texts,
        bools, None, and lists of these.
        """
        if "seed" not in self.params:
            what = f"experiment {self.experiment!r} asks for a seed, but its Params has no `seed`"
            raise ExperimentError(what, cure="add `seed: int = 0` to Params")
        reading.note("parameter", "seed")
        plain = encode({"key": [self.params["seed"], *key]}, {})["values"]["key"]
        return seed_of(variants.experiment(self.experiment), *plain)

    def figure(
        self,
        name: str,
        figure: Figure | Path,
        *,
        alt: str,
        data: Any = None,
        explore: str | Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """Keep a figure, in `draw`: as PDF for the report and as PNG for screens, at the size that it has.

        A Path, as `lab.file` gives and the outputs of `lab.command` are, leads to a PDF or a PNG that another
        program drew; the checks do not know its axes and texts.

        `alt` says in words what the figure shows; `data`, a DataFrame, a dict of columns or a list of dicts,
        is kept as CSV, and `files` under their names: logs, for example, in the form that another program
        reads. All of them are handed in.

        `explore` lets readers of the page look into the data themselves. "parallel" gives each column an axis
        and each row a line through them, coloured by the last column of numbers. "lines" draws curves over
        the column named epoch, step or x, or else the first one of numbers; columns of text tell the curves
        apart, and columns of whole numbers where these do not suffice; the other columns of numbers are shown
        one at a time, those named like bounds (loss_low and loss_high, q05 and q95) as a band around loss,
        mean or median. A dict says more: {"kind": "parallel", "columns": […], "colour": "loss"} or
        {"kind": "lines", "x": "size", "by": ["method"], "y": ["error"]}, each but the kind optional.

        Raises
        ------
        ExperimentError
            The name is not a valid file name or was used before, as that of a file, too; `alt` is empty,
            `figure` is neither a figure nor the path of one, or an empty one, a file is not bytes, the data
            cannot be explored as `explore` says, or this is `run`.

        """
        from labreport.running import exploring, figures, foreign

        where = f"figure {name!r} of experiment {self.experiment!r}"
        if self.folder is None:
            what = f"{where} is made in `run`"
            raise ExperimentError(what, cure="draw figures in `draw(result, lab)`, from the result alone")
        if not re.fullmatch(r"[a-z0-9_-]+", str(name)):
            raise ExperimentError(
                f"{where}: the name is not a valid file name", cure="use only a-z, 0-9, _ and -"
            )
        if name in self.figures:
            raise ExperimentError(f"{where} is stored twice", cure="give each figure a name of its own")
        if not isinstance(alt, str) or not alt.strip():
            cure = 'say what the figure shows: alt="The loss falls with …"'
            raise ExperimentError(f"{where} has no alternative text", cure=cure)
        with warned.during() as found:
            stem = self.folder / name
            if isinstance(figure, Path):
                facts = foreign.save(figure, stem, where)
            else:
                facts = figures.save(figure, stem, where)
        facts["unshown"] = warned.unshown(found)
        warned.tell(name)
        if data is not None:
            figures.save_data(data, self.folder / f"{name}.csv", where)
        if explore is not None:
            columns = None if data is None else figures.columns(data, where)
            facts["explore"] = exploring.settings(explore, columns, where)
        figures.save_files(files or {}, self.folder, where)
        self.figures[name] = {"alt": alt.strip(), **facts, "files": list(files or {})}


def _declaring(keyword: str, declared: Sequence[str], name: str, known: Collection[str]) -> str:
    """Return the cure for what NEEDS or READS lacks: what to write, or what was meant by an unknown name."""
    near = did_you_mean(name, {*declared, *known}) if name not in known else ""
    listed = ", ".join(f'"{each}"' for each in [*declared, name])
    return near if "mean" in near else f"write {keyword} = ({listed},)"
