"""How parameters move once their gradients are known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .module import Parameter
from .validation import expect_state


class Optimizer:
    """Holds what every optimiser has: the parameters it moves, a learning rate, a memory.

    `lr` is the learning rate of the next step and may be changed between steps, down to 0;
    `initial_lr` is the one it was made with; `steps` counts the calls of `step`; `schedule`
    is the one that sets `lr`, if there is any.
    """

    arguments: tuple[str, ...] = ()  # what it was made with, besides lr
    memory: tuple[str, ...] = ()  # attributes that hold one array for each parameter
    schedule: Any = None

    def __init__(
        self, parameters: Iterable[Parameter], lr: float, weight_decay: float = 0.0
    ) -> None:
        self.parameters = distinct(parameters)
        if not self.parameters:
            raise ValueError("parameters is empty: there is nothing to optimise")
        if not lr > 0:
            raise ValueError(f"lr must be positive, got {lr}")
        if not 0.0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay must be finite and at least 0, got {weight_decay}")
        self.lr = lr
        self.initial_lr = self.lr
        self.weight_decay = float(weight_decay)
        self.steps = 0
        for name in self.memory:
            setattr(self, name, [np.zeros_like(parameter.data) for parameter in self.parameters])

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

    def gradient(self, parameter: Parameter) -> np.ndarray:
        """The gradient of the loss plus ½ λ ‖θ‖², where λ is the weight decay."""
        if self.weight_decay == 0.0:
            return parameter.grad
        return parameter.grad + self.weight_decay * parameter.data

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copy what changes from step to step: "lr", "steps", and the memory as "means.0"."""
        state = {"lr": np.array(self.lr), "steps": np.array(self.steps)}
        for name in self.memory:
            state |= {f"{name}.{k}": array.copy() for k, array in enumerate(getattr(self, name))}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another optimiser of this class was; on an error nothing changes."""
        owner = type(self).__name__
        arrays = expect_state(owner, state, self.state_dict())
        for name, array in arrays.items():
            if np.isnan(array).any() or (name.startswith("squares.") and (array < 0).any()):
                raise ValueError(f"{name} of {owner} holds {array.min()}, which cannot be")
        self.lr = float(arrays["lr"])
        self.steps = int(arrays["steps"])
        for name in self.memory:
            for k, own in enumerate(getattr(self, name)):
                own[...] = arrays[f"{name}.{k}"]


class SGD(Optimizer):
    """Step downhill: stochastic gradient descent.

    v ← μ v + g, then θ ← θ - lr · v. With weight decay g is the gradient plus λ θ, as if
    ½ λ ‖θ‖² were part of the loss.

    Parameters
    ----------
    parameters : iterable of Parameter
        As ``model.parameters()`` gives them; one that is there twice counts once.
    lr : float
        Learning rate.
    momentum : float, optional
        μ, in 0 … 1: how much of the last step goes into this one.
    weight_decay : float, optional
        λ, at least 0.

    Raises
    ------
    ValueError
        If lr is not positive, or another argument lies outside.

    Examples
    --------
    >>> weight = Parameter(np.array([1.0]))
    >>> weight.grad += 2.0
    >>> SGD([weight], lr=0.25).step()
    >>> weight.data.tolist()
    [0.5]
    """

    arguments = ("momentum", "weight_decay")
    memory = ("velocities",)
    velocities: list[np.ndarray]

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum = _below_one("momentum", momentum)

    def step(self) -> None:
        """Move every parameter once along its gradient."""
        self.steps += 1
        for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
            velocity *= self.momentum
            velocity += self.gradient(parameter)
            parameter.data -= self.lr * velocity


class RMSprop(Optimizer):
    """Divide each gradient by its usual size, for steps of about lr.

    A running mean v of the gradient's square says what is usual: v ← α v + (1 - α) g²,
    then θ ← θ - lr · g / (√v + ε). With momentum the quotient goes into a velocity, as
    in `SGD`. As torch's, which is not centred unless asked: v is the mean square, not
    the variance.

    Parameters
    ----------
    parameters : iterable of Parameter
    lr : float, optional
        Learning rate.
    alpha : float, optional
        α, in 0 … 1: how slowly v forgets.
    eps : float, optional
        ε, so that nothing is divided by zero.
    momentum, weight_decay : float, optional
        As in `SGD`.

    Raises
    ------
    ValueError
        If lr is not positive, or another argument lies outside.

    References
    ----------
    Tieleman and Hinton, Neural networks for machine learning, lecture 6.5, 2012.

    Examples
    --------
    >>> weight = Parameter(np.array([1.0]))
    >>> weight.grad += 1000.0
    >>> RMSprop([weight], lr=0.25, alpha=0.0).step()
    >>> weight.data.round(6).tolist()
    [0.75]
    """

    arguments = ("alpha", "eps", "momentum", "weight_decay")
    memory = ("squares", "velocities")
    squares: list[np.ndarray]
    velocities: list[np.ndarray]

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.alpha = _below_one("alpha", alpha)
        self.eps = eps
        self.momentum = _below_one("momentum", momentum)

    def step(self) -> None:
        """Move every parameter once."""
        self.steps += 1
        for parameter, v, velocity in zip(
            self.parameters, self.squares, self.velocities, strict=True
        ):
            g = self.gradient(parameter)
            v *= self.alpha
            v += (1.0 - self.alpha) * g**2
            velocity *= self.momentum
            velocity += g / (np.sqrt(v) + self.eps)
            parameter.data -= self.lr * velocity


class Adam(Optimizer):
    """Take steps of about lr, whatever the size of the gradient. Used from chapter 01_storybook on.

    Running means m of the gradient and v of its square, both corrected for
    their start at zero: θ ← θ - lr · m̂ / (√v̂ + ε).

    Parameters
    ----------
    parameters : iterable of Parameter
    lr : float, optional
        Learning rate.
    betas : (float, float), optional
        How slowly m and v forget.
    eps : float, optional
        ε, so that nothing is divided by zero.
    weight_decay : float, optional
        As in `SGD`. λ θ is divided by √v̂ with the gradient, so that weights with large
        gradients decay less; `AdamW` mends that.

    Raises
    ------
    ValueError
        If lr is not positive, or another argument lies outside.

    References
    ----------
    Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.

    Examples
    --------
    >>> weight = Parameter(np.array([1.0]))
    >>> weight.grad += 1000.0
    >>> Adam([weight], lr=0.25).step()
    >>> weight.data.round(6).tolist()
    [0.75]
    """

    arguments = ("betas", "eps", "weight_decay")
    memory = ("means", "squares")
    means: list[np.ndarray]
    squares: list[np.ndarray]

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        beta_1, beta_2 = betas
        self.betas = (_below_one("betas", beta_1), _below_one("betas", beta_2))
        self.eps = eps

    def step(self) -> None:
        """Move every parameter once."""
        beta_1, beta_2 = self.betas
        self.steps += 1
        correction_1 = 1.0 - beta_1**self.steps
        correction_2 = 1.0 - beta_2**self.steps
        for parameter, m, v in zip(self.parameters, self.means, self.squares, strict=True):
            g = self.gradient(parameter)
            m *= beta_1
            m += (1.0 - beta_1) * g
            v *= beta_2
            v += (1.0 - beta_2) * g**2
            root = np.sqrt(v / correction_2)
            root += self.eps
            parameter.data -= (self.lr / correction_1) * m / root


class AdamW(Adam):
    """Let the weights decay beside Adam's step, not through it. Derived in chapter 09_sentiment.

    θ ← (1 - lr · λ) θ, then Adam's step: all weights decay by the same share.

    Parameters
    ----------
    parameters : iterable of Parameter
    lr, betas, eps : optional
        As in `Adam`.
    weight_decay : float, optional
        λ, at least 0.

    Raises
    ------
    ValueError
        If lr is not positive, or another argument lies outside.

    References
    ----------
    Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2.

    Examples
    --------
    >>> weight = Parameter(np.array([1.0]))
    >>> AdamW([weight], lr=0.5, weight_decay=0.5).step()
    >>> weight.data.tolist()  # no gradient, and yet it decays
    [0.75]
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def gradient(self, parameter: Parameter) -> np.ndarray:
        """The gradient of the loss alone."""
        return parameter.grad

    def step(self) -> None:
        """Let every parameter decay, then move it once."""
        for parameter in self.parameters:
            parameter.data *= 1.0 - self.lr * self.weight_decay
        super().step()


def clip_grad_norm(parameters: Iterable[Parameter], max_norm: float) -> float:
    """Shorten all gradients together to a length of max_norm. Derived in chapter 05_gradients.

    The direction stays: every gradient is multiplied by the same number.

    Parameters
    ----------
    parameters : iterable of Parameter
        One that is there twice counts once.
    max_norm : float
        The longest length allowed, positive. Infinity only measures.

    Returns
    -------
    float
        The length before: the square root of the sum of all squares.

    Raises
    ------
    ValueError
        If max_norm is not positive.
    FloatingPointError
        If a gradient holds NaN or infinity; none is changed. In torch this is
        ``error_if_nonfinite=True``.

    References
    ----------
    Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural
    networks, ICML 2013, algorithm 1.

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
    gradients = [parameter.grad for parameter in distinct(parameters)]
    largest = max((float(abs(g).max(initial=0.0)) for g in gradients), default=0.0)
    if not all(np.isfinite(g).all() for g in gradients):
        raise FloatingPointError(
            "a gradient holds NaN or infinity, so there is no length to shorten: look for NaN in "
            "the data, or lower the learning rate"
        )
    if largest == 0.0:
        return 0.0
    # in units of the largest, and in float64: the squares of 1e20 are too large for float32
    length = math.sqrt(sum(float(((g / np.float64(largest)) ** 2).sum()) for g in gradients))
    # torch adds the same 1e-6, which keeps the two bit-close
    factor = max_norm / length / (largest + 1e-6 / length)
    if factor < 1.0:
        for g in gradients:
            np.multiply(g, factor, out=g, dtype=np.float64, casting="same_kind")
    return largest * length


def clip_grad_value(parameters: Iterable[Parameter], max_value: float) -> None:
    """Cut every entry of every gradient to ± max_value. Derived in chapter 05_gradients.

    Unlike `clip_grad_norm` this turns the gradient's direction.

    Parameters
    ----------
    parameters : iterable of Parameter
    max_value : float
        The largest size allowed, positive.

    Raises
    ------
    ValueError
        If max_value is not positive.
    FloatingPointError
        If a gradient holds NaN; none is changed.

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
    gradients = [parameter.grad for parameter in distinct(parameters)]
    if any(np.isnan(g).any() for g in gradients):
        raise FloatingPointError("a gradient holds NaN, which has no size to cut")
    for g in gradients:
        np.clip(g, -max_value, max_value, out=g)


def distinct(parameters: Iterable[Parameter]) -> list[Parameter]:
    """The parameters, each once: two modules may share one."""
    parameters = list(parameters) if isinstance(parameters, Iterable) else [parameters]
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise ValueError(
                "parameters must hold Parameters, as model.parameters() gives them, but holds "
                f"an object of type {type(parameter).__name__}"
            )
    return list(dict.fromkeys(parameters))


def _below_one(name: str, value: float) -> float:
    """`value` as a float in 0 … 1, or a ValueError that names it."""
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} must lie in 0 … 1 (1 excluded), got {value}")
    return float(value)
