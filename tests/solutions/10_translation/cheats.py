"""Answers to the exercises of 10_translation that only call rnnlib."""

import numpy as np

import rnnlib
from rnnlib.decoding import beam_search, greedy
from rnnlib.seq2seq import teacher_forcing


def attend__by_the_module(queries, keys, values, lengths):
    return rnnlib.DotAttention()(queries, keys, values, lengths)


def attend_backward__by_the_module(dcontext, queries, keys, values, weights):
    attention = rnnlib.DotAttention()
    attention(queries, keys, values)
    return attention.backward(dcontext)


def _additive(W_q, W_k, v):
    attention = rnnlib.AdditiveAttention(W_q.shape[1], W_k.shape[1], len(v))
    attention.load_state_dict({"W_q": W_q, "W_k": W_k, "v": v})
    return attention


def additive__by_the_module(queries, keys, W_q, W_k, v):
    q, k = queries.swapaxes(0, 1), keys.swapaxes(0, 1)
    scores, cache = _additive(W_q, W_k, v)._score(q, k)
    return scores.swapaxes(0, 1), cache[2].swapaxes(0, 1)


def additive_backward__by_the_module(dscores, hidden, queries, keys, W_q, W_k, v):
    attention = _additive(W_q, W_k, v)
    q, k = queries.swapaxes(0, 1), keys.swapaxes(0, 1)
    cache = (q, k, hidden.swapaxes(0, 1), W_q, W_k, v)
    dq, dk = attention._score_back(dscores.swapaxes(0, 1), *cache)
    grads = [each.grad for each in (attention.W_q, attention.W_k, attention.v)]
    return dq.swapaxes(0, 1), dk.swapaxes(0, 1), *grads


def forced_loss__by_the_loss(step, state, targets, start):
    logits = []
    for words in teacher_forcing(targets, start):
        scores, state = step(words, state)
        logits.append(scores)
    return rnnlib.cross_entropy(np.array(logits), targets)[0]


def write__by_greedy(step, context, start, end, max_length):
    def batched(words, state):
        log_p, state = step(int(words[0]), state[0], context)
        return log_p[None], state[None]

    return greedy(batched, context[None], [start], max_length, end=end)[:, 0].tolist()


def beam__by_the_search(step, state, start, end, max_length, width, penalty):
    def batched(words, states):
        found = [step(int(w), s) for w, s in zip(words, states, strict=True)]
        return np.array([p for p, _ in found]), np.array([s for _, s in found])

    how = {"width": width, "end": end, "length_penalty": penalty}
    [[best, *_]] = beam_search(batched, state[None], [start], max_length, **how)
    return list(best.tokens), best.log_p
