"""From probabilities to a sequence: which tokens shall be written?

A network that writes is asked step by step, as a pure function:

    log_p, state = step(tokens, state)

`tokens` (B,) is what stands at this place in B sequences, `log_p` (B, V) are the log
probabilities of what comes next, and `state` is whatever the network remembers. What
is written becomes the next step's input. Always writing the likeliest token is greedy;
drawing is sampling; keeping several beginnings until it is clear which was best is
beam search.

CTC asks something else: every frame has spoken already, and what is looked for are the
labels that all its paths together make likeliest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .activations import log_softmax
from .ctc import IMPOSSIBLE
from .validation import (
    as_rng,
    expect_float,
    expect_index,
    expect_lengths,
    expect_positive,
    expect_shape,
)

Step = Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]


class Hypothesis(NamedTuple):
    """Hold one answer of a search, and how likely it is.

    Parameters
    ----------
    tokens : tuple of int
        What is written; the end token, where there is one and it was reached, included.
    log_p : float
        Logarithm of its probability, natural.

    Examples
    --------
    >>> Hypothesis((3, 1), -0.5).tokens
    (3, 1)
    """

    tokens: tuple[int, ...]
    log_p: float


def draw(
    logits: np.ndarray, temperature: float = 1.0, seed: int | np.random.Generator | None = None
) -> np.ndarray:
    """Draw a class from softmax(logits / temperature). Derived in chapter 04_text.

    Below 1 the temperature makes likely classes likelier, above 1 all more alike; at 0
    the best one always wins, the first of them where several are best.

    Parameters
    ----------
    logits : (..., K) array
        Scores, or log probabilities; -inf for a class that cannot be.
    temperature : float, optional
        At least 0.
    seed : int or numpy.random.Generator, optional
        Where chance comes from.

    Returns
    -------
    classes : (...) integer array
        In 0 … K - 1.

    Raises
    ------
    ValueError
        If the shape or dtype does not fit, if a row has no finite largest score (NaN,
        or no possible class), or if the temperature is negative or not finite.

    References
    ----------
    Maddison, Tarlow and Minka, A* sampling, NeurIPS 2014: add noise of Gumbel's
    distribution to each score, and the largest is a draw from their softmax.

    Examples
    --------
    >>> logits = np.log(np.array([0.1, 0.2, 0.7]))
    >>> many = np.tile(logits, (1000, 1))
    >>> (np.bincount(draw(many, seed=0)) / 1000).round(1).tolist()
    [0.1, 0.2, 0.7]
    >>> int(draw(logits, temperature=0.0))
    2
    """
    logits = expect_float("logits", logits, ("...", "K"))
    if not np.isfinite(logits.max(axis=-1, initial=IMPOSSIBLE)).all():
        raise ValueError("logits holds a row without a finite largest score: look for NaN")
    _expect_temperature(temperature)
    noise = as_rng(seed).gumbel(size=logits.shape)
    return (logits + temperature * noise).argmax(axis=-1)


def sample(
    step: Step,
    state: Any,
    start: Any,
    max_length: int,
    *,
    end: int | None = None,
    temperature: float = 1.0,
    seed: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Write B sequences, drawing each token from its distribution. Derived in chapter 04_text.

    Parameters
    ----------
    step : function
        ``log_p, state = step(tokens, state)`` with tokens (B,) and log_p (B, V).
    state : anything
        What the network remembers before the first step.
    start : (B,) integer array
        The token that stands before the first one written, of each sequence.
    max_length : int
        The most tokens to write.
    end : int, optional
        The token after which a sequence is complete.
    temperature : float, optional
        As in `draw`.
    seed : int or numpy.random.Generator, optional
        Where chance comes from.

    Returns
    -------
    tokens : (T, B) integer array
        T = max_length, or less if all are complete before; filled with `end` behind it.

    Raises
    ------
    ValueError
        If an argument, or what step returns, does not fit.

    Examples
    --------
    >>> def step(tokens, state):  # weather: in 9 of 10 days as on the day before
    ...     return np.log(np.array([[0.9, 0.1], [0.1, 0.9]]))[tokens], state
    >>> days = sample(step, None, [0], max_length=1000, seed=0)[:, 0]
    >>> round(float((days[1:] == days[:-1]).mean()), 1)
    0.9
    """
    _expect_temperature(temperature)
    rng = as_rng(seed)
    return _write(step, state, start, max_length, end, lambda log_p: draw(log_p, temperature, rng))


def greedy(
    step: Step, state: Any, start: Any, max_length: int, *, end: int | None = None
) -> np.ndarray:
    """Write B sequences, always the likeliest token. Derived in chapter 10_translation.

    Quick, and short-sighted: what is likeliest now may lead where nothing is likely. Of
    several likeliest tokens the first is taken.

    Parameters
    ----------
    step, state, start, max_length, end
        As in `sample`.

    Returns
    -------
    tokens : (T, B) integer array
        T = max_length, or less if all are complete before; filled with `end` behind it.

    Raises
    ------
    ValueError
        If an argument, or what step returns, does not fit.

    Examples
    --------
    >>> p = np.array([[0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    >>> def step(tokens, state):
    ...     return np.log(p)[tokens], state
    >>> greedy(step, None, [0, 1], max_length=5, end=2).T.tolist()
    [[1, 2], [2, 2]]
    """
    return _write(step, state, start, max_length, end, lambda log_p: log_p.argmax(axis=-1))


def _write(
    step: Step,
    state: Any,
    start: Any,
    max_length: int,
    end: int | None,
    choose: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """The tokens (T, B) that `choose` takes of each step's log probabilities."""
    tokens = _expect_start(start)
    written = []
    ended = np.zeros(tokens.shape, dtype=bool)
    for _ in range(expect_positive("max_length", max_length)):
        log_p, state = _ask(step, tokens, state, end)
        tokens = choose(log_p)
        if end is not None:
            tokens[ended] = end
            ended |= tokens == end
        written.append(tokens)
        if end is not None and ended.all():
            break
    return np.stack(written)


def beam_search(
    step: Step,
    state: Any,
    start: Any,
    max_length: int,
    *,
    width: int,
    end: int | None = None,
    length_penalty: float = 0.0,
) -> list[list[Hypothesis]]:
    """Write B sequences, each from its likeliest beginnings. Derived in chapter 10_translation.

    At every step each beginning goes on with every token, and the `width` likeliest of all
    these are kept. Those that end are complete: they leave the beam, and are compared with
    the others of their sequence once the search is over. A width of 1 is `greedy`; one that
    drops nothing is a search through all there is.

    Parameters
    ----------
    step : function
        ``log_p, state = step(tokens, state)`` with tokens (N,) and log_p (N, V); N counts
        the beginnings that go on, of all sequences: B at first and at most B · width.
    state : array, tuple or list of such, or None
        What the network remembers before the first step. In each array the last axis but
        one counts sequences, as in (B, H) and (L, B, H), or the only axis, as in lengths
        (B,).
    start : (B,) integer array
        The token that stands before the first one written, of each sequence.
    max_length : int
        The most tokens to write; beginnings that are still open then are answers too.
    width : int
        How many beginnings of each sequence are kept.
    end : int, optional
        The token after which a sequence is complete.
    length_penalty : float, optional
        The best is that of the largest log p / length**length_penalty: 0 compares
        probabilities, which favour short sequences, 1 the mean over tokens.

    Returns
    -------
    hypotheses : list of B lists of Hypothesis
        At most `width` each, the best one first.

    Raises
    ------
    ValueError
        If an argument, or what step returns, does not fit.

    References
    ----------
    Sutskever, Vinyals and Le, Sequence to sequence learning with neural networks,
    NeurIPS 2014; length: Wu et al., Google's neural machine translation system, 2016,
    where the penalty begins more gently.

    Examples
    --------
    Token 1 is the likeliest at first, but nothing after it is as likely as 2 after 2.

    >>> p = np.array([[0.0, 0.6, 0.4], [0.5, 0.0, 0.5], [0.0, 0.1, 0.9]])
    >>> def step(tokens, state):
    ...     with np.errstate(divide="ignore"):
    ...         return np.log(p)[tokens], state
    >>> greedy(step, None, [0], max_length=2)[:, 0].tolist()
    [1, 0]
    >>> [(best, second)] = beam_search(step, None, [0], max_length=2, width=2)
    >>> best.tokens, round(float(np.exp(best.log_p)), 2)
    ((2, 2), 0.36)
    """
    tokens = _expect_start(start)
    width = expect_positive("width", width)
    if not (math.isfinite(length_penalty) and length_penalty >= 0.0):
        raise ValueError(f"length_penalty must be at least 0 and finite, got {length_penalty}")

    def best(hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        return sorted(hypotheses, key=score, reverse=True)[:width]

    def score(hypothesis: Hypothesis) -> float:
        return hypothesis.log_p / len(hypothesis.tokens) ** length_penalty

    complete: list[list[Hypothesis]] = [[] for _ in tokens]
    going = [(b, Hypothesis((), 0.0)) for b in range(len(tokens))]
    for _ in range(expect_positive("max_length", max_length)):
        if not going:
            break
        log_p, state = _ask(step, tokens, state, end)
        log_p = log_p + np.array([[hypothesis.log_p] for _, hypothesis in going])  # (N, V)
        owner, rows, grown = np.array([b for b, _ in going]), [], []
        for b in np.unique(owner):
            mine = np.flatnonzero(owner == b)
            places = _best(log_p[mine].ravel(), width)
            open_ones = []
            for row, word in zip(*np.divmod(places, log_p.shape[1]), strict=True):
                written = (*going[mine[row]][1].tokens, int(word))
                hypothesis = Hypothesis(written, float(log_p[mine[row], word]))
                if word == end:
                    complete[b].append(hypothesis)
                else:
                    open_ones.append((mine[row], hypothesis))
            complete[b] = best(complete[b])
            # a probability only falls: nothing open can score more than at the greatest length
            if len(complete[b]) == width and open_ones:
                most = open_ones[0][1].log_p / max_length**length_penalty
                if score(complete[b][-1]) >= most:
                    continue
            rows += [row for row, _ in open_ones]
            grown += [(int(b), hypothesis) for _, hypothesis in open_ones]
        going = grown
        state = _select(state, np.array(rows, dtype=int), len(tokens))
        tokens = np.array([hypothesis.tokens[-1] for _, hypothesis in going], dtype=int)
    return [best(done + [h for b, h in going if b == n]) for n, done in enumerate(complete)]


def _select(state: Any, rows: np.ndarray, B: int) -> Any:
    """The states of these rows, of a state of B sequences."""
    if state is None:
        return None
    if isinstance(state, (tuple, list)):
        chosen = [_select(part, rows, B) for part in state]
        return state._make(chosen) if hasattr(state, "_make") else type(state)(chosen)
    array = np.asarray(state)
    axis = max(array.ndim - 2, 0)
    if array.ndim == 0 or array.shape[axis] != B:
        raise ValueError(
            f"state holds an array of shape {array.shape}, but its last axis but one (or its "
            f"only one) must count the {B} sequences"
        )
    return array.take(rows, axis=axis)


def _best(scores: np.ndarray, width: int) -> np.ndarray:
    """Where the largest scores stand, the best first and ties in order; none of -inf."""
    best = np.argsort(-scores, kind="stable")[:width]
    return best[scores[best] > -np.inf]


def _ask(step: Step, tokens: np.ndarray, state: Any, end: int | None) -> tuple[np.ndarray, Any]:
    """One step, and a look at what it returned."""
    log_p, state = step(tokens, state)
    log_p = expect_float("log_p", log_p, (len(tokens), "V"))
    if end is not None:
        expect_index("end", end, size=log_p.shape[1])
    with np.errstate(over="ignore"):
        total = np.exp(log_p).sum(axis=-1)
    # less than 1 is allowed: a step may rule tokens out
    if not (total <= 1.001).all():
        raise ValueError(
            f"log_p must hold log probabilities, as log_softmax gives, but those of one row add "
            f"up to {total[~(total <= 1.001)][0]:.4g}"
        )
    if not np.isfinite(log_p).any(axis=-1).all():
        raise ValueError("log_p holds a row without any possible token")
    return log_p, state


def _expect_start(start: Any) -> np.ndarray:
    """`start` as an array (B,) of tokens; how many there are is known only to step."""
    tokens = expect_index("start", start, size=np.iinfo(np.int64).max)
    expect_shape("start", tokens, ("B",))
    return tokens


def _expect_temperature(temperature: float) -> None:
    """Raise a ValueError unless it is a number of at least 0."""
    if not (math.isfinite(temperature) and temperature >= 0.0):
        raise ValueError(f"temperature must be at least 0 and finite, got {temperature}")


def ctc_collapse(path: Any, blank: int = 0) -> list[int]:
    """Strike out a path's repeats, then its blanks. Derived in chapter 11_speech.

    Parameters
    ----------
    path : (T,) integer array
        A class for every frame.
    blank : int, optional
        The class that stands for no label.

    Returns
    -------
    labels : list of int

    Raises
    ------
    ValueError
        If the shape or dtype does not fit.

    References
    ----------
    Graves, Fernández, Gomez and Schmidhuber, Connectionist temporal classification,
    ICML 2006, where it is called B.

    Examples
    --------
    >>> ctc_collapse([0, 3, 3, 0, 1, 1, 0, 1])
    [3, 1, 1]
    """
    path = expect_index("path", path, size=np.iinfo(np.int64).max)
    expect_shape("path", path, ("T",))
    is_new = np.append(True, path[1:] != path[:-1])[: len(path)]
    return path[is_new & (path != blank)].tolist()


def ctc_best_path(logits: np.ndarray, input_lengths: Any = None, blank: int = 0) -> list[list[int]]:
    """Read the labels of the one likeliest path. Derived in chapter 11_speech.

    It takes the best class of every frame. Quick, and not always right: many less likely
    paths may say the same labels and together be likelier. `ctc_prefix_beam` adds them up.

    Parameters
    ----------
    logits : (T, B, K) array
        Scores of K classes with the blank among them.
    input_lengths : (B,) integer array, optional
        Frames of each sequence that count, in 0 … T; all T if left out.
    blank : int, optional
        The class that stands for no label.

    Returns
    -------
    labels : list of B lists of int

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, if a length or the blank lies outside, or if a
        frame that counts has no finite largest score (NaN, or no possible class).

    References
    ----------
    Graves, Fernández, Gomez and Schmidhuber, Connectionist temporal classification,
    ICML 2006.

    Examples
    --------
    >>> y = np.array([[0.6, 0.4], [0.6, 0.4]])  # two frames: blank, or label 1
    >>> ctc_best_path(np.log(y)[:, None])
    [[]]
    """
    return [
        ctc_collapse(log_y.argmax(axis=-1), blank)
        for log_y in _expect_frames(logits, input_lengths, blank)
    ]


def ctc_prefix_beam(
    logits: np.ndarray, width: int, input_lengths: Any = None, blank: int = 0
) -> list[list[Hypothesis]]:
    """Find the likeliest labels, adding up the paths of each. Derived in chapter 11_speech.

    Frame by frame the `width` likeliest beginnings (prefixes) are kept. A prefix is one
    hypothesis however its labels lie in time, so that its paths add up; those that end
    in the blank are counted apart, since only they can be followed by the same label
    again. With a width that drops nothing the sums are exact: -`ctc_loss` of those labels.

    Parameters
    ----------
    logits : (T, B, K) array
        Scores of K classes with the blank among them.
    width : int
        How many prefixes are kept.
    input_lengths : (B,) integer array, optional
        Frames of each sequence that count, in 0 … T; all T if left out.
    blank : int, optional
        The class that stands for no label.

    Returns
    -------
    hypotheses : list of B lists of Hypothesis
        At most `width` each, the likeliest first.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, if width is not at least 1, if a length or the
        blank lies outside, or if a frame that counts has no finite largest score (NaN,
        or no possible class).

    References
    ----------
    Graves, Fernández, Gomez and Schmidhuber, Connectionist temporal classification,
    ICML 2006 (the search over prefixes); with a beam: Hannun, Maas,
    Jurafsky and Ng, First-pass large vocabulary continuous speech recognition using
    bi-directional recurrent DNNs, 2014.

    Examples
    --------
    The path of two blanks has probability 0.36, but those of label 1 together 0.64.

    >>> y = np.array([[0.6, 0.4], [0.6, 0.4]])
    >>> [(best, other)] = ctc_prefix_beam(np.log(y)[:, None], width=2)
    >>> best.tokens, round(float(np.exp(best.log_p)), 2)
    ((1,), 0.64)
    """
    width = expect_positive("width", width)
    return [
        _prefix_beam(log_y, width, blank) for log_y in _expect_frames(logits, input_lengths, blank)
    ]


def _prefix_beam(log_y: np.ndarray, width: int, blank: int) -> list[Hypothesis]:
    """The search over one sequence, log_y (T, K)."""
    K = log_y.shape[1]
    prefixes: list[tuple[int, ...]] = [()]
    # of each prefix, the paths that end in the blank, and those that end in its last label
    log_blank, log_label = np.zeros(1), np.full(1, IMPOSSIBLE)
    for log_y_t in log_y:
        n = len(prefixes)
        last = np.array([prefix[-1] if prefix else blank for prefix in prefixes])
        log_p = np.logaddexp(log_blank, log_label)
        stay_blank = log_p + log_y_t[blank]
        stay_label = log_label + log_y_t[last]
        grow = log_p[:, None] + log_y_t  # (n, K)
        grow[np.arange(n), last] = log_blank + log_y_t[last]  # a repeat only after a blank
        grow[:, blank] = IMPOSSIBLE
        where = {prefix: i for i, prefix in enumerate(prefixes)}
        for i, prefix in enumerate(prefixes):  # one that grows into another of the beam is it
            if prefix and prefix[:-1] in where:
                parent = where[prefix[:-1]], prefix[-1]
                stay_label[i] = np.logaddexp(stay_label[i], grow[parent])
                grow[parent] = IMPOSSIBLE
        best = _best(np.append(np.logaddexp(stay_blank, stay_label), grow), width)
        log_blank = np.append(stay_blank, np.full(grow.size, IMPOSSIBLE))[best]
        log_label = np.append(stay_label, grow)[best]
        prefixes = [
            prefixes[i] if i < n else (*prefixes[(i - n) // K], int(i - n) % K) for i in best
        ]
    log_p = np.logaddexp(log_blank, log_label)
    return [Hypothesis(prefix, float(p)) for prefix, p in zip(prefixes, log_p, strict=True)]


def _expect_frames(logits: Any, input_lengths: Any, blank: Any) -> list[np.ndarray]:
    """Log probabilities (T_b, K) of each sequence's own frames."""
    logits = expect_float("logits", logits, ("T", "B", "K"))
    T, B, K = logits.shape
    expect_index("blank", blank, size=K)
    frames = expect_lengths("input_lengths", input_lengths, B, T)
    sequences = [logits[:n, b] for b, n in enumerate(frames)]
    for b, sequence in enumerate(sequences):
        if not np.isfinite(sequence.max(axis=-1)).all():
            raise ValueError(
                f"logits holds a frame without a finite largest score in sequence {b}: look for NaN"
            )
    return [log_softmax(sequence.astype(np.float64)) for sequence in sequences]
