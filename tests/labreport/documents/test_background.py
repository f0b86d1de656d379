"""What stands behind a report: the noise of its numbers, its figures, its code, its prose."""

import math

import compared
import projects
import pytest

from labreport.documents import background, report

SAMPLE = {"mean": 2.0, "std": 0.5, "n": 100}
INTERVAL = {"estimate": 0.5, "low": 0.4, "high": 0.7, "n": 40, "p": 0.45}


class TestNoise:
    @pytest.mark.parametrize(
        ("name", "neighbours", "expected"),
        [
            ("estimate", INTERVAL, (0.15, "interval")),
            ("low", INTERVAL, (0.15, "interval")),
            ("mean", SAMPLE, (1.96 * 0.5 / 10, "interval")),
            ("mean", {"mean": 2.0, "std": 0.5}, (0.5, "std")),
            ("loss_mean", {"loss_mean": 2.0, "loss_std": 0.5, "loss_n": 25}, (1.96 * 0.1, "interval")),
            ("rate", {"rate": 0.5, "rate_low": 0.4, "rate_high": 0.6}, (0.1, "interval")),
            ("rate_high", {"rate": 0.5, "rate_low": 0.4, "rate_high": 0.6}, (0.1, "interval")),
            ("val_loss", {"val_loss": 0.5, "val_loss_std": 0.2}, (0.2, "std")),
            (
                "forward_factor",
                {"forward_factor": 1.0, "forward_low": 0.5, "forward_high": 1.5},
                (0.5, "interval"),
            ),
        ],
    )
    def test_the_neighbours_of_a_number_tell_the_width_of_its_noise(self, name, neighbours, expected):
        width, unit = background.noise(name, neighbours)
        assert (width, unit) == (pytest.approx(expected[0]), expected[1])

    @pytest.mark.parametrize(
        ("name", "neighbours"),
        [
            ("n", INTERVAL),
            ("p", INTERVAL),
            ("std", SAMPLE),
            ("estimate", {"estimate": 0.5, "low": None, "high": 0.7}),
            ("estimate", {"estimate": 0.9, "low": 0.4, "high": 0.7}),
            ("estimate", {"estimate": 0.5, "low": math.nan, "high": 0.7}),
            ("estimate", {"estimate": 0.5}),
            ("", {}),
        ],
    )
    def test_a_number_whose_neighbours_are_about_something_else_has_no_known_noise(self, name, neighbours):
        assert background.noise(name, neighbours) is None

    def test_an_interval_beside_an_estimate_is_not_that_of_another_number(self):
        row = {**INTERVAL, "mean": 0.55, "std": 0.1}
        assert background.noise("mean", row) == (pytest.approx(1.96 * 0.1 / math.sqrt(40)), "interval")
        assert background.noise("median", {**INTERVAL, "median": 0.5}) is None

    def test_the_size_of_another_sample_makes_no_interval(self):
        assert background.noise("loss_mean", {"loss_mean": 2.0, "loss_std": 0.5, "n": 100}) == (0.5, "std")


RUN = """
def run(params, lab):
    import pandas as pd

    rows = pd.DataFrame({"side": ["heads"], "rate": [0.5], "rate_low": [0.4], "rate_high": [0.6]})
    return {"odd name": {"mean": 1.0, "std": 0.5, "n": 25}, "rows": rows, "sure": 1.0, "list": [{"a": 1.0}]}
"""
TEMPLATE = r"""\documentclass{article}\usepackage[article]{labreport}
\begin{document}
\VAR{d.values["odd name"].mean|num} and \VAR{d.values["odd name"]|pm},
of rows \VAR{d.tables.rows[0].rate|num}, \VAR{d.values.sure|num}, \VAR{d.values.list[0].a|num} typed.

%# never shown
\VAR{excerpt("exp:f")}
\BLOCK{for row in d.tables.rows}
a row of \VAR{row.side}
\BLOCK{endfor}
Here: \VAR{d.tables.rows|table(column("Side", "side", "text"))}.
\end{document}
"""


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    source = projects.experiment(RUN)
    project = projects.make(
        tmp_path_factory.mktemp("p"), {"d": source}, src={"exp.py": "def f():\n    return 1\n"}
    )
    projects.write(project.templates / "report.tex.j2", TEMPLATE)
    projects.run(project)
    return background.of(project, report.render(project).rendered)


class TestBehindAReport:
    def test_noise_is_known_for_values_rows_and_mappings_that_are_printed(self, behind):
        width = pytest.approx(1.96 * 0.5 / 5)
        assert behind["noise"] == {
            'd.values["odd name"].mean': {"value": 1.0, "width": width, "unit": "interval"},
            'd.values["odd name"]': {"value": 1.0, "width": width, "unit": "interval"},
            "d.tables.rows[0].rate": {"value": 0.5, "width": pytest.approx(0.1), "unit": "interval"},
        }

    def test_parameters_versions_and_code_are_kept(self, behind):
        assert behind["parameters"] == {"d": {"seed": 0}}
        assert {"python", "pandas"} <= behind["versions"].keys()
        assert behind["code"] == {"exp:f": "def f():\n    return 1"}

    def test_prose_is_what_was_typed_with_a_sign_for_what_was_not(self, behind):
        place = "report_templates/report.tex.j2"
        assert behind["prose"] == [
            [place, 1, r"\documentclass{article}\usepackage[article]{labreport}"],
            [place, 2, r"\begin{document}"],
            [place, 3, "□ and □,"],
            [place, 4, "of rows □, □, □ typed."],
            [place, 9, "a row of □"],
            [place, 11, "Here: □."],
            [place, 12, r"\end{document}"],
        ]

    def test_figures_are_known_by_their_bytes_and_by_their_data(self, tmp_path):
        project = compared.coin(tmp_path / "p")
        first = background.of(project, report.render(project).rendered)["figures"]
        assert list(first) == ["coin.figures.line"]
        assert first["coin.figures.line"]["file"] == "figures/coin-line.pdf"
        compared.shift(project, 0.0, 0.25)
        second = background.of(project, report.render(project).rendered)["figures"]
        for part in ("pdf", "data"):
            assert first["coin.figures.line"][part] != second["coin.figures.line"][part]
