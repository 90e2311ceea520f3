"""Series to forecast: what is loaded, what is generated, and what a file's reader says."""

import sys

import numpy as np
import pytest

from rnnlib.data import forecasting


def test_no_day_of_the_weather_is_missing():
    dates, measured = forecasting.weather()
    assert (np.diff(dates) == np.timedelta64(1, "D")).all() and np.isfinite(measured).all()
    assert (measured[:, 0] >= measured[:, 1]).all(), "the maximum is no less than the minimum"
    assert dates[0] == np.datetime64("2012-01-01") and dates[-1] == np.datetime64("2015-12-31")


def test_each_price_lies_between_the_lowest_and_the_highest_of_its_day():
    dates, (open_, high, low, close) = (lambda d, v: (d, v.T))(*forecasting.prices())
    assert (np.diff(dates).astype(int) > 0).all()
    for price in (open_, close):
        assert ((low <= price + 1e-6) & (price <= high + 1e-6)).all()


@pytest.mark.parametrize(("name", "package"), [("weather", "vega_datasets"), ("prices", "arch")])
def test_a_missing_package_is_named(name, package, monkeypatch):
    for module in [m for m in sys.modules if m.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"pip install {package}"):
        getattr(forecasting, name)()


def test_steps_of_a_walk_are_independent_and_have_their_scale():
    steps = np.diff(forecasting.random_walk(20_000, seed=0, scale=3.0))
    assert steps.std() == pytest.approx(3.0, rel=0.05) and abs(steps.mean()) < 0.1
    assert abs(np.corrcoef(steps[1:], steps[:-1])[0, 1]) < 0.03
    again = forecasting.random_walk(20_000, seed=0, scale=3.0)
    np.testing.assert_allclose(np.diff(again), steps)


def test_a_week_repeats_and_its_noise_does_not():
    y = forecasting.weekly(7 * 400, seed=0).reshape(400, 7)
    habit = y.mean(axis=0) - y.mean()
    assert habit.max() - habit.min() > 6
    rest = (y - y.mean(axis=0)).ravel()
    assert np.corrcoef(rest[1:], rest[:-1])[0, 1] == pytest.approx(0.5, abs=0.06)


GOOD = ["2026-01-30,4", "2026-01-31,5"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*GOOD, "2026-02-02,7"], "line 3: 2 days after the line above, not 1"),
        ([*GOOD, "2026-01-30,7"], "line 3: 2026-01-30 comes before the date above it"),
        ([*GOOD, "2026-01-31,7"], "line 3: 2026-01-31 was there before"),
        ([*GOOD, "2026-02-01,closed"], "line 3: 'closed' is no number"),
        ([*GOOD, "2026-02-01,nan"], "line 3: 'nan' is no number"),
        ([*GOOD, "2026-02-01,"], "line 3: '' is no number"),
        ([*GOOD, "2026-02-01"], "line 3: '' is no number"),
        ([*GOOD, "1.2.2026,7"], "line 3: '1.2.2026' is no date"),
        (["1.2.2026,7", *GOOD], "line 1: '1.2.2026' is no date"),
        (["day;sold", "2026-01-30;4,5"], "line 2: '4,5' is no number"),
        (["2026-01,4", "2026-02,5", "2026-04,7"], "line 3: 59 days after the line above"),
        ([], "the file holds 0 lines"),
        (GOOD[:1], "the file holds 1 lines"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_its_line(lines, message):
    with pytest.raises(ValueError) as problem:
        forecasting.read_series(lines)
    assert message in str(problem.value)


def test_months_years_weeks_and_trading_days_are_steps():
    for lines in (
        ["2026-01,4", "2026-02,5", "2026-03,6", "2026-04,7"],
        ["2023,1", "2024,2", "2025,3", "2026,4"],
        ["2026-01-01\t1", "2026-01-08\t2", "2026-01-15\t3"],
        ["date;value", "2026-01-01;1", "", "2026-01-02;2"],
    ):
        dates, values = forecasting.read_series(lines)
        assert len(dates) == len(values) == sum(line[:1].isdigit() for line in lines)
    friday = ["2026-01-29,1", "2026-01-30,2", "2026-02-02,3"]
    assert len(forecasting.read_series(friday, trading_days=True)[0]) == 3


def test_a_file_is_read_from_its_path(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("date,value\n" + "\n".join(GOOD), encoding="utf-8-sig")
    dates, values = forecasting.read_series(path)
    np.testing.assert_allclose(values, [4, 5])
    assert dates.dtype == np.dtype("datetime64[D]")
