"""What the documents of a build show, read from its records."""

import shutil

import explained
import pytest

from labreport import project as projects
from labreport.documents import provenance
from labreport.errors import InputError
from labreport.explain import record


@pytest.fixture
def copied(asked, tmp_path):
    """A copy of the project, to damage."""
    shutil.copytree(asked.root, tmp_path / "p")
    return projects.load(tmp_path / "p")


def test_values_of_all_documents_are_read_with_their_places(asked):
    found = record.read(asked)
    share = [v for v in found.values if v.text in (r"{0.516}", "0.516")]
    assert [(v.place.document, v.place.page, v.place.cell, v.place.line) for v in share] == [
        ("report", 2, None, 6),
        ("notebooks/walk", None, 1, 3),
    ]
    assert {v.value for v in share} == {0.5162277}


def test_figures_and_code_are_not_values_although_expressions_print_them(asked):
    found = record.read(asked)
    assert [f.key for f in found.figures] == ["coin.figures.line"]
    assert [(e.name, e.source, e.lines) for e in found.excerpts] == [
        ("toss:toss", "src/toss.py", (6, 7)),
        ("toss:LIMIT", "src/toss.py", (3, 3)),
    ]
    assert not [v for v in found.values if v.text.startswith((r"\LRfigure", r"\LRcode"))]


def test_without_a_report_the_cure_is_to_build_it(copied):
    copied.provenance.unlink()
    with pytest.raises(InputError, match=r"no report has been built") as caught:
        record.read(copied)
    assert caught.value.cure.startswith("build it: `")


@pytest.mark.parametrize("fields", [{"schema": 1}, {"printed": [{"text": "1"}]}, {"figures": None}])
def test_a_record_that_is_not_understood_is_an_error_that_names_it(copied, fields):
    explained.rewrite(copied.provenance, **fields)
    with pytest.raises(InputError, match=r"build/provenance\.json cannot be read") as caught:
        record.read(copied)
    assert "build again" in caught.value.cure


def test_what_a_record_lacks_is_said_in_words(copied):
    provenance.write(copied.provenance, {"schema": 2})
    with pytest.raises(InputError, match="cannot be read: it has no 'figures'"):
        record.read(copied)


def test_a_notebook_that_was_not_made_is_named_and_the_rest_is_read(copied):
    (copied.build / "cache" / "notebooks" / "walk.provenance.json").unlink()
    found = record.read(copied)
    assert found.missing == ("walk",)
    assert {v.place.document for v in found.values} == {"report"}
