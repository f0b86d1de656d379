"""Docstrings as HTML: paragraphs, lists, sections such as Raises, and code between backticks."""

from __future__ import annotations

import re
from html import escape


def html(text: str) -> str:
    """Return a text in the form of a docstring as HTML; nothing in it can become markup."""
    return "\n".join(_block(block) for block in re.split(r"\n\s*\n", text.strip("\n")) if block.strip())


def _block(block: str) -> str:
    lines = block.rstrip().split("\n")
    if len(lines) > 1 and re.fullmatch(r"-{3,}", lines[1]):  # NumPy's form of a section
        return f"<h4>{inline(lines[0])}</h4>\n{_block(_rest(lines)) if lines[2:] else ''}"
    if all(line.startswith(" ") for line in lines):
        return code("\n".join(line.removeprefix("    ") for line in lines))
    if any(line.startswith(" ") for line in lines) and not lines[0].startswith((" ", "- ")):
        return _terms(lines)
    if lines[0].startswith("- "):
        items = re.split(r"(?m)^- ", block)[1:]
        return f"<ul>{''.join(f'<li>{inline(item)}</li>' for item in items)}</ul>"
    return f"<p>{inline(block)}</p>"


def _rest(lines: list[str]) -> str:
    return "\n".join(lines[2:])


def _terms(lines: list[str]) -> str:
    """Return lines that others, further in, explain: exceptions, parameters, exit codes."""
    out: list[tuple[str, list[str]]] = []
    for line in lines:
        tag = "dd" if line.startswith(" ") else "dt"
        if out and out[-1][0] == tag == "dd":
            out[-1][1].append(line.strip())
        else:
            out.append((tag, [line.strip()]))
    return "<dl>" + "".join(f"<{tag}>{inline(' '.join(said))}</{tag}>" for tag, said in out) + "</dl>"


def inline(text: str) -> str:
    """Return a text within a paragraph, with its code as code."""
    parts = re.split(r"`([^`]+)`", " ".join(text.split()))
    return "".join(f"<code>{escape(p)}</code>" if n % 2 else escape(p) for n, p in enumerate(parts))


def code(text: str) -> str:
    """Return lines of code."""
    return f"<pre><code>{escape(text)}</code></pre>"
