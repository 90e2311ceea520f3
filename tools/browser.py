"""Debian's Chromium, driven by Playwright: for the tests of pages and for what the book prints."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FLAGS = [
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MISSING = "Chromium is not installed: `apt-get install chromium` (Debian)"
# What a page may take for anything: only what never comes takes so long, also on a busy machine.
PATIENCE = 300_000  # ms; two cores with ten times their work start Python in a page within 62 s

# An observer's first report comes with a frame, in which the others report, too, and after them.
SETTLED = """async () => {
  await document.fonts.ready;
  await new Promise((done) => new IntersectionObserver((_, own) => { own.disconnect(); done(); })
    .observe(document.documentElement));
}"""


@contextmanager
def launched() -> Iterator[Any]:
    """A browser that is closed at the end; FileNotFoundError where there is no Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError(MISSING)
    # Chromium refuses to sandbox itself as root, which is what containers run as.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS + root)
        browser.on("context", lambda context: context.set_default_timeout(PATIENCE))
        yield browser
        browser.close()


def settle(page: Any) -> None:
    """Wait until the page has answered what was done to it last.

    A new width, a scroll or a first drawing is answered by observers, in the frame after it.
    """
    page.evaluate(SETTLED)


def resize(page: Any, width: int, height: int = 900) -> None:
    """Give the window another size, and the page the time to answer."""
    page.set_viewport_size({"width": width, "height": height})
    settle(page)


def stop_clock(page: Any) -> None:
    """From here on, time passes in the page only when `page.clock` is told so."""
    page.clock.install(time=0)
    page.clock.pause_at(3600)  # an hour later: until then it goes on
