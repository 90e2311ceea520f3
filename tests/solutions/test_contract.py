"""Whatever an exercise's function does to what it is handed, the other exercises keep their marks.

Each assignment is run with one function after the other replaced by one that spoils all
that it can reach, once the right answer is computed: in this process, as in the notebook,
and through the grader's two processes.
"""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from exercises import SLUGS, Assignment, Cell, compiled, failure, solved
from nbformat.notebooknode import NotebookNode

from grading.execution import Room

SPOILER = """
import copy, random, warnings
import numpy as np

_right = {name}


def {name}(*arguments):
    def spoil(thing):
        if isinstance(thing, np.ndarray):
            thing[...] = 1
        elif isinstance(thing, list):
            [spoil(one) for one in thing]
            thing.clear()
        elif isinstance(thing, dict):
            thing.clear()
        elif isinstance(thing, np.random.Generator):
            thing.random(7)

    result = copy.deepcopy(_right(*arguments))
    for argument in arguments:
        spoil(argument)
    np.seterr(all="raise")
    np.set_printoptions(precision=1, threshold=3)
    warnings.simplefilter("error")
    np.random.seed(0)
    random.seed(0)
    return result
"""


def others(assignment: Assignment, function: str) -> list[Cell]:
    """The tests of all exercises but one."""
    mine = assignment.exercises()[function][1]
    return [test for test in assignment.tests if test not in mine]


@pytest.mark.parametrize("slug", SLUGS)
def test_in_the_notebook(slug: str) -> None:
    assignment = solved(slug)
    for function, (_, tests) in assignment.exercises().items():
        # the other solutions go on calling the right one, which their own names hold
        scope = dict(assignment.namespace())
        exec(compiled(SPOILER.format(name=function), "<spoiler>"), scope)
        error = failure(tests, scope)
        assert error is None or "changed its argument" in str(error), f"{function}: {error}"
        for test in others(assignment, function):
            error = failure([test], scope)
            assert error is None, f"{function} spoils {test.id}: {error}"


@pytest.mark.parametrize("slug", SLUGS)
def test_in_the_grader(slug: str) -> None:
    """There the function is spoiled before its own tests and right again after them."""
    assignment = solved(slug)
    with Room(packages=["rnnlib"], unavailable=unavailable(assignment)) as room:
        for function, (_, tests) in assignment.exercises().items():
            notebook = nbformat.read(assignment.path, as_version=4)
            places = [k for k, c in enumerate(notebook.cells) if c.id in {t.id for t in tests}]
            own = nbformat.v4.new_code_cell
            notebook.cells.insert(places[-1] + 1, own(f"{function} = _right"))
            notebook.cells.insert(places[0], own(SPOILER.format(name=function)))
            errors = failures(room.run(notebook).notebook)
            for test in others(assignment, function):
                assert test.id not in errors, f"{function} spoils {test.id}: {errors[test.id]}"


def unavailable(assignment: Assignment) -> list[str]:
    return assignment.notebook["metadata"]["unrolled"]["unavailable"]


def failures(done: NotebookNode) -> dict[str, Any]:
    """What the failing tests of a marked notebook say."""
    return {
        cell.metadata.nbgrader.grade_id: output.evalue
        for cell in done.cells
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    }
