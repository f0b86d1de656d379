"""Files are at any time the old ones or the new ones."""

import os
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from labreport.results import files, freshness

SRC = Path(__file__).parents[3] / "src"


def test_a_file_is_written_with_its_folders_and_the_rights_of_the_umask(tmp_path):
    old = os.umask(0o077)
    try:
        files.write(tmp_path / "a" / "b" / "c.json", b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "a/b/c.json").read_bytes() == b"x"
    assert (tmp_path / "a/b/c.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("operation", ["fsync", "replace", "fchmod"])
def test_an_error_at_any_step_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch, operation):
    path = tmp_path / "x"
    files.write(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, operation, fail)
    with pytest.raises(OSError, match="No space"):
        files.write(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert path.read_bytes() == b"old"


def test_a_kill_while_writing_leaves_the_old_or_the_new_file(tmp_path):
    code = (
        "import sys; from pathlib import Path; from labreport.results import files\n"
        "i = 0\n"
        "while True:\n"
        "    i += 1\n"
        "    files.write(Path(sys.argv[1]) / 'x', b'%d' % (i % 10) * 300_000)\n"
    )
    for n in range(6):
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env={"PYTHONPATH": str(SRC)})
        while not (tmp_path / "x").exists():
            time.sleep(0.01)
        time.sleep(0.011 * n)
        process.send_signal(signal.SIGKILL)
        process.wait()
        data = (tmp_path / "x").read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1
    files.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for text in ("one", "two"):
        staged = files.stage(tmp_path)
        (staged / text).write_text(text)
        files.replace_folder(tmp_path / "figures", staged)
        assert [path.name for path in tmp_path.iterdir()] == ["figures"]
        assert [path.name for path in (tmp_path / "figures").iterdir()] == [text]
    mask = files._umask()
    assert (tmp_path / "figures").stat().st_mode & 0o777 == 0o777 & ~mask


def test_a_folder_is_there_at_each_moment_of_its_replacement(tmp_path, monkeypatch):
    seen = []

    def watched(name, real):
        def call(*args, **kwargs):
            seen.append((name, [path.name for path in (tmp_path / "figures").iterdir()]))
            return real(*args, **kwargs)

        return call

    for text in ("old", "new"):
        staged = files.stage(tmp_path)
        (staged / text).write_text(text)
        if text == "new":
            monkeypatch.setattr(files, "sync", watched("sync", files.sync))
            monkeypatch.setattr(shutil, "rmtree", watched("rmtree", shutil.rmtree))
            monkeypatch.setattr(Path, "rename", None)  # two of them cannot be one step
        files.replace_folder(tmp_path / "figures", staged)
    assert seen == [("sync", ["old"]), ("sync", ["new"]), ("rmtree", ["new"])]


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_replaced_folder_survives_an_end_at_any_rename(tmp_path, monkeypatch, step):
    monkeypatch.setattr(files, "_exchange", lambda *_: False)  # as on file systems that cannot

    def stage(text):
        staged = files.stage(tmp_path)
        (staged / text).write_text(text)
        return staged

    files.replace_folder(tmp_path / "figures", stage("old"))
    real, count = Path.rename, []

    def rename(self, target):
        count.append(1)
        if len(count) == step:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    if step < 3:
        with pytest.raises(KeyboardInterrupt):
            files.replace_folder(tmp_path / "figures", stage("new"))
    else:
        files.replace_folder(tmp_path / "figures", stage("new"))
    monkeypatch.setattr(Path, "rename", real)
    files.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["new" if step == 3 else "old"]


def test_sweeping_follows_no_link_out_of_the_folder(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / ".tmp-link").symlink_to(outside)
    files.sweep(inside)
    assert list(inside.iterdir()) == []
    assert (outside / "precious").exists()


def test_what_is_discarded_is_gone_at_once_and_what_a_kill_leaves_of_it_is_swept(tmp_path, monkeypatch):
    files.write(tmp_path / "folder" / "deep" / "file", b"x")
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *_, **__: None)
        files.discard(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    assert len(list(tmp_path.rglob("file"))) == 1
    files.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
    files.write(tmp_path / "folder" / "file", b"x")
    files.discard(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_making_the_system_write_leaves_no_file_open(tmp_path):
    def lowest_free_handle():
        handle = os.open(os.devnull, os.O_RDONLY)
        os.close(handle)
        return handle

    files.write(tmp_path / "x", b"x")
    before = lowest_free_handle()
    files.sync(tmp_path / "x")
    files.sync(tmp_path)
    assert lowest_free_handle() == before


def test_a_folder_is_staged_where_nothing_was_before(tmp_path):
    assert files.stage(tmp_path / "build" / "results").parent == tmp_path / "build" / "results"


def test_what_cannot_be_removed_is_left_for_a_later_sweep(tmp_path, monkeypatch):
    files.write(tmp_path / "folder" / "file", b"x")

    def fail(*_, **__):
        raise PermissionError

    with monkeypatch.context() as stubborn:
        stubborn.setattr(os, "unlink", fail)
        files.discard(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    files.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_digest_is_taken_again_once_the_file_may_have_changed(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"1")
    reads = []
    monkeypatch.setattr(files, "checksum", lambda data: reads.append(data) or sha256(data).hexdigest())
    assert files.digest(path) == files.digest(path) == sha256(b"1").hexdigest()
    assert len(reads) == 2  # it may change again within the same tick of the clock
    later = path.stat().st_ctime_ns + 60_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert files.digest(path) == files.digest(path)
    assert len(reads) == 3
    time.sleep(0.02)
    path.write_bytes(b"2")
    os.utime(path, ns=(0, 0))
    assert files.digest(path) == sha256(b"2").hexdigest()


def test_what_is_no_file_has_no_digest(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(IsADirectoryError):
            files.digest(path)
    assert freshness.digest(tmp_path / "pipe") == freshness.digest(tmp_path / "missing") == ""
