"""A formatted number where digits are read: the error leads to the format of bare digits."""

import pytest
from rendering import rendered

from labreport.documents.bare_numbers import cure, printed_for
from labreport.documents.document import Document
from labreport.documents.texlog import Problem

SOURCE = r"""\begin{document}
\SI{\VAR{d.a|num(digits=2)}}{\metre}, \numrange{\VAR{d.a | pm(d.b)}}{9} \foo
\draw (0,0)--(\VAR{d.b|num},1);
\VAR{d.s} \hspace{x}
\end{document}
"""


def error(message, line, context, key=None):
    return Problem("error", message, "report.tex", line, context, key=key)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (error("siunitx: Invalid number '{0.01}'", 2, r"\SI{{0.012}}{\metre}"), r"\VAR{d.a|raw}"),
        (error("siunitx: Invalid number '{0.01}'", 2, r"{9}"), r"\VAR{d.a|raw}"),
        (error("Undefined control sequence", 3, "{2.50},1);", key=r"\LRpm"), r"\VAR{d.b|raw}"),
        (error("Missing number, treated as zero", 3, "{2.50}"), r"\VAR{d.b|raw}"),
        (error("Undefined control sequence", 2, r"{9} \foo", key=r"\foo"), None),
        (error("Missing number, treated as zero", 4, r"\hspace{x}"), None),
        (error("Missing $ inserted", 3, "1);"), None),
    ],
)
@pytest.mark.parametrize("quick", [False, True])
def test_the_number_that_was_read_in_vain_is_found_and_printed_bare(problem, expected, quick):
    found = printed_for(Document(rendered(SOURCE), quick), problem)
    assert (found and cure(found)) == (
        expected and f"a number that is read further needs its bare digits: {expected}"
    )
