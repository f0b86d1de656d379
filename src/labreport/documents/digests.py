"""Digests of what a paragraph can be about: code by its name, as in excerpts, or a key of a result.

Of code the named symbol counts as syntax, a class with all its methods; comments, docstrings and layout do
not count. The functions that it calls do not count either: a paragraph explains what stands in the symbol,
and a text that had to be read again for each change far below would soon be accepted unread. If a callee is
meant as well, it can be named as well.

Of results the plain values below the key count, to six significant digits: no prose speaks of the seventh,
and the last bits differ from one class of processors to the next. A digest stands in a tracked file; so it
must be the same on each machine, and for each version of Python.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labreport import results
from labreport.errors import InputError, did_you_mean
from labreport.modules import find_module
from labreport.results import RESULT, Cache, strict_json, syntax, variants

if TYPE_CHECKING:
    from labreport.project import Project

LENGTH = 16
"""The hexadecimal digits of a digest: they tell an old text from a new one, and guard against nobody."""

SIGNIFICANT = 6
PARTS = ("params", "values", "tables")
"""What of a result can be named; figures are drawn from these."""

Steps = tuple[str | int, ...]

_NAME = re.compile(r"^[^\W\d]\w*")
_STEP = re.compile(r'\.(?P<name>[^\W\d]\w*)|\[(?P<index>\d+)\]|\[(?P<text>"(?:[^"\\]|\\.)*")\]')


class Digests:
    """The digests of a project's code and results as they are, kept for files that stay the same."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._files: dict[str, str] = {}
        # the rules by which excerpts find a name are not among these: to import them brings Jinja2
        made_by = (sys.modules[__name__], syntax, strict_json)
        self._cache = Cache(project.build / "cache" / "pins.json", made_by)

    def of(self, target: str) -> str:
        """Return the digest of what is named.

        Raises InputError or ExperimentError if there is no such code, experiment or key.
        """
        if is_code(target):
            module = find_module(self.project, target.partition(":")[0])
            file = module.path if module else None
        else:
            file = self.project.results / split(self.project, target)[0] / RESULT
        if file is None or not file.is_file():  # an error that the search itself explains
            return self._made(target)
        known = str(file)
        if known not in self._files:
            self._files[known] = results.files.checksum(file.read_bytes())
        return str(self._cache.remember(f"{target} {self._files[known]}", lambda: self._made(target)))

    def save(self) -> None:
        """Keep the digests that were asked for, for the next time."""
        self._cache.save()

    def _made(self, target: str) -> str:
        if is_code(target):
            return _code_digest(self.project, target)
        name, steps = split(self.project, target)
        result = results.load(self.project, name)
        tables = {table: result.rows(table) for table in result.tables}
        tree = {"params": result.params, "values": result.values, "tables": tables}
        return strict_json.digest(_rounded(item(tree, target, steps)))[:LENGTH]


def is_code(target: str) -> bool:
    """Return whether a target names code: `module:name`."""
    return ":" in re.sub(r'"(?:[^"\\]|\\.)*"', "", target)


# ------------------------------------------------------------------------------------------------------- code


def _code_digest(project: Project, name: str) -> str:
    from labreport.writing import excerpts

    node = excerpts.definition(project, name)
    bare = syntax.without_texts(ast.Module([node], []))
    return strict_json.digest(_form(bare.body))[:LENGTH]


def _form(node: Any) -> Any:
    """Return a syntax tree as plain data, the same for each version of Python.

    Versions differ in which empty fields a node has, and in what `ast.dump` shows of them.
    """
    if isinstance(node, list):
        return [_form(part) for part in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {
        name: _form(value)
        for name, value in ast.iter_fields(node)
        if value is not None and value != [] and name not in ("ctx", "kind", "type_comment")
    }
    return {type(node).__name__: fields}


# ---------------------------------------------------------------------------------------------------- results


def split(project: Project, target: str) -> tuple[str, Steps]:
    """Return the experiment that a key begins with, and the steps that follow.

    Raises InputError if it does not have the form of a key, or there is no such experiment.
    """
    names = project.experiment_names()
    name = target[: len(target) - len(_NAME.sub("", target, count=1))]
    steps: list[str | int] = []
    position = len(name)
    while found := _STEP.match(target, position):
        steps.append(_step(found))
        position = found.end()
    if not name or position < len(target):
        example = f"{names[0]}.params" if names else "experiment.values.key"
        raise InputError(
            f"{target!r} names neither code nor a result", cure=f"write package.module:function, or {example}"
        )
    if name not in names:
        raise InputError(f"there is no experiment {name!r}", cure=did_you_mean(name, names))
    if len(steps) > 1 and steps[0] == variants.KEYWORD:
        declared = variants.of(project, name)
        address = variants.canonical(str(steps[1]), declared)
        if address not in declared:
            what = f"{name} has no variant {address!r}"
            raise InputError(what, cure=did_you_mean(address, declared))
        name, steps = declared[address], steps[2:]
    if steps and steps[0] not in PARTS:
        what = f"{name} has no part {steps[0]!r} that a paragraph can be about"
        raise InputError(what, cure=did_you_mean(str(steps[0]), PARTS))
    return name, tuple(steps)


def _step(found: re.Match[str]) -> str | int:
    if found["index"] is not None:
        return int(found["index"])
    return found["name"] or str(json.loads(found["text"]))


def item(tree: Mapping[str, Any], target: str, steps: Sequence[str | int]) -> Any:
    """Return what lies at the end of some steps through plain values; InputError if there is nothing."""
    value: Any = tree
    for step in steps:
        try:
            if not isinstance(value, dict | list):
                raise TypeError
            value = value[step]  # type: ignore[index]
        except (LookupError, TypeError):
            what = f"{target} does not exist: there is no {step!r}"
            raise InputError(what, cure=_near(step, value)) from None
    return value


def _near(step: str | int, value: Any) -> str:
    """Return a cure for a step that does not exist."""
    if isinstance(value, dict):
        return did_you_mean(str(step), value)
    if isinstance(value, list):
        return f"the list there has {len(value)} items, counted from 0"
    return "what stands before it is a single value: name that"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.{SIGNIFICANT}g}") if isinstance(value, float) else value
