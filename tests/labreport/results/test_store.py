"""Older results: found when they are what a run would give, never believed in doubt, bounded in size."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import projects
import pytest

from labreport.results import files, results, store
from labreport.results.encoding import encode
from labreport.results.fingerprint import Fingerprint
from labreport.results.strict_json import seal, unseal

SRC = Path(__file__).parents[3] / "src"
FACTS = {
    "started": "2024-11-29T10:00:00+00:00",
    "finished": "2024-11-29T10:00:01+00:00",
    "seconds": 1.0,
    "python": "3.11.2",
    "jobs": 2,
    "revision": None,
}


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path / "p", {})


def parts(n=1, **more):
    return Fingerprint.parse({"schema": "1", "parameter n": str(n), "code experiments/a.py": "c1", **more})


def publish(project, fingerprint, x=1, name="a"):
    return results.publish(project, name, encode({"x": x}, {"n": 1}), fingerprint, FACTS)


def keep(project, fingerprint, x=1, name="a"):
    publish(project, fingerprint, x, name)
    store.keep(project, name, "run")


def find(project, known, now=None, **kwargs):
    return store.find(project, "a", "run", known, now or (lambda _: known), **kwargs)


def live(project, name="a"):
    return {path.name: path.read_bytes() for path in (project.results / name).iterdir()}


def entry_of(project):
    (folder,) = store.folders(project)
    return folder


def test_a_result_that_was_kept_and_replaced_is_restored_byte_for_byte(project):
    run = publish(project, parts(1), x=1)
    before = live(project)
    store.keep(project, "a", "run")
    publish(project, parts(2), x=2)
    assert live(project) != before
    entry = find(project, parts(1))
    assert (entry.content, entry.fingerprint.parts) == (run.content, parts(1).parts)
    store.restore(project, entry)
    assert live(project) == before
    assert results.recorded_run(project, "a") == run


def test_only_the_same_fingerprint_is_found(project):
    keep(project, parts(1))
    assert find(project, parts(1)) is not None
    assert find(project, parts(2)) is None
    assert find(project, Fingerprint.parse({**parts(1).plain(), "code experiments/a.py": "c2"})) is None
    assert find(project, Fingerprint.parse({**parts(1).plain(), "file b.csv": "f"})) is None
    assert store.find(project, "b", "run", parts(1), lambda _: parts(1)) is None
    assert store.find(project, "a", "draw", parts(1), lambda _: parts(1)) is None


def test_what_a_run_was_seen_to_read_decides_between_entries_with_the_same_declared_inputs(project):
    keep(project, parts(1, **{"file data.csv": "old"}), x=1)
    keep(project, parts(1, **{"file data.csv": "new"}), x=2)
    keep(project, parts(1, **{"variable MODE": "fast"}), x=3)
    now = {"file data.csv": "new", "variable MODE": "slow"}

    def seen_now(recorded):
        seen = recorded.plain().keys() - parts(1).plain().keys()
        return parts(1, **{part: now[part] for part in seen})

    entry = find(project, parts(1), seen_now)
    assert entry.fingerprint.named("file") == {"data.csv": "new"}
    now["file data.csv"] = "newer"
    assert find(project, parts(1), seen_now) is None
    now["variable MODE"] = "fast"
    assert find(project, parts(1), seen_now).fingerprint.named("variable") == {"MODE": "fast"}


def test_the_present_inputs_are_asked_for_only_where_the_declared_ones_agree(project):
    for n in range(3):
        keep(project, parts(1, **{"code experiments/a.py": f"c{n}"}))
    asked = []
    find(project, parts(1), lambda recorded: asked.append(recorded.named("code")) or recorded)
    assert asked == [{"experiments/a.py": "c1"}]


def test_nothing_is_kept_of_a_result_that_is_missing_or_damaged(project):
    store.keep(project, "a", "run")
    publish(project, parts(1))
    (project.results / "a" / "result.json").write_bytes(b"{}")
    store.keep(project, "a", "run")
    assert list(store.folders(project)) == []


def test_a_kept_result_shares_no_file_with_the_present_one(project):
    keep(project, parts(1))
    names = ("result.json", "run.json")
    kept = {name: (entry_of(project) / name).stat() for name in names}
    assert {stat.st_nlink for stat in kept.values()} == {1}
    present = {name: (project.results / "a" / name).stat() for name in names}
    assert all(kept[name].st_ino != present[name].st_ino for name in names)
    store.restore(project, find(project, parts(1)))
    assert {(project.results / "a" / name).stat().st_nlink for name in names} == {1}


def damage_byte(folder, name):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])


DAMAGE = {
    "a byte of the result": lambda folder: damage_byte(folder, "result.json"),
    "a byte of the record": lambda folder: damage_byte(folder, "run.json"),
    "a byte of the entry": lambda folder: damage_byte(folder, "entry.json"),
    "no result": lambda folder: (folder / "result.json").unlink(),
    "no entry": lambda folder: (folder / "entry.json").unlink(),
    "an empty entry": lambda folder: (folder / "entry.json").write_bytes(b""),
    "an entry of another version": lambda folder: reseal(folder, schema=99),
    "an entry of another experiment": lambda folder: reseal(folder, experiment="b"),
    "a fingerprint that is none": lambda folder: reseal(folder, fingerprint=[1]),
}


def reseal(folder, **changed):
    path = folder / "entry.json"
    path.write_bytes(seal({**unseal(path.read_bytes(), "", cure=""), **changed}))


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_not_found_and_is_named(project, damage):
    keep(project, parts(1))
    folder = entry_of(project)
    assert not store.is_damaged(folder)
    DAMAGE[damage](folder)
    found = []
    assert find(project, parts(1), damaged=found.append) is None
    assert found == [folder]
    assert store.is_damaged(folder)


def test_a_damaged_entry_is_written_anew_when_its_result_is_kept_again(project):
    keep(project, parts(1))
    damage_byte(entry_of(project), "result.json")
    store.keep(project, "a", "run")
    assert find(project, parts(1)) is not None


def test_keeping_a_result_of_the_same_fingerprint_takes_the_later_one(project):
    keep(project, parts(1), x=1)
    keep(project, parts(1), x=2)
    assert find(project, parts(1)).data == live(project)


def test_what_was_not_used_for_the_longest_time_goes_first(project):
    for n in (1, 2, 3):
        keep(project, parts(n))
    one = max(sum(file.stat().st_size for file in folder.iterdir()) for folder in store.folders(project))
    small = projects.make(project.root, {}, toml=f'store = "{2 * one} B"\n')
    store.restore(small, find(small, parts(1)))  # it was the first to be kept, and is the last to be used
    store.trim(small)
    assert [n for n in (1, 2, 3) if find(small, parts(n))] == [1, 3]
    store.trim(small)
    assert len(list(store.folders(small))) == 2


def test_keeping_what_is_already_there_counts_as_a_use(project):
    for n in (1, 2):
        keep(project, parts(n))
    keep(project, parts(1))
    one = max(sum(file.stat().st_size for file in folder.iterdir()) for folder in store.folders(project))
    small = projects.make(project.root, {}, toml=f'store = "{one} B"\n')
    store.trim(small)
    assert [n for n in (1, 2) if find(small, parts(n))] == [1]


def test_a_damaged_entry_goes_before_all_others(project):
    for n in (1, 2):
        keep(project, parts(n))
    (find(project, parts(2)).folder / "entry.json").unlink()
    one = sum(file.stat().st_size for file in find(project, parts(1)).folder.iterdir())
    small = projects.make(project.root, {}, toml=f'store = "{one} B"\n')
    store.trim(small)
    assert find(small, parts(1)) is not None


def test_an_entry_bigger_than_the_bound_is_not_kept_and_drives_no_other_out(tmp_path):
    small = projects.make(tmp_path, {}, toml='store = "3 kB"\n')
    keep(small, parts(1), x=1)
    keep(small, parts(2), x="x" * 4000)
    store.trim(small)
    assert find(small, parts(1)) is not None
    assert find(small, parts(2)) is None


def test_a_bound_of_nothing_keeps_nothing(tmp_path):
    none = projects.make(tmp_path, {}, toml='store = "0 B"\n')
    keep(none, parts(1))
    assert not none.store.exists()


def test_a_kill_while_a_result_is_kept_leaves_no_entry_and_is_swept(project):
    publish(project, parts(1))
    before = live(project)
    code = (
        "import os, signal, sys; from pathlib import Path; from labreport import project\n"
        "from labreport.results import files, store\n"
        "files.replace_folder = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.keep(project.load(Path(sys.argv[1])), 'a', 'run')\n"
    )
    command = [sys.executable, "-c", code, project.root]
    done = subprocess.run(command, env={"PYTHONPATH": str(SRC)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in project.store.glob("a/run/.tmp-*/entry.json")] == ["entry.json"]
    assert list(store.folders(project)) == []
    assert find(project, parts(1)) is None
    assert live(project) == before
    files.sweep(project.store / "a" / "run")
    assert list(project.store.glob("a/run/*")) == []
    assert list(project.store.glob("a/run/.*")) == []


def test_a_full_disk_while_a_result_is_kept_leaves_nothing_behind(project, monkeypatch):
    publish(project, parts(1))

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        store.keep(project, "a", "run")
    assert list((project.store / "a" / "run").iterdir()) == []
