"""What a run has changed in the modules of the project: what comes later then depends on what ran before.

Mutable default arguments, attributes of classes and variables of modules are compared with how the imports
left them: at the end of `run` and of `draw`, and in the processes of `lab.map` after their first, second,
fourth, eighth … item. What differs is reported with its line.

Left out is what only remembers: caches of `functools`, dicts of classes and modules that only got new keys,
a variable or an attribute that was None. Objects are looked at by their identity, and large values by a part
of them: nothing of the user's is called, and a look takes about a millisecond.
"""

from __future__ import annotations

import ast
import os
import sys
import zlib
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from labreport.project import ENGINE
from labreport.results import declaration
from labreport.running import relay

if TYPE_CHECKING:
    from labreport.project import Project

MOST = 5
"""The number of changes that a process tells of."""
_MOST_ELEMENTS = 1000
_DEEPEST = 6
_LARGEST_ARRAY = 1 << 20  # bytes; of a larger one each so many elements are looked at
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_MAPPINGS = (dict, defaultdict, OrderedDict)
_SEQUENCES = (list, tuple, deque)
_SETS = (set, frozenset)

_Mark = tuple[Any, ...]


@dataclass(frozen=True)
class _Name:
    """A default of a function, an attribute of a class, or a variable of a module (of no `owner`)."""

    module: str
    owner: str
    name: str
    line: int | None = None  # of a function: where it begins


class _Baseline:
    """How the imports left the project's modules, and what was told of it since then."""

    def __init__(self, project: Project) -> None:
        self.project = project
        roots = tuple(f"{root}/" for root in project.source_roots)
        self.modules = [name for name, module in list(sys.modules.items()) if _is_ours(module, roots)]
        self.marks = dict(self._marks())
        self.told: set[_Name] = set()
        self.process = os.getpid()
        self.items = 0
        self.next = 1

    def _marks(self) -> Iterator[tuple[_Name, _Mark]]:
        for module in self.modules:
            for name, value in _variables(sys.modules.get(module)):
                if (function := _function(value)) is not None:
                    yield from _defaults(module, function)
                elif isinstance(value, type) and value.__module__ == module:
                    yield from _attributes(module, value)
                elif not isinstance(value, ModuleType | type):
                    yield _Name(module, "", name), _mark(value, [_MOST_ELEMENTS])

    def tell(self) -> None:
        """Tell what differs now and was not told before."""
        for name, mark in self._marks():
            before = self.marks.get(name)
            if before is None or name in self.told or len(self.told) >= MOST:
                continue  # made since then
            if before != mark and (name.line is not None or not _remembers(before, mark)):
                self.told.add(name)
                relay.send({"changed": _sentence(self.project, name)})


_baseline: _Baseline | None = None


def begin(project: Project) -> None:
    """Take what is there now, after all imports, for how it should stay."""
    global _baseline
    _baseline = None
    try:
        _baseline = _Baseline(project)
    except Exception as error:  # a run must not fail by what is only told
        print(f"what this run changes cannot be told: {error}", file=sys.stderr)


def tell() -> None:
    """Tell what this process has changed until now."""
    if _baseline is not None:
        try:
            _baseline.tell()
        except Exception as error:
            print(f"what this run changes cannot be told: {error}", file=sys.stderr)


def after_item() -> None:
    """Tell what items of a map have changed: after the first, the second, the fourth one, and so on."""
    if _baseline is not None:
        if _baseline.process != os.getpid():  # forked for this map
            _baseline.process, _baseline.items, _baseline.next = os.getpid(), 0, 1
        _baseline.items += 1
        if _baseline.items == _baseline.next:
            _baseline.next *= 2
            tell()


# ---------------------------------------------------------------------------------------------- what there is


def _is_ours(module: ModuleType, roots: tuple[str, ...]) -> bool:
    file = getattr(module, "__dict__", {}).get("__file__")  # of a lazy module, any attribute would import it
    if not isinstance(file, str) or not file.endswith(".py"):
        return False
    return file.startswith(roots) and "-packages/" not in file and not file.startswith(f"{ENGINE}/")


def _variables(holder: object) -> Iterator[tuple[str, Any]]:
    """Yield what a module or a class holds, but for what Python itself notes there."""
    for name, value in list(vars(holder).items()) if holder is not None else ():
        if not (name.startswith("__") and name.endswith("__")) and not name.startswith("_abc_"):
            yield name, value


def _defaults(module: str, function: FunctionType) -> Iterator[tuple[_Name, _Mark]]:
    """Yield the mutable defaults of a function; one that was imported belongs to its own module."""
    if function.__module__ != module:
        return
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    given: Mapping[str, Any] = function.__kwdefaults__ or {}
    pairs = [*zip(names[len(names) - len(defaults) :], defaults, strict=True), *given.items()]
    for name, value in pairs:
        if type(value) not in _PLAIN:
            is_own = type(value).__module__ == module and hasattr(value, "__dict__")
            mark = _mark(vars(value) if is_own else value, [_MOST_ELEMENTS])
            yield _Name(module, function.__qualname__, name, code.co_firstlineno), mark


def _attributes(module: str, kind: type) -> Iterator[tuple[_Name, _Mark]]:
    for name, value in _variables(kind):
        if (function := _function(value)) is not None:
            yield from _defaults(module, function)
        elif isinstance(value, type) and value.__qualname__ == f"{kind.__qualname__}.{name}":
            yield from _attributes(module, value)
        elif type(value) in (*_PLAIN, *_MAPPINGS, *_SEQUENCES, *_SETS, bytearray) or _is_array(value):
            yield _Name(module, kind.__qualname__, name), _mark(value, [_MOST_ELEMENTS])


def _function(value: object) -> FunctionType | None:
    """Return the function that was written, below its decorators; None if a value is no function."""
    if isinstance(value, staticmethod | classmethod | property):
        value = value.fget if isinstance(value, property) else value.__func__
    for _ in range(_DEEPEST):
        value = getattr(value, "__wrapped__", value) if callable(value) else value
    return value if isinstance(value, FunctionType) else None


# ----------------------------------------------------------------------------------------- how it is compared


def _mark(value: Any, room: list[int], depth: int = 0) -> _Mark:
    """Return what is equal for values that are plainly the same, else for the same object only."""
    kind = type(value)
    if kind in _PLAIN:
        return kind, repr(value) if kind in (float, complex) else value  # NaN is the same as NaN here
    if kind is bytearray:
        return kind, len(value), zlib.crc32(value)
    if _is_array(value):
        return kind, value.shape, str(value.dtype), _checksum(value)
    if kind not in (*_MAPPINGS, *_SEQUENCES, *_SETS) or depth == _DEEPEST:
        return kind, id(value)
    size = len(value)
    if kind in _MAPPINGS:
        pairs = dict.items(value)
        return (
            kind,
            size,
            frozenset(
                (_mark(key, room, depth + 1), _mark(item, room, depth + 1))
                for key, item in _first(pairs, room)
            ),
        )
    marks = (_mark(item, room, depth + 1) for item in _first(value, room))
    return kind, size, frozenset(marks) if kind in _SETS else tuple(marks)


def _first(items: Iterable[Any], room: list[int]) -> Iterator[Any]:
    """Yield the elements for which there is room."""
    for item in items:
        room[0] -= 1
        if room[0] < 0:
            return
        yield item


def _is_array(value: object) -> bool:
    return type(value).__module__ == "numpy" and type(value).__name__ == "ndarray"


def _checksum(array: Any) -> int:
    if array.dtype.hasobject:
        return id(array)
    step = max(1, array.nbytes // _LARGEST_ARRAY)
    return zlib.crc32(array.reshape(-1)[::step].tobytes())


def _remembers(before: _Mark, after: _Mark) -> bool:
    """Return whether something only got what it was still to get: it was None, or a dict has new keys."""
    if before[0] is type(None):
        return True
    return before[0] is after[0] and before[0] in _MAPPINGS and before[2] <= after[2]


# --------------------------------------------------------------------------------------------- reporting it


def _sentence(project: Project, name: _Name) -> str:
    path = Path(str(sys.modules[name.module].__file__))
    where = f"{project.shown(path)}:{_line(path, name) or 1}"
    if name.line is not None:
        what = f"{name.owner} ({where}) has changed its own default {name.name}"
        return (
            f"{what}: each call finds what those before have left; write {name.name}=None, and make it inside"
        )
    what = f"{name.owner}.{name.name}" if name.owner else name.name
    return f"{what} ({where}) was changed: what comes later depends on what ran before; let `run` make it"


def _line(path: Path, name: _Name) -> int | None:
    """Return the line that binds a name, or where a function is defined, below its decorators."""
    body: list[ast.stmt] = ast.parse(path.read_bytes()).body
    if name.line is not None:
        found = (node for part in body for node in ast.walk(part))
        functions = (n for n in found if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
        begin = {min([n.lineno, *(d.lineno for d in n.decorator_list)]): n.lineno for n in functions}
        return begin.get(name.line, name.line)
    for part in name.owner.split(".") if name.owner else ():
        body = next((n.body for n in body if isinstance(n, ast.ClassDef) and n.name == part), body)
    return next((node.lineno for node in body if name.name in declaration.targets(node)), None)
