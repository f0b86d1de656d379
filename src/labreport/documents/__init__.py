"""The documents: the PDF and the notebooks."""

from labreport.documents import claims, latexmk, notebooks, report
from labreport.documents.document import JOB, Document
from labreport.documents.latexmk import DEBIAN_PACKAGES
from labreport.documents.locate import place_of
from labreport.documents.notebooks import Woven
from labreport.documents.report import Made
from labreport.documents.texlog import Problem, read_log

__all__ = [
    "DEBIAN_PACKAGES",
    "JOB",
    "Document",
    "Made",
    "Problem",
    "Woven",
    "claims",
    "latexmk",
    "notebooks",
    "place_of",
    "read_log",
    "report",
]
