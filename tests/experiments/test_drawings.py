"""An edit of a drawing draws again, and runs no experiment again."""

from pathlib import Path

import pytest

from labreport import project as projects
from labreport.running.planning import Book

BOOK = Book(projects.load(Path(__file__).parents[2]), {})


@pytest.mark.parametrize("name", [name for name, one in BOOK.declared.items() if one.has_draw])
def test_no_run_reaches_its_drawing(name):
    file = f"experiments/{name}.py"
    assert f"{file}:draw" in BOOK.of_drawing(name, ()).named("code")
    assert f"{file}:run" in BOOK.of_run(name).named("code")
    assert f"{file}:draw" not in BOOK.of_run(name).named("code")
