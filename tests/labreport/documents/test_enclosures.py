"""What hostile documents and notebooks read and write: nothing but what is theirs."""

import os
import pwd
import re
import shutil
import subprocess
import uuid
from hashlib import md5
from pathlib import Path

import pytest

from labreport import surroundings, wall
from labreport.documents import audit, enclosures, engines, latexmk, processes
from labreport.documents.latexmk import CompileFailed

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
    return {problem.kind for problem in audit.outside(folder, "report")} == {"outside"}


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
