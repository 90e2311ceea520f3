"""Connectionist temporal classification: labels without their places in time.

A path says one class for every frame, some of them the blank (written -). Strike out
repeats, then blanks, and labels are left:

    - c c - a a t    →    c a t

The probability of labels is that of all their paths together. There are far too many
to list, but not to sum: a path walks through the labels with blanks between them,

    z  =  - c - a - t -        U labels, N = 2U + 1 states

and from one frame to the next it stays, goes one state on, or goes two on, past the
blank between different labels. So the sum goes frame by frame: `_forward` (α) adds up
all ways that lead to a state, `_backward` (β) all ways on from it to the end, and α β
is the probability of all paths through the state at that frame.

Everything is kept as a logarithm, since a product over hundreds of frames would leave
the range of floats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import log_softmax
from .validation import expect_float, expect_index, expect_lengths, expect_shape

IMPOSSIBLE = -np.inf  # the logarithm of probability 0


def ctc(
    logits: np.ndarray,
    targets: np.ndarray,
    input_lengths: Any = None,
    target_lengths: Any = None,
    blank: int = 0,
) -> tuple[float, np.ndarray]:
    """Mean surprise at the right labels, -log p(labels | x), wherever in time they are.

    Parameters
    ----------
    logits : (T, B, K) array
        Scores before the softmax, of K classes with the blank among them.
    targets : (B, U) integer array
        The right labels of each sequence, padded to the longest.
    input_lengths : (B,) integer array, optional
        Frames of each sequence that count; all T if left out.
    target_lengths : (B,) integer array, optional
        Labels of each sequence that count, in 0 … U; all U if left out.
    blank : int, optional
        The class that stands for no label.

    Returns
    -------
    loss : float
        Mean over the B sequences; natural logarithm.
    dlogits : (T, B, K) array
        Gradient of the loss: at each frame softmax minus the share of the right paths
        that pass through each class there, divided by B. Zero behind input_lengths.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if a length or label lies outside, if a label is
        the blank, if a sequence has too few frames for its labels, or if there is none.

    References
    ----------
    Graves, Fernández, Gomez and Schmidhuber, Connectionist temporal classification,
    ICML 2006, equation 6 (α); Graves, Supervised sequence labelling with recurrent
    neural networks, 2012, equations 7.12 (β, which leaves out its own frame), 7.26
    (the probability) and 7.34 (the gradient).

    Notes
    -----
    Derived in chapter 11_speech.

    U labels need at least U frames, and one more for each label that repeats the one
    before it, where a blank must stand between: fewer are refused, since no output of
    the network could be right.

    What lies behind the lengths changes nothing. A NaN among the frames that count
    makes the loss NaN, and a score of -inf on every right path makes it infinite; the
    gradient of that sequence is then NaN.

    Sums run in float64 whatever the dtype of the logits. In torch the same loss is
    ``ctc_loss(log_softmax(logits), …, reduction="sum") / B``; its own default, "mean",
    also divides each sequence by the number of its labels.

    Examples
    --------
    >>> logits = np.zeros((2, 1, 3))  # two frames, nine equally likely paths
    >>> loss, dlogits = ctc(logits, np.array([[1]]))
    >>> round(float(np.exp(-loss)), 4)  # three of them say label 1: 11, -1, 1-
    0.3333
    >>> dlogits[0, 0].round(4).tolist()
    [0.0, -0.3333, 0.3333]
    """
    logits = expect_float("logits", logits, ("T", "B", "K"))
    T, B, K = logits.shape
    blank = int(expect_index("blank", blank, size=K))
    frames, n_labels, labels = _expect_labels(
        targets, input_lengths, target_lengths, T, B, K, blank
    )
    if B == 0:
        raise ValueError("logits holds no sequence, so there is no mean loss")

    counts = np.arange(T)[:, None] < frames  # (T, B)
    log_y = log_softmax(np.where(counts[..., None], logits, 0.0).astype(np.float64))
    z = np.full((B, 2 * labels.shape[1] + 1), blank)  # (B, N)
    z[:, 1::2] = labels
    log_y_z = np.take_along_axis(log_y, z[None], axis=2)  # (T, B, N)
    skips = np.zeros(z.shape, dtype=bool)  # may state n be entered from n - 2?
    skips[:, 2:] = z[:, 2:] != z[:, :-2]  # never a blank: two states before it is another

    with np.errstate(invalid="ignore"):  # NaN, and no path at all, are answered with NaN
        log_alpha = _forward(log_y_z, skips)
        log_beta = _backward(log_y_z, skips, frames, n_labels)
        log_paths = log_alpha + log_beta  # (T, B, N)
        log_p = np.logaddexp.reduce(log_paths[0], axis=-1)  # (B,), at t = 0 as at any frame
        shares = np.exp(log_paths - log_p[:, None])
    dlogits = np.exp(log_y)
    np.subtract.at(dlogits, (np.arange(T)[:, None, None], np.arange(B)[:, None], z), shares)
    dlogits[~counts] = 0.0
    return -float(log_p.mean()), (dlogits / B).astype(logits.dtype)


def _forward(log_y_z: np.ndarray, skips: np.ndarray) -> np.ndarray:
    """log α (T, B, N): all ways that lead to a state, this frame's own class included."""
    log_alpha = np.full(log_y_z.shape, IMPOSSIBLE)
    log_alpha[0, :, :2] = log_y_z[0, :, :2]  # begin with the blank or the first label
    for t in range(1, len(log_y_z)):
        before, now = log_alpha[t - 1], log_alpha[t]
        now[:] = before  # stay
        now[:, 1:] = np.logaddexp(now[:, 1:], before[:, :-1])  # one on
        two_on = np.where(skips[:, 2:], before[:, :-2], IMPOSSIBLE)
        now[:, 2:] = np.logaddexp(now[:, 2:], two_on)
        now += log_y_z[t]
    return log_alpha


def _backward(
    log_y_z: np.ndarray, skips: np.ndarray, frames: np.ndarray, n_labels: np.ndarray
) -> np.ndarray:
    """log β (T, B, N): all ways on from a state to the end, this frame's class left out."""
    T, _, N = log_y_z.shape
    last_blank = 2 * n_labels[:, None]
    states = np.arange(N)
    is_last = (states == last_blank) | (states == last_blank - 1)
    log_last = np.where(is_last, 0.0, IMPOSSIBLE)  # end with the last label or the blank
    log_beta = np.full(log_y_z.shape, IMPOSSIBLE)
    for t in reversed(range(T)):
        now = log_beta[t]
        if t < T - 1:
            after = log_beta[t + 1] + log_y_z[t + 1]
            now[:] = after  # stay
            now[:, :-1] = np.logaddexp(now[:, :-1], after[:, 1:])  # one on
            two_on = np.where(skips[:, 2:], after[:, 2:], IMPOSSIBLE)
            now[:, :-2] = np.logaddexp(now[:, :-2], two_on)
        ends = frames == t + 1
        now[ends] = log_last[ends]
    return log_beta


def _expect_labels(
    targets: Any, input_lengths: Any, target_lengths: Any, T: int, B: int, K: int, blank: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both lengths (B,), and the labels (B, U) with blanks where they do not count."""
    targets = np.asarray(targets)
    expect_shape("targets", targets, (B, "U"))
    U = targets.shape[1]
    frames = expect_lengths("input_lengths", input_lengths, B, T)
    n_labels = expect_lengths("target_lengths", target_lengths, B, U)
    counts = np.arange(U) < n_labels[:, None]
    expect_index("targets", targets[counts], size=K)
    labels = np.where(counts, targets, blank)
    if (labels[counts] == blank).any():
        raise ValueError(f"targets holds {blank}, which is the blank and no label")
    repeats = ((labels[:, 1:] == labels[:, :-1]) & counts[:, 1:]).sum(axis=1)
    needed = np.maximum(n_labels + repeats, 1)
    for b in np.flatnonzero(frames < needed)[:1]:
        raise ValueError(
            f"targets[{b}] holds {n_labels[b]} labels, {repeats[b]} of them repeating the one "
            f"before: it needs at least {needed[b]} frames, but has {frames[b]}"
        )
    return frames, n_labels, labels
