"""Declared, fingerprinted, stored: what an experiment gives, as files that depend on their inputs alone."""

from labreport.results import (
    declaration,
    files,
    freshness,
    observed,
    reach,
    references,
    store,
    strict_json,
    syntax,
    variants,
    versions,
)
from labreport.results.cache import Cache
from labreport.results.cells import Cells
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
)
from labreport.results.settings import choices, shown_setting, with_settings
from labreport.results.sources import EXPERIMENTS, Sources
from labreport.results.tables import is_frame

__all__ = [
    "EXPERIMENTS",
    "FIGURES",
    "OBSERVED",
    "RESULT",
    "RUN",
    "TIMING",
    "Cache",
    "Cells",
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
    "choices",
    "declaration",
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
    "reach",
    "read_before",
    "recorded_drawing",
    "recorded_run",
    "references",
    "shown_setting",
    "store",
    "strict_json",
    "syntax",
    "variants",
    "versions",
    "with_settings",
]
