"""What systems refuse is from Microsoft's "Naming Files, Paths, and Namespaces" and from Unicode."""

import pytest

from labreport.handin.names import bad_names


@pytest.mark.parametrize(
    ("name", "reason", "cure"),
    [
        ("data/aux.csv", "'aux' is the name of a device on Windows", "data/aux_.csv"),
        ("src/con.py", "device", "src/con_.py"),
        ("COM1.txt", "'COM1'", "COM1_.txt"),
        ("lpt¹", "device", "lpt¹_"),
        ("nul.tar.gz", "device", "nul_.tar.gz"),
        ("prn .txt", "'prn'", "prn_.txt"),
        ("aux/readings.csv", "device", "aux_/readings.csv"),
        ("data/v1./a.csv", "Windows drops the dot", "data/v1/a.csv"),
        ("data/a ", "Windows drops the space", "data/a"),
        ("a:b", "Windows allows no : in names", "a_b"),
        ("what?.md", "Windows allows no ?", "what_.md"),
        ("a\tb", "cannot be printed", "a_b"),
        ("cafe\u0301.csv", "(NFC)", "caf\u00e9.csv"),
        ("d/" * 90 + "a", "it has 181 characters", "shorten"),
        ("é" * 128, "longer than 255 bytes", "shorten"),
    ],
)
def test_a_name_that_some_system_cannot_unpack_is_refused_with_a_better_one(name, reason, cure):
    (error,) = bad_names([name])
    assert reason in error.what
    assert cure in error.cure
    assert error.cure == "shorten the name" or bad_names([cure]) == []


@pytest.mark.parametrize(
    "names",
    [
        ["data/auxiliary.csv", "console.py", "com.txt", "com10.txt", "data/a.aux", ".gitignore", "a b.csv"],
        ["data/İ.csv", "日本語.csv", "naïve.py", "données/été.csv"],
        ["data/a.csv", "data/b.csv", "src/data.py"],
    ],
)
def test_names_that_every_system_takes_pass(names):
    assert bad_names(names) == []


def test_folders_that_differ_only_in_case_are_told_once():
    errors = bad_names(["Data/a.csv", "data/b.csv", "data/c.csv"])
    assert [e.what for e in errors] == ["'Data' and 'data' differ only in upper and lower case"]
