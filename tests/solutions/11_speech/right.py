"""Other right answers to the exercises of 11_speech."""

import itertools

import numpy as np


def log_mel__frame_by_frame(wave, window, hop, filters):
    rows = []
    for start in range(0, len(wave) - len(window) + 1, hop):
        X = np.fft.fft(wave[start : start + len(window)] * window)[: filters.shape[1]]
        rows.append(np.log(np.maximum(filters @ (X.real**2 + X.imag**2), 1e-10)))
    return np.array(rows).reshape(len(rows), len(filters))


def collapse__groupby(path):
    return [int(k) for k, _ in itertools.groupby(path) if k != 0]


def collapse__mask(path):
    new = np.append(True, path[1:] != path[:-1])[: len(path)]
    return list(path[new & (path != 0)])


def ways__rows_at_once(log_y, labels):
    z = with_blanks(labels)
    skip = np.zeros(len(z), bool)
    skip[2:] = (z[2:] != 0) & (z[2:] != z[:-2])
    row = np.where(np.arange(len(z)) < 2, log_y[0, z], -np.inf)
    rows = [row]
    for log_y_t in log_y[1:]:
        one = np.append(-np.inf, row[:-1])
        two = np.append([-np.inf, -np.inf], row[:-2])[: len(z)]
        row = log_y_t[z] + np.logaddexp(np.logaddexp(row, one), np.where(skip, two, -np.inf))
        rows.append(row)
    return np.stack(rows)


def ctc__own_beta(log_y, labels):
    z, T = with_blanks(labels), len(log_y)
    log_alpha = ways(log_y, labels)
    log_beta = np.full((T, len(z)), -np.inf)
    log_beta[-1, -2:] = log_y[-1, z[-2:]]
    for t in range(T - 2, -1, -1):
        for n in range(len(z)):
            skip = n + 2 < len(z) and z[n] != 0 and z[n] != z[n + 2]
            after = log_beta[t + 1, n : n + 2 + skip]
            log_beta[t, n] = log_y[t, z[n]] + np.logaddexp.reduce(after)
    log_p = np.logaddexp.reduce(log_alpha[-1, -2:])
    if np.isneginf(log_p):
        return np.inf, np.zeros_like(log_y)
    dlogits = np.exp(log_y)
    for n, k in enumerate(z):
        dlogits[:, k] -= np.exp(log_alpha[:, n] + log_beta[:, n] - log_y[:, k] - log_p)
    return -float(log_p), dlogits


def next_frame__gathered(beam, y_t):
    grown = {prefix: [sum(pair) * y_t[0], 0.0] for prefix, pair in beam.items()}
    for prefix, pair in beam.items():
        if prefix:
            grown[prefix][1] += pair[1] * y_t[prefix[-1]]
        for k, y in list(enumerate(y_t))[1:]:
            p = pair[0] if prefix and prefix[-1] == k else sum(pair)
            if p:
                grown.setdefault((*prefix, k), [0.0, 0.0])[1] += p * y
    return grown


def word_errors__one_row(reference, hypothesis):
    row = list(range(len(hypothesis) + 1))
    for i, word in enumerate(reference, start=1):
        above, row = row, [i]
        for j, said in enumerate(hypothesis, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (word != said)))
    return row[-1]


def word_errors__numpy_number(reference, hypothesis):
    d = np.zeros((len(reference) + 1, len(hypothesis) + 1))
    for i, j in np.ndindex(d.shape):
        if i == 0 or j == 0:
            d[i, j] = i + j
        else:
            differ = float(reference[i - 1] != hypothesis[j - 1])
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + differ)
    return d[-1, -1]


def report__one_by_one(evaluate, words, speaker, take):
    held = take == 0
    numbers = np.unique(speaker)
    new = np.zeros(len(words))
    for s in numbers:
        errors = evaluate(speaker != s, held & (speaker == s))
        new = np.where(np.isnan(errors), new, errors)
    seen = np.where(held, evaluate(~held, held), 0.0)
    groups = [held & (speaker == s) for s in numbers] + [held]
    return np.array([[seen[g].sum(), new[g].sum()] / words[g].sum() for g in groups])
