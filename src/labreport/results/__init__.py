"""Declared, fingerprinted, stored: what an experiment gives, as files that depend on their inputs alone."""

from labreport.results import files, freshness, strict_json, versions
from labreport.results.fingerprint import Fingerprint, Part, changes, of_kind
from labreport.results.freshness import Record, files_in
from labreport.results.modules import find_module, is_own, module_names
from labreport.results.results import TIMING

__all__ = [
    "TIMING",
    "Fingerprint",
    "Part",
    "Record",
    "changes",
    "files",
    "files_in",
    "find_module",
    "freshness",
    "is_own",
    "module_names",
    "of_kind",
    "strict_json",
    "versions",
]
