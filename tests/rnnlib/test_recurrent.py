"""What the recurrent layer promises beyond its numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import RNN, RNNCell, unroll, unroll_backward

sizes = st.integers(1, 6)


def cell_of(rnn):
    """The one-step cell with the layer's weights."""
    cell = RNNCell(rnn.input_size, rnn.hidden_size, rnn.nonlinearity)
    cell.load_state_dict({"W_x": rnn.W_x, "W_h": rnn.W_h, "b": rnn.b})
    return cell


@given(T=st.integers(0, 6), B=st.integers(0, 4), I=sizes, H=sizes, relu=st.booleans())
def test_layer_equals_a_loop_over_the_cell(T, B, I, H, relu):
    rng = np.random.default_rng([T, B, I, H])
    rnn = RNN(I, H, nonlinearity="relu" if relu else "tanh", seed=rng)
    cell = cell_of(rnn)
    x, h_0 = rng.standard_normal((T, B, I)), rng.standard_normal((B, H))
    dy, dh_n = rng.standard_normal((T, B, H)), rng.standard_normal((1, B, H))
    y, h_n = rnn(x, h_0[None])
    dx, dh_0 = rnn.backward(dy, dh_n)
    h, state, caches = unroll(cell, x, h_0)
    dx_loop, dstate = unroll_backward(cell, dy, caches, dh_n[0])
    for ours, loop in [
        (y, h),
        (h_n[0], state),
        (dx, dx_loop),
        (dh_0[0], dstate),
        (rnn.weight_ih_l0.grad, cell.W_x.grad),
        (rnn.weight_hh_l0.grad, cell.W_h.grad),
        (rnn.bias_ih_l0.grad, cell.b.grad),
        (rnn.bias_hh_l0.grad, cell.b.grad),
    ]:
        np.testing.assert_allclose(ours, loop, rtol=1e-10, atol=1e-12)


def test_permuting_the_batch_permutes_the_result():
    rng = np.random.default_rng(0)
    rnn, x = RNN(3, 4, seed=rng), rng.standard_normal((6, 5, 3))
    order = rng.permutation(5)
    np.testing.assert_allclose(rnn(x[:, order])[0], rnn(x)[0][:, order], rtol=1e-12)


def test_carrying_the_state_over_pieces_equals_one_pass():
    rng = np.random.default_rng(1)
    rnn, x = RNN(3, 4, seed=rng), rng.standard_normal((7, 2, 3))
    whole, last = rnn(x)
    first, state = rnn(x[:4])
    second, state = rnn(x[4:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-12)
    np.testing.assert_allclose(state, last, rtol=1e-12)


def test_gradients_accumulate_until_they_are_cleared():
    rng = np.random.default_rng(2)
    rnn, x = RNN(3, 4, seed=rng), rng.standard_normal((5, 2, 3))
    dy = rng.standard_normal((5, 2, 4))
    rnn(x)
    rnn.backward(dy)
    once = rnn.weight_hh_l0.grad.copy()
    rnn(x)
    rnn.backward(dy)
    np.testing.assert_allclose(rnn.weight_hh_l0.grad, 2 * once)
    rnn.zero_grad()
    assert not rnn.weight_hh_l0.grad.any()


def test_a_second_backward_raises_and_so_does_one_in_evaluation():
    rnn = RNN(3, 4, seed=0)
    y, _ = rnn(np.ones((5, 2, 3)))
    rnn.backward(np.ones_like(y))
    with pytest.raises(RuntimeError, match=r"RNN\.backward needs a forward pass"):
        rnn.backward(np.ones_like(y))
    rnn.eval()
    y, _ = rnn(np.ones((5, 2, 3)))
    with pytest.raises(RuntimeError, match="training mode"):
        rnn.backward(np.ones_like(y))


def test_inputs_are_not_modified_and_outputs_are_not_shared():
    rng = np.random.default_rng(3)
    rnn, x, h_0 = RNN(3, 4, seed=rng), rng.standard_normal((5, 2, 3)), np.ones((1, 2, 4))
    before = x.copy(), h_0.copy()
    y, h_n = rnn(x, h_0)
    kept = y.copy()
    dy = np.ones_like(y)
    rnn.backward(dy)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(h_0, before[1])
    np.testing.assert_array_equal(dy, np.ones_like(y))
    rnn(2 * x)
    np.testing.assert_array_equal(y, kept)
    h_n += 1.0
    np.testing.assert_array_equal(y, kept)
    with pytest.raises(ValueError, match="read-only"):
        y += 1.0


def test_the_formula_s_names_are_the_very_arrays():
    rnn = RNN(3, 4, seed=0)
    assert rnn.W_x is rnn.weight_ih_l0.data
    assert rnn.W_h is rnn.weight_hh_l0.data
    np.testing.assert_array_equal(rnn.b, rnn.bias_ih_l0.data + rnn.bias_hh_l0.data)
    assert not RNN(3, 4, bias=False).b.any()


def test_no_time_steps_give_back_the_initial_state():
    rnn, h_0 = RNN(3, 4, seed=0), np.full((1, 2, 4), 0.5)
    y, h_n = rnn(np.zeros((0, 2, 3)), h_0)
    assert y.shape == (0, 2, 4)
    np.testing.assert_array_equal(h_n, h_0)
    dx, dh_0 = rnn.backward(np.zeros((0, 2, 4)), np.ones((1, 2, 4)))
    assert dx.shape == (0, 2, 3)
    np.testing.assert_array_equal(dh_0, np.ones((1, 2, 4)))


def test_an_empty_batch_gives_an_empty_result():
    rnn = RNN(3, 4, seed=0)
    y, h_n = rnn(np.zeros((5, 0, 3)))
    assert y.shape == (5, 0, 4)
    assert h_n.shape == (1, 0, 4)
    rnn.backward(np.zeros((5, 0, 4)))
    assert not rnn.weight_hh_l0.grad.any()


def test_nan_stays_in_its_own_sequence_and_begins_at_its_own_step():
    rnn, x = RNN(3, 4, seed=0), np.ones((5, 3, 3))
    clean = rnn(x)[0]
    x[2, 1, 0] = np.nan
    y, _ = rnn(x)
    assert np.isnan(y[2:, 1]).all()
    np.testing.assert_array_equal(y[:2], clean[:2])
    np.testing.assert_array_equal(y[:, [0, 2]], clean[:, [0, 2]])


def test_a_non_contiguous_input_gives_the_same():
    rng = np.random.default_rng(4)
    rnn, x = RNN(3, 4, seed=rng), rng.standard_normal((10, 4, 6))
    view = x[::2, ::-1, ::2]
    np.testing.assert_allclose(rnn(view)[0], rnn(view.copy())[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((5, 2, 7)),), r"x has shape \(5, 2, 7\), but shape \(T, B, 3\) is needed"),
        ((np.ones((5, 3)),), r"x has shape \(5, 3\), but shape \(T, B, 3\) is needed"),
        ((np.ones((5, 2, 3), int),), "x has dtype int64, but float32 or float64 is needed"),
        ((np.ones((5, 2, 3), np.float16),), "x has dtype float16"),
        ((np.ones((5, 2, 3), np.float32),), "x has dtype float32, but float64 is needed"),
        (([["a"]],), "x has dtype"),
        ((np.ones((5, 2, 3)), np.ones((2, 4))), r"h_0 has shape \(2, 4\), but shape \(1, 2, 4\)"),
        ((np.ones((5, 2, 3)), np.ones((1, 1, 4))), r"h_0 has shape \(1, 1, 4\)"),
    ],
)
def test_a_wrong_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RNN(3, 4, seed=0)(*arguments)


def test_a_wrong_gradient_is_named():
    rnn = RNN(3, 4, seed=0)
    rnn(np.ones((5, 2, 3)))
    with pytest.raises(ValueError, match=r"dy has shape \(2, 4\), but shape \(5, 2, 4\)"):
        rnn.backward(np.ones((2, 4)))
    rnn(np.ones((5, 2, 3)))
    with pytest.raises(ValueError, match=r"dh_n has shape \(2, 4\), but shape \(1, 2, 4\)"):
        rnn.backward(np.ones((5, 2, 4)), np.ones((2, 4)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_size": 0, "hidden_size": 4}, "input_size must be a whole number"),
        ({"input_size": 3, "hidden_size": 2.5}, "hidden_size must be a whole number"),
        ({"input_size": 3, "hidden_size": 4, "nonlinearity": "gelu"}, "'tanh' or 'relu'"),
        ({"input_size": 3, "hidden_size": 4, "dtype": np.float16}, "float32 or float64"),
    ],
)
def test_a_wrong_setting_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RNN(**arguments)


def test_a_seed_decides_the_weights():
    same = RNN(3, 4, seed=5).state_dict(), RNN(3, 4, seed=5).state_dict()
    assert all((same[0][name] == same[1][name]).all() for name in same[0])
    assert (RNN(3, 4, seed=6).weight_hh_l0.data != same[0]["weight_hh_l0"]).any()
