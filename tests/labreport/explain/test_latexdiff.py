"""The marked PDF: latexdiff and LaTeX do it, and what is missing or fails is told."""

import shutil
import stat
from dataclasses import replace

import compared
import pytest

from labreport.errors import InputError, LatexError, ToolError
from labreport.explain import latexdiff
from labreport.explain.others import rendered


def program(folder, text):
    """Put a program called latexdiff first on the PATH."""
    path = folder / "bin" / "latexdiff"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path.parent)


@pytest.fixture
def two(tmp_path):
    """Return an old and a new report, with their sources."""
    project = compared.coin(tmp_path / "p")
    new = rendered(project, "new", tmp_path / "latex")
    return replace(new, text=new.text.replace("For certain", "Surely")), new


def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_without_latexdiff_its_package_is_named(two, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="latexdiff") as caught:
        latexdiff.make(*two, scratch(tmp_path), tmp_path / "diff")
    assert "apt-get install latexdiff" in caught.value.cure


def test_what_latexdiff_says_is_told_without_its_noise(two, tmp_path, monkeypatch):
    bin_ = program(tmp_path, "echo 'Wide character in print' >&2; echo 'no such environment' >&2; exit 2")
    monkeypatch.setenv("PATH", bin_, prepend=":")
    with pytest.raises(InputError, match="cannot compare") as caught:
        latexdiff.make(*two, scratch(tmp_path), tmp_path / "diff")
    assert caught.value.notes == ("no such environment",)


# a stand-in that marks nothing: it prints its last argument, the new text
STAND_IN = 'for last in "$@"; do :; done; cat "$last"'


@pytest.mark.slow
def test_the_pdf_is_made_of_what_latexdiff_gives(two, tmp_path, monkeypatch):
    if shutil.which("latexdiff") is None:
        monkeypatch.setenv("PATH", program(tmp_path, STAND_IN), prepend=":")
    made = latexdiff.make(*two, scratch(tmp_path), tmp_path / "diff")
    assert made.read_bytes().startswith(b"%PDF")
    assert "For certain" in (tmp_path / "diff" / "report-diff.tex").read_text()
    assert (tmp_path / "latex" / "report.tex").read_text() == two[1].text


@pytest.mark.slow
def test_a_marked_text_that_latex_refuses_is_kept_to_be_looked_at(two, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", program(tmp_path, STAND_IN), prepend=":")
    broken = replace(two[1], text=two[1].text.replace("For certain", r"\undefined"))
    with pytest.raises(LatexError, match="changes marked cannot be compiled") as caught:
        latexdiff.make(two[0], broken, scratch(tmp_path), tmp_path / "diff")
    assert any("report-diff.tex" in note for note in caught.value.notes)
    assert r"\undefined" in (tmp_path / "diff" / "report-diff.tex").read_text()
