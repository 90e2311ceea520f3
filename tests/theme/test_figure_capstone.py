"""The live figure of chapter 17: how often luck decides, against integrals taken in another way."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

CALL = """async ([name, given]) => {
    const script = document.querySelector("script[src*='figures/capstone.js']");
    const figure = await import(script.src);
    return name === "compute" ? figure.compute(given) : figure.normals(...given);
}"""


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/17_capstone.html")
    figure = page.locator("unrolled-capstone")
    figure.scroll_into_view_if_needed()
    figure.locator("svg .best").first.wait_for()
    return figure


def lowest(n):
    """The density of the smallest of n normal numbers."""
    return lambda x: n * norm.pdf(x) * norm.sf(x) ** (n - 1)


def test_shares_and_flattery_are_the_integrals(figure):
    rng = np.random.default_rng(0)
    for _ in range(20):
        baseline, recurrent = rng.integers(1, 51, 2).tolist()
        gain = float(rng.normal(scale=1.5))
        given = {"baseline": baseline, "recurrent": recurrent, "gain": gain}
        got = figure.page.evaluate(CALL, ["compute", given])
        # the best of the baseline lies above x, which is the best of the recurrent side
        density = lowest(recurrent)
        wins, _ = quad(lambda x, f=density, b=baseline, g=gain: f(x) * norm.sf(x - g) ** b, -9, 9)
        assert got["wins"] == pytest.approx(wins, abs=1e-5)
        for n, flatters in zip((baseline, recurrent), got["flatters"], strict=True):
            density = lowest(n)
            mean, _ = quad(lambda x, f=density: x * f(x), -9, 9)
            assert flatters == pytest.approx(-mean, abs=1e-5)


def test_without_a_difference_the_share_is_that_of_the_trials(figure):
    for baseline, recurrent in ((3, 30), (1, 1), (50, 7)):
        given = {"baseline": baseline, "recurrent": recurrent, "gain": 0}
        got = figure.page.evaluate(CALL, ["compute", given])
        assert got["wins"] == pytest.approx(recurrent / (baseline + recurrent), abs=1e-5)


def test_the_trials_that_are_drawn_are_normal(figure):
    drawn = np.array([figure.page.evaluate(CALL, ["normals", [100, n]]) for n in range(1, 101)])
    assert abs(drawn.mean()) < 0.05
    assert abs(drawn.std() - 1) < 0.05
    assert abs((drawn < -1).mean() - norm.cdf(-1)) < 0.02
    # each comparison draws anew
    assert abs(np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1]) < 0.05


def test_the_test_is_opened_by_the_reader_and_says_what_luck_did(figure):
    status = figure.locator(".status")
    assert "Guess" in status.text_content()
    assert figure.locator("svg .worth").count() == 0
    figure.get_by_role("button", name="Open the test").click()
    assert "On the test: no difference" in status.text_content()
    assert "looks better in 91" in status.text_content()
    assert figure.locator("svg .worth").count() == 2
    figure.get_by_role("button", name="Compare again").click()
    assert "Guess" in status.text_content()


def test_more_trials_draw_more_points(figure):
    slider = figure.locator("input[type=range]").first
    slider.press("End")
    assert figure.locator("svg circle.baseline:not(.best)").count() == 50
