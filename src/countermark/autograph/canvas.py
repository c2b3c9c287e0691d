"""The common ground on which a leak and its master are compared.

A master's frame is drawn at two sizes: the *canvas*, about 240 rows to its shorter side, on which
pictures are laid on each other; and the *grid*, a quarter of that, two rows to a cell of the mark,
on which the mark is read. The means over a grid cell keep the mark and little of what codecs and
noise do.
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
_SKETCH_ROWS = 360
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
    def scale(self) -> int:
        """Pixels of the master to one of the canvas; whole, as such means are quick to take."""
        return max(1, round(min(self.width, self.height) / (_GRID_ROWS * _FINER)))

    @property
    def grid_shape(self) -> tuple[int, int]:
        """Rows and columns of the grid; what is left at the right and at the bottom is unused."""
        cell = self.scale * _FINER
        return max(1, self.height // cell), max(1, self.width // cell)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the canvas."""
        rows, columns = self.grid_shape
        return rows * _FINER, columns * _FINER

    def draw(self, luma: Luma) -> Luma:
        """A master's frame on the canvas."""
        rows, columns = self.shape
        part = luma[: rows * self.scale, : columns * self.scale]
        drawn = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
        return drawn.astype(np.uint8, copy=False)

    def cells(self, drawn: NDArray[np.generic]) -> Grid:
        """The means of the grid's cells over what is drawn on the canvas."""
        wide = drawn.astype(np.float32)
        means = cv2.resize(wide, self.grid_shape[::-1], interpolation=cv2.INTER_AREA)
        return means.astype(np.float32, copy=False)

    def lay(self, sketch: Luma, homography: Homography) -> Luma:
        """A leak's sketch laid on the canvas; 0 where it shows nothing."""
        laid = cv2.warpPerspective(sketch, homography, self.shape[::-1], flags=cv2.INTER_LINEAR)
        return laid.astype(np.uint8, copy=False)

    def covered(self, area: Luma, homography: Homography) -> Grid:
        """Which cells of the grid the leak's picture covers wholly, and their neighbours: 1.

        Args:
            area: 255 where a sketch of the leak shows its picture, 0 in its bars.
            homography: of the sketch.
        """
        inside = (self.cells(self.lay(area, homography)) > 254).astype(np.float32)  # noqa: PLR2004 - all but rounding
        kept = cv2.erode(inside, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT, borderValue=1)
        return kept.astype(np.float32, copy=False)


def sketch(luma: Luma) -> Luma:
    """A frame made small enough to work with: at most 360 rows (or columns, if it is upright)."""
    scale = _SKETCH_ROWS / min(luma.shape)
    if scale >= 1:
        return luma.copy()
    size = (max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale)))
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def flattened(grid: Grid, covered: Grid) -> Grid:
    """A grid without its slow changes of brightness, 0 where it is not covered."""
    weight = cv2.GaussianBlur(covered, (0, 0), _SLOW) + np.float32(1e-6)
    return (grid - cv2.GaussianBlur(grid * covered, (0, 0), _SLOW) / weight) * covered
