r"""Single faults at random places of a small report: is each told where it is, within one line?

A fault is a row of `FAULTS`: one of the places that match is chosen at random and edited.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from labreport import project as projects
from labreport import running
from labreport.documents import report
from labreport.errors import LabreportError
from torture.trial import Trial

EXPERIMENT = '''\
"""How often do coins fall on heads?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Params:
    seed: int = 0


def run(params, lab):
    return {"share": 0.52, "tosses": 100, "error": 0.05, "coins": ["old", "new"]}


def draw(result, lab):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(3, 2))
    axes.bar(["old", "new"], [23, 29])
    axes.set(xlabel="coin", ylabel="heads")
    lab.figure("bars", figure, alt="Bars of 23 and 29 heads.")
'''

MAIN = r"""\documentclass{article}
\usepackage[article]{labreport}
\usepackage{multicol}
\usepackage{enumitem}
\usepackage{coins}
%# a comment of the template
\newcommand{\coin}[1]{\textsc{#1} coin}
\newcommand{\heads}{%
  \ensuremath{h}%
}
\title{\VAR{report.title}}
\begin{document}
\maketitle
\BLOCK{include "sections/introduction.tex.j2"}
\BLOCK{include "sections/methods.tex.j2"}

\BLOCK{include "sections/results.tex.j2"}
\input{notes}
\bibliographystyle{plainnat}
\bibliography{references}
\end{document}
"""
INTRODUCTION = r"""\section{Introduction}
\label{sec:introduction}
Coins are tossed in many experiments, and some of them
are thought to be biased. We toss \VAR{coins.values.tosses|num} coins
and count the heads that are seen.

Others have done so before us \citep{kerrich1946}, and have
reported a share close to one half \citep{pearson1900}. Their
coins were chosen at random and tossed by hand.

Our question is whether a coin that was minted lately
falls on heads as often as an old one does.
The results are in \cref{sec:results}.
"""
METHODS = r"""\section{Methods}
\label{sec:methods}
The \coin{old} and the \coin{new} were tossed in turn.
\begin{itemize}
  \item The person who tossed did not know the question.
  \item The person who counted did not know the coin.
\end{itemize}
The share of heads is estimated as
\begin{equation}
  \hat{p} = \frac{\heads}{n},
  \label{eq:share}
\end{equation}
where \heads{} counts the heads and $n$ the tosses. Its error
is that of a binomial distribution\footnote{As long as the tosses
are independent, which nobody doubts.} and \cref{eq:share} is unbiased.

\BLOCK{for coin in coins.values.coins}
The \VAR{coin} coin was tossed fifty times.
\BLOCK{if coin == "new"}
It was minted this year.
\BLOCK{endif}
\BLOCK{endfor}
\subsection{Counting}
Heads were counted by two persons, who agreed.
"""
RESULTS = r"""\section{Results}
\label{sec:results}
The share of heads was \VAR{coins.values.share|num(decimals=2)}, with a standard error
of \VAR{coins.values.error|num(decimals=3)}. \Cref{tab:coins} has the counts,
and \cref{fig:bars} shows them.
\begin{figure}
  \centering
  \VAR{coins.figures.bars|figure}
  \caption{Heads of both coins, fifty tosses each. The difference
    is within its error.}
  \label{fig:bars}
\end{figure}
\begin{table}
  \centering
  \caption{Counts of heads for each of the coins.}
  \label{tab:coins}
  \BLOCK{include "tables/coins.tex.j2"}
\end{table}
\BLOCK{claim "biased", coins.values.share > 0.5}
More than one half of the tosses gave heads.
\BLOCK{otherwise}
\mint{Not} more than one half of the tosses gave heads.
\BLOCK{endclaim}

Both coins are as good as \coin{any}. Nothing speaks
against the use of either.
"""
TABLE = r"""\begin{tabular}{lrr}
  \toprule
  Coin & Heads & Share \\
  \midrule
  old & 23 & 0.46 \\
  \VAR{coins.values.coins[1]} & 29 & 0.58 \\
  \bottomrule
\end{tabular}
"""
NOTES = r"""\section{Notes}
These notes are plain text that no
template has made; they end the report.
"""
STYLE = r"""\ProvidesPackage{coins}
\RequirePackage{xspace}
\newcommand{\mint}[1]{\emph{#1}}
\setlength{\parskip}{2pt}
\endinput
"""
BIBLIOGRAPHY = r"""@book{kerrich1946,
  author = {Kerrich, John Edmund},
  title = {An Experimental Introduction to the Theory of Probability},
  publisher = {Munksgaard},
  address = {Copenhagen},
  year = {1946},
}

@article{pearson1900,
  author = {Pearson, Karl},
  title = {On the Criterion that a Given System of Deviations},
  journal = {Philosophical Magazine},
  year = {1900},
  volume = {50},
  pages = {157--175},
}
"""
FILES = {
    "report.tex.j2": MAIN,
    "sections/introduction.tex.j2": INTRODUCTION,
    "sections/methods.tex.j2": METHODS,
    "sections/results.tex.j2": RESULTS,
    "tables/coins.tex.j2": TABLE,
    "notes.tex": NOTES,
    "coins.sty": STYLE,
    "references.bib": BIBLIOGRAPHY,
}


@dataclass(frozen=True)
class Fault:
    """A kind of fault: in which files which text becomes which; `shift` lines below lies the fault itself."""

    kind: str
    files: str
    old: str
    new: str
    shift: int = 0


_PROSE = r"^(?=[A-Za-z][^\\\n]*$)((?:\S+ ){1,4})"  # the beginning of a line of words
_TEXT = r"sections/.*|notes\.tex"
_TEMPLATE = r"sections/.*"
_KEY = r"(coins\.\w+\.\w+)(?=[|\[])"

FAULTS = (
    # what the template language tells
    Fault("misspelt name", r".*j2", r"\\VAR\{coins\b", r"\\VAR{cions"),
    Fault("misspelt key", r".*j2", r"coins\.values\.(\w+)(?=[|])", r"coins.values.\1x"),
    Fault("misspelt filter", r".*j2", r"\|(num|figure)\b", r"|\1x"),
    Fault("misspelt option of a format", r".*j2", r"decimals=", "decimal="),
    Fault("value of an option", r".*j2", r"decimals=\d", 'decimals="two"'),
    Fault("unclosed \\VAR", r".*j2", r"(\\VAR\{[^}]*)\}", r"\1"),
    Fault("unclosed \\BLOCK", _TEMPLATE, r"(\\BLOCK\{(?:for|if|claim)[^}]*)\}", r"\1"),
    Fault("misspelt statement", r".*j2", r"\\BLOCK\{(for|if|include|claim)", r"\\BLOCK{\1e"),
    Fault("missing endif", _TEMPLATE, r"\\BLOCK\{endif\}\n", "", shift=-2),
    Fault("missing endfor", _TEMPLATE, r"\\BLOCK\{endfor\}\n", "", shift=-5),
    Fault("missing endclaim", _TEMPLATE, r"\\BLOCK\{endclaim\}\n", "", shift=-4),
    Fault("endfor too many", _TEMPLATE, _PROSE, r"\\BLOCK{endfor}\1"),
    Fault("missing template", r".*j2", r'include "', 'include "x'),
    Fault("sum of a text and a number", _TEMPLATE, _PROSE, r"\1\\VAR{coins.values.coins[0] + 1} "),
    Fault("zero division", _TEMPLATE, _PROSE, r"\1\\VAR{(coins.values.share / 0)|num} "),
    # in the text
    Fault("undefined macro in text", _TEXT, _PROSE, r"\1\\undefinedmacro{} "),
    Fault("misspelt macro", _TEMPLATE, r"\\coin\{", r"\\cion{"),
    Fault("undefined macro in a heading", _TEXT, r"\\(sub)?section\{", r"\\\1section{\\nosuch "),
    Fault("undefined macro in a caption", _TEXT, r"\\caption\{", r"\\caption{\\nosuch "),
    Fault("undefined macro at the end of a caption", _TEXT, r"is within its", r"is \\nosuch its"),
    Fault("undefined macro in a footnote", _TEXT, r"are independent", r"are \\nosuch"),
    Fault("undefined macro in a cell", r"tables/.*", r"& (\d)", r"& \\nosuch \1"),
    Fault("undefined macro in mathematics", _TEXT, r"\\frac|\$n", r"\\nosuch \g<0>"),
    Fault(
        "missing closing brace", _TEMPLATE, r"(\\(?:coin|emph|section|label|cref|citep)\{[^{}\n]*)\}", r"\1"
    ),
    Fault("missing opening brace", _TEMPLATE, r"(\\(?:coin|section|label|cref|citep))\{", r"\1 "),
    Fault("brace too many", _TEXT, _PROSE, r"\1} "),
    Fault("open brace", _TEXT, _PROSE, r"\1{ "),
    Fault("dollar", _TEXT, _PROSE, r"\1$ "),
    Fault("ampersand", _TEXT, _PROSE, r"\1& "),
    Fault("underscore", _TEXT, _PROSE, r"\1x_1 "),
    Fault("hash", _TEXT, _PROSE, r"\1# "),
    Fault("double superscript", _TEXT, _PROSE, r"\1$x^2^3$ "),
    Fault("unclosed environment", _TEXT, r"\\end\{(itemize|equation|figure|table)\}\n", "", shift=None),
    Fault("wrong end", _TEXT, r"\\end\{(itemize|equation|figure|table|tabular)\}", r"\\end{center}"),
    Fault("misspelt environment", _TEXT, r"\\begin\{itemize\}", r"\\begin{itemise}"),
    Fault("unknown environment", _TEXT, _PROSE, r"\1\\begin{nosuch}x\\end{nosuch} "),
    Fault("missing \\item", _TEXT, r"(\\begin\{itemize\}\n)  \\item", r"\1 ", shift=1),
    Fault("\\item outside of a list", _TEXT, _PROSE, r"\1\\item "),
    Fault("extra alignment tab", r"tables/.*", r"& (\d+) &", r"& \1 & 7 &"),
    Fault("line end where there is no line", _TEXT, r"^\n(?=[A-Z])", r"\n\\\\\n", shift=1),
    Fault("verbatim in an argument", _TEXT, r"\\section\{", r"\\section{\\verb|x| "),
    Fault("missing number", _TEXT, _PROSE, r"\1\\hspace{wide} "),
    Fault("dimension without a unit", _TEXT, _PROSE, r"\1\\vspace{3} "),
    Fault("missing figure", _TEXT, _PROSE, r"\1\\includegraphics{nosuch} "),
    Fault("missing \\input", r"sections/.*|report.*", r"\\input\{|^(?=Our|Both)", r"\\input{no}\g<0>"),
    Fault("unknown label", _TEXT, r"\\([cC])ref\{", r"\\\1ref{x"),
    Fault("unknown citation", _TEXT, r"\\citep\{", r"\\citep{x"),
    Fault("duplicate label", r"sections/[im].*", r"\\label\{(sec|eq):\w+\}", r"\\label{sec:results}"),
    Fault("runaway argument", _TEXT, r"(\\coin\{)(\w+)\}", r"\1\2\n\n}"),
    Fault("misplaced \\right", _TEXT, r"\\frac", r"\\right) \\frac"),
    Fault("unclosed \\left", _TEXT, r"\\frac", r"\\left( \\frac"),
    Fault("unknown character command", _TEXT, _PROSE, r"\1\\alpha "),
    Fault("misplaced \\noalign", r"tables/.*", r"old &", r"old \\hline &"),
    Fault("\\begin without name", _TEXT, _PROSE, r"\1\\begin "),
    Fault("unit", _TEXT, _PROSE, r"\1\\si{\\milli\\molarx} "),
    # the preamble, styles and the bibliography
    Fault("missing package", r"report.*|coins\.sty", r"\{(multicol|enumitem|xspace)\}", r"{\1x}"),
    Fault("option of a package", r"report.*", r"\\usepackage\{(multicol)\}", r"\\usepackage[nosuch]{\1}"),
    Fault(
        "option of a package of the project", r"report.*", r"\\usepackage\{coins\}", r"\\usepackage[x]{coins}"
    ),
    Fault("undefined macro in the preamble", r"report.*", r"^\\title", r"\\nosuch\n\\title"),
    Fault("undefined macro in a style", r"coins\.sty", r"^(?=\\newc|\\setl)", r"\\nosuch "),
    Fault("dimension in a style", r"coins\.sty", r"2pt", r"2"),
    Fault("undefined macro in a macro's body", r"report.*", r"(\\textsc|  \\ensuremath)", r"\\nosuch\1"),
    Fault("unclosed brace in the preamble", r"report.*", r"(\\newcommand\{\\coin\}\[1\]\{.*)\}", r"\1"),
    Fault("missing \\begin{document}", r"report.*", r"\\begin\{document\}\n", "", shift=None),
    Fault("bibliography style", r"report.*", r"\{plainnat\}", "{nosuch}"),
    Fault("bibliography", r"report.*", r"\\bibliography\{", r"\\bibliography{no"),
    Fault(
        "undefined macro in an entry",
        r"references\.bib",
        r"(title|author|address|journal) = \{",
        r"\1 = {\\nosuch ",
    ),
    Fault(
        "ampersand in an entry", r"references\.bib", r"(title|publisher|journal) = \{(\w+)", r"\1 = {\2 & Co"
    ),
    Fault(
        "underscore in an entry", r"references\.bib", r"(title|publisher|journal) = \{(\w+)", r"\1 = {\2 x_1"
    ),
    Fault("dollar in an entry", r"references\.bib", r"(title|publisher|journal) = \{(\w+)", r"\1 = {\2 $x_1"),
    Fault("missing comma in an entry", r"references\.bib", r"\},(?=\n  (?:y|t|a|v|p))", "}"),
    Fault("missing brace in an entry", r"references\.bib", r"(title = \{.*)\},", r"\1,"),
    Fault("unknown type of entry", r"references\.bib", r"@(book|article)", r"@\1x"),
    Fault("entry without a key", r"references\.bib", r"@(\w+)\{\w+,", r"@\1{"),
    Fault("duplicate entry", r"references\.bib", r"\{pearson1900", "{kerrich1946"),
)


@dataclass(frozen=True)
class Injected:
    """A fault in its place: the changed file with its text, and the line of the fault."""

    fault: Fault
    file: str
    text: str
    line: int


def injected(number: int, seed: int) -> Iterator[Injected]:
    """Yield this many faults; each kind has its turn, its place is chosen at random."""
    chance = random.Random(seed)
    for turn in range(number):
        fault = FAULTS[turn % len(FAULTS)]
        found = [
            (file, match)
            for file, text in FILES.items()
            if re.fullmatch(fault.files, file)
            for match in re.finditer(fault.old, text, re.MULTILINE)
        ]
        file, match = chance.choice(found)
        text = FILES[file][: match.start()] + match.expand(fault.new) + FILES[file][match.end() :]
        line = FILES[file].count("\n", 0, match.start()) + 1
        yield Injected(fault, file, text, line + _shift(fault, file, match))


def _shift(fault: Fault, file: str, match: re.Match[str]) -> int:
    """Return how far below an edit its fault lies: where an end is missing, it is the beginning."""
    if fault.shift is not None:
        return fault.shift
    if match.lastindex is None:
        return 0
    begin = FILES[file].rfind(rf"\begin{{{match[1]}}}", 0, match.start())
    return -FILES[file].count("\n", begin, match.start())


def make(folder: Path) -> projects.Project:
    """Return the project without a fault, run, in a folder."""
    texts = {f"report_templates/{name}": text for name, text in FILES.items()}
    texts |= {"experiments/coins.py": EXPERIMENT, "report.toml": 'title = "Coins"\n'}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    project = projects.load(folder)
    errors = running.execute(project).errors
    if errors:
        raise errors[0]
    return project


def told(project: projects.Project, made: Injected) -> list[str]:
    """Return what building the project with a fault says, one text for each place: an error, or notices."""
    path = project.templates / made.file
    path.write_text(made.text, encoding="utf-8")
    try:
        return list(report.make(project).notices)
    except LabreportError as error:
        return str(error).splitlines()
    finally:
        path.write_text(FILES[made.file], encoding="utf-8")


def is_right(made: Injected, lines: Sequence[str]) -> bool:
    """Return whether what was said names the fault's place within one line."""
    near = "|".join(str(line) for line in range(made.line - 1, made.line + 2))
    place = re.compile(rf"report_templates/{re.escape(made.file)}:(?:{near})\b")
    return any(place.search(line) for line in lines)


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Yield whether each of so many faults is told within one line of its place."""
    with tempfile.TemporaryDirectory() as folder:
        project = make(Path(folder).resolve())
        for made in injected(count, seed):
            said = told(project, made)
            if is_right(made, said):
                yield Trial(made.fault.kind, "kept")
            else:
                yield Trial(made.fault.kind, "elsewhere", "\n".join([f"{made.file}:{made.line}", *said]))
