"""Programs in any language that compute for an experiment: each in a folder that holds its inputs alone.

What a program reads cannot be observed. So it finds nothing but what it was given: relative names lead into a
fresh folder with copies of its inputs, variables are those that are the same everywhere and its own, its
standard input is empty. An input that nobody named is missing there, instead of making no result stale.
"""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from labreport import descendants, surroundings
from labreport.errors import ExperimentError, did_you_mean, visible
from labreport.results import files
from labreport.running import observing
from labreport.running.failures import ending

if TYPE_CHECKING:
    from labreport.project import Project

Inputs = Sequence[str] | Mapping[str, str | bytes | Path]
Word = str | Path | int | float

_GENERATED = ("__pycache__", "build")
"""What is no input where a folder is one: neither do the names in it count."""

LAST_LINES = 5
"""So many lines of what a program has complained about are part of the message."""


@dataclass(frozen=True)
class Finished:
    """What a command gave: what it printed, and the `outputs` that it wrote into its `folder`.

    The folder is removed when the experiment has finished; read what the result needs before.
    """

    text: str
    folder: Path
    outputs: dict[str, Path]


def run(
    project: Project,
    experiment: str,
    command: Sequence[Word],
    inputs: Inputs,
    outputs: Sequence[str],
    env: Mapping[str, str],
    deadline: float | None,
) -> Finished:
    """Return what a command of an experiment gives; `Lab.command` says how it is run, and what it raises."""
    words = _words(command)
    outputs = _names(outputs, "outputs")
    if deadline is not None and not (deadline > 0 and math.isfinite(deadline)):
        raise ExperimentError(f"lab.command has deadline={deadline!r}", cure="give a number of seconds")
    shown = f"the command `{_cut(shlex.join(words))}`"
    program = _program(project, words[0])
    observing.starts(program if "/" in words[0] else words[0])
    folder = files.stage(project.results / experiment)
    for name, source in _inputs(project, words, inputs, outputs):
        _give(folder / name, source)
    for name in outputs:  # most programs write into folders, but make none
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    present = _files(folder)
    if (folder / words[0]).is_file():
        program = str(folder / words[0])
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complaints:
        code = _run([program, *words[1:]], folder, env, deadline, (printed, complaints))
        text, last = _text(printed), _text(complaints)
    if code != 0:
        raise _failed(project, shown, code, deadline, present, last)
    missing = [name for name in outputs if not (folder / name).exists()]
    if missing:
        what = f"{shown} did not write {', '.join(missing)}"
        cure = did_you_mean(missing[0], sorted(set(_files(folder)) - set(present)))
        raise ExperimentError(what, notes=_last(last), cure=f"of the files that it wrote: {cure}")
    return Finished(text, folder, {name: folder / name for name in outputs})


# ----------------------------------------------------------------------------------------- what it is given


def _words(command: Sequence[Word]) -> list[str]:
    """Return the words of a command as texts."""
    if isinstance(command, str) or not all(isinstance(word, str | Path | int | float) for word in command):
        what = f"lab.command takes a list of words, not {_cut(repr(command))}"
        raise ExperimentError(what, cure='write one text for each: lab.command(["sh", "fit.sh", "3"])')
    if not command:
        raise ExperimentError("lab.command has an empty list", cure="begin it with a program")
    return [str(word) for word in command]


def _names(names: Sequence[str], key: str) -> tuple[str, ...]:
    """Return names of files below the folder of a command, each in its shortest form."""
    if isinstance(names, str):
        raise ExperimentError(f"lab.command has {key}={names!r}, a text", cure=f'write {key}=("{names}",)')
    found = []
    for name in names:
        path = PurePosixPath(os.path.normpath(name))
        if path.is_absolute() or path.parts[:1] in ((), ("..",)):
            what = f"lab.command has {str(name)!r} among its {key}, which leads out of its folder"
            raise ExperimentError(what, cure="name files from the project's folder, as data/table.csv")
        found.append(str(path))
    return tuple(found)


def _program(project: Project, name: str) -> str:
    """Return the path of a program: a file of the project if its name has a folder, else one on PATH."""
    found = shutil.which(str(project.root / name) if "/" in name else name)
    if found is None and "/" in name and (project.root / name).is_file():
        cure = f"chmod +x {name}, or begin with the program that reads it, as sh, Rscript or julia"
        raise ExperimentError(f"{name} is not executable", cure=cure)
    if found is None:
        where = "in the project" if "/" in name else "on PATH"
        raise ExperimentError(
            f"the program {name!r} is not {where}",
            cure="build or correct its path" if "/" in name else f"install {name}, or correct its name",
        )
    return found


def _inputs(
    project: Project, words: Sequence[str], inputs: Inputs, outputs: Sequence[str]
) -> Iterator[tuple[str, str | bytes | Path]]:
    """Yield the name and the source of each input: those that are declared, and files that words name."""
    given = inputs if isinstance(inputs, Mapping) else {}
    named = _names([*given] if isinstance(inputs, Mapping) else inputs, "inputs")
    yield from zip(named, given.values(), strict=False)
    for name in () if given else named:
        path = project.root / name
        if not path.exists():
            found = (p.relative_to(project.root).as_posix() for p in path.parent.glob("*"))
            raise ExperimentError(
                f"lab.command has {name!r} among its inputs, which does not exist",
                cure=did_you_mean(name, found),
            )
        yield name, path
    for word in words:
        for text in (word, word.partition("=")[2]):
            name = os.path.normpath(text) if text else ""
            is_other = name in named or name in outputs or name.startswith(("/", ".."))
            if name and not is_other and len(name) < 256 and (project.root / name).is_file():
                yield name, project.root / name


def _give(target: Path, source: str | bytes | Path) -> None:
    """Make an input: a file with this content, or a copy of a file or folder, which counts as read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, str | bytes):
        target.write_bytes(source.encode() if isinstance(source, str) else source)
        return
    observing.gives(source)
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for path in sorted(source.iterdir()):
            if not path.name.startswith(".") and path.name not in _GENERATED:
                _give(target / path.name, path)
    else:
        shutil.copy(source, target)  # with its mode: it may be a program


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# ------------------------------------------------------------------------------------------------ its run


def _run(
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    deadline: float | None,
    outputs: tuple[BinaryIO, BinaryIO],
) -> int | None:
    """Return the exit code of a command, None if its time was up; copy what it prints to the log meanwhile.

    It stays in the group of this process: what ends the experiment ends it as well.
    """
    until = math.inf if deadline is None else time.monotonic() + deadline
    # files, not pipes: what a program leaves behind in the background must not keep us waiting
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**surroundings.for_commands(), **env},
        stdin=subprocess.DEVNULL,
        stdout=outputs[0],
        stderr=outputs[1],
    )
    shown = [0, 0]
    pause = 0.005
    try:
        while time.monotonic() < until:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(min(pause, max(0.0, until - time.monotonic())))
            pause = min(2 * pause, 0.5)
            _show(outputs, shown)
        return None
    finally:
        _end(process)
        _show(outputs, shown)


def _show(outputs: Sequence[BinaryIO], shown: list[int]) -> None:
    """Print to the log what has come since."""
    for i, file in enumerate(outputs):
        while piece := os.pread(file.fileno(), 1 << 16, shown[i]):
            print(piece.decode("utf-8", "backslashreplace"), end="", flush=True)
            shown[i] += len(piece)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that still runs, with all that it has started."""
    if process.poll() is None:
        for pid in [process.pid, *descendants.below(process.pid)]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


# -------------------------------------------------------------------------------------------- its failures


def _failed(
    project: Project,
    shown: str,
    code: int | None,
    deadline: float | None,
    present: Sequence[str],
    complaints: str,
) -> ExperimentError:
    how = f"was stopped after {deadline:g} s, its deadline" if code is None else ending(code)
    sees = ", ".join(present[:8]) + (f" and {len(present) - 8} more" if len(present) > 8 else "")
    notes = [f"it ran in a folder of its own, with {sees or 'no file'}", *_last(complaints)]
    cure = "what it printed is in the log of the experiment"
    missing = _missing(project, complaints, present)
    if code is None:
        cure += "; give it more time by deadline=…"
    elif missing:
        cure = f'add inputs=("{missing}",): it finds only the files that it was given'
    return ExperimentError(f"{shown} {how}", notes=notes, cure=cure)


def _missing(project: Project, complaints: str, present: Sequence[str]) -> str | None:
    """Return a file of the project that a program complains about and was not given."""
    for word in complaints.replace("'", " ").replace('"', " ").split()[:2000]:
        name = os.path.normpath(word.strip("`‘’“”,.:;()[]<>"))
        inside = name not in (".", *present) and not name.startswith(("/", "..")) and len(name) < 256
        if inside and (project.root / name).is_file():
            return name
    return None


def _last(complaints: str) -> list[str]:
    """Return the last lines that a program has written to its standard error."""
    return [_cut(visible(line)) for line in complaints.splitlines() if line.strip()][-LAST_LINES:]


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "backslashreplace")
