"""Chapter 04: a fair test of text, what counting and networks reach on it, what is written."""

import itertools

import numpy as np
import pytest

from rnnlib.activations import softmax
from rnnlib.data import text


def bits(chapter, name, part="test"):
    return np.array(chapter.experiment[name][part])


def test_repeats_flatter_a_model_that_counts(chapter):
    """The first table: the same n-gram, with and without what stands twice."""
    names = chapter.names
    assert names.shared(names.parts["test"], names.parts["train"]) < 0.01
    three = names.in_three(names.told)
    assert names.shared(three["test"], three["train"]) > 0.3
    fair = names.ngram_bits.mean()
    ngram = names.KneserNey(10, names.V).fit(text.encode(three["train"])[:, None])
    flattered = names.ngram_surprise(ngram, text.encode(three["test"])).mean()
    assert flattered < fair - 0.5


def test_a_text_s_bits_are_the_mean_over_all_its_characters_but_the_first(chapter):
    names = chapter.names
    for model_bits in (names.lstm_bits, names.ngram_bits):
        assert model_bits.shape == (len(names.codes["test"]) - 1,)
    code = names.codes["test"][:301]
    whole = names.surprise(names.lstm, code)
    state, each = None, []
    for came, comes in itertools.pairwise(code):
        logits, state = names.lstm(np.array([[came]]), state)
        each.append(-np.log2(softmax(logits[0, 0])[comes]))
    np.testing.assert_allclose(whole, each, rtol=1e-3, atol=1e-3)


def test_one_network_does_not_beat_counting_and_three_together_do(chapter):
    stored = chapter.experiment
    counted, ensemble = stored["ngrams"]["Kneser-Ney"]["test"], stored["ensemble"]["LSTM"]
    assert bits(chapter, "RNN").min() > bits(chapter, "LSTM").max() > counted
    assert ensemble["test"][0] < counted - 0.01
    assert ensemble["validation"][0][-1] < min(stored["ngrams"]["Kneser-Ney"]["validation"]) - 0.01
    for name in ("RNN", "LSTM"):
        assert stored["ensemble"][name]["test"][0] < bits(chapter, name).min() - 0.05
        assert stored["ensemble"][name]["seeds"] == [stored[name]["seeds"]]


def test_a_larger_network_with_dropout_draws_level_with_counting(chapter):
    larger, counted = chapter.experiment["larger"], chapter.experiment["ngrams"]["Kneser-Ney"]
    assert max(larger["test"]) < bits(chapter, "LSTM").min() - 0.1
    assert abs(np.mean(larger["test"]) - counted["test"]) < 0.01
    apart = np.mean([one[-1] for one in larger["validation"]]) - min(counted["validation"])
    assert abs(apart) < 0.01
    assert max(larger["mixed"]) < min(*larger["test"], counted["test"]) - 0.03


def test_a_network_and_an_n_gram_together_beat_either(chapter):
    counted, ensemble = (
        chapter.experiment[name][kind]
        for name, kind in (("ngrams", "Kneser-Ney"), ("ensemble", "LSTM"))
    )
    mixed = bits(chapter, "mixed")
    assert mixed.max() < min(counted["test"], bits(chapter, "LSTM").min()) - 0.03
    assert ensemble["mixed"][0] < min(mixed.min(), ensemble["test"][0]) - 0.01


def test_the_lstm_knows_its_training_text_better(chapter):
    assert (bits(chapter, "LSTM", "train") < bits(chapter, "LSTM") - 0.2).all()


def test_the_baselines_were_tuned_on_the_validation_text(chapter):
    stored = chapter.experiment
    orders = stored["settings"]["orders"]
    kneser_ney = stored["ngrams"]["Kneser-Ney"]
    assert kneser_ney["order"] == orders[int(np.argmin(kneser_ney["validation"]))]
    witten_bell = stored["ngrams"]["Witten-Bell"]
    best = min(witten_bell["tuning"], key=lambda entry: entry[2])
    assert [witten_bell["order"], witten_bell["strength"]] == best[:2]
    strengths = stored["settings"]["strengths"]
    assert strengths[0] < best[1] < strengths[-1], "the best strength lies at the end of the list"


def test_longer_contexts_help_the_n_gram_up_to_about_ten(chapter):
    by_order = chapter.experiment["ngrams"]["Kneser-Ney"]["validation"]
    assert sorted(by_order, reverse=True)[:6] == by_order[:6]
    assert abs(by_order[-1] - by_order[-3]) < 0.02


def test_the_rnn_stops_profiting_before_the_lstm(chapter):
    ends = chapter.experiment["settings"]["read_since"]
    rnn, lstm = (
        np.mean(chapter.experiment["reach"][name]["bits"], axis=0) for name in ("RNN", "LSTM")
    )
    gain = {name: each[ends.index(16)] - each[-1] for name, each in (("r", rnn), ("l", lstm))}
    assert gain["l"] > gain["r"] + 0.05
    assert abs(lstm[ends.index(64)] - lstm[-1]) < 0.05, "flat after about thirty characters"


def test_training_teaches_words(chapter):
    after = chapter.experiment["texts"]["after"]
    shares = [np.mean(entry["known_words"]) for entry in after.values()]
    assert shares == sorted(shares) and shares[0] < 0.1 and shares[-1] > 0.6


def test_a_low_temperature_writes_known_words_and_a_high_one_does_not(chapter):
    entries = chapter.experiment["texts"]["temperature"].values()
    shares = [np.mean(entry["known_words"]) for entry in entries]
    assert shares == sorted(shares, reverse=True)
    cold, *_, hot = shares
    held_out = np.mean(chapter.experiment["texts"]["held out"]["known_words"])
    assert hot < held_out < cold


def test_it_copies_no_more_than_the_authors_do(chapter):
    texts = chapter.experiment["texts"]
    ours = np.concatenate([entry["copied"] for entry in texts["temperature"].values()])
    theirs = np.array(texts["held out"]["copied"])
    assert np.median(ours) < 1.5 * np.median(theirs)
    names = chapter.names
    span = names.parts["train"][3][40:140]
    assert names.longest_copied("@@" + span + "@@") >= 100
    assert names.longest_copied("@@@@@@@@") < 8


def test_known_words_are_counted(chapter):
    assert chapter.names.known_words("array xqzzy array of") == pytest.approx(2 / 3)
    assert chapter.names.known_words("a b") == 0


def test_a_word_s_first_letter_costs_most(chapter):
    names = chapter.names
    for each in (names.lstm_bits, names.ngram_bits):
        means = [each[where].mean() for where in names.groups.values()]
        assert means[0] == max(means) and means[0] > 2 * means[1]
        assert means[3] == min(means)
    (ax,) = chapter.axes["passage"]
    grounds = [patch.get_alpha() for patch in ax.patches]
    where = slice(names.start, names.end)
    shown = [
        min(value / 8, 1) * 0.85
        for value, character in zip(names.lstm_bits[where], names.test_text[where], strict=True)
        if character != "\n"
    ]
    np.testing.assert_allclose(grounds, shown, rtol=1e-5)


def test_the_curves_are_those_of_the_file(chapter):
    (ax,) = chapter.axes["curves"]
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    for name in ("RNN", "LSTM"):
        np.testing.assert_allclose(drawn[name], bits(chapter, name, "validation").mean(axis=0))
    (larger,) = chapter.experiment["larger"]["validation"]
    np.testing.assert_allclose(drawn["larger, dropout"], larger)
    (together,) = chapter.experiment["ensemble"]["LSTM"]["validation"]
    np.testing.assert_allclose(drawn["three LSTMs together"], together)
    best = min(chapter.experiment["ngrams"]["Kneser-Ney"]["validation"])
    assert set(drawn["n-gram, Kneser-Ney"]) == {best}


def test_every_epoch_is_in_the_file_and_none_besides(chapter):
    for name, kind in chapter.experiment["settings"]["models"].items():
        assert {len(one) for one in chapter.experiment[name]["validation"]} == {kind["epochs"]}
        assert len(chapter.experiment[name]["test"]) == len(kind["seeds"])
    larger = chapter.experiment["settings"]["larger"]
    assert {len(one) for one in chapter.experiment["larger"]["validation"]} == {larger["epochs"]}


def test_answers_1_and_2():
    gradient = np.array([7 / 8, 1 / 8]) - [0, 1]
    assert gradient[1] == -7 / 8 and gradient.sum() == 0
    assert 2 * 1000 / 8 == 250 and 2**2 == 4
