"""Who asks for a file, a folder, a variable or a program: read from the calls that are going on."""

from __future__ import annotations

import os
import sys
from enum import Enum, auto
from types import CodeType
from typing import TYPE_CHECKING

from labreport.project import ENGINE

if TYPE_CHECKING:
    from types import FrameType

    from labreport.project import Project


class Asker(Enum):
    """The first in the chain of calls that is not the standard library."""

    OURS = auto()  # the project's code
    FOR_US = auto()  # a package that the project's code has called
    ENGINE = auto()  # labreport
    IMPORTS = auto()  # the import system
    OTHERS = auto()  # a package while it is imported, a warning, a clean-up


_GENERATED, _LIBRARY, _FOREIGN = "generated", "library", "foreign"
_STDLIB = f"{os.path.dirname(os.__file__)}/"  # noqa: PTH120 -- compared as a text
_IMPORTS = "<frozen importlib._bootstrap"
_WATCHES = ("observing.py", "asking.py", "recording.py")
_CALLS_US = ("pool.py", "units.py", "maps.py", "cluster.py")
"""Modules of labreport that call functions of the experiment: what those ask for, the experiment asks for."""

_ON_THEIR_OWN = ("warnings.py", "traceback.py", "platform.py", "uuid.py", "sysconfig.py", "ctypes/util.py")
"""Modules of the standard library that look for what no result depends on: lines of code, the machine."""

_MAPPINGS = (
    "<frozen os>",  # as most interpreters have these two
    "<frozen _collections_abc>",
    "os.py",
    "_collections_abc.py",
    "collections/__init__.py",
    "string.py",
)
"""Modules of the standard library that read a variable for whoever calls them, by the name that they get."""


def asks_by_handle(frame: FrameType) -> bool:
    """Return whether it is the standard library's own walk through folders, which opens by handles."""
    return frame.f_code.co_filename in ("<frozen os>", os.__file__, f"{_STDLIB}shutil.py")


class Asking:
    """Tells who asks, by the files of the code that is being executed."""

    def __init__(self, project: Project) -> None:
        self._roots = tuple(f"{root}/" for root in dict.fromkeys((project.root, *project.source_roots)))
        self._judged: dict[str, Asker | str] = {}

    def who(self) -> Asker:
        """Return who asks for what is being opened, listed or started."""
        frame: FrameType | None = sys._getframe(1)
        called = False  # a package has been seen; who called it?
        while frame is not None:
            found = self._judge(frame.f_code)
            if found is _FOREIGN:
                called = True
            elif isinstance(found, Asker):
                # the engine calls packages, too, and the import system executes them
                return found if not called else Asker.FOR_US if found is Asker.OURS else Asker.OTHERS
            frame = frame.f_back
        return Asker.OTHERS if called else Asker.OURS  # a thread that runs nothing but the standard library

    def reads_variables(self) -> bool:
        """Return whether it is the project's code itself that reads a variable."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            found = self._judge(frame.f_code)
            name = frame.f_code.co_filename
            passes_on = name.removeprefix(_STDLIB) in _MAPPINGS or frame.f_code.co_name == "expandvars"
            if found is not _GENERATED and not (found is _LIBRARY and passes_on):
                return found is Asker.OURS
            frame = frame.f_back
        return False

    def module(self, file: str) -> str | None:
        """Return how a fingerprint names a module's file; None if it is not one of the project's."""
        if file.startswith(f"{ENGINE}/") or self._of(file) is not Asker.OURS:
            return None
        return next(file[len(root) :] for root in self._roots if file.startswith(root))

    def _judge(self, code: CodeType) -> Asker | str:
        file = code.co_filename
        if file not in self._judged:
            self._judged[file] = self._of(file)
        found = self._judged[file]
        # `rmtree` lists what it removes
        return Asker.OTHERS if found is _LIBRARY and code.co_name.startswith("_rmtree") else found

    def _of(self, file: str) -> Asker | str:
        """Return whose a file of code is."""
        if file.startswith("<"):
            library = _LIBRARY if file.startswith("<frozen ") else _GENERATED
            return Asker.IMPORTS if file.startswith(_IMPORTS) else library
        if file.startswith(f"{ENGINE}/"):
            inside = file.removeprefix(f"{ENGINE}/running/")
            return _GENERATED if inside in _WATCHES else Asker.OURS if inside in _CALLS_US else Asker.ENGINE
        if "/site-packages/" in file or "/dist-packages/" in file:
            return _FOREIGN
        if file.startswith(_STDLIB):
            inside = file.removeprefix(_STDLIB)
            own = inside in _ON_THEIR_OWN or inside.startswith("importlib/metadata")
            return Asker.OTHERS if own else _LIBRARY
        return Asker.OURS if file.startswith(self._roots) else _FOREIGN
