"""What a rendering keeps for the next: the same document, without SciPy where the samples are the same."""

import json
import shutil
import subprocess
import sys

import projects
import pytest

from labreport.documents import context, report
from labreport.errors import InputError
from labreport.project import ENGINE
from labreport.writing import listings

REPORT = r"""
\documentclass{article}\usepackage[article]{labreport}\begin{document}
\BLOCK{claim "lower", below(exp.values.new, exp.values.old, "paired")}
The new loss is lower.
\BLOCK{undecided} We see no difference. \BLOCK{endclaim}
\BLOCK{include "part.tex.j2"}
\end{document}
"""
RENDER = """
import json, sys
from pathlib import Path
from labreport import project
from labreport.documents import context, report
document = report.render(project.load(Path(sys.argv[1])))
claims = [region.verdict.plain() for region in document.rendered.regions if region.kind == "claim"]
print(json.dumps([document.text, claims, "scipy" in sys.modules]))
"""


def rendered(project):
    """Return the text of the report and the record of its claims, and whether a new process imports SciPy."""
    command = [sys.executable, "-c", RENDER, str(project.root)]
    done = subprocess.run(command, cwd=ENGINE.parent, capture_output=True, text=True, check=True)
    text, claims, scipy = json.loads(done.stdout)
    assert len(claims) == 1
    return (text, claims), scipy


def experiment(last):
    return projects.returning(f'{{"old": [0.5, 0.7, 0.4, 0.9], "new": [0.3, 0.4, 0.2, {last}]}}')


@pytest.fixture
def project(tmp_path):
    return make(tmp_path)


@projects.once
def make(folder):
    made = projects.make(folder, {"exp": experiment(0.5)})
    projects.write(made.templates / "report.tex.j2", REPORT)
    projects.write(made.templates / "part.tex.j2", "A part.\n")
    projects.run(made)
    return made


@pytest.fixture(scope="module")
def rendered_once(tmp_path_factory):
    """A project that was rendered once, not to be changed, and what that gave."""
    made = make(tmp_path_factory.mktemp("rendered") / "p")
    found, scipy = rendered(made)
    assert scipy
    return made, found


@pytest.fixture
def first(rendered_once, project):
    """What the first rendering of the project gave."""
    made, found = rendered_once
    shutil.copytree(made.build / "cache", project.build / "cache", dirs_exist_ok=True)
    return found


def test_what_is_kept_changes_nothing_but_time(project, first):
    assert rendered(project) == (first, False)
    (project.build / "cache" / "report.json").unlink()
    assert rendered(project) == (first, True)


def test_a_changed_sentence_needs_no_statistics_again(project, first):
    projects.change(project.templates / "report.tex.j2", "new loss is lower", "new loss lies lower")
    (text, claims), scipy = rendered(project)
    assert "new loss lies lower" in text
    assert (claims, scipy) == (first[1], False)


def test_a_changed_sample_is_computed_again(project, first):
    projects.write(project.experiments / "exp.py", experiment(0.6))
    projects.run(project)
    (_, (claim,)), scipy = rendered(project)
    assert scipy
    assert claim["evidence"][0]["p"] != first[1][0]["evidence"][0]["p"]
    assert claim["evidence"][0]["effect"] == pytest.approx(-0.25)


@pytest.mark.parametrize("damage", ["", "{}", "cut", "flip", "of another version"])
def test_a_damaged_file_is_not_believed_and_is_written_anew(project, first, damage):
    path = project.build / "cache" / "report.json"
    whole = path.read_text()
    lines = whole.partition("\n")
    position = whole.index(": 0.") + 4  # a digit of a statistic
    damaged = {
        "cut": whole[:-9],
        "flip": whole[:position] + ("1" if whole[position] != "1" else "2") + whole[position + 1 :],
        "of another version": "".join(("0" * 64, *lines[1:])),
    }.get(damage, damage)
    assert damaged != whole
    path.write_text(damaged)
    assert rendered(project) == (first, True)
    assert rendered(project) == (first, False)


def test_a_mistake_forgets_nothing_that_was_kept(project, first):
    projects.write(project.templates / "report.tex.j2", "\\VAR{gone}\n" + REPORT)
    with pytest.raises(InputError, match="unknown name 'gone'"):
        report.render(project)
    projects.write(project.templates / "report.tex.j2", REPORT)
    assert rendered(project) == (first, False)


def test_a_folder_that_cannot_be_written_costs_only_time(project):
    (project.build / "cache").rename(project.build / "away")
    (project.build / "cache").write_text("in the way")
    assert rendered(project)[1]
    assert (project.build / "cache").read_text() == "in the way"


def test_a_listing_is_highlighted_again_only_when_its_code_changes(tmp_path, monkeypatch):
    template = r'\begin{document}\VAR{excerpt("m:one")}\end{document}'
    project = projects.make(tmp_path / "p", {}, src={"m.py": "def one():\n    return 1  # said\n"})
    projects.write(project.templates / "report.tex.j2", template)
    written = []

    def to_latex(code, write=listings.to_latex):
        written.append(code)
        return write(code)

    monkeypatch.setattr(listings, "to_latex", to_latex)
    first = report.render(project).text
    assert report.render(project).text == first
    assert len(written) == 1
    projects.change(project.root / "src" / "m.py", "# said", "# meant")
    assert "meant" in report.render(project).text
    assert len(written) == 2


@pytest.mark.parametrize("tag", ["zz", "qaa-XX"])
def test_a_locale_that_no_language_has_is_told_at_report_toml(tmp_path, tag):
    project = projects.make(tmp_path, {}, toml=f'locale = "{tag}"\n')
    with pytest.raises(InputError, match=f"no language has the tag '{tag}'") as caught:
        context.language(project)
    assert caught.value.place.file == "report.toml"
