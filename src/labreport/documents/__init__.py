"""The documents: the PDF and the notebooks."""

from labreport.documents import (
    accepted,
    claims,
    engines,
    latexmk,
    notebooks,
    processes,
    provenance,
    readback,
    report,
)
from labreport.documents.accepted import Accepted, Unread
from labreport.documents.background import GENERATED
from labreport.documents.document import Document
from labreport.documents.keys import Step, steps
from labreport.documents.latexmk import DEBIAN_PACKAGES, SWITCHES
from labreport.documents.locate import place_of
from labreport.documents.notebooks import Woven
from labreport.documents.pictures import CONVERTER_PACKAGE
from labreport.documents.report import Made
from labreport.documents.texlog import Problem, read_log

__all__ = [
    "CONVERTER_PACKAGE",
    "DEBIAN_PACKAGES",
    "GENERATED",
    "SWITCHES",
    "Accepted",
    "Document",
    "Made",
    "Problem",
    "Step",
    "Unread",
    "Woven",
    "accepted",
    "claims",
    "engines",
    "latexmk",
    "notebooks",
    "place_of",
    "processes",
    "provenance",
    "read_log",
    "readback",
    "report",
    "steps",
]
