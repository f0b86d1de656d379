"""The whole watch, as a person uses it: edit, look, edit, end."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import projects
import pytest
import watched
from processes import alive, pids, wait_for
from watched import ROOT, watching

pytestmark = pytest.mark.slow

SECTION = "report_templates/report.tex.j2"
MADE = r"build/report\.pdf, 1 page \("


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A project that is built already."""
    folder = watched.make(tmp_path_factory.mktemp("built") / "p")
    build(folder)
    return folder


@pytest.fixture
def folder(built, tmp_path):
    return shutil.copytree(built, tmp_path / "p", symlinks=True)


def build(folder):
    command = [sys.executable, str(ROOT / "build_report.py"), "--project", str(folder)]
    subprocess.run(command, capture_output=True, timeout=120, check=True)


def sleeping(folder, seconds=60):
    """Return the folder of a project whose experiment sleeps, and the file with the id of its process."""
    at_work = folder / "build/at-work"
    run = f"    Path('build/at-work').write_text(str(os.getpid()))\n    time.sleep({seconds})"
    return watched.make(folder, f"{run}\n    return {{'answer': 1}}"), at_work


def edit(folder, old="The answer", new="Our answer", name=SECTION):
    projects.change(folder / name, old, new)


def test_an_edit_is_built_and_said_in_one_line_and_noise_is_nothing(folder):
    with watching(folder) as watch:
        watch.sees("first build: nothing to do")
        edit(folder)
        assert "report_templates/report.tex.j2: " in watch.sees(MADE)
        watch.sees("checks passed")
        seen = len(watch.lines())
        text = (folder / SECTION).read_text()
        (folder / SECTION).write_text(text)  # saved without a change
        (folder / ".report.tex.j2.swp").write_text("x")
        (folder / "report_templates/report.tex.j2~").write_text("x")
        assert watch.is_quiet()  # and what the build wrote has triggered none
        draft = folder / "report_templates/.draft"
        draft.write_text(text.replace("Our answer", "An answer"))
        draft.rename(folder / SECTION)  # as many editors save
        watch.sees(MADE, after=seen)
        assert "\x1b" not in watch.printed


def test_an_error_is_said_until_it_is_mended(folder):
    with watching(folder) as watch:
        watch.sees("first build")
        edit(folder, "answer}", "anser}")
        watch.sees("error: one.values has no key 'anser'")
        watch.sees("cure: did you mean 'answer'")
        before = (folder / "build/report.pdf").read_bytes()
        assert watch.is_quiet()
        assert (folder / "build/report.pdf").read_bytes() == before
        edit(folder, "anser}", "answer}")
        watch.sees("mended")


def test_settings_and_data_and_new_files_are_watched(folder):
    with watching(folder) as watch:
        watch.sees("first build")
        for name, text in (("report.toml", '\ndate = "1 May 2026"\n'), ("experiments/two.py", "")):
            seen = len(watch.lines())
            with (folder / name).open("a") as file:
                file.write(text or projects.returning("{'x': 1}"))
            watch.sees(MADE, after=seen)


def test_a_build_is_ended_when_its_experiment_is_edited_but_not_by_an_edit_of_the_text(tmp_path):
    folder, at_work = sleeping(tmp_path / "p")
    with watching(folder) as watch:
        wait_for(lambda: pids(at_work), 60)
        (first,) = pids(at_work)
        edit(folder, "The answer", "Our answer")  # it is not made from the text
        time.sleep(2)
        assert alive(first)
        edit(folder, "time.sleep(60)", "time.sleep(0)", name="experiments/one.py")
        wait_for(lambda: not alive(first))
        assert "one ran" in watch.sees(MADE)
        watch.sees("checks passed")
        assert "error" not in watch.printed


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        ("the input ends", 130),
        (signal.SIGKILL, -9),
    ],
)
def test_it_ends_at_once_and_no_process_is_left(tmp_path, how, code):
    folder, at_work = sleeping(tmp_path / "p")
    with watching(folder) as watch:
        wait_for(lambda: pids(at_work), 60)
        assert len(watch.processes()) >= 4  # the watch, the warm process, the build, its experiment
        if isinstance(how, signal.Signals):
            watch.process.send_signal(how)
        else:
            watch.process.stdin.close()
        assert watch.wait(8) == code


ENDLESS = {
    "LaTeX": (SECTION, "The answer", r"\loop\iftrue\repeat", "pdflatex"),
    "a notebook": (
        "report_templates/notebooks/n.py.j2",
        None,
        "# %%\nimport time\n\ntime.sleep(60)\n",
        "ipykernel",
    ),
}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=str)
@pytest.mark.parametrize("what", ENDLESS)
def test_neither_latex_nor_a_kernel_outlives_it(folder, what, how):
    name, old, new, program = ENDLESS[what]
    if old is None:
        projects.write(folder / name, new)
    else:
        edit(folder, old, new, name)
    with watching(folder) as watch:

        def at_work():
            commands = [Path(f"/proc/{pid}/cmdline") for pid in watch.processes()]
            return any(program in path.read_text() for path in commands if path.exists())

        wait_for(at_work, 60)
        time.sleep(0.5)
        watch.process.send_signal(how)
        watch.wait(8)


def test_another_build_is_waited_for_and_that_is_said_once(folder):
    with (folder / "build/.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with watching(folder) as watch:
            watch.sees("another build works in build: .*: waiting until it has ended")
            assert watch.is_quiet(2)
            fcntl.flock(lock, fcntl.LOCK_UN)
            watch.sees("first build: nothing to do")


def test_a_folder_that_vanishes_ends_it_with_a_message(folder):
    with watching(folder) as watch:
        watch.sees("first build")
        folder.rename(folder.with_name("elsewhere"))
        assert watch.wait() == 2
        assert "has vanished" in watch.printed


def test_two_hundred_rapid_edits_end_with_the_pdf_of_a_clean_build(folder, tmp_path):
    with watching(folder) as watch:
        watch.sees("first build")
        path = folder / SECTION
        text = path.read_text()
        for number in range(200):
            path.write_text(text.replace("The answer", f"Answer {number}"))
            time.sleep(0.02)
        clean = shutil.copytree(folder, tmp_path / "clean", ignore=shutil.ignore_patterns("build"))
        build(clean)
        wanted = (clean / "build/report.pdf").read_bytes()
        wait_for(lambda: (folder / "build/report.pdf").read_bytes() == wanted, 60)
        watch.sees("checks passed")
        assert watch.is_quiet()
        assert (folder / "build/report.pdf").read_bytes() == wanted


def test_labreport_that_changes_is_not_served_as_it_was(folder, tmp_path):
    source = tmp_path / "labreport"
    shutil.copytree(ROOT / "src/labreport", source / "src/labreport")
    for name in ("build_report.py", "pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, source / name)
    engine = source / "src/labreport"
    with watching(folder, program=source / "build_report.py") as watch:
        watch.sees("first build")
        watch.sees(r"\(")
        seen = len(watch.lines())
        projects.change(engine / "errors.py", '"  cure: {', '"  remedy: {')
        watch.sees(r"labreport/errors.py: ", after=seen)
        edit(folder, "answer}", "anser}")
        watch.sees("  remedy: did you mean 'answer'")
        (engine / "build.py").write_text("this is no Python\n")
        watch.sees("error: labreport itself failed: SyntaxError")
        shutil.copyfile(ROOT / "src/labreport/build.py", engine / "build.py")
        edit(folder, "anser}", "answer}")
        watch.sees("mended")


def test_in_a_terminal_there_are_bars_and_it_ends_with_the_terminal(tmp_path):
    folder, at_work = sleeping(tmp_path / "p")
    with watching(folder, terminal=True) as watch:
        wait_for(lambda: pids(at_work), 60)
        wait_for(lambda: "running one" in watch.printed)
        assert "\x1b" in watch.printed
        watch.stop_reading()
        watch.wait(8)


def test_who_reads_no_longer_ends_it(tmp_path):
    folder, at_work = sleeping(tmp_path / "p")
    with watching(folder) as watch:
        wait_for(lambda: pids(at_work), 60)
        watch.stop_reading()
        edit(folder, "return {", "return 1 + {", name="experiments/one.py")  # it has something to say
        assert watch.wait(20) == 130


def test_an_experiment_that_writes_and_fails_does_not_run_for_ever(tmp_path):
    run = "    with open('out.txt', 'a') as f:\n        f.write('x')\n    time.sleep(1)\n    1 / 0"
    folder = watched.make(tmp_path / "p", run)
    with watching(folder) as watch:
        watch.sees("failed: ZeroDivisionError")
        assert watch.is_quiet(4)
        assert (folder / "out.txt").read_text() == "x"


def test_an_input_outside_the_project_is_watched_once_it_was_read(tmp_path):
    run = "    return {'answer': Path('data/x.csv').read_text()}"
    folder = watched.make(tmp_path / "p", run)
    projects.write(tmp_path / "outside/x.csv", "1")
    (folder / "data").symlink_to(tmp_path / "outside", target_is_directory=True)
    with watching(folder) as watch:
        watch.sees(MADE)
        watch.sees("checks passed")
        seen = len(watch.lines())
        (tmp_path / "outside/x.csv").write_text("2")
        assert "data/x.csv: one ran" in watch.sees(MADE, after=seen)


def test_a_process_that_builds_are_forked_from_can_be_lost(folder):
    with watching(folder) as watch:
        watch.sees("first build")
        (warm,) = [
            pid for pid in watch.processes() if "watching.warm" in Path(f"/proc/{pid}/cmdline").read_text()
        ]
        os.kill(warm, signal.SIGKILL)
        edit(folder)
        watch.sees(MADE)


def test_experiments_of_one_build_after_the_other_run_in_one_warm_process(tmp_path):
    run = "    Path('build/servers').open('a').write(f'{os.getppid()}\\n')\n    time.sleep(0)"
    folder = watched.make(tmp_path / "p", f"{run}\n    return {{'answer': 1}}")
    servers = folder / "build/servers"
    name = "experiments/one.py"
    with watching(folder) as watch:
        watch.sees("checks passed")
        edit(folder, "'answer': 1", "'answer': 2", name)
        wait_for(lambda: len(pids(servers)) == 2, 60)
        edit(folder, "sleep(0)", "sleep(60)", name)  # whatever the build is doing
        wait_for(lambda: len(pids(servers)) == 3, 60)
        time.sleep(0.5)
        edit(folder, "sleep(60)", "sleep(0.1)", name)
        wait_for(lambda: len(pids(servers)) == 4, 60)
        assert len(set(pids(servers)[1:])) == 1
        edit(folder, "sleep(0.1)", "sleep(61)", name)
        wait_for(lambda: len(pids(servers)) == 5, 60)
        watch.process.kill()
        watch.wait(8)
