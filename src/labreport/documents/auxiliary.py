"""What LaTeX leaves behind for its next pass, kept from one compilation to the next.

A document that starts from the auxiliary files of the last good compilation needs one pass where a new one
needs four, and gets the same bytes: passes go on until these files no longer change, from wherever they
start. Only files of a compilation that succeeded are kept, since others can make LaTeX fail for ever, and
only undamaged ones are used. A kept file that a pass reads but does not write again is of another document.

A document whose text depends on the page where it stands can settle in two ways. Then, and only then, the
bytes can differ from those of a new compilation: the document settles as it did before.
"""

from __future__ import annotations

import contextlib
import hashlib
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from labreport.errors import LabreportError
from labreport.results import files, files_in, strict_json

DIGESTS = "digests.json"
RULES = ".fdb_latexmk"
BY_OTHERS = (".bbl", ".blg", RULES)
"""What BibTeX and latexmk write; these programs notice themselves when it is out of date."""
KEPT = (*BY_OTHERS, ".aux", ".loa", ".lof", ".lol", ".lot", ".nav", ".out", ".snm", ".toc")
"""The suffixes of what is kept. Other files that a document writes may change what it does the next time:
`filecontents` leaves a file that exists as it is."""


def keep(kept: Path, folder: Path, sources: Collection[Path], laid: Mapping[str, str]) -> None:
    """Keep what a successful compilation made beside its sources, in the place of what was kept before.

    Nothing is done if all is as it was laid. Where nothing can be written, nothing is kept: the next
    compilation then takes longer.
    """
    with contextlib.suppress(OSError):
        made = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in made_in(folder, sources)
            if path.suffix in KEPT
        }
        digests = {name: files.checksum(data) for name, data in made.items()}
        if digests == laid:
            return
        staged = files.stage(kept.parent)
        for name, data in made.items():
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_bytes(data)
        record = {"made": digests, "bibliography": _bibliography(folder, sources)}
        (staged / DIGESTS).write_bytes(strict_json.seal(record))
        files.replace_folder(kept, staged)


def lay(kept: Path, folder: Path) -> dict[str, str]:
    """Copy the kept files beside the sources and return their digests by name; none if one is damaged.

    A file that is among the sources now is a source, and stays. Where the bibliography is another one, what
    latexmk knew of the run of BibTeX is left out.
    """
    try:
        record = strict_json.unseal((kept / DIGESTS).read_bytes(), DIGESTS, cure="compile again")
        digests = record["made"]
        whole = {name: (kept / name).read_bytes() for name in digests}
        if not whole or any(files.checksum(data) != digests[name] for name, data in whole.items()):
            return {}
    except (OSError, LabreportError, LookupError):
        return {}
    is_same = record.get("bibliography") == _bibliography(folder, files_in(folder))
    laid = [name for name in whole if not (folder / name).exists() and (is_same or not name.endswith(RULES))]
    for name in laid:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(whole[name])
    return {name: digests[name] for name in laid}


def _bibliography(folder: Path, sources: Iterable[Path]) -> dict[str, str]:
    """Return the digests of what BibTeX may read of the sources."""
    read = [path for path in sources if path.suffix in (".bib", ".bst")]
    return {path.relative_to(folder).as_posix(): files.checksum(path.read_bytes()) for path in read}


RERUN = re.compile(r"[Rr]e-?run (?:to|[Ll]a[Tt]e[Xx])\b|\(re\)run|may have changed|[Ww]idths have changed")
PRINTED = (".log", ".pdf")
"""What a pass writes that no later one reads."""


def is_settled(folder: Path, job: str, laid: Mapping[str, str], log: str, record: str) -> bool:
    """Return whether a pass that started from the files laid needs no other one, of TeX or of BibTeX.

    It wrote each file as it had found it, and asks for no other pass in its log; `record` are its inputs and
    outputs. In doubt it is not, and latexmk finds out.
    """
    written = _named(record, "OUTPUT") - {f"{job}{end}" for end in PRINTED}
    unchanged = all(
        name in laid and files.checksum((folder / name).read_bytes()) == laid[name] for name in written
    )
    is_final = unchanged and RERUN.search(log) is None and not are_stale(laid, record)
    return is_final and _knows_all(folder, job)


_RULE = re.compile(r'\["(\w+)')
_SOURCE = re.compile(r'  "(.+)" \S+ \S+ ([0-9a-f]{32}) "(.*)"$')


def _knows_all(folder: Path, job: str) -> bool:
    """Return whether TeX and BibTeX alone made the document, and all that BibTeX had read is as it was."""
    rule = ""
    try:
        for line in (folder / f"{job}{RULES}").read_text(encoding="utf-8").splitlines():
            if found := _RULE.match(line):
                rule = found[1]
                if rule not in ("pdflatex", "lualatex", "xelatex", "bibtex"):
                    return False
            elif rule == "bibtex" and (source := _SOURCE.match(line)) and not source[3]:
                data = (folder / source[1]).read_bytes()
                if hashlib.md5(data, usedforsecurity=False).hexdigest() != source[2]:
                    return False
    except (OSError, ValueError):
        return False
    return bool(rule)


def are_stale(laid: Collection[str], record: str) -> bool:
    r"""Return whether the last pass read a file that was laid without writing it again.

    `record` are TeX's inputs and outputs. So it is after `\nofiles`, or where `\includeonly` leaves out.
    """
    unwritten = _named(record, "INPUT") - _named(record, "OUTPUT")
    return any(name in unwritten for name in laid if not name.endswith(BY_OTHERS))


def _named(record: str, wanted: str) -> set[str]:
    """Return the files that TeX's record names as its inputs, or as its outputs."""
    lines = (line.partition(" ") for line in set(record.splitlines()))  # each font is named again and again
    return {posixpath.normpath(name) for kind, _, name in lines if kind == wanted}


def made_in(folder: Path, sources: Collection[Path]) -> list[Path]:
    """Return the files in a folder that are not its sources."""
    return [path for path in files_in(folder) if path not in sources]
