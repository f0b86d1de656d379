"""The project's own sweep file under `wandb sweep` and two agents, on a server on the loopback interface."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from wandb_server import WandbServer

from tinymlp import sweep
from tinymlp.tracking import Session

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FILE = ROOT / "experiments" / "sweep.yaml"


@pytest.fixture
def project(tmp_path):
    """A folder with what the trials need, as it lies in the project."""
    shutil.copytree(
        ROOT / "experiments", tmp_path / "experiments", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "src").symlink_to(ROOT / "src")
    return tmp_path


def test_wandb_takes_the_sweep_file_and_two_agents_run_its_trials(project):
    with WandbServer() as server:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # as if activated
        environment = {**os.environ, **server.environment, "PATH": path, "HOME": str(project)}
        environment |= {"WANDB_ERROR_REPORTING": "false"}

        def wandb(*arguments):
            command = [sys.executable, "-m", "wandb", *arguments]
            pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            return subprocess.Popen(command, cwd=project, env=environment, **pipe)

        def ended(process):
            said, _ = process.communicate(timeout=300)
            assert process.returncode == 0, said

        ended(wandb("sweep", "experiments/sweep.yaml"))
        [made] = server.sweeps.values()
        agents = [wandb("agent", "--count", "2", f"tester/noisy-xor/{made.id}") for _ in range(2)]
        for agent in agents:
            ended(agent)
        assert server.unknown == []
        assert len(server.agents) == 2
        definition = sweep.load(FILE)
        assert made.project == definition.project
        assert len(made.runs) == 4
        read = Session(project / "build", project="noisy-xor").read
        for run_id in made.runs:
            assert_is_a_trial(server.runs[run_id], read(run_id), definition)
        assert len({str(server.runs[run_id].values) for run_id in made.runs}) == 4


def assert_is_a_trial(run, log, definition):
    """A finished run in the sweep's space; what arrived is what the local log says."""
    assert (run.state, run.exit_code, run.sweep) == ("finished", 0, log.sweep)
    assert run.values == log.config
    assert run.logged == log.rows
    assert set(definition.parameters) == set(log.config)
    for name, parameter in definition.parameters.items():
        value = log.config[name]
        assert value in parameter.values or parameter.min <= value <= parameter.max
    assert run.summary[definition.metric] == log.rows[-1][definition.metric]
    assert 0.2 < log.rows[-1][definition.metric] < 1  # nats: above the Bayes loss, not far above ln 2
