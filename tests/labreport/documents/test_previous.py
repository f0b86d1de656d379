"""The report that was there before: kept when another one takes its place, one and no more."""

import json

import compared
import pytest

from labreport import build
from labreport.documents import report


@pytest.fixture
def project(tmp_path):
    made = compared.coin(tmp_path / "p")
    compared.publish(made)
    return made


def kept(project):
    """Return what the kept report prints, and the files that are kept."""
    record = json.loads((project.previous / "provenance.json").read_text())
    files = {p.relative_to(project.previous).as_posix() for p in project.previous.rglob("*") if p.is_file()}
    return record["printed"][0]["text"], files


def test_the_first_report_has_none_before(project):
    assert not project.previous.exists()


def test_what_is_replaced_is_kept_with_the_figures_that_changed(project):
    compared.shift(project, 0.0, 0.25)
    compared.publish(project)
    text, files = kept(project)
    assert text == r"{0.500}"
    assert {"provenance.json", "latex/report.tex", "latex/figures/coin-line.pdf"} <= files


def test_figures_that_are_the_same_are_kept_once(project):
    template = project.templates / "report.tex.j2"
    template.write_text(template.read_text().replace("The rate", "A rate"))
    compared.publish(project)
    assert "latex/figures/coin-line.pdf" not in kept(project)[1]
    assert (project.latex / "figures" / "coin-line.pdf").exists()


def test_only_the_last_one_is_kept(project):
    for old, new in ((0.0, 0.25), (0.25, 0.125)):
        compared.shift(project, old, new)
        compared.publish(project)
    assert kept(project)[0] == r"{0.750}"


def test_the_same_report_made_again_is_not_one_before(project):
    compared.publish(project)
    assert not project.previous.exists()
    compared.shift(project, 0.0, 0.25)
    compared.publish(project)
    compared.publish(project)
    assert kept(project)[0] == r"{0.500}"


def test_the_rest_of_a_killed_build_is_not_kept(project):
    (project.latex / "report.tex").unlink()
    compared.shift(project, 0.0, 0.25)
    compared.publish(project)
    assert not project.previous.exists()
    assert report.out_of_date(project) == []


def test_a_clean_leaves_it_there(project):
    compared.shift(project, 0.0, 0.25)
    compared.publish(project)
    before = kept(project)
    assert build.clean(project).leftovers == ()
    assert kept(project) == before
