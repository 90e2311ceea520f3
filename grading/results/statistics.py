"""The numbers of the report: how hard each part was, and how well it tells students apart."""

from __future__ import annotations

import math
from collections.abc import Sequence


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's, or None where one of both does not vary.

    Examples
    --------
    >>> correlation([1, 2, 3], [2, 4, 6])
    1.0
    >>> correlation([1, 1, 1], [2, 4, 6]) is None
    True
    """
    n = len(a)
    if n < 2:
        return None
    x, y = ([value - sum(values) / n for value in values] for values in (a, b))
    spread = math.sqrt(sum(u * u for u in x) * sum(v * v for v in y))
    if spread < 1e-12:
        return None
    return round(sum(u * v for u, v in zip(x, y, strict=True)) / spread, 12)


def discrimination(item: Sequence[float], total: Sequence[float]) -> float | None:
    """The item-rest correlation: of the points in one part with the points in all others.

    Near 1 where those who do well otherwise do well here; near 0 where the part has nothing
    to do with the rest; below 0 where good students fail it, which often is a fault of it.

    Examples
    --------
    >>> discrimination([0, 0, 1, 1], [2, 4, 8, 10])
    0.928476690885
    """
    return correlation(item, [whole - part for whole, part in zip(total, item, strict=True)])


def quantile(values: Sequence[float], share: float) -> float:
    """As NumPy's, between the values linearly.

    Examples
    --------
    >>> quantile([1, 2, 3, 4], 0.5)
    2.5
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def bins(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many values are in each interval; the last one holds its upper end too.

    Examples
    --------
    >>> bins([0, 1, 5, 9, 10], [0, 5, 10])
    [2, 3]
    """
    counts = [0] * (len(edges) - 1)
    for value in values:
        place = sum(value >= edge for edge in edges[1:-1])
        counts[place] += 1
    return counts
