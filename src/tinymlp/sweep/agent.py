"""A sweep over hyper-parameters as a W&B sweep file defines it, and the local agent that runs its trials."""

import difflib
import itertools
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import yaml

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

Scalar = str | int | float | bool | None
Config = dict[str, Scalar]

STARTUP = 10
"""Random trials for each swept parameter with which `bayes` begins: the rule n = 10 d of Loeppky, Sacks and
Welch, Technometrics 51 (2009), pages 366-376."""

ROUND = 10
"""Trials that `bayes` decides together, from the results of all rounds before."""

BEST = 0.1
"""The share of the trials that count as good ones for the importance of a parameter."""


class Map(Protocol):
    """`map`, or one like it that works in parallel."""

    def __call__(self, function: Callable[[Any], Any], items: Sequence[Any], /) -> Iterable[Any]:
        """Return what the function returns for each item, in order."""


# ---- the definition


@dataclass(frozen=True)
class Parameter:
    """A hyper-parameter and the values that it can have.

    `distribution` is W&B's name: `constant` and `categorical` have `values`;
    the others have a smallest and a largest value, both included, and `q`,
    the step from value to value, where there is one. Whole numbers are int.
    """

    distribution: str
    values: tuple[Scalar, ...] = ()
    min: float = 0.0
    max: float = 0.0
    q: float | None = None

    @property
    def fixed(self) -> bool:
        """Whether there is only one value."""
        return len(self.values) == 1

    @property
    def log(self) -> bool:
        """Whether equal ratios have equal probabilities."""
        return "log" in self.distribution

    @property
    def count(self) -> int | None:
        """The number of values, None for an interval."""
        if self.values:
            return len(self.values)
        return None if self.q is None else round((self.max - self.min) / self.q) + 1

    def level(self, index: int) -> Scalar:
        """Return the value of this index, if the values can be counted."""
        return self.values[index] if self.values or self.q is None else self.min + index * self.q

    def draw(self, rng: np.random.Generator) -> Scalar:
        """Return a value drawn from the distribution."""
        if self.log:
            half = 0 if self.q is None else 0.5  # the outermost whole numbers get their share
            bounds = math.log(self.min - half), math.log(self.max + half)
            x = math.exp(rng.uniform(*bounds))
            return min(max(x if self.q is None else round(x), self.min), self.max)
        if self.count is not None:
            return self.level(int(rng.integers(self.count)))
        return float(rng.uniform(self.min, self.max))


@dataclass(frozen=True)
class Sweep:
    """A sweep; its parameters are in the order of the file.

    `run_cap` is the greatest number of trials, None only for a grid.
    """

    program: str
    method: Literal["grid", "random", "bayes"]
    metric: str
    goal: Literal["minimize", "maximize"]
    parameters: dict[str, Parameter]
    run_cap: int | None = None
    project: str | None = None
    entity: str | None = None

    @property
    def swept(self) -> dict[str, Parameter]:
        """The parameters that have more than one value."""
        return {name: one for name, one in self.parameters.items() if not one.fixed}

    @property
    def fixed(self) -> Config:
        """The values of the other parameters."""
        return {name: one.values[0] for name, one in self.parameters.items() if one.fixed}

    @property
    def startup(self) -> int:
        """The number of random trials with which `bayes` begins."""
        return STARTUP * len(self.swept)

    @property
    def id(self) -> str:
        """Eight hexadecimal digits of what decides about the trials, the run cap apart."""
        parameters = [[name, asdict(one)] for name, one in self.parameters.items()]
        return _digest([self.method, self.metric, self.goal, parameters])[:8]


def _digest(value: object) -> str:
    return sha256(json.dumps(value).encode()).hexdigest()


# ---- the file


@dataclass(frozen=True)
class Problem:
    """What is wrong with one key of a sweep file, in which line (from 1), and the cure."""

    line: int | None
    key: str
    what: str
    cure: str


class SweepError(ValueError):
    """A sweep file that cannot be used; `problems` are all that were found, in the order of their lines.

    `line`, `key` and `cure` are those of the first problem.
    """

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        super().__init__(file, problems)
        self.file = file
        self.problems = tuple(problems)
        self.line = problems[0].line
        self.key = problems[0].key
        self.cure = problems[0].cure

    def __str__(self) -> str:
        return "\n".join(map(self._shown, self.problems))

    def _shown(self, problem: Problem) -> str:
        place = self.file if problem.line is None else f"{self.file}, line {problem.line}"
        key = f"{problem.key}: " if problem.key else ""
        return f"{place}: {key}{problem.what}; {problem.cure}"


NEEDED = ("program", "method", "metric", "parameters")
KEYS = (*NEEDED, "run_cap", "command", "project", "entity", "name", "description")
METHODS = ("grid", "random", "bayes")
GOALS = ("minimize", "maximize")

# For each distribution that the samplers know, the keys beside `distribution`; `q` may be left out.
DISTRIBUTIONS = {
    "constant": ("value",),
    "categorical": ("values",),
    "int_uniform": ("min", "max"),
    "uniform": ("min", "max"),
    "log_uniform_values": ("min", "max"),
    "q_uniform": ("min", "max", "q"),
    "q_log_uniform_values": ("min", "max", "q"),
}

_INTERVAL = "use an interval: uniform or log_uniform_values with min and max"
_BOUNDS = "use log_uniform_values, with the bounds themselves as min and max"
_DELETE = "delete it, or run the sweep with `wandb sweep` and `wandb agent`"

# What W&B knows and the local agent does not, each with the cure.
OTHER_KEYS = {
    "early_terminate": f"every trial is trained to its end: {_DELETE}",
    "scheduler": f"the local agent decides about the trials: {_DELETE}",
    "controller": f"the local agent decides about the trials: {_DELETE}",
    "metrics": "choose one: write `metric` with name and goal",
}
OTHER_PARAMETER_KEYS = {
    "parameters": "write each nested parameter as one of its own, such as optimizer_lr",
    "probabilities": "delete it: all values are equally probable",
}
OTHER_DISTRIBUTIONS = {
    "normal": _INTERVAL,
    "q_normal": _INTERVAL,
    "log_normal": _INTERVAL,
    "q_log_normal": _INTERVAL,
    "beta": _INTERVAL,
    "q_beta": _INTERVAL,
    "log_uniform": _BOUNDS,
    "q_log_uniform": _BOUNDS,
    "inv_log_uniform": _BOUNDS,
    "inv_log_uniform_values": _BOUNDS,
    "categorical_w_probabilities": "write distribution: categorical, without probabilities",
}


def load(path: str | Path) -> Sweep:
    """Return the sweep that a W&B sweep file defines.

    Raises
    ------
    SweepError
        The file cannot be read, is no sweep file, or asks for what the local
        agent cannot do; all problems of the file together.

    """
    reader, file = _Reader(), _parsed(Path(path))
    sweep = None
    with reader.collecting():
        sweep = reader.sweep(file)
    if sweep is None:
        problems = sorted(reader.problems, key=lambda problem: problem.line or 0)
        raise SweepError(str(path), problems)
    return sweep


@dataclass(frozen=True)
class _Entry:
    """A key of the file in full, such as parameters.lr.min, its line, and what it holds."""

    key: str
    line: int
    node: yaml.Node

    @property
    def value(self) -> Any:
        """What YAML makes of the node."""
        try:
            return yaml.SafeLoader("").construct_object(self.node, deep=True)
        except (yaml.YAMLError, ValueError):
            raise _Wrong(self, "is no plain value", "write a number, or a text in quotes") from None


_Entries = Mapping[str, _Entry]


class _Wrong(Exception):
    """Ends the reading of an entry."""

    def __init__(self, entry: _Entry, what: str, cure: str) -> None:
        super().__init__(entry, what, cure)
        self.problem = Problem(entry.line, entry.key, what, cure)


def _parsed(path: Path) -> _Entry:
    """Return a YAML file as one entry, or raise SweepError."""
    try:
        data = path.read_bytes()
        text = data.decode()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise _stop(path, None, f"cannot be read: {error.strerror}", "name a sweep file") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _stop(path, line, "is not UTF-8", "save the file as UTF-8") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _stop(path, line, "has a character that YAML does not allow", "delete it") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _stop(
            path, line, f"is no YAML: {error.problem}", "correct this line or the one above"
        ) from error
    if node is None:
        raise _stop(path, None, "is empty", f"write {', '.join(NEEDED)}")
    return _Entry("", node.start_mark.line + 1, node)


def _stop(path: Path, line: int | None, what: str, cure: str) -> SweepError:
    return SweepError(str(path), [Problem(line, "", what, cure)])


class _Reader:
    """Turns the entries of a sweep file into a sweep, and collects the problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Go on after what ends the reading of one entry."""
        try:
            yield
        except _Wrong as wrong:
            self.problems.append(wrong.problem)

    def note(self, entry: _Entry, what: str, cure: str) -> None:
        self.problems.append(Problem(entry.line, entry.key, what, cure))

    def sweep(self, file: _Entry) -> Sweep | None:
        """Return the sweep, or None if there is a problem."""
        entries = self.entries(file)
        found: dict[str, Any] = {}
        for key, entry in self.known(entries, KEYS, OTHER_KEYS).items():
            with self.collecting():
                found[key] = self.field(key, entry)
        for key in NEEDED:
            if key not in entries:
                self.problems.append(Problem(None, key, "is missing", f"add `{key}:`"))
        if found.get("method") == "grid":
            self.countable(entries, found)
        elif "method" in found and "run_cap" not in entries:
            cure = "add `run_cap:`, the number of trials"
            self.note(entries["method"], f"{found['method']} without run_cap never ends", cure)
        if self.problems:
            return None
        fields = ("program", "method", "parameters", "run_cap", "project", "entity")
        metric, goal = found["metric"]
        return Sweep(metric=metric, goal=goal, **{key: found[key] for key in fields if key in found})

    def field(self, key: str, entry: _Entry) -> Any:
        """Return what a key of the file says."""
        if key == "parameters":
            return self.parameters(entry)
        if key == "metric":
            return self.metric(entry)
        if key == "method":
            return _choice(entry, METHODS)
        return _run_cap(entry) if key == "run_cap" else _command(entry) if key == "command" else _text(entry)

    def countable(self, entries: _Entries, found: Mapping[str, Any]) -> None:
        """Note the parameters of which a grid cannot take all values."""
        for name, one in found.get("parameters", {}).items():
            if one.count is None or one.log:
                what = f"a grid cannot take the values of {one.distribution}"
                where = self.entries(entries["parameters"])[name]
                self.note(where, what, "use values, int_uniform or q_uniform, or another method")

    def metric(self, entry: _Entry) -> tuple[str, str]:
        """Return name and goal."""
        entries = self.known(self.entries(entry), ("name", "goal"), {})
        if "name" not in entries:
            raise _Wrong(entry, "has no name", "add `name:`, a key of what a trial returns")
        return _text(entries["name"]), _choice(entries["goal"], GOALS) if "goal" in entries else GOALS[0]

    def parameters(self, entry: _Entry) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        before = len(self.problems)
        for name, one in self.entries(entry).items():
            with self.collecting():
                if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
                    raise _Wrong(
                        one, "is no name for W&B", "use letters, digits and _, . or -, a letter first"
                    )
                found[name] = self.parameter(one)
        if len(self.problems) == before and all(one.fixed for one in found.values()):
            raise _Wrong(entry, "nothing is swept", "give a parameter `values:`, or `min:` and `max:`")
        return found

    def parameter(self, entry: _Entry) -> Parameter:
        given = self.entries(entry)
        distribution = _distribution_name(entry, given)
        keys = DISTRIBUTIONS[distribution]
        entries = self.known(given, ("distribution", *keys), OTHER_PARAMETER_KEYS)
        missing = [key for key in keys if key not in entries and key != "q"]
        if missing:
            raise _Wrong(entry, f"{distribution} has no {' and no '.join(missing)}", f"add `{missing[0]}:`")
        if distribution == "constant":
            return Parameter(distribution, (_scalar(entries["value"], entries["value"].value),))
        if distribution == "categorical":
            return Parameter(distribution, _scalars(entries["values"]))
        return _interval(entry, entries, distribution)

    def entries(self, entry: _Entry) -> dict[str, _Entry]:
        """Return the entries of a mapping by their keys."""
        if not isinstance(entry.node, yaml.MappingNode):
            raise _Wrong(entry, "is no mapping", "write lines such as `key: value` below it")
        entries: dict[str, _Entry] = {}
        for key, value in entry.node.value:
            name = str(key.value)
            one = _Entry(f"{entry.key}.{name}".lstrip("."), key.start_mark.line + 1, value)
            if key.tag != "tag:yaml.org,2002:str":
                self.note(one, "the key is no text", "put it in quotes")
            elif name in entries:
                self.note(one, f"is there twice, first in line {entries[name].line}", "delete one")
            else:
                entries[name] = one
        return entries

    def known(self, entries: _Entries, keys: Sequence[str], others: Mapping[str, str]) -> _Entries:
        """Return the entries that have one of these keys, and note the others."""
        for name, entry in entries.items():
            if name in others:
                self.note(entry, "the local agent cannot do this", others[name])
            elif name not in keys:
                self.note(entry, "is no key of this place", _near(name, keys))
        return {name: entry for name, entry in entries.items() if name in keys}


def _distribution_name(entry: _Entry, entries: _Entries) -> str:
    """Return the distribution that a parameter names, or that W&B infers from its keys."""
    if "distribution" in entries:
        name = entries["distribution"].value
        if isinstance(name, str) and name in OTHER_DISTRIBUTIONS:
            what = f"the local agent has no {name}"
            raise _Wrong(entries["distribution"], what, OTHER_DISTRIBUTIONS[name])
        return _choice(entries["distribution"], tuple(DISTRIBUTIONS))
    for key, name in (("value", "constant"), ("values", "categorical")):
        if key in entries:
            return name
    if "min" in entries and "max" in entries:
        kinds = [type(entries[key].value) for key in ("min", "max")]
        return "int_uniform" if int in kinds else "uniform"
    if "parameters" in entries:
        raise _Wrong(entries["parameters"], "nested parameters", OTHER_PARAMETER_KEYS["parameters"])
    raise _Wrong(entry, "has no values", "add `value:`, `values:`, or `min:` and `max:`")


def _interval(entry: _Entry, entries: _Entries, distribution: str) -> Parameter:
    low, high = _number(entries["min"]), _number(entries["max"])
    if not low < high:
        raise _Wrong(entries["max"], f"max {high} is not above min {low}", "exchange them, or use `value:`")
    if "log" in distribution and low <= 0:
        raise _Wrong(entries["min"], f"min {low} has no logarithm", "write a min above 0")
    if distribution in ("uniform", "log_uniform_values"):
        return Parameter(distribution, (), float(low), float(high))
    if distribution == "int_uniform":
        for key in ("min", "max"):
            _whole(entries[key])
        return Parameter(distribution, (), low, high, 1)
    q = _number(entries["q"]) if "q" in entries else 1
    if distribution == "q_uniform":
        return _stepped(entry, low, high, q)
    if q == 1 and isinstance(low, int) and isinstance(high, int):
        return Parameter(distribution, (), low, high, 1)
    cure = "write whole numbers and q: 1, or use log_uniform_values"
    raise _Wrong(entry, "only whole numbers can be steps of a logarithmic scale", cure)


def _stepped(entry: _Entry, low: float, high: float, q: float) -> Parameter:
    """Return q_uniform; W&B rounds to multiples of q, Optuna steps from min: so both must be the same."""
    ratios = [bound / q for bound in (low, high)] if q > 0 else [0.5]
    if any(abs(ratio - round(ratio)) > 1e-9 for ratio in ratios):
        what = f"min {low} and max {high} are no multiples of q {q}"
        raise _Wrong(entry, what, "write multiples of a q above 0")
    kind = int if all(isinstance(number, int) for number in (low, high, q)) else float
    return Parameter("q_uniform", (), kind(low), kind(high), kind(q))


def _text(entry: _Entry) -> str:
    if isinstance(entry.value, str) and entry.value:
        return entry.value
    raise _Wrong(entry, f"is {entry.value!r}", "write a text")


def _command(entry: _Entry) -> list[Any]:
    if isinstance(entry.value, list) and entry.value:
        return entry.value
    raise _Wrong(entry, f"is {entry.value!r}", 'write a list such as ["${env}", "python", "${program}"]')


def _choice(entry: _Entry, names: Sequence[str]) -> str:
    if isinstance(entry.value, str) and entry.value in names:
        return entry.value
    raise _Wrong(entry, f"there is no {entry.value!r}", _near(str(entry.value), names))


def _run_cap(entry: _Entry) -> int:
    if type(entry.value) is int and entry.value > 0:
        return entry.value
    raise _Wrong(entry, f"is {entry.value!r}", "write a whole number of trials, at least 1")


def _number(entry: _Entry) -> float:
    """Return a finite number, an int or a float; ints are not too large for one."""
    value = entry.value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and abs(value) <= 2**53:
        return value
    raise _Wrong(entry, f"{value!r} is no finite number", _as_number(value))


def _whole(entry: _Entry) -> None:
    if not isinstance(entry.value, int):
        cure = "write two whole numbers, or two with a point, or add distribution: uniform"
        raise _Wrong(entry, f"{entry.value} is no whole number, unlike the other bound", cure)


def _scalar(entry: _Entry, value: object) -> Scalar:
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise _Wrong(entry, f"{value!r} is no plain value", "write numbers, texts, true, false or null")


def _scalars(entry: _Entry) -> tuple[Scalar, ...]:
    if not isinstance(entry.value, list) or not entry.value:
        raise _Wrong(entry, "is no list of values", "write one such as [1, 2, 3]")
    values = tuple(_scalar(entry, value) for value in entry.value)
    for index, value in enumerate(values):
        if value in values[:index]:
            raise _Wrong(entry, f"{value!r} is there twice", "write each value once")
    return values


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"


def _as_number(value: object) -> str:
    """Return the cure for a text such as 1e-6, which YAML takes for a number only with point and sign."""
    try:
        return f"write {yaml.safe_dump(float(str(value))).split()[0]}"
    except ValueError:
        return "write a number"


# ---- the trials


@dataclass(frozen=True)
class Trial:
    """A trial: its configuration, and what the function returned for it.

    `id` is the W&B run's; the trials of round 0 were decided without any
    result, those of a later round from the results of all rounds before it.
    """

    number: int
    id: str
    round: int
    config: Config
    result: dict[str, Any] = field(default_factory=dict)


class TrialError(ValueError):
    """A trial returned what is no result."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, what)
        self.number = number
        self.what = what

    def __str__(self) -> str:
        return f"trial {self.number} of the sweep {self.what}"


def agent(
    sweep: Sweep,
    function: Callable[[], Mapping[str, Any]],
    *,
    folder: Path,
    seed: int,
    map: Map = map,
    run_cap: int | None = None,
) -> list[Trial]:
    """Run the trials of a sweep, and return them.

    This is `wandb.agent(sweep_id, function)` without a server.
    For each trial, `function` finds the run's id, the sweep's id and the path
    of the parameters where an agent of W&B puts them: in the environment
    variables WANDB_RUN_ID, WANDB_SWEEP_ID (kept if it is set already) and
    WANDB_SWEEP_PARAM_PATH. It returns a mapping of plain values that holds
    the sweep's metric: a finite number, or None for a trial that diverged,
    which then has no part in the decisions of `bayes`.

    The trials depend on the sweep, the seed and what the function returns,
    not on the number of processes of `map`; fewer trials, by `run_cap`, are
    the first of more. Finished trials are kept in `folder`, and not run again
    by the next call, after a kill for example: give each function and seed
    a folder of its own.

    Raises
    ------
    TrialError
        The function returned what is no result.
    Exception
        What the function raised, with a note that names the trial.

    """
    caps = [cap for cap in (sweep.run_cap, run_cap) if cap is not None]
    worker = _Worker(sweep, function, Path(folder))
    trials: list[Trial] = []
    while asked := _next_round(sweep, trials, seed, min(caps) if caps else None):
        trials += worker.run(asked, map)
    return trials


def forget(folder: Path, trials: Iterable[Trial]) -> None:
    """Let the next call of `agent` with this folder run these trials again."""
    for trial in trials:
        _stored_path(folder, trial).unlink(missing_ok=True)


def _stored_path(folder: Path, trial: Trial) -> Path:
    return folder / "trials" / f"{trial.number:04d}.json"


@dataclass(frozen=True)
class _Worker:
    """Runs trials: in a process of `map`, each with the environment of an agent, and stores them."""

    sweep: Sweep
    function: Callable[[], Mapping[str, Any]]
    folder: Path

    def run(self, asked: Sequence[Trial], map: Map) -> list[Trial]:
        """Return the trials with their results; only those that are not stored are run."""
        stored = {trial.number: result for trial in asked if (result := self._stored(trial)) is not None}
        due = [trial for trial in asked if trial.number not in stored]
        results = stored | dict(zip([trial.number for trial in due], map(self, due), strict=True))
        return [replace(trial, result=results[trial.number]) for trial in asked]

    def __call__(self, trial: Trial) -> dict[str, Any]:
        """Run one trial, store it, and return its result."""
        try:
            with _environment(self._variables(trial)):
                result = _result(trial.number, self.function(), self.sweep.metric)
        except Exception as error:
            shown = ", ".join(f"{name} = {trial.config[name]!r}" for name in self.sweep.swept)
            error.add_note(f"in trial {trial.number} of the sweep: {shown}")
            raise
        _write(_stored_path(self.folder, trial), _sealed(replace(trial, result=result)))
        return result

    def _variables(self, trial: Trial) -> dict[str, str]:
        path = (self.folder / "parameters" / f"{trial.number:04d}.yaml").absolute()
        values = {name: {"value": value} for name, value in trial.config.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        wanted = [
            ("WANDB_SWEEP_ID", self.sweep.id),
            ("WANDB_PROJECT", self.sweep.project),
            ("WANDB_ENTITY", self.sweep.entity),
        ]
        unset = {name: value for name, value in wanted if value and not os.environ.get(name)}
        return {**unset, "WANDB_RUN_ID": trial.id, "WANDB_SWEEP_PARAM_PATH": str(path)}

    def _stored(self, trial: Trial) -> dict[str, Any] | None:
        """Return the stored result of a trial; None if its file is missing or not as it was written."""
        try:
            text = _stored_path(self.folder, trial).read_text(encoding="utf-8")
            result = json.loads(text)["result"]
            return result if _sealed(replace(trial, result=result)) == text else None
        except (OSError, ValueError, LookupError, TypeError):
            return None


def _sealed(trial: Trial) -> str:
    """Return a trial as JSON that holds its own checksum."""
    record = {"number": trial.number, "id": trial.id, "config": trial.config, "result": trial.result}
    record["checksum"] = _digest(record)
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and put them back as they were."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _result(number: int, returned: object, metric: str) -> dict[str, Any]:
    """Return what a trial returned as plain JSON values, or raise TrialError."""
    if not isinstance(returned, Mapping):
        what = f"returned {type(returned).__name__}: return a mapping that holds {metric!r}"
        raise TrialError(number, what)
    if metric not in returned:
        raise TrialError(number, f"returned no {metric!r}: the keys are {', '.join(map(str, returned))}")
    value = returned[metric]
    real = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if value is not None and not real:
        what = f"returned {value!r} as {metric!r}: return a finite number, or None if the trial diverged"
        raise TrialError(number, what)
    plain = _plain(number, returned, "")
    return cast("dict[str, Any]", plain)


def _plain(number: int, value: object, place: str) -> Any:
    """Return a value as JSON gives it back."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {str(key): _plain(number, item, f"{place}[{key!r}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(number, item, f"{place}[{index}]") for index, item in enumerate(value)]
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    what = (
        f"returned {value!r} at {place}: return finite numbers, texts, lists and mappings with texts as keys"
    )
    raise TrialError(number, what)


# ---- the decisions


def _next_round(sweep: Sweep, trials: Sequence[Trial], seed: int, cap: int | None) -> list[Trial]:
    """Return the trials of the next round, without results; none after the last round."""
    index = trials[-1].round + 1 if trials else 0
    return [
        Trial(number, _digest([sweep.id, number, config])[:16], index, config)
        for number, config in enumerate(_decided(sweep, trials, seed, cap), start=len(trials))
    ]


def _decided(sweep: Sweep, trials: Sequence[Trial], seed: int, cap: int | None) -> list[Config]:
    """Return the configurations of the next round; only `bayes` has more than one."""
    if sweep.method == "bayes" and trials:
        return _asked(sweep, trials, seed, min(cast("int", cap) - len(trials), ROUND))
    if trials:
        return []
    if sweep.method == "grid":
        return _grid(sweep, cap)
    number = min(cast("int", cap), sweep.startup) if sweep.method == "bayes" else cast("int", cap)
    return [_drawn(sweep, seed, index) for index in range(number)]


def _grid(sweep: Sweep, cap: int | None) -> list[Config]:
    """Return all combinations; the last parameter of the file changes first."""
    parameters = sweep.parameters.values()
    levels = [[one.level(index) for index in range(one.count or 0)] for one in parameters]
    combinations = itertools.islice(itertools.product(*levels), cap)
    return [dict(zip(sweep.parameters, values, strict=True)) for values in combinations]


def _drawn(sweep: Sweep, seed: int, number: int) -> Config:
    """Return a random configuration, which depends on seed and number alone."""
    rng = np.random.default_rng([seed, number])
    return {name: one.values[0] if one.fixed else one.draw(rng) for name, one in sweep.parameters.items()}


def _asked(sweep: Sweep, trials: Sequence[Trial], seed: int, n: int) -> list[Config]:
    """Return `n` configurations that a tree-structured Parzen estimator chooses, given the results of trials.

    The multivariate estimator of Optuna: S. Watanabe, arXiv 2304.11127 (2023). The choices of a round are
    bad results to each other ("constant liar"), which keeps them apart.
    """
    from optuna.samplers import TPESampler

    (state,) = np.random.SeedSequence([seed, len(trials)]).generate_state(1)
    sampler = TPESampler(seed=int(state), multivariate=True, constant_liar=True, n_startup_trials=1)
    study = _study(sweep, trials, sampler)
    distributions = _distributions(sweep)
    params = [study.ask(distributions).params for _ in range(n)]
    return [{name: (sweep.fixed | one)[name] for name in sweep.parameters} for one in params]


def _study(sweep: Sweep, trials: Sequence[Trial], sampler: "BaseSampler | None" = None) -> "Study":
    """Return the trials as a study of Optuna; those without a value have failed."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(direction=sweep.goal, sampler=sampler)
    finally:
        optuna.logging.set_verbosity(verbosity)
    distributions = _distributions(sweep)
    for trial in trials:
        value = trial.result[sweep.metric]
        state = optuna.trial.TrialState.FAIL if value is None else optuna.trial.TrialState.COMPLETE
        params = {name: trial.config[name] for name in distributions}
        study.add_trial(
            optuna.create_trial(state=state, value=value, params=params, distributions=distributions)
        )
    return study


def _distributions(sweep: Sweep) -> "dict[str, BaseDistribution]":
    """Return the swept parameters as distributions of Optuna."""
    return {name: _distribution(one) for name, one in sweep.swept.items()}


def _distribution(parameter: Parameter) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.values:
        return CategoricalDistribution(parameter.values)
    low, high, step = parameter.min, parameter.max, parameter.q
    if isinstance(low, int):
        return IntDistribution(low, int(high), log=parameter.log, step=int(step or 1))
    return FloatDistribution(low, high, log=parameter.log, step=step)


# ---- what matters


def importances(sweep: Sweep, trials: Sequence[Trial]) -> dict[str, float]:
    """Return the share of each swept parameter in what the best tenth of the trials have in common.

    PED-ANOVA: the Pearson divergence between a parameter's distribution in
    the best tenth of the trials and in all of them, as a share of the sum over
    the parameters. S. Watanabe, A. Bansal and F. Hutter, IJCAI 2023, pages
    4389-4396. It looks at one parameter at a time: what only a combination
    does, it does not see. Trials without a value are left out.

    Raises ValueError for fewer than 41 trials with a value: fewer than five
    would then be the best.
    """
    good = _with_value(sweep, trials)
    return _shares(sweep, good, range(len(good)))


def importance_intervals(
    sweep: Sweep,
    trials: Sequence[Trial],
    draws: int,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    map: Map = map,
) -> dict[str, tuple[float, float]]:
    """Return intervals of the importances: quantiles over trials drawn anew, with replacement.

    The percentile method: B. Efron and R. J. Tibshirani, An Introduction to
    the Bootstrap (1993), chapter 13. Raises ValueError as `importances` does.
    """
    good = _with_value(sweep, trials)
    drawn = rng.integers(len(good), size=(draws, len(good))).tolist()
    shares = list(map(partial(_shares, sweep, good), drawn))
    tails = [(1 - level) / 2, (1 + level) / 2]
    bounds = {name: np.quantile([one[name] for one in shares], tails) for name in sweep.swept}
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}


def _with_value(sweep: Sweep, trials: Sequence[Trial]) -> list[Trial]:
    good = [trial for trial in trials if trial.result[sweep.metric] is not None]
    if math.ceil(BEST * len(good)) < 5:
        raise ValueError(f"importances need 41 trials with a value, here are {len(good)}: run more trials")
    return good


def _shares(sweep: Sweep, trials: Sequence[Trial], chosen: Iterable[int]) -> dict[str, float]:
    """Return the importances over some of the trials, each as often as it is chosen."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    study = _study(sweep, [trials[index] for index in chosen])
    evaluator, names = PedAnovaImportanceEvaluator(target_quantile=BEST), list(sweep.swept)
    found = get_param_importances(study, evaluator=evaluator, params=names)
    return {name: float(found[name]) for name in names}
