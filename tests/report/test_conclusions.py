r"""A result that changes so that a conclusion is no longer true stops the build at the sentence."""

import json
import shutil

import pytest
from coins import User

pytestmark = pytest.mark.slow
SENTENCE = r"""
\BLOCK{claim "fair", equal_within(coin.tables.repeats|map(attribute="share")|list, 0.5, 0.1)}
The coin is fair.
\BLOCK{endclaim}
See \cref{sec:coins"""

UNDECIDED = r"\BLOCK{undecided}It may be fair.\BLOCK{endclaim}"


@pytest.fixture(scope="module")
def concluded(built_once, tmp_path_factory):
    """A built project whose report concludes that the coin is fair, not to be changed."""
    user = User(tmp_path_factory.mktemp("concluded") / "project")
    shutil.copytree(built_once.folder, user.folder)
    user.edit("report_templates/report.tex.j2", "\nSee \\cref{sec:coins", SENTENCE)
    done = user.run()
    assert "1 claim: 1 holds" in done.stdout
    return user


@pytest.fixture
def concluding(concluded, tmp_path):
    """A fresh copy of it."""
    shutil.copytree(concluded.folder, tmp_path / "project")
    return User(tmp_path / "project")


def test_a_conclusion_that_the_data_carry_is_printed_and_recorded(concluding):
    (claim,) = json.loads(concluding.path("build/claims.json").read_text())["claims"]
    assert (claim["name"], claim["verdict"]) == ("fair", "holds")
    assert "The coin is fair." in concluding.path("build/latex/report.tex").read_text()


def test_claims_are_those_of_the_pdf_also_where_a_notebook_fails(concluding):
    concluding.edit("report_templates/report.tex.j2", 'claim "fair"', 'claim "even"')
    notebook = concluding.path("report_templates/notebooks/wrong.py.j2")
    notebook.parent.mkdir()
    notebook.write_text("# %%\n\\VAR{coin.values.nope}\n")
    assert "no key 'nope'" in concluding.run(check=3).stderr
    (claim,) = json.loads(concluding.path("build/claims.json").read_text())["claims"]
    assert claim["name"] == "even"


@pytest.mark.parametrize(
    ("old", "new"), [("repeats: int = 8", "repeats: int = 2"), ("tosses: int = 100", "tosses: int = 4")]
)
def test_fewer_repeats_or_more_noise_stop_the_build_at_the_sentence(concluding, old, new):
    pdf = concluding.path("build/report.pdf").read_bytes()
    concluding.edit("experiments/coin.py", old, new)
    stopped = concluding.run(check=3)
    line = concluding.line_of("report_templates/report.tex.j2", 'claim "fair"')
    assert 'claim "fair" is undecided' in stopped.stderr
    assert f"report_templates/report.tex.j2:{line}" in stopped.stderr
    assert "sentence: The coin is fair." in stopped.stderr
    assert "may differ by more than 0.1, or less" in stopped.stderr
    assert concluding.path("build/report.pdf").read_bytes() == pdf

    concluding.edit("report_templates/report.tex.j2", "\\BLOCK{endclaim}", UNDECIDED)
    concluding.run()
    assert "It may be fair." in concluding.path("build/latex/report.tex").read_text()


def test_a_quick_build_is_not_stopped(concluding):
    concluding.edit(
        "experiments/coin.py", "QUICK = Params(tosses=10)", "QUICK = Params(tosses=10, repeats=1)"
    )
    concluding.edit("experiments/coin.py", "(len(shares) - 1)", "max(len(shares) - 1, 1)")
    concluding.run("--quick")
    assert "The coin is fair." in concluding.path("build/quick/latex/report.tex").read_text()
