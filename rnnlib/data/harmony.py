"""What a book of harmony asks of four voices, counted: fifths, order, triads.

Derived in chapter 13_music. Source: the rules of four-part writing that every textbook has, such
as Piston, Harmony (1941), counted on the beats of `rnnlib.data.music`.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..validation import expect_shape

#: Semitones above the root: major, minor and diminished.
TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6))


def parallels(piece: np.ndarray, semitones: int = 7) -> int:
    """Count how often two voices move from one such interval to the next one of its kind.

    Parameters
    ----------
    piece : (T, 4) integer array
        As from `rnnlib.data.music.chorales`.
    semitones : int, optional
        7 for fifths, 0 for octaves and unisons. Whole octaves are taken away from an interval
        before it is compared.

    Returns
    -------
    int
        Over all six pairs of voices and all T - 1 steps. A pair that stays, or moves in opposite
        directions, does not count.

    Examples
    --------
    >>> piece = np.array([[72, 67, 64, 48], [74, 69, 65, 50], [74, 69, 65, 50]])
    >>> parallels(piece), parallels(piece, 0)  # alto above bass; soprano above bass
    (1, 1)
    """
    expect_shape("piece", piece, ("T", 4))
    count = 0
    for upper, lower in combinations(range(4), 2):
        held = (piece[:, upper] - piece[:, lower]) % 12 == semitones
        moves = np.diff(piece[:, [upper, lower]], axis=0)
        count += int((held[1:] & held[:-1] & (moves.prod(axis=1) > 0)).sum())
    return count


def in_order(piece: np.ndarray) -> np.ndarray:
    """Say on which beats no voice sings above the one that is written above it: (T,) booleans.

    >>> in_order(np.array([[72, 67, 64, 48], [72, 67, 67, 48], [64, 67, 60, 48]])).tolist()
    [True, True, False]
    """
    expect_shape("piece", piece, ("T", 4))
    return np.all(np.diff(piece, axis=1) <= 0, axis=1)


def is_triad(piece: np.ndarray) -> np.ndarray:
    """Say which beats hold a major, minor or diminished triad and nothing else: (T,) booleans.

    Which note lies lowest, and how many octaves apart they are, makes no difference.

    >>> is_triad(np.array([[72, 67, 64, 48], [72, 67, 60, 48], [77, 71, 67, 50]])).tolist()
    [True, False, False]
    """
    expect_shape("piece", piece, ("T", 4))
    known = {frozenset((root + n) % 12 for n in triad) for triad in TRIADS for root in range(12)}
    return np.array([frozenset(chord) in known for chord in (piece % 12).tolist()], dtype=bool)
