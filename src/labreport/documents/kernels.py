"""Executing the cells of a notebook in a kernel of this Python, away from the project.

The kernel starts in an empty folder, without the project's modules, without the person's own settings of
IPython and matplotlib, and without keys or other secrets. It is behind a wall: it reads the project and what
is installed, and writes into its folder only. Outputs that would differ in the next run, or that
name this machine, are refused.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import descendants, scratch, surroundings, wall
from labreport.documents import enclosures
from labreport.wall import Limits

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec
    from nbclient import NotebookClient
    from nbformat import NotebookNode

MOST_OUTPUT = 2_000_000
"""The number of characters that the outputs of one cell may have; images count in their text form."""

LARGEST_FILE = 2**30
"""The bytes that one file written by a cell may have."""

STARTUP = 120
"""Seconds that a kernel has to answer for the first time."""

LEFT = "left"
"""The file in the kernel's folder that names what its cells have left running."""

_LONGEST_SOCKET = 80  # Linux allows a socket's name 107 characters; Jupyter adds some to the folder's


class CellFailed(Exception):
    """A cell cannot be executed, or not so that its outputs can be kept.

    `lines` are places (number of the cell, line in it), the failing cell's first; a line may be unknown.
    """

    def __init__(self, what: str, lines: Sequence[tuple[int, int | None]], cure: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.lines = tuple(lines)
        self.cure = cure


async def execute(
    notebook: NotebookNode,
    log: Path,
    *,
    project: Path,
    cell_deadline: float,
    notebook_deadline: float,
    private: Sequence[str] = (),
    done: Callable[[int, int], None],
    notice: Callable[[str], None],
) -> None:
    """Execute a notebook in place; `log` gets what the kernel itself says, `project` is what it may read.

    After each cell of code, `done` is called with the number of those executed, and of all; `notice` with
    what there is to say of the notebook as a whole.

    Raises
    ------
    CellFailed
        A cell raises, takes too long or ends the kernel, or its outputs cannot be kept; `private` are paths
        that no output may contain.

    """
    code = [at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    at = 0
    with _folder() as folder:
        kernel = wall.command(enclosures.notebook(folder, project), _limits(notebook_deadline), _KERNEL)
        try:
            async with (
                asyncio.timeout(notebook_deadline) as whole,
                _client(notebook, folder, log, kernel, notice) as client,
            ):
                for number, at in enumerate(code, 1):
                    await _execute_cell(client, at, cell_deadline)
                    _join_streams(notebook.cells[at])
                    _check_outputs(notebook.cells[at], at, (str(folder), *private))
                    done(number, len(code))
        except (TimeoutError, CellFailed):
            if not whole.expired():
                raise
            what = f"the notebook was ended after {notebook_deadline:g} s, its deadline"
            cure = "shorten it, or set notebook_deadline in report.toml"
            raise CellFailed(what, [(at, None)], cure) from None


# ------------------------------------------------------------------------------------------------- the kernel


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder for one kernel: `work` is empty, beside it lie its connection and its settings."""
    with scratch.folder() as folder:
        for name in ("work", "home", "tmp", "matplotlib"):
            (folder / name).mkdir()
        (folder / "matplotlibrc").touch()
        for fonts in _lists_of_fonts():  # to look for all fonts again takes seconds
            shutil.copyfile(fonts, folder / "matplotlib" / fonts.name)
        yield folder


def _lists_of_fonts() -> Iterator[Path]:
    """Yield the lists of this machine's fonts that matplotlib has made."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MPLCONFIGDIR") or Path(caches) / "matplotlib").glob("fontlist-*.json")


def _limits(deadline: float) -> Limits:
    """Return limits that only a runaway meets: all processors until the deadline, all memory there is."""
    cpu = int(deadline) * (os.cpu_count() or 1) + 10
    return Limits(cpu, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), LARGEST_FILE)


@asynccontextmanager
async def _client(
    notebook: NotebookNode, folder: Path, log: Path, kernel: list[str], notice: Callable[[str], None]
) -> AsyncIterator[NotebookClient]:
    """Give a client with a running kernel of its own, which ends with all that its cells have started."""
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    manager = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=_only([*_ABOVE, str(folder / LEFT), *kernel]),
        transport="ipc" if len(str(folder)) < _LONGEST_SOCKET else "tcp",
        connection_file=str(folder / "kernel.json"),
    )
    # times would differ in each run; the deadline of a cell is held by `_execute_cell`
    client = NotebookClient(notebook, km=manager, record_timing=False, timeout=None)
    client.on_cell_executed = _refuse_end
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        environment = surroundings.for_notebooks(folder)
        await manager.start_kernel(cwd=str(folder / "work"), env=environment, stdout=file, stderr=file)
    try:
        client.kc = manager.client()
        client.kc.start_channels()
        await client.kc.wait_for_ready(timeout=STARTUP)
        client.kc.allow_stdin = False  # input() fails at once instead of waiting for ever
        yield client
    except RuntimeError as error:
        raise CellFailed(f"the kernel does not start: {error}", [(0, None)], f"see {log}") from error
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        # without the shield an interrupted build would leave the kernel running
        await asyncio.shield(_end(manager, folder / LEFT, notice))


async def _end(manager: Any, left: Path, notice: Callable[[str], None]) -> None:
    """End a kernel with all that its cells have started; tell what they had hidden from its session."""
    await manager.signal_kernel(signal.SIGTERM)
    until = time.monotonic() + 2 * descendants.SECONDS
    while await manager.is_alive() and time.monotonic() < until:
        await asyncio.sleep(0.005)
    await manager.shutdown_kernel(now=True)
    if left.is_file() and (names := left.read_text(encoding="utf-8").splitlines()):
        notice(f"ended what it had left running: {', '.join(names)}")


def _refuse_end(cell: NotebookNode, cell_index: int, execute_reply: Any) -> None:
    """Raise CellFailed for a cell that ends the kernel in order: no cell after it runs."""
    del cell
    if any(each.get("source") == "ask_exit" for each in execute_reply["content"].get("payload", ())):
        what = "the cell calls quit or exit, which ends the notebook: no cell after it would run"
        raise CellFailed(what, [(cell_index, None)], "leave that call out")


# isolated, it needs neither packages nor settings, and is there in milliseconds
_ABOVE = [sys.executable, "-I", "-S", descendants.__file__]
"""Above the kernel, what ends the processes that cells leave, and writes their names into a file."""
_KERNEL = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


def _only(command: list[str]) -> Any:
    """Return what knows one kernel, this command, whatever the person has installed."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    class Only(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(argv=command, display_name="Python 3", language="python")

    return Only()


async def _execute_cell(client: NotebookClient, at: int, deadline: float) -> None:
    """Execute a cell; CellFailed says in words why it could not end."""
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    cell = client.nb.cells[at]
    try:
        async with asyncio.timeout(deadline) as limit:
            await client.async_execute_cell(cell, at)
    except CellExecutionError as error:
        raised = _raised(error)
        cure = next((cure for words, cure in _CURES.items() if re.search(words, raised)), None)
        raise CellFailed(raised, _lines(client, at, error.traceback), cure) from error
    except (TimeoutError, DeadKernelError) as error:  # nbclient takes each cancellation for a dead kernel
        if limit.expired():
            what = f"the cell was ended after {deadline:g} s, its deadline"
            cure = "make it shorter, or set cell_deadline in report.toml"
            raise CellFailed(what, [(at, None)], cure) from error
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError from error
        # the process above the kernel ends as shells do: by a number that tells the signal
        if await _exit_code(client) == 128 + signal.SIGXCPU:
            what, cure = "the kernel was ended: it had used up its processor time", _COMPUTE
            raise CellFailed(what, [(at, None)], cure) from error
        what = "the kernel died while executing this cell"
        cure = "look for what ends the process: os._exit, too much memory, a crash in a library"
        raise CellFailed(what, [(at, None)], cure) from error


async def _exit_code(client: NotebookClient) -> int | None:
    provisioner = getattr(client.km, "provisioner", None)
    return None if provisioner is None else await provisioner.poll()


_COMPUTE = "let an experiment compute this, and show its result"
_CURES = {
    r"PermissionError|Permission denied": "a notebook reads the project and writes into its own folder only: "
    "let an experiment do this, and show its result",
    "MemoryError|[Cc]an't allocate|[Cc]annot allocate": _COMPUTE,
    "File too large": f"write less: a file may have {LARGEST_FILE // 2**30} GB",
}


def _join_streams(cell: NotebookNode) -> None:
    """Let all that a cell prints be one output: its pieces depend on how fast the cell is.

    nbclient could do it, but takes time with the square of the longest line.
    """
    joined: dict[str, NotebookNode] = {}
    kept = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name in joined:
            joined[output.name].text += output.text
            continue
        if output.output_type == "stream":
            joined[output.name] = output
        kept.append(output)
    cell.outputs = kept


def _raised(error: Any) -> str:
    """Return the last line of an exception, as Python prints it."""
    value = _without_colours(str(error.evalue)).strip().split("\n")[0]
    return f"the cell raises {error.ename}" + (f": {value}" if value else "")


def _lines(client: NotebookClient, at: int, traceback: str) -> list[tuple[int, int | None]]:
    """Return where an exception came through the notebook's cells: first where the failing cell was left."""
    counts = {cell.get("execution_count"): number for number, cell in enumerate(client.nb.cells)}
    text = _without_colours(traceback)
    found = re.findall(r"Cell In ?\[(\d+)\], line (\d+)", text)
    frames = [(counts[int(count)], int(line)) for count, line in found if int(count) in counts]
    own = next((frame for frame in frames if frame[0] == at), (at, None))
    others = [frame for frame in frames if frame != own]
    return [own, *dict.fromkeys(others)]


def _without_colours(text: str) -> str:
    return re.sub("\x1b\\[[0-9;]*m", "", text)


# --------------------------------------------------------------------------------------------------- outputs


def _check_outputs(cell: NotebookNode, at: int, places: Sequence[str]) -> None:
    """Put a cell's outputs into the form that is kept; CellFailed if they would differ in each run."""
    for output in cell.outputs:
        _strip_images(output)
        if output.get("name") == "stderr":
            last = output.text.strip().split("\n")[-1]
            cure = "fix what it warns about, or silence the warning in the cell; print what is to be shown"
            raise CellFailed(f"the cell writes to stderr: {last}", [(at, None)], cure)
    texts = list(_texts(cell.outputs))
    whole = "\n".join(texts)
    if len(whole) > MOST_OUTPUT:
        what = f"the cell's outputs have {len(whole):,} characters; {MOST_OUTPUT:,} are allowed"
        raise CellFailed(what, [(at, None)], "print less, or draw smaller figures")
    if found := re.search(r"<[^<>\n]{0,80} at 0x[0-9a-f]{6,}", whole):
        what = f"the cell shows an address in memory, which differs in each run: {found[0]}>"
        cure = "end the cell with a semicolon, or print what matters of the object"
        raise CellFailed(what, [(at, None)], cure)
    for place in places:
        if place in whole:
            what = f"the cell's output names a path of this machine: {place}"
            raise CellFailed(what, [(at, None)], "print the name of the file alone")


def _texts(outputs: Sequence[NotebookNode]) -> Iterator[str]:
    """Yield all texts in outputs."""
    for output in outputs:
        yield str(output.get("text", ""))
        yield from (str(data) for data in output.get("data", {}).values())
        yield from map(str, output.get("traceback", ()))


def _strip_images(output: NotebookNode) -> None:
    """Take the texts and dates out of PNG images: which program made them, and when."""
    data = output.get("data", {})
    if "image/png" in data:
        data["image/png"] = base64.b64encode(_bare_png(base64.b64decode(data["image/png"]))).decode()


def _bare_png(png: bytes) -> bytes:
    """Return a PNG image without the chunks that hold texts and dates."""
    kept, position = [png[:8]], 8
    while position < len(png):
        end = position + 12 + int.from_bytes(png[position : position + 4], "big")
        if png[position + 4 : position + 8] not in (b"tEXt", b"zTXt", b"iTXt", b"tIME"):
            kept.append(png[position:end])
        position = end
    return b"".join(kept)
