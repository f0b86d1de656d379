"""The real wandb client against a server on the loopback interface.

What the client sends is what the local log says. That the service of W&B accepts it is not shown here.
"""

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from online import assert_arrived
from tracked import (
    assert_all_there,
    curves,
    in_workers,
    own_home,  # noqa: F401 (a fixture)
    plainly_trained,
    trained,
)
from wandb_server import WandbServer, wait_until

from tinymlp.tracking import Session, offline_file

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_an_online_run_arrives_as_its_log_says(server, session, notices, capfd):
    with session:
        tracker, history = trained(session, lr=1 / 3, sizes=[1, 2])
    log = session.read(tracker.id)
    assert history == curves(log) == plainly_trained()
    assert_arrived(server, log)
    run = server.runs[tracker.id]
    pictures = [row["boundary.path"] for row in log.rows]
    files = next((session.folder / "wandb").glob(f"run-*-{tracker.id}")) / "files"
    assert run.files.keys() == {"config.yaml", "wandb-summary.json", *pictures}
    assert len(pictures) == 3
    assert all(run.files[path] == (files / path).read_bytes() for path in pictures)
    assert server.artifacts[f"model-{tracker.id}/model.pt"].startswith(b"PK")
    assert (run.project, run.host) == ("tests", "")
    assert notices == [f"W&B: 1 run online: {server.url}/tester/tests/groups/group"]
    assert capfd.readouterr() == ("", "")


def test_online_runs_of_two_workers_arrive(server, session):
    with session:
        found = in_workers(session, [range(0, 3), range(3, 6)])
    assert_all_there(session, found.values())
    assert len(server.runs) == 6
    for run_id, _ in found.values():
        assert_arrived(server, session.read(run_id))


def test_an_offline_run_is_uploaded_by_the_command_of_the_notice(session, notices, tmp_path):
    with session:
        trackers = [trained(session, name)[0] for name in ("one", "two")]
        with pytest.raises(ZeroDivisionError), session.track("bad", group="group", config={}) as bad:
            bad.log({"x": 1 / 0})
    command = notices[0].rpartition("upload: ")[2]
    assert command.startswith("wandb sync ")
    wandb = f"{sys.executable} -m {command}"
    with WandbServer() as server:
        environment = {**os.environ, **server.environment, "WANDB_ERROR_REPORTING": "false"}
        subprocess.run(
            ["sh", "-c", wandb], env=environment, cwd=tmp_path, capture_output=True, check=True, timeout=120
        )
        assert len(server.runs) == 3
        for tracker in (*trackers, bad):
            assert_arrived(server, session.read(tracker.id))
        assert server.runs[bad.id].state == "failed"
        assert server.artifacts[f"model-{trackers[0].id}/model.pt"].startswith(b"PK")
        assert server.unknown == []


def test_an_agent_of_wandb_runs_the_program_and_can_stop_it(server, tmp_path):
    """`wandb sweep` and `wandb agent` with a program of three lines; the second trial is stopped."""
    (tmp_path / "train.py").write_text(
        "import time\nfrom pathlib import Path\nfrom tinymlp.tracking import Session\n"
        "with Session(Path('build'), project='other') as session:\n"
        "    with session.track('trial', group='sweep', config={'lr': 1.0, 'depth': 2}) as tracker:\n"
        "        for step in range(4 if tracker.id.endswith('run0') else 100_000):\n"
        "            tracker.log({'step': step, 'loss': tracker.config['lr'] / (step + 1)})\n"
        "            time.sleep(0.01)\n"
    )
    (tmp_path / "sweep.yaml").write_text(
        f"program: train.py\ncommand: ['{sys.executable}', train.py]\nmethod: random\nrun_cap: 2\n"
        "metric: {name: loss, goal: minimize}\n"
        "parameters:\n  lr: {distribution: log_uniform_values, min: 0.01, max: 1.0}\n"
    )
    environment = {**os.environ, "WANDB_PROJECT": "swept", "PYTHONPATH": str(ROOT / "src")}
    environment["WANDB_ERROR_REPORTING"] = "false"

    def wandb(*arguments):
        command = [sys.executable, "-m", "wandb", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
        )
        assert done.returncode == 0, done.stdout + done.stderr

    wandb("sweep", "sweep.yaml")
    [sweep] = server.sweeps.values()
    first, second = f"{sweep.id}-run0", f"{sweep.id}-run1"

    def stop_second():
        wait_until(lambda: second in server.runs and len(server.runs[second].rows) > 5, 120)
        server.stopped.add(second)

    watcher = threading.Thread(target=stop_second)
    watcher.start()
    wandb("agent", f"tester/swept/{sweep.id}")
    watcher.join()
    read = Session(tmp_path / "build", project="other").read
    for run_id in (first, second):
        log = read(run_id)
        assert_arrived(server, log)
        assert log.sweep == sweep.id
        assert 0.01 <= log.config["lr"] <= 1
        assert log.config["depth"] == 2
        assert server.runs[run_id].project == "swept"
        assert [row["loss"] for row in log.rows] == [log.config["lr"] / (s + 1) for s in range(len(log.rows))]
    assert (read(first).exit_code, len(read(first).rows)) == (0, 4)
    assert read(second).exit_code != 0
    assert sweep.state == "FINISHED"


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_an_offline_session_opens_no_socket_but_local_ones(tmp_path):
    """By the calls of the system, of Python and of wandb-core alike; the log is read and looked at, too."""
    program = (
        "import torch\ntorch.set_num_threads(1)\n"
        "from pathlib import Path\nfrom tracked import trained\n"
        "from tinymlp.tracking import Session\n"
        f"with Session(Path({str(tmp_path)!r}), project='p') as session:\n"
        "    tracker, _ = trained(session)\n"
        "assert session.mode == 'offline' and session.read(tracker.id)\n"
    )
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "tinymlp")])
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-e", "trace=network", "-o", str(trace), sys.executable, "-c", program]
    subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True, timeout=300
    )
    sockets = [line for line in trace.read_text().splitlines() if "socket(" in line or "socketpair(" in line]
    assert sockets
    assert [line for line in sockets if "AF_UNIX" not in line and "resumed" not in line] == []


def test_the_file_of_a_run_that_is_handed_in_is_uploaded_by_wandb_sync(session, tmp_path):
    with session:
        tracker, _ = trained(session)
    whole = session.read(tracker.id)
    plain = [{key: value for key, value in row.items() if "boundary" not in key} for row in whole.rows]
    summary = {key: value for key, value in whole.summary.items() if "boundary" not in key}
    runs = [
        replace(whole, rows=plain, summary=summary),
        replace(whole, id="swept", sweep="sweep7", rows=plain, summary=summary),
    ]
    for run in runs:
        (tmp_path / f"run-{run.id}.wandb").write_bytes(offline_file(run, "tests"))
    files = sorted(str(path) for path in tmp_path.glob("*.wandb"))
    with WandbServer() as server:
        environment = {**os.environ, **server.environment, "WANDB_ERROR_REPORTING": "false"}
        command = [sys.executable, "-m", "wandb", "sync", "--no-skip-online", *files]  # not in W&B's folders
        subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=True, timeout=120)
        assert len(server.runs) == 2
        for run in runs:
            assert_arrived(server, run)
            assert server.runs[run.id].project == "tests"
        assert server.unknown == []
