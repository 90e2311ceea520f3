"""Answers to the exercises of 13_music that only call rnnlib."""

import numpy as np

import rnnlib
from rnnlib.data import harmony


def surprise__frame_by_frame(s, v):
    nats = np.zeros(s.shape[:2])
    for t, b in np.ndindex(nats.shape):
        nats[t, b] = rnnlib.bernoulli_nll(s[t, b][None], v[t, b][None])[0]
    return nats


def masked_loss__of_rnnlib(s, v, lengths):
    return rnnlib.bernoulli_nll(s, v, np.arange(len(s))[:, None] < lengths)


def key_chain__n_grams(rolls, a):
    p = np.empty((2, rolls[0].shape[1]))
    for k in range(p.shape[1]):
        longest = max(map(len, rolls))
        y = np.full((longest, len(rolls)), -1)
        for n, roll in enumerate(rolls):
            y[: len(roll), n] = roll[:, k]
        model = rnnlib.ngrams.NGram(2, 2, strength=a).fit(y)
        p[:, k] = model.predict(np.array([[0, 1]]))[:, 1]
    return p


def parallel_fifths__counted(piece):
    return harmony.parallels(piece)


def fair_score__by_the_loss(nats, lengths, B):
    counts = np.arange(nats.shape[1]) < lengths[:, None]
    return rnnlib.quantile_loss(0 * nats[..., None], 2 * nats, [0.5], counts)[0]
