"""What an experiment reads, seen while it runs, so that nothing that it reads has to be declared.

An audit hook of Python sees files opened, folders listed, modules imported and programs started; a mapping in
the place of `os.environ` sees variables read. What belongs to the experiment counts:

- a file or folder of the project, whoever opens it for the experiment, or one that a relative name leads to;
  not what is generated (build/), hidden folders of tools, installed packages, or sources as the import system
  reads them; not what this run has written itself; a file that was looked for and is missing counts as such;
- a module of the project that the fingerprint cannot know of, since no syntax shows that it is imported;
- a variable, if the project's code itself reads it, with the value from before any library has set it; not
  those that `surroundings` makes the same everywhere;
- a program that the project's code starts itself, by its file, and the files of the project among its
  arguments; a program of an installed package counts by the package's version, Python's own by Python's.

The digest of a file is taken before the experiment reads it. Every process that is forked while the
experiment runs writes what it sees to one journal.

Not observed, so to be declared in READS, passed as a parameter, or avoided:

- files asked about without being opened (`exists`, `stat`, `readlink`), and hidden names in a listed folder;
- files that C code opens by itself (HDF5, Parquet by Arrow), those opened by `os.open` with a `dir_fd`, and
  files outside the project by an absolute name;
- what a started program, or a process that is not forked, reads in its turn, but for the inputs of
  `lab.command`, whose programs find no other files of the project;
- variables that libraries read, also for the experiment, or that are read from a copy of a copy or from
  `posix.environ`;
- packages that are imported by a computed name;
- network, clock, devices, the number of processors, the user's settings of libraries.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import surroundings
from labreport.results import Fingerprint, Part, Sources, files, observed, read_before
from labreport.running import reading, recording
from labreport.running.asking import Asker, Asking, asks_by_handle
from labreport.running.journal import Journal, Line, left

if TYPE_CHECKING:
    from labreport.project import Project

_CODE = (".py", ".pyc", ".pyi", ".so")
_NOT_INPUTS = (".git", "__pycache__", "site-packages", ".cache", ".config", ".local")
_SHELLS = ("sh", "bash", "dash", "zsh")
_OF_THE_SHELL = ("echo", "printf", "test", "[", "true", "false", "pwd", "kill")  # which are programs as well
_FIXED = (*surroundings.for_experiments(), "PYTHONPATH")
STARTED = dict(os.environ)
"""The environment before any library was imported: some set variables that the user has not."""

FIRST = 100
"""How many inputs that a process has read count for all that it computes later: it may remember them."""

Key = tuple[str, str]  # kind and name, as in a fingerprint


class _Observer:
    """Notes what this process reads."""

    def __init__(self, project: Project, expected: Iterable[Path], copy: Path | None) -> None:
        self.project = project
        self.copy = f"{copy}/" if copy is not None else None
        self.root = f"{project.root}/"
        self.asking = Asking(project)
        self.expected = {self.asking.module(str(path)) for path in expected}
        self.journal = Journal()
        self.process = os.getpid()
        self.keeps = False
        self.values: dict[Key, str] = {}
        self.units: list[set[Key]] = []
        self.own: set[Key] = set()  # written, made or set by this run
        self.unconfined: set[Key] = set()  # programs that may do anything
        self._known: dict[str, Key | None] = {}  # by the paths with which they were opened
        self._folders: dict[str, str] = {}  # without links
        venv = f"{sys.prefix}/"
        self._never = (f"{self.root}build/", *([venv] if venv.startswith(self.root) else []))

    def note(self, key: Key, value: str, how: str = "") -> None:
        """Note that something was read, and its value at that moment."""
        if key in self.own:
            return
        for unit in self.units:
            unit.add(key)
        if key not in self.values:
            self.values[key] = value
            self.journal.write(*key, value, how)

    def take(self, key: Key, value: str) -> None:
        """Note what another process has read; a value other than here is written to the journal, too."""
        if self.values.get(key) not in (None, value):
            self.journal.write(*key, value, "")
        self.note(key, value)

    def _again(self, key: Key) -> None:
        """Note that something was read whose value is known."""
        for unit in self.units:
            unit.add(key)

    # files

    def opened(self, path: Any, mode: str | None, flags: int) -> None:
        """Note an `open`, which is yet to come; `mode` is None for that of `os`."""
        if isinstance(path, int):
            return
        text = os.fsdecode(path)
        # `rmtree` and `fwalk` name what they open from another folder than the current one
        if mode is None and not text.startswith("/") and asks_by_handle(sys._getframe(2)):
            return
        access = flags & os.O_ACCMODE
        if access != os.O_WRONLY and not flags & (os.O_TRUNC | os.O_EXCL):
            self._read(text)
        if access != os.O_RDONLY:
            reading.wrote(text)
            self._write(text, fresh=bool(flags & (os.O_TRUNC | os.O_EXCL)))

    def _read(self, text: str) -> None:
        # the same relative name leads elsewhere from another folder
        given = text if text.startswith("/") else f"./{os.getcwd()}/{text}"  # noqa: PTH109 -- half the time
        if given in self._known:
            if (key := self._known[given]) is not None:
                self._again(key)
        elif text.endswith(_CODE):
            self._read_code(text)
        else:
            path, name = self._located(text)
            if name is None:
                self._known[given] = None
            elif self.asking.who() is not Asker.ENGINE:
                self._known[given] = "file", name
                self._read_file(path, name)

    def _read_code(self, text: str) -> None:
        """Note that a source was read: by the import system, or as data."""
        who = self.asking.who()
        if who is Asker.IMPORTS:
            folder, _, file = text.rpartition("/__pycache__/")
            self.imported(f"{folder}/{file.partition('.')[0]}.py" if folder else text)
        elif who is Asker.OURS:
            path, name = self._located(text)
            if name is not None:
                self._read_file(path, name)

    def _read_file(self, path: str, name: str, how: str = "") -> None:
        key = "file", name
        self._known[path] = key  # before the digest is taken: that opens the file as well
        if key in self.values:
            self._again(key)
        if key in self.values or key in self.own:
            return
        with contextlib.suppress(OSError):
            how = how or files.token(os.stat(path))  # noqa: PTH116 -- half the time
        value = observed.file(path)
        if value != observed.OTHER:
            self.note(key, value, how)

    def _write(self, text: str, *, fresh: bool) -> None:
        """Note that a file is written; a `fresh` one holds nothing but what this run writes."""
        path, name = self._located(text)
        if name is None or ("file", name) in self.own:
            return
        if ("file", name) not in self.values and (fresh or not os.path.lexists(path)):
            self._make(("file", name))
        else:  # what stood there before still counts if it is read
            self.journal.write("file", name, "", "touched")

    def _make(self, key: Key) -> None:
        self.own.add(key)
        self.journal.write(*key, "", "own")

    def connected(self, database: Any) -> None:
        """Note that SQLite opens a file, without asking Python for it."""
        if isinstance(database, str | bytes | os.PathLike):
            self.opened(database, None, os.O_RDWR)

    def linked(self, library: Any) -> None:
        """Note that a shared library is loaded."""
        if isinstance(library, str) and "/" in library:
            path, name = self._located(library)
            if name is not None and self.asking.who() is Asker.OURS:
                self._read_file(path, name)

    def renamed(self, source: Any, target: Any, *_: int) -> None:
        """Note that a file gets a name under which it will be read as this run's own."""
        old, new = (self._located(os.fsdecode(path))[1] for path in (source, target))
        if new is None:
            return
        if (old is None or ("file", old) in self.own) and ("file", new) not in self.values:
            self._make(("file", new))
        else:
            self.journal.write("file", new, "", "touched")

    # folders

    def listed(self, path: Any) -> None:
        """Note that a folder is listed."""
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")  # noqa: PTH115 -- its text is what we want
        text = os.fsdecode(path or os.curdir)
        where, name = self._located(text)
        key = "folder", name or ""
        if name is None or key in self.own:
            return
        if key in self.values:
            self._again(key)
        elif self.asking.who() in (Asker.OURS, Asker.FOR_US):
            self.own.add(key)  # for a moment: the digest lists the folder as well
            value = observed.folder(Path(where))
            self.own.remove(key)
            self.note(key, value)

    def made(self, path: Any, *_: int) -> None:
        """Note that a folder is made, unless it is there."""
        where, name = self._located(os.fsdecode(path))
        if name is not None and not os.path.lexists(where):
            self._make(("folder", name))

    def _located(self, text: str) -> tuple[str, str | None]:
        """Return a path, and its name from the project's folder; None if it is never an input.

        What lies outside counts where a relative name leads to it.
        """
        here = "" if text.startswith("/") else os.getcwd()  # noqa: PTH109 -- half the time
        path = os.path.normpath(f"{here}/{text}" if here else text)
        relative = f"{here}/".startswith(self.root)
        if not f"{path}/".startswith(self.root) and not relative:
            # the project may be known by another name
            folder, _, last = path.rpartition("/")
            path = f"{self._resolved(folder)}/{last}"
        inside = f"{path}/".startswith(self.root)
        copied = self.copy is not None and path.startswith(self.copy)
        if f"{path}/".startswith(self._never) or not (inside or relative or copied):
            return path, None
        if self.copy is not None and copied:
            name = path.removeprefix(self.copy)
        else:
            name = (path[len(self.root) :] or ".") if inside else os.path.relpath(path, self.root)
        parts = name.split("/")
        if any(part in _NOT_INPUTS or part.endswith((".egg-info", ".dist-info")) for part in parts):
            return path, None
        return path, observed.written(name)

    def _resolved(self, folder: str) -> str:
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return self._folders[folder]

    # modules

    def imported(self, file: str) -> None:
        """Note that a module of the project was imported, if the fingerprint cannot know of it."""
        label = self.asking.module(file)
        if label is not None and label not in self.expected and ("module", label) not in self.values:
            found = Sources(self.project).observed([Part("module", label)])
            self.note(("module", label), found.parts[Part("module", label)])

    # programs

    def started(self, program: Any, arguments: Any, folder: Any = None, *_: Any) -> None:
        """Note that a program is started with arguments, the first of which is its own name."""
        if self.asking.who() is not Asker.OURS:
            return
        self._begun()
        words = [os.fsdecode(word) for word in arguments]
        at = os.fsdecode(folder) if folder else os.curdir
        name = os.fsdecode(program)
        if os.path.basename(name) in _SHELLS and words[1:2] == ["-c"]:  # noqa: PTH119 -- not a path yet
            self._shell(words[2], at)
            return
        self._program(name, at)
        self._arguments(words[1:], at)

    def executed(self, program: Any, arguments: Any, _environment: Any) -> None:
        """Note that a program is started by one of the functions of `os`."""
        self.started(program, arguments)

    def commanded(self, command: Any) -> None:
        """Note that a shell is given a command."""
        if self.asking.who() is Asker.OURS:
            self._begun()
            self._shell(os.fsdecode(command), os.curdir)

    def _begun(self) -> None:
        # what changes from now on, a program may have changed
        self.journal.write("program", "", "", "touched")

    # for `lab.command`, whose files the engine itself reads

    def program(self, path: str) -> None:
        """Note that a program is started where it can change nothing that is read here."""
        if "/" not in path or self._located(path)[1] is None:
            self._program(path, os.curdir, how="given")

    def given(self, path: str) -> None:
        """Note that a file or the list of a folder is an input."""
        where, name = self._located(path)
        if name is not None and os.path.isdir(where):  # noqa: PTH112 -- a text is at hand
            self.note(("folder", name), observed.folder(Path(where)), "given")
        elif name is not None:
            self._read_file(where, name, "given")

    def _shell(self, command: str, folder: str) -> None:
        import shlex

        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        with contextlib.suppress(ValueError):  # a quote without its other half: the shell will say so
            before = ";"
            for word in lexer:
                begins = before.startswith(("|", "&", ";", "("))
                if begins and "=" in word:  # a variable for the program that follows
                    continue
                if begins and word not in _OF_THE_SHELL:
                    self._program(word, folder, shell=True)
                elif not before.startswith(">"):
                    self._arguments([word], folder)
                before = word

    def _program(self, name: str, folder: str, *, shell: bool = False, how: str = "") -> None:
        found = shutil.which(os.path.join(folder, name) if "/" in name else name)  # noqa: PTH118
        if found is None and (shell or "/" in name):  # a shell has commands of its own
            return
        if found is not None:
            if self._located(found)[1] is not None:
                self._arguments([found], os.curdir)
                return
            if "/site-packages/" in found or Path(found).samefile(sys.executable):
                return
        home = f"{os.path.expanduser('~')}/"  # noqa: PTH111 -- compared as a text
        shown = name if "/" not in name else str(found)
        key = "program", f"~/{shown.removeprefix(home)}" if shown.startswith(home) else shown
        if how != "given":
            self.unconfined.add(key)
        self.note(key, self.values.get(key) or observed.program(shown), how)

    def _arguments(self, words: list[str], folder: str) -> None:
        """Note the files of the project that are named on a command line."""
        for word in words:
            for text in {word, word.partition("=")[2]} - {""}:
                path, name = self._located(os.path.join(folder, text))  # noqa: PTH118 -- it may be anything
                if name is not None and os.path.isfile(path):  # noqa: PTH113
                    self._read_file(path, name, "argument")

    # variables

    def read_variable(self, name: str) -> None:
        """Note that a variable is read, or all of them (`*`)."""
        key = "variable", name
        whole = "variable", observed.EVERY
        if key in self.values or whole in self.values:
            self._again(key if key in self.values else whole)
        elif name not in _FIXED and key not in self.own and self.asking.reads_variables():
            self.note(key, observed.variable(name, STARTED))

    def set_variable(self, name: str) -> None:
        """Note that this process sets a variable itself."""
        if ("variable", name) not in self.values:
            self.own.add(("variable", name))


_observer: _Observer | None = None
_before_map = 0


def start(project: Project, experiment: str, phase: str, copy: Path | None = None) -> None:
    """Observe for good what this process, and those that it forks, read for a phase of an experiment.

    What is read in a folder that is a `copy` of the project's counts as if it were read in the project.
    """
    global _observer
    _observer = observer = _Observer(project, Sources(project).imported_by(experiment, phase), copy)
    handlers: dict[str, Callable[..., None]] = {
        "open": observer.opened,
        "os.rename": observer.renamed,
        "os.listdir": observer.listed,
        "os.scandir": observer.listed,
        "os.mkdir": observer.made,
        "sqlite3.connect": observer.connected,
        "ctypes.dlopen": observer.linked,
        "subprocess.Popen": observer.started,
        "os.posix_spawn": observer.executed,
        "os.exec": observer.executed,
        "os.system": observer.commanded,
    }

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in handlers:  # most events are of other kinds, and each of them pays for this line
            # what the system refuses, it refuses the caller; what cannot be noted, the journal remembers
            with contextlib.suppress(OSError, ValueError):
                handlers[event](*arguments)

    sys.addaudithook(hook)
    recording.start(observer)


def starts(program: str) -> None:
    """Note that a program, by its path or its name on PATH, is about to be started in a folder of its own."""
    if _observer is not None:
        _observer.program(program)


def gives(path: Path) -> None:
    """Note that a file, or the list of a folder, is given to such a program."""
    if _observer is not None:
        _observer.given(str(path))


class Sight:
    """What one stretch of work was seen to read."""

    def __init__(self) -> None:
        self._keys: set[Key] = set()

    @property
    def seen(self) -> Fingerprint:
        """What was read, as parts of a fingerprint, with the values from when it was read first."""
        values = _observer.values if _observer else {}
        # what turned out to be this run's own, or no file, has no value
        return Fingerprint({Part(*key): values[key] for key in sorted(self._keys) if key in values})

    @property
    def has_effects(self) -> bool:
        """Whether a program was started that may have changed anything."""
        return _observer is not None and not self._keys.isdisjoint(_observer.unconfined)


@contextlib.contextmanager
def during() -> Iterator[Sight]:
    """Observe what this process reads within the block, for the first time or again."""
    sight = Sight()
    if _observer is None:
        yield sight
        return
    _observer.units.append(sight._keys)
    try:
        yield sight
    finally:
        # not `remove`: two stretches of work that have read the same are equal
        _observer.units = [keys for keys in _observer.units if keys is not sight._keys]


def add(seen: Fingerprint) -> None:
    """Take in what was observed elsewhere, or was observed when something kept was made."""
    if _observer is not None:
        for part, value in seen.parts.items():
            _observer.take((part.kind, part.name), value)


def begin_map() -> Fingerprint:
    """Return what this process has been seen to read until now; `seen_in_map` begins anew."""
    global _before_map
    values = _observer.values if _observer else {}
    _before_map = len(values)
    return Fingerprint({Part(*key): value for key, value in values.items()})


def seen_in_map() -> Fingerprint:
    """Return what this process was seen to read first since the map began: not more than `FIRST` inputs."""
    values = _observer.values if _observer else {}
    found = islice(values.items(), _before_map, _before_map + FIRST)
    return Fingerprint({Part(*key): value for key, value in found})


def keep(folder: Path) -> None:
    """Keep what is observed from now on for a folder of checkpoints, which depend on it.

    The folder is emptied if there is no record of what the run before had read, or any of that has changed;
    else all of that counts as read again, since this run need not read it where it finds what was made from
    it.
    """
    if _observer is None or _observer.keeps or os.getpid() != _observer.process:
        return
    _observer.keeps = True
    path = read_before(folder)
    known = {Part(line.kind, line.name): line.value for line in left(path)}
    if not path.exists() or Sources(_observer.project).observed(known) != Fingerprint(known):
        shutil.rmtree(folder)
        folder.mkdir()
    else:
        add(Fingerprint(known))
    _observer.journal.keep(path)


def lines() -> list[Line]:
    """Return all that was observed until now, in forked processes too, in the order of time."""
    if _observer is None:
        return []
    for module in list(sys.modules.values()):
        _observer.imported(str(getattr(module, "__file__", None)))
    return list(_observer.journal.lines())
