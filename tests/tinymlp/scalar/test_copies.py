"""Copies of `Var`s by `copy` and pickle: values, gradients, the graph, who shares what; deep graphs."""

import copy
import io
import os
import pickle
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from tinymlp.scalar.autodiff import Var, affine, logsumexp, sum_of_squares, total
from tinymlp.scalar.copies import Announced, _announcements
from tinymlp.scalar.nn import DenseLayer, NeuralNetwork

DEEP = 5000
SOURCES = Path(__file__).parents[3] / "src"


def by_pickle(thing, protocol=pickle.DEFAULT_PROTOCOL):
    return pickle.loads(pickle.dumps(thing, protocol))


def by_pickle_in_python(thing):
    """Pickle's reference implementation; others, such as dill, build on it."""
    return pickle._loads(pickle._dumps(thing))


def by_a_pickler_that_is_used_again(thing):
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    pickler.dump(thing)
    pickler.clear_memo()
    file.seek(0)
    file.truncate()
    pickler.dump(thing)
    return pickle.loads(file.getvalue())


COPIES = [
    copy.deepcopy,
    by_pickle,
    by_pickle_in_python,
    by_a_pickler_that_is_used_again,
    *(lambda thing, p=p: by_pickle(thing, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
]
copies = pytest.mark.parametrize("copied", COPIES)


def chain(length):
    """Return an input, and a `Var` as many operations away."""
    x = y = Var(1.0)
    for _ in range(length):
        y = y * 1.001 + x
    return x, y


def first(var):
    while var.operands:
        var = var.operands[0]
    return var


def every_operation(x, y):
    one = -(x + y - x * y / 3) + x**2 + 2**y + x.relu() + y.tanh() + x.sigmoid() + x.exp() + x.log()
    return total([one, x.identity(), affine(x, [y], [x]), sum_of_squares([x], [y]), logsumexp([x, y])])


@copies
class TestCopies:
    def test_of_an_input_have_its_value_and_gradient(self, copied):
        x = Var(1.5)
        x.grad = -2.0
        other = copied(x)
        assert other is not x
        assert (other.v, other.grad, other.grad_fn(), other.operation) == (1.5, -2.0, [], None)

    def test_of_a_result_have_the_same_backward_pass_and_are_apart(self, copied):
        x, y = Var(1.5), Var(0.7)
        f = every_operation(x, y)
        f.backward()
        before = x.grad, y.grad, f.grad
        g, p, q = copied([f, x, y])
        assert (g.v, p.grad, q.grad, g.grad) == (f.v, *before)
        g.backward()
        assert (p.grad, q.grad, g.grad) == tuple(2 * value for value in before)
        assert (x.grad, y.grad, f.grad) == before

    @pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
    def test_of_several_share_what_these_share(self, copied, order):
        x = Var(2.0)
        both = [x, x * 3, x * x]
        found = copied([both[i] for i in order])
        a, b, c = (found[order.index(i)] for i in range(3))
        assert b.operands[0] is a
        assert c.operands == (a, a)

    def test_of_a_chain_of_thousands_do_not_recurse(self, copied):
        x, y = chain(DEEP)
        y.backward()
        other = copied(y)
        assert (other.v, first(other).grad) == (y.v, x.grad)
        other.backward()
        assert first(other).grad == 2 * x.grad

    def test_of_all_parts_of_a_chain_keep_the_chain(self, copied):
        parts = [Var(1.0)]
        for _ in range(DEEP):
            parts.append(parts[-1] + 1)
        found = copied(parts)
        assert found[-1].v == DEEP + 1
        assert all(later.operands[0] is before for before, later in pairwise(found))

    def test_keep_attributes_and_their_identity(self, copied):
        x = Var(1.0)
        x.name, x.partner = "x", Var(2.0)
        x.partner.partner = x
        y = x * 2
        found = copied(y)
        assert found.operands[0].name == "x"
        assert found.operands[0].partner.v == 2.0
        assert found.operands[0].partner.partner is found.operands[0]

    def test_of_a_network_are_networks(self, copied):
        network = NeuralNetwork([DenseLayer(2, 3, Var.tanh), DenseLayer(3, 1, Var.identity)])
        other = copied(network)
        point = [[Var(0.3), Var(-1.0)]]
        ((ours,),), ((theirs,),) = network.forward(point), other.forward(point)
        assert theirs.v == ours.v
        theirs.backward()
        assert any(p.grad for p in other.parameters)
        assert not any(p.grad for p in network.parameters)

    def test_are_of_the_same_class(self, copied):
        assert type(copied(Named(1.0))) is Named

    def test_share_a_grad_fn_that_has_a_name(self, copied):
        x = Var(3.0, three_times_outside)
        assert copied(x).grad_fn is three_times_outside


class Named(Var):
    """A `Var` of another class."""


OUTSIDE = Var(1.0)


def three_times_outside():
    return [(OUTSIDE, 3.0)]


def test_a_shallow_copy_has_the_operands_themselves():
    x = Var(2.0)
    y = x * 3
    other = copy.copy(y)
    other.backward()
    assert (other.operands[0] is x, x.grad, other.grad, y.grad) == (True, 3.0, 1.0, 0.0)


def test_pickle_says_that_a_lambda_cannot_be_found():
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(Var(1.0, lambda: []))


def test_a_chain_can_be_pickled_after_a_pickling_that_failed():
    x, y = chain(DEEP)
    x.name = lambda: None
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(y)
    del x.name
    assert by_pickle(y.operands[0]).v == y.operands[0].v


def test_threads_pickle_the_same_chain_at_the_same_time():
    _, y = chain(2_000)  # deeper than the stack of a pickle that recurses
    switched = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # the threads take turns within one pickle
    found = []
    threads = [threading.Thread(target=lambda: found.append(by_pickle(y).v)) for _ in range(8)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switched)
    assert found == [y.v] * 8


def test_a_pickled_result_is_read_by_another_process(tmp_path):
    path = tmp_path / "var.pickle"
    path.write_bytes(pickle.dumps(every_operation(Var(1.5), Var(0.7))))
    code = (
        f"import pickle; f = pickle.load(open({str(path)!r}, 'rb')); f.backward(); print(f.operands[1].grad)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "1.0\n"


def test_what_the_module_holds_can_be_pickled_and_announces_nothing():
    """Whoever compares what a function reaches, pickles it."""
    y = Var(2.0) * Var(3.0)
    first = Announced(y)
    again = pickle.loads(pickle.dumps(_announcements))
    assert first.new
    assert not again.by_id
