"""An empty Python environment, into which only what a hand-in names is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from labreport.errors import LabreportError

MOST_SHOWN = 8


class VerifyError(LabreportError):
    """The unpacked code does not run, or does not build what is handed in."""

    exit_code = 8


def python(code: Path, folder: Path, say: Callable[[str], None]) -> Path:
    """Return the interpreter of a new environment in a folder, with the packages of the unpacked code.

    pip finds them as it does for this user: by the index, proxy and certificates of its own settings.

    Raises VerifyError if the environment cannot be made, or a package not be installed.
    """
    made = folder / "venv"
    interpreter = made / "bin" / "python"
    _run([sys.executable, "-m", "venv", str(made)], folder, say, "install Python's venv module")
    pip = [str(interpreter), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    cure = "see whether pip reaches its index; what only this machine has, nobody else can install"
    _run([*pip, "-r", "constraints.txt"], code, say, cure)
    return interpreter


def _run(command: Sequence[str], folder: Path, say: Callable[[str], None], cure: str) -> None:
    shown = " ".join(["python", *command[1:]]).replace(str(folder), ".")
    say(f"$ {shown}")
    # another interpreter's settings would let packages of this environment in
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if done.returncode:
        for line in lines:
            say(line)
        what = f"the packages of the hand-in cannot be installed: `{shown}` ends with {done.returncode}"
        told = [line for line in lines if line.startswith("ERROR:")] or lines
        raise VerifyError(what, notes=told[-MOST_SHOWN:], cure=cure)
