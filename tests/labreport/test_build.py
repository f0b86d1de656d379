"""The whole build as functions: what they return, what they tell on the way, and the lock."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import projects
import pypdf
import pytest

from labreport import build, outcomes
from labreport.documents.notebooks import Woven
from labreport.errors import BusyError, ExperimentError
from labreport.explain import claims
from labreport.results import strict_json
from labreport.running.runner import Event

ROOT = Path(__file__).parents[2]
COIN = projects.experiment(
    """
    def run(params, lab):
        return {"half": sum(lab.map(lambda item: item / 6, range(3)))}
    """
)
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\begin{document}
The mean is \VAR{coin.values.half|num}.
\end{document}
"""


@pytest.fixture
def project(tmp_path):
    made = projects.make(tmp_path / "project", {"coin": COIN})
    projects.write(made.templates / "report.tex.j2", TEMPLATE)
    return made


@pytest.mark.slow
def test_a_program_builds_all_and_then_nothing_again(project, capfd):
    told = []
    built = build.make_all(project, jobs=2, events=told.append)
    assert capfd.readouterr().out == ""
    assert built.experiments.ran == ("coin",)
    assert (built.reports[0].made.pages, built.reports[0].made.values) == (1, 1)
    assert built.notebooks.woven == ()
    assert built.packed.submission.code.is_file()
    assert {verdict.name for verdict in built.checked.verdicts} >= {"fresh", "zip"}
    steps = [built.experiments, *built.reports, *built.changed, built.notebooks, built.claims, built.asked]
    steps += [built.packed, built.checked, *built.pages]
    assert [step for step in told if not isinstance(step, Event)] == steps
    assert ("finished", "coin", "run") in [
        (e.kind, e.experiment, e.phase) for e in told if isinstance(e, Event)
    ]

    again = build.make_all(project, jobs=1, events=print)
    assert again.experiments == outcomes.Experiments(total=1)
    assert again.reports[0].made is None
    assert again.packed == outcomes.Packed(None)
    assert again.checked is None
    assert "Experiments(total=1" in capfd.readouterr().out

    assert build.plan(project).handin == ()
    (project.root / "experiments" / "link.yaml").symlink_to("coin.py")
    assert build.plan(project).handin == ("experiments/link.yaml is a symbolic link, which is not handed in",)
    project.submission.joinpath("code.zip").unlink()
    assert build.plan(project).handin == ("build/submission/code.zip: it is missing",)


@pytest.mark.slow
def test_a_report_that_is_made_again_says_what_changed(project):
    assert build.make_all(project).changed[0].summary is None
    template = project.templates / "report.tex.j2"
    projects.change(template, "half|num", "half|num(digits=1)")
    assert build.make_all(project).changed[0].summary == (
        "none of 1 value changed, 1 printed in another way; no claim changed"
    )
    projects.change(project.experiments / "coin.py", "item / 6", "item / 3")
    assert build.make_all(project).changed[0].summary == (
        "1 of 1 value changed, without known noise; no claim changed"
    )
    assert build.diff(project)[0].changes.old == "the report published before"


@pytest.mark.slow
def test_settings_edited_while_the_build_runs_make_the_report_again(project):
    made = build.make_all(project, jobs=1).reports[0].made
    assert made is not None

    settings = project.root / "report.toml"
    projects.write(project.templates / "report.tex.j2", TEMPLATE.replace("mean", "average"))
    settings.write_text(settings.read_text() + "# edited after this process had read it\n")
    assert build.pdf(project)[0].made is not None
    assert build.plan(project).reports == {project.pdf: ["report.toml changed"]}


@pytest.mark.slow
def test_a_quick_build_is_neither_packed_nor_checked(project):
    quick = projects.make(project.root, {"coin": COIN}, quick=True)
    built = build.make_all(quick)
    assert built.reports[0].made.pages == 1
    assert (built.packed, built.checked) == (None, None)
    assert not quick.submission.exists()
    assert build.plan(quick).handin is None


@pytest.mark.slow
def test_a_build_asks_for_a_paragraph_until_it_is_accepted_and_then_only_packs_again(project):
    projects.change(project.templates / "report.tex.j2", "The mean", '\\BLOCK{about "coin.params"}The mean')
    asked = build.make_all(project).asked.notices
    assert [line.partition(": ")[0] for line in asked] == ["report_templates/report.tex.j2:4"]
    again = build.make_all(project)
    assert (again.reports[0].made, again.packed.submission, again.asked.notices) == (None, None, asked)
    assert [waits.pin.target for waits in build.waiting(project)] == ["coin.params"]
    build.accept(project, ["coin.params"])
    last = build.make_all(project)
    assert (last.reports[0].made, last.asked.notices) == (None, ())
    assert "accepted.toml" in last.packed.submission.files


def test_the_plan_says_what_would_be_made_and_makes_nothing(project):
    planned = build.plan(project)
    assert [(step.experiment, step.state) for step in planned.experiments] == [("coin", "stale")]
    assert planned.reports == {project.pdf: ["never made"]}
    assert not project.results.exists()


def test_experiments_alone_can_be_run_with_other_parameters(project):
    ran = build.run(project, ["coin"], settings={"coin": {"seed": "7"}})
    assert (ran.total, ran.ran) == (1, ("coin",))
    assert build.run(project, settings={"coin": {"seed": "7"}}).ran == ()
    assert build.run(project).ran == ("coin",)
    assert build.run(project, settings={"coin": {"seed": "7"}}).restored == ("coin",)


def test_a_failed_experiment_is_raised(project):
    projects.write(project.experiments / "dice.py", projects.returning("1 / 0"))
    with pytest.raises(ExperimentError, match="dice"):
        build.run(project)
    assert (project.results / "coin" / "result.json").is_file()


def test_the_report_is_not_made_from_results_that_are_out_of_date(project):
    with pytest.raises(ExperimentError, match="out of date: no result yet") as caught:
        build.pdf(project)
    assert f"`{project.command('run', 'coin')}`" in caught.value.cure


def test_the_report_is_not_made_from_results_that_the_store_would_replace(project):
    build.run(project)
    build.run(project, settings={"coin": {"seed": "7"}})
    assert [step.state for step in build.plan(project).experiments] == ["stored"]
    with pytest.raises(ExperimentError, match="out of date: seed was 7, is 0"):
        build.pdf(project)
    assert build.run(project).restored == ("coin",)
    assert [step.state for step in build.plan(project).experiments] == ["fresh"]


def test_a_clean_waits_for_no_other_build(project):
    with build.building(project), pytest.raises(BusyError):
        build.clean(project, dry_run=True)


def test_the_lock_refuses_a_second_build_and_goes_with_its_process(project):
    hold = (
        "import sys; from pathlib import Path; from labreport import build, project\n"
        "with build.building(project.load(Path(sys.argv[1]))):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, project.root],
        env={"PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=f"process {holder.pid}"), build.building(project):
            pass
        with pytest.raises(BusyError):
            build.make_all(project)
    finally:
        holder.kill()
        holder.communicate()
    with build.building(project):
        assert project.lock.read_text(encoding="utf-8").startswith("process ")


def test_a_build_that_only_renews_a_notebook_has_made_something(tmp_path):
    def built(*woven):
        first = (outcomes.Experiments(1), (outcomes.Report(tmp_path, None, 0.1),), ())
        last = (outcomes.Claims(None), outcomes.Asked(()), (outcomes.Page(tmp_path, None),))
        return outcomes.Built(*first, outcomes.Notebooks(woven), *last)

    fresh = Woven("n", tmp_path, 1, None)
    assert built(fresh).is_nothing
    assert not built(fresh, Woven("n", tmp_path, 1, 0.5)).is_nothing
    assert not built(fresh, Woven("n", tmp_path, 1, None, is_renewed=True)).is_nothing


# ---------------------------------------------------------------------------------------- damaged records


DRAWN = COIN + (
    "\n\ndef draw(result, lab):\n    from matplotlib.figure import Figure\n"
    "    figure = Figure()\n    figure.add_subplot().plot([1, result.values['half']])\n"
    "    lab.figure('line', figure, alt='It rises.')\n"
)
DATELESS = r"""\documentclass{article}
\usepackage{labreport}
\title{A coin}\author{}
\begin{document}
\maketitle
The mean is \VAR{coin.values.half|num}: \BLOCK{claim "small", coin.values.half < 1}small\BLOCK{endclaim}.
\VAR{coin.figures.line|figure}
\end{document}
"""


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """A project whose report was published twice, so that there are records of both."""
    project = projects.make(tmp_path_factory.mktemp("twice"), {"coin": DRAWN})
    template = project.templates / "report.tex.j2"
    projects.write(template, DATELESS.replace("The mean", "A mean"))
    build.make_all(project)
    projects.write(template, DATELESS)
    build.make_all(project)
    return project


def swapped(value):
    """Return JSON of the same keys in which each value is of another type."""
    if isinstance(value, dict):
        return {key: swapped(item) for key, item in value.items()}
    return {str: 5, int: "x", float: "../x", bool: [1]}.get(type(value), 10**300)


def sealed(data):
    """Return a record with other types that is whole by its checksum, if it has one."""
    plain = json.loads(data[data.find(b"\n") + 1 :] if data[:1] != b"{" else data)
    told = isinstance(plain, dict) and plain.pop("checksum", None)
    plain = swapped(plain)
    return strict_json.seal({**plain, "schema": 2}) if told else json.dumps(plain).encode()


DAMAGES = {
    "cut": lambda data: data[: len(data) // 2],
    "nested deeply": lambda data: b"[" * 10_000 + b"]" * 10_000,
    "of another version": lambda data: b'{"schema": 1}',
    "of other types": sealed,
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_records_that_are_damaged_are_made_again(twice, tmp_path, damage):
    shutil.copytree(twice.root, tmp_path / "copy")
    project = projects.projects.load(tmp_path / "copy")
    records = sorted(project.build.rglob("*.json"))
    assert {"provenance.json", "claims.json", "state.json", "figures.json", "run.json"} <= {
        p.name for p in records
    }
    for path in records:
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    built = build.make_all(project, jobs=2)
    assert built.pages[0].notices == ()
    assert project.pdf.read_bytes() == twice.pdf.read_bytes()
    code = project.submission / "code.zip"
    assert code.read_bytes() == (twice.submission / "code.zip").read_bytes()
    assert build.make_all(project).is_nothing
    assert [claim.name for claim in claims.read(project)] == ["small"]


@pytest.mark.slow
def test_a_report_without_a_date_prints_none(twice):
    text = pypdf.PdfReader(twice.pdf).pages[0].extract_text()
    assert "A coin" in text
    assert "20" not in text
