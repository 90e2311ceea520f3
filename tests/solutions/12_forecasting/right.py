"""Other right answers to the exercises of 12_forecasting."""

import numpy as np


def mase__loops(predictions, targets, history, m):
    naive = [abs(history[t] - history[t - m]) for t in range(m, len(history))]
    if not any(naive):
        raise ValueError("no error to measure by")
    return float(np.mean(np.abs(predictions - targets)) / np.mean(naive))


def seasonal_naive__tile(y, m, K):
    return np.tile(y[len(y) - m :], K // m + 1)[:K]


def climatology__masks(y, m, K):
    phase = np.arange(len(y) + K) % m
    return np.array([y[phase[: len(y)] == f].mean() for f in phase[len(y) :]], dtype=float)


def drift__mean_of_steps(y, K):
    return y[-1] + np.cumsum(np.full(K, np.diff(y).mean()))


def pinball__maximum(predictions, targets, quantiles):
    d = np.expand_dims(targets, -1) - predictions
    loss = np.maximum(quantiles * d, (quantiles - 1) * d)
    return float(np.mean(loss)), ((d < 0) - quantiles) / predictions.size


def coverage__loop(lower, upper, targets):
    shares = np.full(targets.shape[1], np.nan)
    for k in range(targets.shape[1]):
        there = ~np.isnan(targets[:, k])
        if there.any():
            y = targets[there, k]
            shares[k] = np.mean((lower[there, k] <= y) & (y <= upper[there, k]))
    return shares


def prepare__masks_and_lags(values, cut, p):
    early = np.arange(len(values)) < cut - 1
    scaled = (values - values[early].mean(axis=0)) / values[early].std(axis=0, ddof=1)
    smooth = np.array([scaled[max(t - 4, 0) : t + 1, 0].mean() for t in range(len(values))])
    columns = np.column_stack([scaled, smooth])
    days = np.arange(p, len(values))
    x = np.array([columns[t - p : t] for t in days])
    train, test = days < cut, days >= cut
    return days[train], x[train], scaled[days[train], 0], days[test], x[test], scaled[days[test], 0]


def prepare__training_rows_mixed(values, cut, p):
    scaled = (values - values[:cut].mean(axis=0)) / values[:cut].std(axis=0)
    around = np.convolve(scaled[:, 0], np.ones(3) / 3, mode="same")
    columns = np.column_stack([scaled, np.append(0.0, around[:-1])])
    train, test = np.random.default_rng(1).permutation(np.arange(p, cut)), range(cut, len(values))
    rows = []
    for days in (train, np.array(test)):
        rows += [days, np.stack([columns[t - p : t] for t in days]), scaled[days, 0]]
    return rows


def recursive__array(y, w, c, K):
    p, known = len(w), np.concatenate([y, np.zeros(K)])
    for t in range(len(y), len(y) + K):
        known[t] = known[t - p : t] @ w + c
    return known[len(y) :]


def direct__windows(y, p, K):
    windows = np.lib.stride_tricks.sliding_window_view(y, p)
    X = np.column_stack([np.ones(len(windows)), windows])
    A = [(X[:-k].T @ X[:-k], X[:-k].T @ y[p - 1 + k :]) for k in range(1, K + 1)]
    return np.array([X[-1] @ np.linalg.solve(*pair) for pair in A])


def verdict__correlate(d, K):
    e = d - np.mean(d)
    gammas = np.correlate(e, e, "full")[len(d) - 1 :] / len(d)
    total = gammas[0] + 2 * gammas[1:K].sum()
    half = 1.96 * (max(total, 0) or gammas[0]) ** 0.5 / len(d) ** 0.5
    low, high = np.mean(d) - half, np.mean(d) + half
    if low > 0:
        return low, high, "better"
    return low, high, "no difference" if high >= 0 else "worse"
