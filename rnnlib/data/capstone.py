"""Three forecasts to decide about: does a recurrent network pay, or does something simpler?

Each task has one form. A sequence of T readings goes by, and one number is asked for:

    basin   what flows in and out of a basin each day, as parts of it; how full is it at the end?
            What would overflow is lost, and below empty nothing is left to take.
    heat    what a building needs for heating, every two hours, in kilowatts; what comes next?
    pump    how far a pump shakes; what is the next reading? It runs in one of two modes. In one
            a swing goes on, in the other it turns round, and nobody says which mode it is in.

Every sequence is drawn on its own, so that no part of the data shares a reading with another.
Since all is generated, the best possible answer is known: `best` is the mean of y, given x and
the laws of the task, so no model has a smaller mean squared error, but for luck.

Derived in chapter 17_capstone. Source: made up for this course. The pump is an autoregression
that switches as in Hamilton, A new approach to the economic analysis of nonstationary time series
and the business cycle, Econometrica 57(2), 1989, and `best` its filter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..validation import as_rng, expect_positive

FLOW, GAUGE = 0.2, 0.05  # of the basin: a day's flow and the error of the reading, both deviations
DAY, NEXT, SAME_HOUR = 12, 0.6, 0.6  # of the building: readings a day, and what is carried over
SWING, STAY = 0.7, 0.98  # of the pump: what is left of a swing, and how often the mode stays


class Part(NamedTuple):
    """Training, validation or test: N sequences with their answers.

    x is (T, N, 1), y is (N,), and so is `best`, the best possible answer; all are float32. `age`
    (N,), whole numbers, says how many steps back what decides lies, at most T: the last day on
    which the basin was full or empty; a day and a reading for the building; the first reading
    since the pump changed its mode.
    """

    x: np.ndarray
    y: np.ndarray
    best: np.ndarray
    age: np.ndarray


class Task(NamedTuple):
    """The three parts of a task, each a `Part`."""

    training: Part
    validation: Part
    test: Part


def load(
    name: str,
    training: int = 1000,
    validation: int = 1000,
    test: int = 1000,
    T: int = 32,
    seed: int | np.random.Generator | None = 0,
) -> Task:
    """Draw the sequences of a task and split them.

    The parts have generators of their own, and a longer part begins with the sequences of a
    shorter one. So models that learned from 200 and from 2,000 sequences sit the same test.

    Parameters
    ----------
    name : {"basin", "heat", "pump"}
    training, validation, test : int, optional
        How many sequences each part has.
    T : int, optional
        Readings in a sequence; for "heat" more than a day of them, 13.
    seed : int or numpy.random.Generator, optional
        Where they are drawn from.

    Returns
    -------
    Task
        Three parts, each with x (T, N, 1), y (N,), best (N,) and age (N,).

    Raises
    ------
    ValueError
        If there is no such task, or a number is too small.

    Examples
    --------
    >>> task = load("basin", training=200, seed=0)
    >>> task.training.x.shape, task.training.y.shape
    ((32, 200, 1), (200,))
    >>> print(task.training.x[-3:, 0, 0].round(2), task.training.y[:1].round(2))
    [ 0.05  0.1  -0.02] [0.96]
    """
    if name not in TASKS:
        raise ValueError(f"there is no task {name!r}, only {', '.join(TASKS)}")
    T = expect_positive("T", T, least=DAY + 1 if name == "heat" else 1)
    sizes = {"training": training, "validation": validation, "test": test}
    for part, N in sizes.items():
        expect_positive(part, N)
    rngs = as_rng(seed).spawn(3)
    return Task(
        *(_part(*TASKS[name](T, N, rng)) for N, rng in zip(sizes.values(), rngs, strict=True))
    )


def _part(x: np.ndarray, y: np.ndarray, best: np.ndarray, age: np.ndarray) -> Part:
    """From rows of sequences, (N, T), to time-major float32."""
    x = np.ascontiguousarray(x.T[..., None], dtype=np.float32)
    return Part(x, y.astype(np.float32), best.astype(np.float32), age)


def _since(happened: np.ndarray) -> np.ndarray:
    """How many steps before the end it happened last, 1 for the last one; T if never. (N, T)."""
    T = happened.shape[1]
    return np.where(happened.any(axis=1), 1 + happened[:, ::-1].argmax(axis=1), T)


def _basin(T: int, N: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    normal = rng.normal(size=(N, T + 1))  # a row for each sequence: more of them add rows
    flow = FLOW * normal[:, :T]
    level, wall = np.full(N, 0.5), np.zeros((N, T), dtype=bool)
    for t in range(T):
        unbounded = level + flow[:, t]
        level = np.clip(unbounded, 0.0, 1.0)
        wall[:, t] = level != unbounded
    return flow, level + GAUGE * normal[:, T], level, _since(wall)


def _heat(T: int, N: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    before = 20 * DAY  # readings, until nothing is left of the start
    z = rng.normal(size=(N, before + T + 1))
    for t in range(DAY + 1, z.shape[1]):
        z[:, t] += _heat_next(z[:, :t])
    y = 30.0 + z[:, -T - 1 :]
    return y[:, :T], y[:, T], 30.0 + _heat_next(z[:, :-1]), np.full(N, DAY + 1)


def _heat_next(z: np.ndarray) -> np.ndarray:
    """What is expected next: as the last reading, as this hour yesterday, less what is in both."""
    return NEXT * z[:, -1] + SAME_HOUR * (z[:, -DAY] - NEXT * z[:, -DAY - 1])


def _pump(T: int, N: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    before = 100
    noise, change = rng.spawn(2)
    z = noise.normal(size=(N, before + T + 1))
    changed = change.random((N, before + T + 1)) > STAY
    sign = 1 - 2 * (changed.cumsum(axis=1) % 2)  # 1: a swing goes on, -1: it turns round
    sign *= np.where(noise.spawn(1)[0].random((N, 1)) < 0.5, 1, -1)  # where each began
    odds = np.zeros(N)  # the logarithm of how much likelier the first mode is, given x
    for t in range(1, before + T + 1):
        z[:, t] += SWING * sign[:, t] * z[:, t - 1]
        known = _after_a_step(odds)
        odds = known + 2 * SWING * z[:, t] * z[:, t - 1]
    best = SWING * np.tanh(known / 2) * z[:, -2]
    return z[:, -T - 1 : -1], z[:, -1], best, _since(changed[:, -T - 1 : -1])


def _after_a_step(odds: np.ndarray) -> np.ndarray:
    """The logarithm of the odds of a mode that stays with probability STAY."""
    p = 1 / (1 + np.exp(-odds))
    p = STAY * p + (1 - STAY) * (1 - p)
    return np.log(p / (1 - p))


TASKS: dict[str, Callable[..., tuple[np.ndarray, ...]]] = {
    "basin": _basin,
    "heat": _heat,
    "pump": _pump,
}
