"""Attempts that look alike: copies are found, honest right answers are not."""

from __future__ import annotations

import random

from grading.results.similarity import Group, groups

RELEASE = "def scan(x):\n    raise NotImplementedError\n"
RIGHT = (
    "def scan(x):\n    total = 0\n    out = []\n    for value in x:\n        total += value\n"
    "        out.append(total)\n    return out\n"
)
ODD = """def scan(x):
    queue = list(reversed(list(x)))
    answer, running = [], dict(value=0)
    while len(queue) != 0:
        running["value"] = running["value"] + queue.pop()
        if running["value"] is None:
            break
        answer = answer + [running["value"]]
    assert len(answer) <= 10 ** 9, "too long"
    for position in range(len(answer)):
        answer[position] = answer[position] * 1
    return tuple(answer) if isinstance(x, tuple) else answer
"""
RENAMED = (
    ODD.replace("queue", "todo")
    .replace("answer", "res")
    .replace("running", "acc")
    .replace("position", "i")
    .replace("    while", "    # go on\n    while")
)


def own(number: int) -> str:
    """A long answer of one's own: other steps for every student."""
    rng = random.Random(number)
    steps = ["x = [a + {0} for a in x]", "if len(x) > {0}: x = x[::{0}]", "print(x[{0}:], x[-1])"]
    steps += ["while x and x[0] == {0}: x = x[1:]", "y = dict(zip(x, range({0}))); x = sorted(y)"]
    steps += ["x = sum(([a] * {0} for a in x), [])", "assert all(a != {0} for a in x), 'no'"]
    chosen = [rng.choice(steps).format(rng.randrange(2, 900)) for _ in range(14)]
    return "def scan(x):\n    " + "\n    ".join(chosen) + "\n    return x\n"


def test_a_renamed_copy_is_found_in_a_class_of_honest_answers() -> None:
    code = {f"s{k:02d}": RIGHT for k in range(20)} | {f"t{k:02d}": own(k) for k in range(20)}
    code |= {"ada": ODD, "ben": RENAMED}
    found = groups(code, RELEASE)
    assert found[0].students == ("ada", "ben") and found[0].similarity > 0.8
    assert not found[0].same
    assert len(found) == 1, "short right answers are the same by chance, long ones differ"


def test_long_copies_are_one_group_and_the_worked_solution_is_named() -> None:
    code = {"ada": ODD, "ben": ODD + "\n", "cyd": ODD.replace("    ", "  "), "dan": RIGHT}
    assert groups(code, RELEASE) == [Group(("ada", "ben", "cyd"), same=True)]
    assert groups({"ada": ODD}, RELEASE, ODD) == [Group(("ada",), same=True, solution=True)]


def test_what_was_given_and_what_many_share_is_no_sign() -> None:
    given = {f"s{k:02d}": ODD + own(k) for k in range(8)}
    assert groups(given, ODD) == []
    assert groups(given) == [], "the same passage in the whole class"
    assert groups({}, RELEASE) == [] and groups({"ada": ""}, RELEASE) == []
