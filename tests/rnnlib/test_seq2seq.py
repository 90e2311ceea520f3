"""Encoder and decoder: equal to torch's parts, and to their own steps one by one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_against_torch import CONFIGURATIONS, assert_equal, tensor
from test_gradients import module_arrays

from rnnlib import (
    GRU,
    LSTM,
    RNN,
    Adam,
    AdditiveAttention,
    Decoder,
    DotAttention,
    Embedding,
    Encoder,
    Seq2Seq,
    beam_search,
    check_gradients,
    cross_entropy,
    log_softmax,
    teacher_forcing,
)

CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
KINDS = [None, "dot", "additive"]


def model_of(cell="GRU", kind="dot", V=7, I=3, H=2, L=1, bidirectional=True, seed=0):
    """An encoder and a decoder; with two directions the decoder is twice as wide."""
    rng = np.random.default_rng(seed)
    width = 2 * H if bidirectional else H
    attention = None
    if kind == "dot":
        attention = DotAttention(scaled=True)
    if kind == "additive":
        attention = AdditiveAttention(width, width, 3, seed=rng)
    reads = CELLS[cell](I, H, L, bidirectional=bidirectional, seed=rng)
    writes = CELLS[cell](I, width, L, seed=rng)
    return Seq2Seq(
        Encoder(Embedding(V, I, seed=rng), reads),
        Decoder(Embedding(V + 1, I, seed=rng), writes, attention, seed=rng),
    )


def pairs(state):
    """A state as a list of arrays: one, or an LSTM's two."""
    return list(state) if isinstance(state, tuple) else [state]


def state_like(arrays):
    return tuple(arrays) if len(arrays) == 2 else arrays[0]


class TorchEncoder(torch.nn.Module):
    """The same reader made of torch's parts, under the same names."""

    def __init__(self, ours):
        super().__init__()
        V, I = ours.embedding.weight.shape
        reads = ours.recurrent
        self.embedding = torch.nn.Embedding(V, I, dtype=torch.float64)
        self.recurrent = getattr(torch.nn, type(reads).__name__)(
            I,
            reads.hidden_size,
            reads.num_layers,
            bidirectional=reads.bidirectional,
            dtype=torch.float64,
        )

    def forward(self, tokens, first, lengths):
        x = self.embedding(tokens)
        L, H = self.recurrent.num_layers, self.recurrent.hidden_size
        D = 2 if self.recurrent.bidirectional else 1
        B = tokens.shape[1]

        def apart(array):
            return array.reshape(L, B, D, H).transpose(1, 2).reshape(L * D, B, H).contiguous()

        def together(array):
            return array.reshape(L, D, B, H).transpose(1, 2).reshape(L, B, D * H)

        first = state_like([apart(array) for array in pairs(first)])
        if lengths is None:
            y, last = self.recurrent(x, first)
        else:
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
            y, last = self.recurrent(packed, first)
            y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=len(tokens))
        return y, state_like([together(array) for array in pairs(last)])


class TorchDecoder(torch.nn.Module):
    """The same writer made of torch's parts, under the same names."""

    def __init__(self, ours):
        super().__init__()
        V, I = ours.embedding.weight.shape
        writes, self.kind = ours.recurrent, type(ours.attention)
        H = writes.hidden_size
        self.embedding = torch.nn.Embedding(V, I, dtype=torch.float64)
        self.recurrent = getattr(torch.nn, type(writes).__name__)(
            I, H, writes.num_layers, dtype=torch.float64
        )
        if ours.attention is not None:
            self.attention = torch.nn.Module()
            for name, parameter in ours.attention.named_parameters():
                twin = torch.nn.Parameter(torch.tensor(parameter.data))
                self.attention.register_parameter(name, twin)
            self.combine = torch.nn.Linear(2 * H, H, bias=False, dtype=torch.float64)
        self.output = torch.nn.Linear(H, V, dtype=torch.float64)

    def forward(self, tokens, first, memory, lengths):
        h, last = self.recurrent(self.embedding(tokens), first)
        if self.kind is not type(None):
            q, m = h.transpose(0, 1), memory.transpose(0, 1)
            counts = torch.ones((len(m), 1, m.shape[1]), dtype=torch.bool)
            if lengths is not None:
                counts = (torch.arange(m.shape[1]) < lengths[:, None])[:, None]
            if self.kind is DotAttention:
                c = torch.nn.functional.scaled_dot_product_attention(q, m, m, attn_mask=counts)
            else:
                W_q, W_k, v = self.attention.W_q, self.attention.W_k, self.attention.v
                scores = torch.tanh((q @ W_q.T)[:, :, None] + (m @ W_k.T)[:, None]) @ v
                c = scores.masked_fill(~counts, -torch.inf).softmax(2) @ m
            h = torch.tanh(self.combine(torch.cat([c.transpose(0, 1), h], 2)))
        return self.output(h), last


def load(theirs, ours):
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    return theirs


def names(name, arrays):
    return {f"{name}[{k}]": array for k, array in enumerate(pairs(arrays))}


def seq2seq_case(seed):
    """One random encoder–decoder: everything that comes out of rnnlib and of torch."""
    rng = np.random.default_rng(seed)
    cell, kind = list(CELLS)[seed % 3], KINDS[seed // 3 % 3]
    V, I, H, B, T_k, T_q = (int(n) for n in rng.integers([2, 1, 1, 1, 1, 1], [8, 5, 5, 5, 6, 6]))
    T_k += kind is not None  # a single key has weight 1, and its score no gradient
    L, bidirectional = int(rng.integers(1, 3)), bool(rng.integers(2))
    ours = model_of(cell, kind, V, I, H, L, bidirectional, seed=rng)
    source, tokens = rng.integers(V, size=(T_k, B)), rng.integers(V + 1, size=(T_q, B))
    lengths = None
    if rng.integers(2):
        lengths = rng.integers(1, T_k + 1, size=B)
        lengths[rng.integers(B)] = T_k
    width = ours.encoder.width
    parts = 2 if cell == "LSTM" else 1
    first, dlast = rng.standard_normal((2, parts, L, B, width))
    dlogits = rng.standard_normal((T_q, B, V + 1))
    dmemory = rng.standard_normal((T_k, B, width))

    memory, state = ours.encoder(source, state_like(list(first)), lengths)
    logits, last = ours.decoder(tokens, state, memory, lengths)
    dstate, dseen = ours.decoder.backward(dlogits, state_like(list(dlast)))
    dfirst = ours.encoder.backward(dmemory if dseen is None else dmemory + dseen, dstate)
    got = {"memory": memory, "logits": logits} | names("state", state) | names("last", last)
    got |= names("dfirst", dfirst) | names("dstate", dstate)
    got |= {name: parameter.grad for name, parameter in ours.named_parameters()}

    theirs = torch.nn.Module()
    theirs.encoder, theirs.decoder = TorchEncoder(ours.encoder), TorchDecoder(ours.decoder)
    load(theirs, ours)
    n = None if lengths is None else torch.tensor(lengths)
    first_t = [tensor(array) for array in first]
    memory_t, state_t = theirs.encoder(torch.tensor(source), state_like(first_t), n)
    for array in pairs(state_t):
        array.retain_grad()
    logits_t, last_t = theirs.decoder(torch.tensor(tokens), state_t, memory_t, n)
    loss = (logits_t * tensor(dlogits)).sum() + (memory_t * tensor(dmemory)).sum()
    for array, gradient in zip(pairs(last_t), dlast, strict=True):
        loss = loss + (array * tensor(gradient)).sum()
    loss.backward()
    want = {"memory": memory_t, "logits": logits_t} | names("state", state_t)
    want |= names("last", last_t) | names("dfirst", state_like([a.grad for a in first_t]))
    want |= names("dstate", state_like([array.grad for array in pairs(state_t)]))
    want |= {name: parameter.grad for name, parameter in theirs.named_parameters()}
    return got, want


def test_encoder_and_decoder_equal_torch_in_values_and_all_gradients():
    for seed in range(CONFIGURATIONS):
        got, want = seq2seq_case(seed)
        assert_equal(got, want, 1e-10)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_encoder_and_decoder_gradients(cell, kind):
    rng = np.random.default_rng(1)
    model = model_of(cell, kind, V=4, I=2, H=2)
    source, tokens = rng.integers(4, size=(3, 2)), rng.integers(5, size=(2, 2))
    lengths, dlogits = [3, 2], rng.standard_normal((2, 2, 5))
    parts = 2 if cell == "LSTM" else 1
    first, dlast = rng.standard_normal((2, parts, 1, 2, 4))

    def loss():
        memory, state = model.encoder(source, state_like(list(first)), lengths)
        logits, last = model.decoder(tokens, state, memory, lengths)
        ends = sum(float((a * d).sum()) for a, d in zip(pairs(last), dlast, strict=True))
        return float((logits * dlogits).sum()) + ends

    loss()
    dstate, dmemory = model.decoder.backward(dlogits, state_like(list(dlast)))
    dfirst = model.encoder.backward(dmemory, dstate)
    arrays, gradients = module_arrays(model)
    check_gradients(
        loss, arrays | names("first", state_like(list(first))), gradients | names("first", dfirst)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_both_as_one_model(kind):
    rng = np.random.default_rng(12)
    model = model_of(kind=kind, V=4, I=2, H=2)
    source, tokens = rng.integers(4, size=(3, 2)), rng.integers(5, size=(2, 2))
    dlogits = rng.standard_normal((2, 2, 5))
    model(source, tokens, [2, 3])
    model.backward(dlogits)
    check_gradients(
        lambda: float((model(source, tokens, [2, 3]) * dlogits).sum()), *module_arrays(model)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_memory_s_gradient(kind):
    rng = np.random.default_rng(2)
    decoder = model_of(kind=kind).decoder
    memory, tokens = rng.standard_normal((4, 3, 4)), rng.integers(8, size=(2, 3))
    dlogits = rng.standard_normal((2, 3, 8))

    def loss():
        return float((decoder(tokens, None, memory, [4, 1, 3])[0] * dlogits).sum())

    loss()
    _, dmemory = decoder.backward(dlogits)
    if kind is None:
        assert dmemory is None
    else:
        check_gradients(loss, {"memory": memory}, {"memory": dmemory})
        assert not dmemory[1:, 1].any() and not dmemory[3:, 2].any()


@settings(max_examples=60)
@given(
    cell=st.sampled_from(list(CELLS)),
    kind=st.sampled_from(KINDS),
    T_k=st.integers(1, 4),
    T_q=st.integers(0, 4),
    B=st.integers(1, 3),
    L=st.integers(1, 2),
    bidirectional=st.booleans(),
    data=st.data(),
)
def test_teacher_forcing_equals_one_step_after_the_other(
    cell, kind, T_k, T_q, B, L, bidirectional, data
):
    lengths = data.draw(st.lists(st.integers(1, T_k), min_size=B, max_size=B))
    lengths = np.array(lengths, dtype=int)
    rng = np.random.default_rng([T_k, T_q, B, L])
    model = model_of(cell, kind, L=L, bidirectional=bidirectional, seed=rng)
    source, tokens = rng.integers(7, size=(T_k, B)), rng.integers(8, size=(T_q, B))
    memory, state = model.encoder(source, lengths=lengths)
    logits, last = model.decoder(tokens, state, memory, lengths)
    weights = model.decoder.weights
    assert logits.shape == (T_q, B, 8)
    for t in range(T_q):
        scores, state = model.decoder.step(tokens[t], state, memory, lengths)
        assert scores.shape == (B, 8)
        np.testing.assert_allclose(scores, logits[t], rtol=1e-10, atol=1e-13)
        if kind is not None:
            np.testing.assert_allclose(model.decoder.weights[0], weights[t], atol=1e-13)
    for array, want in zip(pairs(state), pairs(last), strict=True):
        np.testing.assert_allclose(array, want, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_the_padding_changes_nothing(cell, kind):
    rng = np.random.default_rng(3)
    lengths = np.array([4, 1, 2])
    source, tokens = rng.integers(7, size=(4, 3)), rng.integers(8, size=(3, 3))
    dlogits = rng.standard_normal((3, 3, 8))
    clean, noisy = model_of(cell, kind), model_of(cell, kind)
    want = clean(source, tokens, lengths)
    clean.backward(dlogits)
    source[np.arange(4)[:, None] >= lengths] = 6
    np.testing.assert_array_equal(noisy(source, tokens, lengths), want)
    noisy.backward(dlogits)
    for ours, theirs in zip(noisy.parameters(), clean.parameters(), strict=True):
        np.testing.assert_array_equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_padded_equals_one_by_one_and_permuting_the_batch_permutes_the_result(cell, kind):
    rng = np.random.default_rng(4)
    lengths, order = np.array([4, 1, 2]), np.array([2, 0, 1])
    source, tokens = rng.integers(7, size=(4, 3)), rng.integers(8, size=(3, 3))
    model = model_of(cell, kind, L=2)
    want = model(source, tokens, lengths)
    got = model(source[:, order], tokens[:, order], lengths[order])
    np.testing.assert_allclose(got, want[:, order], rtol=1e-10)
    for b, n in enumerate(lengths):
        alone = model(source[:n, b : b + 1], tokens[:, b : b + 1])
        np.testing.assert_allclose(alone[:, 0], want[:, b], rtol=1e-10)


def test_a_word_changes_nothing_that_is_written_before_it():
    rng = np.random.default_rng(5)
    model = model_of()
    source, tokens = rng.integers(7, size=(4, 2)), rng.integers(7, size=(5, 2))
    before = model(source, tokens)
    tokens[3] += 1
    after = model(source, tokens)
    np.testing.assert_array_equal(after[:3], before[:3])
    assert (after[3:] != before[3:]).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_search_over_steps_finds_what_teacher_forcing_scores_alike(cell, kind):
    rng = np.random.default_rng(11)
    model = model_of(cell, kind, V=4)
    source, lengths = rng.integers(4, size=(3, 1)), np.array([2])
    memory, state = model.encoder(source, lengths=lengths)

    def step(tokens, carried):
        state, memory, lengths = carried
        logits, state = model.decoder.step(tokens, state, memory, lengths)
        return log_softmax(logits), (state, memory, lengths)

    [found] = beam_search(step, (state, memory, lengths), [0], max_length=3, width=125)
    assert len({hypothesis.tokens for hypothesis in found}) == 5**3
    for hypothesis in found[::10]:
        targets = np.array(hypothesis.tokens)[:, None]
        logits = model(source, teacher_forcing(targets, start=0), lengths)
        loss, _ = cross_entropy(logits, targets)
        assert hypothesis.log_p == pytest.approx(-3 * loss, rel=1e-10)


def test_a_bidirectional_reader_s_state_is_its_two_ends_side_by_side():
    model, source = model_of("LSTM", L=2), np.array([[1, 2], [3, 4], [5, 0]])
    memory, (h, _) = model.encoder(source, lengths=[3, 2])
    np.testing.assert_array_equal(h[1, 0, :2], memory[2, 0, :2])
    np.testing.assert_array_equal(h[1, 1, :2], memory[1, 1, :2])
    np.testing.assert_array_equal(h[1, :, 2:], memory[0, :, 2:])


def test_teacher_forcing_shifts_by_one_and_leaves_the_targets_alone():
    targets = np.array([[5, 7], [6, -1], [2, -1]])
    tokens = teacher_forcing(targets, start=3, ignore_index=-1)
    assert tokens.tolist() == [[3, 3], [5, 7], [6, 3]]
    assert targets.tolist() == [[5, 7], [6, -1], [2, -1]]
    assert teacher_forcing(np.zeros((0, 2), int), start=3).shape == (0, 2)


def test_it_learns_to_write_backwards_what_it_read():
    model, rng = model_of(V=6, I=8, H=12, seed=1), np.random.default_rng(6)
    optimizer, right = Adam(model.parameters(), lr=0.02), []
    for _ in range(200):
        lengths = rng.integers(2, 5, size=16)
        source, targets = rng.integers(1, 6, size=(4, 16)), np.full((4, 16), -100)
        for b, n in enumerate(lengths):
            targets[:n, b] = source[:n, b][::-1]
        logits = model(source, teacher_forcing(targets, start=6), lengths)
        _, dlogits = cross_entropy(logits, targets)
        model.zero_grad()
        model.backward(dlogits)
        optimizer.step()
        right.append((logits.argmax(2) == targets)[targets != -100].mean())
    assert right[0] < 0.5
    assert np.mean(right[-10:]) > 0.9


def test_each_forward_is_walked_back_once_and_a_step_forgets_it():
    model, tokens = model_of(), np.array([[1, 2], [3, 4]])
    logits = model(tokens, tokens)
    model.backward(np.ones_like(logits))
    with pytest.raises(RuntimeError, match=r"Decoder\.backward needs a forward pass"):
        model.backward(np.ones_like(logits))
    memory, state = model.encoder(tokens)
    model.decoder(tokens, state, memory)
    model.decoder.step(tokens[0], state, memory)
    with pytest.raises(RuntimeError, match=r"Decoder\.backward needs a forward pass"):
        model.decoder.backward(np.ones_like(logits))
    model.encoder.backward(memory)
    with pytest.raises(RuntimeError, match=r"Encoder\.backward needs a forward pass"):
        model.encoder.backward(memory)


def test_gradients_accumulate():
    model, tokens = model_of(), np.array([[1, 2], [3, 4]])
    for _ in range(2):
        once = [parameter.grad.copy() for parameter in model.parameters()]
        model.backward(np.ones_like(model(tokens, tokens)))
    for parameter, gradient in zip(model.parameters(), once, strict=True):
        np.testing.assert_allclose(parameter.grad, 2 * gradient, rtol=1e-12)


def test_no_words_and_no_sequences_give_empty_results():
    model = model_of(bidirectional=False)
    nothing = np.zeros((0, 2), int)
    logits = model(np.array([[1, 2]]), nothing)
    assert logits.shape == (0, 2, 8)
    model.backward(logits)
    memory, state = model.encoder(nothing)
    assert memory.shape == (0, 2, 2)
    np.testing.assert_array_equal(state, np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match="keys has no time step"):
        model.decoder(np.array([[1, 2]]), state, memory)
    logits = model(np.zeros((3, 0), int), np.zeros((2, 0), int))
    assert logits.shape == (2, 0, 8)
    model.zero_grad()
    model.backward(logits)
    assert not any(parameter.grad.any() for parameter in model.parameters())


def test_float32_stays_float32():
    rng = np.random.default_rng(7)
    one, two = (Embedding(5, 3, seed=rng, dtype=np.float32) for _ in range(2))
    attention = AdditiveAttention(4, 4, 3, seed=rng, dtype=np.float32)
    encoder = Encoder(one, GRU(3, 4, seed=rng, dtype=np.float32))
    model = Seq2Seq(encoder, Decoder(two, GRU(3, 4, seed=rng, dtype=np.float32), attention))
    logits = model(np.array([[1], [2]]), np.array([[1], [2]]), [1])
    assert logits.dtype == np.float32
    model.backward(logits)
    assert {parameter.grad.dtype for parameter in model.parameters()} == {np.dtype(np.float32)}


embedding, tokens = Embedding(7, 3, seed=0), np.array([[1, 2], [3, 4], [5, 6]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Encoder(embedding, GRU(4, 2)), "input_size 4, but the embedding gives 3"),
        (lambda: Encoder(embedding, GRU(3, 2, dtype=np.float32)), "recurrent has dtype float32"),
        (lambda: Decoder(embedding, GRU(3, 2, batch_first=True)), "recurrent is batch_first"),
        (lambda: Decoder(embedding, GRU(3, 2, bidirectional=True)), "recurrent is bidirectional"),
        (
            lambda: Seq2Seq(model_of().encoder, Decoder(embedding, GRU(3, 2))),
            "decoder has 1 layers of size 2",
        ),
        (
            lambda: Seq2Seq(model_of().encoder, Decoder(embedding, LSTM(3, 4))),
            r"size 4 \(LSTM\), but the encoder's state is of 1 layers of size 4 \(GRU\)",
        ),
        (
            lambda: Seq2Seq(model_of().encoder, Decoder(embedding, GRU(3, 4, 2))),
            "decoder has 2 layers",
        ),
        (lambda: model_of().encoder(tokens[0]), r"tokens has shape \(2,\), but shape \(T, B\)"),
        (lambda: model_of().encoder(tokens / 1), "tokens has dtype float64, but integers"),
        (lambda: model_of().encoder(tokens + 1), "tokens must lie in 0 … 6, but holds 7"),
        (lambda: model_of().encoder(tokens, lengths=[0, 1]), "lengths must lie in 1 … 3"),
        (
            lambda: model_of().encoder(tokens, np.ones((2, 2, 2))),
            r"state has shape \(2, 2, 2\), but shape \(1, B, 4\) is needed",
        ),
        (lambda: model_of("LSTM").encoder(tokens, np.ones((1, 2, 4))), "state must be the pair"),
        (lambda: model_of().decoder(tokens[0]), r"tokens has shape \(2,\), but shape \(T_q, B\)"),
        (lambda: model_of().decoder(tokens - 2), "tokens must lie in 0 … 7, but holds -1"),
        (lambda: model_of().decoder(tokens), "memory is needed"),
        (
            lambda: model_of().decoder(tokens, None, np.ones((3, 1, 4))),
            r"memory has shape \(3, 1, 4\), but shape \(T_k, 2, 4\) is needed",
        ),
        (
            lambda: model_of().decoder(tokens, None, np.ones((3, 2, 4)), [4, 1]),
            "lengths must lie in 1 … 3, but holds 4",
        ),
        (
            lambda: model_of().decoder(tokens, np.ones((1, 2, 2)), np.ones((3, 2, 4))),
            r"h_0 has shape \(1, 2, 2\), but shape \(1, 2, 4\) is needed",
        ),
        (lambda: model_of().decoder.step(tokens), r"tokens has shape \(3, 2\), but shape \(B,\)"),
        (lambda: teacher_forcing([1, 2], 0), r"targets has shape \(2,\), but shape \(T, B\)"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_wrong_gradient_is_named():
    model = model_of()
    model(tokens, tokens)
    with pytest.raises(ValueError, match=r"dlogits has shape \(3, 8\), but shape \(3, 2, 8\)"):
        model.backward(np.ones((3, 8)))
    model.encoder(tokens)
    with pytest.raises(ValueError, match=r"dmemory has shape \(3, 4\), but shape \(3, 2, 4\)"):
        model.encoder.backward(np.ones((3, 4)))
    model.encoder(tokens)
    with pytest.raises(ValueError, match=r"dstate has shape \(2, 4\), but shape \(1, B, 4\)"):
        model.encoder.backward(None, np.ones((2, 4)))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_the_pass_that_ran_whatever_changes_in_between(cell, kind):
    """A loader refills its arrays; an optimiser steps before the backward pass."""

    def gradients(disturb):
        rng = np.random.default_rng(2)
        model = model_of(cell, kind)
        arrays = [rng.integers(7, size=(5, 3)), rng.integers(8, size=(4, 3)), np.array([5, 2, 3])]
        logits = model(*arrays)
        dlogits = rng.standard_normal(logits.shape)
        if disturb:
            for array in arrays:
                array[...] = 1
            for parameter in model.parameters():
                parameter.data *= -2.0
        model.backward(dlogits)
        return [parameter.grad for parameter in model.parameters()]

    for got, want in zip(gradients(True), gradients(False), strict=True):
        assert want.any()
        np.testing.assert_allclose(got, want, rtol=1e-12)
