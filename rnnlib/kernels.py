"""The three cells over a whole sequence, arranged for speed.

The same numbers as `bptt.unroll` over `cells`, which a test proves. None of the
rearrangements changes a formula:

1. The inputs are known before the first step, so W_x x_t is one large product for
   a block of steps; only W_h h_{t-1} has to wait its turn. In the backward pass, the
   gradients of W_x, W_h and x are one large product a block. Blocks are short,
   because arrays as long as the sequence leave the processor's cache before they
   are used; but not so short that adding up the products costs as much as they do.
2. All that the backward pass multiplies by is known before it begins. It is computed
   for a run of steps at once, and a step only multiplies by it.
3. Gates are the first axis, (G, rows, H), so that each gate lies in one piece of
   memory and `n, r, z = gates` reads like the equation. In a batch of one they are
   the second: then all gates of a step lie in one piece.
4. The gradients with respect to what stands inside the gates, dz, are laid out as
   (rows, G, H): one product with W_h, as it is, then adds up over the gates.
5. σ(z) = 1 / (1 + e^-z), with the sign put into the weights beforehand. What is stored
   is 1 + e^-z, as a step divides by it as fast as it would multiply by the gate. e^x
   costs half of what tanh costs with AVX2; with AVX-512 both are cheap.
6. Sequences are packed (see `sequences`): a step computes only those that are still
   running, and padding costs nothing.
7. A call of NumPy costs about a fifth of a microsecond whatever it does, a slice a third
   of that. So results go into arrays that are there already, a function's last argument,
   and the views of the steps are kept from one pass to the next (`_Room`).
8. What is stored for the backward pass lies in memory that the thread has used before
   (`_Pool`).

Each forward function returns `(result, cache)`, each backward function takes
`(gradient of the result, cache)` and returns the gradients with respect to x, the first
state and the weights, ordered as they were given. In every function N counts the packed
rows, and `plan` says where each step lies among them. With `keep` false, in evaluation,
nothing is stored: the cache is None, and the memory needed does not depend on T but for
input and output. Weights may change after the forward pass; x and the first state must
not. The backward function gives the memory of the pass back.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy import add, copyto, divide, exp, multiply, reciprocal, subtract, tanh

from .activations import nonlinearity_pair
from .sequences import Packing, last_states

dot = np.ndarray.dot  # np.dot itself, but a call costs a quarter less

Array = np.ndarray
Arrays = tuple[Array, ...]

RUN = 2**17  # so many numbers of each gate are worked on at once: all of them fit into a cache


class _Room:
    """Uninitialised arrays of these shapes in one piece of memory, and views of their steps."""

    MOST = 2**12  # steps whose views are kept: a view takes as much memory as a small state

    def __init__(self, piece: Array, made: tuple[str, Any, Any]) -> None:
        self.piece, self.made, self.arrays, start = piece, made, [], 0
        self.views: dict[Any, Any] = {}
        self.steps = 0
        _, dtype, shapes = made
        for shape in shapes:
            size = math.prod(shape) * dtype.itemsize
            self.arrays.append(piece[start : start + size].view(dtype).reshape(shape))
            start += _lines(shape, dtype)

    def views_of(self, run: _Run, start: int, *parts: Array) -> list[list[Array]]:
        """The steps of a run in these parts of the room, which begins there; kept to be reused."""
        place = start, run.place
        views = self.views.get(place)
        if views is None:
            views = [_steps(part, run) for part in parts]
            self.steps += run.steps
            if self.steps <= self.MOST:
                self.views[place] = views
        return views


class _Pool(threading.local):
    """Rooms that this thread's passes have given back, for the next ones: LIMIT bytes at most.

    What a program frees goes back to the system, and comes again page by page, each of
    them cleared first. A room that waits for PATIENCE others to come back is let go.
    """

    LIMIT, PATIENCE = 2**26, 32

    def __init__(self) -> None:
        self.rooms: list[tuple[int, _Room]] = []  # (when it came, room), the last one first
        self.time = 0

    def take(self, purpose: str, dtype: Any, *shapes: tuple[int, ...]) -> _Room:
        """A room with such arrays; it belongs to whoever asked."""
        made, size = (purpose, dtype, shapes), sum(_lines(shape, dtype) for shape in shapes)
        for place, (_, room) in enumerate(self.rooms):
            if room.made == made:
                return self.rooms.pop(place)[1]
        for place, (_, room) in enumerate(self.rooms):
            if size <= len(room.piece) <= 2 * size:
                return _Room(self.rooms.pop(place)[1].piece, made)
        return _Room(np.empty(size, np.uint8), made)

    def give(self, *rooms: _Room) -> None:
        """Take back rooms that nobody looks into any more."""
        self.time += len(rooms)
        found = [(self.time, room) for room in rooms] + self.rooms
        self.rooms, total = [], 0
        for came, room in found:
            total += len(room.piece)
            if total <= self.LIMIT and self.time - came <= self.PATIENCE:
                self.rooms.append((came, room))


_pool = _Pool()


def _lines(shape: tuple[int, ...], dtype: Any) -> int:
    """The bytes of an array, in whole lines of the processor's cache."""
    return -(-math.prod(shape) * dtype.itemsize // 64) * 64


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
            h_prev = _running(h_prev, run)
            recurrent = np.empty_like(h_prev)
            for h_t in _steps(h[run.rows], run):
                add(h_t, dot(h_prev, W_h_T, recurrent), h_t)
                f(h_t, h_t)
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
            dh = _running(dh_next, run)  # the others end before
            for dy_t, dz_t in _backwards(_steps(dy[run.rows], run), _steps(dz[run.inside], run)):
                add(dh, dy_t, dh)
                if record is not None:
                    record.append(dh.reshape(1, run.B, -1).copy())
                multiply(dz_t, dh, dz_t)
                dot(dz_t, W_h, dh)
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
    rows, again = len(x) if keep else _largest(blocks), [W.shape for W in weights[:2]]
    shapes = (rows, 5, H), (4, x.shape[1], H), (4, H, H), *(again if keep else ())
    room = _pool.take("lstm_forward", dtype, *shapes)
    # o, i, f, g: what goes through the sigmoid lies together, and what dc goes to
    (store, W_x_T, W_h_T, *copies), order = room.arrays, [3, 0, 1, 2]
    for W, ours in zip(weights, copies, strict=False):
        np.concatenate([W[3 * H :], W[: 3 * H]], out=ours)
    product, W_h_T, b_1 = _for_steps(weights, order, W_x_T, W_h_T, order, plan)
    h_prev = h_0
    with np.errstate(over="ignore"):  # a gate that is shut: e^-z is inf, and 1 / inf is 0
        for block in blocks:
            start = block.rows.start if keep else 0
            slots = _slots(store, start, block, plan)
            np.matmul(x[block.rows], W_x_T, out=slots[:4])
            for run in block.runs:
                # 1/o, 1/i, 1/f, g, c_{t-1}
                part = slots[:, run.inside]
                part[:4] += b_1
                parts = part[:4], part[:3], part[3], part[1:3], part[3:], part[0], part[4]
                *views, c_before = room.views_of(run, start, *parts)
                last, h_prev = _running(c, run), _running(h_prev, run)
                c_before[0][...] = last  # what has ended stays in c
                recurrent, terms = _gates(4, h_prev), _gates(2, h_prev)
                into, (written, left) = _flat(recurrent, plan), terms
                c_after, h_steps = [*c_before[1:], last], _steps(h[run.rows], run)
                for gates, sigmoids, g, divisors, divided, o, c_t, h_t in zip(
                    *views, c_after, h_steps, strict=True
                ):
                    product(h_prev, W_h_T, into)
                    add(gates, recurrent, gates)
                    exp(sigmoids, sigmoids)
                    add(sigmoids, one, sigmoids)
                    tanh(g, g)
                    divide(divided, divisors, terms)  # i g and f c_{t-1}
                    add(written, left, c_t)
                    tanh(c_t, h_t)
                    divide(h_t, o, h_t)
                    h_prev = h_t
    if not keep:
        _pool.give(room)
    cache = (x, h, h_0, *copies, plan, room) if keep else None
    return (h, (last_states(h, h_0, plan), c)), cache


def lstm_backward(
    dy: Array, dlast: Arrays, cache: Any, record: list[Array] | None = None
) -> tuple[Array, Arrays, Arrays]:
    """The backward pass of `lstm_forward`: dx, (dh_0, dc_0) and (dW_x, dW_h, db).

    dy (N, H) and dlast (dh_n, dc_n) (B, H) hold the gradients with respect to h, h_n and
    c_n as far as the loss looks at them directly. `record` collects the whole gradients
    with respect to each h_t and c_t as (2, B_t, H), from the last step to the first.
    """
    x, h, h_0, W_x, W_h, plan, room = cache
    H, one, blocks = W_h.shape[1], np.array(1, x.dtype), _blocks(plan, W_h.shape[1])
    dx, dW_x, dW_h, db = _gradients(x, W_x, W_h)
    dh_next, dc_next = (array.copy() for array in dlast)
    scratch = _scratch("lstm_backward", x, H, 6, blocks)
    factors, rest_rows, dz_rows, sums = scratch.arrays
    largest = np.array(np.finfo(x.dtype).max)
    apart = plan.B > 1  # for a batch of one the factors lie as dz must, and become it
    for block in blocks[::-1]:
        slots = _slots(room.arrays[0], block.rows.start, block, plan)
        dz = dz_rows[: block.size] if apart else factors[: block.size, 1:5]
        dz = dz.reshape(block.size, 4 * H)
        for run in block.runs[::-1]:
            # What dh is multiplied by to reach c, and to reach z_o: o (1 - tanh² c) and
            # tanh c o (1 - o); what dc is multiplied by to reach z_i, z_f, z_g and c_{t-1}:
            # g i (1 - i), c_{t-1} f (1 - f), i (1 - g²) and f. Here h = o tanh c.
            part, by = slots[:, run.inside], _factors(factors, run, apart)
            to_c, o, i, f, to_g, kept = by
            over_o, _, _, g, c = part
            h_rows, rest = h[run.rows], rest_rows[: len(o)]
            reciprocal(part[:2], by[1:3])
            reciprocal(part[2], kept)
            np.minimum(over_o, largest, out=rest)  # where o is 0, h is too: not 0 times inf
            multiply(rest, h_rows, to_c)  # tanh c
            multiply(to_c, h_rows, to_c)
            subtract(o, to_c, to_c)
            subtract(one, o, o)
            multiply(o, h_rows, o)
            multiply(i, g, rest)
            multiply(rest, g, to_g)
            subtract(i, to_g, to_g)
            subtract(one, i, i)
            multiply(i, rest, i)
            multiply(kept, c, rest)
            subtract(one, kept, f)
            multiply(f, rest, f)
            rows = dz.reshape(block.size, 4, H).swapaxes(0, 1)[:, run.inside]
            parts = by[:2], to_c, by[2:], kept, by[1:5], dz[run.inside], rows
            views = scratch.views_of(run, 0, *parts)
            dh, dc = _running(dh_next, run), _running(dc_next, run)
            for dy_t, from_h, dc_t, from_c, dc_before, gates, dz_t, dz_gates in _backwards(
                _steps(dy[run.rows], run), *views
            ):
                add(dh, dy_t, dh)
                multiply(from_h, dh, from_h)
                add(dc_t, dc, dc_t)
                if record is not None:
                    record.append(np.stack([dh, dc_t]).reshape(2, run.B, H))
                multiply(from_c, dc_t, from_c)
                dc = dc_before
                if apart:
                    copyto(dz_gates, gates)
                dot(dz_t, W_h, dh)
            dc_next[: run.B] = dc
        np.matmul(dz, W_x, out=dx[block.rows])
        for dW, inputs in (dW_x, x[block.rows]), (dW_h, _previous(h, h_0, plan, block)):
            _add_product(dW[: 3 * H], dz[:, H:], inputs, block, sums)  # back to i, f, g, o
            _add_product(dW[3 * H :], dz[:, :H], inputs, block, sums)
        db += np.ones(len(dz), x.dtype) @ dz
    _pool.give(room, scratch)
    db = np.concatenate([db[H:], db[:H]]).astype(x.dtype)
    return dx, (dh_next, dc_next), (dW_x, dW_h, db)


def lstm_gates(cache: Any) -> dict[str, Array]:
    """What `lstm_forward` stored, until the backward pass: c, i, f, g, o, each (N, H)."""
    o, i, f, g, c_before = _stored(cache)
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
    rows, again = len(x) if keep else _largest(blocks), (W_x.shape, W_h.shape)
    shapes = (rows, 5, H), (3, x.shape[1], H), (3, H, H), *(again if keep else ())
    room = _pool.take("gru_forward", dtype, *shapes)
    (store, W_x_T, W_h_T, *copies), order = room.arrays, [2, 0, 1]  # n, r, z; the past r, z, n
    if keep:
        np.concatenate([W_x[2 * H :], W_x[: 2 * H]], out=copies[0])
        np.copyto(copies[1], W_h)
    product, W_h_T, b_1 = _for_steps((W_x, W_h, b), order, W_x_T, W_h_T, [0, 1, 2], plan)
    h_prev = h_0
    with np.errstate(over="ignore"):  # as in `lstm_forward`
        for block in blocks:
            start = block.rows.start if keep else 0
            slots = _slots(store, start, block, plan)
            np.matmul(x[block.rows], W_x_T, out=slots[1:4])
            for run in block.runs:
                # h_{t-1} - n, n, 1/r, 1/z, and what the past says to the candidate
                part = slots[:, run.inside]
                part[1:4] += b_1
                parts = part[0], part[1], part[2:4], part[2], part[3], part[4]
                views = room.views_of(run, start, *parts)
                h_prev = _running(h_prev, run)
                recurrent, rest = _gates(3, h_prev), np.empty_like(h_prev)
                into, from_past, to_n = _flat(recurrent, plan), recurrent[:2], recurrent[2]
                for change, n, sigmoids, r, z, past, h_t in zip(
                    *views, _steps(h[run.rows], run), strict=True
                ):
                    product(h_prev, W_h_T, into)
                    add(sigmoids, from_past, sigmoids)
                    exp(sigmoids, sigmoids)
                    add(sigmoids, one, sigmoids)
                    add(to_n, b_hn, past)
                    divide(past, r, rest)
                    add(n, rest, n)
                    tanh(n, n)
                    subtract(h_prev, n, change)
                    divide(change, z, h_t)  # (1 - z) n + z h_{t-1} = n + z (h_{t-1} - n)
                    add(h_t, n, h_t)
                    h_prev = h_t
    if not keep:
        _pool.give(room)
    cache = (x, h, h_0, *copies, plan, room) if keep else None
    return (h, (last_states(h, h_0, plan),)), cache


def gru_backward(
    dy: Array, dlast: Arrays, cache: Any, record: list[Array] | None = None
) -> tuple[Array, Arrays, Arrays]:
    """The backward pass of `gru_forward`: dx, (dh_0,) and (dW_x, dW_h, db, db_hn).

    dy (N, H) and dlast (dh_n,) (B, H) hold the gradients with respect to h and h_n as far
    as the loss looks at them directly. `record` collects the whole gradients with respect
    to each h_t as (1, B_t, H), from the last step to the first.
    """
    x, h, h_0, W_x, W_h, plan, room = cache
    H, one, blocks = W_h.shape[1], np.array(1, x.dtype), _blocks(plan, W_h.shape[1])
    dx, dW_x, dW_h, _ = _gradients(x, W_x, W_h)
    db, dh_next = np.zeros(4 * H), dlast[0].copy()
    scratch = _scratch("gru_backward", x, H, 5, blocks)
    factors, rest_rows, dz_rows, sums = scratch.arrays
    apart = plan.B > 1  # as in `lstm_backward`
    for block in blocks[::-1]:
        slots = _slots(room.arrays[0], block.rows.start, block, plan)
        dz = dz_rows[: block.size] if apart else factors[: block.size, 1:]
        dz = dz.reshape(block.size, 4 * H)
        for run in block.runs[::-1]:
            # What dh is multiplied by to reach h_{t-1} through z, and to reach what stands
            # inside n, r, z and the past inside n: z, (1 - z)(1 - n²), past (1 - z)(1 - n²)
            # r (1 - r), (h_{t-1} - n) z (1 - z) and the second times r. Of the last four the
            # first three belong to W_x, the last three to W_h.
            part, by = slots[:, run.inside], _factors(factors, run, apart)
            kept, to_n, to_r, to_z, to_past = by
            change, n, r, z, past = part
            rest = rest_rows[: len(n)]
            reciprocal(z, kept)
            subtract(one, kept, rest)
            multiply(n, n, to_n)
            subtract(one, to_n, to_n)
            multiply(to_n, rest, to_n)
            multiply(rest, kept, to_z)
            multiply(to_z, change, to_z)
            reciprocal(r, to_past)
            subtract(one, to_past, rest)
            multiply(to_past, to_n, to_past)
            multiply(rest, past, rest)
            multiply(to_past, rest, to_r)
            rows = dz.reshape(block.size, 4, H).swapaxes(0, 1)[:, run.inside]
            parts = by, kept, by[1:], dz[run.inside, H:], rows
            views = scratch.views_of(run, 0, *parts)
            dh = _running(dh_next, run)
            for dy_t, from_h, through_z, gates, dz_t, dz_gates in _backwards(
                _steps(dy[run.rows], run), *views
            ):
                add(dh, dy_t, dh)
                if record is not None:
                    record.append(dh.reshape(1, run.B, H).copy())
                multiply(from_h, dh, from_h)
                if apart:
                    copyto(dz_gates, gates)
                dot(dz_t, W_h, dh)
                add(dh, through_z, dh)
        np.matmul(dz[:, : 3 * H], W_x, out=dx[block.rows])
        _add_product(dW_x[: 2 * H], dz[:, H : 3 * H], x[block.rows], block, sums)
        _add_product(dW_x[2 * H :], dz[:, :H], x[block.rows], block, sums)  # back to r, z, n
        _add_product(dW_h, dz[:, H:], _previous(h, h_0, plan, block), block, sums)
        db += np.ones(len(dz), x.dtype) @ dz
    _pool.give(room, scratch)
    db = db.astype(x.dtype)
    weights = dW_x, dW_h, np.concatenate([db[H : 3 * H], db[:H]]), db[3 * H :]
    return dx, (dh_next,), weights


def gru_gates(cache: Any) -> dict[str, Array]:
    """What `gru_forward` stored, until the backward pass: r, z, n, each (N, H)."""
    _, n, r, z, _ = _stored(cache)
    return {"r": 1 / r, "z": 1 / z, "n": n}


def _stored(cache: Any) -> Array:
    """A copy of the slots of all rows, (S, N, H)."""
    *_, plan, room = cache
    store = room.arrays[0]
    N, S, H = store.shape
    slots = [_slots(store, block.rows.start, block, plan) for block in _blocks(plan, H)]
    return np.concatenate([store.reshape(S, N, H)[:, :0], *slots], axis=1)


class _Run(NamedTuple):
    """Steps in which the same B sequences run: their packed rows, and which of the block's."""

    steps: int
    B: int
    rows: slice
    inside: slice
    each: tuple[int, ...]  # what a step's arrays have before H: (B,), nothing in a batch of one
    place: tuple[int, ...]  # what tells it from other runs in the same arrays


class _Block(NamedTuple):
    """Steps that are worked on together: the first one, their packed rows, their runs."""

    first: int
    rows: slice
    size: int
    runs: list[_Run]
    last: bool


def _blocks(plan: Packing, H: int) -> list[_Block]:
    """The time steps in groups, for products, and each in runs, for all else (see 1)."""
    starts, sizes = plan.starts, plan.sizes
    T = len(sizes) - sizes.count(0)  # behind the longest sequence there is nothing to do
    if T == 0:
        return []
    count = max(round(T / max(2, 384 // plan.B, H // plan.B)), 1)
    blocks = []
    for first, stop in pairwise(T * k // count for k in range(count + 1)):
        edges = [first, stop]
        if sizes[stop - 1] < sizes[first]:
            edges[1:1] = [t for t in range(first + 1, stop) if sizes[t] < sizes[t - 1]]
        runs = []
        for a, b in pairwise(edges):
            B, length = sizes[a], max(RUN // (sizes[a] * H), 1)
            for t in range(a, b, length):
                end = min(t + length, b)
                inside = slice(starts[t] - starts[first], starts[end] - starts[first])
                each = (B,) if plan.B > 1 else ()
                place = plan.B, starts[stop] - starts[first], inside.start, end - t, B
                rows = slice(starts[t], starts[end])
                runs.append(_Run(end - t, B, rows, inside, each, place))
        size = starts[stop] - starts[first]
        blocks.append(_Block(first, slice(starts[first], starts[stop]), size, runs, stop == T))
    return blocks


def _largest(blocks: list[_Block]) -> int:
    """The rows of the largest block."""
    return max((block.size for block in blocks), default=0)


def _slots(store: Array, start: int, block: _Block, plan: Packing) -> Array:
    """A block's part of the store, (S, n, H): each slot in one piece, but each row if B = 1."""
    piece = store[start : start + block.size]
    n, S, H = piece.shape
    return piece.swapaxes(0, 1) if plan.B == 1 else piece.reshape(S, n, H)


def _scratch(purpose: str, x: Array, H: int, S: int, blocks: list[_Block]) -> _Room:
    """What a backward pass works in: S factors, one more, dz, and a product."""
    rows, product = _largest(blocks), (4 * H * max(H, x.shape[1]),)
    return _pool.take(purpose, x.dtype, (rows, S, H), (rows, H), (rows, 4, H), product)


def _factors(factors: Array, run: _Run, apart: bool) -> Array:
    """Room for the factors of a run, (S, n, H): side by side in rows unless they are apart."""
    if not apart:
        return factors[run.inside].swapaxes(0, 1)
    n, (_, S, H) = run.rows.stop - run.rows.start, factors.shape
    return factors[:n].reshape(S, n, H)


def _for_steps(
    weights: Arrays, order: list[int], W_x_T: Array, W_h_T: Array, past: list[int], plan: Packing
) -> tuple[Any, Array, Array]:
    """How a step multiplies by W_h, W_h for it, and b (G, 1, H): the sigmoids' are negative.

    Fills W_x_T (G, I, H) with W_x (G·H, I), its gates in this order, and W_h_T (G, H, H) with
    W_h (G·H, H) in the order `past`. The gate that is no sigmoid is the third of i, f, g, o
    and of r, z, n.
    """
    (G, _, H), (W_x, W_h, b), dtype = W_x_T.shape, weights, W_x_T.dtype
    if plan.B == 1:  # one product of a vector and a matrix
        W_h_T = W_h_T.reshape(H, G, H).swapaxes(0, 1)
    sign = [np.array(1 if gate == 2 else -1, dtype) for gate in range(G)]
    for W, W_T, gates in (W_x, W_x_T, order), (W_h, W_h_T, past):
        for gate, turned in zip(gates, W_T, strict=True):
            np.multiply(W[gate * H : (gate + 1) * H].T, sign[gate], out=turned)
    b_1 = np.array([sign[gate] * b[None, gate * H : (gate + 1) * H] for gate in order])
    if plan.B == 1:
        return dot, W_h_T.swapaxes(0, 1).reshape(H, G * H), b_1
    return np.matmul, W_h_T, b_1


def _flat(recurrent: Array, plan: Packing) -> Array:
    """The array (G, B, H) as the product of `_for_steps` fills it: (G·H,) in a batch of one."""
    return recurrent.reshape(-1) if plan.B == 1 else recurrent


def _running(state: Array, run: _Run) -> Array:
    """The rows of a state (B, H) that run, as the steps' arrays are: (run.B, H), (H,) if B = 1."""
    H = state.shape[-1]
    return state.reshape(-1, H)[: run.B].reshape(*run.each, H)


def _gates(G: int, h: Array) -> Array:
    """Room for the gates of one step, in one piece: (G, B, H), or (G, H) if h is (H,)."""
    return np.empty((G, *h.shape), h.dtype)


def _gradients(x: Array, W_x: Array, W_h: Array) -> tuple[Array, Array, Array, Array]:
    """Room for dx (N, I), dW_x, dW_h and db (G·H,): zero, and float64 for its long sums."""
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
    """Views of the rows (…, n, H) of a run, step by step: (…, run.B, H), (…, H) if B = 1."""
    *gates, _, width = rows.shape
    split = rows.reshape(*gates, run.steps, *run.each, width)
    return list(split.swapaxes(0, 1) if gates else split)


def _backwards(*steps: list[Array]) -> Iterable[tuple[Array, ...]]:
    """The views of several arrays side by side, from the last step to the first."""
    return zip(*(views[::-1] for views in steps), strict=True)


def _previous(h: Array, h_0: Array, plan: Packing, block: _Block) -> Array:
    """For each row of a block, the state of the same sequence one step before: (n, H)."""
    starts, pieces = plan.starts, []
    if block.first and (shift := plan.sizes[block.first - 1]) == block.runs[-1].B:
        return h[block.rows.start - shift : block.rows.stop - shift]
    t = block.first
    for run in block.runs:
        before = h[starts[t - 1] :] if t else h_0
        pieces += [before[: run.B], h[run.rows.start : run.rows.stop - run.B]]
        t += run.steps
    return np.concatenate(pieces)
