"""The live figure of chapter 03 computes what rnnlib computes, and shows it step by step."""

import re

import numpy as np
import pytest

import rnnlib


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/03_bptt.html")
    figure = page.locator("unrolled-bptt")
    figure.locator("svg .cell").first.wait_for()
    return figure


def expected(w_h, losses, cut, x):
    """States, gradients and shares, by rnnlib's step and its backward pass."""
    h, caches, states = np.zeros((1, 1)), [], []
    for x_t in x:
        weights = np.eye(1), np.array([[w_h]]), np.zeros(1)
        h, cache = rnnlib.rnn_step(np.array([[x_t]]), h, *weights)
        caches.append(cache)
        states.append(h[0, 0])
    dh, share, from_after = np.zeros(len(x)), np.zeros(len(x)), 0.0
    for t in reversed(range(len(x))):
        dh_t = from_after + float(losses[t])
        _, from_after, _, dW_h, _ = rnnlib.rnn_step_backward(np.array([[dh_t]]), caches[t])
        dh[t], share[t] = dh_t, dW_h[0, 0]
        from_after = from_after[0, 0]
        if t + 1 == cut:
            from_after = 0.0
    return {"h": states, "dh": dh, "share": share, "dw_h": share.sum()}


def table(figure):
    rows = figure.locator("table tbody tr").all()
    return [
        [cell.replace("−", "-") for cell in row.locator("th, td").all_text_contents()]
        for row in rows
    ]


def test_the_computation_is_rnnlib_s(figure):
    rng = np.random.default_rng(0)
    for _ in range(40):
        x = rng.normal(size=rng.integers(1, 9))
        case = {
            "w_h": float(rng.normal()),
            "x": x.tolist(),
            "cut": int(rng.integers(1, len(x) + 1)),
        }
        case["losses"] = "".join(rng.choice(["0", "1"], size=len(x)))
        got = figure.page.evaluate(
            """async (given) => {
                 const script = document.querySelector("script[src*='figures/bptt.js']");
                 return (await import(script.src)).compute(given);
               }""",
            case,
        )
        for name, values in expected(**case).items():
            np.testing.assert_allclose(got[name], values, rtol=1e-12, atol=1e-12, err_msg=name)


def test_the_error_flows_back_one_step_at_a_time(figure):
    step = figure.get_by_role("button", name="Step", exact=True)
    for back in range(7):
        shares = [row[4] for row in table(figure)]
        assert [share == "–" for share in shares] == [t < 6 - back for t in range(6)]
        drawn = figure.locator("svg > .value").all_text_contents()
        assert len(drawn) == 6 + back, "six states, and a share for each step that was reached"
        if back < 6:
            step.press("Enter")
    status = figure.locator(".status").text_content()
    total = sum(float(row[4]) for row in table(figure))
    said = float(re.search(r"add up to (−?[\d.]+),", status)[1].replace("−", "-"))
    assert said == pytest.approx(total, abs=0.03)


def test_nothing_passes_a_cut(figure):
    cut = figure.locator(".controls input[type=range]").nth(1)
    for _ in range(3):
        cut.press("ArrowRight")
    for _ in range(6):
        figure.get_by_role("button", name="Step", exact=True).press("Enter")
    gradients = [float(row[3]) for row in table(figure)]
    assert gradients[:3] == [0, 0, 0]
    assert min(abs(one) for one in gradients[3:]) > 0


def test_without_a_loss_there_is_no_gradient(figure):
    figure.get_by_role("button", name="Loss at step 6").press("Enter")
    assert "no gradient" in figure.locator(".status").text_content()


def test_a_box_in_the_drawing_does_what_its_button_does(figure):
    button = figure.get_by_role("button", name="Loss at step 2")
    figure.locator("svg > .loss").nth(1).click()
    assert button.get_attribute("aria-pressed") == "true"
    figure.locator("svg > .loss").nth(1).click()
    assert button.get_attribute("aria-pressed") == "false"
