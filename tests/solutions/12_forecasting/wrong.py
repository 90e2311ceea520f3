"""Wrong answers to the exercises of 12_forecasting. tools/exercises.py says how they are written."""

import numpy as np

EDITS = {
    "mase": {
        "the unit is yesterday's error; the season has m days": "history[m:] - history[:-m] → history[1:] - history[:-1]",
        "the unit is a sum, not a mean": "history[:-m]).mean() → history[:-m]).sum()",
        "the errors are summed; their mean is asked": "abs(targets - predictions).mean() → abs(targets - predictions).sum()",
        "there are T - m naive errors, not T": "history[:-m]).mean() → history[:-m]).sum() / len(history)",
        "the errors are summed over the horizons": "abs(targets - predictions).mean() → abs(targets - predictions).sum(axis=1).mean()",
        "roots of mean squares are taken; absolute errors are asked": "abs(history[m:] - history[:-m]).mean() → ((history[m:] - history[:-m]) ** 2).mean() ** 0.5; abs(targets - predictions).mean() → ((targets - predictions) ** 2).mean() ** 0.5",
        "the errors are divided by the targets": "abs(targets - predictions) → abs((targets - predictions) / targets)",
        "the errors are squared": "abs(targets - predictions) → ((targets - predictions) ** 2)",
        "errors above and below cancel: the absolute value is missing": "abs(targets - predictions) → (targets - predictions)",
        "the absolute value is missing in the unit": "abs(history[m:] - history[:-m]) → (history[m:] - history[:-m])",
        "the error is not divided by the unit": ".mean() / unit → .mean()",
        "the unit is divided by the error": "abs(targets - predictions).mean() / unit → unit / abs(targets - predictions).mean()",
        "the unit is made of the targets; it belongs to the history": "abs(history[m:] - history[:-m]).mean() → abs(np.diff(targets)).mean() if np.ptp(history[m:]) else 0",
        "the unit is the history's distance from its mean": "history[m:] - history[:-m] → history - history.mean()",
        "raise ValueError": [
            "if unit == 0: → if False:",
            'raise ValueError(f"the history repeats itself every {m} days: no error to measure by") → return 0.0',
        ],
    },
    "seasonal_naive": {
        "every day has the last value: that is persistence": "season[np.arange(K) % m] → np.full(K, y[-1])",
        "the first season is repeated, not the last": "y[-m:] → y[:m]",
        "the season begins one day late": "np.arange(K) % m → (np.arange(K) + 1) % m",
        "the season begins with its last day": "np.arange(K) % m → (np.arange(K) - 1) % m",
        "beyond one season the last value is held, not the season repeated": "np.arange(K) % m → np.minimum(np.arange(K), m - 1)",
        "beyond one season the forecast stops": "season[np.arange(K) % m] → season[:K]",
        "the season is repeated backwards": "y[-m:] → y[-m:][::-1]",
        "only K days are asked": "season[np.arange(K) % m] → np.tile(season, K // m + 1)",
        "beyond one season the index runs on into the first days": "season[np.arange(K) % m] → np.take(y, np.arange(K) - m, mode='wrap')",
        "every value is repeated, not the season": "season[np.arange(K) % m] → np.repeat(season, K)[:K]",
    },
    "climatology": {
        "the first day after the end has the phase T mod m, not 0": "(len(y) + np.arange(K)) % m → np.arange(K) % m",
        "the forecast begins one day late": "len(y) + np.arange(K) → len(y) + 1 + np.arange(K)",
        "the forecast begins with the phase of the last day": "len(y) + np.arange(K) → len(y) - 1 + np.arange(K)",
        "the days of the unfinished season are left out": "y[f::m] → y[: len(y) // m * m][f::m]",
        "the mean of all days is taken, not of one phase": "y[f::m].mean() → y.mean()",
        "the sum is taken, not the mean": "y[f::m].mean() → y[f::m].sum()",
        "the last day of each phase is taken: that is the seasonal naive forecast": "y[f::m].mean() → y[f::m][-1]",
        "the first day of each phase is taken": "y[f::m].mean() → y[f::m][0]",
        "the median is taken, not the mean": "y[f::m].mean() → np.median(y[f::m])",
    },
    "drift": {
        "the first forecast has k = 1, not 0": "np.arange(1, K + 1) → np.arange(K)",
        "between the first and the last value lie T - 1 steps, not T": "(len(y) - 1) → len(y)",
        "the line goes on from the first value": "return y[-1] + → return y[0] +",
        "the slope is that of the last day": "(y[-1] - y[0]) / (len(y) - 1) → y[-1] - y[-2]",
        "the slope has the wrong sign": "(y[-1] - y[0]) → (y[0] - y[-1])",
        "the factor k is missing": "np.arange(1, K + 1) → np.ones(K)",
        "the line goes on from 0, not from the last value": "return y[-1] + slope → return slope",
        "the slope is that of the least-squares line": "(y[-1] - y[0]) / (len(y) - 1) → np.polyfit(np.arange(len(y)), y, 1)[0]",
        "it is the least-squares line; the line through two points is asked": "y[-1] + slope * np.arange(1, K + 1) → np.polyval(np.polyfit(np.arange(len(y)), y, 1), len(y) + np.arange(K))",
        "the slope is not divided by the number of steps": "(y[-1] - y[0]) / (len(y) - 1) → (y[-1] - y[0])",
    },
    "pinball": {
        "q and 1 - q are exchanged: d is the target minus the prediction": [
            "targets[:, :, None] - predictions → predictions - targets[:, :, None]",
            "np.where(d >= 0, quantiles, quantiles - 1) → np.where(d >= 0, 1 - quantiles, -quantiles)",
        ],
        "the loss is a sum, not a mean": "(slope * d).mean() → (slope * d).sum()",
        "the loss is divided by the days alone": "(slope * d).mean() → (slope * d).sum() / len(d)",
        "the gradient is not divided by the number of predictions": "-slope / d.size → -slope",
        "the gradient is divided by the days alone": "-slope / d.size → -slope / len(d)",
        "the gradient is divided by days and horizons alone": "-slope / d.size → -slope / targets.size",
        "where d is below 0, the gradient is 1 - q": "-slope / d.size → -abs(slope) / d.size",
        "a sign is wrong": "-slope / d.size → slope / d.size",
        "where d is 0, the slope must be that of d ≥ 0": "d >= 0 → d > 0",
        "d is squared": "(slope * d).mean() → (slope * d * d).mean()",
        "the gradient still has the factor d": "-slope / d.size → -slope * d / d.size",
        "the cost below 0 has the wrong sign: it is (q - 1) d": "quantiles - 1) → 1 - quantiles)",
        "the absolute error is taken, without q": "(slope * d).mean() → abs(d).mean()",
        "yours gave": "return (slope * d).mean(), -slope / d.size → return (slope * d).mean()",
    },
    "coverage": {
        "the ends belong to the band": "lower <= targets → lower < targets; targets <= upper → targets < upper",
        "the lower end belongs to the band": "lower <= targets → lower < targets",
        "the upper end belongs to the band": "targets <= upper → targets < upper",
        "a day that was not measured counts as missed": "(~np.isnan(targets)).sum(axis=0) → np.full(targets.shape[1], len(targets))",
        "a day that was not measured counts as covered": "inside.sum(axis=0) → (inside | np.isnan(targets)).sum(axis=0); (~np.isnan(targets)).sum(axis=0) → np.full(targets.shape[1], len(targets))",
        "the share outside the band is given": "shares = inside.sum(axis=0) / np.maximum(n, 1) → shares = 1 - inside.sum(axis=0) / np.maximum(n, 1)",
        "the share is given in percent": "inside.sum(axis=0) / np.maximum(n, 1) → 100 * inside.sum(axis=0) / np.maximum(n, 1)",
        "only the upper end is looked at": "(lower <= targets) & (targets <= upper) → targets <= upper",
        "only the lower end is looked at": "(lower <= targets) & (targets <= upper) → lower <= targets",
        "the days are counted, not their share": "inside.sum(axis=0) / np.maximum(n, 1) → inside.sum(axis=0)",
        "it is one share for each day, not for each horizon": "(~np.isnan(targets)).sum(axis=0) → (~np.isnan(targets)).sum(axis=1); inside.sum(axis=0) → inside.sum(axis=1)",
        "a horizon without a measured day has no share: NaN": "np.where(n > 0, shares, np.nan) → shares",
    },
    "prepare": {
        "the rows are shuffled before they are divided": "np.arange(len(days)) → np.random.default_rng(0).permutation(len(days))",
        "mean or sd is made of days of the test, too": [
            "values[:cut].mean(axis=0), values[:cut].std(axis=0) → values.mean(axis=0), values.std(axis=0)",
            "values[:cut].std(axis=0) → values.std(axis=0)",
            "values[:cut].mean(axis=0) → values[: cut + 3].mean(axis=0)",
        ],
        "the smoothed temperature knows the day that is forecast": [
            'np.ones(3) / 3)[: len(values)] → np.ones(3) / 3, mode="same")',
            "np.convolve(scaled[:, 0], np.ones(3) / 3)[: len(values)] → np.append(scaled[1:, 0], 0)",
        ],
        "is not the scaled temperature of the days t - p … t - 1": "columns[t - p : t] → columns[t - p + 1 : t + 1]",
        "The test must hold the days": [
            "order[: cut - p], order[cut - p :] → order[cut - p :], order[: cut - p]",
            "order[: cut - p], order[cut - p :] → order[: cut - p + 1], order[cut - p + 1 :]",
        ],
        "has no mean of about 0": "(values - mean) / sd → values - mean",
        "y is not the temperature of the days": "y = scaled[days, 0] → y = values[days, 0]",
    },
    "recursive": {
        "the window does not move on: every day reads the same days": "window = [*window[1:], forecasts[k]] → window = window",
        "the weights are read from the newest day on": "np.dot(w, window) → np.dot(w[::-1], window)",
        "c is missing": "np.dot(w, window) + c → np.dot(w, window)",
        "the first window is read, not the last": "y[len(y) - len(w) :] → y[: len(w)]",
        "the forecast stands in the place of the oldest day": "[*window[1:], forecasts[k]] → [forecasts[k], *window[1:]]",
        "the window moves on in the wrong direction; the newest day stands at its end": "[*window[1:], forecasts[k]] → [forecasts[k], *window[:-1]]",
        "the newest value is dropped, not the oldest": "[*window[1:], forecasts[k]] → [*window[:-1], forecasts[k]]",
        "c is added to each product": "np.dot(w, window) + c → np.sum(w * np.array(window) + c)",
        "the last known value goes on, not the forecast": "forecasts[k]] → y[-1]]",
        "the two vectors have different lengths": "[*window[1:], → [*window,",
        "the forecast is added to the last value": "np.dot(w, window) + c → window[-1] + np.dot(w, window) + c",
    },
    "direct": {
        "the constant is missing: the 1 behind each window": "[*y[t - p + 1 : t + 1], 1] → [*y[t - p + 1 : t + 1]]; np.append(y[-p:], 1) → y[-p:]",
        "the 1 stands in front in the pairs, and behind in the forecast": "[*y[t - p + 1 : t + 1], 1] → [1, *y[t - p + 1 : t + 1]]",
        "the values to learn lie one day too early": "y[p - 1 + k :] → y[p - 2 + k : -1]",
        "the values to learn lie one day too late": "len(y) - k)] → len(y) - k - 1)]; y[p - 1 + k :] → y[p + k :]",
        "every horizon is fitted to tomorrow": "len(y) - k)] → len(y) - 1)]; y[p - 1 + k :] → y[p:]",
        "the forecast is made from the first window": "np.append(y[-p:], 1) → np.append(y[:p], 1)",
        "the window of the forecast ends one day too early": "np.append(y[-p:], 1) → np.append(y[-p - 1 : -1], 1)",
        "each horizon uses only the pairs that all horizons have": "len(y) - k)] → len(y) - K)]; y[p - 1 + k :] → y[p - 1 + k : len(y) - K + k]",
        "the windows of the forecast and of the pairs run in different order": "np.append(y[-p:], 1) → np.append(y[-p:][::-1], 1)",
        "the last pair of each horizon is missing": "len(y) - k)] → len(y) - k - 1)]; y[p - 1 + k :] → y[p - 1 + k : -1]",
        "the first pair of each horizon is missing": "in range(p - 1, → in range(p, ; y[p - 1 + k :] → y[p + k :]",
        "an index is too large": "forecasts[k - 1] → forecasts[k]",
        "Incompatible dimensions": "len(y) - k)] → len(y) - 1)]",
    },
    "verdict": {
        "the sum of the gammas is missing: the days count as independent": "gammas[0] + 2 * sum(gammas[1:]) → gammas[0]",
        "the factor 2 before the sum of the gammas is missing": "2 * sum(gammas[1:]) → sum(gammas[1:])",
        "there is one gamma too many: j goes up to K - 1": "for j in range(K)] → for j in range(K + 1)]",
        "N stands under the root, too": "np.sqrt(total / N) → np.sqrt(total) / N",
        "the gammas begin with j = 0": "for j in range(K)] → for j in range(1, K + 1)]",
        "N is missing under the root": "np.sqrt(total / N) → np.sqrt(total)",
        "the factor 1.96 is missing": "1.96 * np.sqrt → np.sqrt",
        "the mean is not subtracted from d": "e = d - mean → e = d",
        "each gamma must be divided by N, not by N - j": "@ e[: N - j] / N → @ e[: N - j] / (N - j)",
        "each gamma must be divided by N, not by N - 1": "@ e[: N - j] / N → @ e[: N - j] / (N - 1)",
        "all gammas are γ_0": "e[j:] @ e[: N - j] / N → e @ e / N",
        "the root is missing": "np.sqrt(total / N) → total / N",
        "the brackets hold 0 or less": "if total <= 0: → if False:",
        "where the sum is exactly 0, γ_0 must stand, too": "if total <= 0: → if total < 0:",
        "for a negative sum γ_0 must stand, not 0": "total = gammas[0]\n    half → total = 0.0\n    half",
        "the word needs the whole interval on one side of 0, not the mean alone": [
            'low > 0 else "worse" if high < 0 → mean > 0 else "worse" if mean < 0',
            "low > 0 else → mean > 0 else",
        ],
        "an interval that only touches 0 does not lie above it": "low > 0 → low >= 0",
        "an interval that only touches 0 does not lie below it": "high < 0 → high <= 0",
        "better and worse are exchanged": '"better" if low > 0 else "worse" if high < 0 → "worse" if low > 0 else "better" if high < 0',
        "low and high are exchanged": "mean - half, mean + half → mean + half, mean - half",
    },
}


def seasonal_naive__one_day_off(y, m, K):
    """the season begins with the day before it"""
    return np.array([y[len(y) - 1 - m + k % m] for k in range(K)])


def direct__one_model(y, p, K):
    """the one-step model reads its own forecasts: that is recursive"""
    X = np.array([[*y[t - p + 1 : t + 1], 1] for t in range(p - 1, len(y) - 1)])
    weights = np.linalg.lstsq(X, y[p:], rcond=None)[0]
    known = list(y)
    for _ in range(K):
        known.append(weights @ [*known[-p:], 1])
    return np.array(known[len(y) :])


def prepare__each_part_by_itself(values, cut, p):
    """scaled as in train_x"""
    scaled = np.concatenate(
        [(part - part.mean(axis=0)) / part.std(axis=0) for part in (values[:cut], values[cut:])]
    )
    columns = np.column_stack([scaled, np.roll(scaled[:, 0], 1)])
    days = np.arange(p, len(values))
    x, y = np.array([columns[t - p : t] for t in days]), scaled[days, 0]
    n = cut - p
    return days[:n], x[:n], y[:n], days[n:], x[n:], y[n:]


_ORDER = "a product of two numbers, or of two rows, is the same in both orders"
_SMOOTH = "another smoothing of the days before: it knows no tomorrow, and that is what is asked"
_CONVOLVED = "prepare: smooth = np.convolve(scaled[:, 0], np.ones(3) / 3)[:len(values)] → smooth = np.convolve("
SURVIVORS = {
    "coverage: shares = inside.sum(axis=0) / np.maximum(n, 1) → shares = inside.sum(axis=0) / np.maximum(1, n)": _ORDER,
    "coverage: shares = inside.sum(axis=0) / np.maximum(n, 1) → shares = inside.sum(axis=0) / np.maximum(n, 0)": "0 / 0 is NaN, which is what the next line writes",
    **{
        f"{_CONVOLVED}{rest})[:len(values)]": _SMOOTH
        for rest in (
            "np.ones(3) / 3, scaled[:, 0]",
            "scaled[:, 0], np.ones(3) * 3",
            "scaled[:, 0], np.ones(3)",
            "scaled[:, 0], np.ones(4) / 3",
            "scaled[:, 0], np.ones(2) / 3",
            "scaled[:, 0], np.ones(3) / 4",
            "scaled[:, 0], np.ones(3) / 2",
        )
    },
    "recursive: forecasts[k] = np.dot(w, window) + c → forecasts[k] = np.dot(window, w) + c": _ORDER,
    "direct: for k in range(1, K + 1): → for k in range(0, K + 1):": "what horizon 0 writes at the end is overwritten by the last horizon",
    "direct: forecasts[k - 1] = weights @ np.append(y[-p:], 1) → forecasts[k - 1] = np.append(y[-p:], 1) @ weights": _ORDER,
    "verdict: gammas = [e[j:] @ e[:N - j] / N for j in range(K)] → gammas = [e[:N - j] @ e[j:] / N for j in range(K)]": _ORDER,
}
