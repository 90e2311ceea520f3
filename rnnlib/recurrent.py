"""Recurrent layers over whole sequences, with torch's arguments and names."""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import nonlinearity_pair
from .initializers import uniform
from .kernels import rnn_backward, rnn_forward
from .module import Module, Parameter
from .validation import as_rng, expect_float, expect_positive


class RNN(Module):
    """The vanilla recurrent network over a sequence, h_t = f(W_x x_t + W_h h_{t-1} + b).

    Its parameters have torch's names and shapes, so that a `state_dict` moves
    between this layer and ``torch.nn.RNN`` unchanged, both ways.

    Parameters
    ----------
    input_size : int
        Size I of the input at each time step.
    hidden_size : int
        Size H of the state.
    nonlinearity : {"tanh", "relu"}, optional
        The function f.
    bias : bool, optional
        Whether there is a b.
    batch_first : bool, optional
        If true, sequences are (B, T, I) and (B, T, H); states stay (1, B, H).
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√H, as in torch.
    dtype : dtype, optional
        float64 or float32. Inputs must have the same.

    Attributes
    ----------
    weight_ih_l0 : (H, I) Parameter
        W_x of the formula.
    weight_hh_l0 : (H, H) Parameter
        W_h of the formula.
    bias_ih_l0, bias_hh_l0 : (H,) Parameter
        torch keeps two biases; b of the formula is their sum.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1, or the nonlinearity is another.

    References
    ----------
    Elman, Finding structure in time, Cognitive Science 14, 1990.

    Notes
    -----
    Derived in chapter 02_cell.

    A NaN in the input makes that sequence's states NaN from there on, and no
    other sequence's of the batch.

    Examples
    --------
    >>> rnn = RNN(3, 4, seed=0)
    >>> y, h_n = rnn(np.ones((5, 2, 3)))
    >>> y.shape, h_n.shape, bool((y[-1] == h_n[0]).all())
    ((5, 2, 4), (1, 2, 4), True)
    >>> dx, dh_0 = rnn.backward(np.ones_like(y))
    >>> dx.shape, rnn.weight_hh_l0.grad.shape
    ((5, 2, 3), (4, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        I = self.input_size = expect_positive("input_size", input_size)
        H = self.hidden_size = expect_positive("hidden_size", hidden_size)
        nonlinearity_pair(nonlinearity)
        self.nonlinearity = nonlinearity
        self.batch_first = batch_first
        rng = as_rng(seed)
        bound = 1.0 / np.sqrt(H)
        self.weight_ih_l0 = Parameter(uniform((H, I), bound, rng, dtype))
        self.weight_hh_l0 = Parameter(uniform((H, H), bound, rng, dtype))
        self.bias_ih_l0 = Parameter(uniform((H,), bound, rng, dtype)) if bias else None
        self.bias_hh_l0 = Parameter(uniform((H,), bound, rng, dtype)) if bias else None

    @property
    def W_x(self) -> np.ndarray:
        """(H, I) array: the formula's W_x, the very array of weight_ih_l0."""
        return self.weight_ih_l0.data

    @property
    def W_h(self) -> np.ndarray:
        """(H, H) array: the formula's W_h, the very array of weight_hh_l0."""
        return self.weight_hh_l0.data

    @property
    def b(self) -> np.ndarray:
        """(H,) array: the formula's b, the sum of torch's two biases; zero without bias."""
        if self.bias_ih_l0 is None or self.bias_hh_l0 is None:
            return np.zeros(self.hidden_size, dtype=self.W_h.dtype)
        return self.bias_ih_l0.data + self.bias_hh_l0.data

    def forward(
        self, x: np.ndarray, h_0: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The state after every step, and after the last.

        Parameters
        ----------
        x : (T, B, I) array
            Time first; (B, T, I) with ``batch_first``. T and B may be 0.
        h_0 : (1, B, H) array, optional
            The state before the first step; zero if left out.

        Returns
        -------
        y : (T, B, H) array
            The state after every step, read-only: the way back still needs it.
        h_n : (1, B, H) array
            The state after the last step; h_0 if T = 0.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, naming the argument.
        """
        batch_first = self.batch_first
        dtype = self.W_x.dtype
        x = expect_float(
            "x",
            x,
            ("B", "T", self.input_size) if batch_first else ("T", "B", self.input_size),
            dtype,
        )
        if batch_first:
            x = x.swapaxes(0, 1)
        state_shape = (1, x.shape[1], self.hidden_size)
        if h_0 is None:
            h_0 = np.zeros(state_shape, dtype)
        h_0 = expect_float("h_0", h_0, state_shape, dtype)

        h = rnn_forward(x, h_0[0], self.W_x, self.W_h, self.b, self.nonlinearity)
        self.remember((x, h))
        y = h[1:].swapaxes(0, 1) if batch_first else h[1:]
        y.flags.writeable = False
        return y, h[-1:].copy()

    def backward(
        self, dy: np.ndarray, dh_n: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Backpropagation through time: adds to the parameters' gradients.

        Parameters
        ----------
        dy : (T, B, H) array
            Gradient of the loss by the output y; (B, T, H) with ``batch_first``.
        dh_n : (1, B, H) array, optional
            Gradient of the loss by the final state; zero if left out.

        Returns
        -------
        dx : array, the shape of x
            Gradient of the loss by the input.
        dh_0 : (1, B, H) array
            Gradient of the loss by the initial state.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, naming the argument.
        RuntimeError
            If there was no forward pass to walk back.
        """
        x, h = self.recall()
        T, B, _ = x.shape
        H = self.hidden_size
        batch_first = self.batch_first
        dy = expect_float("dy", dy, (B, T, H) if batch_first else (T, B, H), x.dtype)
        if batch_first:
            dy = dy.swapaxes(0, 1)
        dh_last = np.zeros((B, H), x.dtype)
        if dh_n is not None:
            dh_last = expect_float("dh_n", dh_n, (1, B, H), x.dtype)[0]

        dx, dh_0, dW_x, dW_h, db = rnn_backward(
            dy, dh_last, x, h, self.W_x, self.W_h, self.nonlinearity
        )
        self.weight_ih_l0.grad += dW_x
        self.weight_hh_l0.grad += dW_h
        for bias in (self.bias_ih_l0, self.bias_hh_l0):
            if bias is not None:
                bias.grad += db
        return dx.swapaxes(0, 1) if batch_first else dx, dh_0[None]
