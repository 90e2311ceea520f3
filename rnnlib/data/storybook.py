"""Tiny stories that end in a place, from a grammar of our own.

A story is one sentence: a reason, some words that do not matter, and where somebody goes.

    the fridge is empty  so  after a short nap  i am going to the  market
    `----- reason -----'     `-- filler ---'    `---- frame ----'  `place'

The place is drawn first, then a reason that fits it; nothing else depends on it. So the
best possible prediction of the last word is known exactly, and a model has to carry the
reason, and nothing but the reason, over all the filler words. These are not empty talk:
phrases have their own order, mention the same things as the reasons, and sometimes tell
somebody else's trouble ("mia says her fridge is empty"), which sends nobody anywhere.

Derived in chapter 01_storybook. Source: made up for this course; no text of others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..training import Buckets
from ..validation import as_rng, expect_positive

#: How often each place is the end of a story: P(place).
PLACES = {
    "market": 0.24,
    "bakery": 0.12,
    "library": 0.10,
    "station": 0.09,
    "park": 0.09,
    "doctor": 0.08,
    "pharmacy": 0.07,
    "bank": 0.06,
    "pool": 0.05,
    "cinema": 0.04,
    "garage": 0.03,
    "barber": 0.03,
}

#: The reasons that fit a place, and how often each is the one told: P(reason | place).
REASONS = {
    "market": {"the fridge is empty": 0.5, "our guests are hungry": 0.3, "the bread is gone": 0.2},
    "bakery": {"the bread is gone": 0.6, "our guests are hungry": 0.4},
    "library": {"my book is finished": 0.7, "my essay is late": 0.3},
    "station": {"my aunt is coming": 0.8, "my holiday is starting": 0.2},
    "park": {"my dog is restless": 0.6, "the sun is shining": 0.4},
    "doctor": {"my knee is swollen": 0.6, "my head is aching": 0.4},
    "pharmacy": {"my head is aching": 0.6, "my pills are finished": 0.4},
    "bank": {"my purse is empty": 1.0},
    "pool": {"the sun is shining": 0.6, "my holiday is starting": 0.4},
    "cinema": {"my friend is bored": 0.6, "my ticket is free": 0.4},
    "garage": {"my tank is empty": 0.6, "my car is smoking": 0.4},
    "barber": {"my hair is long": 1.0},
}

#: Every reason once, in the order in which it first appears.
TOLD = tuple(dict.fromkeys(reason for reasons in REASONS.values() for reason in reasons))

#: P(no reason is told), whatever the place.
SILENT = 0.15

#: What leads to the place, each as likely; the first is the book's own sentence.
FRAMES = ("i am going to the", "off to the")

_short = np.exp(-0.3 * np.arange(37))
#: P(number of filler words), for 0 … 36. Most stories come to the point quickly: 85% draw it with
#: probability falling by e^-0.3 a word, 15% take any number equally often.
FILLER_LENGTHS = 0.85 * _short / _short.sum() + 0.15 / len(_short)

# Filler phrases of 1 … 6 words: slots between spaces, what may stand in a slot between slashes.
# The last is somebody else's trouble (nobody owns the sun).
_PATTERNS = (
    "slowly/quietly/happily/soon/calmly/finally/now/today/again/gladly/alone/early",
    "before/after/despite noon/lunch/dinner/work/school/rain/snow/midnight",
    "with my bag/coat/hat/basket/umbrella/scarf/bike/dog/aunt/book/purse",
    "after/before a short/long/quiet/slow/warm/little/second/good "
    "nap/walk/call/game/rest/meal/bath/chat/swim/song/book/film",
    "while the children/neighbours/cats/birds/guests/girls/dogs/boys are "
    "sleeping/playing/singing/eating/coming/arguing",
    "mia_says_her/ada_says_her/ben_says_his/tom_says_his "
    + "/".join("_".join(told.split()[1:]) for told in TOLD if "sun" not in told),
)
#: Filler phrases by their number of words: what may stand in each slot.
PHRASES = {
    words: [slot.replace("_", " ").split("/") for slot in pattern.split()]
    for words, pattern in enumerate(_PATTERNS, start=1)
}

#: How often phrases are told, where there is room: other people's troubles most.
PHRASE_WEIGHTS = {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 4}

START = 0  #: Index of what a story begins with; also stands where a shorter story has ended.


class Story(NamedTuple):
    """One story: all words (the last is the place), the reason told, the number of filler words."""

    words: tuple[str, ...]
    reason: str | None
    place: str
    filler: int

    @property
    def distance(self) -> int:
        """Words between the reason's last word and the place; without a reason, all before it."""
        return len(self.words) - 1 - (len(self.reason.split()) if self.reason else 0)


def draw(weights: Mapping[Any, float], rng: np.random.Generator) -> Any:
    """Draw one of the items, each as often as its weight says."""
    limits = np.cumsum(list(weights.values()))
    return list(weights)[int(np.searchsorted(limits, rng.random() * limits[-1], side="right"))]


def filler(words: int, rng: np.random.Generator) -> list[str]:
    """Draw phrases of this many words in all, each phrase's length among those that still fit.

    >>> " ".join(filler(9, np.random.default_rng(9)))
    'tom says his essay is late despite snow alone'
    """
    told: list[str] = []
    while len(told) < words:
        room = words - len(told)
        slots = PHRASES[draw({n: w for n, w in PHRASE_WEIGHTS.items() if n <= room}, rng)]
        told += " ".join(slot[int(rng.integers(len(slot)))] for slot in slots).split()
    return told


def stories(count: int, seed: int | np.random.Generator) -> list[Story]:
    """Draw stories, each on its own: another seed for training, validation and test.

    >>> [one.place for one in stories(3, seed=0)]
    ['park', 'cinema', 'market']
    """
    rng = as_rng(seed)
    lengths = dict(enumerate(FILLER_LENGTHS))
    told = []
    for _ in range(expect_positive("count", count)):
        place = draw(PLACES, rng)
        reason = draw(REASONS[place], rng) if rng.random() >= SILENT else None
        words = draw(lengths, rng)
        before = [*reason.split(), "so"] if reason else []
        before += filler(words, rng)
        before += FRAMES[int(rng.integers(len(FRAMES)))].split()
        told.append(Story((*before, place), reason, place, words))
    return told


_TEXT = " ".join([*PLACES, *TOLD, "so", *FRAMES, *_PATTERNS])
#: Every word of the grammar; a word's index is its number. The twelve places are 1 … 12.
VOCABULARY = ("<start>", *dict.fromkeys(re.split("[ /_]+", _TEXT)))
INDEX = {word: index for index, word in enumerate(VOCABULARY)}

#: The places' part of a distribution over the vocabulary: ``p[..., PLACE_WORDS]`` is (..., 12).
PLACE_WORDS = slice(1, 1 + len(PLACES))


def encode(told: Sequence[Story]) -> tuple[np.ndarray, np.ndarray]:
    """Make arrays x and y, both (T, N), of N stories whose words are to be predicted.

    y holds the words, then -100, which `cross_entropy` leaves out; x is one step behind.

    >>> x, y = encode(stories(3, seed=0))
    >>> " ".join(VOCABULARY[index] for index in y[:11, 0])
    'my dog is restless so i am going to the park'
    """
    T = max(len(one.words) for one in told)
    x, y = np.full((T, len(told)), START), np.full((T, len(told)), -100)
    for n, one in enumerate(told):
        indices = [INDEX[word] for word in one.words]
        y[: len(indices), n] = indices
        x[1 : len(indices), n] = indices[:-1]
    return x, y


def batches(told: Sequence[Story], batch_size: int, seed: int | np.random.Generator) -> Buckets:
    """Cut encoded stories into batches (x, y), both (T, B), of about the same length."""
    each = [[column[:, 0] for column in encode([one])] for one in told]
    x, y = zip(*each, strict=True)
    return Buckets(x, y, batch_size, fill=-100, with_lengths=False, seed=seed)


def posterior(reason: str | None) -> np.ndarray:
    """Return the best possible prediction of the place, exactly: P(place | reason), (12,).

    Bayes' rule turns the grammar around. Silence (None) is equally likely before each place.

    >>> dict(zip(PLACES, posterior("the bread is gone").round(2).tolist()))["bakery"]
    0.6
    """
    if reason is None:
        return np.array(list(PLACES.values()))
    joint = np.array([p * REASONS[place].get(reason, 0.0) for place, p in PLACES.items()])
    if joint.sum() == 0:
        raise ValueError(f"reason must be None or one of {TOLD}, got {reason!r}")
    return joint / joint.sum()
