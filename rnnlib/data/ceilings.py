"""What can be known at best about the reviews of `rnnlib.data.reviews`, exactly.

A review is a skeleton whose slots are filled without a look at the label, so fillers say nothing
about it: every best score, and every best guess along the way, is a sum over the skeletons.

Derived in chapter 09_sentiment. Source: Bayes' rule over a grammar of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from .reviews import NOUNS, SKELETONS, STRONG, TAILS, VALUES


def slots(words: Sequence[str]) -> tuple[str, ...]:
    """Name the slots again that words of a review filled: what is left is the skeleton.

    >>> slots("the plot was very good but".split())
    ('the', 'N', 'was', 'S', '+', 'but')
    """
    names = {"N": NOUNS, "S": STRONG}
    named = {word: slot for slot, fillers in names.items() for word in fillers}
    named |= {word: "+" if value > 0 else "-" for word, value in VALUES.items()}
    return tuple(named.get(word, word) for word in words)


def posterior(words: Sequence[str]) -> float:
    """Return the exact probability that a review which begins with these words is praise.

    Parameters
    ----------
    words : sequence of str
        The first words of a review, or all of them.

    Raises
    ------
    ValueError
        If no review of the grammar begins like this.

    Examples
    --------
    >>> [round(posterior(text.split()), 2) for text in ("the plot was good", "it rained")]
    [0.56, 0.5]
    """
    begun = slots(words)
    weights = [0.0, 0.0]
    for one in SKELETONS:
        content, tail = one.words[:-2], begun[len(one.words) - 2 :]
        fits = content[: len(begun)] == begun[: len(content)]
        if fits and any((*other.split(), ".")[: len(tail)] == tail for other in TAILS):
            weights[one.label] += one.probability
    if sum(weights) == 0:
        raise ValueError(f"no review begins with {' '.join(words)!r}")
    return weights[1] / sum(weights)


def bag(words: Iterable[Any]) -> tuple[Any, ...]:
    """Forget the order: the words of a review, or its pairs of words, sorted.

    >>> bag("good but dull".split()) == bag("dull but good".split())
    True
    """
    return tuple(sorted(words))


def ceiling(view: Callable[[tuple[str, ...]], Hashable] = bag) -> float:
    """Return the best share of right answers from this view of a review, exactly.

    Whoever sees the same answers the same, so each view can be right about one label: the more
    probable one. Fillers say nothing about the label, so a sum over the skeletons is enough.

    Parameters
    ----------
    view : function, optional
        What is seen of a skeleton's words, as something that can be a key; the bag if left out.

    Examples
    --------
    >>> round(ceiling(), 3), round(ceiling(lambda words: words), 3)
    (0.654, 1.0)
    """
    seen: dict[Hashable, list[float]] = {}
    for one in SKELETONS:
        seen.setdefault(view(one.words), [0.0, 0.0])[one.label] += one.probability
    return sum(max(pair) for pair in seen.values())
