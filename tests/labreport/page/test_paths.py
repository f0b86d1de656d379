"""Paths: the same drawing with fewer digits; a clip goes only where it cuts nothing off."""

import pytest

from labreport.page import paths
from labreport.page.paths import Rounded


class TestShortened:
    @pytest.mark.parametrize(
        ("path", "decimals", "short"),
        [
            ("M 12.671875 -3.1875 L 0.5 -0.001 Z M 12.671875 -3.1875 ", 2, "M12.67-3.19L0.5 0Z"),
            ("M 100 20 C 1 2.999 3 4 5.5 6.50001", 2, "M100 20C1 3 3 4 5.5 6.5"),
            ("M 0.123456 1 L 2 3", 4, "M0.1235 1L2 3"),
            ("M 1.5 2 L 3 4", 0, "M2 2L3 4"),
            ("", 2, ""),
        ],
    )
    def test_digits_and_blanks_that_say_nothing_are_gone(self, path, decimals, short):
        assert paths.shortened(path, Rounded(decimals)) == short

    @pytest.mark.parametrize("path", ["M 1 2 <script>", 'M 1 2"', "M 1 2 url(#a)", "M1 2"])
    def test_what_is_no_path_is_refused(self, path):
        with pytest.raises(ValueError, match="could not convert"):
            paths.shortened(path, Rounded(2))


@pytest.mark.parametrize(
    ("transform", "digits"),
    [
        (None, 2),
        ("matrix(0.5,0,0,-0.5,10,20)", 2),
        ("matrix(1,0,0,1,5,5)", 2),
        ("matrix(10,0,0,10,0,0)", 3),
        ("matrix(0,80,-80,0,0,0)", 4),
        ("matrix(1e9,0,0,1e9,0,0)", 6),
        ("rotate(30)", 2),
    ],
)
def test_what_is_enlarged_keeps_more_digits(transform, digits):
    assert paths.decimals(2, transform) == digits


@pytest.mark.parametrize(
    ("path", "frame"),
    [
        ("M 1 2 L 5 2 L 5 8 L 1 8 Z M 1 2", (1, 2, 5, 8)),
        ("M 5 8 L 5 2 L 1 2 L 1 8 Z M 5 8", (1, 2, 5, 8)),
        ("M 1 2 L 5 8 L 5 2 L 1 8 Z M 1 2", None),  # a bow
        ("M 1 2 L 5 2 L 1 2 L 1 8 Z M 1 2", None),  # a line back and forth
        ("M 1 2 L 5 3 L 5 8 L 1 8 Z M 1 2", None),
        ("M 1 2 L 5 2 L 5 8 Z M 1 2", None),
        ("M 1 2 C 5 2 5 8 1 8 Z M 1 2", None),
    ],
)
def test_only_upright_rectangles_have_a_frame(path, frame):
    assert paths.rectangle(path) == frame


class TestExtent:
    LINE = "M 0 0 L 10 20"

    def test_a_filled_path_ends_at_its_points(self):
        assert paths.extent(self.LINE, None, {}) == (0, 0, 10, 20)

    def test_a_transformation_moves_it(self):
        assert paths.extent(self.LINE, "matrix(2,0,0,-1,5,30)", {}) == (5, 10, 25, 30)

    def test_a_line_has_breadth_and_a_sharp_corner_reaches_far(self):
        broad = {"stroke": "#000", "stroke-width": "2", "stroke-linejoin": "round"}
        assert paths.extent(self.LINE, None, broad) == (-1.5, -1.5, 11.5, 21.5)
        sharp = {"stroke": "#000", "stroke-width": "2", "stroke-miterlimit": "10"}
        assert paths.extent(self.LINE, None, sharp) == (-10, -10, 20, 30)

    @pytest.mark.parametrize("path", ["", "M 1 2 h 5", "Z"])
    def test_none_is_known_of_other_paths(self, path):
        assert paths.extent(path, None, {}) is None


def test_a_frame_holds_what_stands_out_by_less_than_is_seen():
    assert paths.holds((0, 0, 10, 10), (0, 2, 10.009, 5))
    assert not paths.holds((0, 0, 10, 10), (0, 2, 10.02, 5))
    assert not paths.holds((0, 0, 10, 10), (-1, 2, 5, 5))
