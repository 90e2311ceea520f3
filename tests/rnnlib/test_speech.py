"""Spoken digits: from sound files of any kind to rows, letters as classes, voices kept apart."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rnnlib.data import speech

EXPERIMENTS = Path(__file__).resolve().parents[2] / "chapters/experiments"
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def spoken():
    return speech.load(EXPERIMENTS / "voices.npz")


def test_log_mel_is_what_a_slow_evaluation_gives():
    wave = RNG(0).normal(size=900)
    found = speech.log_mel(wave)
    assert found.shape == (1 + (900 - 256) // 160, 32)
    corners = np.linspace(0, 2595 * np.log10(1 + 4000 / 700), 34)
    corners = 700 * (10 ** (corners / 2595) - 1)
    for t, row in enumerate(found):
        frame = wave[160 * t : 160 * t + 256]
        faded = frame * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256))
        waves = np.exp(-2j * np.pi * np.outer(np.arange(129), np.arange(256)) / 256)
        power = abs(waves @ faded) ** 2
        for band, value in enumerate(row):
            weights = np.interp(np.arange(129) * 31.25, corners[band : band + 3], [0, 1, 0])
            assert value == pytest.approx(np.log(weights @ power), rel=1e-9)


@pytest.mark.parametrize("count", [0, 1, 255])
def test_what_is_shorter_than_a_frame_has_no_rows(count):
    features = speech.features(np.zeros(count))
    assert features.shape == (0, 32) and speech.rows(features).shape == (0, 32)


def test_features_are_steps_above_a_floor_below_the_loudest():
    wave = 0.5 * RNG(1).normal(size=8000)
    bands, features = speech.log_mel(wave), speech.features(wave)
    assert features.dtype == np.uint8 and features.max() == 28
    np.testing.assert_allclose(features, (2 * (bands - bands.max() + 14)).clip(0), atol=0.5001)
    louder = speech.features(2 * wave)
    assert abs(louder.astype(int) - features).max() <= 1, "loudness does not matter"
    assert speech.features(1e-6 * wave).max() == 0, "but silence is not made louder"


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (11025, 2), (44100, 2), (22050, 3)])
def test_any_rate_and_channels_come_out_as_one_wave_at_8000(tmp_path, rate, channels):
    seconds = np.arange(rate) / rate
    tone = 0.4 * np.sin(2 * np.pi * 440 * seconds)
    sides = np.stack([tone * (k + 1) / channels for k in range(channels)], axis=1)
    soundfile.write(tmp_path / "tone.wav", sides, rate, subtype="FLOAT")
    wave = speech.read(tmp_path / "tone.wav")
    assert wave.shape == (8000,)
    expected = sides.mean(axis=1).max() * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    np.testing.assert_allclose(wave[100:-100], expected[100:-100], atol=2e-3)


def test_a_file_that_is_no_sound_is_named_in_one_sentence(tmp_path):
    names = ("empty", "broken", "nan")
    files = {name: tmp_path / f"{name}.wav" for name in names}
    soundfile.write(files["empty"], np.zeros(0), 8000)
    files["broken"].write_bytes(b"RIFF and no more")
    soundfile.write(files["nan"], np.array([0, np.nan]), 8000, subtype="FLOAT")
    messages = ("holds no samples", "no sound file that can be read", "no numbers")
    for (name, file), message in zip(files.items(), messages, strict=True):
        with pytest.raises(ValueError, match=message) as caught:
            speech.read(file)
        assert f"{name}.wav" in str(caught.value) and "\n" not in str(caught.value)
    for lost in (tmp_path / "lost.wav", tmp_path):  # nor is a folder a file
        with pytest.raises(FileNotFoundError, match="there is no file"):
            speech.read(lost)


def test_text_and_classes_are_one_another_s_inverse():
    text = " ".join(speech.WORDS)
    assert speech.decode(speech.encode(text)) == text
    assert speech.encode("").shape == (0,) and speech.decode([]) == ""
    assert 0 not in speech.encode(text), "the blank is no letter"
    with pytest.raises(ValueError, match="'a'"):
        speech.encode("one and two")
    with pytest.raises(ValueError, match="classes"):
        speech.decode([17])


def test_no_voice_is_in_two_parts_and_every_text_can_be_said(spoken):
    assert [len(part) for part in spoken.values()] == [1150, 100, 250]
    voices = [{one.voice for one in part} for part in spoken.values()]
    assert [len(part) for part in voices] == [74, 10, 20]
    assert not voices[0] & voices[1] and not voices[2] & (voices[0] | voices[1])
    for one in (one for part in spoken.values() for one in part):
        labels = speech.encode(one.text)
        assert set(one.text.split()) <= set(speech.WORDS)
        assert len(one.features) >= len(labels) + np.sum(labels[1:] == labels[:-1])
        assert one.features.max() <= 28


def test_the_first_strings_come_out_again_from_a_fresh_process():
    """Those of 74 voices, among them all that breathe at random."""
    command = [sys.executable, EXPERIMENTS / "voices.py", "--check", "--first", "80"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert "80 strings made again, 0 of them differ" in made.stdout, made.stdout + made.stderr


def test_nothing_but_reading_a_file_needs_soundfile_or_scipy():
    code = "import sys; from rnnlib.data import speech; import numpy as np; "
    code += "speech.features(np.zeros(999)); print({'soundfile', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
