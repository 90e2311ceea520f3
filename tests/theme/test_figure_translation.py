"""The live figure of chapter 10 computes what rnnlib computes."""

import numpy as np

import rnnlib


def test_the_computation_is_rnnlib_s(site, page):
    rng = np.random.default_rng(0)
    page.goto(f"{site}/10_translation.html")
    page.wait_for_function("!!customElements.get('unrolled-translation')")
    for _ in range(20):
        w_h, x = rng.normal(), rng.normal(size=rng.integers(1, 9))
        got = page.evaluate(
            """async ([w_h, x]) => {
                 const { compute } = await import("./_static/figures/translation.js");
                 return compute({ w_h, x });
               }""",
            [w_h, x.tolist()],
        )
        h, expected = np.zeros((1, 1)), []
        for x_t in x:
            h, _ = rnnlib.rnn_step(np.array([[x_t]]), h, np.eye(1), np.array([[w_h]]), np.zeros(1))
            expected.append(h[0, 0])
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    raise NotImplementedError("FILL IN: the figure's own computation in place of this one")
