"""Answers to the exercises of 12_forecasting that only call rnnlib."""

import numpy as np

import rnnlib


def mase__by_the_metric(predictions, targets, history, m):
    return rnnlib.mase(predictions, targets, history, m)


def pinball__by_the_loss(predictions, targets, quantiles):
    return rnnlib.quantile_loss(predictions, targets, quantiles)


def coverage__by_the_metric(lower, upper, targets):
    ends = zip(lower.T, upper.T, targets.T, strict=True)
    return np.array([rnnlib.coverage(*three) for three in ends])


def direct__by_the_windows(y, p, K):
    forecasts = []
    for k in range(1, K + 1):
        x, after = rnnlib.sliding_windows(y, p, k)
        X = np.column_stack([x.T, np.ones(x.shape[1])])
        forecasts.append(np.append(y[-p:], 1) @ np.linalg.lstsq(X, after[-1], rcond=None)[0])
    return np.array(forecasts)
