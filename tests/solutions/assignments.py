"""An assignment's notebook, taken apart and run cell by cell in this process."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).parents[2]
SLUGS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))


def nbgrader(folder: Path, *command: str) -> str:
    """Run one of nbgrader's commands in a course folder; its log is the result."""
    result = subprocess.run(
        ["nbgrader", *command], cwd=folder, capture_output=True, text=True, timeout=900
    )
    log = result.stdout + result.stderr
    assert result.returncode == 0, f"nbgrader {' '.join(command)}\n{log}"
    return log


@dataclass
class Cell:
    id: str
    kind: str  # code or markdown
    source: str
    marks: dict[str, Any]  # nbgrader's metadata, empty for an ordinary cell
    raw: dict[str, Any] = field(repr=False)

    @property
    def is_test(self) -> bool:
        return self.kind == "code" and bool(self.marks.get("grade"))

    @property
    def is_solution(self) -> bool:
        return self.kind == "code" and bool(self.marks.get("solution"))

    @property
    def code(self) -> CodeType:
        return compile(self.source, f"<cell {self.id}>", "exec")


@dataclass
class Assignment:
    path: Path

    def __post_init__(self) -> None:
        self.notebook = json.loads(self.path.read_text(encoding="utf-8"))
        self.cells = [
            Cell(
                raw["id"],
                raw["cell_type"],
                "".join(raw["source"]),
                raw["metadata"].get("nbgrader", {}),
                raw,
            )
            for raw in self.notebook["cells"]
        ]

    @property
    def unavailable(self) -> list[str]:
        return self.notebook["metadata"]["unrolled"]["unavailable"]

    @property
    def tests(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.is_test]

    def exercises(self) -> dict[str, tuple[Cell, list[Cell]]]:
        """For each function to write: the cell that holds it, and the tests below it."""
        found: dict[str, tuple[Cell, list[Cell]]] = {}
        current: list[Cell] = []
        for cell in self.cells:
            if cell.is_solution:
                current = []
                for name in re.findall(r"(?m)^def (\w+)", cell.source):
                    found[name] = (cell, current)
            elif cell.is_test:
                current.append(cell)
        return found

    @functools.cached_property
    def given(self) -> dict[str, Any]:
        """What the locked cells define: imports, data. Run once."""
        scope: dict[str, Any] = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in self.cells:
                if cell.kind == "code" and cell.marks and not cell.is_test and not cell.is_solution:
                    exec(cell.code, scope)
        return scope

    def namespace(self) -> dict[str, Any]:
        """A fresh one, in which all but the tests and the pictures has been run."""
        scope = dict(self.given)
        for cell in self.cells:
            if cell.is_solution:
                exec(cell.code, scope)
        return scope


def failure(cells: list[Cell], scope: dict[str, Any]) -> Exception | None:
    """What the first failing cell raised, or None."""
    for cell in cells:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(cell.code, scope)
        except Exception as error:
            return error
    return None
