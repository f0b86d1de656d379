"""A figure's data, looked into with a real browser: what is chosen, shown and told is what the data say."""

import base64
import contextlib
import hashlib
import json
import re
from pathlib import Path

import browsers
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page

import labreport
from labreport.page import html

pytestmark = pytest.mark.slow

ASSETS = Path(labreport.__file__).parent / "page" / "assets"
ECHARTS = (ASSETS / "echarts" / "echarts.min.js").read_text(encoding="utf-8")
SHARED = ("unpack.js", "dom.js", "store.js", "rowtable.js")
MODULES = (*SHARED, *(name for name in html.MODULES if name.startswith("explore")))
START = """
setModel(JSON.parse(await unpackText("lr-model")));
await openExplore(model.things[0], document.getElementById("here"));
"""

rng = np.random.default_rng(5)
TRIALS = pd.DataFrame(
    {
        "number": range(60),
        "activation": rng.choice(["relu", "tanh"], 60),
        "depth": rng.integers(1, 4, 60),
        "rate": 10 ** rng.uniform(-4, -1, 60),
        "loss": rng.uniform(0.1, 0.9, 60),
    }
)
PARALLEL = {"kind": "parallel", "columns": ["activation", "depth", "rate", "loss"], "colour": "loss"}
RUNS = pd.DataFrame(
    [
        {"method": method, "run": run, "epoch": epoch, "loss": base * 0.9**epoch * (1 + 0.1 * run)}
        for method, base in (("slow", 3.0), ("fast", 1.0))
        for run in range(6)
        for epoch in range(0, 21, 5)
    ]
)
LINES = {"kind": "lines", "x": "epoch", "by": ["method", "run"], "y": ["loss"], "bands": {}}


QUARTILES = pd.DataFrame(
    {"epoch": [0, 1, 2], "q25": [0.2, 0.1, 0.1], "median": [0.5, 0.4, 0.3], "q75": [0.9, 0.8, 0.5]}
)
BANDS = {"kind": "lines", "x": "epoch", "by": [], "y": ["median"], "bands": {"median": [["q25", "q75"]]}}


@pytest.fixture
def explored(tmp_path):
    """Return a function that shows data in a page on the disk, in which nothing may go wrong."""
    with contextlib.ExitStack() as windows:

        def show(frame: pd.DataFrame, settings: dict) -> Page:
            path = tmp_path / "page.html"
            path.write_text(html_of(frame, settings), encoding="utf-8")
            page = windows.enter_context(browsers.opened(path, width=1000, height=1200))
            page.wait_for_selector(".explore-plot svg text")
            return page

        yield show


def html_of(frame: pd.DataFrame, settings: dict) -> str:
    """Return a bare page with the scripts of exploring, under the policy that the real one has."""
    rows = json.loads(frame.to_json(orient="values", double_precision=15))
    data = {"columns": list(frame), "rows": rows, "total": len(rows)}
    thing = {
        "id": "f0",
        "kind": "figure",
        "key": "exp.figures.x",
        "data": "exp.x",
        "explore": settings,
        "at": [],
    }
    model = json.dumps({"things": [thing], "data": {"exp.x": data}, "keys": {}, "experiments": {}})
    joined = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in MODULES)
    script = re.sub(r"^import .*\n|^export (?=\w)", "", joined, flags=re.MULTILINE) + START
    allowed = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in (script, ECHARTS)
    )
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>fine</title>
<meta http-equiv="Content-Security-Policy"
content="default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'">
<style>{(ASSETS / "explore.css").read_text(encoding="utf-8")}</style></head><body><main id="here"></main>
<script type="application/octet-stream" id="lr-model">{html.packed(model)}</script>
<script type="application/octet-stream" id="lr-echarts">{html.packed(ECHARTS)}</script>
<script type="module">{script}</script></body></html>"""


def rows_told(page: Page) -> list[int]:
    """Return the numbers of the rows that the table shows, in its order, when it has settled."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.locator("[data-row]").evaluate_all("(rows) => rows.map((row) => Number(row.dataset.row))")


def lines_that_stand_out(page: Page) -> int:
    """Return how many lines the chart of parallel axes draws as those that were chosen."""
    return page.locator(".explore-plot svg path[stroke-opacity='0.75']").count()


def axis_at(page: Page, name: str) -> tuple[float, float, float]:
    """Return where an axis stands in the window: x, and from which y to which."""
    label = page.locator(".explore-plot svg text", has_text=re.compile(f"^{name}$")).bounding_box()
    plot = page.locator(".explore-plot").bounding_box()
    return label["x"] + label["width"] / 2, plot["y"] + 48, plot["y"] + plot["height"] - 24


def drag(page: Page, x: float, start: float, end: float) -> None:
    page.mouse.move(x, start)
    page.mouse.down()
    for share in (0.3, 0.6, 1):
        page.mouse.move(x, start + share * (end - start))
    page.mouse.up()


def limits_told(page: Page, name: str) -> tuple[float, float]:
    fields = page.locator(
        ".explore-filters fieldset", has=page.locator("legend", has_text=re.compile(f"^{name}$"))
    )
    return tuple(float(field.input_value()) for field in fields.locator("input").all())


class TestParallel:
    def test_each_row_is_a_line_and_a_row_of_the_table(self, explored):
        page = explored(TRIALS, PARALLEL)
        assert rows_told(page) == list(range(60))
        least, middle, most = (f"{value:.4g}" for value in TRIALS["loss"].quantile([0, 0.5, 1]))
        told = f"60 of 60 rows · loss: least {least}, median {middle}, greatest {most}"
        assert page.locator(".explore-told").inner_text() == told

    @pytest.mark.parametrize("name", ["loss", "rate"])  # a linear axis and a logarithmic one
    def test_a_brush_on_an_axis_leaves_the_rows_in_its_range(self, explored, name):
        page = explored(TRIALS, PARALLEL)
        page.locator("summary", has_text="Filter").click()
        x, top, bottom = axis_at(page, name)
        drag(page, x, top + 0.3 * (bottom - top), top + 0.7 * (bottom - top))
        low, high = limits_told(page, name)
        assert TRIALS[name].min() < low < high < TRIALS[name].max()
        expected = TRIALS.index[TRIALS[name].between(low, high)].tolist()
        assert 0 < len(expected) < 60
        assert rows_told(page) == expected
        assert page.locator(".explore-told").inner_text().startswith(f"{len(expected)} of 60 rows")

    def test_brushes_on_two_axes_leave_the_rows_in_both(self, explored):
        page = explored(TRIALS, PARALLEL)
        page.locator("summary", has_text="Filter").click()
        x, top, bottom = axis_at(page, "loss")
        drag(page, x, top + 0.2 * (bottom - top), top + 0.9 * (bottom - top))
        x, top, bottom = axis_at(page, "activation")
        drag(page, x, top, top + 0.45 * (bottom - top))  # the upper of two levels
        upper = TRIALS["activation"].drop_duplicates().tolist()[1]
        assert page.get_by_label(upper, exact=True).is_checked()
        expected = TRIALS.index[
            TRIALS["loss"].between(*limits_told(page, "loss")) & (TRIALS["activation"] == upper)
        ]
        assert rows_told(page) == expected.tolist()

    def test_a_field_that_was_typed_in_follows_the_next_brush(self, explored):
        page = explored(TRIALS, PARALLEL)
        page.locator("summary", has_text="Filter").click()
        page.get_by_label("loss, from").fill("0.3")
        x, top, bottom = axis_at(page, "loss")
        drag(page, x, top + 0.1 * (bottom - top), top + 0.3 * (bottom - top))
        low, high = limits_told(page, "loss")
        assert low > 0.5
        assert rows_told(page) == TRIALS.index[TRIALS["loss"].between(low, high)].tolist()

    def test_a_click_into_the_empty_axis_takes_its_brush_away(self, explored):
        page = explored(TRIALS, PARALLEL)
        x, top, bottom = axis_at(page, "loss")
        drag(page, x, top + 0.3 * (bottom - top), top + 0.5 * (bottom - top))
        assert len(rows_told(page)) < 60
        page.mouse.click(x, top + 0.9 * (bottom - top))
        assert len(rows_told(page)) == 60

    def test_fields_choose_as_a_brush_does(self, explored):
        page = explored(TRIALS, PARALLEL)
        page.locator("summary", has_text="Filter").click()
        page.get_by_label("rate, from").fill("0.001")
        assert rows_told(page) == TRIALS.index[TRIALS["rate"] >= 0.001].tolist()
        page.get_by_label("rate, to").fill("0.01")
        page.get_by_label("2", exact=True).check()
        chosen = TRIALS["rate"].between(0.001, 0.01) & (TRIALS["depth"] == 2)
        assert rows_told(page) == TRIALS.index[chosen].tolist()
        assert lines_that_stand_out(page) == chosen.sum()
        page.get_by_role("button", name="Reset").click()
        assert len(rows_told(page)) == 60
        assert page.get_by_label("rate, from").input_value() == ""

    def test_the_table_sorts_and_its_row_is_picked_in_the_plot_by_keyboard(self, explored):
        page = explored(TRIALS, PARALLEL)
        page.get_by_role("button", name="loss", exact=True).click()
        assert rows_told(page) == TRIALS["loss"].sort_values().index.tolist()
        page.get_by_role("button", name="loss", exact=True).click()
        assert rows_told(page) == TRIALS["loss"].sort_values(ascending=False).index.tolist()
        page.locator("[data-row] button").nth(3).focus()
        page.keyboard.press("Enter")
        assert page.locator("[data-row].picked [aria-pressed=true]").count() == 1
        assert page.locator(".explore-plot svg path[stroke-width='3.5']").count() == 1

    def test_other_columns_are_axes_and_colours_on_demand(self, explored):
        page = explored(TRIALS, PARALLEL)
        page.locator("summary", has_text="Axes").click()
        page.get_by_label("number", exact=True).check()
        page.get_by_label("rate", exact=True).uncheck()
        names = page.locator(".explore-plot svg text").all_text_contents()
        assert "number" in names
        assert "rate" not in names
        page.get_by_role("combobox", name="Colour").select_option("number")
        assert (
            page.locator(".explore-told").inner_text().endswith("number: least 0, median 29.5, greatest 59")
        )

    def test_the_last_two_axes_stay(self, explored):
        page = explored(TRIALS, PARALLEL | {"columns": ["rate", "loss"]})
        page.locator("summary", has_text="Axes").click()
        assert page.get_by_label("rate", exact=True).is_disabled()
        page.get_by_label("depth", exact=True).check()
        assert page.get_by_label("rate", exact=True).is_enabled()

    def test_a_missing_value_is_outside_of_every_range(self, explored):
        page = explored(TRIALS.assign(rate=TRIALS["rate"].where(TRIALS.index != 7)), PARALLEL)
        assert len(rows_told(page)) == 60
        page.locator("summary", has_text="Filter").click()
        page.get_by_label("rate, from").fill("0")
        assert rows_told(page) == [row for row in range(60) if row != 7]


class TestLines:
    def tip(self, page: Page, x_share: float, y_share: float) -> list[str]:
        plot = page.locator(".explore-plot").bounding_box()
        page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2)
        page.mouse.move(plot["x"] + x_share * plot["width"], plot["y"] + y_share * plot["height"])
        return page.locator(".explore-tip tr").all_inner_texts()

    def test_hover_tells_the_values_at_the_nearest_x(self, explored):
        page = explored(RUNS, LINES)
        told = self.tip(page, 0.52, 0.3)
        assert page.locator(".explore-tip caption").inner_text() == "epoch 10"
        at_ten = RUNS[RUNS["epoch"] == 10]
        expected = {f"{row.method}, run {row.run}\t{row.loss:.4g}" for row in at_ten.itertuples()}
        assert {line.strip() for line in told} == expected

    def test_the_nearest_come_first_and_of_many_only_twelve(self, explored):
        more = pd.concat([RUNS, RUNS.assign(run=RUNS["run"] + 6, loss=RUNS["loss"] * 1.01)])
        page = explored(more, LINES)
        told = self.tip(page, 0.52, 0.8)  # near the lower end of the axis
        assert told[-1] == "12 more"
        losses = [float(line.rpartition("\t")[2]) for line in told[:-1]]
        expected = more["loss"][more["epoch"] == 10].sort_values()[:12]
        assert losses == [float(f"{loss:.4g}") for loss in expected]

    def test_levels_that_are_switched_off_leave_plot_and_table(self, explored):
        page = explored(RUNS, LINES)
        told = page.locator(".explore-told")
        assert told.inner_text() == "loss over epoch: 12 of 12 curves"
        page.get_by_label("slow").uncheck()
        assert told.inner_text() == "loss over epoch: 6 of 12 curves"
        page.locator("summary", has_text="table").click()
        assert page.locator("tbody tr").count() == len(RUNS) / 2
        page.get_by_role("button", name="Reset").click()
        assert told.inner_text() == "loss over epoch: 12 of 12 curves"
        assert page.get_by_label("slow").is_checked()

    def test_the_median_over_runs_is_that_of_numpy(self, explored):
        page = explored(RUNS, LINES)
        page.get_by_role("combobox", name="Curves").select_option("median over run")
        told = self.tip(page, 0.52, 0.3)
        medians = RUNS[RUNS["epoch"] == 10].groupby("method")["loss"].median()
        assert {line.strip() for line in told} == {f"{name}\t{value:.4g}" for name, value in medians.items()}

    def test_a_range_of_x_zooms_in_and_the_axis_of_y_follows(self, explored):
        page = explored(RUNS, LINES)
        page.get_by_label("log y").uncheck()
        page.get_by_label("epoch, from").fill("10")
        texts = page.locator(".explore-plot svg text").all_text_contents()
        labels = {float(text) for text in texts if re.match(r"\d", text)}
        assert (
            max(label for label in labels if label < 10) == 1.5
        )  # the greatest loss from epoch 10 on is 1.57

    @pytest.mark.parametrize("is_log", [False, True])
    def test_a_range_in_which_nothing_is_shows_all(self, explored, is_log):
        frame = QUARTILES.assign(step=QUARTILES["epoch"] + 1)
        page = explored(frame, BANDS | {"x": "step"})
        page.get_by_label("log x").set_checked(is_log)
        page.get_by_label("log y").set_checked(is_log)
        band = page.locator(".explore-plot svg path[fill-opacity='0.16']")
        whole = band.get_attribute("d")
        assert whole.count("L") >= 5  # a polygon of six points
        for start in ("1e9", "-5", "0", ""):
            page.get_by_label("step, from").fill(start)
            assert band.get_attribute("d") == whole
        page.get_by_label("step, from").fill("2")
        assert band.get_attribute("d") != whole

    def test_log_axes_leave_out_what_they_cannot_show(self, explored):
        page = explored(RUNS.assign(loss=RUNS["loss"].where(RUNS["epoch"] != 20, 0)), LINES)
        page.get_by_label("log y").check()
        assert len(self.tip(page, 0.52, 0.3)) == 12
        self.tip(page, 0.99, 0.3)
        page.locator(".explore-tip").wait_for(state="hidden", timeout=3000)


def test_the_whole_window_shows_it_larger_and_gives_it_back(explored):
    page = explored(TRIALS, PARALLEL)
    page.get_by_role("button", name="Whole window").click()
    assert page.locator("dialog[open] .explore-plot svg").bounding_box()["width"] > 900
    page.evaluate("() => addEventListener('keydown', (event) => { document.body.title = event.key; })")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert page.evaluate("document.body.title") == ""  # the page behind has keys of its own
    assert page.locator("#here > .explore .explore-plot svg").count() == 1
    assert page.evaluate("document.activeElement.textContent") == "Whole window"


@pytest.mark.parametrize("settings", [PARALLEL, LINES])
def test_a_change_of_theme_is_followed_and_keeps_what_was_chosen(explored, settings):
    frame = TRIALS if settings is PARALLEL else RUNS
    page = explored(frame, settings)
    page.add_style_tag(content=":root { color-scheme: light dark; color: light-dark(#111, #eee) }")
    if settings is PARALLEL:
        page.locator("summary", has_text="Filter").click()
        page.get_by_label("rate, from").fill("0.001")
    else:
        page.get_by_label("slow").uncheck()
    told = page.locator(".explore-told").inner_text()
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector(".explore-plot svg text[fill='rgb(238,238,238)']")
    assert page.locator(".explore-told").inner_text() == told
    if settings is PARALLEL:
        assert lines_that_stand_out(page) == (TRIALS["rate"] >= 0.001).sum()


@pytest.mark.parametrize("kind", ["parallel", "lines"])
def test_hostile_names_and_texts_are_only_shown(explored, kind):
    image = "<img src=x onerror=alert(1)>"
    script = "</script><script>alert(2)</script>"
    frame = pd.DataFrame({image: [1.0, 2.0, 3.0], script: ["a", script, image], "{a|b}": [0.5, 0.2, 0.1]})
    parallel = {"kind": "parallel", "columns": list(frame), "colour": "{a|b}"}
    lines = {"kind": "lines", "x": image, "by": [script], "y": ["{a|b}"], "bands": {}}
    page = explored(frame, parallel if kind == "parallel" else lines)
    plot = page.locator(".explore-plot").bounding_box()
    for share in (0.3, 0.5, 0.7):
        for height in (0.2, 0.5, 0.8):
            page.mouse.move(plot["x"] + share * plot["width"], plot["y"] + height * plot["height"])
    assert page.locator("img, body script").count() == 3  # the two blocks and the module of the page itself
    assert page.title() == "fine"
    assert script in page.locator(".explore").inner_text()
