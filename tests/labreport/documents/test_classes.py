"""A report in the classes of others: it builds, all checks pass, and their layout is as without labreport."""

import re
import shutil
import subprocess

import projects
import pypdf
import pytest

from labreport import project as projects_of
from labreport.checks import checks
from labreport.documents import latexmk, report
from labreport.errors import InputError, LatexError

pytestmark = [pytest.mark.slow, pytest.mark.classes]

EXPERIMENT = projects.experiment(
    """
    def run(params, lab):
        import pandas as pd

        name = "Größe „x“ «y» ą ð {a_b}^~ \\"q\\" 'z' <|> --- ?` #1 50% $2 &"
        rows = pd.DataFrame({"what": ["a", "b"], "loss": [0.25, -1.5]})
        share = {"mean": 0.5012, "std": 0.0134}
        return {"share": share, "n": 20, "tiny": 3.14e-7, "name": name, "rows": rows}


    def draw(result, lab):
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        with rc_context({"pdf.fonttype": 42}):
            figure = Figure(figsize=(2.6, 1.8), layout="constrained")
            axes = figure.add_subplot(xlabel="share of heads", ylabel="repeats")
            axes.plot([1, 2], [1, 4])
            lab.figure("line", figure, alt="Один line \\u2264 that {rises}.")
    """
)
MODULE = '''"""A module."""

import math


def half(x):
    """Return half of x: a "quoted" <text>, 'single' -- `back`."""
    return {"a": x / 2}


def other(x):
    """Return what is shown nowhere."""
    return math.sin(x) + half(x)["a"]
'''
BIB = "@book{knuth1984, author={D. Knuth}, title={T}, publisher={A}, address={B}, year={1984}}\n"
TOML = 'subtitle = "S"\nauthors = ["A. Author"]\n[questions]\n"1" = "What comes out?"\n'
TITLE = r"\title{T}\author{A. Author}"
META = r"\hypersetup{pdftitle={T}, pdfsubject={S}, pdfauthor={A. Author}}"
TEXT = r"""
\section{One: \VAR{coin.values.share|pm}}\label{sec:one}
\BLOCK{answer "1"}The share of heads is \VAR{coin.values.share|pm}, or
$x = \VAR{coin.values.share.mean|num}$, over \VAR{coin.values.n|integer} repeats;
\VAR{coin.values.tiny|num}, \VAR{coin.values.share.mean|percent}.
\VAR{coin.values.name}. \BLOCK{endanswer}
See Section~\ref{sec:one}, Figure~\ref{fig:line}, Table~\ref{tab:rows} and \cite{knuth1984}.
\BLOCK{claim "heads", above(coin.values.share.mean, 0.4)}The share is not small.\BLOCK{endclaim}
NEXT
\begin{figure}\centering\VAR{coin.figures.line|figure}
\caption{A line with \VAR{coin.values.tiny|num}.}\label{fig:line}\end{figure}
NEXT
\begin{table}\caption{A table.}\label{tab:rows}\centering
\VAR{coin.tables.rows|table(column("What", "what"), column("Loss", "loss", "num"))}\end{table}
NEXT
\VAR{excerpt("m:half")}
NEXT
BIBLIOGRAPHY
"""
FRONT = {
    "acmart": r"\title{T}\author{A. Author}\affiliation{\institution{I}\country{C}}BEGIN\maketitle",
    "elsarticle": r"BEGIN\begin{frontmatter}\title{T}\author{A. Author}\end{frontmatter}",
    "revtex4-2": r"BEGIN\title{T}\author{A. Author}\affiliation{I}\maketitle",
    "llncs": r"BEGIN\title{T}\author{A. Author}\institute{I}\maketitle",
    "achemso": r"\title{T}\author{A. Author}\email{a@example.org}\affiliation{I}BEGIN",
    "beamer": TITLE + r"BEGIN\frame{\titlepage}",
}
OPTIONS = {
    "acmart": "sigconf,nonacm",
    "IEEEtran": "conference",
    "revtex4-2": "aps,prl,twocolumn",
    "achemso": "journal=jacsat,manuscript=article",
    "mnras": "fleqn,usenatbib",
}
STYLES = {
    "acmart": "ACM-Reference-Format",
    "IEEEtran": "IEEEtran",
    "revtex4-2": None,
    "achemso": None,
    "mnras": "mnras",
    "llncs": "splncs04",
    "elsarticle": "elsarticle-num",
    "minipaper": "plainnat",
}
CLASSES = ["article", "report", "book", "scrartcl", "scrreprt", "beamer", "minipaper", "memoir", "exam"]
CLASSES += ["IEEEtran", "acmart", "elsarticle", "revtex4-2", "llncs", "achemso", "mnras"]
MINIPAPER = r"""\NeedsTeXFormat{LaTeX2e}
\ProvidesClass{minipaper}[2024/01/01 A class of one's own, in two columns]
\LoadClass[twocolumn,10pt]{article}
\RequirePackage[T1]{fontenc}
\RequirePackage{mathptmx}
\RequirePackage[a4paper,margin=18mm,columnsep=6mm]{geometry}
\RequirePackage[numbers,sort&compress]{natbib}
\RequirePackage[font={small,it},labelfont=sc]{caption}
\RequirePackage[dvipsnames]{xcolor}
\RequirePackage[colorlinks,allcolors=NavyBlue]{hyperref}
"""


def template(name, before="", after=r"\usepackage{hyperref}"):
    """Return a report in a class, with what the author's preamble says before and after labreport's style."""
    begin = "\n\\begin{document}\n"
    after = "" if name in ("beamer", "acmart", "minipaper") else after  # they load it themselves
    head = rf"\documentclass[{OPTIONS.get(name, '')}]{{{name}}}" + "\n"
    head += f"{before}\n\\usepackage{{labreport}}\n{after}\n{META}\n"
    front = FRONT.get(name, TITLE + r"BEGIN\maketitle").replace("BEGIN", begin)
    style = STYLES.get(name, "plain")
    bibliography = (rf"\bibliographystyle{{{style}}}" if style else "") + r"\bibliography{references}"
    text = TEXT.replace("BIBLIOGRAPHY", bibliography)
    if name == "beamer":
        text = "\\begin{frame}\n" + text.replace("NEXT", "\\end{frame}\n\\begin{frame}") + "\\end{frame}\n"
    return f"{head}{front}{text.replace('NEXT', '')}\\end{{document}}\n"


OF_THE_CLASS = {
    "acmart": ["metadata"],  # it sets them anew
    "elsarticle": ["overfull"],  # its line of authors and its foot
    "achemso": ["links"],  # to an address of mail without `mailto:`
}
"""Checks that fail for what a class does itself."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes") / "p"
    made = projects.make(folder, {"coin": EXPERIMENT}, src={"m.py": MODULE}, toml=TOML)
    projects.write(made.templates / "references.bib", BIB)
    projects.write(made.templates / "minipaper.cls", MINIPAPER)
    projects.run(made)
    return made


def build(project, text):
    projects.write(project.templates / "report.tex.j2", text)
    report.make(project)
    return pypdf.PdfReader(project.pdf)


def failed(project):
    """Return what the checks find in the report, but for those of the hand-in, which is not packed here."""
    zipped = ("report", "zip", "README", "sources", "notebooks")
    return {
        v.name: v.places for v in checks.check(project, {}) if v.state != "passed" and v.name not in zipped
    }


def installed(name):
    if name == "minipaper":
        return
    found = subprocess.run(["kpsewhich", f"{name}.cls"], capture_output=True, check=False)
    if found.returncode:
        pytest.skip(f"{name}.cls is not installed: make test-classes")


@pytest.mark.parametrize("name", CLASSES)
def test_a_report_in_any_class_builds_and_passes_all_checks(project, name):
    installed(name)
    pdf = build(project, template(name))
    found = failed(project)
    assert found.keys() <= set(OF_THE_CLASS.get(name, ()))
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    for printed in (
        "0.501 ± 0.013",
        "3.14 × 10",
        "50.1",
        "„x“ «y»",
        "'z' <|> --- ?` #1 50% $2 &",
        "−1.50",
    ):
        assert printed.replace(" ", "") in text.replace(" ", "")
    contents = b"".join(page.get_contents().get_data() for page in pdf.pages)
    (alt,) = re.findall(rb"/Alt ?<([0-9A-Fa-f]+)>", contents)
    assert bytes.fromhex(alt.decode()).decode("utf-16") == "Один line ≤ that {rises}."
    assert any("answer" in name for name in pdf.named_destinations)


PLAIN = r"""\section{A heading}
Words that fill a paragraph, and go on for so long that the lines are broken, \emph{with stress}
and $x^2 + y_i$, until there are three lines of them, at least where the columns are narrow.
\begin{figure}\rule{20mm}{10mm}\caption{A caption that is set by the class.}\end{figure}
\begin{itemize}\item One. \item Two.\end{itemize}
"""


@pytest.mark.parametrize("name", [each for each in CLASSES if each != "beamer"])
def test_the_style_leaves_the_layout_of_a_class_as_it_is(name, tmp_path):
    """Each word lies where it lies without labreport, as poppler finds it."""
    installed(name)
    words = []
    for style in ("", r"\usepackage{labreport}"):
        folder = tmp_path / ((style and "with") or "without")
        folder.mkdir()
        shutil.copyfile(report.STYLE, folder / "labreport.sty")
        (folder / "minipaper.cls").write_text(MINIPAPER)
        front = FRONT.get(name, TITLE + r"BEGIN\maketitle").replace("BEGIN", "\n\\begin{document}\n")
        head = rf"\documentclass[{OPTIONS.get(name, '')}]{{{name}}}"
        text = f"{head}\n{style}\n\\date{{}}\n{front}\n{PLAIN}\n\\end{{document}}\n"
        (folder / "report.tex").write_text(text)
        command = ["pdflatex", "-interaction=batchmode", "report.tex"]
        for _ in range(2):
            subprocess.run(command, cwd=folder, capture_output=True, check=True)
        command = ["pdftotext", "-bbox", folder / "report.pdf", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = re.findall(r'<word xMin="(.*?)" yMin="(.*?)" .*>(.*)</word>', done.stdout)
        words.append([(w, float(x), float(y)) for x, y, w in found if re.fullmatch(r"[A-Za-z.,]+", w)])
    assert len(words[0]) > 40
    assert [word for word, *_ in words[0]] == [word for word, *_ in words[1]]
    for (word, *before), (_, *after) in zip(*words, strict=True):
        # mnras sets a © before these, which has the width of Latin Modern's
        assert after == pytest.approx(before, abs=4 if word in ("The", "Authors") else 0.02), word


CHOICES = (
    r"\usepackage[margin=3cm]{geometry}\usepackage[svgnames,table]{xcolor}\usepackage[hidelinks]{hyperref}"
    r"\usepackage[numbers]{natbib}\usepackage{cleveref}"
)


@pytest.mark.parametrize("style", ["", "[article]"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_packages_that_the_author_chooses_keep_their_options(project, place, style):
    text = template("article", **{place: CHOICES}, **({"after": ""} if place == "before" else {}))
    text = text.replace(r"\usepackage{labreport}", rf"\usepackage{style}{{labreport}}")
    text = text.replace("See Section", r"\textcolor{DarkSeaGreen}{See} \cref{sec:one}, Section")
    if (place, style) == ("after", "[article]"):
        with pytest.raises(LatexError, match="Option clash for package geometry") as caught:
            build(project, text)
        assert (caught.value.place.file, caught.value.place.line) == ("report_templates/report.tex.j2", 4)
        assert r"before \usepackage{labreport}" in caught.value.cure
        return
    text = text.replace(r"\bibliographystyle{plain}", r"\bibliographystyle{plainnat}")
    pdf = build(project, text)
    assert failed(project) == {}
    assert "[1]" in " ".join(page.extract_text() for page in pdf.pages)  # numbers, not authors and years
    annotations = [a.get_object() for page in pdf.pages for a in page.get("/Annots", ())]
    assert annotations
    assert all("/C" not in a or a["/Border"][2] == 0 for a in annotations)
    command = ["pdftotext", "-bbox", project.pdf, "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    left = min(float(x) for x in re.findall(r'<word xMin="([\d.]+)"', done.stdout))
    assert left == pytest.approx(3 / 2.54 * 72, abs=2)


def test_cleveref_without_hyperref_is_left_alone(project):
    text = template("article", before=r"\usepackage{cleveref}", after="").replace(META, "")
    pdf = build(project, text)
    assert any("answer" in name for name in pdf.named_destinations)


class TestSeverity:
    def made(self, project, tmp_path, severity="", text=None, bib=BIB):
        shutil.copytree(project.root, tmp_path / "p")
        config = tmp_path / "p/report.toml"
        config.write_text(f"{config.read_text()}\n[severity]\n{severity}\n")
        projects.write(tmp_path / "p/report_templates/references.bib", bib)
        made = projects_of.load(tmp_path / "p")
        projects.write(made.templates / "report.tex.j2", text or template("article"))
        return made, lambda: report.make(made)

    def test_an_incomplete_entry_is_told_with_its_line_and_fails_where_it_must(self, project, tmp_path):
        bib = f"\n{BIB.replace('publisher={A}, ', '')}"
        _, make = self.made(project, tmp_path, bib=bib)
        told = "report_templates/references.bib:2: empty publisher in knuth1984"
        assert told in make().notices
        strict = '"BibTeX warnings" = "error: the journal wants complete entries"'
        _, make = self.made(project, tmp_path / "strict", severity=strict, bib=bib)
        with pytest.raises(LatexError, match="empty publisher in knuth1984"):
            make()

    def test_labels_that_a_class_gives_twice_are_told_those_of_the_author_are_errors(self, project, tmp_path):
        own = r"\newcommand\ask{\protected@write\@auxout{}{\string\newlabel{q@1}{{}{}}}}"
        own = rf"\makeatletter{own}\makeatother"
        text = template("article").replace(r"\begin{document}", f"{own}\n\\begin{{document}}\n\\ask\\ask")
        made, make = self.made(project, tmp_path, text=text)
        assert any("`q@1' multiply defined" in notice for notice in make().notices)
        assert "references" not in failed(made)
        twice = template("article").replace(r"\label{sec:one}", r"\label{sec:one}\label{sec:one}")
        _, make = self.made(project, tmp_path / "twice", text=twice)
        with pytest.raises(LatexError, match="sec:one"):
            make()
        lenient = '"duplicate labels" = "warning: a draft"'
        _, make = self.made(project, tmp_path / "lenient", text=twice, severity=lenient)
        assert any("sec:one" in notice for notice in make().notices)

    def test_a_check_counts_as_report_toml_says_and_the_reason_is_shown(self, project, tmp_path):
        text = template("article").replace(META, "")
        severity = 'metadata = "warning: the journal sets it"\n"words of quantity" = "error: none are wanted"'
        made, make = self.made(project, tmp_path, severity=severity, text=text)
        make()
        (verdict,) = (v for v in checks.check(made, {}) if v.name == "metadata")
        assert (verdict.state, verdict.note) == ("warning", "report.toml: the journal sets it")
        made, _ = self.made(project, tmp_path / "wrong", severity='metadat = "warning: x"', text=text)
        with pytest.raises(
            InputError, match=r"\[severity\] of report.toml names 'metadat', which is no check"
        ):
            checks.check(made, {})


def test_what_the_engine_writes_asks_for_its_style_where_that_is_missing(project):
    text = template("article").replace("\\usepackage{labreport}\n", "")
    with pytest.raises(LatexError, match="Undefined control sequence") as caught:
        build(project, text)
    assert r"\usepackage{labreport}" in caught.value.cure


def test_switches_are_named_in_words():
    assert all(name not in {row.name for row in checks.CHECKS} for name in latexmk.SWITCHES)
