"""The small report made by labreport."""

from __future__ import annotations

from pathlib import Path

from measuring import LABREPORT

from .report import FIGURES, NAMES, OUR_PREAMBLE, SLOW, WALK, body, document, latex
from .tool import Tool, put

EXPERIMENT = '''\
"""Where does walk {name} go?"""

import random
import statistics
import time
from dataclasses import dataclass

from matplotlib.figure import Figure

COLOUR = "#000100"


@dataclass(frozen=True)
class Params:
    steps: int = 1000
    seed: int = {seed}


def run(params, lab):
    places, said = walk(params.steps, params.seed)
    {wait}
    return {{"walk": places, **said}}


{walk}
'''
DRAW = """

def draw(result, lab):
    figure = Figure(figsize=(3, 2), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="place")
    axes.plot(result.values["walk"], color=COLOUR)
    lab.figure("walk", figure, alt="A random walk.")
"""


def write(folder: Path) -> None:
    """Write labreport's project."""
    markup = latex(
        lambda name, key: rf"\VAR{{{name}.values.{key}|num}}",
        lambda name: rf"\VAR{{{name}.figures.walk|figure}}",
    )
    experiments = {}
    for seed, name in enumerate(NAMES):
        wait = "time.sleep(1)" if name == SLOW else "time.sleep(0)"
        text = EXPERIMENT.format(name=name, seed=seed, walk=WALK, wait=wait)
        experiments[f"experiments/{name}.py"] = text + (DRAW if name in FIGURES else "")
    toml = 'title = "Six walks"\npreload = ["matplotlib.figure"]\n'
    template = document(OUR_PREAMBLE, body(markup))
    put(folder, {"report.toml": toml, "report_templates/report.tex.j2": template, **experiments})


OURS = Tool(
    "labreport",
    write=write,
    command=LABREPORT,
    only_pdf=(*LABREPORT, "pdf"),
    pdf="build/report.pdf",
    edits={
        "sentence": ("report_templates/report.tex.j2", r"edited (\d+) times"),
        "colour": (f"experiments/{FIGURES[0]}.py", r'COLOUR = "#(\d+)"'),
        "constant": (f"experiments/{SLOW}.py", r"steps: int = (\d+)"),
    },
    missing=lambda: None,
)
