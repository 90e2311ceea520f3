"""The adding problem is what its page says, and its line is the error of the best guess."""

import numpy as np
import pytest

from rnnlib.data import adding


@pytest.mark.parametrize("T", [2, 3, 5, 30])
def test_each_half_has_one_mark_and_the_answer_is_their_sum(T):
    x, y = adding.examples(T, 5000, np.random.default_rng(T))
    numbers, marks = x[..., 0], x[..., 1]
    assert x.shape == (T, 5000, 2) and y.shape == (5000,) and x.dtype == y.dtype == np.float32
    assert numbers.min() >= 0 and numbers.max() <= 1
    assert (marks[: T // 2].sum(axis=0) == 1).all() and (marks[T // 2 :].sum(axis=0) == 1).all()
    assert set(np.unique(marks)) <= {0, 1}
    for n in range(20):
        marked = [value for value, mark in zip(numbers[:, n], marks[:, n], strict=True) if mark]
        assert y[n] == pytest.approx(sum(marked))
    assert (marks.mean(axis=1) > 0.5 / T).all(), "a mark may stand anywhere in its half"


def test_the_line_is_the_error_of_who_always_answers_one():
    _, y = adding.examples(4, 200_000, seed=0)
    assert np.mean((y - 1) ** 2) == pytest.approx(adding.LINE, rel=0.02)
    assert np.var(y) == pytest.approx(adding.LINE, rel=0.02), "and no other guess is better"


def test_the_same_seed_draws_the_same_lists_and_a_generator_goes_on():
    first, again = (adding.examples(6, 4, seed=3) for _ in range(2))
    rng = np.random.default_rng(3)
    going_on = [adding.examples(6, 4, rng) for _ in range(2)]
    for one, other, third, fourth in zip(first, again, *going_on, strict=True):
        assert (one == other).all() and (one == third).all() and (one != fourth).any()


@pytest.mark.parametrize(
    ("T", "N", "message"),
    [(1, 3, "T must be a whole number of at least 2, got 1"), (4, 0, "N must be a whole number")],
)
def test_a_list_without_two_halves_is_refused(T, N, message):
    with pytest.raises(ValueError, match=message):
        adding.examples(T, N)
