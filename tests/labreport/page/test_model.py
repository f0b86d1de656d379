"""The model: what the page tells of a build, whole."""

import json

import explained
import hostile
import pytest

from labreport.documents import notebooks
from labreport.explain import record as records
from labreport.explain.record import Claim, Place, Record, Value
from labreport.page.characters import Box
from labreport.page.model import model
from labreport.page.texts import Bookmark, Line, Link, Page, Spot, Texts
from labreport.results import load, publish, recorded_run

TEXTS = Texts(
    (Page(595.28, 841.89, (Line(10, 20, 100.12, 10, "Coins"),), (Link(1, 2, 3, 4, "https://a.b"),)),),
    (Bookmark("Coins", 0, Spot(1, 20.0)),),
)


def dumped(plain):
    return json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()


def told(project, record=None, places=None):
    return model(project, record or records.read(project), places or {}, TEXTS)


@pytest.fixture
def project(tmp_path):
    return explained.make(tmp_path / "p")


def test_each_printed_value_leads_to_its_experiment_and_its_code(project):
    plain = told(project, places={"v1": [Box(1, 10.001, 20, 30, 10)]})
    things = {thing["id"]: thing for thing in plain["things"]}
    share = next(t for t in plain["things"] if t["kind"] == "value" and t["text"] == "0.516")
    assert share["keys"] == ["coin.values.share.estimate"]
    key = plain["keys"]["coin.values.share.estimate"]
    assert (key["value"], key["spread"]) == (0.5162277, {"low": 0.41, "high": 0.61, "n": 12})
    coin = plain["experiments"][key["experiment"]]
    assert coin["parameters"][0] == {"name": "tosses", "value": 12, "default": 10, "is_default": False}
    assert (coin["needed_by"], coin["question"]) == (["fair"], "What comes out?")
    assert "src/toss.py:toss" in coin["code"]
    assert plain["code"]["src/toss.py:toss"]["line"] == 6
    assert all(
        code in plain["code"] for e in plain["experiments"].values() for code in e["code"] + e["draw_code"]
    )
    assert things["v1"]["at"] == [[1, 10.0, 20, 30, 10]]


def test_figures_excerpts_and_answers_are_told_with_what_stands_behind_them(project):
    plain = told(project)
    kinds = {
        kind: [t for t in plain["things"] if t["kind"] == kind] for kind in ("figure", "excerpt", "answer")
    }
    (figure,) = kinds["figure"]
    assert (figure["key"], figure["alt"], figure["data"]) == ("coin.figures.line", "It rises.", None)
    assert "experiments/coin.py:draw" in figure["code"]
    excerpt, constant = kinds["excerpt"]
    assert (excerpt["code"], constant["code"]) == ("src/toss.py:toss", None)
    assert "".join(text for _, text in constant["lines"][0]) == "LIMIT, HALF = 9, 2"
    (answer,) = kinds["answer"]
    assert (answer["question"], answer["experiments"]) == ("3.1", ["coin"])


def test_pages_come_with_their_lines_links_and_bookmarks(project):
    plain = told(project)
    assert plain["pages"] == [
        {
            "width": 595.28,
            "height": 841.89,
            "text": [[10, 20, 100.12, 10, "Coins"]],
            "links": [[1, 2, 3, 4, {"uri": "https://a.b"}]],
        }
    ]
    assert plain["outline"] == [{"title": "Coins", "level": 0, "page": 1, "y": 20.0}]


def run_elsewhere(project, name):
    """Let the result be that of the same run on another machine, at another time."""
    found = recorded_run(project, name)
    plain = json.loads((project.results / name / "result.json").read_bytes())
    encoded = {key: plain[key] for key in ("params", "values", "tables")}
    facts = {"started": "2001-01-01", "finished": "2001-01-02", "seconds": 9.5, "python": "3.99"}
    publish(project, name, encoded, found.fingerprint, facts | {"jobs": 64, "revision": "f00d"})
    assert load(project, name)


def test_equal_builds_give_equal_bytes_wherever_and_whenever_they_were_made(tmp_path, monkeypatch):
    made = [explained.make(tmp_path / "alice" / "p"), explained.make(tmp_path / "bob" / "elsewhere")]
    first = dumped(told(made[0]))
    run_elsewhere(made[1], "coin")
    for name, value in {
        "USER": "mallory",
        "HOME": "/home/mallory",
        "HOSTNAME": "box",
        "TZ": "Asia/Tokyo",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made[1].root)
    assert dumped(told(made[1])) == first
    for name in (str(tmp_path), "alice", "mallory", "2001"):
        assert name.encode() not in first


def test_what_a_result_or_a_template_says_stays_text(project):
    place = Place("report", "report.tex.j2", 1, 1, 1, None)
    evil = [
        *hostile.HOSTILE,
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "__proto__",
    ]
    values = [Value(place, text, text, (f"coin.values[{json.dumps(text)}]",), text, 1) for text in evil]
    evidence = ({"predicate": evil[-1], "states": evil[-2], "verdict": "fails"},)
    claims = [Claim(place, t, "fails", False, t, t, t, (t,), {}, evidence) for t in evil]
    plain = told(project, Record(values=tuple(values), claims=tuple(claims)))
    again = json.loads(dumped(plain))
    assert again == plain
    things = [thing["value"] for thing in again["things"] if thing["kind"] == "value"]
    assert things == evil


def test_a_reader_is_told_what_was_not_made(project):
    notebooks.provenance_path(project, "walk").unlink()
    assert told(project)["notes"] == ["The notebook walk has not been made."]
