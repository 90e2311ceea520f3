"""A notebook's cells as they lie on the disk, and what its parts are called."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LONGEST_NAME = 100  # characters of a heading
LONGEST_TEXT = 20_000  # of a cell in which headings are looked for


def cells(path: Path) -> list[dict[str, Any]]:
    """Read a notebook's cells; none where there is no notebook."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return []


def marks_of(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give nbgrader's metadata of a cell."""
    return cell.get("metadata", {}).get("nbgrader", {})


def source_of(cell: Mapping[str, Any]) -> str:
    """Give the text of a cell."""
    return "".join(cell.get("source", ""))


def titles(cells: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Find what the assignment calls each part, by the name that the gradebook has.

    The heading above says what it is, and the first line of a test which of several it is.
    """
    heading, found = "", {}
    for cell in cells:
        marks = marks_of(cell)
        if marks.get("grade") or marks.get("task"):
            part = re.match(r"# (Exercise \w+), tests:", source_of(cell))
            said = re.sub(r"^(Exercise )?\d\w*: ", "", heading)
            name = ": ".join(filter(None, [part and part[1], said]))
            found[str(marks["grade_id"])] = name or str(marks["grade_id"])
        elif cell.get("cell_type") == "markdown" and not marks:
            for line in re.findall(r"(?m)^##+ (.+)", source_of(cell)[:LONGEST_TEXT]):
                heading = re.sub(r" \([^()]*points?\)$", "", line.strip())[:LONGEST_NAME]
    return found
