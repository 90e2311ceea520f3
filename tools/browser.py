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
        yield browser
        browser.close()
