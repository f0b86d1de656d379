"""The ensemble trains as the readable loop does, and a column never depends on its neighbours."""

import pickle
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn, optim
from torch.utils.data import TensorDataset

from tinymlp.networks import (
    Shape,
    Training,
    advance,
    evaluate,
    evaluate_separately,
    start,
    stream_seed,
    train,
)
from tinymlp.networks import ensemble as module
from tinymlp.networks import training as readable
from tinymlp.networks.ensemble import join
from tinymlp.networks.noisy_xor import NoisyXor
from tinymlp.networks.training import evaluate as evaluate_one
from tinymlp.networks.training import fit
from tinymlp.parallel import serial

TEN = [Shape(0, 1)] + [Shape(depth, width) for depth in (1, 2, 3) for width in (1, 2, 3)]
SHORT = Training(steps=25, n_train=70, n_val=40, checkpoints=(0, 10))  # batches of 32, 32 and 6


@pytest.fixture(autouse=True)
def _one_thread():
    """The networks are tiny: two threads would only wait for each other, on a busy machine for long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def as_dataset(n, s, seed, dtype):
    drawn = NoisyXor(n, s, seed=seed)
    return TensorDataset(drawn.inputs.to(dtype), drawn.targets.to(dtype))


def bits(ensemble, shape, column):
    """All that is known of one network."""
    state, history = ensemble.states[shape], ensemble.history[shape]
    arrays = [*vars(state).values(), *vars(history).values()]
    return b"".join(array[:, column].tobytes() for array in arrays)


def all_bits(ensemble):
    return {(s, c): bits(ensemble, s, c) for s in ensemble.states for c in range(len(ensemble))}


# ---- the same as the readable loop


SETTINGS = [
    (Shape(0, 1), {}),
    (Shape(1, 1), {}),
    (Shape(2, 2), {"initialiser": "glorot", "initial_scale": 2.0}),
    (Shape(1, 3), {"weight_decay": 0.01}),
    (Shape(3, 3), {"lr": 0.03}),
    (Shape(2, 3), {"activation": "relu", "batch_size": 31}),
]


@pytest.mark.parametrize(
    ("shape", "settings", "dtype", "tolerance"),
    [(*one, "float64", 1e-10) for one in SETTINGS] + [(*one, "float32", 1e-3) for one in SETTINGS[3:]],
    ids=str,
)
def test_losses_over_500_steps_are_those_of_the_readable_loop(shape, settings, dtype, tolerance):
    training = Training(
        epochs=50,
        n_train=310,
        n_val=100,
        s=0.2,
        dtype=dtype,
        checkpoints=tuple(range(10, 501, 10)),
        **settings,
    )
    assert training.total_steps == 500
    ensemble = train([shape], [7, 8], training, seed=3)

    net = ensemble.network(shape, 1, initial=True)
    history = fit(
        net,
        as_dataset(310, 0.2, stream_seed(3, "train", 8), getattr(torch, dtype)),
        as_dataset(100, 0.2, stream_seed(3, "validation", 8), getattr(torch, dtype)),
        epochs=50,
        batch_size=training.batch_size,
        lr=training.lr,
        weight_decay=training.weight_decay,
        seed=stream_seed(3, "order", 8, 0),
    )
    ours = ensemble.history[shape]
    assert ensemble.recorded == training.checkpoints
    np.testing.assert_allclose(ours.train_loss[:, 1], history.train_loss, rtol=tolerance)
    np.testing.assert_allclose(ours.val_loss[:, 1], history.val_loss, rtol=tolerance)
    np.testing.assert_allclose(ours.train_accuracy[:, 1], history.train_accuracy, atol=1e-6)
    np.testing.assert_allclose(ours.val_accuracy[:, 1], history.val_accuracy, atol=1e-6)
    trained = nn.utils.parameters_to_vector(ensemble.network(shape, 1).parameters())
    torch.testing.assert_close(
        trained, nn.utils.parameters_to_vector(net.parameters()), rtol=100 * tolerance, atol=100 * tolerance
    )


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
@pytest.mark.parametrize(
    ("settings", "optimiser"),
    [
        ({"betas": (0.0, 0.999)}, partial(optim.Adam, betas=(0.0, 0.999))),
        ({"betas": (0.99, 0.9)}, partial(optim.Adam, betas=(0.99, 0.9))),
        ({"optimiser": "sgd", "betas": (0.8, 0.0)}, partial(optim.SGD, momentum=0.8)),
        ({"optimiser": "sgd", "betas": (0.0, 0.0)}, optim.SGD),
    ],
    ids=str,
)
def test_other_optimisers_are_those_of_torch(monkeypatch, settings, optimiser, weight_decay):
    shape, kind = Shape(2, 3), torch.float64
    training = Training(
        epochs=10, n_train=70, n_val=40, lr=0.03, weight_decay=weight_decay, dtype="float64", **settings
    )
    ensemble = train([shape], [7, 8], training, seed=3)
    net = ensemble.network(shape, 1, initial=True)
    data = (
        as_dataset(n, 0.1, stream_seed(3, key, 8), kind) for n, key in ((70, "train"), (40, "validation"))
    )
    monkeypatch.setattr(readable, "Adam", optimiser)  # the loop is as it was, but for its optimiser
    fit(net, *data, epochs=10, lr=0.03, weight_decay=weight_decay, seed=stream_seed(3, "order", 8, 0))
    trained = nn.utils.parameters_to_vector(ensemble.network(shape, 1).parameters())
    torch.testing.assert_close(trained, nn.utils.parameters_to_vector(net.parameters()), rtol=1e-8, atol=1e-8)


# ---- neighbours do not matter


@pytest.fixture(scope="module")
def alone():
    """Three replicates of each shape, trained by themselves."""
    return train(TEN, [5, 0, 130], SHORT, seed=1)


@pytest.mark.parametrize(
    "replicates",
    [[130, 0, 5], range(131), [0] * 64 + [5, 130]],
    ids=["reordered", "131", "more than 64 equal"],
)
def test_a_replicate_has_the_same_bits_in_any_company(alone, replicates):
    company = train(TEN, replicates, SHORT, seed=1)
    test = NoisyXor(300, seed=0)
    scores, expected = (evaluate(one, test.inputs, test.targets) for one in (company, alone))
    for column, replicate in enumerate([5, 0, 130]):
        for shape in TEN:
            there = list(replicates).index(replicate)
            assert bits(alone, shape, column) == bits(company, shape, there)
            assert expected[shape].loss[column] == scores[shape].loss[there]


@pytest.mark.parametrize("lanes", [64, 128])
@pytest.mark.parametrize("parts", [1, 2, 3, 100])
def test_how_many_are_computed_together_does_not_change_a_bit(monkeypatch, parts, lanes):
    shapes, replicates = [Shape(0, 1), Shape(1, 1), Shape(3, 3)], range(300)
    training = replace(SHORT, steps=4)
    expected = all_bits(train(shapes, replicates, training, seed=1))
    monkeypatch.setattr(module, "PARTS", parts)
    monkeypatch.setattr(module, "LANES", lanes)
    sizes = []

    def counted(function, items, batch):
        return serial(lambda some: sizes.append(len(some)) or function(some), items, batch=batch)

    assert all_bits(train(shapes, replicates, training, seed=1, map=counted)) == expected
    assert max(sizes) == min(parts, -(-300 // lanes))


def test_more_repeats_and_other_settings_leave_what_was_handed_out_as_it_was():
    def handed(repeats, **settings):
        items = []

        def noted(function, some, batch):
            items.extend(pickle.dumps(item) for item in some)
            return serial(function, some, batch=batch)

        replicates = [*range(repeats)] * len(settings.get("lr", [0.01])[::repeats])
        train([Shape(1, 2)], replicates, replace(SHORT, steps=0, **settings), seed=1, map=noted)
        return items

    assert [len(pickle.loads(item)) for item in handed(150)] == [64, 64, 22]
    assert handed(150)[:2] == handed(130)[:2] == handed(128)
    one, both = handed(130, lr=[0.1] * 130), handed(130, lr=[0.1] * 130 + [0.2] * 130)
    assert both[::2] == one  # parts of the same replicates are neighbours


def test_a_shape_has_the_same_bits_with_and_without_other_shapes(alone):
    single = train([Shape(2, 2)], [5, 0, 130], SHORT, seed=1)
    for column in range(3):
        assert bits(single, Shape(2, 2), column) == bits(alone, Shape(2, 2), column)


def test_one_thread_and_two_give_the_same_bits():
    """With 384 columns in a block, its arrays are large enough for torch to share them out to threads."""
    test, threads, seen = NoisyXor(200, seed=0), torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            ensemble = train([Shape(3, 3)], range(768), replace(SHORT, steps=4), seed=1)
            scores = evaluate(ensemble, test.inputs, test.targets)[Shape(3, 3)]
            seen.append((all_bits(ensemble), scores.loss.tobytes()))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert seen[0] == seen[1]


def test_work_may_be_done_elsewhere(alone):
    def far_away(function, items, batch=None):
        return serial(pickle.loads(pickle.dumps(function)), pickle.loads(pickle.dumps(items)), batch=batch)

    distant = train(TEN, [5, 0, 130], SHORT, seed=1, map=far_away)
    assert all_bits(distant) == all_bits(alone)
    test = NoisyXor(100, seed=0)
    here, there = (evaluate(alone, test.inputs, test.targets, map=m) for m in (serial, far_away))
    assert all(np.array_equal(here[shape].loss, there[shape].loss) for shape in TEN)


def test_each_column_may_have_its_own_settings():
    grid = {"lr": (0.001, 0.01, 0.1), "weight_decay": (0.0, 0.1, 0.01), "initial_scale": (2.0, 1.0, 0.5)}
    together = train([Shape(1, 2)], [4, 4, 4], replace(SHORT, **grid), seed=1)
    for column in range(3):
        own = {name: values[column] for name, values in grid.items()}
        single = train([Shape(1, 2)], [4], replace(SHORT, **own), seed=1)
        assert bits(together, Shape(1, 2), column) == bits(single, Shape(1, 2), 0)


# ---- going on, selecting, joining


@pytest.mark.parametrize("pause", [0, 2, 3, 17, 25])
def test_going_on_is_the_same_as_training_at_once(pause):
    whole = train([Shape(1, 2)], range(5), SHORT, seed=1)
    begun = advance(start([Shape(1, 2)], range(5), SHORT, seed=1), pause, checkpoints=SHORT.checkpoints)
    resumed = advance(begun.select([3, 1]), 25, checkpoints=SHORT.checkpoints)
    assert resumed.step == 25
    state, expected = resumed.states[Shape(1, 2)], whole.states[Shape(1, 2)]
    for ours, theirs in zip(vars(state).values(), vars(expected).values(), strict=True):
        assert np.array_equal(ours, theirs[:, [3, 1]])
    rows = [resumed.recorded.index(step) for step in whole.recorded]
    assert np.array_equal(
        resumed.history[Shape(1, 2)].val_loss[rows], whole.history[Shape(1, 2)].val_loss[:, [3, 1]]
    )


def test_training_leaves_its_beginning_as_it_was():
    beginning = start([Shape(1, 2)], range(5), SHORT, seed=1)
    before = all_bits(beginning)
    advance(beginning, 25)
    assert all_bits(beginning) == before


def test_losses_are_recorded_at_the_checkpoints_and_at_the_end(alone):
    assert alone.recorded == (0, 10, 25)
    assert alone.step == 25
    assert alone.history[Shape(3, 1)].val_accuracy.shape == (3, 3)


def test_joined_parts_are_the_whole(alone):
    parts = [alone.select([0]), alone.select([1, 2])]
    assert all_bits(join(parts)) == all_bits(alone)
    assert list(alone.select([0], [Shape(1, 3)]).states) == [Shape(1, 3)]


# ---- evaluation


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scores_are_those_of_the_extracted_networks(dtype):
    ensemble = train(TEN, range(3), replace(SHORT, dtype=dtype), seed=1)
    test = as_dataset(1003, 0.3, 9, getattr(torch, dtype))
    scores = evaluate(ensemble, *test.tensors)
    for shape in TEN:
        for column in range(3):
            loss, accuracy = evaluate_one(ensemble.network(shape, column), test)
            assert scores[shape].loss[column] == pytest.approx(loss, rel=1e-6)
            assert scores[shape].accuracy[column] == pytest.approx(accuracy, rel=1e-6)


def test_separate_tests_give_each_replicate_its_own_points():
    ensemble = train([Shape(1, 2)], [6, 2], SHORT, seed=1)
    scores = evaluate_separately(ensemble, 2100)[Shape(1, 2)]
    for column, replicate in enumerate([6, 2]):
        drawn = [
            NoisyXor(n, SHORT.s, seed=stream_seed(1, "test", replicate, chunk))
            for chunk, n in enumerate([1000, 1000, 100])
        ]
        test = TensorDataset(torch.cat([d.inputs for d in drawn]), torch.cat([d.targets for d in drawn]))
        loss, accuracy = evaluate_one(ensemble.network(Shape(1, 2), column), test)
        assert scores.loss[column] == pytest.approx(loss, rel=1e-6)
        assert scores.accuracy[column] == pytest.approx(accuracy, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 10.0, 200.0])
def test_float32_keeps_tiny_and_huge_losses(scale):
    """Against the loss in float64 of the same float32 parameters."""
    training = Training(initial_scale=scale, steps=0)
    ensemble = start([Shape(0, 1)], range(64), training, seed=2)
    test = NoisyXor(500, 0.1, seed=3)
    confident = torch.where(test.targets[:, None] == 1, 1.0, -1.0) * torch.tensor([[3.0, 2.0]])
    scores = evaluate(ensemble, confident, test.targets)[Shape(0, 1)]
    for column in range(64):
        net = ensemble.network(Shape(0, 1), column).double()
        exact = nn.functional.binary_cross_entropy_with_logits(net(confident.double()), test.targets.double())
        assert scores.loss[column] == pytest.approx(exact.item(), rel=2e-5)


def test_a_logit_of_zero_counts_as_class_zero():
    ensemble = start([Shape(1, 2)], [0], Training(initial_scale=0.0), seed=0)
    scores = evaluate(ensemble, np.zeros((4, 2)), np.array([0, 0, 0, 1]))[Shape(1, 2)]
    assert scores.accuracy == [0.75]
    assert scores.loss == pytest.approx(np.log(2))


# ---- errors


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 0},
        {"n_train": 0},
        {"steps": -1},
        {"initialiser": "he"},
        {"activation": "sine"},
        {"optimiser": "lbfgs"},
        {"betas": (0.9, 1.0)},
        {"betas": (-0.1, 0.9)},
    ],
    ids=str,
)
def test_impossible_trainings_are_refused(settings):
    with pytest.raises(ValueError, match=r"a training needs|unknown"):
        Training(**settings)


def test_mismatched_columns_are_refused():
    with pytest.raises(ValueError, match="lr is one number or 3"):
        start([Shape(1, 1)], range(3), Training(lr=(0.1, 0.2)), seed=0)
    with pytest.raises(ValueError, match="at least one"):
        start([Shape(1, 1)], [], Training(), seed=0)


def test_going_back_is_refused(alone):
    with pytest.raises(ValueError, match="cannot go back"):
        advance(alone, 24)
