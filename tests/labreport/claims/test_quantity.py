"""Words of quantity: what each may stand for, by counts, truth values and shares."""

from fractions import Fraction

import pytest
from claimed import estimate, of, said, shown, states, verdict
from hypothesis import given
from hypothesis import strategies as st

from labreport.claims import WORDS
from labreport.language import FormatError

NAMES = [word.name for word in WORDS]


@pytest.mark.parametrize(
    ("word", "part", "whole", "expected"),
    [
        ("most", 51, 100, "holds"),
        ("most", 50, 100, "fails"),
        ("nearly_all", 36, 37, "holds"),
        ("nearly_all", 89, 100, "fails"),
        ("every", 37, 37, "holds"),
        ("all_of_them", 36, 37, "fails"),
        ("half", 45, 100, "holds"),
        ("half", 44, 100, "fails"),
        ("few", 24, 100, "holds"),
        ("few", 25, 100, "fails"),
        ("hardly_any", 10, 100, "holds"),
        ("hardly_any", 11, 100, "fails"),
        ("hardly_any", 0, 100, "holds"),
    ],
)
def test_of_a_whole_population_the_share_decides(word, part, whole, expected):
    assert verdict(said(word, of(part), whole, of="population")) == expected


@pytest.mark.parametrize(
    ("word", "part", "whole", "expected"),
    [  # Wilson: 55 of 100 [0.452, 0.644]; 562 of 1000 [0.531, 0.592]; 468 of 1000 [0.437, 0.499]
        ("most", 55, 100, "undecided"),
        ("most", 562, 1000, "holds"),
        ("most", 468, 1000, "fails"),
        ("nearly_all", 98, 100, "holds"),  # [0.930, 0.994]
        ("nearly_all", 93, 100, "undecided"),  # [0.863, 0.966]
        ("every", 999, 1000, "fails"),
        ("every", 1000, 1000, "undecided"),
        ("few", 8, 128, "holds"),  # [0.032, 0.119]
        ("hardly_any", 8, 128, "undecided"),
    ],
)
def test_of_a_sample_its_interval_decides(word, part, whole, expected):
    assert verdict(said(word, of(part), whole)) == expected
    truths = [True] * part + [False] * (whole - part)
    assert verdict(said(word, of(truths))) == expected


def test_the_statement_tells_share_interval_and_what_the_word_means():
    assert states(said("most", of(55, "d.solved"), 100)) == [
        "55 (d.solved) of 100 are 55 % (share [45.2, 64.4] %, 95 %, n = 100), "
        "which may or may not be most (more than half)"
    ]
    assert states(said("every", of(36), 37, of="population")) == [
        "36 (d.x) of 37 are 97.3 %, which is not every (each one, without an exception)"
    ]


def test_an_estimate_of_a_share_decides_by_its_interval():
    assert verdict(said("most", estimate(0.66, 0.2, 0.8))) == "undecided"
    assert verdict(said("most", estimate(0.66, 0.6, 0.8))) == "holds"
    assert verdict(said("most", said("rate", of(66), 100))) == "holds"
    assert verdict(said("most", shown(0.504, "percent"))) == "holds"
    assert verdict(said("every", estimate(0.99, 0.97, 1.0))) == "undecided"


@given(st.sampled_from(NAMES), st.integers(1, 200), st.data())
def test_a_sample_never_says_the_opposite_of_its_own_share(name, whole, data):
    part = data.draw(st.integers(0, whole))
    own = verdict(said(name, part, whole, of="population"))
    assert verdict(said(name, part, whole)) in ("undecided", own)


@pytest.mark.parametrize("name", NAMES)
def test_a_word_covers_what_its_meaning_says(name):
    word = next(word for word in WORDS if word.name == name)
    covered = {percent for percent in range(101) if word.covers(Fraction(percent, 100))}
    ranges = {
        "every": range(100, 101),
        "nearly_all": range(90, 101),
        "most": range(51, 101),
        "half": range(45, 56),
        "few": range(25),
        "hardly_any": range(11),
    }
    assert covered == set(ranges[name])


@pytest.mark.parametrize(
    ("args", "what"),
    [
        ((of(3),), "of how many"),
        ((of(3), 2), "cannot be a part of 2"),
        ((of([1.0, 2.0]),), "counts truth values"),
        ((of(1.5), 2), "are no counts"),
        ((estimate(0.5, 0, 1), 2), "is a share already"),
    ],
)
def test_what_is_no_share_is_refused(args, what):
    with pytest.raises(FormatError, match=what):
        said("most", *args)


class TestTimes:
    @pytest.mark.parametrize(
        ("a", "b", "n", "expected"),
        [
            (1600, 200, 8, "holds"),
            (1600, 200, 10, "fails"),
            (7.6, 1, 8, "holds"),
            (7.4, 1, 8, "fails"),
            (1, 2, 0.5, "holds"),
            (0.44, 1, 0.5, "fails"),
            (1.26, 1, 1.2, "fails"),
            (1.24, 1, 1.2, "holds"),
        ],
    )
    def test_the_ratio_rounds_to_the_factor_at_its_precision(self, a, b, n, expected):
        assert verdict(said("times", of(a), of(b, "d.y"), n)) == expected

    def test_the_statement_tells_the_ratio(self):
        assert states(said("times", of(1600, "a.b"), of(200, "a.c"), 10)) == [
            "1600 (a.b) is 8 times 200 (a.c), not 10 times"
        ]

    def test_of_printed_numbers_the_printed_ratio_counts(self):
        assert verdict(said("times", shown(0.0254), shown(0.01, key="d.y"), 2.5)) == "holds"
        assert verdict(said("times", shown(0.0259, digits=1), shown(0.01, key="d.y"), 3)) == "holds"
        assert verdict(said("times", of(0.0249), of(0.01, "d.y"), 3)) == "fails"

    def test_an_interval_must_lie_within_the_rounding(self):
        assert verdict(said("times", estimate(3.0, 2.6, 3.4), 1, 3)) == "holds"
        assert verdict(said("times", estimate(3.0, 2.4, 3.4), 1, 3)) == "undecided"
        assert verdict(said("times", estimate(3.0, 2.6, 3.4), 1, 5)) == "fails"

    def test_samples_are_divided_pair_by_pair(self):
        b = [1.0 + (i * 7 % 11) / 10 for i in range(20)]
        a = [2 * x * (1 + (i % 3 - 1) / 100) for i, x in enumerate(b)]
        assert verdict(said("times", a, b, 2, "ratio")) == "holds"
        with pytest.raises(FormatError, match="the ratio is that of pairs"):
            said("times", a, b, 2, "paired")
        with pytest.raises(FormatError, match=r"cannot divide the sample by 2"):
            said("times", a, 2, 2, "ratio")

    def test_nothing_is_a_multiple_of_zero(self):
        with pytest.raises(FormatError, match="nothing is a multiple of 0"):
            said("times", of(3), of(0, "d.y"), 2)
