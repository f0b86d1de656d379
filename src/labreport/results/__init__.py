"""Declared, fingerprinted, stored: what an experiment gives, as files that depend on their inputs alone."""

from labreport.results.modules import find_module, is_own, module_names

__all__ = ["find_module", "is_own", "module_names"]
