"""Chapter 09: what a bag can know, who knows more, where it errs, and when counting is as good."""

from itertools import pairwise

import numpy as np
import pytest

import rnnlib
from rnnlib.data import ceilings, reviews


def test_a_bag_stops_at_its_ceiling_and_arrives_there(chapter):
    ceiling, found = ceilings.ceiling(), chapter.experiment["bags"]
    assert 0.64 < ceiling < 0.66
    n = chapter.experiment["settings"]["tests"]
    for name in ("SEEN", "UNSEEN"):
        shares = np.array(found["words"][name])
        assert abs(shares - ceiling).max() < 4 * np.sqrt(ceiling * (1 - ceiling) / n)
        assert min(found["pairs"][name]) > ceiling + 0.1
    names = chapter.names
    for score in (names.worth, names.by_words):
        share = names.share_right(lambda words, f=score: f(words) > 0, names.unseen)
        assert share < ceiling + 0.03


def test_the_rules_are_about_two_thirds_right(chapter):
    share = chapter.names.share_right(chapter.names.by_rules, chapter.names.unseen)
    assert 0.63 < share < 0.70
    known = ("the plot was not good .", "the plot was good but the cast was dull .")
    others = ("although the plot was good , the cast was dull .", "the plot was far from good .")
    others += ("the plot was anything but good .",)
    told = [chapter.names.by_rules(review.split()) for review in (*known, *others)]
    assert told == [False, False, True, True, True], "all are blame"


def test_a_word_of_praise_stands_in_blame_as_often_as_in_praise():
    shares = [
        sum(one.probability for one in reviews.SKELETONS if one.label == k and "+" in one.words)
        for k in (0, 1)
    ]
    assert shares[0] == pytest.approx(shares[1])


def test_the_reader_knows_words_that_it_never_saw(chapter):
    names = chapter.names
    told = reviews.reviews(500, seed=77, words=reviews.UNSEEN)
    pairs = [(one.words, one.label) for one in told]
    assert names.right_at_end(names.model, *names.encoded(pairs)) > 0.95
    assert names.right_at_end(names.mine, *names.encoded(pairs)) > 0.95
    assert names.right_at_end(names.trained, *names.encoded(pairs)) > 0.95


def test_padding_and_the_neighbours_in_a_batch_change_nothing(chapter):
    names = chapter.names
    sequences = [reviews.encode(words) for words, _ in names.unseen[:20]]
    together = names.probabilities(names.model, sequences)
    for x, p in zip(sequences, together, strict=True):
        np.testing.assert_allclose(names.probabilities(names.model, [x])[0], p, atol=1e-5)


@pytest.mark.parametrize("every", [False, True])
def test_the_readers_gradients_are_those_of_differences(chapter, every):
    names = chapter.names
    model = names.Reader("LSTM", seed=0, V=len(reviews.VOCABULARY), I=3, H=4, every=every)
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    x = np.zeros((9, 2, 2))
    short, long = (reviews.encode(t.split()) for t in ("the plot was good .", names.first))
    x[: len(short), 0], x[:, 1] = short, long[:9]
    batch, y = (x, np.array([len(short), 9])), np.array([[1.0], [0.0]])
    if every:
        y = np.full((9, 2, 1), -1.0)
        y[: len(short), 0], y[:, 1] = 1, 0
    loss = names.asked_everywhere if every else rnnlib.bernoulli_nll
    model.zero_grad()
    model.backward(loss(model(batch), y)[1])
    for name, parameter in model.named_parameters():
        estimate = rnnlib.numerical_gradient(lambda: loss(model(batch), y)[0], parameter.data)
        np.testing.assert_allclose(parameter.grad, estimate, atol=1e-6, err_msg=name)


def test_gated_cells_need_fewer_reviews_and_values_are_needed(chapter):
    found = {k: np.array(v["UNSEEN"]) for k, v in chapter.experiment["kinds"].items()}
    sizes = chapter.experiment["settings"]["kinds"]["reviews"]
    at = {n: k for k, n in enumerate(sizes)}
    assert found["LSTM"][:, at[500] :].min() > 0.95 and found["GRU"][:, at[500] :].min() > 0.95
    assert found["RNN"][:, at[500]].max() < 0.8 and found["RNN"][:, at[1000] :].min() > 0.95
    assert max(found[kind][:, 0].max() for kind in ("LSTM", "GRU", "RNN")) < ceilings.ceiling()
    assert found["no values"].max() < 0.6
    assert np.array(chapter.experiment["kinds"]["no values"]["SEEN"])[:, at[2000] :].min() > 0.95
    kinds = chapter.experiment["kinds"].values()
    tried = {str([len(runs) for runs in each["tuning"]["tried"].values()]) for each in kinds}
    assert tried == {"[3, 3, 3]"}, "the same cost for all"


def test_who_is_asked_after_every_word_is_near_the_exact_probability(chapter):
    end, every = (chapter.experiment["asked"][k] for k in ("at the end", "after every word"))
    assert min(end["right"] + every["right"]) > 0.99
    assert max(every["apart"]) < 0.05 < 0.1 < min(end["apart"])


def test_the_answer_flips_at_but(chapter):
    p, exact = chapter.names.along(chapter.names.first)
    at = chapter.names.first.split().index("but")
    assert p[at - 1] > 0.5 and exact[at - 1] > 0.5
    assert p[at:].max() < 0.1 and exact[at:].max() == pytest.approx(0)
    top, bottom = chapter.axes["running"]
    np.testing.assert_allclose(top.lines[0].get_ydata(), p)
    assert abs(bottom.lines[0].get_ydata() - bottom.lines[1].get_ydata()).max() < 0.2


def test_the_slices_say_where_each_errs(chapter):
    told = chapter.experiment["slices"]
    assert min(told["bag"]["one clause"]) > 0.99
    assert max(told["bag"]["but"] + told["bag"]["although"]) < 0.65
    weakest = min(("one clause", "and", "but", "although"), key=lambda k: np.mean(told["RNN"][k]))
    assert weakest == "although" and min(told["LSTM"]["although"]) > max(told["RNN"]["although"])
    assert np.mean(told["bag"]["not turned"]) < 0.8, "hard without a turned clause, too"


def test_the_interval_is_that_of_the_formula(chapter):
    z = 1.96
    for n, p in ((10, 1.0), (25, 0.36), (400, 0.9), (7, 0.0)):
        root = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        ends = [(p + z**2 / (2 * n) + sign * root) / (1 + z**2 / n) for sign in (-1, 1)]
        assert chapter.names.wilson(p, n) == pytest.approx(ends, abs=1.01e-4)


def test_one_changed_word_moves_what_it_should(chapter):
    names, moved = chapter.names, {}
    for review, old, new in names.changes:
        words = review.split()
        changed = [new if word == old else word for word in words]
        p = [names.along(" ".join(each))[0][-1] for each in (words, changed)]
        moved[old, new] = abs(p[1] - p[0])
    still = {("plot", "music"), ("good", "superb")}
    assert all(move < 0.1 if pair in still else move > 0.9 for pair, move in moved.items())
    (ax,) = chapter.axes["apart"]
    plain, turned = (line.get_ydata() for line in ax.lines)
    assert plain[0] < 0.1 and plain[-1] > 0.9 and turned[0] > 0.9 and turned[-1] < 0.1


def test_twenty_losses_are_those_of_torch(chapter):
    np.testing.assert_allclose(chapter.names.mine_20, chapter.names.twin_20, rtol=0, atol=1e-3)


def test_on_real_sentences_counting_is_not_beaten(chapter):
    runs = chapter.experiment["real"]
    bag, reader = (np.mean(runs[name]["test"], axis=0) for name in ("bag", "LSTM"))
    assert (bag > reader).all(), "without values, at every size"
    low, high = chapter.names.wilson(np.mean(runs["bag, values"]["test"], axis=0)[-1], 1821)
    assert low < np.mean(runs["LSTM, values"]["test"], axis=0)[-1] < high, "with them, level"
    assert len(runs["LSTM"]["tuning"]["tried"]) == 3


# The quiz


def test_answer_1():
    language = [("yes", 1), ("no", 0), ("yes not no", 1), ("no not yes", 0)]

    def best(view):
        sums = {}
        for text, label in language:
            sums.setdefault(view(text.split()), [0, 0])[label] += 1 / 4
        return sum(max(pair) for pair in sums.values())

    assert best(ceilings.bag) == pytest.approx(0.75)
    assert best(lambda words: ceilings.bag(pairwise(words))) == pytest.approx(0.75)
    assert best(
        lambda words: (ceilings.bag(words), ceilings.bag(pairwise(words)))
    ) == pytest.approx(1)


def test_answer_4(chapter):
    assert chapter.names.wilson(1.0, 4)[0] == pytest.approx(1 / (1 + 1.96**2 / 4), abs=1e-4)
    assert chapter.names.wilson(1.0, 4)[0] == pytest.approx(0.51, abs=0.005)


def test_answer_6(chapter):
    low, high = chapter.names.wilson(0.82, 1821)
    assert 0.015 < (high - low) / 2 < 0.02
