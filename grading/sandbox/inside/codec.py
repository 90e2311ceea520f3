"""Values to bytes and back, between processes that do not trust each other.

Nothing here can execute: no pickle, no imports, no attribute is set. What crosses
is data: None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset,
slice, range, Ellipsis, NumPy arrays and scalars of plain types, NumPy's random
generators by their state, and the names of a few types. Subclasses arrive as what
they are made from (a `Counter` as a dict, a `matrix` as an array). Anything else is
an object: it stays where it is, and a number that stands for it crosses, if the
caller says how (`refer`); otherwise `CodecError`.

The form: 4 bytes with the length of a JSON text, the text, then the buffers of the
arrays, one after the other. In the text a value that JSON has is itself, and any
other is a list that begins with one letter.
"""

from __future__ import annotations

import functools
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_DEPTH = 60  # lists in lists; also what ends a list that holds itself
MAX_NODES = 2_000_000  # values in one message
_PLAIN = re.compile(r"[<>|=]?[biufcmMSU]\d{1,6}(\[\d{0,6}[A-Za-zμ]{1,2}\])?")
_TYPES: dict[str, type] = {
    t.__name__: t for t in (bool, int, float, complex, str, bytes, list, tuple, dict, set)
}
_TYPES |= {
    f"np.{t}": getattr(np, t)
    for t in "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
    "float16 float32 float64 complex64 complex128".split()
}
_NAMES = {t: name for name, t in _TYPES.items()}
_BASES: tuple[Any, ...] = (str, int, float, list, tuple, dict)
_BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")

Refer = Callable[[Any], list]
Resolve = Callable[[list], Any]


class CodecError(TypeError):
    """This value cannot cross, or these bytes are no value."""


def encode(value: Any, refer: Refer | None = None) -> bytes:
    """Write a value as bytes.

    Parameters
    ----------
    value : any of the types above
    refer : function, optional
        Given an object that is no value, returns what stands for it: a list of
        what JSON can hold. `decode` hands that list to its `resolve`.

    Raises
    ------
    CodecError
        If something in the value can neither cross nor be referred to.

    Examples
    --------
    >>> decode(encode({("a", 1): [np.arange(3), float("inf")]}))
    {('a', 1): [array([0, 1, 2]), inf]}
    """
    buffers: list[bytes] = []
    nodes = 0

    def tree(v: Any, depth: int) -> Any:
        nonlocal nodes
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise CodecError("a value is nested too deeply, holds itself, or holds too much")
        if v is None or v is True or v is False:
            return v
        kind = type(v)
        if kind is str:
            return v
        if kind is float:
            return v if math.isfinite(v) else ["f", repr(v)]
        if kind is int:
            return v if -(2**53) < v < 2**53 else ["i", hex(v)]
        if kind is np.ndarray:
            return array(v)
        if kind is list or kind is tuple:
            return ["l" if kind is list else "t", *[tree(x, depth + 1) for x in v]]
        if kind is dict:
            return ["d", *[[tree(k, depth + 1), tree(x, depth + 1)] for k, x in v.items()]]
        if isinstance(v, np.ndarray):
            return array(np.asarray(v))
        if isinstance(v, np.generic):
            return ["n", *array(np.asarray(v))[1:]]
        if isinstance(v, (bytes, bytearray)):
            buffers.append(bytes(v))
            return ["b", len(v)]
        if isinstance(v, (set, frozenset)):
            return ["s" if isinstance(v, set) else "z", *[tree(x, depth + 1) for x in v]]
        if isinstance(v, complex):
            return ["c", repr(v.real), repr(v.imag)]
        if isinstance(v, slice):
            return ["k", *[tree(x, depth + 1) for x in (v.start, v.stop, v.step)]]
        if isinstance(v, range):
            return ["r", *[tree(x, depth + 1) for x in (v.start, v.stop, v.step)]]
        if v is Ellipsis:
            return ["e"]
        if isinstance(v, type) and v in _NAMES:
            return ["y", _NAMES[v]]
        if isinstance(v, np.dtype) and _code(v):
            return ["D", _code(v)]
        if isinstance(v, np.random.Generator):
            state = v.bit_generator.state
            return ["g", tree(state, depth + 1)]
        for base in _BASES:
            if isinstance(v, base):
                return tree(base(v), depth + 1)
        if refer is not None:
            return ["o", *refer(v)]
        raise CodecError(f"an object of type {kind.__name__} cannot cross between the processes")

    def array(a: np.ndarray) -> list:
        code = _code(a.dtype)
        if not code:
            raise CodecError(f"an array of dtype {a.dtype} cannot cross between the processes")
        buffers.append(a.tobytes())
        return ["a", code, a.shape, a.flags.writeable, len(buffers[-1])]

    text = _WRITE(tree(value, 0)).encode("ascii")
    return b"".join([struct.pack(">I", len(text)), text, *buffers])


def decode(data: bytes, resolve: Resolve | None = None) -> Any:
    """Read the value that these bytes hold; they may come from an enemy.

    Parameters
    ----------
    data : bytes
    resolve : function, optional
        Given the list that `refer` made, returns the object.

    Raises
    ------
    CodecError
        If the bytes are not what `encode` makes.
    """
    try:
        (size,) = struct.unpack_from(">I", data)
        root = _READ(data[4 : 4 + size].decode("ascii"))
        if 4 + size > len(data):
            raise CodecError("the message ends too early")
        reader = _Reader(data, 4 + size, resolve)
        value = reader.value(root, 0)
    except CodecError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, struct.error, OverflowError) as error:
        raise CodecError(f"the message is damaged: {error}") from None
    except (RecursionError, MemoryError):
        raise CodecError("the message is nested too deeply or too large") from None
    if reader.position != len(data):
        raise CodecError("the message is longer than it says")
    return value


def _no_constant(name: str) -> None:
    raise CodecError(f"the message holds {name}")


# made once: json.dumps and json.loads would make them for every message
_WRITE = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
_READ = json.JSONDecoder(parse_constant=_no_constant).decode


class _Reader:
    """Builds the value from the tree, taking buffers in their order."""

    def __init__(self, data: bytes, position: int, resolve: Resolve | None) -> None:
        self.data, self.position, self.resolve, self.nodes = data, position, resolve, 0

    def take(self, size: Any) -> bytes:
        if type(size) is not int or not 0 <= size <= len(self.data) - self.position:
            raise CodecError("a buffer has not the size that it should have")
        self.position += size
        return self.data[self.position - size : self.position]

    def value(self, v: Any, depth: int) -> Any:
        if not isinstance(v, (list, dict)):
            return v
        self.nodes += 1
        if depth > MAX_DEPTH + 4 or self.nodes > 2 * MAX_NODES:
            raise CodecError("the message is nested too deeply or too large")
        if isinstance(v, dict) or not v:
            raise CodecError("the message is not in the form that is agreed")
        letter, rest = v[0], v[1:]
        match letter:
            case "f":
                return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[rest[0]]
            case "i":
                if len(rest[0]) > 25_000:
                    raise CodecError("a whole number of more than 30,000 digits")
                return int(rest[0], 16)
            case "l":
                return [self.value(x, depth + 1) for x in rest]
            case "t":
                return tuple([self.value(x, depth + 1) for x in rest])
            case "d":
                return {self.value(k, depth + 1): self.value(x, depth + 1) for k, x in rest}
            case "s":
                return {self.value(x, depth + 1) for x in rest}
            case "z":
                return frozenset([self.value(x, depth + 1) for x in rest])
            case "a":
                return self.array(*rest)
            case "n":
                return self.array(*rest)[()]
            case "b":
                return self.take(*rest)
            case "c":
                return complex(float(rest[0]), float(rest[1]))
            case "k":
                return slice(*[self.value(x, depth + 1) for x in rest])
            case "r":
                return range(*[self.value(x, depth + 1) for x in rest])
            case "e":
                return Ellipsis
            case "y":
                return _TYPES[rest[0]]
            case "D":
                return _plain(rest[0])
            case "g":
                return _generator(self.value(rest[0], depth + 1))
            case "o" if self.resolve is not None:
                return self.resolve(rest)
        raise CodecError("the message is not in the form that is agreed")

    def array(self, code: Any, shape: Any, writeable: Any, size: Any) -> np.ndarray:
        dtype = _plain(code)
        if not isinstance(shape, list) or len(shape) > 32:
            raise CodecError("an array has a shape that is none")
        for n in shape:
            if type(n) is not int or n < 0:
                raise CodecError("an array has a shape that is none")
        count = math.prod(shape)
        if count * dtype.itemsize != size or size > len(self.data) - self.position:
            raise CodecError("an array has not the size that its shape says")
        if count == 0:
            result = np.empty(shape, dtype)
        else:
            flat = np.frombuffer(self.data, dtype, count, self.position)
            if dtype.kind == "b":  # a byte other than 0 and 1 would be a truth of its own kind
                flat = flat.view(np.uint8) != 0
            elif dtype.kind == "U" and (flat.view(dtype.str[0] + "u4") > 0x10FFFF).any():
                raise CodecError("an array holds characters that are none")
            result = flat.reshape(shape).copy()
        self.position += size
        if writeable is not True:
            result.flags.writeable = False
        return result


@functools.lru_cache(maxsize=256)
def _code(dtype: np.dtype) -> str:
    """Give the code of a dtype; empty if arrays of it may not cross."""
    return dtype.str if _PLAIN.fullmatch(dtype.str) else ""


@functools.lru_cache(maxsize=256)
def _plain(code: Any) -> np.dtype:
    """Give the dtype of a code, if arrays of it may cross."""
    if not isinstance(code, str) or not _PLAIN.fullmatch(code):
        raise CodecError("an array is of a type that cannot cross")
    dtype = np.dtype(code)
    if dtype.itemsize == 0 or dtype.hasobject:
        raise CodecError("an array is of a type that cannot cross")
    return dtype


def _generator(state: Any) -> np.random.Generator:
    name = state["bit_generator"]
    if name not in _BIT_GENERATORS:
        raise CodecError("a random generator of an unknown kind")
    bits = getattr(np.random, name)(0)
    bits.state = state
    return np.random.Generator(bits)
