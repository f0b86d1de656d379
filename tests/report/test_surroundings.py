"""Odd names of folders, from wherever a build is started: the same bytes."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import coins
import pytest

pytestmark = pytest.mark.slow

ODD = "-ü #%~&\"'^\nx"


def build(cwd: Path, *arguments: str) -> str:
    """Build, and return what that prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(coins.ROOT / "build_report.py"), *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said.decode(errors="replace")
    return said.decode()


def made(folder: Path) -> dict[str, str]:
    names = ("report.pdf", "results/coin/result.json", "submission/code.zip")
    return {name: hashlib.sha256((folder / "build" / name).read_bytes()).hexdigest() for name in names}


def test_an_odd_name_a_link_and_another_folder_change_no_byte(tmp_path):
    usual = coins.write_project(tmp_path / "coins")
    usual.run()
    user = coins.write_project(tmp_path / ODD)
    (tmp_path / "link").symlink_to(user.folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    build(elsewhere, "--project", "../link")
    assert made(user.folder) == made(usual.folder)
    assert list(elsewhere.iterdir()) == []
    # the current folder itself is the odd one
    user.edit("report.toml", "Tossing coins", "Tossing  coins")
    assert "build/report.pdf" in build(user.folder)
