"""How Jinja2 compiles templates: comparisons, operators and printing pass through the environment.

A parser of statements may give nodes three attributes: `method` of what is printed names what prints it among
the environment's statements; `judged` makes a comparison or a logical operator a predicate; `predicate` makes
a name that of a predicate, whatever the template calls so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame


class Generator(CodeGenerator):
    """Compiles so that comparisons, `not`, `~`, slices and printing pass through the environment.

    Jinja lets an environment intercept arithmetic only; all else becomes plain Python, which would lose the
    keys of boxes.
    """

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """Compile `~`."""
        self._call("concatenate", node.nodes, frame)

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        """Compile a chain of comparisons."""
        operators = tuple(operand.op for operand in node.ops)
        operands = [node.expr, *(operand.expr for operand in node.ops)]
        method = _predicate("compare") if _is_judged(node) else "compare"
        self._call(method, operands, frame, f"{operators!r}, ")

    def visit_Not(self, node: nodes.UnaryExpr, frame: Frame) -> None:
        """Compile `not`."""
        self._call(_predicate("not_") if _is_judged(node) else "negate", [node.node], frame)

    def visit_And(self, node: nodes.BinExpr, frame: Frame) -> None:
        """Compile `and`; of a claim both sides are looked at, for the evidence."""
        if _is_judged(node):
            self._call(_predicate("all_of"), [node.left, node.right], frame)
        else:
            super().visit_And(node, frame)

    def visit_Or(self, node: nodes.BinExpr, frame: Frame) -> None:
        """Compile `or`; of a claim both sides are looked at, for the evidence."""
        if _is_judged(node):
            self._call(_predicate("any_of"), [node.left, node.right], frame)
        else:
            super().visit_Or(node, frame)

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:
        """Compile a name; that of a predicate means the predicate, also where a variable is called so."""
        if getattr(node, "predicate", False):
            self.write(f"environment.{_predicate(node.name)}")
        else:
            super().visit_Name(node, frame)

    def visit_Assign(self, node: nodes.Assign, frame: Frame) -> None:
        """Compile `set`; an unknown name is an error here, not where the variable is used later."""
        super().visit_Assign(node, frame)
        if isinstance(node.target, nodes.Name):
            self.writeline(f"environment.defined({frame.symbols.ref(node.target.name)})", node)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        """Compile a loop; its rounds are counted."""
        node.iter.is_counted = True  # type: ignore[attr-defined]
        super().visit_For(node, frame)

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> None:
        """Compile a node."""
        if not getattr(node, "is_counted", False):
            super().visit(node, *args, **kwargs)
            return
        self.write("environment.bounds.counted(")
        super().visit(node, *args, **kwargs)
        self.write(")")

    def visit_Slice(self, node: nodes.Slice, frame: Frame) -> None:
        """Compile the bounds of a slice."""
        self._call("slice", [node.start, node.stop, node.step], frame)

    def _call(
        self, method: str, arguments: Iterable[nodes.Expr | None], frame: Frame, first: str = ""
    ) -> None:
        self.write(f"environment.{method}({first}")
        for argument in arguments:
            self.write("None") if argument is None else self.visit(argument, frame)
            self.write(", ")
        self.write(")")

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible  # a constant expression is printed too: its place must be known
        return node.data

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        site = node.site  # type: ignore[attr-defined]
        method = f"statements.{node.method}" if hasattr(node, "method") else "print_value"
        # a site is named so that the code is the same whatever else was compiled before
        self.write(f"environment.{method}(environment.enter({self.name!r}, {site}), ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write(")")


def _is_judged(node: nodes.Node) -> bool:
    return getattr(node, "judged", False)


def _predicate(name: str) -> str:
    return f"predicates[{name!r}]"
