"""Seeds that follow from names: the same in every run and on every machine, different for each name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import Any


def seed_of(*key: Any) -> int:
    """Return a seed in [0, 2**63) from a key of numbers, texts, bools, None, and lists of these.

    It is the first eight bytes of the SHA-256 of the key as compact JSON, without the top bit.
    """
    text = json.dumps(key, separators=(",", ":"))
    # 63 bits: a generator that takes a signed integer of 64 takes this, too
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


class Seeds:
    """The seeds for the items of all maps that a run makes, or that are made inside one item.

    An item's seed follows from where its map was called (the run's name and seed, or the seed of the outer
    item), the map's name, how many maps of that name came before, and the item's index. So it does not depend
    on the process, nor on what that process computed before.
    """

    def __init__(self, *root: Any) -> None:
        self.root = root
        self.maps: Counter[str] = Counter()

    def of_next_map(self, name: str) -> Callable[[int], int]:
        """Return what gives the seed of each item, by its index, of the next map of that name."""
        number = self.maps[name]
        self.maps[name] += 1
        return lambda index: seed_of(*self.root, "map", name, number, index)
