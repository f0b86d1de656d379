"""The training of one network, as in `tinymlp.networks.training`, with a tracker."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim import Adam
from torch.utils.data import DataLoader

from tinymlp.networks import Data, History
from tinymlp.tracking.tracker import Tracker

PICTURES = 20  # of the decision boundary in a run, about


def fit(
    model: nn.Module,
    train: Data,
    val: Data,
    tracker: Tracker,
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
    for epoch in range(epochs):
        for inputs, targets in batches:
            optimiser.zero_grad()
            loss = loss_function(model(inputs), targets)
            loss.backward()
            optimiser.step()
        history.record(model, train, val)
        if epoch in milestones(epochs):
            tracker.boundary(model, train)
        tracker.epoch(history)
    tracker.outcome(model, history)
    return history


def milestones(epochs: int) -> set[int]:
    """Return the epochs, from 0, of which a picture is taken: the first, every few, the last."""
    few = math.ceil(epochs / PICTURES)
    return {*range(0, epochs, few), epochs - 1} if epochs else set()
