"""Checks of the hand-in: the report that is handed in, and what lies in the zip beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from labreport import handin
from labreport.checks.material import Found, Material, counted
from labreport.documents import notebooks as weaving


def in_zip(find: Callable[[Material, dict[str, bytes]], Found]) -> Callable[[Material], Found]:
    """Return a check of the zip's files: without a zip there is nothing that could satisfy it."""

    def checked(m: Material) -> Found:
        if isinstance(m.zipped, str):
            return Found([(m.project.shown(m.project.submission / handin.CODE), m.zipped)])
        return find(m, m.zipped)

    return checked


def untouched(m: Material) -> Found:
    """Return what was done to the hand-in after it was packed."""
    return Found([(m.project.shown(path, follow_symlinks=False), what) for path, what in m.touched])


def handed_in(m: Material) -> Found:
    """Return the report beside the zip, if it is missing or another one."""
    path = m.project.submission / m.project.pdf.name
    if not path.is_file():
        return Found([(m.project.shown(path), "it does not exist")])
    same = path.read_bytes() == m.project.pdf.read_bytes()
    return Found([] if same else [(m.project.shown(path), "it differs from the report that was made")])


def report_outside(m: Material, files: dict[str, bytes]) -> Found:
    """Return the copies of the report inside the zip."""
    own = m.project.pdf.read_bytes()
    inside = [n for n, data in files.items() if data == own or PurePosixPath(n).name == m.project.pdf.name]
    return Found(
        [(handin.CODE, f"it holds the report: {name}") for name in inside], counted(len(files), "file")
    )


def readme(_: Material, files: dict[str, bytes]) -> Found:
    """Return what the README of the zip does not say."""
    found = [name for name in files if "/" not in name and name.upper().startswith("README")]
    said = "\n".join(files[name].decode("utf-8", "replace") for name in found)
    if not said.strip():
        return Found([(handin.CODE, "no README with a text at its top")])
    # a file at the top that runs when it is called
    main = [n for n, data in files.items() if "/" not in n and n.endswith(".py") and b"__main__" in data]
    places = []
    if not any(name in said for name in main):
        places.append((found[0], f"it names no main file to run; there is {', '.join(main) or 'none'}"))
    needed = [handin.name_of(requirement) for requirement in handin.needs(files).every]
    words = {handin.name_of(word) for word in re.findall(r"[\w.-]*\w", said)}
    places += [(found[0], f"it does not list the library {name}") for name in needed if name not in words]
    versions = handin.pinned(files.get("constraints.txt", b""))
    installed = handin.pins(needed)
    unpinned = [name for name in needed if name in installed and name not in versions]
    places += [("constraints.txt", f"it does not pin the library {name}") for name in unpinned]
    return Found(places)


def sources(m: Material, files: dict[str, bytes]) -> Found:
    """Return the sources that the zip lacks, or holds in another state."""
    patterns = ("report.toml", "experiments/**/*.py", "src/**/*.py", "report_templates/**/*.j2")
    places = []
    for path in sorted(path for pattern in patterns for path in m.project.root.glob(pattern)):
        name = path.relative_to(m.project.root).as_posix()
        if name not in files:
            places.append((handin.CODE, f"{name} is missing"))
        elif files[name] != path.read_bytes():
            places.append((handin.CODE, f"{name} differs from the project's file"))
    return Found(places)


def secrets(m: Material) -> Found:
    """Return what the hand-in gives away; what is secret may have become known after it was packed."""
    packed = m.zipped if isinstance(m.zipped, dict) else {}  # what it is instead another check says
    files = {f"{handin.CODE}: {name}": data for name, data in packed.items()}
    path = m.project.submission / m.project.pdf.name
    files |= {path.name: path.read_bytes()} if path.is_file() else {}
    return Found(handin.leaks_of_packed(m.project, files), counted(len(files), "file"))


def notebooks(m: Material, files: dict[str, bytes]) -> Found:
    """Return the notebooks that the zip lacks, or that were not executed as they are."""
    packed = {PurePosixPath(n).name: data for n, data in files.items() if n.endswith(".ipynb")}
    names = [f"{name}.ipynb" for name in weaving.names(m.project)]
    places = [(handin.CODE, f"{name} is missing") for name in names if name not in packed]
    for name, data in sorted(packed.items()):
        places += [(name, what) for what in _trouble_in(data)]
        woven = m.project.notebooks / name
        if woven.is_file() and woven.read_bytes() != data:
            places.append((name, "it differs from the notebook that was woven"))
    return Found(places, f"{counted(len(packed), 'notebook')}, executed" if packed else "there are none")


def _trouble_in(notebook: bytes) -> Iterable[str]:
    """Yield what shows that a notebook was not executed, or not without errors."""
    try:
        cells: list[dict[str, Any]] = json.loads(notebook)["cells"]
    except (ValueError, LookupError, TypeError):
        yield "it is not a notebook"
        return
    code = [
        (n, c) for n, c in enumerate(cells, 1) if c["cell_type"] == "code" and "".join(c["source"]).strip()
    ]
    for number, cell in code:
        errors = [o for o in cell["outputs"] if o["output_type"] == "error"]
        if cell["execution_count"] is None:
            yield f"cell {number} was not executed"
        yield from (f"cell {number} ended with {o.get('ename')}: {o.get('evalue')}" for o in errors)
