"""Agreement of the two ways to train: seen where they differ, and where they do not."""

import pytest

from tinymlp.networks import Shape, Training, agreement, greatest_difference

TRAINING = Training(epochs=3, batch_size=20, n_train=60, n_val=40, dtype="float64")


def test_the_two_ways_agree_in_double_precision():
    assert 0 < greatest_difference([Shape(1, 2), Shape(2, 3)], TRAINING, seed=5) < 1e-10


@pytest.mark.parametrize("epoch", [0, 2])
def test_the_greatest_difference_is_over_all_epochs(monkeypatch, epoch):
    fit = agreement.fit

    def altered(*args, **options):
        history = fit(*args, **options)
        history.val_loss[epoch] /= 1.25
        return history

    monkeypatch.setattr(agreement, "fit", altered)
    assert greatest_difference([Shape(1, 2)], TRAINING, seed=5) == pytest.approx(0.25)
