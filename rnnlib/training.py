"""The training loop: take a batch, look at the loss, walk back, move, again."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .losses import cross_entropy
from .module import Module
from .optim import Optimizer, clip_grad_norm
from .validation import as_rng, expect_positive


class Batches:
    """Mini-batches of inputs and targets, in a new order every time they are walked through.

    Parameters
    ----------
    x, y : arrays
        Inputs and targets of N examples.
    batch_size : int
        Examples in a batch; the last batch of an epoch holds what is left.
    axes : (int, int), optional
        The axis of x and of y that counts examples. 1 for time-major sequences
        (T, N, …); 0 where an example has one target, y (N,).
    seed : int or numpy.random.Generator, optional
        Where the order is drawn from.

    Raises
    ------
    ValueError
        If x and y hold different numbers of examples, or none.

    Examples
    --------
    >>> batches = Batches(np.zeros((5, 7, 3)), np.arange(7), batch_size=4, axes=(1, 0), seed=0)
    >>> [(x.shape, y.shape) for x, y in batches]
    [((5, 4, 3), (4,)), ((5, 3, 3), (3,))]
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        batch_size: int,
        *,
        axes: tuple[int, int] = (1, 1),
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.x, self.y, self.axes = x, y, axes
        self.batch_size = expect_positive("batch_size", batch_size)
        self.examples = x.shape[axes[0]]
        if y.shape[axes[1]] != self.examples:
            raise ValueError(
                f"x holds {self.examples} examples along axis {axes[0]}, "
                f"but y holds {y.shape[axes[1]]} along axis {axes[1]}"
            )
        if self.examples == 0:
            raise ValueError("x and y hold no examples")
        self.rng = as_rng(seed)

    def __len__(self) -> int:
        return math.ceil(self.examples / self.batch_size)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order = self.rng.permutation(self.examples)
        for start in range(0, self.examples, self.batch_size):
            chosen = order[start : start + self.batch_size]
            yield self.x.take(chosen, axis=self.axes[0]), self.y.take(chosen, axis=self.axes[1])


def fit(
    model: Module,
    batches: Iterable[tuple[Any, Any]],
    optimizer: Optimizer,
    *,
    loss: Callable[[Any, Any], tuple[float, Any]] = cross_entropy,
    epochs: int = 1,
    clip_norm: float | None = None,
    evaluate: Callable[[], dict[str, float]] | None = None,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Train a model, and say how it went.

    Parameters
    ----------
    model : Module
        ``output = model(x)``, then ``model.backward(doutput)``.
    batches : iterable of (x, y)
        Walked through once an epoch.
    optimizer : Optimizer
        Over the model's parameters.
    loss : function, optional
        ``value, doutput = loss(output, y)``.
    epochs : int, optional
        How often the batches are walked through.
    clip_norm : float, optional
        Longest common length of the gradients, see `clip_grad_norm`.
    evaluate : function of nothing, optional
        Called after every epoch with the model in evaluation; returns named numbers.
    progress : bool, optional
        Show a bar, where there is a terminal or a notebook and tqdm is installed.

    Returns
    -------
    history : dict of str to list of float
        "loss": the mean loss of every epoch; "step": the loss of every update;
        and a list for each number that `evaluate` returned.

    Raises
    ------
    FloatingPointError
        If the loss is no longer a number; the parameters are those before that update.
    ValueError
        If the batches are empty.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> from rnnlib import SGD, Linear
    >>> x, y = np.eye(3), np.array([2, 0, 1])
    >>> model = Linear(3, 3, seed=0)
    >>> history = fit(model, [(x, y)], SGD(model.parameters(), lr=5.0), epochs=20)
    >>> history["loss"][-1] < 0.1
    True
    """
    history: dict[str, list[float]] = {"loss": [], "step": []}
    bar = _bar(expect_positive("epochs", epochs), progress)
    for _ in range(epochs):
        model.train()
        losses = []
        for x, y in batches:
            value, doutput = loss(model(x), y)
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"the loss is {value} at update {len(history['step']) + 1}: look for NaN in "
                    "the data, lower the learning rate, or clip the gradients (clip_norm)"
                )
            optimizer.zero_grad()
            model.backward(doutput)
            if clip_norm is not None:
                clip_grad_norm(optimizer.parameters, clip_norm)
            optimizer.step()
            losses.append(value)
            history["step"].append(value)
        if not losses:
            raise ValueError("batches is empty: an epoch had nothing to learn from")
        history["loss"].append(float(np.mean(losses)))
        if evaluate is not None:
            model.eval()
            for name, number in evaluate().items():
                history.setdefault(name, []).append(number)
            model.train()
        bar.set_postfix(loss=f"{history['loss'][-1]:.4f}")
        bar.update()
    bar.close()
    return history


def _bar(total: int, progress: bool) -> Any:
    """A tqdm bar over epochs; silent where nobody could see it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm warns where widgets are missing
            from tqdm.auto import tqdm
    except ImportError:
        return _NoBar()
    # None: silent unless there is a terminal; a notebook shows its own bar
    return tqdm(total=total, unit="epoch", disable=None if progress else True)


class _NoBar:
    """Stands where tqdm would, when it is not installed."""

    def set_postfix(self, **numbers: str) -> None:
        """Do nothing."""

    def update(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
