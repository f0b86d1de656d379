"""Experiments with several parameters, as a user runs and lists them."""

import json

import pytest
from click.testing import CliRunner
from projects import PARAMS, change, make, returning

from labreport import cli
from labreport.errors import LabreportError
from labreport.results import load

COIN = PARAMS + "    tosses: int = 10\n    bias: float = 0.5\n    name: str = 'a,b'\n"


@pytest.fixture
def ask(tmp_path):
    """Give what a command line prints; an error is raised."""
    sources = {
        "coin": returning("{'heads': {'mean': params.tosses * params.bias}}", params=COIN),
        "die": returning("{'x': params.seed}"),
    }
    project = make(tmp_path, sources)

    def asked(*arguments: str) -> str:
        done = CliRunner().invoke(cli.commands, [*arguments, "--project", str(project.root)])
        if done.exception is not None:
            raise done.exception
        return done.output

    asked.project = project
    return asked


def rows(printed: str) -> list[list[str]]:
    return [line.split(",")[:-1] for line in printed.splitlines()]  # without the time


def test_every_combination_runs_and_is_kept_beside_the_default(ask):
    ask("run", "coin")
    ask("run", "coin", "--set", "tosses=20,10", "--set", "coin.bias=0.5,0.25", "--set", "bias=0.75")
    ask("run")
    assert load(ask.project, "coin").values == {"heads": {"mean": 5.0}}
    assert rows(ask("results", "coin", "--csv", "--value", "heads.mean")) == [
        ["experiment", "bias", "tosses", "heads.mean", "fresh"],
        ["coin", "0.5", "10", "5.0", "true"],
        ["coin", "0.25", "10", "2.5", "true"],
        ["coin", "0.25", "20", "5.0", "true"],
        ["coin", "0.75", "10", "7.5", "true"],
        ["coin", "0.75", "20", "15.0", "true"],
        ["coin", "0.5", "20", "10.0", "true"],
    ]
    found = json.loads(ask("results", "coin", "--json"))
    assert [entry["address"] for entry in found][:3] == ["default", "bias=0.25", "bias=0.25 tosses=20"]
    assert [entry["present"] for entry in found].count(True) == 1
    assert found[0]["values"] == {"heads": {"mean": 5.0}}
    head, *lines = ask("results").splitlines()
    assert head.split() == ["experiment", "parameters", "state", "computed"]
    assert [line.split()[0] for line in lines] == ["coin"] * 6 + ["die"]
    # all were made by code that is another now
    change(ask.project.experiments / "coin.py", "params.tosses *", "2 * params.tosses *")
    assert {entry["fresh"] for entry in json.loads(ask("results", "coin", "--json"))} == {False}


def test_a_text_with_a_comma_is_one_value(ask):
    ask("run", "coin", "--set", "name=c,d")
    assert [entry["params"]["name"] for entry in json.loads(ask("results", "--json"))] == ["c,d"]


@pytest.mark.parametrize(
    ("arguments", "what", "cure"),
    [
        (("run", "coin", "--set", "tosses=3,x"), "coin.tosses must be an integer, not 'x'", "--set coin."),
        (("run", "--set", "seed=3"), "does not have the form", "--set coin.seed=3 or --set die.seed=3"),
        (("results", "con"), "there is no experiment 'con'", "did you mean 'coin'"),
        (("results", "--value", "heads.men"), "no result has a value 'heads.men'", "'heads.mean'"),
    ],
)
def test_mistakes_are_told_before_anything_runs(ask, arguments, what, cure):
    if arguments[0] == "results":
        ask("run", "coin")
    with pytest.raises(LabreportError) as caught:
        ask(*arguments)
    assert what in caught.value.what
    assert cure in caught.value.cure
    assert caught.value.exit_code == 2
    assert (ask.project.results / "coin").exists() == (arguments[0] == "results")


def test_without_a_result_the_list_says_so(ask):
    assert ask("results") == "there is no result yet\n"
