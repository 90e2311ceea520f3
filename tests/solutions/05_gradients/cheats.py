"""Answers to 05_gradients that only call rnnlib: none may earn a point."""

from functools import partial

import numpy as np

import rnnlib
from rnnlib import clip_grad_norm as captured


def leaky_jacobian__by_step(n_t, W_h, a):
    H = len(a)
    M = np.empty((len(n_t), H, H))
    for r, n in enumerate(n_t):
        for i in range(H):
            cache = rnnlib.rnn_step(np.zeros((1, 1)), np.zeros((1, H)), np.zeros((H, 1)), W_h, n)[1]
            M[r, i] = rnnlib.rnn_step_backward(np.eye(H)[i : i + 1], cache)[1][0]
    return M


def leaky_jacobian__by_differences(n_t, W_h, a):
    from rnnlib import numerical_gradient

    h, M = np.zeros(len(a)), np.empty((len(n_t), *W_h.shape))

    def unit(r, i):
        return (a * np.tanh(np.arctanh(n_t[r]) + W_h @ h) + (1 - a) * h)[i]

    for r, i in np.ndindex(*n_t.shape):
        M[r, i] = numerical_gradient(partial(unit, r, i), h)
    return M


def norms_against_lag__by_layer(n, W_h, a, dh_T):
    rnn = rnnlib.RNN(1, len(a), bias=False)
    rnn.weight_hh_l0.data[...] = W_h
    dh = rnn.trace(np.zeros((len(n), len(dh_T), 1)), dstate=dh_T[None])["dh"][0]
    return np.linalg.norm(dh, axis=2)[::-1]


def clip_by_norm__captured(gradients, max_norm):
    parameters = [rnnlib.Parameter(0 * g) for g in gradients]
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad += g
    norm = captured(parameters, max_norm)
    return [parameter.grad for parameter in parameters], norm


def clip_by_norm__by_module(gradients, max_norm):
    parameters = [rnnlib.Parameter(0 * g) for g in gradients]
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad += g
    norm = rnnlib.optim.clip_grad_norm(parameters, max_norm)
    return [parameter.grad for parameter in parameters], norm


class _Fixed:
    """A generator that hands out A, so that `orthogonal` makes its matrix from it."""

    def __init__(self, A):
        self.A = A

    def standard_normal(self, shape):
        return self.A


def orthogonal_start__by_initializer(A, gain):
    return rnnlib.orthogonal(A.shape, _Fixed(A), gain)


def orthogonal_start__by_module(A, gain):
    return rnnlib.initializers.orthogonal(A.shape, _Fixed(A), gain)
