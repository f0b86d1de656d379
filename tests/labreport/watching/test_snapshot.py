"""Which changes of files count, and which are none."""

import os
from pathlib import Path

import projects
import pytest

from labreport.watching.snapshot import Snapshot, is_noise, is_source


@pytest.fixture
def project(tmp_path):
    project = projects.make(
        tmp_path / "p", {"one": projects.returning("{'x': 1}")}, src={"lib/code.py": "A = 1\n"}
    )
    projects.write(project.templates / "report.tex.j2", "text\n")
    projects.write(project.root / "data/table.csv", "1,2\n")
    return project


@pytest.fixture
def files(project):
    return Snapshot(project)


def names(project, found):
    return {os.path.relpath(path, project.root) for path in found}


@pytest.mark.parametrize(
    "name",
    [
        ".report.tex.j2.swp",
        "report.tex.j2~",
        "#report.tex.j2#",
        ".#report.tex.j2",
        "4913",
        "code.pyc",
        "code.py.tmp",
        "code.py___jb_tmp___",
        "__pycache__",
        ".git",
        ".venv",
        ".DS_Store",
    ],
)
def test_what_editors_and_programs_leave_is_noise(name):
    assert is_noise(name)


@pytest.mark.parametrize(
    "name", ["report.toml", "a.tex.j2", "refs.bib", "x.py", "49130", "data.csv", "a.tmpl"]
)
def test_what_a_person_edits_is_no_noise(name):
    assert not is_noise(name)


@pytest.mark.parametrize(
    "name",
    [
        "report.toml",
        "experiments/one.py",
        "src/lib/code.py",
        "report_templates/report.tex.j2",
        "data/table.csv",
    ],
)
def test_an_edit_is_a_change_once(project, files, name):
    path = project.root / name
    path.write_text(path.read_text() + "\n")
    assert names(project, files.look()) == {name}
    assert files.look() == set()


def test_a_file_that_is_saved_as_it_was_has_not_changed(project, files):
    path = project.root / "report.toml"
    path.write_text(path.read_text())
    os.utime(path, (0, 0))
    assert files.look() == set()


def test_an_edit_that_keeps_size_and_time_is_a_change(project, files):
    path = project.root / "src/lib/code.py"
    before = path.stat()
    path.write_text("A = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert names(project, files.look()) == {"src/lib/code.py"}


def test_edits_within_one_tick_of_the_clock_are_each_seen(project, files):
    path = project.root / "src/lib/code.py"
    for number in range(30):
        path.write_text(f"A = {number % 9 + 1}\n")
        assert len(files.look()) == (number > 0), number  # the first is as it was


def test_a_file_renamed_into_place_is_a_change(project, files):
    draft = project.templates / "report.tex.j2~"
    draft.write_text("other\n")
    assert files.look() == set()
    draft.rename(project.templates / "report.tex.j2")
    assert names(project, files.look()) == {"report_templates/report.tex.j2"}


def test_a_file_that_goes_and_comes_back_at_once_has_not_changed(project, files):
    path = project.root / "report.toml"
    text = path.read_text()
    path.unlink()
    path.write_text(text)
    assert files.look() == set()


def test_new_and_deleted_files_are_changes_and_new_folders_are_watched(project, files):
    projects.write(project.templates / "sections/new.tex.j2", "new\n")
    (project.root / "data/table.csv").unlink()
    assert names(project, files.look()) == {"report_templates/sections/new.tex.j2", "data/table.csv"}
    assert str(project.templates / "sections") in files.folders


@pytest.mark.parametrize("folder", ["build", "build/results", ".git", ".venv", "src/lib/__pycache__", "env"])
def test_what_is_generated_or_installed_is_neither_looked_at_nor_watched(project, folder):
    projects.write(project.root / "env/pyvenv.cfg", "")
    projects.write(project.root / folder / "x.py", "1")
    files = Snapshot(project)
    projects.write(project.root / folder / "x.py", "2")
    assert files.look() == set()
    assert str(project.root / folder) not in files.folders


def test_a_folder_named_build_further_below_counts(project, files):
    projects.write(project.root / "src/build/x.py", "1")
    assert names(project, files.look()) == {"src/build/x.py"}


def test_what_a_link_points_to_is_watched_where_it_lies(project, tmp_path):
    library = tmp_path / "zotero/library.bib"
    projects.write(library, "@book{a}")
    (project.templates / "references.bib").symlink_to(library)
    files = Snapshot(project)
    assert str(library.parent) in files.folders
    library.write_text("@book{b}")
    assert names(project, files.look()) == {"report_templates/references.bib"}


def test_a_link_to_another_file_is_a_change(project, tmp_path):
    for name in "ab":
        projects.write(tmp_path / name, name)
    link = project.templates / "references.bib"
    link.symlink_to(tmp_path / "a")
    files = Snapshot(project)
    link.unlink()
    link.symlink_to(tmp_path / "b")
    assert names(project, files.look()) == {"report_templates/references.bib"}


def test_a_link_that_leads_in_a_circle_ends(project):
    (project.root / "data/again").symlink_to(project.root, target_is_directory=True)
    assert Snapshot(project).look() == set()


def test_an_input_counts_wherever_it_lies_and_when_it_appears(project, tmp_path):
    outside = tmp_path / "elsewhere/deep/data.csv"
    files = Snapshot(project)
    files.inputs = frozenset({str(outside), str(project.root / "data/.hidden")})
    assert files.look() == set()
    assert str(tmp_path) in files.folders
    projects.write(outside, "1")
    projects.write(project.root / "data/.hidden", "1")
    assert files.look() == {str(outside), str(project.root / "data/.hidden")}
    assert str(outside.parent) in files.folders


def test_an_input_inside_the_project_counts_as_any_file(project, files):
    path = project.root / "data/table.csv"
    files.inputs = frozenset({str(path)})
    assert files.look() == set()
    path.write_text("2,3\n")
    assert files.look() == {str(path)}


def test_a_file_too_large_to_be_read_each_time_counts_after_each_write(project, files):
    path = project.root / "data/large.bin"
    path.write_bytes(b"0" * (1 << 21))
    assert names(project, files.look()) == {"data/large.bin"}
    assert files.look() == set()
    path.write_bytes(b"1" * (1 << 21))
    assert names(project, files.look()) == {"data/large.bin"}


def test_a_folder_that_nobody_may_read_is_left_out(project, files):
    Path(project.root / "data").chmod(0)
    try:
        found = files.look()
    finally:
        Path(project.root / "data").chmod(0o755)
    assert found <= {str(project.root / "data/table.csv")}  # root may read it all the same


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a/b.tex.j2", True), ("b.py", True), ("refs.bib", True), ("train.log", False), ("data.csv", False)],
)
def test_sources_are_told_from_what_programs_write(name, expected):
    assert is_source(name) == expected
