"""Code on the page: functions, classes and excerpts as the project's files hold them now, coloured."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from itertools import groupby
from operator import itemgetter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from labreport.explain import Definitions
from labreport.results import Cache, files

if TYPE_CHECKING:
    from labreport.explain import Definition
    from labreport.project import Project

Line = list[list[str]]
"""The pieces of a line of code: each with its class and its text."""

CLASSES = {
    "Token.Keyword": "kw",
    "Token.Operator": "op",
    "Token.Operator.Word": "kw",
    "Token.Comment": "com",
    "Token.Literal.String": "str",
    "Token.Literal.String.Doc": "com",
    "Token.Literal.Number": "num",
    "Token.Name.Function": "def",
    "Token.Name.Class": "def",
    "Token.Name.Decorator": "def",
    "Token.Name.Tag": "def",  # a key of YAML
}
"""The class of a piece by the token type of Pygments; the nearest type above counts."""


def cache(project: Project) -> Cache:
    """Return what is kept between builds of the project's files, by their content."""
    made_by = (sys.modules[__name__], sys.modules[Definitions.__module__])
    made_with = {"pygments": metadata.version("pygments")}
    return Cache(project.cache / "page" / "code.json", made_by, made_with)


class Code:
    """Collects the code that the page shows; what a file holds is kept in a cache."""

    def __init__(self, project: Project, definitions: Definitions, cache: Cache) -> None:
        self.project = project
        self.definitions = definitions
        self._cache = cache
        self._files: dict[str, list[Line]] = {}
        self._shown: dict[str, dict[str, Any]] = {}

    def add(self, definitions: Iterable[Definition]) -> list[str]:
        """Show definitions, and return their keys; methods are shown with their class, if that is shown."""
        # what lies outside the project is not the report's to show
        names = {each.code: each for each in definitions if not PurePath(each.file).is_absolute()}
        whole = [code for code in names if code.rpartition(".")[0] not in names]
        for code in whole:
            self._shown[code] = self._plain(names[code])
        return whole

    def find(self, code: str) -> str | None:
        """Show the definition of this name in fingerprints, and return its key; None if there is none."""
        found = self.definitions.find(code)
        return next(iter(self.add([found])), None) if found is not None else None

    def named(self, name: str) -> str | None:
        """Show what a document calls "module:function", and return its key; None if it is no definition."""
        module, _, function = name.partition(":")
        path = f"{module.replace('.', '/')}.py"
        roots = (self.project.root, *self.project.source_roots)
        files = [self.project.shown(root / path) for root in roots if (root / path).is_file()]
        return self.find(f"{files[0]}:{function}") if files else None

    def lines(self, file: str, first: int, last: int) -> list[Line]:
        """Return lines of a file, the first and the last included."""
        if file not in self._files:
            source = self.definitions.source(file)
            key = f"{file.rpartition('.')[2]} {files.checksum(source.encode())}"
            self._files[file] = self._cache.remember(key, lambda: _lines(source, file))
        return self._files[file][first - 1 : last]

    def plain(self) -> dict[str, Any]:
        """Return all code that is shown, by key."""
        return {code: self._shown[code] for code in sorted(self._shown)}

    def _plain(self, definition: Definition) -> dict[str, Any]:
        return {
            "file": definition.file,
            "line": definition.first,
            "name": definition.code.partition(":")[2],
            "lines": self.lines(definition.file, definition.first, definition.last),
        }


def _lines(source: str, file: str) -> list[Line]:
    """Return the lines of a file, each in its pieces."""
    from labreport.writing import listings  # it brings Jinja2, and a page seldom colours code anew

    tokens = listings.lexer(file).get_tokens_unprocessed(source)
    lines: list[Line] = [[]]
    for kind, text in _joined((_class(str(token), text), text) for _, token, text in tokens):
        first, *others = text.split("\n")
        lines[-1] += [[kind, first]] if first else []
        lines += [[[kind, part]] if part else [] for part in others]
    return lines


def _joined(pieces: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield pieces with neighbours of one class as one; blanks have no class of their own."""
    known = ""
    classed = []
    for kind, text in pieces:
        known = known if text.isspace() and "\n" not in text else kind
        classed.append((known, text))
    for kind, group in groupby(classed, key=itemgetter(0)):
        yield kind, "".join(text for _, text in group)


def _class(kind: str, text: str) -> str:
    if text == ".":  # between names it would divide each line into many pieces
        return ""
    while kind not in CLASSES and kind:
        kind = kind.rpartition(".")[0]
    return CLASSES.get(kind, "")
