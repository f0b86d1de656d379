"""Whether the hand-in is true: the code in the zip, run in an empty folder, gives what is handed in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labreport import scratch, surroundings
from labreport.errors import UsageError
from labreport.handin import bundle, standalone, zipped
from labreport.handin.contents import README
from labreport.handin.fresh import VerifyError
from labreport.handin.fresh import python as fresh_python
from labreport.project import Project
from labreport.results import FIGURES, RESULT, variants

LOG = "verify.log"
MOST_SHOWN = 8

Say = Callable[[str], None]


@dataclass(frozen=True)
class Verified:
    """What was compared and came out equal, what was not compared and why, and how long it took."""

    compared: tuple[str, ...]
    skipped: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        lines = [f"equal: {text}" for text in self.compared]
        return "\n".join([*lines, *(f"not compared: {text}" for text in self.skipped)])


@dataclass
class _Comparison:
    """Collects what is equal, what differs, and what is not compared."""

    equal: list[str]
    different: list[str]
    skipped: list[str]

    def add(self, what: str, differences: Sequence[str]) -> None:
        if differences:
            self.different += differences
        else:
            self.equal.append(what)


def verify(
    project: Project,
    *,
    train: bool = True,
    fresh: bool = False,
    jobs: int | None = None,
    progress: Say = lambda _: None,
) -> Verified:
    """Unpack the zip into an empty folder, make everything again there with the code in it, and compare.

    With `train` all results are computed again, else the packed ones are used; with `fresh` in an empty
    environment, into which only what the zip names is installed, else with the packages of this one. The
    page is not compared: it also tells what changed since the report before, which the hand-in does not
    know. `progress` gets each line that the unpacked code prints; all are kept in build/log/verify.log.

    Raises
    ------
    VerifyError
        There is no hand-in, or it is not of this build; its packages cannot be installed; the unpacked code
        fails; or something came out different. The folder is kept then, and named.
    UsageError
        The build is a quick one.

    """
    start = time.monotonic()
    _check_hand_in(project)
    project.log.mkdir(parents=True, exist_ok=True)
    log_path = project.log / LOG
    with scratch.folder() as folder, _kept_if_it_fails(folder), log_path.open("w", encoding="utf-8") as log:

        def say(line: str) -> None:
            print(line, file=log, flush=True)
            progress(line)

        code = _unpacked(project, folder)
        python = fresh_python(code, folder, say) if fresh else Path(sys.executable)
        for command in _commands(code, train=train, jobs=jobs):
            _run(python, command, code, project, say)
        found = _compare(project, code, train=train)
        log.writelines(f"different: {line}\n" for line in found.different)
        if found.different:
            raise _different(project, found, folder)
    return Verified(tuple(found.equal), tuple(found.skipped), time.monotonic() - start)


@contextmanager
def _kept_if_it_fails(folder: Path) -> Iterator[None]:
    try:
        yield
    except VerifyError:
        scratch.keep(folder)  # what is in it tells why
        raise


def _check_hand_in(project: Project) -> None:
    """Raise VerifyError unless the hand-in is what this build would pack."""
    if project.quick:
        cure = f"run `{project.command('verify', '--full')}`"
        raise UsageError("a quick build is not handed in", cure=cure)
    reasons = bundle.out_of_date(project)
    if reasons:
        what = f"the hand-in in {project.shown(project.submission)} is not of this build: {reasons[0]}"
        raise VerifyError(what, notes=reasons[1:], cure=f"run `{project.command()}`, then verify again")


def _unpacked(project: Project, folder: Path) -> Path:
    """Unpack the zip and return the project's folder in it."""
    with zipfile.ZipFile(project.submission / zipped.CODE) as packed:
        packed.extractall(folder)
    return folder / zipped.TOP


def _commands(code: Path, *, train: bool, jobs: int | None) -> Iterator[list[str]]:
    """Yield what is run; without training first what fails if a packed result cannot be used."""
    if train:
        shutil.rmtree(code / "build" / "results", ignore_errors=True)
    else:
        yield ["pdf"]
    yield [] if jobs is None else ["--jobs", str(jobs)]


def _run(python: Path, arguments: Sequence[str], code: Path, project: Project, say: Say) -> None:
    """Run the unpacked main file; raise VerifyError with its message if it fails."""
    main = standalone.MAIN[0]
    say(f"$ python {' '.join([main, *arguments])}")
    lines = []
    with subprocess.Popen(
        [str(python), main, *arguments],
        cwd=code,
        env=_environment(code.parent),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip("\n"))
                say(lines[-1])
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        what = f"the unpacked code fails: `python {' '.join([main, *arguments])}` ends with exit code"
        raise VerifyError(
            f"{what} {process.returncode}",
            notes=_message(lines),
            cure=f"see {project.shown(project.log / LOG)}; if a file is missing from the zip, name it in "
            f"`[submission] include` of report.toml; the unpacked code is kept in {code}",
        )


def _message(lines: Sequence[str]) -> list[str]:
    """Return the lines of an output that say what went wrong."""
    first = next((n for n, line in enumerate(lines) if line.startswith("error:")), len(lines) - MOST_SHOWN)
    return [line for line in lines[max(first, 0) :] if line.strip()][:MOST_SHOWN]


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment that holds nothing of this user but the programs and installed packages."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return surroundings.for_fresh_user(home)


def _different(project: Project, found: _Comparison, folder: Path) -> VerifyError:
    more = len(found.different) - MOST_SHOWN
    notes = found.different[:MOST_SHOWN] + ([f"… and {more} more"] if more > 0 else [])
    if found.equal:
        notes.append(f"equal: {', '.join(found.equal)}")
    cure = "an experiment must depend on nothing but its parameters, its seed and its files"
    pdfs = {each.pdf.name: each for each in project.documents}
    other = [pdfs.get(line.partition(": ")[0]) for line in found.different]
    if all(other):
        # LaTeX begins with the auxiliary files of the last report, here it began with none
        paths = (path for each in other if each for path in (each.auxiliary, each.pdf))
        delete = " and ".join(map(project.shown, paths))
        cure = f"LaTeX settles in two ways: delete {delete}, then build and verify again"
    return VerifyError(
        "what the unpacked code gives is not what is handed in",
        notes=notes,
        cure=f"{cure}; all differences are in {project.shown(project.log / LOG)}, what was made in {folder}",
    )


# -------------------------------------------------------------------------------------------------- compare


def _compare(project: Project, code: Path, *, train: bool) -> _Comparison:
    """Return how what was made in a folder compares with the project's hand-in."""
    from labreport.handin import readme

    found = _Comparison([], [], [])
    old, new = project.build, code / "build"
    made = readme.recorded_processor((code / README).read_text(encoding="utf-8"))
    here = readme.processor_class()
    if made != here:  # the last bits of numbers depend on the vector units; the printed digits do not
        _compare_printed(found, project, new)
        found.skipped.append(f"bytes: it was made on {made or 'an unknown processor'}, this is {here}")
        return found
    if train:
        for name in variants.names(project):
            _compare_result(found, name, old / "results" / name, new / "results" / name)
    _compare_printed(found, project, new)
    for pdf in (each.pdf.name for each in project.documents):
        _compare_bytes(found, pdf, project.submission / pdf, new / pdf)
    packed = sorted((code / "notebooks").glob("*.ipynb"))
    for path in packed:
        _compare_bytes(found, f"notebooks/{path.name}", path, new / "notebooks" / path.name)
    again = new / "submission" / zipped.CODE
    _compare_bytes(found, zipped.CODE, project.submission / zipped.CODE, again)
    return found


def _compare_bytes(found: _Comparison, name: str, old: Path, new: Path) -> None:
    if not new.is_file():
        found.different.append(f"{name} was not made again")
        return
    before, after = old.read_bytes(), new.read_bytes()
    same = before == after
    found.add(f"the bytes of {name}", [] if same else [f"{name}: {_first_difference(before, after)}"])


def _first_difference(old: bytes, new: bytes) -> str:
    at = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return f"other bytes from {at:,} on ({len(old):,} bytes are handed in, {len(new):,} were made)"


def _compare_printed(found: _Comparison, project: Project, new: Path) -> None:
    """Compare the values that the documents print, place by place in the templates."""
    paths = [each.provenance.relative_to(project.build) for each in project.documents]
    before, after = (_printed(build / path for path in paths) for build in (project.build, new))
    differences = []
    for place in dict.fromkeys([*before, *after]):
        pairs = (before.get(place, []), after.get(place, []))
        if pairs[0] != pairs[1]:
            differences.append(f"printed at {place}: {_one_of(*pairs)}")
    found.add(f"{sum(map(len, before.values())):,} printed values", differences)


def _printed(paths: Iterable[Path]) -> dict[str, list[str]]:
    """Return the texts that were printed, by place and expression; those of a loop in their order."""
    texts: dict[str, list[str]] = {}
    records = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
    for entry in (entry for record in records for entry in record["printed"]):
        place = f"{entry['template']}:{entry['line']}:{entry['column']}, {entry['expression']}"
        texts.setdefault(place, []).append(entry["text"])
    return texts


def _one_of(old: Sequence[str], new: Sequence[str]) -> str:
    if len(old) != len(new):
        return f"{len(old)} values are handed in, {len(new)} were made"
    pairs = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    more = f" and {len(pairs) - 1} more there" if len(pairs) > 1 else ""
    return f"{_short(pairs[0][0])} is handed in, {_short(pairs[0][1])} was made{more}"


def _compare_result(found: _Comparison, name: str, old: Path, new: Path) -> None:
    """Compare a result byte for byte, and name the values that differ; then its figures."""
    before, after = (old / RESULT).read_bytes(), (new / RESULT).read_bytes()
    if before != after:
        paths = list(_differing(json.loads(before), json.loads(after)))
        more = f", and {len(paths) - 1} more values" if len(paths) > 1 else ""
        found.different += [
            f"result of {name!r}: {paths[0]}{more}" if paths else f"result of {name!r}: bytes"
        ]
        return
    found.equal.append(f"the result of {name!r}")
    for path in sorted((old / FIGURES).glob("*")):
        if path.suffix != ".json":  # the records say when and from what
            other = new / FIGURES / path.name
            if not other.is_file() or other.read_bytes() != path.read_bytes():
                found.different.append(f"figure {path.name} of {name!r}: other bytes")


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield where two JSON values differ, with both values; the fingerprint of a result comes last."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        order = ["params", "values", "tables"] if not path else []
        for key in sorted(old.keys() | new.keys(), key=lambda k: (k not in order, k)):
            inner = f"{path}.{key}" if path else str(key)
            if key in old and key in new:
                yield from _differing(old[key], new[key], inner)
            else:
                yield f"{inner} is {'not made' if key in old else 'not handed in'}"
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for n, pair in enumerate(zip(old, new, strict=True)):
            yield from _differing(*pair, f"{path}[{n}]")
    elif old != new or type(old) is not type(new):
        yield f"{path}: {_short(old)} is handed in, {_short(new)} was made"


def _short(value: object) -> str:
    shown = value if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
