"""The claims of all documents, as the last build judged them: read, counted, and told on the terminal."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labreport.documents import provenance
from labreport.errors import InputError, UsageError, did_you_mean
from labreport.explain.record import damage, page_of

if TYPE_CHECKING:
    from labreport.project import Project

SCHEMA = 1
WIDTH = 100
INDENT = "    "


@dataclass(frozen=True)
class Claim:
    """A claim of a document: what it says, on which data, and what it turned out to be."""

    document: str
    name: str
    verdict: str
    family: str | None
    sentence: str
    expression: str
    template: str
    line: int
    values: dict[str, Any]
    evidence: tuple[dict[str, Any], ...]
    said: bool = True
    page: int | None = None

    @property
    def place(self) -> str:
        """The template's line."""
        return f"{self.template}:{self.line}"


def read(project: Project) -> list[Claim]:
    """Return the claims of all documents that the last build made, in their order.

    Raises InputError if there is no record of them, or it is damaged.
    """
    shown = project.shown(project.claims)
    try:
        record = provenance.read(project.claims)
        if record["schema"] != SCHEMA:
            raise ValueError("another version of labreport has written it")
        return [_claim(entry) for entry in record["claims"]]
    except FileNotFoundError:
        raise InputError(f"there is no {shown}", cure=f"make it: `{project.command()}`") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        what = f"{shown} cannot be read: {damage(error)}"
        raise InputError(what, cure=f"delete it, then run `{project.command()}`") from error


def _claim(entry: dict[str, Any]) -> Claim:
    fields = {name: entry[name] for name in ("document", "name", "verdict", "family", "sentence")}
    where = {name: entry[name] for name in ("expression", "template", "line")}
    return Claim(
        **fields,
        **where,
        values=dict(entry["values"]),
        evidence=tuple(entry["evidence"]),
        said=entry["said"],
        page=entry.get("page"),
    )


def counted(verdicts: Iterable[tuple[str, bool]]) -> str:
    """Return how many claims there are and how many of each verdict: "41 claims: 39 hold, 2 undecided …".

    Each verdict comes with whether it is said: in a quick build the sentence may stand all the same.
    """
    found = Counter(verdicts)
    total, unsaid = found.total(), sum(n for (_, said), n in found.items() if not said)
    counts = {verdict: found[verdict, True] for verdict in _VERBS}
    said = [f"{n} {_VERBS[verdict][n != 1]}" for verdict, n in counts.items() if n]
    said += [f"{unsaid} not, and not said: their numbers are those of a quick build"] if unsaid else []
    return f"{total} claim{'' if total == 1 else 's'}" + (": " + ", ".join(said) if total else "")


_VERBS = {
    "holds": ("holds", "hold"),
    "undecided": ("undecided and said so", "undecided and said so"),
    "fails": ("fails and said so", "fail and said so"),
}


def named(claims: Sequence[Claim], names: Sequence[str]) -> list[Claim]:
    """Return the claims of these names; UsageError if there is none of a name."""
    known = {claim.name for claim in claims}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no claim {name!r}", cure=did_you_mean(name, known))
    return [claim for claim in claims if claim.name in names]


def overview(claims: Sequence[Claim], width: int = WIDTH) -> list[str]:
    """Return two lines or more for each claim: verdict, name and place, then what the data say."""
    lines = []
    for claim in claims:
        lines.append(f"{claim.verdict:<9}  {claim.name}  ({_where(claim)})")
        lines += _wrapped("; ".join(_states(claim)), width)
    return [*lines, counted((claim.verdict, claim.said) for claim in claims)]


def _where(claim: Claim) -> str:
    return ", ".join(filter(None, [claim.place, page_of(claim.document, claim.page)]))


def details(claim: Claim, width: int = WIDTH) -> list[str]:
    """Return all that is known of a claim: sentence, predicate, values with their keys, evidence."""
    lines = [f"claim {claim.name!r} {_SAYS[claim.verdict]}  ({_where(claim)})"]
    lines += _wrapped(f"sentence: {' '.join(claim.sentence.split())}", width)
    lines += _wrapped(f"predicate: {' '.join(claim.expression.split())}", width)
    lines += [f"{INDENT}value: {key} = {_short(value)}" for key, value in claim.values.items()]
    for entry in claim.evidence:
        lines += _wrapped(f"evidence: {entry['states']}", width)
        lines += _wrapped(_test(entry), width) if entry.get("method") else []
    return lines


_SAYS = {"holds": "holds", "undecided": "is undecided", "fails": "fails"}


def _states(claim: Claim) -> list[str]:
    return list(dict.fromkeys(entry["states"] for entry in claim.evidence))


def _test(entry: dict[str, Any]) -> str:
    """Return the test behind a piece of evidence: method, sizes, p values, family."""
    said = [f"by {entry['method']}"]
    said += [f"n = {entry['n']}"] if entry.get("n") is not None else []
    said += [f"p = {entry['p']:.2g}"] if entry.get("p") is not None else []
    if entry.get("p_adjusted") is not None:
        size = entry["family_size"]
        tests = f"{size} test{'' if size == 1 else 's'}"
        said.append(f"adjusted over the {tests} of the family {entry['family']!r}: {entry['p_adjusted']:.2g}")
    return ", ".join(said)


def _wrapped(text: str, width: int) -> list[str]:
    inner = max(width - len(INDENT), 20)
    return [INDENT + line for line in textwrap.wrap(text, inner, break_on_hyphens=False)]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:79] + "…"
