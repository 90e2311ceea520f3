"""The live figure of chapter 10: its words and weights are rnnlib's, and it writes Hungarian."""

import json

import numpy as np
import pytest
from browsing import ROOT

from rnnlib import LSTM, Decoder, DotAttention, Embedding, Encoder, Seq2Seq, greedy
from rnnlib.activations import log_softmax
from rnnlib.checkpoints import dequantize
from rnnlib.data import dates

STORED = json.loads((ROOT / "theme/figures/translation.json").read_text(encoding="utf-8"))
WEIGHTS = dequantize(STORED["weights"])


@pytest.fixture(scope="module")
def model():
    (V_en, I), (V_hu, H) = (
        WEIGHTS[name].shape for name in ("encoder.embedding.weight", "decoder.output.weight")
    )
    encoder = Encoder(Embedding(V_en, I), LSTM(I, H))
    model = Seq2Seq(encoder, Decoder(Embedding(V_hu, I), LSTM(I, H), DotAttention()))
    model.load_state_dict(WEIGHTS)
    return model.eval()


def answer(model, source, most=60):
    """The words, the scores (T_q, V) and the weights (T_q, T_k) of a greedy translation."""
    memory, state = model.encoder(np.array(source)[:, None])
    scores, looks = [], []

    def step(words, carried):
        logits, carried = model.decoder.step(words, carried, memory)
        scores.append(logits[0])
        looks.append(model.decoder.weights[0, 0])
        return log_softmax(logits), carried

    written = greedy(step, state, [dates.START], most, end=dates.END)[:, 0]
    return written.tolist(), np.array(scores), np.array(looks)


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/10_translation.html")
    figure = page.locator("unrolled-translation")
    figure.scroll_into_view_if_needed()
    figure.locator("input[type=text]").click()
    figure.locator(".card:not([aria-busy])").wait_for()
    return figure


def shown(figure):
    return figure.locator(".told b").text_content()


def test_the_words_are_rnnlib_s():
    assert STORED["words"] == {language: list(words) for language, words in dates.WORDS.items()}


def test_a_first_example_is_drawn_before_anything_is_fetched(site, page, model):
    """It stands in the script, and is what the stored weights give, to two digits."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/10_translation.html")
    figure = page.locator("unrolled-translation")
    figure.scroll_into_view_if_needed()
    figure.locator("svg .cell").first.wait_for()
    assert shown(figure) == "2024. január 5., péntek"
    figure.locator("input[type=range]").evaluate(
        "input => { input.value = 6; input.dispatchEvent(new Event('input')); }"
    )
    said = figure.locator(".status").text_content()
    assert said.startswith("Before it writes “január”, it looks at “January”, its word 3")
    assert not [url for url in asked if "translation.json" in url]

    first = page.evaluate("customElements.get('unrolled-translation').shown")
    assert first == STORED["first"]
    text = figure.locator("input[type=text]").input_value()
    written, _, looks = answer(model, dates.encode(text, "en"))
    assert first["source"] == dates.split(text, "en")
    assert first["target"] == [dates.WORDS["hu"][word] for word in written]
    np.testing.assert_allclose(first["looks"], looks, atol=0.0051)


def test_the_row_chosen_before_the_weights_came_stays(site, page):
    page.goto(f"{site}/10_translation.html")
    figure = page.locator("unrolled-translation")
    figure.locator("input[type=range]").press("End")
    figure.locator(".card:not([aria-busy])").wait_for()
    assert figure.locator(".status").text_content().startswith("Before it writes “the end”")


def test_the_computation_is_rnnlib_s_on_random_words(figure, model):
    rng = np.random.default_rng(0)
    V = len(dates.WORDS["en"])
    sources = [rng.integers(1, V, rng.integers(1, 25)).tolist() for _ in range(20)]
    found = figure.page.evaluate(
        """async (sources) => {
            const script = document.querySelector("script[src*='/translation.js']").src;
            const { translator } = await import(script);
            const { unpack } = await import(new URL("network.js", script));
            const { weights } = await (await fetch(new URL("translation.json", script))).json();
            const translate = translator(unpack(weights));
            return sources.map((source) => translate(source, 20));
        }""",
        sources,
    )
    for source, steps in zip(sources, found, strict=True):
        written, scores, looks = answer(model, source, most=20)
        assert [step["word"] for step in steps] == written
        for name, want in (("scores", scores), ("looks", looks)):
            mine = np.array([step[name] for step in steps])
            np.testing.assert_allclose(mine, want, rtol=1e-7, atol=1e-9, err_msg=name)


def test_what_is_typed_is_translated(figure):
    assert shown(figure) == "2024. január 5., péntek"
    field = figure.locator("input[type=text]")
    for source, target in dates.pairs(12, [1, 2, 3], seed=40, test=True):
        field.fill(source.lower())
        assert shown(figure) == target


def test_the_text_is_joined_as_rnnlib_joins_it(figure):
    targets = [pair.target for pair in dates.pairs(40, [1, 2, 3, 4], seed=41)]
    parts = [dates.split(target, "hu") for target in targets]
    joined = figure.page.evaluate(
        """async ([texts, numerals]) => {
            const script = document.querySelector("script[src*='/translation.js']").src;
            const { joined } = await import(script);
            return texts.map((words) => joined(words, new Set(numerals)));
        }""",
        [parts, dates.PARTS],
    )
    assert joined == targets


def test_the_slider_tells_where_each_word_looks(figure, model):
    source = dates.encode("Friday, January 5, 2024", "en")
    written, _, looks = answer(model, source)
    slider = figure.locator("input[type=range]")
    english = dates.split("Friday, January 5, 2024", "en")
    for row, weights in enumerate(looks):
        slider.fill(str(row + 1))
        said = figure.locator(".status").text_content()
        word = "the end" if written[row] == dates.END else dates.WORDS["hu"][written[row]]
        best = int(weights.argmax())
        assert said.startswith(f"Before it writes “{word}”")
        assert f"“{english[best]}”, its word {best + 1}, with " in said


def test_an_unknown_word_is_named_and_the_last_translation_stands(figure):
    figure.locator("input[type=text]").fill("the fifth of May")
    assert figure.get_by_role("alert").text_content() == "The network does not know “the”."
    assert shown(figure) == "2024. január 5., péntek"


def test_the_examples_can_be_pressed(figure):
    for name in ("A number", "Three things", "A date"):
        figure.get_by_role("button", name=name).press("Enter")
        source = figure.locator("input[type=text]").input_value()
        assert dates.encode(source, "en").size
        assert shown(figure)
