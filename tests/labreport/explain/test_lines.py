"""What is printed on a terminal of what is known."""

import pytest

from labreport.explain import lines
from labreport.explain.explanation import explain
from labreport.explain.impact import impact

QUERIES = ("51.6 %", "p. 3", "coin", "mostly-heads", "fig:line", "toss:toss", "0.926", "3.1", "report.title")


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("query", QUERIES)
def test_nothing_is_wider_than_the_terminal(asked, query, width):
    printed = lines.explanation(explain(asked, query), width)
    # a word that is longer than the room is not broken
    assert [line for line in printed if len(line) > width and " " in line.strip()[width // 3 :]] == []


def test_a_value_is_told_from_the_page_to_the_run(asked):
    printed = "\n".join(lines.explanation(explain(asked, "51.6 %"), 200))
    for words in (
        "printed text '51.6 %'",
        "coin.values.share.estimate = 0.5162277",
        "low 0.41, high 0.61, n 12",
        r"51.6 %, p. 3, report_templates/report.tex.j2:7, \VAR{coin.values.share.estimate|percent}",
        "0.516, notebooks/walk, cell 1, report_templates/notebooks/walk.py.j2:3",
        "tosses 12 (*not the default, 10*), seed 0",
        " run\n",
        "file data/coins.csv",
        "experiment fair",
        " in 1 process",
        "note: the report is out of date: never made",
    ):
        assert words in printed, words


def test_many_values_are_a_table_with_a_line_for_each_text_and_key(asked):
    printed = lines.explanation(explain(asked, "coin"), 100)
    rows = [line.split() for line in printed if line.startswith("  12 ")]
    assert rows == [["12", "coin.params.tosses", "p.", "2", "report.tex.j2:6", "(and", "1", "more)"]]


def test_a_long_table_is_cut_and_says_where_the_rest_is(asked, monkeypatch):
    monkeypatch.setattr(lines, "MOST_ROWS", 3)
    printed = lines.explanation(explain(asked, "coin"), 100)
    (rest,) = [line for line in printed if "--json lists all" in line]
    count = int(rest.split()[2])
    rows = {
        (p["text"], *v["keys"]) for v in explain(asked, "coin")["matches"][0]["values"] for p in v["printed"]
    }
    assert count == len(rows) - 3
    begin = printed.index("experiment coin", 1)  # after the experiment itself
    assert printed.index(rest) - begin == 4


def test_impact_counts_the_values_and_names_the_rest(asked):
    printed = lines.impact(impact(asked, "src/toss.py"), 120)
    text = "\n".join(printed)
    assert printed[0] == "src/toss.py (file)"
    assert "coin (its fingerprint holds" in text
    assert "fair (uses the result of coin)" in text
    assert "mostly-heads (holds), p. 2" in text
    assert "toss:toss, p. 3" in text
