"""How good is it? Numbers that people compare."""

from __future__ import annotations

import numpy as np


def perplexity(nll: float) -> float:
    """e to the mean surprise: among how many equally likely words the model hesitates.

    Parameters
    ----------
    nll : float
        Mean cross-entropy in nats, as `cross_entropy` returns it.

    Returns
    -------
    float
        At least 1 for a real distribution.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> round(perplexity(np.log(6.0)), 4)
    6.0
    """
    return float(np.exp(nll))


def bits(nll: float) -> float:
    """Nats to bits: the mean surprise with logarithm to base 2.

    Parameters
    ----------
    nll : float
        Mean cross-entropy in nats, as `cross_entropy` returns it.

    Returns
    -------
    float
        Bits per symbol.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> round(bits(np.log(8.0)), 4)
    3.0
    """
    return float(nll / np.log(2.0))
