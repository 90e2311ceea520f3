"""Chapter 17: who tries more looks better, and of three answers one is no."""

import re

import numpy as np
import pytest

import rnnlib


def side(chapter, name, which):
    """The losses of the final trainings on the test, (5,) or (1,)."""
    return np.array(chapter.experiment[name]["test"][which])


def pump(chapter, training):
    [entry] = [e for e in chapter.experiment["pump"] if e["training"] == training]
    return entry


# Who tries more looks better


@pytest.mark.parametrize(("m", "n"), [(3, 3), (3, 30), (30, 30), (1, 9)])
def test_without_a_difference_the_share_is_that_of_the_trials(chapter, m, n):
    best_of = chapter.names.best_of
    wins = (best_of(n) < best_of(m)).mean()
    assert wins == pytest.approx(n / (m + n), abs=0.015)


def test_sixty_seeds_find_luck_on_validation_and_little_on_the_test(chapter):
    names = chapter.names
    flattery = names.validation.mean() - names.validation[names.first]
    gain = names.tested.mean() - names.tested[names.first]
    assert flattery > 2 * names.validation.std()
    assert gain < flattery / 2


def test_both_sides_had_as_many_trials(chapter):
    plan = chapter.names.PLAN
    assert len(plan["baseline"]) == len(plan["recurrent"]) == 36
    for entries in plan.values():
        planned = [(model, sorted(settings.items()), seed) for model, settings, seed in entries]
        assert len({str(one) for one in planned}) == 36, "a trial is planned twice"
    logs = [chapter.experiment[name]["tuning"]["log"] for name in ("basin", "heat")]
    logs += [entry["tuning"]["log"] for entry in chapter.experiment["pump"]]
    for log in logs:
        told = [(r["side"], r["model"], r["settings"], r["seed"]) for r in log]
        assert told == [(s, *one) for s, entries in plan.items() for one in map(tuple, entries)]


def test_the_choice_is_that_of_the_log(chapter):
    for entry in (chapter.experiment["basin"], chapter.experiment["heat"]):
        trials = rnnlib.Trials(None)
        for row in entry["tuning"]["log"]:
            trials.add(**row)
        for which in rnnlib.trials.SIDES:
            chosen = entry["tuning"]["chosen"][which]
            assert trials.best(which)["settings"] == chosen["settings"]


# Nothing leaks


def test_scales_come_from_the_training_part_alone(chapter):
    names = chapter.names
    net = names.network("RNN", {"H": 4}, seed=0)
    x = names.task.validation.x[:, :5]
    alone = names.forecasts(net, names.task.training)(x)
    beside = names.forecasts(net, names.task.training)(names.task.validation.x)[:5]
    np.testing.assert_allclose(alone, beside, rtol=1e-5, atol=1e-6)


def test_a_window_sees_its_last_readings_alone(chapter):
    names = chapter.names
    x = np.random.default_rng(0).normal(size=(32, 6, 1)).astype(np.float32)
    other = x.copy()
    other[:-8] += 1.0
    for told in (names.Window(8, 4, seed=0), names.ridge(names.task.training, 8, 1.0)):
        np.testing.assert_allclose(told(x), told(other), rtol=1e-6)
    assert (
        abs(names.Recurrent("GRU", 4, seed=0)(x) - names.Recurrent("GRU", 4, 0)(other)).max() > 1e-4
    )


def test_ridge_does_not_punish_the_constant(chapter):
    names = chapter.names
    told = names.ridge(names.task.training, 4, strength=1e9)
    y = names.task.training.y
    np.testing.assert_allclose(told(names.task.test.x[:, :9]), y.mean(), atol=1e-3)


def test_the_networks_gradients(chapter):
    names, rng = chapter.names, np.random.default_rng(0)
    x, y = rng.normal(size=(9, 5, 1)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    for net in (names.Window(4, 3, seed=0), names.Recurrent("GRU", 3, seed=0)):
        _, dy = rnnlib.mse(net(x), y)
        net.zero_grad()
        net.backward(dy)
        for p in net.parameters():
            place = np.unravel_index(abs(p.grad).argmax(), p.grad.shape)
            was, losses = p.data[place], []
            for step in (0.01, -0.01):
                p.data[place] = was + step
                losses.append(rnnlib.mse(net(x), y)[0])
            p.data[place] = was
            assert p.grad[place] == pytest.approx((losses[0] - losses[1]) / 0.02, rel=0.02)


# What came out


def test_the_basin_is_a_yes_and_the_numbers_on_the_page_are_the_experiment_s(chapter):
    names, entry = chapter.names, chapter.experiment["basin"]
    assert names.b.mean() < names.a.mean() / 3
    for losses, which in ((names.a, "baseline"), (names.b, "recurrent")):
        np.testing.assert_allclose(losses.mean(axis=1), entry["test"][which], rtol=0.01)
    assert rnnlib.verdict(names.low, names.high, names.worth) == "yes" == entry["verdict"]
    # each training of one side beats each of the other
    assert names.b.mean(axis=1).max() < names.a.mean(axis=1).min()


def test_no_side_beats_the_best_possible(chapter):
    entries = [chapter.experiment["basin"], chapter.experiment["heat"], *chapter.experiment["pump"]]
    for entry in entries:
        for which in rnnlib.trials.SIDES:
            assert min(entry["test"][which]) > entry["best possible"]


def test_the_building_is_a_no_since_a_line_is_nearly_the_best_there_is(chapter):
    entry = chapter.experiment["heat"]
    assert entry["verdict"] == "no"
    assert entry["tuning"]["chosen"]["baseline"]["model"] == "ridge"
    assert side(chapter, "heat", "baseline").max() < 1.03 * entry["best possible"]
    assert side(chapter, "heat", "recurrent").min() > 1.2 * entry["best possible"]


def test_the_pump_depends_on_how_many_sequences_there_are(chapter):
    assert pump(chapter, 200)["verdict"] != "yes"
    assert pump(chapter, 6000)["verdict"] == "yes"
    gains = [
        np.mean(e["test"]["baseline"]) - np.mean(e["test"]["recurrent"])
        for e in chapter.experiment["pump"]
    ]
    assert gains[0] < gains[-1]


def test_pairing_makes_the_interval_narrower(chapter):
    names = chapter.names
    low, high = rnnlib.paired_interval(names.short, names.long)
    torn = np.random.default_rng(3).permutation(names.long, axis=1)
    wide_low, wide_high = rnnlib.paired_interval(names.short, torn)
    assert high - low < 0.7 * (wide_high - wide_low)
    assert low > 0


def test_the_recurrent_search_costs_far_more(chapter):
    trials = chapter.names.trials
    assert trials.cost("recurrent") > 30 * trials.cost("baseline")


def test_the_network_is_ahead_in_every_slice_and_worst_far_back(chapter):
    names = chapter.names
    means = [[losses[:, each].mean() for each in names.inside] for losses in (names.a, names.b)]
    assert all(b < a for a, b in zip(*means, strict=True))
    assert int(np.argmax(means[1])) == len(names.inside) - 1
    assert min(each.sum() for each in names.inside) >= 100


def test_the_largest_losses_are_errors_of_the_gauge(chapter):
    names = chapter.names
    assert names.misread[names.worst].sum() >= 18


def test_the_card_holds_the_interval_and_was_not_typed(chapter):
    names = chapter.names
    assert f"interval {names.low:.3g} to {names.high:.3g}" in names.card
    assert re.search(r"\| trials \| 36 \| 36 \|", names.card)


def test_the_test_is_closed_after_the_chapter(chapter):
    with pytest.raises(RuntimeError, match="opened before"):
        chapter.names.trials.open_test()


def test_figures_show_the_numbers(chapter):
    [ax] = chapter.axes["slices"]
    shown = {line.get_label(): line.get_ydata() for line in ax.lines}
    for label, losses in (("baseline", chapter.names.a), ("recurrent", chapter.names.b)):
        means = [losses[:, each].mean() for each in chapter.names.inside]
        np.testing.assert_allclose(shown[label], means)
    [ax] = chapter.axes["lengths"]
    shown = {line.get_label(): line.get_ydata() for line in ax.lines}
    for label in rnnlib.trials.SIDES:
        means = [np.mean(entry["test"][label]) for entry in chapter.experiment["pump"]]
        np.testing.assert_allclose(shown[label], means)


def test_two_basins_with_the_same_last_days_end_apart(chapter):
    _, ax = chapter.axes["basin-figure"]
    first, second = (line.get_ydata() for line in ax.lines)
    assert abs(first[-1] - second[-1]) > 0.3
    np.testing.assert_allclose(np.diff(first[22:]), np.diff(second[22:]), atol=1e-9)


# The quiz


def test_answer_1(chapter):
    wins = (chapter.names.best_of(40) < chapter.names.best_of(1)).mean()
    assert wins == pytest.approx(0.98, abs=0.01)


@pytest.mark.parametrize(("correlation", "deviation"), [(0.0, 2.83), (0.9, 0.89)])
def test_answer_5(correlation, deviation):
    covariance = 4 * np.array([[1.0, correlation], [correlation, 1.0]])
    losses = np.random.default_rng(0).multivariate_normal([0, 0], covariance, 100_000)
    assert np.diff(losses, axis=1).std() == pytest.approx(deviation, abs=0.02)
