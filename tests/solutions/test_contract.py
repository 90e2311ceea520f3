"""What the grader owes every assignment, and what one exercise owes the others.

Each assignment goes through the grader's two processes: the solution earns everything,
stubs earn nothing, wrong answers are told their cause as in the notebook. And whatever an
exercise's function does to what it is handed, the other exercises keep their marks, in the
notebook and in the grader.
"""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest
from exercises import SLUGS, Assignment, answers, compiled, failure, solved
from nbformat.notebooknode import NotebookNode
from nbgrader.utils import determine_grade

from grading.sandbox.room import Room

# it computes the right answer and then spoils all that it can reach
SPOILER = """
import copy, random, warnings
import numpy as np

_right_{name} = {name}


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

    result = copy.deepcopy(_right_{name}(*arguments))
    for argument in arguments:
        spoil(argument)
    np.seterr(all="raise")
    np.set_printoptions(precision=1, threshold=3)
    warnings.simplefilter("error")
    np.random.seed(0)
    random.seed(0)
    return result
"""
CRASH = "return nothing_of_this_name"


@pytest.fixture(scope="module", params=SLUGS)
def course(request: pytest.FixtureRequest) -> Iterator[tuple[Assignment, Room]]:
    assignment = solved(request.param)
    unavailable = assignment.notebook["metadata"]["unrolled"]["unavailable"]
    with Room(packages=["rnnlib"], unavailable=unavailable) as room:
        yield assignment, room


def handed_in(assignment: Assignment, cells: dict[str, str]) -> NotebookNode:
    """The solved notebook with other lines in some cells."""
    notebook = nbformat.read(assignment.path, as_version=4)
    for cell in notebook.cells:
        cell.source = cells.get(cell.id, cell.source)
    return notebook


def meanwhile(assignment: Assignment, sources: dict[str, str]) -> NotebookNode:
    """The solved notebook in which a function is another one while its own tests run."""
    notebook = handed_in(assignment, {})
    for function, source in sources.items():
        cell, tests = assignment.exercises()[function]
        places = [k for k, c in enumerate(notebook.cells) if c.id in {t.id for t in tests}]
        notebook.cells.insert(places[-1] + 1, nbformat.v4.new_code_cell(cell.source))
        notebook.cells.insert(places[0], nbformat.v4.new_code_cell(source))
    return notebook


def failures(room: Room, notebook: NotebookNode) -> dict[str, str]:
    """What the failing tests of a marked notebook say."""
    return {
        cell.id: "\n".join(output.traceback)
        for cell in room.run(notebook).notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    }


def test_a_solution_earns_everything(course: tuple[Assignment, Room]) -> None:
    assignment, room = course
    done = room.run(handed_in(assignment, {}))
    assert done.sentence is None
    outputs = [output for cell in done.notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error"] == []


def test_a_stub_earns_nothing_and_the_messages_are_clear(course: tuple[Assignment, Room]) -> None:
    assignment, room = course
    stubs = {
        cell.id: cell.source.partition("### BEGIN SOLUTION")[0]
        + f"raise NotImplementedError('{function} is not written yet')"
        for function, (cell, _) in assignment.exercises().items()
    }
    done = room.run(handed_in(assignment, stubs)).notebook
    for cell in done.cells:
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade"):
            assert determine_grade(cell)[0] == 0, cell.id
            text = "\n".join(cell.outputs[-1].traceback)
            assert "is not written yet: put your lines" in text and "File" not in text


def test_likely_causes_survive_two_processes(course: tuple[Assignment, Room]) -> None:
    """For each exercise its first wrong answer, and an error with the line that raised it."""
    assignment, room = course
    wrong, said = {}, {}
    for answer in answers(assignment):
        if answer.cause:
            wrong.setdefault(answer.function, answer.source)
            said.setdefault(answer.function, answer.cause)
    crash = {
        function: cell.source.partition("### BEGIN SOLUTION")[0] + CRASH
        for function, (cell, _) in assignment.exercises().items()
    }
    for sources, words in ((wrong, said), (crash, dict.fromkeys(crash, f"In your line: {CRASH}"))):
        messages = failures(room, meanwhile(assignment, sources))
        for function, (_, tests) in assignment.exercises().items():
            text = "\n".join(messages.get(test.id, "") for test in tests)
            assert words[function] in text, f"{function}: {text}"


def test_spoiled_arguments_cost_the_others_nothing_in_the_notebook(
    course: tuple[Assignment, Room],
) -> None:
    assignment, _ = course
    for spoiled in halves(assignment):
        # the other solutions go on calling the right ones, which their own names hold
        scope = dict(assignment.namespace())
        for name in spoiled:
            exec(compiled(SPOILER.format(name=name), "<spoiler>"), scope)
        for function, (_, tests) in assignment.exercises().items():
            for test in tests:
                error = failure([test], scope)
                allowed = function in spoiled and "changed its argument" in str(error)
                assert error is None or allowed, f"{spoiled} spoil {test.id}: {error}"


def test_spoiled_arguments_cost_the_others_nothing_in_the_grader(
    course: tuple[Assignment, Room],
) -> None:
    assignment, room = course
    for spoiled in halves(assignment):
        cells = {name: assignment.exercises()[name][0].source for name in spoiled}
        sources = {name: source + SPOILER.format(name=name) for name, source in cells.items()}
        said = failures(room, meanwhile(assignment, sources))
        for function, (_, tests) in assignment.exercises().items():
            for test in tests:
                error = said.get(test.id, "")
                allowed = function in spoiled and "changed its argument" in error
                assert not error or allowed, f"{spoiled} spoil {test.id}: {error}"


def halves(assignment: Assignment) -> tuple[list[str], list[str]]:
    """Every other function, and the rest."""
    functions = list(assignment.exercises())
    return functions[::2], functions[1::2]
