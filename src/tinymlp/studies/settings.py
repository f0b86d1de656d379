"""Settings of a training: a reference, and others that differ from it in one factor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from tinymlp.networks import Training

# factors; in the reference none is changed, in the last two kinds two are changed together
REFERENCE = "reference"
LEARNING_RATE, SCALE, GRID, COMBINED = (
    "learning rate",
    "initial scale",
    "learning rate and scale",
    "other combinations",
)
LR_FACTORS, LR_BETWEEN = (0.1, 1, 10), (0.3, 3)  # of the reference, the former with all scales
SCALES = (0.25, 0.5, 1, 2, 4)
EPOCH_FACTORS = (0.1, 0.2, 0.5, 2, 4)
DECAYS = (1e-4, 1e-3, 1e-2)
BATCH_FACTORS, SIZE_FACTORS, NOISE_FACTORS = (0.25, 4), (0.1, 3), (2, 3)
BETAS1, BETAS2, FORGETFUL = (0, 0.5, 0.99), (0.9, 0.99, 0.9999), (0, 0.9)  # of Adam
MOMENTA = ((0.9, 1), (0.9, 10), (0.9, 30), (0, 100))  # of gradient descent, with multiples of the rate


@dataclass(frozen=True)
class Setting:
    """One way to train; the label says what differs from the reference setting."""

    factor: str
    label: str
    training: Training

    @property
    def name(self) -> str:
        """The key of the setting in the result."""
        return self.label.lower().replace(",", "").translate(str.maketrans(" .-", "___"))

    @property
    def scale(self) -> float:
        """The scale of the initial parameters, one number for all networks."""
        scale = self.training.initial_scale
        if not isinstance(scale, int | float):
            raise TypeError(f"the scale of a setting is one number, not {scale!r}")
        return float(scale)

    @property
    def columns(self) -> tuple[Any, ...]:
        """What may differ between networks that are trained side by side in one ensemble."""
        return self.training.lr, self.training.weight_decay, self.training.initial_scale

    @property
    def shared(self) -> Training:
        """What may not differ there; the number of steps does not count, as one lane may stop early."""
        return replace(self.training, lr=0, weight_decay=0, initial_scale=0, epochs=0, steps=0)


def settings_around(reference: Training) -> list[Setting]:
    """Return the reference, settings with one factor changed, and learning rate with initial scale.

    The reference comes first. A smaller batch or training set comes twice: with as many steps, and with as
    many epochs, since one of the two must change with it.
    """
    noise = [rounded_product(factor, reference.s) for factor in NOISE_FACTORS]
    return [
        Setting(REFERENCE, REFERENCE, reference),
        *_optimisers(reference),
        *_learning_rate_and_scale(reference),
        *_epochs(reference),
        *(Setting("weight decay", f"weight decay {w:g}", replace(reference, weight_decay=w)) for w in DECAYS),
        *_sizes(reference, "batch size", "batch_size", BATCH_FACTORS),
        *_sizes(reference, "training points", "n_train", SIZE_FACTORS),
        Setting("initialiser", "Glorot initialiser", replace(reference, initialiser="glorot")),
        Setting("activation", "ReLU", replace(reference, activation="relu")),
        *_combined(reference),
        *(Setting("noise", f"noise {s:g}", replace(reference, s=s)) for s in noise),
    ]


def rounded_product(factor: float, value: Any) -> float:
    """Return a product to six digits: 3 times 0.1 is 0.3, as a label and a key must say it."""
    return float(f"{factor * value:.6g}")


def _optimisers(reference: Training) -> Iterator[Setting]:
    """Yield other betas of Adam, and gradient descent with and without momentum."""
    for beta in BETAS1:
        yield Setting("beta1", f"beta1 {beta:g}", replace(reference, betas=(beta, reference.betas[1])))
    for beta in BETAS2:
        yield Setting("beta2", f"beta2 {beta:g}", replace(reference, betas=(reference.betas[0], beta)))
    for momentum, factor in MOMENTA:
        rate = rounded_product(factor, reference.lr)
        label = f"SGD, momentum {momentum:g}, learning rate {rate:g}"
        yield Setting("optimiser", label, replace(reference, optimiser="sgd", betas=(momentum, 0), lr=rate))


def _learning_rate_and_scale(reference: Training) -> Iterator[Setting]:
    """Yield some learning rates with all scales, then learning rates between."""
    rates = [rounded_product(factor, reference.lr) for factor in LR_FACTORS]
    between = [rounded_product(factor, reference.lr) for factor in LR_BETWEEN]
    for lr, scale in [*product(rates, SCALES), *product(between, [1])]:
        changes = {LEARNING_RATE: lr, SCALE: scale}
        usual = {LEARNING_RATE: reference.lr, SCALE: 1}
        changed = [factor for factor, value in changes.items() if value != usual[factor]]
        if changed:  # without a change it is the reference again
            label = ", ".join(f"{factor} {changes[factor]:g}" for factor in changed)
            factor = GRID if len(changed) == 2 else changed[0]
            yield Setting(factor, label, replace(reference, lr=lr, initial_scale=scale))


def _epochs(reference: Training) -> Iterator[Setting]:
    """Yield shorter and longer trainings."""
    for factor in EPOCH_FACTORS:
        epochs = round(factor * reference.epochs)
        yield Setting("epochs", f"epochs {epochs}", replace(reference, epochs=epochs))


def _combined(reference: Training) -> Iterator[Setting]:
    """Yield a few settings in which two factors change together."""
    epochs = round(EPOCH_FACTORS[-1] * reference.epochs)
    slow = replace(reference, epochs=epochs, lr=rounded_product(LR_FACTORS[0], reference.lr))
    yield Setting(COMBINED, f"epochs {epochs}, learning rate {slow.lr:g}", slow)
    yield Setting(COMBINED, "ReLU, initial scale 2", replace(reference, activation="relu", initial_scale=2))
    beta1, beta2 = FORGETFUL
    yield Setting(COMBINED, f"beta1 {beta1:g}, beta2 {beta2:g}", replace(reference, betas=FORGETFUL))


def _sizes(reference: Training, factor: str, field: str, multiples: Sequence[float]) -> Iterator[Setting]:
    """Yield other sizes of batch or training set, each with as many steps and with as many epochs."""
    for multiple in multiples:
        size = round(multiple * getattr(reference, field))
        by_epochs = replace(reference, **{field: size})
        by_steps = replace(by_epochs, steps=reference.total_steps)
        yield Setting(factor, f"{factor} {size}, equal steps", by_steps)
        # more points for as many epochs are merely more steps, which the factor "epochs" shows
        if field == "batch_size" or multiple < 1:
            yield Setting(factor, f"{factor} {size}, equal epochs", by_epochs)
