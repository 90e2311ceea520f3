"""Connectionist temporal classification: labels without their places in time.

A path says one class for every frame, some of them the blank (written -). Strike out
repeats, then blanks, and labels are left:

    - c c - a a t    →    c a t

The probability of labels is that of all their paths together. There are far too many
to list, but not to sum: a path walks through the labels with blanks between them,

    z  =  - c - a - t -        U labels, N = 2U + 1 states

and from one frame to the next it stays, goes one state on, or goes two on, past the
blank between different labels. So the sum goes frame by frame: `_ways` adds up all ways
that lead to a state (α). All ways on from it to the end (β) are the same sum over the
sequence read backwards. Both count the frame itself, so that α β / y is the probability
of all paths through the state at that frame.

Everything is kept as a logarithm, since a product over hundreds of frames would leave
the range of floats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import log_softmax
from .validation import expect_float, expect_index, expect_lengths, expect_shape

IMPOSSIBLE = -np.inf  # the logarithm of probability 0
TINY = -1e300  # and one that may be subtracted from it


@np.errstate(invalid="ignore", divide="ignore")
def ctc_loss(
    logits: np.ndarray,
    targets: np.ndarray,
    input_lengths: Any = None,
    target_lengths: Any = None,
    blank: int = 0,
    zero_infinity: bool = False,
) -> tuple[float, np.ndarray]:
    """Take the mean surprise at labels, wherever in time they are. Derived in chapter 11_speech.

    It is -log p(labels | x), summed over all paths that say the labels.

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
    zero_infinity : bool, optional
        A sequence that cannot say its labels counts with loss 0 instead of infinity; one
        with too few frames is let pass, too. Its gradient is 0 in any case.

    Returns
    -------
    loss : float
        Mean over the B sequences; natural logarithm.
    dlogits : (T, B, K) array
        Gradient of the loss with respect to the logits: at each frame softmax minus the
        share of the right paths that pass through each class there, divided by B. Zero
        behind input_lengths.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if a length or label lies outside, if a label is
        the blank, if there is no sequence, or if one has too few frames for its labels:
        one for each, and one more for each label that repeats the one before it, where a
        blank must stand between.

    References
    ----------
    Graves, Fernández, Gomez and Schmidhuber, Connectionist temporal classification,
    ICML 2006.

    Notes
    -----
    What lies behind the lengths changes nothing. A NaN among the frames that count
    makes the loss NaN.

    Sums run in float64 whatever the dtype of the logits. In torch the same loss is
    ``ctc_loss(log_softmax(logits), …, reduction="sum") / B``; its own default, "mean",
    also divides each sequence by the number of its labels.

    In `fit` over `Buckets`, the model returns its scores with their lengths, and padding
    of -1 behind the labels says where they end::

        def loss(output, labels):  # (logits (T, B, K), lengths (B,)), (U, B)
            logits, lengths = output
            return ctc_loss(logits, labels.T, lengths, (labels >= 0).sum(axis=0))

    Examples
    --------
    >>> logits = np.zeros((2, 1, 3))  # two frames, nine equally likely paths
    >>> loss, dlogits = ctc_loss(logits, np.array([[1]]))
    >>> round(float(np.exp(-loss)), 4)  # three of them say label 1: 11, -1, 1-
    0.3333
    >>> dlogits[0, 0, 1:].round(4).tolist()
    [-0.3333, 0.3333]
    """
    logits = expect_float("logits", logits, ("T", "B", "K"))
    T, B, K = logits.shape
    blank = int(expect_index("blank", blank, size=K))
    if B == 0:
        raise ValueError("logits holds no sequence, so there is no mean loss")
    frames, n_labels, labels, needed = _expect_labels(
        targets, input_lengths, target_lengths, T, B, K, blank
    )
    for b in np.flatnonzero(frames < needed)[: 0 if zero_infinity else 1]:
        raise ValueError(
            f"targets[{b}] holds {n_labels[b]} labels: with those that repeat the one before its "
            f"input_lengths must be at least {needed[b]}, but is {frames[b]}"
        )

    t, n = np.arange(T)[:, None], np.arange(2 * labels.shape[1] + 1)
    frames_left, states_left = frames - 1 - t, 2 * n_labels[:, None] - n  # (T, B), (B, N)
    counts = (frames_left >= 0)[:, :, None] & (states_left >= 0)  # (T, B, N)
    batch = np.arange(B)[:, None]
    backwards = frames_left.clip(0)[:, :, None], batch, states_left.clip(0)

    logits_64 = np.where(frames_left[:, :, None] >= 0, logits, 0.0).astype(np.float64)
    log_y = log_softmax(logits_64)
    z = np.full((B, len(n)), blank)
    z[:, 1::2] = labels
    log_y_z = log_y[t[:, :, None], batch, z]  # (T, B, N)
    log_alpha, log_beta = np.split(
        _ways(
            np.concatenate([log_y_z, log_y_z[backwards]], axis=1),
            np.concatenate([z, z[backwards[1:]]]),
        ),
        2,
        axis=1,
    )
    log_paths = log_beta[backwards]
    log_paths += log_alpha
    log_paths -= np.maximum(log_y_z, TINY)
    log_paths[~counts] = IMPOSSIBLE
    log_p = np.logaddexp.reduce(log_paths[:1], axis=(0, 2))  # (B,), at t = 0 as at any frame
    log_paths -= log_p[:, None]
    shares = np.exp(log_paths, out=log_paths)

    dlogits = np.exp(log_y)
    dlogits[:, :, blank] -= shares[:, :, ::2].sum(axis=2)
    for u in range(labels.shape[1]):
        dlogits[:, np.arange(B), labels[:, u]] -= shares[:, :, 2 * u + 1]
    dlogits[frames_left < 0] = 0.0
    impossible = log_p == IMPOSSIBLE
    dlogits[:, impossible] = 0.0
    if zero_infinity:
        log_p[impossible] = 0.0
    return 0.0 - float(log_p.mean()), (dlogits / B).astype(logits.dtype)


def _ways(log_y_z: np.ndarray, z: np.ndarray) -> np.ndarray:
    """log α (T, B, N): all ways that lead to a state of z (B, N), this frame included."""
    T, B, N = log_y_z.shape
    skips = np.zeros((B, N), dtype=bool)  # may state n be entered from n - 2?
    skips[:, 2:] = z[:, 2:] != z[:, :-2]  # never a blank: two states before it is another
    log_skip = np.where(skips, 0.0, IMPOSSIBLE)
    # two more states, where nothing can be, stand before the first
    log_alpha = np.full((T, B, N + 2), IMPOSSIBLE)
    log_alpha[:1, :, 2:4] = log_y_z[:1, :, :2]  # begin with the blank or the first label
    ways = np.empty((3, B, N))
    stay, one_on, two_on = ways
    for before, now, log_y_z_t in zip(log_alpha, log_alpha[1:], log_y_z[1:], strict=False):
        np.add(before[:, :-2], log_skip, out=two_on)
        # log Σ e^w is taken at the largest w; three times as fast as two calls of logaddexp
        largest = np.maximum(before[:, 2:], before[:, 1:-1])
        np.maximum(largest, two_on, out=largest)
        np.maximum(largest, TINY, out=largest)
        np.subtract(before[:, 2:], largest, out=stay)
        np.subtract(before[:, 1:-1], largest, out=one_on)
        two_on -= largest
        np.exp(ways, out=ways)
        stay += one_on
        stay += two_on
        largest += np.log(stay, out=stay)
        np.add(largest, log_y_z_t, out=now[:, 2:])
    return log_alpha[:, :, 2:]


def _expect_labels(
    targets: Any, input_lengths: Any, target_lengths: Any, T: int, B: int, K: int, blank: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Both lengths (B,), the labels (B, U) with blanks behind them, and the frames they need."""
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
    return frames, n_labels, labels, np.maximum(n_labels + repeats, 1)
