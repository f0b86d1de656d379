"""Declared, fingerprinted, stored: what an experiment gives, as files that depend on their inputs alone."""

from labreport.results import files, freshness, observed, strict_json, versions
from labreport.results.declaration import Declaration
from labreport.results.encoding import encode, kind_of
from labreport.results.fingerprint import OBSERVED, Fingerprint, Part, changes, of_kind
from labreport.results.freshness import Record, files_in
from labreport.results.results import (
    FIGURES,
    RESULT,
    RUN,
    TIMING,
    Drawing,
    Figure,
    Result,
    Run,
    checkpoints,
    discard_checkpoints,
    discard_drawing,
    last_seconds,
    load,
    publish,
    publish_drawing,
    read_before,
    recorded_drawing,
    recorded_run,
    sweep,
)
from labreport.results.settings import with_settings
from labreport.results.sources import Sources
from labreport.results.tables import is_frame

__all__ = [
    "FIGURES",
    "OBSERVED",
    "RESULT",
    "RUN",
    "TIMING",
    "Declaration",
    "Drawing",
    "Figure",
    "Fingerprint",
    "Part",
    "Record",
    "Result",
    "Run",
    "Sources",
    "changes",
    "checkpoints",
    "discard_checkpoints",
    "discard_drawing",
    "encode",
    "files",
    "files_in",
    "freshness",
    "is_frame",
    "kind_of",
    "last_seconds",
    "load",
    "observed",
    "of_kind",
    "publish",
    "publish_drawing",
    "read_before",
    "recorded_drawing",
    "recorded_run",
    "strict_json",
    "sweep",
    "versions",
    "with_settings",
]
