"""The hand-in: the same bytes for the same files, packed again when something changed, published whole."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import projects
import pytest
from handed import TOKEN, change_source, copied, digest, in_template, refused, write_pdf

from labreport import build
from labreport import project as projects_of
from labreport.errors import UsageError
from labreport.handin import bundle
from labreport.handin.contents import PackError
from labreport.results import files
from labreport.results.strict_json import seal, unseal

ROOT = Path(__file__).parents[3]


# ----------------------------------------------------------------------------------------------- same bytes


def test_equal_files_give_equal_bytes_in_any_folder_at_any_time_with_any_rights(made_once, tmp_path):
    first = digest(copied(made_once, tmp_path / "first"))
    other = copied(made_once, tmp_path / "an other ü" / "place")
    for path in sorted(other.root.rglob("*"), reverse=True):
        os.utime(path, (0, 0))
        if path.is_file():
            path.chmod(0o700)
    old = os.umask(0o077)
    try:
        assert digest(other) == first
    finally:
        os.umask(old)


def test_time_and_place_of_the_run_are_not_packed(project):
    first = digest(project)
    run = project.results / "one" / "run.json"
    record = unseal(run.read_bytes(), "run.json", cure="")
    assert {"started", "seconds", "jobs", "revision", "python"} <= record.keys()
    run.write_bytes(seal({**record, "started": "2031", "finished": "2032", "seconds": 9e9, "jobs": 64}))
    drawing = project.results / "one" / "figures" / "draw.json"
    drawing.write_bytes(seal({**unseal(drawing.read_bytes(), "draw.json", cure=""), "seconds": 5.0}))
    assert digest(project) == first


def test_another_process_with_another_environment_gives_the_same_bytes(project):
    first = digest(project)
    code = (
        "import sys; from pathlib import Path\n"
        "from labreport import project\nfrom labreport.handin import bundle\n"
        "bundle.pack(project.load(Path(sys.argv[1])))"
    )
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": "/nonexistent", "PYTHONUTF8": "0",
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", code, project.root], check=True, env=environment, cwd="/")
    assert (project.submission / "code.zip").read_bytes() == first


def test_an_unpacked_project_packs_to_the_same_bytes(project, tmp_path):
    first = digest(project)
    zipfile.ZipFile(project.submission / "code.zip").extractall(tmp_path / "empty")
    code = tmp_path / "empty" / "code"
    shutil.copytree(code / "notebooks", code / "build" / "notebooks")
    shutil.copyfile(project.pdf, code / "build" / "report.pdf")
    assert digest(projects_of.load(code)) == first


# ------------------------------------------------------------------------------------------------ up to date


def change_result(project):
    path = project.results / "one" / "figures" / "line.csv"
    path.write_text(path.read_text() + "9\n")


CHANGES = {
    "src/thing/__init__.py changed": change_source,
    "build/results/one/figures/line.csv changed": change_result,
    "tests/new.py is new": lambda p: projects.write(p.root / "tests/new.py", ""),
    "experiments/sweep.yaml is gone": lambda p: (p.root / "experiments/sweep.yaml").unlink(),
    "build/report.pdf changed": lambda p: write_pdf(p.pdf, "Another"),
    "notebooks/walk.ipynb changed": lambda p: (p.notebooks / "walk.ipynb").write_text("{}"),
    "never packed": lambda p: shutil.rmtree(p.submission),
    "build/submission/code.zip: it is missing": lambda p: (p.submission / "code.zip").unlink(),
    "build/submission: there is no record of what was packed": lambda p: (
        p.build / "cache" / "handin.json"
    ).write_text("{}"),
}


@pytest.mark.parametrize("reason", CHANGES)
def test_a_hand_in_is_current_until_something_in_it_changes(project, reason):
    assert bundle.out_of_date(project) == ["never packed"]
    bundle.pack(project)
    assert bundle.out_of_date(project) == []
    CHANGES[reason](project)
    assert bundle.out_of_date(project) == [reason]
    bundle.pack(project)
    assert bundle.out_of_date(project) == []


def test_a_later_run_that_found_the_same_changes_nothing(project):
    shutil.rmtree(project.root / "src/labreport")
    bundle.pack(project)
    projects.run(project, force=True)
    assert bundle.out_of_date(project) == []


def test_looking_whether_it_is_current_imports_nothing_heavy(project):
    bundle.pack(project)
    code = (
        "import sys; from pathlib import Path\n"
        "from labreport import project\nfrom labreport.handin import bundle\n"
        "assert bundle.out_of_date(project.load(Path(sys.argv[1]))) == []\n"
        "print(sorted({'numpy', 'pypdf', 'matplotlib', 'pandas', 'jinja2'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code, project.root],
        check=True,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]"


# --------------------------------------------------------------------------------------------------- refused


def test_a_quick_build_is_not_handed_in(project):
    quick = projects_of.load(project.root, quick=True)
    with pytest.raises(UsageError, match="quick") as caught:
        bundle.pack(quick)
    assert caught.value.cure == f"run `{quick.program} --full`"


def test_without_report_result_or_notebook_nothing_is_packed(project):
    bundle.pack(project)
    (project.notebooks / "walk.ipynb").unlink()
    (project.results / "one" / "run.json").unlink()
    error = refused(project)
    assert error.exit_code == 7
    assert "the notebook 'walk' has not been woven" in str(error)
    assert "the result of 'one' is missing" in str(error)
    project.pdf.unlink()
    assert "there is no build/report.pdf" in refused(project).what


# --------------------------------------------------------------------------------------------------- publish


def test_a_failure_at_the_last_step_leaves_the_last_hand_in(project, monkeypatch):
    bundle.pack(project)
    change_source(project)

    def fail(*_):
        raise OSError(28, "No space left on device")

    before = (project.submission / "code.zip").read_bytes()
    monkeypatch.setattr(files, "replace_folder", fail)
    with pytest.raises(OSError, match="No space"):
        bundle.pack(project)
    assert (project.submission / "code.zip").read_bytes() == before
    assert list(project.build.glob(".tmp-*")) == []


def test_a_zip_that_was_not_written_whole_is_not_published(project, monkeypatch):
    bundle.pack(project)
    change_source(project)
    write = Path.write_bytes

    def damage(path, data):
        return write(path, data.replace(b"What the thing did", b"What the thing dad"))

    monkeypatch.setattr(Path, "write_bytes", damage)
    assert "damaged while it was written" in refused(project).what


def test_what_a_killed_packing_left_is_removed_and_the_last_hand_in_put_back(project):
    bundle.pack(project)
    before = (project.submission / "code.zip").read_bytes()
    project.submission.rename(project.build / ".tmp-old-submission")
    (project.build / ".tmp-abc").mkdir()
    change_source(project)
    in_template(project, TOKEN)
    with build.building(project), pytest.raises(PackError):
        bundle.pack(project)
    assert (project.submission / "code.zip").read_bytes() == before
    (project.root / "report_templates/sections/a.tex.j2").write_text("more\n")
    bundle.pack(project)
    assert (project.submission / "code.zip").read_bytes() != before
    assert list(project.build.glob(".tmp-*")) == []
