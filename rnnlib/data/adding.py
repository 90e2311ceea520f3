"""The adding problem: what is the sum of the two marked numbers?

A list of T numbers between 0 and 1 goes by. Two of them are marked, one in the first half of the
list and one in the second. The answer at the end is the sum of the two.

    number   0.3   0.8   0.5   0.9   0.1   0.6
    mark      ·     1     ·     ·     ·     1     →  0.8 + 0.6 = 1.4

What has to be remembered is one number. The length T says for how long, so it is
the one dial of how hard the task is. Nobody can do it without a memory: `LINE` is the
error of the best guess.

Derived in chapter 05_gradients. Source: generated. The task is experiment 4 of Hochreiter and
Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997; here all lists have one length,
the numbers lie between 0 and 1, and each half has one mark.
"""

from __future__ import annotations

import numpy as np

from ..validation import as_rng, expect_positive

#: The mean squared error of who always answers 1: the variance of a sum of two uniform numbers.
LINE = 1 / 6


def examples(
    T: int, N: int, seed: int | np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw N lists of T numbers with two marks, and the sum of what is marked.

    Parameters
    ----------
    T : int
        Numbers in a list, 2 or more. The first T // 2 are the first half.
    N : int
        How many lists.
    seed : int or numpy.random.Generator, optional
        Where they are drawn from.

    Returns
    -------
    x : (T, N, 2) float32 array
        At each step a number, and 1 if it is marked, else 0.
    y : (N,) float32 array
        The sums.

    Raises
    ------
    ValueError
        If T is not a whole number of at least 2, or N not one of at least 1.

    Examples
    --------
    >>> x, y = examples(T=6, N=1, seed=0)
    >>> print(x[:, 0].T.round(2))
    [[0.64 0.27 0.04 0.02 0.81 0.91]
     [0.   1.   0.   0.   1.   0.  ]]
    >>> print(y.round(2))
    [1.08]
    """
    rng, half = as_rng(seed), expect_positive("T", T, least=2) // 2
    x = np.zeros((T, expect_positive("N", N), 2), dtype=np.float32)
    x[..., 0] = rng.random((T, N))
    x[rng.integers(0, half, N), np.arange(N), 1] = 1
    x[rng.integers(half, T, N), np.arange(N), 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(axis=0)
