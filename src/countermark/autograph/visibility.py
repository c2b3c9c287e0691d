"""How much of the mark each part of a frame can hide.

The eye misses small changes of brightness where the picture is textured or moves, and sees them
best in smooth, still, dark areas (contrast masking: Legge and Foley 1980; Weber's law). An encoder
of constant quality reckons alike: on real clips x264's mean square error at CRF 22 came out nearly
proportional to local activity, and XPSNR (Helmrich et al. 2020) forgives in the same proportion. So
the mark grows with local activity, and what it costs is its power against that error.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.pattern import Grid

Luma = NDArray[np.uint8]

# Luma below the first is as good as black and carries nothing; from the second on it carries all.
_DARK, _DIM = 20.0, 45.0
# Likewise at the top: highlights next to white are smooth and clip.
_BRIGHT, _WHITE = 215.0, 235.0
# Activity, in luma steps: below the first nothing is hidden, above the second something is.
_FLAT, _ROUGH = 0.2, 0.5
# Beyond this, more activity hides no more.
_BUSY = 12.0
# Movement, in luma steps between frames, that even quiet film has; and what is left of the
# encoder's error without any.
_ALIVE, _DEAD = 0.1, 0.1
# Contrast masking's exponent; Legge and Foley found 0.6 to 0.7.
_MASKING = 0.75


class Room(NamedTuple):
    """What the cells of a frame can hide.

    Attributes:
        amplitude: relative strength that suits each cell, 0 to 1.
        error: mean square error that a good encoder makes there anyway, squared luma steps.
        weight: how much an error there counts against one elsewhere.
        moved: by how much it differs from the frame next to it, luma steps.
    """

    amplitude: Grid
    error: Grid
    weight: Grid
    moved: Grid


def room_of(small: Luma, neighbour: Luma, shape: tuple[int, int]) -> Room:
    """Judge a frame.

    Args:
        small: the frame, `halved`.
        neighbour: a frame next to it in the same segment, or itself if there is none; `halved`.
        shape: rows and columns of the grid to judge by.
    """
    size = (shape[1], shape[0])
    mean = _cells(small, size)
    activity = _cells(cv2.absdiff(small, cv2.blur(small, (7, 7))), size)
    differs = _cells(cv2.absdiff(small, neighbour), size)
    moved = np.minimum(differs, activity)
    error = (0.4 * activity + 0.3 * moved) / (1 + activity / 20)
    weight = 1 / (activity + 0.3)
    activity += 0.25 * moved
    rough = np.clip((activity - _FLAT) / (_ROUGH - _FLAT), 0, 1)
    seen = np.clip((mean - _DARK) / (_DIM - _DARK), 0, 1)
    clipped = np.clip((_WHITE - mean) / (_WHITE - _BRIGHT), 0, 1)
    amplitude = (np.minimum(activity, _BUSY) / _BUSY) ** _MASKING * rough * seen * clipped
    return Room(
        np.asarray(amplitude, np.float32),
        np.asarray(error, np.float32),
        np.asarray(weight, np.float32),
        differs,
    )


def rooms_of(frames: Sequence[Luma], shape: tuple[int, int]) -> Room:
    """Judge the frames of a segment together.

    What stays exactly the same is coded once, and so well that the error is a tenth of what it is
    where the least noise stirs; there any mark would show, and cost more bits than the picture.

    Args:
        frames: whole, in the order of display.
        shape: rows and columns of the grid to judge by.

    Returns:
        Shape (frames, rows, columns) each.
    """
    small = [halved(frame) for frame in frames]
    neighbours = [small[min(1, len(small) - 1)], *small[:-1]]
    rooms = [room_of(*both, shape) for both in zip(small, neighbours, strict=True)]
    amplitude, error, weight, moved = (np.stack(grids) for grids in zip(*rooms, strict=True))
    alive = np.clip(moved.mean(axis=0) / np.float32(_ALIVE), _DEAD, 1)
    return Room(amplitude * np.sqrt(alive), error * alive, weight, moved)


def halved(luma: Luma) -> Luma:
    """A frame at half its width and height."""
    height, width = luma.shape
    half = cv2.resize(luma, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)


def _cells(values: "cv2.typing.MatLike", size: tuple[int, int]) -> Grid:
    """Means over cells; large ones are halved first, which costs a fifth of doing it in one go."""
    whole = values.astype(np.float32)
    rows, columns = whole.shape[0] // 2, whole.shape[1] // 2
    if rows >= 2 * size[1] and columns >= 2 * size[0]:
        even = whole[: 2 * rows, : 2 * columns]
        half = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(half, size, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)
