"""A small project whose builds take a fraction of a second, so that a thousand of them can be looked at.

Each build is a process of its own, forked from one that has imported all that a build needs; experiments run
in a server that is kept. TeX answers from what it has once made of the same sources. What a build writes, and
all of its own looking at files, is as it always is.
"""

from __future__ import annotations

import functools
import os
import pickle
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PathDistribution
from pathlib import Path

import projects

from labreport import __main__ as program
from labreport import build, descendants, leftovers, page
from labreport import project as projects_of
from labreport.documents import latexmk
from labreport.project import Project
from labreport.results import files, files_in, strict_json
from labreport.running import children, spare
from torture import injected

PUBLISHED = ("report.pdf", "report.html", "submission/report.pdf", "submission/code.zip")
DRAWN = """
    def run(params, lab):
        return {"share": 0.52, "tosses": lab.map(lambda item: item / 6, range(2))}


    def draw(result, lab):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1, 1))
        axes = figure.add_subplot()
        axes.set_axis_off()  # to set text takes half the time of a build
        axes.plot([1, 2])
        lab.figure("line", figure, alt="A line.", data={"x": [1, 2]})
"""
EXPERIMENTS = {"coin": projects.experiment(DRAWN), "die": projects.returning('{"six": 1 / 6}')}
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\begin{document}
The share is \VAR{coin.values.share|num}, and that of a six \VAR{die.values.six|num}.
\VAR{coin.figures.line|figure}
\BLOCK{claim "most", coin.values.share > 0.5}More than half are heads.\BLOCK{endclaim}
\end{document}
"""
NOTEBOOK = r'''# %% [markdown]
"""
The share is \VAR{coin.values.share|num}.
"""

# %%
1 + 1
'''
TOML = (
    'preload = ["matplotlib.figure", "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_agg"]\n'
)
_HERE = b"/@here@"

Edit = Callable[[Path], None]


def as_it_is(root: Path) -> None:
    """Change nothing."""


def edit_all(root: Path) -> None:
    """Change a result and the text about another one."""
    projects.change(root / "experiments/coin.py", "0.52", "0.53")
    projects.change(root / "report_templates/report.tex.j2", "that of a six", "a six's")


def edit_all_but_notebooks(root: Path) -> None:
    """Change the same where there is no notebook."""
    edit_all(root)
    shutil.rmtree(root / "report_templates/notebooks", ignore_errors=True)


def edit_notebook(root: Path) -> None:
    """Change what a notebook computes."""
    projects.change(root / "report_templates/notebooks/share.py.j2", "1 + 1", "1 + 2")


def edit_readme(root: Path) -> None:
    """Change what is only handed in."""
    projects.write(root / "README.md", "What lies here.\n")


@dataclass
class Bench:
    """A project in a folder of its own, and what its build folder held in each state that was kept."""

    root: Path
    turn: injected.Turn
    kept: Path
    has_notebook: bool
    states: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        return projects_of.load(self.root)

    def begin(self, state: str | None, edit: Edit) -> None:
        """Let the build folder be as it was in a state, or be none; and the sources be edited so."""
        shutil.rmtree(self.root / "build", ignore_errors=True)
        if state:
            shutil.copytree(self.kept / state, self.root / "build", symlinks=True)
        for path in self.root.glob("[!b]*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        projects.make(self.root, EXPERIMENTS, toml=TOML)
        projects.write(self.root / "report_templates/report.tex.j2", TEMPLATE)
        if self.has_notebook:
            projects.write(self.root / "report_templates/notebooks/share.py.j2", NOTEBOOK)
        edit(self.root)

    def keep(self, state: str) -> None:
        """Keep what a build has made, as a state from which others begin."""
        code, said = self.build()
        assert code == 0, said
        self.states[state] = self.published()
        shutil.copytree(self.root / "build", self.kept / state, symlinks=True)

    def published(self) -> dict[str, bytes]:
        """Return the bytes of what is published."""
        found = [self.root / "build" / name for name in PUBLISHED]
        found += (self.root / "build/notebooks").glob("*.ipynb")
        return {
            path.relative_to(self.root / "build").as_posix(): path.read_bytes()
            for path in found
            if path.is_file()
        }

    def left_over(self) -> list[str]:
        """Return what builds have left behind."""
        found = [f"{each.path.name} ({each.what})" for each in leftovers.leftovers(self.project)]
        return found + [f"{path.name} (temporary)" for path in Path(tempfile.gettempdir()).iterdir()]

    def build(self, *command: str, turn: Sequence[int] = (0, 0, 0), alone: bool = False) -> tuple[int, str]:
        """Return how a build ends, and what it says; `turn` is at which of its operations what happens.

        One that is `alone` is the first of a group, and starts a server of its own, which ends with it.
        """
        log = self.kept.with_name("said")
        out = os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        self.turn.set(*turn)
        child = os.fork()
        if child == 0:
            os.dup2(out, 1)
            os.dup2(out, 2)
            if alone:
                os.setpgid(0, 0)
                spare._spare = None
            self.turn.begin()
            _run(self.root, command)
        os.close(out)
        _, status = os.waitpid(child, 0)
        self.turn.set(0)
        kept = spare._spare
        if kept is None or kept[1]._process.poll() is not None:  # the failure was the server's
            spare.drop(None)
            spare.prepare(children.server_of(self.project))
        return os.waitstatus_to_exitcode(status), log.read_text(errors="replace")


def make(folder: Path, states: Mapping[str, tuple[str | None, Edit]], *, notebook: bool = False) -> Bench:
    """Return a bench with these states: each is what a build gives that begins with one before, and edits.

    The process that calls this is changed for good: it is one that only looks at builds, and ends with its
    parent.
    """
    descendants.die_with_parent(os.getppid())
    for name in ("tmp", "path", "kept"):
        (folder / name).mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "tmp")
    shutil.copyfile(injected.__file__, folder / "path" / "sitecustomize.py")
    os.environ["PYTHONPATH"] = str(folder / "path")
    turn = injected.make(str(folder / "turn"))
    injected.install(turn)
    _replay(folder / "tex")
    # what these find is the same each time, and nothing of it is written
    PathDistribution.metadata = property(functools.cache(PathDistribution.metadata.fget))
    build._check = lambda *_: None
    making = page.making
    page.making = lambda project, beside: making(project, beside=False)
    bench = Bench(folder / "project", turn, folder / "kept", notebook)
    bench.begin(None, as_it_is)
    build.make_all(bench.project)  # in this process, which then has imported all that a build needs
    spare.prepare(children.server_of(bench.project))
    for state, (before, edit) in states.items():
        bench.begin(before, edit)
        bench.keep(state)
    return bench


def _run(root: Path, command: Sequence[str]) -> None:
    """End this process as the program ends that is given a command."""
    code = 0
    try:
        # under pytest these lead elsewhere
        sys.stdout, sys.stderr = (os.fdopen(at, "w", 1, "utf-8", closefd=False) for at in (1, 2))
        os.chdir(root)
        sys.argv = ["labreport", *command]
        program.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _replay(folder: Path) -> None:
    """Let TeX answer from what it has made of the same sources before."""
    real = latexmk.run

    def run(scratch: Path, deadline: float, command: Sequence[str]) -> tuple[int | None, str]:
        found = {path.relative_to(scratch).as_posix(): path.read_bytes() for path in files_in(scratch)}
        digests = {name: files.checksum(data) for name, data in found.items()}
        answer = folder / strict_json.digest([list(command), digests])
        if not answer.exists():
            code, output = real(scratch, deadline, command)
            made = {path.relative_to(scratch).as_posix(): path.read_bytes() for path in files_in(scratch)}
            new = {name: data for name, data in made.items() if found.get(name) != data}
            new = {name: data.replace(os.fsencode(scratch), _HERE) for name, data in new.items()}
            folder.mkdir(exist_ok=True)
            answer.write_bytes(pickle.dumps((code, output, new)))
        code, output, new = pickle.loads(answer.read_bytes())
        for name, data in new.items():
            (scratch / name).write_bytes(data.replace(_HERE, os.fsencode(scratch)))
        return code, output

    latexmk.run = run
