"""Variants: results with other parameters, which a report uses beside the default ones."""

import json
import zipfile

import pytest
from click.testing import CliRunner
from projects import PARAMS, change, experiment, make, run, states

from labreport import cli
from labreport.documents import context
from labreport.errors import InputError, LabreportError
from labreport.explain import record
from labreport.language import render
from labreport.page.model import model
from labreport.page.texts import Texts
from labreport.results import RESULT, load, variants
from labreport.running import trials
from labreport.writing import LATEX

COIN = PARAMS + "    tosses: int = 10\n    bias: float = 0.5\n\nVARIANTS = {}\n"
TWO = "(Params(tosses=50), Params(tosses=100, bias=1))"
BODY = """
def run(params, lab):
    return {"heads": params.tosses * params.bias, "seed": lab.seed(1)}


def draw(result, lab):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.add_subplot(xlabel="x", ylabel="y").plot([1, result.values["heads"]])
    lab.figure("line", figure, alt="A line.")
"""


def coin(folder, declared=TWO):
    return make(folder, {"coin": experiment(BODY, params=COIN.format(declared))})


def rendered(project, text):
    folder = project.root / "report_templates"
    folder.mkdir(exist_ok=True)
    (folder / "report.tex.j2").write_text(text)
    return render(folder, "report.tex.j2", context.known(project), LATEX)


def test_variants_are_planned_run_and_kept_beside_the_default(tmp_path):
    project = coin(tmp_path)
    assert list(states(project)) == ["coin", "coin@bias=1.0+tosses=100", "coin@tosses=50"]
    run(project)
    assert set(states(project).values()) == {"fresh"}
    assert [load(project, name).values["heads"] for name in variants.names(project)] == [5.0, 25.0, 100.0]
    # what `--set` of the same parameters gives is the same record, and the default stays what templates see
    variant = (project.results / "coin@tosses=50" / RESULT).read_bytes()
    assert run(project, ["coin"], settings={"coin": {"tosses": "50"}}).restored == ("coin",)
    assert (project.results / "coin" / RESULT).read_bytes() == variant
    assert states(project)["coin"] == "stored run"  # a report cannot be made of it
    run(project)
    assert load(project, "coin").values["heads"] == 5.0
    assert [t.address for t in trials(project)] == ["default", "bias=1.0 tosses=100", "tosses=50"]


def test_edits_make_variants_stale_and_one_that_is_removed_is_gone(tmp_path):
    project = coin(tmp_path)
    run(project)
    change(tmp_path / "experiments" / "coin.py", TWO, "(Params(tosses=50),)")
    assert states(project) == {"coin": "fresh", "coin@tosses=50": "fresh"}
    change(tmp_path / "experiments" / "coin.py", "seed: int = 0", "seed: int = 1")
    assert states(project) == {"coin": "stale run", "coin@tosses=50": "stale run"}
    run(project)
    change(tmp_path / "experiments" / "coin.py", "params.tosses *", "2 * params.tosses *")
    assert states(project) == {"coin": "stale run", "coin@tosses=50": "stale run"}


def test_templates_reach_variants_by_their_addresses(tmp_path):
    project = coin(tmp_path)
    run(project)
    text = """\\VAR{coin.variants["tosses=50"].values.heads|num}
\\VAR{coin.variants["tosses=100 bias=1.0"].values.heads|num} \\VAR{coin.values.heads|num}
\\VAR{coin.variants["tosses=50"].figures.line|figure}\\VAR{coin.figures.line|figure}"""
    found = rendered(project, text)
    assert [sorted(item.keys) for item in found.printed][:3] == [
        ['coin.variants["tosses=50"].values.heads'],
        ['coin.variants["bias=1.0 tosses=100"].values.heads'],
        ["coin.values.heads"],
    ]
    assert [variants.owner(key) for item in found.printed[3:] for key in item.keys] == [
        "coin@tosses=50",
        "coin",
    ]
    assert found.text.count("figures/coin-line.pdf") == 1
    with pytest.raises(InputError, match=r"coin.variants has no key 'tosses=5'") as caught:
        rendered(project, '\\VAR{coin.variants["tosses=5"].values.heads|num}')
    assert "tosses=50" in caught.value.cure


@pytest.mark.parametrize(
    ("declared", "what", "cure"),
    [
        ("Params(tosses=50)", "VARIANTS must be a literal tuple", "VARIANTS = (Params(tosses=50),)"),
        ("[Params(tosses=50)]", "VARIANTS must be a literal tuple", "write for example"),
        ("(50,)", "each of VARIANTS must be a call of Params", "Params("),
        ("(Params(tosses=50), Params(tosses=50, seed=0))", "VARIANTS has Params(", "take one"),
        ("(Params(tosses=10),)", "Params(tosses=10) of VARIANTS is the default", "take it out"),
        ("(Params(toses=1),)", "VARIANTS sets 'toses', which is not in Params", "'tosses'"),
        ("(Params(tosses='x'),)", "VARIANTS's 'tosses' is 'x'", "type"),
    ],
)
def test_wrong_variants_are_told_with_their_place(tmp_path, declared, what, cure):
    with pytest.raises(LabreportError) as caught:
        states(coin(tmp_path, declared))
    assert what in caught.value.what
    assert cure in caught.value.cure
    assert (caught.value.place.file, caught.value.place.line) == ("experiments/coin.py", 13)


KEY = 'coin.variants["tosses=50"].values.heads'
REPORT = r"""\documentclass{article}
\usepackage{labreport}
\begin{document}
Fifty tosses gave \VAR{coin.variants["tosses=50"].values.heads|num} heads, ten gave
\VAR{coin.values.heads|num}.
\BLOCK{claim "more", above(coin.variants["tosses=50"].values.heads, coin.values.heads)}
More tosses give more heads.
\BLOCK{endclaim}
\begin{figure}
\VAR{coin.variants["tosses=50"].figures.line|figure}
\VAR{coin.figures.line|figure}
\caption{Lines.}
\end{figure}
\end{document}
"""


@pytest.mark.slow
def test_variants_are_built_explained_packed_and_verified(tmp_path):
    project = coin(tmp_path, "(Params(tosses=50),)")
    (tmp_path / "report_templates").mkdir()
    (tmp_path / "report_templates" / "report.tex.j2").write_text(REPORT)

    def ask(*arguments):
        done = CliRunner().invoke(cli.commands, [*arguments, "--project", str(project.root)])
        assert done.exit_code == 0, done.output
        return done.output

    ask()
    found = json.loads(ask("explain", "25.0", "--json"))
    (name,) = found["experiments"]
    assert name == "coin@tosses=50"
    changed = [p for p in found["experiments"][name]["parameters"] if not p["is_default"]]
    assert [(p["name"], p["value"], p["default"]) for p in changed] == [("tosses", 50, 10)]
    told = model(project, record.read(project), {}, Texts((), ()))
    assert told["keys"][KEY]["experiment"] == "coin@tosses=50"
    assert told["keys"][KEY]["value"] == 25.0
    shown = [thing["experiment"] for thing in told["things"] if thing["kind"] == "figure"]
    assert shown == ["coin@tosses=50", "coin"]
    with zipfile.ZipFile(project.submission / "code.zip") as packed:
        names = packed.namelist()
    assert any(name.endswith("coin@tosses=50/result.json") for name in names)
    assert any(name.endswith("coin@tosses=50/figures/line.pdf") for name in names)
    ask("verify")
