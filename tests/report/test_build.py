"""The command line end to end, on a small project of another subject than ours."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from coins import ROOT, User, write_project
from pypdf import PdfReader

pytestmark = pytest.mark.slow
TEMPLATE = "report_templates/report.tex.j2"


def pdf_text(user: User) -> str:
    return " ".join(page.extract_text() for page in PdfReader(user.path("build/report.pdf")).pages)


def test_builds_a_project_of_another_subject_from_nothing(built_once):
    result = json.loads(built_once.path("build/results/coin/result.json").read_text())
    share = result["values"]["share"]
    text = " ".join(pdf_text(built_once).split())
    decimals = len(f"{share['std']:.2g}".split(".")[1])
    assert f"{share['mean']:.{decimals}f}" in text
    assert "heads & tails" in text
    assert "A & B" in text
    assert "def share(tosses, seed)" in text


def test_provenance_names_key_and_template_line_of_every_value(built_once):
    record = json.loads(built_once.path("build/provenance.json").read_text())
    source = built_once.path("build/latex/report.tex").read_text().splitlines()
    by_expression = {e["expression"]: e for e in record["printed"]}
    entry = by_expression["coin.values.share|pm"]
    assert entry["keys"] == ["coin.values.share"]
    assert entry["line"] == built_once.line_of(TEMPLATE, "coin.values.share|pm")
    assert {"coin.tables.repeats[2].share"} in [set(e["keys"]) for e in record["printed"]]
    assert len(record["printed"]) > 10
    for printed in record["printed"]:
        first = printed["text"].splitlines()[0]
        assert source[printed["file_line"] - 1][printed["file_column"] - 1 :].startswith(first)


def test_a_second_build_does_nothing_and_imports_nothing_heavy(built_once):
    before = built_once.path("build/report.pdf").stat().st_mtime_ns
    code = (
        "import sys; sys.argv[1:] = ['--project', sys.argv[1]]\n"
        "import runpy\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'torch', 'matplotlib', 'pandas', 'wandb', 'jinja2', 'numpy', 'scipy', 'asyncio', 'pypdf',\n"
        "         'rich', 'nbformat', 'pygments', 'multiprocessing'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    script = (
        f"import sys; sys.argv = [{str(ROOT / 'build_report.py')!r}, {str(built_once.folder)!r}]\n" + code
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stdout
    assert built_once.path("build/report.pdf").stat().st_mtime_ns == before


def test_latexmk_in_the_generated_folder_gives_the_same_bytes(user):
    expected = user.path("build/report.pdf").read_bytes()
    subprocess.run(["latexmk"], cwd=user.path("build/latex"), check=True, capture_output=True)
    assert user.path("build/latex/report.pdf").read_bytes() == expected


def test_two_builds_in_different_folders_give_the_same_bytes(built_once, tmp_path):
    other = write_project(tmp_path / "another place ü")
    other.run("--jobs", "1")
    for name in ("build/report.pdf", "build/results/coin/result.json", "build/provenance.json"):
        assert other.path(name).read_bytes() == built_once.path(name).read_bytes(), name


def test_set_reruns_one_experiment_and_plan_says_what_comes_back_from_the_store_and_why(user):
    user.run("run", "coin", "--set", "coin.repeats=5")
    result = json.loads(user.path("build/results/coin/result.json").read_text())
    assert result["params"]["repeats"] == 5
    plan = user.run("plan").stdout
    line = next(line for line in plan.splitlines() if line.startswith("coin"))
    assert "stored" in line
    assert "repeats was 5, is 8" in line
    refused = user.run("pdf", check=4)
    assert "coin" in refused.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("coin.repeat=5", "repeats"),
        ("coin.repeats=many", "int"),
        ("coins.repeats=5", "coin"),
        ("repeat=5", "NAME.KEY"),
    ],
)
def test_wrong_settings_are_refused_with_the_right_ones(user, setting, words):
    done = user.run("run", "coin", "--set", setting, check=2)
    assert words in done.stderr


def test_another_colour_draws_again_and_computes_nothing(user):
    before = user.path("build/results/coin/run.json").read_bytes()
    figure = user.path("build/results/coin/figures/histogram.pdf").read_bytes()
    user.edit("experiments/coin.py", 'COLOUR = "black"', 'COLOUR = "grey"')
    user.run()
    assert user.path("build/results/coin/run.json").read_bytes() == before
    assert user.path("build/results/coin/figures/histogram.pdf").read_bytes() != figure


def test_a_comment_runs_nothing_again(user):
    before = user.path("build/results/coin/run.json").read_bytes()
    user.edit("experiments/coin.py", "# one toss at a time", "# toss by toss")
    user.run()
    assert user.path("build/results/coin/run.json").read_bytes() == before
    assert "toss by toss" in pdf_text(user)


@pytest.mark.parametrize(
    ("old", "new", "marker", "code", "words"),
    [
        ("coin.values.share|pm", "coin.vaules.share|pm", "vaules", 3, "values"),
        ("coin.values.note", "coin.values.nose", "nose", 3, "note"),
        ("coin.values.share|pm", "coin.values.share|pmm", "|pmm", 3, "did you mean 'pm'"),
        ("by \\VAR{report", "by \\emph{\\VAR{report", "by \\emph", 3, "never closed"),
        (
            "by \\VAR{report",
            "by \\undefinedcommand \\VAR{report",
            "undefinedcommand",
            5,
            "Undefined control sequence",
        ),
        ("\\cref{sec:coins,", "\\cref{sec:coinz,", "coinz", 5, "coinz"),
        ("note: ", "note: \\citep{nobody} ", "nobody", 5, "nobody"),
        ("by \\VAR{report", "by $x_1 \\VAR{report", "by $x_1", 5, "$"),
        ("\\end{table}", "\\end{tabel}", "\\end{tabel}", 3, "'table'"),
    ],
)
def test_a_mistake_in_a_template_is_shown_at_its_line_and_the_last_pdf_stays(
    user, old, new, marker, code, words
):
    before = user.path("build/report.pdf").read_bytes()
    user.edit(TEMPLATE, old, new)
    done = user.run(check=code)
    assert f"{TEMPLATE}:{user.line_of(TEMPLATE, marker)}" in done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 12
    assert user.path("build/report.pdf").read_bytes() == before
    assert not list(user.path("build").glob(".scratch*"))
    user.edit(TEMPLATE, new, old)
    assert "up to date" in user.run().stdout


def test_hostile_text_in_a_result_is_printed_literally(user):
    hostile = (
        r"\input{/etc/passwd} 100% $x$ & # _ ~ ^ {un}balanced} \end{document} \VAR{coin} [1cm] *x --flag"
    )
    user.edit("experiments/coin.py", '"heads & tails"', repr(hostile))
    user.run()
    assert "".join(hostile.split()) in "".join(pdf_text(user).split())


def test_a_failing_experiment_is_named_the_others_go_on_and_no_pdf_is_published(user):
    before = user.path("build/report.pdf").read_bytes()
    user.path("experiments/dice.py").write_text(
        "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Params:\n    seed: int = 0\n\n"
        "def run(params, lab):\n    return {'six': 1 / params.seed}\n"
    )
    user.edit("experiments/coin.py", "tosses: int = 100", "tosses: int = 101")
    done = user.run(check=4)
    assert "dice" in done.stderr
    assert "division by zero" in done.stderr
    assert json.loads(user.path("build/results/coin/result.json").read_text())["params"]["tosses"] == 101
    assert user.path("build/report.pdf").read_bytes() == before


def test_an_experiment_with_a_name_of_the_template_language_is_refused(user):
    user.path("experiments/coin.py").rename(user.path("experiments/report.py"))
    done = user.run(check=3)
    assert "experiments/report.py" in done.stderr
    assert "rename" in done.stderr


def test_quick_builds_write_below_quick_only_and_say_so_on_the_page(user):
    before = user.path("build/report.pdf").read_bytes()
    user.run("--quick")
    assert user.path("build/report.pdf").read_bytes() == before
    page = PdfReader(user.path("build/quick/report.pdf")).pages[0].extract_text()
    assert "quick build" in page
    assert "After 10 tosses" in " ".join(page.split())


def test_a_killed_build_leaves_the_last_pdf_or_the_new_one_and_the_next_build_works(user):
    before = user.path("build/report.pdf").read_bytes()
    user.edit(TEMPLATE, "After ", "After all ")
    command = [sys.executable, str(ROOT / "build_report.py"), "--project", str(user.folder)]
    seen = set()
    for delay in (0.1, 0.25, 0.4, 0.55, 1.1):  # the last one may come when all is done
        build = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(delay)
        os.killpg(build.pid, signal.SIGKILL)
        build.wait()
        seen.add(user.path("build/report.pdf").read_bytes())
    user.run()
    assert seen <= {before, user.path("build/report.pdf").read_bytes()}
    assert "After all 100 tosses" in " ".join(pdf_text(user).split())
    assert not list(user.path("build").glob(".scratch*"))


def test_a_second_build_in_the_same_folder_is_told_at_once(user):
    user.edit("experiments/coin.py", "    shares = lab", "    import time; time.sleep(30)\n    shares = lab")
    command = [sys.executable, str(ROOT / "build_report.py"), "--project", str(user.folder)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        done = user.run(check=75)
        assert str(first.pid) in done.stderr
    finally:
        first.send_signal(signal.SIGINT)
        first.wait(20)
    assert first.returncode == 130


def test_without_the_environment_the_main_file_says_what_to_run(tmp_path: Path):
    bare = shutil.which("python3", path="/usr/bin") or sys.executable
    done = subprocess.run(
        [bare, "-I", "-S", str(ROOT / "build_report.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 6
    assert "make report" in done.stderr
    assert "Traceback" not in done.stderr
