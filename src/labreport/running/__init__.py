"""Running experiments: what is out of date, in which processes, and what an experiment is given."""

from typing import TYPE_CHECKING, Any

from labreport.running.children import server_of
from labreport.running.lab import Lab
from labreport.running.planning import Settings, Step, plan
from labreport.running.runner import Outcome, execute
from labreport.running.trials import Trial, trials

if TYPE_CHECKING:
    from labreport.running import loaded, spare
    from labreport.running.forkserver import ForkServer

__all__ = [
    "ForkServer",
    "Lab",
    "Outcome",
    "Settings",
    "Step",
    "Trial",
    "execute",
    "loaded",
    "plan",
    "server_of",
    "spare",
    "trials",
]


def __getattr__(name: str) -> Any:
    """Return what only `watch` takes: a build with nothing to do does not import it."""
    from importlib import import_module

    if name == "ForkServer":
        return import_module("labreport.running.forkserver").ForkServer
    if name in ("loaded", "spare"):
        return import_module(f"labreport.running.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
