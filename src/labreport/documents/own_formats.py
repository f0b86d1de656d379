"""The project's own filters and functions for templates, those of `report_templates/formats.py`.

They get plain numbers, texts and lists, and return a text, which is escaped as texts of results are, or a
number, which is formatted further. What they import of the project is known afterwards: documents are made
again when it changes. Both are executed anew for each rendering, so that a running `watch` sees new code.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from labreport.errors import InputError, Place
from labreport.modules import find_module
from labreport.project import ENGINE

if TYPE_CHECKING:
    from labreport.project import Project

NAME = "formats.py"
PLAIN = (bool, int, float, str)


class OwnFormats:
    """The functions by name, and the files of the project that executing them has read so far."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.path = project.templates / NAME
        self.shown = project.shown(self.path)
        self.files: frozenset[Path] = frozenset()
        self.functions: dict[str, Callable[..., Any]] = {}
        if self.path.is_file():
            self.files = frozenset([self.path])
            self._read()

    def check(self, taken: Collection[str]) -> None:
        """Raise InputError if a function has a name by which templates know something else."""
        for name, function in self.functions.items():
            if name in taken:
                raise InputError(
                    f"templates know something else as {name!r}",
                    place=self._line(inspect.unwrap(function).__code__.co_firstlineno),
                    cure="rename the function",
                )

    def _read(self) -> None:
        source = self.path.read_bytes()
        space: dict[str, Any] = {"__name__": "formats", "__file__": str(self.path)}
        try:
            code: CodeType = compile(source, str(self.path), "exec")
        except (SyntaxError, ValueError) as error:
            raise InputError(f"{NAME}: {error}", place=self._line(getattr(error, "lineno", None))) from error
        from labreport.language import deadline

        try:
            with deadline(), self._modules():
                exec(code, space)
        except (Exception, SystemExit) as error:
            what = f"{self.shown} cannot be executed: {_told(error)}"
            raise InputError(what, place=self._line(self._line_of(error)), cure="correct it") from error
        for name, function in space.items():
            # what was imported is for the functions, not for templates
            if isinstance(function, FunctionType) and function.__module__ == "formats" and name[0] != "_":
                self._check_types(function)
                self.functions[name] = self._called(name, function)

    def _check_types(self, function: FunctionType) -> None:
        signature = inspect.signature(function)
        untyped = [p.name for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
        if untyped or signature.return_annotation is inspect.Signature.empty:
            what = f"{function.__name__} does not say the type of " + ", ".join(
                untyped or ["what it returns"]
            )
            example = f"def {function.__name__}(value: float) -> str:"
            place = self._line(function.__code__.co_firstlineno)
            raise InputError(what, place=place, cure=f"write for example: {example}")

    def _called(self, name: str, function: FunctionType) -> Callable[..., Any]:
        """Return the function with its errors told at the line of the template, which the caller knows."""
        from labreport.language import FormatError, short

        def called(*args: Any, **options: Any) -> Any:
            try:
                with self._modules():
                    returned = function(*args, **options)
            except (Exception, SystemExit) as error:
                line = self._line_of(error) or function.__code__.co_firstlineno
                what = f"{name} failed at {self._line(line)}: {_told(error)}"
                given = ", ".join(map(short, args))
                raise FormatError(what, cure=f"correct it, or what it is given: {given}") from error
            return self._plain(name, function, returned)

        called.__wrapped__ = function  # type: ignore[attr-defined]
        return called

    def _plain(self, name: str, function: FunctionType, value: Any) -> Any:
        """Return what a function returned as plain values; FormatError if it is anything else."""
        from labreport.language import FormatError

        if isinstance(value, list | tuple):
            return [self._plain(name, function, part) for part in value]
        if isinstance(value, Mapping):
            return {str(key): self._plain(name, function, part) for key, part in value.items()}
        kind = next((kind for kind in PLAIN if isinstance(value, kind)), None)
        if value is None or (kind is not None and not hasattr(value, "__html__")):
            return value if value is None or type(value) is kind else kind(value)  # type: ignore[misc]
        raise FormatError(
            f"{name} returned a {type(value).__name__} ({self._line(function.__code__.co_firstlineno)})",
            cure="return a number, a text, which is escaped when it is printed, or a list of these",
        )

    @contextmanager
    def _modules(self) -> Iterator[None]:
        """Let code import modules of the project; afterwards note them as read, and forget them."""
        before, path, writes = set(sys.modules), sys.path[:], sys.dont_write_bytecode
        sys.path[:0] = map(str, self.project.source_roots)
        sys.dont_write_bytecode = True
        try:
            yield
        finally:
            sys.path[:], sys.dont_write_bytecode = path, writes
            for name in set(sys.modules) - before:
                found = find_module(self.project, name)
                if found and not found.path.is_relative_to(ENGINE):
                    self.files |= {found.path}
                    del sys.modules[name]

    def _line(self, line: int | None) -> Place:
        lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        source = lines[line - 1] if line and line <= len(lines) else ""
        return Place(self.shown, line, source=source)

    def _line_of(self, error: BaseException) -> int | None:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(self.path)]
        return frames[-1].lineno if frames else None


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
