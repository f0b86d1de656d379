"""Batches: each has a seed of its own, and an error in one is a failure."""

import sys
import types

import pytest

from torture import __main__ as main
from torture import batches
from torture.batches import Batch, Tried
from torture.trial import Trial


@pytest.fixture
def doubtful(monkeypatch):
    """A kind that fails for the seed 8, and breaks for the seed 9."""

    def trials(count, seed):
        if seed == 9:
            raise ValueError("it breaks")
        yield from [Trial("here", "lost" if seed == 8 else "kept", f"seed {seed}")] * count

    module = types.SimpleNamespace(trials=trials)
    monkeypatch.setitem(sys.modules, "torture.doubtful", module)


def test_each_batch_has_its_own_seed_and_can_be_repeated_alone():
    split = list(batches.split("strings", 25, 10, seed=7))
    assert [(batch.count, batch.seed) for batch in split] == [(10, 7), (10, 8), (5, 9)]
    assert list(batches.split("strings", 10, 10, seed=8)) == [split[1]]
    assert str(split[1]) == "python -m torture strings --count 10 --seed 8"


@pytest.mark.parametrize(("seed", "outcomes"), [(7, []), (8, ["lost", "lost"]), (9, ["broken"])])
def test_what_fails_or_breaks_is_told(doubtful, seed, outcomes):
    assert [trial.outcome for trial in batches.tried(Batch("doubtful", 2, seed)).failed] == outcomes


def test_the_table_counts_inputs_trials_and_failures(doubtful, capsys):
    done = [batches.tried(batch) for batch in batches.split("doubtful", 5, 2, seed=7)]
    assert main.row("doubtful", 7, done).split()[:5] == ["doubtful", "5", "5", "3", "7"]
    main.tell(done[1])
    said = capsys.readouterr().out
    assert "python -m torture doubtful --count 2 --seed 8" in said
    assert "lost (here): seed 8" in said


@pytest.mark.parametrize(("failed", "spared", "expected"), [(0, 0.0, True), (1, 0.0, False), (1, 0.05, True)])
def test_a_kind_holds_if_no_more_fail_than_it_is_spared(failed, spared, expected):
    trials = [Trial("any", "lost" if number < failed else "kept") for number in range(20)]
    done = [Tried(Batch("faults", 20, 1), trials, 1.0)]
    assert main.holds(main.Kind(20, 20, spared), done) is expected
