"""Checks of the code that is shown: in excerpts, never in full."""

from __future__ import annotations

import ast
import re

from labreport.checks.material import Found, Material, counted

LONGEST_EXCERPT = 30  # lines
LARGEST_SHARE = 0.2  # of the report's lines, for all code together
WHOLE = 0.9  # of a module's lines, from which on it counts as shown in full
CODE_LEADING = 10.6  # pt from line to line of code, as labreport.sty sets it


def excerpts(m: Material) -> Found:
    """Return the code that is too long, taken in whole, or too much of the report."""
    places = []
    for code in m.code:
        if code.rows > LONGEST_EXCERPT:
            name = code.file or "typed code"
            places.append((m.where(code.start), f"{name}: {code.rows} lines, more than {LONGEST_EXCERPT}"))
    taken = m.source.commands("(?:lstinputlisting|inputminted|VerbatimInput|verbatiminput)")
    places += [(m.where(c.start), "a whole file is included") for c in taken]
    places += [
        (m.where(start), f"nearly all of {file} is shown") for file, start in _whole_modules(m).items()
    ]
    rows = sum(code.rows for code in m.code)
    height = re.search(r"^\* \\textheight=([\d.]+)pt", m.log, re.MULTILINE)
    # heights, not lines: a page holds more lines of code than of text
    share = rows * CODE_LEADING / (len(m.pdf.pages) * (float(height[1]) if height else m.pdf.height))
    if share > LARGEST_SHARE:
        shown = m.project.shown(m.project.pdf)
        places.append((shown, f"{share:.0%} of its height is code, more than {LARGEST_SHARE:.0%}"))
    return Found(
        places, f"{counted(len(m.code), 'excerpt')}, {counted(rows, 'line')}: {share:.1%} of the pages"
    )


def _whole_modules(m: Material) -> dict[str, int]:
    """Return the modules that all excerpts together show, and where the first of them stands."""
    shown: dict[str, set[int]] = {}
    first: dict[str, int] = {}
    for code in m.code:
        if code.file is not None and code.file.endswith(".py"):  # a file of settings is no code
            shown.setdefault(code.file, set()).update(code.numbers)
            first.setdefault(code.file, code.start)
    whole = {}
    for file, numbers in shown.items():
        path = m.project.root / file
        lines = _code_lines(path.read_text(encoding="utf-8")) if path.is_file() else set()
        if lines and len(lines & numbers) >= WHOLE * len(lines):
            whole[file] = first[file]
    return whole


def _code_lines(text: str) -> set[int]:
    """Return the lines of a module's statements, without imports, docstrings, comments and blank lines."""
    # a report that shows all functions of a module shows the module, whatever it leaves out between them
    tree = ast.parse(text)
    lines = text.split("\n")
    inside = {number for node in tree.body for number in _span(node)}
    docstrings = {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for number in _span(node)
    }
    imports = {n for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for n in _span(node)}
    blank = {n for n, line in enumerate(lines, 1) if not line.strip() or line.lstrip().startswith("#")}
    return inside - docstrings - imports - blank


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
