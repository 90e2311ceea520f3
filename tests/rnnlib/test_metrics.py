"""Metrics: what they mean, and what they refuse."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlib import bits, coverage, cross_entropy, mase, perplexity


def test_guessing_among_k_equal_classes_has_perplexity_k_and_log_2_k_bits():
    for K in [2, 3, 64]:
        nll, _ = cross_entropy(np.zeros((5, K)), np.arange(5) % K)
        assert perplexity(nll) == pytest.approx(K)
        assert bits(nll) == pytest.approx(math.log2(K))


@settings(max_examples=50, deadline=None)
@given(nll=st.floats(0.0, 50.0))
def test_bits_and_perplexity_say_the_same_thing(nll):
    assert 2.0 ** bits(nll) == pytest.approx(perplexity(nll))
    assert isinstance(bits(nll), float) and isinstance(perplexity(nll), float)


def loop_mase(predictions, targets, history, season):
    """The definition, one number after the other."""
    errors = [abs(y - p) for y, p in zip(targets, predictions, strict=True)]
    naive = [abs(history[t] - history[t - season]) for t in range(season, len(history))]
    return (sum(errors) / len(errors)) / (sum(naive) / len(naive))


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 8),
    T=st.integers(2, 20),
    season=st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_mase_equals_its_definition_for_any_sizes(n, T, season, seed, dtype):
    rng = np.random.default_rng(seed)
    predictions, targets = rng.standard_normal((2, n)).astype(dtype)
    history = rng.standard_normal(T).astype(dtype)
    if season >= T:
        with pytest.raises(ValueError, match=f"history holds {T} steps"):
            mase(predictions, targets, history, season)
        return
    got = mase(predictions, targets, history, season)
    assert isinstance(got, float)
    assert got == pytest.approx(loop_mase(predictions, targets, history, season), rel=1e-4)
    # no unit, and the shape is only how the forecasts are laid out
    assert mase(8 * predictions, 8 * targets, 8 * history, season) == pytest.approx(got, rel=1e-5)
    grid = predictions[:, None], targets[:, None]
    assert mase(*grid, history, season) == pytest.approx(got, rel=1e-6)


@pytest.mark.parametrize("season", [1, 7])
def test_the_naive_forecast_on_its_own_history_scores_one(season):
    y = np.random.default_rng(0).standard_normal(200).cumsum()
    assert mase(y[:-season], y[season:], y, season) == pytest.approx(1.0, rel=1e-14)


def test_mase_lets_nan_through():
    y, nan = np.arange(4.0), np.array([0.0, np.nan, 2.0, 3.0])
    for arguments in [(nan, y, y), (y, nan, y), (y, y, nan)]:
        assert math.isnan(mase(*arguments))


def test_mase_of_what_no_number_can_hold_is_infinite_or_nan_without_a_warning():
    history, inf = np.arange(5.0), np.array([np.inf])
    assert mase(inf, np.ones(1), history) == np.inf
    assert np.isnan(mase(inf, inf, history))
    assert mase(np.array([1e308]), np.array([-1e308]), history) == np.inf


def test_coverage_of_a_true_interval_is_its_probability():
    targets = np.random.default_rng(1).uniform(size=(100, 100))
    lower, upper = np.full((2, 100, 100), [[[0.05]], [[0.95]]])
    assert coverage(lower, upper, targets) == pytest.approx(0.9, abs=0.01)
    assert coverage(lower, 0.0 * upper + np.inf, targets) == pytest.approx(0.95, abs=0.01)


def test_coverage_counts_both_ends_and_nothing_between_crossed_ones():
    ends, targets = np.array([1.0, 1.0, 1.0, 1.0]), np.array([1.0, 2.0, 0.9, 2.1])
    assert coverage(ends, 2.0 * ends, targets) == 0.5
    assert coverage(2.0 * ends, ends, targets) == 0.0


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 5), min_size=0, max_size=3).map(tuple),
    seed=st.integers(0, 2**32 - 1),
)
def test_coverage_is_a_share_that_grows_with_the_intervals(shape, seed):
    rng = np.random.default_rng(seed)
    middle, targets = np.asarray(rng.standard_normal(shape)), np.asarray(rng.standard_normal(shape))
    shares = [coverage(middle - w, middle + w, targets) for w in [0.0, 0.5, 1.0, 2.0, 100.0]]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares[2] * targets.size == pytest.approx((abs(targets - middle) <= 1.0).sum())


Y = np.arange(6.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mase(Y[:2], Y[:1], Y), r"targets has shape \(1,\), but shape \(2,\) is needed"),
        (lambda: mase(Y[:2], 1.0, Y), r"targets has shape \(\)"),
        (lambda: mase(Y.astype(int), Y, Y), "predictions has dtype int64"),
        (lambda: mase(Y, Y.astype(np.float32), Y), "targets has dtype float32, but float64"),
        (lambda: mase(Y, Y, Y.astype(np.float32)), "history has dtype float32, but float64"),
        (lambda: mase(Y, Y, Y[:, None]), r"history has shape \(6, 1\), but shape \(T,\)"),
        (lambda: mase(Y[:0], Y[:0], Y), "predictions is empty"),
        (lambda: mase(Y, Y, Y, season=6), "history holds 6 steps, but more than one season of 6"),
        (lambda: mase(Y, Y, Y[:0]), "history holds 0 steps"),
        (lambda: mase(Y, Y, Y, season=0), "season must be a whole number of at least 1, got 0"),
        (lambda: mase(Y, Y, Y, season=1.5), "season must be a whole number"),
        (lambda: mase(Y, Y, 0 * Y), "history repeats itself exactly every 1 steps"),
        (lambda: mase(Y, Y, Y % 3, season=3), "history repeats itself exactly every 3 steps"),
        (lambda: coverage(Y[:1], Y, Y), r"upper has shape \(6,\), but shape \(1,\)"),
        (lambda: coverage(Y, Y, Y[:1]), r"targets has shape \(1,\), but shape \(6,\)"),
        (lambda: coverage(Y.astype(np.float16), Y, Y), "lower has dtype float16"),
        (lambda: coverage(Y, Y.astype(np.float32), Y), "upper has dtype float32"),
        (lambda: coverage(Y, Y, Y.astype(np.float32)), "targets has dtype float32"),
        (lambda: coverage(Y[:0], Y[:0], Y[:0]), "lower is empty"),
        (lambda: coverage(Y * np.nan, Y, Y), "lower holds NaN"),
        (lambda: coverage(Y, Y * np.nan, Y), "upper holds NaN"),
        (lambda: coverage(Y, Y, Y * np.nan), "targets holds NaN"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
