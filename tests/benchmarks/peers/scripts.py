"""The small report made of scripts in an order that make, DVC, Snakemake or Calkit know."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

from measuring import ROOT

from .report import (
    FIGURES,
    NAMES,
    OUR_PREAMBLE,
    PREAMBLE,
    SLOW,
    WALK,
    Markup,
    body,
    computation,
    document,
    latex,
)
from .tool import BENCH, PYTHON, Tool, program, put

COMPUTE = """\
import json
import random
import statistics
import time

{constants}

{walk}

places, said = walk(STEPS, SEED)
with open("results/{name}.json", "w") as file:
    json.dump({{"walk": places, **said}}, file)
"""
PLOT = """\
import json

from matplotlib.figure import Figure

COLOUR = "#000100"

with open("results/{name}.json") as file:
    places = json.load(file)["walk"]
figure = Figure(figsize=(3, 2), layout="constrained")
axes = figure.add_subplot(xlabel="step", ylabel="place")
axes.plot(places, color=COLOUR)
figure.savefig("figures/{name}.{kind}")
"""
VALUES = """\
import json
import sys

with open("values.tex", "w") as out:
    for name in sys.argv[1:]:
        with open(f"results/{name}.json") as file:
            for key, value in json.load(file).items():
                if key != "walk":
                    out.write(f"\\\\newcommand{{\\\\{name}{key}}}{{{value:.3g}}}\\n")
"""
LATEXMK = "latexmk -pdf -interaction=nonstopmode report.tex"
EDITS = {
    "sentence": ("report.tex", r"edited (\d+) times"),
    "colour": (f"scripts/plot_{FIGURES[0]}.py", r'COLOUR = "#(\d+)"'),
    "constant": (f"scripts/{SLOW}.py", r"STEPS = (\d+)"),
}


def write_scripts(folder: Path, kind: str = "pdf") -> None:
    """Write a script for each experiment and one for its figure."""
    for name in NAMES:
        put(folder, {f"scripts/{name}.py": COMPUTE.format(name=name, constants=computation(name), walk=WALK)})
    for name in FIGURES:
        put(folder, {f"scripts/plot_{name}.py": PLOT.format(name=name, kind=kind)})
    (folder / "results").mkdir()
    (folder / "figures").mkdir()


def write_latex(folder: Path, files: dict[str, str], preamble: str = PREAMBLE) -> None:
    """Write what the tools with LaTeX share: values reach the text as macros, the usual way."""
    write_scripts(folder)
    markup = latex(lambda name, key: rf"\{name}{key}{{}}")
    text = document(f"{preamble}\\input{{values}}\n", body(markup))
    put(folder, {"scripts/values.py": VALUES, "report.tex": text, **files})


MAKEFILE = f"""\
NAMES := {" ".join(NAMES)}
FIGURES := {" ".join(FIGURES)}

report.pdf: report.tex values.tex $(FIGURES:%=figures/%.pdf)
\t{LATEXMK}

values.tex: scripts/values.py $(NAMES:%=results/%.json)
\tpython $< $(NAMES)

results/%.json: scripts/%.py
\tpython $<

figures/%.pdf: scripts/plot_%.py results/%.json
\tpython $<

.SECONDARY:
"""

SNAKEFILE = f"""\
NAMES = {list(NAMES)}
FIGURES = {FIGURES}

rule report:
    input: "report.tex", "values.tex", expand("figures/{{name}}.pdf", name=FIGURES)
    output: "report.pdf"
    shell: "{LATEXMK}"

rule values:
    input: "scripts/values.py", expand("results/{{name}}.json", name=NAMES)
    output: "values.tex"
    shell: "python {{input[0]}} {{NAMES}}"

rule compute:
    input: "scripts/{{name}}.py"
    output: "results/{{name}}.json"
    shell: "python {{input}}"

rule plot:
    input: "scripts/plot_{{name}}.py", "results/{{name}}.json"
    output: "figures/{{name}}.pdf"
    shell: "python {{input[0]}}"
"""

DVC = f"""\
stages:
  compute:
    foreach: [{", ".join(NAMES)}]
    do:
      cmd: python scripts/${{item}}.py
      deps: ["scripts/${{item}}.py"]
      outs: ["results/${{item}}.json"]
  plot:
    foreach: [{", ".join(FIGURES)}]
    do:
      cmd: python scripts/plot_${{item}}.py
      deps: ["scripts/plot_${{item}}.py", "results/${{item}}.json"]
      outs: ["figures/${{item}}.pdf"]
  values:
    cmd: python scripts/values.py {" ".join(NAMES)}
    deps: [scripts/values.py, {", ".join(f"results/{name}.json" for name in NAMES)}]
    outs: [values.tex]
  report:
    cmd: {LATEXMK}
    deps: [report.tex, values.tex, {", ".join(f"figures/{name}.pdf" for name in FIGURES)}]
    outs: [report.pdf]
"""


def write_dvc(folder: Path) -> None:
    """Write a DVC repository without git, which would only cost it time."""
    write_latex(folder, {"dvc.yaml": DVC})
    put(
        folder,
        {".dvc/config": "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n"},
    )
    (folder / ".dvc/tmp").mkdir()


def lacking(name: str) -> str | None:
    """Return what is missing of a peer that pip installs."""
    return None if any(BENCH.glob(f"lib/*/site-packages/{name}")) else f"`make bench-peers` installs {name}"


def write_calkit(folder: Path) -> None:
    """Write a Calkit project; it wants git. It makes its own DVC pipeline of its stages."""

    def stage(name: str, command: str, inputs: list[str], output: str) -> str:
        return (
            f"    {name}:\n      kind: shell-command\n      environment: _system\n      command: {command}\n"
            f"      inputs: {inputs}\n      outputs: [{output}]\n"
        )

    computed = [f"results/{name}.json" for name in NAMES]
    drawn = [f"figures/{name}.pdf" for name in FIGURES]
    stages = [
        *(stage(n, f"python scripts/{n}.py", [f"scripts/{n}.py"], f"results/{n}.json") for n in NAMES),
        *(
            stage(
                f"plot-{n}",
                f"python scripts/plot_{n}.py",
                [f"scripts/plot_{n}.py", f"results/{n}.json"],
                f"figures/{n}.pdf",
            )
            for n in FIGURES
        ),
        stage(
            "values",
            f"python scripts/values.py {' '.join(NAMES)}",
            ["scripts/values.py", *computed],
            "values.tex",
        ),
        stage("report", LATEXMK, ["report.tex", "values.tex", *drawn], "report.pdf"),
    ]
    write_latex(folder, {"calkit.yaml": f"pipeline:\n  stages:\n{''.join(stages)}"})
    for command in (["git", "init", "-q"], [program("dvc"), "--quiet", "init"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


TYPST_MAKEFILE = f"""\
NAMES := {" ".join(NAMES)}
FIGURES := {" ".join(FIGURES)}

report.pdf: report.typ $(NAMES:%=results/%.json) $(FIGURES:%=figures/%.svg)
\t"$(TYPST)" -c 'import typst; typst.compile("report.typ", output="report.pdf")'

results/%.json: scripts/%.py
\tpython $<

figures/%.svg: scripts/plot_%.py results/%.json
\tpython $<

.SECONDARY:
"""


def write_typst(folder: Path) -> None:
    """Write a document for Typst, which reads the results itself; make knows the order."""
    write_scripts(folder, "svg")
    head = "".join(f'#let {name} = json("results/{name}.json")\n' for name in NAMES)
    markup = Markup(
        heading=lambda title, label: f"= {title} <sec:{label}>",
        value=lambda name, key: f"#calc.round({name}.{key}, digits: 3)",
        figure=lambda name: f'#figure(image("figures/{name}.svg"), caption: [Walk {name}.]) <fig:{name}>',
        table=lambda name, rows: (
            "#figure(table(columns: 2, [what], [value], "
            + ", ".join(f"[{what}], [{number}]" for what, number in rows)
            + f"), caption: [Numbers of walk {name}.]) <tab:{name}>"
        ),
        reference=lambda label: f"@{label}",
    )
    put(folder, {"report.typ": head + "= Six walks\n" + body(markup), "Makefile": TYPST_MAKEFILE})


def write_with_ours(folder: Path) -> None:
    """Write the project for make with what labreport's documents load."""
    write_latex(folder, {"Makefile": MAKEFILE}, OUR_PREAMBLE)
    shutil.copy(ROOT / "src" / "labreport" / "documents" / "labreport.sty", folder)


JOBS = "-j"
PLAIN = Tool(
    "make + latexmk",
    write=partial(write_latex, files={"Makefile": MAKEFILE}),
    command=("make", JOBS),
    edits=EDITS,
    missing=lambda: None if shutil.which("make") else "the Debian package make",
    environment=PYTHON,
)
PEERS = (
    PLAIN,
    replace(PLAIN, name="make + latexmk, labreport.sty", write=write_with_ours),
    Tool(
        "DVC + latexmk",
        write=write_dvc,
        command=(program("dvc"), "repro"),
        edits=EDITS,
        missing=partial(lacking, "dvc"),
        environment=PYTHON,
    ),
    Tool(
        "Snakemake + latexmk",
        write=partial(write_latex, files={"Snakefile": SNAKEFILE}),
        command=(program("snakemake"), "--cores", "all"),
        edits=EDITS,
        missing=partial(lacking, "snakemake"),
        environment=PYTHON,
    ),
    Tool(
        "Calkit",
        write=write_calkit,
        command=(program("calkit"), "run"),
        edits=EDITS,
        missing=partial(lacking, "calkit"),
        environment={"PATH": f"{PYTHON['PATH']}:{BENCH / 'bin'}", "CALKIT_TELEMETRY": "0"},
    ),
    Tool(
        "make + Typst",
        write=write_typst,
        command=("make", JOBS, f"TYPST={program('python')}"),
        edits={**EDITS, "sentence": ("report.typ", r"edited (\d+) times")},
        missing=partial(lacking, "typst"),
        environment=PYTHON,
    ),
)
