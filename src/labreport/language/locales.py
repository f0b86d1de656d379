"""What differs between languages in how numbers, money and dates are written, after Unicode's CLDR."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from labreport.language.arguments import FormatError
from labreport.language.quantities import Date, Money

ORDINALS = {
    **dict.fromkeys(
        ("de", "da", "nb", "nn", "fi", "cs", "sk", "pl", "hu", "hr", "sl", "et", "lv", "tr"), "{}."
    ),
    **dict.fromkeys(("es", "it", "pt", "gl"), "{}º"),
    **dict.fromkeys(("nl", "fr"), "{}e"),
    "sv": "{}:e",
}
"""How a place in an order is written where one form is enough; CLDR has no short forms of its own."""

PER = {
    "en": "per",
    "de": "pro",
    "fr": "pour",
    "es": "por",
    "it": "per",
    "pt": "por",
    "nl": "per",
    "sv": "per",
}
"""The word of a rate; a stroke in other languages."""


@dataclass(frozen=True)
class Locale:
    """The marks by which a language writes numbers; `grouping` is the last group's length and the others'."""

    tag: str = "en"
    decimal: str = "."
    group: str = ","
    grouping: tuple[int, int] = (3, 3)

    @property
    def language(self) -> str:
        """The language without its region."""
        return self.tag.partition("-")[0]

    @property
    def separator(self) -> str:
        """What stands between two numbers of a list: a comma could be a decimal mark."""
        return ";" if self.decimal == "," else ","

    def grouped(self, digits: str) -> str:
        """Return whole digits with the group's mark as a comma between them, whatever it is."""
        last, other = self.grouping
        head, tail = digits[:-last], digits[-last:]
        return ",".join(filter(None, [*re.findall(rf"\d{{1,{other}}}(?=(?:\d{{{other}}})*$)", head), tail]))

    def date(self, date: Date) -> str:
        """Return a date as running text has it."""
        from datetime import date as calendar

        from babel.dates import format_date, format_skeleton

        # English without a region has the day first, as the dates of report.toml do
        locale = "en_GB" if self.tag == "en" else self.tag.replace("-", "_")
        day = calendar(date.year, date.month, date.day or 1)
        if date.day is None:
            return str(format_skeleton("yMMMM", day, locale=locale))
        return str(format_date(day, "long", locale=locale))

    def money(self, money: Money) -> tuple[str, str]:
        """Return what stands before and after an amount in a currency."""
        from babel.numbers import get_currency_symbol

        pattern = _cldr(self.tag).currency_formats["standard"].pattern.partition(";")[0]
        before, after = re.split(r"[#,0.]+", pattern, maxsplit=1)
        symbol = get_currency_symbol(money.currency, locale=self.tag.replace("-", "_"))
        # a code in letters must not touch the digits
        code = f"{symbol}\xa0" if before.endswith("¤") and symbol[-1:].isalpha() else symbol
        return _visible(before.replace("¤", code)), _visible(after.replace("¤", symbol))

    def ordinal(self, number: int) -> str:
        """Return a place in an order, 3rd; FormatError for a language whose form is not known."""
        if self.language == "en":
            ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 // 10 != 1 else "th"
            return f"{number}{ending}"
        if self.language not in ORDINALS:
            raise FormatError(f"|ordinal knows no form in the language {self.tag!r}", cure="write it out")
        return "1er" if (self.language, number) == ("fr", 1) else ORDINALS[self.language].format(number)

    @property
    def per(self) -> str:
        """The word, or the sign, between a number and what it is per."""
        return PER.get(self.language, "/")


ENGLISH = Locale()


def _visible(text: str) -> str:
    """Return a text without the marks of direction that CLDR's patterns have."""
    return re.sub("[\u061c\u200e\u200f]", "", text)


def _cldr(tag: str) -> Any:
    from babel import Locale as Cldr

    return Cldr.parse(tag, sep="-")


@lru_cache(maxsize=8)
def locale(tag: str) -> Locale:
    """Return the conventions of a language tag, such as `de` or `pt-BR`; ValueError if CLDR has none."""
    if tag == ENGLISH.tag:
        return ENGLISH
    from babel import UnknownLocaleError

    try:
        found = _cldr(tag)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"no language has the tag {tag!r}") from error
    symbols = found.number_symbols
    symbols = symbols.get("latn", symbols)
    grouping = found.decimal_formats[None].grouping
    return Locale(tag, symbols["decimal"], symbols["group"], (grouping[0], grouping[1]))
