"""Paths of this machine and the names of its user and of itself are found, and no others."""

from pathlib import Path

import pytest
from searched import found, kinds

from labreport.handin import known


@pytest.fixture
def home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anneliese")


@pytest.mark.parametrize(
    "text",
    [
        "/home/anneliese", "cd /home/anneliese/x", '"/home/anneliese/a b"', "file:///home/anneliese/x",
        "('/srv/project/src/a.py')", "see /srv/project.", "/tmp" + "/ipykernel_12/34.py", "/var/tmp" + "/x",
    ],
)  # fmt: skip
def test_paths_of_this_machine_are_found(home, text):
    findings = found(f"\n{text}\n", folders=[Path("/srv/project")])
    assert [(f.kind, f.line) for f in findings] == [("path", 2)]
    assert "anneliese" not in str(findings[0])


@pytest.mark.parametrize(
    "text",
    ["/home/anneliesel", "/srv/project-2/x", "x/srv/project", "/tmp", "in /tmp/ or", "/usr/lib/python3"],
)
def test_other_paths_are_none_of_this_machine(home, text):
    assert kinds(text, folders=[Path("/srv/project")]) == []


@pytest.mark.parametrize("folder", ["/", "/usr", "/opt"])
def test_folders_that_every_machine_has_are_not_looked_for(monkeypatch, folder):
    monkeypatch.setenv("HOME", folder)
    assert kinds("a / b, /usr/bin/env python, /opt/x/y") == []


def test_a_home_folder_of_one_step_counts_with_what_lies_in_it(monkeypatch):
    monkeypatch.setenv("HOME", "/root")
    assert kinds("/Root 692 0 R, /root, the /root element") == []
    assert [f.kind for f in found("/root" + "/.cache/x")] == ["path"]


NAMES = {"anneliese": "the name of this machine's user", "ws-17.example.org": "the name of this machine"}


@pytest.mark.parametrize("text", ["by anneliese", "ls -l: anneliese 12", "on ws-17.example.org:22"])
def test_names_of_user_and_machine_are_found(text):
    assert [f.kind for f in found(text, names=NAMES)] == ["name"]


@pytest.mark.parametrize("text", ["annelieses", "Anneliese", "anneliese_x", "ws-17xexample.org"])
def test_parts_of_words_are_no_names(text):
    assert kinds(text, names=NAMES) == []


@pytest.mark.parametrize("name", ["root", "user", "vm", "bob", "Runner", "localhost", ""])
def test_short_and_common_names_are_not_looked_for(name):
    assert kinds(f"the {name} of all", names={name: "the name of this machine's user"}) == []


def test_names_of_four_letters_are_long_enough():
    names = {"lena": "the name of this machine's user", "ida": "the name of this machine"}
    assert [f.what for f in found("by lena and ida", names=names)] == ["the name of this machine's user"]


def test_authors_may_be_named():
    assert kinds("by anneliese", names=NAMES, authors=["Anneliese K. (abc123)"]) == []


def test_names_are_not_looked_for_in_pixels():
    assert kinds(b"\0\1\2 anneliese ", names=NAMES) == []


def test_this_machine_names_its_user_and_itself(monkeypatch):
    monkeypatch.setenv("USER", "anneliese")
    monkeypatch.setattr("socket.gethostname", lambda: "ws-17.example.org")
    names = known.machine_names()
    assert {"anneliese", "ws-17", "ws-17.example.org"} <= names.keys()
