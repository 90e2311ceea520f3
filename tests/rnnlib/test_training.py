"""Training: batches, stopping at the best, and going on from a file as if nothing had been."""

import base64
import contextlib
import io
import json
import math
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import zipfile
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlib import (
    GRU,
    RNN,
    SGD,
    Adam,
    Batches,
    Buckets,
    CosineAnnealingLR,
    Dropout,
    EarlyStopping,
    Embedding,
    Fresh,
    Linear,
    Module,
    Pieces,
    ReduceLROnPlateau,
    RMSprop,
    StepLR,
    checkpoints,
    cross_entropy,
    fit,
    load,
    save,
    sliding_windows,
)
from rnnlib.checkpoints import Checkpoint, dequantize, quantize, read_arrays, write_arrays
from rnnlib.training import _bar

# --- batches, and batches by length ---


def test_batches_hold_every_example_once_and_reshuffle():
    x = np.arange(10)[None].repeat(3, axis=0)
    batches = Batches(x, x, batch_size=4, seed=0)
    first = [x_batch[0].tolist() for x_batch, _ in batches]
    second = [x_batch[0].tolist() for x_batch, _ in batches]
    assert len(batches) == 3
    assert sorted(i for indices in first for i in indices) == list(range(10))
    assert first != second
    for x_batch, y_batch in batches:
        np.testing.assert_array_equal(x_batch, y_batch)


def ragged(lengths, rng, trailing=(2,)):
    return [rng.standard_normal((length, *trailing)) for length in lengths]


def padding(batches):
    """How many steps of all batches count for nothing."""
    return sum(int((len(x) - lengths).sum()) for (x, lengths), _ in batches)


lengths_of_examples = st.lists(st.integers(1, 12), min_size=1, max_size=40)


@settings(deadline=None)
@given(lengths=lengths_of_examples, size=st.integers(1, 12), seed=st.integers(0, 2**32))
def test_buckets_hold_every_example_once_padded_to_the_longest_of_the_batch(lengths, size, seed):
    rng = np.random.default_rng(seed)
    sequences = ragged(lengths, rng)
    buckets = Buckets(sequences, range(len(lengths)), size, seed=rng)
    for _ in range(2):
        seen, sizes = [], []
        for (x, counts), y in buckets:
            assert x.shape == (counts.max(), len(y), 2)
            for b, n in enumerate(y):
                assert counts[b] == lengths[n]
                assert (x[: counts[b], b] == sequences[n]).all()
                assert not x[counts[b] :, b].any()
            seen += y.tolist()
            sizes.append(len(y))
        assert sorted(seen) == list(range(len(lengths)))
        assert len(sizes) == len(buckets)
        assert sorted(sizes)[1:] == [size] * (len(sizes) - 1)


@settings(deadline=None)
@given(count=st.integers(1, 6), size=st.integers(1, 8), seed=st.integers(0, 2**32))
def test_full_buckets_never_pad_more_than_random_batches(count, size, seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 20, size=count * size)
    drawn = rng.permutation(lengths).reshape(count, size)
    ours = padding(Buckets(ragged(lengths, rng, ()), lengths, size, seed=rng))
    assert ours <= (drawn.max(axis=1, keepdims=True) - drawn).sum()


def test_full_buckets_pad_as_little_as_any_batches_can():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        lengths = rng.integers(1, 9, size=6)
        orders = np.array(list(permutations(lengths))).reshape(-1, 2, 3)
        least = (orders.max(axis=2, keepdims=True) - orders).sum(axis=(1, 2)).min()
        assert padding(Buckets(ragged(lengths, rng), lengths, 3, seed=rng)) == least


def test_buckets_pad_a_fraction_of_what_random_batches_do():
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 50, size=1000)
    order = rng.permutation(1000)
    random_padding = sum(
        int((lengths[order[k : k + 32]].max() - lengths[order[k : k + 32]]).sum())
        for k in range(0, 1000, 32)
    )
    ours = padding(Buckets([np.zeros(length) for length in lengths], lengths, 32, seed=rng))
    assert ours < 0.05 * random_padding


@pytest.mark.parametrize(
    "lengths",
    [
        [1, 2, 3, 4, 5, 6, 7, 8],  # the batches change places
        [3, 3, 3, 3, 3, 3, 3, 3],  # and within a length the examples do
    ],
)
def test_buckets_come_in_a_new_order_and_again_from_the_same_seed(lengths):
    def orders():
        buckets = Buckets([np.arange(length) for length in lengths], range(8), 2, seed=3)
        return [[sorted(y.tolist()) for _, y in buckets] for _ in range(3)]

    assert orders() == orders()
    assert len({str(order) for order in orders()}) == 3
    if len(set(lengths)) == 1:
        assert len({str(sorted(order)) for order in orders()}) == 3


def test_buckets_pad_targets_that_are_sequences_with_fill():
    rng = np.random.default_rng(0)
    tokens = [rng.integers(9, size=length) for length in [4, 2, 3]]
    targets = [rng.integers(9, size=length) for length in [1, 5, 2]]  # lengths of their own
    ((x, lengths), y), *rest = Buckets(tokens, targets, 3, fill=-100, seed=0)
    assert (x.shape, y.shape, rest, x.dtype) == ((4, 3), (5, 3), [], tokens[0].dtype)
    for b in range(3):
        n = [len(sequence) for sequence in tokens].index(lengths[b])
        assert y[: len(targets[n]), b].tolist() == targets[n].tolist()
        assert (y[len(targets[n]) :, b] == -100).all()


def test_batches_may_be_made_of_lists():
    [(x, y)] = Batches([[1.0, 2.0], [3.0, 4.0]], [0, 1], batch_size=2, axes=(0, 0), seed=0)
    assert sorted(zip(x.tolist(), y.tolist(), strict=True)) == [([1.0, 2.0], 0), ([3.0, 4.0], 1)]


@settings(deadline=None)
@given(
    N=st.integers(1, 60),
    B=st.integers(1, 5),
    steps=st.integers(1, 9),
    trailing=st.sampled_from([(), (2,)]),
)
def test_pieces_follow_each_other_in_every_strand(N, B, steps, trailing):
    x = np.arange(N * math.prod(trailing)).reshape(N, *trailing)
    y = np.arange(N) + 0.5
    if N < B:
        with pytest.raises(ValueError, match=f"x holds {N} steps, too few for {B} strands"):
            Pieces(x, y, B, steps)
        return
    pieces = Pieces(x, y, B, steps)
    for _ in range(2):
        found = list(pieces)
        assert len(found) == len(pieces)
        assert {len(piece) for piece, _ in found[:-1]} <= {steps}
        assert all(a.shape[:2] == b.shape[:2] == (len(a), B) for a, b in found)
        for array, pieces_of_it in zip((x, y), zip(*found, strict=True), strict=True):
            strands = np.concatenate(pieces_of_it).swapaxes(0, 1)
            in_order = strands.reshape(-1, *array.shape[1:])
            np.testing.assert_array_equal(in_order, array[: N // B * B])


@settings(deadline=None)
@given(
    S=st.integers(1, 30),
    length=st.integers(1, 6),
    horizon=st.integers(1, 4),
    stride=st.integers(1, 5),
    trailing=st.sampled_from([(), (3,)]),
)
def test_windows_slide_over_the_series_and_know_what_follows(S, length, horizon, stride, trailing):
    series = np.random.default_rng(S).standard_normal((S, *trailing))
    starts = range(0, S - length - horizon + 1, stride)
    if not starts:
        with pytest.raises(ValueError, match=f"series holds {S} steps, but a window and what"):
            sliding_windows(series, length, horizon, stride)
        return
    x, y = sliding_windows(series, length, horizon, stride)
    assert x.shape == (length, len(starts), *trailing)
    assert y.shape == (horizon, len(starts), *trailing)
    for n, start in enumerate(starts):
        np.testing.assert_array_equal(x[:, n], series[start : start + length])
        np.testing.assert_array_equal(y[:, n], series[start + length :][:horizon])
    x[...] = y[...] = 0.0
    assert series.any()  # the windows are copies


class Reader(Module):
    """Reads tokens with a GRU and names a class; drops out at two places."""

    def __init__(self, seed, dropout=0.25, dtype=np.float64):
        rng = np.random.default_rng(seed)
        self.embedding = Embedding(5, 3, seed=rng, dtype=dtype)
        self.rnn = GRU(3, 4, num_layers=2, dropout=dropout, seed=rng, dtype=dtype)
        self.drop = Dropout(dropout, seed=np.random.default_rng(seed))
        self.out = Linear(4, 2, seed=rng, dtype=dtype)

    def forward(self, x):
        tokens, lengths = x if isinstance(x, tuple) else (x, None)
        y, h_n = self.rnn(self.embedding(tokens), lengths=lengths)
        self.remember((np.zeros_like(y), np.zeros_like(h_n)))
        return self.out(self.drop(h_n[-1]))

    def backward(self, dlogits):
        dy, dh_n = self.recall()
        dh_n[-1] = self.drop.backward(self.out.backward(dlogits))
        self.embedding.backward(self.rnn.backward(dy, dh_n)[0])


def test_a_model_learns_from_buckets():
    rng = np.random.default_rng(0)
    words = [rng.integers(5, size=length) for length in rng.integers(1, 7, size=60)]
    first = [int(word[0] < 2) for word in words]  # far away in the long ones
    examples = list(zip(words, first, strict=True))
    model = Reader(0, dropout=0.0)
    history = fit(
        model,
        Buckets(words, first, 8, seed=1),
        Adam(model.parameters(), lr=0.02),
        epochs=25,
        clip_norm=1.0,
        evaluate=lambda: {
            "error": np.mean([model(word[:, None]).argmax() != label for word, label in examples])
        },
    )
    assert history["error"][0] > 0.2
    assert history["error"][-1] < 0.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Batches(np.ones((5, 3)), np.ones((5, 4)), 2), "x holds 3 examples along axis 1"),
        (lambda: Batches(np.ones((5, 0)), np.ones((5, 0)), 2), "hold no examples"),
        (lambda: Batches([[1], [2, 3]], [0, 1], 2), "x holds sequences of different .* Buckets"),
        (
            lambda: Batches(np.ones((5, 3)), np.ones(3), 2),
            r"y .* without an axis 1 .* axes is \(1, 1\)",
        ),
        (lambda: Pieces(np.ones(5), np.ones(4), 2, 2), "x holds 5 steps, but y holds 4"),
        (lambda: Pieces(np.ones(5), np.ones(5), 0, 2), "batch_size must be a whole number"),
        (lambda: Pieces(np.ones(5), np.ones(5), 1, 0), "steps must be a whole number"),
        (lambda: Pieces(1.0, np.ones(5), 1, 1), r"x has shape \(\), without an axis 0"),
        (lambda: sliding_windows(np.ones(5), 0), "length must be a whole number"),
        (lambda: sliding_windows(np.ones(5), 2, horizon=0), "horizon must be a whole number"),
        (lambda: sliding_windows(np.ones(5), 2, stride=0), "stride must be a whole number"),
        (lambda: Batches(np.ones((5, 3)), np.ones((5, 3)), 0), "batch_size must be a whole"),
        (lambda: Buckets([], [], 2), "sequences holds no examples"),
        (lambda: Buckets([[1], [2]], [], 2), "targets holds no examples"),
        (lambda: Buckets([[1], [2]], [0], 2), "2 examples, but targets holds 1"),
        (lambda: Buckets([[1], [2]], [0, 1], 0), "batch_size must be a whole number"),
        (lambda: Buckets([[1], [2, 3], []], [0] * 3, 2), r"sequences\[2\] has shape \(0,\) and"),
        (lambda: Buckets([[1], np.zeros(0, int)], [0] * 2, 2), r"sequences\[1\] holds no step"),
        (lambda: Buckets([[1], [2.0]], [0, 1], 2), r"sequences\[1\] has .* dtype float64"),
        (lambda: Buckets([np.ones((2, 3)), np.ones((2, 4))], [0, 1], 2), r"shape \(2, 4\)"),
        (lambda: Buckets([1, 2], [0, 1], 2), r"sequences\[0\] is one number"),
        (lambda: Buckets([[1], [2]], [[0], [0, 1]], 2), r"targets\[1\] has shape \(2,\)"),
        (lambda: Buckets([[1], [2]], [0, 1], 2, fill=-100), r"targets\[0\] is one number"),
        (lambda: Buckets([[1]], [np.zeros(1, np.uint8)], 2, fill=-100), "fill is -100, which"),
        (lambda: EarlyStopping("error", 0), "patience must be a whole number"),
        (lambda: EarlyStopping("error", 1, better=sum), "better must be min or max"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- the loop ---


def copy_task():
    """Say the first of five inputs at the end: it needs the recurrence."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, size=(5, 64))
    return np.eye(2)[x], x[0]


class Recall(Module):
    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.rnn, self.out = RNN(2, 8, seed=rng), Linear(8, 2, seed=rng)

    def forward(self, x):
        self.steps = len(x)
        y, _ = self.rnn(x)
        return self.out(y[-1])

    def backward(self, dlogits):
        dlast = self.out.backward(dlogits)
        dy = np.zeros((self.steps, *dlast.shape))
        dy[-1] = dlast
        self.rnn.backward(dy)


def test_training_learns_to_remember_and_repeats_bit_for_bit():
    x, y = copy_task()
    histories = []
    for _ in range(2):
        model = Recall(seed=1)
        histories.append(
            fit(
                model,
                Batches(x, y, 16, axes=(1, 0), seed=2),
                Adam(model.parameters(), lr=0.02),
                epochs=30,
                clip_norm=1.0,
                evaluate=lambda: {"error": float((model(x).argmax(-1) != y).mean())},  # noqa: B023
            )
        )
    assert histories[0] == histories[1]
    assert histories[0]["error"][0] > 0.2
    assert histories[0]["error"][-1] < 0.05
    assert len(histories[0]["loss"]) == 30
    assert len(histories[0]["step"]) == 120
    assert model.training


def test_training_stops_with_a_sentence_when_the_loss_is_no_number():
    model = Linear(2, 2, seed=0)
    before = model.state_dict()
    with pytest.raises(FloatingPointError, match="the loss is nan at update 1"):
        fit(model, [(np.full((1, 2), np.nan), np.array([0]))], SGD(model.parameters(), lr=0.1))
    assert all((array == before[name]).all() for name, array in model.state_dict().items())
    with pytest.raises(ValueError, match="batches is empty"):
        fit(model, [], SGD(model.parameters(), lr=0.1))


def test_the_bar_is_silent_without_a_terminal_and_without_tqdm(monkeypatch, capfd):
    model = Linear(2, 2, seed=0)
    data = [(np.eye(2), np.array([0, 1]))]
    assert _bar(3, progress=True).disable
    fit(model, data, SGD(model.parameters(), lr=0.1), epochs=2)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    fit(model, data, SGD(model.parameters(), lr=0.1), epochs=2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="no terminal to pretend")
def test_the_bar_is_seen_in_a_terminal_and_nowhere_else():
    import pty
    import termios

    program = (
        "import numpy as np; from rnnlib import *; model = Linear(2, 2, seed=0); "
        "fit(model, [(np.eye(2), np.array([0, 1]))], SGD(model.parameters(), lr=0.1), epochs=3"
    )
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    subprocess.run([sys.executable, "-c", program + ")"], stdout=theirs, stderr=theirs, check=True)
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # what ends a terminal on Linux
        while piece := os.read(ours, 1000):
            seen += piece
    os.close(ours)
    assert b"3/3" in seen
    piped = subprocess.run([sys.executable, "-c", program + ")"], capture_output=True, check=True)
    assert piped.stdout + piped.stderr == b""


def test_a_schedule_counts_updates():
    model = Linear(3, 3, seed=0)
    optimizer = SGD(model.parameters(), lr=1.0)
    schedule = StepLR(optimizer, step_size=4, gamma=0.5)
    batches = Batches(np.eye(3), np.arange(3), 1, axes=(0, 0), seed=0)
    fit(model, batches, optimizer, epochs=3, schedule=schedule)
    assert (schedule.steps, optimizer.lr) == (9, 0.25)
    with pytest.raises(ValueError, match="schedule is over another optimizer"):
        fit(model, batches, SGD(model.parameters(), lr=1.0), schedule=schedule)


# a learning rate so small that the weights stay what they were
STILL = 1e-300


@pytest.mark.parametrize("kind", ["Batches", "Buckets", "Buckets with fill", "Pieces", "a list"])
def test_the_loss_of_an_epoch_is_the_mean_over_its_examples(kind):
    """The last batch holds 2 of 8 examples; the mean of the batches' means is another number."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 3)), rng.integers(4, size=8)
    model = Linear(3, 4, seed=0)
    batches, forward = {
        "Batches": (Batches(x, y, 3, axes=(0, 0), seed=0), model),
        "Buckets": (Buckets(x[:, None], y, 3, seed=0), lambda pair: model(pair[0][0])),
        "Buckets with fill": (
            Buckets(x[:, None], y[:, None], 3, fill=-100, seed=0),
            lambda pair: model(pair[0]),
        ),
        "Pieces": (Pieces(x, y, 1, 3), model),
        "a list": ([(x[:3], y[:3]), (x[3:6], y[3:6]), (x[6:], y[6:])], model),
    }[kind]

    class Shaped(Module):
        def __init__(self):
            self.inner = model

        def forward(self, x):
            return forward(x)

        def backward(self, dy):
            model.backward(dy)

    history = fit(Shaped(), batches, SGD(model.parameters(), lr=STILL))
    want, _ = cross_entropy(model(x), y)
    assert history["loss"] == [pytest.approx(want, rel=1e-12)]
    assert np.mean(history["step"]) != pytest.approx(want, rel=1e-3)


def test_a_bucket_counts_for_its_examples_however_long_they_are():
    lengths, sizes = [1, 1, 1, 9, 9, 9, 9, 9], []

    def loss(output, y):
        sizes.append(y.shape[1])
        return cross_entropy(output, y)

    class Tagger(Linear):
        def forward(self, x):
            return super().forward(x[0])

    model = Tagger(2, 3, seed=0)
    rng = np.random.default_rng(0)
    labels = [rng.integers(3, size=length) for length in lengths]
    buckets = Buckets(ragged(lengths, rng), labels, 3, fill=-100, seed=0)
    history = fit(model, buckets, SGD(model.parameters(), lr=STILL), loss=loss)
    assert sorted(sizes) == [2, 3, 3]
    assert history["loss"] == [pytest.approx(np.average(history["step"], weights=sizes))]


class Writer(Module):
    """Scores for the next symbol of a text, and its state to go on from."""

    def __init__(self, V, H, seed):
        rng = np.random.default_rng(seed)
        self.embedding, self.rnn = Embedding(V, 3, seed=rng), GRU(3, H, seed=rng)
        self.out = Linear(H, V, seed=rng)

    def forward(self, x, state=None):
        h, state = self.rnn(self.embedding(x), state)
        return self.out(h), state

    def backward(self, dlogits):
        dx, _ = self.rnn.backward(self.out.backward(dlogits))
        self.embedding.backward(dx)


class Stateless(Module):
    """Takes a state and keeps none."""

    def __init__(self, model):
        self.model = model

    def forward(self, x, state):
        return self.model(x)[0]


def test_a_carried_state_makes_pieces_one_long_text():
    text = np.random.default_rng(0).integers(5, size=61)
    model = Writer(5, 4, seed=0)
    optimizer = SGD(model.parameters(), lr=STILL)
    pieces = Pieces(text[:-1], text[1:], batch_size=3, steps=7)
    carried = fit(model, pieces, optimizer, epochs=2, carry_state=True)
    whole, _ = cross_entropy(model(pieces.x)[0], pieces.y)
    np.testing.assert_allclose(carried["loss"], [whole, whole], rtol=1e-12)
    with pytest.raises(ValueError, match="carry_state needs a model that returns"):
        fit(Stateless(model), pieces, optimizer, carry_state=True)


def test_truncated_backpropagation_takes_the_steps_that_torch_takes():
    text = np.random.default_rng(1).integers(6, size=121)
    model = Writer(6, 5, seed=1)
    pieces = Pieces(text[:-1], text[1:], batch_size=4, steps=7)
    parts = [
        torch.nn.Embedding(6, 3, dtype=torch.float64),
        torch.nn.GRU(3, 5, dtype=torch.float64),
        torch.nn.Linear(5, 6, dtype=torch.float64),
    ]
    for ours, theirs in zip((model.embedding, model.rnn, model.out), parts, strict=True):
        theirs.load_state_dict({n: torch.tensor(a) for n, a in ours.state_dict().items()})
    optimizer = torch.optim.SGD([p for part in parts for p in part.parameters()], lr=0.5)
    losses = []
    for _ in range(4):
        state = None
        for x, y in pieces:
            h, state = parts[1](parts[0](torch.tensor(x)), state)
            loss = torch.nn.functional.cross_entropy(
                parts[2](h).flatten(0, 1), torch.tensor(y).flatten()
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            state = state.detach()
            losses.append(loss.item())
    ours = fit(model, pieces, SGD(model.parameters(), lr=0.5), epochs=4, carry_state=True)
    np.testing.assert_allclose(ours["step"], losses, rtol=1e-10)
    assert losses[-1] < losses[0]


def test_a_training_that_carries_a_state_goes_on_from_its_file(tmp_path):
    text = np.random.default_rng(3).integers(5, size=61)

    def train(epochs, path, **more):
        model = Writer(5, 4, seed=0)
        pieces = Pieces(text[:-1], text[1:], batch_size=3, steps=7)
        optimizer = Adam(model.parameters(), lr=0.01)
        settings = {"epochs": epochs, "carry_state": True, "checkpoint": path} | more
        return fit(model, pieces, optimizer, **settings)["step"]

    train(2, tmp_path / "run.npz")
    resumed = train(4, tmp_path / "run.npz")
    np.testing.assert_allclose(resumed, train(4, None), rtol=1e-12)
    with pytest.raises(ValueError, match="with carry_state True, not False"):
        train(4, tmp_path / "run.npz", carry_state=False)


def test_an_optimizer_of_another_model_is_refused():
    data = [(np.eye(2), np.array([0, 1]))]
    old, new = Linear(2, 2, seed=0), Linear(2, 2, seed=0)
    with pytest.raises(ValueError, match="optimizer moves none of the model's parameters"):
        fit(new, data, SGD(old.parameters(), lr=0.1))
    before = new.state_dict()
    fit(new, data, SGD([new.bias], lr=0.1))  # some of them are frozen
    assert (new.weight.data == before["weight"]).all()
    assert (new.bias.data != before["bias"]).any()


def test_a_model_that_returns_a_pair_is_told_what_to_take():
    model = GRU(2, 2, seed=0)
    data = [(np.ones((3, 1, 2)), np.zeros((3, 1), dtype=int))]
    with pytest.raises(ValueError, match=r"logits is a tuple of 2, .* take y"):
        fit(model, data, SGD(model.parameters(), lr=0.1))


def test_gradients_that_explode_stop_before_the_update():
    class Exploding(Linear):
        def backward(self, dy):
            super().backward(dy)
            self.bias.grad[0] = np.nan

    model = Exploding(2, 2, seed=0)
    before = model.state_dict()
    with pytest.raises(FloatingPointError, match="a gradient holds NaN"):
        fit(model, [(np.eye(2), np.array([0, 1]))], SGD(model.parameters(), lr=0.1), clip_norm=1.0)
    assert all((array == before[name]).all() for name, array in model.state_dict().items())


def test_what_overflows_in_training_is_said_by_fit_and_not_by_a_warning():
    model = Linear(2, 2, seed=0, dtype=np.float32)
    model.weight.data *= 1e38
    x, y = 100.0 * np.eye(2, dtype=np.float32), np.array([0, 1])
    with pytest.raises(FloatingPointError, match=r"the loss is (nan|inf) at update 1"):
        fit(model, [(x, y)], SGD(model.parameters(), lr=0.1))
    model = Linear(2, 2, seed=0, dtype=np.float32)
    with pytest.raises(FloatingPointError, match="weight is no longer finite after update 1"):
        fit(model, [(1e25 * x, y)], SGD(model.parameters(), lr=1e20))


def test_a_schedule_on_a_plateau_looks_once_an_epoch():
    model = Linear(3, 3, seed=0)
    optimizer = SGD(model.parameters(), lr=STILL)
    errors = iter([0.5, 0.4, 0.4, 0.4, 0.3])
    schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1, watch="error")
    settings = {
        "epochs": 5,
        "schedule": schedule,
        "evaluate": lambda: {"error": next(errors)},
    }
    batches = Batches(np.eye(3), np.arange(3), 1, axes=(0, 0), seed=0)
    fit(model, batches, optimizer, **settings)
    assert (schedule.steps, schedule.best) == (5, 0.3)
    assert optimizer.lr == pytest.approx(STILL / 2)
    with pytest.raises(ValueError, match=r"schedule watches 'error', but there is only \['loss'"):
        fit(model, batches, optimizer, schedule=schedule)
    other = StepLR(optimizer, 1)
    with pytest.raises(ValueError, match="cannot both set one learning rate"):
        fit(model, batches, optimizer, schedule=schedule)
    assert optimizer.schedule is other


def test_the_history_holds_plain_numbers():
    model = Linear(2, 2, seed=0, dtype=np.float32)
    history = fit(
        model,
        [(np.eye(2, dtype=np.float32), np.array([0, 1]))],
        SGD(model.parameters(), lr=0.1),
        loss=lambda output, y: (np.float32(0.5), output),
        evaluate=lambda: {"error": np.float32(0.25), "count": 3},
    )
    assert history == {"loss": [0.5], "step": [0.5], "error": [0.25], "count": [3.0]}
    assert {type(number) for row in history.values() for number in row} == {float}


@pytest.mark.parametrize("name", ["loss", "step"])
def test_evaluate_may_not_return_a_name_that_the_history_has(name):
    model = Linear(2, 2, seed=0)
    data = [(np.eye(2), np.array([0, 1]))]
    with pytest.raises(ValueError, match=f"evaluate returned '{name}', a name"):
        fit(model, data, SGD(model.parameters(), lr=0.1), evaluate=lambda: {name: 1.0})


def test_a_training_that_explodes_stops_and_leaves_the_last_good_checkpoint(tmp_path):
    path = tmp_path / "run.npz"

    class Exploding(Linear):
        def backward(self, dy):
            super().backward(dy)
            if self.explodes:
                self.weight.grad[0, 0] = np.inf

    model = Exploding(2, 2, seed=0)
    made = model, [(np.eye(2), np.array([0, 1]))], SGD(model.parameters(), lr=0.1)
    model.explodes = False
    fit(*made, epochs=2, checkpoint=path)
    before = path.read_bytes()
    model.explodes = True
    with pytest.raises(
        FloatingPointError, match="weight is no longer finite after update 3: lower"
    ):
        fit(*made, epochs=3, checkpoint=path)
    assert path.read_bytes() == before
    model.explodes = False
    assert len(fit(*made, epochs=3, checkpoint=path)["loss"]) == 3
    assert np.isfinite(model.weight.data).all()


# --- batches that are drawn anew ---


def test_fresh_batches_never_come_again_and_another_of_the_seed_draws_the_same():
    def epochs(fresh):
        return [[x.tolist() for x, _ in fresh] for _ in range(3)]

    drawn = epochs(Fresh(lambda rng: (rng.random(2), None), batches=4, seed=5))
    whole = [x for epoch in drawn for x in map(tuple, epoch)]
    assert [len(epoch) for epoch in drawn] == [4, 4, 4] and len(set(whole)) == 12
    assert epochs(Fresh(lambda rng: (rng.random(2), None), batches=4, seed=5)) == drawn


def test_fresh_batches_go_on_from_a_checkpoint_where_they_were(tmp_path):
    def trained(path, epochs):
        model = Linear(3, 2, seed=0)
        fresh = Fresh(lambda rng: (rng.random((4, 3)), rng.integers(2, size=4)), 5, seed=1)
        optimizer = SGD(model.parameters(), lr=0.1)
        return fit(model, fresh, optimizer, epochs=epochs, checkpoint=path)["step"]

    broken_off = tmp_path / "broken-off.npz"
    trained(broken_off, 2)
    assert trained(broken_off, 4) == trained(tmp_path / "whole.npz", 4)
    with pytest.raises(ValueError, match="Fresh, batches 5"):
        model = Linear(3, 2, seed=0)
        fewer = Fresh(lambda rng: (rng.random((4, 3)), rng.integers(2, size=4)), 3, seed=1)
        fit(model, fewer, SGD(model.parameters(), lr=0.1), epochs=5, checkpoint=broken_off)


# --- stopping at the best ---


class Scripted:
    """Trains a Linear and reports the numbers it was given, keeping each epoch's weights."""

    def __init__(self, numbers):
        self.numbers = iter(numbers)
        self.model = Linear(3, 3, seed=0)
        self.weights = []

    def evaluate(self):
        self.weights.append(self.model.state_dict()["weight"])
        return {"number": next(self.numbers)}

    def fit(self, stopping, **more):
        data = [(np.eye(3), np.array([2, 0, 1]))]
        optimizer = SGD(self.model.parameters(), lr=0.5)
        return fit(
            self.model,
            data,
            optimizer,
            evaluate=self.evaluate,
            early_stopping=stopping,
            **{"epochs": 100} | more,
        )


@pytest.mark.parametrize(
    ("numbers", "better", "patience", "epochs", "best"),
    [
        ([3.0, 1.0, 2.0, 2.0, 2.0, 0.0], min, 3, 5, 1),
        ([3.0, 5.0, 5.0, 5.0, 9.0], max, 2, 4, 1),  # as good is not better
        ([np.nan, 2.0, np.nan, 1.0, np.nan, np.nan], min, 2, 6, 3),  # NaN is never the best
        ([np.inf, 2.0, 3.0, 4.0, 1.0], min, 2, 4, 1),
        ([-np.inf, -np.inf, -1.0, -2.0, -3.0], max, 2, 5, 2),
        ([4.0, 3.0, 2.0, 1.0, 1.5], min, 1, 5, 3),
    ],
)
def test_training_stops_and_goes_back_to_the_best(numbers, better, patience, epochs, best):
    run = Scripted(numbers)
    history = run.fit(EarlyStopping("number", patience, better))
    assert len(history["loss"]) == len(history["number"]) == epochs
    assert (run.model.weight.data == run.weights[best]).all()
    assert run.model.training


def test_the_best_weights_are_restored_even_if_patience_never_runs_out():
    run = Scripted([2.0, 1.0, 3.0, 4.0])
    assert len(run.fit(EarlyStopping("number", 10), epochs=4)["loss"]) == 4
    assert (run.model.weight.data == run.weights[1]).all()


def test_numbers_that_are_never_any_leave_the_weights_with_which_training_began():
    run = Scripted([np.nan] * 9)
    start = run.model.state_dict()["weight"]
    assert len(run.fit(EarlyStopping("number", 3))["loss"]) == 3
    assert (run.model.weight.data == start).all()


def test_the_training_loss_can_be_watched_and_a_second_training_begins_anew():
    stopping = EarlyStopping("loss", 1)
    first = Scripted([0.0] * 50).fit(stopping, epochs=50)["loss"]
    assert len(first) == 50  # it always fell
    assert Scripted([0.0] * 9).fit(stopping, epochs=9)["loss"] == first[:9]


def test_training_stops_when_it_is_told_to_with_the_weights_as_they_are(tmp_path):
    def good(history):
        return history["number"][-1] < 0.5

    run, path = Scripted([3.0, 0.5, 0.1, 0.6]), tmp_path / "run.npz"
    assert run.fit(None, stop=good, checkpoint=path)["number"] == [3.0, 0.5, 0.1]
    assert (run.model.weight.data == run.weights[2]).all()
    again = Scripted([]).fit(None, stop=good, checkpoint=path)
    assert again["number"] == [3.0, 0.5, 0.1], "and does not go on from a checkpoint"
    assert len(Scripted([0.1, 0.2]).fit(None, stop=lambda _: False, epochs=2)["number"]) == 2


def test_watching_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"watches 'wer', but there is only \['loss', 'number'"):
        Scripted([1.0]).fit(EarlyStopping("wer", 1))


# --- going on from a file ---

OPTIMIZERS = {
    "sgd": lambda parameters: SGD(parameters, lr=0.1, momentum=0.9),
    "rmsprop": lambda parameters: RMSprop(parameters, momentum=0.5),
    "adam": lambda parameters: Adam(parameters, lr=0.01),
}
SCHEDULES = {
    "none": lambda optimizer: None,
    "stairs": lambda optimizer: StepLR(optimizer, 4, gamma=0.5),
    "cosine": lambda optimizer: CosineAnnealingLR(optimizer, 12),
}


class Run:
    """All that a training needs, made as a new process would make it."""

    def __init__(self, optimizer="adam", schedule="none", buckets=False, stop=0, dtype=np.float64):
        rng = np.random.default_rng(7)
        self.model = Reader(5, dtype=dtype)
        words = rng.integers(5, size=(12, 6))
        labels = (words[:, 0] < 2).astype(int)
        if buckets:
            lengths = rng.integers(1, 7, size=12)
            words = [word[:length] for word, length in zip(words, lengths, strict=True)]
            self.batches = Buckets(words, labels, 5, seed=11)
        else:
            self.batches = Batches(words.T, labels, 5, axes=(1, 0), seed=11)
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.schedule = SCHEDULES[schedule](self.optimizer)
        self.stopping = EarlyStopping("noise", stop) if stop else None
        self.breaks_at = None

    def _event(self):
        if self.breaks_at is not None:
            self.breaks_at -= 1
            if self.breaks_at < 0:
                raise KeyboardInterrupt

    def loss(self, output, y):
        self._event()
        return cross_entropy(output, y)

    def evaluate(self):
        self._event()
        return {"noise": self.model.drop.rng.random()}  # evaluation may draw, too

    def fit(self, path=None, epochs=5, breaks_at=None, **more):
        self.breaks_at = breaks_at
        return fit(
            self.model,
            self.batches,
            self.optimizer,
            **{
                "loss": self.loss,
                "epochs": epochs,
                "clip_norm": 1.0,
                "evaluate": self.evaluate,
                "schedule": self.schedule,
                "early_stopping": self.stopping,
                "checkpoint": path,
            }
            | more,
        )

    def bits(self):
        """Everything that must not differ by a bit."""
        parts = [self.model, self.optimizer, self.schedule, self.stopping]
        states = [part.state_dict() for part in parts if part is not None]
        arrays = {
            (k, name): (array.dtype, array.tobytes())
            for k, state in enumerate(states)
            for name, array in state.items()
        }
        generators = [self.batches.rng, self.model.rnn.rng, self.model.drop.rng]
        return arrays, [str(generator.bit_generator.state) for generator in generators]


@settings(max_examples=50, deadline=None)
@given(
    made=st.fixed_dictionaries(
        {
            "optimizer": st.sampled_from(sorted(OPTIMIZERS)),
            "schedule": st.sampled_from(sorted(SCHEDULES)),
            "buckets": st.booleans(),
            "stop": st.sampled_from([0, 1, 2, 9]),
            "dtype": st.sampled_from([np.float32, np.float64]),
        }
    ),
    breaks=st.lists(st.integers(0, 19), min_size=1, max_size=3),
    anew=st.booleans(),
)
def test_training_that_broke_off_anywhere_ends_with_the_same_bits(made, breaks, anew):
    whole = Run(**made)
    history = whole.fit()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.npz")
        broken = Run(**made)
        for event in breaks:
            try:
                broken.fit(path, breaks_at=event)
            except KeyboardInterrupt:
                assert path.exists()
            if anew:
                broken = Run(**made)
        assert broken.fit(path) == history
        assert os.listdir(folder) == ["run.npz"]
    assert broken.bits() == whole.bits()


def test_more_epochs_go_on_from_the_last_weights_not_from_the_best(tmp_path):
    whole, broken = Run(stop=9), Run(stop=9)
    history = whole.fit(epochs=6)
    broken.fit(tmp_path / "run.npz", epochs=2)
    again = Run(stop=9)
    assert again.fit(tmp_path / "run.npz", epochs=6) == history
    assert again.bits() == whole.bits()


def test_a_training_that_is_through_is_not_trained_again(tmp_path):
    history = Run(stop=1).fit(tmp_path / "run.npz", epochs=50)
    assert len(history["loss"]) < 50
    again = Run(stop=1)
    again.model.eval()
    assert again.fit(tmp_path / "run.npz", epochs=50, breaks_at=0) == history
    assert again.model.training


@pytest.mark.parametrize(
    "kind",
    [getattr(np.random, kind) for kind in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")],
)
def test_every_kind_of_random_generator_goes_on_where_it_was(kind, tmp_path):
    first, second = np.random.Generator(kind(1)), np.random.Generator(kind(2))
    first.integers(9, size=3, dtype=np.int32)  # half a draw is left over
    Checkpoint(tmp_path / "a.npz", {}, {"rng": first}, {}).write({"loss": [], "step": []})
    Checkpoint(tmp_path / "a.npz", {}, {"rng": second}, {}).read()
    draws = [rng.integers(9, size=5, dtype=np.int32).tolist() for rng in (first, second)]
    assert draws[0] == draws[1]
    assert first.random(700).tobytes() == second.random(700).tobytes()


def test_a_generator_that_is_shared_is_restored_once_for_all(tmp_path):
    def train(epochs, path):
        rng = np.random.default_rng(0)
        model = Reader(1)
        model.rnn.rng = model.drop.rng = rng
        x, y = np.arange(10).reshape(1, 10) % 5, np.arange(10) % 2
        batches = Batches(x, y, 4, axes=(1, 0), seed=rng)
        return fit(model, batches, Adam(model.parameters()), epochs=epochs, checkpoint=path)

    train(2, tmp_path / "a.npz")
    assert train(4, tmp_path / "a.npz") == train(4, tmp_path / "b.npz")


CHILD = """
import os, signal, sys
import numpy as np
import rnnlib

path, epochs, stage, when = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
calls = 0

def evaluate():
    global calls
    if stage == "epoch":
        calls += 1
        if calls == when:  # by the kernel's clock: who would send a kill may come late
            signal.setitimer(signal.ITIMER_REAL, float(sys.argv[5]))
    return {}

def deadly(function, before):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if before and calls == when:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if calls == when:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

if stage == "array":
    np.lib.format.write_array = deadly(np.lib.format.write_array, before=True)
elif stage == "fsync":
    os.fsync = deadly(os.fsync, before=True)
elif stage == "before replace":
    os.replace = deadly(os.replace, before=True)
elif stage == "after replace":
    os.replace = deadly(os.replace, before=False)

rng = np.random.default_rng(0)
x, y = rng.standard_normal((20, SIZE)), rng.integers(SIZE, size=20)
model = rnnlib.Linear(SIZE, SIZE, seed=1)
batches = rnnlib.Batches(x, y, 8, axes=(0, 0), seed=2)
optimizer = rnnlib.Adam(model.parameters())
rnnlib.fit(
    model, batches, optimizer, epochs=epochs, checkpoint=path, evaluate=evaluate
)
rnnlib.save(path + ".weights", model)
"""


def child(size, path, epochs, stage="", when=0, seconds=0.0):
    """How a run ends that is killed, or not, in or after a call of one stage."""
    program = [sys.executable, "-c", CHILD.replace("SIZE", str(size))]
    return subprocess.run([*program, path, str(epochs), stage, str(when), str(seconds)]).returncode


needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")


@needs_kill
@pytest.mark.parametrize(
    ("stage", "when", "epochs_in_file"),
    [
        # a write has 11 arrays, and the first write comes before the first epoch
        ("array", 28, 1),
        ("array", 33, 1),
        ("array", 34, 2),
        ("fsync", 3, 1),
        ("before replace", 3, 1),
        ("after replace", 3, 2),
        ("before replace", 1, None),
    ],
)
def test_killed_in_a_write_the_file_is_the_old_one_or_the_new_one(
    stage, when, epochs_in_file, tmp_path
):
    path, whole = str(tmp_path / "run.npz"), str(tmp_path / "whole.npz")
    assert child(3, path, 4, stage, when) == -9
    if epochs_in_file is None:
        assert not os.path.exists(path)
    else:
        assert len(read_arrays(path)["history/loss"]) == epochs_in_file
    assert child(3, path, 4) == 0
    assert child(3, whole, 4) == 0
    assert Path(path).read_bytes() == Path(whole).read_bytes()
    assert Path(path + ".weights").read_bytes() == Path(whole + ".weights").read_bytes()
    assert sorted(os.listdir(tmp_path)) == [
        name + more for name in ("run.npz", "whole.npz") for more in ("", ".weights")
    ]


@needs_kill
def test_killed_at_random_moments_the_file_always_loads_and_the_end_is_the_same(tmp_path):
    path, whole = str(tmp_path / "run.npz"), str(tmp_path / "whole.npz")
    epochs, behind = 150, 0
    for _ in range(6):
        # an epoch and its write take about as long
        when, seconds = random.randint(1, 6), random.uniform(0.0001, 0.02)
        assert child(250, path, epochs, "epoch", when, seconds) == -signal.SIGALRM
        now = len(read_arrays(path)["history/loss"])
        assert now >= behind
        behind = now
    assert child(250, path, epochs) == 0
    assert child(250, whole, epochs) == 0
    assert Path(path).read_bytes() == Path(whole).read_bytes()
    assert Path(path + ".weights").read_bytes() == Path(whole + ".weights").read_bytes()


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(function, tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    Run().fit(path, epochs=1)
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, full)
    with pytest.raises(OSError, match="No space left"):
        Run().fit(path, epochs=2)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run.npz"]


def test_a_folder_that_is_not_there_is_noticed_before_any_training(tmp_path):
    run = Run()
    with pytest.raises(FileNotFoundError):
        run.fit(tmp_path / "nowhere" / "run.npz", breaks_at=0)


def test_a_link_to_a_checkpoint_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    try:
        (tmp_path / "run.npz").symlink_to(tmp_path / "disk" / "run.npz")
    except OSError:
        pytest.skip("no links here")
    Run().fit(tmp_path / "run.npz", epochs=1)
    assert (tmp_path / "run.npz").is_symlink()
    assert len(read_arrays(tmp_path / "disk" / "run.npz")["history/loss"]) == 1


# --- files that are not what they should be ---


class Small:
    """The smallest training with a checkpoint."""

    def __init__(self, path):
        self.path = path
        self.model = Linear(2, 2, seed=0)
        self.optimizer = SGD(self.model.parameters(), lr=0.5, momentum=0.5)
        self.batches = Batches(np.eye(2), np.array([1, 0]), 2, axes=(0, 0), seed=0)

    def fit(self, **more):
        return fit(
            self.model,
            self.batches,
            self.optimizer,
            **{"epochs": 3, "checkpoint": self.path} | more,
        )

    def bits(self):
        states = self.model.state_dict() | self.optimizer.state_dict()
        arrays = {name: array.tobytes() for name, array in states.items()}
        return arrays, str(self.batches.rng.bit_generator.state)


@pytest.fixture
def trained(tmp_path):
    run = Small(tmp_path / "run.npz")
    run.history = run.fit()
    return run


def refused(path, message=""):
    """Whether going on from this file is refused with one sentence that names it."""
    run = Small(path)
    before = run.bits()
    content = path.read_bytes()
    try:
        run.fit()
    except ValueError as error:
        assert str(error).startswith(str(path))
        assert "\n" not in str(error)
        assert message in str(error)
        assert run.bits() == before
        assert path.read_bytes() == content
        return True
    return False


def test_a_file_that_was_cut_short_is_refused_at_every_length(trained):
    whole = trained.path.read_bytes()
    for length in [*range(0, len(whole), 31), *range(len(whole) - 40, len(whole))]:
        trained.path.write_bytes(whole[:length])
        assert refused(trained.path, "is damaged or not a file of arrays: "), length
    trained.path.write_bytes(whole)
    assert not refused(trained.path)


def data_of_entries(path):
    """The places in an npz file where arrays stand, and not the archive's own notes."""
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            # a note of 30 bytes, then a name and an extra field of the lengths it tells
            note = content[entry.header_offset :][:30]
            start = entry.header_offset + 30 + note[26] + note[28]
            yield from range(start, start + entry.file_size)


def test_a_flipped_bit_is_refused_or_lies_where_nothing_is_read(trained):
    whole = trained.path.read_bytes()
    inside = set(data_of_entries(trained.path))
    assert len(inside) > 1000
    rng = random.Random(0)
    for place in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        trained.path.write_bytes(damaged)
        run = Small(trained.path)
        try:
            history = run.fit()
        except ValueError as error:
            assert str(error).startswith(str(trained.path))
        else:  # a date, a version of the archive
            assert place not in inside
            assert history == trained.history
            assert run.bits() == trained.bits()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_mixture_of_pieces_of_files_is_refused_or_changes_nothing(data):
    with tempfile.TemporaryDirectory() as folder:
        run = Small(Path(folder, "run.npz"))
        history = run.fit()
        whole = run.path.read_bytes()
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=4)))
        junk = data.draw(st.binary(max_size=40))
        run.path.write_bytes(whole[: cuts[0]] + junk + whole[cuts[1] :])
        again = Small(run.path)
        try:
            assert again.fit() == history
            assert again.bits() == run.bits()
        except ValueError as error:
            assert str(error).startswith(str(run.path))


class Bomb:
    """A pickle that leaves a mark where it is loaded."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_a_pickle_is_never_executed(trained, tmp_path):
    mark = tmp_path / "executed"
    bomb = np.array([Bomb(mark)], dtype=object)
    arrays = read_arrays(trained.path)
    plain, single = io.BytesIO(), io.BytesIO()
    np.savez(plain, **arrays | {"model/bias": bomb})
    np.save(single, bomb, allow_pickle=True)
    for content, message in [
        (plain.getvalue(), "Object arrays cannot be loaded"),
        (single.getvalue(), "File is not a zip file"),
        (pickle.dumps(Bomb(mark)), "File is not a zip file"),
    ]:
        trained.path.write_bytes(content)
        assert refused(trained.path, message)
        with pytest.raises(ValueError, match=message):
            load(trained.path, trained.model)
        assert not mark.exists()
    np.load(io.BytesIO(plain.getvalue()), allow_pickle=True)["model/bias"]
    assert mark.exists()  # the bomb is a real one


def rewritten(change):
    """A change of a checkpoint's arrays, as a function of its path."""

    def rewrite(path):
        arrays = read_arrays(path)
        change(arrays)
        write_arrays(path, arrays)

    return rewrite


def zipped(**settings):
    def rewrite(path):
        arrays = read_arrays(path)
        with zipfile.ZipFile(path, "w", **settings) as archive:
            for name, array in (arrays | {"model/bias": np.zeros(100_000)}).items():
                data = io.BytesIO()
                np.save(data, array)
                archive.writestr(name + ".npy", data.getvalue())

    return rewrite


def twice(path):
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("model/bias.npy", b"")


def longer(path):
    data = io.BytesIO()
    np.save(data, np.zeros(2))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.npy", data.getvalue() + b"\0")


def about(**change):
    def rewrite(arrays):
        content = json.loads(arrays["about"].tobytes()) | change
        arrays["about"] = np.frombuffer(json.dumps(content).encode(), np.uint8)

    return rewritten(rewrite)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_text("epochs: 3"), "File is not a zip file"),
        (lambda path: write_arrays(path, {"x": np.ones(3)}), "is not a checkpoint"),
        (lambda path: save(path, Linear(2, 2)), "is not a checkpoint"),
        (rewritten(lambda arrays: arrays.pop("model/bias")), "missing ['model/bias']"),
        (rewritten(lambda arrays: arrays.update(x=np.ones(3))), "unexpected ['x']"),
        (
            rewritten(lambda arrays: arrays.update({"model/bias": np.ones(3)})),
            "model/bias has shape (3,) and dtype float64, but (2,) and float64 are needed",
        ),
        (
            rewritten(lambda arrays: arrays.update({"model/bias": np.ones(2, np.float32)})),
            "model/bias has shape (2,) and dtype float32",
        ),
        (
            rewritten(lambda arrays: arrays.update({"optimizer/velocities.1": np.ones((2, 1))})),
            "optimizer/velocities.1 has shape (2, 1)",
        ),
        (
            rewritten(lambda arrays: arrays.update({"optimizer/lr": np.array(np.nan)})),
            "does not fit: lr of SGD holds nan",
        ),
        (
            rewritten(lambda arrays: arrays.update({"optimizer/steps": np.array(-3)})),
            "does not fit: steps of SGD is -3, but a count is at least 0",
        ),
        (rewritten(lambda arrays: arrays.pop("history/step")), "holds no whole history"),
        (
            rewritten(lambda arrays: arrays.update({"history/loss": np.ones((3, 1))})),
            "holds no whole history",
        ),
        (
            rewritten(lambda arrays: arrays.update({"history/loss": np.ones(4)})),
            "holds 4 epochs of training, more than the 3 asked for",
        ),
        (rewritten(lambda arrays: arrays.update(about=np.ones(3, np.uint8))), "not a checkpoint"),
        (about(format="rnnlib checkpoint 99"), "its format is rnnlib checkpoint 99, not rnnlib"),
        (about(settings=[1]), "is not a checkpoint"),
        (about(generators={}), "knows the random generators []"),
        (about(generators={"batches.rng": {"bit_generator": "MT19937"}}), "does not fit the"),
        (about(generators={"batches.rng": 7}), "does not fit the random generator batches.rng"),
        (zipped(compression=zipfile.ZIP_DEFLATED), "model/bias has shape (100000,)"),
        (zipped(), "model/bias has shape (100000,)"),
        (twice, "it holds model/bias twice"),
        (longer, "more goes on behind its end"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_changes_nothing(change, message, trained):
    change(trained.path)
    assert refused(trained.path, message)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"optimizer": "sgd"}, "of a training with optimizer Adam(lr=0.01, betas=(0.9, 0.999)"),
        ({"schedule": "cosine"}, "schedule StepLR(step_size=4, gamma=0.5), not CosineAnnealingLR("),
        ({"schedule": "none"}, "schedule StepLR(step_size=4, gamma=0.5), not None"),
        ({"stop": 0}, "with early_stopping EarlyStopping('noise', 9, min), not None"),
        ({"stop": 3}, "not EarlyStopping('noise', 3, min)"),
        ({"buckets": True}, "batches Batches, examples 12, batch_size 5, not Buckets"),
        ({"dtype": np.float32}, "and dtype float64, but (5, 3) and float32 are needed"),
    ],
)
def test_going_on_with_something_else_is_refused(other, message, tmp_path):
    made = {"schedule": "stairs", "stop": 9}
    path = tmp_path / "run.npz"
    Run(**made).fit(path, epochs=1)
    run = Run(**made | other)
    before = run.bits()
    with pytest.raises(ValueError) as caught:
        run.fit(path, epochs=2)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    arrays, generators = run.bits()
    assert generators == before[1]
    assert arrays.items() >= {k: v for k, v in before[0].items() if k[0] < 2}.items()


def test_going_on_with_another_loss_or_clipping_or_learning_rate_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    Run().fit(path, epochs=1)
    with pytest.raises(ValueError, match=r"with clip_norm 1\.0, not 2\.0"):
        Run().fit(path, epochs=2, clip_norm=2.0)
    with pytest.raises(ValueError, match="with loss loss, not cross_entropy"):
        Run().fit(path, epochs=2, loss=cross_entropy)
    run = Run()
    run.optimizer = Adam(run.model.parameters(), lr=0.02)
    with pytest.raises(ValueError, match=r"Adam\(lr=0\.01.*not Adam\(lr=0\.02"):
        run.fit(path, epochs=2)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("optimizer/lr", np.nan, "lr of Adam holds nan"),
        ("optimizer/lr", -0.1, "lr must be a finite number of at least 0, got -0.1"),
        ("optimizer/steps", -1, "steps of Adam is -1"),
        ("optimizer/squares.1", -1.0, "squares.1 of Adam holds -1.0"),
        ("optimizer/means.0", np.nan, "means.0 of Adam holds nan"),
        ("schedule/steps", -1, "steps of StepLR is -1"),
        ("early_stopping/stale", -1, "stale of EarlyStopping is -1"),
    ],
)
def test_numbers_that_cannot_be_are_refused_before_any_part_has_changed(
    name, value, message, tmp_path
):
    path = tmp_path / "run.npz"
    made = {"schedule": "stairs", "stop": 9}
    Run(**made).fit(path, epochs=2)
    rewritten(lambda arrays: arrays[name].fill(value))(path)
    run = Run(**made)
    before = run.bits()
    with pytest.raises(ValueError) as caught:
        run.fit(path, epochs=3)
    assert str(caught.value).startswith(f"{path} does not fit: {message}")
    arrays, generators = run.bits()
    assert generators == before[1]
    # fit began: early stopping holds the weights that there are
    weights = {k: v for k, v in arrays.items() if k[1].startswith("weights.")}
    assert {k: v for k, v in arrays.items() if k not in weights} == {
        k: v for k, v in before[0].items() if not k[1].startswith("weights.")
    }


def test_a_compressed_file_is_read_and_one_that_unpacks_to_too_much_is_not(tmp_path, monkeypatch):
    model = Linear(30, 20, seed=0)
    np.savez_compressed(tmp_path / "a.npz", weight=np.zeros((20, 30)), bias=np.ones(20))
    load(tmp_path / "a.npz", model)
    assert not model.weight.data.any() and model.bias.data.all()
    monkeypatch.setattr(checkpoints, "LARGEST", 4000)
    with pytest.raises(ValueError, match=r"unpack to 5,2\d\d bytes, more than 4,000"):
        load(tmp_path / "a.npz", model)


# --- weights alone ---


@settings(deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    bias=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_weights_come_back_bit_for_bit(sizes, bias, dtype):
    here, there = (Linear(*sizes, bias=bias, seed=seed, dtype=dtype) for seed in (0, 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights")
        save(path, here)
        load(path, there)
        assert os.listdir(folder) == ["weights"]  # the name that was given, and no other
        with np.load(path, allow_pickle=False) as arrays:
            assert {name: arrays[name].tobytes() for name in arrays} == {
                name: array.tobytes() for name, array in there.state_dict().items()
            }
    assert {n: (a.dtype, a.tobytes()) for n, a in here.state_dict().items()} == {
        n: (a.dtype, a.tobytes()) for n, a in there.state_dict().items()
    }


def test_weights_of_another_model_are_refused_and_change_nothing(tmp_path, trained):
    path = tmp_path / "weights.npz"
    save(path, Linear(3, 2))
    model = Linear(2, 2, seed=0)
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"weights\.npz cannot be loaded: weight of Linear has"):
        load(path, model)
    with pytest.raises(ValueError, match=r"run\.npz cannot be loaded: .* missing \['weight'"):
        load(trained.path, model)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing", model)
    assert all((array == before[name]).all() for name, array in model.state_dict().items())


def test_weights_that_fortran_laid_out_and_numpy_saved_load_too(tmp_path):
    weight = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez(tmp_path / "a.npz", weight=weight, bias=np.ones(2))
    model = Linear(3, 2)
    load(tmp_path / "a.npz", model)
    assert (model.weight.data == weight).all()


def test_the_same_arrays_are_the_same_bytes(tmp_path):
    for name in "ab":
        save(tmp_path / name, Linear(3, 2, seed=0))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("bits", "levels"), [(8, 250), (16, 65_000)])
def test_quantized_weights_come_back_to_so_many_bits(bits, levels):
    arrays = {"w": np.random.default_rng(0).normal(size=(3, 4)), "none": np.zeros(2)}
    arrays |= {"empty": np.zeros((0, 3)), "single": np.array(0.5, np.float32)}
    packed = json.loads(json.dumps(quantize(arrays, bits)))
    for name, array in dequantize(packed).items():
        assert array.shape == arrays[name].shape
        largest = np.max(np.abs(arrays[name]), initial=0.0)
        np.testing.assert_allclose(array, arrays[name], rtol=0, atol=largest / levels)
        assert len(base64.b64decode(packed[name][f"int{bits}"])) == array.size * bits // 8


def test_what_cannot_be_quantized_or_read_back_is_named():
    w = {"w": np.ones((2, 3))}
    with pytest.raises(ValueError, match="bits must be 8 or 16, but is 4"):
        quantize(w, bits=4)
    with pytest.raises(ValueError, match="w holds values that are not finite"):
        quantize({"w": np.array([1.0, np.inf])})
    packed = quantize(w)
    with pytest.raises(ValueError, match=r"w holds 6 numbers, but its shape is \[2, 2\]"):
        dequantize({"w": packed["w"] | {"shape": [2, 2]}})
    with pytest.raises(ValueError, match="w holds no whole numbers of 8 or 16 bits: shape, scale"):
        dequantize({"w": {"shape": [2, 3], "scale": 1.0}})
