"""One step of each cell: gradients, the relations between conventions, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import (
    GRU,
    LSTM,
    RNN,
    GRUCell,
    LSTMCell,
    RNNCell,
    check_gradients,
    gru_reset_before,
    gru_step,
    gru_step_backward,
    lstm_step,
    lstm_step_backward,
    unroll,
    unroll_backward,
)

LSTM_VARIANTS = [{"peepholes": p, "coupled": c} for p in (False, True) for c in (False, True)]
CELLS = [
    ("RNN tanh", lambda I, H, rng: RNNCell(I, H, "tanh", seed=rng)),
    ("RNN relu", lambda I, H, rng: RNNCell(I, H, "relu", seed=rng)),
    *[(f"LSTM {v}", lambda I, H, rng, v=v: LSTMCell(I, H, seed=rng, **v)) for v in LSTM_VARIANTS],
    ("GRU reset after", lambda I, H, rng: GRUCell(I, H, seed=rng)),
    ("GRU reset before", lambda I, H, rng: GRUCell(I, H, reset_after=False, seed=rng)),
]


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("peepholes", [False, True])
def test_lstm_step_backward_gives_every_gradient(peepholes, coupled):
    rng = np.random.default_rng(0)
    B, I, H, G = 3, 2, 4, 3 if coupled else 4
    shapes = {
        "x_t": (B, I), "h_prev": (B, H), "c_prev": (B, H),
        "W_x": (G * H, I), "W_h": (G * H, H), "b": (G * H,),
    }  # fmt: skip
    if peepholes:
        shapes["peepholes"] = (G - 1, H)
    arrays = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    dh, dc = rng.standard_normal((2, B, H))

    def loss():
        (h_t, c_t), _ = lstm_step(**arrays, coupled=coupled)
        return float((h_t * dh).sum() + (c_t * dc).sum())

    gradients = lstm_step_backward(dh, dc, lstm_step(**arrays, coupled=coupled)[1])
    assert (gradients[-1] is None) == (not peepholes)
    check_gradients(loss, arrays, dict(zip(shapes, gradients, strict=False)))


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_step_backward_gives_every_gradient(reset_after):
    rng = np.random.default_rng(1)
    B, I, H = 3, 2, 4
    shapes = {"x_t": (B, I), "h_prev": (B, H), "W_x": (3 * H, I), "W_h": (3 * H, H), "b": (3 * H,)}
    if reset_after:
        shapes["b_hn"] = (H,)
    arrays = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    dh = rng.standard_normal((B, H))
    _, cache = gru_step(**arrays, reset_after=reset_after)
    check_gradients(
        lambda: float((gru_step(**arrays, reset_after=reset_after)[0] * dh).sum()),
        arrays,
        dict(zip(shapes, gru_step_backward(dh, cache), strict=False)),
    )


@pytest.mark.parametrize(("name", "build"), CELLS)
def test_every_cell_unrolled_has_right_gradients(name, build):
    rng = np.random.default_rng(2)
    T, B, I, H = 4, 3, 2, 3
    cell = build(I, H, rng)
    pair = isinstance(cell.initial_state(B), tuple)
    x = rng.standard_normal((T, B, I))
    start = [rng.standard_normal((B, H)) for _ in range(2 if pair else 1)]
    dh = rng.standard_normal((T, B, H))
    dlast = [rng.standard_normal((B, H)) for _ in start]

    def wrap(arrays):
        return tuple(arrays) if pair else arrays[0]

    def loss():
        h, last, _ = unroll(cell, x, wrap(start))
        last = last if pair else (last,)
        return float((h * dh).sum()) + sum(
            float((a * d).sum()) for a, d in zip(last, dlast, strict=True)
        )

    _, _, caches = unroll(cell, x, wrap(start))
    dx, dstart = unroll_backward(cell, dh, caches, wrap(dlast))
    arrays = {"x": x} | {f"start {k}": a for k, a in enumerate(start)}
    gradients = {"x": dx} | {f"start {k}": a for k, a in enumerate(dstart if pair else [dstart])}
    for key, parameter in cell.named_parameters():
        arrays[key], gradients[key] = parameter.data, parameter.grad
    check_gradients(loss, arrays, gradients)


@given(T=st.integers(0, 20), B=st.integers(0, 3), I=st.integers(1, 4), H=st.integers(1, 4))
def test_layers_equal_a_loop_over_their_cell(T, B, I, H):
    rng = np.random.default_rng([T, B, I, H])
    x, dy = rng.standard_normal((T, B, I)), rng.standard_normal((T, B, H))
    for layer, cell in [
        (RNN(I, H, seed=rng), RNNCell(I, H)),
        (LSTM(I, H, seed=rng), LSTMCell(I, H)),
        (GRU(I, H, seed=rng), GRUCell(I, H)),
    ]:
        weights = {"W_x": layer.W_x, "W_h": layer.W_h, "b": layer.b}
        if isinstance(layer, GRU):
            weights["b"] = weights["b"].copy()
            weights["b"][2 * H :] = layer.gate("bias_ih_l0", "n")
            weights["b_hn"] = layer.gate("bias_hh_l0", "n")
        cell.load_state_dict(weights)
        y, _ = layer(x)
        dx, _ = layer.backward(dy)
        h, _, caches = unroll(cell, x, cell.initial_state(B))
        dx_loop, _ = unroll_backward(cell, dy, caches)
        for ours, loop in [
            (y, h),
            (dx, dx_loop),
            (layer.weight_ih_l0.grad, cell.W_x.grad),
            (layer.weight_hh_l0.grad, cell.W_h.grad),
            (layer.bias_ih_l0.grad, cell.b.grad),
        ]:
            np.testing.assert_allclose(ours, loop, rtol=1e-10, atol=1e-12)


def test_an_open_forget_gate_and_a_closed_input_gate_keep_the_memory():
    H, far = 3, 50.0
    b = np.concatenate([np.full(H, -far), np.full(H, far), np.zeros(H), np.full(H, far)])
    c_prev = np.random.default_rng(3).standard_normal((2, H))
    (h_t, c_t), _ = lstm_step(
        np.ones((2, 1)), c_prev, c_prev, np.zeros((4 * H, 1)), np.zeros((4 * H, H)), b
    )
    np.testing.assert_allclose(c_t, c_prev, rtol=1e-12)
    np.testing.assert_allclose(h_t, np.tanh(c_prev), rtol=1e-12)


def test_coupled_gates_are_an_lstm_whose_input_gate_mirrors_its_forget_gate():
    rng = np.random.default_rng(4)
    B, I, H = 3, 2, 4
    x, h, c = rng.standard_normal((B, I)), *rng.standard_normal((2, B, H))
    W_x, W_h = rng.standard_normal((3 * H, I)), rng.standard_normal((3 * H, H))
    b = rng.standard_normal(3 * H)
    coupled, _ = lstm_step(x, h, c, W_x, W_h, b, coupled=True)
    # 1 - σ(z) = σ(-z): the weights of i are those of f with the other sign
    mirrored = [np.concatenate([-array[:H], array]) for array in (W_x, W_h, b)]
    full, _ = lstm_step(x, h, c, *mirrored)
    for ours, theirs in zip(coupled, full, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_the_two_gru_conventions_agree_exactly_where_a_conversion_exists():
    rng = np.random.default_rng(5)
    B, I, H = 3, 2, 4
    x, h = rng.standard_normal((B, I)), rng.standard_normal((B, H))
    W_x, W_h = rng.standard_normal((3 * H, I)), rng.standard_normal((3 * H, H))
    b = rng.standard_normal(3 * H)
    after, _ = gru_step(x, h, W_x, W_h, b)
    before, _ = gru_step(x, h, W_x, W_h, b, reset_after=False)
    assert abs(after - before).max() > 0.01, "the two are different functions"
    W_h[2 * H :] = np.diag(rng.standard_normal(H))
    after, _ = gru_step(x, h, W_x, W_h, b, np.zeros(H))
    before, _ = gru_step(x, h, *gru_reset_before(W_x, W_h, b, np.zeros(H)), reset_after=False)
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_where_no_conversion_exists_the_error_says_why():
    W_x, W_h, b = np.ones((6, 1)), np.ones((6, 2)), np.ones(6)
    with pytest.raises(ValueError, match="W_hn that is not diagonal"):
        gru_reset_before(W_x, W_h, b)
    W_h[4:] = np.eye(2)
    with pytest.raises(ValueError, match="b_hn is not zero"):
        gru_reset_before(W_x, W_h, b, np.ones(2))
    with pytest.raises(ValueError, match="with reset_after=False there is none"):
        gru_step(np.ones((3, 1)), np.ones((3, 2)), W_x, W_h, b, np.ones(2), reset_after=False)


LSTM_STEP = {
    "x_t": np.ones((2, 3)), "h_prev": np.ones((2, 4)), "c_prev": np.ones((2, 4)),
    "W_x": np.ones((16, 3)), "W_h": np.ones((16, 4)), "b": np.ones(16),
    "peepholes": np.ones((3, 4)),
}  # fmt: skip
GRU_STEP = {
    "x_t": np.ones((2, 3)), "h_prev": np.ones((2, 4)),
    "W_x": np.ones((12, 3)), "W_h": np.ones((12, 4)), "b": np.ones(12), "b_hn": np.ones(4),
}  # fmt: skip


@pytest.mark.parametrize(
    ("step", "arguments", "name"),
    [(lstm_step, LSTM_STEP, name) for name in LSTM_STEP]
    + [(gru_step, GRU_STEP, name) for name in GRU_STEP],
)
def test_the_steps_name_each_argument_of_wrong_shape_or_dtype(step, arguments, name):
    with pytest.raises(ValueError, match=name + " has shape"):
        step(**arguments | {name: arguments[name][..., None]})
    with pytest.raises(ValueError, match=name + " has dtype int64"):
        step(**arguments | {name: arguments[name].astype(int)})
    with pytest.raises(ValueError, match="has dtype float"):
        step(**arguments | {name: arguments[name].astype(np.float32)})
    one_row = arguments[name][:1]
    if name not in ("x_t",):
        with pytest.raises(ValueError, match="has shape"):
            step(**arguments | {name: one_row})


def test_wrong_gradients_are_named():
    _, cache = lstm_step(**LSTM_STEP)
    with pytest.raises(ValueError, match=r"dh_t has shape \(1, 4\), but shape \(2, 4\)"):
        lstm_step_backward(np.ones((1, 4)), np.ones((2, 4)), cache)
    with pytest.raises(ValueError, match="dc_t has dtype float32"):
        lstm_step_backward(np.ones((2, 4)), np.ones((2, 4), np.float32), cache)
    _, cache = gru_step(**GRU_STEP)
    with pytest.raises(ValueError, match="dh_t has shape"):
        gru_step_backward(np.ones((2, 5)), cache)


@pytest.mark.parametrize("build", [LSTMCell, GRUCell])
def test_cells_keep_float32(build):
    cell = build(3, 4, seed=0, dtype=np.float32)
    state, cache = cell(np.ones((2, 3), np.float32), cell.initial_state(2))
    dx_t, dstate = cell.backward(state, cache)
    arrays = [dx_t, *(state if isinstance(state, tuple) else [state])]
    arrays += [*(dstate if isinstance(dstate, tuple) else [dstate])]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
