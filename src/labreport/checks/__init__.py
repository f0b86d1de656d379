"""The rules of a hand-in, checked."""

from labreport.checks.checks import CHECKS, Check, Verdict, check, passes, text

__all__ = ["CHECKS", "Check", "Verdict", "check", "passes", "text"]
