"""A fingerprint as data, and what changed between two of them, in words."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.results.fingerprint import Fingerprint, Part, changes, of_kind


def test_reasons_stand_in_the_documented_order():
    old = {
        "schema": "1",
        "python": "3.11",
        "version torch": "2.12.0",
        "version numpy": "2.0",
        "file data/gone.csv": "aa",
        "file experiments/sweep.yaml": "aa",
        "file lost.csv": "aa",
        "file found.csv": "absent",
        "result noisy_xor": "aa",
        "result gone": "aa",
        "code src/b.py": "1",
        "code src/a.py": "1",
        "code experiments/x.py": "1",
        "parameter repeats": "50",
        "parameter rate": "0.1",
        "style experiments/figures.mplstyle": "1",
        "folder data": "1",
        "variable MODE": "fast",
        "variable API_KEY": "hunter2",
        "variable LONG": "a" * 64,
        "program git": "1",
        "module src/local.py": "1",
        "input report_templates/a.tex.j2": "1",
        "input report_templates/b.tex.j2": "1",
        "same": "x",
    }
    new = {
        "schema": "2",
        "python": "3.12",
        "version torch": "2.13.0",
        "version pandas": "3.0",
        "file experiments/sweep.yaml": "bb",
        "file lost.csv": "absent",
        "file found.csv": "aa",
        "file data/new.csv": "bb",
        "result noisy_xor": "bb",
        "result more": "bb",
        "code src/b.py": "2",
        "code src/c.py": "1",
        "code src/d.py:Net.forward": "1",
        "code experiments/x.py": "2",
        "folder data": "2",
        "variable MODE": "slow",
        "variable API_KEY": "hunter3",
        "variable LONG": "b" * 64,
        "variable NEW_KEY": "hunter2",
        "program git": "2",
        "program bash": "2",
        "module src/local.py": "2",
        "parameter repeats": "1000",
        "parameter name": '"adam"',
        "style experiments/figures.mplstyle": "2",
        "input report_templates/b.tex.j2": "2",
        "input report_templates/c.tex.j2": "2",
        "same": "x",
    }
    assert changes(Fingerprint.parse(old), Fingerprint.parse(new)) == [
        "the format was 1, is 2",
        "repeats was 50, is 1000",
        'name is new: "adam"',
        "rate is gone, was 0.1",
        "experiments/x.py changed",
        "src/b.py changed",
        "src/a.py is no longer used",
        "src/c.py is used now",
        "src/d.py:Net.forward is used now",
        "src/local.py, or what it imports, changed",
        "experiments/sweep.yaml changed",
        "found.csv exists now",
        "lost.csv is gone",
        "data/gone.csv is no longer read",
        "data/new.csv is read now",
        "what lies in data changed",
        "API_KEY changed",
        "LONG changed",
        "MODE was fast, is slow",
        "NEW_KEY is read now",
        "the program git changed",
        "bash is started now",
        "report_templates/b.tex.j2 changed",
        "report_templates/a.tex.j2 is gone",
        "report_templates/c.tex.j2 is new",
        "the result of noisy_xor changed",
        "it no longer uses gone",
        "it uses more now",
        "torch was 2.12.0, is 2.13.0",
        "numpy is no longer imported",
        "pandas 3.0 is imported now",
        "Python was 3.11, is 3.12",
        "experiments/figures.mplstyle changed",
    ]


def test_a_package_that_is_not_there_is_called_so():
    there = Fingerprint.parse({"version scipy": "1.17", "package local": "1"})
    missing = Fingerprint.parse({"version scipy": "unknown", "version local": "unknown"})
    assert changes(there, missing) == [
        "scipy was 1.17, is not installed",
        "local is imported now, but not installed",
        "the files of local no longer count",
    ]
    assert "scipy was not installed, is 1.17" in changes(missing, there)


WRITTEN = st.dictionaries(
    st.sampled_from(["schema", "python", "code src/a b.py", "parameter n", "odd part", "version c"]),
    st.text(),
)


@given(WRITTEN)
def test_equal_fingerprints_have_no_reasons(written):
    other = Fingerprint.parse(dict(reversed(written.items())))
    assert changes(Fingerprint.parse(written), other) == []


@given(WRITTEN)
def test_a_fingerprint_is_written_as_it_was_read(written):
    assert Fingerprint.parse(written).plain() == written


def test_the_written_form_stays_so_that_old_results_stay_fresh():
    found = of_kind("code", {"experiments/x.py": "aa"}) | Fingerprint({Part("python"): "3.11"})
    assert found.plain() == {"code experiments/x.py": "aa", "python": "3.11"}
    written = '{\n "code experiments/x.py": "aa",\n "python": "3.11"\n}\n'
    assert found.digest == hashlib.sha256(written.encode()).hexdigest()


@pytest.mark.parametrize("written", [None, [], "x", {"code a.py": 1}, {"code a.py": None}, {1: "x"}])
def test_what_is_no_mapping_of_texts_is_no_fingerprint(written):
    with pytest.raises(ValueError, match="a fingerprint"):
        Fingerprint.parse(written)


def test_a_union_takes_the_later_digest_of_a_part():
    old, new = of_kind("result", {"a": "1", "b": "1"}), of_kind("result", {"b": "2"})
    assert (old | new).named("result") == {"a": "1", "b": "2"}
    assert old.named("result") == {"a": "1", "b": "1"}


def test_parts_of_one_kind_are_told_from_those_of_others_with_the_same_name():
    found = of_kind("file", {"a": "1"}) | of_kind("result", {"a": "2"})
    assert (found.named("file"), found.named("result")) == ({"a": "1"}, {"a": "2"})
    assert found.named("code") == {}


def test_a_long_value_is_cut_in_a_reason():
    old, new = of_kind("parameter", {"n": "1"}), of_kind("parameter", {"n": "2" * 100})
    assert changes(old, new) == [f"n was 1, is {'2' * 57}…"]
