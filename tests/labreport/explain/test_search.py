"""What a query means: each kind of thing that can be asked for, and what is near an unknown one."""

import pytest

from labreport.errors import UsageError
from labreport.explain import record
from labreport.explain.search import Search
from labreport.explain.texts import readable

SHARE = "coin.values.share.estimate"


@pytest.fixture(scope="module")
def search(asked):
    return Search(asked, record.read(asked))


def found(search, query):
    """Return the kind of the only thing that a query means, with the keys of the values it shows."""
    (match,) = search.find(query)
    return match.kind, [", ".join(value.keys) for value in match.shown.values]


@pytest.mark.parametrize("query", ["0.516", " 0.516 ", r"{0.516}", "$0.516$"])
def test_a_printed_text_means_all_places_that_print_it(search, query):
    (match,) = search.find(query)
    assert (match.kind, {value.keys for value in match.shown.values}) == ("text", {(SHARE,)})
    assert [value.place.document for value in match.shown.values] == ["report", "notebooks/walk"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("51.6 %", [SHARE]),
        (r"51.6\,\%", [SHARE]),
        ("51.6%", [SHARE]),
        ("0.274 ± 0.027", ["coin.values.loss"]),
        ("0.274+-0.027", ["coin.values.loss"]),
        ("0.274", ["coin.values.loss"]),
        ("0.027", ["coin.values.loss"]),
        ("1.30e-15", ["coin.values.small"]),
        ("1.30 × 10⁻¹⁵", ["coin.values.small"]),
        ("0.100 ± 0.010", ["coin.tables.rows[0].loss_mean, coin.tables.rows[0].loss_std"]),
        ("0.926", ["coin.values.share.estimate, coin.values.share.low"]),
        ("Heads & tails", ["coin.values.name"]),
        ("tails", ["coin.values.name"]),
        ("12", ["coin.params.tosses"] * 2),
    ],
)
def test_a_text_may_be_written_as_it_reads_or_be_a_part_of_a_value(search, query, keys):
    assert found(search, query) == ("text", keys)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("0.516 of 12", [SHARE, "coin.params.tosses"]),
        ("12 [51.6 %, 0.274 ± 0.027]", ["coin.params.tosses", SHARE, "coin.values.loss"]),
        ("51.6%–0.274", [SHARE, "coin.values.loss"]),
        ("0.516 nat", [SHARE] * 2),
        ("q = 0.516", [SHARE] * 2),
    ],
)
def test_numbers_of_several_values_are_found_where_they_stand_side_by_side(search, query, keys):
    assert found(search, query) == ("text", keys)


@pytest.mark.parametrize("query", ["12 of 0.516", "Figure 12", "< 0.516", "3.1(z)"])
def test_numbers_in_another_order_or_that_only_count_things_are_not_found(search, query):
    with pytest.raises(UsageError, match="nothing that is printed"):
        search.find(query)


@pytest.mark.parametrize(
    ("query", "labels"),
    [("Figure 1", "fig:line"), ("fig. 1", "fig:line"), ("Table 3", "sec:coins, fig:line")],
)
def test_what_is_asked_for_by_its_number_is_answered_with_labels(search, query, labels):
    with pytest.raises(UsageError) as caught:
        search.find(query)
    assert caught.value.cure == f"ask for it by its label: {labels}"


def test_a_text_that_is_printed_on_other_pages_is_said_to_be_there(search):
    with pytest.raises(UsageError, match="is not printed on page 7") as caught:
        search.find("51.6 % p. 7")
    assert caught.value.cure == "it is on: p. 3"


@pytest.mark.parametrize(
    "key", ["coin..values", "coin.", "coin.values.", "coin.tables.rows[-1]", 'coin.values["a']
)
def test_a_text_that_is_nearly_a_key_leads_to_nothing(search, key):
    with pytest.raises(UsageError, match="nothing that is printed"):
        search.find(key)


def test_a_key_may_be_spelt_in_another_way(search):
    assert found(search, "coin['values'][\"share\"].estimate") == found(search, SHARE)


@pytest.mark.parametrize("query", ["nan", "1e999", "9" * 5000, f"p. {'9' * 5000}", f"a.j2:{'9' * 5000}"])
def test_nothing_is_near_to_what_is_no_finite_number_and_long_queries_are_cut(search, query):
    with pytest.raises(UsageError) as caught:
        search.find(query)
    assert "nearest printed numbers" not in str(caught.value.cure)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("query", ["12 p. 2", "12, page 2"])
def test_a_text_may_be_asked_for_on_one_page(search, query):
    (match,) = search.find(query)
    assert [(value.keys, value.place.page) for value in match.shown.values] == [(("coin.params.tosses",), 2)]


@pytest.mark.parametrize("query", ["p. 2", "p.2", "p2", "page 2", "Page 2"])
def test_a_page_means_all_that_stands_on_it(search, query):
    (match,) = search.find(query)
    assert match.kind == "page"
    assert [readable(v.text) for v in match.shown.values] == ["0.516", "12"]
    assert [claim.name for claim in match.shown.claims] == ["mostly-heads"]


@pytest.mark.parametrize("query", ["report.tex.j2:7", "report_templates/report.tex.j2:7:3"])
def test_a_line_of_a_template_means_what_it_prints(search, query):
    assert found(search, query) == ("line", [SHARE, "coin.values.loss"])


def test_a_notebooks_template_and_its_name_mean_what_it_prints(search):
    assert found(search, "walk.py.j2:3") == ("line", [SHARE])
    assert found(search, "walk") == ("notebook", [SHARE])


def test_a_question_means_what_its_answer_prints(search):
    kind, keys = found(search, "3.1")
    assert kind == "question"
    assert keys == [SHARE, "coin.params.tosses", SHARE, "coin.values.loss"]


def test_a_claim_is_found_by_its_name(search):
    (match,) = search.find("mostly-heads")
    assert [(claim.name, claim.keys) for claim in match.shown.claims] == [
        ("mostly-heads", ("coin.values.share.low",))
    ]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        (SHARE, [SHARE] * 2 + ["coin.values.share.estimate, coin.values.share.low"] + [SHARE]),
        ("coin.values.loss", ["coin.values.loss"]),
        ("coin.values.loss.mean", ["coin.values.loss"]),
        ("coin.tables.rows[1].n", ["coin.tables.rows[1].n"]),
        ("coin.params", ["coin.params.tosses"] * 2),
        ("report.title", ["report.title"]),
        ("coin.values.share.high", []),
    ],
)
def test_a_key_means_what_is_made_from_it_or_from_parts_of_it(search, query, keys):
    assert found(search, query) == ("key", keys)


def test_an_experiment_means_all_that_is_made_from_its_result(search):
    kind, keys = found(search, "fair")
    assert (kind, keys) == ("experiment", ["fair.values.twice"])


@pytest.mark.parametrize(("query", "figures"), [("fig:line", 1), ("coin.figures.line", 1), ("sec:coins", 1)])
def test_a_label_means_what_stands_in_its_float_or_section(search, query, figures):
    (match,) = search.find(query)
    assert [figure.key for figure in match.shown.figures] == ["coin.figures.line"] * figures
    keys = {key for value in match.shown.values for key in value.keys}
    assert keys <= {"coin.params.tosses"} or query == "sec:coins"
    assert "fair.values.twice" not in keys


def test_an_excerpt_is_found_by_the_name_of_its_code(search):
    (match,) = search.find("toss:toss")
    assert [(e.name, e.place.line) for e in match.shown.excerpts] == [("toss:toss", 15)]


@pytest.mark.parametrize(
    ("query", "cure", "notes"),
    [
        ("0.517", "the nearest printed numbers are 0.516", 0),
        ("0.77", "the nearest printed numbers are", 1),
        ("coin.values.shar.estimate", "'coin.values.share.estimate'", 0),
        ("fig:lin", "'fig:line'", 0),
        ("mostly-head", "'mostly-heads'", 0),
        ("qqqqqqqqqqqq", "ask for a text as it is printed", 0),
        ("most", "in these names it stands: mostly-heads", 0),
        ("chance:landing_side", "no document shows code of this name; what depends on code: `", 0),
        ("p. 9", "the last page that has one is p. 3", 0),
        ("p. 1", "'p. 2'", 0),
        ("report.tex.j2:8", "near it, these do: 6, 7", 0),
        ("repor.tex.j2:8", "'report_templates/report.tex.j2'", 0),
        ("", "ask for a text", 0),
    ],
)
def test_what_nothing_is_called_is_answered_with_what_is_near(search, query, cure, notes):
    with pytest.raises(UsageError) as caught:
        search.find(query)
    assert cure in caught.value.cure
    assert caught.value.exit_code == 2
    assert len(caught.value.notes) == notes


def test_digits_that_were_typed_are_told_with_their_line(search):
    with pytest.raises(UsageError) as caught:
        search.find("0.77")
    assert caught.value.notes == (
        "no expression prints it: it is typed at report_templates/report.tex.j2:14",
    )
