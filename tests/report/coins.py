"""A small project of another subject, and the command line as a user runs it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

REPORT = """\
title = "Tossing coins"
authors = ["A & B"]
date = "1 May 2025"

[questions]
"1" = "Is the coin fair?"
"""

EXPERIMENT = '''\
"""How far from one half is the share of heads?"""

import random
from dataclasses import dataclass

COLOUR = "black"


@dataclass(frozen=True)
class Params:
    tosses: int = 100
    repeats: int = 8
    seed: int = 1


QUICK = Params(tosses=10)


def run(params, lab):
    import pandas as pd

    shares = lab.map(lambda repeat: share(params.tosses, lab.seed(repeat)), range(params.repeats))
    mean = sum(shares) / len(shares)
    std = (sum((x - mean) ** 2 for x in shares) / (len(shares) - 1)) ** 0.5
    return {
        "share": {"mean": mean, "std": std},
        "note": "heads & tails",
        "repeats": pd.DataFrame({"repeat": range(params.repeats), "share": shares}),
    }


def share(tosses, seed):
    # one toss at a time
    coin = random.Random(seed)
    return sum(coin.random() < 0.5 for _ in range(tosses)) / tosses


def draw(result, lab):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    axes = figure.add_subplot(xlabel="share of heads", ylabel="repeats")
    axes.hist(result.table("repeats")["share"], color=COLOUR)
    lab.figure("histogram", figure, alt="The shares lie around one half.", data=result.table("repeats"))
'''

TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\hypersetup{pdftitle={\VAR{report.title}}}
\begin{document}
%# a comment of the template, with \VAR{nonsense}
\section{Coins}\label{sec:coins}
\BLOCK{answer "1"}
After \VAR{coin.params.tosses|integer} tosses the share is \VAR{coin.values.share|pm},
by \VAR{report.authors|join(", ")}; note: \VAR{coin.values.note}.
\BLOCK{endanswer}
See \cref{sec:coins,fig:histogram,tab:first}.

\begin{figure}
  \centering
  \VAR{coin.figures.histogram|figure}
  \caption{Shares of \VAR{coin.params.repeats} repeats.}\label{fig:histogram}
\end{figure}
\begin{table}
  \caption{The first repeats.}\label{tab:first}
  \VAR{coin.tables.repeats[:3]|table(column("Repeat", "repeat", "integer"), column("Share", "share", "num"))}
\end{table}
\VAR{excerpt("experiments.coin:share")}
\end{document}
"""


@dataclass
class User:
    """Somebody who works on a project by the command line."""

    folder: Path

    def run(
        self, *args: str, check: int | None = 0, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Return what a command prints; fail unless it ends with the expected exit code."""
        command = [sys.executable, str(ROOT / "build_report.py"), "--project", str(self.folder), *args]
        environment = {
            k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "COVERAGE_PROCESS_START")
        }
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            env=environment,
            cwd=cwd or self.folder,
            stdin=subprocess.DEVNULL,
        )
        if check is not None:
            assert done.returncode == check, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def path(self, name: str) -> Path:
        """Return a file of the project."""
        return self.folder / name

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands in a file exactly once."""
        text = self.path(name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.path(name).write_text(text.replace(old, new), encoding="utf-8")

    def line_of(self, name: str, text: str) -> int:
        """Return the number of the first line that contains a text."""
        lines = self.path(name).read_text(encoding="utf-8").splitlines()
        return next(n for n, line in enumerate(lines, 1) if text in line)


def write_project(folder: Path) -> User:
    """Return a user with the coin project in a folder."""
    (folder / "experiments").mkdir(parents=True)
    (folder / "report_templates").mkdir()
    (folder / "report.toml").write_text(REPORT, encoding="utf-8")
    (folder / "experiments" / "coin.py").write_text(EXPERIMENT, encoding="utf-8")
    (folder / "report_templates" / "report.tex.j2").write_text(TEMPLATE, encoding="utf-8")
    return User(folder)
