"""Recurrences that need no loop: h_t = a_t h_{t-1} + b_t, and networks made of them.

Two steps in a row are again such a step:

    h_t = a_t (a_{t-1} h_{t-2} + b_{t-1}) + b_t = (a_t a_{t-1}) h_{t-2} + (a_t b_{t-1} + b_t)

so pairs of steps can be merged, all pairs at once, then pairs of pairs, and after log₂ T
rounds nothing is left to wait for. It is the tanh around W_h h_{t-1} that denies this to
the networks of the other files: minGRU and minLSTM do without it, and their gates do not
look at h_{t-1}.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import sigmoid, sigmoid_grad
from .layers import Linear
from .module import Module, freeze, own
from .sequences import Packing, pack, packing, unpack
from .validation import as_rng, expect_float, expect_positive

Array = np.ndarray

# With more numbers than this side by side, the loop's few calls cost less than the scan's
# additional products.
NARROW = 32


def scan_loop(a: Array, b: Array, h_0: Array) -> Array:
    """Compute h_t = a_t h_{t-1} + b_t one step after the other. Derived in chapter 15_limits.

    T steps of B·H products each.

    Parameters
    ----------
    a, b : (T, B, H) array
        What is kept of each number, and what is added. T may be 0.
    h_0 : (B, H) array
        The state before the first step.

    Returns
    -------
    h : (T, B, H) array
        The state after every step.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit.

    Examples
    --------
    >>> a, b = np.full((4, 1, 1), 0.5), np.ones((4, 1, 1))
    >>> scan_loop(a, b, np.zeros((1, 1)))[:, 0, 0].tolist()
    [1.0, 1.5, 1.75, 1.875]
    """
    a, b, h_t = _expect_scan(a, b, h_0)
    h = np.empty_like(b)
    for t in range(len(b)):
        h_t = a[t] * h_t + b[t]
        h[t] = h_t
    return h


def scan(a: Array, b: Array, h_0: Array) -> Array:
    """Compute h_t = a_t h_{t-1} + b_t in 2 log₂ T rounds. Derived in chapter 15_limits.

    For all steps, as `scan_loop`. Each round merges the steps in pairs, solves the half as
    long recurrence of the pairs, and fills in the steps between: three times the loop's
    products, but only 2 log₂ T of them have to wait for each other.

    Nothing is divided by a product of many a_t, which soon is too small for a float: so
    there is no need for logarithms here, and a and b may have any sign.

    Parameters
    ----------
    a, b : (T, B, H) array
        What is kept of each number, and what is added. T may be 0.
    h_0 : (B, H) array
        The state before the first step.

    Returns
    -------
    h : (T, B, H) array
        The state after every step; the loop's but for rounding.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit.

    References
    ----------
    Blelloch, Prefix sums and their applications, 1990, section 1.4.1; for networks:
    Martin and Cundy, Parallelizing linear recurrent neural nets over sequence length,
    ICLR 2018.

    Notes
    -----
    On one processor the rounds save no work, only calls: they are the faster way as long
    as B·H is small, up to some 32 numbers.

    Examples
    --------
    >>> a, b = np.full((4, 1, 1), 0.5), np.ones((4, 1, 1))
    >>> scan(a, b, np.zeros((1, 1)))[:, 0, 0].tolist()
    [1.0, 1.5, 1.75, 1.875]
    """
    a, b, h_0 = _expect_scan(a, b, h_0)
    b = b.copy()
    b[:1] += a[:1] * h_0  # the first step swallows the initial state
    return _scan_from_zero(a, b)


def _scan_from_zero(a: Array, b: Array) -> Array:
    """h_t = a_t h_{t-1} + b_t with h_0 = 0; a_1 is not looked at."""
    T = len(b)
    if T < 2:
        return b
    first, second = np.s_[0 : T - 1 : 2], np.s_[1:T:2]  # the two steps of each pair
    h = np.empty_like(b)
    h[second] = _scan_from_zero(a[second] * a[first], a[second] * b[first] + b[second])
    h[0] = b[0]
    h[2::2] = a[2::2] * h[1 : T - 1 : 2] + b[2::2]
    return h


def scan_backward(
    dh: Array, a: Array, h: Array, h_0: Array, parallel: bool = True
) -> tuple[Array, Array, Array]:
    """Walk back through `scan`: its recurrence from the end. Derived in chapter 15_limits.

        g_t = dh_t + a_{t+1} g_{t+1}        all that reaches h_t
        da_t = g_t h_{t-1}      db_t = g_t      dh_0 = a_1 g_1

    Parameters
    ----------
    dh : (T, B, H) array
        Gradient of the loss with respect to each step's state, as far as the loss looks at
        it directly.
    a : (T, B, H) array
        What `scan` was given.
    h : (T, B, H) array
        What `scan` returned.
    h_0 : (B, H) array
        What `scan` was given.
    parallel : bool, optional
        Whether to use `scan`; if false, `scan_loop`.

    Returns
    -------
    da, db : (T, B, H) array
    dh_0 : (B, H) array

    Raises
    ------
    ValueError
        If a shape or dtype does not fit.

    Examples
    --------
    >>> a, b, h_0 = np.full((3, 1, 1), 0.5), np.ones((3, 1, 1)), np.zeros((1, 1))
    >>> h = scan(a, b, h_0)
    >>> da, db, dh_0 = scan_backward(np.ones_like(h), a, h, h_0)
    >>> db[:, 0, 0].tolist(), dh_0.tolist()
    ([1.75, 1.5, 1.0], [[0.875]])
    """
    a, h, h_0 = _expect_scan(a, h, h_0, "h")
    dh = expect_float("dh", dh, h.shape, h.dtype)
    # step T is followed by nothing: there a factor of 0 stands for the missing a_{T+1}
    after = np.concatenate([a[1:], np.zeros_like(a[:1])])
    solve = scan if parallel else scan_loop
    g = solve(after[::-1], dh[::-1], np.zeros_like(h_0))[::-1]
    before = np.concatenate([h_0[None], h])[: len(h)]
    return g * before, g, (a[:1] * g[:1]).sum(axis=0)


def _expect_scan(a: Any, b: Any, h_0: Any, name: str = "b") -> tuple[Array, Array, Array]:
    """The three arrays of a recurrence, checked."""
    a = expect_float("a", a, ("T", "B", "H"))
    b = expect_float(name, b, a.shape, a.dtype)
    return a, b, expect_float("h_0", h_0, a.shape[1:], a.dtype)


class Minimal(Module):
    """What `MinGRU` and `MinLSTM` have in common: a weighted mean of past and candidate.

        h̃_t = W_h x_t + b_h                     the candidate
        h_t = a_t h_{t-1} + (1 - a_t) h̃_t       a_t in 0 … 1, from x_t alone

    A subclass says what share a_t of the past is kept.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    parallel : bool, optional
        True for `scan`, False for `scan_loop`; if left out, the one that is faster on
        one processor: `scan` where B·H is at most 32. Both give the same but for
        rounding.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√I, as torch's linear
        layers.
    dtype : dtype, optional
        float64 or float32. Inputs must have the same.

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    Notes
    -----
    A NaN in the input makes that sequence's states NaN from there on, and no
    other sequence's of the batch.
    """

    linears: tuple[str, ...] = ("linear_h",)
    linear_h: Linear

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        parallel: bool | None = None,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        self.input_size = expect_positive("input_size", input_size)
        self.hidden_size = expect_positive("hidden_size", hidden_size)
        self.parallel = parallel
        rng = as_rng(seed)
        for name in self.linears:
            setattr(self, name, Linear(input_size, hidden_size, seed=rng, dtype=dtype))

    def forward(
        self, x: Array, state: Array | None = None, lengths: Any = None
    ) -> tuple[Array, Array]:
        """Compute the state after every step, and the last one.

        Parameters
        ----------
        x : (T, B, I) array
            T and B may be 0.
        state : (1, B, H) array, optional
            The state before the first step; zero if left out.
        lengths : (B,) integer array, optional
            Steps of each sequence that count, in 1 … T. What lies behind them
            changes nothing.

        Returns
        -------
        y : (T, B, H) array
            The state after every step, zero behind a sequence's end; read-only in
            training, as the backward pass needs it.
        state : (1, B, H) array
            Each sequence's state after its own last step; the initial one if T = 0.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, or a length lies outside 1 … T.
        """
        H, dtype = self.hidden_size, self.linear_h.weight.data.dtype
        x = expect_float("x", x, ("T", "B", self.input_size), dtype)
        T, B, _ = x.shape
        plan = packing(T, B, lengths)
        h_0 = np.zeros((1, B, H), dtype) if state is None else state
        h_0 = expect_float("h_0", h_0, (1, B, H), dtype)[0]
        rows = pack(x, plan)
        if self.training:  # one copy of what may be filled anew, for all that read it
            freeze(rows := own(rows) if plan.rows is None else rows)
        candidate = self.linear_h(rows)
        kept, cache = self._keep(rows)
        # in the padding a and b are 0, and so is the state
        a, b = unpack(kept, plan), unpack((1.0 - kept) * candidate, plan)
        parallel = B * H <= NARROW if self.parallel is None else self.parallel
        h = (scan if parallel else scan_loop)(a, b, h_0)
        h = h if plan.rows is None else _padded(h, plan)
        ends = (np.full(B, T) if lengths is None else np.asarray(lengths)) - 1
        last = h[ends, np.arange(B)] if T else h_0.copy()
        if self.training:
            for array in (candidate, kept, a, h):
                freeze(array)
        self.remember((candidate, kept, a, h, h_0, plan, ends, parallel, cache))
        return h, last[None]

    def backward(self, dy: Array | None = None, dstate: Array | None = None) -> tuple[Array, Array]:
        """Backpropagation through time, itself a scan; adds to the parameters' gradients.

        Parameters
        ----------
        dy : (T, B, H) array, optional
            Gradient of the loss with respect to the output y; zero if left out.
        dstate : (1, B, H) array, optional
            Gradient of the loss with respect to the last state; zero if left out.

        Returns
        -------
        dx : (T, B, I) array
            Gradient of the loss with respect to the input; zero in the padding.
        dstate : (1, B, H) array
            Gradient of the loss with respect to the initial state.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, or both are left out.
        RuntimeError
            If there was no forward pass to walk back.
        """
        if dy is None and dstate is None:
            raise ValueError("dy and dstate are both None: there is no gradient to walk back with")
        candidate, kept, a, h, h_0, plan, ends, parallel, cache = self.recall()
        T, B, H = h.shape
        dh = np.zeros_like(h) if dy is None else expect_float("dy", dy, h.shape, h.dtype)
        dh = _padded(dh, plan)
        if dstate is not None:
            dstate = expect_float("dh_n", dstate, (1, B, H), h.dtype)
            if T:
                dh[ends, np.arange(B)] += dstate[0]
        da, db, dh_0 = scan_backward(dh, a, h, h_0, parallel)
        if T == 0 and dstate is not None:
            dh_0 = dstate[0].copy()
        da, db = pack(da, plan), pack(db, plan)
        dx = self._keep_back(da - db * candidate, kept, cache)
        dx += self.linear_h.backward(db * (1.0 - kept))
        return unpack(dx, plan), dh_0[None]

    def step(self, x_t: Array, h_prev: Array) -> Array:
        """Take one step, for a model that writes its own next input.

        Stepping through given inputs is the forward pass over them. It is not walked
        back: a step forgets the forward pass before it.

        Parameters
        ----------
        x_t : (B, I) array
        h_prev : (B, H) array

        Returns
        -------
        h_t : (B, H) array

        Raises
        ------
        ValueError
            If a shape or dtype does not fit.
        """
        dtype = self.linear_h.weight.data.dtype
        x_t = expect_float("x_t", x_t, ("B", self.input_size), dtype)
        h_prev = expect_float("h_prev", h_prev, (len(x_t), self.hidden_size), dtype)
        a, _ = self._keep(x_t)
        h_t = a * h_prev + (1.0 - a) * self.linear_h(x_t)
        self.remember(None)
        return h_t

    def _keep(self, x: Array) -> tuple[Array, tuple]:
        """The share a of the past that is kept, and what to remember."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it keeps")

    def _keep_back(self, da: Array, a: Array, cache: tuple) -> Array:
        """From the gradient with respect to a to that with respect to x."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it keeps")


def _padded(steps: Array, plan: Packing) -> Array:
    """A copy of (T, B, H) with zeros in the padding, whatever stands there."""
    return steps.copy() if plan.rows is None else unpack(pack(steps, plan), plan)


class MinGRU(Minimal):
    """Run a GRU whose gate and candidate see x_t alone. Derived in chapter 15_limits.

        z_t = σ(W_z x_t + b_z)                  how much is renewed
        h̃_t = W_h x_t + b_h
        h_t = (1 - z_t) h_{t-1} + z_t h̃_t

    The z of torch's GRU is the share that is kept, here it is the share that is not.

    Parameters
    ----------
    input_size, hidden_size, parallel, seed, dtype
        As `Minimal` explains.

    Attributes
    ----------
    linear_z, linear_h : Linear
        From I to H each.

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    References
    ----------
    Feng et al., Were RNNs all we needed?, 2024, section 3.1.

    Examples
    --------
    >>> layer = MinGRU(3, 4, seed=0)
    >>> y, state = layer(np.ones((5, 2, 3)))
    >>> y.shape, bool((y[-1] == state[0]).all())
    ((5, 2, 4), True)
    >>> dx, dstate = layer.backward(np.ones_like(y))
    >>> dx.shape, dstate.shape
    ((5, 2, 3), (1, 2, 4))
    """

    linears = ("linear_z", "linear_h")
    linear_z: Linear

    def _keep(self, x: Array) -> tuple[Array, tuple]:
        return sigmoid(-self.linear_z(x)), ()  # 1 - σ(z) = σ(-z)

    def _keep_back(self, da: Array, a: Array, cache: tuple) -> Array:
        return self.linear_z.backward(-da * sigmoid_grad(a))


class MinLSTM(Minimal):
    """Run an LSTM whose gates and candidate see x_t alone. Derived in chapter 15_limits.

        f_t = σ(W_f x_t + b_f),    i_t = σ(W_i x_t + b_i)
        h̃_t = W_h x_t + b_h
        h_t = f'_t h_{t-1} + i'_t h̃_t,    f' = f / (f + i),  i' = i / (f + i)

    Memory and state are one, there is no output gate, and the two gates are made to add
    up to 1, so that a state does not grow with the length of its sequence.

    Parameters
    ----------
    input_size, hidden_size, parallel, seed, dtype
        As `Minimal` explains.

    Attributes
    ----------
    linear_f, linear_i, linear_h : Linear
        From I to H each.

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    References
    ----------
    Feng et al., Were RNNs all we needed?, 2024, section 3.2.

    Notes
    -----
    f' is computed as σ(log f - log i): two closed gates are no division of 0 by 0.

    A NaN in the input makes that sequence's states NaN from there on, and no
    other sequence's of the batch.

    Examples
    --------
    >>> layer = MinLSTM(3, 4, seed=0)
    >>> y, state = layer(np.ones((5, 2, 3)))
    >>> bool(np.allclose(layer.step(np.ones((2, 3)), y[3]), y[4]))
    True
    """

    linears = ("linear_f", "linear_i", "linear_h")
    linear_f: Linear
    linear_i: Linear

    def _keep(self, x: Array) -> tuple[Array, tuple]:
        z_f, z_i = self.linear_f(x), self.linear_i(x)
        a = sigmoid(_log_sigmoid(z_f) - _log_sigmoid(z_i))
        return a, (sigmoid(-z_f), sigmoid(-z_i))

    def _keep_back(self, da: Array, a: Array, cache: tuple) -> Array:
        not_f, not_i = cache  # 1 - f and 1 - i, the derivatives of log f and log i
        dratio = da * sigmoid_grad(a)
        return self.linear_f.backward(dratio * not_f) + self.linear_i.backward(-dratio * not_i)


def _log_sigmoid(z: Array) -> Array:
    """log σ(z) = -log(1 + e^-z), exact also where σ(z) is 0 or 1 for a float."""
    return np.minimum(z, 0) - np.log1p(np.exp(-abs(z)))
