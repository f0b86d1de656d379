"""What experiments conclude from their trainings: settings, outcomes, verdicts, choices."""

from tinymlp.studies.choices import cross_chosen
from tinymlp.studies.outcomes import (
    NEAR_BAYES,
    SHORTFALL,
    Outcome,
    Outcomes,
    loss_of_bayes,
    outcome_summary,
    setting_rows,
    solved,
    train_settings,
)
from tinymlp.studies.settings import (
    GRID,
    LR_FACTORS,
    REFERENCE,
    SCALES,
    Setting,
    rounded_product,
    settings_around,
)
from tinymlp.studies.verdicts import (
    COMPARISONS,
    Contrasts,
    contrast_rows,
    nested_contrasts,
    planned_contrasts,
    verdicts,
    verdicts_by_factor,
)

__all__ = [
    "COMPARISONS",
    "GRID",
    "LR_FACTORS",
    "NEAR_BAYES",
    "REFERENCE",
    "SCALES",
    "SHORTFALL",
    "Contrasts",
    "Outcome",
    "Outcomes",
    "Setting",
    "contrast_rows",
    "cross_chosen",
    "loss_of_bayes",
    "nested_contrasts",
    "outcome_summary",
    "planned_contrasts",
    "rounded_product",
    "setting_rows",
    "settings_around",
    "solved",
    "train_settings",
    "verdicts",
    "verdicts_by_factor",
]
