"""The three cells over a whole sequence, arranged for speed.

The same numbers as `bptt.unroll` over `cells`, which a test proves. None of the
rearrangements changes a formula:

1. The inputs are known before the first step, so W_x x_t is one large product for
   a block of steps; only W_h h_{t-1} has to wait its turn. In the backward pass, the
   gradients of W_x, W_h and x are one large product a block. Blocks are short,
   because arrays as long as the sequence leave the processor's cache before they
   are used; but not so short that adding up the products' results costs as much as
   the products.
2. All that the backward pass multiplies by is known before it begins. It is computed
   for a block at once, and a step only multiplies by it.
3. Gates are the first axis, (G, rows, H), so that each gate lies in one piece of
   memory and `n, r, z = gates` reads like the equation.
4. The gradients with respect to what stands inside the gates, dz, are the other way
   round, (rows, G, H): one product with W_h, as it is, then adds up over the gates.
5. σ(z) = 1 / (1 + e^-z), with the sign put into W_h and b beforehand. What is stored
   is 1 + e^-z, as a step divides by it as fast as it would multiply by the gate.
6. Sequences are packed (see `sequences`): a step computes only those that are still
   running, and padding costs nothing.
7. A call of NumPy costs half a microsecond whatever it does, a slice a fifth. So
   results go into arrays that are there already (`out=`), and the views of all the
   steps of a block are made at once (`_steps`).
8. What is stored for the backward pass lies in memory that the thread has used before
   (`room`).

Each forward function returns `(result, cache)`, each backward function takes
`(gradient of the result, cache)` and returns the gradients with respect to x, the first
state and the weights, ordered as they were given. In every function N counts the packed
rows, and `plan` says where each step lies among them. With `keep` false, in evaluation,
nothing is stored: the cache is None, and the memory needed does not depend on T but for
input and output. Weights may change after the forward pass; x and the first state must
not. The backward function uses the cache up.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .activations import nonlinearity_pair
from .sequences import Packing, last_states

Array = np.ndarray
Arrays = tuple[Array, ...]

RUN = 2**17  # so many numbers of each gate are worked on at once: all of them fit into a cache


class _Pool(threading.local):
    """Memory that this thread's passes have given back, for the next ones: LIMIT bytes at most.

    What a program frees goes back to the system, and comes again page by page, each of
    them cleared first. A piece that waits for PATIENCE others to come back is let go.
    """

    LIMIT, PATIENCE = 2**26, 32

    def __init__(self) -> None:
        self.pieces: list[tuple[int, Array]] = []  # (when it came, piece), the last one first
        self.time = 0

    def take(self, size: int) -> Array:
        """A piece of at least so many bytes, uninitialised; it belongs to whoever asked."""
        for place, (_, piece) in enumerate(self.pieces):
            if size <= len(piece) <= 2 * size:
                del self.pieces[place]
                return piece
        return np.empty(size, np.uint8)

    def give(self, *pieces: Array) -> None:
        """Take back pieces that nobody looks at any more."""
        self.time += len(pieces)
        found = [(self.time, piece) for piece in pieces] + self.pieces
        self.pieces, total = [], 0
        for came, piece in found:
            total += len(piece)
            if total <= self.LIMIT and self.time - came <= self.PATIENCE:
                self.pieces.append((came, piece))


_pool = _Pool()


def _room(dtype: Any, *shapes: tuple[int, ...]) -> tuple[Array, list[Array]]:
    """A piece of memory, and uninitialised arrays of these shapes that lie in it."""
    # whole lines of the processor's cache
    sizes = [-(-math.prod(shape) * dtype.itemsize // 64) * 64 for shape in shapes]
    piece, arrays, start = _pool.take(sum(sizes)), [], 0
    for shape, size in zip(shapes, sizes, strict=True):
        used = piece[start : start + math.prod(shape) * dtype.itemsize]
        arrays.append(used.view(dtype).reshape(shape))
        start += size
    return piece, arrays


def rnn_forward(
    x: Array, state: Arrays, weights: Arrays, plan: Packing, keep: bool, nonlinearity: str
) -> tuple[tuple[Array, Arrays], Any]:
    """All states h of the vanilla recurrent network, and the last one.

    x (N, I), state (h_0,) (B, H), weights W_x (H, I), W_h (H, H), b (H,); the result is
    h (N, H) and (h_n,) (B, H).
    """
    (h_0,), (W_x, W_h, b) = state, weights
    f = np.tanh if nonlinearity == "tanh" else _relu
    h, W_h_T = np.empty((len(x), len(W_h)), x.dtype), np.ascontiguousarray(W_h.T)
    h_prev = h_0
    for block in _blocks(plan, len(W_h)):
        np.matmul(x[block.rows], W_x.T, out=h[block.rows])
        h[block.rows] += b
        for run in block.runs:
            h_prev, recurrent = h_prev[: run.B], np.empty((run.B, len(W_h)), x.dtype)
            for h_t in _steps(h[run.rows], run):
                h_t += np.matmul(h_prev, W_h_T, out=recurrent)
                f(h_t, out=h_t)
                h_prev = h_t
    cache = (x, h, h_0, W_x.copy(), W_h.copy(), plan, nonlinearity) if keep else None
    return (h, (last_states(h, h_0, plan),)), cache


def rnn_backward(
    dy: Array, dlast: Arrays, cache: Any, record: list[Array] | None = None
) -> tuple[Array, Arrays, Arrays]:
    """The backward pass of `rnn_forward`: dx, (dh_0,) and (dW_x, dW_h, db).

    dy (N, H) and dlast (dh_n,) (B, H) hold the gradients with respect to h and h_n as far
    as the loss looks at them directly. `record` collects the whole gradients with respect
    to each h_t as (1, B_t, H), from the last step to the first.
    """
    x, h, h_0, W_x, W_h, plan, nonlinearity = cache
    _, f_grad = nonlinearity_pair(nonlinearity)
    dx, dW_x, dW_h, db = _gradients(x, W_x, W_h)
    dh_next = dlast[0].copy()
    for block in _blocks(plan, len(W_h))[::-1]:
        dz = f_grad(h[block.rows])
        for run in block.runs[::-1]:
            dh = dh_next[: run.B]  # the others end before
            for dy_t, dz_t in _backwards(_steps(dy[run.rows], run), _steps(dz[run.inside], run)):
                dh += dy_t
                if record is not None:
                    record.append(dh[None].copy())
                dz_t *= dh
                np.dot(dz_t, W_h, out=dh)
        np.matmul(dz, W_x, out=dx[block.rows])
        _add_product(dW_x, dz, x[block.rows], block, np.empty_like(dW_x))
        _add_product(dW_h, dz, _previous(h, h_0, plan, block), block, np.empty_like(dW_h))
        db += dz.sum(axis=0)
    return dx, (dh_next,), (dW_x, dW_h, db.astype(x.dtype))


def lstm_forward(
    x: Array, state: Arrays, weights: Arrays, plan: Packing, keep: bool
) -> tuple[tuple[Array, Arrays], Any]:
    """All states h of the long short-term memory, and the last h and c.

    x (N, I), state (h_0, c_0) (B, H), weights W_x (4H, I), W_h (4H, H), b (4H,); the
    result is h (N, H) and (h_n, c_n) (B, H).
    """
    (h_0, c_0), H, dtype = state, len(weights[1]) // 4, x.dtype
    one, h, c = np.array(1, dtype), np.empty((len(x), H), dtype), c_0.copy()
    blocks = _blocks(plan, H)
    memory, (store, W_x, W_h, W_x_T, W_h_T) = _room(
        dtype,
        (len(x) if keep else _largest(blocks), 6, H),
        *(W.shape for W in weights[:2]),
        (4, x.shape[1], H),
        (4, H, H),
    )
    # o, i, f, g: what goes through the sigmoid lies together, and what dc goes to
    for W, ours in zip(weights, (W_x, W_h), strict=False):
        np.concatenate([W[3 * H :], W[: 3 * H]], out=ours)
    sign = np.array([-1, -1, -1, 1], dtype).reshape(4, 1, 1)
    b_1 = sign * weights[2].reshape(4, 1, H)[[3, 0, 1, 2]]
    np.multiply(W_x.reshape(4, H, -1).swapaxes(1, 2), sign, out=W_x_T)
    product, W_h_T = _recurrence(W_h, sign, W_h_T, plan)
    h_prev = h_0
    with np.errstate(over="ignore"):  # a gate that is shut: e^-z is inf, and 1 / inf is 0
        for block in blocks:
            slots = _slots(store, block, plan, keep)
            np.matmul(x[block.rows], W_x_T, out=slots[1:5])
            for run in block.runs:
                # tanh c_t, 1/o, 1/i, 1/f, g, c_{t-1}
                part = slots[:, run.inside]
                part[1:5] += b_1
                c_before = _steps(part[5], run)
                c_before[0][...] = c[: run.B]  # what has ended stays in c
                h_prev, recurrent = h_prev[: run.B], _gates(4, h_prev[: run.B])
                into, (written, left) = _flat(recurrent, plan), (terms := _gates(2, h_prev))
                for gates, sigmoids, g, divisors, divided, tanh_c, o, c_t, h_t in zip(
                    _steps(part[1:5], run),
                    _steps(part[1:4], run),
                    _steps(part[4], run),
                    _steps(part[2:4], run),
                    _steps(part[4:6], run),
                    _steps(part[0], run),
                    _steps(part[1], run),
                    [*c_before[1:], c[: run.B]],
                    _steps(h[run.rows], run),
                    strict=True,
                ):
                    product(h_prev, W_h_T, out=into)
                    gates += recurrent
                    np.exp(sigmoids, out=sigmoids)
                    sigmoids += one
                    np.tanh(g, out=g)
                    np.divide(divided, divisors, out=terms)  # i g and f c_{t-1}
                    np.add(written, left, out=c_t)
                    np.tanh(c_t, out=tanh_c)
                    np.divide(tanh_c, o, out=h_t)
                    h_prev = h_t
    if not keep:
        _pool.give(memory)
    cache = (x, h, h_0, W_x, W_h, plan, store, memory) if keep else None
    return (h, (last_states(h, h_0, plan), c)), cache


def lstm_backward(
    dy: Array, dlast: Arrays, cache: Any, record: list[Array] | None = None
) -> tuple[Array, Arrays, Arrays]:
    """The backward pass of `lstm_forward`: dx, (dh_0, dc_0) and (dW_x, dW_h, db).

    dy (N, H) and dlast (dh_n, dc_n) (B, H) hold the gradients with respect to h, h_n and
    c_n as far as the loss looks at them directly. `record` collects the whole gradients
    with respect to each h_t and c_t as (2, B_t, H), from the last step to the first.
    """
    x, h, h_0, W_x, W_h, plan, store, memory = cache
    H, one, blocks = W_h.shape[1], np.array(1, x.dtype), _blocks(plan, W_h.shape[1])
    dx, dW_x, dW_h, db = _gradients(x, W_x, W_h)
    dh_next, dc_next = (array.copy() for array in dlast)
    scratch, (factors, rest_rows, dz_rows, sums) = _scratch(x, H, 6, blocks)
    apart = plan.B > 1  # for a batch of one the factors lie as dz must, and become it
    for block in blocks[::-1]:
        slots, n = _slots(store, block, plan), block.rows.stop - block.rows.start
        dz = dz_rows[:n] if apart else factors[:n, 1:5]
        for run in block.runs[::-1]:
            # What dh is multiplied by to reach c, and to reach z_o: o (1 - tanh² c) and
            # tanh c o (1 - o); what dc is multiplied by to reach z_i, z_f, z_g and c_{t-1}:
            # g i (1 - i), c_{t-1} f (1 - f), i (1 - g²) and f. Here h = o tanh c.
            part, by = slots[:, run.inside], _factors(factors, run, apart)
            to_c, o, i, f, to_g, kept = by
            tanh_c, _, _, _, g, c = part
            h_rows, rest = h[run.rows], rest_rows[: len(o)]
            np.reciprocal(part[1:4], out=by[1:4])
            np.multiply(h_rows, tanh_c, out=to_c)
            np.subtract(o, to_c, out=to_c)
            np.subtract(one, o, out=o)
            o *= h_rows
            np.multiply(i, g, out=rest)
            np.multiply(rest, g, out=to_g)
            np.subtract(i, to_g, out=to_g)
            np.subtract(one, i, out=i)
            i *= rest
            np.copyto(kept, f)
            np.subtract(one, f, out=f)
            f *= kept
            f *= c
            dh, dc = dh_next[: run.B], dc_next[: run.B]
            for dy_t, from_h, dc_t, from_c, dc_before, gates, dz_t, dz_gates in _backwards(
                _steps(dy[run.rows], run),
                _steps(by[:2], run),
                _steps(to_c, run),
                _steps(by[2:], run),
                _steps(kept, run),
                _steps(by[1:5], run),
                _steps(dz[run.inside].reshape(-1, 4 * H), run),
                _steps(dz[run.inside].swapaxes(0, 1), run),
            ):
                dh += dy_t
                from_h *= dh
                dc_t += dc
                if record is not None:
                    record.append(np.stack([dh, dc_t]))
                from_c *= dc_t
                dc = dc_before
                if apart:
                    np.copyto(dz_gates, gates)
                np.dot(dz_t, W_h, out=dh)
            dc_next[: run.B] = dc
        dz = dz.reshape(-1, 4 * H)
        np.matmul(dz, W_x, out=dx[block.rows])
        for dW, inputs in (dW_x, x[block.rows]), (dW_h, _previous(h, h_0, plan, block)):
            _add_product(dW[: 3 * H], dz[:, H:], inputs, block, sums)  # back to i, f, g, o
            _add_product(dW[3 * H :], dz[:, :H], inputs, block, sums)
        db += np.ones(len(dz), x.dtype) @ dz
    _pool.give(memory, scratch)
    db = np.concatenate([db[H:], db[:H]]).astype(x.dtype)
    return dx, (dh_next, dc_next), (dW_x, dW_h, db)


def lstm_gates(cache: Any) -> dict[str, Array]:
    """What `lstm_forward` stored, until the backward pass: c, i, f, g, o, each (N, H)."""
    _, o, i, f, g, c_before = _stored(cache)
    return {"c": c_before / f + g / i, "i": 1 / i, "f": 1 / f, "g": g, "o": 1 / o}


def gru_forward(
    x: Array, state: Arrays, weights: Arrays, plan: Packing, keep: bool
) -> tuple[tuple[Array, Arrays], Any]:
    """All states h of the gated recurrent unit, reset after the product, and the last one.

    x (N, I), state (h_0,) (B, H), weights W_x (3H, I), W_h (3H, H), b (3H,) and b_hn (H,),
    the candidate's bias inside the reset gate; the result is h (N, H) and (h_n,) (B, H).
    """
    (h_0,), (W_x, W_h, b, b_hn), dtype = state, weights, x.dtype
    H = len(b_hn)
    one, h = np.array(1, dtype), np.empty((len(x), H), dtype)
    blocks = _blocks(plan, H)
    memory, (store, W_x_nrz, W_h_rzn, W_x_T, W_h_T) = _room(
        dtype,
        (len(x) if keep else _largest(blocks), 5, H),
        W_x.shape,
        W_h.shape,
        (3, x.shape[1], H),
        (3, H, H),
    )
    np.concatenate([W_x[2 * H :], W_x[: 2 * H]], out=W_x_nrz)
    np.copyto(W_h_rzn, W_h)
    sign = np.array([1, -1, -1, 1], dtype).reshape(4, 1, 1)
    b_1 = sign[:3] * b.reshape(3, 1, H)[[2, 0, 1]]
    np.multiply(W_x_nrz.reshape(3, H, -1).swapaxes(1, 2), sign[:3], out=W_x_T)
    product, W_h_T = _recurrence(W_h, sign[1:], W_h_T, plan)
    h_prev = h_0
    with np.errstate(over="ignore"):  # as in `lstm_forward`
        for block in blocks:
            slots = _slots(store, block, plan, keep)
            np.matmul(x[block.rows], W_x_T, out=slots[1:4])
            for run in block.runs:
                # h_{t-1} - n, n, 1/r, 1/z, and what the past says to the candidate
                part = slots[:, run.inside]
                part[1:4] += b_1
                h_prev, recurrent = h_prev[: run.B], _gates(3, h_prev[: run.B])
                into, rest = _flat(recurrent, plan), np.empty_like(h_prev)
                from_past, to_n = recurrent[:2], recurrent[2]
                for change, n, sigmoids, r, z, past, h_t in zip(
                    _steps(part[0], run),
                    _steps(part[1], run),
                    _steps(part[2:4], run),
                    _steps(part[2], run),
                    _steps(part[3], run),
                    _steps(part[4], run),
                    _steps(h[run.rows], run),
                    strict=True,
                ):
                    product(h_prev, W_h_T, out=into)
                    sigmoids += from_past
                    np.exp(sigmoids, out=sigmoids)
                    sigmoids += one
                    np.add(to_n, b_hn, out=past)
                    n += np.divide(past, r, out=rest)
                    np.tanh(n, out=n)
                    np.subtract(h_prev, n, out=change)
                    np.divide(change, z, out=h_t)  # (1 - z) n + z h_{t-1} = n + z (h_{t-1} - n)
                    h_t += n
                    h_prev = h_t
    if not keep:
        _pool.give(memory)
    cache = (x, h, h_0, W_x_nrz, W_h_rzn, plan, store, memory) if keep else None
    return (h, (last_states(h, h_0, plan),)), cache


def gru_backward(
    dy: Array, dlast: Arrays, cache: Any, record: list[Array] | None = None
) -> tuple[Array, Arrays, Arrays]:
    """The backward pass of `gru_forward`: dx, (dh_0,) and (dW_x, dW_h, db, db_hn).

    dy (N, H) and dlast (dh_n,) (B, H) hold the gradients with respect to h and h_n as far
    as the loss looks at them directly. `record` collects the whole gradients with respect
    to each h_t as (1, B_t, H), from the last step to the first.
    """
    x, h, h_0, W_x, W_h, plan, store, memory = cache
    H, one, blocks = W_h.shape[1], np.array(1, x.dtype), _blocks(plan, W_h.shape[1])
    dx, dW_x, dW_h, _ = _gradients(x, W_x, W_h)
    db, dh_next = np.zeros(4 * H), dlast[0].copy()
    scratch, (factors, rest_rows, dz_rows, sums) = _scratch(x, H, 5, blocks)
    apart = plan.B > 1  # as in `lstm_backward`
    for block in blocks[::-1]:
        slots, n = _slots(store, block, plan), block.rows.stop - block.rows.start
        dz = dz_rows[:n] if apart else factors[:n, 1:]
        for run in block.runs[::-1]:
            # What dh is multiplied by to reach h_{t-1} through z, and to reach what stands
            # inside n, r, z and the past inside n: z, (1 - z)(1 - n²), past (1 - z)(1 - n²)
            # r (1 - r), (h_{t-1} - n) z (1 - z) and the second times r. Of the last four the
            # first three belong to W_x, the last three to W_h.
            part, by = slots[:, run.inside], _factors(factors, run, apart)
            kept, to_n, to_r, to_z, to_past = by
            change, n, r, z, past = part
            rest = rest_rows[: len(n)]
            np.reciprocal(z, out=kept)
            np.subtract(one, kept, out=rest)
            np.multiply(n, n, out=to_n)
            np.subtract(one, to_n, out=to_n)
            to_n *= rest
            np.multiply(rest, kept, out=to_z)
            to_z *= change
            np.reciprocal(r, out=to_past)
            np.subtract(one, to_past, out=rest)
            to_past *= to_n
            rest *= past
            np.multiply(to_past, rest, out=to_r)
            dh = dh_next[: run.B]
            for dy_t, from_h, through_z, gates, dz_t, dz_gates in _backwards(
                _steps(dy[run.rows], run),
                _steps(by, run),
                _steps(kept, run),
                _steps(by[1:], run),
                _steps(dz[run.inside].reshape(-1, 4 * H)[:, H:], run),
                _steps(dz[run.inside].swapaxes(0, 1), run),
            ):
                dh += dy_t
                if record is not None:
                    record.append(dh[None].copy())
                from_h *= dh
                if apart:
                    np.copyto(dz_gates, gates)
                np.dot(dz_t, W_h, out=dh)
                dh += through_z
        dz = dz.reshape(-1, 4 * H)
        np.matmul(dz[:, : 3 * H], W_x, out=dx[block.rows])
        _add_product(dW_x[: 2 * H], dz[:, H : 3 * H], x[block.rows], block, sums)
        _add_product(dW_x[2 * H :], dz[:, :H], x[block.rows], block, sums)  # back to r, z, n
        _add_product(dW_h, dz[:, H:], _previous(h, h_0, plan, block), block, sums)
        db += np.ones(len(dz), x.dtype) @ dz
    _pool.give(memory, scratch)
    db = db.astype(x.dtype)
    weights = dW_x, dW_h, np.concatenate([db[H : 3 * H], db[:H]]), db[3 * H :]
    return dx, (dh_next,), weights


def gru_gates(cache: Any) -> dict[str, Array]:
    """What `gru_forward` stored, until the backward pass: r, z, n, each (N, H)."""
    _, n, r, z, _ = _stored(cache)
    return {"r": 1 / r, "z": 1 / z, "n": n}


def _stored(cache: Any) -> Array:
    """A copy of the slots of all rows, (S, N, H)."""
    *_, plan, store, _ = cache
    N, S, H = store.shape
    slots = [_slots(store, block, plan) for block in _blocks(plan, H)]
    return np.concatenate([store.reshape(S, N, H)[:, :0], *slots], axis=1)


class _Run(NamedTuple):
    """Steps in which the same B sequences run: their packed rows, and which of the block's."""

    steps: int
    B: int
    rows: slice
    inside: slice


class _Block(NamedTuple):
    """Steps that are worked on together: the first one, their packed rows, their runs."""

    first: int
    rows: slice
    runs: list[_Run]
    last: bool


def _blocks(plan: Packing, H: int) -> list[_Block]:
    """The time steps in groups, for products, and each in runs, for all else (see 1)."""
    starts, sizes, B = plan.starts, plan.sizes, max(plan.B, 1)
    T = len(sizes) - sizes.count(0)  # behind the longest sequence there is nothing to do
    if T == 0:
        return []
    count = max(round(T / max(16, 256 // B, H // B)), 1)
    blocks = []
    for first, stop in pairwise(T * k // count for k in range(count + 1)):
        edges = [first, stop]
        if sizes[stop - 1] < sizes[first]:
            edges[1:1] = [t for t in range(first + 1, stop) if sizes[t] < sizes[t - 1]]
        runs = []
        for a, b in pairwise(edges):
            length = max(RUN // (sizes[a] * H), 1)
            for t in range(a, b, length):
                end = min(t + length, b)
                inside = slice(starts[t] - starts[first], starts[end] - starts[first])
                runs.append(_Run(end - t, sizes[a], slice(starts[t], starts[end]), inside))
        blocks.append(_Block(first, slice(starts[first], starts[stop]), runs, stop == T))
    return blocks


def _largest(blocks: list[_Block]) -> int:
    """The rows of the largest block."""
    return max((block.rows.stop - block.rows.start for block in blocks), default=0)


def _slots(store: Array, block: _Block, plan: Packing, keep: bool = True) -> Array:
    """A block's part of the store, (S, n, H): each slot in one piece, but each row if B = 1."""
    start = block.rows.start if keep else 0
    piece = store[start : start + block.rows.stop - block.rows.start]
    n, S, H = piece.shape
    return piece.swapaxes(0, 1) if plan.B == 1 else piece.reshape(S, n, H)


def _scratch(x: Array, H: int, S: int, blocks: list[_Block]) -> tuple[Array, list[Array]]:
    """What a backward pass works in: S factors, one more, dz, and a product."""
    rows = _largest(blocks)
    return _room(x.dtype, (rows, S, H), (rows, H), (rows, 4, H), (4 * H * max(H, x.shape[1]),))


def _factors(factors: Array, run: _Run, apart: bool) -> Array:
    """Room for the factors of a run, (S, n, H): side by side in rows unless they are apart."""
    if not apart:
        return factors[run.inside].swapaxes(0, 1)
    n, (_, S, H) = run.rows.stop - run.rows.start, factors.shape
    return factors[:n].reshape(S, n, H)


def _recurrence(W_h: Array, sign: Array, out: Array, plan: Packing) -> tuple[Any, Array]:
    """The product of h and W_h (G·H, H) in a step, and W_h for it, in `out` (G, H, H)."""
    G, H, _ = out.shape
    turned = W_h.reshape(G, H, H).swapaxes(1, 2)
    if plan.B == 1:  # one product of a vector and a matrix
        side_by_side = out.reshape(H, G, H)
        np.multiply(turned, sign, out=side_by_side.swapaxes(0, 1))
        return np.dot, side_by_side.reshape(H, G * H)
    return np.matmul, np.multiply(turned, sign, out=out)


def _flat(recurrent: Array, plan: Packing) -> Array:
    """The array (G, B, H) as the product of `_recurrence` fills it."""
    return recurrent.reshape(1, -1) if plan.B == 1 else recurrent


def _gates(G: int, h: Array) -> Array:
    """Room for the gates of one step, in one piece: (G, B, H), as h is (B, H)."""
    return np.empty((G, *h.shape), h.dtype)


def _gradients(x: Array, W_x: Array, W_h: Array) -> tuple[Array, Array, Array, Array]:
    """Room for dx; dW_x, dW_h and db, zero: the biases' sums in float64."""
    make = np.empty_like if len(x) else np.zeros_like  # the first product writes, see below
    return np.empty_like(x), make(W_x), make(W_h), np.zeros(len(W_h))


def _add_product(dW: Array, dz: Array, inputs: Array, block: _Block, room: Array) -> None:
    """dW += dz.T @ inputs; the first time, in the last block, without adding."""
    if block.last:
        np.matmul(dz.T, inputs, out=dW)
    else:
        dW += np.matmul(dz.T, inputs, out=room.ravel()[: dW.size].reshape(dW.shape))


def _relu(z: Array, out: Array) -> None:
    """max(z, 0) into `out`."""
    np.maximum(z, z.dtype.type(0), out=out)


def _steps(rows: Array, run: _Run) -> list[Array]:
    """The rows (…, n, H) of a run, step by step: views."""
    *gates, _, H = rows.shape
    split = rows.reshape(*gates, run.steps, run.B, H)
    return list(split.swapaxes(0, 1) if gates else split)


def _backwards(*steps: list[Array]) -> Iterable[tuple[Array, ...]]:
    """The views of several arrays side by side, from the last step to the first."""
    return zip(*(views[::-1] for views in steps), strict=True)


def _previous(h: Array, h_0: Array, plan: Packing, block: _Block) -> Array:
    """For each row of a block, the state of the same sequence one step before."""
    starts, pieces = plan.starts, []
    if block.first and (shift := plan.sizes[block.first - 1]) == block.runs[-1].B:
        return h[block.rows.start - shift : block.rows.stop - shift]
    t = block.first
    for run in block.runs:
        before = h[starts[t - 1] :] if t else h_0
        pieces += [before[: run.B], h[run.rows.start : run.rows.stop - run.B]]
        t += run.steps
    return np.concatenate(pieces)
