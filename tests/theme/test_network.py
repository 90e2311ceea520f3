"""theme/figures/network.js computes what rnnlib computes."""

import base64

import numpy as np
import pytest

import rnnlib
from rnnlib.cells import gru_step, lstm_step, rnn_step

SIZES = np.random.default_rng(0).integers(1, 7, size=(20, 2)).tolist()  # I and H
STEPS = {"rnnStep": (rnn_step, 1), "lstmStep": (lstm_step, 4), "gruStep": (gru_step, 3)}


@pytest.fixture
def network(site, page):
    """Calls a function body in the page, which sees the module as `network` and `input`."""
    page.goto(f"{site}/404.html")

    def run(body, input):
        return page.evaluate(
            f"""async (input) => {{
                const network = await import("{site}/_static/figures/network.js");
                {body}
            }}""",
            input,
        )

    return run


def plain(arrays):
    return {
        name: a.tolist() if isinstance(a, np.ndarray | np.number) else a
        for name, a in arrays.items()
    }


@pytest.mark.parametrize(
    ("name", "nonlinearity"),
    [("rnnStep", "tanh"), ("rnnStep", "relu"), ("lstmStep", None), ("gruStep", None)],
)
def test_one_step_is_that_of_rnnlib_cells(network, name, nonlinearity):
    step, G = STEPS[name]
    rng = np.random.default_rng(1)
    cases, expected = [], []
    for I, H in SIZES:
        W_x, W_h, b = (
            rng.normal(size=(G * H, I)),
            rng.normal(size=(G * H, H)),
            rng.normal(size=G * H),
        )
        x, h, c, b_hn = (rng.normal(size=(1, n)) for n in (I, H, H, H))
        more = {
            "rnnStep": {"nonlinearity": nonlinearity}, "lstmStep": {}, "gruStep": {"b_hn": b_hn[0]}
        }[name]  # fmt: skip
        cell = plain({"W_x": W_x, "W_h": W_h, "b": b} | more)
        cases.append([cell, x[0].tolist(), {"h": h[0].tolist(), "c": c[0].tolist()}])
        state = (h, c) if name == "lstmStep" else (h,)
        new, cache = step(x, *state, W_x, W_h, b, **more)
        if name == "lstmStep":
            parts = dict(zip("ifgo", cache[4:8], strict=True)) | {"h": new[0], "c": new[1]}
        elif name == "gruStep":
            parts = dict(zip("rzn", cache[3:6], strict=True)) | {"h": new}
        else:
            parts = {"z": x @ W_x.T + h @ W_h.T + b, "h": new}
        expected.append(parts)
    answers = network(f"return input.map((one) => network.{name}(...one));", cases)
    for answer, parts in zip(answers, expected, strict=True):
        assert set(answer) == set(parts)
        for part, values in parts.items():
            np.testing.assert_allclose(answer[part], values[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_layer_reads_a_state_dict_and_starts_from_zeros(network, kind):
    rng = np.random.default_rng(2)
    cases, expected = [], []
    for I, H in SIZES:
        model = getattr(rnnlib, kind)(I, H, seed=rng)
        for p in model.parameters():
            p.data[...] = rng.normal(size=p.shape)
        x = rng.normal(size=(rng.integers(1, 9), 1, I))
        weights = {f"rnn.{name}": array for name, array in model.state_dict().items()}
        cases.append([plain(weights), x[:, 0].tolist()])
        expected.append(model(x)[0][:, 0])
    answers = network(
        f"""return input.map(([weights, xs]) =>
            network.unroll(network.layer(network.{kind.lower()}Step, weights, "rnn"), xs)
              .map((state) => state.h));""",
        cases,
    )
    for answer, h in zip(answers, expected, strict=True):
        np.testing.assert_allclose(answer, h, rtol=1e-12, atol=1e-14)


def test_softmax_is_rnnlib_s_at_every_temperature(network):
    rng = np.random.default_rng(3)
    cases = [
        [(9 * rng.normal(size=n)).tolist(), float(rng.uniform(0.1, 3))] for n in range(1, 30)
    ] + [[[1000.0, 999.0, -1000.0], 1.0]]
    answers = network("return input.map((one) => network.softmax(...one));", cases)
    for answer, (scores, temperature) in zip(answers, cases, strict=True):
        expected = rnnlib.softmax(np.array(scores) / temperature)
        np.testing.assert_allclose(answer, expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("bits", [8, 16])
def test_quantised_weights_are_whole_numbers_times_a_scale(network, bits):
    rng = np.random.default_rng(4)
    bound = 2 ** (bits - 1)
    arrays = {"matrix": (3, 5), "vector": (7,), "row": (1, 4), "column": (4, 1)}
    arrays = {name: rng.integers(-bound, bound, size=shape) for name, shape in arrays.items()}
    packed = {
        name: {
            "shape": list(array.shape),
            "scale": 0.03,
            f"int{bits}": base64.b64encode(array.astype(f"<i{bits // 8}").tobytes()).decode(),
        }
        for name, array in arrays.items()
    }
    answer = network("return network.unpack(input);", packed)
    for name, array in arrays.items():
        np.testing.assert_allclose(answer[name], 0.03 * array, rtol=1e-15)
