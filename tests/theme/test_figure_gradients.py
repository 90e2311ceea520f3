"""The live figure of chapter 05 computes what rnnlib and NumPy compute, and keeps what it hides."""

import numpy as np
import pytest

import rnnlib

W_X = np.array([[1.0], [0.5]])


@pytest.fixture
def figure(site, page):
    page.goto(f"{site}/05_gradients.html")
    figure = page.locator("unrolled-gradients")
    figure.locator("svg .value").first.wait_for()
    return figure


def called(figure, name, given):
    """A function of the figure's file."""
    return figure.page.evaluate(
        """async ([name, given]) => {
             const script = document.querySelector("script[src*='figures/gradients.js']");
             return (await import(script.src))[name](given);
           }""",
        [name, given],
    )


def gradient_norms(W_h, x):
    """By rnnlib's trace, for a loss that asks the same of both units."""
    rnn = rnnlib.RNN(1, 2, bias=False)
    rnn.load_state_dict({"weight_ih_l0": W_X, "weight_hh_l0": W_h})
    dh_T = np.full((1, 1, 2), np.sqrt(0.5))
    dh = rnn.trace(x.reshape(-1, 1, 1), dstate=dh_T)["dh"][0, :, 0]
    return np.linalg.norm(dh, axis=1)[::-1]


def test_the_norms_are_rnnlib_s(figure):
    rng = np.random.default_rng(0)
    for _ in range(30):
        W_h, x = rng.normal(size=(2, 2)), rng.normal(size=rng.integers(2, 30))
        given = {"W_h": W_h.tolist(), "f": "tanh", "x": x.tolist()}
        got = called(figure, "compute", given)
        np.testing.assert_allclose(got, gradient_norms(W_h, x), rtol=1e-9)
        straight = called(figure, "compute", given | {"f": "straight"})
        powers = [np.linalg.matrix_power(W_h.T, k) for k in range(len(x))]
        want = [np.linalg.norm(power @ [1, 1]) / np.sqrt(2) for power in powers]
        np.testing.assert_allclose(straight, want, rtol=1e-9)


def test_eigenvalues_and_singular_values_are_numpy_s(figure):
    rng = np.random.default_rng(1)
    cases = [rng.normal(size=(2, 2)) for _ in range(30)]
    cases += [np.eye(2), np.zeros((2, 2)), np.array([[0.0, 1], [0, 0]]), np.diag([-2.0, 1])]
    for W_h in cases:
        got = called(figure, "analyse", W_h.tolist())
        want = np.linalg.eigvals(W_h)
        found = [complex(*pair) for pair in got["eigenvalues"]]
        np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(want), atol=1e-7)
        assert got["radius"] == pytest.approx(abs(want).max(), abs=1e-7)
        assert got["sigma"] == pytest.approx(np.linalg.norm(W_h, 2), abs=1e-7)


def table(figure):
    rows = figure.locator("table tbody tr").all()
    return [row.locator("th, td").all_text_contents() for row in rows]


def number(text):
    return float(text.replace("−", "-"))


def test_the_radius_slider_scales_all_four_weights(figure):
    figure.get_by_role("button", name="Turning").press("Enter")
    weights = figure.locator(".weights input")
    radius = figure.locator(".controls input[type=range]").nth(4)
    radius.press("Home")
    assert [abs(float(weights.nth(k).input_value())) for k in range(4)] == pytest.approx([0.14] * 4)
    assert number(table(figure)[40][1]) < 1e-20
    radius.press("End")
    assert number(table(figure)[40][1]) > 1
    assert "explodes" in figure.locator(".status").text_content() or "stays" in (
        figure.locator(".status").text_content()
    )


def test_a_detour_grows_first_and_vanishes_in_the_end(figure):
    figure.get_by_role("button", name="Detour").press("Enter")
    norms = [number(row[1]) for row in table(figure)]
    assert max(norms) > 1.5
    assert norms[40] < 0.01
    assert "On the way it was up to" in figure.locator(".status").text_content()


def test_nothing_is_told_before_the_guess(figure):
    figure.get_by_role("button", name="Guess first").press("Enter")
    assert {row[1] for row in table(figure)} == {"–"}
    assert figure.locator("svg .measured").count() == 1, "the key alone"
    figure.get_by_role("button", name="explodes").press("Enter")
    assert "Not so" in figure.locator(".status").text_content()
    assert number(table(figure)[40][1]) < 1e-3
    figure.get_by_role("button", name="Detour").press("Enter")
    assert {row[1] for row in table(figure)} == {"–"}, "a new W_h is guessed anew"
