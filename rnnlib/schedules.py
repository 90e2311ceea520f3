"""How the learning rate changes while training goes on; torch's names and arguments."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .optim import Optimizer
from .validation import expect_positive, expect_state


class Schedule:
    """Sets an optimiser's learning rate, at once and then from step to step.

    A schedule of one's own defines `rate`; `steps` counts the calls of `step`. The schedule
    that was made last is the one that sets an optimiser's learning rate.
    """

    arguments: tuple[str, ...] = ()  # what it was made with, besides the optimiser

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.steps = 0
        optimizer.schedule = self
        optimizer.lr = self.rate(0)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.arguments)
        return f"{type(self).__name__}({inside})"

    def rate(self, n: int) -> float:
        """Compute the learning rate after n steps; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} defines no rate")

    def step(self) -> None:
        """Set the learning rate for what comes next: after every update, or every epoch."""
        self.expect_in_charge(self.optimizer)
        self.steps += 1
        self.optimizer.lr = self.rate(self.steps)

    def after_update(self) -> None:
        """What `fit` calls after every update."""
        self.step()

    def after_epoch(self, history: Mapping[str, list[float]]) -> None:
        """What `fit` calls after every epoch."""

    def expect_in_charge(self, optimizer: Optimizer) -> None:
        """Raise a ValueError unless this is the schedule that sets the optimiser's rate."""
        if self.optimizer is not optimizer:
            raise ValueError("schedule is over another optimizer than the one given")
        if optimizer.schedule is not self:
            raise ValueError(
                f"{self!r} and {optimizer.schedule!r} cannot both set one learning rate: the one "
                "made last does; SequentialLR takes one after the other"
            )

    def state_dict(self) -> dict[str, np.ndarray]:
        """Tell how far the schedule has come: "steps"."""
        return {"steps": np.array(self.steps)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another schedule was, with the learning rate that it had."""
        self.steps = int(expect_state(type(self).__name__, state, self.state_dict())["steps"])
        self.optimizer.lr = self.rate(self.steps)


class StepLR(Schedule):
    """Lower the learning rate in stairs: times γ every step_size steps. Derived in chapter 04_text.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
        Length of a stair, in steps of the schedule.
    gamma : float, optional
        γ, in 0 … 1: what is left after a stair.

    Raises
    ------
    ValueError
        If step_size is not a whole number of at least 1, or gamma lies outside 0 … 1.

    Examples
    --------
    >>> from rnnlib import SGD, Parameter
    >>> schedule = StepLR(SGD([Parameter(np.ones(1))], lr=1.0), step_size=2, gamma=0.5)
    >>> [schedule.rate(n) for n in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    arguments = ("step_size", "gamma")

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = expect_positive("step_size", step_size)
        self.gamma = _share("gamma", gamma)
        super().__init__(optimizer)

    def rate(self, n: int) -> float:
        """Compute the learning rate after n steps: lr · γ^⌊n / step_size⌋."""
        return self.optimizer.initial_lr * self.gamma ** (n // self.step_size)


class ExponentialLR(Schedule):
    """Lower the learning rate by the same share at every step. Derived in chapter 04_text.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
        γ, in 0 … 1: what is left after a step.

    Raises
    ------
    ValueError
        If gamma lies outside 0 … 1.

    Examples
    --------
    >>> from rnnlib import SGD, Parameter
    >>> schedule = ExponentialLR(SGD([Parameter(np.ones(1))], lr=1.0), gamma=0.5)
    >>> [schedule.rate(n) for n in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    arguments = ("gamma",)

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = _share("gamma", gamma)
        super().__init__(optimizer)

    def rate(self, n: int) -> float:
        """Compute the learning rate after n steps: lr · γ^n."""
        return self.optimizer.initial_lr * self.gamma**n


class CosineAnnealingLR(Schedule):
    """Lower the learning rate along half a cosine. Derived in chapter 04_text.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        Steps of the schedule from the top to the bottom. Whoever goes on climbs again.
    eta_min : float, optional
        The learning rate at the bottom.

    Raises
    ------
    ValueError
        If T_max is not a whole number of at least 1, or eta_min is negative.

    References
    ----------
    Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR
    2017, equation 5, without restarts.

    Examples
    --------
    >>> from rnnlib import SGD, Parameter
    >>> schedule = CosineAnnealingLR(SGD([Parameter(np.ones(1))], lr=1.0), T_max=4)
    >>> [round(schedule.rate(n), 4) for n in range(5)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    arguments = ("T_max", "eta_min")

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = expect_positive("T_max", T_max)
        if not 0.0 <= eta_min < math.inf:
            raise ValueError(f"eta_min must be a finite number of at least 0, got {eta_min}")
        self.eta_min = eta_min
        super().__init__(optimizer)

    def rate(self, n: int) -> float:
        """Compute the learning rate after n steps: η + (lr - η) · (1 + cos(π n / T_max)) / 2."""
        height = (1.0 + math.cos(math.pi * n / self.T_max)) / 2.0
        return self.eta_min + (self.optimizer.initial_lr - self.eta_min) * height


class LinearLR(Schedule):
    """Warm the learning rate up in a straight line, then keep it. Derived in chapter 04_text.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float, optional
        What the learning rate is multiplied with at first, in 0 … 1 (0 excluded).
    end_factor : float, optional
        And from step total_iters on, in 0 … 1.
    total_iters : int, optional
        Steps of the schedule from the first to the last.

    Raises
    ------
    ValueError
        If a factor lies outside 0 … 1, or total_iters is not a whole number of at least 1.

    References
    ----------
    Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017,
    section 2.2.

    Examples
    --------
    >>> from rnnlib import SGD, Parameter
    >>> schedule = LinearLR(SGD([Parameter(np.ones(1))], lr=1.0), 0.25, total_iters=3)
    >>> [schedule.rate(n) for n in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    arguments = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = _share("start_factor", start_factor)
        if not 0.0 <= end_factor <= 1.0:
            raise ValueError(f"end_factor must lie in 0 … 1, got {end_factor}")
        self.end_factor = end_factor
        self.total_iters = expect_positive("total_iters", total_iters)
        super().__init__(optimizer)

    def rate(self, n: int) -> float:
        """Compute the learning rate after n steps, on the line between the two factors."""
        way = min(n, self.total_iters) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * way
        return self.optimizer.initial_lr * factor


class SequentialLR(Schedule):
    """Take one schedule after the other, each from its own beginning. Derived in chapter 04_text.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : sequence of Schedule
        All over this optimiser.
    milestones : sequence of int
        The step at which each schedule but the first begins, in growing order.

    Raises
    ------
    ValueError
        If there is not one milestone less than schedules, if the milestones do not
        grow, or if a schedule is over another optimiser.

    Examples
    --------
    Warm up, then fall:

    >>> from rnnlib import SGD, Parameter
    >>> optimizer = SGD([Parameter(np.ones(1))], lr=1.0)
    >>> warm, fall = LinearLR(optimizer, 0.5, total_iters=2), ExponentialLR(optimizer, 0.1)
    >>> schedule = SequentialLR(optimizer, [warm, fall], milestones=[2])
    >>> [round(schedule.rate(n), 4) for n in range(5)]
    [0.5, 0.75, 1.0, 0.1, 0.01]
    """

    arguments = ("schedulers", "milestones")

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]
    ) -> None:
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        if len(self.milestones) != len(self.schedulers) - 1:
            raise ValueError(
                f"milestones must be one less than the {len(self.schedulers)} schedules, "
                f"got {len(self.milestones)}"
            )
        starts = [0, *(expect_positive("milestones", start) for start in self.milestones)]
        if any(late <= early for early, late in pairwise(starts)):
            raise ValueError(f"milestones must grow, got {self.milestones}")
        if any(schedule.optimizer is not optimizer for schedule in self.schedulers):
            raise ValueError("schedulers must all be over the same optimizer as this one")
        if any(isinstance(schedule, ReduceLROnPlateau) for schedule in self.schedulers):
            raise ValueError(
                "schedulers holds a ReduceLROnPlateau, which goes by no count of steps"
            )
        super().__init__(optimizer)

    def rate(self, n: int) -> float:
        """Compute the learning rate after n steps: that of the schedule whose turn it is."""
        k = bisect_right(self.milestones, n)
        return self.schedulers[k].rate(n - [0, *self.milestones][k])


class ReduceLROnPlateau(Schedule):
    """Lower the learning rate when a number stops improving. Derived in chapter 12_forecasting.

    Its `step` takes that number; `fit` calls it once an epoch.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}, optional
        Whether a smaller number is better, or a larger one.
    factor : float, optional
        What the learning rate is multiplied with, in 0 … 1 (both excluded).
    patience : int, optional
        Epochs in a row without a new best that are let pass; at the next one it falls.
    threshold : float, optional
        By what share of the best a number must be better to count as a new best.
    min_lr : float, optional
        The learning rate never falls below.
    watch : str, optional
        In `fit`: the name of a number that `evaluate` returns, or "loss".

    Raises
    ------
    ValueError
        If an argument lies outside.

    Examples
    --------
    >>> from rnnlib import SGD, Parameter
    >>> optimizer = SGD([Parameter(np.ones(1))], lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for error in [0.9, 0.8, 0.8, 0.8]:
    ...     schedule.step(error)
    >>> optimizer.lr
    0.5
    """

    arguments = ("mode", "factor", "patience", "threshold", "min_lr", "watch")

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        min_lr: float = 0.0,
        watch: str = "loss",
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be 'min' or 'max', got {mode!r}")
        if not 0.0 < factor < 1.0:
            raise ValueError(f"factor must lie in 0 … 1 (both excluded), got {factor}")
        if not (isinstance(patience, int) and patience >= 0):
            raise ValueError(f"patience must be a whole number of at least 0, got {patience!r}")
        if not threshold >= 0.0:
            raise ValueError(f"threshold must be at least 0, got {threshold}")
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.min_lr, self.watch = threshold, min_lr, watch
        self.best = math.inf if mode == "min" else -math.inf
        self.stale = 0  # steps since the last best, or since the learning rate fell
        super().__init__(optimizer)

    def rate(self, n: int) -> float:
        """Give the learning rate as it is: no function of n."""
        return self.optimizer.lr

    def step(self, number: float) -> None:  # type: ignore[override]
        """Look at the number, and lower the learning rate if patience has run out."""
        self.expect_in_charge(self.optimizer)
        self.steps += 1
        margin = self.threshold * abs(self.best) if math.isfinite(self.best) else 0.0
        if number < self.best - margin if self.mode == "min" else number > self.best + margin:
            self.best, self.stale = float(number), 0
        else:
            self.stale += 1
        if self.stale > self.patience:
            self.optimizer.lr = min(
                self.optimizer.lr, max(self.optimizer.lr * self.factor, self.min_lr)
            )
            self.stale = 0

    def after_update(self) -> None:
        """Wait for the end of the epoch."""

    def after_epoch(self, history: Mapping[str, list[float]]) -> None:
        """Look at the last number of the history that is watched."""
        self.step(watched("schedule", self.watch, history))

    def state_dict(self) -> dict[str, np.ndarray]:
        """Tell how far the schedule has come: "steps", "best", "stale" and "lr"."""
        numbers = {"best": self.best, "stale": self.stale, "lr": self.optimizer.lr}
        return super().state_dict() | {name: np.array(value) for name, value in numbers.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another schedule was, with the learning rate that it had."""
        arrays = expect_state(type(self).__name__, state, self.state_dict())
        self.optimizer.lr = float(arrays["lr"])
        self.steps, self.stale = int(arrays["steps"]), int(arrays["stale"])
        self.best = float(arrays["best"])


def watched(owner: str, name: str, history: Mapping[str, list[float]]) -> float:
    """The last number of this name in a history, or a ValueError if there is none."""
    if name not in history:
        raise ValueError(f"{owner} watches {name!r}, but there is only {sorted(history)}")
    return history[name][-1]


def _share(name: str, value: float) -> float:
    """`value` as it is, or a ValueError that names it unless it lies in 0 … 1."""
    if not 0.0 < value <= 1.0:
        raise ValueError(f"{name} must lie in 0 … 1 (0 excluded), got {value}")
    return value
