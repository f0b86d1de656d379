"""wandb itself: its process, its settings and account, and the start of a run.

Made for wandb 0.31. What follows from measurements with it has a comment.
"""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path

import wandb
from wandb.sdk import wandb_setup
from wandb.sdk.lib import wbauth
from wandb.sdk.lib.asyncio_manager import AsyncioManager
from wandb.util import get_core_path

from tinymlp.environment import environment
from tinymlp.tracking.record import Record

__all__ = [
    "UNSET",
    "AsyncioManager",
    "Run",
    "account",
    "end_core",
    "get_core_path",
    "start_core",
    "start_run",
]

Run = wandb.Run
AGENT = ("WANDB_SWEEP_ID", "WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH")
UNSET = dict.fromkeys((*AGENT, "WANDB_RESUME"))  # wandb would keep those of the first run of a process


def start_core(wait: float) -> tuple[subprocess.Popen[bytes] | None, AsyncioManager]:
    """Start wandb-core, and return its process and the thread that talks to it; `wait` is in seconds.

    Raises what wandb raises, also where there is no wandb-core.
    """
    get_core_path()  # raises where there is none
    # the first run of each process imports it, for seconds: once, before processes are forked
    importlib.import_module("wandb.sdk.launch")
    with environment(UNSET):
        wandb.teardown()  # settings of an earlier use in this process would stay
        state = wandb.setup(wandb.Settings(x_service_wait=wait))
    service = state.ensure_service()._proc
    return (service._process if service else None), state.asyncer


def start_run(record: Record, folder: Path) -> wandb.Run:
    """Start a run that tells nothing of the machine, its user and the program."""
    return wandb.init(
        project=record.project,
        name=record.name,
        config=record.config,
        settings=_private(record, folder),
    )


def _private(record: Record, folder: Path) -> wandb.Settings:
    """Return the settings of a run in a folder of ours that names no machine or user."""
    return wandb.Settings(
        run_id=record.id,
        run_group=record.group,
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


def end_core(asyncer: AsyncioManager) -> None:
    """End wandb in this process; its thread too, which a failure would leave."""
    try:
        wandb.teardown()
    except SystemExit as error:  # with the code of wandb-core
        raise RuntimeError(f"wandb-core ended with {error.code}") from None
    finally:
        asyncer.join()


def account() -> tuple[str, str, str]:
    """Return mode, server and key as wandb finds them (environment, netrc, settings), without a question."""
    try:
        settings = wandb_setup.singleton().settings
        host = settings.base_url
        auth = wbauth.authenticate_session(host=host, source="", prompt=False, update_session=False)
        key = auth.api_key if isinstance(auth, wbauth.AuthApiKey) else str(auth or "")
        return settings.mode, host, key
    finally:
        wandb.teardown()
