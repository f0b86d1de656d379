"""Wherever, whenever and by whomever a report is built: the same bytes of all that is made.

Each build differs from the plain one in several circumstances of one kind, which the name of its test tells.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from strangers import as_nobody, can_unshare, open_folder

from labreport import new

ROOT = Path(__file__).parents[2]
OF_THIS_BUILD = r"log/.*|cache/.*|cells/.*|state\.json|\.lock|\.slots|results/.*/(run|draw)\.json"
"""What tells when, where and how long a build took; nothing of it is published."""

pytestmark = pytest.mark.slow


@dataclass
class Start:
    """How a build is started: of which folder, from where, through which programs, in what environment."""

    folder: Path
    cwd: Path
    through: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    umask: int = 0o022
    jobs: int = 2
    named: Path | None = None


def run(start: Start) -> dict[str, str]:
    """Build, and return the sha256 of each file that was made."""
    masked = [*start.through, "sh", "-c", f'umask {start.umask:o}; exec "$@"', "sh"]
    command = [
        *masked, sys.executable, "-m", "labreport", "--project", str(start.named or start.folder),
        "--jobs", str(start.jobs),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=start.cwd, env={**start.environment, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    build = start.folder / "build"
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(build.rglob("*"))
        if path.is_file() and not re.fullmatch(OF_THIS_BUILD, name := path.relative_to(build).as_posix())
    }


# -------------------------------------------------------------------------------------------- circumstances


def elsewhere(start: Start) -> None:
    """A deep folder with odd names, named through a link, from the root of all folders."""
    odd = start.folder.parent / "-a  b" / "ü ß #1 %d ~ & 'x' \"y\" \\z" / "new\nline" / ("deep" * 50)
    odd.mkdir(parents=True)
    start.folder = start.folder.rename(odd / "the project")
    start.named = odd.parents[3] / "link"
    start.named.symlink_to(start.folder)
    start.cwd = Path("/")


def another_day(start: Start) -> None:
    """Six years later, with files from before the first and after the last date of a zip."""
    if not shutil.which("faketime"):
        pytest.skip("faketime is not installed")
    start.through = ["faketime", "-f", "@2031-02-03 04:05:06"]
    for n, path in enumerate(sorted(start.folder.rglob("*"))):
        os.utime(path, (n % 2 * 3_786_912_000, n % 2 * 3_786_912_000))


def another_user(start: Start) -> None:
    """Not root, without rights to what others have, and nothing below the home can be written."""
    start.through = as_nobody(start.folder)
    start.environment |= {"USER": "nobody", "LOGNAME": "nobody", "HOME": "/nonexistent"}
    start.umask = 0o077


def another_language(start: Start) -> None:
    """Neither a language that has more than ASCII, nor a home."""
    for name in [name for name in start.environment if name.startswith(("LC_", "LANG", "HOME", "XDG_"))]:
        del start.environment[name]
    start.environment |= {
        "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
        "LANGUAGE": "de:nl", "TZ": "Pacific/Chatham", "SOURCE_DATE_EPOCH": "0",
    }  # fmt: skip


def another_machine(start: Start) -> None:
    """One core of another host, without a network."""
    start.through = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    if can_unshare():
        alone = 'hostname qzx7-lab; exec "$@"'
        start.through = ["unshare", "--uts", "--net", "sh", "-c", alone, "sh", *start.through]
    start.environment |= {"HOSTNAME": "qzx7-lab", "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "3"}
    start.jobs = 1


def settings_of_a_user(start: Start) -> None:
    """A home full of settings, and a folder for passing files with a space in its name."""
    home = start.folder.parent / "home"
    settings = {
        ".latexmkrc": "die 'of this user';",
        ".matplotlib/matplotlibrc": "lines.linewidth: 9",
        ".config/matplotlib/matplotlibrc": "lines.linewidth: 9",
        ".ipython/profile_default/startup/mine.py": "raise SystemExit('of this user')",
        ".jupyter/jupyter_config.py": "raise SystemExit('of this user')",
        ".gitconfig": "[core\n",
        "texmf/tex/latex/booktabs/booktabs.sty": "\\errmessage{of this user}",
    }
    for name, text in settings.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    passing = start.folder.parent / "passing ü"
    passing.mkdir()
    start.environment |= {
        "HOME": str(home), "TMPDIR": str(passing), "MPLBACKEND": "TkAgg", "PYTHONWARNINGS": "error",
        "TEXINPUTS": f"{home}//:", "COLUMNS": "40", "WANDB_MODE": "online",
    }  # fmt: skip


def shallow_clone_in_a_terminal(start: Start) -> None:
    """A clone with one commit, whose build talks to a terminal, with new files for all to read and write."""
    origin = start.folder.rename(start.folder.with_name("origin"))
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "1"]):
        subprocess.run([*git, *arguments], cwd=origin, check=True)
    command = ["git", "clone", "-q", "--depth", "1", origin.as_uri(), str(start.folder)]
    subprocess.run(command, check=True)
    start.through = [sys.executable, "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"]
    start.environment |= {"TERM": "xterm-256color", "FORCE_COLOR": "1"}
    start.umask = 0


CIRCUMSTANCES = [
    elsewhere, another_day, another_user, another_language, another_machine, settings_of_a_user,
    shallow_clone_in_a_terminal,
]  # fmt: skip


# ---------------------------------------------------------------------------------------------------- tests


@pytest.fixture(scope="module")
def folder():
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def begun(folder):
    """The sources of a project that shows one of each."""
    new.create(folder / "begun")
    return folder / "begun"


@pytest.fixture(scope="module")
def plain(folder, begun):
    """The sha256 of each file of a build as anybody starts it; it is noted to whom it talks."""
    there = shutil.copytree(begun, folder / "plain" / "p")
    start = Start(there, there)
    if shutil.which("strace"):
        talking = "trace=connect,bind,sendto,sendmsg,sendmmsg"
        start.through = ["strace", "-f", "--seccomp-bpf", "-e", talking, "-o", str(folder / "calls")]
    return run(start)


def test_all_kinds_of_files_are_compared(plain):
    kinds = {
        "report.pdf",
        "report.html",
        "submission/report.pdf",
        "submission/code.zip",
        "notebooks/decay.ipynb",
    }
    assert kinds <= plain.keys()
    assert {Path(name).suffix for name in plain if "/figures/" in name} == {".pdf", ".png", ".csv", ".json"}
    assert [name for name in plain if name.endswith("/result.json")]


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_a_build_talks_to_no_other_machine(folder, plain):
    calls = (folder / "calls").read_text()
    assert calls.count("sa_family=AF_UNIX") > 10  # a notebook's processes among each other
    # a kernel of Jupyter waits for a debugger, on this machine
    assert set(re.findall(r"sin6?_addr=(.*?)[,}]", calls)) <= {'inet_addr("127.0.0.1")'}
    assert "inet_pton(" not in calls  # addresses of IPv6


@pytest.mark.parametrize("circumstances", CIRCUMSTANCES, ids=lambda function: function.__name__)
def test_a_build_gives_the_same_bytes_under_other_circumstances(
    folder, begun, plain, circumstances: Callable[[Start], None]
):
    there = shutil.copytree(begun, folder / circumstances.__name__ / "p")
    start = Start(there, there)
    circumstances(start)
    made = run(start)
    assert [name for name in sorted(plain.keys() | made.keys()) if plain.get(name) != made.get(name)] == []


def test_line_ends_of_windows_change_no_page(folder, begun, plain):
    """The sources are handed in as they are, with these line ends."""
    there = shutil.copytree(begun, folder / "windows" / "p")
    for path in there.rglob("*"):
        if path.is_file() and path.suffix != ".csv":  # data count by their bytes
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    made = run(Start(there, there))
    assert made["report.pdf"] == plain["report.pdf"]
    assert [name for name, sha in plain.items() if name.startswith("results/") and made[name] != sha] == []
