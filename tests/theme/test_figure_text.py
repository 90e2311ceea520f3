"""The live figure of chapter 04: its probabilities are rnnlib's, and it writes by them."""

import json
import re

import numpy as np
import pytest
from browsing import ROOT, hold

from rnnlib import LSTM, Embedding, Linear, Module
from rnnlib.activations import softmax
from rnnlib.checkpoints import dequantize
from rnnlib.data import text

WEIGHTS = ROOT / "theme" / "figures" / "text.json"
NAMES = {" ": "space", "\n": "new line", text.START: "the end"}


class Writer(Module):
    """The network of the chapter, in float64."""

    def __init__(self, V, I, H):
        self.embedding = Embedding(V, I)
        self.rnn = LSTM(I, H)
        self.linear = Linear(H, V)

    def scores(self, written):
        """(T + 1, V): after the sign of a beginning, and after each character."""
        x = text.encode([written])[:, None]
        return self.linear(self.rnn(self.embedding(x))[0])[:, 0]


@pytest.fixture(scope="module")
def network():
    state = dequantize(json.loads(WEIGHTS.read_text(encoding="utf-8"))["weights"])
    I, H = state["embedding.weight"].shape[1], state["linear.weight"].shape[1]
    model = Writer(len(text.CHARACTERS), I, H)
    model.load_state_dict(state)
    return model.eval()


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/04_text.html")
    figure = page.locator("unrolled-text")
    figure.scroll_into_view_if_needed()
    figure.locator("input[type=text]").click()
    figure.locator("tbody tr.strong").wait_for()
    return figure


def rows(figure):
    """Name, share at the temperature and at 1 of each row; None where nothing is said."""
    cells = figure.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [0, 2, 3].map((i) => row.cells[i].textContent))"
    )
    return [
        (name, *(None if t == "–" else int(t.strip("%")) for t in more)) for name, *more in cells
    ]


def written(figure):
    return figure.evaluate("element => element.from + element.written")


def check(figure, network, temperature):
    """All bars are what rnnlib says about the text that stands there."""
    scores = network.scores(written(figure))[-1]
    plain, p = softmax(scores), softmax(scores / temperature)
    order = np.argsort(-plain, kind="stable")[:8]
    names = [NAMES.get(text.CHARACTERS[i], text.CHARACTERS[i]) for i in order]
    table = rows(figure)
    assert [name for name, *_ in table] == [*names, "any other"]
    for (_, now, at_one), i in zip(table, order, strict=False):
        assert abs(now - 100 * p[i]) <= 0.51 and abs(at_one - 100 * plain[i]) <= 0.51


def test_the_characters_are_rnnlib_s():
    assert json.loads(WEIGHTS.read_text(encoding="utf-8"))["characters"] == text.CHARACTERS


def test_the_computation_is_rnnlib_s_on_random_characters(figure, network):
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list(text.CHARACTERS[1:]), rng.integers(1, 60))) for _ in range(20)]
    answers = figure.page.evaluate(
        """async (input) => {
            const url = (name) => new URL("_static/figures/" + name, location);
            const { unpack } = await import(url("network.js"));
            const { reader } = await import(document.querySelector("script[src*='/text.js']").src);
            const { weights } = await (await fetch(url("text.json"))).json();
            const step = reader(unpack(weights));
            return input.map((numbers) => {
                let now = step(0);
                return [now.scores, ...numbers.map((n) => (now = step(n, now.state)).scores)];
            });
        }""",
        [text.encode([one])[1:].tolist() for one in texts],
    )
    for one, answer in zip(texts, answers, strict=True):
        np.testing.assert_allclose(answer, network.scores(one), rtol=1e-8, atol=1e-10)


def test_temperature_and_drawing_are_as_defined(figure):
    rng = np.random.default_rng(1)
    for temperature in (0, 0.3, 1, 1.5):
        scores = rng.normal(size=9)
        p = softmax(scores / temperature) if temperature else np.eye(9)[scores.argmax()]
        chances = rng.random(200)
        got, drawn = figure.page.evaluate(
            """async ([scores, temperature, chances]) => {
                const url = new URL("_static/figures/network.js", location);
                const { tempered, drawn } = await import(url);
                const p = tempered(scores, temperature);
                return [p, chances.map((chance) => drawn(p, chance))];
            }""",
            [scores.tolist(), temperature, chances.tolist()],
        )
        np.testing.assert_allclose(got, p, rtol=1e-12, atol=1e-15)
        assert drawn == np.searchsorted(np.cumsum(p), chances, side="right").tolist()


def test_it_opens_with_a_beginning_and_follows_what_is_typed(figure, network):
    assert written(figure) == "Return the "
    check(figure, network, 0.7)
    field = figure.locator("input[type=text]")
    for beginning in ("np.", "", "Parameters", ">>> import num"):
        field.fill(beginning)
        check(figure, network, 0.7)
    field.fill("caf\u00e9")
    assert figure.get_by_role("alert").text_content() == "The network does not know “é”."
    assert written(figure) == ">>> import num", "the last text stands"


def test_what_is_typed_while_the_network_is_fetched_stays(site, page):
    asked = hold(page, "**/text.json*")
    page.goto(f"{site}/04_text.html")
    figure = page.locator("unrolled-text")
    figure.locator("input[type=text]").fill("Returns")
    figure.locator("input[type=range]").press("End")
    asked().continue_()
    figure.locator("tbody tr.strong").wait_for()
    assert written(figure) == figure.locator("input[type=text]").input_value() == "Returns"
    assert figure.evaluate("element => element.temperature") == 1.5


def test_the_temperature_moves_the_bars(figure, network):
    slider = figure.locator("input[type=range]")
    for key, temperature in (("End", 1.5), ("ArrowLeft", 1.45)):
        slider.press(key)
        check(figure, network, temperature)
    slider.press("Home")
    assert next(share for _, share, _ in rows(figure)) == 100


def test_at_temperature_0_it_writes_the_likeliest(figure, network):
    figure.locator("input[type=range]").press("Home")
    figure.get_by_role("button", name="Write a line").press("Enter")
    whole = written(figure)
    assert len(whole) > len("Return the ") + 10
    best = network.scores(whole)[:-1].argmax(axis=1)
    start = len("Return the ")
    assert text.decode(best[start:]) == whole[start:]


def test_it_draws_and_says_how_surprising_that_was(figure, network):
    for _ in range(5):
        figure.get_by_role("button", name="Draw a character").press("Enter")
        whole = written(figure)
        bits = -np.log2(softmax(network.scores(whole)[-2])[text.INDEX[whole[-1]]])
        said = figure.locator(".status").text_content()
        assert abs(float(re.search(r"([\d.]+) bits of surprise", said)[1]) - bits) <= 0.051
    check(figure, network, 0.7)
    figure.get_by_role("button", name="Begin anew").press("Enter")
    assert written(figure) == "Return the "


def test_guess_first_then_reveal(figure):
    figure.get_by_role("button", name="Guess first").press("Enter")
    assert {share for _, share, _ in rows(figure)} == {None}
    figure.locator("tbody button.name").nth(2).press("Enter")
    assert None not in {share for _, share, _ in rows(figure)}
    assert figure.locator(".status").text_content().startswith("You guessed ")


def test_a_link_tells_its_text(figure, site, network):
    page = figure.page
    page.goto(f"{site}/04_text.html?text=from:a_-28N-2c-29,written:_array-0aof,temperature:0.5")
    figure.scroll_into_view_if_needed()
    figure.locator("button").first.focus()
    page.keyboard.press("Shift")
    figure.locator("tbody tr.strong").wait_for()
    assert written(figure) == "a (N,) array\nof"
    check(figure, network, 0.5)
