"""All who follow a watch: the one before the terminal, and those who have the page open.

Those of the page are told the whole state each time:

    page      the digest of the page as it is now; empty while there is none
    building  what had changed, while a build is under way; else null
    work      what is at work, each as doing, done, total (0: unknown) and label
    said      the last line about a build
    errors    the lines of what failed, until it is mended; each that is not indented begins an error
    notices   what the last build wants looked at
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from labreport import page
from labreport.events import Event
from labreport.progress import doing
from labreport.watching.live import Live
from labreport.watching.screen import Screen

if TYPE_CHECKING:
    from labreport.project import Project

IN_TERMINAL = {"www-browser", "links", "elinks", "lynx", "w3m"}
"""Browsers that would take the terminal away from the watch."""

Work = tuple[str, str]
"""An experiment or a notebook, and the phase that it is in."""


@dataclass(frozen=True)
class _State:
    page: str
    building: str | None = None
    work: Mapping[Work, Mapping[str, Any]] = field(default_factory=dict)
    said: str = ""
    errors: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


class Audience:
    """Passes on what happens to the terminal and to every open page; a later one gets the current state.

    Raises UsageError or ToolError where the page cannot be served.
    """

    def __init__(self, project: Project, port: int | None = None) -> None:
        self.project = project
        self.screen = Screen(project)
        self._state = _State(self._read()[1])
        self._noticed: list[str] = []  # by experiments of this build, before its end
        self._live = Live(self._page, port)
        self._tell()

    def welcome(self, *, opens: bool) -> None:
        """Say what is watched and where the page is, and let a browser open it if that is wished."""
        self.screen.say(f"watching {self.project.root}; Ctrl-C ends it")
        self.screen.say(f"the page is at {self._live.url}")
        if opens:  # some browsers take seconds to start, or stay in the foreground until they are closed
            threading.Thread(target=self._open, daemon=True).start()

    def _open(self) -> None:
        import webbrowser

        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            is_open = False
        else:
            is_open = browser.name not in IN_TERMINAL and browser.open(self._live.url)
        if not is_open:
            self.screen.say("notice: no browser could be started: open the address of the page yourself")

    def close(self) -> None:
        """Clear the screen, and let all browsers go."""
        self.screen.clear()
        self._live.close()

    def say(self, line: str) -> None:
        """Tell a line."""
        self.screen.say(line)
        self._tell(said=line.strip())

    def begin(self, changed: Collection[str]) -> None:
        """Tell that a build begins; the screen has a line for it once it has made something."""
        self._noticed = []
        self._tell(building=self.screen.named(changed), work={})

    def show(self, event: Event) -> None:
        """Tell what happens to an experiment, the report or a notebook."""
        self.screen.show(event)
        work, key = dict(self._state.work), (event.experiment, event.phase)
        if event.kind in ("started", "progress"):
            work[key] = {"doing": doing(event)} | {n: getattr(event, n) for n in ("done", "total", "label")}
        elif event.kind in ("finished", "failed"):
            work.pop(key, None)
        elif event.kind == "notice":
            self._noticed.append(f"{event.experiment}: notice: {event.label}")
        self._tell(work=work)

    def look(self) -> None:
        """Look whether the page is another one, and tell."""
        self._tell(page=self._read()[1])

    def end(self) -> None:
        """Show no longer that a build is under way; how it ended follows."""
        self.screen.clear()
        self._state = replace(self._state, page=self._read()[1], building=None, work={})

    def built(self, changed: Collection[str], made: Sequence[str], seconds: float) -> None:
        """Tell what a build made."""
        self._tell(said=self.screen.built(changed, made, seconds), work={})

    def followed(self, made: Sequence[str], seconds: float) -> None:
        """Tell what a build made after the report."""
        self.screen.followed(made, seconds)

    def succeeded(self, notices: Sequence[str], *, is_mended: bool) -> None:
        """Tell what a build wants looked at that made everything, and whether one before it had failed."""
        self.screen.notices(notices)
        if is_mended:
            self.screen.mended()
        self._tell(errors=(), notices=self._all(notices))

    def failed(
        self, changed: Collection[str], lines: Sequence[str], notices: Sequence[str], seconds: float
    ) -> None:
        """Tell why a build failed, and what it wants looked at."""
        said = self.screen.failed(changed, lines, seconds)
        self.screen.notices(notices)
        self._tell(said=said, errors=tuple(lines), notices=self._all(notices))

    def _all(self, notices: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self._noticed, *notices]))

    def _tell(self, **news: Any) -> None:
        self._state = replace(self._state, **news)
        self._live.publish(vars(self._state) | {"work": [*self._state.work.values()]})

    def _page(self) -> bytes:
        """Return the page as it is, to be served; while there is none, one that waits for it."""
        found, digest = self._read()
        return page.live(found or page.waiting(self.project), digest)

    def _read(self) -> tuple[bytes, str]:
        """Return the file of the page, and its digest; nothing if there is none."""
        try:
            found = self.project.page.read_bytes()
        except OSError:
            return b"", ""
        return found, hashlib.sha256(found).hexdigest()
