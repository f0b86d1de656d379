"""The hand-in: the report and a zip of all that it was made from, searched for leaks and verified.

`pack_for` writes the sources of the report alone, for a publisher.
"""

from labreport.handin.allowlist import collect
from labreport.handin.bundle import Submission, out_of_date, pack, touched
from labreport.handin.contents import PackError
from labreport.handin.fresh import VerifyError
from labreport.handin.leaks import leaks_of_packed, masking
from labreport.handin.manuscript import PUBLISHERS, Manuscript, pack_for
from labreport.handin.requirements import name_of, needs, of_engine, pinned, pins
from labreport.handin.verification import Verified, verify
from labreport.handin.zipped import CODE, members

__all__ = [
    "CODE",
    "PUBLISHERS",
    "Manuscript",
    "PackError",
    "Submission",
    "Verified",
    "VerifyError",
    "collect",
    "leaks_of_packed",
    "masking",
    "members",
    "name_of",
    "needs",
    "of_engine",
    "out_of_date",
    "pack",
    "pack_for",
    "pinned",
    "pins",
    "touched",
    "verify",
]
