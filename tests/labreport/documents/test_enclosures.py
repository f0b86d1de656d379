"""What hostile documents and notebooks read and write: nothing but what is theirs."""

import os
import pwd
import re
import shutil
import subprocess
import uuid
from hashlib import md5
from pathlib import Path

import projects
import pytest

from labreport import wall
from labreport.documents import audit, enclosures, engines, latexmk, pictures, processes
from labreport.documents.latexmk import CompileFailed
from labreport.errors import ToolError
from labreport.language import Figure

pytestmark = pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
walled = pytest.mark.skipif(not wall.version(), reason=wall.NONE)

CANARY = f"{uuid.uuid4().int}"
HOMENAME = f"labreport-{uuid.uuid4().hex}.tex"
TRACES = (CANARY, md5(f"{CANARY}\n".encode()).hexdigest().upper())
"""What must not be found: the words of a file, or what only somebody knows who has read it."""

READING = {
    "input": r"\input{SECRET}",
    "primitive": r"\makeatletter\@@input SECRET ",
    "by name": r"\csname input\endcsname{SECRET}",
    "circumflex": r"^^5cinput{SECRET}",
    "circumflex in the name": r"\^^69nput{SECRET}",
    "other escape": r"\catcode`\!=0 !input{SECRET}",
    "verbatim": r"\verbatiminput{SECRET}",
    "include": r"\InputIfFileExists{SECRET}{}{}",
    "parent": r"\input{../NAME}",
    "far parent": r"\input{./../FOLDER/../NAME}",
    "hidden": r"\input{../.NAME}",
    "variable": r"\input{$SELFAUTOPARENT/SECRET}",
    "variable in braces": r"\input{${SELFAUTOPARENT}SECRET}",
    "default of a variable": r"\input{$TEXMFROOT/../../../SECRET}",
    "brace expansion": r"\input{{SECRET,x}}",
    "home": r"\input{~USER/HOMENAME}",
    "link": r"\input{link.tex}",
    "link to folder": r"\input{links/NAME}",
    "open": r"\newread\r\openin\r=SECRET \read\r to\x \x",
    "open by variable": r"\newread\r\openin\r=$SELFAUTOPARENT/SECRET \read\r to\x \x",
    "open home": r"\newread\r\openin\r=\string~USER/HOMENAME \read\r to\x \x",
    "readline": r"\newread\r\openin\r=SECRET \readline\r to\x \x",
    "dump": r"\edef\x{\pdffiledump length 60 {SECRET}}\pdfobj{(\pdfunescapehex{\x})}\pdfrefobj\pdflastobj",
    "dump by variable": r"\edef\x{\pdffiledump length 60 {$SELFAUTOPARENT/SECRET}}"
    r"\pdfobj{(\pdfunescapehex{\x})}\pdfrefobj\pdflastobj",
    "digest": r"\pdfmdfivesum file {SECRET}",
    "digest by variable": r"\pdfmdfivesum file {$SELFAUTOPARENT/SECRET}",
    "object": r"\immediate\pdfobj stream file {SECRET}",
    "object in parent": r"\immediate\pdfobj stream file {../NAME}",
    "object by link": r"\immediate\pdfobj stream file {link.tex}",
    "object kept for later": r"\pdfobj stream file {SECRET}\pdfrefobj\pdflastobj",
    "attachment": r"\immediate\pdfobj stream attr {/Type /EmbeddedFile} file {SECRET}",
    "figure": r"\includegraphics{FIGURE}",
    "font map": r"\pdfmapfile{SECRET}\font\f=cmr10 \f x",
    "copied": r"\newread\r\newwrite\w\openin\r=$SELFAUTOPARENT/SECRET \read\r to\x"
    r"\immediate\openout\w=copy.txt \immediate\write\w{\x}",
    "shell": r"\immediate\write18{cp SECRET stolen}",
    "pipe": r'\input{|"cat SECRET"}',
}
WRITING = {
    "open": r"\newwrite\w\immediate\openout\w=TARGET \immediate\write\w{x}\immediate\closeout\w",
    "parent": r"\newwrite\w\immediate\openout\w=../TARGETNAME \immediate\write\w{x}",
    "hidden": r"\newwrite\w\immediate\openout\w=../.TARGETNAME \immediate\write\w{x}",
    "link": r"\newwrite\w\immediate\openout\w=links/TARGETNAME \immediate\write\w{x}",
    "later": r"\newwrite\w\openout\w=links/TARGETNAME \write\w{x}y",
    "shell": r"\immediate\write18{touch TARGET}",
}


@pytest.fixture
def place(tmp_path):
    """A folder for a document, with a secret beside it, in the user's home, and behind links."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    home = Path(pwd.getpwuid(os.getuid()).pw_dir) / HOMENAME
    for path in (tmp_path / "secret.tex", tmp_path / ".secret.tex", home):
        path.write_text(f"{CANARY}\n")
    (tmp_path / "secret.pdf").write_bytes(_pdf())
    (folder / "link.tex").symlink_to(tmp_path / "secret.tex")
    (folder / "links").symlink_to(tmp_path)
    yield folder
    home.unlink()


def _pdf():
    """Return a PDF of one empty page, which names the canary in its content."""
    content = f"% {CANARY}".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
    ]
    data, starts = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        starts.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    tail = b"xref\n0 5\n0000000000 65535 f \n%strailer<</Root 1 0 R/Size 5>>\nstartxref\n%d\n%%%%EOF"
    return data + tail % (table, len(data))


def write(folder, payload):
    """Write a document with a payload, and nothing compressed that could hide what was read."""
    parent = folder.parent
    told = {
        "TARGETNAME": "target.txt",
        "TARGET": f"{parent}/target.txt",
        "FIGURE": f"{parent}/secret.pdf",
        "SECRET": f"{parent}/secret.tex",
        "HOMENAME": HOMENAME,
        "FOLDER": folder.name,
        "USER": pwd.getpwuid(os.getuid()).pw_name,
        "NAME": "secret.tex",
    }
    for name, text in told.items():
        payload = payload.replace(name, text)
    head = r"\documentclass{article}\pdfcompresslevel=0 \pdfobjcompresslevel=0 \usepackage{graphicx,verbatim}"
    head += r"\newcommand\LRcomplete{\typeout{labreport: complete}}"
    text = "\n".join([head, r"\begin{document}x", payload, r"\LRcomplete\end{document}", ""])
    (folder / "report.tex").write_text(text)


COMMAND = [*engines.PDFLATEX.command.replace("-halt-on-error", "").split(), "report.tex"]


def found(folder):
    """Return the files in which anything of the secret is found."""
    files = [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]
    # kerns stand between the letters of a word in a PDF
    texts = {path.name: re.sub(rb"\)-?[\d.]+\(", b"", path.read_bytes()) for path in files}
    return [name for name, text in texts.items() if any(trace.encode() in text for trace in TRACES)]


def written(folder):
    names = ("target.txt", ".target.txt")
    return [name for name in names if (folder.parent / name).exists()]


def freely(folder):
    """Run TeX as one who has no walls at all does."""
    environment = os.environ | {"openin_any": "a", "openout_any": "a", "max_print_line": "10000"}
    command = [part.replace("-no-shell-escape", "-shell-escape") for part in COMMAND]
    subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True)


def enclosed(folder):
    processes.run(folder, 60, COMMAND)


def without_landlock(folder, monkeypatch):
    monkeypatch.setattr(wall, "version", lambda: 0)
    enclosed(folder)


def refused(folder):
    return {problem.kind for problem in audit.outside(folder, "report", "")} == {"outside"}


NEVER = {"font map", "brace expansion"}
"""What not even an unrestricted TeX does; it must not begin to."""


@pytest.mark.slow
class TestPayloads:
    """Each one does its harm where TeX is free, does none behind the wall, and is not published without."""

    @pytest.mark.parametrize("name", READING)
    def test_nothing_is_read(self, place, name, monkeypatch):
        write(place, READING[name])
        freely(place)
        assert bool(found(place)) == (name not in NEVER)
        for path in place.iterdir():
            if path.is_file() and path.name != "report.tex" and not path.is_symlink():
                path.unlink()
        if wall.version():
            enclosed(place)
            assert found(place) == []
        without_landlock(place, monkeypatch)
        assert found(place) == [] or refused(place)

    @pytest.mark.parametrize("name", WRITING)
    def test_nothing_is_written(self, place, name, monkeypatch):
        write(place, WRITING[name])
        freely(place)
        assert written(place)
        for left in written(place):
            (place.parent / left).unlink()
        if wall.version():
            enclosed(place)
            assert written(place) == []
        without_landlock(place, monkeypatch)
        assert written(place) == [] or refused(place)


def problems(folder, **options):
    with pytest.raises(CompileFailed) as caught:
        latexmk.compile(folder, **options)
    return caught.value.problems


OBJECT = r"\immediate\pdfobj stream file {SECRET}"
TWO_PASSES = (
    r"\IfFileExists{copy.txt}{\input{copy.txt}\label{l}\ref{l}}"
    r"{\immediate\pdfobj stream file {SECRET}\newwrite\w\immediate\openout\w=copy.txt"
    r"\immediate\write\w{y}\immediate\closeout\w\label{l}\ref{l}}"
)
COVERED = OBJECT + r"\newwrite\w\immediate\openout\w=RECORD \immediate\write\w{PWD /}\immediate\closeout\w"


class TestCompiling:
    """A document that reaches out of its folder gives no PDF, with a wall and without."""

    @walled
    def test_the_wall_refuses_what_tex_would_read(self, place):
        write(place, OBJECT)
        found = problems(place)[0]
        assert (found.kind, found.line) == ("outside", 3)
        assert f"the document reads {place.parent}/secret.tex" in found.message

    @pytest.mark.parametrize("payload", [OBJECT, TWO_PASSES], ids=["one pass", "the first of two passes"])
    def test_without_one_the_record_of_each_pass_tells_it(self, place, monkeypatch, payload):
        monkeypatch.setattr(wall, "version", lambda: 0)
        write(place, payload)
        found = problems(place)[0]
        assert found.kind == "outside"
        assert f"the document reads {place.parent}/secret.tex" in found.message

    @pytest.mark.parametrize(("record", "kind"), [("report.fls", "record"), (audit.PASSES, "outside")])
    def test_nor_is_a_document_published_that_writes_into_the_record(self, place, monkeypatch, record, kind):
        monkeypatch.setattr(wall, "version", lambda: 0)
        write(place, COVERED.replace("RECORD", record))
        assert kind in [problem.kind for problem in problems(place)]

    def test_nor_one_that_is_compiled_once_more(self, place, monkeypatch, tmp_path):
        write(place, "x")
        latexmk.compile(place, kept=tmp_path / "kept")
        again = tmp_path / "again"
        again.mkdir()
        monkeypatch.setattr(wall, "version", lambda: 0)
        write(again, OBJECT)
        with pytest.raises(CompileFailed, match="lies outside of the project"):
            latexmk.compile_again(again, job="report", deadline=60, kept=tmp_path / "kept")

    def test_the_wall_changes_no_byte_of_the_pdf(self, tmp_path, monkeypatch):
        made = []
        for name, version in (("with", wall.version()), ("without", 0)):
            monkeypatch.setattr(wall, "version", lambda version=version: version)
            folder = tmp_path / name
            folder.mkdir()
            write(folder, r"\section{A}\label{a}\ref{a} $\alpha$")
            made.append(latexmk.compile(folder).pdf.read_bytes())
        assert made[0] == made[1]

    @pytest.mark.skipif(shutil.which("lualatex") is None, reason="needs lualatex")
    @walled
    def test_lua_reads_and_writes_nothing_outside_and_has_no_network(self, place):
        """Neither stands in TeX's record."""
        write(place, "x")
        secret, target = place.parent / "secret.tex", place.parent / "target.txt"
        lua = (
            f"local read = io.open('{secret}') if read then tex.print(read:read('*a')) end "
            f"local written = io.open('{target}', 'w') os.remove('{secret}') "
            "texio.write_nl('told: ' .. tostring(read) .. tostring(written) .. tostring(socket))"
        )
        text = rf"\documentclass{{article}}\begin{{document}}x\directlua{{{lua}}}\end{{document}}"
        (place / "report.tex").write_text(text)
        processes.run(place, 60, [*engines.ENGINES["lualatex"].command.split(), "report.tex"])
        assert "told: nilnilnil" in (place / "report.log").read_text()
        assert (place / "report.pdf").is_file()
        assert found(place) == written(place) == []
        assert secret.is_file()

    @walled
    def test_bibtex_reads_nothing_outside(self, place):
        entry = f"@book{{k, author={{{CANARY}}}, title={{T}}, publisher={{P}}, year=1}}"
        (place.parent / "other.bib").write_text(entry)
        name = f"$SELFAUTOPARENT{place.parent}/other"
        aux = f"\\relax\n\\citation{{k}}\n\\bibstyle{{plain}}\n\\bibdata{{{name}}}\n"
        (place / "report.aux").write_text(aux)
        subprocess.run(["bibtex", "report"], cwd=place, capture_output=True)
        assert CANARY in (place / "report.bbl").read_text()
        processes.run(place, 60, ["bibtex", "report"])
        assert CANARY not in (place / "report.bbl").read_text()


def test_a_tree_of_the_users_own_is_read_wherever_it_is_and_links_to(tmp_path, monkeypatch):
    tree, elsewhere, tools = tmp_path / "texmf" / "tex" / "latex", tmp_path / "elsewhere", tmp_path / "bin"
    for folder in (tree, elsewhere, tools):
        folder.mkdir(parents=True)
    (tree / "own.sty").write_text(r"\newcommand\own{\linked}")
    (elsewhere / "linked.sty").write_text(r"\newcommand\linked{words}")
    (tree / "links").symlink_to(elsewhere)
    for name in ("pdflatex", "kpsewhich"):
        script = f'#!/bin/sh\nTEXMFHOME="{tmp_path}/texmf" exec "{shutil.which(name)}" "$@"\n'
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    folder = tmp_path / "scratch"
    folder.mkdir()
    write(folder, r"\own")
    text = (folder / "report.tex").read_text()
    (folder / "report.tex").write_text(text.replace(r"\begin{doc", r"\usepackage{own,linked}\begin{doc"))
    assert latexmk.compile(folder).pages == 1


def test_no_folder_that_holds_somebodys_home_is_let_in(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))
    (tmp_path / "home" / "me" / "bin").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"/:{tmp_path}:{tmp_path}/home/me:{tmp_path}/home/me/bin:{os.environ['PATH']}")
    reads = enclosures.tex(tmp_path / "scratch").reads
    assert not {"/", str(tmp_path), str(tmp_path / "home"), str(tmp_path / "home" / "me")} & set(reads)
    assert str(tmp_path / "home" / "me" / "bin") in reads


class TestLimits:
    def test_files_that_are_large_only_together_are_stopped(self, place, monkeypatch):
        monkeypatch.setattr(processes, "MOST_WRITTEN", 2**20)
        monkeypatch.setattr(processes, "_LOOK", 0.05)
        write(
            place,
            r"\newcount\n\newwrite\w\def\x{\advance\n by 1 \immediate\openout\w=f\number\n.txt"
            r"\immediate\write\w{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}"
            r"\immediate\closeout\w\x}\x",
        )
        found = problems(place, deadline=120)[0]
        assert (found.kind, "in all" in found.message) == ("limit", True)

    @pytest.mark.skipif(shutil.which("lualatex") is None, reason="needs lualatex")
    def test_memory_without_end_is_told(self, place, monkeypatch):
        monkeypatch.setattr(processes, "MOST_MEMORY", 2**29)
        lua = "local t = {} while true do t[\\string#t + 1] = string.rep('x', 1000000) .. \\string#t end"
        text = rf"\documentclass{{article}}\begin{{document}}x\directlua{{{lua}}}\end{{document}}"
        (place / "report.tex").write_text(f"% !TeX program = lualatex\n{text}")
        monkeypatch.setattr(engines.Engine, "lacks", lambda _: None)
        assert "memory" in problems(place, deadline=120)[0].message

    def test_processor_time_that_is_used_up_is_told(self, place, monkeypatch):
        monkeypatch.setattr(processes, "Limits", lambda cpu, *most: wall.Limits(1, *most))
        write(place, r"\def\x{\x}\x")
        assert "processor time" in problems(place, deadline=120)[0].message


class TestConverting:
    """The program that converts SVG, here one of our own that is up to something."""

    @pytest.fixture
    def convert(self, tmp_path, monkeypatch):
        def convert(script):
            (tmp_path / "bin").mkdir()
            program = tmp_path / "bin" / pictures.CONVERTER
            program.write_text(f'#!/bin/sh\nout="${{2#--output=}}"\n{script}\n')
            program.chmod(0o755)
            monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
            project = projects.make(tmp_path / "project", {})
            projects.write(project.root / "data" / "a.svg", "<svg/>")
            target = tmp_path / "sources" / "a-svg.pdf"
            pictures.write(project, Figure("", "data/a.svg", "", "a"), target)
            return target

        return convert

    @walled
    def test_it_reads_the_picture_and_nothing_else(self, convert, tmp_path):
        (tmp_path / "secret").write_text(CANARY)
        assert convert(f'cat "$3" {tmp_path}/secret > "$out"; true').read_text() == "<svg/>"

    @walled
    def test_it_writes_beside_the_result_only(self, convert, tmp_path):
        convert(f'echo x > {tmp_path}/lost; echo x > {tmp_path}/project/data/a.svg; echo x > "$out"')
        assert not (tmp_path / "lost").exists()
        assert (tmp_path / "project" / "data" / "a.svg").read_text() == "<svg/>"

    def test_one_that_hangs_is_ended_and_told(self, convert, monkeypatch):
        monkeypatch.setattr(pictures, "SECONDS", 0.2)
        with pytest.raises(ToolError, match=r"data/a\.svg cannot be converted within 0\.2 s"):
            convert("exec /bin/sleep 60")
