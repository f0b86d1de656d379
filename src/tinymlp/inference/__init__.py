"""What samples allow to conclude."""

from tinymlp.inference.selection import Bias, Ranking, chosen_shares, ranking_stability, selection_bias
from tinymlp.inference.statistics import (
    Contrast,
    Difference,
    Proportion,
    Summary,
    bayes_accuracy,
    bayes_loss,
    bayes_probability,
    holm_corrected,
    independent_means,
    paired_means,
    paired_successes,
    summarise,
    wilson,
)

__all__ = [
    "Bias",
    "Contrast",
    "Difference",
    "Proportion",
    "Ranking",
    "Summary",
    "bayes_accuracy",
    "bayes_loss",
    "bayes_probability",
    "chosen_shares",
    "holm_corrected",
    "independent_means",
    "paired_means",
    "paired_successes",
    "ranking_stability",
    "selection_bias",
    "summarise",
    "wilson",
]
