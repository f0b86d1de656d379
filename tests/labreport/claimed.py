"""Predicates judged outside a document: values with keys, verdicts, what is said of the data."""

from labreport.claims import PREDICATES, Judged, judge
from labreport.errors import Place
from labreport.language import FORMATS, Box, Formatted, Stated
from labreport.writing import LATEX

TEXTS = {"holds": "It is \\emph{so}: $2\\,\\%$.", "undecided": "Unclear.", "fails": "It is not."}


def stated(predicate, name="c", family=None, texts=TEXTS, keys=(), line=7):
    """Return a claim as the language hands it to the judge."""
    place = Place("report_templates/main.tex.j2", line, 3)
    return Stated(name, family, predicate, place, texts, frozenset(keys))


def judged(predicate) -> Judged:
    """Return what the judge says of one claim."""
    (found,) = judge([stated(predicate)])
    return found


def verdict(predicate) -> str:
    return judged(predicate).verdict


def states(predicate) -> list[str]:
    return [entry["states"] for entry in judged(predicate).evidence]


def said(name, *args, **options):
    """Return a predicate on its operands."""
    return PREDICATES[name](*args, **options)


def of(value, key="d.x"):
    """Return a value of a result."""
    return Box(value, (key,))


def shown(value, format="num", key="d.x", **options):
    """Return a value of a result as a template prints it."""
    out = FORMATS[format](value, **options)
    return Box(Formatted.of(LATEX.write(out), value, out), (key,))


def estimate(value, low, high, key="d.e", **more):
    return Box({"estimate": value, "low": low, "high": high, **more}, (key,))
