"""The TeX engine of a document: what its author names, or what its preamble needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OPTIONS = "-no-shell-escape -interaction=nonstopmode -halt-on-error -file-line-error -recorder"


@dataclass(frozen=True)
class Engine:
    """A program that sets documents; `mode` is latexmk's number for it, `package` Debian's that brings it.

    Without the file that it `needs` no font is found: Debian has the program in a package of its own.
    """

    name: str
    mode: int
    package: str
    needs: str = ""
    options: str = OPTIONS

    @property
    def command(self) -> str:
        """The program with its options."""
        return f"{self.name} {self.options}"

    def lacks(self) -> str | None:
        """Return what of the engine is not installed: the program, a file that it needs, or nothing."""
        if shutil.which(self.name) is None:
            return self.name
        if self.needs and shutil.which("kpsewhich"):
            found = subprocess.run(["kpsewhich", self.needs], capture_output=True, check=False)
            return self.needs if found.returncode else None
        return None


PDFLATEX = Engine("pdflatex", 1, "texlive-latex-base")
ENGINES = {
    engine.name: engine
    for engine in (
        PDFLATEX,
        # with --safer, which would keep Lua from files as well, it cannot load its fonts
        Engine("lualatex", 4, "texlive-luatex", needs="luaotfload.sty", options=f"{OPTIONS} --nosocket"),
        Engine("xelatex", 5, "texlive-xetex"),
    )
}

_NAMED = re.compile(r"^%\s*!\s*TeX\s+(?:TS-)?program\s*=\s*(\w+)", re.IGNORECASE | re.MULTILINE)
_LOADED = r"\\(?:usepackage|RequirePackage)\s*(?:\[[^]]*\])?\s*\{[^}]*\b(?:%s)\b"
_NEEDS = {
    "xelatex": re.compile(_LOADED % "xeCJK|mathspec|xltxtra|xunicode" + r"|\\RequireXeTeX"),
    "lualatex": re.compile(
        _LOADED % "fontspec|unicode-math|polyglossia|luacode|luatexja(?:-\\w+)?|luatextra"
        + r"|\\RequireLuaTeX"
    ),
}


def recognised(text: str) -> Engine:
    """Return the engine that a document asks for: by a magic comment, or by what its preamble loads."""
    preamble = text.partition(r"\begin{document}")[0]
    if (named := _NAMED.search(preamble)) and named[1].lower() in ENGINES:
        return ENGINES[named[1].lower()]
    code = re.sub(r"(?<!\\)%.*", "", preamble)
    return next((ENGINES[name] for name, needs in _NEEDS.items() if needs.search(code)), PDFLATEX)


def of(folder: Path, job: str) -> Engine:
    """Return the engine of the sources in a folder: that of their latexmkrc or, without one, of the text."""
    try:
        settings = (folder / "latexmkrc").read_text(encoding="utf-8", errors="replace")
        mode = re.search(r"^\$pdf_mode = (\d);$", settings, re.MULTILINE)
    except FileNotFoundError:
        mode = None
    found = [engine for engine in ENGINES.values() if mode and engine.mode == int(mode[1])]
    if found:
        return found[0]
    return recognised((folder / f"{job}.tex").read_text(encoding="utf-8", errors="replace"))
