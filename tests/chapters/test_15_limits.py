"""Chapter 15: who waits, who forgets, what a scan costs, and what no linear gate can carry."""

import numpy as np
import pytest

import rnnlib

# Slow


def test_the_two_models_of_the_benchmark_are_equally_large():
    rng = np.random.default_rng(0)
    I, H = 3, 5
    feed_forward = [rnnlib.Linear(I, H, seed=0), rnnlib.Linear(H, H, seed=0)]
    count = sum(p.data.size for layer in feed_forward for p in layer.parameters())
    assert count == rnnlib.RNN(I, H, seed=0).weight_ih_l0.data.size + H * H + 2 * H
    # no step of the partner waits: its answer at a step does not change with the others
    x = rng.normal(size=(4, 2, I))
    y = np.tanh(feed_forward[1](np.tanh(feed_forward[0](x))))
    x[:2] = 0
    np.testing.assert_allclose(np.tanh(feed_forward[1](np.tanh(feed_forward[0](x))))[2:], y[2:])


def test_on_one_core_waiting_costs_a_factor_of_two_and_in_a_batch_next_to_nothing(chapter):
    ratio = {
        size: times["rnn"] / times["feed_forward"] for size, times in chapter.names.seconds.items()
    }
    alone = [ratio[T, 1] for T in chapter.names.LENGTHS]
    batch = [ratio[T, 32] for T in chapter.names.LENGTHS]
    assert min(alone) > 1.4 and max(alone) < 2.5
    assert min(batch) > 0.7 and max(batch) < 1.3


def test_batching_helps_and_length_does_not(chapter):
    left, right = chapter.axes["slow-figure"]
    over_B, over_T = (ax.lines[0].get_ydata() for ax in (left, right))
    times = chapter.names.seconds
    unit = times[100, 1]["rnn"] / 100
    for B, drawn in zip((1, 8, 32, 128), over_B, strict=True):
        assert drawn == pytest.approx(times[100, B]["rnn"] / (100 * B) / unit)
    assert over_B[-1] < 0.7 * over_B[0]
    assert max(over_T) < 1.4 * min(over_T)


def test_with_many_processors_only_depth_is_left(chapter):
    (work, depth), (own_work, own_depth) = chapter.names.WORK_AND_DEPTH.values()
    assert work == own_work and (depth, own_depth) == (2, 1001)
    assert max(own_work / 1000, own_depth) / max(work / 1000, depth) == pytest.approx(500, rel=0.01)


# Forgetful


def test_the_line_is_what_the_best_guess_without_a_memory_costs(chapter):
    """Simulated: at each step the share of every symbol over many sequences."""
    rng = np.random.default_rng(0)
    delay, S, K, N = 30, 10, 8, 4000
    x, y = chapter.names.copying(delay, N, rng, S=S, K=K)
    assert x.shape == (delay + 2 * S, N, K + 2)
    shares = np.stack([(y == k).mean(axis=1) for k in range(K + 1)], axis=1)  # (T, K + 1)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1).mean()
    assert entropy == pytest.approx(10 * np.log(8) / (delay + 20), rel=0.01)


def test_published_rows_lie_on_the_line_or_three_per_cent_below(chapter):
    below = [1 - loss / chapter.names.line for loss in chapter.names.PUBLISHED.values()]
    assert min(below) > -0.005 and max(below) < 0.035
    # so much of ten symbols
    assert 10 * max(below) < 0.4


def test_the_task_asks_for_what_was_shown(chapter):
    x, y = chapter.names.copying(5, 3, np.random.default_rng(0))
    seen = x.argmax(axis=2)
    assert x.shape == (11, 3, 6)
    np.testing.assert_array_equal(seen[:3], y[-3:])
    assert (seen[:3] >= 1).all() and (seen[:3] <= 4).all()
    assert (seen[3:7] == 0).all() and (seen[7:] == 5).all() and (y[:-3] == 0).all()


def copied(chapter):
    return {(row["kind"], row["delay"]): row["right"] for row in chapter.experiment["copying"]}


def test_the_reader_s_gradient_is_right(chapter):
    model = chapter.names.Reader("LSTM", 3, 4, 2, seed=0)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(5, 2, 3)).astype(np.float32), rng.normal(size=(5, 2, 2))
    model(x)
    model.backward(dy.astype(np.float32))
    weight = model.hidden.weight
    before, step = weight.data.copy(), 1e-2
    ends = []
    for sign in (1, -1):
        weight.data[...] = before
        weight.data[0, 0] += sign * step
        ends.append(float((model(x) * dy).sum()))
    assert weight.grad[0, 0] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=0.02, abs=1e-3)


def test_the_copy_task_ends_where_the_text_says(chapter):
    found = copied(chapter)
    for kind in ("RNN", "LSTM"):
        assert min(found[kind, 10]) > 0.99 and max(found[kind, 30]) < 0.35
        assert (kind, 100) not in found, "who fails is not trained further"
    assert min(found["GRU", 100]) > 0.99 > max(found["GRU", 200])
    assert np.mean(found["GRU", 200]) > 0.4
    for row in chapter.experiment["further"]:
        assert min(row["right"]) > 0.3 and max(row["right"]) < 0.99


# The way out


@pytest.mark.parametrize("T", [1, 2, 3, 7, 8, 21, 64])
def test_the_scan_is_the_loop_in_values_and_its_rounds_are_counted(chapter, T):
    a, b = np.random.default_rng(T).uniform(-1, 1, (2, T, 2, 3))
    h_0 = np.random.default_rng(1).normal(size=(2, 3))
    h, depth, work = chapter.names.in_pairs(a, b, h_0)
    np.testing.assert_allclose(h, rnnlib.scan_loop(a, b, h_0), rtol=0, atol=1e-10)
    assert work < max(2 * T, 1)
    if T in (2, 8, 64):
        assert depth == 2 * np.log2(T) - 1


def test_merging_two_steps_is_taking_both_and_is_associative():
    rng = np.random.default_rng(0)
    (a1, a2, a3), (b1, b2, b3), h = rng.normal(size=3), rng.normal(size=3), rng.normal()

    def merge(second, first):
        return second[0] * first[0], second[0] * first[1] + second[1]

    one, two, three = (a1, b1), (a2, b2), (a3, b3)
    a, b = merge(two, one)
    assert a * h + b == pytest.approx(a2 * (a1 * h + b1) + b2)
    assert merge(merge(three, two), one) == pytest.approx(merge(three, merge(two, one)))
    assert merge((0.5, 3), (0.5, 1)) == pytest.approx((0.25, 3.5))


def test_a_scan_wins_where_calls_rule_and_loses_where_arithmetic_does(chapter):
    cost = {
        row["width"]: row["seconds"]["scan"] / row["seconds"]["loop"]
        for row in chapter.names.waiting["scans"]
    }
    assert cost[1] < 0.3 and cost[32] < 0.5 and cost[1024] > 1.3


def test_the_minlstm_by_hand_is_rnnlib_s_on_other_sizes(chapter):
    rng = np.random.default_rng(3)
    for T, B, I, H in ((1, 1, 1, 1), (5, 2, 3, 4), (9, 3, 2, 5)):
        x, h_0, dh = (rng.normal(size=s) for s in ((T, B, I), (B, H), (T, B, H)))
        layer = rnnlib.MinLSTM(I, H, seed=rng)
        W = {k: getattr(layer, f"linear_{k}").weight.data for k in "fih"}
        b = {k: getattr(layer, f"linear_{k}").bias.data for k in "fih"}
        h, cache = chapter.names.min_lstm(x, h_0, W, b)
        dx, dh_0, dW, db = chapter.names.min_lstm_backward(dh, cache, W)
        y, _ = layer(x, h_0[None])
        want_dx, want_dh_0 = layer.backward(dh)
        close = {"rtol": 0, "atol": 1e-12}
        np.testing.assert_allclose(h, y, **close)
        np.testing.assert_allclose(dx, want_dx, **close)
        np.testing.assert_allclose(dh_0, want_dh_0[0], **close)
        for k in "fih":
            linear = getattr(layer, f"linear_{k}")
            np.testing.assert_allclose(dW[k], linear.weight.grad, **close)
            np.testing.assert_allclose(db[k], linear.bias.grad, **close)


# What is lost


def test_two_units_and_a_sign_carry_the_parity_at_any_length(chapter):
    for answer in chapter.names.answers.values():
        assert len(answer) == 10_000 and (answer == chapter.names.odd).all()


def test_on_ones_the_units_of_a_mingru_walk_one_way_and_settle(chapter):
    layer = rnnlib.MinGRU(2, 16, seed=4)
    ones = np.tile([[[0.0, 1.0]]], (200, 1, 1))
    h = layer(ones)[0][:, 0]
    moves = np.diff(np.vstack([np.zeros(16), h]), axis=0)
    moves[abs(moves) < 1e-14] = 0
    assert ((moves >= 0).all(axis=0) | (moves <= 0).all(axis=0)).all()
    assert abs(moves[-1]).max() < 1e-6
    kept = 1 / (1 + np.exp(layer.linear_z(ones[0])[0]))
    candidate = layer.linear_h(ones[0])[0]
    steps = np.arange(1, 201)[:, None]
    np.testing.assert_allclose(h, candidate - candidate * kept**steps, rtol=0, atol=1e-12)
    drawn = np.array([line.get_ydata() for line in chapter.axes["parity-long"][0].lines])
    turns = np.diff(np.sign(np.diff(drawn, axis=1)) * (abs(np.diff(drawn, axis=1)) > 1e-5), axis=1)
    assert (abs(turns) < 2).all(), "no unit of the figure turns round"


def test_a_linear_answer_on_ones_changes_at_most_once_a_unit():
    rng = np.random.default_rng(0)
    steps = np.arange(1, 400)
    most = {}
    for H in (1, 2, 3, 5):
        changes = []
        for _ in range(3000):
            shares, w = rng.uniform(0.05, 1, H), rng.normal(size=H)
            score = (w * shares ** steps[:, None]).sum(axis=1)
            score -= rng.choice(score[:20])  # a constant that makes changes likely
            signs = np.sign(score[abs(score) > 1e-9])
            changes.append(np.sum(signs[1:] != signs[:-1]))
        most[H] = max(changes)
        assert most[H] <= H
    assert most[1] == 1 and most[3] >= 2, "and changes do occur"


def reached(chapter, way, kind):
    (row,) = [r for r in chapter.experiment["parity"] if (r["way"], r["kind"]) == (way, kind)]
    return np.array(row["reach"])


def test_no_mingru_carries_the_parity_to_the_end_of_its_training(chapter):
    for way in chapter.names.WAYS:
        assert reached(chapter, way, "MinGRU").max() < 16


def test_who_finds_the_parity_depends_on_how_it_is_taught(chapter):
    full = {
        way: {k: sum(reached(chapter, way, k) == 1000) for k in chapter.names.LOOKS}
        for way in chapter.names.WAYS
    }
    assert full["full length"] == {"RNN": 0, "LSTM": 0, "MinGRU": 0}
    assert full["growing"] == {"RNN": 2, "LSTM": 4, "MinGRU": 0}
    assert full["every step"] == {"RNN": 3, "LSTM": 4, "MinGRU": 0}
    broken = min(reached(chapter, "every step", "RNN"))
    assert 16 < broken < 100, "beyond its lists, and then it breaks"


def test_the_curves_of_the_copy_task_are_the_experiment_s(chapter):
    (ax,) = chapter.axes["copy-long"]
    lines = {
        line.get_label(): line for line in ax.lines if line.get_label() in ("RNN", "LSTM", "GRU")
    }
    for (kind, delay), right in copied(chapter).items():
        x, y = lines[kind].get_data()
        near = np.argmin(abs(x - delay))  # drawn side by side
        assert y[near] == pytest.approx(np.mean(right)) and x[near] == pytest.approx(
            delay, rel=0.06
        )


# The quiz


def test_answers_2_and_4(chapter):
    assert 4 * np.log(2) / 100 == pytest.approx(0.028, abs=5e-4)
    for T, rounds in ((64, 11), (128, 13)):
        a = np.ones((T, 1, 1))
        assert chapter.names.in_pairs(a, a, a[0])[1] == rounds


def test_answer_3():
    def two(first, second):
        return second[0] * first[0], second[0] * first[1] + second[1]

    assert two((0.5, 4), (-1, 1)) == (-0.5, -3)
    assert two((-1, 1), (0.5, 4)) == (-0.5, 4.5)
