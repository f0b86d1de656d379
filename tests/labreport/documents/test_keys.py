"""Keys, read back into the steps that lead to a value."""

import pytest

from labreport.documents.keys import steps


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("exp.values.a", ("exp", "values", "a")),
        ("exp.tables.rows[12].b_c", ("exp", "tables", "rows", 12, "b_c")),
        ('exp.values["odd name"][0]', ("exp", "values", "odd name", 0)),
        ('exp.values["a\\"].b"]', ("exp", "values", 'a"].b')),
        ("0.016", None),
        ("fig:shapes", None),
        ("exp.values.", None),
        ("exp..values", None),
        ("exp.rows[-1]", None),
        ('exp.values["a', None),
        (".exp", None),
        (r'exp["\x"]', None),
        ("exp[" + "9" * 5000 + "]", None),
        ("exp[0]values", None),
    ],
)
def test_a_key_consists_of_steps(key, found):
    assert steps(key) == found
