"""Checks of the report as a whole: its answers, references and links, its fonts and its metadata."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from labreport import writing
from labreport.checks.material import Found, Material, counted
from labreport.documents import accepted, report
from labreport.language import label

OVERFLOW = 1.0  # pt that a line may stick out


def answers(m: Material) -> Found:
    """Return the questions that the PDF has no answer to."""
    pages = {q: m.pdf.destinations.get(label("answer:" + q)) for q in m.project.config.questions}
    missing = [q for q, page in pages.items() if page is None]
    texts = m.project.config.questions
    note = ", ".join(f"{q} on page {page}" for q, page in pages.items() if page is not None)
    lacking = [("report.toml", f"question {q} has no answer: {texts[q]}") for q in missing]
    return Found(note=note, lacking=lacking)


def pages(m: Material) -> Found:
    """Return whether the main text, or the appendix, of the main document has too many pages."""
    is_main = m.project.job == m.project.documents[0].job
    whole, limits = len(m.pdf.pages), m.project.config.pages if is_main else {}
    main = min(found, whole) if (found := _pages_before_appendix(m.log)) is not None else whole
    parts = {"main": ("main text", main), "appendix": ("appendix", whole - main)}
    places = [
        (m.project.shown(m.project.pdf), f"{part} of {counted(number, 'page')}, {number - most} too many")
        for key, most in limits.items()
        for part, number in [parts[key]]
        if number > most
    ]
    of = {
        key: f"{number} of {limits[key]}" if key in limits else str(number)
        for key, (_, number) in parts.items()
    }
    unit = "page" if of["main"] == "1" else "pages"
    rest = f" main text, {of['appendix']} appendix" if main < whole else ""
    return Found(places, f"{of['main']} {unit}{rest}")


def _pages_before_appendix(log: str) -> int | None:
    r"""Return the number of pages with main text, as TeX's log tells; None for a text without `\appendix`."""
    found = _APPENDIX.search(log)
    return int(found[1]) + bool(found[2]) if found else None


_APPENDIX = re.compile(r"^labreport: appendix after page (\d+)( and a part of the next)?$", re.MULTILINE)


def authors(m: Material) -> Found:
    """Return where authors should be named, if none is."""
    authors = m.project.config.authors
    missing = [("report.toml", "`authors` is empty")] if not any(a.strip() for a in authors) else []
    return Found(missing, ", ".join(authors))


def quick(m: Material) -> Found:
    """Return the report, if its build is a quick one."""
    shown = m.project.shown(m.project.pdf)
    return Found([(shown, "its numbers come from short trial runs")] if m.project.quick else [])


def dates(m: Material) -> Found:
    r"""Return where \today stands: it prints the same day for ever, so that equal inputs give equal bytes."""
    today = re.finditer(r"^(?:[^%\n]|\\%)*?(\\today)(?![a-zA-Z@])", m.document.text, re.MULTILINE)
    return Found(
        [(m.where(found.start(1)), r"\today prints 1 January 2025 in each build") for found in today]
    )


def fresh(m: Material) -> Found:
    """Return the results that are out of date, and why the report is."""
    stale = [
        (f"experiments/{name}.py", f"its result is out of date: {'; '.join(reasons)}")
        for name, reasons in m.stale.items()
    ]
    shown = m.project.shown(m.project.pdf)
    return Found([*stale, *((shown, reason) for reason in report.out_of_date(m.project))])


def paragraphs(m: Material) -> Found:
    """Return the paragraphs that were not read since the code or the results that they are about changed."""
    return Found([(waits.pin.place, waits.why) for waits in accepted.unread(m.project)])


def metadata(m: Material) -> Found:
    """Return what the PDF does not say of itself."""
    wanted = ["Title", "Subject"] + (["Author"] if m.project.config.authors else [])
    shown = m.project.shown(m.project.pdf)
    return Found([(shown, f"{key} is empty") for key in wanted if not m.pdf.metadata.get(key, "").strip()])


def characters(m: Material) -> Found:
    """Return the values of which no font can show a character."""
    return Found([(m.where(at), what) for at, what in m.document.unshown(m.log)])


def fonts(m: Material) -> Found:
    """Return the fonts that are shapes instead of letters, or not in the PDF."""
    places = []
    for font in m.pdf.fonts:
        if font.kind == "Type3":
            places.append((f"page {font.page}", f"the font {font.name} is of Type 3: shapes, not letters"))
        elif not font.embedded:
            places.append((f"page {font.page}", f"the font {font.name} is not embedded"))
    return Found(places, f"{counted(len(m.pdf.fonts), 'font')}, all embedded")


def extraction(m: Material) -> Found:
    """Return the pages without text, and those with characters that mean nothing."""
    places = []
    for number, page in enumerate(m.pdf.pages, 1):
        lost = _LOST.search(page)
        if not page.strip() and number not in m.pdf.blank:  # a class leaves pages empty before its chapters
            places.append((f"page {number}", "no text can be extracted from it"))
        elif lost:
            near = page[max(0, lost.start() - 20) : lost.end() + 10]
            places.append((f"page {number}", f"a character has no meaning: {near!r}"))
    return Found(places)


# what a reader gets for a glyph without a meaning: its number, control or private characters, the replacement
_LOST = re.compile(r"\(cid:\d+\)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")


def links(m: Material) -> Found:
    """Return the links that lead nowhere, and the malformed addresses."""
    places = [
        (m.place_of(p), p.message)
        for p in m.problems
        if "has been referenced but does not exist" in p.message
    ]
    for link in m.pdf.links:
        if link.kind == "GoTo":
            wrong = "" if link.target in m.pdf.destinations else "leads to no place in the document"
        elif link.kind == "URI":
            wrong = _trouble_with(link.target)
        elif link.kind == "Named":  # to the next page and the like, as on slides
            wrong = ""
        else:
            wrong = f"is not an address: it asks the reader's program to {link.kind}"
        if wrong:
            places.append((f"page {link.page}", f"the link to {link.target!r} {wrong}"))
    return Found(places, counted(len(m.pdf.links), "link"))


def _trouble_with(address: str) -> str:
    """Return what is wrong with an address; empty if it is well formed."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        return f"is malformed: {error}"
    if parts.scheme == "mailto":
        return "" if "@" in parts.path else "is malformed: no @"
    if parts.scheme not in ("http", "https"):
        return "does not begin with https://"
    if "." not in host or not all(host.split(".")):
        return "is malformed: no host"
    return "is malformed: blanks or backslashes" if re.search(r"[\s\\<>{}\"]", address) else ""


def undefined(m: Material) -> Found:
    """Return the references and citations that TeX does not know, and labels given twice."""
    kinds = ("undefined-reference", "undefined-citation", "duplicate-label", "unsettled")
    given = [c.arguments[0] for c in m.source.commands("label")]
    places = [
        (m.place_of(p), p.message)
        for p in m.problems
        # a label that the sources do not give twice is one that a class gives itself: the build tells
        if p.kind in kinds and not (p.kind == "duplicate-label" and given.count(str(p.key)) < 2)
    ]
    labels = set(given)
    labels |= {label("answer:" + question) for question, _ in m.document.rendered.answers}
    unknown = [(at, key) for at, key in m.source.references if key not in labels]
    return Found([*places, *((m.where(at), f"no label {key!r}") for at, key in unknown)])


def overfull(m: Material) -> Found:
    """Return what sticks out of its line or page."""
    wide = [p for p in m.problems if p.kind == "overfull" and (p.points is None or p.points > OVERFLOW)]
    return Found([(m.place_of(p), p.message) for p in wide])


def citations(m: Material) -> Found:
    """Return citations without an entry, and entries that are never cited."""
    cited = {key for _, key in m.source.citations}
    listed: dict[str, str] = {}
    for command in m.source.commands("bibliography"):
        for name in command.arguments[0].split(","):
            file = f"{name.strip().removesuffix('.bib')}.bib"
            # the copy that BibTeX read, which may be older than the templates
            for offset, key in writing.entries(bib := m.read(file)):
                listed[key] = (
                    f"{m.project.shown(m.project.templates)}/{file}:{bib.count(chr(10), 0, offset) + 1}"
                )
    listed |= {c.arguments[0]: m.where(c.start) for c in m.source.commands("bibitem")}
    unknown = [(m.where(at), f"no entry {key!r}") for at, key in m.source.citations if key not in listed]
    unused = [(place, f"{key!r} is never cited") for key, place in listed.items() if key not in cited]
    note = f"{len(listed)} {'entry' if len(listed) == 1 else 'entries'}, all cited"
    return Found(unknown, note, lacking=unused)
