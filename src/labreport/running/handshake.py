"""Whether a cluster can compute what is computed here: it answers, and it has the same versions."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from labreport.errors import ToolError, UsageError
from labreport.project import CHECKOUT
from labreport.running import remote

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer, and a cluster to have its first worker."""

SAME_EVERYWHERE = ("python", "distributed", "dask", "cloudpickle")
"""What must have the same version for driver, scheduler and workers to understand each other."""

_SCHEMES = ("tcp", "tls", "ws", "wss")
_ENCRYPTED = ("tls", "wss")


def check(address: str, distributions: Iterable[str]) -> None:
    """Return if a cluster can compute what is computed here; `distributions` are those that the code imports.

    Raises
    ------
    ToolError
        The package distributed is missing; the scheduler does not answer, it has no worker, or one of them
        has other versions than this process.
    UsageError
        The address is not valid.

    """
    try:
        import distributed
    except ModuleNotFoundError as error:
        what = f"--cluster needs the Python package {error.name!r}, which is missing in {sys.executable}"
        pinned = f" --constraint {CHECKOUT / 'constraints.txt'}" if CHECKOUT else ""
        cure = f"install it: {sys.executable} -m pip install{pinned} distributed"
        raise ToolError(what, cure=cure) from None
    _check_address(address)
    wanted = expected(distributions)
    try:
        with quiet():
            found = asyncio.run(asyncio.wait_for(_versions(distributed, address, wanted), CONNECT_SECONDS))
    except Exception as error:  # whoever listens there may speak anything
        what = f"no Dask scheduler answers at {address}" + (f": {error}" if str(error) else "")
        cure = "start one (`dask scheduler` prints its address), or correct --cluster"
        if address.startswith(_ENCRYPTED):
            cure += "; Dask's configuration names the certificates (distributed.comm.tls)"
        raise ToolError(what, cure=cure) from error
    if not found["workers"]:
        what = f"the cluster at {address} has no worker"
        raise ToolError(what, cure=f"start workers: `dask worker {address}`")
    _compare(address, wanted, found)


def _check_address(address: str) -> None:
    from distributed.comm import parse_address, parse_host_port

    try:
        scheme, location = parse_address(address)
        if scheme not in _SCHEMES or not parse_host_port(location)[0]:
            raise ValueError(f"it does not begin with one of {', '.join(_SCHEMES)} and a host")
    except ValueError as error:
        what = f"--cluster {address!r} is not a valid address: {error}"
        raise UsageError(what, cure="write tcp://HOST:PORT or tls://HOST:PORT") from error


async def _versions(distributed: Any, address: str, wanted: Iterable[str]) -> dict[str, Any]:
    """Return what the scheduler and the workers say of their versions, as soon as there is a worker."""
    ends = time.monotonic() + CONNECT_SECONDS - 1
    names = [name for name in wanted if name != "python"]  # which they tell anyway
    ask = {"op": "versions", "packages": names}
    # not as a client, whom a scheduler of another version may refuse before it can say why
    arguments = distributed.Security().get_connection_args("client")
    scheduler = distributed.rpc(address, connection_args=arguments)
    try:
        said = await scheduler.versions(packages=names)
        while True:
            workers = await scheduler.broadcast(msg=ask, on_error="ignore")
            if workers or time.monotonic() > ends:
                return {"scheduler": said, "workers": workers}
            await asyncio.sleep(0.2)
    finally:
        await scheduler.close_rpc()


def _compare(address: str, wanted: Mapping[str, str], found: Mapping[str, Any]) -> None:
    """Raise ToolError if the scheduler or a worker has other versions."""
    everywhere = {name: wanted[name] for name in SAME_EVERYWHERE}
    differs = {"the scheduler": _differing(everywhere, found["scheduler"]["packages"])}
    for worker, said in found["workers"].items():
        differs[f"worker {worker}"] = _differing(wanted, said["packages"])
    if any(differs.values()):
        raise differing_versions(address, {side: lines for side, lines in differs.items() if lines})


def _differing(wanted: Mapping[str, str], said: Mapping[str, str | None]) -> list[tuple[str, str, str]]:
    """Return each name whose version a process says is another, with the version here and the one there."""
    there = {name: str(version or "not installed") for name, version in said.items()}
    there["python"] = ".".join(there["python"].split(".")[:2])  # as `remote.version_of` tells it
    return [(name, version, there[name]) for name, version in wanted.items() if there[name] != version]


def differing_versions(address: str, sides: Mapping[str, Sequence[tuple[str, str, str]]]) -> ToolError:
    """Return the error that names, for each side, names of packages with the versions here and there."""
    notes = [
        f"{side} has {name} {has}, here it is {version}"
        for side, lines in sides.items()
        for name, version, has in lines
    ]
    python = f"Python {remote.version_of('python')}"
    cure = f"give the cluster the same versions: {python}, and the packages of constraints.txt"
    return ToolError(f"the cluster at {address} has other versions", notes=notes, cure=cure)


def expected(distributions: Iterable[str]) -> dict[str, str]:
    """Return the versions here of what a cluster must have, by name; of what is sent itself, none."""
    names = [*SAME_EVERYWHERE, *sorted(distributions)]
    return {name: remote.version_of(name) for name in names if name == "python" or _is_released(name)}


def _is_released(name: str) -> bool:
    """Return whether a distribution is installed as it was released, not as a folder to edit."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return False
    return '"editable": true' not in (found.read_text("direct_url.json") or "")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep distributed's own words out of logs: what matters of them becomes an error."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a large graph; other versions, which are checked here
            yield
    finally:
        logging.disable(before)
