"""Notebooks: what their templates become, how they are executed, and when they are executed again."""

import base64
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jupytext
import nbformat
import projects
import pytest
from markdown_it import MarkdownIt
from PIL import Image
from processes import alive, pids

import labreport
from labreport import project as loading
from labreport.documents import cells, kernels, notebooks
from labreport.errors import InputError, SeveralErrors
from labreport.writing.excerpts import whole

EXPERIMENT = projects.experiment(
    """
    def run(params, lab):
        import pandas as pd

        rows = pd.DataFrame({"width": [1, 2], "loss": [0.5, 0.25]})
        return {"loss": {"mean": 0.123456, "std": 0.0123456}, "share": 0.5, "pair": [0.25, 12.5],
                "name": "a_b", "rows": rows}

    def draw(result, lab):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1, 1))
        figure.add_subplot().plot([1, 2])
        lab.figure("curve", figure, alt="It rises.")
    """,
    params="""
    @dataclass(frozen=True)
    class Params:
        repeats: int = 12000
        seed: int = 0

    QUICK = Params(repeats=2)
    """,
)
LIB = '''
"""A library."""
import math

LIMIT = 3  # how far
NAME = "x"


def inner(x):
    """Return a third."""
    # excerpt: skip
    assert isinstance(x, int)
    # excerpt: resume
    return 1 / x


class Net:
    size = 2

    def forward(self):
        return inner(1)

    @property
    def width(self):
        """How wide it is."""
        return self.size

    @width.setter
    def width(self, size):
        self.size = size

    depth = property(  # a comment beside code belongs to that code
        lambda self: 1,
    )
'''
GOOD = r'''
%# a comment of the template
\BLOCK{set e = exp.values}
# %% [markdown]
"""
# A title

The loss is \VAR{e.loss|pm} of \VAR{exp.params.repeats|integer},
and $p = \VAR{e.share|percent}$, $\VAR{e.pair|map("percent")|join(", ")}$; \VAR{e.name}.

\VAR{exp.figures.curve|figure}

\VAR{exp.tables.rows|table(column("Width", "width", "integer"), column("Loss", "loss", "num"))}
"""

# %%
import os
import sys

# %time is a comment
repeats = \VAR{exp.params.repeats|python}

# %% tags=["a"]
\VAR{source("lib:LIMIT", "lib:inner", "lib:Net")}

# %%
print(repeats, LIMIT)
Net().forward()

# %%
import time

for i in range(200):
    print(i, flush=True)
    if i == 100:
        time.sleep(1)
import matplotlib.pyplot as plt

plt.plot([1, 2]);

# %%
import json

secrets = [name for name in os.environ if "SECRET" in name]
foreign = sorted({"lib", "labreport"} & sys.modules.keys())
print(json.dumps({"files": os.listdir(), "secrets": secrets, "foreign": foreign}))
'''
NOTEBOOKS = "report_templates/notebooks"


def project(
    folder: Path, templates: dict[str, str], *, quick: bool = False, toml: str = ""
) -> loading.Project:
    """Return a project whose experiment has run, with these templates of notebooks."""
    made = ran(folder, toml, quick=quick)
    for name, text in templates.items():
        projects.write(folder / NOTEBOOKS / f"{name}.py.j2", text)
    return made


@projects.once
def ran(folder: Path, toml: str, *, quick: bool) -> loading.Project:
    made = projects.make(folder, {"exp": EXPERIMENT}, src={"lib.py": LIB}, toml=toml, quick=quick)
    projects.run(made)
    return made


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> loading.Project:
    """A project with results; tests add templates."""
    return project(tmp_path_factory.mktemp("base"), {})


def sheet(base: loading.Project, source: str) -> cells.Sheet:
    projects.write(base.root / NOTEBOOKS / "n.py.j2", source)
    try:
        return cells.render(base, "n")
    finally:
        (base.root / NOTEBOOKS / "n.py.j2").unlink()


def mistake(base: loading.Project, source: str) -> tuple[InputError, str]:
    """Return the error of a template, and what its mark stands under."""
    with pytest.raises(InputError) as caught:
        sheet(base, source)
    place = caught.value.place
    assert place.file == f"{NOTEBOOKS}/n.py.j2"
    begin = (place.column or 1) - 1
    return caught.value, place.source[begin : begin + place.length]


class TestCells:
    def test_values_print_as_markdown_in_markdown_and_as_python_in_code(self, base):
        found = sheet(base, GOOD).cells
        text = found[0].source
        assert "The loss is 0.123 ± 0.012 of 12,000,\nand $p = 50.0\\,\\%$" in text
        assert "$25.0\\,\\%, 1{,}250.0\\,\\%$; a\\_b." in text
        assert "| Width | Loss |\n| ---: | ---: |\n| 1 | 0.500 |\n| 2 | 0.250 |" in text
        assert found[1].source.endswith("# %time is a comment\nrepeats = 12000")
        assert [(cell.kind, cell.tags) for cell in found[:3]] == [
            ("markdown", []),
            ("code", []),
            ("code", ["a"]),
        ]

    def test_a_number_that_ends_a_sentence_begins_no_list(self, base):
        rest = "(1) of\n\\VAR{exp.tables.rows[1].width|integer}. So.\n\n2. own"
        source = '# %% [markdown]\n"""\n  \\VAR{exp.tables.rows[0].width|integer}) ' + rest + '\n"""'
        text = sheet(base, source).cells[0].source
        assert text == "  1\\) (1) of\n2\\. So.\n\n2. own"
        tokens = MarkdownIt().parse(text)
        assert [token.type for token in tokens].count("ordered_list_open") == 1

    def test_a_figure_is_attached_to_the_cell_that_shows_it(self, base):
        found = sheet(base, GOOD)
        assert "![It rises.](attachment:exp-curve.png)" in found.cells[0].source
        png = base.results / "exp" / "figures" / "curve.png"
        assert base64.b64decode(found.cells[0].images["exp-curve.png"]) == png.read_bytes()
        assert not any(cell.images for cell in found.cells[1:])
        assert "build/results/exp/figures/curve.png" in found.files

    def test_source_is_the_whole_code_without_the_marks_of_excerpts(self, base):
        lines = LIB.strip("\n").split("\n")
        expected = [line for line in lines[3:] if "excerpt:" not in line and "NAME" not in line]
        assert sheet(base, GOOD).cells[2].source == "\n".join(expected)

    def test_the_cells_are_those_that_jupytext_reads(self, base):
        found = sheet(base, GOOD)
        read = jupytext.reads(found.rendered.text.lstrip("\n"), fmt={**cells.FORMAT})
        assert [cell.text for cell in found.cells] == [cell.source for cell in read.cells]
        for number, cell in enumerate(found.cells):
            assert found.rendered.text[cell.start :].startswith(cell.text)
            assert found.place(number, 2).line > found.place(number, 1).line or cell.text.startswith("LIMIT")

    def test_the_place_of_a_line_is_its_line_in_the_template(self, base):
        found = sheet(base, GOOD)
        place = found.place(3, 2)
        assert GOOD.split("\n")[place.line - 1] == "Net().forward()"
        twice = sheet(base, "# %%\nx = 1\n\n# %%\nx = 1")
        assert [twice.place(number).line for number in (0, 1)] == [2, 5]
        assert found.place(2, 5).source == '\\VAR{source("lib:LIMIT", "lib:inner", "lib:Net")}'

    def test_only_real_imports_count_as_modules(self, base):
        source = "# %%\nimport os, numpy.random\nfrom yaml import load\n%matplotlib inline\n!ls\n\n# %%\nx ="
        assert sheet(base, source).modules == {"numpy", "yaml"}

    def test_templates_for_others_are_no_notebooks(self, base):
        projects.write(base.root / NOTEBOOKS / "_macros.py.j2", "x")
        projects.write(base.root / NOTEBOOKS / "one.py.j2", "# %%")
        assert notebooks.names(base) == ["one"]
        (base.root / NOTEBOOKS / "one.py.j2").unlink()

    def test_text_with_quotes_and_code_with_docstrings_stay_in_their_cell(self, base):
        value, code = '\\VAR{\'a """ b\'}', '\\VAR{excerpt("lib:inner", docstring=true)}'
        source = f'# %% [markdown]\n"""\n{value} {code}\n"""\n\n# %%\n1'
        text, code = sheet(base, source).cells
        assert 'a \\"\\"\\" b' in text.source
        assert '    """Return a third."""\n    …\n    return 1 / x\n```' in text.source
        assert code.source == "1"

    def test_a_class_may_be_put_together_in_steps(self, base):
        first = '# %%\nclass Net:\n    """It grows."""\n\n\\VAR{source("lib:Net.size", "lib:Net.width")}'
        second = '# %%\nclass Net(Net):\n\\VAR{source("lib:Net.forward", "lib:Net.depth")}'
        shown = [cell.source for cell in sheet(base, f"{first}\n\n{second}").cells]
        names: dict = {"inner": float}
        for source in shown:
            exec(source, names)
        net = names["Net"]()
        net.width = 7  # the property came with its setter
        assert (net.size, net.depth, net.forward()) == (7, 1, 1.0)
        assert shown[0].startswith('class Net:\n    """It grows."""\n\n    size = 2\n\n    @property\n')
        assert shown[1].count("\n\n") == 1  # between the method and the property

    @pytest.mark.parametrize(
        ("source", "marked", "words"),
        [
            ("# %%\nx = \\VAR{exp.values.share|num}", "exp.values.share|num", "written as Python"),
            ("# %%\nx = '\\VAR{exp.values.name}'", "exp.values.name", "written as Python"),
            (
                '# %% [markdown]\n"""\n\\VAR{exp.values.name|python}\n"""',
                "exp.values.name|python",
                "cell of code",
            ),
            ('# %% [markdown]\n"""\n\\VAR{source("lib:inner")}\n"""', 'source("lib:inner")', "cell of code"),
            ('# %%\nx = \\VAR{source("lib:inner")}', 'source("lib:inner")', "alone on its line"),
            ('# %%\n\\VAR{source("lib:Net.forward")}', 'source("lib:Net.forward")', "part of a class"),
            ('# %%\nx = 1\n\\VAR{source("lib:Net.forward")}', 'source("lib:Net.forward")', "part of a class"),
            (
                '# %%\ndef f():\n    x = 1\n\\VAR{source("lib:Net.forward")}',
                'source("lib:Net.forward")',
                "part of a class",
            ),
            (
                "# %%\nclass Net:\n    def f(self):\n        x = 1\n\n    x = f\n"
                'for k in ():\n    k\n\\VAR{source("lib:Net.forward")}',
                'source("lib:Net.forward")',
                "part of a class",
            ),
            (
                '# %%\n\\VAR{source("lib:inner", "lib:Net.forward")}',
                'source("lib:inner", "lib:Net.forward")',
                "not indented alike",
            ),
            ('# %%\n\\VAR{source("lib:inne")}', "", "no 'inne'"),
            ("# %%\n\\VAR{source()}", "source()", "needs the name"),
            ("# %%\nx = 1\nif x:\n    from lib import inner", "", "'lib', a module of the project"),
            ("# %%\nimport labreport.cli", "i", "'labreport', a module of the project"),
            ("x = 1\n# %%\ny = 2", "x", "begins with the head of a cell"),
            ("", "", "is empty"),
            ("# %% \\VAR{exp.values.name}\nx", "exp.values.name", "outside the text of a cell"),
            ("# %% [markdown]\n# one\n# two", "#", "cannot be read"),
            ("# %%\n\\VAR{exp.values.shar|python}", "shar", "no key 'shar'"),
            ('# %% [markdown]\n"""\n\\VAR{exp.values.share}\n"""', "exp.values.share", "needs a format"),
        ],
    )
    def test_a_mistake_is_told_at_its_place(self, base, source, marked, words):
        error, under = mistake(base, source)
        assert words in error.what
        assert under.strip() == marked.strip() or not marked

    def test_a_module_in_the_code_of_the_project_is_told_at_the_line_that_takes_it(self, base):
        projects.write(base.root / "src" / "other.py", "def f():\n    import lib\n    return lib\n")
        error, _ = mistake(base, '# %%\nx = 1\n\n# %%\n\\VAR{source("other:f")}')
        assert "'lib', a module of the project" in error.what
        assert error.place.line == 5

    def test_whole_code_keeps_decorators_and_comments(self, base):
        code = (
            "import functools\n\n\n@functools.cache\ndef f():\n    # why\n    return 1\n    # end\n\n\nX = 1"
        )
        projects.write(base.root / "src" / "decorated.py", code)
        lines = [line.text for line in whole(base, "decorated:f").lines]
        assert lines == code.split("\n")[3:8]


class Fake:
    """Stands for the execution of notebooks: what is executed is noted, outputs are invented."""

    def __init__(self) -> None:
        self.executed: list[str] = []

    async def __call__(self, notebook, log, *, done, **_):
        self.executed.append(log.stem.removeprefix("notebook-"))
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.execution_count = 1
                text = f"{cell.source}\nhas run\n"
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
        done(1, 1)


@projects.once
def woven(folder: Path) -> loading.Project:
    other = "# %%\nimport yaml\nx = \\VAR{exp.values.share|python}"
    made = project(folder, {"good": GOOD, "other": other})
    assert notebooks.out_of_date(made) == {"good": ["never made"], "other": ["never made"]}
    seconds = {w.name: w.seconds for w in notebooks.weave(made)}
    assert seconds.keys() == {"good", "other"}
    assert all(value is not None for value in seconds.values())
    assert sorted(kernels.execute.executed) == ["good", "other"]
    return made


class TestIncremental:
    """A notebook is executed again only if its code or what executes it changed."""

    @pytest.fixture
    def fake(self, monkeypatch) -> Fake:
        fake = Fake()
        monkeypatch.setattr(kernels, "execute", fake)
        return fake

    @pytest.fixture
    def woven(self, fake, tmp_path) -> loading.Project:
        """A project with two notebooks that are up to date."""
        made = woven(tmp_path / "p")
        fake.executed.clear()
        return made

    def test_what_is_up_to_date_is_not_even_rendered(self, woven, fake, monkeypatch):
        monkeypatch.setattr(cells, "render", None)
        assert notebooks.out_of_date(woven) == {"good": [], "other": []}
        assert [(w.name, w.seconds, w.cells) for w in notebooks.weave(woven)] == [
            ("good", None, 6),
            ("other", None, 1),
        ]
        assert fake.executed == []

    def test_a_lost_record_of_what_it_shows_is_made_again_without_executing(self, woven, fake):
        shows = notebooks.provenance_path(woven, "other")
        (entry,) = json.loads(shows.read_text())["printed"]
        assert (entry["text"], entry["keys"], entry["cell"]) == ("0.5", ["exp.values.share"], 1)
        before = shows.read_bytes()
        shows.unlink()
        assert "is missing" in notebooks.out_of_date(woven)["other"][0]
        notebooks.weave(woven)
        assert (fake.executed, shows.read_bytes()) == ([], before)

    def test_changed_text_stands_around_the_outputs_that_an_execution_would_give(self, woven, fake):
        projects.change(woven.root / NOTEBOOKS / "good.py.j2", "# A title", "# Another title\n\nAnd text.")
        assert notebooks.out_of_date(woven) == {"good": [f"{NOTEBOOKS}/good.py.j2 changed"], "other": []}
        self.check_that_good_is_renewed(woven, fake, "# Another title")

    def test_another_cell_of_text_stands_around_these_outputs(self, woven, fake):
        template = woven.root / NOTEBOOKS / "good.py.j2"
        template.write_text(f'# %% [markdown]\n"""\nBefore all.\n"""\n\n{template.read_text()}')
        self.check_that_good_is_renewed(woven, fake, "Before all.")

    def check_that_good_is_renewed(self, woven, fake, words):
        path = woven.notebooks / "good.ipynb"
        before = path.read_bytes()
        made = {w.name: (w.seconds, w.is_renewed) for w in notebooks.weave(woven)}
        assert (made, fake.executed) == ({"good": (None, True), "other": (None, False)}, [])
        renewed = path.read_bytes()
        assert (words.encode() in renewed, words.encode() in before) == (True, False)
        assert b"has run" in renewed
        assert notebooks.out_of_date(woven) == {"good": [], "other": []}
        path.unlink()
        notebooks.weave(woven)
        assert (fake.executed, path.read_bytes()) == (["good"], renewed)

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [
            (f"{NOTEBOOKS}/good.py.j2", "a comment of the template", "another one"),
            ("src/lib.py", 'NAME = "x"', 'NAME = "y"'),
            ("report.toml", "T", "Another title"),
        ],
    )
    def test_what_changes_no_cell_executes_nothing(self, woven, fake, file, old, new):
        before = (woven.notebooks / "good.ipynb").read_bytes()
        projects.change(woven.root / file, old, new)
        changed = loading.load(woven.root)
        assert notebooks.out_of_date(changed)["good"] == [f"{file} changed"]
        assert [w.seconds for w in notebooks.weave(changed)] == [None, None]
        assert fake.executed == []
        assert (woven.notebooks / "good.ipynb").read_bytes() == before
        assert notebooks.out_of_date(changed) == {"good": [], "other": []}

    def test_changed_code_of_the_project_executes_those_that_show_it(self, woven, fake):
        projects.change(woven.root / "src" / "lib.py", "Return a third", "Return the inverse")
        assert notebooks.out_of_date(woven) == {"good": ["src/lib.py changed"], "other": []}
        notebooks.weave(woven)
        assert fake.executed == ["good"]

    def test_another_figure_is_shown_without_executing(self, woven, fake):
        before = (woven.notebooks / "good.ipynb").read_bytes()
        projects.change(woven.root / "experiments" / "exp.py", "figsize=(1, 1)", "figsize=(1, 2)")
        projects.run(woven)
        assert [w.is_renewed for w in notebooks.weave(woven)] == [True, False]
        assert fake.executed == []
        assert (woven.notebooks / "good.ipynb").read_bytes() != before

    def test_a_tag_of_a_cell_executes_the_notebook(self, woven, fake):
        projects.change(woven.root / NOTEBOOKS / "good.py.j2", 'tags=["a"]', 'tags=["b"]')
        notebooks.weave(woven)
        assert fake.executed == ["good"]

    def test_another_result_executes_those_in_whose_code_it_stands(self, woven, fake):
        projects.change(woven.root / "experiments" / "exp.py", '"share": 0.5', '"share": 0.75')
        projects.run(woven)
        assert [w.is_renewed for w in notebooks.weave(woven)] == [True, False]
        assert fake.executed == ["other"]

    def test_another_version_of_an_imported_distribution_executes(self, woven, fake, monkeypatch):
        known = notebooks.versions.installed(sys.path)
        monkeypatch.setattr(notebooks.versions, "installed", lambda _: known | {"pyyaml": "0.1"})
        (reason,) = notebooks.out_of_date(woven)["other"]
        assert reason.startswith("pyyaml was ")
        assert reason.endswith(", is 0.1")
        notebooks.weave(woven)
        assert fake.executed == ["other"]

    def test_another_python_or_schema_executes_all(self, woven, fake, monkeypatch):
        monkeypatch.setattr(notebooks.platform, "python_version", lambda: "3.99.0")
        notebooks.weave(woven)
        monkeypatch.setattr(notebooks, "SCHEMA", 0)
        notebooks.weave(woven)
        assert sorted(fake.executed) == ["good", "good", "other", "other"]

    @pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_text("{}")])
    def test_a_notebook_that_is_missing_or_changed_by_hand_is_made_again(self, woven, fake, damage):
        path = woven.notebooks / "good.ipynb"
        before = path.read_bytes()
        damage(path)
        notebooks.weave(woven)
        assert fake.executed == ["good"]
        assert path.read_bytes() == before

    def test_a_lost_record_executes_all(self, woven, fake):
        for path in (woven.build / "cache" / "notebooks").iterdir():
            path.write_text("{")
        notebooks.weave(woven)
        assert sorted(fake.executed) == ["good", "other"]

    def test_the_notebook_of_a_template_that_is_gone_is_removed(self, woven):
        (woven.root / NOTEBOOKS / "good.py.j2").unlink()
        assert [w.name for w in notebooks.weave(woven)] == ["other"]
        assert [p.name for p in woven.notebooks.iterdir()] == ["other.ipynb"]

    def test_a_mistake_leaves_the_last_notebook_and_makes_the_others(self, woven, fake):
        before = (woven.notebooks / "good.ipynb").read_bytes()
        projects.change(woven.root / NOTEBOOKS / "good.py.j2", "e.loss|pm", "e.los|pm")
        projects.change(woven.root / NOTEBOOKS / "other.py.j2", "x = ", "y = ")
        with pytest.raises(InputError, match="no key 'los'"):
            notebooks.weave(woven)
        assert fake.executed == ["other"]
        assert (woven.notebooks / "good.ipynb").read_bytes() == before
        assert notebooks.out_of_date(woven)["other"] == []

    def test_a_quick_build_says_so_first(self, woven, fake):
        quick = loading.load(woven.root, quick=True)
        projects.run(quick)
        notebooks.weave(quick)
        read = nbformat.read(woven.root / "build" / "quick" / "notebooks" / "good.ipynb", 4)
        assert read.cells[0].source.startswith("**Quick build**")
        assert "repeats = 2" in read.cells[2].source
        assert notebooks.out_of_date(woven) == {"good": [], "other": []}


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> Path:
    """The good notebook, executed while this process has a secret and modules of the project on its path."""
    made = project(tmp_path_factory.mktemp("executed"), {"good": GOOD})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MY_SECRET", "x")
        patch.setenv("PYTHONPATH", str(made.root / "src"))
        notebooks.weave(made)
    return made.notebooks / "good.ipynb"


@pytest.mark.slow
class TestExecution:
    def test_outputs_stand_below_their_cells(self, executed):
        read = nbformat.read(executed, 4)
        nbformat.validate(read)
        code = [cell for cell in read.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5]
        assert code[2].outputs[0].text == "12000 3\n"
        assert code[2].outputs[1].data["text/plain"] == "1.0"
        assert code[3].outputs[0].text == "".join(f"{i}\n" for i in range(200))
        assert [cell.id for cell in read.cells] == [f"cell-{i}" for i in range(1, 7)]

    def test_the_kernel_is_alone_in_an_empty_folder_without_secrets(self, executed):
        read = nbformat.read(executed, 4)
        assert json.loads(read.cells[-1].outputs[0].text) == {"files": [], "secrets": [], "foreign": []}

    def test_nothing_tells_when_by_what_or_on_which_machine(self, executed):
        text = executed.read_text()
        data = json.loads(text)
        assert {key for cell in data["cells"] for key in cell["metadata"]} == {"tags"}
        assert data["metadata"]["language_info"]["version"].count(".") == 1
        assert data["metadata"]["kernelspec"]["name"] == "python3"
        image = data["cells"][4]["outputs"][1]["data"]["image/png"]
        png = Image.open(io.BytesIO(base64.b64decode(image)))
        png.load()
        assert set(png.info) <= {"dpi"}
        assert str(Path.home()) not in text

    def test_two_executions_in_different_places_give_the_same_bytes(self, executed, tmp_path, monkeypatch):
        for name in ("TZ", "LC_ALL", "MPLBACKEND", "PYTHONHASHSEED"):
            monkeypatch.setenv(name, "3")
        made = project(tmp_path / "ü another", {"good": GOOD, "second": "# %%\n1"})
        notebooks.weave(made, jobs=2)
        assert (made.notebooks / "good.ipynb").read_bytes() == executed.read_bytes()


WRONG = {
    "raises": (
        '# %%\n\\VAR{source("lib:inner")}\n\n# %%\nx = 1\ninner(0)',
        6,
        "raises ZeroDivisionError: division by zero",
        ["called from there, report_templates/notebooks/raises.py.j2:2", "return 1 / x"],
    ),
    "woven": ('# %%\n\\VAR{source("lib:Net")}\n\nNet().forward()', 4, "raises NameError: name 'inner'", []),
    "syntax": ("# %%\nx = 1\ny = = 2", 3, "raises SyntaxError: invalid syntax", []),
    "dies": ("# %%\nx = 1\n\n# %%\nimport os\nos._exit(1)", 5, "the kernel died", []),
    "sleeps": ("# %%\nimport time\ntime.sleep(600)", 2, "ended after 15 s", []),
    "asks": ("# %%\ninput()", 2, "raises StdinNotImplementedError", []),
    "quits": ("# %%\nx = 1\n\n# %%\nquit()\n\n# %%\nx = 2", 5, "calls quit or exit", []),
    "leaves": ("# %%\nexit", 2, "calls quit or exit", []),
    "exits": ("# %%\nimport sys\n\n# %%\nsys.exit(3)", 5, "raises SystemExit: 3", []),
    "warns": ("# %%\nimport warnings\nwarnings.warn('old')", 2, "writes to stderr", []),
    "address": ("# %%\n1\n\n# %%\nobject()", 5, "an address in memory", []),
    "path": ("# %%\nimport os\nos.getcwd()", 2, "a path of this machine", []),
    "much": ("# %%\nprint('x' * 3_000_000)", 2, "3,000,001 characters", []),
    "missing": ("# %%\nimport nonexistent_module", 2, "raises ModuleNotFoundError", []),
}


@pytest.mark.slow
def test_a_cell_that_fails_is_told_at_the_line_of_the_template(tmp_path):
    made = project(
        tmp_path, {name: row[0] for name, row in WRONG.items()} | {"good": GOOD}, toml="cell_deadline = 15\n"
    )
    events = []
    with pytest.raises(SeveralErrors) as caught:
        notebooks.weave(made, jobs=4, events=events.append)
    errors = {error.what.split(":")[0].removeprefix("notebook "): error for error in caught.value.errors}
    assert errors.keys() == WRONG.keys()
    for name, (_, line, words, notes) in WRONG.items():
        assert words in errors[name].what, errors[name].what
        assert (errors[name].place.file, errors[name].place.line) == (f"{NOTEBOOKS}/{name}.py.j2", line), name
        assert all(note in "\n".join(errors[name].notes) for note in notes), errors[name].notes
        assert errors[name].exit_code == 3
    assert [p.name for p in made.notebooks.iterdir()] == ["good.ipynb"]
    assert "ipykernel" not in "".join(commands_of_children())
    assert {e.experiment for e in events if e.kind == "failed"} == WRONG.keys()
    assert [(e.done, e.total) for e in events if e.kind == "progress" and e.experiment == "good"] == [
        (n, 5) for n in range(1, 6)
    ]


@pytest.mark.slow
def test_a_notebook_has_a_deadline_as_a_whole(tmp_path):
    source = "# %%\nimport time\n" + "\n# %%\ntime.sleep(2)\n" * 60
    made = project(tmp_path, {"n": source}, toml="notebook_deadline = 6\n")
    start = time.monotonic()
    with pytest.raises(InputError, match="the notebook was ended after 6 s"):
        notebooks.weave(made)
    assert time.monotonic() - start < 60


HIDES = """# %%
import subprocess, time
from pathlib import Path
subprocess.run(["setsid", "--fork", "sh", "-c", "echo $$ > {record}; exec sleep 600"], check=True)
while not Path("{record}").exists(): time.sleep(0.01)
# %%
{then}
"""


@pytest.mark.slow
@pytest.mark.parametrize("then", ["1 + 1", "1 / 0", "import os; os._exit(0)"])
def test_what_a_cell_has_hidden_ends_with_the_notebook_and_is_named(tmp_path, then):
    record = Path("/dev/shm") / f"{tmp_path.parent.parent.name}-{tmp_path.name}"  # where a kernel may write
    made = project(tmp_path / "p", {"n": HIDES.format(record=record, then=then)})
    events = []
    try:
        with contextlib.nullcontext() if then == "1 + 1" else pytest.raises(InputError):
            notebooks.weave(made, events=events.append)
        (pid,) = pids(record)
    finally:
        record.unlink(missing_ok=True)
    assert not alive(pid)
    told = [event.label for event in events if event.kind == "notice"]
    assert [line.partition(" (")[0] for line in told] == [f"ended what it had left running: process {pid}"]


WEAVE = (
    "import sys; from pathlib import Path\n"
    "from labreport import project\nfrom labreport.documents import notebooks\n"
    "notebooks.weave(project.load(Path(sys.argv[1])), jobs=2, events=lambda event: print(event.kind))"
)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_no_kernel_outlives_the_build(tmp_path, number):
    sleeping = "# %%\nimport os, time\nfrom pathlib import Path\nPath('pid').write_text(f'{os.getpid()} ')\n"
    made = project(tmp_path / "p", dict.fromkeys(("n0", "n1"), sleeping + "time.sleep(600)"))
    temporary = tmp_path / "t"
    temporary.mkdir()
    own = {"PYTHONPATH": str(Path(labreport.__file__).parents[1]), "TMPDIR": str(temporary)}
    environment = {**os.environ, **own}

    def pids() -> list[str]:
        return "".join(p.read_text() for p in temporary.glob("labreport-*/work/pid")).split()

    build = subprocess.Popen(
        [sys.executable, "-u", "-c", WEAVE, str(made.root)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert within(60, lambda: len(pids()) == 2)
        kernels = pids()
        build.send_signal(number)
        said, error = build.communicate(timeout=30)
    finally:
        build.kill()
    assert within(15, lambda: not any(Path(f"/proc/{pid}").exists() for pid in kernels))
    assert build.returncode == -number
    assert said.split() == ["started", "started"]
    assert error.rstrip().endswith("KeyboardInterrupt") if number == signal.SIGINT else error == ""
    assert not made.notebooks.exists()


def commands_of_children() -> list[str]:
    """Return the commands of this process's children."""
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [Path(f"/proc/{pid}/cmdline").read_text() for pid in pids]


def within(seconds: float, condition) -> bool:
    """Return whether a condition becomes true in time."""
    ends = time.monotonic() + seconds
    while not condition() and time.monotonic() < ends:
        time.sleep(0.1)
    return condition()
