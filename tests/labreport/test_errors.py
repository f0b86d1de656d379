"""Messages for people: what is wrong, where, and the cure, in at most twelve lines."""

import errno
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import labreport.handin  # noqa: F401 -- its errors have exit codes, too
from labreport import cli
from labreport.errors import (
    MOST_LINES,
    InputError,
    LabreportError,
    LatexError,
    Place,
    SeveralErrors,
    did_you_mean,
    is_of_disk,
    of_disk,
    raise_all,
    unforeseen,
)


def test_a_message_says_what_where_and_the_cure():
    place = Place("a.tex.j2", 7, 3, 4, "x \\VAR{y}")
    error = InputError("unknown name 'y'", place=place, cure="did you mean 'z'?", notes=["a note"])
    assert str(error).splitlines() == [
        "unknown name 'y'",
        "  at a.tex.j2:7:3",
        "    7 | x \\VAR{y}",
        "      |   ^^^^",
        "  a note",
        "  cure: did you mean 'z'?",
    ]


def test_a_place_may_be_a_file_a_line_or_a_column():
    assert [str(p) for p in (Place("f"), Place("f", 2), Place("f", 2, 5))] == ["f", "f:2", "f:2:5"]
    assert InputError("x", place=Place("f")).lines() == ["x", "  at f"]
    assert InputError("x", place=Place("f", 2, source="abc")).lines() == ["x", "  at f:2", "    2 | abc"]
    assert InputError("x").lines() == ["x"]


def caret(place: Place) -> tuple[str, str]:
    """Return the source line as shown and what of it the caret stands under."""
    _, _, source, marks = InputError("x", place=place).lines()
    start, length = marks.index("^"), marks.count("^")
    return source, source[start : start + length]


def test_the_caret_stands_under_the_column_also_after_tabs():
    assert caret(Place("f", 1, 4, 3, "\t\tabc\tdef")) == ("    1 | " + "  abc def", "bc ")
    assert caret(Place("f", 1, 3, 3, "\t\tabc"))[1] == "abc"


@given(st.integers(1, 400), st.integers(1, 50), st.integers(1, 10**6))
def test_the_caret_stands_under_the_column_of_lines_of_any_length(column, length, line):
    text = "".join(chr(0x100 + i) for i in range(300))
    place = Place("f", line, column, length, text)
    if column <= 300:
        shown, marked = caret(place)
        begin = shown.index(text[column - 1])  # no two characters of the line are the same
        assert marked == shown[begin:][:length]
        assert marked[0] == text[column - 1]
        assert len(shown) <= 100 + len(f"{line:>5} | ")
    else:
        assert InputError("x", place=place).lines()[3].count("^") == 1


def test_a_caret_after_the_end_of_the_line_is_shown():
    assert InputError("x", place=Place("f", 1, 4, source="abc")).lines()[3] == "      |    ^"
    assert InputError("x", place=Place("f", 1, 1, 9, "")).lines()[2:] == ["    1 | ", "      | ^"]


def test_a_message_has_twelve_lines_at_most_and_says_what_it_leaves_out():
    notes = [f"note {n}\nsecond line" for n in range(20)]
    error = LatexError("x", place=Place("f", 1, 1, source="abc"), notes=notes, cure="c")
    lines = error.lines()
    assert len(lines) == MOST_LINES == 12
    assert lines[4:6] == ["  note 0", "  second line"]
    assert lines[-2:] == ["  … (34 more lines)", "  cure: c"]
    assert len(LatexError("x", notes=notes[:5]).lines()) == 11


@given(st.text(), st.text(), st.lists(st.text(), max_size=3), st.text())
def test_no_text_breaks_the_layout_or_reaches_the_terminal_raw(what, file, notes, source):
    error = InputError(what, place=Place(file, 1, 1, 1, source), notes=notes, cure=what)
    lines = error.lines()
    assert all(line.isprintable() for line in lines)
    assert len(lines) <= MOST_LINES
    assert lines[1].startswith("  at ")


def test_one_error_is_raised_as_itself_and_several_together():
    raise_all([])
    first, second = InputError("a", cure="b"), LatexError("c")
    with pytest.raises(InputError) as caught:
        raise_all([first])
    assert caught.value is first
    with pytest.raises(SeveralErrors) as several:
        raise_all([first, second])
    assert several.value.lines() == ["a", "  cure: b", "c"]
    assert several.value.exit_code == InputError.exit_code
    assert several.value.errors == (first, second)


def kinds_of(error: type[LabreportError]) -> set[type[LabreportError]]:
    return {error}.union(*map(kinds_of, error.__subclasses__()))


def test_every_kind_of_error_has_an_exit_code_that_the_help_lists():
    help_text = CliRunner().invoke(cli.commands, ["--help"]).output
    codes = help_text.partition("Exit codes:")[2]
    listed = {int(code) for code in re.findall(r"^ +(\d+) +\S", codes, re.MULTILINE)}
    kinds = {kind for kind in kinds_of(LabreportError) if kind.__module__.startswith("labreport.")}
    assert {kind.exit_code for kind in kinds} | {0, 129, 130, 131, 143} == listed
    assert {kind.__name__: kind.exit_code for kind in kinds if kind.__base__ is LabreportError} == {
        "UsageError": 2,
        "InputError": 3,
        "ExperimentError": 4,
        "LatexError": 5,
        "ToolError": 6,
        "PackError": 7,
        "VerifyError": 8,
        "DiskError": 74,
        "BusyError": 75,
        "SeveralErrors": 1,  # until it is made: then that of the first
    }
    assert "7    the hand-in cannot be packed, or breaks a rule" in help_text
    assert "8    the hand-in does not rebuild to what it says" in help_text


@pytest.mark.parametrize(
    ("name", "names", "cure"),
    [
        ("los", ["loss", "accuracy"], "did you mean 'loss'?"),
        ("tarin", ["train", "brain", "x"], "did you mean 'train' or 'brain'?"),
        ("zzz", ["b", "a"], "the names here are: a, b"),
        ("zzz", [], "there is none to choose from"),
        ("x", ["x", "loss"], "the names here are: loss"),
        ("zzz", "abcdefghijklmno", "the names here are: a, b, c, d, e, f, g, h, i, j, k, l, … (3 more)"),
    ],
)
def test_the_cure_of_an_unknown_name_is_a_near_one_or_all(name, names, cure):
    assert did_you_mean(name, names) == cure


def test_a_place_without_its_source_is_told_without_marking_anything():
    assert LabreportError("bad", place=Place("x.tex", 4), cure="mend it").lines() == [
        "bad",
        "  at x.tex:4",
        "  cure: mend it",
    ]


def test_several_errors_are_counted_and_end_with_the_code_of_the_first():
    several = SeveralErrors([InputError("a"), LatexError("b")])
    assert (several.what, several.exit_code) == ("2 errors", 3)


def test_a_mistake_of_labreport_is_told_with_its_line_in_labreport():
    with pytest.raises(TypeError) as caught:
        did_you_mean("a", [3])  # a line of ours, and the mistake below it
    told = unforeseen(caught.value)
    assert re.fullmatch(
        r"labreport made a mistake at errors\.py:\d+: TypeError: .*; please report it .*", told
    )
    assert unforeseen(KeyError("a\nb")).count("\n") == 0


@pytest.mark.parametrize(
    ("error", "what", "cure"),
    [
        # the middle of a write has no name
        (OSError(errno.ENOSPC, "x"), r"no space left on \S+: [\d,]+ bytes free", "free some space"),
        (
            OSError(errno.EDQUOT, "x", b"build/a"),
            r"no space left on build: [\d,]+ bytes free",
            "free some space",
        ),
        (OSError(errno.EIO, "x"), "Input/output error: build", "look whether the disk is in order"),
        (OSError(errno.EROFS, "x", "build/a"), "Read-only file system: build/a", "--build-dir DIR"),
        (
            PermissionError(errno.EACCES, "x", ".tmp-x", None, "build/b"),
            "Permission denied: build/b",
            "writable",
        ),
        (
            shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]),
            r"no space left on \S+: [\d,]+ bytes free",
            "free some space",
        ),
    ],
)
def test_what_the_disk_refuses_is_told_with_the_place_and_a_cure(error, what, cure):
    assert is_of_disk(error)
    told = of_disk(error, Path("build"))
    assert re.fullmatch(what, told.what)
    assert cure in told.cure
    assert told.exit_code == 74


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(104, "x"), KeyError("x"), OSError("x")]
)
def test_the_end_of_a_process_or_a_connection_is_not_the_disk_s_fault(error):
    assert not is_of_disk(error)


def test_what_is_told_of_a_text_is_decided_before_it_is_cut():
    line = "x = 1; " * 15 + "SESAME"
    error = InputError(
        "no SESAME", place=Place("SESAME.py", 3, source=line), cure="SESAME", notes=["a\nSESAME"]
    )
    for one in (error, SeveralErrors([error, error])):
        told = one.lines(lambda text: text.replace("SESAME", "***"))
        assert len(told) == len(one.lines())
        assert not [line for line in told if "SES" in line]
        assert f"  at {'***'}.py:3" in told


def test_a_disk_that_is_full_everywhere_is_told(tmp_path, monkeypatch):
    """Python finds no folder for temporary files then, and says that there is none."""

    def none(*_):
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("tempfile._get_default_tempdir", none)
    monkeypatch.setattr("tempfile.tempdir", None)
    assert "no space left on " in of_disk(OSError(errno.ENOSPC, "x"), tmp_path).what
