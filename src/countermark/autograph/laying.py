"""Adding a change that is known for cells of a frame to its pixels.

Most of a frame carries nothing, as what is below half a step leaves the picture as it is. So the
change is widened to pixels in the box alone outside of which it rounds to nothing. Eight bits hold
it finely enough, and take a quarter of the memory, which costs more than reckoning.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.pattern import Grid

Luma = NDArray[np.uint8]

MOST = 4.0
"""Largest change, steps of eight bits."""

# Parts of a step that a change is reckoned in. An odd number: none of them is just a half.
_FINE = 31
# Steps; a smaller change rounds to none.
_HALF = 0.5
# A box of more than this part of the frame takes as long as all of it.
_MOST_BOXED = 0.75
# Pixels from one cell to the next; among closer ones a box's last row might be lost to rounding.
_CLOSEST = 2.0


class Box(NamedTuple):
    """A part of a frame: rows of cells, columns of pixels, and its first row of pixels."""

    rows: slice
    columns: slice
    top: int


def lay(frame: Luma, change: Grid, target: Luma) -> None:
    """Write a changed frame.

    Args:
        frame: what is changed.
        change: of each cell, steps, at most `MOST`; linear between the cells' centres.
        target: where to, same shape as the frame; may be the frame itself.
    """
    moved = np.abs(change) >= _HALF
    if not moved.any():
        np.copyto(target, frame)
        return
    fine = np.rint(np.clip(change + MOST, 0, 2 * MOST) * _FINE).astype(np.uint8)
    if (box := _box(moved, frame.shape)) is None:
        _add(frame, cv2.resize(fine, frame.shape[::-1], interpolation=cv2.INTER_LINEAR), target)
    else:
        np.copyto(target, frame)
        _add_within(fine, box, target)


def _box(moved: NDArray[np.bool_], shape: tuple[int, ...]) -> Box | None:
    """The box that holds all changes, from cells' centres to centres; None if it isn't worth it."""
    (high, wide), (height, width) = moved.shape, shape
    # A box begins where a row of cells begins with a row of pixels.
    whole = high // math.gcd(high, height)
    rows, columns = (np.flatnonzero(moved.any(axis=axis)) for axis in (1, 0))
    first = max(0, int(rows[0]) - 1) // whole * whole
    end = min(high, int(rows[-1]) + 2)
    left = max(0, math.floor((columns[0] - 0.5) * width / wide))
    right = min(width, math.ceil((columns[-1] + 1.5) * width / wide))
    part = (end - first) / high * (right - left) / width
    if part > _MOST_BOXED or min(height / high, width / wide) < _CLOSEST:
        return None
    return Box(slice(first, end), slice(left, right), first * height // high)


def _add(frame: Luma, wide: "cv2.typing.MatLike", target: Luma) -> None:
    cv2.addWeighted(frame, 1, wide, 1 / _FINE, -MOST, dst=target)


def _add_within(fine: Luma, box: Box, target: Luma) -> None:
    height, width = target.shape
    rows = fine[box.rows]
    lines = cv2.resize(rows, (width, len(rows)), interpolation=cv2.INTER_LINEAR)[:, box.columns]
    scale = height / len(fine)
    wide = cv2.resize(lines, None, fx=1, fy=scale, interpolation=cv2.INTER_LINEAR)
    within = target[box.top : box.top + len(wide), box.columns]
    _add(within, wide[: len(within)], within)
