"""How Jinja2 compiles templates: comparisons, operators and printing pass through the environment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.parser import Parser


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
        self._call("compare", operands, frame, f"{operators!r}, ")

    def visit_Not(self, node: nodes.UnaryExpr, frame: Frame) -> None:
        """Compile `not`."""
        self._call("negate", [node.node], frame)

    def visit_Assign(self, node: nodes.Assign, frame: Frame) -> None:
        """Compile `set`; an unknown name is an error here, not where the variable is used later."""
        super().visit_Assign(node, frame)
        if isinstance(node.target, nodes.Name):
            self.writeline(f"environment.defined({frame.symbols.ref(node.target.name)})", node)

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
        self.write(f"environment.print_value(environment.enter({site}), ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write(")")


class Answer(Extension):
    r"""`\BLOCK{answer "3.2"}` … `\BLOCK{endanswer}`: the answer to a question that report.toml lists."""

    tags = {"answer"}  # noqa: RUF012 - Jinja's own form

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return the label of the answer, as a printed filter, and what stands between the statements."""
        line = next(parser.stream).lineno
        question = parser.parse_expression()
        if not isinstance(question, nodes.Const) or not isinstance(question.value, str):
            parser.fail('answer takes a question\'s number as text: answer "3.1"', line)
        label = nodes.Filter(question, "answer", [], [], None, None, lineno=line)
        body = parser.parse_statements(("name:endanswer",), drop_needle=True)
        return [nodes.Output([label], lineno=line), *body]
