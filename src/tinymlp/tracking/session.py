"""Track training runs with Weights & Biases: offline by default, online with a key, never in the way.

A `Session` holds for all runs of an experiment, a `Tracker` follows one of
them. Whatever happens to W&B, the training goes on: a tracker keeps all that
it is given, and the first failure of W&B ends the online work of its session;
what has no complete log by the end is then written once more, offline.

    with Session(Path("build"), project="noisy-xor") as session:
        with session.track("seed 0", group="depth 2", config=config) as tracker:
            history = fit(model, train, val, tracker, epochs=10, seed=0)
    log = session.read(tracker.id)
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from tinymlp.environment import environment
from tinymlp.tracking.account import Mode, decided, unreachable
from tinymlp.tracking.client import UNSET, AsyncioManager, Run, end_core, start_core, start_run
from tinymlp.tracking.errors import TrackingError, brief
from tinymlp.tracking.log import Log, read
from tinymlp.tracking.process import hooks
from tinymlp.tracking.record import Record, as_plain, sweep_parameters
from tinymlp.tracking.tracker import Tracker, write_run

CALL_SECONDS = 8.0  # for any call of wandb; one that takes longer will not end
QUIET = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}  # the latter would report to its makers


class Session:
    """What all tracked runs of an experiment share: a context manager.

    It is opened before processes are forked; the trackers may live in these.
    Runs are written to `folder`/wandb, also where WANDB_DIR names another
    place; WANDB_PROJECT goes before `project`. The mode is `mode` or, if
    None, that of WANDB_MODE, else that of wandb's settings file, else online
    where a key is configured, else offline. The end of a session waits until
    the logs are whole, and says by `notice`, in one line, where the runs lie.

    While it is open, variables of the environment hold for wandb, and other
    uses of wandb in this process have to wait. Raises TrackingError for a
    mode that does not exist.
    """

    def __init__(
        self,
        folder: Path,
        *,
        project: str,
        notice: Callable[[str], None] = print,
        mode: str | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.project = project
        self._notice = notice
        self._asked = mode
        self._mode: Mode | None = None
        self._shared: Path | None = None  # what the processes of the session tell each other
        self._core: subprocess.Popen[bytes] | None = None
        self._asyncer: AsyncioManager | None = None  # the thread that talks to it
        self._stack = ExitStack()

    @property
    def mode(self) -> Mode:
        """How runs are tracked; in the end what became of it: offline without the server, or disabled."""
        if self._mode is None:
            with environment(QUIET):
                self._mode = decided(self._asked)
        return self._mode

    def __enter__(self) -> Session:
        self._mode = None
        with ExitStack() as stack:
            self._shared = Path(stack.enter_context(TemporaryDirectory(prefix="tracking-")))
            stack.callback(setattr, self, "_shared", None)
            stack.enter_context(hooks())
            data = str(self._runs / "data")  # not in the user's home
            places = {"WANDB_DATA_DIR": data, "WANDB_CACHE_DIR": data}
            own = {"WANDB_SERVICE": None, "WANDB_MODE": os.environ.get("WANDB_MODE")}  # set by `_start`
            stack.enter_context(environment({**QUIET, **places, **own}))
            if self.mode == "online" and (problem := unreachable()):
                self._failed(problem)
                self._mode = "offline"
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._stack:
            self._stop()
            records = self._kept()
            problem = self._failure()
            if problem and self.mode != "disabled":
                self._write_again(records)
            self._tell(records, problem)

    def track(self, name: str, *, group: str, config: Mapping[str, Any], key: str = "") -> Tracker:
        """Return the tracker of a run, which starts when the tracker is entered.

        Its id follows from project, group, name, config and `key`: a run
        takes the place of an earlier one with its id. Where an agent has set
        WANDB_SWEEP_ID, the id is WANDB_RUN_ID, and the parameters of the file
        WANDB_SWEEP_PARAM_PATH go before those of `config`.
        """
        plain = as_plain(config, "the config")
        identity = json.dumps([self.project, group, name, plain, key], sort_keys=True)
        run_id = sha256(identity.encode()).hexdigest()[:16]
        project = os.environ.get("WANDB_PROJECT") or self.project
        sweep = os.environ.get("WANDB_SWEEP_ID", "")
        if sweep:
            run_id = os.environ.get("WANDB_RUN_ID") or run_id
            plain = {**plain, **sweep_parameters()}
        return Tracker(self, Record(run_id, name, group, project, sweep, plain))

    def read(self, run_id: str) -> Log | None:
        """Return the log of a run; None if there is none, or no complete one.

        The session has to be closed: only then are the logs complete. The
        reader is wandb's own, `wandb leet inspect`.
        """
        log = self._log(run_id)
        return read(log) if log else None

    # -- the life of wandb-core, the process that writes and sends

    def _start(self) -> None:
        """Start wandb-core, which forked processes will use too; without it, nothing is tracked."""
        if self.mode == "disabled":
            return
        os.environ["WANDB_MODE"] = self.mode  # where `wandb.init` finds it, in forked processes too
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self._runs):  # wandb would write to another place, and say nothing
                pass
            self._core, self._asyncer = start_core(CALL_SECONDS)
        except Exception as error:
            self._failed(f"wandb cannot work here ({brief(error)})")
            self._mode = "disabled"

    def _stop(self) -> None:
        """End wandb-core. `finish` alone leaves some logs incomplete, measured in 6 of 100 runs."""
        if not self._core or not self._asyncer:
            return
        self.tried("ending the session", partial(end_core, self._asyncer))
        self._core.kill()
        self._core.wait()
        self._core = self._asyncer = None

    def _kill(self) -> None:
        if self._core:  # only `_stop` waits for it, so its process id cannot belong to another yet
            with suppress(ProcessLookupError):
                os.kill(self._core.pid, signal.SIGKILL)

    def tried(self, doing: str, call: Callable[[], object]) -> bool:
        """Return whether a call of wandb went well; the first that does not ends its work in this session.

        No call may last: with a server that is silent, wandb's own time
        limits mean several times what they say, so wandb-core is killed,
        which ends any call at once.
        """

        def give_up() -> None:
            self._failed(f"{doing} took more than {CALL_SECONDS:g} s")
            self._kill()

        timer = threading.Timer(CALL_SECONDS, give_up)
        timer.daemon = True
        timer.start()
        try:
            call()
        except Exception as error:
            self._failed(f"{doing} failed ({brief(error)})")
            self._kill()
            return False
        finally:
            timer.cancel()
        return True

    def _failed(self, problem: str) -> None:
        """Note the first failure, for all processes of the session."""
        with suppress(OSError), self.path("failure").open("x") as file:
            file.write(problem)

    def _failure(self) -> str:
        path = self.path("failure")
        return path.read_text() if path.exists() else ""

    # -- runs and their records, as `Home` of the trackers

    @property
    def _runs(self) -> Path:
        return self.folder / "wandb"

    def _log(self, run_id: str) -> Path | None:
        logs = sorted(self._runs.glob(f"*run-*-{run_id}/run-{run_id}.wandb"))
        return logs[-1] if logs else None

    def path(self, name: str) -> Path:
        """Return the path of a file that lives as long as the session, the same in all its processes."""
        if self._shared is None:
            raise TrackingError("the session is not open: write `with Session(...) as session:` around it")
        return self._shared / name

    def open_run(self, record: Record) -> Run | None:
        """Start a run, in the place of an earlier one; None where W&B does not work, or must not."""
        if self._failure() or self.mode == "disabled":
            return None
        for old in self._runs.glob(f"*run-*-{record.id}"):
            shutil.rmtree(old, ignore_errors=True)
        opened: list[Run] = []
        with environment(UNSET):
            self.tried("starting a run", lambda: opened.append(start_run(record, self.folder)))
        record.url = opened[0].project_url or "" if opened and self.mode == "online" else ""
        return opened[0] if opened else None

    def keep(self, record: Record) -> None:
        """Hand a record over to the process that ends the session."""
        if self.mode == "disabled":
            return
        part = self.path(f"{record.id}.part")
        with suppress(OSError):  # a full disk
            part.write_text(record.as_json(), encoding="utf-8")
            part.rename(part.with_suffix(".run"))  # whole or absent: a worker may be killed at any time

    def _kept(self) -> list[Record]:
        paths = sorted(self.path("").glob("*.run"), key=lambda path: path.stat().st_mtime_ns)
        return [Record.from_json(path.read_text(encoding="utf-8")) for path in paths]

    def _write_again(self, records: Sequence[Record]) -> None:
        """Write offline what has no complete log, or did not reach the server whole."""
        lost = [record for record in records if not record.whole or self.read(record.id) is None]
        self.path("failure").unlink()
        self._mode = "offline"
        self._start()
        for record in lost:
            record.url = ""
            if run := self.open_run(record):
                record.whole = self.tried("writing a run again", partial(write_run, run, record))
        self._stop()
        if self._failure():
            self._mode = "disabled"

    def _tell(self, records: Sequence[Record], problem: str) -> None:
        """Give the session's one notice."""
        parts = [problem] if problem else []
        urls = {f"{record.url}/groups/{quote(record.group)}" for record in records if record.url}
        local = [log.parent for record in records if not record.url and (log := self._log(record.id))]
        if urls:
            parts.append(f"{_count(records[len(local) :])} online: {' '.join(sorted(urls))}")
        if local:
            where, one = _shown(self._runs), _shown(local[0])
            upload = one if len(local) == 1 else f"{where}/offline-run-*"
            parts += [
                f"{_count(local)} offline in {where}",
                f"look: wandb leet {one}",
                f"upload: wandb sync {upload}",
            ]
        if self.mode == "disabled" and problem:
            again = self._failure()
            parts += [again, "runs are not tracked"] if again != problem else ["runs are not tracked"]
        if parts:
            self._notice(f"W&B: {'; '.join(parts)}")


def _shown(path: Path) -> str:
    """Return a path as one would type it in a shell in the current folder."""
    here = Path.cwd()
    relative = path.relative_to(here) if path.is_relative_to(here) else path
    return shlex.quote(str(relative))


def _count(items: Sequence[object]) -> str:
    return "1 run" if len(items) == 1 else f"{len(items)} runs"
