"""The live figure of chapter 16: what it says mattered is what rnnlib says."""

import json
import re

import numpy as np
import pytest
from browsing import ROOT

from rnnlib import LSTM
from rnnlib.activations import log_softmax
from rnnlib.checkpoints import dequantize
from rnnlib.data import text

WEIGHTS = ROOT / "theme" / "figures" / "text.json"
FIRST = "Return the sum of (a, b) over the axis."

CALL = """async (asked) => {
    const script = document.querySelector("script[src*='figures/inside.js']").src;
    const { unpack } = await import(new URL("network.js", script));
    const { asker } = await import(script);
    const { weights } = await (await fetch(new URL("text.json", script))).json();
    const ask = asker(unpack(weights));
    return asked.map(([codes, t]) => {
        const now = ask(codes, t);
        return [now.p, now.gradient(), now.removal()];
    });
}"""


class Asked:
    """The two measures, by rnnlib in float64."""

    def __init__(self):
        stored = json.loads(WEIGHTS.read_text(encoding="utf-8"))["weights"]
        self.weights = dequantize(stored)
        self.E, self.W_y = self.weights["embedding.weight"], self.weights["linear.weight"]
        self.lstm = LSTM(self.E.shape[1], self.W_y.shape[1])
        names = self.lstm.state_dict()
        self.lstm.load_state_dict({name: self.weights[f"rnn.{name}"] for name in names})

    def log_p(self, codes):  # (T, N) to (N, V)
        self.h, _ = self.lstm(self.E[codes])
        return log_softmax(self.h[-1] @ self.W_y.T + self.weights["linear.bias"])

    def both(self, codes, t):
        """p of code t, and of each code before it gradient times input and removal, in bits."""
        before, wanted = np.array(codes[:t]), codes[t]
        shorter = [np.delete(before, n) for n in range(t)]
        without = (
            self.log_p(np.stack(shorter, axis=1))[:, wanted]
            if t > 1
            else self.log_p(before[:, None])[:, wanted]
        )
        log_p = self.log_p(before[:, None])
        dh = np.zeros_like(self.h)
        dh[-1] = (np.eye(log_p.shape[1])[wanted] - np.exp(log_p)) @ self.W_y
        dx, _ = self.lstm.backward(dh)
        self.lstm.zero_grad()
        gradient = (self.E[before][:, None] * dx).sum(axis=2)[:, 0]
        removal = log_p[0, wanted] - without
        return np.exp(log_p[0, wanted]), gradient / np.log(2), removal / np.log(2)


@pytest.fixture(scope="module")
def asked():
    return Asked()


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/16_inside.html")
    figure = page.locator("unrolled-inside")
    figure.scroll_into_view_if_needed()
    figure.locator("input[type=text]").click()
    figure.locator(".line .now").wait_for()
    return figure


def table(figure):
    """What the figure lists: each earlier character's bits."""
    if not figure.locator("table.numbers").is_visible():
        figure.locator("summary").first.click()
    told = figure.locator("tbody tr td:last-child").all_inner_texts()
    return [float(one.replace("−", "-")) for one in told]


def check(figure, asked, line, at, way):
    _, *measures = asked.both(text.encode([line]).tolist(), at)
    want = measures[way == "removal"][1:]  # without the sign of a beginning
    np.testing.assert_allclose(table(figure), want, atol=0.051)


def test_both_measures_are_rnnlib_s_on_random_texts(figure, asked):
    rng = np.random.default_rng(0)
    cases = []
    for t in (1, 2, 3, 9, 20, 30):
        for _ in range(3):
            line = "".join(rng.choice(list(text.CHARACTERS[1:]), t))
            cases.append([text.encode([line]).tolist(), t])
    answers = figure.page.evaluate(CALL, cases)
    for case, answer in zip(cases, answers, strict=True):
        for got, want in zip(answer, asked.both(*case), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9)


def test_it_opens_at_the_bracket_where_the_two_ways_disagree(figure, asked):
    check(figure, asked, FIRST, FIRST.index(")") + 1, "gradient")
    said = figure.locator(".status").text_content()
    assert said.startswith("“)” had ") and "“(”" not in said
    figure.locator("input[value=removal]").check()
    check(figure, asked, FIRST, FIRST.index(")") + 1, "removal")
    assert "mattered most is “(” at 19" in figure.locator(".status").text_content()


def test_keys_and_the_mouse_walk_through_the_line(figure, asked):
    slider = figure.locator("input[type=range]")
    slider.press("Home")
    assert "no character stands before it" in figure.locator(".status").text_content()
    for _ in range(3):
        slider.press("ArrowRight")
    assert figure.locator(".now").text_content() == "u"
    check(figure, asked, FIRST, 4, "gradient")
    figure.locator("[data-place='10']").hover()
    figure.locator(".now[data-place='10']").wait_for()
    check(figure, asked, FIRST, 10, "gradient")
    figure.locator("[data-place='12']").click()
    check(figure, asked, FIRST, 12, "gradient")


def test_the_colours_follow_the_numbers(figure):
    figure.locator("input[value=removal]").check()
    bits = table(figure)
    styles = figure.locator(".line span").evaluate_all(
        "spans => spans.map((span) => span.getAttribute('style') ?? '')"
    )
    for value, style in zip(bits, styles, strict=False):
        found = re.search(r"var\(--(\w+)\) (\d+)%", style)
        share = int(found[2]) if found else 0
        assert abs(share - 50 * abs(value) / max(map(abs, bits))) <= 1
        if share > 1:
            assert found[1] == ("lstm" if value > 0 else "state")
    assert not any(styles[len(bits) :]), "later characters cannot have mattered"


def test_a_line_of_the_reader_s_own(figure, asked):
    field = figure.locator("input[type=text]")
    field.fill("x : (N,) array")
    figure.locator("input[type=range]").press("End")
    check(figure, asked, "x : (N,) array", 14, "gradient")
    field.fill("caf\u00e9")
    assert figure.get_by_role("alert").text_content() == "The network does not know “é”."
    field.fill("")
    assert "at least one character" in figure.get_by_role("alert").text_content()
    check(figure, asked, "x : (N,) array", 14, "gradient")


def test_guess_first_then_reveal(figure):
    figure.locator("input[value=removal]").check()
    figure.get_by_role("button", name="Guess first").press("Enter")
    assert figure.locator(".line span[style]").count() == 0 and table(figure) == []
    figure.locator("[data-place='19']").click()
    assert "You guessed “(”: number 1 of 23." in figure.locator(".status").text_content()
    assert figure.locator(".line span[style]").count() > 0
    figure.locator("input[type=range]").press("ArrowRight")
    assert figure.locator(".line span[style]").count() == 0, "another character, another guess"
    figure.get_by_role("button", name="Show the colours").press("Enter")
    assert figure.locator(".line span[style]").count() > 0


def test_a_link_tells_its_line(figure, site, asked):
    page = figure.page
    page.goto(f"{site}/16_inside.html?inside=line:a_-28N-2c-29,at:5,by:removal")
    figure.scroll_into_view_if_needed()
    figure.locator("button").first.focus()
    page.keyboard.press("Shift")
    figure.locator(".line .now").wait_for()
    check(figure, asked, "a (N,)", 5, "removal")
