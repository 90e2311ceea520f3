"""The page Speed: what it says in words holds in the benchmark's files."""

import json
import shutil

import matplotlib.pyplot as plt
import pytest
from chapter import CHAPTERS


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
    alone = [
        value
        for (layer, size, mode), value in ratio.items()
        if layer == "LSTM" and size[1] == 1 and mode != "ragged"
    ]
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


@pytest.mark.parametrize("count", [1, 2])
def test_the_page_shows_whatever_instructions_were_measured(chapter, count, tmp_path, monkeypatch):
    measured = json.loads((CHAPTERS / "experiments/speed.json").read_text("utf-8"))
    (first,) = list(measured.values())[:1]
    kept = {f"SIMD {n}": first if n == 0 else {**first, "growth": None} for n in range(count)}
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/speed.json").write_text(json.dumps(kept), "utf-8")
    shutil.copy(CHAPTERS / "experiments/grading.json", tmp_path / "experiments")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    names: dict = {}
    with plt.rc_context():
        for cell in chapter.cells.values():
            if cell.cell_type == "code" and cell.id != "setup":
                exec(cell.source, names)
    assert names["ratio"] == pytest.approx(chapter.names.ratio)


def test_a_start_is_paid_once_and_marking_again_marks_nothing(chapter):
    marking = chapter.names.marking
    cost = [row["cpu"] / row["submissions"] for row in marking["growth"]]
    assert cost[0] == max(cost)
    assert marking["term"]["again_marked_nothing"] is True
