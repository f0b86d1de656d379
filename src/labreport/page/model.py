"""What the page tells, as one plain value: the pages' texts, the things on them, where these come from.

It is a function of what the last build left: nothing of time, place, user or machine is in it, and equal
builds give equal models.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from labreport import explain, page
from labreport.explain import Definitions, Origins, Record, located
from labreport.page import behind, changes, experiments, figures, keys, pages
from labreport.page.code import Code, cache
from labreport.page.things import Places, Plain, Things
from labreport.results import RESULT, Cache, files, variants

if TYPE_CHECKING:
    from labreport.page.texts import Texts
    from labreport.project import Project


def model(project: Project, record: Record, places: Places, texts: Texts) -> Plain:
    """Return what the page tells of the documents of the last build.

    `places` are the boxes of things by their ids, `texts` what stands on the pages of the PDF.

    Raises InputError if the record of a build is damaged.
    """
    told = _Told(project)
    shown = pages.told(texts)
    things = [told.thing(thing) for thing in Things(record, places, shown).in_order()]
    asked = sorted({key for thing in things for key in thing.get("keys", ())})
    results = keys.results(project)
    known = keys.known(asked, results)
    uses = {name: ran.results for name, ran in told.ran.items()}
    digests = {name: files.digest(project.results / name / RESULT) for name in results}
    # of what a page tells, the samples take longest to find; they follow from keys and results alone
    found = behind.Found(
        **told.kept.remember(
            files.checksum(json.dumps(["samples", asked, uses, digests]).encode()),
            lambda: behind.find(known, results, uses).plain(),
        )
    )
    plain = {
        "title": project.config.title or project.pdf.name,
        "command": experiments.command(project),
        "quick": project.quick,
        "pages": shown,
        "outline": pages.outline(texts),
        "things": things,
        "keys": keys.told(asked, known, found.of_key, told.names),
        "samples": found.samples,
        "experiments": told.experiments(),
        "code": told.code.plain(),
        "data": told.data,
        "changes": changes.told(project, record),
        "notes": _notes(project, record, told.data),
    }
    told.cache.save()
    told.kept.save()
    return plain


class _Told:
    """Adds to things what is known of them beside the record, and collects the code and data of all."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.names = variants.names(project)
        self.cache = cache(project)
        self.kept = Cache(project.cache / "page" / "model.json", (page, explain))
        definitions = Definitions(project, self.cache.remember)
        origins = Origins(project, definitions)
        self.code = Code(project, definitions, self.cache)
        self.ran = {name: origins.of(name) for name in self.names}
        self.drawn = {name: origins.of(name, "draw") for name in self.names}
        self.answers = {answer.question: answer for answer in located(project)}
        self.figures = figures.drawn(project)
        self.data: Plain = {}

    def experiments(self) -> Plain:
        """Return where the result of each experiment comes from, by name."""
        return {
            name: experiments.told(self.project, self.ran[name], self.drawn[name], self.code)
            for name in self.names
        }

    def thing(self, thing: Plain) -> Plain:
        """Return a thing with what stands behind it."""
        if thing["kind"] == "figure":
            return thing | self._figure(thing)
        if thing["kind"] == "excerpt":
            return thing | self._excerpt(thing)
        if thing["kind"] == "answer":
            return thing | self._answer(thing["question"])
        return thing

    def _figure(self, thing: Plain) -> Plain:
        """Return what a figure shows, in words and numbers, and the code that drew it."""
        figure, drawn = self.figures.get(thing["key"]), self.drawn.get(thing["experiment"])
        key = thing["key"].replace(".figures.", ".", 1)
        if figure is not None and figure.data is not None and key not in self.data:
            self.data[key] = self.kept.remember(
                f"data {files.digest(figure.data)}", partial(figures.table, figure.data)
            )
        return {
            "alt": figure.alt if figure else "",
            "data": key if key in self.data else None,
            "explore": figure.explore if figure else None,
            "code": self.code.add(drawn.code) if drawn else [],
        }

    def _excerpt(self, thing: Plain) -> Plain:
        """Return the code that an excerpt shows: its key if it is a definition, else its lines."""
        code = self.code.find(f"{thing['source']}:{thing['name'].partition(':')[2]}")
        if code is not None:
            return {"code": code}
        return {"code": None, "lines": self.code.lines(thing["source"], thing["first"], thing["last"])}

    def _answer(self, question: str) -> Plain:
        """Return which experiments and which code the answer to a question is about."""
        found = self.answers.get(question)
        return {
            "experiments": list(found.experiments) if found else [],
            "code": [self.code.named(name) or name for name in found.code] if found else [],
            "cells": [list(cell) for cell in found.cells] if found else [],
        }


def _notes(project: Project, record: Record, data: Plain) -> list[str]:
    """Return what a reader should know of the whole."""
    quick = "This is a quick build: its numbers come from small parameters, and are not those of the report."
    notes = [quick] if project.quick else []
    notes += [f"The notebook {name} has not been made." for name in record.missing]
    return notes + [
        f"Of the data of {name} the page holds the first {len(table['rows']):,} of {table['total']:,} rows."
        for name, table in data.items()
        if len(table["rows"]) < table["total"]
    ]
