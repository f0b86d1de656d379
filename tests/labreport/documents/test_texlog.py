"""TeX's log: each complaint is reported once, in words, with its file and line."""

from labreport.documents.texlog import Problem, read_log


def test_labels_that_never_settle_are_told():
    log = "(./report.tex\n\nLaTeX Warning: Label(s) may have changed. Rerun to get them right.\n\n )\n"
    assert [p.kind for p in read_log(log, "report.tex")] == ["unsettled"]


def test_a_message_over_several_lines_is_one_sentence():
    log = """(./report.tex
./report.tex:7: Package siunitx Error: Invalid number
(siunitx)                '1.2.3'.

See the siunitx documentation for further information.
Type  H <return>  for immediate help.
 ...

l.7 \\num{1.2.3}
               \\,x
"""
    expected = Problem("error", "siunitx: Invalid number '1.2.3'", "report.tex", 7, r"\num{1.2.3}")
    assert read_log(log, "report.tex") == [expected]


def test_a_file_of_the_system_is_not_taken_for_one_of_the_document():
    log = """(./report.tex (/usr/share/texmf/a.sty
Package a Warning: odd on input line 3.

) (./part.tex
Overfull \\hbox (3.5pt too wide) in paragraph at lines 12--13
[]\\T1/lmr/m/n/10 some (words
 []

)
LaTeX Font Warning: Font shape `T1/x/m/n' undefined
(Font)              using `T1/y/m/n' instead on input line 9.

)"""
    box = r"Overfull \hbox (3.5pt too wide) in paragraph at lines 12--13"
    assert read_log(log, "report.tex") == [
        Problem("warning", "a: odd", "report.tex", 3),
        Problem("overfull", box, "part.tex", 12, "some (words", points=3.5),
        Problem("font", "Font shape `T1/x/m/n' undefined using `T1/y/m/n' instead", "report.tex", 9),
    ]
