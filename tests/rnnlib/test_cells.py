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
    rnn_step,
    rnn_step_backward,
    unroll,
    unroll_backward,
)

VARIANTS = [None, "NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "FGR"]
LSTM_VARIANTS = [{"peepholes": p, "variant": v} for p in (False, True) for v in VARIANTS]
CELLS = [
    ("RNN tanh", lambda I, H, rng: RNNCell(I, H, "tanh", seed=rng)),
    ("RNN relu", lambda I, H, rng: RNNCell(I, H, "relu", seed=rng)),
    *[(f"LSTM {v}", lambda I, H, rng, v=v: LSTMCell(I, H, seed=rng, **v)) for v in LSTM_VARIANTS],
    ("GRU reset after", lambda I, H, rng: GRUCell(I, H, seed=rng)),
    ("GRU reset before", lambda I, H, rng: GRUCell(I, H, reset_after=False, seed=rng)),
]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("peepholes", [False, True])
def test_lstm_step_backward_gives_every_gradient(peepholes, variant):
    rng = np.random.default_rng(0)
    B, I, H, G = 3, 2, 4, 3 if variant in ("NIG", "NFG", "NOG", "CIFG") else 4
    shapes = {
        "x_t": (B, I), "h_prev": (B, H), "c_prev": (B, H),
        "W_x": (G * H, I), "W_h": (G * H, H), "b": (G * H,),
    }  # fmt: skip
    if peepholes:
        shapes["peepholes"] = (G - 1, H)
    if variant == "FGR":
        shapes |= {"gates_prev": (B, 3 * H), "W_g": (3 * H, 3 * H)}
    arrays = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    dstate = [rng.standard_normal((B, width * H)) for width in (1, 1, 3)]

    def loss():
        state, _ = lstm_step(**arrays, variant=variant)
        return sum(float((a * d).sum()) for a, d in zip(state, dstate, strict=False))

    _, cache = lstm_step(**arrays, variant=variant)
    gradients = lstm_step_backward(*dstate[:2], cache, dstate[2] if variant == "FGR" else None)
    assert (gradients[6] is None) == (not peepholes)
    given = [gradient for gradient in gradients if gradient is not None]
    check_gradients(loss, arrays, dict(zip(shapes, given, strict=True)))


def gates_of(variant, x, h, c, gates, cell):
    """One step as Greff et al. write it, one unit after the other, to compare with."""
    H, rows = c.shape[1], {"NIG": "fgo", "CIFG": "fgo", "NFG": "igo", "NOG": "ifg"}
    rows = rows.get(variant, "ifgo")
    state = np.empty((2, *c.shape)), np.empty((len(x), 3 * H))

    def sigmoid(z):
        return 1.0 / (1.0 + np.exp(-z))

    for n, k in np.ndindex(c.shape):

        def z(gate, seen, n=n, k=k):
            if gate not in rows:
                return None
            row = rows.index(gate) * H + k
            total = cell.W_x.data[row] @ x[n] + cell.W_h.data[row] @ h[n] + cell.b.data[row]
            if gate != "g":
                total += cell.p.data[rows.replace("g", "").index(gate), k] * seen
                if variant == "FGR":
                    total += cell.W_g.data["ifo".index(gate) * H + k] @ gates[n]
            return total

        f = sigmoid(z("f", c[n, k])) if "f" in rows else 1.0
        i = sigmoid(z("i", c[n, k])) if "i" in rows else 1.0 - f if variant == "CIFG" else 1.0
        g = z("g", 0.0) if variant == "NIAF" else np.tanh(z("g", 0.0))
        new = f * c[n, k] + i * g
        o = sigmoid(z("o", new)) if "o" in rows else 1.0
        state[0][:, n, k] = o * (new if variant == "NOAF" else np.tanh(new)), new
        state[1][n, [k, H + k, 2 * H + k]] = i, f, o
    return *state[0], state[1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_of_the_lstm_is_what_its_name_says(variant):
    rng = np.random.default_rng(6)
    cell = LSTMCell(2, 3, peepholes=True, variant=variant, seed=rng)
    state = tuple(rng.random(array.shape) for array in cell.initial_state(2))
    x = rng.standard_normal((2, 2))
    new, _ = cell(x, state)
    assert len(new) == (3 if variant == "FGR" else 2)
    by_hand = gates_of(variant, x, *state[:2], state[2] if len(state) > 2 else None, cell)
    for ours, wanted in zip(new, by_hand, strict=False):
        np.testing.assert_allclose(ours, wanted, rtol=1e-12)


def test_what_is_no_variant_is_refused_by_name():
    with pytest.raises(ValueError, match=r"variant must be one of NIG, .*, FGR, got 'GRU'"):
        LSTMCell(3, 4, variant="GRU")
    with pytest.raises(ValueError, match=r"variant must be one of NIG, .*, FGR, got 'NP'"):
        lstm_step(**LSTM_STEP, variant="NP")
    with pytest.raises(ValueError, match="gates_prev and W_g belong to variant 'FGR'"):
        lstm_step(**LSTM_STEP, variant="FGR")
    with pytest.raises(ValueError, match="gates_prev and W_g belong to variant 'FGR'"):
        lstm_step(**LSTM_STEP, W_g=np.ones((12, 12)))


@pytest.mark.parametrize(("name", "build"), CELLS)
def test_a_buffer_or_weight_that_changes_in_between_does_not_change_the_gradient(name, build):
    rng = np.random.default_rng(7)
    results = []
    for spoil in (False, True):
        cell, x = build(2, 3, np.random.default_rng(8)), np.ones((4, 2, 2))
        start = cell.initial_state(2)
        h, last, caches = unroll(cell, x, start)
        if spoil:
            states = [*start, *last] if isinstance(start, tuple) else [start, last]
            for array in [x, h, *states, *(p.data for p in cell.parameters())]:
                array[...] = np.nan
        dx, _ = unroll_backward(cell, np.ones((4, 2, 3)), caches)
        results.append([dx, *(p.grad for p in cell.parameters())])
    for honest, spoilt in zip(*results, strict=True):
        np.testing.assert_allclose(spoilt, honest, rtol=1e-12)
    # arrays of one's own, without a cell
    x_t, h_prev = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    W, b = rng.standard_normal((2, 3, 3)), rng.standard_normal(3)
    h_t, cache = rnn_step(x_t, h_prev, *W, b)
    wanted = rnn_step_backward(np.ones((2, 3)), cache)
    for array in (x_t, h_prev, h_t, W):
        array[...] = np.nan
    for ours, honest in zip(rnn_step_backward(np.ones((2, 3)), cache), wanted, strict=True):
        np.testing.assert_array_equal(ours, honest)


def test_an_unrolled_cell_keeps_its_weights_once():
    cell = LSTMCell(2, 3, seed=0)
    _, _, (first, *_, last) = unroll(cell, np.ones((50, 1, 2)), cell.initial_state(1))
    for name in ("W_x", "W_h"):
        still = getattr(cell, name).still()
        assert any(part is still for part in first) and any(part is still for part in last)


@pytest.mark.parametrize(("name", "build"), CELLS)
def test_the_final_state_alone_can_be_walked_back_from(name, build):
    cell = build(2, 3, np.random.default_rng(9))
    x, dlast = np.ones((4, 2, 2)), cell.initial_state(2)
    dlast = tuple(a + 1.0 for a in dlast) if isinstance(dlast, tuple) else dlast + 1.0
    _, _, caches = unroll(cell, x, cell.initial_state(2))
    dx, _ = unroll_backward(cell, None, caches, dlast)
    whole, _ = unroll_backward(cell, np.zeros((4, 2, 3)), caches, dlast)
    np.testing.assert_array_equal(dx, whole)
    assert dx.any()
    with pytest.raises(ValueError, match="dh and dstate are both None"):
        unroll_backward(cell, None, caches)


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
    zero = cell.initial_state(B)
    start = [rng.standard_normal(array.shape) for array in (zero if pair else [zero])]
    dh = rng.standard_normal((T, B, H))
    dlast = [rng.standard_normal(array.shape) for array in start]

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
    coupled, _ = lstm_step(x, h, c, W_x, W_h, b, variant="CIFG")
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
    moves = {
        "each unit reads its own state": np.diag(rng.standard_normal(H)),
        "a scaled permutation": np.diag(rng.standard_normal(H))[[2, 0, 3, 1]],
        "one unit reads all states": np.outer(np.eye(H)[1], rng.standard_normal(H)),
        "nobody reads": np.zeros((H, H)),
    }
    for which, W_hn in moves.items():
        W_h[2 * H :] = W_hn
        after, _ = gru_step(x, h, W_x, W_h, b, np.zeros(H))
        moved = gru_reset_before(W_x, W_h, b, np.zeros(H))
        before, _ = gru_step(x, h, *moved, reset_after=False)
        np.testing.assert_allclose(after, before, rtol=1e-12, err_msg=which)
    W_h[2 * H :] = rng.standard_normal((H, H))  # dense, but all units have the same reset gate
    for array in (W_x, W_h, b):
        array[:H] = array[0]
    after, _ = gru_step(x, h, W_x, W_h, b)
    before, _ = gru_step(x, h, *gru_reset_before(W_x, W_h, b), reset_after=False)
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_a_conversion_that_is_refused_says_why():
    W_x, W_h, b = np.arange(6.0)[:, None], np.zeros((6, 2)), np.ones(6)
    W_h[4:, 1] = 1.0
    with pytest.raises(ValueError, match=r"units 0 and 1 both read h\[1\], and their reset gates"):
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
