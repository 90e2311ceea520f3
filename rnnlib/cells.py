"""One time step, in the symbols of the formula.

    z_t = W_x x_t + W_h h_{t-1} + b
    h_t = f(z_t)

Written to be read beside the equations: slow, clear, and the truth that the fast
layers are tested against. A row of x_t is one sequence of the batch, so that
"W_x x_t" stands as `x_t @ W_x.T`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import nonlinearity_pair
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
