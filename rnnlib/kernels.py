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
   memory and `r, z, n = gates` reads like the equation. A step works on a copy that
   lies in one piece altogether: NumPy's calls then cost a third.
4. The gradients by what stands inside the gates, dz, are the other way round, (rows,
   G, H): one product with W_h, as it is, then adds up over the gates.
5. σ(z) = ½ tanh(½ z) + ½, with the ½ inside put into the weights beforehand: one
   call of tanh serves all gates.
6. Sequences are packed (see `sequences`): a step computes only those that are still
   running, and padding costs nothing.
7. A call of NumPy costs half a microsecond whatever it does, a slice a fifth. So
   results go into arrays that are there already (`out=`), and the views of all the
   steps of a block are made at once (`_steps`).
8. What is stored for the way back lies in memory that the layer keeps (`Workspace`).

What they are worth, as the time that training an LSTM takes without them, measured in one
run at (T, B, I, H) of (50, 32, 64, 128), (1000, 16, 32, 128) and (200, 1, 32, 64):

    blocks of one step, so without 1 and 2     1.21   1.59   7.05
    one block for the whole sequence           0.98   1.17   1.00
    strided gates and dz, without 3 and 4      1.21   1.03   1.29
    sigmoid by exp, without 5                  0.96   1.06   1.10
    fresh results, without `out=` (7)          0.92   1.12   1.04
    a slice for each view (7)                  0.93   1.06   1.10
    fresh memory in every pass, without 8      1.14   1.14   1.01

So 5 and 7 pay where steps are many and small. What 6 is worth is the padding.

In every function N counts the packed rows, and `plan` says where each step lies
among them. Without a workspace, in evaluation, nothing is stored for the way back,
and the memory needed does not depend on T but for input and output.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .activations import nonlinearity_pair
from .sequences import Packing

Array = np.ndarray


class Workspace:
    """Memory that a layer keeps from one pass to the next.

    What a program frees goes back to the system, and comes again page by page, each of
    them cleared first. Here it stays: in the second pass all arrays of the first have a
    place. They hold what they hold until the next `begin`.

    Examples
    --------
    >>> workspace = Workspace()
    >>> for step in range(3):
    ...     workspace.begin()
    ...     a, b = workspace.empty((2, 3), np.float32), workspace.empty((4,), np.float64)
    >>> a.shape, a.dtype, np.shares_memory(a, b)
    ((2, 3), dtype('float32'), False)
    """

    def __init__(self) -> None:
        self.memory = np.empty(0, np.uint8)
        self.used = self.most = 0  # bytes of this pass: now, and at its fullest

    def begin(self) -> None:
        """Take back all arrays; a pass that found too little room leaves enough for the next."""
        if self.most > len(self.memory):
            self.memory = np.empty(self.most, np.uint8)
        self.used = self.most = 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """As `numpy.empty`.

        Parameters
        ----------
        shape : tuple of int
        dtype : dtype

        Returns
        -------
        array of that shape
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        start = self.used
        self.used += -(-size // 64) * 64  # whole lines of the processor's cache
        self.most = max(self.most, self.used)
        if self.used > len(self.memory):
            return np.empty(shape, dtype)
        return self.memory[start : start + size].view(dtype).reshape(shape)


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
    x: Array,
    h_0: Array,
    c_0: Array,
    W_x: Array,
    W_h: Array,
    b: Array,
    plan: Packing,
    workspace: Workspace | None,
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
    workspace : Workspace or None
        For what the way back needs; None in evaluation.

    Returns
    -------
    h : (N, H) array
    c_n : (B, H) array
        Each sequence's last memory.
    kept : object
        For `lstm_backward`, which uses it up.

    Notes
    -----
    Derived in chapter 06_lstm.

    Examples
    --------
    >>> from rnnlib.sequences import packing
    >>> zeros = np.zeros((2, 4))
    >>> h, c_n, kept = lstm_forward(np.ones((10, 3)), zeros, zeros, np.ones((16, 3)),
    ...                             np.ones((16, 4)), np.zeros(16), packing(T=5, B=2), None)
    >>> h.shape, c_n.shape
    ((10, 4), (2, 4))
    """
    N, H, dtype = len(x), W_h.shape[1], x.dtype
    # o, i, f, g: what goes through the sigmoid lies together, and what dc goes to
    W_x_T, W_h_T, b_1 = (_gate_major(W, 4, [3, 0, 1, 2], sigmoids=3) for W in (W_x, W_h, b))
    half = np.array(0.5, dtype)
    keep = workspace is not None
    empty = workspace.empty if workspace else np.empty
    h, memory = np.empty((N, H), dtype), empty((N if keep else _largest(plan), H), dtype)
    scratch = np.empty((4, 0 if keep else _largest(plan), H), dtype)
    kept = []
    h_prev, c_prev, c_n = h_0, c_0.copy(), np.empty_like(c_0)
    a, recurrent = _gates(4, h_0), _gates(4, h_0)
    sigmoids, (o, i, f, g) = a[:3], a
    for block in _blocks(plan):
        rows = _rows(plan, block)
        n = rows.stop - rows.start
        z = empty((4, n, H), dtype) if keep else scratch[:, :n]
        np.matmul(x[rows], W_x_T, out=z)
        z += b_1
        for z_t, c_t, h_t in zip(
            _steps(z, plan, block),
            _steps(memory[rows if keep else slice(n)], plan, block),
            _steps(h[rows], plan, block),
            strict=True,
        ):
            B = len(h_t)
            if len(h_prev) > B:  # sequences have ended
                c_n[B : len(c_prev)] = c_prev[B:]
                h_prev, c_prev = h_prev[:B], c_prev[:B]
                a, recurrent = _gates(4, h_prev), _gates(4, h_prev)
                sigmoids, (o, i, f, g) = a[:3], a
            np.copyto(a, z_t)
            a += np.matmul(h_prev, W_h_T, out=recurrent)
            np.tanh(a, out=a)
            sigmoids *= half
            sigmoids += half
            if keep:
                np.copyto(z_t, a)
            np.multiply(f, c_prev, out=c_t)
            c_t += np.multiply(i, g, out=g)
            np.tanh(c_t, out=h_t)
            h_t *= o
            h_prev, c_prev = h_t, c_t
        if keep:
            kept.append(z)
    c_n[: len(c_prev)] = c_prev
    return h, c_n, (kept, memory)


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
    workspace: Workspace,
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """The way back through `lstm_forward`.

    Parameters
    ----------
    dy : (N, H) array
        Gradient of the loss by each step's h, as far as the loss looks at it directly.
    dh_n, dc_n : (B, H) array
        Gradients of the loss by each sequence's last state.
    x, h, h_0, c_0, kept, W_x, W_h, plan, workspace
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
    >>> workspace = Workspace()
    >>> h, c_n, kept = lstm_forward(x, zeros, zeros, W_x, W_h, np.zeros(16), plan, workspace)
    >>> gradients = lstm_backward(h, zeros, zeros, x, h, zeros, zeros, kept, W_x, W_h, plan,
    ...                           workspace)
    >>> [gradient.shape for gradient in gradients]
    [(10, 3), (2, 4), (2, 4), (16, 3), (16, 4), (16,)]
    """
    H, dtype = W_h.shape[1], x.dtype
    gates, memory = kept
    dx, dW_x, dW_h = np.empty_like(x), np.zeros_like(W_x), np.zeros_like(W_h)
    db = np.zeros(4 * H)
    dh_next, dc_next, spare = dh_n.copy(), dc_n.copy(), np.empty_like(h_0)
    dh = dc = through_h = dh_next[:0]
    most = _largest(plan)
    dz_rows = workspace.empty((most, 4, H), dtype)
    scratch = workspace.empty((3, most, H), dtype)
    one, ones = np.array(1, dtype), np.ones(most, dtype)
    for block, by in zip(_blocks(plan, backwards=True), reversed(gates), strict=True):
        rows = _rows(plan, block)
        dz = dz_rows[: by.shape[1]]
        to_c, kept_f, rest = scratch[:, : len(dz)]
        # In place of the gates: what dh is multiplied by for o, and dc for i, f, g,
        # tanh c o (1 - o), g i (1 - i), c_{t-1} f (1 - f), i (1 - g²),
        # and for c what dh is: o (1 - tanh² c). Here h = o tanh c.
        o, i, f, g = by
        np.tanh(memory[rows], out=to_c)
        to_c *= h[rows]
        np.subtract(o, to_c, out=to_c)
        np.subtract(one, o, out=o)
        o *= h[rows]
        np.copyto(kept_f, f)
        np.subtract(one, f, out=rest)
        f *= rest
        f *= _previous(memory, c_0, plan, block)
        np.multiply(i, g, out=rest)
        g *= rest
        np.subtract(i, g, out=g)
        np.subtract(one, i, out=i)
        i *= rest
        for dy_t, dz_t, by_t, to_c_t, f_t in _backwards(
            [
                _steps(dy[rows], plan, block),
                _steps(dz.swapaxes(0, 1), plan, block),
                _steps(by, plan, block),
                _steps(to_c, plan, block),
                _steps(kept_f, plan, block),
            ]
        ):
            if len(f_t) > len(dh):
                B = len(f_t)
                dh, dc, through_h = dh_next[:B], dc_next[:B], spare[:B]
            dh += dy_t
            dc += np.multiply(dh, to_c_t, out=through_h)
            np.multiply(dh, by_t[0], out=dz_t[3])
            np.multiply(dc, by_t[1:], out=dz_t[:3])
            dc *= f_t
            np.matmul(dz_t.swapaxes(0, 1).reshape(len(dh), 4 * H), W_h, out=dh)
        dz = dz.reshape(len(dz), 4 * H)
        np.matmul(dz, W_x, out=dx[rows])
        dW_x += dz.T @ x[rows]
        dW_h += dz.T @ _previous(h, h_0, plan, block)
        db += ones[: len(dz)] @ dz
    return dx, dh_next, dc_next, dW_x, dW_h, db.astype(dtype)


def gru_forward(
    x: Array,
    h_0: Array,
    W_x: Array,
    W_h: Array,
    b: Array,
    b_hn: Array,
    plan: Packing,
    workspace: Workspace | None,
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
    workspace : Workspace or None
        For what the way back needs; None in evaluation.

    Returns
    -------
    h : (N, H) array
    kept : object
        For `gru_backward`, which uses it up.

    Notes
    -----
    Derived in chapter 07_gru.

    Examples
    --------
    >>> from rnnlib.sequences import packing
    >>> h, kept = gru_forward(np.ones((10, 3)), np.zeros((2, 4)), np.ones((12, 3)),
    ...                       np.ones((12, 4)), np.zeros(12), np.zeros(4), packing(T=5, B=2), None)
    >>> h.shape
    (10, 4)
    """
    H, dtype = W_h.shape[1], x.dtype
    W_x_T, W_h_T, b_1 = (_gate_major(W, 3, [0, 1, 2], sigmoids=2) for W in (W_x, W_h, b))
    half = np.array(0.5, dtype)
    h = np.empty((len(x), H), dtype)
    keep = workspace is not None
    empty = workspace.empty if workspace else np.empty
    scratch = np.empty((4, 0 if keep else _largest(plan), H), dtype)
    kept = []
    h_prev = h_0
    # the candidate n, r, z, and what the past says to the candidate
    a, inputs = _gates(4, h_0), _gates(3, h_0)
    sigmoids, (n, r, z, past) = a[1:3], a
    for block in _blocks(plan):
        rows = _rows(plan, block)
        n_rows = rows.stop - rows.start
        gates = empty((4, n_rows, H), dtype) if keep else scratch[:, :n_rows]
        np.matmul(x[rows], W_x_T, out=gates[:3])
        gates[:3] += b_1
        for gates_t, h_t in zip(
            _steps(gates, plan, block), _steps(h[rows], plan, block), strict=True
        ):
            if len(h_t) < len(h_prev):  # sequences have ended
                h_prev = h_prev[: len(h_t)]
                a, inputs = _gates(4, h_prev), _gates(3, h_prev)
                sigmoids, (n, r, z, past) = a[1:3], a
            np.copyto(inputs, gates_t[:3])
            np.matmul(h_prev, W_h_T, out=a[1:])
            sigmoids += inputs[:2]
            np.tanh(sigmoids, out=sigmoids)
            sigmoids *= half
            sigmoids += half
            past += b_hn
            np.multiply(r, past, out=n)
            n += inputs[2]
            np.tanh(n, out=n)
            if keep:
                np.copyto(gates_t, a)
            np.subtract(h_prev, n, out=h_t)  # (1 - z) n + z h_{t-1} = n + z (h_{t-1} - n)
            h_t *= z
            h_t += n
            h_prev = h_t
        if keep:
            kept.append(gates)
    return h, kept


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
    workspace: Workspace,
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """The way back through `gru_forward`.

    Parameters
    ----------
    dy : (N, H) array
        Gradient of the loss by each step's state, as far as the loss looks at it directly.
    dh_n : (B, H) array
        Gradient of the loss by each sequence's last state.
    x, h, h_0, kept, W_x, W_h, plan, workspace
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
    >>> workspace = Workspace()
    >>> h, kept = gru_forward(x, h_0, W_x, W_h, np.zeros(12), np.zeros(4), plan, workspace)
    >>> gradients = gru_backward(h, h_0, x, h, h_0, kept, W_x, W_h, plan, workspace)
    >>> [gradient.shape for gradient in gradients]
    [(10, 3), (2, 4), (12, 3), (12, 4), (12,), (4,)]
    """
    H, dtype = W_h.shape[1], x.dtype
    W_x_nrz = np.concatenate([W_x[2 * H :], W_x[: 2 * H]])
    dx, dW_x, dW_h = np.empty_like(x), np.zeros_like(W_x), np.zeros_like(W_h)
    db = np.zeros(4 * H)
    dh_next, through_z = dh_n.copy(), np.empty_like(h_0)
    dh, dh_past = dh_next[:0], through_z[:0]
    most = _largest(plan)
    dz_rows = workspace.empty((most, 4, H), dtype)
    scratch = workspace.empty((2, most, H), dtype)
    one, ones = np.array(1, dtype), np.ones(most, dtype)
    for block, by in zip(_blocks(plan, backwards=True), reversed(kept), strict=True):
        rows = _rows(plan, block)
        h_prev, dz = _previous(h, h_0, plan, block), dz_rows[: by.shape[1]]
        kept_z, rest = scratch[:, : len(dz)]
        # In place of the gates: dh times these is the gradient by what stands inside n, r, z,
        # and by the past inside n: (1 - z)(1 - n²), past (1 - z)(1 - n²) r (1 - r),
        # (h_{t-1} - n) z (1 - z) and the first times r. In this order the first three
        # belong to W_x, the last three to W_h.
        n, r, z, past = by
        np.copyto(kept_z, z)
        np.subtract(one, z, out=rest)
        np.subtract(h_prev, n, out=z)
        z *= kept_z
        z *= rest
        n *= n
        np.subtract(one, n, out=n)
        n *= rest
        np.subtract(one, r, out=rest)
        rest *= past
        np.multiply(n, r, out=past)
        np.multiply(past, rest, out=r)
        for dy_t, dz_t, by_t, z_t in _backwards(
            [
                _steps(dy[rows], plan, block),
                _steps(dz.swapaxes(0, 1), plan, block),
                _steps(by, plan, block),
                _steps(kept_z, plan, block),
            ]
        ):
            if len(z_t) > len(dh):
                dh, dh_past = dh_next[: len(z_t)], through_z[: len(z_t)]
            dh += dy_t
            np.multiply(dh, by_t, out=dz_t)
            np.multiply(dh, z_t, out=dh_past)
            np.matmul(dz_t.swapaxes(0, 1).reshape(len(dh), 4 * H)[:, H:], W_h, out=dh)
            dh += dh_past
        dz = dz.reshape(len(dz), 4 * H)
        np.matmul(dz[:, : 3 * H], W_x_nrz, out=dx[rows])
        dW_x += dz[:, : 3 * H].T @ x[rows]
        dW_h += dz[:, H:].T @ h_prev
        db += ones[: len(dz)] @ dz
    db = db.astype(dtype)
    return (
        dx,
        dh_next,
        np.concatenate([dW_x[H:], dW_x[:H]]),
        dW_h,
        np.concatenate([db[H : 3 * H], db[:H]]),
        db[3 * H :],
    )


def _relu(z: Array, out: Array) -> None:
    """max(z, 0) into `out`."""
    np.maximum(z, z.dtype.type(0), out=out)


def _blocks(plan: Packing, backwards: bool = False) -> list[range]:
    """The time steps in groups: 16, or more where a step is small."""
    T = len(plan.sizes)
    length = max(16, 256 // max(plan.B, 1))
    found = [range(first, min(first + length, T)) for first in range(0, T, length)]
    return found[::-1] if backwards else found


def _gates(G: int, h: Array) -> Array:
    """Room for the gates of one step, in one piece: (G, B, H), as h is (B, H)."""
    return np.empty((G, *h.shape), h.dtype)


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
    """(G·H, I) weights as (G, I, H), gates in this order, the first ones halved (see 5)."""
    gates = W.reshape(G, len(W) // G, -1)[order]
    gates[:sigmoids] *= W.dtype.type(0.5)
    return np.ascontiguousarray(gates.swapaxes(1, 2))
