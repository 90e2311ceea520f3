"""The look of the book's figures.

Figures are printed on white, in colours that differ for colour-blind readers and
stand out against white by 3:1 at least; on a dark page they lie on a light card.
"""

from __future__ import annotations

import itertools
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
    """Show an array as coloured squares, blue below zero and orange above.

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
    """Draw lines over epochs, from what `fit` returned.

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


def label_ends(ax: Any) -> None:
    """Write each line's label at its end, in its colour, in place of a legend.

    Labels keep the order of the ends, and move apart as little as they must. Call it last:
    it looks where the lines are.

    Parameters
    ----------
    ax : matplotlib Axes
        Lines without a label get none.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> ax.plot([0, 1], label="flat"), ax.plot([0, 2], label="steep")  # doctest: +ELLIPSIS
    ([...], [...])
    >>> label_ends(ax)
    >>> [text.get_text() for text in ax.texts]
    ['flat', 'steep']
    >>> plt.close(figure)
    """
    from matplotlib import rcParams

    ax.figure.draw_without_rendering()  # the layout, which says how high the axes are
    gap = 1.25 * rcParams["font.size"] / 72 * ax.figure.dpi / ax.bbox.height
    ends = []  # height and place of each end, as parts of the axes, with its line
    for line in ax.lines:
        if not line.get_label().startswith("_"):
            pixel = line.get_transform().transform(line.get_xydata()[-1])
            x, y = ax.transAxes.inverted().transform(pixel)
            ends.append((y, x, line))
    ends.sort(key=lambda end: end[0])
    # least squares in the given order: neighbours that stand too close share their mean
    groups: list[list[float]] = []  # the sum and the number of y - k gap
    for k, (y, _, _) in enumerate(ends):
        groups.append([y - k * gap, 1])
        while len(groups) > 1 and groups[-2][0] * groups[-1][1] > groups[-1][0] * groups[-2][1]:
            total, number = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += number
    lowest = [total / number for total, number in groups for _ in range(int(number))]
    for k, (_, x, line) in enumerate(ends):
        ax.annotate(
            line.get_label(), (x, lowest[k] + k * gap), (6, 0), xycoords="axes fraction",
            textcoords="offset points", va="center", color=line.get_color(),
            annotation_clip=False,
        )  # fmt: skip


WIDTH, HEIGHT = 0.9, 0.62  # of a box, where the axes have one scale


def box(ax: Any, x: float, y: float, text: str, role: str, width: float = WIDTH) -> None:
    """Draw a rounded box around a text, the sign for a layer or a state.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : float
        Its middle, in data coordinates.
    text : str
    role : str
        A key of `COLORS`.
    width : float, optional

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> box(ax, 0, 0, "$h_t$", "state")
    >>> plt.close(figure)
    """
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2 + 0.1, y - HEIGHT / 2 + 0.1)
    ax.add_patch(
        FancyBboxPatch(
            corner, width - 0.2, HEIGHT - 0.2, boxstyle="round,pad=0.1",
            facecolor=COLORS[role] + "1f", edgecolor=COLORS[role], linewidth=1.4,
        )
    )  # fmt: skip
    ax.text(x, y, text, ha="center", va="center_baseline")


def arrow(
    ax: Any, start: tuple[float, float], end: tuple[float, float], name: str = "", bend: float = 0
) -> None:
    """Draw an arrow between two points, with its name beside it.

    Parameters
    ----------
    ax : matplotlib Axes
    start, end : pairs of float
        In data coordinates.
    name : str, optional
        Stands right of an upward arrow, else above the middle.
    bend : float, optional
        0 is straight; larger numbers bend it to the right of its way.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> arrow(ax, (0, 0), (0, 1), "$W_x$")
    >>> plt.close(figure)
    """
    look = {"color": _LIGHT["muted"], "shrinkA": 0, "shrinkB": 0, "lw": 1.2}
    curve = f"arc3,rad={bend}"
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "connectionstyle": curve, **look})
    if name:
        upward = start[0] == end[0]
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        ax.text(
            x + 0.08 * upward, y + 0.1 * (not upward), name,
            ha="left" if upward else "center", va="center" if upward else "bottom",
        )  # fmt: skip


def canvas(ax: Any, width: tuple[float, float], height: tuple[float, float]) -> None:
    """Make axes a sheet to draw on: no frame, one scale for both directions.

    Parameters
    ----------
    ax : matplotlib Axes
    width, height : pairs of float
        From where to where the sheet reaches.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> canvas(ax, (0, 3), (0, 2))
    >>> plt.close(figure)
    """
    ax.set(xlim=width, ylim=height, aspect="equal")
    ax.axis("off")


STEP, RISE = 1.5, 1.15  # from one cell to the next, and up to its output


def unrolled(
    ax: Any,
    inputs: Sequence[str | None],
    outputs: Sequence[str | None],
    *,
    states: Sequence[str] | None = None,
    weights: bool = False,
    width: float = WIDTH,
) -> None:
    """Draw the unrolled chain, one cell a time step. Derived in chapter 02_cell.

    Inputs come from below, outputs leave above.

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
    width : float, optional
        Of the boxes of inputs and outputs, for words.

    Raises
    ------
    ValueError
        If inputs, outputs and states differ in length.

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
    for t in range(T):
        x = t * STEP
        _cell(ax, x, states[t], inputs[t], outputs[t], weights, width)
        if t:
            start, end = (x - STEP + WIDTH / 2, 0), (x - WIDTH / 2, 0)
            arrow(ax, start, end, "$W_h$" if weights else "")
    side = width / 2 + 0.15
    canvas(ax, (-side, (T - 1) * STEP + side), (-RISE - 0.4, RISE + 0.4))


def rolled(ax: Any, T: int = 4) -> None:
    """Draw the same network as a loop and unrolled. Derived in chapter 02_cell.

    Parameters
    ----------
    ax : matplotlib Axes
        Loses its frame; both axes get the same scale.
    T : int, optional
        How many steps the chain has.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> rolled(ax, T=2)
    >>> len(ax.patches)  # three boxes for each step, and for the loop
    9
    >>> plt.close(figure)
    """
    steps = range(1, T + 1)
    x = -3.2
    unrolled(ax, [f"$x_{t}$" for t in steps], [f"$y_{t}$" for t in steps], weights=True)
    _cell(ax, x, "$h_t$", "$x_t$", "$y_t$", True, WIDTH)
    # the loop: out of the cell and back into it, on its left side
    left, far, up = x - WIDTH / 2, x - WIDTH / 2 - 0.55, 0.19
    way = [(left, -up), (far, -up), (far, up), (far + 0.1, up)]
    ax.plot(*zip(*way, strict=True), color=_LIGHT["muted"], lw=1.2, solid_joinstyle="round")
    arrow(ax, (far, up), (left, up))
    ax.text(far - 0.08, 0, "$W_h$", ha="right", va="center")
    ax.text((x + WIDTH) / 2 - 0.35, 0, "=", fontsize="xx-large", ha="center", va="center")
    canvas(ax, (x - 1.6, (T - 1) * STEP + 0.6), (-RISE - 0.4, RISE + 0.4))


def shifted(ax: Any, words: Sequence[str]) -> None:
    """Draw how a text becomes its own answers. Derived in chapter 01_storybook.

    x, and below it y: the same text, one step on.

    Parameters
    ----------
    ax : matplotlib Axes
        Loses its frame; both axes get the same scale.
    words : sequence of T + 1 str
        Words or characters; x is all but the last, y all but the first.

    Raises
    ------
    ValueError
        If there are fewer than two words.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> shifted(ax, ["off", "to", "the"])
    >>> [text.get_text() for text in ax.texts if text.get_text()]
    ['$x$', '$y$', 'off', 'to', 'to', 'the']
    >>> plt.close(figure)
    """
    if len(words) < 2:
        raise ValueError(f"words needs two entries at least, one to read and one to guess: {words}")
    ax.text(-0.85, 0, "$x$", ha="center", va="center")
    ax.text(-0.85, -RISE, "$y$", ha="center", va="center")
    for t, (word, answer) in enumerate(itertools.pairwise(words)):
        box(ax, t * STEP, 0, word, "input", WIDTH + 0.3)
        box(ax, t * STEP, -RISE, answer, "output", WIDTH + 0.3)
        arrow(ax, (t * STEP, -HEIGHT / 2), (t * STEP, -RISE + HEIGHT / 2))
        if t:  # the answer of the step before is what is read now
            start, end = ((t - 1) * STEP + 0.3, -RISE + HEIGHT / 2), (t * STEP - 0.3, -HEIGHT / 2)
            ax.plot(*zip(start, end, strict=True), ":", color=_LIGHT["muted"], lw=1.2)
    canvas(ax, (-1.1, (len(words) - 2) * STEP + 0.7), (-RISE - 0.4, 0.4))


def layers(ax: Any, parts: Sequence[tuple[str, str, str]], loop: int | None = None) -> None:
    """Draw layers from left to right, with shapes. Derived in chapter 01_storybook.

    Parameters
    ----------
    ax : matplotlib Axes
        Loses its frame; both axes get the same scale.
    parts : sequence of (name, shape, role)
        ``("embedding", "(T, B, I)", "input")``: the box's text, what is written on the
        arrow behind it, and a key of `COLORS`.
    loop : int, optional
        Which box feeds itself: the recurrent one.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> layers(ax, [("words", "(T, B)", "input"), ("embedding", "(T, B, I)", "input")])
    >>> [text.get_text() for text in ax.texts if text.get_text()]
    ['words', '(T, B)', 'embedding', '(T, B, I)']
    >>> plt.close(figure)
    """
    width, step = 1.75, 3.2
    for k, (name, shape, role) in enumerate(parts):
        x = k * step
        box(ax, x, 0, name, role, width)
        arrow(ax, (x + width / 2, 0), (x + step - width / 2, 0), shape)
        if k == loop:
            arrow(ax, (x + 0.4, HEIGHT / 2), (x - 0.4, HEIGHT / 2), bend=1.6)
    canvas(ax, (-width / 2 - 0.1, len(parts) * step - width / 2 + 0.1), (-0.5, 1.2))


def _cell(
    ax: Any,
    x: float,
    state: str,
    below: str | None,
    above: str | None,
    weights: bool,
    width: float,
) -> None:
    """Draw one step of the chain at x: the cell, its input and its output, where there are any."""
    box(ax, x, 0, state, "state")
    if below is not None:
        box(ax, x, -RISE, below, "input", width)
        arrow(ax, (x, -RISE + HEIGHT / 2), (x, -HEIGHT / 2), "$W_x$" if weights else "")
    if above is not None:
        box(ax, x, RISE, above, "output", width)
        arrow(ax, (x, HEIGHT / 2), (x, RISE - HEIGHT / 2), "$W_y$" if weights else "")
