"""What tests of pages share: the served site and a browser.

    def test_something(site, page):
        page.goto(f"{site}/01_storybook.html")

`page` is fresh for each test and, when the test ends, fails it if the browser saw a
console error, an uncaught exception or a request to another host.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

sys.path.insert(0, str(ROOT / "theme"))


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the built site."""
    if not (HTML / "index.html").is_file():
        pytest.fail("There is no website in _build/html: build it with `make site`.", pytrace=False)
    return HTML


@pytest.fixture(scope="session")
def site(html: Path) -> Iterator[str]:
    """The address of the built site, served on the loopback interface, without a slash."""
    from serve import serving

    with serving(html) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, driven by Playwright."""
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed: `apt-get install chromium` (Debian)")
    from playwright.sync_api import sync_playwright

    # Chromium refuses to sandbox itself as root, which is what containers run as.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS + root)
        yield browser
        browser.close()


def watch(page, site: str) -> list[str]:
    """A list that fills with console errors, exceptions and requests to other hosts."""
    problems: list[str] = []
    local = (site + "/", "data:", "blob:", "about:")

    def on_console(message):
        if message.type == "error":
            problems.append(f"console: {message.text}")

    def on_request(request):
        if not request.url.startswith(local):
            problems.append(f"request to another host: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    page.on("request", on_request)
    return problems


@pytest.fixture
def page(browser, site: str):
    """A fresh page, 1280 × 800, light; fails its test on console errors and foreign requests."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page = context.new_page()
    problems = watch(page, site)
    yield page
    context.close()
    assert not problems, "\n".join(problems)
