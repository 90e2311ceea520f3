"""What the weights are before the first update.

Every function draws from the generator it is given, so that a seed decides the
network and nothing else does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .validation import expect_positive


def uniform(
    shape: tuple[int, ...], bound: float, rng: np.random.Generator, dtype: Any = np.float64
) -> np.ndarray:
    """Draw numbers spread evenly over [-bound, bound). Derived in chapter 02_cell.

    torch draws a recurrent layer's weights and biases with bound 1/√H and a
    linear layer's with 1/√I.

    Parameters
    ----------
    shape : tuple of int
    bound : float
    rng : numpy.random.Generator
    dtype : dtype, optional
        float32 or float64.

    Returns
    -------
    weights : array of this shape

    Examples
    --------
    >>> weights = uniform((2, 3), 0.5, np.random.default_rng(0))
    >>> bool((abs(weights) <= 0.5).all())
    True
    """
    return rng.uniform(-bound, bound, shape).astype(dtype)


def glorot_uniform(
    shape: tuple[int, int], rng: np.random.Generator, dtype: Any = np.float64
) -> np.ndarray:
    """Draw weights that let variances neither grow nor shrink.

    Uniform with bound √(6 / (fan_in + fan_out)).

    Parameters
    ----------
    shape : (fan_out, fan_in)
    rng : numpy.random.Generator
    dtype : dtype, optional
        float32 or float64.

    Returns
    -------
    weights : (fan_out, fan_in) array

    References
    ----------
    Glorot and Bengio, Understanding the difficulty of training deep feedforward
    neural networks, AISTATS 2010, equation 16.

    Examples
    --------
    >>> weights = glorot_uniform((2, 4), np.random.default_rng(0))
    >>> bool((abs(weights) <= 1.0).all())
    True
    """
    fan_out, fan_in = shape
    return uniform(shape, float(np.sqrt(6.0 / (fan_in + fan_out))), rng, dtype)


def orthogonal(
    shape: tuple[int, int], rng: np.random.Generator, gain: float = 1.0, dtype: Any = np.float64
) -> np.ndarray:
    """Draw a matrix with orthonormal rows, or columns if there are fewer, times `gain`.

    A square one turns a vector without changing its length, so that a linear
    recurrence through it neither fades nor grows.

    Parameters
    ----------
    shape : (rows, columns)
    rng : numpy.random.Generator
    gain : float, optional
    dtype : dtype, optional
        float32 or float64.

    Returns
    -------
    weights : (rows, columns) array

    References
    ----------
    Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks, ICLR 2014.

    Examples
    --------
    >>> Q = orthogonal((3, 3), np.random.default_rng(0))
    >>> bool(np.allclose(Q @ Q.T, np.eye(3)))
    True
    """
    rows, columns = shape
    normal = rng.standard_normal((max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(normal)
    # qr fixes the signs by its own convention; giving them back makes the draw uniform
    Q = Q * np.sign(np.diag(R))
    return (gain * (Q if rows >= columns else Q.T)).astype(dtype)


def identity(size: int, gain: float = 1.0, dtype: Any = np.float64) -> np.ndarray:
    """Make `gain` times the identity: at the start, each unit just keeps what it holds.

    Parameters
    ----------
    size : int
    gain : float, optional
    dtype : dtype, optional
        float32 or float64.

    Returns
    -------
    weights : (size, size) array

    References
    ----------
    Le, Jaitly and Hinton, A simple way to initialize recurrent networks of
    rectified linear units, 2015.

    Examples
    --------
    >>> identity(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return (gain * np.eye(expect_positive("size", size))).astype(dtype)
