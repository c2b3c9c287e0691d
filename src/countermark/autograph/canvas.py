"""The common ground on which a leak and its master are compared.

A master's frame is drawn at two sizes: the *canvas*, 240 rows to its shorter side, on which
pictures are laid on each other; and the *grid*, 60 rows, two to a cell of the mark, on which the
mark is read. The means over a grid cell keep the mark and little of what codecs and noise do.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Grid = NDArray[np.float32]
Homography = NDArray[np.float64]
"""Takes homogeneous positions in a sketch of the leak to those on the canvas, shape (3, 3)."""

_GRID_ROWS = 60
_FINER = 4
_SKETCH_ROWS = 480
_SLOW = 4.0  # cells; brightness that changes more slowly is no picture


@dataclass(frozen=True)
class Canvas:
    """The sizes that a master's frames are drawn at.

    Attributes:
        width: of the master's frames, pixels.
        height: of the master's frames, pixels.
    """

    width: int
    height: int

    @property
    def grid_shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        step = min(self.width, self.height) / _GRID_ROWS
        return max(1, round(self.height / step)), max(1, round(self.width / step))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the canvas."""
        rows, columns = self.grid_shape
        return rows * _FINER, columns * _FINER

    def draw(self, luma: Luma) -> Luma:
        """A master's frame on the canvas."""
        size = self.shape[::-1]
        return cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

    def cells(self, drawn: NDArray[np.generic]) -> Grid:
        """The means of the grid's cells over what is drawn on the canvas."""
        wide = drawn.astype(np.float32)
        means = cv2.resize(wide, self.grid_shape[::-1], interpolation=cv2.INTER_AREA)
        return means.astype(np.float32, copy=False)

    def lay(self, sketch: Luma, homography: Homography) -> Luma:
        """A leak's sketch laid on the canvas; 0 where it shows nothing."""
        laid = cv2.warpPerspective(sketch, homography, self.shape[::-1], flags=cv2.INTER_LINEAR)
        return laid.astype(np.uint8, copy=False)

    def covered(self, shape: tuple[int, ...], homography: Homography) -> Grid:
        """Which cells of the grid a sketch of this shape covers wholly, and their neighbours: 1."""
        whole = self.lay(np.full(shape, 255, np.uint8), homography)
        inside = (self.cells(whole) > 254).astype(np.float32)  # noqa: PLR2004 - all but rounding
        kept = cv2.erode(inside, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT, borderValue=1)
        return kept.astype(np.float32, copy=False)


def sketch(luma: Luma) -> Luma:
    """A frame made small enough to work with: at most 480 rows (or columns, if it is upright)."""
    scale = _SKETCH_ROWS / min(luma.shape)
    if scale >= 1:
        return luma.copy()
    size = (max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale)))
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def flattened(grid: Grid, covered: Grid) -> Grid:
    """A grid without its slow changes of brightness, 0 where it is not covered."""
    weight = cv2.GaussianBlur(covered, (0, 0), _SLOW) + np.float32(1e-6)
    return (grid - cv2.GaussianBlur(grid * covered, (0, 0), _SLOW) / weight) * covered
