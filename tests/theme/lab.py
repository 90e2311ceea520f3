"""Cells run by the page's own worker, several exercises in one Python, for the tests of the lab."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from browsing import HTML, ROOT
from exercises import solved

START = """async () => {
  const scripts = document.querySelector("script[type=module][src*='/lab.']").src;
  const { Runner } = await import(new URL("runner.js", scripts));
  const about = JSON.parse(document.getElementById("lab-data").textContent);
  const address = (name) => new URL(name, document.baseURI).href;
  window.runner = new Runner({ base: address(about.python), files: about.files, bytes: 1,
    rnnlib: address(about.rnnlib), shell: new URL("shell.py", scripts).href }, () => {});
  window.runner.grace = 60; // how soon Python itself ends a loop depends on the machine
  await window.runner.start();
}"""
RUN = """async (cells) => {
  const found = {};
  for (const { id } of cells) found[id] = { text: "", pictures: 0, ended: null };
  await window.runner.run(cells, (id, what, detail) => {
    if (what === "text") found[id].text += detail;
    if (what === "picture") found[id].pictures += 1;
    if (what === "ended") found[id].ended = detail;
  });
  return found;
}"""


class Lab:
    """A worker behind an exercise's page; `run` gives for each cell what came of it."""

    def __init__(self, page: Any, site: str, slug: str) -> None:
        self.page = page
        page.goto(f"{site}/exercises/{slug}.html")
        page.evaluate(START)

    def run(
        self, cells: Iterable[tuple[str, str]], seconds: float = 60
    ) -> dict[str, dict[str, Any]]:
        return self.page.evaluate(
            RUN, [{"id": id, "source": source, "seconds": seconds} for id, source in cells]
        )


def runtime() -> dict[str, list[int]]:
    """The files of Python for the browser; none where no carrier was to be had."""
    path = ROOT / "_build" / "pyodide" / "files.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def released(slug: str) -> dict[str, Any]:
    text = Path(HTML, "exercises", slug, f"{slug}.ipynb").read_text(encoding="utf-8")
    return json.loads(text)


def solutions(slug: str) -> dict[str, str]:
    """The instructor's lines for each cell to write, without markers and planted faults."""
    found = {}
    for cell in solved(slug).cells:
        if cell.is_solution:
            source = re.sub(r"(?s) *### BEGIN FAULTY.*?### END FAULTY\n", "", cell.source)
            found[cell.id] = re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", source)
    return found
