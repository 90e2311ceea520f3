"""Strings that count: what stands in them, and what is certain to come next."""

import numpy as np
import pytest

from rnnlib.data import counting


def test_the_strings_ask_for_what_is_certain():
    x, y = counting.strings(2, [1, 3])
    assert x.shape == (7, 2, 3) and y.shape == (7, 2) and x.dtype == np.float32
    assert x.argmax(axis=2).T.tolist() == [[0, 1, 2, 0, 0, 0, 0], [0, 1, 1, 1, 2, 2, 2]]
    skip = -100
    assert y.T.tolist() == [
        [skip, skip, 0, skip, skip, skip, skip],
        [skip, skip, skip, skip, 2, 2, 0],
    ]
    _, y = counting.strings(3, [2])
    assert y.T.tolist() == [[skip, skip, skip, 2, 3, 3, 0]]


@pytest.mark.parametrize("letters", [2, 3, 4])
def test_what_is_asked_is_the_next_symbol(letters):
    x, y = counting.strings(letters, range(1, 9))
    symbols = x.argmax(axis=2)
    following = np.concatenate([symbols[1:], np.zeros((1, 8), int)])
    assert (x.sum(axis=2) == 1).all()
    assert (following[y >= 0] == y[y >= 0]).all()
    for n in range(1, 9):
        assert (symbols[:, n - 1] == letters).sum() == n
        assert (y[:, n - 1] >= 0).sum() == (letters - 1) * n


@pytest.mark.parametrize(
    ("letters", "lengths", "message"),
    [
        (1, [3], "letters must be a whole number of at least 2, got 1"),
        (2, [3, 0], "lengths must be a whole number of at least 1, got 0"),
        (2, [], "lengths must hold at least one n"),
    ],
)
def test_what_is_no_string_is_refused(letters, lengths, message):
    with pytest.raises(ValueError, match=message):
        counting.strings(letters, lengths)
