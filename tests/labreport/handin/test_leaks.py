"""What gives something away is refused with its place and without its value."""

import base64
import hashlib
import json
import zlib

import matplotlib
import projects
import pytest
from handed import (
    NOTEBOOK,
    TOKEN,
    copied,
    in_source,
    in_template,
    refused,
    write_pdf,
)
from matplotlib.figure import Figure

from labreport import project as projects_of
from labreport.handin import bundle, leaks


def in_result(project, text):
    projects.write(project.results / "one" / "figures" / "more.csv", f"a\n{text}\n")
    return "build/results/one/figures/more.csv:2"


def in_notebook(project, text):
    output = {"output_type": "stream", "name": "stdout", "text": ["fine\n", f"see {text}\n"]}
    cells = [{"cell_type": "code", "source": [], "outputs": [output]}]
    data = json.dumps({**NOTEBOOK, "cells": cells}, indent=1)
    projects.write(project.notebooks / "walk.ipynb", data)
    line = data[: data.index(json.dumps(text)[1:-1])].count("\n") + 1
    return f"build/notebooks/walk.ipynb:{line}"


def in_picture_of_notebook(project, text):
    path = project.root / "picture.png"
    Figure().savefig(path, metadata={"Comment": f"made from {text} here"})
    data = {"image/png": base64.b64encode(path.read_bytes()).decode() + "\n"}
    cells = [{"cell_type": "code", "source": [], "outputs": [{"data": data}]}]
    projects.write(project.notebooks / "walk.ipynb", json.dumps({**NOTEBOOK, "cells": cells}))
    return "build/notebooks/walk.ipynb:1"


def in_png(project, text):
    Figure().savefig(project.results / "one/figures/line.png", metadata={"Comment": text})
    return "build/results/one/figures/line.png"


def in_figure_stream(project, text):
    stream = zlib.compress(f"q {text} Q".encode())
    data = b"%PDF-1.5\n1 0 obj\n<< >>\nstream\n" + stream + b"\nendstream\nendobj\n"
    (project.results / "one/figures/line.pdf").write_bytes(data)
    return "build/results/one/figures/line.pdf"


def in_metadata(project, text):
    write_pdf(project.pdf, "The report", Subject=text)
    return "build/report.pdf"


def on_a_page(project, text):
    write_pdf(project.pdf, text)
    return "build/report.pdf"


def in_figure_text(project, text):
    """As glyphs by number, in a figure that the report does not include."""
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        write_pdf(project.results / "one/figures/line.pdf", text)
    assert text.encode() not in (project.results / "one/figures/line.pdf").read_bytes()
    return "build/results/one/figures/line.pdf"


def in_title(project, text):
    path = project.root / "report.toml"
    path.write_text(path.read_text().replace("A subtitle", text))
    return "report.toml:2"


PLACES = [
    in_source, in_template, in_result, in_notebook, in_picture_of_notebook, in_png, in_figure_stream,
    in_figure_text, in_metadata, on_a_page, in_title,
]  # fmt: skip
VALUE = "Zx9qT4wR2kLm5vB8"
CASES = [("token", plant) for plant in PLACES]
CASES += [
    (what, plant)
    for what in ("value", "path", "name")
    for plant in (in_source, in_notebook, in_figure_text, on_a_page)
]


@pytest.mark.parametrize(("what", "plant"), CASES)
def test_what_gives_something_away_is_refused_with_its_place_and_without_its_value(
    project, monkeypatch, plant, what
):
    monkeypatch.setenv("MY_API_KEY", VALUE)
    monkeypatch.setenv("HOME", "/home/somewhere")
    monkeypatch.setenv("USER", "anneliese")
    bundle.pack(project)
    text = {"token": TOKEN, "value": VALUE, "path": "/home/somewhere/x", "name": "anneliese"}[what]
    place = plant(project, text)
    error = refused(projects_of.load(project.root))
    assert error.exit_code == 7
    assert f"  at {place}" in error.lines()
    assert text not in str(error)
    assert {
        "token": "a token of GitHub",
        "value": "MY_API_KEY",
        "path": "home folder",
        "name": "machine's user",
    }[what] in str(error)


def test_all_that_is_given_away_is_named_at_once(project):
    in_source(project, TOKEN)
    in_template(project, "https://me:" + "pa55word@example.org")
    message = str(refused(project))
    assert "src/thing/more.py:3" in message
    assert "a.tex.j2:2" in message


def test_report_toml_can_say_what_is_harmless(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", f'submission = {{allow = ["{TOKEN}"]}}')
    in_source(project, TOKEN)
    assert "src/thing/more.py" in bundle.pack(project).files


def test_an_author_who_is_the_user_is_named(project, monkeypatch):
    monkeypatch.setenv("USER", "lovelace")
    in_source(project, "by lovelace")
    assert "src/thing/more.py" in bundle.pack(project).files


def test_a_damaged_report_is_no_traceback(project):
    project.pdf.write_bytes(b"%PDF-1.5\nnothing\n%%EOF")
    assert "cannot be read back" in refused(project).what


def test_a_file_is_refused_for_its_name_which_is_not_told(project):
    projects.write(project.root / f"src/thing/{TOKEN}.py", "X = 1\n")
    message = str(refused(project))
    assert "src/thing/***.py would give away a token of GitHub, in the name of the file" in message
    assert TOKEN not in message


class TestAKeyThatBecomesKnown:
    """What was packed before a key was known is searched again, and so is what others may have packed."""

    KEY = "sesame-open-7-please"

    @pytest.fixture
    def packed(self, project, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        in_source(project, self.KEY)
        bundle.pack(project)
        assert bundle.out_of_date(project) == []
        assert leaks.leaks_of_packed(project, {"a.py": self.KEY.encode()}) == []
        return project

    def in_environment(self, monkeypatch, tmp_path):
        monkeypatch.setenv("DB_PASS", self.KEY)

    def in_netrc(self, monkeypatch, tmp_path):
        projects.write(tmp_path / "home" / ".netrc", f"machine a login b password {self.KEY}\n")

    @pytest.mark.parametrize("tell", [in_environment, in_netrc])
    def test_the_next_build_refuses(self, packed, monkeypatch, tmp_path, tell):
        tell(self, monkeypatch, tmp_path)
        assert bundle.out_of_date(packed) == ["it was not searched for all that is secret by now"]
        error = refused(packed)
        assert "src/thing/more.py:3" in error.lines()[1]
        assert self.KEY not in str(error)
        assert bundle.out_of_date(packed)  # until it is cured

    def test_once_it_is_cured_the_hand_in_is_up_to_date(self, packed, monkeypatch, tmp_path):
        self.in_netrc(monkeypatch, tmp_path)
        in_source(packed, "nothing")
        bundle.pack(packed)
        assert bundle.out_of_date(packed) == []

    def test_a_key_that_is_nowhere_in_it_asks_for_one_search(self, packed, monkeypatch):
        before = (packed.submission / "code.zip").read_bytes()
        other = "another-one-8"
        monkeypatch.setenv("DB_PASS", other)
        assert bundle.out_of_date(packed)
        bundle.pack(packed)
        assert bundle.out_of_date(packed) == []
        assert (packed.submission / "code.zip").read_bytes() == before

    def test_what_is_packed_names_it(self, packed, monkeypatch, tmp_path):
        self.in_netrc(monkeypatch, tmp_path)
        found = leaks.leaks_of_packed(packed, {"code.zip: a.py": f"\nx = {self.KEY}".encode()})
        assert found == [("code.zip: a.py:2", "it gives away a password or key of ~/.netrc")]

    def test_no_record_holds_it(self, packed, monkeypatch, tmp_path):
        self.in_netrc(monkeypatch, tmp_path)
        in_source(packed, "nothing")
        bundle.pack(packed)
        written = [path.read_bytes() for path in (packed.build / "cache").rglob("*") if path.is_file()]
        assert written
        for data in (self.KEY.encode(), hashlib.sha256(self.KEY.encode()).hexdigest().encode()):
            assert not [text for text in written if data in text]


def test_a_hand_in_of_another_origin_was_not_searched(project):
    bundle.pack(project)
    path = project.submission / "code.zip"
    path.write_bytes(path.read_bytes())
    assert leaks.is_searched(project)
    path.write_bytes(path.read_bytes() + b"x")
    assert not leaks.is_searched(project)
