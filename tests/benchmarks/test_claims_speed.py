"""How long a report with claims takes to render, against the same report with its sentences as they are."""

import re
from collections.abc import Callable
from time import perf_counter

import pytest

from labreport.claims import PREDICATES, judge
from labreport.language import Box, Rendered, render
from labreport.writing import LATEX

TIMES = 9
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


def seconds(render: Callable[[], object]) -> float:
    """Return the best of several runs: what else the machine does can only add."""
    taken = []
    for _ in range(TIMES):
        start = perf_counter()
        render()
        taken.append(perf_counter() - start)
    return min(taken)


@pytest.mark.benchmark
def test_claims_cost_less_than_a_third_of_rendering(benchmark, tmp_path):
    def rendering(source: str) -> Callable[[], Rendered]:
        name = f"{len(source)}.tex.j2"
        (tmp_path / name).write_text(source, encoding="utf-8")
        known = {"d": Box(SAMPLES, ("d",))}
        return lambda: render(tmp_path, name, known, LATEX, predicates=PREDICATES, judge=judge)

    with_claims = rendering(REPORT)
    assert len([region for region in with_claims().regions if region.kind == "claim"]) == 40
    benchmark.pedantic(with_claims, rounds=3)
    ratio = seconds(with_claims) / (plain := seconds(rendering(PLAIN)))
    print(f"\n40 claims: {ratio:.2f} times the {plain * 1000:.0f} ms without them")
    assert ratio < AT_MOST
