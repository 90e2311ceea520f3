"""Answers to the exercises of 08_bidirectional that only call rnnlib."""

import numpy as np

import rnnlib
from rnnlib import sequences


def _layer(W_x, W_h, b, U_x, U_h, c):
    layer = rnnlib.RNN(W_x.shape[1], len(W_h), bidirectional=True, batch_first=True)
    for end, weights in (("", (W_x, W_h, b, 0 * b)), ("_reverse", (U_x, U_h, c, 0 * c))):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        for name, array in zip(names, weights, strict=True):
            getattr(layer, f"{name}_l0{end}").data[...] = array
    return layer


def mask__by_unpacking(lengths, T):
    plan = sequences.packing(T, len(lengths), lengths)
    ones = np.ones((int(np.sum(lengths)), 1))
    return sequences.unpack(ones, plan)[..., 0].T > 0


def last_valid__by_last_states(h, lengths):
    plan = sequences.packing(h.shape[1], len(h), lengths)
    last = sequences.last_states(sequences.pack(h.swapaxes(0, 1), plan), h[:, 0], plan)
    return last if plan.order is None else last[np.argsort(plan.order)]


def reverse_within__by_reverse(x, lengths):
    plan = sequences.packing(x.shape[1], len(x), lengths)
    rows = sequences.reverse(sequences.pack(x.swapaxes(0, 1), plan), plan)
    return sequences.unpack(rows, plan).swapaxes(0, 1)


def both_ways__by_the_layer(x, lengths, W_x, W_h, b, U_x, U_h, c):
    y, h_n = _layer(W_x, W_h, b, U_x, U_h, c)(x, lengths=lengths)
    return y, np.concatenate(list(h_n), axis=1)


def both_ways_backward__by_the_layer(dy, x, lengths, y, W_x, W_h, U_x, U_h):
    layer = _layer(W_x, W_h, 0 * W_h[0], U_x, U_h, 0 * U_h[0])
    layer(x, lengths=lengths)
    dx, _ = layer.backward(dy)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
    gradients = [getattr(layer, name + end).grad for end in ("", "_reverse") for name in names]
    return dx, *gradients


def mean_of_means__by_the_loss(losses, lengths):
    counts = np.arange(losses.shape[1]) < lengths[:, None]
    loss, gradient = rnnlib.mse(losses, 0 * losses, counts)
    return loss, gradient


def summaries__by_the_layer(x, lengths, W_x, W_h, b, U_x, U_h, c):
    layer = _layer(W_x, W_h, b, U_x, U_h, c)
    clips = np.concatenate(list(layer(x)[1]), axis=1)
    return clips[:, : len(b)], layer(x, lengths=lengths)[1][0], clips
