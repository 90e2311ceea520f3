"""Answers to @slug@ that only call rnnlib: none may earn a point."""

import rnnlib

# FILL IN: what of rnnlib would be the answer, in each way to get at it
@each


def answer_@n@__by_module(x):
    return rnnlib.cells.rnn_step(x, x, x, x, x)[0]
@end
