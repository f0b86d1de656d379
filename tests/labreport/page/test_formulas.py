"""Formulas as plain text, as far as signs of one line tell them."""

import pytest

from labreport.page.formulas import spelt_out


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"of $10^{-10}$ and", "of 10⁻¹⁰ and"),
        (r"$\varepsilon = {2.2\LRpower{\LRminus{}16}}$", "ε = 2.2 × 10⁻¹⁶"),
        (r"$\delta^{(l+1)}_k \leq \Omega$", "δ⁽ˡ⁺¹⁾ₖ ≤ Ω"),
        (r"$v = 1/n_{\mathrm{in}}$", "v = 1/nᵢₙ"),
        (r"$\tfrac12$ or $\frac{a}{b}$", "1/2 or a/b"),
        (r"$-1 < \log x$", "−1 < log x"),
        # what letters of a line can't tell stays
        (r"$x^{Q}$ and $\mathbb{R}$", r"$x^{Q}$ and $\mathbb{R}$"),
        (r"\$5 and \$6", r"\$5 and \$6"),
        (r"no formula_x", "no formula_x"),
    ],
)
def test_a_formula_reads_as_it_is_printed(latex, text):
    assert spelt_out(latex) == text
