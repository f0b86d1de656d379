"""The data of the regression task: sizes, ranges, noise and standardisation."""

import inspect

import numpy as np
import pytest

from tinymlp.scalar.regression import data_generator


def generate(seed=0, **options):
    return data_generator(rng=np.random.default_rng(seed), **options)


def test_defaults_are_those_of_the_exercises():
    parameters = inspect.signature(data_generator).parameters
    assert [(name, parameters[name].default) for name in list(parameters)[:3]] == [
        ("noise", 0.1),
        ("n_samples", 300),
        ("D1", True),
    ]


@pytest.mark.parametrize(("d1", "dimensions"), [(True, 1), (False, 3)])
def test_three_hundred_samples_are_split_at_105_and_210(d1, dimensions):
    x_train, y_train, x_val, y_val, x_test, y_test = generate(D1=d1)
    assert [x.shape for x in (x_train, x_val, x_test)] == [(n, dimensions) for n in (105, 105, 90)]
    assert [y.shape for y in (y_train, y_val, y_test)] == [(105,), (105,), (90,)]


@pytest.mark.parametrize("d1", [True, False])
def test_training_set_has_mean_zero_and_population_standard_deviation_one(d1):
    x_train, y_train, x_val, *_ = generate(D1=d1)
    for column in (*x_train.T, y_train):
        assert (column.mean(), column.std()) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    assert abs(x_val.mean()) > 1e-6


def test_inputs_are_an_even_grid_in_random_order():
    x = np.concatenate(generate()[::2]).ravel()
    assert (np.diff(x) < 0).any()
    gaps = np.diff(np.sort(x))
    assert gaps == pytest.approx(np.full(299, gaps[0]))


def test_noise_around_the_line_with_a_wave_has_its_standard_deviation():
    """Standardising is affine: least squares on 1, x and the wave gives it back; 4 standard errors."""
    parts = generate(noise=0.5, n_samples=20_000)
    x, y = np.concatenate(parts[::2]).ravel(), np.concatenate(parts[1::2])
    grid = (x - x.min()) / (x.max() - x.min()) * 6 - 3
    columns = np.column_stack([np.ones_like(grid), grid, np.sin(3 * grid)])
    (_, line, wave), *_ = np.linalg.lstsq(columns, y, rcond=None)
    noise = np.std(y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0])
    assert wave / line == pytest.approx(0.5, abs=0.03)
    assert noise / line == pytest.approx(0.5, rel=4 / np.sqrt(2 * 20_000) + 0.01)


def test_three_dimensions_have_inputs_of_variance_noise_and_outputs_without_noise():
    """Without noise in y, a large sample is fitted exactly by its four terms."""
    parts = generate(noise=0.3, n_samples=3000, D1=False)
    x, y = np.concatenate(parts[::2]), np.concatenate(parts[1::2])

    def residual(means, std):
        raw = x * std + means
        columns = np.column_stack([np.ones(len(x)), np.sin(raw[:, 0]), raw[:, 1] ** 2, raw[:, 2]])
        coefficients, *_ = np.linalg.lstsq(columns, y, rcond=None)
        return np.abs(y - columns @ coefficients).max(), coefficients

    rng = np.random.default_rng(0)
    raw = rng.normal(0, np.sqrt(0.3), (3000, 3))[:1050]
    error, (_, sine, square, line) = residual(raw.mean(axis=0), raw.std(axis=0))
    assert error < 1e-12
    assert (square / sine, line / sine) == (pytest.approx(-5), pytest.approx(0.5))


def test_without_a_generator_numpys_global_one_decides():
    state = np.random.get_state()
    np.random.seed(4)
    first = data_generator()
    np.random.seed(4)
    second = data_generator()
    np.random.set_state(state)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[1], generate(5)[1])


@pytest.mark.parametrize("options", [{"n_samples": 5}, {"noise": -0.1}])
def test_impossible_requests_are_refused(options):
    with pytest.raises(ValueError, match="are needed"):
        data_generator(**options)
