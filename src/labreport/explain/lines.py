"""What `explain` and `impact` print on a terminal, from the plain data that they also give as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from labreport.explain.record import page_of
from labreport.explain.texts import readable

WIDTH = 100
"""The width of the lines where there is no terminal."""

LABEL = 12
MOST_ROWS = 40
MOST_PLACES = 6
MOST_USERS = 6
MOST_VALUE = 200  # characters of a value

Plain = Mapping[str, Any]


def explanation(plain: Plain, width: int = WIDTH) -> list[str]:
    """Return an explanation as lines: each meaning of the query, then the experiments behind it."""
    lines: list[str] = []
    asked = {match["experiment"] for match in plain["matches"] if match["kind"] == "experiment"}
    origins = {name: [*_origin(name, origin, width), ""] for name, origin in plain["experiments"].items()}
    for name in asked & origins.keys():
        lines += origins.pop(name)
    for match in plain["matches"]:
        lines += [match["title"], *_shown(match, width), ""]
    for origin in origins.values():
        lines += origin
    return [*lines[:-1], *([""] if plain["notes"] else []), *(f"note: {note}" for note in plain["notes"])]


def _shown(match: Plain, width: int) -> Iterator[str]:
    """Yield what the documents show of one meaning."""
    values = match["values"]
    if values and "values" in values[0]:
        for value in values:
            yield from _value(value, width)
    elif values:
        yield from _table(values, width)
    for claim in match["claims"]:
        yield from _claim(claim, width)
    for figure in match["figures"]:
        yield from _field("figure", f"{figure['key']}, {_place(figure)}", width)
        if figure.get("drawn_by"):
            yield from _field("drawn by", "; ".join(figure["drawn_by"]), width)
    for code in match["excerpts"]:
        since = f", as it differs from {code['since']}" if code["since"] else ""
        where = f"{code['source']}, lines {code['first']}–{code['last']}"
        yield from _field("code", f"{code['name']}{since} ({where}), {_place(code)}", width)
    if not any(match[kind] for kind in ("values", "claims", "figures", "excerpts")):
        yield from _field("shown", "nowhere in the documents", width)


# ---------------------------------------------------------------------------------------------------- values


def _table(values: Sequence[Plain], width: int) -> Iterator[str]:
    """Yield a line for each text that was made from the same keys, with the first place that prints it."""
    rows: dict[tuple[str, str], list[Plain]] = {}
    for value in values:
        for printed in value["printed"]:
            text, keys = printed["text"] or '""', ", ".join(value["keys"]) or "no key"
            rows.setdefault((text, keys), []).append(printed)
    cells = [(*row, _where(places[0]), _first(places)) for row, places in rows.items()]
    for line in _columns(cells[:MOST_ROWS], width):
        yield f"  {line}"
    if len(cells) > MOST_ROWS:
        yield f"  … and {len(cells) - MOST_ROWS} more; --json lists all"
    yield "  `explain KEY` or `explain TEMPLATE:LINE` tells more"


def _first(places: Sequence[Plain]) -> str:
    first = f"{places[0]['template'].rpartition('/')[2]}:{places[0]['line']}"
    return first if len(places) == 1 else f"{first} (and {len(places) - 1} more)"


def _columns(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return rows as lines in columns; the widest cells are cut in the middle, where keys differ least."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = width - 2 * len(widths)
    while sum(widths) > max(room, 12 * len(widths)):
        widest = widths.index(max(widths))
        widths[widest] -= 1
    return ["  ".join(_cut(c, w).ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    end = width // 2
    return f"{text[: width - end - 1]}…{text[-end:]}"


def _value(value: Plain, width: int) -> Iterator[str]:
    """Yield all that is known of the values that were made from the same keys."""
    keys = value["keys"]
    for key in keys or ["none: the expression uses no result"]:
        found = value["values"].get(key)
        yield from _field("key", f"{key} = {_short(found)}" if found is not None else key, width)
        if summary := value["summaries"].get(key):
            parts = ", ".join(f"{name} {_short(number)}" for name, number in summary.items())
            yield from _field("sample", parts, width)
    if value["printed"] and (len(keys) != 1 or value["values"][keys[0]] is None):
        yield from _field("value", _short(value["printed"][0]["value"]), width)
    if value["column"]:
        yield from _field("column", value["column"], width)
    yield from _places("printed", value["printed"], width)
    yield from _places("also as", value["also"], width)
    yield from _used_by(value["used_by"], width)


def _places(label: str, printed: Sequence[Plain], width: int) -> Iterator[str]:
    for place in printed[:MOST_PLACES]:
        expression = place["expression"]
        made = f"\\VAR{{{expression}}}" if len(expression) <= 120 else f"\\VAR{{{expression[:119]}…"
        yield from _field(label, f"{place['text'] or 'as nothing'}, {_place(place)}, {made}", width)
        label = ""
    if len(printed) > MOST_PLACES:
        yield from _field("", f"… and at {len(printed) - MOST_PLACES} more places", width)


def _used_by(users: Plain, width: int) -> Iterator[str]:
    said = [f"claim {claim['name']!r} ({claim['verdict']}), {_place(claim)}" for claim in users["claims"]]
    said += [
        f"{value['text']} (from {len(value['keys'])} keys), {_place(value)}" for value in users["values"]
    ]
    said += [f"the paragraph at {_typed(paragraph)}" for paragraph in users["paragraphs"]]
    yield from _several("used by", said, width)


def _typed(paragraph: Plain) -> str:
    return f"{paragraph['template']}:{paragraph['line']} (“{readable(paragraph['reads'])}”)"


def _claim(claim: Plain, width: int) -> Iterator[str]:
    yield from _field("claim", f"{claim['name']}: {claim['verdict']}, {_place(claim)}", width)
    yield from _field("sentence", claim["sentence"], width)
    for evidence in claim["evidence"]:
        yield from _field("evidence", f"{evidence['states']} ({evidence['verdict']})", width)
    yield from _several("values", [f"{k} = {_short(v)}" for k, v in claim["values"].items()], width)


# ------------------------------------------------------------------------------------------------ experiments


def _origin(name: str, origin: Plain, width: int) -> Iterator[str]:
    """Yield what made the result of an experiment."""
    yield f"experiment {name} ({origin['file']})"
    yield from _field("question", origin["question"] or "not told", width)
    yield from _field("parameters", ", ".join(map(_parameter, origin["parameters"])) or "none", width)
    code = [f"{c['file']}:{c['line']} {c['name']}" for c in origin["code"]]
    rest = origin["pieces_of_code"] - len(code)
    yield from _field("made by", code[0] if code else "nothing is recorded", width)
    for line in code[1:]:
        yield from _field("", line, width)
    if rest > 0:
        yield from _field("", f"… and {rest} more pieces of code that they reach", width)
    inputs = [f"the result of {need}" for need in origin["results"]] + origin["read"]
    yield from _several("reads", inputs, width)
    run = origin["run"]
    versions = [f"{package} {version}" for package, version in origin["versions"].items()]
    python = [f"Python {run['python']}"] if run else []
    yield from _field("versions", ", ".join(python + versions) or "not recorded", width)
    yield from _field("ran", _run(run), width)
    yield from _several("used by", [f"experiment {n}" for n in origin["needed_by"]], width)


def _parameter(parameter: Plain) -> str:
    value = f"{parameter['name']} {_short(parameter['value'])}"
    if parameter["is_default"]:
        return value
    default = parameter["default"]
    return f"{value} (*not the default{'' if default is None else f', {_short(default)}'}*)"


def _run(run: Plain | None) -> str:
    if run is None:
        return "no run is recorded"
    processes = f"{run['processes']} process{'' if run['processes'] == 1 else 'es'}"
    revision = f", at revision {run['revision'][:10]}" if run["revision"] else ""
    took = f"{run['seconds']:.3g} s"
    return (
        f"{run['started'].replace('T', ' ').replace('+00:00', ' UTC')}, for {took}, in {processes}{revision}"
    )


# ---------------------------------------------------------------------------------------------------- impact


def impact(plain: Plain, width: int = WIDTH) -> list[str]:
    """Return what depends on something as lines: a count of each kind, then the things with their places."""
    lines = [f"{plain['name']} ({plain['kind']})"]
    runs = [f"{entry['name']} ({entry['why']})" for entry in plain["experiments"]]
    draws = [f"{entry['experiment']} ({entry['why']})" for entry in plain["drawings"]]
    lines += _several("runs again", runs, width)
    lines += _several("draws again", draws, width)
    lines += _field("documents", ", ".join(plain["documents"]) or "none", width)
    claims = [f"{c['name']} ({c['verdict']}), {_place(c)}" for c in plain["claims"]]
    lines += _several("claims", claims, width)
    lines += _several("figures", [f"{f['key']}, {_place(f)}" for f in plain["figures"]], width)
    lines += _several("code", [f"{e['name']}, {_place(e)}" for e in plain["excerpts"]], width)
    about = [f"{_typed(paragraph)} is about {paragraph['target']}" for paragraph in plain["paragraphs"]]
    lines += _several("paragraphs", about, width)
    printed = [{"keys": value["keys"], "printed": [value]} for value in plain["values"]]
    count = len(plain["values"])
    lines += _field("values", f"{count} printed" if count else "none that is printed", width)
    return [*lines, *(_table(printed, width) if printed else ())]


# ----------------------------------------------------------------------------------------------------- words


def _where(place: Plain) -> str:
    if place["cell"] is not None:
        return f"{place['document']}, cell {place['cell']}"
    return page_of(place["document"], place["page"]) or "no page"


def _place(place: Plain) -> str:
    return f"{_where(place)}, {place['template']}:{place['line']}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_VALUE else f"{text[: MOST_VALUE - 1]}…"


def _several(label: str, said: Sequence[str], width: int) -> Iterator[str]:
    """Yield things one below the other; of many, the first."""
    for text in said[:MOST_USERS]:
        yield from _field(label, text, width)
        label = ""
    if len(said) > MOST_USERS:
        yield from _field("", f"… and {len(said) - MOST_USERS} more", width)


def _field(label: str, text: str, width: int) -> Iterable[str]:
    """Return a text beside its label, wrapped to the width."""
    head = f"  {label:<{LABEL}}"
    room = max(width, len(head) + 30)
    # a key has no blank at which it could be broken
    return textwrap.wrap(
        " ".join(text.split()),
        room,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
    ) or [head.rstrip()]
