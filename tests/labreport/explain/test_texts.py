"""Printed texts as a reader sees them, and the ways to write the same one."""

import pytest

from labreport.explain.texts import comparable, parts, readable


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (r"{0.016}", "0.016"),
        (r"{\LRminus{}0.99}", "−0.99"),
        (r"{50{,}000}", "50,000"),
        (r"{\LRp{}\LRis{<}0.001}", "p < 0.001"),
        (r"{0.12\LRgap{}[0.08{,}\LRgap{}0.16]}", "0.12 [0.08, 0.16]"),
        (r"{5\LRunit{m\LRgroup{}s\LRraised{\LRminus{}2}}}", "5 m s⁻²"),
        (r"{\LRminus{}1{,}234.5678}", "−1,234.5678"),
        (r"{56.2\LRunit{\%}}", "56.2 %"),
        (r"{0.274\LRpm{}0.027}", "0.274 ± 0.027"),
        (r"{1.3\LRpower{\LRminus{}15}}", "1.3 × 10⁻¹⁵"),
        (r"{(1.3\LRpm{}0.2)\LRpower{10}}", "(1.3 ± 0.2) × 10¹⁰"),
        (r"{1.5\LRunit{min}}~{2\LRunit{s}}", "1.5 min 2 s"),
        (r"\LRat{1{,}000}{.239}\LRerror{0}{.026}", "1,000.239 ± 0.026"),
        (r"\LRat{\LRminus{}5}{}", "−5"),
        (r"{12\LRunit{\LRmicro{}s}}", "12 µs"),
        (r"\LRdash{}", "–"),
        ("8 tanh{,} normal", "8 tanh, normal"),
        (r"{[}(a{,} 5){]}", "[(a, 5)]"),
        (r"heads \& tails \textbackslash{}n 100\%", "heads & tails \\n 100%"),
        (r"\texttt{src/\allowbreak{}m.\allowbreak{}py}", "src/m.py"),
        ("75.3 %", "75.3 %"),
    ],
)
def test_a_text_reads_as_on_the_page(printed, seen):
    assert readable(printed) == seen


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("97.6 %", r"97.6\,\%"),
        ("97.6%", r"{97.6\LRunit{\%}}"),
        ("0.25 ± 0.02", r"{0.25\LRpm{}0.02}"),
        ("0.25+-0.02", r"$0.25 \pm 0.02$"),
        ("0.25 +/- 0.02", r"\LRat{0}{.25}\LRerror{0}{.02}"),
        ("-0.5", "−0.5"),
        ("1000", "1,000"),
        ("1000000", r"{1{,}000{,}000}"),
        ("1.3e-15", "1.3 × 10⁻¹⁵"),
        ("1.3E-15", r"$1.3 \times 10^{-15}$"),
        ("1.3e-05", r"{1.3\LRpower{\LRminus{}5}}"),
        ("8  tanh, Normal", "8 tanh{,} normal"),
    ],
)
def test_ways_to_write_one_text_are_equal(one, other):
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.1", "0.10"),
        ("0.5", "-0.5"),
        ("5 %", "5"),
        ("1e-5", "1e5"),
        ("10⁵", "105"),
        ("1,2", "12"),
        ("0,030", "0030"),
        ("3", "0.3"),
    ],
)
def test_different_texts_stay_different(one, other):
    assert comparable(one) != comparable(other)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.274 ± 0.027", ["0.274", "0.027"]),
        ("56.2 %", ["56.2"]),
        ("−1.3 × 10⁻¹⁵", ["-1.3"]),
        ("(1.3 ± 0.2) × 10¹⁰", ["1.3", "0.2"]),
        ("trial 112", []),
        ("4-6-5-3", []),
    ],
)
def test_a_number_has_the_parts_that_somebody_may_ask_for(text, numbers):
    assert list(parts(text)) == numbers
