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
    gru_backward,
    gru_forward,
    gru_gates,
    lstm_backward,
    lstm_forward,
    lstm_gates,
    rnn_backward,
    rnn_forward,
)
from .module import Module, Parameter, freeze, own
from .sequences import Packing, pack, packing, reverse, unpack
from .validation import as_rng, expect_float, expect_positive

Array = np.ndarray
Arrays = tuple[Array, ...]


class Recurrent(Module):
    """What `RNN`, `LSTM` and `GRU` have in common: layers × directions × lengths.

    A subclass says what its gates are called, which arrays its state has, and which
    kernel computes one layer in one direction.

    Parameters
    ----------
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
        Anything but 0 is refused: torch's projected LSTM is not written here.

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    Notes
    -----
    A NaN in the input makes that sequence's states NaN from there on, and no
    other sequence's of the batch.

    A pass owns what its backward pass needs: a buffer may be filled anew and a
    parameter updated before it, and each thread has passes of its own.
    """

    gates = "h"
    states: tuple[str, ...] = ("h_0",)

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
        bound, G = 1.0 / np.sqrt(H), len(self.gates)
        # by layer, then direction, as torch orders them: the parameters' names
        self.names: list[list[str]] = []
        for k in range(self.num_layers * self.directions):
            layer, direction = divmod(k, self.directions)
            I = self.input_size if layer == 0 else self.directions * H
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (G * H, I), "weight_hh": (G * H, H)}
            if bias:
                shapes |= {"bias_ih": (G * H,), "bias_hh": (G * H,)}
            ends = f"_l{layer}" + "_reverse" * direction
            self.names.append([kind + ends for kind in shapes])
            for name, shape in zip(self.names[-1], shapes.values(), strict=True):
                setattr(self, name, Parameter(uniform(shape, bound, self.rng, dtype)))

    def _weights(self, k: int) -> Arrays:
        """The formula's W_x, W_h and b of the kth layer and direction, for the kernel."""
        W_x, W_h, *biases = (getattr(self, name).data for name in self.names[k])
        return W_x, W_h, biases[0] + biases[1] if biases else np.zeros(len(W_h), W_h.dtype)

    def _add(self, k: int, dW_x: Array, dW_h: Array, *biases: Array) -> None:
        """Add the gradients with respect to `_weights` to those of the parameters."""
        (db,) = biases
        for name, gradient in zip(self.names[k], (dW_x, dW_h, db, db), strict=False):
            getattr(self, name).add_grad(gradient)

    def gate(self, name: str, letter: str) -> Array:
        """Show one gate's part of a parameter: a view, so that setting it sets the parameter.

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
        return getattr(self, self.names[0][0]).data

    @property
    def W_h(self) -> Array:
        """(G·H, H) array: the formula's W_h, the very array of weight_hh_l0."""
        return getattr(self, self.names[0][1]).data

    @property
    def b(self) -> Array:
        """(G·H,) array: the formula's b, made of torch's two biases; zero without bias."""
        return self._weights(0)[2]

    def forward(self, x: Array, state: Any = None, lengths: Any = None) -> tuple[Array, Any]:
        """Compute the top layer's state after every step, and every layer's after the last.

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
            read-only in training, as the backward pass needs it.
        state : as the argument
            Each sequence's state after its own last step; in the second direction
            that is after its first input.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, or a length lies outside 1 … T.
        """
        self.remember(None)  # a pass that was not walked back gives its memory up
        result, cache = self._run(x, state, lengths, self.training)
        self.remember(cache)
        return result

    def backward(self, dy: Array | None = None, dstate: Any = None) -> tuple[Array, Any]:
        """Backpropagation through time: adds to the parameters' gradients.

        Parameters
        ----------
        dy : (T, B, D·H) array, optional
            Gradient of the loss with respect to the output y, (B, T, D·H) with
            ``batch_first``; zero if left out, as where only the last state is read.
        dstate : (L·D, B, H) array, optional
            Gradient of the loss with respect to the final state, a pair for an LSTM;
            zero if left out, as is either of the pair that is None.

        Returns
        -------
        dx : array, the shape of x
            Gradient of the loss with respect to the input; zero in the padding.
        dstate : as the argument
            Gradient of the loss with respect to the initial state.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, naming the argument, or both are left out.
        RuntimeError
            If there was no forward pass to walk back.
        """
        if dy is None and dstate is None:
            raise ValueError("dy and dstate are both None: there is no gradient to walk back with")
        dx, dstate, gradients, _ = self._run_back(dy, dstate, self.recall())
        for k, given in enumerate(gradients):
            self._add(k, *given)
        return dx, dstate

    def trace(
        self, x: Array, state: Any = None, lengths: Any = None, dy: Any = None, dstate: Any = None
    ) -> dict[str, Array]:
        """Show what happens inside at every step. Used in chapters 05, 06 and 16.

        A pass of its own, as in evaluation, that changes nothing: neither gradients nor a
        forward pass that waits for its backward pass.

        Parameters
        ----------
        x, state, lengths
            As in `forward`.
        dy, dstate
            As in `backward`; without both there are no gradients.

        Returns
        -------
        dict of str to (L·D, T, B, H) array
            "h", the states; of an LSTM "c" and the gates "i", "f", "g", "o", of a GRU
            "r", "z", "n". With dy or dstate also "dh", the gradient of the loss with
            respect to each h_t on all ways by which it acts on the loss, and of an LSTM
            "dc". Zero in the padding; (L·D, B, T, H) with ``batch_first``.

        Examples
        --------
        >>> from rnnlib import LSTM
        >>> lstm, x = LSTM(3, 4, seed=0), np.ones((5, 2, 3))
        >>> inside = lstm.trace(x, dstate=(np.ones((1, 2, 4)), None))
        >>> sorted(inside), inside["c"].shape
        (['c', 'dc', 'dh', 'f', 'g', 'h', 'i', 'o'], (1, 5, 2, 4))
        """
        _, cache = self._run(x, state, lengths, True, drop=False)
        plan, caches, _ = cache
        found = [{"h": kept[1], **self._inside(kept)} for kept in caches]
        if dy is not None or dstate is not None:
            records = self._run_back(dy, dstate, cache, record=True)[3]
            for rows, record in zip(found, records, strict=True):
                zero = np.zeros((len(self.states), 0, self.hidden_size), self.W_x.dtype)
                whole = np.concatenate([zero, *record[::-1]], axis=1)
                rows |= {"d" + name[0]: d for name, d in zip(self.states, whole, strict=True)}
        for k, rows in enumerate(found):
            for name, array in rows.items():
                steps = unpack(reverse(array, plan) if k % self.directions else array, plan)
                rows[name] = steps.swapaxes(0, 1) if self.batch_first else steps
        return {name: np.stack([rows[name] for rows in found]) for name in found[0]}

    def _run(
        self, x: Array, state: Any, lengths: Any, keep: bool, drop: bool = True
    ) -> tuple[tuple[Array, Any], Any]:
        """The forward pass: (y, state), and the cache for `_run_back` if it is to be kept."""
        dtype = self.W_x.dtype
        axes = ("B", "T") if self.batch_first else ("T", "B")
        x = expect_float("x", x, (*axes, self.input_size), dtype)
        if self.batch_first:
            x = x.swapaxes(0, 1)
        T, B, _ = x.shape
        if lengths is not None:
            self._expect_batch("lengths", np.shape(lengths), 0, T, B)
        plan = packing(T, B, lengths)
        first = self._arrange(state, plan, self.states)
        if keep:  # x and the state may be buffers that are filled anew
            x, first = own(x), tuple(own(array) for array in first)

        rows, caches, masks, last = pack(x, plan), [], {}, []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.directions):
                k = layer * self.directions + direction
                (h, h_n), cache = self._forward(
                    reverse(rows, plan) if direction else rows,
                    tuple(array[k] for array in first),
                    self._weights(k),
                    plan,
                    keep,
                )
                last.append(h_n)
                caches.append(cache)
                outputs.append(reverse(h, plan) if direction else h)
            rows = np.concatenate(outputs, axis=1) if self.bidirectional else outputs[0]
            if drop and self.dropout and self.training and layer + 1 < self.num_layers:
                mask = self.rng.random(rows.shape) >= self.dropout
                masks[layer] = mask.astype(dtype) / dtype.type(1.0 - self.dropout)
                rows = rows * masks[layer]
        y = unpack(rows, plan)
        if keep:  # the backward pass, and that of whoever reads y, needs it as it is
            freeze(y)
        y = y.swapaxes(0, 1) if self.batch_first else y
        return (y, self._collect(last, plan)), (plan, caches, masks) if keep else None

    def _run_back(
        self, dy: Any, dstate: Any, cache: Any, record: bool = False
    ) -> tuple[Array, Any, list[Any], list[Any]]:
        """The backward pass of `_run`: dx, dstate; of each layer and direction the gradients
        with respect to `_weights`, and what its kernel recorded."""
        plan, caches, masks = cache
        H, D, dtype = self.hidden_size, self.directions, self.W_x.dtype
        shape = (plan.B, plan.T) if self.batch_first else (plan.T, plan.B)
        if dy is None:
            dy = np.zeros((*shape, D * H), dtype)
        dy = expect_float("dy", dy, (*shape, D * H), dtype)
        if self.batch_first:
            dy = dy.swapaxes(0, 1)
        dlast = self._arrange(dstate, plan, tuple("d" + name[0] + "_n" for name in self.states))

        drows = pack(dy, plan)
        dfirst: list[Any] = [None] * len(caches)
        gradients = dfirst.copy()
        records: list[Any] = [[] if record else None for _ in caches]
        for layer in reversed(range(self.num_layers)):
            if layer in masks:
                drows = drows * masks[layer]
            dinputs = []
            for direction in range(D):
                k = layer * D + direction
                dh = drows[:, direction * H : (direction + 1) * H]
                dread, dfirst[k], gradients[k] = self._backward(
                    reverse(dh, plan) if direction else dh,
                    tuple(array[k] for array in dlast),
                    caches[k],
                    records[k],
                )
                dinputs.append(reverse(dread, plan) if direction else dread)
            drows = sum(dinputs[1:], start=dinputs[0])
        dx = unpack(drows, plan)
        dx = dx.swapaxes(0, 1) if self.batch_first else dx
        return dx, self._collect(dfirst, plan), gradients, records

    def _arrange(self, state: Any, plan: Packing, names: tuple[str, ...]) -> Arrays:
        """The arrays of a state, checked, the sequences from the longest to the shortest."""
        dtype = self.W_x.dtype
        shape = (self.num_layers * self.directions, plan.B, self.hidden_size)
        if len(names) == 1 or state is None:
            state = (state,) * len(names)
        elif not isinstance(state, (tuple, list)) or len(state) != len(names):
            raise ValueError(f"state must be the pair ({', '.join(names)})")
        arrays = []
        for name, given in zip(names, state, strict=True):
            array = np.zeros(shape, dtype) if given is None else given
            self._expect_batch(name, np.shape(array), 1, plan.T, plan.B)
            array = expect_float(name, array, shape, dtype)
            arrays.append(array if plan.order is None else array[:, plan.order])
        return tuple(arrays)

    def _expect_batch(self, name: str, shape: tuple[int, ...], axis: int, T: int, B: int) -> None:
        """Refuse what fits if the batch is the other of the two first axes of x."""
        if len(shape) > axis and shape[axis] == T != B:
            read, other = ("(B, T, I)", False) if self.batch_first else ("(T, B, I)", True)
            raise ValueError(
                f"{name} is for a batch of {T}, but x was read as {read} with T = {T} and B = {B}: "
                f"should the layer have batch_first={other}?"
            )

    def _collect(self, last: list[Arrays], plan: Packing) -> Any:
        """The states of all layers and directions as the caller wants them: the inverse."""
        one = len(last) == 1  # nothing to lay together
        stacked = [a[0][None] if one else np.stack(a) for a in zip(*last, strict=True)]
        if plan.order is not None:
            back = np.argsort(plan.order)
            stacked = [array[:, back] for array in stacked]
        return stacked[0] if len(stacked) == 1 else tuple(stacked)

    def _forward(
        self, x: Array, state: Arrays, weights: Arrays, plan: Packing, keep: bool
    ) -> tuple[tuple[Array, Arrays], Any]:
        """The kernel of one layer in one direction."""
        raise NotImplementedError

    def _backward(
        self, dy: Array, dlast: Arrays, cache: Any, record: list[Array] | None
    ) -> tuple[Array, Arrays, Arrays]:
        """The backward pass of `_forward`."""
        raise NotImplementedError

    def _inside(self, cache: Any) -> dict[str, Array]:
        """What `_forward` stored besides the states, under the names of `trace`."""
        return {}


class RNN(Recurrent):
    """Run h_t = f(W_x x_t + W_h h_{t-1} + b) over a sequence. Derived in chapter 02_cell.

    The vanilla recurrent network. Its parameters have torch's names and shapes, so that
    a `state_dict` moves between this layer and ``torch.nn.RNN`` unchanged, both ways.

    Parameters
    ----------
    input_size, hidden_size, num_layers, settings
        As `Recurrent` explains.
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

    def _forward(
        self, x: Array, state: Arrays, weights: Arrays, plan: Packing, keep: bool
    ) -> tuple[tuple[Array, Arrays], Any]:
        return rnn_forward(x, state, weights, plan, keep, self.nonlinearity)

    _backward = staticmethod(rnn_backward)


class LSTM(Recurrent):
    """Run the long short-term memory over a sequence. Derived in chapter 06_lstm.

        i, f, o = σ(W_x x_t + W_h h_{t-1} + b)   write, keep, show: three gates in 0 … 1
        g = tanh(W_x x_t + W_h h_{t-1} + b)      what could be written
        c_t = f c_{t-1} + i g                    the memory: kept in part, added to in part
        h_t = o tanh(c_t)                        what is shown of it

    each with its own rows of W_x, W_h and b, stacked in the order i, f, g, o. The
    state is the pair (h, c). The parameters have torch's names and shapes, so that a
    `state_dict` moves between this layer and ``torch.nn.LSTM`` unchanged, both ways.
    `LSTMCell` has the variants.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        As `Recurrent` explains.
    seed, dtype, proj_size
        As `Recurrent` explains.

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
    _forward = staticmethod(lstm_forward)
    _backward = staticmethod(lstm_backward)
    _inside = staticmethod(lstm_gates)


class GRU(Recurrent):
    """Run the gated recurrent unit over a sequence. Derived in chapter 07_gru.

        r, z = σ(W_x x_t + W_h h_{t-1} + b)             reset and update: two gates in 0 … 1
        n = tanh(W_x x_t + r (W_h h_{t-1} + b_hn) + b)  the candidate
        h_t = (1 - z) n + z h_{t-1}                     the state: kept in part, renewed in part

    each with its own rows of W_x, W_h and b, stacked in the order r, z, n; the reset
    comes after the product, as in torch. The parameters have torch's names and shapes,
    so that a `state_dict` moves between this layer and ``torch.nn.GRU`` unchanged, both
    ways.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        As `Recurrent` explains.
    seed, dtype, proj_size
        As `Recurrent` explains.

    Attributes
    ----------
    weight_ih_l0 : (3H, I) Parameter
        W_x of the formula; `gate` gives each gate's rows.
    weight_hh_l0 : (3H, H) Parameter
        W_h of the formula.
    bias_ih_l0, bias_hh_l0 : (3H,) Parameter
        For r and z only their sum counts, as b; for n the first is b, and the second is
        b_hn, inside the reset gate.

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder for
    statistical machine translation, EMNLP 2014. There r is applied before the
    product: `gru_step` does both.

    Examples
    --------
    >>> gru = GRU(3, 4, num_layers=2, bidirectional=True, seed=0)
    >>> y, h_n = gru(np.ones((5, 2, 3)))
    >>> y.shape, h_n.shape
    ((5, 2, 8), (4, 2, 4))
    """

    gates = "rzn"
    _forward = staticmethod(gru_forward)
    _backward = staticmethod(gru_backward)
    _inside = staticmethod(gru_gates)

    def _weights(self, k: int) -> Arrays:
        W_x, W_h, *biases = (getattr(self, name).data for name in self.names[k])
        split = 2 * self.hidden_size
        b_ih, b_hh = biases or np.zeros((2, len(W_h)), W_h.dtype)
        return W_x, W_h, np.concatenate([b_ih[:split] + b_hh[:split], b_ih[split:]]), b_hh[split:]

    def _add(self, k: int, dW_x: Array, dW_h: Array, *biases: Array) -> None:
        db, db_hn = biases
        db_hh = np.concatenate([db[: 2 * self.hidden_size], db_hn])
        for name, gradient in zip(self.names[k], (dW_x, dW_h, db, db_hh), strict=False):
            getattr(self, name).add_grad(gradient)
