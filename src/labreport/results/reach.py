"""Which pieces of the project's code count: what a run can reach, as far as syntax tells.

The rules, in order:

1. What the roots bind counts: `run` and `Params` for a run, `draw` for a drawing.
2. An import inside code that counts, and any import at the level of a module that is imported, executes its
   module and the packages around it: these modules are *imported*.
3. In an imported module these count always, since importing executes them: statements that call something,
   assign to attributes or items, or hold other statements; definitions with decorators, defaults, annotations
   or class keywords that call something; classes with bases that may take note of them. Exceptions are the
   lists in `plain`: what is known to have no effect. A module's `__getattr__` and `__dir__` count always;
   what they name counts if a name may be theirs.
4. A global name in code that counts makes count whatever binds it in its module, through imports to where it
   is defined; `module.name` likewise. A name that nothing binds counts wherever it is bound. An import whose
   name other statements bind as well, or that is not at the level of its scope, uses its module as a value.
5. Any other attribute, and each word of a text without spaces (of other texts, what is in braces, called, or
   after @), makes count whatever has that name in the modules that are used as values, and the methods of
   that name of the classes that count. A text that is the dotted name of a module of the project imports it.
6. A class counts with its statements, its special methods, and the methods that other packages call by
   protocol (`write`, `fit`, …); its other methods by name, or all, those of its bases included, if a base or
   decorator is not the project's or a metaclass makes it.
7. Where a name is computed (`getattr` without a literal name, `globals()`, `vars`, `__dict__`, …), its module
   counts whole, and so do all classes that count, and each module that is used as a value.
8. Where anything can be reached (`exec`, `eval`, `sys.modules`, `import_module` of a computed name, pickles,
   …), all imported modules count whole; where code reads its own text (`__doc__`, …), so do their files.
9. The order of statements counts among those that act, and what they or assignments after them use; and where
   a name is bound more than once. The order of imports counts if importing changes something elsewhere.
10. Another package counts by its version (see `versions`) where code that counts uses what was imported from
    it, and where nothing uses it: then it was imported for its effect. labreport itself never counts.
"""

from __future__ import annotations

import builtins
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from labreport.modules import Module
from labreport.results.pieces import ModuleFacts, Piece
from labreport.results.references import ANYTHING, LOCAL, OF_MODULES, TEXTS, Dotted, Import, References
from labreport.results.resolving import Modules, Names

ORDER = "import order"
TEXT = "its text"
_SPECIAL = ("__getattr__", "__dir__")
_PRIVATE = re.compile(r"_+[^\W_]\w*?(__\w+)")


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
    reach = _Reach(modules, Names(modules, start))
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
        self.binding, self.methods, self.methods_of = facts.indices
        # whatever looks at all modules calls them, and learns nothing from most
        self.special = {index for name in _SPECIAL for index in self.binding.get(name, ())}
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

    def __init__(self, modules: Modules, known: Names) -> None:
        self.modules = modules
        self.known = known
        self.imported: dict[Module, _Imported] = {}
        self.foreign: set[str] = set()
        self.names: set[str] = set()
        self.injected: set[str] = set()
        self.computed = 0
        self._queue: list[tuple[Module, int]] = []
        self._resolved: set[tuple[Module, str, Dotted]] = set()
        self._with_methods: dict[str, list[Module]] = defaultdict(list)
        self._values: list[Module] = []
        self._given: set[tuple[Module, str]] = set()

    # ------------------------------------------------------------------------------------------- importing

    def import_(self, module: Module) -> None:
        """Note that a module is executed, and what that executes."""
        if module in self.imported:
            return
        state = self.imported[module] = _Imported(self.modules.facts(module))
        for index, piece in enumerate(state.facts.pieces):
            for found in piece.executes:
                self._execute(module, found)
            if self.known.acts(module, piece):
                state.acting.add(index)
                self._count(module, index)
            if piece.stands and not state.facts.used.intersection(piece.names):
                self._note_foreign(module, piece.stands)  # imported for its effect, or for other modules
        for name in state.methods:
            self._with_methods[name].append(module)
        for name in self.injected & state.binding.keys():
            self._count_bound(module, name)
        if self.computed >= ANYTHING:
            self._count_whole(module)

    def _execute(self, module: Module, found: Import) -> None:
        """Execute an import: each package on the way, and the module; a name of it may be a module, too."""
        for inside in self.known.executed(module, found):
            self.import_(inside)
        asked, name = self.known.asked(module, found)
        if asked is not None and name not in self.imported[asked].binding:
            self._count_bound(asked, "__getattr__")

    def _import_steps(self, steps: Sequence[str]) -> Module | None:
        """Import all modules on a dotted path; return the last, None if the path ends at no module."""
        inside = None
        for i in range(len(steps)):
            inside = self.modules.find(".".join(steps[: i + 1]))
            if inside is not None:
                self.import_(inside)
        return inside

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
            self.refer(module, piece.refers)
            self._follow_class(module, piece)

    def _follow_class(self, module: Module, piece: Piece) -> None:
        """Count the methods of a class that counts, as far as they do."""
        if piece.defines is not None and (
            piece.defines.given or self.known.are_foreign(module, piece.defines.bases)
        ):
            self._give(module, piece)
        state = self.imported[module]
        for name in piece.names if not piece.owner else ():
            for index in state.methods_of.get(name, ()):
                named = self.names.intersection(state.facts.pieces[index].names)
                if self.computed or named or (module, name) in self._given:
                    self._count(module, index)

    def _give(self, module: Module, piece: Piece) -> None:
        """Count all methods of a class and of its bases: code that is not the project's may call any."""
        name = piece.names[0]
        if piece.defines is None or (module, name) in self._given:
            return
        self._given.add((module, name))
        for base in piece.defines.bases:
            for where, found in self.known.classes(module, base):
                if found is not None:
                    self.import_(where)
                    self._give(where, found)
                elif not self.known.is_foreign(where, base):  # which class of the project cannot be told
                    self._compute_classes(LOCAL)
        for index in self.imported[module].methods_of.get(name, ()):
            self._count(module, index)

    def refer(self, module: Module, refers: References) -> None:
        """Count what references in a module reach."""
        state = self.imported[module]
        for found in refers.imports:
            self._execute(module, found)
            self._note_foreign(module, found)
        for path in refers.paths:
            if path[0] in state.binding or state.facts.stars or not hasattr(builtins, path[0]):
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
            if private := _PRIVATE.fullmatch(name):  # the name that a class's own methods have for it
                self._attribute(private[1])
            for module in self._with_methods.get(name, ()):
                self._count_methods(module, name)
            for module in list(self._values):
                self._take(module, name)

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
        self._compute_classes(what)

    def _compute_classes(self, what: int) -> None:
        """Count what can be reached of all classes that count, and of the modules that are used as values."""
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
            for name in ("__getattr__", *self.names):
                self._take(module, name)

    def _take(self, module: Module, name: str) -> None:
        """Count what a name is in a module that is used as a value: what it binds, or a module below it."""
        self._count_bound(module, name)
        below = self.known.below(module, name)
        if below in self.imported:
            self.use_as_value(below)

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
            if name.startswith("__"):  # of a class, where it is named: which one cannot be told
                for mangled in [bound for bound in state.binding if bound.endswith(name)]:
                    self._count_bound(module, mangled)
            if not hasattr(builtins, name):
                self._injected(name)
            self._attributes_of_objects(rest)

    def _from_star(self, module: Module, name: str, rest: Dotted) -> bool:
        """Count a name that a module has from an import of all names; return whether it may have it."""
        found = False
        for star, _, level in self.imported[module].facts.stars:
            steps = self.known.steps(module, star, level)
            inside = self._import_steps(steps)
            state = self.imported[inside] if inside is not None else None
            if inside is not None and state is not None and (name in state.binding or state.facts.stars):
                self.name(inside, name, rest)
                self._count_bound(inside, "__all__")  # it decides whether the name is among them
                found = True
            elif self.modules.find(".".join([*steps, name])) is not None:  # __all__ lists a module
                self._attributes(inside, steps, (name, *rest))
                found = True
        return found

    def _import_path(self, module: Module, found: Import, rest: Dotted) -> None:
        """Count what an import stands for, and of that what a path of attributes names."""
        name, taken, level = found
        steps = self.known.steps(module, name, level)
        self._note_foreign(module, found)
        if level or self.modules.is_own(steps[0]):
            path = (taken, *rest) if taken and taken != "*" else rest
            self._attributes(self._import_steps(steps), steps, path)

    def _attributes(self, inside: Module | None, steps: Sequence[str], path: Dotted) -> None:
        """Count what a path of attributes reaches from a module, or from a folder that is not a module."""
        if not path:
            for module in [inside] if inside is not None else self.known.within(steps, list(self.imported)):
                self.use_as_value(module)
            return
        if inside is not None and path[0] in OF_MODULES:
            self.use_as_value(inside)
        is_known = self.modules.find(".".join([*steps, path[0]])) in self.imported
        below = self._import_steps([*steps, path[0]])
        if inside is not None and below is not None and not is_known:
            self._count_bound(inside, "__getattr__")  # it may be what imports the module
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
            if all(_is_future(state.facts.pieces[index]) for index in state.counts | state.special):
                continue
            digests: dict[str, list[str]] = defaultdict(list)
            for index in sorted(state.counts | state.special):
                piece = state.facts.pieces[index]
                if piece.label:
                    digests[piece.label].append(piece.digest)
            for label, several in digests.items():
                out[module.path, label] = several[0] if len(several) == 1 else _joined(several)
            statements = _statements(state)
            if statements:
                out[module.path, ""] = _joined(statements)
            if self.computed >= TEXTS:
                out[module.path, TEXT] = state.facts.text
        if any(state.acts_on_others for state in self.imported.values()):
            executed = [m for m in self.known.order(start) if self.imported[m].counts]
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
            for inside in self.known.executed(module, found)
        )


def _statements(state: _Imported) -> list[str]:
    """Return the digests of statements without a name, and between them what they depend on, in order.

    The order counts where something acts on the way, and where a name is bound more than once.
    """
    pieces = [(index in state.acting, state.facts.pieces[index]) for index in sorted(state.counts)]
    acting = [piece for acts, piece in pieces if acts]
    times = Counter(name for _, piece in pieces if not piece.owner for name in piece.names)
    # an import of all names may bind any of the others a second time
    again = {name for name in times if times[name] > 1 or "*" in times}
    if not again and len(acting) < 2 and all(piece.label for piece in acting):
        return []
    used = {path[0] for piece in acting for path in piece.refers.paths} | again
    return [
        piece.label or piece.digest
        for acts, piece in pieces
        if acts or piece.assigns or not piece.label or (not piece.owner and used.intersection(piece.names))
    ]


def _joined(digests: Iterable[str]) -> str:
    return sha256("\n".join(digests).encode()).hexdigest()
