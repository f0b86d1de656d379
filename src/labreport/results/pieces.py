"""The pieces into which a module is cut, each of which can count without the others, and as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from labreport.results.plain import Assumption
from labreport.results.references import Dotted, Import, References


@dataclass(frozen=True)
class Class:
    """What a class does besides being one.

    `bases` are those of its bases that may be the project's. It is `quiet` if making it or a subclass of it
    runs no code but that of its bases, `inert` if calling it and using its attributes runs none. It is
    `given` away if another class, or a decorator, is handed all that it has, whatever the names. `hooks` are
    special methods of it that run where a name seems to be read, noted or used as a type.
    """

    bases: tuple[Dotted, ...]
    quiet: bool
    inert: bool
    given: bool
    hooks: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """A part of a module that can count alone.

    `names` are the global names that it binds (for a method: its own), `owner` the class of a method, `label`
    what it is called. It counts `always` if importing the module calls something in it, and also unless all
    that it is `assuming` of other names is true. It `assigns` if it computes a value where it stands. An
    import statement `executes` imports, and its name `stands` for one.
    """

    label: str
    names: tuple[str, ...]
    digest: str
    refers: References
    owner: str = ""
    always: bool = False
    assigns: bool = False
    assuming: tuple[Assumption, ...] = ()
    executes: tuple[Import, ...] = ()
    stands: Import | None = None
    defines: Class | None = None

    def plain(self) -> list[Any]:
        """Return the piece as JSON."""
        refers, imports = self.refers.plain(), [self.executes, self.stands]
        of = self.defines
        defines = of and [of.bases, of.quiet, of.inert, of.given, of.hooks]
        flags = [self.always, self.assigns, self.assuming]
        return [self.label, self.names, self.digest, refers, self.owner, flags, imports, defines]

    @classmethod
    def parse(cls, plain: list[Any]) -> Piece:
        """Return the piece in parsed JSON."""
        label, names, digest, refers, owner, flags, (executes, stands), defines = plain
        imports = tuple(_import(found) for found in executes), _import(stands) if stands else None
        class_ = defines and _class(*defines)
        always, assigns, assuming = flags
        assumed = tuple((what, tuple(path)) for what, path in assuming)
        facts = References.parse(refers), owner, always, assigns, assumed
        return cls(label, tuple(names), digest, *facts, *imports, class_)


Indices = Mapping[str, list[int]]


@dataclass(frozen=True)
class ModuleFacts:
    """A module's pieces in the order of the file, and the digest of its bytes.

    `stars` are the modules from which it imports all names, under whatever condition.
    """

    pieces: tuple[Piece, ...]
    stars: tuple[Import, ...] = ()
    text: str = ""

    @cached_property
    def indices(self) -> tuple[Indices, Indices, Indices]:
        """The indices of pieces by the names that they bind, of methods by their names and by their class."""
        binding: dict[str, list[int]] = defaultdict(list)
        methods: dict[str, list[int]] = defaultdict(list)
        methods_of: dict[str, list[int]] = defaultdict(list)
        for index, piece in enumerate(self.pieces):
            for name in piece.names:
                (methods if piece.owner else binding)[name].append(index)
            if piece.owner:
                methods_of[piece.owner].append(index)
        return dict(binding), dict(methods), dict(methods_of)

    @cached_property
    def used(self) -> set[str]:
        """The global names that the pieces refer to."""
        return {path[0] for piece in self.pieces for path in piece.refers.paths}

    @cached_property
    def hooks(self) -> set[str]:
        """The special methods of the classes, as far as they matter; see `Class`."""
        return {hook for piece in self.pieces if piece.defines for hook in piece.defines.hooks}

    @cached_property
    def imports(self) -> set[Import]:
        """What the pieces import, or may import when they are called."""
        return {i for piece in self.pieces for i in (*piece.executes, *piece.refers.imports)}

    def plain(self) -> list[Any]:
        """Return the facts as JSON."""
        return [[piece.plain() for piece in self.pieces], self.stars, self.text]

    @classmethod
    def parse(cls, plain: list[Any]) -> ModuleFacts:
        """Return the facts in parsed JSON."""
        cut, stars, text = plain
        return cls(tuple(map(Piece.parse, cut)), tuple(map(_import, stars)), text)


def _paths(plain: Iterable[Iterable[str]]) -> tuple[Dotted, ...]:
    return tuple(tuple(path) for path in plain)


def _class(bases: Iterable[Iterable[str]], quiet: bool, inert: bool, given: bool, hooks: list[str]) -> Class:
    return Class(_paths(bases), quiet, inert, given, tuple(hooks))


def _import(plain: Any) -> Import:
    module, name, level = plain
    return module, name, level
