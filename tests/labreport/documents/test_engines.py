"""Documents in the engines of TeX, each recognised, repeatable and told what its fonts lack."""

import shutil
import subprocess

import projects
import pypdf
import pytest

from labreport.documents import engines, report
from labreport.errors import InputError, LatexError, ToolError
from labreport.project import load


@pytest.mark.parametrize(
    ("preamble", "name"),
    [
        (r"\documentclass{article}\usepackage[T1]{fontenc}", "pdflatex"),
        (r"\usepackage{amsmath,fontspec}", "lualatex"),
        (r"\usepackage[math-style=ISO]{unicode-math}", "lualatex"),
        (r"\usepackage{xeCJK}", "xelatex"),
        ("% !TeX program = xelatex\n\\usepackage{fontspec}", "xelatex"),
        ("%!TEX TS-program = lualatex\n", "lualatex"),
        (r"% \usepackage{fontspec}", "pdflatex"),
        (r"\begin{document}\usepackage{fontspec}", "pdflatex"),
    ],
)
def test_the_preamble_tells_the_engine(preamble, name):
    assert engines.recognised(preamble).name == name


def test_the_setting_is_one_of_three(tmp_path):
    with pytest.raises(InputError, match=r"'engine' in report\.toml must be") as caught:
        projects.make(tmp_path, {}, toml='engine = "tex"\n')
    assert 'engine = "lualatex"' in caught.value.cure


EXPERIMENT = projects.experiment(
    """
    def run(params, lab):
        return {"words": "Größe Привет Ελλάδα αβγ ≤ ∞ 李 -- ,, <<", "m": {"mean": 1.5, "std": 0.1}}


    def draw(result, lab):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(2, 1.5), layout="constrained")
        figure.add_subplot(xlabel="x", ylabel="y").plot([1, 2])
        lab.figure("line", figure, alt="Eine Linie — α.")
    """
)
TEMPLATE = r"""\documentclass{article}
\usepackage{labreport}
FONTS
\begin{document}
\section{\VAR{coin.values.words} \VAR{coin.values.m|pm}}\label{s}
\VAR{coin.values.words}, \VAR{coin.values.m|pm}, $x = \VAR{coin.values.m.mean|num}$ in \ref{s}.
\VAR{coin.figures.line|figure}
\VAR{excerpt("m:f")}
\end{document}
"""
DEJAVU = r"""\usepackage{fontspec}
\setmainfont{DejaVuSans.ttf}\setmonofont{DejaVuSansMono.ttf}"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    import matplotlib

    folder = tmp_path_factory.mktemp("engines") / "p"
    made = projects.make(
        folder, {"coin": EXPERIMENT}, src={"m.py": 'def f(x):\n    return "α"\n\n\nA = B = 1\n'}
    )
    for name in ("DejaVuSans.ttf", "DejaVuSansMono.ttf"):
        projects.write(made.templates / "x", "")
        shutil.copyfile(f"{matplotlib.get_data_path()}/fonts/ttf/{name}", made.templates / name)
    projects.run(made)
    return made


def build(project, name, template=TEMPLATE):
    if lacks := engines.ENGINES[name].lacks():
        pytest.skip(f"{lacks} is not installed: make test-classes")
    (project.root / "report.toml").write_text(f'title = "T"\nengine = "{name}"\n')
    projects.write(project.templates / "report.tex.j2", template)
    shutil.rmtree(project.auxiliary, ignore_errors=True)
    return report.make(load(project.root))


@pytest.mark.slow
@pytest.mark.classes
@pytest.mark.parametrize("name", ["lualatex", "xelatex"])
def test_what_the_documents_fonts_have_is_set_and_what_they_lack_is_told(project, name):
    made = build(project, name, TEMPLATE.replace("FONTS", DEJAVU))
    pdf = pypdf.PdfReader(project.pdf)
    text = " ".join("".join(page.extract_text() for page in pdf.pages).split())
    for word in ("Größe Привет Ελλάδα αβγ ≤ ∞", "-- ,, <<", "1.50 ± 0.10", '"α"'):
        assert word.replace(" ", "") in text.replace(" ", "")
    assert "李" in pdf.outline[0].title
    told = [notice for notice in made.notices if "no font has" in notice]
    assert [notice.partition(": ")[2] for notice in told] == [
        "no font has 李 (U+674E) of coin.values.words: printed as code points"
    ] * 2
    first = project.pdf.read_bytes()
    with project.pdf.open("ab") as file:  # so that it is made again
        file.write(b" ")
    build(project, name, TEMPLATE.replace("FONTS", DEJAVU))
    assert project.pdf.read_bytes() == first


@pytest.mark.slow
@pytest.mark.classes
def test_a_bibliography_of_biblatex_is_set_by_biber_and_its_faults_have_their_lines(project):
    if (
        shutil.which("biber") is None
        or subprocess.run(["kpsewhich", "biblatex.sty"], capture_output=True).returncode
    ):
        pytest.skip("biber is not installed: make test-classes")
    head = "\\usepackage[backend=biber]{biblatex}\\addbibresource{refs.bib}"
    text = TEMPLATE.replace("FONTS", head).replace(
        r"\end{document}", "\\cite{k}\\printbibliography\\end{document}"
    )
    projects.write(
        project.templates / "refs.bib", "@book{k, author={D. Knuth}, title={Größe}, date={1984}}\n"
    )
    build(project, "pdflatex", text)
    assert "Knuth" in "".join(page.extract_text() for page in pypdf.PdfReader(project.pdf).pages)
    projects.write(project.templates / "refs.bib", "% one\n\n@book{k, author={D. Knuth} title={T}}\n")
    with pytest.raises(LatexError) as caught:
        build(project, "pdflatex", text)
    assert caught.value.place.file == "report_templates/refs.bib"
    assert caught.value.place.line in (3, 4)


def test_a_missing_engine_is_named_with_its_package(project, monkeypatch, tmp_path):
    from labreport.documents import latexmk

    for name in ("perl", "latexmk", "bibtex"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="the PDF needs lualatex") as caught:
        latexmk.check_tools(engines.ENGINES["lualatex"])
    assert "apt-get install texlive-luatex" in caught.value.cure
    # Debian brings the program without what finds its fonts
    for name, status in {"lualatex": 0, "kpsewhich": 1}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ToolError, match=r"the PDF needs luaotfload\.sty: TeX does not find it") as caught:
        latexmk.check_tools(engines.ENGINES["lualatex"])
    assert "apt-get install texlive-luatex" in caught.value.cure
    (tmp_path / "kpsewhich").write_text("#!/bin/sh\n")
    latexmk.check_tools(engines.ENGINES["lualatex"])


@pytest.mark.slow
@pytest.mark.classes
def test_a_missing_biber_is_named_with_its_package(monkeypatch, tmp_path):
    from labreport.documents import latexmk

    if subprocess.run(["kpsewhich", "biblatex.sty"], capture_output=True).returncode:
        pytest.skip("biblatex is not installed: make test-classes")
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == "biber" else which(name))
    (tmp_path / "refs.bib").write_text("@book{k, author={D. Knuth}, title={T}, date={1984}}\n")
    (tmp_path / "report.tex").write_text(
        "\\documentclass{article}\\usepackage{biblatex}\\addbibresource{refs.bib}\n"
        "\\begin{document}\\cite{k}\\printbibliography\\end{document}\n"
    )
    with pytest.raises(ToolError, match="needs biber") as caught:
        latexmk.compile(tmp_path)
    assert "apt-get install biber" in caught.value.cure
