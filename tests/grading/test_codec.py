"""Values cross unchanged, and bytes from an enemy are refused."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grading.sandbox.inside.codec import MAX_DEPTH, CodecError, decode, encode

hashable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.tuples(inner, inner),
    max_leaves=4,
)
values = st.recursive(
    hashable | st.floats() | st.complex_numbers() | st.slices(9) | st.just(...),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(hashable, inner, max_size=4)
    ),
    max_leaves=20,
)
arrays = hnp.arrays(
    st.one_of(
        hnp.boolean_dtypes(),
        hnp.integer_dtypes(),
        hnp.floating_dtypes(),
        hnp.complex_number_dtypes(),
        hnp.datetime64_dtypes(),
        hnp.unicode_string_dtypes(),
        hnp.byte_string_dtypes(),
    ),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0),
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and (a == b or repr(a) == repr(b))


@settings(deadline=None)
@given(values)
def test_values_cross_unchanged(value: Any) -> None:
    assert same(value, decode(encode(value)))


@settings(deadline=None)
@given(arrays, st.booleans())
def test_arrays_cross_unchanged(array: np.ndarray, transposed: bool) -> None:
    array = array.T if transposed else array
    back = decode(encode({"a": [array]}))["a"][0]
    assert back.dtype == array.dtype and back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    back = decode(encode(array.reshape(-1)[:1][0])) if array.size else array
    assert isinstance(back, (np.generic, np.ndarray))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_bytes_are_refused_or_are_plain_values(data: st.DataObject) -> None:
    whole = bytearray(encode([1, {"k": (2.5, "text")}, np.arange(6.0).reshape(2, 3), b"bytes"]))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for attempt in (bytes(whole), bytes(whole[:cut])):
        try:
            value = decode(attempt)
        except CodecError:
            continue
        encode(value)  # whatever came is a plain value


def test_subclasses_arrive_as_what_they_are_made_from() -> None:
    point = namedtuple("point", "x y")
    assert decode(encode(Counter("aab"))) == {"a": 2, "b": 1}
    assert type(decode(encode(defaultdict(list, a=[1])))) is dict
    assert type(decode(encode(point(1, 2)))) is tuple
    assert type(decode(encode(np.eye(2).view(np.recarray)))) is np.ndarray
    assert decode(encode(np.float64(2.5))).dtype == np.float64
    assert math.isnan(decode(encode(float("nan"))))


def test_read_only_arrays_stay_read_only() -> None:
    array = np.arange(3)
    assert decode(encode(array)).flags.writeable
    array.flags.writeable = False
    assert not decode(encode(array)).flags.writeable


def test_generators_go_on_where_they_were() -> None:
    rng = np.random.default_rng(5)
    rng.normal(size=3)
    assert decode(encode(rng)).normal() == rng.normal()


@pytest.mark.parametrize(
    "value", [object(), len, np.array([object()]), np.zeros(2, "f8,i4"), {1: {2: lambda: 3}}]
)
def test_objects_do_not_cross(value: Any) -> None:
    with pytest.raises(CodecError, match="cannot cross"):
        encode(value)


def test_what_holds_itself_is_refused() -> None:
    knot: list = []
    knot.append(knot)
    with pytest.raises(CodecError, match="nested too deeply"):
        encode(knot)
    deep: list = []
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    with pytest.raises(CodecError, match="nested too deeply"):
        encode(deep)


def message(text: str, extra: bytes = b"") -> bytes:
    return len(text).to_bytes(4, "big") + text.encode() + extra


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ('["a","|O",[1],true,8]', bytes(8)),
        ('["a","<V8",[1],true,8]', bytes(8)),
        ('["a","<f8",[-1],true,8]', bytes(8)),
        ('["a","<f8",[true],true,8]', bytes(8)),
        ('["a","<f8",[2],true,8]', bytes(8)),
        ('["a","<f8",[1],true,99]', bytes(8)),
        ('["a","|S0",[1000000000000],true,0]', b""),
        ('["a","<f8",[0,4611686018427387904,4],true,0]', b""),
        ('["a","<U1",[1],true,4]', b"\xff\xff\xff\x7f"),
        ('["y","object"]', b""),
        ('["o","student",1]', b""),
        ('["g",["d",["bit_generator","os.system"]]]', b""),
        ('["d",[["l"],1]]', b""),
        ('["i","zz"]', b""),
        ('["f","1e5"]', b""),
        ('{"__reduce__": 1}', b""),
        ("NaN", b""),
        ("[]", b""),
        ("[[]]", b""),
        ("[" * 100_000, b""),
        ("1", b"more"),
    ],
)
def test_messages_not_in_the_form_are_refused(text: str, extra: bytes) -> None:
    with pytest.raises(CodecError):
        decode(message(text, extra))


def test_truth_has_two_values() -> None:
    array = decode(message('["a","|b1",[3],true,3]', b"\x00\x01\xfe"))
    assert array.view(np.uint8).tolist() == [0, 1, 1]
