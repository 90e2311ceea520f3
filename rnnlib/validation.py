"""One place that looks at what came in, and says what was wrong with it.

Every public function of `rnnlib` checks its arrays here, so that a wrong shape
is one sentence that names the argument, and never a broadcast that goes on with
the wrong numbers. Each function takes the name that the caller gives the argument,
returns the value, never a copy, and raises a ValueError otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def as_rng(seed: int | np.random.Generator | None) -> np.random.Generator:
    """The generator of random numbers that `seed` stands for; a generator is returned as it is."""
    return np.random.default_rng(seed)


def expect_float(
    name: str, value: Any, shape: tuple[int | str, ...], dtype: np.dtype | None = None
) -> np.ndarray:
    """`value` as a float array of this shape and, where one is needed, of this dtype.

    In the shape a number must match; a letter stands for any size, "..." at its beginning
    for any axes.

    >>> expect_float("x_t", np.zeros((2, 3)), ("B", 4))
    Traceback (most recent call last):
    ...
    ValueError: x_t has shape (2, 3), but shape (B, 4) is needed
    """
    if isinstance(value, tuple) and any(isinstance(part, np.ndarray) for part in value):
        raise ValueError(
            f"{name} is a tuple of {len(value)}, but one array is needed; where a recurrent layer "
            "returned it, as (y, state), take y"
        )
    array = np.asarray(value)
    if array.dtype not in FLOATS:
        raise ValueError(f"{name} has dtype {array.dtype}, but float32 or float64 is needed")
    expect_shape(name, array, shape)
    if dtype is not None and array.dtype != dtype:
        raise ValueError(
            f"{name} has dtype {array.dtype}, but {dtype} is needed, as in the weights or the "
            f"other arrays: make the layers with dtype=np.{array.dtype}, or convert with "
            f"{name}.astype(np.{dtype})"
        )
    return array


def expect_shape(name: str, array: np.ndarray, shape: tuple[int | str, ...]) -> None:
    """Raise unless the array has this shape, written as in `expect_float`."""
    any_axes = shape[:1] == ("...",)
    last = shape[any_axes:]
    here = array.shape[max(array.ndim - len(last), 0) :] if any_axes else array.shape
    fits = len(here) == len(last) and all(
        isinstance(want, str) or want == got for want, got in zip(last, here, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        raise ValueError(f"{name} has shape {array.shape}, but shape ({wanted}) is needed")


def expect_index(name: str, value: Any, size: int) -> np.ndarray:
    """`value` as an array of integers in 0 … size - 1, of any shape.

    >>> expect_index("tokens", [0, 7], size=5)
    Traceback (most recent call last):
    ...
    ValueError: tokens must lie in 0 … 4, but holds 7
    """
    array = np.asarray(value)
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} has dtype {array.dtype}, but integers are needed")
    if array.size:
        outside = array[(array < 0) | (array >= size)]
        if outside.size:
            raise ValueError(f"{name} must lie in 0 … {size - 1}, but holds {outside[0]}")
    return array


def expect_lengths(name: str, value: Any, B: int, longest: int, least: int = 0) -> np.ndarray:
    """`value` as (B,) integers in least … longest; None where all are the longest.

    >>> expect_lengths("lengths", [2, 3, 9], B=3, longest=5, least=1)
    Traceback (most recent call last):
    ...
    ValueError: lengths must lie in 1 … 5, but holds 9
    """
    lengths = np.full(B, longest) if value is None else np.asarray(value)
    expect_shape(name, lengths, (B,))
    if B == 0:  # an empty list has the dtype of floats
        return lengths.astype(np.int64)
    if not np.issubdtype(lengths.dtype, np.integer):
        raise ValueError(f"{name} has dtype {lengths.dtype}, but integers are needed")
    outside = lengths[(lengths < least) | (lengths > longest)]
    if outside.size:
        raise ValueError(f"{name} must lie in {least} … {longest}, but holds {outside[0]}")
    return lengths


def expect_positive(name: str, value: Any, least: int = 1) -> int:
    """`value` as an int of at least 1, or of at least `least`.

    >>> expect_positive("hidden_size", 0)
    Traceback (most recent call last):
    ...
    ValueError: hidden_size must be a whole number of at least 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def expect_state(
    owner: str, state: Mapping[str, Any], own: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The arrays of a state, with own's names, shapes and kinds of numbers, or a ValueError."""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    if missing or unexpected:
        raise ValueError(
            f"the state does not fit {owner}: "
            f"missing {missing or 'nothing'}, unexpected {unexpected or 'nothing'}"
        )
    arrays = {name: np.asarray(state[name]) for name in own}
    for name, array in arrays.items():
        if array.shape != own[name].shape:
            raise ValueError(
                f"{name} of {owner} has shape {array.shape}, but shape {own[name].shape} is needed"
            )
        if array.dtype.kind != own[name].dtype.kind:
            raise ValueError(
                f"{name} of {owner} has dtype {array.dtype}, but {own[name].dtype} is needed"
            )
        if array.dtype.kind == "i" and (array < 0).any():
            raise ValueError(f"{name} of {owner} is {array}, but a count is at least 0")
    return arrays
