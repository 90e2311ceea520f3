"""Decide with evidence: a log of trials, a test that opens once, an interval, and a card.

Two sides are compared, a baseline and a recurrent network. Whoever tries more looks better, so both
get the same number of trials, and each trial is in the log. Derived in chapter 17_capstone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from .validation import as_rng, expect_float, expect_positive

SIDES = ("baseline", "recurrent")
Test = TypeVar("Test")


class Trials(Generic[Test]):
    """The log of a comparison, and the test that it keeps closed. Derived in chapter 17_capstone.

    Parameters
    ----------
    test : object
        What `open_test` gives, once: the test set, or how to load it.

    Attributes
    ----------
    rows : list of dict
        A row for each trial, in order, of numbers and text that JSON can hold.

    Examples
    --------
    >>> trials = Trials(test="the answers")
    >>> for side, strength, validation in [("baseline", 1, 0.5), ("baseline", 9, 0.4)]:
    ...     trials.add(side, "ridge", {"strength": strength}, 0, validation, 1, parameters=33)
    >>> trials.best("baseline")["settings"]
    {'strength': 9}
    >>> trials.open_test()
    Traceback (most recent call last):
    ...
    RuntimeError: the test stays closed: 2 trials of the baseline side and 0 of the recurrent side
    """

    def __init__(self, test: Test) -> None:
        self.rows: list[dict[str, Any]] = []
        self.opened = False
        self._test = test

    def add(
        self,
        side: str,
        model: str,
        settings: Mapping[str, Any],
        seed: int,
        validation: float,
        updates: int,
        parameters: int,
        steps: int = 1,
        **more: Any,
    ) -> None:
        """Write down a trial: one training with one setting and one seed.

        Parameters
        ----------
        side : {"baseline", "recurrent"}
        model : str
            Its name, such as "GRU".
        settings : mapping
            What was chosen for it by hand: sizes, learning rate and the like.
        seed : int
        validation : float
            The mean loss on the validation set; smaller is better. A training that
            broke down counts, too: its loss is infinite.
        updates : int
            How often its weights were changed; 1 for what is solved in one step.
        parameters : int
        steps : int, optional
            How often one sequence goes through the parameters: T for a recurrent network.
        **more
            Whatever else the row shall hold.

        Raises
        ------
        ValueError
            If there is no such side, a count is not a whole number of at least 1, or the
            loss is no number.
        RuntimeError
            If the test has been opened: what is tried now has seen it.
        """
        _expect_side(side)
        if self.opened:
            raise RuntimeError("the test has been opened, so no trial can be added any more")
        validation = float(validation)
        if math.isnan(validation):
            raise ValueError("validation is not a number: give a training that broke down as inf")
        row = {"side": side, "model": model, "settings": dict(settings), "seed": seed}
        row |= {"validation": validation}
        for name, count in (("updates", updates), ("parameters", parameters), ("steps", steps)):
            row[name] = expect_positive(name, count)
        self.rows.append(row | more)

    def count(self, side: str) -> int:
        """Count the trials of a side."""
        return len(self._of(side))

    def cost(self, side: str) -> int:
        """Sum updates × parameters × steps over the trials of a side: what the search has cost.

        How often a weight was used, for one sequence in each update, on the way forward.
        Times the size of a batch, and times three, it is the work of the training.
        """
        return sum(row["updates"] * row["parameters"] * row["steps"] for row in self._of(side))

    def best(self, side: str) -> dict[str, Any]:
        """Choose a side's model and settings: the smallest mean loss over its seeds.

        The single best trial would be the luckiest seed's.

        Returns
        -------
        dict
            "model", "settings", "parameters", "steps", "seeds" (a list), and "validation",
            the mean over them.

        Raises
        ------
        ValueError
            If the side has no trials.
        """
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in self._of(side):
            groups.setdefault(repr((row["model"], sorted(row["settings"].items()))), []).append(row)
        if not groups:
            raise ValueError(f"there are no trials of the {side} side")
        rows = min(groups.values(), key=lambda group: _mean(group))
        chosen = {name: rows[0][name] for name in ("model", "settings", "parameters", "steps")}
        return chosen | {"seeds": [row["seed"] for row in rows], "validation": _mean(rows)}

    def open_test(self) -> Test:
        """Give the test, once, and only after as many trials of one side as of the other.

        Raises
        ------
        RuntimeError
            If it has been opened before, if a side has no trials, or if one has more.
        """
        if self.opened:
            raise RuntimeError("the test has been opened before: it can answer one question, once")
        first, second = (self.count(side) for side in SIDES)
        if first != second or not first:
            raise RuntimeError(
                f"the test stays closed: {first} trials of the baseline side "
                f"and {second} of the recurrent side"
            )
        self.opened = True
        return self._test

    def _of(self, side: str) -> list[dict[str, Any]]:
        _expect_side(side)
        return [row for row in self.rows if row["side"] == side]


def paired_interval(
    baseline: np.ndarray,
    recurrent: np.ndarray,
    block: int = 1,
    draws: int = 2000,
    seed: int | np.random.Generator = 0,
) -> tuple[float, float]:
    """Give a 95% interval for how much smaller the second loss is. Derived in chapter 17_capstone.

    A bootstrap of the two things that came out by chance: which examples are in the test,
    and which seeds were trained. In each draw both sides answer the same examples, since an
    example that is hard is hard for both; each side draws seeds of its own.

    Parameters
    ----------
    baseline : (S, N) array
        The losses of S trainings on the N examples of the test.
    recurrent : (R, N) array
        The same examples; R may be another number.
    block : int, optional
        Examples are drawn in blocks of so many neighbours: 1 for independent examples, a
        few seasons for the days of a series, as in chapter 12_forecasting.
    draws : int, optional
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    low, high : float
        The ends, for the mean of `baseline` minus that of `recurrent`: above 0 the
        recurrent network is better. Few seeds say little: with S = 1 the interval is about
        this one training.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, a loss is NaN, or a block is longer than the test.

    References
    ----------
    Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7(1), 1979.

    Examples
    --------
    >>> a = np.array([[3.0, 5.0, 4.0, 4.0]])
    >>> low, high = paired_interval(a, a - 1.0)  # better by 1 on each example
    >>> round(low, 6), round(high, 6)
    (1.0, 1.0)
    """
    baseline = expect_float("baseline", baseline, ("S", "N"))
    recurrent = expect_float("recurrent", recurrent, ("R", baseline.shape[1]), baseline.dtype)
    for name, losses in (("baseline", baseline), ("recurrent", recurrent)):
        if losses.size == 0:
            raise ValueError(f"{name} has shape {losses.shape}: there is no loss in it")
        if np.isnan(losses).any():
            raise ValueError(f"{name} holds NaN")
    N, rng = baseline.shape[1], as_rng(seed)
    if expect_positive("block", block) > N:
        raise ValueError(f"a block of {block} is longer than the test of {N} examples")
    first = rng.integers(0, N - block + 1, (expect_positive("draws", draws), -(-N // block), 1))
    examples = (first + np.arange(block)).reshape(draws, -1)[:, :N]
    means = [  # (draws, N) each: the mean over the seeds that were drawn
        rng.multinomial(len(losses), np.full(len(losses), 1 / len(losses)), draws)
        @ losses.astype(np.float64)
        / len(losses)
        for losses in (baseline, recurrent)
    ]
    gains = np.take_along_axis(means[0] - means[1], examples, axis=1).mean(axis=1)
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float, worth: float = 0.0) -> str:
    """Decide from an interval whether the recurrent network pays. Derived in chapter 17_capstone.

    Parameters
    ----------
    low, high : float
        The ends of an interval, as `paired_interval` gives it.
    worth : float, optional
        The smallest gain that would be worth the trouble, said before the test is opened.

    Returns
    -------
    str
        "yes" if all of the interval lies above `worth`, "no" if none of it does, and
        otherwise "not shown": then the simpler side stays, for want of evidence.

    Raises
    ------
    ValueError
        If the ends are not in order, or one of the three is no number.

    Examples
    --------
    >>> verdict(0.2, 0.5), verdict(-0.1, 0.3), verdict(-0.4, -0.1)
    ('yes', 'not shown', 'no')
    """
    if not low <= high:
        raise ValueError(f"low is {low} and high is {high}, but low must not be above high")
    if math.isnan(worth):
        raise ValueError("worth is not a number")
    if low > worth:
        return "yes"
    return "no" if high <= worth else "not shown"


def model_card(
    title: str,
    trials: Trials[Any],
    baseline: np.ndarray,
    recurrent: np.ndarray,
    worth: float = 0.0,
    block: int = 1,
    about: Mapping[str, str] | None = None,
    failures: Sequence[str] = (),
) -> str:
    """Write the card of a decision from the run itself. Derived in chapter 17_capstone.

    No number on it is typed: all come from the log and from the losses on the test.

    Parameters
    ----------
    title : str
    trials : Trials
        With its test opened.
    baseline, recurrent : (S, N) and (R, N) arrays
        Losses of the chosen model of each side on the test, as for `paired_interval`.
    worth, block
        As for `verdict` and `paired_interval`.
    about : mapping, optional
        What only its author knows, such as {"Data": "…", "Not for": "…"}: a line for each.
    failures : sequence of str, optional
        Cases in which the chosen model fails, in words.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ValueError
        If the test is closed, a side has no trials, or the losses do not fit.

    References
    ----------
    Mitchell et al., Model cards for model reporting, FAT* 2019.

    Examples
    --------
    >>> trials = Trials(test="the answers")
    >>> trials.add("baseline", "ridge", {"k": 4}, 0, 0.5, 1, parameters=5)
    >>> trials.add("recurrent", "GRU", {"H": 8}, 0, 0.3, 100, parameters=273, steps=32)
    >>> answers, losses = trials.open_test(), np.array([[0.5, 0.6, 0.4]])
    >>> model_card("The basin", trials, losses, losses - 0.2).splitlines()[2][:44]
    '**Does the recurrent network pay? Yes.** Its'
    """
    if not trials.opened:
        raise ValueError("the test has not been opened, so there is nothing to report")
    low, high = paired_interval(baseline, recurrent, block=block)
    gain = float(np.mean(baseline) - np.mean(recurrent))
    word = verdict(low, high, worth)
    columns = [
        _column(trials, side, losses)
        for side, losses in zip(SIDES, (baseline, recurrent), strict=True)
    ]
    lines = [
        f"## {title}",
        "",
        f"**Does the recurrent network pay? {word.capitalize()}.** Its loss is smaller by "
        f"{gain:.3g}, 95% interval {low:.3g} to {high:.3g}; worth it from {worth:.3g}.",
        "",
        f"| side | {' | '.join(SIDES)} |",
        "|---|---|---|",
        *(f"| {name} | {columns[0][name]} | {columns[1][name]} |" for name in columns[0]),
        "",
        *(f"**{name}.** {text}\n" for name, text in (about or {}).items()),
    ]
    if failures:
        lines += ["**Where it fails.**", "", *(f"- {case}" for case in failures), ""]
    return "\n".join(lines).rstrip() + "\n"


def _column(trials: Trials[Any], side: str, losses: np.ndarray) -> dict[str, str]:
    """What the card's table says of a side."""
    best, test = trials.best(side), np.mean(losses, axis=1)
    settings = ", ".join(f"{name} {value}" for name, value in best["settings"].items())
    return {
        "chosen": f"{best['model']}, {settings}" if settings else best["model"],
        "parameters": f"{best['parameters']:,}",
        "trials": f"{trials.count(side)}",
        "cost of the search": f"{trials.cost(side):.1e}",
        "loss, validation": f"{best['validation']:.3g}",
        "loss, test": f"{test.mean():.3g}",
        "its seeds": f"{len(test)}, from {test.min():.3g} to {test.max():.3g}",
    }


def _mean(rows: list[dict[str, Any]]) -> float:
    return float(np.mean([row["validation"] for row in rows]))


def _expect_side(side: str) -> None:
    if side not in SIDES:
        raise ValueError(f"side is {side!r}, but must be one of {', '.join(SIDES)}")
