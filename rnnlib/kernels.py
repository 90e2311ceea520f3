"""The three cells over a whole sequence, arranged for speed.

The same numbers as `bptt.unroll` over `cells`, which a test proves. None of the
rearrangements changes a formula:

1. The inputs are known before the first step, so W_x x_t is one large product for
   a block of steps; only W_h h_{t-1} has to wait its turn. On the way back, the
   gradients of W_x, W_h and x are one large product a block. Blocks are short,
   because arrays as long as the sequence leave the processor's cache before they
   are used.
2. All that the way back multiplies by is known before it begins. It is computed for
   a block at once, and a step only multiplies by it.
3. Gates are the first axis, (G, rows, H), so that each gate lies in one piece of
   memory and `r, z, n = gates` reads like the equation.
4. σ(z) = ½ tanh(½ z) + ½, with the ½ inside put into the weights beforehand: one
   call of tanh serves all gates.
5. Sequences are packed (see `sequences`): a step computes only those that are still
   running, and padding costs nothing.

In every function N counts the packed rows, and `plan` says where each step lies
among them. `keep` is false in evaluation: then nothing is stored for the way back,
and the memory needed does not depend on T but for input and output.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import nonlinearity_pair, sigmoid_grad, tanh_grad
from .sequences import Packing

BLOCK = 16  # time steps

Array = np.ndarray


def rnn_forward(
    x: Array, h_0: Array, W_x: Array, W_h: Array, b: Array, plan: Packing, nonlinearity: str
) -> Array:
    """All states of the vanilla recurrent network.

    Parameters
    ----------
    x : (N, I) array
    h_0 : (B, H) array
    W_x : (H, I) array
    W_h : (H, H) array
    b : (H,) array
    plan : Packing
    nonlinearity : {"tanh", "relu"}
        The function f.

    Returns
    -------
    h : (N, H) array

    Notes
    -----
    Derived in chapter 02_cell.

    Examples
    --------
    >>> from rnnlib.sequences import packing
    >>> rnn_forward(np.ones((10, 3)), np.zeros((2, 4)), np.ones((4, 3)), np.ones((4, 4)),
    ...             np.zeros(4), packing(T=5, B=2), "tanh").shape
    (10, 4)
    """
    h = np.empty((len(x), len(W_h)), x.dtype)
    W_x_T, W_h_T = np.ascontiguousarray(W_x.T), np.ascontiguousarray(W_h.T)
    recurrent = np.empty_like(h_0)
    zero = x.dtype.type(0)
    h_prev = h_0
    for block in _blocks(plan):
        rows = _rows(plan, block)
        np.matmul(x[rows], W_x_T, out=h[rows])
        h[rows] += b
        for t in block:
            B = plan.sizes[t]
            h_t = h[plan.starts[t] : plan.starts[t + 1]]
            h_t += np.matmul(h_prev[:B], W_h_T, out=recurrent[:B])
            if nonlinearity == "tanh":
                np.tanh(h_t, out=h_t)
            else:
                np.maximum(h_t, zero, out=h_t)
            h_prev = h_t
    return h


def rnn_backward(
    dy: Array,
    dh_n: Array,
    x: Array,
    h: Array,
    h_0: Array,
    W_x: Array,
    W_h: Array,
    plan: Packing,
    nonlinearity: str,
) -> tuple[Array, Array, Array, Array, Array]:
    """The way back through `rnn_forward`.

    Parameters
    ----------
    dy : (N, H) array
        Gradient of the loss by each step's state, as far as the loss looks at it directly.
    dh_n : (B, H) array
        Gradient of the loss by each sequence's last state.
    x, h, h_0, W_x, W_h, plan, nonlinearity
        As in `rnn_forward`.

    Returns
    -------
    dx : (N, I) array
    dh_0 : (B, H) array
    dW_x : (H, I) array
    dW_h : (H, H) array
    db : (H,) array

    Notes
    -----
    Derived in chapter 03_bptt.

    Examples
    --------
    >>> from rnnlib.sequences import packing
    >>> x, h_0, W_x, W_h = np.ones((10, 3)), np.zeros((2, 4)), np.ones((4, 3)), np.ones((4, 4))
    >>> plan = packing(T=5, B=2)
    >>> h = rnn_forward(x, h_0, W_x, W_h, np.zeros(4), plan, "tanh")
    >>> gradients = rnn_backward(np.ones_like(h), h_0, x, h, h_0, W_x, W_h, plan, "tanh")
    >>> [gradient.shape for gradient in gradients]
    [(10, 3), (2, 4), (4, 3), (4, 4), (4,)]
    """
    _, f_grad = nonlinearity_pair(nonlinearity)
    dx, dW_x, dW_h, db = np.empty_like(x), np.zeros_like(W_x), np.zeros_like(W_h), 0.0
    dh_next = dh_n.copy()  # a step overwrites the rows of the sequences that are running
    for block in _blocks(plan, backwards=True):
        rows = _rows(plan, block)
        dz = f_grad(h[rows])
        for t in reversed(block):
            B, step = plan.sizes[t], _step(plan, block, t)
            dh = dh_next[:B]
            dh += dy[plan.starts[t] : plan.starts[t + 1]]
            dz[step] *= dh
            np.matmul(dz[step], W_h, out=dh)
        np.matmul(dz, W_x, out=dx[rows])
        dW_x += dz.T @ x[rows]
        dW_h += dz.T @ _previous(h, h_0, plan, block)
        db = db + dz.sum(axis=0)
    return dx, dh_next, dW_x, dW_h, db + np.zeros_like(W_h[0])


def lstm_forward(
    x: Array, h_0: Array, c_0: Array, W_x: Array, W_h: Array, b: Array, plan: Packing, keep: bool
) -> tuple[Array, Array, Any]:
    """All states of the long short-term memory.

    Parameters
    ----------
    x : (N, I) array
    h_0, c_0 : (B, H) array
    W_x : (4H, I) array
    W_h : (4H, H) array
    b : (4H,) array
    plan : Packing
    keep : bool

    Returns
    -------
    h : (N, H) array
    c_n : (B, H) array
        Each sequence's last memory.
    kept : object
        For `lstm_backward`.

    Notes
    -----
    Derived in chapter 06_lstm.

    Examples
    --------
    >>> from rnnlib.sequences import packing
    >>> zeros = np.zeros((2, 4))
    >>> h, c_n, kept = lstm_forward(np.ones((10, 3)), zeros, zeros, np.ones((16, 3)),
    ...                             np.ones((16, 4)), np.zeros(16), packing(T=5, B=2), keep=True)
    >>> h.shape, c_n.shape
    ((10, 4), (2, 4))
    """
    N, H, dtype = len(x), W_h.shape[1], x.dtype
    # i, f, o first: what goes through the sigmoid lies together
    W_x_T, W_h_T, b_1 = (_gate_major(W, 4, [0, 1, 3, 2], sigmoids=3) for W in (W_x, W_h, b))
    half = np.array(0.5, dtype)
    h = np.empty((N, H), dtype)
    gates: Any = np.empty((4, N, H), dtype) if keep else None
    memory: Any = np.empty((N, H), dtype) if keep else None
    c_n = c_0.copy()
    recurrent = np.empty((4, *h_0.shape), dtype)
    product = np.empty_like(h_0)
    h_prev = h_0
    for block in _blocks(plan):
        rows = _rows(plan, block)
        block_gates = gates[:, rows] if keep else np.empty((4, rows.stop - rows.start, H), dtype)
        np.matmul(x[rows], W_x_T, out=block_gates)
        block_gates += b_1
        for t in block:
            B, step = plan.sizes[t], _step(plan, block, t)
            a = block_gates[:, step]
            a += np.matmul(h_prev[:B], W_h_T, out=recurrent[:, :B])
            np.tanh(a, out=a)
            sigmoids = a[:3]
            sigmoids *= half
            sigmoids += half
            i, f, o, g = a
            c = c_n[:B]
            c *= f
            c += np.multiply(i, g, out=product[:B])
            h_t = h[plan.starts[t] : plan.starts[t + 1]]
            np.tanh(c, out=h_t)
            h_t *= o
            if keep:
                memory[plan.starts[t] : plan.starts[t + 1]] = c
            h_prev = h_t
    return h, c_n, (gates, memory)


def lstm_backward(
    dy: Array,
    dh_n: Array,
    dc_n: Array,
    x: Array,
    h: Array,
    h_0: Array,
    c_0: Array,
    kept: Any,
    W_x: Array,
    W_h: Array,
    plan: Packing,
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """The way back through `lstm_forward`.

    Parameters
    ----------
    dy : (N, H) array
        Gradient of the loss by each step's h, as far as the loss looks at it directly.
    dh_n, dc_n : (B, H) array
        Gradients of the loss by each sequence's last state.
    x, h, h_0, c_0, kept, W_x, W_h, plan
        As in `lstm_forward`.

    Returns
    -------
    dx : (N, I) array
    dh_0, dc_0 : (B, H) array
    dW_x : (4H, I) array
    dW_h : (4H, H) array
    db : (4H,) array

    Notes
    -----
    Derived in chapter 06_lstm.

    Examples
    --------
    >>> from rnnlib.sequences import packing
    >>> x, zeros, W_x, W_h = np.ones((10, 3)), np.zeros((2, 4)), np.ones((16, 3)), np.ones((16, 4))
    >>> plan = packing(T=5, B=2)
    >>> h, c_n, kept = lstm_forward(x, zeros, zeros, W_x, W_h, np.zeros(16), plan, keep=True)
    >>> gradients = lstm_backward(h, zeros, zeros, x, h, zeros, zeros, kept, W_x, W_h, plan)
    >>> [gradient.shape for gradient in gradients]
    [(10, 3), (2, 4), (2, 4), (16, 3), (16, 4), (16,)]
    """
    H = W_h.shape[1]
    gates, memory = kept
    dx, dW_x, dW_h, db = np.empty_like(x), np.zeros_like(W_x), np.zeros_like(W_h), 0.0
    dh_next, dc_next = dh_n.copy(), dc_n.copy()
    through_c = np.empty_like(h_0)
    for block in _blocks(plan, backwards=True):
        rows = _rows(plan, block)
        i, f, o, g = gates[:, rows]
        tanh_c = np.tanh(memory[rows])
        # dc times these is the gradient by what stands inside the gates i, f, g; dh times
        # the others that by what stands inside o, and by c
        by_dc = np.empty((3, *i.shape), x.dtype)
        np.multiply(g, sigmoid_grad(i), out=by_dc[0])
        np.multiply(_previous(memory, c_0, plan, block), sigmoid_grad(f), out=by_dc[1])
        np.multiply(i, tanh_grad(g), out=by_dc[2])
        to_o = tanh_c * sigmoid_grad(o)
        to_c = o * tanh_grad(tanh_c)
        dz = np.empty((i.shape[0], 4 * H), x.dtype)  # torch's order, as W_x and W_h
        dz_gates = dz.reshape(-1, 4, H).swapaxes(0, 1)  # (4, rows, H), the same memory
        for t in reversed(block):
            B, step = plan.sizes[t], _step(plan, block, t)
            dh, dc = dh_next[:B], dc_next[:B]
            dh += dy[plan.starts[t] : plan.starts[t + 1]]
            dc += np.multiply(dh, to_c[step], out=through_c[:B])
            np.multiply(by_dc[:, step], dc, out=dz_gates[:3, step])
            np.multiply(to_o[step], dh, out=dz_gates[3, step])
            dc *= f[step]
            np.matmul(dz[step], W_h, out=dh)
        np.matmul(dz, W_x, out=dx[rows])
        dW_x += dz.T @ x[rows]
        dW_h += dz.T @ _previous(h, h_0, plan, block)
        db = db + dz.sum(axis=0)
    return dx, dh_next, dc_next, dW_x, dW_h, db + np.zeros_like(W_h[:, 0])


def gru_forward(
    x: Array, h_0: Array, W_x: Array, W_h: Array, b: Array, b_hn: Array, plan: Packing, keep: bool
) -> tuple[Array, Any]:
    """All states of the gated recurrent unit, reset after the product, as in torch.

    Parameters
    ----------
    x : (N, I) array
    h_0 : (B, H) array
    W_x : (3H, I) array
    W_h : (3H, H) array
    b : (3H,) array
    b_hn : (H,) array
        The candidate's bias inside the reset gate.
    plan : Packing
    keep : bool

    Returns
    -------
    h : (N, H) array
    kept : object
        For `gru_backward`.

    Notes
    -----
    Derived in chapter 07_gru.

    Examples
    --------
    >>> from rnnlib.sequences import packing
    >>> h, kept = gru_forward(np.ones((10, 3)), np.zeros((2, 4)), np.ones((12, 3)),
    ...                       np.ones((12, 4)), np.zeros(12), np.zeros(4), packing(T=5, B=2), True)
    >>> h.shape
    (10, 4)
    """
    N, H, dtype = len(x), W_h.shape[1], x.dtype
    W_x_T, W_h_T, b_1 = (_gate_major(W, 3, [0, 1, 2], sigmoids=2) for W in (W_x, W_h, b))
    half = np.array(0.5, dtype)
    h = np.empty((N, H), dtype)
    gates: Any = np.empty((3, N, H), dtype) if keep else None
    pasts: Any = np.empty((N, H), dtype) if keep else None  # W_hn h_{t-1} + b_hn
    recurrent = np.empty((3, *h_0.shape), dtype)
    h_prev = h_0
    for block in _blocks(plan):
        rows = _rows(plan, block)
        block_gates = gates[:, rows] if keep else np.empty((3, rows.stop - rows.start, H), dtype)
        np.matmul(x[rows], W_x_T, out=block_gates)
        block_gates += b_1
        for t in block:
            B, step = plan.sizes[t], _step(plan, block, t)
            r_z, n = block_gates[:2, step], block_gates[2, step]
            from_past = np.matmul(h_prev[:B], W_h_T, out=recurrent[:, :B])
            r_z += from_past[:2]
            np.tanh(r_z, out=r_z)
            r_z *= half
            r_z += half
            r, z = r_z
            past = from_past[2]
            past += b_hn
            if keep:
                pasts[plan.starts[t] : plan.starts[t + 1]] = past
            past *= r
            n += past
            np.tanh(n, out=n)
            h_t = h[plan.starts[t] : plan.starts[t + 1]]
            np.subtract(h_prev[:B], n, out=h_t)  # (1 - z) n + z h_{t-1} = n + z (h_{t-1} - n)
            h_t *= z
            h_t += n
            h_prev = h_t
    return h, (gates, pasts)


def gru_backward(
    dy: Array,
    dh_n: Array,
    x: Array,
    h: Array,
    h_0: Array,
    kept: Any,
    W_x: Array,
    W_h: Array,
    plan: Packing,
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """The way back through `gru_forward`.

    Parameters
    ----------
    dy : (N, H) array
        Gradient of the loss by each step's state, as far as the loss looks at it directly.
    dh_n : (B, H) array
        Gradient of the loss by each sequence's last state.
    x, h, h_0, kept, W_x, W_h, plan
        As in `gru_forward`.

    Returns
    -------
    dx : (N, I) array
    dh_0 : (B, H) array
    dW_x : (3H, I) array
    dW_h : (3H, H) array
    db : (3H,) array
    db_hn : (H,) array

    Notes
    -----
    Derived in chapter 07_gru.

    Examples
    --------
    >>> from rnnlib.sequences import packing
    >>> x, h_0, W_x, W_h = np.ones((10, 3)), np.zeros((2, 4)), np.ones((12, 3)), np.ones((12, 4))
    >>> plan = packing(T=5, B=2)
    >>> h, kept = gru_forward(x, h_0, W_x, W_h, np.zeros(12), np.zeros(4), plan, keep=True)
    >>> gradients = gru_backward(h, h_0, x, h, h_0, kept, W_x, W_h, plan)
    >>> [gradient.shape for gradient in gradients]
    [(10, 3), (2, 4), (12, 3), (12, 4), (12,), (4,)]
    """
    H = W_h.shape[1]
    gates, pasts = kept
    dx, dW_x, dW_h = np.empty_like(x), np.zeros_like(W_x), np.zeros_like(W_h)
    db = np.zeros(4 * H, x.dtype)
    W_x_nrz = np.concatenate([W_x[2 * H :], W_x[: 2 * H]])
    dh_next = dh_n.copy()
    kept_part = np.empty_like(h_0)
    for block in _blocks(plan, backwards=True):
        rows = _rows(plan, block)
        r, z, n = gates[:, rows]
        h_prev = _previous(h, h_0, plan, block)
        # dh times these is the gradient by what stands inside n, r, z and by the past inside n.
        # In this order the first three belong to W_x, and the last three to W_h.
        by_dh = np.empty((4, *r.shape), x.dtype)
        np.multiply(1.0 - z, tanh_grad(n), out=by_dh[0])
        np.multiply(by_dh[0], r, out=by_dh[3])
        np.multiply(by_dh[3] * (1.0 - r), pasts[rows], out=by_dh[1])
        np.multiply(h_prev - n, sigmoid_grad(z), out=by_dh[2])
        dz = np.empty((r.shape[0], 4 * H), x.dtype)
        dz_gates = dz.reshape(-1, 4, H).swapaxes(0, 1)  # (4, rows, H), the same memory
        dz_x, dz_h = dz[:, : 3 * H], dz[:, H:]
        for t in reversed(block):
            B, step = plan.sizes[t], _step(plan, block, t)
            dh = dh_next[:B]
            dh += dy[plan.starts[t] : plan.starts[t + 1]]
            np.multiply(by_dh[:, step], dh, out=dz_gates[:, step])
            np.multiply(dh, z[step], out=kept_part[:B])
            np.matmul(dz_h[step], W_h, out=dh)
            dh += kept_part[:B]
        np.matmul(dz_x, W_x_nrz, out=dx[rows])
        dW_x += dz_x.T @ x[rows]  # rows in the order n, r, z
        dW_h += dz_h.T @ h_prev
        db += dz.sum(axis=0)
    dW_x = np.concatenate([dW_x[H:], dW_x[:H]])
    return dx, dh_next, dW_x, dW_h, np.concatenate([db[H : 3 * H], db[:H]]), db[3 * H :]


def _blocks(plan: Packing, backwards: bool = False) -> list[range]:
    """The time steps in groups of BLOCK."""
    T = len(plan.sizes)
    found = [range(first, min(first + BLOCK, T)) for first in range(0, T, BLOCK)]
    return found[::-1] if backwards else found


def _rows(plan: Packing, block: range) -> slice:
    """The packed rows of a block."""
    return slice(plan.starts[block.start], plan.starts[block.stop])


def _step(plan: Packing, block: range, t: int) -> slice:
    """The rows of one step, counted from the beginning of its block."""
    first = plan.starts[block.start]
    return slice(plan.starts[t] - first, plan.starts[t + 1] - first)


def _previous(h: Array, h_0: Array, plan: Packing, block: range) -> Array:
    """For each row of a block, the state of the same sequence one step before."""
    first, last = block.start, block.stop
    sizes, starts = plan.sizes, plan.starts
    if first > 0 and sizes[first - 1] == sizes[last - 1]:
        return h[starts[first - 1] : starts[last - 1]]
    return np.concatenate(
        [h[starts[t - 1] : starts[t - 1] + sizes[t]] if t else h_0[: sizes[0]] for t in block]
    )


def _gate_major(W: Array, G: int, order: list[int], sigmoids: int) -> Array:
    """(G·H, I) weights as (G, I, H), gates in this order, the first ones halved (see 4)."""
    gates = W.reshape(G, len(W) // G, -1)[order]
    gates[:sigmoids] *= W.dtype.type(0.5)
    return np.ascontiguousarray(gates.swapaxes(1, 2))
