"""Files of the project as figures: which are shown, which refused, and what follows when one changes."""

import struct
import zlib

import projects
import pytest

from labreport import build, explain
from labreport.checks import checks
from labreport.documents import pictures, report
from labreport.errors import InputError

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80"><rect width="60" height="40"/></svg>'
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\usepackage{subcaption}
\begin{document}
\Cref{fig:both} has \cref{fig:dots} and \cref{fig:lines}.
\begin{figure}[h]
\begin{subfigure}{0.4\linewidth}
\VAR{picture("data/dots.png", alt="Grey dots", width="\\linewidth")}\caption{Dots}\label{fig:dots}
\end{subfigure}
\begin{subfigure}{0.4\linewidth}
\VAR{picture("data/lines.svg", alt="A square")}\caption{Lines}\label{fig:lines}
\end{subfigure}
\caption{Both}\label{fig:both}
\end{figure}
\end{document}
"""


def png(side: int) -> bytes:
    """Return a grey square as a PNG (its specification, chapters 5 and 11)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes(range(side)) for _ in range(side))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def with_files(folder, template=TEMPLATE):
    made = projects.make(folder, {})
    projects.write(made.templates / "report.tex.j2", template)
    projects.write(made.root / "data/lines.svg", SVG)
    (made.root / "data/dots.png").write_bytes(png(100))
    return made


def found(project, name):
    return next(v for v in checks.check(project, {}) if v.name == name)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    made = with_files(tmp_path_factory.mktemp("pictures") / "project")
    return made, build.make_all(made)


@pytest.mark.slow
class TestShown:
    def test_their_files_are_sources_of_the_pdf_and_of_the_zip(self, built):
        project, made = built
        assert {"data/dots.png", "data/lines.svg"} <= set(made.packed.submission.files)
        assert (project.latex / "pictures/data/dots.png").read_bytes() == png(100)
        assert (project.latex / "pictures/data/lines-svg.pdf").read_bytes().startswith(b"%PDF-")

    def test_alternative_texts_labels_and_captions_of_subfigures_are_right(self, built):
        rules = ("alternative texts", "captions", "labels", "mentions", "references")
        assert {rule: found(built[0], rule).places for rule in rules} == dict.fromkeys(rules, ())

    def test_dots_that_are_printed_too_large_are_told(self, built):
        (place,) = found(built[0], "resolution").places
        assert place == ("page 1", "100 × 100 dots are 42 per inch as printed")  # in 0.4 of 150 mm

    def test_each_is_a_thing_of_the_page_with_its_place(self, built):
        matches = explain.explain(built[0], "data/dots.png")["matches"]
        assert [figure["key"] for match in matches for figure in match["figures"]] == ["data/dots.png"]

    def test_another_picture_makes_the_report_stale_and_the_same_svg_gives_the_same_bytes(self, built):
        project = built[0]
        (project.root / "data/dots.png").write_bytes(png(120))
        try:
            assert report.out_of_date(project) == ["data/dots.png changed"]
        finally:
            (project.root / "data/dots.png").write_bytes(png(100))
        assert report.out_of_date(project) == []
        before = (project.latex / "pictures/data/lines-svg.pdf").read_bytes()
        report.make(project)
        assert (project.latex / "pictures/data/lines-svg.pdf").read_bytes() == before


@pytest.mark.parametrize(
    ("call", "what", "cure"),
    [
        ('"data/dotz.png", alt="a"', "there is no file 'data/dotz.png'", "did you mean 'data/dots.png'"),
        ('"../dots.png", alt="a"', "leads out of the project", "name a file by its path"),
        ('"/etc/dots.png", alt="a"', "leads out of the project", "name a file by its path"),
        ('"data//dots.png", alt="a"', "no plain path", "name a file by its path"),
        ('"build/dots.png", alt="a"', "labreport has made", "|figure"),
        ('"data/dots.gif", alt="a"', "form that cannot be shown", "save it as one of"),
        ('"data/link.png", alt="a"', "symbolic link", "copy the file"),
        ('"linked/dots.png", alt="a"', "symbolic link", "copy the file"),
        ('"data/lines.png", alt="a"', "not what its name says", "save it as PNG"),
        ('"data/ä b.png", alt="a"', "TeX cannot read", "use only letters"),
        ('"data/dots.png"', "no alternative text", "alt="),
        ('"data/dots.png", alt=" "', "no alternative text", "alt="),
        ('"data/dots.png", alt="a", width="}\\\\input{x}"', "wide", "width="),
    ],
)
def test_what_cannot_be_shown_is_refused_at_its_line_with_the_cure(tmp_path, call, what, cure):
    template = (
        f"\\documentclass{{article}}\n\\begin{{document}}\n\\VAR{{picture({call})}}\n\\end{{document}}\n"
    )
    project = with_files(tmp_path, template)
    projects.write(project.root / "data/lines.png", SVG)
    (project.root / "data/ä b.png").write_bytes(png(2))
    (project.root / "data/link.png").symlink_to("dots.png")
    (project.root / "linked").symlink_to("data")
    with pytest.raises(InputError) as raised:
        report.render(project)
    assert (what in raised.value.what, cure in raised.value.cure) == (True, True), raised.value
    assert raised.value.place.line == 3


def test_a_file_has_no_width_but_its_own_unless_one_is_given(tmp_path):
    template = r"""\documentclass{article}\begin{document}
\VAR{picture("data/dots.png", alt="a b")}\VAR{picture("data/dots.png", alt="c", width="0.5\\textwidth")}
\end{document}"""
    document = report.render(with_files(tmp_path, template))
    assert r"\LRfigure{pictures/data/dots.png}{006100200062}" in document.text
    assert r"\LRfigure[width=0.5\textwidth]{pictures/data/dots.png}{0063}" in document.text
    assert pictures.files(document.rendered) == {"data/dots.png"}
