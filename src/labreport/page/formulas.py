r"""Formulas as plain text: `$10^{-10}$` is 10⁻¹⁰, `$\delta_k$` is δₖ."""

from __future__ import annotations

import re
import unicodedata

from labreport.explain import readable

SYMBOLS = {
    "approx": "≈",
    "cdot": "·",
    "dots": "…",
    "ell": "ℓ",
    "ge": "≥",
    "geq": "≥",
    "in": "∈",
    "infty": "∞",
    "ldots": "…",
    "le": "≤",
    "leq": "≤",
    "ne": "≠",
    "neq": "≠",
    "partial": "∂",
    "pm": "±",
    "sum": "∑",
    "times": "×",
    "to": "→",
}
"""What commands of mathematics print; those of Greek letters have the letters' names."""

WORDS = ("exp", "log", "ln", "max", "min", "tanh")

_SIGNS = "0123456789+-=()"
_RAISED = str.maketrans(f"{_SIGNS}−nijklabcdeT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾⁻ⁿⁱʲᵏˡᵃᵇᶜᵈᵉᵀ")
_LOWERED = str.maketrans(f"{_SIGNS}−aeoxhklmnpstijruv", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎₋ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ")

_FORMULA = re.compile(r"(?<!\\)\$((?:[^$\\]|\\.)+)\$", re.DOTALL)
_STYLED = re.compile(r"\\(?:mathrm|mathbf|mathit|operatorname|text|textrm|bm)\s*\{([^{}]*)\}")
_SCRIPT = re.compile(r"([\^_])\s*(?:\{([^{}\\]*)\}|(\w))")
_FRACTION = re.compile(r"\\[td]?frac\s*(?:\{([^{}]*)\}|(\d))\s*(?:\{([^{}]*)\}|(\d))")
_COMMAND = re.compile(r"\\([A-Za-z]+)")


def spelt_out(latex: str) -> str:
    """Return a text with its formulas as plain text; one that can't be told so stays as it is."""
    return _FORMULA.sub(lambda found: _plain(found[1]) or found[0], latex)


def _plain(formula: str) -> str | None:
    """Return a formula as plain text; None if it holds what no signs of a line tell."""
    text = _SCRIPT.sub(_script, _STYLED.sub(r"\1", formula))
    text = _FRACTION.sub(lambda found: f"{found[1] or found[2]}/{found[3] or found[4]}", text)
    text = _COMMAND.sub(_sign, readable(text)).replace("-", "−")
    return None if re.search(r"[\\^_]", text) else " ".join(text.split())


def _script(found: re.Match[str]) -> str:
    """Return what is raised or lowered in letters that are so, if there are such."""
    inside = found[2] if found[2] is not None else found[3]
    table = _RAISED if found[1] == "^" else _LOWERED
    return inside.translate(table) if all(ord(sign) in table for sign in inside) else found[0]


def _sign(found: re.Match[str]) -> str:
    name = found[1]
    if name in WORDS:
        return name
    if name in SYMBOLS:
        return SYMBOLS[name]
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {name.removeprefix('var').upper()}")
    except KeyError:
        return found[0]
