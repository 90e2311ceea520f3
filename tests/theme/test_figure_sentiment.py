"""The live figure of chapter 09 computes what rnnlib computes; its bag sees no order."""

import json
from pathlib import Path

import numpy as np
import pytest

import rnnlib
from rnnlib.checkpoints import dequantize
from rnnlib.data import reviews

FIGURES = Path(__file__).resolve().parents[2] / "theme" / "figures"
MODEL = json.loads((FIGURES / "sentiment.json").read_text(encoding="utf-8"))

CALL = """async ([name, words]) => {
    const script = document.querySelector("script[src*='figures/sentiment.js']");
    const module = await import(script.src);
    const model = await (await fetch(new URL("sentiment.json", script.src))).json();
    return name === "exchanged" ? module.exchanged(words) : module[name](model)(words);
}"""


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/09_sentiment.html")
    figure = page.locator("unrolled-sentiment")
    figure.scroll_into_view_if_needed()
    figure.locator("svg .dot").first.wait_for()
    return figure


def by_rnnlib(words):
    """P(praise) after each word."""
    arrays = dequantize(MODEL["weights"])
    lstm = rnnlib.LSTM(17, 32)
    lstm.load_state_dict({name: arrays[f"rnn.{name}"] for name in lstm.state_dict()})
    x = reviews.encode(words).astype(float)
    # the page has the values as they are written, not rounded to float32
    values = [[reviews.VALUES.get(word, 0.0)] for word in words]
    h, _ = lstm(np.hstack([arrays["embedding.weight"][x[:, 0].astype(int)], values])[:, None])
    return rnnlib.sigmoid(h[:, 0] @ arrays["output.weight"][0] + arrays["output.bias"][0])


def drawn():
    return [one.words for one in reviews.reviews(12, seed=5, words=reviews.VALUES)]


def test_the_probabilities_are_rnnlib_s(figure):
    for words in drawn():
        got = figure.page.evaluate(CALL, ["reader", list(words)])
        np.testing.assert_allclose(got, by_rnnlib(words), rtol=1e-8, atol=1e-10)


def test_the_bag_is_naive_bayes_and_blind_to_the_order(figure):
    rng = np.random.default_rng(0)
    for words in drawn():
        got = figure.page.evaluate(CALL, ["bag", list(words)])
        signs = {"-+"[reviews.VALUES[w] > 0] if w in reviews.VALUES else w for w in words}
        odds = MODEL["bag"]["prior"] + sum(MODEL["bag"]["weights"].get(one, 0) for one in signs)
        assert got[-1] == pytest.approx(1 / (1 + np.exp(-odds)))
        mixed = figure.page.evaluate(CALL, ["bag", rng.permutation(words).tolist()])
        assert mixed[-1] == pytest.approx(got[-1])


@pytest.mark.parametrize(
    ("review", "other"),
    [
        ("the plot was good but it rained", "it rained but the plot was good"),
        ("although it rained , i sat", "although i sat , it rained"),
        ("it was anything but good and it rained", "it rained and it was anything but good"),
        ("it was anything but good", None),
        ("the plot was good but", None),
    ],
)
def test_clauses_are_exchanged_where_there_are_two(figure, review, other):
    got = figure.page.evaluate(CALL, ["exchanged", review.split()])
    assert got == (other and other.split())


def last(figure):
    if not figure.locator("table.numbers").is_visible():
        figure.locator("summary").first.click()
    return [
        int(text.rstrip("%"))
        for text in figure.locator("tbody tr").last.locator("td").all_inner_texts()
    ]


def test_after_the_exchange_the_lstm_answers_otherwise_and_the_bag_as_before(figure):
    lstm, counts = last(figure)
    figure.locator("button", has_text="Exchange").click()
    turned, counted = last(figure)
    assert lstm < 5 and turned > 95
    assert counted == counts


def test_the_answers_are_hidden_until_a_guess(figure):
    lstm, _ = last(figure)
    figure.locator("button", has_text="Guess first").click()
    assert figure.locator("svg .dot, svg .square").count() == 0
    assert figure.locator("tbody td", has_text="%").count() == 0
    figure.locator("button", has_text="Blame").click()
    assert figure.locator("svg .dot").count() > 0
    said = figure.locator("p.status").text_content()
    assert said.startswith("Right." if lstm < 50 else "Not so.")
    figure.locator("button", has_text="Exchange").click()
    assert figure.locator("svg .dot").count() == 0, "another review, another guess"
    figure.locator("button", has_text="Blame").click()
    assert figure.locator("p.status").text_content().startswith("Not so.")


def test_a_review_of_the_reader_s_own_is_read(figure):
    figure.locator("input[type=text]").fill(
        "Although the plot was good, the cast was far from superb."
    )
    words = "although the plot was good , the cast was far from superb .".split()
    assert last(figure)[0] == round(100 * by_rnnlib(words)[-1])


def test_an_unknown_word_is_named(figure):
    figure.locator("input[type=text]").fill("the plot was purple")
    assert "purple" in figure.locator(".wrong").text_content()
