"""What a run was seen to read, as it is now."""

import os
import stat
import time

import pytest

from labreport.results import files, observed

SHA_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda path: path.write_bytes(b"abc"), SHA_OF_ABC),
        (lambda path: None, observed.ABSENT),
        (lambda path: path.mkdir(), observed.OTHER),
        (os.mkfifo, observed.OTHER),
        (lambda path: path.symlink_to(path), "unreadable: Too many levels of symbolic links"),
    ],
)
def test_a_file_has_the_digest_of_its_bytes_and_anything_else_a_word(tmp_path, make, value):
    make(tmp_path / "x")
    assert observed.file(tmp_path / "x") == value


def test_a_file_that_changed_just_now_has_no_token(tmp_path):
    (tmp_path / "x").write_text("1")
    assert files.token((tmp_path / "x").stat()) == ""


def test_the_token_of_a_file_is_another_one_after_each_change(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_text("1")
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 60_000_000_000)
    before = files.token(path.stat())
    assert before
    found = path.stat()
    time.sleep(0.02)  # more than a tick of the file system's clock
    path.write_text("2")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (found.st_size, found.st_mtime_ns)
    assert files.token(path.stat()) not in ("", before)
    assert not observed.is_token(path, before)


def test_a_large_file_is_digested_once(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"1" * 2_000_000)
    monkeypatch.setattr(time, "time_ns", lambda: path.stat().st_ctime_ns + 60_000_000_000)
    kept, made = {}, []

    def remember(key, make):
        if key not in kept:
            made.append(key)
            kept[key] = make()
        return kept[key]

    first = observed.file(path, remember)
    assert observed.file(path, remember) == first == observed.file(path)
    assert len(made) == 1
    path.write_bytes(b"2" * 2_000_000)
    assert observed.file(path, remember) not in ("", first)


def test_a_folder_has_the_digest_of_its_names_but_for_hidden_and_compiled_ones(tmp_path):
    (tmp_path / "a.csv").write_text("1")
    before = observed.folder(tmp_path)
    for name in (".hidden", "__pycache__"):
        (tmp_path / name).mkdir()
    (tmp_path / "a.csv").write_text("2")
    assert observed.folder(tmp_path) == before
    (tmp_path / "b").write_text("")
    as_file = observed.folder(tmp_path)
    assert as_file != before
    (tmp_path / "b").unlink()
    (tmp_path / "b").mkdir()
    assert observed.folder(tmp_path) not in (before, as_file)
    assert observed.folder(tmp_path / "c") == observed.ABSENT


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("MODE", "fast", '"fast"'),
        ("MODE", "", '""'),
        ("MODE", None, "unset"),
        ("MODE", "unset", '"unset"'),
        ("MODE", "/home/someone", "digest "),
        ("MODE", "a" * 17, "digest "),
        ("API_KEY", "abc", "hidden "),
        ("USER", "someone", "hidden "),
        ("DB_PASS", "abc", "hidden "),
        ("MODE", "\udcff", "digest "),
    ],
)
def test_a_variable_is_shown_if_its_value_is_short_and_tells_nothing_of_its_user(name, value, shown):
    found = observed.variable(name, {} if value is None else {name: value})
    assert found == shown or (shown.endswith(" ") and found.startswith(shown))
    assert observed.variable(name, {name: "another"}) != found


def test_a_program_counts_by_the_file_that_path_leads_to(tmp_path, monkeypatch):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tool").write_text(folder)
        (tmp_path / folder / "tool").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path / "one"))
    assert observed.program("tool") == observed.file(tmp_path / "one" / "tool")
    monkeypatch.setenv("PATH", str(tmp_path / "two"))
    assert observed.program("tool") == observed.file(tmp_path / "two" / "tool")
    assert observed.program("nowhere-to-be-found") == observed.ABSENT


@pytest.mark.parametrize("name", ["data/x.csv", "data/\udcffé.csv", "a b.csv"])
def test_a_name_in_a_record_leads_back_to_its_path(name):
    assert observed.read_back(observed.written(name)) == name
    observed.written(name).encode("utf-8")  # as records are written
