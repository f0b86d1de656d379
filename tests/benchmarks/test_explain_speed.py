"""How long `explain` takes, against a command that reads nothing of a build."""

import subprocess
import sys
from time import perf_counter

import pytest
from coins import ROOT, write_project

TIMES = 15
AT_MOST = 3  # times as long as printing the help; that takes about 0.1 s, most of it to import labreport


def seconds(*command: str) -> float:
    """Return the best of several runs: what else the machine does can only add."""
    taken = []
    for _ in range(TIMES):
        start = perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(perf_counter() - start)
    return min(taken)


@pytest.mark.benchmark
def test_explaining_a_value_costs_little_more_than_a_command_that_reads_nothing(benchmark, tmp_path):
    user = write_project(tmp_path / "coins")
    user.run()
    program = [sys.executable, str(ROOT / "build_report.py"), "--project", str(user.folder)]
    command = [*program, "explain", "coin.values.share"]
    benchmark.pedantic(subprocess.run, (command,), {"check": True, "capture_output": True}, rounds=3)
    ratio = seconds(*command) / (bare := seconds(*program, "explain", "--help"))
    print(f"\nexplain: {ratio:.2f} times the {bare * 1000:.0f} ms of its help")
    assert ratio < AT_MOST
