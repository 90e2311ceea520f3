"""Other right answers to the exercises of 13_music."""

import itertools

import numpy as np


def surprise__worked_out(s, v):
    return (np.maximum(s, 0) - s * v + np.log1p(np.exp(-abs(s)))).sum(axis=-1)


def masked_loss__piece_by_piece(s, v, lengths):
    n, total, ds = lengths.sum(), 0.0, np.zeros(s.shape)
    for b, T in enumerate(lengths):
        z = s[:T, b]
        total += (np.maximum(z, 0) - z * v[:T, b] + np.log1p(np.exp(-abs(z)))).sum()
        ds[:T, b] = (np.exp(-np.logaddexp(0, -z)) - v[:T, b]) / n
    return total / n, ds


def key_chain__by_steps(rolls, a):
    sounds = np.full((2, rolls[0].shape[1]), float(a))
    counts = 2 * sounds
    for roll in rolls:
        before = np.zeros(roll.shape[1], dtype=int)
        for frame in roll:
            for k in range(len(frame)):
                counts[before[k], k] += 1
                sounds[before[k], k] += frame[k]
            before = frame.astype(int)
    return sounds / counts


def chain_nats__by_pieces(rolls, p):
    total = frames = 0
    for roll in rolls:
        before = np.concatenate([np.zeros((1, roll.shape[1])), roll])[:-1]
        q = before * p[1] + (1 - before) * p[0]
        total -= np.log(roll * q + (1 - roll) * (1 - q)).sum()
        frames += len(roll)
    return total / frames


def write_frames__a_list(model, first, chances, temperature):
    state, rows = None, [first]
    for row in chances:
        s, state = model(rows[-1], state)
        rows.append(np.where(np.exp(-np.logaddexp(0, -s / temperature)) > row, 1.0, 0.0))
    return np.array(rows[1:]).reshape(chances.shape)


def voice__by_borders(notes, N, rate, R):
    parts = [np.zeros(0)]
    borders = np.flatnonzero(np.diff(notes)) + 1 if len(notes) else []
    for piece in np.split(notes, borders):
        n = np.arange(len(piece) * N)
        if len(n) == 0 or piece[0] == 0:
            parts.append(0.0 * n)
            continue
        f = 440 * 2 ** ((piece[0] - 69) / 12)
        parts.append(np.clip(np.minimum(n, n[::-1]) / R, 0, 1) * np.sin(2 * np.pi * f * n / rate))
    return np.concatenate(parts)


def parallel_fifths__step_by_step(piece):
    count = 0
    for old, new in itertools.pairwise(piece):
        for i in range(4):
            for j in range(i):
                fifths = (old[j] - old[i]) % 12 == 7 and (new[j] - new[i]) % 12 == 7
                same = np.sign(new[i] - old[i]) * np.sign(new[j] - old[j]) == 1
                count += bool(fifths and same)
    return count


def fair_score__at_once(nats, lengths, B):
    counts = np.arange(nats.shape[1]) < lengths[:, None]
    return nats[counts].mean()
