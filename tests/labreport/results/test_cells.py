"""Cells are kept whole, found only where they are right, and no more of them than the limit."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from labreport.project import ENGINE
from labreport.results import Fingerprint, of_kind
from labreport.results.cells import Cells

SEEN = of_kind("parameter", {"lr": "0.1"})


@pytest.fixture
def cells(tmp_path):
    with Cells(tmp_path / "cells" / "exp.db") as opened:
        yield opened


def always(seen):
    return True


def test_nothing_is_found_and_nothing_written_before_the_first_cell(cells):
    assert cells.find("a", always) is None
    cells.prune(0)
    assert not cells.path.parent.exists()


def test_a_cell_is_found_under_its_key_with_what_was_seen(cells):
    cells.keep("a", SEEN, b"one")
    assert cells.find("a", always) == (b"one", SEEN)
    assert cells.find("b", always) is None


def test_of_several_cells_of_a_key_the_one_is_found_whose_inputs_are_as_they_were(cells):
    other = of_kind("parameter", {"lr": "0.2"})
    cells.keep("a", SEEN, b"one")
    cells.keep("a", other, b"two")
    assert cells.find("a", lambda seen: seen == other) == (b"two", other)
    assert cells.find("a", lambda seen: seen == SEEN) == (b"one", SEEN)
    assert cells.find("a", lambda seen: False) is None


def test_a_cell_that_is_kept_again_takes_the_place_of_the_old_one(cells):
    cells.keep("a", SEEN, b"one")
    cells.keep("a", SEEN, b"two")
    assert cells.find("a", always) == (b"two", SEEN)


def test_cells_outlive_the_process_that_kept_them(cells):
    cells.keep("a", Fingerprint(), b"one")
    with Cells(cells.path) as again:
        assert again.find("a", always) == (b"one", Fingerprint())


def test_a_changed_value_is_forgotten(cells):
    cells.keep("a", SEEN, b"one")
    cells._open().execute("update cells set value = ?", (b"two",))
    assert cells.find("a", always) is None
    assert cells._run("select * from cells") == []


@pytest.mark.parametrize("damage", [b"", b"x", b"SQLite format 3\0" + b"x" * 5000, "cut", "flipped"])
def test_a_damaged_database_is_made_anew(cells, damage):
    for number in range(300):
        cells.keep(f"{number}", SEEN, b"value" * 50)
    cells.__exit__()
    data = cells.path.read_bytes()
    if damage == "flipped":
        damage = bytes(b ^ 255 if 4096 <= i < 9000 else b for i, b in enumerate(data))
    cells.path.write_bytes(data[:5000] if damage == "cut" else damage)
    found = cells.find("7", always)
    assert found is None or found == (b"value" * 50, SEEN)
    cells.keep("new", SEEN, b"one")
    assert cells.find("new", always) == (b"one", SEEN)


def test_those_that_were_not_used_for_longest_are_forgotten_first(cells):
    for key in "abc":
        cells.keep(key, SEEN, bytes(100))
    cells.find("a", always)
    cells.prune(limit=200)
    assert [cells.find(key, always) is not None for key in "abc"] == [True, False, True]


def test_a_killed_process_loses_no_cell_that_it_has_kept(tmp_path):
    code = f"""
        import sys
        sys.path.insert(0, {str(ENGINE.parent)!r})
        from pathlib import Path
        from labreport.results import Fingerprint
        from labreport.results.cells import Cells
        cells = Cells(Path({str(tmp_path / "exp.db")!r}))
        for number in range(10**9):
            cells.keep(str(number), Fingerprint(), b"x" * 1000)
            print(number, flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
    for _ in range(50):
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with Cells(tmp_path / "exp.db") as cells:
        assert all(cells.find(str(n), always) == (b"x" * 1000, Fingerprint()) for n in range(last + 1))


def test_a_database_of_another_version_is_made_anew(cells):
    cells.path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(cells.path) as connection:
        connection.execute("create table cells (key text, other text)")
    connection.close()
    assert cells.find("a", always) is None
    cells.keep("a", Fingerprint(), b"1")
    assert cells.find("a", always) == (b"1", Fingerprint())


@pytest.mark.parametrize("column", ["key", "seen", "value"])
def test_a_cell_of_which_any_part_was_changed_is_forgotten(cells, column):
    cells.keep("a", SEEN, b"one")
    other = {"key": "b", "seen": '{"parameter lr": "0.2"}', "value": "text"}[column]
    cells._run(f"update cells set {column} = ?", other)
    assert cells.find("b" if column == "key" else "a", always) is None
    assert cells._run("select key from cells") == []


def test_a_full_disk_is_told_as_one_and_loses_no_cell(cells):
    cells.keep("a", SEEN, b"one")
    cells._run("pragma max_page_count = 3")
    with pytest.raises(OSError, match="No space left") as full:
        cells.keep("b", SEEN, bytes(100_000))
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, str(cells.path))
    assert cells.find("a", always) == (b"one", SEEN)
