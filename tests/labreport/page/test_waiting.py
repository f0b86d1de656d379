"""The page while there is no report yet."""

import json
import re

import projects

from labreport.page import html
from labreport.page.waiting import WORDS, waiting


def block(page, name):
    return html.unpacked(re.search(rf'id="lr-{name}">([^<]*)<', page.decode())[1])


def test_it_is_a_page_with_one_sheet_that_says_so(tmp_path):
    page = waiting(projects.make(tmp_path / "p", {}))
    model = json.loads(block(page, "model"))
    assert model["title"] == "T"
    assert [[line[4] for line in sheet["text"]] for sheet in model["pages"]] == [[WORDS]]
    assert WORDS in block(page, "page-1")
    assert block(page, "glyphs").startswith("<svg")
