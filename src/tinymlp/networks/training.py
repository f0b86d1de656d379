"""Train one network by mini-batches: the readable loop, and its history."""

from collections.abc import Sized
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset

Data = Dataset[tuple[Tensor, Tensor]]  # pairs: inputs (2,), target ()


@dataclass
class History:
    """Loss and accuracy on training and validation data after each epoch.

    `gradient_norm` is the Euclidean norm of the gradient of the mean training
    loss, over all training points, at the parameters after the epoch.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)

    def record(self, model: nn.Module, train: Data, val: Data) -> None:
        """Append what `evaluate` and `gradient_norm` say of the model."""
        loss, accuracy = evaluate(model, train)
        self.train_loss.append(loss)
        self.train_accuracy.append(accuracy)
        loss, accuracy = evaluate(model, val)
        self.val_loss.append(loss)
        self.val_accuracy.append(accuracy)
        self.gradient_norm.append(gradient_norm(model, train))


def fit(
    model: nn.Module,
    train: Data,
    val: Data,
    # excerpt: skip
    *,
    epochs: int,
    batch_size: int = 32,
    lr: float = 0.01,
    weight_decay: float = 0.0,
    seed: int,
    # excerpt: resume
) -> History:
    """Train `model` in place and return its history, one entry per epoch.

    Each epoch takes the training data once, in mini-batches (the last may be
    smaller) in a new order; the orders follow from `seed`. The loss is the
    mean binary cross entropy in nats; weight decay is an L2 penalty.
    """
    order = torch.Generator().manual_seed(seed)
    batches = DataLoader(train, batch_size, shuffle=True, generator=order)
    loss_function = nn.BCEWithLogitsLoss()
    optimiser = Adam(model.parameters(), lr, weight_decay=weight_decay)
    history = History()
    for _ in range(epochs):
        for inputs, targets in batches:
            optimiser.zero_grad()
            loss = loss_function(model(inputs), targets)
            loss.backward()
            optimiser.step()
        history.record(model, train, val)
    return history


@torch.no_grad()
def evaluate(model: nn.Module, dataset: Data) -> tuple[float, float]:
    """Return the mean binary cross entropy (in nats) and the accuracy.

    A logit above 0 is an answer of class 1, any other an answer of class 0.
    """
    inputs, targets = whole(dataset)
    logits = model(inputs)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, targets)
    correct = (logits > 0) == (targets == 1)
    return loss.item(), correct.float().mean().item()


def gradient_norm(model: nn.Module, dataset: Data) -> float:
    """Return the norm of the gradient of the mean loss over all points.

    The norm is Euclidean, over all parameters as one vector; their `grad`
    stays as it is.
    """
    inputs, targets = whole(dataset)
    loss = nn.BCEWithLogitsLoss()(model(inputs), targets)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    return nn.utils.get_total_norm(gradients).item()


def whole(dataset: Data) -> tuple[Tensor, Tensor]:
    """Return all inputs (n, 2) and targets (n,) of a data set."""
    size = len(cast(Sized, dataset))
    inputs, targets = next(iter(DataLoader(dataset, batch_size=size)))
    return inputs, targets
