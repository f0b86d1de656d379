"""What templates know: the results as boxes, report.toml, and the functions that show code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import results
from labreport.errors import InputError, Place

if TYPE_CHECKING:
    from labreport.documents.own_formats import OwnFormats
    from labreport.language import Formatted, Locale, Remember, Rendered
    from labreport.project import Project

RESERVED = ("report", "quick", "range", "column", "namespace", "excerpt", "picture", "source")
"""The names by which templates know something else than an experiment."""


def known(project: Project) -> dict[str, Any]:
    """Return a box for each experiment, `report` for report.toml, and `quick`.

    Raises
    ------
    InputError
        An experiment has a name that templates know something else by, or a result cannot be read.

    """
    from labreport.language import Box  # it brings Jinja2, which only rendering needs

    config = asdict(project.config)
    settings = {key: config[key] for key in ("title", "subtitle", "authors", "date", "questions")}
    experiments = {name: Box(_experiment(project, name), (name,)) for name in project.experiment_names()}
    return {**experiments, "report": Box(settings, ("report",)), "quick": project.quick}


def _experiment(project: Project, name: str) -> dict[str, Any]:
    """Return what templates know of an experiment."""
    if name in RESERVED:
        raise InputError(
            f"an experiment cannot be called {name!r}: templates know something else by this name",
            place=Place(project.shown(project.experiments / f"{name}.py")),
            cure="rename the file",
        )
    declared = results.variants.of(project, name)
    found = Variants({address: _result(project, variant) for address, variant in declared.items()})
    return {**_result(project, name), results.variants.KEYWORD: found}


class Variants(dict[str, Any]):
    """The variants of an experiment by their addresses, whose parameters may stand in any order."""

    KIND = "mapping"

    def canonical(self, index: Any) -> Any:
        """Return the address as it is declared."""
        return results.variants.canonical(index, self) if isinstance(index, str) else index


def _result(project: Project, name: str) -> dict[str, Any]:
    """Return what templates know of a result."""
    result = results.load(project, name)
    of = results.variants.root(project, name)
    # LaTeX gives some characters of the names of variants a meaning, and so do journals
    own = name if of == name else f"{result.experiment}.{results.files.checksum(name.encode())[:8]}"
    figures = {
        figure: {
            "experiment": name,
            "of": of,
            "name": figure,
            "file": f"figures/{own}-{figure}.pdf",
            "alt": stored.alt,
            "width_mm": stored.width_mm,
            "height_mm": stored.height_mm,
        }
        for figure, stored in result.figures.items()
    }
    tables = {table: result.rows(table) for table in result.tables}
    return {"params": result.params, "values": result.values, "tables": tables, "figures": figures}


def language(project: Project) -> Locale:
    """Return how the document writes numbers and dates; InputError if report.toml names no language."""
    from labreport.language import locale

    tag = project.config.locale
    try:
        return locale(tag)
    except ValueError as error:
        cure = 'write a tag that Unicode\'s CLDR knows: locale = "de", locale = "pt-BR"'
        raise InputError(f"locale: {error}", place=Place("report.toml"), cure=cure) from error


def own_formats(project: Project) -> OwnFormats:
    """Return the project's own filters and functions for templates."""
    from labreport.claims import PREDICATES
    from labreport.documents.own_formats import OwnFormats
    from labreport.language import FILTERS

    own = OwnFormats(project)
    own.check({*FILTERS, *RESERVED, *PREDICATES, *project.experiment_names()})
    return own


def judging(project: Project) -> dict[str, Any]:
    """Return the predicates of claims, the judge that decides them, and what finds the best of a table.

    In a quick build, whose numbers mean nothing yet, a verdict without a text stops nothing: the sentence is
    printed as it is written.
    """
    from labreport.claims import PREDICATES, best, judge

    decide = functools.partial(judge, lenient=project.quick)
    return {"predicates": PREDICATES, "judge": decide, "best": best}


@contextmanager
def kept(path: Path | None) -> Iterator[Remember]:
    """Give what keeps compiled templates, statistics and listings in a file; without one, keep nothing.

    What is kept changes nothing but the time that rendering takes: the key of a template is its source, that
    of a statistic its samples, that of a listing its code, and the file is believed only by the code and the
    versions that made it.
    """
    from labreport import claims, language, writing

    if path is None:
        yield language.afresh
        return
    # of all distributions: any may bring Pygments another lexer
    installed = results.versions.installed(sys.path)
    cache = results.Cache(path, (claims, language, writing), installed)
    complete = False
    try:
        with claims.kept_by(cache.remember):
            yield cache.remember
        complete = True
    finally:
        # a mistake in one template says nothing about those that were not reached
        cache.save(forget=complete)


def excerpt(
    project: Project, write: Callable[[Any], str], remember: Remember | None = None
) -> Callable[..., Formatted]:
    """Return the function `excerpt` of templates; the text that it returns remembers the code it shows."""
    from labreport.language import Formatted
    from labreport.writing import excerpts

    def written(shown: Any) -> str:
        if remember is None:
            return write(shown)
        key = f"listing {results.files.checksum(repr(shown).encode())}"
        return str(remember(key, lambda: write(shown)))

    def excerpt(
        name: str, since: str | None = None, context: int = excerpts.CONTEXT, **options: Any
    ) -> Formatted:
        new, *old = (excerpts.find(project, str(n), **options) for n in (name, since) if n is not None)
        shown = excerpts.difference(new, old[0], context) if old else new
        return Formatted.of(written(shown), name, shown)

    return excerpt


def code_files(rendered: Rendered) -> set[str]:
    """Return the files that excerpts were taken from or compared with, as messages show them."""
    from labreport.writing import Difference, Excerpt

    kinds: tuple[type[Excerpt | Difference], ...] = (Excerpt, Difference)
    return {file for kind in kinds for _, code in rendered.shown(kind) for file in code.files}
