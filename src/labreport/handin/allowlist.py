"""What goes into the zip of a hand-in: an allow-list decides, and what it leaves out is named."""

from __future__ import annotations

import re
from pathlib import Path

from labreport import results
from labreport.config import CONFIG
from labreport.documents import notebooks, report
from labreport.errors import InputError, Place, raise_all
from labreport.handin import standalone
from labreport.handin.contents import README, Contents, PackError, matches, walk
from labreport.handin.names import bad_names
from labreport.project import ACCEPTED, Project
from labreport.results import Sources, strict_json

FOLDERS = ("experiments", "report_templates", "src", "tests")
PATTERNS = (
    "experiments/**/*.py",
    "experiments/**/*.yaml",
    "experiments/**/*.mplstyle",
    "report_templates/**/*",
    "src/**/*.py",
    "src/**/*.sty",
    "src/**/*.toml",
    "src/**/py.typed",
    "src/labreport/handin/main/*",
    "src/labreport/manual/assets/*",
    "src/labreport/manual/assets/*",
    "src/labreport/new/*/**/*",
    "src/labreport/page/assets/**/*",
    "tests/**/*.py",
)
SINGLE = (CONFIG, ACCEPTED, "README.md", "LICENSE", "build/README.md")

CIRCUMSTANCES = ("started", "finished", "seconds", "python", "jobs", "revision")
"""What run.json records of time and place."""


def collect(project: Project) -> Contents:
    """Return what goes into the zip, from the project and, where it lacks it, the engine.

    What is made from these files for the hand-in (see `pack`) is not among them.

    Raises
    ------
    PackError, InputError, SeveralErrors
        For the reasons that `pack` lists.

    """
    contents, sources = Contents(), Sources(project)
    _add_sources(contents, project, sources)
    _add_named(contents, project, sources)
    _add_included(contents, project)
    standalone.add_engine(contents, project)
    for name in project.experiment_names():
        contents.questions[name] = sources.declaration(name).question
    for name in results.variants.names(project):
        _add_result(contents, project, name)
    _note_foreign_results(contents, project)
    _add_notebooks(contents, project)
    raise_all([*contents.refused, *bad_names(contents.data)])
    contents.left_out = [name for name in contents.left_out if name not in contents.data]
    return contents


def _add_sources(contents: Contents, project: Project, sources: Sources) -> None:
    """Add what the folders of sources hold, but for what `exclude` names; the author knows of that."""
    excluded = project.config.submission.get("exclude", [])
    gone: dict[str, list[str]] = {pattern: [] for pattern in excluded}
    for path in (path for folder in FOLDERS for path in walk(project.root / folder)):
        name = _relative(project, path)
        if found := [pattern for pattern in excluded if matches(name, (pattern,))]:
            for pattern in found:
                gone[pattern].append(name)
        elif matches(name, PATTERNS) or path.is_symlink() or not path.is_file():
            contents.add_file(name, path, name)
        else:
            contents.left_out.append(name)
    needed = _needed(project, sources) if excluded else set()
    unpacked = (project.root / README).is_file()  # in a hand-in nothing is left to leave out
    for pattern, names in gone.items():
        lost = [name for name in names if name in needed]
        what = f"exclude of {CONFIG} names {pattern!r}, which matches no file in {', '.join(FOLDERS)}"
        if lost:
            more = f" and {len(lost) - 1} more" if lost[1:] else ""
            what = f"exclude of {CONFIG} leaves out what is needed to make the hand-in: {lost[0]}{more}"
        if lost or not (names or unpacked):
            cure = "correct the pattern, or take it out"
            contents.refused.append(InputError(what, place=_setting(project, pattern), cure=cure))


def _shown(project: Project) -> set[str]:
    """Return the files that the report and the notebooks were made from, also those whose text they show."""
    made = [report.made_from(project), *(notebooks.made_from(project, n) for n in notebooks.names(project))]
    return {name for names in made for name in names}


def _needed(project: Project, sources: Sources) -> set[str]:
    """Return the files without which nothing in the zip can be made again."""
    modules = {
        module
        for name in project.experiment_names()
        for phase in ("run", *(("draw",) if sources.declaration(name).has_draw else ()))
        for module in (project.experiments / f"{name}.py", *sources.imported_by(name, phase))
    }
    return _shown(project) | {project.shown(path) for path in (*modules, *walk(project.templates))}


def _add_named(contents: Contents, project: Project, sources: Sources) -> None:
    """Add single files of the project, what its experiments declare to read or have read, and shown files."""
    names = project.experiment_names()
    declared = [name for each in names for name in sources.declaration(each).reads]
    shown = [name for name in sorted(_shown(project)) if not name.startswith(("build/", "/"))]
    for name in (*SINGLE, *standalone.MAIN, *declared, *_seen(project), *shown):
        path = project.root / name
        if name.startswith("../"):
            contents.left_out.append(name)
        elif path.is_symlink() or path.is_file():
            contents.add_file(_relative(project, path), path, name)


def _seen(project: Project) -> list[str]:
    """Return the files that experiments were seen to read: without them no result in the zip is fresh."""
    found: set[str] = set()
    for name in results.variants.names(project):
        for record in (results.recorded_run(project, name), results.recorded_drawing(project, name)):
            if not isinstance(record, str):
                found |= record.fingerprint.named("file").keys()
    return sorted(found)


def _add_included(contents: Contents, project: Project) -> None:
    for pattern in project.config.submission.get("include", []):
        place = _setting(project, pattern)
        if not _is_usable(pattern):
            cure = "name visible files below the project's folder, with / between folders, outside build/"
            raise InputError(f"include of {CONFIG} cannot hold {pattern!r}", place=place, cure=cure)
        # only the folders that the pattern spells out are walked: a project may hold gigabytes
        fixed = re.split(r"[*?]", pattern, maxsplit=1)[0].rpartition("/")[0]
        start = project.root / fixed
        names = [_relative(project, path) for path in walk(start)]
        found = [n for n in names if matches(n, (pattern,)) and not n.startswith("build/")]
        if not found:
            what = f"include of {CONFIG} names {pattern!r}, which matches no file"
            raise InputError(what, place=place, cure="correct the pattern, or take it out")
        for name in found:
            contents.add_file(name, project.root / name, name)


def _relative(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix()


def _is_usable(pattern: str) -> bool:
    steps = pattern.split("/")
    return "\\" not in pattern and steps[0] != "build" and all(s and not s.startswith(".") for s in steps)


def _setting(project: Project, text: str) -> Place:
    """Return where report.toml has a text."""
    lines = (project.root / CONFIG).read_text(encoding="utf-8-sig").splitlines()
    return next(
        (Place(CONFIG, n, source=line) for n, line in enumerate(lines, 1) if text in line), Place(CONFIG)
    )


def _add_result(contents: Contents, project: Project, name: str) -> None:
    """Add a result and its figures, with a record of the run that says nothing of time and place."""
    folder = project.results / name
    for required in (results.RESULT, results.RUN):
        if not (folder / required).is_file():
            cure = f"run `{project.command('run', name)}`"
            contents.refused.append(PackError(f"the result of {name!r} is missing", cure=cure))
            return
    for path in walk(folder):
        inside, shown = path.relative_to(folder).as_posix(), project.shown(path)
        figure = inside.startswith(f"{results.FIGURES}/")  # a drawing with a file too many is never used
        if path.name == results.TIMING:
            continue
        if figure or inside in (results.RESULT, results.RUN):
            contents.add_file(f"build/results/{name}/{inside}", path, shown)
        else:
            contents.left_out.append(shown)
    run = f"build/results/{name}/{results.RUN}"
    again = f"make it again: `{project.command('run', name)}`"
    if run in contents.data:  # two runs that found the same must give the same bytes
        contents.data[run] = timeless(contents.data[run], contents.shown[run], again)


def timeless(record: bytes, shown: str, cure: str) -> bytes:
    """Return the bytes of a run.json without the circumstances of the run."""
    return strict_json.with_nulls(record, CIRCUMSTANCES, shown, cure=cure)


def _note_foreign_results(contents: Contents, project: Project) -> None:
    """Note results of experiments that no longer exist."""
    if project.results.is_dir():
        foreign = {path.name for path in project.results.iterdir()} - set(results.variants.names(project))
        contents.left_out += [f"build/results/{n}" for n in sorted(foreign) if not n.startswith(".")]


def _add_notebooks(contents: Contents, project: Project) -> None:
    """Add the woven notebook of each template, at the top of the zip."""
    wanted = notebooks.names(project)
    for path in walk(project.notebooks):
        if path.suffix == ".ipynb" and path.stem in wanted:
            contents.add_file(f"notebooks/{path.name}", path, project.shown(path))
        else:
            contents.left_out.append(project.shown(path))
    for name in wanted:
        if f"notebooks/{name}.ipynb" not in contents.data:
            what = f"the notebook {name!r} has not been woven"
            contents.refused.append(PackError(what, cure=f"run `{project.command()}`"))
