"""The graph of the chain rule: the arrows carry the factors of the rules, and each text can be read."""

from itertools import combinations, pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from experiments.backprop_check import CHAIN, PLACES, chain_rule
from matplotlib.backends.backend_agg import FigureCanvasAgg

STYLE = Path(__file__).parents[2] / "experiments" / "figures.mplstyle"
INDEX = 0.7  # of the size of mathtext


@pytest.fixture(scope="module")
def extents():
    """The texts of the figure as printed, each with the rectangle that it takes."""
    with plt.style.context(STYLE):
        figure = chain_rule()
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        texts = [text for text in figure.axes[0].texts if text.get_text()]
        return figure.bbox, [(text.get_text(), text.get_window_extent(renderer)) for text in texts]


def test_no_text_lies_on_another_or_beyond_the_edge(extents):
    page, texts = extents
    assert len(texts) == len(PLACES) + len(CHAIN)
    assert [(a, b) for (a, one), (b, other) in combinations(texts, 2) if one.overlaps(other)] == []
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for _, box in texts)
    assert all(page.y0 <= box.y0 and box.y1 <= page.y1 for _, box in texts)


def test_indices_are_at_least_seven_points_high():
    with plt.style.context(STYLE):
        sizes = {text.get_fontsize() for text in chain_rule().axes[0].texts if text.get_text()}
    assert min(sizes) * INDEX >= 7


def test_each_path_from_the_weight_has_one_factor_for_each_symbol_of_the_rules():
    """dE/dw_ji is z_i times h' times the sum of w_kj delta_k: Bishop's (5.53) and (5.56)."""
    paths = [["weight"]]
    while any(path[-1] != "loss" for path in paths):
        paths = [[*path, head] for path in paths for tail, head in CHAIN if tail == path[-1]]
    factors = [[CHAIN[pair][0] for pair in pairwise(path)] for path in paths]
    assert factors == [
        [
            "$z_i^{(l-1)}$",
            "$h_l'(a_j^{(l)})$",
            f"$w_{{{unit}j}}^{{(l+1)}}$",
            rf"$\delta_{unit}^{{(l+1)}}$",
        ]
        for unit in "1kM"
    ]


def test_no_arrow_leads_to_the_bias_unit():
    assert [tail for tail, head in CHAIN if head == "bias"] == []
