"""A product is made again if one of its inputs or the product itself changed, and the reasons are given."""

import projects
import pytest

from labreport.results import freshness
from labreport.results.fingerprint import Fingerprint, Part
from labreport.results.freshness import Record
from labreport.results.strict_json import seal


@pytest.fixture
def project(tmp_path):
    made = projects.make(tmp_path, {})
    projects.write(tmp_path / "a.txt", "a")
    projects.write(tmp_path / "b.txt", "b")
    projects.write(made.build / "out.pdf", "%PDF")
    projects.write(made.build / "sources/out.tex", "x")
    return made


def now(project):
    return freshness.inputs(project, sorted(project.root.glob("*.txt"))) | Fingerprint({Part("python"): "3"})


def record(project):
    made = freshness.outputs(project, [project.build / "out.pdf", project.build / "sources/out.tex"])
    return Record(now(project), made, found=("a.txt",), facts={"pages": 3})


def reasons(project, known):
    return freshness.reasons(project, project.build / "out.pdf", known, now(project))


CHANGES = {
    "an input": (lambda p: (p.root / "b.txt").write_text("c"), ["b.txt changed"]),
    "a new input": (lambda p: (p.root / "c.txt").write_text("c"), ["c.txt is new"]),
    "a lost input": (lambda p: (p.root / "a.txt").unlink(), ["a.txt is gone"]),
    "an edited product": (
        lambda p: (p.build / "out.pdf").write_text("%PDF "),
        ["build/out.pdf is missing or was changed by hand"],
    ),
    "a part of the product that is lost": (
        lambda p: (p.build / "sources/out.tex").unlink(),
        ["build/sources/out.tex is missing or was changed by hand"],
    ),
    "a folder in the place of a product": (
        lambda p: ((p.build / "out.pdf").unlink(), (p.build / "out.pdf").mkdir()),
        ["build/out.pdf is missing or was changed by hand"],
    ),
    "time alone": (lambda p: (p.root / "a.txt").touch(), []),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_named_by_the_file_that_changed(project, case):
    known = record(project)
    assert reasons(project, known) == []
    change, expected = CHANGES[case]
    change(project)
    assert reasons(project, known) == expected


def test_the_product_comes_before_its_inputs_and_these_in_their_order(project):
    known = record(project)
    (project.build / "out.pdf").unlink()
    (project.root / "b.txt").write_text("c")
    (project.root / "a.txt").unlink()
    other = Fingerprint({**now(project).parts, Part("python"): "4"})
    assert freshness.reasons(project, project.build / "out.pdf", known, other) == [
        "build/out.pdf is missing or was changed by hand",
        "b.txt changed",
        "a.txt is gone",
        "Python was 3, is 4",
    ]


def test_without_a_record_what_lies_there_is_told_from_what_was_never_made(project):
    assert reasons(project, None) == ["no record of what it was made from"]
    (project.build / "out.pdf").unlink()
    assert reasons(project, None) == ["never made"]


def test_an_input_that_does_not_exist_is_no_part_of_what_something_was_made_from(project):
    found = freshness.inputs(project, [project.root / "a.txt", project.root / "nothing.txt", project.root])
    assert found.named("input").keys() == {"a.txt"}


def test_a_record_is_read_as_it_was_written(project):
    path = project.build / "cache" / "out.json"
    freshness.write(path, record(project))
    assert freshness.read(path, {"pages": int}) == record(project)


def sealed(**changed):
    plain = {"schema": freshness.SCHEMA, "inputs": {}, "outputs": {}, "found": [], "facts": {}}
    return seal({**plain, **changed})


DAMAGED = {
    "empty": b"",
    "half": sealed()[:40],
    "no JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "nothing but a schema": b'{"schema": 1}',
    "edited by hand": sealed().replace(b'"found": []', b'"found": ["x"]'),
    "another version": sealed(schema=freshness.SCHEMA + 1),
    "inputs of another type": sealed(inputs=["a.txt"]),
    "digests of another type": sealed(inputs={"input a.txt": 1}),
    "outputs of another type": sealed(outputs=["out.pdf"]),
    "output digests of another type": sealed(outputs={"out.pdf": None}),
    "found of another type": sealed(found={"a.txt": 1}),
    "found names of another type": sealed(found=[1]),
    "facts of another type": sealed(facts=[1]),
    "facts that nobody asked for": sealed(facts={"pages": 3}),
    "a missing key": seal({"schema": freshness.SCHEMA, "inputs": {}}),
    "deep nesting": b'{"a": ' * 100_000 + b"1" + b"}" * 100_000,
    "deep lists": b"[" * 100_000,
    "a huge number": b'{"schema": 1' + b"0" * 10_000 + b"}",
}


def test_the_whole_record_that_is_damaged_below_can_be_read(tmp_path):
    (tmp_path / "r.json").write_bytes(sealed())
    assert freshness.read(tmp_path / "r.json") == Record(Fingerprint(), {})


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_record_is_no_record(tmp_path, case):
    (tmp_path / "r.json").write_bytes(DAMAGED[case])
    assert freshness.read(tmp_path / "r.json") is None


@pytest.mark.parametrize("facts", [{}, {"pages": str}, {"pages": int, "more": str}, {"other": int}])
def test_a_record_with_other_facts_than_asked_for_is_no_record(project, facts):
    freshness.write(project.build / "r.json", record(project))
    assert freshness.read(project.build / "r.json", facts) is None


def test_a_record_that_is_missing_or_a_folder_is_no_record(tmp_path):
    assert freshness.read(tmp_path / "nothing.json") is None
    assert freshness.read(tmp_path) is None


def test_files_of_a_folder_come_without_hidden_and_compiled_ones(tmp_path):
    for name in ("b.py", "a/c.py", ".hidden", "__pycache__/x.pyc"):
        projects.write(tmp_path / name, "")
    assert freshness.files_in(tmp_path) == [tmp_path / "a/c.py", tmp_path / "b.py"]
    assert freshness.files_in(tmp_path / "nothing") == []


def test_links_to_files_count_those_to_folders_do_not(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").touch()
    (tmp_path / "file").symlink_to("real/a")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "circle").symlink_to("circle")
    assert freshness.files_in(tmp_path) == [tmp_path / "file", tmp_path / "real" / "a"]
    assert freshness.files_in(tmp_path / "folder") == [tmp_path / "folder" / "a"]


def test_many_files_are_named_as_each_alone(tmp_path):
    project = projects.make(tmp_path / "p", {})
    for path in (project.root / "sub" / "a", tmp_path / "outside"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    (project.root / "linked").symlink_to("sub")
    (project.root / "b").symlink_to(tmp_path / "outside")
    paths = [
        project.root / "linked" / "a",
        project.root / "sub" / "a",
        project.root / "b",
        tmp_path / "outside",
    ]
    found = freshness.inputs(project, paths)
    assert found.named("input").keys() == {project.shown(path) for path in paths if path.exists()}
    assert "sub/a" in found.named("input")
