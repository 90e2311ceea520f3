"""Handwritten digits of 8 × 8 pixels, read pixel by pixel, and sheets that end too early.

A picture is read as a page is: row after row from the top, each row from the left. So it
is a sequence of 64 steps with one number each, how much ink there is, from 0 to 1. Cut
off after some of its rows, it is a shorter sequence:

    rows  8     x (64, 1)
    rows  5     x (40, 1), and the digit that was written is still what is asked

Derived in chapter 08_bidirectional. Source: Alpaydin and Kaynak, Optical Recognition of
Handwritten Digits, UCI Machine Learning Repository, 1998, doi 10.24432/C50P49, CC BY 4.0;
the 1,797 pictures of 13 writers that come with scikit-learn. Training, validation and test
are drawn from all of them, so that a writer is in each: a score says nothing about writers
never met.
"""

from __future__ import annotations

import numpy as np

from ..validation import as_rng

#: Rows and columns of a picture.
SIDE = 8

#: What is set aside for validation, and what for the test.
VALIDATION, TEST = 270, 540


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Load all pictures (N, 8, 8), ink from 0 to 1 in float32, and what they show, (N,).

    Raises
    ------
    ImportError
        If scikit-learn, which brings them, is not installed.

    Examples
    --------
    >>> ink, shown = pictures()
    >>> ink.shape, shown[:4].tolist()
    ((1797, 8, 8), [0, 1, 2, 3])
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError(
            "the digits come with scikit-learn, which is not installed: pip install scikit-learn"
        ) from None
    digits = load_digits()
    return (digits.images / 16).astype(np.float32), digits.target


def split(
    ink: np.ndarray, shown: np.ndarray, fewest: int = SIDE, seed: int | np.random.Generator = 0
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Read pictures as sequences, in training, validation and test.

    Parameters
    ----------
    ink, shown : (N, 8, 8) and (N,) arrays
        As from `pictures`.
    fewest : int, optional
        Each picture is cut off after a number of rows between this and 8, all of them
        equally likely, drawn once and for all. At 8 none is cut.
    seed : int or numpy.random.Generator, optional
        Where the order and the numbers of rows are drawn from.

    Returns
    -------
    three times (x, lengths, y) : (64, N, 1), (N,) and (N,) arrays
        Behind its length each sequence is padded with zeros.

    Raises
    ------
    ValueError
        If fewest lies outside 1 … 8.

    Examples
    --------
    >>> training, validation, test = split(*pictures(), fewest=4)
    >>> x, lengths, y = test
    >>> x.shape, sorted(set(lengths.tolist()))
    ((64, 540, 1), [32, 40, 48, 56, 64])
    """
    if not 1 <= fewest <= SIDE:
        raise ValueError(f"fewest is {fewest}, but a picture has 1 … {SIDE} rows")
    rng = as_rng(seed)
    order = rng.permutation(len(ink))
    lengths = SIDE * rng.integers(fewest, SIDE + 1, len(ink))
    x = ink[order].reshape(len(ink), SIDE * SIDE).T.copy()  # (64, N)
    x[np.arange(SIDE * SIDE)[:, None] >= lengths] = 0
    ends = len(ink) - VALIDATION - TEST, len(ink) - TEST
    parts = [x[..., None], lengths, shown[order]]
    cut = zip(*(np.split(part, ends, axis=min(part.ndim - 1, 1)) for part in parts), strict=True)
    return list(cut)
