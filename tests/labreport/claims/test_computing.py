"""What SciPy computes is kept by its numbers: nothing but the time depends on it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from labreport.claims import computing
from labreport.claims import statistics as s

FIRST = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SECOND = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
CALLS = [
    (computing.quantile, (9, 0.95)),
    (computing.quantile, (17.776, 0.95)),
    (computing.two_sided, (-1.8608, 17.776)),
    (computing.binomial, (7, 12, 0.5)),
    (computing.fisher, ((3, 1), (1, 3))),
    (computing.permutation, (FIRST, SECOND, True)),
    (computing.permutation, (FIRST, SECOND, False)),
    (computing.bootstrap, (FIRST, SECOND, 0.95, True)),
]


class Kept:
    """A memory that keeps what JSON keeps, and counts what had to be made."""

    def __init__(self):
        self.facts, self.made = {}, 0

    def __call__(self, key, make):
        if key not in self.facts:
            self.made += 1
            self.facts[key] = json.dumps(make())
        return json.loads(self.facts[key])


@pytest.mark.parametrize(("function", "numbers"), CALLS)
def test_what_is_kept_equals_what_is_computed_to_the_last_bit(function, numbers):
    kept = Kept()
    with computing.kept_by(kept):
        found = [function(*numbers), function(*numbers)]
    assert found == [function(*numbers)] * 2
    assert kept.made == 1


def test_each_function_and_each_number_makes_a_value_of_its_own():
    kept = Kept()
    with computing.kept_by(kept):
        for function, numbers in CALLS:
            function(*numbers)
        moved = (FIRST[0] + 1e-15, *FIRST[1:])
        assert moved != FIRST
        computing.permutation(moved, SECOND, True)
        computing.permutation(SECOND, FIRST, True)
    assert kept.made == len(CALLS) + 2


def test_nothing_is_kept_outside_of_the_block_or_after_an_error_in_it():
    kept = Kept()
    with pytest.raises(ZeroDivisionError), computing.kept_by(kept):
        raise ZeroDivisionError
    computing.quantile(9, 0.95)
    assert not kept.facts


def test_published_values_come_from_memory_as_well():
    # Student's sleep data in R: t = -4.0621 with 9 degrees of freedom, p = 0.002833
    kept = Kept()
    for _ in range(2):
        s.paired_means.cache_clear()
        with computing.kept_by(kept):
            assert s.paired_means(FIRST, SECOND, 0.95).p_at(0) == pytest.approx(0.002833, abs=5e-7)
    assert kept.made == 2  # the quantile and the p


def test_what_is_kept_needs_neither_scipy_nor_numpy():
    code = (
        "import sys\n"
        "from labreport.claims import computing\n"
        "with computing.kept_by(lambda key, make: 0.5):\n"
        "    assert computing.quantile(9, 0.95) == computing.binomial(1, 2, 0.5) == 0.5\n"
        "    assert computing.permutation((1.0, 2.0), (2.0, 4.0), True) == 0.5\n"
        "print({'scipy', 'numpy'} & set(sys.modules))\n"
    )
    source = str(Path(computing.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
