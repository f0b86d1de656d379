"""Drawn graphs: every Var, every edge with its derivative, and room for each of them."""

import logging
import math
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import ArrowStyle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as MatplotlibPath
from matplotlib.transforms import Affine2D

from tinymlp.figures import computation, figure, objects
from tinymlp.scalar import Var, trace
from tinymlp.scalar.autodiff import affine

STYLE = Path(__file__).parents[3] / "experiments" / "figures.mplstyle"


@pytest.fixture(autouse=True, scope="module")
def _style():
    with plt.style.context(STYLE):
        yield


@pytest.fixture(autouse=True)
def _letters(caplog):
    """Each letter is in its font; mathtext tells of those that are not by its log."""
    caplog.set_level(logging.WARNING, logger="matplotlib")
    yield
    assert [record for record in caplog.records if record.name.startswith("matplotlib")] == []


def traced(root, **named):
    return trace(root, named).nodes


def product():
    a, b = Var(3.0), Var(5.0)
    f = a * b
    return traced(f, a=a, b=b, f=f)


def sum_of_products():
    a, b, d = Var(3.0), Var(5.0), Var(9.0)
    c, e = a * b, a * d
    f = c + e
    return traced(f, a=a, b=b, d=d, c=c, e=e, f=f)


def square():
    a = Var(3.0)
    f = a * a
    return traced(f, a=a, f=f)


def far():
    """An input that is used again three layers later."""
    x = Var(0.5)
    y = x.tanh().exp().sigmoid() * x
    return traced(y, x=x, y=y)


def threefold():
    x = Var(2.0)
    return traced(Var(1.0, lambda: [(x, 1.0), (x, 2.0), (x, -3.0)]), x=x)


def unit():
    numbers = [Var(i / 10) for i in range(7)]
    y = affine(numbers[0], numbers[1:4], numbers[4:]).tanh()
    return traced(y, y=y)


def lonely():
    return traced(Var(1e-7))


def power():
    x = Var(-2.0)
    f = x**3
    return traced(f, x=x, f=f)


PLANAR = [product, sum_of_products, square, far, threefold, unit, lonely, power]


def drawn(drawing):
    """Return the figure of one drawing, drawn once so that all extents are known, and its axes."""
    made = figure(drawing)
    FigureCanvasAgg(made).draw()
    return made, made.axes[0]


def texts(drawing):
    return [text.get_text() for text in figure(drawing).axes[0].texts]


def shown_boxes(ax):
    return [shown(patch) for patch in ax.patches if isinstance(patch, FancyBboxPatch)]


def shown_labels(ax):
    """Return the labels of arrows, as the turned rectangles around them."""
    return [shown(text.get_bbox_patch()) for text in ax.texts if text.get_bbox_patch()]


def shown_lines(ax):
    """Return the lines and heads of all arrows, each as a path of its own."""
    arrows = [shown(patch) for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    return [MatplotlibPath(line) for path in arrows for line in path.to_polygons(closed_only=False)]


def shown(patch):
    return patch.get_transform().transform_path(patch.get_path())


def smaller(path):
    """Return a rectangle a little inside of a box: arrows end at its edge."""
    (x0, y0), (x1, y1) = path.get_extents().get_points()
    return MatplotlibPath.unit_rectangle().transformed(
        Affine2D().scale(x1 - x0 - 6, y1 - y0 - 6).translate(x0 + 3, y0 + 3)
    )


def crossing(one, other):
    """Whether two lines cross: each has the ends of the other on both its sides."""

    def side(line, point):
        (x0, y0), (x1, y1) = line
        return (x1 - x0) * (point[1] - y0) - (y1 - y0) * (point[0] - x0)

    return all(side(line, start) * side(line, end) < 0 for line, (start, end) in ((one, other), (other, one)))


class TestComputation:
    def test_product_shows_values_and_filled_in_derivatives(self):
        assert texts(computation(product())) == [
            r"$\partial f / \partial a = b = 5$",
            r"$\partial f / \partial b = a = 3$",
            *("$a = 3$", "$b = 5$"),
            *(r"$f = a \times b$", "$= 15$"),
        ]

    def test_sum_of_products_shows_every_edge(self):
        shown = [text for text in texts(computation(sum_of_products())) if "partial" in text]
        assert sorted(shown) == [
            r"$\partial c / \partial a = b = 5$",
            r"$\partial c / \partial b = a = 3$",
            r"$\partial e / \partial a = d = 9$",
            r"$\partial e / \partial d = a = 3$",
            r"$\partial f / \partial c = 1$",
            r"$\partial f / \partial e = 1$",
        ]

    def test_gradients_after_the_pass_stand_in_the_boxes_if_asked_for(self):
        shown = texts(computation(sum_of_products(), gradients=True))
        assert [text for text in shown if "grad" in text] == [
            *("grad $14$", "grad $3$", "grad $1$", "grad $3$", "grad $1$", "grad $1$"),
        ]
        assert not any("grad" in text for text in texts(computation(sum_of_products())))

    def test_double_edge_is_two_arrows_with_a_label_each(self):
        """Neither is the derivative in a, so neither label says so."""
        drawing = computation(square())
        (ax,) = figure(drawing).axes
        assert [text.get_text() for text in ax.texts if text.get_bbox_patch()] == ["$a = 3$"] * 2
        upper, lower = (arrow.get_path().vertices[:3] for arrow in ax.patches[:2])
        apart = (upper[1, 1] - lower[1, 1]) / 2  # the middle of the curve is half as high as its corner
        assert apart > 0.25  # inches; a line of text has 0.11

    def test_arrows_lead_from_each_input_to_the_left_of_its_result(self):
        nodes = sum_of_products()
        drawing = computation(nodes)
        box = {node.name: box for node, box in zip(nodes, drawing.boxes, strict=True)}
        edges = [(edge.input, node.name) for node in nodes for edge in node.edges]
        for (one, other), arrow in zip(edges, drawing.arrows, strict=True):
            ends = [(arrow.points[0], box[one], 1), (arrow.points[-1], box[other], -1)]
            for (x, y), at, side in ends:
                assert x == pytest.approx(at.x + side * at.width / 2)
                assert abs(y - at.y) < at.height / 2
            assert not arrow.backwards

    def test_shared_input_stands_between_the_others_so_that_no_arrows_cross(self):
        nodes = sum_of_products()
        drawing = computation(nodes)
        heights = {node.name: box.y for node, box in zip(nodes, drawing.boxes, strict=True)}
        assert heights["b"] > heights["a"] > heights["d"]
        assert heights["c"] > heights["e"]

    @pytest.mark.parametrize("pairs", ["ac bc", "ac ab cd", "bd bc ad", "cd ad ab", "bc ac ad"])
    def test_a_sum_of_products_along_a_path_has_no_arrows_that_cross(self, pairs):
        """Each product shares a factor with another; in the order in which they are met, arrows cross."""
        factors = {name: Var(value) for name, value in zip("abcd", (2.0, 3.0, 5.0, 7.0), strict=True)}
        products = [factors[one] * factors[other] for one, other in pairs.split()]
        root = sum(products[1:], products[0])
        lines = [(arrow.points[0], arrow.points[-1]) for arrow in computation(traced(root)).arrows]
        assert not any(crossing(one, other) for one, other in combinations(lines, 2))

    def test_operand_without_derivative_has_an_arrow_without_label(self):
        drawing = computation(power())
        assert [arrow.label for arrow in drawing.arrows] == [r"$\partial f / \partial x = 12$", ""]

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (-2.5, "-2.5"),
            (-0.0, "0"),
            (1 / 3, "0.3333"),
            (123456.0, r"1.235 \times 10^{5}"),
            (-1e-7, r"-1 \times 10^{-7}"),
            (math.inf, r"\infty"),
            (-math.inf, r"-\infty"),
            (math.nan, r"\mathrm{nan}"),
        ],
    )
    def test_numbers_have_four_digits(self, value, text):
        assert texts(computation(traced(Var(value)))) == [f"$v_{{1}} = {text}$"]

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a", "a"),
            ("w12", "w_{12}"),
            ("w_1", "w_{1}"),
            ("loss", r"\mathrm{loss}"),
            ("two words", r"\mathrm{two{\ }words}"),
            ("my_loss", r"\mathrm{my{\_}loss}"),
            ("50% {$x$} \\^~#&", None),
        ],
    )
    def test_any_name_can_be_drawn(self, name, text):
        var = Var(1.0)
        (shown,) = texts(computation(trace(var, {name: var}).nodes))
        assert text is None or shown == f"${text} = 1$"


def as_python(mathtext):
    """Return a formula of the drawing as an expression of Python."""
    for sign, python in ((r"\times", "*"), ("^", "**"), ("{", "("), ("}", ")"), ("_", "")):
        mathtext = mathtext.replace(sign, python)
    return mathtext.strip("$ ")


class TestFormulas:
    @pytest.mark.parametrize(
        "function",
        [
            lambda a, b: a + b,
            lambda a, b: a - b,
            lambda a, b: a * b,
            lambda a, b: a / b,
            lambda a, b: -a,
            lambda a, b: a**3,
            lambda a, b: 2**b,
        ],
    )
    def test_expressions_and_derivatives_are_worth_the_numbers_beside_them(self, function):
        a, b = Var(1.25), Var(-2.0)
        f = function(a, b)
        names = {a: "a", b: "b"}
        nodes = trace(f, {names.get(var, "k"): var for var in f.operands} | {"f": f}).nodes
        known = {node.name: node.v for node in nodes}
        drawing = computation(nodes)
        expression = as_python(drawing.boxes[-1].lines[0]).partition(" = ")[2]
        assert eval(expression, {}, known) == f.v
        labels = [arrow.label for arrow in drawing.arrows if arrow.label]
        assert len(labels) == len(nodes[-1].edges) > 0
        for label, edge in zip(labels, nodes[-1].edges, strict=True):
            _, *formulas = as_python(label).split(" = ")
            values = [eval(formula, {}, known) for formula in formulas]
            assert values == pytest.approx([edge.derivative] * len(values), rel=1e-3)

    def test_only_a_product_and_a_quotient_have_formulas_of_derivatives(self):
        a, b = Var(1.25), Var(-2.0)
        nodes = trace(a / b, {"a": a, "b": b}).nodes
        assert [arrow.label.count("=") for arrow in computation(nodes).arrows] == [2, 2]

    def test_other_operations_read_as_functions(self):
        assert computation(far()).boxes[1].lines[0] == r"$v_{1} = \mathrm{tanh}(x)$"
        assert computation(unit()).boxes[-2].lines[0] == r"$v_{8} = \mathrm{affine}(v_{1}, \ldots)$"


class TestObjects:
    def test_product_shows_each_attribute_before_the_pass(self):
        a, b = Var(3.0), Var(5.0)
        f = a * b
        f.backward()
        shown = [box.lines for box in objects(traced(f, a=a, b=b, f=f)).boxes]
        assert shown[0] == (
            r"$a$: $\mathtt{Var}$",
            r"$\mathtt{v} = 3$",
            r"$\mathtt{grad} = 5$",
            r"$\mathtt{operation} = \mathtt{None}$",
            r"$\mathtt{operands} = ()$",
            r"$\mathtt{grad{\_}fn}()$ returns $[]$",
        )
        assert shown[2] == (
            r"$f$: $\mathtt{Var}$",
            r"$\mathtt{v} = 15$",
            r"$\mathtt{grad} = 1$",
            r"$\mathtt{operation} = \mathtt{{*}}$",
            r"$\mathtt{operands} = (a, b)$",
            r"$\mathtt{grad{\_}fn}()$ returns $[(a,\ {5}), (b,\ {3})]$",
        )

    @pytest.mark.parametrize(("nodes", "references"), [(product, 2), (square, 2), (threefold, 3), (power, 2)])
    def test_references_point_from_a_result_to_its_inputs(self, nodes, references):
        drawing = objects(nodes())
        assert len(drawing.arrows) == references
        assert all(arrow.backwards and not arrow.label for arrow in drawing.arrows)
        *_, head = (patch for patch in figure(drawing).axes[0].patches if isinstance(patch, FancyArrowPatch))
        assert type(head.get_arrowstyle()) is ArrowStyle.get_styles()["<|-"]  # at the beginning, the input


class TestRoom:
    @pytest.mark.parametrize(
        ("draw", "graph"),
        [*((computation, graph) for graph in PLANAR), (objects, product), (objects, square), (objects, far)],
    )
    def test_boxes_labels_and_arrows_lie_apart(self, draw, graph):
        drawing = draw(graph())
        made, ax = drawn(drawing)
        boxes, around = shown_boxes(ax), shown_labels(ax)
        assert len(boxes) == len(drawing.boxes)
        assert len(around) == sum(bool(arrow.label) for arrow in drawing.arrows)
        for one, other in combinations([*boxes, *around], 2):
            assert not one.intersects_path(other, filled=True)
        inside = [smaller(box) for box in boxes]
        lines = shown_lines(ax)
        assert len(lines) >= len(drawing.arrows)
        for line in lines:
            assert not any(path.intersects_path(line, filled=False) for path in [*inside, *around])
        self.texts_lie_in_their_boxes(drawing, ax)
        for path in [*boxes, *around]:
            extent = path.get_extents()
            assert made.bbox.x0 <= extent.x0 < extent.x1 <= made.bbox.x1
            assert made.bbox.y0 <= extent.y0 < extent.y1 <= made.bbox.y1

    def texts_lie_in_their_boxes(self, drawing, ax):
        frames = [path.get_extents() for path in shown_boxes(ax)]
        owners = [frame for frame, box in zip(frames, drawing.boxes, strict=True) for _ in box.lines]
        inside = [text for text in ax.texts if not text.get_bbox_patch()]
        for text, frame in zip(inside, owners, strict=True):
            extent = text.get_window_extent()
            assert frame.x0 <= extent.x0 < extent.x1 <= frame.x1
            assert frame.y0 <= extent.y0 < extent.y1 <= frame.y1
        assert all(text.get_fontsize() >= 8 for text in ax.texts)

    def test_drawings_side_by_side_keep_their_sizes(self):
        one, other = computation(product()), computation(sum_of_products())
        made = figure(one, other, titles=["(a) first", "(b) second"])
        width, height = made.get_size_inches()
        for drawing, ax in zip((one, other), made.axes, strict=True):
            place = ax.get_position(original=True)
            assert place.width * width == pytest.approx(drawing.size[0])
            assert place.height * height >= drawing.size[1] - 1e-9
        assert [text.get_text() for text in made.texts] == ["(a) first", "(b) second"]

    def test_both_examples_fit_the_width_of_the_page(self):
        made = figure(computation(product()), computation(sum_of_products(), gradients=True))
        assert made.get_size_inches()[0] <= 5.9

    def test_arrows_without_labels_reserve_no_room_for_them(self):
        x = Var(2.0)
        made, ax = drawn(objects(traced(Var(1.0, lambda: [(x, 1.0)] * 10), x=x)))
        highest = max(line.get_extents().y1 for line in shown_lines(ax))
        assert 0 < (made.bbox.y1 - highest) / made.dpi < 0.08  # inches; a line of text takes 0.17
