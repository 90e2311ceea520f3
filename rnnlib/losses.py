"""What training makes small. Each loss returns its value and its gradient together.

What does not count, labels to ignore and entries outside a mask, changes nothing:
whatever stands there, NaN too, the loss is the same and the gradient is zero. A NaN
that counts is not hidden: it makes the loss NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import log_softmax
from .validation import expect_float, expect_index, expect_shape


def cross_entropy(
    logits: np.ndarray, targets: np.ndarray, ignore_index: int = -100
) -> tuple[float, np.ndarray]:
    """Mean surprise at the right answers, -log softmax(logits)[target], in nats.

    Parameters
    ----------
    logits : (..., K) array
        Scores before the softmax.
    targets : (...) integer array
        The right class of each, in 0 … K - 1.
    ignore_index : int, optional
        Targets with this value do not count, as for padding; torch's default.

    Returns
    -------
    loss : float
        Mean over the targets that count; natural logarithm.
    dlogits : (..., K) array
        Gradient of the loss: softmax minus one at the right class, divided by
        the number of targets that count.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if a target lies outside, or if no target counts.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> loss, dlogits = cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 4), dlogits.tolist()
    (0.6931, [[-0.5, 0.5]])
    """
    logits = expect_float("logits", logits, (*np.shape(logits)[:-1], "K"))
    targets = np.asarray(targets)
    expect_shape("targets", targets, logits.shape[:-1])
    counts = targets != ignore_index
    K = logits.shape[-1]
    rows, right = logits[counts], expect_index("targets", targets[counts], size=K)
    n = len(right)
    if n == 0:
        raise ValueError("targets holds no label that counts, so there is no mean loss")
    log_p = log_softmax(rows)
    loss = -float(log_p[np.arange(n), right].mean())
    drows = np.exp(log_p)
    drows[np.arange(n), right] -= 1.0
    dlogits = np.zeros_like(logits)
    dlogits[counts] = drows / n
    return loss, dlogits


def mse(
    predictions: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Mean squared error, the mean of (prediction - target)².

    Parameters
    ----------
    predictions : (...) array
    targets : (...) array
        What was to be predicted: the shape and dtype of the predictions.
    mask : boolean array, optional
        True where an entry counts: the shape of the predictions, or of their first
        axes, as (T, B) for predictions (T, B, K). All count if left out.

    Returns
    -------
    loss : float
        Mean over the entries that count, in the square of the targets' unit.
    dpredictions : (...) array
        Gradient of the loss: 2 (prediction - target), divided by the number of
        entries that count.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, or if no entry counts.

    Notes
    -----
    Derived in chapter 12_forecasting.

    Examples
    --------
    >>> loss, dpredictions = mse(np.array([1.0, 5.0]), np.array([3.0, 5.0]))
    >>> loss, dpredictions.tolist()
    (2.0, [-2.0, 0.0])
    """
    predictions = expect_float("predictions", predictions, np.shape(predictions))
    targets = expect_float("targets", targets, predictions.shape, dtype=predictions.dtype)
    axes = predictions.ndim if mask is None else np.ndim(mask)
    counts = _expect_mask(mask, predictions.shape[: axes or predictions.ndim])
    difference = predictions[counts] - targets[counts]
    n = difference.size
    if n == 0:
        raise ValueError("predictions holds no entry that counts, so there is no mean loss")
    dpredictions = np.zeros_like(predictions)
    dpredictions[counts] = 2.0 * difference / n
    return float((difference**2).mean()), dpredictions


def bernoulli_nll(
    logits: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Mean surprise at frames of many yes-or-no answers, such as the notes that sound.

        -log p(frame) = Σ_k  v_k log(1 + e^{-s_k}) + (1 - v_k) log(1 + e^{s_k})

    for scores s and answers v: each note is a coin of its own with probability σ(s_k),
    and the surprises of one frame add up. Both logarithms are taken of the score
    itself, never of a probability that has been rounded to 0 or 1.

    Parameters
    ----------
    logits : (..., K) array
        Scores before the sigmoid, K answers a frame.
    targets : (..., K) array
        The right answers, 0 or 1, or a probability between: the dtype of the logits.
    mask : (...) boolean array, optional
        True where a frame counts; all count if left out.

    Returns
    -------
    loss : float
        Summed over the K answers, mean over the frames that count; natural logarithm.
    dlogits : (..., K) array
        Gradient of the loss: σ(s) - v, divided by the number of frames that count.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if a target that counts lies outside 0 … 1, or
        if no frame counts.

    References
    ----------
    Boulanger-Lewandowski, Bengio and Vincent, Modeling temporal dependencies in
    high-dimensional sequences, ICML 2012.

    Notes
    -----
    Derived in chapter 13_music.

    Examples
    --------
    >>> loss, dlogits = bernoulli_nll(np.array([[0.0, 0.0, 800.0]]), np.array([[1.0, 0.0, 1.0]]))
    >>> round(loss, 4), dlogits.tolist()  # 2 log 2, and nothing for a sure right answer
    (1.3863, [[-0.5, 0.5, 0.0]])
    """
    logits = expect_float("logits", logits, (*np.shape(logits)[:-1], "K"))
    targets = expect_float("targets", targets, logits.shape, dtype=logits.dtype)
    counts = _expect_mask(mask, logits.shape[:-1])
    s, v = logits[counts], targets[counts]
    inside = (v >= 0.0) & (v <= 1.0)
    if not inside.all():
        raise ValueError(f"targets must lie in 0 … 1, but holds {v[~inside][0]}")
    n = len(s)
    if n == 0:
        raise ValueError("logits holds no frame that counts, so there is no mean loss")
    tail = np.log1p(np.exp(-abs(s)))
    surprise_1, surprise_0 = np.maximum(-s, 0.0) + tail, np.maximum(s, 0.0) + tail
    loss = float((v * surprise_1 + (1.0 - v) * surprise_0).sum() / n)
    dlogits = np.zeros_like(logits)
    dlogits[counts] = ((1.0 - v) * np.exp(-surprise_1) - v * np.exp(-surprise_0)) / n
    return loss, dlogits


def _expect_mask(mask: Any, shape: tuple[int, ...]) -> np.ndarray:
    """`mask` as a boolean array of this shape; True everywhere if there is none."""
    mask = np.ones(shape, dtype=bool) if mask is None else np.asarray(mask)
    if mask.dtype != np.bool_:
        raise ValueError(f"mask has dtype {mask.dtype}, but bool is needed")
    expect_shape("mask", mask, shape)
    return mask
