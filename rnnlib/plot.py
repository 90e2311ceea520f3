"""The look of the book's figures.

Figures are printed on white, in colours that differ for colour-blind readers and
stand out against white by 3:1 at least; on a dark page they lie on a light card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# One colour for one role, in every chapter.
COLORS = {
    "rnn": "#1f5fa8",
    "lstm": "#b3470b",
    "gru": "#2a7a4b",
    "baseline": "#6b7280",
    "best": "#1a1a1a",
    "input": "#2a7a4b",
    "state": "#1f5fa8",
    "output": "#7a4496",
    "accent": "#b3470b",
}


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
            "axes.edgecolor": "#4b5563",
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": cycler(color=[COLORS[role] for role in order]),
            "grid.color": "#e5e7eb",
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
