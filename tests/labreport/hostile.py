"""Texts that try to be more than texts, and the style file that sets them."""

from pathlib import Path

import labreport

STYLE = Path(labreport.__file__).parent / "documents" / "labreport.sty"

HOSTILE = [
    r"\input{/etc/passwd}",
    r"\input /etc/passwd ",
    r"\csname input\endcsname{/etc/passwd}",
    "^^5cinput{/etc/passwd}",
    r"\^^69nput{/etc/passwd}",
    r"\catcode`\@=11 \@@input /etc/passwd",
    r"\openin5=/etc/passwd \read5 to \x \x",
    r"\write18{id} \input|id",
    r"\immediate\openout3=result.json",
    r"\def\x{\x}\x \loop\newpage\repeat",
    r"\end{document}",
    r"\begin{verbatim} \verb|x|",
    r"\item \\ \hline & & \cr \noalign{\x}",
    r"$HOME/x ~root/x #1 ##2 100% of_it a^b",
    "}}}{{{",
    "{",
    "}",
    "\\",
    "\\\\",
    "%",
    "&",
    "$$",
    "[1cm]",
    "*x",
    "]",
    "--flag --- `` '' !` ?` ,, << >>",
    "a\n\nb\tc\r\nd\u2028e\x85f\x0bg",
    "",
    "   ",
    "nul\x00 esc\x1b[31m del\x7f bell\x07",
    "Dvořák Łódź Ångström œuvre ß € † ‰ … “x” „y‟ ‹z›",
    "e\u0301 decomposed, x\u0302 not composable",
    "emoji \U0001f600 CJK 漢字 Greek αβγ ≤ ∞",
    "bidi \u202e reversed \u200b zero width \u00ad soft",
    "private \ue000\ue0010\ue003x\ue002",
    r"{{ x }} {% if x %} \VAR{d.secret} \BLOCK{if x} %# no",
    "%&pdflatex -shell-escape",
    "fi fl ffi A^2_3 'q' \"q\" `q` | ~",
]
