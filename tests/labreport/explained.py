"""A small project that was run and rendered, for tests of what `explain` and `impact` tell of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import projects

from labreport.documents import cells, notebooks, provenance, report
from labreport.documents.pages import Pages
from labreport.project import Project

TOSS = """\
\"\"\"How coins fall.\"\"\"

LIMIT, HALF = 9, 2


def toss(n):
    return Coin().side() * n


class Coin:
    def side(self):
        return 1


def unused():
    return 0
"""
COIN = projects.experiment(
    """
    from toss import toss

    def run(params, lab):
        import pandas as pd

        share = {"estimate": 0.5162277, "low": 0.41, "high": 0.61, "n": toss(params.tosses)}
        loss = {"mean": 0.2741521, "std": 0.0274135}
        rows = pd.DataFrame({"loss_mean": [0.1, 0.2], "loss_std": [0.01, 0.02], "n": [20, 20]})
        return {"share": share, "loss": loss, "rows": rows, "name": "heads & tails", "small": 1.3e-15}

    def draw(result, lab):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1, 1))
        figure.add_subplot().plot([1, 2])
        lab.figure("line", figure, alt="It rises.")
    """,
    params="""
    @dataclass(frozen=True)
    class Params:
        tosses: int = 10
        seed: int = 0
    """,
    reads=("data/coins.csv",),
)
FAIR = projects.experiment(
    """
    def run(params, lab):
        return {"twice": 2 * lab.result("coin").values["share"]["estimate"]}
    """,
    needs=("coin",),
)
REPORT = r"""\documentclass{article}\usepackage[article]{labreport}
\title{\VAR{report.title}}
\begin{document}
\section{Coins}\label{sec:coins}
\BLOCK{answer "3.1"}
The share is \VAR{coin.values.share.estimate|num} of \VAR{coin.params.tosses|integer}.
It is \VAR{coin.values.share.estimate|percent}, with a loss of \VAR{coin.values.loss|pm}.
\BLOCK{endanswer}
\begin{figure}
  \VAR{coin.figures.line|figure}
  \caption{Tossed \VAR{coin.params.tosses|integer} times.}\label{fig:line}
\end{figure}
\VAR{coin.tables.rows|table(column("Loss", ["loss_mean", "loss_std"], "pm"), column("Runs", "n", "integer"))}
The sum is \VAR{(coin.values.share.estimate + coin.values.share.low)|num}, not 0.77.
\VAR{excerpt("toss:toss")}
\section{Fair}
\BLOCK{about "toss:toss"}
\BLOCK{about "coin.values.share"}
Twice is \VAR{fair.values.twice|num}, \VAR{coin.values.name}, \VAR{coin.values.small|num}.
\end{document}
"""
NOTEBOOK = r'''# %% [markdown]
"""
The share is \VAR{coin.values.share.estimate|num}.
"""

# %%
\VAR{source("toss:LIMIT")}
'''
CLAIM = {
    "name": "mostly-heads",
    "verdict": "holds",
    "family": None,
    "said": True,
    "sentence": "mostly\n heads",
    "expression": 'claim "mostly-heads", coin.values.share.low > 0.4',
    "template": "report_templates/report.tex.j2",
    "line": 6,
    "column": 1,
    "file": "report.tex",
    "file_line": 6,
    "file_column": 1,
    "page": 2,
    "keys": ["coin.values.share.low"],
    "values": {"coin.values.share.low": 0.41},
    "evidence": [{"predicate": "compare", "states": "0.41 > 0.4", "verdict": "holds"}],
}


@projects.once
def make(folder: Path) -> Project:
    """Return a project with results and the records of its documents; no PDF and no notebook is made.

    The share and its tosses lie on page 2, what follows on page 3.
    """
    toml = '[questions]\n"3.1" = "How does it fall?"\n'
    made = projects.make(folder, {"coin": COIN, "fair": FAIR}, src={"toss.py": TOSS}, toml=toml)
    projects.write(folder / "data" / "coins.csv", "1\n")
    projects.write(made.templates / "report.tex.j2", REPORT)
    projects.write(made.templates / "notebooks" / "walk.py.j2", NOTEBOOK)
    projects.run(made, settings={"coin": {"tosses": "12"}})
    document = report.render(made)
    record = provenance.of_report(document, Pages({5: {2: 1}, 999: {3: 1}}))
    provenance.write(made.provenance, record | {"claims": [CLAIM]})
    made.latex.mkdir()
    (made.latex / "report.tex").write_text(document.text)
    sheet = cells.render(made, "walk")
    provenance.write(notebooks.provenance_path(made, "walk"), provenance.of_notebook(sheet))
    return made


def rewrite(path: Path, **fields: Any) -> None:
    """Change fields of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
