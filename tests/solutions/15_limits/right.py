"""Other right answers to the exercises of 15_limits."""

import numpy as np


def memoryless_line__bincount(targets):
    N, T = targets.shape
    loss = 0.0
    for t in range(T):
        counts = np.bincount(targets[:, t])
        counts = counts[counts > 0]
        loss += (counts / N * np.log(N / counts)).sum()
    return loss / T


def remembered__share_of_the_line(L, S, K, delay):
    line = S * np.log(K) / (delay + 2 * S)
    return S * (1 - L / line)


def merge_matrices__einsum(A_1, b_1, A_2, b_2):
    return np.matmul(A_2, A_1), b_2 + np.einsum("...ij,...j->...i", A_2, b_1)


def associativity_gap__in_full(merge, a, b):
    a_12, b_12 = merge(a[0], b[0], a[1], b[1])
    a_23, b_23 = merge(a[1], b[1], a[2], b[2])
    a_l, b_l = merge(a_12, b_12, a[2], b[2])
    a_r, b_r = merge(a[0], b[0], a_23, b_23)
    return float(np.maximum(np.max(np.abs(a_l - a_r)), np.max(np.abs(b_l - b_r))))


def prefixes__while(merge, a, b):
    d = 1
    while d < len(a):
        a_new, b_new = a.copy(), b.copy()
        a_new[d:], b_new[d:] = merge(a[:-d], b[:-d], a[d:], b[d:])
        a, b, d = a_new, b_new, 2 * d
    return a, b


def prefixes__pairs(merge, a, b):
    T = len(b)
    if T < 2:
        return a, b
    first, second = np.s_[0 : T - 1 : 2], np.s_[1:T:2]
    pairs = prefixes(merge, *merge(a[first], b[first], a[second], b[second]))
    a, b = a.copy(), b.copy()
    for part, half in zip((a, b), pairs, strict=True):
        part[1::2] = half
    n = len(a[2::2])
    if n:
        a[2::2], b[2::2] = merge(pairs[0][:n], pairs[1][:n], a[2::2], b[2::2])
    return a, b


def scan__first_step_swallows_h_0(a, b, h_0):
    b = b.copy()
    b[:1] += a[:1] * h_0
    return prefixes(merge_units, a, b)[1]


def scan_backward__loop(dh, a, h, h_0):
    g = dh.copy()
    for t in range(len(dh) - 2, -1, -1):
        g[t] += a[t + 1] * g[t + 1]
    da = g * np.vstack([h_0[None], h[:-1]])
    return da, g, g[0] * a[0]


def mingru__loop(x, h_0, W_z, b_z, W_h, b_h):
    h, states = h_0, np.empty((*x.shape[:2], len(b_z)))
    for t in range(len(x)):
        z = 1 / (1 + np.exp(-x[t] @ W_z.T - b_z))
        h = h + z * (x[t] @ W_h.T + b_h - h)
        states[t] = h
    return states


def mingru_backward__loop(dh, x, h_0, W_z, b_z, W_h, b_h):
    h = mingru(x, h_0, W_z, b_z, W_h, b_h)
    dx, dW_z, db_z, dW_h, db_h = (np.zeros(p.shape) for p in (x, W_z, b_z, W_h, b_h))
    after = np.zeros(h_0.shape)
    for t in range(len(x) - 1, -1, -1):
        z, new = sigmoid(x[t] @ W_z.T + b_z), x[t] @ W_h.T + b_h
        g = dh[t] + after
        gate = g * (new - (h[t - 1] if t else h_0)) * z * (1 - z)
        dx[t] = gate @ W_z + (g * z) @ W_h
        dW_z += gate.T @ x[t]
        dW_h += (g * z).T @ x[t]
        db_z += gate.sum(axis=0)
        db_h += (g * z).sum(axis=0)
        after = g * (1 - z)
    return dx, after, dW_z, db_z, dW_h, db_h


def remainder_matrices__compare(x, m):
    i, j = np.arange(m)[:, None], np.arange(m)
    return ((i - j - x[:, None, None]) % m == 0).astype(float)


def longest_parity__scan(a, b, h_0, gap, most):
    steps = np.ones((most, 1, 1))
    h = np.concatenate([h_0[None], scan(steps * a, steps * b, h_0[None])[:, 0]])
    return int((np.abs(np.diff(h, axis=0)).max(axis=1) >= gap).sum())
