"""What depends on something, through the fingerprints of results and the records of documents."""

import shutil

import pytest

from labreport import project as projects
from labreport.documents import report
from labreport.errors import UsageError
from labreport.explain.impact import impact


def names(plain):
    return [entry["name"] for entry in plain["experiments"]]


def keys(plain):
    return {key for value in plain["values"] for key in value["keys"]}


@pytest.mark.parametrize(
    "name", ["src/toss.py", "toss", "toss:toss", "src/toss.py:toss", "toss:Coin.side", "toss:Coin"]
)
def test_code_reaches_the_results_that_it_made_and_what_is_made_of_these(asked, name):
    plain = impact(asked, name)
    assert names(plain) == ["coin", "fair"]
    assert {"coin.values.share.estimate", "fair.values.twice", "coin.tables.rows[0].n"} <= keys(plain)
    assert "coin.params.tosses" not in keys(plain)  # code does not change what was declared
    assert [figure["key"] for figure in plain["figures"]] == ["coin.figures.line"]
    assert [claim["name"] for claim in plain["claims"]] == ["mostly-heads"]
    assert plain["documents"] == ["notebooks/walk", "report"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("toss:toss", ["toss:toss"]),
        ("src/toss.py", ["toss:toss", "toss:LIMIT"]),
        ("toss:Coin", []),
        ("coin", []),
    ],
)
def test_an_excerpt_depends_on_the_code_that_it_shows(asked, name, shown):
    assert [excerpt["name"] for excerpt in impact(asked, name)["excerpts"]] == shown


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("toss:toss", ["toss:toss", "coin.values.share"]),
        ("src/toss.py", ["toss:toss", "coin.values.share"]),
        ("toss:Coin", ["coin.values.share"]),
        ("coin.values.share.low", ["coin.values.share"]),
        ("fair", []),
    ],
)
def test_a_paragraph_depends_on_the_code_or_result_that_it_explains(asked, name, targets):
    paragraphs = impact(asked, name)["paragraphs"]
    assert [paragraph["target"] for paragraph in paragraphs] == targets
    assert all(paragraph["reads"].startswith("Twice is") for paragraph in paragraphs)


def test_code_that_nothing_reaches_has_no_effect(asked):
    plain = impact(asked, "toss:unused")
    assert (names(plain), plain["values"], plain["claims"], plain["figures"]) == ([], [], [], [])


def test_the_code_of_a_drawing_reaches_figures_only(asked):
    plain = impact(asked, "experiments/coin.py:draw")
    assert (names(plain), plain["values"]) == ([], [])
    assert [drawing["experiment"] for drawing in plain["drawings"]] == ["coin"]
    assert [figure["key"] for figure in plain["figures"]] == ["coin.figures.line"]


def test_the_file_of_an_experiment_reaches_its_parameters_too(asked):
    assert "coin.params.tosses" in keys(impact(asked, "experiments/coin.py"))


def test_an_experiment_reaches_those_that_use_its_result(asked):
    assert names(impact(asked, "coin")) == ["coin", "fair"]
    assert names(impact(asked, "fair")) == ["fair"]
    assert keys(impact(asked, "fair")) == {"fair.values.twice"}


def test_a_result_reaches_through_others(asked, tmp_path):
    shutil.copytree(asked.root, tmp_path / "p")
    made = projects.load(tmp_path / "p")
    (made.experiments / "third.py").write_text('"""Third?"""\n')
    (made.results / "third").mkdir()
    (made.results / "third" / "run.json").write_text('{"fingerprint": {"result fair": "abc"}}')
    plain = impact(made, "toss:toss")
    assert [(e["name"], e["why"]) for e in plain["experiments"][1:]] == [
        ("fair", "uses the result of coin"),
        ("third", "uses the result of fair"),
    ]


def test_a_file_that_was_read_reaches_the_results_made_from_it(asked):
    assert names(impact(asked, "data/coins.csv")) == ["coin", "fair"]


@pytest.mark.parametrize("name", ["report.tex.j2", "report_templates/report.tex.j2"])
def test_a_template_reaches_what_it_prints(asked, name):
    plain = impact(asked, name)
    assert plain["kind"] == "template"
    assert plain["documents"] == ["report"]
    assert {"coin.values.loss", "fair.values.twice"} <= keys(plain)


def test_a_file_that_prints_nothing_reaches_the_documents_that_were_made_from_it(asked, tmp_path):
    shutil.copytree(asked.root, tmp_path / "p")
    project = projects.load(tmp_path / "p")
    bibliography = project.templates / "references.bib"
    bibliography.write_text("@book{a, title = {b}}")
    assert impact(project, "references.bib")["documents"] == []
    report.write_state(project, report.inputs(project, ()), ())
    assert impact(project, "references.bib")["documents"] == ["report"]
    assert impact(project, "data/coins.csv")["documents"] == ["notebooks/walk", "report"]


def test_a_folder_is_answered_with_its_files(asked):
    with pytest.raises(UsageError, match="src/ is a folder") as caught:
        impact(asked, "src/")
    assert caught.value.cure == "name one of its files: src/toss.py"


def test_a_key_reaches_what_is_made_from_it(asked):
    plain = impact(asked, "coin.values.share.low")
    assert [value["text"] for value in plain["values"]] == ["0.926"]
    assert [claim["name"] for claim in plain["claims"]] == ["mostly-heads"]


def test_the_settings_reach_their_texts(asked):
    assert keys(impact(asked, "report.toml")) == {"report.title"}


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("coins", "'coin'"),
        ("src/tos.py", "'src/toss.py'"),
        ("toss:tos", "'toss'"),
        ("coin.values.los", "'coin.values.loss'"),
        ("", "the names here are"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(asked, name, cure):
    with pytest.raises(UsageError) as caught:
        impact(asked, name)
    assert cure in caught.value.cure
