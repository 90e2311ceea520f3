"""Spoken digits: from a sound file to rows of log-mel numbers, and letters as classes.

A sound is a column of numbers, the air's pressure 8,000 times a second. A network reads it as
frames, one row for each 20 thousandths of a second:

    wave (N,)  →  frames (T, 256)  →  power (T, 129)  →  mel bands (T, 32)  →  their logarithm

What is said are digits as words, "three one", and what is predicted are their letters. Class 0
is the blank of `rnnlib.ctc`, class 1 the space between words.

Derived in chapter 11_speech. Source: chapters/experiments/voices.npz holds strings of digits
that eSpeak NG speaks in 8 accents by 104 voices, as features; chapters/experiments/voices.py
makes it. No voice is in two of training, validation and test.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..validation import expect_float, expect_index, expect_positive

#: Samples a second; those of a frame, and from one frame to the next; bands of a row.
RATE, WINDOW, HOP, BANDS = 8000, 256, 160, 32

#: What a stored feature counts in: a step of the natural logarithm of power, about 2 dB.
STEP = 0.5

WORDS = tuple("zero one two three four five six seven eight nine".split())
#: The letter of each class: the blank, the space, and the letters of the ten words.
LETTERS = "- " + "".join(sorted(set("".join(WORDS))))


class Spoken(NamedTuple):
    """What was recorded: by which voice, the words, the features (T, 32) in uint8."""

    voice: str
    text: str
    features: np.ndarray


def mel(frequency: Any) -> Any:
    """Turn hertz into mel, on which steps that sound equal are equal. Any shape.

    >>> round(float(mel(1000.0)))
    1000
    """
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def mel_filters(bands: int = BANDS, window: int = WINDOW, rate: int = RATE) -> np.ndarray:
    """Return the weights (bands, window // 2 + 1) of triangular filters, each 1 at its peak.

    The bands + 2 corners lie at equal distances in mel from 0 to half the rate. Each filter
    rises from one corner to the next and falls to the one after it. ValueError if bands < 1.

    >>> mel_filters(bands=2, window=8).round(1)
    array([[0. , 0.7, 0. , 0. , 0. ],
           [0. , 0.3, 0.9, 0.5, 0. ]])
    """
    expect_positive("bands", bands)
    corners = 700 * (10 ** (np.linspace(0, mel(rate / 2), bands + 2) / 2595) - 1)
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    f = np.arange(window // 2 + 1) * (rate / window)
    return np.clip(np.minimum((f - left) / (peak - left), (right - f) / (right - peak)), 0, None)


def log_mel(wave: np.ndarray) -> np.ndarray:
    """Turn a wave into the logarithm of the energy in each mel band. Derived in chapter 11_speech.

    Parameters
    ----------
    wave : (N,) array
        Samples in −1 … 1, 8,000 a second.

    Returns
    -------
    bands : (T, 32) array
        T = 1 + (N − 256) // 160 frames of 32 ms, one every 20 ms; none if N < 256. Natural
        logarithm; an energy below 1e-10 counts as 1e-10.

    Raises
    ------
    ValueError
        If the shape or dtype does not fit.

    References
    ----------
    Davis and Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences, IEEE Transactions on Acoustics, Speech, and
    Signal Processing 28(4), 1980.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(1600) / RATE)
    >>> log_mel(tone).argmax(axis=1).tolist()
    [14, 14, 14, 14, 14, 14, 14, 14, 14]
    """
    wave = expect_float("wave", wave, ("N",))
    if len(wave) < WINDOW:
        return np.zeros((0, BANDS), wave.dtype)
    frames = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[::HOP]
    hann = np.hanning(WINDOW + 1)[:-1]
    power = abs(np.fft.rfft(frames * hann)) ** 2  # (T, 129)
    return np.log(np.maximum(power @ mel_filters().T, 1e-10)).astype(wave.dtype)


def features(wave: np.ndarray) -> np.ndarray:
    """Turn a wave into what is stored and read: (T, 32) whole numbers 0 … 28 in uint8.

    They count steps of 0.5 of `log_mel` above a floor, 14 below the recording's largest number
    or below 0, whichever is higher: silence is not made louder, and stays silence.

    >>> features(np.zeros(1000)).max()
    np.uint8(0)
    """
    bands = log_mel(wave)
    floor = max(bands.max(initial=0.0), 0.0) - 28 * STEP
    return np.round((bands - floor) / STEP).clip(0, 28).astype(np.uint8)


def rows(features: np.ndarray) -> np.ndarray:
    """Turn features (T, 32) into rows for a network, float32: each band's mean is taken away.

    What a microphone or a room does to a band all the time goes with the mean.

    >>> rows(np.array([[0, 3], [12, 3]], np.uint8)).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    x = features.astype(np.float32)
    return (x - x.mean(axis=0)) / 6 if len(x) else x


def read(path: str | PathLike[str]) -> np.ndarray:
    """Read a sound file of any kind as a wave (N,): its channels mixed, resampled to 8,000.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no sound, or holds no samples, or samples that are no numbers.
    ImportError
        If soundfile or scipy, which read and resample, is not installed.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        import soundfile
        from scipy.signal import resample_poly
    except ImportError as error:
        raise ImportError(f"{error.name} is not installed: pip install soundfile scipy") from None
    try:
        channels, rate = soundfile.read(str(path), always_2d=True)  # (N, channels)
    except soundfile.LibsndfileError:
        raise ValueError(f"{path} is no sound file that can be read, or it is broken") from None
    if not channels.size:
        raise ValueError(f"{path} holds no samples")
    if not np.isfinite(channels).all():
        raise ValueError(f"{path} holds samples that are no numbers")
    wave = channels.mean(axis=1)
    return wave if rate == RATE else resample_poly(wave, RATE, rate)


def encode(text: str) -> np.ndarray:
    """Turn words into their classes (U,). ValueError if a letter is in no digit.

    >>> encode("six one").tolist()
    [10, 6, 15, 1, 8, 7, 2]
    """
    unknown = set(text) - set(LETTERS[1:])
    if unknown:
        raise ValueError(f"text holds {min(unknown)!r}, which is in the name of no digit")
    return np.array([LETTERS.index(letter) for letter in text], dtype=int)


def decode(classes: Any) -> str:
    """Turn labels without blanks into words, one space between them.

    >>> decode([1, 10, 6, 15, 1, 1, 8, 7, 2])
    'six one'
    """
    classes = expect_index("classes", np.asarray(classes, dtype=int), size=len(LETTERS))
    return " ".join("".join(LETTERS[k] for k in np.atleast_1d(classes)).split())


def load(path: str | PathLike[str]) -> dict[str, list[Spoken]]:
    """Read what chapters/experiments/voices.py wrote: training, validation and test."""
    with np.load(path) as stored:
        frames = np.split(stored["features"].T, np.cumsum(stored["lengths"])[:-1])
        said = zip(stored["voices"], stored["texts"], frames, strict=True)
        spoken = [Spoken(str(voice), str(text), part) for voice, text, part in said]
        ends = np.cumsum(stored["parts"])[:-1]
    cut = [0, *ends.tolist(), len(spoken)]
    names = ("training", "validation", "test")
    return {name: spoken[a:b] for name, a, b in zip(names, cut, cut[1:], strict=False)}
