"""Tunes of the reader's own, typed or from a MIDI file, and pieces as MIDI files to take away.

A tune is a list of notes, one for each beat, numbered as in MIDI: 60 is C4, the C in the middle
of a piano, and 1 is a semitone. A dash holds the note for one more beat:

    G4 G4 A4 - B4 C5 -    =    [67, 67, 69, 69, 71, 72, 72]

Derived in chapter 13_music. Source: the reader. Files are read and written by music21 (Cuthbert
and Ariza, 2010), which has to be installed for them, and for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..validation import expect_positive
from .music import STEPS


def notes(text: str) -> list[int]:
    """Read a tune that was typed, such as "C4 F#4 Bb4 -".

    Raises
    ------
    ValueError
        If a part is no note, or a dash stands before the first one; or if there is none.

    Examples
    --------
    >>> notes("G4 A4 - Bb4")
    [67, 69, 69, 70]
    """
    tune: list[int] = []
    for word in text.split():
        told = re.fullmatch(r"([A-Ga-g])([#b]?)(\d)", word)
        if word == "-" and tune:
            tune.append(tune[-1])
        elif told:
            step, sign, octave = told.groups()
            raised = {"#": 1, "b": -1, "": 0}[sign]
            tune.append(12 * (int(octave) + 1) + STEPS[step.upper()] + raised)
        else:
            raise ValueError(f"{word!r} is no note: C4, F#4 and Bb4 are, and - holds the last one")
    if not tune:
        raise ValueError("there is no note to begin with")
    return tune


def read(path: str | Path) -> list[int]:
    """Read the tune of a MIDI file: on each beat the highest note of its first voice.

    Through a rest the last note is held; a beat is a quarter note.

    Raises
    ------
    ImportError
        If music21 is not installed.
    ValueError
        If there is no such file, or it is no MIDI file, or it holds no note.
    """
    converter = _music21("converter")
    if not Path(path).is_file():
        raise ValueError(f"there is no file {path}")
    try:
        # from bytes: of a damaged file music21 leaves the handle open
        parts = converter.parseData(Path(path).read_bytes(), format="midi").parts
    except Exception as error:  # each kind of damage has an exception of its own there
        raise ValueError(f"{path} is no MIDI file that can be read") from error
    sung = [found for part in parts if (found := _beats(part))]
    if not sung:
        raise ValueError(f"{path} holds no note")
    tune: list[int] = []
    for beat in range(min(sung[0]), max(sung[0]) + 1):
        tune.append(sung[0].get(beat, tune[-1] if tune else 0))
    return tune


def write(path: str | Path, piece: np.ndarray, beats_per_minute: int = 80) -> None:
    """Write a piece (T, 4) as a MIDI file; a note that stays is sung again on every beat.

    Raises
    ------
    ImportError
        If music21 is not installed.
    """
    stream, note, tempo = map(_music21, ("stream", "note", "tempo"))
    score = stream.Score()
    pace = tempo.MetronomeMark(number=expect_positive("beats_per_minute", beats_per_minute))
    for n, voice in enumerate(np.asarray(piece).T.tolist()):
        part = stream.Part()
        part.append([] if n else pace)
        part.append([note.Note(pitch) for pitch in voice])  # a quarter each
        score.insert(0, part)
    score.write("midi", Path(path))


def in_c(tune: Sequence[int], low: int = 60, high: int = 81) -> list[int]:
    """Move a tune to the key without sharps and flats, and to where a soprano sings.

    Of the twelve ways to move it, the one is taken after which the fewest notes are black keys
    of a piano; of equals, the smallest. Notes still outside low … high are an octave off.

    Examples
    --------
    >>> in_c([62, 64, 66, 67, 69])  # the beginning of D major
    [72, 74, 76, 77, 79]
    """

    def black(moved: int) -> int:
        return sum((note + moved) % 12 not in STEPS.values() for note in tune)

    moved = min(range(-6, 6), key=lambda semitones: (black(semitones), abs(semitones)))
    moved += 12 * round(((low + high) / 2 - np.median(tune) - moved) / 12)
    return [_between(note + moved, low, high) for note in tune]


def _between(note: int, low: int, high: int) -> int:
    """The note, or the nearest in low … high that has its name."""
    note += 12 * max(0, -((note - low) // 12))
    return note - 12 * max(0, -((high - note) // 12))


def _beats(part: Any) -> dict[int, int]:
    """The highest note that sounds on each beat of a voice, where one does."""
    sung: dict[int, int] = {}
    for note in part.flatten().notes:
        start, end = float(note.offset), float(note.offset + note.duration.quarterLength)
        for beat in range(-int(-start // 1), -int(-end // 1)):
            sung[beat] = max(sung.get(beat, 0), *(pitch.midi for pitch in note.pitches), 0)
    return sung


def _music21(module: str) -> Any:
    """A module of music21, which takes a second to import."""
    try:
        import music21
    except ImportError:
        raise ImportError("MIDI files are read by music21: pip install music21") from None
    return getattr(music21, module)
