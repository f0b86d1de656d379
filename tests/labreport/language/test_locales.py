"""How languages write numbers, money and dates; expected values are those of Unicode's CLDR."""

import shutil
import subprocess
import unicodedata

import pytest
from hostile import STYLE
from rendering import rendered

from labreport.language.arguments import FormatError
from labreport.language.locales import ENGLISH, locale
from labreport.language.quantities import Date, Money
from labreport.writing import targets

CASES = {
    "en": "1,234,567.5 · 1 March 2025 · €1,234.50 · 3rd · 0.12 [0.08, 0.16]",
    "en-US": "1,234,567.5 · March 1, 2025 · €1,234.50 · 3rd · 0.12 [0.08, 0.16]",
    "de": "1.234.567,5 · 1. März 2025 · 1.234,50 € · 3. · 0,12 [0,08; 0,16]",
    "de-CH": "1'234'567.5 · 1. März 2025 · EUR 1'234.50 · 3. · 0.12 [0.08, 0.16]",
    "fr": "1 234 567,5 · 1 mars 2025 · 1 234,50 € · 3e · 0,12 [0,08; 0,16]",
    "es": "1.234.567,5 · 1 de marzo de 2025 · 1.234,50 € · 3º · 0,12 [0,08; 0,16]",
    "hi": "12,34,567.5 · 1 मार्च 2025 · €1,234.50",
}
TEMPLATE = (
    r'\VAR{1234567.5|num(decimals=1)} · \VAR{"2025-03-01"|date} · \VAR{1234.5|currency("EUR")}'
    r" · \VAR{3|ordinal} · \VAR{0.123|ci(0.081, 0.165, decimals=2)}"
)


@pytest.mark.parametrize("tag", CASES)
def test_markdown_is_written_in_the_language(tag):
    template = TEMPLATE if tag != "hi" else TEMPLATE.partition(r" · \VAR{3")[0]
    text = rendered(template, target=targets.markdown_in(locale(tag))).text
    assert text.replace("\xa0", " ").replace("\u202f", " ").replace("\\", "") == CASES[tag]


def test_latex_is_written_in_the_language():
    text = rendered(TEMPLATE, target=targets.latex_in(locale("de"))).text
    assert text == (
        r"{1\LRsign{.}234\LRsign{.}567{,}5} · 1.~März 2025 · {1\LRsign{.}234{,}50\LRgap{}\LRsign{€}}"
        r" · {3\LRsign{.}} · {0{,}12\LRgap{}[0{,}08;\LRgap{}0{,}16]}"
    )


def test_columns_are_aligned_at_the_comma():
    rows = {"rows": [{"x": 1.5}, {"x": 1234.25}]}
    text = rendered(
        r'\VAR{d.rows|table(column("X", "x", "num", decimals=2))}',
        rows,
        target=targets.latex_in(locale("de")),
    ).text
    assert r"\LRat{1\LRsign{.}234}{{,}25}" in text
    assert r"\LRwidths{0\LRsign{.}000}{{,}00}" in text


@pytest.mark.parametrize("tag", ["xx", "german", "", "de_", "12"])
def test_a_tag_that_no_language_has_is_refused(tag):
    with pytest.raises(ValueError, match="no language"):
        locale(tag)


def test_an_ordinal_whose_form_is_not_known_is_refused():
    with pytest.raises(FormatError, match="'ja'"):
        locale("ja").ordinal(3)


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th"), (121, "121st")],
)
def test_english_ordinals(number, written):
    assert ENGLISH.ordinal(number) == written


def test_a_code_of_a_currency_does_not_touch_the_digits_and_months_have_no_day():
    assert ENGLISH.money(Money("5.00", "CHF")) == ("CHF\xa0", "")
    assert ENGLISH.date(Date(2025, 3)) == "March 2025"


@pytest.mark.slow
def test_a_page_shows_what_markdown_does(tmp_path):
    shutil.copy(STYLE, tmp_path)
    tags = ("en", "de", "fr", "es")
    body = "\\par\n".join(rendered(TEMPLATE, target=targets.latex_in(locale(tag))).text for tag in tags)
    source = rf"\documentclass{{article}}\usepackage{{labreport}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "a.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=True)
    command = ["pdftotext", "-raw", "a.pdf", "-"]
    page = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    texts = (page, "".join(CASES[tag] for tag in tags))
    shown, expected = (unicodedata.normalize("NFKC", "".join(text.split())) for text in texts)
    assert shown == f"{expected}1"  # and the page's number
