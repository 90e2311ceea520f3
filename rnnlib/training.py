"""The training loop: a batch, its loss, the backward pass, an update; and again."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .checkpoints import Checkpoint, PathLike
from .losses import cross_entropy
from .module import Module
from .optim import Optimizer, clip_grad_norm
from .schedules import Schedule, watched
from .validation import as_rng, expect_positive, expect_state


class Batches:
    """Cut examples into mini-batches, in a new order for every epoch.

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

    Yields
    ------
    x, y : arrays of batch_size examples

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
        hint = f": axes is {axes}, for x and for y"
        self.x = _expect_axis("x", x, axes[0], hint)
        self.y = _expect_axis("y", y, axes[1], hint)
        self.axes, self.target_axis = axes, axes[1]
        self.batch_size = expect_positive("batch_size", batch_size)
        self.examples = self.x.shape[axes[0]]
        if self.y.shape[axes[1]] != self.examples:
            raise ValueError(
                f"x holds {self.examples} examples along axis {axes[0]}, "
                f"but y holds {self.y.shape[axes[1]]} along axis {axes[1]}"
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


class Pieces:
    """Cut one long sequence into consecutive pieces. Derived in chapter 04_text.

    The sequence is cut into batch_size strands of the same length, which stand side by
    side. The pieces follow each other in all of them, so that the state after one is the
    state before the next: `fit` carries it with ``carry_state=True``.

    Parameters
    ----------
    x, y : (N, …) arrays
        The input and the target at each of N steps. To predict the next symbol of a text:
        ``text[:-1]`` and ``text[1:]``.
    batch_size : int
        Number B of strands. The N mod B steps at the very end are left out.
    steps : int
        Steps T of a piece; the last one of an epoch holds what is left.

    Yields
    ------
    x, y : (T, B, …) arrays

    Raises
    ------
    ValueError
        If x and y have different lengths, or fewer than batch_size steps.

    Examples
    --------
    >>> text = np.arange(10)
    >>> for x, y in Pieces(text[:-1], text[1:], batch_size=2, steps=3):
    ...     print(x.tolist(), y.tolist())
    [[0, 4], [1, 5], [2, 6]] [[1, 5], [2, 6], [3, 7]]
    [[3, 7]] [[4, 8]]
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, batch_size: int, steps: int) -> None:
        x, y = _expect_axis("x", x, 0), _expect_axis("y", y, 0)
        self.batch_size = expect_positive("batch_size", batch_size)
        self.steps = expect_positive("steps", steps)
        self.examples = len(x)
        if len(y) != self.examples:
            raise ValueError(f"x holds {self.examples} steps, but y holds {len(y)}")
        if self.examples < self.batch_size:
            raise ValueError(f"x holds {self.examples} steps, too few for {batch_size} strands")
        self.x, self.y = self._strands(x), self._strands(y)

    def _strands(self, sequence: np.ndarray) -> np.ndarray:
        """(N // B, B, …): the sequence in B strands, side by side."""
        length = len(sequence) // self.batch_size
        strands = sequence[: length * self.batch_size].reshape(
            self.batch_size, length, *sequence.shape[1:]
        )
        return np.ascontiguousarray(strands.swapaxes(0, 1))

    def __len__(self) -> int:
        return math.ceil(len(self.x) / self.steps)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(self.x), self.steps):
            piece = slice(start, start + self.steps)
            yield self.x[piece], self.y[piece]


def sliding_windows(
    series: np.ndarray, length: int, horizon: int = 1, stride: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a series into windows, and what follows each. Derived in chapter 12_forecasting.

    Windows overlap: split a series into training and test before it is cut, not after.

    Parameters
    ----------
    series : (S, …) array
        In the order of time.
    length : int
        Steps T of a window.
    horizon : int, optional
        Steps after the window that are to be predicted.
    stride : int, optional
        Steps from one window to the next.

    Returns
    -------
    x : (T, N, …) array
        The N windows, time first.
    y : (horizon, N, …) array
        What follows each.

    Raises
    ------
    ValueError
        If a number is not whole and at least 1, or the series is too short for a window.

    Examples
    --------
    >>> x, y = sliding_windows(np.arange(6), length=3, horizon=2)
    >>> x.T.tolist(), y.T.tolist()
    ([[0, 1, 2], [1, 2, 3]], [[3, 4], [4, 5]])
    """
    series = _expect_axis("series", series, 0)
    length, horizon = expect_positive("length", length), expect_positive("horizon", horizon)
    if len(series) < length + horizon:
        raise ValueError(
            f"series holds {len(series)} steps, but a window and what follows it {length + horizon}"
        )
    windows = sliding_window_view(series, length + horizon, axis=0)
    windows = np.moveaxis(windows[:: expect_positive("stride", stride)], -1, 0)
    return windows[:length].copy(), windows[length:].copy()


class Buckets:
    """Cut sequences of any length into mini-batches. Derived in chapter 08_bidirectional.

    Padding is computed for nothing, and pads a batch up to its longest sequence. So here
    the sequences are sorted by length (equal lengths in a new order every time) and cut
    into batches, and the batches come in a new order every time they are walked through.

    Parameters
    ----------
    sequences : sequence of (T_n, …) arrays
        Inputs of N examples, one step or more each, of one dtype.
    targets : sequence of N arrays or numbers
        One target for each example or, with fill, a sequence for each.
    batch_size : int
        Examples in a batch; the batch of the longest holds what is left.
    fill : number, optional
        Targets are sequences too, and are padded with this number up to the longest in
        the batch. -100 is what `cross_entropy` ignores.
    with_lengths : bool, optional
        False for a model that needs no lengths, since it only looks back: x comes alone.
    seed : int or numpy.random.Generator, optional
        Where the order is drawn from.

    Yields
    ------
    (x, lengths), y : ((T, B, …) array, (B,) integer array), (B, …) or (U, B, …) array
        x is padded with zeros behind each sequence's length.

    Raises
    ------
    ValueError
        If there are no examples or not as many targets, if a sequence holds no step, or
        if shapes or dtypes differ.

    Examples
    --------
    >>> words = [np.arange(1, 1 + length) for length in [3, 1, 2, 3]]
    >>> buckets = Buckets(words, [0, 1, 1, 0], batch_size=2, seed=0)
    >>> for (x, lengths), y in buckets:
    ...     print(x.tolist(), lengths, y)
    [[1, 1], [2, 2], [3, 3]] [3 3] [0 0]
    [[1, 1], [0, 2]] [1 2] [1 1]
    """

    def __init__(
        self,
        sequences: Sequence[Any],
        targets: Sequence[Any],
        batch_size: int,
        *,
        fill: float | None = None,
        with_lengths: bool = True,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.sequences = _expect_alike("sequences", sequences, ragged=True)
        self.targets = _expect_alike("targets", targets, ragged=fill is not None)
        self.batch_size = expect_positive("batch_size", batch_size)
        self.examples = len(self.sequences)
        if len(self.targets) != self.examples:
            raise ValueError(
                f"sequences holds {self.examples} examples, but targets holds {len(self.targets)}"
            )
        self.lengths = np.array([len(sequence) for sequence in self.sequences])
        if not self.lengths.all():
            raise ValueError(f"sequences[{self.lengths.argmin()}] holds no step")
        dtype = self.targets[0].dtype
        if fill is not None and np.asarray(fill).astype(dtype) != fill:
            raise ValueError(f"fill is {fill}, which targets of dtype {dtype} cannot hold")
        self.fill, self.target_axis = fill, int(fill is not None)
        self.with_lengths = with_lengths
        self.rng = as_rng(seed)

    def __len__(self) -> int:
        return math.ceil(self.examples / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, np.ndarray]]:
        order = self.rng.permutation(self.examples)
        order = order[np.argsort(self.lengths[order], kind="stable")]
        for start in self.batch_size * self.rng.permutation(len(self)):
            chosen = order[start : start + self.batch_size]
            x = _pad([self.sequences[n] for n in chosen], 0)
            targets = [self.targets[n] for n in chosen]
            y = np.stack(targets) if self.fill is None else _pad(targets, self.fill)
            yield ((x, self.lengths[chosen]) if self.with_lengths else x), y


class Fresh:
    """Draw every batch anew, so that no example comes twice. Derived in chapter 05_gradients.

    Parameters
    ----------
    draw : function of a numpy.random.Generator
        Returns the x and y of one batch.
    batches : int
        Batches in what counts as an epoch.
    seed : int or numpy.random.Generator, optional
        Where they are drawn from. The next epoch goes on where the last one ended.

    Yields
    ------
    x, y : what `draw` returns

    Raises
    ------
    ValueError
        If batches is not a whole number of at least 1.

    Examples
    --------
    >>> fresh = Fresh(lambda rng: (rng.integers(10, size=2), 0), batches=2, seed=0)
    >>> [x.tolist() for x, _ in fresh], [x.tolist() for x, _ in fresh]
    ([[8, 6], [5, 2]], [[3, 0], [0, 0]])
    """

    def __init__(
        self,
        draw: Callable[[np.random.Generator], tuple[Any, Any]],
        batches: int,
        *,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.draw, self.batches = draw, expect_positive("batches", batches)
        self.rng = as_rng(seed)

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for _ in range(self.batches):
            yield self.draw(self.rng)


class EarlyStopping:
    """Stop when a number no longer gets better; keep the best. Derived in chapter 12_forecasting.

    Parameters
    ----------
    watch : str
        The name of a number that `evaluate` returns, or "loss".
    patience : int
        Epochs without a new best after which training stops.
    better : min or max, optional
        Which of two numbers is the better one: ``min`` for errors, ``max`` for scores.

    Attributes
    ----------
    best : float
        The best number so far; NaN before the first.
    stale : int
        Epochs since then.

    Raises
    ------
    ValueError
        If patience is not a whole number of at least 1, or better is something else.

    References
    ----------
    Prechelt, Early stopping – but when?, in: Neural networks: tricks of the trade, 1998.

    Examples
    --------
    >>> from rnnlib import Linear
    >>> model, stopping = Linear(1, 1, seed=0), EarlyStopping("error", patience=2)
    >>> stopping.begin(model)
    >>> for error in [0.5, 0.25, 0.5, 0.25]:
    ...     stopping.look({"error": [error]}, model)
    >>> stopping.best, stopping.stale, stopping.done
    (0.25, 2, True)
    """

    def __init__(
        self, watch: str, patience: int, better: Callable[[float, float], float] = min
    ) -> None:
        if better not in (min, max):
            raise ValueError(f"better must be min or max, got {better}")
        self.watch = watch
        self.patience = expect_positive("patience", patience)
        self.better = better
        self.best, self.stale = math.nan, 0
        self.weights: dict[str, np.ndarray] = {}

    def __repr__(self) -> str:
        return f"EarlyStopping({self.watch!r}, {self.patience}, {self.better.__name__})"

    @property
    def done(self) -> bool:
        """Tell whether patience has run out."""
        return self.stale >= self.patience

    def begin(self, model: Module) -> None:
        """Forget all that was, and keep the weights with which training begins."""
        self.best, self.stale = math.nan, 0
        self.weights = model.state_dict()

    def look(self, history: Mapping[str, list[float]], model: Module) -> None:
        """Look at the last number, and keep the weights if it is the best. NaN never is."""
        number = watched("early_stopping", self.watch, history)
        first = math.isnan(self.best) and not math.isnan(number)
        if first or (number != self.best and self.better(self.best, number) == number):
            self.best, self.stale = number, 0
            self.weights = model.state_dict()
        else:
            self.stale += 1

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copy the best so far, the epochs since, and the best weights, as "weights.NAME"."""
        state = {"best": np.array(self.best), "stale": np.array(self.stale)}
        return state | {f"weights.{name}": array for name, array in self.weights.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another was, after `begin` with a model like its own."""
        arrays = expect_state("EarlyStopping", state, self.state_dict())
        self.best, self.stale = float(arrays["best"]), int(arrays["stale"])
        self.weights = {name: arrays[f"weights.{name}"].copy() for name in self.weights}


def fit(
    model: Module,
    batches: Iterable[tuple[Any, Any]],
    optimizer: Optimizer,
    *,
    loss: Callable[[Any, Any], tuple[float, Any]] = cross_entropy,
    epochs: int = 1,
    clip_norm: float | None = None,
    carry_state: bool = False,
    evaluate: Callable[[], dict[str, float]] | None = None,
    schedule: Schedule | None = None,
    early_stopping: EarlyStopping | None = None,
    stop: Callable[[dict[str, list[float]]], bool] | None = None,
    checkpoint: PathLike | None = None,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Train a model, and say how it went. Derived in chapter 01_storybook.

    Parameters
    ----------
    model : Module
        ``output = model(x)``, then ``model.backward(doutput)``. The output may be whatever
        the loss takes.
    batches : iterable of (x, y)
        Walked through once an epoch. From `Buckets` x is a pair (x, lengths).
    optimizer : Optimizer
        Over the model's parameters, or some of them.
    loss : function, optional
        ``value, doutput = loss(output, y)``.
    epochs : int, optional
        How often the batches are walked through.
    clip_norm : float, optional
        Longest common length of the gradients, see `clip_grad_norm`.
    carry_state : bool, optional
        Truncated backpropagation: ``output, state = model(x, state)``, where state is None
        at the beginning of an epoch and after that what the batch before returned. The
        gradient ends where a batch begins. For `Pieces`.
    evaluate : function of nothing, optional
        Called after every epoch with the model in evaluation; returns named numbers.
    schedule : Schedule, optional
        Over the optimiser; its `step` runs after every update, so it counts updates:
        ``10 * len(batches)`` of them are ten epochs. `ReduceLROnPlateau` looks at its
        number after every epoch.
    early_stopping : EarlyStopping, optional
        When to stop before all epochs are through. However training ends, the model then
        has the weights of the best epoch.
    stop : function of the history, optional
        Asked after every epoch; training ends when it says True, with the weights as they
        are: ``lambda history: history["error"][-1] < 0.01``.
    checkpoint : path, optional
        A file to which all is written before the first epoch and after each. If it is
        there already, training goes on from it. Only epochs may then be another than
        before; all else must be given anew as at first. An epoch in the middle of
        which training broke off is done again. See Notes.
    progress : bool, optional
        Show a bar, where there is a terminal or a notebook and tqdm is installed.

    Returns
    -------
    history : dict of str to list of float
        "loss": the mean loss of every epoch, over its examples; "step": the loss of every
        update; and a list for each number that `evaluate` returned.

    Raises
    ------
    FloatingPointError
        If the loss, or a gradient that is to be clipped, is no longer a number; the
        parameters are those before that update. Or if a parameter is none at the end of an
        epoch; no checkpoint of it is written.
    ValueError
        If the batches are empty, if the optimiser moves none of the model's parameters, if
        other arguments do not fit each other, or if the checkpoint is damaged or that of
        another training.

    Notes
    -----
    A batch counts for its number of examples in the mean of an epoch. Batches that are not
    made by `Batches` or `Buckets` count for the size of their y, if it is an array.

    A training that goes on from a checkpoint ends with
    the very bits of one that was never broken off, as long as randomness comes from
    `numpy.random.Generator` objects that are attributes of the batches or of a module,
    and nothing else is carried from epoch to epoch.

    Examples
    --------
    >>> from rnnlib import SGD, Linear
    >>> x, y = np.eye(3), np.array([2, 0, 1])
    >>> model = Linear(3, 3, seed=0)
    >>> history = fit(model, [(x, y)], SGD(model.parameters(), lr=5.0), epochs=20)
    >>> history["loss"][-1] < 0.1
    True
    """
    expect_positive("epochs", epochs)
    if not set(model.parameters()) & set(optimizer.parameters):
        raise ValueError(
            "optimizer moves none of the model's parameters: was the model made anew since? Then "
            "make the optimizer anew, too"
        )
    if schedule is not None:
        schedule.expect_in_charge(optimizer)
    if early_stopping is not None:
        early_stopping.begin(model)
    history: dict[str, list[float]] = {"loss": [], "step": []}
    file = None
    if checkpoint is not None:
        optional: dict[str, Any] = {"schedule": schedule, "early_stopping": early_stopping}
        parts = {name: part for name, part in optional.items() if part is not None}
        parts |= {"optimizer": optimizer, "model": model}
        settings = _settings(parts, batches, loss, clip_norm, carry_state)
        file = Checkpoint(checkpoint, parts, _generators(model, batches), settings)
        if file.exists():
            history = file.read(epochs)
        else:
            file.write(history)

    done = len(history["loss"])
    with closing(_bar(epochs, progress, done)) as bar:
        for _ in range(done, epochs):
            if early_stopping is not None and early_stopping.done:
                break
            if stop is not None and history["loss"] and stop(history):
                break
            history["loss"].append(
                _epoch(
                    model,
                    batches,
                    optimizer,
                    loss,
                    clip_norm,
                    carry_state,
                    schedule,
                    history["step"],
                )
            )
            if evaluate is not None:
                _evaluate(model, evaluate, history)
            if schedule is not None:
                schedule.after_epoch(history)
            if early_stopping is not None:
                early_stopping.look(history, model)
            if file is not None:
                file.write(history)
            bar.set_postfix(loss=f"{history['loss'][-1]:.4f}")
            bar.update()
    if early_stopping is not None:
        model.load_state_dict(early_stopping.weights)
    model.train()
    return history


@np.errstate(over="ignore", invalid="ignore")  # said in words, as FloatingPointError
def _epoch(
    model: Module,
    batches: Iterable[tuple[Any, Any]],
    optimizer: Optimizer,
    loss: Callable[[Any, Any], tuple[float, Any]],
    clip_norm: float | None,
    carry_state: bool,
    schedule: Schedule | None,
    steps: list[float],
) -> float:
    """Walk through the batches once; add the loss of each to `steps`, and return their mean."""
    model.train()
    state = None
    total = examples = 0.0
    for x, y in batches:
        output = model(x, state) if carry_state else model(x)
        if carry_state:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise ValueError("carry_state needs a model that returns (output, state)")
            output, state = output
        value, doutput = loss(output, y)
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the loss is {value} at update {len(steps) + 1}: look for NaN in "
                "the data, lower the learning rate, or clip the gradients (clip_norm)"
            )
        optimizer.zero_grad()
        model.backward(doutput)
        if clip_norm is not None:
            clip_grad_norm(optimizer.parameters, clip_norm)
        optimizer.step()
        if schedule is not None:
            schedule.after_update()
        steps.append(float(value))
        count = _examples(batches, y)
        total, examples = total + count * value, examples + count
    if examples == 0:
        raise ValueError("batches is empty: an epoch had nothing to learn from")
    for name, parameter in model.named_parameters():
        if not np.isfinite(parameter.data).all():
            raise FloatingPointError(
                f"{name} is no longer finite after update {len(steps)}: lower the learning "
                "rate, or clip the gradients (clip_norm)"
            )
    return float(total / examples)


def _examples(batches: object, y: Any) -> int:
    """How many examples a batch holds; the size of its targets where nothing tells them apart."""
    axis = getattr(batches, "target_axis", None)
    if axis is not None:
        return np.shape(y)[axis]
    return y.size if isinstance(y, np.ndarray) else 1


def _evaluate(
    model: Module, evaluate: Callable[[], dict[str, float]], history: dict[str, list[float]]
) -> None:
    """Add what `evaluate` finds to the history."""
    model.eval()
    numbers = evaluate()
    model.train()
    taken = sorted({"loss", "step"} & set(numbers))
    if taken:
        raise ValueError(f"evaluate returned {taken[0]!r}, a name that the history has already")
    for name, number in numbers.items():
        history.setdefault(name, []).append(float(number))


def _settings(
    parts: Mapping[str, Any],
    batches: Iterable[tuple[Any, Any]],
    loss: Callable[[Any, Any], tuple[float, Any]],
    clip_norm: float | None,
    carry_state: bool,
) -> dict[str, str]:
    """What a checkpoint's training must have in common with the one that goes on from it."""
    known = [
        f"{name} {getattr(batches, name)}"
        for name in ("examples", "batch_size", "steps", "batches")
        if hasattr(batches, name)
    ]
    return {
        "model": type(parts["model"]).__name__,
        **{name: repr(part) for name, part in parts.items() if name != "model"},
        "batches": ", ".join([type(batches).__name__, *known]),
        "loss": getattr(loss, "__name__", type(loss).__name__),
        "clip_norm": str(clip_norm),
        "carry_state": str(carry_state),
    }


def _generators(model: Module, batches: object) -> dict[str, np.random.Generator]:
    """All generators of random numbers that are attributes of a module or of the batches."""
    owners: dict[str, object] = {"batches": batches}
    owners |= {f"model.{path}".rstrip("."): module for path, module in model.named_modules()}
    return {
        f"{path}.{name}": value
        for path, owner in owners.items()
        for name, value in getattr(owner, "__dict__", {}).items()
        if isinstance(value, np.random.Generator)
    }


def _expect_axis(name: str, value: Any, axis: int, hint: str = "") -> np.ndarray:
    """`value` as an array with this axis, or a ValueError that ends in the hint."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} holds sequences of different lengths, which are no array: Buckets takes them"
        ) from None
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(
            f"{name} has shape {array.shape}, without an axis {axis} to count along{hint}"
        )
    return array


def _expect_alike(name: str, arrays: Sequence[Any], ragged: bool) -> list[np.ndarray]:
    """Arrays of one dtype and one shape, but for their first axis where they are ragged."""
    alike = [np.asarray(array) for array in arrays]
    if not alike:
        raise ValueError(f"{name} holds no examples")
    for n, array in enumerate(alike):
        if ragged and array.ndim == 0:
            raise ValueError(f"{name}[{n}] is one number, but a sequence is needed")
        if array.shape[ragged:] != alike[0].shape[ragged:] or array.dtype != alike[0].dtype:
            raise ValueError(
                f"{name}[{n}] has shape {array.shape} and dtype {array.dtype}, which does not "
                f"go with {name}[0] of shape {alike[0].shape} and dtype {alike[0].dtype}"
            )
    return alike


def _pad(sequences: list[np.ndarray], fill: float) -> np.ndarray:
    """(T, B, …) array: the sequences side by side, filled up to the longest."""
    T, B = max(map(len, sequences)), len(sequences)
    padded = np.full((T, B, *sequences[0].shape[1:]), fill, dtype=sequences[0].dtype)
    for b, sequence in enumerate(sequences):
        padded[: len(sequence), b] = sequence
    return padded


def _bar(total: int, progress: bool, done: int = 0) -> Any:
    """A tqdm bar over epochs; silent where nobody could see it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm warns where widgets are missing
            from tqdm.auto import tqdm
    except ImportError:
        return _NoBar()
    # None: silent unless there is a terminal; a notebook shows its own bar
    disable = None if progress else True
    return tqdm(total=total, initial=done, unit="epoch", disable=disable)


class _NoBar:
    """Stands where tqdm would, when it is not installed."""

    def set_postfix(self, **numbers: str) -> None:
        """Do nothing."""

    def update(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
