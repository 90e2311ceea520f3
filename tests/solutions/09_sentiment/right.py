"""Other right answers to the exercises of 09_sentiment."""

import numpy as np


def embed__into_zeros(words, values, E):
    x = np.zeros((*words.shape, E.shape[1] + 1))
    x[..., :-1] = E[words]
    x[..., -1] = values
    return x


def embed_backward__one_hot(dx, words, lengths, V):
    counts = np.arange(words.shape[0])[:, None] < lengths
    hot = (words[..., None] == np.arange(V)) & counts[..., None]
    rows = np.where(counts[..., None], dx[..., :-1], 0.0)
    return np.einsum("tbv,tbi->vi", hot.astype(float), rows)


def answer__mask(h, lengths, W_y, c):
    last = np.arange(len(h))[:, None] == lengths - 1
    return np.where(last, np.einsum("tbh,h->tb", h, W_y), 0.0).sum(axis=0) + c


def answer_backward__mask(ds, h, lengths, W_y):
    last = (np.arange(len(h))[:, None] == lengths - 1)[..., None]
    d = last * ds[None, :, None]
    return d * W_y, (d * np.where(last, h, 0.0)).sum(axis=(0, 1)), float(np.sum(ds))


def best_of_bags__unique(words, labels, p):
    if len(words) == 0:
        return 0.0
    _, which = np.unique(np.sort(words, axis=1), axis=0, return_inverse=True)
    sums = np.zeros((len(words), 2))
    np.add.at(sums, (which.reshape(-1), labels), p)
    return float(sums.max(axis=1).sum())


def report__at_once(said, labels, slices, z):
    n = slices.sum(axis=1).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = (slices & (said == labels)).sum(axis=1) / n
        root = np.sqrt(p * (1 - p) / n + z * z / n / n / 4)
        ends = [(p + z * z / 2 / n + sign * z * root) / (1 + z * z / n) for sign in (-1, 1)]
    low, high = np.where(n == 0, 0.0, ends[0]), np.where(n == 0, 1.0, ends[1])
    return np.stack([n, p, low, high], axis=1)
