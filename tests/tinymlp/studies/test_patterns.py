"""Patterns of stuck networks, on probabilities and losses made by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from torch import nn

from tinymlp.networks import Shape, Training, start
from tinymlp.studies.patterns import (
    CENTRE_COLUMNS,
    classified,
    merged_clusters,
    pattern_classes,
    pattern_counts,
    pattern_distances,
    pattern_examples,
    pattern_kind,
    plateau_error,
    plateau_losses,
    share_with_origin,
)

# probabilities of class 1 at (0, 0), (0, 1), (1, 0), (1, 1), a little off the plateau that the comment names
SOLVED = [0.0, 1.0, 1.0, 0.0]
FIRST_PAIR = [0.52, 0.47, 0.99, 0.01]  # 00+01
LAST_PAIR = [0.02, 0.97, 0.5, 0.5]  # 10+11
THREE = [0.36, 0.33, 0.98, 0.31]  # 00+01+11, a third of class 1
ALL = [0.5, 0.5, 0.49, 0.5]


def frame(*rows):
    table = pd.DataFrame([row[1] for row in rows], columns=CENTRE_COLUMNS)
    return table.assign(shape=[row[0] for row in rows], test_loss=[row[2] for row in rows]).assign(
        train_loss=lambda t: t["test_loss"] / 2
    )


STUCK = frame(
    ("1x2", FIRST_PAIR, 0.34),
    ("1x2", THREE, 0.48),
    ("1x2", LAST_PAIR, 0.36),
    ("2x2", FIRST_PAIR, 0.35),
    ("2x2", ALL, 0.69),
)


def test_columns_are_named_for_the_centres():
    assert CENTRE_COLUMNS == ["p00", "p01", "p10", "p11"]


def test_losses_of_plateaus_are_entropies():
    third = -(math.log(1 / 3) / 3 + 2 * math.log(2 / 3) / 3)
    expected = {"two_merged": math.log(2) / 2, "three_merged": 0.75 * third, "constant": math.log(2)}
    assert plateau_losses() == pytest.approx(expected)


def test_merged_clusters_are_named_by_their_centres():
    assert merged_clusters((0, 1, 3)) == "00+01+11"


def test_each_network_is_classified_by_the_nearest_plateau():
    found = classified(STUCK)
    assert found["clusters"].tolist() == ["00+01", "00+01+11", "10+11", "00+01", "00+01+10+11"]
    assert found["merged"].tolist() == [2, 3, 2, 2, 4]
    assert found["distance"].tolist() == pytest.approx([0.03, 0.36 - 1 / 3, 0.03, 0.03, 0.01])


def test_classes_share_the_stuck_networks_of_their_shape():
    rows = pattern_classes(classified(STUCK))
    assert [(row["shape"], row["merged"], row["n"], row["of"]) for row in rows] == [
        ("1x2", 2, 2, 3),
        ("1x2", 3, 1, 3),
        ("2x2", 2, 1, 2),
        ("2x2", 4, 1, 2),
    ]
    first = rows[0]
    expected = stats.binomtest(2, 3).proportion_ci(method="wilson")
    assert (first["share_low"], first["share_high"]) == pytest.approx((expected.low, expected.high))
    assert first["kind"] == "two merged"
    assert first["derived"] == pytest.approx(math.log(2) / 2)
    assert (first["test_mean"], first["train_mean"]) == pytest.approx((0.35, 0.175))
    assert rows[1]["test_std"] is None  # one network has no spread


def test_kinds_are_shares_of_all_stuck_networks():
    found = pattern_kind(2, classified(STUCK))
    assert (found["n"], found["share"], found["test_max"]) == (3, 0.6, 0.36)
    assert pattern_kind(2, classified(STUCK).head(0))["share"] == 0


def test_every_pattern_is_counted_also_those_that_never_occur():
    counts = {row["clusters"]: row["n"] for row in pattern_counts(classified(STUCK))}
    assert len(counts) == 4 + 4 + 1  # pairs of unlike class, triples, all four
    assert {name: n for name, n in counts.items() if n} == {
        "00+01": 2,
        "10+11": 1,
        "00+01+11": 1,
        "00+01+10+11": 1,
    }


def test_the_share_with_the_origin_is_of_pairs_alone():
    found = share_with_origin(classified(STUCK))
    assert (found["successes"], found["n"]) == (2, 3)
    assert share_with_origin(classified(STUCK).head(0)) == {}


def test_an_example_is_the_first_network_of_its_pattern_with_its_parameters():
    ensemble = start([Shape(1, 2)], [5, 6, 7, 8], Training(), seed=1)
    found = pattern_examples(Shape(1, 2), ensemble, [THREE, FIRST_PAIR, THREE, FIRST_PAIR])
    assert {(one["clusters"], one["merged"], one["replicate"]) for one in found} == {
        ("00+01+11", 3, 5),
        ("00+01", 2, 6),
    }
    (pair,) = [one for one in found if one["merged"] == 2]
    assert pair["shape"] == "1x2"
    flat = nn.utils.parameters_to_vector(ensemble.network(Shape(1, 2), 1).parameters())
    assert pair["parameters"].tolist() == flat.tolist()


def test_distances_tell_of_networks_at_no_plateau():
    off = frame(("1x2", [0.5, 0.8, 0.2, 0.0], 0.4), ("1x2", FIRST_PAIR, 0.3))
    found = pattern_distances(classified(off))
    # the plateau of 00+10, (0.5, 1, 0.5, 0), is nearest to the first: 0.3 away, and so not clear
    assert (found["unclear"], found["distance_max"]) == (1, pytest.approx(0.3))
    assert found["distance_q95"] == pytest.approx(0.03 + 0.95 * 0.27)


def test_error_of_a_plateau_is_the_spread_of_its_losses():
    # three clusters at probability 1/3: one of class 1, two of class 0, and the fourth without a loss
    losses = np.tile([math.log(3), math.log(1.5), math.log(1.5), 0.0], 1000)
    assert plateau_error(4000) == pytest.approx(losses.std() / 4000**0.5)
