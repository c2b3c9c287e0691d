"""What moves in a segment, whatever a camera's exposure does meanwhile."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.autograph.exposure import beyond_exposure
from countermark.autograph.movement import movement

SHAPE = 30, 50


def _texture(
    seed: int, shape: tuple[int, int]
) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return np.random.default_rng(seed).uniform(60, 140, shape).astype(np.float32)


@given(st.integers(0, 2**32), st.floats(0.7, 1.4), st.floats(-20, 20))
def test_a_change_of_exposure_is_no_change(seed: int, gain: float, offset: float) -> None:
    frame = _texture(seed, (60, 100))
    assert np.abs(beyond_exposure(gain * frame + offset, frame)).max() < 0.1


@given(st.integers(0, 2**32), st.floats(0.8, 1.2))
def test_what_changes_beyond_it_is_found_where_it_is(seed: int, gain: float) -> None:
    frame = _texture(seed, (60, 100))
    other = gain * frame
    other[10:20, 10:30] += 30
    found = beyond_exposure(other, frame)
    assert found[10:20, 10:30] == pytest.approx(30, abs=2)
    found[10:20, 10:30] = 0
    assert np.abs(found).max() < 2


def test_slow_movement_is_told_from_noise() -> None:
    random = np.random.default_rng(3)
    scene = _texture(3, (60, 150)).repeat(4, axis=0).repeat(4, axis=1)
    frames = []
    for number in range(12):
        noisy = scene[:, :400] + random.normal(0, 2, (240, 400))
        noisy[:, :200] = scene[:, number : 200 + number] + random.normal(0, 2, (240, 200))
        frames.append(np.clip(noisy, 0, 255).astype(np.uint8))
    moves = movement(frames, SHAPE)
    assert moves.shape == SHAPE
    assert moves[:, :24].mean() > 5 * moves[:, 26:].mean()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_frames_and_flat_ones_do_not_move(count: int) -> None:
    frames = [np.full((96, 160), 90, np.uint8)] * count
    assert movement(frames, SHAPE).max() < 1e-3
