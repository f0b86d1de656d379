"""The command line: what a user types, and what is read of it."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import compared
import pinned
import projects
import pytest
from click.testing import CliRunner

import labreport
from labreport import __main__ as program
from labreport import build, cli, outcomes, running, unchanged
from labreport.progress import Progress
from labreport.telling import Lines

ROOT = Path(__file__).parents[2]
COIN = projects.returning("1", params="@dataclass(frozen=True)\nclass Params:\n    tosses: int = 10\n")
BARE = projects.returning("1", params="@dataclass(frozen=True)\nclass Params:\n    pass\n")


def labreport_command(*arguments: str, cwd: Path, main: bool = False) -> subprocess.CompletedProcess[str]:
    program = ["build_report.py"] if main else ["-m", "labreport"]
    if main:
        program = [str(ROOT / "build_report.py")]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_interruption_before_anything_is_begun_is_told_in_one_line(monkeypatch, capsys):
    def interrupted(otherwise):
        raise KeyboardInterrupt

    monkeypatch.setattr(unchanged, "look", interrupted)
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted before anything had begun\n"


@pytest.mark.parametrize(
    ("interpreter", "program", "typed"),
    [
        (["python", "build_report.py", "plan"], ["build_report.py", "plan"], "python build_report.py"),
        ([".venv/bin/python", "../x y.py"], ["../x y.py"], ".venv/bin/python '../x y.py'"),
        (["python3", "-X", "dev", "b.py", "-h"], ["b.py", "-h"], "python3 -X dev b.py"),
        (["python", "-m", "labreport", "run", "a"], ["/l/__main__.py", "run", "a"], "python -m labreport"),
        (["/v/bin/python", "/v/bin/labreport", "plan"], ["/v/bin/labreport", "plan"], "labreport"),
        (["/w/bin/python", "w/bin/labreport"], ["w/bin/labreport"], "w/bin/labreport"),
    ],
)
def test_the_program_is_named_as_it_was_typed(monkeypatch, interpreter, program, typed):
    monkeypatch.setattr("shutil.which", lambda name: f"/v/bin/{name}")
    assert cli._typed(interpreter, program) == typed


def test_the_version_is_that_of_the_package(tmp_path):
    done = labreport_command("--version", cwd=tmp_path)
    assert done.stdout == f"labreport {labreport.__version__}\n"


def test_without_a_project_one_error_says_what_to_do(tmp_path):
    done = labreport_command("plan", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no project here")
    assert "cure: " in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_the_main_file_takes_the_project_around_the_current_folder_before_its_own(tmp_path):
    inner = projects.make(tmp_path / "own", {"coin": COIN}).root / "experiments"
    assert "coin " in labreport_command("plan", cwd=inner, main=True).stdout
    outside = labreport_command("plan", cwd=tmp_path, main=True).stdout
    assert "coin " not in outside
    assert "depth_width " in outside


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [
        ("coin.tosses", "write for example --set coin.tosses=10"),
        ("toses=5", "write for example --set coin.tosses=10"),
        (".tosses=5", "write for example --set coin.tosses=10"),
        ("coin.=5", "write for example --set coin.tosses=10"),
    ],
)
def test_a_wrong_setting_is_answered_with_one_of_the_users_own_experiments(
    tmp_path, monkeypatch, wrong, cure
):
    monkeypatch.chdir(projects.make(tmp_path, {"a_bare": BARE, "coin": COIN}).root)
    done = CliRunner().invoke(cli.commands, ["run", "coin", "--set", wrong])
    assert done.exception.cure == cure
    assert done.exception.exit_code == 2


def test_no_message_of_the_engine_names_an_experiment_or_the_main_file_of_another_project():
    names = [path.stem for path in (ROOT / "experiments").glob("*.py")]
    assert len(names) > 10
    for path in (ROOT / "src" / "labreport").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert [name for name in names if "_" in name and name in text] == [], path.name
        assert "`python build_report" not in text, path.name


def test_options_may_stand_before_and_after_the_command(tmp_path):
    folder = str(projects.make(tmp_path, {"coin": COIN}).root)
    for arguments in (["--project", folder, "--quick", "plan"], ["plan", "--project", folder, "--quick"]):
        done = CliRunner().invoke(cli.commands, arguments)
        assert "build/quick/report.pdf" in done.output


@pytest.mark.parametrize("name", sorted(cli.commands.commands))
def test_every_command_is_described_and_has_the_common_options(name):
    command = cli.commands.commands[name]
    assert command.help
    options = {option for p in command.params if isinstance(p, click.Option) for option in p.opts}
    assert {"--project", "--jobs", "--quick"} <= options
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert name == "all" or f"labreport {name}" in readme or f"build_report.py {name}" in readme


REASONS = [f"parameter_{n} was 0, is 1" for n in range(8)]


@pytest.fixture
def changed(tmp_path):
    return make_changed(tmp_path)


@projects.once
def make_changed(folder):
    """Return a project with an experiment that has changed in much since it ran, and one that never ran."""
    fields = "".join(f"    parameter_{n}: int = 0\n" for n in range(8))
    params = f"@dataclass(frozen=True)\nclass Params:\n{fields}"
    made = projects.make(folder, {"coin": projects.returning("{}", params=params)})
    running.execute(made)
    coin = made.experiments / "coin.py"
    coin.write_text(coin.read_text().replace("int = 0", "int = 1"))
    projects.write(made.experiments / "dice.py", BARE)
    return made


def test_a_plan_in_a_pipe_has_one_line_for_each_thing_with_every_reason(changed):
    lines = labreport_command("plan", cwd=changed.root).stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [
        "what", "coin", "dice", "build/report.pdf", "build/report.html", "build/submission",
    ]  # fmt: skip
    assert lines[1].endswith("; ".join(REASONS))
    assert lines[-1].startswith("2 of 2 experiments would run: about ")
    assert lines[-1].endswith(", 1 unknown")


def test_a_plan_on_a_terminal_is_not_wider_than_it(changed):
    reader, writer = os.openpty()
    subprocess.run(
        [sys.executable, "-m", "labreport", "plan"],
        cwd=changed.root,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "COLUMNS": "60"},
        stdout=writer,
        check=True,
    )
    os.close(writer)
    lines = os.read(reader, 100_000).decode().splitlines()
    os.close(reader)
    assert max(map(len, lines[:-1])) <= 60
    assert "and 5 more" in "".join(lines)


def test_a_plan_of_named_experiments_has_every_reason_on_a_line_of_its_own(changed):
    lines = labreport_command("plan", "coin", cwd=changed.root).stdout.splitlines()
    assert lines[0].startswith("coin: stale (last time ")
    assert lines[1:] == [f"  {reason}" for reason in REASONS]
    unknown = labreport_command("plan", "coins", cwd=changed.root)
    assert unknown.returncode == 2
    assert "did you mean 'coin'?" in unknown.stderr


def test_a_run_says_what_came_from_the_store(changed):
    labreport_command("run", "coin", cwd=changed.root)
    back = labreport_command("run", "coin", "--set", "coin.parameter_0=5", cwd=changed.root)
    assert "coin: ran in" in back.stdout
    done = labreport_command("run", "coin", cwd=changed.root).stdout.splitlines()
    assert done[0] == "coin: restored from the store (parameter_0 was 5, is 1)"
    assert done[1].startswith("results are in build/results: coin from the store (")


def test_a_clean_prints_what_it_removes_with_sizes_and_a_total(changed):
    projects.write(changed.results / "gone" / "result.json", "x" * 1500)
    (changed.log / "gone.log").write_text("x" * 25)
    expected = [
        "build/results/gone: a result of an experiment that does not exist (1.5 kB)",
        "build/log/gone.log: the log of an experiment or notebook that does not exist (25 B)",
        "1.5 kB",
    ]
    dry = labreport_command("clean", "--dry-run", cwd=changed.root)
    assert dry.stdout.splitlines() == [f"would remove {line}" for line in expected]
    assert (changed.results / "gone").is_dir()
    assert labreport_command("clean", cwd=changed.root).stdout.splitlines() == [
        f"removed {x}" for x in expected
    ]
    assert labreport_command("clean", cwd=changed.root).stdout == "nothing is left over\n"


def test_accept_lists_what_waits_and_notes_what_is_named(tmp_path):
    pinned.make(tmp_path)
    waiting = labreport_command("accept", cwd=tmp_path)
    assert waiting.returncode == 0
    place, begins, *others = waiting.stdout.splitlines()
    assert place == "report_templates/report.tex.j2:6: it was never read against training:fit"
    assert begins.strip() == "The loop adds all and scales."
    assert len(others) == 4
    assert labreport_command("accept", "training:fit", cwd=tmp_path).stdout == "accepted: training:fit\n"
    wrong = labreport_command("accept", "exp.parms", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "did you mean 'exp.params'" in wrong.stderr
    done = labreport_command("accept", "--all", cwd=tmp_path)
    assert done.stdout == "accepted: exp.params\naccepted: exp.values.shape\n"
    assert labreport_command("accept", cwd=tmp_path).stdout == "no paragraph waits to be read\n"


@pytest.mark.parametrize("arguments", [["run"], ["all"], [], ["run", "coin"]])
def test_each_command_that_runs_experiments_can_run_them_on_a_cluster(tmp_path, arguments):
    folder = str(projects.make(tmp_path, {"coin": COIN}).root)
    for order in ([*arguments, "--cluster", "nowhere"], ["--cluster", "nowhere", *arguments]):
        done = CliRunner().invoke(cli.commands, ["--project", folder, *order])
        assert done.exception.exit_code == 2
        assert done.exception.what.startswith("--cluster 'nowhere' is not a valid address")


class TestDiff:
    @pytest.fixture
    def changed(self, tmp_path):
        """Return a project whose results have changed since its report was published."""
        project = compared.coin(tmp_path / "p")
        compared.publish(project)
        compared.shift(project, 0.0, 0.25)
        return project

    def test_what_changed_is_printed_and_is_no_failure(self, changed):
        done = labreport_command("diff", cwd=changed.root)
        assert (done.returncode, done.stderr) == (0, "")
        first, *rest = done.stdout.splitlines()
        assert first.startswith(
            "the report as results and templates are now, compared with the published report: "
        )
        assert "  0.500 → 0.750  (+0.25, +50 %, 1.8 half-widths, beyond noise)" in rest
        assert "      before and after: build/diff/coin-line.png" in rest

    def test_programs_get_json_alone(self, changed):
        done = labreport_command("diff", "--json", cwd=changed.root)
        plain = json.loads(done.stdout)
        assert [value["new_value"] for value in plain["values"]] == [0.75, 1.25]
        assert plain["figures"][0]["picture"] == "build/diff/coin-line.png"

    def test_the_exit_code_tells_a_difference_if_asked(self, changed):
        assert labreport_command("diff", "--exit-code", cwd=changed.root).returncode == 1
        compared.shift(changed, 0.25, 0.0)
        assert labreport_command("diff", "build/..", "--exit-code", cwd=changed.root).returncode == 0

    def test_results_that_are_out_of_date_are_named(self, changed):
        projects.change(changed.experiments / "coin.py", "shift: float = 0.25", "shift: float = 0.5")
        first = labreport_command("diff", cwd=changed.root).stdout.splitlines()[0]
        assert "are now (results out of date: coin), compared with" in first

    def test_what_is_no_other_report_is_a_mistake_of_the_user(self, changed):
        done = labreport_command("diff", "no-such-thing", cwd=changed.root)
        assert done.returncode == 2
        assert done.stderr.startswith("error: 'no-such-thing' is neither a file nor a folder nor a revision")


def test_a_build_ends_with_what_changed_in_the_report(tmp_path, capsys):
    lines = Lines(projects.make(tmp_path, {}), Progress())
    lines.show(
        outcomes.Changed(lines.project.pdf, "7 of 1,411 values changed, all within noise; no claim changed")
    )
    assert capsys.readouterr().out == (
        "since the last report: 7 of 1,411 values changed, all within noise; no claim changed\n"
    )
    lines.show(outcomes.Changed(lines.project.pdf, None))
    assert capsys.readouterr().out == ""


def test_the_record_of_a_build_that_made_nothing_is_kept_unless_another_build_is_at_work(tmp_path):
    project = projects.make(tmp_path / "p", {})
    folder = project.build / "cache"
    record = (str(folder / "unchanged"), b"a record")
    with build.building(project):
        cli._keep(project, record)
    assert list(folder.glob("*")) == []
    cli._keep(project, record)
    assert [path.name for path in folder.iterdir()] == ["unchanged"]


class TestSecrets:
    """Of what the user's code says, the secrets are masked: others may read the terminal, or a log of it."""

    VALUE = "sesame-open-7-please"

    def said(self, tmp_path, monkeypatch, capsys, body):
        monkeypatch.setenv("DB_PASS", self.VALUE)
        source = projects.experiment(f"def run(params, lab):\n    {body}\n    return {{}}\n")
        project = projects.make(tmp_path / "p", {"one": source})
        monkeypatch.setattr("sys.argv", ["labreport", "run", "--project", str(project.root)])
        with contextlib.suppress(SystemExit):
            cli.main()
        said = capsys.readouterr()
        return said.out + said.err

    def test_in_a_message_and_the_line_that_it_quotes(self, tmp_path, monkeypatch, capsys):
        body = f'raise ConnectionError("https://me:{self.VALUE}@example.org refuses {self.VALUE}")'
        said = self.said(tmp_path, monkeypatch, capsys, body)
        assert "ConnectionError: https://me:***@example.org refuses ***" in said
        assert "sesame" not in said

    def test_in_a_notice(self, tmp_path, monkeypatch, capsys):
        said = self.said(tmp_path, monkeypatch, capsys, f'lab.notice("it is {self.VALUE}")')
        assert "notice: it is ***" in said
        assert "sesame" not in said
