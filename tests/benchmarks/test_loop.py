"""What an author waits for: the same small report made by several tools, and this repository's own report."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from measuring import LABREPORT, ROOT, Taken, bare_interpreter, interleaved, machine, run, table
from peers import OURS, PLAIN, TOOLS, Tool, edit
from saving import Watch

ROUNDS = int(os.environ.get("LABREPORT_ROUNDS", "5"))
MOST_PASSES = 5  # until an edited sentence is in the PDF
LEAST_TIMES = 5  # faster than the tools that also look at contents, when there is nothing to do
EDITS = ("sentence", "colour", "constant")
PASS = ("pdflatex", "-interaction=batchmode", "report.tex")
OWN_EDITS = {
    "sentence": ("report_templates/sections/summary.tex.j2", r"edited (\d+) times"),
    "colour": ("experiments/depth_width.py", r'color="0\.(\d+)", lw=0\.6'),
}
NOT_COPIED = ("build", "wandb", "__pycache__", ".venv*", ".git", ".*_cache", ".hypothesis", ".benchmarks")
OWN_BUILD = ("results", "latex", "cache", "notebooks", "log", "previous", "submission")
OWN_FILES = ("report.pdf", "provenance.json", "claims.json", "state.json")

pytestmark = [
    pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk"),
    pytest.mark.timeout(3600),
]


def waits(taken: Taken) -> str:
    """Return when the PDF was there and, if the tool went on for a while, when it had ended."""
    if taken.pdf is None or taken.pdf > 0.9 * taken.seconds:
        return f"{taken.seconds:.2f}"
    return f"{taken.pdf:.2f} / {taken.seconds:.2f}"


def building(folder: Path, tool: Tool, command: tuple[str, ...]) -> Callable[[], Taken]:
    return partial(run, command, folder, pdf=folder / tool.pdf, environment=tool.environment)


def actions(folder: Path, tool: Tool) -> dict[str, Callable[[], Taken]]:
    """Return what is measured of a tool, each on its project as the action before left it."""
    make = building(folder, tool, tool.command)
    settle = make if tool.only_pdf else lambda: None

    def edited(kind: str, build: Callable[[], object]) -> object:
        edit(folder, tool.edits[kind])
        return build()

    def only_pdf() -> Taken:
        taken = edited("sentence", building(folder, tool, tool.only_pdf))
        settle()
        return taken

    def nothing() -> Taken:
        make()  # what a tool learns from looking once, it knows the second time
        return make()

    measured = {"nothing": nothing, **{kind: partial(edited, kind, make) for kind in EDITS}}
    return {**measured, "only PDF": only_pdf} if tool.only_pdf else measured


def passing(folder: Path, tex: Path) -> Callable[[], Taken]:
    """Return one pass of LaTeX over a document that has been compiled, in a copy of its folder."""
    shutil.copytree(tex, folder)
    if not (folder / "report.aux").exists():
        run(("latexmk", "-pdf", "-interaction=batchmode", "report.tex"), folder)
    return partial(run, PASS, folder)


@pytest.fixture
def watch(tmp_path) -> Iterator[Watch]:
    """Yield labreport watching a small report of its own."""
    folder = tmp_path / "watched"
    folder.mkdir()
    OURS.write(folder)
    running = Watch(folder)
    yield running
    running.end()


@pytest.mark.benchmark
def test_the_loop_of_a_small_report(benchmark, tmp_path, watch):
    missing = {tool.name: tool.missing() for tool in TOOLS}
    measured: dict[tuple[str, str], Callable[[], Taken]] = {}
    for tool in TOOLS:
        if missing[tool.name]:
            continue
        folder = tmp_path / tool.name
        folder.mkdir()
        tool.write(folder)
        building(folder, tool, tool.command)()
        measured.update({(tool.name, action): call for action, call in actions(folder, tool).items()})
    for kind in EDITS:
        editing = partial(edit, tmp_path / "watched", OURS.edits[kind])
        measured["watch", kind] = partial(watch.after, editing)
    measured["pass", "ours"] = passing(tmp_path / "pass-ours", tmp_path / "labreport/build/latex")
    measured["pass", "plain"] = passing(tmp_path / "pass-plain", tmp_path / PLAIN.name)
    taken = benchmark.pedantic(interleaved, (ROUNDS, measured), rounds=1)
    bare = bare_interpreter()
    print(f"\n{waiting_table(taken, missing, bare)}\n\n{working_table(taken)}\n\n{machine()}")
    assert taken[OURS.name, "only PDF"].pdf < MOST_PASSES * taken["pass", "ours"].seconds
    for name in {"DVC + latexmk", "Snakemake + latexmk"} - {name for name, lack in missing.items() if lack}:
        assert taken[OURS.name, "nothing"].seconds < taken[name, "nothing"].seconds / LEAST_TIMES


def waiting_table(taken: dict[tuple[str, str], Taken], missing: dict[str, str | None], bare: float) -> str:
    """Return how long an author waits for each tool, and the units."""
    ours, plain = (taken["pass", name].seconds for name in ("ours", "plain"))
    rows = []
    for tool in TOOLS:
        if missing[tool.name]:
            rows.append([tool.name, f"not measured: {missing[tool.name]}", *[""] * 3])
            continue
        nothing, sentence, *others = (taken[tool.name, kind] for kind in ("nothing", *EDITS))
        unit = ours if "labreport" in tool.name else plain
        passes = (sentence.pdf or sentence.seconds) / unit
        waited = f"{nothing.seconds:.2f} ({nothing.seconds / bare:.0f})"
        rows.append([tool.name, waited, f"{waits(sentence)} ({passes:.1f})", *map(waits, others)])
        if tool.only_pdf:
            alone = taken[tool.name, "only PDF"]
            rows.append([f"{tool.name}: `pdf`", "", f"{alone.seconds:.2f} ({alone.pdf / unit:.1f})", "", ""])
            sentence, *others = (taken["watch", kind] for kind in EDITS)
            watched = f"{waits(sentence)} ({sentence.pdf / unit:.1f})"
            rows.append([f"{tool.name}: `watch`", "", watched, *map(waits, others)])
    return (
        f"{table(['tool', 'nothing to do', *(f'a {kind}' for kind in EDITS)], rows)}\n\n"
        "Seconds until the PDF is there / until all is done; with nothing to do, the second time in a row. "
        "In brackets: times a bare interpreter "
        f"({bare * 1000:.0f} ms); passes of pdflatex until the PDF is there, of {plain:.2f} s, or of "
        f"{ours:.2f} s with labreport.sty."
    )


def working_table(taken: dict[tuple[str, str], Taken]) -> str:
    """Return the processor time of each tool, which other work on the machine hardly changes."""
    names = dict.fromkeys(name for name, kind in taken if kind == "nothing")
    kinds = ("nothing", *EDITS)
    rows = [[name, *(f"{taken[name, kind].processors:.2f}" for kind in kinds)] for name in names]
    return f"{table(['processor time', *kinds], rows)}"


@pytest.mark.benchmark
def test_the_loop_of_this_report(benchmark, tmp_path):
    project = copy_of_this_report(tmp_path / "own")
    program = (LABREPORT[0], str(project / "build_report.py"))
    pdf = project / "build" / "report.pdf"
    plan = subprocess.run([*program, "plan"], cwd=project, capture_output=True, text=True, check=False)
    if "no experiment would run" not in plan.stdout:
        pytest.skip("this repository's report is not built, or not up to date: `make report` comes first")
    make = partial(run, program, project, pdf=pdf)
    make()

    def edited(kind: str, *command: str) -> Taken:
        edit(project, OWN_EDITS[kind])
        taken = run((*program, *command), project, pdf=pdf)
        make()
        return taken

    def nothing() -> Taken:
        make()
        return make()

    measured = {
        "nothing to do": nothing,
        "a sentence: `pdf`": partial(edited, "sentence", "pdf"),
        "a sentence": partial(edited, "sentence"),
        "a colour": partial(edited, "colour"),
        "one pass of pdflatex": passing(tmp_path / "pass", project / "build" / "latex"),
    }
    taken = benchmark.pedantic(interleaved, (ROUNDS, measured), rounds=1)
    bare, one = bare_interpreter(), taken["one pass of pdflatex"].seconds
    rows = [
        [
            "nothing to do",
            "",
            f"{taken['nothing to do'].seconds:.2f}",
            f"{taken['nothing to do'].seconds / bare:.1f} bare interpreters",
        ]
    ]
    for name in list(measured)[1:]:
        done, there = taken[name].seconds, taken[name].pdf or taken[name].seconds
        rows.append([name, f"{there:.2f}", f"{done:.2f}", f"{there / one:.2f} / {done / one:.2f} passes"])
    print(f"\n{table(['this report', 'PDF', 'all', ''], rows)}\n\n{machine()}")


def copy_of_this_report(folder: Path) -> Path:
    """Return a copy of this repository's report as it is built, to be edited."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (folder / "build").mkdir()
    for name in OWN_BUILD:
        if (ROOT / "build" / name).exists():
            shutil.copytree(ROOT / "build" / name, folder / "build" / name)
    for name in OWN_FILES:
        if (ROOT / "build" / name).exists():
            shutil.copyfile(ROOT / "build" / name, folder / "build" / name)
    place, _ = OWN_EDITS["sentence"]
    with (folder / place).open("a", encoding="utf-8") as template:
        template.write("This sentence was edited 100 times.\n")
    return folder
