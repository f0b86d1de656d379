"""Graphs of computations as figures: each Var in a box, on the right of its inputs.

A `Drawing` says where everything stands, in inches. It measures its texts, so that boxes and labels find
room at the size at which it is drawn; only where arrows cross may a label meet one of them. The layers are
networkx's generations, counted from the result; within a layer boxes stand in the order of the means of
their neighbours (K. Sugiyama, S. Tagawa and M. Toda, IEEE Transactions on Systems, Man, and Cybernetics 11
(1981), pages 109-125).
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from operator import add
from statistics import fmean
from typing import TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from tinymlp.scalar import Node

# In points: text in boxes, text at arrows.
TEXT, LABEL = 9, 8
# In inches.
LINE = 0.17  # from one line of a box to the next
PAD = 0.06  # around the text of a box
ROW = 0.3  # between boxes, one above the other
GAP = 0.3  # between columns, in addition to the label
BULGE = 0.32  # between the middles of two arrows from one box to another
MARGIN = 0.03  # around the whole
GUTTER = 0.25  # between drawings side by side
FLATNESS = 0.8  # between columns for each inch that an arrow rises or falls

SWEEPS = 4  # over the layers, to and fro

# How a result reads in terms of its operands; others read name(operand, ...).
EXPRESSIONS = {
    "+": "{0} + {1}",
    "-": "{0} - {1}",
    "*": r"{0} \times {1}",
    "/": "{0} / {1}",
    "**": "{0}^{{{1}}}",
    "neg": "-{0}",
}
# The derivatives in each operand, where a formula says more than the number.
DERIVATIVES = {
    "*": ("{1}", "{0}"),
    "/": ("1 / {1}", "-{0} / {1}^2"),
}


@dataclass(frozen=True)
class Box:
    """Lines of text in a box around (x, y)."""

    lines: tuple[str, ...]
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Arrow:
    """A line through `points`; its last piece carries the label.

    The middle of the last piece lies `bulge` above the straight line. The head is at the last point or, if
    `backwards`, at the first.
    """

    points: tuple[tuple[float, float], ...]
    label: str
    bulge: float
    backwards: bool


@dataclass(frozen=True)
class Drawing:
    """Boxes and arrows, and the rectangle around them."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    align: str  # of the text in boxes
    left: float
    right: float
    bottom: float
    top: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches, as a figure's `figsize`."""
        return self.right - self.left, self.top - self.bottom


@dataclass(frozen=True)
class _Link:
    """What is to become an arrow, between two boxes by name."""

    input: str
    result: str
    label: str = ""


def computation(nodes: Sequence[Node], *, gradients: bool = False) -> Drawing:
    """Return the graph of traced nodes, with the local derivatives at the arrows.

    An arrow runs from an input to the result; its label is the derivative of the result in this input, the
    others being constant. An operand that gets no gradient (an exponent) has an arrow without label. With
    `gradients`, boxes also show the gradient after the traced pass.
    """
    texts = {node.name: _expression(node, gradients) for node in nodes}
    links = [link for node in nodes for link in _links(node)]
    return _drawing(texts, links, align="center")


def objects(nodes: Sequence[Node]) -> Drawing:
    """Return traced nodes as objects: each Var with the values of its attributes before the pass.

    Arrows are references, from a result to its operands or, where it was given a `grad_fn`, to the inputs
    that this returns.
    """
    texts = {node.name: _attributes(node) for node in nodes}
    links = [
        _Link(name, node.name)
        for node in nodes
        for name in node.operands or [edge.input for edge in node.edges]
    ]
    return _drawing(texts, links, align="left", backwards=True)


def draw(ax: Axes, drawing: Drawing) -> None:
    """Draw on axes, which must be as large as the drawing's size or larger."""
    ax.set_axis_off()
    ax.set(xlim=(drawing.left, drawing.right), ylim=(drawing.bottom, drawing.top), aspect="equal")
    for arrow in drawing.arrows:
        _draw_arrow(ax, arrow)
    for box in drawing.boxes:
        _draw_box(ax, box, drawing.align)


def figure(*drawings: Drawing, titles: Sequence[str] = ()) -> Figure:
    """Return a figure of drawings side by side, each at its own size."""
    head = 0.22 if titles else 0.0
    width = sum(drawing.size[0] for drawing in drawings) + GUTTER * (len(drawings) - 1)
    height = head + max(drawing.size[1] for drawing in drawings)
    made = Figure(figsize=(width, height))
    made.set_layout_engine("none")
    left = 0.0
    for drawing, title in zip(drawings, titles or [""] * len(drawings), strict=True):
        wide, _ = drawing.size
        draw(made.add_axes((left / width, 0, wide / width, 1 - head / height)), drawing)
        made.text((left + MARGIN) / width, 1 - MARGIN / height, title, size=TEXT, va="top")
        left += wide + GUTTER
    return made


# ------------------------------------------------------------------------------------------------- texts


def _expression(node: Node, gradients: bool) -> tuple[str, ...]:
    name, value = _math(node.name), _number(node.v)
    lines = [f"${name} = {value}$"]
    if node.operation is not None:
        lines = [f"${name} = {_formula(node.operation, node.operands)}$", f"$= {value}$"]
    return (*lines, f"grad ${_number(node.after)}$") if gradients else tuple(lines)


def _formula(operation: str, names: Sequence[str]) -> str:
    operands = [_math(name) for name in names]
    if operation in EXPRESSIONS:
        return EXPRESSIONS[operation].format(*operands)
    inside = ", ".join(operands) if len(operands) < 4 else rf"{operands[0]}, \ldots"
    return f"{_math(operation)}({inside})"


def _links(node: Node) -> list[_Link]:
    """Return a link for each edge, and for each operand without one."""
    times = Counter(edge.input for edge in node.edges)
    formulas = DERIVATIVES.get(node.operation or "", ("",) * len(node.edges))
    operands = [_math(operand) for operand in node.operands]
    links = []
    for edge, formula in zip(node.edges, formulas, strict=True):
        # the two arrows of a * a are not derivatives in a: their sum is
        symbol = rf"\partial {_math(node.name)} / \partial {_math(edge.input)}"
        sides = [symbol if times[edge.input] == 1 else "", formula.format(*operands)]
        equal = " = ".join([*filter(None, sides), _number(edge.derivative)])
        links.append(_Link(edge.input, node.name, f"${equal}$"))
    return links + [_Link(name, node.name) for name in node.operands if name not in times]


def _attributes(node: Node) -> tuple[str, ...]:
    pairs = [rf"({_math(edge.input)},\ {{{_number(edge.derivative)}}})" for edge in node.edges]
    values = {
        "v": _number(node.v),
        "grad": _number(node.before),
        "operation": _code(str(node.operation)),
        "operands": f"({', '.join(map(_math, node.operands))})",
    }
    return (
        f"${_math(node.name)}$: ${_code('Var')}$",
        *(f"${_code(name)} = {value}$" for name, value in values.items()),
        f"${_code('grad_fn')}()$ returns $[{', '.join(pairs)}]$",
    )


def _math(name: str) -> str:
    """Return a name as mathtext: a letter, perhaps with an index, is a symbol; others are words."""
    if symbol := re.fullmatch(r"([A-Za-z])_?([0-9A-Za-z]{0,2})", name):
        letter, index = symbol.groups()
        return f"{letter}_{{{index}}}" if index else letter
    return rf"\mathrm{{{_escaped(name)}}}"


def _code(text: str) -> str:
    return rf"\mathtt{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    r"""Return a text for \mathrm: a sign in braces stands close, what mathtext cannot show is left out."""
    signs = {" ": r"\ ", "_": r"\_"} | dict.fromkeys(r"\{}$%#&^~", "")
    return "".join(c if c.isalnum() else f"{{{signs.get(c, c)}}}" for c in text)


def _number(value: float) -> str:
    """Return a number as mathtext, with four significant digits."""
    if not math.isfinite(value):
        return r"\mathrm{nan}" if math.isnan(value) else r"\infty" if value > 0 else r"-\infty"
    mantissa, _, exponent = f"{value + 0.0:.4g}".partition("e")  # + 0.0: no minus before zero
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


# ------------------------------------------------------------------------------------------------ layout

T = TypeVar("T")
_Cell = Hashable  # a box by its name, or where an arrow passes a layer
_Layers = list[list[_Cell]]  # from left to right, in each from top to bottom
_Route = list[_Cell]  # from input to result, one cell in each layer


def _drawing(
    texts: Mapping[str, tuple[str, ...]], links: Sequence[_Link], align: str, *, backwards: bool = False
) -> Drawing:
    """Return where boxes and arrows stand."""
    layers, routes = _layers(list(texts), links)
    cells = _placed(layers, routes, {name: _box(lines) for name, lines in texts.items()}, links)
    ports = zip(_ports(routes, cells, 0, 1), _ports(routes, cells, -1, -2), strict=True)
    arrows = tuple(
        Arrow(_points([cells[cell] for cell in route], *ends), link.label, bulge, backwards)
        for link, route, ends, bulge in zip(links, routes, ports, _bulges(routes), strict=True)
    )
    boxes = tuple(cells[name] for name in texts)
    ends = [x + side * w / 2 for x, w in ((b.x, b.width) for b in boxes) for side in (-1, 1)]
    heights = [y + side * h / 2 for y, h in ((b.y, b.height) for b in boxes) for side in (-1, 1)]
    heights += [y for arrow in arrows for y in _heights(arrow)]
    return Drawing(
        boxes,
        arrows,
        align,
        left=min(ends) - MARGIN,
        right=max(ends) + MARGIN,
        bottom=min(heights) - MARGIN,
        top=max(heights) + MARGIN,
    )


def _layers(names: Sequence[str], links: Sequence[_Link]) -> tuple[_Layers, list[_Route]]:
    """Return the layers, and the route of each link through them."""
    import networkx as nx  # not for the other figures

    graph = nx.MultiDiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from((link.result, link.input) for link in links)
    layers: _Layers = [list(layer) for layer in nx.topological_generations(graph)][::-1]
    place = {name: index for index, layer in enumerate(layers) for name in layer}
    routes: list[_Route] = []
    for number, link in enumerate(links):
        between = [(number, index) for index in range(place[link.input] + 1, place[link.result])]
        for cell in between:
            layers[cell[1]].append(cell)
        routes.append([link.input, *between, link.result])
    return _ordered(layers, routes), routes


def _ordered(layers: _Layers, routes: Sequence[_Route]) -> _Layers:
    """Return the layers, sorted by the mean row of the neighbours, those on the right and left in turn."""
    right, left = defaultdict(list), defaultdict(list)
    for route in routes:
        for one, following in pairwise(route):
            right[one].append(following)
            left[following].append(one)
    layers, inner = list(layers), range(len(layers))
    for neighbours, order in [(right, inner[::-1]), (left, inner)] * SWEEPS:
        for index in order:
            row = {cell: row for layer in layers for row, cell in _rows(layer)}
            mean = {cell: fmean(row[n] for n in neighbours[cell] or [cell]) for cell in layers[index]}
            layers[index] = sorted(layers[index], key=mean.__getitem__, reverse=True)
    return layers


def _rows(items: Sequence[T]) -> list[tuple[float, T]]:
    """Return the items, from top to bottom, with their rows: 0 is the middle, larger numbers are above."""
    return [((len(items) - 1) / 2 - index, item) for index, item in enumerate(items)]


def _placed(
    layers: _Layers, routes: Sequence[_Route], boxes: Mapping[_Cell, Box], links: Sequence[_Link]
) -> dict[_Cell, Box]:
    """Return each cell as a box at its place; where an arrow passes, the box has no height."""
    parallel = max(Counter(map(tuple, routes)).values(), default=1)
    pitch = ROW + max([box.height for box in boxes.values()] + [BULGE * parallel])
    y = {cell: row * pitch for layer in layers for row, cell in _rows(layer)}
    layer_of = {cell: index for index, layer in enumerate(layers) for cell in layer}
    gaps = [0.0] * len(layers)  # on the left of each layer
    for link, route in zip(links, routes, strict=True):
        rise = abs(y[route[-1]] - y[route[-2]])
        needed = GAP + max(_width(link.label, LABEL), rise * FLATNESS, BULGE * parallel)
        gaps[layer_of[link.result]] = max(gaps[layer_of[link.result]], needed)
    widths = [max(boxes[cell].width for cell in layer if cell in boxes) for layer in layers]
    rights = accumulate(map(add, gaps, widths))
    return {
        cell: replace(boxes.get(cell, Box((), width, 0.0)), x=right - width / 2, y=y[cell])
        for layer, width, right in zip(layers, widths, rights, strict=True)
        for cell in layer
    }


def _ports(routes: Sequence[_Route], cells: Mapping[_Cell, Box], end: int, neighbour: int) -> list[float]:
    """Return how far above the middle of the box at its `end` each arrow meets it.

    The arrows of a box are spread over its side, in the order of the cells that they come from or go to.
    """
    heights = [0.0] * len(routes)
    for box in {route[end] for route in routes}:
        here = [index for index, route in enumerate(routes) if route[end] == box]
        here.sort(key=lambda index: -cells[routes[index][neighbour]].y)
        for row, index in _rows(here):
            heights[index] = row * cells[box].height / (2 * len(here))
    return heights


def _bulges(routes: Sequence[_Route]) -> list[float]:
    """Return how far each arrow bends upwards, so that those between the same boxes lie apart."""
    bulges = [0.0] * len(routes)
    for way in {tuple(route) for route in routes}:
        for row, index in _rows([index for index, route in enumerate(routes) if tuple(route) == way]):
            bulges[index] = row * BULGE
    return bulges


def _points(route: Sequence[Box], start: float, end: float) -> tuple[tuple[float, float], ...]:
    """Return the corners of an arrow, from the right of its first box to the left of its last one.

    It starts and ends so far above the middles of these two.
    """
    sides = [(box.x + side * box.width / 2, box.y) for box in route for side in (-1, 1)]
    (x0, y0), *corners, (x1, y1) = sides[1:-1]
    return (x0, y0 + start), *corners, (x1, y1 + end)


def _heights(arrow: Arrow) -> tuple[float, float]:
    """Return how far an arrow with its label reaches downwards and upwards."""
    middle = (arrow.points[-2][1] + arrow.points[-1][1]) / 2 + arrow.bulge
    heights = [middle, *(y for _, y in arrow.points)]
    return min(heights), max(heights) + (LINE if arrow.label else 0.0)


def _box(lines: tuple[str, ...]) -> Box:
    width = max(_width(line, TEXT) for line in lines)
    return Box(lines, width + 2 * PAD, len(lines) * LINE + 2 * PAD)


def _width(text: str, size: float) -> float:
    """Return the width in inches of a text in the present style."""
    if not text:
        return 0.0
    outlines = TextPath((0, 0), text, prop=FontProperties(size=size))
    return float(outlines.vertices[:, 0].max()) / 72


# ----------------------------------------------------------------------------------------------- drawing


def _draw_box(ax: Axes, box: Box, align: str) -> None:
    left, top = box.x - box.width / 2, box.y + box.height / 2
    shape = FancyBboxPatch((left, top - box.height), box.width, box.height, "round,pad=0,rounding_size=0.06")
    shape.set(facecolor="0.96", edgecolor="black", linewidth=0.6)
    ax.add_patch(shape)
    x = box.x if align == "center" else left + PAD
    for index, line in enumerate(box.lines):
        y = top - PAD - (index + 0.76) * LINE
        ax.text(x, y, line, size=TEXT, ha=align, va="baseline")


def _draw_arrow(ax: Axes, arrow: Arrow) -> None:
    """Draw straight lines, the last one perhaps bent, and the label along it."""
    *_, (x0, y0), (x1, y1) = arrow.points
    length = math.hypot(x1 - x0, y1 - y0)
    up = -(y1 - y0) / length, (x1 - x0) / length

    def above(height: float) -> tuple[float, float]:
        return (x0 + x1) / 2 + height * up[0], (y0 + y1) / 2 + height * up[1]

    straight = [Path.MOVETO, *[Path.LINETO] * (len(arrow.points) - 2)]
    corners = [*arrow.points[:-1], above(2 * arrow.bulge), arrow.points[-1]]
    path = Path(corners, [*straight, Path.CURVE3, Path.CURVE3])
    head = "<|-" if arrow.backwards else "-|>"
    ax.add_patch(
        FancyArrowPatch(path=path, arrowstyle=head, mutation_scale=7, facecolor="black", linewidth=0.7)
    )
    if arrow.label:
        label = ax.text(*above(arrow.bulge + 0.03), arrow.label, size=LABEL, ha="center", va="bottom")
        label.set(rotation=math.degrees(math.atan2(y1 - y0, x1 - x0)), rotation_mode="anchor")
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.3})
