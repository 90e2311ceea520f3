"""What exercises call to check an answer.

A failure is one short message: what was expected, what came, where they first
differ, and the likely cause, found by comparing the answer with the results of
well-known slips. It speaks to the student, so it hides the tests' own traceback.

The test of an exercise is a list of promises, in the order from the special to the
general. Here it is in full, for a function that doubles::

    from rnnlib.testing import Stored, cases, passes, submitted


    def check():
        right = Stored(\"\"\"
            made by `make notebooks`
        \"\"\")
        double = submitted(twice)
        right.compare("y", double(np.array([1.0, 2.0])), given="the example by hand")
        for case in cases("TB", empty="T", x="TB"):
            right.compare("y", double(*case), axes="tb", case=case)


    passes("Exercise 1", check, points=5)

`submitted` calls the student's function with copies and care. `cases` makes arguments:
sizes of two and more that are all different, then ones, then at random, then none.
`Stored` knows the right results and those of well-known slips: the text in it is made
from the solution and from the assignment's wrong answers, so that no visible test holds a
second solution. Where a right result is made in another way, as in hidden tests,
`compare` stands in the place of `right.compare`; `expect` is for all else. `passes` runs
the test and keeps the score, which `summary` tells at the end of the notebook.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import copy
import functools
import importlib
import inspect
import random
import re
import sys
import types
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from . import causes as likely
from .cases import Case as Case
from .cases import Draws as Draws
from .cases import cases as cases


class Mismatch(AssertionError):
    """An answer is not what was asked; the message is all that a notebook shows."""

    def _render_traceback_(self) -> list[str]:  # the name that IPython looks for
        return str(self).splitlines()


class Unavailable(RuntimeError):
    """An answer called the very thing of `rnnlib` that the exercise asks for."""


# ── comparing ────────────────────────────────────────────────────────────────


def compare(
    name: str,
    got: Any,
    want: Any,
    causes: Mapping[str, Any] | None = None,
    *,
    axes: str = "",
    case: Case | None = None,
    given: str = "",
    rtol: float = 1e-6,
    atol: float = 1e-9,
    digits: int = 6,
) -> None:
    """Fail unless `got` equals `want`: type, then shape, dtype, finite, values.

    Parameters
    ----------
    name : str
        What is compared, as the exercise calls it.
    got : array, number, dict or list
        The student's.
    want : array, number, dict or list
        The right one. An array wants an array, a number a number, a dict a dict.
    causes : mapping of str to array, number, dict or list, optional
        Wrong results that a known slip gives. The one that equals `got` is named;
        where two do, none is.
    axes : str, optional
        A letter for each axis, e.g. "tbi", to say where the first difference is.
        A first axis "t" also looks for slips in time.
    case : Case, optional
        The arguments: their sizes are told to the student, and recognised as factors.
    given : str, optional
        What was put in, where there is no case or where it needs words.
    rtol, atol : float, optional
        As in numpy.allclose.
    digits : int, optional
        How many digits of `want` are true.

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
    Likely cause: a sign is wrong; it is the negative of what is expected.
    """
    close = functools.partial(likely.close, rtol=rtol, atol=atol)

    def fail(problem: str, clue: Callable[[], str] = str, fact: str = "") -> NoReturn:
        cause = _in_the_code(got) or _named(got, want, causes or {}, close) or clue()
        cause = cause or likely.of_globals(_latest.function)
        told = "; ".join(text for text in (given, case.told if case else "") if text)
        lines = [f"{name}{problem}", fact]
        lines += [f"Likely cause: {cause}"] * bool(cause) + [f"This case: {told}"] * bool(told)
        raise Mismatch("\n".join(_sentence(line) for line in lines if line))

    if got is None:
        fail(" is None", lambda: "a return is missing")
    if not isinstance(want, (int, float, np.ndarray, np.number)):
        _compare_things(got, want, fail)
        return
    if np.ndim(want) == 0:
        if isinstance(got, np.ndarray) and got.ndim:
            clue = likely.of_shape(got, np.asarray(want), "", close) if got.size > 1 else ""
            fail(f" is an array of shape {got.shape}; one number is expected", lambda: clue)
        if not isinstance(got, (int, float, np.number, np.ndarray)):
            fail(f" is of type {type(got).__name__}; a number is expected")
    elif not isinstance(got, np.ndarray):
        fail(f" is of type {type(got).__name__}; a NumPy array is expected")

    want, got = np.asarray(want), np.asarray(got)
    if got.shape != want.shape:
        clue = likely.of_shape(got, want, axes, close) if got.dtype.kind in "fiub" else ""
        fail(f" has shape {got.shape}; expected {want.shape}", lambda: clue)
    if want.dtype == np.float64 and want.ndim and got.dtype != np.float64:
        fail(f" has dtype {got.dtype}; expected float64")
    if got.dtype.kind not in "fiub":
        fail(f" has dtype {got.dtype}; numbers are expected")
    if np.isfinite(want).all() and not np.isfinite(got).all():
        index = _first(~np.isfinite(got))
        fail(f"{_where(index, axes)} is {got[index]}; a finite number is expected")
    wrong = ~np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return
    index = _first(wrong)
    found = f"expected {_show(want[index], digits)}, got {_show(got[index], digits)}"
    count = f" ({wrong.sum()} of {wrong.size} entries differ)" if wrong.size > 1 else ""
    start = f"All is right before t = {index[0]}" if axes.startswith("t") and index[0] else ""
    letters = case.sizes if case else {}
    fail(
        f"{_where(index, axes)}: {found}{count}",
        lambda: likely.of_values(got, want, axes, letters, close),
        start,
    )


def expect(condition: Any, message: str) -> None:
    """Fail with this message, for the student, unless the condition holds.

    Raises
    ------
    Mismatch

    Examples
    --------
    >>> expect(1 + 1 == 3, "the sum is wrong.")
    Traceback (most recent call last):
    ...
    rnnlib.testing.Mismatch: the sum is wrong.
    """
    if not condition:
        raise Mismatch(message)


def expect_array(name: str, got: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The same as float64, if it is an array of that shape with finite numbers; else fail.

    For where any values may be right, such as weights set by hand.

    Raises
    ------
    Mismatch
    """
    expect(
        isinstance(got, np.ndarray),
        f"{name} is of type {type(got).__name__}; a NumPy array is expected.",
    )
    expect(got.shape == shape, f"{name} has shape {got.shape}; expected {shape}.")
    expect(got.dtype.kind in "fiub", f"{name} has dtype {got.dtype}; numbers are expected.")
    expect(np.isfinite(got).all(), f"{name} is {got.tolist()}; finite numbers are expected.")
    return got.astype(float)


class Stored:
    """Right results, and those of known slips, in the order in which a test asks for them.

    The text is made by `make notebooks` (tools/exercises.py), never by hand. A line that
    begins with `=` is a right result; lines with `←` below it are what slips give there,
    and their causes. A line that begins with `~` holds the right results that follow, 16
    bits a number: enough digits to see any slip, so few that every processor gives the
    same. A line that begins with `%` does so for dicts, lists and texts.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> right = Stored('''
    ... = (2,) 0.5 -1
    ... 0.5 1 ← the sign of the second is lost
    ... ''')
    >>> right.compare("h_t", np.array([0.5, 1.0]), given="the example by hand")
    Traceback (most recent call last):
    ...
    rnnlib.testing.Mismatch: h_t[1]: expected -1, got 1 (1 of 2 entries differ).
    Likely cause: the sign of the second is lost.
    This case: the example by hand.
    """

    def __init__(self, text: str) -> None:
        self._rows = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        self._packed: list[tuple[Any, float]] = []

    def compare(self, name: str, got: Any, **how: Any) -> None:
        """As the function `compare`, with the next of the stored results.

        `how` holds axes, case and given.
        """
        if not self._packed and self._rows and self._rows[0][0] in "~%":
            self._packed = unpack(self._rows.pop(0))
        if self._packed:
            want, unit = self._packed.pop(0)
            compare(name, got, want, atol=1e-9 + 0.51 * unit, digits=4, **how)
            return
        expect(self._rows, "the stored results of this test are missing: make notebooks.")
        want, slips = read(self._rows.pop(0)[1:]), {}
        while self._rows and "←" in self._rows[0]:
            wrong, _, cause = self._rows.pop(0).partition("←")
            slips[cause.strip()] = read(wrong, np.shape(want))
        array = np.abs(want[np.isfinite(want)]) if isinstance(want, np.ndarray) else np.zeros(0)
        atol = 1e-9 + 1e-6 * float(array.max(initial=0.0))
        compare(name, got, want, slips, rtol=1e-5, atol=atol, **how)


# ── calling the student's function ───────────────────────────────────────────


def withhold(names: str) -> None:
    """Say once a notebook what its answers may not call: see `unavailable_names`.

    `submitted` reads it, and `make notebooks` writes it into the notebook's metadata,
    where the grader finds it.
    """
    global _withheld
    _withheld = names


def submitted(function: Callable[..., Any], returns: str = "") -> Callable[..., Any]:
    """The student's function, called with care.

    The wrapper hands it copies of the arguments, takes away what would answer the
    exercise (see `withhold`), turns an error into a message that says what the function
    was called with, and fails if an argument was changed in place. NumPy's settings,
    warnings and random numbers are afterwards as they were.

    Parameters
    ----------
    function : function
        The student's.
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
    if _running:
        _running[-1].functions.append(function)

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        labels = _labels(function, args)
        handed = copy.deepcopy(args)
        outside = _outside(function)
        with unavailable_names(_withheld), _settings_kept():
            try:
                result = function(*handed)
            except NotImplementedError as error:  # of this function, or of one that it builds on
                missing = str(error) or f"{name} is not written yet"
                raise Mismatch(f"{missing}: put your lines in place of the `raise`.") from None
            except Unavailable as error:
                raise Mismatch(f"{name}: {error}") from None
            except Exception as error:
                raise Mismatch(_crash(function, name, args, labels, error)) from None
        for label, old, new in zip(labels, args, handed, strict=True):
            if not _same(old, new):
                raise Mismatch(
                    f"{name} changed its argument {label} in place; make a new one instead."
                )
        for label, (array, old) in outside.items():
            if not _same(old, array):
                array[...] = old
                raise Mismatch(
                    f"{name} changed {label} in place, which belongs to the notebook. "
                    "Work with the arguments, and with new arrays."
                )
        global _latest
        _latest = _Call(function, args, result)
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


# ── the score ────────────────────────────────────────────────────────────────


def passes(title: str, check: Callable[[], None], points: int) -> None:
    """Run the visible test of an exercise ("Exercise 3b") and keep its points.

    Raises
    ------
    Mismatch
        If the test fails.
    """
    _results[title] = result = _Result(title, points)
    _running.append(result)
    try:
        with _settings_kept(), np.errstate(divide="warn", over="warn", invalid="warn"):
            check()
    except NameError as error:
        name = getattr(error, "name", None)
        if not name or name in vars(sys.modules[__name__]):
            raise
        raise Mismatch(f"{name} does not exist yet: run the cell that defines it first.") from None
    finally:
        _running.pop()
    result.passed = True
    print(f"{title}: the tests that you see pass.")


def summary(points: int) -> None:
    """Say what is done and what is not, of so many points: the end of an assignment."""
    known = list(_results.values())
    if not known:  # as in the grader's copy of the notebook, where tests run elsewhere
        print("No test has run in this kernel yet; each counts its points when it runs.")
        return
    now = vars(sys.modules["__main__"])
    changed = [
        r.title
        for r in known
        if r.passed and any(now.get(f.__name__, f) is not f for f in r.functions)
    ]
    wrong = [r.title for r in known if not r.passed]
    earned = sum(r.points for r in known if r.title not in [*wrong, *changed])
    print(f"Tests that you see: {earned} of {points} points.")
    if earned == points:
        print("Done: every one of them passes. To hand in, save this notebook under its own name.")
    if wrong:
        print(f"Not right yet: {', '.join(wrong)}.")
    if changed:
        print(f"Changed since its test ran: {', '.join(changed)}. Run the test again.")
    if sum(r.points for r in known) < points:
        print("Some tests have not run. Restart Kernel and Run All Cells runs them in order.")


# ── what stands behind it ────────────────────────────────────────────────────


@dataclass
class _Call:
    """The last call of a student's function, which a failure looks into."""

    function: Callable[..., Any] | None = None
    args: Sequence[Any] = ()
    result: Any = None


@dataclass
class _Result:
    title: str
    points: int
    functions: list[Callable[..., Any]] = field(default_factory=list)
    passed: bool = False


_withheld = ""
_latest = _Call()
_results: dict[str, _Result] = {}
_running: list[_Result] = []


def _in_the_code(got: Any) -> str:
    """What is wrong whatever the numbers are: in the source, or in a second call."""
    function, result = _latest.function, _latest.result
    if function is None:
        return ""
    names = likely.globals_read(function)
    for earlier in _results.values():
        for other in earlier.functions:
            name = getattr(other, "__name__", "")
            if not earlier.passed and other is not function and names.get(name) is other:
                return f"it uses your {name}, which does not pass yet: see {earlier.title} first"
    with _settings_kept(), unavailable_names(_withheld):
        clue = likely.of_source(function)
        return clue or likely.of_second_call(function, _latest.args, result, got)


def _named(got: Any, want: Any, causes: Mapping[str, Any], close: Callable[..., bool]) -> str:
    """The sentence whose wrong result is the one that came."""
    # where a slip makes no difference in this case, it explains nothing
    fits = [
        cause
        for cause, wrong in causes.items()
        if likely.close(got, wrong, rtol=1e-3, atol=1e-6) and not close(want, wrong)
    ]
    return likely.only(fits)


def _compare_things(got: Any, want: Any, fail: Callable[..., NoReturn]) -> None:
    """Dicts, lists and texts: what is in them, one after the other."""
    kind = type(want).__name__
    if not isinstance(got, type(want)):
        fail(f" is of type {type(got).__name__}; a {kind} is expected")
    if isinstance(want, dict):
        for key in want:
            if key not in got:
                fail(f" lacks the key {key!r}")
        for key in got:
            if key not in want:
                fail(f" holds the key {key!r}, which does not belong there")
    elif isinstance(want, (list, tuple)) and len(got) != len(want):
        fail(f" has {len(got)} entries; expected {len(want)}")
    if isinstance(want, (dict, list, tuple)):
        for key in want if isinstance(want, dict) else range(len(want)):
            if not likely.close(got[key], want[key]):
                fail(f"[{key!r}]: expected {want[key]}, got {got[key]}")
    elif got != want:
        fail(f": expected {want!r}, got {got!r}")


def read(text: str, shape: tuple[int, ...] = ()) -> Any:
    """A result as it stands in the text of `Stored`.

    That is a Python literal, or the kind ("int", "bool"; float if left out), the shape
    (`shape` if left out) and the numbers.

    >>> read("(2, 1) 0.5 -1").tolist(), read("2.5"), read("{('a',): 1}")
    ([[0.5], [-1.0]], 2.5, {('a',): 1})
    """
    text = text.strip()
    if text[:1] in tuple("{['\""):
        return ast.literal_eval(text)
    match = re.fullmatch(r"(int|bool)? ?(\([\d, ]*\))?(.*)", text)
    assert match is not None
    kind, named, numbers = match.groups()
    shape = ast.literal_eval(named) if named else shape
    array = np.array(numbers.split(), dtype=float).astype(kind or float).reshape(shape)
    return array if array.ndim else array.item()


def unpack(line: str) -> list[tuple[Any, float]]:
    """The results in a line of `Stored` that begins with `~` or `%`, and the unit of each.

    Behind `~` stand 16 bits a number, in base 85: an exponent of 2, the unit of all; then
    for each result its shape, a hexadecimal digit for each axis behind a 1, and its numbers
    in units; ±32767 is infinite. Behind `%` stands a zipped list.
    """
    packed = base64.b85decode("".join(line[1:].split()))
    if line[0] == "%":
        return [(one, 0.0) for one in ast.literal_eval(zlib.decompress(packed).decode())]
    numbers = np.frombuffer(packed, "<i2")
    unit, at, found = 2.0 ** float(numbers[0]), 1, []
    while at < len(numbers):
        shape = tuple(int(digit, 16) for digit in f"{numbers[at]:x}"[1:])
        q = numbers[at + 1 : at + 1 + int(np.prod(shape))]
        values = q * unit
        values[abs(q) == 32767] *= np.inf
        found.append((values.reshape(shape) if shape else float(values[0]), unit))
        at += 1 + q.size
    return found


@contextlib.contextmanager
def _settings_kept() -> Iterator[None]:
    """What a student's function can set for the whole process is as before afterwards."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    with np.errstate(), np.printoptions(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)


def _outside(function: Callable[..., Any]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The notebook's arrays that the function reads, each with a copy."""
    return {
        name: (value, value.copy())
        for name, value in likely.globals_read(function).items()
        if isinstance(value, np.ndarray)
    }


def _sentence(line: str) -> str:
    return line if line.endswith((".", "?", ":")) else f"{line}."


def _first(mask: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])


def _where(index: tuple[int, ...], axes: str) -> str:
    if not index:
        return ""
    if len(axes) == len(index):
        return " at " + ", ".join(f"{a} = {i}" for a, i in zip(axes, index, strict=True))
    return f"[{', '.join(map(str, index))}]"


def _show(number: Any, digits: int) -> str:
    return f"{number:.{digits}g}" if isinstance(number, (float, np.floating)) else str(number)


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
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, (np.random.Generator, types.FunctionType)):
        return True  # meant to be used up
    return bool(old == new)


def _crash(
    function: Callable[..., Any],
    name: str,
    args: Sequence[Any],
    labels: Sequence[str],
    error: Exception,
) -> str:
    """What the student's error was, on which of their lines, and for which arguments."""

    def describe(label: str, arg: Any) -> str:
        if isinstance(arg, np.ndarray):
            return f"{label} of shape {arg.shape}"
        return f"{label} = {arg}" if isinstance(arg, (int, float)) else label

    line, cause = likely.of_crash(function, args, labels, error)
    lines = [f"{name} raised {type(error).__name__}: {error}"]
    lines += [f"In your line: {line}"] * bool(line)
    lines += [_sentence(f"Likely cause: {cause}")] * bool(cause)
    called = ", ".join(map(describe, labels, args))
    return "\n".join([*lines, f"It was called with {called}."])


@functools.cache
def _functions(names: str) -> list[tuple[types.FunctionType, str]]:
    """Every Python function behind these names, methods of classes included, with its label."""
    found = []
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
                    found.append((member, label))
    return found


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
