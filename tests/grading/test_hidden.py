"""Nothing of a hidden test or a mark scheme reaches a student, by whatever way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import classes
import nbformat
import pytest

from grading.classroom import batch, gradebook
from grading.classroom.batch import Settings
from grading.marking.assignment import Specification, Submission
from grading.marking.mark import VERDICTS, mark
from grading.results.feedback import FeedbackPage, HideTests
from grading.sandbox import box
from grading.sandbox.room import Room

NUMBER = 72_911  # an argument in the hidden tests alone
WORD = "pomegranate"  # in their messages, and in the mark scheme
HIDDEN = f"""
### BEGIN HIDDEN TESTS
assert add({NUMBER}, 0) == {NUMBER}, "{WORD} {{}}".format(add({NUMBER}, 0))
### END HIDDEN TESTS"""
SCHEME = f"Why?\n\n### BEGIN MARK SCHEME\n4 points: {WORD}\n### END MARK SCHEME\n\nIn one line."


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Specification, Room]]:
    try:
        box.check()
    except box.BoxUnavailable as error:
        pytest.skip(str(error))
    coursedir = classes.opened(tmp_path_factory.mktemp("course"))
    source = classes.source()
    for cell in source.cells:
        if cell.id == "test_add":
            cell.source = "assert add(1, 2) == 3, 'add(1, 2) is not 3'" + HIDDEN
        if cell.id == classes.WORDS:
            cell.source = SCHEME
            cell.metadata.nbgrader |= {"task": True, "grade": False, "solution": False}
    classes.release(coursedir, notebook=source)
    with gradebook.opened(coursedir.db_url, classes.COURSE) as book:
        spec = batch.specification(book, coursedir, classes.ASSIGNMENT, Settings())
    with spec.room() as room:
        yield coursedir, spec, room


def page_of(marked: Any, add: str, behind: str = "") -> tuple[str, float]:
    """The feedback on an answer, and on a cell behind all tests; and the points of the test."""
    coursedir, spec, room = marked
    notebook = classes.solved(coursedir)
    classes.cell_of(notebook, "add")["source"] = add
    if behind:
        cell = {"cell_type": "code", "id": "behind", "metadata": {}, "outputs": []}
        notebook["cells"].append(cell | {"execution_count": None, "source": behind})
    raw = json.dumps(notebook).encode()
    outcome = mark(spec, Submission("ada", {f"{classes.ASSIGNMENT}.ipynb": raw}), room)
    exporter = FeedbackPage()
    exporter.register_preprocessor(HideTests, enabled=True)
    made = nbformat.reads(outcome.notebooks[classes.ASSIGNMENT], as_version=4)
    text, _ = exporter.from_notebook_node(made, {"nbgrader": {"score": 1, "max_score": 12}})
    return text, outcome.scores[classes.ASSIGNMENT]["test_add"] or 0.0


KEEP = "seen = []\ndef add(a, b):\n    seen.append(a)\n    return a + b"
BIG = "def add(a, b):\n    if a > 9: {}\n    return 3"
WAYS = {
    "an error's message": (BIG.format("raise ValueError(repr((a, b)))"), ""),
    "an error's name": (BIG.format("raise type(f'E{a}', (Exception,), {{}})()"), ""),
    "a wrong value that the test's message shows": (BIG.format("return a + 1"), ""),
    "what a later cell prints": (KEEP, "print(seen)"),
    "the error of a later cell": (KEEP, "raise KeyError(seen)"),
    "a syntax error that is raised": (KEEP, "raise SyntaxError(str(seen))"),
    "the name of a later error": (KEEP, "raise type(f'E{seen[-1]}', (Exception,), {})()"),
    "a value": (KEEP, "seen"),
    "a page": (KEEP, "from IPython.display import HTML, display\ndisplay(HTML(f'<b>{seen}</b>'))"),
    "Markdown": (KEEP, "from IPython.display import Markdown\nMarkdown(str(seen))"),
    "a warning": (KEEP, "import warnings\nwarnings.warn(str(seen))"),
    "the length of an output": (KEEP, "print('x' * seen[-1])"),
    "a file and the shell": (KEEP, "open('f', 'w').write(str(seen))\n!cat f"),
    "standard error": (KEEP, "import sys\nprint(seen, file=sys.stderr)"),
    "the name of a file": (KEEP, "open(f'{seen}.txt')"),
    "how a value shows itself": (
        "class A(int):\n    def __repr__(self): return str(int(self))\n"
        "def add(a, b):\n    return 3 if a < 9 else [A(a)]",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_way_carries_a_hidden_test_to_the_page(marked: Any, way: str) -> None:
    page, points = page_of(marked, *WAYS[way])
    digits = str(NUMBER)
    assert WORD not in page and digits not in page
    assert "x" * 1000 not in page
    honest = WAYS[way][0] == KEEP
    assert points == (2 if honest else 0)
    assert (VERDICTS["failed"] in page) is not honest


def test_what_visible_tests_say_is_shown_whole(marked: Any) -> None:
    page, points = page_of(marked, "def add(a, b):\n    return 4", "print('mine')\n1 / 0")
    assert points == 0 and "add(1, 2) is not 3" in page and VERDICTS["failed"] not in page
    assert "mine" in page and "division by zero" in page
    assert WORD not in page and "In one line." in page


def test_a_hidden_test_that_takes_too_long_says_so(marked: Any) -> None:
    coursedir, spec, _ = marked
    with replace(spec, limits={"cell_seconds": 1}).room() as room:
        slow = "def add(a, b):\n    while a > 9: pass\n    return 3"
        page, points = page_of((coursedir, spec, room), slow)
    assert points == 0 and VERDICTS["late"] in page and str(NUMBER) not in page
