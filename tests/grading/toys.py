"""A small assignment of four tests, 8 points, with a package that holds the answers."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.utils import compute_checksum

from grading.marking.assignment import (
    CellSpecification,
    NotebookSpecification,
    Outcome,
    Specification,
    Submission,
)
from grading.marking.mark import mark

# quarters of two points: exact numbers, which may be compared as they are
POINTS = {"test_centred": 2.0, "test_stack": 2.0, "test_twice": 2.0, "test_share": 2.0}
HIDDEN = "HIDDEN-TEST-0d8f"  # stands in the hidden tests; nothing of a student's may show it
PACKAGE = "toykit"
UNAVAILABLE = "toykit.answers"

STUBS = {
    "centred": "def centred(x):\n    raise NotImplementedError('centred is not written yet')",
    "Stack": "class Stack:\n    pass",
    "twice": "def twice(f, x):\n    raise NotImplementedError('twice is not written yet')",
    "share": "def share(values):\n    raise NotImplementedError('share is not written yet')",
}
ANSWERS = {
    "centred": "def centred(x):\n    return x - x.mean(axis=1, keepdims=True)",
    "Stack": (
        "class Stack:\n    def __init__(self):\n        self.items = []\n"
        "    def push(self, item):\n        self.items.append(item)\n"
        "    def pop(self):\n        return self.items.pop()\n"
        "    def __len__(self):\n        return len(self.items)"
    ),
    "twice": "def twice(f, x):\n    return f(f(x))",
    "share": "def share(values):\n    return [v / sum(values) for v in values]",
}
TESTS = {
    "centred": f'''
def check(shapes, secret=""):
    rng = np.random.default_rng(3)
    for shape in shapes:
        x = rng.normal(size=shape)
        want = x - x.sum(axis=1, keepdims=True) / shape[1]
        np.testing.assert_allclose(centred(x), want, atol=1e-12, err_msg="centred is wrong")

check([(2, 3), (1, 5)])
assert np.allclose(centred(DATA).sum(axis=1), 0) and centred(DATA).shape == DATA.shape
assert isinstance(centred(DATA), np.ndarray), "centred gives no array"
### BEGIN HIDDEN TESTS
check([(4, 1), (7, 2)], "{HIDDEN}")
assert DATA.shape == (3, 4) and np.allclose(centred(DATA), LOCKED), "{HIDDEN}"
### END HIDDEN TESTS''',
    "Stack": """
stack = Stack()
assert len(stack) == 0
for item in range(5):
    stack.push(item * 10)
assert len(stack) == 5
assert [stack.pop() for _ in range(5)] == [40, 30, 20, 10, 0]
assert isinstance(stack, Stack)
try:
    stack.pop()
except IndexError:
    pass
else:
    raise AssertionError("an empty stack has nothing to pop")""",
    # an error that ends a map in silence would pass this
    "twice": f'''
def add_three(n):
    return n + 3
assert all(map(lambda n: twice(add_three, n) == n + 6, range(3))), "twice is wrong"
### BEGIN HIDDEN TESTS
secret = "{HIDDEN}"
assert all(map(lambda text: twice(str.upper, text) == text.upper(), ["abc", "d"]))
### END HIDDEN TESTS''',
    # whoever decides what CASES are decides the points
    "share": """
good = 0
for values in CASES:
    try:
        good += abs(share(list(values))[0] - values[0] / sum(values)) < 1e-9
    except Exception as error:
        print(error)
np.float64(2.0 * good / len(CASES))""",
}
LOCKED = """
import numpy as np
DATA = np.arange(12.0).reshape(3, 4)
LOCKED = DATA - DATA.mean(axis=1, keepdims=True)
CASES = [[1, 3], [2, 2], [5], [0.5, 0.25, 0.25]]
"""


def marks(grade_id: str, **about: Any) -> dict[str, Any]:
    base = {"grade": False, "locked": False, "solution": False, "task": False}
    return base | {"grade_id": grade_id, "schema_version": 3} | about


def notebook(answers: dict[str, str] | None = None) -> dict[str, Any]:
    """The released notebook with these answers, as JSON holds it."""
    new = nbformat.v4

    def cell(name: str, text: str, **about: Any) -> Any:
        return new.new_code_cell(
            text.strip("\n"), id=name, metadata={"nbgrader": marks(name, **about)}
        )

    cells = [cell("data", LOCKED, locked=True)]
    for name, stub in STUBS.items():
        cells.append(cell(name, (answers or {}).get(name, stub), solution=True))
        test = f"test_{name.lower()}"
        source = TESTS[name]
        cells.append(cell(test, source, grade=True, locked=True, points=POINTS[test]))
    return json.loads(json.dumps(new.new_notebook(cells=cells)))


def specification(**more: Any) -> Specification:
    """What is known of the assignment when it is marked."""
    cells = []
    for raw in notebook()["cells"]:
        node = nbformat.from_dict(raw)
        about = raw["metadata"]["nbgrader"]
        cells.append(
            CellSpecification(
                grade_id=about["grade_id"],
                kind=raw["cell_type"],
                source=raw["source"],
                checksum=compute_checksum(node),
                locked=about["locked"],
                grade=about["grade"],
                solution=about["solution"],
                task=False,
                points=about.get("points"),
            )
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    settings: dict[str, Any] = {"packages": (PACKAGE,), "unavailable": (UNAVAILABLE,)} | more
    return Specification("toy", (NotebookSpecification("toy", kernel, tuple(cells)),), **settings)


def package(folder: Path) -> None:
    """Write the assignment's package into a folder that is then put on Python's path."""
    root = folder / PACKAGE
    root.mkdir()
    (root / "__init__.py").write_text("from .answers import centred, K\nfrom .help import near\n")
    (root / "help.py").write_text("def near(a, b):\n    return abs(a - b) < 1e-9\n")
    (root / "answers.py").write_text(
        '"""ANSWER-KEY-77aa"""\nK = 3\n\n\ndef centred(x):\n'
        "    return x - x.mean(axis=1, keepdims=True)\n"
    )


def hand_in(
    content: dict[str, Any] | bytes, room: Any, spec: Specification, **files: bytes
) -> Outcome:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return mark(spec, Submission("ada", {"toy.ipynb": raw, **files}), room)


def scores(outcome: Outcome) -> dict[str, float | None]:
    return outcome.scores["toy"]


def total(outcome: Outcome) -> float:
    return sum(score or 0.0 for score in scores(outcome).values())


def with_cells(first: str = "", last: str = "", answers: dict[str, str] | None = None) -> dict:
    """The notebook with a cell of the student's at its head, and one at its end."""
    made = copy.deepcopy(notebook(answers))
    for name, text, position in (("first", first, 0), ("last", last, len(made["cells"]) + 1)):
        if text:
            made["cells"].insert(
                position,
                {
                    "cell_type": "code",
                    "id": name,
                    "metadata": {},
                    "source": text,
                    "outputs": [],
                    "execution_count": None,
                },
            )
    return made
