"""Tools that make the same small report, each project written as the tool's documentation has it."""

from .ours import OURS
from .scripts import PEERS as SCRIPTS
from .scripts import PLAIN
from .tool import Tool, edit
from .woven import PEERS as WOVEN

TOOLS = (OURS, *SCRIPTS, *WOVEN)
__all__ = ["OURS", "PLAIN", "TOOLS", "Tool", "edit"]
