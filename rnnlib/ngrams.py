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
        for length, number in enumerate(self._numbers(context, self.order - 1)):
            first, words, counts = self._tables[length]
            rows = np.flatnonzero(number >= 0)
            start, end = first[number[rows]], first[number[rows] + 1]
            kinds = end - start
            # all table entries of all rows, one after the other
            row = np.repeat(rows, kinds)
            entry = np.arange(kinds.sum()) + np.repeat(start - (np.cumsum(kinds) - kinds), kinds)
            kept, passed = self._shares(length, counts[entry])
            left = np.bincount(row, passed, minlength=N)
            total = np.bincount(row, kept, minlength=N) + left
            p[rows] *= (left[rows] / total[rows])[:, None]
            p[row, words[entry]] += kept / total[row]
        return p

    def _shares(self, length: int, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each word keeps in a context of this length, and what it adds to the shorter's."""
        return counts.astype(float), np.full(len(counts), float(self.strength))

    def seen(self, context: np.ndarray) -> np.ndarray:
        """Say which of the contexts (T, N) ever occurred, at their full length: (N,) booleans."""
        return self._numbers(self._padded(context), self.order - 1)[-1] >= 0


class KneserNey(NGram):
    """Count as `NGram` does, with Kneser and Ney's smoothing, modified. Derived in chapter 04_text.

    From each count a little is taken away, and what is taken is shared out by the context
    one word shorter:

        P(w | c) = (n(c, w) - D + (sum of all D) P(w | c shortened)) / n(c)

    Three numbers D, for counts of 1, of 2, and of 3 and more, come from how many counts
    are 1, 2, 3 and 4. A shorter context does not count how often a word followed, but
    behind how many different words its longer self did: what is frequent only because one
    passage is, counts once.

    Parameters
    ----------
    order : int
        Length of the n-gram, as in `NGram`.
    vocabulary_size : int
        V.
    start : int, optional
        The word that stands before the first one, as often as needed.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    References
    ----------
    Chen and Goodman, An empirical study of smoothing techniques for language modeling,
    Computer Speech and Language 13(4), 1999, section 3 (modified, interpolated).

    Examples
    --------
    >>> y = np.array([[1, 1, 1], [2, 2, 3]])  # three sequences of two words, time first
    >>> model = KneserNey(2, vocabulary_size=4).fit(y)
    >>> model.predict(np.array([[1]])).round(2).tolist()
    [[0.04, 0.1, 0.6, 0.26]]
    """

    def __init__(self, order: int, vocabulary_size: int, start: int = 0) -> None:
        super().__init__(order, vocabulary_size, start=start)

    def fit(self, y: np.ndarray) -> KneserNey:
        """Count what follows what; y as in `NGram.fit`."""
        super().fit(y)
        V = self.vocabulary_size
        for length in range(self.order - 1):
            first, words, _ = self._tables[length]
            longer_first, longer_words, _ = self._tables[length + 1]
            pairs = np.repeat(np.arange(len(first) - 1), np.diff(first)) * V + words
            shortened = np.repeat(self._contexts[length] // V, np.diff(longer_first))
            at = np.searchsorted(pairs, shortened * V + longer_words)
            self._tables[length] = first, words, np.bincount(at, minlength=len(words))
        self._taken = [_discounts(counts) for _, _, counts in self._tables]
        return self

    def _shares(self, length: int, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        taken = self._taken[length][np.minimum(counts, 3)]
        return counts - taken, taken


def _discounts(counts: np.ndarray) -> np.ndarray:
    """(4,) what is taken from counts of 0, 1, 2, and 3 or more; a half where too few tell."""
    n = np.bincount(np.minimum(counts, 5), minlength=6)[:5].astype(float)
    if not n[1:].all():
        return np.array([0.0, 0.5, 0.5, 0.5])
    share = n[1] / (n[1] + 2 * n[2])
    k = np.arange(1, 4)
    return np.append(0.0, np.clip(k - (k + 1) * share * n[2:] / n[1:4], 0.05, k))
