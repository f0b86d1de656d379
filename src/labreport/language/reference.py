"""The reference of formats: for each one what a template may write, and what is then read on the page.

Signatures and descriptions are those of the functions in `FORMATS`; a test renders all examples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labreport.language import formats, quantities

FORMATS: dict[str, Callable[..., Any]] = {
    "num": formats.num,
    "pm": formats.pm,
    "percent": formats.percent,
    "integer": formats.integer,
    "duration": formats.duration,
    "sci": quantities.sci,
    "eng": quantities.eng,
    "raw": quantities.raw,
    "se": quantities.se,
    "ci": quantities.ci,
    "range": quantities.between,
    "p": quantities.p,
    "change": quantities.change,
    "rate": quantities.rate,
    "bytes": quantities.size,
    "ordinal": quantities.ordinal,
    "currency": quantities.currency,
    "date": quantities.date,
    "text": formats.text,
    "label": formats.label,
    "url": formats.url,
    "file": formats.file,
}
"""The formats, by the names that templates and columns of tables call them."""

EXAMPLES: dict[str, dict[str, str]] = {
    "num": {
        "0.05|num": "0.0500",
        "1234.5|num(digits=2)": "1,200",
        "(1 / 3)|num(decimals=1)": "0.3",
        '9.81|num(unit="m/s^2")': "9.81 m/s²",
    },
    "pm": {'{"mean": 1.234, "std": 0.056}|pm': "1.234 ± 0.056", "0.5|pm(0.25)": "0.50 ± 0.25"},
    "percent": {"0.1234|percent": "12.3 %", "0.5|percent(decimals=0)": "50 %"},
    "integer": {"50000|integer": "50,000"},
    "duration": {"0.123|duration": "120 ms", "90|duration": "1 min 30 s"},
    "sci": {"1234.5|sci": "1.23 × 10³"},
    "eng": {"12345.0|eng": "12.3 × 10³", '12345.0|eng(unit="Hz")': "12.3 kHz"},
    "raw": {"1234.5|raw": "1234.5", "0.123456|raw(digits=3)": "0.123"},
    "se": {"1.2341|se(0.005)": "1.234(5)", '{"mean": 1.2341, "se": 0.0123}|se': "1.234(12)"},
    "ci": {
        '{"estimate": 0.123, "low": 0.081, "high": 0.165}|ci': "0.123 [0.081, 0.165]",
        "0.123|ci(0.081, 0.165, decimals=2)": "0.12 [0.08, 0.16]",
    },
    "range": {"1.2|range(3.4)": "1.20–3.40", '[2, 17]|range(unit="kg")': "2–17 kg"},
    "p": {"0.0123|p": "p = 0.012", "0.00002|p": "p < 0.001"},
    "change": {"0.032|change": "+3.2 %", "(-0.5)|change(decimals=0)": "−50 %"},
    "rate": {"0.000123|rate(100000)": "12.3 per 100,000"},
    "bytes": {"12345|bytes": "12.3 kB", "12345|bytes(binary=true)": "12.1 KiB"},
    "ordinal": {"3|ordinal": "3rd"},
    "currency": {'1234.5|currency("EUR")': "€1,234.50", '1234.5|currency("JPY")': "¥1,234"},
    "date": {'"2025-03-01"|date': "1 March 2025", '"2025-03"|date': "March 2025"},
    "text": {'"50% of_it"|text': "50% of_it"},
    "label": {'"Depth 3, width 3"|label': "depth-3-width-3"},
    "url": {'"https://example.org"|url': "https://example.org"},
    "file": {'"data/survey.csv"|file': "data/survey.csv"},
}
"""For each format, expressions of a template and the characters that a reader sees for each."""
