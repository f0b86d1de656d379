"""The cells of a run: each finished item of `lab.map`, found before it is computed again.

A cell is found if nothing that its value depends on has changed: the function (see `functions`), the item,
what the call read of the experiment (see `reading`) and of the world (see `observing`). Where it cannot be
told what a function depends on, its cells serve only a run with the same fingerprint, in the same place.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.results import Fingerprint, Part, files, strict_json
from labreport.running import observing, reading
from labreport.running.functions import Functions, Unknowable, remembers
from labreport.running.units import Done, Unit

if TYPE_CHECKING:
    from labreport.results import Cells

Now = Callable[[Fingerprint], Fingerprint]
"""A function that returns what parts of a fingerprint are now."""


class Kept:
    """The cells of one run, kept in `cells`; with `forced` none is found.

    `fingerprint` is that of the run; `now` tells what the inputs are now that a cell has read.
    """

    def __init__(
        self, cells: Cells, functions: Functions, fingerprint: Fingerprint, now: Now, *, forced: bool
    ) -> None:
        self.cells = cells
        self.functions = functions
        self.fingerprint = fingerprint
        self.now = now
        self.forced = forced
        self._maps: Counter[str] = Counter()

    def of(self, function: object, name: str) -> Row:
        """Return the cells of the next map of a function, by the map's name."""
        number = self._maps[name]
        self._maps[name] += 1
        reading.begin_map()
        before = observing.begin_map()
        try:
            own = self.functions.fingerprint(function)
            key = strict_json.digest([own.digest, _settings()])
            return Row(self, key, self.functions.items(function), before if remembers(own) else Fingerprint())
        except Unknowable as error:
            print(f"items of {name} are kept for this very run only: {error}", flush=True)
            whole = strict_json.digest([self.fingerprint.plain(), name, number])
            return Row(self, whole, None, before)


class Row:
    """The cells of one map; `item` gives the digest of an item, where digests tell what is the same.

    All of them depend on what was seen `before`.
    """

    def __init__(
        self, kept: Kept, own: str, item: Callable[[object], str] | None, before: Fingerprint
    ) -> None:
        self.kept = kept
        self.own = own
        self.item = item
        self.before = before
        self._keys: dict[int, str] = {}

    def key(self, unit: Unit) -> str:
        """Return the key of an item's cell."""
        if unit.index not in self._keys:
            self._keys[unit.index] = strict_json.digest([self.own, self._same(unit)])
        return self._keys[unit.index]

    def _same(self, unit: Unit) -> object:
        """Return what says of an item that it is the same: its value, or else its place in the same run."""
        if self.item is not None:
            with contextlib.suppress(Unknowable):
                return self.item(unit.argument)
        return [self.kept.fingerprint.plain(), unit.index]

    def find(self, unit: Unit) -> Done | None:
        """Return what an item gave, if that is kept and nothing that it read has changed."""
        if self.kept.forced:
            return None
        found = self.kept.cells.find(self.key(unit), lambda seen: self._now(seen, unit) == seen)
        if found is None:
            return None
        value, seen = found
        try:
            return Done(pickle.loads(value), seen)
        except Exception:  # its class has another form now, or is gone
            return None

    def keep(self, unit: Unit, done: Done) -> None:
        """Keep what an item gave, unless a call has effects besides, or gave what cannot be pickled."""
        if reading.EFFECT in done.seen.parts:
            return
        try:
            value = pickle.dumps(done.value, protocol=5)
        except Exception:  # each class may refuse in its own way
            return
        if files.TEMPORARY.encode() in value:  # a path into the folder of a command, which goes with the run
            return
        own = Fingerprint({part: known for part, known in done.seen.parts.items() if not known})
        self.kept.cells.keep(self.key(unit), self.before | done.seen | self._now(own, unit), value)

    def _now(self, seen: Fingerprint, unit: Unit) -> Fingerprint:
        seeds = {part: str(unit.seed) for part in seen.parts if part.kind == "seed"}
        return self.kept.now(seen.without(seeds)) | Fingerprint(seeds)


def _settings() -> list[Any]:
    """Return the settings of libraries and of this process that `run` may have changed for its items."""
    # past the recording of variables: it is not the experiment that reads all of them
    variables = set(dict.items(os.environ.copy())) - set(observing.STARTED.items())
    out: list[Any] = [str(Path.cwd()), sorted(variables)]
    if (torch := sys.modules.get("torch")) is not None:
        out += [str(torch.get_default_dtype()), torch.are_deterministic_algorithms_enabled()]
    if (numpy := sys.modules.get("numpy")) is not None:
        out.append(numpy.geterr())
    return out


def inputs_of(fingerprint: Fingerprint, params: Mapping[str, Any], observed: Now) -> Now:
    """Return what tells the present values of what a cell has read.

    `fingerprint` is that of the run: it has the results and files that are declared; `observed` tells of
    what nobody declared.
    """

    def now(seen: Fingerprint) -> Fingerprint:
        known = dict(fingerprint.parts)
        known |= {Part("parameter", name): json.dumps(value) for name, value in params.items()}
        declared = {part: known[part] for part in seen.parts if part in known}
        others = Fingerprint({part: old for part, old in seen.parts.items() if part not in known})
        return Fingerprint(declared) | (observed(others) if others.parts else Fingerprint())

    return now
