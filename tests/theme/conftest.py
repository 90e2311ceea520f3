"""What tests of pages share: the served site, and a page in the browser of tests/conftest.py.

    def test_something(site, page):
        page.goto(f"{site}/01_storybook.html")

`page` is fresh for each test and, when the test ends, fails it if the browser saw a
console error, an uncaught exception or a request to another host.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import HTML, watch
from serve import serving


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the built site."""
    if not (HTML / "index.html").is_file():
        pytest.fail("There is no website in _build/html: build it with `make site`.", pytrace=False)
    return HTML


@pytest.fixture(scope="session")
def site(html: Path) -> Iterator[str]:
    """The address of the built site, served on the loopback interface, without a slash."""
    with serving(html) as address:
        yield address


@pytest.fixture
def page(browser, site: str):
    """A fresh page, 1280 × 800, light; fails its test on console errors and foreign requests."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page = context.new_page()
    problems = watch(page, site)
    yield page
    context.close()
    assert not problems, "\n".join(problems)
