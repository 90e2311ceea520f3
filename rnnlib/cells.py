"""One time step, in the symbols of the formula.

    z_t = W_x x_t + W_h h_{t-1} + b
    h_t = f(z_t)

The LSTM and the GRU stack their gates in the rows of W_x, W_h and b, in torch's
order: i, f, g, o and r, z, n.

Written to be read beside the equations: slow, clear, and the truth that the fast
layers are tested against. A row of x_t is one sequence of the batch, so that
"W_x x_t" stands as `x_t @ W_x.T`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import nonlinearity_pair, sigmoid, sigmoid_grad, tanh, tanh_grad
from .initializers import uniform
from .module import Module, Parameter
from .validation import as_rng, expect_float, expect_positive


def rnn_step(
    x_t: np.ndarray,
    h_prev: np.ndarray,
    W_x: np.ndarray,
    W_h: np.ndarray,
    b: np.ndarray,
    nonlinearity: str = "tanh",
) -> tuple[np.ndarray, tuple]:
    """One step of the vanilla recurrent network, h_t = f(W_x x_t + W_h h_{t-1} + b).

    Parameters
    ----------
    x_t : (B, I) array
        The input at time t, one row a sequence.
    h_prev : (B, H) array
        The state before, h_{t-1}.
    W_x : (H, I) array
        From the input to the state; torch calls it weight_ih.
    W_h : (H, H) array
        From the state to the state, the recurrent connections; torch: weight_hh.
    b : (H,) array
        The bias; in torch bias_ih + bias_hh.
    nonlinearity : {"tanh", "relu"}, optional
        The function f.

    Returns
    -------
    h_t : (B, H) array
        The new state.
    cache : tuple
        What `rnn_step_backward` needs.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, naming the argument.

    References
    ----------
    Elman, Finding structure in time, Cognitive Science 14, 1990.

    Notes
    -----
    Derived in chapter 02_cell.

    Examples
    --------
    >>> x_t, h_prev = np.array([[1.0]]), np.array([[0.5]])
    >>> W_x, W_h, b = np.array([[0.6]]), np.array([[0.8]]), np.array([0.0])
    >>> h_t, cache = rnn_step(x_t, h_prev, W_x, W_h, b)
    >>> h_t.round(4).tolist()  # tanh(0.6 · 1 + 0.8 · 0.5) = tanh(1)
    [[0.7616]]
    """
    f, _ = nonlinearity_pair(nonlinearity)
    x_t = expect_float("x_t", x_t, ("B", "I"))
    B, I = x_t.shape
    W_x = expect_float("W_x", W_x, ("H", I), dtype=x_t.dtype)
    H = W_x.shape[0]
    W_h = expect_float("W_h", W_h, (H, H), dtype=x_t.dtype)
    b = expect_float("b", b, (H,), dtype=x_t.dtype)
    h_prev = expect_float("h_prev", h_prev, (B, H), dtype=x_t.dtype)

    z_t = x_t @ W_x.T + h_prev @ W_h.T + b  # (B, H)
    h_t = f(z_t)
    return h_t, (x_t, h_prev, h_t, W_x, W_h, nonlinearity)


def rnn_step_backward(
    dh_t: np.ndarray, cache: tuple
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The way back through `rnn_step`: from the gradient by h_t to all others.

    Parameters
    ----------
    dh_t : (B, H) array
        Gradient of the loss by the new state h_t.
    cache : tuple
        What `rnn_step` returned.

    Returns
    -------
    dx_t : (B, I) array
        Gradient by the input.
    dh_prev : (B, H) array
        Gradient by the state before: what flows on to time t - 1.
    dW_x : (H, I) array
    dW_h : (H, H) array
    db : (H,) array
        This step's share of the parameters' gradients, summed over the batch.

    Raises
    ------
    ValueError
        If the shape or dtype of dh_t does not fit.

    Notes
    -----
    Derived in chapter 03_bptt.

    Examples
    --------
    >>> one = np.array([[1.0]])
    >>> h_t, cache = rnn_step(one, one, 0.5 * one, 0.25 * one, np.zeros(1), "relu")
    >>> [gradient.tolist() for gradient in rnn_step_backward(one, cache)]
    [[[0.5]], [[0.25]], [[1.0]], [[1.0]], [1.0]]
    """
    x_t, h_prev, h_t, W_x, W_h, nonlinearity = cache
    _, f_grad = nonlinearity_pair(nonlinearity)
    dh_t = expect_float("dh_t", dh_t, h_t.shape, dtype=h_t.dtype)

    dz_t = dh_t * f_grad(h_t)  # (B, H)
    dx_t = dz_t @ W_x  # (B, I)
    dh_prev = dz_t @ W_h  # (B, H)
    dW_x = dz_t.T @ x_t  # (H, I)
    dW_h = dz_t.T @ h_prev  # (H, H)
    db = dz_t.sum(axis=0)  # (H,)
    return dx_t, dh_prev, dW_x, dW_h, db


def lstm_step(
    x_t: np.ndarray,
    h_prev: np.ndarray,
    c_prev: np.ndarray,
    W_x: np.ndarray,
    W_h: np.ndarray,
    b: np.ndarray,
    peepholes: np.ndarray | None = None,
    coupled: bool = False,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple]:
    """One step of the long short-term memory.

        i = σ(W_xi x_t + W_hi h_{t-1} + b_i)        what to write
        f = σ(W_xf x_t + W_hf h_{t-1} + b_f)        what to keep
        g = tanh(W_xg x_t + W_hg h_{t-1} + b_g)     what could be written
        o = σ(W_xo x_t + W_ho h_{t-1} + b_o)        what to show
        c_t = f c_{t-1} + i g
        h_t = o tanh(c_t)

    Parameters
    ----------
    x_t : (B, I) array
        The input at time t, one row a sequence.
    h_prev, c_prev : (B, H) array
        The state before: what was shown, and the memory.
    W_x : (4H, I) array
        Rows in the order i, f, g, o; torch: weight_ih.
    W_h : (4H, H) array
        Rows in the same order; torch: weight_hh.
    b : (4H,) array
        In torch bias_ih + bias_hh.
    peepholes : (3, H) array, optional
        Lets the gates i, f see c_{t-1} and o see c_t, each unit its own.
    coupled : bool, optional
        What is written is what is not kept, i = 1 - f: then W_x, W_h, b hold only
        f, g, o (3H rows), and peepholes f, o (2 rows).

    Returns
    -------
    h_t, c_t : (B, H) array
        The new state.
    cache : tuple
        What `lstm_step_backward` needs.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, naming the argument.

    References
    ----------
    Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9, 1997;
    forget gate: Gers, Schmidhuber and Cummins, Learning to forget, 2000; peepholes:
    Gers, Schraudolph and Schmidhuber, Learning precise timing, JMLR 3, 2002; coupled
    gates: Greff et al., LSTM: a search space odyssey, 2017.

    Notes
    -----
    Derived in chapter 06_lstm.

    Examples
    --------
    >>> x_t, h_prev, c_prev = np.zeros((1, 1)), np.zeros((1, 1)), np.array([[1.0]])
    >>> W_x, W_h, b = np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4)
    >>> (h_t, c_t), cache = lstm_step(x_t, h_prev, c_prev, W_x, W_h, b)
    >>> c_t.tolist()  # all gates half open: half of the memory is kept
    [[0.5]]
    """
    x_t = expect_float("x_t", x_t, ("B", "I"))
    B, I = x_t.shape
    h_prev = expect_float("h_prev", h_prev, (B, "H"), dtype=x_t.dtype)
    H = h_prev.shape[1]
    G = 3 if coupled else 4
    c_prev = expect_float("c_prev", c_prev, (B, H), dtype=x_t.dtype)
    W_x = expect_float("W_x", W_x, (G * H, I), dtype=x_t.dtype)
    W_h = expect_float("W_h", W_h, (G * H, H), dtype=x_t.dtype)
    b = expect_float("b", b, (G * H,), dtype=x_t.dtype)
    if peepholes is None:
        p_i = p_f = p_o = np.zeros(H, dtype=x_t.dtype)
    else:
        peepholes = expect_float("peepholes", peepholes, (G - 1, H), dtype=x_t.dtype)
        p_i, p_f, p_o = peepholes[0], peepholes[-2], peepholes[-1]

    z = x_t @ W_x.T + h_prev @ W_h.T + b  # (B, G H)
    *z_i, z_f, z_g, z_o = np.split(z, G, axis=1)  # (B, H) each; no z_i if coupled
    f = sigmoid(z_f + p_f * c_prev)
    i = 1.0 - f if coupled else sigmoid(z_i[0] + p_i * c_prev)
    g = tanh(z_g)
    c_t = f * c_prev + i * g
    o = sigmoid(z_o + p_o * c_t)
    h_t = o * tanh(c_t)
    cache = (x_t, h_prev, c_prev, c_t, i, f, g, o, W_x, W_h, peepholes, coupled)
    return (h_t, c_t), cache


def lstm_step_backward(dh_t: np.ndarray, dc_t: np.ndarray, cache: tuple) -> tuple[Any, ...]:
    """The way back through `lstm_step`.

    Parameters
    ----------
    dh_t, dc_t : (B, H) array
        Gradients of the loss by the new state.
    cache : tuple
        What `lstm_step` returned.

    Returns
    -------
    dx_t : (B, I) array
    dh_prev, dc_prev : (B, H) array
        What flows on to time t - 1. Along c it is only multiplied by f: the road
        on which a gradient survives.
    dW_x : (4H, I) array
    dW_h : (4H, H) array
    db : (4H,) array
        This step's share of the parameters' gradients, summed over the batch.
    dpeepholes : (3, H) array or None

    Raises
    ------
    ValueError
        If the shape or dtype of dh_t or dc_t does not fit.

    Notes
    -----
    Derived in chapter 06_lstm.

    Examples
    --------
    >>> zeros = np.zeros((1, 1))
    >>> _, cache = lstm_step(zeros, zeros, zeros, np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4))
    >>> gradients = lstm_step_backward(zeros, np.array([[1.0]]), cache)
    >>> gradients[2].tolist()  # dc_prev = f dc_t
    [[0.5]]
    """
    x_t, h_prev, c_prev, c_t, i, f, g, o, W_x, W_h, peepholes, coupled = cache
    dh_t = expect_float("dh_t", dh_t, c_t.shape, dtype=c_t.dtype)
    dc_t = expect_float("dc_t", dc_t, c_t.shape, dtype=c_t.dtype)
    tanh_c = tanh(c_t)

    dz_o = dh_t * tanh_c * sigmoid_grad(o)
    dc = dc_t + dh_t * o * tanh_grad(tanh_c)
    if peepholes is not None:
        dc = dc + dz_o * peepholes[-1]
    di, df = dc * g, dc * c_prev
    dz_f = (df - di if coupled else df) * sigmoid_grad(f)
    dz_i = di * sigmoid_grad(i)
    dz_g = dc * i * tanh_grad(g)
    dc_prev = dc * f
    dpeepholes = None
    if peepholes is not None:
        dc_prev = dc_prev + dz_f * peepholes[-2]
        seen = [(dz_f * c_prev), (dz_o * c_t)]
        if not coupled:
            dc_prev = dc_prev + dz_i * peepholes[0]
            seen.insert(0, dz_i * c_prev)
        dpeepholes = np.stack([product.sum(axis=0) for product in seen])

    dz = np.concatenate([dz_f, dz_g, dz_o] if coupled else [dz_i, dz_f, dz_g, dz_o], axis=1)
    dx_t = dz @ W_x
    dh_prev = dz @ W_h
    return dx_t, dh_prev, dc_prev, dz.T @ x_t, dz.T @ h_prev, dz.sum(axis=0), dpeepholes


def gru_step(
    x_t: np.ndarray,
    h_prev: np.ndarray,
    W_x: np.ndarray,
    W_h: np.ndarray,
    b: np.ndarray,
    b_hn: np.ndarray | None = None,
    reset_after: bool = True,
) -> tuple[np.ndarray, tuple]:
    """One step of the gated recurrent unit, in either of its two conventions.

        r = σ(W_xr x_t + W_hr h_{t-1} + b_r)        how much of the past the candidate sees
        z = σ(W_xz x_t + W_hz h_{t-1} + b_z)        how much of the past is kept
        n = tanh(W_xn x_t + r (W_hn h_{t-1} + b_hn) + b_n)      reset after the product
        n = tanh(W_xn x_t + W_hn (r h_{t-1}) + b_n)             reset before it
        h_t = (1 - z) n + z h_{t-1}

    Parameters
    ----------
    x_t : (B, I) array
        The input at time t, one row a sequence.
    h_prev : (B, H) array
        The state before.
    W_x : (3H, I) array
        Rows in the order r, z, n; torch: weight_ih.
    W_h : (3H, H) array
        Rows in the same order; torch: weight_hh.
    b : (3H,) array
        For r and z torch's bias_ih + bias_hh, for n its bias_ih.
    b_hn : (H,) array, optional
        torch's bias_hh of n, inside the reset gate; only with the reset after.
    reset_after : bool, optional
        True as in torch and cuDNN; False as in the first paper.

    Returns
    -------
    h_t : (B, H) array
        The new state.
    cache : tuple
        What `gru_step_backward` needs.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, naming the argument, or if b_hn is given
        with the reset before the product.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder for
    statistical machine translation, 2014, equations 5 to 8.

    Notes
    -----
    Derived in chapter 07_gru.

    Examples
    --------
    >>> x_t, h_prev = np.zeros((1, 1)), np.array([[1.0]])
    >>> h_t, cache = gru_step(x_t, h_prev, np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3))
    >>> h_t.tolist()  # the gate z is half open: half of the past is kept
    [[0.5]]
    """
    x_t = expect_float("x_t", x_t, ("B", "I"))
    B, I = x_t.shape
    h_prev = expect_float("h_prev", h_prev, (B, "H"), dtype=x_t.dtype)
    H = h_prev.shape[1]
    W_x = expect_float("W_x", W_x, (3 * H, I), dtype=x_t.dtype)
    W_h = expect_float("W_h", W_h, (3 * H, H), dtype=x_t.dtype)
    b = expect_float("b", b, (3 * H,), dtype=x_t.dtype)
    if b_hn is not None and not reset_after:
        raise ValueError("b_hn stands inside the reset gate: with reset_after=False there is none")
    b_hn = np.zeros(H, x_t.dtype) if b_hn is None else expect_float("b_hn", b_hn, (H,), x_t.dtype)

    a_r, a_z, a_n = np.split(x_t @ W_x.T + b, 3, axis=1)  # (B, H) each
    W_hr, W_hz, W_hn = np.split(W_h, 3)  # (H, H) each
    r = sigmoid(a_r + h_prev @ W_hr.T)
    z = sigmoid(a_z + h_prev @ W_hz.T)
    if reset_after:
        past = h_prev @ W_hn.T + b_hn
        n = tanh(a_n + r * past)
    else:
        past = r * h_prev
        n = tanh(a_n + past @ W_hn.T)
    h_t = (1.0 - z) * n + z * h_prev
    return h_t, (x_t, h_prev, past, r, z, n, W_x, W_h, reset_after)


def gru_step_backward(dh_t: np.ndarray, cache: tuple) -> tuple[np.ndarray, ...]:
    """The way back through `gru_step`.

    Parameters
    ----------
    dh_t : (B, H) array
        Gradient of the loss by the new state.
    cache : tuple
        What `gru_step` returned.

    Returns
    -------
    dx_t : (B, I) array
    dh_prev : (B, H) array
        What flows on to time t - 1.
    dW_x : (3H, I) array
    dW_h : (3H, H) array
    db : (3H,) array
    db_hn : (H,) array
        This step's share of the parameters' gradients, summed over the batch; db_hn
        is zero with the reset before the product.

    Raises
    ------
    ValueError
        If the shape or dtype of dh_t does not fit.

    Notes
    -----
    Derived in chapter 07_gru.

    Examples
    --------
    >>> zeros = np.zeros((1, 1))
    >>> _, cache = gru_step(zeros, zeros, np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3))
    >>> gru_step_backward(np.array([[1.0]]), cache)[1].tolist()  # z dh_t
    [[0.5]]
    """
    x_t, h_prev, past, r, z, n, W_x, W_h, reset_after = cache
    dh_t = expect_float("dh_t", dh_t, h_prev.shape, dtype=h_prev.dtype)
    W_hr, W_hz, W_hn = np.split(W_h, 3)

    dz_z = dh_t * (h_prev - n) * sigmoid_grad(z)
    dz_n = dh_t * (1.0 - z) * tanh_grad(n)
    dh_prev = dh_t * z
    if reset_after:
        dpast = dz_n * r  # gradient by W_hn h_prev + b_hn
        dz_r = dz_n * past * sigmoid_grad(r)
        dh_prev = dh_prev + dpast @ W_hn
        dW_hn, db_hn = dpast.T @ h_prev, dpast.sum(axis=0)
    else:
        dpast = dz_n @ W_hn  # gradient by r h_prev
        dz_r = dpast * h_prev * sigmoid_grad(r)
        dh_prev = dh_prev + dpast * r
        dW_hn, db_hn = dz_n.T @ past, np.zeros_like(W_hn[0])
    dh_prev = dh_prev + dz_r @ W_hr + dz_z @ W_hz
    dz = np.concatenate([dz_r, dz_z, dz_n], axis=1)
    dW_h = np.concatenate([dz_r.T @ h_prev, dz_z.T @ h_prev, dW_hn])
    return dz @ W_x, dh_prev, dz.T @ x_t, dW_h, dz.sum(axis=0), db_hn


def gru_reset_before(
    W_x: np.ndarray, W_h: np.ndarray, b: np.ndarray, b_hn: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of a GRU with the reset after the product, for the one with the reset before it.

    Both compute the same if each unit of the candidate sees only its own past: then
    r (W_hn h) = W_hn (r h). So W_hn must be diagonal, and b_hn zero. In every other
    case the two are different functions, and no weights turn one into the other. The
    way back from before to after is the same arrays, under the same condition.

    Parameters
    ----------
    W_x : (3H, I) array
    W_h : (3H, H) array
    b : (3H,) array
    b_hn : (H,) array, optional
        As for `gru_step`.

    Returns
    -------
    W_x, W_h, b : arrays
        For ``gru_step(..., reset_after=False)``.

    Raises
    ------
    ValueError
        If there are no such weights.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder for
    statistical machine translation, 2014: reset before the product.

    Notes
    -----
    Derived in chapter 07_gru.

    Examples
    --------
    >>> gru_reset_before(np.ones((6, 1)), np.ones((6, 2)), np.zeros(6))
    Traceback (most recent call last):
    ...
    ValueError: W_h has a candidate part W_hn that is not diagonal: with the reset before \
the product no weights compute the same
    """
    W_x = expect_float("W_x", W_x, ("3H", "I"))
    H = W_x.shape[0] // 3
    W_h = expect_float("W_h", W_h, (3 * H, H), dtype=W_x.dtype)
    b = expect_float("b", b, (3 * H,), dtype=W_x.dtype)
    W_hn = W_h[2 * H :]
    if (W_hn != np.diag(np.diag(W_hn))).any():
        raise ValueError(
            "W_h has a candidate part W_hn that is not diagonal: with the reset before "
            "the product no weights compute the same"
        )
    if b_hn is not None and expect_float("b_hn", b_hn, (H,), dtype=W_x.dtype).any():
        raise ValueError(
            "b_hn is not zero, and stands inside the reset gate: with the reset before "
            "the product there is no such bias"
        )
    return W_x.copy(), W_h.copy(), b.copy()


class RNNCell(Module):
    """`rnn_step` with parameters of its own: the cell that `bptt.unroll` repeats over time.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    nonlinearity : {"tanh", "relu"}, optional
        The function f.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√H, as in torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    W_x : (H, I) Parameter
    W_h : (H, H) Parameter
    b : (H,) Parameter

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1, or the nonlinearity is another.

    Notes
    -----
    Derived in chapter 02_cell.

    Examples
    --------
    >>> cell = RNNCell(3, 4, seed=0)
    >>> h_t, cache = cell(np.ones((2, 3)), np.zeros((2, 4)))
    >>> h_t.shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        nonlinearity: str = "tanh",
        *,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        I = self.input_size = expect_positive("input_size", input_size)
        H = self.hidden_size = expect_positive("hidden_size", hidden_size)
        nonlinearity_pair(nonlinearity)
        self.nonlinearity = nonlinearity
        rng = as_rng(seed)
        bound = 1.0 / np.sqrt(H)
        self.W_x = Parameter(uniform((H, I), bound, rng, dtype))
        self.W_h = Parameter(uniform((H, H), bound, rng, dtype))
        self.b = Parameter(uniform((H,), bound, rng, dtype))

    def initial_state(self, batch_size: int) -> np.ndarray:
        """The state before the first step: nothing remembered.

        Parameters
        ----------
        batch_size : int

        Returns
        -------
        h_0 : (B, H) array of zeros
        """
        return np.zeros((batch_size, self.hidden_size), dtype=self.b.data.dtype)

    def forward(self, x_t: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, tuple]:
        """One step.

        Parameters
        ----------
        x_t : (B, I) array
        state : (B, H) array
            h_{t-1}.

        Returns
        -------
        state : (B, H) array
            h_t.
        cache : tuple
            For `backward`. The cell keeps nothing itself: it is used many times
            before the way back begins.
        """
        return rnn_step(x_t, state, self.W_x.data, self.W_h.data, self.b.data, self.nonlinearity)

    def backward(self, dstate: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
        """One step back; adds to the parameters' gradients.

        Parameters
        ----------
        dstate : (B, H) array
            Gradient of the loss by h_t.
        cache : tuple
            What `forward` returned at this step.

        Returns
        -------
        dx_t : (B, I) array
        dstate : (B, H) array
            Gradient of the loss by h_{t-1}.
        """
        dx_t, dh_prev, dW_x, dW_h, db = rnn_step_backward(dstate, cache)
        self.W_x.grad += dW_x
        self.W_h.grad += dW_h
        self.b.grad += db
        return dx_t, dh_prev


class LSTMCell(Module):
    """`lstm_step` with parameters of its own: a cell for `bptt.unroll`.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    peepholes : bool, optional
        Whether the gates see the memory.
    coupled : bool, optional
        Whether the input gate is 1 minus the forget gate.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√H, as in torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    W_x : (4H, I) Parameter
        3H rows if coupled; so for W_h and b.
    W_h : (4H, H) Parameter
    b : (4H,) Parameter
    p : (3, H) Parameter or None
        The peepholes; 2 rows if coupled.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    Notes
    -----
    Derived in chapter 06_lstm.

    Examples
    --------
    >>> cell = LSTMCell(3, 4, peepholes=True, seed=0)
    >>> (h_t, c_t), cache = cell(np.ones((2, 3)), cell.initial_state(2))
    >>> h_t.shape, c_t.shape, cell.p.shape
    ((2, 4), (2, 4), (3, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        peepholes: bool = False,
        coupled: bool = False,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        I = self.input_size = expect_positive("input_size", input_size)
        H = self.hidden_size = expect_positive("hidden_size", hidden_size)
        self.coupled = coupled
        rng, bound, G = as_rng(seed), 1.0 / np.sqrt(H), 3 if coupled else 4
        self.W_x = Parameter(uniform((G * H, I), bound, rng, dtype))
        self.W_h = Parameter(uniform((G * H, H), bound, rng, dtype))
        self.b = Parameter(uniform((G * H,), bound, rng, dtype))
        self.p = Parameter(uniform((G - 1, H), bound, rng, dtype)) if peepholes else None

    def initial_state(self, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        """The state before the first step: nothing shown, nothing remembered.

        Parameters
        ----------
        batch_size : int

        Returns
        -------
        h_0, c_0 : (B, H) array of zeros
        """
        zeros = np.zeros((batch_size, self.hidden_size), dtype=self.b.data.dtype)
        return zeros, zeros.copy()

    def forward(
        self, x_t: np.ndarray, state: tuple[np.ndarray, np.ndarray]
    ) -> tuple[tuple[np.ndarray, np.ndarray], tuple]:
        """One step.

        Parameters
        ----------
        x_t : (B, I) array
        state : pair of (B, H) arrays
            h_{t-1} and c_{t-1}.

        Returns
        -------
        state : pair of (B, H) arrays
            h_t and c_t.
        cache : tuple
            For `backward`.
        """
        p = None if self.p is None else self.p.data
        return lstm_step(x_t, *state, self.W_x.data, self.W_h.data, self.b.data, p, self.coupled)

    def backward(
        self, dstate: tuple[np.ndarray, np.ndarray], cache: tuple
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """One step back; adds to the parameters' gradients.

        Parameters
        ----------
        dstate : pair of (B, H) arrays
            Gradients of the loss by h_t and c_t.
        cache : tuple
            What `forward` returned at this step.

        Returns
        -------
        dx_t : (B, I) array
        dstate : pair of (B, H) arrays
            Gradients of the loss by h_{t-1} and c_{t-1}.
        """
        dx_t, dh_prev, dc_prev, dW_x, dW_h, db, dp = lstm_step_backward(*dstate, cache)
        self.W_x.grad += dW_x
        self.W_h.grad += dW_h
        self.b.grad += db
        if self.p is not None:
            self.p.grad += dp
        return dx_t, (dh_prev, dc_prev)


class GRUCell(Module):
    """`gru_step` with parameters of its own: a cell for `bptt.unroll`.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    reset_after : bool, optional
        True as in torch, False as in the first paper.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√H, as in torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    W_x : (3H, I) Parameter
    W_h : (3H, H) Parameter
    b : (3H,) Parameter
    b_hn : (H,) Parameter or None
        The candidate's bias inside the reset gate; None with the reset before.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    Notes
    -----
    Derived in chapter 07_gru.

    Examples
    --------
    >>> cell = GRUCell(3, 4, seed=0)
    >>> h_t, cache = cell(np.ones((2, 3)), cell.initial_state(2))
    >>> h_t.shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        reset_after: bool = True,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        I = self.input_size = expect_positive("input_size", input_size)
        H = self.hidden_size = expect_positive("hidden_size", hidden_size)
        self.reset_after = reset_after
        rng, bound = as_rng(seed), 1.0 / np.sqrt(H)
        self.W_x = Parameter(uniform((3 * H, I), bound, rng, dtype))
        self.W_h = Parameter(uniform((3 * H, H), bound, rng, dtype))
        self.b = Parameter(uniform((3 * H,), bound, rng, dtype))
        self.b_hn = Parameter(uniform((H,), bound, rng, dtype)) if reset_after else None

    def initial_state(self, batch_size: int) -> np.ndarray:
        """The state before the first step: nothing remembered.

        Parameters
        ----------
        batch_size : int

        Returns
        -------
        h_0 : (B, H) array of zeros
        """
        return np.zeros((batch_size, self.hidden_size), dtype=self.b.data.dtype)

    def forward(self, x_t: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, tuple]:
        """One step.

        Parameters
        ----------
        x_t : (B, I) array
        state : (B, H) array
            h_{t-1}.

        Returns
        -------
        state : (B, H) array
            h_t.
        cache : tuple
            For `backward`.
        """
        b_hn = None if self.b_hn is None else self.b_hn.data
        return gru_step(
            x_t, state, self.W_x.data, self.W_h.data, self.b.data, b_hn, self.reset_after
        )

    def backward(self, dstate: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
        """One step back; adds to the parameters' gradients.

        Parameters
        ----------
        dstate : (B, H) array
            Gradient of the loss by h_t.
        cache : tuple
            What `forward` returned at this step.

        Returns
        -------
        dx_t : (B, I) array
        dstate : (B, H) array
            Gradient of the loss by h_{t-1}.
        """
        dx_t, dh_prev, dW_x, dW_h, db, db_hn = gru_step_backward(dstate, cache)
        self.W_x.grad += dW_x
        self.W_h.grad += dW_h
        self.b.grad += db
        if self.b_hn is not None:
            self.b_hn.grad += db_hn
        return dx_t, dh_prev
