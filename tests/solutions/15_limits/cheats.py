"""Answers to the exercises of 15_limits that only call rnnlib."""

import numpy as np

import rnnlib


def scan__by_the_scan(a, b, h_0):
    return rnnlib.scan(a, b, h_0)


def scan_backward__by_the_scan(dh, a, h, h_0):
    return rnnlib.scan_backward(dh, a, h, h_0)


def mingru__by_the_layer(x, h_0, W_z, b_z, W_h, b_h):
    layer = rnnlib.MinGRU(x.shape[2], len(b_z))
    for name, array in zip(layer.state_dict(), (W_z, b_z, W_h, b_h), strict=True):
        layer.load_state_dict({**layer.state_dict(), name: array})
    return layer(x, h_0[None])[0]


def longest_parity__by_the_scan(a, b, h_0, gap, most):
    steps = np.ones((most, 1, 1))
    h = rnnlib.scan_loop(steps * a, steps * b, h_0[None])[:, 0]
    change = np.diff(np.concatenate([h_0[None], h]), axis=0)
    return int((abs(change).max(axis=1) >= gap).sum())
