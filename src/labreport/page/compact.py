"""A page's SVG, as cairo writes it, made small and safe: only known elements and attributes come through.

The outlines of letters, the better part of a page of text, are shared by all pages; clips that cut nothing
off, groups that change nothing and digits that no screen shows are dropped. Both ways in which cairo writes
are understood: styles and `<symbol>` (before 1.18), presentation attributes and `<g>` (since then).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from labreport.page import paths

NAMESPACE = "http://www.w3.org/2000/svg"

INHERITED = {
    "fill": "#000",
    "fill-opacity": "1",
    "fill-rule": "nonzero",
    "clip-rule": "nonzero",
    "stroke": "none",
    "stroke-dasharray": "none",
    "stroke-dashoffset": "0",
    "stroke-linecap": "butt",
    "stroke-linejoin": "miter",
    "stroke-miterlimit": "10",  # said at the root of a page: it is cairo's default, where SVG's is 4
    "stroke-opacity": "1",
    "stroke-width": "1",
}
"""Properties that an element takes from the one around it, with what holds at the root of a page."""

PROPERTIES = {
    *INHERITED,
    *("clip-path", "color-interpolation", "color-interpolation-filters", "enable-background"),
    *("filter", "flood-color", "flood-opacity", "image-rendering", "isolation", "mask", "mask-type"),
    *("mix-blend-mode", "opacity", "overflow", "stop-color", "stop-opacity", "comp-op"),
}
"""What may stand in a style, or as an attribute of the same name."""

PAINTED_OVER = {"over", "src-over", "src"}
"""Operators of cairo under which a browser paints over what is there; `src` comes with images of shadings."""

BLENDS = {
    *("multiply", "screen", "overlay", "darken", "lighten", "color-dodge", "color-burn", "hard-light"),
    *("soft-light", "difference", "exclusion"),
}
"""Operators of cairo that have a blend mode of the same name."""

ONLY_STYLE = {"isolation", "mix-blend-mode", "mask-type"}
"""Properties that browsers heed in a style only."""

ATTRIBUTES = {
    *("x", "y", "width", "height", "x1", "y1", "x2", "y2", "cx", "cy", "r", "fx", "fy", "fr", "offset"),
    *("transform", "gradientTransform", "patternTransform", "gradientUnits", "patternUnits", "spreadMethod"),
    *("patternContentUnits", "clipPathUnits", "maskUnits", "maskContentUnits", "filterUnits", "viewBox"),
    *("primitiveUnits", "preserveAspectRatio", "clip-to-self", "type", "in", "in2", "result", "values"),
    *("operator", "mode"),
}
"""What is copied; `d` and references are treated on their own, `id` and `style` are written anew."""

ELEMENTS = {
    *("g", "symbol", "use", "path", "rect", "image", "clipPath", "mask", "pattern", "filter"),
    *("linearGradient", "radialGradient", "stop"),
    *("feColorMatrix", "feComposite", "feFlood", "feImage", "feBlend"),
}

DECIMALS = 2
"""A hundredth of a point is a ninth of a pixel at 800 %."""

FINER = 4
"""The decimals of what may be scaled up where it is used: patterns, masks, groups."""

COARSE = 2.0  # points for a pixel, from which on it is shown as a square, as poppler does

_SVG = f"{{{NAMESPACE}}}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_VALUE = re.compile(r"[-+\w.,%#() ]*", re.ASCII)  # neither quotes nor escapes nor addresses
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]*")
_URL = re.compile(r"url\(#([-\w]+)\)")
_COLOUR = re.compile(r"rgb\(([\d.]+)%, *([\d.]+)%, *([\d.]+)%\)")


class UnknownError(ValueError):
    """A picture holds something that is not on the lists of what may come through."""


class Glyphs:
    """The outlines of letters of pages that are drawn together, each under its own name."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        # the same letters as cairo writes them on each page: made short once, and not on each page
        self.known: dict[str, str] = {}

    @property
    def outlines(self) -> dict[str, str]:
        """The outlines by their names."""
        return {name: outline for outline, name in self._names.items()}

    def name(self, outline: str) -> str:
        """Return the name of an outline, a new one if it was not met before."""
        return self._names.setdefault(outline, f"g{len(self._names)}")


def compact(data: bytes, page: int, glyphs: Glyphs) -> str:
    """Return a page as one small `<svg>`: letters refer to `glyphs`, its own ids begin with its number.

    Raises
    ------
    UnknownError
        It holds something that is not on the lists of what may come through.

    """
    try:
        root = ElementTree.fromstring(data)
        if root.tag != f"{_SVG}svg":
            raise UnknownError(root.tag)
        return _Page(root, page, glyphs).svg()
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise UnknownError(str(error)) from error


class _Page:
    """A page, whose definitions are written when they are first referred to, and equal ones once."""

    def __init__(self, root: Element, number: int, glyphs: Glyphs) -> None:
        self._root = root
        self._prefix = f"p{number}-"
        self._glyphs = glyphs
        self._defined = {e.get("id"): e for defs in root.findall(f"{_SVG}defs") for e in defs.iter()}
        self._names: dict[str, str] = {}
        self._defs: dict[tuple[str, str], str] = {}
        self._rounded = [paths.Rounded(n) for n in range(paths.MOST_DECIMALS + 1)]

    def svg(self) -> str:
        """Return the page."""
        shown = self._inside(self._root, INHERITED, DECIMALS)
        defs = "".join(f'<{tag} id="{name}"{rest}</{tag}>' for (tag, rest), name in self._defs.items())
        return (
            f'<svg xmlns="{NAMESPACE}" viewBox="{_checked(self._root.get("viewBox", ""))}" '
            f'stroke-miterlimit="{INHERITED["stroke-miterlimit"]}">'
            f"{f'<defs>{defs}</defs>' if defs else ''}{shown}</svg>"
        )

    def _inside(self, parent: Element, inherited: Mapping[str, str], decimals: int) -> str:
        """Return what an element holds; groups beside each other that say the same become one."""
        pieces = [self._piece(e, inherited, decimals) for e in parent if e.tag != f"{_SVG}defs"]
        runs = [(group, "".join(map(itemgetter(1), run))) for group, run in groupby(pieces, itemgetter(0))]
        return "".join([f"<g{group}>{inner}</g>" if group else inner for group, inner in runs])

    def _piece(self, element: Element, inherited: Mapping[str, str], decimals: int) -> tuple[str, str]:
        """Return the attributes of a group that others may join, and what it holds.

        What is no such group is returned whole, as what a group without attributes holds.
        """
        tag = _tag(element)
        at = element.attrib
        if tag == "use" and len(at) == 3 and "x" in at and "y" in at:
            return "", self._letter(at, self._rounded[decimals])
        style = _style(element)
        if tag == "g" and self._cuts_nothing(element, style):
            del style["clip-path"]
        if tag == "use" and self._is_coarse(element):
            style["image-rendering"] = "pixelated"
        rest, inner = self._parts(element, style, inherited, decimals)
        changed = {key: value for key, value in style.items() if inherited.get(key) != value}
        attributes = rest + self._written(changed)
        if tag != "g":
            return "", f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"
        if not attributes or not inner:
            return "", inner
        # of transparency, masks and filters it matters what is one group
        joins = not rest and changed.keys() <= {*INHERITED, "clip-path"}
        return (attributes, inner) if joins else ("", f"<g{attributes}>{inner}</g>")

    def _letter(self, attributes: Mapping[str, str], rounded: Mapping[str, str]) -> str:
        """Return what shows a letter, or another definition, at a point: the most frequent thing by far."""
        target = self._target(attributes.get(_XLINK) or attributes.get("href", ""))
        return f'<use href="{target}" x="{rounded[attributes["x"]]}" y="{rounded[attributes["y"]]}"/>'

    def _is_coarse(self, use: Element) -> bool:
        """Return whether an element shows an image whose pixels a reader can see."""
        shown = self._defined.get((use.get(_XLINK) or str(use.get("href"))).removeprefix("#"))
        return shown is not None and _tag(shown) == "image" and paths.scale(use.get("transform")) >= COARSE

    def _parts(
        self, element: Element, style: Mapping[str, str], inherited: Mapping[str, str], decimals: int
    ) -> tuple[str, str]:
        """Return an element's attributes without its style, and what it holds."""
        if (element.text or "").strip():
            raise UnknownError("text")
        decimals = paths.decimals(decimals, element.get("transform"))
        rest = []
        for key, value in element.attrib.items():
            if key == "d":
                rest.append(f' d="{paths.shortened(value, self._rounded[decimals])}"')
            elif key in ATTRIBUTES:
                rest.append(f' {key}="{_checked(value)}"')
            elif key in ("href", _XLINK):
                rest.append(f' href="{self._target(value)}"')
            elif key not in PROPERTIES and key not in ("id", "style"):
                raise UnknownError(key)
        if len(element) == 0:
            return "".join(rest), ""
        within = {**inherited, **{key: value for key, value in style.items() if key in INHERITED}}
        return "".join(rest), self._inside(element, within, decimals)

    def _written(self, style: Mapping[str, str]) -> str:
        """Return properties as attributes."""
        if not style:
            return ""
        plain = {key: self._resolved(value) for key, value in style.items()}
        only = ";".join(f"{key}:{plain.pop(key)}" for key in sorted(ONLY_STYLE & plain.keys()))
        attributes = "".join([f' {key}="{value}"' for key, value in plain.items()])
        return attributes + (f' style="{only}"' if only else "")

    def _resolved(self, value: str) -> str:
        reference = _URL.fullmatch(value)
        return f"url(#{self._name(reference[1])})" if reference else _checked(value)

    def _target(self, address: str) -> str:
        """Return a reference to a definition, or an image that is there in full."""
        if address.startswith("#"):
            return f"#{self._name(address[1:])}"
        if _IMAGE.fullmatch(address):
            return address
        raise UnknownError("href")

    def _name(self, source: str) -> str:
        """Return the name of a definition, which is written if it was not met before."""
        if source not in self._names:
            element = self._defined.get(source)
            if element is None:
                raise UnknownError(f"#{source}")
            self._names[source] = self._outline(source, element) or self._definition(element)
        return self._names[source]

    def _outline(self, source: str, letter: Element) -> str | None:
        """Return the name of an outline that all pages share; None if it is none, or needs this page."""
        if not source.startswith("glyph"):
            return None
        content = str([(e.tag, len(e), e.attrib) for e in letter.iter() if e is not letter])
        if "href" in content or "url" in content:
            return None
        known = self._glyphs.known
        if content not in known:
            known[content] = self._glyphs.name(self._inside(letter, {"stroke": "none"}, DECIMALS))
        return known[content]

    def _definition(self, element: Element) -> str:
        """Return the name of a definition of this page."""
        tag, style = _tag(element), _style(element)
        if tag == "mask" and any(_tag(e) != "rect" for group in element if len(group) for e in group):
            raise UnknownError("a soft mask")  # cairo puts it in the wrong place; those of images are right
        rest, inner = self._parts(element, style, {}, DECIMALS if tag == "clipPath" else FINER)
        content = (tag, f"{rest}{self._written(style)}>{inner}")
        return self._defs.setdefault(content, f"{self._prefix}{len(self._defs)}")

    def _cuts_nothing(self, group: Element, style: Mapping[str, str]) -> bool:
        """Return whether a group's clip is a rectangle in which the group's only path lies."""
        reference = _URL.fullmatch(style.get("clip-path", ""))
        clip = self._defined.get(reference[1]) if reference else None
        if clip is None or [len(clip), len(group)] != [1, 1] or _tag(group[0]) != "path":
            return False
        if clip[0].keys() != ["d"] or "transform" in group.attrib or "transform" in clip.attrib:
            return False
        frame, path = paths.rectangle(clip[0].get("d", "")), group[0]
        if frame is None:
            return False
        extent = paths.extent(path.get("d", ""), path.get("transform"), _style(path))
        return extent is not None and paths.holds(frame, extent)


def _tag(element: Element) -> str:
    tag = element.tag.removeprefix(_SVG)
    if tag not in ELEMENTS or tag == element.tag:
        raise UnknownError(element.tag)
    return tag


def _checked(value: str) -> str:
    """Return a value that can neither end its attribute nor lead anywhere; UnknownError if it may."""
    if not _VALUE.fullmatch(value) or "url" in value.lower():
        raise UnknownError(value)
    return value


def _style(element: Element) -> dict[str, str]:
    """Return an element's properties, whether they stand in its style or as attributes."""
    found = {key: _plain(value) for key, value in element.attrib.items() if key in PROPERTIES}
    found.update(_declarations(element.get("style", "")))
    operator = found.pop("comp-op", "over")
    if operator in BLENDS:
        found["mix-blend-mode"] = operator
    elif operator not in PAINTED_OVER:
        raise UnknownError(operator)
    return found


@lru_cache(maxsize=4096)
def _declarations(style: str) -> dict[str, str]:
    """Return the properties in a style."""
    found = {}
    for declaration in style.split(";"):
        key, _, value = declaration.partition(":")
        if key.strip() in PROPERTIES:
            found[key.strip()] = _plain(value.strip())
        elif key.strip():
            raise UnknownError(key)
    return found


@lru_cache(maxsize=4096)
def _plain(value: str) -> str:
    """Return a value of a property; colours have their short form."""
    colour = _COLOUR.fullmatch(value)
    if colour is None:
        return value
    parts = [f"{round(float(part) * 2.55):02x}" for part in colour.groups()]
    short = all(part[0] == part[1] for part in parts)
    return "#" + "".join(part[0] if short else part for part in parts)
