"""Sequences of any length in one batch: packed, and laid back. Derived in chapter 08_bidirectional.

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
    """Where each step of each sequence lies among the packed rows; `packing` makes it."""

    T: int
    B: int
    sizes: list[int]  # T: how many sequences are still running at each step; never growing
    starts: list[int]  # T + 1: the row at which each step begins; the last counts all rows, N
    order: np.ndarray | None  # (B,): from the longest to the shortest; None if all are as long
    rows: np.ndarray | None  # (N,): row n is entry rows[n] of the padded batch laid out as (T·B, …)
    mirror: np.ndarray | None  # (N,): row n of the batch read backwards is row mirror[n]


def packing(T: int, B: int, lengths: Any = None) -> Packing:
    """How to pack a batch of T steps and B sequences of these lengths (B,), in 1 … T.

    >>> packing(3, 2, [1, 3]).sizes
    [2, 1, 1]
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
    """The rows (N, F) of a padded batch (T, B, F) that count, step after step.

    >>> x = np.array([[1, 4], [2, 0], [3, 0]])[..., None]
    >>> pack(x, packing(3, 2, [3, 1]))[:, 0].tolist()
    [1, 4, 2, 3]
    """
    flat = x.reshape(plan.T * plan.B, x.shape[2])
    return flat if plan.rows is None else flat[plan.rows]


def unpack(rows: np.ndarray, plan: Packing) -> np.ndarray:
    """The padded batch (T, B, F) of the rows (N, F), zero where it is padding.

    >>> unpack(np.array([[1], [4], [2], [3]]), packing(3, 2, [3, 1]))[..., 0].tolist()
    [[1, 4], [2, 0], [3, 0]]
    """
    F = rows.shape[1]
    if plan.rows is not None:
        packed, rows = rows, np.zeros((plan.T * plan.B, F), dtype=rows.dtype)
        rows[plan.rows] = packed
    return rows.reshape(plan.T, plan.B, F)


def reverse(rows: np.ndarray, plan: Packing) -> np.ndarray:
    """The rows (N, F) read backwards, each sequence from its own end; twice is the beginning.

    >>> reverse(np.array([[1], [4], [2], [3]]), packing(3, 2, [3, 1]))[:, 0].tolist()
    [3, 4, 2, 1]
    """
    if plan.mirror is not None:
        return rows[plan.mirror]
    return rows.reshape(plan.T, plan.B, rows.shape[1])[::-1].reshape(rows.shape)


def last_states(h: np.ndarray, h_0: np.ndarray, plan: Packing) -> np.ndarray:
    """Each sequence's own last state (B, H), of the states h (N, H); h_0 if there are no steps.

    >>> h = np.array([[1.0], [2.0], [3.0]])  # two sequences, of two steps and of one
    >>> last_states(h, np.zeros((2, 1)), packing(2, 2, [2, 1])).tolist()
    [[3.0], [2.0]]
    """
    if plan.mirror is not None:  # reading backwards begins with the last step
        return h[plan.mirror[: plan.B]]
    return h[-plan.B :].copy() if len(h) else h_0.copy()
