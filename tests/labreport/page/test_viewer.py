"""The page in a real browser, used as a reader does: by mouse, by keyboard, in the dark, on a phone."""

import csv
import io
import re

import browsers
import pictured
import pypdf
import pytest

pytestmark = pytest.mark.slow

MODEL = pictured.make()
THINGS = {thing["id"]: thing for thing in MODEL["things"]}
FORGED = "img, b:text('bold'), script:not([id]):not([type=module])"
VALUES = [thing for thing in MODEL["things"] if thing["kind"] == "value"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return pictured.write(tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture
def page(file):
    with browsers.opened(file) as page:
        ready(page)
        yield page


def ready(page):
    """Wait until the first sheet is drawn, and then until the panel is filled, which comes last."""
    page.locator('.page[data-page="1"] > svg').wait_for(state="attached")
    page.locator("#pane-details:not(:empty)").wait_for(state="attached")


def thing(page, name):
    return page.locator(f'button[data-thing="{name}"]')


def at(page, sheet, x, y):
    """Return where a point of a sheet, in points, lies in the window."""
    box = page.locator(f'.page[data-page="{sheet}"]').bounding_box()
    scale = box["width"] / MODEL["pages"][sheet - 1]["width"]
    return box["x"] + x * scale, box["y"] + y * scale


def details(page):
    return page.locator("#pane-details").inner_text()


class TestThings:
    def test_a_click_on_each_value_explains_it(self, page):
        assert len(VALUES) > 20
        for value in VALUES:
            thing(page, value["id"]).click()
            assert page.locator("#panel .big").text_content() == value["text"]
            told = page.locator("#panel").text_content()
            assert value["keys"][0] in told
            assert str(value["value"]) in told
            assert "experiments/one.py" in told
            assert "labreport run one" in told

    def test_a_click_takes_the_innermost_and_the_panel_leads_outwards(self, page):
        page.mouse.click(*at(page, 1, 84, 121))
        assert page.locator("#panel .big").inner_text() == "0.274"
        assert page.locator(".trail a").all_inner_texts() == ["Answer 3.2", "Claim"]
        page.mouse.click(*at(page, 1, 200, 105))
        assert page.locator("#panel .verdict").text_content() == "✓holds"
        thing(page, "v9").click()
        page.locator(".trail a", has_text="Table").click()
        assert page.locator("#panel .name").inner_text() == "A table of 20 values"

    def test_a_value_is_inside_a_claim_whose_line_is_no_larger(self, tmp_path):
        model = pictured.make()
        things = {thing["id"]: thing for thing in model["things"]}
        things["c0"]["at"] = [[1, 72, 116, 24, 8]]
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            page.mouse.click(*at(page, 1, 84, 120))
            assert page.locator("#panel .big").inner_text() == "0.274"

    def test_a_value_tells_its_sample_and_its_other_places(self, page):
        thing(page, "v0").click()
        strip = page.locator(".strip svg")
        assert strip.get_attribute("aria-label") == (
            "n = 3, mean 0.2733, std 0.02517, median 0.27, from 0.25 to 0.3"
        )
        assert strip.locator("circle").count() == 3
        assert page.locator("#pane-details").inner_text().count("std") == 1
        page.locator("section", has_text="Printed also (1)").get_by_role("link", name="0.27").click()
        page.wait_for_function("location.hash === '#v2'")
        assert thing(page, "v2").evaluate("own => own.classList.contains('open')")

    def test_a_figure_gives_its_data_to_sort_and_to_save(self, page, tmp_path):
        thing(page, "f0").click()
        page.get_by_role("button", name="x", exact=True).click()
        column = page.locator(".data tbody tr td:first-child")
        assert column.all_inner_texts() == ["9", "10", ""]
        page.get_by_role("button", name="x", exact=True).click()
        assert column.all_inner_texts() == ["10", "9", ""]
        with page.expect_download() as download:
            page.get_by_text("Save as CSV").click()
        saved = tmp_path / "saved.csv"
        download.value.save_as(saved)
        with saved.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.reader(lines))
        assert rows == [["x", pictured.HOSTILE], ["10", "b"], ["9", pictured.HOSTILE], ["", "a"]]

    def test_data_are_shown_with_few_digits_and_keep_all(self, tmp_path):
        model = pictured.make()
        model["data"]["one.curve"]["rows"] = [[0.049475021722740056, "a"]]
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            thing(page, "f0").click()
            cell = page.locator(".data tbody td").first
            assert cell.inner_text() == "0.04948"
            assert cell.get_attribute("title") == "0.049475021722740056"

    def test_a_number_of_several_keys_tells_the_number_of_each(self, tmp_path):
        model = pictured.make()
        model["things"][2]["keys"] = ["one.tables.rows[1].x", "one.tables.rows[2].x"]
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            thing(page, "v0").click()
            assert page.locator("#panel .key .muted").all_inner_texts() == ["= 1.123", "= 2.123"]

    def test_figures_and_tables_have_their_number_as_a_heading(self, tmp_path):
        model = pictured.make()
        things = {thing["id"]: thing for thing in model["things"]}
        things["t0"]["caption"] = "Table 2. Widths and losses."
        things["f0"]["caption"] = "Abbildung A.1: Verluste"
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            for name, label, said in (
                ("t0", "Table 2", "Widths and losses."),
                ("f0", "Abbildung A.1", "Verluste"),
            ):
                thing(page, name).click()
                assert page.locator("#panel .name").inner_text() == label
                assert page.locator("#panel .caption").inner_text() == said
            page.fill("#search", "table 2")
            assert page.locator("#results [role=group]").first.get_attribute("aria-labelledby") == (
                "results-Tables"
            )

    def test_code_that_names_the_key_comes_first(self, tmp_path):
        model = pictured.make()
        model["experiments"]["one"]["code"] = ["src/a.py:fit", "src/a.py:plot"]
        model["code"]["src/a.py:plot"]["lines"] = [[["", "return {"], ["str", '"loss"'], ["", ": 1}"]]]
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            thing(page, "v0").click()
            names = page.locator("section", has_text="Code").locator("summary code")
            assert names.all_inner_texts() == ["plot", "fit"]

    def test_a_number_that_is_computed_from_that_of_a_key_tells_it(self, tmp_path):
        model = pictured.make()
        model["things"][2] |= {"text": "27.4", "value": 27.412345678}
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            thing(page, "v0").click()
            assert page.locator("#panel .copyable .muted").all_inner_texts() == ["= 0.2741"]

    def test_a_long_text_leaves_room_for_what_is_known_of_it(self, tmp_path):
        model = pictured.make()
        model["things"][2] |= {"text": "word " * 1000, "value": "word " * 1000}
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            thing(page, "v0").click()
            assert page.locator("#panel .key").bounding_box()["y"] < 860
            assert page.locator("#panel .long").text_content() == "word " * 1000
            assert len(thing(page, "v0").get_attribute("aria-label")) < 100
            assert browsers.serious(page) == []

    def test_a_value_without_a_key_says_so(self, tmp_path):
        model = pictured.make()
        model["things"][2]["keys"] = []
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            thing(page, "v0").click()
            assert "comes from no result" in details(page)
            assert "report_templates/a.tex.j2:12" in details(page)

    def test_a_claim_keeps_the_colour_of_its_line_when_it_is_open(self, page):
        colour = "own => getComputedStyle(own).borderBottomColor"
        for name in ("c1", "c2"):
            before = thing(page, name).evaluate(colour)
            page.evaluate("hash => { location.hash = hash }", name)
            page.wait_for_function(f"document.querySelector('[data-thing={name}].open')")
            assert thing(page, name).evaluate(colour) == before

    def test_code_is_shown_with_the_numbers_of_its_lines(self, page):
        thing(page, "e0").click()
        rows = page.locator("#panel .row")
        assert rows.count() == 2
        assert rows.first.text_content() == "def fit():\n"
        assert page.locator("#panel .source").get_attribute("style").startswith("--first: 39")

    def test_claims_are_told_by_the_form_of_their_line_too(self, page):
        styles = [
            thing(page, name).evaluate("own => getComputedStyle(own).borderBottomStyle")
            for name in ("c0", "c1", "c2")
        ]
        assert styles == ["solid", "dashed", "double"]

    def test_text_of_a_claim_can_be_selected_across_lines(self, page):
        page.mouse.move(*at(page, 1, 74, 105))
        page.mouse.down()
        page.mouse.move(*at(page, 1, 371, 121), steps=5)
        page.mouse.up()
        chosen = page.evaluate("getSelection().toString()")
        assert chosen.split("\n")[:2] == list(pictured.LINES[:2])
        assert page.locator("#panel .verdict").count() == 0


class TestAddresses:
    def test_each_state_has_an_address_and_the_browser_leads_back(self, page, file):
        thing(page, "v0").click()
        page.locator("#panel .lead a").click()
        page.wait_for_function("location.hash === '#experiment=one'")
        page.go_back()
        page.wait_for_function("location.hash === '#v0'")
        assert page.locator("#panel .big").inner_text() == "0.274"
        page.goto(f"{file.as_uri()}#v2")
        page.reload()
        ready(page)
        assert page.locator("#panel .big").inner_text() == "0.27"
        assert thing(page, "v2").is_visible()

    @pytest.mark.parametrize(
        "hash",
        [
            *("v99", "page=99", "experiment=no", "code=no", "explore=v0x", "%E0%A4", "a=b=c"),
            *("experiment=toString", "experiment=__proto__", "code=constructor"),
        ],
    )
    def test_an_address_of_something_else_shows_the_report(self, file, hash):
        with browsers.opened(f"{file.as_uri()}#{hash}") as page:
            ready(page)
            assert "This report explains itself" in details(page)

    def test_links_lead_inside_the_report_and_outside_without_telling_from_where(self, page):
        page.get_by_role("link", name="To page 2").click()
        page.wait_for_function("location.hash.startsWith('#page=2')")
        outside = page.get_by_role("link", name="https://example.org/a")
        assert "noopener" in outside.get_attribute("rel")


class TestSearch:
    @pytest.mark.parametrize(
        ("query", "group", "told"),
        [
            ("0.27412", "Values", "0.274"),
            ("undecided perhaps", None, None),
            ("perhaps", "Claims", "Perhaps."),
            ("rows[7]", "Keys", "7.123"),
            ("how wide", "Experiments", "one"),
            ("answer 3.2", "Questions", "Answer to 3.2"),
            ("plot", "Code", "plot"),
        ],
    )
    def test_what_is_found_is_grouped_and_leads_there(self, page, query, group, told):
        page.fill("#search", query)
        groups = page.locator("#results [role=group]")
        if group is None:
            assert groups.count() == 0
            return
        found = groups.filter(has=page.locator(f"#results-{group}"))
        assert found.locator("mark").count() > 0
        found.get_by_role("option").first.click()
        assert told in details(page)

    @pytest.mark.parametrize(
        ("text", "value", "query", "shown"),
        [
            ("66\u202f%", 0.66, "66%", "66 % (0.66)"),
            ("1.3 \u00d7 10\u207b\u00b9\u2075", 1.3e-15, "1.3e-15", "1.3 \u00d7 10\u221215 (1.3e-15)"),
            ("1.6 \u00d7 10\u00b9\u2070", 1.6e10, "1.6 \u00d7 10^10", "1.6 \u00d7 1010 (16000000000)"),
            ("28.5", 28.500000000000004, "28.500000000000004", "28.5"),
        ],
    )
    def test_a_value_is_found_as_it_may_be_typed(self, tmp_path, text, value, query, shown):
        model = pictured.make()
        model["things"][2] |= {"text": text, "value": value}
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            page.fill("#search", query)
            found = page.locator("[role=group]", has=page.locator("#results-Values")).locator(".what")
            assert " ".join(found.first.text_content().split()) == shown

    def test_what_is_called_just_so_comes_before_what_begins_so(self, tmp_path):
        model = pictured.make()
        next(thing for thing in model["things"] if thing["kind"] == "value")["text"] = "3.2 %"
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            page.fill("#search", "3.2")
            told = page.locator("#results [role=option]").all_inner_texts()
            assert [text.partition("\n")[0][:13] for text in told[:2]] == ["Answer to 3.2", "3.2 % (0.2741"]

    def test_text_is_found_across_lines_and_divided_words_and_marked_on_the_sheet(self, page):
        page.fill("#search", "divided here")
        page.get_by_role("option", name="divided here").click()
        lines = page.locator(".found")
        assert lines.count() == 2
        top = [box.bounding_box()["y"] for box in lines.all()]
        assert top[0] < top[1]

    @pytest.mark.parametrize("query", ["the  second ", "  the second", "the\u00a0 second"])
    def test_blanks_only_divide_words(self, page, query):
        page.fill("#search", query)
        assert [mark.lower() for mark in page.locator("#results mark").all_inner_texts()] == ["the", "second"]

    @pytest.mark.parametrize("query", ["   ", "\u00b4", "\u00a8 the  "])
    def test_blanks_are_no_words(self, page, query):
        page.fill("#search", query)
        assert page.locator("#results mark").count() == 0

    @pytest.mark.parametrize(
        ("line", "query", "share"),
        [
            ("\u0130\u0130\u0130\u0130 \u0130stanbul 8", "8", 14 / 15),  # each of these is two small letters
            ("e\ufb03cient \ufb01t 8", "8", 14 / 15),  # a ligature is three letters, the other one two
            ("\u0130stanbul is 12", "istanbul", 0),
        ],
    )
    def test_what_is_found_is_marked_at_its_place_whatever_letters_come_before(
        self, tmp_path, line, query, share
    ):
        model = pictured.make()
        model["pages"][1]["text"] = [[100, 50, 150, 10, line]]
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            page.fill("#search", query)
            page.locator("[role=group]", has=page.locator("#results-Text")).get_by_role("option").click()
            left = at(page, 2, 100 + share * 150, 50)[0]
            assert page.locator(".found").bounding_box()["x"] == pytest.approx(left, abs=0.5)

    def test_by_keyboard_alone(self, page):
        page.keyboard.press("/")
        page.keyboard.type("7.123")
        page.keyboard.press("ArrowDown")
        assert page.locator("#search").get_attribute("aria-activedescendant") == "option-0"
        page.keyboard.press("Enter")
        assert page.locator("#panel .big").inner_text() == "7.123"
        assert page.evaluate("document.activeElement.dataset.thing") == "v10"
        assert page.locator("#results").is_hidden()


class TestKeyboard:
    def test_arrows_go_through_the_values_and_escape_comes_back(self, page):
        thing(page, "c0").focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.dataset.thing") == "v0"
        page.keyboard.press("Enter")
        assert page.locator("#panel .big").inner_text() == "0.274"
        assert page.evaluate("document.activeElement.id") == "pane-details"
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.dataset.thing") == "v0"
        assert page.evaluate("location.hash") == ""

    def test_all_lines_of_a_claim_show_that_it_has_the_focus(self, page):
        thing(page, "v0").focus()
        page.keyboard.press("ArrowLeft")
        focused = page.locator(".thing.focused")
        assert focused.evaluate_all("all => all.map((own) => own.dataset.thing)") == ["c0", "c0"]
        assert focused.last.evaluate("own => getComputedStyle(own).outlineStyle") == "solid"

    def test_the_things_of_a_sheet_are_one_stop_of_tab(self, page):
        stops = page.locator('.page[data-page="1"] button.thing[tabindex="0"]')
        assert stops.count() == 1
        thing(page, "v9").focus()
        assert stops.evaluate_all("all => all.map((own) => own.dataset.thing)") == ["v9"]
        page.keyboard.press("End")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.closest('.page').dataset.page") == "2"

    def test_tabs_are_changed_by_arrows(self, page):
        page.get_by_role("tab", name="Details").focus()
        page.keyboard.press("ArrowRight")
        assert page.get_by_role("tab", name="Claims").get_attribute("aria-selected") == "true"
        assert page.locator("#pane-claims .entry").count() == 3


class TestLists:
    def test_a_claim_that_fails_as_its_sentence_says_is_no_warning(self, page):
        red = page.evaluate(
            "getComputedStyle(Object.assign(document.body.appendChild(document.createElement('i')),"
            "{className: 'sign fails'})).backgroundColor"
        )
        page.evaluate("location.hash = 'c2'")
        page.locator("#panel .verdict", has_text="✗fails, as the sentence says").wait_for()
        shown = page.locator("#panel .verdict .sign").evaluate(
            "(sign) => getComputedStyle(sign).backgroundColor"
        )
        assert shown != red

    def test_claims_are_chosen_by_verdict(self, page):
        page.get_by_role("tab", name="Claims").click()
        page.locator("#pane-claims").get_by_role("button", name="fails").click()
        page.locator("#pane-claims").get_by_role("link").click()
        assert "It is not so." in details(page)

    def test_the_browser_leads_back_to_the_claims_that_were_chosen(self, page):
        thing(page, "v0").click()
        page.get_by_role("tab", name="Claims").click()
        page.locator("#pane-claims").get_by_role("button", name="fails").click()
        page.locator("#pane-claims").get_by_role("link").click()
        page.go_back()
        page.wait_for_function("location.hash === '#claims'")
        assert page.locator("#pane-claims .entry").all_text_contents() == ["✗It is not so.p. 2"]
        page.go_back()
        page.wait_for_function("location.hash === '#v0'")
        assert page.locator("#panel .big").inner_text() == "0.274"

    def test_claims_of_a_notebook_stand_under_its_name(self, tmp_path):
        model = pictured.make()
        claim = next(thing for thing in model["things"] if thing["id"] == "c2")
        claim |= {"document": "notebooks/Book", "cell": 3, "page": None, "at": []}
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            assert "2 claims, 1 more in notebooks" in details(page)
            assert details(page).split("1 figure")[1].startswith("\n")
            page.get_by_role("tab", name="Claims").click()
            assert page.locator("#pane-claims h3").all_inner_texts() == ["notebooks/Book (1)"]

    def test_changes_lead_to_what_changed(self, page):
        page.get_by_role("tab", name="Changes").click()
        assert "1 value changed" in page.locator("#pane-changes").inner_text()
        page.locator("#pane-changes").get_by_role("link").click()
        assert page.locator("#panel .big").inner_text() == "0.274"

    def test_experiments_are_listed_with_what_they_ask(self, page):
        page.get_by_role("tab", name="Contents").click()
        page.locator("#pane-contents").get_by_role("link", name="one How wide?").click()
        assert page.locator("#panel .name").inner_text() == "one"

    def test_what_a_sentence_says_itself_is_not_told_as_its_failure(self, tmp_path):
        model = pictured.make()
        next(thing for thing in model["things"] if thing["id"] == "c2")["said"] = False
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            label = thing(page, "c1").get_attribute("aria-label")
            assert label.startswith("Claim, undecided, as the sentence says: ")
            page.get_by_role("tab", name="Claims").click()
            signs = page.locator("#pane-claims .entry .sign")
            told = ["holds", "undecided, as the sentence says", "fails"]
            assert signs.evaluate_all("all => all.map((own) => own.ariaLabel)") == told

    def test_contents_lead_to_sections(self, page):
        page.get_by_role("tab", name="Contents").click()
        page.get_by_role("link", name="Second 2").click()
        page.wait_for_function("document.querySelector('#pages').scrollTop > 300")

    def test_an_entry_keeps_room_for_its_title_beside_a_long_place(self, tmp_path):
        model = pictured.make()
        figure = next(thing for thing in model["things"] if thing["kind"] == "figure")
        figure |= {"document": f"notebooks/{'Long_name_' * 9}", "cell": 62, "page": None, "at": []}
        figure |= {"explore": {"kind": "lines"}, "caption": "Relative error of finite differences"}
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            page.get_by_role("tab", name="Explore").click()
            entry = page.locator("#pane-explore .entry")
            title, whole = entry.locator(".what").bounding_box(), entry.bounding_box()
            assert title["width"] > 0.5 * whole["width"]
            assert page.locator("#panes").evaluate("own => own.scrollWidth <= own.clientWidth")


class TestLooks:
    @pytest.mark.parametrize(
        ("text", "box"),
        [
            # an answer that begins with the indented line of a paragraph, and ends with a short one
            ([[102, 100, 268, 10], [72, 116, 300, 10], [72, 132, 90, 10]], [102, 100, 268, 42]),
            # what stands before the column of an answer: another column, numbers of lines
            ([[40, 100, 150, 10], [200, 100, 150, 10], [200, 116, 150, 10]], [200, 100, 150, 26]),
            ([[54, 100, 8, 10], [72, 100, 300, 10]], [72, 100, 300, 10]),
        ],
    )
    def test_the_bar_of_an_answer_lies_on_no_text(self, tmp_path, text, box):
        model = pictured.make()
        model["pages"][0]["text"] = [[*line, "words"] for line in text]
        answer = next(thing for thing in model["things"] if thing["kind"] == "answer")
        answer["at"] = [[1, *box]]
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            bar = thing(page, "a0").bounding_box()
            for x, y, width, height in text:
                left, top = at(page, 1, x, y)
                right, bottom = at(page, 1, x + width, y + height)
                beside = bar["x"] + bar["width"] <= left or bar["x"] >= right
                assert beside or bar["y"] >= bottom or bar["y"] + bar["height"] <= top
            assert bar["x"] + bar["width"] < at(page, 1, box[0], box[1])[0]

    def test_what_is_in_the_middle_stays_there_when_the_size_changes(self, page):
        page.locator("#zoom-in").click()
        page.evaluate("document.querySelector('#pages').scrollTop = 400")
        middle = page.locator("#pages").bounding_box()
        y = middle["y"] + middle["height"] / 2
        before = (y - at(page, 1, 0, 0)[1]) / (at(page, 1, 0, 100)[1] - at(page, 1, 0, 0)[1])
        for _ in range(3):
            page.keyboard.press("+")
        after = (y - at(page, 1, 0, 0)[1]) / (at(page, 1, 0, 100)[1] - at(page, 1, 0, 0)[1])
        assert after == pytest.approx(before, abs=0.02)

    def test_on_a_phone_the_panel_comes_from_below_and_the_value_stays_in_sight(self, file):
        with browsers.opened(file, width=390, height=844, has_touch=True) as page:
            ready(page)
            assert page.locator("#panel").is_hidden()
            thing(page, "v20").tap()
            panel, value = page.locator("#panel").bounding_box(), thing(page, "v20").bounding_box()
            assert panel["x"] == 0
            assert panel["width"] == 390
            assert 0 < value["y"] < panel["y"] - value["height"]
            assert page.evaluate("document.documentElement.scrollWidth") == 390

    def test_on_a_phone_a_page_can_be_enlarged_and_fits_again(self, file):
        with browsers.opened(file, width=390, height=844, has_touch=True) as page:
            ready(page)
            sheet = page.locator('.page[data-page="1"]')
            fits = sheet.bounding_box()["width"]
            page.get_by_role("button", name="Larger").tap()
            assert sheet.bounding_box()["width"] > fits
            page.get_by_role("button", name="Smaller").tap()
            assert sheet.bounding_box()["width"] == pytest.approx(fits, abs=0.5)
            assert page.evaluate("document.documentElement.scrollWidth") == 390

    def test_a_finger_need_not_hit_a_small_value_exactly(self, file):
        with browsers.opened(file, width=390, height=844, has_touch=True) as page:
            ready(page)
            thing(page, "v2").scroll_into_view_if_needed()
            box = thing(page, "v2").bounding_box()
            page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] - 40)
            assert page.locator("#panel").is_hidden()
            page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] - 6)
            assert page.locator("#panel .big").inner_text() == "0.27"

    def test_the_theme_follows_the_system_until_the_reader_chooses(self, file):
        colour = "getComputedStyle(document.querySelector('#panel')).backgroundColor"
        with browsers.opened(file, color_scheme="dark") as page:
            ready(page)
            dark = page.evaluate(colour)
            page.get_by_role("button", name="Theme: auto").click()
            assert page.evaluate(colour) != dark
            page.get_by_role("button", name="Theme: light").click()
            assert page.evaluate(colour) == dark

    def test_all_sheets_are_printed(self, page):
        page.evaluate(
            "window.print = () => { window.printed = document.querySelectorAll('.page > svg').length }"
        )
        page.keyboard.press("Control+p")
        page.wait_for_function("window.printed === 2")
        page.emulate_media(media="print")
        assert page.locator("#panel").is_hidden()
        assert page.locator(".page").first.is_visible()

    def test_sheets_far_away_are_drawn_to_be_printed_only(self, tmp_path):
        model = pictured.make()
        model["pages"] += [model["pages"][1]] * 20
        with browsers.opened(pictured.write(tmp_path / "report.html", model)) as page:
            ready(page)
            drawn = page.locator(".page > svg")
            few = drawn.count()
            page.evaluate("window.print = () => { window.printed = document.body.className }")
            page.keyboard.press("Control+p")
            page.wait_for_function("window.printed")
            assert drawn.count() == 22
            page.evaluate("dispatchEvent(new Event('afterprint'))")
            assert drawn.count() == few < 22

    def test_no_empty_sheet_is_printed(self, page):
        page.evaluate("window.print = () => { window.printed = true }")
        page.keyboard.press("Control+p")
        page.wait_for_function("window.printed")
        printed = page.pdf(width="5.56in", height="8.34in")
        assert len(pypdf.PdfReader(io.BytesIO(printed)).pages) == 2

    def test_the_menu_of_the_browser_prints_how_to_print(self, page):
        page.emulate_media(media="print")
        assert page.locator(".page").first.is_hidden()
        assert "Ctrl+P" in page.evaluate("getComputedStyle(document.body, '::before').content")


class TestAccessibility:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_axe_finds_nothing(self, file, scheme, width):
        targets = ("", "v0", "c2", "f0", "t0", "e0", "a0", "claims", "changes", "contents", "explore")
        with browsers.opened(file, width=width, color_scheme=scheme) as page:
            ready(page)
            for target in targets:
                page.evaluate("hash => { location.hash = hash }", target)
                page.wait_for_timeout(50)  # for what follows the address
                assert browsers.serious(page) == [], target

    def test_axe_finds_nothing_in_the_search(self, page):
        page.fill("#search", "one")
        assert browsers.serious(page) == []


def test_hostile_texts_stay_texts(page):
    """Each thing, list and search shows them; no element comes of them, and no dialog (see `browsers`)."""
    targets = [*THINGS, "claims", "changes", "contents", "explore", "experiment=one", "code=src%2Fa.py%3Afit"]
    for target in targets:
        page.evaluate("hash => { location.hash = hash }", target)
        page.wait_for_function("hash => location.hash === `#${hash}`", arg=target)
        for summary in page.locator("#panel summary").all():
            if summary.is_visible():
                summary.click()
        assert page.locator(FORGED).count() == 0
        if target in ("v1", "f0", "e0", "c0", "changes"):
            assert pictured.HOSTILE in page.locator("#panel").text_content()
    page.fill("#search", "<img src")
    assert page.locator("#results mark").count() > 0
    assert page.locator("img").count() == 0


class TestDamage:
    """What cannot be shown is told in the window, not in the console alone."""

    @pytest.fixture
    def text(self, file):
        return file.read_text(encoding="utf-8")

    @pytest.mark.parametrize("block", ["model", "rest", "glyphs", "more-glyphs"])
    def test_a_file_with_a_damaged_block_says_so(self, tmp_path, text, block):
        damaged = tmp_path / "report.html"
        damaged.write_text(re.sub(rf'(id="lr-{block}">).{{8}}', r"\1AAAAAAAA", text), encoding="utf-8")
        with browsers.opened(damaged) as page:
            page.locator("#unshown").wait_for()

    def test_half_a_file_says_so(self, tmp_path, text):
        half = tmp_path / "report.html"
        half.write_text(text[: text.index('id="lr-echarts"') + 5000], encoding="utf-8")
        with browsers.opened(half) as page:
            page.locator("#unshown").wait_for()

    def test_a_browser_without_scripts_says_so(self, file):
        with browsers.opened(file, java_script_enabled=False) as page:
            assert page.get_by_text("The same report is in report.pdf").is_visible()
            assert page.locator("#search").is_hidden()

    def test_one_damaged_sheet_leaves_the_others(self, tmp_path, text):
        damaged = tmp_path / "report.html"
        damaged.write_text(re.sub(r'(id="lr-page-1">).{8}', r"\1AAAAAAAA", text), encoding="utf-8")
        with browsers.opened(damaged) as page:
            page.locator('.page[data-page="2"] > svg').wait_for(state="attached")
            assert "damaged" in page.locator('.page[data-page="1"]').inner_text()
            assert page.locator(".damaged").count() == 1
            assert page.locator("#unshown").count() == 0
