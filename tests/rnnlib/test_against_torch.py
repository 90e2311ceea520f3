"""rnnlib equals torch: values, all gradients, updates, and state_dict both ways."""

import numpy as np
import pytest
import torch

from rnnlib import (
    GRU,
    LSTM,
    RNN,
    SGD,
    Adam,
    Embedding,
    Linear,
    Parameter,
    clip_grad_norm,
    clip_grad_value,
    cross_entropy,
)
from rnnlib.module import Module

CONFIGURATIONS = 256
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}

torch.set_num_threads(1)


def error(ours, theirs):
    """max|Δ| / max|reference|, for an array that is not just zeros."""
    theirs = theirs.detach().numpy() if torch.is_tensor(theirs) else theirs
    assert ours.shape == theirs.shape
    scale = abs(theirs).max()
    assert scale > 0, "comparing zeros with zeros proves nothing"
    return abs(ours - theirs).max() / scale


def assert_equal(ours, theirs, tolerance):
    assert ours.keys() == theirs.keys()
    errors = {name: error(ours[name], theirs[name]) for name in ours}
    assert max(errors.values()) <= tolerance, errors


def tensor(array):
    return torch.tensor(np.asarray(array, dtype=np.float64), requires_grad=True)


LAYERS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}


def layer_case(name, seed, dtype):
    """One random configuration: everything that comes out of rnnlib and of torch."""
    rng = np.random.default_rng(seed)
    T, B, I, H = (int(size) for size in rng.integers(1, 8, size=4))
    if seed % 8 == 0:
        T = int(rng.integers(17, 36))  # more than one block of the kernels
    settings = {
        "num_layers": int(rng.integers(1, 4)),
        "bidirectional": bool(rng.integers(2)),
        "bias": bool(rng.integers(4)),
        "batch_first": bool(rng.integers(2)),
    }
    if name == "RNN":
        settings["nonlinearity"] = ["tanh", "relu"][seed % 2]
    ours = LAYERS[name](I, H, seed=rng, dtype=dtype, **settings)
    if settings.get("nonlinearity") == "relu" and settings["bias"]:
        for parameter_name, parameter in ours.named_parameters():
            parameter.data += "bias" in parameter_name  # keeps most units alive
    theirs = getattr(torch.nn, name)(I, H, dtype=torch.float64, **settings)
    theirs.load_state_dict({key: torch.tensor(a) for key, a in ours.state_dict().items()})

    x = rng.standard_normal((B, T, I) if settings["batch_first"] else (T, B, I)).astype(dtype)
    lengths = rng.integers(1, T + 1, size=B) if seed % 3 else None
    states = 2 if name == "LSTM" else 1
    shape = (settings["num_layers"] * (1 + settings["bidirectional"]), B, H)
    start = tuple(abs(rng.standard_normal(shape)).astype(dtype) for _ in range(states))
    given = seed % 4 > 0 or T == 1  # with T = 1, W_h sees only the initial state
    y, last = ours(x, (start if states == 2 else start[0]) if given else None, lengths)
    last = last if states == 2 else (last,)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dlast = tuple(rng.standard_normal(shape).astype(dtype) for _ in range(states))
    if dtype == np.float32:
        # float32 rounds in proportion to the terms of a sum; where they cancel, their sum is
        # as wrong in torch's float32 as it is here
        dy, dlast = abs(dy), tuple(map(abs, dlast))
    dx, dstart = ours.backward(dy, dlast if states == 2 else dlast[0])
    got = {"y": y, "x": dx}
    got |= {f"last {k}": array for k, array in enumerate(last)}
    got |= {f"start {k}": a for k, a in enumerate(dstart if states == 2 else (dstart,))}
    got |= {key: parameter.grad for key, parameter in ours.named_parameters()}

    x_t = tensor(x)
    start_t = tuple(tensor(array if given else 0 * array) for array in start)
    fed = x_t
    if lengths is not None:
        fed = torch.nn.utils.rnn.pack_padded_sequence(
            x_t, torch.tensor(lengths), settings["batch_first"], enforce_sorted=False
        )
    y_t, last_t = theirs(fed, start_t if states == 2 else start_t[0])
    if lengths is not None:
        y_t, _ = torch.nn.utils.rnn.pad_packed_sequence(
            y_t, settings["batch_first"], total_length=T
        )
    last_t = last_t if states == 2 else (last_t,)
    loss = (y_t * tensor(dy)).sum()
    for array, gradient in zip(last_t, dlast, strict=True):
        loss = loss + (array * tensor(gradient)).sum()
    loss.backward()
    want = {"y": y_t, "x": x_t.grad}
    want |= {f"last {k}": array for k, array in enumerate(last_t)}
    want |= {f"start {k}": array.grad for k, array in enumerate(start_t)}
    want |= {key: parameter.grad for key, parameter in theirs.named_parameters()}
    return got, want


def is_dead(want):
    """Some array is all zero: units of a ReLU are off, or no sequence has a second step."""
    return any(float(array.detach().abs().max()) == 0 for array in want.values())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LAYERS)
def test_layer_equals_torch_in_values_and_all_gradients(name, dtype):
    compared = seed = 0
    while compared < CONFIGURATIONS:
        got, want = layer_case(name, seed, dtype)
        seed += 1
        if is_dead(want):
            continue
        assert_equal(got, want, TOLERANCE[dtype])
        assert all(array.dtype == dtype for array in got.values())
        compared += 1
    assert seed < 2 * CONFIGURATIONS, "most of the drawn networks were dead"


def test_linear_equals_torch():
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        I, K = (int(size) for size in rng.integers(1, 9, size=2))
        lead = tuple(rng.integers(1, 5, size=rng.integers(1, 4)))
        ours = Linear(I, K, bias=bool(seed % 4), seed=rng)
        theirs = torch.nn.Linear(I, K, bias=bool(seed % 4), dtype=torch.float64)
        theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
        x, dy = rng.standard_normal((*lead, I)), rng.standard_normal((*lead, K))
        x_t = tensor(x)
        y_t = theirs(x_t)
        y_t.backward(tensor(dy))
        got = {"y": ours(x), "x": ours.backward(dy)}
        got |= {name: parameter.grad for name, parameter in ours.named_parameters()}
        want = {"y": y_t, "x": x_t.grad}
        want |= {name: parameter.grad for name, parameter in theirs.named_parameters()}
        assert_equal(got, want, 1e-10)


def test_embedding_equals_torch():
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        V, I = (int(size) for size in rng.integers(1, 9, size=2))
        tokens = rng.integers(V, size=tuple(rng.integers(1, 6, size=2)))
        ours = Embedding(V, I, seed=rng)
        theirs = torch.nn.Embedding(V, I, dtype=torch.float64)
        theirs.load_state_dict({"weight": torch.tensor(ours.weight.data)})
        y_t = theirs(torch.tensor(tokens))
        dy = rng.standard_normal(y_t.shape)
        y_t.backward(tensor(dy))
        y = ours(tokens)
        ours.backward(dy)
        assert_equal(
            {"y": y, "weight": ours.weight.grad}, {"y": y_t, "weight": theirs.weight.grad}, 1e-10
        )


def test_cross_entropy_equals_torch_with_and_without_ignored_labels():
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        T, B, K = (int(size) for size in rng.integers(2, 7, size=3))
        logits = 5.0 * rng.standard_normal((T, B, K))
        targets = rng.integers(K, size=(T, B))
        if seed % 2:
            targets[rng.random((T, B)) < 0.3] = -100
            targets[0, 0] = 0
        loss, dlogits = cross_entropy(logits, targets)
        logits_t = tensor(logits)
        loss_t = torch.nn.functional.cross_entropy(
            logits_t.reshape(-1, K), torch.tensor(targets).reshape(-1)
        )
        loss_t.backward()
        assert_equal(
            {"loss": np.array(loss), "dlogits": dlogits},
            {"loss": loss_t, "dlogits": logits_t.grad},
            1e-10,
        )


@pytest.mark.parametrize(
    ("ours", "theirs", "settings"),
    [
        (SGD, torch.optim.SGD, {"lr": 0.1}),
        (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
        (Adam, torch.optim.Adam, {"lr": 0.01}),
        (Adam, torch.optim.Adam, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-4}),
    ],
)
@pytest.mark.parametrize("clip", [None, "norm", "value"])
def test_optimisers_and_clipping_follow_torch_over_many_steps(ours, theirs, settings, clip):
    rng = np.random.default_rng(0)
    parameters = [Parameter(rng.standard_normal(shape)) for shape in [(3, 4), (5,)]]
    twins = [tensor(parameter.data) for parameter in parameters]
    optimizer, twin_optimizer = ours(parameters, **settings), theirs(twins, **settings)
    for _ in range(50):
        optimizer.zero_grad()
        for parameter, twin in zip(parameters, twins, strict=True):
            gradient = 3.0 * rng.standard_normal(parameter.shape)
            parameter.grad += gradient
            twin.grad = torch.tensor(gradient)
        if clip == "norm":
            norm = clip_grad_norm(parameters, 1.0)
            assert norm == pytest.approx(float(torch.nn.utils.clip_grad_norm_(twins, 1.0)))
        if clip == "value":
            clip_grad_value(parameters, 0.5)
            torch.nn.utils.clip_grad_value_(twins, 0.5)
        optimizer.step()
        twin_optimizer.step()
    for parameter, twin in zip(parameters, twins, strict=True):
        assert error(parameter.data, twin) <= 1e-10


class LanguageModel(Module):
    """Words in, scores over next words out."""

    def __init__(self, V, I, H, seed):
        rng = np.random.default_rng(seed)
        self.embed = Embedding(V, I, seed=rng)
        self.rnn = RNN(I, H, seed=rng)
        self.out = Linear(H, V, seed=rng)

    def forward(self, tokens):
        return self.out(self.rnn(self.embed(tokens))[0])

    def backward(self, dlogits):
        self.embed.backward(self.rnn.backward(self.out.backward(dlogits))[0])


class TorchLanguageModel(torch.nn.Module):
    """The same model, its parts under the same names."""

    def __init__(self, V, I, H):
        super().__init__()
        self.embed = torch.nn.Embedding(V, I, dtype=torch.float64)
        self.rnn = torch.nn.RNN(I, H, dtype=torch.float64)
        self.out = torch.nn.Linear(H, V, dtype=torch.float64)

    def forward(self, tokens):
        return self.out(self.rnn(self.embed(tokens))[0])


def test_state_dict_moves_both_ways_and_the_losses_match_over_20_updates():
    V, I, H, T, B = 11, 5, 7, 6, 4
    model, twin = LanguageModel(V, I, H, seed=0), TorchLanguageModel(V, I, H)
    # from torch to rnnlib, and from rnnlib to torch
    model.load_state_dict({name: t.numpy() for name, t in twin.state_dict().items()})
    other = TorchLanguageModel(V, I, H)
    other.load_state_dict({name: torch.tensor(a) for name, a in model.state_dict().items()})
    for name, array in twin.state_dict().items():
        assert torch.equal(other.state_dict()[name], array)
    optimizer = Adam(model.parameters(), lr=0.01)
    twin_optimizer = torch.optim.Adam(twin.parameters(), lr=0.01)
    rng = np.random.default_rng(1)
    for _ in range(20):
        tokens, targets = rng.integers(V, size=(2, T, B))
        loss, dlogits = cross_entropy(model(tokens), targets)
        model.zero_grad()
        model.backward(dlogits)
        optimizer.step()
        twin_loss = torch.nn.functional.cross_entropy(
            twin(torch.tensor(tokens)).reshape(-1, V), torch.tensor(targets).reshape(-1)
        )
        twin_optimizer.zero_grad()
        twin_loss.backward()
        twin_optimizer.step()
        assert loss == pytest.approx(twin_loss.item(), rel=1e-9)
