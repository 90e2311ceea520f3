"""The live figure of chapter 01: its numbers are rnnlib's, its best guess is the grammar's."""

import json

import numpy as np
import pytest
from browser import settle
from browsing import ROOT

from rnnlib import RNN, Embedding, Linear, Module, softmax
from rnnlib.checkpoints import dequantize
from rnnlib.data import storybook

WEIGHTS = ROOT / "theme" / "figures" / "next-word.json"
PLACES = list(storybook.PLACES)
FRAME = storybook.FRAMES[0]


class NextWord(Module):
    """The network of the chapter, in float64."""

    def __init__(self, V, I, H):
        self.embedding = Embedding(V, I)
        self.rnn = RNN(I, H)
        self.linear = Linear(H, V)

    def states(self, words):
        x = np.array([0, *(storybook.INDEX[word] for word in words)])[:, None]
        h = self.rnn(self.embedding(x))[0]
        return h[1:, 0], softmax(self.linear(h))[1:, 0]


@pytest.fixture(scope="module")
def network():
    state = dequantize(json.loads(WEIGHTS.read_text())["weights"])
    H, I = state["rnn.weight_ih_l0"].shape
    model = NextWord(len(storybook.VOCABULARY), I, H)
    model.load_state_dict(state)
    return model.eval()


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/01_storybook.html")
    figure = page.locator("unrolled-next-word")
    figure.scroll_into_view_if_needed()
    figure.locator("tbody tr.strong").wait_for()
    return figure


def call(figure, body, input):
    """What a function body gives that sees the figure's module and its grammar and weights."""
    return figure.page.evaluate(
        f"""async (input) => {{
            const url = (name) => new URL("_static/figures/" + name, location);
            const network = await import(url("network.js"));
            const figure = await import(document.querySelector("script[src*='next-word.js']").src);
            const model = await (await fetch(url("next-word.json"))).json();
            {body}
        }}""",
        input,
    )


def rows(figure):
    """Name, share and best guess of each row; None where nothing is said."""
    cells = figure.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [0, 2, 3].map((i) => row.cells[i].textContent))"
    )
    number = {"–": None}
    return [
        (name, *(number.get(t, int(t.strip("%–") or 0)) for t in more)) for name, *more in cells
    ]


def place(figure):
    """The slider over the words."""
    return figure.locator(".reading input[type=range]")


def check(figure, network):
    """All that the figure says now is what rnnlib and the grammar say about the story it shows."""
    words = figure.locator(".told [data-word]").all_text_contents()
    at = len(figure.locator(".told").locator(".read, .now").all())
    assert place(figure).input_value() == str(at)
    assert figure.locator(".told .now").text_content() == words[at - 1]
    p = network.states(words)[1][at - 1]
    story = " ".join(words)
    if at == len(words) and story.endswith(FRAME):
        reason, so, _ = story.partition(" so ")
        best = [*storybook.posterior(reason if so else None), 0]
        expected = [*p[storybook.PLACE_WORDS], 1 - p[storybook.PLACE_WORDS].sum()]
        names = [*PLACES, "any other"]
    else:
        order = np.argsort(-p, kind="stable")[:12]
        best = [None] * 13
        expected = [*p[order], 1 - p[order].sum()]
        names = [*(storybook.VOCABULARY[i] for i in order), "any other"]
    table = rows(figure)
    assert [name for name, *_ in table] == names
    for (_, share, mark), q, r in zip(table, expected, best, strict=True):
        assert abs(share - 100 * q) <= 0.5 + 1e-6
        assert (mark is None) if r is None else abs(mark - 100 * r) <= 0.5 + 1e-6
    left = "parts => parts.map((part) => parseFloat(part.style.{}))"
    widths = figure.locator("tbody .bar").evaluate_all(left.format("width"))
    np.testing.assert_allclose(widths, 100 * np.array(expected), atol=0.01)
    marks = figure.locator("tbody .mark").evaluate_all(left.format("left"))
    np.testing.assert_allclose(marks, [100 * (r or 0) for r in best], atol=0.01)
    top = names[int(np.argmax(expected))]
    assert figure.locator("tbody tr.strong th").text_content() == top
    assert f"The network expects {top}, " in figure.locator(".status").text_content()
    assert figure.locator(".blank").text_content() == (top if at == len(words) else "…")
    return words


def test_the_grammar_is_rnnlib_s():
    stored = json.loads(WEIGHTS.read_text())
    assert tuple(stored["vocabulary"]) == storybook.VOCABULARY
    assert stored["places"] == storybook.PLACES
    assert stored["reasons"] == storybook.REASONS
    assert stored["frame"] == FRAME
    assert {int(k): v for k, v in stored["phrases"].items()} == storybook.PHRASES


def test_the_computation_is_rnnlib_s_on_random_words(figure, network):
    rng = np.random.default_rng(0)
    stories = [rng.integers(1, 127, size=rng.integers(1, 35)).tolist() for _ in range(32)]
    answers = call(
        figure,
        """const read = figure.reader(network.unpack(model.weights));
           return input.map((words) => read([0, ...words]).slice(1));""",
        stories,
    )
    for story, answer in zip(stories, answers, strict=True):
        h, p = network.states([storybook.VOCABULARY[word] for word in story])
        np.testing.assert_allclose([one["h"] for one in answer], h, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose([one["p"] for one in answer], p, rtol=1e-9, atol=1e-12)


def test_the_best_guess_is_the_grammar_s(figure):
    reasons = [None, *storybook.TOLD]
    answers = call(figure, "return input.map((one) => figure.posterior(model, one));", reasons)
    for reason, answer in zip(reasons, answers, strict=True):
        np.testing.assert_allclose(answer, storybook.posterior(reason), rtol=1e-12, atol=0)


def test_a_story_of_the_grammar_is_recognised(figure):
    told = [one for one in storybook.stories(300, 0) if " ".join(one.words[:-1]).endswith(FRAME)]
    assert len(told) > 50
    texts = [" ".join(one.words[:-1]) for one in told]
    wrong = ["so " + FRAME, "the fridge is empty " + FRAME, "mia says " + FRAME, "i am going to"]
    answers = call(
        figure, "return input.map((one) => figure.pattern(model).exec(one));", texts + wrong
    )
    assert answers[len(told) :] == [None] * len(wrong)
    assert [answer[1] for answer in answers[: len(told)]] == [one.reason for one in told]


def test_it_opens_with_the_book_s_sentence(figure, network):
    words = check(figure, network)
    assert " ".join(words) == "the fridge is empty so after a short nap i am going to the"
    assert figure.locator(".blank").text_content() == "market"


def test_the_keyboard_plays_it(figure, network):
    select, slider = figure.locator("select"), figure.locator(".left input[type=range]")
    assert select.locator("option:enabled").count() == 1 + len(storybook.TOLD)
    told = set()
    for keys in (["ArrowDown"], ["ArrowDown"] * 3, ["Home"]):
        for key in keys:
            select.press(key)
        told.add(" ".join(check(figure, network)))
    assert len(told) == 3
    assert "how common each place is" in figure.locator(".status").text_content()
    assert [best for _, _, best in rows(figure)][:2] == [24, 12]
    lengths = []
    slider.press("Home")
    for _ in range(int(slider.get_attribute("max")) + 1):
        lengths.append(len(check(figure, network)))
        shown = int(slider.get_attribute("aria-valuetext").split()[0])
        assert lengths[-1] == lengths[0] + shown
        slider.press("ArrowRight")
    assert sorted(set(lengths)) == lengths and lengths[-1] - lengths[0] > 20


def test_other_words_are_of_the_same_length_and_from_the_grammar(figure, network):
    button = figure.get_by_role("button", name="Other words")
    figure.locator(".left input[type=range]").press("End")
    told = {" ".join(check(figure, network))}
    for _ in range(5):
        button.press("Enter")
        words = check(figure, network)
        assert len(words) == len(next(iter(told)).split())
        told.add(" ".join(words))
    assert len(told) == 6


def test_each_word_has_a_column_of_its_hidden_state(figure, network):
    words = check(figure, network)
    h = network.states(words)[0]
    paths = figure.locator(".heat path").evaluate_all(
        """paths => paths.map((path) => [path.getAttribute("class") === "above" ? 1 : -1,
             Number(path.getAttribute("fill-opacity")), path.getAttribute("d")])"""
    )
    width = float(figure.locator(".reading svg").get_attribute("viewBox").split()[2]) / len(words)
    drawn = np.zeros_like(h)
    for sign, opacity, d in paths:
        for cell in d.split("z")[:-1]:
            x, y = cell[1:].split("h")[0].split()
            drawn[round(float(x) / width), round(float(y) / (112 / h.shape[1]))] += sign * opacity
    np.testing.assert_allclose(drawn, h, atol=0.5 / 8 + 1e-9)
    assert abs(drawn).max() == 1


@pytest.mark.parametrize("where", ["told", "column", "slider"])
def test_the_guess_at_a_word_by_pointer_and_by_key(figure, network, where):
    page = figure.page
    if where == "slider":
        for _ in range(5):
            place(figure).press("ArrowLeft")
        words = check(figure, network)
    else:
        if where == "told":
            figure.locator(".told [data-word='9']").hover()
        else:
            settle(page)
            box = figure.locator(".reading svg").bounding_box()
            page.mouse.move(box["x"] + 8.5 / 14 * box["width"], box["y"] + 20)
        words = check(figure, network)
        assert figure.locator(".told .later").count() == 5
        page.mouse.move(0, 0)
        check(figure, network)
        assert figure.locator(".told .later").count() == 0, "what is only pointed at does not stay"
        if where == "told":
            figure.locator(".told [data-word='9']").click()
        else:
            page.mouse.click(box["x"] + 8.5 / 14 * box["width"], box["y"] + 20)
        page.mouse.move(0, 0)
        check(figure, network)
    assert figure.locator(".told .later").count() == 5
    said = figure.locator(".status").text_content()
    assert "After word 9 of 14, “nap”" in said and f"goes on with {words[9]}, " in said


def test_a_story_of_the_reader_s_own(figure, network):
    text = figure.locator("input[type=text]")
    for story in ("My purse is empty, so I am going to the", "the dog says", "her fridge is"):
        text.fill(story)
        words = check(figure, network)
        assert words == story.lower().replace(",", "").split()
    assert figure.locator("select").input_value() == "own"
    for story, said in (
        ("my banana is gone", "The network does not know “banana”."),
        ("", "A story has at least one word."),
        ("the " * 35, "The story has 35 words, but may have at most 34."),
    ):
        text.fill(story)
        assert figure.get_by_role("alert").text_content() == said
        assert text.get_attribute("aria-invalid") == "true"
        assert check(figure, network) == ["her", "fridge", "is"], "the last story stands"
        assert text.input_value() == story, "what was written is not lost"
    figure.locator("select").select_option("my knee is swollen")
    assert figure.get_by_role("alert").text_content() == ""
    words = check(figure, network)
    assert text.input_value() == " ".join(words)


def test_guess_first_then_reveal(figure, network):
    figure.get_by_role("button", name="Guess first").press("Enter")
    assert figure.locator(".blank").text_content() == "?"
    assert {share for _, share, _ in rows(figure)} == {None}
    assert figure.locator("tbody tr.strong, .bar[style*='width: 9']").count() == 0
    figure.get_by_role("button", name="park", exact=True).press("Enter")
    check(figure, network)
    assert "You guessed park. " in figure.locator(".status").text_content()
    assert figure.locator("tbody [aria-pressed=true]").all_text_contents() == ["park"]
    figure.locator("select").select_option("my purse is empty")
    assert {share for _, share, _ in rows(figure)} == {None}, "a new story is guessed anew"


def test_a_link_tells_its_story(figure, network, site):
    page = figure.page
    story = f"my hair is long so {FRAME}".replace(" ", "-")
    page.goto(f"{site}/01_storybook.html?next-word=story:{story},word:3")
    figure.scroll_into_view_if_needed()
    figure.locator("tbody tr.strong").wait_for()
    assert check(figure, network)[:3] == ["my", "hair", "is"]
    assert figure.locator("select").input_value() == "my hair is long"
    assert figure.locator(".told .now").text_content() == "is"
