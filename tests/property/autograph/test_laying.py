"""Laying a change over a frame: only where there is any, and as if it were done everywhere."""

import cv2
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from countermark.autograph.laying import lay
from countermark.autograph.pattern import Grid

# Luma steps: how near to a half rounding may go either way.
NEAR = 0.06


def _everywhere(frame: NDArray[np.uint8], change: Grid) -> NDArray[np.float32]:
    height, width = frame.shape
    wide = cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(frame + wide, np.float32)


@given(
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.7), st.floats(0, 0.7)),
)
@example(0, (576, 1024), (30, 54), (0.2, 0.3, 0.1, 0.1))
@example(0, (432, 768), (30, 54), (0.97, 0.97, 0.1, 0.1))
@example(0, (1920, 1080), (54, 30), (0.0, 0.0, 0.3, 0.3))
def test_a_part_that_is_changed_is_changed_as_if_all_were(
    seed: int,
    shape: tuple[int, int],
    cells: tuple[int, int],
    part: tuple[float, float, float, float],
) -> None:
    random = np.random.default_rng(seed)
    frame = random.integers(0, 256, shape).astype(np.uint8)
    rows, columns = cells
    top, left, high, wide = part
    change = random.uniform(-0.499, 0.499, cells).astype(np.float32)
    place = (
        slice(int(top * rows), int((top + high) * rows) + 1),
        slice(int(left * columns), int((left + wide) * columns) + 1),
    )
    change[place] = random.uniform(-4, 4, change[place].shape)
    target = np.empty_like(frame)
    lay(frame, change, target)
    wanted = np.clip(_everywhere(frame, change), 0, 255)
    assert np.abs(target - wanted).max() <= 0.5 + NEAR


def test_a_change_below_half_a_step_leaves_the_frame_as_it_is() -> None:
    frame = np.arange(96 * 160, dtype=np.uint8).reshape(96, 160)
    target = np.empty_like(frame)
    lay(frame, np.full((30, 50), 0.49, np.float32), target)
    assert (target == frame).all()
