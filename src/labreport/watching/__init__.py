"""Watching: the project is built again whenever something in it changes."""

from labreport.watching.watch import watch

__all__ = ["watch"]
