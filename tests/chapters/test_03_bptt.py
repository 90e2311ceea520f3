"""Chapter 03: shares that add up, what a gradient check can see, what the way back costs."""

import numpy as np
import pytest


def test_the_three_shares_add_up_to_the_slope(chapter):
    loss, change = chapter.names.loss, 1e-6
    slope = (loss(1.0, 0.5 + change) - loss(1.0, 0.5 - change)) / (2 * change)
    assert slope == pytest.approx(1 * 2 + 0.5 * 2 + 0.25 * 0, rel=1e-6)


def test_the_check_finds_a_gradient_that_is_wrong(chapter):
    names = chapter.names
    numbers, exact = names.numbers, names.exact
    loss = lambda: (names.forward(*numbers.values()) * names.weight).sum()  # noqa: E731
    estimate = names.differences(loss, numbers["W_h"], 1e-5)
    np.testing.assert_allclose(exact["W_h"], estimate, rtol=1e-6, atol=1e-8)
    assert abs(exact["W_h"].T - estimate).max() > 0.1


def test_the_error_falls_with_the_square_of_the_step_and_then_rises(chapter):
    (ax,) = chapter.axes["step-size"]
    double, single = (line.get_ydata() for line in ax.lines)
    step = ax.lines[0].get_xdata()
    falling = (step > 1e-5) & (step < 0.5)
    slopes = np.diff(np.log10(double[falling])) / np.diff(np.log10(step[falling]))
    np.testing.assert_allclose(slopes, 2, atol=0.05)
    at = {round(np.log10(s)): k for k, s in enumerate(step)}
    assert double[at[-12]] > 100 * double[at[-3]], "rounding has won"
    assert single[at[-6]] > 0.02, "a check in float32 at 1e-6 says nothing"
    assert single.min() > 1e-6 > 1e-9 > double.min()
    for errors, dtype in ((double, np.float64), (single, np.float32)):
        best = step[np.argmin(errors)] / np.finfo(dtype).eps ** (1 / 3)
        assert 0.1 < best < 10, "the best step is near the cube root of the rounding"


@pytest.mark.parametrize("size", [3, 8])
def test_the_way_back_takes_twice_the_multiplications(chapter, size):
    names, rng = chapter.names, np.random.default_rng(size)
    T, B, I = 7, 2, 5
    x, h_0, b = rng.normal(size=(T, B, I)), np.zeros((B, size)), np.zeros(size)
    W_x, W_h = rng.normal(size=(size, I)), rng.normal(size=(size, size))
    h, there = names.counted(names.forward, x, h_0, W_x, W_h, b)
    _, back = names.counted(names.backward, 0 * h, x, h, h_0, W_x, W_h)
    assert (there, back) == (T * B * size * (I + size), 2 * there)


def test_checkpoints_keep_most_at_the_ends_and_least_at_the_square_root(chapter):
    peaks, T = chapter.names.peaks, 400
    assert peaks == {every: T // every + every for every in peaks}
    assert min(peaks, key=peaks.get) == 20


def test_checkpoints_that_do_not_divide_the_length_give_the_same_gradient(chapter):
    names, rng = chapter.names, np.random.default_rng(0)
    T, B, I, H = 23, 2, 3, 4
    x, dh = rng.normal(size=(T, B, I)), rng.normal(size=(T, B, H))
    h_0, b = rng.normal(size=(B, H)), rng.normal(size=H)
    W_x, W_h = rng.normal(size=(H, I)), rng.normal(size=(H, H))
    h = names.forward(x, h_0, W_x, W_h, b)
    _, _, *want = names.backward(dh, x, h, h_0, W_x, W_h)
    for every in (1, 5, 22, 23, 40):
        got, _, computed = names.backward_from_checkpoints(dh, x, h_0, W_x, W_h, b, every)
        assert computed == 2 * T, "one more pass forward, whatever the distance"
        for one, other in zip(got, want, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_forward_mode_keeps_a_number_for_each_unit_and_parameter(chapter):
    names, rng = chapter.names, np.random.default_rng(1)
    for T in (3, 30):
        x, dh = rng.normal(size=(T, 1, 2)), rng.normal(size=(T, 1, 5))
        W_x, W_h, b = rng.normal(size=(5, 2)), rng.normal(size=(5, 5)), rng.normal(size=5)
        given = (x, np.zeros((1, 5)), W_x, W_h, b)
        (gradient, kept), work = names.counted(names.forward_mode, dh, *given)
        P, step = 5 * (2 + 5 + 1), 5 * (2 + 5)
        assert work == T * (step + 5 * 5 * P + 5 * P), "a step, W_h times J, and dh times J"
        assert kept == 5 * (5 * 2 + 5 * 5 + 5), "whatever the length"
        h = names.forward(x, np.zeros((1, 5)), W_x, W_h, b)
        _, _, *want = names.backward(dh, x, h, np.zeros((1, 5)), W_x, W_h)
        want = np.concatenate([one.ravel() for one in want])
        np.testing.assert_allclose(gradient, want, rtol=1e-8, atol=1e-12)


def test_a_window_that_misses_the_input_knows_nothing_of_it(chapter):
    cosines, norms = chapter.axes["truncation"]
    for ax in (cosines, norms):
        W_x, W_h = (line.get_ydata() for line in ax.lines[:2])
        assert abs(W_x[:10]).max() < 0.5 and W_x[10:].min() > 0.9
        assert (np.diff(W_h[:10]) > 0.02).all() and W_h[10:].min() > 0.9


# The quiz


def test_answer_1():
    loss = lambda w_h, x_1: max(1 + w_h * max(x_1, 0), 0)  # noqa: E731
    change = 1e-6
    assert (loss(2 + change, 1) - loss(2, 1)) / change == pytest.approx(1)
    assert (loss(2, 1 + change) - loss(2, 1)) / change == pytest.approx(2)


def test_answer_5():
    assert min(10_000 / every + every for every in range(1, 10_001)) == pytest.approx(200)
