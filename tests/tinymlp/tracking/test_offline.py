"""The file of a run for `wandb sync`: wandb's own reader finds the run in it, and it tells nothing else."""

import math
import time
from dataclasses import replace

import pytest
from tracked import trained

from tinymlp.tracking import Log, offline_file
from tinymlp.tracking.log import read

CONFIG = {"lr": 1 / 3, "layers": [3, 2], "nested": {"deep": 1e-300}, "name": 'ö "quoted"\n', "none": None}
ROWS = [
    {"third": 1 / 3, "tiny": 5e-324, "great": 1.7976931348623157e308, "count": 2**53 + 1, "yes": True},
    {"list": [1 / 3, 2, -0.1], "lists": [[1], [2.5]], "text": "ö", "nothing": None, "empty": []},
    {"inf": math.inf, "minus inf": -math.inf},
]
RUN = Log("0123abc", "one", "group", CONFIG, ROWS, {"best": 1 / 9, "val/loss": 0.5}, 0, "")


@pytest.fixture
def again(tmp_path):
    """Return what wandb's reader finds in the file of a run."""

    def written_and_read(run):
        path = tmp_path / f"run-{run.id}.wandb"
        path.write_bytes(offline_file(run, "project"))
        return read(path)

    return written_and_read


@pytest.mark.parametrize(
    "run",
    [
        RUN,
        replace(RUN, exit_code=1, sweep="sweep7"),
        replace(RUN, config={}, rows=[], summary={}),
    ],
    ids=["a run", "a failed run of a sweep", "an empty run"],
)
def test_the_reader_of_wandb_finds_the_run(again, run):
    assert again(run) == run


# 32768 bytes are a block, 7 the head of a part: these rows end just before, at and behind the end of a block
@pytest.mark.parametrize("length", [*range(32_400, 32_800, 5), 65_536, 200_000])
def test_rows_go_on_over_blocks(again, length):
    run = replace(RUN, rows=[{"text": "x" * length}, {"text": "the next"}])
    assert again(run).rows == run.rows


def test_what_a_session_has_logged_is_found_again_without_pictures(session, again):
    with session:
        tracker, _ = trained(session)
    log = session.read(tracker.id)
    assert again(log) == log


def test_equal_runs_give_equal_bytes_at_any_time(monkeypatch):
    first = offline_file(RUN, "project")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert offline_file(replace(RUN), "project") == first
    assert offline_file(replace(RUN, id="other"), "project") != first
