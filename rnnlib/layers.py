"""Layers without a memory: what comes before and after the recurrence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .initializers import uniform
from .module import Module, Parameter
from .validation import as_rng, expect_float, expect_index, expect_positive

Array = np.ndarray


class Linear(Module):
    """Take y = W x + b on the last axis: an output layer. Derived in chapter 02_cell.

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

    def forward(self, x: Array) -> Array:
        """Apply the layer to the last axis.

        Parameters
        ----------
        x : (..., I) array

        Returns
        -------
        y : (..., K) array
        """
        W = self.weight.data
        x = expect_float("x", x, ("...", self.in_features), dtype=W.dtype)
        self.remember((x, W))
        y = x @ W.T
        if self.bias is not None:
            y += self.bias.data
        return y

    def backward(self, dy: Array) -> Array:
        """Add to the gradients of W and b, and pass the gradient on.

        Parameters
        ----------
        dy : (..., K) array
            Gradient of the loss with respect to the output.

        Returns
        -------
        dx : (..., I) array
            Gradient of the loss with respect to the input.
        """
        x, W = self.recall()
        dy = expect_float("dy", dy, (*x.shape[:-1], self.out_features), dtype=x.dtype)
        rows = dy.reshape(-1, self.out_features)
        self.weight.add_grad(rows.T @ x.reshape(-1, self.in_features))
        if self.bias is not None:
            self.bias.add_grad(rows.sum(axis=0))
        return dy @ W


class Embedding(Module):
    """Look up a row of numbers for each word: an input layer. Derived in chapter 01_storybook.

    Looking up row k is what W_x does with a one-hot vector, without the multiplication.

    Parameters
    ----------
    num_embeddings : int
        Size V of the vocabulary.
    embedding_dim : int
        Size I of each word's row.
    padding_idx : int, optional
        The word that pads: its row begins with zeros and does not learn. Below 0 it counts
        from the end, as in torch.
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
        If a size is not a whole number of at least 1, or padding_idx is no word.

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
        padding_idx: int | None = None,
        *,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        V = self.num_embeddings = expect_positive("num_embeddings", num_embeddings)
        self.embedding_dim = expect_positive("embedding_dim", embedding_dim)
        rows = as_rng(seed).standard_normal((V, self.embedding_dim)).astype(dtype)
        if padding_idx is not None:
            padding_idx += V if padding_idx < 0 else 0
            rows[expect_index("padding_idx", padding_idx, size=V)] = 0.0
        self.padding_idx = padding_idx
        self.weight = Parameter(rows)

    def forward(self, tokens: Array) -> Array:
        """Look up each token's row.

        Parameters
        ----------
        tokens : integer array, any shape
            Indices in 0 … V - 1.

        Returns
        -------
        x : (*tokens.shape, I) array
        """
        tokens = expect_index("tokens", tokens, size=self.num_embeddings)
        self.remember(tokens)
        return self.weight.data[tokens]

    def backward(self, dx: Array) -> None:
        """Add each token's gradient to its row; a word that occurs twice gets both.

        Parameters
        ----------
        dx : (*tokens.shape, I) array
            Gradient of the loss with respect to the output. Tokens have none of their own.
        """
        tokens, I = self.recall(), self.embedding_dim
        dx = expect_float("dx", dx, (*tokens.shape, I), dtype=self.weight.data.dtype)
        # sorted, equal words stand side by side: faster than np.add.at. Numbers of 16 bits or
        # less are sorted in linear time
        tokens = tokens.astype(np.min_scalar_type(self.num_embeddings))
        order = np.argsort(tokens, axis=None, kind="stable")
        words, starts = np.unique(tokens.reshape(-1)[order], return_index=True)
        sums = np.add.reduceat(dx.reshape(-1, I)[order], starts, axis=0)
        learns = words != self.padding_idx
        self.weight.add_grad(sums[learns], rows=words[learns])


class Dropout(Module):
    """Drop a random share p of the numbers while training. Derived in chapter 09_sentiment.

        y = m x / (1 - p),    m = 0 with probability p, else 1

    Scaling up what is left keeps the mean of y at x, so that in evaluation the layer has nothing
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

    def forward(self, x: Array) -> Array:
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
        mask.flags.writeable = False  # nobody else's, so it need not be copied
        self.remember(mask)
        return x * mask

    def backward(self, dy: Array) -> Array:
        """Pass no gradient to what was dropped, and scale the rest as its number was.

        Parameters
        ----------
        dy : array, the shape of x
            Gradient of the loss with respect to the output.

        Returns
        -------
        dx : array, the shape of x
            Gradient of the loss with respect to the input.
        """
        mask = self.recall()
        return expect_float("dy", dy, mask.shape, dtype=mask.dtype) * mask


class Conv2d(Module):
    """Apply the same weights at every place of a picture. Derived in chapter 14_video.

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

    def forward(self, x: Array) -> Array:
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
        size, C, W = self.kernel_size, self.in_channels, self.weight.data
        x = expect_float("x", x, ("...", C, "height", "width"), dtype=W.dtype)
        pictures = x.reshape(int(np.prod(x.shape[:-3])), *x.shape[-3:])
        padded = np.pad(pictures, ((0, 0), (0, 0), self.padding, self.padding))
        windows = _windows(padded, size, self.stride).transpose(0, 2, 3, 1, 4, 5)
        places = windows.shape[:3]  # (B, rows, columns)
        rows = windows.reshape(int(np.prod(places)), C * size * size)
        padded.flags.writeable = rows.flags.writeable = False  # nobody else's: need no copy
        self.remember((rows, places, padded.shape, x.shape, W))
        y = rows @ W.reshape(self.out_channels, -1).T
        if self.bias is not None:
            y += self.bias.data
        y = y.reshape(*places, self.out_channels).transpose(0, 3, 1, 2)
        return y.reshape(*x.shape[:-3], *y.shape[1:])

    def backward(self, dy: Array) -> Array:
        """Add to the gradients of W and b, and pass the gradient on.

        Parameters
        ----------
        dy : (..., K, height, width) array
            Gradient of the loss with respect to the output.

        Returns
        -------
        dx : (..., C, height, width) array
            Gradient of the loss with respect to the input: a pixel adds up what every window
            that saw it hands back.
        """
        rows, (B, Y, X), padded_shape, shape, W = self.recall()
        K, C, size = self.out_channels, self.in_channels, self.kernel_size
        dy = expect_float("dy", dy, (*shape[:-3], K, Y, X), dtype=rows.dtype)
        drows = dy.reshape(B, K, Y, X).transpose(0, 2, 3, 1).reshape(B * Y * X, K)
        self.weight.add_grad((drows.T @ rows).reshape(W.shape))
        if self.bias is not None:
            self.bias.add_grad(drows.sum(axis=0))
        dwindows = (drows @ W.reshape(K, -1)).reshape(B, Y, X, C, size, size)
        dwindows = dwindows.transpose(0, 3, 1, 2, 4, 5)
        before = self.padding[0]
        dx = _add_windows(dwindows, padded_shape, self.stride)
        return dx[:, :, before:, before:][:, :, : shape[-2], : shape[-1]].reshape(shape)


class Pool2d(Module):
    """Make one number of each window of a picture; what max and mean pooling share."""

    def __init__(self, kernel_size: int, stride: int | None = None) -> None:
        self.kernel_size = expect_positive("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else expect_positive("stride", stride)

    def forward(self, x: Array) -> Array:
        """Pool every picture.

        Parameters
        ----------
        x : (..., height, width) array

        Returns
        -------
        y : (..., height, width) array
            Along each axis the size less the window's, over the stride, rounded down,
            plus 1.

        Raises
        ------
        ValueError
            If the shape or dtype does not fit, or the window is larger than the picture.
        """
        x = expect_float("x", x, ("...", "height", "width"))
        pictures = x.reshape(int(np.prod(x.shape[:-2])), 1, *x.shape[-2:])
        windows = _windows(pictures, self.kernel_size, self.stride)
        y, shares = self._pool(windows.reshape(*windows.shape[:4], self.kernel_size**2))
        shares.flags.writeable = False  # nobody else's, so it need not be copied
        self.remember((shares, windows.shape, pictures.shape, x.shape))
        return y.reshape(*x.shape[:-2], *y.shape[2:])

    def backward(self, dy: Array) -> Array:
        """Hand each window's gradient to the numbers that made it.

        Parameters
        ----------
        dy : (..., height, width) array
            Gradient of the loss with respect to the output.

        Returns
        -------
        dx : (..., height, width) array
            Gradient of the loss with respect to the input.
        """
        shares, windows_shape, pictures_shape, shape = self.recall()
        dy = expect_float("dy", dy, (*shape[:-2], *windows_shape[2:4]), dtype=shares.dtype)
        dwindows = (dy.reshape(*windows_shape[:4], 1) * shares).reshape(windows_shape)
        return _add_windows(dwindows, pictures_shape, self.stride).reshape(shape)

    def _pool(self, windows: Array) -> tuple[Array, Array]:
        """One number for each window (…, size²), and the share of each entry in it."""
        raise NotImplementedError(f"{type(self).__name__} defines no pooling")


class MaxPool2d(Pool2d):
    """Keep the largest number of each window of a picture. Derived in chapter 14_video.

    Parameters
    ----------
    kernel_size : int
        Height and width of the window.
    stride : int, optional
        How far the window moves from one place to the next; as far as it is wide, if left
        out.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    Examples
    --------
    >>> layer = MaxPool2d(2)
    >>> layer(np.arange(16.0).reshape(1, 4, 4)).tolist()
    [[[5.0, 7.0], [13.0, 15.0]]]
    >>> layer.backward(np.ones((1, 2, 2)))[0, 1].tolist()  # the whole gradient to the largest
    [0.0, 1.0, 0.0, 1.0]
    """

    def _pool(self, windows: Array) -> tuple[Array, Array]:
        shares = np.zeros_like(windows)
        np.put_along_axis(shares, windows.argmax(axis=-1)[..., None], 1.0, axis=-1)
        return windows.max(axis=-1), shares


class AvgPool2d(Pool2d):
    """Take the mean of each window of a picture. Derived in chapter 14_video.

    Parameters
    ----------
    kernel_size, stride : int
        As in `MaxPool2d`.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    Examples
    --------
    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 4, 4)).tolist()
    [[[2.5, 4.5], [10.5, 12.5]]]
    """

    def _pool(self, windows: Array) -> tuple[Array, Array]:
        return windows.mean(axis=-1), np.full_like(windows, 1.0 / windows.shape[-1])


def _windows(pictures: Array, size: int, stride: int) -> Array:
    """(B, C, rows, columns, size, size): what each window of (B, C, height, width) sees."""
    if min(pictures.shape[2:]) < size:
        raise ValueError(
            f"x has pictures of {pictures.shape[2]} by {pictures.shape[3]} (padding counted), "
            f"smaller than the window of {size} by {size}"
        )
    windows = sliding_window_view(pictures, (size, size), axis=(2, 3))
    return windows[:, :, ::stride, ::stride]


def _add_windows(windows: Array, shape: tuple[int, ...], stride: int) -> Array:
    """(B, C, height, width): at each place the sum of all windows that see it."""
    Y, X, size, _ = windows.shape[2:]
    pictures = np.zeros(shape, windows.dtype)
    for i, j in np.ndindex(size, size):
        seen = np.s_[:, :, i : i + stride * Y : stride, j : j + stride * X : stride]
        pictures[seen] += windows[..., i, j]
    return pictures
