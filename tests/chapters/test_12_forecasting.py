"""Chapter 12: who beats the naive forecast, what leaks fake, and when nothing can be gained."""

import json
from pathlib import Path

import numpy as np
import pytest

import rnnlib
from rnnlib.data import forecasting


def weather(chapter, name, key="rmse"):
    """By seed and horizon, (seeds, 7)."""
    return np.atleast_2d(chapter.experiment["weather"][name][key])


def gains(chapter, over):
    return np.array(chapter.experiment["weather"]["LSTM"][f"gain over {over}"])


# What a forecast may know


def test_no_window_of_training_holds_a_day_of_the_test(chapter):
    names = chapter.names
    z = np.arange(names.end, dtype=float)[:, None]  # each day is its own number
    x, y = names.windows(z, names.W, names.test)
    assert y.max() == names.test - 1 and x.max() < names.test - names.K
    x, y = names.windows(z, names.test, names.end)
    assert y.min() == names.test and y.max() == names.end - 1 and x[-1, 0, 0] == names.test - 1
    n = names.origins(names.test, names.end)
    np.testing.assert_array_equal(x[-1, :, 0], n)
    np.testing.assert_array_equal(y, names.ahead(z[:, 0], n))


def test_what_comes_later_changes_no_departure_of_training(chapter):
    names = chapter.names
    before = names.departures(names.validation)
    kept = names.measured[names.validation :].copy()
    try:
        names.measured[names.validation :] += 100.0
        after = names.departures(names.validation)
    finally:
        names.measured[names.validation :] = kept
    np.testing.assert_allclose(before[0][: names.validation], after[0][: names.validation])
    np.testing.assert_allclose(before[1], after[1])


def test_arima_at_an_origin_knows_no_day_behind_it(chapter):
    names = chapter.names
    z = names.departures(names.validation)[0][:, 0]
    n = np.array([names.validation + 30])
    told = names.arima(z, names.validation, n, (1, 0, 1))
    z = z.copy()
    z[n[0] + 1 :] = 5.0
    np.testing.assert_allclose(names.arima(z, names.validation, n, (1, 0, 1)), told, atol=1e-6)


def test_mase_of_the_naive_forecast_is_near_1_for_tomorrow(chapter):
    names = chapter.names
    told, targets = names.baselines["as today"], names.targets
    assert 0.9 < rnnlib.mase(told[:, 0], targets[:, 0], names.y[: names.validation]) < 1.15
    history = np.array([10.0, 12.0, 11.0, 14.0])
    assert rnnlib.mase(np.array([15.0]), np.array([14.0]), history) == pytest.approx(0.5)


def test_today_is_good_for_tomorrow_and_the_normal_for_a_week(chapter):
    names = chapter.names
    today, normal = (names.rmse(names.baselines[k], names.targets) for k in ("as today", "normal"))
    assert today[0] < normal[0] - 0.5 and normal[6] < today[6] - 1
    assert normal.max() - normal.min() < 0.05
    year_ago = names.rmse(names.baselines["as a year ago"], names.targets)
    assert (year_ago > np.maximum(today, normal)).all()


def test_ridge_makes_its_sum_smallest(chapter):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
    A = chapter.names.ridge(x, y, 2.0)
    np.testing.assert_allclose(x.T @ (x @ A - y) + 2.0 * A, 0, atol=1e-10)


# The network


def test_the_forecasters_gradients_are_those_of_differences(chapter):
    names, rng = chapter.names, np.random.default_rng(0)
    model = names.Forecaster(2, 3, 4, 3, seed=0)
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    model.forward = lambda x: forward(model, x)  # without the float32 of the inputs
    x, y = rng.normal(size=(5, 6, 2)), rng.normal(size=(6, 4))

    def forward(model, x):
        h, _ = model.rnn(x)
        model.steps = h.shape
        return model.output(h[-1]).reshape(-1, *model.shape)

    model.zero_grad()
    h, _ = model.rnn(x)
    dforecast = names.pinball(forward(model, x), y)[1]
    dh = np.zeros(h.shape)
    dh[-1] = model.output.backward(dforecast.reshape(6, -1))
    model.rnn.backward(dh)
    expected = {k: p.grad.copy() for k, p in model.named_parameters()}
    for name, parameter in model.named_parameters():
        estimate = rnnlib.numerical_gradient(
            lambda: names.pinball(forward(model, x), y)[0], parameter.data
        )
        np.testing.assert_allclose(expected[name], estimate, atol=1e-6, err_msg=name)


def test_training_loss_falls_and_validation_turns(chapter):
    history = chapter.names.history
    assert history["loss"][-1] < history["loss"][5]
    assert np.argmin(history["2014"]) < 30
    assert history["2014"][-1] > min(history["2014"]) + 0.002
    training, there = chapter.axes["short-run"][0].lines
    np.testing.assert_allclose(training.get_ydata(), history["loss"])
    np.testing.assert_allclose(there.get_ydata(), history["2014"])


def test_twenty_losses_are_those_of_torch_and_the_scores_agree(chapter):
    np.testing.assert_allclose(chapter.names.mine_20, chapter.names.twin_20, rtol=0, atol=1e-3)
    mine, twin = chapter.names.both
    assert mine == pytest.approx(twin, abs=0.05) and mine < 4.0


# The test


def test_all_beat_today_and_none_the_normal_at_a_week(chapter):
    today, normal = weather(chapter, "as today")[0], weather(chapter, "normal")[0]
    for name in ("LSTM", "ridge", "ARIMA"):
        assert (weather(chapter, name) < today).all()
        assert (weather(chapter, name)[:, 0] < normal[0] - 0.8).all()
        assert (weather(chapter, name)[:, 6] > normal[6] - 0.1).all()


def test_the_network_is_no_better_than_ridge_and_arima(chapter):
    for name in ("ridge", "ARIMA"):
        assert weather(chapter, "LSTM").mean() > weather(chapter, name).mean()
    assert gains(chapter, "as today").min() > 0, "the gain over today is real"
    assert (gains(chapter, "ridge").max(axis=0) < 0.05).all()
    ends = {name: gains(chapter, name) for name in ("normal", "ridge", "ARIMA")}
    for low, high in ends["ridge"]:
        assert low < 0 < high, "no difference"
    assert (ends["normal"][:, 1] > 0).all() and (ends["normal"][:, 0] < 0).any()
    assert (ends["ARIMA"][:, 0] < 0).all() and (ends["ARIMA"][:, 1] < 0).sum() == 3


def test_all_were_tuned_on_2014_alone_and_with_care(chapter):
    tried = chapter.experiment["tuning"]["tuning"]
    assert {name: len(one["tried"]) for name, one in tried.items()} == {
        "normal": 3,
        "ridge": 90,
        "ARIMA": 24,
        "LSTM": 12,
    }
    epochs = chapter.experiment["settings"]["LSTM"]["epochs"]
    assert 12 * epochs > 90, "each epoch of the LSTM is a setting of its own"


def test_the_bands_cover_less_than_they_say(chapter):
    for name in ("LSTM", "ridge"):
        told = chapter.experiment["weather"][name]
        covered, ends = np.atleast_1d(told["covered"]), np.atleast_2d(told["covered interval"])
        assert (covered < 0.9).all() and (covered > 0.8).all()
        assert (ends[:, 0] < covered).all() and (covered < ends[:, 1]).all()
    lstm = chapter.experiment["weather"]["LSTM"]
    assert min(lstm["above"]) > 2 * max(lstm["below"]), "the band lies too low"
    y, test = chapter.names.y, chapter.names.test
    assert all(y[test:].mean() > y[y0:y1].mean() for y0, y1 in ((0, 366), (366, 731), (731, test)))


def test_the_figure_of_the_test_shows_the_experiment(chapter):
    (ax,) = chapter.axes["results"]
    for line in ax.lines:
        mean = weather(chapter, line.get_label()).mean(axis=0)
        np.testing.assert_allclose(line.get_ydata(), mean)


def test_blocks_make_an_interval_wider_where_neighbours_are_alike(chapter):
    rng = np.random.default_rng(0)
    noise = rng.normal(size=420)
    slow = np.convolve(noise, np.ones(20), "valid")
    width = [np.diff(chapter.names.block_interval(slow, block))[0] for block in (1, 28)]
    assert width[1] > 2 * width[0]
    low, high = chapter.names.block_interval(noise, 28)
    assert low < noise.mean() < high
    assert (high - low) == pytest.approx(2 * 1.96 / np.sqrt(420), rel=0.3)


def test_fed_back_weights_are_those_of_the_loop(chapter):
    names, rng = chapter.names, np.random.default_rng(0)
    a, window = rng.normal(size=5) / 3, rng.normal(size=5)
    days = list(window)
    for _ in range(names.K):
        days.append(float(np.dot(a, days[-5:])))
    np.testing.assert_allclose(window @ names.repeated(a), days[5:], rtol=1e-9)


def test_recursive_and_direct_are_level_here(chapter):
    for told in chapter.experiment["recursive"].values():
        direct, fed_back = (np.atleast_2d(told[k]).mean(axis=0) for k in ("direct", "recursive"))
        assert abs(direct - fed_back).max() < 0.15


# Leaks


def faked(chapter, name):
    return np.array(chapter.experiment["leaks"][name]["rmse"])


def test_each_leak_fakes_a_score(chapter):
    honest = faked(chapter, "none, short").mean(axis=0)
    assert (faked(chapter, "normals, short").mean(axis=0)[1:] < honest[1:] - 0.05).all()
    assert faked(chapter, "row, short")[:, 0].max() < honest[0] - 0.15
    assert faked(chapter, "shuffled, long").mean(axis=0).max() < 2.8
    assert faked(chapter, "none, long").mean(axis=0).min() > 3.5


def test_the_shuffled_days_are_easier_and_short_training_hides_the_leak(chapter):
    names = chapter.names
    spread = names.departures(names.test)[2]
    normal = spread * names.rmse(0 * names.drawn, names.drawn)
    assert normal.mean() < weather(chapter, "normal").mean() - 0.1
    short = faked(chapter, "shuffled, short").mean(axis=0)
    ahead = (
        (short / normal).mean(),
        (faked(chapter, "none, short") / weather(chapter, "normal")).mean(),
    )
    assert abs(ahead[0] - ahead[1]) < 0.05
    assert (faked(chapter, "shuffled, long") / normal).mean() < 0.6


def test_the_leaks_are_where_the_text_says(chapter):
    names = chapter.names
    test_year = slice(names.test, names.end)
    honest, leaked = (names.departures(cut)[0] for cut in (names.test, names.end))
    assert abs(honest[test_year, 0].mean()) > abs(leaked[test_year, 0].mean()), "2015 was warm"
    lines = chapter.axes["leak-scores"][0].lines
    np.testing.assert_allclose(lines[-1].get_ydata(), faked(chapter, "shuffled, long").mean(axis=0))


# Prices


def test_on_prices_nothing_is_gained(chapter):
    found, names = chapter.experiment["market"], chapter.names
    ends = np.array(found["gain over as today"])
    assert (ends[:, 0] < 0).all() and (ends[:, 1] > -0.02).all()
    assert max(found["R2 of the return"]) < 0.01
    assert min(found["R2 of the price"]) > 0.99 and names.naive > 0.99
    assert max(found["direction"]) < found["as today"]["always up"] + 0.01


def test_the_forecast_is_the_price_shifted_by_a_day(chapter):
    price, told = (line.get_ydata() for line in chapter.axes["shifted"][0].lines)
    late = abs(told[1:] - price[:-1]).mean()
    assert late < 0.2 * abs(told - price).mean()


def test_volatility_can_be_forecast_and_har_is_not_beaten(chapter):
    found = chapter.experiment["volatility"]
    assert min(found["LSTM"]["test"]) > 0.3
    assert found["HAR with range"]["test"] > max(found["HAR"]["test"], 0.4)
    assert np.mean(found["LSTM"]["test"]) < found["HAR with range"]["test"] + 0.02
    assert min(found["LSTM"]["validation"]) > found["HAR with range"]["validation"]
    assert np.array(found["LSTM"]["gain over HAR with range"])[:, 0].max() < 0


def test_volatility_is_of_the_days_to_come(chapter):
    names = chapter.names
    for t in (100, 2000, 4000):
        size = np.sqrt(np.mean(names.r[t + 1 : t + 6] ** 2) + 0.01)
        assert names.volatility[t] == pytest.approx(np.log(size))
    row = names.har([names.r], np.array([500]))[0]
    assert row[1] == pytest.approx(np.log(np.sqrt(np.mean(names.r[496:501] ** 2) + 0.01)))


# A random walk, and a series of one's own


def test_no_gain_on_a_walk_and_a_gain_where_there_is_a_habit(chapter):
    compare, found = chapter.names.compare, chapter.experiment["walks"]
    assert found["wins"] <= 0.1 * found["of"]
    assert compare(forecasting.random_walk(1000, seed=2)).startswith("use the naive forecast")
    weekly = compare(forecasting.weekly(1000, seed=0), 7)
    assert weekly.startswith("use ridge") and weekly.endswith("smaller than the season before")
    assert "too few" in compare(np.arange(50.0))


def test_the_naive_forecast_of_a_walk_has_the_error_of_the_proof():
    walks = np.stack([forecasting.random_walk(30, seed, scale=2.0) for seed in range(4000)])
    for k in (1, 5):
        error = ((walks[:, 20 + k] - walks[:, 20]) ** 2).mean()
        assert error == pytest.approx(4 * k, rel=0.1)
        off = ((walks[:, 20 + k] - walks[:, 20] - 1.5) ** 2).mean()
        assert off == pytest.approx(4 * k + 1.5**2, rel=0.1)


# The quiz


def test_answer_1():
    told, came = np.array([8.0, 8.0]), np.array([10.0, 7.0])
    assert rnnlib.mase(told, came, np.array([3.0, 5.0, 4.0, 8.0])) == pytest.approx(0.64, abs=0.005)


def test_answer_2():
    came = np.array([12.0] * 8 + [9.0] * 2)
    losses = {
        p: rnnlib.quantile_loss(np.full((10, 1), p), came, [0.9])[0]
        for p in (9.0, 10.0, 12.0, 13.0)
    }
    assert min(losses, key=losses.get) == 12.0
    assert rnnlib.quantile_loss(np.full((10, 1), 10.0), came, [0.9])[1].sum() < 0, "it rises"


# The live figure


def test_the_weeks_of_the_live_figure_are_the_chapter_s(chapter):
    names, root = chapter.names, Path(__file__).resolve().parents[2]
    stored = json.loads((root / "theme/figures/forecasting.json").read_text("utf-8"))
    n = np.searchsorted(names.dates, np.array(stored["days"], dtype="datetime64[D]"))
    assert len(n) == 12 and (np.diff(n) > 0).all() and n.max() <= names.end - 1 - names.K
    np.testing.assert_allclose(
        np.array(stored["past"]) / 10, names.y[n[:, None] + np.arange(-6, 1)], atol=0.051
    )
    np.testing.assert_allclose(np.array(stored["came"]) / 10, names.ahead(names.y, n), atol=0.051)
    normal = names.ahead(names.departures(names.test)[1], n)
    np.testing.assert_allclose(np.array(stored["normal"]) / 10, normal, atol=0.051)
    for name, leak in (("none", "none"), ("row", "tomorrow's row")):
        model, z, normals, spread, _ = names.leaky(leak, 0)
        told = spread * model(z[n - np.arange(names.W)[::-1, None]])
        told += names.ahead(normals, n)[..., None]
        # another processor trains to slightly other weights
        away = abs(np.array(stored["drawn"][name]["told"]) / 10 - told)
        assert away.mean() < 0.3 and away.max() < 2
