"""Sequences of any length in one batch: packed, and laid back.

A batch of ragged sequences is computed without its padding: its rows are laid one
step after the other, and in each step only the sequences that are still running.
From the longest to the shortest these are always the first ones:

    lengths 3, 2, 1          sizes 3, 2, 1         rows  a_0 b_0 c_0 | a_1 b_1 | a_2

A batch in which all are as long is the same thing with equal sizes, and packing it
moves nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .validation import expect_lengths


class Packing(NamedTuple):
    """Where each step of each sequence lies among the packed rows; `packing` makes it.

    Parameters
    ----------
    T, B : int
        Sizes of the padded batch.
    sizes : list of int, length T
        How many sequences are still running at each step; never growing.
    starts : list of int, length T + 1
        The row at which each step begins; the last entry N counts all rows.
    order : (B,) integer array or None
        The sequences from the longest to the shortest; None where all are as long.
    rows : (N,) integer array or None
        Row n is entry rows[n] of the padded batch laid out as (T·B, …).
    mirror : (N,) integer array or None
        Row n of the batch read backwards, each sequence from its own end, is row
        mirror[n].

    Notes
    -----
    Derived in chapter 08_bidirectional.

    Examples
    --------
    >>> packing(3, 2, [1, 3]).sizes
    [2, 1, 1]
    """

    T: int
    B: int
    sizes: list[int]
    starts: list[int]
    order: np.ndarray | None
    rows: np.ndarray | None
    mirror: np.ndarray | None


def packing(T: int, B: int, lengths: Any = None) -> Packing:
    """How to pack a batch of T steps and B sequences of these lengths.

    Parameters
    ----------
    T, B : int
        Sizes of the padded batch.
    lengths : (B,) integer array, optional
        Steps of each sequence that count, in 1 … T; all T if left out.

    Returns
    -------
    Packing

    Raises
    ------
    ValueError
        If lengths has another shape or dtype, or an entry outside 1 … T.

    Notes
    -----
    Derived in chapter 08_bidirectional.

    Examples
    --------
    >>> packing(2, 3).starts
    [0, 3, 6]
    >>> packing(3, 2, [1, 4])
    Traceback (most recent call last):
    ...
    ValueError: lengths must lie in 1 … 3, but holds 4
    """
    if lengths is None:
        return Packing(T, B, [B] * T, [B * t for t in range(T + 1)], None, None, None)
    lengths = expect_lengths("lengths", lengths, B, longest=T, least=1)
    if (lengths == T).all():
        return packing(T, B)
    order = np.argsort(-lengths, kind="stable")
    length, step = lengths[order], np.arange(T)[:, None]
    running = step < length  # (T, B)
    sizes = running.sum(axis=1)
    starts = np.concatenate([[0], sizes.cumsum()])
    # a step of the padding may point anywhere: it is cut away
    mirror = starts[(length - 1 - step).clip(0)] + np.arange(B)
    return Packing(
        T,
        B,
        sizes.tolist(),
        starts.tolist(),
        order,
        (step * B + order)[running],
        mirror[running],
    )


def pack(x: np.ndarray, plan: Packing) -> np.ndarray:
    """The rows of a padded batch that count, step after step.

    Parameters
    ----------
    x : (T, B, F) array
    plan : Packing

    Returns
    -------
    rows : (N, F) array

    Notes
    -----
    Derived in chapter 08_bidirectional.

    Examples
    --------
    >>> x = np.array([[1, 4], [2, 0], [3, 0]])[..., None]
    >>> pack(x, packing(3, 2, [3, 1]))[:, 0].tolist()
    [1, 4, 2, 3]
    """
    flat = x.reshape(plan.T * plan.B, x.shape[2])
    return flat if plan.rows is None else flat[plan.rows]


def unpack(rows: np.ndarray, plan: Packing) -> np.ndarray:
    """The padded batch of these rows, zero where it is padding: the inverse of `pack`.

    Parameters
    ----------
    rows : (N, F) array
    plan : Packing

    Returns
    -------
    x : (T, B, F) array

    Notes
    -----
    Derived in chapter 08_bidirectional.

    Examples
    --------
    >>> unpack(np.array([[1], [4], [2], [3]]), packing(3, 2, [3, 1]))[..., 0].tolist()
    [[1, 4], [2, 0], [3, 0]]
    """
    F = rows.shape[1]
    if plan.rows is not None:
        packed, rows = rows, np.zeros((plan.T * plan.B, F), dtype=rows.dtype)
        rows[plan.rows] = packed
    return rows.reshape(plan.T, plan.B, F)


def reverse(rows: np.ndarray, plan: Packing) -> np.ndarray:
    """Packed rows read backwards, each sequence from its own end; twice is the beginning.

    Parameters
    ----------
    rows : (N, F) array
    plan : Packing

    Returns
    -------
    rows : (N, F) array

    Notes
    -----
    Derived in chapter 08_bidirectional.

    Examples
    --------
    >>> reverse(np.array([[1], [4], [2], [3]]), packing(3, 2, [3, 1]))[:, 0].tolist()
    [3, 4, 2, 1]
    """
    if plan.mirror is not None:
        return rows[plan.mirror]
    return rows.reshape(plan.T, plan.B, rows.shape[1])[::-1].reshape(rows.shape)


def last_states(h: np.ndarray, h_0: np.ndarray, plan: Packing) -> np.ndarray:
    """Each sequence's own last state.

    Parameters
    ----------
    h : (N, H) array
        The states after every step, packed.
    h_0 : (B, H) array
        What remains where there are no steps.
    plan : Packing

    Returns
    -------
    h_n : (B, H) array
        From the longest sequence to the shortest, as h_0.

    Notes
    -----
    Derived in chapter 08_bidirectional.

    Examples
    --------
    >>> h = np.array([[1.0], [2.0], [3.0]])  # two sequences, of two steps and of one
    >>> last_states(h, np.zeros((2, 1)), packing(2, 2, [2, 1])).tolist()
    [[3.0], [2.0]]
    """
    if plan.mirror is not None:  # reading backwards begins with the last step
        return h[plan.mirror[: plan.B]]
    return h[-plan.B :].copy() if len(h) else h_0.copy()
