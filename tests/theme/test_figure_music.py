"""The live figure of chapter 13: it writes by rnnlib's scores, and is silent unasked."""

import json

import numpy as np
import pytest
from browsing import ROOT

from rnnlib import GRU, Embedding, Linear, Module
from rnnlib.activations import log_softmax, softmax
from rnnlib.checkpoints import dequantize

STORED = json.loads((ROOT / "theme" / "figures" / "music.json").read_text(encoding="utf-8"))
LOW, SIZES = np.array(STORED["low"]), np.array(STORED["sizes"])
STARTS = 1 + np.concatenate([[0], SIZES.cumsum()[:-1]])


class Choir(Module):
    """The network of the chapter, in float64."""

    def __init__(self, V, E, H):
        self.embedding, self.rnn, self.linear = Embedding(V, E), GRU(E, H), Linear(H, V)

    def scores(self, notes):
        """(N + 1, V): before the first note of a piece, and after each."""
        code = notes - np.resize(LOW, len(notes)) + np.resize(STARTS, len(notes))
        x = np.append(0, code).astype(int)[:, None]
        return self.linear(self.rnn(self.embedding(x))[0])[:, 0], x[1:, 0]


@pytest.fixture(scope="module")
def network():
    state = dequantize(STORED["weights"])
    model = Choir(*state["embedding.weight"].shape, state["linear.weight"].shape[1])
    model.load_state_dict(state)
    return model.eval()


@pytest.fixture
def figure(site, page):
    # counts what sounds: nothing may before "Play" is pressed
    page.add_init_script(
        "window.sounds = 0; const Real = window.AudioContext;"
        "window.AudioContext = class extends Real { constructor() { super(); window.sounds++; } };"
    )
    page.goto(f"{site}/13_music.html")
    figure = page.locator("unrolled-music")
    figure.scroll_into_view_if_needed()
    figure.locator("input[type=range]").focus()
    page.keyboard.press("Shift")
    figure.locator("rect").first.wait_for()
    return figure


def notes(figure):
    return np.array(figure.evaluate("element => [...element.chord, ...element.written]"))


def press(figure, name):
    figure.get_by_role("button", name=name, exact=True).press("Enter")


def test_the_computation_is_rnnlib_s_on_random_pieces(figure, network):
    rng = np.random.default_rng(0)
    pieces = [
        (LOW + rng.integers(0, SIZES, (rng.integers(1, 9), 4))).ravel().tolist() for _ in range(20)
    ]
    answers = figure.page.evaluate(
        """async (pieces) => {
            const { choir } = await import(document.querySelector("script[src*='/music.js']").src);
            const url = new URL("_static/figures/music.json", location);
            const model = choir(await (await fetch(url)).json());
            return pieces.map((notes) => {
                let now = model.begin();
                return notes.map((note, n) => {
                    const answer = [model.scores(now, n % 4), model.surprise(now, n % 4, note)];
                    now = model.follow(now, n % 4, note);
                    return answer;
                });
            });
        }""",
        pieces,
    )
    for piece, answer in zip(pieces, answers, strict=True):
        scores, code = network.scores(np.array(piece))
        log_p = log_softmax(scores)
        for n, (own, nats) in enumerate(answer):
            v = n % 4
            want = scores[n, STARTS[v] : STARTS[v] + SIZES[v]]
            np.testing.assert_allclose(own, want, rtol=1e-8, atol=1e-10)
            assert nats == pytest.approx(-log_p[n, code[n]], rel=1e-8)


def test_it_opens_with_a_chord_and_says_how_surprising_it_was(figure, network):
    assert notes(figure).tolist() == STORED["chord"]
    scores, code = network.scores(notes(figure))
    nats = -log_softmax(scores)[np.arange(4), code].sum()
    said = figure.locator(".status").text_content()
    assert f"by {nats:.1f} nats" in said and "This chord is yours" in said


def test_the_first_press_writes(site, page):
    """The press that fetches the network is not lost."""
    page.goto(f"{site}/13_music.html")
    figure = page.locator("unrolled-music")
    figure.get_by_role("button", name="Write four bars", exact=True).click()
    figure.locator("rect").first.wait_for()
    assert len(notes(figure)) == 4 + 64


def test_at_temperature_0_it_writes_the_likeliest(figure, network):
    figure.locator("input[type=range]").press("Home")
    press(figure, "Write four bars")
    written = notes(figure)
    assert len(written) == 4 + 64
    scores, _ = network.scores(written)
    for n in range(4, len(written)):
        v = n % 4
        own = softmax(scores[n, STARTS[v] : STARTS[v] + SIZES[v]])
        assert own[written[n] - LOW[v]] >= own.max() - 1e-9


def test_the_roll_holds_eight_bars_and_says_when_it_is_full(figure):
    for _ in range(3):
        press(figure, "Write four bars")
    assert len(notes(figure)) == 4 * 33 == figure.locator("svg rect").count()
    assert figure.locator(".status").text_content().startswith("The roll is full")
    press(figure, "Begin anew")
    assert notes(figure).tolist() == STORED["chord"]


def test_the_readers_chord_is_read(figure, network):
    for v, select in enumerate(figure.locator("select").all()):
        assert select.locator("option").count() == SIZES[v]
        select.select_option(value=str(LOW[v] + 3))
    assert notes(figure).tolist() == (LOW + 3).tolist()


def test_nothing_sounds_before_play_is_pressed(figure):
    for _ in range(2):  # long enough to be stopped before its end
        press(figure, "Write four bars")
    assert figure.page.evaluate("window.sounds") == 0
    press(figure, "Play")
    assert figure.page.evaluate("window.sounds") == 1
    assert figure.get_by_role("button", name="Stop").is_visible()
    figure.locator("line.now").wait_for(state="attached")
    press(figure, "Stop")
    assert figure.locator("line.now").count() == 0
    assert figure.get_by_role("button", name="Play").is_visible()


def test_a_link_tells_its_piece(figure, site):
    press(figure, "Write four bars")
    figure.locator("input[type=range]").press("End")
    before = notes(figure).tolist()
    figure.page.wait_for_function("location.search.includes('written')")
    figure.page.reload()
    figure.scroll_into_view_if_needed()
    figure.locator("input[type=range]").focus()
    figure.page.keyboard.press("Shift")
    figure.locator("rect").first.wait_for()
    assert notes(figure).tolist() == before
    assert figure.evaluate("element => element.temperature") == 1.5
