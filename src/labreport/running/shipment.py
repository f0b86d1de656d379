"""What is sent to a cluster besides functions and items: the driver's sources, files and results.

Sent are, as they were when the driver imported them,

- labreport itself;
- each top-level module or package, whole, that the driver has imported or that the experiment's syntax
  reaches, if it is neither of the standard library nor of an installed distribution. Files of a package that
  are not code are among them, up to a size;
- the files that READS names and the results that NEEDS names.
"""

from __future__ import annotations

import io
import pickle
import site
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import cloudpickle

from labreport.project import ENGINE, Project
from labreport.results import Sources
from labreport.running import guest
from labreport.running.guest import MANIFEST, Manifest

if TYPE_CHECKING:
    from labreport.running.lab import Lab

LARGEST = 1_000_000
"""The size in bytes of the largest file of a package that is sent although it is not code."""

CODE = (".py", ".so", ".pyd")
OWN = "project"
_EXPERIMENTS = "experiments"


class Shipment:
    """The files that units of one driver need, by their names in the folder that a worker makes of them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.project = lab.project
        self.files: dict[str, bytes] = {}
        self.origins: dict[str, str] = {}
        self._sent: set[str] = set()
        self._tops: dict[tuple[Path, str], None] = {}
        self._packed: tuple[str, bytes] | None = None
        self._add_tops()
        self._add_inputs()

    def packed(self) -> tuple[str, bytes]:
        """Return the digest and the bytes of all files, with what was imported since the last time."""
        if self._add_tops() or self._packed is None:
            files = {**self.files, MANIFEST: pickle.dumps(self._manifest())}
            digest = sha256()
            for name, data in sorted(files.items()):
                digest.update(f"{name} {len(data)}\n".encode() + data)
            self._packed = digest.hexdigest(), pickle.dumps(files)
        return self._packed

    @property
    def engine(self) -> str:
        """The folder of the package labreport."""
        return self._folder(ENGINE.parent)

    @property
    def folder(self) -> str:
        """The folder of the project."""
        return OWN

    def modules(self) -> tuple[str, ...]:
        """Return the modules that were imported from files that are sent, in the order of their imports."""
        tops = {top: root for root, top in self._tops if top != ENGINE.name}
        return tuple(name for name, root in _imported() if tops.get(name.partition(".")[0]) == root)

    def pickled(self, value: object) -> bytes:
        """Return a value pickled for a process that has this shipment.

        Raises what pickling raises: many things.
        """
        data = io.BytesIO()
        _Pickler(data, self).dump(value)
        return data.getvalue()

    def stands_for(self, value: object) -> tuple[str, str] | None:
        """Return what stands in a pickle for the lab, the project, and paths of files and packages in it."""
        if value is self.lab:
            return "lab", ""
        if isinstance(value, Project):
            return "project", ""
        if (
            isinstance(value, PurePath)
            and str(value) in self._sent
            and value.is_relative_to(self.project.root)
        ):
            return "path", value.relative_to(self.project.root).as_posix()
        return None

    def _manifest(self) -> Manifest:
        lab, roots = self.lab, dict.fromkeys(root for root, _ in self._tops)
        whole = (self.project.experiments / "__init__.py").exists()
        return Manifest(
            project=self.project,
            identity=guest.identity(self.project.root),
            folder=OWN,
            roots=tuple(map(self._folder, sorted(roots, key=_place_on_path))),
            origins=self.origins,
            packages={} if whole else {_EXPERIMENTS: f"{OWN}/{_EXPERIMENTS}"},
            modules=self.modules(),
            absent=frozenset(self._own_tops() - {top for _, top in self._tops}),
            experiment=lab.experiment,
            params=lab.params,
            needs=tuple(lab.needs),
            fingerprint=lab.fingerprint,
        )

    def _folder(self, root: Path) -> str:
        """Return where a folder of the driver's lies among the files that are sent."""
        if root.is_relative_to(self.project.root):
            return (PurePath(OWN) / root.relative_to(self.project.root)).as_posix()
        return f"other/{sha256(str(root).encode()).hexdigest()[:16]}"

    def _add_tops(self) -> bool:
        """Add the modules that are sent whole; return whether there are new ones."""
        found = {(root, name.partition(".")[0]): None for name, root in _imported()}
        if not self._tops:  # what syntax shows is the same for the whole run
            found |= {(ENGINE.parent, ENGINE.name): None, **dict.fromkeys(self._reached())}
        new = [top for top in found if top not in self._tops]
        for root, top in new:
            self._tops[root, top] = None
            for path in _files_of(root, top):
                self._add(path, f"{self._folder(root)}/{path.relative_to(root).as_posix()}")
                self._sent |= {str(above) for above in path.parents if above.is_relative_to(root / top)}
        return bool(new)

    def _add(self, path: Path, name: str) -> None:
        self.files[name] = path.read_bytes()
        self.origins[name] = str(path)
        self._sent.add(str(path))

    def _reached(self) -> Iterator[tuple[Path, str]]:
        """Yield the top-level modules of the project that the experiment's syntax reaches."""
        phase = "run" if self.lab.folder is None else "draw"
        for path in sorted(Sources(self.project).imported_by(self.lab.experiment, phase)):
            root = next(root for root in self.project.source_roots if path.is_relative_to(root))
            yield root, path.relative_to(root).parts[0].removesuffix(".py")

    def _own_tops(self) -> set[str]:
        """Return the names of the project's top-level modules, and of folders with modules."""
        return {
            path.stem
            for root in self.project.source_roots
            for path in root.iterdir()
            if path.stem.isidentifier() and (path.suffix == ".py" or any(path.glob("*.py")))
        }

    def _add_inputs(self) -> None:
        project = self.project
        # a part of the fingerprint that is a file is named by its path: all of READS, and what was seen
        parts = (self.lab.fingerprint | self.lab.known).parts
        inputs = [project.root / part.name for part in parts if part.name]
        for path in inputs:
            if path.is_file() and path.resolve().is_relative_to(project.root):
                self._add(path, f"{OWN}/{path.relative_to(project.root).as_posix()}")
        for name in {*self.lab.needs, self.lab.experiment}:
            for path in (project.results / name).glob("*.json"):
                self._add(path, f"{OWN}/build/{path.relative_to(project.generated).as_posix()}")


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, shipment: Shipment) -> None:
        super().__init__(file)
        self.shipment = shipment

    def persistent_id(self, value: object) -> Any:
        return self.shipment.stands_for(value)


def _imported() -> Iterator[tuple[str, Path]]:
    """Yield the imported modules that are of no distribution, with the folders they were imported from."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        root = _root(name, Path(file)) if isinstance(file, str) and name != "__main__" else None
        if root is not None and not _is_library(root):
            yield name, root


def _root(name: str, file: Path) -> Path | None:
    """Return the folder in which an import that finds a module in this file has looked; None if none has."""
    steps = [*name.split("."), *(["__init__"] if file.stem == "__init__" else [])]
    found = [*file.parts[-len(steps) : -1], file.name.partition(".")[0]]
    return file.parents[len(steps) - 1] if found == steps and file.is_absolute() else None


@cache
def _is_library(root: Path) -> bool:
    """Return whether a folder holds the standard library, or installed distributions with their versions."""
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    known = [sysconfig.get_path(kind) for kind in kinds] + site.getsitepackages()
    libraries = {Path(folder).resolve() for folder in known}
    folder = root.resolve()
    above = {folder, *folder.parents}
    if above & libraries or {path.name for path in above} & {"site-packages", "dist-packages"}:
        return True
    return any(folder.glob("*.dist-info"))


def _place_on_path(root: Path) -> int:
    return sys.path.index(str(root)) if str(root) in sys.path else len(sys.path)


def _files_of(root: Path, top: str) -> Iterator[Path]:
    """Yield the files of a top-level module or package."""
    if not (root / top).is_dir():
        yield from (path for path in sorted(root.glob(f"{top}.*")) if path.suffix in CODE)
        return
    queue = [root / top]
    while queue:
        for path in sorted(queue.pop().iterdir()):
            if path.is_dir() and not path.is_symlink() and path.name != "__pycache__":
                queue += [] if path.name.startswith(".") or (path / "pyvenv.cfg").exists() else [path]
            elif path.is_file() and (path.suffix in CODE or path.stat().st_size <= LARGEST):
                yield path
