"""Where each printed thing lies on the page: poppler reads there what the record says."""

import html
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import hostile
import projects
import pytest

from labreport import project as known
from labreport.documents import report
from labreport.explain import Place, Record, Value, readable, record
from labreport.page import places
from labreport.page.characters import Box

PLACE = Place("report", "t.j2", 1, 1, 1, 1)
ROOT = Path(__file__).parents[3]
COIN = projects.experiment(
    f"""
    def run(params, lab):
        import pandas as pd

        rows = pd.DataFrame({{"m": [0.1 + k / 1000 for k in range(90)], "s": [0.01] * 90, "n": [7] * 90}})
        return {{
            "one": 1, "uno": 1, "eins": 1, "name": "heads & tails of many coins", "text": "0.516",
            "two": "22", "three": "333", "word": "coins", "env": "center", "long": "many words " * 80,
            "share": 0.516, "small": 1.3e-15, "loss": {{"mean": 0.274, "std": 0.027}}, "rows": rows,
            "hostile": {hostile.HOSTILE!r},
        }}

    def draw(result, lab):
        from matplotlib.figure import Figure

        for name, size in (("line", (2, 1)), ("tall", (1, 2))):
            figure = Figure(figsize=size, layout="constrained")
            figure.add_subplot().plot([1, 2])
            lab.figure(name, figure, alt="It rises.")
    """
)
TOSS = "def toss(n):\n    side = 1\n    return side * n\n\n\ndef many(n):\n"
TOSS += "".join(f"    n = n + {number}\n" for number in range(80)) + "    return n\n"
BODY = r"""
\section{Of \VAR{c.values.share|num} and \VAR{c.values.name}}\label{sec:\VAR{c.values.name|label}}
A \VAR{c.values.one} B \VAR{c.values.uno} C \VAR{c.values.eins},
and by \num{\VAR{c.values.text}} or \qty{\VAR{c.values.one}}{\percent}.
\begin{tabular}{lll} D \VAR{c.values.eins} & E \VAR{c.values.one} & F \VAR{c.values.uno} \end{tabular}
Text\footnote{A note of \VAR{c.values.loss|pm}.} and
$x = \VAR{c.values.small|num}^2 + \frac{\VAR{c.values.share|num}}{2}$
\two{\VAR{c.values.one}}{\VAR{c.values.share|num}} in text \VAR{c.values.small|num},
\MakeUppercase{of \VAR{c.values.word}}.
\begin{figure}
  \VAR{c.figures.tall|figure}
  \VAR{c.figures.line|figure(width="0.5\\linewidth")}
  \caption{After \VAR{c.values.one} tosses: \VAR{c.values.name}.}\label{fig:line}
\end{figure}
\begin{tabular}{S[table-format=1.3]l} \VAR{c.values.text} & a \\ \end{tabular}
\BLOCK{for text in c.values.hostile}
x \VAR{text}, y

\BLOCK{endfor}
"""
MANY = r"""
\numlist{\VAR{c.values.two};\VAR{c.values.three};\VAR{c.values.two}},
\qtyrange{\VAR{c.values.three}}{\VAR{c.values.two}}{\second}.
"""
LONG = r"""
\VAR{c.tables.rows|table(column("Loss", ["m", "s"], "pm"), column("Runs", "n", "integer"), layout="long")}
"""
ASIDE = r"""
\begin{sidewaystable}
  \VAR{c.tables.rows[:2]|table(column("Loss", ["m", "s"], "pm"), column("Runs", "n", "integer"))}
\end{sidewaystable}
"""
TURNED = r"\begin{landscape} Turned \VAR{c.values.share|num} here. \end{landscape}"


def document(body: str, options: str = "a4paper", preamble: str = "") -> str:
    return (
        rf"\documentclass[{options}]{{article}}\usepackage[article]{{labreport}}\newcommand\two[2]{{#1/#2}}"
        f"\n{preamble}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )


@projects.once
def built(folder: Path, text: str, toml: str = "") -> known.Project:
    made = projects.make(folder, {"c": COIN}, src={"toss.py": TOSS}, toml=toml)
    projects.write(made.templates / "report.tex.j2", text)
    projects.run(made)
    report.make(made)
    return made


class Seen:
    """A report with the boxes found in it, and what poppler reads in a box."""

    def __init__(self, project: known.Project) -> None:
        self.record = record.read(project)
        self.boxes = places.locate(project, self.record)
        command = ["pdftotext", "-bbox", str(project.pdf), "-"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        word = r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>'
        self.pages = [
            [(*map(float, found[:4]), html.unescape(found[4])) for found in re.findall(word, page)]
            for page in told.split("<page ")[1:]
        ]

    def reads(self, name: str) -> str:
        """Return the characters whose middles lie in the boxes, as of equal width in their words."""
        return "".join(c for box in self.boxes.get(name, ()) for c in self._in(box))

    def _in(self, box: Box):
        for left, top, right, bottom, word in self.pages[box.page - 1]:
            for number, character in enumerate(word):
                part = (number + 0.5) / len(word)
                x, y = left + part * (right - left), (top + bottom) / 2
                if len(word) > 2 and bottom - top > right - left:  # a word on its side
                    x, y = (left + right) / 2, bottom - part * (bottom - top)
                if box.x <= x <= box.right and box.y - 1 <= y <= box.bottom + 1:
                    yield character

    def before(self, name: str) -> str:
        """Return the word that ends last before a box, in its line."""
        box = self.boxes[name][0]
        words = [w for w in self.pages[box.page - 1] if box.y < (w[1] + w[3]) / 2 < box.bottom]
        return max((w for w in words if w[2] < box.x + 1), key=lambda w: w[2])[4]

    def values(self, text: str) -> list[str]:
        """Return the ids of values that a text was printed for, in the order of the document."""
        return [f"v{n}" for n, v in enumerate(self.record.values) if v.text == text and v.place.page]


def plain(text: str) -> str:
    """Return the characters of a text without blanks and commands, raised ones as others, dashes alike."""
    text = re.sub(r"\\text(tt|asciitilde)(\{\})?", "", "".join(text.split())).replace("…", "...").casefold()
    return text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−–", "0123456789---", "[]\\~"))


def agree(seen: str, text: str) -> bool:
    """Return whether what is seen in a box is a text, in any order: what is raised comes before its line.

    What follows may be seen, too: where in a word it stands is estimated, and a unit belongs to its number.
    """
    found, wanted = Counter(plain(seen)), Counter(plain(text))
    return not wanted - found and (found - wanted).total() <= 2 and set(found - wanted) <= set(",.)%")


@pytest.fixture(scope="module")
def hard(tmp_path_factory) -> Seen:
    return Seen(built(tmp_path_factory.mktemp("hard"), document(BODY + MANY + LONG + ASIDE + TURNED)))


@pytest.mark.slow
class TestLocate:
    def test_values_lie_where_poppler_reads_their_text(self, hard):
        printed = [
            (f"v{n}", readable(value.text))
            for n, value in enumerate(hard.record.values)
            if value.place.page and readable(value.text).strip() and "-tails-" not in value.text
        ]
        assert len(printed) > 200
        assert [name for name, _ in printed if name not in hard.boxes] == []
        assert [(name, text) for name, text in printed if not agree(hard.reads(name), text)] == []

    def test_equal_numbers_are_told_apart(self, hard):
        keys = {"one": "A", "uno": "B", "eins": "C"}
        by_key = {}
        for name in hard.values("{1}"):
            (key,) = hard.record.values[int(name[1:])].keys
            by_key.setdefault(key.rpartition(".")[2], []).append(name)
        assert {key: hard.before(names[0]) for key, names in by_key.items()} == keys
        table = {key: hard.before(names[2 if key == "one" else 1]) for key, names in by_key.items()}
        assert table == {"one": "E", "uno": "F", "eins": "D"}

    def test_values_in_one_command_are_told_apart(self, hard):
        two, three = hard.values("22"), hard.values("333")
        assert [hard.reads(name).rstrip(",") for name in two] == ["22"] * 3
        assert [hard.reads(name).rstrip(",") for name in three] == ["333"] * 2
        assert len({hard.boxes[name] for name in two + three}) == 5

    def test_a_label_has_no_place(self, hard):
        assert hard.boxes.keys().isdisjoint(hard.values("heads-tails-of-many-coins"))

    def test_the_heading_has_a_place_and_its_bookmark_none(self, hard):
        (box,) = hard.boxes[hard.values("{0.516}")[0]]
        assert box.height > 10

    def test_figures_have_the_sizes_that_they_were_drawn_in(self, hard):
        tall, line = (hard.boxes[f"f{n}"][0] for n in range(2))
        assert (tall.width, tall.height) == pytest.approx((72, 144), abs=0.5)
        assert (line.width, line.height) == pytest.approx((212.6, 106.3), abs=0.5)  # half of 150 mm
        assert tall.page == line.page
        assert tall.bottom == pytest.approx(line.bottom, abs=1.5)  # both stand on one line
        assert tall.x + tall.width < line.x

    def test_a_value_of_a_table_on_its_side_has_one_box(self, hard):
        name = hard.values(r"\LRat{0}{.100}\LRerror{0}{.010}")[-1]
        (box,) = hard.boxes[name]
        assert box.height > 3 * box.width

    def test_a_turned_page_is_described_as_it_is_shown(self, hard):
        name = hard.values("{0.516}")[-1]
        (box,) = hard.boxes[name]
        assert box.page == len(hard.pages)
        assert hard.reads(name) == "0.516"
        assert box.width > box.height


@pytest.mark.parametrize(
    ("printed", "values", "told"),
    [
        ("5 s to 3 s", ["5", "3"], ["5", "3"]),
        ("1, 11, and 1", ["1", "11", "1"], ["1", "11", "1"]),
        ("1 × 10³ to 1", ["1e3", "1"], ["1×10³to1", "1×10³to1"]),
        ("2 and 1", ["1", "2"], ["2and1", "2and1"]),
    ],
)
def test_what_several_values_share_is_divided_if_it_reads_as_they_do(printed, values, told):
    made = Record(values=tuple(Value(PLACE, text, text, (), "x", 1) for text in values))
    there = [(0, index) for index, letter in enumerate(printed) if letter != " "]
    found = {f"v{number}": there for number in range(len(values))}
    found |= dict(places._divided(made, [SimpleNamespace(text=printed)], found))
    assert ["".join(printed[index] for _, index in found[name]) for name in found] == told


def test_long_pages_are_matched_by_what_is_rare_in_them():
    def leaf(*words):
        return [SimpleNamespace(number=1, text=" ".join(words))]

    rows = ["0.25", "7"] * 2 * places.MANY  # each word matched with each would take an hour
    old, new = leaf("Here", *rows, "ends"), leaf("There", *rows, "7", "ends")
    found = places._aligned(old, new)
    last = len(old[0].text) - 1
    assert found[0, last] == (0, len(new[0].text) - 1)


ARTICLE = (
    r"""
\BLOCK{answer "1"}
\subsection{First}
Words at the begin.

"""
    + "Some words that fill the lines of a column, again and again, until it is full.\n\n" * 60
    + r"""
\BLOCK{claim "rises", c.values.share > 0.5}
The share of heads, which was \VAR{c.values.share|num} in all tosses, is
larger than that of a fair coin by far.
\BLOCK{endclaim}
\VAR{c.values.name} \VAR{c.values.name} \VAR{c.values.name}

\VAR{excerpt("toss:toss")}
Words at the end.
\BLOCK{endanswer}

After it.
"""
)


@pytest.fixture(scope="module")
def columns(tmp_path_factory) -> Seen:
    toml = '[questions]\n"1" = "What?"\n'
    return Seen(built(tmp_path_factory.mktemp("columns"), document(ARTICLE, "a4paper,twocolumn"), toml))


@pytest.mark.slow
class TestColumns:
    def test_a_value_over_a_line_break_has_a_box_for_each_line(self, columns):
        names = columns.values(r"heads \& tails of many coins")
        assert [plain(columns.reads(name)) for name in names] == ["heads&tailsofmanycoins"] * 3
        assert max(len(columns.boxes[name]) for name in names) == 2

    def test_a_claim_has_a_box_for_each_line(self, columns):
        read = columns.reads("c0")
        assert read == "Theshareofheads,whichwas0.516inalltosses,islargerthanthatofafaircoinbyfar."
        assert len(columns.boxes["c0"]) >= 2

    def test_an_excerpt_is_one_box(self, columns):
        (box,) = columns.boxes["e0"]
        assert sorted(columns.reads("e0")) == sorted("1deftoss(n):2side=13returnside*n")
        assert box.height > 20  # two lines, and the name of the file

    def test_an_answer_has_a_box_for_each_column(self, columns):
        first, second, *_ = columns.boxes["a0"]
        assert (first.page, second.page) == (1, 1)
        assert (first.width, second.width) == pytest.approx((203, 203), abs=8)  # of 150 mm, 10 pt are between
        assert first.right < second.x
        assert second.y < first.y + 10
        words = columns.reads("a0")
        assert words.startswith("Wordsatthebegin.")
        assert words.endswith("Wordsattheend.")


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> Seen:
    body = r"\vspace*{215mm} First\footnote{A note.} \VAR{c.values.long} last. \VAR{excerpt('toss:many')}"
    return Seen(built(tmp_path_factory.mktemp("broken"), document(body)))


@pytest.mark.slow
class TestBreaks:
    def test_a_value_over_a_page_break_holds_neither_note_nor_number_of_the_page(self, broken):
        assert {box.page for box in broken.boxes["v0"]} == {1, 2}
        assert broken.reads("v0") == "manywords" * 80

    def test_an_excerpt_over_a_page_break_is_a_box_on_each_page(self, broken):
        assert [box.page for box in broken.boxes["e0"]] == [2, 3]
        assert "defmany(n):n=n+0" in broken.reads("e0")
        assert broken.reads("e0").endswith("n=n+79returnn")

    def test_where_marks_move_the_text_places_are_those_of_the_published_pages(self, tmp_path):
        body = r"\shown{\VAR{c.values.share|num}} and A \VAR{c.values.one} B \VAR{c.values.uno} "
        text = document(
            body + r"\VAR{c.values.long}.", preamble=r"\newcommand\shown[1]{\texttt{\detokenize{#1}}}"
        )
        seen = Seen(built(tmp_path, text))
        assert "v0" not in seen.boxes  # its mark is printed as text: it might stand anywhere
        assert [seen.reads(f"v{n}") for n in range(1, 4)] == ["1", "1", "manywords" * 80]
        assert [seen.before(f"v{n}") for n in (1, 2)] == ["A", "B"]

    def test_without_the_kept_files_places_are_the_same(self, tmp_path):
        body = r"\tableofcontents\section{A}\label{a}By \cref{a}: \VAR{c.values.one}, \VAR{c.values.uno}."
        project = built(tmp_path, document(body))
        expected = Seen(project).boxes
        shutil.rmtree(project.auxiliary)
        assert Seen(project).boxes == expected
        assert len(expected) == 2


@pytest.mark.slow
class TestMarksThatAreRefused:
    def test_arguments_that_cannot_be_typeset_stay_unmarked(self, tmp_path):
        body = r"\wide{\VAR{c.values.one}}Wide, then \VAR{c.values.share|num}, and \VAR{c.values.small|num}."
        text = document(body, preamble=r"\newcommand\wide[1]{\hspace*{#1pt}}")
        seen = Seen(built(tmp_path, text.replace(r"\VAR{c.values.one}", r"\VAR{c.values.text}")))
        assert seen.reads("v1") == "0.516"
        assert seen.before("v1") == "then"
        assert "v0" not in seen.boxes

    def test_a_line_that_takes_no_marks_costs_no_other_its_places(self, tmp_path):
        lines = [
            r"\own{\VAR{c.values.one}} before, \VAR{c.values.uno} too.",
            r"\csname x\VAR{c.values.word}\endcsname",
            r"\sel{\VAR{c.values.word}} and \VAR{c.values.eins},",
            r"\begin{\VAR{c.values.env}}",
            r"\own{\VAR{c.values.one}} and \own{\VAR{c.values.two}}",
            r"\end{\VAR{c.values.env}}",
        ]
        preamble = r"\newcommand\own[1]{\emph{#1}}\def\xcoins{X}\newcommand\sel[1]{\csname x#1\endcsname}"
        seen = Seen(built(tmp_path, document("\n".join(lines), preamble=preamble)))
        read = {v.keys[0][9:]: seen.reads(f"v{n}") for n, v in enumerate(seen.record.values)}
        assert read == {"one": "1", "uno": "1", "word": "", "eins": "1", "env": "", "two": "22"}

    def test_a_value_of_a_macro_lies_wherever_that_prints_it(self, tmp_path):
        macros = r"\newcommand{\few}{\VAR{c.values.one}}\newcommand{\many}{\VAR{c.values.text}}"
        seen = Seen(built(tmp_path, document(r"A \few{} and B \few{} or \many.", preamble=macros)))
        assert [box.width < 10 for box in seen.boxes["v0"]] == [True, True]
        assert (seen.reads("v0"), seen.reads("v1")) == ("11", "0.516")
        macros += r"\newcommand\own[1]{\emph{#1}}"
        body = r"\num{\many} and \own{\VAR{c.values.one}}"  # siunitx reads what \many stands for
        seen = Seen(built(tmp_path, document(body, preamble=macros)))
        assert (seen.boxes.keys(), seen.reads("v2")) == ({"v2"}, "1")

    def test_without_any_marks_a_text_that_stands_there_once_is_found(self, tmp_path):
        body = r"It is \VAR{c.values.share|num}, \VAR{c.values.one} and \VAR{c.values.loss|pm}."
        seen = Seen(built(tmp_path, document(body, preamble=r"\protected\def\pdfliteral{\undefined}")))
        assert {name: plain(seen.reads(name)) for name in seen.boxes} == {"v0": "0.516", "v2": "0.274±0.027"}


@pytest.mark.slow
class TestWhatIsNotPrinted:
    def test_a_number_typed_by_hand_is_no_place_of_an_equal_value(self, tmp_path):
        body = r"""Plain 0.516 by hand. \iffalse \VAR{c.values.share|num} \fi
        \label{x\VAR{c.values.share|num}}\setbox0=\hbox{\VAR{c.values.text}}\phantom{\VAR{c.values.text}}
        Seen: \VAR{c.values.one}."""
        seen = Seen(built(tmp_path, document(body)))
        assert len(seen.record.values) == 5
        assert [*seen.boxes] == ["v4"]

    def test_what_lies_off_the_page_has_no_place(self, tmp_path):
        body = r"\VAR{c.values.share|num}\vfill At the end: \VAR{c.values.text}"
        seen = Seen(built(tmp_path, document(r"\pdfpageattr{/CropBox[50 50 400 400]}" + body)))
        assert [*seen.boxes] == ["v1"]


@pytest.fixture(scope="module")
def this_report() -> Seen:
    return Seen(known.load(ROOT))


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / "build" / "report.pdf").is_file(), reason="the report has not been built")
class TestThisReport:
    def test_nearly_all_values_lie_where_poppler_reads_their_text(self, this_report):
        printed = [
            (f"v{n}", readable(value.text))
            for n, value in enumerate(this_report.record.values)
            if value.place.page and readable(value.text).strip()
        ]
        right = [n for n, text in printed if agree(this_report.reads(n), text)]
        assert len(right) >= 0.99 * len(printed) > 1000

    def test_everything_else_has_a_place(self, this_report):
        shown = [
            f"{letter}{n}"
            for letter, things in (
                ("c", this_report.record.claims),
                ("f", this_report.record.figures),
                ("e", this_report.record.excerpts),
                ("a", this_report.record.answers),
            )
            for n, thing in enumerate(things)
            if thing.place.document == "report"
        ]
        assert shown
        assert [name for name in shown if name not in this_report.boxes] == []

    def test_figures_are_as_broad_for_their_height_as_they_were_drawn(self, this_report):
        shown = [f for f in this_report.record.figures if f.place.document == "report"]
        assert shown
        for number, figure in enumerate(shown):
            experiment, _, name = figure.key.split(".")
            figures = ROOT / "build" / "results" / experiment / "figures" / "figures.json"
            drawn = json.loads(figures.read_text())["figures"][name]
            (box,) = this_report.boxes[f"f{number}"]
            assert box.width / box.height == pytest.approx(drawn["width_mm"] / drawn["height_mm"], rel=0.01)
