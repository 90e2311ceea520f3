"""The stories' best prediction is exact, and the n-gram baseline is a true distribution."""

import itertools
from collections import Counter

import numpy as np
import pytest

from rnnlib import cross_entropy
from rnnlib.data import storybook
from rnnlib.data.storybook import FRAMES, PLACES, REASONS, SILENT, TOLD, VOCABULARY
from rnnlib.ngrams import NGram

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


def test_the_best_score_is_what_enumerating_all_stories_gives():
    told = [one for one in all_stories() if one[1] is not None]
    mass = sum(p for p, _, _ in told)
    hit = sum(max(p for p, r, _ in told if r == reason) for reason in TOLD) / mass
    bits = 0.0
    for p, reason, _ in told:
        bits -= p * np.log2(p / sum(q for q, r, _ in told if r == reason)) / mass
    assert storybook.best_score() == pytest.approx((hit, bits), rel=1e-12)
    without = (max(PLACES.values()), -sum(p * np.log2(p) for p in PLACES.values()))
    assert storybook.memoryless_score() == pytest.approx(without, rel=1e-12)


def test_no_prediction_beats_the_best_score():
    best = np.array([storybook.posterior(reason) for reason in TOLD])
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = best + rng.uniform(0, 0.5, best.shape)
        accuracy, bits = storybook.score(other / other.sum(axis=1, keepdims=True), TOLD)
        assert accuracy <= storybook.best_score()[0] + 1e-12
        assert bits > storybook.best_score()[1]


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


def every_filler(words):
    if words == 0:
        yield ()
    for length, slots in storybook.PHRASES.items():
        if length <= words:
            for phrase in itertools.product(*slots):
                for rest in every_filler(words - length):
                    yield (*" ".join(phrase).split(), *rest)


@pytest.mark.parametrize("words", [0, 1, 2, 3, 4])
def test_counting_fillers_equals_listing_them(words):
    listed = list(every_filler(words))
    assert all(len(one) == words for one in listed)
    assert len(set(listed)) == len(listed) == storybook.fillers(words)


def test_somebody_else_s_trouble_is_a_reason_in_other_words():
    mine = {" ".join(reason.split()[1:]) for reason in TOLD}
    assert set(storybook.PHRASES[6][1]) <= mine
    assert len(storybook.PHRASES[6][1]) == len(mine) - 1


def test_encoding_can_be_read_back():
    told = storybook.stories(50, seed=1)
    x, y = storybook.encode(told)
    t = storybook.blanks(y)
    for n, one in enumerate(told):
        assert tuple(VOCABULARY[k] for k in y[: t[n] + 1, n]) == one.words
        assert (y[t[n] + 1 :, n] == -100).all()
        assert x[0, n] == storybook.START
        assert tuple(VOCABULARY[k] for k in x[1 : t[n] + 1, n]) == one.words[:-1]
    places = np.array(list(PLACES))
    assert (places[y[t, np.arange(50)] - 1] == [one.place for one in told]).all()
    loss, _ = cross_entropy(np.zeros((*y.shape, V)), y)  # what it makes can be learned from
    assert loss == pytest.approx(np.log(V))


def test_an_exam_asks_every_reason_before_the_same_filler():
    exam = storybook.exam(8, count=3, seed=0)
    assert [one.reason for one in exam] == list(TOLD) * 3
    assert {one.distance for one in exam} == {14}
    for group in range(3):
        rows = exam[group * len(TOLD) : (group + 1) * len(TOLD)]
        assert len({one.words[5:13] for one in rows}) == 1
    assert {one.words[-6:-1] for one in exam} == {tuple(FRAMES[0].split())}


def test_batches_of_one_length_hold_every_story_once_and_are_dealt_anew():
    told = storybook.stories(101, seed=0)
    batches = storybook.ByLength(told, batch_size=16, seed=0)
    rounds = [list(batches), list(batches)]
    for dealt in rounds:
        assert len(dealt) == len(batches) == 7
        columns = [tuple(c[c >= 0]) for _, y in dealt for c in y.T]
        whole = [tuple(storybook.INDEX[word] for word in one.words) for one in told]
        assert sorted(columns) == sorted(whole)
        assert all(len(y) == storybook.blanks(y).max() + 1 for _, y in dealt)
    shapes = [[y.shape for _, y in dealt] for dealt in rounds]
    assert shapes[0] != shapes[1]
    padding = sum((y < 0).sum() for _, y in rounds[0]) / sum(y.size for _, y in rounds[0])
    assert padding < 0.25


def test_scores_weigh_reasons_as_the_grammar_tells_them():
    """Doubling the rows of one reason changes nothing; the grammar's own prediction is the best."""
    p = np.random.default_rng(0).dirichlet(np.ones(V), size=len(TOLD))
    once = storybook.score(p, TOLD)
    again = storybook.score(np.concatenate([p, p[:1]]), [*TOLD, TOLD[0]])
    assert again == pytest.approx(once, rel=1e-12)
    full = np.zeros((1, V))
    full[:, storybook.PLACE_WORDS] = 0.5 * storybook.posterior("my hair is long")
    full[0, storybook.INDEX["so"]] = 0.5
    assert storybook.score(full, ["my hair is long"]) == pytest.approx((1, 1))
    full[0, storybook.INDEX["so"]] = 0.6  # another word is likelier than any place
    assert storybook.score(full, ["my hair is long"])[0] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: storybook.posterior("i am rich"), "i am rich"),
        (lambda: storybook.stories(0, seed=0), "count"),
        (lambda: storybook.exam(3, 0, seed=0), "count"),
        (lambda: storybook.score(np.ones((2, 12)), [None]), "2 rows"),
        (lambda: storybook.ByLength(storybook.stories(3, 0), 0, seed=0), "batch_size"),
        (lambda: NGram(0, 5), "order"),
        (lambda: NGram(2, 0), "vocabulary_size"),
        (lambda: NGram(2, 5, strength=0), "strength"),
        (lambda: NGram(2, 5).fit(np.array([1, 2])), "y has shape"),
        (lambda: NGram(2, 5).fit(np.array([[5]])), "y"),
        (lambda: NGram(2, 5).fit(np.array([[1]])).predict(np.array([1])), "context has shape"),
        (lambda: NGram(2, 5).fit(np.array([[1]])).predict(np.array([[7]])), "context"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def slow_witten_bell(sequences, context, word, strength):
    """The formula, one context at a time."""
    if context is None:
        return 1 / V
    n = len(context)
    followers = Counter()
    for told in sequences:
        padded = [0] * n + told
        for at in range(n, len(padded)):
            if padded[at - n : at] == context:
                followers[padded[at]] += 1
    shorter = slow_witten_bell(sequences, context[1:] if n else None, word, strength)
    trust = strength * len(followers)
    total = sum(followers.values())
    return (followers[word] + trust * shorter) / (total + trust) if total else shorter


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_ngrams_equal_the_formula(order, strength):
    told = storybook.stories(40, seed=2, filler_words=3)
    _, y = storybook.encode(told)
    sequences = [column[column >= 0].tolist() for column in y.T]
    model = NGram(order, V, strength).fit(y)
    rng = np.random.default_rng(0)
    for k in range(30):
        if k % 2:  # a context that was seen
            row = sequences[rng.integers(40)]
            at = int(rng.integers(len(row)))
            context = ([0] * order + row[:at])[-max(order - 1, 1) :]
        else:
            context = rng.integers(V, size=max(order - 1, 1)).tolist()
        p = model.predict(np.array(context)[:, None])[0]
        used = context[len(context) - order + 1 :] if order > 1 else []
        for word in (*rng.integers(V, size=3).tolist(), 1):
            exact = slow_witten_bell(sequences, used, word, strength)
            assert p[word] == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("order", [1, 2, 5, 12])
def test_ngram_probabilities_are_a_distribution(order):
    told = storybook.stories(500, seed=0)
    x, y = storybook.encode(told)
    model = NGram(order, V).fit(y)
    fresh, _ = storybook.encode(storybook.exam(5, 5, seed=9))
    noise = np.random.default_rng(1).integers(V, size=(14, 200))
    for context in (fresh, noise, x[:1], np.zeros((0, 3), dtype=int)):
        p = model.predict(context)
        assert p.shape == (context.shape[1], V)
        assert (p > 0).all()
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)


def test_an_ngram_knows_which_contexts_it_has_seen():
    model = NGram(3, V).fit(np.array([[5, 7], [6, 8], [7, -1]]))
    context = np.array([[5, 6, 0, 0, 8], [6, 5, 5, 6, 7]])
    assert model.seen(context).tolist() == [True, False, True, False, False]


def test_words_outside_the_window_change_nothing():
    _, y = storybook.encode(storybook.stories(300, seed=0))
    model = NGram(4, V).fit(y)
    context = np.random.default_rng(0).integers(V, size=(9, 40))
    changed = context.copy()
    changed[:-3] = 0
    assert (model.predict(context) == model.predict(changed)).all()
    assert (model.predict(context) == model.predict(context[-3:])).all()
