"""What an exercise may not call is found by a search, not by an author's memory.

Every public function of rnnlib is called with what the solution works with: its arguments, and
what it computes on the way. A function that gives back the solution's result, or a step of it,
is either withheld from the answers, or stands in the assignment's wrong.py, under ALLOWED, with
the reason why it may help. What wants a function (`numerical_gradient`) or an object made before
(a layer, a packing) is not found in this way: cheats.py holds such answers.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import inspect
import io
import itertools
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from exercises import ROOT, SLUGS, Assignment, bare, failure, solved

import rnnlib
from rnnlib.testing import Unavailable, unavailable_names

# they check, draw, write or cut a text, and compute nothing that is asked
TOOLS = {
    "testing",
    "causes",
    "cases",
    "__main__",
    "plot",
    "checkpoints",
    "validation",
    "data.download",
    "data.text",
    "data.dates",
}
FILES = {"path", "file"}  # arguments that name one
MOST = 10  # values to call with: beyond, the number of calls explodes


def library() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function of rnnlib, with its name: "sequences.last_states"."""
    for module in pkgutil.walk_packages(rnnlib.__path__, "rnnlib."):
        short = module.name.removeprefix("rnnlib.")
        if short in TOOLS:
            continue
        for name, thing in list(vars(importlib.import_module(module.name)).items()):
            ours = inspect.isfunction(thing) and thing.__module__ == module.name and name[0] != "_"
            # a number would be taken for a file that this process has open, and closed
            if ours and not FILES & set(inspect.signature(thing).parameters):
                yield f"{short}.{name}", thing


class Watched(ast.NodeTransformer):
    """Lets every part of an expression tell its value."""

    def visit(self, node: ast.AST) -> ast.AST:
        node = self.generic_visit(node)
        told = (ast.BinOp, ast.Call)
        if isinstance(node, told):
            return ast.Call(ast.Name("tell", ast.Load()), [node], [])
        return node


def plain(value: Any) -> Any:
    """A value as an array of numbers without axes of size 1, or None."""
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = np.squeeze(np.asarray(value, dtype=float))
        return array if 0 < array.size <= 5000 and np.isfinite(array).all() else None
    return None


def same(a: Any, b: Any) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-7, atol=1e-9)


def among(value: Any, pool: list[Any]) -> bool:
    return any(same(plain(value), p) for p in map(plain, pool) if p is not None)


def calls(assignment: Assignment, function: str) -> list[tuple[Any, ...]]:
    """What the visible tests call the solution with."""
    scope, seen = assignment.namespace(), []
    inner = scope[function]

    def outer(*args: Any) -> Any:
        seen.append(copy.deepcopy(args))
        return inner(*args)

    outer.__name__, outer.__signature__ = function, inspect.signature(inner)  # type: ignore
    scope[function] = outer
    tests = [t.replace(t.visible) for t in assignment.exercises()[function][1]]
    assert failure(tests, scope) is None
    return seen


def worked(assignment: Assignment, function: str) -> tuple[list[Any], list[Any]]:
    """Of the largest call: the values to call rnnlib with, and those to look for."""

    def size(args: tuple[Any, ...]) -> int:
        return sum(np.size(a) for a in args if plain(a) is not None)

    seen = [args for args in calls(assignment, function) if args and size(args) <= 2000]
    if not seen:
        return [], []
    args = max(seen, key=size)
    told: list[Any] = []

    def tell(value: Any) -> Any:
        if plain(value) is not None:
            told.append(copy.copy(value))
        return value

    scope = assignment.namespace()
    tree = ast.parse(bare(assignment.exercises()[function][0], function))
    (node,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
    node.body = [Watched().visit(line) for line in node.body]
    scope["tell"] = tell
    exec(compile(ast.fix_missing_locations(tree), "<watched>", "exec"), scope)
    result = scope[function](*copy.deepcopy(args))
    given = [array for array in map(plain, args) if array is not None]
    wanted: list[Any] = []
    for array in map(plain, [*(result if isinstance(result, tuple) else [result]), *told]):
        # a single number and whole numbers are found by chance
        few = array is None or array.size <= 2 or not np.ptp(array)
        chance = few or np.allclose(array, array.round())
        if not chance and not any(same(array, other) for other in [*given, *wanted]):
            wanted.append(array)
    pool = list(args)
    for value in [*mixed(args), *told]:
        if isinstance(value, np.ndarray) and len(pool) < MOST and not among(value, pool):
            pool.append(value)
    return pool, wanted


def batched(pool: list[Any]) -> list[Any]:
    """The same arrays as a batch of one sequence: x (T, 1, D), h_0 (1, H)."""
    arrays = [value for value in pool if isinstance(value, np.ndarray)]
    longest = max((value.ndim for value in arrays), default=0)
    return [value[:, None] if value.ndim == longest else value[None] for value in arrays]


def mixed(args: tuple[Any, ...]) -> Iterator[Any]:
    """What a student makes of arguments in a line: weights 1 - a and a x for a sequence."""
    for number, array in itertools.product(args, args):
        if isinstance(number, float) and isinstance(array, np.ndarray) and array.ndim:
            yield np.full(array.shape, 1 - number)
            yield number * array


def tries(thing: Callable[..., Any], pool: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Arguments for a function: every order of few, the solution's order of many."""
    asked = [p for p in inspect.signature(thing).parameters.values() if p.kind < p.VAR_POSITIONAL]
    needed = sum(p.default is p.empty for p in asked)
    for count in range(max(needed, 1), min(len(asked), needed + 1) + 1):
        if count <= 3:
            yield from itertools.permutations(pool, count)
        elif count <= len(pool):
            yield from itertools.islice(itertools.combinations(pool, count), 200)


def helpful(assignment: Assignment, function: str) -> set[str]:
    """The public functions that give the exercise's result, or a step of it."""
    pool, wanted = worked(assignment, function)
    found = set()
    with (
        unavailable_names(assignment.withheld),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        for name, thing in library() if wanted else ():
            for args in itertools.chain(tries(thing, pool), tries(thing, batched(pool))):
                try:
                    result = thing(*copy.deepcopy(args))
                except Unavailable:
                    break
                except Exception:
                    continue
                parts = map(plain, result if isinstance(result, tuple) else [result])
                gone_in = [g for g in map(plain, args) if g is not None]
                made = [p for p in parts if p is not None and not any(same(p, g) for g in gone_in)]
                if any(same(p, w) for p in made for w in wanted):
                    found.add(name)
                    break
    return found


@pytest.mark.parametrize("slug", SLUGS)
def test_what_gives_an_exercise_or_a_step_of_it_is_withheld_or_allowed(slug: str) -> None:
    assignment = solved(slug)
    scope = dict(assignment.given)
    exec((ROOT / "tests" / "solutions" / slug / "wrong.py").read_text(encoding="utf-8"), scope)
    allowed: dict[str, str] = scope.get("ALLOWED", {})
    found = {
        name: function
        for function in assignment.exercises()
        for name in sorted(helpful(assignment, function))
    }
    assert {n: f for n, f in found.items() if n not in allowed} == {}, (
        "neither withheld nor ALLOWED"
    )
    assert set(allowed) - set(found) == set(), "these are allowed, but help nobody"
    assert all(len(reason) > 15 for reason in allowed.values())


def test_the_search_finds_what_was_once_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what is withheld, it finds the library's own answers."""
    monkeypatch.setattr(Assignment, "withheld", "data.download")
    assert "scan.scan_loop" in helpful(solved("01_storybook"), "running_summary")
    assert "cells.rnn_step" in helpful(solved("02_cell"), "leaky_step")
