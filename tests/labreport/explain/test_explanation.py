"""The way from what is printed to the value, its experiment, code, inputs and users."""

import json

import pytest

from labreport.explain import explanation
from labreport.explain.explanation import explain

SHARE = "coin.values.share.estimate"


def the_value(plain):
    ((value,),) = [match["values"] for match in plain["matches"]]
    return value


def test_a_value_is_told_in_full_with_the_sample_it_summarises(asked):
    value = the_value(explain(asked, "51.6 %"))
    assert value["values"] == {SHARE: 0.5162277}
    assert value["summaries"] == {SHARE: {"low": 0.41, "high": 0.61, "n": 12}}
    assert [(p["text"], p["page"], p["line"], p["expression"]) for p in value["printed"]] == [
        ("51.6 %", 3, 7, "coin.values.share.estimate|percent")
    ]


def test_other_places_and_other_users_of_the_same_key_are_told(asked):
    value = the_value(explain(asked, "51.6 %"))
    assert [(p["text"], p["document"], p["cell"]) for p in value["also"]] == [
        ("0.516", "report", None),
        ("0.516", "notebooks/walk", 1),
    ]
    assert [(v["text"], len(v["keys"])) for v in value["used_by"]["values"]] == [("0.926", 2)]
    assert value["used_by"]["claims"] == []
    assert [p["target"] for p in value["used_by"]["paragraphs"]] == ["coin.values.share"]
    claimed = the_value(explain(asked, "0.926"))
    assert [claim["name"] for claim in claimed["used_by"]["claims"]] == ["mostly-heads"]


def test_the_experiment_behind_it_is_told(asked):
    coin = explain(asked, "51.6 %")["experiments"]["coin"]
    assert coin["question"] == "What comes out?"
    changed = [p["name"] for p in coin["parameters"] if not p["is_default"]]
    assert changed == ["tosses"]
    assert coin["code"][0]["name"] == "run"
    assert coin["read"] == ["file data/coins.csv"]
    assert coin["needed_by"] == ["fair"]
    assert coin["run"]["processes"] == 1


def test_a_cell_of_a_table_is_told_with_the_head_of_its_column(asked):
    value = the_value(explain(asked, "0.100 ± 0.010"))
    assert value["column"] == "Loss"
    assert value["values"] == {"coin.tables.rows[0].loss_mean": 0.1, "coin.tables.rows[0].loss_std": 0.01}


def test_a_key_that_nothing_prints_is_told_all_the_same(asked):
    value = the_value(explain(asked, "coin.values.share.high"))
    assert (value["printed"], value["values"]) == ([], {"coin.values.share.high": 0.61})


def test_a_text_of_the_settings_has_no_experiment(asked):
    plain = explain(asked, "report.title")
    assert the_value(plain)["experiments"] == []
    assert plain["experiments"] == {}


def test_a_claim_is_told_with_its_evidence_and_the_values_it_stands_on(asked):
    plain = explain(asked, "mostly-heads")
    (claim,) = plain["matches"][0]["claims"]
    assert (claim["verdict"], claim["sentence"], claim["page"]) == ("holds", "mostly heads", 2)
    assert claim["values"] == {"coin.values.share.low": 0.41}
    assert "coin" in plain["experiments"]


def test_a_figure_is_told_with_what_drew_it(asked):
    (figure,) = explain(asked, "coin.figures.line")["matches"][0]["figures"]
    assert figure["drawn_by"][0].endswith(" draw")
    assert figure["experiment"] == "coin"


def test_many_values_are_a_table_unless_all_is_asked_for(asked):
    short = explain(asked, "coin")
    assert len(short["matches"][0]["values"]) > explanation.MOST_DETAILS
    assert not any("values" in value for value in short["matches"][0]["values"])
    whole = explain(asked, "coin", complete=True)
    assert all("values" in value for value in whole["matches"][0]["values"])
    assert json.loads(json.dumps(whole)) == whole


@pytest.mark.parametrize("query", ["51.6 %", "p. 3", "mostly-heads", "fig:line"])
def test_json_holds_all_that_the_terminal_shows(asked, query):
    short, whole = explain(asked, query), explain(asked, query, complete=True)
    assert [m["kind"] for m in short["matches"]] == [m["kind"] for m in whole["matches"]]
    assert short["experiments"].keys() <= whole["experiments"].keys()


def test_a_report_that_is_out_of_date_is_told_in_one_line(asked):
    # the records of this project were written without making the PDF
    assert explain(asked, "51.6 %")["notes"] == ["the report is out of date: never made"]
