"""Compiling: the same bytes everywhere, problems with their places, nothing left behind."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hostile import STYLE
from pypdf import PdfReader
from pypdf.generic import ContentStream

from labreport.documents import latexmk, processes
from labreport.documents.latexmk import Compiled, CompileFailed
from labreport.documents.texlog import Problem, read_blg, read_log
from labreport.errors import LatexError, ToolError

PLAIN = r"\newcommand\LRcomplete{\typeout{labreport: complete}}"

pytestmark = pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")


def write(folder: Path, body: str, preamble: str = PLAIN, **files: str) -> Path:
    """Write a document whose body begins in line 4."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.tex").write_text(
        f"\\documentclass{{article}}\n{preamble}\n\\begin{{document}}\n{body}\n\\LRcomplete\n\\end{{document}}\n",
        encoding="utf-8",
    )
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def problems(folder: Path, **options: float) -> tuple[Problem, ...]:
    with pytest.raises(CompileFailed) as caught:
        latexmk.compile(folder, **options)
    return caught.value.problems


def text_of(pdf: Path) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True
    ).stdout


# --------------------------------------------------------------------------------------- a whole document

ALTERNATIVE = "A square with 100% of its sides"
DOCUMENT = r"""
\documentclass[11pt]{article}
\usepackage[article]{labreport}
\title{Wörter} \author{} \date{\today}
\begin{document}
\maketitle
\tableofcontents
\section{Numbers}\label{sec:numbers}
See \cref{fig:one} and \cref{tab:one}, \citet{knuth1984}; \num{12345.678 \pm 0.045}; \LRdash.
\begin{figure}
\LRfigure[width=5cm]{figure.pdf}{ALTERNATIVE}
\caption{A figure.}\label{fig:one}
\end{figure}
\begin{table}\caption{A table.}\label{tab:one}
\begin{tabular}{lS[table-format=2.2]}\toprule {name} & {value} \\ \midrule a & 1.25 \\ b & 12.5 \\ \bottomrule
\end{tabular}
\end{table}
\section{A long table}
\begin{longtable}{ll}\toprule n & text \\ \midrule \endhead
ROWS
\bottomrule \end{longtable}
\LRcode[10]{code.py, lines 9–10}{\LRline{9}{\LRkeyword{def}\ f():}\LRline{10}{\ \ \ \ \LRcomment{{\#}\ done}}}
\bibliographystyle{plainnat}
\bibliography{refs}
\LRcomplete
\end{document}
"""
DOCUMENT = DOCUMENT.replace("ALTERNATIVE", ALTERNATIVE.encode("utf-16-be").hex()).strip()
DOCUMENT = DOCUMENT.replace("ROWS", "\n".join(rf"{n} & row {n} \\" for n in range(120)))
BIBLIOGRAPHY = """\
@book{knuth1984, author={Donald E. Knuth}, title={The {\\TeX}book}, publisher={Addison-Wesley}, year={1984}}
"""


def write_document(folder: Path, figure: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "report.tex").write_text(DOCUMENT, encoding="utf-8")
    (folder / "refs.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    shutil.copy(STYLE, folder)
    shutil.copy(figure, folder / "figure.pdf")
    return folder


def draw(path: Path) -> Path:
    import matplotlib.figure

    figure = matplotlib.figure.Figure(figsize=(2, 2))
    figure.subplots().plot([0, 1], [1, 0])
    figure.savefig(path, metadata={"CreationDate": None})
    return path


def plain_latexmk(folder: Path, home: Path) -> None:
    """Run latexmk as a user would: with other settings, language, time zone and width of the log."""
    (home / "texmf" / "tex" / "latex").mkdir(parents=True)
    (home / "texmf" / "tex" / "latex" / "booktabs.sty").write_text("\\errmessage{another booktabs}")
    (home / ".latexmkrc").write_text("$pdf_mode = 4; $out_dir = 'elsewhere'; $pdflatex = 'false';")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    environment |= {"TEXINPUTS": str(home) + ":", "max_print_line": "79", "SOURCE_DATE_EPOCH": "1"}
    subprocess.run(["latexmk"], cwd=folder, env=environment, capture_output=True, check=True, timeout=120)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, Compiled, Path]:
    """Compile one document in two folders, and by plain latexmk in a third."""
    root = tmp_path_factory.mktemp("builds")
    figure = draw(root / "figure.pdf")
    first = write_document(root / "a", figure)
    second = write_document(root / "ein Ordner" / "mit ü", figure)
    third = write_document(root / "published", figure)
    latexmk.write_latexmkrc(third)
    with ThreadPoolExecutor() as pool:
        one, two = pool.submit(latexmk.compile, first), pool.submit(latexmk.compile, second)
        pool.submit(plain_latexmk, third, root / "home").result()
        return one.result(), two.result(), third / "report.pdf"


def test_two_folders_give_the_same_bytes(builds):
    assert builds[0].pdf.read_bytes() == builds[1].pdf.read_bytes()


def test_a_plain_latexmk_gives_the_same_bytes_whatever_the_users_settings(builds):
    assert builds[2].read_bytes() == builds[0].pdf.read_bytes()


def test_the_pdf_holds_no_date_path_or_identity_of_the_run(builds):
    reader = PdfReader(builds[0].pdf)
    assert not {"/CreationDate", "/ModDate", "/PTEX.Fullbanner"} & set(reader.metadata)
    assert "/ID" not in reader.trailer
    assert b"PTEX.FileName" not in builds[0].pdf.read_bytes()
    assert "January 1, 2025" in text_of(builds[0].pdf)


def test_a_good_document_has_pages_resolved_references_and_no_notices(builds):
    done = builds[0]
    text = text_of(done.pdf)
    assert done.notices == ()
    assert done.pages == len(PdfReader(done.pdf).pages)
    assert "See Figure 1 and Table 1, Knuth (1984); 12,345.678 ± 0.045; –." in re.sub(r"\s+", " ", text)
    assert "??" not in text
    assert re.search(r"2 +A long table( \.)* +1", text)


def test_a_figures_alternative_text_is_in_the_pdf(builds):
    reader = PdfReader(builds[0].pdf)
    marks = [
        operands[1]["/Alt"]
        for page in reader.pages
        for operands, operator in ContentStream(page.get_contents(), reader).operations
        if operator == b"BDC" and "/Alt" in operands[1]
    ]
    assert marks == [ALTERNATIVE]


def test_nothing_but_tex_files_is_left_behind(builds):
    left = {path.suffix or path.name for path in builds[0].pdf.parent.iterdir()}
    assert left <= {
        ".tex",
        ".bib",
        ".sty",
        ".synctex",
        ".pdf",
        ".aux",
        ".bbl",
        ".blg",
        ".log",
        ".out",
        ".toc",
        ".fls",
    } | {
        ".fdb_latexmk",
        "latexmkrc",
        ".cfg",
    }


@pytest.mark.parametrize("document_class", ["article", "scrartcl"])
def test_the_package_works_with_each_class_and_marks_each_page_of_a_quick_build(tmp_path, document_class):
    body = r"\section{One}\newpage\begin{landscape}Two\end{landscape}"
    folder = write(tmp_path / "a", body, r"\usepackage[article,quick]{labreport}")
    shutil.copy(STYLE, folder)
    text = (folder / "report.tex").read_text().replace("{article}", f"[11pt]{{{document_class}}}")
    (folder / "report.tex").write_text(text)
    done = latexmk.compile(folder)
    pages = [page.extract_text() for page in PdfReader(done.pdf).pages]
    assert done.notices == ()
    assert len(pages) == 2
    assert all("quick build" in page for page in pages)


# ------------------------------------------------------------------------------------------------- errors

ERRORS = {
    # name: (body, message, line of the body, context, key)
    "undefined command": (r"a \nosuch b", "Undefined control sequence", 1, r"a \nosuch", r"\nosuch"),
    "within an argument": (
        "a\n\n\\textbf{x \\nosuch y} b",
        "Undefined control sequence",
        3,
        r"\textbf{x \nosuch y}",
        r"\nosuch",
    ),
    "sub outside formula": ("b\na_b", "Missing $ inserted", 2, "a_", None),
    "dollar": ("costs $5\n\nnext", "Missing $ inserted", 2, "", None),
    "closing brace": ("x } y", "Too many }'s", 1, "x }", None),
    "environment": (r"\begin{nosuch}", "Environment nosuch undefined", 1, r"\begin{nosuch}", None),
    "ampersand": ("R & D", "Misplaced alignment tab character &", 1, "R &", None),
    "missing file": (r"\input{nosuch} x", "File `nosuch.tex' not found", 1, "", None),
    "character": ("x ☃", "Unicode character ☃ (U+2603) not set up for use with LaTeX", 1, "x ☃", None),
    "paragraph in an argument": (
        "\\def\\f#1{#1}\n\\f{some words\n\n",
        r"Paragraph ended before \f was complete",
        2,
        "",
        None,
    ),
    "own error": (r"\errmessage{mine)}", "mine)", 1, r"\errmessage{mine)}", None),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_has_tex_s_first_message_the_line_and_the_text_up_to_it(tmp_path, case):
    body, message, line, context, key = ERRORS[case]
    first = problems(write(tmp_path / "a", body))[0]
    assert first == Problem("error", message, "report.tex", line + 3, context, key, None, first.runaway)
    assert bool(first.runaway) == (case == "paragraph in an argument")


def test_the_context_of_a_long_line_is_its_end_without_the_sign_that_it_was_cut(tmp_path):
    words = " ".join(f"word{n}" for n in range(200))
    context = problems(write(tmp_path / "a", rf"{words} \nosuch {words}"))[0].context
    assert f"{words} \\nosuch".endswith(context)
    assert 60 < len(context) < 250


def test_an_error_in_an_included_file_has_its_name_and_line(tmp_path):
    folder = write(tmp_path / "a", r"(\input{part})", part_tex="one\n\n(three \\ref{nosuch}\n")
    assert [(p.kind, p.file, p.line, p.key) for p in problems(folder)] == [
        ("undefined-reference", "part.tex", 3, "nosuch")
    ]


def test_the_file_is_known_again_after_an_included_one_whatever_its_brackets(tmp_path):
    folder = write(
        tmp_path / "a",
        "\\input{part}\n\n\\ref{after}",
        part_tex="a) b) \\typeout{a) b :-)}\\hbox to 1pt{(((}\n",
    )
    assert [(p.file, p.line) for p in problems(folder)] == [("report.tex", 6)]


def test_a_missing_package_is_named_with_its_line_and_what_to_install(tmp_path):
    folder = write(tmp_path / "a", "x", PLAIN + "\n\\usepackage{nosuch}\n% more\n")
    with pytest.raises(CompileFailed) as caught:
        latexmk.compile(folder)
    assert str(caught.value).startswith("File `nosuch.sty' not found\n  at report.tex:3\n  cure: on Debian")
    assert "texlive-latex-extra" in caught.value.cure


@pytest.mark.parametrize(
    ("file", "package"), [("siunitx.sty", "texlive-science"), ("nosuch.sty", "texlive-latex-extra")]
)
def test_the_cure_of_a_missing_file_is_the_package_to_install_for_it(file, package):
    missing = Problem("error", f"File `{file}' not found", "report.tex")
    assert CompileFailed([missing], "").cure == (
        f"on Debian or Ubuntu: apt-get install {package} (if that lacks it: apt-file search {file})"
    )


def test_all_undefined_references_and_citations_are_told_with_keys_and_lines(tmp_path):
    folder = write(tmp_path / "a", "\\ref{fig:a}\n\n\\pageref{b (c)} \\cite{d,e}")
    assert {(p.kind, p.key, p.line) for p in problems(folder)} == {
        ("undefined-reference", "fig:a", 4),
        ("undefined-reference", "b (c)", 6),
        ("undefined-citation", "d", 6),
        ("undefined-citation", "e", 6),
    }


def test_a_label_given_twice_is_told_at_its_second_place(tmp_path):
    folder = write(tmp_path / "a", "\\section{A}\\label{x}\n\\section{B}\n\\label{x}\\ref{x}")
    assert [(p.kind, p.key, p.line) for p in problems(folder)] == [("duplicate-label", "x", 6)]


@pytest.mark.parametrize(
    ("body", "kind", "line"),
    [
        ("x\n{y", "unbalanced", 5),
        ("x\n\\iftrue y", "unbalanced", 5),
        ("x\n\\end{document}", "truncated", 5),
        ("x\n\\csname @@end\\endcsname", "truncated", None),
        ("x\n\\endinput", "truncated", 5),
    ],
)
def test_a_document_cut_short_or_left_open_fails_though_tex_is_content(tmp_path, body, kind, line):
    found = problems(write(tmp_path / "a", body))
    assert [(p.kind, p.line) for p in found] == [(kind, line)]


def test_a_character_that_the_font_lacks_fails(tmp_path):
    found = problems(write(tmp_path / "a", r"x\char200"))
    assert [p.kind for p in found] == ["missing-character"]


def test_a_broken_figure_is_told_at_the_line_that_includes_it(tmp_path):
    folder = write(
        tmp_path / "a", "x\n\n\\includegraphics{bad}", PLAIN + r"\usepackage{graphicx}", bad_pdf=""
    )
    found = problems(folder)
    assert [(p.kind, p.file, p.line) for p in found] == [("error", "report.tex", 6)]
    assert "bad.pdf" in found[0].message


@pytest.mark.parametrize(
    ("entry", "message", "file", "line", "key"),
    [
        ("@book{k, author={A} title={T}}", "I was expecting a `,' or a `}'", "refs.bib", 2, None),
        ("@book{other, author={A}, title={T}, publisher={P}, year=1}", None, "report.tex", 4, "k"),
        (None, "I couldn't open database file refs.bib", "report.tex", 6, None),
    ],
)
def test_a_complaint_of_bibtex_is_an_error_at_its_entry(tmp_path, entry, message, file, line, key):
    body = "\\cite{k}\n\\bibliographystyle{plain}\n\\bibliography{refs}"
    folder = write(tmp_path / "a", body, **({"refs_bib": f"% a comment\n{entry}\n"} if entry else {}))
    first = problems(folder)[0]
    assert (first.file, first.line, first.key) == (file, line, key)
    assert first.message == (message or "Citation `k' on page 1 undefined")


def test_an_overfull_box_is_a_notice_with_its_width_and_line(tmp_path):
    # 1 in = 72.27 pt; the text of article is 345 pt wide
    done = latexmk.compile(
        write(tmp_path / "a", "x\n\n\\noindent\\hbox to 400pt{wide\\hfil}\n\n\\noindent\\hbox to 345.5pt{}")
    )
    assert [(p.kind, p.points, p.line, p.context) for p in done.notices] == [("overfull", 55.0, 6, "")]
    assert not done.notices[0].fatal


def test_the_text_of_an_overfull_box_is_told(tmp_path):
    done = latexmk.compile(write(tmp_path / "a", "word~" * 30))
    assert [p.context[:14] for p in done.notices] == ["word word word"]


# --------------------------------------------------------------------------------------------- containment


def test_a_document_that_never_ends_is_ended_at_the_deadline_with_all_processes(tmp_path):
    folder = write(tmp_path / "a", r"x\newpage\def\x{\x}\x")
    start = time.monotonic()
    found = problems(folder, deadline=1.5)
    assert time.monotonic() - start < 4
    assert [p.kind for p in found] == ["deadline"]
    assert "1.5 s" in found[0].message
    assert processes_in(folder) == []


def processes_in(folder: Path) -> list[str]:
    """Return the processes that work in a folder."""
    out = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                out.append((process / "cmdline").read_text())
        except OSError:
            continue
    return out


def wait_until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


CHILD = (
    "import sys, pathlib; from labreport.documents import latexmk; latexmk.compile(pathlib.Path(sys.argv[1]))"
)


def start_child(folder: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(STYLE.parents[2])}
    command = [sys.executable, "-c", CHILD, str(folder)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    # latexmk's own command names it, too
    wait_until(lambda: any("pdflatex" in command.split("\0")[0] for command in processes_in(folder)))
    return process


def test_an_interrupted_build_leaves_no_process(tmp_path):
    folder = write(tmp_path / "a", r"\def\x{\x}\x")
    process = start_child(folder)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == -signal.SIGINT
    assert processes_in(folder) == []


def test_what_a_killed_build_left_running_can_be_ended(tmp_path):
    folder = write(tmp_path / "a", r"\def\x{\x}\x")
    process = start_child(folder)
    process.kill()
    process.wait(20)
    assert processes_in(folder) != []
    processes.end_leftover(folder)
    assert processes_in(folder) == []


def test_ending_leftovers_spares_a_later_process_with_the_same_number(tmp_path):
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        (tmp_path / processes.PID_FILE).write_text(f"{other.pid} 1")
        processes.end_leftover(tmp_path)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_endless_output_is_stopped_by_its_size(tmp_path, monkeypatch):
    for module in (latexmk, processes):
        monkeypatch.setattr(module, "LARGEST_FILE", 2**20)
    body = r"\newwrite\w\immediate\openout\w=big.txt \def\x{\immediate\write\w{xxxxxxxxxxxxxxxxxxxxxxxx}\x}\x"
    found = problems(write(tmp_path / "a", body), deadline=30)
    assert found[0].kind == "limit"
    assert all(path.stat().st_size <= 2**20 for path in tmp_path.rglob("*") if path.is_file())


def test_a_document_reads_nothing_outside_its_folder_and_starts_no_program(tmp_path, monkeypatch):
    (tmp_path / "secret.tex").write_text("CANARY")
    monkeypatch.setenv("CANARY_KEY", "CANARY")
    paths = [
        str(tmp_path / "secret.tex"),
        "../secret.tex",
        "|kpsewhich -var-value=CANARY_KEY",
        "$CANARY_KEY/x",
    ]
    body = "\n".join(rf"\IfFileExists{{{path}}}{{FOUND \input{{{path}}}}}{{no}}" for path in paths)
    folder = write(tmp_path / "a", body + r"\immediate\write18{touch started}")
    done = latexmk.compile(folder)
    text = text_of(done.pdf)
    assert "CANARY" not in text + done.log
    assert "FOUND" not in text
    assert not (folder / "started").exists()


def test_settings_in_the_folder_or_home_are_not_used(tmp_path, monkeypatch):
    folder = write(tmp_path / "a", "x")
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (tmp_path / ".latexmkrc", folder / ".latexmkrc", folder / "latexmkrc"):
        path.write_text("system('touch started'); $pdflatex = 'false';")
    assert latexmk.compile(folder).pages == 1
    assert not (folder / "started").exists()


def test_a_folder_with_files_of_an_earlier_run_is_refused(tmp_path):
    folder = write(tmp_path / "a", "x", report_aux=r"\relax \@writefile{toc}{")
    with pytest.raises(LatexError, match=r"holds report\.aux of an earlier run"):
        latexmk.compile(folder)


def test_a_line_too_long_for_tex_is_told(tmp_path):
    assert problems(write(tmp_path / "a", "a" * 250_000))[0].kind == "limit"


def test_missing_programs_are_named_with_the_packages_to_install(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "perl").symlink_to(shutil.which("perl"))
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(ToolError, match="latexmk, pdflatex, bibtex, kpsewhich: not found") as caught:
        latexmk.compile(write(tmp_path / "a", "x"))
    assert "apt-get install latexmk texlive-latex-recommended" in caught.value.cure


@pytest.mark.parametrize("tool", [*latexmk.TOOLS, "pdflatex"])
def test_a_program_that_alone_is_missing_is_named(tmp_path, monkeypatch, tool):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in {*latexmk.TOOLS, "pdflatex"} - {tool}:
        (tools / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(ToolError, match=f"the PDF needs {tool}: not found") as caught:
        latexmk.check_tools()
    assert "texlive-binaries" in caught.value.cure


COUNTING = r"""\makeatletter\newcount\k
\ifdefined\kept \k=\kept\relax \fi \ifnum\k<3 \advance\k by 1 \fi
\immediate\write\@auxout{\gdef\string\kept{\the\k}}\the\k"""
"""Needs four passes; the auxiliary file always has the same size."""


def test_passes_within_one_second_are_told_from_each_other(tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pdflatex").write_text(
        f'#!/bin/sh\n"{shutil.which("pdflatex")}" "$@" || exit\n'
        "echo >> passes\n"
        'touch -d "@1000000000.$(wc -l < passes)" report.aux\n'
    )
    (tools / "pdflatex").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    assert text_of(latexmk.compile(write(tmp_path / "a", COUNTING)).pdf).split()[0] == "3"


def test_a_broken_latexmk_is_told_in_its_own_words(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "latexmk").write_text(
        "#!/bin/sh\necho 'perl: error while loading shared libraries' >&2\nexit 127\n"
    )
    (tools / "latexmk").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    found = problems(write(tmp_path / "a", "x"))
    assert found[0].message == "latexmk failed with exit code 127: perl: error while loading shared libraries"


def test_what_a_killed_build_leaves_running_ends_when_its_processor_time_is_used_up(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "latexmk").write_text("#!/bin/sh\nsleep 0.3\necho seconds: $(ulimit -t)\nexit 1\n")
    (tools / "latexmk").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    found = problems(write(tmp_path / "a", "x"), deadline=30)
    assert found[0].message == "latexmk failed with exit code 1: seconds: 40"


# ------------------------------------------------------------------------------------------ reading the log


def test_a_full_disk_fails_even_when_latexmk_is_content(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    real = shutil.which("latexmk")
    (tools / "latexmk").write_text(
        f'#!/bin/sh\n{real} "$@"\necho "fclose: No space left on device" >&2\nexit 0\n'
    )
    (tools / "latexmk").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    with pytest.raises(OSError, match="No space left") as full:
        latexmk.compile(write(tmp_path / "a", "x"))
    assert full.value.filename == str(tmp_path / "a")


def test_no_log_however_damaged_stops_the_reading(tmp_path):
    folder = write(tmp_path / "a", "\\ref{x}\n" + "word~" * 30, "\\usepackage{graphicx}\n" + PLAIN)
    with pytest.raises(CompileFailed) as caught:
        latexmk.compile(folder)
    log = caught.value.log
    whole = read_log(log, "report.tex")
    assert [p.kind for p in whole] == ["undefined-reference", "overfull"]
    chance = random.Random(1)
    for _ in range(60):
        lines = log.split("\n")
        chance.shuffle(lines)
        damaged = "\n".join(lines)[: chance.randrange(len(log))]
        found = [*read_log(damaged, "report.tex"), *read_blg(damaged)]
        assert len(found) <= len(whole)


def test_a_log_that_ends_within_a_message_is_read_to_its_end():
    box = r"Overfull \hbox (3.5pt too wide) in paragraph at lines 12--13"
    assert latexmk.read_log("Runaway argument?", "report.tex") == []
    assert [(p.kind, p.line) for p in latexmk.read_log(box, "report.tex")] == [("overfull", 12)]
    error = "./report.tex:7: Package siunitx Error: Invalid number"
    assert latexmk.read_log(error, "report.tex") == [
        Problem("error", "siunitx: Invalid number", "report.tex", 7)
    ]


def test_the_error_shows_the_first_problem_and_three_more():
    found = [Problem("undefined-reference", f"no label {n}", "report.tex", n) for n in range(1, 6)]
    error = CompileFailed(found, "")
    assert (error.what, error.place.line) == ("no label 1", 1)
    assert error.notes == tuple(f"report.tex:{n}: no label {n}" for n in (2, 3, 4))
    assert error.problems == tuple(found)


def test_logs_with_carriage_returns_read_as_those_without():
    log = r"""(./report.tex
./report.tex:7: Undefined control sequence.
l.7 a \nosuch
              b

LaTeX Warning: Label(s) may have changed. Rerun to get them right.

)
"""
    blg = "Warning--empty journal in k\n--line 2 of file refs.bib\n"
    undefined = Problem("error", "Undefined control sequence", "report.tex", 7, r"a \nosuch", r"\nosuch")
    unsettled = Problem("unsettled", "Label(s) may have changed. Rerun to get them right", "report.tex")
    empty = Problem("bibtex-warning", "empty journal in k", "refs.bib", 2, key="k")
    for end in ("\n", "\r\n"):
        assert latexmk.read_log(log.replace("\n", end), "report.tex") == [undefined, unsettled]
        assert latexmk.read_blg(blg.replace("\n", end)) == [empty]


def test_an_entry_is_found_in_a_bibliography_that_is_not_utf8(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "latexmk").write_text("#!/bin/sh\necho 'Warning--empty journal in k' > report.blg\nexit 12\n")
    (tools / "latexmk").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    folder = write(tmp_path / "a", "x")
    (folder / "refs.bib").write_bytes("% Dvořák\n\n@article{k, author={Dvořák}}\n".encode("iso8859-2"))
    first = problems(folder, rules=latexmk.Rules(errors=frozenset({"BibTeX warnings"})))[0]
    assert (first.message, first.file, first.line) == ("empty journal in k", "refs.bib", 3)


def test_a_missed_citation_is_told_beside_other_problems(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "latexmk").write_text(
        "#!/bin/sh\ncat > report.log <<'END'\n"
        "LaTeX Warning: Citation `k' on page 1 undefined on input line 4.\n\n"
        "LaTeX Warning: Label(s) may have changed. Rerun to get them right.\n\nEND\nexit 12\n"
    )
    (tools / "latexmk").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    found = problems(write(tmp_path / "a", "x"))
    assert [(p.kind, p.key) for p in found] == [("undefined-citation", "k"), ("unsettled", None)]
