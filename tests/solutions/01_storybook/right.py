"""Right answers to 01_storybook that look nothing like ours: all must earn every point."""

import math
from collections import Counter

import numpy as np


def count_ngrams__counter(stories, n):
    counts = Counter()
    for story in stories:
        words = ("<s>",) * (n - 1) + tuple(story)
        counts.update(zip(*[words[k:] for k in range(n)], strict=False))
    return counts


def next_word_probabilities__comprehension(counts, context, vocabulary, alpha):
    keys = [(*context, word) for word in vocabulary]
    p = np.array([counts[key] + alpha if key in counts else alpha for key in keys])
    return p / p.sum()


def bits_per_word__loop(probabilities, targets):
    pairs = zip(probabilities, targets, strict=True)
    return float(np.mean([-math.log2(p[k]) if p[k] else math.inf for p, k in pairs]))


def held_out_bits__one_row_at_a_time(stories, n, vocabulary, alpha):
    cut = len(stories) - math.ceil(len(stories) / 5)
    counts, bits = count_ngrams(stories[:cut], n), []
    for story in stories[cut:]:
        for *context, word in zip(
            *[(["<s>"] * (n - 1) + story)[k:] for k in range(n)], strict=False
        ):
            p = next_word_probabilities(counts, tuple(context), vocabulary, alpha)
            bits.append(bits_per_word(p[None], np.array([vocabulary.index(word)])))
    return np.mean(bits)


def running_summary__error_correction(x, a, h_0):
    h = [h_0]
    for x_t in x:
        h.append(h[-1] + a * (x_t - h[-1]))
    return np.array(h[1:]).reshape(x.shape)


def influence__concatenated(a, T):
    words = a * (1 - a) ** np.arange(T)[::-1]
    return np.concatenate([[(1 - a) ** T], words])


def half_life__base_two(a):
    return -1 / math.log2(1 - a)


def place_given_reason__rows(prior, likelihood, reason):
    p = likelihood.T[reason] * prior
    return p / sum(p)


def carry_belief__logarithms(prior, likelihood, reasons):
    with np.errstate(divide="ignore"):
        s = np.log(prior) + np.cumsum(np.log(likelihood.T[reasons]), axis=0)
    s = np.exp(s - s.max(axis=1, keepdims=True))
    return s / s.sum(axis=1, keepdims=True)


def best_bits__term_by_term(prior, likelihood):
    joint = prior[:, None] * likelihood
    told = joint.sum(axis=0)
    return sum(-p * np.log2(p / r) for row in joint for p, r in zip(row, told, strict=True) if p)
