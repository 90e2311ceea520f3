"""The page Speed: what it says in words holds in the benchmark's files."""

import pytest


@pytest.fixture(scope="module")
def ratio(chapter):
    return chapter.names.ratio  # of rnnlib's time to torch's: (layer, size, mode)


def test_the_lstm_is_the_hard_case_and_an_easy_one_where_lengths_differ(ratio):
    sizes = {size for _, size, _ in ratio if size[1] > 1}
    assert sizes
    for size in sizes:
        assert ratio["LSTM", size, "train"] > ratio["GRU", size, "train"]
        assert ratio["LSTM", size, "ragged"] < ratio["LSTM", size, "train"]


def test_in_a_batch_of_one_torch_s_lstm_stays_ahead(ratio):
    alone = [value for (layer, size, _), value in ratio.items() if layer == "LSTM" and size[1] == 1]
    assert alone and min(alone) > 1


def test_products_are_the_floor_and_the_loop_lies_above(chapter):
    for row in chapter.names.rows:
        if row["mode"] == "train":
            times = row["seconds"]
            assert times["floor"] < times["rnnlib"] < times["loop"]


def test_the_figure_shows_the_ratios_of_the_table(chapter, ratio):
    for ax, layer in zip(chapter.axes["ends"], ("RNN", "GRU", "LSTM"), strict=True):
        drawn = [points.get_offsets()[0][0] for points in ax.collections[1::3]]
        stored = [ratio[layer, size, "train"] for size in chapter.names.sizes]
        assert drawn == pytest.approx(stored)


def test_a_start_is_paid_once_and_marking_again_marks_nothing(chapter):
    marking = chapter.names.marking
    cost = [row["cpu"] / row["submissions"] for row in marking["growth"]]
    assert cost[0] == max(cost)
    assert marking["term"]["again_marked_nothing"] is True
