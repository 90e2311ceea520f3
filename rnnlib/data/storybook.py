"""Tiny stories that end in a place, from a grammar of our own.

A story is one sentence without punctuation: a reason, some words that do not
matter, and where somebody goes.

    the fridge is empty  so  after a short nap  i am going to the  market
    `----- reason -----'     `-- filler ---'    `---- frame ----'  `place'

The place is drawn first, then a reason that fits it: who hears the reason can
work back to the place by Bayes' rule, but not always with certainty. Nothing
else in the story depends on the place. So the best possible prediction of the
last word is known exactly, whatever stands between; and a model has to carry
the reason, and nothing but the reason, over all the filler words.

The filler is not empty talk for a model that predicts every word: phrases have
their own order, they mention the same things as the reasons, and sometimes
somebody else's trouble ("mia says her fridge is empty") is told, which sends
nobody anywhere.

Source: made up for this course; no text of others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

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

#: The most filler words a story can have.
LONGEST = 36

# Most stories come to the point quickly: 85 % draw the number of filler words with
# probability falling by e^-0.3 a word, 15 % take any number equally often.
_short = np.exp(-0.3 * np.arange(LONGEST + 1))
#: P(number of filler words), for 0 … LONGEST.
FILLER_LENGTHS = 0.85 * _short / _short.sum() + 0.15 / (LONGEST + 1)

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
#: Filler phrases by their number of words: for each slot, what may stand there.
PHRASES = {
    words: [slot.replace("_", " ").split("/") for slot in pattern.split()]
    for words, pattern in enumerate(_PATTERNS, start=1)
}

#: How often phrases of 1 … 6 words are told, where there is room: other people's troubles most.
PHRASE_WEIGHTS = (1, 1, 1, 1, 1, 4)

START = 0  #: Index of what a story begins with; also stands where a shorter story has ended.


Item = TypeVar("Item")


class Story(NamedTuple):
    """One story.

    Parameters
    ----------
    words : tuple of str
        All words; the last is the place.
    reason : str or None
        The reason told.
    place : str
    filler : int
        Number of filler words.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> words = ("the", "fridge", "is", "empty", "so", "off", "to", "the", "market")
    >>> Story(words, "the fridge is empty", "market", filler=0).distance
    4
    """

    words: tuple[str, ...]
    reason: str | None
    place: str
    filler: int

    @property
    def distance(self) -> int:
        """Words between the reason's last word and the place; without a reason, all before it.

        Returns
        -------
        int
        """
        return len(self.words) - 1 - (len(self.reason.split()) if self.reason else 0)


def _draw(
    items: Sequence[Item], rng: np.random.Generator, p: Sequence[float] | None = None
) -> Item:
    if p is None:
        return items[int(rng.integers(len(items)))]
    return items[int(np.searchsorted(np.cumsum(p), rng.random() * sum(p), side="right"))]


def filler(words: int, rng: np.random.Generator) -> list[str]:
    """Phrases of this many words in all, each phrase's length drawn among those that still fit.

    Parameters
    ----------
    words : int
    rng : numpy.random.Generator

    Returns
    -------
    list of str

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> " ".join(filler(9, np.random.default_rng(9)))
    'tom says his essay is late despite snow alone'
    """
    told: list[str] = []
    while len(told) < words:
        room = min(words - len(told), max(PHRASES))
        slots = PHRASES[_draw(range(1, room + 1), rng, PHRASE_WEIGHTS[:room])]
        told += " ".join(_draw(slot, rng) for slot in slots).split()
    return told


def fillers(words: int) -> int:
    """How many different fillers of this many words there are.

    Parameters
    ----------
    words : int

    Returns
    -------
    int

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> [fillers(n) for n in (1, 2, 3)]
    [12, 168, 2315]
    """
    ways = [1]
    for n in range(1, words + 1):
        ways.append(
            sum(
                int(np.prod([len(slot) for slot in slots])) * ways[n - length]
                for length, slots in PHRASES.items()
                if length <= n
            )
        )
    return ways[words]


def story(
    rng: np.random.Generator,
    *,
    filler_words: int | None = None,
    frame: str | None = None,
    always_told: bool = False,
) -> Story:
    """Draw one story.

    Parameters
    ----------
    rng : numpy.random.Generator
    filler_words : int, optional
        Number of filler words; drawn with `FILLER_LENGTHS` if left out.
    frame : str, optional
        One of `FRAMES`; drawn if left out.
    always_told : bool, optional
        Leave out stories without a reason.

    Returns
    -------
    Story

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> one = story(np.random.default_rng(8), filler_words=4)
    >>> " ".join(one.words)
    'the bread is gone so before a second nap i am going to the bakery'
    >>> one.distance
    10
    """
    place = _draw(tuple(PLACES), rng, tuple(PLACES.values()))
    reason = None
    if always_told or rng.random() >= SILENT:
        reason = _draw(tuple(REASONS[place]), rng, tuple(REASONS[place].values()))
    if filler_words is None:
        lengths = np.cumsum(FILLER_LENGTHS)
        filler_words = min(int(np.searchsorted(lengths, rng.random(), side="right")), LONGEST)
    words = [*reason.split(), "so"] if reason else []
    words += filler(filler_words, rng)
    words += (frame or _draw(FRAMES, rng)).split()
    return Story((*words, place), reason, place, filler_words)


def stories(
    count: int,
    seed: int | np.random.Generator,
    *,
    filler_words: int | None = None,
    frame: str | None = None,
    always_told: bool = False,
) -> list[Story]:
    """Draw stories, each on its own.

    Parameters
    ----------
    count : int
    seed : int or numpy.random.Generator
    filler_words, frame, always_told
        As for `story`.

    Returns
    -------
    list of Story

    Raises
    ------
    ValueError
        If count is not a whole number of at least 1.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> [one.place for one in stories(3, seed=0)]
    ['park', 'cinema', 'market']
    """
    rng = as_rng(seed)
    return [
        story(rng, filler_words=filler_words, frame=frame, always_told=always_told)
        for _ in range(expect_positive("count", count))
    ]


def _vocabulary() -> tuple[str, ...]:
    texts = [*PLACES, *TOLD, "so", *FRAMES]
    texts += [text for slots in PHRASES.values() for slot in slots for text in slot]
    # places first, so that they are the indices 1 … 12
    return ("<start>", *dict.fromkeys(word for text in texts for word in text.split()))


#: Every word of the grammar; a word's index is its number. The twelve places are 1 … 12.
VOCABULARY = _vocabulary()
INDEX = {word: index for index, word in enumerate(VOCABULARY)}

#: The places' part of a distribution over the vocabulary: ``p[..., PLACE_WORDS]`` is (..., 12).
PLACE_WORDS = slice(1, 1 + len(PLACES))


def encode(told: Sequence[Story]) -> tuple[np.ndarray, np.ndarray]:
    """Stories as arrays, time first: each word is to be predicted from those before it.

    Parameters
    ----------
    told : sequence of N Story

    Returns
    -------
    x : (T, N) integer array
        `START`, then the words but for the last. T is the longest story's length.
    y : (T, N) integer array
        The words; -100, which `cross_entropy` leaves out, where a story has ended.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> x, y = encode([story(np.random.default_rng(0), filler_words=0)])
    >>> " ".join(VOCABULARY[index] for index in y[:, 0])
    'my dog is restless so i am going to the park'
    >>> bool((x[1:] == y[:-1]).all())
    True
    """
    T = max(len(one.words) for one in told)
    x = np.full((T, len(told)), START)
    y = np.full((T, len(told)), -100)
    for n, one in enumerate(told):
        indices = [INDEX[word] for word in one.words]
        y[: len(indices), n] = indices
        x[1 : len(indices), n] = indices[:-1]
    return x, y


def blanks(y: np.ndarray) -> np.ndarray:
    """Where the place stands: each story's last time step.

    Parameters
    ----------
    y : (T, N) integer array
        From `encode`.

    Returns
    -------
    t : (N,) integer array
        ``y[t, np.arange(N)]`` are the places.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> x, y = encode(stories(4, seed=0))
    >>> bool((y[blanks(y), np.arange(4)] <= 12).all())
    True
    """
    return (y >= 0).sum(axis=0) - 1


def posterior(reason: str | None) -> np.ndarray:
    """The best possible prediction of the place, exactly: P(place | reason).

    Bayes' rule turns the grammar around: P(place) times P(reason | place), divided
    by its sum over the places. Neither filler, frame nor distance matters.

    Parameters
    ----------
    reason : str or None
        One of `TOLD`; None gives P(place), as silence is equally likely before each.

    Returns
    -------
    probabilities : (12,) array
        In the order of `PLACES`.

    Raises
    ------
    ValueError
        If the grammar does not know the reason.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> dict(zip(PLACES, posterior("the bread is gone").round(2).tolist()))["bakery"]
    0.6
    """
    if reason is None:
        return np.array(list(PLACES.values()))
    joint = np.array([p * REASONS[place].get(reason, 0.0) for place, p in PLACES.items()])
    if joint.sum() == 0:
        raise ValueError(f"reason must be None or one of {TOLD}, got {reason!r}")
    return joint / joint.sum()


def reason_probabilities() -> np.ndarray:
    """P(reason), given that one is told.

    Returns
    -------
    probabilities : (18,) array
        In the order of `TOLD`.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> round(float(reason_probabilities().sum()), 12)
    1.0
    """
    return np.array(
        [sum(p * REASONS[at].get(told, 0.0) for at, p in PLACES.items()) for told in TOLD]
    )


def score(probabilities: np.ndarray, reasons: Sequence[str | None]) -> tuple[float, float]:
    """How good predictions of the place are, against the grammar itself.

    The place of a test story is one draw from P(place | reason). Here a prediction
    is weighed over all of them instead of by the one that was drawn, and each
    reason counts as often as the grammar tells it, not as often as it happens to
    stand here: the same figure on average, without that luck.

    Parameters
    ----------
    probabilities : (N, V) or (N, 12) array
        Over the vocabulary, or over the places alone.
    reasons : sequence of N str or None

    Returns
    -------
    accuracy : float
        The chance that the word with the highest probability is the place.
    bits : float
        Mean surprise at the place.

    Raises
    ------
    ValueError
        If there is not one reason for each row.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> accuracy, bits = score(np.tile(posterior(None), (2, 1)), [None, None])
    >>> round(accuracy, 2), round(bits, 2)
    (0.24, 3.33)
    """
    p = np.asarray(probabilities, dtype=float)
    if len(p) != len(reasons):
        raise ValueError(f"probabilities has {len(p)} rows, but there are {len(reasons)} reasons")
    places = p if p.shape[1] == len(PLACES) else p[:, PLACE_WORDS]
    truth = np.array([posterior(reason) for reason in reasons])
    rows = np.arange(len(p))
    hit = truth[rows, places.argmax(axis=1)] * (places.max(axis=1) >= p.max(axis=1))
    # where a place is impossible, its surprise does not count
    surprise = -(truth * np.log2(np.where(truth > 0, places, 1.0))).sum(axis=1)
    told: dict[str | None, float] = {None: SILENT}
    told.update(zip(TOLD, reason_probabilities() * (1 - SILENT), strict=True))
    rows_of = Counter(reasons)
    weight = np.array([told[reason] / rows_of[reason] for reason in reasons])
    weight /= weight.sum()
    return float(weight @ hit), float(weight @ surprise)


def best_score() -> tuple[float, float]:
    """The best accuracy and the fewest bits that any model can reach where a reason is told.

    Returns
    -------
    accuracy, bits : float
        Σ P(reason) max P(place | reason), and the entropy of the place once the reason is known.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> [round(number, 3) for number in best_score()]
    [0.824, 0.41]
    """
    return score(np.array([posterior(reason) for reason in TOLD]), TOLD)


def memoryless_score() -> tuple[float, float]:
    """The best that is possible for who has forgotten the reason: P(place) at every blank.

    Returns
    -------
    accuracy, bits : float

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> [round(number, 3) for number in memoryless_score()]
    [0.24, 3.328]
    """
    return score(np.tile(posterior(None), (len(TOLD), 1)), TOLD)


def exam(filler_words: int, count: int, seed: int | np.random.Generator) -> list[Story]:
    """Test stories at one distance: every reason before each of `count` fillers.

    All end in the book's own sentence, ``FRAMES[0]``, so that the distance is
    filler_words + 6. The place is a draw and not needed: `score` knows better.

    Parameters
    ----------
    filler_words : int
    count : int
    seed : int or numpy.random.Generator

    Returns
    -------
    list of 18 · count Story

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> tests = exam(3, count=10, seed=0)
    >>> len(tests), {one.distance for one in tests}
    (180, {9})
    """
    rng = as_rng(seed)
    tests = []
    for _ in range(expect_positive("count", count)):
        between = filler(filler_words, rng)
        for reason in TOLD:
            place = _draw(tuple(PLACES), rng, tuple(posterior(reason)))
            words = (*reason.split(), "so", *between, *FRAMES[0].split(), place)
            tests.append(Story(words, reason, place, filler_words))
    return tests


class ByLength:
    """Mini-batches of stories of about the same length, so that little is padding.

    In every walk the stories are dealt anew, and the batches come in a new order.

    Parameters
    ----------
    told : sequence of Story
    batch_size : int
    seed : int or numpy.random.Generator

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> batches = ByLength(stories(100, seed=0), batch_size=32, seed=0)
    >>> len(batches), sum(x.shape[1] for x, y in batches)
    (4, 100)
    """

    def __init__(
        self, told: Sequence[Story], batch_size: int, seed: int | np.random.Generator
    ) -> None:
        self.x, self.y = encode(told)
        self.lengths = blanks(self.y) + 1
        self.batch_size = expect_positive("batch_size", batch_size)
        self.rng = as_rng(seed)

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        shuffled = self.rng.permutation(len(self.lengths))
        order = shuffled[np.argsort(self.lengths[shuffled], kind="stable")]
        for batch in self.rng.permutation(len(self)):
            chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            T = self.lengths[chosen].max()
            yield self.x[:T, chosen], self.y[:T, chosen]
