"""Checks of figures and tables: their captions, labels and alternative texts, and how figures were drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from labreport import results
from labreport.checks.material import Found, Material, counted
from labreport.writing import Picture, plain

SMALLEST_TEXT = 7.0  # pt, as printed
CUT_VISIBLE = 0.2  # mm
FEWEST_DOTS = 150  # per inch, as printed


def captions(m: Material) -> Found:
    """Return the figures, tables and listings without a caption, and what stands outside of any."""
    places = [(m.where(f.start), f"a {f.kind} without a caption") for f in m.source.floats if not f.caption]
    loose = [(p.start, f"the picture {p.file} stands outside any figure") for p in m.pictures]
    for match in re.finditer(r"\\begin\{tabular[*x]?\}(.*?)\\end\{tabular", m.source.body, re.DOTALL):
        # a tabular without rules arranges something else, such as pictures
        if re.search(r"\\(?:toprule|hline|midrule)\b", match[1]):
            loose.append((match.start(), "a table stands in the text, without a caption"))
    places += [(m.where(at), what) for at, what in loose if m.source.float_at(at) is None]
    kinds = Counter(f.kind for f in m.source.floats)
    return Found(places, ", ".join(counted(n, kind) for kind, n in kinds.items()) or "nothing needs one")


def labels(m: Material) -> Found:
    """Return the floats without a label, and labels that precede the caption."""
    places = []
    for f in m.source.floats:
        if not f.labels:
            places.append((m.where(f.start), f"a {f.kind} without a label: {_first_words(f.caption)}"))
        for key in f.early:
            what = f"the label {key!r} stands before the caption: it names the section"
            places.append((m.where(f.start), what))
    return Found(places)


def mentions(m: Material) -> Found:
    """Return the floats that the text never refers to."""
    places = []
    for f in m.source.floats:
        # a caption that refers to its own figure leads nobody to it
        mentioned = {key for at, key in m.source.references if not f.start <= at < f.end}
        if f.labels and not mentioned & set(f.labels):
            places.append((m.where(f.start), f"the text never refers to the {f.kind} {f.labels[0]!r}"))
    return Found(places)


def _of_figures(m: Material, trouble: Callable[[Picture, results.Figure], Iterable[str]]) -> Found:
    """Return the troubles of all included figures that experiments have drawn."""
    places = []
    for picture in m.pictures:
        facts = m.facts.get(picture.file)
        if facts is not None:
            told = [facts] if isinstance(facts, str) else trouble(picture, facts)
            places += [(m.where(picture.start), f"{picture.file}: {what}") for what in told]
    others = [p.file for p in m.pictures if p.file not in m.facts]
    return Found(places, f"not measured, as no experiment drew it: {', '.join(others)}" if others else "")


def axes(m: Material) -> Found:
    """Return the axes that show numbers and do not say of what."""

    def trouble(_: Picture, figure: results.Figure) -> Iterable[str]:
        for number, axes in enumerate(figure.axes, 1):
            panel = f"panel {number}" + (f" ({axes.title})" if axes.title else "")
            panel = panel if len(figure.axes) > 1 else "it"
            yield from (f"{panel} shows numbers along {at} without saying of what" for at in axes.unnamed)

    return _of_figures(m, trouble)


def legends(m: Material) -> Found:
    """Return the figures with several series and no legend."""

    def trouble(_: Picture, figure: results.Figure) -> Iterable[str]:
        most = max((axes.series for axes in figure.axes if not axes.diagram), default=0)
        if most > 1 and not figure.legend:
            yield f"{most} series and no legend"

    return _of_figures(m, trouble)


def sizes(m: Material) -> Found:
    """Return the figures with text that is too small to read, and those that are scaled in a box."""
    widths: dict[str, list[float]] = {}
    for file, width in _PRINTED.findall(m.log):
        widths.setdefault(file, []).append(float(width) * MM_PER_PT)

    def trouble(picture: Picture, figure: results.Figure) -> Iterable[str]:
        is_scaled = re.search(r"\b(?:width|height|totalheight|scale)\s*=", picture.options) is not None
        printed = widths.get(picture.file, []) if is_scaled else [figure.width_mm]
        smallest = figure.smallest_text_pt
        scale = min(printed, default=0) / figure.width_mm if is_scaled else 1
        size = None if smallest is None else smallest * scale
        if size is not None and size < SMALLEST_TEXT and printed:
            yield f"text of {size:.3g} pt" + (" as it is scaled" if is_scaled else "")
        boxed = any(start < picture.start < end for start, end in m.source.scaled)
        if boxed or not printed:
            yield "it is scaled, so that its text has another size than it was drawn with"

    return _of_figures(m, trouble)


_PRINTED = re.compile(r"^labreport: figure (\S+) ([\d.]+)pt$", re.MULTILINE)
MM_PER_PT = 25.4 / 72.27


def edges(m: Material) -> Found:
    """Return the figures that are cut off at their edge."""

    def trouble(_: Picture, figure: results.Figure) -> Iterable[str]:
        if figure.cut_mm > CUT_VISIBLE:
            yield f"{figure.cut_mm:g} mm are cut off at its edge"

    return _of_figures(m, trouble)


def characters(m: Material) -> Found:
    """Return the figures in which characters are missing, because their fonts do not have them."""

    def trouble(_: Picture, figure: results.Figure) -> Iterable[str]:
        if figure.unshown:
            yield f"no font of it has {', '.join(f'{c} (U+{ord(c):04X})' for c in figure.unshown)}"

    return _of_figures(m, trouble)


def resolutions(m: Material) -> Found:
    """Return the pictures of dots that are printed so large that the dots can be seen."""
    places = [
        (f"page {image.page}", f"{image.width} × {image.height} dots are {image.dpi:.0f} per inch as printed")
        for image in m.pdf.images
        if image.dpi < FEWEST_DOTS
    ]
    return Found(places)


def alternatives(m: Material) -> Found:
    """Return the pictures whose alternative text is missing, or repeats another text."""
    places = []
    seen: dict[str, str] = {}
    for picture in m.pictures:
        around = m.source.float_at(picture.start)
        words = _bare(picture.alt or "")
        if not words:
            what = "no alternative text"
        elif around is not None and words == _bare(plain(around.caption or "")):
            what = "its alternative text repeats the caption"
        elif words in seen and seen[words] != picture.file:  # the same picture may be shown twice
            what = f"its alternative text is that of {seen[words]}"
        else:
            seen[words] = picture.file
            continue
        places.append((m.where(picture.start), f"{picture.file}: {what}"))
    return Found(places)


def _bare(text: str) -> str:
    """Return the letters and digits of a text."""
    return "".join(c for c in text.lower() if c.isalnum())


def _first_words(text: str | None, most: int = 60) -> str:
    words = plain(text or "")
    return f"“{words}”" if len(words) <= most else f"“{words[:most].rpartition(' ')[0]} …”"
