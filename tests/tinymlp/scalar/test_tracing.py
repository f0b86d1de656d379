"""The trace is the course's recursion, call by call; the reference is a plain re-statement of its rule."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinymlp.scalar.autodiff import Var
from tinymlp.scalar.tracing import Call, Edge, Node, count_visits, trace


class Plain:
    """The rule as it stands: add to the gradient, then call the inputs; each call is logged."""

    def __init__(self, val, grad_fn=lambda: []):
        self.v, self.grad, self.grad_fn = val, 0.0, grad_fn

    def __add__(self, other):
        return Plain(self.v + other.v, lambda: [(self, 1.0), (other, 1.0)])

    def __sub__(self, other):
        return Plain(self.v - other.v, lambda: [(self, 1.0), (other, -1.0)])

    def __mul__(self, other):
        return Plain(self.v * other.v, lambda: [(self, other.v), (other, self.v)])

    def backprop(self, bp, log, caller=None, depth=0):
        number, before = len(log) + 1, self.grad
        self.grad += bp
        log.append((number, caller, depth, self, bp, before, self.grad))
        for var, derivative in self.grad_fn():
            var.backprop(bp * derivative, log, number, depth + 1)


def product():
    a, b = Var(3.0), Var(5.0)
    return {"a": a, "b": b, "f": a * b}


def sum_of_products():
    a, b, d = Var(3.0), Var(5.0), Var(9.0)
    c, e = a * b, a * d
    return {"a": a, "b": b, "d": d, "c": c, "e": e, "f": c + e}


def doublings(n, kind=Var):
    y = kind(1.0)
    for _ in range(n):
        y = y + y
    return y


numbers = st.floats(-10, 10)
operations = st.sampled_from(["__add__", "__sub__", "__mul__", "given"])
places = st.integers(0, 100)
graphs = st.tuples(
    st.lists(numbers, min_size=1, max_size=4),
    st.lists(st.tuples(operations, places, places), max_size=8),
)


def build(kind, graph):
    """Return the Vars of a random graph of a kind: numbers, then results of earlier ones."""
    values, steps = graph
    made = [kind(value) for value in values]
    for operation, i, j in steps:
        one, other = made[i % len(made)], made[j % len(made)]
        if operation == "given":
            pairs = [(one, 0.5), (other, other.v), (one, -2.0)]
            made.append(kind(1.5, lambda pairs=pairs: pairs))
        else:
            made.append(getattr(one, operation)(other))
    return made


def reachable(root):
    found, waiting = set(), [root]
    while waiting:
        var = waiting.pop()
        found.add(var)
        waiting += [one for one, _ in var.grad_fn()]
    return found


class TestCalls:
    def test_product_calls_the_result_then_both_factors(self):
        named = product()
        assert trace(named["f"], named).calls == (
            Call(1, None, 0, "f", None, argument=1.0, before=0.0, after=1.0),
            Call(2, 1, 1, "a", 5.0, argument=5.0, before=0.0, after=5.0),
            Call(3, 1, 1, "b", 3.0, argument=3.0, before=0.0, after=3.0),
        )

    def test_shared_factor_is_called_once_for_each_path(self):
        named = sum_of_products()
        calls = trace(named["f"], named).calls
        assert [(call.name, call.argument) for call in calls] == [
            *[("f", 1.0), ("c", 1.0), ("a", 5.0), ("b", 3.0)],
            *[("e", 1.0), ("a", 9.0), ("d", 3.0)],
        ]
        assert [(call.before, call.after) for call in calls if call.name == "a"] == [(0, 5), (5, 14)]
        assert [call.caller for call in calls] == [None, 1, 2, 2, 1, 5, 5]

    @settings(deadline=None)
    @given(graphs, numbers)
    def test_random_graphs_make_the_calls_of_the_plain_recursion(self, graph, bp):
        plain, ours = build(Plain, graph), build(Var, graph)
        log = []
        plain[-1].backprop(bp, log)
        inside = reachable(plain[-1])
        names = {f"x{i}": var for i, var in enumerate(ours) if plain[i] in inside}
        name = {var: f"x{i}" for i, var in enumerate(plain)}
        expected = [(*call[:3], name[call[3]], *call[4:]) for call in log]
        traced = trace(ours[-1], names, bp, limit=10**6)
        assert [
            (c.number, c.caller, c.depth, c.name, c.argument, c.before, c.after) for c in traced.calls
        ] == expected
        assert {node.name: node.after for node in traced.nodes} == {name[v]: v.grad for v in inside}

    @settings(deadline=None)
    @given(graphs, numbers)
    def test_arguments_sum_to_the_gradients_of_our_own_backward_pass(self, graph, bp):
        made = build(Var, graph)
        traced = trace(made[-1], bp=bp, limit=10**6)
        made[-1].backprop(bp)
        after = trace(made[-1], limit=10**6).nodes  # the same names, for they follow from the graph
        for node, passed in zip(traced.nodes, after, strict=True):
            arguments = [call.argument for call in traced.calls if call.name == node.name]
            size = math.fsum(map(abs, arguments))
            assert math.fsum(arguments) == pytest.approx(passed.before, abs=1e-12 * size + 1e-300)

    def test_gradients_of_earlier_passes_are_added_to(self):
        named = product()
        named["f"].backward()
        calls = trace(named["f"], named, bp=-2.0).calls
        assert [(call.before, call.after) for call in calls] == [(1, -1), (5, -5), (3, -3)]

    def test_derivatives_are_those_of_the_values_at_the_time_of_the_pass(self):
        named = product()
        named["b"].v = 7.0
        assert [call.argument for call in trace(named["f"], named).calls] == [1.0, 7.0, 3.0]

    @pytest.mark.parametrize("n", [0, 1, 5, 12])
    def test_innermost_of_n_doublings_is_called_two_to_the_n_times(self, n):
        log = []
        doublings(n, Plain).backprop(1.0, log)
        traced = trace(doublings(n))
        assert sum(not node.edges for node in traced.nodes) == 1
        innermost = traced.nodes[0].name
        assert sum(call.name == innermost for call in traced.calls) == 2**n
        assert len(traced.calls) == len(log) == 2 ** (n + 1) - 1

    def test_chains_may_be_longer_than_the_recursion_limit(self):
        y, one = Var(0.0), Var(1.0)
        for _ in range(5_000):
            y = y + one
        traced = trace(y, {"one": one}, limit=10_001)
        assert max(call.depth for call in traced.calls) == 5_000
        assert next(node for node in traced.nodes if node.name == "one").after == 5_000
        chain = Var(0.5)
        for _ in range(20_000):
            chain = -chain
        assert len(trace(chain, limit=20_001).calls) == 20_001

    def test_nothing_changes_and_each_grad_fn_is_asked_once(self):
        asked = []
        a = Var(2.0)
        square = Var(4.0, lambda: asked.append("square") or [(a, 2.0), (a, 2.0)])
        root = square + square
        for var in (a, square, root):
            var.grad = 0.25
        trace(root)
        assert asked == ["square"]
        assert [var.grad for var in (a, square, root)] == [0.25] * 3


class TestLimit:
    def test_as_many_calls_as_the_limit_are_traced(self):
        assert len(trace(doublings(3), limit=15).calls) == 15

    def test_more_calls_are_refused_with_their_number_and_the_cure(self):
        message = "makes 16,383 calls of backprop, the limit is 10,000: trace a smaller graph, or raise"
        with pytest.raises(ValueError, match=message):
            trace(doublings(13))

    def test_astronomical_numbers_of_calls_are_refused_at_once(self):
        with pytest.raises(ValueError, match=r"about 10\^3011 calls"):  # 2^10001 = 4.0e3010
            trace(doublings(10_000))


class TestNodes:
    def test_attributes_of_the_product(self):
        named = product()
        assert trace(named["f"], named).nodes == (
            Node("a", 3.0, None, (), (), before=0.0, after=5.0),
            Node("b", 5.0, None, (), (), before=0.0, after=3.0),
            Node("f", 15.0, "*", ("a", "b"), (Edge("a", 5.0), Edge("b", 3.0)), before=0.0, after=1.0),
        )

    @settings(deadline=None)
    @given(graphs)
    def test_each_var_comes_once_and_after_its_inputs(self, graph):
        made = build(Var, graph)
        nodes = trace(made[-1], limit=10**6).nodes
        names = [node.name for node in nodes]
        assert len(names) == len(set(names)) == len(reachable(made[-1]))
        for index, node in enumerate(nodes):
            assert {edge.input for edge in node.edges} <= set(names[:index])

    def test_repeated_input_has_an_edge_for_each_time(self):
        a = Var(3.0)
        traced = trace(a * a, {"a": a})
        assert traced.nodes[-1].edges == (Edge("a", 3.0), Edge("a", 3.0))
        assert traced.nodes[0].after == 6.0

    def test_constant_without_derivative_is_an_object_but_is_never_called(self):
        a = Var(3.0)
        traced = trace(a**2, {"a": a})
        exponent = next(node for node in traced.nodes if node.v == 2.0)
        assert (exponent.before, exponent.after) == (0.0, 0.0)
        assert [call.name for call in traced.calls] == ["v2", "a"]
        assert traced.nodes[-1].operands == ("a", exponent.name)

    def test_vars_without_a_name_get_free_ones_in_the_order_of_the_nodes(self):
        a, b = Var(1.0), Var(2.0)
        nodes = trace((a + b) * b, {"v2": b}).nodes
        assert [node.name for node in nodes] == ["v1", "v2", "v3", "v4"]
        assert [node.v for node in nodes] == [1.0, 2.0, 3.0, 6.0]

    def test_name_of_another_var_is_refused(self):
        named = product()
        named["a"] = Var(2.0)
        with pytest.raises(ValueError, match="'a' is not a Var of this graph"):
            trace(named["f"], named)

    def test_two_names_of_one_var_are_refused(self):
        named = product()
        with pytest.raises(ValueError, match="'a' and 'x' are the same Var"):
            trace(named["f"], named | {"x": named["a"]})

    def test_var_that_depends_on_itself_is_refused(self):
        a = Var(1.0)
        b = a * a
        a.grad_fn = lambda: [(b, 1.0)]
        for function in (trace, count_visits):
            with pytest.raises(ValueError, match="depends on itself"):
                function(b)


class TestCounts:
    @settings(deadline=None)
    @given(graphs)
    def test_calls_are_counted_before_they_are_made(self, graph):
        log = []
        build(Plain, graph)[-1].backprop(1.0, log)
        root = build(Var, graph)[-1]
        assert len(trace(root, limit=len(log)).calls) == len(log)
        with pytest.raises(ValueError, match=f"makes {len(log):,} calls"):
            trace(root, limit=len(log) - 1)

    @settings(deadline=None)
    @given(graphs)
    def test_our_backward_pass_visits_each_var_once(self, graph):
        root = build(Var, graph)[-1]
        assert count_visits(root) == len(reachable(root))
        assert all(var.grad == 0.0 for var in reachable(root))

    def test_visits_include_constants_without_derivative(self):
        assert count_visits(Var(3.0) ** 2) == 3


def test_visits_are_counted_where_derivatives_are_too_large():
    x = Var(1e-200)
    assert count_visits(1 / x + x / 1e-300) == count_visits(1 / Var(2.0) + Var(3.0) / 4.0) - 1  # x is one Var
