"""Checks of the hand-in: what is missing, old, or must not be there."""

import re
import shutil
import zipfile

import projects
import pytest
from checked import notebook, pack, places

from labreport.checks import checks
from labreport.handin import bundle, zipped


def test_what_the_bundle_packs_passes(copy):
    shutil.rmtree(copy.submission)
    projects.write(copy.notebooks / "One.ipynb", notebook())
    bundle.pack(copy)
    assert [
        place for name in ("report", "zip", "README", "sources", "notebooks") for place in places(name, copy)
    ] == []


def test_without_a_zip_each_check_of_it_fails(copy):
    (copy.submission / "code.zip").unlink()
    states = {v.name: v.state for v in checks.check(copy, {})}
    assert {name for name in states if states[name] == "failed"} == OF_ZIP


OF_ZIP = {"hand-in", "zip", "README", "sources", "notebooks"}


def test_a_zip_that_cannot_be_read_is_told_by_each_check_of_it(copy):
    (copy.submission / "code.zip").write_text("PK")
    for name in OF_ZIP:
        why = "is not a zip, or only a part of one" if name == "hand-in" else "is not as it was packed"
        assert places(name, copy) == [f"build/submission/code.zip: it {why}"]


def test_no_check_looks_into_a_zip_that_is_not_as_it_was_packed(copy):
    files = {"README.txt": b"\xff", "pyproject.toml": b"[", "notebooks/One.ipynb": b'{"cells": [1]}'}
    (copy.submission / "code.zip").write_bytes(zipped.archive(files))
    for name in OF_ZIP - {"hand-in"}:
        assert places(name, copy) == ["build/submission/code.zip: it is not as it was packed"]
    assert "build/submission/code.zip: README.txt was changed" in places("hand-in", copy)


def test_without_a_record_nobody_knows_what_was_packed(copy):
    assert places("hand-in", copy) == []
    (copy.build / "cache" / "handin.json").unlink()
    assert places("hand-in", copy) == ["build/submission: there is no record of what was packed"]
    shutil.rmtree(copy.submission)
    assert places("hand-in", copy) == []
    assert places("report", copy) == ["build/submission/report.pdf: it does not exist"]


def test_a_report_that_is_missing_or_not_the_one_checked_is_found(copy):
    handed_in = copy.submission / "report.pdf"
    handed_in.write_bytes(b"%PDF-1.5 another")
    assert places("report", copy) == ["build/submission/report.pdf: it differs from the report that was made"]
    handed_in.unlink()
    assert places("report", copy) == ["build/submission/report.pdf: it does not exist"]


def test_the_report_in_the_zip_is_found_under_any_name(copy):
    pack(
        copy, **{"doc/final.pdf": copy.pdf.read_bytes(), "figures/a.pdf": b"%PDF", "old/report.pdf": b"%PDF"}
    )
    assert places("zip", copy) == [
        "code.zip: it holds the report: doc/final.pdf",
        "code.zip: it holds the report: old/report.pdf",
    ]


def repacked(project, name, edit):
    """Pack a hand-in, and again with one file changed."""
    projects.write(project.notebooks / "One.ipynb", notebook())
    bundle.pack(project)
    with zipfile.ZipFile(project.submission / "code.zip") as archive:
        files = {entry.removeprefix("code/"): archive.read(entry) for entry in archive.namelist()}
    files[name] = edit(files[name].decode()).encode()
    bundle.publish(project, {"report.pdf": project.pdf.read_bytes()}, files)


@pytest.mark.parametrize(
    ("name", "old", "wrong"),
    [
        ("README.txt", r"(?s).*", "code.zip: no README with a text at its top"),
        (
            "README.txt",
            r"build_report\.py",
            "README.txt: it names no main file to run; there is build_report.py",
        ),
        ("README.txt", r"\bpandas\b", "README.txt: it does not list the library pandas"),
        ("constraints.txt", r"numpy==.*", "constraints.txt: it does not pin the library numpy"),
    ],
)
def test_a_readme_says_how_to_run_and_what_is_needed(copy, name, old, wrong):
    repacked(copy, name, lambda text: re.sub(old, " ", text))
    assert places("README", copy) == [wrong]


def test_what_the_packed_code_imports_is_needed_whatever_pyproject_says(copy):
    repacked(copy, "src/m.py", lambda text: f"{text}\nimport networkx\n")
    assert places("README", copy) == [
        "README.txt: it does not list the library networkx",
        "constraints.txt: it does not pin the library networkx",
    ]


def test_a_zip_without_anything_to_run_is_told(copy):
    pack(copy, **{"main.py": "pass"})
    assert places("README", copy)[0] == "README.txt: it names no main file to run; there is none"


def test_sources_that_are_missing_or_old_are_found(copy):
    pack(copy, **{"src/m.py": None, "experiments/exp.py": "old"})
    assert places("sources", copy) == [
        "code.zip: experiments/exp.py differs from the project's file",
        "code.zip: src/m.py is missing",
    ]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "code.zip: One.ipynb is missing"),
        (notebook(execution_count=None), "One.ipynb: cell 2 was not executed"),
        (
            notebook(outputs=[{"output_type": "error", "ename": "ValueError", "evalue": "no"}]),
            "One.ipynb: cell 2 ended with ValueError: no",
        ),
        ("{}", "One.ipynb: it is not a notebook"),
    ],
)
def test_notebooks_that_are_missing_unexecuted_or_failed_are_found(copy, content, wrong):
    pack(copy, **{"notebooks/One.ipynb": content})
    assert places("notebooks", copy) == [wrong]


def test_a_notebook_that_is_not_the_woven_one_is_found(copy):
    projects.write(copy.notebooks / "One.ipynb", notebook(source="2 + 2"))
    assert places("notebooks", copy) == ["One.ipynb: it differs from the notebook that was woven"]


def test_a_secret_is_found_that_became_known_after_the_hand_in_was_packed(copy, monkeypatch):
    value = "sesame-open-7-please"
    pack(copy, **{"src/a.py": f"\nX = '{value}'\n".encode(), "src/b.py": b"Y = 1\n"})
    assert places("secrets", copy) == []
    monkeypatch.setenv("DB_PASS", value)
    assert places("secrets", copy) == [
        "code.zip: src/a.py:2: it gives away the value of the environment's DB_PASS"
    ]
