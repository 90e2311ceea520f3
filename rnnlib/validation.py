"""One place that looks at what came in, and says what was wrong with it.

Every public function of `rnnlib` checks its arrays here, so that a wrong shape
is one sentence that names the argument, and never a broadcast that goes on with
the wrong numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def as_rng(seed: int | np.random.Generator | None) -> np.random.Generator:
    """The generator of random numbers that `seed` stands for.

    Parameters
    ----------
    seed : int, numpy.random.Generator or None
        A generator is returned as it is, so that draws go on where they were.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> int(as_rng(0).integers(100)) == int(as_rng(0).integers(100))
    True
    """
    return np.random.default_rng(seed)


def expect_float(
    name: str, value: Any, shape: tuple[int | str, ...], dtype: np.dtype | None = None
) -> np.ndarray:
    """`value` as a float array of this shape, or a ValueError that names it.

    Parameters
    ----------
    name : str
        What the caller calls the argument.
    value : array
        float32 or float64; nothing is converted silently.
    shape : tuple of int and str
        A number must match; a letter stands for any size.
    dtype : numpy.dtype, optional
        The only dtype allowed, where one is needed.

    Returns
    -------
    array
        `value` itself, never a copy.

    Raises
    ------
    ValueError
        If the dtype or the shape is another.

    Examples
    --------
    >>> expect_float("x_t", np.zeros((2, 3)), ("B", 4))
    Traceback (most recent call last):
    ...
    ValueError: x_t has shape (2, 3), but shape (B, 4) is needed
    """
    array = np.asarray(value)
    if array.dtype not in FLOATS:
        raise ValueError(f"{name} has dtype {array.dtype}, but float32 or float64 is needed")
    expect_shape(name, array, shape)
    if dtype is not None and array.dtype != dtype:
        raise ValueError(
            f"{name} has dtype {array.dtype}, but {dtype} is needed, as in the other arrays: "
            f"convert it with {name}.astype(np.{dtype})"
        )
    return array


def expect_shape(name: str, array: np.ndarray, shape: tuple[int | str, ...]) -> None:
    """Raise a ValueError that names the array unless it has this shape.

    Parameters
    ----------
    name : str
        What the caller calls the argument.
    array : array
    shape : tuple of int and str
        A number must match; a letter stands for any size.

    Raises
    ------
    ValueError
        If the number of axes or a size differs.

    Examples
    --------
    >>> expect_shape("targets", np.zeros((5, 2)), ("T", 2))
    """
    fits = array.ndim == len(shape) and all(
        isinstance(want, str) or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        raise ValueError(f"{name} has shape {array.shape}, but shape ({wanted}) is needed")


def expect_index(name: str, value: Any, size: int) -> np.ndarray:
    """`value` as an array of integers in 0 … size - 1, or a ValueError that names it.

    Parameters
    ----------
    name : str
        What the caller calls the argument.
    value : integer array, any shape
    size : int
        One more than the largest allowed entry.

    Returns
    -------
    array

    Raises
    ------
    ValueError
        If an entry is not an integer, or lies outside.

    Examples
    --------
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
    """`value` as (B,) integers in least … longest, or a ValueError that names it.

    Parameters
    ----------
    name : str
        What the caller calls the argument.
    value : (B,) integer array or None
        None: all sequences are the longest.
    B : int
        Number of sequences.
    longest, least : int
        The bounds, both allowed.

    Returns
    -------
    (B,) integer array

    Raises
    ------
    ValueError
        If the shape is another, or an entry is not an integer or lies outside.

    Examples
    --------
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


def expect_positive(name: str, value: Any) -> int:
    """`value` as an int of at least 1, or a ValueError that names it.

    Parameters
    ----------
    name : str
        What the caller calls the argument.
    value : int

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is not a whole number of at least 1.

    Examples
    --------
    >>> expect_positive("hidden_size", 0)
    Traceback (most recent call last):
    ...
    ValueError: hidden_size must be a whole number of at least 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    return int(value)
