"""What chapter 01 says: its claims over the distance, its figure, its stored weights."""

import ast
import base64
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest

from rnnlib import RNN, Embedding, Linear, softmax
from rnnlib.data import storybook
from rnnlib.ngrams import NGram

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "chapters" / "experiments" / "01_storybook.py"
EXPERIMENT = json.loads(SCRIPT.with_suffix(".json").read_text())
DISTANCE = EXPERIMENT["distance"]
BEST, FORGETFUL = EXPERIMENT["best"], EXPERIMENT["memoryless"]


def scores(name, what="accuracy"):
    """(seeds, distances) of a model."""
    return np.array(EXPERIMENT["models"][name][what])


def at(*distances):
    return [DISTANCE.index(distance) for distance in distances]


def cell(name):
    notebook = nbformat.read(ROOT / "chapters" / "01_storybook.ipynb", as_version=4)
    return next(one.source for one in notebook.cells if one.id == name)


def exam(distance):
    settings = EXPERIMENT["settings"]
    filler = EXPERIMENT["filler_words"][DISTANCE.index(distance)]
    count, seed = settings["fillers_per_distance"], [settings["exam_seed"], filler]
    return storybook.exam(filler, count, seed)


# The claims, over every seed


def test_the_lines_of_the_best_and_of_the_forgetful_reader_are_exact():
    assert [BEST["accuracy"], BEST["bits"]] == pytest.approx(storybook.best_score(), rel=1e-12)
    exact = storybook.memoryless_score()
    assert [FORGETFUL["accuracy"], FORGETFUL["bits"]] == pytest.approx(exact, rel=1e-12)


def test_nothing_beats_the_best_possible_guess():
    runs = [scores(name) for name in EXPERIMENT["models"]]
    runs.append(np.array(EXPERIMENT["ngrams"]["accuracy"]))
    for accuracy in runs:
        assert accuracy.max() <= BEST["accuracy"] + 1e-4
    for name in EXPERIMENT["models"]:
        assert scores(name, "bits").min() >= BEST["bits"] - 1e-4


def test_near_the_rnn_is_close_to_the_best_and_beats_every_ngram():
    near = at(6, 7, 8, 9, 10)
    assert scores("RNN")[:, near].min() > BEST["accuracy"] - 0.08
    ngrams = np.array(EXPERIMENT["ngrams"]["accuracy"])  # (orders, distances)
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
    sizes = [EXPERIMENT["settings"]["models"][name]["hidden"] for name in ("RNN", "LSTM")]
    assert sizes[0] == sizes[1]


def test_a_window_ends_where_it_ends():
    window = scores("window of 12")
    assert window[:, at(6, 7, 8, 9)].min() > BEST["accuracy"] - 0.05
    assert window[:, at(12, 14, 16, 26, 42)].max() < FORGETFUL["accuracy"] + 0.03
    assert abs(scores("one word") - FORGETFUL["accuracy"]).max() < 0.01
    assert scores("one word", "bits").min() > FORGETFUL["bits"]


def test_ten_times_the_stories_move_the_ngrams_ceiling_by_a_word_or_two_only():
    few = np.array(EXPERIMENT["ngrams"]["accuracy"])[11]
    many = np.array(EXPERIMENT["ngrams_ten_times_the_stories"]["accuracy"])[11]
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
    sizes = [EXPERIMENT["models"][name]["parameters"] for name in ("RNN, 128 units", "LSTM")]
    assert sizes[0] > sizes[1]


# The stored numbers are what the code computes


@pytest.mark.parametrize("order", [1, 3, 8, 12, 16])
def test_stored_ngram_scores_are_computed_again(order):
    settings, stored = EXPERIMENT["settings"], EXPERIMENT["ngrams"]
    _, y = storybook.encode(storybook.stories(settings["stories"], settings["stories_seed"]))
    k = settings["orders"].index(order)
    model = NGram(order, len(storybook.VOCABULARY), stored["strength"][k]).fit(y)
    for distance in (6, 7, 8, 10, 22):
        tests = exam(distance)
        x, _ = storybook.encode(tests)
        score = storybook.score(model.predict(x), [one.reason for one in tests])
        d = DISTANCE.index(distance)
        expected = (stored["accuracy"][k][d], stored["bits"][k][d])
        assert score == pytest.approx(expected, abs=6e-5)
        assert model.seen(x).mean() == pytest.approx(stored["seen"][k][d], abs=6e-5)


def test_the_figure_s_weights_score_what_is_stored_for_the_first_rnn():
    """Also that 16 bits are enough: rounding the weights changes no score by half a point."""
    path = ROOT / "theme" / "figures" / "next-word.json"
    state = {
        name: np.frombuffer(base64.b64decode(one["int16"]), "<i2").reshape(one["shape"])
        * one["scale"]
        for name, one in json.loads(path.read_text())["weights"].items()
    }
    V, I = state["embedding.weight"].shape
    H = len(state["rnn.weight_hh_l0"])
    layers = {"embedding": Embedding(V, I), "rnn": RNN(I, H), "linear": Linear(H, V)}
    for name, layer in layers.items():
        start = name + "."
        layer.load_state_dict(
            {key.removeprefix(start): a for key, a in state.items() if key.startswith(start)}
        )
    for d, distance in enumerate(DISTANCE):
        tests = exam(distance)
        x, _ = storybook.encode(tests)
        _, h_n = layers["rnn"](layers["embedding"](x))
        p = softmax(layers["linear"](h_n[0]))
        accuracy, bits = storybook.score(p, [one.reason for one in tests])
        assert accuracy == pytest.approx(scores("RNN")[0, d], abs=0.005)
        assert bits == pytest.approx(scores("RNN", "bits")[0, d], abs=0.01)


def test_the_sizes_that_are_stored_are_those_of_the_models():
    V, I, H = len(storybook.VOCABULARY), 32, 64
    for name, gates in (("RNN", 1), ("LSTM", 4)):
        size = V * I + gates * (H * I + H * H + 2 * H) + V * H + V
        assert EXPERIMENT["models"][name]["parameters"] == size


def test_each_model_was_given_its_own_best_learning_rate():
    for run in EXPERIMENT["models"].values():
        tuning = run["validation_bits"]
        assert len(tuning) >= 3
        assert run["learning_rate"] == float(min(tuning, key=tuning.get))
    orders = len(EXPERIMENT["settings"]["orders"])
    assert len(EXPERIMENT["ngrams"]["strength"]) == orders


# The chapter shows the experiment


def test_the_chapter_and_the_experiment_define_the_same_networks():
    defined = {
        node.name: ast.dump(node)
        for node in ast.parse(SCRIPT.read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    for name, where in (("Window", "window"), ("NextWord", "summary")):
        node = ast.parse(cell(where)).body[0]
        assert ast.dump(node) == defined[name]


def test_the_chapter_and_the_experiment_read_the_same_stories():
    settings = EXPERIMENT["settings"]
    assert f"storybook.stories({settings['stories']:_}, seed={settings['stories_seed']})" in cell(
        "stories"
    )
    count, seed = settings["fillers_per_distance"], settings["exam_seed"]
    assert f"storybook.exam(filler, count={count}, seed=[{seed}, filler])" in cell("ngrams")


def test_the_figure_plots_what_is_stored():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from rnnlib import plot

    names = {"experiment": EXPERIMENT, "distance": DISTANCE, "np": np, "plt": plt, "plot": plot}
    names |= {"best": storybook.best_score(), "forgetful": storybook.memoryless_score()}
    exec(cell("distance"), names)
    exec(cell("distance-figure").replace("plt.show()", ""), names)
    for ax, what, best_of in zip(names["axes"], ("accuracy", "bits"), (max, min), strict=True):
        lines = {line.get_label(): line for line in ax.lines}
        for name in ("LSTM", "RNN", "window of 12"):
            np.testing.assert_array_equal(lines[name].get_xdata(), DISTANCE)
            mean = scores(name, what).mean(axis=0)
            np.testing.assert_allclose(lines[name].get_ydata(), mean, rtol=1e-12)
        columns = zip(*EXPERIMENT["ngrams"][what], strict=True)
        best = [best_of(column) for column in columns]
        np.testing.assert_allclose(lines["best n-gram"].get_ydata(), best, rtol=1e-12)
        assert set(lines["best possible"].get_ydata()) == {BEST[what]}
        assert set(lines["forgetful reader"].get_ydata()) == {FORGETFUL[what]}
    plt.close("all")
