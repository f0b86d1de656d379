"""The report with its changes marked: latexdiff on the LaTeX of both, compiled in a scratch folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.documents import latexmk
from labreport.errors import InputError, LabreportError, LatexError, ToolError

if TYPE_CHECKING:
    from labreport.explain.snapshot import Snapshot

NAME = "report-diff"
SAFE = (
    "--append-safecmd=num,qty,unit,ang,LRminus,LRpm,LRpower,LRunit,LRsymbol,LRcharacter,LRroman,LRrest,LRat,LRerror"
    ",LRsign,LRohm,LRraised,LRgroup,LRgap,LRto,LRp,LRis"
)
"""The commands whose text may be marked as a whole: printed numbers, and those of siunitx."""
SECONDS = 120


def check_tool() -> None:
    """Do nothing if latexdiff is on the PATH, else raise ToolError saying how to install it."""
    if shutil.which("latexdiff") is None:
        raise ToolError(
            "a PDF with the changes marked needs latexdiff: not found on the PATH",
            cure="on Debian or Ubuntu: apt-get install latexdiff",
        )


def make(old: Snapshot, new: Snapshot, scratch: Path, target: Path) -> Path:
    """Compile the new report with what is new in blue and what is gone in small red; return the PDF.

    `scratch` is an empty folder; the PDF and its LaTeX are written into the folder `target`.

    Raises
    ------
    ToolError
        latexdiff, or a program that the report needs, is missing.
    InputError
        latexdiff cannot read the LaTeX of one of them.
    LatexError
        The marked report cannot be compiled.

    """
    check_tool()
    marked = _marked(old, new, scratch)
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{NAME}.tex").write_bytes(marked)
    folder = scratch / "compile"
    assert new.sources is not None  # what is compared here was rendered with its sources
    shutil.copytree(new.sources, folder)
    (folder / f"{new.job}.tex").write_bytes(marked)
    try:
        compiled = latexmk.compile(folder, job=new.job)
    except LatexError as error:
        # a line of the marked text is no line of a template: the error is not the author's
        kept = f"the marked LaTeX is {target / NAME}.tex"
        raise LatexError(
            f"the report with its changes marked cannot be compiled: {error.what}",
            place=error.place,
            notes=[kept, *error.notes],
            cure="look at the changes without --pdf",
        ) from error
    return Path(shutil.copyfile(compiled.pdf, target / f"{NAME}.pdf"))


def _marked(old: Snapshot, new: Snapshot, scratch: Path) -> bytes:
    paths = [scratch / "old.tex", scratch / "new.tex"]
    for path, snapshot in zip(paths, (old, new), strict=True):
        path.write_text(snapshot.text, encoding="utf-8")
    # fonts and colours only: the usual wavy lines break inside numbers, and need a package more
    command = ["latexdiff", "--type=CFONT", "--encoding=utf8", SAFE, *(path.name for path in paths)]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=scratch, env=environment, capture_output=True, timeout=SECONDS, check=False
    )
    if done.returncode != 0 or not done.stdout.strip():
        raise _failed(done.stderr)
    return done.stdout


def _failed(said: bytes) -> LabreportError:
    lines = [line for line in said.decode(errors="replace").splitlines() if "Wide character" not in line]
    return InputError(
        "latexdiff cannot compare the two reports", notes=lines[-5:], cure="look at the changes without --pdf"
    )
