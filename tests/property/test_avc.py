"""H.264's outer layers: what is added says nothing, and is of the length that was asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.media.avc import (
    LEAST_PADDING,
    byte_stream,
    equal_lengths,
    nal_units,
    padding,
    sample_of,
)

# A NAL unit holds no start code and does not end in a zero byte (H.264, 7.4.1).
UNITS = st.lists(
    st.binary(min_size=1, max_size=40).map(
        lambda raw: bytes([0x41]) + raw.replace(b"\x00", b"\x03") + b"\x80"
    ),
    min_size=1,
    max_size=4,
)


def test_padding_has_every_length_from_the_least_on_and_splits_into_filler_messages() -> None:
    for length in [0, *range(LEAST_PADDING, 1500)]:
        filler = padding(length)
        assert len(filler) == length
        for unit in nal_units(byte_stream(filler)):
            assert set(_message(unit)) <= {0xFF}


@pytest.mark.parametrize("length", range(1, LEAST_PADDING))
def test_padding_shorter_than_a_message_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="at least 8 bytes"):
        padding(length)


@given(st.lists(UNITS, min_size=2, max_size=8))
def test_samples_become_equally_long_by_what_says_nothing_and_no_longer_than_needed(
    pictures: list[list[bytes]],
) -> None:
    samples = [sample_of(b"".join(b"\x00\x00\x01" + unit for unit in units)) for units in pictures]
    padded = equal_lengths(samples)
    assert len({len(sample) for sample in padded}) == 1
    for units, longer in zip(pictures, padded, strict=True):
        *kept, last = (unit for unit in nal_units(byte_stream(longer)) if unit[0] != 6)
        assert kept == units[:-1]
        assert last.startswith(units[-1])
        # H.264, 7.3.2.8: a slice may end in cabac_zero_words, each emulation-prevented.
        assert last[len(units[-1]) :] in {b"", b"\x00\x00\x03", b"\x00\x00\x03" * 2}
    assert len(padded[0]) <= max(map(len, samples)) + LEAST_PADDING


@given(UNITS)
def test_a_sample_holds_the_units_of_its_byte_stream(units: list[bytes]) -> None:
    stream = b"".join(b"\x00\x00\x01" + unit for unit in units)
    sample = sample_of(stream)
    assert list(nal_units(byte_stream(sample))) == units
    assert len(byte_stream(sample)) == len(sample)


def _message(unit: bytes) -> bytes:
    """The payload of a unit that must be one filler message, read as a decoder reads it."""
    assert unit[:2] == b"\x06\x03"
    at, size = 2, 0
    while unit[at] == 0xFF:
        size, at = size + 0xFF, at + 1
    size, at = size + unit[at], at + 1
    assert unit[at + size :] == b"\x80"
    return unit[at : at + size]
