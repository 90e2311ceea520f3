"""What a student reads when an answer is wrong, and what an answer cannot use."""

import base64
import random
import traceback
import warnings

import numpy as np
import pytest

import rnnlib
from rnnlib import RNN, causes, rnn_step, testing
from rnnlib.testing import (
    Case,
    Mismatch,
    Stored,
    Unavailable,
    cases,
    compare,
    expect,
    expect_array,
    passes,
    submitted,
    summary,
    withhold,
)
from rnnlib.testing import unavailable_names as without

RNG = np.random.default_rng(0)
WANT = RNG.normal(size=(4, 3, 2))
SQUARE = RNG.normal(size=(3, 3))
CASE = Case({}, {}, {"T": 4, "B": 3})


@pytest.fixture(autouse=True)
def nothing_before():
    """Each test as in a fresh kernel."""
    testing._latest = testing._Call()
    testing._results.clear()
    yield
    withhold("")


def message(call, *args, **kwargs) -> str:
    with pytest.raises(Mismatch) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def told(got, want, *args, **kwargs) -> str:
    return message(compare, "y", got, want, *args, **kwargs)


def cause(text: str) -> str:
    return text.partition("Likely cause: ")[2].partition("\n")[0]


def written(source: str, name: str = "mine", **names):
    """A student's function, in a notebook that holds these names."""
    scope = {"np": np, **names}
    file = f"<cell {hash(source)}>"
    testing.inspect.linecache.cache[file] = (1, None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), scope)
    return scope[name]


# ── comparing ────────────────────────────────────────────────────────────────


def test_equal_things_pass_and_rounding_is_forgiven():
    compare("y", WANT * (1 + 1e-9), WANT)
    compare("y", np.zeros((0, 2)), np.zeros((0, 2)))
    compare("y", np.float64(2.0), 2.0)
    compare("y", np.array(2.0), 2)
    compare("y", np.inf, np.inf)
    compare("y", {"a": 1}, {"a": 1})
    compare("y", [[1, 2.0 + 1e-9]], [[1, 2.0]])


@pytest.mark.parametrize(
    ("got", "want", "words"),
    [
        (None, WANT, "y is None.\nLikely cause: a return is missing."),
        ([1.0, 2.0], np.array([1.0, 2.0]), "is of type list; a NumPy array is expected"),
        ("1", 1.0, "is of type str; a number is expected"),
        (np.ones(1), 1.0, "is an array of shape (1,); one number is expected"),
        (WANT[0], WANT, "has shape (3, 2); expected (4, 3, 2)"),
        (WANT.astype(np.float32), WANT, "has dtype float32; expected float64"),
        (np.array(["1.0"]), np.array([1.0]), "has dtype <U3; expected float64"),
        (np.full((2,), np.nan), np.ones(2), "y[0] is nan; a finite number is expected"),
        (np.array([1.0, 2.5]), np.array([1.0, 2.0]), "y[1]: expected 2, got 2.5 (1 of 2 entries"),
        ([1], {"a": 1}, "is of type list; a dict is expected"),
        ({}, {"a": 1}, "lacks the key 'a'"),
        ({"a": 1, "b": 1}, {"a": 1}, "holds the key 'b', which does not belong there"),
        ({"a": 2}, {"a": 1}, "y['a']: expected 1, got 2"),
        ([1, 2], [1], "has 2 entries; expected 1"),
        ([1, 3], [1, 2], "y[1]: expected 2, got 3"),
        ("ab", "ba", "expected 'ba', got 'ab'"),
    ],
)
def test_the_first_problem_speaks_alone(got, want, words):
    assert words in told(got, want)


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
        (WANT * (np.arange(4) < 1)[:, None, None], WANT, "tbi", "only the first step is there"),
        (3 * WANT, WANT, "tbi", "it is 3 times too large, and B is 3: a sum in place of a mean?"),
        (WANT / 4, WANT, "tbi", "it is 4 times too small, and T is 4: a mean in place of a sum?"),
        (WANT / 2, WANT, "tbi", "it is 2 times too small."),
        (np.swapaxes(SQUARE[:, :, None], 0, 1), SQUARE[:, :, None], "", "axes are exchanged"),
        (WANT.swapaxes(0, 1), WANT, "tbi", "its axes are in another order"),
        (WANT[0].T, WANT[0], "bi", "it is transposed"),
        (WANT.ravel(), WANT, "tbi", "it is flat"),
        (WANT[:-1], WANT, "tbi", "one step is missing"),
        (WANT[:1], WANT, "tbi", "a `return` inside the loop"),
        (np.concatenate([WANT, WANT[:1]]), WANT, "tbi", "there is one step too many, the last"),
        (np.concatenate([0 * WANT[:1], WANT]), WANT, "tbi", "too many, the first; is it"),
        (np.concatenate([WANT, WANT[:1]]), 2 * WANT, "tbi", "there is one step too many."),
        (WANT.sum(axis=1), WANT, "tbi", "it is summed over axis b"),
        (WANT.mean(axis=0), WANT, "tbi", "it is the mean over axis t"),
        (WANT[-1], WANT, "tbi", "it is only the last entry of axis t"),
        (SQUARE[:, :2], WANT[0][:, None] * np.ones((3, 4, 2)), "btk", "axis t is missing"),
        (WANT[:1, 0], WANT[:1, :1], "tbi", "an axis of size 1 was dropped"),
        (WANT[:, :, None], WANT, "tbi", "it has an axis of size 1 too many"),
        (WANT, WANT.sum(0), "bi", "it is not summed over one of its axes"),
        (WANT, WANT[1], "bi", "it has one axis too many"),
        (np.zeros(0), np.zeros((0, 3, 2)), "tbi", "an empty list becomes an array of shape (0,)"),
        (WANT, 1.0, "", ""),
    ],
)
def test_slips_that_any_array_can_suffer_are_named(got, want, axes, words):
    text = told(got, want, axes=axes, case=CASE)
    assert words in text
    assert bool(words) == ("Likely cause" in text), text


@pytest.mark.parametrize(
    ("got", "want", "axes"),
    [
        (SQUARE, np.ones((3, 3, 3)), "tbi"),  # which of the three axes is missing?
        (np.ones((4, 2)), np.ones((5, 3, 2)), "tbi"),  # the other axes do not fit
        (WANT[:1] * 2, WANT, "tbi"),
        (np.array([1.0, 1.0]), np.array([2.0, 1.0]), "t"),  # late, the first one and the last one
        (RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), "tb"),
    ],
)
def test_where_several_causes_fit_or_none_the_difference_is_shown_alone(got, want, axes):
    assert "Likely cause" not in told(got, want, axes=axes)


def test_a_factor_that_two_sizes_have_names_neither():
    both = Case({}, {}, {"T": 3, "B": 3})
    assert cause(told(3 * SQUARE, SQUARE, case=both)) == ""


def test_named_causes_come_before_the_generic_ones_and_two_that_fit_are_none():
    slips = {"the bias is missing": -WANT, "not this": 2 * WANT}
    assert cause(told(-WANT, WANT, slips)) == "the bias is missing."
    slips["the sign of b"] = -WANT
    text = told(-WANT, WANT, slips)
    assert "the bias" not in text and "not this" not in text


def test_a_cause_that_makes_no_difference_in_this_case_is_not_named():
    assert "Likely" not in told(WANT + 0.1, WANT, {"innocent": WANT, "other": WANT + 0.2})


def test_the_place_and_the_case_are_told():
    got = WANT.copy()
    got[2, 1, 0] += 1
    case = Case({"a": 0.25, "lengths": np.array([4, 2])}, {}, {"T": 4}, "only b is not 0")
    text = told(got, WANT, axes="tbi", case=case)
    assert "y at t = 2, b = 1, i = 0: expected" in text
    assert "All is right before t = 2." in text
    assert text.endswith("This case: only b is not 0; T = 4, a = 0.25, lengths = [4, 2].")


def test_a_notebook_shows_the_message_and_no_traceback():
    with pytest.raises(AssertionError) as caught:
        compare("y", 1.0, 2.0)
    assert caught.value._render_traceback_() == ["y: expected 2, got 1."]


def test_expect_fails_with_its_message():
    expect(True, "never")
    assert message(expect, False, "this one") == "this one"


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (1.0, "W is of type float; a NumPy array is expected."),
        (np.ones(1), "W has shape (1,); expected (1, 1)."),
        (np.array([["a"]]), "W has dtype <U1; numbers are expected."),
        (np.array([[np.nan]]), "W is [[nan]]; finite numbers are expected."),
    ],
)
def test_where_any_values_may_be_right_the_form_is_looked_at(got, words):
    assert message(expect_array, "W", got, (1, 1)) == words
    assert expect_array("W", np.array([[2]]), (1, 1)).dtype == float


# ── stored results ───────────────────────────────────────────────────────────

NUMBERS = np.array([-3, 0x122, 1, 2, 3, 4, 0x1, 32767, 0x13, -8, 8, 0], dtype="<i2").tobytes()
TEXT = f"""
    = (2, 1) 0.5 -1
    0.5 1 ← the sign of the second \
      is lost
    (1,) 0.5 ← the second is missing
    = {{('a',): 1}}
    {{}} ← nothing is counted
    ~{base64.b85encode(NUMBERS).decode()}
    = int (2,) 3 4
"""


def test_stored_results_are_asked_for_in_order():
    right = Stored(TEXT)
    right.compare("y", np.array([[0.5], [-1.0]]))
    right.compare("y", {("a",): 1})
    right.compare("y", np.array([[1, 2], [3, 4]]) / 8)
    right.compare("y", np.inf)
    right.compare("y", np.array([-1.0, 1.0, 0.05]))  # within half a unit
    right.compare("y", np.array([3, 4]))
    assert "make notebooks" in message(right.compare, "y", 1.0)


def test_stored_slips_are_named_and_a_packed_result_says_where_it_differs():
    def first(got):
        return cause(message(Stored(TEXT).compare, "y", got))

    assert first(np.array([[0.5], [1.0]])) == "the sign of the second is lost."
    assert first(np.array([0.5])) == "the second is missing."
    assert first(np.array([[0.5], [-1.1]])) == ""
    right = Stored(f"~{base64.b85encode(NUMBERS).decode()}")
    text = message(right.compare, "y", np.array([[1, 2], [3, 5]]) / 8, axes="bh")
    assert text == "y at b = 1, h = 1: expected 0.5, got 0.625 (1 of 4 entries differ)."


# ── making arguments ─────────────────────────────────────────────────────────


def test_cases_begin_with_unequal_sizes_then_ones_then_vary_and_end_empty():
    made = list(cases("TBIH", empty="TB", x="TBI", h_0="BH", W="HI"))
    assert len(made) == 22
    assert [case.x.shape for case in made[:2]] == [(2, 3, 4), (1, 1, 1)]
    assert [case.x.shape for case in made[20:]] == [(0, 3, 4), (2, 0, 4)]
    assert len({tuple(case.sizes.values()) for case in made}) > 15
    assert all(1 <= size <= 3 for case in made[2:20] for size in case.sizes.values())
    x, h_0, W = made[0]
    assert (h_0.shape, W.shape) == ((3, 5), (5, 4)) and not np.array_equal(x[0], x[1])


def test_cases_are_the_same_each_time_and_with_every_numpy():
    first = next(cases("TB", x="TB"))
    assert np.array_equal(first.x, next(cases("TB", x="TB")).x)
    assert not np.array_equal(first.x, next(cases("TB", seed=1, x="TB")).x)
    raw = np.random.PCG64(0).random_raw(6)  # NumPy promises these bits, and not its distributions
    assert np.allclose(first.x.ravel(), 3 * (raw >> np.uint64(11)) * 2.0**-53 - 1.5)


def test_kinds_of_arguments():
    for case in cases(
        "TBV",
        p="TV simplex",
        a="B unit",
        targets="T < V",
        lengths="B <= T",
        n="< 3",
        T="= T",
        pile=lambda draw, n: draw.words("ab", n["B"]),
        fixed=7,
    ):
        assert np.allclose(case.p.sum(axis=1), 1) and (case.p > 0).all()
        assert ((case.a >= 0) & (case.a <= 1)).all()
        assert case.targets.min() >= 0 and case.targets.max() < case.sizes["V"]
        assert case.lengths.min() >= 1 and case.lengths.max() <= case.sizes["T"]
        assert case.n in (0, 1, 2) and case.arrays["T"] == case.sizes["T"]
        assert set(case.pile) <= {"a", "b"} and case.fixed == 7
    with pytest.raises(ValueError, match="x = 'TB cubic' is no kind of argument"):
        next(cases("TB", x="TB cubic"))


def test_terms_alone_come_first():
    first, second, both, *_ = cases("BI", alone="x b", x="BI", b="I")
    assert first.told == "only x is not 0; B = 2, I = 3"
    assert not first.b.any() and not second.x.any() and both.x.any() and both.b.any()


def test_a_batch_in_another_order():
    case = next(cases("TB", x="TB", h="B", W="TT"))
    order, mixed = case.permuted("B")
    assert np.array_equal(mixed.x, case.x[:, order]) and np.array_equal(mixed.h, case.h[order])
    assert mixed.W is case.W
    assert case.replace(h=0).h == 0 and not np.array_equal(case.h, 0)


# ── calling the student's function ───────────────────────────────────────────


def test_a_stub_says_which_function_is_missing():
    def mine(x):
        raise NotImplementedError("mine is not written yet")

    def nameless(x):
        raise NotImplementedError

    assert message(submitted(mine), 1).startswith(
        "mine is not written yet: put your lines in place"
    )
    assert message(submitted(nameless), 1).startswith("nameless is not written yet")


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


X, W, NONE = np.ones((2, 3)), np.ones((3, 4)), np.ones((0, 3))


@pytest.mark.parametrize(
    ("line", "argument", "words"),
    [
        ("return x * W", X, "`*` multiplies entry by entry"),
        ("return x[0] * np.ones(4)", X, "does an array need .T, or another axis?"),
        ("return x[1 : 1 + 2] * np.ones((2, 2))", X, "does a slice go beyond the end?"),
        ("y = np.empty((4, 3)); y[:] = x[: 2 * 1]", X, "another shape than its place"),
        ("return x + np.ones(4)", X, "does an array need .T, or another axis?"),
        ("return math.tanh(x)", X, "the functions of `math` take one number"),
        ("return [1.0, 2.0] * 0.5", X, "a list is not an array"),
        ("return [[1.0]].T", X, "a list is not an array"),
        ("return x if x > 0 else -x", X, "want one number, and this is an array"),
        ("return x[5]", X, "an index is too large"),
        ("return x[-9]", X, "an index is too small"),
        ("return x[0.5]", X, "an index is not a whole number"),
        ("return x[0, 0, 0]", X, "it is indexed with more axes than it has"),
        ("return {x[0]: 1}", X, "a list or an array cannot be a key"),
        ("return {}[0]", X, "a key is not in the dict yet"),
        ("return x_t @ W", X, "it is called x in the first line"),
        ("return weights @ W", X, ""),
        ("return xx", X, "it is called x in the first line"),
        ("return x(0)", X, "is a `*` or `@` missing?"),
        ("return x.append(1)", X, "an array cannot grow"),
        ("return print()[0]", X, "lacks its return"),
        ("x[0] = np.ones(7)", X, "what is stored there has another shape than its place"),
        ("return np.stack([x_t for x_t in x])", NONE, "an empty list becomes an array of shape"),
        ("return x[-1]", NONE, "here there is nothing to read"),
        ("return 1 / 0", NONE, "here nothing is to be done"),
    ],
)
def test_likely_causes_of_errors(line, argument, words):
    mine = written(f"def mine(x):\n    {line}\n", W=W, math=__import__("math"))
    text = message(submitted(mine), argument)
    assert words in cause(text) and bool(cause(text)) == bool(words), text


def test_a_changed_first_line_of_the_function_is_named():
    assert "they must stay" in message(submitted(lambda x, h: x), 1)


def test_an_argument_changed_in_place_is_named_and_stays_whole_for_the_next_test():
    def mine(x, h, words, table, rng):
        h += 1
        return h

    def other(x, h, words, table, rng):
        words[0].append("more")
        table["new"] = rng.random()

    rng = np.random.default_rng(0)
    arguments = (np.zeros(2), np.zeros(2), [["a"]], {"b": 1}, rng)
    state = rng.bit_generator.state
    assert "mine changed its argument h in place" in message(submitted(mine), *arguments)
    assert "other changed its argument words in place" in message(submitted(other), *arguments)
    assert not arguments[1].any() and arguments[2:4] == ([["a"]], {"b": 1})
    assert rng.bit_generator.state == state


def test_an_array_of_the_notebook_changed_in_place_is_named_and_put_back():
    prior = np.ones(2)
    mine = written("def mine(x):\n    PRIOR[:] = 0\n    return x\n", PRIOR=prior)
    assert "mine changed PRIOR in place, which belongs to the notebook" in message(
        submitted(mine), 1
    )
    assert (prior == 1).all()


def test_settings_of_the_process_are_afterwards_as_they_were():
    def mine():
        np.seterr(all="raise")
        np.set_printoptions(precision=1)
        warnings.simplefilter("error")
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)

    def settings():
        legacy = np.random.get_state()[1].sum()  # noqa: NPY002
        printed = {**np.get_printoptions(), "override_repr": None}
        return np.geterr(), printed, warnings.filters[:], legacy, random.getstate()

    before = settings()
    submitted(mine)()
    assert settings() == before


def test_nan_arguments_count_as_unchanged():
    assert submitted(lambda x: 1)(np.array([np.nan])) == 1


@pytest.mark.parametrize(
    ("result", "words"),
    [(None, "yours gave None: a return is missing"), ((1,), "yours gave 1 results"), (3, "int")],
)
def test_a_wrong_number_of_results_is_told(result, words):
    assert words in message(submitted(lambda: result, returns="dx, dW"))


def test_warnings_of_an_answer_stay_off_the_page():
    assert submitted(lambda x: np.log(x))(np.zeros(1))[0] == -np.inf


# ── causes in the code ───────────────────────────────────────────────────────

LOOPS = """
def mine(x):
    h = np.empty(len(x))
    for t in range(len(x)):
        h[t] = 2 * x[t]
    return h
"""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (LOOPS.replace("    return", "        return"), "a `return` stands inside the loop"),
        (LOOPS.replace("range(len(x))", "range(1, len(x))"), "entries are used before they"),
        ("seen = []\ndef mine(x):\n    seen.append(1)\n    return len(seen) * x\n", "is kept from"),
        (
            "def mine(x):\n    return np.array([np.random.default_rng().random() for _ in x])\n",
            "of its own",
        ),
        ("def mine(x, seen=[]):\n    seen.append(1)\n    return len(seen) * x\n", "is kept from"),
        ("def mine(x):\n    return x + h\n", "the function reads h, a variable of the notebook"),
        ("def mine(x):\n    return x + EPS\n", ""),
        ("def mine(x):\n    return double(x)\n", ""),
    ],
)
def test_causes_that_stand_in_the_source(source, words):
    mine = written(source, h=np.ones(4), double=lambda x: 3 * x + 1, EPS=1e-3)
    wrapped, x = submitted(mine), np.arange(1.0, 5)
    wrapped(x)  # what is kept shows at a later call
    text = message(compare, "h", wrapped(x), 2.5 * x)
    assert words in cause(text) and (bool(words) == bool(cause(text))), text


def test_an_entry_that_is_not_filled_in_explains_its_own_result_alone():
    source = LOOPS.replace("range(len(x))", "range(1, len(x))").replace(
        "return h", "return h, 3 * x"
    )
    x = np.arange(1.0, 5)
    filled, other = submitted(written(source), returns="h, other")(x)
    assert "entries are used before they" in message(compare, "h", filled, 2 * x + 9)
    assert cause(message(compare, "other", other, 2.5 * x)) == ""


def test_a_name_that_hides_python_s_own_is_named():
    mine = written("def mine(x):\n    return sum(x)\n", sum=0)
    assert "gives the name sum another meaning" in cause(message(submitted(mine), np.ones(2)))


def test_an_answer_that_uses_a_failing_one_points_there():
    step = written("def step(x):\n    return -x\n", "step")
    loop = written("def loop(x):\n    return step(x)\n", "loop", step=step)

    def first():
        compare("h", submitted(step)(1.0), 1.0)

    def second():
        compare("h", submitted(loop)(1.0), 1.0)

    assert "a sign is wrong" in message(passes, "Exercise 1", first, points=1)
    text = message(passes, "Exercise 2", second, points=1)
    assert cause(text) == "it uses your step, which does not pass yet: see Exercise 1 first."


# ── what is withheld ─────────────────────────────────────────────────────────


def test_what_a_notebook_withholds_refuses_inside_the_student_s_functions():
    x = np.ones((1, 1))
    mine = written("def mine(x):\n    return step(x, x, x, x, x[0])[0]\n", step=rnn_step)
    submitted(mine)(x)
    withhold("cells bptt")
    assert (
        message(submitted(mine), x)
        == "mine: rnnlib's rnn_step is what this exercise asks you to write"
    )


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
    testing._functions.cache_clear()
    with without("metrics"), pytest.raises(Unavailable):
        inner(3)
    testing._functions.cache_clear()
    assert inner(3) == 6


def test_an_unknown_name_is_an_error_of_the_test_not_of_the_student():
    with pytest.raises((KeyError, ModuleNotFoundError)), without("no_such_module"):
        pass


# ── the score ────────────────────────────────────────────────────────────────


def test_the_summary_depends_on_the_tests(capsys, monkeypatch):
    right = written("def right(x):\n    return x\n", "right")
    main = type("main", (), {})()
    main.right = right
    monkeypatch.setitem(testing.sys.modules, "__main__", main)
    summary(points=3)
    assert "No test has run in this kernel yet" in capsys.readouterr().out
    passes("Exercise 1", lambda: compare("y", submitted(right)(1.0), 1.0), points=2)
    assert capsys.readouterr().out == "Exercise 1: the tests that you see pass.\n"
    summary(points=3)
    assert "2 of 3 points.\nSome tests have not run" in capsys.readouterr().out
    message(passes, "Exercise 2", lambda: expect(False, "no."), points=1)
    summary(points=3)
    assert capsys.readouterr().out.splitlines() == [
        "Tests that you see: 2 of 3 points.",
        "Not right yet: Exercise 2.",
    ]
    passes("Exercise 2", lambda: None, points=1)
    capsys.readouterr()
    summary(points=3)
    assert "3 of 3 points.\nDone: every one of them passes." in capsys.readouterr().out
    main.right = written("def right(x):\n    return 0\n", "right")
    summary(points=3)
    said = capsys.readouterr().out
    assert "1 of 3 points." in said and "Changed since its test ran: Exercise 1." in said


def test_a_function_that_is_not_there_yet_is_named_without_a_traceback():
    check = written("def check():\n    submitted(not_there)\n", "check", submitted=submitted)
    assert message(passes, "Exercise 1", check, points=1) == (
        "not_there does not exist yet: run the cell that defines it first."
    )


def test_one_sentence_is_said_or_none():
    assert causes.only(["a", "a"]) == "a"
    assert causes.only(["a", "b"]) == causes.only([]) == ""


def test_lists_of_arrays_of_several_shapes_are_compared_one_by_one():
    """A second call of the student's function is compared with its first, whatever it returns."""
    one = [np.ones(2), np.ones((2, 3))]
    assert causes.close(one, [np.ones(2), np.ones((2, 3))])
    assert not causes.close(one, [np.ones(2), np.zeros((2, 3))])
    assert not causes.close(one, one[:1])
    assert causes.close([tuple(one)], [(np.ones(2), np.ones((2, 3)))])
    assert not causes.close([tuple(one)], [(np.ones(2), np.zeros((2, 3)))])


def test_dicts_that_hold_arrays_are_compared_key_by_key():
    """A log of trials is a list of them."""
    one = [{"seed": 0, "predictions": np.ones(3)}]
    assert causes.close(one, [{"predictions": np.ones(3) + 1e-12, "seed": 0}])
    assert not causes.close(one, [{"seed": 0, "predictions": np.zeros(3)}])
    assert not causes.close(one, [{"seed": 0}])
    assert not causes.close(one[0], np.ones(3))
