"""Chapter 07: the two conventions, the road back, a fair comparison, and who can count."""

import numpy as np
import pytest

import rnnlib
from rnnlib.data import counting


def test_the_step_is_rnnlib_s_on_other_numbers(chapter):
    rng = np.random.default_rng(0)
    for B, I, H in ((1, 1, 1), (2, 3, 5), (4, 2, 3)):
        shapes = (B, I), (B, H), (3 * H, I), (3 * H, H), (3 * H,), (H,)
        arrays = [rng.normal(size=shape) for shape in shapes]
        h_t, mine = chapter.names.gru_step(*arrays)
        want, cache = rnnlib.gru_step(*arrays)
        np.testing.assert_allclose(h_t, want, rtol=1e-12, atol=1e-14)
        dh_t = rng.normal(size=(B, H))
        got = chapter.names.gru_step_backward(dh_t, mine, arrays[2], arrays[3])
        for one, other in zip(got, rnnlib.gru_step_backward(dh_t, cache), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


# The two choices


def numbers(rng, B=50, I=2, H=3):
    x, h = rng.normal(size=(B, I)), rng.uniform(-1, 1, (B, H))
    return x, h, [rng.normal(size=shape) for shape in ((3 * H, I), (3 * H, H), (3 * H,))]


def z_writes(x, h, weights):
    """A step of the program in which z is the share that is written."""
    _, (*_, z, n, _, _, _) = rnnlib.gru_step(x, h, *weights)
    return z * n + (1 - z) * h


def test_the_update_gate_can_always_be_turned():
    x, h, weights = numbers(np.random.default_rng(1))
    want, _ = rnnlib.gru_step(x, h, *weights)
    for array in weights:
        array[3:6] *= -1
    np.testing.assert_allclose(z_writes(x, h, weights), want, rtol=1e-12, atol=1e-14)


def test_a_reset_in_the_wrong_place_is_a_small_error_and_a_wrong_z_a_large_one():
    x, h, weights = numbers(np.random.default_rng(2), B=500, H=6)
    want, _ = rnnlib.gru_step(x, h, *weights)
    moved, _ = rnnlib.gru_step(x, h, *weights, reset_after=False)
    small, large = (abs(got - want).mean() / want.std() for got in (moved, z_writes(x, h, weights)))
    assert 0.03 < small < 0.3 < large


def candidates(x, h):
    """The candidate's sums of the cell that the chapter proves to be out of reach, (B, 2)."""
    gates = 1 / (1 + np.exp(-x * np.array([1.0, -1.0])))
    return gates * h.sum(axis=1, keepdims=True)


def test_the_cell_of_the_proof_is_what_rnnlib_computes():
    x, h = np.random.default_rng(3).normal(size=(2, 20, 2))
    W_x = np.array([[1.0], [-1.0], [0], [0], [0], [0]])
    W_h = np.vstack([np.zeros((4, 2)), np.ones((2, 2))])
    got, _ = rnnlib.gru_step(x[:, :1], h, W_x, W_h, np.zeros(6))
    np.testing.assert_allclose(got, (np.tanh(candidates(x[:, :1], h)) + h) / 2, rtol=1e-12)
    with pytest.raises(ValueError, match=r"units 0 and 1 both read h\[0\]"):
        rnnlib.gru_reset_before(W_x, W_h, np.zeros(6))


def test_each_step_of_the_proof_holds_in_numbers():
    """With h_2 = 0 one new gate would have to be two: their ratio is e^x, not a constant."""
    x = np.linspace(-3, 3, 7)[:, None]
    sums = candidates(x, np.tile([0.4, 0.0], (7, 1)))
    np.testing.assert_allclose(sums[:, 0] / sums[:, 1], np.exp(x[:, 0]), rtol=1e-12)
    # z' h is bounded only if z' does not depend on h: along h = t (1, 1) it grows
    far = np.array([10.0, 100.0, 1000.0])
    for w in ((0.1, 0.0), (0.0, 0.1)):
        z = 1 / (1 + np.exp(-far * sum(w)))
        grows = (z - 0.5) * far
        assert grows[0] < grows[1] < grows[2] and grows[2] > 400


# The road


def test_the_gate_that_keeps_is_a_road_and_the_lstm_s_is_the_better_one(chapter):
    end = {name: curve[99] for name, curve in chapter.names.reach.items()}
    assert max(end["RNN"], end["GRU, 0"], end["LSTM, 0"]) < 1e-17
    assert 1e-12 < end["GRU, 1"] < 1e-8 < end["LSTM, 1"] < 1e-5
    assert 1e-3 < end["GRU, 3"] < 0.1 < end["LSTM, 3"]
    names = [line.get_label() for line in chapter.axes["road"][0].lines]
    assert names == list(end)


# Simpler and faster


def test_the_formula_counts_what_the_layers_hold(chapter):
    for kind in ("RNN", "GRU", "LSTM"):
        for I, H in ((1, 1), (2, 64), (5, 3)):
            held = sum(p.data.size for p in getattr(rnnlib, kind)(I, H).parameters())
            assert chapter.names.parameters(kind, I, H) == held
    for kind in ("RNN", "LSTM"):
        H = chapter.names.width(kind, 2, 13056)
        assert chapter.names.parameters(kind, 2, H) == pytest.approx(13056, rel=0.02)


def test_the_gru_adds_sooner_at_both_sizes_and_the_plain_network_never_does(chapter):
    rows = chapter.experiment["adding"]
    gru = max(rows["GRU 64"]["updates"])
    for name in ("LSTM 64", "LSTM 55"):
        assert len(rows[name]["updates"]) == 5 and gru < min(rows[name]["updates"])
        assert max(rows[name]["error"]) < 0.01
    for name in ("RNN 64", "RNN 112"):
        assert rows[name]["updates"] == [None] * 5 and min(rows[name]["error"]) > 0.15
    assert len({len(row["tuning"]["tried"]) for row in rows.values()}) == 1
    counts = [rows[name]["parameters"] for name in ("RNN 112", "GRU 64", "LSTM 55")]
    assert max(counts) / min(counts) < 1.01


def test_what_the_text_says_of_seconds_stands_in_the_benchmark_s_file(chapter):
    times = chapter.names.times
    assert len(times) == 5
    own, other = (
        [layers["GRU"][who] / layers["LSTM"][who] for layers in times.values()]
        for who in ("rnnlib", "torch")
    )
    assert max(own) < 1 and 0.65 < np.median(own) < 0.85
    assert sum(ratio > 1 for ratio in other) >= 3, "in torch the GRU is slower in most rows"
    alone = next(layers for size, layers in times.items() if size[1] == 1)
    assert alone["GRU"]["torch"] / alone["LSTM"]["torch"] == max(other) > 3


# Counting


def test_weights_by_hand_count_far_and_without_the_sum_they_do_not(chapter):
    model = chapter.names.counter_by_hand()
    assert chapter.names.first_failure(model, 2, longest=300) is None
    model.rnn.gate("bias_ih_l0", "f")[...] = 1.0
    assert chapter.names.first_failure(model, 2, longest=20) is not None


def test_a_gru_is_bounded_and_an_lstm_is_not(chapter):
    x, _ = counting.strings(2, [60])
    held = {kind: model.rnn.trace(x) for kind, model in chapter.names.trained.items()}
    assert abs(held["GRU"]["h"]).max() < 1
    climbed = abs(held["LSTM"]["c"][0, :, 0])
    assert climbed[60].max() > 2 * climbed[15].max()


def fails(chapter, letters, kind):
    rows = [
        r for r in chapter.experiment["counting"] if (r["letters"], r["kind"]) == (letters, kind)
    ]
    return {row["lr"]: row["fails"] for row in rows}


def test_lstms_count_further_and_no_gru_gets_far(chapter):
    gru, lstm = (fails(chapter, 2, kind) for kind in ("GRU", "LSTM"))
    assert all(len(runs) == 8 for runs in [*gru.values(), *lstm.values()])
    assert max(max(runs) for runs in gru.values()) <= 16
    for lr in (0.01, 0.03):
        assert np.median(lstm[lr]) > max(gru[lr]), "the median LSTM beats the best GRU"
    assert np.median(lstm[0.1]) < 16 and max(lstm[0.1]) > 30, "and it depends on the rate"
    for kind in ("GRU", "LSTM"):
        rows = [r for r in chapter.experiment["counting"] if r["kind"] == kind]
        assert all(known == 10 for row in rows for known in row["known"]), "all have learnt it"
        assert {row["parameters"] for row in rows} <= set(range(580, 700))


def test_three_letters_are_hard_for_both(chapter):
    gru, lstm = (np.array([*fails(chapter, 3, kind).values()]) for kind in ("GRU", "LSTM"))
    assert gru.max() <= 16 and np.median(lstm) <= 16
    assert np.median(gru) <= np.median(lstm)


# The quiz


def test_answers_1_and_4():
    one, zero = np.ones((1, 1)), np.zeros((1, 1))
    b = np.array([0.0, np.log(3), 0.0])  # z = 3/4
    h_t, _ = rnnlib.gru_step(zero, one, np.zeros((3, 1)), np.zeros((3, 1)), b)
    assert h_t.item() == pytest.approx(0.75)
    W_h = np.zeros((9, 3))
    W_h[7] = 1.0  # one unit reads all
    W_x = np.arange(9.0)[:, None]
    moved = rnnlib.gru_reset_before(W_x, W_h, np.zeros(9))
    assert moved[0][:3].ravel().tolist() == [1, 1, 1]
    x, h = (
        np.random.default_rng(4).normal(size=(5, 1)),
        np.random.default_rng(5).normal(size=(5, 3)),
    )
    after, _ = rnnlib.gru_step(x, h, W_x, W_h, np.zeros(9))
    before, _ = rnnlib.gru_step(x, h, *moved, reset_after=False)
    np.testing.assert_allclose(after, before, rtol=1e-12)
