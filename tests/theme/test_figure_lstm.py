"""The live figure of chapter 06 computes what rnnlib computes, and shows it gate by gate."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import rnnlib
from rnnlib.checkpoints import dequantize
from rnnlib.data import storybook

FIGURES = Path(__file__).resolve().parents[2] / "theme" / "figures"


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/06_lstm.html")
    figure = page.locator("unrolled-lstm")
    figure.scroll_into_view_if_needed()
    figure.locator("svg .c").first.wait_for()
    return figure


def weights():
    stored = json.loads((FIGURES / "lstm.json").read_text(encoding="utf-8"))
    return dequantize(stored["weights"])


def inside(words):
    """i, f, o and c after each word, (T, H), by rnnlib."""
    named = weights()
    lstm = rnnlib.LSTM(32, 64)
    lstm.load_state_dict({name: named[f"rnn.{name}"] for name in lstm.state_dict()})
    numbers = [storybook.START, *(storybook.INDEX[word] for word in words)]
    trace = lstm.trace(named["embedding.weight"][numbers][:, None])
    return {name: trace[name][0, 1:, 0] for name in "ifgoch"}


def table(figure):
    figure.locator("summary").click()
    rows = figure.locator("table tbody tr").all()
    return [row.locator("th, td").all_text_contents() for row in rows]


def test_the_gates_are_rnnlib_s_for_words_at_random(figure):
    rng = np.random.default_rng(0)
    for _ in range(10):
        words = list(rng.choice(storybook.VOCABULARY[1:], size=rng.integers(1, 20)))
        got = figure.page.evaluate(
            """async (words) => {
                 const script = document.querySelector("script[src*='figures/lstm.js']");
                 const { reader } = await import(script.src);
                 const { unpack } = await import(new URL("network.js", script.src));
                 const model = await (await fetch(new URL("lstm.json", script.src))).json();
                 return reader(unpack(model.weights))([0, ...words]).slice(1);
               }""",
            [storybook.INDEX[word] for word in words],
        )
        for name, values in inside(words).items():
            mine = np.array([state[name] for state in got])
            np.testing.assert_allclose(mine, values, rtol=1e-9, atol=1e-12, err_msg=name)


def test_a_sentence_of_the_reader_s_own_is_read(figure):
    sentence = "my dog is restless so i am going to the"
    figure.locator("input[type=text]").fill(sentence)
    rows = table(figure)
    unit = int(figure.locator("input[type=range]").first.input_value()) - 1
    assert [row[0] for row in rows] == sentence.split()
    for name, column in (("i", 1), ("f", 2), ("o", 4), ("c", 5)):
        shown = [float(row[column].replace("−", "-")) for row in rows]
        np.testing.assert_allclose(shown, inside(sentence.split())[name][:, unit], atol=0.006)


def test_it_begins_with_the_unit_that_was_found(figure):
    stored = json.loads((FIGURES / "lstm.json").read_text(encoding="utf-8"))
    assert figure.locator("input[type=range]").first.input_value() == str(stored["tuning"]["unit"])
    assert f"Unit {stored['tuning']['unit']} writes" in figure.locator(".status").text_content()


def test_an_unknown_word_is_named(figure):
    figure.locator("input[type=text]").fill("the fridge is purple")
    assert "purple" in figure.locator(".wrong").text_content()


@pytest.mark.parametrize("bias", [-1.5, 0.0, 3.0, 5.5])
def test_the_dial_tells_the_half_life(figure, bias):
    figure.locator("input[type=range]").last.fill(str(bias))
    told = figure.locator(".told").text_content()
    said = float(re.search(r"after ([\d.]+) steps", told)[1])
    assert said == pytest.approx(math.log(0.5) / math.log(1 / (1 + math.exp(-bias))), abs=0.06)
