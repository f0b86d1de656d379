"""Being woken when something changes in some folders."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection
from threading import Event

from labreport.errors import LabreportError, ToolError

QUIET_MS = 25
"""How long nothing must change for a burst of changes to be over; it is noticed up to as much later."""
LONGEST_MS = 500
"""How long a burst may last before the first changes are told."""
TIMEOUT_MS = 200


class Notifier:
    """Waits in a thread for changes directly in folders; `fileno` becomes readable when there may be some."""

    def __init__(self, folders: Collection[str]) -> None:
        self.folders: Collection[str] = ()
        self._ours, self._theirs = os.pipe()
        for handle in (self._ours, self._theirs):
            os.set_blocking(handle, False)
        self._stop = Event()
        self._error: LabreportError | None = None
        self.watch(folders)

    def fileno(self) -> int:
        """Return what to select on."""
        return self._ours

    def watch(self, folders: Collection[str]) -> None:
        """Watch these folders from now on, and no others."""
        self._stop.set()
        self._stop, self.folders = Event(), folders
        # a daemon: nothing waits for it at the end
        threading.Thread(target=self._wait, args=(folders, self._stop), daemon=True).start()

    def take(self) -> None:
        """Take note of what has been told until now.

        Raises ToolError if the system cannot watch the folders.
        """
        with contextlib.suppress(BlockingIOError):
            os.read(self._ours, 1 << 16)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Watch no longer."""
        self._stop.set()

    def _wait(self, folders: Collection[str], stop: Event) -> None:
        import watchfiles

        try:
            changes = watchfiles.watch(
                *folders,
                watch_filter=None,
                debounce=LONGEST_MS,
                step=QUIET_MS,
                stop_event=stop,
                rust_timeout=TIMEOUT_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
                ignore_permission_denied=False,  # else a folder that went is not told either
            )
            # only now is it certain that no change is missed: what came before must be looked for
            next(changes, None)
            self._tell()
            for found in changes:
                if found:
                    self._tell()
        except FileNotFoundError:  # a folder went at this moment: whoever looks finds others to watch
            self.folders = ()
            self._tell()
        except Exception as error:
            self._error = ToolError(
                f"the system does not tell of changes: {error}",
                cure="on Linux: sysctl fs.inotify.max_user_watches=524288; or set WATCHFILES_FORCE_POLLING=1",
            )
            self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full: that it is to be read is known already
            os.write(self._theirs, b".")
