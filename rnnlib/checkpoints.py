"""What was learned, in a file: weights alone, or a training that can go on.

A file holds arrays and nothing else, in NumPy's npz form; what is not an array, such as
the state of a random generator, is JSON in an array of bytes. Nothing in it is ever
executed. A file is written beside the old one and then takes its place in a single
step, so that whatever happens on the way, one of the two is whole. Weights that a page has to fetch
are text instead: `quantize`.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .module import Module

FORMAT = "rnnlib checkpoint 1"
LARGEST = 2**30  # bytes that a compressed file may unpack to
WHOLE = {8: "<i1", 16: "<i2"}  # whole numbers of so many bits, the lowest byte first
PathLike = str | os.PathLike[str]


def save(path: PathLike, module: Module) -> None:
    """Write a module's parameters to a file, under torch's names. Derived in chapter 04_text.

    ``numpy.load(path)`` reads it too.

    Parameters
    ----------
    path : path
        Where to write. What was there is replaced only once all is written.
    module : Module

    Raises
    ------
    OSError
        If the file cannot be written; the old one is still there.

    Examples
    --------
    >>> import tempfile
    >>> from rnnlib import Linear
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/weights.npz", Linear(3, 2))
    ...     sorted(np.load(f"{folder}/weights.npz"))
    ['bias', 'weight']
    """
    write_arrays(path, module.state_dict())


def load(path: PathLike, module: Module) -> None:
    """Take over all parameters from a file that `save` wrote. Derived in chapter 04_text.

    On an error none is changed.

    Parameters
    ----------
    path : path
    module : Module
        Its parameters have the names and shapes of those that were saved. Values are
        converted to its dtype.

    Raises
    ------
    ValueError
        If the file is damaged, is something else, or does not fit the module.
    OSError
        If there is no such file, or it may not be read.

    Examples
    --------
    >>> import tempfile
    >>> from rnnlib import Linear
    >>> here, there = Linear(3, 2, seed=0), Linear(3, 2, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/weights.npz", here)
    ...     load(f"{folder}/weights.npz", there)
    >>> bool((here.weight.data == there.weight.data).all())
    True
    """
    arrays = read_arrays(path)
    try:
        module.load_state_dict(arrays)
    except ValueError as error:
        raise ValueError(f"{path} cannot be loaded: {error}") from None


def quantize(arrays: Mapping[str, np.ndarray], bits: int = 16) -> dict[str, dict[str, Any]]:
    """Weights as whole numbers of 8 or 16 bits times one scale for each array.

    What comes out can be written as JSON, and takes a quarter or half of float32's bytes,
    before base64 adds a third.

    Parameters
    ----------
    arrays : mapping of str to array
        What `state_dict` returns.
    bits : int
        8 or 16. A value is then at most 1/254 or 1/65,534 of the array's largest away.

    Returns
    -------
    dict of str to dict
        For each array ``shape``, ``scale``, and ``int8`` or ``int16``: its whole numbers in
        base64.

    Raises
    ------
    ValueError
        If `bits` is something else, or if a value is not finite.
    """
    if bits not in WHOLE:
        raise ValueError(f"bits must be 8 or 16, but is {bits}")
    largest = 2 ** (bits - 1) - 1
    packed = {}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite")
        scale = float(np.float32(np.max(np.abs(array), initial=0.0) / largest)) or 1.0
        whole = np.round(array / scale).astype(WHOLE[bits])
        text = base64.b64encode(whole.tobytes()).decode()
        packed[name] = {"shape": list(array.shape), "scale": scale, f"int{bits}": text}
    return packed


def dequantize(packed: Mapping[str, Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The weights that `quantize` was given, rounded to so many bits. Used in chapter 01_storybook.

    Parameters
    ----------
    packed : mapping of str to mapping
        What `quantize` returned.

    Returns
    -------
    dict of str to array
        In float64; `load_state_dict` converts them to its module's dtype.

    Raises
    ------
    ValueError
        If an entry has no whole numbers, or not as many as its shape needs.

    Examples
    --------
    >>> dequantize(quantize({"bias": np.array([0.5, -1.0])}, bits=8))["bias"].round(2)
    array([ 0.5, -1. ])
    """
    arrays = {}
    for name, one in packed.items():
        kinds = [bits for bits in WHOLE if f"int{bits}" in one]
        if len(kinds) != 1:
            raise ValueError(f"{name} holds no whole numbers of 8 or 16 bits: {', '.join(one)}")
        whole = np.frombuffer(base64.b64decode(one[f"int{kinds[0]}"]), WHOLE[kinds[0]])
        if whole.size != np.prod(one["shape"], dtype=int):
            raise ValueError(f"{name} holds {whole.size} numbers, but its shape is {one['shape']}")
        arrays[name] = whole.reshape(one["shape"]) * one["scale"]
    return arrays


class Checkpoint:
    """A training in a file: all that a new process needs to go on as if nothing had been.

    `parts` have a `state_dict` and a `load_state_dict`: model, optimiser and the like;
    `generators` are all that training draws from; `settings` must be the same for it to go
    on. A partial file lies beside the path as ``.partial``: one training a path.
    """

    def __init__(
        self,
        path: PathLike,
        parts: Mapping[str, Any],
        generators: Mapping[str, np.random.Generator],
        settings: dict[str, str],
    ) -> None:
        self.path = path
        self.parts, self.generators, self.settings = parts, generators, settings

    def exists(self) -> bool:
        """Whether there is a file to go on from."""
        return os.path.exists(self.path)

    def write(self, history: Mapping[str, list[float]]) -> None:
        """Write everything as it is now; if that fails, the old file is still there."""
        states = {name: g.bit_generator.state for name, g in self.generators.items()}
        about = {"format": FORMAT, "settings": self.settings, "generators": states}
        # some bit generators keep arrays in their state
        text = json.dumps(about, default=lambda array: array.tolist())
        arrays = {"about": np.frombuffer(text.encode(), np.uint8)}
        arrays |= {f"history/{name}": np.array(row, float) for name, row in history.items()}
        write_arrays(self.path, arrays | self._state())

    def read(self, epochs: int | None = None) -> dict[str, list[float]]:
        """Put everything back and return the history; if the file does not fit, change nothing.

        At most `epochs` epochs may lie behind it.
        """
        arrays = read_arrays(self.path)
        states = self._expect_about(arrays.pop("about", None))
        rows = {name: arrays.pop(name) for name in list(arrays) if name.startswith("history/")}
        history = {name.removeprefix("history/"): row.tolist() for name, row in rows.items()}
        if not {"loss", "step"} <= set(history) or any(row.ndim != 1 for row in rows.values()):
            raise ValueError(f"{self.path} holds no whole history of a training")
        if epochs is not None and len(history["loss"]) > epochs:
            raise ValueError(
                f"{self.path} holds {len(history['loss'])} epochs of training, "
                f"more than the {epochs} asked for"
            )
        self._expect_state(arrays)
        before = self._state()
        try:
            self._load(arrays)
        except ValueError as error:
            self._load(before)
            raise ValueError(f"{self.path} does not fit: {error}") from None
        for name, generator in self.generators.items():
            generator.bit_generator.state = states[name]
        return history

    def _state(self) -> dict[str, np.ndarray]:
        """The arrays of all parts in one dictionary: "model/weight", "optimizer/lr"."""
        return {
            f"{section}/{name}": array
            for section, part in self.parts.items()
            for name, array in part.state_dict().items()
        }

    def _load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """The inverse."""
        for section, part in self.parts.items():
            start = f"{section}/"
            part.load_state_dict(
                {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
            )

    def _expect_about(self, array: np.ndarray | None) -> dict[str, Any]:
        """The states of the generators, or a ValueError if this is not our training."""
        try:
            about = json.loads(array.tobytes())  # type: ignore[union-attr]
            if about["format"] != FORMAT:
                raise ValueError(f"its format is {about['format']}, not {FORMAT}")
            settings, states = dict(about["settings"]), dict(about["generators"])
        except Exception as error:
            raise ValueError(f"{self.path} is not a checkpoint: {_reason(error)}") from None
        for name in self.settings | settings:
            theirs, ours = settings.get(name), self.settings.get(name)
            if theirs != ours:
                raise ValueError(
                    f"{self.path} is of a training with {name} {theirs}, not {ours}: "
                    "give the same again, or another path to train anew"
                )
        if set(states) != set(self.generators):
            raise ValueError(
                f"{self.path} knows the random generators {sorted(states)}, "
                f"but there are {sorted(self.generators)}"
            )
        for name, generator in self.generators.items():
            try:
                copy.deepcopy(generator).bit_generator.state = states[name]
            except Exception as error:
                raise ValueError(
                    f"{self.path} does not fit the random generator {name}: {_reason(error)}"
                ) from None
        return states

    def _expect_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Raise unless the arrays are those of the parts, to the last bit of their dtypes."""
        own = self._state()
        missing = sorted(set(own) - set(arrays))
        unexpected = sorted(set(arrays) - set(own))
        if missing or unexpected:
            raise ValueError(
                f"{self.path} does not fit: "
                f"missing {missing or 'nothing'}, unexpected {unexpected or 'nothing'}"
            )
        for name, array in arrays.items():
            if (array.shape, array.dtype) != (own[name].shape, own[name].dtype):
                raise ValueError(
                    f"{self.path} does not fit: {name} has shape {array.shape} and dtype "
                    f"{array.dtype}, but {own[name].shape} and {own[name].dtype} are needed"
                )


def write_arrays(path: PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays to an npz file; what was there is replaced once all is written."""
    target = Path(os.path.realpath(path))
    partial = target.with_name(target.name + ".partial")
    try:
        with open(partial, "wb") as stream:
            with zipfile.ZipFile(stream, "w") as archive:
                for name, array in arrays.items():
                    # an entry without a date: the same arrays are the same bytes
                    entry = zipfile.ZipInfo(name + ".npy")
                    with archive.open(entry, "w", force_zip64=True) as data:
                        np.lib.format.write_array(data, np.asarray(array), allow_pickle=False)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def read_arrays(path: PathLike) -> dict[str, np.ndarray]:
    """The arrays of an npz file, compressed or not. Nothing in it is executed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_arrays(f"{folder}/a.npz", {"a": np.array([1, 2])})
    ...     read_arrays(f"{folder}/a.npz")
    {'a': array([1, 2])}
    """
    with open(path, "rb") as stream:
        try:
            return _entries(stream)
        except Exception as error:  # damage makes the readers raise nearly anything
            raise ValueError(
                f"{path} is damaged or not a file of arrays: {_reason(error)}"
            ) from None


def _entries(stream: BinaryIO) -> dict[str, np.ndarray]:
    """The arrays of an npz file."""
    arrays: dict[str, np.ndarray] = {}
    size = stream.seek(0, os.SEEK_END)
    with zipfile.ZipFile(stream) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > max(size, LARGEST):
            raise ValueError(f"it would unpack to {unpacked:,} bytes, more than {LARGEST:,}")
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            if name in arrays:
                raise ValueError(f"it holds {name} twice")
            with archive.open(entry) as data:
                arrays[name] = np.lib.format.read_array(data, allow_pickle=False)
                # its checksum is looked at once the last byte has been read
                if data.read(1):
                    raise ValueError(f"{name} goes on behind its end")
    return arrays


def _reason(error: Exception) -> str:
    """What an exception says, in one line; its name if it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
