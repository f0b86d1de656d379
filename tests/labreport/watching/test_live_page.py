"""The live page as its reader sees it: a real watch, a real browser."""

import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import browsers
import projects
import pytest
import watched
from watched import watching

from labreport import page
from labreport.watching.live import Live

pytestmark = pytest.mark.slow

TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\hypersetup{pdftitle={\VAR{report.title}}, pdfsubject={none}, pdfauthor={nobody}}
\begin{document}
The first page says \VAR{one.values.answer}.
\newpage The second page.
\newpage The third page says \VAR{one.values.other}.

The old sentence.
\newpage The fourth page says \VAR{one.values.answer} again.
\end{document}
"""
SECTION = "report_templates/report.tex.j2"
EXPERIMENT = "experiments/one.py"


def make(folder):
    """Return the folder of a project with a report of four pages."""
    folder = watched.make(folder, "    return {'answer': 42, 'other': 725}")
    projects.write(folder / SECTION, TEMPLATE)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("built") / "p")
    command = [sys.executable, str(watched.ROOT / "build_report.py"), "--project", str(folder)]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    return folder


@pytest.fixture
def folder(built, tmp_path):
    return shutil.copytree(built, tmp_path / "p", symlinks=True)


def address_of(watch):
    return re.search(r"http\S+", watch.sees("the page is at "))[0]


@contextmanager
def opened_at(address):
    """Open the page at an address, and have patience: a build takes long where many tests run."""
    with browsers.opened(address, server=address) as shown:
        shown.context.set_default_timeout(60_000)
        yield shown


@contextmanager
def opened(watch):
    """Open the page of a watch, and note that this was once."""
    with opened_at(address_of(watch)) as shown:
        shown.evaluate("window.wasNotLoadedAgain = true")
        yield shown
        assert shown.evaluate("window.wasNotLoadedAgain")


@pytest.fixture
def live(folder):
    """A browser that has the page of a watch open."""
    with watching(folder) as watch, opened(watch) as shown:
        shown.wait_for_selector(".pill[data-state='idle']")
        yield shown


def says(shown, number, text):
    """Wait until a page of the report has a text."""
    words = f"document.querySelector('.page[data-page=\"{number}\"] .text')?.textContent"
    shown.wait_for_function(f"text => {words}?.includes(text)", arg=text)


def scrolled(shown):
    return shown.evaluate("document.querySelector('#pages').scrollTop")


def test_the_report_comes_where_it_was_waited_for(tmp_path):
    with watching(make(tmp_path / "p")) as watch, opened(watch) as shown:
        says(shown, 1, "The report stands here as soon as it is built.")
        shown.wait_for_selector(".pill[data-state='building']")
        says(shown, 1, "The first page says 42.")
        assert shown.title() == "T"
        assert shown.locator(".page").count() == 4


def test_an_edit_is_seen_at_the_place_that_is_read(live, folder):
    live.click("#zoom-in")
    live.evaluate("document.querySelector('.page[data-page=\"3\"]').scrollIntoView()")
    live.click(".page[data-page='3'] .value")
    live.wait_for_selector("#pane-details .big:text('725')")
    live.focus(".page[data-page='3'] .value")
    before, address, zoom = scrolled(live), live.url, live.inner_text("#zoom-now")
    assert before > 1000
    projects.change(folder / SECTION, "The old sentence.", r"The new sentence says \VAR{one.values.answer}.")
    says(live, 3, "The new sentence says 42.")
    live.wait_for_selector(".page[data-page='3'] > svg")
    live.wait_for_selector(".page[data-page='3'] .value.open:focus")
    assert abs(scrolled(live) - before) < 1
    assert live.url == address
    assert live.inner_text("#zoom-now") == zoom
    assert live.inner_text("#pane-details .big") == "725"
    assert live.locator(".value.changed").count() == 0


def test_what_is_open_stays_open_when_its_number_in_the_report_changes(live, folder):
    live.click(".page[data-page='1'] .value")
    address = live.url
    projects.change(
        folder / SECTION, "The first page", r"\VAR{one.values.other} stands before it. The first page"
    )
    says(live, 1, "725 stands before it.")
    live.wait_for_selector(".page[data-page='1'] .value.open[aria-label^='42']")
    assert live.url != address
    assert live.locator(".value.changed").count() == 0
    assert live.inner_text("#pane-details .big") == "42"


@pytest.mark.parametrize("tab", ["claims", "contents"])
def test_a_list_that_is_shown_stays(live, folder, tab):
    live.click(".page[data-page='1'] .value")
    live.click(f"#tab-{tab}")
    projects.change(folder / SECTION, "The second page.", "The middle page.")
    says(live, 2, "The middle page.")
    live.wait_for_selector(f"#pane-{tab}", state="visible")
    assert live.get_attribute(f"#tab-{tab}", "aria-selected") == "true"


def test_a_panel_that_is_closed_stays_closed(live, folder):
    live.click(".page[data-page='1'] .value")
    live.click("#panel-close")
    projects.change(folder / SECTION, "The second page.", "The middle page.")
    says(live, 2, "The middle page.")
    live.wait_for_selector(".page[data-page='1'] .value.open")
    assert not live.is_visible("#panel")


def test_the_page_of_another_labreport_is_loaded_anew(tmp_path):
    project = projects.make(tmp_path / "p", {})
    first = page.waiting(project)
    served = [page.live(first, "1")]
    server = Live(lambda: served[0])
    state = {"building": None, "work": [], "said": "", "errors": [], "notices": []}
    server.publish(state | {"page": "1"})
    with browsers.opened(server.url, server=server.url) as shown:
        shown.wait_for_selector(".pill[data-state='idle']")
        served[0] = page.live(first.replace(b"</style>", b"#pages { padding: 77px; }</style>"), "2")
        server.publish(state | {"page": "2"})
        shown.wait_for_function(
            "() => getComputedStyle(document.querySelector('#pages')).paddingTop === '77px'"
        )
        shown.wait_for_selector(".pill[data-state='idle']")
    server.close()


def test_values_that_changed_are_marked(live, folder):
    projects.change(folder / EXPERIMENT, "'answer': 42", "'answer': 43")
    says(live, 1, "The first page says 43.")
    live.wait_for_selector(".page[data-page='4'] .value.changed", state="attached")
    marked = live.locator("button.value.changed")
    assert [marked.nth(n).get_attribute("aria-label") for n in range(marked.count())] == ["43", "43"]
    assert live.inner_text("#announcer") == "The report is updated: 2 changed"


def test_an_error_is_shown_with_its_line_until_it_is_mended(live, folder):
    projects.change(folder / SECTION, "{one.values.other}", "{one.values.othr}")
    failure = live.wait_for_selector("[role='alert'] .failure").inner_text()
    assert "one.values has no key 'othr'" in failure
    assert re.search(r"at report_templates/report\.tex\.j2:7:\d+", failure)
    assert "cure: did you mean 'other'?" in failure
    assert live.inner_text(".pill") == "Build failed"
    says(live, 1, "The first page says 42.")
    assert browsers.serious(live) == []
    projects.change(folder / SECTION, "{one.values.othr}", "{one.values.other}")
    live.wait_for_selector(".failure", state="detached")
    live.wait_for_selector("#build", state="hidden")
    live.wait_for_selector(".pill[data-state='idle']")


def test_the_work_of_an_experiment_is_counted(live, folder):
    text = (folder / EXPERIMENT).read_text()
    slow = text.replace("    return {'a", "    lab.map(slowly, [{'x': x} for x in range(8)])\n    return {'a")
    slow = slow.replace("def run", "def slowly(x):\n    time.sleep(0.5)\n    return x\n\n\ndef run")
    (folder / EXPERIMENT).write_text(slow)
    live.wait_for_selector(".pill .words:text-matches('running one [1-7]/8')")
    live.click(".pill")
    live.wait_for_selector("#build .work:has-text(' of 8') progress")
    assert browsers.serious(live) == []
    live.wait_for_selector(".pill[data-state='idle']")


def test_several_tabs_show_the_same(live, folder):
    with opened_at(live.url.partition("#")[0]) as other:
        says(other, 2, "The second page.")
        projects.change(folder / SECTION, "The second page.", "The middle page.")
        for each in (live, other):
            says(each, 2, "The middle page.")


HIDDEN = """is => {
    Object.defineProperty(document, "hidden", { get: () => is, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_tab_that_nobody_looks_at_is_renewed_when_somebody_does(live, folder):
    live.evaluate(HIDDEN, True)
    projects.change(folder / SECTION, "The second page.", "The middle page.")
    with opened_at(live.url.partition("#")[0]) as other:
        says(other, 2, "The middle page.")
    assert "The second page." in live.text_content(".page[data-page='2'] .text")
    live.evaluate(HIDDEN, False)
    says(live, 2, "The middle page.")


def test_a_watch_that_has_ended_is_missed(folder):
    with watching(folder) as watch:
        window = browsers.chromium().new_context()  # that it cannot connect is an error on the console
        shown = window.new_page()
        shown.goto(address_of(watch))
        shown.wait_for_selector(".pill[data-state='idle']")
        watch.process.send_signal(signal.SIGINT)
        watch.wait(20)
        shown.wait_for_selector(".pill[data-state='lost']")
        assert shown.inner_text(".pill") == "Not connected"
        says(shown, 1, "The first page says 42.")
        window.close()


def test_no_file_of_the_project_holds_the_address(folder):
    with watching(folder) as watch:
        token = urlsplit(address_of(watch)).path.strip("/").encode()
        assert len(token) == 32
        projects.change(folder / SECTION, "The old sentence.", "A new one.")
        watch.sees("checks passed")
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert len(files) > 10
        assert [path for path in files if token in path.read_bytes()] == []
