"""Whether the braces and environments of a text of LaTeX match, and which one is wrong if they do not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labreport.writing.latex_source import BEGIN


@dataclass(frozen=True)
class Imbalance:
    """A brace or an environment of the generated text that is not closed, or not opened.

    `other` is where the environment was opened that an end of another name would close.
    """

    offset: int
    length: int
    what: str
    cure: str
    other: int | None = None


_VERBATIM = r"Verbatim\*?|verbatim\*?|lstlisting|comment|filecontents\*?"
# what hides braces from TeX comes first: verbatim text, addresses with % and #, comments, escaped characters
_TOKEN = re.compile(
    rf"\\begin\{{(?P<env>{_VERBATIM})\}}.*?\\end\{{(?P=env)\}}"
    r"|\\(?:verb\*?|lstinline(?:\[[^]\n]*\])?)(?P<bar>[^a-zA-Z*\s{\[])[^\n]*?(?P=bar)"
    r"|\\(?:url|href|nolinkurl|path)\s*\{[^{}\n]*\}"
    r"|%[^\n]*"
    r"|\\begin\s*\{(?P<opened>[^{}]*)\}"
    r"|\\end\s*\{(?P<closed>[^{}]*)\}"
    r"|\\."
    r"|(?P<open>\{)|(?P<close>\})",
    re.DOTALL,
)
_BRACE = "{"


@dataclass(frozen=True)
class _Opened:
    """What was opened: a brace, or an environment by its name."""

    name: str
    offset: int
    length: int


def imbalance(text: str) -> Imbalance | None:
    """Return the first brace or environment that does not match: TeX has no useful line for these.

    Environments count from the beginning of the document on: definitions in the preamble may divide them.
    """
    begin = BEGIN.search(text)
    document = begin.start() if begin else 0
    opened: list[_Opened] = []
    for match in _TOKEN.finditer(text):
        start, length = match.start(), match.end() - match.start()
        name = match["opened"] or match["closed"]
        if name and start < document:
            continue
        if match["open"] or match["opened"]:
            opened.append(_Opened(name or _BRACE, start, length))
        elif match["close"] or match["closed"]:
            wanted = name or _BRACE
            if not opened or opened[-1].name != wanted:
                return _mismatch(text, opened, _Opened(wanted, start, length))
            opened.pop()
            if name == "document":
                break  # TeX reads no further
    # what is open inside the document is why the document is open, too
    inner = [o for o in opened if o.name != "document"] or opened
    return _unclosed(inner[0]) if inner else None


def _mismatch(text: str, opened: list[_Opened], closing: _Opened) -> Imbalance:
    """Return which of two is wrong, where a closing does not fit what was opened last."""
    last = opened[-1] if opened else None
    if last is not None and any(o.name == closing.name for o in opened):
        closes_later = last.name != _BRACE and _closes(text[closing.offset :], last.name)
        if not closes_later:
            return _unclosed(last)
    if closing.name == _BRACE:
        what, cure = "this brace closes nothing", "remove it, or add the missing {"
    elif last is not None and last.name == _BRACE:
        return _unclosed(last)
    else:
        inner = f"; the open one is {last.name!r}" if last else ""
        what = rf"\end{{{closing.name}}} closes nothing{inner}"
        cure = rf"add \begin{{{closing.name}}}, or correct its name"
    other = last.offset if last is not None and last.name not in (_BRACE, "document") else None
    return Imbalance(closing.offset, closing.length, what, cure, other)


def _closes(text: str, name: str) -> bool:
    """Return whether a text closes an environment that was opened before it."""
    depth = 1
    for match in _TOKEN.finditer(text):
        depth += (match["opened"] == name) - (match["closed"] == name)
        if depth == 0:
            return True
    return False


def _unclosed(opened: _Opened) -> Imbalance:
    if opened.name == _BRACE:
        return Imbalance(opened.offset, opened.length, "this brace is never closed", "add the missing }")
    what = rf"\begin{{{opened.name}}} is never closed"
    return Imbalance(opened.offset, opened.length, what, rf"add \end{{{opened.name}}}")
