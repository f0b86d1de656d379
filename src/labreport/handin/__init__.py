"""The hand-in: the report and a zip of all that it was made from, searched for leaks and verified.

`pack_for` writes the sources of the report alone, for a publisher.
"""

from labreport.handin.allowlist import collect
from labreport.handin.bundle import CODE, TOP, Submission, out_of_date, pack
from labreport.handin.contents import PackError
from labreport.handin.fresh import VerifyError
from labreport.handin.leaks import leaks_of_packed, masking
from labreport.handin.manuscript import PUBLISHERS, Manuscript, pack_for
from labreport.handin.requirements import name_of, needs, of_engine, pinned, pins
from labreport.handin.verification import Verified, verify

__all__ = [
    "CODE",
    "PUBLISHERS",
    "TOP",
    "Manuscript",
    "PackError",
    "Submission",
    "Verified",
    "VerifyError",
    "collect",
    "leaks_of_packed",
    "masking",
    "name_of",
    "needs",
    "of_engine",
    "out_of_date",
    "pack",
    "pack_for",
    "pinned",
    "pins",
    "verify",
]
