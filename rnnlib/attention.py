"""Attention: look at every step of another sequence, and take a weighted mean::

    e_tj = score(q_t, k_j)              how well key j answers query t
    α_tj = softmax over j of e_tj       where query t looks; each row adds up to 1
    c_t  = Σ_j α_tj v_j                 the context: what it sees

The two kinds differ in the score alone. A key behind its sequence's end gets no weight.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import softmax, tanh, tanh_grad
from .initializers import uniform
from .module import Module, Parameter
from .sequences import packing, unpack
from .validation import as_rng, expect_float, expect_positive

Array = np.ndarray


class Attention(Module):
    """What `DotAttention` and `AdditiveAttention` have in common: all but the score.

    A NaN in a query makes that query's context NaN, one in a key or value that counts
    every context of its sequence; other sequences of the batch see nothing of it.
    """

    def forward(
        self, queries: Array, keys: Array, values: Array, lengths: Any = None
    ) -> tuple[Array, Array]:
        """Average the values, weighted by how well each key answers each query.

        Parameters
        ----------
        queries : (T_q, B, H) array
            What looks: as a rule a decoder's states. T_q may be 0.
        keys : (T_k, B, H) array
            What is compared: as a rule an encoder's outputs. At least one step.
        values : (T_k, B, F) array
            What is averaged; often the keys again.
        lengths : (B,) integer array, optional
            Steps of each sequence of keys that count, in 1 … T_k. What lies behind
            them changes nothing.

        Returns
        -------
        context : (T_q, B, F) array
        weights : (T_q, B, T_k) array
            Zero behind a sequence's end. While training read-only, as the backward pass
            needs them.

        Raises
        ------
        ValueError
            If a shape or dtype does not fit, if there is no key, or if a length lies
            outside 1 … T_k.
        """
        queries = expect_float("queries", queries, ("T_q", "B", "H"))
        B, dtype = queries.shape[1], queries.dtype
        keys = expect_float("keys", keys, ("T_k", B, "H"), dtype)
        T_k = len(keys)
        values = expect_float("values", values, (T_k, B, "F"), dtype)
        if T_k == 0:
            raise ValueError("keys has no time step, so there is nothing to look at")
        plan = packing(T_k, B, lengths)
        counts = None
        if plan.rows is not None:
            counts = unpack(np.ones((len(plan.rows), 1), dtype=bool), plan)  # (T_k, B, 1)
            # even a NaN behind the end: no weight times NaN would still be NaN
            keys, values = np.where(counts, keys, 0), np.where(counts, values, 0)
            keys.flags.writeable = values.flags.writeable = False  # nobody else's: need no copy

        # from here on the batch comes first: one matrix product for each sequence
        q, k, v = (array.swapaxes(0, 1) for array in (queries, keys, values))
        scores, cache = self._score(q, k)  # (B, T_q, T_k)
        if counts is not None:
            scores = np.where(counts.transpose(1, 2, 0), scores, -np.inf)
        weights = softmax(scores)
        weights.flags.writeable = not self.training
        context = weights @ v  # (B, T_q, F)
        self.remember((v, weights, *cache))
        return context.swapaxes(0, 1), weights.swapaxes(0, 1)

    def backward(
        self, dcontext: Array, dweights: Array | None = None
    ) -> tuple[Array, Array, Array]:
        """Run the backward pass; add to the parameters' gradients.

        Parameters
        ----------
        dcontext : (T_q, B, F) array
            Gradient of the loss with respect to the context.
        dweights : (T_q, B, T_k) array, optional
            Gradient of the loss with respect to the weights, where it depends on them
            directly.

        Returns
        -------
        dqueries : (T_q, B, H) array
        dkeys : (T_k, B, H) array
        dvalues : (T_k, B, F) array
            Gradients of the loss with respect to the inputs; zero behind a sequence's end.
            Where one array was both keys and values, its gradient is the sum of the two.
        """
        v, weights, *cache = self.recall()
        B, T_q, T_k = weights.shape
        dcontext = expect_float("dcontext", dcontext, (T_q, B, v.shape[2]), v.dtype)
        dc = dcontext.swapaxes(0, 1)
        dw = dc @ v.swapaxes(1, 2)  # (B, T_q, T_k)
        if dweights is not None:
            dw = dw + expect_float("dweights", dweights, (T_q, B, T_k), v.dtype).swapaxes(0, 1)
        dv = weights.swapaxes(1, 2) @ dc
        # the softmax's Jacobian: a score counts by how far its key is above the mean
        dscores = weights * (dw - (weights * dw).sum(axis=2, keepdims=True))
        dq, dk = self._score_back(dscores, *cache)
        return dq.swapaxes(0, 1), dk.swapaxes(0, 1), dv.swapaxes(0, 1)

    def _score(self, q: Array, k: Array) -> tuple[Array, tuple]:
        """(B, T_q, T_k) scores of q (B, T_q, H) against k (B, T_k, H), and what to keep."""
        raise NotImplementedError(f"{type(self).__name__} defines no score")

    def _score_back(self, dscores: Array, *cache: Any) -> tuple[Array, Array]:
        """From the gradient with respect to the scores to those with respect to q and k."""
        raise NotImplementedError(f"{type(self).__name__} defines no score")


class DotAttention(Attention):
    """Score keys by the dot product, q·k, over √H if scaled. Derived in chapter 10_translation.

    Queries and keys must have the same size H. There is nothing to learn in it: the
    layers around it learn to point their states the same way.

    Parameters
    ----------
    scaled : bool, optional
        Divide the score by √H. A dot product of H numbers of size 1 is of size √H,
        and without the division a large H makes the softmax pick a single key.

    Raises
    ------
    ValueError
        When called: if an array's shape or dtype does not fit.

    References
    ----------
    Luong, Pham and Manning, Effective approaches to attention-based neural machine
    translation, EMNLP 2015; scaled: Vaswani et al., Attention is all you need, NeurIPS
    2017, equation 1.

    Examples
    --------
    >>> keys = np.array([[[4.0, 0.0]], [[0.0, 4.0]]])  # two steps of one sequence
    >>> values = np.array([[[1.0]], [[2.0]]])
    >>> context, weights = DotAttention()(np.array([[[0.0, 2.0]]]), keys, values)
    >>> weights.round(4).tolist(), context.round(4).tolist()  # it looks at the second key
    ([[[0.0003, 0.9997]]], [[[1.9997]]])
    """

    def __init__(self, scaled: bool = False) -> None:
        self.scaled = scaled

    def _score(self, q: Array, k: Array) -> tuple[Array, tuple]:
        if q.shape[2] != k.shape[2]:
            raise ValueError(
                f"queries hold {q.shape[2]} numbers a step, but keys {k.shape[2]}: a dot product "
                "needs as many"
            )
        scale = q.shape[2] ** -0.5 if self.scaled else 1.0
        return scale * (q @ k.swapaxes(1, 2)), (q, k, scale)

    def _score_back(self, dscores: Array, q: Array, k: Array, scale: float) -> tuple[Array, Array]:
        dscores = scale * dscores
        return dscores @ k, dscores.swapaxes(1, 2) @ q


class AdditiveAttention(Attention):
    """Score keys by a small network, v · tanh(W_q q + W_k k). Derived in chapter 10_translation.

    Queries and keys may differ in size.

    Parameters
    ----------
    query_size, key_size : int
        Sizes of the queries and of the keys.
    attention_size : int
        Size A of the network's hidden layer.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound one over the root of
        each product's input size.
    dtype : dtype, optional
        float64 or float32. Queries, keys and values must have the same.

    Attributes
    ----------
    W_q : (A, query_size) Parameter
        In the paper W_a.
    W_k : (A, key_size) Parameter
        In the paper U_a.
    v : (A,) Parameter
        In the paper v_a.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    References
    ----------
    Bahdanau, Cho and Bengio, Neural machine translation by jointly learning to align
    and translate, ICLR 2015, equations 5 and 6, appendix A.1.2.

    Examples
    --------
    >>> attention = AdditiveAttention(query_size=4, key_size=6, attention_size=5, seed=0)
    >>> queries, keys = np.ones((3, 2, 4)), np.ones((7, 2, 6))
    >>> context, weights = attention(queries, keys, keys, lengths=[7, 2])
    >>> context.shape, weights.shape, weights[0, 1].tolist()  # equal keys, equal weights
    ((3, 2, 6), (3, 2, 7), [0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0])
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        attention_size: int,
        *,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        Q = self.query_size = expect_positive("query_size", query_size)
        K = self.key_size = expect_positive("key_size", key_size)
        A = self.attention_size = expect_positive("attention_size", attention_size)
        rng = as_rng(seed)
        self.W_q = Parameter(uniform((A, Q), 1.0 / np.sqrt(Q), rng, dtype))
        self.W_k = Parameter(uniform((A, K), 1.0 / np.sqrt(K), rng, dtype))
        self.v = Parameter(uniform((A,), 1.0 / np.sqrt(A), rng, dtype))

    def _score(self, q: Array, k: Array) -> tuple[Array, tuple]:
        dtype = self.v.data.dtype
        expect_float("queries", q.swapaxes(0, 1), ("T_q", "B", self.query_size), dtype)
        expect_float("keys", k.swapaxes(0, 1), ("T_k", "B", self.key_size), dtype)
        W_q, W_k, v = self.W_q.data, self.W_k.data, self.v.data
        from_q = (q @ W_q.T)[:, :, None]  # (B, T_q, 1, A)
        from_k = (k @ W_k.T)[:, None]  # (B, 1, T_k, A)
        hidden = tanh(from_q + from_k)  # (B, T_q, T_k, A)
        hidden.flags.writeable = False  # nobody else's, so it need not be copied
        return hidden @ v, (q, k, hidden, W_q, W_k, v)

    def _score_back(
        self, dscores: Array, q: Array, k: Array, hidden: Array, W_q: Array, W_k: Array, v: Array
    ) -> tuple[Array, Array]:
        A = self.attention_size
        self.v.add_grad(dscores.reshape(-1) @ hidden.reshape(-1, A))
        dz = dscores[..., None] * v * tanh_grad(hidden)
        dfrom_q, dfrom_k = dz.sum(axis=2), dz.sum(axis=1)
        self.W_q.add_grad(dfrom_q.reshape(-1, A).T @ q.reshape(-1, self.query_size))
        self.W_k.add_grad(dfrom_k.reshape(-1, A).T @ k.reshape(-1, self.key_size))
        return dfrom_q @ W_q, dfrom_k @ W_k
