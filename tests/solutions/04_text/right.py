"""Right answers to 04_text that look nothing like ours: all must earn every point."""

import itertools
import math

import numpy as np


def softmax_loss__row_by_row(logits, targets):
    losses, gradient = [], np.zeros(logits.shape)
    for t in range(targets.shape[0]):
        for b in range(targets.shape[1]):
            row = logits[t, b] - max(logits[t, b])
            whole = sum(math.exp(score) for score in row)
            losses.append(math.log(whole) - row[targets[t, b]])
            gradient[t, b] = np.exp(row) / whole
            gradient[t, b, targets[t, b]] -= 1
    return sum(losses) / len(losses), gradient / len(losses)


def softmax_loss__logaddexp(logits, targets):
    whole = np.logaddexp.reduce(logits, axis=2)
    came = np.take_along_axis(logits, targets[:, :, None], axis=2)[:, :, 0]
    p = np.exp(logits - whole[:, :, None])
    return (whole - came).mean(), (p - np.eye(logits.shape[2])[targets]) / targets.size


def cut__strand_by_strand(code, B, T):
    steps = (len(code) - 1) // B
    strands = [code[b * steps : (b + 1) * steps + 1] for b in range(B)]
    pieces, t = [], 0
    while t < steps:
        end = min(t + T, steps)
        x = np.stack([strand[t:end] for strand in strands], axis=1)
        y = np.stack([strand[t + 1 : end + 1] for strand in strands], axis=1)
        pieces.append((x, y))
        t = end
    return pieces


def carried_loss__all_at_the_end(model, pieces):
    state, losses, weights = None, [], []
    for x, y in pieces:
        logits, state = model(x, state)
        losses.append(softmax_loss(logits, y)[0])
        weights.append(x.shape[0] * x.shape[1])
    return float(np.average(losses, weights=weights))


def carried_loss__one_long_piece(model, pieces):
    x, y = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    return softmax_loss(model(x, None)[0], y)[0]


def next_probabilities__infinity(logits, temperature, k):
    masked = np.full(len(logits), -np.inf)
    for _ in range(k):
        best = max((i for i in range(len(logits)) if masked[i] == -np.inf), key=lambda i: logits[i])
        masked[best] = logits[best]
    if temperature == 0:
        return np.eye(len(logits))[int(np.argmax(masked))]
    raised = np.exp((masked - masked.max()) / temperature)
    return raised / sum(raised)


def pick__walk(p, chance):
    for character, share in enumerate(p):
        if chance < share:
            return character
        chance = chance - share
    return len(p) - 1


def pick__count(p, chance):
    return int((np.cumsum(p) <= chance).sum())


def write__list(model, first, temperature, k, chances):
    text, state = [first], None
    for chance in chances:
        logits, state = model(np.full((1, 1), text[-1]), state)
        text.append(pick(next_probabilities(logits[-1, -1], temperature, k), chance))
    return np.array(text[1:], dtype=int)


def bits_and_perplexity__base_two(log_p):
    surprise = -log_p / math.log(2)
    bits = sum(surprise) / len(surprise)
    return bits, np.exp(bits * math.log(2))


def ngram_bits__window(predict, code, n):
    total, context = 0.0, (0,) * (n - 1)
    for before, came in itertools.pairwise(code):
        context = ((*context, int(before)))[1:] if n > 1 else ()
        total -= math.log2(predict(context)[came])
    return total / (len(code) - 1)


def fair_split__by_hand(text, share):
    train = []
    for passage in text.split("\n\n"):
        if passage != "" and passage not in train:
            train.append(passage)
    everything, test = len("".join(train)), []
    while len("".join(test)) < share * everything:
        test.insert(0, train.pop())
    return train, test
