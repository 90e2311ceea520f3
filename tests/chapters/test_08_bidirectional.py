"""Chapter 08: what both ways reach and where they cheat, what padding costs, what depth buys."""

import itertools

import numpy as np
import pytest
import torch

import rnnlib
from rnnlib.data import digits


@pytest.mark.parametrize("T", [1, 3, 5, 7])
def test_the_ceiling_is_what_counting_all_continuations_gives(chapter, T):
    """For each beginning, the winner of most of its continuations is answered."""
    votes = list(itertools.product((0, 1), repeat=T))
    for t, line in enumerate(chapter.names.ceiling(T), start=1):
        right = 0
        for beginning in itertools.product((0, 1), repeat=t):
            wins = [2 * sum(v) > T for v in votes if v[:t] == beginning]
            right += max(sum(wins), len(wins) - sum(wins))
        assert line == pytest.approx(right / len(votes))
    assert chapter.names.ceiling(T)[-1] == pytest.approx(1)


def test_every_count_stands_there_once_with_its_winner(chapter):
    x, y = chapter.names.counts(5)
    assert x.shape == (5, 32, 1) and len(np.unique(x[..., 0], axis=1).T) == 32
    np.testing.assert_array_equal(y, np.tile(x.sum(axis=(0, 2)) > 0, (5, 1)))


def test_one_way_lies_on_the_ceiling_and_both_ways_at_one(chapter):
    ax = chapter.axes["votes-figure"][0]
    both, one, line = ax.lines[:5], ax.lines[5:10], ax.lines[10].get_ydata()
    for curve in one:
        shares = curve.get_ydata()
        assert (shares <= line + 1e-4).all(), "stored to four digits"
        assert (line - shares).max() < 0.05
    assert min(curve.get_ydata().min() for curve in both) > 0.98


def test_no_one_way_reader_is_above_the_ceiling_over_all_counts(chapter):
    """An untrained one neither: what is asked has not been read."""
    for seed in range(3):
        shares = chapter.names.right(chapter.names.Tagger(2, False, seed))
        assert (shares <= chapter.names.ceiling(15) + 1e-9).all()


def test_who_sees_what(chapter):
    one, both, ragged = chapter.names.panels.values()
    np.testing.assert_array_equal(one > 0, np.tri(8, dtype=bool))
    assert (both > 0).all()
    inside = np.zeros((8, 8), dtype=bool)
    inside[:5, :5] = True
    np.testing.assert_array_equal(ragged > 0, inside)


def test_two_readers_are_rnnlib_s_layer_on_other_numbers(chapter):
    rng = np.random.default_rng(3)
    layer = rnnlib.RNN(2, 3, bidirectional=True, seed=5)
    weights = layer.state_dict()
    x = rng.normal(size=(4, 2, 2))
    halves = []
    for end, array in (("", x), ("_reverse", x[::-1])):
        b = weights["bias_ih_l0" + end] + weights["bias_hh_l0" + end]
        pair = weights["weight_ih_l0" + end], weights["weight_hh_l0" + end]
        halves.append(chapter.names.read(array, *pair, b))
    y, _ = layer(x)
    mine = np.concatenate([halves[0], halves[1][::-1]], axis=2)
    np.testing.assert_allclose(mine, y, rtol=1e-12, atol=1e-13)


def test_the_forecast_that_looks_perfect_is_no_forecast(chapter):
    names = chapter.names
    x, asked = names.series(3000, np.random.default_rng(41))
    errors = {name: model(x) - asked for name, model in names.forecasters.items()}
    one, both = errors["one way"], errors["both ways"]
    assert names.rms(both[:-1]) < 0.2, "better than the noise allows"
    assert names.rms(both) < names.rms(one) / 3
    assert names.rms(both[-1]) > 0.93 and names.rms(one[-1]) > 0.93
    assert 0.93 < names.rms(one) < 1.07


def test_the_series_is_what_the_text_says(chapter):
    x, asked = chapter.names.series(4000, np.random.default_rng(8))
    noise = asked - 0.8 * x
    assert noise.std() == pytest.approx(1, abs=0.02)
    assert x.std(axis=(1, 2)) == pytest.approx(np.full(30, 1 / 0.6), abs=0.1)
    np.testing.assert_array_equal(x[1:], asked[:-1])


@pytest.mark.parametrize("seed", [11, 12])
def test_padded_is_packed_is_one_by_one(chapter, seed):
    """The chapter's own cells, with other numbers in them."""
    source = chapter.source("equal")
    assert source.count("default_rng(2)") == 1
    scope = {"np": np, "rnnlib": rnnlib, "torch": torch, "print": lambda *_: None}
    source = source.replace("default_rng(2)", f"default_rng({seed})")
    for cell, other in ((source, "alone"), (chapter.source("packed-torch"), "packed")):
        exec(cell, scope)
        for mine, theirs in zip((scope["y"], scope["h_n"], scope["dx"]), scope[other], strict=True):
            assert abs(mine).max() > 0.1 and abs(mine - theirs).max() < 1e-12
        assert len(scope["agree"]) == 16 and all(scope["agree"])


def test_the_digits_are_cut_off_and_split(chapter):
    ink, shown = digits.pictures()
    parts = digits.split(ink, shown, fewest=4, seed=3)
    assert [len(y) for _, _, y in parts] == [987, 270, 540]
    whole = digits.split(ink, shown, seed=3)
    for (x, lengths, y), (uncut, full, same) in zip(parts, whole, strict=True):
        np.testing.assert_array_equal(y, same)
        assert (full == 64).all() and set(lengths) == {32, 40, 48, 56, 64}
        counts = np.arange(64)[:, None] < lengths
        np.testing.assert_array_equal(x[..., 0], np.where(counts, uncut[..., 0], 0))
    with pytest.raises(ValueError, match="fewest is 9"):
        digits.split(ink, shown, fewest=9)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("pool", ["last", "mean"])
def test_the_right_reader_answers_in_any_company_alike(chapter, both, pool):
    model = chapter.names.Reader(both, pool, None, seed=1)
    x, lengths, _ = (
        part[..., :20, :] if part.ndim == 3 else part[:20] for part in chapter.names.test
    )
    logits = model((x, lengths))
    spoiled = x.copy()
    for b, n in enumerate(lengths):
        spoiled[n:, b] = 7
        alone = model((x[:n, b : b + 1], lengths[b : b + 1]))
        np.testing.assert_allclose(alone[0], logits[b], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model((spoiled, lengths)), logits, rtol=1e-6, atol=1e-7)


def test_padding_leaks_only_where_it_is_read_before_the_answer(chapter):
    found = chapter.experiment["faults"]
    for name, entry in found.items():
        np.testing.assert_allclose(entry["right"], entry["alone"], atol=0.004)
        leaked = np.mean(entry["right"]) - np.mean(np.array(entry["no lengths"])[:, 0])
        assert abs(leaked) < 0.004 if name.startswith("one way") else leaked > 0.05


def test_the_last_place_costs_most(chapter):
    found = chapter.experiment["faults"]
    for name, most in (("one way, last", 0.6), ("both ways, last", 0.3)):
        right, wrong = found[name]["right"], np.array(found[name]["out[-1]"])
        assert min(right) > 0.75 and wrong.max() < most
    for name in ("one way, mean", "both ways, mean"):
        entry = found[name]
        divided, careless = (np.array(entry[key]) for key in ("divide by T", "mean over all"))
        assert abs(divided[:, 0] - entry["right"]).max() < 0.03, "hardly any"
        assert (careless[:, 0] < entry["right"]).all()


def test_a_fault_hides_in_company_and_shows_alone(chapter):
    trained = chapter.experiment["trained"]
    for name in ("one way, last: out[-1]", "both ways, last: out[-1]"):
        company, alone = (np.array(trained[name][key]) for key in ("company", "alone"))
        assert (company > alone + 0.25).all()
    assert min(trained["one way, last: out[-1]"]["company"]) > 0.7
    harmless = trained["both ways, last: no lengths"]
    assert abs(np.subtract(harmless["company"], harmless["alone"])).max() < 0.03
    right = chapter.experiment["faults"]["one way, mean"]["right"]
    assert max(trained["one way, mean: divide by T"]["company"]) < min(right)
    careless = np.array(trained["one way, mean: mean over all"]["company"])
    assert (careless > right).sum() == 4


def test_a_second_layer_bought_nothing_that_five_seeds_show(chapter):
    found = chapter.experiment["depth"]
    sizes = [entry["parameters"] for entry in found.values()]
    assert max(sizes) < 1.1 * min(sizes)
    assert len({len(entry["tuning"]["tried"]) for entry in found.values()}) == 1
    base = np.array(found["one layer"]["test"])
    for name in ("two layers", "both ways"):
        gain = np.array(found[name]["test"]) - base
        half = 2.776 * gain.std(ddof=1) / np.sqrt(len(gain))
        assert gain.mean() - half < 0 < gain.mean() + half
    assert np.mean(found["both ways"]["test"]) > base.mean()


# The quiz


def test_answer_1(chapter):
    assert chapter.names.ceiling(5)[3] == pytest.approx(13 / 16)


def test_answer_2():
    """The leads of both halves, added, count the vote at this step twice."""
    for votes in itertools.product((-1, 1), repeat=5):
        lead = sum(votes)
        for t, vote in enumerate(votes):
            both = sum(votes[: t + 1]) + sum(votes[t:])
            assert both == lead + vote
            if both == 0:
                assert abs(lead) == 1 and vote == -lead


def test_answer_4():
    plan = rnnlib.sequences.packing(4, 3, [4, 1, 3])
    assert plan.sizes == [3, 2, 2, 1] and sum(plan.sizes) == 8
    assert sorted(plan.order[: plan.sizes[2]].tolist()) == [0, 2]


def test_answer_5():
    layer = rnnlib.RNN(2, 3, bidirectional=True, seed=0)
    x = np.random.default_rng(0).normal(size=(5, 1, 2))
    other = x.copy()
    other[:-1] += 1
    y, _ = layer(x)
    moved, _ = layer(other)
    np.testing.assert_allclose(y[-1, :, 3:], moved[-1, :, 3:], rtol=1e-12)
    assert abs(y[-1, :, :3] - moved[-1, :, :3]).max() > 0.01


def test_answer_6():
    losses = np.zeros((10, 2))
    losses[:, 0] = losses[:2, 1] = 1
    assert losses.mean() == pytest.approx(0.6)
