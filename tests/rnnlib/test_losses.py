"""Losses: equal to torch, to numerical gradients, and blind to what does not count."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_against_torch import CONFIGURATIONS, TOLERANCE, error

from rnnlib import (
    GRU,
    bernoulli_nll,
    check_gradients,
    cross_entropy,
    log_softmax,
    mse,
    quantile_loss,
    softmax,
)

Q = [0.1, 0.3, 0.5, 0.7, 0.9]


def random_shape(rng):
    return tuple(int(size) for size in rng.integers(1, 7, size=rng.integers(1, 4)))


def random_mask(rng, shape):
    """Some entries, at least one; or no mask at all."""
    mask = np.array(rng.random(shape) < 0.7)
    mask.flat[rng.integers(mask.size)] = True
    return mask if rng.integers(3) else None


def compare(loss, gradient, outputs, torch_loss, dtype):
    """Against torch in float64: `torch_loss` computes the same from a tensor."""
    twin = torch.tensor(outputs.astype(np.float64), requires_grad=True)
    want = torch_loss(twin)
    want.backward()
    assert isinstance(loss, float)
    assert gradient.dtype == dtype
    assert error(np.array(loss), want) <= TOLERANCE[dtype]
    assert error(gradient, twin.grad) <= TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_mse_equals_torch_with_and_without_a_mask(dtype):
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng)
        predictions, targets = (3.0 * rng.standard_normal((2, *shape))).astype(dtype)
        mask = random_mask(rng, shape[: rng.integers(1, len(shape) + 1)])
        counts = torch.tensor(np.ones(shape, dtype=bool) if mask is None else mask)
        other = torch.tensor(targets.astype(np.float64))
        compare(
            *mse(predictions, targets, mask),
            predictions,
            lambda twin, c=counts, v=other: torch.nn.functional.mse_loss(twin[c], v[c]),
            dtype,
        )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bernoulli_nll_equals_torch_with_and_without_a_mask(dtype):
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng)
        logits = (5.0 * rng.standard_normal(shape)).astype(dtype)
        targets = rng.random(shape) if seed % 3 == 0 else rng.integers(2, size=shape)
        targets = targets.astype(dtype)
        mask = random_mask(rng, shape[:-1])
        counts = torch.tensor(np.ones(shape[:-1], dtype=bool) if mask is None else mask)
        other = torch.tensor(targets.astype(np.float64))
        compare(
            *bernoulli_nll(logits, targets, mask),
            logits,
            lambda twin, c=counts, v=other: (
                torch.nn.functional.binary_cross_entropy_with_logits(twin[c], v[c], reduction="sum")
                / c.sum()
            ),
            dtype,
        )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cross_entropy_equals_torch_in_both_dtypes_and_for_any_ignored_label(dtype):
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        shape, K = random_shape(rng), int(rng.integers(2, 8))
        logits = ((5.0 if dtype == np.float64 else 1.0) * rng.standard_normal((*shape, K))).astype(
            dtype
        )
        targets = rng.integers(K, size=shape)
        ignored = int(rng.choice([-100, -1, 0, K - 1]))
        targets.flat[rng.integers(targets.size)] = (ignored + 1) % K  # one that counts
        more = {"ignore_index": ignored, "label_smoothing": float(rng.choice([0.0, rng.random()]))}
        weight = rng.uniform(0.1, 3.0, size=K).astype(dtype) if rng.integers(2) else None
        their_weight = None if weight is None else torch.tensor(weight.astype(np.float64))
        other = torch.tensor(targets.reshape(-1))
        compare(
            *cross_entropy(logits, targets, weight=weight, **more),
            logits,
            lambda twin, v=other, K=K, w=their_weight, more=more: torch.nn.functional.cross_entropy(
                twin.reshape(-1, K), v, weight=w, **more
            ),
            dtype,
        )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_quantile_loss_and_its_gradient_equal_what_torch_makes_of_the_definition(dtype):
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        shape, q = random_shape(rng), rng.uniform(0.01, 0.99, size=rng.integers(1, 4))
        predictions = (3.0 * rng.standard_normal((*shape, len(q)))).astype(dtype)
        targets = (3.0 * rng.standard_normal(shape)).astype(dtype)
        mask = random_mask(rng, shape)
        counts = torch.tensor(np.ones(shape, dtype=bool) if mask is None else mask)

        other = torch.tensor(targets.astype(np.float64))

        def definition(twin, v=other, c=counts, q=q):
            d, q = v[c][:, None] - twin[c], torch.tensor(q)
            return torch.maximum(q * d, (q - 1.0) * d).mean()

        compare(*quantile_loss(predictions, targets, q, mask), predictions, definition, dtype)


def test_the_quantile_loss_is_least_at_the_quantile():
    targets = np.random.default_rng(4).exponential(size=2001)
    for q in [0.1, 0.5, 0.9]:
        candidates = np.quantile(targets, [q - 0.05, q, q + 0.05])
        losses = [quantile_loss(np.full((2001, 1), c), targets, [q])[0] for c in candidates]
        assert np.argmin(losses) == 1
        _, gradient = quantile_loss(np.full((2001, 1), candidates[1]), targets, [q])
        assert abs(gradient.sum()) < 1e-3
    half, _ = quantile_loss(np.zeros((2001, 1)), targets, [0.5])
    assert half == pytest.approx(0.5 * targets.mean())


@pytest.mark.parametrize("masked", [False, True])
def test_gradients_equal_numerical_ones(masked):
    rng = np.random.default_rng(0)
    outputs, targets = rng.standard_normal((2, 4, 3, 5))
    mask = rng.random((4, 3)) < 0.6 if masked else None
    _, gradient = mse(outputs, targets, mask)
    check_gradients(lambda: mse(outputs, targets, mask)[0], {"a": outputs}, {"a": gradient})
    answers = (targets > 0).astype(float)
    _, gradient = bernoulli_nll(outputs, answers, mask)
    check_gradients(
        lambda: bernoulli_nll(outputs, answers, mask)[0], {"a": outputs}, {"a": gradient}
    )
    labels = rng.integers(5, size=(4, 3))
    if masked:
        labels[~mask] = -100
    for more in [{}, {"weight": np.array([1.0, 0.0, 0.5, 2.0, 3.0]), "label_smoothing": 0.2}]:
        _, gradient = cross_entropy(outputs, labels, **more)
        check_gradients(
            lambda more=more: cross_entropy(outputs, labels, **more)[0],
            {"a": outputs},
            {"a": gradient},
        )


@pytest.mark.parametrize("rubbish", [1e6, -np.inf, np.nan])
def test_what_does_not_count_changes_nothing(rubbish):
    rng = np.random.default_rng(1)
    outputs = rng.standard_normal((4, 3, 5))
    targets = rng.random((4, 3, 5))
    mask = rng.random((4, 3)) < 0.6
    labels = np.where(mask, rng.integers(5, size=(4, 3)), -100)
    dirty, dirty_targets = outputs.copy(), targets.copy()
    dirty[~mask] = dirty_targets[~mask] = rubbish
    for loss, right, dirty_right, more in [
        (mse, targets, dirty_targets, {"mask": mask}),
        (bernoulli_nll, targets, dirty_targets, {"mask": mask}),
        (cross_entropy, labels, labels, {}),
        (cross_entropy, labels, labels, {"label_smoothing": 0.1}),
        (quantile_loss, targets[..., 0], dirty_targets[..., 0], {"quantiles": Q, "mask": mask}),
    ]:
        value, gradient = loss(outputs, right, **more)
        dirty_value, dirty_gradient = loss(dirty, dirty_right, **more)
        assert dirty_value == value
        np.testing.assert_array_equal(dirty_gradient, gradient)
        assert not gradient[~mask].any() and gradient[mask].all()


def test_a_masked_mean_is_the_mean_of_what_is_left():
    """Dividing by all entries instead gives the falsely low numbers of padded batches."""
    rng = np.random.default_rng(2)
    outputs, targets = rng.standard_normal((2, 6, 2, 3))
    mask = np.arange(6)[:, None] < np.array([6, 2])
    kept, kept_targets = outputs[mask], targets[mask]
    assert mse(outputs, targets, mask)[0] == pytest.approx(mse(kept, kept_targets)[0], rel=1e-14)
    answers, kept_answers = (targets > 0) + 0.0, (kept_targets > 0) + 0.0
    assert bernoulli_nll(outputs, answers, mask)[0] == pytest.approx(
        bernoulli_nll(kept, kept_answers)[0], rel=1e-14
    )


def test_bernoulli_nll_of_a_frame_is_the_surprise_at_all_its_notes_together():
    """The probability of a frame is the product over its notes, for every frame there is."""
    s = np.array([0.3, -1.2, 2.0])
    p = 1.0 / (1.0 + np.exp(-s))
    frames = np.array(list(np.ndindex(2, 2, 2)), dtype=float)
    nll = [bernoulli_nll(s[None], frame[None])[0] for frame in frames]
    want = np.prod(np.where(frames == 1.0, p, 1.0 - p), axis=1)
    np.testing.assert_allclose(np.exp(-np.array(nll)), want, rtol=1e-13)
    assert np.exp(-np.array(nll)).sum() == pytest.approx(1.0)


def test_bernoulli_nll_stays_exact_at_scores_where_a_probability_would_round():
    s = np.array([[-40.0, 40.0, 1000.0, -1000.0]])
    loss, gradient = bernoulli_nll(s[:, :2], np.array([[0.0, 1.0]]))
    assert loss == pytest.approx(2 * np.exp(-40.0), rel=1e-12)
    np.testing.assert_allclose(gradient, [[np.exp(-40.0), -np.exp(-40.0)]], rtol=1e-12)
    loss, gradient = bernoulli_nll(s, 1.0 - (s > 0))  # sure, and wrong
    assert loss == pytest.approx(2080.0)
    np.testing.assert_allclose(gradient, [[-1.0, 1.0, 1.0, -1.0]], atol=1e-15)


def test_cross_entropy_of_a_class_that_cannot_be_is_infinite_and_its_gradient_is_not():
    loss, gradient = cross_entropy(np.array([[0.0, -np.inf]]), np.array([1]))
    assert loss == np.inf
    assert gradient.tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_no_number_can_hold_is_infinite_or_nan_without_a_warning(dtype):
    """Warnings are errors here, as in a strict notebook."""
    nowhere = np.array([[0.0, 0.0], [-np.inf, -np.inf]], dtype)
    assert np.isnan(softmax(nowhere)).tolist() == [[False] * 2, [True] * 2]
    assert np.isnan(log_softmax(nowhere)).tolist() == [[False] * 2, [True] * 2]
    loss, gradient = cross_entropy(nowhere, np.array([0, 1]))
    assert np.isnan(loss) and gradient[0].tolist() == [-0.25, 0.25]
    huge = np.array([[np.finfo(dtype).max, -np.finfo(dtype).max]])
    assert softmax(huge).tolist() == [[1.0, 0.0]]
    assert cross_entropy(huge, np.array([1]))[0] == np.inf
    assert mse(huge, -huge)[0] == np.inf
    assert quantile_loss(huge, -huge[:, 0], [0.5, 0.9])[0] == np.inf
    sure = np.array([[np.inf, -np.inf]], dtype)
    assert bernoulli_nll(sure, np.array([[1, 0]], dtype))[0] == 0.0
    assert bernoulli_nll(sure, np.array([[1, 1]], dtype))[0] == np.inf
    assert np.isnan(mse(sure, sure)[0])


def test_classes_in_the_middle_as_torch_has_them_are_refused_and_named():
    logits, targets = np.zeros((4, 3, 7)), np.zeros((4, 7), dtype=int)
    with pytest.raises(ValueError, match=r"as in torch; here .* np\.moveaxis\(logits, 1, -1\)"):
        cross_entropy(logits, targets)
    assert cross_entropy(np.moveaxis(logits, 1, -1), targets)[0] == pytest.approx(np.log(3.0))
    # where K = T nothing can tell the two apart: the last axis it is, as everywhere
    both, right = np.zeros((2, 3, 3)), np.ones((2, 3), dtype=int)
    both[:, :, 1] = 100.0
    assert cross_entropy(both, right)[0] < 1e-9


def test_what_a_recurrent_layer_returns_is_no_array_and_the_message_says_what_to_take():
    layer = GRU(3, 2, seed=0)
    with pytest.raises(ValueError, match=r"logits is a tuple of 2, .* as \(y, state\), take y"):
        cross_entropy(layer(np.ones((5, 4, 3))), np.zeros((5, 4), dtype=int))
    with pytest.raises(ValueError, match=r"make the layers with dtype=np\.float32, or convert"):
        layer(np.ones((5, 4, 3), np.float32))


def test_nan_is_not_hidden():
    one = np.ones((2, 3))
    nan = np.where(np.eye(2, 3) == 1.0, np.nan, one)
    assert np.isnan(mse(nan, one)[0])
    assert np.isnan(mse(one, nan)[0])
    assert np.isnan(bernoulli_nll(nan, one)[0])
    assert np.isnan(cross_entropy(nan, np.array([2, 2]))[0])
    assert np.isnan(mse(nan, one)[1][0, 0])
    assert np.isnan(bernoulli_nll(nan, one)[1][0, 0])


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_any_shape_keeps_shape_and_dtype_leaves_inputs_alone_and_takes_strided_views(
    shape, seed, dtype
):
    rng = np.random.default_rng(seed)
    wide = rng.random((2, *shape[:-1], 2 * shape[-1])).astype(dtype)
    outputs, targets = wide[..., ::2]
    labels = rng.integers(shape[-1], size=shape[:-1])
    for loss, right in [(mse, targets), (bernoulli_nll, targets), (cross_entropy, labels)]:
        before = wide.copy()
        value, gradient = loss(outputs, right)
        assert isinstance(value, float)
        assert gradient.shape == shape
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(wide, before)
        copied = loss(outputs.copy(), right.copy())
        assert value == pytest.approx(copied[0], rel=1e-5)
        np.testing.assert_allclose(gradient, copied[1], rtol=1e-5, atol=1e-7)


def test_the_order_of_the_batch_does_not_matter():
    rng = np.random.default_rng(3)
    outputs, targets = rng.random((2, 5, 7, 3))
    labels = rng.integers(3, size=(5, 7))
    order = rng.permutation(7)
    for loss, right in [(mse, targets), (bernoulli_nll, targets), (cross_entropy, labels)]:
        value, gradient = loss(outputs, right)
        other_value, other_gradient = loss(outputs[:, order], right[:, order])
        assert other_value == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(other_gradient, gradient[:, order], rtol=1e-14)


A, B, LABELS = np.ones((2, 3)), np.ones((2, 3)), np.zeros(2, int)
ANY = np.ones((2, 3), dtype=bool)


@pytest.mark.parametrize("loss", [mse, bernoulli_nll])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((A, B[:1]), r"targets has shape \(1, 3\), but shape \(2, 3\)"),
        ((A, B[:, :1]), r"targets has shape \(2, 1\), but shape \(2, 3\)"),
        ((A, B[0]), r"targets has shape \(3,\), but shape \(2, 3\)"),
        ((A, 1.0), r"targets has shape \(\), but shape \(2, 3\)"),
        ((A, B.astype(int)), "targets has dtype int64"),
        ((A, B.astype(bool)), "targets has dtype bool"),
        ((A, B.astype(np.float32)), "targets has dtype float32, but float64"),
        ((A.astype(int), B), "(predictions|logits) has dtype int64"),
        ((A.astype(np.float16), B), "(predictions|logits) has dtype float16"),
        ((A, B, np.ones(3, bool)), r"mask has shape \(3,\), but shape \(2,\)"),
        ((A, B, np.ones((2, 1), bool)), r"mask has shape \(2, 1\)"),
        ((A, B, np.ones((2, 3, 1), bool)), r"mask has shape \(2, 3, 1\)"),
        ((A, B, True), r"mask has shape \(\)"),
        ((A, B, np.ones(2)), "mask has dtype float64, but bool"),
        ((A, B, np.ones(2, int)), "mask has dtype int64, but bool"),
        ((A, B, np.zeros(2, bool)), "(predictions|logits) holds no (entry|frame) that counts"),
        ((A[:0], B[:0]), "(predictions|logits) holds no (entry|frame) that counts"),
    ],
)
def test_a_wrong_argument_is_named(loss, arguments, message):
    with pytest.raises(ValueError, match=message):
        loss(*arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bernoulli_nll(A, 2.0 * B), "targets must lie in 0 … 1, but holds 2.0"),
        (lambda: bernoulli_nll(A, -B), "targets must lie in 0 … 1, but holds -1.0"),
        (lambda: bernoulli_nll(A, np.nan * B), "targets must lie in 0 … 1, but holds nan"),
        (lambda: bernoulli_nll(A, B, ANY), r"mask has shape \(2, 3\), but shape \(2,\)"),
        (lambda: bernoulli_nll(np.float64(1.0), np.float64(1.0)), r"logits has shape \(\)"),
        (lambda: cross_entropy(A, np.array([0.0, 1.0])), "targets has dtype float64"),
        (lambda: cross_entropy(A, np.array([[0], [1]])), r"targets has shape \(2, 1\)"),
        (lambda: cross_entropy(A, np.array([0, -1])), "targets must lie in 0 … 2, but holds -1"),
        (lambda: cross_entropy(A, np.array([0, 3])), "targets must lie in 0 … 2, but holds 3"),
        (lambda: cross_entropy(A.astype(np.float16), np.array([0, 1])), "logits has dtype float16"),
        (lambda: cross_entropy(A[:0], np.zeros(0, int)), "targets holds no label that counts"),
        (lambda: cross_entropy(A[:, :0], np.zeros(2, int)), "targets must lie in"),
        (lambda: cross_entropy(A, LABELS, weight=np.ones(2)), r"weight has shape \(2,\)"),
        (
            lambda: cross_entropy(A, LABELS, weight=np.zeros(3)),
            "targets holds no label that counts",
        ),
        (
            lambda: cross_entropy(A, LABELS, label_smoothing=1.1),
            "label_smoothing must lie in 0 … 1",
        ),
        (
            lambda: quantile_loss(A, B[:, 0], [0.5]),
            r"predictions has shape \(2, 3\), but shape \(\.\.\., 1\)",
        ),
        (lambda: quantile_loss(A, B[:, 0], [0.1, 0.5, 1.0]), "quantiles must lie in 0 … 1"),
        (lambda: quantile_loss(A, B[:, 0], 0.5), r"quantiles has shape \(\), but shape \(Q,\)"),
        (lambda: cross_entropy(A, A), "targets has dtype float64, .* not a probability for each"),
        (lambda: quantile_loss(A, B, Q[:3]), r"targets has shape \(2, 3\), but shape \(2,\)"),
        (lambda: quantile_loss(A[:0], B[:0, 0], Q[:3]), "predictions holds no entry that counts"),
    ],
)
def test_each_loss_names_its_own_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
