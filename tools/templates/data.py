"""FILL IN: what the data are, in a line.

FILL IN: what one example looks like, how it is drawn or where it is loaded from, how it is
split, and what the best possible prediction is, if that is known. A chapter without data of
its own has no such file: remove it.

Derived in chapter @slug@. Source: FILL IN: repository or package, licence; or "made up for
this course".
"""

from __future__ import annotations

import numpy as np

from ..validation import as_rng, expect_positive


def examples(count: int, seed: int | np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw examples, each on its own: x (T, count, I) and y (count,), whole numbers.

    >>> x, y = examples(3, seed=0)
    >>> x.shape, y.shape
    ((20, 3, 1), (3,))
    """
    rng = as_rng(seed)
    expect_positive("count", count)
    raise NotImplementedError(f"FILL IN: draw with {rng}")
