"""What a run was given: enough to write it again."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tinymlp.tracking.errors import TrackingError, brief


@dataclass(frozen=True)
class Picture:
    """A picture in a row, as a PNG file."""

    path: Path


@dataclass
class Record:
    """All that a tracker was given: enough to write its run again."""

    id: str
    name: str
    group: str
    project: str
    sweep: str
    config: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    exit_code: int = 0
    url: str = ""  # of its project on the server
    whole: bool = False  # wandb has finished it without complaint

    def as_json(self) -> str:
        """Return the record as text that `from_json` reads."""
        return json.dumps(vars(self), default=_marked)

    @staticmethod
    def from_json(text: str) -> Record:
        """Return the record of a text."""
        return Record(**json.loads(text, object_hook=_restored))


PICTURE, BYTES = "\0picture", "\0bytes"  # keys that stand for what JSON does not know


def _marked(value: Picture | bytes) -> dict[str, str]:
    if isinstance(value, Picture):
        return {PICTURE: str(value.path)}
    return {BYTES: base64.b64encode(value).decode()}


def _restored(value: dict[str, Any]) -> Any:
    if PICTURE in value:
        return Picture(Path(value[PICTURE]))
    return base64.b64decode(value[BYTES]) if BYTES in value else value


def as_plain(value: Any, where: str) -> Any:
    """Return a value as JSON knows it, copied."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): as_plain(item, f"{where}, key {key!r},") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item, where) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    what = f"{where} holds a {type(value).__name__}"
    raise TrackingError(f"{what}: log numbers, texts, truth values, arrays, or lists and mappings of these")


def sweep_parameters() -> dict[str, Any]:
    """Return the parameters that an agent has written for the run."""
    path = os.environ.get("WANDB_SWEEP_PARAM_PATH")
    if not path:
        return {}
    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        return {key: entry["value"] for key, entry in entries.items() if key != "wandb_version"}
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        what = f"{path}: not a file of sweep parameters, as `lr: {{value: 0.1}}` ({brief(error)})"
        raise TrackingError(f"{what}; WANDB_SWEEP_PARAM_PATH names it") from error
