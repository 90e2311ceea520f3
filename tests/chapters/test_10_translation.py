"""Chapter 10: order beyond a dictionary, the bottleneck, attention, and what wide beams cost."""

import numpy as np
import pytest

import rnnlib
from rnnlib.activations import softmax
from rnnlib.data import dates


def test_no_date_can_be_right_word_for_word(chapter):
    names = chapter.names
    for source, target in dates.pairs(300, [1], seed=30):
        written = names.by_dictionary(source)
        if source[-1].isdigit():
            assert written != target
            both = (dates.split(text.replace(",", ""), "hu") for text in (written, target))
            assert sorted(next(both)) == sorted(next(both)), "the words are all there"
    assert 0.6 < names.right[~names.is_date].mean() < 0.9


def test_attention_is_right_up_to_the_longest_texts_of_training_and_not_beyond(chapter):
    listed = chapter.experiment["settings"]["things_listed"]
    shares = np.array(chapter.experiment["attention"]["exact"])
    assert shares[:, :2].min() >= 0.99, "dates and numbers never seen"
    assert shares[:, : len(listed)].min() > 0.95
    assert shares[:, len(listed)].max() < 0.5


@pytest.mark.parametrize("kind", ["bottleneck", "reversed"])
def test_without_attention_the_score_falls_with_each_thing(chapter, kind):
    shares = np.array(chapter.experiment[kind]["exact"])
    assert (np.diff(shares[:, :3]) < -0.05).all()
    assert shares[:, 2:].max() < 0.1


def test_the_fall_is_no_lack_of_training(chapter):
    longer, settings = chapter.experiment["longer"], chapter.experiment["settings"]
    assert longer["updates"] == 4 * settings["updates"]
    one, two, three, *_ = longer["exact"]
    assert one > 0.95 and two < 0.5 and three < 0.1


def test_the_rivals_have_as_many_parameters_trials_and_updates(chapter):
    entries = [chapter.experiment[kind] for kind in ("attention", "bottleneck", "reversed")]
    sizes = [entry["parameters"] for entry in entries]
    assert max(sizes) / min(sizes) < 1.02
    tried = [entry["tuning"]["tried"] for entry in entries]
    assert [len(rates) for rates in tried] == [3, 3, 3]
    assert len({tuple(rates) for rates in tried}) == 1
    assert len({np.shape(entry["loss"]) for entry in entries}) == 1


def test_behind_the_first_mistake_own_words_are_worse_than_right_ones(chapter):
    names = chapter.names
    for n in (2, 3, 4):
        pairs = dates.pairs(60, [n], [31, n], test=True)
        targets, forced, free = names.forced_and_free(names.one_arrow, pairs, reverse=True)
        counts = targets >= 0
        wrong = np.cumsum((forced != targets) & counts, axis=0) > 0
        assert ((forced == free) | wrong)[counts].all(), "up to there both read the same"
        behind = counts[1:] & wrong[:-1]
        shares = [(some == targets)[1:][behind].mean() for some in (forced, free)]
        assert shares[0] > shares[1] + 0.1


def test_the_gradients_by_hand_are_rnnlib_s_on_other_numbers(chapter):
    rng = np.random.default_rng(0)
    for T_k, H in ((1, 1), (2, 3), (5, 4)):
        m, h, g = rng.normal(size=(T_k, H)), rng.normal(size=H), rng.normal(size=H)
        alpha = softmax(m @ h)
        reward = m @ g
        de = alpha * (reward - alpha @ reward)  # the chapter's formula
        attention = rnnlib.DotAttention()
        attention(h[None, None], m[:, None], m[:, None])
        dh, dkeys, dvalues = attention.backward(g[None, None])
        np.testing.assert_allclose(dh[0, 0], de @ m, rtol=1e-10, atol=1e-12)
        dm = np.outer(alpha, g) + np.outer(de, h)
        np.testing.assert_allclose((dkeys + dvalues)[:, 0], dm, rtol=1e-10, atol=1e-12)
    assert "de = alpha * (reward - alpha @ reward)" in chapter.source("backward")


def test_each_word_looks_at_the_word_that_it_is_made_from(chapter):
    names = chapter.names
    (ax,) = chapter.axes["map"]
    np.testing.assert_allclose(ax.images[0].get_array(), names.weights)
    np.testing.assert_allclose(names.weights.sum(axis=1), 1, rtol=1e-5)
    for source in ("Friday, January 5, 2024", "Tuesday, May 17, 1955", "Sunday, June 9, 2069"):
        english, hungarian, weights = names.looks(source)
        seen = dict(zip(hungarian, (english[row.argmax()] for row in weights), strict=True))
        for of in (dates.MONTHS, dates.WEEKDAYS):
            (word,) = set(of["hu"]) & set(hungarian)
            assert of["hu"].index(word) == of["en"].index(seen[word])


def test_behind_the_end_of_training_things_are_left_out(chapter):
    assert np.mean(chapter.names.fewer) > 0.8


def test_a_wider_beam_is_likelier_and_shorter_and_not_better(chapter):
    names = chapter.names
    widths = (4, 16, 64)
    for penalty in (0, 1):
        found = {width: names.by_beam(width, penalty) for width in widths}
        log_p = [np.mean([one.log_p for one in found[width]]) for width in widths]
        words = [np.mean([len(one.tokens) for one in found[width]]) for width in widths]
        assert (np.diff(log_p) > 0.5).all() and (np.diff(words) < -0.5).all()
        texts = [names.translations[penalty, width] for width in widths]
        bleu = [names.metric.corpus_score(some, [names.references]).score for some in texts]
        assert (np.diff(bleu) < -0.3).all()


def test_a_beam_of_one_is_greedy(chapter):
    names = chapter.names
    sources = [pair.source for pair in names.exam[3]]
    assert names.translations[0, 1] == names.translate(names.one_arrow, sources, reverse=True)


def test_the_signature_names_how_bleu_was_counted(chapter):
    signature = str(chapter.names.metric.get_signature())
    assert signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp")
    text = "".join(o.get("text", "") for o in chapter.outputs("bleu"))
    assert signature.rpartition("|")[0] in text


def test_torch_computes_the_same(chapter):
    assert chapter.names.apart < 0.001 and chapter.names.same > 0.99
