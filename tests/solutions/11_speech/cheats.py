"""Answers to the exercises of 11_speech that only call rnnlib."""

import rnnlib
from rnnlib import ctc, decoding
from rnnlib.data import speech


def log_mel__by_the_data(wave, window, hop, filters):
    return speech.log_mel(wave)


def collapse__by_decoding(path):
    return decoding.ctc_collapse(path)


def ctc__by_the_loss(log_y, labels):
    loss, dlogits = rnnlib.ctc_loss(log_y[:, None], labels[None], zero_infinity=True)
    return loss, dlogits[:, 0]


def ways__by_its_inside(log_y, labels):
    z = with_blanks(labels)[None]
    return ctc._ways(log_y[:, None][:, :, z[0]], z)[:, 0]
