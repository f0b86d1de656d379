"""Packages without a released version count by their files, the others by their version."""

import json
import os
import sys
import zipfile

import projects
import pytest

from labreport.results.packages import Packages
from labreport.results.versions import installed


def looked_up(path, module="mypkg"):
    """Return the digests of what is unreleased, and the modules that have a version."""
    return Packages([str(entry) for entry in path], lambda _, make: make()).unreleased([module])


@pytest.fixture
def working_copy(tmp_path):
    """A package in a folder of its own, and a folder of installed packages."""
    projects.write(tmp_path / "copy" / "mypkg" / "__init__.py", "from mypkg.core import K\n")
    projects.write(tmp_path / "copy" / "mypkg" / "core.py", "K = 1\n")
    (tmp_path / "site-packages").mkdir()
    return tmp_path


def edit(path, text="K = 2\n"):
    """Write other content of the same size, with the same time of modification."""
    found = path.stat()
    path.write_text(text)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def with_metadata(folder, version="1.0", **origin):
    info = folder / f"mypkg-{version}.dist-info"
    projects.write(info / "METADATA", f"Name: mypkg\nVersion: {version}\n")
    if origin:
        projects.write(info / "direct_url.json", json.dumps({"url": "file:///x", **origin}))
    return info


def test_a_package_that_lies_on_the_path_counts_by_its_files(working_copy):
    path = [working_copy / "copy"]
    before, rest = looked_up(path)
    assert list(before) == ["mypkg"]
    assert rest == set()
    assert looked_up(path) == (before, set())
    edit(working_copy / "copy" / "mypkg" / "core.py")
    assert looked_up(path)[0] != before


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("data.json", True),
        ("sub/deep.py", True),
        ("__pycache__/core.cpython-311.pyc", False),
        (".git/HEAD", False),
    ],
)
def test_all_files_of_a_package_count_but_hidden_and_compiled_ones(working_copy, file, counts):
    before = looked_up([working_copy / "copy"])[0]
    projects.write(working_copy / "copy" / "mypkg" / file, "1\n")
    assert (looked_up([working_copy / "copy"])[0] != before) is counts


def test_a_module_of_one_file_counts_by_that_file_alone(tmp_path):
    projects.write(tmp_path / "mypkg.py", "K = 1\n")
    projects.write(tmp_path / "other.py", "K = 1\n")
    before = looked_up([tmp_path])[0]
    edit(tmp_path / "other.py")
    assert looked_up([tmp_path])[0] == before
    edit(tmp_path / "mypkg.py")
    assert looked_up([tmp_path])[0] != before


def test_what_an_unreleased_package_imports_counts_too(working_copy):
    copy = working_copy / "copy"
    projects.write(copy / "mypkg" / "late.py", "def f():\n    import below, json, nowhere_to_be_found\n")
    projects.write(copy / "below.py", "K = 1\n")
    before, rest = looked_up([copy])
    assert set(before) == {"mypkg", "below"}
    assert rest == set()
    edit(copy / "below.py")
    assert looked_up([copy])[0]["mypkg"] == before["mypkg"]
    assert looked_up([copy])[0]["below"] != before["below"]


def test_an_editable_install_by_a_path_file_counts_by_the_working_copy(working_copy):
    site = working_copy / "site-packages"
    with_metadata(site, dir_info={"editable": True})
    path = [site, working_copy / "copy"]  # as Python makes it of mypkg.pth
    before, rest = looked_up(path)
    assert list(before) == ["mypkg"]
    assert rest == set()
    edit(working_copy / "copy" / "mypkg" / "core.py")
    assert looked_up(path)[0] != before


def test_an_editable_install_by_a_finder_counts_by_the_working_copy(working_copy, monkeypatch):
    from importlib.machinery import PathFinder

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return PathFinder.find_spec(name, [str(working_copy / "copy")]) if name == "mypkg" else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    site = working_copy / "site-packages"
    with_metadata(site, dir_info={"editable": True})
    before, rest = looked_up([site])
    assert list(before) == ["mypkg"]
    assert rest == set()
    edit(working_copy / "copy" / "mypkg" / "core.py")
    assert looked_up([site])[0] != before


def install(working_copy):
    """Put a copy of the package among the installed ones; return it and its metadata."""
    site = working_copy / "site-packages"
    (working_copy / "copy" / "mypkg").rename(site / "mypkg")
    return site / "mypkg" / "core.py"


def test_a_released_package_counts_by_its_version(working_copy):
    install(working_copy)
    with_metadata(working_copy / "site-packages", "1.0+local")
    assert looked_up([working_copy / "site-packages"]) == ({}, {"mypkg"})
    assert installed([str(working_copy / "site-packages")]) == {"mypkg": "1.0+local"}


def test_what_an_import_finds_first_decides(working_copy):
    projects.write(working_copy / "site-packages" / "mypkg" / "__init__.py", "K = 1\n")
    with_metadata(working_copy / "site-packages")
    both = [working_copy / "copy", working_copy / "site-packages"]
    assert list(looked_up(both)[0]) == ["mypkg"]
    assert looked_up(both[::-1]) == ({}, {"mypkg"})


def test_an_install_from_a_local_folder_counts_by_what_was_recorded_of_it(working_copy):
    core = install(working_copy)
    info = with_metadata(working_copy / "site-packages", dir_info={})
    before, rest = looked_up([core.parents[1]])
    assert (list(before), rest) == (["mypkg"], set())
    projects.write(info / "RECORD", "mypkg/core.py,sha256=aaaa,6\n")
    recorded = looked_up([core.parents[1]])[0]
    projects.write(info / "RECORD", "mypkg/core.py,sha256=bbbb,6\n")
    assert looked_up([core.parents[1]])[0] != recorded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"vcs_info": {"commit_id": "aaaa"}}, {"vcs_info": {"commit_id": "bbbb"}}),
        ({"archive_info": {"hashes": {"sha256": "a"}}}, {"archive_info": {"hashes": {"sha256": "b"}}}),
    ],
)
def test_an_install_from_a_revision_or_an_archive_counts_by_its_hash(working_copy, one, other):
    site = install(working_copy).parents[1]
    with_metadata(site, **one)
    before = looked_up([site])[0]
    with_metadata(site, **one, subdirectory="elsewhere")
    assert looked_up([site])[0] == before
    with_metadata(site, **other)
    assert looked_up([site])[0] != before


def test_a_link_among_installed_packages_counts_by_the_files_that_it_leads_to(working_copy):
    site = working_copy / "site-packages"
    (site / "mypkg").symlink_to(working_copy / "copy" / "mypkg")
    with_metadata(site)
    before = looked_up([site])[0]
    assert list(before) == ["mypkg"]
    edit(working_copy / "copy" / "mypkg" / "core.py")
    assert looked_up([site])[0] != before


def test_each_part_of_a_namespace_counts_as_what_it_is(tmp_path):
    projects.write(tmp_path / "copy" / "mypkg" / "mine.py", "K = 1\n")
    projects.write(tmp_path / "site" / "mypkg" / "theirs.py", "K = 1\n")
    with_metadata(tmp_path / "site")
    path = [tmp_path / "copy", tmp_path / "site"]
    before, rest = looked_up(path)
    assert (list(before), rest) == (["mypkg"], {"mypkg"})
    edit(tmp_path / "site" / "mypkg" / "theirs.py")
    assert looked_up(path)[0] == before
    edit(tmp_path / "copy" / "mypkg" / "mine.py")
    assert looked_up(path)[0] != before


def test_a_module_in_an_archive_counts_by_the_archive(tmp_path, monkeypatch):
    def pack(text):
        with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
            archive.writestr("zipped_pkg.py", text)

    pack("K = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "lib.zip"))
    before = looked_up([tmp_path / "lib.zip"], "zipped_pkg")[0]
    assert list(before) == ["zipped_pkg"]
    pack("K = 22\n")
    assert looked_up([tmp_path / "lib.zip"], "zipped_pkg")[0] != before


def test_what_is_nowhere_has_no_files(tmp_path):
    assert looked_up([tmp_path], "nowhere_to_be_found") == ({}, {"nowhere_to_be_found"})
