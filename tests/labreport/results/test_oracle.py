"""Fingerprints against coverage: each function of the project that really ran is in the fingerprint.

The zoo has a case for each way in which Python code can be reached. All are run as a user runs them.
"""

import subprocess
import sys
from pathlib import Path

import oracle
import pytest

pytestmark = pytest.mark.slow

SRC = Path(__file__).parents[3] / "src"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Return the project with the zoo, and the functions that ran by experiment and phase."""
    folder = tmp_path_factory.mktemp("zoo")
    project, measured = oracle.zoo(folder / "zoo"), folder / "measured"
    environment = oracle.environment(project.root, measured, SRC)
    command = [sys.executable, "-m", "labreport", "run", "--jobs", "1"]  # each map in the process of its run
    done = subprocess.run(
        command,
        cwd=project.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return project, oracle.ran(measured)


def test_each_case_ran_functions(zoo):
    _, found = zoo
    assert {name for name, _ in found} == oracle.cases().keys()
    assert all(found.values())


def test_each_function_that_ran_is_in_the_fingerprint(zoo):
    assert oracle.missed(*zoo) == []


def test_each_token_of_what_ran_counts(zoo):
    assert oracle.edits_not_seen(*zoo, count=40) == []


def test_what_no_run_reaches_does_not_count(zoo):
    """Comments, layout, docstrings and unused functions are forty times not seen."""
    assert oracle.harmless_edits_seen(*zoo, count=40) == []
