"""What moves in a segment, as far as an encoder sees that makes a leak small.

It repeats what stands still, with the marks of other segments, and codes anew what moves: of a
light mark, a fixed camera's leak at a quarter of the size and CRF 30 showed 4 to 10 % where
pictures a third of a second apart differed by less than half a luma step in the mean over some
hundred pixels, a third at one step, and half from five on. Frames that follow each other, at
their full size, tell that apart from noise badly.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.exposure import beyond_exposure
from countermark.autograph.pattern import Grid

Luma = NDArray[np.uint8]

# Part of a segment over which movement is looked for: a third of a second of 0.75.
_APART = 0.44
# One of so many pairs of frames is looked at.
_LOOKED_AT = 2
# Pixels along a cell's side.
_FINER = 2


def movement(frames: Sequence[Luma], shape: tuple[int, int]) -> Grid:
    """By how much the cells of a segment change beyond exposure, luma steps.

    Args:
        frames: at any size, in the order of display.
        shape: rows and columns of the grid.

    Returns:
        Means over the segment, of the grid's shape.
    """
    rows, columns = shape
    size = columns * _FINER, rows * _FINER
    coarse = [
        cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32) for frame in frames
    ]
    apart = max(1, round(len(coarse) * _APART))
    pairs = list(zip(coarse[apart:], coarse, strict=False))[::_LOOKED_AT]
    if not pairs:
        return np.zeros(shape, np.float32)
    mean = np.mean([np.abs(beyond_exposure(*pair)) for pair in pairs], axis=0)
    return np.asarray(cv2.resize(mean, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
