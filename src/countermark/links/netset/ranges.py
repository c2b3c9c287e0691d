"""Sets of addresses, compiled: ranges sorted and merged, looked up by bisection.

Compiled form, version 1: the magic "CMAL", then little-endian the version (2 bytes), two bytes of
zero, the numbers of IPv4 and of IPv6 ranges and the CRC-32 of all that follows (4 bytes each); the
first addresses of the IPv4 ranges and their last ones (4 bytes each, little-endian); the same for
IPv6 (16 bytes each, big-endian). An IPv4-mapped IPv6 address is the IPv4 address everywhere.
"""

import struct
import sys
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple, overload

from countermark.errors import AddressListError

MAX_RANGES = 4_000_000

_HEAD = struct.Struct("<4sHHIII")
_MAGIC = b"CMAL"
_VERSION = 1
_IPV4_BYTES = 4
_IPV6_BYTES = 16
_IPV4_BITS = 32
_LOW = (1 << _IPV4_BITS) - 1
_MAPPED = 0xFFFF << _IPV4_BITS  # ::ffff:0:0/96


class Span(NamedTuple):
    """Addresses from the first to the last, both included, as numbers."""

    wide: bool  # IPv6
    first: int
    last: int


def span_of(text: str) -> Span:
    """Read one address, as it is written.

    Raises:
        ValueError: it is none; one with a scope or with leading zeros is none either.
    """
    wide = ":" in text
    try:
        # A third of what the module `ipaddress` takes, which counts for a million lines.
        number = int.from_bytes(inet_pton(AF_INET6 if wide else AF_INET, text), "big")
    except (OSError, ValueError) as error:
        raise ValueError("not an address") from error
    return Span(wide, number, number)


def plain(span: Span) -> Span:
    """The span; as IPv4 if it lies within the IPv4-mapped addresses."""
    if span.wide and span.first >= _MAPPED and span.last <= _MAPPED + _LOW:
        return Span(wide=False, first=span.first - _MAPPED, last=span.last - _MAPPED)
    return span


class Ranges:
    """A set of addresses. Immutable, about 8 bytes for each IPv4 range and 32 for IPv6."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        narrow: list[tuple[int, int]] = []
        wide: list[tuple[int, int]] = []
        for span in spans:
            (wide if span.wide else narrow).append((span.first, span.last))
            if len(narrow) + len(wide) > MAX_RANGES:
                raise AddressListError(f"more than {MAX_RANGES:,} entries")
        merged = list(_merged(narrow))
        self._firsts = array("I", (first for first, _ in merged))
        self._lasts = array("I", (last for _, last in merged))
        merged = list(_merged(wide))
        self._wide_firsts = _Numbers(b"".join(_wide_bytes(first) for first, _ in merged))
        self._wide_lasts = _Numbers(b"".join(_wide_bytes(last) for _, last in merged))

    def __len__(self) -> int:
        return len(self._firsts) + len(self._wide_firsts)

    def contains(self, address: Span) -> bool:
        """Tell whether an address is in the set; takes microseconds, whatever its size.

        Args:
            address: one address, made `plain`.
        """
        firsts: Sequence[int] = self._wide_firsts if address.wide else self._firsts
        lasts: Sequence[int] = self._wide_lasts if address.wide else self._lasts
        at = bisect_right(firsts, address.first) - 1
        return at >= 0 and address.first <= lasts[at]

    def ipv4_share(self) -> float:
        """How much of all IPv4 addresses the set has, 0 to 1."""
        count = sum(self._lasts) - sum(self._firsts) + len(self._firsts)
        return count / (1 << _IPV4_BITS)

    def spans(self) -> Iterator[Span]:
        """The ranges in order, merged as far as possible."""
        for first, last in zip(self._firsts, self._lasts, strict=True):
            yield Span(wide=False, first=first, last=last)
        for first, last in zip(self._wide_firsts, self._wide_lasts, strict=True):
            yield Span(wide=True, first=first, last=last)

    def dump(self) -> bytes:
        """The compiled form."""
        narrow = _little(self._firsts).tobytes() + _little(self._lasts).tobytes()
        body = narrow + self._wide_firsts.raw + self._wide_lasts.raw
        counts = len(self._firsts), len(self._wide_firsts)
        return _HEAD.pack(_MAGIC, _VERSION, 0, *counts, zlib.crc32(body)) + body

    @classmethod
    def load(cls, raw: bytes) -> "Ranges":
        """Read the compiled form.

        Raises:
            AddressListError: it is not whole, or of another version.
        """
        count, wide_count = _check(raw)
        found = cls()
        at = _HEAD.size
        narrow = memoryview(raw)[at : at + 2 * count * _IPV4_BYTES]
        found._firsts = _narrow(narrow[: count * _IPV4_BYTES])
        found._lasts = _narrow(narrow[count * _IPV4_BYTES :])
        wide = raw[at + len(narrow) :]
        found._wide_firsts = _Numbers(wide[: wide_count * _IPV6_BYTES])
        found._wide_lasts = _Numbers(wide[wide_count * _IPV6_BYTES :])
        return found


class _Numbers(Sequence[int]):
    """Numbers of 128 bits, big-endian, one after another."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __len__(self) -> int:
        return len(self.raw) // _IPV6_BYTES

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        return int.from_bytes(self.raw[at * _IPV6_BYTES : (at + 1) * _IPV6_BYTES], "big")


def _merged(pairs: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sort, and join what overlaps or touches."""
    pairs.sort()
    if not pairs:
        return
    first, last = pairs[0]
    for next_first, next_last in pairs:
        if next_first > last + 1:
            yield first, last
            first, last = next_first, next_last
        elif next_last > last:
            last = next_last
    yield first, last


def _wide_bytes(number: int) -> bytes:
    return number.to_bytes(_IPV6_BYTES, "big")


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


def _narrow(raw: memoryview) -> "array[int]":
    numbers = array("I")
    numbers.frombytes(raw)
    return _little(numbers)


def _check(raw: bytes) -> tuple[int, int]:
    """The numbers of ranges that a compiled form says it has, if it is whole."""
    if len(raw) < _HEAD.size:
        raise AddressListError("a compiled list is cut off")
    magic, version, _, count, wide_count, crc = _HEAD.unpack_from(raw)
    if (magic, version) != (_MAGIC, _VERSION):
        raise AddressListError("not a compiled list of this version")
    size = _HEAD.size + 2 * (count * _IPV4_BYTES + wide_count * _IPV6_BYTES)
    if len(raw) != size or zlib.crc32(memoryview(raw)[_HEAD.size :]) != crc:
        raise AddressListError("a compiled list is damaged")
    return count, wide_count
