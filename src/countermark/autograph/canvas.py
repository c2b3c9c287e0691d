"""The common ground on which a leak and its master are compared.

A master's frame is drawn at two sizes: the *canvas*, about 240 rows to its shorter side, on which
pictures are laid on each other; and the *grid*, a quarter of that, four rows to a cell of the mark,
on which the mark is read. The means over a grid cell keep the mark and little of what codecs and
noise do.

Chroma is drawn at half of the canvas's size, and read on a grid of half as many rows: its marks are
twice as wide. Both planes lie on one grid, one above the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Grid = NDArray[np.float32]
Chroma = Sequence[Luma]
"""Two planes of one shape."""
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

    @property
    def chroma_shape(self) -> tuple[int, int]:
        """Rows and columns of a chroma plane's half of its grid."""
        rows, columns = self.grid_shape
        return max(1, rows // 2), max(1, columns // 2)

    def chroma_cells(self, chroma: Chroma) -> Grid:
        """The means of the chroma grid's cells over a master's frame, 4:2:0."""
        rows, columns = self.chroma_shape
        cell = self.scale * _FINER
        parts = [plane[: rows * cell, : columns * cell] for plane in chroma]
        return _stacked(parts, (rows, columns))

    def lay_chroma(
        self, sketch: Chroma, luma_shape: tuple[int, int], homography: Homography
    ) -> Grid:
        """A leak's sketch of chroma laid on the chroma grid.

        Args:
            sketch: of both planes.
            luma_shape: rows and columns of the sketch of luma.
            homography: of the sketch of luma.
        """
        rows, columns = self.chroma_shape
        size = columns * _FINER, rows * _FINER
        theirs = _enlarged(luma_shape[0] / sketch[0].shape[0], luma_shape[1] / sketch[0].shape[1])
        move = np.linalg.inv(_enlarged(2, 2)) @ homography @ theirs
        laid = [cv2.warpPerspective(one, move, size, flags=cv2.INTER_LINEAR) for one in sketch]
        return _stacked(laid, (rows, columns))

    def covered_chroma(self, covered: Grid) -> Grid:
        """Which cells of the chroma grid are covered, given those of the grid."""
        rows, columns = self.chroma_shape
        part = covered[: 2 * rows, : 2 * columns]
        whole = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA) == 1
        return np.concatenate([whole, whole]).astype(np.float32)


def chroma_sketch(chroma: Chroma, luma_shape: tuple[int, int]) -> Chroma:
    """A frame's chroma made as small as suits a sketch of its luma.

    Args:
        chroma: both planes of a frame.
        luma_shape: rows and columns of the sketch of its luma.
    """
    size = -(-luma_shape[1] // 2), -(-luma_shape[0] // 2)
    return [cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(np.uint8) for one in chroma]


def _stacked(planes: Sequence["cv2.typing.MatLike"], shape: tuple[int, int]) -> Grid:
    size = shape[1], shape[0]
    cells = [
        cv2.resize(one.astype(np.float32), size, interpolation=cv2.INTER_AREA) for one in planes
    ]
    return np.asarray(np.concatenate(cells), np.float32)


def _enlarged(across_rows: float, across_columns: float) -> Homography:
    """Positions in a picture made so much larger: the pixels' middles stay where they are."""
    x, y = across_columns, across_rows
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])


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
