"""The keys that records name values by, read back into their steps."""

from __future__ import annotations

import ast
import json
import re

Step = str | int

_NAME = re.compile(r"[^\W\d]\w*")
_STEP = re.compile(
    r"""\.([^\W\d]\w*)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]""",
)


def steps(key: str) -> tuple[Step, ...] | None:
    """Return the steps of a key such as `exp.values.curve[3].loss`; None if a text is not a key."""
    if (first := _NAME.match(key)) is None:
        return None
    found: list[Step] = [first[0]]
    position = first.end()
    while position < len(key):
        match = _STEP.match(key, position)
        if match is None:
            return None
        name, index, quoted = match.groups()
        try:
            step = name if name is not None else int(index) if index is not None else _text(quoted)
        except (ValueError, SyntaxError):  # `"\x"` is no text
            return None
        found.append(step)
        position = match.end()
    return tuple(found)


def _text(quoted: str) -> str:
    return str(json.loads(quoted) if quoted[0] == '"' else ast.literal_eval(quoted))
