"""Reading a sweep file of W&B: a definition, or all problems at once, each with its line and its cure."""

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tinymlp.sweep.definition import Parameter, Sweep, Value


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

NAME = re.compile(r"[A-Za-z_+/~@]([A-Za-z0-9_.+/~@-]*[A-Za-z0-9_.+/~@])?")
"""Names of parameters, those of Hydra among them: model/lr, +trainer.lr. W&B cuts off a - at either end."""

_INTERVAL = "use an interval: uniform or log_uniform_values with min and max"
_BOUNDS = "use log_uniform_values, with the bounds themselves as min and max"
_DELETE = "delete it, or run the sweep with `wandb sweep` and `wandb agent`"

# What W&B knows and the local agent does not, each with the cure.
OTHER_KEYS = {
    "early_terminate": f"every trial is trained to its end: {_DELETE}",
    "scheduler": f"the local agent decides on the trials: {_DELETE}",
    "controller": f"the local agent decides on the trials: {_DELETE}",
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
        The file cannot be read, is not a sweep file, or asks for what the local
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
            raise _Wrong(self, "is not a plain value", "write a number, or a text in quotes") from None

    @property
    def is_plain(self) -> bool:
        """Whether it stands without quotes."""
        return isinstance(self.node, yaml.ScalarNode) and not self.node.style

    @property
    def items(self) -> "list[_Entry]":
        """The items of a list, each with its own line."""
        return [replace(self, line=node.start_mark.line + 1, node=node) for node in self.node.value]


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
        node = yaml.compose(text, Loader=yaml.SafeLoader)  # nodes know their lines; loaded values do not
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
            path, line, f"is not YAML: {error.problem}", "correct this line or the one above"
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
                if not NAME.fullmatch(name):
                    cure = "use letters, digits and _ . - + / ~ @, a letter first, no - at the end"
                    raise _Wrong(one, "is not a valid name for W&B", cure)
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
            return Parameter(distribution, (_value(entries["value"]),))
        if distribution == "categorical":
            return Parameter(distribution, _values(entries["values"]))
        return _interval(entry, entries, distribution)

    def entries(self, entry: _Entry) -> dict[str, _Entry]:
        """Return the entries of a mapping by their keys."""
        if not isinstance(entry.node, yaml.MappingNode):
            raise _Wrong(entry, "is not a mapping", "write lines such as `key: value` below it")
        entries: dict[str, _Entry] = {}
        for key, value in entry.node.value:
            name = str(key.value)
            one = _Entry(f"{entry.key}.{name}".lstrip("."), key.start_mark.line + 1, value)
            # YAML 1.1 reads a bare on, off, yes, no or 1 as another kind of key
            if key.tag != "tag:yaml.org,2002:str":
                self.note(one, "the key is not a text", "put it in quotes")
            elif name in entries:
                self.note(one, f"appears twice, first in line {entries[name].line}", "delete one")
            else:
                entries[name] = one
        return entries

    def known(self, entries: _Entries, keys: Sequence[str], others: Mapping[str, str]) -> _Entries:
        """Return the entries that have one of these keys, and note the others."""
        for name, entry in entries.items():
            if name in others:
                self.note(entry, "the local agent cannot do this", others[name])
            elif name not in keys:
                self.note(entry, "is not a key that belongs here", _near(name, keys))
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
        # as wandb infers it: one whole bound is enough, which `_whole` then refuses beside a float
        kinds = [type(entries[key].value) for key in ("min", "max")]
        return "int_uniform" if int in kinds else "uniform"
    if "parameters" in entries:
        raise _Wrong(entries["parameters"], "nested parameters", OTHER_PARAMETER_KEYS["parameters"])
    raise _Wrong(entry, "has no values", "add `value:`, `values:`, or `min:` and `max:`")


def _interval(entry: _Entry, entries: _Entries, distribution: str) -> Parameter:
    low, high = _number(entries["min"]), _number(entries["max"])
    if not low < high:
        raise _Wrong(entries["max"], f"max {high} is not above min {low}", "swap them, or use `value:`")
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
        what = f"min {low} and max {high} are not multiples of q {q}"
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
    """Return a finite number: a float, or an int that a float holds exactly."""
    value = entry.value  # compared by `type`, as True is an instance of int
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and abs(value) <= 2**53:
        return value
    raise _Wrong(entry, f"{value!r} is not a finite number", _as_number(value))


def _whole(entry: _Entry) -> None:
    if not isinstance(entry.value, int):
        cure = "write two whole numbers, or two with a point, or add distribution: uniform"
        raise _Wrong(entry, f"{entry.value} is not a whole number, unlike the other bound", cure)


def _value(entry: _Entry) -> Value:
    """Return a number, a text, true, false, null, or a list of such."""
    value = entry.value
    if isinstance(value, list):
        return [_value(item) for item in entry.items]
    if isinstance(value, str) and entry.is_plain and _is_number(value):
        # not in quotes, so that its author may well have meant the number; who means the text, can quote it
        raise _Wrong(
            entry, f"YAML reads {value} as a text", f"{_spelled(value)}, or quote it if a text is meant"
        )
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise _Wrong(entry, f"{value!r} is not a plain value", "write numbers, texts, true, false, null or lists")


def _values(entry: _Entry) -> tuple[Value, ...]:
    if not isinstance(entry.value, list) or not entry.value:
        raise _Wrong(entry, "is not a list of values", "write one such as [1, 2, 3]")
    return tuple(_value(item) for item in entry.items)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _spelled(text: str) -> str:
    """Return the cure for a text such as 1e-4: in YAML, an exponent needs a point before it, and a sign."""
    mantissa, _, exponent = text.lower().partition("e")
    point, sign = "" if "." in mantissa else ".0", "" if exponent[:1] in ("+", "-") else "+"
    spelled = f"{mantissa}{point}e{sign}{exponent}"
    if math.isfinite(float(text)) and yaml.safe_load(spelled) == float(text):
        return f"write {spelled}"
    return "write a finite number" if not math.isfinite(float(text)) else _as_number(text)


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"


def _as_number(value: object) -> str:
    """Return the cure for a text such as 1e-6, which YAML takes for a number only with point and sign."""
    try:
        return f"write {yaml.safe_dump(float(str(value))).split()[0]}"
    except ValueError:
        return "write a number"
