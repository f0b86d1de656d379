r"""Templates of LaTeX or Markdown: the Jinja2 environment over boxes.

`\VAR{...}` prints a value, `\BLOCK{...}` is a statement, a line that begins with `%#` is a comment. Results
reach templates as boxes (see `values`), so each printed value carries the keys it was made from; the marks of
`spans` stand around it, also in captured blocks, macros, loops and includes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.environment import TemplateModule
from jinja2.lexer import TokenStream
from jinja2.runtime import BlockReference, LoopContext, Macro, Undefined
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace
from markupsafe import Markup

from labreport.errors import InputError, Place
from labreport.language.arguments import FormatError, short
from labreport.language.bounds import Bounds, check_number, check_text
from labreport.language.compiled import Compiled, Remember, afresh, identity
from labreport.language.compiler import Generator
from labreport.language.deadlines import deadline
from labreport.language.filters import (
    Formatted,
    as_text,
    comparable,
    filters,
    function,
    named,
    neutral,
    numbers,
    operand,
    origin,
    own_function,
    predicate,
    tests,
    without_private,
)
from labreport.language.formats import Figure
from labreport.language.missing import Missing, defined
from labreport.language.mistakes import explained, locate, unknown_function
from labreport.language.parser import Parser
from labreport.language.source import PRINTING, SYNTAX, read
from labreport.language.spans import PRIVATE, Marks, Piece, Rendered, Site, is_marked, without_marks
from labreport.language.statements import Judge, Regions, Statements
from labreport.language.tabulating import Best, Tables
from labreport.language.target import Target
from labreport.language.values import Box, Keys, box, compare, keys, kind, plain


class Environment(SandboxedEnvironment):
    """The template language over boxes; one environment renders one document."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])
    intercepted_unops = frozenset(["+", "-"])
    code_generator_class = Generator

    def __init__(
        self,
        folder: Path,
        target: Target,
        questions: Iterable[str] = (),
        functions: Mapping[str, Callable[..., Any]] | None = None,
        predicates: Mapping[str, Callable[..., Any]] | None = None,
        remember: Remember = afresh,
        own: Mapping[str, Callable[..., Any]] | None = None,
        best: Best | None = None,
    ) -> None:
        super().__init__(
            **SYNTAX,
            autoescape=True,  # captured text is `Markup`; the escaping itself happens in `print_value`
            optimized=False,  # Jinja would fold constants, which then never reach `print_value`
            undefined=Missing,
            loader=jinja2.FunctionLoader(self._load),
            extensions=[Statements],
        )
        self.bounds = Bounds()
        self.concat = self.bounds.joined  # type: ignore[method-assign]
        self.folder = folder.resolve()
        self.questions = tuple(questions)
        self.target = target
        self.sources: dict[str, str] = {}
        self.files: set[Path] = set()
        self.tokens: list[tuple[int, str, str]] = []
        self.sites: dict[str, Sequence[Site]] = {}
        self.current: Site | None = None
        self.names: dict[str, set[str]] = {}
        self.remember = remember
        tables = Tables(self, best)
        self.marks = Marks()
        self.statements = Regions(self)
        methods = (
            ("figure", self._figure),
            ("join", self._join),
            ("table", tables.table),
        )
        self.filters = filters(self.filters, target) | {name: named(f"|{name}", f) for name, f in methods}
        self.tests = cast("Any", tests(cast("Any", self.tests)))
        self.globals = {"range": numbers, "column": named("column", tables.column), "namespace": Namespace}
        self.globals |= {n: function(n, f) for n, f in (functions or {}).items()}
        self.predicates = {n: predicate(n, f) for n, f in (predicates or {}).items()}
        self.globals |= self.predicates
        for name, made in (own or {}).items():
            self.filters[name] = self.globals[name] = own_function(name, made)

    # ------------------------------------------------------------------------------------------- compiling

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder):
            raise InputError(
                f"the template {name!r} lies outside {self.folder.name}", cure="copy it into that folder"
            )
        if not path.is_file():
            return None
        try:
            source = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = path.read_bytes()[: error.start].count(b"\n") + 1
            place = Place(f"{self.folder.name}/{name}", line)
            raise InputError("the template is not UTF-8", place=place, cure="save it as UTF-8") from error
        if PRIVATE.search(name):
            raise InputError(f"the template's name {name!r} has a private character", cure="rename the file")
        self.files.add(path)
        self.sources[name] = source
        return source, str(path), lambda: True  # up to date: an environment lives for one rendering

    def compile(  # type: ignore[override]
        self, source: str, name: str | None = None, filename: str | None = None, **options: bool
    ) -> CodeType:
        """Return the code of a template, compiled or as it was kept; its places and names are then known."""
        template, known = str(name), (self.filters, self.tests, self.predicates)

        def make() -> dict[str, Any]:
            code = super(Environment, self).compile(source, name, filename)
            return Compiled(code, self.sites[template], self.names[template]).plain()

        key = identity(source, str(filename), known)
        found = Compiled.parse(template, self.remember(key, make))
        self.sites[template] = found.sites
        self.names[template] = set(found.names)
        return found.code

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        """Return the tokens of the source that was just read; it is not read twice."""
        return TokenStream(self.lexer.wrap(self.tokens, name, filename), name, filename)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Return the syntax tree; each piece of text and each printed expression knows its place."""
        template = name or ""
        found, self.tokens = read(source, f"{self.folder.name}/{template}", self.lexer)
        tags = [part for part in found if part.kind != "text"]
        number_of = {part.offset: number for number, part in enumerate(tags)}
        self.names[template] = set()
        self.sites[template] = [Site(template, part.offset, part.source) for part in tags]
        tree = Parser(self, source, name, filename).parse()
        printing = (part for part in found if part.kind != "statement" or part.name in PRINTING)
        for node, part in zip(self._printing(tree, template), printing, strict=True):
            if isinstance(node, nodes.TemplateData):
                text = part.source.lstrip() if getattr(node, "is_first", False) else part.source
                mark = self.marks.typed(template, part.offset + len(part.source) - len(text))
                node.data = mark + (text.rstrip() if getattr(node, "is_last", False) else text)
            else:
                node.site = number_of[part.offset]  # type: ignore[attr-defined]
        return tree

    def _printing(self, tree: nodes.Template, template: str) -> Iterator[nodes.Expr]:
        """Give what a template prints, in its order; refuse functions that do not exist, note given names."""
        for node in tree.find_all((nodes.Output, nodes.Filter, nodes.Test, nodes.Name, nodes.Macro)):
            if isinstance(node, nodes.Output):
                yield from node.nodes
            elif isinstance(node, nodes.Filter | nodes.Test):
                self._check_function(node, template)
            elif isinstance(node, nodes.Name | nodes.Macro) and getattr(node, "ctx", "") != "load":
                self.names[template].add(node.name)

    def _check_function(self, node: nodes.Filter | nodes.Test, template: str) -> None:
        """Raise InputError for a filter or test that does not exist, also where it would not be reached."""
        is_filter = isinstance(node, nodes.Filter)
        if node.name not in (self.filters if is_filter else self.tests):
            error = unknown_function(self, "filter" if is_filter else "test", node.name)
            error.place = locate(self, template, node.lineno, node.name)
            raise error

    # ------------------------------------------------------------------------------------------- operators

    defined = staticmethod(defined)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an arithmetic operator on plain values, with the joined keys."""
        a, b = operand(operator, left), operand(operator, right)
        check_number(operator, a, b)
        try:
            return box(super().call_binop(context, operator, a, b), keys(left, right))
        except (ArithmeticError, TypeError) as error:
            raise FormatError(f"{a!r} {operator} {b!r} cannot be computed: {error}") from error

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
        """Return the result of a sign on the plain value, with its keys."""
        return box(super().call_unop(context, operator, operand(operator, arg)), keys(arg))

    def compare(self, operators: tuple[str, ...], first: Any, *rest: Any) -> Any:
        """Return the truth of a chain of comparisons, with the joined keys."""
        for value in (first, *rest):
            comparable(value)
        try:
            return compare(first, *zip(operators, rest, strict=True))
        except TypeError as error:
            raise FormatError(f"these values cannot be compared: {error}") from error

    def negate(self, value: Any) -> Any:
        """Return the negated truth, with the keys."""
        return box(not value, keys(value))

    def slice(self, *bounds: Any) -> slice:
        """Return a slice with plain bounds."""
        return slice(*plain(bounds))

    def concatenate(self, *parts: Any) -> Any:
        """Return texts side by side (`~`): formatted as soon as one part is, the others escaped then."""
        values = [plain(defined(part)) for part in parts]
        for value in values:
            if not isinstance(value, str | int) or isinstance(value, bool):
                what = f"~ joins texts, not the {kind(value)} {short(value)}"
                raise FormatError(what, cure="format it first: (x|num) ~ …")
        if any(isinstance(value, Markup) for value in values):
            return self.side_by_side(parts, "")
        check_text(sum(len(str(value)) for value in values))
        return box("".join(map(str, values)), keys(*parts))

    def _join(self, values: Any, separator: Any = "") -> Any:
        """Return values side by side, as they print, with a separator between them."""
        return self.side_by_side(list(values), separator)

    def side_by_side(self, parts: Iterable[Any], separator: Any) -> Any:
        """Return values as one text; if one holds marks of its own, then each keeps its keys for itself."""
        parts = list(parts)
        texts = [self._text(part) for part in parts]
        between = self._text(separator) if separator != "" else ""
        check_text(sum(map(len, texts)) + len(between) * len(texts))
        if is_marked(between) or any(map(is_marked, texts)):
            marked = [self.marked(t, plain(p), keys(p)) for t, p in zip(texts, parts, strict=True)]
            return Markup((between and self.marked(between, separator, keys(separator))).join(marked))
        bare = [plain(part) for part in parts]
        joined = Formatted.of(between.join(texts), [*map(origin, bare)], [*map(neutral, bare)])
        return box(joined, keys(separator, *parts))

    # ---------------------------------------------------------------------------------------- items and calls

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an item of a value: a template's dot means a key, never an attribute or a method."""
        if isinstance(obj, Namespace | LoopContext | Undefined):
            return super().getattr(obj, attribute)
        if isinstance(obj, TemplateModule):
            macros = {name: value for name, value in vars(obj).items() if not name.startswith("_")}
            hint = f"the imported template has no macro {attribute!r}"
            return macros.get(attribute, self.undefined(hint, obj=macros, name=attribute))
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item of a box, list or mapping; undefined with a hint if there is none."""
        value, name = plain(defined(obj)), plain(argument)
        try:
            if isinstance(obj, Box):
                return obj.child(name)
            if isinstance(obj, dict | list | tuple | str):
                return obj[name]
        except (LookupError, TypeError):
            pass
        shown = " or ".join(sorted(obj.keys)) if isinstance(obj, Box) else f"this {kind(value)}"
        if isinstance(value, dict):
            hint = f"{shown} has no key {name!r}"
        elif isinstance(value, list | tuple):
            hint = f"{shown} has {len(value)} items, none at {name!r}"
        else:
            hint = f"{shown} is a {kind(value)} and has no {name!r}" if isinstance(obj, Box) else ""
            hint = hint or f"a {kind(value)} has no {name!r}"
        return self.undefined(hint, obj=value, name=str(name))

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, or one of the functions that templates have; nothing else can be called."""
        defined(__obj)
        function = getattr(__obj, "__self__", __obj)  # loop.cycle and loop.changed are methods of the loop
        if isinstance(function, Macro | LoopContext | BlockReference):
            __self.bounds.step()
            return super().call(__context, __obj, *args, **kwargs)
        if any(__obj is known for known in __self.globals.values()):
            # Jinja adds _loop_vars and _block_vars where a function is called in a loop or a block
            kwargs = {name: value for name, value in kwargs.items() if not name.startswith("_")}
            return __obj(*args, **kwargs)
        for name in keys(__obj) & __self.predicates.keys():
            cure = f"call {name}(…) inside of \\BLOCK{{claim …}}, or rename the experiment"
            raise FormatError(f"{name} is an experiment here, which hides the function", cure=cure)
        raise FormatError(
            "values have no functions that a template could call", cure="use a filter: value|name"
        )

    # -------------------------------------------------------------------------------------------- printing

    def enter(self, template: str, number: int) -> Site:
        """Return an expression's place and keep it, for an error that may arise in it."""
        self.current = self.sites[template][number]
        return self.current

    def print_value(self, site: Site, value: Any) -> str:
        """Return the text that a value prints as, between marks that carry its site and keys."""
        bare = plain(value)
        text = self._text(value) if type(bare) is not str else self._name(bare, site) or self._text(value)
        return self.marked(text, bare, keys(value), site)

    def _name(self, value: str, site: Site) -> str | None:
        """Return a text as it is where a command takes a name: nothing is escaped there; elsewhere None."""
        command = self.target.takes_name(self.sources[site.template][: site.offset])
        if command is None:
            return None
        if not _IN_NAMES.fullmatch(value):
            what = f"{command} takes a name, and {short(value)} has other characters than letters and digits"
            raise FormatError(what, cure=rf"make a label of it: \VAR{{{site.expression.strip()}|label}}")
        return value

    def _text(self, value: Any) -> str:
        """Return a value in the target's language; text that is not formatted is escaped."""
        return as_text(plain(value), self.target)

    def marked(self, text: str, value: Any, joined: Keys, site: Site | None = None) -> str:
        """Return a text between marks: as a value, unless it is text of a template or holds values itself."""
        if is_marked(text) or (type(value) is Markup and not joined):
            return self.marks.composed(text, site)
        return self.marks.value(text, origin(value), joined, site, neutral(value))

    def typed(self, value: Any) -> Any:
        """Return a text given to a format: as it is if it was typed in the template, else as it prints."""
        if value is None or type(value) is str:
            return value and without_private(value)
        return self.marked(self._text(value), plain(value), keys(value))

    def _figure(self, value: Any, width: Any = None) -> Any:
        """Return a figure of a result with its alternative text."""
        entry = plain(defined(value))
        if not isinstance(value, Box) or not isinstance(entry, dict) or not {"file", "alt"} <= set(entry):
            what = "|figure prints a figure of a result"
            cure = r'\VAR{experiment.figures.name|figure}; a file: \VAR{picture("data/setup.png", alt="…")}'
            raise FormatError(what, cure=cure)
        typed = self.typed(width)
        # a printed width is part of the figure, not a value of its own: its keys join those of the figure
        inside = typed and without_marks(typed)
        given = (entry["experiment"], entry["name"], entry["file"], entry["alt"])
        shown = Figure(*given, inside, entry.get("of", ""))
        return box(Formatted.of(self.target.write(shown), shown.file, shown), keys(value, width))


_IN_NAMES = re.compile(r"[A-Za-z0-9 :;,./+*_-]*")

# ------------------------------------------------------------------------------------------------- rendering


def render(
    folder: Path,
    template: str,
    values: Mapping[str, Any],
    target: Target,
    *,
    questions: Iterable[str] = (),
    functions: Mapping[str, Callable[..., Any]] | None = None,
    predicates: Mapping[str, Callable[..., Any]] | None = None,
    judge: Judge | None = None,
    remember: Remember = afresh,
    own: Mapping[str, Callable[..., Any]] | None = None,
    best: Best | None = None,
) -> Rendered:
    """Return a template of the folder in the target's language, rendered with the values and functions.

    Claims are stated with the predicates, and decided by the judge. Compiled templates are plain data that
    `remember` may keep. `own` are functions of plain values that templates may call, as filters too.

    Raises
    ------
    InputError
        A template, name, key or format is wrong; the error carries the template's line. Or what the judge
        raises.

    """
    environment = Environment(folder, target, questions, functions, predicates, remember, own, best)
    try:
        with deadline():
            raw = environment.get_template(template).render(**values)
    except Exception as error:
        given = (name for names in environment.names.values() for name in names)
        told = explained(error, environment, (*values, *environment.globals, *given), values)
        if told is error:
            raise
        raise told from error
    decoded = environment.statements.decided(raw, judge)
    regions = tuple(region for _, region in decoded.regions)
    answered = {region.value for region in regions if region.kind == "answer"}
    return Rendered(
        text=decoded.text,
        # an empty template has a place, too
        pieces=decoded.pieces or (Piece(0, template, 0, None),),
        printed=decoded.printed,
        regions=regions,
        # what was captured, or is the text of another verdict, answers nothing
        answers=tuple(answer for answer in environment.statements.answers if answer[0] in answered),
        files=frozenset(environment.files),
        sources=dict(environment.sources),
        folder=environment.folder.name,
    )
