"""The live figure of chapter 02: its numbers are rnnlib's, and the keyboard plays it."""

import re
from pathlib import Path

import numpy as np
import pytest

import rnnlib

AXE = Path(__file__).parents[2] / "theme" / "node_modules" / "axe-core" / "axe.min.js"
STEPS = 5


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
    page.wait_for_function("!!customElements.get('unrolled-rnn-cell')")
    return page.locator("unrolled-rnn-cell")


def button(figure, name):
    return figure.get_by_role("button", name=name, exact=True)


def shown(text):
    """A number as the figure writes it."""
    return float(text.replace("−", "-"))


def table(figure):
    """The numbers of the figure's own table by row; a step still to come is None."""
    rows = {}
    for row in figure.locator("tr").all()[1:]:
        name = row.locator("th").text_content()
        cells = row.locator("td").all_text_contents()
        rows[name] = [None if cell == "–" else shown(cell) for cell in cells]
    return rows


def settings(figure):
    """Weights, function and inputs, read off the controls."""
    values = [shown(text) for text in figure.locator("output").all_text_contents()]
    inputs = figure.locator(".inputs .value").all_text_contents()
    return {
        **dict(zip(("w_x", "w_h", "b", "w_y", "c"), values, strict=True)),
        "nonlinearity": figure.locator("input[type=radio]:checked").get_attribute("value"),
        "x": [shown(text) for text in inputs],
    }


def close(text_value, value):
    """Equal as far as the figure's two decimals (one above 99) can say."""
    return abs(text_value - value) <= (0.0501 if abs(value) >= 99.9 else 0.00501)


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
            const { unroll } = await import(script.src);
            return cases.map(unroll);
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
    for input_button in figure.locator(".inputs button").all():
        input_button.focus()
        for _ in range(rng.integers(0, 3)):
            keys.press("Enter")
    for slider in figure.locator("input[type=range]").all():
        slider.focus()
        for _ in range(rng.integers(0, 9)):
            keys.press(str(rng.choice(["ArrowRight", "ArrowLeft", "PageDown"])))
    if seed == 1:
        figure.locator("input[type=radio]").first.focus()
        keys.press("ArrowDown")
    button(figure, "Step").focus()
    for _ in range(STEPS - 1):
        keys.press("Enter")

    case = settings(figure)
    assert case["nonlinearity"] == ("relu" if seed == 1 else "tanh")
    expected = rnnlib_numbers(case)
    rows = table(figure)
    assert rows.pop("x") == case["x"]
    assert set(rows) == set(expected)
    for name, values in rows.items():
        assert all(map(close, values, expected[name]))
        # the drawing and the formula say the same as the table
        drawn = figure.locator(f"svg .{name} .value").all_text_contents()
        drawn = [shown(text) for text in drawn if text != "0" or name != "h"]
        assert drawn == values
    results = [shown(text) for text in figure.locator(".formula b").all_text_contents()]
    assert results == [rows[name][-1] for name in ("z", "h", "y")]
    last = figure.locator(".formula .sum .filled").text_content().replace("−", "-")
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", last)]
    want = [case["w_x"], case["x"][-1], case["w_h"], rows["h"][-2], case["b"], rows["z"][-1]]
    assert numbers == want


def test_time_moves_both_ways_and_stops_at_its_ends(figure):
    def known():
        return sum(value is not None for value in table(figure)["h"])

    step, back = button(figure, "Step"), button(figure, "Back")
    assert known() == 1
    for expected in (2, 3, 4, 5, 5):
        step.press("Enter")
        assert known() == expected
    assert step.get_attribute("aria-disabled") == "true"
    assert step.evaluate("node => node.matches(':focus')"), "the focus must stay where it was"
    back.press("Space")
    assert known() == 4
    assert step.get_attribute("aria-disabled") == "false"
    button(figure, "Reset").press("Enter")
    assert known() == 0
    assert back.get_attribute("aria-disabled") == "true"
    assert "memory h is 0" in figure.locator("[aria-live]").text_content()


def test_play_walks_through_time_and_pauses(figure):
    figure.page.clock.install(time=0)
    figure.page.clock.pause_at(1000)  # from here, time passes only when it is told to
    button(figure, "Reset").press("Enter")
    button(figure, "Play").press("Enter")
    seen = []
    for _ in range(2):
        seen.append(sum(value is not None for value in table(figure)["h"]))
        figure.page.clock.run_for(900)
    assert seen == [1, 2]
    button(figure, "Pause").press("Enter")
    figure.page.clock.run_for(5000)
    assert sum(value is not None for value in table(figure)["h"]) == 3
    assert button(figure, "Play").count() == 1


def test_less_motion_means_the_end_at_once(figure):
    figure.page.emulate_media(reduced_motion="reduce")
    button(figure, "Play").press("Enter")
    assert None not in table(figure)["h"]
    assert button(figure, "Play").count() == 1


def test_tab_alone_reaches_every_control(figure):
    controls = figure.locator("button, input[type=range], input[type=radio]:checked, summary")
    expected = controls.count()
    assert expected == 5 + 5 + 4 + 5 + 1 + 1  # examples, inputs, time, weights, f, table
    controls.first.focus()
    reached = 1
    inside = "document.activeElement?.tagName === 'UNROLLED-RNN-CELL'"
    while reached < 50:
        figure.page.keyboard.press("Tab")
        if not figure.page.evaluate(inside):
            break
        reached += 1
    assert reached == expected


@pytest.mark.parametrize(
    ("example", "holds"),
    [
        ("Fading trace", lambda h: h[0] > h[1] > h[2] > h[3] > h[4] > 0),
        ("No memory", lambda h: h[1] == h[4] == 0 and h[0] == h[2] == h[3] > 0.7),
        ("Latch", lambda h: min(h[:3]) > 0.9 and max(h[3:]) < -0.7),
        ("Counter", lambda h: h == [1, 1, 2, 3, 3]),
        ("Explosion", lambda h: h == [1, 2, 4, 8, 16]),
    ],
)
def test_each_example_does_what_it_is_called(figure, example, holds):
    button(figure, "Counter").press("Enter")
    button(figure, example).press("Enter")
    for _ in range(STEPS):
        button(figure, "Step").press("Enter")
    h = table(figure)["h"]
    assert holds(h), h
    assert all(map(close, h, rnnlib_numbers(settings(figure))["h"]))


@pytest.mark.parametrize("width", [320, 390, 560, 640, 800, 1280])
def test_nothing_moves_and_nothing_sticks_out(figure, width):
    page = figure.page
    page.set_viewport_size({"width": width, "height": 900})
    figure.locator("summary").press("Enter")
    heights = set()
    for example in ("Fading trace", "Latch", "Explosion"):
        button(figure, example).press("Enter")
        button(figure, "Reset").press("Enter")
        for _ in range(STEPS + 1):
            heights.add(round(figure.bounding_box()["height"]))
            button(figure, "Step").press("Enter")
    assert len(heights) == 1, "stepping must not move what stands below"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = figure.evaluate(
        """(element) => {
            const { left, right } = element.getBoundingClientRect();
            const parts = [...element.shadowRoot.querySelectorAll("figure *:not(.unseen)")];
            return parts.filter((part) => {
                const box = part.getBoundingClientRect();
                return box.width && (box.left < left - 1 || box.right > right + 1);
            }).map((part) => part.tagName + " " + part.textContent.slice(0, 20));
        }"""
    )
    assert outside == []
    crowded = figure.evaluate(
        """(element) => [...element.shadowRoot.querySelectorAll("svg g")].flatMap((group) => {
            const box = group.querySelector(":scope > rect.box");
            const text = group.querySelector(":scope > .value");
            if (!box || !text) return [];
            return text.getBBox().width > box.getBBox().width - 4 ? [text.textContent] : [];
        })"""
    )
    assert crowded == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_keeps_room_for_the_figure(page, site, width):
    """What stands below does not jump when the script arrives."""
    page.set_viewport_size({"width": width, "height": 900})
    held = []
    page.route("**/figures/rnn-cell.js*", lambda route: held.append(route))
    page.goto(f"{site}/02_cell.html", wait_until="commit")
    figure = page.locator("unrolled-rnn-cell")
    figure.wait_for(state="attached")
    page.wait_for_function("document.styleSheets.length > 0")
    before = figure.bounding_box()
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    page.wait_for_function("!!customElements.get('unrolled-rnn-cell')")
    after = figure.bounding_box()
    assert abs(after["height"] - before["height"]) < 20
    assert after["width"] == before["width"]


def test_a_slider_far_out_still_fits(figure):
    figure.page.set_viewport_size({"width": 320, "height": 900})
    button(figure, "Explosion").press("Enter")
    figure.locator("input[type=range]").nth(1).press("End")
    for _ in range(STEPS):
        button(figure, "Step").press("Enter")
    assert table(figure)["h"] == [1, 3, 9, 27, 81]
    assert figure.page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_while_it_is_played(figure, scheme, width):
    page = figure.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    button(figure, "Latch").press("Enter")
    for _ in range(STEPS):
        button(figure, "Step").press("Enter")
    figure.locator("summary").press("Enter")
    page.add_script_tag(path=str(AXE))
    result = page.evaluate("axe.run('unrolled-rnn-cell')")
    assert result["passes"]
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in result["violations"]] == []


def test_the_colours_follow_the_page(figure):
    colours = []
    for theme in ("light", "dark"):
        figure.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        colours.append(
            figure.evaluate("el => getComputedStyle(el.shadowRoot.querySelector('figure')).color")
        )
    assert colours[0] != colours[1]


def test_the_drawing_is_told_in_words(figure):
    button(figure, "Counter").press("Enter")
    button(figure, "Step").press("Enter")
    drawing = figure.get_by_role("img")
    assert "Memory so far: 1.00, 1.00." in drawing.get_attribute("aria-label")
    status = figure.locator("[aria-live]").text_content()
    assert (
        status == "Step 2 of 5: x is 0, the memory h goes from 1.00 to 1.00, the output y is 1.00."
    )


def test_without_scripts_the_figure_is_a_description(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/02_cell.html")
    words = page.locator("unrolled-rnn-cell").text_content()
    assert "drawn five times" in words
    assert page.locator("unrolled-rnn-cell").is_visible()
    context.close()
