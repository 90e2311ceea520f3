"""A log that counts, a test that opens once, an interval, and a card made from them."""

import json
import re

import numpy as np
import pytest

from rnnlib import Trials, model_card, paired_interval, verdict


def filled(baseline=2, recurrent=2):
    trials = Trials(test="the test")
    for seed in range(baseline):
        trials.add("baseline", "ridge", {"k": 4}, seed, 0.5 + 0.1 * seed, 1, 5)
    for seed in range(recurrent):
        trials.add("recurrent", "GRU", {"H": 8, "lr": 0.01}, seed, 0.3, 100, 273, steps=32)
    return trials


def test_a_row_holds_what_was_said_and_goes_into_json():
    trials = filled()
    trials.add("baseline", "ridge", {"k": 2}, 0, 0.7, 1, 3, told=[1.0, 2.0])
    row = json.loads(json.dumps(trials.rows))[-1]
    assert row["settings"] == {"k": 2}
    assert row["told"] == [1.0, 2.0]
    assert row["steps"] == 1
    assert (trials.count("baseline"), trials.count("recurrent")) == (3, 2)


def test_a_row_keeps_its_settings_when_the_caller_s_change():
    settings, trials = {"k": 4}, Trials(None)
    trials.add("baseline", "ridge", settings, 0, 0.5, 1, 5)
    settings["k"] = 99
    assert trials.rows[0]["settings"] == {"k": 4}


def test_cost_is_updates_times_parameters_times_steps():
    trials = filled(2, 3)
    assert trials.cost("baseline") == 2 * 1 * 5
    assert trials.cost("recurrent") == 3 * 100 * 273 * 32


def test_the_choice_goes_by_the_mean_over_seeds_and_not_by_the_luckiest():
    trials = Trials(None)
    for settings, losses in (({"k": 2}, [0.1, 0.9]), ({"k": 4}, [0.4, 0.4]), ({"k": 8}, [0.45])):
        for seed, loss in enumerate(losses):
            trials.add("baseline", "window network", settings, seed, loss, 10, 33)
    best = trials.best("baseline")
    assert best["settings"] == {"k": 4}
    assert best["seeds"] == [0, 1]
    assert best["validation"] == pytest.approx(0.4)


def test_models_with_the_same_settings_are_not_thrown_together():
    trials = Trials(None)
    for cell, loss in (("RNN", 0.2), ("GRU", 0.6), ("RNN", 0.2)):
        trials.add("recurrent", cell, {"H": 8}, 0, loss, 10, 97, steps=4)
    assert trials.best("recurrent")["model"] == "RNN"
    assert trials.best("recurrent")["validation"] == pytest.approx(0.2)


def test_a_training_that_broke_down_is_a_trial_and_never_the_best():
    trials = filled()
    trials.add("recurrent", "LSTM", {"H": 8}, 0, np.inf, 3, 361, steps=32)
    assert trials.count("recurrent") == 3
    assert trials.best("recurrent")["model"] == "GRU"


def test_the_test_opens_once_and_ends_the_trials():
    trials = filled()
    assert trials.open_test() == "the test"
    with pytest.raises(RuntimeError, match="opened before"):
        trials.open_test()
    with pytest.raises(RuntimeError, match="no trial can be added"):
        trials.add("baseline", "ridge", {"k": 4}, 0, 0.1, 1, 5)
    assert trials.count("baseline") == 2


@pytest.mark.parametrize(("baseline", "recurrent"), [(0, 0), (1, 2), (3, 2), (0, 1)])
def test_the_test_stays_closed_while_one_side_has_had_more_trials(baseline, recurrent):
    trials = filled(baseline, recurrent)
    with pytest.raises(RuntimeError, match=rf"{baseline} trials .* {recurrent} of the recurrent"):
        trials.open_test()
    assert not trials.opened


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"side": "linear"}, "side is 'linear', but must be one of baseline, recurrent"),
        ({"validation": float("nan")}, "validation is not a number"),
        ({"updates": 0}, "updates must be a whole number of at least 1"),
        ({"parameters": 2.5}, "parameters must be a whole number"),
        ({"steps": -1}, "steps must be a whole number"),
    ],
)
def test_bad_rows_are_refused_and_nothing_is_added(changed, message):
    row = {"side": "baseline", "model": "ridge", "settings": {}, "seed": 0, "validation": 0.5}
    trials = Trials(None)
    with pytest.raises(ValueError, match=message):
        trials.add(**(row | {"updates": 1, "parameters": 2} | changed))
    assert trials.rows == []


def test_no_choice_without_trials():
    with pytest.raises(ValueError, match="no trials of the recurrent side"):
        filled(recurrent=0).best("recurrent")


# The interval


def test_of_one_seed_it_is_the_block_bootstrap_of_differences():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 1, 90))
    first = np.random.default_rng(5).integers(0, 90 - 7 + 1, (500, 13, 1))
    chosen = (first + np.arange(7)).reshape(500, -1)[:, :90]
    slow = np.quantile((a - b)[0][chosen].mean(axis=1), [0.025, 0.975])
    got = paired_interval(a, b, block=7, draws=500, seed=5)
    np.testing.assert_allclose(got, slow, rtol=1e-12)


def covered(S, spread, N=100, tries=150):
    """How often the interval holds the true gain of 0.5; seeds differ by `spread`."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(tries):
        hard = rng.exponential(size=N)  # examples are hard for both sides
        a, b = (
            hard + gain + spread * rng.normal(size=(S, 1)) + 0.3 * rng.normal(size=(S, N))
            for gain in (0.5, 0.0)
        )
        low, high = paired_interval(a, b, draws=200, seed=rng)
        hits += low <= 0.5 <= high
    return hits / tries


def test_it_covers_what_it_promises_when_seeds_differ_little():
    assert 0.88 <= covered(S=5, spread=0.0) <= 1.0


def test_many_seeds_cover_where_seeds_differ_and_one_seed_does_not():
    assert covered(S=20, spread=0.2) > 0.87
    assert covered(S=1, spread=0.2) < 0.5


def test_pairing_makes_it_narrow_where_examples_are_hard_for_both():
    rng = np.random.default_rng(0)
    hard = rng.exponential(size=500)
    a, b = hard + 0.1 + 0.05 * rng.normal(size=(2, 3, 500))
    low, high = paired_interval(a, b)
    shuffled = paired_interval(a, rng.permutation(b, axis=1))
    assert high - low < 0.3 * (shuffled[1] - shuffled[0])


def test_sides_may_have_different_numbers_of_seeds_and_change_places():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 60)), rng.normal(size=(1, 60))
    low, high = paired_interval(a, b, draws=4000)
    other_low, other_high = paired_interval(b, a, draws=4000, seed=9)
    assert low == pytest.approx(-other_high, abs=0.05)
    assert high == pytest.approx(-other_low, abs=0.05)


def test_the_order_of_the_examples_is_nothing_unless_in_blocks():
    t = np.arange(400)
    a = np.sin(t / 30)[None]  # neighbours are alike
    b = np.zeros_like(a)
    alone, blocks = paired_interval(a, b), paired_interval(a, b, block=100)
    assert blocks[1] - blocks[0] > 2 * (alone[1] - alone[0])


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        (np.zeros(5), np.zeros(5), {}, r"baseline has shape \(5,\), but shape \(S, N\)"),
        (np.zeros((2, 5)), np.zeros((2, 4)), {}, r"recurrent has shape \(2, 4\), but shape"),
        (np.zeros((2, 5), int), np.zeros((2, 5)), {}, "baseline has dtype int64"),
        (np.zeros((0, 5)), np.zeros((1, 5)), {}, "there is no loss"),
        (np.zeros((1, 5)), np.full((1, 5), np.nan), {}, "recurrent holds NaN"),
        (np.zeros((1, 5)), np.zeros((1, 5)), {"block": 6}, "block of 6 is longer"),
        (np.zeros((1, 5)), np.zeros((1, 5)), {"draws": 0}, "draws must be"),
    ],
)
def test_losses_that_do_not_fit_are_named(a, b, options, message):
    with pytest.raises(ValueError, match=message):
        paired_interval(a, b, **options)


# The word and the card


@pytest.mark.parametrize(
    ("low", "high", "worth", "word"),
    [
        (0.2, 0.5, 0.1, "yes"),
        (0.2, 0.5, 0.2, "not shown"),  # it only touches
        (0.2, 0.5, 0.3, "not shown"),
        (0.2, 0.5, 0.5, "no"),
        (-0.2, -0.1, 0.0, "no"),
        (0.0, 0.0, 0.0, "no"),
    ],
)
def test_the_word_needs_the_whole_interval(low, high, worth, word):
    assert verdict(low, high, worth) == word


def test_a_word_needs_numbers_in_order():
    with pytest.raises(ValueError, match="low is 2 and high is 1"):
        verdict(2, 1)
    with pytest.raises(ValueError, match="low is nan"):
        verdict(float("nan"), 1)
    with pytest.raises(ValueError, match="worth is not a number"):
        verdict(0, 1, float("nan"))


def card(**options):
    rng, trials = np.random.default_rng(0), filled()
    trials.open_test()
    a, b = 0.6 + 0.1 * rng.random((1, 50)), 0.2 + 0.1 * rng.random((3, 50))
    return model_card("The basin", trials, a, b, **options), a, b


def test_the_card_says_what_the_run_says():
    text, a, b = card(worth=0.05)
    gain, (low, high) = a.mean() - b.mean(), paired_interval(a, b)
    assert f"by {gain:.3g}, 95% interval {low:.3g} to {high:.3g}" in text
    assert "**Does the recurrent network pay? Yes.**" in text
    rows = dict(re.findall(r"^\| ([^|]+?) \| (.+) \|$", text, re.M))
    assert rows["chosen"] == "ridge, k 4 | GRU, H 8, lr 0.01"
    assert rows["trials"] == "2 | 2"
    assert rows["loss, test"] == f"{a.mean():.3g} | {b.mean():.3g}"
    assert rows["loss, validation"] == "0.55 | 0.3"
    assert "3, from" in rows["its seeds"]


def test_the_card_s_word_follows_what_is_worth_it():
    assert "pay? No.**" in card(worth=10.0)[0]


def test_the_author_s_lines_and_failures_stand_on_it():
    text, *_ = card(about={"Data": "made up"}, failures=["a dry year"])
    assert "**Data.** made up" in text
    assert "- a dry year" in text
    assert "Where it fails" not in card()[0]


def test_no_card_before_the_test():
    with pytest.raises(ValueError, match="has not been opened"):
        model_card("", filled(), np.zeros((1, 2)), np.zeros((1, 2)))
