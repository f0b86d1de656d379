"""A report that keeps every rule of a hand-in, one that breaks most, and what the checks find in them."""

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import projects

from labreport import project as project_module
from labreport.checks import CHECKS
from labreport.checks.material import Material
from labreport.documents import report
from labreport.handin import bundle

TOML = """\
subtitle = "A test"
authors = ["A. Author"]
[questions]
"1" = "What comes out?"
"2(a)" = "And why?"
[constants]
"100 %" = "a figure of speech"
"""

EXPERIMENT = projects.experiment(
    """
    def run(params, lab):
        loss = {"mean": 0.0534, "std": 0.121, "n": 1000}
        return {"n": 3, "first": 0.2526, "second": 0.2294, "loss": loss}

    def draw(result, lab):
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(3, 2), layout="constrained")
        axes.plot([1, 2], [1, 4], label="a")
        axes.plot([1, 2], [2, 3], label="b")
        axes.set(xlabel="epoch", ylabel="loss (nats)")
        axes.legend()
        lab.figure("good", figure, alt="Two lines that rise.")
        axes.get_legend().remove()
        axes.set(xlabel="", ylabel="")
        axes.text(1, 2, "tiny 李", fontsize=5)
        figure.text(0.9, 0.5, "far beyond the edge")
        pyplot.rcParams["pdf.fonttype"] = 3
        lab.figure("bad", figure, alt="Two lines without any words.")
        pyplot.rcParams["pdf.use14corefonts"] = True
        lab.figure("core", figure, alt="Two lines that rise!")
    """
)
MODULE = '''\
"""A module."""

import math


def first(x):
    """Return the first."""
    return math.sin(x)


def second(x):
    y = x + 1
    return y * y
'''
GOOD = r"""
\documentclass{article}
\usepackage[article]{labreport}
\hypersetup{pdftitle={\VAR{report.title}}, pdfsubject={\VAR{report.subtitle}}, pdfauthor={A. Author}}
\begin{document}
\section{One}\label{sec:one}
\BLOCK{answer "1"}
\Cref{fig:good,tab:one} show that \VAR{exp.values.n|integer} comes out
\citep[p.~5]{knuth1984}, \cref{lst:first}.
\BLOCK{endanswer}
% \cref{fig:nothing} is a comment, and so is \caption{this}
\begin{figure}
  \VAR{exp.figures.good|figure}
  \caption[Short]{The loss [in nats] rises {again}, 100\,\% sure.}
  \label{fig:good}
\end{figure}
\begin{table}
  \caption{A table.\label{tab:one}}
  \begin{tabular}{l}\toprule a \\ \bottomrule\end{tabular}
\end{table}
\begin{listing}
  \caption{A function.}
  \label{lst:first}
  \VAR{excerpt("m:first")}
\end{listing}
\clearpage
\BLOCK{answer "2(a)"}
Because of \cref{sec:one}; see \url{https://example.org/a_b?c=%20d#e} and \href{mailto:a@example.org}{a}.
\BLOCK{endanswer}
\bibliographystyle{plainnat}
\bibliography{references}
\end{document}
"""
BAD = r"""
\documentclass{article}
\usepackage[article]{labreport}
\date{\today} % and \today
\begin{document}
\section{One}\label{sec:one}
\BLOCK{answer "1"} The second of 18 runs is better. \BLOCK{endanswer} Hardly: its loss is
\VAR{exp.values.second|num}, that of the first \VAR{exp.values.first|num} or
\VAR{exp.values.first|num(digits=2)}, the difference
\VAR{(exp.values.first - exp.values.second)|num(digits=2)}; all \VAR{exp.values.loss|pm}.
\citet{knuth1984}, \cref{sec:one},
\cref{fig:bad,fig:early,tab:none}

\begin{figure}
  \VAR{exp.figures.bad|figure}
  \caption{Two lines: without \emph{any} words!}
  \label{fig:bad}
\end{figure}
\begin{figure}\label{fig:early}
  \VAR{exp.figures.good|figure(width="4cm")}\resizebox{3cm}{!}{\VAR{exp.figures.good|figure}}
  \caption{A figure with its label before the caption.}
\end{figure}
\begin{figure*}\VAR{exp.figures.core|figure}\label{fig:alone} See \cref{fig:alone}.\end{figure*}
\begin{table}\caption{A table without a label.}\begin{tabular}{l}a\end{tabular}\end{table}

\includegraphics{figures/exp-good.pdf}

\begin{tabular}{l}\toprule a \\ \bottomrule\end{tabular}
\begin{longtable}{l}\caption{}\label{tab:none}\\ a \end{longtable}

\VAR{excerpt("m:first")}
\VAR{excerpt("m:second")}

\begin{verbatim}
LONG
\end{verbatim}

\noindent\rule{170mm}{1pt}

\href{htp:/nowhere}{a}, \hyperlink{no-such-place}{b}
\clearpage\thispagestyle{empty}\null\clearpage
\bibliographystyle{plainnat}
\bibliography{references}
\end{document}
"""
BIB = "@book{knuth1984, author={D. Knuth}, title={T}, publisher={A}, year={1984}}\n"
UNUSED = "@misc{unused, title={Never}}\n"
META = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LIBRARIES = [re.split(r"[^\w-]", requirement)[0] for requirement in META["dependencies"]]
README = f"Run `python main.py`. Libraries: {', '.join(LIBRARIES)}."
CONSTRAINTS = "\n".join(f"{name}=={version(name)}" for name in LIBRARIES)
MAIN = 'if __name__ == "__main__":\n    pass\n'


def notebook(**cell):
    code = {"cell_type": "code", "source": "1 + 1", "execution_count": 1, "outputs": [], "metadata": {}}
    text = {"cell_type": "markdown", "source": "# T", "metadata": {}}
    empty = {**code, "source": [], "execution_count": None}
    return json.dumps({"cells": [text, {**code, **cell}, empty], "nbformat": 4, "nbformat_minor": 5})


def made(folder: Path, template: str, bib: str) -> project_module.Project:
    """Make the report of a folder with this main template; its results are there."""
    projects.write(folder / "report_templates" / "report.tex.j2", template.lstrip())
    projects.write(folder / "report_templates" / "references.bib", bib)
    project = project_module.load(folder)
    report.make(project)
    return project


def pack(project, **changes: bytes | str | None) -> None:
    """Write a hand-in; `changes` are files of the zip to set, or to leave out."""
    packed = [
        p for p in project.root.rglob("*") if p.is_file() and p.suffix in (".py", ".j2", ".bib", ".toml")
    ]
    files = {p.relative_to(project.root).as_posix(): p.read_bytes() for p in packed if "build" not in p.parts}
    files |= {"README.txt": README, "main.py": MAIN, "notebooks/One.ipynb": notebook()}
    files |= {"constraints.txt": CONSTRAINTS}
    data = {
        name: content.encode() if isinstance(content, str) else content
        for name, content in (files | changes).items()
        if content is not None
    }
    bundle.publish(project, {"report.pdf": project.pdf.read_bytes()}, data)


def places(name: str, material: Material | project_module.Project) -> list[str]:
    """Return what a check finds, each as one text."""
    row = next(row for row in CHECKS if row.name == name)
    material = material if isinstance(material, Material) else Material(material, {})
    found = row.find(material)
    return [f"{where}: {what}" for where, what in (*found.places, *found.lacking)]


def note(name: str, project) -> str:
    row = next(row for row in CHECKS if row.name == name)
    return row.find(Material(project, {})).note


def line(project, text: str) -> str:
    """Return the place of a text in the main template."""
    source = (project.templates / "report.tex.j2").read_text()
    assert source.count(text) == 1
    return f"report_templates/report.tex.j2:{source.count(chr(10), 0, source.index(text)) + 1}"
