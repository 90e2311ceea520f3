"""The stories are drawn as the grammar says, and their best prediction is exact."""

from collections import Counter

import numpy as np
import pytest

from rnnlib import cross_entropy
from rnnlib.data import storybook
from rnnlib.data.storybook import FRAMES, PLACES, REASONS, SILENT, TOLD, VOCABULARY

V = len(VOCABULARY)


def all_stories():
    """Every (probability, reason, place) of the grammar; all else is independent of them."""
    for place, p in PLACES.items():
        yield p * SILENT, None, place
        for reason, q in REASONS[place].items():
            yield p * (1 - SILENT) * q, reason, place


def test_the_grammar_s_probabilities_add_up():
    assert sum(PLACES.values()) == pytest.approx(1, abs=1e-12)
    for reasons in REASONS.values():
        assert sum(reasons.values()) == pytest.approx(1, abs=1e-12)
    assert storybook.FILLER_LENGTHS.sum() == pytest.approx(1, abs=1e-12)
    assert sum(p for p, _, _ in all_stories()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("reason", [None, *TOLD])
def test_the_posterior_is_what_enumerating_all_stories_gives(reason):
    fitting = {place: p for p, told, place in all_stories() if told == reason}
    exact = np.array([fitting.get(place, 0) for place in PLACES]) / sum(fitting.values())
    np.testing.assert_allclose(storybook.posterior(reason), exact, rtol=1e-12, atol=0)


@pytest.fixture(scope="module")
def drawn():
    return storybook.stories(40_000, seed=7)


def test_drawn_stories_follow_the_posterior(drawn):
    for reason in (None, *TOLD):
        places = [one.place for one in drawn if one.reason == reason]
        share = np.array([places.count(place) / len(places) for place in PLACES])
        error = 4 * np.sqrt(0.25 / len(places))
        np.testing.assert_allclose(share, storybook.posterior(reason), atol=error)


def test_nothing_but_the_reason_tells_the_place(drawn):
    """Frame, filler length and whether other people's troubles are told: all independent of it."""
    expected = np.array(list(PLACES.values()))
    for holds in (
        lambda one: "off" in one.words,
        lambda one: one.filler > 6,
        lambda one: "says" in one.words,
    ):
        places = [one.place for one in drawn if holds(one)]
        share = np.array([places.count(place) / len(places) for place in PLACES])
        assert len(places) > 5000
        np.testing.assert_allclose(share, expected, atol=4 * np.sqrt(0.25 / len(places)))


def test_stories_are_built_as_the_page_says(drawn):
    lengths = Counter(one.filler for one in drawn)
    expected = storybook.FILLER_LENGTHS * len(drawn)
    for length, count in enumerate(expected):
        assert abs(lengths[length] - count) < 5 * np.sqrt(count)
    for one in drawn[:2000]:
        text = " ".join(one.words)
        beginning = f"{one.reason} so" if one.reason else ""
        assert text.startswith(beginning)
        frame = next(frame for frame in FRAMES if text.endswith(f"{frame} {one.place}"))
        rest = len(beginning.split()) + len(frame.split()) + 1
        assert len(one.words) == rest + one.filler
        if one.reason:
            assert one.distance == one.filler + 1 + len(frame.split())


def test_the_same_seed_tells_the_same_stories():
    assert storybook.stories(20, seed=3) == storybook.stories(20, seed=3)
    assert storybook.stories(20, seed=3) != storybook.stories(20, seed=4)


def test_somebody_else_s_trouble_is_a_reason_in_other_words():
    mine = {" ".join(reason.split()[1:]) for reason in TOLD}
    assert set(storybook.PHRASES[6][1]) <= mine
    assert len(storybook.PHRASES[6][1]) == len(mine) - 1


def test_encoding_can_be_read_back():
    told = storybook.stories(50, seed=1)
    x, y = storybook.encode(told)
    t = (y >= 0).sum(axis=0) - 1  # where the place stands
    for n, one in enumerate(told):
        assert tuple(VOCABULARY[k] for k in y[: t[n] + 1, n]) == one.words
        assert (y[t[n] + 1 :, n] == -100).all()
        assert x[0, n] == storybook.START
        assert tuple(VOCABULARY[k] for k in x[1 : t[n] + 1, n]) == one.words[:-1]
    places = np.array(list(PLACES))
    assert (places[y[t, np.arange(50)] - 1] == [one.place for one in told]).all()
    loss, _ = cross_entropy(np.zeros((*y.shape, V)), y)  # what it makes can be learned from
    assert loss == pytest.approx(np.log(V))


def test_batches_of_one_length_hold_every_story_once_and_are_dealt_anew():
    told = storybook.stories(101, seed=0)
    batches = storybook.batches(told, batch_size=16, seed=0)
    rounds = [list(batches), list(batches)]
    for dealt in rounds:
        assert len(dealt) == len(batches) == 7
        columns = [tuple(c[c >= 0]) for _, y in dealt for c in y.T]
        whole = [tuple(storybook.INDEX[word] for word in one.words) for one in told]
        assert sorted(columns) == sorted(whole)
        assert all((y >= 0).any(axis=1).all() for _, y in dealt)
    shapes = [[y.shape for _, y in dealt] for dealt in rounds]
    assert shapes[0] != shapes[1]
    padding = sum((y < 0).sum() for _, y in rounds[0]) / sum(y.size for _, y in rounds[0])
    assert padding < 0.25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: storybook.posterior("i am rich"), "i am rich"),
        (lambda: storybook.stories(0, seed=0), "count"),
        (lambda: storybook.batches(storybook.stories(3, 0), 0, seed=0), "batch_size"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
