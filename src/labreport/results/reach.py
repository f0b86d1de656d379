"""Which pieces of the project's code count: what a run can reach, as far as syntax tells.

The rules, in order:

1. What the roots bind counts: `run` and `Params` for a run, `draw` for a drawing.
2. An import inside code that counts, and any import at the level of a module that is imported, executes its
   module and the packages around it: these modules are *imported*.
3. In an imported module these count always, since importing executes them: statements that call something,
   assign to attributes or items, or hold other statements; definitions with decorators, defaults or class
   keywords that call something; classes with bases, with all of their methods. Exceptions are the lists in
   `plain`: calls, decorators and bases that are known to have no effect. Special functions of a module
   (`__getattr__`) count always as well.
4. A global name in code that counts makes count whatever binds it in its module, through imports to where it
   is defined; `module.name` likewise.
5. Any other attribute, and each word of a text without spaces, makes count whatever has that name, in each
   imported module: functions, classes, variables, and the methods of classes that count. A text that is the
   dotted name of a module of the project imports it.
6. A class counts with its statements, its special methods, and the methods that other packages call by
   protocol (`write`, `fit`, …); its other methods by name.
7. Where a name is computed (`getattr` without a literal name, `globals()`, `vars`, `__dict__`, …), its module
   counts whole, and so do all classes that count, and each module that is used as a value.
8. Where anything can be reached (`exec`, `eval`, `sys.modules`, `import_module` of a computed name, pickles,
   …), all imported modules count whole.
9. Another package counts by its version (see `versions`) where code that counts uses what was imported from
   it, and where nothing uses it: then it was imported for its effect. labreport itself never counts.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from labreport.modules import Module
from labreport.results.references import ANYTHING, LOCAL, Dotted, Import, References
from labreport.results.syntax import Class, ModuleFacts, Piece

ORDER = "import order"


class Modules(Protocol):
    """The project's modules, as reach needs them."""

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


@dataclass(frozen=True)
class Reached:
    """What counts: digests of code by module and label, the modules imported, other packages' modules.

    `attributes` are the names that code asks of objects, or that no statement of a module binds.
    """

    code: Mapping[tuple[Path, str], str]
    imported: frozenset[Path]
    foreign: frozenset[str]
    attributes: frozenset[str]


def reached(modules: Modules, start: Module, roots: Iterable[str]) -> Reached:
    """Return what counts for these names of a module."""
    return reached_from(modules, start, [(start, root) for root in roots])


def reached_from(
    modules: Modules,
    start: Module,
    names: Iterable[tuple[Module, str]],
    code: Iterable[tuple[Module, References]] = (),
    values: Iterable[Module] = (),
) -> Reached:
    """Return what counts where a module has been imported, for names and code of any modules.

    `values` are modules that are used as objects.
    """
    reach = _Reach(modules)
    reach.import_(start)
    for module, name in names:
        reach.import_(module)
        reach.name(module, name)
    for module, refers in code:
        reach.import_(module)
        reach.refer(module, refers)
    for module in values:
        reach.import_(module)
        reach.use_as_value(module)
    reach.settle()
    return Reached(
        reach.code(start),
        frozenset(m.path for m in reach.imported),
        frozenset(reach.foreign),
        frozenset(reach.names),
    )


def _is_future(piece: Piece) -> bool:
    return any(module == "__future__" for module, _, _ in piece.executes)


class _Imported:
    """A module that is imported: its pieces, those that bind a name, and which of them count."""

    def __init__(self, facts: ModuleFacts) -> None:
        self.facts = facts
        self.binding: dict[str, list[int]] = defaultdict(list)
        self.methods: dict[str, list[int]] = defaultdict(list)
        self.methods_of: dict[str, list[int]] = defaultdict(list)
        for index, piece in enumerate(facts.pieces):
            for name in piece.names:
                (self.methods if piece.owner else self.binding)[name].append(index)
            if piece.owner:
                self.methods_of[piece.owner].append(index)
        self.used = {path[0] for piece in facts.pieces for path in piece.refers.paths}
        self.counts: set[int] = set()
        self.acting: set[int] = set()
        self.is_value = False
        self.is_whole = False

    @property
    def acts_on_others(self) -> bool:
        """Whether executing the module may change other modules; imports only execute other modules."""
        return any(not self.facts.pieces[index].executes for index in self.acting)


class _Reach:
    """Marks pieces until nothing is left to mark."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.imported: dict[Module, _Imported] = {}
        self.foreign: set[str] = set()
        self.names: set[str] = set()
        self.injected: set[str] = set()
        self.computed = 0
        self._queue: list[tuple[Module, int]] = []
        self._resolved: set[tuple[Module, str, Dotted]] = set()
        self._with_methods: dict[str, list[Module]] = defaultdict(list)
        self._values: list[Module] = []

    # ------------------------------------------------------------------------------------------- importing

    def import_(self, module: Module) -> None:
        """Note that a module is executed, and what that executes."""
        if module in self.imported:
            return
        state = self.imported[module] = _Imported(self.modules.facts(module))
        for index, piece in enumerate(state.facts.pieces):
            for found in piece.executes:
                self._execute(module, found)
            if self._acts(module, piece):
                state.acting.add(index)
                self._count(module, index)
            if piece.stands and not state.used.intersection(piece.names):
                self._note_foreign(module, piece.stands)  # imported for its effect, or for other modules
        for name in state.methods:
            self._with_methods[name].append(module)
        for name in self.injected & state.binding.keys():
            self._count_bound(module, name)
        if self.computed >= ANYTHING:
            self._count_whole(module)

    def _acts(self, module: Module, piece: Piece) -> bool:
        """Return whether executing a piece may do more than bind names."""
        if piece.always or not all(self._is_inert(module, path) for path in piece.assuming):
            return True
        return piece.defines is not None and not all(
            self._is_quiet(module, base) for base in piece.defines.bases
        )

    def _is_inert(self, module: Module, path: Dotted) -> bool:
        """Return whether a dotted name is a class of the project that runs no code when it is called."""
        return all(
            found is not None and found.inert and all(self._is_inert(where, base) for base in found.bases)
            for where, found in self._classes(module, path)
        )

    def _is_quiet(self, module: Module, path: Dotted) -> bool:
        """Return whether a dotted name is a class of the project that takes no note of its subclasses."""
        return all(
            found is not None and found.quiet and all(self._is_quiet(where, base) for base in found.bases)
            for where, found in self._classes(module, path)
        )

    def _classes(self, module: Module, path: Dotted) -> list[tuple[Module, Class | None]]:
        """Return the classes that a dotted name may stand for in a module, None for anything else."""
        facts = self.modules.facts(module)
        found: list[tuple[Module, Class | None]] = []
        for piece in facts.pieces:
            if piece.owner or path[0] not in piece.names:
                continue
            if piece.stands is None:
                found.append((module, piece.defines if len(path) == 1 else None))
            else:
                found += self._imported_classes(module, piece.stands, path[1:])
        return found or [(module, None)]

    def _imported_classes(
        self, module: Module, stands: Import, rest: Dotted
    ) -> list[tuple[Module, Class | None]]:
        name, taken, level = stands
        steps = self._steps(module, name, level)
        path = (taken, *rest) if taken else rest
        while path:
            inside, below = self.modules.find(".".join(steps)), self.modules.find(".".join([*steps, path[0]]))
            if inside is not None and inside != module and below is None:
                return self._classes(inside, path)
            steps, path = [*steps, path[0]], path[1:]
        return [(module, None)]

    def _execute(self, module: Module, found: Import) -> None:
        """Execute an import: each package on the way, and the module; a name of it may be a module, too."""
        for inside in self._executed_modules(module, found):
            self.import_(inside)

    def _import_steps(self, steps: Sequence[str]) -> Module | None:
        """Import all modules on a dotted path; return the last, None if the path ends at no module."""
        inside = None
        for i in range(len(steps)):
            inside = self.modules.find(".".join(steps[: i + 1]))
            if inside is not None:
                self.import_(inside)
        return inside

    def _steps(self, module: Module, name: str, level: int, taken: str | None = None) -> list[str]:
        """Return the absolute dotted path of what an import in a module asks for."""
        above = module.package.split(".") if level else []
        above = above[: len(above) - level + 1] if level else []
        return [step for step in (*above, *name.split("."), taken or "") if step]

    def _note_foreign(self, module: Module, found: Import) -> None:
        top = found[0].partition(".")[0]
        if not found[2] and self.modules.is_foreign(top):
            self.foreign.add(top)

    # -------------------------------------------------------------------------------------------- counting

    def _count(self, module: Module, index: int) -> None:
        state = self.imported[module]
        if index not in state.counts:
            state.counts.add(index)
            self._queue.append((module, index))

    def _count_whole(self, module: Module) -> None:
        state = self.imported[module]
        if not state.is_whole:
            state.is_whole = True
            for index, piece in enumerate(state.facts.pieces):
                self._count(module, index)
                self._follow(module, piece)

    def _follow(self, module: Module, piece: Piece) -> None:
        """Count what an imported name stands for."""
        if piece.stands is not None:
            self._import_path(module, piece.stands, ())

    def _count_bound(self, module: Module, name: str) -> None:
        """Count what binds a name in a module."""
        state = self.imported[module]
        for index in state.binding.get(name, ()):
            self._count(module, index)
            self._follow(module, state.facts.pieces[index])

    def _count_methods(self, module: Module, name: str) -> None:
        """Count the methods of a name in those classes of a module that count."""
        state = self.imported[module]
        for index in state.methods.get(name, ()):
            owner = state.facts.pieces[index].owner
            if any(i in state.counts for i in state.binding[owner]):
                self._count(module, index)

    def settle(self) -> None:
        """Follow all that counts, until nothing new comes."""
        while self._queue:
            module, index = self._queue.pop()
            piece = self.imported[module].facts.pieces[index]
            for found in piece.executes:
                self._note_foreign(module, found)
            self._follow_class(module, piece)
            self.refer(module, piece.refers)

    def _follow_class(self, module: Module, piece: Piece) -> None:
        """Count the methods of a class that counts, as far as they do."""
        state = self.imported[module]
        everything = self.computed or self._has_foreign_bases(module, piece)
        for name in piece.names if not piece.owner else ():
            for index in state.methods_of.get(name, ()):
                if everything or self.names.intersection(state.facts.pieces[index].names):
                    self._count(module, index)

    def _has_foreign_bases(self, module: Module, piece: Piece) -> bool:
        """Return whether a class has bases whose code is not the project's, and may call any method."""
        return piece.defines is not None and self._are_foreign(module, piece.defines.bases)

    def _are_foreign(self, module: Module, bases: Iterable[Dotted]) -> bool:
        classes = [found for base in bases for found in self._classes(module, base)]
        return any(found is None or self._are_foreign(where, found.bases) for where, found in classes)

    def refer(self, module: Module, refers: References) -> None:
        """Count what references in a module reach."""
        bound = self.imported[module].binding
        for found in refers.imports:
            self._execute(module, found)
            self._note_foreign(module, found)
        for path in refers.paths:
            if path[0] in bound or not hasattr(builtins, path[0]):
                self.name(module, path[0], path[1:])
            else:
                self._attributes_of_objects(path[1:])
        for found, rest in refers.imported:
            self._import_path(module, found, rest)
        for text in refers.texts:
            self._text(module, text)
        self._attributes_of_objects(refers.names - self.names)
        self._compute(module, refers.computed)

    def _attribute(self, name: str) -> None:
        """Count what has a name as an attribute: methods, and what modules have that are used as values."""
        if name not in self.names:
            self.names.add(name)
            for module in self._with_methods.get(name, ()):
                self._count_methods(module, name)
            for module in list(self._values):
                self._count_bound(module, name)

    def _injected(self, name: str) -> None:
        """Count a name wherever it is bound: which of these was put in its place cannot be told."""
        self._attribute(name)
        if name not in self.injected:
            self.injected.add(name)
            for module in list(self.imported):
                self._count_bound(module, name)

    def _compute(self, module: Module, what: int) -> None:
        if what >= LOCAL:
            self._count_whole(module)
        if what > self.computed:
            self.computed = what
            for other, state in list(self.imported.items()):
                if what >= ANYTHING or state.is_value:
                    self._count_whole(other)
                for index in sorted(state.counts):
                    self._follow_class(other, state.facts.pieces[index])

    def use_as_value(self, module: Module) -> None:
        """Note that a module is used as an object: where names are computed, all of it can be reached."""
        state = self.imported[module]
        if not state.is_value:
            state.is_value = True
            self._values.append(module)
            if self.computed:
                self._count_whole(module)
            self._count_bound(module, "__getattr__")
            for name in self.names & state.binding.keys():
                self._count_bound(module, name)

    # ------------------------------------------------------------------------------------------ resolving

    def name(self, module: Module, name: str, rest: Dotted = ()) -> None:
        """Count what a global name of a module stands for, and of that what a path of attributes names."""
        if (module, name, rest) in self._resolved:  # imports may run in circles
            return
        self._resolved.add((module, name, rest))
        state = self.imported[module]
        pieces = [(index, state.facts.pieces[index]) for index in state.binding.get(name, ())]
        for index, piece in pieces:
            self._count(module, index)
            if piece.stands is not None:
                self._import_path(module, piece.stands, rest)
        from_star = self._from_star(module, name, rest)
        if any(piece.stands is None for _, piece in pieces):
            self._attributes_of_objects(rest)
        elif not pieces and not from_star:
            self._count_bound(module, "__getattr__")
            if not hasattr(builtins, name):
                self._injected(name)
            self._attributes_of_objects(rest)

    def _from_star(self, module: Module, name: str, rest: Dotted) -> bool:
        """Count a name that a module has from an import of all names; return whether it may have it."""
        found = False
        for star, _, level in self.imported[module].facts.stars:
            inside = self._import_steps(self._steps(module, star, level))
            state = self.imported[inside] if inside is not None else None
            if inside is not None and state is not None and (name in state.binding or state.facts.stars):
                self.name(inside, name, rest)
                found = True
        return found

    def _import_path(self, module: Module, found: Import, rest: Dotted) -> None:
        """Count what an import stands for, and of that what a path of attributes names."""
        name, taken, level = found
        steps = self._steps(module, name, level)
        self._note_foreign(module, found)
        if level or self.modules.is_own(steps[0]):
            path = (taken, *rest) if taken and taken != "*" else rest
            self._attributes(self._import_steps(steps), steps, path)

    def _attributes(self, inside: Module | None, steps: Sequence[str], path: Dotted) -> None:
        """Count what a path of attributes reaches from a module, or from a folder that is not a module."""
        if not path:
            if inside is not None:
                self.use_as_value(inside)
            return
        below = self._import_steps([*steps, path[0]])
        if inside is not None and (below is None or path[0] in self.imported[inside].binding):
            self.name(inside, path[0], path[1:])
        if below is not None or inside is None:
            self._attributes(below, [*steps, path[0]], path[1:])

    def _attributes_of_objects(self, names: Iterable[str]) -> None:
        for name in names:
            self._attribute(name)

    def _text(self, module: Module, text: str) -> None:
        """Count what a text names, if it is the dotted name of a module, or of something in one."""
        steps = tuple(text.split("."))
        if self.modules.is_own(steps[0]):
            self._import_path(module, (steps[0], None, 0), steps[1:])

    # --------------------------------------------------------------------------------------------- results

    def code(self, start: Module) -> dict[tuple[Path, str], str]:
        """Return the digests of all that counts, by module and label; the label "" is that of statements."""
        out: dict[tuple[Path, str], str] = {}
        for module, state in self.imported.items():
            if all(_is_future(state.facts.pieces[index]) for index in state.counts):
                continue
            digests: dict[str, list[str]] = defaultdict(list)
            for index in sorted(state.counts):
                piece = state.facts.pieces[index]
                if piece.label:
                    digests[piece.label].append(piece.digest)
            for label, several in digests.items():
                out[module.path, label] = several[0] if len(several) == 1 else _joined(several)
            statements = _statements(state)
            if statements:
                out[module.path, ""] = _joined(statements)
        if any(state.acts_on_others for state in self.imported.values()):
            executed = [m for m in self._executed(start, set()) if self.imported[m].counts]
            order = [[module.path.name, *self._order(module)] for module in executed]
            out[start.path, ORDER] = _joined(" ".join(names) for names in order)
        return out

    def _order(self, module: Module) -> Iterator[str]:
        """Yield the names of a module's imports that count, or that change something, in order."""
        state = self.imported[module]
        for index, piece in enumerate(state.facts.pieces):
            if piece.executes and (index in state.counts or self._changes_something(module, piece)):
                yield from piece.names

    def _changes_something(self, module: Module, piece: Piece) -> bool:
        return any(
            self.imported[inside].acts_on_others
            for found in piece.executes
            for inside in self._executed_modules(module, found)
        )

    def _executed_modules(self, module: Module, found: Import) -> Iterator[Module]:
        """Yield the modules that an import names: each package on the way, and the module."""
        name, taken, level = found
        steps = self._steps(module, name, level, taken if taken != "*" else None)
        for i in range(len(steps)):
            inside = self.modules.find(".".join(steps[: i + 1]))
            if inside is not None:
                yield inside

    def _executed(self, module: Module, seen: set[Module]) -> Iterator[Module]:
        """Yield the modules in the order in which importing one executes them."""
        seen.add(module)
        for piece in self.imported[module].facts.pieces:
            for found in piece.executes:
                for inside in self._executed_modules(module, found):
                    if inside not in seen:
                        yield from self._executed(inside, seen)
        yield module


def _statements(state: _Imported) -> list[str]:
    """Return the digests of statements without a name, and between them what they depend on, in order."""
    pieces = [state.facts.pieces[index] for index in sorted(state.counts)]
    acting = [state.facts.pieces[index] for index in sorted(state.acting)]
    if len(acting) < 2 and all(piece.label for piece in acting):
        return []
    used = {path[0] for piece in acting for path in piece.refers.paths}
    return [
        piece.label or piece.digest
        for piece in pieces
        if not piece.label or piece in acting or used.intersection(piece.names)
    ]


def _joined(digests: Iterable[str]) -> str:
    return sha256("\n".join(digests).encode()).hexdigest()
