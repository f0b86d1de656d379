"""A build with nothing to do: the look at its record and the whole evaluation find the same."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from coins import ROOT, User, write_project

from labreport import build, scratch
from labreport import project as projects

pytestmark = pytest.mark.slow

OLD = 0.06  # seconds after which a file is no longer too young for a record

RUN = """\
def run(params, lab):
    import os

    import tossed

    return {"share": tossed.share(open("data/shares.txt").read()), "files": len(os.listdir("data")),
            "unit": os.environ.get("COIN", "share"), "tool": tossed.tool()}
"""
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\begin{document}
\BLOCK{answer "1"}The \VAR{coin.values.unit} is \VAR{coin.values.share|num}.\BLOCK{endanswer}
\input{more}
\end{document}
"""


def write(folder: Path) -> User:
    """Return the user of a project that depends on one thing of each kind."""
    user = write_project(folder)
    user.path("experiments/coin.py").write_text(
        '"""Fair?"""\n\nfrom dataclasses import dataclass\n\n\n'
        f"@dataclass(frozen=True)\nclass Params:\n    seed: int = 1\n\n\n{RUN}"
    )
    user.path("report_templates/report.tex.j2").write_text(TEMPLATE)
    files = {
        "src/tossed.py": "import subprocess\n\n\ndef share(text):\n    return float(text)\n\n\n"
        'def tool():\n    return subprocess.run(["./tool"], capture_output=True, text=True).stdout\n',
        "data/shares.txt": "0.25\n",
        "data/other.txt": "0.75\n",
        "texts/more.tex": "And so on.\n",
        "tool": "#!/bin/sh\necho one\n",
    }
    for name, text in files.items():
        user.path(name).parent.mkdir(exist_ok=True)
        user.path(name).write_text(text)
    user.path("tool").chmod(0o755)
    user.path("report_templates/more.tex").symlink_to("../texts/more.tex")
    user.path("report.toml").write_text(
        user.path("report.toml").read_text() + '\n[submission]\nexclude = ["report_templates/more.tex"]\n'
    )
    return user


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    user = write(folder / "coins")
    user.run()
    return user


def start(user: User, *arguments: str, strace: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*strace, sys.executable, str(ROOT / "build_report.py"), *arguments]
    return subprocess.run(command, cwd=user.folder, capture_output=True, text=True, check=True, timeout=120)


def looks(user: User) -> bool:
    """Return whether a look is enough; do nothing if it is not."""
    code = (
        "import os, runpy, sys\nfrom types import ModuleType\n"
        "cli = sys.modules['labreport.cli'] = ModuleType('labreport.cli')\n"
        "cli.main = lambda otherwise: sys.exit(9)\n"
        "sys.argv = sys.argv[1:]\nsys.orig_argv = [sys.executable, *sys.argv]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", code, str(ROOT / "build_report.py")]
    done = subprocess.run(command, cwd=user.folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, 9), done.stderr
    return done.returncode == 0


def settle(user: User) -> None:
    """Build until there is nothing to do, and a look tells it."""
    for _ in range(5):
        time.sleep(OLD)
        if looks(user):
            return
        start(user)
    pytest.fail("no look has been enough")


def is_stale(user: User) -> bool:
    plan = build.plan(projects.load(user.folder))
    steps = any(step.state != "fresh" for step in plan.experiments)
    made = (*plan.reports.values(), *plan.notebooks.values(), *plan.pages.values())
    return bool(steps or any(made) or plan.handin)


def set_back(path: Path, text: str) -> None:
    """Write a text of the same length, and set the time back to what it was."""
    found = path.stat()
    assert len(text) == found.st_size
    path.write_text(text)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def replaced(path: Path, text: str) -> None:
    """Move another file of the same time to the place of one."""
    other = path.with_name("other")
    other.write_text(text)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def retarget(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


CHANGES = {  # and whether the evaluation finds that there is something to do
    "nothing": (lambda user: None, False),
    "input edited": (lambda user: user.path("data/shares.txt").write_text("0.75\n"), True),
    "input edited, time set back": (lambda user: set_back(user.path("data/shares.txt"), "0.75\n"), True),
    "input replaced": (lambda user: replaced(user.path("data/shares.txt"), "0.75\n"), True),
    "file touched": (lambda user: user.path("data/shares.txt").touch(), False),
    "file added to a listed folder": (lambda user: user.path("data/more.txt").touch(), True),
    "program edited": (lambda user: set_back(user.path("tool"), "#!/bin/sh\necho two\n"), True),
    "module edited": (lambda user: user.edit("src/tossed.py", "float(text)", "2 * float(text)"), True),
    "comment added": (
        lambda user: user.edit("src/tossed.py", "import subprocess", "import subprocess  # x"),
        True,
    ),
    "module added": (lambda user: user.path("src/subprocess.py").write_text("def run(*a, **k): ..."), True),
    "template edited": (lambda user: user.edit("report_templates/report.tex.j2", "The ", "This "), True),
    "template added": (lambda user: user.path("report_templates/b.tex").touch(), True),
    "link retargeted": (
        lambda user: retarget(user.path("report_templates/more.tex"), "../data/other.txt"),
        True,
    ),
    "text of a link edited": (lambda user: user.edit("texts/more.tex", "so on", "so forth"), True),
    "settings edited": (lambda user: user.edit("report.toml", "Tossing", "Throwing"), True),
    "paragraphs accepted": (lambda user: user.path("accepted.toml").write_text(""), True),
    "report deleted": (lambda user: user.path("build/report.pdf").unlink(), True),
    "report edited": (lambda user: flip(user.path("build/report.pdf")), True),
    "result edited": (lambda user: flip(user.path("build/results/coin/result.json")), True),
    "record of the report edited": (lambda user: flip(user.path("build/state.json")), True),
    "hand-in edited": (lambda user: flip(user.path("build/submission/report.pdf")), True),
    "page edited": (lambda user: flip(user.path("build/report.html")), True),
    "page deleted": (lambda user: user.path("build/report.html").unlink(), True),
    "hand-in renamed": (lambda user: user.path("build/submission").rename(user.path("build/s")), True),
    "readme added": (lambda user: user.path("README.md").write_text("Read."), True),
    "record damaged": (lambda user: flip(user.path("build/cache/unchanged")), False),
}


def test_a_look_and_the_evaluation_agree_after_each_change(built, tmp_path):
    settle(built)
    good = tmp_path / "good"
    shutil.copytree(built.folder, good, symlinks=True)
    wrong = []
    for name, (change, matters) in CHANGES.items():
        settle(built)
        change(built)
        enough = looks(built)
        if (is_stale(built), enough) != (matters, name == "nothing"):
            wrong.append(name)
        shutil.rmtree(built.folder)
        shutil.copytree(good, built.folder, symlinks=True)
    assert wrong == []


def test_an_environment_or_a_package_that_changed_is_seen(built, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # a folder of packages
    settle(built)
    (tmp_path / "installed-1.0.dist-info").mkdir()
    assert not looks(built)
    settle(built)
    monkeypatch.setenv("COIN", "odds")
    assert not looks(built)
    assert is_stale(built)


def test_a_second_build_looks_at_nothing_that_its_record_lacks(built, tmp_path):
    """What the system was asked, as strace tells, against what was noted."""
    settle(built)
    built.path("build/cache/unchanged").unlink()
    log = tmp_path / "log"
    start(built, strace=("strace", "-f", "-e", "trace=%file", "-o", str(log)))
    noted = built.path("build/cache/unchanged").read_bytes().decode().split("\0")
    files, folders = {path.rstrip("/") for path in noted}, {p.rstrip("/") for p in noted if p.endswith("/")}
    lines = log.read_text(errors="replace").splitlines()
    first = next(n for n, line in enumerate(lines) if 'cache/unchanged"' in line)
    last = max(n for n, line in enumerate(lines) if "cache/.tmp-" in line and "O_CREAT" in line)
    asked = [
        re.search(r'\s\w+\(.*?"((?:[^"\\]|\\.)*)".*= (-1 ENOENT)?', line) for line in lines[first + 1 : last]
    ]
    paths = {str(built.folder / found[1]): bool(found[2]) for found in asked if found}
    assert len(paths) > 500
    own = {str(built.path(f"build/{name}")) for name in (".lock", "cache", "cache/unchanged")}
    # what killed builds have left among the system's temporary files is removed, which decides nothing
    temporary = scratch.places()
    for path, is_missing in paths.items():
        if {Path(path), Path(path).parent} & {*temporary} or scratch.PREFIX in path:
            continue
        # a file that appears in a folder changes its listing; libraries of the system are its loader's
        seen = path in files | own or (is_missing and str(Path(path).parent) in folders)
        assert seen or re.search(r"\.so(\.|$)|openssl.cnf|^/$", path), path


def test_a_look_imports_next_to_nothing(built):
    command = [sys.executable, "-X", "importtime"]
    bare = imported(subprocess.run([*command, "-c", "pass"], capture_output=True, text=True, check=True))
    settle(built)
    script = [*command, str(ROOT / "build_report.py")]
    for _ in range(3):
        time.sleep(OLD)
        done = subprocess.run(script, cwd=built.folder, capture_output=True, text=True, check=True)
    assert "report.pdf is up to date" in done.stdout
    more = {
        "__future__",
        "labreport",
        "labreport.__main__",
        "labreport.unchanged",
        "fcntl",
        "hashlib",
        "_hashlib",
        "_blake2",
    }
    assert imported(done) - bare <= more


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the modules that a process with `-X importtime` has imported."""
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import")}
