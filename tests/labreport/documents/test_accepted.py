"""Paragraphs that must be read again, and the file that says that they were."""

import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pinned
import projects
import pytest

from labreport.documents import accepted, cells, notebooks, provenance, report
from labreport.errors import InputError, LabreportError, UsageError

SRC = Path(accepted.__file__).parents[2]
FILE = "report_templates/report.tex.j2"
TARGETS = ["exp.params", "exp.values.shape", "training:fit"]


@pytest.fixture
def project(tmp_path):
    return pinned.make(tmp_path)


@pytest.fixture
def read(project):
    """A project whose paragraphs were all read."""
    accepted.accept(project, [], every=True)
    return project


def whys(project):
    return [waits.why for waits in accepted.unread(project)]


class TestWaiting:
    def test_a_paragraph_that_nobody_has_accepted_waits(self, project):
        assert whys(project) == [
            "it was never read against training:fit",
            "it was never read against exp.values.shape",
            "it was never read against exp.params",
        ]

    def test_what_was_accepted_no_longer_waits(self, read):
        assert whys(read) == []

    def test_a_paragraph_about_code_waits_when_the_code_changes(self, read):
        pinned.change_code(read, "* RATE", "/ RATE")
        (waits,) = accepted.unread(read)
        assert waits.why == "the code of training:fit has changed"
        assert waits.pin.place == f"{FILE}:6"
        pinned.change_code(read, "/ RATE", "* RATE")
        assert whys(read) == []

    def test_a_paragraph_about_a_result_waits_when_that_changes(self, read):
        projects.change(read.experiments / "exp.py", "[3, 2]", "[3, 4]")
        projects.run(read)
        assert whys(read) == ["exp.values.shape has changed"]

    def test_a_paragraph_about_what_is_gone_waits_and_says_so(self, read):
        pinned.change_code(read, "def fit", "def train")
        (waits,) = accepted.unread(read)
        assert waits.why.startswith("training:fit is gone: no 'fit' in src/training.py")

    def test_a_paragraph_of_a_notebook_waits_like_any_other(self, read):
        text = '# %% [markdown]\n"""\n\\BLOCK{about "training:total"}\nAll are added.\n"""\n'
        projects.write(read.templates / "notebooks" / "walk.py.j2", text)
        record = provenance.of_notebook(cells.render(read, "walk"))
        provenance.write(notebooks.provenance_path(read, "walk"), record)
        (waits,) = accepted.unread(read)
        assert str(waits) == (
            "report_templates/notebooks/walk.py.j2:3: it was never read against training:total\n"
            "    All are added."
        )
        accepted.accept(read, ["walk.py.j2:4"])
        assert whys(read) == []

    def test_to_ask_again_loads_no_template_language(self, read):
        code = (
            "import sys\nfrom pathlib import Path\nfrom labreport import build, project\n"
            "waiting = build.waiting(project.load(Path(sys.argv[1])))\n"
            "print(len(waiting), 'jinja2' in sys.modules)"
        )
        read.accepted.unlink()
        done = subprocess.run(
            [sys.executable, "-c", code, read.root],
            env={"PYTHONPATH": str(SRC)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == ["3", "False"]

    def test_a_quick_build_asks_nothing(self, project):
        quick = replace(project, quick=True)
        projects.run(quick)
        pinned.publish(quick)
        assert accepted.unread(quick) == []

    def test_a_record_of_an_earlier_version_asks_nothing(self, project):
        projects.write(project.provenance, '{"schema": 1, "printed": []}')
        assert accepted.unread(project) == []

    def test_the_report_does_not_depend_on_what_was_accepted(self, project):
        before = report.inputs(project, ())
        accepted.accept(project, [], every=True)
        assert report.inputs(project, ()) == before


class TestNotices:
    def test_one_line_for_each_paragraph_says_where_why_and_the_command(self, project):
        first, second = accepted.notices(project, accepted.unread(project))
        assert first == (
            f"{FILE}:6: this paragraph waits to be read: it was never read against training:fit; "
            f"then `{project.command('accept', 'training:fit')}`"
        )
        assert "exp.values.shape; it was never read against exp.params; then" in second
        assert second.endswith("accept exp.values.shape exp.params`")

    def test_what_is_gone_cannot_be_accepted_only_corrected(self, read):
        pinned.change_code(read, "def fit", "def train")
        (line,) = accepted.notices(read, accepted.unread(read))
        assert line.endswith("; correct its `about`")

    def test_many_paragraphs_are_counted(self, tmp_path):
        many = "\n\n".join(rf'\BLOCK{{about "exp.values.shape[0]"}}Paragraph {n}.' for n in range(7))
        document = f"\\documentclass{{article}}\n\\begin{{document}}\n{many}\n\\end{{document}}\n"
        project = pinned.make(tmp_path, document)
        lines = accepted.notices(project, accepted.unread(project))
        assert len(lines) == 6
        assert lines[-1] == f"… and 2 more, which `{project.command('accept')}` lists"


class TestAccepting:
    def test_the_file_has_a_sorted_line_for_each_target(self, read):
        head, *lines = read.accepted.read_text().splitlines()
        assert head.startswith("#")
        assert [re.sub(r'"[0-9a-f]{16}"$', "digest", line) for line in lines] == [
            f'"{target}" = digest' for target in TARGETS
        ]

    def test_it_is_sorted_in_whatever_order_paragraphs_are_read(self, project):
        for target in reversed(TARGETS):
            accepted.accept(project, [target])
        assert list(tomllib.loads(project.accepted.read_text())) == TARGETS

    @pytest.mark.parametrize(
        ("name", "chosen"),
        [
            ("training:fit", ("training:fit",)),
            (f"{FILE}:6", ("training:fit",)),
            ("report.tex.j2:8", ("training:fit",)),
            (f"{FILE}:11", ("exp.params", "exp.values.shape")),
        ],
    )
    def test_a_name_is_a_target_or_a_line_of_the_paragraph(self, project, name, chosen):
        assert accepted.accept(project, [name]).targets == chosen
        assert sorted(tomllib.loads(project.accepted.read_text())) == sorted(chosen)

    def test_the_rest_of_the_file_stays_as_it_is(self, read):
        before = read.accepted.read_text().splitlines()
        pinned.change_code(read, "* RATE", "/ RATE")
        accepted.accept(read, ["training:fit"])
        after = read.accepted.read_text().splitlines()
        assert after[:-1] == before[:-1]
        assert after[-1] != before[-1]

    def test_all_takes_what_waits(self, read):
        pinned.change_code(read, "* RATE", "/ RATE")
        assert accepted.accept(read, [], every=True).targets == ("training:fit",)
        assert accepted.accept(read, [], every=True).targets == ()

    def test_a_key_with_quotes_survives_the_file(self, tmp_path):
        target = r"""\BLOCK{about 'exp.values["odd key"]'}Words."""
        document = f"\\documentclass{{article}}\n\\begin{{document}}\n{target}\n\\end{{document}}\n"
        project = pinned.make(tmp_path, document)
        assert accepted.accept(project, ['exp.values["odd key"]']).targets == ('exp.values["odd key"]',)
        assert whys(project) == []

    def test_a_target_without_a_paragraph_goes(self, read):
        projects.change(read.templates / "report.tex.j2", '\\BLOCK{about "exp.params"}\n', "")
        pinned.publish(read)
        assert whys(read) == []
        assert "exp.params" in accepted.read(read)
        assert accepted.accept(read, [], every=True).dropped == ("exp.params",)
        assert sorted(accepted.read(read)) == ["exp.values.shape", "training:fit"]

    def test_nothing_goes_while_a_document_was_not_made_yet(self, read):
        projects.write(read.templates / "notebooks" / "walk.py.j2", "# %%\nx = 1\n")
        projects.change(read.templates / "report.tex.j2", '\\BLOCK{about "exp.params"}\n', "")
        pinned.publish(read)
        assert accepted.accept(read, [], every=True).dropped == ()
        assert "exp.params" in accepted.read(read)

    def test_without_any_paragraph_there_is_no_file(self, read):
        text = (read.templates / "report.tex.j2").read_text()
        projects.write(read.templates / "report.tex.j2", re.sub(r"\\BLOCK\{about .*?\}", "", text))
        pinned.publish(read)
        accepted.accept(read, [], every=True)
        assert not read.accepted.exists()


class TestMistakes:
    def test_an_unknown_name_is_told_with_near_ones(self, project):
        with pytest.raises(UsageError) as caught:
            accepted.accept(project, ["training:fitt", "training:fit"])
        assert caught.value.what == "no paragraph of the last build is about 'training:fitt'"
        assert caught.value.cure == "did you mean 'training:fit'?"
        assert not project.accepted.exists()

    def test_a_name_beside_all_is_not_passed_over(self, project):
        with pytest.raises(UsageError, match="'nonsense'"):
            accepted.accept(project, ["nonsense"], every=True)

    def test_a_line_outside_of_each_paragraph_is_not_a_name(self, project):
        with pytest.raises(UsageError):
            accepted.accept(project, [f"{FILE}:4"])

    def test_what_is_gone_cannot_be_accepted(self, project):
        pinned.change_code(project, "def fit", "def train")
        with pytest.raises(InputError, match="no 'fit'") as caught:
            accepted.accept(project, [], every=True)
        assert str(caught.value.place) == f"{FILE}:6"
        assert not project.accepted.exists()

    def test_before_the_first_build_there_is_nothing_to_accept(self, project):
        project.provenance.unlink()
        with pytest.raises(InputError, match="no record") as caught:
            accepted.accept(project, ["training:fit"])
        assert project.command() in caught.value.cure

    def test_the_results_of_a_trial_are_not_accepted(self, project):
        with pytest.raises(UsageError, match="quick") as caught:
            accepted.accept(replace(project, quick=True), [], every=True)
        assert "--quick" not in caught.value.cure

    @pytest.mark.parametrize(
        ("text", "what", "line"),
        [
            ('"a" = "0123456789abcdef"\n<<<<<<< HEAD\n', "not valid TOML", 2),
            ('"a" = "0123456789abcdef"\n"a" = "0123456789abcdef"\n', "not valid TOML", 2),
            ('# x\n"m:f" = "soon"\n', "'m:f' in accepted.toml must be a digest", 2),
            ('"m:f" = 7\n', "not 7", 1),
            ("m.f = '0123456789abcdef'\n", "'m' in accepted.toml", 1),
        ],
    )
    def test_a_damaged_file_is_an_error_at_its_line(self, project, text, what, line):
        projects.write(project.accepted, text)
        with pytest.raises(LabreportError) as caught:
            accepted.unread(project)
        assert isinstance(caught.value, InputError)
        assert what in caught.value.what
        assert (caught.value.place.file, caught.value.place.line) == ("accepted.toml", line)


def test_accepting_says_what_it_did():
    done = accepted.Accepted(("m:f",), ("m:g",))
    assert str(done) == "accepted: m:f\ndropped: m:g, which no paragraph is about"
    assert str(accepted.Accepted((), ())) == "no paragraph waits to be read"
