"""The table of checks: its verdicts, and how they are shown."""

import re

import projects
import pytest
from checked import line

from labreport.checks import checks
from labreport.checks.material import Found
from labreport.documents import report
from labreport.errors import InputError


def test_a_good_report_passes_every_check(good):
    verdicts = checks.check(good, {})
    assert [(v.name, v.places) for v in verdicts if v.places] == []
    assert {v.state for v in verdicts} == {"passed"}
    assert [v.name for v in verdicts] == [row.name for row in checks.CHECKS]
    assert checks.passes(verdicts, strict=True)


def test_names_of_checks_are_unique():
    names = [row.name for row in checks.CHECKS]
    assert len(set(names)) == len(names) > 20


def test_a_bad_report_fails_what_it_breaks_and_passes_the_rest(bad):
    verdicts = {v.name: v.state for v in checks.check(bad, {})}
    intact = {"pages", "authors", "full build", "fresh", "paragraphs", "references", "hand-in", "zip"}
    intact |= {"README", "notebooks", "text", "printed characters", "resolution", "secrets"}
    warned = {"words of quantity", "precision", "arithmetic", "standard errors", "constants", "dates"}
    assert {name for name, state in verdicts.items() if state == "passed"} == intact
    assert {name for name, state in verdicts.items() if state == "warning"} == warned
    assert not checks.passes(checks.check(bad, {}))


def test_the_terminal_shows_a_line_for_each_check_and_the_places_of_those_that_fail(bad):
    shown = checks.text(checks.check(bad, {}))
    found = re.findall(r"^(passed|failed|warning) +(\S.*?)  ", shown, re.MULTILINE)
    assert [name for _, name in found] == [row.name for row in checks.CHECKS]
    assert "           report.toml: question 2(a) has no answer: And why?\n           cure: write it" in shown
    assert re.search(r"^passed   pages +\d pages$", shown, re.MULTILINE)
    assert shown.endswith(f"{len(checks.CHECKS)} checks: 20 failed, 14 passed, 6 warning")


def test_many_places_are_counted_not_listed():
    verdict = checks.Verdict("x", "rule", "failed", tuple((f"f:{n}", "w") for n in range(20)), "cure")
    shown = checks.text([verdict])
    assert shown.count("\n           f:") == checks.MOST_SHOWN
    assert "… and 8 more" in shown


def test_only_a_strict_check_fails_on_warnings():
    warning = checks.Verdict("x", "rule", "warning", (("f", "w"),), "cure")
    assert checks.passes([warning])
    assert not checks.passes([warning], strict=True)


def test_without_a_report_there_is_nothing_to_check(tmp_path):
    project = projects.make(tmp_path, {})
    with pytest.raises(InputError, match=r"there is no build/report.pdf"):
        checks.check(project, {})


def test_nothing_is_rendered_where_the_document_is_at_hand(good, monkeypatch):
    document = report.render(good)
    monkeypatch.setattr(report, "render", None)
    assert {v.state for v in checks.check(good, {}, [document])} == {"passed"}


def test_a_check_on_its_own_renders_once(good, monkeypatch):
    rendered, real = [], report.render
    monkeypatch.setattr(report, "render", lambda project: rendered.append(project) or real(project))
    checks.check(good, {})
    assert rendered == [good]


def test_a_template_that_cannot_be_rendered_is_told_at_its_line(copy):
    projects.change(copy.templates / "report.tex.j2", "exp.values.n|integer", "exp.values.m|integer")
    with pytest.raises(InputError, match="has no key 'm'") as caught:
        checks.check(copy, {})
    assert f"{caught.value.place.file}:{caught.value.place.line}" == line(copy, "exp.values.m")


def test_what_two_documents_break_alike_is_told_once_and_the_rest_by_name():
    paper = Found([("a.j2:1", "both"), ("a.j2:2", "one")], "same", lacking=[("report.toml", "x"), ("b", "y")])
    key = Found([("a.j2:1", "both")], "same", lacking=[("b", "y")])
    assert checks.joined({"paper": paper, "key": key}) == Found(
        [("a.j2:1", "both"), ("b", "y"), ("paper: a.j2:2", "one")], "same"
    )
