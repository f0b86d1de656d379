"""The journal of what was read: a line that cannot be written is no line less that nobody misses."""

import errno
import os

import projects
import pytest

from labreport.errors import DiskError
from labreport.results import results
from labreport.running import journal as journals
from labreport.running.journal import Journal, Line, left


@pytest.fixture
def journal():
    made = Journal()
    made.write("file", "a", "1", "")
    return made


def failing(monkeypatch, number):
    """Let no process write from now on, as where a disk is full or broken; a number of None writes a part."""
    whole = os.write

    def write(handle, data):
        if number is None:
            return whole(handle, data[:5])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(journals.os, "write", write)


def test_lines_of_all_processes_are_read_in_their_order(journal):
    if (pid := os.fork()) == 0:
        journal.write("file", "b", "2", "own")
        os._exit(0)
    os.waitpid(pid, 0)
    assert list(journal.lines()) == [Line("file", "a", "1", ""), Line("file", "b", "2", "own")]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, None])
@pytest.mark.parametrize("forks", [False, True], ids=["this process", "another one"])
def test_a_line_that_cannot_be_written_is_an_error_of_who_reads_them(journal, monkeypatch, number, forks):
    with monkeypatch.context() as patched:
        failing(patched, number)
        if not forks:
            journal.write("file", "b", "2", "")  # who opens a file is not told
        elif (pid := os.fork()) == 0:
            journal.write("file", "b", "2", "")
            os._exit(0)
        else:
            assert os.waitpid(pid, 0)[1] == 0
    with pytest.raises(OSError, match=os.strerror(number or errno.ENOSPC)):
        list(journal.lines())


def test_a_kept_file_that_lacks_a_line_is_not_left(journal, monkeypatch, tmp_path):
    path = tmp_path / "kept"
    journal.keep(path)
    journal.write("file", "b", "2", "")
    assert [line.name for line in left(path)] == ["a", "b"]
    failing(monkeypatch, errno.ENOSPC)
    journal.write("file", "c", "3", "")
    assert not path.exists()


READS = """
    import os

    write = os.write

    def broken(handle, data):
        raise OSError(28, "No space left on device")

    def run(params, lab):
        os.write = broken
        try:
            text = open("data.txt").read()
        except OSError:
            text = ""
        os.write = write
        return {"length": len(text)}
"""


def test_a_run_whose_input_cannot_be_noted_has_no_result(tmp_path):
    project = projects.make(tmp_path / "p", {"a": projects.experiment(READS)})
    projects.write(project.root / "data.txt", "12345")
    (error,) = projects.running.execute(project).errors
    assert isinstance(error, DiskError)
    assert "no space left" in error.what
    assert not (project.results / "a" / results.RESULT).exists()


CHECKPOINTS = """
    def run(params, lab):
        kept = lab.checkpoints / "kept"
        text = kept.read_text() if kept.exists() else open("data.txt").read()
        kept.write_text(text)
        assert text != "1"
        return {"text": text}
"""


def test_checkpoints_of_inputs_that_nobody_knows_are_made_anew(tmp_path):
    project = projects.make(tmp_path / "p", {"a": projects.experiment(CHECKPOINTS)})
    projects.write(project.root / "data.txt", "1")
    assert projects.running.execute(project).errors
    (folder,) = project.checkpoints.glob("a/*")
    assert (folder / "kept").read_text() == "1"
    results.read_before(folder).unlink()
    projects.write(project.root / "data.txt", "2")
    projects.run(project)
    assert results.load(project, "a").values["text"] == "2"
