"""What the cells of a notebook can read, write and use up."""

import asyncio
import uuid
from pathlib import Path

import nbformat
import pytest

from labreport import wall
from labreport.documents import kernels
from labreport.documents.kernels import CellFailed
from labreport.wall import Limits

pytestmark = pytest.mark.slow
walled = pytest.mark.skipif(not wall.version(), reason=wall.NONE)


def execute(tmp_path, *cells):
    """Execute cells in one kernel of a project, and return what each one prints."""
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    (project / "data.csv").write_text("1,2\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    run = kernels.execute(
        notebook,
        tmp_path / "log" / "notebook.log",
        project=project,
        cell_deadline=60,
        notebook_deadline=120,
        done=lambda *_: None,
        notice=lambda _: None,
    )
    asyncio.run(run)
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]


TRY = """
def tried(action):
    try:
        return action()
    except OSError as error:
        return type(error).__name__
"""


@walled
def test_a_kernel_reads_the_project_and_what_is_installed_and_nothing_else(tmp_path):
    home = Path.home() / f".labreport-{uuid.uuid4().hex}"
    paths = [home, tmp_path / "secret", tmp_path / "project" / ".." / "secret", tmp_path / "link"]
    for path in (home, tmp_path / "secret"):
        path.write_text("CANARY")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    try:
        _, own, others, system, folder = execute(
            tmp_path,
            TRY,
            f"print(open({str(tmp_path / 'project' / 'data.csv')!r}).read())",
            f"print([tried(lambda: open(path).read()) for path in {[str(path) for path in paths]}])",
            "import numpy; print(all(open(path).read() for path in ('/etc/passwd', '/proc/self/stat')))",
            f"import os; print(tried(lambda: os.listdir({str(tmp_path)!r})))",
        )
    finally:
        home.unlink()
    assert own == "1,2\n\n"
    assert others == f"{['PermissionError'] * len(paths)}\n"
    assert system == "True\n"
    assert folder == "PermissionError\n"


@walled
def test_a_kernel_writes_into_its_own_folder_only(tmp_path):
    project = tmp_path / "project"
    lost = [str(p / "lost") for p in (tmp_path, project, Path.home(), Path("/tmp"), Path("/var/tmp"))]
    data = str(project / "data.csv")
    _, own, others, changed, child = execute(
        tmp_path,
        TRY + "import os, subprocess, tempfile\nfrom pathlib import Path",
        "files = [Path('a'), Path.home() / 'b', Path(tempfile.mkdtemp(), 'c')]\n"
        "print([path.write_text('x') for path in files])",
        f"print([tried(lambda: open(path, 'w')) for path in {lost}])",
        f"print([tried(lambda: os.remove({data!r})), tried(lambda: os.truncate({data!r}, 0)),\n"
        f"    tried(lambda: os.rename({data!r}, 'here')), tried(lambda: os.link({data!r}, 'there'))])",
        f"print(subprocess.run(['rm', {data!r}], stderr=subprocess.DEVNULL).returncode)",
    )
    assert own == "[1, 1, 1]\n"
    assert others == f"{['PermissionError'] * len(lost)}\n"
    assert "None" not in changed
    assert child == "1\n"
    assert (project / "data.csv").read_text() == "1,2\n"
    assert not any(Path(path).exists() for path in lost)


def test_what_notebooks_need_works_behind_the_wall(tmp_path):
    """Figures, processes that share semaphores, programs, terminals; with no word of warning."""
    printed = execute(
        tmp_path,
        "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()",
        "from concurrent.futures import ProcessPoolExecutor\n"
        "with ProcessPoolExecutor(2) as pool: print(list(pool.map(abs, [-1, 2])))",
        "!echo from a shell",
    )
    assert printed == ["", "[1, 2]\n", "from a shell\r\n"]


@walled
def test_what_the_wall_refuses_is_told_with_the_cure(tmp_path):
    with pytest.raises(CellFailed, match="raises PermissionError") as caught:
        execute(tmp_path, "x = 1", f"open({str(tmp_path / 'x')!r}, 'w')")
    assert caught.value.lines == ((1, 1),)
    assert "reads the project and writes into its own folder only" in caught.value.cure


@pytest.mark.parametrize(
    ("cell", "told", "cure"),
    [
        ("x = bytearray(3 * 2**30)", "raises MemoryError", "let an experiment compute this"),
        (
            "import numpy; numpy.ones(3 * 2**27)",
            "raises MemoryError: Unable to allocate",
            "let an experiment compute this",
        ),
        ("open('x', 'wb').write(bytes(2**21))", "File too large", "write less"),
        ("while True: pass", "had used up its processor time", "let an experiment compute this"),
    ],
)
def test_a_limit_that_is_met_is_told_with_the_cure(tmp_path, monkeypatch, cell, told, cure):
    monkeypatch.setattr(kernels, "_limits", lambda _: Limits(cpu=8, memory=2**31, file=2**20))
    with pytest.raises(CellFailed, match=told) as caught:
        execute(tmp_path, cell)
    assert cure in caught.value.cure
