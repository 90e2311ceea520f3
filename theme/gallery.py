"""{gallery}: the applications of the course side by side, each with its score beside a baseline.

Nothing in it is typed: scores are read from what a chapter printed, pictures are its own. A
chapter says in the metadata of the cell that prints the scores what is shown:

    "gallery": {
      "shows": "fig-text-curves",              a figure of the chapter
      "plays": "11_speech_heard.wav",          if there is a sound or a clip: the chapter's own
      "says": "One sentence: what is heard, seen or read there.",
      "measure": "bits per character, fewer are better",
      "scores": [["Three LSTMs", "three LSTMs together", 1], ["Counting", "Kneser-Ney", 1]]
    }

A score has a name, a row of the printed table, by how it begins, and the column behind that,
from 1; columns stand two blanks apart. The network's comes first.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from theme import ROOT

PICTURES = ROOT / "_build" / "gallery"


class Gallery(SphinxDirective):
    def run(self):
        source = Path(self.env.srcdir)
        course = yaml.safe_load((source / "course.yml").read_text(encoding="utf-8"))
        slugs = {int(slug[:2]): slug for slug in course["chapters"]}
        lines: list[str] = []
        for application, number in course["promises"]["applications"]:
            path = source / f"{slugs[number]}.ipynb"
            if not path.is_file():
                continue  # not written yet
            self.env.note_dependency(str(path))
            try:
                lines += entry(application, path)
            except ValueError as error:
                raise self.error(f"{path.name}: {error}") from error
        box = nodes.container(classes=["gallery"])
        self.state.nested_parse(StringList(lines, "gallery"), self.content_offset, box, True)
        return box.children


def entry(application: str, path: Path) -> list[str]:
    """One application, in lines of Markdown."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    said = [cell for cell in cells if "gallery" in cell["metadata"]]
    if len(said) != 1:
        raise ValueError(f"{len(said)} cells have `gallery` in their metadata, not one")
    here = said[0]["metadata"]["gallery"]
    printed = "".join("".join(output.get("text", [])) for output in said[0]["outputs"])
    image = picture(cells, here["shows"], PICTURES / f"{path.stem}.png")
    chapter = f"{{chapter}}`chapter {path.stem[:2]} <{path.stem}>`"
    scores = [(who, score(printed, *where)) for who, *where in here["scores"]]
    return [
        f"## {application}",
        "",
        f"```{{image}} ../_build/gallery/{path.stem}.png",
        f":alt: {image['alt']}",
        *([f":class: {image['classes']}"] if "classes" in image else []),
        "```",
        "",
        *([player(cells, here["plays"]), ""] if "plays" in here else []),
        f"{here['says']} {{numref}}`{here['shows']}` in {chapter}.",
        "",
        f"| model | {here['measure']} |",
        "|---|---|",
        *(f"| {who} | {number} |" for who, number in scores),
        "",
    ]


def score(printed: str, row: str, column: int) -> str:
    """What stands in a printed table, in the only row that begins so."""
    rows = [line for line in printed.splitlines() if re.match(rf"\s*{re.escape(row)}\s", line)]
    if len(rows) != 1:
        raise ValueError(f"{len(rows)} printed lines begin with {row!r}, not one")
    columns = re.split(r"\s{2,}", rows[0].strip().removeprefix(row).strip().replace("– ", "–"))
    if not 1 <= column <= len(columns) or not re.search(r"\d", columns[column - 1]):
        raise ValueError(f"the line {rows[0].strip()!r} has no number in column {column}")
    return columns[column - 1]


def picture(cells: list[dict[str, Any]], name: str, path: Path) -> dict[str, str]:
    """Write a figure of the chapter to a file, and return its words and its classes."""
    for cell in cells:
        mystnb = cell["metadata"].get("mystnb", {})
        if mystnb.get("figure", {}).get("name") != name:
            continue
        for output in cell["outputs"]:
            if png := output.get("data", {}).get("image/png"):
                path.parent.mkdir(parents=True, exist_ok=True)
                data = base64.b64decode("".join(png))
                if not path.is_file() or path.read_bytes() != data:
                    path.write_bytes(data)
                return mystnb["image"]
    raise ValueError(f"no cell draws the figure {name!r}")


def player(cells: list[dict[str, Any]], file: str) -> str:
    """The chapter's own player of a sound or a clip, with its words."""
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    found = re.search(rf'<(audio|video)\b[^>]*"media/{re.escape(file)}".*?</\1>', text, re.DOTALL)
    if not found:
        raise ValueError(f"no sound or clip of the text has the file {file!r}")
    return f"<p>{found[0]}</p>"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True}
