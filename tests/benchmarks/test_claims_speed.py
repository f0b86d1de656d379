"""How long a report with claims takes to render, against the same report with its sentences as they are."""

import re
import subprocess
import sys
from statistics import median

import projects
import pytest

from labreport.project import ENGINE, Project

TIMES = 7
AT_MOST = 1.3  # times as long as without claims

SAMPLES = {
    "old": [0.5 + 0.01 * (i % 7) for i in range(1000)],
    "new": [0.4 + 0.01 * (i % 5) for i in range(1000)],
    "share": {"estimate": 0.7, "low": 0.6, "high": 0.8},
    "value": 0.123456,
}
PARAGRAPH = r"""A paragraph prints values: \VAR{d.value|num}, \VAR{d.share.estimate|percent} and, once more,
\VAR{d.share.low|percent} to \VAR{d.share.high|percent}, and \VAR{(d.value + 1)|num(decimals=3)}. It has words
between them, about as many as a paragraph of a report has, and a formula: $x = \VAR{d.value|num(digits=2)}$.
"""
CLAIMS = (
    r'\BLOCK{claim "a#", below(d.new, d.old, "paired")}The new one is lower.\BLOCK{endclaim}',
    r'\BLOCK{claim "b#", above(d.share, 0.5)}Most succeed.\BLOCK{undecided}We cannot tell.\BLOCK{endclaim}',
    r'\BLOCK{claim "c#", d.value < 0.2 and d.share.low > 0.5}It is small.\BLOCK{endclaim}',
)
REPORT = "\n".join(PARAGRAPH * 8 + CLAIMS[i % 3].replace("#", str(i)) for i in range(40))
"""Forty claims among 320 paragraphs' values: as dense as in a report of twenty pages."""
PLAIN = re.sub(r"\\BLOCK\{undecided\}.*?(?=\\BLOCK\{endclaim)|\\BLOCK\{(end)?claim[^}]*\}", "", REPORT)

RENDER = """
import sys, time
from pathlib import Path
from labreport import build, project
from labreport.documents import report
found = project.load(Path(sys.argv[1]))
start = time.process_time()
document = report.render(found)
print(time.process_time() - start, sum(region.kind == "claim" for region in document.rendered.regions))
"""


def seconds(project: Project, claims: int) -> float:
    """Return the processor time for which a new process renders a report, with what that imports."""
    command = [sys.executable, "-c", RENDER, str(project.root)]
    done = subprocess.run(command, cwd=ENGINE.parent, capture_output=True, text=True, check=True)
    taken, found = done.stdout.split()
    assert int(found) == claims
    return float(taken)


@pytest.mark.benchmark
def test_claims_cost_less_than_a_third_of_rendering(benchmark, tmp_path):
    def project(name: str, text: str) -> Project:
        made = projects.make(tmp_path / name, {"d": projects.returning(repr(SAMPLES))})
        body = re.sub(r"\bd\.(?=old|new|share|value)", "d.values.", text)
        source = f"\\documentclass{{article}}\\begin{{document}}\n{body}\n\\end{{document}}\n"
        projects.write(made.templates / "report.tex.j2", source)
        projects.run(made)
        return made

    claims, plain = project("claims", REPORT), project("plain", PLAIN)
    first = seconds(claims, 40), seconds(plain, 0)
    # in turn, so that what else the machine does meets both
    pairs = [(seconds(claims, 40), seconds(plain, 0)) for _ in range(TIMES)]
    benchmark.pedantic(lambda: seconds(claims, 40), rounds=1)
    with_claims, without = (median(taken) for taken in zip(*pairs, strict=True))
    print(f"\n40 claims: {with_claims / without:.2f} times the {without * 1000:.0f} ms without them")
    print(f"the first time: {first[0] / first[1]:.2f} times {first[1] * 1000:.0f} ms")
    assert with_claims / without < AT_MOST
