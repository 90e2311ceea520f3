"""Answers to the exercises of 16_inside that only call rnnlib."""

import numpy as np

import rnnlib


def connectivity__by_the_layer(x, W_x, W_h, b, w_y):
    layer = rnnlib.RNN(x.shape[1], len(b), nonlinearity="relu", dtype=np.float64)
    layer.load_state_dict(
        {"weight_ih_l0": W_x, "weight_hh_l0": W_h, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    )
    y, _ = layer(x[:, None])
    dy = np.zeros_like(y)
    dy[-1, 0] = w_y
    return (layer.backward(dy)[0][:, 0] * x).sum(axis=1)


def connectivity__by_differences(x, W_x, W_h, b, w_y):
    gradient = rnnlib.numerical_gradient(lambda: output(x, W_x, W_h, b, w_y), x)
    return (gradient * x).sum(axis=1)


def speed__by_differences(h, W_h, u):
    def q():
        return np.sum((np.tanh(W_h @ h + u) - h) ** 2) / 2

    return q(), rnnlib.numerical_gradient(q, h)


def probe__by_the_loss(h, z, K, rate, steps, alpha):
    W, c = np.zeros((K, h.shape[1])), np.zeros(K)
    for _ in range(steps):
        _, d = rnnlib.cross_entropy(h @ W.T + c, z)
        W, c = W - rate * (d.T @ h + alpha * W), c - rate * d.sum(axis=0)
    return W, c
