"""Recurrent layers over whole sequences: layers × directions × lengths, torch's names.

The kernels compute one layer in one direction. What is here stacks them: the output
of a layer is the input of the next, a second direction reads every sequence from its
own end, and padding is never computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import nonlinearity_pair
from .initializers import uniform
from .kernels import (
    Workspace,
    gru_backward,
    gru_forward,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
)
from .module import Module, Parameter
from .sequences import Packing, last_states, pack, packing, reverse, unpack
from .validation import as_rng, expect_float, expect_positive

Array = np.ndarray
Rows = tuple[Array, ...]


# What `help` says of these arguments in each of the three layers.
ARGUMENTS = """\
input_size : int
        Size I of the input at each time step.
    hidden_size : int
        Size H of the state.
    num_layers : int, optional
        L: each layer reads the outputs of the one below.
    bias : bool, optional
        Whether there are biases.
    batch_first : bool, optional
        If true, sequences are (B, T, …); states stay (L·D, B, H).
    dropout : float, optional
        Share of each layer's outputs, but the last layer's, that is set to zero in
        training, the rest being scaled up.
    bidirectional : bool, optional
        D = 2: a second set of weights reads each sequence from its end.
    seed : int or numpy.random.Generator, optional
        Where the first weights and the dropped outputs are drawn from: weights
        uniform, bound 1/√H, as in torch.
    dtype : dtype, optional
        float64 or float32. Inputs must have the same.
    proj_size : int, optional
        Anything but 0 is refused: torch's projected LSTM is not written here."""


class Recurrent(Module):
    """What `RNN`, `LSTM` and `GRU` have in common.

    A subclass says what its gates are called, which arrays its state has, and which
    kernel computes one layer in one direction.

    Parameters
    ----------
    {ARGUMENTS}

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    Examples
    --------
    >>> from rnnlib import LSTM
    >>> isinstance(LSTM(3, 4), Recurrent)
    True
    """

    gates = "h"
    states: tuple[str, ...] = ("h_0",)

    def __init_subclass__(cls) -> None:
        cls.__doc__ = (cls.__doc__ or "").replace("{ARGUMENTS}", ARGUMENTS)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
        proj_size: int = 0,
    ) -> None:
        if proj_size != 0:
            raise ValueError(f"proj_size must be 0, got {proj_size}: projections are not supported")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must lie in 0 … 1 (1 excluded), got {dropout}")
        self.input_size = expect_positive("input_size", input_size)
        H = self.hidden_size = expect_positive("hidden_size", hidden_size)
        self.num_layers = expect_positive("num_layers", num_layers)
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional = bidirectional
        self.directions = 2 if bidirectional else 1
        self.rng = as_rng(seed)
        self.workspace = Workspace()
        bound, G = 1.0 / np.sqrt(H), len(self.gates)
        for layer, direction in self._stack():
            I = self.input_size if layer == 0 else self.directions * H
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (G * H, I), "weight_hh": (G * H, H)}
            if bias:
                shapes |= {"bias_ih": (G * H,), "bias_hh": (G * H,)}
            for kind, shape in shapes.items():
                parameter = Parameter(uniform(shape, bound, self.rng, dtype))
                setattr(self, self._name(kind, layer, direction), parameter)

    def _room(self) -> Workspace | None:
        """Where a pass keeps what the way back needs."""
        return self.workspace if self.training else None

    def _stack(self) -> list[tuple[int, int]]:
        """All (layer, direction), in torch's order."""
        return [(k, d) for k in range(self.num_layers) for d in range(self.directions)]

    @staticmethod
    def _name(kind: str, layer: int, direction: int) -> str:
        return f"{kind}_l{layer}" + ("_reverse" if direction else "")

    def _parameters(self, layer: int, direction: int) -> list[Parameter]:
        """weight_ih, weight_hh and, if there are any, bias_ih and bias_hh."""
        kinds = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * self.bias
        return [getattr(self, self._name(kind, layer, direction)) for kind in kinds]

    def gate(self, name: str, letter: str) -> Array:
        """One gate's part of a parameter: a view, so that setting it sets the parameter.

        Parameters
        ----------
        name : str
            A parameter's name, such as "bias_hh_l0".
        letter : str
            The gate: i, f, g, o of an LSTM; r, z, n of a GRU.

        Returns
        -------
        (H, …) array

        Raises
        ------
        ValueError
            If there is no such parameter or no such gate.

        Examples
        --------
        >>> from rnnlib import LSTM
        >>> lstm = LSTM(3, 4, seed=0)
        >>> lstm.gate("bias_ih_l0", "f")[...] = 1.0  # begin with an open forget gate
        >>> lstm.bias_ih_l0.data[4:8].tolist()
        [1.0, 1.0, 1.0, 1.0]
        """
        parameters = dict(self.named_parameters())
        if name not in parameters:
            raise ValueError(f"there is no parameter {name!r}, only {sorted(parameters)}")
        if letter not in self.gates or len(letter) != 1:
            raise ValueError(f"there is no gate {letter!r}, only {', '.join(self.gates)}")
        k, H = self.gates.index(letter), self.hidden_size
        return parameters[name].data[k * H : (k + 1) * H]

    @property
    def W_x(self) -> Array:
        """(G·H, I) array: the formula's W_x, the very array of weight_ih_l0."""
        return self._parameters(0, 0)[0].data

    @property
    def W_h(self) -> Array:
        """(G·H, H) array: the formula's W_h, the very array of weight_hh_l0."""
        return self._parameters(0, 0)[1].data

    @property
    def b(self) -> Array:
        """(G·H,) array: the formula's b, the sum of torch's two biases; zero without bias."""
        return self._bias(0, 0)

    def _bias(self, layer: int, direction: int) -> Array:
        if not self.bias:
            return np.zeros(len(self.W_h), dtype=self.W_h.dtype)
        _, _, bias_ih, bias_hh = self._parameters(layer, direction)
        return bias_ih.data + bias_hh.data

    def forward(self, x: Array, state: Any = None, lengths: Any = None) -> tuple[Array, Any]:
        """The top layer's state after every step, and every layer's after the last.

        Parameters
        ----------
        x : (T, B, I) array
            Time first; (B, T, I) with ``batch_first``. T and B may be 0.
        state : (L·D, B, H) array, optional
            The state before the first step, ordered by layer, then direction; zero if
            left out. For an LSTM a pair of such arrays, (h_0, c_0).
        lengths : (B,) integer array, optional
            Steps of each sequence that count, in 1 … T. What lies behind them
            changes nothing.

        Returns
        -------
        y : (T, B, D·H) array
            The top layer's state after every step, zero behind a sequence's end;
            read-only where the way back still needs it.
        state : as the argument
            Each sequence's state after its own last step; in the second direction
            that is after its first input.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, or a length lies outside 1 … T.
        """
        dtype = self.W_x.dtype
        axes = ("B", "T") if self.batch_first else ("T", "B")
        x = expect_float("x", x, (*axes, self.input_size), dtype)
        if self.batch_first:
            x = x.swapaxes(0, 1)
        T, B, _ = x.shape
        plan = packing(T, B, lengths)
        first = self._arrange(state, plan, self.states)

        self.remember(None)  # what the last pass has kept is about to be written over
        if self.training:
            self.workspace.begin()
        rows = pack(x, plan)
        caches: dict[int, tuple[Array, Array, Any]] = {}
        masks: dict[int, Array] = {}
        last: dict[int, Rows] = {}
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.directions):
                k = layer * self.directions + direction
                read = reverse(rows, plan) if direction else rows
                h, last[k], kept = self._scan(
                    read, tuple(array[k] for array in first), layer, direction, plan
                )
                caches[k] = (read, h, kept)
                outputs.append(reverse(h, plan) if direction else h)
            rows = np.concatenate(outputs, axis=1) if self.bidirectional else outputs[0]
            if self.dropout and self.training and layer + 1 < self.num_layers:
                keep = self.rng.random(rows.shape) >= self.dropout
                masks[layer] = keep.astype(dtype) / dtype.type(1.0 - self.dropout)
                rows = rows * masks[layer]
        self.remember((plan, first, caches, masks))
        y = unpack(rows, plan)
        y.flags.writeable = False
        return (y.swapaxes(0, 1) if self.batch_first else y), self._collect(last, plan)

    def backward(self, dy: Array, dstate: Any = None) -> tuple[Array, Any]:
        """Backpropagation through time: adds to the parameters' gradients.

        Parameters
        ----------
        dy : (T, B, D·H) array
            Gradient of the loss by the output y; (B, T, D·H) with ``batch_first``.
        dstate : (L·D, B, H) array, optional
            Gradient of the loss by the final state, a pair for an LSTM; zero if left
            out.

        Returns
        -------
        dx : array, the shape of x
            Gradient of the loss by the input; zero in the padding.
        dstate : as the argument
            Gradient of the loss by the initial state.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, naming the argument.
        RuntimeError
            If there was no forward pass to walk back.
        """
        plan, first, caches, masks = self.recall()
        H, D = self.hidden_size, self.directions
        shape = (plan.B, plan.T) if self.batch_first else (plan.T, plan.B)
        dy = expect_float("dy", dy, (*shape, D * H), self.W_x.dtype)
        if self.batch_first:
            dy = dy.swapaxes(0, 1)
        dlast = self._arrange(dstate, plan, tuple("d" + name[0] + "_n" for name in self.states))

        drows, dfirst = pack(dy, plan), {}
        for layer in reversed(range(self.num_layers)):
            if layer in masks:
                drows = drows * masks[layer]
            dinputs = []
            for direction in range(D):
                k = layer * D + direction
                dh = drows[:, direction * H : (direction + 1) * H]
                read, h, kept = caches[k]
                used = self.workspace.used
                dread, dfirst[k] = self._scan_back(
                    reverse(dh, plan) if direction else dh,
                    tuple(array[k] for array in dlast),
                    read,
                    h,
                    kept,
                    tuple(array[k] for array in first),
                    layer,
                    direction,
                    plan,
                )
                self.workspace.used = used  # the next direction may have its scratch
                dinputs.append(reverse(dread, plan) if direction else dread)
            drows = sum(dinputs[1:], start=dinputs[0])
        dx = unpack(drows, plan)
        return (dx.swapaxes(0, 1) if self.batch_first else dx), self._collect(dfirst, plan)

    def _arrange(self, state: Any, plan: Packing, names: tuple[str, ...]) -> Rows:
        """The arrays of a state, checked, the sequences from the longest to the shortest."""
        dtype = self.W_x.dtype
        shape = (self.num_layers * self.directions, plan.B, self.hidden_size)
        if state is None:
            return tuple(np.zeros(shape, dtype) for _ in names)
        if len(names) == 1:
            state = (state,)
        elif not isinstance(state, (tuple, list)) or len(state) != len(names):
            raise ValueError(f"state must be the pair ({', '.join(names)})")
        arrays = [expect_float(name, a, shape, dtype) for name, a in zip(names, state, strict=True)]
        return tuple(arrays if plan.order is None else [a[:, plan.order] for a in arrays])

    def _collect(self, last: dict[int, Rows], plan: Packing) -> Any:
        """The states of all layers and directions as the caller wants them: the inverse."""
        stacked = [np.stack([last[k][s] for k in sorted(last)]) for s in range(len(self.states))]
        if plan.order is not None:
            back = np.argsort(plan.order)
            stacked = [array[:, back] for array in stacked]
        return stacked[0] if len(stacked) == 1 else tuple(stacked)

    def _scan(
        self, x: Array, first: Rows, layer: int, direction: int, plan: Packing
    ) -> tuple[Array, Rows, Any]:
        """One layer in one direction: states after every step, the last, what to keep."""
        raise NotImplementedError

    def _scan_back(
        self,
        dh: Array,
        dlast: Rows,
        x: Array,
        h: Array,
        kept: Any,
        first: Rows,
        layer: int,
        direction: int,
        plan: Packing,
    ) -> tuple[Array, Rows]:
        """The way back through `_scan`; adds to the parameters' gradients."""
        raise NotImplementedError

    def _add(self, layer: int, direction: int, *gradients: Array) -> None:
        """Add dW_x, dW_h, db_ih, db_hh to the parameters' gradients."""
        parameters = self._parameters(layer, direction)
        for parameter, gradient in zip(parameters, gradients, strict=False):
            parameter.grad += gradient


Recurrent.__doc__ = (Recurrent.__doc__ or "").replace("{ARGUMENTS}", ARGUMENTS)


class RNN(Recurrent):
    """The vanilla recurrent network over a sequence, h_t = f(W_x x_t + W_h h_{t-1} + b).

    Its parameters have torch's names and shapes, so that a `state_dict` moves
    between this layer and ``torch.nn.RNN`` unchanged, both ways.

    Parameters
    ----------
    {ARGUMENTS}
    nonlinearity : {"tanh", "relu"}, optional
        The function f.

    Attributes
    ----------
    weight_ih_l0 : (H, I) Parameter
        W_x of the formula.
    weight_hh_l0 : (H, H) Parameter
        W_h of the formula.
    bias_ih_l0, bias_hh_l0 : (H,) Parameter
        torch keeps two biases; b of the formula is their sum.

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    References
    ----------
    Elman, Finding structure in time, Cognitive Science 14, 1990.

    Notes
    -----
    Derived in chapter 02_cell.

    A NaN in the input makes that sequence's states NaN from there on, and no
    other sequence's of the batch.

    Examples
    --------
    >>> rnn = RNN(3, 4, seed=0)
    >>> y, h_n = rnn(np.ones((5, 2, 3)))
    >>> y.shape, h_n.shape, bool((y[-1] == h_n[0]).all())
    ((5, 2, 4), (1, 2, 4), True)
    >>> dx, dh_0 = rnn.backward(np.ones_like(y))
    >>> dx.shape, rnn.weight_hh_l0.grad.shape
    ((5, 2, 3), (4, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        nonlinearity: str = "tanh",
        **settings: Any,
    ) -> None:
        nonlinearity_pair(nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, **settings)

    def _scan(
        self, x: Array, first: Rows, layer: int, direction: int, plan: Packing
    ) -> tuple[Array, Rows, Any]:
        W_x, W_h, *_ = self._parameters(layer, direction)
        b = self._bias(layer, direction)
        h = rnn_forward(x, first[0], W_x.data, W_h.data, b, plan, self.nonlinearity)
        return h, (last_states(h, first[0], plan),), None

    def _scan_back(
        self,
        dh: Array,
        dlast: Rows,
        x: Array,
        h: Array,
        kept: Any,
        first: Rows,
        layer: int,
        direction: int,
        plan: Packing,
    ) -> tuple[Array, Rows]:
        W_x, W_h, *_ = self._parameters(layer, direction)
        dx, dh_0, dW_x, dW_h, db = rnn_backward(
            dh, dlast[0], x, h, first[0], W_x.data, W_h.data, plan, self.nonlinearity
        )
        self._add(layer, direction, dW_x, dW_h, db, db)
        return dx, (dh_0,)


class LSTM(Recurrent):
    """The long short-term memory over a sequence.

        i, f, o = σ(W_x x_t + W_h h_{t-1} + b)   write, keep, show: three gates in 0 … 1
        g = tanh(W_x x_t + W_h h_{t-1} + b)      what could be written
        c_t = f c_{t-1} + i g                    the memory: kept in part, added to in part
        h_t = o tanh(c_t)                        what is shown of it

    each with its own rows of W_x, W_h and b, stacked in the order i, f, g, o. The
    state is the pair (h, c). The parameters have torch's names and shapes, so that a
    `state_dict` moves between this layer and ``torch.nn.LSTM`` unchanged, both ways.

    Parameters
    ----------
    {ARGUMENTS}

    Attributes
    ----------
    weight_ih_l0 : (4H, I) Parameter
        W_x of the formula; `gate` gives each gate's rows.
    weight_hh_l0 : (4H, H) Parameter
        W_h of the formula.
    bias_ih_l0, bias_hh_l0 : (4H,) Parameter
        torch keeps two biases; b of the formula is their sum.

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    References
    ----------
    Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9, 1997;
    Gers, Schmidhuber and Cummins, Learning to forget, Neural Computation 12, 2000.

    Notes
    -----
    Derived in chapter 06_lstm.

    Examples
    --------
    >>> lstm = LSTM(3, 4, seed=0)
    >>> y, (h_n, c_n) = lstm(np.ones((5, 2, 3)), lengths=[5, 2])
    >>> y.shape, c_n.shape, bool((y[1, 1] == h_n[0, 1]).all()), bool(y[2:, 1].any())
    ((5, 2, 4), (1, 2, 4), True, False)
    >>> dx, (dh_0, dc_0) = lstm.backward(np.ones_like(y))
    >>> dx.shape, lstm.weight_hh_l0.grad.shape
    ((5, 2, 3), (16, 4))
    """

    gates = "ifgo"
    states = ("h_0", "c_0")

    def _scan(
        self, x: Array, first: Rows, layer: int, direction: int, plan: Packing
    ) -> tuple[Array, Rows, Any]:
        W_x, W_h, *_ = self._parameters(layer, direction)
        b = self._bias(layer, direction)
        h_0, c_0 = first
        h, c_n, kept = lstm_forward(x, h_0, c_0, W_x.data, W_h.data, b, plan, self._room())
        return h, (last_states(h, h_0, plan), c_n), kept

    def _scan_back(
        self,
        dh: Array,
        dlast: Rows,
        x: Array,
        h: Array,
        kept: Any,
        first: Rows,
        layer: int,
        direction: int,
        plan: Packing,
    ) -> tuple[Array, Rows]:
        W_x, W_h, *_ = self._parameters(layer, direction)
        dx, dh_0, dc_0, dW_x, dW_h, db = lstm_backward(
            dh,
            dlast[0],
            dlast[1],
            x,
            h,
            first[0],
            first[1],
            kept,
            W_x.data,
            W_h.data,
            plan,
            self.workspace,
        )
        self._add(layer, direction, dW_x, dW_h, db, db)
        return dx, (dh_0, dc_0)


class GRU(Recurrent):
    """The gated recurrent unit over a sequence, reset after the product, as in torch.

        r, z = σ(W_x x_t + W_h h_{t-1} + b)             reset and update: two gates in 0 … 1
        n = tanh(W_x x_t + r (W_h h_{t-1} + b_hn) + b)  the candidate
        h_t = (1 - z) n + z h_{t-1}                     the state: kept in part, renewed in part

    each with its own rows of W_x, W_h and b, stacked in the order r, z, n. The
    parameters have torch's names and shapes, so that a `state_dict` moves between
    this layer and ``torch.nn.GRU`` unchanged, both ways.

    Parameters
    ----------
    {ARGUMENTS}

    Attributes
    ----------
    weight_ih_l0 : (3H, I) Parameter
        W_x of the formula; `gate` gives each gate's rows.
    weight_hh_l0 : (3H, H) Parameter
        W_h of the formula.
    bias_ih_l0, bias_hh_l0 : (3H,) Parameter
        For r and z only their sum counts; for n the second one is b_hn, inside the
        reset gate.

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder for
    statistical machine translation, EMNLP 2014. There r is applied before the
    product: `gru_step` does both.

    Notes
    -----
    Derived in chapter 07_gru.

    Examples
    --------
    >>> gru = GRU(3, 4, num_layers=2, bidirectional=True, seed=0)
    >>> y, h_n = gru(np.ones((5, 2, 3)))
    >>> y.shape, h_n.shape
    ((5, 2, 8), (4, 2, 4))
    """

    gates = "rzn"

    def _biases(self, layer: int, direction: int) -> tuple[Array, Array]:
        """b of the formula, and b_hn."""
        H = self.hidden_size
        if not self.bias:
            return self._bias(layer, direction), np.zeros(H, self.W_h.dtype)
        _, _, bias_ih, bias_hh = (p.data for p in self._parameters(layer, direction))
        b = bias_ih.copy()
        b[: 2 * H] += bias_hh[: 2 * H]
        return b, bias_hh[2 * H :]

    def _scan(
        self, x: Array, first: Rows, layer: int, direction: int, plan: Packing
    ) -> tuple[Array, Rows, Any]:
        W_x, W_h, *_ = self._parameters(layer, direction)
        b, b_hn = self._biases(layer, direction)
        h, kept = gru_forward(x, first[0], W_x.data, W_h.data, b, b_hn, plan, self._room())
        return h, (last_states(h, first[0], plan),), kept

    def _scan_back(
        self,
        dh: Array,
        dlast: Rows,
        x: Array,
        h: Array,
        kept: Any,
        first: Rows,
        layer: int,
        direction: int,
        plan: Packing,
    ) -> tuple[Array, Rows]:
        W_x, W_h, *_ = self._parameters(layer, direction)
        dx, dh_0, dW_x, dW_h, db, db_hn = gru_backward(
            dh, dlast[0], x, h, first[0], kept, W_x.data, W_h.data, plan, self.workspace
        )
        db_hh = np.concatenate([db[: 2 * self.hidden_size], db_hn])
        self._add(layer, direction, dW_x, dW_h, db, db_hh)
        return dx, (dh_0,)
