"""Other right answers to the exercises of 07_gru."""

import numpy as np


def gru_step__gate_by_gate(x_t, h_prev, W_x, W_h, b, reset_after):
    H = h_prev.shape[1]

    def part(k):
        return slice(k * H, (k + 1) * H)

    r, z = (
        1 / (1 + np.exp(-(x_t @ W_x[part(k)].T + h_prev @ W_h[part(k)].T + b[part(k)])))
        for k in (0, 1)
    )
    V = W_h[part(2)]
    past = (
        r * np.einsum("bj,kj->bk", h_prev, V)
        if reset_after
        else np.einsum("bj,kj->bk", r * h_prev, V)
    )
    n = np.tanh(x_t @ W_x[part(2)].T + b[part(2)] + past)
    return [h_prev + z * (n - h_prev), r, z, n]


def gru_step_backward__gate_by_gate(dh_t, x_t, h_prev, r, z, n, W_x, W_h):
    H = r.shape[1]
    seen = r * h_prev
    to_n = dh_t * z * (1 - n * n)
    to_seen = to_n @ W_h[2 * H :]
    to_r = to_seen * h_prev * (r - r * r)
    to_z = dh_t * (n - h_prev) * (z - z * z)
    parts, met = [to_r, to_z, to_n], [h_prev, h_prev, seen]
    dx = sum(part @ W_x[k * H : (k + 1) * H] for k, part in enumerate(parts))
    dh = dh_t - z * dh_t + r * to_seen + to_r @ W_h[:H] + to_z @ W_h[H : 2 * H]
    dW_x = np.vstack([part.T @ x_t for part in parts])
    dW_h = np.vstack([part.T @ other for part, other in zip(parts, met, strict=True)])
    return dx, dh, dW_x, dW_h, np.hstack([part.sum(axis=0) for part in parts])


def to_other__gate_by_gate(W_x, W_h, b, b_hn):
    H = len(b_hn)
    if np.count_nonzero(b_hn):
        return None
    reader = list(range(H))
    for j in range(H):
        found = [k for k in range(H) if W_h[2 * H + k, j]]
        if len(found) > 1:
            return None
        reader[j] = found[0] if found else j
    parts = [(array[:H][reader], -array[H : 2 * H], array[2 * H :]) for array in (W_x, W_h, b)]
    return [np.concatenate(part) for part in parts]


def largest_width__by_the_root(kind, I, K, count):
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    fits = [H for H in range(1, count + 2) if count >= G * H * (I + H + 2) + K * H + K]
    return max(fits, default=0)


def ported_step__one_product(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    s, p = x_t @ weight_ih.T + bias_ih, h_prev @ weight_hh.T + bias_hh
    H = h_prev.shape[1]
    r, z = sigmoid((s + p)[:, :H]), sigmoid((s + p)[:, H : 2 * H])
    n = np.tanh(s[:, 2 * H :] + r * p[:, 2 * H :])
    return n + z * (h_prev - n)
