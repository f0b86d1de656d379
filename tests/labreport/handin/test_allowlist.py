"""What goes into the zip, and what is refused by its name or its kind."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import projects
import pytest
from handed import LEFT_OUT, OWN, copied, names, refused

from labreport import project as projects_of
from labreport import running
from labreport.documents import report
from labreport.errors import InputError
from labreport.handin import bundle, standalone

ROOT = Path(__file__).parents[3]


def test_the_zip_holds_what_the_allow_list_names_in_alphabetical_order(project):
    submission = bundle.pack(project)
    packed = names(project)
    assert packed == sorted([*OWN, "README.txt", *standalone.MAIN]) == list(submission.files)
    with zipfile.ZipFile(submission.code) as archive:
        for name in OWN:
            inside = archive.read(f"code/{name}")
            outside = project.root / name.replace("notebooks/walk.ipynb", "build/notebooks/walk.ipynb")
            assert name.endswith("run.json") or inside == outside.read_bytes(), name


def test_what_was_read_is_handed_in_so_that_nothing_is_asked_again(project):
    bundle.pack(project)
    assert bundle.out_of_date(project) == []
    text = '"thing:f" = "0123456789abcdef"\n'
    projects.write(project.accepted, text)
    assert bundle.out_of_date(project) == ["accepted.toml is new"]
    bundle.pack(project)
    with zipfile.ZipFile(project.submission / "code.zip") as archive:
        assert archive.read("code/accepted.toml").decode() == text


def test_the_report_lies_beside_the_zip_and_not_in_it(project):
    submission = bundle.pack(project)
    assert submission.reports[0].read_bytes() == project.pdf.read_bytes()
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


def test_the_packed_results_are_fresh_in_the_unpacked_project(project, tmp_path):
    bundle.pack(project)
    subprocess.run(["unzip", "-q", project.submission / "code.zip", "-d", tmp_path / "empty"], check=True)
    unpacked = projects_of.load(tmp_path / "empty" / "code")
    assert [(s.experiment, s.state, s.last_seconds) for s in running.plan(unpacked)] == [
        ("one", "fresh", None)
    ]


def test_a_file_that_an_experiment_reads_without_declaring_it_is_packed(project, tmp_path):
    text = 'def run(params, lab):\n    return {"x": open("data/others.csv").read()}\n'
    projects.write(project.experiments / "two.py", projects.experiment(text))
    engine = project.root / "src/labreport/__init__.py"
    stand_in = engine.read_text()
    engine.unlink()  # the run needs the real one
    projects.run(project, ["two"])
    projects.write(engine, stand_in)
    bundle.pack(project)
    assert "data/others.csv" in names(project)
    subprocess.run(["unzip", "-q", project.submission / "code.zip", "-d", tmp_path / "empty"], check=True)
    assert projects.states(projects_of.load(tmp_path / "empty" / "code"))["two"] == "fresh"


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


def test_report_toml_can_leave_out_sources(made_once, tmp_path):
    toml = 'submission = {exclude = ["tests/**", "src/thing/*.sty"], include = ["tests/data.json"]}'
    project = copied(made_once, tmp_path / "p", toml)
    packed = bundle.pack(project)
    gone = {"tests/test_thing.py", "src/thing/thing.sty"}
    assert {*OWN, "tests/data.json"} - set(packed.files) == gone
    assert not any(name in notice for name in gone for notice in packed.notices)
    with zipfile.ZipFile(packed.code) as archive:
        text = " ".join(archive.read("code/README.txt").decode().split())
    assert "Not handed in, as no answer needs it: tests/**, src/thing/*.sty." in text
    assert bundle.out_of_date(project) == []


def test_an_unpacked_hand_in_without_them_packs_the_same_zip(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", '[submission]\nexclude = ["tests/**", "src/thing/*.sty"]\n')
    packed = bundle.pack(project)
    with zipfile.ZipFile(packed.code) as archive:
        archive.extractall(tmp_path)
    unpacked = projects_of.load(tmp_path / "code")
    shutil.copyfile(project.pdf, unpacked.pdf)
    shutil.copytree(unpacked.root / "notebooks", unpacked.notebooks)
    assert bundle.pack(unpacked).code.read_bytes() == packed.code.read_bytes()


@pytest.mark.parametrize(
    ("pattern", "lost"),
    [
        ("report_templates/*.bib", "report_templates/references.bib"),
        ("report_templates/sections/**", "report_templates/sections/a.tex.j2"),
        ("report_templates/notebooks/*", "report_templates/notebooks/walk.py.j2"),
        ("experiments/one.py", "experiments/one.py"),
        ("src/thing/*.py", "src/thing/__init__.py"),
        ("src/thing/*.sty", "src/thing/thing.sty"),
        ("**", "experiments/one.py and 6 more"),
    ],
)
def test_what_the_hand_in_is_made_from_cannot_be_left_out(made_once, tmp_path, pattern, lost):
    """The experiment imports the thing, and the report shows its style."""
    project = copied(made_once, tmp_path / "p", f'[submission]\nexclude = ["{pattern}"]\n')
    source = (project.experiments / "one.py").read_text()
    projects.write(project.experiments / "one.py", source.replace("\ndef run", "\nimport thing\n\ndef run"))
    shows(project, "src/thing/thing.sty")
    error = refused(project)
    assert isinstance(error, InputError)
    assert error.what.endswith(f"leaves out what is needed to make the hand-in: {lost}")
    assert (error.place.file, error.place.line) == ("report.toml", 3)


def shows(project, *files):
    """Let the published report show these files."""
    projects.write(project.latex / "report.tex", "generated")
    projects.write(project.provenance, "{}")
    report.write_state(project, report.inputs(project, files), files)


def test_files_that_the_report_shows_are_handed_in(project):
    shows(project, "data/others.csv", "src/thing/__init__.py")
    assert {"data/others.csv"} == set(bundle.pack(project).files) - {*OWN, "README.txt", *standalone.MAIN}


@pytest.mark.parametrize("pattern", ["tests/nothing.py", "build/results/**", "data/**", "notebooks/*"])
def test_a_pattern_that_leaves_out_no_source_is_an_error_with_its_line(made_once, tmp_path, pattern):
    project = copied(made_once, tmp_path / "p", f'[submission]\nexclude = [\n  "{pattern}"]\n')
    error = refused(project)
    assert isinstance(error, InputError)
    assert "matches no file in experiments" in error.what
    assert (error.place.file, error.place.line) == ("report.toml", 4)


@pytest.mark.parametrize(
    "value", ['"data"', "{incl = []}", "{include = [1]}", "{include = 'x'}", "{allow = [[]]}"]
)
def test_the_table_of_report_toml_is_checked(tmp_path, value):
    with pytest.raises(InputError, match="include"):
        projects.make(tmp_path, {}, toml=f"submission = {value}")


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


def test_anything_but_a_regular_file_is_refused_without_being_opened(project):
    os.mkfifo(project.root / "tests" / "pipe.py")
    assert refused(project).what == "tests/pipe.py is not a regular file"


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
