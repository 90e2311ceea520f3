"""The standard drawings hold what they are asked to show."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

from rnnlib import plot


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_the_loop_and_the_chain_carry_the_same_weights(ax):
    plot.rolled(ax, T=3)
    assert texts(ax).count("$W_x$") == texts(ax).count("$W_y$") == 4
    assert texts(ax).count("$W_h$") == 3  # two arrows between three cells, and the loop


def test_each_word_s_answer_is_the_next_word(ax):
    plot.shifted(ax, ["off", "to", "the", "park"])
    assert texts(ax)[2:] == ["off", "to", "to", "the", "the", "park"]
    heights = {text.get_position()[1] for text in ax.texts if text.get_text() in ("off", "park")}
    assert len(heights) == 2


def test_one_word_has_nothing_to_guess(ax):
    with pytest.raises(ValueError, match="two entries"):
        plot.shifted(ax, ["off"])


def test_only_the_recurrent_layer_feeds_itself(ax):
    parts = [("embedding", "(T, B, I)", "input"), ("RNN", "(T, B, H)", "state")]
    plot.layers(ax, parts)
    without = len(ax.texts)
    plot.layers(ax, parts, loop=1)
    assert len(ax.texts) == 2 * without + 1
