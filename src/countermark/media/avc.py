"""H.264's outer layers: NAL units, what a slice says of its picture, and padding.

Sections are those of ITU-T H.264 (08/2021); samples are those of ISO/IEC 14496-15, where each NAL
unit follows its length in four bytes.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_START = b"\x00\x00\x01"
_LENGTH_BYTES = 4

_IDR_SLICE, _SLICE, _SEI = 5, 1, 6
_FILLER_PAYLOAD = 3
_TRAILING = b"\x80"

# Length prefix, NAL header, payload type, payload size, trailing bits.
LEAST_PADDING = _LENGTH_BYTES + 4
_SIZE_STEP = 255

# A slice that is coded by CABAC may end in any number of cabac_zero_words (7.3.2.8), each with its
# emulation prevention byte.
_ZERO_WORD = b"\x00\x00\x03"


class PictureKind(NamedTuple):
    """What decides a picture's place among others.

    Attributes:
        letter: "I" for an IDR picture, else "P" or "B".
        referenced: whether others are predicted from it.
    """

    letter: str
    referenced: bool


def nal_units(stream: bytes) -> Iterator[bytes]:
    """Split a byte stream (annex B) into NAL units, without start codes."""
    at = stream.find(_START)
    while at >= 0:
        begin = at + len(_START)
        at = stream.find(_START, begin)
        # Zeros before a start code belong to it; a NAL unit never ends in one (7.4.1).
        yield stream[begin : at if at >= 0 else len(stream)].rstrip(b"\x00")


def sample_of(stream: bytes) -> bytes:
    """Make a sample from a picture's byte stream, leaving out its SEI.

    The encoder's only SEI is its own name and settings, about 700 bytes with every first picture.
    """
    kept = [unit for unit in nal_units(stream) if unit[0] & 31 != _SEI]
    return b"".join(len(unit).to_bytes(_LENGTH_BYTES) + unit for unit in kept)


def byte_stream(sample: bytes) -> bytes:
    """Turn a sample into a byte stream of the same length."""
    units, at = [], 0
    while at < len(sample):
        end = at + _LENGTH_BYTES + int.from_bytes(sample[at : at + _LENGTH_BYTES])
        units.append(b"\x00" + _START + sample[at + _LENGTH_BYTES : end])
        at = end
    return b"".join(units)


def kind_of(sample: bytes) -> PictureKind:
    """Read what kind of picture a sample holds from its first slice (7.3.1, 7.3.3).

    Raises:
        ValueError: it holds none.
    """
    at = 0
    while at < len(sample):
        header = sample[at + _LENGTH_BYTES]
        if header & 31 == _IDR_SLICE:
            return PictureKind("I", referenced=True)
        if header & 31 == _SLICE:
            letter = _slice_letter(sample[at + _LENGTH_BYTES + 1 : at + _LENGTH_BYTES + 9])
            return PictureKind(letter, referenced=bool(header >> 5))
        at += _LENGTH_BYTES + int.from_bytes(sample[at : at + _LENGTH_BYTES])
    raise ValueError("no slice in the sample")


def _slice_letter(head: bytes) -> str:
    bits = f"{int.from_bytes(head):0{8 * len(head)}b}"
    _, at = _exp_golomb(bits, 0)
    slice_type, _ = _exp_golomb(bits, at)
    return "PBI"[slice_type % 5]


def _exp_golomb(bits: str, at: int) -> tuple[int, int]:
    zeros = bits.index("1", at) - at
    end = at + 2 * zeros + 1
    return int(bits[at + zeros : end], 2) - 1, end


def padding(length: int) -> bytes:
    """Make NAL units of an exact length that say nothing: SEI with a filler payload (D.2.4).

    Args:
        length: bytes, 0 or at least `LEAST_PADDING`.
    """
    if length == 0:
        return b""
    if length < LEAST_PADDING:
        raise ValueError(f"a filler has at least {LEAST_PADDING} bytes, not {length}")
    steps, rest = divmod(length - LEAST_PADDING, _SIZE_STEP + 1)
    if rest == _SIZE_STEP:
        # The size's own bytes grow by one here, so no one filler has this length, but two have.
        return padding(LEAST_PADDING) + padding(length - LEAST_PADDING)
    payload = _SIZE_STEP * steps + rest
    size = b"\xff" * steps + bytes([rest])
    unit = bytes([_SEI, _FILLER_PAYLOAD]) + size + b"\xff" * payload + _TRAILING
    return len(unit).to_bytes(_LENGTH_BYTES) + unit


def equal_lengths(samples: Sequence[bytes]) -> list[bytes]:
    """Pad a picture's samples, coded by CABAC, to the least length that all of them can reach."""
    sizes = [len(sample) for sample in samples]
    length = max(sizes)
    while not all(_is_reachable(length - size) for size in sizes):
        length += 1
    return [_padded(sample, length - len(sample)) for sample in samples]


def _is_reachable(length: int) -> bool:
    return length >= LEAST_PADDING or length % len(_ZERO_WORD) == 0


def _padded(sample: bytes, length: int) -> bytes:
    """A sample with so many bytes more.

    Filler goes in front: SEI precedes the slices (7.4.1.2.3). What is too short for it becomes
    zero words at the slice's end.
    """
    if length >= LEAST_PADDING:
        return padding(length) + sample
    last = list(_units(sample))[-1]
    unit = sample[last:] + _ZERO_WORD * (length // len(_ZERO_WORD))
    size = len(unit) - _LENGTH_BYTES
    return sample[:last] + size.to_bytes(_LENGTH_BYTES) + unit[_LENGTH_BYTES:]


def _units(sample: bytes) -> Iterator[int]:
    """Where a sample's NAL units begin, with their lengths."""
    at = 0
    while at < len(sample):
        yield at
        at += _LENGTH_BYTES + int.from_bytes(sample[at : at + _LENGTH_BYTES])
