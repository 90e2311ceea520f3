"""The live figure of chapter 15 merges as rnnlib does, in the rounds that it counts."""

import numpy as np
import pytest

import rnnlib


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/15_limits.html")
    figure = page.locator("unrolled-limits")
    figure.locator("svg .waiting").first.wait_for()
    return figure


def computed(figure, a, b):
    return figure.page.evaluate(
        """async (given) => {
             const script = document.querySelector("script[src*='figures/limits.js']");
             return (await import(script.src)).compute(given);
           }""",
        {"a": a.tolist(), "b": b.tolist()},
    )


def press(figure, name):
    figure.get_by_role("button", name=name, exact=True).press("Enter")


def known(figure):
    """How many states stand in the table."""
    cells = figure.locator("table").first.locator("tbody td:last-child").all_text_contents()
    return sum(cell != "–" for cell in cells)


def test_the_computation_is_rnnlib_s(figure):
    rng = np.random.default_rng(0)
    for T in [*range(1, 18), 31, 64]:
        a, b = rng.uniform(-1, 1, (2, T))
        got = computed(figure, a, b)
        h = rnnlib.scan_loop(a[:, None, None], b[:, None, None], np.zeros((1, 1)))[:, 0, 0]
        np.testing.assert_allclose(got["h"], h, rtol=1e-12, atol=1e-12)
        if T >= 2 and T & (T - 1) == 0:
            k = int(np.log2(T))
            assert len(got["rounds"]) == 2 * k - 1
            assert sum(got["rounds"]) == 2 * T - 2 - k


def test_the_reader_merges_pair_by_pair_or_by_the_round(figure):
    assert known(figure) == 1
    waiting = figure.locator("svg .waiting")
    for left in (4, 3, 2):
        assert waiting.count() == left
        press(figure, "Merge one pair")
    waiting.first.click()  # the last of the first round
    assert "1 of 5 rounds" in figure.locator("svg").text_content()
    assert waiting.count() == 2 and known(figure) == 2
    for _ in range(4):
        press(figure, "Merge the round")
    assert known(figure) == 8 and waiting.count() == 0
    press(figure, "Back")
    assert known(figure) < 8


def test_the_guess_is_answered_at_the_end(figure):
    press(figure, "two more")
    assert "right" not in figure.locator(".status").text_content()
    for _ in range(5):
        press(figure, "Merge the round")
    said = figure.locator(".status").text_content()
    assert "16, need 7 rounds: two more. Your guess was right." in said
    press(figure, "as many")
    assert "You guessed as many." in figure.locator(".status").text_content()


def test_depth_against_length_is_counted(figure):
    rows = figure.locator("table").nth(1).locator("tbody tr").all()
    for k, row in enumerate(rows, start=1):
        steps, loop, tree = map(int, row.locator("th, td").all_text_contents())
        assert (steps, loop, tree) == (2**k, 2**k, 2 * k - 1)
    assert len(rows) == 10
