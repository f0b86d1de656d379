"""The claims of a build, counted and told."""

import projects
import pytest

from labreport.documents import provenance
from labreport.errors import InputError, UsageError
from labreport.explain import claims

EVIDENCE = {
    "predicate": "below",
    "states": "d3 is below d2: paired difference -0.2 [-0.3, -0.1], n = 12",
    "verdict": "holds",
    "method": "paired t test",
    "n": 12,
    "p": 0.0042,
    "p_adjusted": 0.0084,
    "family": "depth",
    "family_size": 2,
}
CLAIM = {
    "document": "report",
    "name": "deeper-is-better",
    "verdict": "holds",
    "family": "depth",
    "said": True,
    "sentence": "deeper ones\n  are better",
    "expression": 'claim "deeper-is-better", below(e.values.d3, e.values.d2, "paired")',
    "template": "report_templates/a.tex.j2",
    "line": 7,
    "page": 3,
    "keys": ["e.values.d2", "e.values.d3"],
    "values": {"e.values.d2": [1.0, 2.0], "e.values.d3": [0.5, 1.5]},
    "evidence": [EVIDENCE],
}


@pytest.fixture
def project(tmp_path):
    made = projects.make(tmp_path, {"e": projects.returning('{"n": 3}')})
    made.build.mkdir()
    return made


def written(project, entries):
    provenance.write(project.claims, {"schema": 1, "claims": entries})
    return claims.read(project)


HELD, OPEN, WRONG = ("holds", True), ("undecided", True), ("fails", True)


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ([HELD] * 39 + [OPEN] * 2, "41 claims: 39 hold, 2 undecided and said so"),
        ([HELD], "1 claim: 1 holds"),
        ([WRONG, OPEN], "2 claims: 1 undecided and said so, 1 fails and said so"),
        ([WRONG] * 2, "2 claims: 2 fail and said so"),
        (
            [HELD, ("fails", False), ("undecided", False)],
            "3 claims: 1 holds, 2 not, and not said: their numbers are those of a quick build",
        ),
        ([], "0 claims"),
    ],
)
def test_claims_are_counted_by_verdict(verdicts, words):
    assert claims.counted(verdicts) == words


def test_the_overview_gives_verdict_place_and_what_the_data_say(project):
    assert claims.overview(written(project, [CLAIM])) == [
        "holds      deeper-is-better  (report_templates/a.tex.j2:7, p. 3)",
        "    d3 is below d2: paired difference -0.2 [-0.3, -0.1], n = 12",
        "1 claim: 1 holds",
    ]


def test_details_give_sentence_values_and_evidence(project):
    (claim,) = written(project, [CLAIM])
    text = "\n".join(claims.details(claim))
    assert "sentence: deeper ones are better" in text
    assert "value: e.values.d2 = [1.0, 2.0]" in text
    assert (
        "by paired t test, n = 12, p = 0.0042, adjusted over the 2 tests of the family 'depth': 0.0084"
        in (" ".join(text.split()))
    )


def test_an_unknown_claim_is_told_with_near_names(project):
    with pytest.raises(UsageError, match="no claim 'deper-is-better'") as caught:
        claims.named(written(project, [CLAIM]), ["deper-is-better"])
    assert "deeper-is-better" in caught.value.cure


def test_without_a_build_the_cure_is_to_make_one(project):
    with pytest.raises(InputError, match=r"there is no build/claims\.json") as caught:
        claims.read(project)
    assert caught.value.cure.startswith("make it: ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": 2, "claims": []}',
        '{"schema": 1, "claims": [{}]}',
        '{"schema": 1, "claims": 3}',
    ],
)
def test_a_damaged_record_is_an_error_with_a_cure(project, text):
    project.claims.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"build/claims\.json cannot be read") as caught:
        claims.read(project)
    assert caught.value.cure.startswith("delete it")
