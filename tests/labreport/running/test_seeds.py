"""Seeds of items: documented, and different for each place in each map."""

import hashlib
import json

from labreport.running.seeds import Seeds, seed_of


def test_a_seed_is_the_documented_digest():
    text = json.dumps(["exp", None, "map", "draws", 2, 5], separators=(",", ":"))
    expected = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    assert seed_of("exp", None, "map", "draws", 2, 5) == expected


def test_maps_of_a_name_are_counted_and_those_of_other_names_are_not():
    alone, mixed = Seeds("exp", 1), Seeds("exp", 1)
    first, second = (alone.of_next_map("a") for _ in range(2))
    again, _, later = (mixed.of_next_map(name) for name in "aba")
    assert [again(i) for i in range(9)] == [first(i) for i in range(9)]
    assert [later(i) for i in range(9)] == [second(i) for i in range(9)]


def test_no_two_items_of_any_maps_have_one_seed():
    roots = [("a", 0), ("a", 1), ("b", 0), ("a", None)]
    maps = [Seeds(*root).of_next_map(name) for root in roots for name in ("f", "g")]
    for root in roots:
        seeds = Seeds(*root)
        seeds.of_next_map("f")
        maps.append(seeds.of_next_map("f"))
    found = {seed(i) for seed in maps for i in range(200)}
    assert len(found) == len(maps) * 200
    assert all(0 <= seed < 2**63 for seed in found)
