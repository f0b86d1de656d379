"""What a build needs of the machine: programs, packages of LaTeX and Python, a folder to write into."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labreport import documents, lock, wall
from labreport.modules import is_own, source_files

if TYPE_CHECKING:
    from labreport.project import Project

SPACE = 500 * 1024 * 1024
"""The bytes that should be free in the build folder."""

ANSWER = 5.0
"""Seconds that a program has to tell its version."""

STYLE = "labreport.sty"
_ALSO = {
    "pdftocairo": ("poppler-utils", "without it build/report.html shows its pages as pictures of dots"),
    "pdftotext": ("poppler-utils", "the checks read the text of the PDF more slowly"),
    "latexdiff": ("latexdiff", "`labreport diff --pdf` needs it"),
}
"""Programs that a build can do without: the Debian package, and what is lost."""
_OUTLINES = "lmr10.pfb"
"""The font of most documents, as outlines."""
_LOADED = re.compile(
    r"^[^%\n]*?\\(documentclass|usepackage|RequirePackage|LR@need)\s*(?:\[[^\]]*\])?\s*\{([^}]*)\}",
    re.MULTILINE,
)

_BIBER = re.compile(
    r"^[^%\n]*\\usepackage\s*(?:\[(?![^\]]*backend=bibtex)[^\]]*\])?\s*\{biblatex\}", re.MULTILINE
)


@dataclass(frozen=True)
class Finding:
    """Something that was looked at: how it is, and the cure if it is not as it must be.

    What is not `needed` fails nothing.
    """

    what: str
    told: str
    cure: str = ""
    needed: bool = True

    @property
    def fails(self) -> bool:
        """Whether a build would fail of it."""
        return bool(self.cure) and self.needed


def examine(project: Project | None) -> Iterator[Finding]:
    """Yield what was found on this machine, and of what a project needs of it, if there is one."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(f"Python {version}", sys.executable)
    texts = _texts(project)
    yield from (_program(name, package) for name, package in _programs(project, texts).items())
    yield from (_other(name, *told) for name, told in _ALSO.items())
    yield _walls()
    if shutil.which("kpsewhich"):
        yield from _latex(texts, {path.name for path in project.templates.rglob("*")} if project else set())
    if project is not None:
        yield from _modules(project)
        yield _folder(project)


# ------------------------------------------------------------------------------------------------ programs


def _programs(project: Project | None, texts: Mapping[str, str]) -> dict[str, str]:
    """Return the programs that the documents are made by, each with Debian's packages."""
    own = [text for shown, text in texts.items() if shown != STYLE]
    found = {documents.engines.recognised(text) for text in own} - {documents.engines.PDFLATEX}
    chosen = documents.engines.ENGINES.get(project.config.engine) if project is not None else None
    tools = dict.fromkeys(documents.latexmk.TOOLS, documents.DEBIAN_PACKAGES)
    for engine in [chosen] if chosen else found or [documents.engines.PDFLATEX]:
        tools[engine.name] = engine.package
    return tools | ({"biber": "biber"} if any(map(_BIBER.search, own)) else {})


def _program(name: str, package: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        return Finding(name, "the PDF needs it", f"on Debian or Ubuntu: apt-get install {package}")
    return Finding(name, _version(path))


def _other(name: str, package: str, lost: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        return Finding(name, lost, f"on Debian or Ubuntu: apt-get install {package}", needed=False)
    return Finding(name, _version(path))


def _walls() -> Finding:
    if version := wall.version():
        told = f"TeX and notebooks are kept from files that are not theirs (version {version})"
        return Finding("Landlock", told)
    cure = "use a kernel of Linux 5.13 or later, with landlock among its security modules"
    return Finding("Landlock", wall.NONE, cure, needed=False)


def _version(path: str) -> str:
    """Return the version that a program tells of itself, or else where it lies."""
    for option in ("--version", "-v"):
        try:
            done = subprocess.run([path, option], capture_output=True, text=True, timeout=ANSWER, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return path
        if found := re.search(r"\bv?(\d+(?:\.\d+)+\w*)", done.stdout + done.stderr):
            return found[1]
    return path


# --------------------------------------------------------------------------------------- packages of LaTeX


def _texts(project: Project | None) -> dict[str, str]:
    """Return the sources of LaTeX that a document is made from, by the names that messages call them."""
    found = {STYLE: Path(documents.__file__).with_name(STYLE)}
    if project is not None:
        for path in sorted(project.templates.rglob("*")):
            if path.suffix in (".sty", ".cls", ".tex") or path.name.endswith(".tex.j2"):
                found[project.shown(path)] = path
    return {shown: path.read_text(encoding="utf-8", errors="replace") for shown, path in found.items()}


def _latex(texts: Mapping[str, str], own: Container[str]) -> Iterator[Finding]:
    """Yield the packages and classes that LaTeX lacks; if it lacks none, how many were looked for."""
    asked = [(file, shown) for shown, text in texts.items() for file in _loaded(text)]
    wanted = {file: shown for file, shown in reversed(asked) if file not in own and file not in texts}
    lacking = _lacking([*wanted, _OUTLINES])
    for file in sorted(lacking):
        where = wanted.get(file, "most documents")
        yield Finding(file, f"LaTeX lacks it; {where} needs it", _installing_latex(file))
    if not lacking:
        yield Finding("LaTeX packages", f"all {len(wanted)} that are asked for, and outlines of the fonts")


def _installing_latex(file: str) -> str:
    package = documents.latexmk.PACKAGE_OF.get(file, "texlive-latex-extra")
    package = "lmodern" if file == _OUTLINES else package
    return f"on Debian or Ubuntu: apt-get install {package}; else: tlmgr install {Path(file).stem}"


def _loaded(source: str) -> list[str]:
    """Return the files of the classes and packages that a source loads; not those that a value names."""
    files = []
    for command, names in _LOADED.findall(source):
        ending = ".cls" if command == "documentclass" else ".sty"
        files += [
            f"{name.strip()}{ending}" for name in names.split(",") if re.fullmatch(r"\s*[\w-]+\s*", name)
        ]
    return files


def _lacking(files: list[str]) -> set[str]:
    done = subprocess.run(["kpsewhich", *files], capture_output=True, text=True, timeout=60, check=False)
    return set(files) - {Path(line).name for line in done.stdout.splitlines()}


# --------------------------------------------------------------------------------------------- the project


def _modules(project: Project) -> Iterator[Finding]:
    """Yield the packages that the project's code imports and Python lacks; if there are none, all of them."""
    imported: dict[str, str] = {}
    for path in source_files(project):
        if not path.is_relative_to(project.root):
            continue  # beside labreport's own sources
        for name in _imports(path):
            imported.setdefault(name, project.shown(path))
    foreign = {n: where for n, where in imported.items() if n not in sys.stdlib_module_names}
    foreign = {name: where for name, where in sorted(foreign.items()) if not is_own(project, name)}
    missing = {name: where for name, where in foreign.items() if importlib.util.find_spec(name) is None}
    for name, where in missing.items():
        yield Finding(name, f"Python lacks it; {where} imports it", _installing(name))
    if not missing:
        yield Finding("Python packages", f"all that the project imports: {', '.join(foreign) or 'none'}")


def _imports(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # which a build tells with its place
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _installing(name: str) -> str:
    return f"{shlex.quote(sys.executable)} -m pip install {name} (or by the name that it is published under)"


def _folder(project: Project) -> Finding:
    """Return whether a build could write: rights, space, and no other build that is at work."""
    there = next(path for path in (project.build, *project.build.parents) if path.exists())
    shown = project.shown(project.build)
    if not os.access(there, os.W_OK):
        return Finding(shown, "nothing can be written there", f"chmod u+w {shlex.quote(str(there))}")
    free = shutil.disk_usage(there).free
    if free < SPACE:
        return Finding(shown, f"only {free // 1024**2} MiB are free", "free some space")
    if owner := lock.owner(project.lock):
        told = f"another build is at work there: {owner}"
        return Finding(shown, told, "wait until it has ended", needed=False)
    return Finding(shown, f"can be written; {free / 1024**3:.1f} GiB are free")
