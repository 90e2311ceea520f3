"""Parameters, and modules that hold them.

A module computes something in `forward`, and in `backward` walks the same way
back. It keeps what the way back needs, so the two come in pairs: one `forward`,
then one `backward`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .validation import FLOATS


class Parameter:
    """An array that learns, and the gradient of the loss with respect to it.

    Parameters
    ----------
    data : float32 or float64 array, any shape

    Attributes
    ----------
    data : array
        The values. An optimiser changes them in place.
    grad : array, the shape of data
        Zero at first. Every `backward` *adds* to it; `zero_grad` clears it.

    Raises
    ------
    ValueError
        If the dtype is neither float32 nor float64.

    Examples
    --------
    >>> weight = Parameter(np.ones((2, 3)))
    >>> weight.grad += 0.5
    >>> float(weight.grad.sum())
    3.0
    """

    def __init__(self, data: np.ndarray) -> None:
        if data.dtype not in FLOATS:
            raise ValueError(f"dtype must be float32 or float64, got {data.dtype}")
        self.data = data
        self.grad = np.zeros_like(data)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data and of the gradient."""
        return self.data.shape

    def __repr__(self) -> str:
        return f"Parameter{self.shape}"


class Module:
    """What layers and models have in common: named parameters, saved and loaded by name.

    A subclass sets parameters and other modules as attributes and defines
    `forward` and `backward`. Names are the path of attributes, as in torch:
    ``rnn.weight_ih_l0``.

    Attributes
    ----------
    training : bool
        True at first. In evaluation (`eval`) nothing is kept for a backward pass.

    Examples
    --------
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Parameter(np.array([2.0]))
    ...     def forward(self, x):
    ...         self.remember(x)
    ...         return self.factor.data * x
    ...     def backward(self, dy):
    ...         x = self.recall()
    ...         self.factor.grad += (dy * x).sum()
    ...         return dy * self.factor.data
    >>> scale = Scale()
    >>> scale(np.array([3.0])).tolist(), scale.backward(np.array([1.0])).tolist()
    ([6.0], [2.0])
    >>> scale.state_dict()
    {'factor': array([2.])}
    """

    training = True
    _cache: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def backward(self, *args: Any, **kwargs: Any) -> Any:
        """Take the gradient of the loss by the output to that by the input; subclasses define it.

        The parameters' gradients are added to their `grad`.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no backward")

    def remember(self, cache: Any) -> None:
        """Keep for `backward` what `forward` knows; in evaluation keep nothing.

        Parameters
        ----------
        cache : object
        """
        self._cache = cache if self.training else None

    def recall(self) -> Any:
        """What the last `forward` kept, handed out once.

        Returns
        -------
        cache : object

        Raises
        ------
        RuntimeError
            If no `forward` came before, if its `backward` ran already, or if the
            module was in evaluation.
        """
        if self._cache is None:
            raise RuntimeError(
                f"{type(self).__name__}.backward needs a forward pass in training mode before it, "
                "and each forward pass can be walked back once"
            )
        cache, self._cache = self._cache, None
        return cache

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all modules in it, with their dotted names.

        Parameters
        ----------
        prefix : str, optional
            Put before every name.

        Yields
        ------
        name, module : str, Module
        """
        yield prefix.rstrip("."), self
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield from value.named_modules(f"{prefix}{name}.")

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names, in the order in which they were set.

        Yields
        ------
        name, parameter : str, Parameter
        """
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter):
                    yield (f"{path}.{name}" if path else name), value

    def parameters(self) -> list[Parameter]:
        """All parameters, as an optimiser wants them.

        Returns
        -------
        list of Parameter
        """
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set every gradient to zero, before the next `backward` adds to it."""
        for parameter in self.parameters():
            parameter.grad[...] = 0.0

    def train(self, mode: bool = True) -> Module:
        """Switch to training, this module and all modules in it.

        Parameters
        ----------
        mode : bool, optional
            False switches to evaluation.

        Returns
        -------
        Module
            This module.
        """
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Switch to evaluation: nothing is kept for a backward pass.

        Returns
        -------
        Module
            This module.
        """
        return self.train(False)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters, under the names that torch uses.

        Returns
        -------
        dict of str to array

        Notes
        -----
        Derived in chapter 02_cell. To torch:
        ``{name: torch.from_numpy(array) for name, array in state.items()}``.
        """
        return {name: parameter.data.copy() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the values of all parameters; on an error none is changed.

        Parameters
        ----------
        state : mapping of str to array
            What `state_dict` of this class or of its torch twin returned. Values
            are converted to this module's dtype.

        Raises
        ------
        ValueError
            If a name is missing or not known, or if a shape differs.

        Notes
        -----
        Derived in chapter 02_cell.
        """
        own = dict(self.named_parameters())
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        if missing or unexpected:
            raise ValueError(
                f"the state does not fit {type(self).__name__}: "
                f"missing {missing or 'nothing'}, unexpected {unexpected or 'nothing'}"
            )
        arrays = {name: np.asarray(state[name]) for name in own}
        for name, array in arrays.items():
            if array.shape != own[name].shape:
                raise ValueError(
                    f"{name} has shape {array.shape}, but shape {own[name].shape} is needed"
                )
            if array.dtype.kind != "f":
                raise ValueError(f"{name} has dtype {array.dtype}, but floats are needed")
        for name, array in arrays.items():
            own[name].data[...] = array
