"""Dropout and the convolution: equal to torch, and what they promise beyond numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_against_torch import CONFIGURATIONS, TOLERANCE, assert_equal, tensor
from test_gradients import module_arrays

from rnnlib import (
    AdditiveAttention,
    AvgPool2d,
    Conv2d,
    DotAttention,
    Dropout,
    Embedding,
    Linear,
    MaxPool2d,
    check_gradients,
)


class Given:
    """A generator whose draws drop exactly what the mask says."""

    def __init__(self, kept):
        self.kept = kept

    def random(self, shape):
        assert shape == self.kept.shape
        return np.where(self.kept, 0.999, 0.0)


def dropout_case(seed, dtype):
    """The same numbers dropped by both; only the scaling is their own."""
    rng = np.random.default_rng(seed)
    shape, p = tuple(rng.integers(1, 7, size=rng.integers(1, 4))), 0.9 * rng.random()
    x, dy = rng.standard_normal((2, *shape)).astype(dtype)
    torch.manual_seed(seed)
    x_t = tensor(x)
    y_t = torch.nn.functional.dropout(x_t, p)
    y_t.backward(tensor(dy))
    layer = Dropout(p)
    layer.rng = Given(y_t.detach().numpy() != 0)
    return {"y": layer(x), "x": layer.backward(dy)}, {"y": y_t, "x": x_t.grad}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dropout_scales_as_torch_where_both_drop_the_same(dtype):
    compared = seed = 0
    while compared < CONFIGURATIONS:
        got, want = dropout_case(seed, dtype)
        seed += 1
        if not want["y"].any():  # everything was dropped
            continue
        assert_equal(got, want, TOLERANCE[dtype])
        assert all(array.dtype == dtype for array in got.values())
        compared += 1
    assert seed < 2 * CONFIGURATIONS


def conv_case(seed, dtype):
    """One random convolution: everything that comes out of rnnlib and of torch."""
    rng = np.random.default_rng(seed)
    B, C, K, size, stride = (int(number) for number in rng.integers(1, 5, size=5))
    # a window that saw nothing but the zeros around a picture would compare zeros
    padding = ["valid", "same", 0, min(1, size - 1), min(2, size - 1)][seed % 5]
    stride = 1 if padding == "same" else stride
    height, width = (int(number) for number in size + rng.integers(0, 6, size=2))
    bias = bool(rng.integers(3))
    ours = Conv2d(C, K, size, stride=stride, padding=padding, bias=bias, seed=rng, dtype=dtype)
    theirs = torch.nn.Conv2d(
        C, K, size, stride=stride, padding=padding, bias=bias, dtype=torch.float64
    )
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    x = rng.standard_normal((B, C, height, width)).astype(dtype)
    x_t = tensor(x)
    y_t = theirs(x_t)
    dy = rng.standard_normal(y_t.shape).astype(dtype)
    y_t.backward(tensor(dy))
    got = {"y": ours(x), "x": ours.backward(dy)}
    got |= {name: parameter.grad for name, parameter in ours.named_parameters()}
    want = {"y": y_t, "x": x_t.grad}
    want |= {name: parameter.grad for name, parameter in theirs.named_parameters()}
    return got, want


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_conv2d_equals_torch_in_values_and_all_gradients(dtype):
    for seed in range(CONFIGURATIONS):
        got, want = conv_case(seed, dtype)
        assert_equal(got, want, TOLERANCE[dtype])
        assert all(array.dtype == dtype for array in got.values())


@pytest.mark.parametrize(("padding", "stride"), [("valid", 1), ("same", 1), (1, 2)])
def test_conv2d_gradients(padding, stride):
    rng = np.random.default_rng(0)
    layer = Conv2d(2, 3, 3, stride=stride, padding=padding, seed=rng)
    x = rng.standard_normal((2, 2, 5, 4))
    dy = rng.standard_normal(layer(x).shape)
    dx = layer.backward(dy)
    arrays, gradients = module_arrays(layer)
    check_gradients(lambda: float((layer(x) * dy).sum()), arrays | {"x": x}, gradients | {"x": dx})


def test_dropout_gradients():
    rng = np.random.default_rng(1)
    layer, (x, dy) = Dropout(0.4), rng.standard_normal((2, 5, 4))
    layer.rng = Given(rng.random((5, 4)) >= 0.4)
    layer(x)
    dx = layer.backward(dy)
    check_gradients(lambda: float((layer(x) * dy).sum()), {"x": x}, {"x": dx})


@pytest.mark.parametrize("kind", ["Max", "Avg"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_pooling_equals_torch(kind, dtype):
    ours_class, theirs_class = {
        "Max": (MaxPool2d, torch.nn.MaxPool2d),
        "Avg": (AvgPool2d, torch.nn.AvgPool2d),
    }[kind]
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        B, C, size = (int(number) for number in rng.integers(1, 5, size=3))
        stride = None if seed % 3 == 0 else int(rng.integers(1, 5))
        height, width = (int(number) for number in size + rng.integers(0, 7, size=2))
        x = rng.standard_normal((B, C, height, width)).astype(dtype)
        if seed % 2:
            x = np.round(x)  # of several largest ones the first is taken
        x_t, ours = tensor(x), ours_class(size, stride)
        y_t = theirs_class(size, stride)(x_t)
        dy = rng.standard_normal(y_t.shape).astype(dtype)
        y_t.backward(tensor(dy))
        y = ours(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, y_t.detach().numpy(), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(ours.backward(dy), x_t.grad.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [MaxPool2d(2, 1), AvgPool2d(3, 2)])
def test_pooling_takes_any_axes_in_front_and_has_true_gradients(layer):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 2, 5, 4))
    y = layer(x)
    dy = rng.standard_normal(y.shape)
    dx = layer.backward(dy)
    for t in range(2):
        np.testing.assert_allclose(layer(x[t]), y[t], rtol=1e-12, atol=1e-14)
    check_gradients(lambda: float((layer(x) * dy).sum()), {"x": x}, {"x": dx})
    for shape in [(0, 5, 4), (2, 0, 5, 4)]:
        empty = layer(np.zeros(shape))
        assert empty.shape == (*shape[:-2], *y.shape[-2:])
        assert layer.backward(empty).shape == shape


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_embedding_equals_torch_with_a_word_that_pads_or_without(dtype):
    pads = 0
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        V, I = (int(number) for number in rng.integers(1, 8, size=2))
        shape = tuple(rng.integers(0, 6, size=rng.integers(0, 4)))
        padding = None if seed % 3 == 0 else int(rng.integers(-V, V))
        ours = Embedding(V, I, padding, seed=rng, dtype=dtype)
        if padding is not None:
            assert not ours.weight.data[padding].any()
            pads += 1
        theirs = torch.nn.Embedding(V, I, padding_idx=padding, dtype=torch.float64)
        weights = rng.standard_normal((V, I))  # what pads may be given other numbers, as there
        ours.load_state_dict({"weight": weights.astype(dtype)})
        theirs.load_state_dict({"weight": torch.tensor(weights.astype(dtype))})
        for _ in range(2):  # gradients add up
            tokens = np.asarray(rng.integers(V, size=shape))
            dx = np.asarray(rng.standard_normal((*shape, I)), dtype)
            x_t = theirs(torch.tensor(tokens))
            x_t.backward(tensor(dx))
            np.testing.assert_array_equal(ours(tokens), x_t.detach().numpy().astype(dtype))
            ours.backward(dx)
        np.testing.assert_allclose(
            ours.weight.grad, theirs.weight.grad.numpy(), rtol=1e-5, atol=TOLERANCE[dtype]
        )
    assert pads > 100


def test_what_pads_gets_no_gradient_whatever_stands_there():
    layer = Embedding(4, 3, padding_idx=0, seed=0)
    layer(np.array([0, 2, 0]))
    layer.backward(np.array([[np.nan] * 3, [1.0] * 3, [np.inf] * 3]))
    assert layer.weight.grad.tolist() == [[0.0] * 3, [0.0] * 3, [1.0] * 3, [0.0] * 3]


PASSES = {
    "Linear": (lambda: Linear(3, 2, seed=0), [(5, 3)]),
    "Dropout": (lambda: Dropout(0.5, seed=0), [(5, 3)]),
    "Conv2d": (lambda: Conv2d(2, 3, 3, padding=1, seed=0), [(2, 2, 5, 4)]),
    "Conv2d of 1": (lambda: Conv2d(2, 3, 1, seed=0), [(2, 2, 5, 4)]),
    "MaxPool2d": (lambda: MaxPool2d(2), [(2, 5, 4)]),
    "AvgPool2d": (lambda: AvgPool2d(2), [(2, 5, 4)]),
    "DotAttention": (lambda: DotAttention(scaled=True), [(3, 2, 4), (5, 2, 4), (5, 2, 3)]),
    "AdditiveAttention": (
        lambda: AdditiveAttention(4, 3, 6, seed=0),
        [(3, 2, 4), (5, 2, 3), (5, 2, 3)],
    ),
}


@pytest.mark.parametrize("lengths", [None, [5, 2]])
@pytest.mark.parametrize("name", [*PASSES, "Embedding"])
def test_the_gradient_is_that_of_the_pass_that_ran_whatever_changes_in_between(name, lengths):
    """A loader refills its arrays; an optimiser steps before the backward pass."""

    def gradients(disturb):
        rng = np.random.default_rng(1)
        if name == "Embedding":
            layer, inputs = Embedding(4, 3, seed=0), [rng.integers(4, size=(5, 2))]
        else:
            make, shapes = PASSES[name]
            layer, inputs = make(), [rng.standard_normal(shape) for shape in shapes]
        more = [lengths] if "Attention" in name else []
        output = layer(*inputs, *more)
        output = output[0] if isinstance(output, tuple) else output
        dy = rng.standard_normal(output.shape)
        if disturb:
            for array in [*inputs, *(parameter.data for parameter in layer.parameters())]:
                array[...] = 3 - array
            output[...] = 0.0
        back = layer.backward(dy)
        back = back if isinstance(back, tuple) else (back,)
        return [*(b for b in back if b is not None), *(p.grad for p in layer.parameters())]

    for got, want in zip(gradients(True), gradients(False), strict=True):
        assert want.any()
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_drops_its_share_and_keeps_the_mean(p):
    y = Dropout(p, seed=0)(np.ones(100_000))
    assert abs((y == 0).mean() - p) < 0.01
    assert abs(y.mean() - 1.0) < 0.02


def test_dropout_does_nothing_in_evaluation_and_keeps_nothing():
    layer, x = Dropout(0.5, seed=0), np.ones((3, 4))
    layer(x)
    layer.eval()
    assert layer(x) is x
    with pytest.raises(RuntimeError, match=r"Dropout\.backward needs a forward pass"):
        layer.backward(x)


def test_dropout_without_a_share_drops_nothing():
    x = np.random.default_rng(2).standard_normal((3, 4))
    np.testing.assert_array_equal(Dropout(0.0)(x), x)


def test_a_seed_decides_the_masks_and_every_pass_has_its_own():
    layer, same, x = Dropout(0.5, seed=3), Dropout(0.5, seed=3), np.ones(50)
    first, second = layer(x), layer(x)
    assert (first != second).any()
    np.testing.assert_array_equal(same(x), first)
    np.testing.assert_array_equal(same(x), second)


sizes = st.integers(1, 3)


@given(
    lead=st.lists(st.integers(0, 3), max_size=3),
    C=sizes,
    K=sizes,
    size=sizes,
    stride=sizes,
    padding=st.one_of(st.integers(0, 2), st.just("valid"), st.just("same")),
    extra=st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
def test_conv2d_is_the_sum_that_its_formula_says_for_any_shape(
    lead, C, K, size, stride, padding, extra
):
    stride = 1 if padding == "same" else stride
    rng = np.random.default_rng([*lead, C, K, size])
    layer = Conv2d(C, K, size, stride=stride, padding=padding, seed=rng)
    x = rng.standard_normal((*lead, C, size + extra[0], size + extra[1]))
    y = layer(x)
    before, behind = layer.padding
    padded = np.pad(x, [(0, 0)] * (len(lead) + 1) + [(before, behind)] * 2)
    rows, columns = ((s - size) // stride + 1 for s in padded.shape[-2:])
    assert y.shape == (*lead, K, rows, columns)
    for r, s in np.ndindex(rows, columns):
        window = padded[..., stride * r : stride * r + size, stride * s : stride * s + size]
        want = np.einsum("kcij,...cij->...k", layer.weight.data, window) + layer.bias.data
        np.testing.assert_allclose(y[..., r, s], want, rtol=1e-12, atol=1e-12)
    assert layer.backward(np.ones_like(y)).shape == x.shape
    if 0 in lead:
        assert not layer.weight.grad.any()
    if padding == "same":
        assert y.shape[-2:] == x.shape[-2:]


def test_time_and_batch_are_the_same_as_one_picture_after_the_other():
    rng = np.random.default_rng(4)
    layer, x = Conv2d(2, 3, 3, padding="same", seed=rng), rng.standard_normal((4, 3, 2, 5, 6))
    y = layer(x)
    for t, b in np.ndindex(4, 3):
        np.testing.assert_allclose(layer(x[t, b]), y[t, b], rtol=1e-12, atol=1e-14)


def test_nan_in_one_picture_leaves_the_others_alone():
    layer, x = Conv2d(1, 2, 3, seed=0), np.ones((3, 1, 5, 5))
    clean = layer(x)
    x[1, 0, 0, 0] = np.nan
    y = layer(x)
    assert np.isnan(y[1, :, 0, 0]).all()
    assert np.isnan(y).sum() == 2
    np.testing.assert_array_equal(y[[0, 2]], clean[[0, 2]])


def test_gradients_accumulate_and_inputs_are_not_modified():
    rng = np.random.default_rng(5)
    layer, x = Conv2d(2, 3, 3, padding=1, seed=rng), rng.standard_normal((2, 2, 4, 4))
    before, dy = x.copy(), rng.standard_normal((2, 3, 4, 4))
    layer(x)
    layer.backward(dy)
    once = layer.weight.grad.copy()
    layer(x)
    layer.backward(dy)
    np.testing.assert_allclose(layer.weight.grad, 2 * once, rtol=1e-12)
    np.testing.assert_array_equal(x, before)
    with pytest.raises(RuntimeError, match=r"Conv2d\.backward needs a forward pass"):
        layer.backward(dy)


def test_a_non_contiguous_picture_gives_the_same():
    rng = np.random.default_rng(6)
    layer, x = Conv2d(2, 3, 2, seed=rng), rng.standard_normal((3, 4, 10, 8))
    view = x[::-1, ::2, ::2, ::-1]
    np.testing.assert_allclose(layer(view), layer(view.copy()), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Dropout(1.0), r"p must lie in 0 … 1 \(1 excluded\), got 1.0"),
        (lambda: Dropout(-0.1), "p must lie in"),
        (lambda: Dropout(np.nan), "p must lie in"),
        (lambda: Dropout()(np.ones(3, int)), "x has dtype int64"),
        (lambda: Dropout().eval()(np.ones(3, np.float16)), "x has dtype float16"),
        (lambda: Conv2d(0, 1, 1), "in_channels must be a whole number"),
        (lambda: Conv2d(1, 0, 1), "out_channels must be a whole number"),
        (lambda: Conv2d(1, 1, 2.5), "kernel_size must be a whole number"),
        (lambda: Conv2d(1, 1, 1, stride=0), "stride must be a whole number"),
        (lambda: Conv2d(1, 1, 1, padding=-1), "padding must be 'valid', 'same' or at least 0"),
        (lambda: Conv2d(1, 1, 1, padding="full"), "got 'full'"),
        (lambda: Conv2d(1, 1, 3, padding="same", stride=2), "padding 'same' needs stride 1, got 2"),
        (lambda: Conv2d(1, 1, 1, dtype=np.float16), "float32 or float64"),
        (
            lambda: Conv2d(2, 1, 3)(np.ones((5, 1, 4, 4))),
            r"x has shape \(5, 1, 4, 4\), but shape \(\.\.\., 2, height, width\) is needed",
        ),
        (lambda: Conv2d(2, 1, 3)(np.ones((4, 4))), r"shape \(\.\.\., 2, height, width\) is needed"),
        (lambda: Conv2d(1, 1, 3)(np.ones((1, 4, 4), int)), "x has dtype int64"),
        (lambda: Conv2d(1, 1, 3)(np.ones((1, 4, 4), np.float32)), "but float64 is needed"),
        (lambda: Conv2d(1, 1, 3)(np.ones((1, 4, 2))), "smaller than the window of 3 by 3"),
        (lambda: Conv2d(1, 1, 3)(np.ones((1, 0, 0))), "smaller than the window of 3 by 3"),
        (lambda: MaxPool2d(3)(np.ones((1, 4, 2))), "pictures of 4 by 2 .* window of 3 by 3"),
        (lambda: MaxPool2d(0), "kernel_size must be a whole number"),
        (lambda: AvgPool2d(2, 0), "stride must be a whole number"),
        (
            lambda: AvgPool2d(2)(np.ones(4)),
            r"x has shape \(4,\), but shape \(\.\.\., height, width\)",
        ),
        (lambda: Embedding(4, 3, padding_idx=4), "padding_idx must lie in 0 … 3, but holds 4"),
        (lambda: Embedding(4, 3, padding_idx=1.0), "padding_idx has dtype float64"),
    ],
)
def test_a_wrong_setting_or_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_wrong_gradient_is_named():
    layer = Conv2d(1, 2, 3, seed=0)
    layer(np.ones((4, 1, 5, 5)))
    with pytest.raises(ValueError, match=r"dy has shape \(4, 2, 5, 5\), but shape \(4, 2, 3, 3\)"):
        layer.backward(np.ones((4, 2, 5, 5)))
    dropout = Dropout(seed=0)
    dropout(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"dy has shape \(3,\), but shape \(2, 3\)"):
        dropout.backward(np.ones(3))
