"""Arguments to try a student's function on, in one line: what `rnnlib.testing` hands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Case:
    """Arguments to call a function with: `f(*case)`, or by name, `case.x`; `case.T` is a size.

    Parameters
    ----------
    arrays : dict of str to any
        The arguments by name, in order.
    axes : dict of str to str
        The letters of those that are arrays.
    sizes : dict of str to int
        What each letter is.
    given : str
        What is special about it, for the student.
    """

    arrays: dict[str, Any]
    axes: dict[str, str]
    sizes: dict[str, int]
    given: str = ""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.arrays.values())

    def __getattr__(self, name: str) -> Any:
        for where in ("arrays", "sizes"):
            if name in self.__dict__.get(where, {}):
                return self.__dict__[where][name]
        raise AttributeError(name)

    def replace(self, **arrays: Any) -> Case:
        """The same with some arguments exchanged."""
        return Case(self.arrays | arrays, self.axes, self.sizes, self.given)

    def permuted(self, letter: str) -> tuple[np.ndarray, Case]:
        """An order of one axis, and the same with it in that order in every array that has it."""
        order = np.random.default_rng(self.sizes[letter]).permutation(self.sizes[letter])
        mixed = {
            name: np.take(array, order, self.axes[name].index(letter))
            if letter in self.axes.get(name, "")
            else array
            for name, array in self.arrays.items()
        }
        return order, self.replace(**mixed)

    @property
    def told(self) -> str:
        """The case in words: what is special, sizes, numbers and short lists."""
        parts = [f"{letter} = {size}" for letter, size in self.sizes.items()]
        for name, value in self.arrays.items():
            if name in self.sizes or (isinstance(value, np.ndarray) and value.dtype.kind != "i"):
                continue
            if isinstance(value, list) and any(isinstance(one, np.ndarray) for one in value):
                parts.append(f"{name} of lengths {[len(one) for one in value]}")
                continue
            shown = value.tolist() if isinstance(value, np.ndarray) else value
            text = f"{shown:.4g}" if isinstance(shown, float) else str(shown)
            parts.append(f"{name} = {text}" if len(text) < 200 else f"{name} = {text[:200]} …")
        return "; ".join(text for text in (self.given, ", ".join(parts)) if text)


class Draws:
    """Chance that every version of NumPy takes alike, as stored results need it.

    NumPy promises the bits of `random`, and not those of `normal`, `integers` or `choice`.
    Without a shape, a method gives one number.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed).random

    def real(self, *shape: int, low: float = -1.5, high: float = 1.5) -> Any:
        """Numbers from low to high, of this shape."""
        return low + (high - low) * self._random(shape or None)

    def whole(self, low: int, high: int, *shape: int) -> Any:
        """Whole numbers from low to high, both included, of this shape."""
        drawn = np.floor(self.real(*shape, low=low, high=high + 1)).astype(int)
        return drawn if shape else int(drawn)

    def simplex(self, *shape: int) -> np.ndarray:
        """Numbers above 0 that add up to 1 along the last axis: probabilities."""
        parts = -np.log(1 - self._random(shape))
        return parts / parts.sum(axis=-1, keepdims=True)

    def words(self, words: Sequence[str], count: int) -> list[str]:
        """So many of the words (or letters), each as likely as the others."""
        return [words[k] for k in self.whole(0, len(words) - 1, count)]


def cases(
    letters: str,
    count: int = 20,
    *,
    seed: int = 0,
    largest: int = 3,
    alone: str = "",
    empty: str = "",
    **arrays: Any,
) -> Iterator[Case]:
    """Arguments to try an answer on.

    First the sizes are 2, 3, 4, …, all different: with each of `alone` alone, the others
    of them 0, then with all. Then all sizes are 1, then they are drawn at random; and at
    the end, for each letter of `empty`, there is a case in which that size is 0.

    Parameters
    ----------
    letters : str
        One letter for each size, e.g. "TBIH".
    count : int, optional
        How many cases, those of `alone` and `empty` not counted.
    seed : int, optional
    largest : int, optional
        Sizes are drawn from 1 … largest.
    alone : str, optional
        Names of terms of a sum, separated by spaces.
    empty : str, optional
        Letters.
    **arrays : str, function or any
        Each argument, in the order in which the function takes them. "TBI" is an array
        of real numbers of shape (T, B, I); "H unit" has numbers from 0 to 1, "TV simplex"
        probabilities along its last axis; "T < V" holds T whole numbers from 0 to V - 1,
        "B <= T" holds B whole numbers from 1 to T. Without letters it is one number:
        "unit", "< 3"; "= T" is the size itself. A function gets a `Draws` and the sizes.
        Other things stay as they are.

    Yields
    ------
    Case

    Examples
    --------
    >>> for case in cases("BI", count=2, alone="x b", empty="B", x="BI", b="I"):
    ...     print(case.told)
    only x is not 0; B = 2, I = 3
    only b is not 0; B = 2, I = 3
    B = 2, I = 3
    B = 1, I = 1
    nothing to do; B = 0, I = 3
    """
    draw = Draws(seed)
    terms = alone.split()
    for number in range(count):
        if number == 0:
            sizes = {letter: 2 + k for k, letter in enumerate(letters)}
        elif number == 1:
            sizes = dict.fromkeys(letters, 1)
        else:
            sizes = {letter: draw.whole(1, largest) for letter in letters}
        case = _case(draw, sizes, arrays)
        for term in terms if number == 0 else ():
            others = {name: 0 * case.arrays[name] for name in terms if name != term}
            one = case.replace(**others)
            one.given = f"only {term} is not 0"
            yield one
        yield case
    for letter in empty:
        sizes = {other: 2 + k for k, other in enumerate(letters)} | {letter: 0}
        case = _case(draw, sizes, arrays)
        case.given = "nothing to do"
        yield case


def _case(draw: Draws, sizes: dict[str, int], arrays: Mapping[str, Any]) -> Case:
    made, axes = {}, {}
    for name, kind in arrays.items():
        if callable(kind):
            made[name] = kind(draw, sizes)
        elif isinstance(kind, str):
            letters, *rest = kind.split() if kind[0].isupper() else ["", *kind.split()]
            shape = [sizes[letter] for letter in letters]
            if letters:
                axes[name] = letters
            match rest:
                case []:
                    made[name] = draw.real(*shape)
                case ["unit"]:
                    made[name] = draw.real(*shape, low=0.0, high=1.0)
                case ["simplex"]:
                    made[name] = draw.simplex(*shape)
                case ["=", letter]:
                    made[name] = sizes[letter]
                case ["<" | "<=" as sign, limit]:
                    most = sizes[limit] if limit in sizes else int(limit)
                    low, high = (0, most - 1) if sign == "<" else (1, most)
                    made[name] = draw.whole(low, high, *shape)
                case _:
                    raise ValueError(f"{name} = {kind!r} is no kind of argument that cases knows")
        else:
            made[name] = kind
    return Case(made, axes, sizes)
