"""Other right answers to the exercises of 08_bidirectional."""

import numpy as np


def mask__filled(lengths, T):
    counts = np.zeros((len(lengths), T), dtype=bool)
    for row, n in zip(counts, lengths, strict=True):
        row[:n] = True
    return counts


def last_valid__gathered(h, lengths):
    return np.take_along_axis(h, lengths[:, None, None] - 1, axis=1)[:, 0]


def last_valid__by_the_mask(h, lengths):
    last = np.arange(h.shape[1]) == lengths[:, None] - 1
    return np.where(last[..., None], h, 0).sum(axis=1)


def reverse_within__by_an_index(x, lengths):
    t = np.arange(x.shape[1])
    places = np.where(t < lengths[:, None], lengths[:, None] - 1 - t, t)
    return x[np.arange(len(x))[:, None], places]


def both_ways__one_by_one(x, lengths, W_x, W_h, b, U_x, U_h, c):
    H = len(b)
    y = np.zeros((*x.shape[:2], 2 * H))
    h_n = np.zeros((len(x), 2 * H))
    for k, n in enumerate(lengths):
        own = x[k : k + 1, :n]
        y[k, :n, :H] = rnn(own, W_x, W_h, b)[0]
        y[k, :n, H:] = rnn(own[:, ::-1], U_x, U_h, c)[0, ::-1]
        h_n[k] = np.concatenate([y[k, n - 1, :H], y[k, 0, H:]])
    return y, h_n


def both_ways_backward__one_by_one(dy, x, lengths, y, W_x, W_h, U_x, U_h):
    H, dx = len(W_h), np.zeros(x.shape)
    sums = [np.zeros(w.shape) for w in (W_x, W_h, W_h[0], U_x, U_h, U_h[0])]
    for k, n in enumerate(lengths):
        own, d, h = x[k : k + 1, :n], dy[k : k + 1, :n], y[k : k + 1, :n]
        first, *some = rnn_backward(d[..., :H], own, h[..., :H], W_x, W_h)
        turned = (array[:, ::-1] for array in (d[..., H:], own, h[..., H:]))
        second, *others = rnn_backward(*turned, U_x, U_h)
        dx[k, :n] = (first + second[:, ::-1])[0]
        sums = [one + more for one, more in zip(sums, [*some, *others], strict=True)]
    return dx, *sums


def mean_of_means__row_by_row(losses, lengths):
    dlosses, loss = np.zeros(losses.shape), 0.0
    for b, n in enumerate(lengths):
        loss += losses[b, :n].mean() / len(losses)
        dlosses[b, :n] = 1 / n / len(losses)
    return loss, dlosses


def summaries__from_one_layer(x, lengths, W_x, W_h, b, U_x, U_h, c):
    whole = np.full(len(x), x.shape[1])
    out, _ = both_ways(x, whole, W_x, W_h, b, U_x, U_h, c)
    H = len(b)
    clips = np.concatenate([out[:, -1, :H], out[:, 0, H:]], axis=1)
    return out[:, -1, :H], out[np.arange(len(x)), lengths - 1, :H], clips
