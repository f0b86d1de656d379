"""Files of the project that a document shows as figures: PDF, PNG, JPEG, and SVG, which becomes PDF."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from labreport import surroundings, wall
from labreport.documents import enclosures
from labreport.errors import ToolError, did_you_mean
from labreport.results import files_in

if TYPE_CHECKING:
    from pathlib import Path

    from labreport.language import Figure, Formatted, Rendered
    from labreport.project import Project

FOLDER = "pictures"
"""Where the sources of a document hold these files, at their paths in the project."""

KINDS = {
    ".pdf": b"%PDF-",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".svg": b"",
}
"""The files that can be shown, by their ends, and how they begin; SVG begins in many ways."""

WIDTH = re.compile(r"\d*\.?\d*(\\(text|line|column)width|\\textheight| ?(mm|cm|in|pt|bp|em|ex))")
CONVERTER = "rsvg-convert"
CONVERTER_PACKAGE = "librsvg2-bin"
"""The program that converts SVG, and Debian's package of it."""
SECONDS = 60.0


def picture(project: Project, write: Callable[[Figure], str]) -> Callable[..., Formatted]:
    """Return the function `picture` of templates, which shows a file of the project."""
    from labreport.language import Figure, FormatError, Formatted, plain

    def picture(name: Any, alt: Any = None, width: Any = None) -> Formatted:
        name, alt, width = (plain(value) for value in (name, alt, width))
        _check_file(project, name)
        if not isinstance(alt, str) or not alt.strip():
            what = f"picture({name!r}) has no alternative text"
            raise FormatError(what, cure='say what it shows: alt="The light passes two lenses"')
        if width is not None and not (isinstance(width, str) and WIDTH.fullmatch(width)):
            what = f"picture({name!r}) cannot be {width!r} wide"
            raise FormatError(what, cure=r'write width="8cm", or width="0.5\\textwidth"')
        shown = Figure("", name, _published_as(name), " ".join(alt.split()), width)
        return Formatted.of(write(shown), name, shown)

    return picture


def _check_file(project: Project, name: Any) -> None:
    """Raise FormatError unless a name is that of a file of the project which can be shown."""
    from labreport.language import FormatError

    if not isinstance(name, str):
        raise FormatError(f"picture({name!r}) names no file", cure='picture("data/setup.png", alt="…")')
    path, end = PurePosixPath(name), PurePosixPath(name).suffix.lower()
    if not path.parts or path.is_absolute() or ".." in path.parts or str(path) != name:
        what = f"picture({name!r}) leads out of the project, or is no plain path"
        raise FormatError(what, cure="name a file by its path in the project, with / between folders")
    if path.parts[0] == "build":
        cure = r"of a figure that an experiment drew, print \VAR{experiment.figures.name|figure}"
        raise FormatError(f"picture({name!r}) is a file that labreport has made", cure=cure)
    if end not in KINDS:
        cure = f"save it as one of {', '.join(KINDS)}"
        raise FormatError(f"picture({name!r}) is of a form that cannot be shown", cure=cure)
    if any((project.root / each).is_symlink() for each in (path, *path.parents[:-1])):
        what = f"picture({name!r}) is a symbolic link, or lies behind one"
        raise FormatError(what, cure="copy the file itself into the project")
    if not (project.root / path).is_file():
        raise FormatError(f"there is no file {name!r}", cure=did_you_mean(name, _known(project)))
    if re.fullmatch(r"[A-Za-z0-9_./-]+", name) is None:
        cure = "use only letters without accents, digits, _, - and . in the names of file and folders"
        raise FormatError(f"TeX cannot read picture({name!r}) by this name", cure=cure)
    with (project.root / path).open("rb") as file:
        if not file.read(16).startswith(KINDS[end]):
            cure = f"save it as {end[1:].upper()} again"
            raise FormatError(f"picture({name!r}) is not what its name says", cure=cure)


def _known(project: Project) -> list[str]:
    """Return the files of the project that could be shown."""
    hidden = (".", "build")
    top = [path for path in project.root.iterdir() if not path.name.startswith(hidden)]
    found = [*top, *(path for folder in top if folder.is_dir() for path in files_in(folder))]
    return sorted(path.relative_to(project.root).as_posix() for path in found if path.suffix.lower() in KINDS)


def _published_as(name: str) -> str:
    path = PurePosixPath(FOLDER, name)
    # graphicx would take .svg for a form that it does not know
    return str(path.with_name(f"{path.stem}-svg.pdf") if path.suffix.lower() == ".svg" else path)


def files(rendered: Rendered) -> set[str]:
    """Return the files of the project that a document shows, by their paths in it."""
    from labreport.language import Figure

    return {figure.name for _, figure in rendered.shown(Figure) if not figure.experiment}


def write(project: Project, figure: Figure, target: Path) -> None:
    """Write the file that a figure shows, as LaTeX takes it.

    Raises ToolError if an SVG cannot be converted: the program is missing, or it refuses the file.
    """
    source = project.root / figure.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix.lower() != ".svg":
        shutil.copyfile(source, target)
        return
    if shutil.which(CONVERTER) is None:
        what = f"{figure.name} is converted by {CONVERTER}: not found on the PATH"
        raise ToolError(
            what, cure=f"on Debian or Ubuntu: apt-get install {CONVERTER_PACKAGE}; or save it as PDF"
        )
    try:
        done = wall.run(
            [CONVERTER, "--format=pdf", f"--output={target}", str(source)],
            enclosures.converter(source, target),
            seconds=SECONDS,
            env=surroundings.for_tex(target.parent),  # with the date that it writes into the PDF
        )
    except subprocess.TimeoutExpired as error:
        what = f"{figure.name} cannot be converted within {SECONDS:g} s"
        raise ToolError(what, cure="draw it more simply, or save it as PDF") from error
    if done.returncode != 0 or not target.is_file():
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ToolError(f"{figure.name} cannot be converted", notes=said[:3], cure="save it as PDF")
