"""Other right answers to the exercises of 10_translation."""

import numpy as np


def attend__one_sequence_after_another(queries, keys, values, lengths):
    Q, B, _ = queries.shape
    weights = np.zeros((Q, B, len(keys)))
    for b, n in enumerate(lengths):
        scores = queries[:, b] @ keys[:n, b].T
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights[:, b, :n] = scores / scores.sum(axis=1, keepdims=True)
    return (weights[..., None] * values.swapaxes(0, 1)).sum(axis=2), weights


def attend_backward__matrix_products(dcontext, queries, keys, values, weights):
    q, k, v, a = (array.swapaxes(0, 1) for array in (queries, keys, values, weights))
    dc = dcontext.swapaxes(0, 1)
    da = dc @ v.swapaxes(1, 2)
    de = a * da - a * (a * da).sum(axis=-1)[..., None]
    found = de @ k, de.swapaxes(1, 2) @ q, a.swapaxes(1, 2) @ dc
    return tuple(array.swapaxes(0, 1) for array in found)


def additive__loops(queries, keys, W_q, W_k, v):
    (Q, B, _), K = queries.shape, len(keys)
    hidden = np.empty((Q, B, K, len(v)))
    for t in range(Q):
        for j in range(K):
            hidden[t, :, j] = np.tanh(queries[t] @ W_q.T + keys[j] @ W_k.T)
    return np.einsum("qbka,a->qbk", hidden, v), hidden


def additive_backward__flat(dscores, hidden, queries, keys, W_q, W_k, v):
    dz = np.einsum("qbk,a,qbka->qbka", dscores, v, 1 - hidden * hidden)
    by_query, by_key = dz.sum(axis=2), np.swapaxes(dz.sum(axis=0), 0, 1)
    A = len(v)
    dW_q = by_query.reshape(-1, A).T @ queries.reshape(-1, queries.shape[2])
    dW_k = by_key.reshape(-1, A).T @ keys.reshape(-1, keys.shape[2])
    dv = dscores.reshape(-1) @ hidden.reshape(-1, A)
    return np.dot(by_query, W_q), np.dot(by_key, W_k), dW_q, dW_k, dv


def forced_loss__shifted_first(step, state, targets, start):
    read = np.vstack([np.full((1, targets.shape[1]), start), targets[:-1]])
    read[read < 0] = start
    losses = []
    for words, right in zip(read, targets, strict=True):
        scores, state = step(words, state)
        for row, word in zip(scores, right, strict=True):
            if word >= 0:
                losses.append(np.logaddexp.reduce(row) - row[word])
    return np.mean(losses)


def write__with_for(step, context, start, end, max_length):
    words, state = [start], context
    for _ in range(max_length):
        log_p, state = step(words[-1], state, context)
        words.append(int(log_p.argmax()))
        if words[-1] == end:
            break
    return words[1:]


def beam__dictionaries(step, state, start, end, max_length, width, penalty):
    beams, done = {(): (0.0, state)}, {}
    for _ in range(max_length):
        candidates = {}
        for words, (total, held) in beams.items():
            log_p, new = step((start, *words)[-1], held)
            for word, more in enumerate(log_p):
                candidates[(*words, word)] = total + more, new
        kept = sorted(candidates, key=lambda words: -candidates[words][0])[:width]
        done |= {words: candidates[words] for words in kept if words[-1] == end}
        beams = {words: candidates[words] for words in kept if words[-1] != end}
    done |= beams
    best = max(done, key=lambda words: done[words][0] / len(words) ** penalty)
    return list(best), done[best][0]


def modified_precision__used_up(written, reference, n):
    left = [reference[i : i + n] for i in range(len(reference) - n + 1)]
    ours = [written[i : i + n] for i in range(len(written) - n + 1)]
    before = len(left)
    for gram in ours:
        if gram in left:
            left.remove(gram)
    return before - len(left), len(ours)
