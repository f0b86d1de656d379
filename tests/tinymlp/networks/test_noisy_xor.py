"""The data are what the assignment defines: (m1 + s*eta1, m2 + s*eta2, m1 xor m2)."""

import math

import pytest
import torch

from tinymlp.networks.noisy_xor import NoisyXor, noisy_xor_batch

CORNERS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]


@pytest.fixture(scope="module")
def many() -> NoisyXor:
    return NoisyXor(40_000, 0.3, seed=5)


def test_shapes_and_types(many):
    assert len(many) == 40_000
    assert many.inputs.shape == many.centres.shape == (40_000, 2)
    assert many.targets.shape == (40_000,)
    assert {many.inputs.dtype, many.centres.dtype, many.targets.dtype} == {torch.float32}
    point, target = many[7]
    assert point.shape == (2,)
    assert target.shape == ()
    assert torch.equal(point, many.inputs[7])
    assert target == many.targets[7]


@pytest.mark.parametrize("m", CORNERS)
def test_each_corner_has_a_quarter_of_the_points(many, m):
    share = (many.centres == torch.tensor(m)).all(1).double().mean().item()
    four_standard_errors = 4 * math.sqrt(0.25 * 0.75 / len(many))
    assert share == pytest.approx(0.25, abs=four_standard_errors)


@pytest.mark.parametrize("m", CORNERS)
def test_the_target_is_the_exclusive_or_of_the_corner(many, m):
    there = (many.centres == torch.tensor(m)).all(1)
    assert set(many.targets[there].tolist()) == {float(m[0] != m[1])}


@pytest.mark.parametrize("m", CORNERS)
def test_noise_is_standard_normal_and_independent_of_the_corner(many, m):
    there = (many.centres == torch.tensor(m)).all(1)
    noise = ((many.inputs - many.centres)[there] / many.s).double()
    n = len(noise)
    assert noise.mean(0) == pytest.approx([0, 0], abs=4 / math.sqrt(n))
    assert noise.var(0) == pytest.approx([1, 1], abs=4 * math.sqrt(2 / n))
    assert torch.corrcoef(noise.T)[0, 1].item() == pytest.approx(0, abs=4 / math.sqrt(n))
    below = (noise < 1).double().mean(0)
    assert below == pytest.approx([0.841345] * 2, abs=4 * math.sqrt(0.1335 / n))


def test_without_noise_the_points_are_the_corners():
    exact = NoisyXor(50, 0.0, seed=1)
    assert torch.equal(exact.inputs, exact.centres)


def test_a_seed_gives_the_same_points_whatever_the_noise_level():
    wide, narrow = NoisyXor(100, 0.5, seed=3), NoisyXor(100, 0.25, seed=3)
    assert torch.equal(wide.centres, narrow.centres)
    torch.testing.assert_close(wide.inputs - wide.centres, 2 * (narrow.inputs - narrow.centres))


def test_another_seed_gives_other_points():
    assert torch.equal(NoisyXor(100, seed=3).inputs, NoisyXor(100, seed=3).inputs)
    assert not torch.equal(NoisyXor(100, seed=3).centres, NoisyXor(100, seed=4).centres)


def test_drawing_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    NoisyXor(10, seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_batch_holds_the_set_of_each_seed_in_its_column():
    seeds = [11, 4, 11, 0]
    inputs, targets = noisy_xor_batch(seeds, 30, 0.2)
    assert inputs.shape == (2, 30, 4)
    assert targets.shape == (30, 4)
    for column, seed in enumerate(seeds):
        alone = NoisyXor(30, 0.2, seed=seed)
        assert torch.equal(inputs[:, :, column].T, alone.inputs)
        assert torch.equal(targets[:, column], alone.targets)


@pytest.mark.parametrize(("n", "s"), [(0, 0.1), (-1, 0.1), (5, -0.1)])
def test_impossible_sizes_are_refused(n, s):
    with pytest.raises(ValueError, match="n >= 1 and s >= 0"):
        NoisyXor(n, s, seed=0)
