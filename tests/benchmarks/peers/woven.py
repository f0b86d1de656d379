"""The small report as one document that holds its code: knitr (R) and PythonTeX."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from .report import FIGURES, NAMES, PREAMBLE, SLOW, WALK, body, document, graphics, latex
from .tool import PYTHON, Tool, put

R_WALK = """\
walk <- function(steps, seed) {
  set.seed(seed)
  places <- c(0, cumsum(sample(c(-1, 1), steps, replace = TRUE)))
  turns <- sum(diff(diff(places)) != 0)
  list(places = places, mean = mean(places), std = sd(places), low = min(places), high = max(places),
       median = median(places), final = places[steps + 1], turns = turns / steps)
}
"""


def write_knitr(folder: Path) -> None:
    """Write a document for knitr, each computation and each figure in a cached chunk of its own."""

    def chunks(name: str) -> str:
        wait = "; Sys.sleep(1)" if name == SLOW else ""
        seed = NAMES.index(name)
        run = f"<<run-{name}, cache=TRUE>>=\n{name} <- walk(steps = 1000, seed = {seed}){wait}\n@\n"
        options = f"cache=TRUE, dependson='run-{name}', fig.width=3, fig.height=2, fig.show='hide'"
        plot = f"plot({name}$places, type = 'l', col = '#000100', xlab = 'step', ylab = 'place')"
        return run + (f"<<plot-{name}, {options}>>=\n{plot}\n@\n" if name in FIGURES else "")

    setup = (
        "<<setup, include=FALSE>>=\nlibrary(knitr)\n"
        f"opts_chunk$set(echo=FALSE, fig.path='figures/', autodep=FALSE)\n{R_WALK}@\n"
    )
    markup = latex(
        lambda name, key: rf"\Sexpr{{format({name}${key}, digits=3)}}",
        lambda name: rf"\includegraphics{{figures/plot-{name}-1.pdf}}",
    )
    text = setup + "".join(map(chunks, NAMES)) + body(markup)
    put(folder, {"report.Rnw": document(PREAMBLE, text), "Makefile": KNITR_MAKEFILE})


KNITR_MAKEFILE = """\
report.pdf: report.tex
\tlatexmk -pdf -interaction=nonstopmode $<

report.tex: report.Rnw
\tRscript -e 'knitr::knit("$<", quiet = TRUE)'
"""


@cache
def knitr_is_missing() -> str | None:
    """Return what is missing for knitr."""
    found = (
        shutil.which("Rscript")
        and not subprocess.run(
            ["Rscript", "-e", "library(knitr); library(codetools)"], capture_output=True, check=False
        ).returncode
    )
    return None if found else "the Debian packages r-cran-knitr and r-cran-codetools"


LATEXMKRC = """\
$pdf_mode = 1;
$pythontex = 'pythontex %O %S';
$extra_rule_spec{'pythontex'} = [ 'internal', '', 'mypythontex', "%Y%R.pytxcode",
    "%Ypythontex-files-%R/%R.pytxmcr", "%R", 1 ];
push @generated_exts, 'pytxcode';

sub mypythontex {
    my $ret = Run_subst( $pythontex, 2 );
    rdb_add_generated( glob $aux_dir1."pythontex-files-$$Pbase/*" );
    return $ret;
}
"""
"""The rule that latexmk's own examples have for PythonTeX, without dependencies on other files."""


def write_pythontex(folder: Path) -> None:
    """Write a document for PythonTeX, each experiment in a session of its own: these run again alone."""

    def session(name: str) -> str:
        wait = "time.sleep(1)\n" if name == SLOW else ""
        colour = "#000100" if name == FIGURES[0] else "black"
        figure = (
            'from matplotlib.figure import Figure\nfigure = Figure(figsize=(3, 2), layout="constrained")\n'
            f'figure.add_subplot(xlabel="step", ylabel="place").plot(places, color="{colour}")\n'
            f'figure.savefig("figures/{name}.pdf")\n'
        )
        return (
            f"\\begin{{pycode}}[{name}]\nimport random, statistics, time\n{WALK}\nSTEPS = 1000\n{wait}"
            f"places, said = walk(STEPS, {NAMES.index(name)})\n"
            f"{figure if name in FIGURES else ''}\\end{{pycode}}\n"
        )

    markup = latex(
        lambda name, key: rf'\py[{name}]{{f"{{said["{key}"]:.3g}}"}}'.replace('said["', "said['").replace(
            '"]', "']"
        ),
        lambda name: rf"\IfFileExists{{figures/{name}.pdf}}{{{graphics(name)}}}{{}}",
    )
    preamble = PREAMBLE + "\\usepackage{pythontex}\n\\setpythontexworkingdir{.}\n"
    text = "".join(map(session, NAMES)) + body(markup)
    put(folder, {"report.tex": document(preamble, text), "latexmkrc": LATEXMKRC})
    (folder / "figures").mkdir()


def pythontex_is_missing() -> str | None:
    """Return what is missing for PythonTeX."""
    known = subprocess.run(["kpsewhich", "pythontex.sty"], capture_output=True, check=False)
    found = shutil.which("pythontex") and known.returncode == 0
    return None if found else "the Debian package texlive-extra-utils"


PEERS = (
    Tool(
        "knitr",
        write=write_knitr,
        command=("make",),
        edits={
            "sentence": ("report.Rnw", r"edited (\d+) times"),
            "colour": ("report.Rnw", rf"plot\({FIGURES[0]}\$places, type = 'l', col = '#(\d+)'"),
            "constant": ("report.Rnw", rf"{SLOW} <- walk\(steps = (\d+)"),
        },
        missing=knitr_is_missing,
    ),
    Tool(
        "PythonTeX",
        write=write_pythontex,
        command=("latexmk", "-interaction=nonstopmode", "report.tex"),
        edits={
            "sentence": ("report.tex", r"edited (\d+) times"),
            "colour": ("report.tex", r'color="#(\d+)"'),
            "constant": ("report.tex", r"STEPS = (\d+)\ntime.sleep"),
        },
        missing=pythontex_is_missing,
        environment=PYTHON,
    ),
)
