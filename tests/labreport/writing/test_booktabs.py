"""Tables and figures: their LaTeX, and the page that it makes."""

import re
import shutil
import subprocess

import pandas as pd
import pytest
from hostile import HOSTILE, STYLE
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ContentStream
from rendering import mistake, printed, rendered

from labreport.claims import best
from labreport.language.columns import Cell, Column, column
from labreport.language.formats import FormatError, Number
from labreport.results.encoding import encode
from labreport.results.tables import decode
from labreport.writing.booktabs import table
from labreport.writing.latex import LONGEST_BOOKMARK, Latex
from labreport.writing.targets import LATEX, MARKDOWN

FIELDS = ("name", "n", "mean", "std", "rate", "x", "g", "best")
CELLS = [
    ("plain", 3, 0.693147, 0.000123, 1e-7, -1.5, 1, False),
    ("[1cm] *x & y", 12345, 0.0338, 0.0123, 0.01, 12.25, 1, True),
    ("50% \\ {x}", None, None, None, None, None, 2, False),
    ("", 12, 0.1, None, 3.0, -100.0, 2, True),
]
ROWS = [dict(zip(FIELDS, cells, strict=True)) for cells in CELLS]
COLUMNS = r"""column("Name", "name", bold="best"), column("[$n$]", "n", "integer"),
  column("Loss", ["mean", "std"], "pm", under=["Test", "Quality"], bold="best"),
  column("\\%", "x", "percent", under=["Test", "Quality"]), column("Rate", "rate", "num", under="Test"),
  column("Time", "n", "duration"), column("X", "x", "num", decimals=2, bold="best"), separate="g" """


def lines_of(source: str, rows=ROWS) -> list[str]:
    return rendered(rf"\VAR{{d.rows|table({source})}}", {"rows": rows}).text.split("\n")


class TestTable:
    def test_a_table_aligns_numbers_and_keeps_text_at_the_left(self):
        assert lines_of('column("Name", "name"), column("X", "x", "num")', ROWS[:2]) == [
            r"\begin{tabular}{@{}l>{\LRwidths{\LRminus{}00}{.00}}c@{}}",
            r"\toprule",
            r"{Name} & {X} \\",
            r"\midrule",
            r"{plain} & \LRat{\LRminus{}1}{.50} \\",
            r"{{[}1cm{]} {*}x \& y} & \LRat{12}{.2} \\",
            r"\bottomrule",
            r"\end{tabular}",
        ]

    def test_mean_and_std_have_boxes_on_both_sides_of_their_decimal_marks(self):
        lines = lines_of('column("Loss", ["mean", "std"], "pm", bold="best"), column("N", "n", "integer")')
        assert lines[0] == (
            r"\begin{tabular}{@{}>{\LRwidths{0}{.00000}\LRerrors{0}{.00000}}c>{\LRwidths{00{,}000}{}}c@{}}"
        )
        assert lines[2] == r"{Loss} & {N} \\"
        assert lines[4:8] == [
            r"\LRat{0}{.69315}\LRerror{0}{.00012} & \LRat{3}{} \\",
            r"\bfseries \LRat{0}{.034}\LRerror{0}{.012} & \LRat{12{,}345}{} \\",
            r"{\LRdash{}} & {\LRdash{}} \\",
            r"{\bfseries {0.100}} & \LRat{12}{} \\",
        ]

    def test_heads_over_several_columns_have_a_rule_each(self):
        lines = lines_of(COLUMNS)
        assert lines[2:7] == [
            r"{} & {} & \multicolumn{3}{c}{Test} & {} & {} \\",
            r"\cmidrule(lr){3-5}",
            r"{} & {} & \multicolumn{2}{c}{Quality} & {} & {} & {} \\",
            r"\cmidrule(lr){3-4}",
            r"{Name} & {[$n$]} & {Loss} & {\%} & {Rate} & {Time} & {X} \\",
        ]
        two = lines_of('column("a", "n", "num", under="A"), column("b", ["mean", "std"], "pm", under="B")')
        assert two[2] == r"\multicolumn{1}{@{}c}{A} & \multicolumn{1}{c@{}}{B} \\"
        assert two[3] == r"\cmidrule(lr){1-1} \cmidrule(lr){2-2}"

    def test_equal_heads_below_different_ones_stay_apart(self):
        heads = 'column("a", "n", under=["A", "C"]), column("b", "n", under=["B", "C"])'
        assert lines_of(heads)[4] == r"\multicolumn{1}{@{}c}{C} & \multicolumn{1}{c@{}}{C} \\"

    def test_powers_of_ten_stand_in_the_middle_of_their_column(self):
        assert lines_of('column("R", "rate", "num")')[4:8] == [
            r"{{1.00\LRpower{\LRminus{}7}}} \\",
            r"\LRat{0}{.0100} \\",
            r"{\LRdash{}} \\",
            r"\LRat{3}{.00} \\",
        ]

    def test_groups_are_divided_by_a_space(self):
        lines = lines_of('column("G", "g"), separate="g"')
        assert [i for i, line in enumerate(lines) if line == r"\addlinespace"] == [6]

    def test_a_table_without_rows_or_numbers_has_its_heads(self):
        assert lines_of('column("A", "n", "integer"), column("L", "x", "pm")', [])[:4] == [
            r"\begin{tabular}{@{}ll@{}}",
            r"\toprule",
            r"{A} & {L} \\",
            r"\midrule",
        ]

    def test_a_long_table_repeats_its_heads_and_has_a_caption(self):
        lines = lines_of('column("A", "name"), layout="long", caption="Its $c$", label="tab:x"')
        assert lines[1] == r"\caption{Its $c$}\label{tab:x}\\"
        assert lines[2:5] == lines[6:9] == [r"\toprule", r"{A} \\", r"\midrule"]
        assert lines[0] == r"\begin{longtable}{@{}l@{}}"
        assert lines[-1] == r"\end{longtable}"
        assert lines[5] == r"\endfirsthead"

    def test_what_is_too_long_for_any_line_is_abridged(self):
        source = 'column(d.rows[0].name, "name", under=d.rows[0].name), column("N", "n"), group="name"'
        for length, times in ((LONGEST_BOOKMARK, 0), (LONGEST_BOOKMARK + 1, 4)):
            lines = lines_of(source, [{"name": "b" * length, "n": "x"}])
            assert "\n".join(lines).count(r"\LRabridged bbb") == times

    def test_a_wide_table_is_turned(self):
        lines = lines_of('column("A", "n"), layout="wide"')
        assert (lines[0], lines[-1]) == (r"\begin{sideways}", r"\end{sideways}")

    def test_units_belong_in_the_head(self):
        assert lines_of('column("X", "x", "percent")', ROWS[:1])[4] == r"\LRat{\LRminus{}150}{.0} \\"

    def test_cells_are_marked_without_their_markup(self):
        cell = Cell(Number("1.5"), "<{}>".format, look="bold")
        text = Cell(Latex("a"), "<{}>".format, look="bold")
        body = table([Column("A", ("a",)), Column("B", ("b",))], [[cell, text]]).split("\n")[4]
        assert body == r"\bfseries <\LRat{1}{.5}> & {\bfseries <a>} \\"

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda: column("A", "a", "nmu"), "unknown format 'nmu'"),
            (lambda: table([], []), "needs columns"),
            (lambda: table([Column("A", ("a",))], [], layout="x"), "unknown layout"),
            (lambda: table([Column("A", ("a",))], [], label="x"), "long table only"),
            (lambda: table([Column("A", ("a",))], [[]] * 50_000), "has 50,000 rows"),
            (lambda: table([Column("A", ("a",))], [[]] * 50_000, layout="long"), "has 50,000 rows"),
        ],
    )
    def test_what_cannot_be_a_table_is_refused(self, make, words):
        with pytest.raises(FormatError, match=words):
            make()


ALTERNATIVES = [*HOSTILE[9:22], "A = 3, b=[1], (c) and 10 % more; “quoted” – dash"]


class TestPage:
    """One document with all layouts, compiled with labreport.sty as a report is."""

    @pytest.fixture(scope="class")
    @staticmethod
    def page(tmp_path_factory) -> tuple[str, str, PdfReader]:
        folder = tmp_path_factory.mktemp("tables")
        shutil.copy(STYLE, folder)
        blank = PdfWriter()
        blank.add_blank_page(100, 50)
        blank.write(folder / "figure.pdf")
        figures = [{"file": "figure.pdf", "alt": alt, "experiment": "d", "name": "f"} for alt in ALTERNATIVES]
        long = [{"i": i, "mean": i / 7, "std": (i + 1) / 70} for i in range(80)]
        source = (
            r"\documentclass{article}\usepackage[article]{labreport}\begin{document}"
            rf"\begin{{table}}\caption{{One.}}\small\VAR{{d.rows|table({COLUMNS})}}\end{{table}}"
            r"\begin{table}\VAR{d.none|table(column('Empty', 'name'), column('B', 'a', 'pm'))}\end{table}"
            r"\begin{table}\VAR{d.rows|table(column('Turned', 'name'), layout='wide')}\end{table}"
            r"\VAR{d.long|table(column('Index', 'i', 'integer'), column('Loss', ['mean', 'std'], 'pm'),"
            r"  layout='long', caption=d.caption, label='tab:long')}"
            r"\BLOCK{for f in d.figures}\VAR{f|figure(width='2cm')} \BLOCK{endfor}\end{document}"
        )
        values = {"rows": ROWS, "none": [], "long": long, "caption": "Long & {hostile}", "figures": figures}
        (folder / "a.tex").write_text(rendered(source, values).text, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
        subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=True)
        command = ["pdftotext", "-layout", "a.pdf", "-"]
        text = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
        return text, (folder / "a.log").read_text(errors="replace"), PdfReader(folder / "a.pdf")

    def test_numbers_stand_in_the_order_of_the_columns(self, page):
        lines = [" ".join(line.split()) for line in page[0].replace("−", "-").split("\n")]
        assert "[1cm] *x & y 12,345 0.034 ± 0.012 1,225.0 0.0100 3 h 26 min 12.25" in lines
        assert "50% \\ {x} – – – – – –" in lines
        assert sum("±" in line for line in lines) == 80 + 2

    def test_a_long_table_goes_on_over_the_page_with_its_head(self, page):
        text, _, pdf = page
        assert len(pdf.pages) >= 2
        assert len(re.findall(r"Index\s+Loss", text)) == 2
        assert "Long & {hostile}" in text

    def test_nothing_sticks_out_and_nothing_is_missing(self, page):
        assert "Overfull" not in page[1]
        assert "Missing character" not in page[1]

    def test_the_alternative_texts_of_figures_reach_the_pdf_literally(self, page):
        pdf = page[2]
        found = [
            str(operands[1]["/Alt"])
            for sheet in pdf.pages
            for operands, operator in ContentStream(sheet.get_contents(), pdf).operations
            if operator == b"BDC" and "/Alt" in operands[1]
        ]
        assert ["".join(alt.split()) for alt in found] == ["".join(alt.split()) for alt in ALTERNATIVES]


METHODS = [
    {"set": "A", "m": "one", "acc": {"estimate": 0.9, "low": 0.88, "high": 0.92}, "t": 9, "u": 3},
    {"set": "A", "m": "two", "acc": {"estimate": 0.8, "low": 0.78, "high": 0.82}, "t": 12, "u": 15},
    {"set": "B", "m": "one", "acc": {"estimate": 0.7, "low": 0.68, "high": 0.72}, "t": 5, "u": 9},
]
ACC = 'column("Acc", "acc.estimate", "num", best="highest", by="acc")'


def marked_lines(source: str, target=LATEX) -> list[str]:
    return rendered(
        rf"\VAR{{d.rows|table({source})}}", {"rows": METHODS}, target=target, best=best
    ).text.split("\n")


class TestMarks:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ("", [r"\bfseries \LRat{0}{.900} \\", r"\LRat{0}{.800} \\", r"\LRat{0}{.700} \\"]),
            (
                ', separate="set", best_of="group"',
                [r"\bfseries \LRat{0}{.900} \\", r"\LRat{0}{.800} \\", r"\bfseries \LRat{0}{.700} \\"],
            ),
        ],
    )
    def test_the_best_of_a_column_or_group_stand_out(self, options, expected):
        lines = [line for line in marked_lines(ACC + options)[4:-2] if line != r"\addlinespace"]
        assert lines == expected

    def test_the_best_of_a_row_stand_out_in_other_ways(self):
        counts = [
            f'column("{f}", "{f}", "integer", best="lowest", how="exact", mark="{mark}")'
            for f, mark in (("t", "underline"), ("u", "star"))
        ]
        assert marked_lines(", ".join(counts) + ', best_of="row"')[4:7] == [
            r"\LRat{9}{} & \LRat{3}{}\rlap{\textsuperscript{*}} \\",
            r"\LRat{\LRunderlined{12}}{} & \LRat{15}{} \\",
            r"\LRat{\LRunderlined{5}}{} & \LRat{9}{} \\",
        ]

    def test_groups_have_titles_and_notes_stand_below(self):
        lines = marked_lines(
            'column("M", "m"), column("T", "t", "num", unit="m/s", turned=true), group="set", notes="$n$"'
        )
        assert lines[0] == r"\begin{LRnoted}{\LRnote $n$\par}"
        assert lines[3:6] == [
            r"{M} & {\rotatebox{90}{T (m/s)}} \\",
            r"\midrule",
            r"\multicolumn{2}{@{}l@{}}{\itshape A} \\*",
        ]
        assert lines[-1] == r"\end{LRnoted}"
        long = marked_lines('column("M", "m"), layout="long", notes=["a"]')
        assert r"\multicolumn{1}{@{}p{\linewidth}@{}}{\LRnote a} \\" in long

    def test_markdown_has_marks_titles_and_notes_too(self):
        source = ACC + ', column("T", "t", "num", best="lowest", how="exact", mark="star", unit="s")'
        assert marked_lines(source + ', group="set", notes="see"', MARKDOWN) == [
            "| Acc | T (s) |",
            "| ---: | ---: |",
            "| **A** |  |",
            "| **0.900** | 9 |",
            "| 0.800 | 12 |",
            "| **B** |  |",
            r"| 0.700 | 5\* |",
            "",
            "see",
        ]

    @pytest.mark.parametrize(("unit", "head", "cell"), [("m", "X", "9.00 m"), ("m^2", "X (m²)", "9.00")])
    def test_a_head_tells_the_unit_unless_each_cell_has_its_own(self, unit, head, cell):
        lines = marked_lines(f'column("X", "t", "eng", unit="{unit}")', MARKDOWN)
        assert (lines[0], lines[2]) == (f"| {head} |", f"| {cell} |")

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            (ACC + ', best_of="group"', "speaks of groups"),
            (ACC + ', best_of="line"', "cannot be 'line'"),
            (ACC + ', group="set", separate="set"', "two ways"),
            ('column("A", ["t", "u"], "pm", best="lowest")', "by which of t, u"),
            ('column("A", "t", by="t")', "what the best is found by"),
            ('column("A", "t", mark="red")', "unknown mark 'red'"),
            ('column("A", "t", "num", best="lowest")', "how sure"),
            ('column("A", "t", "num", best="low")', '"lowest" or "highest"'),
            ('column("A", "t", turned="yes")', "true or false"),
            (ACC + ', column("A", "t", "num", best="lowest", how="exact"), best_of="row"', "in several ways"),
        ],
    )
    def test_what_cannot_be_marked_is_told(self, source, words):
        error = mistake(rf"\VAR{{d.rows|table({source})}}", values={"rows": METHODS}, best=best)
        assert words in error.what


def test_levels_of_a_frame_give_common_heads_and_groups():
    index = pd.MultiIndex.from_tuples([("A_1", "x"), ("A_1", "y"), ("B", "x")], names=["set", "m"])
    frame = pd.DataFrame({("Loss_a", "v"): [1, 2, 3], ("n", ""): [7, 8, 9]}, index)
    rows = decode(encode({"t": frame}, {})["tables"]["t"]).rows()
    fields = {"M": "m", "V": "Loss_a.v", "N": "n"}
    columns = [f'column("{head}", "{name}")' for head, name in fields.items()]
    out = rendered(rf"\VAR{{d.rows|table({', '.join(columns)})}}", {"rows": rows})
    lines = out.text.split("\n")
    assert lines[2:6] == [
        r"{} & \multicolumn{1}{c}{Loss\_a} & {} \\",
        r"\cmidrule(lr){2-2}",
        r"{M} & {V} & {N} \\",
        r"\midrule",
    ]
    assert [line for line in lines if r"\itshape" in line] == [
        rf"\multicolumn{{3}}{{@{{}}l@{{}}}}{{\itshape {name}}} \\*" for name in (r"A\_1", "B")
    ]
    assert [text for text, keys in printed(out) if keys == ('d.rows[0]["Loss_a.v"]',)] == ["{1}"]
