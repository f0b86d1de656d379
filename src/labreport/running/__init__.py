"""Running experiments: what is out of date, in which processes, and what an experiment is given."""

from labreport.running.forkserver import ForkServer
from labreport.running.lab import Lab
from labreport.running.planning import Settings, Step, plan
from labreport.running.runner import Outcome, execute

__all__ = ["ForkServer", "Lab", "Outcome", "Settings", "Step", "execute", "plan"]
