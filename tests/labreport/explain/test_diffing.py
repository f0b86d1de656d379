"""Which two reports are compared without a name, and what is drawn of them."""

import json
import shutil

import compared
import projects
import pytest

from labreport import build
from labreport.documents import provenance
from labreport.errors import BusyError, ToolError, UsageError
from labreport.explain import differences, diffing


def never(project):
    raise AssertionError("there is nothing to run")


def changes(project, other=None):
    return diffing.compared(project, other, never).changes


@pytest.fixture
def project(tmp_path):
    made = compared.coin(tmp_path / "p")
    compared.publish(made)
    return made


def relocated(changes):
    return [(value.old, value.new) for value in changes.values]


def test_results_that_changed_are_compared_with_the_published_report(project):
    compared.shift(project, 0.0, 0.25)
    found = changes(project)
    assert (found.old, found.new) == (
        "the published report",
        "the report as results and templates are now",
    )
    assert relocated(found) == [
        (r"{0.500}", r"{0.750}"),
        (r"{1.00}", r"{1.25}"),
    ]
    assert [(s.name, s.old, s.new) for s in found.parameters] == [("coin.params.shift", 0.0, 0.25)]


def test_a_published_report_that_is_current_is_compared_with_the_one_before(project):
    compared.shift(project, 0.0, 0.25)
    compared.publish(project)
    found = changes(project)
    assert (found.old, found.new) == ("the report published before", "the published report")
    assert relocated(found)[0] == (r"{0.500}", r"{0.750}")


def test_nothing_is_published_or_made_by_looking(project):
    compared.shift(project, 0.0, 0.25)
    before = project.provenance.read_bytes(), project.state.read_bytes()
    changes(project)
    assert (project.provenance.read_bytes(), project.state.read_bytes()) == before
    assert not project.previous.exists()
    assert not list(project.build.glob(".scratch-*"))


def test_figures_whose_data_changed_are_drawn_side_by_side(project):
    if shutil.which("pdftoppm") is None:
        pytest.skip("needs poppler")
    for publish in (False, True):  # against the published report, then against the one before it
        if publish:
            compared.publish(project)
        else:
            compared.shift(project, 0.0, 0.25)
        projects.write(project.diff / "left-over.png", "of an earlier comparison")
        found = diffing.compared(project, None, never)
        assert [(figure.key, figure.kind) for figure in found.changes.figures] == [
            ("coin.figures.line", "data")
        ]
        assert found.pictures == {"coin.figures.line": project.diff / "coin-line.png"}
        assert [path.name for path in project.diff.iterdir()] == ["coin-line.png"]
        assert (project.diff / "coin-line.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_report_before_there_is_a_cure(project, tmp_path):
    with pytest.raises(UsageError, match="only one report was published") as caught:
        changes(project)
    assert caught.value.cure == "name a folder or a zip"
    (project.root / ".git").mkdir()
    with pytest.raises(UsageError) as caught:
        changes(project)
    assert "diff HEAD`" in caught.value.cure
    unpublished = compared.coin(tmp_path / "q")
    with pytest.raises(UsageError, match="no report was published yet"):
        changes(unpublished)


def test_another_folder_is_compared_with_the_report_as_it_is(project, tmp_path):
    shutil.copytree(project.root, tmp_path / "other")
    compared.shift(project, 0.0, 0.25)
    found = changes(project, str(tmp_path / "other"))
    assert relocated(found)[0] == (r"{0.500}", r"{0.750}")
    compared.publish(project)
    assert changes(project, str(tmp_path / "other")).new == "the published report"


def test_a_record_of_an_older_version_is_still_compared(project):
    record = json.loads(project.provenance.read_text())
    for key in ("background", "claims", "checksum"):
        del record[key]
    provenance.write(project.provenance, record)
    compared.shift(project, 0.0, 0.25)
    found = changes(project)
    assert len(found.values) == 2
    assert (found.parameters, found.prose, found.figures) == ((), (), ())


def test_a_missing_latexdiff_is_told_before_anything_is_rendered(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(diffing.report, "render", never)
    compared.shift(project, 0.0, 0.25)
    with pytest.raises(ToolError, match="latexdiff"):
        diffing.compared(project, None, never, marked=True)


class TestTheLineOfABuild:
    def line(self, project):
        return diffing.since(project, is_new=compared.publish(project))

    def test_the_first_report_has_no_line(self, tmp_path):
        assert self.line(compared.coin(tmp_path / "q")) is None

    def test_the_same_report_made_again_says_so(self, project):
        assert self.line(project) == "nothing changed"

    def test_what_changed_is_counted(self, project):
        compared.shift(project, 0.0, 0.125)
        assert self.line(project) == (
            "2 of 4 values changed (1 within noise, 1 without known noise); no claim changed; "
            "1 figure with other data"
        )

    @pytest.mark.parametrize("damage", ["", "{", '{"printed": {}}'])
    def test_a_damaged_record_stops_no_build(self, project, damage):
        project.provenance.write_text(damage)
        assert self.line(project) is None


def test_a_comparison_waits_for_no_build(project):
    with build.building(project), pytest.raises(BusyError):
        build.diff(project)


def test_a_claim_that_turned_is_told_with_both_sentences(project):
    claim = r'\BLOCK{claim "small", coin.values.sure < 1.1}It is small.'
    claim += r"\BLOCK{otherwise}It is large.\BLOCK{endclaim}"
    projects.change(project.templates / "report.tex.j2", "For certain", f"{claim} For certain")
    compared.publish(project)
    compared.shift(project, 0.0, 0.25)
    found = changes(project)
    (turned,) = found.claims
    assert (turned.name, turned.old, turned.new) == ("small", "holds", "fails")
    assert (turned.old_sentence, turned.sentence) == ("It is small.", "It is large.")
    assert turned.states
    assert differences.summary(found).startswith("2 of 4 values changed")
    assert "; 1 claim changed; " in differences.summary(found)
