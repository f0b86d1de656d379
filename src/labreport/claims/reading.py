"""A rendered text as it is read: its sentences and paragraphs, with the values that are printed in them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from labreport.language import Date, Numeric, Printed, Rendered
from labreport.writing import REFERENCE, VALUE, Prose, plain, read_latex

MOST_BEFORE, MOST_AFTER = 6, 6  # words of a sentence that are shown around a part of it
MOST_CHARACTERS = 400  # in which these are looked for

SETTINGS = "report"
"""The first step of keys that name settings, such as the title, and not results."""


def experiment_of(key: str) -> str:
    """Return the experiment that a key begins with."""
    return key.partition(".")[0].partition("[")[0]


def read(rendered: Rendered, names: Collection[str] = ()) -> Reading:
    """Return rendered LaTeX as it is read; `names` are commands whose arguments are parts of a name."""
    return Reading(rendered, read_latex(rendered.text, _hidden(rendered), names))


def _hidden(rendered: Rendered) -> Iterator[tuple[int, int]]:
    """Yield where the values of results stand, and all else that is no text of the author's, such as code."""
    for printed in rendered.printed:
        # what an expression prints from no result is a literal: typed, only in another place
        is_literal = not printed.keys and isinstance(printed.formatted, Numeric | Date | str | None)
        if not is_literal or "loop." in printed.site.expression:
            yield from _values_of(printed, rendered.text)


def _values_of(printed: Printed, text: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of a printed text outside the literals that its expression joins to values by `~`."""
    start = printed.start
    expression = printed.site.expression
    if isinstance(printed.formatted, list) and ("~" in expression or "join" in expression):
        for words in _DIGITS.findall(" ".join(_LITERAL.findall(expression))):
            at = text.find(words, start, printed.end)
            if at >= 0:
                yield start, at
                start = at + len(words)
    yield start, printed.end


_LITERAL = re.compile(r"\"[^\"]*\"|'[^']*'")
_DIGITS = re.compile(r"(?:[^\W_]| )*\d(?:[^\W_]| )*")  # with the words beside it: nothing that is escaped


class Reading:
    """The paragraphs and sentences of a text, found at an offset."""

    def __init__(self, rendered: Rendered, prose: Prose) -> None:
        self.rendered, self.prose = rendered, prose

    @cached_property
    def _paragraphs(self) -> list[int]:
        source = self.prose.source
        ends = {m.end() for pattern in (_PARAGRAPH, _HEADING) for m in pattern.finditer(source)}
        return [0, *sorted(ends), len(source)]

    @cached_property
    def _blocks(self) -> list[int]:
        return [0, *(m.end() for m in _BLOCK.finditer(self.prose.source)), len(self.prose.source)]

    @cached_property
    def _sections(self) -> list[int]:
        return [0, *(m.start() for m in _HEADING.finditer(self.prose.source)), len(self.prose.source)]

    @cached_property
    def _sentences(self) -> list[int]:
        ends = {m.end() for m in _SENTENCE.finditer(self.prose.words)}
        return sorted(ends | set(self._paragraphs))

    @cached_property
    def _printed(self) -> list[int]:
        return [printed.start for printed in self.rendered.printed]

    def sentence(self, offset: int) -> tuple[int, int]:
        """Return where the sentence around an offset begins and ends."""
        return _between(self._sentences, offset)

    def paragraph(self, offset: int) -> tuple[int, int]:
        """Return where the paragraph around an offset begins and ends; an item or a caption is one, too."""
        return _between(self._paragraphs, offset)

    def section(self, offset: int) -> tuple[int, int]:
        """Return where the section around an offset begins and ends."""
        return _between(self._sections, offset)

    def around(self, start: int, end: int) -> str:
        """Return the words around a part of a sentence, with "…" in the place of each value."""
        first, last = self.sentence(start)
        first, last = max(first, start - MOST_CHARACTERS), min(last, end + MOST_CHARACTERS)
        before = self._plain(first, start).split()
        after = self._plain(end, max(end, last)).split()
        cut = ["…"] if len(before) > MOST_BEFORE else []
        shown = [*cut, *before[-MOST_BEFORE:], self._plain(start, end), *after[:MOST_AFTER]]
        joined = " ".join([*shown, "…"] if len(after) > MOST_AFTER else shown)
        return re.sub(r"\s+([.,;:!?)])(?!\d)|(\()\s+", r"\1\2", joined)

    def _plain(self, start: int, end: int) -> str:
        return plain(_UNSEEN.sub("", re.sub(f"{VALUE}+", "…", self.prose.source[start:end])))

    def printed(self, start: int, end: int) -> Sequence[Printed]:
        """Return the values that are printed in a part of the text."""
        first, last = bisect_left(self._printed, start), bisect_left(self._printed, end)
        return self.rendered.printed[first:last]

    def experiments(self, offset: int) -> tuple[str, ...]:
        """Return the experiments whose values are printed in the paragraph around an offset.

        Where it prints none, as a caption often does, those of all that stands between empty lines.
        """
        return self._experiments(*self.paragraph(offset)) or self._experiments(*self._block(offset))

    def shows_results(self, offset: int) -> bool:
        """Return whether a result is printed between the empty lines around an offset, such as a figure."""
        return bool(self._experiments(*self._block(offset)))

    def tells_results(self, start: int, end: int) -> bool:
        """Return whether a part of the text prints a result (no parameter is one), or refers to what does."""
        if any(_is_result(key) for printed in self.printed(start, end) for key in printed.keys):
            return True
        references = REFERENCE.finditer(self.prose.source, start, end)
        return any(label.strip() in self._telling for m in references for label in m[1].split(","))

    @cached_property
    def _telling(self) -> frozenset[str]:
        """The labels of floats that show results."""
        labels = ((m[1].strip(), self._block(m.start())) for m in _LABEL.finditer(self.prose.source))
        return frozenset(label for label, (start, end) in labels if self._is_telling_float(start, end))

    def _is_telling_float(self, start: int, end: int) -> bool:
        keys = (key for printed in self.printed(start, end) for key in printed.keys)
        return r"\caption" in self.prose.source[start:end] and any(map(_is_result, keys))

    def _block(self, offset: int) -> tuple[int, int]:
        return _between(self._blocks, offset)

    def _experiments(self, start: int, end: int) -> tuple[str, ...]:
        keys = (key for printed in self.printed(start, end) for key in printed.keys)
        return tuple(name for name in dict.fromkeys(map(experiment_of, keys)) if name != SETTINGS)


def _is_result(key: str) -> bool:
    return experiment_of(key) != SETTINGS and not key.startswith(f"{experiment_of(key)}.params")


_LABEL = re.compile(r"\\label\{([^{}]*)\}")
_UNSEEN = re.compile(r"\\(?:label|LRanswer)\{[^{}]*\}")
_BLOCK = re.compile(r"\n\s*\n")
_PARAGRAPH = re.compile(
    r"\n\s*\n|\\(?:paragraph|(?:sub)*section|item|caption)(?![a-zA-Z])|\\(?:begin|end)\{[^{}]*\}"
)
_HEADING = re.compile(r"\\(?:sub)*section\*?\{[^{}]*\}")
_SENTENCE = re.compile(r"[.!?:;]['\")}]*(?=\s)(?<!e\.g\.)(?<!i\.e\.)(?<!cf\.)(?<!vs\.)|[&]")


def _between(bounds: Sequence[int], offset: int) -> tuple[int, int]:
    after = bisect_left(bounds, offset + 1)
    return bounds[max(after - 1, 0)], bounds[min(after, len(bounds) - 1)]
