"""How costs grow with the number of kept items, of printed values, and of experiments."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from math import log10
from pathlib import Path

import growing
import pytest
from measuring import LABREPORT, Taken, machine, middle, run, table

ROUNDS = 3
KINDS: dict[str, tuple[Callable[[Path, int], Path], int]] = {
    "items of one `lab.map`": (growing.items, 500),
    "values, 25 a page": (growing.values, 5000),
    "experiments with a figure": (growing.experiments, 100),
}
AT_MOST = 1.1  # the exponent of each cost; costs that do not depend on the size make it smaller

pytestmark = [
    pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk"),
    pytest.mark.timeout(3600),
]


def costs(folder: Path) -> dict[str, Taken]:
    """Return what a project takes: built from nothing, with nothing to do, after an edited sentence."""
    build = partial(run, (*LABREPORT, "--project", folder), folder)
    template = folder / "report_templates" / "report.tex.j2"

    def edited() -> Taken:
        text = template.read_text(encoding="utf-8")
        template.write_text(
            text.replace(growing.EDITED, f"Edited again.\n{growing.EDITED}"), encoding="utf-8"
        )
        return build()

    return {
        "from nothing": build(),
        "nothing to do": middle([build() for _ in range(ROUNDS)]),
        "a sentence": middle([edited() for _ in range(ROUNDS)]),
    }


@pytest.mark.benchmark
@pytest.mark.parametrize("kind", KINDS)
def test_costs_grow_at_most_as_the_report_does(benchmark, tmp_path, kind):
    write, size = KINDS[kind]
    small = costs(write(tmp_path / "small", size // 10))
    large = benchmark.pedantic(costs, (write(tmp_path / "large", size),), rounds=1)
    exponents = {name: log10(large[name].processors / small[name].processors) for name in small}
    memory = [max(taken.megabytes for taken in measured.values()) for measured in (small, large)]
    rows = [
        [f"{number:,}", *(f"{taken.processors:.2f} s" for taken in measured.values()), f"{most:.0f} MB"]
        for number, measured, most in zip((size // 10, size), (small, large), memory, strict=True)
    ]
    grown = [f"{exponent:.2f}" for exponent in (*exponents.values(), log10(memory[1] / memory[0]))]
    print(
        f"\n{table([kind, *small, 'memory'], [*rows, ['exponent', *grown]])}\n\nProcessor time; {machine()}"
    )
    assert max(exponents.values()) < AT_MOST
