"""How the annotation of a parameter says what a setting may be."""

import pytest

from labreport.results.declaration import Source, parse, read, with_settings


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
    source = f"@dataclass\nclass Params:\n    x: {annotation} = None\ndef run(p, l): ...\n".encode()
    declared = read(parse(source, "experiments/a.py"), Source(source, "experiments/a.py"), "a")
    found = with_settings(declared, {"x": text}).values()["x"]
    assert (found, type(found)) == (value, type(value))
