"""A project: the folder with experiments, templates and report.toml, and the paths of what is made."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

from labreport import config
from labreport.config import CONFIG, JOB, Config
from labreport.errors import UsageError

ACCEPTED = "accepted.toml"
"""The file that says against what the texts about code and results were last read."""
ENGINE = Path(__file__).resolve().parent
"""The folder of labreport itself."""
CHECKOUT = ENGINE.parents[1] if (ENGINE.parents[1] / "build_report.py").is_file() else None
"""The folder around labreport's sources, with its main file; None where labreport is installed."""
DOCUMENTS = "documents"
"""The folder of what several documents have alone, in the build folder and its cache."""
PROGRAM = "labreport"
PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class Project:
    """A project folder with its settings; `quick` builds write below build/quick only.

    `program` is what the user types to build this project, as far as its first option. `rehash` reads files
    whose digests are known, as long as their times and inodes stay the same, once more. `source` is what
    report.toml held when `config` was read from it; None if it was not.

    Most of it is the same for all documents. What each has of its own, such as its PDF, sources and records,
    is that of the document `job`; `documents` gives the project as each of them sees it.
    """

    root: Path
    config: Config
    quick: bool = False
    program: str = PROGRAM
    rehash: bool = False
    source: bytes | None = field(default=None, repr=False, compare=False)
    job: str = JOB

    @property
    def documents(self) -> tuple[Project, ...]:
        """The project as each of its documents sees it, the main one first."""
        return tuple(replace(self, job=job) for job in self.config.templates)

    @property
    def template(self) -> str:
        """The main template of the document."""
        return self.config.templates[self.job]

    @property
    def own(self) -> Path:
        """The folder of what the document has alone."""
        return self.build / DOCUMENTS / self.job if self.config.documents else self.build

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
        return self.own / "latex"

    @property
    def latex_log(self) -> Path:
        """What LaTeX said of the published document."""
        return self.log / (f"latex-{self.job}.log" if self.config.documents else "latex.log")

    @property
    def failed_log(self) -> Path:
        """What LaTeX said of the document when it could not be compiled the last time."""
        return self.log / f"failed-{self.job}.log"

    @property
    def cache(self) -> Path:
        """The folder of what makes the document faster the next time."""
        cache = self.build / "cache"
        return cache / DOCUMENTS / self.job if self.config.documents else cache

    @property
    def auxiliary(self) -> Path:
        """The folder of the auxiliary files with which LaTeX begins."""
        return self.cache / "latex"

    @property
    def pdf(self) -> Path:
        """The report."""
        return self.build / f"{self.job}.pdf"

    @property
    def page(self) -> Path:
        """The report on a screen, which explains its numbers."""
        return self.build / f"{self.job}.html"

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
        return self.build / f"{self.job}-annotated.pdf"

    @property
    def provenance(self) -> Path:
        """The record of each printed value."""
        return self.own / PROVENANCE

    @property
    def previous(self) -> Path:
        """The folder of what remains of the report that was published before."""
        return self.own / "previous"

    @property
    def diff(self) -> Path:
        """The folder of what a comparison of two reports draws."""
        return self.own / "diff"

    @property
    def claims(self) -> Path:
        """The record of each claim of all documents, with its verdict."""
        return self.build / "claims.json"

    @property
    def state(self) -> Path:
        """The record of what the published report was made from."""
        return self.own / "state.json"

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
            cure=f"go to a project, name one with --project DIR, or make one: `{program} new DIR`",
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
    settings = config.parse(source)
    if nearest(Path.cwd()) != root:  # a command that is pasted here would find another project, or none
        program = f"{program} --project {shlex.quote(str(named))}"
    return Project(root, settings, quick, program, rehash, source, next(iter(settings.templates)))
