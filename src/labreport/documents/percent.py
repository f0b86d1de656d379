"""The percent format of notebooks' sources: where cells begin, and what no cell may hold.

A head is a line `# %%` or `#%%`, with `[markdown]` (or `[md]`), `[raw]`, a title and `tags=[…]` behind it.
The header in YAML that jupytext writes may come first: what it says is the same for all notebooks here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from labreport.errors import InputError

if TYPE_CHECKING:
    from labreport.language import Rendered

HEAD = re.compile(r"^# ?%%+(?!\S).*$", re.MULTILINE)
INDENTED = re.compile(r"^[ \t]+#\s*%%+(?!\S).*$", re.MULTILINE)
_YAML = re.compile(r"# ---[ \t]*\n(?:#.*\n)*?# ---[ \t]*\n")
_LANGUAGE = re.compile(r"""\blanguage\s*=\s*["']?(\w+)""")
_MAGIC = re.compile(r"^[ \t]*(?:[\w.,\[\] ]+=[ \t]*)?(%%?(\w+))", re.MULTILINE)
_CHANGING = frozenset(
    [
        *("time", "timeit", "prun", "lprun", "mprun", "memit", "mem", "env", "set_env", "pwd", "ls", "ll"),
        *("lf", "lk", "lx", "history", "hist", "notebook", "conda", "pip"),
    ]
)
"""Magics that show times, or what this machine has: the same notebook would be another one each time."""


def begin(rendered: Rendered) -> int:
    """Return where the first cell begins; InputError if there is none, or something stands before it."""
    text = rendered.text
    first = re.search(r"\S", text)
    if first is not None and (header := _YAML.match(text, first.start())):
        first = re.compile(r"\S").search(text, header.end())
    if first is None:
        raise InputError("the notebook is empty", place=rendered.place(0), cure="write a cell below `# %%`")
    if not HEAD.match(text, first.start()):
        cure = "write `# %%` or `# %% [markdown]` before it"
        if re.compile(r"[ \t]*# ?(In\[|%%)").match(text, first.start()):
            cure = "write `# %%` in its place, at the beginning of the line"
        raise InputError(
            "a notebook begins with the head of a cell", place=rendered.place(first.start()), cure=cure
        )
    for head in HEAD.finditer(text):
        language = _LANGUAGE.search(head[0])
        if language is not None and not language[1].startswith("python"):
            what = f"this cell is in {language[1]}: a notebook runs Python alone"
            place = rendered.place(head.start() + language.start(), len(language[0]))
            cure = "start other programs in an experiment, and print what they gave"
            raise InputError(what, place=place, cure=cure)
    return first.start()


def changing(code: str) -> Iterator[tuple[int, str]]:
    """Yield the offset and name of each magic in a cell whose output is another one each time."""
    found = [match for match in _MAGIC.finditer(code) if match[2] in _CHANGING]
    if found and not _is_python(code):  # in a text, it is none
        yield from ((match.start(1), match[1]) for match in found)


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True
