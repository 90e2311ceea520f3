"""The live figure of chapter 08 computes what rnnlib computes, and marks what differs."""

import numpy as np
import pytest

import rnnlib


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/08_bidirectional.html")
    figure = page.locator("unrolled-bidirectional")
    figure.locator("svg .state").first.wait_for()
    return figure


def press(figure, name):
    figure.get_by_role("button", name=name).press("Enter")


def layer():
    """The figure's two units, as one layer of rnnlib."""
    rnn = rnnlib.RNN(1, 1, bidirectional=True)
    for end, (W_x, W_h, b) in {"": (1.2, 0.7, 0.3), "_reverse": (0.9, 0.8, -0.4)}.items():
        for name, value in (("weight_ih", W_x), ("weight_hh", W_h), ("bias_ih", b), ("bias_hh", 0)):
            getattr(rnn, f"{name}_l0{end}").data[...] = value
    return rnn


def test_the_computation_is_rnnlib_s(figure):
    rng, rnn = np.random.default_rng(0), layer()
    for _ in range(30):
        B, T = rng.integers(1, 4), rng.integers(1, 8)
        x, lengths = rng.normal(size=(T, B)), rng.integers(1, T + 1, B)
        padding, given = float(rng.normal()), bool(rng.integers(2))
        got = figure.page.evaluate(
            """async (given) => {
                 const script = document.querySelector("script[src*='figures/bidirectional.js']");
                 return (await import(script.src)).compute(given);
               }""",
            {
                "lengths": lengths.tolist(),
                "padding": padding,
                "given": given,
                "x": x.T.tolist(),
            },
        )
        array = np.where(np.arange(T)[:, None] < lengths, x, padding)
        y, h_n = rnn(array[..., None], lengths=lengths if given else None)
        last = h_n[..., 0] if given else y[-1].T
        mean = y.sum(axis=0) / lengths[:, None] if given else y.mean(axis=0)
        for b, one in enumerate(got):
            pairs = {
                "column": array[:, b],
                "h": y[:, b].T,
                "last": last[:, b],
                "mean": mean[b],
            }
            for name, values in pairs.items():
                np.testing.assert_allclose(one[name], values, rtol=1e-12, atol=1e-12, err_msg=name)


def test_with_lengths_nothing_differs_whatever_the_padding(figure):
    press(figure, "Mark what differs")
    assert figure.locator("svg .wrong").count() == 0
    drawn = figure.locator("svg .state + .value").all_text_contents()
    padding = figure.locator("input[type=range]").nth(2)
    for _ in range(3):
        padding.press("ArrowRight")
        assert figure.locator("svg .wrong").count() == 0
        assert figure.locator("svg .state + .value").all_text_contents() == drawn
    assert "every state" in figure.locator(".status").text_content()


def test_without_lengths_the_backward_states_of_the_short_one_are_marked(figure):
    press(figure, "Lengths are given")
    assert "Guess" in figure.locator(".status").text_content()
    assert figure.locator("svg .wrong").count() == 0, "guess first"
    press(figure, "Mark what differs")
    assert figure.locator("svg .state.wrong").count() == 3
    status = figure.locator(".status").text_content()
    assert "3 of 18 states" in status and "5 of 8 numbers" in status


def test_a_press_on_an_input_ends_the_sequence_there(figure):
    figure.locator("svg .input").nth(6 + 4).click()  # the fifth place of B
    assert figure.locator("input[type=range]").nth(1).input_value() == "5"
    assert figure.locator("svg .input.padding").count() == 1
