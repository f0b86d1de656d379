"""What the page tells of an experiment."""

from types import SimpleNamespace

import projects
import pytest

from labreport.explain import Origin
from labreport.explain.origins import Parameter
from labreport.page import experiments


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {})


def origin(**fields):
    known = {
        "experiment": "coin",
        "question": "How?",
        "file": "experiments/coin.py",
        "parameters": (
            Parameter("n", 3, 2),
            Parameter("seed", 2**64 - 1, 0),
            Parameter("shape", [1, 2], (1, 2)),
            Parameter("x", 1.0, float("inf")),
        ),
        "code": (),
        "parts": 0,
        "results": ("other",),
        "read": ("file data/x.csv", "program /usr/local/bin/tool", "variable MODE"),
        "versions": {"torch": "2.0"},
        "needed_by": (),
        "run": SimpleNamespace(result="0123456789abcdef"),
    }
    return Origin(**known | fields)


def told(project, **fields):
    made = origin(**fields)
    return experiments.told(project, made, made, SimpleNamespace(add=list))


def test_an_experiment_is_told_with_the_command_that_runs_it_again(project):
    plain = told(project)
    assert plain["rerun"] == "labreport run coin"
    assert plain["result"] == "build/results/coin/result.json"
    assert plain["digest"] == "0123456789ab"
    assert [(p["name"], p["is_default"], p["value"], p["default"]) for p in plain["parameters"]] == [
        ("n", False, 3, 2),
        ("seed", False, "18446744073709551615", 0),
        ("shape", True, [1, 2], [1, 2]),
        ("x", False, 1.0, "inf"),
    ]


def test_a_project_with_a_main_file_is_built_by_it(project):
    projects.write(project.root / "build_report.py", "")
    assert told(project)["rerun"] == "python build_report.py run coin"


def test_a_quick_build_is_run_again_as_one(tmp_path):
    assert told(projects.make(tmp_path, {}, quick=True))["rerun"] == "labreport run coin --quick"


def test_of_what_lies_elsewhere_on_the_machine_only_the_name_is_told(project):
    assert told(project)["read"] == ["file data/x.csv", "program tool", "variable MODE"]


def test_a_result_without_a_record_of_its_run_has_no_digest(project):
    assert told(project, run=None)["digest"] is None
