"""Answers to the exercises of 14_video that only call rnnlib."""

import numpy as np

import rnnlib


def _eye(frame, W, b, stride):
    layer = rnnlib.Conv2d(1, len(W), W.shape[1], stride=stride)
    layer.weight.data[:], layer.bias.data[:] = W[:, None], b
    return layer, layer(frame[None] / 255)


def features__by_the_layer(frame, W, b, stride):
    return rnnlib.activations.relu(_eye(frame, W, b, stride)[1])


def features_backward__by_the_layer(dy, frame, W, b, stride):
    layer, y = _eye(frame, W, b, stride)
    layer.backward(dy * (y > 0))
    return layer.weight.grad[:, 0], layer.bias.grad


def in_batch__unpacked(e, lengths):
    plan = rnnlib.sequences.packing(lengths.max(), len(lengths), lengths)
    return rnnlib.sequences.unpack(e, plan)


def last_frame_loss__of_rnnlib(s, lengths, labels):
    which = np.arange(len(labels))
    loss, rows = rnnlib.cross_entropy(s[lengths - 1, which], labels)
    ds = np.zeros(s.shape)
    ds[lengths - 1, which] = rows
    return loss, ds
