"""Right answers to 05_gradients that look nothing like ours: all must earn every point."""

import numpy as np


def leaky_jacobian__entry_by_entry(n_t, W_h, a):
    M = np.zeros((len(n_t), len(a), len(a)))
    for r in range(len(n_t)):
        for i in range(len(a)):
            M[r, i] = a[i] * (1 - n_t[r, i]) * (1 + n_t[r, i]) * W_h[i]
            M[r, i, i] += 1 - a[i]
    return M


def leaky_jacobian__einsum(n_t, W_h, a):
    return np.einsum("bi,ij->bij", a - a * n_t**2, W_h) + np.eye(len(a)) * (1 - a)


def norms_against_lag__two_ways(n, W_h, a, dh_T):
    lengths, dh = [np.linalg.norm(dh_T, axis=1)], dh_T
    for n_t in n[:0:-1]:
        dh = (1 - a) * dh + (dh * a * (1 - n_t**2)) @ W_h
        lengths.append(np.sqrt((dh**2).sum(axis=1)))
    return np.stack(lengths)


def norm_bounds__cumulative(n, W_h, a):
    stretch = [np.ones(n.shape[1])]
    stretch += [np.linalg.norm(leaky_jacobian(n_t, W_h, a), 2, axis=(1, 2)) for n_t in n[:0:-1]]
    return np.cumprod(stretch, axis=0)


def norm_bounds__root_of_eigenvalues(n, W_h, a):
    bounds = [np.ones(n.shape[1])]
    for n_t in n[1:][::-1]:
        M = leaky_jacobian(n_t, W_h, a)
        bounds.append(bounds[-1] * np.sqrt(np.linalg.eigvalsh(M @ M.swapaxes(1, 2))[:, -1]))
    return np.array(bounds)


def clip_by_norm__one_long_list(gradients, max_norm):
    whole = np.concatenate([g.ravel() for g in gradients]) if gradients else np.zeros(1)
    norm = float(np.linalg.norm(whole))
    if np.isnan(norm) or np.isinf(norm):
        return [np.zeros(g.shape) for g in gradients], norm
    return [g * min(1.0, max_norm / (norm or 1.0)) for g in gradients], norm


def orthogonal_start__qr(A, gain):
    Q, R = np.linalg.qr(A)
    return gain * Q * np.sign(np.diag(R))


def orthogonal_start__one_column_after_another(A, gain):
    rest, Q = A.astype(float), np.zeros(A.shape)
    for j in range(len(A)):
        Q[:, j] = rest[:, j] / np.sqrt((rest[:, j] ** 2).sum())
        rest = rest - np.outer(Q[:, j], Q[:, j] @ rest)
    return Q * gain


def product_lines__one_fraction(n):
    return (4**n - 3**n) / 12**n, 1 / (4 * 3**n)


def simulated_lines__row_by_row(u):
    N, n = u.shape
    one = sum((np.prod(row) - 1 / 2**n) ** 2 for row in u) / N
    other = sum((np.prod(row[1:]) * (row[0] - 1 / 2)) ** 2 for row in u) / N
    return float(one), float(other)
