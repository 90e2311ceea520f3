"""A test that no wrong answer fails is no test: each assignment meets its mutants."""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import swaps
from assignments import ROOT, SLUGS, Assignment, Cell, failure

HERE = Path(__file__).parent


@functools.cache
def solved(slug: str) -> Assignment:
    return Assignment(ROOT / "solutions" / slug / f"{slug}.ipynb")


def attempt(assignment: Assignment, function: str, preamble: str, source: str) -> Exception | None:
    """What the exercise's tests raise first when its function is replaced."""
    _, tests = assignment.exercises()[function]
    scope = assignment.namespace()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(preamble, scope)
        exec(compile(source, "<mutant>", "exec"), scope)
        return failure(tests, scope)


def written(slug: str, kind: str) -> tuple[str, list[tuple[str, str, str, str]]]:
    """The file's preamble, and (name, function, expected cause, source) of each wrong answer."""
    text = (HERE / slug / f"{kind}.py").read_text(encoding="utf-8")
    preamble, answers = [], []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and "__" in node.name:
            name, function = node.name, node.name.partition("__")[0]
            cause = ast.get_docstring(node) or ""
            node.name = function
            answers.append((name, function, cause, ast.unparse(node)))
        else:
            preamble.append(ast.unparse(node))
    return "\n".join(preamble), answers


def by_tool(assignment: Assignment) -> Iterator[tuple[str, str, str]]:
    """(function, description, source) of every mutant that the swapper makes."""
    for function, (cell, _) in assignment.exercises().items():
        for what, source in swaps.mutants(cell.source, function):
            yield function, what, source


@pytest.mark.parametrize("slug", SLUGS)
def test_every_exercise_has_six_mutants(slug: str) -> None:
    _, answers = written(slug, "mutants")
    for function in solved(slug).exercises():
        count = sum(answer[1] == function for answer in answers)
        assert count >= 6, f"{function} has {count} mutants"
    assert len({answer[0] for answer in answers}) == len(answers), "two mutants of one name"


@pytest.mark.parametrize("slug", SLUGS)
def test_mutants_fail_and_the_message_names_the_cause(slug: str) -> None:
    preamble, answers = written(slug, "mutants")
    alive, misnamed = [], []
    for name, function, cause, source in answers:
        error = attempt(solved(slug), function, preamble, source)
        if error is None:
            alive.append(name)
        elif not cause or cause not in str(error):
            misnamed.append(f"{name}: wanted {cause!r}, got:\n{error}")
    killed = len(answers) - len(alive)
    named = killed - len(misnamed)
    print(f"{slug}: {killed} of {len(answers)} mutants fail, {named} with the right cause")
    print("\n".join(["", *misnamed]))
    assert killed >= 0.95 * len(answers), f"these pass: {alive}"
    assert named >= 0.8 * len(answers), "\n".join(misnamed)


@pytest.mark.parametrize("slug", SLUGS)
def test_swapped_operators_fail_unless_they_are_right_too(slug: str) -> None:
    """Survivors are named and justified in the assignment's mutants.py, and no longer than true."""
    preamble, _ = written(slug, "mutants")
    scope: dict[str, Any] = {}
    exec(preamble, scope)
    justified: dict[str, str] = scope["SURVIVORS"]
    survivors = set()
    made = 0
    for function, what, source in by_tool(solved(slug)):
        made += 1
        if attempt(solved(slug), function, "", source) is None:
            survivors.add(f"{function}: {what}")
    print(f"{slug}: {made} mutants made by swapping, {len(survivors)} survive")
    assert survivors - set(justified) == set(), "these pass, without a reason given"
    assert set(justified) - survivors == set(), "these are justified, but fail or are gone"
    assert all(len(reason) > 15 for reason in justified.values())


@pytest.mark.parametrize("slug", SLUGS)
def test_other_right_answers_earn_every_point(slug: str) -> None:
    preamble, answers = written(slug, "right")
    assert {answer[1] for answer in answers} == set(solved(slug).exercises())
    for name, function, _, source in answers:
        error = attempt(solved(slug), function, preamble, source)
        assert error is None, f"{name}: {error}"


@pytest.mark.parametrize("slug", SLUGS)
def test_calling_rnnlib_instead_of_writing_earns_nothing(slug: str) -> None:
    preamble, answers = written(slug, "cheats")
    assert len(answers) >= 3
    for name, function, _, source in answers:
        _, tests = solved(slug).exercises()[function]
        for test in tests:
            one = _only(solved(slug), function, preamble, source, test)
            assert one is not None, f"{name} passes {test.id}"
            assert re.search("is what this exercise asks you to write", str(one)), f"{name}: {one}"


def _only(
    assignment: Assignment, function: str, preamble: str, source: str, test: Cell
) -> Exception | None:
    scope = assignment.namespace()
    exec(preamble, scope)
    exec(source, scope)
    return failure([test], scope)
