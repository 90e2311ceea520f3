"""A light assignment of four tests, and a class that hands it in; a room without a box."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
import traceback
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading.sandbox.room import Execution

ASSIGNMENT = "ps1"
COURSE = "light"
# whole and half points: their sums are exact, and may be compared as they are
FULL = {"test_add": 2.0, "test_mean": 2.0, "test_scale": 3.0, "test_clip": 1.0}
ANSWERS = {
    "add": "def add(a, b):\n    return a + b",
    "mean": "def mean(x):\n    return np.sum(x) / np.size(x)",
    "scale": "def scale(x, k):\n    return k * np.asarray(x)",
    "clip": "def clip(x, low, high):\n    return np.minimum(np.maximum(x, low), high)",
}
TESTS = {
    "add": "assert add(1, 2) == 3, 'add(1, 2) is not 3'\n"
    "### BEGIN HIDDEN TESTS\nassert add(-1, 1) == 0\n### END HIDDEN TESTS",
    "mean": "assert mean(np.arange(5.0)) == 2, 'the mean of 0 … 4 is 2'",
    "scale": "assert np.all(scale(np.ones(3), 2) == 2), 'scale does not scale'\n"
    "3.0 if np.all(scale([1], 0) == 0) else 1.5",
    "clip": "assert clip(5, 0, 1) == 1, 'clip lets 5 pass'",
}
WORDS = "words"


def _marks(grade_id: str, **about: Any) -> dict[str, Any]:
    base = {"grade": False, "locked": False, "solution": False, "task": False}
    return {"nbgrader": base | {"grade_id": grade_id, "schema_version": 3} | about}


def source() -> Any:
    """The instructor's notebook."""
    new = nbformat.v4
    cells = [
        new.new_markdown_cell("# Light", id="title"),
        new.new_code_cell(
            "import numpy as np", id="imports", metadata=_marks("imports", locked=True)
        ),
    ]
    for name, answer in ANSWERS.items():
        head, body = answer.split("\n")
        text = f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        cells.append(new.new_code_cell(text, id=name, metadata=_marks(name, solution=True)))
        test = f"test_{name}"
        about = _marks(test, grade=True, locked=True, points=FULL[test])
        cells.append(new.new_code_cell(TESTS[name], id=test, metadata=about))
    about = _marks(WORDS, grade=True, solution=True, points=4)
    cells.append(new.new_markdown_cell("The answer.", id=WORDS, metadata=about))
    notebook = new.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata.light = {"hidden": []}
    return notebook


def course(root: Path, database: str = "") -> CourseDirectory:
    """A course folder with the assignment released."""
    root.mkdir(parents=True, exist_ok=True)
    coursedir = opened(root, database)
    release(coursedir)
    return coursedir


def opened(root: Path, database: str = "") -> CourseDirectory:
    """A course folder that is there already."""
    about = {"root": str(root), "course_id": COURSE} | ({"db_url": database} if database else {})
    return CourseDirectory(config=Config(CourseDirectory=about))


def release(coursedir: CourseDirectory, name: str = ASSIGNMENT, notebook: Any = None) -> None:
    path = Path(coursedir.root) / "source" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook or source(), path)
    coursedir.assignment_id = name
    converter = GenerateAssignment(coursedir=coursedir, config=coursedir.config)
    converter.log.setLevel(logging.ERROR)
    converter.force = True
    converter.start()
    coursedir.assignment_id = ""


def released(coursedir: CourseDirectory, name: str = ASSIGNMENT) -> dict[str, Any]:
    path = Path(coursedir.root) / "release" / name / f"{name}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


def cell_of(notebook: dict[str, Any], id: str) -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if cell["id"] == id)


def solved(coursedir: CourseDirectory, wrong: tuple[str, ...] = ()) -> dict[str, Any]:
    """The release with right answers, but for those named."""
    notebook = copy.deepcopy(released(coursedir))
    for name, answer in ANSWERS.items():
        if name not in wrong:
            cell_of(notebook, name)["source"] = answer
    return notebook


def hand_in(coursedir: CourseDirectory, student: str, content: Any, name: str = ASSIGNMENT) -> Path:
    """Put a notebook (or bytes) where the collector puts it."""
    folder = Path(coursedir.root) / "submitted" / student / name
    folder.mkdir(parents=True, exist_ok=True)
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / f"{name}.ipynb").write_bytes(raw)
    return folder


class OpenRoom:
    """Runs cells in this process: for tests of what happens around the box."""

    def run(self, notebook: Any, *, seed: int = 0, **_: Any) -> Execution:
        notebook = copy.deepcopy(notebook)
        scope: dict[str, Any] = {"SEED": seed}
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            *first, last = cell.source.rsplit("\n", 1)
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    graded = cell.metadata.get("nbgrader", {}).get("grade")
                    if graded and not last.startswith((" ", "assert", "#")):
                        exec("\n".join(first), scope)
                        value = eval(last, scope)
                        cell.outputs = [
                            nbformat.v4.new_output(
                                "execute_result", {"text/plain": repr(float(value))}
                            )
                        ]
                    else:
                        exec(cell.source, scope)
            except Exception as error:
                cell.outputs = [
                    nbformat.v4.new_output(
                        "error",
                        ename=type(error).__name__,
                        evalue=str(error),
                        traceback=traceback.format_exc().splitlines(),
                    )
                ]
        return Execution(notebook, seconds=0.01, cpu=0.01)

    def __exit__(self, *_: Any) -> None:
        pass
