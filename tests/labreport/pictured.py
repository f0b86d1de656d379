"""A page to look at in a browser, from a model that is written by hand: two sheets, all kinds of things."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labreport.page import html

HOSTILE = '</script><img src=x onerror="alert(1)"><b>bold</b> {{script}} & \u2028 javascript:alert(1)'
LINES = ("A sentence that is true of", "0.274 and 0.516 is divi-", "ded here, and hostile text follows.")
LEFT, WIDTH, TOP, LEADING = 72, 300, 100, 16


def write(path: Path, model: dict[str, Any] | None = None) -> Path:
    """Write the page of a model, by default the one below; each sheet shows a black square on grey."""
    model = model or make()
    sheet = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 600">'
        '<path d="M0 0h400v600H0z" fill="#eee"/>'
        '<use href="#g1" x="72" y="100"/></svg>'
    )
    glyphs = '<svg xmlns="http://www.w3.org/2000/svg"><defs><path id="g1" d="M0 0h9v9H0z"/></defs></svg>'
    sheets = [html.packed(sheet) for _ in model["pages"]]
    path.write_bytes(
        html.assemble(json.loads(json.dumps(model)), (html.packed(glyphs), html.packed(glyphs)), sheets)
    )
    return path


def make() -> dict[str, Any]:
    """Return a model of two sheets: text, twenty values in a table, and one thing of each other kind."""
    return {
        "title": f"A report {HOSTILE}",
        "command": "labreport",
        "quick": False,
        "pages": [
            _sheet(
                [*LINES, *(f"cell {at} {HOSTILE}" for at in range(4))],
                [[72, 500, 80, 10, {"page": 2, "y": 300}]],
            ),
            _sheet(
                ["İİİİ, the second sheet", "speaks of widths"],
                [[72, 500, 80, 10, {"uri": "https://example.org/a"}]],
            ),
        ],
        "outline": [
            {"title": f"First {HOSTILE}", "level": 0, "page": 1, "y": 80},
            {"title": "Second", "level": 1, "page": 2, "y": 90},
        ],
        "things": _things(),
        "keys": {
            "one.values.loss": _key(0.27412345678, {"std": 0.027}, [0]),
            "one.values.rate": _key(0.75, {}, [1]),
            f"one.values.{HOSTILE}": _key(HOSTILE, {HOSTILE: HOSTILE}, []),
            **{f"one.tables.rows[{at}].x": _key(at + 0.123456789, {}, []) for at in range(20)},
        },
        "samples": [
            {
                "table": "one.tables.repeats",
                "column": HOSTILE,
                "where": {HOSTILE: HOSTILE},
                "values": [0.25, 0.27, 0.3],
                "n": 3,
                "mean": 0.27333,
                "std": 0.025166,
            },
            {
                "table": "one.tables.repeats",
                "column": "solved",
                "where": {},
                "values": [1, 1, 1, 0],
                "n": 4,
                "mean": 0.75,
                "std": None,
            },
        ],
        "experiments": {"one": _experiment()},
        "code": {"src/a.py:fit": _code("fit"), "src/a.py:plot": _code("plot")},
        "data": {
            "one.curve": {
                "columns": ["x", HOSTILE],
                "rows": [[10, "b"], [9, HOSTILE], [None, "a"]],
                "total": 3,
            }
        },
        "changes": {
            "summary": f"1 value changed {HOSTILE}",
            "against": "the report before",
            "entries": [
                {
                    "section": "Values",
                    "title": HOSTILE,
                    "old": HOSTILE,
                    "new": "0.274",
                    "note": HOSTILE,
                    "thing": "v0",
                },
                {"section": "Text", "title": "prose", "old": "a", "new": "b", "note": "", "thing": None},
            ],
        },
        "notes": [HOSTILE],
    }


def _sheet(lines: list[str], links: list[Any]) -> dict[str, Any]:
    text = [[LEFT, TOP + at * LEADING, WIDTH, 10, line] for at, line in enumerate(lines)]
    return {"width": 400, "height": 600, "text": text, "links": links}


def _key(value: Any, spread: dict[str, Any], samples: list[int]) -> dict[str, Any]:
    return {"value": value, "spread": spread, "samples": samples, "experiment": "one"}


def _code(name: str) -> dict[str, Any]:
    lines = [[["kw", "def "], ["def", name], ["", "():"]], [["", "    "], ["str", HOSTILE]]]
    return {"file": "src/a.py", "line": 40, "name": name, "lines": lines}


def _experiment() -> dict[str, Any]:
    parameter = {"name": "repeats", "value": 3, "default": 1000, "is_default": False}
    return {
        "question": f"How `wide`? {HOSTILE}",
        "file": "experiments/one.py",
        "parameters": [{"name": "seed", "value": 0, "default": 0, "is_default": True}, parameter],
        "code": ["src/a.py:fit"],
        "draw_code": ["src/a.py:plot"],
        "results": [],
        "read": [f"file {HOSTILE}"],
        "versions": {"torch": "2.13.0"},
        "needed_by": [],
        "rerun": "labreport run one",
        "result": "build/results/one/result.json",
        "digest": "0123456789ab",
    }


def _thing(thing: str, kind: str, at: list[list[float]], **more: Any) -> dict[str, Any]:
    common = {
        "document": "report",
        "page": at[0][0] if at else None,
        "cell": None,
        "template": "report_templates/a.tex.j2",
    }
    return {"id": thing, "kind": kind, "at": at, **common, "line": 12, **more}


def _value(name: str, box: list[float], text: str, value: Any, key: str, **more: Any) -> dict[str, Any]:
    own = {"text": text, "value": value, "keys": [key], "expression": f"one.{HOSTILE}", "column": None}
    return _thing(name, "value", [box], **{**own, "table": None, "claims": [], **more})


def _claim(
    name: str, verdict: str, boxes: list[list[float]], sentence: str, values: list[str]
) -> dict[str, Any]:
    evidence = [{"predicate": "<", "states": f"0.274 is below 0.516 {HOSTILE}", "verdict": verdict}]
    said = {
        "verdict": verdict,
        "said": True,
        "sentence": sentence,
        "predicate": f"a < b {HOSTILE}",
        "evidence": evidence,
    }
    return _thing(
        name,
        "claim",
        boxes,
        name=f"claim-{name}",
        **said,
        keys=["one.values.loss"],
        family=None,
        values=values,
    )


def _things() -> list[dict[str, Any]]:
    cells = [
        _value(
            f"v{at + 3}",
            [1, 72 + 60 * (at % 5), 300 + 14 * (at // 5), 30, 10],
            f"{at}.123",
            at + 0.123456789,
            f"one.tables.rows[{at}].x",
            table="t0",
            column=f"column {at % 5}",
        )
        for at in range(20)
    ]
    first, second = [1, LEFT, TOP, WIDTH, 10], [1, LEFT, TOP + LEADING, WIDTH / 2, 10]
    return [
        _thing(
            "a0",
            "answer",
            [[1, LEFT, 90, WIDTH, 280]],
            question="3.2",
            experiments=["one"],
            code=["src/a.py:fit"],
            cells=[["Book", 3]],
        ),
        _claim("c0", "holds", [first, second], f"A sentence that is true of 0.274 {HOSTILE}", ["v0"]),
        _value("v0", [1, 72, 116, 24, 10], "0.274", 0.27412345678, "one.values.loss", claims=["c0"]),
        _value("v1", [1, 120, 116, 24, 10], HOSTILE, HOSTILE, f"one.values.{HOSTILE}"),
        _value("v2", [2, 72, 200, 24, 10], "0.27", 0.27412345678, "one.values.loss"),
        _claim("c1", "undecided", [[2, 72, 230, 100, 10]], "Perhaps.", []),
        _claim("c2", "fails", [[2, 72, 250, 100, 10]], "It is not so.", []),
        _thing(
            "t0",
            "table",
            [[1, 72, 300, 270, 52]],
            expression="one.tables.rows|table",
            keys=["one.tables.rows"],
            values=[cell["id"] for cell in cells],
            heads=[HOSTILE],
        ),
        *cells,
        _thing(
            "f0",
            "figure",
            [[2, 72, 300, 200, 100]],
            key="one.figures.curve",
            experiment="one",
            alt=f"A curve {HOSTILE}",
            caption="",
            data="one.curve",
            explore=None,
            code=["src/a.py:plot"],
        ),
        _thing(
            "e0",
            "excerpt",
            [[2, 72, 420, 200, 40]],
            name="a:fit",
            source="src/a.py",
            first=40,
            last=41,
            since=None,
            code="src/a.py:fit",
        ),
    ]
