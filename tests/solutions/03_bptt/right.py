"""Other right answers to the exercises of 03_bptt."""

import numpy as np


def leaky_step_backward__einsum(dh_t, x_t, h_prev, n_t, W_x, W_h, a):
    dn = dh_t * a
    dz = dn - dn * n_t * n_t
    return [
        np.einsum("bh,hi->bi", dz, W_x),
        dh_t - dn + np.einsum("bk,kh->bh", dz, W_h),
        np.einsum("bh,bi->hi", dz, x_t),
        np.einsum("bh,bk->hk", dz, h_prev),
        np.sum(dz, 0),
    ]


def worst_entry__flat(f, array, claimed, epsilon):
    flat, gradient = array.ravel(), []
    for k in range(flat.size):
        move = np.zeros(flat.size)
        move[k] = epsilon
        above, below = (f((flat + sign * move).reshape(array.shape)) for sign in (1, -1))
        gradient.append((above - below) / 2 / epsilon)
    gap = np.abs(np.array(gradient) - claimed.ravel())
    scale = np.max(np.abs(gradient)) or 1.0
    return gap.max() / scale, np.unravel_index(int(gap.argmax()), array.shape)


def leaky_backward__written_out(dh, x, h_0, h, n, W_x, W_h, a):
    T, before = len(x), np.concatenate([h_0[None], h])
    dz, back = np.zeros(dh.shape), 0 * h_0
    for t in range(T - 1, -1, -1):
        total = dh[t] + back
        dz[t] = total * a * (1 - n[t] ** 2)
        back = (1 - a) * total + dz[t] @ W_h
    dW_x, dW_h = (np.einsum("tbh,tbi->hi", dz, other) for other in (x, before[:T]))
    return dz @ W_x, back, dW_x, dW_h, dz.sum(axis=(0, 1))


def truncated_gradients__by_resetting(dh, x, h_0, h, n, W_x, W_h, a, window):
    sums, back = [0 * W_x, 0 * W_h, 0 * a], 0 * h_0
    for t in reversed(range(len(x))):
        if (t + 1) % window == 0:
            back = 0 * h_0
        before = h[t - 1] if t else h_0
        _, back, *own = leaky_step_backward(dh[t] + back, x[t], before, n[t], W_x, W_h, a)
        sums = [total + part for total, part in zip(sums, own, strict=True)]
    return tuple(sums)


def wrong_results__by_hand(port):
    draw = np.random.default_rng(7).uniform
    names = ["dx_t", "dh_prev", "dW_x", "dW_h", "db"]
    parts = [draw(-1, 1, s) for s in ((2, 3), (2, 4), (4, 3), (4, 4), (4,))]
    R, found = draw(-1, 1, (2, 4)), []
    got = port(R, parts[0], parts[1], plain_step(*parts), parts[2], parts[3])
    for k, name in enumerate(names):
        slope = np.zeros(parts[k].shape)
        for at in np.ndindex(slope.shape):
            values = []
            for step in (1e-6, -1e-6):
                moved = [part.copy() for part in parts]
                moved[k][at] += step
                values.append((R * plain_step(*moved)).sum())
            slope[at] = (values[0] - values[1]) / 2e-6
        if np.abs(slope - got[k]).max() > 1e-4:
            found.append(name)
    return found
