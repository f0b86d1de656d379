"""What a user sees while a build works: live bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from labreport.events import brief

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from labreport.events import Event


def shown_seconds(seconds: float | None) -> str:
    """Return a duration as people read it: 0.12 s, 4.5 s, 1 min 30 s; nothing if it is unknown."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def shown_bytes(size: int) -> str:
    """Return a size as people read it: 12 B, 3.4 kB, 120 MB."""
    amount, unit = float(size), "B"
    for bigger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, bigger
    return f"{amount:.1f} {unit}" if amount < 9.95 and unit != "B" else f"{amount:.0f} {unit}"


_WORDS = {  # the phase of an event: while it lasts, when it has ended, what stands before the name
    "run": ("running", "ran", ""),
    "draw": ("drawing", "figures drawn", ""),
    "notebook": ("executing", "executed", "notebook "),
}


def doing(event: Event) -> str:
    """Return what is done while an event's phase lasts: "running NAME"."""
    if event.phase == "report":
        return "rendering the templates and compiling the PDF"
    verb, _, kind = _WORDS[event.phase]
    return f"{verb} {kind}{event.experiment}"


class Progress:
    """Shows what happens as it comes; a context manager that leaves the terminal as it was.

    A `short` one leaves out the lines of what went well.
    """

    def __init__(self, *, short: bool = False) -> None:
        self._short = short
        self._bars = _bars() if sys.stdout.isatty() else None
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take away the bars that are there."""
        if self._bars is not None:
            for task in self._tasks.values():
                self._bars.remove_task(task)
            self._bars.stop()
        self._tasks.clear()

    def say(self, text: str) -> None:
        """Print a line, above the bars if there are any; only the terminal breaks it."""
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)
        else:
            print(text, flush=True)

    def show(self, event: Event) -> None:
        """Show what happens to an experiment, the report, a notebook or the hand-in."""
        if event.phase == "report":
            self.say(f"{doing(event)} …")
        elif event.phase in ("verify", "diff"):
            self.say(f"  {event.label}")
        else:
            self._show(event)

    def _show(self, event: Event) -> None:
        _, ended, kind = _WORDS[event.phase]
        name = f"{kind}{event.experiment}"
        why = f" ({brief(event.reasons)})" if event.reasons else ""
        if event.kind == "started":
            self._start(event, doing(event), why)
        elif event.kind == "progress" and self._bars is not None:
            label = doing(event) + (f": {event.label}" if event.label else "")
            task = self._tasks[event.experiment, event.phase]
            self._bars.update(task, completed=event.done, total=event.total, description=label)
        elif event.kind == "notice":
            self.say(f"{name}: notice: {event.label}")
        elif event.kind == "finished":
            self._end(event, None if self._short else f"{name}: {ended} in {shown_seconds(event.seconds)}")
        elif event.kind == "failed":
            self._end(event, f"{name}: failed")
        elif event.kind == "skipped":
            self.say(f"{name}: skipped{why}")
        elif event.kind == "restored" and not self._short:
            what = "figures restored" if event.phase == "draw" else "restored"
            self.say(f"{name}: {what} from the store{why}")

    def _start(self, event: Event, label: str, why: str) -> None:
        if self._bars is None:
            self.say(f"{label}{why}")
        else:
            # bars are live only while there is one: else they would catch what goes to a redirected stderr
            self._bars.start()
            self._tasks[event.experiment, event.phase] = self._bars.add_task(label, total=None)

    def _end(self, event: Event, line: str | None) -> None:
        task = self._tasks.pop((event.experiment, event.phase), None)
        if self._bars is not None and task is not None:
            self._bars.remove_task(task)
            if not self._tasks:
                self._bars.stop()
        if line is not None:
            self.say(line)


def _bars() -> Bars:
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Bars(*columns, transient=True)
