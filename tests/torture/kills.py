"""Builds that are ended at random moments: what was published stays whole, and one build repairs the rest.

A trial copies a project that was built in one version, edits it to the other, starts a command, and ends it
after a random part of the time that it needs, or before a random rename: its first process or all of its
group, by SIGKILL or SIGTERM.

What was published is *torn* where it is of no version, *lost* where it is there no more, *mixed* where its
parts are of different versions. Then follows one plain build: does it give something that *differs* from what
a build from nothing gives, has it *repeated* what an experiment had finished, or *left* files or processes?
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import projects

from labreport import leftovers
from labreport.project import load
from labreport.results import files
from torture.trial import Trial

MAIN = Path(__file__).parents[2] / "build_report.py"
AT_RENAME = Path(__file__).with_name("at_rename.py")
TIMEOUT = 300.0
"""Seconds that no command needs."""
GRACE = 10.0
"""Seconds after which a process that outlives its build is an orphan."""
EXPERIMENTS = ("coin", "pair")
PAGE = "report.html"
PUBLISHED = ("report.pdf", "claims.json", "provenance.json", "latex", "notebooks", "submission", PAGE)

# ------------------------------------------------------------------------------------------------ the project

TOML = """\
title = "Tossing coins"
authors = ["A. Tosser"]
subtitle = "Twice"
date = "1 May 2025"
"""
COIN = '''\
"""How far from one half is the share of heads?"""

import random
from dataclasses import dataclass, replace

# it is tossed by hand


@dataclass(frozen=True)
class Params:
    repeats: int = 6
    seed: int = 1


def run(params, lab):
    shares = lab.map(lambda repeat: share(lab.seed(repeat)), range(params.repeats))
    return {"mean": sum(shares) / len(shares), "shares": shares}


def share(seed):
    coin = random.Random(seed)
    return sum(coin.random() < 0.5 for _ in range(100)) / 100


def draw(result, lab):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    axes = figure.add_subplot(xlabel="share of heads", ylabel="repeats")
    axes.hist(result.values["shares"])
    lab.figure("histogram", figure, alt="The shares lie around one half.")
'''
PAIR = '''\
"""How many heads do two coins show?"""

from dataclasses import dataclass, replace

NEEDS = ("coin",)


@dataclass(frozen=True)
class Params:
    coins: int = 2


def run(params, lab):
    return {"heads": params.coins * lab.result("coin").values["mean"]}
'''
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\hypersetup{pdftitle={\VAR{report.title}}, pdfauthor={A. Tosser}, pdfsubject={Coins}}
\begin{document}
\section{Coins}\label{sec:coins}
The share of heads is \VAR{coin.values.mean|num}; two coins show \VAR{pair.values.heads|num}.
See \cref{sec:coins,fig:histogram}.
\begin{figure}
  \centering
  \VAR{coin.figures.histogram|figure}
  \caption{Shares of \VAR{coin.params.repeats} repeats.}\label{fig:histogram}
\end{figure}
\end{document}
"""
NOTEBOOK = '''\
# %% [markdown]
"""
# Two coins

Together they show \\VAR{pair.values.heads|num} heads, as is said.
"""

# %%
round(2 * \\VAR{coin.values.mean|python}, 3)
'''
FILES = {
    "report.toml": TOML,
    "experiments/coin.py": COIN,
    "experiments/pair.py": PAIR,
    "report_templates/report.tex.j2": TEMPLATE,
    "report_templates/notebooks/coins.py.j2": NOTEBOOK,
}


@dataclass(frozen=True)
class Edit:
    """A file of the project with a text that another one replaces: two versions."""

    file: str
    texts: tuple[str, str]

    def files(self, version: int) -> dict[str, str]:
        """Return the texts of all files of the project in a version."""
        return {**FILES, self.file: FILES[self.file].replace(self.texts[0], self.texts[version])}


@dataclass(frozen=True)
class Kind:
    """What is ended: a command after an edit of the project, which was built before unless told otherwise."""

    edit: Edit
    command: tuple[str, ...] = ()
    from_nothing: bool = False

    def begin(self, folder: Path, version: int) -> None:
        """Make the project that the command finds, in a new folder."""
        if not self.from_nothing:
            before = done(Kind(self.edit, from_nothing=True), 1 - version)
            shutil.copytree(before.folder, folder, symlinks=True)
        for name, text in self.edit.files(version).items():
            if self.from_nothing or name == self.edit.file:
                projects.write(folder / name, text)


SEED = Edit("experiments/coin.py", ("seed: int = 1", "seed: int = 2"))
WORDS = Edit("report_templates/notebooks/coins.py.j2", ("as is said", "as one expects"))
COMMENT = Edit("experiments/coin.py", ("by hand", "by a machine"))
KINDS = {
    "from nothing": Kind(SEED, from_nothing=True),
    "rebuild": Kind(SEED),
    "notebook": Kind(WORDS),
    "pack": Kind(COMMENT, ("pack",)),
    "watch": Kind(SEED, ("watch",)),
}


@dataclass(frozen=True)
class Done:
    """What a command makes that nobody ends: the folder of the project, its seconds and its renames."""

    folder: Path
    seconds: float
    renames: int


def done(kind: Kind, version: int) -> Done:
    """Return what a command makes, done once for all trials; that of a watch is its first build."""
    command = () if kind.command == ("watch",) else kind.command

    def make(folder: Path) -> None:
        kind.begin(folder / "coins", version)
        start = time.monotonic()
        code, output = Command(folder / "coins", *command, how=Kill(rename=0)).wait()
        if code:
            raise RuntimeError(output)
        renames = output.split()[-2]
        (folder / "needed").write_text(f"{time.monotonic() - start} {renames}")

    texts = kind.edit.files(version), kind.edit.files(1 - version) if not kind.from_nothing else None
    folder = projects.once_for_all_workers(f"{__name__} {texts} {command}", make)
    seconds, renames = (folder / "needed").read_text().split()
    return Done(folder / "coins", float(seconds), int(renames))


# ------------------------------------------------------------------------------------------------- the trials


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Yield what became of so many commands that were ended; each kind has its turn."""
    chance = random.Random(seed)
    for turn in range(count):
        name = list(KINDS)[turn % len(KINDS)]
        version = chance.randrange(2)
        needed = done(KINDS[name], version)
        how = Kill(
            signal=chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)),
            group=chance.random() < 0.5,
            after=chance.uniform(0, 1.05) * needed.seconds,
            # it is another process of a watch that builds
            rename=chance.choice((0, chance.randint(1, needed.renames))) if name != "watch" else 0,
        )
        yield killed(name, version, how)


@dataclass(frozen=True)
class Kill:
    """How a command is ended: by which signal, with its group or not; before a rename, else after seconds."""

    signal: signal.Signals = signal.SIGKILL
    group: bool = False
    after: float = 0.0
    rename: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """What stands before a program that is to end itself."""
        target = "group" if self.group else "parent"
        return str(AT_RENAME), str(self.rename), str(int(self.signal)), target

    @property
    def codes(self) -> tuple[int, ...]:
        """The exit codes that are right, as a shell tells them."""
        return (0, 128 + self.signal)

    def __str__(self) -> str:
        whom = "the group" if self.group else "the first process"
        when = f"before rename {self.rename}" if self.rename else f"after {self.after:.3f} s"
        return f"{self.signal.name} to {whom} {when}"


def killed(name: str, version: int, how: Kill) -> Trial:
    """Return what became of a command, and of the build after it, on the way to a version."""
    kind = KINDS[name]
    clean = done(Kind(kind.edit, from_nothing=True), version).folder
    right = products(clean)
    old = {} if kind.from_nothing else products(done(Kind(kind.edit, from_nothing=True), 1 - version).folder)
    # only the page tells of the report before it, unless a kill has left nothing to compare with
    new = right | {PAGE: products(done(replace(kind, command=()), version).folder)[PAGE]}
    with tempfile.TemporaryDirectory() as scratch, adopting() as lingering:
        folder = Path(scratch).resolve() / "coins"
        kind.begin(folder, version)
        code, output = Command(folder, *kind.command, how=how).end(how)
        wrong = [] if code in how.codes else [f"exited: {code}"]
        wrong += torn(products(folder), old, new)
        finished = [each for each in EXPERIMENTS if result(folder, each) == result(clean, each)]
        code, repaired = Command(folder).wait()
        made = products(folder)
        wrong += [f"stopped: {code}"] if code else []
        wrong += ["stopped: a traceback"] if "Traceback" in output + repaired else []
        wrong += [
            f"differs: {each}"
            for each in sorted({*made, *new})
            if made.get(each) not in (new.get(each), right.get(each))
        ]
        wrong += [f"repeated: {each}" for each in finished if f"running {each} " in repaired]
        wrong += [f"left: {each}" for each in left(folder)]
        wrong += [f"left running: {each}" for each in lingering()]
    if not wrong:
        return Trial(name, "kept")
    said = [f"it said: {output}", f"the build after it: {repaired}"]
    return Trial(name, wrong[0].partition(":")[0], "\n".join([f"{how}, version {version}", *wrong, *said]))


# ------------------------------------------------------------------------------------------ what is looked at


def products(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all that a build publishes, by name."""
    build = folder / "build"
    found = [path for name in PUBLISHED for path in (build / name, *(build / name).rglob("*"))]
    return {path.relative_to(build).as_posix(): path.read_bytes() for path in found if path.is_file()}


def torn(made: Mapping[str, bytes], old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[str]:
    """Yield what is wrong with published files where a build has ended on the way from old to new ones."""
    for name in sorted({*made, *old}):
        if PurePath(name).name.startswith(files.TEMPORARY):  # `left` finds those that the next build leaves
            continue
        if made.get(name) not in (old.get(name), new.get(name)):
            yield f"torn: {name}" if name in made else f"lost: {name}"
    if handed_in(made) not in (handed_in(old), handed_in(new)):
        yield "mixed: the files of the hand-in"
    # each is made after the one before it
    order = [name for name in ("report.pdf", "submission/report.pdf", PAGE) if old.get(name) != new.get(name)]
    are_new = [made.get(name) == new.get(name) for name in order]
    if are_new != sorted(are_new, reverse=True):
        yield f"mixed: {dict(zip(order, are_new, strict=True))} are new"


def handed_in(made: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in made.items() if name.startswith("submission/")}


def result(folder: Path, experiment: str) -> bytes | None:
    path = folder / "build" / "results" / experiment / "result.json"
    return path.read_bytes() if path.exists() else None


def left(folder: Path) -> list[str]:
    """Return what lies below a build folder, or in that of the system's temporary files, and is of no use."""
    useless = [leftover.path for leftover in leftovers.leftovers(load(folder))]
    hidden = [path for path in (folder / "build").rglob(".*") if path.name not in (".lock", ".slots")]
    return [str(path) for path in (*useless, *hidden, *temporary(folder).iterdir())]


# -------------------------------------------------------------------------------------------------- processes


class Command:
    """A command in a project, with a folder for temporary files beside that; first of a group of its own."""

    def __init__(self, folder: Path, *words: str, how: Kill | None = None) -> None:
        self.output = folder.parent / "output"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        ending = how.words if how else ()
        # a file, not a pipe, which orphans would keep open
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, *ending, str(MAIN), "--project", str(folder), *words],
                cwd=folder,
                env=environment | {"TMPDIR": str(temporary(folder))},
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait(self, seconds: float = TIMEOUT) -> tuple[int, str]:
        """Return the exit code, as a shell tells it, and what was printed; TimeoutExpired if it goes on."""
        code = self.process.wait(seconds)
        return code if code >= 0 else 128 - code, self.output.read_text(encoding="utf-8", errors="replace")

    def end(self, how: Kill) -> tuple[int, str]:
        """End it, unless it ends by itself before; return what `wait` does."""
        try:
            return self.wait(TIMEOUT if how.rename else how.after)
        except subprocess.TimeoutExpired:
            (os.killpg if how.group else os.kill)(self.process.pid, how.signal)
            return self.wait()


def temporary(folder: Path) -> Path:
    """Return the folder for the temporary files of a project's commands."""
    path = folder.parent / f"{folder.name}-temporary"
    path.mkdir(exist_ok=True)
    return path


@contextmanager
def adopting() -> Iterator[Callable[[], list[str]]]:
    """Become the parent of processes that lose theirs; yield what ends these and names those that linger."""
    before = set(children())
    _adopt(True)
    try:
        yield lambda: lingering(before)
    finally:
        _adopt(False)


def _adopt(is_on: bool) -> None:
    set_child_subreaper = 36  # of <sys/prctl.h>
    ctypes.CDLL(None).prctl(set_child_subreaper, int(is_on), 0, 0, 0)


def lingering(before: Set[int]) -> list[str]:
    """Return the commands of the children that are there after a while, and end them."""
    end = time.monotonic() + GRACE
    while (there := set(children()) - before) and time.monotonic() < end:
        for pid in there:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.02)
    found = [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in there]
    for pid in there:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return found


def children() -> Iterator[int]:
    """Yield the processes of which this one is the parent."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(status.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                yield int(status.parent.name)
