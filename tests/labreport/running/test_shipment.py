"""What is sent to a cluster: the driver's own sources and declared inputs, each under one name."""

import pickle
import sys
from pathlib import Path

import pytest
from projects import experiment, make, write

from labreport.project import ENGINE
from labreport.results import of_kind
from labreport.running import Lab
from labreport.running.guest import MANIFEST, Unpickler
from labreport.running.shipment import LARGEST, Shipment

BODY = "import reached\ndef run(params, lab):\n    return {}\n"


@pytest.fixture
def project(tmp_path):
    src = {
        "reached/__init__.py": "",
        "reached/deep/core.py": "",
        "reached/table.json": "7",
        "reached/.hidden/secret.txt": "",
        "reached/__pycache__/core.pyc": "",
        "unused.py": "",
    }
    made = make(tmp_path / "project", {"a": experiment(BODY), "b": experiment(BODY)}, src=src)
    write(made.root / "data" / "read.csv", "1")
    write(made.root / "data" / "other.csv", "1")
    write(made.results / "needed" / "result.json", "{}")
    write(made.results / "other" / "result.json", "{}")
    return made


@pytest.fixture
def lab(project):
    return Lab(project, "a", {}, needs=("needed",), fingerprint=of_kind("file", {"data/read.csv": "digest"}))


def test_sent_are_the_sources_that_are_reached_the_files_read_and_the_results_needed(lab):
    sent = {name for name in Shipment(lab).files if name.startswith("project/")}
    assert sent == {
        "project/experiments/a.py",
        "project/experiments/b.py",
        "project/src/reached/__init__.py",
        "project/src/reached/deep/core.py",
        "project/src/reached/table.json",
        "project/data/read.csv",
        "project/build/results/needed/result.json",
    }


def test_labreport_itself_is_sent_and_installed_packages_are_not(lab):
    shipment = Shipment(lab)
    assert f"{shipment.engine}/labreport/running/guest.py" in shipment.files
    assert "pytest" in sys.modules
    assert [origin for origin in shipment.origins.values() if "site-packages" in origin] == []


def test_a_large_file_beside_code_is_not_sent(lab, project):
    write(project.root / "src" / "reached" / "large.bin", "x" * (LARGEST + 1))
    write(project.root / "src" / "reached" / "large.py", "#" * (LARGEST + 1))
    sent = {name.rpartition("/")[2] for name in Shipment(lab).files}
    assert "large.py" in sent
    assert "large.bin" not in sent


def test_equal_files_have_one_digest_and_any_other_file_another(lab, project):
    first = Shipment(lab).packed()[0]
    assert Shipment(lab).packed()[0] == first
    write(project.root / "src" / "reached" / "table.json", "8")
    assert Shipment(lab).packed()[0] != first


def test_what_is_sent_is_what_the_driver_has_imported_even_if_it_is_edited_later(lab, project):
    shipment = Shipment(lab)
    write(project.root / "src" / "reached" / "__init__.py", "edited = True")
    assert pickle.loads(shipment.packed()[1])["project/src/reached/__init__.py"] == b""


def test_a_module_that_is_imported_later_is_sent_with_the_next_map(lab, project, monkeypatch):
    shipment = Shipment(lab)
    assert "project/src/unused.py" not in pickle.loads(shipment.packed()[1])
    monkeypatch.syspath_prepend(str(project.root / "src"))
    monkeypatch.delitem(sys.modules, "unused", raising=False)
    __import__("unused")
    assert "project/src/unused.py" in pickle.loads(shipment.packed()[1])
    assert "unused" in shipment.modules()


def test_the_lab_the_project_and_paths_that_were_sent_become_those_of_the_worker(lab, project, tmp_path):
    shipment = Shipment(lab)
    there = make(tmp_path / "there", {})
    theirs = Lab(there, "a", {})
    outside = Path("/nowhere/data/read.csv")
    kept = [project.build, outside, project.root / "data" / "other.csv"]
    paths = [project.root / "data" / "read.csv", project.root / "src" / "reached", *kept]
    found = Unpickler(shipment.pickled([lab, lab.seed, project, paths]), theirs).load()
    assert found[0] is theirs
    assert found[1].__self__ is theirs
    assert found[2] is there
    assert found[3] == [there.root / "data" / "read.csv", there.root / "src" / "reached", *kept]


def test_no_module_of_labreport_is_one_of_the_runs_own(lab):
    shipment = Shipment(lab)
    assert "labreport.running.shipment" in sys.modules
    assert not any(name.partition(".")[0] == ENGINE.name for name in shipment.modules())
    assert MANIFEST not in shipment.files
