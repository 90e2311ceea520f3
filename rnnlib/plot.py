"""The look of the book's figures.

Figures are printed on white, in colours that differ for colour-blind readers and
stand out against white by 3:1 at least; on a dark page they lie on a light card.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

_LIGHT = dict(
    re.findall(
        r"--([\w-]+): var\(--light, (#\w+)\)",
        (resources.files("rnnlib") / "tokens.css").read_text(encoding="utf-8"),
    )
)

# One colour for one role, in every chapter.
_ROLES = ("rnn", "lstm", "gru", "baseline", "best", "input", "state", "output")
COLORS = {role: _LIGHT[role] for role in _ROLES} | {"accent": _LIGHT["lstm"]}


def style() -> None:
    """Give Matplotlib the book's style, for all figures that follow.

    Raises
    ------
    ImportError
        If Matplotlib is not installed: ``pip install rnnlib[plot]``.

    Examples
    --------
    >>> style()
    >>> import matplotlib
    >>> matplotlib.rcParams["axes.spines.top"]
    False
    """
    import matplotlib
    from cycler import cycler

    order = ["rnn", "lstm", "gru", "output", "baseline"]
    matplotlib.rcParams.update(
        {
            "figure.figsize": (6.4, 3.4),
            "figure.dpi": 150,
            "savefig.dpi": 150,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "font.size": 10,
            "axes.titlesize": 10.5,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": _LIGHT["muted"],
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": cycler(color=[COLORS[role] for role in order]),
            "grid.color": _LIGHT["line"],
            "grid.linewidth": 0.8,
            "lines.linewidth": 1.8,
            "legend.frameon": False,
        }
    )


def heatmap(ax: Any, values: np.ndarray, limit: float | None = None) -> Any:
    """An array as coloured squares, blue below zero and orange above.

    Parameters
    ----------
    ax : matplotlib Axes
    values : (rows, columns) array
    limit : float, optional
        The value that gets the full colour; the largest size in `values` if left out.

    Returns
    -------
    image : matplotlib AxesImage
        For a colour bar.

    Raises
    ------
    ValueError
        If `values` does not have two axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> heatmap(ax, np.array([[-1.0, 0.0, 2.0]])).get_clim()
    (-2.0, 2.0)
    >>> plt.close(figure)
    """
    values = np.asarray(values)
    if values.ndim != 2:
        raise ValueError(f"values has shape {values.shape}, but shape (rows, columns) is needed")
    bound = float(abs(values).max(initial=0.0)) if limit is None else limit
    ax.grid(False)
    return ax.imshow(values, cmap="PuOr_r", vmin=-bound, vmax=bound, aspect="auto")


def curves(ax: Any, history: dict[str, Sequence[float]], names: Sequence[str]) -> None:
    """Lines over epochs, from what `fit` returned.

    Parameters
    ----------
    ax : matplotlib Axes
    history : dict of str to sequence of float
    names : sequence of str
        Which of them to draw.

    Raises
    ------
    ValueError
        If a name is not in the history.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> curves(ax, {"loss": [3.0, 2.0, 1.5]}, ["loss"])
    >>> ax.lines[0].get_ydata().tolist()
    [3.0, 2.0, 1.5]
    >>> plt.close(figure)
    """
    for name in names:
        if name not in history:
            raise ValueError(f"the history holds {sorted(history)}, but not {name!r}")
        numbers = history[name]
        ax.plot(np.arange(1, len(numbers) + 1), numbers, label=name)
    ax.set_xlabel("epoch")
    ax.legend()


def unrolled(
    ax: Any,
    inputs: Sequence[str | None],
    outputs: Sequence[str | None],
    *,
    states: Sequence[str] | None = None,
    weights: bool = False,
) -> None:
    """The unrolled chain: one cell a time step, inputs from below, outputs above.

    Parameters
    ----------
    ax : matplotlib Axes
        Loses its frame; both axes get the same scale.
    inputs, outputs : sequences of T str or None
        What stands in each step's boxes; None draws no box.
    states : sequence of T str, optional
        What stands in the cells; h_1 … h_T if left out.
    weights : bool, optional
        Write W_x, W_h and W_y beside their arrows, the same at every step.

    Raises
    ------
    ValueError
        If inputs, outputs and states differ in length.

    Notes
    -----
    Derived in chapter 02_cell.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> unrolled(ax, ["$x_1$", "$x_2$"], [None, "$y_2$"])
    >>> [text.get_text() for text in ax.texts if text.get_text()]
    ['$h_1$', '$x_1$', '$h_2$', '$x_2$', '$y_2$']
    >>> plt.close(figure)
    """
    T = len(inputs)
    states = [f"$h_{t}$" for t in range(1, T + 1)] if states is None else states
    if not T == len(outputs) == len(states):
        raise ValueError(
            f"inputs, outputs and states need one entry a step, "
            f"got {T}, {len(outputs)} and {len(states)}"
        )
    step, rise, width, height = 1.5, 1.15, 0.9, 0.62

    def box(x: float, y: float, text: str, role: str) -> None:
        from matplotlib.patches import FancyBboxPatch

        corner = (x - width / 2 + 0.1, y - height / 2 + 0.1)
        ax.add_patch(
            FancyBboxPatch(
                corner, width - 0.2, height - 0.2, boxstyle="round,pad=0.1",
                facecolor=COLORS[role] + "1f", edgecolor=COLORS[role], linewidth=1.4,
            )
        )  # fmt: skip
        ax.text(x, y, text, ha="center", va="center_baseline")

    def arrow(start: tuple[float, float], end: tuple[float, float], name: str) -> None:
        line = {"color": _LIGHT["muted"], "shrinkA": 0, "shrinkB": 0, "lw": 1.2}
        ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", **line})
        if weights:
            upward = start[0] == end[0]
            x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
            ax.text(
                x + 0.08 * upward, y + 0.1 * (not upward), name, fontsize="small",
                ha="left" if upward else "center", va="center" if upward else "bottom",
            )  # fmt: skip

    for t in range(T):
        x = t * step
        box(x, 0, states[t], "state")
        if t:
            arrow((x - step + width / 2, 0), (x - width / 2, 0), "$W_h$")
        if (text := inputs[t]) is not None:
            box(x, -rise, text, "input")
            arrow((x, -rise + height / 2), (x, -height / 2), "$W_x$")
        if (text := outputs[t]) is not None:
            box(x, rise, text, "output")
            arrow((x, height / 2), (x, rise - height / 2), "$W_y$")
    ax.set(xlim=(-0.6, (T - 1) * step + 0.6), ylim=(-rise - 0.4, rise + 0.4), aspect="equal")
    ax.axis("off")
