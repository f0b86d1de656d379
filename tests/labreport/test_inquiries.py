"""The commands that only ask, as a user types them."""

import json
from pathlib import Path

import explained
import pytest
from click.testing import CliRunner

from labreport import cli
from labreport.errors import UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(explained.make(tmp_path_factory.mktemp("asked")).root)


def asked(*arguments: str):
    return CliRunner().invoke(cli.commands, arguments)


def test_explain_takes_a_query_of_several_words_with_or_without_quotes(folder):
    printed = [
        asked("explain", *query, "--project", folder).output for query in (["p.", "2"], ["p. 2"], ["p.2"])
    ]
    assert printed[0].startswith("page 2\n")
    assert len(set(printed)) == 1


def test_explain_and_impact_print_json_for_programs(folder):
    found = json.loads(asked("explain", "51.6 %", "--json", "--project", folder).output)
    assert found["matches"][0]["values"][0]["keys"] == ["coin.values.share.estimate"]
    found = json.loads(asked("impact", "fair", "--json", "--project", folder).output)
    assert [entry["name"] for entry in found["experiments"]] == ["fair"]


def test_impact_prints_lines_for_people(folder):
    assert asked("impact", "toss:toss", "--project", folder).output.startswith("src/toss.py:toss (code)\n")


@pytest.mark.parametrize("arguments", [("explain", "0.517"), ("impact", "coins")])
def test_what_does_not_exist_is_a_mistake_on_the_command_line(folder, arguments):
    done = asked(*arguments, "--project", folder)
    assert isinstance(done.exception, UsageError)
    assert done.exception.exit_code == 2


def test_a_negative_number_is_a_query_and_not_an_option(folder):
    done = asked("explain", "-0.516", "--project", folder)
    assert "is '−0.516'" in str(done.exception)
    assert asked("explain", "-x", "--project", folder).exit_code == 2


def test_what_a_result_holds_cannot_command_the_terminal(folder, monkeypatch):
    from labreport.explain import lines

    monkeypatch.setattr(lines, "explanation", lambda found, width: ["red \x1b[31m"])
    assert asked("explain", "p. 2", "--project", folder).output == "red \\x1b[31m\n"


def test_what_is_asked_changes_nothing(folder):
    def state():
        return {p: p.stat().st_mtime_ns for p in Path(folder).rglob("*") if "__pycache__" not in p.parts}

    before = state()
    for arguments in (("explain", "p. 2"), ("explain", "coin", "--json"), ("impact", "src/toss.py")):
        asked(*arguments, "--project", folder)
    assert state() == before
