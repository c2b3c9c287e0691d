"""The splice index: what is written is read back, and nothing else is."""

from array import array
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from countermark.autograph.index import MAX_ENCODED_BYTES, SpliceIndexError, decode, encode
from support.masters import random_index


@pytest.mark.parametrize("variants", [2, 4, 8])
def test_what_is_written_is_read_back(variants: int) -> None:
    index = random_index(1, variants=variants, segments=300)
    found = decode(encode(index))
    assert (list(found.starts), list(found.times)) == (index.starts, index.times)
    assert list(found.first_frames) == index.first_frames
    assert replace(found, starts=[], times=[], first_frames=[]) == replace(
        index, starts=[], times=[], first_frames=[]
    )
    assert len(found) == 300


def test_stored_numbers_are_little_endian() -> None:
    index = replace(random_index(1, segments=2), starts=[1, 0x0102], size=0x0203, times=[-1, 0, 1])
    stored = msgspec.msgpack.decode(encode(index))
    assert stored["starts"] == bytes([1, *[0] * 7, 2, 1, *[0] * 6])
    assert stored["times"] == b"\xff" * 8 + bytes(8) + bytes([1, *[0] * 7])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"starts": [40, 40, 50]}, "starts"),
        ({"starts": [40, 50, 10**6]}, "beyond the end"),
        ({"starts": [], "biases": b"", "carries": b""}, "0 segments"),
        ({"starts": [-1, 1, 2]}, "cannot hold"),
        ({"first_frames": [0, 5, 5, 9]}, "first_frames"),
        ({"first_frames": [1, 5, 6, 9]}, "not 0"),
        ({"first_frames": [0, 5]}, "instead of 4"),
        ({"times": [0, 5, 4, 9]}, "times"),
        ({"biases": bytes([8, 8, 8, 8])}, "biases"),
        ({"biases": bytes([8, 8, 0, 16, 8, 8])}, "biases"),
        ({"biases": bytes([8, 8, 8, 9, 8, 8])}, "biases"),
        ({"carries": b"\1\1"}, "carries"),
        ({"variants": 3}, "variants"),
        ({"strength": "deafening"}, "strength"),
        ({"master": "65f0c0ffee0123456789abcd\n"}, "master"),
        ({"master": "another"}, "master"),
        ({"key_id": 0}, "key_id"),
        ({"time_base": (0, 1)}, "time_base"),
        ({"size": 1 << 49}, "size"),
    ],
)
def test_what_contradicts_itself_is_neither_written_nor_read(
    change: dict[str, Any], words: str
) -> None:
    index = random_index(1, segments=3)
    with pytest.raises(SpliceIndexError, match=words):
        encode(replace(index, **change))


@pytest.mark.parametrize("field", ["starts", "first_frames", "times"])
def test_a_number_that_is_cut_off_is_an_error(field: str) -> None:
    stored = msgspec.msgpack.decode(encode(random_index(1)))
    stored[field] = stored[field][:-1]
    with pytest.raises(SpliceIndexError, match=field):
        decode(msgspec.msgpack.encode(stored))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"\x80",
        bytes(MAX_ENCODED_BYTES + 1),
        b"\x91" * 100_000,
        msgspec.msgpack.encode({"version": 2}),
        encode(random_index(1)) + b"\0",
        encode(random_index(1))[:-1],
    ],
)
def test_other_bytes_are_a_clear_error(data: bytes) -> None:
    with pytest.raises(SpliceIndexError):
        decode(data)


def test_unknown_fields_are_refused() -> None:
    stored = msgspec.msgpack.decode(encode(random_index(1))) | {"extra": 1}
    with pytest.raises(SpliceIndexError, match="extra"):
        decode(msgspec.msgpack.encode(stored))


def test_numbers_of_numpy_and_arrays_can_be_written() -> None:
    index = random_index(1)
    packed = replace(index, starts=array("q", index.starts), times=tuple(index.times))
    assert encode(packed) == encode(index)
