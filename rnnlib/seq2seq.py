"""Sequence to sequence: one network reads, another writes what it understood::

    encoder     m_1 … m_Tk, s  =  recurrent(embedding(source))      the memory, the last state
    decoder     h_1 … h_Tq     =  recurrent(embedding(tokens)),  begun in state s
                c_t            =  attention(h_t, memory)            with attention only
                a_t            =  tanh(W_c [c_t, h_t])
                logits_t       =  W_y a_t + c                       without: W_y h_t + c

Attention comes after the recurrence, not inside it, so that the decoder too runs over a
whole target at once. Without attention, s is all that the decoder knows of the source.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import tanh, tanh_grad
from .attention import Attention
from .layers import Embedding, Linear
from .module import Module
from .recurrent import Recurrent
from .validation import as_rng, expect_float, expect_shape

Array = np.ndarray


def teacher_forcing(targets: Any, start: int, ignore_index: int = -100) -> Array:
    """Shift targets by a step, for a decoder to read. Derived in chapter 10_translation.

    While it learns, a decoder reads at each step the right answer of the step before.

    Parameters
    ----------
    targets : (T, B) integer array
        The right answers.
    start : int
        The symbol that stands before the first one.
    ignore_index : int, optional
        What padding holds in targets, as in `cross_entropy`; it is read as `start`,
        and what the decoder says to it does not count.

    Returns
    -------
    tokens : (T, B) integer array

    Raises
    ------
    ValueError
        If targets has another number of axes.

    References
    ----------
    Williams and Zipser, A learning algorithm for continually running fully recurrent
    neural networks, Neural Computation 1, 1989.

    Examples
    --------
    >>> targets = np.array([[5, 7], [6, -100], [2, -100]])
    >>> teacher_forcing(targets, start=1).tolist()
    [[1, 1], [5, 7], [6, 1]]
    """
    targets = np.asarray(targets)
    expect_shape("targets", targets, ("T", "B"))
    tokens = np.full_like(targets, start)
    tokens[1:] = targets[:-1]
    tokens[tokens == ignore_index] = start
    return tokens


class Encoder(Module):
    """Read a sequence of words with a recurrent layer. Derived in chapter 10_translation.

    Parameters
    ----------
    embedding : Embedding
        V words to I numbers each.
    recurrent : RNN, LSTM or GRU
        Of input_size I, time first; any number of layers, one direction or two.

    Attributes
    ----------
    width : int
        D·H, the size of each output and of the state it hands on.

    Raises
    ------
    ValueError
        If the two do not fit each other.

    References
    ----------
    Sutskever, Vinyals and Le, Sequence to sequence learning with neural networks,
    NeurIPS 2014; Cho et al., Learning phrase representations using RNN encoder-decoder
    for statistical machine translation, EMNLP 2014.

    Examples
    --------
    >>> from rnnlib import GRU
    >>> encoder = Encoder(Embedding(10, 3, seed=0), GRU(3, 4, bidirectional=True, seed=1))
    >>> memory, state = encoder(np.array([[1, 2], [3, 4], [5, 0]]), lengths=[3, 2])
    >>> memory.shape, state.shape
    ((3, 2, 8), (1, 2, 8))
    """

    def __init__(self, embedding: Embedding, recurrent: Recurrent) -> None:
        _expect_fit(embedding, recurrent)
        self.embedding, self.recurrent = embedding, recurrent
        self.width = recurrent.directions * recurrent.hidden_size

    def forward(self, tokens: Array, state: Any = None, lengths: Any = None) -> tuple[Array, Any]:
        """Read a batch of sequences.

        Parameters
        ----------
        tokens : (T, B) integer array
            Words, in 0 … V - 1; what stands in the padding changes nothing. T and B
            may be 0.
        state : (L, B, D·H) array, optional
            The state before the first word; zero if left out. For an LSTM a pair.
        lengths : (B,) integer array, optional
            Words of each sequence that count, in 1 … T.

        Returns
        -------
        memory : (T, B, D·H) array
            The outputs, which attention looks at; zero in the padding.
        state : (L, B, D·H) array
            Each sequence's last state, the two directions side by side, as a decoder
            of hidden_size D·H begins with. For an LSTM a pair.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, or a word or length lies outside.
        """
        tokens = np.asarray(tokens)
        expect_shape("tokens", tokens, ("T", "B"))
        first = None if state is None else self._apart("state", state)
        memory, last = self.recurrent(self.embedding(tokens), first, lengths)
        self.remember(memory.shape)
        return memory, self._side_by_side(last)

    def backward(self, dmemory: Array | None = None, dstate: Any = None) -> Any:
        """Run the backward pass; add to the parameters' gradients.

        Parameters
        ----------
        dmemory : (T, B, D·H) array, optional
            Gradient of the loss with respect to the memory; zero if left out, as without
            attention.
        dstate : (L, B, D·H) array, optional
            Gradient of the loss with respect to the last state; zero if left out. For an
            LSTM a pair.

        Returns
        -------
        dstate : (L, B, D·H) array
            Gradient of the loss with respect to the state before the first word; for an LSTM a
            pair. Words have no gradient of their own.
        """
        shape, dtype = self.recall(), self.recurrent.W_x.dtype
        if dmemory is None:
            dmemory = np.zeros(shape, dtype)
        dmemory = expect_float("dmemory", dmemory, shape, dtype)
        dlast = None if dstate is None else self._apart("dstate", dstate)
        dx, dfirst = self.recurrent.backward(dmemory, dlast)
        self.embedding.backward(dx)
        return self._side_by_side(dfirst)

    def _side_by_side(self, state: Any) -> Any:
        """(L·D, B, H), the recurrent layer's own order, to (L, B, D·H)."""
        if isinstance(state, (tuple, list)):
            return tuple(self._side_by_side(array) for array in state)
        L, D = self.recurrent.num_layers, self.recurrent.directions
        B, H = state.shape[1:]
        return state.reshape(L, D, B, H).swapaxes(1, 2).reshape(L, B, D * H)

    def _apart(self, name: str, state: Any) -> Any:
        """(L, B, D·H) to (L·D, B, H): the inverse."""
        if isinstance(state, (tuple, list)):
            return tuple(self._apart(name, array) for array in state)
        L, D, H = self.recurrent.num_layers, self.recurrent.directions, self.recurrent.hidden_size
        state = expect_float(name, state, (L, "B", D * H), self.recurrent.W_x.dtype)
        B = state.shape[1]
        return state.reshape(L, B, D, H).swapaxes(1, 2).reshape(L * D, B, H)


class Decoder(Module):
    """Write words, from those before and from what was read. Derived in chapter 10_translation.

    Parameters
    ----------
    embedding : Embedding
        V words to I numbers each; not the encoder's own, as a module keeps one
        forward pass.
    recurrent : RNN, LSTM or GRU
        Of input_size I, time first, one direction; its hidden_size is the encoder's
        width, its num_layers the encoder's.
    attention : DotAttention or AdditiveAttention, optional
        From a query to keys of size H each; without it the decoder sees nothing but
        the state it begins with.
    seed : int or numpy.random.Generator, optional
        Where the first weights of `combine` and `output` are drawn from.

    Attributes
    ----------
    combine : Linear
        W_c, (H, 2 H) without a bias; with attention only.
    output : Linear
        From H to scores over the V words.
    weights : (T_q, B, T_k) array or None
        Where the last forward pass or step looked; with attention only.

    Raises
    ------
    ValueError
        If the parts do not fit each other.

    References
    ----------
    Luong, Pham and Manning, Effective approaches to attention-based neural machine
    translation, EMNLP 2015, equations 5 and 6; without attention: Sutskever, Vinyals
    and Le, Sequence to sequence learning with neural networks, NeurIPS 2014.

    Examples
    --------
    >>> from rnnlib import GRU, DotAttention
    >>> decoder = Decoder(Embedding(9, 3, seed=0), GRU(3, 4, seed=1), DotAttention(), seed=2)
    >>> memory, state = np.ones((6, 2, 4)), np.zeros((1, 2, 4))
    >>> logits, last = decoder(np.array([[1, 1], [3, 4]]), state, memory, lengths=[6, 5])
    >>> logits.shape, decoder.weights.shape
    ((2, 2, 9), (2, 2, 6))
    >>> dstate, dmemory = decoder.backward(np.ones_like(logits))
    >>> dstate.shape, dmemory.shape
    ((1, 2, 4), (6, 2, 4))
    """

    def __init__(
        self,
        embedding: Embedding,
        recurrent: Recurrent,
        attention: Attention | None = None,
        *,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        _expect_fit(embedding, recurrent)
        if recurrent.bidirectional:
            raise ValueError(
                "recurrent is bidirectional, but a decoder cannot read from the end of what it "
                "has not written yet"
            )
        rng, dtype = as_rng(seed), embedding.weight.data.dtype
        V, H = embedding.weight.shape[0], recurrent.hidden_size
        self.embedding, self.recurrent, self.attention = embedding, recurrent, attention
        if attention is not None:
            self.combine = Linear(2 * H, H, bias=False, seed=rng, dtype=dtype)
        self.output = Linear(H, V, seed=rng, dtype=dtype)
        self.weights: Array | None = None

    def forward(
        self, tokens: Array, state: Any = None, memory: Array | None = None, lengths: Any = None
    ) -> tuple[Array, Any]:
        """Score the word after each of these, all at once: teacher forcing.

        Parameters
        ----------
        tokens : (T_q, B) integer array
            What the decoder reads, as `teacher_forcing` gives it. T_q and B may be 0.
        state : (L, B, H) array, optional
            The state it begins with, as a rule the encoder's last; zero if left out.
            For an LSTM a pair.
        memory : (T_k, B, H) array, optional
            What attention looks at; needed with it, not looked at without.
        lengths : (B,) integer array, optional
            Steps of each sequence of the memory that count, in 1 … T_k.

        Returns
        -------
        logits : (T_q, B, V) array
        state : (L, B, H) array
            The state after the last word; for an LSTM a pair.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, a word or length lies outside, or there
            is attention but no memory.
        """
        tokens = np.asarray(tokens)
        expect_shape("tokens", tokens, ("T_q", "B"))
        seen, state = self.recurrent(self.embedding(tokens), state)
        if self.attention is not None:
            if memory is None:
                raise ValueError("memory is needed: there must be something to look at")
            H = self.recurrent.hidden_size
            memory = expect_float("memory", memory, ("T_k", tokens.shape[1], H), seen.dtype)
            context, self.weights = self.attention(seen, memory, memory, lengths)
            seen = tanh(self.combine(np.concatenate([context, seen], axis=2)))
            seen.flags.writeable = False  # nobody else's, so it need not be copied
        self.remember(seen)
        return self.output(seen), state

    def backward(self, dlogits: Array, dstate: Any = None) -> tuple[Any, Array | None]:
        """Run the backward pass; add to the parameters' gradients.

        Parameters
        ----------
        dlogits : (T_q, B, V) array
            Gradient of the loss with respect to the scores.
        dstate : (L, B, H) array, optional
            Gradient of the loss with respect to the state after the last word; zero if left out.
            For an LSTM a pair.

        Returns
        -------
        dstate : (L, B, H) array
            Gradient of the loss with respect to the state it began with; for an LSTM a pair.
        dmemory : (T_k, B, H) array or None
            Gradient of the loss with respect to the memory; None without attention.
        """
        seen = self.recall()
        shape = (*seen.shape[:2], self.output.out_features)
        dseen = self.output.backward(expect_float("dlogits", dlogits, shape, seen.dtype))
        dmemory = None
        if self.attention is not None:
            dboth = self.combine.backward(dseen * tanh_grad(seen))
            dcontext, dh = np.split(dboth, 2, axis=2)
            dqueries, dkeys, dvalues = self.attention.backward(dcontext)
            dseen, dmemory = dh + dqueries, dkeys + dvalues
        dx, dstate = self.recurrent.backward(dseen, dstate)
        self.embedding.backward(dx)
        return dstate, dmemory

    def step(
        self, tokens: Array, state: Any = None, memory: Array | None = None, lengths: Any = None
    ) -> tuple[Array, Any]:
        """Score one more word, when the words before it were not known in advance.

        Stepping through given words is the forward pass over them. It has no backward
        pass: a step forgets the forward pass before it.

        Parameters
        ----------
        tokens : (B,) integer array
            The word written last; at first the start symbol.
        state, memory, lengths
            As in `forward`; state is what the step before returned. A search such as
            `beam_search` carries all three, as each of its beginnings has its own::

                def step(tokens, carried):
                    state, memory, lengths = carried
                    logits, state = decoder.step(tokens, state, memory, lengths)
                    return log_softmax(logits), (state, memory, lengths)

        Returns
        -------
        logits : (B, V) array
        state : (L, B, H) array
            For the next step; for an LSTM a pair.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, a word or length lies outside, or there
            is attention but no memory.
        """
        tokens = np.asarray(tokens)
        expect_shape("tokens", tokens, ("B",))
        logits, state = self.forward(tokens[None], state, memory, lengths)
        self.remember(None)
        return logits[0], state


class Seq2Seq(Module):
    """Train an encoder and a decoder as one. Derived in chapter 10_translation.

    Parameters
    ----------
    encoder : Encoder
    decoder : Decoder
        Its recurrent layer has the encoder's kind and num_layers, and the encoder's
        width as its hidden_size.

    Raises
    ------
    ValueError
        If the encoder's last state is none that the decoder can begin with.

    References
    ----------
    Sutskever, Vinyals and Le, Sequence to sequence learning with neural networks,
    NeurIPS 2014.

    Examples
    --------
    >>> from rnnlib import GRU, AdditiveAttention, cross_entropy
    >>> encoder = Encoder(Embedding(10, 3, seed=0), GRU(3, 2, bidirectional=True, seed=1))
    >>> attention = AdditiveAttention(query_size=4, key_size=4, attention_size=5, seed=2)
    >>> decoder = Decoder(Embedding(9, 3, seed=3), GRU(3, 4, seed=4), attention, seed=5)
    >>> model = Seq2Seq(encoder, decoder)
    >>> source, targets = np.array([[1, 2], [3, 4], [5, 0]]), np.array([[6, 8], [7, -100]])
    >>> logits = model(source, teacher_forcing(targets, start=1), lengths=[3, 2])
    >>> loss, dlogits = cross_entropy(logits, targets)
    >>> model.backward(dlogits)
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        reads, writes = encoder.recurrent, decoder.recurrent
        got = (len(writes.states), writes.num_layers, writes.hidden_size)
        if got != (len(reads.states), reads.num_layers, encoder.width):
            raise ValueError(
                f"decoder has {got[1]} layers of size {got[2]} ({type(writes).__name__}), but the "
                f"encoder's state is of {reads.num_layers} layers of size {encoder.width} "
                f"({type(reads).__name__})"
            )
        self.encoder, self.decoder = encoder, decoder

    def forward(self, source: Array, tokens: Array, lengths: Any = None) -> Array:
        """Score each word of the target, given the source and the words before it.

        Parameters
        ----------
        source : (T_k, B) integer array
            What is read.
        tokens : (T_q, B) integer array
            The target as `teacher_forcing` gives it.
        lengths : (B,) integer array, optional
            Words of each source that count, in 1 … T_k.

        Returns
        -------
        logits : (T_q, B, V) array

        Raises
        ------
        ValueError
            If a shape does not fit, or a word or length lies outside.
        """
        memory, state = self.encoder(source, lengths=lengths)
        logits, _ = self.decoder(tokens, state, memory, lengths)
        return logits

    def backward(self, dlogits: Array) -> None:
        """Run the backward pass; add to every parameter's gradient.

        Parameters
        ----------
        dlogits : (T_q, B, V) array
            Gradient of the loss with respect to the scores. Words have no gradient of their own.
        """
        dstate, dmemory = self.decoder.backward(dlogits)
        self.encoder.backward(dmemory, dstate)


def _expect_fit(embedding: Embedding, recurrent: Recurrent) -> None:
    """Raise a ValueError unless the recurrent layer can read what the embedding gives."""
    I, dtype = embedding.weight.shape[1], embedding.weight.data.dtype
    if recurrent.input_size != I:
        raise ValueError(
            f"recurrent has input_size {recurrent.input_size}, but the embedding gives {I} numbers"
        )
    if recurrent.W_x.dtype != dtype:
        raise ValueError(f"recurrent has dtype {recurrent.W_x.dtype}, but the embedding {dtype}")
    if recurrent.batch_first:
        raise ValueError("recurrent is batch_first, but words come time first, (T, B)")
