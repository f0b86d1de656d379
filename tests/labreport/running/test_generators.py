"""Global generators are seeded together, whenever their libraries are imported."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from labreport.running import generators

SRC = Path(__file__).parents[3] / "src"
SEED = (123 << 32) + 456


@pytest.fixture(autouse=True)
def _nothing_is_left():
    with generators.kept():
        yield


def printed(code: str) -> list[float]:
    """Return the numbers that a fresh Python prints."""
    path = f"import sys; sys.path.insert(0, {str(SRC)!r})\n"
    done = subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def test_a_library_that_is_imported_later_begins_with_the_seed():
    np = pytest.importorskip("numpy")
    code = (
        "from labreport.running import generators\n"
        f"generators.seed({SEED})\n"
        "assert not {'numpy', 'torch'} & sys.modules.keys()\n"
        "import numpy as np\n"
        "print(np.random.rand(), np.random.rand())\n"
    )
    expected = np.random.RandomState([123, 456])
    assert printed(code) == [expected.rand(), expected.rand()]


def test_torch_that_is_imported_later_begins_with_the_seed():
    torch = pytest.importorskip("torch")
    code = (
        "from labreport.running import generators\n"
        f"generators.seed({SEED})\n"
        "import torch\n"
        "print(torch.rand(1).item())\n"
    )
    expected = torch.rand(1, generator=torch.Generator().manual_seed(SEED))
    assert printed(code) == [pytest.approx(expected.item(), abs=0)]


def test_a_library_imported_meanwhile_is_given_back_as_if_imported_afterwards():
    np = pytest.importorskip("numpy")
    code = (
        "from labreport.running import generators\n"
        "generators.seed(7)\n"
        "with generators.kept():\n"
        f"    generators.seed({SEED})\n"
        "    import numpy as np\n"
        "    print(np.random.rand())\n"
        "print(np.random.rand())\n"
    )
    inner, outer = np.random.RandomState([123, 456]), np.random.RandomState([0, 7])
    assert printed(code) == [inner.rand(), outer.rand()]


def test_what_was_drawn_and_seeded_meanwhile_is_as_if_it_had_not_been():
    np, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
    np.random.seed(3)
    np.random.randn()  # the second of the pair that this made waits in the state
    random.seed(3)
    torch.manual_seed(3)
    with generators.kept():
        generators.seed(1)
        np.random.randn()
        assert random.random() == random.Random(1).random()
        torch.rand(9)
    expected = np.random.RandomState(3)
    expected.randn()
    assert np.random.randn() == expected.randn()
    assert random.random() == random.Random(3).random()
    assert torch.equal(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(3)))


def test_seeds_that_differ_in_any_bit_give_numpy_other_numbers():
    np = pytest.importorskip("numpy")
    found = set()
    for bit in range(63):
        generators.seed(1 << bit)
        found.add(np.random.rand())
    assert len(found) == 63


def test_a_generator_is_used_when_something_is_drawn_and_not_before():
    np, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
    before = generators.states()
    held = [(torch.empty(5056, dtype=torch.uint8), generators.states()) for _ in range(20)]
    # states that lie at other places in memory are the same
    assert [states for _, states in held] == [before] * 20
    assert not generators.are_used_since(before)
    for draw in (random.random, np.random.rand, lambda: torch.rand(1)):
        drawn = generators.states()
        draw()
        assert generators.are_used_since(drawn)
