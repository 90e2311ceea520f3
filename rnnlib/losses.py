"""What training makes small. Each loss returns its value and its gradient together.

What does not count, labels to ignore and entries outside a mask, changes nothing:
whatever stands there, NaN too, the loss is the same and the gradient is zero. A NaN
that counts is not hidden: it makes the loss NaN, and what is too large makes it infinite,
without a warning.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import log_softmax
from .validation import expect_float, expect_index, expect_shape

_quiet = np.errstate(over="ignore", invalid="ignore")


@_quiet
def cross_entropy(
    logits: np.ndarray,
    targets: np.ndarray,
    ignore_index: int = -100,
    weight: np.ndarray | None = None,
    label_smoothing: float = 0.0,
) -> tuple[float, np.ndarray]:
    """Take the mean surprise at the right answers, in nats. Derived in chapter 01_storybook.

        - Σ_k w_k q_k log softmax(logits)_k        q = (1 - ε) one-hot(target) + ε / K

    Without weights w and smoothing ε it is -log softmax(logits)[target].

    Parameters
    ----------
    logits : (..., K) array
        Scores before the softmax. The classes are the last axis, not the second as in
        torch; where K and T are the same, nothing can tell the two apart.
    targets : (...) integer array
        The right class of each, in 0 … K - 1.
    ignore_index : int, optional
        Targets with this value do not count, as for padding; torch's default.
    weight : (K,) array, optional
        w, what each class counts for: the dtype of the logits.
    label_smoothing : float, optional
        ε, in 0 … 1: the share of each answer that is spread over all classes.

    Returns
    -------
    loss : float
        Mean over the targets that count, each as often as its class counts for; natural
        logarithm.
    dlogits : (..., K) array
        Gradient of the loss with respect to the logits: softmax - one-hot(target), divided
        by the number of targets that count.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if a target lies outside, or if no target counts.

    References
    ----------
    Smoothing: Szegedy et al., Rethinking the inception architecture for computer vision,
    CVPR 2016, section 7.

    Examples
    --------
    >>> loss, dlogits = cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 4), dlogits.tolist()
    (0.6931, [[-0.5, 0.5]])
    """
    logits = expect_float("logits", logits, ("...", "K"))
    targets = np.asarray(targets)
    if targets.shape == (*logits.shape[:1], *logits.shape[2:]) != logits.shape[:-1]:
        raise ValueError(
            f"logits has shape {logits.shape} and targets {targets.shape}, as in torch; here the "
            "classes are the last axis: np.moveaxis(logits, 1, -1)"
        )
    if targets.dtype.kind == "f":
        raise ValueError(
            f"targets has dtype {targets.dtype}, but integers are needed: the number of the right "
            "class, not a probability for each"
        )
    expect_shape("targets", targets, logits.shape[:-1])
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"label_smoothing must lie in 0 … 1, got {label_smoothing}")
    counts = targets != ignore_index
    K = logits.shape[-1]
    rows, right = logits[counts], expect_index("targets", targets[counts], size=K)
    w = np.ones(K, logits.dtype)
    if weight is not None:
        w = expect_float("weight", weight, (K,), dtype=logits.dtype)
    total = w[right].sum()
    if total == 0:
        raise ValueError("targets holds no label that counts, so there is no mean loss")
    wq = np.full_like(rows, label_smoothing / K)
    wq[np.arange(len(right)), right] += 1.0 - label_smoothing
    wq *= w
    log_p = log_softmax(rows)
    loss = -float(np.where(wq == 0, 0, wq * log_p).sum() / total)
    dlogits = np.zeros_like(logits)
    dlogits[counts] = (np.exp(log_p) * wq.sum(axis=-1, keepdims=True) - wq) / total
    return loss, dlogits


@_quiet
def mse(
    predictions: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Take the mean squared error, of (prediction - target)². Derived in chapter 12_forecasting.

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
        Gradient of the loss with respect to the predictions: 2 (prediction - target),
        divided by the number of entries that count.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, or if no entry counts.

    Examples
    --------
    >>> loss, dpredictions = mse(np.array([1.0, 5.0]), np.array([3.0, 5.0]))
    >>> loss, dpredictions.tolist()
    (2.0, [-2.0, 0.0])
    """
    predictions = expect_float("predictions", predictions, ("...",))
    targets = expect_float("targets", targets, predictions.shape, dtype=predictions.dtype)
    axes = predictions.ndim if mask is None else np.ndim(mask)
    counts = _expect_mask(mask, predictions.shape[: axes or predictions.ndim])
    difference = predictions[counts] - targets[counts]
    n = _expect_some("predictions", difference.size)
    dpredictions = np.zeros_like(predictions)
    dpredictions[counts] = 2.0 * difference / n
    return float((difference**2).mean()), dpredictions


@_quiet
def quantile_loss(
    predictions: np.ndarray, targets: np.ndarray, quantiles: Any, mask: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Charge q for each unit too low, 1 - q for each too high. Derived in chapter 12_forecasting.

        ρ_q(d) = q d  where d ≥ 0,  (q - 1) d  where d < 0        d = target - prediction

    What makes it smallest is the q-quantile: the number below which a share q of the
    targets lies. For q = ½ it is half the absolute error, and the median.

    Parameters
    ----------
    predictions : (..., Q) array
        A prediction for each quantile.
    targets : (...) array
        What happened: the dtype of the predictions.
    quantiles : (Q,) array
        q of each, in 0 … 1 (both excluded).
    mask : (...) boolean array, optional
        True where a target counts; all count if left out.

    Returns
    -------
    loss : float
        Mean over the quantiles and the targets that count, in the targets' unit.
    dpredictions : (..., Q) array
        Gradient of the loss with respect to the predictions: -q or 1 - q, divided by the
        number of predictions that count.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if a quantile lies outside, or if no target counts.

    References
    ----------
    Koenker and Bassett, Regression quantiles, Econometrica 46, 1978.

    Examples
    --------
    >>> loss, dpredictions = quantile_loss(np.array([[4.0, 6.0]]), np.array([5.0]), [0.1, 0.9])
    >>> round(loss, 4), dpredictions.round(4).tolist()  # the target lies inside, by one unit
    (0.1, [[-0.05, 0.05]])
    """
    q = np.asarray(quantiles, float)
    expect_shape("quantiles", q, ("Q",))
    if not ((q > 0.0) & (q < 1.0)).all():
        raise ValueError(f"quantiles must lie in 0 … 1 (both excluded), got {q.tolist()}")
    predictions = expect_float("predictions", predictions, ("...", len(q)))
    targets = expect_float("targets", targets, predictions.shape[:-1], dtype=predictions.dtype)
    counts = _expect_mask(mask, targets.shape)
    d = targets[counts][:, None] - predictions[counts]
    n = _expect_some("predictions", d.size)
    slope = np.where(d < 0.0, q - 1.0, q).astype(d.dtype)
    dpredictions = np.zeros_like(predictions)
    dpredictions[counts] = -slope / n
    return float((slope * d).mean()), dpredictions


@_quiet
def bernoulli_nll(
    logits: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Take the mean surprise at frames of many yes-or-no answers. Derived in chapter 13_music.

        -log p(frame) = Σ_k  v_k log(1 + e^{-s_k}) + (1 - v_k) log(1 + e^{s_k})

    for scores s and answers v, such as the notes that sound: each is a coin of its own
    with probability σ(s_k), and the surprises of one frame add up. Both logarithms are
    taken of the score itself, never of a probability that has been rounded to 0 or 1.

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
        Gradient of the loss with respect to the logits: σ(s) - v, divided by the number
        of frames that count.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if a target that counts lies outside 0 … 1, or
        if no frame counts.

    References
    ----------
    Boulanger-Lewandowski, Bengio and Vincent, Modeling temporal dependencies in
    high-dimensional sequences, ICML 2012.

    Examples
    --------
    >>> loss, dlogits = bernoulli_nll(np.array([[0.0, 0.0, 800.0]]), np.array([[1.0, 0.0, 1.0]]))
    >>> round(loss, 4), dlogits.tolist()  # 2 log 2, and nothing for a sure right answer
    (1.3863, [[-0.5, 0.5, 0.0]])
    """
    logits = expect_float("logits", logits, ("...", "K"))
    targets = expect_float("targets", targets, logits.shape, dtype=logits.dtype)
    counts = _expect_mask(mask, logits.shape[:-1])
    s, v = logits[counts], targets[counts]
    inside = (v >= 0.0) & (v <= 1.0)
    if not inside.all():
        raise ValueError(f"targets must lie in 0 … 1, but holds {v[~inside][0]}")
    n = _expect_some("logits", len(s))
    tail = np.log1p(np.exp(-abs(s)))
    surprise_1, surprise_0 = np.maximum(-s, 0.0) + tail, np.maximum(s, 0.0) + tail
    # an infinite surprise at an answer of probability 0 adds nothing
    surprise = np.where(v == 0, 0, v * surprise_1) + np.where(v == 1, 0, (1.0 - v) * surprise_0)
    loss = float(surprise.sum() / n)
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


def _expect_some(name: str, n: int) -> int:
    """`n`, or a ValueError if nothing counts."""
    if n == 0:
        raise ValueError(f"{name} holds no entry that counts, so there is no mean loss")
    return n
