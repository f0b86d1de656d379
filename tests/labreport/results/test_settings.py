"""What `--set` gives is read as the parameter's type, or refused with a list of the right ones."""

import pytest

from labreport.errors import LabreportError, UsageError
from labreport.results.declaration import Source, parse, read
from labreport.results.settings import with_settings

GOOD = """
@dataclass
class Params:
    repeats: int = 1_000
    rate: float = -1e-3
    name: str = "adam"
    fast: bool = False
    shape: tuple[int, ...] = (1, 2)
    pairs: tuple[tuple[int, float], ...] = ((1, 0.5),)
    limit: int | None = None
    kind: "Literal['a', 'b']" = "a"
QUICK = Params(repeats=10, fast=True)
def run(params, lab): ...
"""


def declared(text):
    data = text.encode()
    return read(parse(data, "experiments/depth.py"), Source(data, "experiments/depth.py"), "depth")


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


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("Optional[int]", "7", 7),
        ("typing.Optional[int]", "none", None),
        ("Union[str, int]", "7", 7),
        ("Union[int, str]", "seven", "seven"),
        ("Literal[1, 2]", "2", 2),
        ("list[int]", "1, 2", (1, 2)),
        ("Sequence[float]", "1", (1.0,)),
        ("Tuple[int, str]", "1, 2", (1, "2")),
        ("tuple[str, ...]", """a, 'b', "c", 'd""", ("a", "b", "c", "'d")),
        ("'tuple[bool, ...]'", "true, false", (True, False)),
    ],
)
def test_an_annotation_of_typing_says_how_a_setting_is_read(annotation, text, value):
    source = f"@dataclass\nclass Params:\n    x: {annotation} = None\ndef run(p, l): ...\n"
    found = with_settings(declared(source), {"x": text}).values()["x"]
    assert (found, type(found)) == (value, type(value))
