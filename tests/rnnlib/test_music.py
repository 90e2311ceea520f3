"""Chorales, tunes of the reader's own, and the rules of harmony."""

import itertools
import sys

import numpy as np
import pytest

from rnnlib.data import harmony, midi, music


def test_midi_goes_out_and_comes_back(tmp_path):
    piece = music.chorales()["bwv269"][:20]
    midi.write(tmp_path / "a.mid", piece)
    assert midi.read(tmp_path / "a.mid") == piece[:, 0].tolist()


@pytest.mark.parametrize("content", [None, b"", b"no music", b"MThd\x00\x00"])
def test_a_file_that_is_no_music_gives_one_sentence(tmp_path, content):
    path = tmp_path / "tune.mid"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as problem:
        midi.read(path)
    assert "tune.mid" in str(problem.value) and "\n" not in str(problem.value)


@pytest.mark.parametrize("text", ["", "C4 H4", "- C4", "C", "C44", "c#b4"])
def test_what_is_no_tune_gives_one_sentence(text):
    with pytest.raises(ValueError, match="no note"):
        midi.notes(text)


def test_the_stored_pieces_are_those_of_the_corpus():
    read, stored = music.read_corpus(), music.chorales()
    assert list(read) == list(stored)
    for name, piece in read.items():
        np.testing.assert_array_equal(piece, stored[name])


def test_the_standard_split_is_what_papers_use(public):
    public("jsb-chorales-quarter.json")
    parts = music.standard()
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 229,
        "valid": 76,
        "test": 77,
    }


def test_without_music21_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "music21", None)
    with pytest.raises(ImportError, match="pip install music21"):
        midi.read(tmp_path / "tune.mid")
    monkeypatch.setattr(music, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install music21"):
        music.read_corpus()


def test_music_is_read_without_importing_music21():
    """The package stays light: the stored pieces need NumPy alone."""
    import subprocess

    code = "import sys; from rnnlib.data import midi, music; music.chorales()"
    code += "; midi.notes('C4'); print('music21' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_dropping_repeats_leaves_no_span_twice():
    kept = music.without_repeats(music.chorales(), span=16)
    seen = set()
    for piece in kept.values():
        tune = piece[:, 0].tolist()
        spans = {tuple(tune[t : t + 16]) for t in range(len(tune) - 15)}
        assert seen.isdisjoint(spans)
        seen |= spans
    assert 200 < len(kept) < 300


def test_a_piano_roll_holds_the_notes_of_each_beat():
    for piece in list(music.chorales().values())[:30]:
        roll = music.piano_roll(piece)
        assert [set(np.flatnonzero(frame) + 21) for frame in roll] == [set(b) for b in piece]
    with pytest.raises(ValueError, match="20"):
        music.piano_roll([[60, 20]])


@pytest.mark.parametrize(("moved", "name"), [(2, "D"), (-5, "G"), (6, "F sharp"), (12, "C")])
def test_a_tune_of_any_key_comes_to_c(moved, name):
    scale = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60]
    tune = midi.in_c([note + moved for note in scale])
    assert all((note % 12) in {0, 2, 4, 5, 7, 9, 11} for note in tune), name
    assert min(tune) >= 60 and max(tune) <= 81
    low = midi.in_c([note - 30 + moved for note in [*scale, 60 + 36]])
    assert min(low) >= 60 and max(low) <= 81, "far notes come an octave nearer"


def test_parallels_are_counted_as_by_hand():
    rng = np.random.default_rng(0)
    for _ in range(50):
        piece = np.sort(rng.integers(40, 60, (rng.integers(1, 12), 4)))[:, ::-1]
        for semitones in (7, 0):
            count = 0
            for a, b in itertools.pairwise(piece):
                for i in range(4):
                    for j in range(i + 1, 4):
                        same = np.sign(b[i] - a[i]) * np.sign(b[j] - a[j]) == 1
                        held = (a[i] - a[j]) % 12 == (b[i] - b[j]) % 12 == semitones
                        count += bool(same and held)
            assert harmony.parallels(piece, semitones) == count


def test_triads_are_found_in_any_position():
    for root in range(12):
        for triad in ((0, 4, 7), (0, 3, 7), (0, 3, 6)):
            chord = np.array([[root + n + 60 for n in (*triad, triad[0] + 12)]])
            assert harmony.is_triad(chord[:, ::-1]).all()
    assert not harmony.is_triad(np.array([[72, 68, 64, 60]])).any(), "augmented"
