"""How much of the mark each part of a frame can hide.

The eye misses small changes of brightness where the picture is textured or moves, and sees them
best in smooth, still, mid-dark areas (contrast masking: Legge and Foley 1980; Weber's law). So the
mark's strength follows local activity, motion and brightness, on a grid of cells: fine enough to
spare a smooth sky beside a tree, and cheap.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.pattern import Grid

Luma = NDArray[np.uint8]

# Luma below the first is as good as black and carries nothing; from the second on it carries all.
_DARK, _DIM = 20.0, 60.0
# Likewise at the top: highlights next to white are smooth and clip.
_BRIGHT, _WHITE = 215.0, 235.0
# Mean absolute difference from the local mean, in luma steps: nothing is hidden below the first,
# and beyond the second more texture hides no more.
_FLAT, _BUSY = 0.4, 4.0


def capacity(luma: Luma, previous: Luma | None, shape: tuple[int, int]) -> Grid:
    """How strongly each cell of a frame may be marked.

    Args:
        luma: the frame, shape (height, width).
        previous: the frame before it in the same shot, or None.
        shape: rows and columns of cells.

    Returns:
        0 to 1, shape of the grid.
    """
    small = cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    size = (shape[1], shape[0])
    mean = cv2.resize(small, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    smooth = cv2.blur(small, (7, 7))
    texture = _cells(cv2.absdiff(small, smooth), size)
    if previous is not None:
        before = cv2.resize(previous, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        texture += 0.5 * np.minimum(_cells(cv2.absdiff(small, before), size), texture)
    hidden = np.clip((texture - _FLAT) / (_BUSY - _FLAT), 0, 1) ** 0.5
    seen = np.clip((mean - _DARK) / (_DIM - _DARK), 0, 1)
    clipped = np.clip((_WHITE - mean) / (_WHITE - _BRIGHT), 0, 1)
    return np.asarray(hidden * seen * clipped, np.float32)


def _cells(values: "cv2.typing.MatLike", size: tuple[int, int]) -> Grid:
    cells = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cells, np.float32)
