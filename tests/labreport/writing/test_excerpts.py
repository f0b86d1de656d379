"""Excerpts: code by name with the file's own line numbers, and the difference of two."""

from pathlib import Path
from typing import Any

import pytest
from excerpted import bodies
from hypothesis import assume, given
from hypothesis import strategies as st

from labreport.config import Config
from labreport.errors import InputError
from labreport.project import Project
from labreport.writing import excerpts
from labreport.writing.excerpts import Difference, Excerpt, Line

MODULE = '''\
"""A module."""

import functools

RATES = (
    0.1,  # slow
    1.0,
)
WIDTH: int = 3


@functools.cache
@functools.wraps(
    print,
)
def twice(
    x: int,
) -> int:
    """Return x twice.

    A second paragraph.
    """

    # add it to itself
    y = x + x
    return y
    # the end


async def wait() -> None: "short"


class Outer:
    """An outer class."""

    depth = 2

    class Inner:
        """An inner class."""

        @property
        def size(self) -> int:
            """The size."""
            text = """
  left of the margin
"""
            return len(text)

        @size.setter
        def size(self, value: int) -> None:
            raise AttributeError

    def only_documented(self) -> None:
        """Do nothing."""


def outer(n):
    def inner():
        return n

    local = inner
    return local


if RATES:
    def chosen():
        return 1

def shortened(x):
    for _ in range(3):
        # excerpt: skip
        x += 1
        x -= 1
        # excerpt: resume
        x *= 2
    return x
    # excerpt: skip
    x += 1
    # excerpt: resume


def last():
    return "# excerpt: skip"


'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return with_module(tmp_path, MODULE)


def with_module(root: Path, text: str) -> Project:
    """Return a project whose `pack.mod` holds a text."""
    folder = root / "src" / "pack"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text("NAME = 'pack'\n")
    (folder / "mod.py").write_text(text, encoding="utf-8")
    return Project(root, Config("title"))


def numbered(excerpt: Excerpt) -> list[str]:
    return [f"{'' if line.number is None else line.number}|{line.text}" for line in excerpt.lines]


# ---------------------------------------------------------------------------------------------- what is shown


def test_a_function_begins_at_its_first_decorator_and_has_no_docstring(project):
    assert numbered(excerpts.find(project, "pack.mod:twice")) == [
        "12|@functools.cache",
        "13|@functools.wraps(",
        "14|    print,",
        "15|)",
        "16|def twice(",
        "17|    x: int,",
        "18|) -> int:",
        "24|    # add it to itself",
        "25|    y = x + x",
        "26|    return y",
        "27|    # the end",
    ]


def test_the_docstring_is_shown_when_asked_for(project):
    shown = excerpts.find(project, "pack.mod:twice", docstring=True)
    assert [line.text for line in shown.lines] == MODULE.split("\n")[11:27]
    assert [line.number for line in shown.lines] == list(range(12, 28))
    assert (shown.first, shown.last) == (12, 27)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RATES", ["5|RATES = (", "6|    0.1,  # slow", "7|    1.0,", "8|)"]),
        ("WIDTH", ["9|WIDTH: int = 3"]),
        ("Outer.depth", ["36|depth = 2"]),
        ("wait", ['30|async def wait() -> None: "short"']),
        ("outer.inner", ["58|def inner():", "59|    return n"]),
        ("chosen", ["66|def chosen():", "67|    return 1"]),
        ("last", ["82|def last():", '83|    return "# excerpt: skip"']),
    ],
)
def test_each_kind_of_name_is_found_and_dedented(project, name, expected):
    assert numbered(excerpts.find(project, f"pack.mod:{name}")) == expected


def test_a_method_of_a_nested_class_keeps_the_text_of_its_strings(project):
    assert numbered(excerpts.find(project, "pack.mod:Outer.Inner.size")) == [
        "41|@property",
        "42|def size(self) -> int:",
        '44|    text = """',
        "45|left of the margin",
        '46|"""',
        "47|    return len(text)",
    ]


def test_a_class_is_shown_without_any_docstring_but_one_that_is_all_there_is(project):
    shown = numbered(excerpts.find(project, "pack.mod:Outer"))
    assert shown[:4] == ["33|class Outer:", "36|    depth = 2", "37|", "38|    class Inner:"]
    assert '54|        """Do nothing."""' in shown
    assert not any("The size" in line or "An inner class" in line for line in shown)


def test_what_stands_between_the_marks_is_one_line_and_the_numbers_go_on(project):
    assert numbered(excerpts.find(project, "pack.mod:shortened")) == [
        "69|def shortened(x):",
        "70|    for _ in range(3):",
        "|        …",
        "75|        x *= 2",
        "76|    return x",
        "|    …",
    ]


def test_a_comment_below_that_is_not_indented_belongs_to_what_follows(tmp_path):
    project = with_module(tmp_path, "def f():\n    pass\n# of g\n\n    # of nothing\ndef g(): pass\n")
    assert numbered(excerpts.find(project, "pack.mod:f")) == ["1|def f():", "2|    pass"]


@pytest.mark.parametrize(
    "what_follows",
    [
        "def g():  # note\n    return 1",
        "@print  # note\ndef g(): pass",
        "async def g(): pass  # type: () -> None",
        "class G:  # note\n    # inside\n    x = 1",
        "x = 1; y = 2  # note",
        "x = [  # note\n    # inside\n]",
        "x = 1 + \\\n    2  # note",
        '"""\n    # no comment\n"""  # note',
        "if True:  # note\n    # inside\n    x = 1",
    ],
)
@pytest.mark.parametrize(
    "end", ["    return 2", "    x = 1; return x  # last", "    return (1 +\n        2)\n    # the end"]
)
def test_a_function_ends_where_it_ends_whatever_follows(tmp_path, what_follows, end):
    body = f"def f():\n{end}"
    project = with_module(tmp_path, f"{body}\n{what_follows}\n")
    assert "\n".join(line.text for line in excerpts.find(project, "pack.mod:f").lines) == body
    inside = f"{body}\n{what_follows}".replace("\n", "\n    ")
    project = with_module(tmp_path, f"class C:\n    {inside}\n")
    assert "\n".join(line.text for line in excerpts.find(project, "pack.mod:C.f").lines) == body


def test_the_file_is_named_relative_to_the_project(project):
    shown = excerpts.find(project, "pack.mod:WIDTH")
    assert (shown.file, shown.source) == ("src/pack/mod.py", project.root / "src" / "pack" / "mod.py")


def test_a_package_itself_and_modules_beside_src_are_found(project):
    (project.root / "experiments").mkdir()
    (project.root / "experiments" / "first.py").write_text("def run(): pass\n")
    assert numbered(excerpts.find(project, "pack:NAME")) == ["1|NAME = 'pack'"]
    assert numbered(excerpts.find(project, "experiments.first:run")) == ["1|def run(): pass"]


def test_a_module_is_never_imported(tmp_path):
    project = with_module(tmp_path, "raise SystemExit\ndef f():\n    pass\n")
    assert numbered(excerpts.find(project, "pack.mod:f")) == ["2|def f():", "3|    pass"]


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends_of_other_systems_count_the_same(tmp_path, newline):
    project = with_module(tmp_path, "")
    source = tmp_path / "src" / "pack" / "mod.py"
    source.write_bytes(b"\xef\xbb\xbf" + MODULE.replace("\n", newline).encode())
    found = excerpts.find(project, "pack.mod:last")
    assert numbered(found) == ["82|def last():", '83|    return "# excerpt: skip"']


def test_a_tab_is_as_wide_as_for_python_and_a_form_feed_does_not_count_as_a_line(tmp_path):
    project = with_module(tmp_path, "\f\nX = 1\n\f\ndef f():\n\treturn 1\n")
    assert numbered(excerpts.find(project, "pack.mod:f")) == ["4|def f():", "5|        return 1"]


# ----------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("name", "what", "cure"),
    [
        ("pack.mod:twize", "no 'twize' in src/pack/mod.py", "'twice'"),
        ("pack.mod:Outer.Inner.sise", "no 'Outer.Inner.sise' in", "'Outer.Inner.size'"),
        ("pack.mod:outer.local", "no 'outer.local' in", "'outer'"),
        ("pack.mot:twice", "no module 'pack.mot'", "'pack.mod'"),
        ("pakc.mod:twice", "no module 'pakc.mod'", "'pack.mod'"),
        ("pack.mod", "'pack.mod' does not name code", "module:name"),
        ("pack.mod:", "'pack.mod:' does not name code", "module:name"),
        ("../secret:x", "does not name code", "module:name"),
        ("/etc/passwd:x", "does not name code", "module:name"),
    ],
)
def test_an_unknown_name_is_an_error_that_lists_near_ones(project, name, what, cure):
    with pytest.raises(InputError) as caught:
        excerpts.find(project, name)
    assert what in caught.value.what
    assert cure in caught.value.cure


def place_of_error(tmp_path: Path, text: str, name: str = "f") -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        excerpts.find(with_module(tmp_path, text), f"pack.mod:{name}")
    return caught.value.what, str(caught.value.place)


@pytest.mark.parametrize(
    ("body", "what", "line"),
    [
        ("    # excerpt: skip\n    x = 1\n", "nothing resumes", 2),
        ("    x = 1\n    # excerpt: resume\n    y = 1\n", "nothing is skipped", 3),
        (
            "    # excerpt: skip\n    # excerpt: skip\n    x = 1\n    # excerpt: resume\n",
            "line 2 skips already",
            3,
        ),
        ("    # excerpt: ship\n    x = 1\n", "unknown mark 'excerpt: ship'", 2),
        ("    x = 1  # excerpt: skip\n    y = 1\n", "stand alone", 2),
    ],
)
def test_marks_that_do_not_pair_are_an_error_at_their_line(tmp_path, body, what, line):
    message, place = place_of_error(tmp_path, f"def f():\n{body}")
    assert what in message
    assert place.split(":")[:2] == ["src/pack/mod.py", str(line)]


def test_a_name_defined_twice_is_an_error_at_the_second(tmp_path):
    message, place = place_of_error(tmp_path, "def f(): pass\n\n\ndef f(): pass\n")
    assert "defined 2 times" in message
    assert place == "src/pack/mod.py:4"


def test_a_line_over_79_columns_is_an_error_that_says_to_shorten_it(tmp_path):
    fits, long = "x" * 79, "x" * 80
    body = f'def f(x):\n    """{long}"""\n    pass\n{fits} = 1\n'
    assert len(excerpts.find(with_module(tmp_path, body), "pack.mod:f").lines) == 2
    message, place = place_of_error(tmp_path, f"\n{fits[:75]} = 10\n", name=fits[:75])
    assert "80 columns" in message
    assert place == "src/pack/mod.py:2:80"


def test_the_indentation_that_is_not_shown_does_not_count(tmp_path):
    body = "class C:\n    def f(self):\n        return " + "1" * 68 + "\n"
    assert len(body.split("\n")[2]) == 83
    found = excerpts.find(with_module(tmp_path, body), "pack.mod:C.f")
    assert len(found.lines[1].text) == 79


def test_a_character_shown_as_its_code_point_takes_that_many_columns(tmp_path):
    message, _ = place_of_error(tmp_path, "def f():\n    return 1  # " + "☃" * 10 + "\n")
    assert f"{len('    return 1  # ') + 10 * 8} columns" in message


SETTINGS = """\
# excerpt: skip
# for whom it is
who: me
# excerpt: resume
rates: [0.1, 1.0] # slow, fast
text: "# excerpt: skip"
\tdeep: 1


"""


class TestFiles:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        (tmp_path / "experiments").mkdir()
        (tmp_path / "experiments" / "settings.yaml").write_text(SETTINGS)
        return Project(tmp_path, Config("title"))

    def test_a_path_shows_the_lines_of_a_file_that_no_mark_leaves_out(self, project):
        found = excerpts.find(project, "experiments/settings.yaml")
        assert numbered(found) == [
            "|…",
            "5|rates: [0.1, 1.0] # slow, fast",
            '6|text: "# excerpt: skip"',
            "7|        deep: 1",
        ]
        assert (found.file, found.first, found.last) == ("experiments/settings.yaml", 5, 7)

    @pytest.mark.parametrize("name", ["experiments/none.yaml", "experiments", "", "../outside.txt"])
    def test_what_is_no_file_of_the_project_does_not_name_code(self, project, name):
        (project.root.parent / "outside.txt").write_text("text")
        with pytest.raises(InputError, match="does not name code") as caught:
            excerpts.find(project, name)
        assert "the path of a file" in caught.value.cure

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("a: 1\n  # excerpt: skip\n", "nothing resumes"),
            ("a: 1\n# excerpt: ship\n", "unknown mark"),
            ("\n", "no line to show"),
            (f"a: {'x' * 77}\n", "line 1 of experiments/settings.yaml runs off the page: 80 columns"),
        ],
    )
    def test_a_file_that_cannot_be_shown_is_an_error(self, project, text, what):
        (project.root / "experiments" / "settings.yaml").write_text(text)
        with pytest.raises(InputError, match=what):
            excerpts.find(project, "experiments/settings.yaml")


def test_a_module_that_is_no_python_is_an_error_at_its_line(tmp_path):
    message, place = place_of_error(tmp_path, "x = 1\ndef f(:\n")
    assert "not valid Python" in message
    assert place == "src/pack/mod.py:2"


def test_a_module_that_is_not_utf8_is_named(tmp_path):
    project = with_module(tmp_path, "")
    (tmp_path / "src" / "pack" / "mod.py").write_bytes(b"x = '\xff'\n")
    with pytest.raises(InputError, match=r"src/pack/mod\.py is not UTF-8"):
        excerpts.find(project, "pack.mod:x")


# ------------------------------------------------------------------------------------------------ differences

COMPARED = """\
def fit(model, data):
    '''Train.'''
    one = 1
    two = 2
    three = 3
    four = 4
    for epoch in data:
        step(model)
        old(epoch)

    model.eval()
    five = 5
    six = 6
    return model


class Tracked:
    def fit(model, data):
        one = 1
        two = 2
        three = 3
        four = 4
        for epoch in data:
            step(model)
            # excerpt: skip
            hidden(1)
            # excerpt: resume
            log(epoch)
            log(model)

        model.eval()
        five = 5
        six = 6
        return model, {}
"""


def rows(difference: Difference) -> list[str]:
    """Return the rows as people read them: sign, number and text, no text for what is left out."""
    shown = []
    for row in difference.rows:
        line = (difference.old if row.sign == "-" else difference.new).lines[row.at]
        shown.append(f"{row.sign}{line.number or ''}|{'' if row.sign == '…' else line.text}")
    return shown


def compared(
    project: Project, new: str, old: str, context: int = excerpts.CONTEXT, **options: Any
) -> Difference:
    """Return the difference of two names of `pack.mod`."""
    found = (excerpts.find(project, f"pack.mod:{name}", **options) for name in (new, old))
    return excerpts.difference(*found, context)


def test_a_difference_shows_what_is_new_and_gone_and_two_lines_around_it(tmp_path):
    found = compared(with_module(tmp_path, COMPARED), "Tracked.fit", "fit")
    assert rows(found) == [
        "…18|",
        " 23|    for epoch in data:",
        " 24|        step(model)",
        "-9|        old(epoch)",
        "+|        …",
        "+28|        log(epoch)",
        "+29|        log(model)",
        " 30|",
        " 31|    model.eval()",
        " 32|    five = 5",
        " 33|    six = 6",
        "-14|    return model",
        "+34|    return model, {}",
    ]


def test_the_other_way_round_what_was_new_is_gone(tmp_path):
    found = compared(with_module(tmp_path, COMPARED), "fit", "Tracked.fit")
    assert [row for row in rows(found) if row[0] in "+-"] == [
        "-|        …",
        "-28|        log(epoch)",
        "-29|        log(model)",
        "+9|        old(epoch)",
        "-34|    return model, {}",
        "+14|    return model",
    ]


def test_a_difference_has_as_many_lines_around_it_as_asked_for(tmp_path):
    assert rows(compared(with_module(tmp_path, COMPARED), "Tracked.fit", "fit", context=1)) == [
        "…18|",
        " 24|        step(model)",
        "-9|        old(epoch)",
        "+|        …",
        "+28|        log(epoch)",
        "+29|        log(model)",
        " 30|",
        "…31|",
        " 33|    six = 6",
        "-14|    return model",
        "+34|    return model, {}",
    ]


@pytest.mark.parametrize("context", [-1, 1.5, "2", None, True])
def test_what_is_no_number_of_lines_is_refused(tmp_path, context):
    """With a negative one a difference would show nothing that differs."""
    project = with_module(tmp_path, COMPARED)
    new, old = (excerpts.find(project, f"pack.mod:{name}") for name in ("Tracked.fit", "fit"))
    with pytest.raises(InputError, match="context="):
        excerpts.difference(new, old, context)


def test_docstrings_are_compared_only_when_they_are_shown(tmp_path):
    project = with_module(tmp_path, COMPARED)
    assert not any("Train" in row for row in rows(compared(project, "Tracked.fit", "fit")))
    assert "-2|    '''Train.'''" in rows(compared(project, "Tracked.fit", "fit", docstring=True))


def test_one_line_between_contexts_is_shown_and_two_are_left_out():
    lines = ["a", *"12345", "b", *"123456", "c"]
    found = bodies(lines, [line for line in lines if line not in "abc"])
    assert rows(found) == [
        *("+1|a", " 2|1", " 3|2", " 4|3", " 5|4", " 6|5"),
        *("+7|b", " 8|1", " 9|2", "…10|", " 12|5", " 13|6", "+14|c"),
    ]


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        (["1", "2"], [" 1|1", " 2|2"]),
        (["1", "2", "3"], [" 1|1", " 2|2", " 3|3"]),  # a single line takes no more room than its …
        (["1", "2", "3", "4"], ["…1|", " 3|3", " 4|4"]),
        (["", "2", "3", "4"], ["…2|", " 3|3", " 4|4"]),  # told by its first line with something in it
        (["", "", "3", "4"], ["…1|", " 3|3", " 4|4"]),
    ],
)
def test_lines_before_the_first_change_are_left_out_beyond_two(before, shown):
    assert rows(bodies([*before, "new"], before)) == [*shown, f"+{len(before) + 1}|new"]


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        (["1", "2"], [" 2|1", " 3|2"]),
        (["1", "2", "3"], [" 2|1", " 3|2", " 4|3"]),
        (["1", "2", "3", "4"], [" 2|1", " 3|2", "…4|"]),
        (["1", "2", "", "4"], [" 2|1", " 3|2", "…5|"]),
        (["1", "2", "", "", ""], [" 2|1", " 3|2", "…4|"]),
    ],
)
def test_lines_after_the_last_change_are_left_out_beyond_two(after, shown):
    assert rows(bodies(["new", *after], after)) == ["+1|new", *shown]


def test_a_line_that_a_mark_left_out_in_both_is_no_context_of_its_own():
    new = [Line(1, "a"), Line(2, "b"), Line(None, "…"), Line(6, "d"), Line(7, "new")]
    old = [Line(line.number, line.text) for line in new[:-1]]
    found = excerpts.difference(*(Excerpt("a:b", "a.py", Path("a.py"), tuple(lines)) for lines in (new, old)))
    assert rows(found) == ["…1|", " 6|d", "+7|new"]


def test_equal_code_is_an_error_that_says_to_name_two_that_differ(tmp_path):
    project = with_module(tmp_path, "def f():\n    return 1\n\n\ndef g():\n    return 1\n")
    with pytest.raises(InputError, match=r"'pack\.mod:f' and 'pack\.mod:f' show the same") as caught:
        compared(project, "f", "f")
    assert "name two that differ" in caught.value.cure


LINES = st.lists(st.sampled_from(["", "a", "b", "    c", "    d"]), max_size=25)


@given(LINES, LINES)
def test_a_difference_takes_the_old_lines_to_the_new(new, old):
    assume(new != old)
    found = bodies(new, old)
    from_rows: dict[str, list[str]] = {"new": [], "old": []}
    at = 0
    for number, row in enumerate(found.rows):
        if row.sign == "-":
            from_rows["old"].append(old[row.at])
            continue
        following = [r.at for r in found.rows[number + 1 :] if r.sign != "-"]
        end = row.at + 1 if row.sign != "…" else following[0] if following else len(new)
        assert end - at >= (2 if row.sign == "…" else 1)
        from_rows["new"] += new[at:end]
        from_rows["old"] += new[at:end] if row.sign != "+" else []
        at = end
    assert from_rows == {"new": new, "old": old}
