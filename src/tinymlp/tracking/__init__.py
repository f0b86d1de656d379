"""Runs tracked in W&B, and their logs read back."""

from tinymlp.tracking.errors import TrackingError
from tinymlp.tracking.log import Log
from tinymlp.tracking.offline import offline_file
from tinymlp.tracking.session import Session
from tinymlp.tracking.tracker import FIELDS, Tracker
from tinymlp.tracking.training import fit

__all__ = ["FIELDS", "Log", "Session", "Tracker", "TrackingError", "fit", "offline_file"]
