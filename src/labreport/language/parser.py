"""Expressions of templates as Python reads them, where Jinja2 reads them otherwise."""

from __future__ import annotations

import jinja2.parser
from jinja2 import nodes


class Parser(jinja2.parser.Parser):
    """Jinja's parser with Python's rules for powers: 2**3**2 is 2**9, and -2**2 is -4."""

    def parse_pow(self) -> nodes.Expr:
        """Return a power or, where no `**` follows, what would be its base."""
        lineno, is_signed = self.stream.current.lineno, self.stream.current.type in ("sub", "add")
        base = self.parse_unary()
        if not self.stream.skip_if("pow"):
            return base
        exponent = self.parse_pow()
        # where a filter follows the sign and its number, as in -x|abs, the power is one of what it returns
        if is_signed and isinstance(base, nodes.Neg | nodes.Pos):
            return type(base)(nodes.Pow(base.node, exponent, lineno=lineno), lineno=lineno)
        return nodes.Pow(base, exponent, lineno=lineno)
