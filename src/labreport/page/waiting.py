"""The page while there is no report yet: a blank sheet, beside which a watch tells how it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labreport.page import html

if TYPE_CHECKING:
    from labreport.project import Project

WIDTH, HEIGHT = 595, 842
WORDS = "The report stands here as soon as it is built."
X, Y, SIZE = 72, 96, 12


def waiting(project: Project) -> bytes:
    """Return a page with a blank sheet of paper in the place of the report."""
    line = [X, Y - SIZE, 270, SIZE + 3, WORDS]
    model: dict[str, Any] = {
        "title": project.config.title,
        "command": "",
        "quick": project.quick,
        "pages": [{"width": WIDTH, "height": HEIGHT, "text": [line], "links": []}],
        "outline": [],
        "things": [],
        "keys": {},
        "samples": [],
        "experiments": {},
        "code": {},
        "data": {},
        "changes": None,
        "notes": [],
    }
    svg = '<svg xmlns="http://www.w3.org/2000/svg"'
    words = f'<text x="{X}" y="{Y}" font-family="serif" font-size="{SIZE}" fill="#777">{WORDS}</text>'
    sheet = f'{svg} viewBox="0 0 {WIDTH} {HEIGHT}">{words}</svg>'
    nothing = html.packed(f"{svg}></svg>")
    return html.assemble(model, (nothing, nothing), [html.packed(sheet)])
