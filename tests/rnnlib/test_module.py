"""What a module finds, keeps, copies and shows."""

import copy
import subprocess
import sys
import threading

import numpy as np
import pytest

from rnnlib import (
    GRU,
    LSTM,
    SGD,
    Embedding,
    Linear,
    Module,
    ModuleList,
    Parameter,
    Sequential,
    check_gradients,
    clip_grad_norm,
)


class Scale(Module):
    """y = a x: the smallest layer there is."""

    def __init__(self, a=2.0, size=1):
        self.a = Parameter(np.full(size, a))

    def forward(self, x):
        self.remember((x, self.a.data))
        return self.a.data * x

    def backward(self, dy):
        x, a = self.recall()
        self.a.add_grad(dy * x)
        return dy * a


class Tied(Module):
    """Two layers that share one parameter."""

    def __init__(self):
        self.first, self.second = Scale(), Scale()
        self.second.a = self.first.a

    def forward(self, x):
        return self.second(self.first(x))

    def backward(self, dy):
        return self.first.backward(self.second.backward(dy))


def test_a_shared_parameter_is_listed_once_and_updated_once():
    model, three = Tied(), np.array([3.0])
    assert [name for name, _ in model.named_parameters()] == ["first.a"]
    model(three)
    model.backward(np.ones(1))  # y = a² x, so that dy/da = 2 a x = 12
    np.testing.assert_allclose(model.first.a.grad, 12.0)
    np.testing.assert_allclose(clip_grad_norm(model.parameters(), 100.0), 12.0)
    SGD(model.parameters(), lr=0.1).step()
    np.testing.assert_allclose(model.second.a.data, 2.0 - 0.1 * 12.0)


def test_a_shared_module_is_listed_once():
    model = Module()
    model.left = model.right = Scale()
    assert [name for name, _ in model.named_modules()] == ["", "left"]
    assert len(model.parameters()) == 1


def test_a_shared_parameter_is_saved_under_both_names_and_loaded_if_they_agree():
    model, state = Tied(), {"first.a": np.array([5.0]), "second.a": np.array([5.0])}
    assert set(model.state_dict()) == set(state)  # as torch's state_dict
    model.load_state_dict(state)
    np.testing.assert_array_equal(model.first.a.data, [5.0])
    with pytest.raises(ValueError, match=r"first\.a and second\.a are one parameter"):
        model.load_state_dict(state | {"second.a": np.array([6.0])})
    np.testing.assert_array_equal(model.first.a.data, [5.0])


@pytest.mark.parametrize("part", [Scale(), Parameter(np.ones(2))], ids=["module", "parameter"])
@pytest.mark.parametrize("hold", [lambda p: [0, p], lambda p: (p,), lambda p: {"a": p}])
def test_modules_and_parameters_in_a_plain_list_are_refused(part, hold):
    model = Module()
    model.parts = []
    assert model.parameters() == []  # nothing in it yet
    model.parts = hold(part)
    kind = type(model.parts).__name__
    for walk in (model.parameters, model.state_dict, model.eval, lambda: repr(model)):
        with pytest.raises(TypeError, match=rf"Module\.parts is a {kind} of modules.*ModuleList"):
            walk()


def test_a_module_list_is_found_trained_saved_and_switched():
    model = Module()
    model.layers = ModuleList([Linear(2, 3, seed=0), Scale(size=3)])
    model.layers.append(Linear(3, 1, seed=1))
    assert [name for name, _ in model.named_parameters()] == [
        "layers.0.weight", "layers.0.bias", "layers.1.a", "layers.2.weight", "layers.2.bias",
    ]  # fmt: skip
    assert len(model.layers) == 3
    assert list(model.layers) == [*model.layers[:2], model.layers[-1]]
    assert not any(layer.training for layer in model.eval().layers)
    with pytest.raises(TypeError, match="must be of class Module, got a ndarray"):
        ModuleList([np.ones(2)])


@pytest.mark.parametrize("recurrent", [GRU, LSTM])
def test_a_chain_computes_and_differentiates_its_layers_one_after_the_other(recurrent):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((4, 2, 3)), rng.standard_normal((4, 2, 5))
    model = Sequential(Linear(3, 3, seed=0), recurrent(3, 4, seed=1), Linear(4, 5, seed=2))
    first, layer, last = model
    y = model(x)
    np.testing.assert_array_equal(y, last(layer(first(x))[0]))
    dx = model.backward(dy)
    arrays = {name: parameter.data for name, parameter in model.named_parameters()}
    given = {name: parameter.grad for name, parameter in model.named_parameters()}
    check_gradients(lambda: float((model(x) * dy).sum()), arrays | {"x": x}, given | {"x": dx})


def test_a_chain_that_begins_with_words_has_no_gradient_to_hand_back():
    model = Sequential(Embedding(5, 3, seed=0), GRU(3, 4, seed=1))
    y = model(np.array([[1, 2], [3, 4]]))
    assert model.backward(np.ones_like(y)) is None
    assert model[0].weight.grad.any()


def test_a_buffer_or_parameter_that_changes_in_between_does_not_change_the_gradient():
    layer, buffer = Scale(), np.array([3.0])
    layer(buffer)
    buffer[...] = np.nan
    layer.a.data -= 1.0
    np.testing.assert_array_equal(layer.backward(np.ones(1)), [2.0])
    np.testing.assert_array_equal(layer.a.grad, [3.0])


def test_a_read_only_view_of_a_buffer_is_no_safe_place_either():
    layer, buffer = Scale(), np.array([3.0])
    layer(np.broadcast_to(buffer, (1,)))
    buffer[...] = np.nan
    layer.backward(np.ones(1))
    np.testing.assert_array_equal(layer.a.grad, [3.0])


def test_what_nobody_can_write_to_is_kept_without_a_copy():
    layer, x = Scale(), np.array([3.0])
    x.flags.writeable = False
    layer(x)
    assert layer.recall()[0] is x


def in_threads(function, count):
    """Call the function with 0, 1, … at the same time, each in a thread of its own."""
    failed = []

    def run(n):
        try:
            function(n)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


def test_each_thread_walks_back_its_own_pass():
    layer, barrier, found = Scale(), threading.Barrier(2, timeout=600), {}

    def train(n):
        layer(np.array([3.0 + n]))
        barrier.wait()  # both have run forward before either goes back
        layer.backward(np.ones(1))
        found[n] = True

    in_threads(train, 2)
    assert len(found) == 2
    np.testing.assert_array_equal(layer.a.grad, [3.0 + 4.0])


def test_a_pass_of_another_thread_is_not_taken():
    layer = Scale()
    layer(np.ones(1))

    def walk_back(_):
        with pytest.raises(RuntimeError, match="in the same thread"):
            layer.backward(np.ones(1))

    in_threads(walk_back, 1)
    layer.backward(np.ones(1))


def test_threads_that_add_to_one_gradient_lose_nothing():
    parameter, each = Parameter(np.zeros(100_000)), 200
    one = np.ones(100_000)
    in_threads(lambda _: [parameter.add_grad(one) for _ in range(each)], 4)
    np.testing.assert_array_equal(parameter.grad, 4.0 * each)


def test_a_copy_takes_the_weights_along_and_neither_pass_nor_gradient():
    model, x = Sequential(Scale(2.0), Scale(3.0)), np.ones(1)
    model(x)
    other = copy.deepcopy(model)
    with pytest.raises(RuntimeError, match="needs a forward pass"):
        other.backward(x)
    other[0].a.data[...] = 0.0
    np.testing.assert_array_equal(model.backward(x), 6.0)  # the original's own pass still waits
    assert copy.deepcopy(model)[0].a.grad.tolist() == [0.0]


def test_a_pickle_is_as_large_as_the_weights_and_ties_stay_tied():
    # in a process of its own: doctests import modules anew, and pickle wants the first ones
    program = """
import pickle
import numpy as np
from rnnlib import LSTM, Linear, Sequential
model = Sequential(Linear(4, 4, seed=0), Linear(4, 4, seed=1), LSTM(4, 64, seed=2))
model[1].weight = model[0].weight
for _ in range(2):
    model.backward(np.ones_like(model(np.ones((500, 32, 4)))))
weights, whole = pickle.dumps(model.state_dict()), pickle.dumps(model)
print(len(whole) < 1.1 * len(weights))
other = pickle.loads(whole)
print(other[1].weight is other[0].weight, np.array_equal(other[2].W_h, model[2].W_h))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.split() == ["True", "True", "True"], run.stderr


def test_no_gradient_counts_as_zero():
    layer = Scale()
    layer.a.grad = None
    layer.zero_grad()
    layer.a.add_grad(np.array([3.0]))
    np.testing.assert_array_equal(layer.a.grad, [3.0])


def test_a_module_shows_its_sizes_and_parameters():
    model = Sequential(LSTM(3, 4, bidirectional=True, bias=False), Linear(8, 1000))
    assert repr(model).splitlines() == [
        "Sequential(): 9,224 parameters",
        "  0: LSTM(3, 4, bias=False, bidirectional=True): 224 parameters",
        "    weight_ih_l0 (16, 3)",
        "    weight_hh_l0 (16, 4)",
        "    weight_ih_l0_reverse (16, 3)",
        "    weight_hh_l0_reverse (16, 4)",
        "  1: Linear(8, 1000): 9,000 parameters",
        "    weight (1000, 8)",
        "    bias (1000,)",
    ]
    assert repr(Scale()) == "Scale(): 1 parameter\n  a (1,)"
