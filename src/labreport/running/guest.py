"""A process on a worker of a cluster: it has the driver's sources and variables, and computes its units.

What makes an item give the same bits here as beside the driver: the same sources, imported in the same order;
the same variables of the environment; and what the run has set in its modules before it called `lab.map`.
"""

from __future__ import annotations

import importlib
import io
import linecache
import os
import pickle
import signal
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import machinery
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import surroundings
from labreport.config import CONFIG
from labreport.descendants import die_with_parent
from labreport.errors import ExperimentError
from labreport.results import Fingerprint, variants
from labreport.running import failures, generators, mutations, observing, reading, relay, units, warned
from labreport.running.lab import Lab
from labreport.running.remote import receive, send
from labreport.running.seeds import seed_of

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from labreport.project import Project

MANIFEST = "manifest.pickle"


@dataclass(frozen=True)
class Manifest:
    """What a process must know besides the files; paths are relative to their folder, but for `project`.

    `identity` tells whether the driver's project can be seen from here, too; `folder` is that of the project
    as it was sent, `roots` are those to import from, the driver's first one first; `origins`
    maps each source to its path where the driver runs; `packages` are folders without `__init__.py` that take
    no modules of other folders; `modules` is what the driver has imported, in its order; `absent` are the
    project's own top-level modules that have not been sent. The others are fields of the driver's `Lab`.
    """

    project: Project
    identity: object
    folder: str
    roots: tuple[str, ...]
    origins: Mapping[str, str]
    packages: Mapping[str, str]
    modules: tuple[str, ...]
    absent: frozenset[str]
    experiment: str
    params: Mapping[str, Any]
    needs: tuple[str, ...]
    fingerprint: Fingerprint


def serve(folder: str, parent: int, handle: int) -> None:
    """Answer requests from standard input at a handle, until there are no more or the parent has gone."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at a cluster on this machine is not for a unit
    os.set_inheritable(handle, False)
    requests = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    guest = _Guest(Path(folder))
    while (request := receive(requests)) is not None:
        answer = guest.answer(*pickle.loads(request))
        sys.stdout.flush()
        sys.stderr.flush()
        send(handle, answer)


class _Guest:
    """Computes units; those that bring no function are for the last one that came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lab: Lab | None = None
        self.function: Callable[[Any], Any] | None = None
        self.messages: list[relay.Message] = []
        relay.to(self.messages.append)

    def answer(self, function: bytes | None, unit: bytes) -> bytes:
        """Return, pickled: whether it went well, the pickled value or the error, what was seen, messages."""
        outcome: tuple[bool, Any, units.Seen]
        try:
            done = self._compute(function, unit)
            outcome = True, _pickled(done.value), _shared(done.seen)
        except (Exception, SystemExit) as error:
            outcome = False, failures.described(error), Fingerprint()
        answer = pickle.dumps((*outcome, self.messages))
        self.messages.clear()
        return answer

    def _compute(self, function: bytes | None, unit: bytes) -> units.Done:
        lab = self.lab or self._prepared()
        if function is not None:
            self.function, state = self._loaded(function, lab)
            state.restore()
        assert self.function is not None
        return units.perform(self.function, self._loaded(unit, lab))

    def _prepared(self) -> Lab:
        """Return the lab of this process, which has then imported what the driver has."""
        manifest = pickle.loads((self.folder / MANIFEST).read_bytes())
        project = self._project(manifest)
        import_from(self.folder, manifest)
        experiment = variants.experiment(manifest.experiment)
        generators.seed(seed_of(experiment, "import"))
        observing.start(project, manifest.experiment, "run", self.folder / manifest.folder)
        warned.listen(project)
        for name in manifest.modules:
            importlib.import_module(name)
        reading.watch(sys.modules[f"experiments.{experiment}"].Params)
        mutations.begin(project)
        self.lab = Lab(
            project,
            manifest.experiment,
            manifest.params,
            needs=manifest.needs,
            notify=relay.notice,
            fingerprint=manifest.fingerprint,
        )
        return self.lab

    def _project(self, manifest: Manifest) -> Project:
        """Return the driver's project where its folder can be seen, else the one that was sent."""
        project, refused = manifest.project, [self.folder]
        if identity(project.root) == manifest.identity:
            os.chdir(project.root)
        else:
            refused.append(project.root)
            project = replace(project, root=self.folder / manifest.folder, build_dir=None)
        _refuse_to_write_below(refused)
        return project

    def _loaded(self, data: bytes, lab: Lab) -> Any:
        return Unpickler(data, lab).load()


class Unpickler(pickle.Unpickler):
    """Restores what the driver has pickled: its lab, its project and files of that become those of here."""

    def __init__(self, data: bytes, lab: Lab) -> None:
        super().__init__(io.BytesIO(data))
        self.lab = lab

    def persistent_load(self, pid: Any) -> Any:
        """Return what stands for an object of the driver's."""
        kind, name = pid
        if kind == "lab":
            return self.lab
        return self.lab.project if kind == "project" else self.lab.project.root / name


def _shared(seen: Fingerprint) -> Fingerprint:
    """Return what was seen but for variables of which each machine has its own."""
    own = [part for part in seen.parts if part.kind == "variable" and surroundings.is_bound(part.name)]
    return seen.without(own)


def _pickled(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception as error:
        what = f"lab.map cannot send what the function returned, {type(value).__name__}: {error}"
        raise ExperimentError(what, cure="return numbers, texts, arrays or tables") from error


def import_from(folder: Path, manifest: Manifest) -> None:
    """Import the project's modules from the files that were sent, and from nowhere else."""
    origins = {str(folder / name): origin for name, origin in manifest.origins.items()}
    for file, origin in origins.items():  # tracebacks show lines of files that lie where the driver runs
        if file.endswith(".py"):
            text = Path(file).read_bytes().decode("utf-8", "replace")
            linecache.cache[origin] = len(text), None, text.splitlines(keepends=True), origin

    class Loader(machinery.SourceFileLoader):
        def get_code(self, fullname: str) -> Any:
            path = self.get_filename(fullname)
            data = Path(path).read_bytes()  # never a cache, which trusts times
            return compile(data, origins.get(path, path), "exec", dont_inherit=True)

    def hook(entry: str) -> Any:
        if not Path(entry).is_relative_to(folder):
            raise ImportError(entry)
        extensions = machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES
        return machinery.FileFinder(entry, extensions, (Loader, machinery.SOURCE_SUFFIXES))

    roots = [str(folder / root) for root in manifest.roots]
    sys.path[:] = [*roots, *(entry for entry in sys.path if entry not in roots)]
    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()  # the finders in it were made by the hooks of before
    sys.meta_path.insert(0, _Absent(manifest.absent))
    for name, where in manifest.packages.items():
        package = types.ModuleType(name)
        package.__path__ = [str(folder / where)]
        sys.modules[name] = package


def identity(root: Path) -> object:
    """Return what is the same for all machines that see one and the same project in a folder."""
    try:
        found = (root / CONFIG).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _refuse_to_write_below(folders: Sequence[Path]) -> None:
    """Let whoever makes a file or folder below these get an ExperimentError: the driver would not find it."""
    below = tuple(f"{folder}/" for folder in folders)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not (arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        if event not in ("open", "os.mkdir") or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 -- links are not followed
        if path.startswith(below):
            what = f"a function of lab.map writes {path} on a worker of the cluster, out of reach of the run"
            cure = (
                "return what it computes; or give the workers the project's folder, on a shared file system"
            )
            raise ExperimentError(what, cure=cure)

    sys.addaudithook(hook)


class _Absent(MetaPathFinder):
    """Finds no module that is the project's own but was not sent: what lies on the worker may be another."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise ModuleNotFoundError for such a module; leave all others to other finders."""
        if fullname in self.names:
            what = f"{fullname} was not sent to the cluster: no import of it shows in the syntax"
            raise ModuleNotFoundError(what, name=fullname)
        return None
