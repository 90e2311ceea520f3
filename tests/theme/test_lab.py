"""What the notebooks say, the pages say: every assignment in the browser's Python.

In one worker for all. Two assignments, and those that have changed; with LAB=all every one
(`make lab-check`, once a week).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from changed import changed_files
from exercises import SLUGS, answers, failure, solved
from lab import Lab, released, runtime, solutions

CHANGED = {part for name in changed_files() for part in name.split("/")[:-1]}
CHOSEN = [
    slug
    for slug in SLUGS
    if slug in (SLUGS[0], SLUGS[1]) or slug in CHANGED or os.environ.get("LAB") == "all"
]

# Messages that differ, and why. What an array holds that nothing has filled in yet is never the
# same; where that reaches the message, the cause must be the same, and the numbers need not be.
UNFILLED = (
    "entries are used before they are filled in",
    "a `return` stands inside the loop",
)


@pytest.fixture(scope="module")
def lab(browser, site: str) -> Iterator[Lab]:
    if not runtime():
        pytest.skip("there is no Python for the browser here: theme/carrier.py says why")
    context = browser.new_context()
    yield Lab(context.new_page(), site, SLUGS[0])
    context.close()


def given(slug: str) -> list[tuple[str, str]]:
    """The cells of a notebook before which no test can run."""
    cells = solved(slug).cells
    locked = [cell for cell in cells if cell.kind == "code" and cell.marks.get("locked")]
    return [(cell.id, cell.source) for cell in locked if not cell.is_test]


def visible(slug: str) -> list[tuple[str, str]]:
    return [(cell.id, cell.visible) for cell in solved(slug).tests]


@pytest.mark.parametrize("slug", CHOSEN)
def test_solutions_pass_and_stubs_say_what_is_missing(lab: Lab, slug: str) -> None:
    stubs = {
        cell["id"]: "".join(cell["source"])
        for cell in released(slug)["cells"]
        if cell["id"] in solutions(slug)
    }
    came = lab.run([*given(slug), *stubs.items(), *visible(slug)])
    for cell in solved(slug).tests:
        said = came[cell.id]["ended"]
        assert said and "Traceback" not in said, f"{cell.id}: {said}"
    for cell, tests in solved(slug).exercises().values():
        if "is not written yet" in stubs[cell.id]:
            assert "is not written yet: put your lines" in came[tests[0].id]["ended"]
    came = lab.run([*given(slug), *solutions(slug).items(), *visible(slug)])
    assert {name: one["ended"] for name, one in came.items() if one["ended"]} == {}


@pytest.mark.parametrize("slug", CHOSEN)
def test_a_wrong_answer_gets_the_message_that_it_gets_elsewhere(lab: Lab, slug: str) -> None:
    assignment, right = solved(slug), solutions(slug)
    exercises, wrong = assignment.exercises(), answers(solved(slug))
    cells = [*given(slug), *right.items(), ("preamble", wrong[0].preamble)]
    for number, answer in enumerate(wrong):
        cell, tests = exercises[answer.function]
        cells.append((f"{number}", answer.source))
        cells += [(f"{number} {test.id}", test.visible) for test in tests]
        cells.append((f"{number} again", right[cell.id]))
    came = lab.run(cells)
    differ = []
    for number, answer in enumerate(wrong):
        _, tests = exercises[answer.function]
        shown = [came[f"{number} {test.id}"]["ended"] for test in tests]
        here = next(filter(None, shown), "")
        scope = answer.into(assignment.namespace())
        error = failure([test.replace(test.visible) for test in tests], scope)
        there = str(error) if error else ""
        if spoken(here) != spoken(there):
            differ.append(f"{answer.name}\n--- in the page\n{here}\n--- elsewhere\n{there}\n")
    print(f"{slug}: {len(wrong) - len(differ)} of {len(wrong)} messages are the same")
    assert not differ, "\n".join(differ)


def spoken(message: str) -> str:
    """A message as far as it is the same everywhere."""
    if any(cause in message for cause in UNFILLED):
        return re.search(r"Likely cause: .+", message)[0]
    return message.replace("int32", "int64")  # NumPy's whole numbers in the browser


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "for _ in iter(int, 1):\n    for _ in range(3):\n        pass",
        "import itertools\nfor _ in itertools.cycle([1]):\n    pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "sum(1 for _ in iter(int, 1))",
    ],
)
def test_an_endless_loop_ends_and_python_lives_on(lab: Lab, source: str) -> None:
    lab.run([("before", "kept = 1")])
    came = lab.run([("loop", source)], seconds=1)
    assert came["loop"]["ended"] == "It was ended after 1 seconds. Does a loop in it never end?"
    assert lab.run([("after", "kept + 1")])["after"]["text"] == "2\n"


def test_what_a_cell_shows(lab: Lab) -> None:
    came = lab.run(
        [
            ("value", "x = 3\nx + 1"),
            ("quiet", "y = 2"),
            ("error", "def f():\n    return 1 / 0\n\nf()"),
            ("syntax", "def f(:"),
            ("figure", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint(1)"),
            ("helper", "from rnnlib import plot\nplot.style()"),
        ]
    )
    came |= lab.run([("much", "while True: print('again and again')")], seconds=3)
    assert came["value"]["text"] == "4\n" and came["quiet"]["text"] == ""
    assert came["error"]["ended"].endswith("ZeroDivisionError: division by zero")
    assert came["error"]["ended"].count("File") == 2 and "<cell error>" in came["error"]["ended"]
    assert "SyntaxError" in came["syntax"]["ended"]
    assert "the rest is not shown" in came["much"]["text"] and len(came["much"]["text"]) < 21_000
    assert came["figure"]["pictures"] == 1 and came["figure"]["text"] == "1\n"
    assert came["helper"]["ended"] == ""


def test_a_loop_that_is_not_pythons_ends_with_the_worker(lab: Lab) -> None:
    """Last, since what has run before is then gone."""
    source = "import itertools\nsum(itertools.count())"
    lab.page.evaluate("runner.grace = 1")
    came = lab.run([("count", source)], seconds=1)
    assert "a function that it calls did not come back" in came["count"]["ended"]
    assert lab.run([("on", "1 + 1")])["on"]["text"] == "2\n"
