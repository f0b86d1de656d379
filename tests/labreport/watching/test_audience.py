"""What those are told who have the page open, beside what the screen says."""

import hashlib
import re
import urllib.request
import webbrowser

import projects
import pytest
from listening import Listener
from processes import wait_for

from labreport.events import Event
from labreport.watching.audience import Audience


@pytest.fixture
def audience(tmp_path, monkeypatch):
    monkeypatch.setattr("labreport.watching.live.POLL_SECONDS", 0.01)
    audience = Audience(projects.make(tmp_path / "p", {}))
    yield audience
    audience.close()


def url(audience, capsys):
    """Return the address that is printed."""
    audience.welcome(opens=False)
    return re.search(r"^the page is at (http\S+)$", capsys.readouterr().out, re.MULTILINE)[1]


@pytest.fixture
def told(audience, capsys):
    """Return what somebody is told who opens the page now."""

    def now():
        listener = Listener(address)
        state = listener.state()
        listener.close()
        return state

    address = url(audience, capsys)
    return now


def page(audience, text="<html><head></head></html>"):
    projects.write(audience.project.page, text)
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_build_is_told_from_its_begin_to_its_end(audience, told, capsys):
    audience.begin([str(audience.project.root / "src/a.py")])
    audience.show(Event("started", "one"))
    audience.show(Event("progress", "one", done=3, total=12, label="d3w3"))
    audience.show(Event("started", "n", "notebook"))
    audience.show(Event("notice", "one", label="slow"))
    audience.show(Event("progress", "one", done=4, total=12, label="d3w3"))
    state = told()
    assert state["building"] == "src/a.py"
    assert state["work"] == [
        {"doing": "running one", "done": 4, "total": 12, "label": "d3w3"},
        {"doing": "executing notebook n", "done": 0, "total": 0, "label": ""},
    ]
    audience.show(Event("finished", "one"))
    assert [work["doing"] for work in told()["work"]] == ["executing notebook n"]
    audience.end()
    audience.built([], ["build/report.pdf, 1 page"], 1.0)
    state = told()
    assert (state["building"], state["work"]) == (None, [])
    assert state["said"] == capsys.readouterr().out.splitlines()[-1]


def test_a_failure_is_told_line_by_line_until_it_is_mended(audience, told):
    lines = ["wrong", "  at report.tex.j2:3", "  cure: mend it", "also wrong"]
    audience.failed([], lines, ["notice: look"], 1.0)
    audience.begin([])
    state = told()
    assert (state["errors"], state["notices"]) == (lines, ["notice: look"])
    audience.end()
    audience.succeeded([], is_mended=True)
    state = told()
    assert (state["errors"], state["notices"]) == ([], [])


def test_what_an_experiment_wants_looked_at_is_told_with_the_rest_until_the_next_build(audience, told):
    for notices in (["one: notice: slow", "notice: read it"], ["notice: read it"]):
        audience.begin([])
        if "one: notice: slow" in notices:
            audience.show(Event("notice", "one", label="slow"))
        audience.end()
        audience.succeeded(["notice: read it"], is_mended=False)
        assert told()["notices"] == notices


def test_a_page_that_a_build_has_made_is_told_by_its_digest(audience, told):
    digest = page(audience)
    audience.look()
    assert told()["page"] == digest


def test_a_page_is_told_that_was_there_before_the_watch(tmp_path, capsys):
    project = projects.make(tmp_path / "p", {})
    projects.write(project.page, "x")
    audience = Audience(project)
    listener = Listener(url(audience, capsys))
    assert listener.state()["page"] == hashlib.sha256(b"x").hexdigest()
    listener.close()
    audience.close()


def test_the_page_is_served_with_its_digest_and_before_it_one_that_waits(audience, capsys):
    address = url(audience, capsys)

    def served():
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.read().decode()

    waiting = served()
    assert '<meta name="labreport-live" content="">' in waiting
    assert "connect-src 'self'" in waiting
    policy = '<meta http-equiv="Content-Security-Policy" content="connect-src \'none\'">'
    digest = page(audience, f"<html><head>{policy}</head></html>")
    assert f'<meta name="labreport-live" content="{digest}">' in served()
    assert "connect-src 'self'" in served()


class Browser:
    def __init__(self, name, is_started):
        self.name, self.is_started, self.opened = name, is_started, []

    def open(self, address):
        self.opened.append(address)
        return self.is_started


def test_a_browser_opens_the_page(audience, capsys, monkeypatch):
    browser = Browser("firefox", True)
    monkeypatch.setattr("webbrowser.get", lambda: browser)
    audience.welcome(opens=True)
    wait_for(lambda: browser.opened)
    printed = capsys.readouterr().out
    assert browser.opened[0] in printed
    assert "notice" not in printed


@pytest.mark.parametrize(("name", "is_started"), [("firefox", False), ("w3m", True), (None, True)])
def test_a_browser_that_cannot_be_started_or_wants_the_terminal_is_a_notice(
    audience, capsys, monkeypatch, name, is_started
):
    def get():
        if name is None:
            raise webbrowser.Error("could not locate runnable browser")
        return Browser(name, is_started)

    monkeypatch.setattr("webbrowser.get", get)
    audience.welcome(opens=True)
    printed = []

    def is_said():
        printed.append(capsys.readouterr().out)
        return "notice: no browser could be started" in "".join(printed)

    wait_for(is_said)
