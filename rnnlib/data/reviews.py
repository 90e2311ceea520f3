"""Reviews of films whose true label is known, from a grammar of our own.

A review is one clause or two, and a tail that does not matter:

    although  the plot was far from dull ,  the music was terrible   in the end .
    `joint'   `----- opinion: + -------'    `---- opinion: − ---'    `-- tail -'

A clause says what it thinks in one of nine ways: plainly, or turned around by "not", "far from",
"anything but" and the like. Two clauses are joined, and the joint decides which of them is the
verdict: what stands after "but", and never what stands after "although". So every review has a
true label by construction, 1 for praise and 0 for blame.

A review is a skeleton whose slots are filled without a look at the label. `SKELETONS` lists all
skeletons with their probabilities, and `rnnlib.data.ceilings` sums over them.

Derived in chapter 09_sentiment. Source: the grammar is made up for this course. What a word is
worth, −4 … 4, is the mean of what ten people said: the lexicon of vaderSentiment 3.3.2 (Hutto and
Gilbert 2014, MIT licence), from which a test reads these numbers again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from ..validation import as_rng, expect_positive


def _rated(text: str) -> dict[str, float]:
    words = text.split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True))


#: Words of praise and of blame that training reviews are written with, and what each is worth.
SEEN = _rated(
    "good 1.9 great 3.1 wonderful 2.7 brilliant 2.8 charming 2.8 clever 2.0 funny 1.9 "
    "beautiful 2.9 fine 0.8 excellent 2.7 exciting 2.2 nice 1.8 enjoyable 1.9 warm 0.9 "
    "thrilling 2.1 fantastic 2.6 pleasant 2.3 interesting 1.7 elegant 2.1 fresh 1.3 bad -2.5 "
    "dull -1.7 boring -1.3 terrible -2.1 weak -1.9 poor -2.1 stupid -2.4 ugly -2.3 "
    "horrible -2.5 annoying -1.7 disappointing -2.2 pathetic -2.7 painful -1.9 confusing -0.9 "
    "ridiculous -1.5 messy -1.5 lazy -1.5 empty -0.8 cruel -2.8 dreary -1.4"
)
#: Words that stand in no training review.
UNSEEN = _rated(
    "superb 3.1 delightful 2.8 lovely 2.8 splendid 2.8 entertaining 1.9 fascinating 2.5 "
    "powerful 1.8 hilarious 1.7 lively 1.9 engaging 1.4 awful -2.0 dreadful -1.9 foolish -1.1 "
    "gloomy -0.6 miserable -2.2 lame -1.8 dumb -2.3 depressing -1.6 unpleasant -2.1 dismal -3.0"
)
VALUES = SEEN | UNSEEN

NOUNS = "plot acting music story camera dialogue ending cast sound script".split()
STRONG = "very really so quite".split()
TAILS = (
    *("", "in the end", "on the whole", "if you ask me", "from start to finish"),
    *("for the most part", "as far as i could tell"),
)
NEUTRAL = (
    *("the hall was full", "we sat in the last row", "it rained all day"),
    *("i had not read the book", "the film was two hours long", "i never go out"),
)

# How often each way to say an opinion is taken; N is a noun, S room for an intensifier, + a word
# of the clause's own sign, - one of the other sign.
_WAYS = {
    "the N was S +": 0.40,
    "the N was nothing but +": 0.05,
    "i would say that the N was S +": 0.05,
    "the N was not S -": 0.20,
    "the N was never S -": 0.10,
    "the N was far from -": 0.06,
    "the N was anything but -": 0.05,
    "i do not think that the N was S -": 0.05,
    "nobody would call the N S -": 0.04,
}
# Ways to join: how often, the words (A the first clause, B the second), which is the verdict,
# and whether the other one agrees with it.
_JOINTS = {
    "A": (0.12, "A", True),
    "A and B": (0.16, "A", True),
    "A but B": (0.40, "B", False),
    "although A , B": (0.16, "B", False),
    "A although B": (0.16, "A", False),
}
#: How often the clause that is not the verdict has no opinion, where it does not agree.
NO_OPINION = 0.15


class Skeleton(NamedTuple):
    """How a review is built: words and slots, how it is joined, which clauses are turned around."""

    words: tuple[str, ...]
    joint: str
    turned: tuple[bool, ...]
    label: int
    probability: float


Clause = tuple[str, bool | None, float]


def _clauses(label: int) -> list[Clause]:
    """Each clause with this verdict, whether it is turned around, and how often it is told."""
    own, other = ("+", "-") if label else ("-", "+")
    told: list[Clause] = []
    for way, p in _WAYS.items():
        clause, turned = way.translate(str.maketrans("+-", own + other)), "-" in way
        both = sorted({clause, clause.replace("S ", "")}, reverse=True)
        told += [(one, turned, p / len(both)) for one in both]
    return told


def _skeletons() -> Iterator[Skeleton]:
    silent: list[Clause] = [(clause, None, NO_OPINION / len(NEUTRAL)) for clause in NEUTRAL]
    for (joint, (p_joint, verdict, agrees)), label in product(_JOINTS.items(), (0, 1)):
        beside = _clauses(label if agrees else 1 - label)
        if joint == "A":
            beside = [("", None, 1.0)]
        elif not agrees:
            spoken = 1 - NO_OPINION
            beside = silent + [(clause, turned, p * spoken) for clause, turned, p in beside]
        for main, other in product(_clauses(label), beside):
            parts = {verdict: main, "AB".replace(verdict, ""): other}
            order = [parts[word] for word in joint.split() if word in parts]
            words = " ".join(parts[word][0] if word in parts else word for word in joint.split())
            p = p_joint * main[2] * other[2] / 2
            turned = tuple(clause[1] for clause in order if clause[1] is not None)
            yield Skeleton((*words.split(), "T", "."), joint, turned, label, p)


#: All of them; the probabilities add up to 1. The slots are N, S, +, - and T.
SKELETONS = tuple(_skeletons())


class Review(NamedTuple):
    """One review: its words, its label (1 praise, 0 blame), and what it was built from."""

    words: tuple[str, ...]
    label: int
    skeleton: Skeleton


def reviews(
    count: int, seed: int | np.random.Generator, words: Mapping[str, float] = SEEN
) -> list[Review]:
    """Draw reviews that are written with these opinion words.

    `SEEN`, `UNSEEN` or `VALUES`, say: a dict from words to what each is worth. ValueError is raised
    if count is not at least 1, or if there is no word of praise or of blame.

    >>> [told] = reviews(1, seed=1)
    >>> " ".join(told.words), told.label
    ('the cast was never pleasant but the story was really fine from start to finish .', 1)
    """
    rng, limits = as_rng(seed), np.cumsum([one.probability for one in SKELETONS])
    fillers = {"S": STRONG, "T": TAILS} | {
        sign: [word for word, value in words.items() if (value > 0) == (sign == "+")]
        for sign in "+-"
    }
    if not (fillers["+"] and fillers["-"]):
        raise ValueError(f"words must hold some of praise and some of blame, got {words}")
    told = []
    for _ in range(expect_positive("count", count)):
        skeleton = SKELETONS[int(np.searchsorted(limits[:-1], rng.random(), side="right"))]
        nouns = iter(rng.permutation(NOUNS).tolist())
        filled: list[str] = []
        for word in skeleton.words:
            if word == "N":
                word = next(nouns)
            elif word in fillers:
                word = fillers[word][int(rng.integers(len(fillers[word])))]
            filled += word.split()
        told.append(Review(tuple(filled), skeleton.label, skeleton))
    return told


_FIXED = {word for one in SKELETONS for word in one.words} - set("NS+-T")
#: Every word but the opinion words; index 0 is any word that has a value.
VOCABULARY = ("<rated>", *sorted({*_FIXED, *NOUNS, *STRONG, *" ".join(TAILS).split()}))
INDEX = {word: index for index, word in enumerate(VOCABULARY)}


def encode(words: Sequence[str]) -> np.ndarray:
    """Make (T, 2) of T words: the index in the vocabulary, and the value.

    A word that is neither in `VOCABULARY` nor in `VALUES` raises ValueError.

    >>> encode("the plot was superb".split())[:, 1].tolist() == [0, 0, 0, np.float32(3.1)]
    True
    """
    unknown = [word for word in words if word not in VALUES and word not in INDEX]
    if unknown:
        raise ValueError(f"words holds {unknown[0]!r}, which the grammar does not have")
    rows = [(0, VALUES[word]) if word in VALUES else (INDEX[word], 0.0) for word in words]
    return np.array(rows, np.float32).reshape(len(rows), 2)
