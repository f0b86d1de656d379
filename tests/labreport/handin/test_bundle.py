"""The hand-in: what goes in, the same bytes for the same files, and what is refused."""

import base64
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
import zlib
from pathlib import Path

import projects
import pytest
from matplotlib.figure import Figure

from labreport import project as projects_of
from labreport import running
from labreport.errors import InputError, LabreportError, UsageError
from labreport.handin import bundle, readme
from labreport.handin.bundle import PackError
from labreport.project import Project
from labreport.results import files
from labreport.results.strict_json import seal, unseal

ROOT = Path(__file__).parents[3]
TOML = """\
subtitle = "A subtitle"
authors = ["Ada Lovelace (abc123)", "Zoë & Co"]
date = "1 May 2025"
"""
EXPERIMENT = projects.experiment(
    """
    def run(params, lab):
        return {"x": lab.file("data/numbers.csv").read_text()}


    def draw(result, lab):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1, 1))
        figure.add_subplot(xlabel="x", ylabel="y").plot([1, 2])
        lab.figure("line", figure, alt="A line.", data={"x": [1, 2]})
    """,
    reads=("data/numbers.csv",),
)
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
TOKEN = "gh" + "p_" + "aB3d" * 9
OWN = [
    "build/README.md",
    "build/results/one/figures/figures.json",
    "build/results/one/figures/line.csv",
    "build/results/one/figures/line.pdf",
    "build/results/one/figures/line.png",
    "build/results/one/result.json",
    "build/results/one/run.json",
    "data/numbers.csv",
    "experiments/inner/more.py",
    "experiments/one.py",
    "experiments/style.mplstyle",
    "experiments/sweep.yaml",
    "notebooks/walk.ipynb",
    "report.toml",
    "report_templates/notebooks/walk.py.j2",
    "report_templates/references.bib",
    "report_templates/report.tex.j2",
    "report_templates/sections/a.tex.j2",
    "src/labreport/__init__.py",
    "src/thing/__init__.py",
    "src/thing/py.typed",
    "src/thing/thing.sty",
    "tests/test_thing.py",
]
LEFT_OUT = ["experiments/notes.txt", "src/thing/big.bin", "tests/data.json", "build/results/old"]


def write_pdf(path: Path, text: str, **metadata: str) -> None:
    figure = Figure(figsize=(5, 1))
    figure.text(0.1, 0.5, text)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"CreationDate": None, **metadata})


def fill(project: Project) -> Project:
    for name, text in {
        "data/numbers.csv": "1,2\n",
        "data/others.csv": "3,4\n",
        "build/README.md": "What lies here\n",
        "build/notebooks/walk.ipynb": json.dumps(NOTEBOOK, indent=1),
        "build/latex/report.tex": "generated\n",
        "build/quick/results/one/result.json": "{}",
        "build/log/one.log": "printed\n",
        "experiments/inner/more.py": "X = 1\n",
        "experiments/style.mplstyle": "font.size: 8\n",
        "experiments/sweep.yaml": "a: 1\n",
        "experiments/notes.txt": "not packed\n",
        "experiments/.env": "A=1\n",
        "experiments/__pycache__/one.pyc": "cache",
        "report_templates/report.tex.j2": "text\n",
        "report_templates/references.bib": "@book{a}\n",
        "report_templates/sections/a.tex.j2": "more\n",
        "report_templates/notebooks/walk.py.j2": "# %%\n",
        "src/thing/__init__.py": '"""What the thing does."""\n',
        "src/thing/py.typed": "",
        "src/thing/thing.sty": "% style\n",
        "src/thing/big.bin": "x",
        "tests/test_thing.py": "def test(): pass\n",
        "tests/data.json": "{}",
        "scratch.py": "not packed either\n",
        ".netrc": "not packed\n",
    }.items():
        projects.write(project.root / name, text)
    write_pdf(project.pdf, "The report")
    projects.run(project)
    projects.write(project.results / "old" / "result.json", "{}")
    projects.write(project.root / "src/labreport/__init__.py", "# in place of all of labreport\n")
    return project


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "project"
    return fill(projects.make(folder, {"one": EXPERIMENT}, toml=TOML))


def copied(project: Project, folder: Path, toml: str | None = None) -> Project:
    shutil.copytree(project.root, folder)
    if toml is not None:
        (folder / "report.toml").write_text(f'title = "T"\n{toml}', encoding="utf-8")
    return projects_of.load(folder)


@pytest.fixture
def project(made_once, tmp_path) -> Project:
    return copied(made_once, tmp_path / "project")


def names(project: Project) -> list[str]:
    with zipfile.ZipFile(project.submission / "code.zip") as packed:
        assert all(name.startswith("code/") for name in packed.namelist())
        return [name.removeprefix("code/") for name in packed.namelist()]


def refused(project: Project) -> LabreportError:
    """Return why a project is not packed, after a look at whether the last hand-in is as it was."""
    before = {p: p.read_bytes() for p in project.submission.glob("*")}
    with pytest.raises(LabreportError) as caught:
        bundle.pack(project)
    assert {p: p.read_bytes() for p in project.submission.glob("*")} == before
    assert list(project.build.glob(".tmp-*")) == []
    return caught.value


# --------------------------------------------------------------------------------------------- what goes in


def test_the_zip_holds_what_the_allow_list_names_in_alphabetical_order(project):
    submission = bundle.pack(project)
    packed = names(project)
    assert packed == sorted([*OWN, "README.txt", *bundle.MAIN]) == list(submission.files)
    with zipfile.ZipFile(submission.code) as archive:
        for name in OWN:
            inside = archive.read(f"code/{name}")
            outside = project.root / name.replace("notebooks/walk.ipynb", "build/notebooks/walk.ipynb")
            assert name.endswith("run.json") or inside == outside.read_bytes(), name


def test_the_report_lies_beside_the_zip_and_not_in_it(project):
    submission = bundle.pack(project)
    assert submission.report.read_bytes() == project.pdf.read_bytes()
    assert sorted(p.name for p in project.submission.iterdir()) == ["code.zip", "report.pdf"]
    with zipfile.ZipFile(submission.code) as packed:
        assert project.pdf.read_bytes() not in [packed.read(name) for name in packed.namelist()]


def test_what_is_left_out_is_named(project):
    (notice,) = bundle.pack(project).notices
    assert all(name in notice for name in LEFT_OUT)
    assert "include" in notice
    for name in LEFT_OUT:
        path = project.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert bundle.pack(project).notices == ()


def test_a_project_gets_of_labreport_what_it_has_not_itself(project):
    projects.write(project.root / "Makefile", "report:\n\ttrue\n")
    shutil.rmtree(project.root / "src/labreport")
    bundle.pack(project)
    with zipfile.ZipFile(project.submission / "code.zip") as packed:
        assert packed.read("code/Makefile") == b"report:\n\ttrue\n"
        assert packed.read("code/build_report.py") == (ROOT / "build_report.py").read_bytes()
        found = [n.removeprefix("code/src/labreport/") for n in packed.namelist() if "src/labreport" in n]
    folder = ROOT / "src/labreport"
    source = [path for path in folder.rglob("*.*") if path.suffix in (".py", ".sty", ".typed")]
    engine = [path.relative_to(folder).as_posix() for path in source]
    assert found == sorted(engine)


def test_the_packed_results_are_fresh_in_the_unpacked_project(project, tmp_path):
    bundle.pack(project)
    subprocess.run(["unzip", "-q", project.submission / "code.zip", "-d", tmp_path / "empty"], check=True)
    unpacked = projects_of.load(tmp_path / "empty" / "code")
    assert [(s.experiment, s.state, s.last_seconds) for s in running.plan(unpacked)] == [
        ("one", "fresh", None)
    ]


@pytest.mark.parametrize(
    ("pattern", "added"),
    [
        ("data/*.csv", ["data/others.csv"]),
        ("data/**", ["data/deep/er.txt", "data/others.csv"]),
        ("data/**/*.txt", ["data/deep/er.txt"]),
        ("experiments/notes.txt", ["experiments/notes.txt"]),
        ("data/other?.csv", ["data/others.csv"]),
    ],
)
def test_report_toml_can_name_further_files(made_once, tmp_path, pattern, added):
    project = copied(made_once, tmp_path / "p", f'submission = {{include = ["{pattern}"]}}')
    projects.write(project.root / "data" / "deep" / "er.txt", "deeper\n")
    before = set(OWN)
    packed = bundle.pack(project)
    assert (
        sorted(n for n in packed.files if n.startswith(("data", "experiments")) and n not in before) == added
    )
    assert not any(name in packed.notices[0] for name in added)


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("dat/*.csv", "matches no file"),
        ("../x", "cannot hold"),
        ("/etc/passwd", "cannot hold"),
        ("build/log/*", "cannot hold"),
        (".netrc", "cannot hold"),
        ("data//x", "cannot hold"),
        ("data\\\\x", "cannot hold"),
        ("*/log/one.log", "matches no file"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_an_error_with_its_line(made_once, tmp_path, pattern, what):
    project = copied(made_once, tmp_path / "p", f'[submission]\ninclude = [\n  "{pattern}"]\n')
    error = refused(project)
    assert isinstance(error, InputError)
    assert what in error.what
    assert (error.place.file, error.place.line) == ("report.toml", None if "\\" in pattern else 4)


@pytest.mark.parametrize(
    "value", ['"data"', "{incl = []}", "{include = [1]}", "{include = 'x'}", "{allow = [[]]}"]
)
def test_the_table_of_report_toml_is_checked(tmp_path, value):
    with pytest.raises(InputError, match="include"):
        projects.make(tmp_path, {}, toml=f"submission = {value}")


# ----------------------------------------------------------------------------------------------- same bytes


def digest(project: Project) -> bytes:
    bundle.pack(project)
    return (project.submission / "code.zip").read_bytes()


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


def test_dates_rights_and_system_are_fixed(project):
    projects.write(
        project.root / "experiments" / "tool.py", "#!/usr/bin/env python\nfrom experiments import one\n"
    )
    data = bundle.archive({"b.py": b"#!/bin/sh\n", "a ü.py": b"x = 1\n"})
    (project.build / "x.zip").write_bytes(data)
    with zipfile.ZipFile(project.build / "x.zip") as packed:
        entries = packed.infolist()
    assert [e.filename for e in entries] == ["code/a ü.py", "code/b.py"]
    assert {e.date_time for e in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [stat.filemode(e.external_attr >> 16) for e in entries] == ["-rw-r--r--", "-rwxr-xr-x"]
    assert {e.create_system for e in entries} == {3}
    subprocess.run(["unzip", "-tq", project.build / "x.zip"], check=True, capture_output=True)


# ------------------------------------------------------------------------------------------------ up to date


def change_source(project):
    projects.change(project.root / "src/thing/__init__.py", "does", "did")


def change_result(project):
    path = project.results / "one" / "figures" / "line.csv"
    path.write_text(path.read_text() + "9\n")


CHANGES = {
    "src/thing/__init__.py changed": change_source,
    "build/results/one/figures/line.csv changed": change_result,
    "tests/new.py is new": lambda p: projects.write(p.root / "tests/new.py", ""),
    "experiments/sweep.yaml is gone": lambda p: (p.root / "experiments/sweep.yaml").unlink(),
    "build/report.pdf is another one": lambda p: write_pdf(p.pdf, "Another"),
    "notebooks/walk.ipynb changed": lambda p: (p.notebooks / "walk.ipynb").write_text("{}"),
    "never packed": lambda p: (p.submission / "code.zip").unlink(),
    "build/submission/code.zip is damaged": lambda p: (p.submission / "code.zip").write_bytes(b"PK"),
}


@pytest.mark.parametrize("reason", CHANGES)
def test_a_hand_in_is_current_until_something_in_it_changes(project, reason):
    assert bundle.is_current(project) == ["never packed"]
    bundle.pack(project)
    assert bundle.is_current(project) == []
    CHANGES[reason](project)
    assert bundle.is_current(project) == [reason]
    bundle.pack(project)
    assert bundle.is_current(project) == []


def test_a_later_run_that_found_the_same_changes_nothing(project):
    shutil.rmtree(project.root / "src/labreport")
    bundle.pack(project)
    projects.run(project, force=True)
    assert bundle.is_current(project) == []


def test_looking_whether_it_is_current_imports_nothing_heavy(project):
    bundle.pack(project)
    code = (
        "import sys; from pathlib import Path\n"
        "from labreport import project\nfrom labreport.handin import bundle\n"
        "assert bundle.is_current(project.load(Path(sys.argv[1]))) == []\n"
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
    with pytest.raises(UsageError, match="quick"):
        bundle.pack(projects_of.load(project.root, quick=True))


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


def link_file(project):
    (project.root / "src/thing/link.py").symlink_to("/etc/hostname")


def link_folder(project):
    (project.root / "tests/linked").symlink_to("/etc")


def link_all_sources(project):
    shutil.move(project.root / "src", project.root / "elsewhere")
    (project.root / "src").symlink_to(project.root / "elsewhere")


def link_single(project):
    (project.root / "Makefile").symlink_to("/etc/hostname")


@pytest.mark.parametrize(
    ("link", "name"),
    [(link_file, "src/thing/link.py"), (link_folder, "tests/linked"), (link_all_sources, "src"),
     (link_single, "Makefile")],
)  # fmt: skip
def test_symbolic_links_are_refused_by_name(project, link, name):
    bundle.pack(project)
    link(project)
    assert refused(project).what == f"{name} is a symbolic link, which is not handed in"


def test_links_that_would_not_be_packed_do_not_matter(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", 'submission = {include = ["*.md"]}')
    projects.write(project.root / "NOTES.md", "notes\n")
    (project.root / "link.txt").symlink_to("/etc/hostname")
    (project.root / "src" / "thing" / ".#a.py").symlink_to("anneliese@ws:1")
    assert "NOTES.md" in bundle.pack(project).files
    (project.root / "link.md").symlink_to("/etc/hostname")
    assert refused(project).what == "link.md is a symbolic link, which is not handed in"


def test_what_is_no_regular_file_is_refused_without_being_opened(project):
    os.mkfifo(project.root / "tests" / "pipe.py")
    assert refused(project).what == "tests/pipe.py is no regular file"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("tests/Test_thing.py", "differ only in upper and lower case"),
        ("tests/a:b.py", "cannot be unpacked on every system"),
        ("tests/a\\b.py", "cannot be unpacked on every system"),
        ("tests/a\nb.py", "cannot be unpacked on every system"),
    ],
)
def test_names_that_some_system_cannot_have_are_refused(project, name, what):
    projects.write(project.root / name, "x = 1\n")
    assert what in refused(project).what


def test_no_file_takes_the_place_of_the_readme(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", 'submission = {include = ["readme.txt"]}')
    projects.write(project.root / "readme.txt", "mine\n")
    assert "README" in refused(project).what


def in_source(project, text):
    projects.write(project.root / "src/thing/more.py", f"\n\nX = '{text}'\n")
    return "src/thing/more.py:3"


def in_template(project, text):
    projects.write(project.root / "report_templates/sections/a.tex.j2", f"one\n{text}\n")
    return "report_templates/sections/a.tex.j2:2"


def in_result(project, text):
    projects.write(project.results / "one" / "figures" / "more.csv", f"a\n{text}\n")
    return "build/results/one/figures/more.csv:2"


def in_notebook(project, text):
    output = {"output_type": "stream", "name": "stdout", "text": ["fine\n", f"see {text}\n"]}
    cells = [{"cell_type": "code", "source": [], "outputs": [output]}]
    data = json.dumps({**NOTEBOOK, "cells": cells}, indent=1)
    projects.write(project.notebooks / "walk.ipynb", data)
    line = data[: data.index(json.dumps(text)[1:-1])].count("\n") + 1
    return f"build/notebooks/walk.ipynb:{line}"


def in_picture_of_notebook(project, text):
    path = project.root / "picture.png"
    Figure().savefig(path, metadata={"Comment": f"made from {text} here"})
    data = {"image/png": base64.b64encode(path.read_bytes()).decode() + "\n"}
    cells = [{"cell_type": "code", "source": [], "outputs": [{"data": data}]}]
    projects.write(project.notebooks / "walk.ipynb", json.dumps({**NOTEBOOK, "cells": cells}))
    return "build/notebooks/walk.ipynb:1"


def in_png(project, text):
    Figure().savefig(project.results / "one/figures/line.png", metadata={"Comment": text})
    return "build/results/one/figures/line.png"


def in_figure_stream(project, text):
    stream = zlib.compress(f"q {text} Q".encode())
    data = b"%PDF-1.5\n1 0 obj\n<< >>\nstream\n" + stream + b"\nendstream\nendobj\n"
    (project.results / "one/figures/line.pdf").write_bytes(data)
    return "build/results/one/figures/line.pdf"


def in_metadata(project, text):
    write_pdf(project.pdf, "The report", Subject=text)
    return "build/report.pdf"


def on_a_page(project, text):
    write_pdf(project.pdf, text)
    return "build/report.pdf, page 1"


def in_title(project, text):
    path = project.root / "report.toml"
    path.write_text(path.read_text().replace("A subtitle", text))
    return "report.toml:2"


PLACES = [
    in_source, in_template, in_result, in_notebook, in_picture_of_notebook, in_png, in_figure_stream,
    in_metadata, on_a_page, in_title,
]  # fmt: skip
VALUE = "Zx9qT4wR2kLm5vB8"
CASES = [("token", plant) for plant in PLACES]
CASES += [
    (what, plant) for what in ("value", "path", "name") for plant in (in_source, in_notebook, on_a_page)
]


@pytest.mark.parametrize(("what", "plant"), CASES)
def test_what_gives_something_away_is_refused_with_its_place_and_without_its_value(
    project, monkeypatch, plant, what
):
    monkeypatch.setenv("MY_API_KEY", VALUE)
    monkeypatch.setenv("HOME", "/home/somewhere")
    monkeypatch.setenv("USER", "anneliese")
    bundle.pack(project)
    text = {"token": TOKEN, "value": VALUE, "path": "/home/somewhere/x", "name": "anneliese"}[what]
    place = plant(project, text)
    error = refused(projects_of.load(project.root))
    assert error.exit_code == 7
    assert f"  at {place}" in error.lines()
    assert text not in str(error)
    assert {
        "token": "a token of GitHub",
        "value": "MY_API_KEY",
        "path": "home folder",
        "name": "machine's user",
    }[what] in str(error)


def test_all_that_is_given_away_is_named_at_once(project):
    in_source(project, TOKEN)
    in_template(project, "https://me:" + "pa55word@example.org")
    message = str(refused(project))
    assert "src/thing/more.py:3" in message
    assert "a.tex.j2:2" in message


def test_report_toml_can_say_what_is_harmless(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", f'submission = {{allow = ["{TOKEN}"]}}')
    in_source(project, TOKEN)
    assert "src/thing/more.py" in bundle.pack(project).files


def test_an_author_who_is_the_user_is_named(project, monkeypatch):
    monkeypatch.setenv("USER", "lovelace")
    in_source(project, "by lovelace")
    assert "src/thing/more.py" in bundle.pack(project).files


def test_a_damaged_report_is_no_traceback(project):
    project.pdf.write_bytes(b"%PDF-1.5\nnothing\n%%EOF")
    assert "cannot be read back" in refused(project).what


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
    assert "not written as it should be" in refused(project).what


def test_what_a_killed_packing_left_is_removed_and_the_last_hand_in_put_back(project):
    bundle.pack(project)
    before = (project.submission / "code.zip").read_bytes()
    project.submission.rename(project.build / ".tmp-old-submission")
    (project.build / ".tmp-abc").mkdir()
    change_source(project)
    in_template(project, TOKEN)
    with pytest.raises(PackError):
        bundle.pack(project)
    (project.root / "report_templates/sections/a.tex.j2").write_text("more\n")
    bundle.pack(project)
    assert (project.submission / "code.zip").read_bytes() != before
    assert list(project.build.glob(".tmp-*")) == []


# ---------------------------------------------------------------------------------------------------- README


def packed_readme(project: Project) -> str:
    bundle.pack(project)
    with zipfile.ZipFile(project.submission / "code.zip") as packed:
        return packed.read("code/README.txt").decode()


def test_the_readme_says_what_it_is_and_how_to_run_it(project):
    text = packed_readme(project)
    assert text.splitlines()[:4] == ["T", "A subtitle", "Ada Lovelace (abc123), Zoë & Co", "1 May 2025"]
    for line in ("make report", "make test", "python build_report.py pdf", "python build_report.py run one"):
        assert f"\n  {line}" in text
    assert re.search(r"notebooks/walk\.ipynb +a notebook, executed", text)
    assert re.search(r"src/thing/ +What the thing does\n", text)
    assert re.search(r"one +What comes out\?", text)
    assert max(map(len, text.splitlines())) <= 79
    assert text.isprintable() or set(text) - set("\n") == {c for c in text if c.isprintable()}


def test_the_readme_lists_python_every_direct_library_with_its_version_and_the_systems_packages(project):
    text = " ".join(packed_readme(project).split())
    meta = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    assert meta["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer." in text
    assert len(meta["dependencies"]) > 10
    for requirement in [*meta["dependencies"], *meta["optional-dependencies"]["dev"]]:
        name = re.match(r"[\w-]+", requirement)[0]
        version = next(v for n, v in pins.items() if n.lower().replace("_", "-") == name.lower())
        assert re.search(rf"(?<![\w-]){name} {re.escape(version)}[,.]", text), name
    assert "texlive-latex-extra" in text
    assert "latexmk" in text


def test_the_readme_follows_the_project(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", "")
    shutil.rmtree(project.root / "tests")
    (project.root / "report_templates/notebooks/walk.py.j2").unlink()
    projects.change(project.root / "experiments/one.py", "What comes out?", "What goes in?")
    projects.write(
        project.root / "pyproject.toml",
        '[project]\nrequires-python = ">=3.12,<4"\ndependencies = ["a>1", "b[x]"]',
    )
    projects.write(project.root / "constraints.txt", "# pins\nB==2.5  # why\nc==1\n")
    projects.write(project.root / "Makefile", "TEX_PACKAGES = tex-a \\\n\ttex-b  # two\n")
    text = packed_readme(project)
    assert "(authors: not named yet)" in text
    assert "What goes in?" in text
    assert "Python >=3.12,<4." in text
    assert "Libraries: a>1, b 2.5." in text
    assert "System packages (Debian, Ubuntu): tex-a, tex-b." in text
    assert "make test" not in text
    assert "notebook" not in text.lower()


def test_a_broken_pyproject_is_named(project):
    projects.write(project.root / "pyproject.toml", "[project\n")
    error = refused(project)
    assert isinstance(error, InputError)
    assert error.place.file == "pyproject.toml"


def test_the_readme_records_the_class_of_processors(project):
    text = packed_readme(project)
    assert readme.recorded_processor(text) == readme.processor_class()
    assert os.uname().machine in readme.recorded_processor(text)
    assert readme.recorded_processor("no such line\n") == ""
