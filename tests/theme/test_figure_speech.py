"""The live figure of chapter 11 computes what rnnlib computes, and says what changed."""

import itertools
import re

import numpy as np
import pytest

import rnnlib

COMPUTE = """async (given) => {
  const script = document.querySelector("script[src*='figures/speech.js']");
  return (await import(script.src)).compute(given);
}"""


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/11_speech.html")
    figure = page.locator("unrolled-speech")
    figure.locator("svg .node").first.wait_for()
    return figure


def test_the_computation_is_rnnlib_s(figure):
    """p is that of `ctc_loss`, and the shares through a class are what its gradient says."""
    rng, long_enough = np.random.default_rng(0), 0
    for _ in range(30):
        T, K, U = rng.integers(1, 7), rng.integers(2, 5), rng.integers(0, 4)
        labels = rng.integers(1, K, U)
        logits = rng.normal(size=(T, 1, K))
        y = rnnlib.softmax(logits)[:, 0]
        got = figure.page.evaluate(COMPUTE, {"y": y.tolist(), "labels": labels.tolist()})
        loss, dlogits = rnnlib.ctc_loss(logits, labels[None], zero_infinity=True)
        paths = [
            path
            for path in itertools.product(range(K), repeat=int(T))
            if rnnlib.ctc_collapse(np.array(path)) == labels.tolist()
        ]
        assert got["paths"] == len(paths)
        if not paths:
            assert got["p"] == 0
            continue
        long_enough += 1
        likeliest = max(paths, key=lambda path: y[np.arange(T), path].prod())
        assert tuple(got["z"][n] for n in got["path"]) == likeliest
        assert got["p"] == pytest.approx(np.exp(-loss), rel=1e-12)
        share = np.zeros((T, K))
        for n, k in enumerate(got["z"]):
            share[:, k] += np.array(got["share"])[:, n]
        np.testing.assert_allclose(share, y - dlogits[:, 0], rtol=0, atol=1e-12)
        for t in range(T - 1):  # every path goes along one line from each frame to the next
            assert sum(line[3] for line in got["lines"] if line[0] == t) == pytest.approx(1)
    assert long_enough > 12


def test_a_move_of_probability_changes_the_total_and_keeps_the_sum(figure):
    status = figure.locator(".status")
    before = status.text_content()
    assert "“on” has" in before and "of 4,096" in before
    sliders = figure.locator("input[type=range]")
    assert sliders.first.input_value() == "4", "the frame that is changed"
    for _ in range(4):
        sliders.nth(3).press("ArrowLeft")  # n at frame 4
    assert status.text_content() != before
    values = [float(sliders.nth(k).evaluate("box => box.value")) for k in range(1, 5)]
    assert values[2] == 50 and sum(values) == pytest.approx(100, abs=10)


def test_reading_step_by_step_hides_the_total_until_the_end(figure):
    figure.get_by_role("button", name="Reset").press("Enter")
    assert figure.locator("svg .value").count() == 0
    for t in range(1, 6):
        figure.get_by_role("button", name="Step").press("Enter")
        text = figure.locator(".status").text_content()
        assert f"After frame {t}" in text and "has" not in text.split(":")[0]
    figure.get_by_role("button", name="Step").press("Enter")
    assert "“on” has" in figure.locator(".status").text_content()


def test_between_two_equal_letters_no_line_passes_the_blank(figure):
    def lines():
        return figure.locator("svg line").count()

    def choose(text):
        figure.get_by_role("button", name=f"“{text}”").press("Enter")

    choose("one")
    one = lines()
    choose("on")
    on = lines()
    choose("ee")
    assert on - lines() == 5, "one move less at each of five steps"
    assert one > on


def test_a_press_on_a_state_chooses_its_frame(figure):
    figure.locator("svg .node").nth(1).click()
    assert figure.locator("input[type=range]").first.input_value() == "2"


def test_the_likeliest_path_is_collapsed_step_by_step(figure):
    status = figure.locator(".status")
    steps = r"is (\S+): without repeats (\S+), without blanks (\S+)\."
    for text in ("one", "ee"):
        figure.get_by_role("button", name=f"“{text}”").press("Enter")
        path, once, left = re.search(steps, status.text_content()).groups()
        assert len(path) == 6 and once == "".join(k for k, _ in itertools.groupby(path))
        assert once.replace("\N{NON-BREAKING HYPHEN}", "") == left == text
        assert ("keeps the two e apart" in status.text_content()) == (text == "ee")
