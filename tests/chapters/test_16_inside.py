"""Chapter 16: what mattered, who counts, what the state holds, and where it rests."""

import numpy as np
import pytest

import rnnlib
from rnnlib.data import reviews
from rnnlib.data.counting import strings


def inputs(model, words):
    """The reader's rows of numbers for one review, (T, 1, I + 1)."""
    model(reviews.encode(words).astype(float)[:, None])
    return model.x.copy()


def last(model, x):
    return model.output(model.rnn(x)[0])[-1, 0, 0]


# Which inputs mattered


def test_gradient_times_input_is_the_slope_of_fading(chapter):
    names, small = chapter.names, 1e-5
    for one in reviews.reviews(6, seed=21):
        s, x = names.by_gradient(names.model, one.words), inputs(names.model, one.words)
        for t in range(len(x)):
            more, less = x.copy(), x.copy()
            more[t] *= 1 + small
            less[t] *= 1 - small
            slope = (last(names.model, more) - last(names.model, less)) / (2 * small)
            assert s[t] == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_removal_is_a_second_run_without_the_word(chapter):
    names = chapter.names
    for one in reviews.reviews(6, seed=22):
        r = names.by_removal(names.model, one.words)
        whole = last(names.model, inputs(names.model, one.words))
        for t in range(len(one.words)):
            rest = [*one.words[:t], *one.words[t + 1 :]]
            assert r[t] == pytest.approx(whole - last(names.model, inputs(names.model, rest)))


def test_asking_changes_no_weight_and_leaves_no_gradient(chapter):
    model = chapter.names.model
    before = {name: array.copy() for name, array in model.state_dict().items()}
    chapter.names.by_gradient(model, ["the", "plot", "was", "good", "."])
    for name, parameter in model.named_parameters():
        assert (parameter.data == before[name]).all() and not parameter.grad.any()


def test_the_deciding_words_are_the_negation_and_the_opinion(chapter):
    found = 0
    for one in reviews.reviews(2000, seed=23):
        places = chapter.names.deciding(one)
        if places is None:
            continue
        found += 1
        said = [one.words[t] for t in sorted(places)]
        assert said[0] in ("not", "never") and said[1] in reviews.VALUES
        assert one.label == (reviews.VALUES[said[1]] < 0)
    assert found > 20


def test_removal_finds_the_deciding_words_and_the_gradient_does_not(chapter):
    found = chapter.experiment["readers"]
    assert len(found["seeds"]) == 5 and min(found["right"]) > 0.99
    assert min(found["removal"]) > 0.8 > 0.4 > max(found["gradient"])
    assert found["lot"] < 0.05 and max(found["same"]) < 0.3
    assert min(found["one enough"]) > 0.65 > max(found["both gone"])


def test_the_figure_shows_both_measures_and_the_flat_end(chapter):
    left, right = chapter.axes["fade"]
    bars = np.array([bar.get_width() for bar in left.patches])
    names = chapter.names
    words = "the plot was not good in the end .".split()
    np.testing.assert_allclose(bars[:9], names.by_gradient(names.model, words), atol=1e-9)
    np.testing.assert_allclose(bars[9:], names.by_removal(names.model, words), atol=1e-9)
    curve = right.lines[0].get_ydata()
    assert curve[0] > 0 > curve[-1], "it falls from praise to blame"
    assert abs(curve[20] - curve[-1]) < 0.15 * (curve[0] - curve[-1]), "flat from the middle on"


def test_a_closing_bracket_needs_the_one_that_was_opened(chapter):
    names = chapter.names
    assert np.median(names.own) > 5 * max(0.05, np.median(names.others))
    assert 0.35 < np.mean(np.array(names.rank) <= 3) < 0.7, "about half"


# A unit that counts


def test_running_without_ablation_is_rnnlib_s_lstm(chapter):
    weights = chapter.names.counter
    x, _ = strings(2, [4, 7])
    lstm = rnnlib.LSTM(3, 10)
    lstm.load_state_dict({name: weights[f"rnn.{name}"] for name in lstm.state_dict()})
    h, c = chapter.names.run(weights, x)
    trace = lstm.trace(x.astype(float))
    np.testing.assert_allclose(h, trace["h"][0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(c, trace["c"][0], rtol=1e-10, atol=1e-12)


def test_a_unit_that_is_held_is_held_and_the_others_follow(chapter):
    weights = chapter.names.counter
    x, _ = strings(2, [5])
    free, _ = chapter.names.run(weights, x)
    h, c = chapter.names.run(weights, x, [(6, 0.25, -1.5)])
    assert (h[..., 6] == 0.25).all() and (c[..., 6] == -1.5).all()
    assert abs(h[1:, 0, 0] - free[1:, 0, 0]).max() > 1e-3, "it is seen inside the recurrence"


def test_one_unit_counts_and_without_it_alone_the_network_breaks(chapter):
    rows, whole = chapter.names.looked_at(chapter.names.counter)
    assert whole == 20
    best, *others = sorted(rows, reverse=True)
    assert best[0] > 0.99 and best[1] <= 2
    assert min(row[1] for row in others) >= 18 and others[0][0] > 0.8
    assert sum(row[2] < 10 for row in others) >= 3, "held at zero several others break it, too"


def test_the_straightest_unit_matters_most_in_ten_of_sixteen(chapter):
    found = {name: np.array(value) for name, value in chapter.experiment["counters"].items()}
    alone = found["without"] < found["control"]
    assert alone.sum() == 10 and len(alone) == 16
    assert found["fails"][alone].min() > np.median(found["fails"][~alone])
    assert found["straight"].min() > 0.98
    (ax,) = chapter.axes["counters"]
    drawn = [sorted(zip(*line.get_data(), strict=True)) for line in ax.lines[:2]]
    for which, points in zip((alone, ~alone), drawn, strict=True):
        want = zip(found["without"][which], found["control"][which], strict=True)
        assert sorted(want) == points


# Probes


def test_the_probe_is_least_squares(chapter):
    rng = np.random.default_rng(0)
    h, z = rng.normal(size=(50, 4)), rng.integers(0, 2, 50)
    weights = chapter.names.probe(h, z, penalty=1e-9)
    rows = np.hstack([h, np.ones((50, 1))])
    want = np.linalg.lstsq(rows, 2.0 * z - 1)[0]
    np.testing.assert_allclose(weights, want, atol=1e-6)
    assert chapter.names.reads(weights, h, z) == np.mean((rows @ want > 0) == z)


def test_the_facts_are_what_they_are_called(chapter):
    coins = np.arange(len(reviews.VOCABULARY)) % 2
    for one in reviews.reviews(300, seed=24):
        facts = chapter.names.facts(one, coins)
        number = [reviews.INDEX.get(word, 0) for word in one.words]
        assert facts["the coin of this word"].tolist() == [k % 2 for k in number]
        assert facts["the coin before"][1:].tolist() == [k % 2 for k in number[:-1]]
        assert set(facts["the verdict"]) == {one.label}
        negation = facts["a negation is open"]
        closed = [negation[t] for t, word in enumerate(one.words) if word in reviews.VALUES]
        assert not any(closed)
        opened = np.diff(np.concatenate([[0], negation])) == 1
        assert opened.sum() == sum(one.skeleton.turned)


def test_the_controls_spare_one_claim_and_destroy_the_other(chapter):
    probes = chapter.experiment["probes"]
    verdict, negation = (
        {name: np.array(share) for name, share in probes["facts"][fact].items()}
        for fact in ("the verdict", "a negation is open")
    )
    for control in ("untrained", "word alone", "shuffled", "same"):
        assert (verdict["trained"] > verdict[control] + 0.2).all()
    assert verdict["trained"].max() <= probes["possible"] + 0.01
    assert (negation["trained"] > negation["untrained"]).all()
    alone = negation["word alone"]
    assert negation["trained"].min() < alone[0] < negation["trained"].max()
    assert (alone > negation["same"] + 0.03).all()
    before = probes["facts"]["the coin before"]
    assert (np.array(before["untrained"]) > before["trained"]).all(), "training forgets"
    coin = probes["facts"]["the coin of this word"]
    assert min(coin["word alone"]) > 0.999
    assert (verdict["trained"] > coin["trained"]).all()


# Where the state rests


def test_newton_s_method_finds_the_points_of_one_unit(chapter):
    starts = np.linspace(-0.9, 0.9, 9)[:, None]
    points, J = chapter.names.fixed_points(lambda h: np.tanh(2 * h), starts)
    assert sorted(points[:, 0]) == pytest.approx([-0.9575, 0, 0.9575], abs=1e-4)
    for h, slope in zip(points[:, 0], J[:, 0, 0], strict=True):
        assert slope == pytest.approx(2 * (1 - np.tanh(2 * h) ** 2), abs=1e-6)


def test_the_jacobian_is_that_of_a_map_whose_slopes_are_known(chapter):
    A = np.random.default_rng(0).normal(size=(3, 3))
    h = np.random.default_rng(1).normal(size=(5, 3))
    got = chapter.names.jacobians(lambda each: np.tanh(each @ A.T), h)
    want = (1 - np.tanh(h @ A.T) ** 2)[:, :, None] * A
    np.testing.assert_allclose(got, want, atol=1e-8)


def test_each_rest_stays_and_its_kind_shows_in_what_follows(chapter):
    names = chapter.names
    for word, kinds in (("the", [True, False, True]), (".", [True])):
        points, stays = names.rests[word]
        assert sorted(stays) == sorted(kinds)
        F = names.reading(names.small, word)
        np.testing.assert_allclose(F(points), points, atol=1e-8)
        rng = np.random.default_rng(0)
        near = points + rng.normal(size=points.shape) * 1e-3
        first = np.linalg.norm(near - points, axis=1)
        for _ in range(1000):
            near = F(near)
        assert ((np.linalg.norm(near - points, axis=1) < first) == stays).all()


def test_full_stops_erase_praise_and_the_other_word_does_not(chapter):
    names = chapter.names
    told = reviews.reviews(200, seed=25)
    ends = np.array([states[-1] for states in names.read(names.small, told)[0]])
    praise = names.says(ends) > 0
    h = {word: ends for word in ("the", ".")}
    for n in range(2000):
        h = {word: names.reading(names.small, word)(each) for word, each in h.items()}
        if n == 29:
            assert all(((names.says(each) > 0) == praise).mean() > 0.99 for each in h.values())
    assert ((names.says(h["the"]) > 0) == praise).mean() > 0.99
    assert not (names.says(h["."]) > 0).any()


# The quiz


def test_answer_1():
    x = np.array([2.0, 3.0])
    slopes = x[::-1]
    assert (x * slopes).tolist() == [6, 6], "gradient times input"
    assert x.prod() - 0 == 6, "what is lost without either"


def test_answer_4(chapter):
    rng = np.random.default_rng(0)
    h, z = rng.normal(size=(150, 200)), rng.permutation(150) % 2
    weights = chapter.names.probe(h, z, penalty=1e-6)
    assert chapter.names.reads(weights, h, z) == 1
    other_h, other_z = rng.normal(size=(2000, 200)), rng.permutation(2000) % 2
    assert 0.4 < chapter.names.reads(weights, other_h, other_z) < 0.6


def test_answer_6():
    for w, left in ((0.5, 0.5**20), (1.0, 0.1)):
        h = 0.3
        for _ in range(20):
            h = np.tanh(w * h)
        assert h < left if w < 1 else h > left
