"""Track training runs with Weights & Biases: offline by default, online with a key, never in the way.

A `Session` holds for all runs of an experiment, a `Tracker` follows one of
them. Whatever happens to W&B, the training goes on: a tracker keeps all that
it is given, and the first failure of W&B ends the online work of its session;
what has no complete log by the end is then written once more, offline.

    with Session(Path("build"), project="noisy-xor") as session:
        with session.track("seed 0", group="depth 2", config=config) as tracker:
            history = fit(model, train, val, tracker, epochs=10, seed=0)
    log = session.read(tracker.id)

Made for wandb 0.31. What follows from measurements with it has a comment.
"""

from __future__ import annotations

import base64
import io
import json
import math
import os
import pickle
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType, TracebackType
from typing import Any, Literal, cast
from urllib.parse import quote

import numpy as np
import torch
import wandb
import yaml
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn
from torch.optim import Adam
from torch.utils.data import DataLoader
from wandb.sdk import wandb_setup
from wandb.sdk.lib import wbauth
from wandb.sdk.lib.asyncio_manager import AsyncioManager
from wandb.util import get_core_path

from tinymlp.figures import decision_boundary, scatter_classes
from tinymlp.networks import Data, History, whole

Mode = Literal["online", "offline", "disabled"]
MODES: dict[str, Mode] = {
    "online": "online",
    "offline": "offline",
    "dryrun": "offline",  # its old name
    "disabled": "disabled",
}

PROBE_SECONDS = 4.0  # for the server's first answer
CALL_SECONDS = 8.0  # for any call of wandb; one that takes longer will not end
PICTURES = 20  # of the decision boundary in a run, about
SHOWN_POINTS = 200  # in such a picture
QUIET = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}  # the latter would report to its makers
AGENT = ("WANDB_SWEEP_ID", "WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH")
WANDB_THREADS = ("wandb-", "NetStatThr")
UNSET = dict.fromkeys((*AGENT, "WANDB_RESUME"))  # wandb would keep those of the first run of a process
FIELDS = {  # of a history: key in the log
    "train_loss": "train/loss",
    "val_loss": "val/loss",
    "train_accuracy": "train/accuracy",
    "val_accuracy": "val/accuracy",
    "gradient_norm": "gradient_norm",
}


class TrackingError(Exception):
    """What a caller or the user has to correct; failures of W&B are none."""


# ---- the tracked training


def fit(
    model: nn.Module,
    train: Data,
    val: Data,
    tracker: Tracker,
    *,
    epochs: int,
    batch_size: int = 32,
    lr: float = 0.01,
    weight_decay: float = 0.0,
    seed: int,
) -> History:
    """Train `model` in place and return its history, one entry per epoch.

    Each epoch takes the training data once, in mini-batches (the last may be
    smaller) in a new order; the orders follow from `seed`. The loss is the
    mean binary cross entropy in nats; weight decay is an L2 penalty.
    """
    order = torch.Generator().manual_seed(seed)
    batches = DataLoader(train, batch_size, shuffle=True, generator=order)
    loss_function = nn.BCEWithLogitsLoss()
    optimiser = Adam(model.parameters(), lr, weight_decay=weight_decay)
    history = History()
    for epoch in range(epochs):
        for inputs, targets in batches:
            optimiser.zero_grad()
            loss = loss_function(model(inputs), targets)
            loss.backward()
            optimiser.step()
        history.record(model, train, val)
        if epoch in milestones(epochs):
            tracker.boundary(model, train)
        tracker.epoch(history)
    tracker.outcome(model, history)
    return history


def milestones(epochs: int) -> set[int]:
    """Return the epochs, from 0, of which a picture is taken: the first, every few, the last."""
    few = math.ceil(epochs / PICTURES)
    return {*range(0, epochs, few), epochs - 1} if epochs else set()


# ---- what is tracked


@dataclass(frozen=True)
class Log:
    """A complete log of a run, as W&B has written it.

    `rows` are the rows as logged; keys of nested values are joined by dots,
    and a picture is described by the keys below its own, of which `path` is
    its file in the run's `files`. JSON knows one kind of number: a whole one
    comes back as an int. The texts NaN, Infinity and -Infinity come back as
    numbers too. `exit_code` is 0 for a run that finished.
    """

    id: str
    name: str
    group: str
    config: dict[str, Any]
    rows: list[dict[str, Any]]
    summary: dict[str, Any]
    exit_code: int
    sweep: str


@dataclass(frozen=True)
class _Picture:
    """A picture in a row, as a PNG file."""

    path: Path


@dataclass
class _Record:
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


class Tracker:
    """Follows one run: a context manager, which `Session.track` returns.

    Attributes: `id` is derived from project, group, name, config and key, or
    given by an agent; `config` is the given one, with the parameters of a
    sweep on top where an agent gave them.
    """

    def __init__(self, session: Session, record: _Record) -> None:
        self.id = record.id
        self.config: Mapping[str, Any] = record.config
        self._session = session
        self._record = record
        self._row: dict[str, Any] = {}
        self._run: wandb.Run | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Tracker:
        self._stack.enter_context(_exit_on_sigterm())
        self._run = self._session._open(self._record)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with self._stack:
            self._record.exit_code = _exit_code(error)
            self._do("finishing a run", lambda run: run.finish(self._record.exit_code))
            self._record.whole = self._run is not None
            self._session._keep(self._record)

    def log(self, row: Mapping[str, Any]) -> None:
        """Log a row: numbers, texts, truth values, None, lists and mappings of these, arrays.

        Pictures given to `image` since the last row are part of it. Raises
        TrackingError for other values.
        """
        plain = {**_plain(row, "a row"), **self._row}
        self._row = {}
        self._record.rows.append(plain)
        self._do("logging a row", lambda run: _log(run, plain))

    def image(self, name: str, figure: Figure) -> None:
        """Make a figure, as it is now, part of the next row."""
        if self._session.mode != "disabled":
            path = self._session._path(f"{self.id}-{len(self._record.rows)}-{len(self._row)}.png")
            with suppress(OSError):  # a full disk
                figure.savefig(path, metadata={"Software": None})
                self._row[name] = _Picture(path)

    def summary(self, **values: Any) -> None:
        """Say what is to be known of the whole run; the last row's values are in the summary anyway."""
        plain = _plain(values, "a summary")
        self._record.summary.update(plain)
        self._do("logging the summary", lambda run: run.summary.update(plain))

    def artifact(self, name: str, files: Mapping[str, bytes]) -> None:
        """Keep the contents of files, by their names, as an artifact "NAME-ID" of type NAME."""
        self._record.artifacts[name] = dict(files)
        self._do("logging an artifact", lambda run: _log_artifact(run, name, files))

    def epoch(self, history: History) -> None:
        """Log the last epoch of a history as a row, with its number, from 1, as "epoch"."""
        last = {key: getattr(history, name)[-1] for name, key in FIELDS.items()}
        self.log({"epoch": len(history.val_loss), **last})

    def boundary(self, model: nn.Module, data: Data) -> None:
        """Make the decision boundary part of the next row: a picture, and all "parameters" as a list."""
        if self._session.mode != "disabled":
            self.image("boundary", _boundary(model, data))
        self._row["parameters"] = nn.utils.parameters_to_vector(model.parameters()).tolist()

    def outcome(self, model: nn.Module, history: History) -> None:
        """Keep the model's state_dict, and the values of the epoch with the least validation loss."""
        file = io.BytesIO()
        torch.save(model.state_dict(), file)
        self.artifact("model", {"model.pt": file.getvalue()})
        losses = [math.inf if math.isnan(loss) else loss for loss in history.val_loss]
        if losses:
            best = losses.index(min(losses))
            values = {f"best_{name}": getattr(history, name)[best] for name in FIELDS}
            self.summary(best_epoch=best + 1, **values)

    def _do(self, doing: str, call: Callable[[wandb.Run], object]) -> None:
        """Have wandb do something, as long as it works."""
        run = self._run
        if run and not self._session._tried(doing, lambda: call(run)):
            self._run = None
            if run._run_status_checker:
                run._run_status_checker.join()  # the run's threads; `finish` cannot end them any more


def _plain(value: Any, where: str) -> Any:
    """Return a value as JSON knows it, copied."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}, key {key!r},") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    what = f"{where} holds a {type(value).__name__}"
    raise TrackingError(f"{what}: log numbers, texts, truth values, arrays, or lists and mappings of these")


def _boundary(model: nn.Module, data: Data) -> Figure:
    """Draw p(y = 1 | x) and some of the data, small and coarse."""

    @torch.no_grad()
    def predict(points: NDArray[np.float64]) -> NDArray[np.float32]:
        logits = model(torch.as_tensor(points, dtype=torch.float32))
        return cast("NDArray[np.float32]", torch.sigmoid(logits).numpy())

    inputs, targets = whole(data)
    figure = Figure(figsize=(2.4, 2.4), dpi=100)
    ax = figure.add_axes((0.18, 0.18, 0.8, 0.8))
    decision_boundary(ax, predict, resolution=64)
    scatter_classes(ax, inputs[:SHOWN_POINTS], targets[:SHOWN_POINTS], size=6)
    return figure


# ---- the session


class Session:
    """What all tracked runs of an experiment share: a context manager.

    It is opened before processes are forked; the trackers may live in these.
    Runs are written to `folder`/wandb, also where WANDB_DIR names another
    place; WANDB_PROJECT goes before `project`. The mode is `mode` or, if
    None, that of WANDB_MODE, else that of wandb's settings file, else online
    where a key is configured, else offline. The end of a session waits until
    the logs are whole, and says by `notice`, in one line, where the runs lie.

    While it is open, variables of the environment hold for wandb, and other
    uses of wandb in this process have to rest. Raises TrackingError for a
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
            with _environment(QUIET):
                self._mode = _decided(self._asked)
        return self._mode

    def __enter__(self) -> Session:
        self._mode = None
        with ExitStack() as stack:
            self._shared = Path(stack.enter_context(TemporaryDirectory(prefix="tracking-")))
            stack.callback(setattr, self, "_shared", None)
            stack.enter_context(_hooks())
            data = str(self._runs / "data")  # not in the user's home
            places = {"WANDB_DATA_DIR": data, "WANDB_CACHE_DIR": data}
            own = {"WANDB_SERVICE": None, "WANDB_MODE": os.environ.get("WANDB_MODE")}  # set by `_start`
            stack.enter_context(_environment({**QUIET, **places, **own}))
            if self.mode == "online" and (problem := _unreachable()):
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
        plain = _plain(config, "the config")
        identity = json.dumps([self.project, group, name, plain, key], sort_keys=True)
        run_id = sha256(identity.encode()).hexdigest()[:16]
        project = os.environ.get("WANDB_PROJECT") or self.project
        sweep = os.environ.get("WANDB_SWEEP_ID", "")
        if sweep:
            run_id = os.environ.get("WANDB_RUN_ID") or run_id
            plain = {**plain, **_sweep_parameters()}
        return Tracker(self, _Record(run_id, name, group, project, sweep, plain))

    def read(self, run_id: str) -> Log | None:
        """Return the log of a run; None if there is none, or no complete one.

        The session has to be closed: only then are the logs complete. The
        reader is wandb's own, `wandb leet inspect`.
        """
        log = self._log(run_id)
        return _parsed(_inspected(log)) if log else None

    # -- the life of wandb-core, the process that writes and sends

    def _start(self) -> None:
        """Start wandb-core, which forked processes will use too; without it, nothing is tracked."""
        if self.mode == "disabled":
            return
        os.environ["WANDB_MODE"] = self.mode
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self._runs):  # wandb would write to another place, and say nothing
                pass
            get_core_path()  # raises where there is none
            with _environment(UNSET):
                wandb.teardown()
                state = wandb.setup(wandb.Settings(x_service_wait=CALL_SECONDS))
            service = state.ensure_service()._proc
            self._core = service._process if service else None
            self._asyncer = state.asyncer
        except Exception as error:
            self._failed(f"wandb cannot work here ({_brief(error)})")
            self._mode = "disabled"

    def _stop(self) -> None:
        """End wandb-core. `finish` alone leaves some logs incomplete, measured in 6 of 100 runs."""
        if not self._core or not self._asyncer:
            return
        self._tried("ending the session", partial(_end, self._asyncer))
        self._core.kill()
        self._core.wait()
        self._core = self._asyncer = None

    def _kill(self) -> None:
        if self._core:  # not buried before `_stop`, so the id is still its own
            with suppress(ProcessLookupError):
                os.kill(self._core.pid, signal.SIGKILL)

    def _tried(self, doing: str, call: Callable[[], object]) -> bool:
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
            self._failed(f"{doing} failed ({_brief(error)})")
            self._kill()
            return False
        finally:
            timer.cancel()
        return True

    def _failed(self, problem: str) -> None:
        """Note the first failure, for all processes of the session."""
        with suppress(OSError), self._path("failure").open("x") as file:
            file.write(problem)

    def _failure(self) -> str:
        path = self._path("failure")
        return path.read_text() if path.exists() else ""

    # -- runs and their records

    @property
    def _runs(self) -> Path:
        return self.folder / "wandb"

    def _log(self, run_id: str) -> Path | None:
        logs = sorted(self._runs.glob(f"*run-*-{run_id}/run-{run_id}.wandb"))
        return logs[-1] if logs else None

    def _path(self, name: str) -> Path:
        if self._shared is None:
            raise TrackingError("the session is not open: write `with Session(...) as session:` around it")
        return self._shared / name

    def _open(self, record: _Record) -> wandb.Run | None:
        """Start a run, in the place of an earlier one; None where W&B does not work, or shall not."""
        if self._failure() or self.mode == "disabled":
            return None
        for old in self._runs.glob(f"*run-*-{record.id}"):
            shutil.rmtree(old, ignore_errors=True)
        opened: list[wandb.Run] = []
        with _environment(UNSET):
            self._tried("starting a run", lambda: opened.append(_init(record, self.folder)))
        record.url = opened[0].project_url or "" if opened and self.mode == "online" else ""
        return opened[0] if opened else None

    def _keep(self, record: _Record) -> None:
        """Hand a record over to the process that ends the session."""
        if self.mode == "disabled":
            return
        part = self._path(f"{record.id}.part")
        with suppress(OSError):  # a full disk
            part.write_bytes(pickle.dumps(record))
            part.rename(part.with_suffix(".run"))

    def _kept(self) -> list[_Record]:
        paths = sorted(self._path("").glob("*.run"), key=lambda path: path.stat().st_mtime_ns)
        return [pickle.loads(path.read_bytes()) for path in paths]

    def _write_again(self, records: Sequence[_Record]) -> None:
        """Write offline what has no complete log, or did not reach the server whole."""
        lost = [record for record in records if not record.whole or self.read(record.id) is None]
        self._path("failure").unlink()
        self._mode = "offline"
        self._start()
        for record in lost:
            record.url = ""
            if run := self._open(record):
                record.whole = self._tried("writing a run again", partial(_write, run, record))
        self._stop()
        if self._failure():
            self._mode = "disabled"

    def _tell(self, records: Sequence[_Record], problem: str) -> None:
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


# ---- wandb


def _init(record: _Record, folder: Path) -> wandb.Run:
    """Start a run that tells nothing of the machine, its user and the program."""
    settings = wandb.Settings(
        run_id=record.id,
        run_name=record.name,
        run_group=record.group,
        project=record.project,
        sweep_id=record.sweep or None,
        root_dir=str(folder),
        use_dot_wandb=False,
        symlink=False,  # its target would change with each run
        reinit="create_new",
        silent=True,
        console="off",
        host="",
        disable_code=True,
        disable_git=True,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
        x_transaction_log_flush_interval=1,  # else a kill loses up to 15 s
    )
    return wandb.init(config=record.config, settings=settings)


def _write(run: wandb.Run, record: _Record) -> None:
    """Write a whole run."""
    for row in record.rows:
        _log(run, row)
    run.summary.update(record.summary)
    for name, files in record.artifacts.items():
        _log_artifact(run, name, files)
    run.finish(record.exit_code)


def _log(run: wandb.Run, row: Mapping[str, Any]) -> None:
    run.log({key: _as_image(value) for key, value in row.items()})


def _as_image(value: Any) -> Any:
    return wandb.Image(str(value.path)) if isinstance(value, _Picture) else value


def _log_artifact(run: wandb.Run, name: str, files: Mapping[str, bytes]) -> None:
    """Log an artifact whose files lie in the run's own folder, to be uploaded from there at any time."""
    folder = Path(run.settings.sync_dir) / "artifacts" / name
    folder.mkdir(parents=True, exist_ok=True)
    artifact = wandb.Artifact(f"{name}-{run.id}", name)
    for file, content in files.items():
        (folder / file).write_bytes(content)
        artifact.add_file(str(folder / file), policy="immutable", skip_cache=True)
    run.log_artifact(artifact)


def _end(asyncer: AsyncioManager) -> None:
    """End wandb in this process; its thread too, which a failure would leave."""
    try:
        wandb.teardown()
    except SystemExit as error:  # with the code of wandb-core
        raise RuntimeError(f"wandb-core ended with {error.code}") from None
    finally:
        asyncer.join()


def _decided(asked: str | None) -> Mode:
    """Return the mode that is asked for, or else the one that follows from what is configured."""
    given = asked or os.environ.get("WANDB_MODE", "")
    if given and given not in MODES:
        where = "mode" if asked else "WANDB_MODE"
        raise TrackingError(f"{where}={given}: there are online, offline and disabled; choose one or none")
    if given:
        return MODES[given]
    try:
        configured, _, key = _account()
    except Exception:
        return "online"  # what is wrong with it is said when it is used
    if configured in ("offline", "disabled"):  # by `wandb offline`
        return MODES[configured]
    return "online" if key else "offline"


def _account() -> tuple[str, str, str]:
    """Return mode, server and key as wandb finds them (environment, netrc, settings), without a question."""
    try:
        settings = wandb_setup.singleton().settings
        host = settings.base_url
        auth = wbauth.authenticate_session(host=host, source="", prompt=False, update_session=False)
        key = auth.api_key if isinstance(auth, wbauth.AuthApiKey) else str(auth or "")
        return settings.mode, host, key
    finally:
        wandb.teardown()


def _unreachable() -> str:
    """Return what speaks against work with the server: it has to answer a first request soon."""
    try:
        _, host, key = _account()
    except Exception as error:
        return _brief(error)
    if not key:
        return "no key is configured (wandb login)"
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_asked_server(host, key)), daemon=True).start()
    try:
        return answers.get(timeout=PROBE_SECONDS)  # looking up a name has no time limit of its own
    except queue.Empty:
        return f"{host} does not answer"


def _asked_server(host: str, key: str) -> str:
    """Ask a server for the account of a key; return what is wrong, nothing where it answers."""
    body = json.dumps({"operationName": "Viewer", "query": "query Viewer { viewer { id } }", "variables": {}})
    login = base64.b64encode(f"api:{key}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{host}/graphql", body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        return f"{host} answers {error.code} {error.reason}"
    except Exception as error:
        return f"{host} cannot be reached ({_brief(getattr(error, 'reason', error))})"
    return ""


def _sweep_parameters() -> dict[str, Any]:
    """Return the parameters that an agent has written for the run."""
    path = os.environ.get("WANDB_SWEEP_PARAM_PATH")
    if not path:
        return {}
    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        return {key: entry["value"] for key, entry in entries.items() if key != "wandb_version"}
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        what = f"{path}: not a file of sweep parameters, as `lr: {{value: 0.1}}` ({_brief(error)})"
        raise TrackingError(f"{what}; WANDB_SWEEP_PARAM_PATH names it") from error


# ---- reading


def _inspected(log: Path) -> list[dict[str, Any]]:
    """Return the records of a log, or none where the reader has a remark: on a cut end or a hole."""
    command = [get_core_path(), "leet", "inspect", "--no-observability", "--json", "--run-file", str(log)]
    done = subprocess.run(command, capture_output=True, check=False)
    return [] if done.returncode or done.stderr else [json.loads(line) for line in done.stdout.splitlines()]


def _parsed(records: Sequence[dict[str, Any]]) -> Log | None:
    """Return the log that records make up, if the run's end is among them."""
    ends = [record["exit"] for record in records if record["type"] == "exit"]
    if not ends:
        return None
    run: dict[str, Any] = {}
    config: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    for record in records:
        if record["type"] == "run":
            run |= record["run"]
            config |= record["run"].get("config", {}).get("update", {})
        elif record["type"] == "config":
            config |= record["config"].get("update", {})
        elif record["type"] == "summary":
            summary |= _flat(record["summary"].get("update", {}))
    rows = [_own(record["history"].get("item", {})) for record in records if record["type"] == "history"]
    return Log(
        run["run_id"],
        run.get("display_name", ""),
        run.get("run_group", ""),
        _own(config),
        rows,
        _own(summary),
        ends[-1].get("exit_code", 0),
        run.get("sweep_id", ""),
    )


def _own(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without those that wandb adds, whose names begin with an underscore."""
    return {key: _restored(value) for key, value in values.items() if not key.startswith("_")}


def _restored(value: Any) -> Any:
    """Return a value with the numbers that JSON does not have."""
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if isinstance(value, dict):
        return {key: _restored(item) for key, item in value.items()}
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values with their keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


# ---- the process around


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables of the environment, or unset them (None), and restore them at the end."""
    before = {key: os.environ.get(key) for key in values}

    def put(variables: Mapping[str, str | None]) -> None:
        for key, value in variables.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value

    put(values)
    try:
        yield
    finally:
        put(before)


@contextmanager
def _hooks() -> Iterator[None]:
    """Restore what wandb replaces for good; and hear nothing of its threads, which fail when it is killed."""
    before = sys.exit, sys.excepthook, threading.excepthook

    def tell(failure: threading.ExceptHookArgs) -> None:
        if not failure.thread or not failure.thread.name.startswith(WANDB_THREADS):
            before[2](failure)

    threading.excepthook = tell
    try:
        yield
    finally:
        sys.exit, sys.excepthook, threading.excepthook = before


@contextmanager
def _exit_on_sigterm() -> Iterator[None]:
    """Let SIGTERM, by which an agent stops a run, end it with exit code 143, so that the end is recorded."""

    def leave(signal_number: int, _: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(128 + signal_number)

    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit_code(error: BaseException | None) -> int:
    """Return the exit code that a process would have after an exception."""
    if error is None:
        return 0
    if isinstance(error, KeyboardInterrupt):
        return 255  # as wandb records it
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 1


def _brief(error: object) -> str:
    """Return what an error says in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _shown(path: Path) -> str:
    """Return a path as one would type it here."""
    here = Path.cwd()
    relative = path.relative_to(here) if path.is_relative_to(here) else path
    return shlex.quote(str(relative))


def _count(items: Sequence[object]) -> str:
    return "1 run" if len(items) == 1 else f"{len(items)} runs"
