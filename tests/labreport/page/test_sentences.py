"""Sentences and captions, read off the lines of a page."""

import pytest

from labreport.page.sentences import as_printed, caption


def page(*lines):
    """Return a page; each line is its left edge, its upper edge and its text, five points for a character."""
    return {"text": [[x, y, 5.0 * len(text), 10.0, text] for x, y, text in lines]}


def box(x, y, text, number=1):
    """Return the box of a text that begins at a place."""
    return [number, x, y, 5.0 * len(text), 10.0]


LINES = page(
    (100, 100, "As before. The gap of Figure 3 falls from 0.2 to 1.3 × 10−6 for net-"),
    (100, 112, "works of size 2×2 (p < 0.001). It over-"),
    (100, 124, "fits then, see Table 2. The end."),
)


@pytest.mark.parametrize(
    ("latex", "at", "printed"),
    [
        # plain text needs no page
        (r"The {0.2\LRunit{\%}} fall.", [], "The 0.2 % fall."),
        (
            r"The gap of \cref{fig:gap} falls from {0.2} to {1.3\LRpower{\LRminus{}6}} for networks of "
            r"size \net{2}{2} ($p < 0.001$).",
            [
                box(155, 100, "The gap of Figure 3 falls from 0.2 to 1.3 × 10−6 for net-"),
                box(100, 112, "works of size"),
            ],
            "The gap of Figure 3 falls from 0.2 to 1.3 × 10⁻⁶ for networks of size 2×2 (p < 0.001).",
        ),
        (
            r"It over-fits then, see \cref{tab:fits}.",
            [box(260, 112, "It over-"), box(100, 124, "fits then, see")],
            "It over-fits then, see Table 2.",
        ),
        # a sentence that isn't on its lines is told as it was typed, its formulas as far as they can be
        (r"Another $x^2$ \net{}.", [box(100, 124, "fits")], r"Another x² \net."),
        (r"Nowhere $x_1$ \net{}.", [[1, 400, 700, 10, 10]], r"Nowhere x₁ \net."),
        (r"Nowhere \net{}.", [], r"Nowhere \net."),
        # a formula that is plain text needs no page, and a footnote is no part of the sentence
        (r"By $10^{-10}$\footnote{Of \net{2}{3}, $x$.} it falls.", [], "By 10⁻¹⁰ it falls."),
    ],
)
def test_a_sentence_is_told_as_its_page_prints_it(latex, at, printed):
    assert as_printed(latex, at, [LINES]) == printed


def test_a_sentence_goes_on_over_pages():
    pages = [page((100, 700, "It is as in Table 1 for")), page((100, 50, "all of them. Next."))]
    at = [box(100, 700, "It is as in Table 1 for"), box(100, 50, "all of them.", 2)]
    assert (
        as_printed(r"It is as in \cref{t} for all of them.", at, pages)
        == "It is as in Table 1 for all of them."
    )


CAPTIONS = page(
    (100, 80, "Table 1: What is above."),
    (100, 300, "Figure 3. A point is a network; dashed:"),
    (100, 312, "δ k"),
    (100, 313, "the losses."),
    (100, 345, "The text goes on, as Figure 3: shows."),
    (350, 300, "Fig. 4: In the other column."),
)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ([[1, 100, 180, 200, 110]], "Figure 3. A point is a network; dashed: δ k the losses."),
        ([[1, 350, 180, 200, 110]], "Fig. 4: In the other column."),
        ([[1, 100, 95, 200, 60]], "Table 1: What is above."),
        ([[1, 700, 95, 20, 60]], ""),
        ([], ""),
    ],
)
def test_a_caption_is_the_nearest_in_the_column(at, text):
    assert caption(at, [CAPTIONS]) == text
