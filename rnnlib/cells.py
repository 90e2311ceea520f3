"""One time step, in the symbols of the formula.

    z_t = W_x x_t + W_h h_{t-1} + b
    h_t = f(z_t)

The LSTM and the GRU stack their gates in the rows of W_x, W_h and b, in torch's
order: i, f, g, o and r, z, n.

Written to be read beside the equations: slow, clear, and the truth that the fast
layers are tested against. A row of x_t is one sequence of the batch, so that
"W_x x_t" stands as `x_t @ W_x.T`. A cache holds copies of what the backward pass needs
and somebody could change before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import nonlinearity_pair, sigmoid, sigmoid_grad, tanh, tanh_grad
from .initializers import uniform
from .module import Module, Parameter, own
from .validation import as_rng, expect_float, expect_positive

State = np.ndarray | tuple[np.ndarray, ...]


def rnn_step(
    x_t: np.ndarray,
    h_prev: np.ndarray,
    W_x: np.ndarray,
    W_h: np.ndarray,
    b: np.ndarray,
    nonlinearity: str = "tanh",
) -> tuple[np.ndarray, tuple]:
    """Compute h_t = f(W_x x_t + W_h h_{t-1} + b). Derived in chapter 02_cell.

    One step of the vanilla recurrent network.

    Parameters
    ----------
    x_t : (B, I) array
        The input at time t, one row a sequence.
    h_prev : (B, H) array
        The state before, h_{t-1}.
    W_x : (H, I) array
        From the input to the state; torch calls it weight_ih.
    W_h : (H, H) array
        From the state to the state, the recurrent connections; torch: weight_hh.
    b : (H,) array
        The bias; in torch bias_ih + bias_hh.
    nonlinearity : {"tanh", "relu"}, optional
        The function f.

    Returns
    -------
    h_t : (B, H) array
        The new state.
    cache : tuple
        What `rnn_step_backward` needs.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, naming the argument.

    References
    ----------
    Elman, Finding structure in time, Cognitive Science 14, 1990.

    Examples
    --------
    >>> x_t, h_prev = np.array([[1.0]]), np.array([[0.5]])
    >>> W_x, W_h, b = np.array([[0.6]]), np.array([[0.8]]), np.array([0.0])
    >>> h_t, cache = rnn_step(x_t, h_prev, W_x, W_h, b)
    >>> h_t.round(4).tolist()  # tanh(0.6 · 1 + 0.8 · 0.5) = tanh(1)
    [[0.7616]]
    """
    f, _ = nonlinearity_pair(nonlinearity)
    x_t = expect_float("x_t", x_t, ("B", "I"))
    B, I = x_t.shape
    W_x = expect_float("W_x", W_x, ("H", I), dtype=x_t.dtype)
    H = W_x.shape[0]
    W_h = expect_float("W_h", W_h, (H, H), dtype=x_t.dtype)
    b = expect_float("b", b, (H,), dtype=x_t.dtype)
    h_prev = expect_float("h_prev", h_prev, (B, H), dtype=x_t.dtype)

    z_t = x_t @ W_x.T + h_prev @ W_h.T + b  # (B, H)
    h_t = f(z_t)
    return h_t, (*map(own, (x_t, h_prev, h_t, W_x, W_h)), nonlinearity)


def rnn_step_backward(
    dh_t: np.ndarray, cache: tuple
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Turn the gradient with respect to h_t into all others. Derived in chapter 03_bptt.

    The backward pass of `rnn_step`.

    Parameters
    ----------
    dh_t : (B, H) array
        Gradient of the loss with respect to the new state h_t.
    cache : tuple
        What `rnn_step` returned.

    Returns
    -------
    dx_t : (B, I) array
        Gradient with respect to the input.
    dh_prev : (B, H) array
        Gradient with respect to the state before: what flows on to time t - 1.
    dW_x : (H, I) array
    dW_h : (H, H) array
    db : (H,) array
        This step's share of the parameters' gradients, summed over the batch.

    Raises
    ------
    ValueError
        If the shape or dtype of dh_t does not fit.

    Examples
    --------
    >>> one = np.array([[1.0]])
    >>> h_t, cache = rnn_step(one, one, 0.5 * one, 0.25 * one, np.zeros(1), "relu")
    >>> [gradient.tolist() for gradient in rnn_step_backward(one, cache)]
    [[[0.5]], [[0.25]], [[1.0]], [[1.0]], [1.0]]
    """
    x_t, h_prev, h_t, W_x, W_h, nonlinearity = cache
    _, f_grad = nonlinearity_pair(nonlinearity)
    dh_t = expect_float("dh_t", dh_t, h_t.shape, dtype=h_t.dtype)

    dz_t = dh_t * f_grad(h_t)  # (B, H)
    dx_t = dz_t @ W_x  # (B, I)
    dh_prev = dz_t @ W_h  # (B, H)
    dW_x = dz_t.T @ x_t  # (H, I)
    dW_h = dz_t.T @ h_prev  # (H, H)
    db = dz_t.sum(axis=0)  # (H,)
    return dx_t, dh_prev, dW_x, dW_h, db


# The rows of W_x, W_h and b, gate by gate, of the variants that have fewer gates.
ROWS = {"NIG": "fgo", "CIFG": "fgo", "NFG": "igo", "NOG": "ifg"}
VARIANTS = ("NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "FGR")


def lstm_step(
    x_t: np.ndarray,
    h_prev: np.ndarray,
    c_prev: np.ndarray,
    W_x: np.ndarray,
    W_h: np.ndarray,
    b: np.ndarray,
    peepholes: np.ndarray | None = None,
    variant: str | None = None,
    gates_prev: Any = None,
    W_g: Any = None,
) -> tuple[tuple[np.ndarray, ...], tuple]:
    """Take one step of the long short-term memory. Derived in chapter 06_lstm.

        i = σ(W_xi x_t + W_hi h_{t-1} + b_i)        what to write
        f = σ(W_xf x_t + W_hf h_{t-1} + b_f)        what to keep
        g = tanh(W_xg x_t + W_hg h_{t-1} + b_g)     what could be written
        o = σ(W_xo x_t + W_ho h_{t-1} + b_o)        what to show
        c_t = f c_{t-1} + i g
        h_t = o tanh(c_t)

    The variants, one change each:

        NIG   i = 1, no input gate              NIAF  g without its tanh
        NFG   f = 1, no forget gate             NOAF  h_t = o c_t
        NOG   o = 1, no output gate             CIFG  i = 1 - f, coupled gates
        FGR   each gate also sees i, f and o of the step before: + W_g [i, f, o]_{t-1}

    and the eighth is peepholes: + p_i c_{t-1} and p_f c_{t-1} inside i and f, + p_o c_t
    inside o, each unit its own.

    Parameters
    ----------
    x_t : (B, I) array
        The input at time t, one row a sequence.
    h_prev, c_prev : (B, H) array
        The state before: what was shown, and the memory.
    W_x : (4H, I) array
        Rows in the order i, f, g, o; torch: weight_ih. 3H rows where a variant has no
        weights for a gate; so for W_h and b.
    W_h : (4H, H) array
        Rows in the same order; torch: weight_hh.
    b : (4H,) array
        In torch bias_ih + bias_hh.
    peepholes : (3, H) array, optional
        p_i, p_f, p_o, as far as the variant has these gates.
    variant : {"NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "FGR"}, optional
        The name of the change.
    gates_prev : (B, 3H) array, optional
        i, f and o of the step before side by side; for FGR only.
    W_g : (3H, 3H) array, optional
        For FGR only: rows i, f, o.

    Returns
    -------
    state : tuple of arrays
        h_t and c_t, (B, H) each; with FGR also the gates i, f, o side by side, (B, 3H).
    cache : tuple
        What `lstm_step_backward` needs. Entries 4 to 7 are i, f, g and o.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, naming the argument, or the variant is another.

    References
    ----------
    Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9, 1997;
    forget gate: Gers, Schmidhuber and Cummins, Learning to forget, 2000; peepholes:
    Gers, Schraudolph and Schmidhuber, Learning precise timing, JMLR 3, 2002; variants:
    Greff et al., LSTM: a search space odyssey, IEEE TNNLS 28, 2017.

    Examples
    --------
    >>> x_t, h_prev, c_prev = np.zeros((1, 1)), np.zeros((1, 1)), np.array([[1.0]])
    >>> W_x, W_h, b = np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4)
    >>> (h_t, c_t), cache = lstm_step(x_t, h_prev, c_prev, W_x, W_h, b)
    >>> c_t.tolist()  # all gates half open: half of the memory is kept
    [[0.5]]
    """
    if variant is not None and variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
    if (variant == "FGR") != (W_g is not None) or (variant == "FGR") != (gates_prev is not None):
        raise ValueError("gates_prev and W_g belong to variant 'FGR', and it to them")
    rows = ROWS.get(variant or "", "ifgo")
    x_t = expect_float("x_t", x_t, ("B", "I"))
    B, I = x_t.shape
    h_prev = expect_float("h_prev", h_prev, (B, "H"), dtype=x_t.dtype)
    H, G = h_prev.shape[1], len(rows)
    c_prev = expect_float("c_prev", c_prev, (B, H), dtype=x_t.dtype)
    W_x = expect_float("W_x", W_x, (G * H, I), dtype=x_t.dtype)
    W_h = expect_float("W_h", W_h, (G * H, H), dtype=x_t.dtype)
    b = expect_float("b", b, (G * H,), dtype=x_t.dtype)
    if peepholes is not None:
        peepholes = expect_float("peepholes", peepholes, (G - 1, H), dtype=x_t.dtype)
    p = _by_gate(peepholes, rows)

    z = dict(zip(rows, np.split(x_t @ W_x.T + h_prev @ W_h.T + b, G, axis=1), strict=True))
    if W_g is not None:
        gates_prev = expect_float("gates_prev", gates_prev, (B, 3 * H), dtype=x_t.dtype)
        W_g = expect_float("W_g", W_g, (3 * H, 3 * H), dtype=x_t.dtype)
        for gate, seen in zip("ifo", np.split(gates_prev @ W_g.T, 3, axis=1), strict=True):
            z[gate] = z[gate] + seen
    one = np.ones_like(c_prev)
    f = sigmoid(z["f"] + p["f"] * c_prev) if "f" in z else one
    i = sigmoid(z["i"] + p["i"] * c_prev) if "i" in z else 1.0 - f if variant == "CIFG" else one
    g = z["g"] if variant == "NIAF" else tanh(z["g"])
    c_t = f * c_prev + i * g
    o = sigmoid(z["o"] + p["o"] * c_t) if "o" in z else one
    h_t = o * (c_t if variant == "NOAF" else tanh(c_t))
    given, weights = (x_t, h_prev, c_prev, c_t), (W_x, W_h, peepholes, gates_prev, W_g)
    cache = (*map(own, given), i, f, g, o, *map(own, weights), variant)
    return (h_t, c_t, *([np.concatenate([i, f, o], axis=1)] if W_g is not None else [])), cache


def lstm_step_backward(
    dh_t: np.ndarray, dc_t: np.ndarray, cache: tuple, dgates_t: np.ndarray | None = None
) -> tuple[Any, ...]:
    """Turn the gradients with respect to h_t and c_t into all others. Derived in chapter 06_lstm.

    The backward pass of `lstm_step`.

    Parameters
    ----------
    dh_t, dc_t : (B, H) array
        Gradients of the loss with respect to the new state.
    cache : tuple
        What `lstm_step` returned.
    dgates_t : (B, 3H) array, optional
        With FGR, the gradient with respect to the gates i, f, o that the next step saw;
        zero if left out.

    Returns
    -------
    dx_t : (B, I) array
    dh_prev, dc_prev : (B, H) array
        What flows on to time t - 1. Along c it is only multiplied by f: the road
        on which a gradient survives.
    dW_x : (4H, I) array
    dW_h : (4H, H) array
    db : (4H,) array
        This step's share of the parameters' gradients, summed over the batch.
    dpeepholes : (3, H) array or None
        As many rows as peepholes has.
    dgates_prev : (B, 3H) array
        With FGR only: what flows on to time t - 1.
    dW_g : (3H, 3H) array
        With FGR only.

    Raises
    ------
    ValueError
        If the shape or dtype of a gradient does not fit.

    Examples
    --------
    >>> zeros = np.zeros((1, 1))
    >>> _, cache = lstm_step(zeros, zeros, zeros, np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4))
    >>> gradients = lstm_step_backward(zeros, np.array([[1.0]]), cache)
    >>> gradients[2].tolist()  # dc_prev = f dc_t
    [[0.5]]
    """
    x_t, h_prev, c_prev, c_t, i, f, g, o, W_x, W_h, peepholes, gates_prev, W_g, variant = cache
    rows = ROWS.get(variant or "", "ifgo")
    p = _by_gate(peepholes, rows)
    dh_t = expect_float("dh_t", dh_t, c_t.shape, dtype=c_t.dtype)
    dc_t = expect_float("dc_t", dc_t, c_t.shape, dtype=c_t.dtype)
    di_t: Any = 0.0
    df_t, do_t = di_t, di_t
    if dgates_t is not None:
        B, H = c_t.shape
        dgates_t = expect_float("dgates_t", dgates_t, (B, 3 * H), dtype=c_t.dtype)
        di_t, df_t, do_t = np.split(dgates_t, 3, axis=1)

    # a gate that is 1 has the derivative 1 (1 - 1) = 0
    shown = c_t if variant == "NOAF" else tanh(c_t)
    dz = {"o": (dh_t * shown + do_t) * sigmoid_grad(o)}
    dc = dc_t + dh_t * o * (1.0 if variant == "NOAF" else tanh_grad(shown)) + dz["o"] * p["o"]
    di, df = dc * g + di_t, dc * c_prev + df_t
    dz["f"] = (df - di if variant == "CIFG" else df) * sigmoid_grad(f)
    dz["i"] = di * sigmoid_grad(i)
    dz["g"] = dc * i * (1.0 if variant == "NIAF" else tanh_grad(g))
    dc_prev = dc * f + dz["f"] * p["f"] + dz["i"] * p["i"]

    seen = {"i": c_prev, "f": c_prev, "o": c_t}
    dp: Any = np.stack([(dz[gate] * seen[gate]).sum(axis=0) for gate in rows if gate in seen])
    da = np.concatenate([dz[gate] for gate in rows], axis=1)
    dp = None if peepholes is None else dp
    gradients = da @ W_x, da @ W_h, dc_prev, da.T @ x_t, da.T @ h_prev, da.sum(axis=0), dp
    if W_g is None:
        return gradients
    dgates = np.concatenate([dz[gate] for gate in "ifo"], axis=1)
    return *gradients, dgates @ W_g, dgates.T @ gates_prev


def _by_gate(peepholes: Any, rows: str) -> dict[str, Any]:
    """Each gate's peepholes (H,); zero where there are none."""
    seeing = rows.replace("g", "") if peepholes is not None else ""
    return dict.fromkeys("ifo", 0.0) | dict(zip(seeing, peepholes, strict=True) if seeing else ())


def gru_step(
    x_t: np.ndarray,
    h_prev: np.ndarray,
    W_x: np.ndarray,
    W_h: np.ndarray,
    b: np.ndarray,
    b_hn: np.ndarray | None = None,
    reset_after: bool = True,
) -> tuple[np.ndarray, tuple]:
    """Take one step of the gated recurrent unit, either convention. Derived in chapter 07_gru.

        r = σ(W_xr x_t + W_hr h_{t-1} + b_r)        how much of the past the candidate sees
        z = σ(W_xz x_t + W_hz h_{t-1} + b_z)        how much of the past is kept
        n = tanh(W_xn x_t + r (W_hn h_{t-1} + b_hn) + b_n)      reset after the product
        n = tanh(W_xn x_t + W_hn (r h_{t-1}) + b_n)             reset before it
        h_t = (1 - z) n + z h_{t-1}

    Parameters
    ----------
    x_t : (B, I) array
        The input at time t, one row a sequence.
    h_prev : (B, H) array
        The state before.
    W_x : (3H, I) array
        Rows in the order r, z, n; torch: weight_ih.
    W_h : (3H, H) array
        Rows in the same order; torch: weight_hh.
    b : (3H,) array
        For r and z torch's bias_ih + bias_hh, for n its bias_ih.
    b_hn : (H,) array, optional
        torch's bias_hh of n, inside the reset gate; only with the reset after.
    reset_after : bool, optional
        True as in torch and cuDNN; False as in the first paper.

    Returns
    -------
    h_t : (B, H) array
        The new state.
    cache : tuple
        What `gru_step_backward` needs. Entries 3 to 5 are r, z and n.

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, naming the argument, or if b_hn is given
        with the reset before the product.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder for
    statistical machine translation, 2014, equations 5 to 8.

    Examples
    --------
    >>> x_t, h_prev = np.zeros((1, 1)), np.array([[1.0]])
    >>> h_t, cache = gru_step(x_t, h_prev, np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3))
    >>> h_t.tolist()  # the gate z is half open: half of the past is kept
    [[0.5]]
    """
    x_t = expect_float("x_t", x_t, ("B", "I"))
    B, I = x_t.shape
    h_prev = expect_float("h_prev", h_prev, (B, "H"), dtype=x_t.dtype)
    H = h_prev.shape[1]
    W_x = expect_float("W_x", W_x, (3 * H, I), dtype=x_t.dtype)
    W_h = expect_float("W_h", W_h, (3 * H, H), dtype=x_t.dtype)
    b = expect_float("b", b, (3 * H,), dtype=x_t.dtype)
    if b_hn is not None and not reset_after:
        raise ValueError("b_hn stands inside the reset gate: with reset_after=False there is none")
    b_hn = np.zeros(H, x_t.dtype) if b_hn is None else expect_float("b_hn", b_hn, (H,), x_t.dtype)

    a_r, a_z, a_n = np.split(x_t @ W_x.T + b, 3, axis=1)  # (B, H) each
    W_hr, W_hz, W_hn = np.split(W_h, 3)  # (H, H) each
    r = sigmoid(a_r + h_prev @ W_hr.T)
    z = sigmoid(a_z + h_prev @ W_hz.T)
    if reset_after:
        past = h_prev @ W_hn.T + b_hn
        n = tanh(a_n + r * past)
    else:
        past = r * h_prev
        n = tanh(a_n + past @ W_hn.T)
    h_t = (1.0 - z) * n + z * h_prev
    return h_t, (own(x_t), own(h_prev), past, r, z, n, own(W_x), own(W_h), reset_after)


def gru_step_backward(dh_t: np.ndarray, cache: tuple) -> tuple[np.ndarray, ...]:
    """Turn the gradient with respect to h_t into all others. Derived in chapter 07_gru.

    The backward pass of `gru_step`.

    Parameters
    ----------
    dh_t : (B, H) array
        Gradient of the loss with respect to the new state.
    cache : tuple
        What `gru_step` returned.

    Returns
    -------
    dx_t : (B, I) array
    dh_prev : (B, H) array
        What flows on to time t - 1.
    dW_x : (3H, I) array
    dW_h : (3H, H) array
    db : (3H,) array
    db_hn : (H,) array
        This step's share of the parameters' gradients, summed over the batch; db_hn
        is zero with the reset before the product.

    Raises
    ------
    ValueError
        If the shape or dtype of dh_t does not fit.

    Examples
    --------
    >>> zeros = np.zeros((1, 1))
    >>> _, cache = gru_step(zeros, zeros, np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3))
    >>> gru_step_backward(np.array([[1.0]]), cache)[1].tolist()  # z dh_t
    [[0.5]]
    """
    x_t, h_prev, past, r, z, n, W_x, W_h, reset_after = cache
    dh_t = expect_float("dh_t", dh_t, h_prev.shape, dtype=h_prev.dtype)
    W_hr, W_hz, W_hn = np.split(W_h, 3)

    dz_z = dh_t * (h_prev - n) * sigmoid_grad(z)
    dz_n = dh_t * (1.0 - z) * tanh_grad(n)
    dh_prev = dh_t * z
    if reset_after:
        dpast = dz_n * r  # with respect to W_hn h_prev + b_hn
        dz_r = dz_n * past * sigmoid_grad(r)
        dh_prev = dh_prev + dpast @ W_hn
        dW_hn, db_hn = dpast.T @ h_prev, dpast.sum(axis=0)
    else:
        dpast = dz_n @ W_hn  # with respect to r h_prev
        dz_r = dpast * h_prev * sigmoid_grad(r)
        dh_prev = dh_prev + dpast * r
        dW_hn, db_hn = dz_n.T @ past, np.zeros_like(W_hn[0])
    dh_prev = dh_prev + dz_r @ W_hr + dz_z @ W_hz
    dz = np.concatenate([dz_r, dz_z, dz_n], axis=1)
    dW_h = np.concatenate([dz_r.T @ h_prev, dz_z.T @ h_prev, dW_hn])
    return dz @ W_x, dh_prev, dz.T @ x_t, dW_h, dz.sum(axis=0), db_hn


def gru_reset_before(
    W_x: np.ndarray, W_h: np.ndarray, b: np.ndarray, b_hn: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Convert a GRU's weights to the other convention of the reset. Derived in chapter 07_gru.

    From the reset after the product to the reset before it. After it, unit k of the candidate
    has one gate for all that it reads, r_k (W_hn h)_k; before it, each past state has one for
    all who read it, W_hn (r h). So the new gate j gets the weights of the gate of the unit that
    reads h_j. This is possible where no two units with different reset gates read the same
    state: where each column of W_hn has one entry at most, for example. And b_hn must be zero.

    Where this is not so, there may be no weights at all that compute the same: chapter 07_gru
    proves it for a dense W_hn. From before to after, rows take the place of columns.

    Parameters
    ----------
    W_x : (3H, I) array
    W_h : (3H, H) array
    b : (3H,) array
    b_hn : (H,) array, optional
        As for `gru_step`.

    Returns
    -------
    W_x, W_h, b : arrays
        For ``gru_step(..., reset_after=False)``.

    Raises
    ------
    ValueError
        If this cannot be done, naming the units or the bias that stand in the way.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder for
    statistical machine translation, 2014: reset before the product.

    Examples
    --------
    >>> W_x, W_h, b = np.arange(6.0)[:, None], np.zeros((6, 2)), np.zeros(6)
    >>> W_h[5, 0] = 3.0  # unit 1 of the candidate reads the state of unit 0
    >>> gru_reset_before(W_x, W_h, b)[0].ravel().tolist()  # so gate 0 becomes what gate 1 was
    [1.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    """
    W_x = expect_float("W_x", W_x, ("3H", "I"))
    H = W_x.shape[0] // 3
    W_h = expect_float("W_h", W_h, (3 * H, H), dtype=W_x.dtype)
    b = expect_float("b", b, (3 * H,), dtype=W_x.dtype)
    gates = np.concatenate([W_x[:H], W_h[:H], b[:H, None]], axis=1)  # the reset gate of each unit
    source = np.arange(H)
    for j, column in enumerate(W_h[2 * H :].T):
        readers = np.flatnonzero(column)
        source[j] = readers[0] if len(readers) else j
        other = readers[(gates[readers] != gates[source[j]]).any(axis=1)]
        if len(other):
            raise ValueError(
                f"W_h has a candidate part W_hn in which the units {source[j]} and {other[0]} both "
                f"read h[{j}], and their reset gates differ: with the reset before the product, "
                f"h[{j}] has one gate for both"
            )
    if b_hn is not None and expect_float("b_hn", b_hn, (H,), dtype=W_x.dtype).any():
        raise ValueError(
            "b_hn is not zero, and stands inside the reset gate: with the reset before "
            "the product there is no such bias"
        )
    rows = np.concatenate([source, np.arange(H, 3 * H)])
    return W_x[rows], W_h[rows], b[rows]


class Cell(Module):
    """What the cells have in common: one step with parameters of its own, for `bptt.unroll`.

    The state is h (B, H), of an LSTM a tuple that begins with h. A cell keeps nothing
    itself, as it is used many times before the backward pass begins: the caller keeps
    each step's cache.
    """

    parts: tuple[str, ...] = ("W_x", "W_h", "b")  # the parameters, as the step returns gradients
    W_h: Parameter

    def __init__(self, input_size: int, hidden_size: int) -> None:
        self.input_size = expect_positive("input_size", input_size)
        self.hidden_size = expect_positive("hidden_size", hidden_size)

    def _draw(self, shapes: dict[str, Any], seed: Any, dtype: Any) -> None:
        """Set the parameters, with first weights as in torch; no shape is no parameter."""
        rng, bound = as_rng(seed), 1.0 / np.sqrt(self.hidden_size)
        for name, shape in shapes.items():
            weights = None if shape is None else uniform(shape, bound, rng, dtype)
            setattr(self, name, None if weights is None else Parameter(weights))

    def _weights(self) -> list[Any]:
        """What the parameters of `parts` hold at this step; None where there is none."""
        parameters = [getattr(self, name) for name in self.parts]
        return [None if parameter is None else parameter.still() for parameter in parameters]

    def initial_state(self, batch_size: int) -> Any:
        """Return the state before the first step, zeros: nothing remembered."""
        return np.zeros((batch_size, self.hidden_size), dtype=self.W_h.data.dtype)

    def forward(self, x_t: np.ndarray, state: Any) -> tuple[Any, tuple]:
        """Take one step: from x_t (B, I) and the state before to the new state and a cache."""
        raise NotImplementedError

    def backward(self, dstate: Any, cache: tuple) -> tuple[np.ndarray, Any]:
        """Take one step back: from dstate and the step's cache to dx_t (B, I) and dstate before.

        Adds to the parameters' gradients.
        """
        raise NotImplementedError

    def _add(self, *gradients: np.ndarray) -> None:
        """Add to the gradients of the parameters, in the order of their names in `parts`."""
        for name, gradient in zip(self.parts, gradients, strict=False):
            if getattr(self, name) is not None:
                getattr(self, name).add_grad(gradient)


class RNNCell(Cell):
    """Give `rnn_step` parameters of its own, for `unroll`. Derived in chapter 02_cell.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    nonlinearity : {"tanh", "relu"}, optional
        The function f.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√H, as in torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    W_x : (H, I) Parameter
    W_h : (H, H) Parameter
    b : (H,) Parameter

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1, or the nonlinearity is another.

    Examples
    --------
    >>> cell = RNNCell(3, 4, seed=0)
    >>> h_t, cache = cell(np.ones((2, 3)), np.zeros((2, 4)))
    >>> h_t.shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        nonlinearity: str = "tanh",
        *,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size)
        nonlinearity_pair(nonlinearity)
        self.nonlinearity, I, H = nonlinearity, input_size, hidden_size
        self._draw({"W_x": (H, I), "W_h": (H, H), "b": (H,)}, seed, dtype)

    def forward(self, x_t: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, tuple]:
        W_x, W_h, b = self._weights()
        return rnn_step(x_t, state, W_x, W_h, b, self.nonlinearity)

    def backward(self, dstate: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
        dx_t, dh_prev, *gradients = rnn_step_backward(dstate, cache)
        self._add(*gradients)
        return dx_t, dh_prev


class LSTMCell(Cell):
    """Give `lstm_step` parameters of its own, for `unroll`. Derived in chapter 06_lstm.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    peepholes : bool, optional
        Whether the gates see the memory.
    variant : {"NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "FGR"}, optional
        One change, as `lstm_step` explains.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√H, as in torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    W_x : (4H, I) Parameter
        3H rows with NIG, NFG, NOG and CIFG; so for W_h and b.
    W_h : (4H, H) Parameter
    b : (4H,) Parameter
    p : (3, H) Parameter or None
        The peepholes; 2 rows where a gate has no weights.
    W_g : (3H, 3H) Parameter or None
        From the gates to the gates, with FGR.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1, or the variant is another.

    Examples
    --------
    >>> cell = LSTMCell(3, 4, peepholes=True, seed=0)
    >>> (h_t, c_t), cache = cell(np.ones((2, 3)), cell.initial_state(2))
    >>> h_t.shape, c_t.shape, cell.p.shape
    ((2, 4), (2, 4), (3, 4))
    """

    parts = ("W_x", "W_h", "b", "p", "W_g")
    p: Parameter | None
    W_g: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        peepholes: bool = False,
        variant: str | None = None,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size)
        if variant is not None and variant not in VARIANTS:
            raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
        self.peepholes, self.variant, I, H = peepholes, variant, input_size, hidden_size
        G = len(ROWS.get(variant or "", "ifgo"))
        p, W_g = (G - 1, H) if peepholes else None, (3 * H, 3 * H) if variant == "FGR" else None
        shapes = {"W_x": (G * H, I), "W_h": (G * H, H), "b": (G * H,), "p": p, "W_g": W_g}
        self._draw(shapes, seed, dtype)

    def initial_state(self, batch_size: int) -> tuple[np.ndarray, ...]:
        """Return the state before the first step, zeros: h, c and, with FGR, the gates."""
        h, three = super().initial_state(batch_size), (batch_size, 3 * self.hidden_size)
        return h, h.copy(), *([np.zeros(three, h.dtype)] if self.variant == "FGR" else [])

    def forward(
        self, x_t: np.ndarray, state: tuple[np.ndarray, ...]
    ) -> tuple[tuple[np.ndarray, ...], tuple]:
        (h, c, *gates), (W_x, W_h, b, p, W_g) = state, self._weights()
        return lstm_step(x_t, h, c, W_x, W_h, b, p, self.variant, gates[0] if gates else None, W_g)

    def backward(
        self, dstate: tuple[np.ndarray, ...], cache: tuple
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        dh, dc, *dgates = dstate
        dx_t, dh, dc, dW_x, dW_h, db, dp, *full = lstm_step_backward(dh, dc, cache, *dgates)
        self._add(dW_x, dW_h, db, dp, *full[1:])
        return dx_t, (dh, dc, *full[:1])


class GRUCell(Cell):
    """Give `gru_step` parameters of its own, for `unroll`. Derived in chapter 07_gru.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    reset_after : bool, optional
        True as in torch, False as in the first paper.
    seed : int or numpy.random.Generator, optional
        Where the first weights are drawn from: uniform, bound 1/√H, as in torch.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    W_x : (3H, I) Parameter
    W_h : (3H, H) Parameter
    b : (3H,) Parameter
    b_hn : (H,) Parameter or None
        The candidate's bias inside the reset gate; None with the reset before.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    Examples
    --------
    >>> cell = GRUCell(3, 4, seed=0)
    >>> h_t, cache = cell(np.ones((2, 3)), cell.initial_state(2))
    >>> h_t.shape
    (2, 4)
    """

    parts = ("W_x", "W_h", "b", "b_hn")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        reset_after: bool = True,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size)
        self.reset_after, I, H = reset_after, input_size, hidden_size
        shapes = {"W_x": (3 * H, I), "W_h": (3 * H, H), "b": (3 * H,)}
        self._draw({**shapes, "b_hn": (H,) if reset_after else None}, seed, dtype)

    def forward(self, x_t: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, tuple]:
        W_x, W_h, b, b_hn = self._weights()
        return gru_step(x_t, state, W_x, W_h, b, b_hn, self.reset_after)

    def backward(self, dstate: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
        dx_t, dh_prev, *gradients = gru_step_backward(dstate, cache)
        self._add(*gradients)
        return dx_t, dh_prev
