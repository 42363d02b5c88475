"""Chromium without a screen, for tests that look at a UI as its users do.

`page` is a fixture; mark its tests `browser` and `needs_chromium`. `keep` saves what it shows for the README.
Nothing outside this machine is reached.
"""

import os
import shutil
from pathlib import Path

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next(filter(None, map(shutil.which, PROGRAMS)), None)
MISSING = f"needs Chromium: none of {', '.join(PROGRAMS)} is installed"
needs_chromium = pytest.mark.skipif(PROGRAM is None, reason=MISSING)  # before anything is started
ARGUMENTS = (
    "--no-sandbox",  # which a container, or root, does not allow
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
MILLISECONDS = 40_000  # for anything to appear on a busy machine
SIZE = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def chromium():
    """The browser, for one module: as long as Playwright is at work, nothing else can run an event loop here."""
    if PROGRAM is None:
        pytest.skip(MISSING)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS, timeout=MILLISECONDS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """An empty page, with nothing remembered from another test."""
    context = chromium.new_context(viewport=SIZE)
    context.set_default_timeout(MILLISECONDS)
    yield context.new_page()
    context.close()


def keep(page, name: str) -> None:
    """Save what the page shows as NAME.png in the folder MNIST_SCREENSHOTS, if that is set."""
    if folder := os.environ.get("MNIST_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")
