"""Reports to compare: records of renderings from plain values, and projects that publish without TeX."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import projects

from labreport.documents import provenance, report
from labreport.documents.document import Document
from labreport.documents.pages import Pages
from labreport.explain.snapshot import Snapshot
from labreport.language import Box, render
from labreport.project import PROVENANCE, Project
from labreport.writing import LATEX

FRAME = r"\documentclass{article}\usepackage[article]{labreport}\begin{document}%s\end{document}"
COIN = """
def run(params, lab):
    import pandas as pd

    rate = {"estimate": 0.5 + params.shift, "low": 0.4 + params.shift, "high": 0.6 + params.shift}
    rows = pd.DataFrame({"side": ["heads", "tails"], "n": [3, 4]})
    return {"rate": rate, "sure": 1.0 + params.shift, "rows": rows}

def draw(result, lab):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.add_subplot().plot([0, result.values["sure"]])
    lab.figure("line", figure, alt="It rises.")
"""
PARAMS = """
@dataclass(frozen=True)
class Params:
    shift: float = 0.0
    seed: int = 0
"""
TEMPLATE = r"""\documentclass{article}\usepackage[article]{labreport}
\begin{document}
The rate is \VAR{coin.values.rate.estimate|num(digits=3)}.
For certain: \VAR{coin.values.sure|num(digits=3)}, with \VAR{coin.tables.rows[0].n|integer} heads.
\VAR{coin.figures.line|figure}
\end{document}
"""


def snapshot(
    values: Mapping[str, Any],
    templates: Mapping[str, str] | str,
    background: Mapping[str, Any] | None = None,
    name: str = "a report",
) -> Snapshot:
    """Return the rendering of templates over one result `d`; a text is the main template."""
    texts = {"main.tex.j2": templates} if isinstance(templates, str) else templates
    with TemporaryDirectory() as folder:
        for file, text in texts.items():
            projects.write(Path(folder) / "report_templates" / file, text)
        known = {"d": Box(values, ("d",))}
        rendered = render(Path(folder) / "report_templates", "main.tex.j2", known, LATEX)
    record = provenance.of_report(Document(rendered), Pages({})) | {"background": dict(background or {})}
    return Snapshot(name, json.loads(json.dumps(record)), rendered.text)


@projects.once
def coin(folder: Path) -> Project:
    """Return a project with one experiment that has run, and a template; its store knows a shift of 0.25."""
    project = projects.make(folder, {"coin": projects.experiment(COIN, PARAMS)})
    projects.write(project.templates / "report.tex.j2", TEMPLATE)
    projects.run(project, settings={"coin": {"shift": "0.25"}})
    projects.run(project)
    return project


def shift(project: Project, old: float, new: float) -> None:
    """Change the parameter of the experiment, and run it or take what the store has."""
    source = project.experiments / "coin.py"
    projects.change(source, f"shift: float = {old}", f"shift: float = {new}")
    projects.run(project)


def publish(project: Project) -> bool | None:
    """Publish the report as results and templates are now, and return whether it is another one.

    Its PDF is a pretence.
    """
    document = report.render(project)
    with report._scratch(project) as scratch:
        report.write_sources(project, document, scratch / "latex")
        provenance.write(scratch / PROVENANCE, report.recorded(project, document))
        (scratch / "report.pdf").write_bytes(b"%PDF")
        (scratch / "latex.log").write_text("")
        used = report.inputs(project, ())
        parts = [scratch / name for name in ("latex", "report.pdf", PROVENANCE, "latex.log")]
        is_new = report.publish(project, *parts, scratch)
    report.write_state(project, used, ())
    return is_new
