"""What tests of several parts share: one browser a process, since Playwright allows no second."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes, or is drawn, says nothing on a busy machine. The gate draws the same
# examples each time; to look for new ones: pytest --hypothesis-profile=default
settings.register_profile(
    "unrolled",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unrolled")


@pytest.fixture(scope="session")
def public() -> Callable[[str], Path]:
    """The path of public data by its name; skips where it is not to be had. Nothing is fetched."""
    from rnnlib.data.download import find

    def path(name: str) -> Path:
        try:
            return find(name, fetch=False)
        except FileNotFoundError as error:
            pytest.skip(str(error))

    return path


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Debian's Chromium is."""
    path = shutil.which("chromium")
    if path is None:
        from browser import MISSING

        pytest.skip(MISSING)
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    from browser import PATIENCE, launched
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE)
    with launched() as browser:
        yield browser


def pytest_report_header() -> str | None:
    """Whose arithmetic the tests run on."""
    pinned = "OPENBLAS_CORETYPE" in os.environ
    return (
        None if pinned else "arithmetic: this processor's own (`make test` and `make check` pin it)"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What each part of a long run took: a chapter with all that names it, else a file of tests."""
    took: Counter[str] = Counter()
    for report in itertools.chain(*terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            chapter = re.search(r"(?<!\d)\d\d_[a-z]+", report.nodeid)
            took[chapter[0] if chapter else report.nodeid.partition("::")[0]] += report.duration
    if sum(took.values()) > 60:
        terminalreporter.section("seconds that each part took")
        for part, seconds in took.most_common():
            if seconds >= 1:
                terminalreporter.write_line(f"{seconds:6.0f}  {part}")
