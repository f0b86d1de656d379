"""Builds of an author who edits are killed at any moment: the next one gives what a clean one gives.

LABREPORT_KILLS is the number of rounds (two unless told otherwise), LABREPORT_SEED the seed of the first.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import coins
import pytest

ROUNDS = int(os.environ.get("LABREPORT_KILLS", "2"))
SEED = int(os.environ.get("LABREPORT_SEED", "0"))
SOURCES = ("report.toml", "experiments", "report_templates")
MADE = ("report.pdf", "claims.json", "provenance.json", "latex", "results", "submission")
NEVER_EQUAL = {"run.json", "draw.json"}  # when and where something ran
BIBLIOGRAPHY = "report_templates/references.bib"
TEMPLATE = "report_templates/report.tex.j2"
EXPERIMENT = "experiments/coin.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk"),
    pytest.mark.timeout(600 + 120 * ROUNDS),
]


def write_project(folder: Path) -> coins.User:
    """Return a user with the coin project, a bibliography in it, and a slow toss."""
    user = coins.write_project(folder)
    user.edit(EXPERIMENT, "    # one toss at a time\n", "    time.sleep(0.05)\n")
    user.edit(EXPERIMENT, "import random\n", "import random\nimport time\n")
    user.edit(TEMPLATE, "See \\cref", "Words: none. As \\citet{one} says. See \\cref")
    end = "\\bibliographystyle{plainnat}\n\\bibliography{references}\n\\end{document}\n"
    user.edit(TEMPLATE, "\\end{document}\n", end)
    entries = (
        f"@book{{{key}, author = {{Writer {key}}}, title = {{Work}}, publisher = {{P}}, year = 2001}}\n"
        for key in ("one", "two")
    )
    user.path(BIBLIOGRAPHY).write_text("".join(entries), encoding="utf-8")
    return user


def replace(user: coins.User, name: str, expression: str, new: str) -> None:
    text, found = re.subn(expression, lambda _: new, user.path(name).read_text(encoding="utf-8"))
    assert found == 1
    user.path(name).write_text(text, encoding="utf-8")


WORDS = ("heads", "tails", "edges", "coins", "a very much longer sentence about tossed coins")
COLOURS = ("black", "red", "green", "blue")
EDITS: dict[str, Callable[[coins.User, random.Random], None]] = {
    "sentence": lambda user, by: replace(user, TEMPLATE, r"Words: [^.]*\.", f"Words: {by.choice(WORDS)}."),
    "citation": lambda user, by: replace(
        user, TEMPLATE, r"\\citet\{\w+\}", rf"\citet{{{by.choice(('one', 'two'))}}}"
    ),
    "bibliography": lambda user, by: replace(
        user, BIBLIOGRAPHY, r"Work[^}]*\}(?=.*\n@)", f"Work {by.choice(WORDS)}}}"
    ),
    "colour": lambda user, by: replace(
        user, EXPERIMENT, r'COLOUR = "\w+"', f'COLOUR = "{by.choice(COLOURS)}"'
    ),
    "constant": lambda user, by: replace(
        user, EXPERIMENT, r"tosses: int = \d+", f"tosses: int = {by.randrange(90, 110)}"
    ),
}


def kill_a_build(user: coins.User, after: float) -> bool:
    """Start a build, end all its processes after some seconds, and return whether it had not ended itself."""
    command = [sys.executable, str(coins.ROOT / "build_report.py"), "--project", str(user.folder)]
    process = subprocess.Popen(
        command, cwd=user.folder, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait() == -signal.SIGKILL
    return False


def made(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all that a build has made, by name."""
    build = folder / "build"
    paths = [path for name in MADE for path in (build / name, *(build / name).rglob("*"))]
    compared = [path for path in paths if path.is_file() and path.name not in NEVER_EQUAL]
    return {path.relative_to(build).as_posix(): path.read_bytes() for path in compared}


def processes_in(folder: Path) -> list[str]:
    """Return the command lines of processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has ended, or is another user's
            continue
    return found


@pytest.fixture(scope="module")
def author(tmp_path_factory) -> tuple[coins.User, float]:
    """Return a user whose report is built, and how long that took; each round goes on from the one before."""
    user = write_project(tmp_path_factory.mktemp("author") / "coins")
    start = time.monotonic()
    user.run()
    return user, time.monotonic() - start


def clean_build(user: coins.User, folder: Path) -> coins.User:
    """Return a copy of a user's project in another folder, built from nothing."""
    clean = coins.User(folder)
    folder.mkdir()
    for name in SOURCES:
        source = user.path(name)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, clean.path(name))
    clean.run()
    return clean


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_after_killed_builds_the_next_one_equals_a_clean_one(author, tmp_path, seed):
    author, longest = author
    by = random.Random(seed)
    kills = []
    for _ in range(by.randrange(1, 4)):
        kinds = by.sample(sorted(EDITS), by.randrange(1, 3))
        for kind in kinds:
            EDITS[kind](author, by)
        after = by.uniform(0, by.choice((0.1, 0.5, 0.8)) * longest)
        kills.append((kinds, round(after, 3), kill_a_build(author, after)))
    print(f"\nseed {seed}: edits, seconds until the kill, whether the build was still running: {kills}")
    author.run()
    mine, theirs = made(author.folder), made(clean_build(author, tmp_path / "coins").folder)
    assert mine.keys() == theirs.keys()
    assert [name for name in theirs if mine[name] != theirs[name]] == []
    assert "nothing" in author.run("clean", "--dry-run").stdout
    end = time.monotonic() + 20
    while (left := processes_in(author.folder)) and time.monotonic() < end:
        time.sleep(0.1)
    assert left == []


def test_a_build_that_runs_nothing_takes_away_what_a_kill_left(author):
    author, _ = author
    left = author.path("build/results/coin/.tmp-left")
    left.mkdir()
    author.run()
    assert not left.exists()
