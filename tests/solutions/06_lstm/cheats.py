"""Answers to the exercises of 06_lstm that only call rnnlib."""

import numpy as np

from rnnlib import cells
from rnnlib.bptt import unroll


def _coupled(W_x, W_h, b):
    cell = cells.LSTMCell(W_x.shape[1], W_h.shape[1], variant="CIFG")
    cell.W_x.data, cell.W_h.data, cell.b.data = W_x, W_h, b
    return cell


def coupled_step__by_the_cell(x_t, h_prev, c_prev, W_x, W_h, b):
    (h_t, c_t), cache = cells.lstm_step(x_t, h_prev, c_prev, W_x, W_h, b, variant="CIFG")
    return h_t, c_t, cache[5], cache[6], cache[7]


def coupled_step_backward__by_the_cell(dh_t, dc_t, x_t, h_prev, c_prev, c_t, f, g, o, W_x, W_h):
    weights = (W_x, W_h, None, None, None, "CIFG")
    cache = (x_t, h_prev, c_prev, c_t, 1 - f, f, g, o, *weights)
    return cells.lstm_step_backward(dh_t, dc_t, cache)[:6]


def coupled_forward__by_the_scan(x, h_0, c_0, W_x, W_h, b):
    h, _, caches = unroll(_coupled(W_x, W_h, b), x, (h_0, c_0))
    return h, np.array([cache[3] for cache in caches]).reshape(h.shape)


def input_coupled_step__by_the_cell(x_t, h_prev, c_prev, W_x, W_h, b):
    rows = np.split(np.concatenate([W_x, W_h, b[:, None]], axis=1), 3)
    turned = np.concatenate([-rows[0], rows[1], rows[2]])  # 1 - sigmoid(z) = sigmoid(-z)
    I = W_x.shape[1]
    (h_t, c_t), _ = cells.lstm_step(
        x_t, h_prev, c_prev, turned[:, :I], turned[:, I:-1], turned[:, -1], variant="CIFG"
    )
    return h_t, c_t
