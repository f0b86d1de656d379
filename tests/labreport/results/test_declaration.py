"""What an experiment declares is read as syntax; what is wrong is named with its line and a cure."""

import pytest

from labreport.errors import InputError, SeveralErrors
from labreport.results.declaration import Source, parse, read

GOOD = '''"""Does depth help?

More words.
"""
from dataclasses import dataclass
from typing import ClassVar
raise SystemExit("never imported")
NEEDS = ("noisy_xor", "bce")
@dataclass(frozen=True)
class Params:
    """Parameters."""
    repeats: int = 1_000
    rate: float = -1e-3
    name: str = "adam"
    fast: bool = False
    shape: tuple[int, ...] = (1, 2)
    pairs: tuple[tuple[int, float], ...] = ((1, 0.5),)
    limit: int | None = None
    kind: "Literal['a', 'b']" = "a"
    FIXED: ClassVar[int] = 3
    @property
    def double(self): return 2 * self.repeats
QUICK = Params(repeats=10, fast=True)
def run(params, lab): ...
def draw(result, lab): ...
'''


def declared(text, name="depth"):
    data = text.encode()
    return read(parse(data, "experiments/depth.py"), Source(data, "experiments/depth.py"), name)


def error_of(text) -> InputError:
    with pytest.raises(InputError) as caught:
        declared(text)
    return caught.value


def test_question_needs_parameters_and_quick_values_are_read_without_importing():
    found = declared(GOOD)
    assert found.question == "Does depth help?"
    assert found.needs == ("noisy_xor", "bce")
    assert found.has_draw
    assert found.values() == {
        "repeats": 1000,
        "rate": -0.001,
        "name": "adam",
        "fast": False,
        "shape": (1, 2),
        "pairs": ((1, 0.5),),
        "limit": None,
        "kind": "a",
    }
    assert found.values(quick=True) == {**found.values(), "repeats": 10, "fast": True}
    assert found.params["rate"].annotation == "float"


def test_needs_quick_and_draw_may_be_absent():
    found = declared("@dataclass\nclass Params:\n    seed: int = 0\ndef run(params, lab): ...\n")
    assert (found.needs, found.quick, found.has_draw, found.question) == ((), {}, False, "")


def test_run_and_draw_may_be_imported():
    found = declared("from src import run, plot as draw\n@dataclass\nclass Params:\n    pass\n")
    assert found.has_draw


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("= 1_000", "= 10 * HUNDRED", 12, "the default of 'repeats' is not a literal"),
        ("= 1_000", "= 10 // 0", 12, "the default of 'repeats' is not a literal"),
        ("= 1_000", "= 900**900 * 900**900", 12, "the default of 'repeats' is not a literal"),
        ("= 1_000", "= 9**9**9**9", 12, "the default of 'repeats' is not a literal"),
        ("= 1_000", '= "300"', 12, "the default of 'repeats' is '300', not of its type int"),
        ("= -1e-3", "= True", 13, "the default of 'rate' is True, not of its type float"),
        ("= 1_000", "= 1 << 4", 12, "the default of 'repeats' is not a literal"),
        ("repeats=10, ", "repeats=1.5, ", 23, "QUICK's 'repeats' is 1.5, not of its type int"),
        ("= 1_000", "", 12, "the parameter 'repeats' has no default"),
        ('= "adam"', "= NAME", 14, "the default of 'name' is not a literal"),
        ("= (1, 2)", "= [1, 2]", 16, "the default of 'shape' cannot be a parameter"),
        ("= (1, 2)", "= {1, 2}", 16, "the default of 'shape' cannot be a parameter"),
        ("= -1e-3", "= 1e999", 13, "the default of 'rate' cannot be a parameter"),
        ("= -1e-3", "= 2j", 13, "the default of 'rate' cannot be a parameter"),
        ("@dataclass(frozen=True)\n", "", 9, "Params must be a dataclass"),
        ("class Params:", "class Params(Base):", 10, "Params must list all of its fields itself"),
        ('("noisy_xor", "bce")', '"noisy_xor"', 8, "NEEDS must be a literal tuple"),
        ('("noisy_xor", "bce")', "names()", 8, "NEEDS must be a literal tuple"),
        ("Params(repeats=10, fast=True)", "Params(10)", 23, "QUICK must be a call of Params"),
        ("Params(repeats=10, fast=True)", "Params(**small)", 23, "QUICK must be a call of Params"),
        ("repeats=10, ", "repeat=10, ", 23, "QUICK sets 'repeat', which is not in Params"),
        ("repeats=10, ", "repeats=TEN, ", 23, "QUICK's 'repeats' is not a literal"),
    ],
)
def test_a_wrong_declaration_is_named_with_its_line(old, new, line, message):
    assert GOOD.count(old) == 1
    error = error_of(GOOD.replace(old, new))
    assert message in error.what
    assert (error.place.file, error.place.line) == ("experiments/depth.py", line)
    assert error.cure


@pytest.mark.parametrize(
    "written",
    ["2**15", "60 * 60", "-(10**3)", "7 // 2 + 1", "2**3**2", "1_000 % 7"],
)
def test_arithmetic_on_literal_numbers_is_a_literal(written):
    source = GOOD.replace("= 1_000", f"= {written}")
    assert declared(source).params["repeats"].default == eval(written)


def test_arithmetic_may_stand_in_a_tuple():
    assert declared(GOOD.replace("= (1, 2)", "= (2**4, 1 / 4)")).params["shape"].default == (16, 0.25)


def test_a_forgotten_comma_is_told():
    error = error_of(f'{GOOD}READS = ("a.csv")\n')
    assert error.cure == "it is the comma that makes a tuple: READS = ('a.csv',)"


def test_files_are_read_in_their_order_each_once():
    text = 'READS = ("experiments/sweep.yaml", "data/größe 1.csv", "experiments/sweep.yaml")\n'
    assert declared(GOOD + text).reads == ("experiments/sweep.yaml", "data/größe 1.csv")
    assert declared(f"{GOOD}READS: tuple[str, ...] = ()\n").reads == ()
    assert declared(GOOD).reads == ()


@pytest.mark.parametrize("value", ['"sweep.yaml"', "files()", '("a", 1)', '("a", *MORE)', "{'a'}", "None"])
def test_files_that_are_no_literal_tuple_of_texts_are_named_with_their_line(value):
    error = error_of(f"{GOOD}READS = {value}\n")
    assert error.what == "READS must be a literal tuple of paths of files"
    assert (error.place.file, error.place.line) == ("experiments/depth.py", 26)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "a/..", "", ".", "./a", "a//b", "a/", "a\0b", "a\nb"]
)
def test_what_is_no_path_inside_the_project_is_marked_at_its_place(path):
    error = error_of(f'{GOOD}READS = (\n    "fine.yaml",\n    {path!r},\n)\n')
    assert error.what == f"READS has {path!r}, which is not a path inside the project"
    assert (error.place.line, error.place.column, error.place.length) == (28, 5, len(repr(path)))
    assert "relative to the project" in error.cure


def test_what_a_build_generates_cannot_be_read_as_a_file():
    error = error_of(f'{GOOD}READS = ("build/results/bce/result.json",)\n')
    assert "which is generated" in error.what
    assert "NEEDS" in error.cure


def test_the_caret_stands_under_the_place():
    lines = error_of(GOOD.replace("= 1_000", "= 10 * many")).lines()
    assert lines[2:4] == ["   12 |     repeats: int = 10 * many", "      |                    ^^^^^^^^^"]


@pytest.mark.parametrize("missing", ["run", "Params"])
def test_a_missing_part_is_named_with_what_to_write(missing):
    text = "@dataclass\nclass Params:\n    seed: int = 0\n" if missing == "run" else "def run(p, lab): ...\n"
    error = error_of(text)
    assert error.what == f"experiment 'depth' has no `{missing}`"
    assert missing in error.cure


def test_all_errors_of_a_file_come_together():
    text = GOOD.replace("= 1_000", "= f()").replace("repeats=10", "repeat=10").replace("def run", "def ran")
    with pytest.raises(SeveralErrors) as caught:
        declared(text)
    assert len(caught.value.errors) == 3


@pytest.mark.parametrize("text", ["def run(:\n", "x = (\n", "x = '\0'\n", "\tx = 1\n  y = 2\n"])
def test_a_syntax_error_is_named_with_its_place(text):
    error = error_of(text)
    assert error.what.startswith("experiments/depth.py is not valid Python")
    assert error.place.file == "experiments/depth.py"


@pytest.mark.parametrize("call", ["Settings(repeats=10)", "params.Params(repeats=10)", "make()"])
def test_quick_values_come_from_a_call_of_params_alone(call):
    error = error_of(GOOD.replace("Params(repeats=10, fast=True)", call))
    assert error.what == "QUICK must be a call of Params with literal keywords"
