"""What a trial may return, and the files of finished trials against damage and strangers."""

import itertools
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from swept import MIXED, bowl, definition, forked_map, given, stored

from tinymlp.parallel import serial
from tinymlp.sweep import (
    TrialError,
    agent,
    forget,
    proposals,
)


def breaks_at_x_above_8():
    return {"loss": 1 / 0 if given()["x"] > 8 else 1.0}


class TestResults:
    def failing(self, folder, function, run_cap=9):
        with pytest.raises((TrialError, ZeroDivisionError)) as caught:
            agent(definition("random", run_cap=run_cap), function, folder=folder, seed=1)
        return caught.value

    @pytest.mark.parametrize(
        ("returned", "words"),
        [
            (None, "returned NoneType"),
            ([1.0], "returned list"),
            ({"lose": 1.0}, "returned no 'loss': the keys are lose"),
            ({"loss": math.nan}, "finite number, or None if the trial diverged"),
            ({"loss": math.inf}, "finite number"),
            ({"loss": "0.1"}, "finite number"),
            ({"loss": True}, "finite number"),
            ({"loss": 1.0, "more": {"a": [1, math.nan]}}, "returned nan at ['more']['a'][1]"),
            ({"loss": 1.0, "more": np.ones(2)}, "at ['more']"),
            ({"loss": 1.0, "more": {1: 2}}, "at ['more']"),
        ],
    )
    def test_that_are_none_are_refused_with_the_trial_named(self, returned, words, tmp_path):
        error = self.failing(tmp_path, lambda: returned)
        assert str(error).startswith("trial 0 of the sweep returned")
        assert words in str(error)
        assert stored(tmp_path) == {}

    @pytest.mark.parametrize("map_", [serial, forked_map])
    def test_an_exception_stops_the_sweep_and_names_the_trial(self, map_, tmp_path):
        with pytest.raises(ZeroDivisionError) as caught:
            agent(definition("random"), breaks_at_x_above_8, folder=tmp_path, seed=1, map=map_)
        (note,) = caught.value.__notes__
        number = int(note.split()[2])
        config = proposals._drawn(definition("random"), 1, number)
        assert config["x"] > 8
        assert f"x = {config['x']!r}" in note
        assert f"{number:04d}.json" not in stored(tmp_path)

    def test_of_finished_trials_are_kept_when_another_fails(self, tmp_path):
        count = itertools.count()
        self.failing(tmp_path, lambda: {"loss": 1 / (3 - next(count))})
        assert list(stored(tmp_path)) == ["0000.json", "0001.json", "0002.json"]

    def test_are_the_same_when_they_come_from_the_disk(self, tmp_path):
        returned = {
            "loss": np.float64(0.1) * 3,
            "rows": ({"a": 1e-300}, (1, None, True, "ü\ud800")),
            "big": 2**70,
        }
        once = agent(definition("random", run_cap=3), lambda: returned, folder=tmp_path, seed=1)
        again = agent(definition("random", run_cap=3), lambda: 1 / 0, folder=tmp_path, seed=1)
        assert once == again
        assert once[0].result["loss"] == 0.1 * 3
        assert once[0].result["rows"] == [{"a": 1e-300}, [1, None, True, "ü\ud800"]]
        assert repr(once) == repr(again)


class TestStoredTrials:
    sweep = definition(parameters={name: MIXED[name] for name in ("x", "rate")}, run_cap=25)

    def rerun(self, folder, seed=1):
        """Run the sweep again, and return the numbers of the trials that were run."""
        ran = []

        def function():
            ran.append(int(Path(os.environ["WANDB_SWEEP_PARAM_PATH"]).stem))
            return bowl()

        trials = agent(self.sweep, function, folder=folder, seed=seed)
        return trials, ran

    def test_are_not_run_again(self, tmp_path):
        trials, ran = self.rerun(tmp_path)
        assert ran == list(range(25))
        assert self.rerun(tmp_path) == (trials, [])

    def test_hold_number_id_configuration_and_result(self, tmp_path):
        trials, _ = self.rerun(tmp_path)
        record = json.loads(stored(tmp_path)["0007.json"])
        del record["checksum"]
        trial = trials[7]
        assert record == {"number": 7, "id": trial.id, "config": trial.config, "result": trial.result}

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: b"",
            lambda data: data[: len(data) // 2],
            lambda data: data[:-1],
            lambda data: b"\xff" + data,
            lambda data: b"[]",
            lambda data: b"{}",
            lambda data: b"null",
            lambda data: b'{"result": NaN}',
            lambda data: b'{"result": {"loss": 1.0}}',
            lambda data: data.replace(b'"loss": ', b'"loss": 1'),
            lambda data: data.replace(b'"rate": ', b'"rate": 1'),
            lambda data: data.replace(b'"number": 7', b'"number": 8'),
        ],
    )
    def test_that_are_damaged_are_run_again(self, damage, tmp_path):
        trials, _ = self.rerun(tmp_path)
        path = tmp_path / "trials/0007.json"
        data = path.read_bytes()
        assert damage(data) != data
        path.write_bytes(damage(data))
        assert self.rerun(tmp_path) == (trials, [7])
        assert path.read_bytes() == data

    def test_of_another_number_seed_or_sweep_are_run_again(self, tmp_path):
        trials, _ = self.rerun(tmp_path)
        (tmp_path / "trials/0007.json").write_bytes((tmp_path / "trials/0008.json").read_bytes())
        assert self.rerun(tmp_path) == (trials, [7])
        assert self.rerun(tmp_path, seed=2)[1] == list(range(25))
        assert self.rerun(tmp_path) == (trials, list(range(25)))
        agent(replace(self.sweep, goal="maximize"), bowl, folder=tmp_path, seed=1)
        assert self.rerun(tmp_path) == (trials, list(range(25)))

    def test_that_are_forgotten_are_run_again(self, tmp_path):
        trials, _ = self.rerun(tmp_path)
        forget(tmp_path, [trials[3], trials[23]])
        forget(tmp_path, [trials[3]])
        assert self.rerun(tmp_path) == (trials, [3, 23])

    def test_leave_no_temporary_files(self, tmp_path):
        self.rerun(tmp_path)
        assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json", ".yaml"}
