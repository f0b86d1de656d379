"""Copies of `Var`s with all that they were computed from, without recursion.

`copy.deepcopy` and pickle recurse from an object to what it refers to, and a
graph may be deeper than Python's stack. So operands are copied before results.
"""

import threading
from collections.abc import Container, Iterator
from copy import deepcopy
from typing import Any
from weakref import WeakValueDictionary

Var = Any  # that of `autodiff`, which imports this module


def deep_copy(var: Var, memo: dict[int, Any]) -> Var:
    """Return what `copy.deepcopy` returns, whose memo holds copies by id."""
    for node in operands_first(var, memo):
        operands = tuple(memo[id(operand)] for operand in node.operands)
        memo[id(node)] = copy = restored(None, operands, *_kept(node))
        if node.__dict__:
            copy.__dict__.update(deepcopy(node.__dict__, memo))
    return memo[id(var)]


def reduced(var: Var) -> tuple[Any, ...]:
    """Return what `Var.__reduce__` returns to pickle."""
    first = Announced(var)
    parts = (first if first.new else None, var.operands, *_kept(var))
    return restored, parts, var.__dict__ or None


def restored(
    _first: object,  # what pickle saves and reads before the operands
    operands: tuple[Var, ...],
    kind: type[Var],
    value: float,
    grad: float,
    operation: Any,
    given: Any,
) -> Var:
    """Return a `Var` made of the parts of another one."""
    made = object.__new__(kind)
    made.v = value
    made.grad = grad
    made.operation = operation
    made.operands = operands
    if operation is None:
        made._given = given
    return made


def _kept(var: Var) -> tuple[Any, ...]:
    """Return what a copy keeps, besides operands and attributes."""
    given = var._given if var.operation is None else None
    return type(var), var.v, var.grad, var.operation, given


def operands_first(root: Var, known: Container[int]) -> list[Var]:
    """Return `root` after all that it was computed from.

    What has a known id is left out, with all that it was computed from.
    """
    order: dict[Var, None] = {}
    begun: set[Var] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node in begun:
            order[node] = None
        else:
            begun.add(node)
            waiting.append(node)  # comes again when its operands are done
            waiting += [var for var in node.operands if id(var) not in known]
    return list(order)


class Announced:
    """The `Var`s that pickle is to save next, each after its operands.

    Pickle saves it as a list of them, all but the last, and comes to each
    `Var` when its operands are saved. It keeps this object until it is done;
    until then, none of these `Var`s is announced again.
    """

    def __init__(self, root: Var) -> None:
        announced = _announcements.by_id
        self.order = operands_first(root, announced)
        self.new = len(self.order) > 1 or id(root) not in announced
        if self.new:
            announced.update({id(var): self for var in self.order})

    def __reduce__(self) -> tuple[Any, tuple[()], None, Iterator[Var]]:
        return list, (), None, iter(self.order[:-1])


class Announcements(threading.local):
    """What pickle is to save next, by id: threads may save the same `Var`s."""

    def __init__(self) -> None:
        self.by_id: WeakValueDictionary[int, Announced] = WeakValueDictionary()

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return Announcements, ()  # nothing is announced yet where a copy goes


_announcements = Announcements()
