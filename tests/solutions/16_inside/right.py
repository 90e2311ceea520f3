"""Other right answers to the exercises of 16_inside."""

import numpy as np


def connectivity__jacobians(x, W_x, W_h, b, w_y):
    h = states(x, W_x, W_h, b)
    back, shares = w_y.copy(), []
    for x_t, h_t in zip(x[::-1], h[::-1], strict=True):
        back = back * np.where(h_t > 0, 1.0, 0.0)
        shares.append(back @ (W_x @ x_t))
        back = back @ W_h
    return np.array(shares[::-1])


def removal__masks(x, W_x, W_h, b, w_y, k):
    T, found = len(x), []
    for t in range(T + 1 - k):
        stays = np.ones(T, dtype=bool)
        stays[t : t + k] = False
        found.append(output(x[stays], W_x, W_h, b, w_y))
    return output(x, W_x, W_h, b, w_y) - np.array(found)


def counting_unit__corrcoef(h, depth):
    r = np.zeros(h.shape[1])
    for j in range(h.shape[1]):
        if np.ptp(h[:, j]) > 0:
            r[j] = np.corrcoef(h[:, j], depth)[0, 1]
    best = int(np.argmax(r**2))
    return best, r[best]


def ablated__one_sequence_at_a_time(x, W_x, W_h, b, units, values):
    T, B, _ = x.shape
    found = np.zeros((T, B, len(b)))
    held = np.zeros(len(b), dtype=bool)
    held[units] = True
    full = np.zeros(len(b))
    full[units] = values
    for r in range(B):
        h = np.where(held, full, 0.0)
        for t in range(T):
            h = np.where(held, full, np.clip(W_x @ x[t, r] + W_h @ h + b, 0, None))
            found[t, r] = h
    return found


def ablated__last_row_first(x, W_x, W_h, b, units, values):
    h = np.zeros((*x.shape[:2], len(b)))
    h[:, :, units] = values
    for t in range(len(x)):
        h[t] = np.maximum(0, x[t] @ W_x.T + h[t - 1] @ W_h.T + b)
        h[t][:, units] = values
    return h


def speed__jacobian(h, W_h, u):
    n = np.tanh(u + W_h @ h)
    J = np.diag(1 - n * n) @ W_h - np.eye(len(h))
    return 0.5 * np.sum((n - h) ** 2), J.T @ (n - h)


def stability__counts(h, W_h):
    values = np.linalg.eig(np.diag(1 - h * h) @ W_h)[0]
    inside = int(np.sum(np.abs(values) < 1))
    words = {len(h): "attracts", 0: "repels"}
    return float(np.abs(values).max()), words.get(inside, "saddle")


def stability__the_other_side(h, W_h):
    sizes = np.abs(np.linalg.eigvals(W_h * (1 - h**2)))
    if np.all(sizes < 1):
        return sizes.max(), "attracts"
    return sizes.max(), "repels" if np.all(sizes > 1) else "saddle"


def probe__with_a_one_behind(h, z, K, rate, steps, alpha):
    X = np.hstack([h, np.ones((len(h), 1))])
    theta, costs = np.zeros((K, X.shape[1])), np.full(X.shape[1], alpha)
    costs[-1] = 0
    for _ in range(steps):
        e = np.exp(X @ theta.T)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(z)), z] -= 1
        theta -= rate * (p.T @ X / len(z) + theta * costs)
    return theta[:, :-1], theta[:, -1]


def shuffle_test__loop(fit, train_h, train_z, test_h, test_z, orders):
    W, c = fit(train_h, train_z)
    real = float(np.mean(hits(test_h, test_z, W, c)))
    better, total = 0, 0.0
    for r in range(len(orders)):
        W, c = fit(train_h, train_z[orders[r]])
        score = float(np.mean(hits(test_h, test_z, W, c)))
        better += score >= real
        total += score
    return real, total / len(orders), (better + 1) / (len(orders) + 1)


def control_task__shares(words, z, V, rng):
    labels, counts = np.unique(z, return_counts=True)
    ends = np.cumsum(counts) / len(z)
    ends[-1] = 1.0
    return np.array([labels[np.searchsorted(ends, rng.random(), side="right")] for _ in range(V)])[
        words
    ]


def control_task__dict(words, z, V, rng):
    table = {}
    for word in words.tolist():
        if word not in table:
            table[word] = z[rng.integers(len(z))]
    return np.array([table[word] for word in words.tolist()])


def verdict__counts(a, k, p):
    d = np.subtract(a, k)
    half = 1.96 * d.std() / len(d) ** 0.5
    low = d.mean() - half
    if p > 0.05:
        return d.mean(), low, "shuffled labels do as well"
    return d.mean(), low, "stands" if low > 0 else "the control task does as well"
