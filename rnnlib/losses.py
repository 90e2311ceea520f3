"""What training makes small. Each loss returns its value and its gradient together."""

from __future__ import annotations

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
