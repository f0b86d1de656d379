"""The documents: the PDF and the notebooks."""

from labreport.documents import notebooks, report
from labreport.documents.document import JOB, Document
from labreport.documents.locate import place_of
from labreport.documents.report import Made
from labreport.documents.texlog import Problem, read_log

__all__ = ["JOB", "Document", "Made", "Problem", "notebooks", "place_of", "read_log", "report"]
