"""The live figure of chapter 02: its numbers are rnnlib's, and its weights can be dragged."""

import re

import numpy as np
import pytest
from browser import resize, settle, stop_clock

import rnnlib

STEPS, LONG = 5, 40


def rnnlib_numbers(case):
    """z, h and y of the one-unit network by rnnlib's layer and output layer."""
    rnn = rnnlib.RNN(1, 1, nonlinearity=case["nonlinearity"])
    rnn.load_state_dict(
        {
            "weight_ih_l0": np.array([[case["w_x"]]]),
            "weight_hh_l0": np.array([[case["w_h"]]]),
            "bias_ih_l0": np.array([case["b"]]),
            "bias_hh_l0": np.zeros(1),
        }
    )
    out = rnnlib.Linear(1, 1)
    out.load_state_dict({"weight": np.array([[case["w_y"]]]), "bias": np.array([case["c"]])})
    x = np.array(case["x"], dtype=float).reshape(-1, 1, 1)
    h_0 = np.full((1, 1, 1), case.get("h_0", 0.0))
    h, _ = rnn(x, h_0)
    before = np.concatenate([h_0, h[:-1]])
    z = x * case["w_x"] + before * case["w_h"] + case["b"]
    return {"z": z.ravel(), "h": h.ravel(), "y": out(h).ravel()}


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/02_cell.html")
    figure = page.locator("unrolled-rnn-cell")
    figure.locator(".strip .bars").wait_for(state="attached")
    return figure


def button(figure, name):
    return figure.get_by_role("button", name=name, exact=True)


def weight(figure, name):
    """The slider of a weight."""
    order = ("w_x", "w_h", "b", "w_y", "c")
    return figure.locator(".controls input[type=range]").nth(order.index(name))


def shown(text):
    """A number as the figure writes it."""
    return float(text.replace("−", "-"))


def table(figure):
    """The numbers of the figure's own table by column; what is hidden is None."""
    rows = figure.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    columns = zip(*rows, strict=True)
    numbers = [[None if text == "–" else shown(text) for text in column] for column in columns]
    return dict(zip(("step", "x", "z", "h", "y"), numbers, strict=True))


def settings(figure):
    """Weights, function and inputs, read off the controls."""
    values = figure.locator(".controls output").all_text_contents()
    x = [shown(text) for text in figure.locator(".inputs .value").all_text_contents()]
    return {
        **dict(zip(("w_x", "w_h", "b", "w_y", "c"), map(shown, values), strict=True)),
        "nonlinearity": figure.locator("input[type=radio]:checked").get_attribute("value"),
        "x": x + [0] * (LONG - STEPS),
    }


def close(text_value, value):
    """Equal as far as the figure's two decimals can say: one above 99, two digits above 100,000."""
    size = abs(value)
    return abs(text_value - value) <= (
        0.06 * size if size > 99_999 else 0.0501 if size > 99 else 0.00501
    )


def check(figure):
    """All numbers that the figure shows are rnnlib's for the setting that it shows."""
    case = settings(figure)
    expected, columns = rnnlib_numbers(case), table(figure)
    assert columns["step"] == list(range(1, LONG + 1)) and columns["x"] == case["x"]
    for name, values in expected.items():
        assert all(map(close, columns[name], values)), name
        # the drawing and the formula say the same as the table
        drawn = figure.locator(f"svg .{name} .value").all_text_contents()
        drawn = [shown(text) for text in drawn if text != "0" or name != "h"]
        assert drawn == columns[name][: len(drawn)]
    t = len(drawn)
    results = [shown(text) for text in figure.locator(".formula b").all_text_contents()]
    assert results == [columns[name][t - 1] for name in ("z", "h", "y")]
    filled = figure.locator(".formula .sum .filled").text_content().replace("−", "-")
    h_before = columns["h"][t - 2] if t > 1 else 0
    want = [case["w_x"], case["x"][t - 1], case["w_h"], h_before, case["b"], columns["z"][t - 1]]
    assert [float(n) for n in re.findall(r"-?\d+\.?\d*", filled)] == want
    return case, columns


def test_the_computation_is_rnnlib_s(figure):
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(128):
        case = dict(zip(("w_x", "w_h", "b", "w_y", "c", "h_0"), rng.normal(size=6), strict=True))
        case = {name: float(value) for name, value in case.items()}
        case["nonlinearity"] = str(rng.choice(["tanh", "relu"]))
        case["x"] = rng.normal(size=rng.integers(0, 30)).tolist()
        cases.append(case)
    answers = figure.page.evaluate(
        """async (cases) => {
            const script = document.querySelector("script[src*='figures/rnn-cell.js']");
            const { compute } = await import(script.src);
            return cases.map(compute);
        }""",
        cases,
    )
    assert any(len(answer["h"]) == 0 for answer in answers)
    for case, answer in zip(cases, answers, strict=True):
        for name, values in rnnlib_numbers(case).items():
            np.testing.assert_allclose(answer[name], values, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_after_play_by_keyboard_the_numbers_are_rnnlib_s(figure, seed):
    rng = np.random.default_rng(seed)
    keys = figure.page.keyboard
    for control in figure.locator(".inputs button, .controls input[type=range]").all():
        control.focus()
        ways = (
            ["Enter"] if control.get_attribute("type") == "button" else ["ArrowRight", "PageDown"]
        )
        for _ in range(rng.integers(0, 5)):
            keys.press(str(rng.choice(ways)))
    if seed == 1:
        figure.locator("input[type=radio]").first.press("ArrowDown")
    for _ in range(STEPS - 1):
        button(figure, "Step").press("Enter")
    case, _ = check(figure)
    assert case["nonlinearity"] == ("relu" if seed == 1 else "tanh")


@pytest.mark.parametrize("name", ["w_x", "w_h", "w_y"])
def test_an_arrow_is_dragged(figure, name):
    """Up and down, each of the five alike, to the ends of the slider and no further."""
    page = figure.page
    handles = figure.locator(f"g[data-drag={name}] path")
    assert handles.count() == STEPS
    figure.locator("svg").first.scroll_into_view_if_needed()
    settle(page)
    before = float(weight(figure, name).input_value())
    for pixels in (-50, 30, 500):
        box = handles.nth(2).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + pixels / 2)
        page.mouse.move(x, y + pixels)
        page.mouse.up()
        before = max(-3, min(3, before - pixels / 50))
        assert float(weight(figure, name).input_value()) == pytest.approx(before)
        check(figure)


def test_the_strip_draws_what_the_table_says_and_the_setting_before_as_a_ghost(figure):
    page = figure.page

    def heights(path, pattern):
        d = figure.locator(path).get_attribute("d")
        return [float(y) for y in re.findall(pattern, d)]

    def level(h):  # 110 px for −1 … 1, with a margin of 8
        return [8 + (1 - value) / 2 * 94 for value in h]

    stop_clock(page)
    old = rnnlib_numbers(settings(figure))["h"]
    np.testing.assert_allclose(heights(".strip .bars", r"V([\d.]+)h"), level(old), atol=1e-6)
    assert figure.locator("svg .ghost").count() == 0
    for pause in (1500, 100, 1500):
        page.clock.run_for(pause)
        before = rnnlib_numbers(settings(figure))["h"]
        weight(figure, "w_h").press("PageDown")
        old = old if pause == 100 else before  # within a second it is still the same change
        np.testing.assert_allclose(heights("svg .ghost", r" ([\d.]+)"), level(old), atol=1e-6)
        new = rnnlib_numbers(settings(figure))["h"]
        np.testing.assert_allclose(heights(".strip .bars", r"V([\d.]+)h"), level(new), atol=1e-6)
    said = figure.locator(".status").text_content()
    assert shown(re.search(r"before it was (−?[\d.]+)\.$", said)[1]) == round(old[-1], 2)


def test_what_explodes_leaves_the_strip_and_says_where(figure):
    button(figure, "Explosion").press("Enter")
    _, columns = check(figure)
    assert columns["h"][:6] == [1, 2, 4, 8, 16, 32]
    assert "above 20 from step 6" in figure.locator(".strip").text_content()
    for width in (1280, 360):
        resize(figure.page, width)
        words = figure.locator(".strip .over").bounding_box()
        assert words["x"] > figure.locator(".strip .axis").bounding_box()["x"]


@pytest.mark.parametrize("by", ["slider", "drawing"])
def test_guess_first_then_reveal(figure, by):
    button(figure, "Latch").press("Enter")
    button(figure, "Guess first").press("Enter")
    assert table(figure)["h"][1:] == [None] * (LONG - 1)
    assert "Hidden" in figure.locator(".strip").get_attribute("aria-label")
    if by == "slider":
        guess = figure.locator(".guess input")
        guess.press("Home")
        for _ in range(50):
            guess.press("ArrowRight")
    else:
        settle(figure.page)
        box = figure.locator("[data-drag=guess]").bounding_box()
        figure.page.mouse.click(box["x"] + 10, box["y"] + 8 + 0.75 * (box["height"] - 16))
    assert float(figure.locator(".guess input").input_value()) == pytest.approx(-0.5, abs=0.011)
    button(figure, "Reveal").press("Enter")
    _, columns = check(figure)
    assert columns["h"][-1] < -0.9
    assert re.search(
        r"h is −0.96, your guess was −0.(49|5|51)", figure.locator(".status").text_content()
    )
    weight(figure, "w_h").press("ArrowLeft")
    assert table(figure)["h"][-1] is None, "a new setting is guessed anew"


@pytest.mark.parametrize(
    ("example", "holds"),
    [
        ("Fading trace", lambda h: h[0] > h[1] > h[2] > h[3] > h[4] > 0),
        ("No memory", lambda h: h[1] == h[4] == 0 and h[0] == h[2] == h[3] > 0.7),
        ("Latch", lambda h: min(h[:3]) > 0.9 and max(h[3:]) < -0.7),
        ("Counter", lambda h: h[:5] == [1, 1, 2, 3, 3]),
        ("Explosion", lambda h: h[:5] == [1, 2, 4, 8, 16]),
    ],
)
def test_each_example_does_what_it_is_called_and_is_marked_while_it_stands(figure, example, holds):
    button(figure, "Counter").press("Enter")
    button(figure, example).press("Enter")
    _, columns = check(figure)
    assert holds(columns["h"]), columns["h"]
    marked = figure.locator(".examples [aria-pressed=true]")
    assert marked.all_text_contents() == [example]
    weight(figure, "c").press("ArrowRight")
    assert marked.count() == 0


def test_numbers_fit_their_boxes(figure):
    resize(figure.page, 320)
    button(figure, "Explosion").press("Enter")
    weight(figure, "w_h").press("End")
    for _ in range(STEPS):
        button(figure, "Step").press("Enter")
    assert table(figure)["h"][:5] == [1, 3, 9, 27, 81]
    crowded = figure.evaluate(
        """(element) => [...element.shadowRoot.querySelectorAll("svg g")].flatMap((group) => {
            const box = group.querySelector(":scope > rect.box");
            const text = group.querySelector(":scope > .value");
            if (!box || !text) return [];
            return text.getBBox().width > box.getBBox().width - 4 ? [text.textContent] : [];
        })"""
    )
    assert crowded == []


def test_the_drawing_is_told_in_words(figure):
    button(figure, "Counter").press("Enter")
    button(figure, "Step").press("Enter")
    drawing = figure.get_by_role("img").first
    assert "Memory so far: 1.00, 1.00." in drawing.get_attribute("aria-label")
    status = figure.locator(".status").text_content()
    assert status.startswith(
        "Step 2 of 5: x is 0, the memory h goes from 1.00 to 1.00, the output y is 1.00."
    )
