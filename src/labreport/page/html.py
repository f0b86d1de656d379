"""The file: one page of HTML with everything in it, which runs its own scripts and nothing else.

Whatever comes from a project is packed, as compressed text in the letters of base64, in blocks that no
browser runs: no text of a project can end a block, begin a script or be taken for markup. The scripts that
may run are named in the page's policy by the digests of their texts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

MODULES = (
    "unpack.js",
    "dom.js",
    "store.js",
    "route.js",
    "strip.js",
    "source.js",
    "rowtable.js",
    "datatable.js",
    "overlay.js",
    "viewer.js",
    "details.js",
    "lists.js",
    "explore_data.js",
    "explore_curves.js",
    "explore_chart.js",
    "explore_controls.js",
    "explore_parallel.js",
    "explore_lines.js",
    "explore.js",
    "panel.js",
    "search.js",
    "theme.js",
    "mount.js",
    "remount.js",
    "status.js",
    "live.js",
    "main.js",
)
"""The scripts, each after those whose functions it calls while it is loaded."""
STYLES = ("page.css", "explore.css", "live.css")
ECHARTS = "echarts/echarts.min.js"
LICENCES = ("LICENSE", "NOTICE", "LICENSE-zrender", "LICENSE-d3")
"""What must accompany the library of the plots, beside it."""

REST = ("samples", "code", "data")
"""The largest parts of a model, which the first page does without: they have a block of their own."""

FIRST = ("model", "glyphs", "page-1")
"""What the first page is shown from: the script stands behind it, and begins before all else is read."""

LIVE = "labreport-live"
"""The name of the meta element by which the page's script knows that it is served live."""

_ASSETS = Path(__file__).with_name("assets")
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[\w-]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def packed(text: str) -> str:
    """Return a text as a block holds it: deflated, in the letters of base64."""
    # without the head and sum of zlib's own form, as a browser's "deflate-raw" reads it
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return base64.b64encode(deflate.compress(text.encode()) + deflate.flush()).decode("ascii")


def unpacked(block: str) -> str:
    """Return the text that was packed."""
    return zlib.decompress(base64.b64decode(block), wbits=-zlib.MAX_WBITS).decode()


def assemble(model: Mapping[str, Any], glyphs: tuple[str, str], pages: Sequence[str]) -> bytes:
    """Return the page that tells from a model; the pictures of its `pages` and their `glyphs` come packed."""
    from html import escape  # all entities are a table that a build with nothing to do can do without

    script, echarts = _script(), _asset(ECHARTS)
    blocks = {
        "model": _told({name: part for name, part in model.items() if name not in REST}),
        "rest": _told({name: model[name] for name in REST}),
        "glyphs": glyphs[0],
        "more-glyphs": glyphs[1],
        **{f"page-{number}": page for number, page in enumerate(pages, 1)},
        "echarts": packed(echarts),
    }
    parts = {
        "policy": _POLICY.format(scripts=" ".join(_digest(text) for text in (script, echarts))),
        "title": escape(model["title"]),
        "style": "\n".join(map(_asset, STYLES)),
        "first": "\n".join(_block(name, text) for name, text in blocks.items() if name in FIRST),
        "later": "\n".join(_block(name, text) for name, text in blocks.items() if name not in FIRST),
        "licences": _licences(),
        "script": script,
    }
    # in one pass: what is put in is never looked through for further places
    return _PLACE.sub(lambda found: parts[found[1]], _asset("page.html")).encode()


def live(page: bytes, content: str) -> bytes:
    """Return a page as it is served live: it may ask its own server, and knows of that by `content`."""
    from html import escape

    head, begin, rest = page.partition(b'<meta http-equiv="Content-Security-Policy"')
    policy, end, rest = rest.partition(b">")
    policy = policy.replace(b"connect-src 'none'", b"connect-src 'self'")
    meta = f'\n<meta name="{LIVE}" content="{escape(content)}">'.encode()
    return head + begin + policy + end + meta + rest


def _told(part: Mapping[str, Any]) -> str:
    return packed(json.dumps(part, allow_nan=False, separators=(",", ":")))


def _block(name: str, text: str) -> str:
    return f'<script type="application/octet-stream" id="lr-{name}">{text}</script>'


def _digest(script: str) -> str:
    """Return the digest by which a policy names a script that may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"


@cache
def _script() -> str:
    """Return all modules as one, whose parts see each other without importing."""
    return "".join(_EXPORT.sub("", _IMPORT.sub("", _asset(name))) for name in MODULES)


def _licences() -> str:
    return "\n".join(_asset(f"echarts/{name}") for name in LICENCES)


@cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
