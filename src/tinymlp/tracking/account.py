"""The mode of tracking, as it is asked for or follows from the account; and whether its server answers."""

from __future__ import annotations

import base64
import json
import os
import queue
import threading
import urllib.error
import urllib.request
from typing import Literal

from tinymlp.tracking.client import account
from tinymlp.tracking.errors import TrackingError, brief

Mode = Literal["online", "offline", "disabled"]
MODES: dict[str, Mode] = {
    "online": "online",
    "offline": "offline",
    "dryrun": "offline",  # its old name
    "disabled": "disabled",
}
PROBE_SECONDS = 4.0  # for the server's first answer


def decided(asked: str | None) -> Mode:
    """Return the mode that is asked for, or else the one that follows from what is configured."""
    given = asked or os.environ.get("WANDB_MODE", "")
    if given and given not in MODES:
        where = "mode" if asked else "WANDB_MODE"
        raise TrackingError(f"{where}={given}: there are online, offline and disabled; choose one or none")
    if given:
        return MODES[given]
    try:
        configured, _, key = account()
    except Exception:
        return "online"  # what is wrong with it is said when it is used
    if configured in ("offline", "disabled"):  # by `wandb offline`
        return MODES[configured]
    return "online" if key else "offline"


def unreachable() -> str:
    """Return why the server cannot be used; an empty text where it answers a first request soon."""
    try:
        _, host, key = account()
    except Exception as error:
        return brief(error)
    if not key:
        return "no key is configured (wandb login)"
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_asked_server(host, key)), daemon=True).start()
    try:
        return answers.get(timeout=PROBE_SECONDS)  # looking up a name has no time limit of its own
    except queue.Empty:
        return f"{host} does not answer"


def _asked_server(host: str, key: str) -> str:
    """Ask a server for the account of a key; return what is wrong, an empty text where it answers."""
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
        return f"{host} cannot be reached ({brief(getattr(error, 'reason', error))})"
    return ""
