"""Layers without a memory: what comes before and after the recurrence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

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
        x = expect_float("x", x, ("...", self.in_features), dtype=self.weight.data.dtype)
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


class Dropout(Module):
    """Sets a random share p of the numbers to zero while training, and scales up the rest.

        y = m x / (1 - p),    m = 0 with probability p, else 1

    The scaling keeps the mean of y at x, so that in evaluation the layer has nothing
    to do: y = x.

    Parameters
    ----------
    p : float, optional
        Share of the numbers that is dropped, in 0 … 1 (1 excluded).
    seed : int or numpy.random.Generator, optional
        Where the masks m are drawn from, a new one for every forward pass.

    Raises
    ------
    ValueError
        If p lies outside.

    References
    ----------
    Srivastava et al., Dropout: a simple way to prevent neural networks from
    overfitting, JMLR 15, 2014; there the scaling is done in evaluation, by 1 - p.

    Notes
    -----
    Derived in chapter 09_sentiment.

    Examples
    --------
    >>> layer = Dropout(0.5, seed=0)
    >>> layer(np.ones(6)).tolist()
    [2.0, 0.0, 0.0, 0.0, 2.0, 2.0]
    >>> layer.eval()(np.ones(6)).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5, seed: int | np.random.Generator | None = None) -> None:
        if not 0.0 <= p < 1.0:
            raise ValueError(f"p must lie in 0 … 1 (1 excluded), got {p}")
        self.p, self.rng = p, as_rng(seed)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Drop some of the numbers; in evaluation give back x itself.

        Parameters
        ----------
        x : float array, any shape

        Returns
        -------
        y : array, the shape of x

        Raises
        ------
        ValueError
            If x is neither float32 nor float64.
        """
        x = expect_float("x", x, ("...",))
        if not self.training:
            self.remember(None)
            return x
        mask = (self.rng.random(x.shape) >= self.p).astype(x.dtype)
        mask /= 1.0 - self.p
        self.remember(mask)
        return x * mask

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """What was dropped gets no gradient; the rest is scaled as its number was.

        Parameters
        ----------
        dy : array, the shape of x
            Gradient of the loss by the output.

        Returns
        -------
        dx : array, the shape of x
            Gradient of the loss by the input.

        Raises
        ------
        ValueError
            If the shape or dtype of dy does not fit.
        """
        mask = self.recall()
        return expect_float("dy", dy, mask.shape, dtype=mask.dtype) * mask


class Conv2d(Module):
    """A small convolution for frames: the same weights at every place of a picture.

        y[k, r, s] = b[k] + Σ W[k, c, i, j] x[c, stride·r + i, stride·s + j]

    summed over the channels c and the rows i and columns j of the window. Every window
    is laid out as one row of a matrix, so that all places and pictures are a single
    product with W.

    Parameters
    ----------
    in_channels, out_channels : int
        C and K.
    kernel_size : int
        Height and width of the window.
    stride : int, optional
        How far the window moves from one place to the next.
    padding : int, "valid" or "same", optional
        Zeros put around the picture: so many on each side, none, or as many as keep
        its size; "same" only with stride 1, as in torch.
    bias : bool, optional
        Whether b is added.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√(C · size²), as in
        torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    weight : (K, C, size, size) Parameter
    bias : (K,) Parameter or None

    Raises
    ------
    ValueError
        If an argument is not what is said here, naming it.

    References
    ----------
    LeCun et al., Gradient-based learning applied to document recognition, Proceedings
    of the IEEE 86, 1998.

    Notes
    -----
    Derived in chapter 14_video.

    Examples
    --------
    >>> layer = Conv2d(1, 4, kernel_size=3, stride=2, padding=1, seed=0)
    >>> layer(np.ones((5, 2, 1, 8, 6))).shape  # five steps of two films, 8 by 6 grey pixels
    (5, 2, 4, 4, 3)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int | str = 0,
        bias: bool = True,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        C = self.in_channels = expect_positive("in_channels", in_channels)
        K = self.out_channels = expect_positive("out_channels", out_channels)
        size = self.kernel_size = expect_positive("kernel_size", kernel_size)
        self.stride = expect_positive("stride", stride)
        if padding == "same":
            if stride != 1:
                raise ValueError(f"padding 'same' needs stride 1, got {stride}")
            # an even window needs one more zero behind than before
            self.padding = ((size - 1) // 2, size // 2)
        elif padding == "valid":
            self.padding = (0, 0)
        elif isinstance(padding, (int, np.integer)) and padding >= 0:
            self.padding = (int(padding), int(padding))
        else:
            raise ValueError(f"padding must be 'valid', 'same' or at least 0, got {padding!r}")
        rng = as_rng(seed)
        bound = 1.0 / np.sqrt(C * size * size)
        self.weight = Parameter(uniform((K, C, size, size), bound, rng, dtype))
        self.bias = Parameter(uniform((K,), bound, rng, dtype)) if bias else None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Slide the window over every picture.

        Parameters
        ----------
        x : (..., C, height, width) array
            One batch axis (B, …), or time and batch (T, B, …): any number of them.

        Returns
        -------
        y : (..., K, height, width) array
            Along each axis the padded size less the window's, over the stride,
            rounded down, plus 1.

        Raises
        ------
        ValueError
            If the shape or dtype does not fit, or the window is larger than the
            padded picture.
        """
        size, stride, C = self.kernel_size, self.stride, self.in_channels
        x = expect_float("x", x, ("...", C, "height", "width"), dtype=self.weight.data.dtype)
        lead, (height, width) = x.shape[:-3], x.shape[-2:]
        if min(height, width) + sum(self.padding) < size:
            raise ValueError(
                f"x has shape {x.shape}: with padding {self.padding} its pictures are smaller "
                f"than the window of {size} by {size}"
            )
        pictures = x.reshape(int(np.prod(lead)), C, height, width)
        padded = np.pad(pictures, ((0, 0), (0, 0), self.padding, self.padding))
        windows = sliding_window_view(padded, (size, size), axis=(2, 3))
        windows = windows[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)
        places = windows.shape[:3]  # (B, rows, columns)
        rows = windows.reshape(int(np.prod(places)), C * size * size)
        self.remember((rows, places, padded.shape, x.shape))
        y = rows @ self.weight.data.reshape(self.out_channels, -1).T
        if self.bias is not None:
            y += self.bias.data
        y = y.reshape(*places, self.out_channels).transpose(0, 3, 1, 2)
        return y.reshape(*lead, *y.shape[1:])

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Add to the gradients of W and b, and pass the gradient on.

        Parameters
        ----------
        dy : (..., K, height, width) array
            Gradient of the loss by the output.

        Returns
        -------
        dx : (..., C, height, width) array
            Gradient of the loss by the input: a pixel adds up what every window that
            saw it hands back.

        Raises
        ------
        ValueError
            If the shape or dtype of dy does not fit.
        """
        rows, (B, Y, X), padded_shape, shape = self.recall()
        K, C, size, stride = self.out_channels, self.in_channels, self.kernel_size, self.stride
        dy = expect_float("dy", dy, (*shape[:-3], K, Y, X), dtype=rows.dtype)
        drows = dy.reshape(B, K, Y, X).transpose(0, 2, 3, 1).reshape(B * Y * X, K)
        self.weight.grad += (drows.T @ rows).reshape(self.weight.shape)
        if self.bias is not None:
            self.bias.grad += drows.sum(axis=0)
        dwindows = (drows @ self.weight.data.reshape(K, -1)).reshape(B, Y, X, C, size, size)
        dwindows = dwindows.transpose(4, 5, 0, 3, 1, 2)  # (size, size, B, C, Y, X)
        dpadded = np.zeros(padded_shape, dtype=rows.dtype)
        for i, j in np.ndindex(size, size):
            seen = np.s_[:, :, i : i + stride * Y : stride, j : j + stride * X : stride]
            dpadded[seen] += dwindows[i, j]
        before = self.padding[0]
        dx = dpadded[:, :, before : before + shape[-2], before : before + shape[-1]]
        return dx.reshape(shape)
