"""The documents: the PDF and the notebooks."""

from labreport.documents import accepted, claims, latexmk, notebooks, provenance, readback, report
from labreport.documents.accepted import Accepted, Unread
from labreport.documents.document import JOB, Document
from labreport.documents.keys import Step, steps
from labreport.documents.latexmk import DEBIAN_PACKAGES
from labreport.documents.locate import place_of
from labreport.documents.notebooks import Woven
from labreport.documents.report import Made
from labreport.documents.texlog import Problem, read_log

__all__ = [
    "DEBIAN_PACKAGES",
    "JOB",
    "Accepted",
    "Document",
    "Made",
    "Problem",
    "Step",
    "Unread",
    "Woven",
    "accepted",
    "claims",
    "latexmk",
    "notebooks",
    "place_of",
    "provenance",
    "read_log",
    "readback",
    "report",
    "steps",
]
