r"""Statements that give a part of the text a meaning: answers, claims, typed digits, pins of paragraphs.

    \BLOCK{answer "3.2"} … \BLOCK{endanswer}
    \BLOCK{claim "name", predicate, family="…"} … \BLOCK{undecided} … \BLOCK{otherwise} … \BLOCK{endclaim}
    \BLOCK{typed "why these digits are no results"} … \BLOCK{endtyped}
    \BLOCK{about "package.module:name"}

The verdict of a claim may depend on the claims that follow it. So all its texts are rendered, and those for
other verdicts are cut out when all claims are known: see `Regions.decided`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from labreport.errors import InputError, Place, did_you_mean
from labreport.language.arguments import FormatError, short
from labreport.language.missing import defined
from labreport.language.spans import BRANCH, Around, Decoded, Marks, Site, place_in
from labreport.language.target import Target
from labreport.language.values import Keys, keys, kind, plain

VERDICTS = ("holds", "undecided", "fails")
"""What a claim can turn out to be."""

BRANCHES = {"undecided": "undecided", "otherwise": "fails"}
"""The verdict whose text follows each statement inside a claim."""


# ---------------------------------------------------------------------------------------------------- parsing


class Statements(Extension):
    """Parses the statements; what they print goes to the methods `begin_…` and `end` of the environment."""

    tags = {"answer", "claim", "typed", "about"}  # noqa: RUF012 - Jinja's own form

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return what a statement prints, and what stands between it and its end."""
        statement = next(parser.stream)
        if statement.value == "claim":
            return self._claim(parser, statement.lineno)
        is_bare = parser.stream.current.test("block_end")
        argument = nodes.Const(None) if is_bare else parser.parse_expression()
        if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
            parser.fail(f"{statement.value} takes {_TAKES[statement.value]}", statement.lineno)
        opened = _printed(f"begin_{statement.value}", argument, statement.lineno)
        if statement.value == "about":
            return [opened]
        body = parser.parse_statements((f"name:end{statement.value}",))
        return [opened, *body, _printed("end", nodes.Const(None), next(parser.stream).lineno)]

    def _claim(self, parser: Parser, line: int) -> list[nodes.Node]:
        is_bare = parser.stream.current.test("block_end")
        name = nodes.Const(None) if is_bare else parser.parse_expression()
        if is_bare or not parser.stream.skip_if("comma"):
            parser.fail('claim takes a name and a predicate: claim "name", below(a, b, "paired")', line)
        predicate = parser.parse_expression()
        family: nodes.Expr = nodes.Const(None)
        if parser.stream.skip_if("comma"):
            option = parser.stream.expect("name").value
            if option != "family":
                parser.fail(f'claim has no option {option!r}: its option is family="…"', line)
            parser.stream.expect("assign")
            family = parser.parse_expression()
        self._judge(predicate)
        parts: list[nodes.Node] = [_printed("begin_claim", nodes.List([name, predicate, family]), line)]
        left = ["undecided", "otherwise", "endclaim"]
        while left:
            parts += _stripped(parser.parse_statements(_ENDS))
            tag = next(parser.stream)
            if tag.value not in left:
                parser.fail(_WRONG_BRANCH[str(tag.value)], tag.lineno)
            left = left[left.index(str(tag.value)) + 1 :]
            end = tag.value == "endclaim"
            method = "end_claim" if end else "begin_branch"
            parts.append(_printed(method, nodes.Const(BRANCHES.get(str(tag.value))), tag.lineno))
        return parts

    def _judge(self, node: nodes.Node) -> None:
        """Make the comparisons and logical operators of an expression predicates, and name these as such."""
        known = getattr(self.environment, "predicates", {})
        if isinstance(node, nodes.Compare | nodes.And | nodes.Or | nodes.Not):
            node.judged = True  # type: ignore[union-attr]
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in known:
            node.node.predicate = True  # type: ignore[attr-defined]
        for child in node.iter_child_nodes():
            # the condition of `a if condition else b` chooses a value, now
            if not (isinstance(node, nodes.CondExpr) and child is node.test):
                self._judge(child)


_ENDS = ("name:undecided", "name:otherwise", "name:else", "name:endclaim")
_WRONG_BRANCH = {
    "undecided": "undecided stands once in a claim, before otherwise",
    "otherwise": "otherwise stands once in a claim",
    "else": "the text for when a claim fails begins with otherwise, not with else",
}

_STATEMENT = re.compile(r"\\BLOCK\{[^}\n]*\}")

_TAKES = {
    "answer": 'a question\'s number as text: answer "3.1"',
    "typed": 'the reason why the digits are no results, as text: typed "the question\'s constants"',
    "about": 'what the paragraph explains, as text: about "package.module:name"',
}


def _printed(method: str, argument: nodes.Expr, line: int) -> nodes.Output:
    argument.method = method  # type: ignore[attr-defined]
    argument.set_lineno(line)  # by which an error in it finds its line
    return nodes.Output([argument], lineno=line)


def _stripped(body: list[nodes.Node]) -> list[nodes.Node]:
    """Return the text of a branch, told to leave out the blanks that set it off in the template."""
    for node, end in ((body[0], "first"), (body[-1], "last")) if body else ():
        if isinstance(node, nodes.Output):
            text = node.nodes[0 if end == "first" else -1]
            setattr(text, f"is_{end}", True)
    return body


# -------------------------------------------------------------------------------------------------- rendering


@dataclass(frozen=True)
class Stated:
    """A claim as it is stated: its predicate on the data, and the texts that it has, by verdict.

    It may stand inside of another one's text. `within` tells, for each place where it stands, the texts
    around it: the other claim's number among those of the document, and the verdict that has it printed.
    """

    name: str
    family: str | None
    predicate: Any
    place: Place
    texts: Mapping[str, str]
    keys: Keys
    within: Sequence[Sequence[tuple[int, str]]] = ((),)


class Judged(Protocol):
    """What a judge says of a claim."""

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`."""


Judge = Callable[[Sequence[Stated]], Sequence[Judged]]
"""Decides all claims of a document together; raises InputError where a verdict has no text."""


class Reading(Protocol):
    """What the statements must know of the environment that renders them."""

    @property
    def folder(self) -> Path:
        """The folder of the templates."""

    @property
    def sources(self) -> Mapping[str, str]:
        """The texts of the templates that were read, by name."""

    @property
    def questions(self) -> Sequence[str]:
        """The questions that can be answered."""

    @property
    def target(self) -> Target:
        """The language that is rendered to."""

    @property
    def marks(self) -> Marks:
        """The marks of this rendering."""


class Regions:
    """What the statements of one rendering print: marks that open and close regions of its text."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.answers: list[tuple[str, Place]] = []
        self.claims: dict[int, Stated] = {}
        self.opened: list[int] = []

    @property
    def marks(self) -> Marks:
        """The marks of this rendering."""
        return self.reading.marks

    def begin_answer(self, site: Site, question: str) -> str:
        """Return the label of an answer, and the mark that opens it; record the answer."""
        if question not in self.reading.questions:
            what = f"report.toml lists no question {question!r}"
            cure = did_you_mean(question, self.reading.questions)
            raise FormatError(what, cure=cure, name=question)
        if any(question == known for known, _ in self.answers):
            what = f"question {question!r} is answered twice"
            raise FormatError(what, cure="keep one answer", name=question)
        self.answers.append((question, self._place(site, question)))
        label = self.marks.composed(str(self.reading.target.answer(question)), site)
        return self._line_end(site) + label + self.marks.open("answer", question, site)[1]

    def begin_typed(self, site: Site, reason: str) -> str:
        """Return the mark before typed digits that are no results."""
        if not reason.strip():
            raise FormatError("typed says why the digits are no results", cure='typed "the reason"')
        return self._line_end(site) + self.marks.open("typed", reason, site)[1]

    def begin_about(self, site: Site, target: str) -> str:
        """Return the marks of a paragraph that speaks of a target."""
        return self.marks.open("about", target, site)[1] + self.marks.close() + self._line_end(site)

    def end(self, site: Site, _: None) -> str:
        """Return the mark that closes an answer, or typed digits."""
        return self.marks.close() + self._line_end(site)

    def begin_claim(self, site: Site, stated: Sequence[Any]) -> str:
        """Return the marks that open a claim, given by its name, predicate and family, and its first text."""
        name, predicate, family = (plain(defined(value)) for value in stated)
        if not isinstance(name, str) or not name:
            raise FormatError(f"a claim is named by a text, not by the {kind(name)} {short(name)}")
        if family is not None and (not isinstance(family, str) or not family):
            raise FormatError(f"a family is named by a text, not by the {kind(family)} {short(family)}")
        number, mark = self.marks.open("claim", name, site)
        self.claims[number] = Stated(name, family, predicate, self._place(site), {}, keys(stated[1]))
        self.opened.append(number)
        # a blank before it separates words as well, and belongs to what stands around the claim
        separating = "" if self._before(site)[-1:].isspace() else self._line_end(site)
        return separating + mark + self._open_branch(site, "holds")

    def begin_branch(self, site: Site, verdict: str) -> str:
        """Return the marks between two texts of a claim."""
        return self.marks.close() + self._open_branch(site, verdict)

    def _open_branch(self, site: Site, verdict: str) -> str:
        return self.marks.open(BRANCH, verdict, site, self.opened[-1])[1]

    def end_claim(self, site: Site, _: None) -> str:
        """Return the marks that close a claim and its last text."""
        self.opened.pop()
        # also of a line of its own: the one before it went with the blanks around the text
        return self.marks.close() * 2 + self._line_end(site, always=True)

    def _line_end(self, site: Site, *, always: bool = False) -> str:
        """Return the end of the line that Jinja drops after a statement, unless that has a line of its own.

        Within a line, it separates words or paragraphs; after a line of its own, it would be a blank line.
        """
        source = self.reading.sources[site.template]
        after = source.index("}", site.end) + 1
        dropped = source[after : after + 1] == "\n" and source[after - 2] not in "-+"  # `-}` drops all blanks
        if not dropped or not (always or self._before(site).strip()):
            return ""
        return self.marks.typed(site.template, after) + "\n"

    def _before(self, site: Site) -> str:
        """Return what stands before a statement in its line, without other statements."""
        source = self.reading.sources[site.template]
        begin = source.rfind("\\BLOCK{", 0, site.offset)
        return _STATEMENT.sub("", source[source.rfind("\n", 0, begin) + 1 : begin])

    def _place(self, site: Site, word: str = "") -> Place:
        """Return the place of a word of a statement, else that of the statement's first line."""
        file = f"{self.reading.folder.name}/{site.template}"
        length = len(word or site.expression.split("\n")[0])
        offset = site.offset + max(site.expression.find(word), 0)
        return place_in(self.reading.sources[site.template], file, offset, length)

    def decided(self, raw: str, judge: Judge | None) -> Decoded:
        """Return marked text without its marks, with the text of each claim's verdict.

        Raises
        ------
        InputError
            There is a claim, and no judge; or what the judge raises.

        """
        decoded = self.marks.decode(raw)
        stated = self._with_texts(decoded, self.marks.branches(raw))
        if not stated:
            return decoded
        if judge is None:
            first = next(iter(stated.values()))
            raise InputError("nobody judges claims here", place=first.place)
        verdicts = dict(zip(stated, judge(list(stated.values())), strict=True))
        # a judge that lets a verdict without a text pass has the sentence printed as it is written
        shown = {n: j.verdict if j.verdict in stated[n].texts else "holds" for n, j in verdicts.items()}
        chosen = self.marks.decode(self.marks.choose(raw, shown))
        regions = [
            (n, replace(r, verdict=verdicts[n], said=shown[n] == verdicts[n].verdict) if n in verdicts else r)
            for n, r in chosen.regions
            if r.kind != BRANCH
        ]
        return replace(chosen, regions=tuple(regions))

    def _with_texts(self, decoded: Decoded, around: Mapping[int, Around]) -> dict[int, Stated]:
        """Return the claims that are part of the text, in its order, each with its texts and those around."""
        texts: dict[int, dict[str, str]] = {n: {} for n, r in decoded.regions if r.kind == "claim"}
        for number, region in decoded.regions:
            if region.kind == BRANCH:
                text = decoded.text[region.start : region.end]
                texts[self.marks.claim_of(number)].setdefault(region.value, text)
        order = {number: index for index, number in enumerate(texts)}
        within = {n: [[(order[c], v) for c, v in place] for place in around[n]] for n in texts}
        return {n: replace(self.claims[n], texts=found, within=within[n]) for n, found in texts.items()}
