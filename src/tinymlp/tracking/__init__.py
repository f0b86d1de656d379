"""Runs tracked in W&B, and their logs read back."""

from tinymlp.tracking.session import FIELDS, Log, Session, Tracker, TrackingError, fit

__all__ = ["FIELDS", "Log", "Session", "Tracker", "TrackingError", "fit"]
