"""Numbers as the page holds them: a script reads each as a double, and would show another one for some.

In texts they are written as print has them.
"""

from __future__ import annotations

import re
from typing import Any

from labreport.explain import differences

LARGEST = 2**53 - 1
"""The largest whole number up to which a double tells each from its neighbours."""

_NUMBER = re.compile(r"(?<![\w.=])(-?)(\d+(?:\.\d+)?)(?:e([-+]?)0*(\d+))?(?!\w|\.\d|\()")
_TINY = re.compile(r"(?<![\w.])0\.0{4,}[1-9]\d*(?!\w)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def exact(value: Any) -> Any:
    """Return a value with texts for what JSON has no number for, or a script would show as another one."""
    return _exact(differences.finite(value))


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    is_large = isinstance(value, int) and abs(value) > LARGEST
    # a script writes minus zero as 0
    is_minus_zero = isinstance(value, float) and repr(value) == "-0.0"
    return str(value) if is_large or is_minus_zero else value


def printed(text: str) -> str:
    """Return a text with its numbers as print has them: `-1.5e-07` is −1.5 × 10⁻⁷."""
    return _NUMBER.sub(_printed, text)


def _printed(found: re.Match[str]) -> str:
    minus, digits, sign, power = found.groups()
    raised = f" × 10{'⁻' if sign == '-' else ''}{power.translate(_RAISED)}" if power else ""
    return f"{'−' if minus else ''}{digits}{raised}"


def countable(source: str) -> str:
    """Return the source of an expression without numbers whose zeros must be counted: `1e-11` for these."""
    return _TINY.sub(lambda found: repr(float(found[0])), source)
