"""Reviews are what the grammar says, and what can be known about them at best is exact."""

import itertools
from collections import Counter

import numpy as np
import pytest

from rnnlib.data import ceilings, reviews, sst2


def test_the_skeletons_add_up_to_one_and_half_of_them_is_praise():
    total = {
        label: sum(s.probability for s in reviews.SKELETONS if s.label == label) for label in (0, 1)
    }
    assert total == pytest.approx({0: 0.5, 1: 0.5})


def test_the_values_are_those_of_the_lexicon():
    module = pytest.importorskip("vaderSentiment.vaderSentiment")
    lexicon = module.SentimentIntensityAnalyzer().lexicon
    assert {word: lexicon.get(word) for word in reviews.VALUES} == pytest.approx(reviews.VALUES)
    rated = [word for word in reviews.VOCABULARY if word in lexicon]
    assert not rated, "all other words have no value"
    assert not reviews.SEEN.keys() & reviews.UNSEEN.keys()


def read(words):
    """The label, worked out anew from the words of a review."""
    text = " ".join(words).removesuffix(" .")
    if text.startswith("although "):
        text = text.split(" , ")[1]
    else:
        text = text.split(" although ")[0]
        hidden = text.replace("anything but", "anything_but").replace("nothing but", "nothing_but")
        text = hidden.split(" but ")[-1].split(" and ")[0].replace("_", " ")
    (value,) = [reviews.VALUES[word] for word in text.split() if word in reviews.VALUES]
    turns = ("not", "never", "far from", "anything but", "nobody")
    text = text.replace("as far as i could tell", "")
    return int((value > 0) != any(f" {turn} " in f" {text} " for turn in turns))


def test_the_label_is_what_a_careful_reader_finds():
    for one in reviews.reviews(3000, seed=11, words=reviews.VALUES):
        assert read(one.words) == one.label, " ".join(one.words)


def test_drawn_skeletons_are_as_frequent_as_said():
    drawn = Counter(one.skeleton.joint for one in reviews.reviews(4000, seed=3))
    expected = Counter()
    for one in reviews.SKELETONS:
        expected[one.joint] += one.probability
    for joint, p in expected.items():
        assert drawn[joint] / 4000 == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 4000))


def test_the_ceiling_is_that_of_bags_of_real_words():
    """Every filling of some skeletons, word by word, against the sum over skeletons."""
    small = [one for one in reviews.SKELETONS if len(one.words) <= 11][:400]
    fillers = {"N": ["plot", "cast"], "S": ["very"], "T": ["", "in the end"]}
    fillers |= {"+": ["good", "great"], "-": ["bad", "dull"]}
    words_of, slots_of = Counter(), Counter()
    for one in small:
        ways = list(itertools.product(*(fillers.get(word, [word]) for word in one.words)))
        for way in ways:
            full = ceilings.bag(" ".join(way).split())
            words_of[full, one.label] += one.probability / len(ways)
        slots_of[ceilings.bag(one.words), one.label] += one.probability

    def best(sums):
        return sum(max(sums[bag, 0], sums[bag, 1]) for bag in {bag for bag, _ in sums})

    assert best(words_of) == pytest.approx(best(slots_of))
    assert best(slots_of) < 0.95 * sum(one.probability for one in small), "some bags meet"
    assert ceilings.bag(["good", "good"]) != ceilings.bag(["good"]), "a bag counts"


def test_no_function_of_the_bag_beats_the_ceiling_on_drawn_reviews():
    bags = {}
    told = reviews.reviews(20_000, seed=4)
    for one in told:
        bag = ceilings.bag(one.skeleton.words)
        bags.setdefault(bag, [0.0, 0.0])[one.label] += 1 / len(told)
    # looking at the labels first can only help
    hindsight = sum(max(pair) for pair in bags.values())
    assert ceilings.ceiling() - 0.01 < hindsight < ceilings.ceiling() + 0.05
    assert ceilings.ceiling(lambda words: None) == pytest.approx(0.5)
    assert ceilings.ceiling(tuple) == pytest.approx(1)


def test_the_guess_along_the_way_is_what_drawn_reviews_say():
    told = reviews.reviews(40_000, seed=6)
    for begun in (("the", "N", "was", "+"), ("although",), ("the", "N", "was", "not", "S", "-")):
        same = [one.label for one in told if ceilings.slots(one.words)[: len(begun)] == begun]
        p = ceilings.posterior(
            [
                "good" if w == "+" else "bad" if w == "-" else {"N": "plot", "S": "so"}.get(w, w)
                for w in begun
            ]
        )
        assert np.mean(same) == pytest.approx(p, abs=4 * np.sqrt(0.25 / len(same)))
    for one in told[:50]:
        assert ceilings.posterior(one.words) == pytest.approx(one.label)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="purple"):
        reviews.encode(["the", "purple"])
    with pytest.raises(ValueError, match="no review begins with 'was the'"):
        ceilings.posterior(["was", "the"])
    with pytest.raises(ValueError, match="praise and some of blame"):
        reviews.reviews(1, seed=0, words={"good": 1.9})
    with pytest.raises(ValueError, match="part must be train, dev or test"):
        sst2.sentences("validation")


def test_real_sentences_are_read(public):
    public("sst2/test.tsv")
    told = sst2.sentences("test")
    assert len(told) == 1821 and {label for _, label in told} == {0, 1}
    assert all(words for words, _ in told)
