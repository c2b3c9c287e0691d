"""A damaged splice index is refused, or is another right one; never another error."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from countermark.autograph.index import SpliceIndexError, decode, encode
from support.masters import random_index

WHOLE = encode(random_index(7, segments=3))


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_one_changed_byte(place: int, change: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= change
    with suppress(SpliceIndexError):
        assert encode(decode(bytes(damaged))) == damaged


@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    with suppress(SpliceIndexError):
        assert decode(data) is None
