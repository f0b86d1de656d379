"""A run as the file that `wandb sync` takes: the same bytes for the same run, on any machine at any time.

wandb's own files hold times, names of the machine and what a random order makes of rows. The form is that of
wandb 0.31: records of protocol buffers in the log format of LevelDB
(https://github.com/google/leveldb/blob/main/doc/log_format.md), after a header of its own.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

from tinymlp.tracking.log import Log

HEADER = b":W&B\xe1\xbe\x00"
MIN_CONSUMER = "0.70.0"  # the oldest reader that wandb 0.31 names
START = 1_704_067_200  # 1 January 2024, in seconds: a run needs some time, and each row a later one
BLOCK = 32 * 1024
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4  # a record whole in its block, or its parts


def offline_file(run: Log, project: str) -> bytes:
    """Return the content of `run-ID.wandb`: config, rows and summary of a run, without its pictures.

    What `tinymlp.tracking.log.read` gives back is the run again.
    """
    records = list(_records(run, project))
    for number, record in enumerate(records, 1):
        record.num = number
        record._info.stream_id = run.id
    return _framed([record.SerializeToString(deterministic=True) for record in records])


def _records(run: Log, project: str) -> Iterator[Record]:
    """Yield the records of a run in the order in which wandb writes them."""
    header = Record()
    header.header.version_info.min_consumer = MIN_CONSUMER
    yield header
    yield _run(run, project)
    for step, row in enumerate(run.rows):
        history = Record()
        history.history.step.num = step
        clock = {"_step": step, "_timestamp": float(START + step), "_runtime": float(step)}
        _fill(history.history.item, {**row, **clock})
        yield history
    summary = Record()
    _fill(summary.summary.update, run.summary)
    yield summary
    end = Record()
    end.exit.exit_code = run.exit_code
    end.exit.runtime = len(run.rows)
    yield end


def _run(run: Log, project: str) -> Record:
    record = Record()
    record.run.run_id = run.id
    record.run.project = project
    record.run.run_group = run.group
    record.run.display_name = run.name
    record.run.sweep_id = run.sweep
    record.run.start_time.seconds = START
    for key, value in {"_wandb": {}, **run.config}.items():
        item = record.run.config.update.add()
        item.key, item.value_json = key, json.dumps(value)
    return record


def _fill(items: Any, values: Mapping[str, Any]) -> None:
    """Add values to the items of a record."""
    for key, value in values.items():
        item = items.add()
        item.nested_key.append(key)
        item.value_json = json.dumps(value)


def _framed(records: list[bytes]) -> bytes:
    """Return records as a log of LevelDB: parts with checksum, length and kind, each within one block."""
    out = bytearray(HEADER)
    for record in records:
        first, rest = True, record
        while first or rest:
            room = BLOCK - len(out) % BLOCK
            if room <= 7:  # too little for another part
                out += bytes(room)
                continue
            part, rest = rest[: room - 7], rest[room - 7 :]
            kind = (FIRST if rest else FULL) if first else (MIDDLE if rest else LAST)
            checksum = zlib.crc32(part, zlib.crc32(bytes([kind])))
            out += struct.pack("<IHB", checksum, len(part), kind) + part
            first = False
    return bytes(out)
