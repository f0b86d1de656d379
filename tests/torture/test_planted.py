"""Planted secrets: each form in each place once; `make torture` draws them by the thousand."""

import random

import pytest

from torture import planted
from torture.trial import table

FORMS = {**planted.drawn(random.Random(0)), **dict.fromkeys(planted.KNOWN)}


@pytest.mark.slow
def test_each_form_of_a_secret_is_refused_in_each_place_and_nothing_else_is():
    able = {name: secret is None or secret.can_break for name, secret in FORMS.items()}
    cells = sum(len(planted.PLACES) if can_break else len(planted.PLACES) - 1 for can_break in able.values())
    assert (len(FORMS) >= 16, len(planted.PLACES) >= 7) == (True, True)
    tried = list(planted.trials(2 * cells, seed=19))
    text, failed = table(tried)
    assert failed == [], text
    assert sum(trial.outcome == "refused" for trial in tried) == cells
    assert {trial.context.removeprefix("harmless ") for trial in tried} == set(planted.PLACES)


def test_a_secret_that_nobody_can_tell_is_missed_and_what_is_harmless_is_kept():
    values = dict.fromkeys(planted.KNOWN, "aB3d" * 5)
    with planted.machine(values) as project:
        tried = list(planted.tried(project, "none", planted.Planted("nothing at all", "nothing")))
    assert {trial.outcome for trial in tried if trial.context.startswith("harmless")} == {"kept"}
    assert {trial.outcome for trial in tried if not trial.context.startswith("harmless")} == {"missed"}
