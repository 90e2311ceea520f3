"""Attention: equal to torch, to its formula, and blind to what does not count."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_against_torch import CONFIGURATIONS, assert_equal, tensor
from test_gradients import module_arrays

from rnnlib import AdditiveAttention, DotAttention, check_gradients, softmax
from rnnlib.attention import Attention

KINDS = ["dot", "scaled", "additive"]
# a score's gradient is a difference, and where it nearly vanishes float32 has few digits left
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-4}


def attention_of(kind, Q=3, K=3, seed=0, dtype=np.float64):
    """An attention layer; the dot product wants K = Q."""
    if kind == "additive":
        return AdditiveAttention(Q, K, 4, seed=seed, dtype=dtype)
    return DotAttention(scaled=kind == "scaled")


def arrays_for(rng, T_q, T_k, B, Q, K, F, dtype=np.float64):
    shapes = [(T_q, B, Q), (T_k, B, K), (T_k, B, F), (T_q, B, F), (T_q, B, T_k)]
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def run(attention, queries, keys, values, lengths, dcontext, dweights):
    context, weights = attention(queries, keys, values, lengths)
    backward = attention.backward(dcontext, dweights)
    result = {"context": context, "weights": weights}
    return result | dict(zip(["queries", "keys", "values"], backward, strict=True))


def torch_scores(kind, ours, queries, keys, twins):
    """(B, T_q, T_k) scores of tensors whose batch comes first."""
    if kind == "additive":
        twins |= {name: tensor(p.data) for name, p in ours.named_parameters()}
        hidden = (queries @ twins["W_q"].T)[:, :, None] + (keys @ twins["W_k"].T)[:, None]
        return torch.tanh(hidden) @ twins["v"]
    scores = queries @ keys.transpose(1, 2)
    return scores / queries.shape[2] ** 0.5 if kind == "scaled" else scores


def attention_case(kind, seed, dtype):
    """One random configuration: everything that comes out of rnnlib and of torch."""
    rng = np.random.default_rng(seed)
    T_q, B, Q, K, F = (int(size) for size in rng.integers(1, 7, size=5))
    # a single key has weight 1 whatever its score: no gradient that could be compared
    T_k = int(rng.integers(2, 8))
    K = K if kind == "additive" else Q
    *arrays, dcontext, dweights = arrays_for(rng, T_q, T_k, B, Q, K, F, dtype)
    lengths = None
    if seed % 2:
        lengths = rng.integers(1, T_k + 1, size=B)
        lengths[rng.integers(B)] = rng.integers(2, T_k + 1)
    ours = attention_of(kind, Q, K, seed=rng, dtype=dtype)
    got = run(ours, *arrays, lengths, dcontext, dweights if seed % 3 else None)
    got |= {name: parameter.grad for name, parameter in ours.named_parameters()}

    twins = {name: tensor(a) for name, a in zip(["queries", "keys", "values"], arrays, strict=True)}
    queries, keys, values = (twin.transpose(0, 1) for twin in twins.values())
    counts = torch.ones((B, T_q, T_k), dtype=torch.bool)
    if lengths is not None:
        counts &= (torch.arange(T_k) < torch.tensor(lengths)[:, None])[:, None]
    scores = torch_scores(kind, ours, queries, keys, twins)
    weights = scores.masked_fill(~counts, -torch.inf).softmax(2)
    context = weights @ values
    if kind != "additive":
        context = torch.nn.functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=counts, scale=None if kind == "scaled" else 1.0
        )
    loss = (context.transpose(0, 1) * tensor(dcontext)).sum()
    if seed % 3:
        loss = loss + (weights.transpose(0, 1) * tensor(dweights)).sum()
    loss.backward()
    want = {"context": context.transpose(0, 1), "weights": weights.transpose(0, 1)}
    return got, want | {name: twin.grad for name, twin in twins.items()}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_attention_equals_torch_in_values_and_all_gradients(kind, dtype):
    for seed in range(CONFIGURATIONS):
        got, want = attention_case(kind, seed, dtype)
        assert_equal(got, want, TOLERANCE[dtype])
        assert all(array.dtype == dtype for array in got.values())


@pytest.mark.parametrize("lengths", [None, [4, 1, 2]])
@pytest.mark.parametrize("kind", KINDS)
def test_attention_gradients(kind, lengths):
    rng = np.random.default_rng(0)
    attention = attention_of(kind)
    queries, keys, values, dcontext, dweights = arrays_for(rng, 3, 4, 3, 3, 3, 2)

    def loss():
        context, weights = attention(queries, keys, values, lengths)
        return float((context * dcontext).sum() + (weights * dweights).sum())

    got = run(attention, queries, keys, values, lengths, dcontext, dweights)
    arrays, gradients = module_arrays(attention)
    inputs = {"queries": queries, "keys": keys, "values": values}
    check_gradients(loss, arrays | inputs, gradients | {name: got[name] for name in inputs})


@given(
    kind=st.sampled_from(KINDS),
    T_q=st.integers(0, 4),
    T_k=st.integers(1, 4),
    B=st.integers(0, 3),
    Q=st.integers(1, 4),
    K=st.integers(1, 4),
    F=st.integers(0, 3),
    data=st.data(),
)
def test_attention_is_what_its_formula_says_for_any_shape(kind, T_q, T_k, B, Q, K, F, data):
    K = K if kind == "additive" else Q
    lengths = data.draw(st.lists(st.integers(1, T_k), min_size=B, max_size=B))
    lengths = np.array(lengths, dtype=int)
    rng = np.random.default_rng([T_q, T_k, B, Q, K, F])
    attention = attention_of(kind, Q, K, seed=rng)
    queries, keys, values, dcontext, _ = arrays_for(rng, T_q, T_k, B, Q, K, F)
    got = run(attention, queries, keys, values, lengths, dcontext, None)
    assert [got[name].shape for name in ["queries", "keys", "values"]] == [
        queries.shape,
        keys.shape,
        values.shape,
    ]
    for t, b in np.ndindex(T_q, B):
        counts = keys[: lengths[b], b]
        if kind == "additive":
            W_q, W_k, v = (p.data for p in attention.parameters())
            scores = np.array([v @ np.tanh(W_q @ queries[t, b] + W_k @ k) for k in counts])
        else:
            scores = counts @ queries[t, b] / (np.sqrt(Q) if kind == "scaled" else 1.0)
        weights = np.zeros(T_k)
        weights[: lengths[b]] = softmax(scores)
        np.testing.assert_allclose(got["weights"][t, b], weights, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(got["context"][t, b], weights @ values[:, b], atol=1e-12)


@pytest.mark.parametrize("noise", [1e6, np.nan, np.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_keys_behind_the_end_change_nothing(kind, noise):
    rng = np.random.default_rng(1)
    lengths = np.array([5, 2, 3])
    behind = np.arange(5)[:, None] >= lengths
    queries, keys, values, dcontext, dweights = arrays_for(rng, 4, 5, 3, 3, 3, 2)
    clean, noisy = attention_of(kind), attention_of(kind)
    want = run(clean, queries, keys, values, lengths, dcontext, dweights)
    keys[behind], values[behind] = noise, noise
    got = run(noisy, queries, keys, values, lengths, dcontext, dweights)
    for name, array in want.items():
        np.testing.assert_array_equal(got[name], array)
    for ours, theirs in zip(noisy.parameters(), clean.parameters(), strict=True):
        np.testing.assert_array_equal(ours.grad, theirs.grad)
    assert not got["weights"].swapaxes(1, 2)[:, behind].any()
    assert not got["keys"][behind].any() and not got["values"][behind].any()


@pytest.mark.parametrize("kind", KINDS)
def test_padded_keys_equal_each_sequence_alone(kind):
    rng = np.random.default_rng(2)
    lengths = [5, 2, 3]
    queries, keys, values, dcontext, dweights = arrays_for(rng, 4, 5, 3, 3, 3, 2)
    together, alone = attention_of(kind), attention_of(kind)
    got = run(together, queries, keys, values, lengths, dcontext, dweights)
    for b, n in enumerate(lengths):
        one = slice(b, b + 1)
        want = run(
            alone,
            *(queries[:, one], keys[:n, one], values[:n, one], None),
            *(dcontext[:, one], dweights[:, one, :n]),
        )
        for name in ["context", "queries"]:
            np.testing.assert_allclose(got[name][:, one], want[name], rtol=1e-10, atol=1e-14)
        for name in ["keys", "values"]:
            np.testing.assert_allclose(got[name][:n, one], want[name], rtol=1e-10, atol=1e-14)
    for ours, theirs in zip(together.parameters(), alone.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad, theirs.grad, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_permuting_the_batch_permutes_the_result(kind):
    rng = np.random.default_rng(3)
    order, lengths = rng.permutation(5), np.array([4, 1, 2, 4, 3])
    arrays = arrays_for(rng, 3, 4, 5, 3, 3, 2)
    gradients, arrays = arrays[3:], arrays[:3]
    want = run(attention_of(kind), *arrays, lengths, *gradients)
    got = run(
        attention_of(kind),
        *(array[:, order] for array in arrays),
        lengths[order],
        *(array[:, order] for array in gradients),
    )
    for name, array in want.items():
        np.testing.assert_allclose(got[name], array[:, order], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_keys_does_not_matter_to_the_context(kind):
    rng = np.random.default_rng(4)
    queries, keys, values, *_ = arrays_for(rng, 3, 6, 2, 3, 3, 2)
    order = rng.permutation(6)
    context, weights = attention_of(kind)(queries, keys, values)
    mixed, mixed_weights = attention_of(kind)(queries, keys[order], values[order])
    np.testing.assert_allclose(mixed, context, rtol=1e-10)
    np.testing.assert_allclose(mixed_weights, weights[..., order], rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_key_has_weight_one_and_its_score_no_gradient(kind):
    rng = np.random.default_rng(5)
    queries, keys, values, dcontext, dweights = arrays_for(rng, 3, 1, 2, 3, 3, 2)
    got = run(attention_of(kind), queries, keys, values, None, dcontext, dweights)
    np.testing.assert_array_equal(got["weights"], np.ones((3, 2, 1)))
    np.testing.assert_allclose(got["context"], np.broadcast_to(values, (3, 2, 2)))
    np.testing.assert_allclose(got["values"][0], dcontext.sum(axis=0))
    assert abs(got["queries"]).max() < 1e-14 and abs(got["keys"]).max() < 1e-14


def test_scaling_keeps_large_dot_products_from_picking_a_single_key():
    rng = np.random.default_rng(6)
    queries, keys, values, *_ = arrays_for(rng, 50, 8, 4, 400, 400, 2)
    plain, scaled = DotAttention()(queries, keys, values), DotAttention(True)(queries, keys, values)
    assert plain[1].max(axis=2).mean() > 0.95
    assert scaled[1].max(axis=2).mean() < 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_huge_scores_do_not_overflow(kind):
    rng = np.random.default_rng(7)
    queries, keys, values, *_ = arrays_for(rng, 2, 3, 2, 3, 3, 2)
    context, weights = attention_of(kind)(1e150 * queries, 1e150 * keys, values, [3, 2])
    assert np.isfinite(context).all()
    np.testing.assert_allclose(weights.sum(axis=2), 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_nan_stays_in_its_own_query_and_its_own_sequence(kind):
    rng = np.random.default_rng(8)
    queries, keys, values, *_ = arrays_for(rng, 4, 5, 3, 3, 3, 2)
    clean, _ = attention_of(kind)(queries, keys, values)
    queries[2, 1, 0] = keys[0, 2, 1] = np.nan
    context, _ = attention_of(kind)(queries, keys, values)
    assert np.isnan(context[2, 1]).all() and np.isnan(context[:, 2]).all()
    np.testing.assert_array_equal(context[:, 0], clean[:, 0])
    np.testing.assert_array_equal(context[[0, 1, 3], 1], clean[[0, 1, 3], 1])


@pytest.mark.parametrize("kind", KINDS)
def test_each_forward_is_walked_back_once_and_inputs_are_not_modified(kind):
    rng = np.random.default_rng(9)
    arrays = arrays_for(rng, 3, 4, 2, 3, 3, 2)
    before = [array.copy() for array in arrays]
    attention = attention_of(kind)
    run(attention, *arrays[:3], [4, 2], *arrays[3:])
    once = [parameter.grad.copy() for parameter in attention.parameters()]
    run(attention, *arrays[:3], [4, 2], *arrays[3:])
    for parameter, gradient in zip(attention.parameters(), once, strict=True):
        np.testing.assert_allclose(parameter.grad, 2 * gradient, rtol=1e-12)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    with pytest.raises(RuntimeError, match=r"Attention\.backward needs a forward pass"):
        attention.backward(arrays[3])
    _, weights = attention(*arrays[:3])
    with pytest.raises(ValueError, match="read-only"):
        weights += 1.0
    attention.eval()
    _, weights = attention(*arrays[:3])
    weights += 1.0  # nothing needs them any more


@pytest.mark.parametrize("kind", KINDS)
def test_a_non_contiguous_input_gives_the_same(kind):
    rng = np.random.default_rng(10)
    queries, keys, values = rng.standard_normal((3, 8, 6, 6))
    views = [array[::2, ::-2, ::2] for array in (queries, keys, values)]
    got, want = attention_of(kind)(*views), attention_of(kind)(*(view.copy() for view in views))
    np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-12)


ones = np.ones


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ones((2, 3)), ones((5, 2, 3)), ones((5, 2, 4))), r"queries has shape \(2, 3\)"),
        ((ones((4, 2, 3), int), ones((5, 2, 3)), ones((5, 2, 4))), "queries has dtype int64"),
        ((ones((4, 2, 3), np.float16), ones((5, 2, 3)), ones((5, 2, 4))), "dtype float16"),
        (
            (ones((4, 2, 3)), ones((5, 1, 3)), ones((5, 1, 4))),
            r"keys has shape \(5, 1, 3\), but shape \(T_k, 2, H\) is needed",
        ),
        (
            (ones((4, 2, 3)), ones((5, 2, 3), np.float32), ones((5, 2, 4))),
            "keys has dtype float32, but float64 is needed",
        ),
        (
            (ones((4, 2, 3)), ones((5, 2, 3)), ones((1, 2, 4))),
            r"values has shape \(1, 2, 4\), but shape \(5, 2, F\) is needed",
        ),
        ((ones((4, 2, 3)), ones((0, 2, 3)), ones((0, 2, 4))), "keys has no time step"),
        ((ones((4, 2, 3)), ones((5, 2, 3)), ones((5, 2, 4)), [5]), r"lengths has shape \(1,\)"),
        ((ones((4, 2, 3)), ones((5, 2, 3)), ones((5, 2, 4)), [5, 0]), "lengths must lie in 1 … 5"),
        ((ones((4, 2, 3)), ones((5, 2, 3)), ones((5, 2, 4)), [6, 1]), "lengths must lie in 1 … 5"),
        ((ones((4, 2, 3)), ones((5, 2, 3)), ones((5, 2, 4)), [1.0, 2.0]), "lengths has dtype"),
    ],
)
def test_a_wrong_input_is_named(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        attention_of(kind)(*arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: DotAttention()(ones((4, 2, 3)), ones((5, 2, 6)), ones((5, 2, 4))),
            "queries hold 3 numbers a step, but keys 6",
        ),
        (
            lambda: AdditiveAttention(3, 6, 5)(ones((4, 2, 6)), ones((5, 2, 6)), ones((5, 2, 4))),
            r"queries has shape \(4, 2, 6\), but shape \(T_q, B, 3\) is needed",
        ),
        (
            lambda: AdditiveAttention(3, 6, 5)(ones((4, 2, 3)), ones((5, 2, 3)), ones((5, 2, 4))),
            r"keys has shape \(5, 2, 3\), but shape \(T_k, B, 6\) is needed",
        ),
        (
            lambda: AdditiveAttention(3, 3, 5, dtype=np.float32)(*[ones((4, 2, 3))] * 3),
            "queries has dtype float64, but float32 is needed",
        ),
        (lambda: AdditiveAttention(0, 3, 5), "query_size must be a whole number"),
        (lambda: AdditiveAttention(3, 0, 5), "key_size must be a whole number"),
        (lambda: AdditiveAttention(3, 3, 0), "attention_size must be a whole number"),
        (lambda: AdditiveAttention(3, 3, 5, dtype=int), "float32 or float64"),
    ],
)
def test_a_wrong_size_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_wrong_gradient_is_named():
    attention, x = DotAttention(), ones((4, 2, 3))
    attention(x, x, x)
    with pytest.raises(ValueError, match=r"dcontext has shape \(2, 3\), but shape \(4, 2, 3\)"):
        attention.backward(ones((2, 3)))
    attention(x, x, x)
    with pytest.raises(ValueError, match=r"dweights has shape \(2, 4\), but shape \(4, 2, 4\)"):
        attention.backward(x, ones((2, 4)))


def test_attention_without_a_score_says_so():
    x = ones((4, 2, 3))
    with pytest.raises(NotImplementedError, match="Attention defines no score"):
        Attention()(x, x, x)
    with pytest.raises(NotImplementedError, match="Attention defines no score"):
        Attention()._score_back(x, ())
