"""Programs in any language that compute for an experiment."""

import os
import shutil
import time
from pathlib import Path

import projects
import pytest
from projects import experiment, make, reasons, run, states

from labreport.errors import ExperimentError
from labreport.results import load, recorded_run
from labreport.running import Lab

SCRIPT = "#!/bin/sh\nwc -l < data/x.txt\n"


@pytest.fixture
def lab(tmp_path):
    project = make(tmp_path, {})
    projects.write(tmp_path / "data" / "x.txt", "1\n2\n3.5\n")
    projects.write(tmp_path / "data" / "more" / "y.txt", "y\n")
    projects.write(tmp_path / "tools" / "count.sh", SCRIPT)
    projects.write(tmp_path / "tools" / "plain.sh", SCRIPT)
    (tmp_path / "tools" / "count.sh").chmod(0o755)
    return Lab(project, "exp", {})


@pytest.mark.parametrize(
    ("command", "inputs", "printed"),
    [
        (["awk", "-v", "k=2", "{ s += $1 } END { print s * k }", "data/x.txt"], (), "13\n"),
        (["sh", "-c", 'cat; echo "$1"', "sh", 0.5], (), "0.5\n"),  # its standard input is empty
        (["tools/count.sh"], ["data/x.txt"], "3\n"),
        (["sh", Path("tools/plain.sh")], ["./data/../data/x.txt"], "3\n"),
        (["cat", "data/more/y.txt"], ["data"], "y\n"),
        (["dd", "if=data/x.txt", "bs=2", "count=1"], (), "1\n"),
        (["cat", "a.txt", "b.txt"], {"a.txt": "µ\n", "b.txt": b"b\n"}, "µ\nb\n"),
        (["find", ".", "-type", "f"], (), ""),
    ],
)
def test_a_program_finds_its_inputs_by_their_names_and_what_it_prints_is_returned(
    lab, command, inputs, printed
):
    assert lab.command(command, inputs=inputs).text == printed


def test_what_one_program_writes_another_is_given(lab):
    first = lab.command(["sh", "-c", "echo 7 > out/a.txt; echo lost > b.txt"], outputs=["out/a.txt"])
    assert {name: path.read_text() for name, path in first.outputs.items()} == {"out/a.txt": "7\n"}
    assert lab.command(["cat", "in.txt"], inputs={"in.txt": first.outputs["out/a.txt"]}).text == "7\n"
    assert not (lab.project.root / "out").exists()


def test_a_program_cannot_change_its_inputs_for_others(lab):
    lab.command(["sh", "-c", "echo changed > data/x.txt"], inputs=["data/x.txt"])
    assert (lab.project.root / "data" / "x.txt").read_text() == "1\n2\n3.5\n"


def test_variables_are_those_that_are_the_same_everywhere_and_its_own(lab, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    lines = lab.command(["env"], env={"OWN": "1"}).text.splitlines()
    assert {"OWN=1", "TZ=UTC", "LC_ALL=C.UTF-8"} <= set(lines)
    assert not any("TOKEN" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "what", "cure"),
    [
        ({"command": ["no-such-tool", "x"]}, "'no-such-tool' is not on PATH", "install no-such-tool"),
        ({"command": ["tools/nope"]}, "'tools/nope' is not in the project", "correct its path"),
        ({"command": ["tools/plain.sh"]}, "tools/plain.sh is not executable", "chmod +x tools/plain.sh"),
        ({"command": "awk x"}, "takes a list of words", "one text for each"),
        ({"command": []}, "an empty list", "begin it with a program"),
        ({"command": ["true"], "inputs": "a"}, "inputs='a', a text", 'inputs=("a",)'),
        ({"command": ["true"], "inputs": ["data/xx.txt"]}, "'data/xx.txt'", "did you mean 'data/x.txt'"),
        (
            {"command": ["true"], "outputs": ["../a"]},
            "'../a' among its outputs, which leads out",
            "name files",
        ),
        ({"command": ["true"], "deadline": 0}, "deadline=0", "a number of seconds"),
        ({"command": ["touch", "a.cvs"], "outputs": ["a.csv"]}, "did not write a.csv", "'a.cvs'"),
        ({"command": ["sh", "-c", "exit 3"]}, "with code 3", "is in the log"),
        ({"command": ["cat", "./data/x.txt", "no.txt"]}, "with code 1", "is in the log"),
        ({"command": ["sh", "tools/plain.sh"]}, "with code", 'inputs=("data/x.txt",)'),
        ({"command": ["sh", "-c", "kill -SEGV $$"]}, "SIGSEGV", "is in the log"),
    ],
)
def test_what_goes_wrong_is_told_with_its_cure(lab, arguments, what, cure):
    with pytest.raises(ExperimentError) as caught:
        lab.command(**arguments)
    assert what in caught.value.what
    assert cure in caught.value.cure


def test_a_failure_shows_the_command_its_files_and_its_last_words(lab):
    complain = "i=0; while [ $i -lt 9 ]; do i=$((i+1)); echo line $i >&2; done; exit 1"
    with pytest.raises(ExperimentError) as caught:
        lab.command(["sh", "-c", complain], inputs=["data/x.txt"])
    assert "`sh -c" in caught.value.what
    own, *last = caught.value.notes
    assert own == "it ran in a folder of its own, with data/x.txt"
    assert last == [f"line {i}" for i in range(5, 10)]


def test_after_its_deadline_a_program_is_ended_with_all_that_it_has_started(lab, tmp_path):
    alive = tmp_path / "alive"
    script = f"(while :; do touch {alive}; sleep 0.01; done) & sleep 60"
    with pytest.raises(ExperimentError, match=r"was stopped after 0\.2 s, its deadline"):
        lab.command(["sh", "-c", script], deadline=0.2)
    time.sleep(0.05)
    alive.unlink()
    time.sleep(0.1)
    assert not alive.exists()


def test_what_a_program_leaves_running_keeps_nobody_waiting(lab):
    process = lab.command(["sh", "-c", "sleep 30 & echo $!"])
    os.kill(int(process.text), 9)  # ProcessLookupError if the command had waited for it


BODY = """
def run(params, lab):
    lab.command(["sh", "tools/f.sh"], inputs=["data"])
    items = lab.map(lambda i: int(lab.command(["awk", f"{{ print $1 + {i} }}", "one.txt"]).text), range(2))
    lab.command(["sh", "-c", "echo complaint >&2"])
    return {"items": items}
"""


@pytest.fixture
def project(tmp_path):
    project = make(tmp_path, {"exp": experiment(BODY)})
    projects.write(tmp_path / "tools" / "f.sh", "cat data/a/b.txt")
    projects.write(tmp_path / "data" / "a" / "b.txt", "x")
    projects.write(tmp_path / "one.txt", "1\n")
    return project


def test_inputs_and_programs_make_a_result_stale_and_are_no_surprise(project):
    events = []
    run(project, events=events.append)
    assert load(project, "exp").values == {"items": [1, 2]}
    assert not [event for event in events if event.kind == "notice"]
    assert "complaint" in (project.log / "exp.log").read_text()
    parts = recorded_run(project, "exp").fingerprint
    assert set(parts.named("file")) == {"tools/f.sh", "data/a/b.txt", "one.txt"}
    assert set(parts.named("program")) == {"awk", "sh"}
    assert sorted(path.name for path in (project.results / "exp").iterdir()) == ["result.json", "run.json"]
    assert states(project) == {"exp": "fresh"}
    projects.write(project.root / "data" / "new.txt", "")
    assert "data" in " ".join(reasons(project, "exp"))
    (project.root / "data" / "new.txt").unlink()
    projects.write(project.root / "tools" / "f.sh", "cat data/a/b.txt ")
    assert "tools/f.sh" in " ".join(reasons(project, "exp"))


def test_finished_items_that_call_programs_are_kept_unless_they_tell_of_its_folder(tmp_path):
    body = """
    def number(lab, i):
        print("number", i)
        return int(lab.command(["echo", i]).text)

    def folder(lab, i):
        print("folder", i)
        return lab.command(["true"]).folder

    def run(params, lab):
        lab.map(lambda i: folder(lab, i), [0])
        return {"x": lab.map(lambda i: number(lab, i), range(2))}
    """
    project = make(tmp_path, {"exp": experiment(body)})
    run(project)
    projects.change(project.experiments / "exp.py", "range(2)", "range(3)")
    run(project)
    assert load(project, "exp").values == {"x": [0, 1, 2]}
    assert (project.log / "exp.log").read_text().split("\n") == ["folder 0", "number 2", "2", ""]


R = """
def run(params, lab):
    fit = lab.command(["Rscript", "r/fit.R", params.seed], inputs=["x.csv"], outputs=["fit.csv"])
    return {"mean": float(fit.text), "lines": len(fit.outputs["fit.csv"].read_text().splitlines())}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_an_experiment_in_r(tmp_path):
    project = make(tmp_path, {"fit": experiment(R)})
    projects.write(tmp_path / "x.csv", "x\n1\n2\n6\n")
    projects.write(
        tmp_path / "r" / "fit.R",
        'x <- read.csv("x.csv")$x\nset.seed(as.integer(commandArgs(TRUE)[1]))\n'
        'cat(mean(x), "\\n")\nwrite.csv(data.frame(b = rnorm(4)), "fit.csv", row.names = FALSE)\n',
    )
    run(project)
    assert load(project, "fit").values == {"mean": 3.0, "lines": 5}
