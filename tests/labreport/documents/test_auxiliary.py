"""LaTeX begins with the auxiliary files of the last good compilation: fewer passes, the same bytes."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import STYLE

from labreport.documents import auxiliary, latexmk, processes
from labreport.documents.latexmk import CompileFailed
from labreport.results import files, strict_json

EDITS = int(os.environ.get("LABREPORT_EDITS", "25"))
WORDS = [*"abcdefghij", "loss", "network", "gradient", "backpropagation", "step"]


def bibliography(titles: dict[int, str]) -> str:
    """Return eight entries, some with titles of their own."""
    return "".join(
        f"@article{{key{k}, author = {{Author{k}}}, title = {{{titles.get(k, 'T')}}}, journal = {{J}}, "
        f"year = {{20{k:02}}}}}\n"
        for k in range(8)
    )


PREAMBLE = r"""\documentclass{article}
\newcommand\LRcomplete{\typeout{labreport: complete}}
\usepackage[round]{natbib}
\usepackage[colorlinks]{hyperref}
\bibliographystyle{plainnat}
\pdftrailerid{}
\begin{document}
\tableofcontents
"""
END = "\n\\bibliography{references}\n\\LRcomplete\n\\end{document}\n"

pytestmark = pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")


def write(folder: Path, body: str, titles: dict[int, str] | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "report.tex").write_text(PREAMBLE + body + END, encoding="utf-8")
    (folder / "references.bib").write_text(bibliography(titles or {}), encoding="utf-8")
    return folder


def passes(folder: Path) -> int:
    """Return how often pdfTeX ran."""
    return (folder / "passes.log").read_text().count("x")


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Let pdflatex and latexmk note in the folder in which they work that they ran: x and m."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool, mark in (("pdflatex", "x"), ("latexmk", "m")):
        real = shutil.which(tool)
        (tools / tool).write_text(f'#!/bin/sh\nprintf {mark} >> passes.log\nexec {real} "$@"\n')
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")


BODY = (
    r"\section{One}\label{one} See \ref{two}, page \pageref{two} \citep{key1}. \section{Two}\label{two} Text."
)


def test_edited_words_take_one_pass_without_latexmk(tmp_path, counted):
    kept = tmp_path / "kept"
    first = write(tmp_path / "a", BODY)
    latexmk.compile(first, kept=kept)
    second = write(tmp_path / "b", BODY.replace("Text", "Other text"))
    latexmk.compile(second, kept=kept)
    assert passes(first) >= 3
    assert (second / "passes.log").read_text() == "x"


PLAINNAT = Path(
    subprocess.run(["kpsewhich", "plainnat.bst"], capture_output=True, text=True, check=False).stdout.strip()
)
BIBTEX = {
    "an entry has another title": lambda folder: (folder / "references.bib").write_text(
        bibliography({1: "Another"})
    ),
    "a style of its own has the name of the system's": lambda folder: (folder / "plainnat.bst").write_bytes(
        PLAINNAT.read_bytes().replace(b'", "', b'"; "')
    ),
}


@pytest.mark.parametrize("change", BIBTEX.values(), ids=BIBTEX)
def test_what_only_bibtex_reads_counts(tmp_path, change):
    kept = tmp_path / "kept"
    latexmk.compile(write(tmp_path / "a", BODY), kept=kept)
    folders = [write(tmp_path / name, BODY) for name in "bc"]
    for folder in folders:
        change(folder)
    warm, clean = latexmk.compile(folders[0], kept=kept), latexmk.compile(folders[1])
    assert warm.pdf.read_bytes() == clean.pdf.read_bytes()
    assert (folders[0] / "report.bbl").read_bytes() == (folders[1] / "report.bbl").read_bytes()
    assert (folders[0] / "report.bbl").read_bytes() != (tmp_path / "a" / "report.bbl").read_bytes()


@pytest.mark.parametrize(
    "rules",
    ["", '["makeindex report.idx"] 1 "report.idx" "report.ind" "report" 1 0\n', None],
    ids=["nothing", "another program", "no file"],
)
def test_where_it_is_not_known_that_one_pass_is_enough_latexmk_is_asked(tmp_path, counted, rules):
    kept = tmp_path / "kept"
    latexmk.compile(write(tmp_path / "a", BODY), kept=kept)
    record = strict_json.unseal((kept / auxiliary.DIGESTS).read_bytes(), "the record", cure="")
    if rules is None:
        del record["made"]["report.fdb_latexmk"]
    else:
        (kept / "report.fdb_latexmk").write_text(rules)
        record["made"]["report.fdb_latexmk"] = files.checksum(rules.encode())
    (kept / auxiliary.DIGESTS).write_bytes(strict_json.seal(record))
    folder = write(tmp_path / "b", BODY)
    latexmk.compile(folder, kept=kept)
    assert "m" in (folder / "passes.log").read_text()


def test_a_new_citation_is_resolved(tmp_path):
    kept = tmp_path / "kept"
    latexmk.compile(write(tmp_path / "a", BODY), kept=kept)
    second = write(tmp_path / "b", BODY.replace("Text", r"\citep{key2}"))
    third = write(tmp_path / "c", BODY.replace("Text", r"\citep{key2}"))
    assert latexmk.compile(second, kept=kept).pdf.read_bytes() == latexmk.compile(third).pdf.read_bytes()


def test_a_failure_is_told_as_without_kept_files_which_stay(tmp_path):
    kept = tmp_path / "kept"
    latexmk.compile(write(tmp_path / "a", BODY), kept=kept)
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    wrong = BODY.replace("Text", r"\nosuchcommand")
    messages = []
    for name, options in (("b", {"kept": kept}), ("c", {})):
        with pytest.raises(CompileFailed) as caught:
            latexmk.compile(write(tmp_path / name, wrong), **options)
        messages.append([str(problem) for problem in caught.value.problems])
    assert messages[0] == messages[1]
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before


def test_a_reference_to_nothing_is_told_after_one_pass_as_without_kept_files(tmp_path, counted):
    kept, messages = tmp_path / "kept", []
    latexmk.compile(write(tmp_path / "a", BODY), kept=kept)
    for name, options in (("b", {"kept": kept}), ("c", {})):
        with pytest.raises(CompileFailed) as caught:
            latexmk.compile(write(tmp_path / name, BODY.replace("Text", r"See \ref{nosuch}")), **options)
        messages.append([str(problem) for problem in caught.value.problems])
    assert messages[0] == messages[1]
    assert "nosuch" in messages[0][0]
    assert passes(tmp_path / "b") == 1


def test_kept_files_with_which_the_document_fails_do_no_harm(tmp_path):
    """A package that was taken out leaves its commands in the auxiliary file of the last success."""
    kept = tmp_path / "kept"
    package = (
        r"\makeatletter\providecommand\noted[1]{}\protected@write\@auxout{}{\string\noted{}}\makeatother "
    )
    first = write(tmp_path / "a", BODY)
    with_package = (
        (first / "report.tex").read_text().replace(r"\begin{document}", package + r"\begin{document}")
    )
    (first / "report.tex").write_text(
        with_package.replace(r"\tableofcontents", r"\makeatletter\write\@auxout{\string\noted{}}\makeatother")
    )
    latexmk.compile(first, kept=kept)
    assert "noted" in (kept / "report.aux").read_text()
    warm = latexmk.compile(write(tmp_path / "b", BODY), kept=kept)
    assert warm.pdf.read_bytes() == latexmk.compile(write(tmp_path / "c", BODY)).pdf.read_bytes()


def test_a_document_is_made_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "cache").write_text("no folder")
    made = latexmk.compile(write(tmp_path / "a", BODY), kept=tmp_path / "cache" / "latex")
    assert made.pdf.is_file()


OTHERWISE = {
    "filecontents keeps old text": (
        "\\begin{filecontents}{data.txt}\nold\n\\end{filecontents}\n\\input{data.txt}",
        "\\begin{filecontents}{data.txt}\nnew words\n\\end{filecontents}\n\\input{data.txt}",
    ),
    "a file that was written": (
        r"\newwrite\w \immediate\openout\w=notes.txt \immediate\write\w{x}\immediate\closeout\w",
        r"\IfFileExists{notes.txt}{old}{none}",
    ),
    "a log of its own, which it looks for first": tuple(
        r"\IfFileExists{notes.log}{old}{none}"
        rf"\newwrite\w \immediate\openout\w=notes.log \immediate\write\w{{x}}\immediate\closeout\w {words}"
        for words in ("", "and more")
    ),
    "an index, now removed": (
        r"\makeatletter\newwrite\w \immediate\openout\w=report.ind \immediate\write\w{old}"
        r"\immediate\closeout\w \@input{report.ind}\makeatother",
        r"\makeatletter\@input{report.ind}\makeatother",
    ),
    "a table of contents, now removed": (
        r"\listoftables\begin{table}\caption{Old}\end{table}",
        r"\makeatletter\@input{report.lot}\makeatother",
    ),
}


@pytest.mark.parametrize(("first", "second"), OTHERWISE.values(), ids=OTHERWISE)
def test_what_the_document_does_not_write_itself_is_not_read(tmp_path, first, second):
    kept = tmp_path / "kept"
    first, second = (rf"Text \citep{{key1}}. {body}" for body in (first, second))
    latexmk.compile(write(tmp_path / "a", first), kept=kept)
    warm = latexmk.compile(write(tmp_path / "b", second), kept=kept)
    assert warm.pdf.read_bytes() == latexmk.compile(write(tmp_path / "c", second)).pdf.read_bytes()


def test_a_part_that_is_left_out_has_no_labels(tmp_path):
    r"""`\includeonly` reads the auxiliary file of each part: of one that was never compiled there is none."""
    kept, body = tmp_path / "kept", r"\include{parts/one} See \ref{part} \citep{key1}."
    for name, head in (("a", ""), ("b", "\\includeonly{other}\n")):
        folder = write(tmp_path / name, body)
        text = (folder / "report.tex").read_text()
        (folder / "report.tex").write_text(text.replace(r"\begin{document}", head + r"\begin{document}"))
        (folder / "parts").mkdir()
        (folder / "parts" / "one.tex").write_text(r"\section{One}\label{part}")
        if not head:
            latexmk.compile(folder, kept=kept)
    with pytest.raises(CompileFailed, match="part"):
        latexmk.compile(folder, kept=kept)


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: (kept / "report.aux").write_text("\\relax"),
        lambda kept: (kept / "report.aux").unlink(),
        lambda kept: (kept / auxiliary.DIGESTS).write_text("[1]"),
        lambda kept: (kept / auxiliary.DIGESTS).write_text("{"),
        lambda kept: (kept / auxiliary.DIGESTS).write_text('{"../report.aux": "0"}'),
    ],
    ids=["changed", "gone", "other digests", "half digests", "outside"],
)
def test_damaged_files_are_not_used(tmp_path, damage):
    kept = tmp_path / "kept"
    latexmk.compile(write(tmp_path / "a", BODY), kept=kept)
    damage(kept)
    folder = write(tmp_path / "b", BODY)
    assert not auxiliary.lay(kept, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["references.bib", "report.tex"]


def _figure(rng: random.Random, n: int) -> str:
    where = rng.choice(["t", "b", "tbp", "p"])
    rule = rf"\rule{{3cm}}{{{rng.randint(1, 6)}cm}}"
    return rf"\begin{{figure}}[{where}]{rule}\caption{{Figure {n}}}\label{{f{n}}}\end{{figure}}"


def _edited(parts: list[str], rng: random.Random, n: int) -> list[str]:
    """Return the paragraphs after one random edit, of the kinds that authors make."""
    labels = [part.split("label{")[1].split("}")[0] for part in parts if "label{" in part]
    words = " ".join(rng.choices(WORDS, k=rng.randint(5, 120)))
    place = rng.randrange(len(parts) + 1)
    kind = rng.choice(["words", "words", "remove", "section", "figure", "citation", "reference", "move"])
    new = {
        "words": words,
        "section": rf"\section{{Section {n}}}\label{{s{n}}} {words}",
        "figure": _figure(rng, n),
        "citation": rf"{words} \citet{{key{rng.randrange(8)}}}.",
        "reference": rf"\Ref{{{rng.choice(labels)}}}" if labels else words,
    }.get(kind)
    if new is not None:
        return [*parts[:place], new, *parts[place:]]
    if len(parts) < 3:
        return parts
    taken = parts[: place - 1] + parts[place:] if place else parts[1:]
    if kind == "move":
        taken.insert(rng.randrange(len(taken) + 1), (parts[place - 1] if place else parts[0]))
    return taken


def _text(parts: list[str]) -> str:
    r"""Return the paragraphs, with references (\Ref) only to labels that exist."""
    there = {part.split("label{")[1].split("}")[0] for part in parts if "label{" in part}
    out = []
    for part in parts:
        if part.startswith(r"\Ref{"):
            name = part[5:-1]
            part = rf"See \ref{{{name}}} on page \pageref{{{name}}}." if name in there else "See above."
        out.append(part)
    return "\n\n".join([*out, r"\citep{key0}"])


def killed(folder: Path, kept: Path, seconds: float) -> None:
    """Compile in a process that is killed in between; what it left running is ended as by the next build."""
    code = "import sys, pathlib; from labreport.documents import latexmk; "
    code += "latexmk.compile(pathlib.Path(sys.argv[1]), kept=pathlib.Path(sys.argv[2]))"
    environment = {**os.environ, "PYTHONPATH": str(STYLE.parents[2])}
    process = subprocess.Popen([sys.executable, "-c", code, folder, kept], env=environment)
    time.sleep(seconds)
    process.kill()
    process.wait()
    processes.end_leftover(folder)


@pytest.mark.slow
@pytest.mark.timeout(max(600, EDITS * 60))
def test_random_edits_one_after_the_other_give_the_bytes_of_a_clean_compilation(tmp_path, counted):
    """`LABREPORT_EDITS=100` makes it longer. Some compilations are killed, and the next one begins anew."""
    rng, kept, parts, titles, count = random.Random(15), tmp_path / "kept", ["It begins."], {}, []
    for n in range(EDITS):
        for step in range(rng.randint(1, 3)):
            parts = _edited(parts, rng, n * 3 + step)
        if rng.random() < 0.2:
            titles[rng.randrange(8)] = " ".join(rng.choices(WORDS, k=3))
        if rng.random() < 0.2:
            killed(write(tmp_path / f"killed{n}", _text(parts), titles), kept, rng.uniform(0.2, 1.5))
        warm = write(tmp_path / f"warm{n}", _text(parts), titles)
        clean = write(tmp_path / f"clean{n}", _text(parts), titles)
        assert latexmk.compile(warm, kept=kept).pdf.read_bytes() == latexmk.compile(clean).pdf.read_bytes(), (
            f"edit {n}"
        )
        count.append(passes(warm))
        shutil.rmtree(warm)
        shutil.rmtree(clean)
    print(f"{EDITS} edits: {sum(count) / EDITS:.2f} passes on average, {count.count(1)} times one")
