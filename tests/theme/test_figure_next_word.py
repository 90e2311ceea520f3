"""The live figure of chapter 01: its numbers are rnnlib's, its best guess is the grammar's."""

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from rnnlib import RNN, Embedding, Linear, Module, softmax
from rnnlib.data import storybook

ROOT = Path(__file__).parents[2]
WEIGHTS = ROOT / "theme" / "figures" / "next-word.json"
AXE = ROOT / "theme" / "node_modules" / "axe-core" / "axe.min.js"
PLACES = list(storybook.PLACES)


class NextWord(Module):
    """The network of the chapter, in float64."""

    def __init__(self, V, I, H, seed=0):
        rng = np.random.default_rng(seed)
        self.embedding = Embedding(V, I, seed=rng)
        self.rnn = RNN(I, H, seed=rng)
        self.linear = Linear(H, V, seed=rng)

    def forward(self, x):
        return self.linear(self.rnn(self.embedding(x))[0])


def unpacked():
    packed = json.loads(WEIGHTS.read_text())["weights"]
    return {
        name: np.frombuffer(base64.b64decode(one["int16"]), "<i2").reshape(one["shape"])
        * one["scale"]
        for name, one in packed.items()
    }


@pytest.fixture(scope="module")
def network():
    state = unpacked()
    H, I = state["rnn.weight_ih_l0"].shape
    model = NextWord(len(storybook.VOCABULARY), I, H)
    model.load_state_dict(state)
    return model.eval()


def expected(network, words):
    """P(next word) by rnnlib after these words."""
    x = np.array([0, *(storybook.INDEX[word] for word in words)])[:, None]
    return softmax(network(x))[-1, 0]


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/01_storybook.html")
    figure = page.locator("unrolled-next-word")
    figure.scroll_into_view_if_needed()
    figure.locator("tbody tr.top").wait_for()
    return figure


def rows(figure):
    """Shares of the network and of the best guess, in the order of the table."""
    table = {}
    for row in figure.locator("tbody tr").all():
        name = row.locator("th").text_content()
        cells = row.locator("td.number").all_text_contents()
        table[name] = tuple(int(cell.removesuffix("%")) for cell in cells)
    return table


def words_told(figure):
    """The words before the blank."""
    *words, blank = figure.locator(".told").text_content().split()
    assert figure.locator(".told .blank").text_content() == blank
    return words


def check(figure, network):
    """All that the figure says now is what rnnlib and the grammar say about the story it shows."""
    words = words_told(figure)
    reason = figure.locator("select").input_value() or None
    assert " ".join(words).startswith(f"{reason} so" if reason else "")
    p = expected(network, words)
    shares = [*p[storybook.PLACE_WORDS], 1 - p[storybook.PLACE_WORDS].sum()]
    best = [*storybook.posterior(reason), 0]
    table = rows(figure)
    assert list(table) == [*PLACES, "any other"]
    for (network_share, best_share), q, r in zip(table.values(), shares, best, strict=True):
        assert abs(network_share - 100 * q) <= 0.5 + 1e-6
        assert abs(best_share - 100 * r) <= 0.5 + 1e-6
    widths = figure.locator(".bar").evaluate_all(
        "bars => bars.map((b) => parseFloat(b.style.width))"
    )
    np.testing.assert_allclose(widths, 100 * np.array(shares), atol=0.01)
    marks = figure.locator(".mark").evaluate_all(
        "marks => marks.map((m) => parseFloat(m.style.left))"
    )
    np.testing.assert_allclose(marks, 100 * np.array(best), atol=0.01)
    top = PLACES[int(np.argmax(shares[:12]))]
    assert words_told(figure) and figure.locator(".blank").text_content() == top
    assert f"The network expects {top}, " in figure.locator(".say").text_content()
    return words


def test_the_weights_are_small_and_the_grammar_is_rnnlib_s():
    stored = json.loads(WEIGHTS.read_text())
    assert len(gzip.compress(WEIGHTS.read_bytes())) < 60_000
    assert tuple(stored["vocabulary"]) == storybook.VOCABULARY
    assert stored["places"] == storybook.PLACES
    assert stored["reasons"] == storybook.REASONS
    assert stored["frame"] == storybook.FRAMES[0]
    assert {int(k): v for k, v in stored["phrases"].items()} == storybook.PHRASES


def test_the_computation_is_rnnlib_s_on_random_words(figure, network):
    rng = np.random.default_rng(0)
    V = len(storybook.VOCABULARY)
    stories = [rng.integers(V, size=rng.integers(1, 60)).tolist() for _ in range(64)]
    answers = figure.page.evaluate(
        """async (stories) => {
            const url = (name) => new URL("_static/figures/" + name, location);
            const { distribution, unpack } = await import(url("next-word.js"));
            const weights = unpack((await (await fetch(url("next-word.json"))).json()).weights);
            return stories.map((words) => distribution(weights, words));
        }""",
        stories,
    )
    for words, answer in zip(stories, answers, strict=True):
        p = softmax(network(np.array(words)[:, None]))[-1, 0]
        np.testing.assert_allclose(answer, p, rtol=1e-9, atol=1e-12)


def test_the_computation_is_rnnlib_s_on_random_weights(figure):
    rng = np.random.default_rng(1)
    cases = []
    for seed in range(32):
        V, I, H = rng.integers(1, 9, size=3)
        model = NextWord(int(V), int(I), int(H), seed)
        words = rng.integers(V, size=rng.integers(1, 12))
        weights = {name: array.tolist() for name, array in model.state_dict().items()}
        p = softmax(model.eval()(words[:, None]))[-1, 0]
        cases.append(({"weights": weights, "words": words.tolist()}, p))
    answers = figure.page.evaluate(
        """async (cases) => {
            const { distribution } =
                await import(new URL("_static/figures/next-word.js", location));
            return cases.map(({ weights, words }) => distribution(weights, words));
        }""",
        [case for case, _ in cases],
    )
    for (_, p), answer in zip(cases, answers, strict=True):
        np.testing.assert_allclose(answer, p, rtol=1e-12)


def test_the_best_guess_is_the_grammar_s(figure):
    reasons = [None, *storybook.TOLD]
    answers = figure.page.evaluate(
        """async (reasons) => {
            const url = (name) => new URL("_static/figures/" + name, location);
            const { posterior } = await import(url("next-word.js"));
            const grammar = await (await fetch(url("next-word.json"))).json();
            return reasons.map((reason) => posterior(grammar, reason));
        }""",
        reasons,
    )
    for reason, answer in zip(reasons, answers, strict=True):
        np.testing.assert_allclose(answer, storybook.posterior(reason), rtol=1e-12, atol=0)


def test_it_opens_with_the_book_s_sentence(figure, network):
    words = check(figure, network)
    assert " ".join(words) == "the fridge is empty so after a short nap i am going to the"
    assert figure.locator(".blank").text_content() == "market"


def test_the_keyboard_plays_it(figure, network):
    select, slider = figure.locator("select"), figure.locator("input[type=range]")
    assert select.locator("option").count() == 1 + len(storybook.TOLD)
    told = set()
    for keys in (["ArrowDown"], ["ArrowDown"] * 3, ["Home"], ["End"]):
        for key in keys:
            select.press(key)
        told.add(" ".join(check(figure, network)))
    assert len(told) == 4
    lengths = []
    slider.press("Home")
    for _ in range(int(slider.get_attribute("max")) + 1):
        words = check(figure, network)
        lengths.append(len(words))
        shown = int(figure.locator("output").text_content().split()[0])
        assert slider.get_attribute("aria-valuetext") == f"{shown} words"
        assert lengths[-1] == lengths[0] + shown
        slider.press("ArrowRight")
    assert sorted(set(lengths)) == lengths and lengths[-1] - lengths[0] > 20


def test_other_words_are_of_the_same_length_and_from_the_grammar(figure, network):
    button = figure.get_by_role("button", name="Other words")
    figure.locator("input[type=range]").press("End")
    told = {" ".join(check(figure, network))}
    for _ in range(5):
        button.press("Enter")
        words = check(figure, network)
        assert len(words) == len(next(iter(told)).split())
        told.add(" ".join(words))
    assert len(told) == 6


def test_without_a_reason_habit_is_left(figure, network):
    figure.locator("select").select_option("")
    check(figure, network)
    assert [best for _, best in rows(figure).values()][:2] == [24, 12]
    assert "only habit is left" in figure.locator(".say").text_content()


def test_tab_alone_reaches_every_control(figure):
    figure.locator("select").focus()
    for kind in ("range", "button"):
        figure.page.keyboard.press("Tab")
        active = "document.querySelector('unrolled-next-word').shadowRoot.activeElement.type"
        assert figure.page.evaluate(active) == kind


def test_the_weights_wait_until_the_reader_comes_near(site, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    def push_down(route):
        answer = route.fetch()
        tall = "<div style='height: 5000px'></div><unrolled-next-word"
        route.fulfill(response=answer, body=answer.text().replace("<unrolled-next-word", tall, 1))

    page.route("**/01_storybook.html", push_down)
    page.goto(f"{site}/01_storybook.html")
    page.wait_for_function("Boolean(customElements.get('unrolled-next-word'))")
    page.wait_for_timeout(300)
    assert not any("next-word.json" in url for url in asked)
    page.locator("unrolled-next-word").scroll_into_view_if_needed()
    page.locator("unrolled-next-word tbody tr.top").wait_for()
    assert sum("next-word.json" in url for url in asked) == 1


def test_a_failed_fetch_is_said(site, browser):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/next-word.json", lambda route: route.abort())
    page.goto(f"{site}/01_storybook.html")
    figure = page.locator("unrolled-next-word")
    figure.scroll_into_view_if_needed()
    figure.locator(".say", has_text="could not be fetched").wait_for()
    context.close()


@pytest.mark.parametrize("width", [320, 390, 480, 600, 1280])
def test_nothing_moves_and_nothing_sticks_out(figure, width):
    page = figure.page
    page.set_viewport_size({"width": width, "height": 900})
    heights = {round(figure.bounding_box()["height"])}
    for reason in ("", "my pills are finished", "my holiday is starting"):
        figure.locator("select").select_option(reason)
        for key in ("Home", "End"):
            figure.locator("input[type=range]").press(key)
            for _ in range(4):
                figure.get_by_role("button", name="Other words").press("Enter")
                heights.add(round(figure.bounding_box()["height"]))
    assert len(heights) == 1, "playing must not move what stands below"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = figure.evaluate(
        """(element) => {
            const { left, right } = element.getBoundingClientRect();
            return [...element.shadowRoot.querySelectorAll("figure *")].filter((part) => {
                const box = part.getBoundingClientRect();
                return box.width && (box.left < left - 1 || box.right > right + 1);
            }).map((part) => part.tagName + " " + part.textContent.slice(0, 20));
        }"""
    )
    assert outside == []


def test_the_height_does_not_change_when_the_weights_arrive(browser, site):
    context = browser.new_context(viewport={"width": 390, "height": 900})
    page = context.new_page()
    held = []
    page.route("**/next-word.json", lambda route: held.append(route))
    page.goto(f"{site}/01_storybook.html")
    figure = page.locator("unrolled-next-word")
    figure.scroll_into_view_if_needed()
    figure.locator(".say", has_text="being fetched").wait_for()
    before = figure.bounding_box()["height"]
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    figure.locator("tbody tr.top").wait_for()
    assert figure.bounding_box()["height"] == pytest.approx(before, abs=1)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_while_it_is_played(figure, scheme, width):
    page = figure.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    figure.locator("select").select_option("the sun is shining")
    figure.locator("input[type=range]").press("End")
    page.add_script_tag(path=str(AXE))
    result = page.evaluate("axe.run('unrolled-next-word')")
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


def test_without_scripts_the_figure_is_a_description(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/01_storybook.html")
    figure = page.locator("unrolled-next-word")
    assert "which plays on the website" in figure.text_content()
    assert figure.is_visible()
    context.close()
