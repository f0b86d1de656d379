"""The small report that each tool makes: six experiments, five pages, 42 printed values.

Each experiment is a random walk. The first one takes a second more, as a longer computation would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
SLOW, *FIGURES = NAMES
"""The first experiment has no figure: a changed constant costs its second, and not a drawing as well."""
KEYS = ("mean", "std", "low", "high", "median", "final", "turns")

PREAMBLE = r"""\documentclass{article}
\usepackage{graphicx}
\usepackage{booktabs}
\usepackage{hyperref}
"""
OUR_PREAMBLE = "\\documentclass{article}\n\\usepackage[article]{labreport}\n"

WALK = '''\
def walk(steps, seed):
    """Return the places of a random walk and what is said of them."""
    generator = random.Random(seed)
    places = [0]
    for _ in range(steps):
        places.append(places[-1] + generator.choice((-1, 1)))
    tops = sum((b - a) * (c - b) < 0 for a, b, c in zip(places, places[1:], places[2:]))
    return places, {
        "mean": statistics.mean(places),
        "std": statistics.stdev(places),
        "low": min(places),
        "high": max(places),
        "median": statistics.median(places),
        "final": places[-1],
        "turns": tops / steps,
    }
'''


def computation(name: str) -> str:
    """Return the constants of an experiment, and the seconds that it takes."""
    sleep = "time.sleep(1)\n" if name == SLOW else ""
    return f"SEED = {NAMES.index(name)}\nSTEPS = 1000\n{sleep}"


@dataclass(frozen=True)
class Markup:
    """How a tool's document says what it says."""

    heading: Callable[[str, str], str]  # title, label
    value: Callable[[str, str], str]  # experiment, key
    figure: Callable[[str], str]
    table: Callable[[str, list[list[str]]], str]
    reference: Callable[[str], str]


FILLER = (
    "A walk of independent steps has no memory: wherever it stands, the next step goes up or down with equal "
    "chances. What looks like a trend in a single walk is none, and the eye finds patterns where there are "
    "only sums of coins. The spread of many such walks grows with the square root of their length. "
)


def body(markup: Markup) -> str:
    """Return the text of the report, without what stands before and behind it."""
    return "\n".join(_section(name, markup) for name in NAMES)


def _section(name: str, markup: Markup) -> str:
    def v(key: str) -> str:
        return markup.value(name, key)

    edited = " This sentence was edited 100 times." if name == NAMES[2] else ""
    shown = f"of {markup.reference(f'fig:{name}')} " if name in FIGURES else ""
    rows = [["mean", v("mean")], ["median", v("median")], ["turns per step", v("turns")]]
    return "\n".join(
        [
            markup.heading(f"Walk {name}", name),
            f"The walk {shown}ended at {v('final')}. On its way it was "
            f"between {v('low')} and {v('high')}, with a spread of {v('std')}; "
            f"{markup.reference(f'tab:{name}')} has the rest.{edited}",
            "",
            FILLER,
            markup.figure(name) if name in FIGURES else "",
            FILLER,
            markup.table(name, rows),
            "",
        ]
    )


def latex(
    value: Callable[[str, str], str], figure: Callable[[str], str] = lambda name: graphics(name)
) -> Markup:
    """Return how LaTeX says it; `value` prints a value, `figure` a figure without its surroundings."""
    return Markup(
        heading=lambda title, label: rf"\section{{{title}}}\label{{sec:{label}}}",
        value=value,
        figure=lambda name: (
            f"\\begin{{figure}}[htbp]\n\\centering\n{figure(name)}\n"
            f"\\caption{{Walk {name}.}}\\label{{fig:{name}}}\n\\end{{figure}}"
        ),
        table=lambda name, rows: (
            "\\begin{table}[htbp]\n\\centering\n"
            f"\\caption{{Numbers of walk {name}.}}\\label{{tab:{name}}}\n"
            "\\begin{tabular}{lr}\n\\toprule\nwhat & value \\\\\n\\midrule\n"
            + "".join(f"{what} & {number} \\\\\n" for what, number in rows)
            + "\\bottomrule\n\\end{tabular}\n\\end{table}"
        ),
        reference=lambda label: rf"{'Figure' if label.startswith('fig') else 'Table'}~\ref{{{label}}}",
    )


def graphics(name: str) -> str:
    """Return how plain LaTeX shows a figure."""
    return rf"\includegraphics{{figures/{name}.pdf}}"


def document(preamble: str, text: str) -> str:
    """Return a whole LaTeX document."""
    return (
        f"{preamble}\\title{{Six walks}}\\author{{An Author}}\\date{{1 May 2025}}\n"
        f"\\begin{{document}}\n\\maketitle\n{text}\n\\end{{document}}\n"
    )
