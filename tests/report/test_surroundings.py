"""Odd surroundings: whatever the language, the home and the names of folders, the same bytes, or a cure."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import coins
import pytest

pytestmark = pytest.mark.slow

ODD = "-ü #%~&\"'^\nx"


def build(cwd: Path, *arguments: str, main: Path | None = None, **changes: str | None) -> str:
    """Build with changed variables, of which None are taken away, and return what that prints."""
    environment = {**os.environ, **changes}
    environment = {name: value for name, value in environment.items() if value is not None}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, str(main or coins.ROOT / "build_report.py"), *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said.decode(errors="replace")
    return said.decode()


def made(folder: Path) -> dict[str, str]:
    names = ("report.pdf", "results/coin/result.json", "submission/code.zip")
    return {name: hashlib.sha256((folder / "build" / name).read_bytes()).hexdigest() for name in names}


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """What comes out in the usual surroundings."""
    user = coins.write_project(tmp_path_factory.mktemp("usual") / "coins")
    user.run()
    return made(user.folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LANG": None},
        {"HOME": None, "XDG_CACHE_HOME": None},
        {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None},
    ],
    ids=["C", "C without coercion", "no home", "a home that cannot be written"],
)
def test_language_and_home_change_no_byte(usual, tmp_path, changes):
    user = coins.write_project(tmp_path / "coins")
    build(user.folder, **changes)
    assert made(user.folder) == usual


def test_an_odd_name_a_link_and_another_folder_change_no_byte(usual, tmp_path):
    user = coins.write_project(tmp_path / ODD)
    (tmp_path / "link").symlink_to(user.folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    build(elsewhere, "--project", "../link")
    assert made(user.folder) == usual
    assert list(elsewhere.iterdir()) == []
    # the current folder itself is the odd one
    user.edit("report.toml", "Tossing coins", "Tossing  coins")
    assert "build/report.pdf" in build(user.folder)
