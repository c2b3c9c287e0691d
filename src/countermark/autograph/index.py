"""The splice index of a master: where its segments lie, and what they may carry.

A master's blob is its K variants one after another, each a whole MP4 file of `size` bytes, alike
up to the first segment. A segment is one closed GOP with the sound that goes with it; it lies at
the same offsets within every variant, so a copy is a choice of one variant for each segment. The
index lies beside the blob, in the sidecar `autograph`.

It is MessagePack, a map by field names, as `_Stored` has them. Rows of numbers are packed: offsets
as unsigned 64 bits, frame numbers as unsigned 32, times as signed 64, all little-endian; biases
and carries are bytes. Decoding checks everything: an index that is accepted can be spliced by and
read from without further looks.
"""

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from countermark.autograph.derivation import UNITS, VARIANTS
from countermark.errors import CountermarkError

SIDECAR: Final = "autograph"
"""Name of the index's sidecar, see `storage.layout.sidecar_key`."""

FRAMES_SIDECAR: Final = "autograph-frames"
"""Name of the fingerprint's, by which tracing finds the master; see `fingerprint`."""

VERSION: Final = 1
MAX_SEGMENTS: Final = 250_000
MAX_ENCODED_BYTES: Final = 8 << 20
"""No index is larger: its sidecar need not be read beyond."""

Strength = Literal["light", "normal", "strong"]

_MAX_SIZE = 1 << 48
_Count = Annotated[int, Meta(ge=1, le=(1 << 31) - 1)]


class SpliceIndexError(CountermarkError, ValueError):
    """The bytes are no splice index, or one that contradicts itself; the text says how."""


@dataclass(frozen=True)
class SpliceIndex:
    """What splicing and tracing need to know of a master, n being the number of its segments.

    Attributes:
        master: id of the master's file, 24 hex digits.
        key_id: which autograph key its code and its pattern come from.
        variants: K: 2, 4 or 8.
        size: of one variant, bytes.
        strength: of the mark.
        starts: offset of each segment's first byte within a variant, ascending, n of them. What
            lies before the first is the same in all variants; the last segment ends at `size`.
        biases: how likely each variant is in each segment, sixteenths, n rows of K bytes.
        first_frames: number of each segment's first frame in display order, ascending from 0, and
            last the number of frames; n + 1 of them.
        time_base: of `times`, as (numerator, denominator) in seconds.
        times: when each segment's first frame is shown, ascending, and last when the last one's
            time is over; n + 1 of them.
        carries: how much mark a segment carries: 0 for none or next to none, being too dark, flat
            or still, else an estimate of the mark's energy from 1 to 255; n of them.
    """

    master: str
    key_id: int
    variants: int
    size: int
    strength: Strength
    starts: Sequence[int]
    biases: bytes
    first_frames: Sequence[int]
    time_base: tuple[int, int]
    times: Sequence[int]
    carries: bytes

    def __len__(self) -> int:
        """How many segments."""
        return len(self.starts)


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1]
    master: Annotated[str, Meta(pattern=r"^[0-9a-f]{24}\Z")]
    key_id: _Count
    variants: _Count
    size: Annotated[int, Meta(ge=1, le=_MAX_SIZE)]
    strength: Strength
    starts: bytes
    biases: bytes
    first_frames: bytes
    time_base: tuple[_Count, _Count]
    times: bytes
    carries: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


def encode(index: SpliceIndex) -> bytes:
    """The index as it is stored.

    Raises:
        SpliceIndexError: it contradicts itself, so `decode` would refuse it.
    """
    try:
        stored = _Stored(
            version=VERSION,
            master=index.master,
            key_id=index.key_id,
            variants=index.variants,
            size=index.size,
            strength=index.strength,
            starts=_packed("Q", index.starts),
            biases=bytes(index.biases),
            first_frames=_packed("I", index.first_frames),
            time_base=index.time_base,
            times=_packed("q", index.times),
            carries=bytes(index.carries),
        )
    except (OverflowError, TypeError, ValueError) as error:
        raise SpliceIndexError(f"numbers that an index cannot hold: {error}") from error
    data = _encoder.encode(stored)
    decode(data)
    return data


def decode(data: bytes) -> SpliceIndex:
    """Read what `encode` wrote.

    Raises:
        SpliceIndexError: the bytes are anything else.
    """
    if len(data) > MAX_ENCODED_BYTES:
        raise SpliceIndexError(f"{len(data)} bytes are more than an index has")
    try:
        stored = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise SpliceIndexError(f"not a splice index of version {VERSION}: {error}") from error
    index = SpliceIndex(
        stored.master,
        stored.key_id,
        stored.variants,
        stored.size,
        stored.strength,
        _unpacked("Q", stored.starts, "starts"),
        stored.biases,
        _unpacked("I", stored.first_frames, "first_frames"),
        stored.time_base,
        _unpacked("q", stored.times, "times"),
        stored.carries,
    )
    _check(index)
    return index


def _check(index: SpliceIndex) -> None:
    count = len(index)
    if index.variants not in VARIANTS:
        raise SpliceIndexError(f"{index.variants} variants; a master has 2, 4 or 8")
    if not 1 <= count <= MAX_SEGMENTS:
        raise SpliceIndexError(f"{count} segments; an index has 1 to {MAX_SEGMENTS}")
    _check_length("first_frames", len(index.first_frames), count + 1)
    _check_length("times", len(index.times), count + 1)
    _check_length("biases", len(index.biases), count * index.variants)
    _check_length("carries", len(index.carries), count)
    _check_ascending("starts", index.starts)
    _check_ascending("first_frames", index.first_frames)
    _check_ascending("times", index.times)
    if index.starts[-1] >= index.size:
        raise SpliceIndexError("the last segment starts beyond the end")
    if index.first_frames[0] != 0:
        raise SpliceIndexError("the first frame's number is not 0")
    columns = [index.biases[variant :: index.variants] for variant in range(index.variants)]
    if 0 in index.biases or any(sum(row) != UNITS for row in zip(*columns, strict=True)):
        raise SpliceIndexError(f"biases that are 0, or don't sum to {UNITS} in each segment")


def _check_length(name: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise SpliceIndexError(f"{name} has {found} entries instead of {wanted}")


def _check_ascending(name: str, numbers: Sequence[int]) -> None:
    if any(first >= second for first, second in pairwise(numbers)):
        raise SpliceIndexError(f"{name} does not ascend")


def _packed(kind: str, numbers: Sequence[int]) -> bytes:
    packed = array(kind, map(int, numbers))
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _unpacked(kind: str, data: bytes, name: str) -> "array[int]":
    numbers = array(kind)
    if len(data) % numbers.itemsize:
        raise SpliceIndexError(f"{name} is cut off")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
