"""Chapter 05: a product that shrinks or grows, what predicts and mends it, how far it reaches."""

import numpy as np
import pytest

import rnnlib
from rnnlib.data import adding


def test_the_short_list_is_learnt_and_the_long_one_is_not(chapter):
    (ax,) = chapter.axes["riddle"]
    long, short = (line.get_ydata() for line in ax.lines[:2])
    assert short[-1] < adding.LINE / 10
    assert min(long) > 0.9 * adding.LINE


@pytest.mark.parametrize("T", [2, 5, 30])
def test_who_knows_the_later_number_is_left_with_half_the_line(T):
    x, y = adding.examples(T, 100_000, np.random.default_rng(T))
    second = (x[T // 2 :, :, 0] * x[T // 2 :, :, 1]).sum(axis=0)
    assert np.mean((y - second - 0.5) ** 2) == pytest.approx(adding.LINE / 2, rel=0.02)


# The norm against the lag


def test_each_start_has_its_own_factor(chapter):
    (ax,) = chapter.axes["lag-figure"]
    found = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert found["ReLU, identity"][-1] > 0.1
    assert 1e-4 < found["tanh, orthogonal"][-1] < 0.5
    assert found["tanh, uniform"][-1] < 1e-15
    assert found["ReLU, orthogonal"][-1] < 1e-8
    assert found["ReLU, uniform"][-1] < found["tanh, uniform"][-1], "the worst of all"
    for name in ("tanh, uniform", "ReLU, uniform", "ReLU, orthogonal"):
        slope = np.diff(np.log10(found[name]))[10:]
        assert slope.std() < 0.1 * abs(slope.mean()), f"{name} is nearly straight"


def test_the_norms_are_a_product_of_jacobians(chapter):
    rnn = chapter.names.layer("relu", np.random.default_rng(0).normal(size=(4, 4)) / 2)
    x = np.random.default_rng(1).random((6, 3, 2))
    h = rnn.trace(x)["h"][0]
    dh = np.random.default_rng(3).normal(size=(1, 3, 4))[0]
    lengths = [np.linalg.norm(dh, axis=1)]
    for t in range(5, 0, -1):
        dh = np.stack([((h[t, r] > 0)[:, None] * rnn.W_h).T @ dh[r] for r in range(3)])
        lengths.append(np.linalg.norm(dh, axis=1))
    want = (np.array(lengths) / lengths[0]).mean(axis=1)
    np.testing.assert_allclose(chapter.names.norms(rnn, x), want)


def test_the_prediction_holds_up_to_one_and_not_above(chapter):
    for rho, (predicted, measured, _) in chapter.names.by_radius.items():
        if rho <= 1:
            assert measured == pytest.approx(predicted, abs=0.02)
            assert measured == pytest.approx(rho, abs=0.06)
        elif rho > 1.15:
            assert 1 < measured < 1.15 < rho
    (_, right) = chapter.axes["radius-figure"]
    drawn = right.lines[-1].get_ydata()
    np.testing.assert_allclose(drawn, [one[1] for one in chapter.names.by_radius.values()])


@pytest.mark.parametrize("size", [128, 300, 500])
def test_the_default_start_has_a_spectral_radius_of_one_over_root_three(chapter, size):
    W_h = rnnlib.RNN(1, size, seed=size).W_h
    assert chapter.names.radius(W_h) == pytest.approx(1 / np.sqrt(3), rel=0.15)


def test_the_bounds_lie_above_the_measurement(chapter):
    for whole, each, measured in chapter.names.bounds.values():
        assert (measured <= each * (1 + 1e-9)).all()
        assert (each <= whole * (1 + 1e-9)).all()
    whole, each, measured = chapter.names.bounds["tanh, uniform"]
    assert each[50] > 100 and measured[50] < 1e-8, "they allow an explosion, and it vanishes"
    whole, each, measured = chapter.names.bounds["tanh, orthogonal"]
    assert whole[50] == pytest.approx(1) and measured[50] > 0.01


# The cliff, and clipping


@pytest.mark.parametrize("at", [(2.5, -0.4), (1.2, 0.3), (0.8, -0.2)])
def test_the_gradient_of_the_latch_is_that_of_its_loss(chapter, at):
    latch, small = chapter.names.latch, 1e-6
    w, b = at
    slopes = [
        (latch(w + small, b)[0] - latch(w - small, b)[0]) / (2 * small),
        (latch(w, b + small)[0] - latch(w, b - small)[0]) / (2 * small),
    ]
    np.testing.assert_allclose(latch(w, b)[1], slopes, rtol=1e-4, atol=1e-8)


def test_one_step_from_the_cliff_ends_a_training(chapter):
    names = chapter.names
    assert names.largest > 500
    end = names.plain[-1]
    assert np.linalg.norm(end) > 100, "thrown out of the picture"
    assert np.linalg.norm(names.latch(*end)[1]) == pytest.approx(0, abs=1e-9), "and dead there"
    assert names.latch(*names.clipped[-1])[0] < 0.01 < names.latch(*end)[0]
    steps = np.linalg.norm(np.diff(names.clipped, axis=0), axis=1)
    assert steps.max() <= 0.3 * 0.3 * (1 + 1e-9)


def test_clipping_in_the_wrong_place_is_found_by_one_assertion(chapter):
    update = chapter.names.first_update
    update("zero backward clip step")
    for order in ("zero clip backward step", "clip zero backward step", "zero backward step"):
        with pytest.raises(AssertionError, match="not clipped"):
            update(order)


# How far it reaches


def reached(chapter, start, T):
    [run] = [run for run in chapter.experiment[start] if run["T"] == T]
    return run


def test_the_figure_draws_the_file(chapter):
    (ax,) = chapter.axes["reach-figure"]
    drawn = {line.get_label(): line for line in ax.lines}
    for name in chapter.experiment["settings"]["lengths"]:
        runs = chapter.experiment[name]
        assert drawn[name].get_xdata().tolist() == [run["T"] for run in runs]
        np.testing.assert_allclose(drawn[name].get_ydata(), [np.mean(r["test"]) for r in runs])


def test_within_the_budget_tanh_stops_between_twenty_and_fifty(chapter):
    for start in ("tanh uniform", "tanh orthogonal"):
        assert max(reached(chapter, start, 20)["test"]) < 0.05
        assert min(reached(chapter, start, 50)["test"]) > 0.9 * adding.LINE


def test_with_patience_tanh_leaves_the_line_at_fifty(chapter):
    for run in chapter.experiment["patience"]:
        assert run["T"] == 50
        assert max(run["test"]) < adding.LINE / 2


def test_clipping_decides_for_the_identity(chapter):
    solved = {True: 0, False: 0}
    for run in chapter.experiment["clipping"]:
        solved[run["clip_norm"] is not None] += sum(run["solved"])
    assert solved[True] >= 7
    assert solved[False] <= 3


@pytest.mark.parametrize("T", [100, 200])
def test_relus_with_the_identity_reach_far(chapter, T):
    assert sum(reached(chapter, "relu identity", T)["solved"]) >= 2
    assert max(reached(chapter, "relu identity", T)["test"]) < 0.02


def test_training_mends_the_gradient_of_relus_and_not_of_tanh(chapter):
    [output] = chapter.outputs("before-after-run")
    tanh, relu = output.text.splitlines()[1:]
    assert tanh.split()[2:] == ["below", "1e-9", "below", "1e-9"]
    assert relu.split()[2:] == ["below", "1e-9", "above", "1e-3"]


# The quiz


def test_answer_1():
    factor = 2 * (1 - 0.8**2)
    assert factor == pytest.approx(0.72)
    np.testing.assert_allclose(factor**10, 0.04, atol=0.005)


def test_answer_2():
    angle = np.pi / 6
    turn = 1.1 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(abs(np.linalg.eigvals(turn)), 1.1)
    np.testing.assert_allclose(np.linalg.svd(turn, compute_uv=False), 1.1)
    length = np.linalg.norm(np.linalg.matrix_power(turn, 10) @ [0.6, 0.8])
    assert length == pytest.approx(2.6, abs=0.05)


def test_answer_4(chapter):
    whole = np.array([3.0, 4, 12])
    np.testing.assert_allclose(chapter.names.clip(whole, 6.5), [1.5, 2, 6])
