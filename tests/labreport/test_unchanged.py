"""A look never says that there is nothing to do when there is something."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from labreport import unchanged

OLD = 0.06  # seconds after which a file is no longer too young for a record


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project of another program, which looks at its files in each way that there is."""
    root = tmp_path / "project"
    for name in ("a.txt", "package/m.py", "build/.lock", "build/cache/other", "build/out.pdf"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{name}\n")
    (root / "report.toml").write_text("")
    (root / "one").mkdir()
    (root / "one" / "in").write_text("1")
    (root / "two").mkdir()
    (root / "two" / "in").write_text("2")
    (root / "link").symlink_to("one")
    (root / "file-link").symlink_to("a.txt")
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["program"])
    monkeypatch.setattr(unchanged._Notes, "note_start", lambda notes: None)  # pytest has a thousand modules
    yield root
    unchanged._give_up()


def verdict(root: Path) -> list[object]:
    """Return all that the program's verdict depends on, from the functions that programs ask with."""
    return [
        (root / "a.txt").read_bytes(),
        (root / "build" / "out.pdf").is_file() and (root / "build" / "out.pdf").read_bytes(),
        (root / "missing.toml").exists(),
        os.path.isdir(root / "src"),
        sorted(path.name for path in (root / "package").iterdir()),
        {entry.name: entry.is_dir() for entry in os.scandir(root)},
        [path.read_text() for path in sorted((root / "link").glob("*"))],
        (root / "file-link").is_symlink() and (root / "file-link").read_text(),
        os.stat(root / "report.toml").st_mode,
        os.access(root / "package" / "m.py", os.X_OK),
        os.environ.get("OF_AN_EXPERIMENT"),
    ]


def look(root: Path) -> bool:
    """Look; build if there is something to do, which here is never more than to keep a record."""
    if unchanged.look():
        return True
    verdict(root)
    found = unchanged.record(f"{root}/build", [("as ever (\1)", False), ("notice: n", True)])
    if found is not None:
        Path(found[0]).write_bytes(found[1])
    return False


def settle(root: Path) -> None:
    """Build until there is a record, so that what is changed afterwards is changed later."""
    time.sleep(OLD)
    assert not look(root)
    assert look(root)


def set_back(path: Path, change) -> None:
    """Make a change to a file, and set its times back to what they were."""
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    change(path)
    os.utime(path, ns=times)


def in_its_place(path: Path) -> None:
    """Replace a file by another one of the same size and time."""
    other = path.with_name(f"{path.name}-new")
    other.write_text("b.txt\n")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def retarget(root: Path, link: str, target: str) -> None:
    (root / link).unlink()
    (root / link).symlink_to(target)


CHANGES = {
    "edited": lambda root: (root / "a.txt").write_text("b.txt\n"),
    "edited, with its time set back": lambda root: set_back(
        root / "a.txt", lambda path: path.write_text("b.txt\n")
    ),
    "replaced, with the same time": lambda root: in_its_place(root / "a.txt"),
    "file added to a folder": lambda root: (root / "package" / "n.py").touch(),
    "file added, with the folder's time set back": lambda root: set_back(
        root / "package", lambda path: (path / "n.py").touch()
    ),
    "file made that was missing": lambda root: (root / "missing.toml").touch(),
    "folder made that was missing": lambda root: (root / "src").mkdir(),
    "output deleted": lambda root: (root / "build" / "out.pdf").unlink(),
    "output edited": lambda root: set_back(
        root / "build" / "out.pdf", lambda path: path.write_text("build/out.PDF\n")
    ),
    "link to a folder retargeted": lambda root: retarget(root, "link", "two"),
    "link to a file retargeted": lambda root: retarget(root, "file-link", "build/out.pdf"),
    "link replaced by its file": lambda root: (
        (root / "file-link").unlink(),
        (root / "file-link").hardlink_to(root / "a.txt"),
    ),
    "what a link leads to is edited": lambda root: (root / "one" / "in").write_text("3"),
    "folder renamed": lambda root: (root / "package").rename(root / "package2"),
    "folder exchanged": lambda root: (
        (root / "one").rename(root / "three"),
        (root / "two").rename(root / "one"),
    ),
    "rights changed": lambda root: set_back(root / "package" / "m.py", lambda path: path.chmod(0o755)),
    "file becomes a folder": lambda root: ((root / "a.txt").unlink(), (root / "a.txt").mkdir()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_the_verdict_is_seen(folder, change):
    settle(folder)
    before = verdict(folder)
    change(folder)
    with contextlib.suppress(OSError):
        assert verdict(folder) != before
    assert not unchanged.look()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_meanwhile_leaves_no_record_that_is_believed(folder, change, monkeypatch):
    time.sleep(OLD)
    of_record = unchanged.record

    def late(*given):
        change(folder)  # after the program has looked, and before the record is written
        return of_record(*given)

    monkeypatch.setattr(unchanged, "record", late)
    assert not look(folder)
    monkeypatch.setattr(unchanged, "record", of_record)
    assert not unchanged.look()


def test_the_same_lines_are_printed_with_the_time_of_this_look(folder, capsys):
    settle(folder)
    capsys.readouterr()
    assert look(folder)
    out, err = capsys.readouterr()
    assert out.startswith("as ever (0.")
    assert out.endswith(" s)\n")
    assert err == "notice: n\n"


def test_where_nobody_reads_what_it_prints_it_ends_in_silence(folder, monkeypatch):
    settle(folder)
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, "w") as closed:  # as by `| head -1`
        monkeypatch.setattr(sys, "stdout", closed)
        with pytest.raises(SystemExit) as ended:
            look(folder)
    assert ended.value.code == 1  # what click makes of it


def test_what_was_made_a_moment_ago_leaves_no_record(folder):
    (folder / "a.txt").write_text("new")
    assert not look(folder)
    assert not (folder / "build" / "cache" / "unchanged").exists()


def test_of_a_clock_of_whole_seconds_a_file_must_be_older():
    then = 10**18
    whole = SimpleNamespace(
        st_mode=0o100644, st_dev=1, st_ino=1, st_size=1, st_mtime_ns=then, st_ctime_ns=then
    )
    assert unchanged._facts(whole, listed=False)[1] >= then + 2 * 10**9


def test_a_change_outside_of_what_was_looked_at_does_not_count(folder):
    settle(folder)
    (folder / "build" / "cache" / "other").write_text("2")
    (folder / "one" / "in").touch()  # but its time is looked at
    assert not look(folder)
    (folder / "build" / "cache" / "more").touch()
    time.sleep(OLD)
    assert not look(folder)
    assert look(folder)


@pytest.mark.parametrize(
    "other",
    [
        lambda patch: patch.setenv("OF_AN_EXPERIMENT", "1"),
        lambda patch: patch.setattr(sys, "argv", ["program", "--jobs", "2"]),
        lambda patch: patch.setattr(sys, "argv", ["program", "--quick"]),
        lambda patch: patch.setattr(sys, "argv", ["program", "--rehash"]),
        lambda patch: patch.setattr(sys, "argv", ["program", "plan"]),
        lambda patch: patch.setattr(sys, "orig_argv", ["other", "program"]),
        lambda patch: patch.setattr(sys, "version", "3.99"),
        lambda patch: patch.setattr(sys, "path", [*sys.path, "/nowhere"]),
        lambda patch: patch.chdir("package"),
        lambda patch: Path("package/report.toml").touch() or patch.chdir("package"),
    ],
)
def test_another_start_is_another_build(folder, monkeypatch, other):
    settle(folder)
    other(monkeypatch)
    assert not unchanged.look()


def test_a_project_is_found_from_a_folder_in_it_by_its_name_or_beside_the_program(folder, monkeypatch):
    settle(folder)
    monkeypatch.chdir("package")
    assert not look(folder)
    assert look(folder)
    monkeypatch.chdir("/")
    assert not unchanged.look()
    monkeypatch.setattr(sys, "argv", ["program", "--project", str(folder / "link" / "..")])
    assert not look(folder)
    assert look(folder)
    monkeypatch.setattr(sys, "argv", ["program", "all"])
    assert not unchanged.look(str(folder))
    verdict(folder)
    path, data = unchanged.record(f"{folder}/build", [])
    Path(path).write_bytes(data)
    assert unchanged.look(str(folder))


def test_a_record_of_another_build_folder_is_not_made(folder):
    time.sleep(OLD)
    assert not unchanged.look()
    assert unchanged.record(f"{folder}/build/quick", []) is None


def test_a_damaged_record_is_none(folder):
    settle(folder)
    path = folder / "build" / "cache" / "unchanged"
    data = path.read_bytes()
    assert len(data) > 1000
    for position in (*range(0, len(data), 211), *range(0, 70, 5), len(data) - 1):
        for bit in (0, 3, 7):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)
            assert unchanged._lines(f"{folder}/build", unchanged._started()) is None
    for cut in (b"", data[:70], data[:-1], data + b"\0", data * 2):
        path.write_bytes(cut)
        assert unchanged._lines(f"{folder}/build", unchanged._started()) is None


def test_nothing_is_said_while_a_build_is_under_way(folder):
    settle(folder)
    code = "import fcntl; f = open('build/.lock'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as build:
        build.stdout.readline()
        assert not unchanged.look()
        unchanged._give_up()
        build.communicate(b"\n")
    assert unchanged.look()


@pytest.mark.parametrize(
    "unseen",
    [
        lambda: subprocess.run(["true"], check=True),
        lambda: os.stat("a.txt", dir_fd=os.open(".", os.O_RDONLY)),
        lambda: os.close(os.open("a.txt", os.O_RDONLY, dir_fd=os.open(".", os.O_RDONLY))),
        lambda: os.listdir(os.open(".", os.O_RDONLY | os.O_DIRECTORY)),
    ],
)
def test_what_is_not_seen_leaves_no_record(folder, unseen):
    time.sleep(OLD)
    assert not unchanged.look()
    unseen()
    assert unchanged.record(f"{folder}/build", []) is None


def test_the_functions_of_os_are_put_back(folder):
    before = os.stat, os.lstat, os.access, os.readlink, set(os.supports_dir_fd), set(os.supports_fd)
    unchanged.look()
    assert os.stat is not before[0]
    assert os.stat in os.supports_dir_fd
    assert os.stat("a.txt", follow_symlinks=True).st_size == 6
    unchanged.record(f"{folder}/build", [])
    after = os.stat, os.lstat, os.access, os.readlink, set(os.supports_dir_fd), set(os.supports_fd)
    assert after == before


def test_a_shell_that_asks_what_could_follow_is_not_told_that_there_is_nothing_to_do(folder, monkeypatch):
    monkeypatch.setattr(unchanged, "_lines", lambda *_: ["1nothing to do"])
    assert unchanged.look()
    monkeypatch.setenv("_LABREPORT_COMPLETE", "bash_complete")
    assert not unchanged.look()
