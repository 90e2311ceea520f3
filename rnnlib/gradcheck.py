"""Is the gradient right? Ask the function itself, by moving each number a little."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np


def numerical_gradient(f: Callable[[], float], array: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Estimate a gradient by central differences. Derived in chapter 03_bptt.

    (f(a + ε) - f(a - ε)) / 2ε for every entry of an array.

    Parameters
    ----------
    f : function of nothing
        Computes the loss from `array`, which is changed in place while it runs
        and put back after.
    array : float64 array, any shape
    eps : float, optional
        ε. The error of the formula falls with ε², that of rounding grows with 1/ε.

    Returns
    -------
    gradient : array, the shape of array

    Raises
    ------
    ValueError
        If the array is not float64: differences of float32 numbers are mostly rounding.

    Examples
    --------
    >>> a = np.array([1.0, 3.0])
    >>> numerical_gradient(lambda: float((a**2).sum()), a).round(6).tolist()
    [2.0, 6.0]
    """
    if array.dtype != np.float64:
        raise ValueError(f"array has dtype {array.dtype}, but float64 is needed")
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        before = array[index]
        array[index] = before + eps
        above = f()
        array[index] = before - eps
        below = f()
        array[index] = before
        gradient[index] = (above - below) / (2.0 * eps)
    return gradient


def check_gradients(
    f: Callable[[], float],
    arrays: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
    tolerance: float = 1e-6,
    eps: float = 1e-5,
) -> dict[str, float]:
    """Compare gradients with numerical ones, array by array. Derived in chapter 03_bptt.

    Parameters
    ----------
    f : function of nothing
        Computes the loss from the arrays.
    arrays : mapping of str to float64 array
        What the loss depends on.
    gradients : mapping of str to array
        What is claimed, under the same names.
    tolerance : float, optional
        Largest allowed error: max|difference| / max|numerical gradient|.
    eps : float, optional
        Step of the differences.

    Returns
    -------
    dict of str to float
        The error of each array.

    Raises
    ------
    AssertionError
        Naming the worst array and the entry where it differs most.
    ValueError
        If the two mappings hold different names.

    Examples
    --------
    >>> a = np.array([1.0, 3.0])
    >>> check_gradients(lambda: float((a**2).sum()), {"a": a}, {"a": 3 * a})
    Traceback (most recent call last):
    ...
    AssertionError: gradient of a is off by 0.5 of its size: at (1,) it is 9, numerically 6
    """
    if set(arrays) != set(gradients):
        raise ValueError(f"arrays holds {sorted(arrays)}, but gradients {sorted(gradients)}")
    errors: dict[str, float] = {}
    failures: dict[str, str] = {}
    for name, array in arrays.items():
        numerical = numerical_gradient(f, array, eps)
        if gradients[name].shape != array.shape:
            raise AssertionError(
                f"gradient of {name} has shape {gradients[name].shape}, not {array.shape}"
            )
        difference = abs(gradients[name] - numerical)
        scale = max(float(abs(numerical).max(initial=0.0)), np.finfo(float).tiny)
        errors[name] = float(difference.max(initial=0.0)) / scale
        if not errors[name] <= tolerance:
            worst = tuple(int(i) for i in np.unravel_index(difference.argmax(), array.shape))
            failures[name] = (
                f"gradient of {name} is off by {errors[name]:.2g} of its size: at {worst} it is "
                f"{gradients[name][worst]:.6g}, numerically {numerical[worst]:.6g}"
            )
    if failures:
        raise AssertionError(failures[max(failures, key=errors.__getitem__)])
    return errors
