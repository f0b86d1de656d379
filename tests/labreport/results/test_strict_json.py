"""JSON that is the same bytes for the same data and never read in doubt."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.errors import InputError
from labreport.results.strict_json import MAX_DEPTH, digest, dumps, parse, seal, unseal, with_nulls

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


def read(text: str | bytes):
    return parse(text if isinstance(text, bytes) else text.encode(), "x.json", cure="mend it")


@given(PLAIN)
def test_what_is_written_is_what_the_standard_library_reads(value):
    assert json.loads(dumps(value)) == value
    assert read(dumps(value)) == value


@given(st.dictionaries(TEXTS, st.integers(), min_size=2))
def test_the_order_of_keys_does_not_change_the_bytes(mapping):
    assert dumps(mapping) == dumps(dict(reversed(mapping.items())))
    assert digest(mapping) == digest(dict(reversed(mapping.items())))


def test_each_key_has_its_line_and_plain_lists_have_one():
    assert dumps({"b": [1, 2.5, None], "a": {"ü": True}}) == (
        '{\n "a": {\n  "ü": true\n },\n "b": [1, 2.5, null]\n}\n'
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ('{"a": 1,\n "b": }', 2, 7, "Expecting value"),
        ('{"a": [1, 2', 1, 12, "Expecting"),
        ("", 1, 1, "Expecting value"),
        ('{"a": 1,\n "b": NaN}', 2, 7, "NaN"),
        ('{"a": [0, -Infinity]}', 1, 11, "-Infinity"),
        ('{"a": 1e999}', 1, 7, "too large"),
        ('{"a": -1e400}', 1, 7, "too large"),
        ('{"t": {"v": [0.5, 1, "x", null, 1E+309]}}', 1, 33, "too large"),
        (f'{{"a": [{"9" * 400}.0]}}', 1, 8, "too large"),
        ('{"a": 1,\n  "b": 2,\n  "a": 3}', 3, 3, "twice"),
        ('{"a": {"x": 1},\n "b": {"x": 1, "\\u0078": 1}}', 2, 16, "twice"),
        ('{"a": "\\ud800"}', 1, 7, "surrogate"),
        ('{"\\udfff": 0}', 1, 2, "surrogate"),
        (f'{{"a": {"7" * 5000}}}', 1, 7, "5,000 digits"),
        ('{"a": "x\ny"}', 1, 9, "control character"),
        ("\ufeff{}", 1, 1, "byte order mark"),
    ],
)
def test_damage_is_named_with_its_line_and_column(text, line, column, what):
    with pytest.raises(InputError, match=what) as caught:
        read(text)
    place = caught.value.place
    assert (place.file, place.line, place.column) == ("x.json", line, column)
    assert caught.value.cure == "mend it"


def test_deep_nesting_is_refused_and_shallow_nesting_is_not():
    def nested(depth):
        return "[" * depth + "]" * depth

    assert dumps(read(nested(MAX_DEPTH))).count("[") == MAX_DEPTH
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(InputError, match=f"deeper than {MAX_DEPTH}") as caught:
            read(nested(depth))
        assert caught.value.place.column == MAX_DEPTH + 1


@pytest.mark.parametrize("sign", ["", "-"])
def test_integers_are_read_up_to_a_length_whether_python_reads_longer_ones_or_not(sign):
    allowed = sign + "9" * (4001 - len(sign))
    assert read(f"[0.5, {allowed}]") == [0.5, int(allowed)]
    for longer in (f"{allowed}0", f"{sign}{'1' * 4300}", f"{sign}{'1' * 4301}"):
        with pytest.raises(InputError, match=r"an integer of 4,\d\d\d digits"):
            read(f"[0.5, {longer}]")


def test_an_integer_that_is_long_but_allowed_is_not_blamed_for_what_follows():
    with pytest.raises(InputError, match="NaN") as caught:
        read(f"[{'7' * 4000}, NaN]")
    assert caught.value.place.column == 4004


def test_an_emoji_in_escapes_is_no_lone_surrogate():
    assert read(r'{"a": "\ud83d\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize("data", [b'{"a": "\xff"}', '{"a": 1}'.encode("utf-16")])
def test_bytes_that_are_not_utf8_are_named(data):
    with pytest.raises(InputError, match=r"not UTF-8: .* at byte"):
        read(data)


def test_a_sealed_record_comes_back_and_any_changed_byte_is_noticed():
    record = {"seconds": 1.5, "parts": {"code a.py": "ab12"}, "names": ["é", "x"], "none": None}
    data = seal(record)
    assert unseal(data, "run.json", cure="run") == record
    for position in range(len(data)):
        for flip in (1, 2, 16, 128):
            damaged = bytearray(data)
            damaged[position] ^= flip
            with pytest.raises(InputError):
                unseal(bytes(damaged), "run.json", cure="run")


@given(st.dictionaries(TEXTS.filter(lambda key: key != "checksum"), PLAIN, min_size=1))
def test_every_record_comes_back_from_its_seal(record):
    assert unseal(seal(record), "run.json", cure="run") == record


def test_a_seal_that_stands_elsewhere_is_damage():
    lines = seal({"a": 1, "b": {"checksum": 2}, "d": 3}).decode().split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith(' "checksum"'))
    lines.insert(1, lines.pop(at))
    with pytest.raises(InputError, match="checksum"):
        unseal("\n".join(lines).encode(), "run.json", cure="run")


def test_a_record_without_its_seal_is_no_record():
    with pytest.raises(InputError, match="checksum"):
        unseal(dumps({"a": 1}).encode(), "run.json", cure="run")
    with pytest.raises(InputError, match="checksum"):
        unseal(dumps([1]).encode(), "run.json", cure="run")


KEYS = st.sampled_from(["a", "b", "checks", "checksum1", "d"])


@given(st.dictionaries(KEYS, PLAIN, min_size=1), st.sets(KEYS, min_size=1))
def test_nulls_in_a_sealed_record_are_those_of_the_record_sealed_anew(record, keys):
    changed = with_nulls(seal(record), keys, "x.json", cure="mend it")
    assert changed == seal({**record, **dict.fromkeys(keys)})


def test_nulls_are_put_into_no_damaged_record():
    data = seal({"a": 1, "b": "two"})
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1
        with pytest.raises(InputError):
            with_nulls(bytes(damaged), {"a"}, "x.json", cure="mend it")
