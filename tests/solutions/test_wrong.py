"""A test that no wrong answer fails is no test: each assignment meets its wrong answers."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

import pytest
import swaps
from exercises import (
    HIDDEN,
    ROOT,
    SLUGS,
    Answer,
    answers,
    attempt,
    compiled,
    failure,
    same,
    solved,
    stored,
    tables,
)

from rnnlib.testing import Mismatch

pytestmark = pytest.mark.parametrize("slug", SLUGS)
assignment = functools.cache(solved)


def test_every_exercise_has_six_wrong_answers(slug: str) -> None:
    found = answers(assignment(slug))
    for function in assignment(slug).exercises():
        count = sum(answer.function == function for answer in found)
        assert count >= 6, f"{function} has {count} wrong answers"
    assert len({answer.name for answer in found}) == len(found), "two of one name"


def test_wrong_answers_fail_and_the_message_names_the_cause(slug: str) -> None:
    alive, misnamed = [], []
    found = answers(assignment(slug))
    for answer in found:
        error = attempt(assignment(slug), answer)
        if error is None:
            alive.append(answer.name)
            continue
        assert isinstance(error, Mismatch), f"{answer.name}: {error!r} out of the test's own code"
        if not answer.cause or answer.cause not in str(error):
            misnamed.append(f"{answer.name}: wanted {answer.cause!r}, got:\n{error}")
    failed = len(found) - len(alive)
    named = failed - len(misnamed)
    print(f"{slug}: {failed} of {len(found)} wrong answers fail, {named} with the right cause")
    print("\n".join(["", *misnamed]))
    assert failed >= 0.95 * len(found), f"these pass: {alive}"
    assert named >= 0.8 * len(found), "\n".join(misnamed)


def test_stored_results_are_those_of_the_solution_and_of_the_wrong_answers(slug: str) -> None:
    """What `make notebooks` writes is what stands there, to the last digit but one."""
    for cell, lines, problems in tables(assignment(slug)):
        assert not problems, f"{cell.id}: {problems}"
        assert same(stored(cell.visible) or [], lines), f"{cell.id}: run make notebooks N={slug}"


def test_stored_results_are_those_of_an_independent_evaluation(slug: str) -> None:
    """The `slow` of each hidden test passes the visible one in the student's place.

    Where many answers are right (weights to choose), those of right.py prove it.
    """
    others = {answer.function for answer in answers(assignment(slug), "right")}
    for function, (_, tests) in assignment(slug).exercises().items():
        for cell in tests:
            hidden = ast.walk(ast.parse(cell.source.partition(HIDDEN)[2]))
            slow = [n for n in hidden if isinstance(n, ast.FunctionDef) and n.name == "slow"]
            if stored(cell.visible) is None or (not slow and function in others):
                continue
            assert len(slow) == 1, f"{cell.id}: the hidden test has no function `slow`"
            scope = assignment(slug).namespace()
            exec("import math", scope)
            exec(compiled(ast.unparse(slow[0]), "<slow>"), scope)
            scope[function] = scope["slow"]
            error = failure([cell.replace(cell.visible)], scope)
            assert error is None, f"{cell.id}: {error}"


def test_no_helper_of_a_visible_test_is_an_answer(slug: str) -> None:
    """A loop that computes what is asked would be copied by whoever opens the test."""
    for function, (_, tests) in assignment(slug).exercises().items():
        for cell in tests:
            for node in ast.walk(ast.parse(cell.visible)):
                if isinstance(node, ast.FunctionDef) and node.name != "check":
                    node.name = function
                    answer = Answer("a helper", function, "", ast.unparse(node), "")
                    assert attempt(assignment(slug), answer) is not None, cell.id


def by_tool(slug: str) -> Iterator[tuple[str, Answer]]:
    """Every mutant that the swapper makes, and what it changed."""
    for function, (cell, _) in assignment(slug).exercises().items():
        for what, source in swaps.mutants(cell.source, function):
            yield f"{function}: {what}", Answer("a mutant", function, "", source, "")


def test_swapped_operators_fail_unless_they_are_right_too(slug: str) -> None:
    """Survivors are named and justified in the assignment's wrong.py, and no longer than true."""
    path = ROOT / "tests" / "solutions" / slug / "wrong.py"
    scope = dict(assignment(slug).given)
    exec(path.read_text(encoding="utf-8"), scope)
    justified: dict[str, str] = scope["SURVIVORS"]
    mutants = list(by_tool(slug))
    survivors = {what for what, answer in mutants if attempt(assignment(slug), answer) is None}
    print(f"{slug}: {len(mutants)} mutants made by swapping, {len(survivors)} survive")
    assert survivors - set(justified) == set(), "these pass, without a reason given"
    assert set(justified) - survivors == set(), "these are justified, but fail or are gone"
    assert all(len(reason) > 15 for reason in justified.values())


def test_other_right_answers_earn_every_point(slug: str) -> None:
    found = answers(assignment(slug), "right")
    assert {answer.function for answer in found} == set(assignment(slug).exercises())
    for answer in found:
        error = attempt(assignment(slug), answer)
        assert error is None, f"{answer.name}: {error}"


def test_calling_rnnlib_instead_of_writing_earns_nothing(slug: str) -> None:
    found = answers(assignment(slug), "cheats")
    assert len(found) >= 3
    for answer in found:
        _, tests = assignment(slug).exercises()[answer.function]
        for test in tests:
            error = failure([test], answer.into(assignment(slug).namespace()))
            assert error is not None, f"{answer.name} passes {test.id}"
            assert "is what this exercise asks you to write" in str(error), (
                f"{answer.name}: {error}"
            )
