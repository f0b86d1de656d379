"""Influences: what changing each training parameter does to success, to the loss, and to the conclusions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tinymlp.inference import Contrast
from tinymlp.networks import Shape, Training
from tinymlp.studies.ratios import FEWEST_PAIRS, as_ratio
from tinymlp.studies.settings import Setting
from tinymlp.studies.verdicts import Contrasts, significant

Summaries = Mapping[str, Mapping[Shape, Mapping[str, Any]]]  # by the name of a setting, then by shape

# The value of a factor; those that change two parameters, or what is no number, have none.
VALUES: dict[str, Callable[[Training], Any]] = {
    "beta1": lambda training: training.betas[0],
    "beta2": lambda training: training.betas[1],
    "learning rate": lambda training: training.lr,
    "epochs": lambda training: training.epochs,
    "batch size": lambda training: training.batch_size,
    "training points": lambda training: training.n_train,
    "initial scale": lambda training: training.initial_scale,
    "weight decay": lambda training: training.weight_decay,
    "noise": lambda training: training.s,
}


def influence_rows(
    settings: Sequence[Setting],
    summaries: Summaries,
    success: Contrasts,
    ratios: Contrasts,
    *,
    wider: Sequence[str],
    deeper: Sequence[str],
    deepest: str,
) -> Iterator[dict[str, Any]]:
    """Yield a row for each factor: what its settings change against the reference, the first of them.

    `change_low` and `change_high` are the extremes, over settings and shapes, of the difference in success
    rate; `factor_low` and `factor_high` those of the quotient of the median excess losses of solved networks,
    in shapes of which enough are solved in either setting. `success` and `ratios` hold the planned contrasts;
    of those named `wider` and `deeper` it is counted how many are significant, and to which side. `ratio_low`
    and `ratio_high` are the extremes of the ratio of losses named `deepest`.
    """
    reference = settings[0]
    for factor in dict.fromkeys(setting.factor for setting in settings[1:]):
        chosen = [setting for setting in settings if setting.factor == factor]
        changes = [change for one in chosen for change in _changes(summaries, one.name, reference.name)]
        factors = [times for one in chosen for times in _factors(summaries, one.name, reference.name)]
        ratio = [_ratio(ratios, one.name, deepest) for one in chosen if (one.name, deepest) in ratios]
        value = VALUES.get(factor)
        yield {
            "factor": factor,
            "settings": len(chosen),
            "used": _listed([value(reference.training)]) if value else None,
            "tried": _listed([value(one.training) for one in chosen]) if value else None,
            **_extremes("change", changes),
            **_extremes("factor", factors),
            **_counts("wider", [success[one.name, name] for one in chosen for name in wider]),
            **_counts("deeper", [success[one.name, name] for one in chosen for name in deeper]),
            **_extremes("ratio", ratio),
        }


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:,g}" for value in sorted(set(values)))


def _changes(summaries: Summaries, setting: str, reference: str) -> Iterator[float]:
    for shape, found in summaries[setting].items():
        yield found["success"]["estimate"] - summaries[reference][shape]["success"]["estimate"]


def _factors(summaries: Summaries, setting: str, reference: str) -> Iterator[float]:
    for shape, found in summaries[setting].items():
        here, there = found["solved_excess"], summaries[reference][shape]["solved_excess"]
        if min(here["n"], there["n"]) >= FEWEST_PAIRS:
            yield here["median"] / there["median"]


def _ratio(ratios: Contrasts, setting: str, name: str) -> float:
    ratio: float = as_ratio(ratios[setting, name])["estimate"]
    return ratio


def _extremes(name: str, values: Sequence[float]) -> dict[str, float | None]:
    return {f"{name}_low": min(values, default=None), f"{name}_high": max(values, default=None)}


def _counts(name: str, contrasts: Sequence[Contrast]) -> dict[str, int]:
    clear = [contrast.estimate for contrast in contrasts if significant(contrast)]
    return {
        f"{name}_tests": len(contrasts),
        f"{name}_ahead": sum(estimate > 0 for estimate in clear),
        f"{name}_behind": sum(estimate < 0 for estimate in clear),
    }
