"""What chapter 01 says: the best possible guess, its claims over the distance, its weights."""

import itertools
import json

import numpy as np
import pytest
import record

from rnnlib import softmax
from rnnlib.checkpoints import dequantize
from rnnlib.data import storybook
from rnnlib.data.storybook import PLACES, REASONS, SILENT, TOLD, VOCABULARY
from rnnlib.ngrams import NGram

STORED = json.loads((record.EXPERIMENTS / "01_storybook.json").read_text(encoding="utf-8"))
MODELS = STORED["settings"]["models"]
DISTANCE = STORED["exam"]["distance"]


def all_stories():
    """Every (probability, reason, place) of the grammar; all else is independent of them."""
    for place, p in PLACES.items():
        yield p * SILENT, None, place
        for reason, q in REASONS[place].items():
            yield p * (1 - SILENT) * q, reason, place


def best_reader():
    """Accuracy and bits of who knows the reason, over all stories that give one."""
    told = [one for one in all_stories() if one[1] is not None]
    each = [[p for p, reason, _ in told if reason == this] for this in TOLD]
    mass = sum(map(sum, each))
    bits = sum(-p * np.log2(p / sum(these)) for these in each for p in these)
    return {"accuracy": sum(map(max, each)) / mass, "bits": bits / mass}


BEST = best_reader()
FORGETFUL = {
    "accuracy": max(PLACES.values()),
    "bits": -sum(p * np.log2(p) for p in PLACES.values()),
}


def scores(name, what="accuracy"):
    """(seeds, distances) of a model."""
    return np.array(STORED[name][what])


def at(*distances):
    return [DISTANCE.index(distance) for distance in distances]


def exam(chapter, distance):
    filler = STORED["settings"]["filler_words"][DISTANCE.index(distance)]
    count, seed = STORED["settings"]["fillers_per_distance"], STORED["settings"]["exam_seed"]
    return chapter.names.exam_after(filler, count, [seed, filler])


# The best possible guess, and the marks


def test_the_two_readers_get_what_enumerating_all_stories_gives(chapter):
    assert chapter.names.best == pytest.approx(list(BEST.values()), rel=1e-12)
    assert chapter.names.forgetful == pytest.approx(list(FORGETFUL.values()), rel=1e-12)


def test_no_prediction_beats_the_best_score(chapter):
    best = np.array([storybook.posterior(reason) for reason in TOLD])
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = best + rng.uniform(0, 0.5, best.shape)
        accuracy, bits = chapter.names.score(other / other.sum(axis=1, keepdims=True), TOLD)
        assert accuracy <= BEST["accuracy"] + 1e-12
        assert bits > BEST["bits"]


def test_scores_weigh_reasons_as_the_grammar_tells_them(chapter):
    p = np.random.default_rng(0).dirichlet(np.ones(len(VOCABULARY)), size=len(TOLD))
    each = np.array(
        [chapter.names.score(row[None], [told]) for row, told in zip(p, TOLD, strict=True)]
    )
    often = [sum(q for q, r, _ in all_stories() if r == reason) for reason in TOLD]
    assert chapter.names.score(p, TOLD) == pytest.approx(np.average(each, axis=0, weights=often))
    # not as often as they stand in the exam
    again = chapter.names.score(np.concatenate([p, p[:1]]), [*TOLD, TOLD[0]])
    assert again == pytest.approx(chapter.names.score(p, TOLD))
    mixed = chapter.names.score(p[:2], [None, TOLD[0]])
    silent = [SILENT, sum(q for q, r, _ in all_stories() if r == TOLD[0])]
    both = [chapter.names.score(p[:1], [None]), chapter.names.score(p[1:2], [TOLD[0]])]
    assert mixed == pytest.approx(np.average(both, axis=0, weights=silent))
    full = np.zeros((1, len(VOCABULARY)))
    full[:, storybook.PLACE_WORDS] = 0.5 * storybook.posterior("my hair is long")
    full[0, storybook.INDEX["so"]] = 0.5
    assert chapter.names.score(full, ["my hair is long"]) == pytest.approx((1, 1))
    full[0, storybook.INDEX["so"]] = 0.6  # another word is likelier than any place
    assert chapter.names.score(full, ["my hair is long"])[0] == 0


def test_an_exam_asks_every_reason_before_the_same_filler(chapter):
    tests = chapter.names.exam_after(8, count=3, seed=0)
    assert [one.reason for one in tests] == list(TOLD) * 3
    assert {one.distance for one in tests} == {14}
    for group in range(3):
        rows = tests[group * len(TOLD) : (group + 1) * len(TOLD)]
        assert len({one.words[5:13] for one in rows}) == 1
    assert {one.words[-6:-1] for one in tests} == {tuple(storybook.FRAMES[0].split())}


def every_filler(words):
    if words == 0:
        yield ()
    for length, slots in storybook.PHRASES.items():
        if length <= words:
            for phrase in itertools.product(*slots):
                for rest in every_filler(words - length):
                    yield (*" ".join(phrase).split(), *rest)


@pytest.mark.parametrize("words", [0, 1, 2, 3, 4])
def test_counting_fillers_equals_listing_them(chapter, words):
    listed = list(every_filler(words))
    assert all(len(one) == words for one in listed)
    assert len(set(listed)) == len(listed) == chapter.names.fillers(words)


# The claims, over every seed


def test_nothing_beats_the_best_possible_guess():
    runs = [scores(name) for name in MODELS]
    runs.append(np.array(STORED["ngrams"]["accuracy"]))
    for accuracy in runs:
        assert accuracy.max() <= BEST["accuracy"] + 1e-4
    for name in MODELS:
        assert scores(name, "bits").min() >= BEST["bits"] - 1e-4


def test_near_the_rnn_is_close_to_the_best_and_beats_every_ngram():
    near = at(6, 7, 8, 9, 10)
    assert scores("RNN")[:, near].min() > BEST["accuracy"] - 0.08
    ngrams = np.array(STORED["ngrams"]["accuracy"])  # (orders, distances)
    assert len(ngrams) == 16
    several = at(8, 9, 10)
    assert (scores("RNN")[:, several].min(axis=0) > ngrams[:, several].max(axis=0) + 0.2).all()


def test_far_the_rnn_has_lost_more_than_half_of_what_there_is_to_know():
    known = (scores("RNN") - FORGETFUL["accuracy"]) / (BEST["accuracy"] - FORGETFUL["accuracy"])
    assert known[:, at(6, 8, 10)].min() > 0.85
    assert known[:, at(26, 31, 36, 42)].mean(axis=0).max() < 0.5
    assert known[:, at(26, 31, 36, 42)].max() < 0.65  # not with the luckiest seed either
    halfway = (BEST["bits"] + FORGETFUL["bits"]) / 2
    assert scores("RNN", "bits").mean(axis=0)[at(26, 42)].min() > halfway


def test_the_lstm_of_the_same_size_is_close_to_the_best_at_every_distance():
    assert scores("LSTM").min() > BEST["accuracy"] - 0.08
    assert scores("LSTM").mean(axis=0).min() > BEST["accuracy"] - 0.04
    sizes = [MODELS[name]["hidden"] for name in ("RNN", "LSTM")]
    assert sizes[0] == sizes[1]


def test_a_window_ends_where_it_ends():
    window = scores("window of 12")
    assert window[:, at(6, 7, 8, 9)].min() > BEST["accuracy"] - 0.05
    assert window[:, at(12, 14, 16, 26, 42)].max() < FORGETFUL["accuracy"] + 0.03
    assert abs(scores("one word") - FORGETFUL["accuracy"]).max() < 0.01
    assert scores("one word", "bits").min() > FORGETFUL["bits"]


def test_ten_times_the_stories_move_the_ngrams_ceiling_by_a_word_or_two_only():
    few = np.array(STORED["ngrams"]["accuracy"])[11]
    many = np.array(STORED["ngrams_ten_times_the_stories"]["accuracy"])[11]
    assert (many >= few - 0.03).all()
    assert many[at(8)[0]] > few[at(8)[0]]
    assert many[DISTANCE.index(12) :].max() < FORGETFUL["accuracy"] + 0.03


def test_troubles_erase_and_harmless_words_wear_the_rnn_s_memory_and_not_the_lstm_s():
    quiet, troubled = scores("RNN", "quiet"), scores("RNN", "troubled")  # (seeds, lengths)
    assert (quiet[:, 0] > troubled[:, 0]).all() and (quiet - troubled)[:, 0].mean() > 0.1
    assert (quiet[:, 0] > quiet[:, -1]).all() and (quiet[:, 0] - quiet[:, -1]).mean() > 0.1
    both = np.concatenate([scores("LSTM", "quiet"), scores("LSTM", "troubled")])
    assert both.min() > BEST["accuracy"] - 0.03


def test_a_wider_rnn_remembers_for_longer():
    wide, rnn = scores("RNN, 128 units").mean(axis=0), scores("RNN").mean(axis=0)
    assert (wide[at(16, 26, 42)] > rnn[at(16, 26, 42)]).all()
    sizes = [STORED[name]["parameters"] for name in ("RNN, 128 units", "LSTM")]
    assert sizes[0] > sizes[1]


# The stored numbers are what the code computes


@pytest.mark.parametrize("order", [1, 3, 8, 12, 16])
def test_stored_ngram_scores_are_computed_again(chapter, order):
    settings, stored = STORED["settings"], STORED["ngrams"]
    _, y = storybook.encode(storybook.stories(settings["stories"], settings["stories_seed"]))
    k = settings["orders"].index(order)
    model = NGram(order, len(VOCABULARY), stored["strength"][k]).fit(y)
    for distance in (6, 7, 8, 10, 22):
        tests = exam(chapter, distance)
        x, _ = storybook.encode(tests)
        score = chapter.names.score(model.predict(x), [one.reason for one in tests])
        d = DISTANCE.index(distance)
        expected = (stored["accuracy"][k][d], stored["bits"][k][d])
        assert score == pytest.approx(expected, abs=6e-5)
        assert model.seen(x).mean() == pytest.approx(stored["seen"][k][d], abs=6e-5)


def test_the_figure_s_weights_score_what_is_stored_for_the_first_rnn(chapter):
    """Also that 16 bits are enough: rounding the weights changes no score by half a point."""
    figure = json.loads((record.FIGURES / "next-word.json").read_text(encoding="utf-8"))
    model = chapter.names.NextWord(len(VOCABULARY), I=32, H=64, seed=0)
    model.load_state_dict(dequantize(figure["weights"]))
    for d, distance in enumerate(DISTANCE):
        tests = exam(chapter, distance)
        x, _ = storybook.encode(tests)
        p = softmax(model(x)[-1])
        accuracy, bits = chapter.names.score(p, [one.reason for one in tests])
        assert accuracy == pytest.approx(scores("RNN")[0, d], abs=0.005)
        assert bits == pytest.approx(scores("RNN", "bits")[0, d], abs=0.01)


def test_the_sizes_that_are_stored_are_those_of_the_models():
    V, I, H = len(storybook.VOCABULARY), 32, 64
    for name, gates in (("RNN", 1), ("LSTM", 4)):
        size = V * I + gates * (H * I + H * H + 2 * H) + V * H + V
        assert STORED[name]["parameters"] == size


def test_each_model_was_given_its_own_best_learning_rate():
    for name in MODELS:
        tuning = STORED[name]["tuning"]
        bits = tuning["validation_bits"]
        assert len(bits) >= 3
        assert tuning["learning_rate"] == float(min(bits, key=bits.get))
    assert len(STORED["ngrams"]["strength"]) == len(STORED["settings"]["orders"])


# The chapter shows the experiment


def test_the_chapter_and_the_experiment_read_the_same_stories(chapter):
    settings = STORED["settings"]
    told = f"storybook.stories({settings['stories']:_}, seed={settings['stories_seed']})"
    assert told in chapter.source("stories")
    count, seed = settings["fillers_per_distance"], settings["exam_seed"]
    assert f"exam_after(n, count={count}, seed=[{seed}, n])" in chapter.source("exams")


def test_the_figure_plots_what_is_stored(chapter):
    axes = chapter.axes["distance-figure"]
    for ax, what, best_of in zip(axes, ("accuracy", "bits"), (max, min), strict=True):
        lines = {line.get_label(): line for line in ax.lines}
        for name in ("LSTM", "RNN", "window of 12"):
            np.testing.assert_array_equal(lines[name].get_xdata(), DISTANCE)
            mean = scores(name, what).mean(axis=0)
            np.testing.assert_allclose(lines[name].get_ydata(), mean, rtol=1e-12)
        columns = zip(*STORED["ngrams"][what], strict=True)
        best = [best_of(column) for column in columns]
        np.testing.assert_allclose(lines["best n-gram"].get_ydata(), best, rtol=1e-12)
        np.testing.assert_allclose(lines["best possible"].get_ydata(), BEST[what], rtol=1e-12)
        forgetful = lines["forgetful reader"].get_ydata()
        np.testing.assert_allclose(forgetful, FORGETFUL[what], rtol=1e-12)
