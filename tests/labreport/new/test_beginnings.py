"""First projects: what `new` puts into a folder, and that each kind builds as it is."""

import re
import shutil
from pathlib import Path

import projects
import pypdf
import pytest

from labreport import build, new
from labreport import project as projects_of_labreport
from labreport.errors import UsageError
from labreport.new import beginnings

README = Path(__file__).parents[3] / "README.md"
HANDED_IN = {"report", "zip", "README", "sources", "notebooks"}


def listing(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("kind", new.KINDS)
def test_a_project_shows_one_of_each(tmp_path, kind):
    new.create(tmp_path / "p", kind)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    files = listing(tmp_path / "p")
    assert {".gitignore", "README.md", "report.toml", "report_templates/references.bib"} <= set(files)
    assert not [name for name in files if name.endswith(".txt")]
    code = b"\n".join(content for name, content in files.items() if name.startswith("experiments/"))
    templates = b"\n".join(content for name, content in files.items() if name.startswith("report_templates/"))
    for one in (b"lab.map(", b"lab.seed(", b'NEEDS = ("', b'READS = ("', b"lab.figure(", b"QUICK = "):
        assert one in code
    for one in (b"|pm}", b"under=", b"{claim ", b"{excerpt(", b"{source(", b"|figure}", rb"\cite"):
        assert one in templates


def test_git_may_be_there_before(tmp_path):
    (tmp_path / ".git").mkdir()
    new.create(tmp_path)
    assert (tmp_path / "report.toml").is_file()


@pytest.mark.parametrize(
    ("there", "what"),
    [("p/notes.txt", "is not empty: it holds notes.txt"), ("p", "is a file"), ("", "cannot be made")],
)
def test_where_it_cannot_be_it_says_so_and_leaves_all_as_it_is(tmp_path, monkeypatch, there, what):
    if there:
        projects.write(tmp_path / there, "mine")
    else:
        monkeypatch.setattr(shutil, "move", refuse)
    before = listing(tmp_path)
    with pytest.raises(UsageError, match=what):
        new.create(tmp_path / "p")
    assert listing(tmp_path) == before


def test_a_folder_in_which_tex_cannot_work_is_not_made(tmp_path):
    with pytest.raises(UsageError, match=r"below a folder named 'b\{r'"):
        new.create(tmp_path / "b{r")
    assert listing(tmp_path) == {}


def refuse(*_):
    raise OSError(28, "No space left on device")


@pytest.fixture(scope="module")
def article(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new") / "article"
    new.create(folder)
    project = projects_of_labreport.load(folder)
    build.make_all(project, jobs=2)
    return project


def troubles(project):
    return {
        verdict.name: verdict.places for verdict in build.check(project).verdicts if verdict.state != "passed"
    }


@pytest.mark.slow
def test_an_article_passes_all_checks_but_that_it_has_no_authors(article):
    assert set(troubles(article)) == {"authors"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in new.KINDS if kind != "article"])
def test_each_kind_builds_from_the_same_results_and_passes_the_checks(article, tmp_path, kind):
    new.create(tmp_path / "p", kind)
    project = projects_of_labreport.load(tmp_path / "p")
    shutil.copytree(article.results, project.results)
    build.pdf(project)
    assert len(pypdf.PdfReader(project.pdf).pages) <= 6
    assert set(troubles(project)) == {"authors"} | HANDED_IN


def readme():
    """Return the files that the section on projects shows: each block of code, by the path before it."""
    text = README.read_text(encoding="utf-8")
    section = text.partition("\n## A project of your own\n")[2].partition("\n## ")[0]
    found, path = {}, None
    for named, block in re.findall(r"\*\*`([\w/.]+)`\*\*|^```[a-z]*\n(.*?)^```$", section, re.M | re.S):
        if block and path:
            found[path], path = block, None
        path = named or path
    return found


def test_the_readme_shows_each_kind_of_file_that_a_project_has():
    assert list(readme()) == [
        "report.toml",
        "experiments/coin.py",
        "experiments/_tosses.py",
        "experiments/lengths.py",
        "report_templates/report.tex.j2",
        "report_templates/notebooks/coin.py.j2",
    ]


@pytest.mark.slow
def test_the_project_of_the_readme_passes_all_checks_but_that_it_has_no_authors(tmp_path):
    for name, text in readme().items():
        projects.write(tmp_path / name, text)
    project = projects_of_labreport.load(tmp_path)
    build.make_all(project, jobs=2)
    assert set(troubles(project)) == {"authors"}


def test_each_kind_has_files_of_its_own():
    assert {path.name for path in (beginnings.HERE / "kinds").iterdir()} == set(new.KINDS)
