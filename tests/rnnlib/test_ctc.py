"""CTC: equal to torch, to numerical gradients, and to the sum over every alignment."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_against_torch import CONFIGURATIONS, TOLERANCE, error

from rnnlib import (
    Adam,
    Buckets,
    Linear,
    Module,
    check_gradients,
    ctc_best_path,
    ctc_loss,
    fit,
    log_softmax,
    softmax,
)


def random_case(seed, dtype=np.float64):
    """Ragged sequences with repeated labels, some empty, some with no frame to spare."""
    rng = np.random.default_rng(seed)
    B, K, U = (int(size) for size in rng.integers([1, 2, 0], [5, 6, 5]))
    blank = int(rng.integers(K))
    targets = rng.choice(np.delete(np.arange(K), blank), size=(B, U))
    target_lengths = rng.integers(0, U + 1, size=B) if seed % 3 else np.full(B, U)
    pairs = np.arange(1, max(U, 1)) < target_lengths[:, None]
    repeats = ((targets[:, 1:] == targets[:, :-1]) & pairs).sum(axis=1)
    needed = np.maximum(target_lengths + repeats, 1)
    input_lengths = needed + rng.integers(0, 6, size=B)
    T = int(input_lengths.max()) + int(rng.integers(0, 3))
    logits = (2.0 * rng.standard_normal((T, B, K))).astype(dtype)
    return logits, targets, input_lengths, target_lengths, blank


def torch_ctc(logits, targets, input_lengths, target_lengths, blank, zero_infinity=False):
    twin = torch.tensor(logits.astype(np.float64), requires_grad=True)
    loss = torch.nn.functional.ctc_loss(
        twin.log_softmax(-1),
        torch.tensor(targets),
        torch.tensor(input_lengths),
        torch.tensor(target_lengths),
        blank=blank,
        reduction="sum",
        zero_infinity=zero_infinity,
    ) / len(targets)
    loss.backward()
    return loss.detach().numpy(), twin.grad.numpy()


def collapse(path, blank):
    """The labels that a path says: repeats struck out, then blanks."""
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


def every_path(logits, blank):
    """Labels, frames' classes and probability of each of the K^T paths of one sequence."""
    T, K = logits.shape
    y = softmax(logits)
    for path in itertools.product(range(K), repeat=T):
        yield collapse(path, blank), path, math.prod(y[t, k] for t, k in enumerate(path))


def by_hand(logits, labels, blank):
    """Loss and gradient of one sequence from the list of all its paths."""
    shares, p = np.zeros(logits.shape), 0.0
    for said, path, probability in every_path(logits, blank):
        if said == tuple(labels):
            p += probability
            shares[np.arange(len(path)), path] += probability
    return -math.log(p), softmax(logits) - shares / p


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ctc_equals_torch_in_value_and_gradient(dtype):
    seen = {"empty": 0, "repeat": 0, "ragged": 0, "blank elsewhere": 0}
    for seed in range(CONFIGURATIONS):
        case = random_case(seed, dtype)
        _, targets, input_lengths, target_lengths, blank = case
        loss, dlogits = ctc_loss(*case)
        want_loss, want_dlogits = torch_ctc(*case)
        assert isinstance(loss, float)
        assert dlogits.dtype == dtype
        assert error(np.array(loss), want_loss) <= TOLERANCE[dtype]
        assert error(dlogits, want_dlogits) <= TOLERANCE[dtype]
        seen["empty"] += int((target_lengths == 0).any())
        seen["repeat"] += int((targets[:, 1:] == targets[:, :-1]).any())
        seen["ragged"] += int(len(set(input_lengths)) > 1)
        seen["blank elsewhere"] += int(blank != 0)
    assert min(seen.values()) > 50, seen


@pytest.mark.parametrize(("dtype", "rounding"), [(np.float64, 1e-10), (np.float32, 1e-7)])
def test_ctc_equals_torch_over_a_thousand_frames(dtype, rounding):
    """Sums run in float64: of float32 logits only the gradient is rounded, once."""
    rng = np.random.default_rng(0)
    logits, targets = rng.standard_normal((1000, 3, 7)), rng.integers(1, 7, size=(3, 60))
    case = logits.astype(dtype), targets, np.array([1000, 700, 999]), np.array([60, 0, 31]), 0
    loss, dlogits = ctc_loss(*case)
    want_loss, want_dlogits = torch_ctc(*case)
    assert loss > 800.0  # e^-800 is no float64
    assert error(np.array(loss), want_loss) <= 1e-10
    assert error(dlogits, want_dlogits) <= rounding


@pytest.mark.parametrize("T", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("labels", [(), (1,), (1, 2), (1, 1), (2, 1, 2), (1, 1, 1), (2, 2, 1)])
@pytest.mark.parametrize("blank", [0, 3])
def test_ctc_equals_the_sum_over_every_alignment(T, labels, blank):
    K = 3 if blank == 0 else 4
    logits = np.random.default_rng(T).standard_normal((T, 1, K))
    targets = np.array([labels], dtype=int)
    needed = len(labels) + sum(a == b for a, b in itertools.pairwise(labels))
    if needed > T:
        assert all(said != labels for said, _, _ in every_path(logits[:, 0], blank))
        with pytest.raises(ValueError, match=f"must be at least {needed}, but is {T}"):
            ctc_loss(logits, targets, blank=blank)
        return
    loss, dlogits = ctc_loss(logits, targets, blank=blank)
    want_loss, want_dlogits = by_hand(logits[:, 0], labels, blank)
    assert loss == pytest.approx(want_loss, rel=1e-12)
    assert error(dlogits[:, 0], want_dlogits) <= 1e-12


def test_the_probabilities_of_all_labels_add_up_to_one():
    T, K = 4, 3
    logits = np.random.default_rng(1).standard_normal((T, 1, K))
    possible = {said for said, _, _ in every_path(logits[:, 0], blank=0)}
    total = sum(math.exp(-ctc_loss(logits, np.array([said], dtype=int))[0]) for said in possible)
    assert total == pytest.approx(1.0, rel=1e-12)
    assert len(possible) == 1 + 2 + 4 + 6 + 2  # by number of labels: a repeat needs a frame more


@pytest.mark.parametrize(("T", "U"), [(4, 2), (9, 3), (30, 7)])
def test_labels_without_repeats_have_as_many_paths_as_the_formula_says(T, U):
    """Choose where 2U changes fall: T + U over 2U, each path of probability K^-T."""
    labels = np.arange(1, U + 1)[None]
    loss, _ = ctc_loss(np.zeros((T, 1, U + 1)), labels)
    assert loss == pytest.approx(T * math.log(U + 1) - math.log(math.comb(T + U, 2 * U)))


def test_with_no_frame_to_spare_one_path_is_left():
    logits = np.random.default_rng(2).standard_normal((4, 1, 3))
    loss, dlogits = ctc_loss(logits, np.array([[1, 1, 2]]))
    path = [1, 0, 1, 2]
    assert loss == pytest.approx(-log_softmax(logits)[np.arange(4), 0, path].sum(), rel=1e-13)
    np.testing.assert_allclose(dlogits[:, 0], softmax(logits[:, 0]) - np.eye(3)[path], atol=1e-13)


def test_no_labels_means_blanks_alone():
    logits = np.random.default_rng(3).standard_normal((5, 2, 4))
    loss, dlogits = ctc_loss(logits, np.zeros((2, 0), dtype=int), blank=2)
    assert loss == pytest.approx(-log_softmax(logits)[:, :, 2].sum() / 2, rel=1e-13)
    np.testing.assert_allclose(dlogits, (softmax(logits) - np.eye(4)[2]) / 2, atol=1e-13)


@pytest.mark.parametrize("seed", range(8))
def test_gradient_equals_the_numerical_one(seed):
    case = random_case(seed)
    _, dlogits = ctc_loss(*case)
    check_gradients(lambda: ctc_loss(*case)[0], {"logits": case[0]}, {"logits": dlogits})


def test_following_the_gradient_teaches_the_labels_without_being_told_their_places():
    logits, targets = np.zeros((12, 3, 5)), np.array([[1, 2, 3, 4], [2, 2, 1, 1], [4, 3, 0, 0]])
    lengths = np.array([4, 4, 2])
    losses = []
    for _ in range(100):
        loss, dlogits = ctc_loss(logits, targets, target_lengths=lengths)
        losses.append(loss)
        logits -= 5.0 * dlogits
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1 < 5.0 < losses[0]
    assert ctc_best_path(logits) == [[1, 2, 3, 4], [2, 2, 1, 1], [4, 3]]


@pytest.mark.parametrize("rubbish", [1e6, np.inf, np.nan])
def test_what_lies_behind_the_lengths_changes_nothing(rubbish):
    changed = 0
    for seed in range(40):
        logits, targets, input_lengths, target_lengths, blank = random_case(seed)
        loss, dlogits = ctc_loss(logits, targets, input_lengths, target_lengths, blank)
        behind = np.arange(len(logits))[:, None] >= input_lengths
        dirty, dirty_targets = logits.copy(), targets.copy()
        dirty[behind] = rubbish
        dirty_targets[np.arange(targets.shape[1]) >= target_lengths[:, None]] = -7
        other_loss, other_dlogits = ctc_loss(
            dirty, dirty_targets, input_lengths, target_lengths, blank
        )
        assert other_loss == loss
        np.testing.assert_array_equal(other_dlogits, dlogits)
        assert not dlogits[behind].any()
        changed += int(behind.any()) and int((dirty_targets != targets).any())
    assert changed > 10


def test_a_padded_batch_equals_its_sequences_one_by_one_in_any_order():
    rng = np.random.default_rng(4)
    for seed in range(40):
        logits, targets, input_lengths, target_lengths, blank = random_case(seed)
        loss, dlogits = ctc_loss(logits, targets, input_lengths, target_lengths, blank)
        B, losses = len(targets), []
        for b, (frames, labels) in enumerate(zip(input_lengths, target_lengths, strict=True)):
            one, done = ctc_loss(
                logits[:frames, b : b + 1], targets[b : b + 1, :labels], blank=blank
            )
            losses.append(one)
            np.testing.assert_allclose(dlogits[:frames, b] * B, done[:, 0], atol=1e-12)
        assert loss == pytest.approx(np.mean(losses), rel=1e-12)
        order = rng.permutation(B)
        other_loss, other_dlogits = ctc_loss(
            logits[:, order], targets[order], input_lengths[order], target_lengths[order], blank
        )
        assert other_loss == pytest.approx(loss, rel=1e-13)
        np.testing.assert_allclose(other_dlogits, dlogits[:, order], atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(
    T=st.integers(1, 12),
    B=st.integers(1, 4),
    K=st.integers(1, 6),
    U=st.integers(0, 5),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_any_shape_is_a_loss_with_a_gradient_or_a_refusal(T, B, K, U, seed, dtype):
    rng = np.random.default_rng(seed)
    wide = rng.standard_normal((T, 2 * B, K)).astype(dtype)
    logits, before = wide[:, ::2], wide.copy()
    targets = rng.integers(1, max(K, 2), size=(B, U))
    repeats = (targets[:, 1:] == targets[:, :-1]).sum(axis=1)
    if U and K == 1:
        with pytest.raises(ValueError, match="targets must lie in 0 … 0, but holds 1"):
            ctc_loss(logits, targets)
    elif (U + repeats > T).any():
        with pytest.raises(ValueError, match="input_lengths must be at least"):
            ctc_loss(logits, targets)
    else:
        loss, dlogits = ctc_loss(logits, targets)
        assert loss >= 0.0
        assert (dlogits.shape, dlogits.dtype) == (logits.shape, dtype)
        # softmax and shares both add up to one, and a score counts only against others
        np.testing.assert_allclose(dlogits.sum(axis=-1), 0.0, atol=1e-6)
        moved = ctc_loss(logits + rng.standard_normal((T, B, 1)).astype(dtype), targets)
        assert moved[0] == pytest.approx(loss, rel=1e-4, abs=1e-4)
        # the classes' numbers are only names
        order = rng.permutation(K)
        renamed, renamed_gradient = ctc_loss(
            logits[..., np.argsort(order)], order[targets], blank=int(order[0])
        )
        assert renamed == pytest.approx(loss, rel=1e-5, abs=1e-6)
        np.testing.assert_allclose(renamed_gradient[..., order], dlogits, atol=1e-6)
    np.testing.assert_array_equal(wide, before)


def test_nan_is_not_hidden_and_stays_in_its_own_sequence():
    logits = np.zeros((3, 2, 3))
    logits[1, 0, 2] = np.nan
    loss, dlogits = ctc_loss(logits, np.array([[1], [1]]))
    assert np.isnan(loss)
    assert np.isnan(dlogits[:, 0]).any()
    assert np.isfinite(dlogits[:, 1]).all()


def test_a_class_that_cannot_be_takes_its_paths_away():
    logits = np.zeros((2, 1, 3))
    logits[0, 0, 1] = -np.inf  # of 11, -1 and 1- only -1 is left
    loss, dlogits = ctc_loss(logits, np.array([[1]]))
    assert math.exp(-loss) == pytest.approx(1 / 6)
    np.testing.assert_allclose(dlogits[:, 0], [[-0.5, 0, 0.5], [1 / 3, -2 / 3, 1 / 3]], atol=1e-15)
    logits[1, 0, 1] = -np.inf
    loss, dlogits = ctc_loss(logits, np.array([[1]]))
    assert loss == np.inf
    assert not dlogits.any()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("why", ["too few frames", "a class that cannot be"])
def test_labels_that_cannot_be_said_cost_their_own_sequence_alone_as_in_torch(why, dtype):
    seen = 0
    for seed in range(CONFIGURATIONS // 4):
        logits, targets, input_lengths, target_lengths, blank = random_case(seed, dtype)
        b = int(target_lengths.argmax())
        if target_lengths[b] == 0:
            continue
        if why == "too few frames":
            input_lengths[b] = target_lengths[b] - 1
        else:
            logits[:, b, targets[b, 0]] = -np.inf
        case = logits, targets, input_lengths, target_lengths, blank
        loss, dlogits = ctc_loss(*case, zero_infinity=True)
        want_loss, want_dlogits = torch_ctc(*case, zero_infinity=True)
        assert loss == pytest.approx(float(want_loss), rel=TOLERANCE[dtype])
        np.testing.assert_allclose(dlogits, want_dlogits, atol=TOLERANCE[dtype])
        assert not dlogits[:, b].any()
        assert dlogits.any() == (len(targets) > 1)
        if why == "too few frames":
            with pytest.raises(ValueError, match=rf"targets\[{b}\] holds .* must be at least"):
                ctc_loss(*case)
        else:
            assert ctc_loss(*case)[0] == np.inf
            np.testing.assert_allclose(ctc_loss(*case)[1], dlogits, rtol=1e-12)
        seen += len(targets) > 1
    assert seen > 20


class Listener(Module):
    """Scores each frame, and says how many frames of each recording count."""

    def __init__(self):
        self.out = Linear(4, 4, seed=0)

    def forward(self, x):
        frames, lengths = x
        return self.out(frames), lengths

    def backward(self, dlogits):
        self.out.backward(dlogits)


def test_a_model_learns_from_buckets_with_a_recording_that_is_too_short_among_them():
    """Frames are noisy pictures of their class; a label lasts two to four of them."""
    rng = np.random.default_rng(0)
    labels = [rng.permutation([1, 2, 3])[:n] for n in rng.integers(1, 4, size=40)]
    recordings = []
    for said in labels:
        path = np.repeat([0, *said], rng.integers(2, 5, size=1 + len(said)))
        path = np.append(path, 0)
        recordings.append(np.eye(4)[path] + 0.1 * rng.standard_normal((len(path), 4)))
    recordings[7] = recordings[7][:1]
    labels[7] = np.array([1, 2, 3])

    def loss(output, y):
        logits, lengths = output
        return ctc_loss(logits, y.T, lengths, (y >= 0).sum(axis=0), zero_infinity=True)

    model = Listener()
    buckets = Buckets(recordings, labels, 8, fill=-1, seed=1)
    history = fit(model, buckets, Adam(model.parameters(), lr=0.2), loss=loss, epochs=40)
    assert history["loss"][-1] < 0.2 < 2.0 < history["loss"][0]
    for n in (0, 3, 11):
        logits, _ = model((recordings[n][:, None], None))
        assert ctc_best_path(logits) == [labels[n].tolist()]


X, Y = np.zeros((5, 2, 4)), np.array([[1, 2], [3, 3]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X[0], Y), r"logits has shape \(2, 4\), but shape \(T, B, K\) is needed"),
        ((X.astype(int), Y), "logits has dtype int64"),
        ((X.astype(np.float16), Y), "logits has dtype float16"),
        ((X, Y[:1]), r"targets has shape \(1, 2\), but shape \(2, U\) is needed"),
        ((X, Y[0]), r"targets has shape \(2,\), but shape \(2, U\)"),
        ((X, Y.astype(float)), "targets has dtype float64, but integers"),
        ((X, Y + 1), "targets must lie in 0 … 3, but holds 4"),
        ((X, Y - 5), "targets must lie in 0 … 3, but holds -4"),
        ((X, Y - 1), "targets holds 0, which is the blank"),
        ((X, Y, None, None, 3), "targets holds 3, which is the blank"),
        ((X, Y, None, None, 4), "blank must lie in 0 … 3, but holds 4"),
        ((X, Y, None, None, -1), "blank must lie in 0 … 3, but holds -1"),
        ((X, Y, None, None, 0.0), "blank has dtype float64"),
        ((X, Y, [5, 6]), "input_lengths must lie in 0 … 5, but holds 6"),
        ((X, Y, [5, -1]), "input_lengths must lie in 0 … 5, but holds -1"),
        ((X, Y, [5]), r"input_lengths has shape \(1,\), but shape \(2,\)"),
        ((X, Y, 5), r"input_lengths has shape \(\), but shape \(2,\)"),
        ((X, Y, [5.0, 5.0]), "input_lengths has dtype float64"),
        ((X, Y, None, [2, 3]), "target_lengths must lie in 0 … 2, but holds 3"),
        ((X, Y, None, [2]), r"target_lengths has shape \(1,\), but shape \(2,\)"),
        ((X, Y, None, [True, True]), "target_lengths has dtype bool"),
        ((X, Y, [1, 5]), r"targets\[0\] holds 2 labels: .* must be at least 2, but is 1"),
        ((X, Y, [5, 2]), r"targets\[1\] holds 2 labels: .* must be at least 3, but is 2"),
        ((X, Y, [5, 0], [2, 0]), r"targets\[1\] holds 0 labels: .* at least 1, but is 0"),
        ((X[:0], Y), r"targets\[0\] holds 2 labels"),
        ((X[:0], Y[:, :0]), r"targets\[0\] holds 0 labels: .* at least 1, but is 0"),
        ((X[:, :0], Y[:0]), "logits holds no sequence"),
        ((X[:0, :0], Y[:0]), "logits holds no sequence"),
        ((X[..., :0], Y), "blank must lie in"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ctc_loss(*arguments)
