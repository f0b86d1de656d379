"""`labreport diff`: which two reports are compared, and what is made of the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.documents import report
from labreport.errors import InputError, UsageError
from labreport.events import brief
from labreport.explain import differences, latexdiff, others, pictures
from labreport.explain.comparison import Changes, compare
from labreport.explain.snapshot import Snapshot, before, published

if TYPE_CHECKING:
    from labreport.project import Project


@dataclass(frozen=True)
class Compared:
    """What changed in a document, a PNG of each changed figure by its key, the PDF with marks."""

    document: str
    changes: Changes
    pictures: Mapping[str, Path]
    pdf: Path | None


def compared(
    project: Project,
    other: str | None,
    make: others.Make,
    *,
    stale: Sequence[str] = (),
    marked: bool = False,
) -> Compared:
    """Return what changed in the report since `other`: a revision, a folder, a zip, or the published report.

    The experiments `stale` are named as those whose results are out of date, and compared as they are.
    Figures that changed are drawn into the folder of comparisons, whose earlier content goes; with `marked`
    the PDF with the changes marked, too. `make` runs the experiments of a revision.

    Raises
    ------
    UsageError
        There is nothing to compare with.
    ToolError
        A program is missing.
    LabreportError
        One of the reports cannot be rendered.

    """
    if marked:
        latexdiff.check_tool()
    with others.scratch(project) as folder:
        old, new = _two(project, other, folder, make)
        if stale:
            new = replace(new, name=f"{new.name} (results out of date: {brief(stale, ', ')})")
        changes = compare(old, new)
        drawn = _draw(project, changes, old, new)
        (folder / "marked").mkdir()
        pdf = latexdiff.make(old, new, folder / "marked", project.diff) if marked else None
    return Compared(project.job, changes, drawn, pdf)


def _two(project: Project, other: str | None, folder: Path, make: others.Make) -> tuple[Snapshot, Snapshot]:
    """Return the old and the new report."""
    last = published(project)
    # of a report without a record of what stands behind it, a rendering from the same results knows more
    is_current = last is not None and "background" in last.record and not report.out_of_date(project)
    if last is None or not is_current:
        now = others.rendered(project, "the report as results and templates are now", folder / "now")
    else:
        now = last
    if other is not None:
        (folder / "other").mkdir()
        return others.find(project, other, folder / "other", make), now
    old = before(project) if is_current else last
    if old is None:
        raise _nothing_before(project, is_published=is_current)
    return old, now


def _nothing_before(project: Project, *, is_published: bool) -> UsageError:
    if not is_published:
        what = "there is nothing to compare with: no report was published yet"
        return UsageError(what, cure=f"make it: `{project.command()}`")
    example = f" or a revision: `{project.command('diff', 'HEAD')}`" if others.is_in_git(project) else ""
    return UsageError(
        "there is nothing to compare with: only one report was published yet",
        cure=f"name a folder or a zip{example}",
    )


def _draw(project: Project, changes: Changes, old: Snapshot, new: Snapshot) -> dict[str, Path]:
    """Draw the figures that changed side by side, and return the files by the figures' keys."""
    for path in project.diff.glob("*.png"):
        path.unlink()
    drawn = {}
    for figure in changes.figures:
        was = old.picture(figure.old_file) if figure.old_file else None
        now = new.picture(figure.new_file) if figure.new_file else None
        if was is not None and now is not None:
            drawn[figure.key] = project.diff / f"{now.stem}.png"
            pictures.side_by_side(was, now, drawn[figure.key])
    return drawn


def since(project: Project, *, is_new: bool | None) -> str | None:
    """Return in one line what changed in the report that was just published; None if there was none before.

    `is_new` says whether it differs from the one whose place it took.
    """
    if is_new is None:
        return None
    try:
        now = published(project)
        old = before(project) if is_new else now
    except InputError:
        return None  # of another version of labreport, or damaged
    return differences.summary(compare(old, now)) if old is not None and now is not None else None


def last_changes(project: Project) -> Changes | None:
    """Return what changed from the report that was published before to the published one.

    None if there was none before, or one of them is of another version of labreport, or damaged.
    """
    try:
        old, now = before(project), published(project)
    except InputError:
        return None
    return compare(old, now) if old is not None and now is not None else None
