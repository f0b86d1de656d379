"""What the page tells of the changes since the report before."""

import compared
import projects
import pytest

from labreport.explain import differences, record
from labreport.page import changes


@pytest.fixture
def project(tmp_path):
    made = compared.coin(tmp_path / "p")
    compared.publish(made)
    return made


def told(project):
    return changes.told(project, record.read(project))


def test_of_the_first_report_nothing_is_told(project):
    assert told(project) is None


def test_each_change_names_the_thing_that_it_is_now(project):
    compared.shift(project, 0.0, 0.25)
    template = project.templates / "report.tex.j2"
    projects.change(template, "For certain", "Sure enough")
    projects.change(template, "The rate is", r"New: \VAR{coin.params.seed|integer}. The rate is")
    compared.publish(project)
    plain = told(project)
    shown = record.read(project)
    values = [f"v{n}" for n, _ in enumerate(shown.values)]
    rate, certain, seed = (
        next(n for n, v in enumerate(shown.values) if v.expression.startswith(start))
        for start in ("coin.values.rate", "coin.values.sure", "coin.params.seed")
    )
    entries = {(e["section"], e["title"]): e for e in plain["entries"]}
    assert plain["against"] == "the report published before"
    assert plain["summary"].startswith("2 of 5 values changed")
    changed = entries["Values", "coin.values.rate.estimate"]
    assert (changed["old"], changed["new"], changed["thing"]) == ("0.500", "0.750", values[rate])
    assert changed["note"].startswith("+0.25, +50 %, 1.8 half-widths, beyond noise")
    assert entries["Values", "coin.values.sure"]["thing"] == values[certain]
    new = entries["Values", "coin.params.seed"]
    assert (new["old"], new["new"], new["note"], new["thing"]) == ("", "0", "new", values[seed])
    figure = entries["Figures", "coin.figures.line"]
    assert (figure["thing"], figure["note"]) == ("f0", differences.FIGURES["data"])
    setting = entries["Parameters", "coin.params.shift"]
    assert (setting["old"], setting["new"], setting["thing"]) == ("0.0", "0.25", None)
    (text,) = (e["new"] for e in plain["entries"] if e["section"] == "Text" and "Sure enough" in e["new"])
    assert "…" in text
    assert "□" not in text


def test_a_record_of_the_report_before_that_is_damaged_tells_nothing(project):
    compared.shift(project, 0.0, 0.25)
    compared.publish(project)
    (project.previous / project.provenance.name).write_text("{")
    assert told(project) is None


def test_a_long_text_is_cut(project):
    template = project.templates / "report.tex.j2"
    projects.change(template, "The rate is", "The rate is " + "very " * changes.MOST)
    compared.publish(project)
    text = next(e for e in told(project)["entries"] if e["section"] == "Text")
    assert len(text["new"]) == changes.MOST
    assert text["new"].endswith("…")
