"""A small project with paragraphs about code and results, as if it had been built; no LaTeX runs."""

import projects

from labreport.documents import provenance, report
from labreport.project import Project

MODULE = '''\
"""Training."""

RATE = 0.1


def fit(data):
    """Return the sum."""
    return total(data) * RATE  # scaled


def total(data):
    return sum(data)


class Net:
    """A network."""

    def forward(self, x):
        return x + 1
'''
EXPERIMENT = projects.returning(
    '{"loss": {"mean": params.mean, "n": 3}, "shape": [3, 2], "odd key": 1}',
    params="@dataclass(frozen=True)\nclass Params:\n    mean: float = 0.25\n    seed: int = 0\n",
)
REPORT = r"""\documentclass{article}
\usepackage[article]{labreport}
\begin{document}
Before.

\BLOCK{about "training:fit"}
The loop adds all
and scales.

The shape \BLOCK{about "exp.values.shape"}is \VAR{exp.values.shape[0]|integer}
\BLOCK{about "exp.params"}
by two.

After.
\end{document}
"""


@projects.once
def make(folder, template: str = REPORT, experiment: str = EXPERIMENT) -> Project:
    """Return a project whose results are there, and whose report has been rendered and recorded.

    Its store knows a mean of 0.5.
    """
    project = projects.make(folder, {"exp": experiment}, src={"training.py": MODULE})
    projects.write(project.templates / "report.tex.j2", template)
    projects.run(project, settings={"exp": {"mean": "0.5"}})
    projects.run(project)
    publish(project)
    return project


def publish(project: Project) -> None:
    """Record the report as a build does."""
    shown = provenance.record(report.render(project).rendered, stands=lambda offset: {"file_line": 1})
    provenance.write(project.provenance, shown)


def change_code(project: Project, old: str, new: str) -> None:
    projects.change(project.root / "src" / "training.py", old, new)
