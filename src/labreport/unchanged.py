"""Nothing to do, told at a glance: before anything is imported, from a record of what the verdict rests on.

A build that finds everything up to date leaves a record of all that its process opened, listed or asked the
system about, from its first step on, as an audit hook and the functions of `os` tell it. A build that is
started in the same way compares that with what is there now; if nothing differs, it prints the same lines.
Everything else, and everything odd, takes the usual way, which is right in any case.

Of a file the system's own facts are compared: kind and rights, size, inode, the times of modification and
of change. No user can set the last one, and each write sets it to the clock. So that no write can hide within
one tick of the clock, there is no record while a file is as young as that. What the system does not tell in
time (another machine has just written to a shared disk, a disk was restored block by block) is found by
`--rehash`, which takes the usual way and reads all files.

This module imports next to nothing, because it has to cost next to nothing.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # to import that of `typing` would cost as much as all the rest
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

SECONDS = "\1"
"""Stands in a line for how long the build took."""

_TICK = 50_000_000  # nanoseconds: more than the clock of a file system needs for a tick
_SLOW_TICK = 2_000_000_000  # that of one which counts whole seconds only

_UNSEEN = (
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"),
    *("socket.connect", "sqlite3.connect", "subprocess.Popen"),
)
"""What may read something without its being seen here: a build that does so leaves no record."""


def look(otherwise: str | None = None) -> bool:
    """Print what a build with nothing to do prints, and return True, if there surely is nothing to do.

    Else note from now on what this process reads, for `record`. `otherwise` is the folder of the project
    where the current folder lies in none.
    """
    global _notes
    start = time.monotonic()
    if "_LABREPORT_COMPLETE" in os.environ:  # a shell asks what could follow, and wants no build
        return False
    try:
        build, started = _build_folder(sys.argv[1:], otherwise), _started()
    except OSError:  # the current folder is gone
        return False
    if build is None:
        return False
    lines = _lines(build, started)
    if lines is None:
        _notes = _Notes(build, started)
        _notes.note_start()
        _notes.begin()
        return False
    try:
        for line in lines:
            text = line[1:].replace(SECONDS, f"{time.monotonic() - start:.2f} s")
            print(text, file=sys.stderr if line[0] == "2" else sys.stdout, flush=True)
    except BrokenPipeError:  # nobody reads on, as after `| head -1`: end as the usual way does
        # else Python tries once more at exit, and complains
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    return True


def record(build: str, lines: Sequence[tuple[str, bool]]) -> tuple[str, bytes] | None:
    """Return where the record of a build that made nothing lies, and its bytes; None if there can be none.

    `lines` are what the build has printed, and whether to the output of errors.
    """
    if _notes is None or _notes.build != build:
        return None
    _notes.end()
    # each build writes its name into the lock, and the record itself lies among the caches
    for path in (_lock(build), f"{os.path.dirname(_path(build))}/"):
        _notes.seen.pop(path, None)
    if any(is_young for _, is_young in _notes.seen.values()):
        return None
    signs = {path: sign for path, (sign, _) in _notes.seen.items()}
    said = [("2" if is_error else "1") + text for text, is_error in lines]
    fields = [str(len(said)), *said, *signs]
    return _path(build), _bytes([_digest(_notes.started, fields, signs.values()), *fields])


def _build_folder(arguments: Iterable[str], otherwise: str | None) -> str | None:
    """Return the build folder of a build with these arguments; None if it is no build, or is another one."""
    folder, build, quick = None, None, False
    rest = iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in ("--project", "--jobs", "--build-dir"):
            value = value if equals else next(rest, "")
            folder = value if name == "--project" else folder
            build = value if name == "--build-dir" else build
        elif word in ("--quick", "--full"):
            quick = word == "--quick"
        elif word not in ("all", "--wait"):
            return None
    root = os.path.realpath(folder) if folder else _nearest(os.getcwd()) or otherwise
    build = os.path.realpath(build) if build else root and os.path.join(root, "build")
    return root and build and os.path.join(build, *(["quick"] if quick else []))


def _nearest(folder: str) -> str | None:
    while not os.path.isfile(os.path.join(folder, "report.toml")):
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)
    return folder


def _started() -> str:
    """Return how this process was started: whatever it could do differently if that were different."""
    python = [sys.version, sys.executable, sys.prefix, *sys.path, *sys.orig_argv, *sys.argv, repr(sys.flags)]
    variables = [f"{name}={value}" for name, value in sorted(os.environ.items())]
    return "\0".join([*python, os.getcwd(), *variables])


def _lines(build: str, started: str) -> list[str] | None:
    """Return the lines of the record in a build folder if all that the verdict rests on is as it was."""
    import fcntl

    try:
        lock = os.open(_lock(build), os.O_RDONLY)
    except OSError:
        return None
    try:
        # what a build that is under way has not changed yet, it may be about to change
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with open(_path(build), "rb") as file:
            digest, *fields = file.read().decode("utf-8", "surrogateescape").split("\0")
        first = int(fields[0]) + 1
        # the record's own text is part of the digest: damage is a difference like any other
        now = _digest(started, fields, (_sign(path)[0] for path in fields[first:]))
        return fields[1:first] if now == digest else None
    except (OSError, ValueError, LookupError):
        return None
    finally:
        os.close(lock)


def _digest(started: str, fields: Iterable[str], signs: Iterable[str]) -> str:
    import hashlib

    return hashlib.sha256(_bytes([started, *fields, *signs])).hexdigest()


def _bytes(fields: Iterable[str]) -> bytes:
    return "\0".join(fields).encode("utf-8", "surrogateescape")


def _lock(build: str) -> str:
    return os.path.join(build, ".lock")


def _path(build: str) -> str:
    return os.path.join(build, "cache", "unchanged")


# ------------------------------------------------------------------------------------------- what is compared

_stat = os.stat  # those of `os` are exchanged while a build is watched


def _sign(path: str) -> tuple[str, int]:
    """Return a text that differs after any change at a path, and when the last one was, in nanoseconds.

    A folder counts with the names in it only if the path ends with a slash; a link with where it leads.
    """
    try:
        found = _stat(path, follow_symlinks=False)
    except OSError as error:
        return f"error {error.errno}", 0
    text, changed = _facts(found, listed=path.endswith("/"))
    if found.st_mode & 0o170000 != 0o120000:
        return text, changed
    try:
        there, changed_there = _facts(_stat(path), listed=False)
    except OSError as error:
        there, changed_there = f"error {error.errno}", 0
    return f"{text} {there}", max(changed, changed_there)


def _facts(found: os.stat_result, *, listed: bool) -> tuple[str, int]:
    text = f"{found.st_mode} {found.st_dev} {found.st_ino}"
    if found.st_mode & 0o170000 == 0o040000 and not listed:
        return text, 0
    tick = _TICK if found.st_ctime_ns % 1_000_000_000 else _SLOW_TICK
    changed = max(found.st_mtime_ns, found.st_ctime_ns) + tick
    return f"{text} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}", changed


_ABLE = (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks)


class _Notes:
    """What this process has looked at, each with how it was just before."""

    def __init__(self, build: str, started: str) -> None:
        self.build = build
        self.started = started
        self.seen: dict[str, tuple[str, bool]] = {}
        self._began = time.time_ns()
        self._plain: dict[str, Callable[..., Any]] = {}
        self.is_paused = False

    def begin(self) -> None:
        """Note what is looked at from now on."""
        for name in ("stat", "lstat", "access", "readlink"):
            self._exchange(name)
        if not _hears:
            _hears.append(True)
            sys.addaudithook(_hear)

    def note_start(self) -> None:
        """Note what Python has looked at while it started."""
        for module in list(sys.modules.values()):
            for name in ("__file__", "__cached__"):
                if file := getattr(module, name, None):
                    self.note(file)
        for folder in sys.path:
            self.note(folder, listed=True)
            for name in os.listdir(folder) if os.access(folder, os.R_OK) and os.path.isdir(folder) else ():
                if name.endswith(".pth"):
                    self.note(os.path.join(folder, name))
        self.note(sys.executable)
        self.note(os.path.join(sys.prefix, "pyvenv.cfg"))

    def _exchange(self, name: str) -> None:
        """Put a function in the place of one of `os` that notes what it is asked about."""
        plain = self._plain[name] = getattr(os, name)

        def noting(path: Any, *args: Any, dir_fd: int | None = None, **kwargs: Any) -> Any:
            if not self.is_on:
                pass  # whoever has imported this function keeps it
            elif dir_fd is not None:
                _give_up()
            elif not isinstance(path, int):
                self.note(path)
            return plain(path, *args, dir_fd=dir_fd, **kwargs)

        setattr(os, name, noting)
        for able in _ABLE:  # whoever asks what a function can do finds it there
            if plain in able:
                able.add(noting)

    def end(self) -> None:
        """Note nothing any more."""
        while self._plain:
            name, plain = self._plain.popitem()
            for able in _ABLE:
                able.discard(getattr(os, name))
            setattr(os, name, plain)

    @property
    def is_on(self) -> bool:
        """Whether what is looked at is noted."""
        return bool(self._plain) and not self.is_paused

    def note(self, path: str | bytes | os.PathLike[Any], *, listed: bool = False) -> None:
        """Note that something is about to be looked at; of a folder perhaps the names in it."""
        name = os.fsdecode(path)
        if not name.startswith("/"):
            name = os.path.join(os.getcwd(), name)
        if listed:
            name = f"{name.rstrip('/')}/"
        if name not in self.seen:
            sign, changed = _sign(name)
            self.seen[name] = sign, changed > self._began
            if listed:
                self._note_links(name)

    def _note_links(self, folder: str) -> None:
        """Note where the links in a folder lead: its listing tells whoever asks, without asking `os`."""
        try:
            with os.scandir(folder) as entries:
                links = [entry.path for entry in entries if entry.is_symlink()]
        except OSError:
            return
        for link in links:
            self.note(link)


class Unseen:
    """A block in which what is looked at has no say in the verdict."""

    def __enter__(self) -> None:
        self._pause(True)

    def __exit__(self, *_: object) -> None:
        self._pause(False)

    def _pause(self, is_paused: bool) -> None:
        if _notes is not None:
            _notes.is_paused = is_paused


_notes: _Notes | None = None
_hears: list[bool] = []  # once an audit hook is there, it stays


def _give_up() -> None:
    global _notes
    if _notes is not None:
        _notes.end()
        _notes = None


def _note_source(notes: _Notes, path: str) -> None:
    """Note the source of a compiled module, and what lies beside it: an import asks for that past `os`."""
    cache, name = os.path.split(path)
    if name.endswith(".pyc"):
        folder = os.path.dirname(cache)
        notes.note(os.path.join(folder, name.partition(".")[0] + ".py"))
        notes.note(folder, listed=True)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what Python tells an audit hook; it calls this for each thing that a process does."""
    notes = _notes  # another thread may end it at any moment
    if notes is None or not notes.is_on:
        return
    if event == "open":
        path, mode, _ = arguments
        if isinstance(path, int):
            return  # opened before
        if mode is None and not os.fsdecode(path).startswith("/"):
            _give_up()  # it may lie in a folder that is given by a handle
        else:
            notes.note(path)
            _note_source(notes, os.fsdecode(path))
    elif event in ("os.listdir", "os.scandir"):
        path = arguments[0]
        if isinstance(path, int):
            _give_up()
        else:
            notes.note("." if path is None else path, listed=True)
    elif event == "import":
        if arguments[1]:
            notes.note(arguments[1])  # a module of machine code, which the system's loader opens
    elif event in _UNSEEN:
        _give_up()
