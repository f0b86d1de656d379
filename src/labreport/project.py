"""A project: the folder with experiments, templates and report.toml, and the paths of what is made."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labreport.errors import InputError, Place, UsageError, did_you_mean

CONFIG = "report.toml"
ACCEPTED = "accepted.toml"
"""The file that says against what the texts about code and results were last read."""
ENGINE = Path(__file__).resolve().parent
"""The folder of labreport itself."""
CHECKOUT = ENGINE.parents[1] if (ENGINE.parents[1] / "build_report.py").is_file() else None
"""The folder around labreport's sources, with its main file; None where labreport is installed."""
PROGRAM = "labreport"
PROVENANCE = "provenance.json"
DEFAULT_DATE = "1 January 2025"


@dataclass(frozen=True)
class Config:
    """What report.toml says. All texts are plain text, not LaTeX.

    `questions` maps a question's number to its one-line text; `preload` lists modules that the fork server
    imports once; `deadline` is the time in seconds that an experiment may take, `deadlines` the exceptions;
    `cell_deadline` and `notebook_deadline` are the same for a cell of a notebook and for a whole notebook.
    `constants` maps texts with digits that are no results, such as `95 %`, to the reason why they are none.
    `submission` has four lists: `include`, patterns of further files to hand in, `exclude`, patterns of
    sources to leave out, `allow`, texts that only look like a secret or like a name of this machine, and
    `notes`, what the README of the hand-in says of its files.
    `store` is the size that the store of older results may have. `pages` are the most pages of the
    `main` text and of the `appendix`.
    """

    title: str
    subtitle: str = ""
    authors: tuple[str, ...] = ()
    date: str = DEFAULT_DATE
    template: str = "report.tex.j2"
    preload: tuple[str, ...] = ()
    deadline: float = 3600.0
    deadlines: dict[str, float] = field(default_factory=dict)
    cell_deadline: float = 300.0
    notebook_deadline: float = 1200.0
    questions: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    submission: dict[str, list[str]] = field(default_factory=dict)
    store: str = "1 GiB"
    pages: dict[str, int] = field(default_factory=dict)

    @property
    def most_stored(self) -> int:
        """The most bytes that older results may take."""
        return _bytes(self.store)


@dataclass(frozen=True)
class Project:
    """A project folder with its settings; `quick` builds write below build/quick only.

    `program` is what the user types to build this project, as far as its first option. `rehash` reads files
    whose digests are known, as long as their times and inodes stay the same, once more. `source` is what
    report.toml held when `config` was read from it; None if it was not.
    """

    root: Path
    config: Config
    quick: bool = False
    program: str = PROGRAM
    rehash: bool = False
    source: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def accepted(self) -> Path:
        """The file of what the texts about code and results were last read against; it may not exist."""
        return self.root / ACCEPTED

    @property
    def experiments(self) -> Path:
        """The folder of the experiment modules."""
        return self.root / "experiments"

    @property
    def templates(self) -> Path:
        """The folder of the LaTeX templates."""
        return self.root / "report_templates"

    @property
    def style(self) -> Path:
        """The matplotlib style file that is applied around every `draw`, if it exists."""
        return self.experiments / "figures.mplstyle"

    @property
    def build(self) -> Path:
        """The folder of what is generated."""
        build = self.root / "build"
        return build / "quick" if self.quick else build

    @property
    def results(self) -> Path:
        """The folder of all results, one folder for each experiment."""
        return self.build / "results"

    @property
    def checkpoints(self) -> Path:
        """The folder of what unfinished runs have kept, one folder for each experiment."""
        return self.build / "checkpoints"

    @property
    def cells(self) -> Path:
        """The folder of what the items of each `lab.map` gave, one folder for each experiment."""
        return self.build / "cells"

    @property
    def store(self) -> Path:
        """The folder of older results and drawings, one folder for each experiment."""
        return self.build / "store"

    @property
    def log(self) -> Path:
        """The folder of what experiments and LaTeX print."""
        return self.build / "log"

    @property
    def latex(self) -> Path:
        """The folder of the generated LaTeX sources, published with the PDF."""
        return self.build / "latex"

    @property
    def auxiliary(self) -> Path:
        """The folder of the auxiliary files with which LaTeX begins."""
        return self.build / "cache" / "latex"

    @property
    def pdf(self) -> Path:
        """The report."""
        return self.build / "report.pdf"

    @property
    def notebooks(self) -> Path:
        """The folder of the woven notebooks."""
        return self.build / "notebooks"

    @property
    def submission(self) -> Path:
        """The folder of the hand-in: the report and the code."""
        return self.build / "submission"

    @property
    def annotated(self) -> Path:
        """The report with its values and claims in colour; it is never handed in."""
        return self.build / "report-annotated.pdf"

    @property
    def provenance(self) -> Path:
        """The record of each printed value."""
        return self.build / PROVENANCE

    @property
    def previous(self) -> Path:
        """The folder of what remains of the report that was published before."""
        return self.build / "previous"

    @property
    def diff(self) -> Path:
        """The folder of what a comparison of two reports draws."""
        return self.build / "diff"

    @property
    def claims(self) -> Path:
        """The record of each claim of all documents, with its verdict."""
        return self.build / "claims.json"

    @property
    def state(self) -> Path:
        """The record of what the published report was made from."""
        return self.build / "state.json"

    @property
    def lock(self) -> Path:
        """The file that a running build holds locked."""
        return self.build / ".lock"

    @property
    def slots(self) -> Path:
        """The file that the experiments of a build lock to share its processes."""
        return self.build / ".slots"

    @property
    def source_roots(self) -> tuple[Path, ...]:
        """The folders from which the project's own modules are imported, first match first."""
        # what lies beside an installed labreport is other people's packages
        beside = (ENGINE.parent,) if CHECKOUT else ()
        roots = (self.root / "src", self.root, *beside)
        return tuple(dict.fromkeys(root for root in roots if root.is_dir()))

    def command(self, *arguments: str) -> str:
        """Return a command for this project that works when the user pastes it, as cures name it."""
        quick = ("--quick",) if self.quick and "--full" not in arguments else ()
        return " ".join((self.program, *map(shlex.quote, (*arguments, *quick))))

    def shown(self, path: Path, folders: dict[str, str] | None = None) -> str:
        """Return a path as messages show it: relative to the project where it lies inside.

        `folders` keeps where the folders of many files lead.
        """
        if folders is None:
            real = os.path.realpath(path)
        else:
            folder, name = os.path.split(path)
            real = f"{folders.get(folder) or folders.setdefault(folder, os.path.realpath(folder))}/{name}"
            real = os.path.realpath(real) if path.is_symlink() else real
        root = str(self.root)
        if real == root:
            return "."
        return real[len(root) + 1 :] if real.startswith(f"{root}/") else str(path)

    def experiment_names(self) -> list[str]:
        """Return the names of all experiments, sorted; a file that begins with an underscore is not one."""
        if not self.experiments.is_dir():
            return []
        return sorted(p.stem for p in self.experiments.glob("*.py") if not p.stem.startswith("_"))


def nearest(folder: Path) -> Path | None:
    """Return the nearest folder with a report.toml, from a folder upwards; None if there is none."""
    folder = folder.resolve()
    return next((above for above in (folder, *folder.parents) if (above / CONFIG).is_file()), None)


def find(
    *, quick: bool = False, program: str = PROGRAM, rehash: bool = False, otherwise: Path | None = None
) -> Project:
    """Return the project that the current folder lies in, or else the one in the folder `otherwise`.

    Raises UsageError if there is none, and what `load` raises.
    """
    root = nearest(Path.cwd()) or otherwise
    if root is None:
        raise UsageError(
            f"there is no project here: neither {Path.cwd()} nor a folder above it has a {CONFIG}",
            cure=f'go to a project, name one with --project DIR, or create {CONFIG} with `title = "…"`',
        )
    return load(root, quick=quick, program=program, rehash=rehash)


def load(root: Path, *, quick: bool = False, program: str = PROGRAM, rehash: bool = False) -> Project:
    """Return the project in a folder; `program` is how the user starts labreport.

    Raises
    ------
    UsageError
        The folder is not a project: it does not exist or has no report.toml.
    InputError
        report.toml cannot be read, has an unknown key, or a value of the wrong type.

    """
    named, root = root, root.resolve()
    path = root / CONFIG
    if not path.is_file():
        raise UsageError(
            f"no project in {root}: it has no {CONFIG}",
            cure=f'name the folder with --project DIR, or create {CONFIG} with `title = "…"`',
        )
    source = path.read_bytes()
    data, text = _toml(source, CONFIG)
    if nearest(Path.cwd()) != root:  # a command that is pasted here would find another project, or none
        program = f"{program} --project {shlex.quote(str(named))}"
    return Project(root, _config(data, text), quick, program, rehash, source)


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return what a TOML file says, and its text; messages show the file by its name alone.

    Raises InputError if it is not UTF-8 or not valid TOML.
    """
    return _toml(path.read_bytes(), path.name)


def _toml(source: bytes, shown: str) -> tuple[dict[str, Any], str]:
    try:
        text = source.decode("utf-8-sig")  # editors on Windows begin files with a mark
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return tomllib.loads(text), text
    except UnicodeDecodeError as error:
        raise InputError(
            f"{shown} is not UTF-8: {error.reason} at byte {error.start}", cure="save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(error, text, shown) from error


def _syntax_error(error: tomllib.TOMLDecodeError, text: str, shown: str) -> InputError:
    # tomllib says the place only in the text of its message
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    lines = text.split("\n")
    line, column = (int(found[1]), int(found[2])) if found else (len(lines), len(lines[-1]) + 1)
    what = re.sub(r" \(at .*\)$", "", str(error))
    return InputError(
        f"{shown} is not valid TOML: {what}",
        place=Place(shown, line, column, source=lines[line - 1]),
        cure="correct the syntax (https://toml.io)",
    )


def _config(data: dict[str, Any], text: str) -> Config:
    """Return the settings, each checked for its type."""
    for key, value in data.items():
        if key not in _SETTINGS:
            raise InputError(
                f"unknown key {key!r} in {CONFIG}", place=_place(text, key), cure=did_you_mean(key, _SETTINGS)
            )
        is_right, expected, example = _SETTINGS[key]
        if not is_right(value):
            shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:59]}…"
            raise InputError(
                f"{key!r} in {CONFIG} must be {expected}, not {shown}",
                place=_place(text, key),
                cure=f"write for example: {example}",
            )
    if "title" not in data:
        example = _SETTINGS["title"][2]
        raise InputError(f"{CONFIG} has no title", place=Place(CONFIG), cure=f"add: {example}")
    settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return Config(**settings)


def _place(text: str, key: str) -> Place:
    """Return the line of report.toml that sets a key."""
    for number, line in enumerate(text.split("\n"), 1):
        if found := re.match(rf"""\s*\[*\s*["']?({re.escape(key)})["']?\s*[=.\]]""", line):
            return Place(CONFIG, number, found.start(1) + 1, len(key), line)
    return Place(CONFIG)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_submission(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"include", "exclude", "allow", "notes"}
        and all(map(_is_texts, value.values()))
    )


def _is_pages(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"main", "appendix"}
        and all(type(most) is int and most >= 0 for most in value.values())
    )


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_UNITS = {"B": 1} | {f"{p}B": 1000**n for n, p in enumerate("kMGT", 1)}
_UNITS |= {f"{p}iB": 1024**n for n, p in enumerate("KMGT", 1)}


def _is_size(value: object) -> bool:
    return isinstance(value, str) and _SIZE.fullmatch(value) is not None


def _bytes(size: str) -> int:
    """Return a size such as `1.5 GiB` in bytes."""
    found = _SIZE.fullmatch(size)
    assert found  # `load` has refused what is not a size
    return int(float(found[1]) * _UNITS[found[2]])


def _is_text_table(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_seconds_table(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_seconds, value.values()))


_SETTINGS = {
    "title": (_is_text, "a text", 'title = "Deep versus wide"'),
    "subtitle": (_is_text, "a text", 'subtitle = "Assignment 1"'),
    "authors": (_is_texts, "a list of texts", 'authors = ["First Author", "Second Author"]'),
    "date": (_is_text, "a text", 'date = "29 November 2024"'),
    "template": (_is_text, "a text", 'template = "report.tex.j2"'),
    "preload": (_is_texts, "a list of module names", 'preload = ["torch", "pandas"]'),
    "deadline": (_is_seconds, "a positive number of seconds", "deadline = 3600"),
    "deadlines": (
        _is_seconds_table,
        "a table of experiment names and positive seconds",
        "[deadlines] and below it NAME = 7200",
    ),
    "cell_deadline": (_is_seconds, "a positive number of seconds", "cell_deadline = 300"),
    "notebook_deadline": (_is_seconds, "a positive number of seconds", "notebook_deadline = 1200"),
    "questions": (
        _is_text_table,
        "a table of question numbers, in quotes, and texts",
        '[questions] and below it "3.1" = "Write a program"',
    ),
    "constants": (
        _is_text_table,
        "a table of texts with digits, in quotes, and the reasons why they are no results",
        '[constants] and below it "95 %" = "level of all intervals"',
    ),
    "submission": (
        _is_submission,
        "a table with the lists `include`, `exclude`, `allow` and `notes`, all of texts",
        '[submission] and below it include = ["data/*.csv"]',
    ),
    "pages": (
        _is_pages,
        "a table with the most pages of `main` and `appendix`, both whole numbers",
        "[pages] and below it main = 18",
    ),
    "store": (_is_size, "a size in B, kB, MB, GB, TB, KiB, MiB, GiB or TiB", 'store = "1 GiB"'),
}
"""For each key of report.toml: a test of its value, what it must be, and an example."""
