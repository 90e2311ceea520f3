"""The live figure of chapter 07 computes what rnnlib computes, for both cells side by side."""

import re

import numpy as np
import pytest

import rnnlib


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/07_gru.html")
    figure = page.locator("unrolled-gru")
    figure.scroll_into_view_if_needed()
    figure.locator("svg path").first.wait_for()
    return figure


def inside(x, r, z, i, f, o):
    """What both cells of the figure hold after each number, by rnnlib."""
    sees, past = np.array([[0.0], [0.0], [3.0]]), np.array([[0.0], [0.0], [1.0]])
    h, shown, c = (np.zeros((1, 1)) for _ in range(3))
    gru, lstm = [], []
    for value in x:
        x_t = np.array([[float(value)]])
        h, cache = rnnlib.gru_step(x_t, h, sees, past, np.array([r, z, 0.0]))
        gru.append([*(gate.item() for gate in cache[3:6]), h.item()])
        weights = np.append(sees, [[0.0]], axis=0), np.append(past, [[0.0]], axis=0)
        (shown, c), cache = rnnlib.lstm_step(x_t, shown, c, *weights, np.array([i, f, 0.0, o]))
        lstm.append([*(gate.item() for gate in cache[4:8]), c.item(), shown.item()])
    return np.array(gru), np.array(lstm)


def table(figure):
    if figure.locator("details[open]").count() == 0:
        figure.locator("summary").click()
    rows = figure.locator("table tbody tr").all()
    return np.array(
        [
            [float(text.replace("−", "-")) for text in row.locator("th, td").all_text_contents()]
            for row in rows
        ]
    )


def test_both_cells_are_rnnlib_s_for_numbers_and_gates_at_random(figure):
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.uniform(-2, 2, rng.integers(1, 12)).tolist()
        biases = dict(zip("rzifo", rng.uniform(-6, 6, 5).tolist(), strict=True))
        got = figure.page.evaluate(
            """async (setting) => {
                 const script = document.querySelector("script[src*='figures/gru.js']");
                 const { compute } = await import(script.src);
                 return compute(setting);
               }""",
            {"x": x, **biases},
        )
        for cell, names, want in zip(
            ("gru", "lstm"), ("rznh", "ifgoch"), inside(x, **biases), strict=True
        ):
            mine = np.array([[state[name] for name in names] for state in got[cell]])
            np.testing.assert_allclose(mine, want, rtol=1e-9, atol=1e-12, err_msg=cell)


def test_the_example_counts_in_one_cell_and_is_bounded_in_the_other(figure):
    figure.get_by_role("button", name="Count").click()
    numbers = table(figure)
    gru, lstm = inside(numbers[:, 1], -6, 1, 6, 6, -6)
    np.testing.assert_allclose(numbers[:, 2:6], gru, atol=0.006)
    np.testing.assert_allclose(numbers[:, 6:], lstm, atol=0.006)
    assert 3.8 < lstm[3, 4] < 4.2 and abs(lstm[7, 4]) < 0.2
    assert abs(gru[:, 3]).max() < 1


def test_the_algebra_stands_side_by_side_with_the_numbers_of_the_step(figure):
    figure.get_by_role("button", name="Count").click()
    figure.get_by_role("button", name="Back").click()
    gru, lstm = inside([1, 1, 1, 1, -1, -1, -1, -1], -6, 1, 6, 6, -6)
    for cell, first, gates, held in (
        ("gru", gru[6, 2], (1 - gru[6, 1], gru[6, 1]), gru[5, 3]),
        ("lstm", lstm[6, 2], (lstm[6, 0], lstm[6, 1]), lstm[5, 4]),
    ):
        line = figure.locator(f".{cell} .algebra div").nth(2).text_content()
        shown = [float(text.replace("−", "-")) for text in re.findall(r"−?\d+\.\d+", line)]
        np.testing.assert_allclose(shown, [gates[0], first, gates[1], held], atol=0.006)


def test_numbers_of_the_reader_s_own_are_read_and_nonsense_is_named(figure):
    figure.locator("input[type=text]").fill("0.5, -1 0 0 2 −1.5 1 1")
    assert table(figure)[:, 1].tolist() == [0.5, -1, 0, 0, 2, -1.5, 1, 1]
    figure.locator("input[type=text]").fill("1 1 3 1 1 1 1 1")
    assert "3" in figure.locator(".wrong").text_content()
    figure.locator("input[type=text]").fill("1 1")
    assert "2 numbers" in figure.locator(".wrong").text_content()
