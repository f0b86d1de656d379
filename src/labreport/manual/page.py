"""The reference as one page of HTML, which needs nothing beside it: no network, no script."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from labreport import __version__
from labreport.manual import prose
from labreport.manual.chapters import chapters
from labreport.manual.entries import Chapter, Entry

if TYPE_CHECKING:
    import click

_ASSETS = Path(__file__).with_name("assets")


def html(commands: click.Group) -> str:
    """Return the page; those commands are the program's."""
    told = chapters(commands)
    page = (_ASSETS / "page.html").read_text(encoding="utf-8")
    parts = {
        "version": escape(__version__),
        "style": (_ASSETS / "page.css").read_text(encoding="utf-8"),
        "contents": "\n".join(map(_contents, told)),
        "chapters": "\n".join(map(_chapter, told)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], page)


def _id(chapter: Chapter, entry: Entry | None = None) -> str:
    name = chapter.title if entry is None else f"{chapter.title} {entry.name}"
    return re.sub(r"[^a-z0-9_]+", "-", name.lower())


def _contents(chapter: Chapter) -> str:
    links = "\n".join(
        f'<li><a href="#{_id(chapter, entry)}">{escape(entry.name)}</a></li>' for entry in chapter.entries
    )
    head = f'<a href="#{_id(chapter)}">{escape(chapter.title)}</a>'
    return f"<li>{head}\n<ul>\n{links}\n</ul></li>"


def _chapter(chapter: Chapter) -> str:
    entries = "\n".join(_entry(chapter, entry) for entry in chapter.entries)
    title = f'<h2 id="{_id(chapter)}">{escape(chapter.title)}</h2>'
    return f"<section>\n{title}\n{prose.html(chapter.text)}\n{entries}\n</section>"


def _entry(chapter: Chapter, entry: Entry) -> str:
    title = f'<h3 id="{_id(chapter, entry)}">{escape(entry.name)}</h3>'
    return (
        f"<article>\n{title}\n{prose.code(entry.form)}\n{prose.html(entry.text)}\n{_table(entry)}</article>"
    )


def _table(entry: Entry) -> str:
    if not entry.rows:
        return ""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in entry.heads)
    rows = "".join(f"<tr><td><code>{escape(a)}</code></td><td>{escape(b)}</td></tr>" for a, b in entry.rows)
    return f"<table><tr>{heads}</tr>{rows}</table>\n"
