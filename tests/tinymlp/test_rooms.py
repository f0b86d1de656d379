"""What it costs to import a room: only the libraries that its work needs."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
HEAVY = {"matplotlib", "networkx", "numpy", "optuna", "pandas", "scipy", "torch", "wandb"}


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("tinymlp", set()),
        ("tinymlp.scalar", {"numpy"}),
        ("tinymlp.inference", {"numpy", "scipy"}),
        ("tinymlp.sweep", {"numpy", "scipy"}),
        ("tinymlp.figures", {"matplotlib", "numpy"}),
        ("tinymlp.networks", {"numpy", "scipy", "torch"}),
    ],
)
def test_a_room_loads_no_heavy_library_that_it_does_not_work_with(room, allowed):
    code = f"import sys, {room}; print('loaded:', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SOURCES, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.partition("loaded:")[2].split())
    assert room in loaded
    assert (loaded & HEAVY) - allowed == set()
