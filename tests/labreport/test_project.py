"""report.toml: what it may say, and how its mistakes are reported."""

from pathlib import Path

import pytest

from labreport.config import Config
from labreport.errors import InputError, UsageError
from labreport.project import find, load, nearest

FULL = """\
title = "Deep & wide"
subtitle = "Assignment"
authors = ["A", "B"]
date = "29 November 2024"
template = "main.tex.j2"
preload = ["torch"]
deadline = 60

[deadlines]
depth_width = 7200.5

[questions]
"3.1" = "Write a program"
"3.1(a)" = "Which loss?"

[constants]
"95 %" = "level of all intervals"

[pages]
main = 18
"""


def load_text(folder: Path, text: str | bytes, **options):
    (folder / "report.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(folder, **options)


def test_all_settings_are_read(tmp_path):
    assert load_text(tmp_path, FULL).config == Config(
        title="Deep & wide",
        subtitle="Assignment",
        authors=("A", "B"),
        date="29 November 2024",
        template="main.tex.j2",
        preload=("torch",),
        deadline=60,
        deadlines={"depth_width": 7200.5},
        questions={"3.1": "Write a program", "3.1(a)": "Which loss?"},
        constants={"95 %": "level of all intervals"},
        pages={"main": 18},
    )


def test_only_the_title_is_needed(tmp_path):
    config = load_text(tmp_path, 'title = "T"').config
    assert (config.authors, config.date, config.deadline) == ((), "", 3600)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("0 B", 0),
        ("1500B", 1500),
        ("20 kB", 20_000),
        ("500 MB", 500_000_000),
        ("1.5 GB", 1_500_000_000),
        ("2 TB", 2 * 10**12),
        ("4 KiB", 4096),
        ("3 MiB", 3 * 1024**2),
        ("0.5 GiB", 2**29),
        ("1 TiB", 2**40),
    ],
)
def test_the_size_of_the_store_is_read_with_its_unit(tmp_path, written, size):
    assert load_text(tmp_path, f'title = "T"\nstore = "{written}"').config.most_stored == size


def test_the_store_has_a_gibibyte_unless_told_otherwise(tmp_path):
    assert load_text(tmp_path, 'title = "T"').config.most_stored == 2**30


def test_line_ends_and_the_byte_order_mark_do_not_count(tmp_path):
    windows = b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode()
    assert load_text(tmp_path, windows).config == load_text(tmp_path, FULL).config


def test_a_folder_without_report_toml_is_not_a_project(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="no project in") as caught:
            load(folder)
        assert "--project" in caught.value.cure


MISTAKES = [
    ('title = "T"\nauthor = ["A"]', "unknown key 'author'", ":2:1", "author", "'authors'"),
    ('title = "T"\n\n[ question ]\n"1" = "a"', "unknown key 'question'", ":3:3", "question", "'questions'"),
    ('title = "T"\n[deadlines.x]\ny = 1', "'deadlines' in report.toml must", ":2:2", "deadlines", "7200"),
    ("title = 3", "'title' in report.toml must be a text, not 3", ":1:1", "title", 'title = "'),
    ('  "title" = []', "'title' in report.toml must be a text, not []", ":1:4", "title", 'title = "'),
    ('title = "T"\nauthors = "A"', "must be a list of texts, not 'A'", ":2:1", "authors", "authors = ["),
    ('title = "T"\nauthors = ["A", 1]', "must be a list of texts", ":2:1", "authors", "authors = ["),
    ('title = "T"\ndate = 2024-11-29', "'date' in report.toml must be a", ":2:1", "date", 'date = "'),
    ('title = "T"\ndeadline = true', "positive number of seconds, not True", ":2:1", "deadline", "3600"),
    ('title = "T"\ndeadline = -1', "positive number of seconds, not -1", ":2:1", "deadline", "3600"),
    ('title = "T"\ndeadline = inf', "positive number of seconds, not inf", ":2:1", "deadline", "3600"),
    ('title = "T"\n[deadlines]\na = "long"', "names and positive seconds", ":2:2", "deadlines", "7200"),
    ('title = "T"\nstore = 1000', "must be a size in B, kB", ":2:1", "store", '"1 GiB"'),
    ('title = "T"\nstore = "1 gib"', "must be a size in B, kB", ":2:1", "store", '"1 GiB"'),
    ('title = "T"\nstore = "-1 GB"', "must be a size in B, kB", ":2:1", "store", '"1 GiB"'),
    ('title = "T"\n[questions]\n3.1 = "a"', "question numbers, in quotes", ":2:2", "questions", '"3.1" ='),
    ('title = "T"\n[constants]\n"95 %" = 95', "the reasons why", ":2:2", "constants", '"95 %" ='),
    ('title = "T"\n[pages]\nmain = 2.5', "both whole numbers, not {'main': 2.5}", ":2:2", "pages", "= 18"),
    ('title = "T"\n[pages]\nmain = true', "both whole numbers", ":2:2", "pages", "= 18"),
    ('title = "T"\n[pages]\nmain = -1', "both whole numbers", ":2:2", "pages", "= 18"),
    ('title = "T"\n[pages]\nannex = 1', "most pages of `main` and `appendix`", ":2:2", "pages", "= 18"),
    ('title = "T"\nlocale = "German"', "the tag of a language", ":2:1", "locale", '"de"'),
    ('title = "T"\npages = 18', "both whole numbers, not 18", ":2:1", "pages", "= 18"),
    ('subtitle = "T"', "report.toml has no title", "", None, 'title = "'),
    ("", "report.toml has no title", "", None, 'title = "'),
    ('title = "T"\ndate = ', "not valid TOML: Invalid value", ":2:8", None, "toml.io"),
    ('title = "T"\ntitle = "U"', "not valid TOML: Cannot overwrite a value", ":2:12", None, "toml.io"),
    ('title = "T', "not valid TOML: Unterminated string", ":1:11", None, "toml.io"),
    ('a = [\n"x",\n', "not valid TOML: Invalid value", ":3:1", None, "toml.io"),
]


@pytest.mark.parametrize(("text", "what", "place", "marked", "cure"), MISTAKES)
def test_a_mistake_is_told_with_its_line_and_the_cure(tmp_path, text, what, place, marked, cure):
    with pytest.raises(InputError) as caught:
        load_text(tmp_path, text)
    error = caught.value
    assert what in error.what
    assert str(error.place) == f"report.toml{place}"
    assert cure in error.cure
    assert len(error.lines()) <= 12
    if marked:
        start = error.place.column - 1
        assert error.place.source[start : start + error.place.length] == marked


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(InputError, match="not UTF-8"):
        load_text(tmp_path, 'title = "Dvo\xf8\xe1k"'.encode("latin-1"))


def test_a_long_wrong_value_is_shown_in_short(tmp_path):
    with pytest.raises(InputError) as caught:
        load_text(tmp_path, f"title = {list(range(1000))}")
    assert len(caught.value.what) < 130


def test_quick_builds_write_below_quick_only(tmp_path):
    full, quick = load_text(tmp_path, FULL), load_text(tmp_path, FULL, quick=True)
    names = ("build", "results", "log", "latex", "pdf", "provenance", "state", "lock")
    for name in names:
        assert getattr(full, name).is_relative_to(tmp_path / "build")
        assert not getattr(full, name).is_relative_to(quick.build)
        assert getattr(quick, name).is_relative_to(tmp_path / "build" / "quick")
    assert len({getattr(full, name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("results", "results"),
        ("checkpoints", "checkpoints"),
        ("latex", "latex"),
        ("pdf", "report.pdf"),
        ("notebooks", "notebooks"),
        ("submission", "submission"),
        ("provenance", "provenance.json"),
        ("annotated", "report-annotated.pdf"),
    ],
)
def test_what_is_generated_has_the_same_place_in_a_full_and_a_quick_build(tmp_path, name, place):
    assert getattr(load_text(tmp_path, FULL), name) == tmp_path / "build" / place
    assert getattr(load_text(tmp_path, FULL, quick=True), name) == tmp_path / "build" / "quick" / place


def test_what_the_author_writes_lies_in_the_folders_of_the_project(tmp_path):
    project = load_text(tmp_path, FULL, quick=True)
    assert project.experiments == tmp_path / "experiments"
    assert project.templates == tmp_path / "report_templates"
    assert project.style == tmp_path / "experiments" / "figures.mplstyle"


def test_paths_are_shown_relative_to_the_project(tmp_path):
    project = load_text(tmp_path, FULL)
    assert project.shown(tmp_path / "build" / "report.pdf") == "build/report.pdf"
    assert project.shown(tmp_path / "x" / ".." / "y") == "y"
    assert project.shown(Path("/nowhere/else")) == "/nowhere/else"


def test_a_link_is_shown_as_what_it_leads_to_or_as_itself(tmp_path):
    project = load_text(tmp_path, FULL)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    (tmp_path / "out").symlink_to("/nowhere")
    links = [tmp_path / "link", tmp_path / "link" / "x", tmp_path / "out", tmp_path / "out" / "x"]
    assert [*map(project.shown, links)] == ["data", "data/x", str(links[2]), str(links[3])]
    itself = [project.shown(path, follow_symlinks=False) for path in links]
    assert itself == ["link", "data/x", "out", str(links[3])]


def test_experiments_are_the_modules_of_their_folder(tmp_path):
    project = load_text(tmp_path, FULL)
    assert project.experiment_names() == []
    (tmp_path / "experiments").mkdir()
    for name in ("b.py", "a.py", "_helpers.py", "__init__.py", "notes.txt"):
        (tmp_path / "experiments" / name).touch()
    assert project.experiment_names() == ["a", "b"]


@pytest.mark.parametrize("name", ["b{r", "b}r", "$HOME", "a/{b}/c"])
def test_a_folder_in_which_tex_cannot_work_is_refused_by_name(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir(parents=True)
    (folder / "report.toml").write_text('title = "T"\n')
    with pytest.raises(UsageError, match="TeX cannot work below a folder named") as caught:
        load(folder)
    assert any(repr(part) in caught.value.what for part in name.split("/"))


def test_the_nearest_folder_with_report_toml_is_the_project(tmp_path, monkeypatch):
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "a" / "inner"
    (inner / "experiments" / "deep").mkdir(parents=True)
    for folder in (outer, inner):
        (folder / "report.toml").write_text('title = "T"')
    for here, project in ((outer, outer), (outer / "a", outer), (inner / "experiments" / "deep", inner)):
        monkeypatch.chdir(here)
        assert nearest(here) == project
        assert find(otherwise=tmp_path / "nowhere").root == project
    assert nearest(tmp_path) is None


def test_without_a_project_here_the_other_one_is_taken_or_the_cure_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "report.toml").write_text('title = "T"')
    assert find(otherwise=tmp_path / "else").root == tmp_path / "else"
    with pytest.raises(UsageError, match="there is no project here") as caught:
        find()
    assert str(tmp_path) in caught.value.what
    assert "--project DIR" in caught.value.cure


def test_a_command_says_where_the_project_is_unless_it_is_found_from_here(tmp_path, monkeypatch):
    folder = tmp_path / "my project"
    (folder / "experiments").mkdir(parents=True)
    (folder / "report.toml").write_text('title = "T"')
    monkeypatch.chdir(folder / "experiments")
    assert load(folder).command("run", "coin") == "labreport run coin"
    assert load(folder, quick=True).command("run", "coin") == "labreport run coin --quick"
    assert load(folder, quick=True).command("--full") == "labreport --full"
    assert load(folder, program="python build_report.py").command() == "python build_report.py"
    monkeypatch.chdir(tmp_path)
    there = load(Path("my project"), quick=True)
    assert there.command("run", "a b") == "labreport --project 'my project' run 'a b' --quick"


def test_the_projects_own_modules_come_before_the_engine(tmp_path):
    project = load_text(tmp_path, FULL)
    assert project.source_roots[0] == tmp_path
    (tmp_path / "src").mkdir()
    assert project.source_roots[:2] == (tmp_path / "src", tmp_path)
    assert (project.source_roots[-1] / "labreport" / "project.py").is_file()
