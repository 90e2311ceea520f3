"""Eight activities of a stick figure: from a drawing to an H.264 file, and back to frames.

A clip is rendered, encoded as MP4, decoded again, and made small for a network:

    drawn (T, 64, 64)  →  MP4  →  decoded (T, 64, 64)  →  frames (T, 32, 32)  →  pixels

Three pairs of activities are each other reversed in time: of each pair the second is rendered as
the first and played backwards. The two others are turned round by a coin. So what is drawn has no
direction but the one that its label names; what an encoder adds may have one.

Derived in chapter 14_video. Source: generated here from a seed. `clips` needs PyAV, which
encodes and decodes (`rnnlib.data.mp4`); `render` does not.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ..validation import as_rng, expect_index, expect_positive
from . import mp4

ACTIVITIES = (
    *("sit down", "stand up", "walk right", "walk left"),
    *("circle right", "circle left", "wave", "jump"),
)
#: Which class a clip of each class belongs to when it is played backwards.
REVERSED = np.array([1, 0, 3, 2, 5, 4, 6, 7])

#: Height and width of an encoded frame, and how many a clip has: 12 are a second.
SIZE, SHORTEST, LONGEST = 64, 16, 28

#: The height of hip and neck, and half an arm and half a leg, in heights of the figure.
_HIP, _NECK, _ARM, _LEG = 0.5, 0.82, 0.19, 0.25


def render(
    activity: int, seed: int | np.random.Generator | None = None, size: int = SIZE
) -> np.ndarray:
    """Draw a clip of an activity, (T, size, size) in uint8, brightness 16 … 235.

    Place, size, side, light, pace, pauses, camera noise and T (16 … 28) are drawn at random, and
    none of them from the activity. ValueError if activity is no class.

    >>> frames = render(ACTIVITIES.index("wave"), seed=0)
    >>> frames.shape, frames.dtype
    ((27, 64, 64), dtype('uint8'))
    """
    kind = int(expect_index("activity", activity, size=len(ACTIVITIES)))
    expect_positive("size", size)
    rng = as_rng(seed)
    T = int(rng.integers(SHORTEST, LONGEST + 1))
    first, last = rng.uniform(0, 0.25, 2) * (T - 1)
    moved = ((np.arange(T) - first) / (T - 1 - first - last)).clip(0, 1)  # 0 … 1
    limbs, head = _figure(kind, moved, rng)
    # place and size on the picture, whose height is 1
    tall, shift = (
        rng.uniform(0.7, 0.8),
        np.array([rng.uniform(0.42, 0.58), rng.uniform(0.03, 0.08)]),
    )
    limbs, head = tall * limbs + shift, tall * head + shift
    ink = np.minimum(
        _distance(limbs, size) - rng.uniform(0.018, 0.026),
        _distance(head, size) - 0.085 * tall,
    )
    ink = (0.5 - ink * size).clip(0, 1)  # the share of each pixel that is covered
    x = np.linspace(-1, 1, size, dtype=np.float32)
    light = rng.uniform(150, 200) + rng.uniform(-20, 20) * x + rng.uniform(-20, 20) * x[:, None]
    frames = light + ink * (rng.uniform(30, 80) - light)
    frames += 3 * rng.standard_normal(frames.shape, np.float32)
    backwards = kind in (1, 3, 5) or (kind > 5 and rng.random() < 0.5)
    frames = frames.round().clip(16, 235).astype(np.uint8)
    return frames[::-1].copy() if backwards else frames


def _figure(kind: int, moved: np.ndarray, rng: np.random.Generator) -> tuple[Any, Any]:
    """Limbs (T, 9, 2 ends, 2) and head (T, 1, 2, 2), as x to the right and y upwards."""
    T, side = len(moved), rng.choice([-1, 1])
    hip = np.tile([0, _HIP], (T, 1))
    # an angle of 0 points down, pi/2 to the right: upper arm and forearm, then the feet
    arms = np.tile([[-0.3], [0.3]], (T, 1, 2)) * rng.uniform(0.7, 1.3)
    feet = np.tile([[-0.06, 0], [0.06, 0]], (T, 1, 1))
    if kind < 2:
        u = ((1 - np.cos(np.pi * moved)) / 2)[:, None]
        hip = hip + u * [-0.16 * side, -rng.uniform(0.18, 0.24)]
        arms = arms * (1 - u[..., None]) + u[..., None] * side * np.array([[0.5, 1.2], [0.7, 1.3]])
    elif kind < 4:
        swing = 0.4 * np.sin(2 * np.pi * (moved * rng.uniform(1.2, 2) + rng.random()))
        hip = hip + (moved[:, None] - 0.5) * [rng.uniform(0.35, 0.5), 0]
        both = np.stack([swing, -swing], axis=1)[..., None]  # (T, 2 legs, 1)
        feet = hip[:, None] + 0.8 * _HIP * both * [1, 0] - [0, _HIP]
        arms = -1.2 * both.repeat(2, axis=2)
    elif kind < 6:
        turn = 2 * np.pi * (rng.random() - moved * rng.uniform(0.9, 1.6))
        arms[:, int(side > 0)] = turn[:, None]
    elif kind == 6:
        swing = 0.7 * np.sin(2 * np.pi * (moved * rng.uniform(1.5, 3) + rng.random()))
        up = np.stack([np.full(T, rng.uniform(1.5, 2.0)), np.pi - 0.3 + swing], axis=1)
        arms[:, int(side > 0)] = side * up
    else:
        rise = abs(np.sin(np.pi * moved * rng.integers(2, 4)))[:, None]
        height = rng.uniform(0.1, 0.14) * rise * [0, 1]
        hip, feet = hip + height, feet + height[:, None]
        arms = arms * (1 + rng.uniform(2, 3) * rise[..., None])
    neck = hip + np.array([0, _NECK - _HIP])
    legs = hip[:, None].repeat(2, axis=1)
    along = feet - legs
    reach = np.sqrt((along**2).sum(axis=-1, keepdims=True))
    bent = np.sqrt(np.maximum(_LEG**2 - reach**2 / 4, 0)) / reach  # the knee, forwards
    knees = legs + along / 2 + side * bent * np.stack([-along[..., 1], along[..., 0]], axis=-1)
    down = np.stack([np.sin(arms), -np.cos(arms)], axis=-1) * _ARM  # (T, arm, half, 2)
    shoulders = np.stack([neck, neck], axis=1) - [0, 0.04]
    elbows = shoulders + down[:, :, 0]
    joints = [(shoulders, elbows), (elbows, elbows + down[:, :, 1]), (legs, knees), (knees, feet)]
    limbs = [np.stack(ends, axis=2) for ends in joints] + [np.stack([hip, neck], 1)[:, None]]
    head = neck[:, None, None] + np.array([[0, 0.08], [0, 0.1]])
    return np.concatenate(limbs, axis=1), head


def _distance(lines: np.ndarray, size: int) -> np.ndarray:
    """(T, size, size): how far each pixel is from the nearest of the lines (T, N, 2 ends, 2)."""
    place = ((np.arange(size) + 0.5) / size).astype(np.float32)
    nearest = np.full((len(lines), size, size), np.inf, np.float32)
    for line in lines.astype(np.float32).swapaxes(0, 1):  # (T, 2 ends, 2)
        (x, y), (dx, dy) = line[:, 0].T[..., None], (line[:, 1] - line[:, 0]).T[..., None]
        length = np.sqrt(dx**2 + dy**2)
        dx, dy = dx / length, dy / length
        x, y = place - x, place[::-1] - y  # (T, size)
        ahead = (y * dy)[..., None] + (x * dx)[:, None]
        ahead -= ahead.clip(0, length[..., None])
        aside = (y * dx)[..., None] - (x * dy)[:, None]
        np.minimum(nearest, ahead**2 + aside**2, out=nearest)
    return np.sqrt(nearest)


def clips(
    count: int, seed: int = 0, intra: bool | None = True, crf: int = 23
) -> tuple[list[np.ndarray], np.ndarray]:
    """Render, encode, decode and shrink clips; the activities take turns.

    Parameters
    ----------
    count : int
    seed : int, optional
        Clip number n depends on the seed and n alone.
    intra, crf : optional
        As in `rnnlib.data.mp4.encode`; None for intra leaves the encoder out.

    Returns
    -------
    frames : list of (T, 32, 32) arrays in uint8
    labels : (count,) integer array
    """
    labels = np.arange(expect_positive("count", count)) % len(ACTIVITIES)
    frames = []
    for n, label in enumerate(labels):
        drawn = render(int(label), np.random.default_rng([seed, n]))
        if intra is not None:
            file = io.BytesIO()
            mp4.encode(drawn, file, intra, crf)
            drawn = mp4.decode(io.BytesIO(file.getvalue()))
        frames.append(mp4.shrink(drawn))
    return frames, labels
