"""Series to forecast: weather, prices, a random walk, a weekly habit, and your own file.

A series is a number a day, in the order of time; a forecast knows all days up to its origin.
Every loader returns dates (T,) and what was measured on each:

    dates, measured = weather()     measured (1461, 4): max °C, min °C, rain mm, wind m/s
    dates, prices = prices()        prices (5031, 4): open, high, low, close

The weather is the continuous record of one station. (A typical year, as engineers use it to plan
buildings, is spliced from months of several years: no forecast can be tested on that.) For a
`random_walk` the best forecast is known: its last value.

Derived in chapter 12_forecasting. Source: Seattle 2012 – 2015, from public-domain NOAA data, as
the package vega_datasets brings it; the S&P 500 from 1999 to 2018, an example of the package arch,
which names no source of the prices, so that none is stored here. Generated series are made up for
this course.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from os import PathLike
from pathlib import Path

import numpy as np

from ..validation import as_rng, expect_positive

#: Days between two lines of a monthly series, and of a yearly one.
UNEVEN = range(28, 32), range(365, 367)


def weather() -> tuple[np.ndarray, np.ndarray]:
    """Load Seattle's weather: dates (1461,) and (1461, 4), no day missing.

    The columns are maximum and minimum temperature (°C), precipitation (mm) and wind (m/s).

    ImportError is raised if vega_datasets, which brings it, is not installed.

    >>> dates, measured = weather()
    >>> str(dates[0]), measured[0].tolist()
    ('2012-01-01', [12.8, 5.0, 0.0, 4.7])
    """
    try:
        from vega_datasets import local_data
    except ImportError:
        raise ImportError("the weather needs vega_datasets: pip install vega_datasets") from None
    table = local_data.seattle_weather()
    columns = ["temp_max", "temp_min", "precipitation", "wind"]
    return table["date"].to_numpy("datetime64[D]"), table[columns].to_numpy(float)


def prices() -> tuple[np.ndarray, np.ndarray]:
    """Load the S&P 500: dates (5031,) of trading days, and (5031, 4), in index points.

    The columns are the day's first, highest, lowest and last value (open, high, low, close).

    ImportError is raised if arch, which brings them, is not installed.

    >>> dates, values = prices()
    >>> str(dates[-1]), values[-1].round(2).tolist()
    ('2018-12-31', [2498.94, 2509.24, 2482.82, 2506.85])
    """
    try:
        from arch.data import sp500
    except ImportError:
        raise ImportError("the prices need arch: pip install arch") from None
    table = sp500.load()
    columns = ["Open", "High", "Low", "Close"]
    return table.index.to_numpy("datetime64[D]"), table[columns].to_numpy(float)


def random_walk(
    T: int, seed: int | np.random.Generator, scale: float = 1.0, start: float = 100.0
) -> np.ndarray:
    """Walk (T,): each value is the one before and a step that nothing tells beforehand.

    Steps are normal with this scale, each independent of all others. Nothing beats "as today".

    >>> random_walk(3, seed=0).round(2).tolist()
    [100.0, 100.13, 99.99]
    """
    rng = as_rng(seed)
    steps = rng.normal(0.0, scale, expect_positive("T", T) - 1)
    return start + np.concatenate([[0.0], np.cumsum(steps)])


def weekly(T: int, seed: int | np.random.Generator) -> np.ndarray:
    """Make a daily series (T,) with a weekly habit: a level, the weekday's share, and noise.

    The noise of a day keeps half of that of the day before.

    >>> y = weekly(70, seed=0)
    >>> bool(abs(y[7:] - y[:-7]).mean() < abs(np.diff(y)).mean())  # last week says more
    True
    """
    rng = as_rng(seed)
    habit = np.array([4.0, 1.0, 0.0, 0.0, 2.0, -2.0, -5.0])
    noise = np.zeros(expect_positive("T", T))
    shocks = rng.normal(0.0, 1.0, T)
    for t in range(T):
        noise[t] = 0.5 * noise[t - 1] + shocks[t] if t else shocks[t]
    return 50.0 + habit[np.arange(T) % 7] + noise


def read_series(
    file: str | PathLike[str] | Iterable[str], trading_days: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Read your own series: one line for each day, `2026-01-31,12.5`.

    The date comes first and the number second; a comma, a semicolon or a tab stands between them.
    A first line without date and number is a heading. The step, a day, a week, a month or a
    year, is what most lines have.

    Parameters
    ----------
    file : path, or the lines themselves
    trading_days : bool, optional
        True if days without trade are left out, as in prices: then a gap is no error.

    Returns
    -------
    dates, values : (T,) datetime64[D] and (T,) float arrays

    Raises
    ------
    ValueError
        Naming the line: if a date or number cannot be read, if a date comes twice or before
        the one above it, or if days are missing. Also if fewer than two lines hold a value.

    Examples
    --------
    >>> dates, values = read_series(["day,sold", "2026-01-30,4", "2026-01-31,5.5"])
    >>> str(dates[1]), values.tolist()
    ('2026-01-31', [4.0, 5.5])
    >>> read_series(["2026-01-30,4", "2026-01-31,none"])
    Traceback (most recent call last):
        ...
    ValueError: line 2: 'none' is no number like 12.5
    """
    if isinstance(file, str | PathLike):
        file = Path(file).read_text("utf-8-sig").splitlines()
    lines: list[int] = []
    dates: list[np.datetime64] = []
    values: list[float] = []
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        separator = next((mark for mark in ";\t" if mark in line), ",")
        day, told, *_ = [cell.strip() for cell in next(csv.reader([line], delimiter=separator))] + [
            ""
        ]
        date, value = _date(day), _number(told)
        if number == 1 and date is None and value is None:
            continue  # a heading
        if date is None:
            raise ValueError(f"line {number}: {day!r} is no date like 2026-01-31")
        if value is None:
            raise ValueError(f"line {number}: {told!r} is no number like 12.5")
        lines.append(number)
        dates.append(date)
        values.append(value)
    if len(dates) < 2:
        raise ValueError(f"the file holds {len(dates)} lines with a date and a number")
    steps = [int((b - a).astype(int)) for a, b in pairwise(dates)]
    usual = max(Counter(steps).items(), key=lambda one: (one[0] > 0, one[1]))[0]
    for number, step, date in zip(lines[1:], steps, dates[1:], strict=True):
        if step == 0:
            raise ValueError(f"line {number}: {date} was there before, in the line above")
        if step < 0:
            raise ValueError(f"line {number}: {date} comes before the date above it: sort the file")
        alike = step == usual or any(step in days and usual in days for days in UNEVEN)
        if not alike and not trading_days:
            raise ValueError(
                f"line {number}: {step} days after the line above, not {usual}: "
                "fill the gap, or say trading_days=True"
            )
    return np.array(dates, "datetime64[D]"), np.array(values)


def _date(text: str) -> np.datetime64 | None:
    try:
        date = np.datetime64(text).astype("datetime64[D]")
    except ValueError:
        return None
    return None if np.isnat(date) else date


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
