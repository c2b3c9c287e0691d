"""Fingerprints of masters: the format keeps what it is given and refuses everything else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.autograph.fingerprint import (
    COLUMNS,
    ROWS,
    FingerprintError,
    pack,
    thumbnail,
    unpack,
)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=50), st.integers(0, 2**32 - 1))
def test_what_is_packed_comes_back_counted_from_the_first_frame(gaps: list[int], seed: int) -> None:
    times = np.cumsum(gaps) / 1000 + 7
    cells = np.random.default_rng(seed).integers(0, 256, (len(gaps), ROWS, COLUMNS), np.uint8)
    found = unpack(pack(times, cells))
    assert np.allclose(found.times, times - times[0], atol=1e-9)
    assert (found.thumbnails == cells).all()


@given(st.binary(max_size=400))
def test_bytes_that_are_no_fingerprint_are_refused(blob: bytes) -> None:
    with pytest.raises(FingerprintError):
        unpack(blob)


def test_a_fingerprint_cut_short_is_refused() -> None:
    blob = pack(np.arange(3.0), np.zeros((3, ROWS, COLUMNS), np.uint8))
    with pytest.raises(FingerprintError):
        unpack(blob[:-1])


def test_times_that_go_back_are_refused() -> None:
    with pytest.raises(FingerprintError):
        pack(np.array([0.0, 2.0, 1.0]), np.zeros((3, ROWS, COLUMNS), np.uint8))


def test_a_thumbnail_holds_the_mean_of_each_cell() -> None:
    steps = np.arange(ROWS * COLUMNS, dtype=np.uint8).reshape(ROWS, COLUMNS)
    assert (thumbnail(np.kron(steps, np.ones((20, 30), np.uint8))) == steps).all()
