"""Answers to @slug@ that only call rnnlib: none may earn a point."""

import rnnlib


def twice__by_module(x):
    return rnnlib.tanh(x)  # FILL IN: what of rnnlib would be the answer, in each way to get at it
