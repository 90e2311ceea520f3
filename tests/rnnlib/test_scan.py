"""The scan equals the loop; minGRU and minLSTM equal torch's autograd and their own steps."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_against_torch import CONFIGURATIONS, assert_equal, tensor
from test_gradients import module_arrays

from rnnlib import MinGRU, MinLSTM, check_gradients, scan, scan_backward, scan_loop
from rnnlib.scan import Minimal

LAYERS = [MinGRU, MinLSTM]
MODULE = sys.modules["rnnlib.scan"]  # rnnlib.scan is the function
# a bias's gradient is a sum, and where it nearly vanishes float32 has few digits left
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-4}


def recurrence(rng, T, B, H, dtype=np.float64):
    """Signs of all kinds: the scan needs no positive numbers."""
    a = rng.uniform(-1.2, 1.2, (T, B, H)).astype(dtype)
    return (
        a,
        rng.standard_normal((T, B, H)).astype(dtype),
        rng.standard_normal((B, H)).astype(dtype),
    )


@given(T=st.integers(0, 70), B=st.integers(0, 3), H=st.integers(0, 3))
def test_scan_equals_the_loop_for_any_number_of_steps(T, B, H):
    rng = np.random.default_rng([T, B, H])
    a, b, h_0 = recurrence(rng, T, B, H)
    h = scan_loop(a, b, h_0)
    np.testing.assert_allclose(scan(a, b, h_0), h, rtol=1e-10, atol=1e-10)
    dh = rng.standard_normal(h.shape)
    got = scan_backward(dh, a, h, h_0)
    want = scan_backward(dh, a, h, h_0, parallel=False)
    for ours, loop in zip(got, want, strict=True):
        np.testing.assert_allclose(ours, loop, rtol=1e-10, atol=1e-10)
    if T == 0:
        assert h.shape == (0, B, H)
        np.testing.assert_array_equal(got[2], np.zeros((B, H)))


def test_the_loop_is_the_formula():
    rng = np.random.default_rng(0)
    a, b, h_0 = recurrence(rng, 6, 2, 3)
    h, h_t = scan_loop(a, b, h_0), h_0
    for t in range(6):
        h_t = a[t] * h_t + b[t]
        np.testing.assert_array_equal(h[t], h_t)


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scan_equals_torch_in_values_and_all_gradients(parallel, dtype):
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        T, B, H = (int(n) for n in rng.integers(1, [40, 5, 5]))
        a, b, h_0 = recurrence(rng, T, B, H, dtype)
        dh = rng.standard_normal((T, B, H)).astype(dtype)
        h = (scan if parallel else scan_loop)(a, b, h_0)
        got = dict(zip(["a", "b", "h_0"], scan_backward(dh, a, h, h_0, parallel), strict=True))
        twins = {"a": tensor(a), "b": tensor(b), "h_0": tensor(h_0)}
        steps, h_t = [], twins["h_0"]
        for a_t, b_t in zip(twins["a"], twins["b"], strict=True):
            h_t = a_t * h_t + b_t
            steps.append(h_t)
        h_twin = torch.stack(steps)
        (h_twin * tensor(dh)).sum().backward()
        want = {name: twin.grad for name, twin in twins.items()}
        assert_equal(got | {"h": h}, want | {"h": h_twin}, TOLERANCE[dtype])
        assert all(array.dtype == dtype for array in got.values())


@pytest.mark.parametrize("T", [1, 2, 5, 8, 13])
def test_scan_gradients(T):
    rng = np.random.default_rng(T)
    a, b, h_0 = recurrence(rng, T, 2, 2)
    dh = rng.standard_normal((T, 2, 2))
    gradients = scan_backward(dh, a, scan(a, b, h_0), h_0)
    arrays = {"a": a, "b": b, "h_0": h_0}
    check_gradients(
        lambda: float((scan(a, b, h_0) * dh).sum()),
        arrays,
        dict(zip(arrays, gradients, strict=True)),
    )


def test_scan_holds_where_a_product_of_all_steps_is_no_float_any_more():
    rng = np.random.default_rng(1)
    a, b, h_0 = (
        rng.uniform(0.0, 1.0, (5000, 1, 4)),
        rng.standard_normal((5000, 1, 4)),
        np.ones((1, 4)),
    )
    a[::7] = 0.0
    products = a.cumprod(axis=0)
    with np.errstate(all="ignore"):  # the closed form that divides by it
        assert not np.isfinite((b / products).cumsum(axis=0)).all()
    np.testing.assert_allclose(scan(a, b, h_0), scan_loop(a, b, h_0), rtol=1e-10, atol=1e-13)


def test_scan_makes_calls_in_proportion_to_the_logarithm_of_its_steps(monkeypatch):
    calls = []
    whole = MODULE._scan_from_zero
    monkeypatch.setattr(MODULE, "_scan_from_zero", lambda a, b: calls.append(len(b)) or whole(a, b))
    scan(*recurrence(np.random.default_rng(2), 1000, 1, 1))
    assert calls == [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1]


def test_scan_does_not_modify_its_inputs():
    arrays = recurrence(np.random.default_rng(3), 9, 2, 3)
    before = [array.copy() for array in arrays]
    h = scan(*arrays)
    scan_backward(h, arrays[0], h, arrays[2])
    scan_loop(*arrays)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    np.testing.assert_array_equal(h, scan(*before))


@pytest.mark.parametrize("solve", [scan, scan_loop])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": np.ones((5, 2))}, r"a has shape \(5, 2\), but shape \(T, B, H\) is needed"),
        ({"a": np.ones((5, 2, 3), int)}, "a has dtype int64"),
        ({"a": np.ones((5, 2, 3), np.float16)}, "a has dtype float16"),
        ({"b": np.ones((1, 2, 3))}, r"b has shape \(1, 2, 3\), but shape \(5, 2, 3\) is needed"),
        ({"b": np.ones((5, 2, 3), np.float32)}, "b has dtype float32, but float64 is needed"),
        ({"h_0": np.ones((1, 2, 3))}, r"h_0 has shape \(1, 2, 3\), but shape \(2, 3\) is needed"),
        ({"h_0": np.ones(3)}, r"h_0 has shape \(3,\), but shape \(2, 3\) is needed"),
    ],
)
def test_a_wrong_recurrence_is_named(solve, change, message):
    arrays = {"a": np.ones((5, 2, 3)), "b": np.ones((5, 2, 3)), "h_0": np.ones((2, 3))}
    with pytest.raises(ValueError, match=message):
        solve(**(arrays | change))


def test_a_wrong_gradient_of_a_scan_is_named():
    a, b, h_0 = recurrence(np.random.default_rng(4), 5, 2, 3)
    with pytest.raises(ValueError, match=r"dh has shape \(2, 3\), but shape \(5, 2, 3\)"):
        scan_backward(h_0, a, b, h_0)
    with pytest.raises(ValueError, match=r"h has shape \(2, 3\), but shape \(5, 2, 3\)"):
        scan_backward(b, a, h_0, h_0)


def torch_states(ours, twins, x, h_0):
    """The paper's formulas, one step after the other, with a division where it divides."""

    def linear(name):
        return x @ twins[f"{name}.weight"].T + twins[f"{name}.bias"]

    candidate = linear("linear_h")
    if isinstance(ours, MinGRU):
        new = torch.sigmoid(linear("linear_z"))
        old = 1 - new
    else:
        f, i = torch.sigmoid(linear("linear_f")), torch.sigmoid(linear("linear_i"))
        old, new = f / (f + i), i / (f + i)
    h, h_t = [], h_0[0]
    for t in range(len(x)):
        h_t = old[t] * h_t + new[t] * candidate[t]
        h.append(h_t)
    return torch.stack(h)


def minimal_case(layer, seed, dtype):
    """One random configuration: everything that comes out of rnnlib and of torch."""
    rng = np.random.default_rng(seed)
    T, B, I, H = (int(n) for n in rng.integers(1, [20, 5, 6, 6]))
    ours = layer(I, H, parallel=[None, True, False][seed % 3], seed=rng, dtype=dtype)
    x, h_0 = rng.standard_normal((T, B, I)), rng.standard_normal((1, B, H))
    dy, dh_n = rng.standard_normal((T, B, H)), rng.standard_normal((1, B, H))
    x, h_0, dy, dh_n = (array.astype(dtype) for array in (x, h_0, dy, dh_n))
    given = seed % 4 > 0
    y, h_n = ours(x, h_0 if given else None)
    dx, dh_0 = ours.backward(dy, dh_n)
    got = {"y": y, "h_n": h_n, "x": dx, "h_0": dh_0}
    got |= {name: parameter.grad for name, parameter in ours.named_parameters()}

    twins = {name: tensor(parameter.data) for name, parameter in ours.named_parameters()}
    x_t, h_0_t = tensor(x), tensor(h_0 if given else np.zeros_like(h_0))
    y_t = torch_states(ours, twins, x_t, h_0_t)
    ((y_t * tensor(dy)).sum() + (y_t[-1:] * tensor(dh_n)).sum()).backward()
    want = {"y": y_t, "h_n": y_t[-1:], "x": x_t.grad, "h_0": h_0_t.grad}
    return got, want | {name: twin.grad for name, twin in twins.items()}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layer", LAYERS)
def test_layers_equal_torch_in_values_and_all_gradients(layer, dtype):
    for seed in range(CONFIGURATIONS):
        got, want = minimal_case(layer, seed, dtype)
        assert_equal(got, want, TOLERANCE[dtype])
        assert all(array.dtype == dtype for array in got.values())


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("layer", LAYERS)
def test_layer_gradients(layer, parallel):
    rng = np.random.default_rng(5)
    minimal = layer(2, 3, parallel=parallel, seed=rng)
    x, h_0 = rng.standard_normal((5, 2, 2)), rng.standard_normal((1, 2, 3))
    dy, dh_n = rng.standard_normal((5, 2, 3)), rng.standard_normal((1, 2, 3))

    def loss():
        y, h_n = minimal(x, h_0)
        return float((y * dy).sum() + (h_n * dh_n).sum())

    loss()
    dx, dh_0 = minimal.backward(dy, dh_n)
    arrays, gradients = module_arrays(minimal)
    check_gradients(loss, arrays | {"x": x, "h_0": h_0}, gradients | {"x": dx, "h_0": dh_0})


@pytest.mark.parametrize("layer", LAYERS)
def test_left_to_itself_a_layer_scans_narrow_states_and_loops_over_wide_ones(layer, monkeypatch):
    used = []
    for solve in (scan, scan_loop):
        monkeypatch.setattr(
            MODULE, solve.__name__, lambda *arrays, f=solve: used.append(f) or f(*arrays)
        )
    for H, parallel, want in [(4, None, scan), (400, None, scan_loop), (4, False, scan_loop)]:
        minimal = layer(3, H, parallel=parallel, seed=0)
        y, _ = minimal(np.ones((5, 2, 3)))
        minimal.backward(y)
        assert used == [want, want]
        used.clear()


sizes = st.integers(1, 4)


@given(
    layer=st.sampled_from(LAYERS),
    T=st.integers(0, 20),
    B=st.integers(0, 3),
    I=sizes,
    H=sizes,
    parallel=st.booleans(),
)
def test_a_layer_equals_a_loop_over_its_step(layer, T, B, I, H, parallel):
    rng = np.random.default_rng([T, B, I, H])
    minimal = layer(I, H, parallel=parallel, seed=rng)
    x, h_0 = rng.standard_normal((T, B, I)), rng.standard_normal((1, B, H))
    y, h_n = minimal(x, h_0)
    assert y.shape == (T, B, H)
    dx, dh_0 = minimal.backward(np.ones_like(y), np.ones_like(h_n))
    assert (dx.shape, dh_0.shape) == (x.shape, h_0.shape)
    h_t = h_0[0]
    for t in range(T):
        h_t = minimal.step(x[t], h_t)
        np.testing.assert_allclose(y[t], h_t, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(h_n[0], h_t, rtol=1e-10, atol=1e-13)
    if T == 0:
        np.testing.assert_array_equal(h_n, h_0)
        np.testing.assert_array_equal(dh_0, np.ones_like(h_0))


@pytest.mark.parametrize("layer", LAYERS)
def test_permuting_the_batch_permutes_the_result(layer):
    rng = np.random.default_rng(6)
    minimal, order = layer(3, 4, seed=rng), rng.permutation(5)
    x, dy = rng.standard_normal((6, 5, 3)), rng.standard_normal((6, 5, 4))
    y, _ = minimal(x)
    dx, _ = minimal.backward(dy)
    mixed, _ = minimal(x[:, order])
    np.testing.assert_allclose(mixed, y[:, order], rtol=1e-12)
    np.testing.assert_allclose(minimal.backward(dy[:, order])[0], dx[:, order], rtol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("parallel", [True, False])
def test_a_ragged_batch_equals_its_sequences_one_by_one_whatever_pads_it(layer, parallel):
    rng = np.random.default_rng(10)
    minimal = layer(3, 4, parallel=parallel, seed=rng)
    x, dy = rng.standard_normal((9, 5, 3)), rng.standard_normal((9, 5, 4))
    start, dlast = rng.standard_normal((2, 1, 5, 4))
    lengths = np.array([9, 1, 4, 4, 7])
    padding = np.arange(9)[:, None] >= lengths
    x[padding] = dy[padding] = np.nan
    y, last = minimal(x, start, lengths)
    dx, dstart = minimal.backward(dy, dlast)
    assert not y[padding].any() and not dx[padding].any()
    together = {name: p.grad.copy() for name, p in minimal.named_parameters()}
    minimal.zero_grad()
    for b, n in enumerate(lengths):
        one = slice(b, b + 1)
        y_b, last_b = minimal(x[:n, one], start[:, one])
        dx_b, dstart_b = minimal.backward(dy[:n, one], dlast[:, one])
        for ours, alone in [
            (y[:n, one], y_b), (last[:, one], last_b), (dx[:n, one], dx_b),
            (dstart[:, one], dstart_b),
        ]:  # fmt: skip
            np.testing.assert_allclose(ours, alone, rtol=1e-10, atol=1e-13)
    for name, parameter in minimal.named_parameters():
        np.testing.assert_allclose(together[name], parameter.grad, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_nan_of_a_sequence_is_not_in_its_padding(layer):
    x = np.ones((5, 2, 3))
    x[1, 0, 0] = np.nan
    y, last = layer(3, 4, seed=0)(x, lengths=[3, 5])
    assert np.isnan(y[1:3, 0]).all() and np.isnan(last[0, 0]).all()
    assert not y[3:, 0].any()


@pytest.mark.parametrize("layer", LAYERS)
def test_the_last_state_alone_can_be_walked_back_from(layer):
    rng = np.random.default_rng(11)
    minimal, x = layer(3, 4, seed=rng), rng.standard_normal((6, 2, 3))
    dlast = rng.standard_normal((1, 2, 4))
    minimal(x, lengths=[6, 2])
    dx, _ = minimal.backward(dstate=dlast)
    minimal(x, lengths=[6, 2])
    whole, _ = minimal.backward(np.zeros((6, 2, 4)), dlast)
    np.testing.assert_allclose(dx, whole, rtol=1e-12)
    assert dx[:2].any()
    minimal(x)
    with pytest.raises(ValueError, match="dy and dstate are both None"):
        minimal.backward()


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("lengths", [None, [6, 2]])
def test_what_is_refilled_since_does_not_change_the_gradient(layer, lengths):
    rng = np.random.default_rng(12)
    x, start, dy = rng.random((6, 2, 3)), rng.random((1, 2, 4)), rng.random((6, 2, 4))
    minimal, results = layer(3, 4, seed=rng), []
    lengths = None if lengths is None else np.array(lengths)
    for spoil in (False, True):
        minimal.zero_grad()
        minimal(x, start, lengths)
        if spoil:
            for array in [x, start, *(p.data for p in minimal.parameters())]:
                array[...] = np.nan
            if lengths is not None:
                lengths[...] = 1
        results.append(
            [*minimal.backward(dy, dy[:1]), *(p.grad.copy() for p in minimal.parameters())]
        )
    for honest, spoilt in zip(*results, strict=True):
        np.testing.assert_allclose(spoilt, honest, rtol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
def test_carrying_the_state_over_pieces_equals_one_pass(layer):
    rng = np.random.default_rng(7)
    minimal, x = layer(3, 4, seed=rng), rng.standard_normal((7, 2, 3))
    whole, last = minimal(x)
    first, state = minimal(x[:4])
    second, state = minimal(x[4:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-12)
    np.testing.assert_allclose(state, last, rtol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("parallel", [True, False])
def test_nan_stays_in_its_own_sequence_and_begins_at_its_own_step(layer, parallel):
    minimal, x = layer(3, 4, parallel=parallel, seed=0), np.ones((9, 3, 3))
    clean, _ = minimal(x)
    x[4, 1, 0] = np.nan
    y, _ = minimal(x)
    assert np.isnan(y[4:, 1]).all()
    np.testing.assert_allclose(y[:4], clean[:4], rtol=1e-12)
    np.testing.assert_allclose(y[:, [0, 2]], clean[:, [0, 2]], rtol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("size", [50.0, 1000.0])
def test_gates_that_are_all_closed_or_all_open_do_not_divide_by_zero(layer, size):
    for sign in (-1.0, 1.0):
        minimal = layer(3, 4, seed=0)
        for name, parameter in minimal.named_parameters():
            if name.endswith("bias") and "linear_h" not in name:
                parameter.data[...] = sign * size
        x = np.random.default_rng(8).standard_normal((6, 2, 3))
        y, _ = minimal(x, np.ones((1, 2, 4)))
        dx, _ = minimal.backward(np.ones_like(y))
        assert np.isfinite(y).all() and np.isfinite(dx).all()
    gates = {name: tensor(parameter.data) for name, parameter in minimal.named_parameters()}
    want = torch_states(minimal, gates, tensor(x), tensor(np.ones((1, 2, 4))))
    np.testing.assert_allclose(y, want.detach().numpy(), rtol=1e-10)


def test_a_minlstm_keeps_half_where_both_gates_are_closed_alike():
    minimal = MinLSTM(1, 1, seed=0)
    for parameter in minimal.parameters():
        parameter.data[...] = 0.0
    minimal.linear_f.bias.data[...] = minimal.linear_i.bias.data[...] = -800.0
    y, _ = minimal(np.zeros((2, 1, 1)), np.ones((1, 1, 1)))
    assert y[:, 0, 0].tolist() == [0.5, 0.25]


@pytest.mark.parametrize("layer", LAYERS)
def test_each_forward_is_walked_back_once_and_a_step_forgets_it(layer):
    minimal, x = layer(3, 4, seed=0), np.ones((5, 2, 3))
    y, h_n = minimal(x)
    minimal.backward(y)
    once = [parameter.grad.copy() for parameter in minimal.parameters()]
    with pytest.raises(RuntimeError, match=r"Min\w+\.backward needs a forward pass"):
        minimal.backward(y)
    minimal(x)
    minimal.backward(y)
    for parameter, gradient in zip(minimal.parameters(), once, strict=True):
        np.testing.assert_allclose(parameter.grad, 2 * gradient, rtol=1e-12)
    minimal(x)
    minimal.step(x[0], h_n[0])
    with pytest.raises(RuntimeError, match=r"Min\w+\.backward needs a forward pass"):
        minimal.backward(y)


@pytest.mark.parametrize("layer", LAYERS)
def test_inputs_are_not_modified_and_outputs_are_not_shared(layer):
    rng = np.random.default_rng(9)
    minimal, x, h_0 = layer(3, 4, seed=rng), rng.standard_normal((5, 2, 3)), np.ones((1, 2, 4))
    before = x.copy()
    y, h_n = minimal(x, h_0)
    kept, dy, dh_n = y.copy(), np.ones((5, 2, 4)), np.ones((1, 2, 4))
    minimal.backward(dy, dh_n)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(h_0, np.ones((1, 2, 4)))
    np.testing.assert_array_equal(dy, np.ones((5, 2, 4)))
    minimal(2 * x)
    h_n += 1.0
    np.testing.assert_array_equal(y, kept)
    with pytest.raises(ValueError, match="read-only"):
        y += 1.0
    y, _ = minimal.eval()(x)
    y += 1.0  # in evaluation nobody needs it any more
    _, last = minimal(x[:0], h_0)
    last += 1.0
    np.testing.assert_array_equal(h_0, np.ones((1, 2, 4)))


@pytest.mark.parametrize("layer", LAYERS)
def test_a_non_contiguous_input_gives_the_same(layer):
    rng = np.random.default_rng(10)
    minimal, x = layer(3, 4, seed=rng), rng.standard_normal((10, 4, 6))
    view = x[::2, ::-1, ::2]
    np.testing.assert_allclose(minimal(view)[0], minimal(view.copy())[0], rtol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer: layer(0, 4), "input_size must be a whole number"),
        (lambda layer: layer(3, 2.5), "hidden_size must be a whole number"),
        (lambda layer: layer(3, 4, dtype=np.float16), "float32 or float64"),
        (
            lambda layer: layer(3, 4)(np.ones((5, 2, 7))),
            r"x has shape \(5, 2, 7\), but shape \(T, B, 3\) is needed",
        ),
        (lambda layer: layer(3, 4)(np.ones((5, 3))), r"x has shape \(5, 3\)"),
        (lambda layer: layer(3, 4)(np.ones((5, 2, 3), int)), "x has dtype int64"),
        (lambda layer: layer(3, 4)(np.ones((5, 2, 3), np.float32)), "but float64 is needed"),
        (
            lambda layer: layer(3, 4)(np.ones((5, 2, 3)), np.ones((2, 4))),
            r"h_0 has shape \(2, 4\), but shape \(1, 2, 4\) is needed",
        ),
        (
            lambda layer: layer(3, 4).step(np.ones((1, 2, 3)), np.ones((2, 4))),
            r"x_t has shape \(1, 2, 3\), but shape \(B, 3\) is needed",
        ),
        (
            lambda layer: layer(3, 4).step(np.ones((2, 3)), np.ones((1, 4))),
            r"h_prev has shape \(1, 4\), but shape \(2, 4\) is needed",
        ),
    ],
)
def test_a_wrong_setting_or_input_is_named(layer, call, message):
    with pytest.raises(ValueError, match=message):
        call(layer)


def test_a_wrong_gradient_is_named():
    minimal = MinGRU(3, 4, seed=0)
    minimal(np.ones((5, 2, 3)))
    with pytest.raises(ValueError, match=r"dy has shape \(2, 4\), but shape \(5, 2, 4\)"):
        minimal.backward(np.ones((2, 4)))
    minimal(np.ones((5, 2, 3)))
    with pytest.raises(ValueError, match=r"dh_n has shape \(2, 4\), but shape \(1, 2, 4\)"):
        minimal.backward(np.ones((5, 2, 4)), np.ones((2, 4)))


def test_a_layer_that_does_not_say_what_it_keeps_says_so():
    with pytest.raises(NotImplementedError, match="Minimal does not say what it keeps"):
        Minimal(3, 4)(np.ones((5, 2, 3)))
    with pytest.raises(NotImplementedError, match="Minimal does not say what it keeps"):
        Minimal(3, 4)._keep_back(np.ones(1), np.ones(1), ())
