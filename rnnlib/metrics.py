"""How good is it? Numbers that people compare."""

from __future__ import annotations

import numpy as np

from .validation import expect_float, expect_positive


def perplexity(nll: float) -> float:
    """Raise e to the mean surprise. Derived in chapter 01_storybook.

    Among so many equally likely words the model hesitates.

    Parameters
    ----------
    nll : float
        Mean cross-entropy in nats, as `cross_entropy` returns it.

    Returns
    -------
    float
        At least 1 for a real distribution; infinite where no float is large enough.

    Examples
    --------
    >>> round(perplexity(np.log(6.0)), 4)
    6.0
    """
    with np.errstate(over="ignore"):
        return float(np.exp(nll))


def bits(nll: float) -> float:
    """Turn nats into bits, logarithms to base 2. Derived in chapter 01_storybook.

    Parameters
    ----------
    nll : float
        Mean cross-entropy in nats, as `cross_entropy` returns it.

    Returns
    -------
    float
        Bits per symbol.

    Examples
    --------
    >>> round(bits(np.log(8.0)), 4)
    3.0
    """
    return float(nll / np.log(2.0))


@np.errstate(over="ignore", invalid="ignore")
def mase(
    predictions: np.ndarray, targets: np.ndarray, history: np.ndarray, season: int = 1
) -> float:
    """Take the mean absolute scaled error, MASE. Derived in chapter 12_forecasting.

    How far off is a forecast, in units of the naive forecast's own error?

        mean abs(y - ŷ)  /  mean over the history of abs(y_t - y_{t-m})

    The naive forecast says "as m steps ago". Below 1 the predictions err less than it
    did on the history; predictions several steps ahead may be good and lie above 1.

    Parameters
    ----------
    predictions : (...) array
    targets : (...) array
        What happened: the shape, dtype and unit of the predictions.
    history : (T,) array
        The series that the forecaster learned from, in order, never the one it is
        tested on: T must be greater than `season`.
    season : int, optional
        m, the steps of one season: 1 for none, 7 for days with weekly habits.

    Returns
    -------
    float
        Without a unit. A NaN in any of the arrays makes it NaN, too large a number infinite.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if there is nothing to compare, if the history
        is no longer than a season, or if it repeats itself exactly.

    References
    ----------
    Hyndman and Koehler, Another look at measures of forecast accuracy, International
    Journal of Forecasting 22, 2006.

    Examples
    --------
    >>> history = np.array([10.0, 12.0, 11.0, 14.0])  # naive errors 2, 1 and 3
    >>> mase(np.array([15.0, 13.0]), np.array([14.0, 14.0]), history)
    0.5
    """
    predictions = expect_float("predictions", predictions, ("...",))
    targets = expect_float("targets", targets, predictions.shape, dtype=predictions.dtype)
    history = expect_float("history", history, ("T",), dtype=predictions.dtype)
    season = expect_positive("season", season)
    if predictions.size == 0:
        raise ValueError("predictions is empty, so there is no mean error")
    if len(history) <= season:
        raise ValueError(
            f"history holds {len(history)} steps, but more than one season of {season} is needed"
        )
    scale = float(abs(history[season:] - history[:-season]).mean())
    if scale == 0.0:
        raise ValueError(
            f"history repeats itself exactly every {season} steps: no error to measure by"
        )
    return float(abs(targets - predictions).mean()) / scale


def coverage(lower: np.ndarray, upper: np.ndarray, targets: np.ndarray) -> float:
    """Take the share of targets that their intervals cover. Derived in chapter 12_forecasting.

    Both ends are included. A 90% interval is honest if it covers 0.9: less is
    overconfident, more timid. Where the ends have crossed (lower above upper) nothing is
    covered.

    Parameters
    ----------
    lower, upper : (...) arrays
        The ends of the intervals; may be infinite.
    targets : (...) array
        What happened. All three have one shape and dtype.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit, if there are no intervals, or if an array holds
        NaN, which lies neither inside nor outside.

    Examples
    --------
    >>> targets = np.array([1.0, 2.0, 3.0, 9.0])
    >>> coverage(targets * 0.0, targets * 0.0 + 3.0, targets)
    0.75
    """
    lower = expect_float("lower", lower, ("...",))
    upper = expect_float("upper", upper, lower.shape, dtype=lower.dtype)
    targets = expect_float("targets", targets, lower.shape, dtype=lower.dtype)
    if lower.size == 0:
        raise ValueError("lower is empty, so there is no share of intervals")
    for name, array in [("lower", lower), ("upper", upper), ("targets", targets)]:
        if np.isnan(array).any():
            raise ValueError(f"{name} holds NaN")
    return float(((lower <= targets) & (targets <= upper)).mean())
