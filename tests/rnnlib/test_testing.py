"""What a student reads when an answer is wrong, and what an answer cannot use."""

import traceback

import numpy as np
import pytest

import rnnlib
from rnnlib import RNN, rnn_step
from rnnlib.testing import Mismatch, Unavailable, compare, expect, sizes, submitted
from rnnlib.testing import unavailable_names as without

RNG = np.random.default_rng(0)
WANT = RNG.normal(size=(4, 3, 2))
SQUARE = RNG.normal(size=(3, 3))


def message(*args, **kwargs) -> str:
    with pytest.raises(Mismatch) as caught:
        compare("y", *args, **kwargs)
    return str(caught.value)


def test_equal_arrays_pass_and_rounding_is_forgiven():
    compare("y", WANT * (1 + 1e-9), WANT)
    compare("y", np.zeros((0, 2)), np.zeros((0, 2)))
    compare("y", np.float64(2.0), 2.0)
    compare("y", np.array(2.0), 2)
    compare("y", np.inf, np.inf)
    compare("y", {"a": 1}, {"a": 1})


@pytest.mark.parametrize(
    ("got", "want", "words"),
    [
        (None, WANT, "y is None.\nLikely cause: a return is missing."),
        ([1.0, 2.0], np.array([1.0, 2.0]), "is of type list; a NumPy array is asked"),
        ("1", 1.0, "is of type str; a number is asked"),
        (np.ones(1), 1.0, "is an array of shape (1,); one number is asked"),
        (WANT[0], WANT, "has shape (3, 2); expected (4, 3, 2)"),
        (WANT.astype(np.float32), WANT, "has dtype float32; expected float64"),
        (np.full((2,), np.nan), np.ones(2), "y[0] is nan; a finite number is expected"),
        (np.array([1.0, 2.5]), np.array([1.0, 2.0]), "y[1]: expected 2, got 2.5 (1 of 2 entries"),
        ([1], {"a": 1}, "is of type list; a dict is asked"),
        ({}, {"a": 1}, "lacks the key 'a'"),
        ({"a": 1, "b": 1}, {"a": 1}, "holds the key 'b', which does not belong there"),
        ({"a": 2}, {"a": 1}, "y['a']: expected 1, got 2"),
    ],
)
def test_the_first_problem_speaks_alone(got, want, words):
    assert words in message(got, want)


@pytest.mark.parametrize(
    ("got", "want", "axes", "words"),
    [
        (-WANT, WANT, "", "a sign is wrong"),
        (SQUARE.T, SQUARE, "", "it is transposed"),
        (WANT[::-1], WANT, "tbi", "it is reversed in time"),
        (np.broadcast_to(WANT[-1], WANT.shape), WANT, "tbi", "the same array was stored again"),
        (np.broadcast_to(WANT[0], WANT.shape), WANT, "tbi", "every step holds the first one"),
        (np.roll(WANT, 1, axis=0), WANT, "tbi", "it is one step late"),
        (np.roll(WANT, -1, axis=0), WANT, "tbi", "it is one step early"),
        (np.zeros_like(WANT), WANT, "tbi", "every entry is 0"),
        (3 * WANT, WANT, "tbi", "it is B = 3 times too large: a sum instead of a mean?"),
        (WANT / 4, WANT, "tbi", "it is T = 4 times too small: a mean instead of a sum?"),
        (WANT / 2, WANT, "tbi", "it is two times too small"),
        (np.swapaxes(SQUARE[:, :, None], 0, 1), SQUARE[:, :, None], "", "axes are exchanged"),
        (WANT.swapaxes(0, 1), WANT, "tbi", "its axes are in another order"),
        (WANT[0].T, WANT[0], "bi", "it is transposed"),
        (WANT[:-1], WANT, "tbi", "one step is missing"),
        (np.concatenate([WANT, WANT[:1]]), WANT, "tbi", "there is one step too many"),
        (WANT.sum(axis=1), WANT, "tbi", "axis b is missing"),
        (WANT[:1, 0], WANT[:1, :1], "tbi", "an axis of size 1 was dropped"),
        (WANT, WANT[0], "bi", "it has one axis too many"),
    ],
)
def test_slips_that_any_array_can_suffer_are_named(got, want, axes, words):
    text = message(got, want, axes=axes, sizes={"T": 4, "B": 3})
    assert words in text.split("Likely cause: ")[1]


def test_named_causes_come_before_the_generic_ones_and_all_that_fit_are_named():
    causes = {
        "the bias is missing": lambda: -WANT,
        "the sign of b": -WANT,
        "not this": 2 * WANT,
    }
    text = message(-WANT, WANT, causes)
    assert "Likely cause: the bias is missing; or the sign of b." in text
    assert "not this" not in text


def test_a_cause_that_makes_no_difference_in_this_case_is_not_named():
    assert "Likely" not in message(WANT + 0.1, WANT, {"innocent": WANT, "other": WANT + 0.2})


def test_no_cause_is_invented():
    assert "Likely cause" not in message(RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)))


def test_the_place_and_the_case_are_told():
    got = WANT.copy()
    got[2, 1, 0] += 1
    text = message(got, WANT, axes="tbi", sizes={"T": 4}, given="with only b different from 0")
    assert "y at t = 2, b = 1, i = 0: expected" in text
    assert "all is right before t = 2" in text
    assert text.endswith("This case: with only b different from 0; T = 4.")


def test_a_notebook_shows_the_message_and_no_traceback():
    with pytest.raises(Mismatch) as caught:
        compare("y", 1.0, 2.0)
    assert isinstance(caught.value, AssertionError)
    assert caught.value._render_traceback_() == ["y: expected 2, got 1."]


def test_expect_fails_with_its_message():
    expect(True, "never")
    with pytest.raises(Mismatch, match="this one"):
        expect(False, "this one")


def test_a_stub_says_which_function_is_missing():
    def mine(x):
        raise NotImplementedError("mine is not written yet")

    def nameless(x):
        raise NotImplementedError

    with pytest.raises(Mismatch, match=r"^mine is not written yet: put your lines in place of"):
        submitted(mine)(1)
    with pytest.raises(Mismatch, match=r"^nameless is not written yet"):
        submitted(nameless)(1)


def test_an_error_says_what_was_called_and_hides_the_traceback():
    def mine(x_t, W, n):
        return x_t @ W

    with pytest.raises(Mismatch) as caught:
        submitted(mine)(np.ones((2, 3)), np.ones((2, 3)), 5)
    text = str(caught.value)
    assert text.startswith("mine raised ValueError: matmul")
    assert "In your line: return x_t @ W" in text
    assert "does a matrix need .T" in text
    assert "called with x_t of shape (2, 3), W of shape (2, 3), n = 5." in text
    assert caught.value.__suppress_context__
    assert "ValueError: matmul" not in "".join(traceback.format_tb(caught.value.__traceback__))


def test_a_changed_argument_is_named():
    def mine(x, h, words):
        h += 1
        return h

    def other(x, h, words):
        words[0].append("more")
        return h

    arguments = (np.zeros(2), np.zeros(2), [["a"]])
    with pytest.raises(Mismatch, match="mine changed its argument h in place"):
        submitted(mine)(*arguments)
    with pytest.raises(Mismatch, match="other changed its argument words in place"):
        submitted(other)(*arguments)


def test_nan_arguments_count_as_unchanged():
    assert submitted(lambda x: 1)(np.array([np.nan])) == 1


@pytest.mark.parametrize(
    ("result", "words"),
    [(None, "yours gave None: a return is missing"), ((1,), "yours gave 1 results"), (3, "int")],
)
def test_a_wrong_number_of_results_is_told(result, words):
    with pytest.raises(Mismatch, match=words):
        submitted(lambda: result, returns="dx, dW")()


def test_warnings_of_an_answer_stay_off_the_page():
    assert submitted(lambda x: np.log(x))(np.zeros(1))[0] == -np.inf


def test_nothing_taken_from_rnnlib_before_or_after_answers_while_it_is_unavailable():
    x, h, W = np.ones((2, 1)), np.ones((2, 1)), np.ones((1, 1))
    layer = RNN(1, 1, seed=0)
    earlier = layer(x[None])[0]
    with without("cells recurrent"):
        for call in (
            lambda: rnn_step(x, h, W, W, np.ones(1)),
            lambda: rnnlib.rnn_step(x, h, W, W, np.ones(1)),
            lambda: rnnlib.cells.rnn_step_backward(h, ()),
            lambda: rnnlib.RNNCell(1, 1),
            lambda: layer(x[None]),
            lambda: layer.W_x,
        ):
            with pytest.raises(Unavailable, match="is what this exercise asks you to write"):
                call()
    assert (layer(x[None])[0] == earlier).all()


def test_what_is_not_listed_goes_on_working():
    with without("metrics.bits"):
        assert rnnlib.perplexity(0.0) == 1.0
        with pytest.raises(Unavailable):
            rnnlib.bits(1.0)
    assert rnnlib.bits(0.0) == 0.0


def test_everything_is_put_back_after_an_error():
    with pytest.raises(KeyError), without("cells"):
        raise KeyError
    rnn_step(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.ones(1))


def test_a_function_with_closed_over_variables_can_be_taken_away(monkeypatch):
    def outer(a, b):
        def inner(x):
            return a + b + x

        inner.__module__ = "rnnlib.metrics"
        return inner

    inner = outer(1, 2)
    monkeypatch.setattr(rnnlib.metrics, "inner", inner, raising=False)
    with without("metrics"), pytest.raises(Unavailable):
        inner(3)
    assert inner(3) == 6


def test_an_unknown_name_is_an_error_of_the_test_not_of_the_student():
    with pytest.raises((KeyError, ModuleNotFoundError)), without("no_such_module"):
        pass


def test_sizes_begin_with_unequal_ones_then_ones_then_vary():
    cases = list(sizes("TBIH"))
    assert len(cases) == 20
    assert len(set(cases[0].values())) == 4
    assert set(cases[1].values()) == {1}
    assert all(1 <= size <= 5 for case in cases for size in case.values())
    assert len({tuple(case.values()) for case in cases}) > 15
    assert cases == list(sizes("TBIH"))
