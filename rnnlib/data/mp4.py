"""Clips as files: frames to H.264 and back, and anybody's clip as a network reads it.

    file  →  frames (T, height, width)  →  small (T, 32, 32)  →  pixels (T, 1, 32, 32)

A frame is brightness alone, in uint8: 16 is black and 235 white, as in most video files.

Derived in chapter 14_video. Source: `rnnlib.data.video`, or the reader. What encodes and decodes is
PyAV (FFmpeg, x264), which `encode`, `decode` and `read` need.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

#: Height and width of a frame that a network reads, and frames a second.
SIDE, RATE = 32, 12


def encode(frames: np.ndarray, file: Any, intra: bool = True, crf: int = 23) -> None:
    """Write grey frames (T, height, width) in uint8, 16 … 235, as an MP4 file (H.264).

    `file` is a path or what can be written to, such as io.BytesIO. With `intra` each frame is an
    image of its own, all in one quality; without, x264 does what it does for anybody: a whole
    image, then differences, and the higher crf is, 0 … 51, the coarser. ValueError if height or
    width is odd, which H.264's usual colours cannot be.
    """
    import av

    height, width = frames.shape[1:]
    if height % 2 or width % 2:
        raise ValueError(f"frames are {height} by {width}, but both must be even")
    # constant quality for single images: nothing in a frame depends on the others
    how = {"g": "1", "qp": "30", "preset": "ultrafast"} if intra else {"crf": str(crf)}
    picture = np.full((height * 3 // 2, width), 128, np.uint8)  # 128: no colour
    with av.open(file, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options=how)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1  # threads cost more than so small a picture
        for frame in frames:
            picture[:height] = frame
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode(None))


def _decoded(file: Any) -> Iterator[tuple[float | None, np.ndarray]]:
    """Time and brightness of each frame of the first video stream."""
    import av

    with av.open(file) as container:
        if not container.streams.video:
            raise ValueError(f"{file} has no pictures: there is no video stream in it")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            plane = frame.reformat(format="yuv420p").planes[0]
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            yield frame.time, np.rot90(rows[: frame.height, : frame.width], _turn(frame) // 90)


def _turn(frame: Any) -> int:
    """Degrees against the clock: a phone held upright films sideways, and says so in the file."""
    return int(frame.rotation)


def decode(file: Any) -> np.ndarray:
    """Read the brightness of all frames of an MP4, (T, height, width) in uint8."""
    return np.stack([frame.copy() for _, frame in _decoded(file)])


def shrink(frames: np.ndarray) -> np.ndarray:
    """The middle square as (…, 32, 32): each new pixel is the mean of what it covers."""
    height, width = frames.shape[-2:]
    n = min(height, width)
    top, left = (height - n) // 2, (width - n) // 2
    edges, pixels = np.arange(SIDE + 1) * n / SIDE, np.arange(n)
    cover = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    cover = cover.clip(0) * SIDE / n  # (32, n)
    square = frames[..., top : top + n, left : left + n]
    return (cover @ square @ cover.T).round().astype(np.uint8)


def pixels(frames: np.ndarray) -> np.ndarray:
    """Turn frames (T, 32, 32) into what a network reads, (T, 1, 32, 32) in float32.

    The numbers of the scale are fixed: a mean over the clip would tell its beginning of its end.
    """
    return ((frames.astype(np.float32) - 128) / 64)[:, None]


def read(path: str | PathLike[str], longest: float = 5.0) -> np.ndarray:
    """Read anybody's clip as frames (T, 32, 32): the middle square, 12 times a second.

    Parameters
    ----------
    path : path of a video file
        Of any size, any rate, and any form that FFmpeg reads.
    longest : float, optional
        Seconds after which reading ends.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no video, is broken, has no video stream, or holds fewer than two frames.
    ImportError
        If PyAV is not installed: ``pip install av``.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        import av
    except ImportError:
        raise ImportError("PyAV, which reads films, is missing: pip install av") from None

    told: list[np.ndarray] = []
    latest, count, start = None, 0, 0.0
    try:
        for time, frame in _decoded(str(path)):
            seconds = count / RATE if time is None else time
            count += 1
            if latest is None:
                start = seconds
            # a frame is shown until the next one begins
            while latest is not None and len(told) / RATE < min(seconds - start, longest) - 1e-6:
                told.append(latest)
            if seconds - start >= longest:
                break
            latest = shrink(frame)
        else:
            told += [] if latest is None else [latest]
    except av.FFmpegError:
        raise ValueError(f"{path} is no video that can be read, or it is broken") from None
    if count < 2:
        frames = "1 frame" if count else "no frames"
        raise ValueError(f"{path} holds {frames}, but a motion needs two at least")
    return np.stack(told)
