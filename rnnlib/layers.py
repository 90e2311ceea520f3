"""Layers without a memory: what comes before and after the recurrence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .initializers import uniform
from .module import Module, Parameter
from .validation import as_rng, expect_float, expect_index, expect_positive


class Linear(Module):
    """y = W x + b on the last axis: the output layer of a recurrent network.

    Parameters
    ----------
    in_features, out_features : int
        Sizes I of the input and K of the output.
    bias : bool, optional
        Whether b is added.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√I, as in torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    weight : (K, I) Parameter
        W_y of the formula y_t = W_y h_t + c.
    bias : (K,) Parameter or None
        c of the formula.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    Notes
    -----
    Derived in chapter 02_cell.

    Examples
    --------
    >>> layer = Linear(3, 2, seed=0)
    >>> layer(np.ones((5, 4, 3))).shape
    (5, 4, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        self.in_features = expect_positive("in_features", in_features)
        self.out_features = expect_positive("out_features", out_features)
        rng = as_rng(seed)
        bound = 1.0 / np.sqrt(in_features)
        self.weight = Parameter(uniform((out_features, in_features), bound, rng, dtype))
        self.bias = Parameter(uniform((out_features,), bound, rng, dtype)) if bias else None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Apply the layer to the last axis.

        Parameters
        ----------
        x : (..., I) array

        Returns
        -------
        y : (..., K) array
        """
        x = expect_float(
            "x", x, (*np.shape(x)[:-1], self.in_features), dtype=self.weight.data.dtype
        )
        self.remember(x)
        y = x @ self.weight.data.T
        if self.bias is not None:
            y += self.bias.data
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Add to the gradients of W and b, and pass the gradient on.

        Parameters
        ----------
        dy : (..., K) array
            Gradient of the loss by the output.

        Returns
        -------
        dx : (..., I) array
            Gradient of the loss by the input.
        """
        x = self.recall()
        dy = expect_float("dy", dy, (*x.shape[:-1], self.out_features), dtype=x.dtype)
        rows = dy.reshape(-1, self.out_features)
        self.weight.grad += rows.T @ x.reshape(-1, self.in_features)
        if self.bias is not None:
            self.bias.grad += rows.sum(axis=0)
        return dy @ self.weight.data


class Embedding(Module):
    """A row of numbers for each word: the input layer when the input is a word's index.

    Looking up row k is what W_x does with a one-hot vector, without the multiplication.

    Parameters
    ----------
    num_embeddings : int
        Size V of the vocabulary.
    embedding_dim : int
        Size I of each word's row.
    seed : int or numpy.random.Generator, optional
        Where the first rows are drawn from: standard normal, as in torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    weight : (V, I) Parameter

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    Notes
    -----
    Derived in chapter 01_storybook.

    Examples
    --------
    >>> layer = Embedding(10, 4, seed=0)
    >>> layer(np.array([[1, 2], [3, 1]])).shape
    (2, 2, 4)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        shape = (
            expect_positive("num_embeddings", num_embeddings),
            expect_positive("embedding_dim", embedding_dim),
        )
        self.weight = Parameter(as_rng(seed).standard_normal(shape).astype(dtype))

    def forward(self, tokens: np.ndarray) -> np.ndarray:
        """Look up each token's row.

        Parameters
        ----------
        tokens : integer array, any shape
            Indices in 0 … V - 1.

        Returns
        -------
        x : (*tokens.shape, I) array
        """
        tokens = expect_index("tokens", tokens, size=self.weight.shape[0])
        self.remember(tokens)
        return self.weight.data[tokens]

    def backward(self, dx: np.ndarray) -> None:
        """Add each token's gradient to its row; a word that occurs twice gets both.

        Parameters
        ----------
        dx : (*tokens.shape, I) array
            Gradient of the loss by the output. Tokens have no gradient of their own.
        """
        tokens = self.recall()
        embedding_dim = self.weight.shape[1]
        dx = expect_float("dx", dx, (*tokens.shape, embedding_dim), dtype=self.weight.data.dtype)
        np.add.at(self.weight.grad, tokens.reshape(-1), dx.reshape(-1, embedding_dim))
