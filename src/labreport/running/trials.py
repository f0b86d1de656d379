"""The results that an experiment has given with other parameters: in the store, beside the present one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labreport.errors import UsageError, did_you_mean, raise_all
from labreport.results import RESULT, RUN, Fingerprint, recorded_run, store, strict_json, variants
from labreport.running.planning import Book

if TYPE_CHECKING:
    from labreport.project import Project


@dataclass(frozen=True)
class Trial:
    """A result of an experiment with some parameters; `differing` are those that are not the default.

    It is `present` if it lies in the folder of results, and `fresh` if a run would give it again now;
    `finished` is when the run ended, as in run.json.
    """

    experiment: str
    params: dict[str, Any]
    differing: dict[str, Any]
    values: dict[str, Any]
    finished: str
    present: bool
    fresh: bool

    @property
    def address(self) -> str:
        """What it is called: the parameters that differ, as `--set` takes them; "default" if none does."""
        return variants.address(self.differing) or "default"


def trials(project: Project, names: Sequence[str] = ()) -> list[Trial]:
    """Return the results of the named experiments, or of all: for each choice of parameters the best one.

    That is a fresh one, else the one that was computed last. The default comes first.

    Raises
    ------
    UsageError
        There is no experiment of a name.
    InputError, SeveralErrors
        A declaration is wrong.

    """
    book = Book(project, {})
    known = project.experiment_names()
    errors = [
        UsageError(f"there is no experiment {name!r}", cure=did_you_mean(name, known))
        for name in names
        if name not in known
    ]
    raise_all(errors)
    found: list[Trial] = []
    for name in names or known:
        best: dict[str, Trial] = {}
        for trial in sorted(_of(book, name), key=lambda trial: (trial.fresh, trial.present, trial.finished)):
            best[trial.address] = trial
        found += sorted(best.values(), key=_order)
    return found


def _order(trial: Trial) -> list[tuple[str, float, str]]:
    """Return what sorts trials by their parameters, numbers by their size."""
    return [
        (key, float(value) if isinstance(value, int | float) else 0.0, str(value))
        for key, value in sorted(trial.differing.items())
    ]


def _of(book: Book, name: str) -> Iterator[Trial]:
    for each in (n for n in book.order if variants.experiment(n) == name):
        folder = book.project.results / each
        run = recorded_run(book.project, each)
        if not isinstance(run, str):
            data = {file: (folder / file).read_bytes() for file in (RESULT, RUN)}
            yield _trial(book, name, data, run.fingerprint, present=True)
    for entry in store.kept(book.project, name, "run"):
        yield _trial(book, name, entry.data, entry.fingerprint, present=False)


def _trial(
    book: Book, name: str, data: Mapping[str, bytes], fingerprint: Fingerprint, *, present: bool
) -> Trial:
    result = strict_json.parse(data[RESULT], RESULT, cure="run again")
    params = result["params"]
    default = json.loads(json.dumps(book.params[name]))  # a tuple is a list in a result
    differing = {key: value for key, value in params.items() if key not in default or default[key] != value}
    return Trial(
        experiment=name,
        params=params,
        differing=differing,
        values=result["values"],
        finished=strict_json.parse(data[RUN], RUN, cure="run again")["finished"],
        present=present,
        fresh=book.run_now(name, fingerprint, params).parts == fingerprint.parts,
    )
