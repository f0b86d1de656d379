"""The hand-in: the report and a zip of all that it was made from, searched for leaks and verified."""

from labreport.handin.allowlist import collect
from labreport.handin.bundle import CODE, REPORT, TOP, Submission, out_of_date, pack
from labreport.handin.contents import PackError
from labreport.handin.verification import Verified, VerifyError, verify

__all__ = [
    "CODE",
    "REPORT",
    "TOP",
    "PackError",
    "Submission",
    "Verified",
    "VerifyError",
    "collect",
    "out_of_date",
    "pack",
    "verify",
]
