"""The words of a watch."""

import re

import projects
import pytest

from labreport.watching.screen import Screen


@pytest.fixture
def screen(tmp_path):
    return Screen(projects.make(tmp_path / "p", {}))


def paths(screen, *names):
    return [str(screen.project.root / name) for name in names]


def lines(capsys):
    return [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in capsys.readouterr().out.splitlines()]


def test_a_build_is_one_line(screen, capsys):
    screen.built(paths(screen, "report_templates/sections/one.tex.j2"), ["build/report.pdf, 3 pages"], 0.5)
    assert lines(capsys) == ["sections/one.tex.j2: build/report.pdf, 3 pages (0.50 s)"]


def test_many_changes_are_some_and_how_many_more(screen, capsys):
    screen.built(paths(screen, *(f"src/{n}.py" for n in range(9))), [], 1.0)
    assert lines(capsys) == ["src/0.py, src/1.py, src/2.py, and 6 more: nothing to do (1.0 s)"]


def test_the_first_build_has_no_change(screen, capsys):
    screen.built([], [], 1.0)
    assert lines(capsys) == ["first build: nothing to do (1.0 s)"]


def test_a_name_cannot_control_the_terminal(screen, capsys):
    screen.built(paths(screen, "src/a\x1b[2J.py"), [], 1.0)
    assert lines(capsys) == [r"src/a\x1b[2J.py: nothing to do (1.0 s)"]


def test_a_notice_that_stays_is_said_once_and_again_when_it_comes_back(screen, capsys):
    for found in (["a", "b"], ["a"], ["b"]):
        screen.notices(found)
    assert [line.strip() for line in lines(capsys)] == ["a", "b", "b"]


def test_an_error_stands_below_the_line_of_its_build(screen, capsys):
    screen.failed(paths(screen, "report.toml"), ["wrong", "  at report.toml:1"], 1.0)
    assert lines(capsys) == [
        "report.toml: failed (1.0 s)",
        "error: wrong",
        "  at report.toml:1",
    ]
