"""A report on another subject, built by an installed labreport outside this repository."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wheels
from pypdf import PdfReader

HERE = Path(__file__).parent
PAGES = 4

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with labreport as pip installs it."""
    folder = tmp_path_factory.mktemp("installed")
    wheels.pip("install", *wheels.OFFLINE, "--target", folder / "packages", wheels.built(folder))
    return folder / "packages"


@pytest.fixture(scope="module")
def paper(installed, tmp_path_factory):
    """The built project, what the build said, and a function that gives further commands."""
    folder = tmp_path_factory.mktemp("elsewhere") / "paper"
    left_out = ("build", "__pycache__", "test_*.py")
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns(*left_out))

    def labreport(*words: str) -> str:
        # -P: nothing of the current folder; the target is the only place that labreport is taken from
        command = [sys.executable, "-P", "-m", "labreport", *words]
        done = subprocess.run(
            command,
            cwd=folder,
            env=wheels.environment(PYTHONPATH=str(installed)),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return folder, labreport("--jobs", "2"), labreport


@pytest.fixture(scope="module")
def text(paper) -> str:
    pages = PdfReader(paper[0] / "build/report.pdf").pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()).replace("−", "-")


def birds() -> list[tuple[str, str, float, float]]:
    with (HERE / "data" / "penguins.csv").open(newline="") as lines:
        return [
            (row["species"], row["sex"], float(row["bill_length_mm"]), float(row["bill_depth_mm"]))
            for row in csv.DictReader(lines)
            if row["bill_length_mm"] != "NA"
        ]


def test_every_check_passes_but_that_nobody_is_named_as_author(paper):
    said = paper[2]("check")
    found = re.findall(r"^(warning|failed)\s+(.+?)\s{2,}", said, re.MULTILINE)
    assert found == [("warning", "authors")], said


def test_it_has_four_pages_in_two_columns(paper):
    reader = PdfReader(paper[0] / "build/report.pdf")
    assert len(reader.pages) == PAGES
    assert r"\documentclass[11pt,twocolumn]" in (paper[0] / "build/latex/report.tex").read_text()


def test_the_printed_numbers_are_those_of_the_data(text):
    lengths, depths = (np.array([row[part] for row in birds()]) for part in (2, 3))
    slope = np.polyfit(lengths, depths, 1)[0]
    assert f"with {len(lengths)} birds" in text
    assert f"{slope:.3f}" in text
    means = {}
    slopes = []
    for name in ("Adelie", "Chinstrap", "Gentoo"):
        x, y = (np.array([row[part] for row in birds() if row[0] == name]) for part in (2, 3))
        means[name] = y.mean()
        slopes.append(np.polyfit(x, y, 1)[0])
        assert f"{name} {len(x)} {x.mean():.2f}" in text
    assert f"{100 * (means['Gentoo'] / means['Adelie'] - 1):.1f}" in text
    known = [row for row in birds() if row[1] != "NA"]
    deviations = []
    for group in {row[:2] for row in known}:
        part = np.array([row[2:] for row in known if row[:2] == group])
        deviations.append(part - part.mean(axis=0))
    x, y = np.concatenate(deviations).T
    assert f"species and sex {x @ y / (x @ x):.3f}" in text
    assert f"{min(slopes):.3f}–{max(slopes):.3f}" in text


def test_the_pooled_slope_is_made_of_two(text):
    found = birds()
    x, y = (np.array([bird[at] for bird in found]) for at in (2, 3))
    species = np.array([bird[0] for bird in found])
    centres = {name: (x[species == name].mean(), y[species == name].mean()) for name in set(species)}
    mx, my = (np.array([centres[name][at] for name in species]) for at in (0, 1))
    share = np.var(x - mx) / np.var(x)
    between = np.polyfit(mx, my, 1)[0]
    assert f"w = {share:.3f}" in text
    assert f"= {between:.3f}" in text
    within = np.polyfit(x - mx, y - my, 1)[0]
    assert share * within + (1 - share) * between == pytest.approx(np.polyfit(x, y, 1)[0])


def test_a_second_build_does_nothing(paper):
    assert "4 experiments up to date" in paper[2]()


def test_the_hand_in_is_built_again_from_its_zip(paper):
    said = paper[2]("verify", "--jobs", "2")
    for what in ("the result of 'bills'", "the result of 'slopes'", "the bytes of report.pdf"):
        assert f"equal: {what}" in said


def test_nothing_in_it_is_of_this_repositorys_own_report(paper):
    files = [path for path in HERE.rglob("*") if path.is_file() and "test_" not in path.name]
    files += [paper[0] / "build/latex/report.tex"]
    assert len(files) > 10
    assert not [path for path in files if b"tinymlp" in path.read_bytes()]
