"""The activation functions f, which bend a layer's output, and their derivatives.

Each derivative is written in the *output* y = f(z), not in z: a network keeps y
anyway, so the backward pass needs to remember nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def tanh(z: Array) -> Array:
    """Compute the hyperbolic tangent, between -1 and 1. Derived in chapter 02_cell.

    Parameters
    ----------
    z : array, any shape

    Returns
    -------
    y : array, the shape of z

    Examples
    --------
    >>> tanh(np.array([0.0, 0.5])).round(4).tolist()
    [0.0, 0.4621]
    """
    return np.tanh(z)


def tanh_grad(y: Array) -> Array:
    """Differentiate tanh, from its output: 1 - y². Derived in chapter 02_cell.

    Parameters
    ----------
    y : array, any shape
        What `tanh` returned.

    Returns
    -------
    dy_dz : array, the shape of y

    Examples
    --------
    >>> tanh_grad(np.array([0.0, 0.5])).tolist()
    [1.0, 0.75]
    """
    return 1.0 - y * y


def relu(z: Array) -> Array:
    """Compute the rectified linear unit, max(z, 0). Derived in chapter 02_cell.

    Parameters
    ----------
    z : array, any shape

    Returns
    -------
    y : array, the shape of z

    Examples
    --------
    >>> relu(np.array([-2.0, 3.0])).tolist()
    [0.0, 3.0]
    """
    return np.maximum(z, 0.0)


def relu_grad(y: Array) -> Array:
    """Differentiate the ReLU, from its output. Derived in chapter 02_cell.

    1 where y > 0, else 0, also at 0, as in torch.

    Parameters
    ----------
    y : array, any shape
        What `relu` returned.

    Returns
    -------
    dy_dz : array, the shape and dtype of y

    Examples
    --------
    >>> relu_grad(np.array([0.0, 3.0])).tolist()
    [0.0, 1.0]
    """
    return (y > 0).astype(y.dtype)


def sigmoid(z: Array) -> Array:
    """Compute the logistic function, y = 1 / (1 + e^-z), between 0 and 1.

    Written as ½ tanh(½ z) + ½, which cannot overflow. Its error is absolute
    (about one unit of rounding), not relative: right for gates, too coarse for
    the logarithm of a tiny probability, where a loss works on z itself.

    Parameters
    ----------
    z : array, any shape

    Returns
    -------
    y : array, the shape of z

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return 0.5 * np.tanh(0.5 * z) + 0.5


def sigmoid_grad(y: Array) -> Array:
    """Differentiate the sigmoid, from its output: y (1 - y).

    Parameters
    ----------
    y : array, any shape
        What `sigmoid` returned.

    Returns
    -------
    dy_dz : array, the shape of y

    Examples
    --------
    >>> sigmoid_grad(np.array([0.5])).tolist()
    [0.25]
    """
    return y * (1.0 - y)


def softmax(logits: Array) -> Array:
    """Turn scores into probabilities along the last axis. Derived in chapter 01_storybook.

    e^{s_k} / Σ_j e^{s_j}

    Parameters
    ----------
    logits : (..., K) array

    Returns
    -------
    probabilities : (..., K) array
        Each row adds up to 1.

    Examples
    --------
    >>> softmax(np.array([0.0, np.log(3.0)])).round(2).tolist()
    [0.25, 0.75]
    """
    return np.exp(log_softmax(logits))


def log_softmax(logits: Array) -> Array:
    """Compute the logarithm of `softmax` without overflow. Derived in chapter 01_storybook.

    The largest score is subtracted first: softmax does not change when all
    scores move together, and e^s can no longer overflow.

    Parameters
    ----------
    logits : (..., K) array

    Returns
    -------
    log_probabilities : (..., K) array, natural logarithm

    Examples
    --------
    >>> log_softmax(np.array([1000.0, 1000.0])).round(4).tolist()
    [-0.6931, -0.6931]
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a row of -inf alone is answered with NaN
        shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


# The two functions that the formula h_t = f(W_x x_t + W_h h_{t-1} + b) allows for f.
NONLINEARITIES: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (tanh, tanh_grad),
    "relu": (relu, relu_grad),
}


def nonlinearity_pair(name: str) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """The function f of this name, and its derivative from the output."""
    if name not in NONLINEARITIES:
        raise ValueError(f"nonlinearity must be 'tanh' or 'relu', got {name!r}")
    return NONLINEARITIES[name]
