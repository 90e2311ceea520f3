"""Parameters, and modules that hold them.

A module computes something in `forward`, and in `backward` walks the same way
back. It keeps what the backward pass needs, so the two come in pairs: one `forward`,
then one `backward`. Each thread has pairs of its own.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .validation import FLOATS, expect_state

_adding = threading.Lock()  # two threads that add to one gradient would lose a part


class Parameter:
    """Hold an array that learns, and the gradient of the loss with respect to it.

    Parameters
    ----------
    data : float32 or float64 array, any shape

    Attributes
    ----------
    data : array
        The values. An optimiser changes them in place.
    grad : array, the shape of data
        Zero at first. Every `backward` *adds* to it; `zero_grad` clears it, and so does
        ``grad = None``. A copy or pickle of the parameter begins with zero, as in torch.

    Raises
    ------
    ValueError
        If the dtype is neither float32 nor float64.

    Examples
    --------
    >>> weight = Parameter(np.ones((2, 3)))
    >>> weight.add_grad(np.full((2, 3), 0.5))
    >>> float(weight.grad.sum())
    3.0
    """

    def __init__(self, data: np.ndarray) -> None:
        if data.dtype not in FLOATS:
            raise ValueError(f"dtype must be float32 or float64, got {data.dtype}")
        self.data = data
        self.grad = None
        self._still = np.empty(0)

    @property
    def grad(self) -> Any:
        """The gradient of the loss with respect to the data."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        self._grad = np.zeros_like(self.data) if value is None else value

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data and of the gradient."""
        return self.data.shape

    def add_grad(self, gradient: np.ndarray, rows: Any = None) -> None:
        """Add to the gradient, also while another thread does.

        Parameters
        ----------
        gradient : array, the shape of data, or of its rows
        rows : integer array, optional
            The rows that it belongs to, none twice; all if left out.
        """
        with _adding:
            if rows is None:
                self.grad += gradient
            else:
                self.grad[rows] += gradient

    def still(self) -> np.ndarray:
        """Show the values as they are now, read-only: no update changes what was shown.

        The same array as long as the values are.
        """
        still = self._still
        if not np.array_equal(still, self.data):
            self._still = still = self.data.copy()
            still.flags.writeable = False
        return still

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameter, (self.data,)

    def __repr__(self) -> str:
        return f"Parameter{self.shape}"


class Module:
    """Name, save and load the parameters of a layer or model.

    A subclass sets parameters and other modules as attributes and defines
    `forward` and `backward`. Names are the path of attributes, as in torch:
    ``rnn.weight_ih_l0``. Several modules in one attribute stand in a `ModuleList`.

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
    ...         self.remember((x, self.factor.data))
    ...         return self.factor.data * x
    ...     def backward(self, dy):
    ...         x, factor = self.recall()
    ...         self.factor.add_grad((dy * x).sum())
    ...         return dy * factor
    >>> scale = Scale()
    >>> scale(np.array([3.0])).tolist(), scale.backward(np.array([1.0])).tolist()
    ([6.0], [2.0])
    >>> scale.state_dict()
    {'factor': array([2.])}
    >>> scale
    Scale(): 1 parameter
      factor (1,)
    """

    training = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def backward(self, *args: Any, **kwargs: Any) -> Any:
        """Turn the gradient with respect to the output into that with respect to the input.

        Subclasses define it. The parameters' gradients are added to their `grad`. A gradient
        of another shape or dtype than the output's raises a ValueError, a missing forward
        pass a RuntimeError.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no backward")

    def remember(self, cache: Any) -> None:
        """Keep for `backward` what `forward` knows; in evaluation keep nothing.

        An array, or the arrays of a tuple, are copied unless nobody can write to them:
        the backward pass is that of the forward pass that ran, whatever happens to a
        buffer or a parameter in between.

        Parameters
        ----------
        cache : object
        """
        if not self.training:
            cache = None
        elif type(cache) is tuple:
            cache = tuple(own(part) for part in cache)
        vars(self).setdefault("_passes", threading.local()).cache = own(cache)

    def recall(self) -> Any:
        """Hand out once what this thread's last `forward` kept.

        Returns
        -------
        cache : object

        Raises
        ------
        RuntimeError
            If no `forward` came before, if its `backward` ran already, or if the
            module was in evaluation.
        """
        cache = getattr(vars(self).get("_passes"), "cache", None)
        if cache is None:
            raise RuntimeError(
                f"{type(self).__name__}.backward needs a forward pass in training mode before it, "
                "in the same thread, and each forward pass can be walked back once"
            )
        self.remember(None)
        return cache

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or pickle takes along: no pass that waits for its backward pass."""
        return {name: value for name, value in vars(self).items() if name != "_passes"}

    def _children(self) -> Iterator[tuple[str, Module | Parameter]]:
        """The modules and parameters that are attributes, under their names."""
        for name, value in vars(self).items():
            if isinstance(value, (Module, Parameter)):
                yield name, value
            elif isinstance(value, (list, tuple, set, dict)):
                parts = value.values() if isinstance(value, dict) else value
                if any(isinstance(part, (Module, Parameter)) for part in parts):
                    raise TypeError(
                        f"{type(self).__name__}.{name} is a {type(value).__name__} of modules or "
                        "parameters, which would not be trained or saved: put modules into a "
                        "ModuleList, and set each parameter as an attribute of its own"
                    )

    def _walk(self, path: str = "") -> Iterator[tuple[str, Module | Parameter]]:
        """This module and all in it, with dotted names; what has two names comes twice."""
        yield path, self
        for name, child in self._children():
            full = f"{path}.{name}" if path else name
            if isinstance(child, Module):
                yield from child._walk(full)
            else:
                yield full, child

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """List this module and all modules in it, each once, with their dotted names.

        Yields
        ------
        name, module : str, Module
            This module's own name is empty.
        """
        return _once((name, part) for name, part in self._walk() if isinstance(part, Module))

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """List all parameters with their dotted names, in the order in which they were set.

        A parameter that two modules share (tied weights) comes once, under its first name.

        Yields
        ------
        name, parameter : str, Parameter
        """
        return _once((name, part) for name, part in self._walk() if isinstance(part, Parameter))

    def parameters(self) -> list[Parameter]:
        """List all parameters, as an optimiser wants them.

        Returns
        -------
        list of Parameter
        """
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set every gradient to zero, before the next `backward` adds to it."""
        for parameter in self.parameters():
            if parameter.grad is not None:
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
        """Copy all parameters, under the names that torch uses. Derived in chapter 02_cell.

        Returns
        -------
        dict of str to array
            A shared parameter stands under each of its names, as in torch.

        Notes
        -----
        To torch: ``{name: torch.from_numpy(array) for name, array in state.items()}``.
        """
        return {name: p.data.copy() for name, p in self._walk() if isinstance(p, Parameter)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the values of all parameters. Derived in chapter 02_cell.

        On an error none is changed.

        Parameters
        ----------
        state : mapping of str to array
            What `state_dict` of this class or of its torch twin returned. Values
            are converted to this module's dtype.

        Raises
        ------
        ValueError
            If a name is missing or not known, if a shape differs, or if two names of
            one parameter have different values.
        """
        own = {name: part for name, part in self._walk() if isinstance(part, Parameter)}
        values = {name: parameter.data for name, parameter in own.items()}
        arrays = expect_state(type(self).__name__, state, values)
        first: dict[int, str] = {}
        for name, array in arrays.items():
            twin = first.setdefault(id(own[name]), name)
            if not np.array_equal(array, arrays[twin], equal_nan=True):
                raise ValueError(
                    f"{twin} and {name} are one parameter, but have different values in the state"
                )
        for name, array in arrays.items():
            own[name].data[...] = array

    def __repr__(self) -> str:
        count = sum(parameter.data.size for parameter in self.parameters())
        sizes = ", ".join(self._settings())
        lines = [f"{type(self).__name__}({sizes}): {count:,} parameter" + "s" * (count != 1)]
        for name, child in self._children():
            shown = f"{name}: {child!r}" if isinstance(child, Module) else f"{name} {child.shape}"
            lines += ["  " + line for line in shown.splitlines()]
        return "\n".join(lines)

    def _settings(self) -> Iterator[str]:
        """The arguments that built it, as far as they are attributes and not the default."""
        arguments: dict[str, inspect.Parameter] = {}
        for cls in type(self).__mro__:
            if "__init__" in vars(cls):
                arguments = {**inspect.signature(cls).parameters, **arguments}
        for name, argument in arguments.items():
            value = vars(self).get(name)
            if isinstance(value, (bool, int, float, str)) and value != argument.default:
                yield f"{value!r}" if argument.default is argument.empty else f"{name}={value!r}"


class ModuleList(Module):
    """Hold modules in a list, so that their parameters are found, as in torch.

    Parameters
    ----------
    modules : iterable of Module, optional

    Raises
    ------
    TypeError
        If one is no Module.

    Examples
    --------
    >>> from rnnlib import Linear, ModuleList
    >>> layers = ModuleList(Linear(3, 3) for _ in range(2))
    >>> layers.append(Linear(3, 1))
    >>> len(layers), layers[-1].weight.shape, list(layers.state_dict())[0]
    (3, (1, 3), '0.weight')
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> None:
        """Add a module at the end.

        Parameters
        ----------
        module : Module
        """
        if not isinstance(module, Module):
            raise TypeError(f"modules must be of class Module, got a {type(module).__name__}")
        setattr(self, str(len(self)), module)

    def __iter__(self) -> Iterator[Module]:
        return (part for _, part in self._children() if isinstance(part, Module))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]


class Sequential(ModuleList):
    """Chain modules: each reads what the one before it wrote.

    A recurrent layer begins with a state of zeros, and hands on y, its states over time.

    Parameters
    ----------
    *modules : Module

    Raises
    ------
    TypeError
        If one is no Module.

    Examples
    --------
    >>> from rnnlib import LSTM, Embedding, Linear, Sequential
    >>> model = Sequential(Embedding(9, 3), LSTM(3, 4), Linear(4, 9))
    >>> model(np.array([[1, 2], [3, 4]])).shape
    (2, 2, 9)
    >>> model.backward(np.ones((2, 2, 9)))
    >>> bool(model[0].weight.grad.any())
    True
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, x: Any) -> Any:
        """Apply one module after the other.

        Parameters
        ----------
        x : array
            As the first module wants it.

        Returns
        -------
        y : array
            As the last module gives it.
        """
        for module in self:
            x = module(x)
            x = x[0] if isinstance(x, tuple) else x
        return x

    def backward(self, dy: Any) -> Any:
        """Walk back from the last module to the first; adds to the parameters' gradients.

        Parameters
        ----------
        dy : array
            Gradient of the loss with respect to y.

        Returns
        -------
        dx : array or None
            Gradient of the loss with respect to x; None where x holds words.
        """
        for module in reversed(list(self)):
            dy = module.backward(dy)
            dy = dy[0] if isinstance(dy, tuple) else dy
        return dy


def own(value: Any) -> Any:
    """A copy of an array that somebody can write to; any other value, or array, itself."""
    owner = value
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return value.copy()
        owner = owner.base
    return value


def freeze(array: np.ndarray) -> None:
    """Forbid to write to an array, and to what it is a view of."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner.flags.writeable = False
        owner = owner.base


def _once(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Of several names for one thing the first."""
    seen = set()
    for name, part in named:
        if id(part) not in seen:
            seen.add(id(part))
            yield name, part
