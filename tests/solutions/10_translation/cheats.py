"""Answers to 10_translation that only call rnnlib: none may earn a point."""

import rnnlib

# FILL IN: what of rnnlib would be the answer, in each way to get at it


def answer_1__by_module(x):
    return rnnlib.cells.rnn_step(x, x, x, x, x)[0]


def answer_2__by_module(x):
    return rnnlib.cells.rnn_step(x, x, x, x, x)[0]


def answer_3__by_module(x):
    return rnnlib.cells.rnn_step(x, x, x, x, x)[0]


def answer_4__by_module(x):
    return rnnlib.cells.rnn_step(x, x, x, x, x)[0]
