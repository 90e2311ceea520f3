"""How the learning rate changes while training goes on; torch's names and arguments."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .optim import Optimizer, expect_state
from .validation import expect_positive


class Schedule:
    """What every schedule has: it sets an optimiser's learning rate from step to step.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rate is set at once, to the schedule's first.

    Attributes
    ----------
    steps : int
        How often `step` ran.

    Examples
    --------
    A schedule of one's own says what the learning rate is after n steps.

    >>> from rnnlib import SGD, Parameter
    >>> class Halving(Schedule):
    ...     def rate(self, n):
    ...         return self.optimizer.initial_lr / 2**n
    >>> optimizer = SGD([Parameter(np.ones(1))], lr=1.0)
    >>> Halving(optimizer).step()
    >>> optimizer.lr
    0.5
    """

    arguments: tuple[str, ...] = ()  # what it was made with, besides the optimiser

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.steps = 0
        self.optimizer.lr = self.rate(0)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.arguments)
        return f"{type(self).__name__}({inside})"

    def rate(self, n: int) -> float:
        """The learning rate after n steps; subclasses define it.

        Parameters
        ----------
        n : int

        Returns
        -------
        float
        """
        raise NotImplementedError(f"{type(self).__name__} defines no rate")

    def step(self) -> None:
        """Set the learning rate for what comes next: after every update, or every epoch."""
        self.steps += 1
        self.optimizer.lr = self.rate(self.steps)

    def state_dict(self) -> dict[str, np.ndarray]:
        """How far the schedule has come.

        Returns
        -------
        dict of str to array
            "steps".
        """
        return {"steps": np.array(self.steps)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another schedule was. The learning rate is the optimiser's to keep.

        Parameters
        ----------
        state : mapping of str to array
            What `state_dict` returned.

        Raises
        ------
        ValueError
            If it is not such a state.
        """
        self.steps = int(expect_state(type(self).__name__, state, self.state_dict())["steps"])


class StepLR(Schedule):
    """The learning rate falls in stairs: times γ every `step_size` steps.

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

    Notes
    -----
    Derived in chapter 04_text.

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
        """The learning rate after n steps: lr · γ^⌊n / step_size⌋."""
        return self.optimizer.initial_lr * self.gamma ** (n // self.step_size)


class ExponentialLR(Schedule):
    """The learning rate falls by the same share at every step.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
        γ, in 0 … 1: what is left after a step.

    Raises
    ------
    ValueError
        If gamma lies outside 0 … 1.

    Notes
    -----
    Derived in chapter 04_text.

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
        """The learning rate after n steps: lr · γ^n."""
        return self.optimizer.initial_lr * self.gamma**n


class CosineAnnealingLR(Schedule):
    """The learning rate falls along half a cosine: slowly, fast, slowly.

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

    Notes
    -----
    Derived in chapter 04_text.

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
        """The learning rate after n steps: η + (lr - η) · (1 + cos(π n / T_max)) / 2."""
        height = (1.0 + math.cos(math.pi * n / self.T_max)) / 2.0
        return self.eta_min + (self.optimizer.initial_lr - self.eta_min) * height


class LinearLR(Schedule):
    """The learning rate warms up in a straight line, and then stays.

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

    Notes
    -----
    Derived in chapter 04_text.

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
        """The learning rate after n steps, on the line from the first factor to the last."""
        way = min(n, self.total_iters) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * way
        return self.optimizer.initial_lr * factor


class SequentialLR(Schedule):
    """One schedule after the other, each counted from its own beginning.

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

    Notes
    -----
    Derived in chapter 04_text.

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
        super().__init__(optimizer)

    def rate(self, n: int) -> float:
        """The learning rate after n steps: that of the schedule whose turn it is."""
        k = bisect_right(self.milestones, n)
        return self.schedulers[k].rate(n - [0, *self.milestones][k])


def _share(name: str, value: float) -> float:
    """`value` as it is, or a ValueError that names it unless it lies in 0 … 1."""
    if not 0.0 < value <= 1.0:
        raise ValueError(f"{name} must lie in 0 … 1 (0 excluded), got {value}")
    return value
