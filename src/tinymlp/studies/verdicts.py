"""Verdicts over settings: which planned contrasts come out as in the reference setting, and which do not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from tinymlp.inference import Contrast, holm_corrected, paired_successes
from tinymlp.networks import Shape
from tinymlp.studies.outcomes import Outcome, Outcomes
from tinymlp.studies.ratios import as_ratio, log_mean_ratio
from tinymlp.studies.settings import REFERENCE, Setting

Contrasts = dict[tuple[str, str], Contrast]  # by the names of a setting and of a planned pair
Pairs = Mapping[str, tuple[Shape, Shape]]  # the planned pairs by name: first minus second
Comparison = Callable[[Outcome, Outcome], Contrast | None]

ALPHA = 0.05


COMPARISONS: dict[str, Comparison] = {
    "success": lambda first, second: paired_successes(first.solved, second.solved),
    "loss_ratio": lambda first, second: log_mean_ratio(first.loss, second.loss, first.solved & second.solved),
}


def planned_contrasts(outcomes: Outcomes, pairs: Pairs, compare: Comparison) -> Contrasts:
    """Return the planned contrasts in all settings, corrected by Holm as one family.

    Those for which `compare` returns None are left out, and do not count.
    """
    family = {
        (setting, name): compare(shapes[first], shapes[second])
        for setting, shapes in outcomes.items()
        for name, (first, second) in pairs.items()
    }
    return holm_corrected({key: found for key, found in family.items() if found is not None})


def numbers(kind: str, contrast: Contrast) -> dict[str, Any]:
    """Return the fields of a contrast; for "loss_ratio" the ratio itself, not its log."""
    return as_ratio(contrast) if kind == "loss_ratio" else asdict(contrast)


def nested_contrasts(
    kind: str, contrasts: Contrasts, settings: Sequence[Setting], pairs: Pairs
) -> dict[str, dict[str, Any]]:
    """Return the contrasts by setting and pair; one that was left out has None for every number."""
    missing: dict[str, Any] = dict.fromkeys(("n", "estimate", "low", "high", "p", "p_holm"))
    found = {key: numbers(kind, contrast) for key, contrast in contrasts.items()}
    return {s.name: {name: found.get((s.name, name), missing) for name in pairs} for s in settings}


def contrast_rows(
    settings: Sequence[Setting], contrasts: Mapping[str, Contrasts]
) -> Iterator[dict[str, Any]]:
    """Yield a row for each contrast of each kind, in the order of the contrasts."""
    about = {s.name: {"setting": s.name, "factor": s.factor, "label": s.label} for s in settings}
    for kind, found in contrasts.items():
        for (setting, name), contrast in found.items():
            yield {"outcome": kind, **about[setting], "contrast": name, **numbers(kind, contrast)}


def significant(contrast: Contrast) -> bool:
    """Return whether the corrected p value is below `ALPHA`."""
    return contrast.p_holm is not None and contrast.p_holm < ALPHA


def standing(contrasts: Sequence[Contrast], reference: Contrast) -> dict[str, int]:
    """Return how many contrasts have the sign of the reference and how many the opposite.

    Significant are those with a corrected p value below `ALPHA`. An estimate
    of zero, on either side, is neither the same nor the opposite.
    """
    agreement = np.array([contrast.estimate * reference.estimate for contrast in contrasts])
    clear = np.array([significant(contrast) for contrast in contrasts], dtype=bool)
    return {
        "settings": len(contrasts),
        "same": int((agreement > 0).sum()),
        "same_significant": int(((agreement > 0) & clear).sum()),
        "opposite": int((agreement < 0).sum()),
        "opposite_significant": int(((agreement < 0) & clear).sum()),
    }


def verdicts(
    settings: Sequence[Setting], contrasts: Mapping[str, Contrasts], pairs: Pairs
) -> list[dict[str, Any]]:
    """Return for each kind and pair in how many other settings it comes out as in the reference.

    The reference is the first of the settings. Pairs that it lacks, or that
    all others lack, have no verdict.
    """
    return [
        {"outcome": kind, "contrast": name, **_verdict(kind, name, settings[1:], found)}
        for kind, found in contrasts.items()
        for name in pairs
        if (REFERENCE, name) in found and any((s.name, name) in found for s in settings[1:])
    ]


def _verdict(kind: str, name: str, others: Sequence[Setting], found: Contrasts) -> dict[str, Any]:
    reference = found[REFERENCE, name]
    by_label = {s.label: found[s.name, name] for s in others if (s.name, name) in found}
    opposite = [
        label for label, one in by_label.items() if standing([one], reference)["opposite_significant"]
    ]
    ordered = sorted(by_label, key=lambda label: by_label[label].estimate)
    return {
        **{f"reference_{key}": value for key, value in numbers(kind, reference).items()},
        **standing(list(by_label.values()), reference),
        "opposite_in": "; ".join(opposite),
        "lowest": numbers(kind, by_label[ordered[0]])["estimate"],
        "lowest_in": ordered[0],
        "highest": numbers(kind, by_label[ordered[-1]])["estimate"],
        "highest_in": ordered[-1],
    }
