"""How `rnnlib.testing` finds the likely cause of a wrong answer.

A wrong cause is worse than none. So each sentence here is tied to evidence: the answer
equals what the slip gives, the error and the line in which it arose belong to the slip,
or the slip stands in the source. Where two sentences fit, neither is said.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import difflib
import dis
import functools
import inspect
import io
import linecache
import re
import textwrap
import traceback
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import numpy as np

LOOP = "a `return` stands inside the loop, so that the loop ends after its first turn"
FIRST = "only the first step is there; a `return` inside the loop would end it after one turn"
MARKS = {"f": np.nan, "i": -987_654_321}  # what no answer holds, by the kind of number
EMPTY = (
    "an empty list becomes an array of shape (0,). Make the result at the start with its whole "
    "shape, for example with np.empty, so that it is right where the loop never runs"
)


def close(a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-9) -> bool:
    """Whether two things are numbers of the same shape and nearly equal, or simply equal."""
    if isinstance(a, (list, tuple)) and type(a) is type(b):  # of arrays of several shapes, too
        return len(a) == len(b) and all(close(*pair, rtol, atol) for pair in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):  # that may hold arrays
        return a.keys() == b.keys() and all(close(a[key], b[key], rtol, atol) for key in a)
    try:
        x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    except (TypeError, ValueError):
        return type(a) is type(b) and bool(np.all(a == b))
    return x.shape == y.shape and np.allclose(x, y, rtol=rtol, atol=atol, equal_nan=True)


def only(sentences: list[str]) -> str:
    """The one sentence that fits; where several do, none."""
    found = list(dict.fromkeys(sentences))
    return found[0] if len(found) == 1 else ""


# ── in the values ────────────────────────────────────────────────────────────


def of_values(
    got: np.ndarray, want: np.ndarray, axes: str, sizes: Mapping[str, int], close: Callable
) -> str:
    """A slip that any array can suffer, seen in its numbers.

    Parameters
    ----------
    got, want : arrays of one shape
    axes : str
        A letter for each axis, or nothing.
    sizes : mapping of str to int
        The sizes of the case, which may turn up as factors.
    close : function of two arrays
    """
    if got.size == 0 or got.dtype.kind not in "fiu" or not np.isfinite([got, want]).all():
        return ""
    if got.size > 1 and not got.any() and want.any():
        return "every entry is 0; is the result ever filled in?"
    fits = []
    if close(got, -want):
        fits.append("a sign is wrong; it is the negative of what is expected")
    if want.ndim == 2 and want.shape[0] == want.shape[1] and close(got, want.T):
        fits.append("it is transposed")
    elif want.ndim > 2 and want.shape[0] == want.shape[1] and close(got, want.swapaxes(0, 1)):
        fits.append("its first two axes are exchanged")
    if axes.startswith("t") and len(want) > 1 and want.size > 2:
        fits += [sentence for sentence, wrong in _in_time(got, want) if close(got, wrong)]
        if want[1:].size > 1 and close(got[1:], want[:-1]):
            fits.append("it is one step late: entry t holds what belongs at t - 1")
        if want[1:].size > 1 and close(got[:-1], want[1:]):
            fits.append("it is one step early: entry t holds what belongs at t + 1")
        if close(got[0], want[0]) and not got[1:].any() and want[1:].any():
            fits.append(FIRST)
    return only(fits) or _factor(got, want, sizes, close)


def _in_time(got: np.ndarray, want: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if np.ptp(want, axis=0).max() <= 1e-6 * abs(want).max():
        return  # the same at every step: no order to be seen
    yield "it is reversed in time", want[::-1]
    last = np.broadcast_to(want[-1], want.shape)
    yield "every step holds the last one: the same array was stored again and again", last
    first = np.broadcast_to(want[0], want.shape)
    yield "every step holds the first one: nothing is carried on", first


def _factor(got: np.ndarray, want: np.ndarray, sizes: Mapping[str, int], close: Callable) -> str:
    """Every entry too large, or too small, by one whole factor."""
    largest = np.argmax(abs(want))
    if want.flat[largest] == 0 or got.flat[largest] == 0:
        return ""
    ratio = got.flat[largest] / want.flat[largest]
    for factor, too, instead in (
        (round(float(ratio)), "large", "a sum in place of a mean"),
        (round(float(1 / ratio)), "small", "a mean in place of a sum"),
    ):
        if 2 <= factor <= 1000 and close(got, want * factor if too == "large" else want / factor):
            letters = [letter for letter, size in sizes.items() if size == factor]
            if len(letters) == 1 and (want.size > 1 or factor > 2):
                return f"it is {factor} times too {too}, and {letters[0]} is {factor}: {instead}?"
            return f"it is 2 times too {too}" if want.size > 1 and factor == 2 else ""
    return ""


# ── in the shape ─────────────────────────────────────────────────────────────


def of_shape(got: np.ndarray, want: np.ndarray, axes: str, close: Callable) -> str:
    """What made a result of another shape. An axis is named only if the other axes fit."""
    g, w = got.shape, want.shape
    letters = axes if len(axes) == len(w) else "0123456789"[: len(w)]
    if want.size == 0:
        return EMPTY if g == (0,) else ""
    if [n for n in g if n != 1] == [n for n in w if n != 1]:
        if len(g) > len(w):
            return "it has an axis of size 1 too many; index it with 0, or use reshape"
        return "an axis of size 1 was dropped" if len(g) < len(w) else ""
    if len(g) == 1 and got.size == want.size:
        return "it is flat; the numbers belong into rows and columns (reshape)"
    if len(g) > 1 and g == w[::-1]:
        return "it is transposed"
    if sorted(g) == sorted(w):
        return "its axes are in another order"
    if axes.startswith("t") and len(g) == len(w) and g[1:] == w[1:]:
        if g[0] == 1 and close(got, want[:1]):
            return FIRST
        if g[0] == w[0] + 1:
            if close(got[1:], want):
                return "there is one step too many, the first; is it the initial state?"
            at_the_end = close(got[:-1], want)
            return "there is one step too many" + (", the last" if at_the_end else "")
        return "one step is missing" if g[0] == w[0] - 1 else ""
    if len(g) == len(w) - 1:
        return _missing_axis(got, want, letters, close)
    if len(g) == len(w) + 1:
        over = [axis for axis in range(len(g)) if g[:axis] + g[axis + 1 :] == w]
        how = [
            sentence
            for axis in over
            for sentence, less in (
                ("it is not summed over one of its axes", got.sum(axis)),
                ("a mean over one of its axes is missing", got.mean(axis)),
                ("only the last step is expected", got[-1] if axis == 0 else None),
            )
            if less is not None and close(less, want)
        ]
        return only(how) or ("it has one axis too many" if over else "")
    return ""


def _missing_axis(got: np.ndarray, want: np.ndarray, letters: str, close: Callable) -> str:
    left_out = [k for k in range(want.ndim) if np.delete(want.shape, k).tolist() == [*got.shape]]
    how = []
    for k in left_out:
        axis = f"axis {letters[k]}"
        for sentence, less in (
            (f"it is summed over {axis}", want.sum(k)),
            (f"it is the mean over {axis}", want.mean(k)),
            (f"it is only the first entry of {axis}", want.take(0, k)),
            (f"it is only the last entry of {axis}", want.take(-1, k)),
        ):
            if close(got, less):
                how.append(sentence)
    if only(how):
        return only(how)
    return f"axis {letters[left_out[0]]} is missing" if len(left_out) == 1 else ""


# ── in the error ─────────────────────────────────────────────────────────────

_ARRAY = "a list is not an array; make one with np.array(...)"
_UNEQUAL = "the arrays that are put together have different shapes"
# Python's and NumPy's words, what must stand in the line besides, and what usually causes them
CRASHES = [
    ("broadcast.*input array", "", "what is stored there has another shape than its place"),
    (r"\(\d+,\) and \(\d+,\) not aligned", "", "the two vectors have different lengths"),
    ("matmul|not aligned", "", "the shapes do not fit; does a matrix need .T, or another order?"),
    ("inhomogeneous|must match exactly|same number of dim|same shape", "", _UNEQUAL),
    ("broadcast", "", "the shapes do not fit; does an array need .T, or another axis?"),
    (
        "length-1 array|0-dimensional array|size-1 array|must be real number",
        r"\bmath\.",
        "the functions of `math` take one number; those of `np` take arrays",
    ),
    ("can't multiply sequence by non-int", "", _ARRAY),
    ("unsupported operand.*'list'|'list' and|and 'list'", "", _ARRAY),
    ("'list' object has no attribute '(T|shape|ndim|sum|mean|reshape|dtype)'", "", _ARRAY),
    ("list indices must be integers or slices, not tuple", "", _ARRAY),
    (
        "'numpy.ndarray' object has no attribute 'append'",
        "",
        "an array cannot grow; append to a list, or make the array with its whole shape first",
    ),
    ("need at least one array", "", EMPTY),
    ("zero-size array|empty sequence|arg is an empty", "", "there is nothing to look at here"),
    ("NoneType", "", "something is None here: a function that was called lacks its return"),
    (
        "truth value of an array",
        "",
        "`if`, `and`, `or`, max() and min() want one number, and this is an array; "
        "NumPy has np.where, np.maximum and np.minimum",
    ),
    ("setting an array element with a sequence", "", "an array is stored where one number belongs"),
    (
        "arrays used as indices|only integers, slices|indices must be integers",
        "",
        "an index is not a whole number",
    ),
    ("too many indices", "", "it is indexed with more axes than it has"),
    (
        "index -.*size [^0]",
        "",
        "an index is too small: -1 is the last entry, and minus the size the first",
    ),
    (
        "out of bounds|index out of range",
        "",
        "an index is too large; the first entry has index 0, the last size - 1",
    ),
    ("unhashable", "", "a list or an array cannot be a key of a dict; a tuple can"),
    ("KeyError", "", "a key is not in the dict yet; counts.get(key, 0) gives 0 for it"),
    ("UnboundLocalError|referenced before|not associated", "", "this name has no value yet here"),
]


def of_crash(
    function: Callable, args: Sequence[Any], labels: Sequence[str], error: Exception
) -> tuple[str, str]:
    """The line in which the student's code failed, and what usually makes it fail so.

    Returns
    -------
    line, cause : str
        Either may be empty.
    """
    line = _line(function, error)
    said = f"{type(error).__name__}: {error}"
    shapes = [(int(a), int(b)) for a, b in re.findall(r"\((\d+),(\d+)\)", said)]
    cause = next(
        (c for words, code, c in CRASHES if re.search(words, said) and re.search(code, line)), ""
    )
    # where an array is stored, its place is at fault, and no product
    product = re.search(r"[\w)\]] \* \w", line) and "input array" not in said
    if re.search(r":[^\]]*\+", line) and "shapes do not fit; does an array" in cause:
        cause = "the shapes do not fit; is an axis missing, or does a slice go beyond the end?"
    elif product and len(shapes) == 2 and shapes[0][1] in shapes[1]:
        cause = "`*` multiplies entry by entry; the matrix product is `@`"
    if isinstance(error, NameError) and not cause:
        near = difflib.get_close_matches(error.name or "", labels, n=1, cutoff=0.5)
        cause = f"it is called {near[0]} in the first line of the function" if near else ""
    if "shapes do not fit" in cause:
        cause = of_globals(function) or cause
    if isinstance(error, TypeError) and "positional argument" in said and not line:
        cause = "the arguments in the function's first line were changed; they must stay"
    if isinstance(error, TypeError) and "not callable" in said:
        cause = of_globals(function, shadows_only=True) or (
            "an array or a number stands before a bracket; is a `*` or `@` missing?"
            if re.search("ndarray|float|int", said)
            else ""
        )
    if cause == EMPTY and any(isinstance(arg, list) and not arg for arg in args):
        cause = "an empty list was handed in; decide this case first"
    if any(isinstance(arg, np.ndarray) and arg.size == 0 for arg in args):
        if cause in (EMPTY, ""):
            cause = cause or "here nothing is to be done, and the result is empty"
        elif "too large" in cause or "no value yet" in cause:
            cause = "here there is nothing to read, so that there is no first and no last entry"
    return line, cause


def _line(function: Callable, error: Exception) -> str:
    code = getattr(function, "__code__", None)
    lines = [
        linecache.getline(frame.f_code.co_filename, number).strip()
        for frame, number in traceback.walk_tb(error.__traceback__)
        if code is not None and frame.f_code.co_filename == code.co_filename
    ]
    return lines[-1] if lines else ""


# ── in the source, and in a second call ──────────────────────────────────────


def of_source(function: Callable) -> str:
    """A `return` that every turn of a loop comes to."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ""
    loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While))]
    return LOOP if any(isinstance(s, ast.Return) for loop in loops for s in loop.body) else ""


def of_second_call(function: Callable, args: Sequence[Any], result: Any, got: Any = None) -> str:
    """What shows when the same is asked again, and np.empty gives nothing but marks.

    `got` is the one of several results that is wrong.
    """

    def unfilled(shape: Any, dtype: Any = float, *_: Any, **__: Any) -> np.ndarray:
        array = np.zeros(shape, dtype)
        if array.dtype.kind in MARKS:
            array.fill(MARKS[array.dtype.kind])
        return array

    def like(array: Any, dtype: Any = None, *_: Any, **__: Any) -> np.ndarray:
        return unfilled(np.shape(array), dtype or np.asarray(array).dtype)

    silent = contextlib.redirect_stdout(io.StringIO())
    try:
        with mock.patch.multiple(np, empty=unfilled, empty_like=like), silent:
            again = function(*copy.deepcopy(args))
    except Exception:
        again = None
    first = result if isinstance(result, (tuple, list)) else [result]
    second = again if isinstance(again, (tuple, list)) else [again]
    for a, b in zip(first, second, strict=False):
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape:
            left = np.isnan(b) if b.dtype.kind == "f" else b == MARKS["i"]
            if (left & (a == a)).any() and close(a[~left], b[~left]):
                if got is None or a is got or not any(one is got for one in first):
                    return "entries are used before they are filled in; np.empty fills in nothing"
                b[left] = a[left]  # of another result: it explains nothing here
    if len(first) == len(second) and all(close(a, b) for a, b in zip(first, second, strict=True)):
        return ""
    name = getattr(function, "__name__", "the function")
    if "random" in _names(getattr(function, "__code__", None)):
        return f"{name} draws random numbers of its own, so that it answers differently each time"
    return (
        f"{name} gives another answer when it is called again with the same arguments: "
        "something is kept from an earlier call, in a variable outside or in a default "
        "argument, or drawn at random"
    )


def of_globals(function: Callable | None, shadows_only: bool = False) -> str:
    """A variable of the notebook that the function reads: in place of an argument, or of sum()."""
    for name, value in globals_read(function).items():
        if isinstance(value, (types.ModuleType, types.FunctionType, type)):
            continue
        if hasattr(builtins, name) or name in ("np", "math"):
            return (
                f"the notebook gives the name {name} another meaning, which hides Python's own; "
                "rename that variable and restart the kernel"
            )
        constant = isinstance(value, (list, dict, int, float)) and name.isupper()
        data = isinstance(value, (np.ndarray, list, dict, int, float)) and not constant
        if data and not shadows_only:
            return (
                f"the function reads {name}, a variable of the notebook and none of its arguments"
            )
    return ""


def globals_read(function: Callable | None) -> dict[str, Any]:
    """What a function finds outside: names and values, of those that exist."""
    outside = getattr(function, "__globals__", {})
    names = _loaded(getattr(function, "__code__", None))
    return {name: outside[name] for name in names if name in outside}


@functools.lru_cache(1000)
def _loaded(code: types.CodeType | None) -> tuple[str, ...]:
    """The names of what is global, also in the comprehensions within."""
    if code is None:
        return ()
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    found = [i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"]
    return tuple(dict.fromkeys([*found, *(name for c in inner for name in _loaded(c))]))


def _names(code: types.CodeType | None) -> set[str]:
    """All names, those of attributes as well."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)] if code else []
    return {*(code.co_names if code else ()), *(name for c in inner for name in _names(c))}
