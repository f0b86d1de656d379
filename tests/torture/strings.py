"""Hostile strings: each is printed by a template in every context, and read back from the PDF and notebook.

A text is *lost* where a reader sees another one, *executed* where TeX obeyed it, and the build is *stopped*
where it ends in an error of LaTeX.
"""

from __future__ import annotations

import html
import random
import re
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import labreport
from labreport.documents.readback import opened, read
from labreport.errors import LabreportError
from labreport.language.environment import render
from labreport.language.formats import LONGEST_ADDRESS, cut, limited, url
from labreport.language.values import Box
from labreport.writing import LATEX
from labreport.writing.latex import LONGEST_BOOKMARK, UNSHOWN, escape
from labreport.writing.targets import MARKDOWN
from torture.trial import Trial

STYLE = Path(labreport.__file__).parent / "documents" / "labreport.sty"
BATCH = 250
SHOWN = 300

# ---------------------------------------------------------------------------------------------------- strings

COMMANDS = [
    r"\input{secret}", r"\input secret ", r"\csname input\endcsname{secret}", "^^5cinput{secret}",
    r"\^^69nput{secret}",
    r"\typeout{RUN\number1NOW}", r"\immediate\write18{touch executed}", r"\immediate\openout3=executed.txt",
    r"\catcode`\@=11 \@@input secret ", r"\def\x{\x}\x", r"\loop\iftrue\repeat", r"\end{document}", r"\par",
    r"\\",
    r"\begin{verbatim}", r"\verb|x|", r"\VAR{d.secret}", r"\BLOCK{if x}", "%# no", "{{ x }}", "{% if x %}",
    r"\LRcharacter{674E}", r"\LRsymbol{\alpha}{03B1}", r"\noexpand\x", r"\protect", r"\unichar{65}",
    r"\relax", r"\fi",
    r"\ifx", r"\else", r"\global\let\par\relax", r"\special{pdf:x}", r"\pdfobj stream file {secret.tex}",
    "^^M", "^^00", "^^^^00e9", "``", "''", "---", "?`", "!`", "<<", ">>", ",,", '"a', '""', "ffi",
    "[U+674E]", "#1", "##",
]  # fmt: skip
MARKUP = [
    "http://auto.link/x_y_z", "https://a.b/?q=1#x", "www.auto.link", "a.b@c.de", "<http://a.b>", "<a@b.cd>",
    "<b>x</b>",
    "<script>alert(1)</script>", "<!-- x -->", "<![CDATA[x]]>", "&amp;", "&#65;", "&nbsp", ":smile:", ":+1:",
    "[^1]",
    "[^1]: x", "[a](b)", "[a]: b", "![a](b)", "$x$", "$$x$$", r"\(x\)", r"\[x\]",
    r"\begin{align}x\end{align}", "`x`",
    "```", "~~~", "~~x~~", "**x**", "__x__", "# x", "x #", "- x", "* x", "1. x", "12) x", "> x", "| a | b |",
    "|---|",
    "===", "---", "    x", "- [ ] x", "==x==", "^x^", "~x~", ": x", "@user", "#12", "\\", "  \n", "{.class}",
    "(c)",
    "ftp://a.b/c", "mailto:a@b.cd", "javascript:alert(1)", "x'\"x", "*[a]: b",
]  # fmt: skip
BLOCKS = [
    (0x20, 0x7E), (0x00, 0x1F), (0x7F, 0x9F), (0xA0, 0xFF), (0x100, 0x24F), (0x250, 0x2FF), (0x300, 0x36F),
    (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x6FF), (0x900, 0x97F), (0x1E00, 0x1FFF), (0x2000, 0x206F),
    (0x2070, 0x218F), (0x2190, 0x23FF), (0x2500, 0x27FF), (0x2900, 0x2BFF), (0x3000, 0x30FF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3), (0xE000, 0xE010), (0xE011, 0xF8FF), (0xFB00, 0xFEFF), (0xFF00, 0xFFFF),
    (0x10000, 0x10FFF),
    (0x1D400, 0x1D7FF), (0x1F000, 0x1FAFF), (0x20000, 0x2A6DF), (0xE0000, 0xE01EF), (0xF0000, 0x10FFFF),
]  # fmt: skip
SPECIAL = "\\{}$&#_^~%[]*-'`\"<>|!?,.@=/:;()+ \n\t\r\x00\ufeff\u2028\u2029\x85\x0b\x0c"
SPECIAL += "\u200b\u200d\u202e\u2066\u00ad"


def generated(count: int, chance: random.Random) -> list[str]:
    """Return strings of all planes, commands, markup, and characters that mean something to somebody."""
    return [one(chance) for _ in range(count)]


def one(chance: random.Random) -> str:
    """Return one hostile string; a few are very long."""
    parts = [chance.choice(_PARTS)(chance) for _ in range(chance.randint(1, 12))]
    return "".join(parts) * (chance.randint(50, 400) if chance.random() < 0.003 else 1)


def _of_block(chance: random.Random) -> str:
    return "".join(chr(chance.randint(*chance.choice(BLOCKS))) for _ in range(chance.randint(1, 4)))


_PARTS = (
    lambda chance: chance.choice(COMMANDS),
    lambda chance: chance.choice(MARKUP),
    lambda chance: "".join(chance.choices(SPECIAL, k=chance.randint(1, 6))),
    lambda chance: "".join(chance.choices("abcxyzABC0123 ", k=chance.randint(1, 8))),
    _of_block,
)

# ---------------------------------------------------------------------------------------------- as it is read


@cache
def printable(c: str) -> bool:
    """Return whether LaTeX shows a character as itself, not as its code point."""
    return not UNSHOWN.search(escape(c))


def squeezed(text: str) -> str:
    """Return a text without white space, its compatible and look-alike characters made one."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text.translate(_ALIKE)).translate(_ALIKE))


def on_page(text: str) -> str:
    """Return a text as it is read on a page: squeezed, without accents, which are glyphs beside letters."""
    parts = unicodedata.normalize("NFKD", squeezed(text)).replace("ȷ", "j").replace("ı", "i")
    parts = "".join(c for c in parts if not unicodedata.combining(c) and c not in "ˆˇ˜")
    parts = re.sub("`(?=[gyY])|(?<=[yY])`", "", parts)
    return parts.replace("=~", "~=")  # the two glyphs of ≅ may be read in either order


def composed(text: str) -> str:
    """Return a text as it is read on a page, with the glyphs that one character is made of."""
    return on_page("".join(_COMPOSED.get(c) or c + _ACCENTS.get(c, "") for c in text))


_COMPOSED = {"↦": "7→", "↩": "←-", "↪": ",→", "⟵": "←-", "⟶": "-→", "∉": "∈/", "≅": "~=", "⊨": "|="}
_COMPOSED |= {"⋮": "...", "⋯": "···", "⋱": "..."}
_ACCENTS = dict.fromkeys("ĢĶķĻļŅņŖŗȘșȚț", ",") | dict.fromkeys("ḍḥḷṃṇṛṣṭ", ".")


_ALIKE = str.maketrans(
    "⩽⩾∆⧵∣∙∗∖⋅⁎ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοℏ▹⋆—–‑‐‒−―ϵ⋄∼⊲⊳◃⟂∥ℓ∘▵ĐÐ〈〉‘’",
    "≤≥Δ\\|•*\\·*ABEZHIKMNOPTYXoħ▷*-------ε◇~◁▷◁⊥‖l◦△DD⟨⟩`'",
)


def seen(text: str) -> str:
    """Return what must stand on the page."""
    line = cut(text)
    return composed("".join(c if c.isspace() or printable(c) else f"[U+{ord(c):04X}]" for c in line))


def seen_in_file(text: str) -> str:
    """Return what must stand on the page for a file name: white space that is no blank as a code point."""
    name = limited(text)
    return composed(
        "".join(c if c == " " or (printable(c) and not c.isspace()) else f"[U+{ord(c):04X}]" for c in name)
    )


def said(text: str) -> str:
    """Return what a bookmark or a title must say."""
    return squeezed(abridged(text))


def abridged(text: str) -> str:
    """Return what is printed where there is one line only: the first characters, and how many follow."""
    line = cut(text)
    rest = len(line) - LONGEST_BOOKMARK
    return line if rest <= 0 else f"{line[:LONGEST_BOOKMARK]}… ({rest} more characters)"


# --------------------------------------------------------------------------------------------------- contexts

ON_PAGE = {
    "body": r"\noindent %s\par",
    "bold": r"\textbf{\textit{%s}}\par",
    "typewriter": r"\texttt{%s}\par",
    "heading": r"\section{%s}",
    "starred heading": r"\subsection*{%s}",
    "caption": r"\captionof{figure}{%s}",
    # what stands in the next cell may be read before the last line
    "first cell": "\\noindent\\begin{tabular}{p{.6\\linewidth}l}\n%s & \\\\ \\hline\\end{tabular}\\par",
    "last cell": "\\noindent\\begin{tabular}{lp{.6\\linewidth}}x & \n%s\\\\ \\end{tabular}\\par",
    "item": r"\begin{itemize}\item %s\end{itemize}",
    "after a break": "x\\\\\n%s\\par",
    "footnote": r"x\footnote{%s}\par",
}
FILE = {"file": r"\texttt{%s}\par", "file in a heading": r"\subsection{%s}"}
BESIDE = {
    "bookmark": ON_PAGE["heading"],
    "alternative text": r"\VAR{d.figures[%d]|figure}\par",
    "PDF metadata": r"\hypersetup{pdfinfo={Q%d={\VAR{d.s[%d]}}}}",
    "URL": r"\VAR{d.u[%d]|url}\par",
    "label": r"\label{\VAR{(%d ~ '-x' ~ d.s[%d])|label}}",
    "table head and cell": r"{\hfuzz=1pt\typeout{table %d}"
    r"\VAR{d.t[%d]|table(column('Q%dTQ' ~ d.s[%d] ~ 'ZZ', 'v'))}\par\typeout{end}}",
}
HEAD = r"""\documentclass{article}
\usepackage[a4paper,landscape,margin=2cm]{geometry}
\usepackage[article]{labreport}
\hypersetup{bookmarksnumbered=false}\pagestyle{empty}\pdfcompresslevel=0 \pdfobjcompresslevel=0
\raggedright \hyphenpenalty=10000 \exhyphenpenalty=10000 \hbadness=10000 \hfuzz=\maxdimen
\vbadness=10000 \vfuzz=\maxdimen
\tracinglostchars=2
"""


EVERY = frozenset({*ON_PAGE, *FILE, *BESIDE})
READ_BACK = frozenset({"heading", "starred heading", "caption", "file in a heading", "bookmark", "label"})
"""The contexts that LaTeX writes into files, which it reads the next time."""


def template(texts: Sequence[str], contexts: Set[str]) -> str:
    """Return a template that prints each text in some contexts."""

    def used(forms: dict[str, str]) -> Iterator[tuple[str, str]]:
        return ((name, form) for name, form in forms.items() if name in contexts)

    preamble, body = [HEAD], []
    for at, text in enumerate(texts):
        # what fills pages is read in its order where no other context stands on them
        between = [r"\clearpage"] if len(text) > SHOWN else []
        for printed, forms in ((rf"\VAR{{d.s[{at}]}}", ON_PAGE), (rf"\VAR{{d.s[{at}]|file}}", FILE)):
            for name, form in used(forms):
                body += [form % f"Q{at}{_id(name)}Q{printed}ZZ", *between]
        for name, form in used(BESIDE):
            if name == "bookmark" and "heading" not in contexts:
                body.append(form % rf"Q{at}{_id('heading')}Q\VAR{{d.s[{at}]}}ZZ")
            elif name == "PDF metadata":
                preamble.append(form % (at, at))
            elif name != "bookmark":
                body.append(form.replace("%d", str(at)))
        body.append(r"\clearpage")
    return "\n".join(
        [*preamble, r"\begin{document}", *body, r"\typeout{the end is reached}", r"\end{document}"]
    )


def _id(context: str) -> str:
    """Return the letters that mark a context on the page."""
    return chr(ord("a") + [*ON_PAGE, *FILE].index(context))


def compiled(folder: Path, texts: Sequence[str], contexts: Set[str] = EVERY) -> str | None:
    """Compile the texts, after what LaTeX notes for the next time; return what went wrong, or None."""
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    shutil.copy(STYLE, folder)
    (folder / "figure.pdf").write_bytes(FIGURE)
    (folder / "secret.tex").write_text("THEXSECRET")
    for made in folder.glob("main.*"):
        made.unlink()
    # the first pass takes half the time where it has nothing but what the second reads
    return _passed(folder, texts, contexts & READ_BACK) or _passed(folder, texts, contexts)


def _passed(folder: Path, texts: Sequence[str], contexts: Set[str]) -> str | None:
    names = {"experiment": "d", "name": "f", "file": "figure.pdf"}
    values = {
        "s": list(texts),
        "u": [f"https://example.org/{text}" for text in texts],
        "t": [[{"v": f"Q{at}UQ{text}ZZ"}] for at, text in enumerate(texts)],
        "figures": [{**names, "alt": text} for text in texts],
    }
    (folder / "templates" / "main.tex.j2").write_text(template(texts, contexts), encoding="utf-8")
    try:
        rendered = render(folder / "templates", "main.tex.j2", {"d": Box(values, ("d",))}, LATEX)
    except LabreportError as error:
        return str(error)[:SHOWN]
    (folder / "main.tex").write_text(rendered.text, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        return "LaTeX does not end"
    output = done.stdout.decode(errors="replace")
    if done.returncode or "the end is reached" not in output:
        found = re.search(r"^!.*?(?=\n!|\Z)", output, re.DOTALL | re.MULTILINE)
        return found[0][:SHOWN] if found else output[-SHOWN:]
    return None


FIGURE = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Yield what became of so many strings, in each context of a PDF and of a notebook."""
    chance = random.Random(seed)
    for start in range(0, count, BATCH):
        texts = generated(min(BATCH, count - start), chance)
        yield from in_notebook(texts)
        yield from in_pdf(texts)


def in_pdf(texts: Sequence[str]) -> Iterator[Trial]:
    """Yield what became of the texts in a PDF; of a batch that stops the build, each half is tried again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wrong = compiled(folder, texts)
        if wrong is None:
            yield from read_back(folder, texts)
            return
        if len(texts) == 1:
            for context in (*ON_PAGE, *FILE, *BESIDE):
                if wrong := compiled(folder, texts, {context}):
                    yield Trial(context, "stopped", f"{texts[0][:SHOWN]!r}: {wrong}")
            return
    half = len(texts) // 2
    for part in (texts[:half], texts[half:]):
        yield from in_pdf(part)


def read_back(folder: Path, texts: Sequence[str]) -> Iterator[Trial]:
    """Yield what a reader sees of each text in a PDF."""
    data = (folder / "main.pdf").read_bytes()
    pages = on_page("".join(read(data, "main.pdf").pages))
    log = (folder / "main.log").read_text(encoding="utf-8", errors="replace")
    if "RUN1NOW" in log or "THEXSECRET" in pages or list(folder.glob("executed*")):
        yield Trial("any", "executed", repr(texts)[:SHOWN])
    marks = {context: _id(context) for context in (*ON_PAGE, *FILE)} | {"table head": "T", "table cell": "U"}
    starts = {match[0]: match.start() for match in re.finditer(r"Q\d+[a-zTU]Q", pages)}
    # a build reports tables that are too wide for the page
    too_wide = {int(at) for at in re.findall(r"table (\d+)\s+Overfull \\hbox", log)}
    for context, letter in marks.items():
        for at, text in enumerate(texts):
            mark = f"Q{at}{letter}Q"
            if context.startswith("table"):  # the marks are part of the value, and cut with it
                if at in too_wide:
                    yield Trial(context, "refused")
                    continue
                expected = seen(abridged(f"{mark}{text}ZZ"))
            else:
                expected = f"{mark}{(seen_in_file if context in FILE else seen)(text)}ZZ"
            found = pages[starts.get(mark, len(pages)) :][: 2 * len(expected)]
            if _WITH_GRAVE.search(text):
                found, expected = (part.replace("`", "") for part in (found, expected))
            yield judged(context, text, *map(_large_last, (found[: len(expected)], expected)))
    pdf = opened(data)
    titles = {match[1]: match[2] for title in _titles(pdf.outline) if (match := _TITLE.fullmatch(title))}
    alts = re.findall(rb"/Alt<FEFF([0-9A-F]*)>", data)
    metadata = pdf.metadata or {}
    links = set(_links(pdf))
    for at, text in enumerate(texts):
        yield judged("bookmark", text, squeezed(titles.get(str(at), "")), said(text))
        yield judged("PDF metadata", text, squeezed(str(metadata.get(f"/Q{at}", ""))), said(text))
        alt = bytes.fromhex(alts[at].decode()).decode("utf-16-be")
        yield judged("alternative text", text, squeezed(alt), squeezed(cut(text)))
        address = f"https://example.org/{text}"
        link = url(address)
        if len(link) > LONGEST_ADDRESS:  # printed, but no link
            yield Trial("URL", "refused")
            continue
        known = link.removesuffix("#")  # an empty fragment leads to where the address leads without it
        yield judged("URL", text, unquote(link) if known in links else None, unquote(address))


_WITH_GRAVE = re.compile("[ǸǹỲỳẀẁ]")
"""Letters whose accent is a glyph of its own, which may be read elsewhere on the line."""

_LARGE = "∏∐∑∫∮⋀⋁⋂⋃⨀⨁⨂⨄⨆"
"""Signs that reach below their line, and may be read with the one above."""


def _large_last(text: str) -> str:
    """Return a text with these signs at its end, in the order above: where they were read does not count."""
    return "".join(sorted(text, key=lambda c: _LARGE.find(c)))


_TITLE = re.compile(rf"Q(\d+){_id('heading')}Q(.*)ZZ", re.DOTALL)


def _titles(outline: Iterable[Any]) -> Iterator[str]:
    for entry in outline:
        yield from _titles(entry) if isinstance(entry, list) else [str(entry.title)]


def _links(pdf: Any) -> Iterator[str]:
    for page in pdf.pages:
        for note in page.get("/Annots", ()):
            yield str(note.get_object().get("/A", {}).get("/URI"))


def judged(context: str, text: str, found: str | None, expected: str) -> Trial:
    """Return the trial of a text that is found somewhere."""
    if found == expected:
        return Trial(context, "kept")
    found = found or ""
    pairs = enumerate(zip(found, expected, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(found), len(expected)))
    around = slice(max(0, same - 40), same + 100)
    return Trial(
        context,
        "lost",
        f"{text[:SHOWN]!r}: from character {same} on seen {found[around]!r}, expected {expected[around]!r}",
    )


# -------------------------------------------------------------------------------------------------- notebooks

MARKDOWN_CONTEXTS = {
    "text": ("{}", "{}"),
    "line": ("begin\n{} end", "begin {} end"),
    "heading": ("# {}", "{}"),
    "cell": ("| a | b |\n|---|---|\n| {} | end |", "a b {} end"),
    "bold": ("x **a {} b** x", "x a {} b x"),
    "item": ("- a {}", "a {}"),
}


def in_notebook(texts: Iterable[str]) -> Iterator[Trial]:
    """Yield what a reader of a notebook sees of each text."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for text in texts:
        written = MARKDOWN.write(text)
        for context, (form, around) in MARKDOWN_CONTEXTS.items():
            shown = squeezed(_text_of(reader.render(form.replace("{}", written))))
            expected = squeezed(around.replace("{}", in_markdown(text)))
            yield judged(f"notebook: {context}", text, shown, expected)


def in_markdown(text: str) -> str:
    """Return what a notebook must show of a text."""
    return "".join(c if c.isprintable() or c.isspace() else f"[U+{ord(c):04X}]" for c in cut(text))


def _text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))
