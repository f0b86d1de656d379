"""The file of the page, read as a browser reads it: what runs, what stands in it, and nothing of the data."""

import base64
import hashlib
import json
import re
import tomllib
import zlib
from html.parser import HTMLParser

import pytest

from labreport.page import html

HOSTILE = "</script><script>alert(1)</script><!-- {{script}} \\u2028 &amp; '\" \ud800 ]]>"
MODEL = {
    "title": HOSTILE.replace("\ud800", ""),
    "things": [{"text": HOSTILE}],
    "samples": [],
    "code": {},
    "data": {"a": HOSTILE},
}
GLYPHS = (html.packed("<svg><defs/></svg>"), html.packed("<svg/>"))
PAGES = ('<svg viewBox="0 0 1 1"/>', "<svg/>")

_DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


class Read(HTMLParser):
    """The elements of a page, each with its attributes and the text that follows its tag."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found = []
        self.is_open = False
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), []))
        self.is_open = True

    def handle_endtag(self, tag):
        self.is_open = False

    def handle_data(self, data):
        if self.is_open:
            self.found[-1][2].append(data)

    def all(self, tag, **attributes):
        return [
            (attrs, "".join(text))
            for name, attrs, text in self.found
            if name == tag and attributes.items() <= attrs.items()
        ]

    def block(self, name):
        ((_, text),) = self.all("script", type="application/octet-stream", id=f"lr-{name}")
        return zlib.decompress(base64.b64decode(text), wbits=-15).decode()

    @property
    def policy(self):
        ((attributes, _),) = self.all("meta", **{"http-equiv": "Content-Security-Policy"})
        return {words.split()[0]: words.split()[1:] for words in attributes["content"].split(";")}


@pytest.fixture(scope="module")
def page():
    return html.assemble(MODEL, GLYPHS, [html.packed(page) for page in PAGES])


def digest(script):
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def test_only_the_scripts_that_the_policy_names_by_their_digests_may_run(page):
    read = Read(page)
    ((_, module),) = read.all("script", type="module")
    echarts = read.block("echarts")
    assert read.policy["script-src"] == [digest(module), digest(echarts)]
    assert "import" not in module.split()
    assert not any(line.startswith(("import", "export")) for line in module.splitlines())
    kinds = {attributes["type"] for attributes, _ in read.all("script")}
    assert kinds == {"module", "application/octet-stream", "text/plain"}


def test_a_page_asks_nobody_for_anything(page):
    policy = Read(page).policy
    assert policy["default-src"] == policy["connect-src"] == policy["form-action"] == ["'none'"]
    assert policy["img-src"] == policy["font-src"] == ["data:"]
    outside = [attrs for _, attrs, _ in Read(page).found if {"src", "href", "action"} & attrs.keys()]
    assert outside == []


def test_what_is_shown_comes_out_of_its_blocks_as_it_went_in(page):
    read = Read(page)
    assert json.loads(read.block("model")) | json.loads(read.block("rest")) == MODEL
    assert [read.block(name) for name in ("glyphs", "more-glyphs")] == ["<svg><defs/></svg>", "<svg/>"]
    assert [read.block("page-1"), read.block("page-2")] == list(PAGES)
    assert read.all("title") == [({}, MODEL["title"])]


def test_the_script_can_show_the_first_page_before_the_browser_has_read_the_others(page):
    order = [f'id="lr-{name}"' for name in ("model", "glyphs", "page-1")]
    order += [
        '<script type="module" async>',
        'id="lr-rest"',
        'id="lr-more-glyphs"',
        'id="lr-page-2"',
        'id="lr-echarts"',
    ]
    places = [page.index(each.encode()) for each in order]
    assert places == sorted(places)


def test_texts_of_a_project_are_never_markup(page):
    assert b"alert(1)</script>" not in page
    assert page.count(b"<script") == page.count(b"</script>") == len(Read(page).all("script"))


def test_equal_inputs_give_equal_bytes(page):
    again = html.assemble(MODEL, GLYPHS, [html.packed(page) for page in PAGES])
    assert again == page


def test_a_served_page_may_ask_its_own_server_and_knows_that_it_has_one(page):
    before, after = Read(page), Read(html.live(page, 'a"b<c'))
    assert after.policy == before.policy | {"connect-src": ["'self'"]}
    ((meta, _),) = after.all("meta", name="labreport-live")
    assert meta["content"] == 'a"b<c'
    assert len(after.found) == len(before.found) + 1
    assert before.all("meta", name="labreport-live") == []


def test_each_asset_is_in_the_page():
    files = {path.name for path in html._ASSETS.iterdir() if path.is_file()}
    assert files == {"page.html", *html.MODULES, *html.STYLES}


def test_the_library_of_the_plots_is_the_one_that_is_named_and_brings_its_licences(page):
    folder = html._ASSETS / "echarts"
    named = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))
    library = (folder / named["file"]).read_bytes()
    assert hashlib.sha256(library).hexdigest() == named["sha256"]
    assert f'version="{named["version"]}"'.encode() in library
    ((_, licences),) = Read(page).all("script", id="lr-licences")
    assert {path.name for path in folder.glob("LICENSE*")} | {"NOTICE"} == set(html.LICENCES)
    for words in ("Apache License", "Apache ECharts", "Baidu Inc.", "Mike Bostock"):
        assert words in licences


def test_modules_that_are_joined_use_no_name_twice():
    """Joined, all share one scope; a name that two of them declare would be an error in the browser."""
    names = [name for module in html.MODULES for name in _DECLARED.findall(html._asset(module))]
    assert len(names) > len(html.MODULES)
    assert sorted(names) == sorted(set(names))
