"""The zip in its one form: any other bytes are told from it, whatever they are."""

import random
import stat
import subprocess
import zipfile

from hypothesis import given
from hypothesis import strategies as st
from torture.tampered import spliced

from labreport.handin import zipped
from labreport.results.files import checksum

FILES = {"README.txt": b"Read me", "a ü.py": b"x = 1\n", "tool.sh": b"#!/bin/sh\n", "empty/py.typed": b""}
KNOWN = {name: checksum(data) for name, data in FILES.items()}


def test_dates_rights_and_system_are_fixed(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(zipped.archive({"b.py": b"#!/bin/sh\n", "a ü.py": b"x = 1\n"}))
    with zipfile.ZipFile(path) as packed:
        entries = packed.infolist()
    assert [e.filename for e in entries] == ["code/a ü.py", "code/b.py"]
    assert {e.date_time for e in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [stat.filemode(e.external_attr >> 16) for e in entries] == ["-rw-r--r--", "-rwxr-xr-x"]
    assert {e.create_system for e in entries} == {3}
    subprocess.run(["unzip", "-tq", path], check=True, capture_output=True)


def test_what_was_archived_is_read_back_and_deviates_in_nothing():
    data = zipped.archive(FILES)
    assert zipped.members(data) == FILES
    assert [*zipped.deviations(data, KNOWN)] == []


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_no_damage_goes_unsaid_or_is_more_than_sentences(seed, times):
    data, chance = zipped.archive(FILES), random.Random(seed)
    for _ in range(times):
        data = spliced(chance, data)
    said = [*zipped.deviations(data, KNOWN)]
    assert bool(said) == (data != zipped.archive(FILES))
    assert all(line.isprintable() for line in said)


def test_every_single_bit_counts():
    data, lines = zipped.archive(FILES), set()
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << random.Random(at).randrange(8)]) + data[at + 1 :]
        said = [*zipped.deviations(changed, KNOWN)]
        assert said, f"byte {at}"
        lines |= {*said}
    assert {"README.txt was changed", "tool.sh was changed", "a ü.py is missing"} <= lines
