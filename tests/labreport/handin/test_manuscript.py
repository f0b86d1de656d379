"""What goes to publishers compiles alone, and gives the report."""

import shutil
import subprocess
import zipfile

import projects
import pytest
from checked import BIB, EXPERIMENT, GOOD, MODULE, TOML, made

from labreport import project as projects_of
from labreport.errors import SeveralErrors, UsageError
from labreport.handin import PackError, pack_for

pytestmark = pytest.mark.slow

HEAD = r"""
\documentclass{article}
\usepackage[article]{labreport}
\usepackage{styles/mine}
"""
BODY = GOOD.replace("\n\\documentclass{article}\n\\usepackage[article]{labreport}\n", HEAD)
BODY = BODY.replace(r"\clearpage", "\\input{parts/more}\n\\input{parts/last.tex}\n\\clearpage", 1)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A report with files in folders: two of one name, a style of its own, and files that nothing reads."""
    folder = tmp_path_factory.mktemp("built") / "p"
    project = projects.make(folder, {"exp": EXPERIMENT}, src={"m.py": MODULE}, toml=TOML)
    for name, text in {
        "styles/mine.sty": "\\ProvidesPackage{styles/mine}\n\\newcommand\\mine{my own}\n",
        "parts/more.tex": "It is \\mine.\n",
        "parts/last.tex": "It is the last.\n",
        "last.tex": "nothing reads this\n",
        "notes.txt": "nor this\n",
    }.items():
        projects.write(folder / "report_templates" / name, text)
    projects.run(project)
    return made(folder, BODY, BIB)


def unpacked(project, kind, folder):
    manuscript = pack_for(project, kind)
    with zipfile.ZipFile(manuscript.path) as packed:
        packed.extractall(folder)
    assert manuscript.pages == 2
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_each_publisher_gets_what_it_takes_and_a_plain_tex_gives_the_report(built, tmp_path):
    common = ["labreport.cfg", "labreport.sty", "report.bbl", "report.tex"]
    folders = ["figures/exp-good.pdf", "parts/last.tex", "parts/more.tex", "styles/mine.sty"]
    flat = [name.rpartition("/")[2] for name in folders]
    kinds = {
        "arxiv": [*common, *folders],
        "overleaf": [*common, *folders, "latexmkrc", "references.bib"],
        "journal": [*common, *flat, "references.bib"],
    }
    for kind, names in kinds.items():
        assert unpacked(built, kind, tmp_path / kind) == sorted(names), kind
    built_again = (built.build / "pack/arxiv.zip").read_bytes()
    pack_for(built, "arxiv")
    assert (built.build / "pack/arxiv.zip").read_bytes() == built_again
    for _ in range(3):
        command = ["pdflatex", "-interaction=batchmode", "report.tex"]
        subprocess.run(command, cwd=tmp_path / "journal", check=True, capture_output=True)
    text = {}
    for name, pdf in {"one": built.pdf, "other": tmp_path / "journal/report.pdf"}.items():
        done = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True)
        text[name] = done.stdout
    assert text["one"] == text["other"]
    assert "It is my own." in text["one"]


def test_what_cannot_be_handed_over_is_told_and_the_last_zip_stays(built, tmp_path):
    shutil.copytree(built.root, tmp_path / "p")
    project = projects_of.load(tmp_path / "p")
    pack_for(project, "arxiv")
    before = (project.build / "pack/arxiv.zip").read_bytes()
    with pytest.raises(UsageError):
        pack_for(projects_of.load(project.root, quick=True), "arxiv")
    projects.change(project.templates / "parts/more.tex", "It is", "It was")
    with pytest.raises(PackError, match=r"build/report\.pdf is not up to date") as caught:
        pack_for(project, "arxiv")
    assert "labreport" in caught.value.cure
    (project.templates / "parts/more.tex").rename(project.templates / "parts/Übrige Teile.tex")
    project = made(project.root, BODY.replace("parts/more", "parts/Übrige Teile"), BIB)
    for kind in ("arxiv", "journal", "overleaf"):
        with pytest.raises(PackError, match="does not take a file of the name 'build/latex/parts/Übrige Te"):
            pack_for(project, kind)
    (project.templates / "parts/Übrige Teile.tex").rename(project.templates / "parts/more.tex")
    projects.change(project.templates / "parts/more.tex", "It was", f"\\detokenize{{{project.root}}}")
    project = made(project.root, BODY, BIB)
    with pytest.raises(SeveralErrors, match="would give away"):
        pack_for(project, "arxiv")
    assert (project.build / "pack/arxiv.zip").read_bytes() == before
    assert not list(project.build.glob(".tmp*"))
