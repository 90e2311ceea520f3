"""n-gram models: the next word from counts of what followed the last few.

The baseline of every chapter that predicts symbols. Counting is exact and quick;
what it cannot do is see further than its window, or profit from a window it has
never met.
"""

from __future__ import annotations

import numpy as np

from .validation import expect_index, expect_positive, expect_shape


class NGram:
    """Predict a word from the order - 1 words before it. Derived in chapter 01_storybook.

    Interpolated with Witten and Bell's smoothing:

    A context c that was seen n(c) times, followed by t(c) different words, mixes
    its own counts with the prediction of the context one word shorter:

        P(w | c) = (n(c, w) + s t(c) P(w | c shortened)) / (n(c) + s t(c))

    A context with many different followers is trusted less; one never seen is
    not asked at all. The shortest context is none, and below it stands 1/V.

    Parameters
    ----------
    order : int
        Length of the n-gram: 1 looks at no word before, 2 at one, …
    vocabulary_size : int
        V.
    strength : float, optional
        s, the trust in the shorter context: 1 is Witten and Bell's. Tune it.
    start : int, optional
        The word that stands before the first one, as often as needed.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1, or the strength not above 0.

    References
    ----------
    Witten and Bell, The zero-frequency problem, IEEE Transactions on Information
    Theory 37(4), 1991, method C.

    Examples
    --------
    >>> y = np.array([[1, 1, 1], [2, 2, 3]])  # three sequences of two words, time first
    >>> model = NGram(2, vocabulary_size=4).fit(y)
    >>> model.predict(np.array([[1]])).round(2).tolist()
    [[0.03, 0.17, 0.52, 0.28]]
    """

    def __init__(
        self, order: int, vocabulary_size: int, strength: float = 1.0, start: int = 0
    ) -> None:
        self.order = expect_positive("order", order)
        self.vocabulary_size = expect_positive("vocabulary_size", vocabulary_size)
        if not strength > 0:
            raise ValueError(f"strength must be above 0, got {strength}")
        self.strength = strength
        self.start = start

    def fit(self, y: np.ndarray) -> NGram:
        """Count what follows what.

        Parameters
        ----------
        y : (T, N) integer array
            N sequences, time first; negative where a sequence has ended.

        Returns
        -------
        NGram
            This model.

        Raises
        ------
        ValueError
            If y does not have two axes, or a word lies outside the vocabulary.
        """
        expect_shape("y", y, ("T", "N"))
        V, T = self.vocabulary_size, len(y)
        told = y >= 0
        expect_index("y", y[told], V)
        before = np.concatenate([np.full((self.order - 1, y.shape[1]), self.start), y])
        words = y[told].astype(np.int64)
        # A context is numbered by its shorter self (without the oldest word) and that oldest
        # word; a context of no words is number 0. Sorted codes turn both into table look-ups.
        self._contexts: list[np.ndarray] = []  # by length: the codes of the contexts seen
        self._tables: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        context = np.zeros(len(words), np.int64)
        for length in range(self.order):
            if length:
                oldest = before[self.order - 1 - length :][:T][told].astype(np.int64)
                codes, context = np.unique(context * V + oldest, return_inverse=True)
                self._contexts.append(codes)
            pairs, counts = np.unique(context * V + words, return_counts=True)
            first = np.searchsorted(pairs, np.arange(context.max() + 2) * V)
            self._tables.append((first, pairs % V, counts))
        return self

    def _numbers(self, context: np.ndarray, length: int) -> np.ndarray:
        """(N,) numbers of the contexts of every length up to `length`; -1 for one never seen."""
        number = np.zeros(context.shape[1], np.int64)
        numbers = [number]
        for back in range(1, length + 1):
            codes = self._contexts[back - 1]
            code = number * self.vocabulary_size + context[-back]
            at = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
            number = np.where((number >= 0) & (codes[at] == code), at, -1)
            numbers.append(number)
        return np.array(numbers)

    def _padded(self, context: np.ndarray) -> np.ndarray:
        """The contexts (T, N), with start before those that are too short."""
        expect_shape("context", context, ("T", "N"))
        expect_index("context", context, self.vocabulary_size)
        missing = max(0, self.order - 1 - len(context))
        return np.concatenate([np.full((missing, context.shape[1]), self.start), context])

    def predict(self, context: np.ndarray) -> np.ndarray:
        """Give the distribution over the next word.

        Parameters
        ----------
        context : (T, N) integer array
            The words before, time first; the last order - 1 of them matter.

        Returns
        -------
        probabilities : (N, V) array
            Each row adds up to 1.

        Raises
        ------
        ValueError
            If the shape is wrong, or a word lies outside the vocabulary.
        """
        context = self._padded(context)
        V, N = self.vocabulary_size, context.shape[1]
        p = np.full((N, V), 1.0 / V)
        for number, (first, words, counts) in zip(
            self._numbers(context, self.order - 1), self._tables, strict=True
        ):
            rows = np.flatnonzero(number >= 0)
            start, end = first[number[rows]], first[number[rows] + 1]
            kinds = end - start
            # all table entries of all rows, one after the other
            row = np.repeat(rows, kinds)
            entry = np.arange(kinds.sum()) + np.repeat(start - (np.cumsum(kinds) - kinds), kinds)
            seen = np.bincount(row, counts[entry], minlength=N)[rows]
            trust = self.strength * kinds
            p[rows] *= (trust / (seen + trust))[:, None]
            p[row, words[entry]] += counts[entry] / np.repeat(seen + trust, kinds)
        return p

    def seen(self, context: np.ndarray) -> np.ndarray:
        """Say which of the contexts (T, N) ever occurred, at their full length: (N,) booleans."""
        return self._numbers(self._padded(context), self.order - 1)[-1] >= 0
