"""Other right answers to the exercises of 06_lstm."""

import numpy as np


def coupled_step__gate_by_gate(x_t, h_prev, c_prev, W_x, W_h, b):
    H = h_prev.shape[1]
    sums = [
        np.einsum("bi,hi->bh", x_t, W_x[k : k + H])
        + np.einsum("bj,hj->bh", h_prev, W_h[k : k + H])
        + b[k : k + H]
        for k in (0, H, 2 * H)
    ]
    f, g, o = 1 / (1 + np.exp(-sums[0])), np.tanh(sums[1]), 1 / (1 + np.exp(-sums[2]))
    memory = g + f * (c_prev - g)
    return [o * np.tanh(memory), memory, f, g, o]


def coupled_step_backward__gate_by_gate(dh_t, dc_t, x_t, h_prev, c_prev, c_t, f, g, o, W_x, W_h):
    dc = dc_t + dh_t * o / np.cosh(c_t) ** 2
    df = dc * c_prev - dc * g
    parts = [df * (f - f * f), dc * (1 - f) * (1 - g * g), dh_t * np.tanh(c_t) * (o - o * o)]
    H = f.shape[1]
    dx = sum(part @ W_x[k * H : (k + 1) * H] for k, part in enumerate(parts))
    dh = sum(part @ W_h[k * H : (k + 1) * H] for k, part in enumerate(parts))
    dW_x = np.vstack([part.T @ x_t for part in parts])
    dW_h = np.vstack([part.T @ h_prev for part in parts])
    return dx, dh, f * dc, dW_x, dW_h, np.hstack([part.sum(axis=0) for part in parts])


def coupled_forward__lists(x, h_0, c_0, W_x, W_h, b):
    shown, held = [], []
    for x_t in x:
        before = (shown[-1], held[-1]) if shown else (h_0, c_0)
        new_h, new_c, *_ = coupled_step(x_t, *before, W_x, W_h, b)
        shown.append(new_h)
        held.append(new_c)
    shape = (len(x), *h_0.shape)
    return np.reshape(shown, shape), np.reshape(held, shape)


def bias_for__through_the_gate(n):
    rest = -np.expm1(-np.log(2) / n)  # 1 - f
    return np.log1p(-rest) - np.log(rest)


def input_coupled_step__between(x_t, h_prev, c_prev, W_x, W_h, b):
    z = x_t @ W_x.T + h_prev @ W_h.T + b
    H = h_prev.shape[1]
    i, g, o = sigmoid(z[:, :H]), np.tanh(z[:, H : 2 * H]), sigmoid(z[:, 2 * H :])
    c_t = c_prev + i * (g - c_prev)
    return o * np.tanh(c_t), c_t
