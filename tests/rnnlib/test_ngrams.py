"""The n-gram baseline is a true distribution, and equal to the formula."""

from collections import Counter

import numpy as np
import pytest

from rnnlib.data import storybook
from rnnlib.ngrams import KneserNey, NGram

V = len(storybook.VOCABULARY)


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
    told = storybook.stories(40, seed=2)
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
    fresh, _ = storybook.encode(storybook.stories(90, seed=9))
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


@pytest.mark.parametrize(
    ("call", "message"),
    [
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


def slow_kneser_ney(text, context, word, size):
    """Chen and Goodman's formula for one text, behind START signs, one context at a time."""
    n = len(context)
    padded = [0] * (size - 1) + text

    def kinds(length):
        """Each run of a context of this length and a word: how often, or behind how many words."""
        longer = length + 1 if length + 1 == size else length + 2
        ends = range(size - 1, len(padded))
        runs = [tuple(padded[end - longer + 1 : end + 1]) for end in ends]
        return Counter(runs) if longer == length + 1 else Counter(run[1:] for run in set(runs))

    counts = kinds(n)
    of = Counter(counts.values())
    if all(of[k] for k in (1, 2, 3, 4)):
        share = of[1] / (of[1] + 2 * of[2])
        taken = [min(max(k - (k + 1) * share * of[k + 1] / of[k], 0.05), k) for k in (1, 2, 3)]
    else:
        taken = [0.5, 0.5, 0.5]
    followers = {run[-1]: count for run, count in counts.items() if run[:-1] == tuple(context)}
    shorter = slow_kneser_ney(text, context[1:], word, size) if n else 1 / V
    if not followers:
        return shorter
    each = {w: taken[min(count, 3) - 1] for w, count in followers.items()}
    kept = followers.get(word, 0) - each.get(word, 0)
    return (kept + sum(each.values()) * shorter) / sum(followers.values())


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_kneser_ney_equals_the_formula(order):
    rng = np.random.default_rng(order)
    text = rng.zipf(1.6, size=400).clip(max=9).tolist()
    model = KneserNey(order, V).fit(np.array(text)[:, None])
    for k in range(20):
        at = int(rng.integers(order, len(text)))
        context = text[at - order + 1 : at] if k % 2 else rng.integers(1, 12, order - 1).tolist()
        p = model.predict(np.array(context, dtype=int).reshape(-1, 1))[0]
        np.testing.assert_allclose(p.sum(), 1, rtol=1e-12)
        for word in (text[at], int(rng.integers(1, 12))):
            exact = slow_kneser_ney(text, context, word, order)
            assert p[word] == pytest.approx(exact, rel=1e-10)


def test_kneser_ney_counts_a_repeated_passage_once():
    """What follows one word only is likely behind that word alone, however often it does."""
    text = [1, 2] * 50 + [3, 4, 5, 4, 6, 4]
    y = np.array(text)[:, None]
    nowhere = np.array([[8]])
    kneser_ney, witten_bell = KneserNey(2, V).fit(y), NGram(2, V).fit(y)
    assert kneser_ney.predict(nowhere)[0, 4] > kneser_ney.predict(nowhere)[0, 2]
    assert witten_bell.predict(nowhere)[0, 4] < witten_bell.predict(nowhere)[0, 2]
