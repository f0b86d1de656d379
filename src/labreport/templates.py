r"""LaTeX templates: the Jinja2 environment over boxes.

`\VAR{...}` prints a value, `\BLOCK{...}` is a statement, a line that begins with `%#` is a comment. Results
reach templates as boxes (see `values`), so each printed value carries the keys it was made from; the marks of
`spans` stand around it, also in captured blocks, macros, loops and includes.
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, cast

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateAssertionError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace, missing

from labreport import latex
from labreport.errors import InputError, LabreportError, Place, did_you_mean
from labreport.latex import Column, FormatError, Latex, Number
from labreport.spans import DATA, END, STOP, VALUE, Piece, Rendered, Site, decode, place_in
from labreport.values import Box, Keys, box, compare, keys, kind, lift, plain

# ---------------------------------------------------------------------------------------------- the language


class _UnknownName(jinja2.UndefinedError):
    """A name or key that does not exist, with the names that do."""

    def __init__(self, message: str | None, name: str = "", names: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.names = tuple(names)


class _Missing(jinja2.StrictUndefined):
    """An unknown name; using it in any way but `is defined` and `|default` is an error."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: Any = None,
    ) -> None:
        del exc
        names = tuple(map(str, obj)) if isinstance(obj, dict) else ()
        super().__init__(
            hint, obj, name, cast("Any", lambda message: _UnknownName(message, name or "", names))
        )


class _Generator(CodeGenerator):
    """Compiles so that comparisons, `not`, `~` and printing pass through the environment."""

    environment: Environment

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.concatenate((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        self.write("environment.compare(")
        self.visit(node.expr, frame)
        for operand in node.ops:
            self.write(f", ({operand.op!r}, ")
            self.visit(operand.expr, frame)
            self.write(")")
        self.write(")")

    def visit_Not(self, node: nodes.UnaryExpr, frame: Frame) -> None:
        self.write("environment.negate(")
        self.visit(node.node, frame)
        self.write(")")

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        chunk = getattr(node, "chunk", None)
        mark = "" if chunk is None else f"{DATA}{chunk}{STOP}"
        return mark + node.data

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write(f"environment.print_value({node.site}, ")  # type: ignore[attr-defined]

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write(")")


class _Answer(Extension):
    r"""`\BLOCK{answer "3.2"}` … `\BLOCK{endanswer}`: the answer to a question that report.toml lists."""

    tags = {"answer"}  # noqa: RUF012 - Jinja's own form

    def parse(self, parser: Parser) -> list[nodes.Node]:
        token = next(parser.stream)
        question = parser.parse_expression()
        if not isinstance(question, nodes.Const) or not isinstance(question.value, str):
            parser.fail('answer takes a question\'s number as text: answer "3.1"', token.lineno)
        label = cast("Environment", self.environment).answer(question.value, parser.name or "", token.lineno)
        begin = nodes.TemplateData(label)
        body = parser.parse_statements(("name:endanswer",), drop_needle=True)
        return [nodes.Output([begin], lineno=token.lineno), *body]


NATIVE_FILTERS: tuple[str, ...] = (
    "first",
    "last",
    "list",
    "sort",
    "unique",
    "min",
    "max",
    "select",
    "reject",
)
NATIVE_FILTERS += ("selectattr", "rejectattr", "map", "reverse", "batch", "slice", "default")
LIFTED_FILTERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "round": lambda value, digits=0: round(value, digits) if digits else float(round(value)),
    "int": int,
    "float": float,
    "sum": lambda values, start=0: sum(values, start),
    "length": len,
    "count": len,
    "items": lambda mapping: list(mapping.items()),
    "upper": lambda value: value.upper(),
    "lower": lambda value: value.lower(),
    "title": lambda value: value.title(),
    "capitalize": lambda value: value.capitalize(),
    "replace": lambda value, old, new: value.replace(old, new),
    "trim": lambda value: value.strip(),
}


class Environment(SandboxedEnvironment):
    """The template language over boxes; one environment renders one document."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])
    intercepted_unops = frozenset(["+", "-"])
    code_generator_class = _Generator

    def __init__(self, folder: Path, questions: Iterable[str] = ()) -> None:
        super().__init__(
            block_start_string=r"\BLOCK{",
            block_end_string="}",
            variable_start_string=r"\VAR{",
            variable_end_string="}",
            comment_start_string="\ue0f0",
            comment_end_string="\ue0f1",
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=True,  # captured text is `Latex`; the escaping itself happens in `print_value`
            optimized=False,
            undefined=_Missing,
            loader=jinja2.FunctionLoader(self._load),
            extensions=[_Answer],
        )
        self.folder = folder.resolve()
        self.questions = tuple(questions)
        self.sources: dict[str, str] = {}
        self.files: set[Path] = set()
        self.sites: list[Site] = []
        self.chunks: list[tuple[str, int]] = []
        self.records: list[tuple[Site | None, Any, Keys]] = []
        self.answers: list[tuple[str, Place]] = []
        self.figures: set[tuple[str, str]] = set()
        self.functions: set[Callable[..., Any]] = {range, latex.column}
        native = {name: self.filters[name] for name in NATIVE_FILTERS}
        lifted = {name: lift(_refuse_latex(name, f)) for name, f in LIFTED_FILTERS.items()}
        formats = {name: self._format_filter(name) for name in latex.FORMATS}
        own = {"join": self._join, "table": self._table, "figure": self._figure, "items": _items}
        self.filters = {**native, **lifted, **formats, **own}
        self.tests = {
            n: f if n in ("defined", "undefined") else lift(cast("Any", f))
            for n, f in self.tests.items()
            if n not in _TESTS_OUT
        }
        self.globals = {"range": range, "column": latex.column, "namespace": Namespace}
        self.functions.add(Namespace)

    # ------------------------------------------------------------------------------------------- compiling

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder) or not path.is_file():
            return None
        shown = f"{self.folder.name}/{name}"
        try:
            source = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = path.read_bytes()[: error.start].count(b"\n") + 1
            raise InputError(
                "the template is not UTF-8", place=Place(shown, line), cure="save it as UTF-8"
            ) from error
        self.files.add(path)
        self.sources[name] = source
        for match in re.finditer(r"[\ue000-\uf8ff]", source):
            raise InputError(
                f"the template contains U+{ord(match[0]):04X}, which has no meaning outside one program",
                place=place_in(source, shown, match.start()),
                cure="remove the character",
            )
        return source, str(path), lambda: True

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        """Return the source with comment lines (`%#`) as empty LaTeX comments, so that lines keep places."""
        return re.sub(r"(?m)^([ \t]*)%#.*$", lambda m: m[1] + "%" + " " * (len(m[0]) - len(m[1]) - 1), source)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Return the syntax tree; each piece of text and each printed expression knows its place."""
        tree = Parser(self, source, name, filename).parse()
        for refused in tree.find_all((nodes.FilterBlock, nodes.AssignBlock, nodes.EvalContextModifier)):
            if not isinstance(refused, nodes.AssignBlock) or refused.filter is not None:
                raise jinja2.TemplateSyntaxError(
                    "filters apply to values where they are printed, not to blocks",
                    refused.lineno,
                    name,
                    filename,
                )
        template = name or "<text>"
        outputs = (child for output in tree.find_all(nodes.Output) for child in output.nodes)
        own = [n for n in outputs if not (isinstance(n, nodes.TemplateData) and n.data.startswith(_ANSWER))]
        for node, (is_text, offset, text) in zip(own, self._tokens(source), strict=True):
            if is_text != isinstance(node, nodes.TemplateData):
                raise AssertionError(f"tokens and syntax tree of {template} do not agree at offset {offset}")
            if is_text:
                node.chunk = len(self.chunks)  # type: ignore[attr-defined]
                self.chunks.append((template, offset))
            else:
                node.site = len(self.sites)  # type: ignore[attr-defined]
                self.sites.append(Site(template, offset, text))
        return tree

    def _tokens(self, source: str) -> list[tuple[bool, int, str]]:
        """Return what the source prints, in order: (is text, offset, text or expression)."""
        source = self.preprocess(source)
        found: list[tuple[bool, int, str]] = []
        position, inside = 0, None
        for _, token, text in self.lexer.tokeniter(source, None):
            position = source.index(text, position)
            if token == "variable_begin":
                inside = position + len(text)
            elif token == "variable_end" and inside is not None:
                raw = source[inside:position]
                found.append((False, inside + len(raw) - len(raw.lstrip()), raw.strip()))
                inside = None
            elif token == "data" and text:
                found.append((True, position, text))
            position += len(text)
        return found

    # ------------------------------------------------------------------------------------------- operators

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an arithmetic operator on plain values, with the joined keys."""
        a, b = plain(left), plain(right)
        for value in (a, b):
            if isinstance(value, Latex):
                raise FormatError(f"{operator} computes with values, not with text that is formatted already")
            _defined(value)
            if value is None or isinstance(value, str | dict | bool | list):
                raise FormatError(f"{operator} computes with numbers, not with the {kind(value)} {value!r}")
        try:
            return box(super().call_binop(context, operator, a, b), keys(left, right))
        except (ArithmeticError, TypeError) as error:
            raise FormatError(f"{a!r} {operator} {b!r} cannot be computed: {error}") from error

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
        """Return the result of a sign on the plain value, with its keys."""
        return box(super().call_unop(context, operator, plain(arg)), keys(arg))

    def concatenate(self, parts: tuple[Any, ...]) -> Any:
        """Return texts side by side (`~`): LaTeX as soon as one part is, the others escaped then."""
        values = [plain(part) for part in parts]
        for value in values:
            _defined(value)
            if not isinstance(value, str | int) or isinstance(value, bool):
                raise FormatError(
                    f"~ joins texts, not the {kind(value)} {value!r}", cure="format it first: (x|num) ~ …"
                )
        if any(isinstance(value, Latex) for value in values):
            joined: str = Latex("".join(_as_latex(value) for value in values))
        else:
            joined = "".join(str(value) for value in values)
        return box(joined, keys(*parts))

    def compare(self, first: Any, *rest: tuple[str, Any]) -> Any:
        """Return the truth of a chain of comparisons, with the joined keys."""
        for operand in (first, *(value for _, value in rest)):
            _defined(operand)
        try:
            return compare(first, *rest)
        except TypeError as error:
            raise FormatError(f"these values cannot be compared: {error}") from error

    def negate(self, value: Any) -> Any:
        """Return the negated truth, with the keys."""
        return box(not value, keys(value))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an item of a value: a template's dot means a key, never an attribute or a method."""
        if isinstance(obj, Namespace | LoopContext | Undefined | jinja2.environment.TemplateModule):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item of a box, list or mapping; undefined with a hint if there is none."""
        _defined(obj)
        name = plain(argument)
        try:
            if isinstance(obj, Box):
                return obj.child(name)
            if isinstance(obj, dict | list | tuple):
                return obj[name]
        except (KeyError, IndexError, TypeError):
            pass
        value = plain(obj)
        path = " or ".join(sorted(obj.keys)) if isinstance(obj, Box) else f"this {kind(value)}"
        if isinstance(value, dict):
            hint = f"{path} has no key {name!r}"
        elif isinstance(value, list | tuple):
            hint = f"{path} has {len(value)} items, none at {name!r}"
        else:
            hint = f"{path} is a {kind(value)} and has no {name!r}"
        return self.undefined(hint, obj=value, name=str(name))

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, or one of the functions that templates have; nothing else can be called."""
        _defined(__obj)
        if (
            isinstance(__obj, Macro | LoopContext)
            or getattr(__obj, "__self__", None).__class__ is LoopContext
        ):
            return super().call(__context, __obj, *args, **kwargs)
        if __obj in __self.functions:
            for name in ("_loop_vars", "_block_vars"):
                kwargs.pop(name, None)
            opened = plain(args) if __obj is range else args
            return _checked(__obj, getattr(__obj, "__name__", "function"), opened, kwargs)
        raise FormatError(
            "values have no functions that a template could call", cure="use a filter: value|name"
        )

    # -------------------------------------------------------------------------------------------- printing

    def print_value(self, site: int, value: Any) -> str:
        """Return the text that a value prints as, between marks that carry its site and keys."""
        _defined(value)
        bare = plain(value)
        text = _as_latex(bare)
        if VALUE in text:  # a table or a captured block: its parts are recorded already
            return self._marked(self.sites[site], None, frozenset(), text)
        raw = getattr(bare, "value", bare)
        return self._marked(self.sites[site], raw, keys(value), text)

    def _marked(self, site: Site | None, value: Any, joined: Keys, text: str) -> str:
        self.records.append((site, value, joined))
        return f"{VALUE}{len(self.records) - 1}{STOP}{text}{END}"

    def _format_filter(self, name: str) -> Callable[..., Any]:
        function = latex.FORMATS[name]

        def formatted(value: Any, *args: Any, **options: Any) -> Any:
            _defined(value)
            bare = plain(value)
            if isinstance(bare, Latex) and name != "text":
                raise FormatError(
                    f"|{name} formats a value, this is formatted already", cure="give one format only"
                )
            out = latex.to_latex(_checked(function, f"|{name}", (bare, *plain(args)), plain(options)))
            return box(Formatted.of(out, bare), keys(value, args, options))

        return formatted

    def _join(self, values: Any, separator: str = ", ") -> Any:
        parts = list(values)
        joined = _as_latex(separator).join(_as_latex(plain(v)) for v in parts)
        return box(Latex(joined), keys(values, *parts))

    def _field(self, row: Any, name: str) -> Any:
        for part in name.split("."):
            row = self.getitem(row, part)
        return _defined(row)

    def _table(self, rows: Any, *columns: Any, layout: str = "normal", **options: Any) -> Any:
        """Return the rows as a table; each cell is recorded with its own keys."""
        unknown = set(options) - {"separate", "caption", "label"}
        for name in sorted(unknown):
            known = ("layout", "separate", "caption", "label")
            raise FormatError(f"|table has no option {name!r}", cure=did_you_mean(name, known))
        if not all(isinstance(c, Column) for c in columns):
            raise FormatError("|table takes columns", cure='|table(column("Head", "field", "num"), …)')

        def format_cell(item: Column, row: Any) -> Any:
            values = [plain(self._field(row, f)) for f in item.fields]
            if item.format != "text":
                return _checked(
                    latex.FORMATS[item.format], f"format {item.format!r}", tuple(values), item.options
                )
            return Latex(" ".join(_as_latex(v) for v in values))

        def mark(text: str, item: Column, row: Any) -> str:
            fields = [self._field(row, f) for f in item.fields]
            values = [plain(f) for f in fields]
            return self._marked(None, values[0] if len(values) == 1 else values, keys(*fields), text)

        def is_true(row: Any, name: str) -> bool:
            return bool(plain(self._field(row, name)))

        separate = options.get("separate")
        return latex.table(
            list(rows),
            cast("tuple[Column, ...]", columns),
            format_cell,
            mark,
            is_true,
            layout=layout,
            separate=(lambda row: plain(self._field(row, plain(separate)))) if separate else None,
            caption=options.get("caption"),
            name=options.get("label"),
        )

    def _figure(self, value: Any, width: str | None = None) -> Any:
        """Return a figure of a result as an included file with its alternative text."""
        entry = plain(value)
        if not isinstance(value, Box) or not isinstance(entry, dict) or not {"file", "alt"} <= set(entry):
            raise FormatError(
                "|figure prints a figure of a result", cure=r"\VAR{experiment.figures.name|figure}"
            )
        self.figures.add((entry["experiment"], entry["name"]))
        size = f"width={width}," if width else ""
        alt = latex.escape(entry["alt"])
        return box(
            Formatted.of(Latex(rf"\includegraphics[{size}alt={{{alt}}}]{{{entry['file']}}}"), entry["file"]),
            value.keys,
        )

    def answer(self, question: str, template: str, line: int) -> str:
        """Record that a template answers a question; return the label that marks the answer."""
        text = self.sources.get(template, "")
        lines = text.splitlines()
        source = lines[line - 1] if line <= len(lines) else ""
        column = max(source.find(question), 0) + 1
        place = Place(f"{self.folder.name}/{template}", line, column, len(question), source)
        if question not in self.questions:
            raise InputError(
                f"report.toml lists no question {question!r}",
                place=place,
                cure=did_you_mean(question, self.questions),
            )
        if any(question == q for q, _ in self.answers):
            raise InputError(f"question {question!r} is answered twice", place=place, cure="keep one answer")
        self.answers.append((question, place))
        return rf"{_ANSWER}{latex.label('answer:' + question)}}}"


_ANSWER = r"\phantomsection\label{"
_TESTS_OUT = ("escaped", "filter", "test", "callable", "sameas")


class Formatted(Latex):
    """LaTeX that a format has made, with the value it was made from."""

    value: Any

    @classmethod
    def of(cls, text: str, value: Any) -> Formatted:
        """Return the text with its value."""
        made = cls(text)
        made.value = value
        return made


def _defined(value: Any) -> Any:
    """Return the value; raise the error of an unknown name if it is one."""
    if isinstance(value, Undefined):
        str(value)
    return value


def _as_latex(value: Any) -> str:
    """Return a plain value as LaTeX where the template names no format."""
    if isinstance(value, Latex):
        return str(value)
    _defined(value)
    if value is None:
        return str(latex.DASH)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise FormatError(f"a {kind(value)} needs a format: {_short(value)}", cure=latex._format_cure(value))
    return str(latex.escape(value) if isinstance(value, str) else Number(str(value)).latex())


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"


def _items(mapping: Any) -> Any:
    if isinstance(mapping, Box) and isinstance(mapping.plain, dict):
        return [(Box(key, mapping.keys), mapping.child(key)) for key in mapping.plain]
    if isinstance(mapping, dict):
        return list(mapping.items())
    raise FormatError("|items lists a mapping", cure="use |list for a list")


def _refuse_latex(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def checked(value: Any, *args: Any, **options: Any) -> Any:
        _defined(value)
        if isinstance(value, Latex):
            raise FormatError(f"|{name} computes with a value, this is formatted already", cure="format last")
        try:
            return function(value, *args, **options)
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise FormatError(f"|{name} does not apply to the {kind(value)} {_short(value)}") from error

    return checked


def _checked(function: Callable[..., Any], name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a format or function; arguments that it does not have are an error that names those it has."""
    try:
        inspect.signature(function).bind(*args, **options)
    except TypeError as error:
        known = [n for n in inspect.signature(function).parameters if n not in ("value", "args", "options")]
        raise FormatError(
            f"{name}: {error}", cure="its options are: " + (", ".join(known) or "none")
        ) from error
    except ValueError:
        pass
    return function(*args, **options)


# ------------------------------------------------------------------------------------------------- rendering


def render(
    folder: Path,
    template: str,
    values: Mapping[str, Any],
    *,
    questions: Iterable[str] = (),
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Rendered:
    """Return a template of the folder, rendered with the values (boxes) and functions.

    Raises
    ------
    InputError
        A template, name, key or format is wrong; the error carries the template's line.

    """
    environment = Environment(folder, questions)
    for name, function in (functions or {}).items():
        environment.globals[name] = function
        environment.functions.add(function)
    try:
        raw = environment.get_template(template).render(**values)
    except Exception as error:
        _explain(error, environment, values)
    text, pieces, printed = decode(raw, environment.chunks, environment.records)
    return Rendered(
        text=text,
        pieces=pieces or (Piece(0, template, 0, None),),
        printed=printed,
        answers=tuple(environment.answers),
        figures=frozenset(environment.figures),
        files=frozenset(environment.files),
        sources=dict(environment.sources),
        folder=environment.folder.name,
    )


def _explain(error: Exception, environment: Environment, values: Mapping[str, Any]) -> NoReturn:
    """Raise the error as one that names the template's line and the cure."""
    if isinstance(error, jinja2.TemplatesNotFound | jinja2.TemplateNotFound):
        name = str(error.name or "")
        known = [p.relative_to(environment.folder).as_posix() for p in environment.folder.rglob("*.j2")]
        raise InputError(
            f"there is no template {name!r}",
            place=_error_place(error, environment, name),
            cure=did_you_mean(name, known),
        ) from error
    if isinstance(error, jinja2.TemplateSyntaxError):
        raise _syntax_error(error, environment) from error
    if isinstance(error, _UnknownName):
        names = error.names or (*values, *environment.globals)
        what = str(error.message or "")
        if not error.names and re.fullmatch(r"'.*' is undefined", what):
            what = f"unknown name {error.name!r}"
        raise InputError(
            what,
            place=_error_place(error, environment, error.name),
            cure=did_you_mean(error.name, names) if error.names or what.startswith("unknown name") else None,
        ) from error
    if isinstance(error, LabreportError):
        if error.place is None:
            error.place = _error_place(error, environment, "")
        raise error
    if isinstance(error, RecursionError | TypeError | ValueError | ArithmeticError | jinja2.TemplateError):
        raise InputError(
            f"the template cannot be rendered: {error}",
            place=_error_place(error, environment, ""),
        ) from error
    raise error


def _syntax_error(error: jinja2.TemplateSyntaxError, environment: Environment) -> InputError:
    source = environment.sources.get(error.name or "", error.source or "")
    lines = source.splitlines()
    text = lines[error.lineno - 1] if 0 < error.lineno <= len(lines) else ""
    message = (error.message or "the template has a syntax error").rstrip(".")
    cure = None
    quoted = re.search(r"(?:filter|test|tag|function)(?: named)? '(\w+)'", message)
    name = quoted[1] if quoted else ""
    if isinstance(error, TemplateAssertionError) and quoted:
        what = "filter" if "filter" in message else "test"
        known = environment.filters if what == "filter" else environment.tests
        message = f"unknown {what} {name!r}"
        cure = did_you_mean(name, known)
    elif "unknown tag" in message and quoted:
        cure = did_you_mean(
            name, ("if", "for", "set", "include", "macro", "from", "call", "answer", "block", "with")
        )
    column = text.find(name) + 1 if name and name in text else None
    if column is None and text:
        opening = re.search(r"\\(VAR|BLOCK)\{", text)
        column = opening.start() + 1 if opening else len(text) - len(text.lstrip()) + 1
    place = Place(f"{environment.folder.name}/{error.name}", error.lineno, column, max(len(name), 1), text)
    return InputError(message, place=place, cure=cure)


def _error_place(error: BaseException, environment: Environment, name: str) -> Place | None:
    """Return the template line at which the error arose, with the name in it marked if it stands there."""
    found = _template_frame(error.__traceback__, environment)
    if found is None:
        return None
    template, line = found
    source = environment.sources[template]
    shown = f"{environment.folder.name}/{template}"
    starts = [0, *(m.end() for m in re.finditer("\n", source))]
    begin = starts[min(line, len(starts)) - 1]
    end = source.find("\n", begin)
    end = len(source) if end < 0 else end
    sites = [s for s in environment.sites if s.template == template]
    covering = [s for s in sites if s.offset < end + 1 and s.offset + len(s.expression) >= begin]
    for site in covering:
        match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", site.expression) if name else None
        if match:
            return place_in(source, shown, site.offset + match.start(), len(name))
    if name and (match := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", source[begin:end])):
        return place_in(source, shown, begin + match.start(), len(name))
    if len(covering) == 1 and not name:
        return place_in(source, shown, covering[0].offset, len(covering[0].expression.splitlines()[0]))
    return Place(shown, line, None, 1, source[begin:end])


def _template_frame(trace: TracebackType | None, environment: Environment) -> tuple[str, int] | None:
    """Return the template and line of the innermost frame of a traceback that lies in a template."""
    by_file = {str((environment.folder / name).resolve()): name for name in environment.sources}
    frames = [(by_file[f.filename], f.lineno) for f in traceback.extract_tb(trace) if f.filename in by_file]
    return (frames[-1][0], frames[-1][1] or 1) if frames else None
