"""The scan: unroll a cell over time, and walk the same way back.

Backpropagation through time is nothing but the chain rule along the unrolled
chain: each step gets the gradient of its own output *plus* the one that the step
after it hands back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .validation import expect_float


def unroll(cell: Any, x: np.ndarray, state: Any) -> tuple[np.ndarray, Any, list]:
    """Apply one cell to every time step in turn. Derived in chapter 02_cell.

    Parameters
    ----------
    cell : module with ``forward(x_t, state) -> state, cache``
    x : (T, B, I) array
    state : (B, H) array, or for an LSTM the pair (h, c) of such
        The state before the first step. Carrying the last state of one piece of a
        long sequence into the next piece is truncated backpropagation.

    Returns
    -------
    h : (T, B, H) array
        The state after every step; of a pair, what is shown.
    state : as the argument
        The state after the last step; the initial one if T = 0.
    caches : list
        One a step, for `unroll_backward`.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit.

    Examples
    --------
    >>> from rnnlib import RNNCell
    >>> cell = RNNCell(3, 4, seed=0)
    >>> h, state, caches = unroll(cell, np.ones((5, 2, 3)), cell.initial_state(2))
    >>> h.shape, bool((h[-1] == state).all()), len(caches)
    ((5, 2, 4), True, 5)
    """
    x = expect_float("x", x, ("T", "B", "I"))
    pair = isinstance(state, tuple)
    h = np.empty((x.shape[0], *np.shape(state[0] if pair else state)), dtype=x.dtype)
    caches = []
    for t, x_t in enumerate(x):
        state, cache = cell.forward(x_t, state)
        h[t] = state[0] if pair else state
        caches.append(cache)
    return h, state, caches


def unroll_backward(
    cell: Any, dh: np.ndarray | None, caches: list, dstate: Any = None
) -> tuple[np.ndarray, Any]:
    """Walk back through `unroll`, from the last step to the first. Derived in chapter 03_bptt.

    Adds to the gradients of the cell's parameters: a parameter is used at every
    step, so its gradient is a sum over time.

    Parameters
    ----------
    cell : module with ``backward(dstate, cache) -> dx_t, dstate``
    dh : (T, B, H) array or None
        Gradient of the loss with respect to each step's state, as far as the loss looks
        at it directly; None where it looks at the final state alone.
    caches : list of length T
        What `unroll` returned.
    dstate : (B, H) array, or for an LSTM the pair (dh, dc) of such, optional
        Gradient of the loss with respect to the final state; zero if left out.

    Returns
    -------
    dx : (T, B, I) array
        Gradient with respect to the inputs.
    dstate : as the argument
        Gradient with respect to the initial state.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, or both gradients are left out.

    References
    ----------
    Werbos, Backpropagation through time: what it does and how to do it,
    Proceedings of the IEEE 78, 1990.

    Examples
    --------
    >>> from rnnlib import RNNCell
    >>> cell = RNNCell(3, 4, seed=0)
    >>> h, state, caches = unroll(cell, np.ones((5, 2, 3)), cell.initial_state(2))
    >>> dx, dstate = unroll_backward(cell, np.ones_like(h), caches)
    >>> dx.shape, dstate.shape
    ((5, 2, 3), (2, 4))
    """
    pair = isinstance(cell.initial_state(0), tuple)
    if dh is None:
        if dstate is None:
            raise ValueError("dh and dstate are both None: there is no gradient to walk back with")
        last = dstate[0] if pair else dstate
        dh = np.zeros((len(caches), *last.shape), last.dtype)
    dh = expect_float("dh", dh, (len(caches), "B", "H"))
    if dstate is None:
        dstate = cell.initial_state(dh.shape[1])
    dx = np.zeros((*dh.shape[:2], cell.input_size), dtype=dh.dtype)
    for t in reversed(range(len(caches))):
        dstate = (dh[t] + dstate[0], *dstate[1:]) if pair else dh[t] + dstate
        dx[t], dstate = cell.backward(dstate, caches[t])
    return dx, dstate
