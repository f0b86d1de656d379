"""Projects of any size: kept items, values on pages, experiments."""

from __future__ import annotations

from pathlib import Path

ITEMS = '''\
"""What is the sum of squares?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Params:
    items: int = {n}
    seed: int = 0


def run(params, lab):
    return {{"total": sum(lab.map(square, range(params.items)))}}


def square(x):
    return x * x
'''
SAMPLES = '''\
"""What was measured?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Params:
    samples: int = {n}
    seed: int = 0


def run(params, lab):
    return {{"samples": [{{"mean": i / 7, "std": 0.01 + i / 7000}} for i in range(params.samples)]}}
'''
DRAWN = '''\
"""How does series {n} go on?"""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Params:
    factor: int = {n}
    seed: int = 0


def run(params, lab):
    series = [params.factor * x for x in range(10)]
    return {{"last": series[-1], "mean": sum(series) / len(series), "series": series}}


def draw(result, lab):
    figure = Figure(figsize=(3, 2))
    figure.add_subplot(xlabel="step", ylabel="value").plot(result.values["series"])
    lab.figure("series", figure, alt="A straight line.")
'''
EDITED = "% edited here"
HEAD = f"\\documentclass{{article}}\n\\usepackage[article]{{labreport}}\n\\begin{{document}}\n{EDITED}\n"
WORDS = "Between two values there are words, about as many as in a report that people read to its end. "
PER_PAGE = 25


def items(folder: Path, size: int) -> Path:
    """Make a project whose one experiment maps a function over so many items."""
    body = r"The sum of \VAR{squares.params.items|integer} squares is \VAR{squares.values.total|integer}."
    return _project(folder, {"squares": ITEMS.format(n=size)}, body)


def values(folder: Path, size: int) -> Path:
    """Make a project whose report prints so many values, 25 a page."""
    pages = []
    for first in range(0, size, PER_PAGE):
        several = "".join(
            f"One sample gave \\VAR{{samples.values.samples[{i}].mean|num}}. {WORDS}\n"
            for i in range(first, min(first + PER_PAGE, size))
        )
        pages.append(f"\\section{{Some samples}}\n{several}\n\\clearpage\n\n")
    return _project(folder, {"samples": SAMPLES.format(n=size)}, "".join(pages))


def experiments(folder: Path, size: int) -> Path:
    """Make a project of so many experiments, each with two values and a figure in the report."""
    names = {f"series{i:03}": DRAWN.format(n=i) for i in range(size)}
    body = "".join(
        f"\\section{{{name}}}\nIt ends at \\VAR{{{name}.values.last|integer}}, on average it is "
        f"\\VAR{{{name}.values.mean|num}}.\n\n\\VAR{{{name}.figures.series|figure}}\n"
        for name in names
    )
    return _project(folder, names, body)


def _project(folder: Path, experiments: dict[str, str], body: str) -> Path:
    (folder / "experiments").mkdir(parents=True)
    (folder / "report_templates").mkdir()
    (folder / "report.toml").write_text('title = "Growth"\n', encoding="utf-8")
    for name, text in experiments.items():
        (folder / "experiments" / f"{name}.py").write_text(text, encoding="utf-8")
    template = f"{HEAD}{body}\n\\end{{document}}\n"
    (folder / "report_templates" / "report.tex.j2").write_text(template, encoding="utf-8")
    return folder
