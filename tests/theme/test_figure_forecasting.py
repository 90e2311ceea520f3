"""The live figure of chapter 12: its forecasts are the chapter's, its errors rnnlib's."""

import json
from pathlib import Path

import numpy as np
import pytest

import rnnlib

ROOT = Path(__file__).resolve().parents[2]
MODEL = json.loads((ROOT / "theme/figures/forecasting.json").read_text("utf-8"))
EXPERIMENT = json.loads((ROOT / "chapters/experiments/12_forecasting.json").read_text("utf-8"))

CALL = """async (given) => {
    const script = document.querySelector("script[src*='figures/forecasting.js']");
    return (await import(script.src)).compute(given);
}"""


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/12_forecasting.html")
    figure = page.locator("unrolled-forecasting")
    figure.scroll_into_view_if_needed()
    figure.locator("svg .fan").first.wait_for()
    return figure


def test_errors_and_coverage_are_rnnlib_s(figure):
    rng = np.random.default_rng(0)
    for _ in range(20):
        told, came = np.sort(rng.normal(size=(7, 3)), axis=1), rng.normal(size=7)
        normal, today, k = rng.normal(size=7), rng.normal(), int(rng.integers(1, 8))
        given = {"told": told.tolist(), "came": came.tolist(), "normal": normal.tolist()}
        got = figure.page.evaluate(CALL, given | {"today": today, "k": k})
        for name, forecast in (
            ("network", told[:, 1]),
            ("today", np.full(7, today)),
            ("normal", normal),
        ):
            # the naive errors of this history are 1, so that MASE is the mean absolute error
            error = rnnlib.mase(forecast[:k], came[:k], np.array([0.0, 1.0]))
            assert got[name] == pytest.approx(error), name
        covered = rnnlib.coverage(told[:k, 0], told[:k, 2], came[:k])
        assert got["covered"] == round(k * covered)


def test_the_scores_are_those_of_the_experiment():
    for name, size in (
        ("none", "short"),
        ("normals", "short"),
        ("row", "short"),
        ("shuffled", "long"),
    ):
        stored = EXPERIMENT["leaks"][f"{name}, {size}"]["rmse"][0]
        np.testing.assert_allclose(np.array(MODEL["drawn"][name]["rmse"]) / 10, stored, atol=0.051)
        honest = EXPERIMENT["leaks"][f"none, {size}"]["rmse"][0]
        np.testing.assert_allclose(
            np.array(MODEL["drawn"][name]["honest"]) / 10, honest, atol=0.051
        )
    for name in ("as today", "normal"):
        stored = EXPERIMENT["weather"][name]["rmse"]
        np.testing.assert_allclose(np.array(MODEL["rmse"][name]) / 10, stored, atol=0.051)


def table(figure):
    """(7, 6): what came, the forecast, the ends of the band, today and the normal."""
    if not figure.locator("table.numbers").is_visible():
        figure.locator("summary").first.click()
    rows = figure.locator("tbody tr").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    return np.array([[float(cell.replace("−", "-")) for cell in row] for row in cells])


def test_a_leak_changes_the_forecasts_and_nothing_else(figure):
    before = table(figure)
    figure.get_by_label("shuffled split").check()
    after = table(figure)
    np.testing.assert_allclose(after[:, [0, 4, 5]], before[:, [0, 4, 5]])
    assert abs(after[:, 1] - before[:, 1]).max() > 0.3
    assert "no leak:" in figure.locator(".status").text_content()


def test_the_horizon_says_how_much_of_the_fan_is_drawn(figure):
    slider = figure.locator("input[type=range]").first
    slider.press("End")
    assert "days 1 to 7:" in figure.locator(".status").text_content()
    slider.press("Home")
    assert "This week, day 1:" in figure.locator(".status").text_content()
    corners = figure.locator("svg .fan").get_attribute("d").count("L")
    assert corners == 2, "today, and the two ends of tomorrow"
