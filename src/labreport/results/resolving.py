"""What the names of a module stand for, as far as syntax tells: modules, and classes with what they do."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Protocol

from labreport.modules import Module
from labreport.results.pieces import ModuleFacts, Piece
from labreport.results.plain import CALLED, TYPE
from labreport.results.references import Dotted, Import

_Seen = frozenset[tuple[Module, str]]


Executed = dict[tuple[Module, Import], tuple[Module, ...]]
"""The modules that imports name, as far as they are known: they are the same wherever one starts."""


class Modules(Protocol):
    """The project's modules, as reach needs them; `executed` is kept from call to call."""

    executed: Executed

    def find(self, dotted: str) -> Module | None:
        """Return the module of this name, None if it is not one of the project's."""
        ...

    def facts(self, module: Module) -> ModuleFacts:
        """Return what a module's syntax tells."""
        ...

    def is_own(self, top: str) -> bool:
        """Return whether a top-level module, or a folder of modules, is the project's."""
        ...

    def is_foreign(self, top: str) -> bool:
        """Return whether a top-level module is another package's: not the project's, not Python's own."""
        ...


class Names:
    """Resolves imports and dotted names of the modules that are imported from one; nothing is imported."""

    def __init__(self, modules: Modules, start: Module) -> None:
        self.modules = modules
        self.start = start

    def steps(self, module: Module, name: str, level: int, taken: str | None = None) -> list[str]:
        """Return the absolute dotted path of what an import in a module asks for."""
        above = module.package.split(".") if level else []
        above = above[: len(above) - level + 1] if level else []
        return [step for step in (*above, *name.split("."), taken or "") if step]

    def executed(self, module: Module, found: Import) -> tuple[Module, ...]:
        """Return the modules that an import names: each package on the way, and the module."""
        key = module, found
        known = self.modules.executed
        if key not in known:
            name, taken, level = found
            steps = self.steps(module, name, level, taken if taken != "*" else None)
            on_the_way = (self.modules.find(".".join(steps[: i + 1])) for i in range(len(steps)))
            known[key] = tuple(inside for inside in on_the_way if inside is not None)
        return known[key]

    def asked(self, module: Module, found: Import) -> tuple[Module | None, str]:
        """Return the module that is asked for a name by an import that takes it, and the name.

        There is none if the name is that of another module.
        """
        name, taken, level = found
        steps = self.steps(module, name, level)
        if taken in (None, "*") or self.modules.find(".".join([*steps, taken or ""])) is not None:
            return None, ""
        return self.modules.find(".".join(steps)), taken or ""

    def below(self, module: Module, name: str) -> Module | None:
        """Return the module of a name in a package."""
        is_package = module.path.name == "__init__.py"
        return self.modules.find(f"{module.package}.{name}") if is_package else None

    def within(self, steps: Sequence[str], modules: Iterable[Module]) -> Iterator[Module]:
        """Yield those of some modules that lie in a folder, which is a dotted path."""
        for module in modules:
            package = module.package.split(".") if module.package else []
            if package[: len(steps)] == [*steps]:
                yield module

    def is_foreign(self, module: Module, path: Dotted) -> bool:
        """Return whether a dotted name that is none of the project's classes is one of another package."""
        facts = self.modules.facts(module)
        bound = any(path[0] in piece.names and not piece.owner for piece in facts.pieces)
        if not bound and not facts.stars:
            return hasattr(builtins, path[0])
        return self._is_module(module, path[0])

    def acts(self, module: Module, piece: Piece) -> bool:
        """Return whether executing a piece may do more than bind names."""
        return (
            piece.always
            or not all(self._holds(module, what, path) for what, path in piece.assuming)
            or (piece.defines is not None and not self._all_quiet(module, piece.defines.bases))
        )

    def is_inert(self, module: Module, path: Dotted) -> bool:
        """Return whether a dotted name is a class of the project that runs no code when it is used."""
        return all(
            found is not None
            and found.defines is not None
            and found.defines.inert
            and all(self.is_inert(where, base) for base in found.defines.bases)
            for where, found in self.classes(module, path)
        )

    def _all_quiet(self, module: Module, bases: Iterable[Dotted]) -> bool:
        """Return whether dotted names are classes of the project that take no note of their subclasses."""
        return all(
            found is not None
            and found.defines is not None
            and found.defines.quiet
            and self._all_quiet(where, found.defines.bases)
            for base in bases
            for where, found in self.classes(module, base)
        )

    def _holds(self, module: Module, what: str, path: Dotted) -> bool:
        """Return whether what is assumed of a dotted name is true; see `plain`."""
        if what == CALLED:
            return self.is_inert(module, path)
        if self._is_module(module, path[0]) and (len(path) < 3 or self._is_others(module, path[0])):
            return True  # of a longer path in the project, the end may be a property
        if what == TYPE:
            is_type = all(found is not None and self._is_type(*found) for found in self._each(module, path))
            return is_type or not self._hooks.intersection(("__hash__", "__eq__", "__or__", "__ror__"))
        is_class = all(found is not None and self._is_type(*found) for found in self._each(module, path[:-1]))
        return is_class and ("__get__" not in self._hooks or self.is_inert(module, path[:-1]))

    def _is_others(self, module: Module, name: str) -> bool:
        """Return whether a name is one of another package in each import that binds it."""
        bound = [p.stands for p in self.modules.facts(module).pieces if name in p.names and not p.owner]
        return all(s is not None and not s[2] and not self.modules.is_own(s[0].split(".")[0]) for s in bound)

    @cached_property
    def _hooks(self) -> set[str]:
        """The special methods of classes of all modules that may be imported, as far as they matter here."""
        found: set[str] = set()
        seen, queue = {self.start}, [self.start]
        while queue:
            module = queue.pop()
            facts = self.modules.facts(module)
            found |= facts.hooks
            new = {inside for imported in facts.imports for inside in self.executed(module, imported)} - seen
            seen |= new
            queue += new
        return found

    def _each(self, module: Module, path: Dotted) -> Iterator[tuple[Module, Piece] | None]:
        for where, found in self.classes(module, path):
            yield None if found is None else (where, found)

    def _is_type(self, module: Module, piece: Piece) -> bool:
        """Return whether a class is made by no metaclass of the project."""
        of = piece.defines
        return of is not None and not of.given and not self._are_made(module, of.bases)

    def _are_made(self, module: Module, bases: Iterable[Dotted]) -> bool:
        found = [each for base in bases for each in self._each(module, base)]
        return not all(each is None or self._is_type(*each) for each in found)

    def _is_module(self, module: Module, name: str, seen: _Seen = frozenset()) -> bool:
        """Return whether all that binds a name in a module imports a module, or another package's thing."""
        bound = [p for p in self.modules.facts(module).pieces if name in p.names and not p.owner]
        seen |= {(module, name)}
        return bool(bound) and all(
            piece.stands is not None and self._imports_module(module, piece.stands, seen) for piece in bound
        )

    def _imports_module(self, module: Module, found: Import, seen: _Seen) -> bool:
        name, taken, level = found
        steps = self.steps(module, name, level)
        if not self.modules.is_own(steps[0]):
            return not level
        inside = self.modules.find(".".join(steps))
        if inside is None or taken is None:
            return True
        below = self.modules.find(".".join([*steps, taken]))
        binds = any(taken in p.names and not p.owner for p in self.modules.facts(inside).pieces)
        if binds and (inside, taken) not in seen:
            return self._is_module(inside, taken, seen)
        return below is not None

    def are_foreign(self, module: Module, bases: Iterable[Dotted]) -> bool:
        """Return whether a class with these bases is handed to code that is not the project's.

        That is what its bases are, or what makes classes of them, and it may call any method.
        """
        classes = [found for base in bases for found in self.classes(module, base)]
        return any(
            found is None
            or found.defines is None
            or found.defines.given
            or self.are_foreign(where, found.defines.bases)
            for where, found in classes
        )

    def classes(self, module: Module, path: Dotted) -> list[tuple[Module, Piece | None]]:
        """Return the classes that a dotted name may stand for in a module, None for anything else."""
        found: list[tuple[Module, Piece | None]] = []
        for piece in self.modules.facts(module).pieces:
            if piece.owner or path[0] not in piece.names:
                continue
            if piece.stands is None:
                found.append((module, piece if piece.defines and len(path) == 1 else None))
            else:
                found += self._imported(module, piece.stands, path[1:])
        return found or [(module, None)]

    def _imported(
        self, module: Module, stands: Import, rest: Dotted
    ) -> Iterable[tuple[Module, Piece | None]]:
        name, taken, level = stands
        steps = self.steps(module, name, level)
        path = (taken, *rest) if taken else rest
        while path:
            inside, below = self.modules.find(".".join(steps)), self.modules.find(".".join([*steps, path[0]]))
            if inside is not None and inside != module and below is None:
                return self.classes(inside, path)
            steps, path = [*steps, path[0]], path[1:]
        return [(module, None)]

    def order(self, start: Module) -> Iterator[Module]:
        """Yield the modules in the order in which importing one executes them."""
        return self._order(start, set())

    def _order(self, module: Module, seen: set[Module]) -> Iterator[Module]:
        seen.add(module)
        for piece in self.modules.facts(module).pieces:
            for found in piece.executes:
                for inside in self.executed(module, found):
                    if inside not in seen:
                        yield from self._order(inside, seen)
        yield module
