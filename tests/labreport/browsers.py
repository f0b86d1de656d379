"""A real browser for tests: Debian's chromium through Playwright, in which nothing may go wrong unseen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

ARGUMENTS = (
    "--no-sandbox",  # which containers do not allow
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


@cache
def running() -> Playwright:
    """Return what drives browsers. As long as it does, nothing else in this process can run an event loop."""
    from playwright.sync_api import sync_playwright

    return sync_playwright().start()


@cache
def chromium() -> Browser:
    """Return the browser of this process, started once for each file of tests."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on the PATH")
    return running().chromium.launch(executable_path=path, args=list(ARGUMENTS))


def close() -> None:
    """End the browser, if there is one."""
    if running.cache_info().currsize:
        chromium().close()
        running().stop()
    chromium.cache_clear()
    running.cache_clear()


@contextmanager
def opened(
    page: Path | str, *, width: int = 1280, height: int = 860, server: str | None = None, **context: Any
) -> Iterator[Page]:
    """Open a file, or an address of `server`, in a window of its own.

    Fails at the end on any request elsewhere (which is not let through), error, message of an error in the
    console, or dialog. `context` is what Playwright calls so: colour scheme, reduced motion.
    """
    address = page.as_uri() if isinstance(page, Path) else page
    window = chromium().new_context(viewport={"width": width, "height": height}, **context)
    window.set_default_timeout(15_000)
    shown, wrong = window.new_page(), []
    allowed = ("file:", "data:", "blob:", *([server] if server else []))

    def route(call: Any) -> None:
        if call.request.url.startswith(allowed):
            call.continue_()
        else:
            wrong.append(f"request: {call.request.url}")
            call.abort()

    def dismiss(dialog: Any) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    window.route("**/*", route)
    shown.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    shown.on("console", lambda message: message.type == "error" and wrong.append(f"console: {message.text}"))
    shown.on("dialog", dismiss)
    try:
        shown.goto(address)
        yield shown
        assert wrong == []
    finally:
        window.close()


def serious(page: Page) -> list[str]:
    """Return what axe finds wrong with a page's accessibility, as rule and element.

    Left out is the rule of links that skip to the content: it takes the first link inside the report for one.
    """
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    found = [rule for rule in found if rule["id"] != "skip-link"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
