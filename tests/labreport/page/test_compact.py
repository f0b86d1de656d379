"""A page's SVG made small and safe; what it must look like is held against poppler in test_pictures."""

from xml.etree import ElementTree

import pytest

from labreport.page.compact import Glyphs, UnknownError, compact

OLD = """<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 width="200pt" height="100pt" viewBox="0 0 200 100" version="1.2">
<defs>
<g>
<symbol overflow="visible" id="glyph0-0"><path style="stroke:none;" d=""/></symbol>
<symbol overflow="visible" id="glyph0-1">
<path style="stroke:none;" d="M 1.671875 0 L 2 3 Z M 1.671875 0 "/></symbol>
<symbol overflow="visible" id="glyph0-2"><path style="stroke:none;" d="M 5 0 L 2 3 Z M 5 0 "/></symbol>
</g>
<clipPath id="clip1"><path d="M 10 10 L 50 10 L 50 50 L 10 50 Z M 10 10 "/></clipPath>
</defs>
<g id="surface1">
<g style="fill:rgb(0%,0%,0%);fill-opacity:1;">
  <use xlink:href="#glyph0-1" x="94.071586" y="82.42672"/>
</g>
<g style="fill:rgb(0%,0%,0%);fill-opacity:1;"><use xlink:href="#glyph0-2" x="99.5" y="82.42672"/></g>
<g style="fill:rgb(100%,0%,0%);fill-opacity:1;"><use xlink:href="#glyph0-1" x="120" y="82"/></g>
<g style="fill:rgb(100%,0%,0%);fill-opacity:1;"><use xlink:href="#glyph0-2" x="126" y="82"/></g>
<g clip-path="url(#clip1)" clip-rule="nonzero">
<path style=" stroke:none;fill-rule:nonzero;fill:rgb(90.194702%,62.35199%,0%);fill-opacity:1;"
 d="M 20 20 L 60 20 L 40 40 Z M 20 20 "/>
</g>
<path style="fill:none;stroke-width:0.4;stroke-linecap:butt;stroke-linejoin:miter;stroke:rgb(0%,0%,0%);\
stroke-opacity:1;stroke-miterlimit:10;"
 d="M 0 0 L 300 0 " transform="matrix(0.5,0,0,-0.5,10,90)"/>
</g>
</svg>"""
"""A page as cairo 1.16 writes it."""

NEW = """<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 width="200" height="100" viewBox="0 0 200 100">
<defs>
<g>
<g id="glyph-0-0"><path d=""/></g>
<g id="glyph-0-1"><path d="M 1.671875 0 L 2 3 Z M 1.671875 0 "/></g>
<g id="glyph-0-2"><path d="M 5 0 L 2 3 Z M 5 0 "/></g>
</g>
<clipPath id="clip-0"><path clip-rule="nonzero" d="M 10 10 L 50 10 L 50 50 L 10 50 Z M 10 10 "/></clipPath>
</defs>
<g fill="rgb(0%, 0%, 0%)" fill-opacity="1">
<use xlink:href="#glyph-0-1" x="94.071586" y="82.42672"/>
</g>
<g fill="rgb(0%, 0%, 0%)" fill-opacity="1"><use xlink:href="#glyph-0-2" x="99.5" y="82.42672"/></g>
<g fill="rgb(100%, 0%, 0%)" fill-opacity="1"><use xlink:href="#glyph-0-1" x="120" y="82"/></g>
<g fill="rgb(100%, 0%, 0%)" fill-opacity="1"><use xlink:href="#glyph-0-2" x="126" y="82"/></g>
<g clip-path="url(#clip-0)">
<path fill-rule="nonzero" fill="rgb(90.194702%, 62.35199%, 0%)" fill-opacity="1"
 d="M 20 20 L 60 20 L 40 40 Z M 20 20 "/>
</g>
<path fill="none" stroke-width="0.4" stroke-linecap="butt" stroke-linejoin="miter" stroke="rgb(0%, 0%, 0%)"
 stroke-opacity="1" stroke-miterlimit="10" d="M 0 0 L 300 0 " transform="matrix(0.5, 0, 0, -0.5, 10, 90)"/>
</svg>"""
"""The same page as cairo 1.18 writes it."""

SHOWN = (
    '<use href="#g0" x="94.07" y="82.43"/><use href="#g1" x="99.5" y="82.43"/>'
    '<g fill="#f00"><use href="#g0" x="120" y="82"/><use href="#g1" x="126" y="82"/></g>'
)


def page(inside, defs=""):
    """Return a page of 100 by 100 points, as cairo could write it."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 100 100"><defs>{defs}</defs>{inside}</svg>'
    ).encode()


def shown(inside, defs="", number=3):
    """Return what a page shows, without the element around it."""
    text = compact(page(inside, defs), number, Glyphs())
    return text.split(">", 1)[1].removesuffix("</svg>")


class TestBothForms:
    @pytest.mark.parametrize("source", [OLD, NEW], ids=["1.16", "1.18"])
    def test_a_page_of_either_cairo_becomes_the_same(self, source):
        glyphs = Glyphs()
        text = compact(source.encode(), 3, glyphs)
        assert SHOWN in text
        assert '<g clip-path="url(#p3-0)"><path d="M20 20L60 20L40 40Z" fill="#e69f00"/></g>' in text
        assert len(glyphs.outlines) == 2
        assert glyphs.outlines["g0"] == '<path d="M1.67 0L2 3Z"/>'
        root = ElementTree.fromstring(text)
        assert root.get("viewBox") == "0 0 200 100"
        assert {key for element in root.iter() for key in element.keys() if "xlink" in key} == set()  # noqa: SIM118
        last = root[-1]
        assert {key: last.get(key) for key in ("fill", "stroke", "stroke-width", "stroke-miterlimit")} == {
            "fill": "none",
            "stroke": "#000",
            "stroke-width": "0.4",
            "stroke-miterlimit": None,  # the root's
        }

    def test_pages_share_their_letters(self):
        glyphs = Glyphs()
        pages = [compact(source.encode(), number, glyphs) for number, source in enumerate([OLD, NEW], 1)]
        assert all(SHOWN in text for text in pages)
        assert len(glyphs.outlines) == 2


class TestSmaller:
    def test_groups_that_say_the_same_become_one(self):
        group = '<g style="fill:rgb(0%,0%,100%);"><path d="M 0 0 L 1 1"/></g>'
        assert shown(group * 3) == '<g fill="#00f">' + '<path d="M0 0L1 1"/>' * 3 + "</g>"

    def test_transparent_groups_stay_apart(self):
        """Where two of them overlap, the paper shines through both."""
        group = '<g opacity="0.5"><path d="M 0 0 L 1 1"/></g>'
        assert shown(group * 2) == group.replace(" 0 0 L 1 1", "0 0L1 1") * 2

    CLIP = '<clipPath id="c"><path d="M 10 10 L 50 10 L 50 50 L 10 50 Z M 10 10"/></clipPath>'

    @pytest.mark.parametrize(
        ("path", "is_clipped"),
        [
            ('<path d="M 10 10 L 50 50"/>', False),
            ('<path d="M 10 10 L 50.1 50"/>', True),
            ('<path d="M 10 10 L 50 50" style="stroke:rgb(0%,0%,0%);stroke-width:1;"/>', True),
            ('<path d="M 0 0 L 40 40" transform="matrix(1,0,0,1,10,10)"/>', False),
            ('<path d="M 0 0 L 40 40" transform="matrix(1,0,0,1,11,10)"/>', True),
        ],
    )
    def test_a_clip_that_cuts_nothing_off_is_dropped(self, path, is_clipped):
        assert ("clip-path" in shown(f'<g clip-path="url(#c)">{path}</g>', self.CLIP)) == is_clipped

    def test_equal_definitions_are_one_and_unused_ones_none(self):
        clips = "".join(self.CLIP.replace('"c"', f'"c{n}"') for n in range(3))
        group = '<g clip-path="url(#c{})"><path d="M 0 0 L 90 90"/></g>'
        text = shown(group.format(0) + group.format(1), clips)
        assert text.count("<clipPath") == 1
        assert text.count("<g ") == 1

    def test_a_pixel_that_a_reader_can_see_is_a_square(self):
        image = '<image id="i" width="2" height="2" xlink:href="data:image/png;base64,iVBORw0K"/>'
        use = '<use xlink:href="#i" transform="matrix({0},0,0,{0},0,0)"/>'
        assert 'image-rendering="pixelated"' in shown(use.format(20), image)
        assert "image-rendering" not in shown(use.format(0.5), image)

    def test_a_blend_mode_of_cairo_is_one_of_browsers(self):
        path = '<path style="fill:rgb(100%,100%,0%);comp-op:multiply;" d="M 0 0 L 1 1"/>'
        assert 'style="mix-blend-mode:multiply"' in shown(path)

    def test_what_a_definition_holds_says_all_of_its_style(self):
        """It inherits from where it is used, and not from the root."""
        group = '<g id="s"><path style="fill:rgb(0%,0%,0%);" d="M 0 0 L 1 1"/></g>'
        assert 'fill="#000"' in shown('<use xlink:href="#s" transform="matrix(1,0,0,1,0,0)"/>', group)


PATH = '<path d="M 0 0 L 1 1"/>'


class TestSafe:
    @pytest.mark.parametrize(
        "inside",
        [
            "<script>alert(1)</script>",
            "<foreignObject><p/></foreignObject>",
            '<a href="https://example.org"><path d="M 0 0"/></a>',
            "<style>path{fill:url(https://example.org)}</style>",
            '<animate attributeName="href" to="x"/>',
            "<text>words</text>",
            "<g>words</g>",
            '<path d="M 0 0" onclick="alert(1)"/>',
            '<path d="M 0 0" style="fill:url(https://example.org/a)"/>',
            r'<path d="M 0 0" style="fill:\75rl(x)"/>',
            '<path d="M 0 0" style="background:red"/>',
            '<path d="M 0 0" fill="url(a.svg#b)"/>',
            '<path d="M 0 0" fill="red&quot; onclick=&quot;alert(1)"/>',
            '<path d="M 0 0 &lt;script&gt;"/>',
            '<use xlink:href="https://example.org/a.svg#b"/>',
            '<use xlink:href="#nothing"/>',
            '<use xlink:href="#nothing" x="1" y="2"/>',
            '<use x="1" y="2" width="3"/>',
            '<image href="https://example.org/a.png"/>',
            '<image href="data:image/svg+xml;base64,AAAA"/>',
            '<image href="data:text/html;base64,AAAA"/>',
            '<path style="comp-op:xor" d="M 0 0"/>',
            '<path xmlns="http://www.w3.org/1999/xhtml" d="M 0 0"/>',
        ],
    )
    def test_what_is_not_on_the_lists_is_refused(self, inside):
        shown(PATH)  # the page around it is fine
        with pytest.raises(UnknownError):
            shown(PATH + inside)

    @pytest.mark.parametrize(
        "data", [b"", b"no xml", b"<svg/>", page('<use href="#a"/>', '<g id="a"><use href="#a"/></g>')]
    )
    def test_what_is_no_page_is_refused(self, data):
        with pytest.raises(UnknownError):
            compact(data, 1, Glyphs())

    def test_a_letter_that_refers_to_its_page_is_not_shared(self):
        image = '<image id="i" width="2" height="2" xlink:href="data:image/png;base64,iVBORw0K"/>'
        letter = '<symbol overflow="visible" id="glyph0-1"><use xlink:href="#i" x="0" y="0"/></symbol>'
        glyphs = Glyphs()
        text = compact(page('<use xlink:href="#glyph0-1" x="1" y="2"/>', image + letter), 3, glyphs)
        assert glyphs.outlines == {}
        assert '<use href="#p3-1" x="1" y="2"/>' in text
        assert '<use href="#p3-0" x="0" y="0"/>' in text
