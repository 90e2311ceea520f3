"""Modules, layers, losses, initialisers: their promises and refusals."""

import numpy as np
import pytest

from rnnlib import (
    RNN,
    Embedding,
    Linear,
    Module,
    Parameter,
    RNNCell,
    bits,
    cross_entropy,
    glorot_uniform,
    identity,
    log_softmax,
    orthogonal,
    perplexity,
    rnn_step,
    rnn_step_backward,
    sigmoid,
    softmax,
    unroll,
    unroll_backward,
)


class Chain(Module):
    def __init__(self):
        self.rnn = RNN(3, 4, seed=0)
        self.out = Linear(4, 2, seed=1)


def test_parameters_have_dotted_names_in_the_order_they_were_set():
    assert [name for name, _ in Chain().named_parameters()] == [
        "rnn.weight_ih_l0",
        "rnn.weight_hh_l0",
        "rnn.bias_ih_l0",
        "rnn.bias_hh_l0",
        "out.weight",
        "out.bias",
    ]


def test_state_dict_is_a_copy():
    chain = Chain()
    chain.state_dict()["out.bias"][...] = 7.0
    assert (chain.out.bias.data != 7.0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("out.bias"), r"missing \['out.bias'\], unexpected nothing"),
        (lambda state: state.update(extra=np.ones(2)), r"unexpected \['extra'\]"),
        (
            lambda state: state.update({"out.bias": np.ones(3)}),
            r"out.bias of \w+ has shape \(3,\), but shape \(2,\) is needed",
        ),
        (
            lambda state: state.update({"out.bias": np.array(["a", "b"])}),
            r"out.bias of \w+ has dtype <U1",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, message):
    chain, state = Chain(), Chain().state_dict()
    state["rnn.weight_ih_l0"] += 1.0
    change(state)
    before = chain.state_dict()
    with pytest.raises(ValueError, match=message):
        chain.load_state_dict(state)
    assert all((array == before[name]).all() for name, array in chain.state_dict().items())


def test_loading_converts_to_the_module_s_dtype():
    layer = Linear(3, 2, seed=0, dtype=np.float32)
    layer.load_state_dict(Linear(3, 2, seed=1).state_dict())
    assert layer.weight.data.dtype == np.float32


def test_a_module_without_forward_or_backward_says_so():
    with pytest.raises(NotImplementedError, match="Module defines no forward"):
        Module()(1)
    with pytest.raises(NotImplementedError, match="Module defines no backward"):
        Module().backward(1)


def test_train_and_eval_reach_every_module():
    chain = Chain()
    chain.eval()
    assert not chain.rnn.training and not chain.out.training
    chain.train()
    assert chain.rnn.training and chain.training


def test_parameter_shows_its_shape():
    assert repr(Parameter(np.ones((2, 3)))) == "Parameter(2, 3)"


def test_a_word_that_occurs_twice_gets_both_gradients():
    layer = Embedding(3, 2, seed=0)
    layer(np.array([1, 1, 2]))
    layer.backward(np.ones((3, 2)))
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [2.0, 2.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Linear(3, 2)(np.ones((5, 4))), r"x has shape \(5, 4\), but shape \(\.\.\., 3\)"),
        (lambda: Linear(3, 2)(np.ones((5, 3), np.float32)), "x has dtype float32"),
        (lambda: Linear(3, 2)(np.float64(1.0)), r"x has shape \(\), but shape \(\.\.\., 3\)"),
        (lambda: Embedding(3, 2)(np.array([3])), "tokens must lie in 0 … 2, but holds 3"),
        (lambda: Embedding(3, 2)(np.array([-1])), "tokens must lie in 0 … 2, but holds -1"),
        (lambda: Embedding(3, 2)(np.array([1.0])), "tokens has dtype float64, but integers"),
        (lambda: cross_entropy(np.ones((2, 3)), np.array([0])), r"targets has shape \(1,\)"),
        (lambda: cross_entropy(np.ones((1, 3)), np.array([3])), "targets must lie in 0 … 2"),
        (lambda: cross_entropy(np.ones((1, 3)), np.array([-100])), "no label that counts"),
        (lambda: cross_entropy(np.ones((0, 3)), np.zeros(0, int)), "no label that counts"),
        (lambda: cross_entropy(np.ones((1, 3), int), np.array([0])), "logits has dtype int64"),
        (lambda: Parameter(np.ones(2, int)), "float32 or float64, got int64"),
        (lambda: identity(0), "size must be a whole number"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


STEP = {
    "x_t": np.ones((2, 3)),
    "h_prev": np.ones((2, 4)),
    "W_x": np.ones((4, 3)),
    "W_h": np.ones((4, 4)),
    "b": np.ones(4),
}


@pytest.mark.parametrize("name", STEP)
def test_the_step_names_each_argument_of_wrong_shape_or_dtype(name):
    with pytest.raises(ValueError, match=r"(W_x|" + name + r") has shape"):
        rnn_step(**STEP | {name: STEP[name][..., None]})
    with pytest.raises(ValueError, match=name + " has dtype int64"):
        rnn_step(**STEP | {name: STEP[name].astype(int)})
    with pytest.raises(ValueError, match="has dtype float"):
        rnn_step(**STEP | {name: STEP[name].astype(np.float32)})


def test_the_step_never_broadcasts_a_state_of_one_row_or_a_bias_of_one_entry():
    with pytest.raises(ValueError, match=r"h_prev has shape \(1, 4\), but shape \(2, 4\)"):
        rnn_step(**STEP | {"h_prev": np.ones((1, 4))})
    with pytest.raises(ValueError, match=r"b has shape \(1,\), but shape \(4,\)"):
        rnn_step(**STEP | {"b": np.ones(1)})
    with pytest.raises(ValueError, match=r"dh_t has shape \(1, 4\), but shape \(2, 4\)"):
        rnn_step_backward(np.ones((1, 4)), rnn_step(**STEP)[1])


def test_the_step_keeps_float32():
    small = {name: array.astype(np.float32) for name, array in STEP.items()}
    h_t, cache = rnn_step(**small)
    assert h_t.dtype == np.float32
    assert {g.dtype for g in rnn_step_backward(h_t, cache)} == {np.dtype(np.float32)}


def test_unrolling_refuses_a_wrong_shape_and_allows_no_steps():
    cell = RNNCell(3, 4, seed=0)
    with pytest.raises(ValueError, match=r"x has shape \(5, 3\), but shape \(T, B, I\)"):
        unroll(cell, np.ones((5, 3)), cell.initial_state(2))
    h, state, caches = unroll(cell, np.ones((0, 2, 3)), cell.initial_state(2))
    dx, dstate = unroll_backward(cell, h, caches)
    assert (h.shape, dx.shape, dstate.shape) == ((0, 2, 4), (0, 2, 3), (2, 4))
    assert state.shape == (2, 4)


def test_softmax_survives_huge_scores_and_sums_to_one():
    p = softmax(np.array([[1e4, 0.0, -1e4], [5.0, 5.0, 5.0]]))
    assert p.sum(axis=-1).tolist() == pytest.approx([1.0, 1.0])
    assert np.isfinite(log_softmax(np.array([1e4, -1e4]))).all()
    assert sigmoid(np.array([3.0])) == pytest.approx(1 / (1 + np.exp(-3.0)))


def test_cross_entropy_keeps_float32_and_nan_is_not_hidden():
    loss, dlogits = cross_entropy(np.ones((2, 3), np.float32), np.array([0, 1]))
    assert dlogits.dtype == np.float32
    loss, _ = cross_entropy(np.array([[np.nan, 1.0]]), np.array([1]))
    assert np.isnan(loss)


def test_initialisers_keep_what_their_names_say():
    rng = np.random.default_rng(0)
    tall, wide = orthogonal((6, 3), rng, gain=2.0), orthogonal((3, 6), rng)
    np.testing.assert_allclose(tall.T @ tall, 4.0 * np.eye(3), atol=1e-12)
    np.testing.assert_allclose(wide @ wide.T, np.eye(3), atol=1e-12)
    glorot = glorot_uniform((200, 100), rng)
    assert glorot.var() == pytest.approx(2.0 / 300.0, rel=0.05)
    assert identity(3, gain=0.5, dtype=np.float32).dtype == np.float32


def test_bits_and_perplexity_say_the_same_thing():
    assert 2.0 ** bits(1.7) == pytest.approx(perplexity(1.7))


def test_the_perplexity_of_a_huge_loss_is_infinite_without_a_warning():
    assert perplexity(1e4) == perplexity(np.float64(1e4)) == perplexity(np.inf) == np.inf
    assert np.isnan(perplexity(np.nan))
