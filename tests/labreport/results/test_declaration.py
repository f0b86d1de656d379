"""What an experiment declares is read as syntax; what is wrong is named with its line and a cure."""

import pytest

from labreport.errors import InputError, LabreportError, SeveralErrors, UsageError
from labreport.results.declaration import Source, parse, read, with_settings

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
        ("= 1_000", "= 10 * 100", 12, "the default of 'repeats' is no literal"),
        ("= 1_000", "", 12, "the parameter 'repeats' has no default"),
        ('= "adam"', "= NAME", 14, "the default of 'name' is no literal"),
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
        ("repeats=10, ", "repeat=10, ", 23, "QUICK sets 'repeat', which Params has not"),
        ("repeats=10, ", "repeats=TEN, ", 23, "QUICK's 'repeats' is no literal"),
    ],
)
def test_a_wrong_declaration_is_named_with_its_line(old, new, line, message):
    assert GOOD.count(old) == 1
    error = error_of(GOOD.replace(old, new))
    assert message in error.what
    assert (error.place.file, error.place.line) == ("experiments/depth.py", line)
    assert error.cure


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
    assert error.what == f"READS has {path!r}, which is no path inside the project"
    assert (error.place.line, error.place.column, error.place.length) == (28, 5, len(repr(path)))
    assert "relative to the project" in error.cure


def test_what_a_build_generates_cannot_be_read_as_a_file():
    error = error_of(f'{GOOD}READS = ("build/results/bce/result.json",)\n')
    assert "which is generated" in error.what
    assert "NEEDS" in error.cure


def test_the_caret_stands_under_the_place():
    lines = error_of(GOOD.replace("= 1_000", "= 10 * 100")).lines()
    assert lines[2:4] == ["   12 |     repeats: int = 10 * 100", "      |                    ^^^^^^^^"]


@pytest.mark.parametrize("missing", ["run", "Params"])
def test_a_missing_part_is_named_with_what_to_write(missing):
    text = "@dataclass\nclass Params:\n    seed: int = 0\n" if missing == "run" else "def run(p, lab): ...\n"
    error = error_of(text)
    assert error.what == f"experiment 'depth' has no `{missing}`"
    assert missing in error.cure


@pytest.mark.parametrize("call", ["Settings(repeats=10)", "params.Params(repeats=10)", "make()"])
def test_quick_values_come_from_a_call_of_params_alone(call):
    error = error_of(GOOD.replace("Params(repeats=10, fast=True)", call))
    assert error.what == "QUICK must be a call of Params with literal keywords"


def test_all_errors_of_a_file_come_together():
    text = GOOD.replace("= 1_000", "= f()").replace("repeats=10", "repeat=10").replace("def run", "def ran")
    with pytest.raises(SeveralErrors) as caught:
        declared(text)
    assert len(caught.value.errors) == 3


@pytest.mark.parametrize("text", ["def run(:\n", "x = (\n", "x = '\0'\n", "\tx = 1\n  y = 2\n"])
def test_a_syntax_error_is_named_with_its_place(text):
    error = error_of(text)
    assert error.what.startswith("experiments/depth.py is not Python")
    assert error.place.file == "experiments/depth.py"


# --set


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("repeats", "50", 50),
        ("repeats", "-1_000", -1000),
        ("rate", "0.5", 0.5),
        ("rate", "1", 1.0),
        ("name", "sgd", "sgd"),
        ("name", "1", "1"),
        ("fast", "true", True),
        ("fast", "False", False),
        ("shape", "3", (3,)),
        ("shape", "3,4", (3, 4)),
        ("shape", "(3, 4,)", (3, 4)),
        ("shape", "", ()),
        ("pairs", "(1, 0.5), (2, 1)", ((1, 0.5), (2, 1.0))),
        ("pairs", "[(1, 0.5), (2, 1)]", ((1, 0.5), (2, 1.0))),
        ("limit", "none", None),
        ("limit", "7", 7),
        ("kind", "b", "b"),
    ],
)
def test_a_setting_is_read_as_its_parameters_type(key, text, value):
    found = with_settings(declared(GOOD), {key: text})
    assert found.values()[key] == value
    assert type(found.values()[key]) is type(value)
    assert found.values(quick=True)[key] == value


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("repeats", "0.5", "depth.repeats must be an integer, not '0.5'"),
        ("repeats", "many", "depth.repeats must be an integer, not 'many'"),
        ("rate", "nan", "depth.rate must be a number, not 'nan'"),
        ("fast", "1", "depth.fast must be true or false, not '1'"),
        ("shape", "1,x", "depth.shape must be values separated by commas, each an integer, not '1,x'"),
        ("pairs", "(1,2,3)", "depth.pairs must be values separated by commas, each 2 values"),
        ("limit", "0.5", "depth.limit must be an integer or none, not '0.5'"),
        ("kind", "c", "depth.kind must be one of a, b, not 'c'"),
        ("repeat", "1", "there is no parameter depth.repeat"),
    ],
)
def test_a_wrong_setting_lists_the_right_ones(key, text, message):
    with pytest.raises(UsageError) as caught:
        with_settings(declared(GOOD), {key: text})
    assert message in caught.value.what
    assert "repeats: int = 1000" in caught.value.notes
    assert "shape: tuple[int, ...] = (1, 2)" in caught.value.notes
    assert caught.value.exit_code == 2


def test_an_unknown_key_names_the_near_one():
    with pytest.raises(UsageError) as caught:
        with_settings(declared(GOOD), {"shap": "1"})
    assert caught.value.cure == "did you mean 'shape'?"


def test_all_wrong_settings_come_together():
    with pytest.raises(LabreportError) as caught:
        with_settings(declared(GOOD), {"repeats": "x", "rate": "y", "fast": "true"})
    assert len(caught.value.errors) == 2


def test_a_parameter_without_a_known_annotation_takes_the_type_of_its_default():
    fields = "    n: Count = 3\n    t: Any = (1.5,)\n    b: Flag = True\n"
    text = f"@dataclass\nclass Params:\n{fields}def run(p, l): ...\n"
    found = with_settings(declared(text), {"n": "4", "t": "2,3", "b": "false"})
    assert found.values() == {"n": 4, "t": (2.0, 3.0), "b": False}
