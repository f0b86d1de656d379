"""The page of a built project in a browser: what lies under a printed number explains that number.

Where numbers are printed is told by poppler, what they are by the files of results.
"""

import html
import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import browsers
import pytest
from coins import ROOT

pytestmark = pytest.mark.slow


class Word(NamedTuple):
    page: int
    x: float
    y: float
    text: str


def words(pdf: Path) -> list[Word]:
    """Return the words of a PDF with their middles, as poppler finds them."""
    done = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True)
    found = []
    for number, page in enumerate(done.stdout.split("<page ")[1:], 1):
        pattern = r'<word xMin="(\S+)" yMin="(\S+)" xMax="(\S+)" yMax="(\S+)">(.*?)</word>'
        for left, top, right, bottom, text in re.findall(pattern, page):
            middle = (float(left) + float(right)) / 2, (float(top) + float(bottom)) / 2
            found.append(Word(number, *middle, html.unescape(text).rstrip(".,;")))
    return found


def look_up(folder: Path, key: str):
    """Return what a key names, from the experiment's file of results."""
    experiment, part, *rest = re.split(r"\.|(?=\[)", key)
    found = json.loads((folder / f"build/results/{experiment}/result.json").read_text())
    if part == "tables":
        table, row, column = rest
        columns = {column["name"]: column["values"] for column in found["tables"][table]["columns"]}
        return columns[column][int(row[1:-1])]
    found = found[part]
    for step in rest:
        found = found[int(step[1:-1])] if step.startswith("[") else found[step]
    return found


def printed_numbers(folder: Path) -> list[tuple[Word, list[dict]]]:
    """Return the words that are printed numbers, each with the values that print it on that page.

    Where a page has the same digits more often than values print them, some are the author's own: left out.
    """
    entries = {}
    for entry in json.loads((folder / "build/provenance.json").read_text())["printed"]:
        entries.setdefault((entry["page"], entry["text"].strip("{}")), []).append(entry)
    all_words = words(folder / "build/report.pdf")
    count = Counter((word.page, word.text) for word in all_words)
    return [
        (word, entries[place])
        for word in all_words
        if re.fullmatch(r"\d+(\.\d+)?", word.text)
        and count[place := (word.page, word.text)] == len(entries.get(place, ()))
    ]


def click(page, word: Word) -> None:
    """Click where a word is printed."""
    page.evaluate("page => { location.hash = `page=${page}` }", word.page)
    sheet = page.locator(f'.page[data-page="{word.page}"]')
    sheet.locator(".things").wait_for(state="attached")
    scale = sheet.bounding_box()["width"] / float(sheet.evaluate("own => own.style.getPropertyValue('--w')"))
    sheet.click(position={"x": word.x * scale, "y": word.y * scale})


@pytest.mark.parametrize(
    ("made", "least"),
    [
        ("coins", 2),
        pytest.param(
            "this report",
            25,
            marks=pytest.mark.skipif(
                not (ROOT / "build/report.html").is_file(), reason="it has not been built"
            ),
        ),
    ],
)
def test_a_click_where_a_number_is_printed_tells_its_key_and_the_number_in_the_results(made, least, request):
    folder = ROOT if made == "this report" else request.getfixturevalue("built_once").folder
    found = printed_numbers(folder)
    assert len(found) >= least
    with browsers.opened(folder / "build/report.html") as page:
        page.locator("#panel .counts").wait_for()
        for word, entries in found[:: max(1, len(found) // 25)]:
            click(page, word)
            assert page.locator("#panel .big").text_content() == word.text, word
            key = page.locator("#panel .key code").first.text_content()
            (entry, *_) = (entry for entry in entries if key in entry["keys"])
            if entry["keys"] == [key] and isinstance(number := look_up(folder, key), int | float):
                off = 0.5001 * 10 ** -len(word.text.partition(".")[2])
                shares = (number, 100 * number)  # a rate may stand in a column of percentages
                assert any(float(word.text) == pytest.approx(value, abs=off) for value in shares), (word, key)
