"""Strings that only a counter can finish: aⁿbⁿ and aⁿbⁿcⁿ.

n times the letter a, then n times b, then (with three letters) n times c, then the end:

    start  a  a  a  b  b  b          symbol  0  1  1  1  2  2  2
           a  a  a  b  b  b  end     next    ?  ?  ?  2  2  2  0

While the a's go by, nobody knows how many will come. From the first b on everything is certain,
for whoever has counted.

Derived in chapter 07_gru. Source: generated. The languages are those on which Gers and Schmidhuber,
LSTM recurrent networks learn simple context-free and context-sensitive languages, IEEE Transactions
on Neural Networks 12(6), 2001, let networks count.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..validation import expect_positive


def strings(letters: int, lengths: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
    """Write one string for each n, and what comes next in it wherever that is certain.

    Parameters
    ----------
    letters : int
        How many letters take part, 2 or more: 2 for aⁿbⁿ, 3 for aⁿbⁿcⁿ.
    lengths : iterable of N int
        The n of each string, 1 or more.

    Returns
    -------
    x : (T, N, letters + 1) float32 array
        One symbol a step, one-hot; T is one more than the letters of the longest string. Symbol
        0 stands at the start and at the end, and also behind the end of a shorter string.
    y : (T, N) int array
        The next symbol where it is certain, elsewhere -100, which `cross_entropy` leaves out.

    Raises
    ------
    ValueError
        If letters is below 2, or an n below 1, or if there is no n.

    Examples
    --------
    >>> x, y = strings(2, [3])
    >>> print(x[:, 0].argmax(axis=1), y[:, 0])
    [0 1 1 1 2 2 2] [-100 -100 -100 -100    2    2    0]
    """
    expect_positive("letters", letters, least=2)
    n = np.array([expect_positive("lengths", length) for length in lengths])
    if not n.size:
        raise ValueError("lengths must hold at least one n")
    steps = np.arange(letters * n.max() + 1)[:, None]
    symbol = (1 + (steps - 1) // n) * (steps > 0)  # 0 first, then letters
    symbol[symbol > letters] = 0
    following = (1 + steps // n) % (letters + 1)
    certain = (steps > n) & (steps <= letters * n)  # from the first b on
    x = np.eye(letters + 1, dtype=np.float32)[symbol]
    return x, np.where(certain, following, -100)
