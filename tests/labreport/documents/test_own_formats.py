"""A project's own filters and functions: plain values in and out, traced, and told where they go wrong."""

import signal
import sys

import projects
import pytest

from labreport.documents import cells, context, report
from labreport.errors import InputError
from labreport.language import kind

FORMATS = '''
"""Own formats."""

import statistics
from helpers import FACTOR


def doubled(value: float) -> float:
    return FACTOR * value


def initials(name: str, most: int = 2) -> str:
    return "".join(word[0] for word in name.split())[:most] + "_&"


def spread(values: list[float]) -> list[float]:
    import later

    return later.spread(values)


def _private(value):
    return value
'''
TEMPLATE = r"""\documentclass{article}\usepackage{labreport}\begin{document}
\VAR{exp.values.x|doubled|num} \VAR{doubled(exp.values.x)|num} \VAR{exp.values.name|initials}
\VAR{exp.values.name|initials(most=1)} \VAR{spread(exp.values.list)|map("num")|join(" to ")}
\end{document}
"""


def make(folder, formats=FORMATS, template=TEMPLATE):
    project = base(folder)
    projects.write(project.templates / "formats.py", formats)
    projects.write(project.templates / "report.tex.j2", template)
    return project


@projects.once
def base(folder):
    helpers = {"helpers.py": "FACTOR = 2\n", "later.py": "def spread(v):\n    return min(v), max(v)\n"}
    project = projects.make(
        folder,
        {"exp": projects.returning('{"x": 0.5, "name": "a_b c", "list": [3.0, 1.0, 2.0]}')},
        src=helpers,
    )
    projects.run(project)
    return project


def test_they_compute_with_plain_values_and_what_they_return_is_escaped_and_traced(tmp_path):
    document = report.render(make(tmp_path))
    assert "{1.00} {1.00} ac\\_\\&\na\\_\\& {1.00} to {3.00}" in document.text
    assert {key for printed in document.rendered.printed for key in printed.keys} == {
        "exp.values.x",
        "exp.values.name",
        "exp.values.list",
    }


def test_what_they_import_of_the_project_counts_and_is_read_anew(tmp_path):
    project = make(tmp_path)
    projects.write(
        project.templates / "notebooks/n.py.j2", '# %%\n1\n# %% [markdown]\n"""\\VAR{1|doubled}"""\n'
    )
    used = {project.shown(path) for path in report.render(project).rendered.files}
    assert used >= {"src/helpers.py", "src/later.py"}
    assert set(cells.render(project, "n").files) >= {"report_templates/formats.py", "src/helpers.py"}
    projects.change(project.root / "src/helpers.py", "2", "4")
    assert "{2.00}" in report.render(project).text
    assert not {"helpers", "later", "formats"} & set(sys.modules)


@pytest.mark.parametrize(
    ("formats", "what", "place", "cure"),
    [
        ("def f(x):\n    return x\n", "f does not say the type of x", ":1", "def f(value: float)"),
        ("def f(x: int):\n    return x\n", "the type of what it returns", ":1", "-> str"),
        ("def num(x: int) -> int:\n    return x\n", "something else as 'num'", ":1", "rename"),
        ("def column(x: int) -> int:\n    return x\n", "something else as 'column'", ":1", "rename"),
        ("def exp(x: int) -> int:\n    return x\n", "something else as 'exp'", ":1", "rename"),
        ("def f(:\n", "formats.py: ", ":1", None),
        ("x = 1\nx = 1 / 0\n", "ZeroDivisionError", ":2", "correct"),
        ("import nothing_here\n", "No module named 'nothing_here'", ":1", "correct"),
        ("raise SystemExit(3)\n", "SystemExit: 3", ":1", "correct"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_at_its_line(tmp_path, formats, what, place, cure):
    with pytest.raises(InputError) as caught:
        context.own_formats(make(tmp_path, formats))
    assert what in caught.value.what
    assert str(caught.value.place) == f"report_templates/formats.py{place}"
    assert cure is None or cure in caught.value.cure


@pytest.mark.parametrize(
    ("body", "use", "what"),
    [
        ("return 1 / x", "f(0)", "f failed at report_templates/formats.py:2: ZeroDivisionError"),
        ("return {x}", "f(0)", "f returned a set (report_templates/formats.py:1)"),
        ("from markupsafe import Markup; return Markup(x)", "f('\\\\input')", "f returned a Markup"),
        ("return x", "f()", "f: missing a required argument: 'x'"),
        ("return x", "0|f(color=1)", "f has no option 'color'"),
        ("return x", "(0|num)|f", "formatted already"),
    ],
)
def test_a_mistake_in_one_is_told_at_the_line_of_the_template(tmp_path, body, use, what):
    project = make(tmp_path, f"def f(x: int) -> int:\n    {body}\n", f"\n\\VAR{{{use}}}")
    with pytest.raises(InputError) as caught:
        report.render(project)
    assert what in caught.value.what
    assert str(caught.value.place).startswith("report_templates/report.tex.j2:2")


def test_numbers_of_numpy_become_plain_ones(tmp_path):
    formats = "import numpy as np\n\n\ndef f(x: float) -> float:\n    return np.float64(x)\n"
    made = context.own_formats(make(tmp_path, formats)).functions["f"](0.5)
    assert kind(made) == "number"
    assert type(made) is float


ENDLESS = """
def stuck(value: float) -> float:
    while True: value += 1
"""


@pytest.mark.parametrize(
    ("formats", "template", "file", "line"),
    [
        (ENDLESS, r"\VAR{exp.values.x|stuck|num}", "report.tex.j2", 3),
        (f"{ENDLESS}\n\nstuck(1.0)\n", "x", "formats.py", 3),
        ("", "\\BLOCK{for i in range(10**5)}\\BLOCK{for j in range(10**5)}x\\BLOCK{endfor}\\BLOCK{endfor}",
         "report.tex.j2", 3),
    ],
    ids=["in a function", "where formats.py is executed", "in a template"],
)  # fmt: skip
def test_a_loop_without_end_is_ended_and_told_at_its_line(
    tmp_path, monkeypatch, formats, template, file, line
):
    monkeypatch.setattr("labreport.language.deadlines.SECONDS", 0.5)
    text = "\\documentclass{article}\\usepackage{labreport}\\begin{document}\n\n"
    project = make(tmp_path, formats, f"{text}{template}\\end{{document}}\n")
    with pytest.raises(InputError, match=r"rendering was ended after 0\.5 s") as caught:
        report.render(project)
    assert (caught.value.place.file, caught.value.place.line) == (f"report_templates/{file}", line)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
