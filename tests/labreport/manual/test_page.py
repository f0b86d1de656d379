"""The reference: nothing that a user can write is missing, and anybody can read it."""

import re
import tomllib
from pathlib import Path

import browsers
import pytest

from labreport import manual
from labreport.cli import commands
from labreport.config import Config, described
from labreport.documents.context import RESERVED
from labreport.language import EXAMPLES, FILTERS, FORMATS
from labreport.language.statements import Statements
from labreport.running import Lab

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def html():
    return manual.html(commands)


def titles(html, chapter):
    part = html.partition(f">{chapter}</h2>")[2].partition("</section>")[0]
    return re.findall(r"<h3[^>]*>([^<]+)</h3>", part), part


def test_each_command_is_there_with_its_options(html):
    found, text = titles(html, "Commands")
    assert set(found) == {"labreport", "exit codes", *commands.commands} - {"all"}
    options = {
        o.opts[0] for command in commands.commands.values() for o in command.params if o.opts[0][0] == "-"
    }
    assert [option for option in options if option not in text] == []
    assert len(options) > 10


def test_each_key_of_report_toml_is_there(html):
    found, text = titles(html, "report.toml")
    assert found == [key for key, *_ in described()]
    assert set(found) == set(Config.__dataclass_fields__)
    assert "29 November 2024" in text


def test_each_format_is_there_with_what_it_prints(html):
    found, text = titles(html, "Formats")
    assert found == list(FORMATS)
    assert [
        shown
        for examples in EXAMPLES.values()
        for shown in examples.values()
        if shown.split("<")[0] not in text
    ] == []


def test_each_word_of_templates_is_there(html):
    found, text = titles(html, "Templates")
    assert {*RESERVED, *Statements.tags} <= set(found)
    assert [
        name for name in FILTERS if name not in FORMATS and f"x|{name}" not in text and name not in found
    ] == []


def test_all_of_the_lab_is_there(html):
    found, _ = titles(html, "Experiments")
    fields = Lab.__dataclass_fields__
    public = [name for name in vars(Lab) if name[0] != "_" and name not in fields]
    assert {"map", "result", "file", "seed", "notice", "figure", "checkpoints"} <= set(public)
    assert {f"lab.{name}" for name in public} | {"result.table", "Params", "NEEDS", "READS"} <= set(found)
    assert "project.load" in titles(html, "Programs")[0]


def test_the_licence_of_each_package_that_runs_with_it_is_there(html):
    _, text = titles(html, "Licences")
    rows = dict(re.findall(r"<td><code>([\w.-]+) [^<]+</code></td><td>([^<]+)</td>", text))
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.match(r"[\w-]+", each)[0] for each in needed} <= rows.keys()
    assert "not stated" not in rows.values()
    # an expression, a classifier, a text; and packages that others need
    known = {"click": "BSD-3-Clause", "rich": "MIT", "scipy": "BSD", "tzdata": "Apache", "contourpy": "BSD"}
    assert [name for name, licence in known.items() if licence not in rows[name]] == []
    assert [name for name, licence in rows.items() if "GPL" in licence] == []


def test_links_lead_to_what_is_there_and_nothing_is_loaded(html):
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids)) > 80
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)
    assert " at 0x" not in html
    assert not re.search(r"<script|<link|<img|src=|url\(", html)


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_sticks_out(html, tmp_path, scheme, width):
    file = tmp_path / "reference.html"
    file.write_text(html, encoding="utf-8")
    with browsers.opened(file, width=width, color_scheme=scheme) as page:
        assert browsers.serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
