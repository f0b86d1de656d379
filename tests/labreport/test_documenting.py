"""Several documents from one project: each is made, checked and handed in for itself."""

from pathlib import Path

import projects
import pypdf
import pytest

from labreport import build, explain
from labreport import project as load
from labreport.errors import InputError, UsageError

COIN = projects.experiment(
    """
    def run(params, lab):
        return {"heads": 48, "throws": 100}
    """
)
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\hypersetup{pdftitle={T}, pdfsubject={S}, pdfauthor={A}}
\begin{document}
\section{%s}
\BLOCK{include "shared.tex.j2"}
\BLOCK{answer "%s"}
%s
\BLOCK{endanswer}
\end{document}
"""
TOML = """documents = ["paper.tex.j2", "key.tex.j2"]
authors = ["A"]
[questions]
"1" = "How often heads?"
"2" = "How many throws?"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    made = projects.make(tmp_path_factory.mktemp("documents") / "project", {"coin": COIN}, toml=TOML)
    projects.write(
        made.templates / "paper.tex.j2", TEMPLATE % ("Paper", "1", r"In \VAR{coin.values.heads} of all.")
    )
    projects.write(made.templates / "key.tex.j2", TEMPLATE % ("Key", "2", r"It is \VAR{coin.values.throws}."))
    projects.write(made.templates / "shared.tex.j2", r"Heads came \VAR{coin.values.heads} times.")
    return made, build.make_all(made)


def stale(project):
    return {path.name: why for path, why in build.plan(project).reports.items() if why}


@pytest.mark.slow
class TestTwoDocuments:
    def test_each_has_its_pdf_its_page_and_its_place_in_the_hand_in(self, built):
        project, made = built
        for name, section in (("paper", "Paper"), ("key", "Key")):
            pdf = project.build / f"{name}.pdf"
            assert section in pypdf.PdfReader(pdf).pages[0].extract_text()
            assert (project.submission / pdf.name).read_bytes() == pdf.read_bytes()
            assert pdf.with_suffix(".html").is_file()
        assert [report.made.values for report in made.reports] == [2, 2]
        assert [page.made.values for page in made.pages] == [2, 2]
        assert not (project.build / "report.pdf").exists()

    def test_each_question_needs_its_answer_in_any_of_them(self, built):
        _, made = built
        verdicts = {verdict.name: verdict for verdict in made.checked.verdicts}
        assert verdicts["answers"].note == "paper: 1 on page 1; key: 2 on page 1"
        assert [v.name for v in made.checked.verdicts if v.state != "passed"] == []

    def test_a_value_is_explained_in_all_of_them(self, built):
        printed = explain.explain(built[0], "48")["matches"][0]["values"]
        found = {place["document"] for value in printed for place in value["printed"]}
        assert found == {"paper", "key"}

    def test_a_sentence_makes_stale_only_the_documents_that_it_stands_in(self, built, tmp_path):
        project = built[0]
        own, shared = project.templates / "key.tex.j2", project.templates / "shared.tex.j2"
        before = own.read_text(), shared.read_text()
        try:
            own.write_text(before[0].replace("It is", "There are"))
            assert stale(project) == {"key.pdf": ["report_templates/key.tex.j2 changed"]}
            reports = build.pdf(project, ["key"])
            assert ([report.pdf.name for report in reports], stale(project)) == (["key.pdf"], {})
            shared.write_text(before[1].replace("came", "fell"))
            assert stale(project).keys() == {"paper.pdf", "key.pdf"}
        finally:
            own.write_text(before[0])
            shared.write_text(before[1])
        build.make_all(project)

    def test_a_mistake_in_one_leaves_it_as_it_was_and_the_other_is_made(self, built):
        project = built[0]
        paper, key = (project.templates / f"{name}.tex.j2" for name in ("paper", "key"))
        before, published = (paper.read_text(), key.read_text()), project.pdf.read_bytes()
        try:
            paper.write_text(before[0].replace("values.heads", "values.tails"))
            key.write_text(before[1].replace("It is", "They are"))
            with pytest.raises(InputError) as raised:
                build.make_all(project)
            assert str(raised.value.place).endswith("paper.tex.j2:8:21")
            assert (project.build / "paper.pdf").read_bytes() == published
            assert "They are" in pypdf.PdfReader(project.build / "key.pdf").pages[0].extract_text()
        finally:
            paper.write_text(before[0])
            key.write_text(before[1])
        build.make_all(project)

    def test_what_is_left_of_a_document_that_is_gone_is_cleaned_away(self, built):
        project = built[0]
        config = project.root / "report.toml"
        before = config.read_text()
        try:
            config.write_text(before.replace(', "key.tex.j2"', ""))
            left = {found.path for found in build.clean(load.load(project.root), dry_run=True).leftovers}
        finally:
            config.write_text(before)
        names = ("documents/key", "cache/documents/key", "key.pdf", "key.html", "log/latex-key.log")
        assert left == {project.build / name for name in names}


def test_a_document_of_another_name_is_refused_with_the_names_there_are(tmp_path):
    project = projects.make(tmp_path, {}, toml=TOML)
    with pytest.raises(UsageError, match="no document 'papr'") as raised:
        build.pdf(project, ["papr"])
    assert raised.value.cure == "did you mean 'paper'?"


@pytest.mark.parametrize(
    ("toml", "what"),
    [
        ("documents = []", "must be a list of templates"),
        ('documents = ["a.tex.j2", "b/A.tex.j2"]', "must be a list of templates"),
        ('documents = ["a b.tex.j2"]', "must be a list of templates"),
        ('documents = "a.tex.j2"', "must be a list of templates"),
        ('documents = ["a.tex.j2"]\ntemplate = "b.tex.j2"', "a template as well as documents"),
    ],
)
def test_documents_are_templates_with_names_of_their_own(tmp_path, toml, what):
    with pytest.raises(InputError, match=what):
        projects.make(tmp_path, {}, toml=toml)


def test_one_document_is_called_report_whatever_its_template_is_called(tmp_path):
    project = projects.make(tmp_path, {}, toml='template = "thesis.tex.j2"')
    (only,) = project.documents
    assert (only.pdf, only.latex) == (Path(tmp_path, "build/report.pdf"), Path(tmp_path, "build/latex"))
