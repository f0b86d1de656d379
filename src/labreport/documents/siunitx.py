"""Whether a document uses siunitx: labreport.sty loads it only then, as it takes a fifth of a small pass.

What the engine itself writes needs none of it. A name counts wherever it stands in the sources, in a comment,
too: a package that is loaded in vain costs nothing but time.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.results import files_in

if TYPE_CHECKING:
    from labreport.language import Locale

STYLE = "labreport.sty"
SETTINGS = "labreport.cfg"
"""What tells labreport.sty; without this file it loads siunitx."""

BINARY = (".pdf", ".png", ".jpg", ".jpeg")

_NAMES = re.compile(
    r"siunitx|sisetup|tablenum|DeclareSI"
    r"|\\(?:num|qty|SI)(?:list|product|range)?(?![A-Za-z])|\\(?:si|unit|ang|complexnum|complexqty)(?![A-Za-z])"
    # a column S beside any others, an author's own too, where columns are surely declared
    r"|\\(?:begin\{\w*(?:tab|array)\w*\*?\}|newcolumntype)[^\s&]*S"
    # or elsewhere, alone or among usual ones; not the initial of a name
    r"|(?<![A-Za-z\\])[lcrpmbXs]*S[lcrpmbXsS]*(?![A-Za-z.,;:')$_^]| =)"
)


def is_named(text: str) -> bool:
    """Return whether a text may use siunitx: one of its commands, or its columns."""
    return _NAMES.search(text) is not None


def write_settings(folder: Path, language: Locale | None = None) -> None:
    """Write beside labreport.sty whether the sources in the folder use siunitx, and how it writes numbers.

    Without a language what the file says of it stays.
    """
    if not (folder / STYLE).is_file():
        return
    read = [p for p in files_in(folder) if p.suffix.lower() not in BINARY and p.name not in (STYLE, SETTINGS)]
    used = any(is_named(path.read_text(encoding="utf-8", errors="replace")) for path in read)
    lines = [rf"\LR@siunitx{'true' if used else 'false'}  % generated: whether any file here names siunitx"]
    if language is not None and language.tag != "en":
        lines.append(_marks(language))
    elif language is None and (folder / SETTINGS).is_file():
        lines += (folder / SETTINGS).read_text(encoding="utf-8").splitlines()[1:]
    (folder / SETTINGS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _marks(language: Locale) -> str:
    """Return the settings of siunitx for the numbers of a language."""
    group = r"\," if language.group.isspace() else language.group
    return (
        rf"\def\LR@language{{output-decimal-marker={{{language.decimal}}},group-separator={{{group}}}}}"
        rf"  % locale = {language.tag}"
    )
