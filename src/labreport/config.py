"""What report.toml says: each setting with its type, and TOML files as messages show them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labreport.errors import InputError, Place, did_you_mean

CONFIG = "report.toml"
JOB = "report"
"""The name of the only document, whatever its template is called."""


@dataclass(frozen=True)
class Config:
    """What report.toml says. All texts are plain text, not LaTeX.

    Without a `date` none is printed. `documents` are the main templates where there are several, instead of
    the one `template`. `questions` maps a question's number to its one-line text; `preload`
    lists modules that the fork server
    imports once; `deadline` is the time in seconds that an experiment may take, `deadlines` the exceptions;
    `cell_deadline` and `notebook_deadline` are the same for a cell of a notebook and for a whole notebook.
    `constants` maps texts with digits that are not results, such as `95 %`, to the reason why.
    `submission` has four lists: `include`, patterns of further files to hand in, `exclude`, patterns of
    sources to leave out, `allow`, texts that only look like a secret or like a name of this machine, and
    `notes`, what the README of the hand-in says of its files.
    `store` is the size that the store of older results may have. `pages` are the most pages of the
    `main` text and of the `appendix`. `severity` maps the names of checks, and of some findings in LaTeX's
    log, to `warning: why` or `error: why`. `locale` is the language tag by which numbers and dates are
    written. `engine` is the TeX engine; where it is not named, the preamble tells.
    """

    title: str
    subtitle: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""
    template: str = "report.tex.j2"
    documents: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    deadline: float = 3600.0
    deadlines: dict[str, float] = field(default_factory=dict)
    cell_deadline: float = 300.0
    notebook_deadline: float = 1200.0
    questions: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    submission: dict[str, list[str]] = field(default_factory=dict)
    store: str = "1 GiB"
    pages: dict[str, int] = field(default_factory=dict)
    severity: dict[str, str] = field(default_factory=dict)
    locale: str = "en"
    engine: str = ""

    @property
    def templates(self) -> dict[str, str]:
        """The main template of each document, by the document's name."""
        return {job_of(template): template for template in self.documents} or {JOB: self.template}

    def findings(self, level: str) -> dict[str, str]:
        """Return the findings that are of a level here, `warning` or `error`, with the reasons why."""
        parted = {name: text.partition(":") for name, text in self.severity.items()}
        return {name: reason.strip() for name, (is_level, _, reason) in parted.items() if is_level == level}

    @property
    def most_stored(self) -> int:
        """The most bytes that older results may take."""
        return _bytes(self.store)


def parse(source: bytes) -> Config:
    """Return the settings that the bytes of a report.toml give.

    Raises InputError if it cannot be read, has an unknown key, or a value of the wrong type.
    """
    data, text = _toml(source, CONFIG)
    for key, value in data.items():
        if key not in _SETTINGS:
            raise InputError(
                f"unknown key {key!r} in {CONFIG}", place=_place(text, key), cure=did_you_mean(key, _SETTINGS)
            )
        is_right, expected, example = _SETTINGS[key]
        if not is_right(value):
            shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:59]}…"
            raise InputError(
                f"{key!r} in {CONFIG} must be {expected}, not {shown}",
                place=_place(text, key),
                cure=f"write for example: {example}",
            )
    if "title" not in data:
        example = _SETTINGS["title"][2]
        raise InputError(f"{CONFIG} has no title", place=Place(CONFIG), cure=f"add: {example}")
    if "documents" in data and "template" in data:
        what = f"{CONFIG} names a template as well as documents"
        raise InputError(what, place=_place(text, "template"), cure="list all main templates in documents")
    settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return Config(**settings)


def job_of(template: str) -> str:
    """Return the name of the document that a main template makes: paper, of paper.tex.j2."""
    return template.rpartition("/")[2].partition(".")[0]


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return what a TOML file says, and its text; messages show the file by its name alone.

    Raises InputError if it is not UTF-8 or not valid TOML.
    """
    return _toml(path.read_bytes(), path.name)


def _toml(source: bytes, shown: str) -> tuple[dict[str, Any], str]:
    try:
        text = source.decode("utf-8-sig")  # editors on Windows begin files with a mark
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return tomllib.loads(text), text
    except UnicodeDecodeError as error:
        raise InputError(
            f"{shown} is not UTF-8: {error.reason} at byte {error.start}", cure="save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(error, text, shown) from error


def _syntax_error(error: tomllib.TOMLDecodeError, text: str, shown: str) -> InputError:
    # tomllib says the place only in the text of its message
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    lines = text.split("\n")
    line, column = (int(found[1]), int(found[2])) if found else (len(lines), len(lines[-1]) + 1)
    what = re.sub(r" \(at .*\)$", "", str(error))
    return InputError(
        f"{shown} is not valid TOML: {what}",
        place=Place(shown, line, column, source=lines[line - 1]),
        cure="correct the syntax (https://toml.io)",
    )


def _place(text: str, key: str) -> Place:
    """Return the line of report.toml that sets a key."""
    for number, line in enumerate(text.split("\n"), 1):
        if found := re.match(rf"""\s*\[*\s*["']?({re.escape(key)})["']?\s*[=.\]]""", line):
            return Place(CONFIG, number, found.start(1) + 1, len(key), line)
    return Place(CONFIG)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_documents(value: object) -> bool:
    # a name is that of a PDF, a folder and TeX's job; systems that ignore case must not mix two up
    if not (isinstance(value, list) and _is_texts(value)):
        return False
    names = [job_of(template).casefold() for template in value]
    return len({*names}) == len(names) > 0 and all(re.fullmatch(r"[a-z0-9_-]+", name) for name in names)


def _is_submission(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"include", "exclude", "allow", "notes"}
        and all(map(_is_texts, value.values()))
    )


def _is_pages(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"main", "appendix"}
        and all(type(most) is int and most >= 0 for most in value.values())
    )


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_UNITS = {"B": 1} | {f"{p}B": 1000**n for n, p in enumerate("kMGT", 1)}
_UNITS |= {f"{p}iB": 1024**n for n, p in enumerate("KMGT", 1)}


def _is_size(value: object) -> bool:
    return isinstance(value, str) and _SIZE.fullmatch(value) is not None


def _bytes(size: str) -> int:
    """Return a size such as `1.5 GiB` in bytes."""
    found = _SIZE.fullmatch(size)
    assert found  # `load` has refused what is not a size
    return int(float(found[1]) * _UNITS[found[2]])


def _is_tag(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", value) is not None


def _is_text_table(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_severity(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(said, str) and re.fullmatch(r"(warning|error): *\S.*", said) for said in value.values()
    )


def _is_seconds_table(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_seconds, value.values()))


_SETTINGS = {
    "title": (_is_text, "a text", 'title = "Deep versus wide"'),
    "subtitle": (_is_text, "a text", 'subtitle = "Assignment 1"'),
    "authors": (_is_texts, "a list of texts", 'authors = ["First Author", "Second Author"]'),
    "date": (_is_text, "a text", 'date = "29 November 2024"'),
    "template": (_is_text, "a text", 'template = "report.tex.j2"'),
    "documents": (
        _is_documents,
        "a list of templates with different names of letters, digits, _ and -",
        'documents = ["paper.tex.j2", "supplement.tex.j2"]',
    ),
    "preload": (_is_texts, "a list of module names", 'preload = ["torch", "pandas"]'),
    "deadline": (_is_seconds, "a positive number of seconds", "deadline = 3600"),
    "deadlines": (
        _is_seconds_table,
        "a table of experiment names and positive seconds",
        "[deadlines] and below it NAME = 7200",
    ),
    "cell_deadline": (_is_seconds, "a positive number of seconds", "cell_deadline = 300"),
    "notebook_deadline": (_is_seconds, "a positive number of seconds", "notebook_deadline = 1200"),
    "questions": (
        _is_text_table,
        "a table of question numbers, in quotes, and texts",
        '[questions] and below it "3.1" = "Write a program"',
    ),
    "constants": (
        _is_text_table,
        "a table of texts with digits, in quotes, and the reasons why they are no results",
        '[constants] and below it "95 %" = "level of all intervals"',
    ),
    "submission": (
        _is_submission,
        "a table with the lists `include`, `exclude`, `allow` and `notes`, all of texts",
        '[submission] and below it include = ["data/*.csv"]',
    ),
    "pages": (
        _is_pages,
        "a table with the most pages of `main` and `appendix`, both whole numbers",
        "[pages] and below it main = 18",
    ),
    "severity": (
        _is_severity,
        "a table of checks' names and texts that begin with `warning: ` or `error: ` and say why",
        '[severity] and below it "duplicate labels" = "warning: the class repeats those of its questions"',
    ),
    "locale": (_is_tag, "the tag of a language", 'locale = "de"'),
    "engine": (
        lambda value: value in ("pdflatex", "lualatex", "xelatex"),
        '"pdflatex", "lualatex" or "xelatex"',
        'engine = "lualatex"',
    ),
    "store": (_is_size, "a size in B, kB, MB, GB, TB, KiB, MiB, GiB or TiB", 'store = "1 GiB"'),
}
"""For each key of report.toml: a test of its value, what it must be, and an example."""


def described() -> Iterator[tuple[str, str, str]]:
    """Yield each key of report.toml, what its value must be, and an example."""
    for key, (_, expected, example) in _SETTINGS.items():
        yield key, expected, example
