"""What was meant, where an experiment asks for a name, an attribute or a key that is not there."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from labreport.errors import did_you_mean
from labreport.results import Result

_PURE = ("result", "table", "rows")
"""Methods of a lab and of a result that may be called once more: they only read."""
_NO_INPUT = "an experiment runs without a keyboard: make what it asks for a parameter"


def hint(error: BaseException) -> str:
    """Return the cure of a mistyped name, attribute or key; empty where none is known. It never fails."""
    try:
        return next((of(error) for kind, of in _HINTS.items() if isinstance(error, kind)), "")
    except Exception:  # looking at objects of the user's may run their code
        return ""


def _of_attribute(error: AttributeError) -> str:
    if error.obj is None or not error.name:
        return ""
    return _near(error.name, dir(error.obj), listed=_is_ours(error.obj))


def _is_ours(value: object) -> bool:
    """Return whether all attributes of an object are worth a list: it is a result, a lab or parameters."""
    kind = type(value)
    return isinstance(value, Result) or kind.__name__ == "Params"


def _of_name(error: NameError) -> str:
    frames = list(_frames(error.__traceback__))
    if not frames or not error.name:
        return ""
    frame, _ = frames[-1]
    return _near(error.name, [*vars(builtins), *frame.f_globals, *frame.f_locals])


def _of_key(error: KeyError) -> str:
    key = error.args[0] if error.args else None
    for frame, instruction in reversed(list(_frames(error.__traceback__))):
        node = _subscript(frame, instruction)
        if node is None or not isinstance(key, str):
            continue
        owner = _value(node.value, frame)
        keys: Iterable[object] = owner.keys()  # of a DataFrame, the columns
        # the environment's are nobody's business
        near = _near(key, keys, listed=not isinstance(owner, type(os.environ)))
        return f"{ast.unparse(node.value)} has no key {key!r}" + (f": {near}" if near else "")
    return ""


def _of_import(error: ImportError) -> str:
    wanted = re.match(r"cannot import name '(\w+)'", str(error))
    return _near(wanted[1], dir(sys.modules[error.name or ""])) if wanted else ""


def _of_file(error: FileNotFoundError) -> str:
    path = Path(str(error.filename))
    return _near(path.name, (other.name for other in path.parent.iterdir()))


def _of_argument(error: TypeError) -> str:
    found = re.match(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'", str(error))
    frames = list(_frames(error.__traceback__))
    if not found or not frames:
        return ""
    frame, _ = frames[-1]
    first, *rest = found[1].split(".")
    value: Any = {**vars(sys.modules["labreport.running.lab"]), **frame.f_globals, **frame.f_locals}[first]
    for name in rest:
        value = getattr(value, name)
    return _near(found[2], inspect.signature(value).parameters, listed=True)


_HINTS: Mapping[type[BaseException], Callable[[Any], str]] = {
    AttributeError: _of_attribute,
    NameError: _of_name,
    KeyError: _of_key,
    ImportError: _of_import,
    FileNotFoundError: _of_file,
    TypeError: _of_argument,
    EOFError: lambda _: _NO_INPUT,
}


def _near(name: str, names: Iterable[object], *, listed: bool = False) -> str:
    """Return which names are near; if none is, all of them where they are to be listed."""
    public = [other for other in names if isinstance(other, str) and not other.startswith("_")]
    cure = did_you_mean(name, public)
    return cure if listed or cure.startswith("did you") else ""


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames of an error that are not of installed packages, each with its last instruction."""
    installed = str(Path(linecache.__file__).parent)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((installed, "<")) and "-packages/" not in file:
            yield trace.tb_frame, trace.tb_lasti
        trace = trace.tb_next


def _subscript(frame: FrameType, instruction: int) -> ast.Subscript | None:
    """Return the expression `x[key]` that a frame was evaluating, if it was one."""
    code = frame.f_code
    place = list(code.co_positions())[instruction // 2]
    tree = ast.parse("".join(linecache.getlines(code.co_filename, frame.f_globals)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            found = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
            if found == place:
                return node
    return None


def _value(node: ast.expr, frame: FrameType) -> Any:
    """Return what a part of an expression stood for; LookupError if that would take calling something."""
    match node:
        case ast.Name(id=name):
            known: Mapping[str, Any] = {**frame.f_globals, **frame.f_locals}
            return known[name]
        case ast.Constant(value=value):
            return value
        case ast.Attribute(value=owner, attr=name):
            return getattr(_value(owner, frame), name)
        case ast.Subscript(value=owner, slice=key):
            return _value(owner, frame)[_value(key, frame)]
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[argument], keywords=[]):
            of = _value(owner, frame)
            lab = sys.modules.get("labreport.running.lab")
            if name in _PURE and (isinstance(of, Result) or type(of) is getattr(lab, "Lab", None)):
                return getattr(of, name)(_value(argument, frame))
    raise LookupError(ast.unparse(node))
