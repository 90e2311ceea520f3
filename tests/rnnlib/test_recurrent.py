"""What the recurrent layer promises beyond its numbers."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnnlib
from rnnlib import (
    GRU,
    LSTM,
    RNN,
    check_gradients,
    gru_step,
    kernels,
    lstm_step,
    rnn_step,
)

LAYERS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
all_layers = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
sizes = st.integers(1, 6)


def parts(state):
    """The arrays of a state, as a list."""
    return list(state) if isinstance(state, tuple) else [state]


def gradients(layer):
    return {name: parameter.grad.copy() for name, parameter in layer.named_parameters()}


def ragged_case(layer, seed, **settings):
    """A layer of two floors and two directions, and a batch of ragged sequences."""
    rng = np.random.default_rng(seed)
    T, B, I, H = 9, 5, 3, 4
    model = layer(I, H, 2, bidirectional=True, seed=rng, **settings)
    return model, rng.standard_normal((T, B, I)), np.array([9, 1, 4, 4, 7]), rng


@all_layers
def test_padding_values_change_nothing(layer):
    model, x, lengths, rng = ragged_case(layer, 0)
    padding = np.arange(len(x))[:, None] >= lengths
    dy = rng.standard_normal((9, 5, 8))
    results = []
    for fill in (0.0, 1e6, np.nan):
        x[padding] = fill
        dy[padding] = fill
        model.zero_grad()
        y, state = model(x, lengths=lengths)
        dx, dstate = model.backward(dy)
        results.append([y, dx, *parts(state), *parts(dstate), *gradients(model).values()])
        assert not y[padding].any() and not dx[padding].any()
    for other in results[1:]:
        for array, same in zip(results[0], other, strict=True):
            np.testing.assert_allclose(array, same, rtol=1e-12)


@all_layers
def test_a_ragged_batch_equals_its_sequences_one_by_one(layer):
    model, x, lengths, rng = ragged_case(layer, 1)
    start = [rng.standard_normal((4, 5, 4)) for _ in parts(model(x)[1])]
    dy = rng.standard_normal((9, 5, 8))

    def wrap(arrays):
        return tuple(arrays) if len(arrays) == 2 else arrays[0]

    y, last = model(x, wrap(start), lengths)
    dx, dstart = model.backward(dy)
    together = gradients(model)
    model.zero_grad()
    for b, n in enumerate(lengths):
        one = slice(b, b + 1)
        y_b, last_b = model(x[:n, one], wrap([array[:, one] for array in start]))
        dx_b, dstart_b = model.backward(dy[:n, one])
        np.testing.assert_allclose(y[:n, one], y_b, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(dx[:n, one], dx_b, rtol=1e-10, atol=1e-13)
        for ours, single in zip(
            parts(last) + parts(dstart), parts(last_b) + parts(dstart_b), strict=True
        ):
            np.testing.assert_allclose(ours[:, one], single, rtol=1e-10, atol=1e-13)
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(together[name], gradient, rtol=1e-10, atol=1e-13)


@all_layers
def test_the_final_state_is_each_sequence_s_own_last(layer):
    model, x, lengths, _ = ragged_case(layer, 2)
    y, state = model(x, lengths=lengths)
    h_n = parts(state)[0]
    for b, n in enumerate(lengths):
        np.testing.assert_array_equal(h_n[2, b], y[n - 1, b, :4])  # forwards: after the last input
        np.testing.assert_array_equal(h_n[3, b], y[0, b, 4:])  # backwards: after the first


@all_layers
def test_the_reverse_direction_is_the_forward_one_on_reversed_input(layer):
    rng = np.random.default_rng(3)
    both, x = layer(3, 4, bidirectional=True, seed=rng), rng.standard_normal((6, 2, 3))
    alone = layer(3, 4)
    state = both.state_dict()
    alone.load_state_dict({name: state[name + "_reverse"] for name in alone.state_dict()})
    np.testing.assert_allclose(both(x)[0][..., 4:], alone(x[::-1])[0][::-1], rtol=1e-12)


@all_layers
@given(T=sizes, B=sizes, seed=st.integers(0, 999))
def test_permuting_a_ragged_batch_permutes_the_result(layer, T, B, seed):
    rng = np.random.default_rng(seed)
    model, x = layer(2, 3, bidirectional=True, seed=rng), rng.standard_normal((T, B, 2))
    lengths, order = rng.integers(1, T + 1, size=B), rng.permutation(B)
    y, state = model(x, lengths=lengths)
    y_other, state_other = model(x[:, order], lengths=lengths[order])
    np.testing.assert_allclose(y_other, y[:, order], rtol=1e-12, atol=1e-15)
    for ours, other in zip(parts(state), parts(state_other), strict=True):
        np.testing.assert_allclose(other, ours[:, order], rtol=1e-12, atol=1e-15)


@all_layers
def test_truncation_with_a_full_window_is_the_full_gradient(layer):
    rng = np.random.default_rng(4)
    model, x = layer(3, 4, seed=rng), rng.standard_normal((20, 2, 3))
    dy = rng.standard_normal((20, 2, 4))
    model(x)
    dx, _ = model.backward(dy)
    full = gradients(model)
    # two windows, the state carried forwards and its gradient carried back: nothing is cut
    model.zero_grad()
    _, middle = model(x[:12])
    model(x[12:], middle)
    dx_late, dmiddle = model.backward(dy[12:])
    model(x[:12])
    dx_early, _ = model.backward(dy[:12], dmiddle)
    np.testing.assert_allclose(np.concatenate([dx_early, dx_late]), dx, rtol=1e-10, atol=1e-13)
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, full[name], rtol=1e-10, atol=1e-13)
    # without the gradient that is carried back, the window is truncated, and something is missing
    model.zero_grad()
    model(x[12:], middle)
    model.backward(dy[12:])
    model(x[:12])
    model.backward(dy[:12])
    assert any(abs(g - full[name]).max() > 1e-3 for name, g in gradients(model).items())


@all_layers
def test_dropout_acts_between_layers_in_training_only(layer):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((6, 200, 3))
    plain = layer(3, 4, 2, seed=0)
    dropped = layer(3, 4, 2, seed=0, dropout=0.5)
    dropped.load_state_dict(plain.state_dict())
    trained = dropped(x)[0].copy()
    assert abs(trained - plain(x)[0]).max() > 1e-3
    assert abs(trained - dropped(x)[0]).max() > 1e-3, "the mask is drawn anew"
    np.testing.assert_allclose(dropped.eval()(x)[0], plain(x)[0], rtol=1e-12)
    one = layer(3, 4, 1, seed=0, dropout=0.5)  # nothing above: nothing is dropped
    np.testing.assert_allclose(one(x)[0], one(x)[0], rtol=1e-12)


@all_layers
def test_dropout_goes_back_the_way_it_came(layer):
    rng = np.random.default_rng(6)
    x, dy = rng.standard_normal((3, 2, 3)), rng.standard_normal((3, 2, 4))

    def fresh():
        return layer(3, 4, 2, seed=7, dropout=0.4)  # the same weights and the same masks

    model = fresh()
    model(x)
    dx, _ = model.backward(dy)
    check_gradients(lambda: float((fresh()(x)[0] * dy).sum()), {"x": x}, {"x": dx})


@all_layers
def test_evaluation_gives_the_same_numbers_and_keeps_nothing(layer):
    model, x, lengths, _ = ragged_case(layer, 7)
    y, state = model(x, lengths=lengths)
    y_eval, state_eval = model.eval()(x, lengths=lengths)
    np.testing.assert_allclose(y, y_eval, rtol=1e-12)
    for ours, other in zip(parts(state), parts(state_eval), strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-12)
    with pytest.raises(RuntimeError, match="training mode"):
        model.backward(np.ones_like(y))


@all_layers
def test_the_output_may_be_changed_in_evaluation_and_is_protected_in_training(layer):
    for bidirectional, lengths in [(False, None), (True, None), (False, [5, 2])]:
        model = layer(3, 4, bidirectional=bidirectional, seed=0)
        y, _ = model(np.ones((5, 2, 3)), lengths=lengths)
        with pytest.raises(ValueError, match="read-only"):
            y += 1.0
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            y.flags.writeable = True
        y, _ = model.eval()(np.ones((5, 2, 3)), lengths=lengths)
        y += 1.0


@all_layers
@pytest.mark.parametrize("lengths", [None, [9, 1, 4, 4, 7]])
@pytest.mark.parametrize("batch_first", [False, True])
def test_the_gradient_is_that_of_the_pass_that_ran_whatever_is_refilled_since(
    layer, lengths, batch_first
):
    rng = np.random.default_rng(8)
    model = layer(3, 4, 2, bidirectional=True, batch_first=batch_first, seed=rng)
    shape = (5, 9) if batch_first else (9, 5)
    x, dy = rng.standard_normal((*shape, 3)), rng.standard_normal((*shape, 8))
    start = tuple(rng.standard_normal((4, 5, 4)) for _ in model.states)
    state = start if len(start) == 2 else start[0]
    lengths = None if lengths is None else np.array(lengths)
    results = []
    for spoil in (False, True):
        model.zero_grad()
        model(x, state, lengths)
        if spoil:  # a loader fills its buffers anew, an optimiser takes its step
            for array in [x, *start, *(p.data for p in model.parameters())]:
                array[...] = np.nan
            if lengths is not None:
                lengths[...] = 1
        dx, dstate = model.backward(dy)
        results.append([dx, *parts(dstate), *gradients(model).values()])
    for honest, spoilt in zip(*results, strict=True):
        np.testing.assert_allclose(spoilt, honest, rtol=1e-12)


@all_layers
def test_two_threads_train_one_layer_with_right_gradients(layer):
    model, each = layer(3, 4, 2, seed=0), 30
    rng = np.random.default_rng(9)
    cases = [(rng.standard_normal((T, 6, 3)), rng.standard_normal((T, 6, 4))) for T in (12, 40)]
    alone = [model(x) and model.backward(dy)[0] for x, dy in cases]
    once = gradients(model)
    model.zero_grad()
    wrong, barrier = [], threading.Barrier(2, timeout=600)

    def train(case):
        x, dy = cases[case]
        for _ in range(each):
            barrier.wait()
            model(x)
            barrier.wait()  # both have run forward before either goes back
            if not np.allclose(model.backward(dy)[0], alone[case], rtol=1e-9):
                wrong.append(case)

    threads = [threading.Thread(target=train, args=(case,)) for case in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, each * once[name], rtol=1e-9)


@all_layers
def test_two_forward_passes_share_no_memory_that_either_needs(layer):
    rng = np.random.default_rng(10)
    first, second = layer(3, 4, seed=1), layer(3, 4, seed=2)
    x, other, dy = *rng.standard_normal((2, 20, 5, 3)), rng.standard_normal((20, 5, 4))
    first(x)
    wanted = first.backward(dy)[0]
    for _ in range(3):  # memory that was given back is handed out again
        first(x)
        second(other)
        second.backward(dy)
        np.testing.assert_allclose(first.backward(dy)[0], wanted, rtol=1e-12)


def test_the_last_state_alone_can_be_walked_back_from():
    rng = np.random.default_rng(11)
    x, dlast, none = rng.standard_normal((6, 2, 3)), rng.standard_normal((1, 2, 4)), None
    for layer, dstate in [(RNN, dlast), (LSTM, (dlast, none)), (GRU, dlast)]:
        model = layer(3, 4, seed=0)
        model(x)
        dx, _ = model.backward(dstate=dstate)
        given = gradients(model)
        model.zero_grad()
        model(x)
        zero = np.zeros((1, 2, 4))
        whole, _ = model.backward(np.zeros((6, 2, 4)), (dlast, zero) if layer is LSTM else dlast)
        np.testing.assert_allclose(dx, whole, rtol=1e-12)
        for name, gradient in gradients(model).items():
            np.testing.assert_allclose(given[name], gradient, rtol=1e-12)
        assert dx.any()
        model(x)
        with pytest.raises(ValueError, match="dy and dstate are both None"):
            model.backward()
        model.backward(dstate=dstate)  # the pass still waits


@all_layers
@pytest.mark.parametrize("T", [2000, 8000])
def test_memory_is_given_back_after_a_long_batch(layer, T):
    model, dy = layer(8, 16, seed=0), np.ones((T, 16, 16))

    def held():
        return sum(len(room.piece) for _, room in kernels._pool.rooms)

    model(np.ones((T, 16, 8)))
    model.backward(dy)
    assert held() <= kernels._pool.LIMIT
    for _ in range(kernels._pool.PATIENCE):
        model(np.ones((3, 2, 8)))
        model.backward(dy[:3, :2])
    assert held() < 100_000 or layer is RNN  # which stores nothing but its output


@all_layers
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_trace_shows_states_gates_and_whole_gradients_at_every_step(layer, batch_first):
    rng = np.random.default_rng(12)
    T, B, H = 7, 2, 4
    model, x = layer(3, H, seed=rng, batch_first=batch_first), rng.standard_normal((T, B, 3))
    dy, dlast = rng.standard_normal((T, B, H)), rng.standard_normal((2, 1, B, H))
    dlast = tuple(dlast) if layer is LSTM else dlast[0]

    def turn(array):
        return array.swapaxes(0, 1) if batch_first else array

    inside = model.trace(turn(x), dy=turn(dy), dstate=dlast)
    assert {array.shape for array in inside.values()} == {(1, *turn(np.empty((T, B, H))).shape)}
    inside = {name: turn(array[0]) for name, array in inside.items()}
    assert not any(gradient.any() for gradient in gradients(model).values())
    y, _ = model(turn(x))
    np.testing.assert_allclose(inside["h"], turn(y), rtol=1e-12)

    weights = model._weights(0)
    state = (np.zeros((B, H)),) * len(model.states)
    step = {RNN: rnn_step, LSTM: lstm_step, GRU: gru_step}[layer]
    for t in range(T):
        state, cache = step(x[t], *state, *weights)
        state = state if layer is LSTM else (state,)
        # gates are 4 to 7 in an LSTM step's cache, 3 to 5 in a GRU step's
        found = {"LSTM": "ifgo", "GRU": "rzn"}.get(layer.__name__, "")
        for name, gate in zip(found, cache[4 if layer is LSTM else 3 :], strict=False):
            np.testing.assert_allclose(inside[name][t], gate, rtol=1e-10)
        for name, array in zip("hc", state, strict=False):
            np.testing.assert_allclose(inside[name][t], array, rtol=1e-10)
        # what reaches h_t: through y_t, and through all that comes after it
        first = tuple(array[None] for array in state)
        model(turn(x[t + 1 :]), first if layer is LSTM else first[0])
        _, through = model.backward(turn(dy[t + 1 :]), dlast)
        dh = dy[t] + parts(through)[0][0]
        np.testing.assert_allclose(inside["dh"][t], dh, rtol=1e-10, atol=1e-13)
        if layer is LSTM:
            shown = np.tanh(state[1])
            dc = through[1][0] + dh * inside["o"][t] * (1 - shown**2)
            np.testing.assert_allclose(inside["dc"][t], dc, rtol=1e-10, atol=1e-13)


@all_layers
def test_a_trace_of_ragged_sequences_is_that_of_each_alone(layer):
    model, x, lengths, rng = ragged_case(layer, 13, dropout=0.5)
    dy = rng.standard_normal((9, 5, 8))
    inside = model.trace(x, lengths=lengths, dy=dy)
    assert set(inside) == {"h", "dh", *model.gates.strip("h")} | (
        {"c", "dc"} if layer is LSTM else set()
    )
    for b, n in enumerate(lengths):
        alone = model.trace(x[:n, b : b + 1], dy=dy[:n, b : b + 1])
        for name, array in inside.items():
            np.testing.assert_allclose(array[:, :n, b], alone[name][:, :, 0], rtol=1e-9)
            assert not array[:, n:, b].any()
    assert model.trace(x[:0])["h"].shape == (4, 0, 5, 4)


@all_layers
def test_a_trace_leaves_a_pass_that_waits_alone(layer):
    model, x = layer(3, 4, seed=0), np.random.default_rng(14).standard_normal((5, 2, 3))
    dy = np.ones((5, 2, 4))
    model(x)
    wanted = model.backward(dy)[0]
    model(x)
    model.trace(2 * x, dy=dy)
    np.testing.assert_allclose(model.backward(dy)[0], wanted, rtol=1e-12)


@all_layers
def test_a_batch_on_the_wrong_axis_is_recognised(layer):
    batch, time = np.ones((2, 5, 3)), np.ones((5, 2, 3))
    half = np.ones((1, 2, 4))
    state = (half, half) if layer is LSTM else half
    for x, first, other in [(batch, False, True), (time, True, False)]:
        model = layer(3, 4, batch_first=first, seed=0)
        for setting in ({"lengths": [3, 4]}, {"state": state}):
            with pytest.raises(ValueError, match=rf"a batch of 2.*batch_first={other}\?"):
                model(x, **setting)
    with pytest.raises(ValueError, match=r"make the layers with dtype=np\.float32"):
        layer(3, 4, seed=0)(time.astype(np.float32))


@all_layers
@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([5, 0], "lengths must lie in 1 … 5, but holds 0"),
        ([5, 6], "lengths must lie in 1 … 5, but holds 6"),
        ([5, -1], "lengths must lie in 1 … 5, but holds -1"),
        ([5], r"lengths has shape \(1,\), but shape \(2,\) is needed"),
        ([[5, 5]], r"lengths has shape \(1, 2\)"),
        ([5.0, 5.0], "lengths has dtype float64, but integers are needed"),
    ],
)
def test_wrong_lengths_are_named(layer, lengths, message):
    with pytest.raises(ValueError, match=message):
        layer(3, 4, seed=0)(np.ones((5, 2, 3)), lengths=lengths)


@all_layers
def test_gates_are_views(layer):
    model = layer(3, 4, seed=0)
    for k, letter in enumerate(model.gates):
        view = model.gate("weight_ih_l0", letter)
        assert view.shape == (4, 3)
        assert np.shares_memory(view, model.W_x)
        view[...] = k
    assert model.W_x[:, 0].tolist() == [k for k in range(len(model.gates)) for _ in range(4)]
    with pytest.raises(ValueError, match="there is no gate 'q'"):
        model.gate("weight_ih_l0", "q")
    with pytest.raises(ValueError, match="there is no parameter 'weight'"):
        model.gate("weight", model.gates[0])


def test_an_lstm_wants_a_pair_as_its_state():
    lstm, x, h = LSTM(3, 4, seed=0), np.ones((5, 2, 3)), np.ones((1, 2, 4))
    for wrong in (h, (h,), (h, h, h)):
        with pytest.raises(ValueError, match=r"state must be the pair \(h_0, c_0\)"):
            lstm(x, wrong)
    with pytest.raises(ValueError, match=r"c_0 has shape \(2, 4\), but shape \(1, 2, 4\)"):
        lstm(x, (h, h[0]))
    lstm(x)
    with pytest.raises(ValueError, match=r"state must be the pair \(dh_n, dc_n\)"):
        lstm.backward(np.ones((5, 2, 4)), h)


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
    np.testing.assert_allclose(rnn.b, rnn.bias_ih_l0.data + rnn.bias_hh_l0.data)
    gru = GRU(3, 4, seed=0)  # b_hn stands inside the reset gate
    np.testing.assert_array_equal(gru.b[8:], gru.gate("bias_ih_l0", "n"))
    assert not RNN(3, 4, bias=False).b.any()
    assert not GRU(3, 4, bias=False).b.any()


@all_layers
@pytest.mark.parametrize("bidirectional", [False, True])
def test_no_time_steps_give_back_the_initial_state(layer, bidirectional):
    D = 1 + bidirectional
    model = layer(3, 4, 2, bidirectional=bidirectional, seed=0)
    half, ones = np.full((2 * D, 2, 4), 0.5), np.ones((2 * D, 2, 4))
    start, dlast = ((half, half), (ones, ones)) if layer is LSTM else (half, ones)
    y, last = model(np.zeros((0, 2, 3)), start)
    dx, dstart = model.backward(np.zeros((0, 2, 4 * D)), dlast)
    assert (y.shape, dx.shape) == ((0, 2, 4 * D), (0, 2, 3))
    for array in parts(last):
        np.testing.assert_array_equal(array, half)
    for array in parts(dstart):
        np.testing.assert_array_equal(array, ones)


@all_layers
@pytest.mark.parametrize("bidirectional", [False, True])
def test_an_empty_batch_gives_an_empty_result(layer, bidirectional):
    D = 1 + bidirectional
    model = layer(3, 4, bidirectional=bidirectional, seed=0)
    y, last = model(np.zeros((5, 0, 3)))
    assert y.shape == (5, 0, 4 * D)
    assert {array.shape for array in parts(last)} == {(D, 0, 4)}
    model.backward(np.zeros((5, 0, 4 * D)))
    assert not any(gradient.any() for gradient in gradients(model).values())


def test_nan_stays_in_its_own_sequence_and_begins_at_its_own_step():
    rnn, x = RNN(3, 4, seed=0), np.ones((5, 3, 3))
    clean = rnn(x)[0]
    x[2, 1, 0] = np.nan
    y, _ = rnn(x)
    assert np.isnan(y[2:, 1]).all()
    np.testing.assert_allclose(y[:2], clean[:2], rtol=1e-12)
    np.testing.assert_allclose(y[:, [0, 2]], clean[:, [0, 2]], rtol=1e-12)


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
        ({"input_size": 3, "hidden_size": 4, "num_layers": 0}, "num_layers must be a whole"),
        ({"input_size": 3, "hidden_size": 4, "dropout": 1.0}, "dropout must lie in 0 … 1"),
        ({"input_size": 3, "hidden_size": 4, "proj_size": 2}, "proj_size must be 0, got 2"),
    ],
)
def test_a_wrong_setting_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RNN(**arguments)


def test_a_seed_decides_the_weights():
    same = RNN(3, 4, seed=5).state_dict(), RNN(3, 4, seed=5).state_dict()
    assert all((same[0][name] == same[1][name]).all() for name in same[0])
    assert (RNN(3, 4, seed=6).weight_hh_l0.data != same[0]["weight_hh_l0"]).any()


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_every_pass_gives_the_same_and_what_was_given_stays(name: str) -> None:
    rng = np.random.default_rng(0)
    layer = getattr(rnnlib, name)(3, 4, num_layers=2, bidirectional=True, seed=0)
    small, large = rng.standard_normal((4, 2, 3)), rng.standard_normal((40, 5, 3))

    def one_pass(x: np.ndarray, lengths: list[int] | None) -> list[np.ndarray]:
        layer.zero_grad()
        y, state = layer(x, lengths=lengths)
        dx, dstate = layer.backward(np.cos(y))
        states = [*state, *dstate] if name == "LSTM" else [state, dstate]
        return [y, dx, *states, *(p.grad.copy() for p in layer.parameters())]

    batches = [(small, None), (large, [40, 3, 9, 9, 1]), (small, [2, 4]), (large, None)]
    # as many rows, and as many steps of both sequences, in blocks of other sizes
    long = rng.standard_normal((450, 2, 3))
    batches += [(long, [300, 300]), (long, [450, 150])]
    given = [one_pass(*batch) for batch in batches]
    kept = [[array.copy() for array in arrays] for arrays in given]
    again = []
    for batch in reversed(batches):
        kernels._pool.rooms.clear()
        again.insert(0, one_pass(*batch))
    for first, copies, second in zip(given, kept, again, strict=True):
        for array, copy, repeated in zip(first, copies, second, strict=True):
            np.testing.assert_array_equal(array, copy)
            np.testing.assert_allclose(array, repeated, rtol=1e-12)
