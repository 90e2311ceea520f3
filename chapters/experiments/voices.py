"""The spoken digits of chapter 11: eSpeak NG says them, and their features are stored.

    python chapters/experiments/voices.py            writes voices.npz beside it, and the clips
    python chapters/experiments/voices.py --check    makes them again, compares, writes nothing

Needed are espeakng-loader, which brings the library and its voices, scipy and soundfile. eSpeak
remembers what it said before, and breathes at random. So a string comes out the same only with a
seed, in a fresh process that says all strings before it: this one.

What is stored are features (`rnnlib.data.speech.features`), whole numbers of 0 … 28, compressed:
less than 1.3 MB for 1,500 strings. As Ogg Vorbis the sounds would take about 8 MB,
and the network reads nothing but the features.

A voice here is one of eSpeak's variants (pitch, formants, breath); each is heard with several
accents, speeds and pitches, all of them drawn. The variants are dealt out to training,
validation and test before anything is said.
"""

import argparse
import ctypes
import sys
from pathlib import Path

import numpy as np

from rnnlib.data import speech

PATH = Path(__file__).with_suffix(".npz")
MEDIA = Path(__file__).parents[1] / "media"
SEED = 0
ACCENTS = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
ACCENTS += ("en-029", "en-us-nyc")
#: Of each part: how many of the 104 voices, and how many strings.
PARTS = {"training": (74, 1150), "validation": (10, 100), "test": (20, 250)}
LOWEST, HIGHEST = (110, 20), (210, 80)  # words a minute, and pitch from 0 to 99
#: What the page plays, as sound: a name in chapters/media, and the number of the test string.
CLIPS = {8: "11_speech_heard", 13: "11_speech_misheard"}


class Espeak:
    """The library in this process: `say` returns what it speaks, 8,000 samples a second."""

    def __init__(self):
        import espeakng_loader

        data = Path(espeakng_loader.get_data_path())
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        synchronous = 2
        self.rate = self.library.espeak_Initialize(synchronous, 0, str(data).encode(), 0)
        if self.rate <= 0:
            raise OSError(f"eSpeak NG does not start with the data in {data}")
        self.library.espeak_ng_SetRandSeed(SEED)  # breath is noise
        self.variants = sorted(path.name for path in (data / "voices" / "!v").iterdir())
        self.said = []
        of = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self.hear = of(self._hear)  # kept, or it would be collected while C calls it
        self.library.espeak_SetSynthCallback(self.hear)

    def _hear(self, samples, count, events):
        if samples and count > 0:
            self.said.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, text, voice, speed, pitch):
        from scipy.signal import resample_poly

        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"eSpeak NG has no voice {voice}")
        for parameter, value in ((1, speed), (3, pitch)):
            self.library.espeak_SetParameter(parameter, value, 0)
        self.said.clear()
        spoken, utf8 = text.encode() + b"\0", 1
        self.library.espeak_Synth(spoken, len(spoken), 0, 0, 0, utf8, None, None)
        self.library.espeak_Synchronize()
        return resample_poly(np.concatenate(self.said) / 2**15, speech.RATE, self.rate)


def strings():
    """Variant, text and wave of each string, in the order of the parts; all of it is drawn."""
    rng, espeak = np.random.default_rng(SEED), Espeak()
    order, first = rng.permutation(espeak.variants), 0
    for voices, count in PARTS.values():
        mine = order[first : first + voices]
        first += voices
        for n in range(count):
            accent = ACCENTS[rng.integers(len(ACCENTS))]
            speed, pitch = rng.integers(LOWEST, HIGHEST).tolist()
            text = " ".join(rng.choice(speech.WORDS, size=rng.integers(1, 6)))
            variant = str(mine[n % voices])
            wave = espeak.say(text, f"{accent}+{variant}", speed, pitch)
            yield variant, text, wave


def main():
    parser = argparse.ArgumentParser(description="Let eSpeak NG say the digits of chapter 11.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--first", type=int, help="compare only so many strings")
    arguments = parser.parse_args()
    made, clips, first = [], {}, sum(PARTS[part][1] for part in ("training", "validation"))
    for n, (variant, text, wave) in enumerate(strings()):
        if n == arguments.first:
            break
        made.append((variant, text, speech.features(wave)))
        if n - first in CLIPS:
            clips[CLIPS[n - first]] = wave
    if not arguments.check:
        voices, texts, features = zip(*made, strict=True)
        np.savez_compressed(
            PATH,
            voices=np.array(voices),
            texts=np.array(texts),
            lengths=np.array([len(one) for one in features], np.int16),
            parts=np.array([count for _, count in PARTS.values()], np.int16),
            # a band stands together over time: it changes slowly, and is smaller so
            features=np.ascontiguousarray(np.concatenate(features).T),
        )
        import soundfile

        for name, wave in clips.items():
            soundfile.write(MEDIA / f"{name}.wav", wave, speech.RATE, subtype="PCM_16")
        return
    stored = [one for part in speech.load(PATH).values() for one in part]
    differ = 0
    for (voice, text, features), before in zip(made, stored, strict=False):
        same = (voice, text, features.shape) == (*before[:2], before.features.shape)
        # another processor may round a number that lies between two steps the other way
        if not same or abs(features.astype(int) - before.features).max() > 1:
            differ += 1
    print(f"{len(made)} strings made again, {differ} of them differ")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
