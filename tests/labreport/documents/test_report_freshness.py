"""The report is made again for what it shows and what it is, and for nothing else."""

import json

import projects
import pytest

from labreport.documents import report
from labreport.project import ENGINE
from labreport.results.strict_json import seal


@pytest.fixture
def published(tmp_path):
    """A project with a report that is up to date, and shows code of a module."""
    project = projects.make(tmp_path, {})
    projects.write(project.root / "src/shown.py", "x = 1\n")
    projects.write(project.templates / "report.tex.j2", "text")
    projects.write(project.templates / "notebooks/n.py.j2", "# %%")
    for path in (project.pdf, project.provenance, project.latex / "report.tex"):
        projects.write(path, "made")
    excerpts = ("src/shown.py",)
    report.write_state(project, report.inputs(project, excerpts), excerpts)
    assert report.out_of_date(project) == []
    return project


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("report_templates/report.tex.j2", ["report_templates/report.tex.j2 changed"]),
        ("src/shown.py", ["src/shown.py changed"]),
        ("report_templates/new.tex.j2", ["report_templates/new.tex.j2 is new"]),
        ("report_templates/notebooks/n.py.j2", []),
        ("build/report.pdf", ["build/report.pdf is missing or was changed by hand"]),
        ("build/latex/report.tex", ["build/latex/report.tex is missing or was changed by hand"]),
    ],
)
def test_the_report_is_made_again_for_what_it_shows_and_what_it_is(published, file, expected):
    projects.write(published.root / file, "another")
    assert report.out_of_date(published) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("errors.py",), "ENGINE/errors.py changed"),
        (("errors.py", "cli.py", "results/store.py"), "labreport changed (3 files)"),
    ],
)
def test_a_new_version_of_labreport_is_one_reason(published, files, expected):
    record = json.loads(published.state.read_text())
    record.pop("checksum")
    engine = published.shown(ENGINE)
    record["inputs"] |= {f"input {engine}/{file}": "another digest" for file in files}
    published.state.write_bytes(seal(record))
    projects.write(published.root / "src/shown.py", "x = 2\n")
    reasons = sorted(report.out_of_date(published), key=lambda reason: reason != "src/shown.py changed")
    assert reasons == ["src/shown.py changed", expected.replace("ENGINE", engine)]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"schema": 1}', seal({"schema": 2, "inputs": []}), b"[" * 100_000]
)
def test_a_report_whose_record_is_damaged_is_made_again(published, data):
    published.state.write_bytes(data)
    assert report.out_of_date(published) == ["no record of what it was made from"]


def test_the_record_of_the_report_names_its_inputs_for_people_who_look(published):
    written = json.loads(published.state.read_text())
    assert {"input report.toml", "input src/shown.py"} <= written["inputs"].keys()
    assert written["found"] == ["src/shown.py"]
