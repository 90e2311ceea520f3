"""What exercises call to check an answer.

A failure is one short message: what was expected, what came, where they first
differ, and the likely cause, found by comparing the answer with the results of
well-known slips. It speaks to the student, so it hides the tests' own traceback.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import inspect
import linecache
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np


class Mismatch(AssertionError):
    """An answer is not what was asked; the message is all that a notebook shows."""

    def _render_traceback_(self) -> list[str]:  # the name that IPython looks for
        return str(self).splitlines()


class Unavailable(RuntimeError):
    """An answer called the very thing of `rnnlib` that the exercise asks for."""


def compare(
    name: str,
    got: Any,
    want: Any,
    causes: Mapping[str, Any] | None = None,
    *,
    axes: str = "",
    sizes: Mapping[str, int] | None = None,
    given: str = "",
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> None:
    """Fail unless `got` equals `want`: type, then shape, dtype, finite, values.

    Parameters
    ----------
    name : str
        What is compared, as the exercise calls it.
    got : array, number or dict
        The student's.
    want : array, number or dict
        The right one. An array wants an array, a number a number, a dict a dict.
    causes : mapping of str to array, number, dict or function of nothing, optional
        Wrong results that a known slip gives. Those that equal `got` are named;
        a function is called only when needed.
    axes : str, optional
        A letter for each axis, e.g. "tbi", to say where the first difference is.
        A first axis "t" also looks for slips in time.
    sizes : mapping of str to int, optional
        The sizes in this case, e.g. {"T": 5, "B": 3}: told to the student, and
        recognised as factors.
    given : str, optional
        What was put in, e.g. "with only b different from zero".
    rtol, atol : float, optional
        As in numpy.allclose.

    Raises
    ------
    Mismatch
        An AssertionError whose message names the difference and its likely cause.

    Examples
    --------
    >>> compare("h_t", np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    >>> compare("loss", -3.0, 3.0)
    Traceback (most recent call last):
    ...
    rnnlib.testing.Mismatch: loss: expected 3, got -3.
    Likely cause: a sign is wrong; it is the negative of what is asked.
    """
    case = ", ".join(f"{letter} = {size}" for letter, size in (sizes or {}).items())
    case = "; ".join(text for text in (given, case) if text)

    def fail(problem: str, clue: str = "") -> NoReturn:
        cause = _named_cause(got, want, causes or {}, rtol, atol) or clue
        lines = [f"{name}{problem}"]
        lines += [f"Likely cause: {cause}"] * bool(cause) + [f"This case: {case}"] * bool(case)
        raise Mismatch("\n".join(line if line.endswith("?") else f"{line}." for line in lines))

    if got is None:
        fail(" is None", "a return is missing")
    if isinstance(want, dict):
        _compare_dicts(got, want, fail)
        return
    if np.ndim(want) == 0:
        if isinstance(got, np.ndarray) and got.ndim:
            fail(f" is an array of shape {got.shape}; one number is asked")
        if not isinstance(got, (int, float, np.number, np.ndarray)):
            fail(f" is of type {type(got).__name__}; a number is asked")
    elif not isinstance(got, np.ndarray):
        fail(f" is of type {type(got).__name__}; a NumPy array is asked")

    want_array, got_array = np.asarray(want), np.asarray(got)
    if got_array.shape != want_array.shape:
        fail(
            f" has shape {got_array.shape}; expected {want_array.shape}",
            _shape_cause(got_array.shape, want_array.shape, axes),
        )
    if want_array.dtype == np.float64 and np.ndim(want) and got_array.dtype != np.float64:
        fail(f" has dtype {got_array.dtype}; expected float64")
    if np.isfinite(want_array).all() and not np.isfinite(got_array).all():
        index = _first(~np.isfinite(got_array))
        fail(f"{_where(index, axes)} is {got_array[index]}; a finite number is expected")
    wrong = ~np.isclose(got_array, want_array, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return
    index = _first(wrong)
    found = f"expected {_show(want_array[index])}, got {_show(got_array[index])}"
    count = f" ({wrong.sum()} of {wrong.size} entries differ)" if wrong.size > 1 else ""
    cause = _generic_cause(got_array, want_array, axes, sizes or {}, rtol, atol)
    if not cause and axes.startswith("t") and index[0] > 0:
        cause = f"all is right before t = {index[0]}: look at what is carried from step to step"
    fail(f"{_where(index, axes)}: {found}{count}", cause)


def expect(condition: Any, message: str) -> None:
    """Fail with this message unless the condition holds.

    Parameters
    ----------
    condition : bool
    message : str
        What is wrong and why, for the student.

    Raises
    ------
    Mismatch
        If the condition is false.

    Examples
    --------
    >>> expect(1 + 1 == 3, "the sum is wrong.")
    Traceback (most recent call last):
    ...
    rnnlib.testing.Mismatch: the sum is wrong.
    """
    if not condition:
        raise Mismatch(message)


def submitted(
    function: Callable[..., Any], unavailable: str = "", returns: str = ""
) -> Callable[..., Any]:
    """The student's function, called with care.

    The wrapper takes away what would answer the exercise (see `unavailable`),
    turns an error into a message that says what the function was called with,
    fails if an argument was changed in place, and keeps NumPy's warnings from
    the page.

    Parameters
    ----------
    function : function
        The student's.
    unavailable : str, optional
        Names for `unavailable`, separated by spaces.
    returns : str, optional
        The names of the results where there are several: "dx_t, dh_prev".

    Returns
    -------
    function
        Takes and returns what `function` does.

    Examples
    --------
    >>> def half(x):
    ...     x /= 2
    ...     return x
    >>> submitted(half)(np.array([4.0]))
    Traceback (most recent call last):
    ...
    rnnlib.testing.Mismatch: half changed its argument x in place; make a new one instead.
    """
    name = getattr(function, "__name__", "the function")
    wanted = [part.strip() for part in returns.split(",")] if returns else []

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        before = copy.deepcopy(args)
        with unavailable_names(unavailable), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = function(*args)
            except NotImplementedError as error:  # of this function, or of one that it builds on
                missing = str(error) or f"{name} is not written yet"
                raise Mismatch(f"{missing}: put your lines in place of the `raise`.") from None
            except Unavailable as error:
                raise Mismatch(f"{name}: {error}") from None
            except Exception as error:
                raise Mismatch(_crash(function, name, args, error)) from None
        for label, old, new in zip(_labels(function, args), before, args, strict=True):
            if not _same(old, new):
                raise Mismatch(
                    f"{name} changed its argument {label} in place; make a new one instead."
                )
        if wanted and not (isinstance(result, (tuple, list)) and len(result) == len(wanted)):
            came = "None: a return is missing" if result is None else type(result).__name__
            if isinstance(result, (tuple, list)):
                came = f"{len(result)} results"
            raise Mismatch(f"{name} returns {len(wanted)} results, {returns}; yours gave {came}.")
        return result

    return wrapper


@contextlib.contextmanager
def unavailable_names(names: str) -> Iterator[None]:
    """Within the block, calling any of these things of `rnnlib` raises `Unavailable`.

    The code inside each function is exchanged, not its name, so that references
    taken earlier (`from rnnlib import rnn_step as r`, an instance of a class)
    are of no help either. Everything is put back at the end.

    Parameters
    ----------
    names : str
        Separated by spaces: a module of rnnlib ("cells"), or a function or class
        in it ("metrics.bits").

    Examples
    --------
    >>> from rnnlib.activations import relu as mine
    >>> with unavailable_names("activations.relu"):
    ...     mine(np.zeros(1))
    Traceback (most recent call last):
    ...
    rnnlib.testing.Unavailable: rnnlib's relu is what this exercise asks you to write
    >>> mine(np.zeros(1)).tolist()
    [0.0]
    """
    swapped: list[tuple[types.FunctionType, types.CodeType]] = []
    try:
        for function, label in _functions(names):
            swapped.append((function, function.__code__))
            function.__code__ = _refusal(label, len(function.__code__.co_freevars))
        yield
    finally:
        for function, code in reversed(swapped):
            function.__code__ = code


def sizes(letters: str, count: int = 20, seed: int = 0, largest: int = 5) -> Iterator[dict]:
    """Sizes to try an answer on: all different first, then all ones, then at random.

    Parameters
    ----------
    letters : str
        One letter for each size, e.g. "TBIH".
    count : int, optional
        How many cases.
    seed : int, optional
    largest : int, optional
        Sizes are drawn from 1 … largest.

    Yields
    ------
    dict of str to int

    Examples
    --------
    >>> list(sizes("BI", count=2))
    [{'B': 2, 'I': 3}, {'B': 1, 'I': 1}]
    """
    rng = np.random.default_rng(seed)
    for case in range(count):
        if case == 0:
            yield {letter: 2 + k for k, letter in enumerate(letters)}
        elif case == 1:
            yield dict.fromkeys(letters, 1)
        else:
            yield {letter: int(rng.integers(1, largest + 1)) for letter in letters}


# What follows is how the messages are found.


def _named_cause(got: Any, want: Any, causes: Mapping[str, Any], rtol: float, atol: float) -> str:
    """The sentences whose wrong result is the one that came."""
    found = []
    for sentence, wrong in causes.items():
        wrong = wrong() if callable(wrong) else wrong
        if isinstance(want, dict):
            same = got == wrong and wrong != want
        else:
            # where the slip makes no difference in this case, it explains nothing
            same = _close(got, wrong, rtol, atol) and not _close(want, wrong, rtol, atol)
        if same:
            found.append(sentence)
    return "; or ".join(found)


def _close(a: Any, b: Any, rtol: float, atol: float) -> bool:
    try:
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    except (TypeError, ValueError):
        return False
    return a.shape == b.shape and np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)


def _generic_cause(
    got: np.ndarray,
    want: np.ndarray,
    axes: str,
    sizes: Mapping[str, int],
    rtol: float,
    atol: float,
) -> str:
    """A slip that any array can suffer."""

    def is_(wrong: np.ndarray) -> bool:
        return _close(got, wrong, rtol, atol)

    if got.size == 0 or not np.issubdtype(got.dtype, np.number) or not np.isfinite(got).all():
        return ""
    if got.size > 1 and not got.any():
        return "every entry is 0, as if the result were never filled in"
    if is_(-want):
        return "a sign is wrong; it is the negative of what is asked"
    if want.ndim == 2 and want.shape[0] == want.shape[1] and is_(want.T):
        return "it is transposed"
    if axes.startswith("t") and len(want) > 1:
        if is_(want[::-1]):
            return "it is reversed in time"
        if is_(np.broadcast_to(want[-1], want.shape)):
            return "every step holds the last one: the same array was stored again and again"
        if is_(np.broadcast_to(want[0], want.shape)):
            return "every step holds the first one: nothing is carried on"
        if _close(got[1:], want[:-1], rtol, atol):
            return "it is one step late: entry t holds what belongs at t - 1"
        if _close(got[:-1], want[1:], rtol, atol):
            return "it is one step early: entry t holds what belongs at t + 1"
    if want.ndim >= 2 and want.shape[0] == want.shape[1] and is_(want.swapaxes(0, 1)):
        return "its first two axes are exchanged"
    if want.any() and got.size > 1:
        for letter, size in {**sizes, "": 2}.items():
            of = f"{letter} = {size} times" if letter else "two times"
            if size > 1 and is_(size * want):
                return f"it is {of} too large: a sum instead of a mean?"
            if size > 1 and is_(want / size):
                return f"it is {of} too small: a mean instead of a sum?"
    return ""


def _shape_cause(got: tuple[int, ...], want: tuple[int, ...], axes: str) -> str:
    if got == want[::-1] and len(got) > 1:
        return "it is transposed"
    if sorted(got) == sorted(want):
        return "its axes are in another order"
    if axes.startswith("t") and got[1:] == want[1:] and len(got) == len(want):
        difference = got[0] - want[0]
        if difference == 1:
            return "there is one step too many; is the initial state among them?"
        if difference == -1:
            return "one step is missing"
    if len(got) < len(want) and tuple(n for n in want if n != 1) == tuple(n for n in got if n != 1):
        return "an axis of size 1 was dropped"
    if len(got) == len(want) - 1:
        for axis in range(len(want)):
            if got == want[:axis] + want[axis + 1 :]:
                letter = axes[axis] if axes else str(axis)
                return f"axis {letter} is missing; was it summed over or cut away?"
    if len(got) == len(want) + 1 and any(
        want == got[:axis] + got[axis + 1 :] for axis in range(len(got))
    ):
        return "it has one axis too many; should it be summed over?"
    return ""


def _compare_dicts(got: Any, want: dict, fail: Callable[..., NoReturn]) -> None:
    if not isinstance(got, dict):
        fail(f" is of type {type(got).__name__}; a dict is asked")
    for key in want:
        if key not in got:
            fail(f" lacks the key {key!r}")
    for key in got:
        if key not in want:
            fail(f" holds the key {key!r}, which does not belong there")
    for key, value in want.items():
        if got[key] != value:
            fail(f"[{key!r}]: expected {value}, got {got[key]}")


def _first(mask: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])


def _where(index: tuple[int, ...], axes: str) -> str:
    if not index:
        return ""
    if len(axes) == len(index):
        return " at " + ", ".join(f"{a} = {i}" for a, i in zip(axes, index, strict=True))
    return f"[{', '.join(map(str, index))}]"


def _show(number: Any) -> str:
    return f"{number:.6g}" if isinstance(number, (float, np.floating)) else str(number)


def _labels(function: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return [*names, *(f"number {k + 1}" for k in range(len(names), len(args)))][: len(args)]


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, np.ndarray):
        return old.shape == new.shape and np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
    if isinstance(old, (list, tuple)):
        return len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new)


def _crash(function: Callable[..., Any], name: str, args: Sequence[Any], error: Exception) -> str:
    """What the student's error was, on which of their lines, and for which arguments."""

    def describe(label: str, arg: Any) -> str:
        if isinstance(arg, np.ndarray):
            return f"{label} of shape {arg.shape}"
        return f"{label} = {arg}" if isinstance(arg, (int, float)) else label

    called = ", ".join(map(describe, _labels(function, args), args))
    message = f"{name} raised {type(error).__name__}: {error}"
    code = getattr(function, "__code__", None)
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        if code is not None and frame.f_code.co_filename == code.co_filename:
            line = linecache.getline(frame.f_code.co_filename, _line(error, frame)).strip()
            message += f"\nIn your line: {line}" if line else ""
            break
    for words, cause in CRASHES.items():
        if words in f"{type(error).__name__}: {error}":
            message += f"\nLikely cause: {cause}"
            break
    return f"{message}\nIt was called with {called}."


# NumPy's words, and what usually stands behind them
CRASHES = {
    "matmul": "the shapes do not fit; does a matrix need .T, or another order?",
    "broadcast": "the shapes do not fit; does an array need .T, or another axis?",
    "out of bounds": "an index is too large; the first entry has index 0, the last size - 1.",
    "unhashable": "a list or an array cannot be a key of a dict; a tuple can.",
    "KeyError": "a key is not in the dict yet; counts.get(key, 0) gives 0 for it.",
}


def _line(error: Exception, frame: types.FrameType) -> int:
    return next(n for f, n in traceback.walk_tb(error.__traceback__) if f is frame)


def _functions(names: str) -> Iterator[tuple[types.FunctionType, str]]:
    """Every Python function behind these names, methods of classes included, with its label."""
    for name in names.split():
        try:
            module, attribute = importlib.import_module(f"rnnlib.{name}"), ""
        except ModuleNotFoundError:
            module_name, _, attribute = name.rpartition(".")
            module = importlib.import_module(f"rnnlib.{module_name}")
        things = vars(module)
        chosen = {attribute: things[attribute]} if attribute else things
        for label, thing in list(chosen.items()):
            if getattr(thing, "__module__", None) != module.__name__:
                continue  # only imported there
            members = vars(thing).values() if isinstance(thing, type) else [thing]
            for member in members:
                member = getattr(member, "__func__", None) or getattr(member, "fget", member)
                if isinstance(member, types.FunctionType):
                    yield member, label


@functools.cache
def _refusal(label: str, free: int) -> types.CodeType:
    """Code that only refuses, with as many closed-over variables as what it stands in for."""
    message = f"rnnlib's {label} is what this exercise asks you to write"
    variables = [f"v{k}" for k in range(free)]
    source = f"""
def outer({", ".join(variables)}):
    def refuse(*args, **kwargs):
        ({", ".join(variables)})
        from rnnlib.testing import Unavailable
        raise Unavailable({message!r})
    return refuse
"""
    scope: dict[str, Any] = {}
    exec(source, scope)
    return scope["outer"](*variables).__code__
