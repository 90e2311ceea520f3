"""How parameters move once their gradients are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .module import Parameter


class Optimizer:
    """What every optimiser has: the parameters it moves, a learning rate, a memory.

    Parameters
    ----------
    parameters : sequence of Parameter
    lr : float
        Learning rate, positive.

    Attributes
    ----------
    lr : float
        The learning rate of the next step. May be changed between steps, down to 0.
    initial_lr : float
        The learning rate it was made with.
    steps : int
        How often `step` ran.

    Raises
    ------
    ValueError
        If there is nothing to optimise, or the learning rate is not positive.

    Examples
    --------
    >>> Optimizer([], lr=0.1)
    Traceback (most recent call last):
    ...
    ValueError: parameters is empty: there is nothing to optimise
    """

    arguments: tuple[str, ...] = ()  # what it was made with, besides lr
    memory: tuple[str, ...] = ()  # attributes that hold one array for each parameter

    def __init__(self, parameters: Sequence[Parameter], lr: float) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("parameters is empty: there is nothing to optimise")
        if not lr > 0:
            raise ValueError(f"lr must be positive, got {lr}")
        self.lr = lr
        self.initial_lr = self.lr
        self.steps = 0

    def __repr__(self) -> str:
        others = "".join(f", {name}={getattr(self, name)!r}" for name in self.arguments)
        return f"{type(self).__name__}(lr={self.initial_lr!r}{others})"

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        if not 0.0 <= value < math.inf:
            raise ValueError(f"lr must be a finite number of at least 0, got {value}")
        self._lr = float(value)

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        for parameter in self.parameters:
            parameter.grad[...] = 0.0

    def step(self) -> None:
        """Move every parameter once; subclasses define how."""
        raise NotImplementedError(f"{type(self).__name__} defines no step")

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all that changes from step to step, for training to go on from here.

        Returns
        -------
        dict of str to array
            "lr", "steps", and for each parameter what is remembered of its gradients,
            numbered in the order of the parameters, such as "means.0".

        Notes
        -----
        Derived in chapter 04_text.
        """
        state = {"lr": np.array(self.lr), "steps": np.array(self.steps)}
        for name in self.memory:
            state |= {f"{name}.{k}": array.copy() for k, array in enumerate(getattr(self, name))}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another optimiser of this class was; on an error nothing changes.

        Parameters
        ----------
        state : mapping of str to array
            What `state_dict` returned.

        Raises
        ------
        ValueError
            If a name is missing or not known, or if a shape or a kind of number differs.

        Notes
        -----
        Derived in chapter 04_text.
        """
        arrays = expect_state(type(self).__name__, state, self.state_dict())
        self.lr = float(arrays["lr"])
        self.steps = int(arrays["steps"])
        for name in self.memory:
            for k, own in enumerate(getattr(self, name)):
                own[...] = arrays[f"{name}.{k}"]


class SGD(Optimizer):
    """Stochastic gradient descent: a step downhill, with momentum if wanted.

    v ← μ v + g, then θ ← θ - lr · v.

    Parameters
    ----------
    parameters : sequence of Parameter
    lr : float
        Learning rate.
    momentum : float, optional
        μ, in 0 … 1: how much of the last step goes into this one.

    Raises
    ------
    ValueError
        If lr is not positive, or momentum lies outside 0 … 1.

    Notes
    -----
    Derived in chapter 03_bptt.

    Examples
    --------
    >>> weight = Parameter(np.array([1.0]))
    >>> weight.grad += 2.0
    >>> SGD([weight], lr=0.25).step()
    >>> weight.data.tolist()
    [0.5]
    """

    arguments = ("momentum",)
    memory = ("velocities",)

    def __init__(self, parameters: Sequence[Parameter], lr: float, momentum: float = 0.0) -> None:
        super().__init__(parameters, lr)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"momentum must lie in 0 … 1 (1 excluded), got {momentum}")
        self.momentum = momentum
        self.velocities = [np.zeros_like(parameter.data) for parameter in self.parameters]

    def step(self) -> None:
        """Move every parameter once along its gradient."""
        self.steps += 1
        for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
            velocity *= self.momentum
            velocity += parameter.grad
            parameter.data -= self.lr * velocity


class RMSprop(Optimizer):
    """A step of about lr for every parameter: the gradient divided by its usual size.

    A running mean v of the gradient's square says what is usual: v ← α v + (1 - α) g²,
    then θ ← θ - lr · g / (√v + ε). With momentum the quotient goes into a velocity, as
    in `SGD`.

    Parameters
    ----------
    parameters : sequence of Parameter
    lr : float, optional
        Learning rate.
    alpha : float, optional
        α, in 0 … 1: how slowly v forgets.
    eps : float, optional
        ε, so that nothing is divided by zero.
    momentum : float, optional
        μ, in 0 … 1: how much of the last step goes into this one.

    Raises
    ------
    ValueError
        If lr is not positive, or alpha or momentum lies outside 0 … 1.

    References
    ----------
    Tieleman and Hinton, Neural networks for machine learning, lecture 6.5, 2012.

    Notes
    -----
    Derived in chapter 03_bptt. As torch's, which is not centred unless asked: v is the
    mean square, not the variance.

    Examples
    --------
    >>> weight = Parameter(np.array([1.0]))
    >>> weight.grad += 1000.0
    >>> RMSprop([weight], lr=0.25, alpha=0.0).step()
    >>> weight.data.round(6).tolist()
    [0.75]
    """

    arguments = ("alpha", "eps", "momentum")
    memory = ("squares", "velocities")

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        if not 0.0 <= alpha < 1.0:
            raise ValueError(f"alpha must lie in 0 … 1 (1 excluded), got {alpha}")
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"momentum must lie in 0 … 1 (1 excluded), got {momentum}")
        self.alpha = alpha
        self.eps = eps
        self.momentum = momentum
        self.squares = [np.zeros_like(parameter.data) for parameter in self.parameters]
        self.velocities = [np.zeros_like(parameter.data) for parameter in self.parameters]

    def step(self) -> None:
        """Move every parameter once."""
        self.steps += 1
        for parameter, v, velocity in zip(
            self.parameters, self.squares, self.velocities, strict=True
        ):
            v *= self.alpha
            v += (1.0 - self.alpha) * parameter.grad**2
            velocity *= self.momentum
            velocity += parameter.grad / (np.sqrt(v) + self.eps)
            parameter.data -= self.lr * velocity


class Adam(Optimizer):
    """A step of about lr for every parameter, whatever the size of its gradient.

    Running means m of the gradient and v of its square, both corrected for
    their start at zero: θ ← θ - lr · m̂ / (√v̂ + ε).

    Parameters
    ----------
    parameters : sequence of Parameter
    lr : float, optional
        Learning rate.
    betas : (float, float), optional
        How slowly m and v forget.
    eps : float, optional
        ε, so that nothing is divided by zero.

    Raises
    ------
    ValueError
        If lr is not positive, or a beta lies outside 0 … 1.

    References
    ----------
    Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.

    Notes
    -----
    Derived in chapter 03_bptt.

    Examples
    --------
    >>> weight = Parameter(np.array([1.0]))
    >>> weight.grad += 1000.0
    >>> Adam([weight], lr=0.25).step()
    >>> weight.data.round(6).tolist()
    [0.75]
    """

    arguments = ("betas", "eps")
    memory = ("means", "squares")

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        if not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"betas must lie in 0 … 1 (1 excluded), got {betas}")
        self.betas = betas
        self.eps = eps
        self.means = [np.zeros_like(parameter.data) for parameter in self.parameters]
        self.squares = [np.zeros_like(parameter.data) for parameter in self.parameters]

    def step(self) -> None:
        """Move every parameter once."""
        beta_1, beta_2 = self.betas
        self.steps += 1
        correction_1 = 1.0 - beta_1**self.steps
        correction_2 = 1.0 - beta_2**self.steps
        for parameter, m, v in zip(self.parameters, self.means, self.squares, strict=True):
            m *= beta_1
            m += (1.0 - beta_1) * parameter.grad
            v *= beta_2
            v += (1.0 - beta_2) * parameter.grad**2
            root = np.sqrt(v / correction_2)
            root += self.eps
            parameter.data -= (self.lr / correction_1) * m / root


def clip_grad_norm(parameters: Sequence[Parameter], max_norm: float) -> float:
    """Shorten all gradients together so that their common length is at most `max_norm`.

    The direction stays: every gradient is multiplied by the same number.

    Parameters
    ----------
    parameters : sequence of Parameter
    max_norm : float
        The longest length allowed, positive.

    Returns
    -------
    float
        The length before.

    Raises
    ------
    ValueError
        If max_norm is not positive.

    References
    ----------
    Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural
    networks, ICML 2013, algorithm 1.

    Notes
    -----
    Derived in chapter 05_gradients.

    Examples
    --------
    >>> weight = Parameter(np.zeros(2))
    >>> weight.grad += [3.0, 4.0]
    >>> clip_grad_norm([weight], max_norm=1.0)
    5.0
    >>> weight.grad.round(4).tolist()
    [0.6, 0.8]
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    norm = float(np.sqrt(sum(float(np.vdot(p.grad, p.grad)) for p in parameters)))
    # torch adds the same 1e-6, which keeps the two bit-close
    factor = max_norm / (norm + 1e-6)
    if factor < 1.0:
        for parameter in parameters:
            parameter.grad *= factor
    return norm


def clip_grad_value(parameters: Sequence[Parameter], max_value: float) -> None:
    """Cut every entry of every gradient to -max_value … max_value.

    Unlike `clip_grad_norm` this turns the gradient's direction.

    Parameters
    ----------
    parameters : sequence of Parameter
    max_value : float
        The largest size allowed, positive.

    Raises
    ------
    ValueError
        If max_value is not positive.

    Notes
    -----
    Derived in chapter 05_gradients.

    Examples
    --------
    >>> weight = Parameter(np.zeros(2))
    >>> weight.grad += [3.0, -0.5]
    >>> clip_grad_value([weight], max_value=1.0)
    >>> weight.grad.tolist()
    [1.0, -0.5]
    """
    if not max_value > 0:
        raise ValueError(f"max_value must be positive, got {max_value}")
    for parameter in parameters:
        np.clip(parameter.grad, -max_value, max_value, out=parameter.grad)


def expect_state(
    owner: str, state: Mapping[str, Any], own: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The arrays of a state, or a ValueError that says what does not fit.

    Parameters
    ----------
    owner : str
        What the state is for.
    state : mapping of str to array
        What came in.
    own : mapping of str to array
        What is needed: the same names, shapes and kinds of numbers.

    Returns
    -------
    dict of str to array

    Raises
    ------
    ValueError
        If a name is missing or not known, or if a shape or a kind of number differs.

    Examples
    --------
    >>> expect_state("SGD", {"lr": np.array([0.1])}, {"lr": np.array(0.1)})
    Traceback (most recent call last):
    ...
    ValueError: lr of SGD has shape (1,), but shape () is needed
    """
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    if missing or unexpected:
        raise ValueError(
            f"the state does not fit {owner}: "
            f"missing {missing or 'nothing'}, unexpected {unexpected or 'nothing'}"
        )
    arrays = {name: np.asarray(state[name]) for name in own}
    for name, array in arrays.items():
        if array.shape != own[name].shape:
            raise ValueError(
                f"{name} of {owner} has shape {array.shape}, but shape {own[name].shape} is needed"
            )
        if array.dtype.kind != own[name].dtype.kind:
            raise ValueError(
                f"{name} of {owner} has dtype {array.dtype}, but {own[name].dtype} is needed"
            )
    return arrays
