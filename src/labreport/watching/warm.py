"""What builds are forked with: imported once, in the process that they are forked from, and nowhere else.

Nothing of it starts a thread.
"""

from __future__ import annotations

import jinja2  # noqa: F401
from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

from labreport import build, checks, explain, handin, language, writing  # noqa: F401

PythonLexer()  # compiles its regular expressions, which costs 40 ms
