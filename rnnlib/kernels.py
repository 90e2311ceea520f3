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
   memory, `r, z, n = gates` reads like the equation, and BLAS gets G small products,
   which it does faster than one of G times the width.
4. σ(z) = ½ tanh(½ z) + ½, with the ½ inside put into the weights beforehand: one
   call of tanh serves all gates.
5. Sequences are packed (see `sequences`): a step computes only those that are still
   running, and padding costs nothing.
6. A call of NumPy costs half a microsecond whatever it does, a slice a fifth. So
   results go into arrays that are there already (`out=`), and the views of all the
   steps of a block are made at once (`_steps`).

In every function N counts the packed rows, and `plan` says where each step lies
among them. `keep` is false in evaluation: then nothing is stored for the way back,
and the memory needed does not depend on T but for input and output.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .activations import nonlinearity_pair, sigmoid_grad, tanh_grad
from .sequences import Packing

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
    f = np.tanh if nonlinearity == "tanh" else _relu
    h = np.empty((len(x), len(W_h)), x.dtype)
    W_x_T, W_h_T = np.ascontiguousarray(W_x.T), np.ascontiguousarray(W_h.T)
    h_prev, recurrent = h_0, np.empty_like(h_0)
    for block in _blocks(plan):
        rows = _rows(plan, block)
        np.matmul(x[rows], W_x_T, out=h[rows])
        h[rows] += b
        for h_t in _steps(h[rows], plan, block):
            if len(h_t) < len(h_prev):
                h_prev, recurrent = h_prev[: len(h_t)], recurrent[: len(h_t)]
            h_t += np.matmul(h_prev, W_h_T, out=recurrent)
            f(h_t, out=h_t)
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
    dx, dW_x, dW_h, db = (
        np.empty_like(x),
        np.zeros_like(W_x),
        np.zeros_like(W_h),
        np.zeros(len(W_h)),
    )
    dh_next = dh_n.copy()  # a step overwrites the rows of the sequences that are running
    dh = dh_next[:0]
    for block in _blocks(plan, backwards=True):
        rows = _rows(plan, block)
        dz = f_grad(h[rows])
        steps = _steps(dy[rows], plan, block), _steps(dz, plan, block)
        for dy_t, dz_t in _backwards(steps):
            if len(dz_t) > len(dh):
                dh = dh_next[: len(dz_t)]
            dh += dy_t
            dz_t *= dh
            np.matmul(dz_t, W_h, out=dh)
        np.matmul(dz, W_x, out=dx[rows])
        dW_x += dz.T @ x[rows]
        dW_h += dz.T @ _previous(h, h_0, plan, block)
        db += dz.sum(axis=0)
    return dx, dh_next, dW_x, dW_h, db.astype(x.dtype)


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
    h_prev, c_prev, c_n = h_0, c_0.copy(), np.empty_like(c_0)
    recurrent, product = np.empty((4, *h_0.shape), dtype), np.empty_like(h_0)
    for block in _blocks(plan):
        rows = _rows(plan, block)
        n = rows.stop - rows.start
        block_gates = gates[:, rows] if keep else np.empty((4, n, H), dtype)
        block_memory = memory[rows] if keep else np.empty((n, H), dtype)
        np.matmul(x[rows], W_x_T, out=block_gates)
        block_gates += b_1
        for a, c_t, h_t in zip(
            _steps(block_gates, plan, block),
            _steps(block_memory, plan, block),
            _steps(h[rows], plan, block),
            strict=True,
        ):
            B = len(h_t)
            if len(h_prev) > B:  # sequences have ended
                c_n[B : len(c_prev)] = c_prev[B:]
                h_prev, c_prev = h_prev[:B], c_prev[:B]
                recurrent, product = recurrent[:, :B], product[:B]
            a += np.matmul(h_prev, W_h_T, out=recurrent)
            np.tanh(a, out=a)
            sigmoids = a[:3]
            sigmoids *= half
            sigmoids += half
            i, f, o, g = a
            np.multiply(f, c_prev, out=c_t)
            c_t += np.multiply(i, g, out=product)
            np.tanh(c_t, out=h_t)
            h_t *= o
            h_prev, c_prev = h_t, c_t
    c_n[: len(c_prev)] = c_prev
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
    G, H = 4, W_h.shape[1]
    gates, memory = kept
    to_ifgo = [1, 2, 3, 0]  # from o, i, f, g to the order of W_x and W_h
    W_x_gates, W_h_gates = (W.reshape(G, H, -1)[[3, 0, 1, 2]] for W in (W_x, W_h))
    dx, dW_x, dW_h = np.empty_like(x), np.zeros_like(W_x_gates), np.zeros_like(W_h_gates)
    db = np.zeros((G, H))
    dh_next, dc_next = dh_n.copy(), dc_n.copy()
    products = np.empty((G, *h_0.shape), x.dtype)
    dh, dc, products_t = dh_next[:0], dc_next[:0], products[:, :0]
    scratch = np.empty((1 + G, _largest(plan), H), x.dtype)
    one = np.array(1, x.dtype)
    for block in _blocks(plan, backwards=True):
        rows = _rows(plan, block)
        i, f, o, g = gates[:, rows]
        # what dh is multiplied by for c and o, then what dc is multiplied by for i, f, g:
        # o (1 - tanh² c), tanh c o (1 - o), g i (1 - i), c_{t-1} f (1 - f), i (1 - g²)
        by = scratch[:, : len(i)]
        to_c, to_o, to_i, to_f, to_g = by
        np.tanh(memory[rows], out=to_o)
        for y, to, times in ((to_o, to_c, o), (g, to_g, i)):  # tanh: 1 - y²
            np.multiply(y, y, out=to)
            np.subtract(one, to, out=to)
            to *= times
        before = _previous(memory, c_0, plan, block)
        for y, to, times in ((i, to_i, g), (f, to_f, before)):  # sigmoid: y (1 - y)
            np.subtract(one, y, out=to)
            to *= y
            to *= times
        to_o *= o
        to_o *= one - o
        gradients = by  # of c through h, then of what stands inside o, i, f, g; in its place
        dz = gradients[1:]
        for dy_t, dh_part, through_h, dc_part, dz_t, f_t in _backwards(
            [
                _steps(array, plan, block)
                for array in (dy[rows], by[:2], gradients[0], by[2:], dz, f)
            ]
        ):
            if len(f_t) > len(dh):
                B = len(f_t)
                dh, dc, products_t = dh_next[:B], dc_next[:B], products[:, :B]
            dh += dy_t
            dh_part *= dh
            dc += through_h
            dc_part *= dc
            dc *= f_t
            np.add.reduce(np.matmul(dz_t, W_h_gates, out=products_t), axis=0, out=dh)
        np.add.reduce(dz @ W_x_gates, axis=0, out=dx[rows])
        dz_T = dz.swapaxes(1, 2)
        dW_x += dz_T @ x[rows]
        dW_h += dz_T @ _previous(h, h_0, plan, block)
        db += dz.sum(axis=1)
    return (
        dx,
        dh_next,
        dc_next,
        dW_x[to_ifgo].reshape(W_x.shape),
        dW_h[to_ifgo].reshape(W_h.shape),
        db[to_ifgo].reshape(G * H).astype(x.dtype),
    )


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
    h_prev, recurrent = h_0, np.empty((3, *h_0.shape), dtype)
    for block in _blocks(plan):
        rows = _rows(plan, block)
        n_rows = rows.stop - rows.start
        block_gates = gates[:, rows] if keep else np.empty((3, n_rows, H), dtype)
        block_pasts = pasts[rows] if keep else np.empty((n_rows, H), dtype)
        np.matmul(x[rows], W_x_T, out=block_gates)
        block_gates += b_1
        for a, past, h_t in zip(
            _steps(block_gates, plan, block),
            _steps(block_pasts, plan, block),
            _steps(h[rows], plan, block),
            strict=True,
        ):
            if len(h_t) < len(h_prev):
                h_prev, recurrent = h_prev[: len(h_t)], recurrent[:, : len(h_t)]
            np.matmul(h_prev, W_h_T, out=recurrent)
            np.add(recurrent[2], b_hn, out=past)
            r_z = a[:2]
            r_z += recurrent[:2]
            np.tanh(r_z, out=r_z)
            r_z *= half
            r_z += half
            r, z, n = a
            n += np.multiply(r, past, out=h_t)  # h_t is free until the end of the step
            np.tanh(n, out=n)
            np.subtract(h_prev, n, out=h_t)  # (1 - z) n + z h_{t-1} = n + z (h_{t-1} - n)
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
    W_x_nrz, W_h_rzn = W_x.reshape(3, H, -1)[[2, 0, 1]], W_h.reshape(3, H, H)
    dx, dW_x, dW_h = np.empty_like(x), np.zeros_like(W_x_nrz), np.zeros_like(W_h_rzn)
    db = np.zeros((4, H))
    dh_next = dh_n.copy()
    kept_part, products = np.empty_like(h_0), np.empty((3, *h_0.shape), x.dtype)
    dh, kept_t, products_t = dh_next[:0], kept_part[:0], products[:, :0]
    for block in _blocks(plan, backwards=True):
        rows = _rows(plan, block)
        r, z, n = gates[:, rows]
        h_prev = _previous(h, h_0, plan, block)
        # dh times these is the gradient by what stands inside n, r, z, and by the past inside n.
        # In this order the first three belong to W_x, the last three to W_h.
        dz = np.empty((4, *r.shape), x.dtype)
        np.multiply(1 - z, tanh_grad(n), out=dz[0])
        np.multiply(dz[0], r, out=dz[3])
        np.multiply(dz[3] * (1 - r), pasts[rows], out=dz[1])
        np.multiply(h_prev - n, sigmoid_grad(z), out=dz[2])
        for dy_t, dz_t, dz_h_t, z_t in _backwards(
            [_steps(array, plan, block) for array in (dy[rows], dz, dz[1:], z)]
        ):
            if len(z_t) > len(dh):
                B = len(z_t)
                dh, kept_t, products_t = dh_next[:B], kept_part[:B], products[:, :B]
            dh += dy_t
            dz_t *= dh
            np.multiply(dh, z_t, out=kept_t)
            np.add.reduce(np.matmul(dz_h_t, W_h_rzn, out=products_t), axis=0, out=dh)
            dh += kept_t
        np.add.reduce(dz[:3] @ W_x_nrz, axis=0, out=dx[rows])
        dW_x += dz[:3].swapaxes(1, 2) @ x[rows]
        dW_h += dz[1:].swapaxes(1, 2) @ h_prev
        db += dz.sum(axis=1)
    dW_x = dW_x[[1, 2, 0]].reshape(W_x.shape)
    db = db.astype(x.dtype)
    return dx, dh_next, dW_x, dW_h.reshape(W_h.shape), db[[1, 2, 0]].reshape(3 * H), db[3]


def _relu(z: Array, out: Array) -> None:
    """max(z, 0) into `out`."""
    np.maximum(z, z.dtype.type(0), out=out)


def _blocks(plan: Packing, backwards: bool = False) -> list[range]:
    """The time steps in groups: 16, or more where a step is small."""
    T = len(plan.sizes)
    length = max(16, 256 // max(plan.B, 1))
    found = [range(first, min(first + length, T)) for first in range(0, T, length)]
    return found[::-1] if backwards else found


def _largest(plan: Packing) -> int:
    """The rows of the largest block: the first, since steps never grow."""
    return max((_rows(plan, block).stop for block in _blocks(plan)[:1]), default=0)


def _rows(plan: Packing, block: range) -> slice:
    """The packed rows of a block."""
    return slice(plan.starts[block.start], plan.starts[block.stop])


def _steps(rows: Array, plan: Packing, block: range) -> Sequence[Array]:
    """The rows (…, n, H) of a block, step by step: views."""
    sizes = plan.sizes[block.start : block.stop]
    *gates, _, H = rows.shape
    if sizes[0] == sizes[-1]:
        return list(np.moveaxis(rows.reshape(*gates, len(sizes), sizes[0], H), -3, 0))
    first = plan.starts[block.start]
    starts = [start - first for start in plan.starts[block.start : block.stop + 1]]
    return [rows[..., a:b, :] for a, b in pairwise(starts)]


def _backwards(steps: Iterable[Sequence[Array]]) -> Iterable[tuple[Array, ...]]:
    """The views of several arrays side by side, from the last step to the first."""
    return zip(*(views[::-1] for views in steps), strict=True)


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
