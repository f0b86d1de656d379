"""What somebody sees who watches: a line for each build, and below it what needs a look."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.errors import visible
from labreport.events import Event, brief
from labreport.progress import Progress, shown_seconds

if TYPE_CHECKING:
    from labreport.project import Project

FIRST = "first build"


class Screen:
    """Prints lines, and bars while something runs, if there is a terminal."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.progress = Progress(short=True)
        self._noticed: frozenset[str] = frozenset()

    def say(self, line: str) -> str:
        """Print a line, and return it."""
        self.progress.say(line)
        return line

    def show(self, event: Event) -> None:
        """Show what happens to an experiment or a notebook."""
        if event.phase != "report":
            self.progress.show(event)

    def clear(self) -> None:
        """Take away the bars of a build that has ended, however it ended."""
        self.progress.clear()

    def built(self, changed: Collection[str], made: Sequence[str], seconds: float) -> str:
        """Print the line of a build, and return it: what had changed, what it made, how long that took."""
        what = ", ".join(made) or "nothing to do"
        return self.say(f"{_now()} {self.named(changed)}: {what} ({shown_seconds(seconds)})")

    def followed(self, made: Sequence[str], seconds: float) -> None:
        """Print what a build made after the report."""
        self.say(f"         {', '.join(made)} ({shown_seconds(seconds)})")

    def notices(self, found: Iterable[str]) -> None:
        """Print the notices that the build before had not; they stand there already."""
        kept = dict.fromkeys(found)
        for notice in kept:
            if notice not in self._noticed:
                self.say(f"         {notice}")
        self._noticed = frozenset(kept)

    def failed(self, changed: Collection[str], lines: Sequence[str], seconds: float) -> str:
        """Print why a build failed, and return the first line."""
        head = self.say(f"{_now()} {self.named(changed)}: failed ({shown_seconds(seconds)})")
        for number, line in enumerate(lines):
            self.say(f"error: {line}" if number == 0 or not line.startswith(" ") else line)
        return head

    def mended(self) -> None:
        """Print that what failed before is made now."""
        self.say("         mended: nothing fails any more")

    def named(self, changed: Collection[str]) -> str:
        """Return the names of changed files, shortened; those of the first build have none."""
        names = sorted(
            {visible("/".join(Path(self.project.shown(Path(path))).parts[-2:])) for path in changed}
        )
        return brief(names, ", ") or FIRST


def _now() -> str:
    return time.strftime("%H:%M:%S")
