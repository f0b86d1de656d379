"""A first project: made in a moment, built at once, and changed into another."""

from labreport.new.beginnings import KINDS, create

__all__ = ["KINDS", "create"]
