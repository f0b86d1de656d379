"""What a user sees of a build: plain lines, or bars that are live only while something runs."""

import pytest

from labreport import progress
from labreport.progress import Progress, shown_bytes, shown_seconds
from labreport.running.runner import Event


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""), (0.004, "0.00 s"), (0.126, "0.13 s"), (1, "1.0 s"), (9.94, "9.9 s"), (10, "10 s"),
        (59.4, "59 s"), (59.6, "1 min 00 s"), (90, "1 min 30 s"), (3725, "62 min 05 s"),
    ],
)  # fmt: skip
def test_durations_are_shown_as_people_read_them(seconds, shown):
    assert shown_seconds(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3449, "3.4 kB"), (9960, "10 kB"), (999_499, "999 kB"),
        (999_600, "1.0 MB"), (13_000_000, "13 MB"), (2**30, "1.1 GB"), (5 * 10**15, "5000 TB"),
    ],
)  # fmt: skip
def test_sizes_are_shown_as_people_read_them(size, shown):
    assert shown_bytes(size) == shown


EVENTS = [
    (
        Event("started", "coin", reasons=("x was 1, is 2", "y is new")),
        "running coin (x was 1, is 2; y is new)",
    ),
    (Event("progress", "coin", done=1, total=2, label="half"), None),
    (Event("notice", "coin", label="slow today"), "coin: notice: slow today"),
    (Event("finished", "coin", seconds=2.0), "coin: ran in 2.0 s"),
    (Event("finished", "coin", "draw", seconds=0.5), "coin: figures drawn in 0.50 s"),
    (Event("failed", "coin"), "coin: failed"),
    (Event("skipped", "coin", reasons=("dice failed",)), "coin: skipped (dice failed)"),
    (Event("fresh", "coin"), None),
    (Event("restored", "coin", reasons=("x was 1, is 2",)), "coin: restored from the store (x was 1, is 2)"),
    (Event("restored", "coin", "draw"), "coin: figures restored from the store"),
    (Event("started", "coin", reasons=tuple("abcde")), "running coin (a; b; c; and 2 more)"),
    (Event("started", "coin", reasons=tuple("abcd")), "running coin (a; b; c; d)"),
    (Event("started", "walk", "notebook"), "executing notebook walk"),
    (Event("started", "", "report"), "rendering the templates and compiling the PDF …"),
    (Event("notice", "", "verify", label="$ python build_report.py"), "  $ python build_report.py"),
]


@pytest.mark.parametrize(("event", "line"), EVENTS)
def test_without_a_terminal_each_event_is_a_line(capsys, event, line):
    with Progress() as shown:
        shown.show(event)
    assert capsys.readouterr().out == ("" if line is None else f"{line}\n")


def test_bars_are_live_only_while_something_runs(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with Progress() as shown:
        live = shown._bars.live
        assert not live.is_started
        shown.show(Event("started", "coin"))
        shown.show(Event("started", "dice"))
        shown.show(Event("progress", "coin", done=1, total=2))
        shown.show(Event("finished", "coin", seconds=1.0))
        assert live.is_started
        shown.show(Event("failed", "dice"))
        assert not live.is_started
        shown.show(Event("started", "coin", "draw"))
        assert live.is_started
    assert not live.is_started
    assert "coin: ran in 1.0 s" in capsys.readouterr().out


def test_markup_in_a_line_is_printed_as_it_is(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with Progress() as shown:
        shown.say("[bold]:smile: " + "x" * 200)
    assert capsys.readouterr().out == "[bold]:smile: " + "x" * 200 + "\n"


def test_no_terminal_needs_rich(monkeypatch):
    monkeypatch.setattr(progress, "_bars", lambda: 1 / 0)
    Progress().say("a line")
