"""How long `python build_report.py` takes when nothing is out of date, against a bare interpreter."""

import subprocess
import sys
from time import perf_counter

import pytest
from coins import ROOT, write_project

TIMES = 15
AT_MOST = 10  # bare interpreters; a bare one takes about 0.02 s


def seconds(*command: str) -> float:
    """Return the best of several runs: what else the machine does can only add."""
    taken = []
    for _ in range(TIMES):
        start = perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(perf_counter() - start)
    return min(taken)


@pytest.mark.benchmark
def test_nothing_to_do_costs_few_bare_interpreters(benchmark, tmp_path):
    user = write_project(tmp_path / "coins")
    user.run()
    command = [sys.executable, str(ROOT / "build_report.py"), "--project", str(user.folder)]
    benchmark.pedantic(subprocess.run, (command,), {"check": True, "capture_output": True}, rounds=3)
    ratio = seconds(*command) / (bare := seconds(sys.executable, "-c", "pass"))
    print(f"\nnothing to do: {ratio:.1f} bare interpreters of {bare * 1000:.0f} ms")
    assert ratio < AT_MOST
