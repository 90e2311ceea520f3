"""Every gradient equals what moving each number a little tells."""

import numpy as np
import pytest

from rnnlib import (
    RNN,
    Embedding,
    Linear,
    RNNCell,
    check_gradients,
    cross_entropy,
    numerical_gradient,
    relu_grad,
    rnn_step,
    rnn_step_backward,
    sigmoid,
    sigmoid_grad,
    tanh,
    tanh_grad,
    unroll,
    unroll_backward,
)


def module_arrays(module):
    return (
        {name: p.data for name, p in module.named_parameters()},
        {name: p.grad for name, p in module.named_parameters()},
    )


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_one_step_backward_gives_all_five_gradients(nonlinearity):
    rng = np.random.default_rng(0)
    B, I, H = 3, 2, 4
    shapes = {"x_t": (B, I), "h_prev": (B, H), "W_x": (H, I), "W_h": (H, H), "b": (H,)}
    arrays = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    dh_t = rng.standard_normal((B, H))
    _, cache = rnn_step(**arrays, nonlinearity=nonlinearity)
    gradients = dict(zip(shapes, rnn_step_backward(dh_t, cache), strict=True))
    check_gradients(
        lambda: float((rnn_step(**arrays, nonlinearity=nonlinearity)[0] * dh_t).sum()),
        arrays,
        gradients,
    )


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_unrolled_cell_gradients_for_parameters_inputs_and_initial_state(nonlinearity):
    rng = np.random.default_rng(1)
    T, B, I, H = 5, 3, 2, 4
    cell = RNNCell(I, H, nonlinearity, seed=rng)
    x, state = rng.standard_normal((T, B, I)), rng.standard_normal((B, H))
    dh, dlast = rng.standard_normal((T, B, H)), rng.standard_normal((B, H))

    def loss():
        h, last, _ = unroll(cell, x, state)
        return float((h * dh).sum() + (last * dlast).sum())

    _, _, caches = unroll(cell, x, state)
    dx, dstate = unroll_backward(cell, dh, caches, dlast)
    arrays, gradients = module_arrays(cell)
    check_gradients(loss, arrays | {"x": x, "h_0": state}, gradients | {"x": dx, "h_0": dstate})


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_rnn_layer_gradients(nonlinearity, batch_first):
    rng = np.random.default_rng(2)
    rnn = RNN(2, 4, nonlinearity=nonlinearity, batch_first=batch_first, seed=rng)
    x = rng.standard_normal((5, 3, 2))
    h_0 = rng.standard_normal((1, 5 if batch_first else 3, 4))
    dy, dh_n = rng.standard_normal((5, 3, 4)), rng.standard_normal(h_0.shape)

    def loss():
        y, h_n = rnn(x, h_0)
        return float((y * dy).sum() + (h_n * dh_n).sum())

    loss()
    dx, dh_0 = rnn.backward(dy, dh_n)
    arrays, gradients = module_arrays(rnn)
    check_gradients(loss, arrays | {"x": x, "h_0": h_0}, gradients | {"x": dx, "h_0": dh_0})


def test_linear_and_embedding_gradients():
    rng = np.random.default_rng(3)
    linear, x = Linear(3, 2, seed=rng), rng.standard_normal((4, 5, 3))
    dy = rng.standard_normal((4, 5, 2))
    linear(x)
    dx = linear.backward(dy)
    arrays, gradients = module_arrays(linear)
    check_gradients(lambda: float((linear(x) * dy).sum()), arrays | {"x": x}, gradients | {"x": dx})

    embedding, tokens = Embedding(4, 3, seed=rng), np.array([[0, 2, 2], [1, 2, 0]])
    dy = rng.standard_normal((2, 3, 3))
    embedding(tokens)
    embedding.backward(dy)
    check_gradients(lambda: float((embedding(tokens) * dy).sum()), *module_arrays(embedding))


def test_cross_entropy_gradient_with_ignored_labels():
    rng = np.random.default_rng(4)
    logits, targets = rng.standard_normal((4, 3, 5)), rng.integers(5, size=(4, 3))
    targets[1] = -100
    _, dlogits = cross_entropy(logits, targets)
    check_gradients(
        lambda: cross_entropy(logits, targets)[0], {"logits": logits}, {"logits": dlogits}
    )
    assert not dlogits[1].any()


@pytest.mark.parametrize(
    ("f", "f_grad"),
    [(tanh, tanh_grad), (sigmoid, sigmoid_grad), (lambda z: z * (z > 0), relu_grad)],
)
def test_activation_derivatives_in_the_output(f, f_grad):
    z = np.random.default_rng(5).standard_normal((3, 4))
    check_gradients(lambda: float(f(z).sum()), {"z": z}, {"z": f_grad(f(z))})


def test_gradient_check_fails_on_a_wrong_gradient_and_names_it():
    a, b = np.ones(2), np.ones(3)
    good = {"a": 2 * a, "b": 2 * b}

    def loss():
        return float((a**2).sum() + (b**2).sum())

    errors = check_gradients(loss, {"a": a, "b": b}, good)
    assert max(errors.values()) < 1e-8
    with pytest.raises(AssertionError, match="gradient of b"):
        check_gradients(loss, {"a": a, "b": b}, good | {"b": np.array([2.0, 2.0, 0.0])})
    with pytest.raises(AssertionError, match=r"gradient of b has shape \(3, 1\)"):
        check_gradients(loss, {"a": a, "b": b}, good | {"b": np.ones((3, 1))})
    with pytest.raises(AssertionError, match="gradient of b"):
        check_gradients(loss, {"a": a, "b": b}, good | {"b": np.full(3, np.nan)})
    with pytest.raises(ValueError, match="holds"):
        check_gradients(loss, {"a": a, "b": b}, {"a": 2 * a})
    with pytest.raises(ValueError, match="float64"):
        numerical_gradient(loss, np.ones(2, dtype=np.float32))
