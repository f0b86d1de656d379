"""labreport as users get it: its wheel, and an environment in which nothing of this checkout is seen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from coins import ROOT

OFFLINE = ("--quiet", "--no-deps", "--no-index")


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a user's process, and more."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **more}


def pip(*words: object) -> None:
    """Run pip."""
    command = [sys.executable, "-m", "pip", *map(str, words)]
    subprocess.run(command, check=True, env=environment(), timeout=120)


def built(folder: Path) -> Path:
    """Build the wheel offline from a copy: setuptools writes into the folder that it builds from."""
    copy = folder / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "build").mkdir()
    pip("wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", folder, copy)
    (found,) = folder.glob("*.whl")
    return found
