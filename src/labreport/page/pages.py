"""Pages on the page: their sizes, lines of text and links, and the outline of the PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labreport.page.texts import Line, Link, Spot, Texts
    from labreport.page.things import Plain


def told(texts: Texts) -> list[Plain]:
    """Return the size, the lines and the links of each page."""
    return [
        {
            "width": page.width,
            "height": page.height,
            "text": [[*_corner(line), line.text] for line in page.lines],
            "links": [[*_corner(link), _target(link.target)] for link in page.links],
        }
        for page in texts.pages
    ]


def outline(texts: Texts) -> list[Plain]:
    """Return the bookmarks of the PDF."""
    return [{"title": each.title, "level": each.level, **_target(each.spot)} for each in texts.outline]


def _corner(shown: Line | Link) -> list[float]:
    return [shown.x, shown.y, shown.width, shown.height]


def _target(target: Spot | str) -> Plain:
    if isinstance(target, str):
        return {"uri": target}
    return {"page": target.page, "y": target.y}
