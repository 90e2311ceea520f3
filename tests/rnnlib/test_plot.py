"""The standard drawings hold what they are asked to show."""

import itertools

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


def test_labels_stand_at_the_ends_of_lines_in_their_order_and_apart():
    figure, ax = plt.subplots()
    ends = {"top": 1.0, "third": 0.502, "second": 0.501, "first": 0.5}
    for name, end in ends.items():
        ax.plot([1, 2], [0, end], label=name)
    ax.plot([1, 2], [0, 0.2])
    plot.label_ends(ax)
    figure.draw_without_rendering()
    boxes = {text.get_text(): text.get_window_extent() for text in ax.texts}
    assert sorted(boxes, key=lambda name: boxes[name].y0) == list(ends)[::-1]
    for one, other in itertools.combinations(boxes.values(), 2):
        assert not one.overlaps(other)
    end = ax.transData.transform([(2, height) for height in (1.0, 0.501)])
    for name, (x, y) in zip(("top", "second"), end, strict=True):
        assert abs((boxes[name].y0 + boxes[name].y1) / 2 - y) < 3 and x < boxes[name].x0 < x + 20
    plt.close(figure)
