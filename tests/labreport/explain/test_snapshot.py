"""Snapshots: what was published is read back, and damage is told."""

import compared
import pytest

from labreport.errors import InputError
from labreport.explain import snapshot


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = compared.coin(tmp_path_factory.mktemp("snapshot") / "p")
    compared.publish(made)
    return made


def test_what_was_published_is_read_back(project):
    found = snapshot.published(project)
    assert [entry["text"] for entry in found.printed[:2]] == [r"{0.500}", r"{1.00}"]
    assert found.text == (project.latex / "report.tex").read_text()
    assert found.behind("parameters") == {"coin": {"shift": 0.0, "seed": 0}}
    assert ("report_templates/report.tex.j2", 3, "The rate is □.") in found.prose


def test_a_figure_is_found_where_it_is_kept(project, tmp_path):
    found = snapshot.published(project)
    file = "figures/coin-line.pdf"
    assert found.picture(file) == project.latex / file
    record = project.provenance
    elsewhere = snapshot.read(project, "old", record, project.latex, others=tmp_path)
    assert elsewhere.picture("figures/gone.pdf") is None
    beside = snapshot.Snapshot("old", found.record, "", tmp_path, project.latex)
    assert beside.picture(file) == project.latex / file


def test_a_report_that_was_never_published_is_none(tmp_path):
    project = compared.projects.make(tmp_path, {})
    assert snapshot.published(project) is None
    assert snapshot.before(project) is None


@pytest.mark.parametrize(
    "damage",
    [
        *(
            "",
            "{",
            "[]",
            "{}",
            '{"printed": 1}',
            "\udcff",
            '{"printed": [1]}',
            '{"printed": [{"text": "1"}]}',
        ),
        *('{"printed": [], "claims": [{}]}', '{"printed": [], "excerpts": 1}'),
        *('{"printed": [], "background": []}', '{"printed": [], "background": {"noise": 1}}'),
    ],
)
def test_a_damaged_record_is_an_error_with_its_cure(tmp_path, damage):
    project = compared.projects.make(tmp_path, {})
    compared.projects.write(project.latex / "report.tex", "x")
    project.provenance.write_bytes(damage.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=r"provenance\.json cannot be read") as caught:
        snapshot.published(project)
    assert "pdf" in caught.value.cure


def test_a_damaged_record_of_the_report_before_is_not_made_again(tmp_path):
    project = compared.projects.make(tmp_path, {})
    compared.projects.write(project.previous / "latex" / "report.tex", "x")
    compared.projects.write(project.previous / project.provenance.name, "{")
    with pytest.raises(InputError, match=r"previous/provenance\.json cannot be read") as caught:
        snapshot.before(project)
    assert caught.value.cure == "delete it; or name a folder or a revision"
