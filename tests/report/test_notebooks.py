"""The report's notebooks as a reader meets them: short cells, and a class that is put together in steps."""

import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from labreport import project
from labreport.documents import cells
from labreport.writing import excerpts
from tinymlp.scalar import Var

ROOT = Path(__file__).parents[2]
NAMES = ("DL_AutoDiff_Nanograd", "DL_Backpropagation_pen_and_paper", "feedforwardAssignment")
MOST_LINES = 40
COPYING = {"__deepcopy__", "__reduce__"}  # no exercise copies a Var


@cache
def code_cells(name: str) -> tuple[str, ...]:
    """The cells of code of a template, with the project's code in its place; other values are None."""
    template = (ROOT / f"report_templates/notebooks/{name}.py.j2").read_text(encoding="utf-8")
    loaded = project.load(ROOT)

    def woven(match: re.Match[str]) -> str:
        pieces = [excerpts.whole(loaded, name).lines for name in re.findall(r'"(.+?)"', match[1])]
        return cells._joined(["\n".join(line.text for line in lines) for lines in pieces])

    def parts() -> Iterator[str]:
        heads = list(re.finditer(r"^# %%.*$", template, re.MULTILINE))
        for head, after in zip(heads, [*heads[1:], None], strict=True):
            if "[markdown]" not in head[0]:
                text = template[head.end() : after.start() if after else None]
                text = re.sub(r"\\VAR\{source\(([^}]*)\)\}", woven, text)
                text = re.sub(r"(?m)^(%#.*|\\BLOCK\{.*\})\n", "", text)
                yield re.sub(r"\\VAR\{.*?\}", "None", text).strip("\n")

    return tuple(parts())


def test_every_notebook_is_looked_at():
    found = {path.name for path in (ROOT / "report_templates/notebooks").iterdir()}
    assert found == {f"{name}.py.j2" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_of_code_fits_on_a_screen(name):
    lengths = {cell.count("\n") + 1: cell.partition("\n")[0] for cell in code_cells(name)}
    assert len(lengths) > 5
    assert {count: first for count, first in lengths.items() if count > MOST_LINES} == {}


@pytest.fixture(scope="module")
def woven() -> dict:
    """The names of the second notebook when its class is complete."""
    shown = code_cells("DL_AutoDiff_Nanograd")
    example = next(i for i, cell in enumerate(shown) if "first example" in cell)
    names: dict = {"__name__": "__main__"}
    for cell in shown[:example]:
        exec(cell, names)
    return names


class TestVarInSteps:
    def test_it_has_what_the_class_of_the_package_has(self, woven):
        steps = [kind for kind in woven["Var"].__mro__ if kind is not object]
        names = {name for kind in steps for name in vars(kind)}
        assert vars(Var).keys() - names == COPYING
        assert len(steps) > 3

    def test_it_computes_what_the_class_of_the_package_computes(self, woven):
        def gradients(kind):
            a, b, c = kind(0.5), kind(-1.0), kind(2.0)
            y = (a * b + 2 / c).tanh() - (c**3).log() * a.sigmoid() + (-b).exp() / (a + 4) + 2**c
            (y - b.relu() + a.identity()).backward()
            return [y.v, a.grad, b.grad, c.grad]

        assert gradients(woven["Var"]) == gradients(Var)

    def test_a_second_pass_doubles_and_a_pass_back_undoes(self, woven):
        kind = woven["Var"]
        a, b, d = kind(3.0), kind(5.0), kind(9.0)
        f = a * b + a * d
        f.backward()
        f.backward()
        assert [var.grad for var in (a, b, d)] == [28.0, 6.0, 6.0]
        f.backprop(-1.0)
        f.backprop(-1.0)
        assert (a.grad, repr(a)) == (0.0, "Var(v=3.0000, grad=0.0000)")

    def test_an_operation_given_by_hand_is_followed(self, woven):
        a = woven["Var"](0.5)
        woven["Var"](math.sin(0.5), lambda: [(a, math.cos(0.5))]).backward()
        assert a.grad == math.cos(0.5)

    def test_its_errors_name_the_operation(self, woven):
        kind = woven["Var"]
        with pytest.raises(ZeroDivisionError, match=r"1\.0 / 0\.0: division by zero"):
            kind(1.0) / kind(0.0)
        with pytest.raises(OverflowError, match="the derivative of"):
            (kind(1e-200) ** -1.5).backward()
