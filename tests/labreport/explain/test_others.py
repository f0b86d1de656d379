"""Other reports: folders, zips and revisions of git, which all stay as they are."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import compared
import projects
import pytest

from labreport.errors import InputError, ToolError, UsageError
from labreport.explain import others
from labreport.results import Cache


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def first(snapshot):
    return snapshot.printed[0]["text"]


def never(project):
    raise AssertionError("there is nothing to run")


def find(project, other, tmp_path, make=never):
    with others.scratch(project) as folder:
        found = others.find(project, str(other), folder, make)
        # what is compared is still there until the scratch folder goes
        assert all(found.picture(figure["file"]) for figure in found.behind("figures").values())
    assert not list(project.build.glob(".scratch-*"))
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a project whose experiment has run, published once; no test changes it."""
    project = compared.coin(tmp_path_factory.mktemp("made") / "p")
    compared.publish(project)
    return project


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path / "here", {})


class TestFolders:
    def test_a_project_tells_the_report_that_it_published(self, project, made, tmp_path):
        before = contents(made.root)
        found = find(project, made.root, tmp_path)
        assert first(found) == r"{0.500}"
        assert "published" in found.name
        assert str(made.root) in found.name
        assert contents(made.root) == before

    @pytest.mark.parametrize("inside", ["", "code"])
    def test_an_unpacked_hand_in_is_rendered_from_its_results(
        self, project, made, tmp_path, inside, monkeypatch
    ):
        folder = tmp_path / "hand-in"
        shutil.copytree(made.root, folder / inside)
        for name in ("provenance.json", "state.json", "latex"):
            path = folder / inside / "build" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        kept = folder / inside / "build" / "cache" / "report.json"
        projects.write(kept, "not ours")

        def load(cache):
            assert cache.path != kept, "code that a folder brings would run outside the sandbox"
            return {}

        monkeypatch.setattr(Cache, "_load", load)
        before = contents(folder)
        found = find(project, folder, tmp_path)
        assert first(found) == r"{0.500}"
        assert "rendered from its results" in found.name
        assert contents(folder) == before

    def test_a_folder_without_a_report_is_refused(self, project, tmp_path):
        with pytest.raises(UsageError, match="holds no report"):
            find(project, tmp_path, tmp_path)

    def test_what_is_wrong_there_is_not_taken_for_an_error_here(self, project, made, tmp_path):
        folder = tmp_path / "other"
        shutil.copytree(made.root, folder, ignore=shutil.ignore_patterns("provenance.json"))
        projects.change(folder / "report_templates" / "report.tex.j2", "coin.values.sure", "coin.values.cure")
        with pytest.raises(InputError, match="cure") as caught:
            find(project, folder, tmp_path)
        assert caught.value.notes[0] == f"this is the report of {folder}, not the one here"


def packed(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


class TestZips:
    def hand_in(self, made, path):
        left_out = {"provenance.json", "state.json", "report.tex"}
        files = {
            f"code/{name}": data for name, data in contents(made.root).items() if name.name not in left_out
        }
        return packed(path, files)

    def test_a_hand_in_is_rendered_from_its_results(self, project, made, tmp_path):
        path = self.hand_in(made, tmp_path / "code.zip")
        found = find(project, path, tmp_path)
        assert first(found) == r"{0.500}"
        assert f"zip {path}" in found.name

    def test_the_folder_of_a_hand_in_is_read_by_its_zip(self, project, made, tmp_path):
        (tmp_path / "submission").mkdir()
        self.hand_in(made, tmp_path / "submission" / "code.zip")
        assert first(find(project, tmp_path / "submission", tmp_path)) == r"{0.500}"

    def test_a_zip_without_a_report_is_refused(self, project, tmp_path):
        with pytest.raises(UsageError, match="holds no report"):
            find(project, packed(tmp_path / "a.zip", {"notes.txt": "1"}), tmp_path)

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"no zip"])
    def test_a_file_that_is_no_zip_is_refused(self, project, tmp_path, data):
        (tmp_path / "a.zip").write_bytes(data)
        with pytest.raises(UsageError, match="not a zip that can be read"):
            find(project, tmp_path / "a.zip", tmp_path)

    @pytest.mark.parametrize("name", ["../outside", "/nonexistent/labreport-outside", "a/../../outside"])
    def test_nothing_is_unpacked_outside_the_scratch_folder(self, project, tmp_path, name):
        before = contents(tmp_path)
        path = packed(tmp_path / "a.zip", {name: "1"})
        with pytest.raises(UsageError, match="holds no report"):
            find(project, path, tmp_path)
        new = contents(tmp_path).keys() - before.keys()
        assert {path.name for path in new} == {"a.zip"}
        assert not Path("/nonexistent/labreport-outside").exists()

    def test_a_zip_that_would_fill_the_disk_is_refused(self, project, tmp_path, monkeypatch):
        monkeypatch.setattr(others, "LARGEST", 100)
        with pytest.raises(UsageError, match="unpacks to 101 bytes"):
            find(project, packed(tmp_path / "a.zip", {"report.toml": "x" * 101}), tmp_path)


def git(folder, *arguments):
    who = {f"GIT_{who}_{what}": "x@y.z" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def repository(folder, *ignored):
    (folder / ".gitignore").write_text("\n".join(("__pycache__", *ignored)))
    git(folder, "init", "-q")
    commit(folder)


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a state")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
class TestRevisions:
    @pytest.fixture
    def project(self, tmp_path):
        return compared.coin(tmp_path / "repository" / "p")

    def test_committed_results_are_rendered(self, project, tmp_path):
        repository(project.root.parent, ".lock", ".slots", "cells", "store")
        compared.shift(project, 0.0, 0.25)
        found = find(project, "HEAD", tmp_path)
        assert first(found) == r"{0.500}"
        assert found.name.startswith("revision HEAD (")
        assert "committed results" in found.name

    def test_without_committed_results_the_revision_is_built(self, project, tmp_path):
        repository(project.root.parent, "build")
        compared.shift(project, 0.0, 0.25)
        commit(project.root.parent)
        built = []

        def make(other):
            built.append(other.root)
            projects.run(other)

        found = find(project, "HEAD~1", tmp_path, make)
        assert first(found) == r"{0.500}"
        assert built[0].is_relative_to(project.build)
        assert not built[0].exists()

    def test_the_store_saves_the_revision_from_running_again(self, project, tmp_path):
        repository(project.root.parent, "build")
        compared.shift(project, 0.0, 0.25)  # the first result goes into the store
        outcomes = []
        find(project, "HEAD", tmp_path, lambda other: outcomes.append(projects.run(other)))
        assert (outcomes[0].ran, outcomes[0].restored) == ((), ("coin",))

    def test_a_packed_hand_in_of_the_revision_is_used(self, project, tmp_path):
        files = {f"code/{name}": data for name, data in contents(project.root).items()}
        project.submission.mkdir()
        packed(project.submission / "code.zip", files)
        repository(project.root.parent, "p/build/*", "!p/build/submission")
        found = find(project, "HEAD", tmp_path)
        assert first(found) == r"{0.500}"
        assert "code.zip of revision HEAD" in found.name

    def test_the_repository_stays_as_it_is(self, project, tmp_path):
        repository(project.root.parent, "build")
        (project.root / "staged.txt").write_text("staged")
        git(project.root, "add", "staged.txt")
        (project.root / "report.toml").write_text('title = "Edited"\n')
        before = git(project.root, "status", "--porcelain"), git(project.root, "worktree", "list")
        find(project, "HEAD", tmp_path, projects.run)
        assert (git(project.root, "status", "--porcelain"), git(project.root, "worktree", "list")) == before
        assert (project.root / "report.toml").read_text() == 'title = "Edited"\n'

    def test_a_failure_leaves_nothing_behind(self, project, tmp_path):
        repository(project.root.parent, "build")

        def fail(_):
            raise InputError("the experiment broke")

        with pytest.raises(InputError, match="broke") as caught:
            find(project, "HEAD", tmp_path, fail)
        assert caught.value.notes == ("this is the report of HEAD, not the one here",)
        assert not list(project.build.glob(".scratch-*"))

    def test_variables_of_git_do_not_lead_elsewhere(self, project, tmp_path, monkeypatch):
        repository(project.root.parent, ".lock", ".slots", "cells", "store")
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
        monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
        assert first(find(project, "HEAD", tmp_path)) == r"{0.500}"

    @pytest.mark.parametrize("name", ["no-such-revision", "--output=x", "-h", "HEAD~99", "a b", ""])
    def test_what_is_neither_a_path_nor_a_revision_is_refused(self, project, tmp_path, name):
        repository(project.root.parent, "build")
        with pytest.raises(UsageError, match="neither a file nor a folder nor a revision"):
            find(project, name, tmp_path)

    def test_outside_of_a_repository_no_command_of_git_is_the_cure(self, project, tmp_path):
        with pytest.raises(UsageError, match="not a git repository") as caught:
            find(project, "HEAD", tmp_path)
        assert caught.value.cure == "name a folder or a zip by its path"

    def test_a_revision_from_before_the_project_is_refused(self, project, tmp_path):
        repository(project.root.parent, "p")
        with pytest.raises(UsageError, match="holds no project"):
            find(project, "HEAD", tmp_path)

    def test_outside_a_repository_there_are_no_revisions(self, project, tmp_path, monkeypatch):
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
        with pytest.raises(UsageError, match="neither a file"):
            find(project, "HEAD", tmp_path)

    def test_without_git_its_absence_is_told(self, project, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ToolError, match="git"):
            find(project, "HEAD", tmp_path)
