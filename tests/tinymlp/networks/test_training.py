"""The readable loop: DataLoader mini-batches, Adam and binary cross entropy from logits."""

import math

import pytest
import torch
from torch.utils.data import TensorDataset

from tinymlp.networks.models import Net
from tinymlp.networks.noisy_xor import NoisyXor
from tinymlp.networks.training import evaluate, fit, gradient_norm


@pytest.fixture(autouse=True)
def _one_thread():
    """The networks are tiny: two threads would only wait for each other, on a busy machine for long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def net(depth, width, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Net(depth, width)


def linear(w1, w2, w0):
    model = Net(0, 1)
    with torch.no_grad():
        model.model[0].weight.copy_(torch.tensor([[w1, w2]]))
        model.model[0].bias.copy_(torch.tensor([w0]))
    return model


def test_evaluation_by_hand():
    """Logits ln 3, 0, -ln 3 are probabilities 3/4, 1/2, 1/4."""
    data = TensorDataset(torch.tensor([[1.0, 0], [0, 0], [-1, 0]]), torch.tensor([1.0, 0, 1]))
    loss, accuracy = evaluate(linear(math.log(3), 0.0, 0.0), data)
    assert loss == pytest.approx((math.log(4 / 3) + math.log(2) + math.log(4)) / 3)
    assert accuracy == pytest.approx(2 / 3)


def test_the_norm_of_the_gradient_by_hand():
    """A point adds (sigma(z) - y) (x1, x2, 1) / n: at logits ln 3 and 0 errors of -1/4 and 1/2."""
    data = TensorDataset(torch.tensor([[1.0, 2.0], [0.0, -3.0]]), torch.tensor([1.0, 0.0]))
    model = linear(math.log(3), 0.0, 0.0)
    gradient = [-1 / 8, -1 / 4 - 3 / 4, -1 / 8 + 1 / 4]
    assert gradient_norm(model, data) == pytest.approx(math.hypot(*gradient))
    assert all(p.grad is None for p in model.parameters())


def test_the_norm_of_the_gradient_is_that_of_finite_differences():
    data, model = NoisyXor(50, seed=1), net(2, 3, seed=0).double()
    data.inputs, data.targets = data.inputs.double(), data.targets.double()
    flat = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    expected = gradient_norm(model, data)
    slopes = []
    for i in range(len(flat)):
        losses = []
        for step in (1e-5, -1e-5):
            moved = flat.clone()
            moved[i] += step
            torch.nn.utils.vector_to_parameters(moved, model.parameters())
            losses.append(evaluate(model, data)[0])
        slopes.append((losses[0] - losses[1]) / 2e-5)
    assert expected == pytest.approx(math.hypot(*slopes), rel=1e-6)


def test_two_steps_of_adam_by_hand():
    """At x = (1, 0), y = 1 the gradient of w1 and w0 is sigma(w1 + w0) - 1, that of w2 zero."""
    model, data = linear(0.0, 0.0, 0.0), TensorDataset(torch.tensor([[1.0, 0.0]]), torch.tensor([1.0]))
    history = fit(model, data, data, epochs=2, batch_size=1, lr=0.5, seed=0)

    w = m = v = 0.0
    for t in (1, 2):
        gradient = 1 / (1 + math.exp(-2 * w)) - 1  # w1 = w0 = w
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        w -= 0.5 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        assert history.train_loss[t - 1] == pytest.approx(math.log1p(math.exp(-2 * w)), rel=1e-5)
    assert model.model[0].weight.tolist()[0] == pytest.approx([w, 0.0], rel=1e-5)
    assert model.model[0].bias.item() == pytest.approx(w, rel=1e-5)


def test_a_wide_enough_network_learns_noisy_xor():
    train, val = NoisyXor(400, seed=1), NoisyXor(400, seed=2)
    history = fit(net(1, 4, seed=0), train, val, epochs=25, lr=0.03, seed=3)
    assert history.val_loss[-1] < 0.1 < math.log(2) - 0.1 < history.val_loss[0]
    assert history.val_accuracy[-1] > 0.99


def test_a_linear_network_does_not():
    train, val = NoisyXor(400, seed=1), NoisyXor(400, seed=2)
    history = fit(net(0, 1, seed=0), train, val, epochs=25, lr=0.03, seed=3)
    assert history.val_loss[-1] == pytest.approx(math.log(2), abs=0.03)


def test_history_is_what_evaluation_says_after_each_epoch():
    train, val = NoisyXor(70, seed=1), NoisyXor(50, seed=2)
    model, whole = net(1, 2, seed=0), net(1, 2, seed=0)
    history = fit(whole, train, val, epochs=3, seed=3)
    first = fit(model, train, val, epochs=1, seed=3)
    assert (first.train_loss[0], first.train_accuracy[0]) == evaluate(model, train)
    assert (first.val_loss[0], first.val_accuracy[0]) == evaluate(model, val)
    assert history.train_loss[0] == first.train_loss[0]
    assert first.gradient_norm[0] == gradient_norm(model, train)
    assert [len(values) for values in vars(history).values()] == [3, 3, 3, 3, 3]
    assert (history.val_loss[-1], history.val_accuracy[-1]) == evaluate(whole, val)


def test_equal_seeds_give_equal_bits_and_other_seeds_another_order():
    train, val = NoisyXor(100, seed=1), NoisyXor(50, seed=2)
    runs = [fit(net(1, 2, seed=0), train, val, epochs=2, seed=seed) for seed in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0].train_loss != runs[2].train_loss


def test_an_epoch_takes_each_point_once_in_batches_of_the_given_size():
    seen = []

    class Watched(Net):
        def forward(self, x):
            if torch.is_grad_enabled():
                seen.append(x)
            return super().forward(x)

    train = NoisyXor(70, seed=1)
    fit(Watched(1, 2), train, train, epochs=2, batch_size=32, seed=3)
    assert [len(x) for x in seen] == [32, 32, 6, 70] * 2  # the whole for the norm of its gradient
    first, second = torch.cat(seen[:3]), torch.cat(seen[4:7])
    assert not torch.equal(first, second)
    for epoch in (first, second):
        assert sorted(epoch.tolist()) == sorted(train.inputs.tolist())


def test_weight_decay_shrinks_the_weights():
    train, val = NoisyXor(200, seed=1), NoisyXor(50, seed=2)
    free, decayed = net(1, 3, seed=0), net(1, 3, seed=0)
    fit(free, train, val, epochs=20, seed=3)
    fit(decayed, train, val, epochs=20, weight_decay=0.1, seed=3)
    size = [sum(p.square().sum().item() for p in model.parameters()) for model in (free, decayed)]
    assert size[1] < 0.5 * size[0]
