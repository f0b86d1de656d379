"""Symbols of units, as formats are given them: `kg`, `m/s^2`, `W m^-2`."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from labreport.language.arguments import FormatError, option

_FACTOR = re.compile(r"[A-Za-zµΩ°Å%‰€$£]+|\^-?\d+|[ /()]")
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
NAMES = ("percent", "microsecond", "millisecond", "second", "minute", "hour")
"""Units that formats choose themselves, by their English names."""


def symbol(unit: Any) -> str:
    """Return a unit's symbol in one spelling: factors with blanks between them, powers with ^, perhaps a /.

    Raises FormatError for what is no symbol of a unit.
    """
    option("unit", unit, 'unit="kg", unit="m/s^2", unit="W m^-2"')
    text = unicodedata.normalize("NFC", unit.strip()).replace("μ", "µ").replace("\N{OHM SIGN}", "Ω")
    text = re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "^" + found[0].translate(_RAISED), text)
    text = re.sub(r"(?<=[A-Za-zµΩ])(-?\d+)", r"^\1", re.sub(r"\s*[·*]\s*|\s+", " ", text)) or text
    # of a bare reciprocal a power is left: 5 s⁻¹, since 5 1/s cannot be read
    text = re.sub(r"^1?\s*/\s*([A-Za-zµΩ]+)$", r"\1^-1", text)
    if not unit.strip() or unit in NAMES or "".join(_FACTOR.findall(text)) != text:
        what = f"{unit!r} is not the symbol of a unit"
        raise FormatError(what, cure='write for example: unit="kg", unit="m/s^2", unit="W m^-2"')
    return text


def factors(unit: str) -> list[str]:
    """Return the parts of a unit's symbol: letters, powers with their ^, blanks and signs between them."""
    return _FACTOR.findall(unit)


_PREFIXED = re.compile(
    r"[qryzafpnµmcdhkMGTPEZYRQ](?:g|m|s|A|K|mol|cd|Hz|N|Pa|J|W|V|F|Ω|C|L|l|eV|B|Bq|T|H|S|Wb|Sv|Gy)(?![A-Za-z])"
)


def is_prefixed(unit: str) -> bool:
    """Return whether a unit's first factor has a prefix of the SI: kg, ms, MHz."""
    return _PREFIXED.match(unit) is not None


def takes_prefix(unit: str) -> bool:
    """Return whether a prefix before a unit multiplies it as often as it says: not before m^2, s^-1 or %."""
    first, *rest = factors(unit)
    return re.fullmatch("[A-Za-zΩ]+", first) is not None and not (rest and rest[0].startswith("^"))
