"""Settings of a training: one factor at a time, with keys and labels that people read."""

from dataclasses import fields

import pytest

from tinymlp.networks import Training
from tinymlp.studies.settings import (
    GRID,
    LEARNING_RATE,
    REFERENCE,
    SCALE,
    Setting,
    rounded_product,
    settings_around,
)

TRAINING = Training(epochs=50, batch_size=32, lr=0.01, n_train=1000, n_val=1, s=0.1)


def changed(training):
    """Return the fields in which a training differs from the reference."""
    both = {
        field.name: (getattr(training, field.name), getattr(TRAINING, field.name))
        for field in fields(Training)
    }
    return {name: new for name, (new, old) in both.items() if new != old}


@pytest.fixture(scope="module")
def settings():
    return {setting.label: setting for setting in settings_around(TRAINING)}


def test_the_reference_comes_first_and_no_label_twice(settings):
    assert len(settings_around(TRAINING)) == len(settings)
    first = next(iter(settings.values()))
    assert (first.factor, first.label, first.training) == (REFERENCE, REFERENCE, TRAINING)


@pytest.mark.parametrize(
    ("label", "changes"),
    [
        ("learning rate 0.001", {"lr": 0.001}),
        ("learning rate 0.03", {"lr": 0.03}),
        ("initial scale 0.25", {"initial_scale": 0.25}),
        ("learning rate 0.1, initial scale 4", {"lr": 0.1, "initial_scale": 4}),
        ("epochs 5", {"epochs": 5}),
        ("epochs 200, learning rate 0.001", {"epochs": 200, "lr": 0.001}),
        ("weight decay 0.0001", {"weight_decay": 1e-4}),
        ("Glorot initialiser", {"initialiser": "glorot"}),
        ("ReLU, initial scale 2", {"activation": "relu", "initial_scale": 2}),
        ("noise 0.3", {"s": 0.3}),
        ("beta1 0", {"betas": (0, 0.999)}),
        ("beta2 0.9999", {"betas": (0.9, 0.9999)}),
        ("beta1 0, beta2 0.9", {"betas": (0, 0.9)}),
        ("SGD, momentum 0.9, learning rate 0.1", {"optimiser": "sgd", "betas": (0.9, 0), "lr": 0.1}),
        ("SGD, momentum 0, learning rate 1", {"optimiser": "sgd", "betas": (0, 0), "lr": 1}),
    ],
)
def test_a_setting_changes_what_its_label_says(settings, label, changes):
    assert changed(settings[label].training) == changes


@pytest.mark.parametrize(
    ("label", "steps"),
    [
        # 1000 points in batches of 32 are 32 steps an epoch, 50 epochs 1600 steps
        ("batch size 8, equal steps", 1600),
        ("batch size 8, equal epochs", 50 * 125),
        ("batch size 128, equal epochs", 50 * 8),
        ("training points 100, equal steps", 1600),
        ("training points 100, equal epochs", 50 * 4),
        ("training points 3000, equal steps", 1600),
    ],
)
def test_another_size_keeps_the_steps_or_the_epochs(settings, label, steps):
    assert settings[label].training.total_steps == steps


def test_more_points_for_as_many_epochs_are_left_out(settings):
    assert "training points 3000, equal epochs" not in settings


def test_the_grid_has_three_learning_rates_with_every_scale(settings):
    grid = [s.training for s in settings.values() if s.factor in (REFERENCE, LEARNING_RATE, SCALE, GRID)]
    expected = {(lr, scale) for lr in (0.001, 0.01, 0.1) for scale in (0.25, 0.5, 1, 2, 4)}
    assert {(one.lr, one.initial_scale) for one in grid} == expected | {(0.003, 1), (0.03, 1)}


def test_what_changes_two_factors_is_apart_from_what_changes_one(settings):
    both = [s.label for s in settings.values() if s.factor == GRID]
    assert len(both) == 8  # two learning rates with four scales
    assert all("learning rate" in label and "initial scale" in label for label in both)
    scales = [s.training for s in settings.values() if s.factor == SCALE]
    assert [changed(training) for training in scales] == [{"initial_scale": x} for x in (0.25, 0.5, 2, 4)]


def test_a_name_is_a_key_of_letters_digits_and_underscores(settings):
    names = [setting.name for setting in settings.values()]
    assert all(name.isidentifier() for name in names)
    assert len(set(names)) == len(names)
    assert settings["learning rate 0.001, initial scale 4"].name == "learning_rate_0_001_initial_scale_4"


def test_settings_share_an_ensemble_if_they_differ_in_columns_or_steps_alone(settings):
    shared = settings[REFERENCE].shared
    together = {label for label, setting in settings.items() if setting.shared == shared}
    assert {"learning rate 0.1, initial scale 4", "weight decay 0.01", "epochs 200"} <= together
    assert together.isdisjoint(
        {"ReLU", "noise 0.2", "beta1 0", "batch size 8, equal steps", "Glorot initialiser"}
    )
    assert settings["weight decay 0.01"].columns == (0.01, 0.01, 1.0)


def test_a_scale_for_each_network_is_refused():
    many = Setting("factor", "label", Training(initial_scale=(1.0, 2.0)))
    with pytest.raises(TypeError, match="one number"):
        _ = many.scale


def test_a_product_has_no_rounding_error_of_binary_fractions():
    assert 3 * 0.1 != 0.3
    assert rounded_product(3, 0.1) == 0.3
