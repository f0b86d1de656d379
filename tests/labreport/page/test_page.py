"""The page as a step of the build: made when something of it changed, never half, from the project alone."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import projects
import pytest
from processes import wait_for

from labreport import build, documenting, errors, page
from labreport import project as project_of
from labreport.errors import LabreportError
from labreport.page import html
from labreport.results import files

ROOT = Path(__file__).parents[3]
COIN = projects.experiment(
    """
    from fair import share

    def run(params, lab):
        return {"half": share(), "loss": {"mean": 0.25, "std": 0.02}}


    def draw(result, lab):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(2, 1))
        figure.add_subplot(xlabel="toss", ylabel="share").plot([1, 2])
        lab.figure("line", figure, alt="It rises.", data={"toss": [1, 2], "share": [0.25, 0.75]})
    """
)
FAIR = '''\
def share():
    """Return a half."""
    return 0.5
'''
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\hypersetup{pdftitle={\VAR{report.title}}, pdfsubject={none}, pdfauthor={nobody}}
\begin{document}
\section{Coins}
The share is \VAR{coin.values.half|num}, the loss \VAR{coin.values.loss|pm}.
\begin{figure}
  \VAR{coin.figures.line|figure}
  \caption{A line.}
\end{figure}
\VAR{excerpt("fair:share")}
\end{document}
"""
WORDS = ("wombat", "numbat", "quokka")
"""What the folder of the project, the user and their home are called here."""

pytestmark = pytest.mark.slow


def make(folder: Path):
    made = projects.make(folder, {"coin": COIN}, src={"fair.py": FAIR}, toml='authors = ["A"]\n')
    projects.write(made.templates / "report.tex.j2", TEMPLATE)
    return made


def command(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "build_report.py"), "--project", str(folder), *arguments],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A project in a telling folder, built by a user with a telling name."""
    there = tmp_path_factory.mktemp("built")
    folder, home = make(there / WORDS[0]).root, there / WORDS[1]
    home.mkdir()
    said = command(folder, HOME=str(home), USER=WORDS[2], LOGNAME=WORDS[2])
    assert "build/report.html: 1 page, 2 values (" in said
    return folder


@pytest.fixture
def project(built, tmp_path):
    return project_of.load(shutil.copytree(built, tmp_path / "p"))


def blocks(data: bytes) -> dict[str, str]:
    """Return the texts that are packed in a page, by the names of their blocks."""
    found = re.findall(r'type="application/octet-stream" id="lr-([\w-]+)">([^<]*)<', data.decode())
    return {name: html.unpacked(text) for name, text in found}


def test_a_page_names_neither_the_folder_nor_the_user_nor_the_machine(built):
    data = (built / "build/report.html").read_bytes()
    texts = blocks(data)
    assert texts.keys() == {"model", "rest", "glyphs", "more-glyphs", "page-1", "echarts"}
    told = [text for name, text in texts.items() if name != "echarts"]
    told.append(re.sub(r'(?<=octet-stream" )[^<]*', "", data.decode()))
    for word in (*WORDS, str(ROOT), sys.prefix, platform.node()):
        assert not any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for text in told), word


def test_only_the_page_is_made_again_when_it_is_gone_or_was_edited(project):
    good = project.page.read_bytes()
    assert build.plan(project).pages == {project.page: []}
    for change in (project.page.unlink, lambda: project.page.write_bytes(b"<p>mine</p>")):
        change()
        assert build.plan(project).pages == {
            project.page: ["build/report.html is missing or was changed by hand"]
        }
        made = build.make_all(project)
        assert (made.pages[0].made.pages, made.pages[0].made.values) == (1, 2)
        assert not made.is_nothing
        assert (made.experiments.seconds, made.reports[0].made, made.packed.submission) == (None, None, None)
        assert project.page.read_bytes() == good
        assert build.make_all(project).is_nothing


def test_code_that_is_shown_makes_the_page_again_even_if_only_a_comment_changed(project):
    size = "figsize=(2, 1)"
    projects.change(project.experiments / "coin.py", size, f"{size},  # inches\n    ")
    assert build.plan(project).reports == {project.pdf: []}
    assert "experiments/coin.py changed" in build.plan(project).pages[project.page]
    build.make_all(project)
    assert "# inches" in blocks(project.page.read_bytes())["rest"]


def test_a_page_does_not_depend_on_what_was_kept_or_damaged(project):
    good = project.page.read_bytes()
    for path in project.build.joinpath("cache/page").iterdir():
        path.write_bytes(path.read_bytes()[:-9] + b"nonsense}")
    page.make(project)
    assert project.page.read_bytes() == good
    shutil.rmtree(project.build / "cache/page")
    page.make(project)
    assert project.page.read_bytes() == good


def test_what_was_drawn_is_not_drawn_again_for_the_same_report(project, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    project.page.unlink()
    assert page.make(project).pages == 1


def test_a_build_killed_before_the_page_is_recorded_makes_it_again(project, monkeypatch):
    write = files.write

    def killed(path, data):
        if path == project.build / "cache/page/page.json":
            raise KeyboardInterrupt
        write(path, data)

    projects.change(project.templates / "report.tex.j2", "The share", "Our share")
    with monkeypatch.context() as patch:
        patch.setattr(files, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            build.make_all(project)
    (project.build / "cache/page/.tmp-left").write_text("half a picture")
    assert build.make_all(project).pages[0].made is not None
    assert "Our share" in blocks(project.page.read_bytes())["model"]
    assert page.out_of_date(project) == []
    assert not list(project.build.joinpath("cache/page").glob(".tmp-*"))


def test_a_page_that_cannot_be_made_stops_nothing_and_leaves_the_last_one(project, tmp_path):
    good = project.page.read_bytes()
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(folder).glob("*") if Path(folder).is_dir() else ():
            link = programs / program.name
            link.unlink(missing_ok=True)
            link.symlink_to(program)
    (programs / "pdftocairo").unlink()
    projects.change(project.templates / "report.tex.j2", "The share", "Our share")
    said = command(project.root, PATH=str(programs))
    assert "notice: build/report.html was not made: " in said
    assert "poppler-utils" in said
    assert "build/submission: report.pdf, and code.zip with" in said
    assert project.page.read_bytes() == good


def test_what_must_not_be_handed_in_can_be_looked_at(project):
    projects.change(project.templates / "report.tex.j2", "The share", "Our share")
    (project.experiments / "link.yaml").symlink_to("coin.py")
    with pytest.raises(LabreportError, match="symbolic link"):
        build.make_all(project)
    assert "Our share" in blocks(project.page.read_bytes())["model"]


def test_a_report_is_drawn_by_a_process_beside_the_build(project, tmp_path, monkeypatch):
    kept = project.build / "cache/page"
    shutil.rmtree(kept)
    (tmp_path / "json.py").write_text("raise ValueError('no module of labreport')")
    monkeypatch.chdir(tmp_path)
    with page.making(project, beside=True):
        wait_for(lambda: all((kept / name).is_file() for name in ("pictures.json", "read.json")), 120)


def test_a_report_that_the_process_could_not_draw_is_drawn_by_the_build(project, monkeypatch):
    good = project.page.read_bytes()
    shutil.rmtree(project.build / "cache/page")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with page.making(project, beside=True) as make_page:
        assert make_page().pages == 1
    assert project.page.read_bytes() == good


def test_a_build_that_ends_early_ends_what_is_drawn_beside_it(project):
    shutil.rmtree(project.build / "cache/page")
    with pytest.raises(KeyboardInterrupt), page.making(project, beside=True):
        raise KeyboardInterrupt
    assert not list(project.build.glob(".scratch-*"))
    page.make(project)
    assert page.out_of_date(project) == []


def test_a_mistake_of_our_own_stops_nothing_and_is_told(project, monkeypatch):
    good = project.page.read_bytes()
    monkeypatch.setattr(documenting, "unforeseen", errors.unforeseen)
    monkeypatch.setattr(html, "assemble", lambda *_: {}["title"])
    projects.change(project.templates / "report.tex.j2", "The share", "Our share")
    made = build.make_all(project)
    (notice,) = made.pages[0].notices
    assert re.match(
        r"build/report\.html was not made: labreport made a mistake at page/page\.py:\d+: KeyError: 'title'",
        notice,
    )
    assert made.packed.submission is not None
    assert made.checked is not None
    assert project.page.read_bytes() == good


def test_a_quick_build_has_its_own_page(project):
    quick = projects.make(project.root, {"coin": COIN}, quick=True)
    assert build.make_all(quick).pages[0].made is not None
    assert quick.page == project.build / "quick" / "report.html"
    assert '"quick":true' in blocks(quick.page.read_bytes())["model"]
