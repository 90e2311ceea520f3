"""The live figure of chapter 14: it believes what rnnlib computes, forwards and backwards."""

import base64
import json

import numpy as np
import pytest
from browsing import ROOT

import rnnlib
from rnnlib.checkpoints import dequantize
from rnnlib.data import mp4

STORED = json.loads((ROOT / "theme" / "figures" / "video.json").read_text(encoding="utf-8"))
NAMES = STORED["names"]


def believed(frames):
    """(T, K), by rnnlib in float64, from frames (T, 32, 32)."""
    state = dequantize(STORED["weights"])
    conv1, conv2 = rnnlib.Conv2d(1, 12, 4, stride=4), rnnlib.Conv2d(12, 16, 3, stride=2, padding=1)
    parts = {"eye.conv1": conv1, "eye.conv2": conv2, "eye.linear": rnnlib.Linear(256, 32)}
    parts |= {"rnn": rnnlib.GRU(32, 48), "linear": rnnlib.Linear(48, len(NAMES))}
    for name, part in parts.items():
        own = part.state_dict()
        part.load_state_dict({k: state[f"{name}.{k}"].reshape(own[k].shape) for k in own})
    x = (np.asarray(frames, dtype=np.float64) - 128)[:, None, None] / 64
    a = rnnlib.relu(conv1(x))
    b = rnnlib.relu(conv2(a)).reshape(len(x), 1, -1)
    h, _ = parts["rnn"](rnnlib.relu(parts["eye.linear"](b)))
    return rnnlib.softmax(parts["linear"](h))[:, 0]


def frames_of(clip):
    two = np.frombuffer(base64.b64decode(clip["int8"]), np.uint8)
    levels = np.stack([two >> 4, two & 15], axis=1)
    return 16 + 14.6 * levels.reshape(clip["T"], 32, 32)


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/14_video.html")
    figure = page.locator("unrolled-video")
    figure.scroll_into_view_if_needed()
    figure.locator("select").focus()
    page.keyboard.press("Shift")
    figure.locator(".card:not([aria-busy])").wait_for()
    return figure


def shares(figure):
    return figure.locator(".bars tbody tr td:nth-child(3)").all_text_contents()


def test_the_computation_is_rnnlib_s_on_random_frames(figure):
    rng = np.random.default_rng(0)
    films = [16 + 219 * rng.random((rng.integers(1, 6), 32, 32)) for _ in range(20)]
    answers = figure.page.evaluate(
        """async (films) => {
            const script = document.querySelector("script[src*='/video.js']");
            const { watcher } = await import(script.src);
            const url = new URL("_static/figures/video.json", location);
            const watch = watcher((await (await fetch(url)).json()).weights);
            return films.map(watch);
        }""",
        [film.reshape(len(film), -1).tolist() for film in films],
    )
    for film, answer in zip(films, answers, strict=True):
        np.testing.assert_allclose(answer, believed(film), rtol=1e-8, atol=1e-10)


def test_float32_and_the_network_s_own_scale_say_the_same():
    frames = frames_of(STORED["clips"][0])
    x = mp4.pixels(frames)
    np.testing.assert_allclose(x[:, 0], (frames - 128) / 64, atol=1e-6)


def test_it_shows_each_clip_forwards_and_backwards(figure):
    for number, clip in enumerate(STORED["clips"], start=1):
        figure.locator("select").select_option(value=str(number))
        for backwards in (False, True):
            if backwards:
                figure.get_by_role("button", name="Backwards").press("Enter")
            frames = frames_of(clip)
            p = believed(frames[::-1] if backwards else frames)
            slider = figure.locator("input[type=range]")
            assert slider.input_value() == "1" and slider.get_attribute("max") == str(clip["T"])
            assert near(shares(figure), p[0])
            slider.press("End")
            assert near(shares(figure), p[-1])
            truth = clip["activity"]
            truth = STORED["reversed"][truth] if backwards else truth
            text = figure.locator(".status").text_content()
            assert f"The clip shows: {NAMES[truth]}." in text
            assert f"“{NAMES[p[-1].argmax()]}”" in text
        figure.get_by_role("button", name="Backwards").press("Enter")


def near(texts, p):
    """Shares as they are shown, of which a half may be rounded either way."""
    return all(
        abs(float(t.rstrip("%")) - 100 * share) <= 0.51 for t, share in zip(texts, p, strict=True)
    )


def test_what_it_is_stays_hidden_until_the_last_frame(figure):
    slider = figure.locator("input[type=range]")
    assert "The clip shows" not in figure.locator(".status").text_content()
    slider.press("End")
    slider.press("ArrowLeft")
    assert "The clip shows" not in figure.locator(".status").text_content()


def test_the_frame_that_is_drawn_is_the_stored_one(figure):
    clip = STORED["clips"][0]
    slider = figure.locator("input[type=range]")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    drawn = figure.locator("canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 32, 32).data]"
    )
    want = np.clip(np.round(frames_of(clip)[2]), 0, 255)
    assert abs(np.array(drawn).reshape(32, 32, 4)[..., 0] - want).max() <= 1


def test_nothing_moves_before_play_and_it_stops_at_the_end(figure):
    slider = figure.locator("input[type=range]")
    figure.page.wait_for_timeout(600)
    assert slider.input_value() == "1"
    slider.press("End")
    slider.press("ArrowLeft")
    figure.get_by_role("button", name="Play").press("Enter")
    figure.get_by_role("button", name="Play").wait_for()
    T = STORED["clips"][0]["T"]
    wait = (
        "(slider, T) => new Promise((done) => setInterval(() => slider.value === T && done(), 50))"
    )
    slider.evaluate(wait, str(T))
    assert figure.locator("input[type=range]").input_value() == str(T)


def test_a_clip_that_is_chosen_first_is_shown_first(site, page):
    page.goto(f"{site}/14_video.html")
    figure = page.locator("unrolled-video")
    figure.locator("select").select_option(value="5")
    figure.locator("select").focus()
    page.keyboard.press("Shift")
    figure.locator(".card:not([aria-busy])").wait_for()
    assert figure.locator("select").input_value() == "5"
    assert figure.locator("input[type=range]").get_attribute("max") == str(STORED["clips"][4]["T"])
