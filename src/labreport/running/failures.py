"""How other processes fail: their exceptions, described so that they can be sent, and their sudden ends."""

from __future__ import annotations

import pickle
import signal
import traceback
from collections.abc import Callable, Sequence

from labreport.running.hints import hint

Described = tuple[bytes, str, str, list[tuple[str, int]], str]
"""An exception as what can be sent: itself pickled where it can be, text, traceback, places and hint."""


def described(error: BaseException, dumps: Callable[[object], bytes] = pickle.dumps) -> Described:
    """Return an exception as what can be sent."""
    text = "".join(traceback.format_exception(error))
    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    try:
        pickled = dumps(error)
        pickle.loads(pickled)  # many exceptions can be pickled but not restored: their __init__ asks for more
    except Exception:
        pickled = b""
    return pickled, f"{type(error).__name__}: {error}", text, frames, hint(error)


def restored(sent: Described, note: str) -> BaseException:
    """Return an exception that another process has described, with a note and with its traceback there."""
    pickled, text, shown, frames, meant = sent
    error = pickle.loads(pickled) if pickled else RuntimeError(text)
    error.add_note(note)
    error.__cause__ = RemoteTraceback(shown, frames, meant)
    assert isinstance(error, BaseException)
    return error


class RemoteTraceback(Exception):
    """The traceback of an exception in another process."""

    def __init__(self, text: str, frames: Sequence[tuple[str, int]], hint: str = "") -> None:
        super().__init__(text, frames, hint)
        self.text = text
        self.frames = list(frames)
        self.hint = hint

    def __str__(self) -> str:
        return f"\n\n{self.text}"


def ending(code: int) -> str:
    """Return from its exit code how a process ended that should not have ended."""
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
        memory = " (out of memory?)" if -code == signal.SIGKILL else f" ({name})"
        return f"was killed by signal {-code}{memory}"
    return f"exited unexpectedly with code {code}"
