"""Bach's chorales: four voices, and on each beat the note that every one of them sings.

A piece is an array of T beats and 4 voices, from the highest to the lowest. A note is a number
as in MIDI: 60 is the C in the middle of a piano, and 1 is a semitone.

    soprano  67 69 71 72        G4 A4 B4 C5
    alto     64 64 65 67   =    E4 E4 F4 G4
    tenor    60 60 62 64        C4 C4 D4 E4
    bass     48 45 43 48        C3 A2 G2 C3

What is sung between two beats is left out, a note longer than a beat is sung once a beat, and
through a rest a voice holds its note. Every piece is moved to the key without sharps and flats.

Derived in chapter 13_music. Source: J. S. Bach (1685–1750), in the public domain; the four-part
pieces of the corpus that comes with music21 (Cuthbert and Ariza, 2010), many of them entered by
Margaret Greentree. `chorales.npz` holds their notes and nothing else of the corpus's files;
``python -m rnnlib.data.music`` makes it again. The split of 2012 has to be fetched.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ..validation import as_rng, expect_positive
from .download import find

#: The columns of a piece.
VOICES = ("soprano", "alto", "tenor", "bass")

#: The keys of a piano, as notes: what a piano roll has columns for.
PIANO = range(21, 109)

_STORED = Path(__file__).with_name("chorales.npz")

#: Semitones from a C up to each note that has a letter.
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def chorales() -> dict[str, np.ndarray]:
    """Load all pieces, (T, 4) integer arrays, by their numbers in the list of Bach's works.

    >>> pieces = chorales()
    >>> len(pieces), pieces["bwv269"][:4].T.tolist()[0]
    (365, [72, 72, 72, 79])
    """
    with np.load(_STORED) as stored:
        notes = np.split(stored["notes"].astype(np.int64), stored["lengths"].cumsum()[:-1])
        return dict(zip(stored["names"].tolist(), notes, strict=True))


def without_repeats(pieces: Mapping[str, np.ndarray], span: int = 16) -> dict[str, np.ndarray]:
    """Drop each piece whose soprano sings so many beats in a row as in an earlier piece.

    Bach set many tunes more than once. Afterwards no two pieces have `span` beats of a tune in
    common, wherever these stand.

    >>> scale = np.tile(np.arange(60, 80)[:, None], 4)
    >>> list(without_repeats({"one": scale, "two": scale[2:], "three": scale[:15]}))
    ['one', 'three']
    """
    expect_positive("span", span)
    stood: set[tuple[int, ...]] = set()
    kept = {}
    for name, piece in pieces.items():
        tune = piece[:, 0].tolist()
        spans = {tuple(tune[t : t + span]) for t in range(len(tune) - span + 1)}
        if stood.isdisjoint(spans):
            kept[name] = piece
        stood |= spans
    return kept


def split(
    pieces: Mapping[str, np.ndarray], seed: int | np.random.Generator = 0
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Split into training, validation and test, whole pieces in a drawn order: 80, 10 and 10%.

    >>> [len(part) for part in split(dict.fromkeys(range(50), np.zeros((1, 4))))]
    [40, 5, 5]
    """
    order = list(pieces.values())
    order = [order[n] for n in as_rng(seed).permutation(len(order))]
    held = len(order) // 10
    return order[2 * held :], order[held : 2 * held], order[:held]


def standard() -> dict[str, list[np.ndarray]]:
    """Load the piano rolls of the split of 2012 by "train", "valid" and "test".

    Lists of (T, 88) float32 arrays, of Boulanger-Lewandowski et al., ICML 2012. Tunes may stand in
    it twice. `rnnlib.data.download.find` says where they are looked for, and what it raises.
    """
    parts = json.loads(find("jsb-chorales-quarter.json").read_text(encoding="utf-8"))
    return {part: [piano_roll(piece) for piece in pieces] for part, pieces in parts.items()}


def piano_roll(piece: Iterable[Sequence[int]]) -> np.ndarray:
    """Return which keys of a piano sound on each beat, a (T, 88) float32 array of 0 and 1.

    The piece is a (T, 4) array, or T lists of any number of notes; a note that is no key of a
    piano is a ValueError.

    Examples
    --------
    >>> roll = piano_roll([[60, 64, 67], []])
    >>> roll.shape, (np.flatnonzero(roll[0]) + 21).tolist()
    ((2, 88), [60, 64, 67])
    """
    beats = [list(map(int, beat)) for beat in piece]
    outside = [note for beat in beats for note in beat if note not in PIANO]
    if outside:
        raise ValueError(f"piece holds the note {outside[0]}; a piano has 21 … 108")
    roll = np.zeros((len(beats), len(PIANO)), dtype=np.float32)
    for t, beat in enumerate(beats):
        roll[t, np.array(beat, dtype=int) - PIANO.start] = 1
    return roll


def read_corpus() -> dict[str, np.ndarray]:
    """Read all pieces anew from the installed music21's files, as XML, without importing it.

    Raises
    ------
    ImportError
        If music21 is not installed.
    """
    package = find_spec("music21")
    if package is None or package.origin is None:
        raise ImportError("the corpus comes with music21: pip install music21")
    files = Path(package.origin).parent.glob("corpus/bach/bwv*.[xm][xm]l")
    pieces = {}
    for path in sorted(files, key=lambda path: _number(path.stem)):
        root = ElementTree.fromstring(_xml(path.read_bytes()))
        parts = [_part(part) for part in root.iter("part")]
        if len(parts) == len(VOICES):
            pieces[path.stem] = _piece(parts)
    return pieces


def _number(name: str) -> list[tuple[bool, int, str]]:
    """How works are ordered: bwv9 stands before bwv10."""
    parts = name.removeprefix("bwv").replace("-", ".").split(".")
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _xml(content: bytes) -> bytes:
    """A score's XML, taken out of the archive in which it may be packed."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        return archive.read(next(container.iter("rootfile")).attrib["full-path"])


def _part(part: ElementTree.Element) -> tuple[dict[int, int], int]:
    """The note that sounds on each beat on which one does, and by what to move it to C."""
    now, divisions, key = Fraction(0), 1, int(part.findtext(".//fifths") or 0)
    sung: dict[int, int] = {}
    for element in part.findall("measure/*"):
        divisions = int(element.findtext("divisions") or divisions)
        if element.tag not in {"note", "backup", "forward"} or element.find("grace") is not None:
            continue
        beats = Fraction(int(element.findtext("duration", "0")), divisions)
        if element.tag == "backup":
            now -= beats
        elif element.find("chord") is None:  # of two notes in a voice, the first
            if (pitch := element.find("pitch")) is not None:
                octave, alter = int(pitch.findtext("octave", "")), pitch.findtext("alter") or 0
                note = 12 * (octave + 1) + STEPS[pitch.findtext("step", "")] + int(alter)
                for beat in range(-int(-now // 1), -int(-(now + beats) // 1)):
                    sung.setdefault(beat, note)
            now += beats
    return sung, (6 - 7 * key) % 12 - 6


def _piece(parts: Sequence[tuple[Mapping[int, int], int]]) -> np.ndarray:
    """(T, 4): the voices side by side, each holding its note where it rests."""
    piece: list[list[int]] = []
    for beat in sorted(set().union(*(sung for sung, _ in parts))):
        held = piece[-1] if piece else [next(iter(sung.values())) for sung, _ in parts]
        piece.append([sung.get(beat, note) for (sung, _), note in zip(parts, held, strict=True)])
    return np.array(piece) + parts[0][1]


if __name__ == "__main__":
    read = read_corpus()
    lengths = np.array([len(piece) for piece in read.values()])
    notes = np.concatenate(list(read.values())).astype(np.int8)
    np.savez_compressed(_STORED, names=np.array(list(read)), lengths=lengths, notes=notes)
