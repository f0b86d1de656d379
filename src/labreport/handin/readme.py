"""The README.txt of the hand-in, made from the packed files: it cannot say what they do not say."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from labreport.documents import CONVERTER_PACKAGE, DEBIAN_PACKAGES
from labreport.explain import Located, located
from labreport.handin.requirements import Needs, name_of, pinned
from labreport.project import Project

WIDTH = 79
PROCESSOR = "Processor class: "
POPPLER = ("poppler-utils",)
"""What draws the pages of build/report.html."""
Rows = list[tuple[str, str]]


def text(
    project: Project, files: Mapping[str, bytes], questions: Mapping[str, str], needed: Needs, processor: str
) -> str:
    """Return the README of a hand-in that holds these files.

    `questions` maps each experiment to the question that it answers; `needed` is what must be installed.
    """
    config, pdfs = project.config, [each.pdf.name for each in project.documents]
    sections = (
        ("WHERE IS EACH QUESTION", _answers(located(project), files, pdfs)),
        ("WHAT THIS IS", _about(files, pdfs)),
        ("COMPILE AND RUN", _commands(files, questions, pdfs)),
        ("PYTHON AND LIBRARIES", _libraries(files, needed)),
        ("WHAT LIES WHERE", _layout(files, config.submission)),
        ("EXPERIMENTS AND WHAT THEY ANSWER", _rows(list(questions.items()))),
        ("SAME BYTES", _reproducible(files, processor, pdfs)),
    )
    authors = ", ".join(config.authors) or "(authors: not named yet)"
    head = [line for text in (config.title, config.subtitle, authors, config.date) for line in _wrapped(text)]
    body = [["", "", title, "-" * len(title), "", *lines] for title, lines in sections if lines]
    return "\n".join([*head, *(line for lines in body for line in lines)]) + "\n"


def processor_class() -> str:
    """Return what the last bits of computed numbers may depend on: the machine and NumPy's vector units."""
    import platform

    try:
        import numpy

        # NumPy chooses its routines by these, and with them the last bits of sums
        units = numpy.show_config(mode="dicts")["SIMD Extensions"]  # type: ignore[call-overload,unused-ignore]
        found = units.get("found") or units.get("baseline") or []
    except (ImportError, KeyError, TypeError):
        found = []
    return " ".join([platform.machine(), *found])


def recorded_processor(readme: str) -> str:
    """Return the processor class that a README names."""
    # the last one is ours: a title or a note may begin in the same way
    line = next((line for line in reversed(readme.splitlines()) if line.startswith(PROCESSOR)), "")
    return line.removeprefix(PROCESSOR)


# -------------------------------------------------------------------------------------------------- sections


def _answers(answers: Iterable[Located], files: Mapping[str, bytes], pdfs: Sequence[str]) -> list[str]:
    """Return a row for each answer: its page, its notebook, its experiments, and the code that it shows."""
    rows = [
        (
            f"{answer.question}{_page(answer, pdfs)}",
            "; ".join([*(_cell(*cell, files) for cell in answer.cells), *_code(answer, files)]),
        )
        for answer in answers
    ]
    if not rows:
        return []
    what = (
        f"The page is that of {_named(pdfs, 'or')}. Then: the notebook, with the heading of its cell; the "
        "experiment that computed the numbers; the code that the answer shows or explains."
    )
    return [*_wrapped(what), "", *_rows(rows)]


def _page(answer: Located, pdfs: Sequence[str]) -> str:
    if not answer.page:
        return ""
    return f", page {answer.page}" + (f" of {answer.pdf}" if len(pdfs) > 1 else "")


def _named(names: Sequence[str], word: str = "and") -> str:
    """Return names as a sentence lists them: a, b and c."""
    *before, last = names
    return f"{', '.join(before)} {word} {last}" if before else last


def _cell(name: str, number: int, files: Mapping[str, bytes]) -> str:
    """Return where a notebook answers, by the heading with which the cell begins."""
    file = f"notebooks/{name}.ipynb"
    try:
        cell = _notebook(files[file])["cells"][number - 1]
        heading = "".join(cell["source"]).partition("\n")[0].lstrip("# ")
    except (ValueError, LookupError, TypeError):  # the checks report a damaged notebook
        heading = ""
    return f'{file}, cell {number} "{heading}"' if heading else f"{file}, cell {number}"


@lru_cache(maxsize=16)  # one notebook answers many questions
def _notebook(data: bytes) -> Any:
    return json.loads(data)


def _code(answer: Located, files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the files of the experiments and of the code that is shown, each with the names that are."""
    found: dict[str, list[str]] = {f"experiments/{name}.py": [] for name in answer.experiments}
    for module, colon, name in (each.partition(":") for each in answer.code):
        path = module.replace(".", "/") + ".py" if colon else module  # a whole file goes by its path
        file = next((at for at in (f"src/{path}", path) if at in files), path)
        found.setdefault(file, []).append(name)
    for file, names in found.items():
        yield f"{file}: {', '.join(names)}" if any(names) else file


def _about(files: Mapping[str, bytes], pdfs: Sequence[str]) -> list[str]:
    is_one = len(pdfs) == 1
    return _wrapped(
        f"The source code of {_named(pdfs)}, which {'is' if is_one else 'are'} handed in beside this "
        f"archive, with the results and figures that {'the report shows' if is_one else 'they show'}"
        + (" and with the executed notebooks" if _has_notebooks(files) else "")
        + ". The main "
        "file build_report.py reproduces everything: it runs the experiments and makes the report from "
        "their results. The report is self-sufficient; nothing here is needed to read it."
    )


def _commands(files: Mapping[str, bytes], questions: Mapping[str, str], pdfs: Sequence[str]) -> list[str]:
    make = [("make report", "install what is missing, run what is out of date, make the report")]
    if re.search(rb"^test:", files.get("Makefile", b""), re.MULTILINE):
        make.append(("make test", "install what is missing, then run the tests"))
    pip = [("python -m pip install -r constraints.txt", "install the Python packages")]
    example = next(iter(questions), "NAME")
    python: Rows = [
        ("python build_report.py", "the main file: run what is out of date, make the report"),
        (
            "python build_report.py pdf",
            "the report from the results as packed, without running an experiment",
        ),
        (f"python build_report.py run {example}", "a single experiment"),
        ("python build_report.py plan", "what would run, and why"),
        ("python build_report.py --quick", "a trial with small parameters, below build/quick"),
        ("python build_report.py --help", "all commands"),
    ]
    lines = ["In this folder:", ""]
    lines += _rows(make if "Makefile" in files else pip)
    lines += ["", *_wrapped(_environment(files)), "", *_rows(python), ""]
    made = [f"build/{pdf}" for pdf in pdfs]
    pages = [f"{pdf.removesuffix('.pdf')}.html" for pdf in made]
    lines += _wrapped(
        f"The report is written to {_named(made)}, and for the screen to {_named(pages)}, where a click "
        "on a number tells what it is and where it comes from. To compute every number again from nothing, "
        "delete build/results first."
    )
    if _has_notebooks(files):
        lines += ["", *_wrapped("The notebooks run alone, in any folder, once the libraries are installed.")]
    return lines


def _has_notebooks(files: Mapping[str, bytes]) -> bool:
    return any(name.startswith("notebooks/") for name in files)


def _environment(files: Mapping[str, bytes]) -> str:
    if "Makefile" not in files:
        return "Then:"
    return (
        "make puts the Python packages into .venv; below, python is .venv/bin/python (or python after "
        "`. .venv/bin/activate`)."
    )


def _libraries(files: Mapping[str, bytes], needed: Needs) -> list[str]:
    pins = pinned(files.get("constraints.txt", b""))
    lines = []
    if needed.python:
        version = re.sub(r"^>=\s*([\d.]+)$", r"\1 or newer", needed.python)
        lines += [f"Python {version}.", ""]
    groups = (("Libraries", needed.code), ("labreport needs", needed.engine), ("For the tests", needed.tests))
    for what, requirements in groups:
        if requirements:
            lines += [*_wrapped(f"{what}: {', '.join(_with_versions(requirements, pins))}."), ""]
    lines += ["constraints.txt lists all Python packages with their versions.", ""]
    converter = [CONVERTER_PACKAGE] if any(name.lower().endswith(".svg") for name in files) else []
    system = ", ".join([*DEBIAN_PACKAGES.split(), *POPPLER, *converter])
    return [*lines, *_wrapped(f"System packages (Debian, Ubuntu): {system}.")]


def _layout(files: Mapping[str, bytes], submission: Mapping[str, Sequence[str]]) -> list[str]:
    known: Rows = [
        ("build_report.py", "the main file"),
        ("report.toml", "what the report is: title, authors, questions"),
        ("experiments/", "one module for each experiment"),
        ("report_templates/", "the text of the report, as LaTeX templates"),
        ("report_templates/notebooks/", "the sources of the notebooks"),
        *((f"src/{package}/", what) for package, what in _packages(files)),
        ("tests/", "the tests"),
        *((name, "a notebook, executed") for name in sorted(files) if name.startswith("notebooks/")),
        ("build/results/", "results and figures of each experiment, as the report shows them"),
        ("Makefile", "the commands of the set-up"),
        ("pyproject.toml", "the libraries, and settings of the tools"),
        ("constraints.txt", "the version of each Python package"),
        ("README.md", "the full description"),
    ]
    lines = _rows([row for row in known if any(name.startswith(row[0]) for name in files)])
    for paragraph in filter(None, map(_wrapped, submission.get("notes", []))):
        lines += ["", *paragraph]
    if excluded := submission.get("exclude"):
        lines += ["", *_wrapped(f"Not handed in, as no answer needs it: {', '.join(excluded)}.")]
    return lines


def _reproducible(files: Mapping[str, bytes], processor: str, pdfs: Sequence[str]) -> list[str]:
    notebooks = " and of the notebooks" if _has_notebooks(files) else ""
    return [
        *_wrapped(
            "Equal inputs give equal bytes. On a machine of this class the commands above give the very "
            f"bytes of {_named(pdfs)}{notebooks}, elsewhere the same printed numbers. Each run.json says "
            "what a result depends on, without the time and place of the run."
        ),
        "",
        PROCESSOR + processor,
    ]


# ------------------------------------------------------------------------------------------- what files say


def _with_versions(requirements: Iterable[str], pins: Mapping[str, str]) -> list[str]:
    """Return requirements with the versions that are installed for them."""
    names = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements]
    given = zip(names, requirements, strict=True)
    return [f"{n} {pins[name_of(n)]}" if name_of(n) in pins else whole for n, whole in given]


def _packages(files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield the project's own packages with the first lines of their docstrings."""
    for name, data in sorted(files.items()):
        found = re.fullmatch(r"src/(\w+)/__init__\.py", name)
        if found:
            yield found[1], _first_line(data)


def _first_line(source: bytes) -> str:
    try:
        doc = ast.get_docstring(ast.parse(source))
    except (SyntaxError, ValueError):
        doc = None
    return (doc or "").partition("\n")[0].rstrip(".")


# ------------------------------------------------------------------------------------------------- as lines


def _wrapped(paragraph: str) -> list[str]:
    return _wrapped_to(paragraph, WIDTH)


def _rows(rows: Rows) -> list[str]:
    """Return pairs as two columns; a long second column goes on below itself."""
    if not rows:
        return []
    left = min(max(len(first) for first, _ in rows), 40) + 4
    lines = []
    for first, second in rows:
        wrapped = _wrapped_to(second, WIDTH - left - 2) or [""]
        # a long first column stands on a line of its own, above the second
        fits = len(first) <= left - 2
        lines += [] if fits else [f"  {first}"]
        begin = f"  {first}".ljust(left + 2) if fits else " " * (left + 2)
        lines += [(begin + wrapped[0]).rstrip(), *(" " * (left + 2) + line for line in wrapped[1:])]
    return lines


def _wrapped_to(paragraph: str, width: int) -> list[str]:
    # what shows nothing would still steer the terminal that shows the README
    shown = "".join(c if c.isprintable() else " " for c in paragraph)
    return textwrap.wrap(shown, width, break_long_words=False, break_on_hyphens=False)
