"""The agent's contract with its function, against kills and the number of processes."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swept import GRID, MIXED, bowl, constant, definition, forked_map, given, stored

from labreport.config import Config
from labreport.project import Project
from labreport.running import Lab
from tinymlp.sweep import Sweep, agent

ROOT = Path(__file__).parents[3]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # wandb leaves the file open
class TestTheContract:
    NAMES = ("WANDB_SWEEP_ID", "WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_PROJECT", "WANDB_ENTITY")

    @pytest.fixture(autouse=True)
    def _no_agent_outside(self, monkeypatch):
        for name in self.NAMES:
            monkeypatch.delenv(name, raising=False)

    def seen(self):
        return {"loss": 1.0, **{name: os.environ.get(name) for name in self.NAMES}}

    def test_gives_each_trial_its_identity_and_its_parameters(self, tmp_path):
        from wandb.sdk.lib.config_util import dict_from_config_file

        one = Sweep("t.py", "random", "loss", "minimize", dict(MIXED), 3, project="p", entity="e")
        for trial in agent(one, self.seen, folder=tmp_path, seed=1):
            assert trial.result["WANDB_SWEEP_ID"] == one.id
            assert trial.result["WANDB_RUN_ID"] == trial.id
            assert (trial.result["WANDB_PROJECT"], trial.result["WANDB_ENTITY"]) == ("p", "e")
            path = Path(trial.result["WANDB_SWEEP_PARAM_PATH"])
            assert path.is_relative_to(tmp_path)
            assert dict_from_config_file(str(path)) == trial.config

    def test_leaves_the_environment_as_it_was(self, tmp_path, monkeypatch):
        monkeypatch.setenv("WANDB_RUN_ID", "outside")
        before = dict(os.environ)
        agent(definition("random", run_cap=2), self.seen, folder=tmp_path, seed=1)
        assert dict(os.environ) == before
        with pytest.raises(ZeroDivisionError):
            agent(definition("random"), lambda: 1 / 0, folder=tmp_path, seed=2)
        assert dict(os.environ) == before

    def test_keeps_a_sweep_and_a_project_that_the_user_has_named(self, tmp_path, monkeypatch):
        one = Sweep("t.py", "random", "loss", "minimize", dict(MIXED), 1, project="p")
        (free,) = agent(one, self.seen, folder=tmp_path / "a", seed=1)
        monkeypatch.setenv("WANDB_SWEEP_ID", "abcd1234")
        monkeypatch.setenv("WANDB_PROJECT", "mine")
        (trial,) = agent(one, self.seen, folder=tmp_path / "b", seed=1)
        assert (trial.result["WANDB_SWEEP_ID"], trial.result["WANDB_PROJECT"]) == ("abcd1234", "mine")
        assert (trial.id, trial.config) == (free.id, free.config)

    def test_numbers_arrive_exactly(self, tmp_path):
        trials = agent(
            definition("random", run_cap=50), lambda: {"loss": 0.1, **given()}, folder=tmp_path, seed=1
        )
        for trial in trials:
            del trial.result["loss"]
            assert trial.result == trial.config
            assert list(map(type, trial.result.values())) == list(map(type, trial.config.values()))


class TestProcesses:
    @pytest.mark.parametrize("method", ["grid", "random", "bayes"])
    def test_two_give_the_same_trials_as_one(self, method, tmp_path):
        one = definition(
            method, GRID if method == "grid" else MIXED, run_cap=None if method == "grid" else 60
        )
        function = constant if method == "grid" else bowl
        here = agent(one, function, folder=tmp_path / "one", seed=5)
        there = agent(one, function, folder=tmp_path / "two", seed=5, map=forked_map)
        assert here == there
        assert stored(tmp_path / "one") == stored(tmp_path / "two")

    def test_of_the_report_run_closures(self, tmp_path):
        shift = 1.0
        two = Lab(Project(tmp_path, Config("title")), "sweep", {}, jobs=2)
        trials = agent(
            definition(run_cap=22), lambda: bowl(shift), folder=tmp_path / "two", seed=5, map=two.map
        )
        assert trials == agent(definition(run_cap=22), bowl, folder=tmp_path / "one", seed=5)


CHILD = """
import math, multiprocessing, os, sys, time
from pathlib import Path
import yaml
from tinymlp.sweep import Parameter, Sweep, agent

log, folder, workers = sys.argv[1:]
parameters = {name: Parameter("uniform", (), 0.0, 1.0) for name in "xy"}
sweep = Sweep("train.py", "bayes", "loss", "minimize", parameters, 45)

def slow():
    path = Path(os.environ["WANDB_SWEEP_PARAM_PATH"])
    with open(log, "a") as file:
        file.write(f"{int(path.stem)}\\n")
    time.sleep(0.03)
    config = yaml.safe_load(path.read_text())
    return {"loss": (config["x"]["value"] - 0.3) ** 2 + config["y"]["value"]}

def forked(function, items):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(function, items, chunksize=1)

print(len(agent(sweep, slow, folder=Path(folder), seed=1, map=forked if workers == "2" else map)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_kills_at_any_time_change_no_trial_and_repeat_none(workers, tmp_path):
    log, folder = tmp_path / "log", tmp_path / "killed"

    def child(folder, workers):
        command = [sys.executable, "-c", CHILD, str(log), str(folder), str(workers)]
        return subprocess.Popen(command, cwd=ROOT / "src", start_new_session=True, stdout=subprocess.PIPE)

    with child(tmp_path / "whole", 1) as process:
        assert process.communicate(timeout=60)[0] == b"45\n"
    rng, kills = random.Random(workers), 0
    while True:
        log.write_text("")
        finished = {int(name[:4]) for name in stored(folder)}
        with child(folder, workers) as process:
            if kills < 7:
                while not log.read_text() and process.poll() is None:
                    time.sleep(0.005)
                time.sleep(rng.uniform(0, 0.4))
            else:
                process.wait(timeout=60)
            killed = process.poll() is None
            if killed:
                os.killpg(process.pid, signal.SIGKILL)
        started = list(map(int, log.read_text().split()))
        assert len(started) == len(set(started))
        assert not finished & set(started)
        if not killed:
            assert process.returncode == 0
            break
        kills += 1
    assert kills >= 3
    assert stored(folder) == stored(tmp_path / "whole")
